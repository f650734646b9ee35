#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using test::ip;
using test::kNoon;
using test::World;

class GeoShiftTest : public ::testing::Test {
 protected:
  GeoShiftTest() {
    w_.user.last_login = kNoon - 2 * core::kHour;
    w_.user.last_place = baseline::pack_place(52.5F, 13.4F);
    w_.user.last_ip = ip("5.1.1.1");
    w_.user.last_type = core::NetworkType::kConsumer;
    w_.from("5.3.1.1", w_.abroad, Familiarity::kNewCountry);
  }
  std::unique_ptr<Detector> detector_ = make_geo_shift({});
  World w_;
};

TEST_F(GeoShiftTest, FasterThanAnAirlinerIsEvidence) {
  const auto e = w_.run(*detector_, "impossible-travel");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_TRUE(e->says.ends_with(" km from the log-in 2.0 hours before (5.1.1.1): faster than an airliner")) << e->says;
}

TEST_F(GeoShiftTest, ATripThatAnAirlinerMakesIsNone) {
  w_.user.last_login = kNoon - 7 * core::kHour;  // 6,385 km
  EXPECT_FALSE(w_.run(*detector_, "impossible-travel"));
}

TEST_F(GeoShiftTest, WithinTheErrorOfGeolocationNothingIsFar) {
  w_.from("5.3.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.user.last_login = kNoon - core::kSecond;
  EXPECT_FALSE(w_.run(*detector_, "impossible-travel"));
}

TEST_F(GeoShiftTest, WhereUsersTravelAllDayItSaysLittle) {
  const double rare = w_.llr(*detector_, "impossible-travel");
  auto& among = w_.everyone.circumstances[static_cast<std::size_t>(Familiarity::kNewCountry)];
  among.travels[0] = 1000;
  among.impossible_travels[0] = 100;
  const double usual = w_.llr(*detector_, "impossible-travel");
  EXPECT_LT(usual, rare);
  among.impossible_travels[0] = 600;
  EXPECT_EQ(w_.llr(*detector_, "impossible-travel"), 0);
  among.impossible_travels[0] = 0;
  EXPECT_GT(w_.llr(*detector_, "impossible-travel"), rare) << "where nobody's journeys look so";
}

TEST_F(GeoShiftTest, PhonesTravelInTheDatabaseOnly) {
  const double fixed = w_.llr(*detector_, "impossible-travel");
  w_.user.last_type = core::NetworkType::kMobile;
  EXPECT_LT(w_.llr(*detector_, "impossible-travel"), fixed);
}

// At home in Berlin some hours ago; Munich is 500 km, more than six hours, away.
class JourneyTest : public GeoShiftTest {
 protected:
  JourneyTest() {
    w_.user.home_login = kNoon - 2 * core::kHour;
    w_.user.home_place = baseline::pack_place(52.5F, 13.4F);
    w_.user.home_ip = ip("5.1.1.1");
    w_.from("5.4.1.1", munich_, Familiarity::kNewSystemFar);
  }
  std::uint32_t munich_ =
      w_.networks.add(64520, core::NetworkType::kConsumer, 48.1F, 11.6F, "DE", "Munich Net", "Munich");
};

TEST_F(JourneyTest, ThatIsTooShortIsEvidence) {
  const auto e = w_.run(*detector_, "short-journey");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0.9);
  EXPECT_EQ(e->group, Group::kTime);
  EXPECT_NE(e->says.find(" km from 5.1.1.1, where alice logged in 2.0 hours before; the way takes about 3."),
            e->says.npos)
      << e->says;
  w_.user.home_login = kNoon - 2 * core::kDay;
  EXPECT_LT(w_.llr(*detector_, "short-journey"), 0) << "time enough";
  EXPECT_GE(w_.llr(*detector_, "short-journey"), -0.5) << "but an intruder may take his time as well";
}

TEST_F(JourneyTest, BackHomeTooSoonIsEvidence) {
  EXPECT_FALSE(w_.run(*detector_, "back-too-soon"));
  w_.view.back_at = kNoon + core::kHour;
  w_.view.back_ip = ip("5.1.1.1");
  w_.view.back_place = w_.user.home_place;
  const auto e = w_.run(*detector_, "back-too-soon");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_NE(e->says.find("alice was back "), e->says.npos) << e->says;
  w_.view.back_at = kNoon + 3 * core::kDay;
  EXPECT_LT(w_.llr(*detector_, "back-too-soon"), 0);
}

// An hour before and an hour after she was at home: nobody notices that somebody else was in Munich.
TEST_F(JourneyTest, NoTimeAwayIsEvidence) {
  EXPECT_FALSE(w_.run(*detector_, "short-absence")) << "she is not back yet";
  w_.view.back_at = kNoon + core::kHour;
  w_.view.back_ip = ip("5.1.1.1");
  w_.view.back_place = w_.user.home_place;
  const auto e = w_.run(*detector_, "short-absence");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0.5);
  EXPECT_EQ(e->group, Group::kTime);
  EXPECT_NE(e->says.find("2.0 hours before and 1.0 hours after; the usual break between two log-ins there is 30"),
            e->says.npos)
      << e->says;
  w_.view.back_at = kNoon + 5 * core::kDay;
  const double away = w_.llr(*detector_, "short-absence");
  EXPECT_LT(away, -1) << "five days away";
  w_.user.break_hours = 1000;
  w_.user.break_squares = 100'000;
  EXPECT_GT(w_.llr(*detector_, "short-absence"), away + 1) << "but she logs in twice a week at most";
}

TEST_F(JourneyTest, HowLongPeopleStayAwayIsLearned) {
  w_.view.back_at = kNoon + core::kHour;
  w_.view.back_ip = ip("5.1.1.1");
  w_.view.back_place = w_.user.home_place;
  const double before = w_.llr(*detector_, "short-absence");
  w_.everyone.breaks_away = {500, 100, 0, 0, 0};  // geolocation here is that bad
  const double often = w_.llr(*detector_, "short-absence");
  EXPECT_LT(often, before - 0.5);
  w_.everyone.breaks_home = {100'000, 0, 0, 0, 0};
  EXPECT_GT(w_.llr(*detector_, "short-absence"), often);
}

TEST_F(JourneyTest, AbsenceNeedsAHomeThatIsFar) {
  w_.view.back_at = kNoon + core::kHour;
  w_.view.back_ip = ip("5.1.1.1");
  w_.view.back_place = w_.user.home_place;
  w_.user.home_login = kNoon + 1;
  EXPECT_FALSE(w_.run(*detector_, "short-absence")) << "at home since, not before";
  w_.user.home_login = kNoon - core::kHour;
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "short-absence")) << "near";
}

TEST_F(JourneyTest, IsLearned) {
  const double before = w_.llr(*detector_, "short-journey");
  w_.everyone.journeys = {500, 500, 0, 0, 0};  // geolocation here is that bad
  EXPECT_LT(w_.llr(*detector_, "short-journey"), before - 0.8);
  EXPECT_EQ(w_.llr(*detector_, "short-journey"), 0) << "too soon is no sign of herself";
}

TEST_F(JourneyTest, NeedsAPlaceThatIsFar) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "short-journey")) << "near";
  w_.from("5.4.1.1", munich_, Familiarity::kNewSystemFar);
  w_.view.network_since = kNoon - core::kHour;
  EXPECT_FALSE(w_.run(*detector_, "short-journey")) << "already weighed at first sight";
  w_.view.network_since = 0;
  w_.user.home_place = 0;
  EXPECT_FALSE(w_.run(*detector_, "short-journey")) << "home unknown";
  w_.user.home_place = baseline::pack_place(52.5F, 13.4F);
  w_.from("5.4.1.1", w_.networks.add(64521, core::NetworkType::kMobile, 48.1F, 11.6F, "DE"),
          Familiarity::kNewSystemFar);
  EXPECT_FALSE(w_.run(*detector_, "short-journey")) << "a phone's address is no place";
}

TEST_F(GeoShiftTest, ANewCountryIsEvidence) {
  const auto e = w_.run(*detector_, "new-country");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "US is new for alice");
  const double small = e->llr;
  w_.networks.country_shares[core::pack_country("US")] = 0.3;
  const double large = w_.llr(*detector_, "new-country");
  EXPECT_LT(large, small) << "a large part of the Internet is likelier met";
  w_.view.system_share = 0.1;
  EXPECT_LT(w_.llr(*detector_, "new-country"), large) << "colleagues come from that provider";
}

TEST_F(GeoShiftTest, StaysSilentAboutCountries) {
  w_.user.logins = 4;
  EXPECT_FALSE(w_.run(*detector_, "new-country")) << "a newcomer";
  w_.user.logins = 50;
  w_.from("5.3.1.1", w_.far, Familiarity::kNewSystemFar);
  EXPECT_FALSE(w_.run(*detector_, "new-country")) << "a known country";
  w_.from("5.3.1.1", 0, Familiarity::kNewCountry);
  EXPECT_FALSE(w_.run(*detector_, "new-country")) << "an unknown one";
}

TEST_F(GeoShiftTest, StaysSilentAboutTravel) {
  w_.view.familiarity = Familiarity::kSamePrefix;
  EXPECT_FALSE(w_.run(*detector_, "impossible-travel")) << "back where she was: the log-in before was the odd one";
  w_.view.familiarity = Familiarity::kNewCountry;
  w_.user.last_login = kNoon;
  EXPECT_FALSE(w_.run(*detector_, "impossible-travel")) << "no time between them, or disorder";
  w_.user.last_login = kNoon - core::kHour;
  w_.user.last_place = 0;
  EXPECT_FALSE(w_.run(*detector_, "impossible-travel"));
}

TEST_F(GeoShiftTest, StaysSilentAltogether) {
  ASSERT_EQ(w_.run(*detector_).size(), 2U);
  w_.from("5.3.1.1", w_.partner, Familiarity::kNewCountry);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "allowed";
  w_.from("5.3.1.1", w_.abroad, Familiarity::kNewCountry);
  w_.expect_only_remote_logins_of_known_users(*detector_);
}

}  // namespace
}  // namespace orbwatch::detect
