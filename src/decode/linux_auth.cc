// Log-ins that Linux and BSD hosts write to syslog beside OpenSSH's (openssh.cc): PAM modules of any service, sudo, su,
// login, FTP servers, mail servers (Dovecot, Cyrus, UW, Postfix SASL), Dropbear, Samba, Webmin, Proxmox, xinetd and
// libwrap; the own log files of vsftpd, ProFTPD, Webmin (webmin.log) and Proxmox Backup Server (auth.log). Source of
// the texts: Linux-PAM (pam_unix, pam_faillock, pam_access, pam_listfile), SSSD, Samba, util-linux, shadow, BusyBox,
// sudo, and the programs named.
//
// Three sample lines:
//   Nov 20 08:15:30 h1 vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob
//   rhost=203.0.113.7
//   Nov 20 08:15:31 mx dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.10, lip=198.51.100.2
//   Nov 20 08:15:32 ap dropbear[12]: Bad password attempt for 'root' from 203.0.113.9:52289
//
// Attempts (logon) are counted once: where a program tells the same attempt twice, the second line is an observed fact.
// Sessions of programs that only act on the host itself (sudo, cron, a desktop) are ignored by name.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("linux_auth: no time");
const Symbol kNoMessage = core::intern("linux_auth: no message");
const Symbol kNothing = core::intern("linux_auth: neither user nor address");
const Symbol kPamMessage = core::intern("PAM module's message");
const Symbol kPamSummary = core::intern("PAM summary of failures");
const Symbol kLocalSession = core::intern("local session");

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// What stands between the first `open` and the next `close`, and moves behind it; empty and unmoved if there is none.
std::string_view take_between(std::string_view& text, char open, char close) {
  const auto from = text.find(open);
  if (from == text.npos) return {};
  const auto to = text.find(close, from + 1);
  if (to == text.npos) return {};
  const std::string_view inside = text.substr(from + 1, to - from - 1);
  text.remove_prefix(to + 1);
  return inside;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"' || text.front() == '`')) {
    text.remove_prefix(1);
    if (text.back() == '\'' || text.back() == '"') text.remove_suffix(1);
  }
  return text;
}

void set_reason(std::string_view reason, Event& e) { e.reason = core::intern(reason); }

// An address, or a name that stands in its place.
void set_remote(std::string_view text, Event& e) {
  text = core::trim(text);
  if (const auto ip = core::Ip::parse(text)) {
    e.source_ip = *ip;
  } else if (!text.empty() && text != "-" && text != "?" && text != "UNKNOWN" && text != "unknown") {
    e.client_host = core::intern(text);
  }
}

// "192.0.2.1:5543", "<::ffff:192.0.2.1:5543>": the port is behind the last colon.
void set_endpoint(std::string_view text, Event& e) {
  text = core::trim(text);
  if (skip_prefix(text, "<")) text = text.substr(0, text.find('>'));
  const auto colon = text.rfind(':');
  if (colon != text.npos) e.source_port = json::port(text.substr(colon + 1));
  set_remote(text.substr(0, colon), e);
}

// "client.example[192.0.2.1]", "client.example [192.0.2.1]"
void set_bracketed(std::string_view text, Event& e) {
  const std::string_view name = core::trim(text.substr(0, text.find('[')));
  const std::string_view inside = take_between(text, '[', ']');
  set_remote(inside, e);
  if (!core::Ip::parse(name) && name != inside) {
    if (!name.empty() && name != "unknown" && name != "UNKNOWN") e.client_host = core::intern(name);
  }
}

Fate kept(Event& e) {
  if (e.user.present() || e.source_ip.present() || e.client_host.present()) return Fate::kept();
  return Fate::rejected(kNothing);
}

Fate authentication(Activity activity, Outcome outcome, Event& e) {
  e.event_class = Class::kAuthentication;
  e.activity = activity;
  e.outcome = outcome;
  return kept(e);
}
Fate success(Event& e) { return authentication(Activity::kLogon, Outcome::kSuccess, e); }
Fate failure(std::string_view reason, Event& e) {
  if (!reason.empty()) set_reason(reason, e);
  return authentication(Activity::kLogon, Outcome::kFailure, e);
}
// A fact around a failed log-in, not the attempt itself.
Fate around(std::string_view reason, Event& e) {
  set_reason(reason, e);
  return authentication(Activity::kObserved, Outcome::kFailure, e);
}
Fate session(Activity activity, Event& e) {
  e.event_class = Class::kSession;
  e.activity = activity;
  return kept(e);
}
// A connection that did not come to a log-in, or one that libwrap and alike refused.
Fate connection(Activity activity, Action action, std::string_view reason, Event& e) {
  e.event_class = Class::kConnection;
  e.activity = activity;
  e.action = action;
  e.protocol = 6;
  if (!reason.empty()) {
    set_reason(reason, e);
    e.outcome = Outcome::kFailure;
  }
  return kept(e);
}

// --- PAM -------------------------------------------------------------------------------------------------------------

struct PamMessage {
  std::string_view module;   // "pam_unix"
  std::string_view service;  // "vsftpd"; "" if not said
  std::string_view text;
};

bool is_module_name(std::string_view name) {
  if (name.size() < 5 || name.size() > 40 || !name.starts_with("pam_")) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

// "pam_unix(vsftpd:auth): text", "pam_unix(auth): text", "pam_unix: text", "pam_krb5[12]: text", "(pam_unix) text", or
// the module stands behind the program: "su(pam_unix)[12]: text". False if it is none of them.
bool pam_message(std::string_view program, std::string_view text, PamMessage& out) {
  if (const auto open = program.find("(pam_"); open != program.npos) {
    out.module = program.substr(open + 1, program.find(')') - open - 1);
    out.service = program.substr(0, open);
    out.text = text;
    return is_module_name(out.module);
  }
  if (skip_prefix(text, "(pam_")) {
    const auto close = text.find(") ");
    if (close > 40) return false;
    out.module = {text.data() - 4, close + 4};
    out.service = {};
    out.text = text.substr(close + 2);
    return is_module_name(out.module);
  }
  if (!text.starts_with("pam_")) return false;
  const auto end = text.find_first_of("([:", 0);
  if (end > 40) return false;
  out.module = text.substr(0, end);
  if (!is_module_name(out.module)) return false;
  out.service = {};
  text.remove_prefix(end);
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close > 24) return false;
    text.remove_prefix(close + 1);
  } else if (text.front() == '(') {
    const auto close = text.find(')');
    if (close > 96) return false;
    const std::string_view inside = text.substr(1, close - 1);
    const auto colon = inside.rfind(':');
    if (colon != inside.npos) out.service = inside.substr(0, colon);
    text.remove_prefix(close + 1);
  }
  if (!skip_prefix(text, ": ")) return false;
  out.text = text;
  return true;
}

// Services whose sessions are opened on the host itself, be it by a person who is logged in already or by a timer.
bool is_local_service(std::string_view service) {
  for (const std::string_view name : {"cron"sv, "crond"sv, "atd"sv, "polkit-1"sv, "systemd-user"sv, "login"sv,
                                      "newrole"sv, "screen"sv, "xscreensaver"sv, "at"sv}) {
    if (service == name) return true;
  }
  for (const std::string_view begin :
       {"sudo"sv, "su-"sv, "runuser"sv, "gdm"sv, "lightdm"sv, "sddm"sv, "kde"sv, "xdm"sv}) {
    if (service.starts_with(begin)) return true;
  }
  return service == "su";
}

// "ruser=R rhost=H[  user=U]", where the names may have been typed by whoever tries to log in and may themselves hold
// " rhost=". Servers give the same name as ruser and user: the reading in which they agree is the right one. Else the
// first reading is taken if ruser is empty (user stands at the end) and the last if not.
void pam_origin(std::string_view text, Event& e) {
  constexpr std::string_view kRemote = "rhost=";
  struct Reading {
    std::string_view ruser;
    std::string_view host;
    std::string_view user;
    bool good = false;
  } chosen;
  int readings = 0;
  for (auto at = text.find(kRemote); at != text.npos && readings < 16; at = text.find(kRemote, at + 1)) {
    if (at != 0 && text[at - 1] != ' ') continue;
    ++readings;
    Reading now;
    now.ruser = at == 0 ? std::string_view{} : text.substr(0, at - 1);
    std::string_view rest = text.substr(at + kRemote.size());
    now.host = rest.substr(0, rest.find(' '));
    rest = core::trim(rest.substr(now.host.size()));
    if (skip_prefix(rest, "user=")) {
      now.user = rest;
    } else if (!rest.empty()) {
      continue;
    }
    now.good = true;
    chosen = now;
    if (now.ruser.empty() || now.ruser == now.user) break;
  }
  if (!chosen.good) return;
  set_remote(chosen.host, e);
  if (!chosen.user.empty()) {
    set_typed_user(e, chosen.user);
  } else if (!chosen.host.empty()) {
    set_typed_user(e, chosen.ruser);  // of a local program this is who calls, not whose password is asked for
  }
}

// "logname=L uid=N euid=N tty=T ruser=R rhost=H[  user=U]"
void pam_fields(std::string_view text, Event& e) {
  const auto at = text.find(" ruser=");
  if (at != text.npos) pam_origin(text.substr(at + 7), e);
}

Fate pam_session(std::string_view name, Activity activity, const PamMessage& pam, Event& e) {
  if (is_local_service(pam.service)) return Fate::ignored(kLocalSession);
  if (const auto by = name.rfind(" by "); by != name.npos) name = name.substr(0, by);
  if (const auto uid = name.rfind("(uid="); uid != name.npos) name = name.substr(0, uid);
  set_typed_user(e, core::trim(name));
  return session(activity, e);
}

// What pam_sss says by PAM's return codes.
std::string_view pam_code_reason(std::string_view code) {
  const auto number = json::number(code);
  if (!number) return "authentication failure";
  switch (*number) {
    case 6: return "permission denied";
    case 7: return "wrong password";
    case 9: return "authentication service unavailable";
    case 10: return "no such user";
    case 11: return "too many attempts";
    case 12: return "password expired";
    case 13: return "account expired";
    default: return "authentication failure";
  }
}

// "NAME: N (text)"
Fate pam_code(std::string_view text, Event& e) {
  const auto colon = text.rfind(": ");
  if (colon == text.npos) return Fate::ignored(kPamMessage);
  set_typed_user(e, text.substr(0, colon));
  return around(pam_code_reason(text.substr(colon + 2, text.find(' ', colon + 2) - colon - 2)), e);
}

Fate pam_decode(const PamMessage& pam, Event& e) {
  std::string_view t = pam.text;
  e.code = lower_symbol(pam.module);
  if (!pam.service.empty()) e.application = lower_symbol(pam.service);
  if (pam.module == "pam_krb5") e.auth_method = AuthMethod::kKerberos;
  if (pam.module == "pam_ldap") e.auth_method = AuthMethod::kLdap;
  if (pam.module == "pam_unix" || pam.module == "pam_sss" || pam.module == "pam_winbind") {
    e.auth_method = AuthMethod::kPassword;
  }
  if (skip_prefix(t, "session opened for user ")) return pam_session(t, Activity::kStart, pam, e);
  if (skip_prefix(t, "session closed for user ")) return pam_session(t, Activity::kEnd, pam, e);
  if (skip_prefix(t, "authentication failure; ")) {
    pam_fields(t, e);
    return failure("authentication failure", e);
  }
  if (skip_prefix(t, "authentication success; ")) {
    pam_fields(t, e);
    return success(e);
  }
  if (skip_prefix(t, "received for user ") || skip_prefix(t, "Access denied for user ")) return pam_code(t, e);
  if (t.starts_with("check pass;") || contains(t.substr(0, 40), " more authentication failure")) {
    return Fate::ignored(kPamSummary);
  }
  if (skip_prefix(t, "Consecutive login failures for user ")) {
    set_typed_user(e, t.substr(0, t.rfind(" account ")));
    return around("account locked out", e);
  }
  if (skip_prefix(t, "access denied for user ")) {  // pam_access: `alice' from `192.0.2.1'
    const auto from = t.rfind(" from ");
    set_typed_user(e, unquoted(t.substr(0, from)));
    if (from != t.npos) set_remote(unquoted(t.substr(from + 6)), e);
    return around("access denied", e);
  }
  if (skip_prefix(t, "Refused user ")) {
    set_typed_user(e, t.substr(0, t.rfind(" for service ")));
    return around("user not allowed", e);
  }
  if (skip_prefix(t, "account ") && contains(t, " has expired")) {
    set_typed_user(e, t.substr(0, t.find(" has expired")));
    return around("account expired", e);
  }
  if (skip_prefix(t, "expired password for user ")) {
    set_typed_user(e, t.substr(0, t.find(' ')));
    return around("password expired", e);
  }
  if (skip_prefix(t, "authentication fails for ")) {
    set_typed_user(e, unquoted(t.substr(0, t.find(" ("))));
    return failure("authentication failure", e);
  }
  if (skip_prefix(t, "user ")) {
    if (const auto at = t.find(" authenticated as "); at != t.npos) {
      set_typed_user(e, unquoted(t.substr(0, at)));
      return success(e);
    }
    if (const auto at = t.find(" granted access"); at != t.npos) {
      set_typed_user(e, unquoted(t.substr(0, at)));
      return success(e);
    }
    if (const auto at = t.find(" denied access"); at != t.npos) {
      set_typed_user(e, unquoted(t.substr(0, at)));
      return failure("authentication failure", e);
    }
    if (const auto at = t.rfind(") tally "); at != t.npos && contains(t.substr(at), ", deny ")) {
      set_typed_user(e, t.substr(0, t.rfind(" (", at)));
      return around("account locked out", e);
    }
  }
  const bool accepted = skip_prefix(t, "Accepted google_authenticator for ");
  if (accepted || skip_prefix(t, "Invalid verification code for ")) {
    set_typed_user(e, t);
    e.mfa = Mfa::kYes;
    if (!accepted) set_reason("wrong second factor", e);
    return authentication(Activity::kChallenge, accepted ? Outcome::kSuccess : Outcome::kFailure, e);
  }
  return Fate::ignored(kPamMessage);
}

// --- Programs --------------------------------------------------------------------------------------------------------

Fate ignored(std::string_view name) { return Fate::ignored(name); }

// "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", "alice : user NOT in sudoers ; TTY=..."
Fate sudo(std::string_view text, Event& e) {
  const auto colon = text.find(" : ");
  if (colon != text.npos) {
    const std::string_view what = text.substr(colon + 3);
    if (what.starts_with("user NOT in sudoers") || what.starts_with("user NOT authorized")) {
      set_typed_user(e, core::trim(text.substr(0, colon)));
      return around("not in sudoers", e);
    }
    if (contains(what.substr(0, 40), "incorrect password attempt")) return ignored("sudo summary of failures");
    return ignored("sudo command");
  }
  return ignored("sudo other message");
}

// The account that is entered is the user, as in PAM's own lines.
Fate su(std::string_view text, Event& e) {
  std::string_view t = text;
  if (skip_prefix(t, "(to ")) {  // util-linux: "(to root) alice on pts/0"
    set_typed_user(e, t.substr(0, t.find(") ")));
    return success(e);
  }
  if (skip_prefix(t, "FAILED SU (to ")) {
    set_typed_user(e, t.substr(0, t.find(") ")));
    return around("authentication failure", e);
  }
  if (skip_prefix(t, "Successful su for ")) {  // shadow
    set_typed_user(e, t.substr(0, t.rfind(" by ")));
    return success(e);
  }
  if (skip_prefix(t, "FAILED su for ")) {
    set_typed_user(e, t.substr(0, t.rfind(" by ")));
    return around("authentication failure", e);
  }
  if (skip_prefix(t, "'su ")) {  // Solaris: "'su root' succeeded for alice on /dev/pts/1"
    const auto quote = t.find('\'');
    if (quote == t.npos) return ignored("su other message");
    set_typed_user(e, t.substr(0, quote));
    t.remove_prefix(quote + 1);
    if (t.starts_with(" succeeded")) return success(e);
    if (t.starts_with(" failed")) return failure("authentication failure", e);
    return ignored("su other message");
  }
  if (skip_prefix(t, "failed: ")) {  // IRIX: "failed: ttyq4 changing from alice to root"
    const auto to = t.rfind(" to ");
    if (!contains(t, " changing from ") || to == t.npos) return ignored("su other message");
    set_typed_user(e, t.substr(to + 4));
    return failure("authentication failure", e);
  }
  const bool bad = skip_prefix(t, "BAD SU ");  // BSD: "[BAD SU ]alice to root on /dev/ttyp1"
  const auto on = t.rfind(" on ");
  const auto to = t.substr(0, on).rfind(" to ");
  if (on == t.npos || to == t.npos) return ignored("su other message");
  set_typed_user(e, t.substr(to + 4, on - to - 4));
  return bad ? failure("authentication failure", e) : success(e);
}

// "NAME FROM HOST" and "HOST FOR NAME" are words of the log, the first one found at the end counts: names may hold
// them.
void login_parts(std::string_view text, std::string_view from, std::string_view user, Event& e) {
  const auto at_from = text.rfind(from);
  const auto at_user = text.find(user);
  if (at_user != text.npos) {
    const std::size_t begin = at_user + user.size();
    const std::size_t end = at_from != text.npos && at_from > begin ? at_from : text.size();
    set_typed_user(e, unquoted(core::trim(text.substr(begin, end - begin))));
  }
  if (at_from != text.npos) {
    const std::size_t begin = at_from + from.size();
    const std::size_t end = at_user != text.npos && at_user > begin ? at_user : text.size();
    set_remote(unquoted(core::trim(text.substr(begin, end - begin))), e);
  }
}

Fate login(std::string_view text, Event& e) {
  std::string_view t = text;
  if (skip_prefix(t, "LOGIN ON ") || skip_prefix(t, "DIALUP AT ")) {  // "tty BY alice[ FROM host]"
    login_parts(t, " FROM ", " BY ", e);
    return success(e);
  }
  if (skip_prefix(t, "ROOT LOGIN ")) {  // "ON tty[ FROM host]"
    set_typed_user(e, "root");
    if (const auto from = t.rfind(" FROM "); from != t.npos) set_remote(unquoted(t.substr(from + 6)), e);
    if (const auto from = t.rfind(" from "); from != t.npos) set_remote(unquoted(t.substr(from + 6)), e);
    return success(e);
  }
  // "FAILED LOGIN 1 FROM host FOR alice, Authentication failure", "FAILED LOGIN (1) on '/dev/tty1' FOR 'alice', ..."
  const bool many = skip_prefix(t, "TOO MANY LOGIN TRIES");
  if (many || skip_prefix(t, "FAILED LOGIN SESSION") || skip_prefix(t, "FAILED LOGIN") ||
      skip_prefix(t, "LOGIN FAILURE")) {
    if (const auto comma = t.rfind(", "); comma != t.npos) t = t.substr(0, comma);
    login_parts(t, contains(t, " FROM ") ? " FROM " : " from ", " FOR ", e);
    // The same failure stands in PAM's own line, where there is PAM.
    return around(many ? "too many attempts" : "authentication failure", e);
  }
  // BusyBox: "invalid password for 'root' on 'pts/0' from '192.0.2.1'", "root login on 'pts/0' from '192.0.2.1'"
  if (skip_prefix(t, "invalid password for ")) {
    const auto on = t.rfind(" on '");
    set_typed_user(e, unquoted(t.substr(0, on)));
    if (const auto from = t.rfind(" from '"); from != t.npos) set_remote(unquoted(t.substr(from + 6)), e);
    return failure("wrong password", e);
  }
  if (skip_prefix(t, "root login on ") || skip_prefix(t, "root login  on ")) {
    set_typed_user(e, "root");
    if (const auto from = t.rfind(" from '"); from != t.npos) set_remote(unquoted(t.substr(from + 6)), e);
    return success(e);
  }
  return ignored("login other message");
}

Fate logind(std::string_view, Event&) { return ignored("systemd-logind session"); }
Fate desktop(std::string_view, Event&) { return ignored("desktop message"); }

// "connect from NAME[ (ADDRESS)]", "refused connect from ..."
bool is_wrapped(std::string_view text) {
  return text.starts_with("connect from ") || text.starts_with("refused connect from ");
}
Fate wrapped(std::string_view text, Event& e) {
  const bool refused = skip_prefix(text, "refused ");
  skip_prefix(text, "connect from ");
  const auto open = text.rfind('(');
  set_remote(open == text.npos ? text : text.substr(open + 1, text.find(')', open) - open - 1), e);
  return refused ? connection(Activity::kStart, Action::kDenied, "refused by hosts.deny", e)
                 : connection(Activity::kStart, Action::kNone, {}, e);
}
Fate telnet(std::string_view text, Event& e) {
  return is_wrapped(text) ? wrapped(text, e) : ignored("telnetd other message");
}

// "START: telnet pid=12 from=192.0.2.1", "FAIL: telnet address from=192.0.2.1"
Fate xinetd(std::string_view text, Event& e) {
  const bool start = skip_prefix(text, "START: ");
  const bool fail = !start && skip_prefix(text, "FAIL: ");
  const auto from = text.rfind(" from=");
  if ((!start && !fail) || from == text.npos) return ignored("xinetd other message");
  e.application = lower_symbol(text.substr(0, text.find(' ')));
  set_remote(text.substr(from + 6), e);
  return fail ? connection(Activity::kStart, Action::kDenied, "refused by xinetd", e)
              : connection(Activity::kStart, Action::kNone, {}, e);
}

// "[pid 2] [alice] OK LOGIN: Client "192.0.2.1"[, anon password "x"]"
Fate vsftpd(std::string_view text, Event& e) {
  if (is_wrapped(text)) return wrapped(text, e);
  if (text.starts_with("[pid ")) {
    take_between(text, '[', ']');
    text = core::trim(text);
  }
  std::string_view name;
  if (text.starts_with('[')) {
    name = text.substr(1);
    auto end = std::min(name.find("] OK "), name.find("] FAIL "));
    if (end == name.npos) return ignored("vsftpd other message");
    // The client typed the name, so what comes last was written by vsftpd; after an anonymous log-in that is the
    // password, which the client typed, too.
    const std::string_view first = name.substr(0, end);
    if (name.substr(end).starts_with("] FAIL LOGIN") && first != "ftp" && first != "anonymous") {
      end = name.rfind("] FAIL LOGIN: Client \"");
      if (end == name.npos) return ignored("vsftpd other message");
    }
    text = name.substr(end + 2);
    name = name.substr(0, end);
  }
  const bool good = skip_prefix(text, "OK LOGIN: Client ");
  const bool bad = !good && skip_prefix(text, "FAIL LOGIN: Client ");
  if (good || bad) {
    set_typed_user(e, name);
    set_remote(take_between(text, '"', '"'), e);
    return good ? success(e) : failure("authentication failure", e);
  }
  if (skip_prefix(text, "CONNECT: Client ")) {
    set_remote(take_between(text, '"', '"'), e);
    return connection(Activity::kStart, Action::kNone, {}, e);
  }
  return text.starts_with("OK ") || text.starts_with("FAIL ") ? ignored("FTP transfer or command")
                                                              : ignored("vsftpd other message");
}

// "server.example (client.example[192.0.2.1]): USER alice: Login successful."
Fate proftpd(std::string_view text, Event& e) {
  if (is_wrapped(text)) return wrapped(text, e);
  const auto open = text.find(" (");
  const auto close = text.find("])");
  if (open == text.npos || close == text.npos || close < open) return ignored("proftpd other message");
  set_bracketed(text.substr(open + 2, close - open - 1), e);
  std::string_view t = text.substr(close + 2);
  for (const std::string_view joint : {":"sv, " -"sv, " "sv}) skip_prefix(t, joint);
  t = core::trim(t);
  if (skip_prefix(t, "USER ") || skip_prefix(t, "ANON ")) {
    // The last of these words: the name itself may hold them.
    struct Ending {
      std::string_view words;
      std::string_view reason;
    };
    static constexpr std::array kEndings = {
        Ending{": Login successful", ""},
        Ending{": no such user found", "no such user"},
        Ending{" (Login failed): Incorrect password", "wrong password"},
        Ending{" (Login failed): No such user found", "no such user"},
        Ending{" (Login failed)", "authentication failure"},
    };
    for (const Ending& ending : kEndings) {
      const auto at = t.rfind(ending.words);
      if (at == t.npos) continue;
      set_typed_user(e, t.substr(0, at));
      return ending.reason.empty() ? success(e) : failure(ending.reason, e);
    }
    return ignored("proftpd other message");
  }
  if (t.starts_with("Maximum login attempts")) return around("too many attempts", e);
  if (contains(t, "SECURITY VIOLATION") && contains(t, "oot login attempted")) {
    set_typed_user(e, "root");
    return failure("user not allowed", e);
  }
  if (t.starts_with("Connection from ") && contains(t, "denied")) {
    return connection(Activity::kStart, Action::kDenied, "access denied", e);
  }
  if (t.starts_with("FTP session opened") || t.starts_with("SSH2 session opened")) {
    return connection(Activity::kStart, Action::kNone, {}, e);
  }
  if (t.starts_with("FTP session closed") || t.starts_with("SSH2 session closed")) {
    return connection(Activity::kEnd, Action::kNone, {}, e);
  }
  return ignored("proftpd other message");
}

// "(alice@192.0.2.1) [INFO] alice is now logged in", "(?@192.0.2.1) [WARNING] Authentication failed for user [alice]"
Fate pure_ftpd(std::string_view text, Event& e) {
  if (!skip_prefix(text, "(")) return ignored("pure-ftpd other message");
  const auto close = text.find(") [");
  if (close == text.npos) return ignored("pure-ftpd other message");
  const std::string_view who = text.substr(0, close);
  std::string_view t = text.substr(close + 2);
  take_between(t, '[', ']');
  t = core::trim(t);
  const auto at = who.rfind('@');
  set_remote(at == who.npos ? who : who.substr(at + 1), e);
  if (skip_prefix(t, "Authentication failed for user [")) {
    set_typed_user(e, t.substr(0, t.rfind(']')));
    return failure("authentication failure", e);
  }
  if (const auto end = t.rfind(" is now logged in"); end != t.npos) {
    set_typed_user(e, t.substr(0, end));
    return success(e);
  }
  if (t.starts_with("New connection from")) return connection(Activity::kStart, Action::kNone, {}, e);
  if (t.starts_with("Logout")) {
    if (at != who.npos && who.substr(0, at) != "?") set_typed_user(e, who.substr(0, at));
    return e.user.present() ? session(Activity::kEnd, e) : connection(Activity::kEnd, Action::kNone, {}, e);
  }
  return ignored("FTP transfer or command");
}

// "Disconnected (auth failed, 1 attempts in 2 secs): user=<alice>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.2, TLS"
Fate dovecot_login(std::string_view protocol, std::string_view text, Event& e) {
  e.application = core::intern(protocol);
  // The user's name is what the client typed; what follows it is Dovecot's own.
  const auto rip = text.rfind("rip=");
  if (rip == text.npos) return ignored("dovecot other message");
  std::string_view fields = text.substr(rip + 4);
  set_remote(fields.substr(0, fields.find_first_of(", ")), e);
  if (const auto lip = fields.find(", lip="); lip != fields.npos) {
    std::string_view local = fields.substr(lip + 6);
    e.destination_ip = json::ip(local.substr(0, local.find_first_of(", ")));
  }
  std::string_view head = text.substr(0, rip);
  std::string_view name;
  if (const auto user = head.find("user=<"); user != head.npos) {
    const auto end = head.rfind('>');
    if (end != head.npos && end > user) name = head.substr(user + 6, end - user - 6);
    head = head.substr(0, user);
  }
  set_typed_user(e, name);
  e.auth_method = AuthMethod::kPassword;
  if (contains(text, "method=GSS")) e.auth_method = AuthMethod::kKerberos;
  if (contains(text, "method=EXTERNAL")) e.auth_method = AuthMethod::kCertificate;
  if (head.starts_with("Login: ") || head.starts_with("proxy")) return success(e);
  if (contains(head, "auth failed") || contains(head, "authentication attempts")) {
    return failure("authentication failure", e);
  }
  if (contains(head, "tried to use dis")) return around("plaintext not allowed", e);
  if (!name.empty()) return around("closed before authentication", e);
  e.auth_method = AuthMethod::kUnknown;
  return connection(Activity::kEnd, Action::kNone, "closed before authentication", e);
}

// "pam(alice,192.0.2.1,<session>): unknown user". The attempt itself is told by the log-in process.
Fate dovecot_auth(std::string_view text, Event& e) {
  const auto close = text.find("): ");
  const auto open = text.substr(0, close).find('(');
  if (close == text.npos || open == text.npos) return ignored("dovecot other message");
  const std::string_view what = text.substr(close + 3);
  std::string_view reason;
  if (contains(what, "unknown user") || contains(what, "User not known")) {
    reason = "no such user";
  } else if (contains(what, "assword mismatch") || contains(what, "invalid credentials")) {
    reason = "wrong password";
  } else if (contains(what, "Permission denied")) {
    reason = "permission denied";
  } else if (contains(what, "pam_authenticate() failed")) {
    reason = "authentication failure";
  } else {
    return ignored("dovecot other message");
  }
  std::string_view who = text.substr(open + 1, close - open - 1);
  auto comma = who.rfind(',');
  if (comma != who.npos && (comma + 1 == who.size() || who[comma + 1] == '<')) {
    who = who.substr(0, comma);
    comma = who.rfind(',');
  }
  set_typed_user(e, who.substr(0, comma));
  if (comma != who.npos) set_remote(who.substr(comma + 1), e);
  return around(reason, e);
}

bool skip_level(std::string_view& text) {
  return skip_prefix(text, "Info: ") || skip_prefix(text, "Warning: ") || skip_prefix(text, "Warn: ") ||
         skip_prefix(text, "Error: ") || skip_prefix(text, "dovecot: ");
}

bool is_dovecot_process(std::string_view name) {
  return name == "imap-login" || name == "pop3-login" || name == "managesieve-login" || name == "submission-login" ||
         name == "auth" || name == "auth-worker" || name == "dovecot-auth";
}

// The process at the front of a message, "imap-login: ", "auth-worker(12): "; moves behind it. Empty and unmoved if it
// is none.
std::string_view take_dovecot_process(std::string_view& text) {
  const auto end = text.find(": ");
  if (end > 48) return {};
  const std::string_view name = text.substr(0, std::min(end, text.find_first_of("(<")));
  if (!is_dovecot_process(name)) return {};
  text.remove_prefix(end + 2);
  return name;
}

Fate dovecot_says(std::string_view process, std::string_view text, Event& e) {
  skip_level(text);
  if (process.ends_with("-login")) return dovecot_login(process.substr(0, process.size() - 6), text, e);
  if (text.starts_with("conn unix:")) {
    const auto end = text.find("): ");
    if (end != text.npos) text.remove_prefix(end + 3);
  }
  if (text.starts_with("auth-worker<")) {
    const auto end = text.find(">: ");
    if (end != text.npos) text.remove_prefix(end + 3);
  }
  return dovecot_auth(text, e);
}

// "imap-login: ..." of the program dovecot, or behind a level ("Info: imap-login: ...") in Dovecot's own file.
Fate dovecot(std::string_view text, Event& e) {
  while (skip_level(text)) {
  }
  const std::string_view process = take_dovecot_process(text);
  return process.empty() ? ignored("dovecot other message") : dovecot_says(process, text, e);
}

// "warning: client.example[192.0.2.1]: SASL LOGIN authentication failed: ...[, sasl_username=alice]",
// "4D5A1F: client=client.example[192.0.2.1], sasl_method=LOGIN, sasl_username=alice"
Fate postfix(std::string_view text, Event& e) {
  std::string_view t = text;
  skip_prefix(t, "warning: ");
  if (const auto at = t.find("]: SASL "); at != t.npos && contains(t, " authentication failed")) {
    set_bracketed(t.substr(0, at + 1), e);
    if (const auto name = t.rfind(", sasl_username="); name != t.npos) set_typed_user(e, t.substr(name + 16));
    return failure("authentication failure", e);
  }
  const auto client = t.find(": client=");
  const auto name = t.find(", sasl_username=");
  if (client != t.npos && name != t.npos && client < name) {
    set_bracketed(t.substr(client + 9, t.find("], ") - client - 8), e);
    const std::string_view user = t.substr(name + 16);
    set_typed_user(e, user.substr(0, user.find(", sasl_sender=")));
    return success(e);
  }
  if (skip_prefix(t, "lost connection after AUTH from ")) {
    set_bracketed(t, e);
    return around("closed before authentication", e);
  }
  return ignored("mail message");
}

// Cyrus: "badlogin: client.example [192.0.2.1] plaintext alice SASL(-13): authentication failure: ...",
// "login: client.example [192.0.2.1] alice plaintext+TLS User logged in"; UW: "Login failed user=alice auth=alice
// host=client.example [192.0.2.1]"
Fate imap(std::string_view text, Event& e) {
  std::string_view t = text;
  const bool bad = skip_prefix(t, "badlogin: ");
  if (bad || skip_prefix(t, "login: ")) {
    const auto close = t.find("] ");
    if (close == t.npos) return ignored("imap other message");
    set_bracketed(t.substr(0, close + 1), e);
    t.remove_prefix(close + 2);
    if (!bad) {
      set_typed_user(e, t.substr(0, t.find(' ')));
      return success(e);
    }
    core::take_until(t, ' ');  // the mechanism
    const auto end = std::min(t.find("SASL("), t.find("[SASL("));
    set_typed_user(e, core::trim(t.substr(0, end)));
    return failure(contains(t, "user not found") ? "no such user" : "authentication failure", e);
  }
  const bool failed = skip_prefix(t, "Login failed ") || skip_prefix(t, "Login excessive login failures ") ||
                      skip_prefix(t, "Login disabled ") || skip_prefix(t, "Failed uwmaster override of ");
  if (failed || skip_prefix(t, "Login ") || skip_prefix(t, "Authenticated ")) {
    const auto host = t.rfind("host=");
    if (!skip_prefix(t, "user=") || host == t.npos) return ignored("imap other message");
    const std::string_view name = t.substr(0, std::min(t.find(" auth="), t.find(" host=")));
    set_typed_user(e, core::trim(name));
    set_bracketed(t.substr(t.rfind("host=") + 5), e);
    return failed ? failure("authentication failure", e) : success(e);
  }
  return ignored("imap other message");
}

// "do_auth : auth failure: [user=alice] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]". The server that
// asked tells the attempt with its address.
Fate saslauthd(std::string_view text, Event& e) {
  const auto at = text.find("auth failure: [user=");
  if (at == text.npos) return ignored("saslauthd other message");
  std::string_view t = text.substr(at + 20);
  set_typed_user(e, t.substr(0, t.find("] [service=")));
  return around("authentication failure", e);
}

// "Invalid login as root from 192.0.2.1", "Successful login as root from 192.0.2.1"
Fate webmin(std::string_view text, Event& e) {
  std::string_view t = core::trim(text);
  const bool good = skip_prefix(t, "Successful login as ");
  const bool unknown = !good && skip_prefix(t, "Non-existent login as ");
  const bool out = skip_prefix(t, "Logout by ");
  if (!good && !unknown && !out && !skip_prefix(t, "Invalid login as ")) return ignored("webmin other message");
  const auto from = t.rfind(" from ");
  set_typed_user(e, t.substr(0, from));
  if (from != t.npos) set_remote(t.substr(from + 6), e);
  if (out) return authentication(Activity::kLogoff, Outcome::kUnknown, e);
  return good ? success(e) : failure(unknown ? "no such user" : "authentication failure", e);
}

// "1795334400.812.0 [22/Nov/2026 08:00:00] alice 4f1e 192.0.2.1 global miniserv.pl "login" "-" "-"": Webmin's own file,
// webmin.log. It begins with the seconds since 1970 and holds all that was done by its modules, too.
bool is_webmin_file(std::string_view raw) {
  if (raw.size() < 40 || raw[10] != '.') return false;
  Scanner s(raw.substr(0, 64));
  for (int part = 0; part < 3; ++part) {  // seconds, process, count
    if (part != 0 && !s.skip('.')) return false;
    if (!is_digit(s.peek())) return false;
    s.number();
  }
  return s.skip(" [") && is_digit(s.peek()) && s.until(']').contains('/') && s.skip("] ");
}
Fate webmin_file(std::string_view text, Event& e) {
  e.service = Service::kManagement;
  e.time = static_cast<core::Nanoseconds>(json::number(core::take_until(text, '.')).value_or(0)) * core::kSecond;
  if (e.time == 0) return Fate::rejected(kNoTime);
  constexpr std::string_view kServer = " global miniserv.pl \"";
  const auto server = text.rfind(kServer);
  if (server == text.npos) return ignored("webmin action");
  std::string_view who = text.substr(0, server);
  Scanner what(text.substr(server + kServer.size()));
  const std::string_view action = what.until('"');
  who.remove_prefix(who.find("] ") + 2);
  // USER SESSION ADDRESS
  const auto address = who.rfind(' ');
  if (address == who.npos) return ignored("webmin other message");
  set_remote(who.substr(address + 1), e);
  who = who.substr(0, address);
  const std::string_view session_id = who.substr(who.rfind(' ') + 1);
  if (!session_id.empty() && session_id != "-") e.session_id = core::hash64(session_id);
  set_typed_user(e, who.substr(0, who.rfind(' ')));
  if (action == "login") return success(e);
  if (action == "logout") return authentication(Activity::kLogoff, Outcome::kUnknown, e);
  if (action != "failed") return ignored("webmin other message");
  what.skip("\" \"");
  what.skip_past("\" \"");
  const std::string_view why = what.until('"');
  return failure(why == "wrongpass"  ? "wrong password"
                 : why == "nonexist" ? "no such user"
                                     : "authentication failure",
                 e);
}

// "authentication failure; rhost=192.0.2.1 user=root@pam msg=Authentication failure", "<root@pam> successful auth ...";
// Proxmox Backup Server writes the port, too: "rhost=[::ffff:192.0.2.1]:47414"
Fate proxmox(std::string_view text, Event& e) {
  std::string_view t = text;
  if (skip_prefix(t, "authentication failure; rhost=")) {
    const auto message = t.rfind(" msg=");
    const std::string_view why = message == t.npos ? std::string_view{} : t.substr(message + 5);
    t = t.substr(0, message);
    const std::string_view remote = core::take_until(t, ' ');
    if (remote.starts_with('[')) {
      const Endpoint end = endpoint(remote);
      e.source_ip = end.ip;
      e.source_port = end.port;
    } else {
      set_remote(remote, e);
    }
    if (skip_prefix(t, "user=")) set_typed_user(e, t);
    return failure(why.starts_with("no such user")                       ? "no such user"
                   : why.starts_with("user account disabled or expired") ? "account disabled or expired"
                                                                         : "authentication failure",
                   e);
  }
  if (const auto at = t.find("successful auth for user '"); at != t.npos) {
    t.remove_prefix(at + 26);
    set_typed_user(e, t.substr(0, t.find('\'')));
    return success(e);
  }
  return ignored("proxmox other message");
}

// "Auth: [SMB2,(null)] user [CORP]\[alice] at [time] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC]
// remote host [ipv4:192.0.2.1:62419] mapped to ... local host [ipv4:198.51.100.2:445]"
struct NtStatus {
  std::string_view name;
  std::string_view reason;
};
constexpr std::array kNtStatus = {
    NtStatus{"NT_STATUS_NO_SUCH_USER", "no such user"},
    NtStatus{"NT_STATUS_WRONG_PASSWORD", "wrong password"},
    NtStatus{"NT_STATUS_LOGON_FAILURE", "bad user name or password"},
    NtStatus{"NT_STATUS_ACCOUNT_LOCKED_OUT", "account locked out"},
    NtStatus{"NT_STATUS_ACCOUNT_DISABLED", "account disabled"},
    NtStatus{"NT_STATUS_ACCOUNT_EXPIRED", "account expired"},
    NtStatus{"NT_STATUS_ACCOUNT_RESTRICTION", "account restriction"},
    NtStatus{"NT_STATUS_PASSWORD_EXPIRED", "password expired"},
    NtStatus{"NT_STATUS_PASSWORD_MUST_CHANGE", "password must change"},
    NtStatus{"NT_STATUS_INVALID_LOGON_HOURS", "outside allowed hours"},
    NtStatus{"NT_STATUS_INVALID_WORKSTATION", "workstation not allowed"},
    NtStatus{"NT_STATUS_NTLM_BLOCKED", "NTLM blocked"},
};

// "ipv4:192.0.2.1:62419"
std::string_view samba_address(std::string_view text) {
  if (!skip_prefix(text, "ipv4:")) skip_prefix(text, "ipv6:");
  return text;
}

Fate samba(std::string_view text, Event& e) {
  if (contains(text.substr(0, 64), "Denied connection from ")) {
    set_remote(take_between(text, '(', ')'), e);
    return connection(Activity::kStart, Action::kDenied, "access denied", e);
  }
  const auto auth = text.substr(0, 256).find("Auth: [");
  if (auth == text.npos) return ignored("samba other message");
  std::string_view t = text.substr(auth + 6);
  Scanner s(t);
  if (!s.skip_past("] user [")) return ignored("samba other message");
  const std::string_view domain = s.until(']');
  if (!s.skip("]\\[")) return ignored("samba other message");
  const std::string_view rest = s.rest();
  const auto end = rest.find("] at [");
  if (end == rest.npos) return ignored("samba other message");
  set_typed_user(e, rest.substr(0, end));
  if (!domain.empty() && !e.user_domain.present() && e.user.present()) e.user_domain = core::intern(domain);
  s.advance(end);
  if (s.skip_past("] with [")) {
    const std::string_view method = s.until(']');
    if (method.starts_with("NTLM")) e.auth_method = AuthMethod::kNtlm;
    if (contains(method, "krb5") || contains(method, "kerberos")) e.auth_method = AuthMethod::kKerberos;
    if (method == "Plaintext") e.auth_method = AuthMethod::kPassword;
  }
  if (!s.skip_past("status [")) return ignored("samba other message");
  const std::string_view status = s.until(']');
  if (s.skip_past("workstation [")) {
    if (const std::string_view name = s.until(']'); !name.empty() && name != "(null)")
      e.client_host = core::intern(name);
  }
  if (s.skip_past("remote host [")) {
    const std::string_view remote = samba_address(s.until(']'));
    const auto colon = remote.rfind(':');
    e.source_ip = json::ip(remote.substr(0, colon));
    if (colon != remote.npos) e.source_port = json::port(remote.substr(colon + 1));
  }
  if (s.skip_past("local host [")) {
    const std::string_view local = samba_address(s.until(']'));
    const auto colon = local.rfind(':');
    e.destination_ip = json::ip(local.substr(0, colon));
    if (colon != local.npos) e.destination_port = json::port(local.substr(colon + 1));
  }
  if (status == "NT_STATUS_OK") return success(e);
  std::string_view reason = "unlisted status";
  for (const NtStatus& row : kNtStatus) {
    if (row.name == status) reason = row.reason;
  }
  return failure(reason, e);
}

// "Bad password attempt for 'root' from 192.0.2.1:52289"
Fate dropbear(std::string_view text, Event& e) {
  // journald's copy repeats process number and time: "[825] Jul 10 23:53:52 Bad password ...".
  if (text.starts_with('[') && text.size() > 24) {
    if (const auto close = text.find("] "); close < 10 && text.size() > close + 18 && text[close + 17] == ' ') {
      text.remove_prefix(close + 18);
    }
  }
  e.protocol = 6;
  std::string_view t = text;
  const auto from = t.rfind(" from ");
  if (from != t.npos) set_endpoint(t.substr(from + 6, t.find(": ", from) - from - 6), e);
  const std::string_view before = t.substr(0, from);
  const auto quoted = [&](std::string_view words) {
    const auto open = words.find('\'');
    const auto close = words.rfind('\'');
    if (open != words.npos && close > open) set_typed_user(e, words.substr(open + 1, close - open - 1));
  };
  if (t.starts_with("Child connection from ")) return connection(Activity::kStart, Action::kNone, {}, e);
  if (const auto words = before.find("auth succeeded for '"); words < 20) {
    const auto key = before.rfind(" key ");
    quoted(before.substr(0, key == before.npos ? before.npos : before.rfind(" with ", key)));
    const bool by_key = before.starts_with("Pubkey");
    e.auth_method = by_key ? AuthMethod::kPublicKey : AuthMethod::kPassword;
    if (by_key && key != before.npos) {
      std::string_view print = before.substr(key + 5);
      print = print.substr(0, print.find(' '));
      if (print.starts_with("SHA256:")) e.fingerprint = core::intern(print);
    }
    return success(e);
  }
  if (core::contains_ignore_case(before.substr(0, 32), "password attempt for '")) {
    quoted(before);
    e.auth_method = AuthMethod::kPassword;
    return failure("wrong password", e);
  }
  if (core::contains_ignore_case(before.substr(0, 24), "login attempt for ")) {
    quoted(before);
    return failure("no such user", e);
  }
  if (t.starts_with("Exit before auth")) {
    quoted(before.substr(0, before.find("', ")).size() < before.size() ? before.substr(0, before.find("', ") + 1)
                                                                       : std::string_view{});
    if (!e.source_ip.present()) return ignored("dropbear exit without address");
    if (contains(t, "Max auth tries")) return around("too many attempts", e);
    e.user = {};
    return connection(Activity::kEnd, Action::kNone, "closed before authentication", e);
  }
  if (t.starts_with("Exit (")) {
    std::string_view name = t;
    set_typed_user(e, take_between(name, '(', ')'));
    return session(Activity::kEnd, e);
  }
  return ignored("dropbear other message");
}

struct Program {
  std::string_view name;
  Fate (*read)(std::string_view, Event&);
  Service service;
  std::string_view application;
};

// Sorted by name.
constexpr std::array kPrograms = {
    Program{"dovecot", dovecot, Service::kOther, ""},
    Program{"dropbear", dropbear, Service::kSsh, "ssh"},
    Program{"gdm", desktop, Service::kOther, ""},
    Program{"gdm-password", desktop, Service::kOther, ""},
    Program{"gdm-session-worker", desktop, Service::kOther, ""},
    Program{"gdm3", desktop, Service::kOther, ""},
    Program{"imap", imap, Service::kOther, "imap"},
    Program{"imapd", imap, Service::kOther, "imap"},
    Program{"imaps", imap, Service::kOther, "imap"},
    Program{"in.ftpd", telnet, Service::kOther, "ftp"},
    Program{"in.telnetd", telnet, Service::kOther, "telnet"},
    Program{"ipop3d", imap, Service::kOther, "pop3"},
    Program{"lightdm", desktop, Service::kOther, ""},
    Program{"login", login, Service::kOther, ""},
    Program{"pmgdaemon", proxmox, Service::kManagement, ""},
    Program{"pop3", imap, Service::kOther, "pop3"},
    Program{"pop3d", imap, Service::kOther, "pop3"},
    Program{"pop3s", imap, Service::kOther, "pop3"},
    Program{"proftpd", proftpd, Service::kOther, "ftp"},
    Program{"proxmox-backup-proxy", proxmox, Service::kManagement, ""},
    Program{"pure-ftpd", pure_ftpd, Service::kOther, "ftp"},
    Program{"pvedaemon", proxmox, Service::kManagement, ""},
    Program{"pveproxy", proxmox, Service::kManagement, ""},
    Program{"samba", samba, Service::kOther, "smb"},
    Program{"saslauthd", saslauthd, Service::kOther, ""},
    Program{"sddm", desktop, Service::kOther, ""},
    Program{"smb", samba, Service::kOther, "smb"},
    Program{"smbd", samba, Service::kOther, "smb"},
    Program{"su", su, Service::kOther, ""},
    Program{"sudo", sudo, Service::kOther, ""},
    Program{"systemd-logind", logind, Service::kOther, ""},
    Program{"telnetd", telnet, Service::kOther, "telnet"},
    Program{"vsftpd", vsftpd, Service::kOther, "ftp"},
    Program{"webmin", webmin, Service::kManagement, ""},
    Program{"xinetd", xinetd, Service::kOther, ""},
};
static_assert(std::is_sorted(kPrograms.begin(), kPrograms.end(),
                             [](const Program& a, const Program& b) { return a.name < b.name; }));

constexpr Program kPostfix{"postfix", postfix, Service::kOther, "smtp"};
constexpr Program kDovecot{"dovecot", dovecot, Service::kOther, ""};

// "/usr/sbin/vsftpd", "gdm-password]", "auth-worker(12)"
std::string_view plain_program(std::string_view program) {
  if (const auto slash = program.rfind('/'); slash != program.npos) program.remove_prefix(slash + 1);
  if (const auto end = program.find_first_of("(]"); end != program.npos) program = program.substr(0, end);
  return program;
}

// Programs whose PAM lines are read by decoders of their own.
bool has_own_decoder(std::string_view name) {
  return name.starts_with("sshd") || name.starts_with("openvpn") || name == "internal-sftp";
}

// vsftpd's own file: "Mon Oct 24 11:32:53 2016 [pid 2] ..."
bool is_vsftpd_file(std::string_view raw) {
  return raw.size() > 32 && raw[3] == ' ' && raw[7] == ' ' && raw[13] == ':' && raw[24] == ' ' &&
         raw.substr(25).starts_with("[pid ");
}

// ProFTPD's own file: "2026-11-20 08:15:30,121 host proftpd[25891] server (client[192.0.2.1]): ..."; and the same words
// behind a syslog header, since there is no colon behind the process number.
std::size_t proftpd_at(std::string_view raw) {
  if (raw.starts_with("proftpd[")) return 0;
  if (raw.size() < 40 || raw[4] != '-' || raw[10] != ' ' || raw[19] != ',') return raw.npos;
  const auto at = raw.substr(0, 320).find(" proftpd[");
  return at == raw.npos ? at : at + 1;
}

// Proxmox Backup Server's own file, whose lines have a time and neither host nor program: "2026-11-22T08:00:00+01:00:
// authentication failure; rhost=...".
bool is_proxmox_file(const TextRecord& r) {
  return r.time != 0 && (r.message.starts_with("authentication failure; rhost=") ||
                         r.message.starts_with("successful auth for user '"));
}

const Program* program_of(const TextRecord& r) {
  if (r.program.empty()) return nullptr;
  const std::string_view name = plain_program(r.program);
  const auto row = std::lower_bound(kPrograms.begin(), kPrograms.end(), name,
                                    [](const Program& p, std::string_view n) { return p.name < n; });
  if (row != kPrograms.end() && row->name == name) return &*row;
  if (name == "smtpd") return r.program.starts_with("postfix") ? &kPostfix : nullptr;
  // Dovecot's processes as programs: "auth: Info: ldap(alice,192.0.2.1): ...". "auth" alone may be anybody's name.
  std::string_view text = r.message;
  if (is_dovecot_process(name)) {
    return name.ends_with("-login") || skip_level(text) || text.starts_with("conn unix:") ? &kDovecot : nullptr;
  }
  // "Info: imap-login: Login: ..." of Dovecot's own file
  if (name == "Info" || name == "Warn" || name == "Warning") {
    return take_dovecot_process(text).empty() ? nullptr : &kDovecot;
  }
  return nullptr;
}

class LinuxAuth final : public RecordDecoder {
 public:
  explicit LinuxAuth(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.program.empty()) {
      return is_vsftpd_file(r.raw) || proftpd_at(r.message) != r.raw.npos || is_proxmox_file(r) ||
             is_webmin_file(r.raw);
    }
    PamMessage pam;
    if (has_own_decoder(plain_program(r.program))) return false;
    if (r.message.starts_with("LOGIN_")) return false;  // of Junos: "LOGIN_FAILED: Login failed for user ..."
    return program_of(r) != nullptr || pam_message(r.program, unfolded(r.message), pam);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    e.service = Service::kOther;
    if (r.program.empty()) return own_file(r, e);
    // A line without a time cannot be placed.
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.session_id = json::number(r.pid).value_or(0);
    const std::string_view text = unfolded(r.message);
    if (text.empty()) return Fate::rejected(kNoMessage);
    const Program* program = program_of(r);
    if (program != nullptr) {
      e.service = program->service;
      if (!program->application.empty()) e.application = core::intern(program->application);
    }
    PamMessage pam;
    if (pam_message(r.program, text, pam)) return pam_decode(pam, e);
    if (program == nullptr) return Fate::rejected(kNoMessage);
    if (const auto name = plain_program(r.program); is_dovecot_process(name)) return dovecot_says(name, text, e);
    return program->read(text, e);
  }

 private:
  // Without what syslog daemons put around a message: Solaris' "[ID 800047 auth.info] ", and rsyslog's "message
  // repeated 3 times: [ ...]", for which one event stands.
  static std::string_view unfolded(std::string_view text) {
    if (text.starts_with("[ID ")) {
      const auto close = text.find("] ");
      text = close == text.npos ? std::string_view{} : text.substr(close + 2);
    }
    if (text.starts_with("message repeated ")) {
      const auto open = text.find("[ ");
      text = open == text.npos ? std::string_view{} : text.substr(open + 2);
      if (text.ends_with(']')) text.remove_suffix(1);
    }
    return core::trim(text);
  }

  Fate own_file(const TextRecord& r, Event& e) {
    if (is_webmin_file(r.raw)) return webmin_file(r.raw, e);
    if (is_proxmox_file(r)) {
      e.service = Service::kManagement;
      return proxmox(r.message, e);
    }
    e.application = core::intern("ftp");
    if (is_vsftpd_file(r.raw)) {
      std::string_view when = r.raw.substr(4, 15);
      std::string_view digits = r.raw.substr(20, 4);
      const auto year = core::parse_number<int>(digits);
      const auto parsed = year ? parse_with_year(when, *year) : 0;
      if (parsed == 0) return Fate::rejected(kNoTime);
      e.time = parsed;
      return vsftpd(r.raw.substr(25), e);
    }
    const auto at = proftpd_at(r.message);
    std::string_view text = r.message.substr(at);
    if (at != 0) {
      std::string_view when = r.message.substr(0, 19);
      e.time = core::parse_iso8601(when, times_).value_or(0);
      // "... host proftpd[12]"
      std::string_view host = r.message.substr(20, at - 21);
      if (const auto space = host.find(' '); space != host.npos) host = host.substr(space + 1);
      if (!host.empty()) e.observer = core::intern(host);
    }
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.session_id = json::number(take_between(text, '[', ']')).value_or(0);
    if (!skip_prefix(text, ":")) skip_prefix(text, " ");
    return proftpd(core::trim(text), e);
  }

  // "Oct 24 11:32:53" of the given year.
  core::Nanoseconds parse_with_year(std::string_view text, int year) const {
    core::CivilTime civil;
    civil.year = year;
    civil.month = core::month_number(text.substr(0, 3));
    const auto number = [&](std::size_t at) {
      return core::parse_number<int>(core::trim(text.substr(at, 2))).value_or(-1);
    };
    civil.day = number(4);
    civil.hour = number(7);
    civil.minute = number(10);
    civil.second = number(13);
    return core::valid(civil) && year > 1970 && year < 2262 ? times_.resolve(civil) : 0;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_linux_auth(const core::TimeReader& times) {
  return std::make_unique<LinuxAuth>(times);
}

}  // namespace orbwatch::decode
