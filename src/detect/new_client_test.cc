#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Client;
using baseline::ClientChange;
using test::World;

Client client(std::string_view software, std::string_view system = "Windows") {
  return {core::intern(software), core::intern(system)};
}

class NewClientTest : public ::testing::Test {
 protected:
  NewClientTest() {
    w_.user.clients.add(client("AnyConnect 4.10"), 50);
    w_.everyone.client_changes = {950, 30, 5, 15};
    w_.event.user_agent = core::intern("AnyConnect 4.10");
    w_.event.client_os = core::intern("Linux");
    w_.view.client = client("AnyConnect 4.10", "Linux");
  }
  double as(ClientChange change) {
    w_.view.client_change = change;
    return w_.llr(*detector_, "new-client");
  }
  std::unique_ptr<Detector> detector_ = make_new_client({});
  World w_;
};

TEST_F(NewClientTest, AClientSheNeverUsedIsEvidence) {
  const auto e = w_.run(*detector_, "new-client");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says, "alice never used this client (AnyConnect 4.10, Linux); 0.0 % of log-ins here do, in any version");
  EXPECT_EQ(e->group, Group::kClient);
}

TEST_F(NewClientTest, HerOwnClientSpeaksForHer) {
  w_.view.client_change = ClientChange::kSame;
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
  w_.user.client_changes = {42, 0, 0, 8};
  EXPECT_LT(w_.llr(*detector_, "new-client"), one);
}

TEST_F(NewClientTest, AGroupThatChangesDevicesIsLessSurprising) {
  w_.user.logins = 3;
  const double alone = w_.llr(*detector_, "new-client");
  w_.group.client_changes = {300, 0, 0, 300};
  w_.view.group = &w_.group;
  EXPECT_LT(w_.llr(*detector_, "new-client"), alone);
}

TEST_F(NewClientTest, AnUpgradeIsOrdinaryAndAStepBackIsNot) {
  const double same = as(ClientChange::kSame), upgraded = as(ClientChange::kUpgraded), older = as(ClientChange::kOlder),
               other = as(ClientChange::kOther);
  EXPECT_LT(same, 0);
  EXPECT_LT(upgraded, 2);
  EXPECT_GT(older, upgraded + 1.5);
  EXPECT_GT(other, upgraded + 1.5);
}

TEST_F(NewClientTest, ARollOutIsLearned) {
  const double before = as(ClientChange::kUpgraded), other = as(ClientChange::kOther);
  w_.everyone.client_changes[1] = 300;
  EXPECT_LT(as(ClientChange::kUpgraded), std::min(before, 0.0));
  EXPECT_GT(as(ClientChange::kOther), other - 0.5) << "says nothing of other computers";
}

TEST_F(NewClientTest, SaysWhatChanged) {
  const auto says = [&](ClientChange change) {
    w_.view.client_change = change;
    return w_.run(*detector_, "new-client")->says;
  };
  EXPECT_EQ(says(ClientChange::kUpgraded),
            "alice has a newer version of the client used before (AnyConnect 4.10, Linux)");
  EXPECT_EQ(
      says(ClientChange::kOlder),
      "alice used newer versions of this client before (AnyConnect 4.10, Linux); 0.0 % of log-ins here use this one");
}

TEST_F(NewClientTest, IsBounded) {
  w_.everyone.client_changes = {1e9F, 0, 0, 0};
  w_.user.logins = 1e9F;
  EXPECT_LE(w_.llr(*detector_, "new-client"), 5.0);
  w_.view.client_change = ClientChange::kSame;
  EXPECT_GE(w_.llr(*detector_, "new-client"), -1.5);
}

TEST_F(NewClientTest, StaysSilent) {
  w_.view.client = {};
  EXPECT_TRUE(w_.run(*detector_).empty()) << "the event names no client";
  w_.view.client = client("AnyConnect 4.10", "Linux");
  w_.user.clients = {};
  EXPECT_TRUE(w_.run(*detector_).empty()) << "none of hers was ever named";
  w_.user.clients.add(client("AnyConnect 4.10"), 50);
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
