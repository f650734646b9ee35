#include "decode/paloalto_record.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode::paloalto {
namespace {

using core::Ip;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoAddress = core::intern("paloalto: no address");
const Symbol kNoUser = core::intern("paloalto: no user");
const Symbol kAdvice = core::intern("SYSTEM/auth advice");
const Symbol kOtherSystem = core::intern("SYSTEM other than log-ins");
const Symbol kPrelogin = core::intern("GLOBALPROTECT before log-in");

std::uint64_t number(std::string_view text) { return core::parse_number<std::uint64_t>(text).value_or(0); }
std::uint16_t port(std::string_view text) { return core::parse_number<std::uint16_t>(text).value_or(0); }

// "TRAFFIC/end": closed, as both parts are words of the vendor's; other text gives the type alone.
Symbol code(std::string_view type, std::string_view detail) {
  std::array<char, 80> name;
  const bool plain =
      !detail.empty() && type.size() + detail.size() + 1 <= name.size() &&
      std::all_of(detail.begin(), detail.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
  if (!plain) return core::intern(type);
  char* p = std::copy(type.begin(), type.end(), name.data());
  *p++ = '/';
  p = std::copy(detail.begin(), detail.end(), p);
  return core::intern({name.data(), static_cast<std::size_t>(p - name.data())});
}

// A private network stands as a range of addresses, a public one as its country.
Symbol region(std::string_view text) {
  const bool range = text.empty() || is_digit(text.front()) || text.contains(':');
  return range ? Symbol() : core::intern(text);
}

AuthMethod auth_method(std::string_view name) {
  struct Method {
    std::string_view name;
    AuthMethod method;
  };
  static constexpr std::array kRows = {
      Method{"SAML", AuthMethod::kSaml},
      Method{"RADIUS", AuthMethod::kRadius},
      Method{"LDAP", AuthMethod::kLdap},
      Method{"Kerberos", AuthMethod::kKerberos},
      Method{"Certificate", AuthMethod::kCertificate},
      Method{"Local", AuthMethod::kPassword},
      Method{"Cookie", AuthMethod::kOther},
      Method{"TACACS", AuthMethod::kOther},
  };
  for (const Method& row : kRows) {
    if (core::contains_ignore_case(name, row.name)) return row.method;
  }
  return AuthMethod::kUnknown;
}

Fate traffic(const Row& r, Event& event) {
  event.source_ip = given_ip(r[kSource]);
  event.destination_ip = given_ip(r[kDestination]);
  if (!event.source_ip.present() && !event.destination_ip.present()) return Fate::rejected(kNoAddress);
  const std::string_view subtype = r[kSubtype];
  event.event_class = Class::kConnection;
  if (subtype == "start") event.activity = Activity::kStart;
  if (subtype == "end") event.activity = Activity::kEnd;
  const std::string_view action = r[kAction];
  if (subtype == "deny" || subtype == "drop" || action.contains("deny") || action.contains("drop") ||
      action.contains("reset") || action.contains("block")) {
    event.action = Action::kDenied;
  } else if (action == "allow") {
    event.action = Action::kAllowed;
  }
  if (const Ip translated = given_ip(r[kTranslated]); translated != event.source_ip) event.assigned_ip = translated;
  event.rule = core::intern(r[kRule]);
  set_user(event, r[kUser]);
  event.application = lower_symbol(r[kApplication]);
  event.ingress = core::intern(r[kFrom]);
  event.egress = core::intern(r[kTo]);
  event.session_id = number(r[kSession]);
  event.source_port = port(r[kSourcePort]);
  event.destination_port = port(r[kDestinationPort]);
  event.protocol = protocol_number(r[kProtocol]);
  event.source_bytes = number(r[kBytesSent]);
  event.destination_bytes = number(r[kBytesReceived]);
  event.duration = seconds(number(r[kDuration]));
  event.region = region(r[kRegion]);
  event.source_packets = number(r[kPacketsSent]);
  event.destination_packets = number(r[kPacketsReceived]);
  if (r[kReason] != "n/a" && r[kReason] != "unknown") event.reason = closed_reason(r[kReason]);
  event.client_os = core::intern(r[kClientOs]);
  event.client_host = core::intern(r[kClientHost]);
  return Fate::kept();
}

Fate globalprotect(const Row& r, Event& event) {
  const std::string_view id = r[kEvent];
  if (id.ends_with("prelogin")) return Fate::ignored(kPrelogin);
  const bool failed = r[kStatus].starts_with("fail") || r[kStatus] == "error";
  const Outcome outcome = failed ? Outcome::kFailure : r[kStatus] == "success" ? Outcome::kSuccess : Outcome::kUnknown;
  event.source_ip = given_ip(r[kSource]).present() ? given_ip(r[kSource]) : given_ip(r[kSource6]);
  event.assigned_ip = given_ip(r[kAssigned]).present() ? given_ip(r[kAssigned]) : given_ip(r[kAssigned6]);
  set_user(event, r[kUser]);
  if (!event.source_ip.present() && !event.user.present()) return Fate::rejected(kNoAddress);
  if (id == "gateway-auth" || id == "portal-auth" || id == "clientlessvpn-login" ||
      (failed && (id == "gateway-login" || id == "gateway-register"))) {
    put_login(event, outcome, Service::kVpn);
  } else if (id == "gateway-connected") {
    put_session(event, failed ? Activity::kUpdate : Activity::kStart);
    event.outcome = outcome;
  } else if (id == "gateway-logout" || id == "clientlessvpn-logout") {
    put_session(event, Activity::kEnd);
    event.duration = seconds(number(r[kDuration]));
  } else {
    put_session(event, Activity::kUpdate);
    event.outcome = outcome;
  }
  event.auth_method = auth_method(r[kMethod]);
  event.application = lower_symbol(r[kApplication]);
  event.region = region(r[kRegion]);
  event.client_host = core::intern(r[kClientHost]);
  event.user_agent = core::intern(r[kVersion]);
  event.client_os = core::intern(r[kOsVersion].empty() ? r[kClientOs] : r[kOsVersion]);
  event.reason = closed_reason(r[kReason].empty() ? r[kError] : r[kReason]);
  // Whoever shows the session's cookie is not asked who he is.
  if (!failed && !event.reason.present() && core::contains_ignore_case(r[kMethod], "cookie"))
    event.reason = core::intern("resumed");
  event.group = core::intern(r[kObject]);
  return Fate::kept();
}

// The value behind "key: " in a sentence of the system log, up to the next comma.
std::string_view value_of(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return {};
  text.remove_prefix(at + key.size());
  std::string_view value = core::trim(text.substr(0, text.find(',')));
  while (value.ends_with('.')) value.remove_suffix(1);
  return value;
}

// Before 9.1 GlobalProtect wrote into the system log: "GlobalProtect gateway user login succeeded. Login from: A, User
// name: B, ..."
Fate system_globalprotect(const Row& r, Event& event) {
  const std::string_view id = r[kEvent];
  const std::string_view text = r[kDescription];
  set_user(event, value_of(text, "User name: "));
  event.source_ip = Ip::parse(value_of(text, "Login from: ")).value_or(Ip());
  event.assigned_ip = Ip::parse(value_of(text, "Private IP: ")).value_or(Ip());
  if (!event.source_ip.present() && !event.user.present()) return Fate::ignored(kOtherSystem);
  const bool failed = id.ends_with("-fail");
  if (id.contains("-auth-") || (failed && id.contains("-regist-"))) {
    put_login(event, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kVpn);
  } else if (id.contains("-regist-")) {
    put_session(event, Activity::kStart);
    event.outcome = Outcome::kSuccess;
  } else if (id.contains("-logout-")) {
    put_session(event, Activity::kEnd);
  } else {
    put_session(event, Activity::kUpdate);
  }
  event.group = core::intern(r[kObject]);
  event.user_agent = core::intern(value_of(text, "Client version: "));
  event.client_host = core::intern(value_of(text, "Device name: "));
  event.client_os = core::intern(value_of(text, "Client OS version: "));
  event.reason = closed_reason(value_of(text, "Reason: "));
  return Fate::kept();
}

// AUTHENTICATION: what an authentication policy asks for, through the portal or by a further factor.
Fate authentication(const Row& r, Event& event) {
  const std::string_view what = r[kEvent];
  const auto says = [what](std::string_view word) { return core::contains_ignore_case(what, word); };
  const Outcome outcome = says("succe")                                                      ? Outcome::kSuccess
                          : says("fail") || says("timeout") || says("den") || says("reject") ? Outcome::kFailure
                                                                                             : Outcome::kUnknown;
  put_login(event, outcome, r[kApplication].contains("GlobalProtect") ? Service::kVpn : Service::kOther);
  event.source_ip = given_ip(r[kSource]);
  set_user(event, r[kNormalUser].empty() ? r[kUser] : r[kNormalUser]);
  event.rule = core::intern(r[kRule]);
  event.auth_method = auth_method(r[kMethod]);
  if (number(r[kFactor]) > 1) {  // the first factor has the number 1
    event.activity = Activity::kChallenge;
    event.mfa = event::Mfa::kYes;
  }
  event.reason = closed_reason(r[kDescription]);
  event.application = lower_symbol(r[kApplication]);
  if (!event.source_ip.present() && !event.user.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// What stands between the quotes behind `key`, or the word there.
std::string_view name_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return {};
  Scanner s(text.substr(at + key.size()));
  return quoted_word(s);
}

// "failed authentication for user 'bob'. Reason: Invalid username/password. auth profile 'VPN', ..., From:
// 203.0.113.7."
Fate system_auth(const Row& r, Event& event) {
  const std::string_view id = r[kEvent];
  const std::string_view text = r[kDescription];
  if (id != "auth-success" && id != "auth-fail") return Fate::ignored(kOtherSystem);
  if (text.starts_with("When authenticating")) return Fate::ignored(kAdvice);  // a hint beside the log-in's own record
  // Whether it was for the VPN or for the device itself is not said.
  const bool failed = id == "auth-fail" || text.starts_with("failed");
  put_login(event, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kUnknown);
  std::string_view user = name_behind(text, "for user ");
  if (user.empty()) user = name_behind(text, "User ");
  set_user(event, user);
  if (event.user.present() && !event.user_domain.present())
    event.user_domain = core::intern(name_behind(text, "realm "));
  if (const auto from = text.rfind("rom: "); from != text.npos) Scanner(text.substr(from + 5)).ip(event.source_ip);
  event.group = core::intern(r[kObject]);
  if (const auto reason = text.find("Reason: "); reason != text.npos) {
    std::string_view words = text.substr(reason + 8);
    // What follows the reason is a sentence of its own that begins with its key.
    words = words.substr(0, words.find("auth profile"));
    event.reason = closed_reason(words.substr(0, words.find(" From: ")));
  }
  if (text.starts_with("Kerberos")) event.auth_method = AuthMethod::kKerberos;
  if (text.contains("RADIUS") || text.contains("auth protocol 'PAP'") || text.contains("auth protocol 'CHAP'"))
    event.auth_method = AuthMethod::kRadius;
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// "User admin logged in via Web from 198.51.100.7 using https", "User admin logged out via CLI from 198.51.100.7"
Fate system_general(const Row& r, Event& event) {
  const std::string_view text = r[kDescription];
  const bool in = text.contains(" logged in via ");
  if (!text.starts_with("User ") || (!in && !text.contains(" logged out via "))) return Fate::ignored(kOtherSystem);
  put_login(event, Outcome::kSuccess, Service::kManagement);
  if (!in) event.activity = Activity::kLogoff;
  Scanner s(text.substr(5));
  set_user(event, s.word());
  if (s.skip_past(" via ")) event.application = lower_symbol(s.word());
  if (s.skip_past(" from ")) s.ip(event.source_ip);
  if (s.skip_past(" using ")) event.application = lower_symbol(quoted_word(s));
  return Fate::kept();
}

// The device's name and the time at which the record was made.
void put_common(const Row& r, const core::TimeReader& times, Symbol code, Event& event) {
  event.code = code;
  if (!r[kDevice].empty()) event.observer = core::intern(r[kDevice]);
  for (const Field field : {kPreciseTime, kGeneratedTime, kReceivedTime}) {
    std::string_view text = r[field];
    if (text.size() < 19) continue;
    if (const auto time = core::parse_iso8601(text, times); time && *time != 0) {
      event.time = *time;
      return;
    }
  }
}

}  // namespace

Fate to_event(const Row& row, const core::TimeReader& times, Event& event) {
  const auto is = [&row](std::string_view type) { return core::equals_ignore_case(row[kType], type); };
  if (is("TRAFFIC")) {
    put_common(row, times, code("TRAFFIC", row[kSubtype]), event);
    return traffic(row, event);
  }
  if (is("GLOBALPROTECT")) {
    put_common(row, times, code("GLOBALPROTECT", row[kEvent]), event);
    return globalprotect(row, event);
  }
  if (is("SYSTEM")) {
    put_common(row, times, code("SYSTEM", row[kEvent]), event);
    if (row[kSubtype] == "globalprotect") return system_globalprotect(row, event);
    if (row[kSubtype] == "auth") return system_auth(row, event);
    if (row[kSubtype] == "general") return system_general(row, event);
    return Fate::ignored(kOtherSystem);
  }
  if (is("AUTH") || is("AUTHENTICATION")) {
    put_common(row, times, core::intern(is("AUTH") ? "AUTH" : "AUTHENTICATION"), event);
    return authentication(row, event);
  }
  return json::ignored("type", row[kType]);
}

}  // namespace orbwatch::decode::paloalto
