// The report of the example world shows its covert network as one entity: its nodes, what they have in common, what
// they are for. Beside the truth that the world was made with (examples/demo/vpn/.truth.jsonl). With the network facts
// of `orbwatch intel build`, as `./dev demo` has them: how unusual it is that so many homes come depends on knowing
// homes.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <set>
#include <string>

#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::element;

const fs::path kDemo = fs::path(ORBWATCH_ROOT) / "examples/demo";

// Sources of the network that sprays, scans and logs in.
std::set<std::string> true_nodes() {
  std::set<std::string> out;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  const simdjson::padded_string text(read_file(kDemo / "vpn/.truth.jsonl"));
  EXPECT_EQ(parser.parse_many(text).get(lines), simdjson::SUCCESS);
  for (auto line : lines) {
    bool grey = true;
    if (line["grey"].get(grey) != simdjson::SUCCESS || grey) continue;
    for (const element source : line["sources"].get_array()) out.emplace(source.get_string().value());
  }
  return out;
}

std::string text_of(element e, const char* key) {
  std::string_view text;
  return e[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

TEST(DemoNetwork, IsOneEntityWithItsTraitsAndTheRoleOfEachNode) {
  const std::set<std::string> truth = true_nodes();
  ASSERT_GT(truth.size(), 100U);

  const TempDir dir;
  const std::string page = (dir / "report.html").string();
  const RunResult hunted = run({orbwatch_binary(), "hunt", kDemo.string(), "--json", "--html", page});
  ASSERT_EQ(hunted.exit_code, 0) << hunted.err;
  const std::string html = read_file(page);
  if (html.find("no network facts: places") != html.npos) GTEST_SKIP() << "no network facts: orbwatch intel build";
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const auto at = html.find(begin);
  ASSERT_NE(at, html.npos);
  simdjson::dom::parser parser;
  element data;
  const simdjson::padded_string json(html.substr(at + begin.size(), html.find("</script>", at) - at - begin.size()));
  ASSERT_EQ(parser.parse(json).get(data), simdjson::SUCCESS);

  ASSERT_EQ(data["networks"].get_array().value().size(), 1U) << "one entity";
  const element network = data["networks"].at(0).value();
  const std::string id = text_of(network, "id");
  std::size_t nodes = 0;
  for (const element node : network["nodes"].get_array()) {
    const std::string ip = text_of(node, "ip");
    EXPECT_TRUE(truth.contains(ip)) << ip << " is not of the network";
    ++nodes;
    // All of this world's nodes come to the gateways themselves.
    if (node["active"].get_bool().value()) {
      EXPECT_EQ(text_of(node, "role"), "exit") << ip;
      EXPECT_NE(text_of(node, "role_why").find("came to gateways itself"), std::string::npos) << ip;
    }
    EXPECT_NE(text_of(node, "org"), "") << ip;
  }
  EXPECT_GT(nodes, truth.size() / 2);
  const auto size = network["size"];
  EXPECT_LE(size["low"].get_double().value(), static_cast<double>(truth.size()));
  EXPECT_GE(size["high"].get_double().value(), static_cast<double>(nodes));

  // One attempt for each account and day, at the ASA, on the ports that its scans are of.
  const element behaviour = network["behaviour"].value();
  EXPECT_NEAR(behaviour["attempts_per_account_day"].get_double().value(), 1, 0.1);
  std::set<std::string> gateways, ports;
  for (const element g : behaviour["gateways"].get_array()) gateways.insert(text_of(g, "value"));
  for (const element p : behaviour["ports"].get_array()) ports.insert(text_of(p, "value"));
  EXPECT_TRUE(gateways.contains("asa-1"));
  for (const char* port : {"22", "80", "8080", "8443", "8888"}) EXPECT_TRUE(ports.contains(port)) << port;
  EXPECT_GT(behaviour["accounts_tried"].get_uint64().value(), 20U);
  EXPECT_FALSE(text_of(network["known"].at(0).value(), "says").empty());

  // The spray and the scan say that they are of it.
  simdjson::dom::document_stream findings;
  const simdjson::padded_string said(hunted.out);
  ASSERT_EQ(parser.parse_many(said).get(findings), simdjson::SUCCESS);
  std::set<std::string> kinds;
  for (auto finding : findings) {
    if (text_of(finding.value(), "network") == id) kinds.insert(text_of(finding.value(), "kind"));
  }
  EXPECT_TRUE(kinds.contains("spray")) << hunted.out;
  EXPECT_TRUE(kinds.contains("recon")) << hunted.out;
  EXPECT_TRUE(kinds.contains("login")) << hunted.out;
}

}  // namespace
}  // namespace orbwatch::test
