// PAN-OS syslog in its default CSV form: TRAFFIC, GLOBALPROTECT, AUTHENTICATION, and of SYSTEM the log-ins.
//
// Sources: "PAN-OS Administrator's Guide", Syslog Field Descriptions, 8.1 to 11.1 (docs.paloaltonetworks.com): the
// order of the columns. New versions append columns; the ones read here have kept their places since 8.0
// (GLOBALPROTECT: since 9.1.3).
//   1,2026/11/22 08:00:00,0011C1,TRAFFIC,end,2561,2026/11/22
//   08:00:00,10.0.0.5,198.51.100.1,192.0.2.1,198.51.100.1,out,corp\alice,,ssl,... 1,2026/11/22
//   08:00:00,0011C1,GLOBALPROTECT,0,2561,2026/11/22
//   08:00:00,vsys1,gateway-auth,login,LDAP,,corp\alice,DE,PC-1,198.51.100.7,... 1,2026/11/22
//   08:00:00,0011C1,SYSTEM,auth,2561,2026/11/22 08:00:00,,auth-fail,VPN,0,0,general,medium,"failed authentication for
//   user ..."
// THREAT, CONFIG, USERID and the other types are ignored by name ("type THREAT").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
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
const Symbol kTooShort = core::intern("paloalto: too few columns");
const Symbol kDisorder = core::intern("paloalto: columns in disorder");
const Symbol kAdvice = core::intern("SYSTEM/auth advice");
const Symbol kOtherSystem = core::intern("SYSTEM other than log-ins");
const Symbol kPrelogin = core::intern("GLOBALPROTECT before log-in");

constexpr std::array<std::string_view, 17> kTypes = {
    "TRAFFIC",        "GLOBALPROTECT", "SYSTEM",     "THREAT", "CONFIG", "USERID", "HIPMATCH", "HIP-MATCH", "AUTH",
    "AUTHENTICATION", "CORRELATION",   "DECRYPTION", "TUNNEL", "GTP",    "SCTP",   "IPTAG",    "AUDIT"};

// The columns of one record, without their quotes. A doubled quote within a column stays doubled.
class Columns {
 public:
  static constexpr std::size_t kMost = 112;

  explicit Columns(std::string_view text) {
    while (count_ < kMost) {
      std::string_view value;
      if (text.starts_with('"')) {
        value = core::quoted_cell(text);
        text.remove_prefix(std::min(value.size() + 2, text.size()));
        text.remove_prefix(std::min(text.find(','), text.size()));
      } else {
        value = text.substr(0, text.find(','));
        text.remove_prefix(value.size());
      }
      values_[count_++] = value;
      if (text.empty()) return;
      text.remove_prefix(1);  // the comma
    }
  }

  std::size_t size() const { return count_; }
  // "" behind the last column.
  std::string_view operator[](std::size_t i) const { return i < count_ ? values_[i] : std::string_view{}; }
  std::uint64_t number(std::size_t i) const { return core::parse_number<std::uint64_t>((*this)[i]).value_or(0); }
  std::uint16_t port(std::size_t i) const { return core::parse_number<std::uint16_t>((*this)[i]).value_or(0); }
  Ip ip(std::size_t i) const { return given_ip((*this)[i]); }

 private:
  std::array<std::string_view, kMost> values_;
  std::size_t count_ = 0;
};

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

AuthMethod auth_method(std::string_view name) {
  struct Row {
    std::string_view name;
    AuthMethod method;
  };
  static constexpr std::array kRows = {
      Row{"SAML", AuthMethod::kSaml},
      Row{"RADIUS", AuthMethod::kRadius},
      Row{"LDAP", AuthMethod::kLdap},
      Row{"Kerberos", AuthMethod::kKerberos},
      Row{"Certificate", AuthMethod::kCertificate},
      Row{"Local", AuthMethod::kPassword},
      Row{"Cookie", AuthMethod::kOther},
      Row{"TACACS", AuthMethod::kOther},
  };
  for (const Row& row : kRows) {
    if (core::contains_ignore_case(name, row.name)) return row.method;
  }
  return AuthMethod::kUnknown;
}

Fate traffic(const Columns& c, Event& event) {
  if (c.size() < 31) return Fate::rejected(kTooShort);
  event.source_ip = c.ip(7);
  event.destination_ip = c.ip(8);
  if (!event.source_ip.present() && !event.destination_ip.present()) return Fate::rejected(kNoAddress);
  const std::string_view subtype = c[4];
  event.event_class = Class::kConnection;
  if (subtype == "start") event.activity = Activity::kStart;
  if (subtype == "end") event.activity = Activity::kEnd;
  const std::string_view action = c[30];
  if (subtype == "deny" || subtype == "drop" || action.contains("deny") || action.contains("drop") ||
      action.contains("reset") || action.contains("block")) {
    event.action = Action::kDenied;
  } else if (action == "allow") {
    event.action = Action::kAllowed;
  }
  if (const Ip translated = c.ip(9); translated != event.source_ip) event.assigned_ip = translated;
  event.rule = core::intern(c[11]);
  set_user(event, c[12]);
  event.application = lower_symbol(c[14]);
  event.ingress = core::intern(c[16]);
  event.egress = core::intern(c[17]);
  event.session_id = c.number(22);
  event.source_port = c.port(24);
  event.destination_port = c.port(25);
  event.protocol = protocol_number(c[29]);
  event.source_bytes = c.number(32);
  event.destination_bytes = c.number(33);
  event.duration = seconds(c.number(36));
  // A private network stands as a range of addresses, a public one as its country.
  if (const std::string_view from = c[41]; !from.empty() && !is_digit(from.front()) && !from.contains(':'))
    event.region = core::intern(from);
  event.source_packets = c.number(44);
  event.destination_packets = c.number(45);
  if (c[46] != "n/a" && c[46] != "unknown") event.reason = closed_reason(c[46]);
  event.client_os = core::intern(c[80]);
  event.client_host = core::intern(c[82]);
  return Fate::kept();
}

Fate globalprotect(const Columns& c, Event& event) {
  if (c.size() < 29) return Fate::rejected(kTooShort);
  const std::string_view id = c[8];
  if (id.ends_with("prelogin")) return Fate::ignored(kPrelogin);
  const bool failed = c[28].starts_with("fail") || c[28] == "error";
  const Outcome outcome = failed ? Outcome::kFailure : c[28] == "success" ? Outcome::kSuccess : Outcome::kUnknown;
  event.source_ip = c.ip(15).present() ? c.ip(15) : c.ip(16);
  event.assigned_ip = c.ip(17).present() ? c.ip(17) : c.ip(18);
  set_user(event, c[12]);
  if (!event.source_ip.present() && !event.user.present()) return Fate::rejected(kNoAddress);
  if (id == "gateway-auth" || id == "portal-auth" || id == "clientlessvpn-login" ||
      (failed && (id == "gateway-login" || id == "gateway-register"))) {
    put_login(event, outcome, Service::kVpn);
  } else if (id == "gateway-connected") {
    put_session(event, failed ? Activity::kUpdate : Activity::kStart);
    event.outcome = outcome;
  } else if (id == "gateway-logout" || id == "clientlessvpn-logout") {
    put_session(event, Activity::kEnd);
    event.duration = seconds(c.number(30));
  } else {
    put_session(event, Activity::kUpdate);
    event.outcome = outcome;
  }
  event.auth_method = auth_method(c[10]);
  event.application = lower_symbol(c[11]);
  event.region = core::intern(c[13]);
  event.client_host = core::intern(c[14]);
  event.user_agent = core::intern(c[21]);
  event.client_os = core::intern(c[23].empty() ? c[22] : c[23]);
  event.reason = closed_reason(c[25].empty() ? c[26] : c[25]);
  event.group = core::intern(c[33]);
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
Fate system_globalprotect(const Columns& c, Event& event) {
  const std::string_view id = c[8];
  const std::string_view text = c[14];
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
  event.group = core::intern(c[9]);
  event.user_agent = core::intern(value_of(text, "Client version: "));
  event.client_host = core::intern(value_of(text, "Device name: "));
  event.client_os = core::intern(value_of(text, "Client OS version: "));
  event.reason = closed_reason(value_of(text, "Reason: "));
  return Fate::kept();
}

// AUTHENTICATION: what an authentication policy asks for, through the portal or by a further factor.
Fate authentication(const Columns& c, Event& event) {
  if (c.size() < 22) return Fate::rejected(kTooShort);
  const std::string_view what = c[20];
  const auto says = [what](std::string_view word) { return core::contains_ignore_case(what, word); };
  const Outcome outcome = says("succe")                                                      ? Outcome::kSuccess
                          : says("fail") || says("timeout") || says("den") || says("reject") ? Outcome::kFailure
                                                                                             : Outcome::kUnknown;
  put_login(event, outcome, c[19].contains("GlobalProtect") ? Service::kVpn : Service::kOther);
  event.source_ip = c.ip(8);
  set_user(event, c[9].empty() ? c[10] : c[9]);
  event.rule = core::intern(c[12]);
  event.auth_method = auth_method(c[17]);
  if (c.number(21) > 1) {  // the first factor has the number 1
    event.activity = Activity::kChallenge;
    event.mfa = event::Mfa::kYes;
  }
  event.reason = closed_reason(c[18]);
  event.application = lower_symbol(c[19]);
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
Fate system_auth(const Columns& c, Event& event) {
  const std::string_view id = c[8];
  const std::string_view text = c[14];
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
  event.group = core::intern(c[9]);
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
Fate system_general(const Columns& c, Event& event) {
  const std::string_view text = c[14];
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

class PaloAlto final : public RecordDecoder {
 public:
  explicit PaloAlto(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    // "1,2026/11/22 08:00:00,001801000001,TRAFFIC,..."
    if (text.size() < 20 || !is_digit(text[0])) return false;
    if (core::take_until(text, ',').size() > 4) return false;
    if (const auto time = core::take_until(text, ','); time.empty() || !is_digit(time[0]) || time.size() > 32)
      return false;
    if (core::take_until(text, ',').size() > 32) return false;
    const std::string_view type = text.substr(0, text.find(','));
    return type.size() < text.size() && std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
  }

  Fate decode(const TextRecord& record, Event& event) override {
    const Columns c(record.message);
    const std::string_view type = c[3];
    if (type == "TRAFFIC") {
      put_common(c, event, 52, 102, code(type, c[4]));
      return traffic(c, event);
    }
    if (type == "GLOBALPROTECT") {
      put_common(c, event, 47, 36, code(type, c[8]));
      return globalprotect(c, event);
    }
    if (type == "SYSTEM") {
      if (c.size() < 15) return Fate::rejected(kTooShort);
      put_common(c, event, 22, 25, code(type, c[8]));
      if (c[4] == "globalprotect") return system_globalprotect(c, event);
      if (c[4] == "auth") return system_auth(c, event);
      if (c[4] == "general") return system_general(c, event);
      return Fate::ignored(kOtherSystem);
    }
    if (type == "AUTH" || type == "AUTHENTICATION") {
      put_common(c, event, 29, 33, core::intern(type));
      return authentication(c, event);
    }
    // claims() saw one of them between the commas; a quote further in front can have moved the columns.
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) return Fate::rejected(kDisorder);
    std::array<char, 32> name;
    char* p = std::copy_n("type ", 5, name.data());
    p = std::copy(type.begin(), type.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

 private:
  // The device's name and the time at which the record was made: with milliseconds and zone where the version writes
  // that, else the generated time, else the time at which the management plane received it.
  void put_common(const Columns& c, Event& event, std::size_t device, std::size_t precise, Symbol code) const {
    event.code = code;
    if (const std::string_view name = c[device]; !name.empty()) event.observer = core::intern(name);
    for (const std::size_t column : {precise, std::size_t{6}, std::size_t{1}}) {
      std::string_view text = c[column];
      if (text.size() < 19) continue;
      if (const auto time = core::parse_iso8601(text, times_); time && *time != 0) {
        event.time = *time;
        return;
      }
    }
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_paloalto(const core::TimeReader& times) {
  return std::make_unique<PaloAlto>(times);
}

}  // namespace orbwatch::decode
