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
    w.view.login = false;
    w.event.event_class = Class::kFlow;
    w.event.user = {};
    w.event.service = Service::kUnknown;
    w.event.outcome = event::Outcome::kUnknown;
    w.event.source_ip = ip("5.2.1.1");
    w.event.source_facts = w.abroad;
    w.event.destination_ip = ip("5.8.8.8");
    w.event.destination_facts = w.office;
    w.event.destination_port = port;
    w.event.protocol = protocol;
    w.event.destination_packets = 10;
    w.event.destination_bytes = 1000;
  }
  void admin() {
    w.from("5.2.1.1", w.abroad, baseline::Familiarity::kNewCountry);
    w.event.event_class = Class::kAuthentication;
    w.event.activity = event::Activity::kLogon;
    w.event.service = Service::kManagement;
  }
  std::unique_ptr<Detector> detector = make_management_exposure({});
  World w;
};

TEST_F(ManagementTest, AnAdministrationLogInFromOutsideIsExposure) {
  admin();
  const auto in = w.run(*detector, "management-exposure");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->finding, FindingKind::kExposure);
  EXPECT_EQ(in->says, "successful administration log-in to fw1 from 5.2.1.1");
  w.event.outcome = event::Outcome::kFailure;
  const auto failed = w.run(*detector, "management-exposure");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->says, "failed administration log-in to fw1 from 5.2.1.1");
  EXPECT_GT(failed->llr, 0) << "who can fail there can reach it";
  EXPECT_GT(in->llr, failed->llr);
}

TEST_F(ManagementTest, AManagementPortThatAnswersIsExposure) {
  connection();
  const auto e = w.run(*detector, "management-exposure");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "SSH (22) on 5.8.8.8 answered 5.2.1.1 on the Internet");
  connection(161, 17);
  EXPECT_TRUE(w.run(*detector, "management-exposure")->says.starts_with("SNMP (161)"));
  connection(8291);
  w.event.destination_facts = 0;
  w.event.direction = event::Direction::kInbound;
  EXPECT_TRUE(w.run(*detector, "management-exposure")) << "the device says that it came in";
}

TEST_F(ManagementTest, OtherPortsAreNotWanted) {
  connection(443);
  EXPECT_FALSE(detector->wants(w.event)) << "VPN gateways live there";
  EXPECT_TRUE(w.run(*detector).empty());
  connection(22, 17);
  EXPECT_FALSE(detector->wants(w.event));
  connection(65535);
  EXPECT_FALSE(detector->wants(w.event));
  connection(0);
  EXPECT_FALSE(detector->wants(w.event));
}

TEST_F(ManagementTest, StaysSilentOnConnections) {
  connection();
  w.event.action = Action::kDenied;
  EXPECT_FALSE(detector->wants(w.event)) << "the firewall did its work";
  EXPECT_TRUE(w.run(*detector).empty());
  connection();
  w.event.action = Action::kNone;
  w.event.destination_packets = 2;
  w.event.destination_bytes = 100;
  EXPECT_TRUE(w.run(*detector).empty()) << "a reset is no answer";
  connection();
  w.event.destination_facts = w.abroad;
  EXPECT_TRUE(w.run(*detector).empty()) << "not ours";
  connection();
  w.event.direction = event::Direction::kOutbound;
  EXPECT_TRUE(w.run(*detector).empty());
  connection();
  w.event.direction = event::Direction::kUnknown;
  w.event.source_ip = ip("10.0.0.1");
  EXPECT_TRUE(w.run(*detector).empty()) << "from inside";
  connection();
  w.event.source_facts = w.office;
  EXPECT_TRUE(w.run(*detector).empty()) << "from our own network";
  connection();
  w.event.source_facts = w.partner;
  EXPECT_TRUE(w.run(*detector).empty()) << "allowed";
}

TEST_F(ManagementTest, StaysSilentOnLogIns) {
  admin();
  w.event.service = Service::kVpn;
  EXPECT_TRUE(w.run(*detector).empty());
  admin();
  w.view.remote = false;
  EXPECT_TRUE(w.run(*detector).empty());
  admin();
  w.view.remote = true;
  w.from("5.2.1.1", w.partner, baseline::Familiarity::kNewCountry);
  EXPECT_TRUE(w.run(*detector).empty());
}

}  // namespace
}  // namespace orbwatch::detect
