#include "pipeline/feed_score.h"

#include <gtest/gtest.h>

#include <fstream>

#include "intel/feed_store/feed_store.h"
#include "pipeline/feeds.h"
#include "store/store.h"
#include "support/temp_dir.h"

namespace orbwatch::pipeline {
namespace {

using core::kDay;

constexpr core::Nanoseconds kStart = 20'500 * kDay;

class FeedScores : public ::testing::Test {
 protected:
  intel::FeedSource source(const std::string& name) const {
    intel::FeedSource out;
    out.name = name;
    out.from = (dir_ / (name + ".txt")).string();
    out.format = "text";
    out.most_shrinkage = 1;
    return out;
  }
  // The feeds as they stand on a day: lists of the last octets.
  void on(int day, const std::vector<std::pair<std::string, std::vector<int>>>& feeds) {
    for (const auto& [name, octets] : feeds) {
      std::string text;
      for (const int i : octets) text += "5.44." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "\n";
      dir_.write(name + ".txt", text);
    }
    FeedsRequest request;
    request.sources = sources_;
    request.folder = folder_;
    request.now = kStart + day * kDay;
    request.whole = true;
    const auto done = update_feeds(request);
    ASSERT_TRUE(done && done->all_good()) << (done ? done->feeds[0].error : done.error().text());
  }
  static std::vector<int> range(int from, int to) {
    std::vector<int> out;
    for (int i = from; i < to; ++i) out.push_back(i);
    return out;
  }
  // A finding on a subject, `day` days behind kStart.
  void finding(const std::string& says, const std::string& verdict, double day) {
    score::Finding f;
    f.id = "f" + std::to_string(findings_.size());
    f.time = kStart + static_cast<core::Nanoseconds>(day * static_cast<double>(kDay));
    f.end = f.time;
    f.evidence = {{"indicator", "indicator", detect::Group::kIndicator, detect::FindingKind::kLogin, 6, says}};
    f.verdict.says = verdict;
    findings_.push_back(f);
  }
  std::vector<FeedScore> scores(std::function<core::NetworkType(const core::Ip&)> type_of = {}) {
    FeedScoreRequest request{sources_, folder_, "", std::move(type_of)};
    if (!findings_.empty()) {
      request.store = (dir_ / "findings.duckdb").string();
      auto store = store::Store::create(request.store);
      EXPECT_TRUE(store && (*store)->begin() && (*store)->append_findings(findings_) && (*store)->finish());
    }
    auto out = score_feeds(request);
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out ? *out : std::vector<FeedScore>();
  }
  test::TempDir dir_;
  std::string folder_ = (dir_ / "kept").string();
  std::vector<intel::FeedSource> sources_;
  std::vector<score::Finding> findings_;
};

TEST_F(FeedScores, SizeChurnAndOverlap) {
  sources_ = {source("a"), source("b"), source("c")};
  on(0, {{"a", range(0, 10)}, {"b", range(5, 25)}, {"c", range(100, 104)}});
  on(10, {{"a", range(4, 14)}, {"b", range(5, 25)}, {"c", range(100, 104)}});
  const auto s = scores();
  ASSERT_EQ(s.size(), 3U);
  EXPECT_EQ(s[0].indicators, 10U);
  EXPECT_EQ(s[0].history_days, 10);
  EXPECT_DOUBLE_EQ(s[0].added_per_day.value(), 0.4);
  EXPECT_DOUBLE_EQ(s[0].removed_per_day.value(), 0.4);
  EXPECT_DOUBLE_EQ(s[1].added_per_day.value(), 0);
  EXPECT_DOUBLE_EQ(s[0].unique, 0.1);
  ASSERT_EQ(s[0].overlap.size(), 1U);
  EXPECT_EQ(s[0].overlap[0].first, "b");
  EXPECT_DOUBLE_EQ(s[0].overlap[0].second, 0.9);
  EXPECT_DOUBLE_EQ(s[1].overlap[0].second, 0.45);
  EXPECT_DOUBLE_EQ(s[2].unique, 1);
  EXPECT_TRUE(s[2].overlap.empty());
  EXPECT_EQ(s[0].advice, FeedAdvice::kNone);
  EXPECT_NE(s[0].reason.find("--store"), std::string::npos);
}

TEST_F(FeedScores, HitsVerdictsAndWhatOnlyOneNamed) {
  if (!store::available()) GTEST_SKIP() << "built without DuckDB";
  sources_ = {source("a"), source("b")};
  sources_[0].price_per_year = 365.25;
  on(0, {{"a", {1, 2, 3}}, {"b", {3}}});
  on(4, {{"a", {1, 2, 3, 4, 5}}, {"b", {3}}});  // 4 and 5 came up on day 4
  finding("5.44.0.5 is in the feed a (believed by 50 %)", "true", 1);
  finding("5.44.0.6 is in the feed a: Relay (believed by 50 %)", "true", 10);
  finding("5.44.0.4 is in the feed a (believed by 50 %)", "true", 11);  // stands in b as well
  finding("5.44.0.3 is in the feed a (believed by 50 %)", "benign", 3);
  finding("5.44.0.3 is in the feed a (believed by 50 %)", "", 3);
  const auto few = scores();
  ASSERT_EQ(few.size(), 2U);
  EXPECT_EQ(few[0].hits, 5U);
  EXPECT_EQ(few[0].hits_true, 3U);
  EXPECT_EQ(few[0].hits_false, 1U);
  EXPECT_EQ(few[0].only_here_true, 2U);
  EXPECT_EQ(few[1].hits, 1U);
  EXPECT_EQ(few[1].only_here_true, 0U);
  EXPECT_EQ(few[0].dated_hits, 2U) << "5.44.0.5 and 5.44.0.6, which came up on day 4";
  EXPECT_DOUBLE_EQ(few[0].lead_days.value(), 1.5) << "3 days after, 6 days before";
  EXPECT_NEAR(few[0].cost_per_true_hit.value(), 10.0 / 3, 1e-9) << "10 days for three";
  EXPECT_FALSE(few[1].cost_per_true_hit);
  EXPECT_EQ(few[0].advice, FeedAdvice::kNone) << "four verdicts are too few";
  finding("5.44.0.2 is in the feed a (believed by 50 %)", "false", 5);
  EXPECT_EQ(scores()[0].advice, FeedAdvice::kKeep) << scores()[0].reason;
}

TEST_F(FeedScores, AdviceHasItsReason) {
  if (!store::available()) GTEST_SKIP() << "built without DuckDB";
  sources_ = {source("a"), source("b"), source("good")};
  sources_[2].settings.known_good = true;
  on(0, {{"a", range(0, 40)}, {"b", range(0, 30)}, {"good", {200}}});
  finding("5.44.0.1 is in the feed a (x)", "true", 1);
  EXPECT_EQ(scores()[1].advice, FeedAdvice::kNone) << "one day";
  on(40, {{"a", range(0, 40)}, {"b", range(0, 30)}, {"good", {200}}});
  auto s = scores();
  EXPECT_EQ(s[1].advice, FeedAdvice::kDrop);
  EXPECT_EQ(s[1].reason, "100 % of it stands in other feeds, and no true hit came from it alone.");
  EXPECT_EQ(s[2].advice, FeedAdvice::kNone);
  findings_.clear();
  for (int i = 0; i < 5; ++i) finding("5.44.0.36 is in the feed a (x)", "false", i);
  s = scores();
  EXPECT_EQ(s[0].advice, FeedAdvice::kDrop);
  EXPECT_EQ(s[0].reason, "None of its 5 judged hits was true.");
  finding("5.44.0.1 is in the feed a (x)", "true", 1);
  EXPECT_EQ(scores()[0].advice, FeedAdvice::kWatch);
}

// Each day four leave and four come: half of those that stand there have left after some days.
TEST_F(FeedScores, HowLongAddressesStay) {
  sources_ = {source("a")};
  for (int day = 0; day <= 30; ++day) on(day, {{"a", range(day * 4, day * 4 + 40)}});
  const auto hosting = [](const core::Ip& ip) {
    return ip.text().find_last_of("12345") == ip.text().size() - 1 ? core::NetworkType::kHosting
                                                                   : core::NetworkType::kUnknown;
  };
  const auto s = scores(hosting);
  ASSERT_EQ(s[0].stays.size(), 2U);
  const StayOnList& all = s[0].stays[0];
  EXPECT_EQ(all.kind, intel::decay::Kind::kAddress);
  EXPECT_EQ(all.type, core::NetworkType::kUnknown);
  EXPECT_EQ(all.removals, 120U);
  EXPECT_EQ(all.lives, 156U) << "four came with the last update and have not been watched yet";
  ASSERT_TRUE(all.half);
  EXPECT_EQ(all.half->value, 10) << "those that came later stay ten days";
  EXPECT_TRUE(all.sure) << all.half->low << " to " << all.half->high;
  EXPECT_EQ(s[0].stays[1].type, core::NetworkType::kHosting);
  EXPECT_LT(s[0].stays[1].lives, all.lives);
}

TEST_F(FeedScores, FewRemovalsAreNotSure) {
  sources_ = {source("a")};
  on(0, {{"a", range(0, 30)}});
  on(5, {{"a", range(10, 30)}});
  const auto s = scores();
  ASSERT_EQ(s[0].stays.size(), 1U);
  EXPECT_FALSE(s[0].stays[0].half) << "two thirds are there still";
  EXPECT_NEAR(s[0].stays[0].still_listed_then, 2.0 / 3, 1e-9);
  EXPECT_FALSE(s[0].stays[0].sure);
}

}  // namespace
}  // namespace orbwatch::pipeline
