#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using baseline::SessionShape;
using test::World;

// Alice works for eight hours and loads some tens of megabytes; so do all.
class SessionBehaviourTest : public ::testing::Test {
 protected:
  SessionBehaviourTest() {
    const SessionShape day{7 * core::kHour, 8'000'000, 60'000'000};
    w_.user.sessions.add(day, 50);
    w_.everyone.sessions.add(day, 1000);
    w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
    w_.view.session = &shape_;
  }
  std::unique_ptr<Detector> detector_ = make_session_behaviour({});
  SessionShape shape_{20 * core::kMinute, 9'000'000, 50'000'000};
  World w_;
};

TEST_F(SessionBehaviourTest, AnotherLengthIsEvidence) {
  const auto e = w_.run(*detector_, "session-length");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0.5);
  EXPECT_LE(e->llr, 4);
  EXPECT_EQ(e->group, Group::kDuration);
  EXPECT_TRUE(e->says.starts_with("the session lasted 0.3 hours; as expected of alice in ")) << e->says;
  EXPECT_LT(w_.llr(*detector_, "session-volume"), 0) << "as always";
  shape_.length = 7 * core::kHour;
  EXPECT_LT(w_.llr(*detector_, "session-length"), 0);
  EXPECT_GE(w_.llr(*detector_, "session-length"), -0.7) << "an intruder may stay all day as well";
}

TEST_F(SessionBehaviourTest, AnUploadIsEvidence) {
  shape_ = {7 * core::kHour, 3'000'000'000, 40'000'000};
  const auto upload = w_.run(*detector_, "session-upload");
  ASSERT_TRUE(upload);
  EXPECT_GT(upload->llr, 0.5);
  EXPECT_TRUE(upload->says.starts_with("99 % of its bytes were sent by the client; ")) << upload->says;
  EXPECT_GT(w_.llr(*detector_, "session-volume"), 0.5) << "3 GB";
}

TEST_F(SessionBehaviourTest, WhatPeopleDoInNewPlacesIsLearned) {
  const double before = w_.llr(*detector_, "session-length");
  w_.everyone.new_sessions.add({20 * core::kMinute, 1'000'000, 9'000'000}, 300);
  EXPECT_LT(w_.llr(*detector_, "session-length"), before - 0.5) << "a look at the mail from the hotel";
  EXPECT_LT(w_.llr(*detector_, "session-length"), 0);
}

TEST_F(SessionBehaviourTest, NobodyKnowsAnythingYet) {
  w_.user.sessions = w_.everyone.sessions = {};
  for (const Evidence& e : w_.run(*detector_)) EXPECT_NEAR(e.llr, 0, 1e-9) << e.kind;
}

TEST_F(SessionBehaviourTest, SaysOnlyWhatTheEndTold) {
  shape_.source_bytes = shape_.destination_bytes = 0;
  EXPECT_EQ(w_.run(*detector_).size(), 1U);
  shape_.length = 0;
  EXPECT_TRUE(w_.run(*detector_).empty());
  shape_.destination_bytes = 1;
  EXPECT_EQ(w_.run(*detector_).size(), 2U);
}

TEST_F(SessionBehaviourTest, StaysSilent) {
  w_.view.session = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "it is still open";
  w_.view.session = &shape_;
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "from inside";
  w_.view.remote = true;
  w_.view.user = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "nothing is known of the user";
}

}  // namespace
}  // namespace orbwatch::detect
