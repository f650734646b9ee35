// Cisco Identity Services Engine (ISE) and its predecessor, Secure Access Control System (ACS): who was let in through
// RADIUS and TACACS+, their sessions, log-ins of the engine's own administrators. Remote syslog and the local store.
//
// Sources: "Cisco ISE Syslogs" (introduction: message formats), message catalogue and attributes of ISE 2.x and 3.x;
// "User Guide for Cisco Secure ACS 5.8", logging.
//   <181>Nov 22 08:00:00 ise1 CISE_Passed_Authentications 0000083423 1 0 2026-11-22 08:00:00.978 +00:00 0000083490 5200
//   NOTICE Passed-Authentication: Authentication succeeded, ConfigVersionId=1, UserName=alice, ...
//   <182>Nov 22 08:00:01 ise1 CISE_RADIUS_Accounting 0000070618 2 0 2026-11-22 08:00:01.028 +00:00 0091827141 3000
//   NOTICE Radius-Accounting: RADIUS Accounting start request, ..., Acct-Status-Type=Start, ... <182>Nov 22 08:00:01
//   ise1 CISE_RADIUS_Accounting 0000070618 2 1  Step=11004, Step=11017, ...
// A message that is longer than the syslog target's limit comes in several parts (number of parts, number of this one).
// The first holds the header and the attributes of the request, and is read; the others are ignored by name. So are
// devices that are let in by their hardware address, and every other message ("message 5233").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/radius.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kNobody = core::intern("cisco_ise: neither user nor address");
const Symbol kNoHeader = core::intern("cisco_ise: header is cut");
const Symbol kLaterPart = core::intern("later part of a message");
const Symbol kDevice = core::intern("device by its hardware address");
const Symbol kTacacs = core::intern("tacacs");
const Symbol kRadius = core::intern("radius");
const Symbol kSsh = core::intern("ssh");
const Symbol kNoRemoteUser = core::intern("administrator event without user");

enum Key : std::uint8_t {
  kUserName,
  kUser,
  kDeviceAddress,
  kDeviceName,
  kRemoteAddress,
  kFailureReason,
  kMethod,
  kEap,
  kUseCase,
  kAdminName,
  kAdminAddress,
  kMessageText,
  kPortalAddress,
  kSession,
  kKeys
};

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{
    "UserName", "User", "Device IP Address", "NetworkDeviceName", "Remote-Address", "FailureReason",
    "AuthenticationMethod", "EapAuthentication", "UseCase", "AdminName", "AdminIPAddress", "OperationMessageText",
    "IpAddress", "CPMSessionID"});

// AVPair= of TACACS+ accounting.
struct Tacacs {
  std::string_view elapsed;
  std::string_view task;

  void put(std::string_view pair) {
    if (skip_prefix(pair, "elapsed_time=")) elapsed = pair;
    if (skip_prefix(pair, "task_id=")) task = pair;
  }
};

struct Attributes {
  Values<kKeys> values{kNames};
  RadiusAttributes radius;
  Tacacs tacacs;

  // ", Name=value, Name=value,": a comma within a value has a backslash before it. Names may hold spaces.
  explicit Attributes(std::string_view text) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && text[i] == '\\') {
        ++i;
        continue;
      }
      if (i < text.size() && text[i] != ',') continue;
      const std::string_view pair = core::trim(text.substr(begin, i - begin));
      begin = i + 1;
      const auto equals = pair.find('=');
      if (equals == pair.npos) continue;
      const std::string_view name = core::trim(pair.substr(0, equals));
      const std::string_view value = core::trim(pair.substr(equals + 1));
      if (name == "AVPair") {
        tacacs.put(value);
      } else {
        values.put(name, value);
        radius.put(name, value);
      }
    }
  }
};

// What stands before the attributes.
struct Header {
  core::Nanoseconds time = 0;
  std::string_view code;
  std::string_view kind;  // "Passed-Authentication"
  std::string_view text;  // "Authentication succeeded"
  std::string_view attributes;
  bool later_part = false;
};

std::string_view digits_word(Scanner& s, std::size_t least, std::size_t most) {
  const std::string_view word = s.word();
  const bool good = word.size() >= least && word.size() <= most && std::all_of(word.begin(), word.end(), is_digit);
  return good ? word : std::string_view();
}

bool is_severity(std::string_view word) {
  constexpr std::array<std::string_view, 6> kWords = {"NOTICE", "INFO", "WARN", "ERROR", "DEBUG", "FATAL"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// "2026-11-22 08:00:00.978 +00:00 0000083490 5200 NOTICE Passed-Authentication: Authentication succeeded, Name=value,"
// `sure` if a category stands before it: purges are logged without the number.
bool message_of(std::string_view text, const core::TimeReader& times, bool sure, Header& out) {
  Scanner s(text);
  const auto time = scan_time(s, times);
  if (!time) return false;
  out.time = *time;
  s.spaces();
  out.code = digits_word(s, 4, 20);
  if (out.code.size() >= 10) {
    s.spaces();
    out.code = digits_word(s, 4, 6);
  } else if (!sure) {
    return false;
  }
  s.spaces();
  if (out.code.empty() || !is_severity(s.word())) return false;
  s.spaces();
  out.kind = s.until_any(":,");
  if (!s.skip(':')) return false;
  s.spaces();
  out.text = core::trim(s.until(','));
  out.attributes = s.rest();
  return true;
}

// "0000083423 1 0 2026-11-22 ...": number of the message, parts, this part.
bool header_of(std::string_view text, const core::TimeReader& times, bool sure, Header& out) {
  Scanner s(text);
  s.spaces();
  const std::string_view number = digits_word(s, 10, 10);
  if (number.empty() || !s.skip(' ')) return sure && message_of(text, times, sure, out);
  const std::string_view parts = digits_word(s, 1, 3);
  if (parts.empty() || !s.skip(' ')) return false;
  const std::string_view part = digits_word(s, 1, 3);
  if (part.empty() || !s.skip(' ')) return false;
  if (part == "0") {
    s.spaces();
    return message_of(s.rest(), times, sure, out);
  }
  // Without a category in front little tells it from other numbers: this one is padded with zeros.
  out.later_part = sure || (number[0] == '0' && s.rest().contains('='));
  return out.later_part;
}

// "CISE_Passed_Authentications", "CSCOacs_Failed_Attempts".
bool is_category(std::string_view word) { return word.starts_with("CISE_") || word.starts_with("CSCOacs_"); }

// The category of a record, "" if it has none; `rest` is what stands behind it.
std::string_view category_of(const TextRecord& r, std::string_view& rest) {
  rest = r.message;
  if (is_category(r.program)) return r.program;
  if (!is_category(rest)) return {};
  const std::string_view word = core::take_until(rest, ' ');
  return word.ends_with(':') ? word.substr(0, word.size() - 1) : word;
}

Outcome outcome_of(std::string_view text) {
  if (core::contains_ignore_case(text, "fail") || text.contains("unsuccessful") || text.contains("Rejected") ||
      text.contains("locked") || text.contains("disabled"))
    return Outcome::kFailure;
  if (core::contains_ignore_case(text, "succe") || text.contains("logged in") || text.contains("Passed"))
    return Outcome::kSuccess;
  return Outcome::kUnknown;
}

bool is_logoff(std::string_view text) {
  return text.contains("logged off") || text.contains("logged out") || text.contains("session timeout");
}

// What ISE writes where it hides a name that it does not know.
void put_user(Event& e, std::string_view name) {
  if (name != "INVALID" && name != "USERNAME") put_radius_user(e, name);
}

AuthMethod method_of(const Attributes& a) {
  const std::string_view eap = a.values[kEap];
  if (eap.contains("TLS")) return AuthMethod::kCertificate;
  const std::string_view method = a.values[kMethod];
  if (eap.contains("MSCHAP") || eap.contains("GTC") || method.contains("PAP") || method.contains("CHAP"))
    return AuthMethod::kPassword;
  return AuthMethod::kUnknown;
}

// The ends of what came by RADIUS.
void put_radius(const Attributes& a, Event& e) {
  a.radius.put_ends(e);
  if (!e.destination_ip.present()) e.destination_ip = a.values.ip(kDeviceAddress);
  if (!a.values[kDeviceName].empty()) e.destination_name = a.values.symbol(kDeviceName);
  e.application = kRadius;
  put_user(e, a.values[kUserName].empty() ? a.radius[RadiusAttributes::kUserName] : a.values[kUserName]);
  // The same in the log-in and in the accounting of a session; devices give others to the latter alone.
  if (!a.radius.has_audit_session() && !a.values[kSession].empty()) e.session_id = core::hash64(a.values[kSession]);
}

// The same of TACACS+: somebody who manages a device.
void put_tacacs(const Attributes& a, Event& e) {
  e.service = Service::kManagement;
  e.application = kTacacs;
  e.source_ip = a.values.ip(kRemoteAddress);
  e.destination_ip = a.values.ip(kDeviceAddress);
  e.destination_name = a.values.symbol(kDeviceName);
  put_user(e, a.values.either(kUserName, kUser));
}

bool is_device(const Attributes& a) {
  return a.radius[RadiusAttributes::kServiceType] == "Call Check" || a.values[kUseCase] == "Host Lookup" ||
         is_hardware_address(a.values[kUserName]) || is_hardware_address(a.radius[RadiusAttributes::kUserName]);
}

Fate someone(const Event& e) {
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
}

void put_reason(const Header& h, const Attributes& a, Event& e) {
  if (e.outcome == Outcome::kFailure)
    e.reason = closed_reason(a.values[kFailureReason].empty() ? h.text : a.values[kFailureReason]);
}

Fate login(const Header& h, Outcome outcome, Event& e) {
  const Attributes a(h.attributes);
  // A guest portal knows the client's address, RADIUS and TACACS+ only what the device said.
  const bool portal = !a.values[kPortalAddress].empty();
  if (!portal && is_device(a)) return Fate::ignored(kDevice);
  put_login(e, outcome, Service::kOther);
  if (portal) {
    e.service = Service::kWeb;
    e.source_ip = a.values.ip(kPortalAddress);
    put_user(e, a.values[kUserName]);
  } else if (!a.values[kRemoteAddress].empty() || h.code == "5201" || h.code == "5401") {
    put_tacacs(a, e);
  } else {
    put_radius(a, e);
  }
  e.auth_method = method_of(a);
  if (e.auth_method == AuthMethod::kUnknown && e.application == kRadius) e.auth_method = AuthMethod::kRadius;
  put_reason(h, a, e);
  return someone(e);
}

Fate radius_accounting(const Header& h, Event& e) {
  const Attributes a(h.attributes);
  if (is_device(a)) return Fate::ignored(kDevice);
  put_radius(a, e);
  if (!a.radius.put_accounting(e)) return json::ignored("message", h.code);
  e.application = kRadius;
  return someone(e);
}

Fate tacacs_accounting(const Header& h, Activity activity, Event& e) {
  const Attributes a(h.attributes);
  put_session(e, activity);
  put_tacacs(a, e);
  e.duration = seconds(core::parse_number<std::uint64_t>(a.tacacs.elapsed).value_or(0));
  if (!a.tacacs.task.empty()) e.session_id = core::hash64(a.tacacs.task);
  return someone(e);
}

// "Failed password for root from 192.0.2.7 port 36661 ssh2", "Accepted password for admin from ...".
void put_ssh(std::string_view text, Event& e) {
  const auto begin = text.find(" for ");
  const auto end = text.rfind(" from ");  // a name may hold the word
  if (begin == text.npos || end == text.npos || end < begin + 5) return;
  std::string_view name = text.substr(begin + 5, end - begin - 5);
  skip_prefix(name, "invalid user ");
  put_user(e, name);
  Scanner s(text.substr(end + 6));
  if (!s.ip(e.source_ip)) return;
  if (s.skip(" port ")) e.source_port = s.port();
  e.application = kSsh;
  if (text.contains("password")) e.auth_method = AuthMethod::kPassword;
  if (text.contains("publickey")) e.auth_method = AuthMethod::kPublicKey;
}

// An administrator of ISE itself, or a user of one of its portals.
Fate own_login(const Header& h, Event& e) {
  const bool ended = is_logoff(h.text);
  const Outcome outcome = ended ? Outcome::kUnknown : outcome_of(h.text);
  if (!ended && outcome == Outcome::kUnknown) return json::ignored("message", h.code);
  const Attributes a(h.attributes);
  put_login(e, outcome, h.kind == "Administrator-Login" ? Service::kManagement : Service::kWeb);
  if (ended) e.activity = Activity::kLogoff;
  e.source_ip = a.values.ip(a.values[kAdminAddress].empty() ? kPortalAddress : kAdminAddress);
  put_user(e, a.values.either(kAdminName, kUserName));
  if (!e.user.present() && !e.source_ip.present()) put_ssh(a.values[kMessageText], e);
  if (!e.user.present() && !e.source_ip.present()) return Fate::ignored(kNoRemoteUser);
  put_reason(h, a, e);
  return Fate::kept();
}

struct Message {
  std::string_view code;
  Outcome outcome;
};

// Decisions about somebody who wants to come in. Others of the same categories tell of retries, downloads and drops.
constexpr std::array kLogins = {
    Message{"5200", Outcome::kSuccess}, Message{"5201", Outcome::kSuccess}, Message{"5231", Outcome::kSuccess},
    Message{"5236", Outcome::kSuccess}, Message{"5237", Outcome::kSuccess}, Message{"5400", Outcome::kFailure},
    Message{"5401", Outcome::kFailure}, Message{"5412", Outcome::kFailure}, Message{"5418", Outcome::kFailure},
    Message{"5422", Outcome::kFailure}, Message{"5423", Outcome::kFailure}, Message{"5434", Outcome::kFailure},
    Message{"5449", Outcome::kFailure},
};

class CiscoIse final : public RecordDecoder {
 public:
  explicit CiscoIse(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view rest;
    if (!category_of(r, rest).empty()) return true;
    Header header;
    if (!rest.empty() && is_digit(rest[0]) && r.time == 0 && header_of(rest, times_, false, header)) return true;
    return is_local(r, header);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view rest;
    const std::string_view category = category_of(r, rest);
    Header h;
    if (!header_of(rest, times_, !category.empty(), h) && !is_local(r, h)) {
      // "CISE_Alarm WARN: ...": text for people.
      if (rest.empty() || !is_digit(rest[0])) return Fate::ignored(core::intern(category.substr(0, 48)));
      return Fate::rejected(kNoHeader);
    }
    if (h.later_part) return Fate::ignored(kLaterPart);
    if (is_local(r, h)) e.observer = {};  // what looks like a host is the message's number
    e.time = h.time;
    e.code = core::intern(h.code);
    return message(h, e);
  }

 private:
  // The local store has no envelope: what was taken for one are the message's own time and number.
  bool is_local(const TextRecord& r, Header& out) const {
    return r.time != 0 && !r.raw.empty() && is_digit(r.raw[0]) && r.message.size() > 4 && is_digit(r.message[0]) &&
           message_of(r.raw, times_, false, out);
  }

  static Fate message(const Header& h, Event& e) {
    for (const Message& m : kLogins) {
      if (m.code == h.code) return login(h, m.outcome, e);
    }
    if (h.kind == "Radius-Accounting") return radius_accounting(h, e);
    if (h.code == "3301") return tacacs_accounting(h, Activity::kStart, e);
    if (h.code == "3302") return tacacs_accounting(h, Activity::kEnd, e);
    // A command, or the permission to give one: the session goes on.
    if (h.code == "3300" || h.code == "3303" || h.code == "5202" || h.code == "5203")
      return tacacs_accounting(h, Activity::kUpdate, e);
    if (h.kind == "Administrator-Login" || h.kind == "MyDevices") return own_login(h, e);
    return json::ignored("message", h.code);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cisco_ise(const core::TimeReader& times) {
  return std::make_unique<CiscoIse>(times);
}

}  // namespace orbwatch::decode
