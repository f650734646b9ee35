#include "export/network_text.h"

#include <gtest/gtest.h>

#include <string>

#include "export/sharing/tracked.h"
#include "export/sharing/writers.h"

namespace orbwatch::exporting {
namespace {

using core::Ip;

constexpr core::Nanoseconds kDay = 1'795'392'000 * core::kSecond;

score::Network sample() {
  score::Network n;
  n.id = "00c0ffee00c0ffee";
  n.first = kDay;
  n.last = kDay + 3 * core::kDay;
  n.confidence = 0.9;
  for (int i = 0; i < 4; ++i) {
    score::NetworkNode node;
    node.ip = Ip::v4(0x05000001U + static_cast<std::uint32_t>(i));
    node.first = kDay + i * core::kHour;
    node.last = kDay + core::kDay;
    node.active = i < 3;
    node.role = score::NodeRole::kExit;
    node.asn = 3320;
    node.provider = "=Provider \"X\"";
    node.country = "DE";
    node.sightings = 3;
    n.nodes.push_back(node);
  }
  n.active_nodes = 3;
  n.traits.push_back({"client", "AnyConnect 4.2.0", 3, 1, 0.01, 100});
  n.behaviour.accounts.push_back({"account", "alice.secret", 2, 0.5, 0.01, 50});
  n.behaviour.gateways.push_back({"gateway", "vpn-secret", 3, 1, 0.5, 2});
  n.behaviour.accounts_tried = 7;
  n.links.push_back({0, 1, 5.5, "same client 'AnyConnect 4.2.0'"});
  n.history.push_back({kDay, score::NetworkChangeKind::kBorn, "", "4 nodes"});
  n.size = score::Bounds{4, 3, 9};
  n.size_method = "open population";
  n.known.push_back({"Quad7", 2, "2 of 17 traits of Quad7"});
  n.findings = {"f1", "f2"};
  return n;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(NetworkText, SaysWhatANetworkIs) {
  const std::string text = network_text(sample());
  for (const char* part :
       {"00c0ffee00c0ffee", "3 active, 1 gone", "3 exit", "4 (3 to 9) by open population",
        "client AnyConnect 4.2.0: 3 nodes", "2 of 17 traits of Quad7", "5.0.0.1", "5.5 nats", "accounts tried     7"})
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  EXPECT_TRUE(has(networks_text(std::vector{sample()}), "4 (3-9)"));
  EXPECT_EQ(networks_text({}), "no covert network\n");
}

TEST(NetworkText, TheTimelineHasADayForBirthsAndForTheGone) {
  const std::string text = network_timeline(sample());
  EXPECT_TRUE(has(text, "2026-11-23         4         0         4")) << text;
  EXPECT_TRUE(has(text, "2026-11-24         0         1         4")) << text;
  EXPECT_TRUE(has(text, "born: 4 nodes")) << text;
}

TEST(NetworkText, ABlockListHasActiveNodesOnly) {
  const std::string text = network_block_list(sample());
  EXPECT_TRUE(has(text, "\n5.0.0.1\n5.0.0.2\n5.0.0.3\n"));
  EXPECT_FALSE(has(text, "5.0.0.4"));
  EXPECT_EQ(text.front(), '#');
}

TEST(NetworkText, DotAndCsvAndJsonHoldTheNodes) {
  EXPECT_TRUE(has(network_dot(sample()), "\"5.0.0.1\" -- \"5.0.0.2\" [weight=5.50];"));
  const std::string csv = score::nodes_csv(sample());
  EXPECT_TRUE(
      has(csv, "5.0.0.4,2026-11-23T03:00:00Z,2026-11-24T00:00:00Z,no,exit,3320,\"'=Provider \"\"X\"\"\",\"DE\",,3"))
      << csv;
  const std::string json = score::to_json(sample());
  for (const char* part :
       {"\"active_nodes\":3", "\"node_count\":4", "\"size\":{\"value\":4,\"low\":3,\"high\":9}", "\"role\":\"exit\"",
        "\"links\":[{\"a\":0,\"b\":1,\"nats\":5.5", "\"findings\":[\"f1\",\"f2\"]"})
    EXPECT_TRUE(has(json, part)) << part << "\n" << json;
}

TEST(SharedNetwork, GivesNodesAndTraitsAndNothingOfTheHouse) {
  sharing::Selection selection({});
  sharing::add_tracked(selection, sample());
  const sharing::Shared shared = selection.take();
  ASSERT_EQ(shared.networks().size(), 1U);
  EXPECT_EQ(shared.networks()[0].profile, "Quad7");
  EXPECT_EQ(shared.networks()[0].least, 3U);
  EXPECT_EQ(shared.networks()[0].most, 9U);
  ASSERT_EQ(shared.networks()[0].traits.size(), 1U);
  ASSERT_EQ(shared.indicators().size(), 3U);
  EXPECT_EQ(shared.indicators()[0].role, sharing::Role::kExit);
  EXPECT_EQ(shared.indicators()[0].network, "00c0ffee00c0ffee");
  for (const char* format : {"stix", "misp"}) {
    const auto written = sharing::find_writer(format)->write(
        shared, {.sender = "", .tlp = sharing::Tlp::kGreen, .made = kDay, .before = {}});
    EXPECT_TRUE(has(written.text, "5.0.0.2")) << format;
    for (const char* secret : {"alice.secret", "vpn-secret", "\"f1\"", "5.0.0.4"})
      EXPECT_FALSE(has(written.text, secret)) << format << " " << secret;
  }
}

}  // namespace
}  // namespace orbwatch::exporting
