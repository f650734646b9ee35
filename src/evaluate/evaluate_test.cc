#include "evaluate/evaluate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/temp_dir.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;

constexpr core::Nanoseconds kStart = core::Nanoseconds{1'790'000'000} * core::kSecond;

Truth small_truth() {
  Truth truth;
  truth.seed = 1;
  truth.start = kStart;
  truth.days = 10;
  TruthItem login;
  login.id = "login";
  login.kind = "covert-login";
  login.campaign = "a";
  login.time = kStart + 8 * kDay + 10 * kHour;
  login.end = login.time + kHour;
  login.users = {"alice"};
  login.sources = {"203.0.113.7"};
  login.placement = "other-town";
  login.client = "copied";
  TruthItem spray;
  spray.id = "spray";
  spray.kind = "spray";
  spray.campaign = "b";
  spray.time = kStart + 8 * kDay;
  spray.end = spray.time + 8 * kHour;
  for (int i = 0; i < 40; ++i) spray.sources.push_back("198.51.100." + std::to_string(i + 1));
  spray.users = {"bob", "carol"};
  TruthItem grey;
  grey.id = "grey";
  grey.kind = "exposure";
  grey.grey = true;
  grey.time = grey.end = kStart + 2 * kDay;
  grey.sources = {"192.0.2.9"};
  truth.items = {grey, spray, login};
  return truth;
}

score::Finding finding(core::Nanoseconds time, std::string user, std::string_view source, bool alert = true) {
  score::Finding f;
  f.time = time;
  f.end = time;
  f.user = std::move(user);
  if (!source.empty()) f.source.ip = *core::Ip::parse(source);
  f.alert = alert;
  f.score = 0.9;
  return f;
}

TEST(Judge, AnAlertIsWhatItSharesWithTheTruth) {
  const Truth truth = small_truth();
  const core::Nanoseconds t = truth.items[2].time;
  EXPECT_EQ(classify(truth, finding(t, "alice", "203.0.113.7")), AlertClass::kTrue);
  EXPECT_EQ(classify(truth, finding(t - 9 * kMinute, "", "203.0.113.7")), AlertClass::kTrue) << "within the slack";
  EXPECT_EQ(classify(truth, finding(t - 11 * kMinute, "", "203.0.113.7")), AlertClass::kFalse)
      << "the same address earlier";
  EXPECT_EQ(classify(truth, finding(t, "alice", "")), AlertClass::kTrue) << "no source stated: the user counts";
  EXPECT_EQ(classify(truth, finding(t, "alice", "192.0.2.1")), AlertClass::kAftermath)
      << "the victim from his own address";
  EXPECT_EQ(classify(truth, finding(t + 20 * kHour, "alice", "192.0.2.1")), AlertClass::kAftermath);
  EXPECT_EQ(classify(truth, finding(t + 2 * kDay, "alice", "192.0.2.1")), AlertClass::kFalse);
  EXPECT_EQ(classify(truth, finding(t, "dave", "192.0.2.1")), AlertClass::kFalse);
  EXPECT_EQ(classify(truth, finding(kStart + 2 * kDay, "", "192.0.2.9")), AlertClass::kGrey);
  EXPECT_EQ(classify(truth, finding(kStart + 3 * kDay, "", "192.0.2.9")), AlertClass::kFalse);
  EXPECT_EQ(classify(truth, finding(kStart + 8 * kDay + kHour, "bob", "198.51.100.3")), AlertClass::kTrue)
      << "one guess of the spray";
  EXPECT_EQ(classify(truth, finding(kStart + 8 * kDay + kHour, "bob", "192.0.2.1")), AlertClass::kFalse)
      << "being sprayed is no intrusion";
}

TEST(Judge, OneGuessIsNotTheSpray) {
  const Truth truth = small_truth();
  const auto found = [&](int shared, bool alert) {
    score::Finding f = finding(kStart + 8 * kDay + kHour, "", "", alert);
    f.kind = detect::FindingKind::kSpray;
    for (int i = 0; i < shared; ++i) {
      score::SourceFacts s;
      s.ip = *core::Ip::parse("198.51.100." + std::to_string(i + 1));
      f.sources.push_back(s);
    }
    const WorldResult r = judge(truth, {f});
    return std::pair(r.items[0].found, r.items[0].seen);
  };
  EXPECT_EQ(found(1, true), std::pair(false, false));
  EXPECT_EQ(found(4, true), std::pair(false, false));
  EXPECT_EQ(found(5, true), std::pair(true, true));
  EXPECT_EQ(found(5, false), std::pair(false, true)) << "outside the budget it is seen, not found";
}

TEST(Judge, CountsByDay) {
  const Truth truth = small_truth();
  const core::Nanoseconds t = truth.items[2].time;
  const WorldResult r =
      judge(truth, {finding(t, "alice", "203.0.113.7"), finding(t + kHour, "alice", "192.0.2.1"),
                    finding(kStart + kDay, "x", "192.0.2.1"), finding(kStart + kDay, "x", "192.0.2.1", false),
                    finding(kStart + 2 * kDay, "", "192.0.2.9"), finding(kStart - kDay, "x", "192.0.2.3")});
  ASSERT_EQ(r.items.size(), 2U) << "grey items are not to be found";
  EXPECT_TRUE(r.items[1].found);
  EXPECT_FALSE(r.items[0].found);
  EXPECT_TRUE(r.days[8].attack);
  EXPECT_FALSE(r.days[2].attack) << "a known exposure makes no attack day";
  EXPECT_EQ(r.days[8].true_alerts, 1);
  EXPECT_EQ(r.days[8].aftermath, 1);
  EXPECT_EQ(r.days[1].false_alerts, 1);
  EXPECT_EQ(r.days[2].grey, 1);
  EXPECT_EQ(r.days[0].false_alerts, 1) << "outside the world: its first day";
}

TEST(Evaluate, ReadsSeeds) {
  EXPECT_EQ(parse_seeds("1-3,7").value(), (std::vector<std::uint64_t>{1, 2, 3, 7}));
  EXPECT_EQ(parse_seeds(" 5 , 5").value(), (std::vector<std::uint64_t>{5}));
  EXPECT_EQ(parse_seeds("18446744073709551615").value().size(), 1U);
  for (const std::string_view bad : {"", "a", "3-1", "1-", "-", "1-99999999", "1,,2"})
    EXPECT_FALSE(parse_seeds(bad)) << bad;
}

TEST(Evaluate, WilsonKnowsItsTable) {
  const Interval i = wilson(8, 10);
  EXPECT_NEAR(i.low, 0.490, 0.001);
  EXPECT_NEAR(i.high, 0.943, 0.001);
  EXPECT_EQ(wilson(0, 0).high, 1);
  EXPECT_LT(wilson(0, 5).high, 0.5);
}

EvaluateOptions two_small_worlds(const std::string& dir) {
  EvaluateOptions o;
  o.seeds = {100, 101};
  o.world.users = 30;
  o.world.days = 12;
  o.world.noise = 0.1;
  o.work_dir = dir;
  o.out = dir + "/results.md";
  o.command = "orbwatch evaluate --seeds 100,101";
  return o;
}

TEST(Evaluate, AHunterWhoKnowsTheTruthFindsAllAndOneWhoSleepsNothing) {
  test::TempDir dir;
  const auto clairvoyant = [](const std::string& world) -> core::Expected<pipeline::HuntResult> {
    pipeline::HuntResult result;
    const Truth truth = read_truth(world + "/" + std::string(kTruthFile)).value();
    for (const TruthItem& item : truth.items) {
      score::Finding f = finding(item.time, "", "");
      f.end = item.end;
      for (const std::string& source : item.sources) {
        score::SourceFacts s;
        s.ip = *core::Ip::parse(source);
        f.sources.push_back(s);
      }
      result.findings.push_back(std::move(f));
    }
    return result;
  };
  int told = 0;
  auto all = evaluate(two_small_worlds(dir.path()), clairvoyant, [&](std::string_view) { ++told; });
  ASSERT_TRUE(all) << all.error().text();
  EXPECT_EQ(told, 2);
  ASSERT_EQ(all->worlds.size(), 2U);
  for (const WorldResult& w : all->worlds) {
    EXPECT_GT(w.items.size(), 5U);
    for (const ItemResult& r : w.items) EXPECT_TRUE(r.found) << r.item.id;
    for (const DayResult& d : w.days) EXPECT_EQ(d.false_alerts, 0);
  }
  EXPECT_FALSE(std::filesystem::exists((dir / "seed-100").string())) << "worlds are removed";
  std::ifstream file((dir / "results.md").string());
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(text, markdown(*all));
  EXPECT_NE(text.find("Precision: 100 %"), text.npos) << text;
  EXPECT_EQ(text.find(dir.path().string()), text.npos) << "no path of this machine";

  auto none = evaluate(two_small_worlds(dir.path()), [](const std::string&) -> core::Expected<pipeline::HuntResult> {
    return pipeline::HuntResult{};
  });
  ASSERT_TRUE(none);
  for (const WorldResult& w : none->worlds) {
    for (const ItemResult& r : w.items) EXPECT_FALSE(r.found || r.seen) << r.item.id;
  }
  EXPECT_NE(markdown(*none).find("| 0 | 0 % |"), std::string::npos);
}

TEST(Evaluate, AHuntThatFailsEndsIt) {
  test::TempDir dir;
  auto result = evaluate(two_small_worlds(dir.path()), [](const std::string&) -> core::Expected<pipeline::HuntResult> {
    return core::fail("broken");
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "broken");
  EXPECT_FALSE(std::filesystem::exists((dir / "seed-100").string()));
}

}  // namespace
}  // namespace orbwatch::evaluate
