#include <gtest/gtest.h>

#include <cmath>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using core::NetworkType;
using test::ip;
using test::kNoon;
using test::World;

class NewNetworkTest : public ::testing::Test {
 protected:
  std::unique_ptr<Detector> detector = make_new_network({});
  World w;
};

TEST_F(NewNetworkTest, TheOwnPrefixSpeaksForTheUser) {
  const auto e = w.run(*detector, "new-network");
  ASSERT_TRUE(e);
  EXPECT_LT(e->llr, -3);
  EXPECT_EQ(e->says, "alice logged in from this prefix before");
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_FALSE(w.run(*detector, "network-type")) << "whatever it is, it is hers";
}

TEST_F(NewNetworkTest, ANewProviderInTheSameTownSpeaksForACovertNetwork) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const auto e = w.run(*detector, "new-network");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says,
            "first log-in of alice through Town Cable (AS64501) after 50 log-ins through others, though in the usual "
            "area (Potsdam, DE)");
}

TEST_F(NewNetworkTest, TheLessFamiliarTheProviderTheMoreItSays) {
  w.from("5.2.1.1", w.home, Familiarity::kSamePrefix);
  const double own = w.llr(*detector, "new-network");
  w.from("5.2.1.1", w.home, Familiarity::kSameSystemNear);
  const double near = w.llr(*detector, "new-network");
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const double other = w.llr(*detector, "new-network");
  EXPECT_LT(own, near);
  EXPECT_LT(near, other);
}

TEST_F(NewNetworkTest, SaysEachLevelInWords) {
  w.from("5.2.1.1", w.home, Familiarity::kSameSystemNear);
  EXPECT_EQ(w.run(*detector, "new-network")->says, "alice uses Home Net (AS64500), but never this prefix");
  w.from("5.2.1.1", w.home, Familiarity::kSameSystemFar);
  EXPECT_EQ(w.run(*detector, "new-network")->says, "alice uses Home Net (AS64500), but never from Berlin, DE");
  w.from("5.2.1.1", w.far, Familiarity::kNewSystemFar);
  EXPECT_EQ(w.run(*detector, "new-network")->says,
            "first log-in of alice through Rented Servers (AS64502) and from Munich, DE after 50 others");
  w.from("5.2.1.1", w.abroad, Familiarity::kNewCountry);
  EXPECT_EQ(w.run(*detector, "new-network")->says,
            "first log-in of alice from New York, US, through Abroad DSL (AS64503), after 50 others");
  w.from("5.2.1.1", 0, Familiarity::kNewCountry);
  EXPECT_EQ(w.run(*detector, "new-network")->says,
            "first log-in of alice from an unknown place, through an unannounced network, after 50 others");
}

TEST_F(NewNetworkTest, AUserWhoRoamsIsLessSurprising) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const double homely = w.llr(*detector, "new-network");
  w.user.familiarity = {20, 5, 5, 15, 5, 0};
  EXPECT_LT(w.llr(*detector, "new-network"), homely);
}

TEST_F(NewNetworkTest, APeerGroupThatRoamsIsLessSurprising) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const double alone = w.llr(*detector, "new-network");
  for (auto& levels : w.group.familiarity) levels = {200, 50, 50, 300, 50, 10};
  w.view.group = &w.group;
  EXPECT_LT(w.llr(*detector, "new-network"), alone);
}

TEST_F(NewNetworkTest, NoveltyIsOrdinaryForANewcomer) {
  w.from("5.2.1.1", w.abroad, Familiarity::kNewCountry);
  for (auto& levels : w.everyone.familiarity) levels = {};  // the priors alone
  w.user.familiarity = {};
  const double experienced = w.llr(*detector, "new-network");
  w.user.logins = 2;
  const double beginner = w.llr(*detector, "new-network");
  w.user.logins = 0;
  const double newcomer = w.llr(*detector, "new-network");
  EXPECT_LT(beginner, experienced);
  EXPECT_LT(newcomer, beginner);
  EXPECT_LT(newcomer, 0.5);
}

TEST_F(NewNetworkTest, AProviderThatColleaguesUseIsLessSurprising) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  w.networks.as_shares[64501] = 0.1;
  const double nobody = w.llr(*detector, "new-network");
  w.view.system_share = 0.2;
  EXPECT_LT(w.llr(*detector, "new-network"), nobody);
}

TEST_F(NewNetworkTest, DecayedWeightsGiveTheSameAsCounts) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const double fresh = w.llr(*detector, "new-network");
  constexpr float kUnit = 1024;
  w.view.unit = kUnit;
  w.user.logins *= kUnit;
  for (auto& x : w.user.familiarity) x *= kUnit;
  for (auto& levels : w.everyone.familiarity) {
    for (auto& x : levels) x *= kUnit;
  }
  EXPECT_NEAR(w.llr(*detector, "new-network"), fresh, 1e-5);
}

TEST_F(NewNetworkTest, TheTypeOfNetworkIsWeighedAgainstTheUsersTypes) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const auto consumer = w.run(*detector, "network-type");
  ASSERT_TRUE(consumer);
  EXPECT_GT(consumer->llr, 0) << "exit nodes stand there more often than hotels and phones";
  EXPECT_LT(consumer->llr, 1);
  EXPECT_EQ(consumer->says,
            "the source is consumer broadband; so are 42 % of the networks that are new for somebody here");
  w.everyone.new_types[static_cast<std::size_t>(NetworkType::kBusiness)] = 500;
  EXPECT_GT(w.llr(*detector, "network-type"), 1) << "what was new here never was a home";
  w.from("5.2.1.1", w.phone, Familiarity::kNewSystemNear);
  const double phone = w.llr(*detector, "network-type");
  w.everyone.new_types[static_cast<std::size_t>(NetworkType::kMobile)] = 500;
  EXPECT_LT(w.llr(*detector, "network-type"), phone) << "the more phones, the less a phone says";
  w.from("5.2.1.1", w.home, Familiarity::kSameSystemNear);
  EXPECT_FALSE(w.run(*detector, "network-type")) << "she is known for this provider";
}

TEST_F(NewNetworkTest, TheFirstLogInOfAUserIsNewByDefinition) {
  w.view.user = nullptr;
  w.from("5.2.1.1", w.town, Familiarity::kNewCountry);
  EXPECT_FALSE(w.run(*detector, "new-network"));
  const auto type = w.run(*detector, "network-type");
  ASSERT_TRUE(type);
  EXPECT_NE(type->says.find("colleagues come from such networks"), std::string::npos) << type->says;
}

TEST_F(NewNetworkTest, SeveralUsersBehindOneNewAddressAreSuspicious) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w.run(*detector, "shared-source")) << "nobody else was there";
  w.view.source_profile = &w.source;
  w.view.shared_lately = true;
  w.source.first_seen = kNoon - core::kHour;
  w.source.users = {9999, 0, 0};
  w.source.user_count = 1;
  const auto e = w.run(*detector, "shared-source");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "1 other user logged in from this very address since 2026-11-23T11:00:00Z");
  w.everyone.shared = 100;
  w.everyone.unshared = 100;
  EXPECT_EQ(w.llr(*detector, "shared-source"), 0) << "where people share addresses all the time it says nothing";
  w.from("5.2.1.1", w.phone, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w.run(*detector, "shared-source")) << "phones share addresses";
}

TEST_F(NewNetworkTest, AProviderThatRenumbersMakesANewPrefixOrdinary) {
  w.from("5.1.9.1", w.home, Familiarity::kSameSystemNear);
  w.view.moved = 0.02;
  const double fixed = w.llr(*detector, "new-network");
  w.view.moved = 0.9;
  const double daily = w.llr(*detector, "new-network");
  EXPECT_GT(fixed, daily + 3);
  EXPECT_LT(daily, 0);
}

TEST_F(NewNetworkTest, AnotherCustomersLineStandsFurtherAway) {
  w.from("5.1.9.1", w.home, Familiarity::kSameSystemNear);
  w.view.distance_own = 0.5;  // in the pool of her own line
  w.view.distance_others = 0.1;
  const double pool = w.llr(*detector, "new-network");
  w.view.distance_own = 0.1;
  w.view.distance_others = 0.5;
  EXPECT_GT(w.llr(*detector, "new-network"), pool + 2);
}

TEST_F(NewNetworkTest, WhatIsOnProbationSaysSinceWhen) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  const double first = w.llr(*detector, "new-network");
  w.view.network_since = kNoon - 30 * core::kHour;
  const auto e = w.run(*detector, "new-network");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->llr, first);
  EXPECT_TRUE(e->says.ends_with("; it first appeared 30 hours before")) << e->says;
}

TEST_F(NewNetworkTest, ALineThatIsStillInUseHasNotMoved) {
  w.from("5.1.9.1", w.home, Familiarity::kSameSystemNear);
  EXPECT_FALSE(w.run(*detector, "line-kept"));
  w.view.line_kept = true;
  w.view.back_ip = ip("5.1.1.1");
  w.view.back_at = kNoon + 90 * core::kMinute;
  const auto e = w.run(*detector, "line-kept");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "no new address of alice's own line: 5.1.1.1 is in use again 1.5 hours later");
  w.view.returned = 0.9;
  EXPECT_EQ(w.llr(*detector, "line-kept"), 0) << "a provider whose customers come and go";
}

TEST_F(NewNetworkTest, ASecondSessionElsewhereIsSuspicious) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  w.user.open[1] = {baseline::prefix_key(ip("5.1.1.1")), 64500, kNoon - core::kHour, ip("5.1.1.1")};
  const auto e = w.run(*detector, "concurrent-session");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "another session of alice from 5.1.1.1 was open since 2026-11-23T11:00:00Z");
  w.from("5.2.1.1", w.phone, Familiarity::kNewSystemNear);
  EXPECT_LT(w.llr(*detector, "concurrent-session"), e->llr) << "from home to phone and back happens";
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  w.user.open[1].start = kNoon - 13 * core::kHour;
  EXPECT_FALSE(w.run(*detector, "concurrent-session")) << "long over, its end line is missing";
  w.user.open[1].start = kNoon + core::kMinute;
  EXPECT_FALSE(w.run(*detector, "concurrent-session")) << "it began later";
  w.user.open[1] = {baseline::prefix_key(ip("5.2.1.9")), 64501, kNoon - core::kHour, ip("5.2.1.9")};
  EXPECT_FALSE(w.run(*detector, "concurrent-session")) << "the same network";
}

TEST_F(NewNetworkTest, StaysSilent) {
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  ASSERT_FALSE(w.run(*detector).empty());
  w.view.remote = false;
  EXPECT_TRUE(w.run(*detector).empty()) << "inside";
  w.view.remote = true;
  w.from("5.2.1.1", w.partner, Familiarity::kNewCountry);
  EXPECT_TRUE(w.run(*detector).empty()) << "allowed";
  w.from("5.2.1.1", w.town, Familiarity::kNewSystemNear);
  w.fail();
  EXPECT_TRUE(w.run(*detector).empty()) << "it failed";
}

}  // namespace
}  // namespace orbwatch::detect
