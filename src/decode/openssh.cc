// OpenSSH's sshd: syslog lines (program sshd, sshd-session, sshd-auth), also as journald keeps them. Source of the
// texts: auth.c, auth2.c, sshd.c, packet.c, session.c of OpenSSH 5 to 10; Linux-PAM's pam_unix and libpam.
//
// Three sample lines:
//   Nov 20 08:15:30 gw1 sshd[4711]: Accepted publickey for alice from 192.0.2.10 port 50123 ssh2: ED25519 SHA256:abc...
//   Nov 20 08:15:31 gw1 sshd[4712]: Failed password for invalid user admin from 203.0.113.77 port 49152 ssh2
//   Nov 20 08:15:32 gw1 sshd[4713]: Connection closed by authenticating user root 203.0.113.78 port 49153 [preauth]
//
// Ignored by name: see kIgnoredTexts. PAM's "authentication failure" is one of them: sshd itself logs the same failure
// as "Failed password"; with both, every attempt would count twice.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
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
using event::Outcome;
using event::Service;

const Symbol kNoMessage = core::intern("openssh: no message");
const Symbol kNoPeer = core::intern("openssh: no address");
const Symbol kNoTime = core::intern("openssh: no time");
const Symbol kSsh = core::intern("ssh");

struct Text {
  std::string_view begins;
  std::string_view name;
};

// What sshd and PAM say beside log-ins and connections, by the words a message begins with.
constexpr std::array kIgnoredTexts = {
    Text{"Accepted key ", "sshd accepted key found"},
    Text{"Accepted certificate ID ", "sshd accepted certificate"},
    Text{"Address ", "sshd reverse mapping"},
    Text{"reverse mapping checking", "sshd reverse mapping"},
    Text{"Nasty PTR record", "sshd reverse mapping"},
    Text{"Authentication tried for ", "sshd key options"},
    Text{"Authorized to ", "sshd authorized"},
    Text{"Bad packet length", "sshd packet error"},
    Text{"Corrupted MAC on input", "sshd packet error"},
    Text{"Could not ", "sshd set-up"},
    Text{"Could not stat AuthorizedKeysCommand", "sshd set-up"},
    Text{"Deprecated option", "sshd set-up"},
    Text{"Disconnecting", "sshd disconnecting"},
    Text{"Exiting on signal", "sshd start and stop"},
    Text{"Received signal", "sshd start and stop"},
    Text{"Received SIGHUP", "sshd start and stop"},
    Text{"Server listening on", "sshd start and stop"},
    Text{"Found matching ", "sshd key found"},
    Text{"PAM adding faulty module", "PAM set-up"},
    Text{"PAM unable to dlopen", "PAM set-up"},
    Text{"PAM service(sshd) ignoring max retries", "PAM authentication failure"},
    Text{"PAM: ", "PAM authentication failure"},
    Text{"Postponed ", "sshd postponed"},
    Text{"Read error from remote host", "sshd packet error"},
    Text{"Read from socket failed", "sshd packet error"},
    Text{"Write failed", "sshd packet error"},
    Text{"Transferred: ", "sshd transferred"},
    Text{"User child is on pid", "sshd child"},
    Text{"banner exchange: ", "sshd banner exchange"},
    Text{"debug1:", "sshd debug"},
    Text{"debug2:", "sshd debug"},
    Text{"debug3:", "sshd debug"},
    Text{"input_userauth_request: ", "sshd input_userauth_request"},
    Text{"kex_exchange_identification: ", "sshd kex_exchange_identification"},
    Text{"lastlog_", "sshd lastlog"},
    Text{"no matching ", "sshd no matching"},
    Text{"rexec line ", "sshd set-up"},
    Text{"session opened for local user", "sftp"},
    Text{"session closed for local user", "sftp"},
    Text{"ssh_dispatch_run_fatal: ", "sshd packet error"},
    Text{"subsystem request for ", "sshd subsystem request"},
};

// Disconnect reasons of RFC 4253, section 11.1.
constexpr std::array<std::string_view, 16> kDisconnectReasons = {"",
                                                                 "host not allowed to connect",
                                                                 "protocol error",
                                                                 "key exchange failed",
                                                                 "reserved",
                                                                 "MAC error",
                                                                 "compression error",
                                                                 "service not available",
                                                                 "protocol version not supported",
                                                                 "host key not verifiable",
                                                                 "connection lost",
                                                                 "disconnected by application",
                                                                 "too many connections",
                                                                 "authentication cancelled by user",
                                                                 "no more authentication methods available",
                                                                 "illegal user name"};

// Where a message names the other side.
struct Peer {
  core::Ip ip;
  std::string_view name;    // what stood there if it is no address
  std::string_view before;  // the text in front
  std::string_view after;   // the text behind the port
  std::uint16_t port = 0;
  bool found = false;
};

std::string_view take_word(std::string_view& text) { return core::take_until(text, ' '); }

// " port 22" at the front.
std::uint16_t take_port(std::string_view& text) {
  if (!skip_prefix(text, " port ")) return 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto port = json::port(text.substr(0, digits));
  text.remove_prefix(digits);
  return port;
}

// The last " from ADDRESS": names of users may hold the words of an address, what sshd itself writes stands behind
// them.
Peer peer_from(std::string_view text) {
  constexpr std::string_view kFrom = " from ";
  // A host-based log-in quotes the client's own words at the end.
  std::string_view head = text.substr(0, text.find(" client user \""));
  Peer fallback;
  for (auto at = head.rfind(kFrom); at != head.npos; at = at == 0 ? head.npos : head.rfind(kFrom, at - 1)) {
    std::string_view rest = head.substr(at + kFrom.size());
    const auto end = std::min(rest.find(' '), rest.find(": "));
    std::string_view word = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end);
    Peer peer;
    peer.before = head.substr(0, at);
    peer.found = true;
    if (const auto ip = core::Ip::parse(word)) {
      peer.ip = *ip;
      peer.port = take_port(rest);
      peer.after = rest;
      return peer;
    }
    peer.name = word;
    peer.port = take_port(rest);
    peer.after = rest;
    fallback = peer;  // in the end the first one: a host name cannot be told from a word of a user's name
  }
  return fallback;
}

// "[user words] ADDRESS port N[: text]", the address being the word in front of the last " port N".
Peer peer_at_end(std::string_view text) {
  Peer peer;
  for (auto at = text.rfind(" port "); at != text.npos; at = at == 0 ? text.npos : text.rfind(" port ", at - 1)) {
    const std::string_view head = text.substr(0, at);
    const auto blank = head.rfind(' ');
    const std::string_view word = blank == head.npos ? head : head.substr(blank + 1);
    const auto ip = core::Ip::parse(word);
    if (!ip) continue;
    std::string_view rest = text.substr(at);
    peer.port = take_port(rest);
    if (!rest.empty() && rest.front() != ':' && rest.front() != ' ') continue;
    peer.ip = *ip;
    peer.before = blank == head.npos ? std::string_view{} : head.substr(0, blank);
    peer.after = rest;
    peer.found = true;
    return peer;
  }
  // Before OpenSSH 7.4: "Connection closed by 192.0.2.1".
  const auto end = std::min(text.find(' '), text.find(": "));
  if (const auto ip = core::Ip::parse(text.substr(0, end))) {
    peer.ip = *ip;
    peer.after = end == text.npos ? std::string_view{} : text.substr(end);
    peer.found = true;
  }
  return peer;
}

class OpenSsh final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override { return is_sshd(r.program); }

  Fate decode(const TextRecord& r, Event& e) override {
    e.service = Service::kSsh;
    e.application = kSsh;
    e.protocol = 6;
    // A line without envelope time ("sshd[12]: ...") cannot be placed.
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (r.program == "internal-sftp") return ignored("internal-sftp");
    e.session_id = json::number(r.pid).value_or(0);
    return message(r.message, e);
  }

 private:
  static bool is_sshd(std::string_view program) {
    // "/usr/sbin/sshd", "sshd(pam_unix)" of old PAM
    if (const auto slash = program.rfind('/'); slash != program.npos) program.remove_prefix(slash + 1);
    return program == "sshd" || program == "sshd-session" || program == "sshd-auth" || program == "internal-sftp" ||
           program.starts_with("sshd(pam_");
  }
  static Fate ignored(std::string_view name) { return Fate::ignored(core::intern(name)); }

  Fate message(std::string_view text, Event& e) {
    if (skip_prefix(text, "[ID ")) {  // Solaris: "[ID 800047 auth.info] "
      const auto close = text.find("] ");
      text = close == text.npos ? std::string_view{} : text.substr(close + 2);
    }
    // rsyslog folds equal lines: "message repeated 3 times: [ Failed password for ...]". One event stands for them.
    if (skip_prefix(text, "message repeated ")) {
      const auto open = text.find("[ ");
      if (open == text.npos) return Fate::rejected(kNoMessage);
      text = text.substr(open + 2);
      if (text.ends_with(']')) text.remove_suffix(1);
    }
    bool more = true;
    while (more) {
      more = skip_prefix(text, "error: ") || skip_prefix(text, "fatal: ") || skip_prefix(text, "main: ") ||
             skip_prefix(text, "sshd: ") || skip_prefix(text, "info: ");
    }
    bool preauth = false;
    text = core::trim(text);
    if (text.ends_with(" [preauth]")) {
      preauth = true;
      text.remove_suffix(10);
    } else if (text.ends_with(" [postauth]")) {
      text.remove_suffix(11);
    }
    text = core::trim(text);
    if (text.empty()) return Fate::rejected(kNoMessage);
    return known(text, preauth, e);
  }

  Fate known(std::string_view text, bool preauth, Event& e) {
    std::string_view t = text;
    switch (text.front()) {
      case 'A':
        if (skip_prefix(t, "Accepted ") && !t.starts_with("key ") && !t.starts_with("certificate ")) {
          return attempt(t, Activity::kLogon, Outcome::kSuccess, e);
        }
        break;
      case 'B':
        if (skip_prefix(t, "Bad protocol version identification "))
          return probe(peer_from(t), "bad protocol version", e);
        break;
      case 'C':
        if (skip_prefix(t, "Connection from ")) return opened(t, e);
        if (skip_prefix(t, "Connection closed by ") || skip_prefix(t, "Connection reset by "))
          return closed(t, preauth, e);
        if (skip_prefix(t, "Close session: ")) return session(t, Activity::kEnd, e);
        break;
      case 'D':
        if (skip_prefix(t, "Disconnected from ")) return closed(t, preauth, e);
        if (skip_prefix(t, "Did not receive identification string"))
          return probe(peer_from(t), "no identification string", e);
        if (t.starts_with("Disconnecting ") && !t.starts_with("Disconnecting:")) {
          t.remove_prefix(14);
          return closed(t, preauth, e);
        }
        break;
      case 'F':
        if (skip_prefix(t, "Failed ")) {
          if (const auto words = t.find(" for "); words < 40) return attempt(t, Activity::kLogon, Outcome::kFailure, e);
        }
        break;
      case 'I':
      case 'i':
        if (skip_prefix(t, "Invalid user ") || skip_prefix(t, "Illegal user ")) {
          return around("invalid user", user_before(t, e), e);
        }
        break;
      case 'P':
        if (skip_prefix(t, "Partial ")) return attempt(t, Activity::kChallenge, Outcome::kSuccess, e);
        break;
      case 'R':
        if (skip_prefix(t, "Received disconnect from ")) return disconnect(t, e);
        break;
      case 'S':
        if (skip_prefix(t, "Starting session: ")) return session(t, Activity::kStart, e);
        break;
      case 'T':
      case 't':
        if (skip_prefix(t, "Timeout before authentication for ")) return timeout(t, e);
        break;
      case 'U':
        if (skip_prefix(t, "Unable to negotiate with ")) return negotiate(t, e);
        if (t.starts_with("User ") && t.find(" not allowed because ") != t.npos) return not_allowed(t.substr(5), e);
        break;
      case 'b':
        if (skip_prefix(t, "banner exchange: Connection")) {
          const Peer peer = peer_from(t);
          if (peer.found) return probe(peer, "invalid banner", e);
        }
        break;
      case 'm':
        if (skip_prefix(t, "maximum authentication attempts exceeded for ")) {
          return around("too many attempts", named(t, e), e);
        }
        break;
      case 'p':
        if (t.starts_with("pam_")) return pam(t, e);
        break;
      case 'r':
        if (skip_prefix(t, "refused connect from ")) return refused(t, e);
        break;
      case 's':
        if (skip_prefix(t, "ssh_dispatch_run_fatal: Connection")) {
          const Peer peer = peer_from(t);
          if (peer.found) return probe(peer, "connection corrupted", e);
        }
        // Old PAM logs as "sshd(pam_unix)[12]: session opened for user alice by (uid=0)".
        if (skip_prefix(t, "session opened for user ")) return pam_session(t, Activity::kStart, e);
        if (skip_prefix(t, "session closed for user ")) return pam_session(t, Activity::kEnd, e);
        break;
      default: break;
    }
    if (text.find(" more authentication failure") != text.npos || text.starts_with("authentication failure;") ||
        text.starts_with("check pass;")) {
      return ignored("PAM authentication failure");
    }
    for (const Text& known_text : kIgnoredTexts) {
      if (text.starts_with(known_text.begins)) return ignored(known_text.name);
    }
    return ignored("sshd other message");
  }

  static void set_peer(const Peer& peer, Event& e) {
    e.source_ip = peer.ip;
    e.source_port = peer.port;
    // "UNKNOWN" is what sshd writes if the socket is gone.
    if (!peer.ip.present() && peer.name != "UNKNOWN") e.client_host = core::intern(peer.name);
  }

  static void set_name(std::string_view name, Event& e) {
    if (skip_prefix(name, "invalid user ") || skip_prefix(name, "illegal user ") || name == "invalid user" ||
        name == "illegal user" || name == "<invalid username>") {
      e.reason = core::intern("invalid user");
      if (name == "invalid user" || name == "illegal user" || name == "<invalid username>") return;
    }
    set_typed_user(e, name);
  }

  // "[invalid user] NAME from ADDRESS port N ssh2"
  static Peer named(std::string_view text, Event& e) {
    const Peer peer = peer_from(text);
    if (peer.found) set_name(peer.before, e);
    return peer;
  }

  // "NAME from ADDRESS port N", where the name may be empty.
  static Peer user_before(std::string_view t, Event& e) {
    if (t.starts_with("from ")) return peer_at_end(t.substr(5));
    const Peer peer = peer_from(t);
    if (peer.found) set_typed_user(e, peer.before);
    return peer;
  }

  static Fate failure(Class event_class, std::string_view reason, const Peer& peer, Event& e) {
    if (!peer.found) return Fate::rejected(kNoPeer);
    set_peer(peer, e);
    e.event_class = event_class;
    e.activity = Activity::kObserved;
    e.outcome = Outcome::kFailure;
    e.reason = core::intern(reason);
    return Fate::kept();
  }
  // A fact around a failed log-in, not the attempt itself.
  static Fate around(std::string_view reason, const Peer& peer, Event& e) {
    return failure(Class::kAuthentication, reason, peer, e);
  }
  // A connection that did not come to a log-in.
  static Fate probe(const Peer& peer, std::string_view reason, Event& e) {
    return failure(Class::kHandshake, reason, peer, e);
  }

  static AuthMethod method_of(std::string_view method) {
    if (method == "password") return AuthMethod::kPassword;
    if (method == "publickey") return AuthMethod::kPublicKey;
    if (method.starts_with("gssapi")) return AuthMethod::kKerberos;
    if (method == "none" || method == "unknown") return AuthMethod::kUnknown;
    return AuthMethod::kOther;
  }

  // "METHOD for [invalid user] NAME from ADDRESS port N ssh2[: KEYTYPE FINGERPRINT ...]"
  static Fate attempt(std::string_view text, Activity activity, Outcome outcome, Event& e) {
    const auto words = text.find(" for ");
    if (words == text.npos) return ignored("sshd other message");
    const std::string_view method = text.substr(0, words);
    const Peer peer = named(text.substr(words + 5), e);
    // "Accepted google_authenticator for alice": a PAM module's own line. The log-in follows, or fails for another
    // reason.
    if (!peer.found && method == "google_authenticator") {
      set_typed_user(e, text.substr(words + 5));
      e.event_class = Class::kAuthentication;
      e.activity = Activity::kChallenge;
      e.outcome = outcome;
      e.code = core::intern(method);
      e.mfa = event::Mfa::kYes;
      return Fate::kept();
    }
    if (!peer.found && method.find(' ') == method.npos && method != "password" && method != "publickey") {
      return ignored("PAM module's message");
    }
    if (!peer.found) return Fate::rejected(kNoPeer);
    set_peer(peer, e);
    e.event_class = Class::kAuthentication;
    e.activity =
        method == "none" ? Activity::kObserved : activity;  // "none" only asks which methods there are (RFC 4252, 5.2)
    e.outcome = outcome;
    e.auth_method = method_of(method);
    e.code = core::intern(plain_method(method));
    if (activity == Activity::kChallenge) e.mfa = event::Mfa::kYes;
    std::string_view rest = peer.after;
    if (skip_prefix(rest, " ssh2: ") || skip_prefix(rest, " ssh1: ")) {
      const std::string_view type = take_word(rest);
      std::string_view print = take_word(rest);
      while (print.ends_with(',')) print.remove_suffix(1);
      if (type.ends_with("-CERT")) e.auth_method = AuthMethod::kCertificate;
      if (print.starts_with("SHA256:") || print.starts_with("MD5:") || (print.size() == 47 && print.find(':') == 2)) {
        e.fingerprint = core::intern(print);
      }
    }
    return Fate::kept();
  }

  static std::string_view plain_method(std::string_view method) {
    for (const std::string_view known :
         {"password"sv, "publickey"sv, "keyboard-interactive/pam"sv, "keyboard-interactive"sv, "hostbased"sv,
          "gssapi-with-mic"sv, "gssapi-keyex"sv, "none"sv}) {
      if (method == known) return known;
    }
    return "other method";
  }

  // "ADDRESS port N on ADDRESS port N [rdomain ...]"
  static Fate opened(std::string_view text, Event& e) {
    std::string_view word = text.substr(0, text.find(' '));
    const auto ip = core::Ip::parse(word);
    if (!ip) return Fate::rejected(kNoPeer);
    e.source_ip = *ip;
    text.remove_prefix(word.size());
    e.source_port = take_port(text);
    if (skip_prefix(text, " on ")) {
      word = text.substr(0, text.find(' '));
      e.destination_ip = json::ip(word);
      text.remove_prefix(word.size());
      e.destination_port = take_port(text);
    }
    e.event_class = Class::kConnection;
    e.activity = Activity::kStart;
    return Fate::kept();
  }

  // "[authenticating user NAME |invalid user NAME |user NAME ]ADDRESS[ port N][: text]"
  static Fate closed(std::string_view text, bool preauth, Event& e) {
    const Peer peer = peer_at_end(text);
    if (!peer.found) return text.find("UNKNOWN") != text.npos ? ignored("sshd peer unknown") : Fate::rejected(kNoPeer);
    set_peer(peer, e);
    std::string_view name = peer.before;
    if (name.empty()) {
      e.event_class = Class::kConnection;
      e.activity = Activity::kEnd;
      if (preauth) {
        e.outcome = Outcome::kFailure;
        e.reason = core::intern("closed before authentication");
      }
      return Fate::kept();
    }
    if (skip_prefix(name, "user ")) {
      e.event_class = Class::kSession;
      e.activity = Activity::kEnd;
      set_typed_user(e, name);
      return Fate::kept();
    }
    if (skip_prefix(name, "authenticating user") || name.starts_with("invalid user") ||
        name.starts_with("illegal user")) {
      e.event_class = Class::kAuthentication;
      e.activity = Activity::kObserved;
      e.outcome = Outcome::kFailure;
      set_name(core::trim(name), e);
      if (peer.after.find("Too many authentication failures") != peer.after.npos) {
        e.reason = core::intern("too many attempts");
      } else if (!e.reason.present()) {
        e.reason = core::intern("closed before authentication");
      }
      return Fate::kept();
    }
    return ignored("sshd other message");
  }

  // "ADDRESS port N:CODE: text" or "ADDRESS: CODE: text"
  static Fate disconnect(std::string_view text, Event& e) {
    const auto end = std::min(text.find(' '), text.find(": "));
    const auto ip = core::Ip::parse(text.substr(0, end));
    if (!ip) return text.starts_with("UNKNOWN") ? ignored("sshd peer unknown") : Fate::rejected(kNoPeer);
    e.source_ip = *ip;
    text.remove_prefix(std::min(end, text.size()));
    e.source_port = take_port(text);
    skip_prefix(text, ":");
    text = core::trim(text);
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    const auto code = core::parse_number<unsigned>(text.substr(0, text.find(':')));
    if (code && *code < kDisconnectReasons.size()) e.reason = core::intern(kDisconnectReasons[*code]);
    return Fate::kept();
  }

  static Fate timeout(std::string_view text, Event& e) {
    // OpenSSH 9.8: "for connection from A to B, pid = N"
    if (skip_prefix(text, "connection from ")) {
      const auto end = text.find(' ');
      Peer peer;
      if (const auto ip = core::Ip::parse(text.substr(0, end))) {
        peer.ip = *ip;
        peer.found = true;
      }
      std::string_view rest = end == text.npos ? std::string_view{} : text.substr(end);
      if (skip_prefix(rest, " to ")) e.destination_ip = json::ip(rest.substr(0, rest.find(',')));
      return probe(peer, "timeout before authentication", e);
    }
    return probe(peer_at_end(text), "timeout before authentication", e);
  }

  static Fate negotiate(std::string_view text, Event& e) {
    const auto why = text.find(": no matching ");
    const std::string_view what = why == text.npos ? std::string_view{} : text.substr(why + 14);
    std::string_view reason = "no common algorithm";
    if (what.starts_with("key exchange method")) reason = "no common key exchange method";
    if (what.starts_with("host key type")) reason = "no common host key type";
    if (what.starts_with("cipher")) reason = "no common cipher";
    if (what.starts_with("MAC")) reason = "no common MAC";
    return probe(peer_at_end(text.substr(0, why)), reason, e);
  }

  // "NAME from ADDRESS not allowed because ..."
  static Fate not_allowed(std::string_view text, Event& e) {
    text = text.substr(0, text.rfind(" not allowed because "));
    const Peer peer = peer_from(text);
    if (!peer.found) return ignored("sshd user not allowed");  // "User root not allowed because account is locked"
    set_typed_user(e, peer.before);
    return around("user not allowed", peer, e);
  }

  // "host.example (192.0.2.1)": libwrap
  static Fate refused(std::string_view text, Event& e) {
    std::string_view address = text;
    if (const auto open = text.rfind('('); open != text.npos)
      address = text.substr(open + 1, text.find(')', open) - open - 1);
    const auto ip = core::Ip::parse(address);
    if (!ip) return Fate::rejected(kNoPeer);
    e.source_ip = *ip;
    e.event_class = Class::kConnection;
    e.activity = Activity::kStart;
    e.action = Action::kDenied;
    e.outcome = Outcome::kFailure;
    e.reason = core::intern("refused by hosts.deny");
    return Fate::kept();
  }

  // "shell on pts/0 for NAME from ADDRESS port N id 0", "user NAME from ADDRESS port N id 0"
  static Fate session(std::string_view text, Activity activity, Event& e) {
    const Peer peer = peer_from(text);
    if (!peer.found) return Fate::rejected(kNoPeer);
    std::string_view name = peer.before;
    if (const auto at = name.rfind(activity == Activity::kStart ? " for " : "user "); at != name.npos)
      name.remove_prefix(at + 5);
    set_peer(peer, e);
    set_typed_user(e, name);
    e.event_class = Class::kSession;
    e.activity = activity;
    return Fate::kept();
  }

  // "NAME[(uid=N)] [by (uid=0)]"
  static Fate pam_session(std::string_view text, Activity activity, Event& e) {
    if (const auto by = text.rfind(" by "); by != text.npos) text = text.substr(0, by);
    if (const auto uid = text.rfind("(uid="); uid != text.npos) text = text.substr(0, uid);
    text = core::trim(text);
    if (text.empty()) return Fate::rejected(kNoMessage);
    set_typed_user(e, text);
    e.event_class = Class::kSession;
    e.activity = activity;
    return Fate::kept();
  }

  // "pam_MODULE(sshd:TYPE): text"
  static Fate pam(std::string_view text, Event& e) {
    const std::string_view module = text.substr(0, text.find('('));
    const auto open = text.find(": ");
    if (open == text.npos) return ignored("PAM module's message");
    text.remove_prefix(open + 2);
    if (module == "pam_unix") {
      if (skip_prefix(text, "session opened for user ")) return pam_session(text, Activity::kStart, e);
      if (skip_prefix(text, "session closed for user ")) return pam_session(text, Activity::kEnd, e);
    }
    if (text.starts_with("authentication failure") || text.starts_with("check pass"))
      return ignored("PAM authentication failure");
    return ignored("PAM module's message");
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_openssh(const core::TimeReader&) { return std::make_unique<OpenSsh>(); }

}  // namespace orbwatch::decode
