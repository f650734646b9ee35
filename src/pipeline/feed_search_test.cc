#include "pipeline/feed_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pipeline/feeds.h"
#include "store/store.h"
#include "support/temp_dir.h"

namespace orbwatch::pipeline {
namespace {

using core::kDay;

constexpr core::Nanoseconds kStart = 20'500 * kDay;  // 2026-02-16
const std::string kJa4 = "t13d1516h2_8daaf6152771_b186095e22b6";

class FeedSearches : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!store::available()) GTEST_SKIP() << "built without DuckDB";
  }
  void feed(const std::string& name, const std::string& text, bool known_good = false,
            const std::string& kind = "auto") {
    if (std::ranges::find(sources_, name, &intel::FeedSource::name) == sources_.end()) {
      intel::FeedSource source;
      source.name = name;
      source.from = (dir_ / (name + ".csv")).string();
      source.format = "csv";
      source.settings.known_good = known_good;
      source.settings.kind = kind;
      sources_.push_back(source);
    }
    dir_.write(name + ".csv", text);
  }
  void update(core::Nanoseconds now) {
    FeedsRequest request;
    request.sources = sources_;
    request.folder = folder_;
    request.now = now;
    const auto done = update_feeds(request);
    ASSERT_TRUE(done && done->all_good()) << (done ? done->feeds[0].error : done.error().text());
  }
  void event(const char* source, int day, const char* ja4 = nullptr) {
    event::Event& e = batch_.next();
    e.time = kStart + day * kDay;
    e.event_class = event::Class::kConnection;
    e.source_ip = *core::Ip::parse(source);
    e.destination_ip = *core::Ip::parse("198.51.100.1");
    e.user = core::intern("bob");
    if (ja4 != nullptr) e.fingerprint = core::intern(ja4);
    batch_.keep();
  }
  void write() {
    auto store = store::Store::create(store_);
    ASSERT_TRUE(store && (*store)->begin() && (*store)->append_events(batch_, {}) && (*store)->finish());
  }
  FeedSearch search(core::Nanoseconds since = 0) {
    auto found = search_store({sources_, folder_, store_, since, {}});
    EXPECT_TRUE(found) << (found ? "" : found.error().text());
    return found ? *found : FeedSearch{};
  }
  test::TempDir dir_;
  std::string folder_ = (dir_ / "kept").string();
  std::string store_ = (dir_ / "s.duckdb").string();
  std::vector<intel::FeedSource> sources_;
  event::EventBatch batch_;
};

TEST_F(FeedSearches, SaysWhatWasSeenAndWhen) {
  feed("a",
       "indicator,port,first_seen,valid_until\n203.0.113.7,443,2026-02-20,\n203.0.113.8,,2025-12-01,2026-01-01\n"
       "203.0.112.0/24,,2026-02-10,\nrelay.example,,,\n");
  feed("prints", "ja4,malware\n" + kJa4 + ",Quad7\n", false, "ja4");
  feed("good", "ip\n203.0.112.5\n", true);
  event("203.0.113.7", 1);
  event("203.0.113.7", 9);
  event("203.0.113.8", 2);
  event("203.0.112.5", 3);
  event("192.0.2.1", 4, kJa4.c_str());
  write();
  update(kStart + 30 * kDay);
  const FeedSearch found = search();
  EXPECT_EQ(found.indicators, 4U);
  EXPECT_EQ(found.not_comparable, 1U) << "the name";
  EXPECT_EQ(found.not_believed, 1U) << "203.0.113.8 was past its validity";
  ASSERT_EQ(found.seen.size(), 3U);
  const SeenIndicator& first = found.seen[0];
  EXPECT_EQ(first.seen.text, "203.0.113.7");
  EXPECT_EQ(first.seen.events, 2U);
  EXPECT_EQ(first.seen.users, std::vector<std::string>{"bob"});
  EXPECT_EQ(first.port, 443);
  EXPECT_DOUBLE_EQ(first.days_before_feed, 3) << "2026-02-17 and 2026-02-20";
  EXPECT_GT(first.confidence, 0.3);
  EXPECT_EQ(first.known_good, "");
  const SeenIndicator& in_prefix = found.seen[1];
  EXPECT_EQ(in_prefix.indicator, "203.0.112.0/24");
  EXPECT_EQ(in_prefix.known_good, "good");
  EXPECT_DOUBLE_EQ(in_prefix.days_before_feed, -9);
  const SeenIndicator& print = found.seen[2];
  EXPECT_EQ(print.seen.text, kJa4);
  EXPECT_DOUBLE_EQ(print.days_before_feed, 26) << "the feed states no date: that of the update counts";
  EXPECT_EQ(found.newest, kStart + 30 * kDay);
}

TEST_F(FeedSearches, OnlyWhatCameUpSince) {
  feed("a", "ip\n203.0.113.7\n");
  event("203.0.113.7", 1);
  event("203.0.113.9", 1);
  write();
  update(kStart);
  EXPECT_EQ(search().seen.size(), 1U);
  EXPECT_EQ(search(kStart).indicators, 0U);
  feed("a", "ip\n203.0.113.7\n203.0.113.9\n");
  update(kStart + kDay);
  const FeedSearch found = search(kStart);
  ASSERT_EQ(found.seen.size(), 1U);
  EXPECT_EQ(found.seen[0].seen.text, "203.0.113.9");
}

TEST_F(FeedSearches, RemembersHowFarEachStoreWasSearched) {
  std::filesystem::create_directories(folder_);
  EXPECT_EQ(searched_until(folder_, store_), 0);
  ASSERT_TRUE(note_search(folder_, store_, kStart));
  ASSERT_TRUE(note_search(folder_, "another", kStart + 1));
  ASSERT_TRUE(note_search(folder_, store_, kStart + 2));
  EXPECT_EQ(searched_until(folder_, store_), kStart + 2);
  EXPECT_EQ(searched_until(folder_, "another"), kStart + 1);
  std::ofstream(folder_ + "/searched") << "nonsense\n-5 x\n";
  EXPECT_EQ(searched_until(folder_, store_), 0) << "all is searched again";
  EXPECT_FALSE(note_search((dir_ / "none").string(), store_, kStart));
}

}  // namespace
}  // namespace orbwatch::pipeline
