// Cisco IOS, IOS XE, IOS XR and NX-OS syslog: access lists, log-ins to the device, VPN, zone-based firewall.
//
// Sources: Cisco IOS, IOS XE and NX-OS System Message Guides; IOS XR System Error Message Reference (cisco.com). Seen:
// IOS 12.4 to IOS XE 17, NX-OS 7 to 10, IOS XR 6 and 7.
//   *Nov 22 08:00:00.123: %SEC-6-IPACCESSLOGP: list 102 denied tcp 203.0.113.9(3067) -> 192.0.2.7(22), 1 packet
//   gw1: Nov 22 2026 08:00:01.123 CET: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: jdoe] [Source: 203.0.113.7]
//   [localport: 22] at 08:00:01 CET Sun Nov 22 2026
//   2026 Nov 22 08:00:02 CET: %AUTHPRIV-3-SYSTEM_MSG: pam_aaa:Authentication failed from 203.0.113.9 - dcos_sshd[6531]
// Every other message is ignored by name ("message SYS-5-CONFIG_I").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoAddress = core::intern("cisco_ios: no address");
const Symbol kNoUser = core::intern("cisco_ios: no user");
const Symbol kNotNeeded;  // the caller names the message

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_name(char c) { return is_upper(c) || is_digit(c) || c == '_'; }

constexpr std::size_t kLongestHeader = 200;  // sequence number, host, time and process in front of the message

// "SEC-6-IPACCESSLOGP", "SECURITY-SSHD-6-INFO_SUCCESS": facility, severity, mnemonic.
struct Message {
  std::size_t at = 0;         // of the percent sign
  std::string_view name;      // "SEC-6-IPACCESSLOGP"
  std::string_view facility;  // "SEC", "SECURITY-SSHD"
  std::string_view mnemonic;  // "IPACCESSLOGP"
  std::string_view text;      // behind the colon
};

bool scan_name(std::string_view text, Message& out) {
  std::size_t begin = 0;
  std::size_t severity = 0;
  std::size_t i = 0;
  for (; i < text.size() && i < 80; ++i) {
    if (is_name(text[i])) continue;
    if (text[i] != '-') break;
    if (i == begin) return false;
    if (severity == 0 && begin != 0 && i == begin + 1 && text[begin] >= '0' && text[begin] <= '7') severity = begin;
    begin = i + 1;
  }
  if (severity == 0 || i == begin || !is_upper(text[0]) || i >= text.size() || (text[i] != ':' && text[i] != ' '))
    return false;
  out.name = text.substr(0, i);
  out.facility = text.substr(0, severity - 1);
  out.mnemonic = text.substr(severity + 2, i - severity - 2);
  Scanner s(text.substr(i));
  s.spaces();
  s.skip(':');
  s.spaces();
  out.text = s.rest();
  return true;
}

bool find_message(std::string_view text, Message& out) {
  const std::string_view head = text.substr(0, kLongestHeader);
  for (auto at = head.find('%'); at != head.npos; at = head.find('%', at + 1)) {
    if (at != 0 && text[at - 1] != ' ' && text[at - 1] != ':') continue;
    if (!scan_name(text.substr(at + 1), out)) continue;
    // The firewalls have decoders of their own.
    for (const std::string_view other : {"ASA"sv, "FTD"sv, "PIX"sv, "FWSM"sv, "NGIPS"sv}) {
      if (out.facility == other) return false;
    }
    out.at = at;
    return true;
  }
  return false;
}

// "[user: jdoe]" -> jdoe
std::string_view bracketed(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return {};
  text.remove_prefix(at + key.size());
  return core::trim(text.substr(0, text.find(']')));
}

// "user 'jdoe'" -> jdoe
std::string_view quoted(std::string_view text, std::string_view words) {
  const auto at = text.find(words);
  if (at == text.npos) return {};
  Scanner s(text.substr(at + words.size()));
  return s.skip('\'') ? s.until('\'') : std::string_view{};
}

void put_source(std::string_view text, std::string_view words, Event& e) {
  Scanner s(text);
  if (!s.skip_past(words)) return;
  s.skip('\'');
  if (s.ip(e.source_ip) && s.skip(':')) e.source_port = s.port();
}

Fate management(Event& e, Outcome outcome, Activity activity = Activity::kLogon) {
  put_login(e, outcome, Service::kManagement);
  e.activity = activity;
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
}

Outcome outcome_of(std::string_view text) {
  if (text.contains("ucceeded") || text.contains("uccessful") || text.contains("assed") || text.contains("uccess "))
    return text.contains("Un-Successful") || text.contains("nsuccessful") ? Outcome::kFailure : Outcome::kSuccess;
  return Outcome::kFailure;
}

// "(3067)" at the cursor, "(GigabitEthernet0/1 0200.0000.0001)" or "(8/0)" behind a space.
void scan_port(Scanner& s, std::uint16_t& port) {
  if (s.peek() != '(' || !is_digit(s.peek(1))) return;
  s.advance(1);
  port = s.port();
  s.skip(')');
}

// "list 102 denied tcp A(P) [(interface mac)] -> B(P), 1 packet", "list 1 denied A 3 packets", of IOS XR "access-list x
// (10) deny tcp A(P) -> B(P), 1 packet"
Fate access_list(std::string_view text, Event& e) {
  Scanner s(text);
  if (!s.skip_past("list ")) return Fate::rejected(kNoAddress);
  std::string_view name = s.word();
  e.rule = core::intern(name.substr(0, name.find('/')));  // "NAME/20" of IPv6 names the entry
  s.spaces();
  if (s.skip('(')) {
    s.until(')');
    s.skip(") ");
  }
  const std::string_view verdict = s.word();
  if (!verdict.starts_with("permit") && !verdict.starts_with("den")) return Fate::rejected(kNoAddress);
  e.action = verdict.starts_with("permit") ? Action::kAllowed : Action::kDenied;
  s.spaces();
  if (!s.ip(e.source_ip)) {
    e.protocol = protocol_number(s.word());
    s.spaces();
    if (!s.ip(e.source_ip)) return Fate::rejected(kNoAddress);
  }
  scan_port(s, e.source_port);
  if (Scanner ahead = s; ahead.skip(" (")) {
    const std::string_view interface = ahead.until_any(" )");
    if (!interface.empty() && !is_digit(interface[0])) e.ingress = core::intern(interface);
  }
  if (Scanner ahead = s; ahead.skip_past("-> ")) {
    ahead.ip(e.destination_ip);
    scan_port(ahead, e.destination_port);
    s = ahead;
  }
  if (const auto packets = text.rfind(" packet"); packets != text.npos) {
    const auto space = text.rfind(' ', packets - 1);
    if (space != text.npos) e.source_packets = Scanner(text.substr(space + 1)).number();
  }
  e.event_class = Class::kConnection;
  return Fate::kept();
}

// NX-OS: "Src IP: A, Dst IP: B, Src Port: 1, Dst Port: 2, Src Intf: Ethernet1/1, Protocol: "TCP"(6), ACL Name: x, ACE
// Action: Deny, ..., Hit-count = 5"
Fate access_flow(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past("Src IP: ")) s.ip(e.source_ip);
  if (s.skip_past("Dst IP: ")) s.ip(e.destination_ip);
  if (s.skip_past("Src Port: ")) e.source_port = s.port();
  if (s.skip_past("Dst Port: ")) e.destination_port = s.port();
  if (s.skip_past("Src Intf: ")) e.ingress = core::intern(s.until(','));
  if (s.skip_past("Protocol: ") && s.skip_past("(")) e.protocol = static_cast<std::uint8_t>(s.number());
  if (s.skip_past("ACL Name: ")) e.rule = core::intern(s.until(','));
  if (s.skip_past("Action: ")) e.action = s.rest().starts_with("Permit") ? Action::kAllowed : Action::kDenied;
  if (s.skip_past("Hit-count = ") || s.skip_past("Hit-count: ")) e.source_packets = s.number();
  e.event_class = Class::kConnection;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "Login Success [user: jdoe] [Source: A] [localport: 22] at ...", "Login failed [user: x] [Source: A] [localport: 22]
// [Reason: Login Authentication Failed] at ..."
Fate login(std::string_view text, Event& e) {
  set_typed_user(e, bracketed(text, "[user: "));
  e.source_ip = given_ip(bracketed(text, "[Source: "));
  e.destination_port = Scanner(bracketed(text, "[localport: ")).port();
  if (const auto reason = bracketed(text, "[Reason: "); !reason.empty()) e.reason = closed_reason(reason);
  if (e.destination_port == 22) e.application = core::intern("ssh");
  if (e.destination_port == 23) e.application = core::intern("telnet");
  return management(e, text.starts_with("Login Success") ? Outcome::kSuccess : Outcome::kFailure);
}

Fate web_login(std::string_view text, Event& e) {
  e.application = core::intern("web");
  return login(text, e);
}

// IOS XE: "Switch 1 R0/0: nginx: Login Successful from host A by user 'admin' using crypto cipher '...'"
Fate webserver(std::string_view text, Event& e) {
  e.application = core::intern("web");
  put_source(text, "from host ", e);
  set_typed_user(e, quoted(text, "by user "));
  return management(e, outcome_of(text));
}

// "User 'jdoe' authentication for SSH2 Session from A (tty = 0) using crypto cipher '..', hmac '..' Succeeded"
Fate ssh_login(std::string_view text, Event& e) {
  e.application = core::intern("ssh");
  set_typed_user(e, quoted(text, "User "));
  put_source(text, " from ", e);
  return management(e, text.ends_with("Succeeded") ? Outcome::kSuccess : Outcome::kFailure);
}

// "SSH2 Session request from A (tty = 0) using crypto cipher '..', hmac '..' Succeeded"
Fate ssh_session(std::string_view text, Event& e) {
  e.application = core::intern("ssh");
  e.service = Service::kManagement;
  put_source(text, " from ", e);
  e.event_class = Class::kHandshake;
  e.activity = Activity::kStart;
  e.outcome = text.ends_with("Succeeded") ? Outcome::kSuccess : Outcome::kFailure;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "SSH2 Session from A (tty = 0) for user 'jdoe' using crypto cipher '..', hmac '..' closed"
Fate ssh_close(std::string_view text, Event& e) {
  e.application = core::intern("ssh");
  put_source(text, " from ", e);
  set_typed_user(e, quoted(text, "for user "));
  if (e.user.present()) return management(e, Outcome::kUnknown, Activity::kLogoff);
  e.service = Service::kManagement;
  e.event_class = Class::kHandshake;  // nobody had logged in
  e.activity = Activity::kEnd;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "User jdoe has exited tty session 2(A)"
Fate logout(std::string_view text, Event& e) {
  const auto exited = text.find(" has exited");
  if (exited == text.npos || !skip_prefix(text, "User ")) return Fate::ignored(kNotNeeded);
  set_typed_user(e, text.substr(0, exited - 5));
  put_source(text, "(", e);
  return management(e, Outcome::kUnknown, Activity::kLogoff);
}

// "(exec timer expired, tty 2 (A)), user jdoe"
Fate timer(std::string_view text, Event& e) {
  const auto open = text.rfind('(');
  if (open != text.npos) e.source_ip = given_ip(text.substr(open + 1, text.find(')', open) - open - 1));
  const auto user = text.rfind("user ");
  if (user != text.npos) set_typed_user(e, text.substr(user + 5));
  return management(e, Outcome::kUnknown, Activity::kLogoff);
}

// "Authentication to privilege level 15 failed by jdoe on vty0 (A)"
Fate privilege(std::string_view text, Event& e) {
  Scanner s(text);
  if (!s.skip_past(" by ")) return Fate::rejected(kNoUser);
  set_typed_user(e, s.word());
  if (s.skip_past("(")) s.ip(e.source_ip);
  e.reason = core::intern("privilege level");
  return management(e, text.contains("passed") ? Outcome::kSuccess : Outcome::kFailure, Activity::kObserved);
}

// "... User 'jdoe' authenticated successfully from A:38066 and was authorized for netconf over ssh", "Authentication
// failure for user 'x' from A:1 for netconf over ssh"
Fate netconf(std::string_view text, Event& e) {
  e.application = core::intern("netconf");
  set_typed_user(e, quoted(text, text.contains("User '") ? "User " : "user "));
  put_source(text, "from ", e);
  return management(e, outcome_of(text));
}

// IOS XR: "Successfully authenticated user 'root' from 'A' on 'vty0'", "Failed authentication attempt by user 'root'
// from 'A' on 'vty0'", "User 'root' from 'A' logged out on 'vty0'"
Fate xr_login(std::string_view text, Event& e) {
  const bool out = text.contains("logged out");
  set_typed_user(e, quoted(text, out ? "User " : "user "));
  put_source(text, " from ", e);
  if (out) return management(e, Outcome::kUnknown, Activity::kLogoff);
  return management(e, text.starts_with("Success") ? Outcome::kSuccess : Outcome::kFailure);
}

// NX-OS passes on what PAM and sshd say: "pam_aaa:Authentication failed for user jdoe from A - dcos_sshd[6531]",
// "error: PAM: Authentication failure for illegal user x from A - dcos_sshd[1]", "Accepted password for jdoe from A
// port 1 ssh2"
Fate system_message(std::string_view text, Event& e) {
  const bool accepted = text.starts_with("Accepted ");
  if (!accepted && !text.contains("uthentication fail")) return Fate::ignored(kNotNeeded);
  const auto from = text.rfind(" from ");
  if (from == text.npos) return Fate::ignored(kNotNeeded);
  Scanner s(text.substr(from + 6));
  s.ip(e.source_ip);
  if (s.skip(" port ")) e.source_port = s.port();
  const std::string_view head = text.substr(0, from);
  if (auto at = head.rfind(" for "); at != head.npos) {
    std::string_view name = head.substr(at + 5);
    if (skip_prefix(name, "illegal user ") || skip_prefix(name, "invalid user "))
      e.reason = core::intern("invalid user");
    skip_prefix(name, "user ");
    set_typed_user(e, name);
  }
  if (text.contains("sshd")) e.application = core::intern("ssh");
  return management(e, accepted ? Outcome::kSuccess : Outcome::kFailure);
}

// NX-OS: "start:A@pts/0:jdoe:", "stop:A@pts/0:jdoe:shell terminated ..."; what the device itself did has no address.
Fate accounting(std::string_view text, Event& e) {
  const std::string_view kind = core::take_until(text, ':');
  if (kind != "start" && kind != "stop") return Fate::ignored(kNotNeeded);
  if (!text.contains('@')) return Fate::ignored(kNotNeeded);
  e.source_ip = given_ip(text.substr(0, text.find('@')));
  text.remove_prefix(text.find('@'));
  core::take_until(text, ':');
  set_typed_user(e, text.substr(0, text.find(':')));
  if (!e.source_ip.present()) return Fate::ignored(kNotNeeded);
  if (kind == "stop") return management(e, Outcome::kUnknown, Activity::kLogoff);
  return management(e, Outcome::kSuccess);
}

// SSL VPN: "vw_ctx: corp vw_gw: gw1 remote_ip: A user_name: jdoe, Authentication successful, user logged in"
Fate ssl_vpn(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip("vw_ctx: ")) {
    if (const auto name = s.word(); name != "unknown") e.group = core::intern(name);
  }
  if (s.skip_past("remote_ip: ")) s.ip(e.source_ip);
  if (s.skip_past("user_name: ")) set_typed_user(e, s.until(','));
  put_login(e, text.contains("successful") ? Outcome::kSuccess : Outcome::kFailure, Service::kVpn);
  e.application = core::intern("ssl");
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
}

// `crypto logging session`: "Crypto tunnel is UP  . Peer A:500       Id: jdoe", "Crypto tunnel v2 is DOWN. Peer A:4500
// f_vrf: ... Id: ..."
Fate tunnel(std::string_view text, Event& e) {
  put_session(e, text.contains(" UP") ? Activity::kStart : Activity::kEnd, core::intern("ipsec"));
  if (e.activity == Activity::kStart) e.outcome = Outcome::kSuccess;
  put_source(text, "Peer ", e);
  Scanner s(text);
  if (s.skip_past("Id: ")) {
    const std::string_view name = core::trim(s.rest());
    if (!core::Ip::parse(name)) set_typed_user(e, name.substr(0, name.find(' ')));
  }
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// Zone-based firewall: "Start tcp session: initiator (A:P) -- responder (B:P)", "(target:class)-(zp:c):Stop tcp
// session: initiator (A:P) sent 22 bytes -- responder (B:P) sent 34 bytes"
Fate audit_trail(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past("Start ")) {
    e.activity = Activity::kStart;
  } else if (s.skip_past("Stop ")) {
    e.activity = Activity::kEnd;
  } else {
    return Fate::rejected(kNoAddress);
  }
  const std::string_view what = s.word();  // a protocol, or the application that was inspected
  e.protocol = protocol_number(what);
  if (e.protocol == 0) e.application = lower_symbol(what);
  const auto side = [&](std::string_view words, core::Ip& ip, std::uint16_t& port, std::uint64_t& bytes) {
    if (!s.skip_past(words) || !s.ip(ip)) return;
    if (s.skip(':')) port = s.port();
    s.skip(')');
    if (s.skip(" sent ")) bytes = s.number();
  };
  side("initiator (", e.source_ip, e.source_port, e.source_bytes);
  side("responder (", e.destination_ip, e.destination_port, e.destination_bytes);
  e.event_class = Class::kConnection;
  e.action = Action::kAllowed;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "Dropping tcp session A:P B:P on zone-pair x class y due to  policy match failure with ip ident 0"
Fate drop(std::string_view text, Event& e) {
  Scanner s(text);
  if (!s.skip_past("Dropping ")) return Fate::rejected(kNoAddress);
  e.protocol = protocol_number(s.word());
  s.skip_past("session ");
  s.skip_past("pkt ");
  if (s.ip(e.source_ip) && s.skip(':')) e.source_port = s.port();
  s.spaces();
  s.skip("=> ");
  if (s.ip(e.destination_ip) && s.skip(':')) e.destination_port = s.port();
  if (s.skip_past("zone-pair ")) e.rule = core::intern(s.word());
  if (s.skip_past("due to ")) e.reason = closed_reason(s.rest().substr(0, s.rest().find(" with ip")));
  e.event_class = Class::kConnection;
  e.action = Action::kDenied;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "Sig:3051 Subsig:1 Sev:4 TCP Connection Window Size DoS [A:P -> B:P]"
Fate signature(std::string_view text, Event& e) {
  Scanner s(text);
  e.rule = core::intern(s.word());
  const auto open = text.rfind(" -> ");
  if (open == text.npos) return Fate::rejected(kNoAddress);
  const auto bracket = text.rfind('[', open);
  Scanner a(text.substr(bracket + 1));
  if (a.ip(e.source_ip) && a.skip(':')) e.source_port = a.port();
  Scanner b(text.substr(open + 4));
  if (b.ip(e.destination_ip) && b.skip(':')) e.destination_port = b.port();
  e.event_class = Class::kConnection;
  e.activity = Activity::kAlert;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// Which message is read by what; `facility` is how the facility begins ("" = any).
struct Row {
  std::string_view facility;
  std::string_view mnemonic;
  Fate (*read)(std::string_view text, Event& e);
};

constexpr std::array kRows = {
    Row{"", "IPACCESSLOGP", access_list},
    Row{"", "IPACCESSLOGDP", access_list},
    Row{"", "IPACCESSLOGNP", access_list},
    Row{"", "IPACCESSLOGRP", access_list},
    Row{"", "IPACCESSLOGSP", access_list},
    Row{"", "IPACCESSLOGS", access_list},
    Row{"", "ACCESSLOGP", access_list},
    Row{"", "ACCESSLOGDP", access_list},
    Row{"", "ACCESSLOGNP", access_list},
    Row{"", "ACCESSLOGSP", access_list},
    Row{"", "IPV6ACCESSLOGP", access_list},
    Row{"", "IPV6ACCESSLOGDP", access_list},
    Row{"", "IPV6ACCESSLOGNP", access_list},
    Row{"ACLLOG", "ACLLOG_FLOW_INTERVAL", access_flow},
    Row{"ACLLOG", "ACLLOG_NEW_FLOW", access_flow},
    Row{"SEC_LOGIN", "LOGIN_SUCCESS", login},
    Row{"SEC_LOGIN", "LOGIN_FAILED", login},
    Row{"SEC_LOGIN", "WEBLOGIN_SUCCESS", web_login},
    Row{"SEC_LOGIN", "WEBLOGIN_FAILED", web_login},
    Row{"WEBSERVER", "LOGIN_PASSED", webserver},
    Row{"WEBSERVER", "LOGIN_FAILED", webserver},
    Row{"SSH", "SSH2_USERAUTH", ssh_login},
    Row{"SSH", "SSH_USERAUTH", ssh_login},
    Row{"SSH", "SSH2_SESSION", ssh_session},
    Row{"SSH", "SSH_SESSION", ssh_session},
    Row{"SSH", "SSH2_CLOSE", ssh_close},
    Row{"SSH", "SSH_CLOSE", ssh_close},
    Row{"SYS", "LOGOUT", logout},
    Row{"SYS", "TTY_EXPIRE_TIMER", timer},
    Row{"SYS", "PRIV_AUTH_FAIL", privilege},
    Row{"SYS", "PRIV_AUTH_PASS", privilege},
    Row{"DMI", "AUTH_PASSED", netconf},
    Row{"DMI", "AUTH_FAILED", netconf},
    Row{"DMI", "AUTHENTICATION_FAILED", netconf},
    Row{"SECURITY", "INFO_SUCCESS", xr_login},
    Row{"SECURITY", "INFO_FAILURE", xr_login},
    Row{"SECURITY", "INFO_USER_LOGOUT", xr_login},
    Row{"SECURITY", "AUTHEN_SUCCESS", xr_login},
    Row{"SECURITY", "AUTHEN_FAILED", xr_login},
    Row{"AUTHPRIV", "SYSTEM_MSG", system_message},
    Row{"DAEMON", "SYSTEM_MSG", system_message},
    Row{"AAA", "AAA_ACCOUNTING_MESSAGE", accounting},
    Row{"SSLVPN", "LOGIN_AUTH_PASSED", ssl_vpn},
    Row{"SSLVPN", "LOGIN_AUTH_REJECTED", ssl_vpn},
    Row{"CRYPTO", "SESSION_STATUS", tunnel},
    Row{"CRYPTO", "IKEV2_SESSION_STATUS", tunnel},
    Row{"FW", "SESS_AUDIT_TRAIL", audit_trail},
    Row{"FW", "SESS_AUDIT_TRAIL_START", audit_trail},
    Row{"FW", "DROP_PKT", drop},
    Row{"IOSXE", "DROP_PKT", drop},
    Row{"IPS", "SIGNATURE", signature},
};

class CiscoIos final : public RecordDecoder {
 public:
  explicit CiscoIos(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Message message;
    return find_message(r.message, message);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Message message;
    find_message(r.message, message);
    put_header(r, r.message.substr(0, message.at), e);
    e.code = core::intern(message.name);
    for (const Row& row : kRows) {
      if (row.mnemonic != message.mnemonic || !message.facility.starts_with(row.facility)) continue;
      const Fate fate = row.read(core::trim(message.text), e);
      if (fate.verdict == Verdict::kIgnored && !fate.reason.present()) break;
      return fate;
    }
    std::array<char, 96> name;
    char* p = std::copy_n("message ", 8, name.data());
    p = std::copy(message.name.begin(), message.name.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

 private:
  // What stands between envelope and message: "364241: gw1: *Nov 22 2026 08:00:00.123 CET: ". A time that begins with
  // an asterisk comes from a clock that was never set: the envelope's is better.
  void put_header(const TextRecord& r, std::string_view header, Event& e) const {
    const auto all_digits = [](std::string_view word) { return word.find_first_not_of("0123456789") == word.npos; };
    // "<190>gw1: 2026 Nov 22 ...": the envelope took the name for a program's.
    if (!e.observer.present() && !r.program.empty() && !all_digits(r.program)) e.observer = core::intern(r.program);
    while (!(header = core::trim(header)).empty()) {
      std::string_view text = header;
      const bool unset = text.starts_with('*');
      if (text[0] == '*' || text[0] == '.') text.remove_prefix(1);
      core::Nanoseconds time = 0;
      if (skip_time(text, time)) {
        if (!unset || e.time == 0) e.time = time;
        return;  // what follows is the name of a process
      }
      const auto colon = header.find(':');
      if (colon == header.npos) return;
      // "RP/0/RSP0/CPU0:" is the card of a router; a number is the record's own.
      const std::string_view word = header.substr(0, colon);
      if (!e.observer.present() && !all_digits(word) && !word.contains('/') && !word.contains(' '))
        e.observer = core::intern(word);
      header.remove_prefix(colon + 1);
    }
  }

  // "Nov 22 08:00:00.123 CET:", "Nov 22 2026 08:00:00:", "2026 Nov 22 08:00:00 CET:" (NX-OS).
  bool skip_time(std::string_view& text, core::Nanoseconds& time) const {
    std::string_view rest = text;
    if (rest.size() >= 20 && is_digit(rest[0]) && rest[4] == ' ') {
      // Put the year where core looks for it: behind the day.
      const auto clock = rest.find(' ', 10);
      if (clock > 11 || rest.size() < clock + 9) return false;
      std::array<char, 32> ordered;
      char* p = std::copy_n(rest.data() + 5, clock - 5, ordered.data());
      p = std::copy_n(" ", 1, p);
      p = std::copy_n(rest.begin(), 4, p);
      p = std::copy_n(rest.data() + clock, 9, p);
      std::string_view line(ordered.data(), static_cast<std::size_t>(p - ordered.data()));
      const auto read = core::parse_bsd(line, times_);
      if (!read) return false;
      time = *read;
      rest.remove_prefix(clock + 9);
    } else {
      const auto read = core::parse_bsd(rest, times_);
      if (!read) return false;
      time = *read;
    }
    Scanner s(rest);
    if (s.skip('.')) s.number();  // NX-OS with fractions
    s.spaces();
    if (const auto hours = zone_hours(s.until_any(": ")); hours && time != 0)
      time += times_.offset_seconds_at_utc(time) * core::kSecond - *hours * core::kHour;
    text = s.rest();
    return true;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cisco_ios(const core::TimeReader& times) {
  return std::make_unique<CiscoIos>(times);
}

}  // namespace orbwatch::decode
