#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using test::World;

class NewClientTest : public ::testing::Test {
 protected:
  NewClientTest() {
    w.user.clients.add(111, 50);
    w.everyone.client_known = 970;
    w.everyone.client_new = 30;
    w.event.user_agent = core::intern("AnyConnect 4.10");
    w.event.client_os = core::intern("Linux");
    w.view.client = 222;
  }
  std::unique_ptr<Detector> detector = make_new_client({});
  World w;
};

TEST_F(NewClientTest, AClientSheNeverUsedIsEvidence) {
  const auto e = w.run(*detector, "new-client");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says, "alice never used this client (AnyConnect 4.10, Linux); 0.0 % of log-ins here do");
  EXPECT_EQ(e->group, Group::kClient);
}

TEST_F(NewClientTest, HerOwnClientSpeaksForHer) {
  w.view.client = 111;
  const auto e = w.run(*detector, "new-client");
  ASSERT_TRUE(e);
  EXPECT_LT(e->llr, -0.5);
  EXPECT_EQ(e->says, "alice uses this client (AnyConnect 4.10, Linux)");
}

TEST_F(NewClientTest, AClientThatColleaguesUseIsANewLaptop) {
  const double nobody = w.llr(*detector, "new-client");
  w.view.client_share = 0.01;
  const double few = w.llr(*detector, "new-client");
  w.view.client_share = 0.4;
  const double many = w.llr(*detector, "new-client");
  EXPECT_LT(few, nobody);
  EXPECT_LT(many, few);
}

TEST_F(NewClientTest, WhoHasManyDevicesIsLikelyToShowOneMore) {
  const double one = w.llr(*detector, "new-client");
  for (std::uint64_t i = 0; i < 8; ++i) w.user.clients.add(1000 + i, 1);
  EXPECT_LT(w.llr(*detector, "new-client"), one);
}

TEST_F(NewClientTest, AGroupThatChangesDevicesIsLessSurprising) {
  w.user.logins = 3;
  const double alone = w.llr(*detector, "new-client");
  w.group.client_new = 300;
  w.group.client_known = 300;
  w.view.group = &w.group;
  EXPECT_LT(w.llr(*detector, "new-client"), alone);
}

TEST_F(NewClientTest, IsBounded) {
  w.everyone.client_new = 0;
  w.everyone.client_known = 1e9F;
  w.user.logins = 1e9F;
  EXPECT_LE(w.llr(*detector, "new-client"), 5.0);
  w.view.client = 111;
  EXPECT_GE(w.llr(*detector, "new-client"), -1.5);
}

TEST_F(NewClientTest, StaysSilent) {
  w.view.client = 0;
  EXPECT_TRUE(w.run(*detector).empty()) << "the event names no client";
  w.view.client = 222;
  w.user.clients = {};
  EXPECT_TRUE(w.run(*detector).empty()) << "none of hers was ever named";
  w.user.clients.add(111, 50);
  w.expect_only_remote_logins_of_known_users(*detector);
}

}  // namespace
}  // namespace orbwatch::detect
