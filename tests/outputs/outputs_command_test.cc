// `orbwatch outputs test`: the command as an operator runs it, against real peers of each type.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.h"
#include "support/peer.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

// What a peer was sent.
class Received {
 public:
  void add(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    text_ += text;
    ++messages_;
  }
  // Waits until something came, up to ten seconds.
  std::string text() {
    for (int i = 0; i < 1'000; ++i) {
      {
        const std::scoped_lock lock(mutex_);
        if (messages_ != 0) return text_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
  }
  int messages() {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
  int messages_ = 0;
};

void serve_smtp(Client& client, Received& received) {
  client.write("220 ready\r\n");
  for (std::string line = client.line(); !line.empty(); line = client.line()) {
    if (line.starts_with("DATA")) {
      client.write("354 go on\r\n");
      std::string mail;
      for (line = client.line(); !line.empty() && line != ".\r\n"; line = client.line()) mail += line;
      received.add(mail);
    }
    client.write(line.starts_with("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
    if (line.starts_with("QUIT")) break;
  }
}

void serve_http(Client& client, Received& received, const std::string& answer) {
  std::string request;
  while (request.find("\r\n\r\n") == request.npos) {
    const std::string more = client.read();
    if (more.empty()) return;
    request += more;
  }
  const auto head = request.find("\r\n\r\n") + 4;
  const auto length = request.find("Content-Length: ");
  if (length == request.npos) return;
  const std::size_t size = head + std::stoul(request.substr(length + 16));
  while (request.size() < size) {
    const std::string more = client.read();
    if (more.empty()) return;
    request += more;
  }
  received.add(request);
  client.write("HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

class OutputsCommandTest : public ::testing::Test {
 protected:
  RunResult test(const std::string& outputs, const std::vector<std::string>& more = {}) const {
    const fs::path config =
        dir_.write("orbwatch.yaml", "state: " + (dir_ / "state").string() + "\noutputs:\n" + outputs);
    std::vector<std::string> argv = {orbwatch_binary(), "outputs", "test", config.string()};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv);
  }

  TempDir dir_;
};

TEST_F(OutputsCommandTest, EachTypeIsDelivered) {
  const Issued authority = issue("authority", "", nullptr);
  authority.write(dir_ / "ca.pem", dir_ / "ca.key");
  issue("server", "IP:127.0.0.1", &authority).write(dir_ / "server.pem", dir_ / "server.key");
  Received by_syslog, by_webhook, by_email;
  const Peer syslog([&](Client& c) { by_syslog.add(c.counted()); }, dir_ / "server.pem", dir_ / "server.key");
  const Peer webhook([&](Client& c) { serve_http(c, by_webhook, "200 OK"); });
  const Peer email([&](Client& c) { serve_smtp(c, by_email); });
  dir_.write("told.ndjson", "before\n");
  // Rules do not hold a test back: it is informational and no alert.
  const std::string outputs = "  - {name: archive, type: file, path: " + (dir_ / "told.ndjson").string() +
                              ", minimum_severity: critical, kinds: [relay]}\n"
                              "  - {name: siem, type: syslog, format: cef, transport: tls, host: 127.0.0.1, port: " +
                              std::to_string(syslog.port()) + ", ca_file: " + (dir_ / "ca.pem").string() +
                              "}\n"
                              "  - {name: hook, type: webhook, url: 'http://127.0.0.1:" +
                              std::to_string(webhook.port()) +
                              "/S3CRET'}\n"
                              "  - {name: mail, type: email, host: 127.0.0.1, security: none, from: a@corp.example, "
                              "to: b@corp.example, port: " +
                              std::to_string(email.port()) + "}\n";
  const RunResult all = test(outputs);
  EXPECT_EQ(all.exit_code, 0) << all.out << all.err;
  EXPECT_EQ(all.err, "");
  EXPECT_EQ(all.out, "archive  delivered  file " + (dir_ / "told.ndjson").string() +
                         "\n"
                         "siem  delivered  syslog tls 127.0.0.1:" +
                         std::to_string(syslog.port()) +
                         "\n"
                         "hook  delivered  webhook http://127.0.0.1:" +
                         std::to_string(webhook.port()) +
                         "\n"
                         "mail  delivered  email 127.0.0.1\n");
  const std::string mark = "TEST: this message only shows that the output works";
  const std::string told = read_file(dir_ / "told.ndjson");
  EXPECT_TRUE(told.starts_with("before\n{")) << told;
  EXPECT_NE(told.find(mark), told.npos) << told;
  EXPECT_NE(by_syslog.text().find("CEF:0|"), std::string::npos) << by_syslog.text();
  EXPECT_NE(by_syslog.text().find(mark), std::string::npos) << by_syslog.text();
  EXPECT_NE(by_webhook.text().find(mark), std::string::npos) << by_webhook.text();
  EXPECT_NE(by_email.text().find("test"), std::string::npos) << by_email.text();
  EXPECT_FALSE(fs::exists(dir_ / "state"));

  // One of them.
  const RunResult one = test(outputs, {"--output", "hook", "--json"});
  EXPECT_EQ(one.exit_code, 0) << one.out << one.err;
  EXPECT_EQ(one.out,
            "{\"delivered\":1,\"failed\":0,\"outputs\":[{\"name\":\"hook\",\"target\":\"webhook http://127.0.0.1:" +
                std::to_string(webhook.port()) + "\",\"delivered\":true,\"error\":\"\"}]}\n");
  EXPECT_EQ(by_webhook.messages(), 2);
  EXPECT_EQ(by_syslog.messages(), 1);
  EXPECT_EQ(read_file(dir_ / "told.ndjson"), told);
}

TEST_F(OutputsCommandTest, SaysWhichFailedAndWhy) {
  Received received;
  const Peer refuses([&](Client& c) { serve_http(c, received, "403 Forbidden"); });
  const Issued authority = issue("authority", "", nullptr);
  authority.write(dir_ / "ca.pem", dir_ / "ca.key");
  issue("server", "DNS:elsewhere.example", &authority).write(dir_ / "server.pem", dir_ / "server.key");
  const Peer other([](Client&) {}, dir_ / "server.pem", dir_ / "server.key");
  unsigned closed = 0;
  const int nobody = bound_socket(SOCK_STREAM, closed);  // bound, and not listening
  const RunResult r = test("  - {name: good, type: file, path: " + (dir_ / "told").string() +
                           "}\n"
                           "  - {name: no-folder, type: file, path: " +
                           (dir_ / "none/told").string() +
                           "}\n"
                           "  - {name: no-secret, type: webhook, url: 'http://127.0.0.1:1/S3CRET', secret_file: " +
                           (dir_ / "no.secret").string() +
                           "}\n"
                           "  - {name: refused, type: webhook, url: 'http://127.0.0.1:" +
                           std::to_string(refuses.port()) +
                           "/S3CRET'}\n"
                           "  - {name: wrong-name, type: syslog, transport: tls, host: 127.0.0.1, ca_file: " +
                           (dir_ / "ca.pem").string() + ", port: " + std::to_string(other.port()) +
                           "}\n"
                           "  - {name: nobody, type: syslog, transport: tcp, host: 127.0.0.1, port: " +
                           std::to_string(closed) + "}\n");
  ::close(nobody);
  EXPECT_EQ(r.exit_code, 4) << r.out << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.out.find("S3CRET"), r.out.npos) << r.out;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < r.out.size();) {
    const auto end = r.out.find('\n', at);
    lines.push_back(r.out.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 6U) << r.out;
  EXPECT_TRUE(lines[0].starts_with("good  delivered  file ")) << r.out;
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"no-folder  failed", "cannot open " + (dir_ / "none/told").string()},
      {"no-secret  failed", (dir_ / "no.secret").string()},
      {"refused  failed", "403"},
      {"wrong-name  failed", "mismatch"},
      {"nobody  failed", "refused"}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(lines[i + 1].starts_with(expected[i].first)) << lines[i + 1];
    EXPECT_NE(lines[i + 1].find(expected[i].second), std::string::npos) << lines[i + 1];
  }
  EXPECT_EQ(received.messages(), 1);
  EXPECT_FALSE(fs::exists(dir_ / "state"));
}

TEST_F(OutputsCommandTest, AWrongQuestionIsOneLine) {
  const std::string good = "  - {name: archive, type: file, path: " + (dir_ / "told").string() + "}\n";
  const auto complains = [](const RunResult& r, const std::string& about) {
    EXPECT_EQ(r.exit_code, 2) << r.out << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_NE(r.err.find(about), std::string::npos) << r.err;
  };
  complains(test(good, {"--output", "siem"}), "no output named 'siem' (has: archive)");
  complains(test("  []\n"), "has no outputs");
  complains(test("  - {name: archive, type: file}\n"), "orbwatch.yaml:3: outputs.archive.path: is missing");
  EXPECT_FALSE(fs::exists(dir_ / "told"));
}

}  // namespace
}  // namespace orbwatch::test
