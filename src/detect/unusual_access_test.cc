#include <cmath>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using baseline::Mark;
using baseline::MarkSeen;

class UnusualAccessTest : public ::testing::Test {
 protected:
  UnusualAccessTest() {
    w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
    w_.event.group = core::intern("Staff");
    w_.event.client_host = core::intern("PC-1");
    w_.event.fingerprint = core::intern("t13d");
    w_.event.mfa = event::Mfa::kYes;
    // Alice has one gateway of two, one computer, one handshake of those that half of the staff have, a second factor.
    for (const Mark kind : {Mark::kGateway, Mark::kComputer, Mark::kFingerprint, Mark::kSecondFactor}) {
      MarkSeen& m = mark(kind);
      m.key = 1;
      m.own = m.all = 40;
      m.known = 1;
      m.share = m.known_share = 0.5;
      m.counted = 1000;
      m.changed = 10;
    }
    mark(Mark::kSecondFactor).share = 1;
  }
  MarkSeen& mark(Mark kind) { return w_.view.marks[static_cast<std::size_t>(kind)]; }
  void renew(Mark kind, double share) {
    mark(kind).own = 0;
    mark(kind).share = share;
  }
  double llr(std::string_view kind) { return w_.llr(*detector_, kind); }
  std::string says(std::string_view kind) {
    const auto e = w_.run(*detector_, kind);
    return e ? e->says : "";
  }
  test::World w_;
  std::unique_ptr<Detector> detector_ = make_unusual_access({});
};

TEST_F(UnusualAccessTest, WhatIsHersSpeaksForHer) {
  EXPECT_FALSE(w_.run(*detector_, "unusual-gateway")) << "no news";
  for (const std::string_view kind : {"unusual-computer", "unusual-fingerprint", "second-factor"}) {
    EXPECT_LT(llr(kind), 0) << kind;
    EXPECT_GE(llr(kind), -1.5) << kind << ": little, for it can be copied";
  }
  EXPECT_LT(llr("unusual-computer"), llr("unusual-fingerprint")) << "the same software shakes hands alike";
}

TEST_F(UnusualAccessTest, ANewGatewayIsTheMoreTellingTheMoreOthersThereAre) {
  renew(Mark::kGateway, 0.5);
  const double two = llr("unusual-gateway");
  EXPECT_GT(two, 2);
  EXPECT_EQ(
      says("unusual-gateway"),
      "first log-in of alice through fw1, group Staff after 40 through others; 50 % of log-ins here go through it");
  mark(Mark::kGateway).known_share = 1;
  EXPECT_LT(llr("unusual-gateway"), two - 1) << "it is new to everybody";
  mark(Mark::kGateway).known_share = 0.5;
  mark(Mark::kGateway).changed = 500;
  EXPECT_LT(llr("unusual-gateway"), two - 1) << "people change here";
}

TEST_F(UnusualAccessTest, WhoUsesSeveralGatewaysMayUseASeldomOne) {
  mark(Mark::kGateway).own = 2;
  mark(Mark::kGateway).known = 3;
  const double seldom = llr("unusual-gateway");
  EXPECT_GT(seldom, 0);
  EXPECT_LT(seldom, 2.5);
  renew(Mark::kGateway, 0.5);
  const double changes = llr("unusual-gateway");
  mark(Mark::kGateway).known = 1;
  EXPECT_GT(llr("unusual-gateway"), changes) << "who often has new ones may have another";
}

TEST_F(UnusualAccessTest, AComputerThatNobodyKnows) {
  renew(Mark::kComputer, 0);
  const double nobody = llr("unusual-computer");
  EXPECT_GT(nobody, 3);
  EXPECT_EQ(says("unusual-computer"), "alice never used a computer named PC-1, nor does anybody here");
  mark(Mark::kComputer).strange_for = core::intern("bob");
  EXPECT_GT(llr("unusual-computer"), nobody);
  EXPECT_EQ(says("unusual-computer"),
            "alice never used a computer named PC-1; it has come up as bob, too, who never used it either");
  mark(Mark::kComputer).share = 0.01;
  EXPECT_LT(llr("unusual-computer"), nobody - 0.5);
  EXPECT_EQ(says("unusual-computer"), "alice never used a computer named PC-1; others do");
}

TEST_F(UnusualAccessTest, AHandshakeOfManyIsALesserSign) {
  renew(Mark::kFingerprint, 0);
  const double nobody = llr("unusual-fingerprint");
  EXPECT_GT(nobody, 2);
  renew(Mark::kFingerprint, 0.3);
  EXPECT_LT(llr("unusual-fingerprint"), nobody - 0.5) << "a roll-out";
  EXPECT_EQ(says("unusual-fingerprint"), "the client's handshake is new to alice (t13d); 30 % of log-ins here have it");
}

TEST_F(UnusualAccessTest, AStolenKeyIsTheUsersOwn) {
  w_.event.auth_method = event::AuthMethod::kPublicKey;
  EXPECT_FALSE(w_.run(*detector_, "unusual-fingerprint")) << "who comes with a key has stolen it";
  renew(Mark::kFingerprint, 0);
  EXPECT_GT(llr("unusual-fingerprint"), 1);
  EXPECT_EQ(says("unusual-fingerprint"), "the key is new to alice (t13d); 0 % of log-ins here have it");
}

TEST_F(UnusualAccessTest, WithoutTheSecondFactor) {
  renew(Mark::kSecondFactor, 0.02);
  w_.event.mfa = event::Mfa::kNo;
  const double never = llr("second-factor");
  EXPECT_GT(never, 3);
  EXPECT_EQ(says("second-factor"), "without a second factor; alice logs in so in 0 % of cases");
  mark(Mark::kSecondFactor).share = 0.9;
  EXPECT_LT(llr("second-factor"), never - 1) << "as nearly everybody";
  mark(Mark::kSecondFactor).own = 20;
  EXPECT_LT(llr("second-factor"), 1);
}

TEST_F(UnusualAccessTest, WhoIsAwayIsComparedWithPeopleWhoAreAway) {
  renew(Mark::kGateway, 0.5);
  renew(Mark::kComputer, 0);
  const double gateway = llr("unusual-gateway"), computer = llr("unusual-computer");
  for (MarkSeen& m : w_.view.marks) {
    m.away = true;
    m.changed = 150;  // of 1,000
  }
  EXPECT_LT(llr("unusual-gateway"), gateway - 2) << "clients on the road are led to the nearest gateway";
  EXPECT_LT(llr("unusual-computer"), computer - 2);
  EXPECT_GT(llr("unusual-computer"), 1);
}

TEST_F(UnusualAccessTest, SaysNothingOfWhatIsNotKnown) {
  for (MarkSeen& m : w_.view.marks) m.all = 1;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "one log-in";
  for (MarkSeen& m : w_.view.marks) m = {};
  EXPECT_TRUE(w_.run(*detector_).empty()) << "not told";
}

TEST_F(UnusualAccessTest, IsBounded) {
  for (const double own : {0.0, 1e6}) {
    for (MarkSeen& m : w_.view.marks) {
      m.own = own;
      m.all = 1e6;
      m.changed = own;
      m.counted = 1e6;
      m.share = own > 0 ? 1 : 0;
    }
    for (const Evidence& e : w_.run(*detector_)) {
      EXPECT_LE(e.llr, 5.5) << e.kind;
      EXPECT_GE(e.llr, -1.5) << e.kind;
    }
  }
}

TEST_F(UnusualAccessTest, StaysSilent) { w_.expect_only_remote_logins_of_known_users(*detector_); }

}  // namespace
}  // namespace orbwatch::detect
