// Every exit code of docs/cli.md, and what stands on standard error with it.
#include <gtest/gtest.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

class ExitCodes : public ::testing::Test {
 protected:
  TempDir dir_;
  std::string log_ =
      dir_.write("vpn.log", asa_login("alice", "198.51.100.7") + asa_login("bob", "203.0.113.9", 60)).string();
  std::string bad_ = dir_.write("bad.txt", "203.0.113.9\n").string();
};

TEST_F(ExitCodes, ZeroWhenAllWasRead) {
  const HuntRun h = hunt({log_});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.run.err, "");
  EXPECT_EQ(h.summary.total.events, 2U);
}

TEST_F(ExitCodes, ZeroWithAlertsUnlessAskedFor) {
  const HuntRun without = hunt({"--indicators", bad_, log_});
  EXPECT_EQ(without.run.exit_code, 0) << without.run.err;
  ASSERT_GE(without.summary.alerts, 1U) << without.findings;
  const HuntRun with = hunt({"--fail-on-alert", "--indicators", bad_, log_});
  EXPECT_EQ(with.run.exit_code, 1) << with.run.err;
  EXPECT_EQ(with.findings, without.findings);
  EXPECT_NE(with.findings.find("203.0.113.9"), with.findings.npos);
}

TEST_F(ExitCodes, ZeroWithoutAlertsThoughAskedFor) {
  const HuntRun h = hunt({"--fail-on-alert", dir_.write("empty.log", "").string()});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
}

TEST_F(ExitCodes, TwoOnWrongOptions) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"hunt"},
           {"hunt", "--no-such-option", log_},
           {"hunt", "--threads", "0", log_},
           {"hunt", "--year", "abc", log_},
           {"hunt", "--tz", "Mars/Olympus", log_},
           {"hunt", "--config", "/no/such/file.yaml", log_},
           {"hunt", "--mapping", "/no/such/file.yaml", log_},
           {"hunt", "--indicators", "/no/such/file.txt", log_},
           {"nonsense"},
           {},
           {"config", "check", "/no/such/file.yaml"},
           {"config", "check", dir_.write("wrong.yaml", "netwroks: []\n").string()},
           {"completion", "tcsh"},
           {"intel"},
           {"intel", "lookup"},
           {"intel", "lookup", "not-an-address"},
       }) {
    std::vector<std::string> argv = {orbwatch_binary()};
    argv.insert(argv.end(), words.begin(), words.end());
    const RunResult r = run(argv);
    std::string shown;
    for (const auto& word : argv) shown += word + " ";
    EXPECT_EQ(r.exit_code, 2) << shown << r.out << r.err;
    EXPECT_FALSE(r.err.empty()) << shown;
    EXPECT_EQ(r.out, "") << shown;
  }
}

TEST_F(ExitCodes, TwoNamesTheLineOfTheConfiguration) {
  const std::string file = dir_.write("wrong.yaml", "alerts_per_day: 5\nnetwroks: []\n").string();
  const RunResult r = run({orbwatch_binary(), "hunt", "--config", file, log_});
  EXPECT_EQ(r.exit_code, 2);
  EXPECT_NE(r.err.find(file + ":2: unknown key 'netwroks'"), r.err.npos) << r.err;
}

TEST_F(ExitCodes, ThreeWhenAnInputIsMissingThoughTheOthersAreUsed) {
  const HuntRun h = hunt({log_, (dir_ / "missing.log").string()});
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
  EXPECT_NE(h.run.err.find("missing.log"), h.run.err.npos) << h.run.err;
  EXPECT_EQ(h.summary.total.events, 2U);
  EXPECT_EQ(h.summary.of((dir_ / "missing.log").string()).fate, "unreadable");
}

TEST_F(ExitCodes, ThreeComesBeforeAlerts) {
  const HuntRun h = hunt({"--fail-on-alert", "--indicators", bad_, log_, (dir_ / "missing.log").string()});
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_GE(h.summary.alerts, 1U);
}

TEST_F(ExitCodes, ThreeWhenNothingIsRecognised) {
  const HuntRun h = hunt({dir_.write("notes.txt", "these are\nno logs\n").string()});
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_EQ(lines_of(h.run.err), 1U) << h.run.err;
}

TEST_F(ExitCodes, ThreeFromExplain) {
  const RunResult r = run({orbwatch_binary(), "explain", "this is no record"});
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(lines_of(r.err), 1U) << r.err;
}

TEST_F(ExitCodes, FourWhenStandardOutputIsFull) {
  const std::string hunt_command = orbwatch_binary() + " hunt --networks none " + log_ + " > /dev/full";
  const RunResult r = run({"bash", "-c", hunt_command});
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(lines_of(r.err), 1U) << r.err;
  const RunResult formats = run({"bash", "-c", orbwatch_binary() + " formats > /dev/full"});
  EXPECT_EQ(formats.exit_code, 4);
}

TEST_F(ExitCodes, FourWhenAFileCannotBeWritten) {
  for (const std::string option : {"--summary", "--html", "--db"}) {
    const RunResult r =
        run({orbwatch_binary(), "hunt", "--networks", "none", option, (dir_ / "no/such/folder/file").string(), log_});
    EXPECT_EQ(r.exit_code, 4) << option << "\n" << r.err;
    EXPECT_EQ(lines_of(r.err), 1U) << r.err;
  }
}

TEST_F(ExitCodes, FourWhenADeviceIsFullAndTheDeviceStays) {
  for (const std::string option : {"--summary", "--html"}) {
    const RunResult r = run({orbwatch_binary(), "hunt", "--networks", "none", option, "/dev/full", log_});
    EXPECT_EQ(r.exit_code, 4) << option << "\n" << r.err;
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  }
}

TEST_F(ExitCodes, ZeroForHelpAndVersion) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"--version"}, {"hunt", "--help"}, {"intel", "build", "--help"}}) {
    std::vector<std::string> argv = {orbwatch_binary()};
    argv.insert(argv.end(), words.begin(), words.end());
    const RunResult r = run(argv);
    EXPECT_EQ(r.exit_code, 0);
    EXPECT_FALSE(r.out.empty());
    EXPECT_EQ(r.err, "");
  }
}

TEST_F(ExitCodes, IndicatorsTakeOneFileEach) {
  const std::string other = dir_.write("other.txt", "198.51.100.7\n").string();
  const HuntRun h = hunt({"--all", "--indicators", bad_, "--indicators", other, log_});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_NE(h.findings.find("198.51.100.7"), h.findings.npos);
  EXPECT_NE(h.findings.find("203.0.113.9"), h.findings.npos);
}

}  // namespace
}  // namespace orbwatch::test
