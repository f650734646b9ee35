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
  std::unique_ptr<Detector> detector_ = make_new_network({});
  World w_;
};

TEST_F(NewNetworkTest, TheOwnPrefixSpeaksForTheUser) {
  const auto e = w_.run(*detector_, "new-network");
  ASSERT_TRUE(e);
  EXPECT_LT(e->llr, -3);
  EXPECT_EQ(e->says, "alice logged in from this address before");
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_FALSE(w_.run(*detector_, "network-type")) << "whatever it is, it is hers";
}

TEST_F(NewNetworkTest, AnAccountThatNeverWasUsed) {
  w_.view.user = nullptr;
  w_.view.first_login = 0.001;
  w_.view.unseen_accounts = 0.02;
  const auto e = w_.run(*detector_, "first-log-in");
  ASSERT_TRUE(e);
  EXPECT_NEAR(e->llr, std::log(20), 1e-6);
  EXPECT_EQ(
      e->says,
      "first log-in ever seen of alice, through Home Net (AS64500) from Berlin, DE; 0.10 % of log-ins here are the "
      "first of their account");
  EXPECT_FALSE(w_.run(*detector_, "new-network"));
  w_.view.first_login = 0.9;
  EXPECT_DOUBLE_EQ(w_.llr(*detector_, "first-log-in"), -1) << "on the first day everybody is new";
  w_.view.first_login = 1e-6;
  EXPECT_DOUBLE_EQ(w_.llr(*detector_, "first-log-in"), 4);
  w_.view.user = &w_.user;
  EXPECT_FALSE(w_.run(*detector_, "first-log-in"));
}

TEST_F(NewNetworkTest, OfASeldomUsedAccountALargerPartWouldBeTheIntruders) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.user.first_seen = w_.view.now - 365 * core::kDay;
  const double days = 30 / std::log(2.0);  // that weigh, of a year
  const auto a_day = [&](double logins) {
    w_.user.logins = static_cast<float>(logins * days);
    return w_.llr(*detector_, "new-network");
  };
  EXPECT_NEAR(a_day(0.5) - a_day(2), std::log(4.0) / 2, 0.1) << "half of it is told by the forecast";
  EXPECT_NEAR(a_day(0.1) - a_day(0.5), std::log(5.0) / 2, 0.2) << "two log-ins are imagined";
  EXPECT_LT(a_day(0) - a_day(1000), 2.51) << "bounded";
}

TEST_F(NewNetworkTest, ANeighboursLineIsNotTheOwn) {
  const double own = w_.llr(*detector_, "new-network");
  w_.from("5.1.1.9", w_.home, Familiarity::kSamePrefix);
  w_.view.neighbour = true;
  w_.view.readdressed = 0.001;
  const auto e = w_.run(*detector_, "new-network");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, own + 3);
  EXPECT_EQ(
      e->says,
      "alice logged in from this prefix before, but never from 5.1.1.9; lines here get another address in 0.1 % of "
      "log-ins");
  w_.view.readdressed = 0.5;
  EXPECT_LT(w_.llr(*detector_, "new-network"), e->llr - 3) << "where lines get another one all the time";
}

TEST_F(NewNetworkTest, APrefixThatTheUserSeldomComesFromIsLessHisOwn) {
  w_.user.prefixes.add(baseline::prefix_key(ip("5.1.2.1")), 5);
  w_.view.neighbour = true;
  const double usual = w_.llr(*detector_, "new-network");
  w_.from("5.1.2.1", w_.home, Familiarity::kSamePrefix);
  w_.view.neighbour = true;
  const double seldom = w_.llr(*detector_, "new-network");
  EXPECT_NEAR(seldom - usual, std::log(50.0 / 5), 1e-6) << "as much as he comes from there more seldom";
  for (int i = 0; i < 20; ++i) w_.user.prefixes.add(baseline::prefix_key(ip("5.1.1.1")), 1000);
  EXPECT_LT(w_.llr(*detector_, "new-network"), seldom + 2) << "bounded";
}

TEST_F(NewNetworkTest, ASessionOfTheOwnLineIsOpenBesideANeighbours) {
  w_.user.open[1] = {64500, kNoon - core::kHour, ip("5.1.1.1")};
  w_.from("5.1.1.9", w_.home, Familiarity::kSamePrefix);
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session"));
  w_.view.neighbour = true;
  EXPECT_TRUE(w_.run(*detector_, "concurrent-session"));
  w_.user.open[1].ip = ip("5.1.1.9");
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session")) << "his own other session";
}

TEST_F(NewNetworkTest, ANewProviderInTheSameTownSpeaksForACovertNetwork) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const auto e = w_.run(*detector_, "new-network");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is through Town Cable (AS64501), "
            "though in the usual area (Potsdam, DE); none of 800 users here ever came through it");
}

TEST_F(NewNetworkTest, TheLessFamiliarTheProviderTheMoreItSays) {
  w_.from("5.2.1.1", w_.home, Familiarity::kSamePrefix);
  const double own = w_.llr(*detector_, "new-network");
  w_.from("5.2.1.1", w_.home, Familiarity::kSameSystemNear);
  const double near = w_.llr(*detector_, "new-network");
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const double other = w_.llr(*detector_, "new-network");
  EXPECT_LT(own, near);
  EXPECT_LT(near, other);
}

TEST_F(NewNetworkTest, SaysEachLevelInWords) {
  w_.from("5.2.1.1", w_.home, Familiarity::kSameSystemNear);
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is through Home Net (AS64500), too, "
            "but from a prefix that alice never used");
  w_.from("5.2.1.1", w_.home, Familiarity::kSameSystemFar);
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is through Home Net (AS64500), too, "
            "but from Berlin, DE, where alice never was");
  w_.from("5.2.1.1", w_.far, Familiarity::kNewSystemFar);
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is through Rented Servers (AS64502) "
            "and from Munich, DE; none of 800 users here ever came through it");
  w_.from("5.2.1.1", w_.abroad, Familiarity::kNewCountry);
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is from New York, US, through Abroad "
            "DSL (AS64503); none of 800 users here ever came through it");
  w_.from("5.2.1.1", 0, Familiarity::kNewCountry);
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 50 log-ins since 2026-08-25, all through Home Net; this one is from an unknown place, through an "
            "unannounced network; none of 800 users here ever came through it");
}

TEST_F(NewNetworkTest, TellsWhatTheUserDoesOtherwise) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.view.usual = {{{core::intern("Home Net"), 64500, 0.7}, {{}, 64504, 0.2}}};
  w_.view.system_share = 0.031;
  w_.user.count = 212;
  EXPECT_EQ(w_.run(*detector_, "new-network")->says,
            "alice: 212 log-ins since 2026-08-25, 90 % of them through Home Net and AS64504; this one is through Town "
            "Cable (AS64501), though in the usual area (Potsdam, DE); 3.1 % of log-ins here come through it");
  w_.view.usual = {};
  w_.user.count = 1;
  EXPECT_TRUE(w_.run(*detector_, "new-network")->says.starts_with("alice: 1 log-in since 2026-08-25; this one is"));
}

TEST_F(NewNetworkTest, WithoutATableOfNetworksAllThatIsNewIsAlike) {
  w_.user.systems = {};
  w_.user.places = {};
  w_.user.countries = {};
  w_.from("5.2.1.1", 0, Familiarity::kNewCountry);
  const double untold = w_.llr(*detector_, "new-network");
  w_.user.countries.add(core::pack_country("DE"), 50);
  EXPECT_GT(untold, w_.llr(*detector_, "new-network") + 1) << "only the address is unknown";
}

TEST_F(NewNetworkTest, AUserWhoRoamsIsLessSurprising) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const double homely = w_.llr(*detector_, "new-network");
  w_.user.familiarity = {20, 5, 5, 15, 5, 0};
  EXPECT_LT(w_.llr(*detector_, "new-network"), homely);
}

TEST_F(NewNetworkTest, APeerGroupThatRoamsIsLessSurprising) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const double alone = w_.llr(*detector_, "new-network");
  for (auto& levels : w_.group.familiarity) levels = {200, 50, 50, 300, 50, 10};
  w_.view.group = &w_.group;
  EXPECT_LT(w_.llr(*detector_, "new-network"), alone);
}

TEST_F(NewNetworkTest, NoveltyIsOrdinaryForANewcomer) {
  w_.from("5.2.1.1", w_.abroad, Familiarity::kNewCountry);
  for (auto& levels : w_.everyone.familiarity) levels = {};  // the priors alone
  w_.user.familiarity = {};
  const double experienced = w_.llr(*detector_, "new-network");
  w_.user.logins = 2;
  w_.user.first_seen = w_.view.now - 3 * core::kDay;
  const double beginner = w_.llr(*detector_, "new-network");
  w_.user.logins = 0;
  w_.user.first_seen = w_.view.now;
  const double newcomer = w_.llr(*detector_, "new-network");
  EXPECT_LT(beginner, experienced);
  EXPECT_LT(newcomer, beginner);
  EXPECT_LT(newcomer, 0.5);
}

TEST_F(NewNetworkTest, AProviderThatColleaguesUseIsLessSurprising) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.networks.as_shares[64501] = 0.1;
  const double nobody = w_.llr(*detector_, "new-network");
  w_.view.system_share = 0.2;
  EXPECT_LT(w_.llr(*detector_, "new-network"), nobody);
}

TEST_F(NewNetworkTest, DecayedWeightsGiveTheSameAsCounts) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const double fresh = w_.llr(*detector_, "new-network");
  constexpr float kUnit = 1024;
  w_.view.unit = kUnit;
  w_.user.logins *= kUnit;
  for (auto& x : w_.user.familiarity) x *= kUnit;
  for (auto& levels : w_.everyone.familiarity) {
    for (auto& x : levels) x *= kUnit;
  }
  EXPECT_NEAR(w_.llr(*detector_, "new-network"), fresh, 1e-5);
}

TEST_F(NewNetworkTest, TheTypeOfNetworkIsWeighedAgainstTheUsersTypes) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const auto consumer = w_.run(*detector_, "network-type");
  ASSERT_TRUE(consumer);
  EXPECT_GT(consumer->llr, 0) << "exit nodes stand there more often than hotels and phones";
  EXPECT_LT(consumer->llr, 1);
  EXPECT_EQ(consumer->says,
            "the source is consumer broadband; so are 42 % of the networks that are new for somebody here");
  w_.everyone.new_types[static_cast<std::size_t>(NetworkType::kBusiness)] = 500;
  EXPECT_GT(w_.llr(*detector_, "network-type"), 1) << "what was new here never was a home";
  w_.from("5.2.1.1", w_.phone, Familiarity::kNewSystemNear);
  const double phone = w_.llr(*detector_, "network-type");
  w_.everyone.new_types[static_cast<std::size_t>(NetworkType::kMobile)] = 500;
  EXPECT_LT(w_.llr(*detector_, "network-type"), phone) << "the more phones, the less a phone says";
  w_.from("5.2.1.1", w_.home, Familiarity::kSameSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "network-type")) << "she is known for this provider";
}

TEST_F(NewNetworkTest, TheFirstLogInOfAUserIsNewByDefinition) {
  w_.view.user = nullptr;
  w_.from("5.2.1.1", w_.town, Familiarity::kNewCountry);
  EXPECT_FALSE(w_.run(*detector_, "new-network"));
  const auto type = w_.run(*detector_, "network-type");
  ASSERT_TRUE(type);
  EXPECT_NE(type->says.find("colleagues come from such networks"), std::string::npos) << type->says;
}

TEST_F(NewNetworkTest, SeveralUsersBehindOneNewAddressAreSuspicious) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "shared-source")) << "nobody else was there";
  w_.view.source_profile = &w_.source;
  w_.view.shared_lately = true;
  w_.source.first_seen = kNoon - core::kHour;
  w_.source.users = {9999, 0, 0};
  w_.source.user_count = 1;
  const auto e = w_.run(*detector_, "shared-source");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "1 other user logged in from this very address since 2026-11-23T11:00:00Z");
  w_.everyone.shared = 100;
  w_.everyone.unshared = 100;
  EXPECT_EQ(w_.llr(*detector_, "shared-source"), 0) << "where people share addresses all the time it says nothing";
  w_.from("5.2.1.1", w_.phone, Familiarity::kNewSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "shared-source")) << "phones share addresses";
}

TEST_F(NewNetworkTest, AProviderThatRenumbersMakesANewPrefixOrdinary) {
  w_.from("5.1.9.1", w_.home, Familiarity::kSameSystemNear);
  w_.moved = 0.02;
  const double fixed = w_.llr(*detector_, "new-network");
  w_.moved = 0.9;
  const double daily = w_.llr(*detector_, "new-network");
  EXPECT_GT(fixed, daily + 3);
  EXPECT_LT(daily, 0);
}

TEST_F(NewNetworkTest, AnotherCustomersLineStandsFurtherAway) {
  w_.from("5.1.9.1", w_.home, Familiarity::kSameSystemNear);
  w_.view.distance_own = 0.5;  // in the pool of her own line
  w_.view.distance_others = 0.1;
  const double pool = w_.llr(*detector_, "new-network");
  w_.view.distance_own = 0.1;
  w_.view.distance_others = 0.5;
  EXPECT_GT(w_.llr(*detector_, "new-network"), pool + 2);
}

TEST_F(NewNetworkTest, WhatIsOnProbationSaysSinceWhen) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  const double first = w_.llr(*detector_, "new-network");
  w_.view.network_since = kNoon - 30 * core::kHour;
  const auto e = w_.run(*detector_, "new-network");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->llr, first);
  EXPECT_TRUE(e->says.ends_with("; it first appeared 30 hours before")) << e->says;
}

TEST_F(NewNetworkTest, ALineThatIsStillInUseHasNotMoved) {
  w_.from("5.1.9.1", w_.home, Familiarity::kSameSystemNear);
  EXPECT_FALSE(w_.run(*detector_, "line-kept"));
  w_.view.line_kept = true;
  w_.view.back_ip = ip("5.1.1.1");
  w_.view.back_at = kNoon + 90 * core::kMinute;
  const auto e = w_.run(*detector_, "line-kept");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "no new address of alice's own line: 5.1.1.1 is in use again 1.5 hours later");
  w_.view.returned = 0.9;
  EXPECT_EQ(w_.llr(*detector_, "line-kept"), 0) << "a provider whose customers come and go";
}

TEST_F(NewNetworkTest, ASessionThatGoesOnFromTheTelephoneIsTheUsersOwn) {
  w_.from("5.2.1.1", w_.phone, Familiarity::kNewSystemNear);
  w_.user.open[1] = {64500, kNoon - core::kHour, ip("5.1.1.1")};
  const double own = w_.llr(*detector_, "resumed-session");
  EXPECT_GT(own, 0) << "a log-in of its own is a little stranger there";
  EXPECT_LT(own, 0.3);
  baseline::Tunnel tunnel;
  w_.resumed = &tunnel;
  const auto resumed = [&](const char* opened) {
    tunnel.source = ip(opened);
    return w_.run(*detector_, "resumed-session");
  };
  const auto e = resumed("5.1.1.1");
  ASSERT_TRUE(e);
  EXPECT_LT(e->llr, -2);
  EXPECT_GE(e->llr, -4);
  EXPECT_TRUE(e->says.starts_with("goes on with the session that alice had opened from 5.1.1.1; so do 10 % of "))
      << e->says;
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session")) << "it is the one that was open";
  EXPECT_FALSE(resumed("5.9.9.9")) << "opened from a network as new as this one";
  // Where nobody's sessions go on, one that does is strange.
  auto& counts = w_.everyone.circumstances[static_cast<std::size_t>(Familiarity::kNewSystemNear)];
  counts.logins = {100000, 100000};
  const auto stolen = resumed("5.1.1.1");
  ASSERT_TRUE(stolen);
  EXPECT_GT(stolen->llr, 1);
}

TEST_F(NewNetworkTest, ASecondSessionElsewhereIsSuspicious) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.user.open[1] = {64500, kNoon - core::kHour, ip("5.1.1.1")};
  const auto e = w_.run(*detector_, "concurrent-session");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 1);
  EXPECT_EQ(e->says, "another session of alice from 5.1.1.1 was open since 2026-11-23T11:00:00Z");
  w_.from("5.2.1.1", w_.phone, Familiarity::kNewSystemNear);
  EXPECT_LT(w_.llr(*detector_, "concurrent-session"), e->llr) << "from home to phone and back happens";
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.user.open[1].start = kNoon - 13 * core::kHour;
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session")) << "long over, its end line is missing";
  w_.user.open[1].start = kNoon + core::kMinute;
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session")) << "it began later";
  w_.user.open[1] = {64501, kNoon - core::kHour, ip("5.2.1.9")};
  EXPECT_FALSE(w_.run(*detector_, "concurrent-session")) << "the same network";
}

TEST_F(NewNetworkTest, StaysSilent) {
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  ASSERT_FALSE(w_.run(*detector_).empty());
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "inside";
  w_.view.remote = true;
  w_.from("5.2.1.1", w_.partner, Familiarity::kNewCountry);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "allowed";
  w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
  w_.fail();
  EXPECT_TRUE(w_.run(*detector_).empty()) << "it failed";
}

}  // namespace
}  // namespace orbwatch::detect
