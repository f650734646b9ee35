#include "export/sharing/tracked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "support/sample_networks.h"

namespace orbwatch::exporting::sharing {
namespace {

core::Ip ip(std::string_view text) { return *core::Ip::parse(text); }

// Four active nodes, 5.0.0.1 to 5.0.0.4, and two that are gone.
score::Network network() {
  score::Network n = testing::sample_network("00c0ffee00c0ffee", 6);
  n.active_nodes = 4;
  for (std::size_t i = 0; i < n.nodes.size(); ++i) {
    n.nodes[i].ip = core::Ip::v4(0x05000001U + static_cast<std::uint32_t>(i));
    n.nodes[i].type = core::NetworkType::kConsumer;
    n.nodes[i].active = i < 4;
    n.nodes[i].sightings = 7;
  }
  n.confidence = 0.8;
  return n;
}

std::set<std::string> addresses(const Shared& shared) {
  std::set<std::string> out;
  for (const Indicator& i : shared.indicators()) out.insert(i.address.text());
  return out;
}

struct Given {
  bool given = false;
  Shared shared;
  std::map<std::string, std::uint64_t, std::less<>> left_out;
};
Given give(const Rules& rules, const Judged& judged, const score::Network& n = network()) {
  Selection selection(rules);
  Given out;
  out.given = add_tracked(selection, n, judged);
  out.shared = selection.take();
  out.left_out = selection.left_out();
  return out;
}

TEST(Tracked, ANetworkIsGivenOnceAFindingOfItIsConfirmed) {
  Given none = give({}, {});
  EXPECT_FALSE(none.given);
  EXPECT_TRUE(none.shared.indicators().empty() && none.shared.networks().empty());
  EXPECT_EQ(none.left_out.at("network: none of its findings is confirmed by a verdict"), 1U);
  for (const char* id : {"f1", "00c0ffee00c0ffee"}) {  // a finding of it; one that names it
    Judged judged;
    judged.confirmed = {id};
    judged.dismissed = {"f2"};
    const Given given = give({}, judged);
    EXPECT_TRUE(given.given) << id;
    EXPECT_EQ(addresses(given.shared), (std::set<std::string>{"5.0.0.1", "5.0.0.2", "5.0.0.3", "5.0.0.4"}));
    ASSERT_EQ(given.shared.networks().size(), 1U);
  }
  Judged other;
  other.confirmed = {"f9"};
  EXPECT_FALSE(give({}, other).given);
}

TEST(Tracked, AllAreGivenWhereAskedForButThoseThatWereDismissed) {
  Rules all;
  all.all = true;
  EXPECT_TRUE(give(all, {}).given);
  Judged judged;
  judged.dismissed = {"f2"};
  const Given dismissed = give(all, judged);
  EXPECT_FALSE(dismissed.given);
  EXPECT_EQ(dismissed.left_out.at("network: its findings were called false or benign"), 1U);
  all.least = 0.9;
  EXPECT_EQ(give(all, {}).left_out.at("network: below the least probability"), 1U);
  all.least = 0;
  all.since = network().last + 1;
  EXPECT_EQ(give(all, {}).left_out.at("network: older than asked for"), 1U);
}

TEST(Tracked, OwnAddressesAndSuchAsWereDismissedStay) {
  Rules rules;
  rules.all = true;
  rules.own = [](const core::Ip& address) { return address == ip("5.0.0.1"); };
  Judged judged;
  judged.kept_back = {ip("5.0.0.2")};
  score::Network n = network();
  n.behaviour.gateways.push_back({"gateway", "5.0.0.3", 2, 1, 0.5, 2});
  const Given given = give(rules, judged, n);
  EXPECT_EQ(addresses(given.shared), std::set<std::string>{"5.0.0.4"});
  EXPECT_EQ(given.left_out.at("address: the organisation's own"), 2U);
  EXPECT_EQ(given.left_out.at("address: of a finding called false or benign, or suppressed"), 1U);
}

// A finding's source that is a node, too, is one address whose sightings count once, in whichever order they come.
TEST(Tracked, AnAddressGivenTwiceIsOne) {
  score::Finding f;
  f.id = "f1";
  f.kind = detect::FindingKind::kLogin;
  f.time = f.end = network().last;
  f.score = 0.9;
  f.source.ip = ip("5.0.0.1");
  f.source_count = 1;
  f.network = "ffffffffffffffff";  // that of most of its sources
  f.verdict.id = "1";
  f.verdict.says = "true";
  for (int step = 0; step < 3; ++step) f.timeline.push_back({f.time, score::Step::kLogin, f.source, 3.0, true, "", ""});
  Judged judged;
  judged.confirmed = {"f1"};
  for (const bool finding_first : {true, false}) {
    Selection selection({});
    if (finding_first) selection.add(f);
    add_tracked(selection, network(), judged);
    if (!finding_first) selection.add(f);
    const Shared shared = selection.take();
    ASSERT_EQ(shared.indicators().size(), 4U);
    const Indicator& node = shared.indicators().front();
    EXPECT_EQ(node.address, ip("5.0.0.1"));
    EXPECT_EQ(node.confidence, kConfirmed);
    EXPECT_EQ(node.network, network().id);
    ASSERT_EQ(node.sightings.size(), 2U);
    EXPECT_EQ(node.sightings[0].count + node.sightings[1].count, 7U) << "3 of them were log-ins";
    EXPECT_EQ(node.sightings[1].sensor, Sensor::kRemoteAccess);
    EXPECT_EQ(node.sightings[1].count, 3U);
    ASSERT_EQ(shared.networks().size(), 1U);
    EXPECT_EQ(shared.networks()[0].nodes, 6U);
  }
}

}  // namespace
}  // namespace orbwatch::exporting::sharing
