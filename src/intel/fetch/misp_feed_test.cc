#include "intel/fetch/misp_feed.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <map>

#include "intel/fetch/fetch_test_util.h"
#include "support/temp_dir.h"

namespace orbwatch::intel {
namespace {

using test::error_of;
using test::HttpServer;
using test::World;

// The i-th event: its uuid and its listing in a manifest.
std::string uuid(unsigned i) {
  char text[40];
  std::snprintf(text, sizeof text, "5a8e%04x-0000-4000-8000-00000000%04x", i, i);
  return text;
}
std::string listing(unsigned i, std::int64_t timestamp) {
  return '"' + uuid(i) + R"(":{"Orgc":{"name":"CIRCL","uuid":"55f6ea5e-2c60-40e5-964f-47a8950d210f"},"Tag":[],)" +
         R"("info":"Event )" + std::to_string(i) + R"(","date":"2026-01-01","analysis":"2","threat_level_id":"3",)" +
         R"("timestamp":")" + std::to_string(timestamp) + "\"}";
}

class Feed {
 public:
  std::map<std::string, std::string> files;
  int status_of_events = 200;
  HttpServer server{[this](const httplib::Request& request, httplib::Response& response) {
    const auto found = files.find(request.path);
    response.status = found == files.end() ? 404 : 200;
    if (found != files.end()) response.set_content(found->second, "application/json");
    if (request.path != "/feed/manifest.json" && status_of_events != 200) response.status = status_of_events;
  }};
  World world;
  MispFeedSettings settings{server.url("/feed/"), {}};
  MispCursor cursor;
  std::vector<std::string> taken;

  void list(const std::map<unsigned, std::int64_t>& events) {
    std::string manifest;
    for (const auto& [i, timestamp] : events) {
      manifest += (manifest.empty() ? "{" : ",") + listing(i, timestamp);
      files["/feed/" + uuid(i) + ".json"] = R"({"Event":{"uuid":")" + uuid(i) + "\"}}";
    }
    files["/feed/manifest.json"] = manifest + "}";
  }
  core::Expected<MispReading> read(FetchSettings fetching = {}) {
    taken.clear();
    const auto fetcher = world.fetcher(std::move(fetching));
    return read_misp_feed(*fetcher, settings, cursor, [this](const MispListing& event, std::string_view json) {
      EXPECT_EQ(json, R"({"Event":{"uuid":")" + event.uuid + "\"}}");
      EXPECT_EQ(event.organisation, "CIRCL");
      EXPECT_TRUE(event.info.starts_with("Event "));
      taken.push_back(event.uuid);
      return core::Expected<void>{};
    });
  }
};

TEST(MispFeed, TakesWhatIsNewNewestFirst) {
  Feed feed;
  feed.list({{1, 100}, {2, 300}, {3, 200}});
  const auto first = feed.read();
  ASSERT_TRUE(first) << error_of(first);
  EXPECT_EQ(feed.taken, (std::vector<std::string>{uuid(2), uuid(3), uuid(1)}));
  EXPECT_EQ(first->listed, 3U);
  EXPECT_EQ(first->taken, 3U);
  EXPECT_GT(first->bytes, 100U);
  feed.cursor = first->cursor;
  const auto again = feed.read();
  ASSERT_TRUE(again);
  EXPECT_TRUE(feed.taken.empty());
  EXPECT_EQ(again->known, 3U);
  EXPECT_EQ(again->cursor.events, feed.cursor.events);
  // One is changed, one withdrawn, one is published late with an old timestamp.
  feed.list({{1, 101}, {2, 300}, {4, 50}});
  const auto later = feed.read();
  ASSERT_TRUE(later);
  EXPECT_EQ(feed.taken, (std::vector<std::string>{uuid(1), uuid(4)}));
  EXPECT_EQ(later->withdrawn, 1U);
  EXPECT_EQ(later->gone, std::vector<std::string>{uuid(3)});
  EXPECT_EQ(later->cursor.events.size(), 3U);
  const auto asked = feed.server.asked();
  EXPECT_TRUE(std::ranges::none_of(asked, [](const auto& a) { return a.path.find("hashes") != a.path.npos; }));
}

TEST(MispFeed, MissingAndTooLargeEventsAreNamedAndTheOthersTaken) {
  Feed feed;
  feed.list({{1, 100}, {2, 300}, {3, 200}});
  feed.files.erase("/feed/" + uuid(2) + ".json");
  feed.files["/feed/" + uuid(3) + ".json"] = std::string(10'000, ' ');
  feed.settings.limits.most_event_bytes = 1'000;
  const auto read = feed.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(feed.taken, std::vector<std::string>{uuid(1)});
  EXPECT_EQ(read->missing, 1U);
  EXPECT_EQ(read->too_large, 1U);
  EXPECT_EQ(read->troubles, (std::vector<std::string>{"missing: " + uuid(2), "too large: " + uuid(3)}));
  // They are asked for again.
  feed.cursor = read->cursor;
  feed.list({{1, 100}, {2, 300}, {3, 200}});
  ASSERT_TRUE(feed.read());
  EXPECT_EQ(feed.taken, (std::vector<std::string>{uuid(2), uuid(3)}));
  feed.files.erase("/feed/" + uuid(2) + ".json");
  feed.files.erase("/feed/" + uuid(3) + ".json");
  feed.settings.limits.most_troubles_in_row = 2;
  feed.cursor = {};
  EXPECT_NE(error_of(feed.read()).find("names events that are not there: 2 in a row"), std::string::npos);
}

TEST(MispFeed, AnOlderCopyStaysInTheCursorWhileTheNewerOneIsMissing) {
  Feed feed;
  feed.list({{1, 100}});
  feed.cursor = feed.read()->cursor;
  feed.list({{1, 200}});
  feed.files.erase("/feed/" + uuid(1) + ".json");
  const auto read = feed.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->missing, 1U);
  EXPECT_EQ(read->withdrawn, 0U);
  EXPECT_EQ(read->cursor.text(), uuid(1) + " 100\n");
}

TEST(MispFeed, PathTricksAreCountedAndNotAskedFor) {
  Feed feed;
  feed.files["/feed/manifest.json"] = R"({"../../etc/passwd":{"timestamp":"1"},)"
                                      R"("5a8e0001-0000-4000-8000-00000000000/":{"timestamp":"1"},)"
                                      R"("5A8E0009-0000-4000-8000-000000000009":{"timestamp":"soon"},)"
                                      R"("5a8e0008-0000-4000-8000-000000000008":{"timestamp":"-1"},)"
                                      R"("5a8e0007-0000-4000-8000-000000000007":7,)" +
                                      listing(1, 5) + "," + listing(1, 4) + "}";
  feed.files["/feed/" + uuid(1) + ".json"] = R"({"Event":{"uuid":")" + uuid(1) + "\"}}";
  const auto read = feed.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->listed, 7U);
  EXPECT_EQ(read->invalid, 5U);
  EXPECT_EQ(read->taken, 1U);
  EXPECT_EQ(read->cursor.text(), uuid(1) + " 5\n");
  ASSERT_EQ(read->troubles.size(), 5U);
  EXPECT_EQ(read->troubles[0], "no uuid: ../../etc/passwd");
  EXPECT_EQ(feed.server.asked().size(), 2U);
}

TEST(MispFeed, TimestampsMayBeNumbersAndUuidsOfAnyCase) {
  Feed feed;
  feed.files["/feed/manifest.json"] =
      R"({"5A8E0001-0000-4000-8000-000000000001":{"timestamp":5,"info":"Event 1","Orgc":{"name":"CIRCL"}}})";
  feed.files["/feed/" + uuid(1) + ".json"] = R"({"Event":{"uuid":")" + uuid(1) + "\"}}";
  const auto read = feed.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->cursor.text(), uuid(1) + " 5\n");
}

TEST(MispFeed, ReadingsAreBoundedAndGoOnNextTime) {
  Feed feed;
  feed.list({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}});
  feed.settings.limits.most_events = 2;
  std::vector<std::uint64_t> left;
  std::vector<std::string> all;
  for (int i = 0; i < 3; ++i) {
    const auto read = feed.read();
    ASSERT_TRUE(read) << error_of(read);
    left.push_back(read->left);
    feed.cursor = read->cursor;
    all.insert(all.end(), feed.taken.begin(), feed.taken.end());
  }
  EXPECT_EQ(left, (std::vector<std::uint64_t>{3, 1, 0}));
  EXPECT_EQ(all, (std::vector<std::string>{uuid(5), uuid(4), uuid(3), uuid(2), uuid(1)}));
  feed.cursor = {};
  feed.settings.limits = {};
  feed.settings.limits.most_bytes = 130;  // two events of 57 bytes and a part of a third
  const auto bytes = feed.read();
  ASSERT_TRUE(bytes) << error_of(bytes);
  EXPECT_EQ(bytes->taken, 2U);
  EXPECT_EQ(bytes->left, 3U);
  EXPECT_EQ(bytes->too_large, 0U);
  feed.settings.limits = {};
  feed.settings.limits.most_time = std::chrono::seconds(-1);
  EXPECT_EQ(feed.read()->left, 5U);
  feed.settings.limits = {};
  feed.settings.limits.most_listed = 4;
  EXPECT_NE(error_of(feed.read()).find("more than 4"), std::string::npos);
}

TEST(MispFeed, AFailureInTheMiddleGivesNoCursor) {
  Feed feed;
  feed.list({{1, 1}, {2, 2}});
  feed.status_of_events = 403;
  EXPECT_NE(error_of(feed.read()).find("HTTP status 403"), std::string::npos);
  feed.status_of_events = 200;
  const auto fetcher = feed.world.fetcher();
  int calls = 0;
  const auto refused =
      read_misp_feed(*fetcher, feed.settings, {}, [&](const MispListing&, std::string_view) -> core::Expected<void> {
        if (++calls == 2) return core::fail("disk full");
        return {};
      });
  EXPECT_EQ(error_of(refused), "disk full");
}

TEST(MispFeed, HostileManifestsAreErrors) {
  Feed feed;
  for (const std::string& manifest : {std::string(), std::string("["), std::string("[]"), std::string("7"),
                                      std::string(100'000, '['), "{\"a\":" + std::string(1'000, '[')}) {
    feed.files["/feed/manifest.json"] = manifest;
    EXPECT_NE(error_of(feed.read()), "") << manifest.substr(0, 20);
  }
  feed.files.clear();
  EXPECT_NE(error_of(feed.read()).find("HTTP status 404"), std::string::npos);
  feed.list({{1, 1}});
  feed.settings.limits.most_manifest_bytes = 20;
  EXPECT_NE(error_of(feed.read()).find("larger than 20 bytes"), std::string::npos);
}

TEST(MispFeed, TheAddressMayBeTheManifestsHaveAQueryOrBeAFolder) {
  Feed feed;
  feed.list({{1, 1}});
  feed.settings.url = feed.server.url("/feed/manifest.json?key=hush");
  ASSERT_TRUE(feed.read());
  EXPECT_EQ(feed.server.asked()[1].path, "/feed/" + uuid(1) + ".json?key=hush");
  const orbwatch::test::TempDir dir;
  for (const auto& [path, bytes] : feed.files) dir.write(path.substr(1), bytes);
  for (const std::string& url :
       {(dir / "feed").string(), (dir / "feed/manifest.json").string(), "file://" + (dir / "feed/").string()}) {
    feed.settings.url = url;
    const auto read = feed.read();
    ASSERT_TRUE(read) << error_of(read);
    EXPECT_EQ(read->taken, 1U);
  }
  std::filesystem::remove(dir / ("feed/" + uuid(1) + ".json"));
  EXPECT_EQ(feed.read()->missing, 1U);
}

TEST(MispFeed, CursorsAreText) {
  MispCursor cursor;
  cursor.events = {{uuid(2), 7}, {uuid(1), 1'700'000'000}};
  EXPECT_EQ(cursor.text(), uuid(1) + " 1700000000\n" + uuid(2) + " 7\n");
  EXPECT_EQ(MispCursor::parse(cursor.text())->events, cursor.events);
  EXPECT_TRUE(MispCursor::parse("")->events.empty());
  for (const std::string& wrong : {std::string("x 1\n"), uuid(1) + "\n", uuid(1) + " -1\n", uuid(1) + " 1 2\n",
                                   std::string("../../../../../../../../../etc/pass 1\n"), std::string("\n")})
    EXPECT_FALSE(MispCursor::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace orbwatch::intel
