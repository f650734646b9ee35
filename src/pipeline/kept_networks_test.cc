#include "pipeline/kept_networks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "export/network_text.h"
#include "store/migrations.h"
#include "store/store.h"
#include "support/sample_networks.h"
#include "support/temp_dir.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using score::Network;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(KeptNetworks, WhatIsReadIsWhatWasWritten) {
  const Network n = testing::sample_network("00c0ffee00c0ffee");
  const std::string whole = score::to_whole_json(n);
  const auto read = parse_network(whole);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_TRUE(score::to_whole_json(*read) == whole) << "too long to be shown";
  // Whatever is made of it is the same, too.
  EXPECT_TRUE(score::to_json(*read) == score::to_json(n));
  EXPECT_EQ(exporting::network_text(*read), exporting::network_text(n));
  EXPECT_EQ(exporting::network_timeline(*read), exporting::network_timeline(n));
  EXPECT_EQ(exporting::networks_text({&*read, 1}), exporting::networks_text({&n, 1}));
  EXPECT_TRUE(exporting::network_block_list(*read) == exporting::network_block_list(n));
  EXPECT_EQ(exporting::network_dot(*read), exporting::network_dot(n));
  EXPECT_TRUE(score::nodes_csv(*read) == score::nodes_csv(n));
  ASSERT_EQ(read->nodes.size(), 2'100U) << "more than JSON for people tells";
  EXPECT_EQ(read->active_nodes, n.active_nodes);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(read->nodes[i].type, n.nodes[i].type) << i;
    EXPECT_EQ(read->nodes[i].strength, n.nodes[i].strength) << i;
  }
  EXPECT_EQ(read->traits[0].lift, n.traits[0].lift);
  // One of which next to nothing is known.
  Network little;
  little.id = "1";
  const auto again = parse_network(score::to_whole_json(little));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(score::to_whole_json(*again), score::to_whole_json(little));
}

TEST(KeptNetworks, WhatIsNoneIsAnError) {
  const std::string whole = score::to_whole_json(testing::sample_network("00c0ffee00c0ffee", 12));
  ASSERT_TRUE(parse_network(whole));
  for (std::size_t cut = 0; cut < whole.size(); cut += 17) EXPECT_FALSE(parse_network(whole.substr(0, cut))) << cut;
  for (const char* text : {"", "{}", "[]", "7", "{\"id\":7}", "{\"id\":\"\"}", "\xff"})
    EXPECT_FALSE(parse_network(text)) << text;
  EXPECT_FALSE(parse_network(replaced(whole, "00c0ffee00c0ffee", "../../etc/passwd")));
  EXPECT_FALSE(parse_network(replaced(whole, "\"b\":1", "\"b\":12"))) << "a link to no node";
  EXPECT_FALSE(parse_network(replaced(whole, "\"b\":1", "\"b\":-1")));
  EXPECT_FALSE(parse_network(replaced(whole, "\"ip\":\"2001:db8::1\"", "\"ip\":\"nowhere\"")));
  EXPECT_FALSE(parse_network(replaced(whole, "\"node_count\":12", "\"node_count\":13"))) << "a node is missing";
  // Texts that are shown as they stand.
  const auto hostile = parse_network(replaced(whole, "open population", "\\u001b[31mopen"));
  ASSERT_TRUE(hostile);
  EXPECT_EQ(hostile->size_method.find('\x1b'), std::string::npos);
  // What people are told of a large network lacks nodes.
  EXPECT_FALSE(parse_network(score::to_json(testing::sample_network("ab"))));
}

TEST(KeptNetworks, AStateHoldsThemAndIsReplacedWhole) {
  const test::TempDir dir;
  const std::string folder = dir.path().string();
  EXPECT_FALSE(networks_in_state(folder));
  std::vector<Network> networks = {testing::sample_network("ab", 12), testing::sample_network("cd", 8)};
  networks[1].confidence = networks[0].confidence;
  ASSERT_TRUE(write_networks(folder, networks));
  const auto file = dir / kNetworksFile;
  EXPECT_EQ(fs::status(file).permissions() & fs::perms::others_all, fs::perms::none) << "accounts stand in it";
  auto read = networks_in_state(folder);
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->networks.size(), 2U);
  EXPECT_EQ(score::to_whole_json(read->networks[0]), score::to_whole_json(networks[0]));
  EXPECT_EQ(score::to_whole_json(read->networks[1]), score::to_whole_json(networks[1]));
  // The most confident first, whatever the order in the file.
  networks[1].confidence = 0.99999999;
  ASSERT_TRUE(write_networks(folder, networks));
  read = networks_in_state(folder);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->networks[0].id, "cd");
  ASSERT_TRUE(write_networks(folder, {}));
  read = networks_in_state(folder);
  ASSERT_TRUE(read) << "none is something else than not known";
  EXPECT_TRUE(read->networks.empty());
  EXPECT_FALSE(fs::exists(file.string() + ".partial"));

  // A damaged line is counted, the others are read; what another version wrote is refused.
  ASSERT_TRUE(write_networks(folder, networks));
  std::string text = test::read_file(file.string());
  dir.write(std::string(kNetworksFile), text + "{\"id\":\n");
  read = networks_in_state(folder);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->networks.size(), 2U);
  EXPECT_EQ(read->damaged, 1U);
  dir.write(std::string(kNetworksFile), replaced(text, "\"orbwatch_networks\":1", "\"orbwatch_networks\":2"));
  EXPECT_FALSE(networks_in_state(folder));
}

TEST(KeptNetworks, AStoreHoldsThem) {
  if (!store::available()) GTEST_SKIP() << "built without DuckDB";
  const test::TempDir dir;
  const std::string path = (dir / "hunt.duckdb").string();
  EXPECT_FALSE(networks_in_store(path));
  const std::vector<Network> networks = {testing::sample_network("ab"), testing::sample_network("cd", 8)};
  {
    auto store = store::Store::create(path);
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_TRUE((*store)->begin());
    ASSERT_TRUE((*store)->replace_networks(networks));
    ASSERT_TRUE((*store)->finish());
  }
  const auto read = networks_in_store(path);
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->networks.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(score::to_whole_json(read->networks[i]) == score::to_whole_json(networks[i])) << i;

  // Before schema 3 there was no table of them.
  const std::string old = (dir / "old.duckdb").string();
  {
    store::StoreOptions options;
    options.steps = store::migrations::all.first(2);
    ASSERT_TRUE(store::Store::open_live(old, options));
  }
  const auto without = store_has_networks(old);
  ASSERT_TRUE(without) << without.error().text();
  EXPECT_FALSE(*without);
  const auto none = networks_in_store(old);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("earlier version"), std::string::npos) << none.error().text();
}

}  // namespace
}  // namespace orbwatch::pipeline
