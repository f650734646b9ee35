#include "baseline/profile.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace orbwatch::baseline {
namespace {

// The sizes that docs/baseline.md states. A change here is a change of the memory bound: change the page as well.
static_assert(sizeof(UserProfile) == 2048);
static_assert(sizeof(SourceProfile) == 64);
static_assert(sizeof(GroupProfile) == 1932);
static_assert(sizeof(StrangerFailures) == 688);
static_assert(sizeof(SystemProfile) == 84);
static_assert(std::is_trivially_copyable_v<UserProfile> && std::is_trivially_copyable_v<SourceProfile> &&
                  std::is_trivially_copyable_v<GroupProfile> && std::is_trivially_copyable_v<StrangerFailures>,
              "a profile holds nothing outside of itself: its size is its bound");

TEST(Distance, CountsLeadingBits) {
  const auto d = [](const char* a, const char* b) {
    return distance(prefix_key(*Ip::parse(a)), prefix_key(*Ip::parse(b)));
  };
  EXPECT_EQ(d("10.1.2.3", "10.1.2.4"), Distance::kPool);
  EXPECT_EQ(d("10.1.0.1", "10.1.15.1"), Distance::kPool);
  EXPECT_EQ(d("10.1.0.1", "10.1.16.1"), Distance::kBlock);
  EXPECT_EQ(d("10.0.0.1", "10.1.0.1"), Distance::kRegion);
  EXPECT_EQ(d("10.0.0.1", "10.16.0.1"), Distance::kFarther);
  EXPECT_EQ(d("2001:db8:0:1::1", "2001:db8:f:1::1"), Distance::kPool);
  EXPECT_EQ(d("2001:db8::1", "2001:db8:f0::1"), Distance::kBlock);
  EXPECT_EQ(d("2001:db8::1", "2001:db8:f000::1"), Distance::kRegion);
  EXPECT_EQ(d("2001:db8::1", "2001:db9::1"), Distance::kFarther);
  EXPECT_EQ(d("10.1.2.3", "2001:db8::1"), Distance::kFarther);
  EXPECT_EQ(distance(0, prefix_key(*Ip::parse("10.1.2.3"))), Distance::kFarther);
}

TEST(Keys, OfAddressesAndPrefixesNeverMeet) {
  for (const char* text :
       {"10.1.2.3", "0.0.0.1", "255.255.255.255", "2001:db8::1", "3fff:ffff:ffff:ffff::1", "2000::"}) {
    const Ip a = *Ip::parse(text);
    EXPECT_NE(address_key(a), prefix_key(a)) << text;
    for (const char* other : {"10.1.2.3", "0.0.0.1", "2001:db8::1", "2000::"})
      EXPECT_NE(address_key(a), prefix_key(*Ip::parse(other))) << text << ' ' << other;
  }
  EXPECT_EQ(address_key(*Ip::parse("2001:db8:1:2::1")), address_key(*Ip::parse("2001:db8:1:2:ffff::9"))) << "one line";
  EXPECT_NE(address_key(*Ip::parse("2001:db8:1:2::1")), address_key(*Ip::parse("2001:db8:1:3::1")));
  EXPECT_EQ(address_key(Ip{}), 0U);
}

TEST(Journey, TakesItsTime) {
  EXPECT_NEAR(journey_hours(80), 1, 1e-9);
  EXPECT_NEAR(journey_hours(7000), 13, 1e-9);
  EXPECT_LT(journey_hours(300), journey_hours(600));
  EXPECT_EQ(journey_bin(20 * core::kMinute, 80), 0U);
  EXPECT_EQ(journey_bin(50 * core::kMinute, 80), 1U);
  EXPECT_EQ(journey_bin(90 * core::kMinute, 80), 2U);
  EXPECT_EQ(journey_bin(3 * core::kHour, 80), 3U);
  EXPECT_EQ(journey_bin(core::kDay, 80), 4U);
  EXPECT_EQ(journey_bin(core::kSecond, 0), 0U);
  EXPECT_EQ(journey_bin(INT64_MAX, 0), 4U);
}

TEST(StrangerFailures, CountAccountsOfTheLastDays) {
  StrangerFailures s;
  for (int i = 0; i < 3; ++i) s.add_account(100);
  s.add_account(102);
  EXPECT_EQ(s.accounts_until(102), 4U);
  EXPECT_EQ(s.accounts_until(104), 1U);
  EXPECT_EQ(s.accounts_until(500), 0U);
  s.add_account(99);  // a little disorder
  EXPECT_EQ(s.accounts_until(102), 5U);
  s.add_account(50);
  EXPECT_EQ(s.accounts_until(102), 5U) << "long ago";
  s.add_account(1000);
  EXPECT_EQ(s.accounts_until(1000), 1U);
}

TEST(TopWeights, Removes) {
  TopWeights<std::uint32_t, 3> top;
  top.add(7, 2);
  top.add(8, 1);
  top.remove(7);
  top.remove(9);
  EXPECT_FALSE(top.contains(7));
  EXPECT_TRUE(top.contains(8));
  EXPECT_EQ(top.size(), 1U);
}

TEST(TopWeights, AddsUpAndForgetsTheLightest) {
  TopWeights<std::uint32_t, 3> top;
  EXPECT_EQ(top.weight(7), 0);
  top.add(7, 2);
  top.add(8, 1);
  top.add(9, 3);
  top.add(7, 0.5F);
  EXPECT_FLOAT_EQ(top.weight(7), 2.5F);
  EXPECT_EQ(top.size(), 3U);
  top.add(10, 0.25F);  // even a lighter newcomer gets in: what is new must be known the next time
  EXPECT_EQ(top.size(), 3U);
  EXPECT_FALSE(top.contains(8));
  EXPECT_TRUE(top.contains(10));
  EXPECT_FLOAT_EQ(top.weight(10), 0.25F) << "a newcomer does not inherit the weight of what it drove out";
  EXPECT_TRUE(top.contains(7) && top.contains(9));
}

TEST(TopWeights, NeverHoldsTheAbsentKey) {
  TopWeights<std::uint64_t, 2> top;
  top.add(0, 5);
  EXPECT_EQ(top.size(), 0U);
  EXPECT_FALSE(top.contains(0));
}

TEST(Places, ArePackedToATenthOfADegree) {
  EXPECT_EQ(pack_place(0, 0), 0U) << "unknown";
  for (const auto& [y, x] : {std::pair(52.52F, 13.405F), std::pair(-33.87F, 151.21F), std::pair(90.0F, 180.0F),
                             std::pair(-90.0F, -180.0F), std::pair(0.01F, 0.0F)}) {
    double latitude = 0, longitude = 0;
    const std::uint32_t place = pack_place(y, x);
    ASSERT_NE(place, 0U);
    unpack_place(place, latitude, longitude);
    EXPECT_NEAR(latitude, y, 0.0501);
    EXPECT_NEAR(longitude, x, 0.0501);
  }
}

TEST(Places, DistancesAreThoseOfTheGlobe) {
  EXPECT_NEAR(kilometres(52.52, 13.405, 48.137, 11.575), 504, 3);      // Berlin, Munich
  EXPECT_NEAR(kilometres(51.507, -0.128, 40.713, -74.006), 5570, 15);  // London, New York
  EXPECT_NEAR(kilometres(0, 179.9, 0, -179.9), 22.2, 0.2);             // across the date line
  EXPECT_NEAR(kilometres(90, 0, -90, 0), 20015, 1);
  EXPECT_EQ(kilometres(10, 20, 10, 20), 0);
}

TEST(PrefixKey, IsTheNeighbourhood) {
  const auto key = [](const char* text) { return prefix_key(*Ip::parse(text)); };
  EXPECT_EQ(prefix_key(Ip{}), 0U);
  EXPECT_EQ(key("192.0.2.1"), key("192.0.2.254"));
  EXPECT_NE(key("192.0.2.1"), key("192.0.3.1"));
  EXPECT_EQ(key("2001:db8:1:1::1"), key("2001:db8:1:ffff::2"));
  EXPECT_NE(key("2001:db8:1::1"), key("2001:db8:2::1"));
  EXPECT_NE(key("0.0.0.1"), 0U);
}

TEST(ExperienceBin, HasSevenSteps) {
  EXPECT_EQ(experience_bin(0), 0U);
  EXPECT_EQ(experience_bin(1), 1U);
  EXPECT_EQ(experience_bin(2), 1U);
  EXPECT_EQ(experience_bin(3), 2U);
  EXPECT_EQ(experience_bin(5), 2U);
  EXPECT_EQ(experience_bin(10), 3U);
  EXPECT_EQ(experience_bin(20), 4U);
  EXPECT_EQ(experience_bin(40), 5U);
  EXPECT_EQ(experience_bin(41), 6U);
  EXPECT_EQ(experience_bin(1e9), 6U);
}

TEST(StrangerFailures, AnOrdinaryDayIsTheMedianWithTheSpreadOfTheQuartiles) {
  StrangerFailures s;
  const auto nothing = s.ordinary_sources();
  EXPECT_NEAR(nothing.mean, 20, 1e-9);
  EXPECT_LT(nothing.dispersion, 1) << "without history a day may bring anything";
  for (std::uint32_t d = 0; d < 28; ++d) {
    s.today = 100;
    s.today_sources = d % 7 == 6 ? 300 : 48 + d % 5;  // four days of a spray
    s.today_consumer = 4;
    s.close_day();
  }
  EXPECT_EQ(s.today_sources, 0U);
  EXPECT_NEAR(s.ordinary_sources().mean, 50, 1);
  EXPECT_GT(s.ordinary_sources().dispersion, 5);
  EXPECT_NEAR(s.ordinary_consumer().mean, 4, 0.5);
}

TEST(SourceProfile, KnowsItsFirstUsers) {
  SourceProfile source;
  source.users = {5, 9, 0};
  EXPECT_TRUE(source.has_user(Symbol(9)));
  EXPECT_FALSE(source.has_user(Symbol(6)));
}

TEST(SourceProfile, CountsAsAStrangerOnceInTheWindow) {
  SourceProfile source;
  EXPECT_FALSE(source.counted_as_stranger(core::kDay));
  source.stranger_hour = 100;
  EXPECT_TRUE(source.counted_as_stranger(100 * core::kHour));
  EXPECT_TRUE(source.counted_as_stranger(124 * core::kHour - 1));
  EXPECT_FALSE(source.counted_as_stranger(124 * core::kHour));
}

TEST(StrangerFailures, AnOrdinaryDayIsTheMedian) {
  StrangerFailures s;
  EXPECT_EQ(s.ordinary_day(), 3) << "without history";
  s.days = {10, 2, 4};
  s.day_count = 3;
  EXPECT_DOUBLE_EQ(s.ordinary_day(), (4 * 3 + 3) / 4.0) << "one imaginary day of 3 counts along";
  s.days.fill(6);
  s.days[5] = 100'000;  // one day of attack does not become ordinary
  s.day_count = 1000;
  EXPECT_DOUBLE_EQ(s.ordinary_day(), (6 * 28 + 3) / 29.0);
}

TEST(SessionShape, FallsIntoBins) {
  const auto length = [](Nanoseconds t) { return SessionShape{t, 0, 0}.length_bin(); };
  EXPECT_EQ(length(1), 0U);
  EXPECT_EQ(length(2 * core::kMinute), 1U);
  EXPECT_EQ(length(8 * core::kHour - 1), kLengthBins - 2);
  EXPECT_EQ(length(INT64_MAX), kLengthBins - 1);
  const auto bytes = [](std::uint64_t up, std::uint64_t down) { return SessionShape{0, up, down}; };
  EXPECT_EQ(bytes(0, 99'999).volume_bin(), 0U);
  EXPECT_EQ(bytes(50'000, 50'000).volume_bin(), 1U);
  EXPECT_EQ(bytes(UINT64_MAX, UINT64_MAX).volume_bin(), kVolumeBins - 1) << "no overflow";
  EXPECT_EQ(bytes(0, 100).upload_bin(), 0U);
  EXPECT_EQ(bytes(50, 50).upload_bin(), 3U);
  EXPECT_EQ(bytes(100, 0).upload_bin(), kUploadBins - 1);
  EXPECT_EQ(bytes(0, 0).upload_bin(), 0U);
}

TEST(SessionShape, CountsWhatIsTold) {
  SessionShapes shapes;
  shapes.add({core::kHour, 0, 0}, 2);
  EXPECT_EQ(shapes.lengths[5], 2);
  for (const float x : shapes.volumes) EXPECT_EQ(x, 0);
  shapes.add({0, 10, 90}, 3);
  EXPECT_EQ(shapes.volumes[0], 3);
  EXPECT_EQ(shapes.uploads[1], 3);
}

TEST(Breaks, LongOnesWeighMore) {
  UserProfile user;
  EXPECT_NEAR(usual_break(user, 1), 30, 1e-9) << "nothing is known";
  // Ten nights of 16 hours and one of 160: half of all moments fall into the long one.
  user.break_hours = 320;
  user.break_squares = 10 * 16 * 16 + 160 * 160;
  EXPECT_NEAR(usual_break(user, 1), (28'160.0 + 1440) / (320 + 48), 1e-6);
  user.break_hours *= 4;
  user.break_squares *= 4;
  EXPECT_NEAR(usual_break(user, 4), (28'160.0 + 1440) / (320 + 48), 1e-6) << "in units of one observation";
  EXPECT_EQ(break_bin(10, 30), 0U);
  EXPECT_EQ(break_bin(29, 30), 1U);
  EXPECT_EQ(break_bin(59, 30), 2U);
  EXPECT_EQ(break_bin(119, 30), 3U);
  EXPECT_EQ(break_bin(1e9, 0), 4U);
}

}  // namespace
}  // namespace orbwatch::baseline
