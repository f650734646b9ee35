// F5 BIG-IP: Access Policy Manager (/var/log/apm), audit (/var/log/audit, secure) and TLS failures (ltm).
//   Nov 22 08:00:00 bigip1 notice tmm1[20226]: 01490500:5: /Common/vpn:Common:49dc878f: New session from client IP
//   198.51.100.7 (ST=Hessen/CC=DE/C=EU) at VIP 192.0.2.1 Listener /Common/vpn_https (Reputation=Unknown)
//   Nov 22 08:00:05 bigip1 info apmd[18544]: 01490017:6: /Common/vpn:Common:49dc878f: AD agent: Auth (logon attempt:0):
//   authenticate with 'alice' successful
//   Nov 22 08:05:00 bigip1 info httpd(pam_audit)[13810]: 01070417:6: AUDIT - user admin - RAW: httpd(pam_audit):
//   user=admin(admin) partition=[All] level=Administrator tty=(unknown) host=192.0.2.77 attempts=1 start="..."
//
// Sources: "BIG-IP APM: Logging and Reporting" 13.1 to 17.1, "Log Message Reference" (techdocs.f5.com), K13426, K6747
// (my.f5.com). Every message has the form DAEMON[PID]: NUMBER:SEVERITY: [PROFILE:PARTITION:]SESSION: TEXT. Numbers have
// changed their texts between versions; the text tells what a message is, the number is kept as event.code.
//
// No message of APM holds both user and client address: they share the session's number (session_id).
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

const Symbol kNoText = core::intern("f5_bigip: no text");
const Symbol kNoPeer = core::intern("f5_bigip: no address, user or session");
const Symbol kOther = core::intern("message other");

struct Message {
  std::string_view code;     // "01490500"
  std::string_view profile;  // access profile
  std::string_view session;  // hexadecimal
  std::string_view text;
};

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c); });
}

// "01490500:5:" at the front; moves behind it.
bool take_code(std::string_view& text, std::string_view& code) {
  if (text.size() < 11 || text[0] != '0' || text[8] != ':' || !is_digit(text[9]) || text[10] != ':') return false;
  if (!is_hex(text.substr(0, 8))) return false;
  code = text.substr(0, 8);
  text = core::trim(text.substr(11));
  return true;
}

// "PROFILE:PARTITION:49dc878f: " or "49dc878f: " at the front; moves behind it.
bool take_session(std::string_view& text, Message& m) {
  const auto end = text.find(": ");
  if (end == text.npos || end > 300) return false;
  const std::string_view head = text.substr(0, end);
  if (head.contains(' ')) return false;
  const auto colon = head.rfind(':');
  const std::string_view session = head.substr(colon == head.npos ? 0 : colon + 1);
  if (session.size() < 6 || session.size() > 8 || !is_hex(session)) return false;
  m.session = session;
  if (colon != head.npos) m.profile = head.substr(0, head.find(':'));
  text.remove_prefix(end + 2);
  return true;
}

// Severity and "apmd[14311]: " before the number: what the envelope left of them.
void skip_daemon(std::string_view& text) {
  for (const std::string_view level :
       {"notice "sv, "info "sv, "err "sv, "error "sv, "warning "sv, "debug "sv, "crit "sv, "alert "sv, "emerg "sv}) {
    if (skip_prefix(text, level)) break;
  }
  const auto end = text.substr(0, 48).find("]: ");
  if (end != text.npos && text.substr(0, end).contains('[')) text.remove_prefix(end + 3);
}

bool read_message(const TextRecord& r, Message& m) {
  std::string_view text = r.message;
  std::string_view id = r.message_id;
  if (!take_code(id, m.code)) {
    skip_daemon(text);
    if (!take_code(text, m.code)) {
      // A relay that writes "apmd 7389 01490248:5: [F5@12276 ...]" as RFC 5424 has it, without its version.
      std::string_view rest = text;
      core::take_until(rest, ' ');
      core::take_until(rest, ' ');
      if (take_code(rest, m.code)) {
        text = rest;
      } else if (!text.starts_with('/')) {
        return false;
      }
    }
  }
  if (text.starts_with("[F5@")) {
    const auto end = text.find("] ");
    if (end == text.npos) return false;
    text.remove_prefix(end + 2);
  }
  const bool session = take_session(text, m);
  m.text = text;
  return !m.code.empty() || session;
}

std::string_view quoted(std::string_view text, std::string_view before) {
  const auto begin = text.find(before);
  if (begin == text.npos) return {};
  text.remove_prefix(begin + before.size());
  return text.substr(0, text.find('\''));
}

// The word behind `name`, up to a space.
std::string_view word_after(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == text.npos) return {};
  text.remove_prefix(at + name.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text.substr(0, text.find(' '));
}

core::Ip ip_after(std::string_view text, std::string_view name) { return endpoint(word_after(text, name)).ip; }

AuthMethod method_of(std::string_view text) {
  struct Row {
    std::string_view agent;
    AuthMethod method;
  };
  static constexpr std::array kRows = {Row{"AD ", AuthMethod::kKerberos},       Row{"RADIUS ", AuthMethod::kRadius},
                                       Row{"LDAP ", AuthMethod::kLdap},         Row{"SAML ", AuthMethod::kSaml},
                                       Row{"Kerberos ", AuthMethod::kKerberos}, Row{"LocalDB ", AuthMethod::kPassword},
                                       Row{"Local ", AuthMethod::kPassword},    Row{"OTP ", AuthMethod::kOther},
                                       Row{"OAuth ", AuthMethod::kOther},       Row{"RSA ", AuthMethod::kOther},
                                       Row{"TACACS", AuthMethod::kOther},       Row{"CRLDP ", AuthMethod::kCertificate},
                                       Row{"OCSP ", AuthMethod::kCertificate}};
  for (const Row& row : kRows) {
    if (text.starts_with(row.agent)) return row.method;
  }
  return AuthMethod::kUnknown;
}

void observed(Event& e, Outcome outcome) {
  put_login(e, outcome, Service::kVpn);
  e.activity = Activity::kObserved;
}

// "New session from client IP 198.51.100.7 (ST=Hessen/CC=DE/C=EU) at VIP 192.0.2.1 Listener /Common/x (Reputation=..)"
Fate new_session(std::string_view t, Event& e) {
  put_session(e, Activity::kStart);
  e.source_ip = ip_after(t, " client IP ");
  e.destination_ip = ip_after(t, " at VIP ");
  e.ingress = core::intern(word_after(t, " Listener "));
  const auto country = t.find("/CC=");
  if (country != t.npos) {
    const std::string_view name = t.substr(country + 4, 2);
    if (name.size() == 2 && name[0] >= 'A' && name[0] <= 'Z') e.region = core::intern(name);
  }
  return Fate::kept();
}

// "AD agent: Auth (logon attempt:0): authenticate with 'alice' successful": the agent of the access policy decides.
// "AD module: authentication with 'alice' failed: REASON": says why, beside it.
Fate authentication(std::string_view t, Event& e) {
  const bool decides = t.contains("authenticate with '");
  const std::string_view user = quoted(t, decides ? "authenticate with '" : "authentication with '");
  const auto behind = t.substr(static_cast<std::size_t>(user.data() - t.data()) + user.size());
  const bool good = behind.contains("successful");
  if (!good && !behind.contains("fail") && !behind.contains("reject")) return Fate::ignored("authentication other");
  put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kVpn);
  if (!decides) e.activity = Activity::kObserved;
  set_typed_user(e, user);
  e.auth_method = method_of(t);
  if (t.starts_with("OTP ") || t.starts_with("RSA ")) e.mfa = event::Mfa::kYes;
  if (const auto why = behind.find(": "); !good && why != behind.npos) {
    const std::string_view reason = behind.substr(why + 2);
    e.reason = closed_reason(reason.substr(0, reason.find(", principal")));
  }
  return Fate::kept();
}

// "Received client info - Hostname: pc-5 Type: Standalone Version: 2.0 Platform: Win10 CPU: WOW64 UI Mode: ..."
Fate client_info(std::string_view t, Event& e) {
  put_session(e, Activity::kUpdate);
  const auto value = [&](std::string_view name) {
    const std::string_view word = word_after(t, name);
    return word.ends_with(':') ? std::string_view{} : word;  // "Hostname:  Type: IE": it is empty
  };
  e.client_host = core::intern(value("Hostname:"));
  e.application = lower_symbol(value("Type:"));
  e.client_os = core::intern(value("Platform:"));
  return Fate::kept();
}

Fate user_agent(std::string_view agent, Event& e) {
  put_session(e, Activity::kUpdate);
  e.user_agent = core::intern(core::trim(agent));
  return Fate::kept();
}

// "Assigned PPP Dynamic IPv4: 10.8.0.5 Tunnel Type: VPN_TUNNELTYPE_TLS NA Resource: /Common/na Client IP: 198.51.100.7
// -"
Fate assigned(std::string_view t, Event& e) {
  put_session(e, Activity::kStart);
  e.outcome = Outcome::kSuccess;
  e.assigned_ip = ip_after(t, " IPv4:");
  if (!e.assigned_ip.present()) e.assigned_ip = ip_after(t, " IPv6:");
  e.source_ip = ip_after(t, " Client IP:");
  std::string_view tunnel = word_after(t, " Tunnel Type:");
  skip_prefix(tunnel, "VPN_TUNNELTYPE_");
  e.application = lower_symbol(tunnel);
  e.rule = core::intern(word_after(t, " Resource:"));
  return Fate::kept();
}

Fate ended(std::string_view t, Event& e) {
  put_session(e, Activity::kEnd);
  const auto why = t.find("due to ");
  if (why != t.npos) e.reason = closed_reason(t.substr(why + 7));
  return Fate::kept();
}

// "Access policy result: Network_Access", "Access policy result: Logon_Deny"
Fate policy_result(std::string_view result, Event& e) {
  const bool denied = result.contains("Deny") || result.contains("deny");
  if (denied) {
    observed(e, Outcome::kFailure);
  } else {
    put_session(e, Activity::kUpdate);
    e.outcome = Outcome::kSuccess;
  }
  e.reason = closed_reason(result);
  return Fate::kept();
}

// "Session variable 'session.logon.last.username' set to 'alice'"
Fate variable(std::string_view t, Event& e) {
  const std::string_view name = quoted(t, "variable '");
  const auto at = t.find(" set to ");
  if (at == t.npos) return Fate::ignored("session variable");
  std::string_view value = core::trim(t.substr(at + 8));
  if (value.starts_with('\'')) value.remove_prefix(1);
  if (value.ends_with('\'')) value.remove_suffix(1);
  if (name == "session.logon.last.username") {
    observed(e, Outcome::kUnknown);
    set_typed_user(e, value);
  } else if (name == "session.user.clientip") {
    put_session(e, Activity::kUpdate);
    e.source_ip = given_ip(value);
  } else if (name == "session.assigned.clientip") {
    put_session(e, Activity::kUpdate);
    e.assigned_ip = given_ip(value);
  } else {
    return Fate::ignored("session variable");
  }
  return Fate::kept();
}

// "allow ACL: /VPN/ACL_users:59 packet: tcp 198.51.100.7:50992 -> 10.1.0.5:135"
Fate access_list(std::string_view t, Event& e) {
  e.event_class = Class::kConnection;
  e.activity = Activity::kStart;
  e.action = t.starts_with("allow") ? Action::kAllowed : Action::kDenied;
  e.rule = core::intern(word_after(t, " ACL:"));
  const auto packet = t.find(" packet: ");
  if (packet == t.npos) return Fate::kept();
  Scanner s(t.substr(packet + 9));
  e.protocol = protocol_number(s.word());
  s.spaces();
  const Endpoint from = endpoint(s.word());
  s.skip(" -> ");
  const Endpoint to = endpoint(s.word());
  e.source_ip = from.ip;
  e.source_port = from.port;
  e.destination_ip = to.ip;
  e.destination_port = to.port;
  return Fate::kept();
}

// "[SSL Handshake failed for TCP ]198.51.100.7:57424 -> 192.0.2.1:443[: Connection error: ...]"
Fate handshake(std::string_view t, Event& e) {
  const auto arrow = t.find(" -> ");
  if (arrow == t.npos) return Fate::ignored("connection error without addresses");
  std::string_view from = t.substr(0, arrow);
  from.remove_prefix(from.rfind(' ') + 1);
  std::string_view to = t.substr(arrow + 4);
  to = to.substr(0, to.find(' '));
  if (to.ends_with(':')) to.remove_suffix(1);
  e.event_class = Class::kHandshake;
  e.activity = Activity::kObserved;
  e.outcome = Outcome::kFailure;
  e.application = core::intern("ssl");
  e.source_ip = endpoint(from).ip;
  e.source_port = endpoint(from).port;
  e.destination_ip = endpoint(to).ip;
  e.destination_port = endpoint(to).port;
  if (t.starts_with("SSL Handshake failed for TCP ")) e.protocol = 6;
  constexpr std::string_view kError = ": Connection error: ";
  if (const auto why = t.rfind("): "); why != t.npos) {
    e.reason = closed_reason(t.substr(why + 3));
  } else if (const auto error = t.find(kError); error != t.npos) {
    e.reason = closed_reason(t.substr(error + kError.size()));
  }
  return Fate::kept();
}

// "... user=admin(admin) partition=[All] level=Administrator tty=ssh host=192.0.2.77 attempts=1 start="..."
// [end="..."]",
// "... User=admin tty=(unknown) host=203.0.113.9 failed to login after 1 attempts (start="..." end="...")."
Fate audited_login(std::string_view t, Event& e) {
  const bool failed = t.contains("failed to login");
  put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kManagement);
  std::string_view user = word_after(t, t.contains(" user=") ? " user=" : " User=");
  set_typed_user(e, user.substr(0, user.find('(')));
  std::string_view host = word_after(t, " host=");
  e.source_ip = given_ip(host);
  if (!e.source_ip.present() && !host.empty()) e.client_host = core::intern(host);
  const auto raw = t.find("RAW: ");
  const std::string_view program = raw == t.npos ? std::string_view{} : t.substr(raw + 5);
  e.application = lower_symbol(program.substr(0, program.find_first_of("(: ")));
  // A session that ended is told by a second record, with both times.
  const std::string_view start = word_after(t, "start=\"");
  const auto time_of = [&](std::string_view name) {
    const auto at = t.find(name);
    if (at == t.npos) return std::string_view{};
    const std::string_view value = t.substr(at + name.size());
    return value.substr(0, value.find('"'));
  };
  const std::string_view end = time_of("end=\"");
  if (!failed && !start.empty() && !end.empty() && end != time_of("start=\"")) e.activity = Activity::kLogoff;
  return Fate::kept();
}

// "AUDIT - pid=26 user=root folder=/Common module=(tmos)# status=[Command OK] cmd_data=...",
// "AUDIT - client Unknown, user admin - transaction #29194914-3 - object 0 - modify { ... }"
Fate audit(std::string_view t, Event& e) {
  if (t.contains(" RAW: ") && t.contains(" host=")) return audited_login(t, e);
  std::string_view user = word_after(t, " user=");
  if (user.empty()) user = word_after(t, " user ");
  while (user.ends_with(',')) user.remove_suffix(1);
  if (user.empty()) return Fate::ignored("audit without user");
  put_login(e, Outcome::kUnknown, Service::kManagement);
  e.activity = Activity::kObserved;
  e.reason = core::intern("command executed");
  set_typed_user(e, user);
  if (const auto status = t.find("status=["); status != t.npos) {
    e.outcome = t.substr(status + 8).starts_with("Command OK") ? Outcome::kSuccess : Outcome::kFailure;
  }
  return Fate::kept();
}

struct Words {
  std::string_view begins;
  std::string_view name;
};
constexpr std::array kIgnored = {
    Words{"Following rule", "access policy step"},
    Words{"Executed agent", "access policy step"},
    Words{"Connectivity resource", "resource assigned"},
    Words{"Webtop ", "resource assigned"},
    Words{"Access profile", "configuration of access profiles"},
    Words{"Access policy '", "configuration of access profiles"},
    Words{"Initializing Access profile", "configuration of access profiles"},
    Words{"Pool ", "pool state"},
    Words{"TCL error", "iRule"},
    Words{"Rule ", "iRule"},
    Words{"PPP tunnel", "tunnel state"},
    Words{"RADIUS_PROXY", "RADIUS proxy"},
};

class F5BigIp final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record, m)) return Fate::rejected(kNoText);
    m.text = core::trim(m.text);
    if (m.text.empty()) return Fate::rejected(kNoText);
    e.code = core::intern(m.code);
    e.session_id = core::parse_number<std::uint64_t>(m.session, 16).value_or(0);
    if (m.profile != "(null)") e.group = core::intern(m.profile);
    const Fate fate = tell(m, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present() && e.session_id == 0)
      return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static Fate tell(const Message& m, Event& e) {
    std::string_view t = m.text;
    if (skip_prefix(t, "AUDIT - ")) return audit(m.text.substr(7), e);
    if (t.starts_with("New session from client IP")) return new_session(t, e);
    if (t.contains("authenticate with '") || t.contains("authentication with '")) return authentication(t, e);
    if (t.starts_with("Username '") || t.starts_with("Retry Username '")) {
      observed(e, Outcome::kUnknown);
      set_typed_user(e, quoted(t, "sername '"));
      return Fate::kept();
    }
    if (skip_prefix(t, "Received User-Agent header:")) return user_agent(t, e);
    if (skip_prefix(t, "session.user.agent is ")) return user_agent(t, e);
    if (t.starts_with("Received client info")) return client_info(t, e);
    if (t.starts_with("Assigned PPP ")) return assigned(t, e);
    if (skip_prefix(t, "Access policy result:")) return policy_result(core::trim(t), e);
    if (t.starts_with("Session statistics")) {
      put_session(e, Activity::kEnd);
      e.source_bytes = core::parse_number<std::uint64_t>(number_after(t, "bytes in:")).value_or(0);
      e.destination_bytes = core::parse_number<std::uint64_t>(number_after(t, "bytes out:")).value_or(0);
      return Fate::kept();
    }
    if (t.starts_with("Session deleted") || t.starts_with("Session timed out")) return ended(t, e);
    if (t.starts_with("Session variable")) return variable(t, e);
    if (t.starts_with("allow ACL:") || t.starts_with("discard ACL:") || t.starts_with("reject ACL:"))
      return access_list(t, e);
    if (t.starts_with("SSL Handshake failed") || t.contains(": Connection error:")) return handshake(t, e);
    for (const Words& row : kIgnored) {
      if (t.starts_with(row.begins)) return Fate::ignored(row.name);
    }
    return other(m.code);
  }

  static std::string_view number_after(std::string_view t, std::string_view name) {
    std::string_view word = word_after(t, name);
    while (!word.empty() && !is_digit(word.back())) word.remove_suffix(1);
    return word;
  }

  // "message 01490102"
  static Fate other(std::string_view code) {
    if (code.size() != 8) return Fate::ignored(kOther);
    std::array<char, 16> name;
    char* p = std::copy_n("message ", 8, name.data());
    std::copy(code.begin(), code.end(), p);
    return Fate::ignored({name.data(), name.size()});
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_f5_bigip(const core::TimeReader&) { return std::make_unique<F5BigIp>(); }

}  // namespace orbwatch::decode
