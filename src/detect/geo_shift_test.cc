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
    w.user.last_login = kNoon - 2 * core::kHour;
    w.user.last_place = baseline::pack_place(52.5F, 13.4F);
    w.user.last_ip = ip("5.1.1.1");
    w.user.last_type = core::NetworkType::kConsumer;
    w.from("5.3.1.1", w.abroad, Familiarity::kNewCountry);
  }
  std::unique_ptr<Detector> detector = make_geo_shift({});
  World w;
};

TEST_F(GeoShiftTest, FasterThanAnAirlinerIsEvidence) {
  const auto e = w.run(*detector, "impossible-travel");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 3);
  EXPECT_TRUE(e->says.ends_with(" km from the log-in 2.0 hours before (5.1.1.1): faster than an airliner")) << e->says;
}

TEST_F(GeoShiftTest, ATripThatAnAirlinerMakesIsNone) {
  w.user.last_login = kNoon - 7 * core::kHour;  // 6,385 km
  EXPECT_FALSE(w.run(*detector, "impossible-travel"));
}

TEST_F(GeoShiftTest, WithinTheErrorOfGeolocationNothingIsFar) {
  w.from("5.3.1.1", w.town, Familiarity::kNewSystemNear);
  w.user.last_login = kNoon - core::kSecond;
  EXPECT_FALSE(w.run(*detector, "impossible-travel"));
}

TEST_F(GeoShiftTest, WhereUsersTravelAllDayItSaysLittle) {
  const double rare = w.llr(*detector, "impossible-travel");
  w.everyone.travel = 1000;
  w.everyone.impossible_travel = 100;
  const double usual = w.llr(*detector, "impossible-travel");
  EXPECT_LT(usual, rare);
  w.everyone.impossible_travel = 600;
  EXPECT_LT(w.llr(*detector, "impossible-travel"), 0);
}

TEST_F(GeoShiftTest, PhonesTravelInTheDatabaseOnly) {
  const double fixed = w.llr(*detector, "impossible-travel");
  w.user.last_type = core::NetworkType::kMobile;
  EXPECT_LT(w.llr(*detector, "impossible-travel"), fixed);
}

// At home in Berlin some hours ago; Munich is 500 km, more than six hours, away.
class JourneyTest : public GeoShiftTest {
 protected:
  JourneyTest() {
    w.user.home_login = kNoon - 2 * core::kHour;
    w.user.home_place = baseline::pack_place(52.5F, 13.4F);
    w.user.home_ip = ip("5.1.1.1");
    w.from("5.4.1.1", munich, Familiarity::kNewSystemFar);
  }
  std::uint32_t munich =
      w.networks.add(64520, core::NetworkType::kConsumer, 48.1F, 11.6F, "DE", "Munich Net", "Munich");
};

TEST_F(JourneyTest, ThatIsTooShortIsEvidence) {
  const auto e = w.run(*detector, "short-journey");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->group, Group::kTime);
  EXPECT_NE(e->says.find(" km from 5.1.1.1, where alice logged in 2.0 hours before; the way takes about 3."),
            e->says.npos)
      << e->says;
  w.user.home_login = kNoon - 2 * core::kDay;
  EXPECT_LT(w.llr(*detector, "short-journey"), 0) << "time enough";
  EXPECT_GE(w.llr(*detector, "short-journey"), -0.5) << "but an intruder may take his time as well";
}

TEST_F(JourneyTest, BackHomeTooSoonIsEvidence) {
  EXPECT_FALSE(w.run(*detector, "back-too-soon"));
  w.view.back_at = kNoon + core::kHour;
  w.view.back_ip = ip("5.1.1.1");
  w.view.back_place = w.user.home_place;
  const auto e = w.run(*detector, "back-too-soon");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_NE(e->says.find("alice was back "), e->says.npos) << e->says;
  w.view.back_at = kNoon + 3 * core::kDay;
  EXPECT_LT(w.llr(*detector, "back-too-soon"), 0);
}

TEST_F(JourneyTest, IsLearned) {
  const double before = w.llr(*detector, "short-journey");
  w.everyone.journeys = {500, 500, 0, 0, 0};  // geolocation here is that bad
  EXPECT_LT(w.llr(*detector, "short-journey"), before - 1);
}

TEST_F(JourneyTest, NeedsAPlaceThatIsFar) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w.run(*detector, "short-journey")) << "near";
  w.from("5.4.1.1", munich, Familiarity::kNewSystemFar);
  w.view.network_since = kNoon - core::kHour;
  EXPECT_FALSE(w.run(*detector, "short-journey")) << "already weighed at first sight";
  w.view.network_since = 0;
  w.user.home_place = 0;
  EXPECT_FALSE(w.run(*detector, "short-journey")) << "home unknown";
  w.user.home_place = baseline::pack_place(52.5F, 13.4F);
  w.from("5.4.1.1", w.networks.add(64521, core::NetworkType::kMobile, 48.1F, 11.6F, "DE"), Familiarity::kNewSystemFar);
  EXPECT_FALSE(w.run(*detector, "short-journey")) << "a phone's address is no place";
}

TEST_F(GeoShiftTest, ANewCountryIsEvidence) {
  const auto e = w.run(*detector, "new-country");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "US is new for alice");
  const double small = e->llr;
  w.networks.country_shares[core::pack_country("US")] = 0.3;
  const double large = w.llr(*detector, "new-country");
  EXPECT_LT(large, small) << "a large part of the Internet is likelier met";
  w.view.system_share = 0.1;
  EXPECT_LT(w.llr(*detector, "new-country"), large) << "colleagues come from that provider";
}

TEST_F(GeoShiftTest, StaysSilentAboutCountries) {
  w.user.logins = 4;
  EXPECT_FALSE(w.run(*detector, "new-country")) << "a newcomer";
  w.user.logins = 50;
  w.from("5.3.1.1", w.far, Familiarity::kNewSystemFar);
  EXPECT_FALSE(w.run(*detector, "new-country")) << "a known country";
  w.from("5.3.1.1", 0, Familiarity::kNewCountry);
  EXPECT_FALSE(w.run(*detector, "new-country")) << "an unknown one";
}

TEST_F(GeoShiftTest, StaysSilentAboutTravel) {
  w.view.familiarity = Familiarity::kSamePrefix;
  EXPECT_FALSE(w.run(*detector, "impossible-travel")) << "back where she was: the log-in before was the odd one";
  w.view.familiarity = Familiarity::kNewCountry;
  w.user.last_login = kNoon;
  EXPECT_FALSE(w.run(*detector, "impossible-travel")) << "no time between them, or disorder";
  w.user.last_login = kNoon - core::kHour;
  w.user.last_place = 0;
  EXPECT_FALSE(w.run(*detector, "impossible-travel"));
}

TEST_F(GeoShiftTest, StaysSilentAltogether) {
  ASSERT_EQ(w.run(*detector).size(), 2U);
  w.from("5.3.1.1", w.partner, Familiarity::kNewCountry);
  EXPECT_TRUE(w.run(*detector).empty()) << "allowed";
  w.from("5.3.1.1", w.abroad, Familiarity::kNewCountry);
  w.view.remote = false;
  EXPECT_TRUE(w.run(*detector).empty());
  w.view.remote = true;
  w.view.user = nullptr;
  EXPECT_TRUE(w.run(*detector).empty());
  w.view.user = &w.user;
  w.fail();
  EXPECT_TRUE(w.run(*detector).empty());
}

}  // namespace
}  // namespace orbwatch::detect
