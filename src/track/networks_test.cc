#include "track/networks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::track {
namespace {

using core::intern;
using core::Ip;
using core::kDay;
using core::kHour;
using core::kMinute;
using core::Nanoseconds;

constexpr Nanoseconds kMonday = 1'795'392'000 * core::kSecond;  // 2026-11-23T00:00:00Z

// All that is told, in one text.
std::string told(const NetworkTracker& tracker) {
  std::string out;
  for (const Network& network : tracker.networks()) {
    out +=
        fmt::format("{} {} {} {} {}\n", network.id, network.first, network.last, network.confidence, network.cohesion);
    for (const NetworkNode& n : network.nodes)
      out += fmt::format("  {} {} {} {} {} {} {}\n", n.ip.text(), n.active, n.first, n.last, n.strength, n.evidence,
                         n.role_why);
    for (const NetworkTrait& t : network.traits) out += fmt::format("  {} {} {}\n", t.text, t.nodes, t.lift);
    for (const NetworkChange& c : network.history)
      out += fmt::format("  {} {} {} {}\n", c.time, name(c.kind), c.other, c.why);
    for (const std::uint64_t h : network.behaviour.hours) out += fmt::format(" {}", h);
    out += fmt::format(" {}\n", network.behaviour.attempts_per_account_day);
  }
  return out;
}

Ip address(int i) { return Ip::v4(0x18000000U + static_cast<std::uint32_t>(i) * 4099U); }

NodeSighting attempt(int node, Nanoseconds time, const std::string& account, const std::string& client) {
  NodeSighting s;
  s.time = time;
  s.address = address(node);
  s.kind = SightingKind::kFailedLogin;
  s.strength = 1;
  s.asn = 7000 + static_cast<std::uint32_t>(node % 9);
  s.type = core::NetworkType::kConsumer;
  s.gateway = intern("vpn");
  s.account = intern(account);
  s.add(Trait::of(TraitKind::kClient, intern(client)));
  return s;
}

// Ordinary staff, so that it is known what is common: 200 users with one client.
void learn_staff(NetworkTracker& tracker, Nanoseconds time) {
  for (int u = 0; u < 200; ++u) {
    NodeSighting s = attempt(10'000 + u, time + u * core::kSecond, fmt::format("user{}", u), "AnyConnect 5.1");
    s.kind = SightingKind::kOrdinary;
    s.strength = 0;
    tracker.add(s);
  }
}

// A day of a spray: the nodes take turns at the accounts.
void spray(NetworkTracker& tracker, const std::vector<int>& nodes, int first_account, int accounts, Nanoseconds day,
           const std::string& client) {
  for (int i = 0; i < accounts; ++i) {
    const int node = nodes[core::hash64(fmt::format("{} {}", i, day)) % nodes.size()];
    tracker.add(attempt(node, day + kHour + i * kMinute, fmt::format("user{}", first_account + i), client));
  }
}
void spray(NetworkTracker& tracker, int first_node, int nodes, int first_account, int accounts, Nanoseconds day,
           const std::string& client) {
  std::vector<int> all;
  all.reserve(static_cast<std::size_t>(nodes));
  for (int n = 0; n < nodes; ++n) all.push_back(first_node + n);
  spray(tracker, all, first_account, accounts, day, client);
}

// Those with active nodes: small ones that came and went stay in the list as history.
std::size_t active(const NetworkTracker& tracker) {
  std::size_t n = 0;
  for (const Network& network : tracker.networks()) n += network.nodes[0].active ? 1 : 0;
  return n;
}

TEST(Networks, ADamagedStateIsRefused) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 4; ++d) spray(tracker, 0, 12, 0, 60, kMonday + d * kDay, "odd client");
  tracker.settle();
  core::ArchiveWriter writer;
  tracker.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  for (std::size_t cut = 0; cut < bytes.size(); cut += 997) {
    NetworkTracker other;
    core::ArchiveReader reader(std::string_view(bytes).substr(0, cut));
    other.load(reader);
    EXPECT_FALSE(reader.finish());
  }
}

TEST(Networks, NodesThatAreHandedOnAreToldOfBothNetworks) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 5; ++d) spray(tracker, 0, 12, 0, 60, kMonday + d * kDay, "odd client");
  // Two months later a part of the addresses serves somebody else.
  learn_staff(tracker, kMonday + 59 * kDay);
  for (int d = 60; d < 64; ++d) spray(tracker, 6, 12, 100, 60, kMonday + d * kDay, "other client");
  tracker.settle();
  const std::vector<Network> all = tracker.networks(true);
  ASSERT_EQ(all.size(), 2U) << told(tracker);
  const Network& earlier = all[0].first < all[1].first ? all[0] : all[1];
  const Network& later = &earlier == &all[0] ? all[1] : all[0];
  ASSERT_EQ(earlier.overlaps.size(), 1U);
  ASSERT_EQ(later.overlaps.size(), 1U);
  const NetworkOverlap& gone = earlier.overlaps[0];
  EXPECT_EQ(gone.other, later.id);
  EXPECT_EQ(gone.common, 6U);
  EXPECT_EQ(gone.onward, 6U);
  EXPECT_EQ(gone.back + gone.together, 0U);
  EXPECT_GT(gone.expected, 0);
  EXPECT_LE(gone.log10_p, 0);
  EXPECT_EQ(later.overlaps[0].other, earlier.id);
  EXPECT_EQ(later.overlaps[0].back, 6U);

  // Its twelve nodes stand with all nine providers.
  ASSERT_EQ(later.likely_providers.size(), 5U);
  double sum = 0;
  for (const LikelyProvider& p : later.likely_providers) {
    EXPECT_GE(p.asn, 7000U);
    EXPECT_LE(p.asn, 7008U);
    EXPECT_LE(p.share.low, p.share.value);
    EXPECT_GE(p.share.high, p.share.value);
    sum += p.share.value;
  }
  EXPECT_LT(sum, 1);
  EXPECT_GT(sum, 0.3);
  const std::string json = score::to_json(later);
  EXPECT_NE(json.find("\"overlaps\":[{\"network\":\"" + earlier.id + "\",\"common\":6"), json.npos) << json;
  EXPECT_NE(json.find("\"likely_providers\":[{\"asn\":70"), json.npos) << json;
}

// What the Internet knocks on: each address asks for a few of ten popular ports, day after day.
TEST(Networks, ScannersOfPopularPortsAreNoNetwork) {
  constexpr int kAddresses = 4000;
  constexpr std::array<std::uint16_t, 10> kPorts = {23, 445, 2323, 5060, 8088, 1433, 6379, 443, 22, 8443};
  NetworkTracker tracker;
  for (int d = 0; d < 10; ++d) {
    for (int i = 0; i < 6000; ++i) {
      const std::uint64_t draw = core::hash64(fmt::format("{} {}", d, i));
      NodeSighting s;
      s.time = kMonday + d * kDay + i * 10 * core::kSecond;
      s.address = address(static_cast<int>(draw % kAddresses));
      s.kind = SightingKind::kProbe;
      s.strength = 0.2;
      s.asn = 7000 + static_cast<std::uint32_t>(draw % 97);
      s.type = core::NetworkType::kConsumer;
      s.gateway = intern("vpn");
      s.add_port(kPorts[(draw >> 20) % kPorts.size()]);
      tracker.add(s);
    }
  }
  tracker.settle();
  std::size_t in_networks = 0;
  for (const Network& network : tracker.networks()) in_networks += network.active_nodes;
  EXPECT_LE(in_networks, kAddresses / 100) << told(tracker);
}

TEST(Networks, TheIdStaysWhileNodesComeAndGo) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  std::string id;
  for (int d = 1; d < 12; ++d) {
    // Each day one node is new and one is not used any more.
    spray(tracker, d, 12, 0, 72, kMonday + d * kDay, "odd client");
    tracker.settle();
    if (d == 3) {
      ASSERT_EQ(active(tracker), 1U);
      id = tracker.networks()[0].id;
      EXPECT_EQ(id.size(), 16U);
    }
  }
  ASSERT_EQ(active(tracker), 1U);
  const auto network = tracker.network(id, true);
  ASSERT_TRUE(network);
  EXPECT_EQ(tracker.network_of(address(22)), id);
  // Parts that came up on the first days may have been joined then.
  for (const NetworkChange& change : network->history) EXPECT_LT(change.time, kMonday + 4 * kDay) << told(tracker);
  EXPECT_EQ(network->history[0].kind, NetworkChangeKind::kBorn);
  EXPECT_NE(network->history[0].why.find("software"), std::string::npos) << network->history[0].why;
  EXPECT_GT(network->confidence, 0.5);
  ASSERT_FALSE(network->traits.empty());
  EXPECT_EQ(network->traits[0].text, "odd client");
  EXPECT_GT(network->traits[0].lift, 5);
  EXPECT_NEAR(network->behaviour.attempts_per_account_day, 1, 0.01);
  EXPECT_EQ(network->behaviour.accounts_tried, 72U);
  EXPECT_EQ(network->nodes[0].role, NodeRole::kExit);
  EXPECT_TRUE(network->size);
  EXPECT_TRUE(network->half_life_days);
  EXPECT_TRUE(network->births_expected);
  EXPECT_FALSE(network->links.empty());
  EXPECT_FALSE(network->survival.empty());
  // Silence of two half-lives: nobody is active any more, and all are still told of.
  NodeSighting late = attempt(5'000, kMonday + 60 * kDay, "user1", "AnyConnect 5.1");
  tracker.add(late);
  const auto silent = tracker.network(id);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->nodes.size(), network->nodes.size());
  for (const NetworkNode& node : silent->nodes) EXPECT_FALSE(node.active);
}

TEST(Networks, WhatGrowsTogetherIsMergedAndTold) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 4; ++d) {
    spray(tracker, 0, 12, 0, 60, kMonday + d * kDay, "odd client");
    spray(tracker, 100, 12, 100, 60, kMonday + d * kDay + 2 * kHour, "other client");
  }
  tracker.settle();
  ASSERT_EQ(active(tracker), 2U);
  const std::string first(tracker.network_of(address(0))), second(tracker.network_of(address(100)));
  ASSERT_NE(first, second);
  // Then both use one client and one list.
  for (int d = 4; d < 34; ++d) {
    spray(tracker, {0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105}, 0, 72, kMonday + d * kDay, "third client");
    tracker.settle();
  }
  EXPECT_EQ(tracker.network_of(address(0)), tracker.network_of(address(100)));
  const auto network = tracker.network(tracker.network_of(address(0)));
  ASSERT_TRUE(network);
  EXPECT_EQ(network->history.back().kind, NetworkChangeKind::kMerged);
  EXPECT_TRUE(network->history.back().other == first || network->history.back().other == second);
  EXPECT_FALSE(network->history.back().why.empty());
}

TEST(Networks, WhatGoesApartIsSplitAndTold) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 6; ++d) spray(tracker, 0, 24, 0, 72, kMonday + d * kDay, "odd client");
  tracker.settle();
  ASSERT_EQ(active(tracker), 1U);
  const std::string id = tracker.networks()[0].id;
  for (int d = 6; d < 40; ++d) {
    spray(tracker, 0, 12, 0, 72, kMonday + d * kDay, "third client");
    spray(tracker, 12, 12, 100, 72, kMonday + d * kDay + 9 * kHour, "fourth client");
    tracker.settle();
  }
  EXPECT_NE(tracker.network_of(address(0)), tracker.network_of(address(12)));
  const auto network = tracker.network(id);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->history.back().kind, NetworkChangeKind::kSplit);
  EXPECT_FALSE(network->history.back().other.empty());
}

TEST(Networks, WhyTwoAreLinkedIsSaidInWordsWithNumbers) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 4; ++d) spray(tracker, 0, 12, 0, 60, kMonday + d * kDay, "odd client");
  const auto why = tracker.why(address(0), address(3));
  ASSERT_TRUE(why);
  EXPECT_GT(why->nats, 2);
  ASSERT_FALSE(why->reasons.empty());
  std::string all;
  for (const Reason& reason : why->reasons) all += reason.text + "\n";
  EXPECT_NE(all.find("same client 'odd client' ("), std::string::npos) << all;
  EXPECT_FALSE(tracker.why(address(0), address(999)));
}

TEST(Networks, OnePersonOnTheWayIsNoNetwork) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  // Eight places, one account, a client that nobody else has.
  for (int d = 1; d < 9; ++d)
    for (int i = 0; i < 4; ++i) tracker.add(attempt(d, kMonday + d * kDay + i * kHour, "user7", "own build"));
  tracker.settle();
  EXPECT_TRUE(tracker.networks().empty());
  const auto why = tracker.why(address(1), address(2));
  ASSERT_TRUE(why);
  EXPECT_EQ(why->nats, 0);
  EXPECT_NE(why->reasons.at(0).text.find("one person"), std::string::npos);
}

TEST(Networks, AnAccountHandedOnBetweenProvidersIsARelay) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int i = 0; i < 12; ++i) {
    NodeSighting s = attempt(i % 4, kMonday + kDay + i * 3 * kMinute, "user7", "own build");
    s.kind = SightingKind::kSession;
    tracker.add(s);
  }
  const auto why = tracker.why(address(0), address(1));
  ASSERT_TRUE(why);
  EXPECT_GT(why->nats, 2);
  std::string all;
  for (const Reason& reason : why->reasons) all += reason.text + "\n";
  EXPECT_NE(all.find("went on from one to the other"), std::string::npos) << all;
}

TEST(Networks, AnAddressThatWasSilentBeginsAnew) {
  NetworkTracker tracker;
  learn_staff(tracker, kMonday);
  for (int d = 1; d < 4; ++d) spray(tracker, 0, 12, 0, 60, kMonday + d * kDay, "odd client");
  tracker.settle();
  ASSERT_NE(tracker.network_of(address(0)), "");
  tracker.add(attempt(0, kMonday + 30 * kDay, "user150", "AnyConnect 5.1"));
  EXPECT_EQ(tracker.counts().owners_changed, 1U);
  EXPECT_EQ(tracker.network_of(address(0)), "");
}

TEST(Networks, AHostileVolumeStaysWithinTheLimits) {
  NetworkLimits limits;
  limits.most_nodes = 500;
  limits.most_accounts = 200;
  limits.most_graph = 300;
  limits.most_networks = 3;
  limits.most_past_nodes = 20;
  limits.background = {.most_traits = 2'000, .most_pairs = 4'000};
  NetworkTracker tracker(limits);
  for (int i = 0; i < 20'000; ++i) {
    NodeSighting s = attempt(i % 3'000, kMonday + i * core::kSecond, fmt::format("name{}", i % 1'500),
                             fmt::format("client {}", i % 900));
    for (std::uint16_t p = 0; p < 40; ++p) s.add_port(static_cast<std::uint16_t>(p + i));
    tracker.add(s);
  }
  tracker.add({});
  tracker.settle();
  EXPECT_LE(tracker.nodes(), limits.most_nodes);
  EXPECT_LE(tracker.networks().size(), limits.most_networks);
  EXPECT_GT(tracker.counts().nodes_forgotten, 0U);
  EXPECT_GT(tracker.counts().accounts_forgotten, 0U);
  EXPECT_GT(tracker.counts().not_clustered, 0U);
  EXPECT_GT(tracker.around().all.begun_anew(), 0U);
  EXPECT_EQ(tracker.counts().without_address, 1U);
  EXPECT_EQ(tracker.counts().sightings, 20'000U);
}

// So many addresses at once that each may look at a few others only.
TEST(Networks, ABoundedNumberOfPairsFindsItsNetworks) {
  constexpr int kNetworks = 4, kEach = 1000, kAccounts = 60;
  NetworkTracker tracker;
  for (int u = 0; u < kNetworks * kAccounts; ++u) {
    NodeSighting s = attempt(10'000 + u, kMonday + u * core::kSecond, fmt::format("user{}", u), "AnyConnect 5.1");
    s.kind = SightingKind::kOrdinary;
    s.strength = 0;
    tracker.add(s);
  }
  for (int step = 0; step < 6; ++step) {
    for (int node = 0; node < kNetworks * kEach; ++node) {
      const int network = node % kNetworks;
      const std::uint64_t draw = core::hash64(fmt::format("{} {}", node, step));
      const int account = network * kAccounts + static_cast<int>(draw % kAccounts);
      tracker.add(attempt(node, kMonday + kDay + step * kHour / 2 + node * 200 * core::kMillisecond,
                          fmt::format("user{}", account), fmt::format("client {}", network)));
    }
  }
  tracker.settle();
  std::vector<std::string_view> ids;
  for (int network = 0; network < kNetworks; ++network) {
    std::map<std::string_view, int> nodes;  // by the network that they were found to be of
    for (int node = network; node < kNetworks * kEach; node += kNetworks) ++nodes[tracker.network_of(address(node))];
    nodes.erase("");
    ASSERT_FALSE(nodes.empty()) << network;
    const auto& [id, n] = *std::ranges::max_element(nodes, {}, [](const auto& item) { return item.second; });
    EXPECT_GE(n, kEach * 9 / 10) << network;
    ids.push_back(id);
  }
  std::ranges::sort(ids);
  EXPECT_TRUE(std::ranges::adjacent_find(ids) == ids.end()) << "two of them are one";
}

// A large graph costs seconds: it waits for much that is new, but not longer than a day.
TEST(Networks, ALargeGraphIsCutWhereMuchHasCome) {
  NetworkLimits limits;
  limits.large_graph = 100;
  limits.sightings_each = 5;
  NetworkTracker tracker(limits);
  learn_staff(tracker, kMonday);
  spray(tracker, 0, 200, 0, 600, kMonday + kHour, "odd client");
  tracker.settle();
  const auto clusterings = [&] { return tracker.counts().clusterings; };
  const std::uint64_t before = clusterings();
  const Nanoseconds tuesday = kMonday + kDay;
  // By old addresses, so that no many new ones make it sooner: fewer than five for each within the day.
  spray(tracker, 0, 200, 0, 300, tuesday - 8 * kHour, "odd client");
  EXPECT_EQ(clusterings(), before);
  spray(tracker, 0, 200, 0, 10, tuesday + 12 * kHour, "odd client");
  EXPECT_EQ(clusterings(), before + 1) << "a day has passed";
  for (int i = 0; i < 5; ++i) spray(tracker, 0, 200, 0, 300, tuesday + 13 * kHour, "odd client");
  spray(tracker, 0, 200, 0, 10, tuesday + kDay, "odd client");
  EXPECT_EQ(clusterings(), before + 2) << "much has come";
}

TEST(NetworkEvidence, WhatIsCommonLinksNobodyAndSharersCountLess) {
  Surroundings around;
  const Trait common = Trait::of(TraitKind::kClient, intern("everybody's")),
              rare = Trait::of(TraitKind::kClient, intern("rare"));
  for (int i = 0; i < 500; ++i) around.all.see(address(i), common, kMonday);
  around.all.see(address(600), rare, kMonday);
  std::uint64_t dropped = 0;
  NodeProfile a, b, c;
  a.add(rare, dropped);
  b.add(rare, dropped);
  c.add(common, dropped);
  const Ip x = address(1), y = address(2);
  const auto nats = [&](const NodeProfile& p, const NodeProfile& q, core::NetworkType type) {
    return compare({&x, &p, type, kMonday}, {&y, &q, type, kMonday}, around).total();
  };
  const double home = nats(a, b, core::NetworkType::kConsumer);
  EXPECT_GT(home, 4);
  EXPECT_NEAR(nats(a, b, core::NetworkType::kCgnat), home / 3, 1e-9);
  EXPECT_LT(nats(c, c, core::NetworkType::kConsumer), 0.2);
  EXPECT_LT(nats(a, c, core::NetworkType::kConsumer), -1);
}

TEST(NetworkEvidence, DisjointPortsAtOneTimeAreOneScan) {
  Surroundings around;
  for (int i = 0; i < 100; ++i)
    for (std::uint32_t port = 1; port <= 8; ++port)
      if ((i + static_cast<int>(port)) % 2 == 0) around.all.see(address(i), {TraitKind::kPortAsked, port}, kMonday);
  std::uint64_t dropped = 0;
  NodeProfile a, b;
  for (std::uint32_t port = 1; port <= 4; ++port) a.add({TraitKind::kPortAsked, port}, dropped);
  for (std::uint32_t port = 5; port <= 8; ++port) b.add({TraitKind::kPortAsked, port}, dropped);
  const Ip x = address(1), y = address(2);
  const auto targets = [&](Nanoseconds later) {
    return compare({&x, &a, {}, kMonday}, {&y, &b, {}, kMonday + later}, around)
        .groups[static_cast<std::size_t>(EvidenceGroup::kTargets)];
  };
  EXPECT_GT(targets(kHour), 1.5);
  EXPECT_EQ(targets(2 * kDay), 0);
}

TEST(NetworkEvidence, WhatIsCountedIsNotCountedAgainWithinAMonth) {
  Surroundings around;
  const Trait client = Trait::of(TraitKind::kClient, intern("tool")), hour{TraitKind::kHours, 3};
  std::uint16_t counted = 0, counted_hour = 0, after_loading = 0;
  around.pass(kMonday);
  for (int i = 0; i < 3; ++i) {
    around.see(address(1), client, counted);
    around.see(address(1), hour, counted_hour);
  }
  around.see(address(1), client, after_loading);
  EXPECT_EQ(around.all.sources(client), 1);
  EXPECT_EQ(around.strange.sources(hour), 1);
  EXPECT_EQ(around.all.sources(hour), 0) << "habits are compared with those of strange sources";
  around.pass(kMonday + Background::kHalfLife);
  around.see(address(1), client, counted);
  EXPECT_NEAR(around.all.sources(client), 1.5, 1e-9);
}

TEST(NetworkClusters, TwoCliquesAreTwoAndBadEdgesAreRefused) {
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < 5; ++i) {
    for (std::uint32_t j = i + 1; j < 5; ++j) {
      edges.push_back({i, j, 3});
      edges.push_back({i + 5, j + 5, 3});
    }
  }
  edges.push_back({0, 5, 1});
  const auto found = leiden(11, edges);
  ASSERT_TRUE(found);
  for (std::uint32_t i = 1; i < 5; ++i) {
    EXPECT_EQ((*found)[i], (*found)[0]);
    EXPECT_EQ((*found)[i + 5], (*found)[5]);
  }
  EXPECT_NE((*found)[0], (*found)[5]);
  EXPECT_FALSE(leiden(2, std::array{Edge{0, 2, 1}}));
  EXPECT_FALSE(leiden(2, std::array{Edge{0, 1, 0}}));
  EXPECT_TRUE(leiden(3, {}));
}

}  // namespace
}  // namespace orbwatch::track
