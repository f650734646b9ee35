// What packaging/ ships fits the program: the default configuration, the units, and the names of metrics in the
// dashboard and the alert rules.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

const fs::path kPackaging = fs::path(ORBWATCH_ROOT) / "packaging";

// Names of metrics in an expression or a rule.
std::set<std::string> metrics_in(const std::string& text) {
  std::set<std::string> out;
  for (const std::string prefix : {"orbwatch_", "process_"}) {
    for (std::size_t at = 0; (at = text.find(prefix, at)) != text.npos;) {
      const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
      out.insert(text.substr(at, end - at));
      at = end == text.npos ? end : end + 1;
    }
  }
  return out;
}

// Those that the service exports, also where there is no value yet.
const std::set<std::string>& exported() {
  static const std::set<std::string> names = [] {
    std::set<std::string> out;
    const TempDir dir;
    ServiceProcess service(dir.path(), "state: " + (dir / "state").string() +
                                           "\nmetrics:\n  listen: 127.0.0.1:0\ncollect:\n"
                                           "  - type: syslog_udp\n    listen: 127.0.0.1:0\n    name: udp\n"
                                           "outputs:\n  - name: archive\n    type: file\n    path: " +
                                           (dir / "findings.ndjson").string() + "\n");
    EXPECT_TRUE(service.wait_ready()) << service.err();
    std::istringstream lines(service.get("/metrics"));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# TYPE ")) out.insert(line.substr(7, line.find(' ', 7) - 7));
    }
    // An output is a label, not a name of its own.
    EXPECT_NE(lines.str().find("orbwatch_output_delivered_total{output=\"archive\"} 0\n"), std::string::npos)
        << lines.str();
    EXPECT_NE(service.get("/status").find("\"outputs\":[{\"name\":\"archive\""), std::string::npos);
    return out;
  }();
  return names;
}

TEST(Dashboard, IsJsonAndAsksForWhatIsExported) {
  const std::string text = read_file(kPackaging / "grafana-dashboard.json");
  simdjson::dom::parser parser;
  simdjson::dom::element dashboard;
  ASSERT_EQ(parser.parse(text).get(dashboard), simdjson::SUCCESS);
  int expressions = 0;
  for (const auto panel : dashboard["panels"].get_array()) {
    for (const auto target : panel["targets"].get_array()) {
      const std::string expression(target["expr"].get_string().value());
      const auto names = metrics_in(expression);
      EXPECT_FALSE(names.empty()) << expression;
      for (const std::string& name : names) EXPECT_TRUE(exported().contains(name)) << name << " in " << expression;
      ++expressions;
    }
  }
  EXPECT_GT(expressions, 15);
}

TEST(AlertRules, AskForWhatIsExported) {
  std::istringstream lines(read_file(kPackaging / "prometheus-rules.yaml"));
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) names.merge(metrics_in(line));
  EXPECT_GT(names.size(), 10U);
  for (const std::string& name : names) EXPECT_TRUE(exported().contains(name)) << name;
}

TEST(Pages, NameEveryMetric) {
  const std::string page = read_file(fs::path(ORBWATCH_ROOT) / "docs/operations.md");
  for (const std::string& name : exported()) {
    // Those of collectors are described by the counter's name in docs/collectors.md.
    if (name.starts_with("orbwatch_collector_")) continue;
    EXPECT_NE(page.find("`" + name + "`"), page.npos) << "docs/operations.md: " << name << " is missing";
  }
}

TEST(DefaultConfiguration, IsGoodAndListensOnThisComputerAlone) {
  const fs::path file = kPackaging / "orbwatch.yaml";
  const RunResult checked = run({orbwatch_binary(), "config", "check", file.string()});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  std::istringstream lines(read_file(file));
  int listeners = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("listen: ");
    if (at == line.npos || line.find('#') < at) continue;
    EXPECT_EQ(line.substr(at + 8, 10), "127.0.0.1:") << line;
    ++listeners;
  }
  EXPECT_GT(listeners, 2);
}

TEST(DefaultConfiguration, IsWhatTheProgramPrintsAndShows) {
  const RunResult printed = run({orbwatch_binary(), "config", "default"});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_EQ(printed.out, read_file(kPackaging / "orbwatch.yaml"));
  const TempDir dir;
  const RunResult shown = run({orbwatch_binary(), "config", "show", dir.write("default.yaml", printed.out).string()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("\nlateness: 1h\n"), std::string::npos) << shown.out;
  const RunResult checked = run({orbwatch_binary(), "config", "check", dir.write("shown.yaml", shown.out).string()});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  const RunResult json = run({orbwatch_binary(), "config", "show", "--json", (dir / "default.yaml").string()});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  EXPECT_TRUE(json.out.starts_with("{\"alerts_per_day\":5,")) << json.out;
  const RunResult wrong =
      run({orbwatch_binary(), "config", "show", dir.write("wrong.yaml", "\ncolect: []\n").string()});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_NE(wrong.err.find("wrong.yaml:2: unknown key 'colect'"), std::string::npos) << wrong.err;
}

TEST(Units, AreGood) {
  if (run({"sh", "-c", "command -v systemd-analyze"}).exit_code != 0) GTEST_SKIP() << "systemd is not installed";
  // The units name /usr/bin/orbwatch, which is not there before it is installed.
  const TempDir dir;
  std::vector<std::string> words = {"systemd-analyze", "verify", "--man=no"};
  for (const std::string name : {"orbwatch.service", "orbwatch-hunt.service", "orbwatch-hunt.timer"}) {
    std::string unit = read_file(kPackaging / name);
    const std::string installed = "/usr/bin/orbwatch";
    for (std::size_t at = 0; (at = unit.find(installed, at)) != unit.npos; at += 1)
      unit.replace(at, installed.size(), orbwatch_binary());
    words.push_back(dir.write(name, unit).string());
  }
  const RunResult r = run(words);
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.err.find(dir.path().string()), std::string::npos) << r.err;  // warnings
}

// The units say MemoryDenyWriteExecute=yes. The kernel refuses the same when it is asked to, since Linux 6.3.
TEST(Units, NothingMakesCodeWhileItRuns) {
#ifndef ORBWATCH_DUCKDB
  GTEST_SKIP() << "built without DuckDB";
#endif
  constexpr int kSetMdwe = 65;     // PR_SET_MDWE
  constexpr unsigned kRefuse = 1;  // PR_MDWE_REFUSE_EXEC_GAIN
  constexpr int kSkipped = 77;
  const TempDir dir;
  const std::string database = (dir / "hunt.duckdb").string();
  const std::string log = (fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/asa-2.log").string();
  const auto refused_code = [](std::vector<std::string> words) {
    words.insert(words.begin(), orbwatch_binary());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int quiet = ::open("/dev/null", O_WRONLY);
      ::dup2(quiet, STDOUT_FILENO);
      if (::prctl(kSetMdwe, kRefuse, 0, 0, 0) != 0) ::_exit(kSkipped);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const int hunted = refused_code({"hunt", "--quiet", "--networks", "none", "--db", database, log});
  if (hunted == kSkipped) GTEST_SKIP() << "this kernel cannot refuse it";
  EXPECT_EQ(hunted, 0);
  EXPECT_EQ(refused_code({"sql", database, "SELECT count(*), max(regexp_replace(code, 'a.', 'b')) FROM events"}), 0);
}

}  // namespace
}  // namespace orbwatch::test
