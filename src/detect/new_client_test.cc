#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using test::World;

class NewClientTest : public ::testing::Test {
 protected:
  NewClientTest() {
    w_.user.clients.add(111, 50);
    w_.everyone.client_known = 970;
    w_.everyone.client_new = 30;
    w_.event.user_agent = core::intern("AnyConnect 4.10");
    w_.event.client_os = core::intern("Linux");
    w_.view.client = 222;
  }
  std::unique_ptr<Detector> detector_ = make_new_client({});
  World w_;
};

TEST_F(NewClientTest, AClientSheNeverUsedIsEvidence) {
  const auto e = w_.run(*detector_, "new-client");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says, "alice never used this client (AnyConnect 4.10, Linux); 0.0 % of log-ins here do");
  EXPECT_EQ(e->group, Group::kClient);
}

TEST_F(NewClientTest, HerOwnClientSpeaksForHer) {
  w_.view.client = 111;
  w_.view.client_known = true;
  const auto e = w_.run(*detector_, "new-client");
  ASSERT_TRUE(e);
  EXPECT_LT(e->llr, -0.5);
  EXPECT_EQ(e->says, "alice uses this client (AnyConnect 4.10, Linux)");
}

TEST_F(NewClientTest, AClientThatColleaguesUseIsANewLaptop) {
  const double nobody = w_.llr(*detector_, "new-client");
  w_.view.client_share = 0.01;
  const double few = w_.llr(*detector_, "new-client");
  w_.view.client_share = 0.4;
  const double many = w_.llr(*detector_, "new-client");
  EXPECT_LT(few, nobody);
  EXPECT_LT(many, few);
}

TEST_F(NewClientTest, WhoHasManyDevicesIsLikelyToShowOneMore) {
  const double one = w_.llr(*detector_, "new-client");
  for (std::uint64_t i = 0; i < 8; ++i) w_.user.clients.add(1000 + i, 1);
  EXPECT_LT(w_.llr(*detector_, "new-client"), one);
}

TEST_F(NewClientTest, AGroupThatChangesDevicesIsLessSurprising) {
  w_.user.logins = 3;
  const double alone = w_.llr(*detector_, "new-client");
  w_.group.client_new = 300;
  w_.group.client_known = 300;
  w_.view.group = &w_.group;
  EXPECT_LT(w_.llr(*detector_, "new-client"), alone);
}

TEST_F(NewClientTest, IsBounded) {
  w_.everyone.client_new = 0;
  w_.everyone.client_known = 1e9F;
  w_.user.logins = 1e9F;
  EXPECT_LE(w_.llr(*detector_, "new-client"), 5.0);
  w_.view.client = 111;
  w_.view.client_known = true;
  EXPECT_GE(w_.llr(*detector_, "new-client"), -1.5);
}

TEST_F(NewClientTest, StaysSilent) {
  w_.view.client = 0;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "the event names no client";
  w_.view.client = 222;
  w_.user.clients = {};
  EXPECT_TRUE(w_.run(*detector_).empty()) << "none of hers was ever named";
  w_.user.clients.add(111, 50);
  w_.view.user = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.view.user = &w_.user;
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.view.remote = true;
  w_.fail();
  EXPECT_TRUE(w_.run(*detector_).empty());
}

}  // namespace
}  // namespace orbwatch::detect
