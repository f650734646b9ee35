// `orbwatch networks` and `orbwatch share` on the covert networks of logs, of a store and of a service that runs: each
// tells the same.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "hunt.h"
#include "support/run.h"
#include "support/sample_networks.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto at = text.find(before);
  if (at == text.npos) return "";
  return text.substr(at + before.size(), text.find(after, at + before.size()) - at - before.size());
}
std::set<std::string> ids(const std::string& json) {
  std::set<std::string> out;
  std::istringstream in(json);
  for (std::string line; std::getline(in, line);) out.insert(between(line, "{\"id\":\"", "\""));
  return out;
}

class NetworksCommand : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  static RunResult orbwatch(const Words& words) {
    Words argv = {orbwatch_binary()};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  }
  static RunResult networks(Words words, const Words& from) {
    words.insert(words.begin(), "networks");
    words.insert(words.end(), from.begin(), from.end());
    return orbwatch(words);
  }

  TempDir dir_;
  std::string log_ = dir_.write("covert.log", testing::covert_network_log()).string();
  Words logs_ = {"--networks", "none", log_};
};

TEST_F(NetworksCommand, AStoreTellsWhatItsLogsTell) {
  const std::string db = (dir_ / "hunt.duckdb").string();
  const HuntRun hunted = hunt({"--db", db, log_});
  if (has(hunted.run.err, "without DuckDB") || has(hunted.run.err, "no database")) GTEST_SKIP();
  const Words store = {"--store", db};
  const RunResult list = networks({"list"}, logs_);
  ASSERT_EQ(list.exit_code, 0) << list.err;
  ASSERT_GT(lines_of(list.out), 2U) << list.out;
  EXPECT_EQ(networks({"list"}, store).out, list.out);
  const std::string json = networks({"list", "--json"}, logs_).out;
  EXPECT_EQ(networks({"list", "--json"}, store).out, json);
  for (const std::string& id : ids(json)) {
    ASSERT_EQ(id.size(), 16U);
    for (const Words& words : std::vector<Words>{{"show", id, "--json"},
                                                 {"show", id},
                                                 {"timeline", id},
                                                 {"timeline", id, "--json"},
                                                 {"export", id},
                                                 {"export", id, "--format", "json"},
                                                 {"export", id, "--format", "edl"},
                                                 {"export", id, "--format", "dot"}}) {
      const RunResult of_logs = networks(words, logs_);
      const RunResult of_store = networks(words, store);
      EXPECT_EQ(of_logs.exit_code, 0) << of_logs.err;
      EXPECT_EQ(of_store.exit_code, 0) << of_store.err;
      EXPECT_NE(of_logs.out, "");
      EXPECT_EQ(of_store.out, of_logs.out) << words[0] << " " << words.back();
    }
  }
  // What an own network is comes from the configuration here, too.
  const std::string id = *ids(json).begin();
  const std::string node = between(networks({"export", id, "--format", "edl"}, store).out, "\n", "\n");
  ASSERT_NE(node, "");
  EXPECT_TRUE(has(networks({"export", id, "--format", "stix"}, store).out, node));
  const std::string config =
      dir_.write("orbwatch.yaml", "networks:\n  - {prefix: " + node + "/32, name: lab}\n").string();
  const RunResult own = networks({"export", id, "--format", "stix", "--config", config}, store);
  EXPECT_EQ(own.exit_code, 0) << own.err;
  EXPECT_FALSE(has(own.out, node));
}

TEST_F(NetworksCommand, OnePlaceMustBeNamed) {
  const std::string folder = dir_.path().string();
  for (const Words& from : std::vector<Words>{
           {}, {log_, "--state", folder}, {log_, "--store", log_}, {"--state", folder, "--store", log_}}) {
    const RunResult r = networks({"list"}, from);
    EXPECT_EQ(r.exit_code, 2);
    EXPECT_TRUE(has(r.err, "one of them")) << r.err;
  }
  // What says how logs are read has no meaning without any.
  EXPECT_EQ(networks({"list"}, {"--state", folder, "--tz", "+02:00"}).exit_code, 2);
  EXPECT_EQ(networks({"list"}, {"--store", log_, "--networks", "none"}).exit_code, 2);
  EXPECT_EQ(networks({"list"}, {"--store", log_, "--config", folder + "/none.yaml"}).exit_code, 2);
  EXPECT_EQ(networks({"export", "ab", "--format", "stix", "--identity", "two\nlines"}, {"--state", folder}).exit_code,
            3)
      << "there is nothing to give";
  // Places without networks.
  const RunResult state = networks({"list"}, {"--state", folder});
  EXPECT_EQ(state.exit_code, 3);
  EXPECT_TRUE(has(state.err, "networks.ndjson")) << state.err;
  EXPECT_EQ(networks({"list"}, {"--store", log_}).exit_code, 3);
  EXPECT_EQ(networks({"list"}, {"--store", folder + "/none"}).exit_code, 3);
}

TEST_F(NetworksCommand, AServiceThatRunsIsAskedAndAfterwardsItsStore) {
  const fs::path state = dir_ / "service/state";
  const std::string config = "state: " + state.string() +
                             "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\ncheckpoint: 1s\ncollect:\n"
                             "  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n";
  fs::create_directories(dir_ / "service");
  const Words of_state = {"--state", state.string()};
  const std::string text = testing::covert_network_log();
  const auto most = text.rfind('\n', text.size() - 200) + 1;  // all but the last lines
  std::set<std::string> running;
  {
    ServiceProcess service(dir_ / "service", config, {"--networks", "none"});
    ASSERT_TRUE(service.wait_ready()) << service.err();
    ASSERT_TRUE(send_tcp(service.port("tcp"), text.substr(0, most)));
    ASSERT_TRUE(service.wait_for("records", static_cast<long long>(lines_of(text.substr(0, most))), "tcp"));
    // With one of the next checkpoints.
    for (int i = 0; i < 600 && running.size() < 2; ++i) {
      running = ids(networks({"list", "--json"}, of_state).out);
      ::usleep(100'000);
    }
    ASSERT_GT(running.size(), 1U) << service.err();
    for (const std::string& id : running) EXPECT_EQ(networks({"show", id}, of_state).exit_code, 0);
    EXPECT_TRUE(has(service.get("/metrics"), "orbwatch_covert_networks "));
    ASSERT_TRUE(send_tcp(service.port("tcp"), text.substr(most)));
    ASSERT_TRUE(service.wait_for("records", static_cast<long long>(lines_of(text)), "tcp"));
    service.signal(SIGTERM);
    EXPECT_EQ(service.wait(), 0) << service.err();
  }
  const std::string list = networks({"list", "--json"}, of_state).out;
  EXPECT_EQ(ids(list), running) << "a network keeps its id";
  const std::string db = (state / "findings.duckdb").string();
  if (!fs::exists(db)) GTEST_SKIP() << "built without DuckDB";
  EXPECT_EQ(networks({"list", "--json"}, {"--store", db}).out, list);

  // What is given to others.
  const auto share = [](Words words) {
    words.insert(words.begin(), {"share", "--format", "csv"});
    return orbwatch(words);
  };
  const RunResult unsaid = share(of_state);
  EXPECT_EQ(unsaid.exit_code, 0) << unsaid.err;
  EXPECT_EQ(lines_of(unsaid.out), 1U) << unsaid.out;
  EXPECT_TRUE(has(unsaid.err, "left out: network: none of its findings is confirmed by a verdict: " +
                                  std::to_string(running.size())))
      << unsaid.err;
  std::string finding;
  std::istringstream in(list);
  for (std::string line; finding.empty() && std::getline(in, line);) finding = between(line, "\"findings\":[\"", "\"");
  ASSERT_NE(finding, "") << list;
  // Once somebody has said that it is true, the networks that it is linked with or that were its sources are given,
  // each of their nodes once.
  const RunResult said = orbwatch({"verdict", finding, "true", "--state", state.string()});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  std::vector<std::string> nodes;
  std::set<std::string> confirmed;
  in = std::istringstream(list);
  for (std::string line; std::getline(in, line);) {
    if (!has(line, "\"" + finding + "\"")) continue;
    const std::string id = between(line, "{\"id\":\"", "\"");
    confirmed.insert(id);
    std::istringstream block(networks({"export", id, "--format", "edl"}, of_state).out);
    for (std::string node; std::getline(block, node);) {
      if (!node.empty() && node.front() != '#') nodes.push_back(node);
    }
  }
  ASSERT_GT(nodes.size(), 3U);
  for (const Words& from : {of_state, Words{"--store", db, "--verdicts", (state / "verdicts.ndjson").string()}}) {
    const RunResult given = share(from);
    EXPECT_EQ(given.exit_code, 0) << given.err;
    EXPECT_TRUE(has(given.err, "and " + std::to_string(confirmed.size()) + " of " + std::to_string(running.size()) +
                                   " covert networks"))
        << given.err;
    for (const std::string& node : nodes) {
      EXPECT_TRUE(has(given.out, "\n" + node + ",")) << node << given.out;
      EXPECT_EQ(given.out.find("\n" + node + ","), given.out.rfind("\n" + node + ",")) << "one object: " << node;
    }
    for (const std::string& id : confirmed) EXPECT_TRUE(has(given.out, id)) << id;
    for (const char* secret : {"user0", "user5", "gw1"}) EXPECT_FALSE(has(given.out, secret)) << secret;
  }
  Words all = of_state;
  all.insert(all.end(), {"--all", "--out", (dir_ / "given.csv").string(), "--json"});
  const RunResult everything = share(all);
  EXPECT_TRUE(has(everything.out, "\"networks_given\":" + std::to_string(running.size()))) << everything.out;
}

}  // namespace
}  // namespace orbwatch::test
