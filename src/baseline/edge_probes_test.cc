#include "baseline/edge_probes.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "baseline/baseline.h"
#include "core/network_view_test_util.h"

namespace orbwatch::baseline {
namespace {

using core::kDay;
using core::kHour;
using core::Nanoseconds;
using core::NetworkType;
using event::Class;
using event::Event;

constexpr Nanoseconds kMonday = 1'795'392'000 * core::kSecond;  // 2026-11-23T00:00:00Z
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

core::Ip ip(std::uint32_t n) { return core::Ip::v4(0x05000000 + n); }
std::size_t tcp(std::uint16_t port) { return edge_port(port, kTcp); }

TEST(EdgePorts, AreFoundByNumberAndProtocol) {
  for (std::size_t i = 0; i < kEdgePorts.size(); ++i) {
    EXPECT_EQ(edge_port(kEdgePorts[i].port, kEdgePorts[i].protocol), i) << kEdgePorts[i].port;
    EXPECT_TRUE(i == 0 || kEdgePorts[i - 1].port < kEdgePorts[i].port) << "not in ascending order";
  }
  EXPECT_EQ(edge_port(500, kTcp), kNoEdgePort);
  EXPECT_EQ(edge_port(443, kUdp), kNoEdgePort);
  EXPECT_EQ(edge_port(0, kTcp), kNoEdgePort);
  EXPECT_EQ(edge_port(65535, kTcp), kNoEdgePort);
  EXPECT_EQ(edge_port_text(tcp(8443)), "8443");
  EXPECT_EQ(edge_port_text(edge_port(500, kUdp)), "500/udp");
}

TEST(EdgeProbes, CountASourceOnceForEachPortItTouches) {
  EdgeProbes p;
  for (int i = 0; i < 4; ++i) p.learn(ip(1), true, kMonday + i * core::kSecond, tcp(22));  // a repeated SYN
  p.learn(ip(1), true, kMonday + kHour, tcp(8443));
  p.learn(ip(2), true, kMonday + kHour, tcp(8443));
  p.learn(ip(3), false, kMonday + kHour, tcp(8443));
  EXPECT_EQ(p.touched(tcp(22)), 1U);
  EXPECT_EQ(p.touched(tcp(8443)), 2U);
  EXPECT_EQ(p.first(tcp(22)), 1U);
  EXPECT_EQ(p.first(tcp(8443)), 1U);
  EXPECT_EQ(p.several(), 1U);
  EXPECT_EQ(p.others(), 1U) << "a server";
}

TEST(EdgeProbes, ForgetWithinADay) {
  EdgeProbes p;
  p.learn(ip(1), true, kMonday, tcp(22));
  p.learn(ip(1), true, kMonday + 23 * kHour, tcp(23));
  p.learn(ip(9), false, kMonday, tcp(23));
  p.learn(ip(2), true, kMonday + 24 * kHour, tcp(80));
  EXPECT_EQ(p.touched(tcp(22)), 0U);
  EXPECT_EQ(p.touched(tcp(23)), 0U) << "all of a source goes by its first touch";
  EXPECT_EQ(p.several(), 0U);
  EXPECT_EQ(p.others(), 0U);
  EXPECT_EQ(p.touched(tcp(80)), 1U);
  p.learn(ip(1), true, kMonday + 25 * kHour, tcp(22));
  EXPECT_EQ(p.touched(tcp(22)), 1U) << "back on the next day";
  p.learn(ip(3), true, kMonday, tcp(22));
  EXPECT_EQ(p.touched(tcp(22)), 1U) << "older than the window";
  p.learn(ip(4), true, kMonday + 90 * kDay, tcp(80));
  EXPECT_EQ(p.touched(tcp(22)), 0U);
  EXPECT_EQ(p.touched(tcp(80)), 1U);
  EXPECT_EQ(p.sources(), 1U);
}

TEST(EdgeProbes, LeaveOutWhoTriesMuch) {
  EdgeProbes p;
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{22, 23, 80, 443})
    p.learn(ip(1), true, kMonday, tcp(port));
  EXPECT_EQ(p.touched(tcp(443)), 1U);
  p.learn(ip(1), true, kMonday, tcp(8443));
  for (std::size_t i = 0; i < EdgeProbes::kPorts; ++i) EXPECT_EQ(p.touched(i), 0U) << "it sweeps ports";
  EXPECT_EQ(p.first(tcp(22)), 0U);
  EXPECT_EQ(p.several(), 0U);
  p.learn(ip(1), true, kMonday + kHour, tcp(22));
  EXPECT_EQ(p.touched(tcp(22)), 0U) << "and stays out";
  for (int i = 0; i < EdgeProbes::kMostProbesEach; ++i) p.learn(ip(2), true, kMonday, tcp(23));
  EXPECT_EQ(p.touched(tcp(23)), 1U);
  p.learn(ip(2), true, kMonday, tcp(23));
  EXPECT_EQ(p.touched(tcp(23)), 0U) << "it tries again and again";
  for (int i = 0; i <= EdgeProbes::kMostProbesEach; ++i) p.learn(ip(3), false, kMonday, tcp(23));
  EXPECT_EQ(p.others(), 0U);
}

TEST(EdgeProbes, KnowAnOrdinaryDay) {
  EdgeProbes p;
  std::uint32_t next = 0;
  const auto day = [&](int d, int homes, int servers) {
    for (int i = 0; i < homes; ++i) p.learn(ip(next++), true, kMonday + d * kDay + i * core::kSecond, tcp(23));
    for (int i = 0; i < servers; ++i) p.learn(ip(next++), false, kMonday + d * kDay + i * core::kSecond, tcp(23));
  };
  for (int d = 0; d < 20; ++d) day(d, 90 + d, 30);
  EXPECT_EQ(p.days(), 19U) << "today is not over";
  EXPECT_NEAR(p.ordinary(tcp(23)).mean, 95, 4);
  EXPECT_NEAR(p.ordinary_others().mean, 30, 2);
  EXPECT_NEAR(p.ordinary(tcp(22)).mean, 0.5, 0.01);
  const double k = p.ordinary(tcp(23)).k;
  EXPECT_GT(k, 2) << "the days are much alike";
  for (int d = 20; d < 23; ++d) day(d, 2000, 30);  // a worm for three days
  day(23, 100, 30);
  EXPECT_LT(p.ordinary(tcp(23)).mean, 110) << "does not become the ordinary at once";
  for (int d = 24; d < 60; ++d) day(d, d % 2 == 0 ? 10 : 300, 30);
  day(60, 1, 1);
  EXPECT_LT(p.ordinary(tcp(23)).k, k) << "days that differ much";
  EXPECT_NEAR(p.ordinary(tcp(23)).mean, 155, 20);
}

TEST(EdgeProbes, CountQuietDaysButNoHoles) {
  EdgeProbes p;
  p.learn(ip(1), true, kMonday, tcp(22));
  p.learn(ip(2), true, kMonday + 5 * kDay, tcp(22));
  EXPECT_EQ(p.days(), 5U);
  p.skip_to(kMonday / kDay + 400);
  EXPECT_EQ(p.days(), 6U);
  p.learn(ip(3), true, kMonday + 400 * kDay, tcp(22));
  EXPECT_EQ(p.days(), 6U);
}

TEST(EdgeProbes, AreBounded) {
  EdgeProbes p;
  for (std::uint32_t i = 0; i < EdgeProbes::kMostSources + 10; ++i) p.learn(ip(i), true, kMonday, tcp(22));
  EXPECT_EQ(p.sources(), EdgeProbes::kMostSources);
  EXPECT_EQ(p.uncounted(), 10U);
  EXPECT_EQ(p.touched(tcp(22)), EdgeProbes::kMostSources);
  p.learn(ip(0x800000), true, kMonday + 24 * kHour, tcp(22));
  EXPECT_EQ(p.sources(), 1U);
  p.learn(ip(1), true, -5, tcp(22));
  p.learn(ip(1), true, kMonday + kDay, kNoEdgePort);
  p.learn(ip(1), true, INT64_MAX, tcp(22));  // damaged: the clock is wrong from here on, nothing else
  p.learn(ip(2), true, kMonday + kDay, tcp(22));
  EXPECT_LE(p.sources(), 2U);
}

// ---- what of the events is counted

class Denied : public ::testing::Test {
 protected:
  Event event(std::uint32_t source, std::uint16_t port, std::uint32_t facts, Nanoseconds time = kMonday) const {
    Event e;
    e.time = time;
    e.event_class = Class::kConnection;
    e.action = event::Action::kDenied;
    e.source_ip = ip(source);
    e.source_facts = facts;
    e.destination_port = port;
    e.protocol = kTcp;
    return e;
  }
  core::test::FakeNetworks networks_;
  std::uint32_t home_ = networks_.add(64500, NetworkType::kConsumer, 52.5F, 13.4F, "DE");
  std::uint32_t office_ = networks_.add(64501, NetworkType::kBusiness, 52.5F, 13.4F, "DE");
  std::uint32_t hosting_ = networks_.add(64502, NetworkType::kHosting, 52.5F, 13.4F, "DE");
  Baseline b_{networks_};
};

TEST_F(Denied, ConnectionsOfStrangersToTheEdgeAreCounted) {
  networks_.set_own(office_);
  b_.learn(event(1, 22, home_));
  b_.learn(event(2, 9999, home_));   // no port of an edge device
  b_.learn(event(3, 22, office_));   // the organisation itself
  b_.learn(event(4, 22, hosting_));  // a server
  Event flow = event(5, 22, home_);  // a cloud's flow log
  flow.event_class = Class::kFlow;
  b_.learn(flow);
  Event let_in = event(6, 22, home_);
  let_in.action = event::Action::kAllowed;
  b_.learn(let_in);
  Event login = event(7, 22, home_);
  login.event_class = Class::kSession;
  login.activity = event::Activity::kStart;
  login.outcome = event::Outcome::kSuccess;
  login.user = core::intern("alice");
  login.action = event::Action::kNone;
  b_.learn(login);
  b_.learn(event(7, 22, home_));  // somebody logged in from there
  EXPECT_EQ(b_.edge().touched(tcp(22)), 2U);
  EXPECT_EQ(b_.edge().others(), 1U);
  EXPECT_EQ(b_.view(flow).edge, &b_.edge());
}

TEST_F(Denied, TheStateHoldsAllOfIt) {
  for (int d = 0; d < 12; ++d) {
    for (std::uint32_t i = 0; i < 9; ++i)
      b_.learn(event(static_cast<std::uint32_t>(d) * 100 + i, i % 2 == 0 ? 22 : 8443, home_, kMonday + d * kDay));
    b_.learn(event(5000, 23, hosting_, kMonday + d * kDay));
  }
  core::ArchiveWriter out;
  b_.save(out);
  ASSERT_TRUE(out.finish());
  const std::string bytes = out.take();
  Baseline other(networks_);
  core::ArchiveReader in(bytes);
  other.load(in);
  ASSERT_TRUE(in.finish());
  for (Baseline* b : {&b_, &other}) {  // both go on in the same way: the source is known, and turns out to be noisy
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{23, 80, 443, 4443})
      b->learn(event(1100, port, home_, kMonday + 11 * kDay + kHour));
    b->learn(event(9000, 22, home_, kMonday + 12 * kDay - 1));
  }
  for (std::size_t port = 0; port < EdgeProbes::kPorts; ++port) {
    EXPECT_EQ(other.edge().touched(port), b_.edge().touched(port)) << port;
    EXPECT_EQ(other.edge().first(port), b_.edge().first(port)) << port;
    EXPECT_EQ(other.edge().ordinary(port).mean, b_.edge().ordinary(port).mean) << port;
    EXPECT_EQ(other.edge().ordinary(port).k, b_.edge().ordinary(port).k) << port;
  }
  EXPECT_EQ(b_.edge().touched(tcp(22)), 5U);
  EXPECT_EQ(other.edge().others(), b_.edge().others());
  EXPECT_EQ(other.edge().several(), b_.edge().several());
  EXPECT_EQ(other.edge().days(), 11U);
  EXPECT_EQ(other.edge().sources(), b_.edge().sources());
}

}  // namespace
}  // namespace orbwatch::baseline
