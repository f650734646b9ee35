// What holds for all readers: they are told apart, hostile documents do not harm them, limits are kept.
#include "intel/feed/all.h"

#include <random>
#include <set>

#include "core/text.h"
#include "intel/feed/recorder.h"
#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

std::string recognised(std::string_view head, std::string_view file = "feed") {
  const FeedReader* reader = recognise_feed(head, file);
  return reader == nullptr ? "none" : std::string(reader->name());
}

TEST(FeedReaders, AreToldApartByContent) {
  EXPECT_EQ(recognised("# list\n192.0.2.1\nevil[.]example\n"), "text");
  EXPECT_EQ(recognised("192.0.2.1,words\n192.0.2.2,words\n"), "text");
  EXPECT_EQ(recognised("Servers of the campaign\n\nFirst stage:\n192.0.2[.]1 seen in May\nand so on\n"), "report");
  EXPECT_EQ(recognised("= Indicators of compromise\nFound at 192.0.2.1.\n", "README.adoc"), "report");
  EXPECT_EQ(recognised("Release 1.2.3.4 of the firmware\n"), "none");
  EXPECT_EQ(recognised("ip,first_seen\n192.0.2.1,2026-01-01\n"), "csv");
  EXPECT_EQ(recognised("# id,dateadded,url\n\"1\",\"2026-01-01\",\"http://evil.example/\"\n"), "csv");
  EXPECT_EQ(recognised(R"({"type":"bundle","id":"bundle--1","objects":[)"), "stix");
  EXPECT_EQ(recognised(R"({"more":false,"objects":[]})"), "stix");
  EXPECT_EQ(recognised(R"({"type":"malware","id":"malware--1","created":"","modified":""})"), "stix");
  EXPECT_EQ(recognised(R"({"Event":{"info":"x")"), "misp");
  EXPECT_EQ(recognised(R"({"name":"x","type":"cidr","list":[],"matching_attributes":[]})"), "misp_warninglist");
  EXPECT_EQ(recognised(R"([{"ip":"192.0.2.1"}])"), "json");
  EXPECT_EQ(recognised("words without any meaning\nand more of them\n"), "none");
  EXPECT_EQ(recognised(std::string_view("192.0.2.1\n\0\0", 12)), "none");
  EXPECT_EQ(recognised(""), "none");
}

TEST(FeedReaders, HaveNamesAndDescriptions) {
  std::set<std::string_view> names;
  for (const FeedReader* reader : feed_readers()) {
    names.insert(reader->name());
    EXPECT_FALSE(reader->description().empty());
    EXPECT_EQ(find_feed_reader(reader->name()), reader);
  }
  EXPECT_EQ(names.size(), feed_readers().size());
  EXPECT_EQ(find_feed_reader("nothing"), nullptr);
}

TEST(FeedReaders, HostileDocumentsDoNoHarm) {
  std::vector<std::string> documents = {
      "",
      std::string(1000, '\0'),
      "\xff\xfe\xfd",
      std::string(100000, '['),
      std::string(100000, '{'),
      R"({"objects":)" + std::string(10000, '[') + std::string(10000, ']') + "}",
      std::string(100000, '"'),
      std::string(100000, ','),
      std::string(100000, '\n'),
      R"({"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","pattern":"[[[[[[[["}]})",
      R"({"type":"bundle","objects":[{"type":"autonomous-system","id":"a--1","number":1e400}]})",
      R"({"type":"bundle","objects":[{"type":"autonomous-system","id":"a--1","number":-1}]})",
      R"({"type":"bundle","objects":[{"type":"sighting","id":"s--1","sighting_of_ref":"s--1"}]})",
      R"({"Event":{"Attribute":{"a":1},"Object":[1,2],"Tag":"x"}})",
      R"({"list":[null,1,[],"\u0000"],"type":"cidr"})",
      "ip,x\n\"",
  };
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    std::string noise;
    for (int k = 0; k < 300; ++k) noise += "0123456789.:/-[](){},;\"'# \n\tabx=\xff\x00"[random() % 34];
    documents.push_back(std::move(noise));
  }
  for (const FeedReader* reader : feed_readers()) {
    for (const std::string& document : documents) {
      ItemKeeper keeper;
      const auto counts = reader->read(document, {}, keeper);
      if (!counts) {
        EXPECT_FALSE(counts.error().message.empty());
        continue;
      }
      EXPECT_EQ(counts->records, counts->used + counts->ignored_total() + counts->rejected_total()) << reader->name();
      EXPECT_EQ(counts->items, keeper.items.size());
      for (const FeedRejection& rejection : counts->first_rejected) {
        EXPECT_EQ(core::printable(rejection.text), rejection.text);
        EXPECT_FALSE(rejection.place.empty());
      }
    }
  }
}

TEST(FeedReaders, DeepJsonIsRefused) {
  const auto nested = [](std::size_t depth) {
    return R"([{"ip":"192.0.2.1","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}]";
  };
  EXPECT_EQ(feed_error("json", nested(kMostFeedDepth - 4)), "");
  EXPECT_NE(feed_error("json", nested(kMostFeedDepth + 1)), "");
}

TEST(FeedReaders, ReasonsOutOfTheDocumentAreBounded) {
  std::string text = R"({"type":"bundle","objects":[)";
  for (std::size_t i = 0; i < kMostFeedReasons + 50; ++i)
    text += std::string(i > 0 ? "," : "") + R"({"type":"x)" + std::to_string(i) + R"(","id":"x--)" + std::to_string(i) +
            "\"}";
  const auto result = read_feed("stix", text + "]}");
  EXPECT_EQ(result.counts.ignored.size(), kMostFeedReasons + 1);
  EXPECT_EQ(result.counts.ignored.at("other"), 50U);
  const auto rejections = read_feed("text", "x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n");
  EXPECT_EQ(rejections.counts.first_rejected.size(), kMostFeedRejectionsShown);
  EXPECT_EQ(rejections.counts.rejected_total(), 12U);
}

TEST(FeedReaders, TextsOfItemsAreBounded) {
  FeedSettings settings;
  settings.mapping.value = "#1";
  settings.mapping.label = "#2";
  settings.mapping.tags = "#3";
  settings.mapping.id = "#4";
  settings.delimiter = ',';
  std::string tags;
  for (int i = 0; i < 40; ++i) tags += "t" + std::to_string(i) + ";";
  const auto result = read_feed("csv",
                                "192.0.2.1," + std::string(1000, 'a') + "," + tags + std::string(300, 'b') + ",1\n" +
                                    "192.0.2.2,x,y," + std::string(200, 'c') + "\n",
                                settings);
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items.at(0).label.size(), kLongestLabel);
  EXPECT_EQ(result.items.at(0).tags.size(), kMostTags);
  EXPECT_EQ(result.counts.left_out, (Reasons{{"tag too long or too many", 9}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"id too long", 1}}));
}

// As many items as would be read, without reading them: the text would be hundreds of megabytes.
TEST(FeedReaders, TooManyItemsAreAnError) {
  class Nothing final : public FeedSink {
   public:
    void take(const FeedItem&) override {}
  };
  Nothing sink;
  const FeedSettings settings;
  FeedRecorder recorder(settings, sink);
  recorder.ignore("x", kMostFeedRecords);
  EXPECT_TRUE(recorder.finished());
  recorder.ignore("x");
  EXPECT_TRUE(recorder.full());
  EXPECT_FALSE(recorder.finished());
}

}  // namespace
}  // namespace orbwatch::intel
