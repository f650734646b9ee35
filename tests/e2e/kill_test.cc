// SIGKILL at any moment of a hunt: the outputs are the old files, the new ones, or none. Never half of one.
#include <gtest/gtest.h>

#include <csignal>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

using std::chrono::milliseconds;

class Kill : public ::testing::Test {
 protected:
  void SetUp() override {
    const RunResult r = run({orbwatch_binary(), "simulate", "--seed", "5", "--users", "40", "--days", "10", "--out",
                             (dir_ / "logs").string()});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    help_ = run({orbwatch_binary(), "hunt", "--help"}).out;
  }
  std::vector<std::string> command() const {
    std::vector<std::string> argv = {orbwatch_binary(), "hunt", "--json", "--networks", "none"};
    for (const auto& [option, file] : outputs()) argv.insert(argv.end(), {option, (dir_ / file).string()});
    argv.push_back((dir_ / "logs").string());
    return argv;
  }
  // Those of this build.
  std::vector<std::pair<std::string, std::string>> outputs() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& [option, file] : {std::pair<std::string, std::string>{"--summary", "summary.json"},
                                       {"--html", "report.html"},
                                       {"--db", "hunt.duckdb"}}) {
      if (option == "--db" && !store_) continue;
      if (help_.find(option) != help_.npos) all.emplace_back(option, file);
    }
    return all;
  }
  void expect_whole(const std::string& file) {
    const auto path = dir_ / file;
    if (!std::filesystem::exists(path)) return;
    if (file.ends_with(".json")) {
      EXPECT_TRUE(parse_summary(read_file(path)).total.balanced());
    } else if (file.ends_with(".html")) {
      std::string page = read_file(path);
      while (!page.empty() && page.back() == '\n') page.pop_back();
      EXPECT_TRUE(page.ends_with("</html>")) << page.size();
    } else {
      const RunResult r = run({orbwatch_binary(), "sql", "--csv", path.string(), "SELECT count(*) FROM findings"});
      EXPECT_EQ(r.exit_code, 0) << r.err;
    }
  }
  TempDir dir_;
  std::string help_;
  bool store_ = true;
};

TEST_F(Kill, LeavesNoHalfFiles) {
  // A build without DuckDB refuses --db.
  const RunResult probe =
      run({orbwatch_binary(), "hunt", "--json", "--networks", "none", "--db", (dir_ / "probe.duckdb").string(),
           dir_.write("one.log", asa_login("alice", "198.51.100.7")).string()});
  store_ = probe.exit_code == 0;
  if (!store_) std::cerr << "no store in this build: " << probe.err;

  const auto begin = std::chrono::steady_clock::now();
  const RunResult whole = run(command());
  const auto length = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  for (const auto& [option, file] : outputs()) {
    ASSERT_TRUE(std::filesystem::exists(dir_ / file)) << option;
    expect_whole(file);
  }
  int killed = 0;
  for (int i = 0; i < 24; ++i) {
    // Half of the rounds replace the files of a run before, half start from none. Most kills fall into the last third,
    // where files are written.
    if (i % 2 == 0) {
      for (const auto& [option, file] : outputs()) std::filesystem::remove(dir_ / file);
    }
    const double share = i % 3 == 0 ? 0.2 + 0.02 * i : 0.6 + 0.018 * i;
    const RunResult r = run(
        command(), {}, {.kill_after = milliseconds(1 + static_cast<int>(share * static_cast<double>(length.count())))});
    killed += r.signal == SIGKILL ? 1 : 0;
    for (const auto& [option, file] : outputs()) expect_whole(file);
    if (HasFailure()) break;
  }
  EXPECT_GT(killed, 0);
  // What a kill left over does not hinder the next run.
  const RunResult last = run(command());
  EXPECT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(last.out, whole.out);
  for (const auto& [option, file] : outputs()) {
    expect_whole(file);
    EXPECT_FALSE(std::filesystem::exists(dir_ / (file + ".partial"))) << file;
  }
}

}  // namespace
}  // namespace orbwatch::test
