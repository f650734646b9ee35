// The service as its users run it: the real binary, real sockets, real senders from Debian's packages where they are
// installed.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/run.h"
#include "support/service.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

fs::path example(const std::string& name) { return fs::path(ORBWATCH_ROOT) / "examples/demo" / name; }

long long lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

bool installed(const std::string& program) { return run({"sh", "-c", "command -v " + program}).exit_code == 0; }

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orbwatch_service_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string config(const std::string& collect, const std::string& more = {}) const {
    return "state: " + (folder_ / "state").string() + "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\n" + more +
           "collect:\n" + collect;
  }
  static constexpr const char* kTcp = "  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n";
  static constexpr const char* kUdp = "  - type: syslog_udp\n    listen: 127.0.0.1:0\n    name: udp\n";
  static constexpr const char* kFlows = "  - type: flow_udp\n    listen: 127.0.0.1:0\n    name: flows\n";

  // SIGTERM: the service ends well and says where every record went.
  static std::string stop(ServiceProcess& service) {
    service.signal(SIGTERM);
    EXPECT_EQ(service.wait(), 0) << service.err();
    return service.out();
  }

  fs::path folder_;
};

TEST_F(ServiceTest, SyslogOverTcpAndUdpBecomesEvents) {
  ServiceProcess service(folder_, config(std::string(kTcp) + kUdp));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const std::string log = read(example("vpn/asa-2.log"));
  ASSERT_TRUE(send_tcp(service.port("tcp"), log));
  ASSERT_TRUE(send_udp(service.port("udp"),
                       {"<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid "
                        "password : local database : user = alice : user IP = 203.0.113.9",
                        "nothing that anybody knows"}));
  ASSERT_TRUE(service.wait_for("records", lines_of(log), "tcp")) << service.get("/status");
  ASSERT_TRUE(service.wait_for("records", 2, "udp"));
  EXPECT_EQ(service.number("events", "udp"), 1);
  EXPECT_EQ(service.number("rejected", "udp"), 1);
  EXPECT_EQ(service.get("/ready"), "ready\n");
  EXPECT_NE(service.get("/metrics")
                .find("orbwatch_records_total{collector=\"tcp\",type=\"syslog_tcp\"} " + std::to_string(lines_of(log))),
            std::string::npos);
  const long long events = service.number("events", "tcp");
  EXPECT_EQ(events + service.number("ignored", "tcp") + service.number("rejected", "tcp"), lines_of(log));
  stop(service);

  // Everything is in the store, and a second run goes on from there.
  std::string counted;
  for (const auto& entry : fs::directory_iterator(folder_ / "state/events")) {
    if (entry.path().extension() == ".duckdb")
      counted +=
          run({orbwatch_binary(), "sql", entry.path().string(), "--csv", "SELECT count(*) AS n FROM events"}).out;
  }
  EXPECT_EQ(counted, "n\n" + std::to_string(events + 1) + "\n");
  ServiceProcess again(folder_, config(std::string(kTcp) + kUdp));
  ASSERT_TRUE(again.wait_ready()) << again.err();
  EXPECT_TRUE(again.wait_for("records", lines_of(log), "tcp"));
  ASSERT_TRUE(send_tcp(again.port("tcp"), log));
  EXPECT_TRUE(again.wait_for("records", 2 * lines_of(log), "tcp"));
  EXPECT_EQ(again.number("records", "tcp"), 2 * lines_of(log));
}

TEST_F(ServiceTest, AKillLosesNothingThatWasTaken) {
  const std::string log = read(example("vpn/fortigate.log"));
  const std::string with = config(kTcp, "checkpoint: 1s\n");
  {
    ServiceProcess service(folder_, with);
    ASSERT_TRUE(service.wait_ready()) << service.err();
    ASSERT_TRUE(send_tcp(service.port("tcp"), log));
    ASSERT_TRUE(service.wait_for("records", lines_of(log), "tcp"));
    service.signal(SIGKILL);
    service.wait();
  }
  ServiceProcess service(folder_, with);
  ASSERT_TRUE(service.wait_ready()) << service.err();
  EXPECT_TRUE(service.wait_for("records", lines_of(log), "tcp")) << service.get("/status");
  EXPECT_EQ(service.number("records", "tcp"), lines_of(log));
}

TEST_F(ServiceTest, FilesAreFollowedAndFoundAgain) {
  const fs::path file = folder_ / "logs/vpn.log";
  fs::create_directories(file.parent_path());
  const std::string log = read(example("vpn/asa-2.log"));
  const auto half = log.find('\n', log.size() / 2) + 1;
  const std::string tail =
      config("  - type: tail\n    name: files\n    paths: " + file.string() + "\n    from: beginning\n");
  std::ofstream(file) << log.substr(0, half);
  const long long first = lines_of(log.substr(0, half));
  {
    ServiceProcess service(folder_, tail);
    ASSERT_TRUE(service.wait_ready()) << service.err();
    ASSERT_TRUE(service.wait_for("records", first, "files")) << service.get("/status");
    stop(service);
  }
  std::ofstream(file, std::ios::app) << log.substr(half);
  ServiceProcess service(folder_, tail);
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(service.wait_for("records", lines_of(log), "files")) << service.get("/status");
  fs::rename(file, folder_ / "logs/vpn.log.1");
  std::ofstream(file) << log.substr(0, half);
  ASSERT_TRUE(service.wait_for("records", lines_of(log) + first, "files"));
  EXPECT_EQ(service.number("records", "files"), lines_of(log) + first);
}

TEST_F(ServiceTest, FlowsFromARealExporterTool) {
  if (!installed("nfreplay")) GTEST_SKIP() << "nfreplay is not installed (package nfdump)";
  // nfcapd stores what the example holds, nfreplay sends it on as NetFlow v9.
  const fs::path stored = folder_ / "flows";
  fs::create_directories(stored);
  const std::string file = read(example("flows/example_flows.ipfix"));
  std::vector<std::string> datagrams;  // IPFIX messages, one behind the other
  for (std::size_t at = 0; at + 16 <= file.size();) {
    const std::size_t length = static_cast<unsigned char>(file[at + 2]) << 8 | static_cast<unsigned char>(file[at + 3]);
    datagrams.push_back(file.substr(at, length));
    at += length;
  }
  const int port = 20000 + static_cast<int>(::getpid() % 20000);
  const fs::path pid = folder_ / "nfcapd.pid";
  ASSERT_EQ(run({"nfcapd", "-w", stored.string(), "-b", "127.0.0.1", "-p", std::to_string(port), "-t", "600", "-D",
                 "-P", pid.string()})
                .exit_code,
            0);
  for (int i = 0; i < 500 && !fs::exists(pid); ++i) ::usleep(10'000);
  ::usleep(200'000);
  ASSERT_TRUE(send_udp(port, datagrams));
  ::usleep(500'000);
  ::kill(static_cast<pid_t>(std::atoi(read(pid).c_str())), SIGTERM);
  const auto captured = [&] {
    for (const auto& entry : fs::directory_iterator(stored)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("nfcapd.2") || name.starts_with("nfcapd.1")) return entry.path().string();
    }
    return std::string();
  };
  for (int i = 0; i < 500 && captured().empty(); ++i) ::usleep(10'000);
  const std::string capture = captured();
  ASSERT_FALSE(capture.empty());
  const auto listed = run({"nfdump", "-r", capture, "-q", "-o", "fmt:%ts"});
  const long long flows = lines_of(listed.out);
  ASSERT_GT(flows, 100);

  ServiceProcess service(folder_, config(kFlows));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_EQ(run({"nfreplay", "-r", capture, "-H", "127.0.0.1", "-p", std::to_string(service.port("flows")), "-v", "9"})
                .exit_code,
            0);
  EXPECT_TRUE(service.wait_for("events", flows, "flows", seconds(20))) << flows << "\n" << service.get("/status");
  EXPECT_EQ(service.number("rejected", "flows"), 0);
}

TEST_F(ServiceTest, LoggerIsUnderstood) {
  if (!installed("logger")) GTEST_SKIP() << "logger is not installed (package bsdutils)";
  ServiceProcess service(folder_, config(std::string(kTcp) + kUdp));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const std::string message = "Failed password for root from 203.0.113.9 port 40001 ssh2";
  const std::string udp = std::to_string(service.port("udp"));
  const std::string tcp = std::to_string(service.port("tcp"));
  for (const std::vector<std::string>& how : {std::vector<std::string>{"-d", "-P", udp, "--rfc3164"},
                                              {"-d", "-P", udp, "--rfc5424"},
                                              {"-T", "-P", tcp, "--rfc3164"},
                                              {"-T", "-P", tcp, "--rfc5424"},
                                              {"-T", "-P", tcp, "--octet-count"}}) {
    std::vector<std::string> argv = {"logger", "-n", "127.0.0.1", "-t", "sshd"};
    argv.insert(argv.end(), how.begin(), how.end());
    argv.push_back(message);
    ASSERT_EQ(run(argv).exit_code, 0);
  }
  EXPECT_TRUE(service.wait_for("events", 2, "udp")) << service.get("/status");
  EXPECT_TRUE(service.wait_for("events", 3, "tcp")) << service.get("/status");
  EXPECT_EQ(service.number("rejected", "tcp"), 0);
}

TEST_F(ServiceTest, RecordsComeOverHttpWithAToken) {
  if (!installed("curl")) GTEST_SKIP() << "curl is not installed (package curl)";
  const auto made = run({orbwatch_binary(), "token"});
  ASSERT_EQ(made.exit_code, 0);
  const std::string token = made.out.substr(7, 64);
  const std::string hash = made.out.substr(made.out.find("hash   ") + 7, 64);
  ServiceProcess service(
      folder_, config("  - type: http\n    name: http\n    listen: 127.0.0.1:0\n    token_hashes: [" + hash + "]\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const std::string url = "http://127.0.0.1:" + std::to_string(service.port("http"));
  const auto post = [&](const std::string& path, const std::string& authorization, const std::string& data,
                        const std::string& key = {}) {
    std::vector<std::string> argv = {
        "curl",          "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: " + authorization,
        "--data-binary", data};
    if (!key.empty()) argv.insert(argv.end(), {"-H", "Idempotency-Key: " + key});
    argv.push_back(url + path);
    return run(argv).out;
  };
  const std::string lines = "@" + example("vpn/fortigate.log").string();
  EXPECT_EQ(post("/ingest", "Bearer wrong", lines), "403");
  EXPECT_EQ(post("/ingest", "Bearer " + token, lines, "first"), "200");
  EXPECT_EQ(post("/ingest", "Bearer " + token, lines, "first"), "200");  // sent again: not taken again
  const long long count = lines_of(read(example("vpn/fortigate.log")));
  ASSERT_TRUE(service.wait_for("records", count, "http")) << service.get("/status");
  EXPECT_EQ(
      post(
          "/services/collector/event", "Splunk " + token,
          R"({"time":1791172659,"host":"bastion","sourcetype":"linux_secure","event":"Oct  5 05:57:39 bastion sshd[7]: Failed password for root from 203.0.113.9 port 40001 ssh2"})"),
      "200");
  EXPECT_TRUE(service.wait_for("records", count + 1, "http")) << service.get("/status");
  EXPECT_EQ(service.number("records", "http"), count + 1);
  EXPECT_NE(service.get("/status").find("\"openssh\":1"), std::string::npos);
}

TEST_F(ServiceTest, FindingsGoToAnOutput) {
  const fs::path told = folder_ / "told.cef";
  ServiceProcess service(
      folder_,
      config(kTcp, "outputs:\n  - name: archive\n    type: file\n    format: cef\n    alerts_only: false\n    path: " +
                       told.string() + "\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(send_tcp(service.port("tcp"), read(example("vpn/asa-1.log"))));
  ASSERT_TRUE(service.wait_for("findings", 1, {}, seconds(60))) << service.get("/status");
  for (int i = 0; i < 500 && read(told).empty(); ++i) ::usleep(20'000);
  EXPECT_NE(read(told).find("CEF:0|"), std::string::npos) << read(told);
  stop(service);
  const auto stored =
      run({orbwatch_binary(), "sql", (folder_ / "state/findings.duckdb").string(), "--csv", "SELECT id FROM findings"});
  ASSERT_GE(lines_of(stored.out), 2) << stored.out << stored.err;
  const std::string id = stored.out.substr(3, stored.out.find('\n', 3) - 3);
  EXPECT_NE(read(told).find(id), std::string::npos) << id << "\n" << read(told);
}

TEST_F(ServiceTest, ReloadTakesAGoodConfigurationAndRefusesABadOne) {
  ServiceProcess service(folder_, config(kTcp));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const std::string line =
      "<134>Oct  5 08:00:00 asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local "
      "database : user = alice : user IP = 203.0.113.9\n";
  ASSERT_TRUE(send_tcp(service.port("tcp"), line));
  ASSERT_TRUE(service.wait_for("records", 1, "tcp"));

  service.write_config(config("  - type: sylog_tcp\n    listen: 127.0.0.1:0\n"));
  service.signal(SIGHUP);
  const auto told = [&](const std::string& text) {
    for (int i = 0; i < 1000 && service.err().find(text) == std::string::npos; ++i) ::usleep(10'000);
    return service.err().find(text) != std::string::npos;
  };
  EXPECT_TRUE(told("orbwatch.yaml:6: 'type' must be one of")) << service.err();
  ASSERT_TRUE(send_tcp(service.port("tcp"), line));
  ASSERT_TRUE(service.wait_for("records", 2, "tcp"));

  service.write_config(config(std::string(kTcp) + kUdp, "alerts_per_day: 3\n"));
  service.signal(SIGHUP);
  EXPECT_TRUE(told("the configuration was read anew")) << service.err();
  EXPECT_EQ(service.number("records", "tcp"), 2);
  // The collector that stays kept its port.
  ASSERT_TRUE(send_tcp(service.port("tcp"), line));
  EXPECT_TRUE(service.wait_for("records", 3, "tcp"));
  EXPECT_EQ(service.number("records", "udp"), 0);
  stop(service);
}

TEST_F(ServiceTest, WhatIsWrongIsOneLine) {
  struct Case {
    std::string config;
    std::string says;
  };
  for (const Case& c : {Case{"collect: []\n", "no folder for the service's state"},
                        Case{"state: " + (folder_ / "s").string() + "\n", "nothing to collect"},
                        Case{config("  - type: syslog_udp\n    listen: 192.0.2.1:514\n"), "cannot start the collector"},
                        Case{config("  - type: http\n    listen: 127.0.0.1:0\n"), "token_hashes"},
                        Case{"state: /proc/orbwatch\ncollect:\n" + std::string(kUdp), "state folder"}}) {
    ServiceProcess service(folder_, c.config);
    EXPECT_FALSE(service.wait_ready());
    EXPECT_EQ(service.wait(), 2);
    EXPECT_NE(service.err().find(c.says), std::string::npos) << service.err();
    EXPECT_EQ(lines_of(service.err()), 1) << service.err();
  }
}

TEST_F(ServiceTest, TwoServicesDoNotShareAState) {
  ServiceProcess first(folder_, config(kTcp));
  ASSERT_TRUE(first.wait_ready()) << first.err();
  ServiceProcess second(folder_, config(kTcp));
  EXPECT_FALSE(second.wait_ready());
  EXPECT_NE(second.err().find("in use by another process"), std::string::npos) << second.err();
}

}  // namespace
}  // namespace orbwatch::test
