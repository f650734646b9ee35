#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using test::kNoon;
using test::World;

class UnusualTimeTest : public ::testing::Test {
 protected:
  UnusualTimeTest() {
    for (std::size_t hour = 8; hour < 18; ++hour) {
      w_.user.hours[hour] = 10;
      w_.everyone.day_hours[hour] = 100;
    }
  }
  double at(core::Nanoseconds time) {
    w_.event.time = time;
    return w_.llr(*detector_, "unusual-time");
  }
  std::unique_ptr<Detector> detector_ = make_unusual_time({});
  World w_;
};

TEST_F(UnusualTimeTest, OfficeHoursSpeakForHerAndTheNightAgainst) {
  EXPECT_LT(at(kNoon), 0);
  EXPECT_GT(at(kNoon + 14 * core::kHour), 0.5) << "at two at night";
  EXPECT_GT(at(kNoon + 5 * core::kDay), 0.5) << "Saturday noon";
}

TEST_F(UnusualTimeTest, SaysTheHour) {
  w_.event.time = kNoon + 14 * core::kHour;
  EXPECT_TRUE(w_.run(*detector_, "unusual-time")->says.starts_with("alice logs in at 2:00-2:59 UTC on weekdays in "));
  w_.event.time = kNoon + 5 * core::kDay;
  EXPECT_TRUE(w_.run(*detector_, "unusual-time")->says.starts_with("alice logs in at 12:00-12:59 UTC at weekends in "));
}

TEST_F(UnusualTimeTest, TheHourBesideHersIsLessUnusual) {
  EXPECT_LT(at(kNoon + 6 * core::kHour), at(kNoon + 9 * core::kHour)) << "18 h against 21 h";
}

TEST_F(UnusualTimeTest, WhoWorksAtNightIsNotUnusualAtNight) {
  const double office = at(kNoon + 14 * core::kHour);
  w_.user.hours = {};
  for (std::size_t hour = 0; hour < 6; ++hour) w_.user.hours[hour] = 20;
  EXPECT_LT(at(kNoon + 14 * core::kHour), 0);
  EXPECT_LT(at(kNoon + 14 * core::kHour), office);
}

TEST_F(UnusualTimeTest, FewDataMakeNoNoise) {
  for (std::size_t hour = 0; hour < 24; ++hour) w_.everyone.day_hours[hour] += 30;  // some colleagues work at night
  const double night = at(kNoon + 14 * core::kHour);
  w_.user.hours = {};
  w_.user.hours[12] = 1;
  EXPECT_LT(at(kNoon + 14 * core::kHour), night);
}

TEST_F(UnusualTimeTest, IsBounded) {
  for (auto& h : w_.user.hours) h *= 1e6F;
  for (auto& h : w_.everyone.day_hours) h *= 1e6F;
  for (int hour = 0; hour < 168; ++hour) {
    const double llr = at(kNoon + hour * core::kHour);
    EXPECT_LE(llr, 3.0);
    EXPECT_GE(llr, -0.7);
  }
}

TEST_F(UnusualTimeTest, AnAccountThatWasNeverSeenIsComparedWithEverybody) {
  w_.view.user = nullptr;
  EXPECT_LT(at(kNoon), 0);
  EXPECT_GT(at(kNoon + 14 * core::kHour), 0.5);
  w_.event.time = kNoon;
  EXPECT_TRUE(
      w_.run(*detector_, "unusual-time")->says.starts_with("people here log in at 12:00-12:59 UTC on weekdays"));
}

TEST_F(UnusualTimeTest, StaysSilent) { w_.expect_only_remote_logins(*detector_); }

}  // namespace
}  // namespace orbwatch::detect
