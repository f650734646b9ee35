// E-mail against a small SMTP server.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/text.h"
#include "export/output_settings.h"
#include "support/certificates.h"
#include "support/peer.h"
#include "support/sample_report.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

struct Session {
  std::vector<std::string> commands;  // without line ends
  std::string data;
  bool tls = false;
};

// RFC 5321 as far as libcurl speaks it. answers: what to say to a command instead of "250 ok", by its first word.
class SmtpServer {
 public:
  explicit SmtpServer(std::map<std::string, std::string> answers = {}, const std::filesystem::path& certificate = {},
                      const std::filesystem::path& key = {})
      : answers_(std::move(answers)),
        has_tls_(!certificate.empty()),
        peer_([this](test::Client& client) { serve(client); }, certificate, key, false) {}
  unsigned port() const { return peer_.port(); }
  std::vector<Session> sessions() {
    const std::scoped_lock lock(mutex_);
    return sessions_;
  }

 private:
  void serve(test::Client& client) {
    Session session;
    client.write("220 mail.example ESMTP\r\n");
    for (std::string line = client.line(); !line.empty(); line = client.line()) {
      const std::string command(core::trim(line));
      session.commands.push_back(command);
      const std::string word = command.substr(0, command.find_first_of(" :"));
      if (const auto answer = answers_.find(word); answer != answers_.end()) {
        client.write(answer->second + "\r\n");
      } else if (word == "EHLO") {
        client.write(std::string("250-mail.example\r\n") + (has_tls_ && !session.tls ? "250-STARTTLS\r\n" : "") +
                     "250 AUTH PLAIN\r\n");
      } else if (word == "STARTTLS") {
        client.write("220 go on\r\n");
        session.tls = client.start_tls();
        if (!session.tls) break;
      } else if (word == "AUTH") {
        if (command == "AUTH PLAIN") {
          client.write("334 \r\n");
          session.commands.emplace_back(core::trim(client.line()));
        }
        client.write("235 welcome\r\n");
      } else if (word == "DATA") {
        client.write("354 go on\r\n");
        for (line = client.line(); !line.empty() && line != ".\r\n"; line = client.line())
          session.data += line.starts_with('.') ? line.substr(1) : line;
        const auto end = answers_.find("end of data");
        client.write((end == answers_.end() ? "250 taken" : end->second) + "\r\n");
      } else {
        client.write(word == "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
      }
      if (word == "QUIT") break;
    }
    const std::scoped_lock lock(mutex_);
    sessions_.push_back(std::move(session));
  }

  std::map<std::string, std::string> answers_;
  bool has_tls_;
  std::mutex mutex_;
  std::vector<Session> sessions_;
  test::Peer peer_;
};

OutputSettings settings_for(unsigned port) {
  OutputSettings s;
  s.name = "mail";
  s.type = "email";
  s.host = "127.0.0.1";
  s.port = port;
  s.security = "none";
  s.from = "orbwatch@corp.example";
  s.to = {"soc@corp.example", "night.shift@corp.example"};
  s.timeout_seconds = 10;
  return s;
}

Delivered deliver(const OutputSettings& settings, const score::Finding& finding) {
  auto output = make_output(settings);
  EXPECT_TRUE(output) << output.error().text();
  return (*output)->deliver(*make_message(finding, settings, 1), {});
}

std::vector<Session> wait_for_session(SmtpServer& server) {
  for (int i = 0; i < 1'000 && server.sessions().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return server.sessions();
}

bool has(const Session& session, const std::string& command) {
  return std::ranges::any_of(session.commands, [&](const std::string& c) { return c.starts_with(command); });
}

TEST(Email, IsSentToEachRecipient) {
  SmtpServer server;
  const Delivered delivered = deliver(settings_for(server.port()), testing::sample_finding(0, false));
  ASSERT_TRUE(delivered) << delivered.error().error.text();
  const Session session = wait_for_session(server).at(0);
  EXPECT_TRUE(has(session, "MAIL FROM:<orbwatch@corp.example>"));
  EXPECT_TRUE(has(session, "RCPT TO:<soc@corp.example>"));
  EXPECT_TRUE(has(session, "RCPT TO:<night.shift@corp.example>"));
  for (const char* part :
       {"\r\nFrom: orbwatch@corp.example\r\n", "\r\nTo: soc@corp.example,\r\n night.shift@corp.example\r\n",
        "\r\nSubject: ", "\r\nMessage-ID: <", "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"})
    EXPECT_NE(session.data.find(part), std::string::npos) << part << session.data;
  EXPECT_TRUE(session.data.starts_with("Date: "));
  EXPECT_NE(session.data.find("Log-in through a covert relay network\r\n"), std::string::npos);
}

TEST(Email, LetsNoLogAddAHeaderOrARecipient) {
  SmtpServer server;
  score::Finding f = testing::sample_finding(0, false);
  f.user = "x\r\nBcc: all@corp.example\r\n\r\n.\r\nRCPT TO:<all@corp.example>";
  f.gateway = "\n.\r\nMAIL FROM:<x@x>";
  f.hypothesis = f.user;
  f.advice = "\r\n.\r\nQUIT\r\n";
  ASSERT_TRUE(deliver(settings_for(server.port()), f));
  const Session session = wait_for_session(server).at(0);
  std::size_t recipients = 0;
  for (const std::string& c : session.commands) recipients += c.starts_with("RCPT");
  EXPECT_EQ(recipients, 2U);
  const std::string headers = session.data.substr(0, session.data.find("\r\n\r\n"));
  EXPECT_EQ(headers.find("\nBcc"), std::string::npos) << headers;
  EXPECT_NE(session.data.find("Finding:"), std::string::npos) << "the whole body came";
}

TEST(Email, LogsInByTlsOnly) {
  const test::TempDir dir;
  const auto authority = test::issue("Test authority", "", nullptr);
  authority.write(dir / "ca.pem", dir / "ca.key");
  test::issue("server", "IP:127.0.0.1", &authority).write(dir / "server.pem", dir / "server.key");
  const auto password = dir.write("password", "S3CRET\n");
  std::filesystem::permissions(password, std::filesystem::perms::owner_read);
  {
    SmtpServer server({}, dir / "server.pem", dir / "server.key");
    OutputSettings s = settings_for(server.port());
    s.security = "starttls";
    s.ca_file = dir / "ca.pem";
    s.user = "orbwatch";
    s.password_file = password;
    const Delivered delivered = deliver(s, testing::sample_finding(0, false));
    ASSERT_TRUE(delivered) << delivered.error().error.text();
    const Session session = wait_for_session(server).at(0);
    EXPECT_TRUE(session.tls);
    EXPECT_TRUE(has(session, "AUTH PLAIN"));
    EXPECT_TRUE(has(session, "AG9yYndhdGNoAFMzQ1JFVA==")) << "orbwatch and its password";
    s.ca_file.clear();
    const Delivered unknown = deliver(s, testing::sample_finding(0, false));
    ASSERT_FALSE(unknown) << "an unknown authority";
    EXPECT_FALSE(unknown.error().permanent);
  }
  // A server (or somebody in between) that offers no TLS sees neither password nor message.
  SmtpServer server;
  OutputSettings s = settings_for(server.port());
  s.security = "starttls";
  s.user = "orbwatch";
  s.password_file = password;
  const Delivered plain = deliver(s, testing::sample_finding(0, false));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().error.text().find("S3CRET"), std::string::npos);
  const Session session = wait_for_session(server).at(0);
  EXPECT_FALSE(has(session, "AUTH"));
  EXPECT_TRUE(session.data.empty());
}

TEST(Email, TellsWhatMayBeTriedAgainFromWhatMayNot) {
  const struct {
    std::string word, answer;
    bool permanent;
  } cases[] = {{"RCPT", "550 no such user", true},      {"RCPT", "451 later", false},
               {"end of data", "554 not wanted", true}, {"end of data", "452 full", false},
               {"MAIL", "530 log in first", false},     {"MAIL", "421 closing", false}};
  for (const auto& c : cases) {
    SmtpServer server(std::map<std::string, std::string>{{c.word, c.answer}});
    const Delivered delivered = deliver(settings_for(server.port()), testing::sample_finding(0, false));
    ASSERT_FALSE(delivered) << c.answer;
    EXPECT_EQ(delivered.error().permanent, c.permanent) << c.answer << ": " << delivered.error().error.text();
  }
}

}  // namespace
}  // namespace orbwatch::exporting
