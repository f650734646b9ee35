// OpenVPN server: syslog, the server's own log file (2.3 to 2.7), its PAM and LDAP plugins, and what pfSense's and
// OPNsense's scripts add.
//
// Sources: multi.c, ssl.c, ssl_verify*.c, forward.c, error.c (the file's time stamps) and mroute.c (the prefix of a
// client's lines) of OpenVPN; plugin/auth-pam; openvpn-auth-ldap; pfSense openvpn.inc.
//   openvpn[901]: alice/203.0.113.7:50123 MULTI: Learn: 10.8.0.6 -> alice/203.0.113.7:50123
//   2026-11-22 08:00:00 203.0.113.7:50123 [alice] Peer Connection Initiated with [AF_INET]203.0.113.7:50123
//   Sun Nov 22 08:00:00 2026 us=340080 203.0.113.9:50124 TLS Auth Error: Auth Username/Password verification failed for
//   peer
// An attempt counts once: the server's own words are the attempt (logon), what plugins say of it stands around it
// (observed). Lines that say nothing of a client are ignored by name, see kIgnoredTexts.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kOpenVpn = core::intern("openvpn");
const Symbol kNoAddress = core::intern("openvpn: no address");
const Symbol kNoUser = core::intern("openvpn: no user");
const Symbol kOther = core::intern("OpenVPN other message");
const Symbol kEndStated = core::intern("OpenVPN reason before an end");

struct Text {
  std::string_view begins;
  std::string_view name;
};

// The words with which OpenVPN's messages begin. They tell its own log files, and what is not decoded below is ignored
// under the name beside them.
constexpr std::array kTexts = {
    Text{"AUTH-PAM: ", "OpenVPN plugin"},
    Text{"AUTH: ", "OpenVPN control message"},
    Text{"Attempting to establish", "OpenVPN network set-up"},
    Text{"Authenticate/Decrypt packet error", "OpenVPN packet error"},
    Text{"Bad LZO", "OpenVPN packet error"},
    Text{"Bad compression", "OpenVPN packet error"},
    Text{"CRL: ", "OpenVPN certificate check"},
    Text{"Cannot ", "OpenVPN set-up"},
    Text{"Client-side ", "OpenVPN set-up"},
    Text{"Closing ", "OpenVPN start and stop"},
    Text{"Connection reset, restarting", "OpenVPN reason before an end"},
    Text{"Control Channel", "OpenVPN channel set-up"},
    Text{"Could not determine IPv4/IPv6", "OpenVPN network set-up"},
    Text{"DEPRECATED ", "OpenVPN warning"},
    Text{"Data Channel", "OpenVPN channel set-up"},
    Text{"Delayed exit in ", "OpenVPN reason before an end"},
    Text{"Diffie-Hellman initialized", "OpenVPN set-up"},
    Text{"Exiting due to fatal error", "OpenVPN start and stop"},
    Text{"Expected Remote Options", "OpenVPN channel set-up"},
    Text{"Fatal TLS error", "OpenVPN reason before an end"},
    Text{"GID set to ", "OpenVPN start and stop"},
    Text{"IFCONFIG POOL", "OpenVPN address pool"},
    Text{"IP packet with unknown IP version", "OpenVPN packet error"},
    Text{"Inactivity timeout", "OpenVPN reason before an end"},
    Text{"Incoming Control Channel", "OpenVPN channel set-up"},
    Text{"Incoming Data Channel", "OpenVPN channel set-up"},
    Text{"Incorrect password supplied for LDAP DN ", "OpenVPN plugin"},
    Text{"Initialization Sequence Completed", "OpenVPN start and stop"},
    Text{"LDAP ", "OpenVPN plugin"},
    Text{"LZ4 ", "OpenVPN channel set-up"},
    Text{"LZO compression", "OpenVPN channel set-up"},
    Text{"Listening for incoming", "OpenVPN network set-up"},
    Text{"Local Options", "OpenVPN channel set-up"},
    Text{"MANAGEMENT", "OpenVPN management interface"},
    Text{"MULTI", "OpenVPN server detail"},
    Text{"NOTE: ", "OpenVPN warning"},
    Text{"Note: ", "OpenVPN warning"},
    Text{"OPTIONS ", "OpenVPN control message"},
    Text{"OpenSSL: ", "OpenVPN OpenSSL error"},
    Text{"OpenVPN ", "OpenVPN start and stop"},
    Text{"Options error: ", "OpenVPN set-up"},
    Text{"Outgoing Control Channel", "OpenVPN channel set-up"},
    Text{"Outgoing Data Channel", "OpenVPN channel set-up"},
    Text{"PID_ERR ", "OpenVPN packet error"},
    Text{"PLUGIN", "OpenVPN plugin"},
    Text{"PUSH: ", "OpenVPN control message"},
    Text{"Peer Connection Initiated", "OpenVPN server detail"},
    Text{"Peer tried unsupported", "OpenVPN warning"},
    Text{"Preserving previous TUN/TAP", "OpenVPN network set-up"},
    Text{"Protocol options: ", "OpenVPN channel set-up"},
    Text{"RADIUS-PLUGIN: ", "OpenVPN plugin"},
    Text{"ROUTE", "OpenVPN network set-up"},
    Text{"Re-using ", "OpenVPN channel set-up"},
    Text{"Replay-window ", "OpenVPN packet error"},
    Text{"SENT CONTROL [", "OpenVPN control message"},
    Text{"SIGHUP[", "OpenVPN start and stop"},
    Text{"SIGINT[", "OpenVPN start and stop"},
    Text{"SIGTERM[", "OpenVPN start and stop"},
    Text{"SIGUSR1[", "OpenVPN start and stop"},
    Text{"Session invalidated", "OpenVPN TLS detail"},
    Text{"Socket Buffers: ", "OpenVPN network set-up"},
    Text{"TCP connection established with ", "OpenVPN network set-up"},
    Text{"TCP/UDP", "OpenVPN network set-up"},
    Text{"TCP_", "OpenVPN network set-up"},
    Text{"TCPv", "OpenVPN network set-up"},
    Text{"TLS Auth Error: ", "OpenVPN TLS detail"},
    Text{"TLS Error: ", "OpenVPN TLS detail"},
    Text{"TLS-Auth MTU", "OpenVPN channel set-up"},
    Text{"TLS: ", "OpenVPN TLS detail"},
    Text{"TLS_ERROR: ", "OpenVPN OpenSSL error"},
    Text{"TUN/TAP ", "OpenVPN network set-up"},
    Text{"Timers: ", "OpenVPN channel set-up"},
    Text{"UDPv", "OpenVPN network set-up"},
    Text{"UID set to ", "OpenVPN start and stop"},
    Text{"Using peer cipher", "OpenVPN channel set-up"},
    Text{"VERIFY ", "OpenVPN certificate check"},
    Text{"WARNING: ", "OpenVPN warning"},
    Text{"event_wait ", "OpenVPN packet error"},
    Text{"ifconfig_pool", "OpenVPN address pool"},
    Text{"ldap_bind ", "OpenVPN plugin"},
    Text{"library versions: ", "OpenVPN start and stop"},
    Text{"net_addr_", "OpenVPN network set-up"},
    Text{"net_iface_", "OpenVPN network set-up"},
    Text{"net_route_", "OpenVPN network set-up"},
    Text{"peer info: ", "OpenVPN peer info"},
    Text{"read UDP", "OpenVPN packet error"},
    Text{"read TCP", "OpenVPN packet error"},
    Text{"succeeded -> ifconfig_pool", "OpenVPN address pool"},
    Text{"tls-crypt", "OpenVPN TLS detail"},
    Text{"write TCP", "OpenVPN packet error"},
    Text{"write UDP", "OpenVPN packet error"},
};

const Text* text_of(std::string_view message) {
  for (const Text& text : kTexts) {
    if (message.size() >= text.begins.size() && message[0] == text.begins[0] && message.starts_with(text.begins))
      return &text;
  }
  return nullptr;
}

// "203.0.113.7:50123", "[2001:db8::7]:50123", "[AF_INET]203.0.113.7:50123", "udp4:203.0.113.7:50123" (2.7).
struct Peer {
  core::Ip ip;
  std::uint16_t port = 0;
  std::string_view text;  // address and port as they stand: what joins a client's lines
};

bool scan_peer(Scanner& s, Peer& out) {
  Scanner ahead = s;
  if (!ahead.skip("[AF_INET]")) ahead.skip("[AF_INET6]");
  for (const std::string_view protocol :
       {"udp4:"sv, "udp6:"sv, "tcp4-server:"sv, "tcp6-server:"sv, "tcp4:"sv, "tcp6:"sv}) {
    if (ahead.skip(protocol)) break;
  }
  const char* const begin = ahead.rest().data();
  if (!ahead.ip(out.ip)) return false;
  if (ahead.peek() == ':' && is_digit(ahead.peek(1))) {
    ahead.advance(1);
    out.port = ahead.port();
  }
  out.text = {begin, static_cast<std::size_t>(ahead.rest().data() - begin)};
  s = ahead;
  return true;
}

// What stands in front of a client's lines: "alice/203.0.113.7:50123 " or "203.0.113.7:50123 ". A common name may hold
// spaces and slashes, but not the colon of a message.
struct Client {
  Peer peer;
  std::string_view name;
};

bool skip_client(std::string_view& text, Client& out) {
  Scanner s(text);
  if (scan_peer(s, out.peer) && (s.peek() == ' ' || s.peek() == '/')) {
    if (s.skip('/')) out.name = s.word();
    s.spaces();
    text = s.rest();
    return true;
  }
  const std::string_view head = text.substr(0, 200);
  for (auto slash = head.find('/'); slash != head.npos && slash != 0; slash = head.find('/', slash + 1)) {
    const std::string_view name = head.substr(0, slash);
    if (name.contains(": ") || name.contains('\'') || name.contains("->")) return false;
    Scanner behind(text.substr(slash + 1));
    Peer peer;
    if (!scan_peer(behind, peer) || behind.peek() != ' ') continue;
    out = {peer, name};
    behind.spaces();
    text = behind.rest();
    return true;
  }
  return false;
}

// Removes the time that the server writes into its own file; false if there is none. `time` stays as it is where the
// envelope has read it.
bool skip_own_time(std::string_view& text, const core::TimeReader& times, core::Nanoseconds& time) {
  std::string_view rest = text;
  if (rest.size() > 24 && rest[4] == '-' && rest[10] == ' ' && is_digit(rest[0])) {
    const auto read = core::parse_iso8601(rest, times);
    if (!read) return false;
    time = *read;
  } else if (const auto read = core::parse_ctime(rest, times)) {
    time = *read;
  } else {
    return false;
  }
  if (!skip_prefix(rest, " ")) return false;
  if (skip_prefix(rest, "us=")) {
    Scanner s(rest);
    time += static_cast<core::Nanoseconds>(std::min<std::uint64_t>(s.number(), 999'999)) * core::kMicrosecond;
    s.spaces();
    rest = s.rest();
  }
  text = rest;
  return true;
}

// "alice,10.8.0.4," : the server's list of kept addresses.
bool is_pool_entry(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == text.npos || text.substr(0, comma).contains(' ')) return false;
  Scanner s(text.substr(comma + 1));
  core::Ip ip;
  return s.ip(ip) && (s.done() || s.peek() == ',');
}

void put_peer(const Peer& peer, Event& e) {
  e.source_ip = peer.ip;
  e.source_port = peer.port;
  if (peer.port != 0) e.session_id = core::hash64(peer.text);
}

void put_name(std::string_view name, Event& e) {
  if (!name.empty() && name != "UNDEF") set_user(e, name);
}

// "name='value'" -> value
std::string_view quoted_behind(std::string_view text, std::string_view words) {
  Scanner s(text);
  return s.skip_past(words) ? quoted_word(s) : std::string_view{};
}

Fate login(Event& e, Activity activity, Outcome outcome, AuthMethod method, std::string_view reason = {}) {
  put_login(e, outcome, Service::kVpn);
  e.activity = activity;
  e.auth_method = method;
  if (!reason.empty()) e.reason = closed_reason(reason);
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
}

Fate session(Event& e, Activity activity) {
  put_session(e, activity, kOpenVpn);
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
}

Fate handshake(Event& e, Activity activity, Outcome outcome = Outcome::kUnknown, std::string_view reason = {}) {
  e.event_class = Class::kHandshake;
  e.activity = activity;
  e.outcome = outcome;
  if (!reason.empty()) e.reason = closed_reason(reason);
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// " from [AF_INET]203.0.113.7:50123" in a line without a client in front.
void put_peer_behind(std::string_view text, std::string_view words, Event& e) {
  if (e.source_ip.present()) return;
  Scanner s(text);
  Peer peer;
  if (s.skip_past(words) && scan_peer(s, peer)) put_peer(peer, e);
}

// "VERIFY ERROR: depth=0, error=certificate has expired: C=DE, O=Example, CN=alice, serial=7"
Fate verify_error(std::string_view text, Event& e) {
  Scanner s(text);
  std::string_view reason;
  if (s.skip_past("error=")) reason = s.until(':');
  // Above depth 0 stands the name of an authority.
  if (text.starts_with("depth=0") && s.skip_past("CN=")) put_name(s.until(','), e);
  return login(e, Activity::kLogon, Outcome::kFailure, AuthMethod::kCertificate, reason);
}

Fate tls_auth_error(std::string_view text, Event& e) {
  if (text.starts_with("Auth Username/Password verification failed"))
    return login(e, Activity::kLogon, Outcome::kFailure, AuthMethod::kPassword, "wrong user name or password");
  // "username attempted to change from 'a' to 'b' -- tunnel disabled", "--client-config-dir authentication failed ..."
  return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kUnknown, text.substr(0, text.find(" from '")));
}

Fate tls(std::string_view text, Event& e) {
  if (text.starts_with("Initial packet from ") || text.starts_with("new session incoming connection from ")) {
    put_peer_behind(text, " from ", e);
    return handshake(e, Activity::kStart);
  }
  if (skip_prefix(text, "Username/Password authentication ")) {
    put_name(quoted_behind(text, "username "), e);
    if (text.starts_with("succeeded")) return login(e, Activity::kLogon, Outcome::kSuccess, AuthMethod::kPassword);
    return login(e, Activity::kObserved, Outcome::kUnknown, AuthMethod::kPassword, "deferred");
  }
  if (text.starts_with("soft reset") && e.user.present()) return session(e, Activity::kUpdate);
  return Fate::ignored(text_of("TLS: ")->name);
}

// "IV_VER=2.6.6", "IV_PLAT=win", "IV_GUI_VER=OpenVPN_GUI_11": what the client says of itself.
Fate peer_info(std::string_view text, Event& e) {
  const std::string_view key = core::take_until(text, '=');
  if (key == "IV_PLAT") {
    e.client_os = core::intern(text);
  } else if (key == "IV_GUI_VER") {
    e.user_agent = core::intern(text);
  } else if (key == "IV_VER") {
    constexpr std::string_view kName = "OpenVPN ";
    std::array<char, 48> agent;
    const std::size_t length = std::min(text.size(), agent.size() - kName.size());
    std::copy_n(text.begin(), length, std::copy(kName.begin(), kName.end(), agent.data()));
    e.user_agent = core::intern({agent.data(), kName.size() + length});
  } else {
    return Fate::ignored(text_of("peer info: ")->name);
  }
  return handshake(e, Activity::kObserved);
}

// "Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, ..."
Fate control_channel(std::string_view text, Event& e) {
  if (!text.starts_with("TLSv") && !text.starts_with("SSLv")) return Fate::ignored(text_of("Control Channel")->name);
  e.protocol_version = core::intern(text.substr(0, std::min<std::size_t>(text.find(','), 16)));
  return handshake(e, Activity::kObserved, Outcome::kSuccess);
}

// "Learn: 10.8.0.6 -> alice/203.0.113.7:50123", "primary virtual IP for alice/203.0.113.7:50123: 10.8.0.6",
// "pool returned IPv4=10.8.0.6, IPv6=(Not enabled)", "new connection by client 'alice' will cause ..."
Fate multi(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip("Learn: ")) {
    s.ip(e.assigned_ip);
    if (!s.skip_past("-> ")) return Fate::ignored(kOther);
    // Whom the address belongs to stands at the end; the line may come without the client in front. Learned networks
    // (iroute) and hardware addresses give none.
    Client owner;
    std::array<char, 256> padded;
    const std::string_view rest = s.rest().substr(0, padded.size() - 1);
    std::copy(rest.begin(), rest.end(), padded.data());
    padded[rest.size()] = ' ';
    std::string_view whole(padded.data(), rest.size() + 1);
    if (!e.source_ip.present() && skip_client(whole, owner)) {
      put_peer(owner.peer, e);
      put_name(owner.name, e);
    }
    return session(e, Activity::kUpdate);
  }
  if (s.skip_past("primary virtual IP for ") || s.skip_past("primary virtual IPv6 for ")) {
    if (const auto last = text.rfind(": "); last != text.npos) e.assigned_ip = given_ip(text.substr(last + 2));
    return session(e, Activity::kUpdate);
  }
  if (s.skip_past("pool returned IPv4=")) {
    if (!s.ip(e.assigned_ip) && s.skip_past("IPv6=")) s.ip(e.assigned_ip);
    return session(e, Activity::kUpdate);
  }
  if (s.skip_past("new connection by client ")) {
    put_name(quoted_word(s), e);
    e.reason = core::intern("replaces an earlier connection");
    return session(e, Activity::kUpdate);
  }
  return Fate::ignored(text_of("MULTI")->name);
}

// "[soft,ping-restart] received, client-instance restarting": how every client's session ends.
Fate signal(std::string_view text, Event& e) {
  if (!text.contains("client-instance")) return Fate::ignored(text_of("SIGTERM[")->name);
  const std::string_view why = text.substr(0, text.find(']'));
  e.reason = closed_reason(why.substr(why.find(',') + 1));
  if (e.user.present()) return session(e, Activity::kEnd);
  return handshake(e, Activity::kEnd, Outcome::kFailure);  // it never was a session
}

// The PAM plugin: "AUTH-PAM: BACKGROUND: user 'alice' failed to authenticate: Authentication failure"
Fate pam(std::string_view text, Event& e) {
  if (!text.contains("failed to authenticate")) return Fate::ignored(text_of("AUTH-PAM: ")->name);
  put_name(quoted_behind(text, "user "), e);
  const auto why = text.find("authenticate: ");
  return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kPassword,
               why == text.npos ? std::string_view{} : text.substr(why + 14));
}

// "uid=alice,ou=people,dc=corp,dc=example" -> "corp.example"; at most 64 bytes.
core::Symbol domain_of(std::string_view dn) {
  std::array<char, 64> name;
  std::size_t size = 0;
  while (!dn.empty()) {
    std::string_view part = core::trim(core::take_until(dn, ','));
    if (part.size() < 4 || !core::equals_ignore_case(part.substr(0, 3), "dc=")) continue;
    part.remove_prefix(3);
    if (size + 1 + part.size() > name.size()) return {};  // no domain is better than half of one
    if (size != 0) name[size++] = '.';
    for (const char c : part) name[size++] = c;
  }
  return core::intern({name.data(), size});
}

// The LDAP plugin: `LDAP user "alice" was not found.`, `Incorrect password supplied for LDAP DN "uid=alice,ou=x".`
Fate ldap(std::string_view text, Event& e) {
  if (skip_prefix(text, "LDAP user ") && text.contains("was not found")) {
    Scanner s(text);
    put_name(quoted_word(s), e);
    return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kLdap, "user not found");
  }
  if (skip_prefix(text, "Incorrect password supplied for LDAP DN ")) {
    Scanner s(text);
    const std::string_view dn = quoted_word(s);
    std::string_view name = dn.substr(0, dn.find(','));
    if (const auto is = name.find('='); is != name.npos) name.remove_prefix(is + 1);
    put_name(name, e);
    if (const core::Symbol domain = domain_of(dn); domain.present()) e.user_domain = domain;
    return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kLdap, "wrong password");
  }
  return Fate::ignored(text_of("LDAP ")->name);
}

// pfSense and OPNsense: "user 'alice' authenticated", "user 'alice' could not authenticate."
Fate script_login(std::string_view text, Event& e) {
  Scanner s(text);
  const bool quoted = s.peek() == '\'' || s.peek() == '"';
  put_name(quoted_word(s), e);
  if (quoted) s.advance(1);
  s.spaces();
  if (s.skip("authenticated")) return login(e, Activity::kLogon, Outcome::kSuccess, AuthMethod::kPassword);
  if (s.skip("could not authenticate"))
    return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kPassword, "could not authenticate");
  return Fate::ignored(kOther);
}

// pfSense: "openvpn server 'ovpns1' user 'alice' address '203.0.113.7' - connected"
Fate script_session(std::string_view text, Event& e) {
  e.group = core::intern(quoted_behind(text, "server "));
  put_name(quoted_behind(text, " user "), e);
  Scanner s(quoted_behind(text, " address "));
  Peer peer;
  if (scan_peer(s, peer)) put_peer(peer, e);
  if (text.ends_with("disconnected")) return session(e, Activity::kEnd);
  if (!text.ends_with("connected")) return session(e, Activity::kUpdate);
  e.outcome = Outcome::kSuccess;
  return session(e, Activity::kStart);
}

// "[alice] Peer Connection Initiated with [AF_INET]203.0.113.7:50123", "[alice] Inactivity timeout (--ping-restart),
// ..."
Fate named(std::string_view text, Event& e) {
  if (skip_prefix(text, "[")) {
    const auto close = text.find("] ");
    if (close == text.npos) return Fate::ignored(kOther);
    if (!e.user.present()) put_name(text.substr(0, close), e);
    text.remove_prefix(close + 2);
  }
  if (text.starts_with("Inactivity timeout")) return Fate::ignored(kEndStated);
  if (!text.starts_with("Peer Connection Initiated with ")) return Fate::ignored(kOther);
  put_peer_behind(text, "with ", e);
  // Without a name nobody has proven to be anybody: the first packet of a TCP connection, say.
  if (!e.user.present()) return handshake(e, Activity::kStart);
  e.outcome = Outcome::kSuccess;
  return session(e, Activity::kStart);
}

Fate message(std::string_view text, Event& e) {
  Client client;
  const bool has_client = skip_client(text, client);
  if (has_client) {
    put_peer(client.peer, e);
    put_name(client.name, e);
  }
  std::string_view t = text;
  if (t.starts_with('[') || t.starts_with("Peer Connection Initiated")) return named(t, e);
  if (skip_prefix(t, "VERIFY ERROR: ")) return verify_error(t, e);
  if (skip_prefix(t, "TLS Auth Error: ")) return tls_auth_error(t, e);
  if (skip_prefix(t, "TLS Error: ")) {
    put_peer_behind(t, "from ", e);
    if (!e.source_ip.present()) return Fate::ignored(text_of(text)->name);
    const auto end = std::min(t.find(" from ["), t.find(" ("));
    return handshake(e, Activity::kObserved, Outcome::kFailure, t.substr(0, end));
  }
  if (skip_prefix(t, "TLS: ")) return tls(t, e);
  if (skip_prefix(t, "peer info: ")) return peer_info(t, e);
  if (skip_prefix(t, "Control Channel: ")) return control_channel(t, e);
  if (t.starts_with("MULTI")) return multi(t.substr(t.find(' ') == t.npos ? t.size() : t.find(' ') + 1), e);
  if (skip_prefix(t, "SIGUSR1[") || skip_prefix(t, "SIGTERM[")) return signal(t, e);
  if (skip_prefix(t, "AUTH-PAM: ")) return pam(t, e);
  if (t.starts_with("LDAP ") || t.starts_with("Incorrect password supplied for LDAP DN ")) return ldap(t, e);
  if (skip_prefix(t, "TCP connection established with ")) {
    put_peer_behind(text, "with ", e);
    e.protocol = 6;
    return handshake(e, Activity::kStart);
  }
  if (skip_prefix(t, "SENT CONTROL [") && t.contains("'AUTH_FAILED")) {
    put_name(t.substr(0, t.find(']')), e);
    return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kUnknown, "refused");
  }
  // A client's own log has the same words without a client in front.
  if (skip_prefix(t, "AUTH: Received control message: AUTH_FAILED") && has_client)
    return login(e, Activity::kObserved, Outcome::kFailure, AuthMethod::kUnknown, "refused");
  if (skip_prefix(t, "user ") && (t.starts_with('\'') || t.starts_with('"'))) return script_login(t, e);
  if (skip_prefix(t, "openvpn server ")) return script_session(text, e);
  if (const Text* known = text_of(text)) return Fate::ignored(known->name);
  return Fate::ignored(is_pool_entry(text) ? core::intern("OpenVPN address pool") : kOther);
}

bool is_openvpn(std::string_view program) {
  if (const auto slash = program.rfind('/'); slash != program.npos) program.remove_prefix(slash + 1);
  return program.starts_with("openvpn") || program.starts_with("ovpn-") || program == "ovpn";
}

class OpenVpn final : public RecordDecoder {
 public:
  explicit OpenVpn(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (is_openvpn(r.program)) return true;
    if (r.raw.starts_with('<')) return false;
    std::string_view text = r.raw;
    core::Nanoseconds time = 0;
    const bool timed = skip_own_time(text, times_, time);
    if (!timed && r.time != 0) return false;  // syslog of another program
    Client client;
    const bool has_client = skip_client(text, client);
    // A line without time and client must say more: the LDAP plugin's words do.
    if (!timed && !has_client)
      return text.starts_with("LDAP user \"") || text.starts_with("Incorrect password supplied for LDAP DN \"");
    if (text.starts_with('[')) return has_client || text.contains("] Peer Connection Initiated with [AF_");
    return text_of(text) != nullptr || (timed && is_pool_entry(text));
  }

  Fate decode(const TextRecord& r, Event& event) override {
    event.service = Service::kVpn;
    event.application = kOpenVpn;
    if (is_openvpn(r.program)) return message(r.message, event);
    // What the envelope took for a host's name is the beginning of the message.
    event.observer = {};
    std::string_view text = r.raw;
    skip_own_time(text, times_, event.time);
    return message(text, event);
  }

 private:
  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_openvpn(const core::TimeReader& times) { return std::make_unique<OpenVpn>(times); }

}  // namespace orbwatch::decode
