// Barracuda CloudGen Firewall (NextGen Firewall F, phion netfence) 6 to 9: syslog streaming and log files of the box.
//   <14>Nov 22 08:00:00 fw1 fw1/box_Firewall_Activity:  Info     fw1 Remove: type=FWD|proto=UDP|srcIF=eth1|
//   srcIP=10.0.0.5|srcPort=35119|srcMAC=...|dstIP=198.51.100.53|dstPort=53|...|urlcat=
//   Info     fw1 Allow: LOUT|UDP|bond0.603|10.0.0.1|61988|00:00:5e:00:53:05|198.51.100.53|53|domain||RULE|0|...
//   Info     fw1 LOGIN ATTEMPT: boxconfig[50357]: Login admin from 192.0.2.77 : Allowed.
//   2026 11 22 08:00:00 Security +01:00 Block: type=FWD|proto=UDP|... (a file of /phion0/logs)
//
// Source: "Firewall Activity Log", "Available Log Files and Structure" (campus.barracuda.com). A line is a level padded
// to nine columns, the box and the text; the tag names the log ("box_Auth_access", "srv_S1_VPN").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("barracuda_cloudgen: no address or user");
const Symbol kTruncated = core::intern("barracuda_cloudgen: record cut off");

// The columns of the activity log, in their order where it has no names.
enum Column : std::uint8_t {
  kType,
  kProto,
  kSrcIf,
  kSrcIp,
  kSrcPort,
  kSrcMac,
  kDstIp,
  kDstPort,
  kDstService,
  kDstIf,
  kRule,
  kInfo,
  kSrcNat,
  kDstNat,
  kDuration,
  kCount,
  kReceivedBytes,
  kSentBytes,
  kReceivedPackets,
  kSentPackets,
  kUser,
  kProtocol,
  kApplication,
  kTarget,
  kContent,
  kUrlCategory,
  kColumns
};

constexpr KeyNames<kColumns> kNames({"type",   "proto",         "srcIF",       "srcIP",           "srcPort",
                                     "srcMAC", "dstIP",         "dstPort",     "dstService",      "dstIF",
                                     "rule",   "info",          "srcNAT",      "dstNAT",          "duration",
                                     "count",  "receivedBytes", "sentBytes",   "receivedPackets", "sentPackets",
                                     "user",   "protocol",      "application", "target",          "content",
                                     "urlcat"});

using Row = std::array<std::string_view, kColumns>;

// What the columns of the audit log are; kColumns for those that are not read.
constexpr std::array<std::uint8_t, 25> kAuditColumns = {
    kColumns, kColumns,    kType,        kSrcIf,         kProto,           kRule,     kSrcIp,  kSrcPort, kDstIp,
    kDstPort, kDstService, kColumns,     kInfo,          kSrcNat,          kColumns,  kDstNat, kColumns, kDstIf,
    kSrcMac,  kSentBytes,  kSentPackets, kReceivedBytes, kReceivedPackets, kDuration, kColumns};

std::uint64_t number(std::string_view text) { return core::parse_number<std::uint64_t>(text).value_or(0); }

struct Line {
  std::string_view host;
  std::string_view text;
  std::string_view time;  // of a file: "2026 11 22 08:00:00"
  std::string_view zone;  // of a file: "+01:00"
};

bool is_level(std::string_view word) {
  constexpr std::array<std::string_view, 9> kLevels = {"Info",     "Notice",   "Warning", "Error", "Fatal",
                                                       "Security", "Internal", "Panic",   "Debug"};
  return std::find(kLevels.begin(), kLevels.end(), word) != kLevels.end();
}

// Moves behind a level that is padded to nine columns; false if there is none.
bool skip_level(std::string_view& text) {
  if (text.size() < 12 || text[8] != ' ' || text[9] == ' ') return false;
  const auto space = text.find(' ');
  if (!is_level(text.substr(0, space)) || text.substr(space, 9 - space).find_first_not_of(' ') != text.npos)
    return false;
  text.remove_prefix(9);
  return true;
}

bool read_line(std::string_view text, Line& line) {
  if (text.size() > 40 && is_digit(text[0]) && text[4] == ' ' && text[7] == ' ' && text[10] == ' ' && text[13] == ':') {
    line.time = text.substr(0, 19);
    text.remove_prefix(20);
    const auto space = text.find(' ');
    if (space > 8 || !is_level(text.substr(0, space))) return false;
    text = core::trim(text.substr(space));
    line.zone = core::take_until(text, ' ');
    line.text = text;
    return line.zone.size() == 6 && (line.zone[0] == '+' || line.zone[0] == '-') && line.zone[3] == ':';
  }
  if (!skip_level(text)) return false;
  line.host = core::take_until(text, ' ');
  line.text = core::trim(text);
  return !line.text.empty();
}

enum class Kind : std::uint8_t {
  kOther,
  kActivity,
  kAudit,
  kFirewall,
  kLoginAttempt,
  kSessionClosed,
  kUserList,
  kAccounting,
  kConfiguration,
};

bool is_traffic_type(std::string_view word) {
  constexpr std::array<std::string_view, 10> kTypes = {"LIN", "LOUT", "LB",  "FWD",  "IFWD",
                                                       "PXY", "IPXY", "PRX", "IPRX", "<cumulative>"};
  return std::find(kTypes.begin(), kTypes.end(), word) != kTypes.end();
}

// "Allow: type=FWD|", "LocalBlock: LIN|UDP|"
bool is_activity(std::string_view text) {
  const auto colon = text.find(": ");
  if (colon > 20) return false;
  text.remove_prefix(colon + 2);
  if (text.starts_with("type=")) return true;
  const auto bar = text.find('|');
  return bar <= 12 && is_traffic_type(text.substr(0, bar));
}

// "1793433600|Remove:|FWD|eth1|UDP|"
bool is_audit(std::string_view text) {
  if (!is_digit(text[0])) return false;
  core::take_until(text, '|');
  const std::string_view action = core::take_until(text, '|');
  return action.ends_with(':') && is_traffic_type(text.substr(0, text.find('|')));
}

// "update|fw1|PGRP-AUTH-alice-Staff|...": sixteen columns
bool is_accounting(std::string_view text) {
  const std::string_view verb = text.substr(0, text.find('|'));
  return (verb == "start" || verb == "update" || verb == "stop") && std::count(text.begin(), text.end(), '|') == 15;
}

// "192.0.2.77:15743 login succeeded: admin Valid password ..."
bool is_configuration_login(std::string_view text) {
  if (!is_digit(text[0])) return false;
  core::take_until(text, ' ');
  return text.starts_with("login ");
}

Kind kind_of(std::string_view text) {
  if (text.empty()) return Kind::kOther;
  if (text.starts_with("firewall: [")) return Kind::kFirewall;
  if (text.starts_with("LOGIN ATTEMPT: ")) return Kind::kLoginAttempt;
  if (text.starts_with("phibs: Authentication ")) return Kind::kUserList;
  if (text.starts_with("boxconfig[") && text.contains("]: Session ")) return Kind::kSessionClosed;
  if (is_activity(text)) return Kind::kActivity;
  if (is_audit(text)) return Kind::kAudit;
  if (is_accounting(text)) return Kind::kAccounting;
  if (is_configuration_login(text)) return Kind::kConfiguration;
  return Kind::kOther;
}

// "box_Auth_access" of "fw1/box_Auth_access"; empty if the tag is another's.
std::string_view log_of(std::string_view program) {
  const auto slash = program.find('/');
  if (slash == program.npos) return {};
  const std::string_view log = program.substr(slash + 1);
  return log.starts_with("box_") || log.starts_with("srv_") ? log : std::string_view{};
}

bool is_denial(std::string_view action) {
  return action.contains("Block") || action.contains("Deny") || action.contains("Drop");
}

class BarracudaCloudgen final : public RecordDecoder {
 public:
  explicit BarracudaCloudgen(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Line line;
    if (!read_line(r.message, line)) return false;
    return !line.time.empty() || !log_of(r.program).empty() || kind_of(line.text) != Kind::kOther;
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Line line;
    if (!read_line(record.message, line)) return Fate::rejected(kTruncated);
    if (!line.host.empty()) e.observer = core::intern(line.host);
    put_time(line, e);
    const Fate fate = tell(record, line, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  void put_time(const Line& line, Event& e) const {
    if (line.time.empty()) return;
    std::array<char, 25> buffer;
    char* p = std::copy(line.time.begin(), line.time.end(), buffer.data());
    buffer[4] = buffer[7] = '-';
    p = std::copy(line.zone.begin(), line.zone.end(), p);
    std::string_view text(buffer.data(), static_cast<std::size_t>(p - buffer.data()));
    if (const auto time = core::parse_iso8601(text, times_)) e.time = *time;
  }

  // `action` is "Allow", "LocalBlock", "Remove" ...
  static Fate traffic(std::string_view action, const Row& row, Event& e) {
    e.code = core::intern(action.size() <= 20 ? action : std::string_view{});
    std::string_view verb = action;
    skip_prefix(verb, "Local");
    e.event_class = Class::kConnection;
    e.action = Action::kAllowed;
    if (is_denial(verb)) {
      e.action = Action::kDenied;
      e.reason = closed_reason(row[kInfo]);
    } else if (verb == "Allow") {
      e.activity = Activity::kStart;
    } else if (verb == "Remove" || verb == "Terminate") {
      e.activity = Activity::kEnd;
      e.reason = closed_reason(row[kInfo]);
    } else if (verb == "Fail") {  // a rule let it pass, but nothing answered
      e.activity = Activity::kEnd;
      e.reason = closed_reason(row[kInfo]);
    } else if (verb == "Detect" || verb == "Change") {
      e.activity = Activity::kUpdate;
    } else {
      return json::ignored("activity", action);
    }
    e.source_ip = given_ip(row[kSrcIp]);
    e.source_port = core::parse_number<std::uint16_t>(row[kSrcPort]).value_or(0);
    e.destination_ip = given_ip(row[kDstIp]);
    e.destination_port = core::parse_number<std::uint16_t>(row[kDstPort]).value_or(0);
    e.protocol = protocol_number(row[kProto]);
    e.ingress = core::intern(row[kSrcIf]);
    e.egress = core::intern(row[kDstIf]);
    e.rule = core::intern(row[kRule]);
    if (const core::Ip nat = given_ip(row[kSrcNat]); nat != e.source_ip) e.assigned_ip = nat;
    e.duration = seconds(number(row[kDuration]) / 1000) +
                 static_cast<core::Nanoseconds>(number(row[kDuration]) % 1000) * core::kMillisecond;
    e.source_bytes = number(row[kSentBytes]);
    e.destination_bytes = number(row[kReceivedBytes]);
    e.source_packets = number(row[kSentPackets]);
    e.destination_packets = number(row[kReceivedPackets]);
    set_user(e, row[kUser]);
    std::string_view application = row[kApplication];
    if (application.empty()) application = row[kProtocol];
    if (application.empty()) application = row[kDstService];
    e.application = lower_symbol(application);
    return Fate::kept();
  }

  static Fate activity(std::string_view text, Event& e) {
    const std::string_view action = core::take_until(text, ':');
    text = core::trim(text);
    Row row{};
    if (text.starts_with("type=")) {
      each_pair(text, '|', '=', [&row](std::string_view name, std::string_view value) {
        if (const std::size_t column = kNames.find(name); column != kColumns) row[column] = value;
      });
    } else {
      for (std::size_t column = 0; column < kColumns && !text.empty(); ++column)
        row[column] = core::trim(core::take_until(text, '|'));
    }
    return traffic(action, row, e);
  }

  static Fate audit(std::string_view text, Event& e) {
    Row row{};
    std::string_view action;
    for (std::size_t column = 0; column < kAuditColumns.size() && !text.empty(); ++column) {
      const std::string_view value = core::take_until(text, '|');
      if (column == 0) {
        std::string_view moment = value;
        if (const auto at = core::parse_epoch(moment)) e.time = *at;
      } else if (column == 1) {
        action = value.substr(0, value.size() - 1);
      } else if (kAuditColumns[column] != kColumns) {
        row[kAuditColumns[column]] = value;
      }
    }
    return traffic(action, row, e);
  }

  // "firewall: [Request] Block:   IPS ALLIP(0) 203.0.113.9 -> 192.0.2.1:22 |[ID: 5000001 SSH Brute Force]||3|Probing",
  // "firewall: [Timer] SecurityEvent: (Address-Port Scan) 149 unallowed requests for source IP 203.0.113.9 within ..."
  static Fate firewall(std::string_view text, Event& e) {
    core::take_until(text, ']');
    text = core::trim(text);
    const std::string_view action = core::take_until(text, ':');
    e.event_class = Class::kConnection;
    e.activity = Activity::kAlert;
    if (const auto at = text.find(" for source IP "); at != text.npos) {
      Scanner s(text.substr(at + 15));
      s.ip(e.source_ip);
      Scanner name(text);
      if (name.skip_past("(")) e.rule = closed_reason(name.until(')'));
      return e.source_ip.present() ? Fate::kept() : Fate::ignored("firewall other");
    }
    const auto arrow = text.find(" -> ");
    if (arrow == text.npos) return Fate::ignored("firewall other");
    const std::string_view before = text.substr(0, arrow);
    const Endpoint from = endpoint(before.substr(before.rfind(' ') + 1));
    std::string_view behind = text.substr(arrow + 4);
    const Endpoint to = endpoint(core::take_until(behind, ' '));
    if (!from.ip.present()) return Fate::ignored("firewall other");
    e.source_ip = from.ip;
    e.source_port = from.port;
    e.destination_ip = to.ip;
    e.destination_port = to.port;
    e.action = is_denial(action) ? Action::kDenied : Action::kAllowed;
    if (const auto id = behind.find("[ID: "); id != behind.npos) {
      Scanner s(behind.substr(id + 5));
      e.code = core::intern(s.word().substr(0, 12));
      s.spaces();
      e.rule = closed_reason(s.until(']'));
    }
    if (e.action == Action::kDenied) e.reason = e.rule;
    return Fate::kept();
  }

  // Administrators are "NAME" or "NAME_BOX".
  static void put_administrator(std::string_view name, std::string_view host, Event& e) {
    name = core::trim(name);
    if (!host.empty() && name.size() > host.size() + 1) {
      const auto at = name.find(host);
      if (at != name.npos && at > 1 && name[at - 1] == '_') name = name.substr(0, at - 1);
    }
    set_user(e, name);
  }

  // "[boxconfig[50357]: ]Login [admin ]from 192.0.2.77 : Allowed." "...: Denied: Firewall Rule RULE"
  static Fate login_attempt(std::string_view text, std::string_view host, Event& e) {
    const auto login = text.find("Login ");
    const auto from = text.find("from ", login == text.npos ? 0 : login);
    if (login == text.npos || from == text.npos) return Fate::ignored("login attempt other");
    if (from > login + 6) put_administrator(text.substr(login + 6, from - login - 6), host, e);
    Scanner s(text.substr(from + 5));
    s.ip(e.source_ip);
    s.spaces();
    s.skip(':');
    s.spaces();
    const std::string_view result = s.rest();
    const bool allowed = result.starts_with("Allowed") || result.starts_with("Success");
    put_login(e, allowed ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
    Scanner tag(text.substr(0, login));
    e.application = lower_symbol(tag.until_any("[: "));
    if (!allowed) e.reason = closed_reason(result);
    return Fate::kept();
  }

  // "boxconfig[50512]: Session admin: Closed"
  static Fate session_closed(std::string_view text, std::string_view host, Event& e) {
    Scanner s(text);
    e.application = lower_symbol(s.until('['));
    s.skip_past("Session ");
    put_administrator(s.until(':'), host, e);
    if (!s.rest().contains("Closed")) return Fate::ignored("session other");
    put_login(e, Outcome::kUnknown, Service::kManagement);
    e.activity = Activity::kLogoff;
    return Fate::kept();
  }

  // "192.0.2.77:15743 login succeeded: admin Valid password and valid challenge"
  static Fate configuration_login(std::string_view text, std::string_view host, Event& e) {
    const Endpoint from = endpoint(core::take_until(text, ' '));
    if (!from.ip.present()) return Fate::rejected(kTruncated);
    e.source_ip = from.ip;
    e.source_port = from.port;
    const bool good = text.starts_with("login succeeded");
    put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
    core::take_until(text, ':');
    text = core::trim(text);
    put_administrator(core::take_until(text, ' '), host, e);
    if (!good) e.reason = closed_reason(text);
    return Fate::kept();
  }

  // "phibs: Authentication Login for peer=198.51.100.7 origin=VPNG server=... box=fw1 startport=0 endport=0
  // user=alice",
  // "... Timeout(28800) for peer=10.0.0.5 origin=DCCLIENT server=box service=dcclient box=fw1 alice|||||||CN=Staff|..."
  static Fate user_list(std::string_view text, Event& e) {
    skip_prefix(text, "phibs: Authentication ");
    const std::string_view verb = text.substr(0, text.find(' '));
    std::string_view origin;
    std::string_view user;
    Scanner s(text);
    for (std::string_view word = s.word(); !word.empty() || !s.done(); s.spaces(), word = s.word()) {
      if (skip_prefix(word, "peer=")) {
        e.source_ip = given_ip(word);
      } else if (skip_prefix(word, "origin=")) {
        origin = word;
      } else if (skip_prefix(word, "user=")) {
        user = word;
      } else if (const auto bar = word.find('|'); bar != word.npos && user.empty()) {
        user = word.substr(0, bar);
      }
    }
    set_user(e, user);
    e.application = lower_symbol(origin);
    const bool vpn = origin.starts_with("VPN");
    const bool web = origin == "HTTP" || origin == "PROXY";
    put_login(e, Outcome::kSuccess, vpn ? Service::kVpn : web ? Service::kWeb : Service::kOther);
    if (verb != "Login") {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
      if (verb.starts_with("Timeout")) e.reason = core::intern("timeout");
    } else if (!vpn && !web) {
      e.activity = Activity::kObserved;  // a domain controller or terminal server told of a user
    }
    return Fate::kept();
  }

  // "update|fw1|PGRP-AUTH-alice-Staff||||||START|NOW|received|sent|PEER|||alice": sessions of the client-to-site VPN
  static Fate accounting(std::string_view text, Event& e) {
    std::array<std::string_view, 16> column;
    for (std::string_view& value : column) value = core::take_until(text, '|');
    put_session(e, column[0] == "start"    ? Activity::kStart
                   : column[0] == "update" ? Activity::kUpdate
                                           : Activity::kEnd);
    if (e.activity == Activity::kStart) e.outcome = Outcome::kSuccess;
    const std::uint64_t start = number(column[8]);
    const std::uint64_t now = number(column[9]);
    if (e.activity != Activity::kStart && now > start && start != 0) e.duration = seconds(now - start);
    e.destination_bytes = number(column[10]);
    e.source_bytes = number(column[11]);
    e.source_ip = given_ip(column[12]);
    set_user(e, column[15]);
    if (!column[2].empty()) e.session_id = core::hash64(column[2], start);
    return Fate::kept();
  }

  static Fate tell(const TextRecord& record, const Line& line, Event& e) {
    switch (kind_of(line.text)) {
      case Kind::kActivity: return activity(line.text, e);
      case Kind::kAudit: return audit(line.text, e);
      case Kind::kFirewall: return firewall(line.text, e);
      case Kind::kLoginAttempt: return login_attempt(line.text.substr(15), line.host, e);
      case Kind::kSessionClosed: return session_closed(line.text, line.host, e);
      case Kind::kUserList: return user_list(line.text, e);
      case Kind::kAccounting: return accounting(line.text, e);
      case Kind::kConfiguration: return configuration_login(line.text, line.host, e);
      case Kind::kOther: break;
    }
    return json::ignored("log", log_of(record.program));
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_barracuda_cloudgen(const core::TimeReader& times) {
  return std::make_unique<BarracudaCloudgen>(times);
}

}  // namespace orbwatch::decode
