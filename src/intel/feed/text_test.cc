#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

TEST(TextFeed, OneOfEachKindOfLine) {
  const auto result = read_feed("text",
                                "\xef\xbb\xbf# a comment\n"
                                "\n"
                                "192.0.2.1 # with words\r\n"
                                "192[.]0[.]2[.]3:8080\n"
                                "hxxp://192.0.2[.]4:8080/x.sh,loader\n"
                                "Evil[.]example // a name\n"
                                "AS64500 # a host\n"
                                "d41d8cd98f00b204e9800998ecf8427e\n"
                                "/gate.php\n"
                                "10.0.0.1\n"
                                "no indicator\n"
                                "192.0.2.5\tseen by somebody");
  EXPECT_EQ(result.values,
            "prefix 192.0.2.1\n"
            "prefix 192.0.2.3 port 8080\n"
            "url http://192.0.2.4:8080/x.sh port 8080\n"
            "domain evil.example\n"
            "autonomous-system AS64500\n"
            "prefix 192.0.2.5\n");
  EXPECT_EQ(result.counts.records, 12U);
  EXPECT_EQ(result.counts.ignored,
            (Reasons{{"comment", 1}, {"empty line", 1}, {"file hash", 1}, {"URL path without a host", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"address that is not met on the Internet", 1}, {"not an indicator", 1}}));
  ASSERT_EQ(result.counts.first_rejected.size(), 2U);
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "line 10");
  EXPECT_EQ(result.counts.first_rejected.at(0).text, "10.0.0.1");
  EXPECT_EQ(result.items.at(0).label, "with words");
  EXPECT_EQ(result.items.at(0).item.record, 3U);
  EXPECT_EQ(result.items.at(2).label, "loader");
  EXPECT_EQ(result.items.at(3).label, "a name");
  EXPECT_EQ(result.items.at(5).label, "seen by somebody");
  EXPECT_TRUE(result.items.at(0).item.detect);
  EXPECT_EQ(result.items.at(0).item.confidence, kConfidenceNotSaid);
}

TEST(TextFeed, AReferenceOfMaltrailNamesTheBlockBelow) {
  const auto result = read_feed("text",
                                "# Aliases: first, second\n\n"
                                "# Reference: https://a.example/report\n"
                                "# Reference: https://b.example/sample\n\n"
                                "192.0.2.1\n\n"
                                "# Reference: https://c.example/other\n\n"
                                "192.0.2.2\n"
                                "192.0.2.3 # itself\n");
  ASSERT_EQ(result.items.size(), 3U);
  EXPECT_EQ(result.items.at(0).label, "https://a.example/report");
  EXPECT_EQ(result.items.at(1).label, "https://c.example/other");
  EXPECT_EQ(result.items.at(2).label, "itself");
  EXPECT_EQ(result.items.at(0).tags, (std::vector<std::string>{"first", "second"}));
  FeedSettings settings;
  settings.label = "Quad7";
  EXPECT_EQ(read_feed("text", "# Reference: x\n192.0.2.1\n", settings).items.at(0).label, "Quad7");
}

TEST(TextFeed, SettingsSayWhatTheValuesAre) {
  FeedSettings settings;
  settings.kind = "asn";
  settings.known_good = true;
  settings.skip = 1;
  const auto result = read_feed("text", "64499\n64500\n64501 # words\nx\n", settings);
  EXPECT_EQ(result.values, "autonomous-system AS64500\nautonomous-system AS64501\n");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"skipped line", 1}}));
  EXPECT_TRUE(result.items.at(0).item.known_good);
  settings.kind = "nonsense";
  EXPECT_NE(feed_error("text", "1\n", settings), "");
}

TEST(TextFeed, LongLinesAreRejected) {
  const auto result = read_feed("text", std::string(kLongestFeedLine + 1, 'a') + "\n192.0.2.1\n");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"line too long", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).text.size(), 103U);
  EXPECT_EQ(result.counts.used, 1U);
}

}  // namespace
}  // namespace orbwatch::intel
