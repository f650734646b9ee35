#include "decode/proposal.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "decode/mapping.h"

namespace orbwatch::decode {
namespace {

Proposal propose(std::string sample, std::string_view name = "sample") {
  sample.reserve(sample.size() + core::kPadding);
  const auto times = core::TimeReader::make("", 1798761600 * core::kSecond);
  auto made = propose_mapping(sample, "sample.log", name, *times);
  EXPECT_TRUE(made) << (made ? "" : made.error().text());
  return made ? *made : Proposal{};
}

std::string failure(std::string sample) {
  sample.reserve(sample.size() + core::kPadding);
  const auto made = propose_mapping(sample, "sample.log", "sample", core::TimeReader());
  return made ? "it was proposed:\n" + made->yaml : made.error().text();
}

// Each line must stand in the YAML, its comment aside.
void expect_lines(const Proposal& p, std::initializer_list<std::string_view> lines) {
  for (const std::string_view line : lines) {
    const auto at = ("\n" + p.yaml).find("\n" + std::string(line));
    EXPECT_NE(at, std::string::npos) << line << " is missing in\n" << p.yaml;
  }
}

TEST(Proposal, ReadsATableWithAHeader) {
  const Proposal p = propose(
      "When,Gate,Account,Client address,Client port,System,Second factor,Result,Serial\n"
      "20.11.2026 08:15:30,gate1,CORP\\alice,203.0.113.10,50123,Windows 11,y,OK,A-1\n"
      "20.11.2026 08:15:32,gate1,admin,198.51.100.77,40000,,n,BAD PASSWORD,A-2\n"
      "21.11.2026 09:00:00,gate2,bob,2001:db8::5,40001,macOS 14,y,OK,A-3\n",
      "My VPN export");
  expect_lines(p, {"name: my_vpn_export", "kind: csv", "header: true", "  field: When  # certain: 3 of 3 read so",
                   "  format: \"%d.%m.%Y %H:%M:%E*S\"", "  class: authentication", "  activity: logon",
                   "  user.name: Account  # certain", "  source.ip: Client address  # certain",
                   "  source.port: Client port  # certain", "  outcome: Result", "    OK: success",
                   "    BAD PASSWORD: failure", "  client.os: System", "  mfa: Second factor", "    \"y\": \"yes\"",
                   "  observer.name: Gate", "#   Serial: 3 different texts, e.g. A-1"});
  EXPECT_EQ(p.records, 4U);
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, ReadsCellsWithoutAHeaderAndSaysWhatItGuesses) {
  const Proposal p = propose(
      "1795162530;acme;203.0.113.10;tcp;ACCEPT\n"
      "1795162531;acme;203.0.113.11;udp;DROP\n"
      "1795162532;acme;203.0.113.12;tcp;DROP\n");
  expect_lines(p, {"delimiter: \";\"", "columns:", "  - column_1", "match: acme", "  field: column_1",
                   "  format: epoch", "  class: connection", "  source.ip: column_3  # guess", "  action: column_5",
                   "    DROP: denied", "    ACCEPT: allowed", "  network.iana_number: column_4  # likely"});
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, ReadsPairsBehindSyslogWithDateAndTimeApart) {
  const Proposal p = propose(
      "<134>Nov 20 08:15:30 gw app: date=2026-11-20 time=08:15:30 srcip=203.0.113.10 dstip=10.0.0.1 dstport=443 "
      "user=\"alice\" status=success sentbyte=10 devserial=X\n"
      "<134>Nov 20 08:15:31 gw app: date=2026-11-20 time=08:15:31 srcip=203.0.113.11 dstip=10.0.0.1 dstport=443 "
      "user=\"bob\" status=failed sentbyte=20 devserial=X\n");
  expect_lines(p, {"kind: kv", "syslog: true", "program: app", "match: \"devserial=\"", "  field: [date, time]",
                   "  format: iso8601", "  source.ip: srcip  # certain", "  destination.ip: dstip",
                   "  destination.port: dstport", "  user.name: user", "  outcome: status", "    failed: failure"});
  EXPECT_EQ(p.events, 2U);
}

TEST(Proposal, ReadsNestedJson) {
  const Proposal p = propose(
      R"({"ts":"2026-11-20T08:15:30Z","actor":{"user":"alice","addr":"203.0.113.10"},"gatewayEvent":"login","tunnel":{"ip":"10.9.0.2"}})"
      "\n"
      R"({"ts":"2026-11-20T09:15:30Z","actor":{"user":"alice","addr":"203.0.113.10"},"gatewayEvent":"login","rx_bytes":77})"
      "\n");
  expect_lines(
      p, {"kind: json", "key: gatewayEvent", "  field: ts", "  user.name: /actor/user  # certain",
          "  source.ip: /actor/addr  # certain", "  assigned.ip: /tunnel/ip", "  source.bytes: rx_bytes  # likely"});
  EXPECT_EQ(p.events, 2U);
}

TEST(Proposal, LogInsAndSessionsInOneLogAreToldApart) {
  const Proposal p = propose(
      "time,event,user,ip,bytes_in\n"
      "2026-11-20 08:15:30,login,alice,203.0.113.10,\n"
      "2026-11-20 08:15:31,connected,alice,203.0.113.10,\n"
      "2026-11-20 08:25:31,disconnected,alice,203.0.113.10,1000\n"
      "2026-11-20 08:25:32,heartbeat,alice,203.0.113.10,1000\n");
  expect_lines(p, {"  activity: event", "  class: event", "  class:", "    login: authentication",
                   "    connected: session", "    disconnected: end", "  - {field: event, value: heartbeat}"});
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, SaysThatDayAndMonthMayBeTheOtherWayRound) {
  const std::string head = "date,user,ip\n";
  EXPECT_NE(
      propose(head + "01/02/2026 08:15:30,a,192.0.2.1\n03/04/2026 08:15:30,b,192.0.2.2\n").yaml.find("other way round"),
      std::string::npos);
  const std::string certain = propose(head + "01/22/2026 08:15:30,a,192.0.2.1\n03/04/2026 08:15:30,b,192.0.2.2\n").yaml;
  EXPECT_NE(certain.find("%m/%d/%Y"), std::string::npos) << certain;
  EXPECT_EQ(certain.find("other way round"), std::string::npos);
}

TEST(Proposal, QuotesWhatYamlWouldMisread) {
  const Proposal p = propose(
      "time,user,ip,\"what: #happened\"\n"
      "2026-11-20 08:15:30,alice,203.0.113.10,yes\n2026-11-20 08:15:31,bob,203.0.113.11,no\n");
  EXPECT_EQ(p.events, 2U) << p.yaml;
}

TEST(Proposal, ReadsSidesAndThingsOutOfNames) {
  const Proposal p = propose(
      R"({"_source":{"@timestamp":"2026-11-20T08:15:30Z","network":{"client":{"address":"203.0.113.10","port":5012},"server":{"address":"192.0.2.1","port":443},"bytes":{"in":100,"out":2000}},"principal":{"name":"alice"},"ok":true}})"
      "\n"
      R"({"_source":{"@timestamp":"2026-11-20T08:15:31Z","network":{"client":{"address":"203.0.113.11","port":5013},"server":{"address":"192.0.2.1","port":443},"bytes":{"in":100,"out":2000}},"principal":{"name":"bob"},"ok":false}})"
      "\n");
  expect_lines(p, {"  source.ip: /_source/network/client/address  # certain",
                   "  destination.ip: /_source/network/server/address  # certain",
                   "  source.port: /_source/network/client/port  # certain",
                   "  destination.port: /_source/network/server/port  # certain",
                   "  source.bytes: /_source/network/bytes/in  # likely",
                   "  destination.bytes: /_source/network/bytes/out  # likely"});
  EXPECT_EQ(p.events, 2U);
}

TEST(Proposal, AKeyThatOtherJsonHasTooIsTheLastChoice) {
  const Proposal p =
      propose(R"({"@timestamp":"2026-11-20T08:15:30Z","username":"alice","src_ip":"203.0.113.10","gw":"a"})"
              "\n"
              R"({"@timestamp":"2026-11-20T08:15:31Z","username":"bob","src_ip":"203.0.113.11","gw":"a"})"
              "\n");
  expect_lines(p, {"key: gw  # every record"});
}

TEST(Proposal, WithoutNamesPortsStandBehindAddressesAndUsersLogIn) {
  const Proposal p = propose(
      "1795162530|LOGIN|alice|203.0.113.10|50123|OK\n"
      "1795162531|LOGIN|bob|203.0.113.99|50124|FAIL\n"
      "1795162532|LOGOUT|alice|203.0.113.10|50125|OK\n");
  expect_lines(p, {"  user.name: column_3  # guess", "  source.ip: column_4  # guess",
                   "  source.port: column_5  # guess", "  outcome: column_6  # likely"});
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, ReadsTextBehindSyslog) {
  const Proposal p = propose(
      "Nov 20 08:15:30 gw7 acmed[812]: User alice logged in from 203.0.113.10:50123 via password (client Acme 5.2)\n"
      "Nov 20 08:15:41 gw7 acmed[812]: User bob failed to log in from 198.51.100.7:40022: bad password\n"
      "Nov 20 08:15:43 gw7 acmed[812]: User root failed to log in from 198.51.100.7:40023: unknown user\n"
      "Nov 20 08:17:30 gw7 acmed[812]: Session 4711 of alice closed, 120033 bytes in, 3400221 bytes out\n"
      "Nov 20 08:17:31 gw7 acmed[812]: keepalive ok\n");
  expect_lines(
      p,
      {"kind: regex", "syslog: true", "program: acmed",
       R"(  - '^User (?P<user>\S+) (?P<what>failed to log in) from (?P<from_ip>[0-9A-Fa-f.:]+):(?P<from_port>[0-9]+): (?P<detail>.+)$')",
       R"(  - '^User (?P<user>\S+) (?P<what>logged in) from (?P<from_ip>[0-9A-Fa-f.:]+):(?P<from_port>[0-9]+) via (?P<via>\S+) \(client Acme [0-9.]+\)$')",
       R"(  - '^Session (?P<session>[0-9]+) of (?P<user>\S+) (?P<what>closed), (?P<bytes_in>[0-9]+) bytes in, )",
       "# Left out, no address and no user (1 in the sample): keepalive ok", "  source.ip: from_ip  # certain",
       "  source.port: from_port  # certain", "  user.name: user  # certain", "  reason: detail", "  auth_method: via",
       "    closed: \"\"", "  source.bytes: bytes_in  # likely", "    failed to log in: logon",
       "    failed to log in: failure", "    logged in: success", "    closed: session"});
  EXPECT_EQ(p.yaml.find("    ok:"), std::string::npos) << "of a line that is left out\n" << p.yaml;
  EXPECT_EQ(p.events, 4U) << p.yaml;
}

TEST(Proposal, ReadsTextBehindATime) {
  const Proposal p = propose(
      "[2026-11-20 08:15:30,123] INFO  AuthManager - Accepted login for user=alice from=203.0.113.10\n"
      "[2026-11-20 08:15:31,123] WARN  AuthManager - Rejected login for user=bob from=198.51.100.7\n"
      "[2026-11-20 08:15:32,123] INFO  AuthManager - Accepted login for user=carol from=203.0.113.11\n");
  expect_lines(
      p,
      {R"(  - '^\[(?P<logtime>\S+\s+[^\s\]]+)\] \S+\s+AuthManager - (?P<what>Accepted login) for user=(?P<user>\S+) from=(?P<from>[0-9A-Fa-f.:]+)$')",
       "  field: logtime  # certain: 3 of 3", "  user.name: user  # certain", "  source.ip: from  # certain",
       "    Rejected login: failure"});
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, AFirewallsTextHasAVerdictAndNoLogIns) {
  const Proposal p = propose(
      "2026-11-20 08:15:30 fwd: DROP proto TCP from 198.51.100.9:4444 to 192.0.2.10:22 (60 bytes)\n"
      "2026-11-20 08:15:31 fwd: ACCEPT proto TCP from 198.51.100.10:4445 to 192.0.2.10:443 (6000 bytes)\n"
      "2026-11-20 08:15:32 fwd: ACCEPT proto UDP from 198.51.100.11:4446 to 192.0.2.11:443 (600 bytes)\n");
  expect_lines(p, {"  class: connection", "  action: what", "    DROP: denied", "    ACCEPT: allowed",
                   "  destination.ip: to_ip", "  destination.port: to_port", "  network.iana_number: proto"});
  EXPECT_EQ(p.yaml.find("outcome:"), std::string::npos) << p.yaml;
  EXPECT_EQ(p.events, 3U);
}

TEST(Proposal, AnAttemptHasNoResult) {
  const Proposal p = propose(
      "[2026-11-20 08:15:30,123] WARNING in limiter: Authentication attempt from 198.51.100.9 has been rate-limited.\n"
      "[2026-11-20 08:15:31,123] WARNING in limiter: Authentication attempt from 198.51.100.8 has been "
      "rate-limited.\n");
  expect_lines(p, {"  class: authentication", "    Authentication: logon", "  source.ip: from_ip"});
  EXPECT_EQ(p.yaml.find("success"), std::string::npos) << p.yaml;
  EXPECT_EQ(p.events, 2U);
}

TEST(Proposal, FailsWhereThereIsNothingToPropose) {
  EXPECT_NE(failure("").find("no records"), std::string::npos) << failure("");
  EXPECT_NE(failure("once upon a time\nthere was a log\n").find("no table"), std::string::npos);
  EXPECT_NE(failure("a,b,c\n1,2,3\n4,5,6\n").find("no time"), std::string::npos) << failure("a,b,c\n1,2,3\n4,5,6\n");
  EXPECT_NE(failure("time,level,size\n2026-11-20 08:15:30,1,2\n2026-11-20 08:15:31,1,2\n").find("neither an address"),
            std::string::npos);
}

}  // namespace
}  // namespace orbwatch::decode
