#include "detect/soho_source.h"

#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"
#include "intel/soho.h"

namespace orbwatch::detect {
namespace {

using event::Class;
using event::Event;
using test::ip;
using test::World;

constexpr std::uint16_t kImplant = 7777;  // Quad7, data/soho-ports.csv
constexpr std::uint16_t kRouter = 7547;   // TR-069

// A flow between an address outside and one inside.
Event flow(std::uint16_t source_port, std::uint16_t destination_port) {
  Event e;
  e.time = test::kNoon;
  e.event_class = Class::kFlow;
  e.activity = event::Activity::kTraffic;
  e.protocol = 6;
  e.source_ip = ip("5.2.1.1");
  e.destination_ip = ip("10.0.0.1");
  e.source_port = source_port;
  e.destination_port = destination_port;
  e.source_packets = 5;
  e.destination_packets = 5;
  return e;
}

TEST(SohoTrait, OfAFlowThatComesFromSuchAPort) {
  const SohoTrait trait = soho_trait(flow(kImplant, 40000));
  ASSERT_EQ(trait.weight, 3);
  EXPECT_EQ(trait.address, ip("5.2.1.1"));
  EXPECT_EQ(trait.port->port, kImplant);
  EXPECT_EQ(soho_trait(flow(kRouter, 40000)).weight, 2);
  EXPECT_EQ(soho_trait(flow(443, 40000)).weight, 0);
  Event udp = flow(kImplant, 40000);
  udp.protocol = 17;
  EXPECT_EQ(soho_trait(udp).weight, 0) << "another protocol";
}

TEST(SohoTrait, NotOfAPortThatAClientTookByChance) {
  EXPECT_EQ(soho_trait(flow(63256, 40000)).weight, 0) << "an ephemeral port (RFC 6056)";
  EXPECT_EQ(soho_trait(flow(kImplant, 443)).weight, 0) << "it asks a service";
  EXPECT_EQ(soho_trait(flow(kImplant, kImplant)).weight, 0);
}

TEST(SohoTrait, OfAFlowThatWasAnswered) {
  Event e = flow(40000, 63256);
  std::swap(e.source_ip, e.destination_ip);  // from inside to the device
  EXPECT_EQ(soho_trait(e).address, ip("5.2.1.1"));
  EXPECT_EQ(soho_trait(e).weight, 3);
  e.action = event::Action::kDenied;
  EXPECT_EQ(soho_trait(e).weight, 0);
}

TEST(SohoTrait, ARefusalIsNoAnswer) {
  Event e = flow(40000, 63256);
  std::swap(e.source_ip, e.destination_ip);
  e.destination_packets = 1;
  EXPECT_EQ(soho_trait(e).weight, 0) << "one packet: SYN and ACK, or RST";
  e.sampling = 1000;
  EXPECT_EQ(soho_trait(e).weight, 3) << "one that was seen of a thousand";
  e.tcp_flags = 0x16;  // SYN, RST, ACK
  EXPECT_EQ(soho_trait(e).weight, 0);
  e.sampling = 1;
  e.destination_packets = 3;
  e.destination_bytes = 120;
  EXPECT_EQ(soho_trait(e).weight, 0) << "three attempts, three refusals";
  e.destination_bytes = 1200;
  EXPECT_EQ(soho_trait(e).weight, 3) << "cut off in the end, but there was content";
  e.protocol = 17;
  e.destination_port = 10001;
  e.destination_packets = 1;
  e.tcp_flags = 0;
  EXPECT_GT(soho_trait(e).weight, 0) << "UDP answers in one packet";
}

TEST(SohoTrait, WhoOpensTheConnectionIsAClient) {
  Event e = flow(kImplant, 40000);
  e.tcp_flags = 0x02;
  EXPECT_EQ(soho_trait(e).weight, 0) << "a scanner's own port";
  e.tcp_flags = 0x12;
  EXPECT_EQ(soho_trait(e).weight, 3);
  e.action = event::Action::kDenied;
  EXPECT_EQ(soho_trait(e).weight, 0);
  e.action = {};
  e.event_class = Class::kConnection;
  EXPECT_EQ(soho_trait(e).weight, 0) << "a firewall names the one who opened it first";
  e.action = event::Action::kNone;
  e.destination_packets = 0;
  EXPECT_EQ(soho_trait(e).weight, 0) << "a knock says nothing of who stands behind the door";
}

TEST(SohoTrait, NeverOfAnInsideAddress) {
  Event e = flow(kImplant, 40000);
  e.source_ip = ip("10.0.0.2");
  EXPECT_EQ(soho_trait(e).weight, 0);
}

TEST(SohoTrait, OfABanner) {
  Event e;
  e.event_class = Class::kDevice;
  e.source_ip = ip("5.2.1.1");
  e.banner = core::intern("xlogin: ");
  SohoTrait trait = soho_trait(e);
  EXPECT_EQ(trait.weight, 3);
  EXPECT_EQ(trait.address, ip("5.2.1.1"));
  e.event_class = Class::kHandshake;
  e.destination_ip = ip("5.2.1.2");
  trait = soho_trait(e);
  EXPECT_EQ(trait.address, ip("5.2.1.2")) << "a handshake shows the server";
  e.banner = core::intern("OpenSSH_9.2");
  EXPECT_EQ(soho_trait(e).weight, 0);
}

TEST(SohoTrait, TheStrongestBannerCounts) {
  Event e;
  e.event_class = Class::kDevice;
  e.source_ip = ip("5.2.1.1");
  e.banner = core::intern("dropbear_2019");
  EXPECT_EQ(soho_trait(e).weight, 1);
  e.certificate_issuer = core::intern("O=Los Angeles Police Department");
  EXPECT_EQ(soho_trait(e).weight, 3);
}

TEST(SohoTrait, OfAnOpenPortThatAScanFound) {
  Event e;
  e.event_class = Class::kDevice;
  e.protocol = 6;
  e.source_ip = ip("5.2.1.1");
  e.source_port = 63256;
  SohoTrait trait = soho_trait(e);
  EXPECT_EQ(trait.weight, 3) << "high ports count, too: somebody listens there";
  ASSERT_NE(trait.port, nullptr);
  EXPECT_EQ(trait.port->port, 63256);
  e.banner = core::intern("dropbear_2019");
  EXPECT_NE(soho_trait(e).port, nullptr) << "the stronger counts";
  e.protocol = 17;
  EXPECT_EQ(soho_trait(e).weight, 1);
  e.source_port = 443;
  e.banner = {};
  EXPECT_EQ(soho_trait(e).weight, 0);
  e.source_ip = ip("192.168.1.1");
  e.source_port = 63256;
  e.protocol = 6;
  EXPECT_EQ(soho_trait(e).weight, 0) << "our own devices are no strangers";
}

// The profile of a source keeps the port without its protocol.
TEST(SohoTable, NoPortMeansOneThingOverTcpAndAnotherOverUdp) {
  for (const intel::SohoPort& port : intel::soho_ports()) {
    EXPECT_TRUE(port.protocol == 6 || intel::soho_port(port.port, 6) == nullptr) << port.port;
  }
}

class SohoSourceTest : public ::testing::Test {
 protected:
  SohoSourceTest() {
    w_.from("5.2.1.1", w_.town, baseline::Familiarity::kNewSystemNear);
    w_.view.source_profile = &w_.source;
    w_.source.soho_port = kImplant;
    w_.source.soho_weight = 3;
  }
  std::unique_ptr<Detector> detector_ = make_soho_source({});
  World w_;
};

TEST_F(SohoSourceTest, ALogInFromASmallDeviceIsEvidenceByItsWeight) {
  const auto strong = w_.run(*detector_, "soho-source");
  ASSERT_TRUE(strong);
  EXPECT_TRUE(strong->says.starts_with("5.2.1.1 answered on port 7777 (xlogin bind shell")) << strong->says;
  EXPECT_EQ(strong->finding, FindingKind::kLogin);
  w_.source.soho_weight = 2;
  const double medium = w_.llr(*detector_, "soho-source");
  w_.source.soho_weight = 1;
  const double weak = w_.llr(*detector_, "soho-source");
  EXPECT_GT(weak, 0);
  EXPECT_GT(medium, weak);
  EXPECT_GT(strong->llr, medium);
}

TEST_F(SohoSourceTest, SaysUdpPortsAndBannersAsTheyAre) {
  w_.source.soho_port = 10001;
  EXPECT_NE(w_.run(*detector_, "soho-source")->says.find("10001 (Ubiquiti discovery"), std::string::npos);
  w_.source.soho_port = 0;
  EXPECT_EQ(w_.run(*detector_, "soho-source")->says, "5.2.1.1 showed the banner of a small-office or IoT device");
  w_.source.soho_banner = 1;
  EXPECT_EQ(w_.run(*detector_, "soho-source")->says,
            "5.2.1.1 showed \"xlogin:\" (bind shell of xlogin; TP-Link routers)");
  w_.source.soho_day = 20787;
  EXPECT_EQ(w_.run(*detector_, "soho-source")->says,
            "5.2.1.1 showed \"xlogin:\" (bind shell of xlogin; TP-Link routers), in a scan of 2026-11-30");
}

TEST_F(SohoSourceTest, AFailedLogInCountsAsWell) {
  w_.fail();
  EXPECT_TRUE(w_.run(*detector_, "soho-source"));
}

TEST_F(SohoSourceTest, AnImplantsTraitIsAFindingOfItsOwn) {
  w_.view.login = false;
  w_.event = flow(kImplant, 40000);
  const auto e = w_.run(*detector_, "soho-trait");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->finding, FindingKind::kDevice);
  EXPECT_EQ(e->says, "5.2.1.1 talks from port 7777 (xlogin bind shell with the banner 'xlogin:'; known of Quad7)");
  w_.event = flow(kRouter, 40000);
  EXPECT_FALSE(detector_->wants(w_.event)) << "there are millions of such routers";
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.event = {};
  w_.event.event_class = Class::kDevice;
  w_.event.source_ip = ip("5.2.1.1");
  w_.event.banner = core::intern("xlogin: ");
  EXPECT_EQ(w_.run(*detector_, "soho-trait")->says, "5.2.1.1 shows \"xlogin:\" (bind shell of xlogin; known of Quad7)");
  w_.event.banner = {};
  w_.event.protocol = 6;
  w_.event.source_port = kImplant;
  EXPECT_EQ(w_.run(*detector_, "soho-trait")->says,
            "5.2.1.1 listens on port 7777 (xlogin bind shell with the banner 'xlogin:'; known of Quad7)");
}

TEST_F(SohoSourceTest, StaysSilent) {
  w_.source.soho_weight = 0;
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.source.soho_weight = 3;
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.view.remote = true;
  w_.view.source_profile = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty());
}

}  // namespace
}  // namespace orbwatch::detect
