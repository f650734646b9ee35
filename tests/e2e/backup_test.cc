// Backup and restore of a real service's state, and doctor beside a real service.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

class BackupOfAService : public ::testing::Test {
 protected:
  std::string config(const std::string& state) const {
    return "state: " + (dir_ / state).string() +
           "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\ncollect:\n"
           "  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n"
           "outputs:\n  - name: archive\n    type: file\n    alerts_only: false\n    path: " +
           (dir_ / "findings.ndjson").string() + "\n";
  }
  RunResult orbwatch(std::vector<std::string> words) const {
    words.insert(words.begin(), orbwatch_binary());
    return run(words);
  }
  // The numbers that must be the same on the other side.
  static std::string counts(const ServiceProcess& service) {
    std::string out;
    for (const char* key : {"records", "events", "ignored", "rejected", "bytes", "late", "ahead"})
      out += std::string(key) + " " + std::to_string(service.number(key, "tcp")) + "\n";
    return out;
  }

  TempDir dir_;
};

TEST_F(BackupOfAService, GoesOnElsewhereWithTheSameCounts) {
  const std::string log = read_file(fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/asa-2.log");
  const auto lines = std::count(log.begin(), log.end(), '\n');
  const std::string state = (dir_ / "state").string();
  const std::string copy = (dir_ / "copy").string();
  const std::string there = (dir_ / "there").string();
  std::string before;
  {
    ServiceProcess service(dir_ / "a", config("state"));
    ASSERT_TRUE(service.wait_ready()) << service.err();
    ASSERT_TRUE(send_tcp(service.port("tcp"), log));
    ASSERT_TRUE(service.wait_for("records", lines, "tcp")) << service.get("/status");
    before = counts(service);

    // Not while it runs.
    const RunResult early = orbwatch({"backup", "--state", state, "--out", copy});
    EXPECT_EQ(early.exit_code, 3);
    EXPECT_NE(early.err.find("the service runs with this state"), std::string::npos) << early.err;
    EXPECT_EQ(std::count(early.err.begin(), early.err.end(), '\n'), 1);
    EXPECT_FALSE(fs::exists(copy));

    service.signal(SIGTERM);
    EXPECT_EQ(service.wait(), 0) << service.err();
  }
  const RunResult taken = orbwatch({"backup", "--state", state, "--out", copy});
  ASSERT_EQ(taken.exit_code, 0) << taken.err;
  const RunResult restored = orbwatch({"restore", "--from", copy, "--state", there});
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(taken.out.substr(taken.out.find(": ")), restored.out.substr(restored.out.find(": ")));
  EXPECT_EQ(orbwatch({"restore", "--from", copy, "--state", there}).exit_code, 3);  // it is not empty any more

  ServiceProcess service(dir_ / "b", config("there"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(service.wait_for("records", lines, "tcp")) << service.get("/status");
  EXPECT_EQ(counts(service), before);
  // It works there: more comes and is counted behind what was.
  ASSERT_TRUE(send_tcp(service.port("tcp"), log));
  EXPECT_TRUE(service.wait_for("records", 2 * lines, "tcp")) << service.get("/status");
}

TEST_F(BackupOfAService, DoctorSaysHowItIs) {
  ServiceProcess service(dir_ / "a", config("state"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(send_tcp(service.port("tcp"),
                       "<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid "
                       "password : local database : user = alice : user IP = 203.0.113.9\n"));
  ASSERT_TRUE(service.wait_for("records", 1, "tcp"));
  const std::string file = (dir_ / "a/orbwatch.yaml").string();
  const RunResult well = orbwatch({"doctor", "--config", file, "--networks", "none", "--ask",
                                   "127.0.0.1:" + std::to_string(service.port("metrics"))});
  EXPECT_NE(well.out.find("good     service: ready"), std::string::npos) << well.out;
  EXPECT_NE(well.out.find("good     collector tcp: 1 records"), std::string::npos) << well.out;
  EXPECT_NE(well.out.find("good     output archive: "), std::string::npos) << well.out;
  EXPECT_NE(well.out.find("in use by a running service"), std::string::npos) << well.out;
  EXPECT_EQ(well.exit_code, well.out.find("\nbad ") == std::string::npos ? 0 : 3) << well.out;

  service.signal(SIGTERM);
  service.wait();
  const RunResult gone = orbwatch({"doctor", "--config", file, "--networks", "none", "--json", "--ask",
                                   "127.0.0.1:" + std::to_string(service.port("metrics"))});
  EXPECT_NE(gone.out.find("it does not run here"), std::string::npos) << gone.out;

  // Its port is free at once, and a second service does not share it in silence.
  const std::string port = std::to_string(service.port("metrics"));
  const auto on_port = [&](const std::string& state) {
    std::string text = config(state);
    const auto at = text.find("127.0.0.1:0");
    return text.replace(at, 11, "127.0.0.1:" + port);
  };
  ServiceProcess again(dir_ / "a", on_port("state"));
  ASSERT_TRUE(again.wait_ready()) << again.err();
  ServiceProcess second(dir_ / "b", on_port("there"));
  EXPECT_FALSE(second.wait_ready());
  EXPECT_NE(second.err().find("cannot listen for metrics"), std::string::npos) << second.err();
  const RunResult asked = orbwatch({"doctor", "--config", file, "--networks", "none"});
  EXPECT_NE(asked.out.find("good     port of metrics: 127.0.0.1:" + port + " is in use"), std::string::npos)
      << asked.out;

  service.write_config("colect: []\n");
  const RunResult wrong = orbwatch({"doctor", "--config", file});
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_NE(wrong.out.find("bad      configuration: "), std::string::npos) << wrong.out;
  EXPECT_NE(wrong.out.find("unknown key 'colect'"), std::string::npos) << wrong.out;
}

}  // namespace
}  // namespace orbwatch::test
