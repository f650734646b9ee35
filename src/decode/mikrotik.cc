// MikroTik RouterOS: firewall log lines, log-ins to the router, remote access by L2TP, PPTP, SSTP, OVPN and IPsec.
//
// Sources: RouterOS documentation, "Log" and "Filter" (help.mikrotik.com); lines of RouterOS 6.40 to 7.20. A line
// begins with its topics; the log file and `/log print` put the time before them, syslog its envelope.
//   firewall,info DROP input: in:ether1 out:(unknown 0), connection-state:new src-mac 02:00:00:00:00:02, proto TCP
//   (SYN), 203.0.113.9:59388->192.0.2.1:8291, len 40
//   system,error,critical login failure for user admin from 203.0.113.9 via winbox
//   l2tp,ppp,info,account alice logged in, 10.10.0.5 from 203.0.113.7
// Other topics are ignored by their first topic ("topic dhcp").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoAddress = core::intern("mikrotik: no address");
const Symbol kNoUser = core::intern("mikrotik: no user");
const Symbol kOtherVpn = core::intern("topic ppp other than sessions");
const Symbol kOtherSystem = core::intern("topic system other than log-ins");

// The topics a line may begin with.
constexpr std::array<std::string_view, 62> kTopics = {
    "account",   "async",      "backup",   "bfd",    "bgp",     "bridge",     "calc",      "caps",    "certificate",
    "container", "ddns",       "dhcp",     "dns",    "dot1x",   "dude",       "e-mail",    "evpn",    "event",
    "firewall",  "gps",        "gsm",      "health", "hotspot", "igmp-proxy", "interface", "ipsec",   "iscsi",
    "isis",      "kvm",        "l2tp",     "ldp",    "lora",    "lte",        "manager",   "mme",     "mpls",
    "mqtt",      "netinstall", "netwatch", "ntp",    "ospf",    "ovpn",       "pim",       "poe-out", "ppp",
    "pppoe",     "pptp",       "ptp",      "radius", "radvd",   "rip",        "route",     "script",  "smb",
    "snmp",      "ssh",        "sstp",     "system", "tr069",   "upnp",       "wireguard", "wireless"};
constexpr std::array<std::string_view, 5> kSeverities = {"info", "warning", "error", "critical", "debug"};
// Topics whose "logged in" is a log-in over a tunnel.
constexpr std::array<std::string_view, 7> kTunnels = {"l2tp", "pptp", "sstp", "ovpn", "pppoe", "ppp", "ipsec"};

template <typename Words>
bool is_one_of(std::string_view word, const Words& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Line {
  std::string_view topics;
  std::string_view first;
  std::string_view text;
};

// "firewall,info text": words set apart by commas, the first a known topic, one of them a severity.
bool scan_line(std::string_view message, Line& out) {
  const auto end = message.substr(0, 80).find(' ');
  if (end == message.npos) return false;
  out.topics = message.substr(0, end);
  const auto comma = out.topics.find(',');
  if (comma == out.topics.npos) return false;
  out.first = out.topics.substr(0, comma);
  if (!is_one_of(out.first, kTopics)) return false;
  std::string_view rest = out.topics.substr(comma + 1);
  bool severity = false;
  while (!rest.empty()) severity |= is_one_of(core::take_until(rest, ','), kSeverities);
  out.text = message.substr(end + 1);
  // Some versions set off the text: "system,info,account : user ..."
  skip_prefix(out.text, ": ");
  return severity;
}

std::string_view topic(std::string_view topics, const auto& known) {
  while (!topics.empty()) {
    if (const auto word = core::take_until(topics, ','); is_one_of(word, known)) return word;
  }
  return {};
}

Fate ignored_topic(std::string_view first) {
  std::array<char, 32> name;
  char* p = std::copy_n("topic ", 6, name.data());
  p = std::copy(first.begin(), first.end(), p);  // one of kTopics
  return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
}

// A rule logs with the prefix that the administrator gave it; by custom it says what the rule does.
Action verdict_of(std::string_view prefix) {
  for (const std::string_view word : {"drop"sv, "reject"sv, "deny"sv, "block"sv, "tarpit"sv, "blacklist"sv}) {
    if (core::contains_ignore_case(prefix, word)) return Action::kDenied;
  }
  for (const std::string_view word : {"accept"sv, "allow"sv, "permit"sv, "pass"sv}) {
    if (core::contains_ignore_case(prefix, word)) return Action::kAllowed;
  }
  return Action::kNone;
}

// "203.0.113.9:59388", "[2001:db8::9]:59388", "203.0.113.9"
void scan_endpoint(Scanner& s, core::Ip& ip, std::uint16_t& port) {
  s.ip(ip);
  if (s.skip(':')) port = s.port();
}

// "PREFIX input: in:ether1 out:(unknown 0), connection-state:new,snat src-mac M, proto TCP (SYN), A:P->B:P, NAT
// (A:P->C:P)->B:P, len 40"
Fate firewall(std::string_view text, Event& e) {
  const auto in = text.find(": in:");
  const auto arrow = text.find("->");
  if (in == text.npos || arrow == text.npos || arrow < in) return Fate::rejected(kNoAddress);
  // "PREFIX chain"; chains may have any name, a prefix is optional and may hold spaces.
  const std::string_view head = core::trim(text.substr(0, in));
  const auto space = head.rfind(' ');
  const std::string_view chain = head.substr(space + 1);
  std::string_view prefix = space == head.npos ? std::string_view{} : core::trim(head.substr(0, space));
  while (prefix.ends_with(':')) prefix.remove_suffix(1);
  e.rule = core::intern(prefix.empty() ? chain : prefix);
  e.action = verdict_of(prefix);
  Scanner s(text.substr(in + 5));
  e.ingress = core::intern(s.until_any(" ,"));
  if (s.skip_past("out:") && s.peek() != '(') e.egress = core::intern(s.until_any(" ,"));
  if (s.skip_past("proto ")) {
    e.protocol = protocol_number(s.until_any(" ,"));
    if (s.skip(" (") && e.protocol == 6) {
      constexpr std::array<std::string_view, 8> kFlags = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
      std::string_view flags = s.until(')');
      while (!flags.empty()) {
        const auto at = std::find(kFlags.begin(), kFlags.end(), core::take_until(flags, ','));
        if (at != kFlags.end()) e.tcp_flags |= static_cast<std::uint16_t>(1U << (at - kFlags.begin()));
      }
    }
  }
  // The addresses are the word that holds the arrow.
  const auto from = text.rfind(' ', arrow) + 1;
  Scanner source(text.substr(from, arrow - from));
  scan_endpoint(source, e.source_ip, e.source_port);
  Scanner sides(text.substr(arrow + 2));
  scan_endpoint(sides, e.destination_ip, e.destination_port);
  if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
  // "NAT (10.0.0.5:1->192.0.2.1:1)->198.51.100.1:443": the source's address is translated; "NAT A:P->(B:P->C:P)" is
  // the destination's.
  if (sides.skip_past(", NAT (") && sides.skip_past("->")) {
    core::Ip translated;
    if (sides.ip(translated) && translated != e.source_ip) e.assigned_ip = translated;
  }
  if (sides.skip_past("len ")) {
    e.source_bytes = sides.number();
    e.source_packets = 1;
  }
  e.event_class = Class::kConnection;
  return Fate::kept();
}

// "user admin logged in from 203.0.113.9 via winbox", "login failure for user admin from A via ssh", "user admin logged
// out from A via web". The name stands between fixed words: the last ones decide.
Fate system(std::string_view text, Event& e) {
  Outcome outcome = Outcome::kUnknown;
  Activity activity = Activity::kLogon;
  std::string_view behind;
  if (skip_prefix(text, "login failure for user ")) {
    outcome = Outcome::kFailure;
    behind = " from ";
  } else if (skip_prefix(text, "user ")) {
    if (text.contains(" logged in")) {
      outcome = Outcome::kSuccess;
      behind = " logged in";
    } else if (text.contains(" logged out")) {
      activity = Activity::kLogoff;
      behind = " logged out";
    } else {
      return Fate::ignored(kOtherSystem);
    }
  } else {
    return Fate::ignored(kOtherSystem);
  }
  put_login(e, outcome, Service::kManagement);
  e.activity = activity;
  auto at = text.rfind(behind);
  if (at == text.npos) at = text.rfind(" via ");  // a failure on the console: "login failure for user admin via local"
  set_typed_user(e, text.substr(0, at));
  Scanner s(at == text.npos ? std::string_view{} : text.substr(at));
  if (s.skip_past(" from ")) s.ip(e.source_ip);
  if (s.skip_past(" via ")) e.application = lower_symbol(s.until_any(" ,"));
  if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// "alice logged in, 10.10.0.5 from 203.0.113.7"; also without " from ". "alice logged out, 3600 12345 67890 100 90 from
// 203.0.113.7": seconds, bytes and packets in and out.
Fate account(std::string_view text, std::string_view tunnel, Event& e) {
  const bool in = text.contains(" logged in");
  const auto at = text.rfind(in ? " logged in" : " logged out");
  if (at == text.npos) return Fate::ignored(kOtherVpn);
  // "<l2tp-alice>: alice logged in" of some versions
  std::string_view name = text.substr(0, at);
  if (name.starts_with('<')) {
    const auto close = name.find(">: ");
    if (close != name.npos) name.remove_prefix(close + 3);
  }
  set_typed_user(e, name);
  put_session(e, in ? Activity::kStart : Activity::kEnd, core::intern(tunnel));
  Scanner s(text.substr(at + (in ? 10 : 11)));
  s.skip(',');
  s.spaces();
  if (in) {
    e.outcome = Outcome::kSuccess;
    s.ip(e.assigned_ip);
  } else if (is_digit(s.peek())) {
    e.duration = seconds(s.number());
    for (std::uint64_t* field : {&e.source_bytes, &e.destination_bytes, &e.source_packets, &e.destination_packets}) {
      s.spaces();
      if (is_digit(s.peek())) *field = s.number();
    }
  }
  if (s.skip_past("from ")) s.ip(e.source_ip);
  if (!e.user.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

Fate tunnel(std::string_view text, std::string_view name, Event& e) {
  if (text.contains(" logged in") || text.contains(" logged out")) return account(text, name, e);
  // "<203.0.113.7>: user alice authentication failed", "<36>: user ...", "user alice authentication failed - radius
  // timeout"
  if (const auto failed = text.find(" authentication failed"); failed != text.npos) {
    put_login(e, Outcome::kFailure, Service::kVpn);
    e.application = core::intern(name);
    const auto user = text.rfind("user ", failed);
    if (user != text.npos) set_typed_user(e, text.substr(user + 5, failed - user - 5));
    if (text.starts_with('<')) e.source_ip = given_ip(text.substr(1, std::min(text.find('>'), text.size()) - 1));
    if (const auto why = text.find(" - ", failed); why != text.npos) e.reason = closed_reason(text.substr(why + 3));
    return e.user.present() ? Fate::kept() : Fate::rejected(kNoUser);
  }
  // "first L2TP UDP packet received from 203.0.113.7", "TCP connection established from 203.0.113.7",
  // "connection established from 203.0.113.7, port: 50123 to 192.0.2.1"
  if (text.contains("packet received from ") || text.contains("connection established from ")) {
    e.event_class = Class::kHandshake;
    e.activity = Activity::kStart;
    e.service = Service::kVpn;
    e.application = core::intern(name);
    Scanner s(text);
    s.skip_past(" from ");
    s.ip(e.source_ip);
    if (s.skip(", port: ") || s.skip(':')) e.source_port = s.port();
    if (s.skip_past(" to ")) s.ip(e.destination_ip);
    return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
  }
  // IPsec's own words: "respond new phase 1 (Identity Protection): 192.0.2.1[500]<=>203.0.113.7[500]",
  // "ISAKMP-SA established 192.0.2.1[4500]-203.0.113.7[4500] spi:...", "phase1 negotiation failed due to ... 192.0.2.1
  // [500]<=>203.0.113.7[500] ..."
  const bool established = text.contains("ISAKMP-SA established");
  const bool failed = text.contains("negotiation failed") || text.contains("authorization failed");
  if (established || failed || text.contains("respond new phase 1") || text.contains("new ike2 SA (R)")) {
    e.event_class = Class::kHandshake;
    e.activity = established || failed ? Activity::kObserved : Activity::kStart;
    e.outcome = established ? Outcome::kSuccess : failed ? Outcome::kFailure : Outcome::kUnknown;
    e.service = Service::kVpn;
    e.application = core::intern(name);
    const auto open = text.find('[');
    if (open == text.npos) return Fate::ignored(kOtherVpn);
    Scanner s(text.substr(text.rfind(' ', open) + 1));
    s.ip(e.destination_ip);
    if (s.skip('[')) e.destination_port = s.port();
    s.skip(']');
    if (!s.skip("<=>")) s.skip('-');
    s.ip(e.source_ip);
    if (s.skip('[')) e.source_port = s.port();
    return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
  }
  return Fate::ignored(kOtherVpn);
}

class MikroTik final : public RecordDecoder {
 public:
  explicit MikroTik(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Line line;
    if (scan_line(r.message, line)) return true;
    core::Nanoseconds time = 0;
    std::string_view text = r.raw;
    return r.time == 0 && skip_export_time(text, time) && scan_line(text, line);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Line line;
    if (!scan_line(r.message, line)) {
      std::string_view text = r.raw;
      skip_export_time(text, e.time);
      scan_line(text, line);
    }
    e.code = core::intern(line.first);
    if (line.first == "firewall") return firewall(line.text, e);
    if (line.first == "system") return system(line.text, e);
    if (const std::string_view name = topic(line.topics, kTunnels); !name.empty()) return tunnel(line.text, name, e);
    return ignored_topic(line.first);
  }

 private:
  // "nov/22/2026 08:00:00 " and "nov/22 08:00:00 " of `/log print` and log files before 7.10; later ones write ISO
  // 8601, which the envelope reads.
  bool skip_export_time(std::string_view& text, core::Nanoseconds& time) const {
    if (text.size() < 17 || text[3] != '/') return false;
    core::CivilTime civil;
    civil.month = core::month_number(text);
    if (civil.month == 0) return false;
    Scanner s(text.substr(4));
    civil.day = static_cast<int>(s.number() % 100);
    civil.year = s.skip('/') ? static_cast<int>(s.number() % 10'000) : 0;
    if (!s.skip(' ')) return false;
    civil.hour = static_cast<int>(s.number() % 100);
    if (!s.skip(':')) return false;
    civil.minute = static_cast<int>(s.number() % 100);
    if (!s.skip(':')) return false;
    civil.second = static_cast<int>(s.number() % 100);
    if (!s.skip(' ')) return false;
    time = times_.resolve(civil);
    text = s.rest();
    return true;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_mikrotik(const core::TimeReader& times) {
  return std::make_unique<MikroTik>(times);
}

}  // namespace orbwatch::decode
