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
  EXPECT_GT(e->llr, 3);
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
  w_.everyone.travel = 1000;
  w_.everyone.impossible_travel = 100;
  const double usual = w_.llr(*detector_, "impossible-travel");
  EXPECT_LT(usual, rare);
  w_.everyone.impossible_travel = 600;
  EXPECT_LT(w_.llr(*detector_, "impossible-travel"), 0);
}

TEST_F(GeoShiftTest, PhonesTravelInTheDatabaseOnly) {
  const double fixed = w_.llr(*detector_, "impossible-travel");
  w_.user.last_type = core::NetworkType::kMobile;
  EXPECT_LT(w_.llr(*detector_, "impossible-travel"), fixed);
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
