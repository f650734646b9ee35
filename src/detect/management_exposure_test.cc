#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using event::Action;
using event::Class;
using event::Service;
using test::ip;
using test::World;

class ManagementTest : public ::testing::Test {
 protected:
  // A connection from the Internet to SSH on one of our devices, which answers.
  void connection(std::uint16_t port = 22, std::uint8_t protocol = 6) {
    w_.view.login = false;
    w_.event.event_class = Class::kFlow;
    w_.event.user = {};
    w_.event.service = Service::kUnknown;
    w_.event.outcome = event::Outcome::kUnknown;
    w_.event.source_ip = ip("5.2.1.1");
    w_.event.source_facts = w_.abroad;
    w_.event.destination_ip = ip("5.8.8.8");
    w_.event.destination_facts = w_.office;
    w_.event.destination_port = port;
    w_.event.protocol = protocol;
    w_.event.destination_packets = 10;
    w_.event.destination_bytes = 1000;
  }
  void admin() {
    w_.from("5.2.1.1", w_.abroad, baseline::Familiarity::kNewCountry);
    w_.event.event_class = Class::kAuthentication;
    w_.event.activity = event::Activity::kLogon;
    w_.event.service = Service::kManagement;
  }
  std::unique_ptr<Detector> detector_ = make_management_exposure({});
  World w_;
};

TEST_F(ManagementTest, AnAdministrationLogInFromOutsideIsExposure) {
  admin();
  const auto in = w_.run(*detector_, "management-exposure");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->finding, FindingKind::kExposure);
  EXPECT_EQ(in->says, "successful administration log-in to fw1 from 5.2.1.1");
  w_.event.outcome = event::Outcome::kFailure;
  const auto failed = w_.run(*detector_, "management-exposure");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->says, "failed administration log-in to fw1 from 5.2.1.1");
  EXPECT_GT(failed->llr, 0) << "who can fail there can reach it";
  EXPECT_GT(in->llr, failed->llr);
}

TEST_F(ManagementTest, AManagementPortThatAnswersIsExposure) {
  connection();
  const auto e = w_.run(*detector_, "management-exposure");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "SSH (22) on 5.8.8.8 answered 5.2.1.1 on the Internet");
  connection(161, 17);
  EXPECT_TRUE(w_.run(*detector_, "management-exposure")->says.starts_with("SNMP (161)"));
  connection(8291);
  w_.event.destination_facts = 0;
  w_.event.direction = event::Direction::kInbound;
  EXPECT_TRUE(w_.run(*detector_, "management-exposure")) << "the device says that it came in";
}

TEST_F(ManagementTest, OtherPortsAreNotWanted) {
  connection(443);
  EXPECT_FALSE(detector_->wants(w_.event)) << "VPN gateways live there";
  EXPECT_TRUE(w_.run(*detector_).empty());
  connection(22, 17);
  EXPECT_FALSE(detector_->wants(w_.event));
  connection(65535);
  EXPECT_FALSE(detector_->wants(w_.event));
  connection(0);
  EXPECT_FALSE(detector_->wants(w_.event));
}

TEST_F(ManagementTest, StaysSilentOnConnections) {
  connection();
  w_.event.action = Action::kDenied;
  EXPECT_FALSE(detector_->wants(w_.event)) << "the firewall did its work";
  EXPECT_TRUE(w_.run(*detector_).empty());
  connection();
  w_.event.action = Action::kNone;
  w_.event.destination_packets = 2;
  w_.event.destination_bytes = 100;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "a reset is no answer";
  connection();
  w_.event.destination_facts = w_.abroad;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "not ours";
  connection();
  w_.event.direction = event::Direction::kOutbound;
  EXPECT_TRUE(w_.run(*detector_).empty());
  connection();
  w_.event.direction = event::Direction::kUnknown;
  w_.event.source_ip = ip("10.0.0.1");
  EXPECT_TRUE(w_.run(*detector_).empty()) << "from inside";
  connection();
  w_.event.source_facts = w_.office;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "from our own network";
  connection();
  w_.event.source_facts = w_.partner;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "allowed";
}

TEST_F(ManagementTest, StaysSilentOnLogIns) {
  admin();
  w_.event.service = Service::kVpn;
  EXPECT_TRUE(w_.run(*detector_).empty());
  admin();
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty());
  admin();
  w_.view.remote = true;
  w_.from("5.2.1.1", w_.partner, baseline::Familiarity::kNewCountry);
  EXPECT_TRUE(w_.run(*detector_).empty());
}

}  // namespace
}  // namespace orbwatch::detect
