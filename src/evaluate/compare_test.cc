#include "evaluate/compare.h"

#include <gtest/gtest.h>

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

score::Finding finding(core::Nanoseconds time, std::string user, std::string_view source) {
  score::Finding f;
  f.time = time;
  f.end = time;
  f.user = std::move(user);
  if (!source.empty()) f.source.ip = *core::Ip::parse(source);
  return f;
}

// A finding about a user may last for two weeks and list many sources.
TEST(Compare, AFindingOfSeveralLogInsFindsThoseOfItsUserFromItsSources) {
  const Truth truth = small_truth();
  const TruthItem& login = truth.items[2];
  score::Finding f = finding(kStart + kDay, "alice", "192.0.2.1");
  f.end = login.time + kDay;
  f.sources = {f.source, f.source};
  f.sources[1].ip = *core::Ip::parse("203.0.113.7");
  EXPECT_EQ(classify(truth, f), AlertClass::kTrue);
  EXPECT_TRUE(finds(f, login));
  f.user = "dave";
  EXPECT_EQ(classify(truth, f), AlertClass::kFalse) << "another user through the same exit node";
  EXPECT_FALSE(finds(f, login));
  f.user = "alice";
  f.end = login.time - kDay;
  EXPECT_FALSE(finds(f, login)) << "it was over before";
  f.end = login.time + kDay;
  f.sources.pop_back();
  EXPECT_FALSE(finds(f, login)) << "that log-in is not in it";
}

TEST(Compare, AnAlertIsWhatItSharesWithTheTruth) {
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

TEST(Compare, OneGuessIsNotTheSpray) {
  const Truth truth = small_truth();
  const auto found = [&](int shared) {
    score::Finding f = finding(kStart + 8 * kDay + kHour, "", "");
    f.kind = detect::FindingKind::kSpray;
    for (int i = 0; i < shared; ++i) {
      score::SourceFacts s;
      s.ip = *core::Ip::parse("198.51.100." + std::to_string(i + 1));
      f.sources.push_back(s);
    }
    EXPECT_EQ(finds(f, truth.items[1]), !compare(truth, {f})[0].finds.empty());
    return finds(f, truth.items[1]);
  };
  EXPECT_FALSE(found(1));
  EXPECT_FALSE(found(4));
  EXPECT_TRUE(found(5));
}

TEST(Compare, SaysWhatEachFindingIsWorth) {
  const Truth truth = small_truth();
  const core::Nanoseconds t = truth.items[2].time;
  auto strong = finding(t, "alice", "203.0.113.7");
  strong.log_odds = 2.5;
  strong.evidence.resize(1);
  strong.evidence[0].kind = "new-network";
  strong.evidence.push_back({"other-accounts", {}, detect::Group::kWave, detect::FindingKind::kLogin, 0.5, {}});
  const auto j =
      compare(truth, {strong, finding(t + kHour, "alice", "192.0.2.1"), finding(kStart + kDay, "x", "192.0.2.1"),
                      finding(kStart + 2 * kDay, "", "192.0.2.9"), finding(kStart - kDay, "x", "192.0.2.3"),
                      finding(kStart + 99 * kDay, "x", "192.0.2.3")});
  ASSERT_EQ(j.size(), 6U);
  EXPECT_EQ(j[0].worth, AlertClass::kTrue);
  EXPECT_EQ(j[0].strength, 2.5);
  EXPECT_EQ(j[0].evidence, "login: new-network");
  EXPECT_EQ(j[0].lent, 0.5);
  EXPECT_EQ(j[2].lent, 0);
  EXPECT_EQ(j[0].finds, (std::vector<std::uint32_t>{1})) << "grey items are not to be found and have no number";
  EXPECT_EQ(j[1].worth, AlertClass::kAftermath);
  EXPECT_TRUE(j[1].finds.empty());
  EXPECT_EQ(j[2].worth, AlertClass::kFalse);
  EXPECT_EQ(j[2].evidence, "login");
  EXPECT_EQ(j[3].worth, AlertClass::kGrey);
  std::vector<int> days;
  days.reserve(j.size());
  for (const Judgement& one : j) days.push_back(one.day);
  EXPECT_EQ(days, (std::vector<int>{8, 8, 1, 2, 0, 9})) << "outside the world: its first or last day";
  EXPECT_EQ(items_of(truth).size(), 2U);
}

}  // namespace
}  // namespace orbwatch::evaluate
