// Ivanti (Pulse) Connect Secure: the user access, admin access and event logs as syslog, in the appliance's Standard
// and WELF filters. The Standard filter writes
//   2026-11-22 08:00:00 - ics1 - [198.51.100.7] Default Network::alice(Staff)[Users] - Login succeeded for alice/Staff
//   (session:4f5e2c1a) from 198.51.100.7 with Pulse-Secure/9.1.13.11723 (Windows 10) Pulse/9.1.13.11723.
// the WELF filter the same message behind its number:
//   id=firewall time="2026-11-22 08:00:00" pri=6 fw=192.0.2.1 vpn=ics1 ivs=Default Network user=alice realm="Staff"
//   roles="Users" proto=auth src=198.51.100.7 ... agent="" duration= msg="AUT31504: Login succeeded for ..."
//
// Sources: Ivanti Connect Secure Administration Guide (Log/Monitoring, filters; "Ivanti Connect Secure System
// Messages") and Pulse Connect Secure 9.1 "Log Messages Reference" (help.ivanti.com). Messages are told by their words,
// which the two filters and all versions share; the number (AUT24326) is kept as event.code where the record has it.
//
// One log-in is many messages. What decides is a log-in (Login succeeded, Primary authentication failed, Login
// failed.); what only accompanies it is observed, so that one attempt counts once.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Activity;
using event::Class;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNoMessage = core::intern("pulse_secure: no message");
const Symbol kOtherFilter = core::intern("pulse_secure: neither Standard nor WELF filter");
const Symbol kNoPeer = core::intern("pulse_secure: no address or user");
const Symbol kOther = core::intern("message other");

enum Key : std::uint8_t { kAgent, kFw, kMsg, kRealm, kRoles, kSrc, kTime, kType, kUser, kVpn, kKeys };
constexpr KeyNames<kKeys> kNames({"agent", "fw", "msg", "realm", "roles", "src", "time", "type", "user", "vpn"});

// What both filters say around the message.
struct Header {
  std::string_view node;
  std::string_view code;
  std::string_view time;
  std::string_view source;
  std::string_view user;
  std::string_view realm;
  std::string_view roles;
  std::string_view agent;
  std::string_view message;
  bool management = false;
};

// "2026-11-22 08:00:00"
bool is_clock(std::string_view text) {
  return text.size() >= 19 && is_digit(text[0]) && text[4] == '-' && text[7] == '-' && text[13] == ':' &&
         text[16] == ':';
}

// "[TIME - ][- ]NODE - [ADDRESS] USER(REALM)[ROLES] - MESSAGE"; false if the text is built otherwise.
bool read_standard(std::string_view text, Header& h) {
  if (is_clock(text)) {
    h.time = text.substr(0, 19);
    text.remove_prefix(19);
    if (!skip_prefix(text, " - ")) return false;
  }
  skip_prefix(text, "- ");
  const auto node = text.substr(0, 160).find(" - [");
  if (node == text.npos) return false;
  h.node = text.substr(0, node);
  text.remove_prefix(node + 4);
  const auto close = text.find("] ");
  if (close > 64) return false;
  h.source = text.substr(0, close);
  text.remove_prefix(close + 2);
  // A realm may hold brackets of its own: "alice(Staff (MAC))[Users]".
  const auto roles = text.substr(0, 1024).find(")[");
  if (roles == text.npos) return false;
  const std::string_view account = text.substr(0, roles);
  const auto realm = account.find('(');
  if (realm == account.npos) return false;
  h.user = account.substr(0, realm);
  h.realm = account.substr(realm + 1);
  text.remove_prefix(roles + 2);
  const auto message = text.find("] - ");
  if (message == text.npos) return false;
  h.roles = text.substr(0, message);
  h.message = text.substr(message + 4);
  return true;
}

// "ive | 2026-11-22 08:00:00 | ADM100 | info | DEVICE |  | SOURCE | USER | ROLE | ... | MESSAGE" of Pulse One and
// Policy Secure.
bool read_columns(std::string_view text, Header& h) {
  for (int column = 0; !text.empty() && column < 32; ++column) {
    const bool last = text.find('|') == text.npos;
    const std::string_view value = core::trim(core::take_until(text, '|'));
    if (last) {
      h.message = value;
      return column > 8;
    }
    switch (column) {
      case 0: h.node = value; break;
      case 1:
        if (!is_clock(value)) return false;
        h.time = value;
        break;
      case 2: h.code = value; break;
      case 6: h.source = value; break;
      case 7: h.user = value; break;
      case 8: h.roles = value; break;
      default: break;
    }
  }
  return false;
}

bool is_welf(std::string_view text) {
  if (!text.starts_with("id=firewall ")) return false;
  const std::string_view head = text.substr(0, 600);
  return head.contains(" vpn=") && head.contains(" realm=\"") && head.contains(" roles=\"");
}

void read_welf(std::string_view text, Header& h) {
  Values<kKeys> v(kNames);
  v.read(text, ' ');
  h.node = v.either(kVpn, kFw);
  h.time = v[kTime];
  h.source = v[kSrc];
  h.user = v[kUser];
  h.realm = v[kRealm];
  h.roles = v[kRoles];
  h.agent = v[kAgent];
  // The message is the last value and may hold quotes.
  if (const auto at = text.find(" msg=\""); at != text.npos) {
    h.message = core::trim(text.substr(at + 6));
    if (h.message.ends_with('"')) h.message.remove_suffix(1);
  }
}

// "AUT31504: " at the front; moves behind it.
std::string_view take_code(std::string_view& message) {
  if (message.size() < 10) return {};
  for (std::size_t i = 0; i < 8; ++i) {
    const char c = message[i];
    if (i < 3 ? (c < 'A' || c > 'Z') : !is_digit(c)) return {};
  }
  if (message[8] != ':') return {};
  const std::string_view code = message.substr(0, 8);
  message = core::trim(message.substr(9));
  return code;
}

// The address behind the last " from " of "... for alice/Staff from 198.51.100.7 with AGENT."
core::Ip address_after(std::string_view text, std::string_view word) {
  core::Ip ip;
  if (const auto at = text.find(word); at != text.npos) {
    Scanner s(text.substr(at + word.size()));
    s.skip('(');
    s.skip('\'');
    s.ip(ip);
  }
  return ip;
}

// "(session:sid4f5e)", "(session: sid4f5e)": the session's number is its hash.
void put_session_id(std::string_view text, Event& e) {
  const auto at = text.find("(session:");
  if (at == text.npos) return;
  const std::string_view id = core::trim(text.substr(at + 9, text.find(')', at) - at - 9));
  // The short form and "00000000" are masked: the same for every session.
  if (id.find_first_not_of('0') != id.npos) e.session_id = core::hash64(id);
}

void put_agent(std::string_view agent, Event& e) {
  while (agent.ends_with('.') || agent.ends_with(' ')) agent.remove_suffix(1);
  if (agent.empty()) return;
  e.user_agent = core::intern(agent);
  // "Pulse-Secure/9.1.13.11723 (Windows 10) Pulse/9.1.13.11723"; browsers put more into their brackets.
  if (!agent.contains("Pulse") && !agent.contains("Ivanti")) return;
  const auto open = agent.find('(');
  if (open != agent.npos) e.client_os = core::intern(agent.substr(open + 1, agent.find(')', open) - open - 1));
}

// "IPv4 address 10.0.0.5", "IP 10.0.0.5"
void put_assigned(std::string_view text, Event& e) {
  for (const std::string_view word : {" IPv4 address "sv, " IPv6 address "sv, " IP "sv}) {
    const core::Ip ip = address_after(text, word);
    if (!ip.present()) continue;
    e.assigned_ip = ip;
    return;
  }
}

void observed(Event& e, Outcome outcome) {
  e.event_class = Class::kAuthentication;
  e.activity = Activity::kObserved;
  e.outcome = outcome;
}

void session(Event& e, Activity activity, std::string_view reason = {}) {
  put_session(e, activity);
  if (activity == Activity::kStart) e.outcome = Outcome::kSuccess;
  if (!reason.empty()) e.reason = core::intern(reason);
}

void put_reason(std::string_view text, Event& e) {
  const auto at = text.find("Reason:");
  if (at == text.npos) return;
  std::string_view reason = core::trim(text.substr(at + 7));
  if (reason.starts_with('\'')) reason = reason.substr(1, reason.find('\'', 1) - 1);
  e.reason = closed_reason(reason);
}

// "Local Authentication", "LDAP Server", "Radius Server", "ACE Server", "SAML Server", "Certificate Server"
event::AuthMethod method_of(std::string_view text) {
  struct Row {
    std::string_view word;
    event::AuthMethod method;
  };
  static constexpr std::array kRows = {Row{"(Radius", event::AuthMethod::kRadius},
                                       Row{"(RADIUS", event::AuthMethod::kRadius},
                                       Row{"(LDAP", event::AuthMethod::kLdap},
                                       Row{"(SAML", event::AuthMethod::kSaml},
                                       Row{"(Certificate", event::AuthMethod::kCertificate},
                                       Row{"(Local", event::AuthMethod::kPassword},
                                       Row{"(System Local", event::AuthMethod::kPassword},
                                       Row{"(Active Directory", event::AuthMethod::kKerberos}};
  for (const Row& row : kRows) {
    if (text.contains(row.word)) return row.method;
  }
  return event::AuthMethod::kUnknown;
}

// "Closed connection to TUN-VPN port 443 after 9 seconds, with 1308 bytes read (in 1 chunks) and 1131 bytes written
// ..."
void closed_connection(std::string_view text, Event& e) {
  Scanner s(text);
  const std::string_view target = s.word();
  std::uint16_t port = 0;
  if (s.skip(" port ")) port = s.port();
  const auto ip = core::Ip::parse(target);
  if (target == "TUN-VPN" || (ip && port == 0)) {
    session(e, Activity::kEnd);
    if (ip) e.assigned_ip = *ip;
  } else {
    // A connection of the portal (web, file, terminal service) to an inner server.
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    e.action = event::Action::kAllowed;
    if (ip) {
      e.destination_ip = *ip;
    } else {
      e.destination_name = core::intern(target);
    }
    e.destination_port = port;
  }
  if (s.skip_past(" after ")) e.duration = seconds(s.number());
  if (s.skip_past(" with ")) e.source_bytes = s.number();
  if (s.skip_past(" and ")) e.destination_bytes = s.number();
}

struct Words {
  std::string_view words;
  std::string_view name;
};

// Messages that the product does not need, by words that they begin with or hold.
constexpr std::array kIgnoredBeginnings = {
    Words{"Host Checker", "Host Checker"},
    Words{"Session variable", "policy trace"},
    Words{"VPN Tunneling: ACL count", "access list count"},
    Words{"VPN Tunneling: Optimized ACL count", "access list count"},
    Words{"Key Exchange number", "key exchange"},
    Words{"CRL checking", "certificate revocation"},
    Words{"The X.509 certificate", "certificate revocation"},
    Words{"LMDB", "system"},
    Words{"Sending ", "system"},
    Words{"System", "system"},
    Words{"Warning! Number of concurrent users", "concurrent users"},
    Words{"Number of ", "system"},
    Words{"WebRequest", "web request"},
};
constexpr std::array kIgnoredWords = {
    Words{"realm restrictions successfully passed", "realm restrictions passed"},
    Words{"realm restrictions failed", "realm restrictions failed"},
    Words{"Host Checker", "Host Checker"},
    Words{"certificate", "certificate revocation"},
};

class PulseSecure final : public RecordDecoder {
 public:
  explicit PulseSecure(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    const std::string_view text = r.message;
    if (is_welf(text)) return true;
    // A filter of the user's own is claimed, too, and rejected: it must not go unseen.
    if (r.program.starts_with("PulseSecure")) return true;
    Header h;
    return text.substr(0, 160).contains(" - [") && read_standard(text, h) && is_address(h.source);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Header h;
    if (is_welf(record.message)) {
      read_welf(record.message, h);
    } else if (!read_standard(record.message, h) && !read_columns(record.message, h)) {
      return Fate::rejected(kOtherFilter);
    }
    std::string_view message = core::trim(h.message);
    if (message.empty()) return Fate::rejected(kNoMessage);
    if (!h.node.empty()) e.observer = core::intern(h.node);
    put_time(h.time, e);
    if (const std::string_view code = take_code(message); !code.empty()) h.code = code;
    e.code = core::intern(h.code);
    // The built-in roles of administrators begin with a dot.
    h.management = h.roles.starts_with('.') || h.realm.starts_with("Admin") || h.realm.starts_with("Platform") ||
                   e.code.text().starts_with("ADM");
    if (const auto system = h.user.find("::"); system != h.user.npos) h.user.remove_prefix(system + 2);
    if (h.user != "System") set_user(e, h.user);
    e.group = core::intern(h.realm);
    e.source_ip = given_ip(h.source);
    put_agent(h.agent, e);
    put_session_id(message, e);
    const Fate fate = tell(message, h, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static bool is_address(std::string_view text) { return core::Ip::parse(text).has_value(); }

  // The envelope knows the zone, the message the year; they are of the same moment.
  void put_time(std::string_view clock, Event& e) const {
    const auto time = core::parse_iso8601(clock, times_);
    if (time && (e.time == 0 || *time > e.time + core::kDay || *time < e.time - core::kDay)) e.time = *time;
  }

  static Fate login(std::string_view t, const Header& h, Outcome outcome, Event& e) {
    put_login(e, outcome, h.management ? Service::kManagement : Service::kVpn);
    if (const core::Ip ip = address_after(t, " from "); ip.present()) e.source_ip = ip;
    if (const auto with = t.find(" with "); with != t.npos && outcome == Outcome::kSuccess) {
      put_agent(t.substr(with + 6), e);
    }
    put_reason(t, e);
    return Fate::kept();
  }

  // "Primary authentication failed for alice/Local from 198.51.100.7"
  static Fate factor(std::string_view t, Header& h, bool second, Event& e) {
    const bool good = skip_prefix(t, "successful");
    if (!good && !skip_prefix(t, "failed")) return Fate::ignored(kOther);
    if (t.starts_with(" for admin ") && t.contains('/')) h.management = true;
    if (!good) {
      login(t, h, Outcome::kFailure, e);
      e.reason = core::intern(second ? "secondary authentication failed" : "primary authentication failed");
    } else {
      // The second factor completes the proof; the first may be followed by one.
      observed(e, Outcome::kSuccess);
      if (second) e.activity = Activity::kChallenge;
      e.service = h.management ? Service::kManagement : Service::kVpn;
      if (const core::Ip ip = address_after(t, " from "); ip.present()) e.source_ip = ip;
    }
    if (second) e.mfa = Mfa::kYes;
    return Fate::kept();
  }

  static Fate tunnel(std::string_view t, Event& e) {
    if (t.starts_with("Session started")) {
      session(e, Activity::kStart);
      if (const auto at = t.find("hostname "); at != t.npos) {
        Scanner s(t.substr(at + 9));
        e.client_host = core::intern(s.word());
      }
    } else if (t.starts_with("Session ended")) {
      session(e, Activity::kEnd);
    } else if (t.starts_with("User with IP") || t.starts_with("Transport mode")) {
      session(e, Activity::kUpdate);
      e.application = core::intern(t.contains("ESP") ? "esp" : "ssl");
    } else if (t.contains("count = ")) {
      return Fate::ignored("access list count");
    } else {
      return Fate::ignored("VPN tunnel other");
    }
    put_assigned(t, e);
    return Fate::kept();
  }

  static Fate handshake(std::string_view t, Event& e) {
    e.event_class = Class::kHandshake;
    e.activity = Activity::kObserved;
    e.outcome = Outcome::kFailure;
    if (const core::Ip ip = address_after(t, "source IP "); ip.present()) e.source_ip = ip;
    e.destination_ip = address_after(t, "connect to ");
    e.application = core::intern("ssl");
    if (t.contains("Reason:")) {
      put_reason(t, e);
    } else if (const auto alert = t.find("alert '"); alert != t.npos) {
      e.reason = closed_reason(t.substr(alert + 7, t.find('\'', alert + 7) - alert - 7));
    }
    return Fate::kept();
  }

  static Fate tell(std::string_view t, Header& h, Event& e) {
    if (skip_prefix(t, "VPN Tunneling: ")) return tunnel(t, e);
    if (t.starts_with("Transport mode switched over")) return tunnel(t, e);
    if (skip_prefix(t, "Primary authentication ")) return factor(t, h, false, e);
    if (skip_prefix(t, "Secondary authentication ")) return factor(t, h, true, e);
    for (const std::string_view begins : {"Login succeeded for "sv, "Agent login succeeded for "sv,
                                          "SOAP login succeeded for "sv, "Super admin session created"sv}) {
      if (t.starts_with(begins)) return login(t, h, Outcome::kSuccess, e);
    }
    if (t.starts_with("Login failed using auth server ") || t.starts_with("Login failed (")) {
      // The authentication server's answer; "Primary authentication failed" follows.
      observed(e, Outcome::kFailure);
      e.service = h.management ? Service::kManagement : Service::kVpn;
      put_reason(t, e);
      e.auth_method = method_of(t);
      return Fate::kept();
    }
    if (t.starts_with("Login failed")) return login(t, h, Outcome::kFailure, e);
    if (t.starts_with("Authentication rejected")) return login(t, h, Outcome::kFailure, e);
    if (t.starts_with("Logout from ")) {
      put_login(e, Outcome::kUnknown, h.management ? Service::kManagement : Service::kVpn);
      e.activity = Activity::kLogoff;
      return Fate::kept();
    }
    if (skip_prefix(t, "Closed connection to ")) {
      closed_connection(t, e);
      return Fate::kept();
    }
    if (t.starts_with("Session resumed from user agent '")) {
      session(e, Activity::kUpdate);
      t.remove_prefix(33);
      put_agent(t.substr(0, t.find('\'')), e);
      return Fate::kept();
    }
    if (t.starts_with("Remote address for user ")) {
      session(e, Activity::kUpdate, "remote address changed");
      if (const auto to = t.rfind(" to "); to != t.npos) {
        if (const core::Ip ip = address_after(t.substr(to), " to "); ip.present()) e.source_ip = ip;
      }
      return Fate::kept();
    }
    if (t.starts_with("Session timed out")) return ended("idle timeout", e);
    if (t.starts_with("Max session timeout")) return ended("session timeout", e);
    if (t.starts_with("Session for user ") && t.contains("terminated")) return ended("terminated", e);
    if (const auto out = t.find(" logged out from IP "); out != t.npos) {
      if (const core::Ip ip = address_after(t, " logged out from IP "); ip.present()) e.source_ip = ip;
      return ended("new session", e);
    }
    if (t.starts_with("SSL negotiation failed") || t.starts_with("TLS handshake failed")) return handshake(t, e);
    if (t.starts_with("Connection from IP ") && t.contains("not authenticated yet")) {
      handshake(t, e);
      e.outcome = Outcome::kUnknown;
      e.reason = core::intern("not authenticated yet");
      return Fate::kept();
    }
    return ignored(t, e);
  }

  static Fate ended(std::string_view reason, Event& e) {
    session(e, Activity::kEnd, reason);
    return Fate::kept();
  }

  static Fate ignored(std::string_view t, const Event& e) {
    for (const Words& row : kIgnoredBeginnings) {
      if (t.starts_with(row.words)) return Fate::ignored(row.name);
    }
    for (const Words& row : kIgnoredWords) {
      if (t.contains(row.words)) return Fate::ignored(row.name);
    }
    const std::string_view family = e.code.text().substr(0, 3);
    if (family == "ADM") return Fate::ignored("administration other than log-ins");
    if (family == "SYS" || family == "ERR") return Fate::ignored("system");
    return Fate::ignored(kOther);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_pulse_secure(const core::TimeReader& times) {
  return std::make_unique<PulseSecure>(times);
}

}  // namespace orbwatch::decode
