#include "decode/common_record.h"

#include <algorithm>
#include <initializer_list>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/name_key.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::Ip;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Event;
using event::Outcome;
using event::Service;

using List = std::initializer_list<std::string_view>;

// An alert read back from a SIEM names people and addresses, but nobody has logged in again.
const Symbol kOwnAlert = core::intern("alert of orbwatch");
const Symbol kNobody = core::intern("log-in without user and address");
const Symbol kNoEnds = core::intern("session without user and address");

// Lower case, at most 256 bytes.
class Lower {
 public:
  void add(std::string_view text) {
    if (text.empty()) return;
    if (size_ < buffer_.size()) buffer_[size_++] = ' ';
    for (const char c : text.substr(0, buffer_.size() - size_)) {
      buffer_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
  }
  std::string_view text() const { return {buffer_.data(), size_}; }
  bool has(List words) const {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text().contains(word); });
  }

 private:
  std::array<char, 256> buffer_;
  std::size_t size_ = 0;
};

Outcome outcome_of(const Lower& words) {
  if (words.has({"fail", "denied", "deny", "reject", "invalid", "unsuccess", "error", "locked", "missed", "incorrect",
                 "refused", "not allowed", "disabled", "wrong", "bad ", "false"})) {
    return Outcome::kFailure;
  }
  if (words.has({"success", "succe", "accept", "allow", "granted", "passed", "permit", "logged in", "logged on",
                 "signed in", "accessed", "true"})) {
    return Outcome::kSuccess;
  }
  return Outcome::kUnknown;
}

Action action_of(std::string_view text) {
  Lower words;
  words.add(text);
  if (words.text().empty()) return Action::kNone;
  if (words.has({"not blocked"})) return Action::kAllowed;
  if (words.has({"den", "drop", "block", "reject", "discard", "reset", "refus", "prevent", "quarantin"}))
    return Action::kDenied;
  // The firewalls' words for how an allowed connection ended are verdicts, too.
  if (words.has({"allow", "accept", "pass", "permit", "close", "timeout", "rst", "start", "forward", "detect", "alert",
                 "redirect", "monitor", "encrypt", "decrypt", "ip-conn", "dns"}))
    return Action::kAllowed;
  return Action::kNone;
}

AuthMethod method_of(std::string_view text) {
  Lower words;
  words.add(text);
  if (words.text().empty()) return AuthMethod::kUnknown;
  if (words.has({"saml"})) return AuthMethod::kSaml;
  if (words.has({"radius"})) return AuthMethod::kRadius;
  if (words.has({"ldap"})) return AuthMethod::kLdap;
  if (words.has({"kerberos"})) return AuthMethod::kKerberos;
  if (words.has({"ntlm"})) return AuthMethod::kNtlm;
  if (words.has({"cert"})) return AuthMethod::kCertificate;
  if (words.has({"publickey", "public key"})) return AuthMethod::kPublicKey;
  if (words.has({"password", "local"})) return AuthMethod::kPassword;
  return AuthMethod::kOther;
}

Direction direction_of(std::string_view text, std::string_view from, std::string_view to) {
  const auto inside = [](std::string_view role) { return role == "lan" || role == "dmz"; };
  if (from == "wan" && inside(to)) return Direction::kInbound;
  if (inside(from) && to == "wan") return Direction::kOutbound;
  if (inside(from) && inside(to)) return Direction::kInternal;
  if (text == "0" || core::equals_ignore_case(text, "inbound") || core::equals_ignore_case(text, "incoming"))
    return Direction::kInbound;
  if (core::equals_ignore_case(text, "internal")) return Direction::kInternal;
  if (text == "1" || core::equals_ignore_case(text, "outbound") || core::equals_ignore_case(text, "outgoing"))
    return Direction::kOutbound;
  return Direction::kUnknown;
}

Service service_of(const CommonRecord& r, bool vpn, bool management) {
  if (vpn) return Service::kVpn;
  Lower application;
  application.add(r[Says::kApplication].empty() ? r[Says::kAccess] : r[Says::kApplication]);
  if (management) return Service::kManagement;
  if (application.has({"ssh"})) return Service::kSsh;
  if (application.has({"rdp", "terminal"})) return Service::kRdp;
  if (application.has({"http"})) return Service::kWeb;
  return Service::kOther;
}

std::uint64_t number(std::string_view text) { return core::parse_number<std::uint64_t>(text).value_or(0); }

// "tcp", "6", SonicWall's "tcp/https".
std::uint8_t protocol_of(std::string_view text) { return protocol_number(text.substr(0, text.find('/'))); }

// Names like "tcp/65359" say the port again. SonicWall's protocol may name the service.
std::string_view application_of(const CommonRecord& r) {
  std::string_view name = r[Says::kApplication];
  if (name.empty() && r[Says::kProtocol].contains('/')) {
    name = r[Says::kProtocol];
    core::take_until(name, '/');
  }
  return name.contains('/') || core::parse_number<std::uint32_t>(name) ? std::string_view{} : name;
}

void put_user(Event& event, std::string_view name, std::string_view domain) {
  set_user(event, name);
  if (event.user.present() && !event.user_domain.present()) event.user_domain = core::intern(domain);
}

// By what vendors say that there is no value.
bool is_nothing(std::string_view value) {
  switch (value.size()) {
    case 1: return value == "-";
    case 2: return value == "NA";
    case 3: return value == "N/A" || value == "n/a";
    case 4: return value == "none" || value == "None" || value == "null";
    case 7: return value == "unknown" || value == "0.0.0.0";
    default: return false;
  }
}

// The fields whose words say what a record is.
constexpr std::array kWordFields = {Says::kName,    Says::kId,     Says::kCategory,
                                    Says::kSubtype, Says::kAction, Says::kOutcome};

// Tells records with other words in those fields apart; only within this process.
std::uint64_t hash_of_words(const CommonRecord& r) {
  constexpr std::uint64_t kOdd = 0xff51afd7ed558ccdULL;
  std::uint64_t hash = 0;
  const auto add = [&](std::uint64_t word) {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 29;
  };
  for (const Says what : kWordFields) {
    std::string_view text = r[what];
    add(text.size());
    for (; text.size() > 8; text.remove_prefix(8)) add(NameKey::of(text.substr(0, 8)).first);
    add(NameKey::of(text).first);
  }
  return hash;
}

Fate other(const CommonRecord& r) {
  std::array<char, 64> buffer;
  std::size_t used = 0;
  const auto add = [&](std::string_view text) {
    for (const char c : text.substr(0, buffer.size() - used)) {
      // Names of products are words; numbers in them are versions and serials.
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ((c == ' ' || c == '-' || c == '&') && used != 0))
        buffer[used++] = c;
    }
  };
  add("other record of ");
  add(r[Says::kVendor].substr(0, 20));
  add(" ");
  add(r[Says::kProduct].substr(0, 24));
  while (used != 0 && buffer[used - 1] == ' ') --used;
  return Fate::ignored(std::string_view(buffer.data(), used));
}

}  // namespace

void CommonRecord::set(Says what, std::string_view value) {
  std::string_view& place = values_[static_cast<std::size_t>(what)];
  if (!place.empty()) return;
  value = core::trim(value);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  if (!is_nothing(value)) place = value;
}

void CommonRecord::replace(Says what, std::string_view value) {
  std::string_view& place = values_[static_cast<std::size_t>(what)];
  const std::string_view before = place;
  place = {};
  set(what, value);
  if (place.empty()) place = before;
}

const CommonReader::Words& CommonReader::read_words(const CommonRecord& r) {
  const std::uint64_t hash = hash_of_words(r);
  Words& words = judged_[hash % judged_.size()];
  if (words.hash == hash && hash != 0) return words;
  Lower text;
  for (const Says what : kWordFields) text.add(r[what]);
  words = Words{};
  words.hash = hash;
  text.add(" ");  // so that the last word ends, too
  words.alert = text.has({"utm", "threat", "anomaly", "intrusion", "attack", "virus", "malware", "spyware", "detect",
                          "violation", "vulnerab", "wildfire"});
  words.traffic = words.alert || text.has({"traffic", "connection"});
  words.logout =
      text.has({"logout", "logoff", "log out", "log off", "logged out", "logged off", "signed out", "sign out"});
  words.login =
      words.logout || text.has({"login", "logon", "log in", "log on", "logged in", "logged on", "sign in", "signed in",
                                "signin", "sign-in", "authenticat", " auth ", "-auth", "admin accessed", "password"});
  words.vpn = text.has({"vpn", "globalprotect", "tunnel", "anyconnect", "remote access", "remote-access"});
  words.management = text.has({"admin", "event:system", "console", "management", "vault"});
  words.connection_end =
      !words.alert && text.has({"connection closed", "connection_closed", "traffic end ", "traffic:forward close",
                                "traffic:forward timeout", "-rst ", " end "});
  Lower outcome;
  outcome.add(r[Says::kOutcome]);
  words.action = action_of(r[Says::kAction]);
  words.outcome = outcome_of(outcome);
  if (words.outcome == Outcome::kUnknown) words.outcome = outcome_of(text);
  if (text.has({"disconnect", "tunnel-down", "terminat", "logout", "closed", "ended", " end", "down"})) {
    words.vpn_activity = Activity::kEnd;
  } else if (text.has({"stat", "update", "rekey"})) {
    words.vpn_activity = Activity::kUpdate;
  } else if (text.has({"connect", "tunnel-up", "established", "start", " up", "created"})) {
    words.vpn_activity = Activity::kStart;
  }
  return words;
}

void CommonReader::put_times(const CommonRecord& r, Event& event) const {
  const std::string_view zone = r[Says::kZone];
  const core::TimeReader& times = zone == "UTC" || zone == "GMT" || zone == "Z" ? utc_ : times_;
  const core::Nanoseconds start = read_time(r[Says::kStart], times);
  const core::Nanoseconds end = read_time(r[Says::kEnd], times);
  const core::Nanoseconds best = read_time(r[Says::kBestTime], times);
  core::Nanoseconds time = best;
  if (time == 0) time = read_time(r[Says::kTime], times);
  if (time == 0) time = end;
  // A connection's time is its beginning.
  if (start != 0 && (time == 0 || (event.event_class == Class::kConnection && best == 0))) time = start;
  if (time != 0) event.time = time;
  if (const std::string_view text = r[Says::kDuration]; !text.empty()) {
    Scanner s(text);
    event.duration = scan_duration(s);
  }
  if (event.duration == 0 && start != 0 && end > start) event.duration = end - start;
}

Fate CommonReader::to_event(const CommonRecord& r, Event& event) {
  if (r[Says::kVendor] == "orbwatch") return Fate::ignored(kOwnAlert);
  const Words& words = read_words(r);
  const auto ip = [&](Says first, Says second) {
    const Ip found = given_ip(r[first]);
    return found.present() ? found : given_ip(r[second]);
  };
  event.source_ip = given_ip(r[Says::kPublicIp]);
  if (!event.source_ip.present()) event.source_ip = ip(Says::kSourceIp, Says::kSourceIp6);
  event.destination_ip = ip(Says::kDestinationIp, Says::kDestinationIp6);
  event.source_port = core::parse_number<std::uint16_t>(r[Says::kSourcePort]).value_or(0);
  event.destination_port = core::parse_number<std::uint16_t>(r[Says::kDestinationPort]).value_or(0);
  if (const std::string_view access = r[Says::kAccess]; !event.source_ip.present() && !access.empty()) {
    const auto open = access.find('(');
    Scanner s(access.substr(open == access.npos ? 0 : open + 1));
    s.ip(event.source_ip);
  }
  const bool says_login = core::equals_ignore_case(r[Says::kLogin], "true");
  const bool says_logout = core::equals_ignore_case(r[Says::kLogout], "true");
  // Who logs out of a VPN ends a session.
  const bool login = says_login || says_logout || (words.login && !words.traffic && !(words.vpn && words.logout));
  const bool ends = event.source_ip.present() || event.destination_ip.present();
  const Action action = words.action;

  if (login) {
    Outcome outcome = words.outcome;
    if (outcome == Outcome::kUnknown) {
      Lower message;
      message.add(r[Says::kMessage]);
      outcome = outcome_of(message);
    }
    put_login(event, outcome, service_of(r, words.vpn, words.management));
    if (says_logout || (words.logout && !says_login)) event.activity = Activity::kLogoff;
  } else if (words.vpn && !words.traffic) {
    put_session(event, words.vpn_activity, lower_symbol(r[Says::kTunnel]));
    event.outcome = words.outcome;
    if (!event.source_ip.present() && r[Says::kSourceUser].empty() && r[Says::kDestinationUser].empty() &&
        r[Says::kUser].empty()) {
      return Fate::ignored(kNoEnds);
    }
  } else if (ends && (action != Action::kNone || event.destination_port != 0 || !r[Says::kProtocol].empty())) {
    event.event_class = Class::kConnection;
    event.action = action;
    if (words.alert) event.activity = Activity::kAlert;
    if (words.connection_end && action != Action::kDenied) event.activity = Activity::kEnd;
  } else {
    return other(r);
  }

  // Who logs in is the user at the destination; who opens a connection is the one at its source.
  const bool connection = event.event_class == Class::kConnection;
  const bool source_first = connection || r[Says::kDestinationUser].empty();
  put_user(event, r[Says::kUser], r[Says::kUserDomain]);
  if (!event.user.present()) {
    put_user(event, r[source_first ? Says::kSourceUser : Says::kDestinationUser],
             r[source_first ? Says::kSourceDomain : Says::kDestinationDomain]);
  }
  if (!event.user.present()) {
    put_user(event, r[source_first ? Says::kDestinationUser : Says::kSourceUser],
             r[source_first ? Says::kDestinationDomain : Says::kSourceDomain]);
  }
  if (login && !event.user.present() && !event.source_ip.present()) return Fate::ignored(kNobody);

  put_times(r, event);
  for (const Says what : {Says::kCode, Says::kId, Says::kName}) {
    if (!event.code.present()) event.code = core::intern(r[what].substr(0, 64));
  }
  if (!r[Says::kObserver].empty()) event.observer = core::intern(r[Says::kObserver]);
  event.observer_ip = given_ip(r[Says::kObserverIp]);
  event.source_bytes = number(r[Says::kSourceBytes]);
  event.destination_bytes = number(r[Says::kDestinationBytes]);
  event.source_packets = number(r[Says::kSourcePackets]);
  event.destination_packets = number(r[Says::kDestinationPackets]);
  event.protocol = protocol_of(r[Says::kProtocol]);
  if (!event.application.present()) event.application = lower_symbol(application_of(r));
  event.user_agent = core::intern(r[Says::kUserAgent]);
  event.client_os = core::intern(r[Says::kClientOs]);
  event.client_host = core::intern(r[Says::kSourceHost]);
  event.destination_name = core::intern(r[Says::kDestinationHost]);
  event.group = core::intern(r[Says::kGroup]);
  // The rule that fired; of an alert without one the signature.
  std::string_view rule = r[Says::kRule].empty() ? r[Says::kRuleId] : r[Says::kRule];
  if (rule.empty() && event.activity == Activity::kAlert) rule = r[Says::kName];
  event.rule = core::intern(rule);
  event.ingress = core::intern(r[r[Says::kIngress].empty() ? Says::kIngressInterface : Says::kIngress]);
  event.egress = core::intern(r[r[Says::kEgress].empty() ? Says::kEgressInterface : Says::kEgress]);
  if (r[Says::kRegion] != "Reserved") event.region = core::intern(r[Says::kRegion]);
  event.auth_method = method_of(r[Says::kMethod]);
  event.direction = direction_of(r[Says::kDirection], r[Says::kIngressRole], r[Says::kEgressRole]);
  event.assigned_ip = ip(Says::kAssignedIp, Says::kSourceNat);
  if (event.assigned_ip == event.source_ip) event.assigned_ip = Ip();
  event.reason = closed_reason(r[Says::kReason]);
  if (const std::string_view session = r[Says::kSession]; !session.empty()) {
    const auto plain = core::parse_number<std::uint64_t>(session);
    event.session_id = plain ? *plain : core::hash64(session);
  }
  return Fate::kept();
}

}  // namespace orbwatch::decode
