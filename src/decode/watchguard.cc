// WatchGuard Firebox (Fireware 11.12 to 12.11), syslog in the vendor's format and in LEEF as Fireware writes it.
//   <140>Nov 22 09:00:00 fb1 80BE00000001 (2026-11-22T08:00:00) firewall: msg_id="3000-0148" Deny 0-External Firebox 52
//   tcp 20 115 203.0.113.9 192.0.2.1 65006 443 offset 8 S 1826748674 win 51200 geo_src="UKR" (Unhandled External
//   Packet-00) <142>Nov 22 09:00:01 fb1 80BE00000001 (2026-11-22T08:00:01) sessiond: msg_id="3E00-0002" SSL VPN user
//   alice@RADIUS from 198.51.100.7 logged in assigned virtual IP is 10.8.0.5
//   LEEF:1.0|WatchGuard|XTM|12.8.2.B666661|30000148|policy=Out-00 disp=Allow in_if=... (tabs between)
//
// Source: "Fireware Log Catalog" 12.x (watchguard.com). Sentences are told by their words, which all numbers of a kind
// share; the number is event.code.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("watchguard: no address or user");
const Symbol kNoText = core::intern("watchguard: no text");
const Symbol kOther = core::intern("message other");

enum Key : std::uint8_t {
  kApp,
  kAppName,
  kDevTime,
  kDisp,
  kDst,
  kDstPort,
  kDuration,
  kGeoSrc,
  kHostName,
  kInIf,
  kMsg,
  kOutIf,
  kPolicy,
  kProto,
  kRcvdBytes,
  kRcvdPkts,
  kSentBytes,
  kSentPkts,
  kSrc,
  kSrcNat,
  kSrcNatOld,
  kSrcPort,
  kSrcUser,
  kSysName,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"app",      "app_name",   "devTime",    "disp",      "dst",        "dstPort",
                                  "duration", "geo_src",    "host_name",  "in_if",     "msg",        "out_if",
                                  "policy",   "proto",      "rcvd_bytes", "rcvd_pkts", "sent_bytes", "sent_pkts",
                                  "src",      "srcPostNAT", "src_ip_nat", "srcPort",   "src_user",   "sys_name"});

using Fields = Values<kKeys>;

struct Message {
  std::string_view code;  // "3000-0148", "30000148"
  std::string_view time;  // in UTC
  std::string_view text;  // the sentence, or LEEF's attributes
  bool leef = false;
};

// "[LEEF:]1.0|WatchGuard|XTM|VERSION|NUMBER|ATTRIBUTES"; some collectors cut off the first word.
bool read_leef(std::string_view text, Message& m) {
  skip_prefix(text, "LEEF:");
  if (!skip_prefix(text, "1.0|WatchGuard|") && !skip_prefix(text, "2.0|WatchGuard|")) return false;
  core::take_until(text, '|');
  core::take_until(text, '|');
  m.code = core::take_until(text, '|');
  m.text = text;
  m.leef = true;
  return !m.code.empty() && m.code.size() <= 9;
}

// "[SERIAL] [(TIME)] PROCESS[PID]: msg_id="3000-0148" TEXT"
bool read_syslog(const TextRecord& r, Message& m) {
  std::string_view text = r.message;
  const auto id = text.substr(0, 160).find("msg_id=\"");
  if (id == text.npos) return false;
  const std::string_view before = core::trim(text.substr(0, id));
  if (!before.empty() && !before.ends_with(':')) return false;
  if (const auto open = before.find('('); open != before.npos) {
    m.time = before.substr(open + 1, before.find(')', open) - open - 1);
  }
  text.remove_prefix(id + 8);
  m.code = text.substr(0, text.find('"'));
  if (m.code.size() != 9 || m.code[4] != '-') return false;
  text.remove_prefix(std::min<std::size_t>(10, text.size()));
  m.text = core::trim(text);
  return true;
}

bool read_message(const TextRecord& r, Message& m) { return read_leef(r.message, m) || read_syslog(r, m); }

// Attributes of LEEF, set apart by tabs; rsyslog writes a tab as "#011".
void read_attributes(std::string_view text, Fields& f) {
  while (!text.empty()) {
    const auto tab = std::min(text.find('\t'), text.find("#011"));
    std::string_view pair = text.substr(0, tab);
    text = tab == text.npos ? std::string_view{} : text.substr(tab + (text[tab] == '\t' ? 1 : 4));
    const std::string_view name = core::take_until(pair, '=');
    f.put(name, core::trim(pair));
  }
}

AuthMethod method_of(std::string_view server) {
  if (server == "Firebox-DB") return AuthMethod::kPassword;
  if (core::contains_ignore_case(server, "radius") || core::contains_ignore_case(server, "authpoint"))
    return AuthMethod::kRadius;
  if (core::contains_ignore_case(server, "ldap")) return AuthMethod::kLdap;
  if (core::contains_ignore_case(server, "saml")) return AuthMethod::kSaml;
  return AuthMethod::kUnknown;
}

// "alice@corp.example@RADIUS": what stands behind the last "@" is the authentication server.
void put_account(std::string_view text, Event& e) {
  while (text.starts_with('[')) text.remove_prefix(1);
  while (text.ends_with(']')) text.remove_suffix(1);
  if (text.starts_with('<')) {  // "<missing user name>@Firebox-DB"
    text.remove_prefix(std::min(text.find('@'), text.size()));
  }
  if (const auto at = text.rfind('@'); at != text.npos) {
    const std::string_view server = text.substr(at + 1);
    e.group = core::intern(server);
    e.auth_method = method_of(server);
    text = text.substr(0, at);
  }
  if (!text.empty()) set_user(e, text);
}

Service service_of(std::string_view kind) {
  if (core::contains_ignore_case(kind, "VPN") || core::contains_ignore_case(kind, "IKEv2") ||
      core::contains_ignore_case(kind, "L2TP") || core::contains_ignore_case(kind, "IPSec") ||
      core::contains_ignore_case(kind, "Access Portal")) {
    return Service::kVpn;
  }
  if (core::contains_ignore_case(kind, "WSM") || core::contains_ignore_case(kind, "management") ||
      core::contains_ignore_case(kind, "admin") || core::contains_ignore_case(kind, "device")) {
    return Service::kManagement;
  }
  return Service::kOther;
}

class WatchGuard final : public RecordDecoder {
 public:
  explicit WatchGuard(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record, m) || core::trim(m.text).empty()) return Fate::rejected(kNoText);
    put_code(m.code, e);
    std::string_view clock = m.time;
    if (const auto time = core::parse_iso8601(clock, utc_)) e.time = *time;
    Fields f(kNames);
    std::string_view sentence = m.text;
    if (m.leef) {
      read_attributes(m.text, f);
      put_leef_time(f[kDevTime], e);
      if (const std::string_view host = f.either(kHostName, kSysName); !host.empty()) e.observer = core::intern(host);
      sentence = f[kMsg];
    }
    const Fate fate = m.leef && !f[kDisp].empty() ? leef_traffic(f, e) : tell(sentence, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // LEEF leaves out the dash of "3000-0148".
  static void put_code(std::string_view code, Event& e) {
    std::array<char, 16> name;
    if (code.size() == 8) {
      char* p = std::copy_n(code.begin(), 4, name.data());
      *p++ = '-';
      std::copy_n(code.data() + 4, 4, p);
      code = {name.data(), 9};
    }
    e.code = core::intern(code);
  }

  // "Nov 22 2026 09:00:00 +0100"
  void put_leef_time(std::string_view text, Event& e) const {
    std::string_view rest = text;
    const auto time = core::parse_bsd(rest, utc_);
    if (!time) return;
    e.time = *time;
    rest = core::trim(rest);
    if (rest.size() < 5 || (rest[0] != '+' && rest[0] != '-')) return;
    const auto hours = core::parse_number<int>(rest.substr(1, 2));
    const auto minutes = core::parse_number<int>(rest.substr(3, 2));
    if (!hours || !minutes || *hours > 14 || *minutes > 59) return;
    const core::Nanoseconds offset = *hours * core::kHour + *minutes * core::kMinute;
    e.time += rest[0] == '+' ? -offset : offset;
  }

  static void put_counters(const Fields& f, Event& e) {
    e.source_bytes = f.number(kSentBytes);
    e.destination_bytes = f.number(kRcvdBytes);
    e.source_packets = f.number(kSentPkts);
    e.destination_packets = f.number(kRcvdPkts);
    e.duration = seconds(f.number(kDuration));
    e.region = f.symbol(kGeoSrc);
    e.application = lower_symbol(f.either(kApp, kAppName));
    if (const core::Ip nat = given_ip(f.either(kSrcNat, kSrcNatOld)); nat != e.source_ip) e.assigned_ip = nat;
    if (!f[kSrcUser].empty()) {
      const auto method = e.auth_method;
      put_account(f[kSrcUser], e);
      e.auth_method = method;  // the user's log-in is not what this record is about
    }
    // A connection that ended states how long it took.
    if (e.action == Action::kAllowed) e.activity = f[kDuration].empty() ? Activity::kStart : Activity::kEnd;
  }

  static bool put_verdict(std::string_view word, Event& e) {
    e.event_class = Class::kConnection;
    if (word.starts_with("Allow") || word.starts_with("ProxyAllow")) {
      e.action = Action::kAllowed;
    } else if (word.starts_with("Deny") || word.starts_with("ProxyDeny") || word.starts_with("ProxyDrop") ||
               word.starts_with("Drop") || word.starts_with("Block")) {
      e.action = Action::kDenied;
    } else {
      return false;
    }
    return true;
  }

  static Fate leef_traffic(const Fields& f, Event& e) {
    if (!put_verdict(f[kDisp], e)) return Fate::ignored("verdict other");
    e.source_ip = f.ip(kSrc);
    e.source_port = f.port(kSrcPort);
    e.destination_ip = f.ip(kDst);
    e.destination_port = f.port(kDstPort);
    e.protocol = protocol_number(f[kProto]);
    e.ingress = f.symbol(kInIf);
    e.egress = f.symbol(kOutIf);
    e.rule = f.symbol(kPolicy);
    put_counters(f, e);
    if (e.action == Action::kDenied) e.reason = closed_reason(f[kMsg]);
    return Fate::kept();
  }

  // "Deny 0-External Firebox 52 tcp 20 115 203.0.113.9 192.0.2.1 65006 443 offset 8 S ... key="value" (POLICY-00)",
  // "Allow 1-Trusted 0-External tcp 10.0.0.5 198.51.100.1 51062 443 msg="..." (HTTP-proxy-00)". Names of interfaces may
  // hold spaces: the pair of addresses is the anchor.
  static Fate traffic(std::string_view text, Event& e) {
    std::array<std::string_view, 48> word;
    std::size_t count = 0;
    for (std::string_view rest = text; !rest.empty() && count < word.size();) {
      const std::string_view next = core::take_until(rest, ' ');
      if (!next.empty()) word[count++] = next;
    }
    std::size_t source = 0;
    for (std::size_t i = 2; i + 1 < count && source == 0; ++i) {
      const auto from = core::Ip::parse(word[i]);
      const auto to = from ? core::Ip::parse(word[i + 1]) : std::nullopt;
      if (!to) continue;
      source = i;
      e.source_ip = *from;
      e.destination_ip = *to;
    }
    if (source == 0) return Fate::ignored("traffic without addresses");
    std::size_t before = source - 1;
    while (before > 1 && protocol_number(word[before]) == 0) --before;
    while (before > 1 && is_digit(word[before][0])) --before;  // header length and TTL are numbers, too
    e.protocol = protocol_number(word[before]);
    std::size_t names_end = before;
    if (names_end > 2 && is_digit(word[names_end - 1][0]) && word[names_end - 1].find('-') == std::string_view::npos)
      --names_end;  // the packet's length
    if (names_end >= 3) {
      const char* const begin = word[1].data();
      const std::string_view last = word[names_end - 2];
      e.ingress = core::intern({begin, static_cast<std::size_t>(last.data() + last.size() - begin)});
      e.egress = core::intern(word[names_end - 1]);
    }
    if (e.protocol == 6 || e.protocol == 17) {
      if (source + 2 < count) e.source_port = core::parse_number<std::uint16_t>(word[source + 2]).value_or(0);
      if (source + 3 < count) e.destination_port = core::parse_number<std::uint16_t>(word[source + 3]).value_or(0);
    }
    Fields f(kNames);
    f.read(text, ' ');
    put_counters(f, e);
    if (e.action == Action::kDenied) e.reason = closed_reason(f[kMsg]);
    const auto open = text.rfind('(');
    if (open != text.npos && text.ends_with(')')) e.rule = core::intern(text.substr(open + 1, text.size() - open - 2));
    return Fate::kept();
  }

  // "KIND user NAME from ADDRESS REST": kind, name, address and the rest; false if the sentence is another.
  static bool user_from(std::string_view text, std::string_view& kind, std::string_view& rest, Event& e) {
    const auto user = std::min(text.find(" user "), text.find(" User "));
    if (user == text.npos) return false;
    kind = text.substr(0, user);
    const std::string_view behind = text.substr(user + 6);
    const auto from = behind.find(" from ");
    if (from == behind.npos) return false;
    put_account(core::trim(behind.substr(0, from)), e);
    Scanner s(behind.substr(from + 6));
    s.ip(e.source_ip);
    rest = s.rest();
    e.application = lower_symbol(kind.substr(kind.starts_with("Authentication of ") ? 18 : 0));
    return true;
  }

  static Fate tell(std::string_view text, Event& e) {
    if (put_verdict(text.substr(0, text.find(' ')), e)) return traffic(text, e);
    std::string_view kind;
    std::string_view rest;
    if (!user_from(text, kind, rest, e)) return other(e.code.text());
    const Service service = service_of(kind);
    const auto has = [&](std::string_view word) { return rest.contains(word); };
    if (has("logged in")) {
      put_login(e, Outcome::kSuccess, service);
      if (const auto at = rest.find("virtual IP is "); at != rest.npos) {
        Scanner s(rest.substr(at + 14));
        s.ip(e.assigned_ip);
      }
    } else if (has("logged out")) {
      put_login(e, Outcome::kUnknown, service);
      e.activity = Activity::kLogoff;
      if (const auto at = rest.find("virtual IP is "); at != rest.npos) {
        Scanner s(rest.substr(at + 14));
        s.ip(e.assigned_ip);
      }
    } else if (has("was accepted")) {
      // The authentication server's answer; the log-in itself follows.
      put_login(e, Outcome::kSuccess, service);
      e.activity = Activity::kObserved;
    } else if (has("was rejected") || has("denied") || has("failed")) {
      put_login(e, Outcome::kFailure, service);
      const auto why = std::min(rest.find(" - "), rest.find(", "));
      e.reason = closed_reason(why == rest.npos ? std::string_view("rejected") : rest.substr(why + 2));
    } else {
      return other(e.code.text());
    }
    return Fate::kept();
  }

  // "message 1600-0065"
  static Fate other(std::string_view code) {
    if (code.size() != 9) return Fate::ignored(kOther);
    const bool plain =
        std::all_of(code.begin(), code.end(), [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F') || c == '-'; });
    if (!plain) return Fate::ignored(kOther);
    std::array<char, 17> name;
    char* p = std::copy_n("message ", 8, name.data());
    std::copy(code.begin(), code.end(), p);
    return Fate::ignored({name.data(), name.size()});
  }

  core::TimeReader times_;
  core::TimeReader utc_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_watchguard(const core::TimeReader& times) {
  return std::make_unique<WatchGuard>(times);
}

}  // namespace orbwatch::decode
