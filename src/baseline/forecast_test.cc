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
