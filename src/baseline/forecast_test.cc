#include "baseline/forecast.h"

#include <gtest/gtest.h>

#include <numeric>

namespace orbwatch::baseline {
namespace {

using core::kDay;

constexpr core::Nanoseconds kStart = 20'000 * kDay;

TEST(SmoothedRate, SpeaksForItselfOnceItShouldHaveSeenSomeEvents) {
  EXPECT_NEAR(smoothed_rate(0, 0, 0.01, 2), 0.01, 1e-9) << "without trials: what stands above";
  EXPECT_NEAR(smoothed_rate(0, 16, 0.01, 2), 0.01, 0.001) << "nothing in 16 trials is no news of a rate of one in 100";
  EXPECT_LT(smoothed_rate(0, 2000, 0.01, 2), 0.001);
  EXPECT_NEAR(smoothed_rate(500, 1000, 0.01, 2), 0.42, 0.01);
  EXPECT_GT(smoothed_rate(1, 10, 0, 1), 0) << "a parent of nothing is no division by nothing";
}

TEST(Calibration, LeavesForecastsAloneThatCameTrue) {
  Calibration c;
  EXPECT_DOUBLE_EQ(c.corrected(0.01), 0.01) << "before anything is seen";
  for (int i = 0; i < 10'000; ++i) c.add(0.02, i % 50 == 0, kStart);
  EXPECT_NEAR(c.corrected(0.02), 0.02, 0.002);
}

TEST(Calibration, CorrectsThoseThatDidNot) {
  Calibration c;
  for (int i = 0; i < 10'000; ++i) {
    c.add(0.001, i % 100 == 0, kStart);  // ten times as often
    c.add(0.4, i % 10 == 0, kStart);     // a quarter as often
  }
  EXPECT_NEAR(c.corrected(0.001), 0.01, 0.004);
  EXPECT_NEAR(c.corrected(0.4), 0.1, 0.02);
  EXPECT_GT(c.corrected(0.0006), 0.002) << "its neighbours are no better";
  for (double p = 1e-7; p < 1.1; p *= 1.05) {
    EXPECT_GT(c.corrected(p), 0);
    EXPECT_LT(c.corrected(p), 1);
  }
}

TEST(Calibration, ForgetsWithItsHalfLife) {
  Calibration c;
  for (int i = 0; i < 1000; ++i) c.add(0.01, i % 10 == 0, kStart);
  const double wrong = c.corrected(0.01);
  EXPECT_GT(wrong, 0.05);
  const core::Nanoseconds later = kStart + 6 * Calibration::kHalfLife;
  for (int i = 0; i < 1000; ++i) c.add(0.01, i % 100 == 0, later);
  EXPECT_LT(c.corrected(0.01), 0.015);
  c.add(0.01, true, kStart);  // late: no crash, counted as of now
  EXPECT_LT(c.corrected(0.01), 0.017);
}

// People who log in once a day; the last of them begin on the last day.
Accounts accounts(int people, int days, int last) {
  Accounts a;
  for (int day = 0; day < days; ++day) {
    for (int p = 0; p < people; ++p) {
      a.see(day == 0, kStart + day * kDay);
      a.learn(static_cast<std::uint32_t>(day));
    }
  }
  for (int p = 0; p < last; ++p) {
    a.see(true, kStart + days * kDay);
    a.learn(0);
  }
  return a;
}

TEST(Accounts, NothingIsKnownAtFirst) {
  EXPECT_DOUBLE_EQ(Accounts{}.first_login(), 1);
  EXPECT_GT(Accounts{}.unseen(), 0);
  EXPECT_NEAR(accounts(500, 1, 0).first_login(), 1, 0.01) << "everybody is new on the first day";
  EXPECT_GT(accounts(500, 1, 0).unseen(), 0.9);
}

TEST(Accounts, FirstLoginsBecomeSeldom) {
  const double now = accounts(500, 30, 10).first_login();
  EXPECT_LT(now, 0.03);
  EXPECT_GE(now, 11 / 15'011.0) << "ten of 15,010 are of accounts seen once";
  EXPECT_LT(accounts(500, 60, 0).first_login(), 0.0002);
}

TEST(Accounts, TheUnseenAreToldByThoseSeenSeldom) {
  EXPECT_NEAR(accounts(500, 30, 0).unseen(), 0.01, 0.001) << "some are always idle";
  const Accounts many = accounts(500, 30, 40);
  EXPECT_NEAR(many.unseen(), 780.0 / (540 + 780), 0.01) << "40 were seen once, none twice: 40 * 39 / 2";
}

TEST(Accounts, AWaveOfNewStartersIsFollowed) {
  Accounts a = accounts(500, 30, 0);
  const double before = a.first_login();
  for (int i = 0; i < 20; ++i) a.see(true, kStart + 30 * kDay);  // in quarantine: seen, but not learned
  EXPECT_GT(a.first_login(), 10 * before);
  const double wave = a.first_login();
  for (int day = 31; day < 40; ++day) {
    for (int i = 0; i < 500; ++i) a.see(false, kStart + day * kDay);
  }
  EXPECT_LT(a.first_login(), wave / 10);
  a.see(false, kStart);  // late
  EXPECT_LT(a.first_login(), wave / 10);
}

TEST(Chances, AreOfOneWhole) {
  const auto all = chances({.new_near = 0.03, .new_far = 0.02, .new_country = 0.01, .near = 0.75}, 0.2);
  EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(all[1] / (all[1] + all[2]), 0.75, 1e-9);
  EXPECT_NEAR((all[1] + all[2]) / (all[0] + all[1] + all[2]), 0.2, 1e-9);
  const auto roaming = chances({.new_near = 0.6, .new_far = 0.6, .new_country = 0.2, .near = 0.5}, 0.2);
  EXPECT_GT(roaming[0], 0);
}

TEST(Chances, FallWithExperience) {
  const GroupProfile everyone;  // the priors alone
  double before = 1;
  for (const float logins : {1.F, 4.F, 8.F, 15.F, 30.F, 60.F}) {
    UserProfile user;
    user.logins = logins;
    user.familiarity[0] = logins;
    const NoveltyChances now = novelty_chances(user, nullptr, everyone, 1);
    EXPECT_LT(now.new_country, before);
    before = now.new_country;
  }
}

}  // namespace
}  // namespace orbwatch::baseline
