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
  w.expect_only_remote_logins_of_known_users(*detector);
}

}  // namespace
}  // namespace orbwatch::detect
