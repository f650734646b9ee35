// `orbwatch verdict` as analysts use it: on a hunt, and on a service while it runs.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "hunt.h"
#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
std::string example() { return (fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/fortigate.log").string(); }
std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}
std::string id_of(const std::string& json) {
  const auto at = json.find("\"id\":\"");
  return at == json.npos ? "" : json.substr(at + 6, json.find('"', at + 6) - at - 6);
}
// The line of the finding of this id; the newest if there are several.
std::string of(const std::string& findings, const std::string& id) {
  std::string found;
  for (const std::string& line : lines(findings)) {
    if (id_of(line) == id) found = line;
  }
  return found;
}
bool has(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }

TEST(VerdictTest, AHuntRemembersWhatWasSaidOfTheOneBefore) {
  const TempDir dir;
  const std::string db = (dir / "hunt.duckdb").string();
  const std::string file = (dir / "verdicts.ndjson").string();
  const HuntRun first = hunt({"--db", db, example()});
  if (has(first.run.err, "without DuckDB")) GTEST_SKIP();
  const auto alerts = lines(first.findings);
  ASSERT_GE(alerts.size(), 1U);
  const std::string id = id_of(alerts[0]);
  const auto verdict = [&](std::vector<std::string> arguments) {
    std::vector<std::string> argv = {orbwatch_binary(), "verdict"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--verdicts", file});
    return run(argv);
  };
  // An empty file changes nothing, to the last byte.
  std::ofstream(file) << "";
  const HuntRun same = hunt({"--verdicts", file, example()});
  EXPECT_EQ(same.findings, first.findings);

  EXPECT_EQ(verdict({id, "benign", "--db", db}).exit_code, 2) << "without a reason";
  EXPECT_EQ(verdict({"ffffffffffffffff", "false", "--db", db}).exit_code, 2);
  EXPECT_EQ(verdict({id, "maybe", "--db", db}).exit_code, 2);
  EXPECT_EQ(read(file), "");
  EXPECT_EQ(verdict({id, "true", "--source", "192.0.2.77", "--db", db}).exit_code, 2) << "no source of the finding";
  EXPECT_EQ(verdict({id, "true", "--source", "none", "--db", db}).exit_code, 2);
  EXPECT_EQ(verdict({id, "false", "--source", "192.0.2.77", "--db", db}).exit_code, 2) << "true only";
  EXPECT_EQ(read(file), "");
  const RunResult said =
      verdict({id.substr(0, 12), "benign", "--db", db, "--reason", "our own lab", "--author", "carol"});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  EXPECT_TRUE(has(said.out, id + " is benign")) << said.out;
  EXPECT_EQ(lines_of(read(file)), 1U);

  const std::string again = (dir / "again.duckdb").string();
  const HuntRun second = hunt({"--verdicts", file, "--db", again, example()});
  EXPECT_EQ(lines_of(second.findings) + 1, alerts.size()) << second.run.err;
  EXPECT_EQ(of(second.findings, id), "");
  const HuntRun all = hunt({"--all", "--verdicts", file, example()});
  const std::string hidden = of(all.findings, id);
  EXPECT_TRUE(has(hidden, "\"alert\":false")) << hidden;
  EXPECT_TRUE(has(hidden, "\"suppressed_by\":{")) << hidden;
  EXPECT_TRUE(has(hidden, "\"reason\":\"our own lab\"")) << hidden;
  const RunResult text = run({orbwatch_binary(), "hunt", "--networks", "none", "--all", "--verdicts", file, "--html",
                              (dir / "report.html").string(), example()});
  EXPECT_TRUE(has(text.out, "1 suppressed")) << text.out.substr(0, 200);
  EXPECT_TRUE(has(text.out, "Suppressed by verdicts"));
  EXPECT_TRUE(has(text.out, "our own lab"));
  EXPECT_TRUE(has(read(dir / "report.html"), "our own lab"));
  const RunResult asked =
      run({orbwatch_binary(), "sql", again, "--csv",
           "SELECT suppressed_reason, suppressed_author, alert FROM findings WHERE id = '" + id + "'"});
  EXPECT_TRUE(has(asked.out, "our own lab,carol,false")) << asked.out << asked.err;

  const RunResult list = run({orbwatch_binary(), "verdict", "list", "--verdicts", file, "--db", again});
  EXPECT_TRUE(has(list.out, "in force")) << list.out << list.err;
  EXPECT_TRUE(has(list.out, "1 kept back")) << list.out;
  const std::string entry = id_of(lines(read(file))[0]);
  EXPECT_EQ(run({orbwatch_binary(), "verdict", "withdraw", entry.substr(0, 8), "--verdicts", file}).exit_code, 2);
  ASSERT_EQ(run({orbwatch_binary(), "verdict", "withdraw", entry.substr(0, 8), "--reason", "gone", "--verdicts", file})
                .exit_code,
            0);
  EXPECT_EQ(lines_of(read(file)), 2U) << "nothing is removed";
  EXPECT_TRUE(
      has(run({orbwatch_binary(), "verdict", "list", "--json", "--verdicts", file}).out, "\"standing\":\"withdrawn\""));
  EXPECT_EQ(hunt({"--verdicts", file, example()}).findings, first.findings);
  // A damaged line is told, and left out.
  std::ofstream(file, std::ios::app) << "not JSON\n";
  const HuntRun damaged = hunt({"--verdicts", file, example()});
  EXPECT_EQ(damaged.findings, first.findings);
  EXPECT_TRUE(has(run({orbwatch_binary(), "hunt", "--networks", "none", "--verdicts", file, example()}).out,
                  "verdicts.ndjson:3: left out"));
  EXPECT_EQ(run({orbwatch_binary(), "hunt", "--verdicts", (dir / "none").string(), example()}).exit_code, 2);
}

TEST(VerdictTest, AServiceTakesOneUpWhileItRuns) {
  const TempDir dir;
  const fs::path& folder = dir.path();
  const std::string state = (folder / "state").string();
  const std::string config = "state: " + state +
                             "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\ncheckpoint: 1s\ncollect:\n"
                             "  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n";
  const std::string log = read(example());
  std::string id;
  const auto until = [](auto&& done) {
    for (int i = 0; i < 600 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return done();
  };
  {
    ServiceProcess service(folder, config, {"--json", "--all", "--networks", "none"});
    ASSERT_TRUE(service.wait_ready()) << service.err();
    ASSERT_TRUE(send_tcp(service.port("tcp"), log));
    ASSERT_TRUE(service.wait_for("records", static_cast<long long>(lines_of(log)), "tcp"));
    ASSERT_TRUE(until([&] { return has(service.out(), "\"alert\":true"); })) << service.err();
    for (const std::string& line : lines(service.out())) {
      if (has(line, "\"alert\":true") && (id.empty() || has(line, id))) id = id_of(line);
    }
    const RunResult said = run({orbwatch_binary(), "verdict", id, "benign", "--state", state, "--reason", "our own lab",
                                "--author", "carol", "--expires", "never"});
    ASSERT_EQ(said.exit_code, 0) << said.err;
    EXPECT_TRUE(until([&] { return has(of(service.out(), id), "\"suppressed_by\":{"); })) << of(service.out(), id);
    EXPECT_TRUE(has(of(service.out(), id), "\"alert\":false"));
    EXPECT_TRUE(has(read(folder / "state/audit.ndjson"), "\"action\":\"verdict\""))
        << read(folder / "state/audit.ndjson");
    EXPECT_TRUE(
        until([&] { return has(run({orbwatch_binary(), "verdict", "list", "--state", state}).out, "1 kept back"); }));
    service.signal(SIGKILL);
    service.wait();
  }
  ServiceProcess service(folder, config, {"--json", "--all", "--networks", "none"});
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(service.wait_for("records", static_cast<long long>(lines_of(log)), "tcp"));
  EXPECT_TRUE(has(run({orbwatch_binary(), "verdict", "list", "--state", state}).out, "1 kept back"));
  service.signal(SIGTERM);
  EXPECT_EQ(service.wait(), 0);
  const RunResult asked = run({orbwatch_binary(), "sql", state + "/findings.duckdb", "--csv",
                               "SELECT alert, suppressed_author FROM findings WHERE id = '" + id + "'"});
  EXPECT_EQ(asked.out, "alert,suppressed_author\nfalse,carol\n") << asked.err;
}

}  // namespace
}  // namespace orbwatch::test
