#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using baseline::kAgain;
using baseline::kCarriedOn;
using baseline::kElsewhere;
using test::World;

class ParallelUseTest : public ::testing::Test {
 protected:
  ParallelUseTest() { w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear); }
  double followed(unsigned bits, bool closed = true) {
    w_.view.followed = true;
    w_.view.follow_up_closed = closed;
    w_.view.follow_up = static_cast<std::uint8_t>(bits);
    return w_.llr(*detector_, "what-followed");
  }
  std::unique_ptr<Detector> detector_ = make_parallel_use({});
  World w_;
};

TEST_F(ParallelUseTest, AnotherStrangeLogInSpeaksForThisOne) {
  EXPECT_FALSE(w_.run(*detector_, "other-login")) << "there is none";
  w_.view.other_login = 4;
  w_.view.other_login_at = test::kNoon;
  w_.view.other_login_ip = test::ip("5.9.9.9");
  const auto e = w_.run(*detector_, "other-login");
  ASSERT_TRUE(e);
  EXPECT_DOUBLE_EQ(e->llr, 2);
  EXPECT_EQ(e->says, "another strange log-in of alice, from 5.9.9.9 at 2026-11-23T12:00:00Z");
  w_.view.other_login = 1000;
  EXPECT_EQ(w_.llr(*detector_, "other-login"), 4) << "bounded";
  w_.view.other_login = -1;
  EXPECT_FALSE(w_.run(*detector_, "other-login")) << "an ordinary one says nothing";
}

TEST_F(ParallelUseTest, TheOwnerGoesOnAndFurtherNodesCome) {
  EXPECT_GT(followed(kCarriedOn | kElsewhere), 0.5);
  EXPECT_GT(followed(kCarriedOn | kElsewhere), followed(kCarriedOn));
  EXPECT_LT(followed(kAgain), -1) << "she has moved";
  EXPECT_LT(followed(0), -0.5) << "she is away, or has left";
  EXPECT_EQ(w_.run(*detector_, "what-followed")->says, "alice did not log in from elsewhere for 7 days");
}

TEST_F(ParallelUseTest, WhileItIsNotOverNothingMissingCounts) {
  w_.view.followed = true;
  w_.view.follow_up = 0;
  w_.view.follow_up_closed = false;
  EXPECT_FALSE(w_.run(*detector_, "what-followed"));
  // All stories that go on so are compared: the rest may still come.
  EXPECT_NEAR(followed(kAgain | kCarriedOn | kElsewhere, false), followed(kAgain | kCarriedOn | kElsewhere), 1e-9);
  EXPECT_LT(followed(kAgain, false), 0);
  EXPECT_GT(followed(kCarriedOn, false), 0);
}

TEST_F(ParallelUseTest, WhatIsOrdinaryHereSaysLittle) {
  const double before = followed(kCarriedOn | kElsewhere);
  w_.everyone.follow_ups[1][kCarriedOn | kElsewhere] = 400;
  w_.everyone.follow_ups[1][kCarriedOn] = 400;
  EXPECT_LT(followed(kCarriedOn | kElsewhere), before);
  w_.everyone.follow_ups[0][kCarriedOn | kElsewhere] = 1e9F;
  EXPECT_GT(followed(kCarriedOn | kElsewhere), -2.5) << "lines of a known provider are counted apart";
}

TEST_F(ParallelUseTest, TellsTheStory) {
  followed(kAgain | kCarriedOn | kElsewhere);
  EXPECT_EQ(w_.run(*detector_, "what-followed")->says,
            "within 7 days alice came through this provider again, went on from known networks and came from a further "
            "new network");
  w_.from("5.1.200.1", w_.home, Familiarity::kSameSystemNear);
  followed(kAgain);
  EXPECT_EQ(w_.run(*detector_, "what-followed")->says, "within 7 days alice came from this network again");
}

TEST_F(ParallelUseTest, IsBounded) {
  w_.everyone.follow_ups[1][kAgain] = 1e9F;
  EXPECT_LE(followed(kCarriedOn | kElsewhere), 2.5);
  EXPECT_GE(followed(kAgain), -2.5);
}

TEST_F(ParallelUseTest, ANeighbourHasOthersButNoStory) {
  w_.from("5.1.1.2", w_.home, Familiarity::kSamePrefix);
  w_.view.followed = true;
  w_.view.follow_up = kCarriedOn;
  w_.view.other_login = 4;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "her own line";
  w_.view.neighbour = true;
  EXPECT_TRUE(w_.run(*detector_, "other-login"));
  EXPECT_FALSE(w_.run(*detector_, "what-followed"));
}

TEST_F(ParallelUseTest, StaysSilent) {
  followed(kCarriedOn);
  w_.expect_only_remote_logins_of_known_users(*detector_);
}

}  // namespace
}  // namespace orbwatch::detect
