// HPE Aruba: mobility controllers, gateways and Instant access points (ArubaOS 6 to 10), AOS-CX switches, AOS-Switch
// (ProCurve) switches.
//   Nov 22 08:00:00 2026 mc1 authmgr[4211]: <522008> <4211> <NOTI> <mc1 192.0.2.10>  User Authentication Successful:
//   username=alice MAC=02:00:5e:10:00:01 IP=10.20.0.15 role=employee VLAN=20 AP=ap1 SSID=Corp AAA profile=corp auth
//   method=802.1x auth server=radius1
//   <190>1 2026-11-22T08:00:05.250Z cx1 hpe-restd 3345 - - Event|4691|LOG_INFO|UKWN|1|User admin logged in from
//   192.0.2.77 through REST session
//   <14>Nov 22 08:00:10 sw1 00419 auth:  ST1-CMDR: User 'admin' logged in from 192.0.2.77 to SSH session
//
// Source: "ArubaOS Syslog Message Reference Guide", "AOS-CX Event Log Message Reference Guide", "AOS-Switch Event Log
// Message Reference Guide" (arubanetworks.com). Sentences are told by their words, which numbers of a kind share.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::contains_ignore_case;
using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("aruba_os: no address or user");
const Symbol kNoText = core::intern("aruba_os: no text");
const Symbol kSnmp = core::intern("snmp");

enum Key : std::uint8_t {
  kActionKey,
  kDstIp,
  kDstPort,
  kIp,
  kMethod,
  kPolicy,
  kResult,
  kRole,
  kServer,
  kServerName,
  kSrcIp,
  kSrcPort,
  kUserIp,
  kUserName,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action", "dstip", "dstport", "IP", "method", "policy", "result", "role", "server",
                                  "servername", "srcip", "srcport", "userip", "username"});

using Fields = Values<kKeys>;

enum class Family : std::uint8_t { kController, kCx, kSwitch };

struct Message {
  Family family = Family::kController;
  std::string_view code;  // "522008", "4691", "00419" or ""
  std::string_view name;  // by which it is ignored: the number, of a switch the module ("ports")
  std::string_view text;
  std::string_view device;  // what the message says of the device itself
  core::Ip device_ip;
};

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// "<522008> <4211> <NOTI> <mc1 192.0.2.10>  TEXT", "<501199> <NOTI> |AP ap1@192.0.2.21 stm|  TEXT", wherever the
// envelope ends. Six digits in brackets are no priority.
bool read_controller(std::string_view raw, Message& m) {
  const std::string_view head = raw.substr(0, 160);
  std::size_t at = head.find("> ");
  while (at != head.npos && (at < 7 || head[at - 7] != '<' || !all_digits(head.substr(at - 6, 6)))) {
    at = head.find("> ", at + 1);
  }
  if (at == head.npos) return false;
  m.family = Family::kController;
  m.code = m.name = raw.substr(at - 6, 6);
  std::string_view text = core::trim(raw.substr(at + 1));
  bool bracket = false;
  while (text.starts_with('<') || text.starts_with('|') || text.starts_with("AP:")) {
    const char close = text[0] == '<' ? '>' : text[0] == '|' ? '|' : ' ';
    const auto end = text.find(close, 1);
    if (end == text.npos) return bracket;
    const std::string_view group = text.substr(1, end - 1);
    if (close == '>') {
      bracket = true;
      // "mc1 192.0.2.10"; of an access point "192.0.2.21 02:00:5e:10:00:01"
      if (const auto space = group.rfind(' '); space != group.npos) {
        m.device_ip = given_ip(group.substr(space + 1));
        if (m.device_ip.present()) {
          m.device = group.substr(0, space);
        } else {
          m.device_ip = given_ip(group.substr(0, space));
        }
      }
    }
    text = core::trim(text.substr(end + 1));
  }
  m.text = text;
  return bracket;
}

// "Event|4691|LOG_INFO|UKWN|1|TEXT"
bool read_cx(std::string_view text, Message& m) {
  if (!skip_prefix(text, "Event|")) return false;
  m.family = Family::kCx;
  m.code = m.name = core::take_until(text, '|');
  if (!all_digits(m.code) || m.code.size() > 6 || !core::take_until(text, '|').starts_with("LOG_")) return false;
  core::take_until(text, '|');  // module: AMM (the active one) ...
  core::take_until(text, '|');  // slot
  m.text = core::trim(text);
  return true;
}

// "ST1-CMDR: ", the member of a stack
bool skip_member(std::string_view& text) {
  if (!text.starts_with("ST") || text.size() < 10 || !is_digit(text[2])) return false;
  const auto end = text.find(": ");
  if (end > 9) return false;
  const std::string_view role = text.substr(0, end);
  if (!role.ends_with("-CMDR") && !role.ends_with("-STBY") && !role.ends_with("-MMBR")) return false;
  text = core::trim(text.substr(end + 2));
  return true;
}

// What two modules say is told without a number, too.
bool says_switch(std::string_view module, std::string_view text) {
  if (module == "auth") return text.starts_with("User '") || text.starts_with("Invalid user name/password on ");
  return module == "ports" && text.starts_with("port ") && (text.ends_with("-line") || text.contains(" is "));
}

// "00419 auth:  ST1-CMDR: TEXT"; without the number only with a member of a stack or known words. The envelope may have
// taken "auth:" for the tag.
bool read_switch(const TextRecord& r, Message& m) {
  std::string_view text = r.message;
  bool certain = false;
  if (text.size() > 8 && text[5] == ' ' && all_digits(text.substr(0, 5))) {
    m.code = text.substr(0, 5);
    text.remove_prefix(6);
    certain = true;
  }
  const auto colon = text.find(':');
  std::string_view behind = text;
  if (colon < 20 && colon > 0 && colon + 1 < text.size() && text[colon + 1] == ' ' &&
      text.substr(0, colon).find(' ') == text.npos && !skip_member(behind)) {
    m.name = text.substr(0, colon);
    text = core::trim(text.substr(colon + 1));
  } else if (!certain && !r.program.empty()) {
    m.name = r.program;
  } else {
    return false;
  }
  const bool member = skip_member(text);
  m.family = Family::kSwitch;
  m.text = text;
  return certain ? std::all_of(m.name.begin(), m.name.end(),
                               [](char c) {
                                 return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
                                        c == '_' || c == '.';
                               })
                 : member || says_switch(m.name, text);
}

bool read_message(const TextRecord& r, Message& m) {
  return read_cx(r.message, m) || read_controller(r.raw, m) || read_switch(r, m);
}

bool says_failure(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords = {"fail", "invalid", "reject", "denied", "not found"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return contains_ignore_case(text, word); });
}

// The word behind `words`; "" if they are not there.
std::string_view word_behind(std::string_view text, std::string_view words) {
  const auto at = text.find(words);
  if (at == text.npos) return {};
  Scanner s(text.substr(at + words.size()));
  return quoted_word(s);
}

bool put_address(std::string_view text, std::string_view words, core::Ip& ip, std::uint16_t& port) {
  const auto at = text.find(words);
  if (at == text.npos) return false;
  Scanner s(text.substr(at + words.size()));
  if (!s.ip(ip)) return false;
  if (ip == core::Ip::v4(0)) ip = {};
  if (s.skip(" port ") || s.skip(':')) port = s.port();
  return true;
}

class ArubaOs final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record, m) || m.text.empty()) return Fate::rejected(kNoText);
    e.code = core::intern(m.code);
    e.observer_ip = m.device_ip;
    if (!e.observer.present()) e.observer = core::intern(m.device);
    const Fate fate = tell(m, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static Fate other(const Message& m) {
    return json::ignored(m.family == Family::kSwitch ? "module" : "message", m.name);
  }

  // A client of the network: "User Authentication Successful: username=alice MAC=... IP=10.20.0.15 role=employee ...",
  // "username=alice MAC=... IP=... Result=Authentication Successful method=802.1x server=radius1"
  static Fate client(const Message& m, const Fields& f, Event& e) {
    const bool failed = says_failure(m.text);
    if (!failed && !contains_ignore_case(m.text, "success")) return other(m);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kOther);
    set_user(e, f[kUserName]);
    e.source_ip = given_ip(f.either(kIp, kUserIp));
    e.group = f.symbol(kRole);
    e.application = lower_symbol(f[kMethod]);
    if (failed) e.reason = core::intern("authentication failed");
    return Fate::kept();
  }

  // "User authenticated, mac-02:..., username-alice@corp.example, IP-10.20.0.15, method-802.1x, role-employee"
  static Fate instant(const Message& m, Event& e) {
    put_login(e, Outcome::kSuccess, Service::kOther);
    set_user(e, word_behind(m.text, "username-"));
    e.source_ip = given_ip(word_behind(m.text, ", IP-"));
    e.application = lower_symbol(word_behind(m.text, "method-"));
    e.group = core::intern(word_behind(m.text, "role-"));
    return Fate::kept();
  }

  // "TCP srcip=10.20.0.15 srcport=50000 dstip=198.51.100.1 dstport=80, action=deny, policy=guest-acl"
  static Fate firewall(const Message& m, const Fields& f, Event& e) {
    e.source_ip = f.ip(kSrcIp);
    e.source_port = f.port(kSrcPort);
    e.destination_ip = f.ip(kDstIp);
    e.destination_port = f.port(kDstPort);
    Scanner s(m.text);
    while (!s.done() && e.protocol == 0) {
      s.spaces();
      const std::string_view word = s.word();
      if (word.starts_with("srcip=")) break;
      e.protocol = protocol_number(word);
    }
    const std::string_view verdict = f[kActionKey];
    if (verdict.empty()) return other(m);
    e.event_class = Class::kConnection;
    e.action = verdict.starts_with("permit") || verdict.starts_with("allow") ? Action::kAllowed : Action::kDenied;
    if (e.action == Action::kAllowed) e.activity = Activity::kStart;
    e.rule = core::intern(f.either(kPolicy, kRole));
    return Fate::kept();
  }

  // "Authentication Succeeded for User admin, Logged in from 192.0.2.77 port 52123, Connecting to 192.0.2.10 port 22
  // connection type SSH", "User 'admin' logged in from 192.0.2.77 to SSH session", "Invalid user name/password on SSH
  // session User 'root' is trying to login from 203.0.113.66", "User admin logged in from 192.0.2.77 through REST
  // session"
  static Fate administrator(const Message& m, Event& e) {
    const std::string_view text = m.text;
    std::string_view name = word_behind(text, "ser '");
    if (name.empty()) name = word_behind(text, "ser ");
    if (text.contains("ser '")) {
      Scanner s(text.substr(text.find("ser '") + 4));
      name = quoted_word(s);
    }
    set_user(e, name);
    put_login(e, Outcome::kSuccess, Service::kManagement);
    put_address(text, " from ", e.source_ip, e.source_port);
    put_address(text, "onnecting to ", e.destination_ip, e.destination_port);
    for (const std::string_view kind : {"SSH", "REST", "WEB-UI", "TELNET", "HTTPS", "CONSOLE"}) {
      if (contains_ignore_case(text, kind)) {
        e.application = lower_symbol(kind);
        break;
      }
    }
    if (contains_ignore_case(text, "logged out") || contains_ignore_case(text, "timed out")) {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
    } else if (says_failure(text)) {
      e.outcome = Outcome::kFailure;
      e.reason = core::intern(contains_ignore_case(text, "invalid") ? "invalid user name or password" : "login failed");
    }
    return Fate::kept();
  }

  // The controller's own user database: "User alice Failed Authentication (Processing USER_REQUEST on UserDB)",
  // "User admin was not found in the database"
  static Fate database(const Message& m, Event& e) {
    set_user(e, word_behind(m.text, "User "));
    put_login(e, says_failure(m.text) ? Outcome::kFailure : Outcome::kSuccess, Service::kOther);
    if (e.outcome == Outcome::kFailure) {
      e.reason = core::intern(m.text.contains("not found") ? "user not found" : "authentication failed");
    }
    return Fate::kept();
  }

  static Fate tell(const Message& m, Event& e) {
    const std::string_view text = m.text;
    if (text.starts_with("Security access violation from ")) {  // what follows may be a community: a secret
      put_login(e, Outcome::kFailure, Service::kManagement);
      put_address(text, " from ", e.source_ip, e.source_port);
      e.application = kSnmp;
      e.reason = core::intern("Security access violation");
      return Fate::kept();
    }
    if (m.family == Family::kController) {
      if (text.starts_with("User authenticated, ")) return instant(m, e);
      if (text.contains("username=") || text.contains("srcip=")) {
        Fields f(kNames);
        each_pair(text, ' ', '=', [&f](std::string_view name, std::string_view value) {
          // "auth method=802.1x": two words are the name.
          for (const std::string_view word : {" auth", " AAA"}) {
            if (value.ends_with(word)) value.remove_suffix(word.size());
          }
          while (value.ends_with(',')) value.remove_suffix(1);
          f.put(name, value);
        });
        if (!f[kSrcIp].empty()) return firewall(m, f, e);
        if (contains_ignore_case(text, "authentication")) return client(m, f, e);
        return other(m);
      }
      if (text.starts_with("User ") && (contains_ignore_case(text, "authenticat") || text.contains("in the database")))
        return database(m, e);
    }
    const bool login = contains_ignore_case(text, "logged in from") || contains_ignore_case(text, "login from") ||
                       contains_ignore_case(text, "logged out");
    if (login && contains_ignore_case(text, "user ")) return administrator(m, e);
    return other(m);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_aruba_os(const core::TimeReader&) { return std::make_unique<ArubaOs>(); }

}  // namespace orbwatch::decode
