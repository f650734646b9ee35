// The service and the programs that send to it in the field, as Debian packages them: rsyslog, syslog-ng, softflowd and
// a TLS client that is not orbwatch's own. What each sent is counted exactly. A program that is not installed skips its
// tests.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kRecords = 500;

// Where the daemons lie is not in everybody's PATH.
std::string program(const std::string& name) {
  std::string path = run({"sh", "-c", "PATH=$PATH:/usr/sbin:/sbin command -v " + name}).out;
  while (!path.empty() && path.back() == '\n') path.pop_back();
  return path;
}

// A program that runs beside the test and is ended with it. What it says goes into a file.
class Background {
 public:
  Background(std::vector<std::string> words, fs::path said) : said_(std::move(said)) {
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    const int out = ::open(said_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    pid_ = ::fork();
    if (out < 0 || pid_ < 0) throw std::system_error(errno, std::generic_category(), words.front());
    if (pid_ == 0) {
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out);
  }
  ~Background() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    for (int i = 0; i < 500; ++i) {
      if (::waitpid(pid_, &status, WNOHANG) == pid_) return;
      std::this_thread::sleep_for(milliseconds(20));
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  std::string said() const { return read_file(said_); }

 private:
  pid_t pid_ = -1;
  fs::path said_;
};

// A server's certificate for 127.0.0.1 and a client's, of one authority; and one of an authority that nobody knows.
struct Certificates {
  fs::path authority, server, server_key, client, client_key, stranger, stranger_key;
};

// With the openssl tool, as an administrator would make them.
Certificates make_certificates(const fs::path& folder) {
  const auto openssl = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"openssl"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const RunResult result = run(argv);
    if (result.exit_code != 0) throw std::runtime_error(result.err);
  };
  const auto file = [&](const std::string& name) { return folder / name; };
  const auto authority = [&](const std::string& name) {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=" + name, "-keyout", file(name + ".key"), "-out", file(name + ".pem")});
  };
  const auto issue = [&](const std::string& name, const std::string& by) {
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-addext",
             "subjectAltName=DNS:" + name + ",IP:127.0.0.1", "-keyout", file(name + ".key"), "-out",
             file(name + ".csr")});
    openssl({"x509", "-req", "-days", "2", "-copy_extensions", "copy", "-in", file(name + ".csr"), "-CA",
             file(by + ".pem"), "-CAkey", file(by + ".key"), "-CAcreateserial", "-out", file(name + ".pem")});
  };
  authority("authority");
  authority("nobody");
  issue("orbwatch.example.org", "authority");
  issue("sender.example.org", "authority");
  issue("stranger.example.org", "nobody");
  return {.authority = file("authority.pem"),
          .server = file("orbwatch.example.org.pem"),
          .server_key = file("orbwatch.example.org.key"),
          .client = file("sender.example.org.pem"),
          .client_key = file("sender.example.org.key"),
          .stranger = file("stranger.example.org.pem"),
          .stranger_key = file("stranger.example.org.key")};
}

// What sshd says about so many failed log-ins, each from a port of its own: one record, one event.
std::string failed_log_in(int i, const std::string& time = "05:57:39") {
  return "<86>Oct  5 " + time + " bastion sshd[71]: Failed password for root from 203.0.113." +
         std::to_string(i % 250 + 1) + " port " + std::to_string(1024 + i) + " ssh2";
}

class SendersTest : public ::testing::Test {
 protected:
  std::string config(const std::string& collect) const {
    return "state: " + (folder_ / "state").string() + "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 300d\n" +
           "collect:\n" + collect;
  }
  static std::string tls(const Certificates& files, bool mutual, const std::string& type = "syslog_tcp") {
    return "  - type: " + type +
           "\n    listen: 127.0.0.1:0\n    name: tls\n    tls:\n      certificate: " + files.server.string() +
           "\n      key: " + files.server_key.string() +
           (mutual ? "\n      client_ca: " + files.authority.string() : "") + "\n";
  }

  // Everything came, nothing came twice and nothing was refused: exactly so many records, each an event.
  static void expect_exactly(ServiceProcess& service, const std::string& collector, long long records) {
    EXPECT_TRUE(service.wait_for("records", records, collector, seconds(30))) << service.get("/status");
    EXPECT_TRUE(service.wait_for("events", records, collector, seconds(30))) << service.get("/status");
    EXPECT_EQ(service.number("records", collector), records);
    EXPECT_EQ(service.number("events", collector), records);
    EXPECT_EQ(service.number("rejected", collector), 0) << service.get("/status");
    EXPECT_EQ(service.number("ignored", collector), 0) << service.get("/status");
  }

  // Exactly so many events, told apart by their source ports, are in the store.
  void expect_stored(ServiceProcess& service, long long events) const {
    service.signal(SIGTERM);
    ASSERT_EQ(service.wait(), 0) << service.err();
    long long stored = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / "state/events")) {
      if (entry.path().extension() != ".duckdb") continue;
      const std::string counted = run({orbwatch_binary(), "sql", entry.path().string(), "--csv",
                                       "SELECT count(DISTINCT source_port) AS n FROM events"})
                                      .out;
      stored += std::stoll(counted.substr(counted.find('\n')));
    }
    EXPECT_EQ(stored, events);
  }

  TempDir folder_;
};

std::string log_ins(int begin, int end) {
  std::string log;
  for (int i = begin; i < end; ++i) log += failed_log_in(i) + "\n";
  return log;
}

// rsyslog as a relay: it takes what a device sends over TCP and hands it on as RFC 5424.
class RsyslogTest : public SendersTest {
 protected:
  void SetUp() override {
    if (program("rsyslogd").empty()) GTEST_SKIP() << "rsyslogd is not installed (package rsyslog)";
  }
  static bool has_module(const std::string& name) {
    return run({"sh", "-c", "ls /usr/lib/*/rsyslog/" + name + ".so"}).exit_code == 0;
  }

  // The running program and where it listens; port 0: it does not.
  struct Relay {
    std::unique_ptr<Background> program;
    int port = 0;
  };
  // global, modules, action: what the configuration says besides.
  Relay start(const std::string& global, const std::string& modules, const std::string& action) const {
    const fs::path port_file = folder_ / "rsyslog.port";
    const fs::path config = folder_.write(
        "rsyslog.conf", "global(workDirectory=\"" + folder_.path().string() + "\" " + global +
                            ")\n"
                            "module(load=\"imtcp\")\n" +
                            modules +
                            "\nruleset(name=\"relay\") {\n"
                            "  action(target=\"127.0.0.1\" template=\"RSYSLOG_SyslogProtocol23Format\"\n"
                            "    action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" " +
                            action +
                            ")\n"
                            "}\n"
                            "input(type=\"imtcp\" port=\"0\" address=\"127.0.0.1\" listenPortFileName=\"" +
                            port_file.string() + "\" ruleset=\"relay\")\n");
    Relay relay;
    relay.program =
        std::make_unique<Background>(std::vector<std::string>{program("rsyslogd"), "-n", "-f", config.string(), "-i",
                                                              (folder_ / "rsyslog.pid").string()},
                                     folder_ / "rsyslog.said");
    for (int i = 0; i < 1000 && relay.port == 0; ++i) {
      if (fs::exists(port_file)) relay.port = std::atoi(read_file(port_file).c_str());
      std::this_thread::sleep_for(milliseconds(10));
    }
    return relay;
  }
  void expect_relayed(ServiceProcess& service, const std::string& collector, const Relay& relay) const {
    ASSERT_NE(relay.port, 0) << relay.program->said();
    ASSERT_TRUE(send_tcp(relay.port, log_ins(0, kRecords))) << relay.program->said();
    expect_exactly(service, collector, kRecords);
    if (HasFailure()) ADD_FAILURE() << relay.program->said();
  }
  static std::string omfwd(int port) {
    return "type=\"omfwd\" port=\"" + std::to_string(port) + "\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" ";
  }
  static std::string omrelp(int port) { return "type=\"omrelp\" port=\"" + std::to_string(port) + "\" "; }
};

TEST_F(RsyslogTest, RelaysOverTcpWithOctetCounting) {
  ServiceProcess service(folder_.path(), config("  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  expect_relayed(service, "tcp", start("", "", omfwd(service.port("tcp"))));
  expect_stored(service, kRecords);
}

class RsyslogTlsTest : public RsyslogTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RsyslogTlsTest, RelaysOverTlsWithACertificateOfItsOwn) {
  const std::string driver = GetParam();
  if (!has_module("lmnsd_" + driver))
    GTEST_SKIP() << "rsyslog's module " << driver << " is not installed (package rsyslog-"
                 << (driver == "gtls" ? "gnutls" : "openssl") << ")";
  if (program("openssl").empty()) GTEST_SKIP() << "openssl is not installed (package openssl)";
  const Certificates files = make_certificates(folder_.path());
  ServiceProcess service(folder_.path(), config(tls(files, true)));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  expect_relayed(
      service, "tls",
      start("DefaultNetstreamDriverCAFile=\"" + files.authority.string() + "\" DefaultNetstreamDriverCertFile=\"" +
                files.client.string() + "\" DefaultNetstreamDriverKeyFile=\"" + files.client_key.string() + "\"",
            "",
            omfwd(service.port("tls")) + "StreamDriver=\"" + driver +
                "\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\" "
                "StreamDriverPermittedPeers=\"orbwatch.example.org\""));
  expect_stored(service, kRecords);
}

INSTANTIATE_TEST_SUITE_P(Drivers, RsyslogTlsTest, ::testing::Values("gtls", "ossl"),
                         [](const auto& driver) { return std::string(driver.param); });

// rsyslog's RELP, which is librelp's.
class RsyslogRelpTest : public RsyslogTest {
 protected:
  void SetUp() override {
    RsyslogTest::SetUp();
    if (!IsSkipped() && !has_module("omrelp")) GTEST_SKIP() << "omrelp is not installed (package rsyslog-relp)";
  }
  static constexpr const char* kModule = "module(load=\"omrelp\")";
};

TEST_F(RsyslogRelpTest, EveryMessageArrivesOnce) {
  ServiceProcess service(folder_.path(), config("  - type: relp\n    listen: 127.0.0.1:0\n    name: relp\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  expect_relayed(service, "relp", start("", kModule, omrelp(service.port("relp"))));
  expect_stored(service, kRecords);
}

// The service is stopped while messages come, is away while others come, and is killed in the midst of the rest.
TEST_F(RsyslogRelpTest, StopsAndKillsOfTheServiceLoseNothing) {
  const auto collect = [](int port) {
    return "  - type: relp\n    listen: 127.0.0.1:" + std::to_string(port) + "\n    name: relp\n";
  };
  auto service = std::make_unique<ServiceProcess>(folder_.path(), config(collect(0)));
  ASSERT_TRUE(service->wait_ready()) << service->err();
  const int port = service->port("relp");
  const auto restart = [&] {
    service = std::make_unique<ServiceProcess>(folder_.path(), config(collect(port)));
    ASSERT_TRUE(service->wait_ready()) << service->err();
  };
  const Relay relay = start("", kModule, omrelp(port));
  ASSERT_NE(relay.port, 0) << relay.program->said();
  ASSERT_TRUE(send_tcp(relay.port, log_ins(0, 1000)));
  ASSERT_TRUE(service->wait_for("records", 1, "relp", seconds(30))) << relay.program->said();
  service->signal(SIGTERM);
  ASSERT_EQ(service->wait(), 0) << service->err();
  ASSERT_TRUE(send_tcp(relay.port, log_ins(1000, 2000)));
  restart();
  // Those that came meanwhile are there: the next ones are on their way when it is killed.
  ASSERT_TRUE(service->wait_for("records", 1, "relp", seconds(60))) << relay.program->said();
  ASSERT_TRUE(send_tcp(relay.port, log_ins(2000, 5000)));
  service->signal(SIGKILL);
  service->wait();
  restart();
  // What was sent last is the last to come, and the newest.
  ASSERT_TRUE(send_tcp(relay.port, log_ins(5000, 5100) + failed_log_in(5100, "06:57:39") + "\n"));
  bool all = false;
  for (int i = 0; i < 600 && !all; ++i) {
    all = service->get("/status").find("T06:57:39") != std::string::npos;
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_TRUE(all) << service->get("/status") << relay.program->said();
  expect_stored(*service, 5101);
}

class RsyslogRelpTlsTest : public RsyslogRelpTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RsyslogRelpTlsTest, EveryMessageArrivesOnce) {
  if (program("openssl").empty()) GTEST_SKIP() << "openssl is not installed (package openssl)";
  const Certificates files = make_certificates(folder_.path());
  ServiceProcess service(folder_.path(), config(tls(files, true, "relp")));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  expect_relayed(
      service, "tls",
      start("", "module(load=\"omrelp\" tls.tlslib=\"" + std::string(GetParam()) + "\")",
            omrelp(service.port("tls")) + "tls=\"on\" tls.caCert=\"" + files.authority.string() + "\" tls.myCert=\"" +
                files.client.string() + "\" tls.myPrivKey=\"" + files.client_key.string() +
                "\" tls.authMode=\"name\" tls.permittedPeer=[\"orbwatch.example.org\"]"));
  expect_stored(service, kRecords);
}

INSTANTIATE_TEST_SUITE_P(Libraries, RsyslogRelpTlsTest, ::testing::Values("gnutls", "openssl"),
                         [](const auto& library) { return std::string(library.param); });

// syslog-ng follows a file and hands its lines on: `syslog` counts octets (RFC 5424), `network` ends messages with a
// line feed (RFC 3164).
class SyslogNgTest : public SendersTest, public ::testing::WithParamInterface<const char*> {
 protected:
  // Its package excludes rsyslog's: `./dev setup senders` unpacks it beside. Empty: it is not there.
  static std::vector<std::string> command() {
    const fs::path unpacked = fs::path(ORBWATCH_ROOT) / "third_party/syslog-ng/usr";
    if (!fs::exists(unpacked / "sbin/syslog-ng")) {
      const std::string installed = program("syslog-ng");
      return installed.empty() ? std::vector<std::string>{} : std::vector<std::string>{installed};
    }
    std::string modules;
    for (const auto& entry : fs::recursive_directory_iterator(unpacked / "lib")) {
      if (entry.path().filename() == "libafsocket.so") modules = entry.path().parent_path();
    }
    return {"/usr/bin/env", "LD_LIBRARY_PATH=" + fs::path(modules).parent_path().string(),
            (unpacked / "sbin/syslog-ng").string(), "--module-path=" + modules};
  }
};

TEST_P(SyslogNgTest, EveryMessageArrives) {
  std::vector<std::string> words = command();
  if (words.empty()) GTEST_SKIP() << "syslog-ng is not there (package syslog-ng-core)";
  ServiceProcess service(folder_.path(), config("  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: tcp\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const fs::path log = folder_.write("auth.log", log_ins(0, kRecords));
  const fs::path config = folder_.write("syslog-ng.conf",
                                        "@version: 3.38\n"
                                        "options { keep-hostname(yes); time-reopen(1); stats-freq(0); };\n"
                                        "source s_log { file(\"" +
                                            log.string() +
                                            "\"); };\n"
                                            "destination d_orbwatch { " +
                                            GetParam() + "(\"127.0.0.1\" port(" + std::to_string(service.port("tcp")) +
                                            ") transport(\"tcp\")); };\n"
                                            "log { source(s_log); destination(d_orbwatch); };\n");
  for (const std::string& word :
       {std::string("-F"), std::string("-e"), std::string("--no-caps"), "--cfgfile=" + config.string(),
        "--persist-file=" + (folder_ / "syslog-ng.persist").string(),
        "--pidfile=" + (folder_ / "syslog-ng.pid").string(), "--control=" + (folder_ / "syslog-ng.ctl").string()})
    words.push_back(word);
  const Background syslog_ng(words, folder_ / "syslog-ng.said");
  expect_exactly(service, "tcp", kRecords);
  if (HasFailure()) ADD_FAILURE() << syslog_ng.said();
  expect_stored(service, kRecords);
}

INSTANTIATE_TEST_SUITE_P(Drivers, SyslogNgTest, ::testing::Values("syslog", "network"),
                         [](const auto& driver) { return std::string(driver.param); });

// openssl's client: another implementation of neither syslog nor orbwatch's TLS settings.
class OpensslTest : public SendersTest {
 protected:
  void SetUp() override {
    if (program("openssl").empty()) GTEST_SKIP() << "openssl is not installed (package openssl)";
    files_ = make_certificates(folder_.path());
  }
  // Sends the bytes; `more`: further arguments. The exit code says little: with TLS 1.3 a client may have sent all
  // before the server refuses it.
  RunResult send(const ServiceProcess& service, const std::string& bytes, const std::vector<std::string>& more) const {
    std::vector<std::string> argv = {"openssl",
                                     "s_client",
                                     "-connect",
                                     "127.0.0.1:" + std::to_string(service.port("tls")),
                                     "-CAfile",
                                     files_.authority.string(),
                                     "-verify_return_error",
                                     "-verify_hostname",
                                     "orbwatch.example.org",
                                     "-quiet",
                                     "-no_ign_eof"};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv, bytes);
  }
  std::vector<std::string> as_client() const {
    return {"-cert", files_.client.string(), "-key", files_.client_key.string()};
  }

  Certificates files_;
};

TEST_F(OpensslTest, BothFramingsComeOverEachVersionOfTls) {
  ServiceProcess service(folder_.path(), config(tls(files_, false)));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  std::string lines;
  std::string counted;
  for (int i = 0; i < kRecords; ++i) {
    if (i % 2 == 0) {
      lines += failed_log_in(i) + "\n";
    } else {
      counted += std::to_string(failed_log_in(i).size()) + " " + failed_log_in(i);
    }
  }
  EXPECT_EQ(send(service, lines, {"-tls1_2"}).exit_code, 0);
  EXPECT_EQ(send(service, counted, {"-tls1_3"}).exit_code, 0);
  expect_exactly(service, "tls", kRecords);
  // Older versions are refused.
  EXPECT_NE(send(service, lines, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}).exit_code, 0);
  EXPECT_EQ(service.number("records", "tls"), kRecords);
  expect_stored(service, kRecords);
}

TEST_F(OpensslTest, OnlyACertificateOfTheAuthorityMaySend) {
  ServiceProcess service(folder_.path(), config(tls(files_, true)));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  const std::string record = failed_log_in(1) + "\n";
  send(service, record, {});
  send(service, record, {"-tls1_2"});
  send(service, record, {"-cert", files_.stranger.string(), "-key", files_.stranger_key.string()});
  EXPECT_EQ(send(service, record, as_client()).exit_code, 0);
  expect_exactly(service, "tls", 1);
  EXPECT_NE(service.get("/status").find("\"failed_handshakes\":3"), std::string::npos) << service.get("/status");
}

// softflowd reads a capture and exports its flows.
class SoftflowdTest : public SendersTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (program("softflowd").empty()) GTEST_SKIP() << "softflowd is not installed (package softflowd)";
  }
  // A capture with so many flows: one datagram each, from a source port of its own.
  fs::path capture(int flows) const {
    std::string bytes;
    const auto little = [&](std::uint32_t value) {
      for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
    };
    const auto big = [&](std::uint32_t value, int size) {
      for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
    };
    little(0xA1B2C3D4);
    little(0x00040002);                                                    // version 2.4
    for (const std::uint32_t value : {0U, 0U, 65535U, 1U}) little(value);  // zone, accuracy, longest packet, Ethernet
    constexpr std::uint32_t kPayload = 32;
    for (int i = 0; i < flows; ++i) {
      little(1'791'172'659 + static_cast<std::uint32_t>(i) / 100);
      little(static_cast<std::uint32_t>(i) % 100 * 10'000);
      little(14 + 28 + kPayload);
      little(14 + 28 + kPayload);
      bytes += std::string("\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
      big(0x45000000 | (28 + kPayload), 4);
      big(0, 4);
      big(0x40110000, 4);  // 64 hops, UDP; no checksum, nobody looks
      big(0xC0000205, 4);  // 192.0.2.5
      big(0xCB007109, 4);  // 203.0.113.9
      big(20'000U + static_cast<std::uint32_t>(i), 2);
      big(4500, 2);
      big(8 + kPayload, 2);
      big(0, 2);
      bytes += std::string(kPayload, 'x');
    }
    return folder_.write("packets.pcap", bytes);
  }
};

TEST_P(SoftflowdTest, EveryFlowOfACaptureArrives) {
  ServiceProcess service(folder_.path(), config("  - type: flow_udp\n    listen: 127.0.0.1:0\n    name: flows\n"));
  ASSERT_TRUE(service.wait_ready()) << service.err();
  // Without a control socket: with one, softflowd 1.1.0 waits on it for ever when it reads a file.
  const RunResult sent = run({program("softflowd"), "-d", "-r", capture(kRecords).string(), "-n",
                              "127.0.0.1:" + std::to_string(service.port("flows")), "-v", GetParam(), "-p",
                              (folder_ / "softflowd.pid").string(), "-c", "none"});
  ASSERT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_TRUE(service.wait_for("events", kRecords, "flows", seconds(30))) << sent.err << service.get("/status");
  EXPECT_EQ(service.number("events", "flows"), kRecords);
  EXPECT_EQ(service.number("rejected", "flows"), 0) << service.get("/status");
  expect_stored(service, kRecords);
}

INSTANTIATE_TEST_SUITE_P(Versions, SoftflowdTest, ::testing::Values("5", "9", "10"),
                         [](const auto& version) { return std::string("Version") + version.param; });

}  // namespace
}  // namespace orbwatch::test
