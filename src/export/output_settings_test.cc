#include "export/output_settings.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/sample_report.h"

namespace orbwatch::exporting {
namespace {

OutputSettings of_type(const std::string& type) {
  OutputSettings s;
  s.name = "siem";
  s.type = type;
  if (type == "file") s.path = "/var/log/orbwatch/alerts.ndjson";
  if (type == "syslog") s.host = "siem.example";
  if (type == "webhook") s.url = "https://siem.example/hook";
  if (type == "email") {
    s.host = "mail.example";
    s.from = "orbwatch@corp.example";
    s.to = {"soc@corp.example"};
  }
  return s;
}

TEST(OutputSettings, AreRightAsDocumented) {
  for (const char* type : {"file", "syslog", "webhook", "email"}) {
    const auto checked = check(of_type(type));
    EXPECT_TRUE(checked) << checked.error().text();
  }
  OutputSettings s = of_type("webhook");
  s.url = "http://[::1]:8080/x";
  s.authorization_file = "/x";
  EXPECT_TRUE(check(s)) << "this computer";
}

TEST(OutputSettings, NameTheKeyThatIsWrong) {
  using Change = std::function<void(OutputSettings&)>;
  const struct {
    const char* type;
    const char* key;
    Change change;
  } cases[] = {
      {"file", "name", [](auto& s) { s.name = "../x"; }},
      {"file", "name", [](auto& s) { s.name = ""; }},
      {"file", "type", [](auto& s) { s.type = "pager"; }},
      {"file", "format", [](auto& s) { s.format = "xml"; }},
      {"file", "path", [](auto& s) { s.path = ""; }},
      {"file", "url", [](auto& s) { s.url = "https://siem.example"; }},
      {"syslog", "format", [](auto& s) { s.format = "text"; }},
      {"syslog", "host", [](auto& s) { s.host = ""; }},
      {"syslog", "host", [](auto& s) { s.host = "a b"; }},
      {"syslog", "host", [](auto& s) { s.host = "-x"; }},
      {"syslog", "port", [](auto& s) { s.port = 65'536; }},
      {"syslog", "transport", [](auto& s) { s.transport = "dtls"; }},
      {"syslog", "facility", [](auto& s) { s.facility = "local8"; }},
      {"syslog", "certificate_file", [](auto& s) { s.certificate_file = "/x"; }},
      {"webhook", "url", [](auto& s) { s.url = ""; }},
      {"webhook", "url", [](auto& s) { s.url = "file:///etc/passwd"; }},
      {"webhook", "url", [](auto& s) { s.url = "https://S3CRET@siem.example/"; }},
      {"webhook", "url", [](auto& s) { s.url = "https://user:S3CRET@siem.example/"; }},
      {"webhook", "url", [](auto& s) { s.url = "https://siem.example/S3CRET\r\nX: y"; }},
      {"webhook", "url", [](auto& s) { s.url = "https:///S3CRET"; }},
      {"webhook", "authorization_file",
       [](auto& s) {
         s.url = "http://siem.example/S3CRET";
         s.authorization_file = "/x";
       }},
      {"webhook", "proxy", [](auto& s) { s.proxy = "socks5://x"; }},
      {"email", "from", [](auto& s) { s.from = "orbwatch"; }},
      {"email", "to", [](auto& s) { s.to = {}; }},
      {"email", "to", [](auto& s) { s.to = {"a@x\r\nRCPT TO:<b@x>"}; }},
      {"email", "to", [](auto& s) { s.to = {"a@x,b@x"}; }},
      {"email", "security", [](auto& s) { s.security = "ssl"; }},
      {"email", "user", [](auto& s) { s.user = "x"; }},
      {"email", "security",
       [](auto& s) {
         s.security = "none";
         s.user = "x";
         s.password_file = "/x";
       }},
      {"file", "timeout", [](auto& s) { s.timeout_seconds = 0; }},
      {"file", "retry", [](auto& s) { s.retry.first = std::chrono::milliseconds(0); }},
      {"file", "spool.most_alerts", [](auto& s) { s.spool.most_messages = 0; }},
      {"file", "spool.most_bytes", [](auto& s) { s.spool.most_bytes = 1; }},
      {"file", "grown_by", [](auto& s) { s.rules.grown_by = 1; }},
      {"file", "rate.per_hour", [](auto& s) { s.rules.per_hour = 0; }},
      {"file", "rate.burst", [](auto& s) { s.rules.burst = 0.5; }},
  };
  for (const auto& c : cases) {
    OutputSettings s = of_type(c.type);
    c.change(s);
    const auto checked = check(s);
    ASSERT_FALSE(checked) << c.type << " " << c.key;
    EXPECT_NE(checked.error().message.find("." + std::string(c.key) + ": "), std::string::npos)
        << c.key << ": " << checked.error().text();
    EXPECT_EQ(checked.error().text().find("S3CRET"), std::string::npos) << checked.error().text();
    EXPECT_FALSE(make_output(s));
  }
}

TEST(Messages, CarryTheFindingAndASubject) {
  OutputSettings s = of_type("email");
  score::Finding f = testing::sample_finding(0, false);
  f.user = "x\r\nBcc: y";
  const auto message = make_message(f, s, 1);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, f.id);
  EXPECT_TRUE(message->subject.starts_with(std::string(name(f.severity)) + ": Log-in through"));
  EXPECT_EQ(message->subject.find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ(message->media_type, "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace orbwatch::exporting
