#include "baseline/tunnels.h"

#include <gtest/gtest.h>

#include <string>

#include "baseline/baseline.h"
#include "core/archive.h"
#include "core/network_view_test_util.h"

namespace orbwatch::baseline {
namespace {

using core::kHour;
using core::kMinute;
using core::kSecond;
using event::Activity;
using event::Class;
using event::Event;
using Teaches = Tunnels::Teaches;

constexpr Nanoseconds kStart = 1'795'392'000 * kSecond;  // 2026-11-23T00:00:00Z
const Ip kHome = *Ip::parse("5.1.1.7");
const Ip kHotel = *Ip::parse("5.3.1.7");
const Ip kInner = *Ip::parse("10.20.0.5");

Event line(Nanoseconds time, const char* user, const Ip& source, const Ip& assigned,
           Activity activity = Activity::kUpdate) {
  Event e;
  e.time = time;
  e.event_class = Class::kSession;
  e.activity = activity;
  e.user = core::intern(user);
  e.observer = core::intern("fw1");
  e.source_ip = source;
  e.assigned_ip = assigned;
  return e;
}

class TunnelsTest : public ::testing::Test {
 protected:
  const Tunnel* reach(const std::string& host, std::uint16_t port, const Ip& from = kInner) {
    Event e;
    e.time = now_;
    e.event_class = Class::kConnection;
    e.source_ip = from;
    e.destination_ip = *Ip::parse(host);
    e.destination_port = port;
    return tunnels_.note(e, 1);
  }
  void open(const char* user, const Ip& source, const Ip& assigned = kInner) {
    tunnels_.open(line(now_, user, source, assigned));
  }
  static Event end(const char* user, const Ip& source, const Ip& assigned = {}) {
    return line(kStart, user, source, assigned, Activity::kEnd);
  }
  // A day at home: the directory, mail and `others` further hosts.
  void day(const char* user, int others = 0, const Ip& assigned = kInner) {
    open(user, kHome, assigned);
    reach("10.1.0.10", 389, assigned);
    reach("10.1.0.20", 443, assigned);
    for (int i = 0; i < others; ++i) reach("10.1.9." + std::to_string(i + 1), 445, assigned);
    tunnels_.close(end(user, kHome), Teaches::kOwn, 1);
    now_ += 24 * kHour;
  }
  Reached reached(const char* user, const Ip& source) {
    const auto out = tunnels_.reached(end(user, source), 1);
    EXPECT_TRUE(out);
    return out.value_or(Reached{});
  }

  Nanoseconds now_ = kStart;
  Tunnels tunnels_;
};

TEST_F(TunnelsTest, TellsWhatASessionReached) {
  for (int i = 0; i < 6; ++i) day("alice");
  open("alice", kHotel);
  EXPECT_EQ(reach("10.1.0.20", 443), nullptr);
  EXPECT_EQ(reach("10.1.0.20", 443), nullptr) << "once a session";
  EXPECT_EQ(reach("10.1.0.30", 445), nullptr);
  EXPECT_EQ(reach("10.1.0.30", 3389), nullptr) << "another service of the same host";
  const Tunnel* told = reach("10.1.0.31", 445);
  ASSERT_NE(told, nullptr) << "the third new one";
  EXPECT_EQ(told->user, core::intern("alice"));
  EXPECT_EQ(told->source, kHotel);
  EXPECT_EQ(reach("10.1.0.32", 445), nullptr) << "3 and 4 are alike";
  EXPECT_NE(reach("10.1.0.33", 445), nullptr);

  const Reached r = reached("alice", kHotel);
  EXPECT_EQ(r.acquaintance, Acquaintance::kWell);
  EXPECT_TRUE(r.ended);
  EXPECT_EQ(r.destinations, 6);
  EXPECT_EQ(r.fresh, 5);
  EXPECT_EQ(r.rare, 5);
  EXPECT_EQ(r.usual, 2);
  EXPECT_EQ(r.usual_seen, 1);
  EXPECT_EQ(r.examples[0], (Destination{*Ip::parse("10.1.0.30"), 445}));
}

TEST_F(TunnelsTest, OnlyOwnSessionsTeach) {
  for (int i = 0; i < 6; ++i) day("alice");
  for (const auto teaches : {Teaches::kNew, Teaches::kNothing}) {
    open("alice", kHotel);
    reach("10.1.0.99", 445);
    tunnels_.close(end("alice", kHotel), teaches, 1);
  }
  open("alice", kHome);
  reach("10.1.0.99", 445);
  EXPECT_EQ(reached("alice", kHome).fresh, 1);
  tunnels_.close(end("alice", kHome), Teaches::kOwn, 1);
  open("alice", kHome);
  reach("10.1.0.99", 445);
  EXPECT_EQ(reached("alice", kHome).fresh, 0);
  // What people do in new networks is counted apart.
  constexpr auto kWell = static_cast<std::size_t>(Acquaintance::kWell);
  EXPECT_EQ(tunnels_.away()[kWell].fresh[1], 1);
  EXPECT_EQ(tunnels_.everyone()[kWell].fresh[1], 1);
}

TEST_F(TunnelsTest, WhatColleaguesUseIsNotRare) {
  for (int i = 0; i < 6; ++i) day("alice");
  for (const char* other : {"bob", "carol", "dave"}) day(other, 1);
  open("alice", kHotel);
  reach("10.1.9.1", 445);
  reach("10.1.0.99", 445);
  const Reached r = reached("alice", kHotel);
  EXPECT_EQ(r.fresh, 2);
  EXPECT_EQ(r.rare, 1);
  EXPECT_EQ(r.examples[0], (Destination{*Ip::parse("10.1.0.99"), 445})) << "the rare one is shown first";
}

// What is new to somebody says the less the less is known of him.
TEST_F(TunnelsTest, UsersAreComparedWithTheirLike) {
  const auto new_hosts = [&](int count) {
    const Tunnel* told = nullptr;
    for (int i = 0; i < count; ++i) {
      if (const Tunnel* tunnel = reach("10.1.7." + std::to_string(i + 1), 445); tunnel != nullptr) told = tunnel;
    }
    return told;
  };
  for (int i = 0; i < 6; ++i) {
    for (const char* other : {"bob", "carol", "dave"}) {
      open(other, kHome);
      new_hosts(20);  // everybody's
      tunnels_.close(end(other, kHome), Teaches::kOwn, 1);
    }
  }
  constexpr Acquaintance kExpected[] = {Acquaintance::kNone, Acquaintance::kFew, Acquaintance::kFew,
                                        Acquaintance::kFew,  Acquaintance::kFew, Acquaintance::kWell};
  for (int sessions = 0; sessions < 6; ++sessions) {
    open("alice", kHotel);
    EXPECT_EQ(new_hosts(20) != nullptr, sessions >= 5) << "of a stranger only what is rare tells: " << sessions;
    const Reached r = reached("alice", kHotel);
    EXPECT_EQ(r.acquaintance, kExpected[sessions]) << sessions;
    EXPECT_EQ(r.usual, sessions == 0 ? 0 : 2) << sessions;
    tunnels_.close(end("alice", kHotel), Teaches::kNew, 1);
    day("alice");
  }
  EXPECT_EQ(tunnels_.away()[0].fresh[kFreshBins - 1], 0) << "all is new to a newcomer";
  EXPECT_EQ(tunnels_.away()[0].rare[0], 1);
  EXPECT_EQ(tunnels_.away()[1].fresh[kFreshBins - 1], 4);
  EXPECT_EQ(tunnels_.away()[2].fresh[kFreshBins - 1], 1);
  EXPECT_EQ(tunnels_.profile(core::intern("alice"))->shapes.fresh[0], 1) << "since she is known well";
}

TEST_F(TunnelsTest, RareDestinationsAreCountedAmongNewOnes) {
  for (int i = 0; i < 8; ++i) day("alice");
  const ReachShapes& well = tunnels_.everyone()[static_cast<std::size_t>(Acquaintance::kWell)];
  EXPECT_EQ(well.fresh[0], 3);
  EXPECT_EQ(well.rare[0], 0) << "nothing was new";
  day("alice", 1);
  EXPECT_EQ(well.rare[1], 1);
}

TEST_F(TunnelsTest, ASessionGoesOnFromElsewhere) {
  open("alice", kHome);
  Event login = line(now_, "alice", kHotel, Ip());
  login.event_class = Class::kSession;
  const Tunnel* resumed = tunnels_.resumed(login);
  ASSERT_NE(resumed, nullptr);
  EXPECT_EQ(resumed->source, kHome);
  login.assigned_ip = kInner;
  EXPECT_NE(tunnels_.resumed(login), nullptr) << "the same address inside";
  login.assigned_ip = *Ip::parse("10.20.0.6");
  EXPECT_EQ(tunnels_.resumed(login), nullptr) << "it has an address of its own";
  login.assigned_ip = {};

  Event other = login;
  other.user = core::intern("bob");
  EXPECT_EQ(tunnels_.resumed(other), nullptr);
  other = login;
  other.observer = core::intern("fw2");
  EXPECT_EQ(tunnels_.resumed(other), nullptr) << "another gateway knows nothing of it";
  other = login;
  other.source_ip = kHome;
  EXPECT_EQ(tunnels_.resumed(other), nullptr) << "nothing has moved";
  other = login;
  other.auth_method = event::AuthMethod::kRadius;
  EXPECT_EQ(tunnels_.resumed(other), nullptr) << "somebody was asked who he is";
  other = login;
  other.activity = Activity::kStart;
  EXPECT_EQ(tunnels_.resumed(other), nullptr);
  other.event_class = Class::kAuthentication;
  other.activity = Activity::kLogon;
  EXPECT_EQ(tunnels_.resumed(other), nullptr);
  other.reason = core::intern("resumed");
  EXPECT_NE(tunnels_.resumed(other), nullptr) << "by its cookie";

  tunnels_.close(end("alice", kHotel), Teaches::kNothing, 1);
  EXPECT_EQ(tunnels_.resumed(login), nullptr) << "it is over";
}

TEST_F(TunnelsTest, TheHolderOfAnAddressChanges) {
  open("alice", kHome);
  reach("10.1.0.10", 389);
  open("bob", kHotel);  // alice's end was lost
  reach("10.1.0.20", 443);
  EXPECT_FALSE(tunnels_.reached(end("alice", kHome), 1));
  EXPECT_EQ(reached("bob", kHotel).destinations, 1);
  EXPECT_EQ(tunnels_.size(), 1U);
}

TEST_F(TunnelsTest, TheEndFindsItsTunnel) {
  const Ip second = *Ip::parse("10.20.0.6");
  open("alice", kHome);
  reach("10.1.0.10", 389);
  open("alice", kHotel, second);
  reach("10.1.0.10", 389, second);
  reach("10.1.0.20", 443, second);
  EXPECT_EQ(reached("alice", kHome).destinations, 1);
  EXPECT_EQ(reached("alice", kHotel).destinations, 2);
  EXPECT_EQ(tunnels_.reached(end("alice", *Ip::parse("5.9.9.9"), kInner), 1)->destinations, 1) << "by its address";
  EXPECT_FALSE(tunnels_.reached(end("alice", *Ip::parse("5.9.9.9")), 1)) << "which of the two?";
  tunnels_.close(end("alice", kHotel), Teaches::kNothing, 1);
  EXPECT_EQ(tunnels_.reached(end("alice", *Ip::parse("5.9.9.9")), 1)->destinations, 1) << "it has moved";
  open("alice", kHotel);
  EXPECT_EQ(reached("alice", kHotel).destinations, 1) << "resumed from elsewhere";
}

TEST_F(TunnelsTest, SilenceSpeaksWhereConnectionsAreLogged) {
  open("alice", kHome);
  EXPECT_FALSE(tunnels_.reached(end("alice", kHome), 1)) << "nobody knows whether they are logged";
  tunnels_.close(end("alice", kHome), Teaches::kOwn, 1);
  for (int i = 0; i < 25; ++i) day("alice");
  open("alice", kHotel);
  const Reached r = reached("alice", kHotel);
  EXPECT_EQ(r.destinations, 0);
  EXPECT_EQ(r.usual_bin(), 0U);
  EXPECT_EQ(r.usual, 2);
}

TEST_F(TunnelsTest, IsBounded) {
  open("alice", kHome);
  for (int i = 0; i < 300; ++i) reach("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), 445);
  EXPECT_EQ(reached("alice", kHome).destinations, Tunnels::kMostDestinations);
  for (std::uint32_t i = 0; i < 100; ++i) open("bob", kHotel, Ip::v4(0x0a300000 + i));
  EXPECT_LE(tunnels_.size(), 1 + 16U);
  now_ += Tunnels::kLongestSilence + 2 * kHour;
  open("carol", kHome, *Ip::parse("10.20.0.9"));
  EXPECT_EQ(tunnels_.size(), 1U) << "the others are silent for longer than a session lasts";
}

TEST_F(TunnelsTest, Bins) {
  const auto fresh = [](std::uint16_t n) { return Reached{.fresh = n}.fresh_bin(); };
  EXPECT_EQ(fresh(0), 0U);
  EXPECT_EQ(fresh(1), 1U);
  EXPECT_EQ(fresh(2), 2U);
  EXPECT_EQ(fresh(3), 3U);
  EXPECT_EQ(fresh(4), 3U);
  EXPECT_EQ(fresh(8), 4U);
  EXPECT_EQ(fresh(9), 5U);
  EXPECT_EQ(fresh(16), 5U);
  EXPECT_EQ(fresh(17), 6U);
  EXPECT_EQ(fresh(64), 6U);
  const auto usual = [](std::uint16_t seen, std::uint16_t of) {
    return Reached{.usual = of, .usual_seen = seen}.usual_bin();
  };
  EXPECT_EQ(usual(0, 3), 0U);
  EXPECT_EQ(usual(1, 3), 1U);
  EXPECT_EQ(usual(2, 3), 2U);
  EXPECT_EQ(usual(3, 4), 3U);
  EXPECT_EQ(usual(4, 4), 4U);
}

TEST(TunnelsState, HoldsAllOfIt) {
  core::test::FakeNetworks networks;
  const std::uint32_t home = networks.add(64500, core::NetworkType::kConsumer, 52.5F, 13.4F, "DE");
  Baseline one(networks);
  const auto at = [&](Nanoseconds time, const char* user, Activity activity) {
    Event e = line(time, user, kHome, kInner, activity);
    e.service = event::Service::kVpn;
    e.outcome = activity == Activity::kEnd ? event::Outcome::kUnknown : event::Outcome::kSuccess;
    e.source_facts = home;
    return e;
  };
  const auto reach = [](Baseline& b, Nanoseconds time, std::uint32_t host) {
    Event e;
    e.time = time;
    e.event_class = Class::kConnection;
    e.source_ip = kInner;
    e.destination_ip = Ip::v4(0x0a010000 + host);
    e.destination_port = 445;
    return b.note_destination(e) != nullptr;
  };
  Nanoseconds day = kStart;
  for (int d = 0; d < 45; ++d, day += 24 * kHour) {
    const char* user = d % 3 == 2 ? "bob" : "alice";
    one.open_tunnel(at(day, user, Activity::kStart));
    one.learn(at(day, user, Activity::kStart));
    for (std::uint32_t host = 1; host <= 4; ++host) reach(one, day + kMinute, host);
    if (d % 5 == 4) reach(one, day + kMinute, 100U + static_cast<std::uint32_t>(d));
    one.learn(at(day + 8 * kHour, user, Activity::kEnd));
    one.close_tunnel(at(day + 8 * kHour, user, Activity::kEnd));
  }
  // One is open, and has reached something.
  one.open_tunnel(at(day, "alice", Activity::kStart));
  reach(one, day + kMinute, 1);
  reach(one, day + kMinute, 201);
  reach(one, day + kMinute, 202);

  core::ArchiveWriter out;
  one.save(out);
  ASSERT_TRUE(out.finish());
  const std::string bytes = out.take();
  Baseline other(networks);
  core::ArchiveReader in(bytes);
  other.load(in);
  ASSERT_TRUE(in.finish());
  for (Baseline* b : {&one, &other}) {
    EXPECT_TRUE(reach(*b, day + kHour, 203)) << "the third new one";
    const auto r = b->reached(at(day + 8 * kHour, "alice", Activity::kEnd));
    ASSERT_TRUE(r);
    EXPECT_EQ(r->acquaintance, Acquaintance::kWell);
    EXPECT_EQ(r->destinations, 4);
    EXPECT_EQ(r->fresh, 3);
    EXPECT_EQ(r->rare, 3);
    EXPECT_EQ(r->usual, 4);
    EXPECT_EQ(r->usual_seen, 1);
    EXPECT_EQ(r->examples[0].ip, Ip::v4(0x0a0100c9));
    b->close_tunnel(at(day + 8 * kHour, "alice", Activity::kEnd));
    EXPECT_FALSE(b->reached(at(day + 9 * kHour, "alice", Activity::kEnd)));
    // Nothing of the next one is seen: that says something where connections are seen ordinarily.
    b->open_tunnel(at(day + 10 * kHour, "bob", Activity::kStart));
    EXPECT_TRUE(b->reached(at(day + 11 * kHour, "bob", Activity::kEnd)));
  }
  EXPECT_EQ(other.tunnels().noted(), one.tunnels().noted());
  EXPECT_EQ(other.tunnels().popular(), one.tunnels().popular());
  for (std::size_t i = 0; i < kAcquaintances; ++i) {
    EXPECT_EQ(other.tunnels().everyone()[i].fresh, one.tunnels().everyone()[i].fresh) << i;
    EXPECT_EQ(other.tunnels().everyone()[i].usual, one.tunnels().everyone()[i].usual) << i;
  }
}

TEST_F(TunnelsTest, KeysAreStable) {
  // Saved profiles hold them.
  EXPECT_EQ(destination_key({*Ip::parse("10.1.0.10"), 389}), destination_key({*Ip::parse("10.1.0.10"), 389}));
  EXPECT_NE(destination_key({*Ip::parse("10.1.0.10"), 389}), destination_key({*Ip::parse("10.1.0.10"), 88}));
  EXPECT_NE(destination_key({*Ip::parse("10.1.0.10"), 389}), destination_key({*Ip::parse("10.1.0.11"), 389}));
  EXPECT_EQ(destination_key({*Ip::parse("10.1.0.10"), 389}), 3601569726U);
  static_assert(sizeof(DestinationProfile) <= 512);
}

}  // namespace
}  // namespace orbwatch::baseline
