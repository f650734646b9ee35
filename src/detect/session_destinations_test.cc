#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Acquaintance;
using baseline::DestinationProfile;
using baseline::Familiarity;
using baseline::Reached;
using baseline::ReachShapes;
using test::World;

// Alice reaches what she always does, once in some sessions something new; so do all.
class SessionDestinationsTest : public ::testing::Test {
 protected:
  SessionDestinationsTest() {
    const Reached usual{
        .destinations = 8, .usual = 4, .usual_seen = 4, .acquaintance = Acquaintance::kWell, .ended = true};
    const Reached curious{
        .destinations = 9, .fresh = 1, .usual = 4, .usual_seen = 4, .acquaintance = Acquaintance::kWell, .ended = true};
    alice_.sessions = 50;
    alice_.shapes.add(usual, 45);
    alice_.shapes.add(curious, 5);
    everyone_.add(usual, 900);
    everyone_.add(curious, 100);
    w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
    w_.view.reached = &reached_;
    w_.view.destinations = &alice_;
    w_.view.reach_everyone = &everyone_;
    w_.view.reach_away = &away_;
    w_.view.reachable = 200;
  }
  std::unique_ptr<Detector> detector_ = make_session_destinations({});
  Reached reached_{.destinations = 14,
                   .fresh = 12,
                   .rare = 9,
                   .usual = 4,
                   .usual_seen = 1,
                   .acquaintance = Acquaintance::kWell,
                   .ended = true,
                   .examples = {{{test::ip("10.1.0.30"), 445}, {test::ip("10.1.0.31"), 0}, {}}}};
  DestinationProfile alice_;
  ReachShapes everyone_;
  ReachShapes away_;
  World w_;
};

TEST_F(SessionDestinationsTest, ManyNewHostsAreEvidence) {
  const auto fresh = w_.run(*detector_, "new-destinations");
  ASSERT_TRUE(fresh);
  EXPECT_GT(fresh->llr, 2);
  EXPECT_LE(fresh->llr, 5);
  EXPECT_EQ(fresh->group, Group::kDestinations);
  EXPECT_TRUE(fresh->says.starts_with(
      "the session reached 14 destinations inside, 12 of them new to alice (10.1.0.30 port 445, 10.1.0.31); so "))
      << fresh->says;
  const auto rare = w_.run(*detector_, "rare-destinations");
  ASSERT_TRUE(rare);
  EXPECT_GT(rare->llr, 1.5);
  EXPECT_TRUE(rare->says.starts_with("9 of what was new to alice inside hardly anybody uses; ")) << rare->says;
  const auto usual = w_.run(*detector_, "usual-destinations");
  ASSERT_TRUE(usual);
  EXPECT_GT(usual->llr, 1);
  EXPECT_EQ(usual->group, Group::kClient) << "it tells of the computer";
  EXPECT_TRUE(usual->says.starts_with("of 4 destinations that nearly all sessions of alice reach this one reached 1; "))
      << usual->says;
}

TEST_F(SessionDestinationsTest, TheUsualSpeaksForTheUser) {
  reached_ = {.destinations = 8, .usual = 4, .usual_seen = 4, .acquaintance = Acquaintance::kWell, .ended = true};
  for (const Evidence& e : w_.run(*detector_)) {
    EXPECT_LT(e.llr, -0.2) << e.kind;
    EXPECT_GE(e.llr, -0.7) << "an intruder may keep to the mail: " << e.kind;
  }
  EXPECT_EQ(w_.run(*detector_).size(), 2U);
}

TEST_F(SessionDestinationsTest, WhoAlwaysReachesNewHostsIsNotStrange) {
  const double before = w_.llr(*detector_, "new-destinations");
  alice_.shapes = {};
  alice_.shapes.add(reached_, 50);  // the help desk
  EXPECT_LT(w_.llr(*detector_, "new-destinations"), before - 2);
  EXPECT_LT(w_.llr(*detector_, "new-destinations"), 0.5);
}

TEST_F(SessionDestinationsTest, WhatPeopleDoInNewPlacesIsLearned) {
  const double before = w_.llr(*detector_, "usual-destinations");
  Reached phone{.destinations = 1, .usual = 4, .usual_seen = 1, .acquaintance = Acquaintance::kWell, .ended = true};
  away_.add(phone, 300);
  EXPECT_LT(w_.llr(*detector_, "usual-destinations"), before - 0.5) << "the mail, by telephone";
}

TEST_F(SessionDestinationsTest, ASessionThatGoesOnHasNotMissedAnything) {
  reached_.ended = false;
  EXPECT_FALSE(w_.run(*detector_, "usual-destinations"));
  EXPECT_TRUE(w_.run(*detector_, "new-destinations"));
  reached_ = {.destinations = 2, .acquaintance = Acquaintance::kWell};
  EXPECT_TRUE(w_.run(*detector_).empty()) << "nor does it speak for the user yet";
}

TEST_F(SessionDestinationsTest, OfAStrangerOnlyRareDestinationsTell) {
  everyone_ = {};
  everyone_.add({.destinations = 8, .fresh = 8, .ended = true}, 1000);
  reached_.acquaintance = Acquaintance::kNone;
  reached_.fresh = reached_.destinations;
  reached_.usual = 0;
  w_.view.destinations = nullptr;
  EXPECT_EQ(w_.run(*detector_).size(), 1U);
  const auto rare = w_.run(*detector_, "rare-destinations");
  ASSERT_TRUE(rare);
  EXPECT_GT(rare->llr, 2);
  EXPECT_TRUE(rare->says.starts_with("the session reached 14 destinations inside, 9 of them used by hardly anybody ("))
      << rare->says;
}

TEST_F(SessionDestinationsTest, WhereLittleCanBeSeenLittleFollows) {
  reached_ = {.destinations = 1, .acquaintance = Acquaintance::kWell, .ended = true};
  w_.view.reachable = 1;
  EXPECT_GT(w_.llr(*detector_, "new-destinations"), -0.05) << "a firewall that logs one server only";
}

TEST_F(SessionDestinationsTest, NobodyKnowsAnythingYet) {
  alice_.shapes = everyone_ = {};
  for (const Evidence& e : w_.run(*detector_)) EXPECT_NEAR(e.llr, 0, 1e-9) << e.kind;
}

TEST_F(SessionDestinationsTest, StaysSilent) {
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "from inside";
  w_.view.remote = true;
  w_.view.reached = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty());
}

}  // namespace
}  // namespace orbwatch::detect
