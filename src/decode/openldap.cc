// OpenLDAP's slapd with loglevel stats: connections and the log-ins (binds) on them. slapd writes the address, the name
// and the result of a log-in on three lines; they are joined by the number of the connection.
//
// Sources: slapd.conf(5), slapd-config(5), "loglevel", "logfile-format"; connection.c, bind.c and result.c of OpenLDAP
// 2.4 to 2.6.
//   Nov 22 08:00:00 ldap1 slapd[1183]: conn=1022 fd=21 ACCEPT from IP=192.0.2.7:45011 (IP=198.51.100.2:389)
//   Nov 22 08:00:00 ldap1 slapd[1183]: conn=1022 op=1 BIND dn="uid=alice,ou=people,dc=corp,dc=example" method=128
//   Nov 22 08:00:00 ldap1 slapd[1183]: conn=1022 op=1 RESULT tag=97 err=49 text=
// Ignored by name: what is told with a result ("bind request"), other operations ("operation SRCH"), other lines of
// slapd.
#include <array>
#include <cstring>
#include <vector>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("openldap: no time");
const Symbol kOther = core::intern("slapd other message");
const Symbol kLocal = core::intern("connection from the host itself");
const Symbol kBindRequest = core::intern("bind request");
const Symbol kInProgress = core::intern("SASL bind in progress");
const Symbol kAnonymous = core::intern("anonymous bind");
const Symbol kNotSeen = core::intern("bind or connection from before the log's beginning");
const Symbol kLdap = core::intern("ldap");
const Symbol kLdaps = core::intern("ldaps");

// What is known of an open connection.
struct Connection {
  std::uint64_t number = 0;
  Symbol observer;
  core::Nanoseconds opened = 0;
  Endpoint client;
  Endpoint server;
  Symbol user;
  Symbol domain;
  AuthMethod method = AuthMethod::kUnknown;
  bool known = false;
};

// Of the connections that are open at once, the last 4096 numbers. They are given out in sequence, so that a connection
// loses its place to the one that comes 4096 later.
class Connections {
 public:
  Connection& at(std::uint64_t number, Symbol observer) {
    if (slots_.empty()) slots_.resize(kSlots);
    Connection& c = slots_[(number + core::hash64(observer.text())) % kSlots];
    if (!c.known || c.number != number || c.observer != observer) {
      c = {};
      c.number = number;
      c.observer = observer;
    }
    return c;
  }

 private:
  static constexpr std::size_t kSlots = 4096;
  std::vector<Connection> slots_;
};

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// slapd's own clock where it does not write to syslog: "63f0c8ab.1d2e3f4a 0x7f3c8e7fc700 conn=...", "5f1e2d3c conn=":
// seconds and nanoseconds in hexadecimal, since 2.5 with the thread. False and unmoved if there is none.
bool take_debug_time(std::string_view& text, core::Nanoseconds& out) {
  if (text.size() < 14 || !std::all_of(text.begin(), text.begin() + 8, is_hex)) return false;
  std::string_view rest = text.substr(8);
  core::Nanoseconds time = *core::parse_number<std::uint32_t>(text.substr(0, 8), 16) * core::kSecond;
  if (skip_prefix(rest, ".")) {
    const auto fraction = core::parse_number<std::uint32_t>(core::take_until(rest, ' '), 16);
    if (!fraction || *fraction >= core::kSecond) return false;
    time += *fraction;
  } else if (!skip_prefix(rest, " ")) {
    return false;
  }
  if (rest.starts_with("0x")) core::take_until(rest, ' ');
  out = time;
  text = rest;
  return true;
}

struct Line {
  std::uint64_t connection = 0;
  bool operation = false;  // "op=", else "fd="
  std::string_view what;
};

// "conn=1022 op=1 BIND ...", "conn=1022 fd=21 ACCEPT ..."
bool line_of(std::string_view text, Line& out) {
  if (!skip_prefix(text, "conn=")) return false;
  Scanner s(text);
  if (!is_digit(s.peek())) return false;
  out.connection = s.number();
  if (!s.skip(" op=") && !s.skip(" fd=")) return false;
  out.operation = text[static_cast<std::size_t>(s.rest().data() - text.data()) - 3] == 'o';
  if (!is_digit(s.peek())) return false;
  s.number();
  if (!s.skip(' ')) return false;
  out.what = s.rest();
  return true;
}

// The first value of a name: "uid=alice,ou=people,..." gives alice. A comma with a backslash belongs to it.
std::string_view first_value(std::string_view dn) {
  const auto equals = dn.find('=');
  std::size_t end = equals + 1;
  while (end < dn.size() && dn[end] != ',' && dn[end] != '+') end += dn[end] == '\\' ? 2 : 1;
  return core::trim(dn.substr(equals + 1, std::min(end, dn.size()) - equals - 1));
}

// "...,dc=corp,dc=example" gives corp.example.
Symbol domain_of(std::string_view dn) {
  std::array<char, 128> out;
  std::size_t used = 0;
  while (!dn.empty()) {
    std::string_view part = core::trim(core::take_until(dn, ','));
    if (part.size() < 4 || !core::equals_ignore_case(part.substr(0, 3), "dc=")) continue;
    part.remove_prefix(3);
    if (used + 1 + part.size() > out.size()) break;
    if (used != 0) out[used++] = '.';
    std::copy(part.begin(), part.end(), out.begin() + static_cast<std::ptrdiff_t>(used));
    used += part.size();
  }
  return core::intern({out.data(), used});
}

AuthMethod mechanism(std::string_view name) {
  if (name == "GSSAPI" || name == "GSS-SPNEGO") return AuthMethod::kKerberos;
  if (name == "EXTERNAL") return AuthMethod::kCertificate;
  if (name == "SIMPLE" || name == "PLAIN" || name == "LOGIN" || name.ends_with("-MD5") || name.starts_with("SCRAM-"))
    return AuthMethod::kPassword;
  return AuthMethod::kOther;
}

// Result codes of RFC 4511.
Symbol reason_of(std::uint64_t code) {
  switch (code) {
    case 1: return core::intern("operations error");
    case 2: return core::intern("protocol error");
    case 7: return core::intern("method not supported");
    case 8: return core::intern("stronger authentication required");
    case 13: return core::intern("confidentiality required");
    case 19: return core::intern("constraint violation");
    case 32: return core::intern("no such object");
    case 34: return core::intern("invalid name");
    case 48: return core::intern("inappropriate authentication");
    case 49: return core::intern("invalid credentials");
    case 50: return core::intern("insufficient access rights");
    case 51: return core::intern("busy");
    case 52: return core::intern("unavailable");
    case 53: return core::intern("unwilling to perform");
    default: return core::intern("other");
  }
}

enum Key : std::uint8_t { kDn, kMethod, kMechanism, kAuthcid, kTag, kError, kKeys };

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{"dn", "method", "mech", "authcid", "tag", "err"});
using Pairs = Values<kKeys>;

class OpenLdap final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    if (r.program == "slapd") return true;
    if (!r.program.empty()) return false;
    Line line;
    std::string_view text = r.message;
    core::Nanoseconds time = r.time;
    const bool debug = time == 0 && take_debug_time(text, time);
    return time != 0 && (line_of(text, line) || (debug && debug_log_));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view text = r.message;
    const bool debug = r.program.empty() && e.time == 0 && take_debug_time(text, e.time);
    Line line;
    if (!line_of(text, line)) return Fate::ignored(kOther);
    debug_log_ |= debug;
    if (r.program.empty() && r.host.starts_with("0x")) e.observer = {};  // the thread, not a host
    if (e.time == 0) return Fate::rejected(kNoTime);
    Connection& c = connections_.at(line.connection, e.observer);
    std::string_view what = line.what;
    const std::string_view word = core::take_until(what, ' ');
    e.code = core::intern(word);
    if (!line.operation) return connection(word, what, c, e);
    if (word == "BIND") return bind(what, c);
    if (word == "RESULT") return result(what, c, e);
    return json::ignored("operation", word);
  }

 private:
  static Fate connection(std::string_view word, std::string_view what, Connection& c, Event& e) {
    if (word == "ACCEPT" || word == "PROXIED") {
      const auto client = core::between(what, "from IP=", " ");
      if (!client) return Fate::ignored(kLocal);
      c.known = true;
      c.opened = e.time;
      c.client = endpoint(*client);
      c.server = endpoint(core::between(what, "(IP=", ")").value_or(""));
      put_connection(c, Activity::kStart, e);
      return c.client.ip.present() ? Fate::kept() : Fate::ignored(kOther);
    }
    if (word != "closed") return json::ignored("connection", word);
    if (!c.client.ip.present()) return Fate::ignored(kNotSeen);
    put_connection(c, Activity::kEnd, e);
    e.duration = std::max<core::Nanoseconds>(e.time - c.opened, 0);
    e.user = c.user;
    e.user_domain = c.domain;
    e.reason = closed_reason(core::between(what, "(", ")").value_or(""));
    if (what.contains("TLS negotiation failure")) e.outcome = Outcome::kFailure;
    c = {};
    return Fate::kept();
  }

  // "dn="uid=alice,..." method=128", "authcid="alice@CORP" authzid="..."", "dn="..." mech=GSSAPI bind_ssf=56"
  static Fate bind(std::string_view what, Connection& c) {
    Pairs p(kNames);
    p.read(what, ' ');
    c.known = true;
    if (p[kMethod] == "128" || what.starts_with("anonymous")) {  // a new attempt
      c.user = c.domain = {};
      c.method = AuthMethod::kPassword;
    }
    if (p[kMethod] == "163") c.user = c.domain = {};
    if (!p[kMechanism].empty()) c.method = mechanism(p[kMechanism]);
    // Some clients send a name that is none of the directory's, "alice@corp.example".
    if (const std::string_view name = p.either(kDn, kAuthcid); name.contains('=')) {
      c.user = core::intern(first_value(name));
      c.domain = domain_of(name);
    } else if (!name.empty()) {
      Event named{};
      set_typed_user(named, name);
      c.user = named.user;
      c.domain = named.user_domain;
    }
    return Fate::ignored(kBindRequest);
  }

  static Fate result(std::string_view what, Connection& c, Event& e) {
    Pairs p(kNames);
    p.read(what, ' ');
    if (p[kTag] != "97") return json::ignored("operation", "RESULT");
    if (!c.known) return Fate::ignored(kNotSeen);
    const std::uint64_t error = p.number(kError);
    if (error == 14) return Fate::ignored(kInProgress);
    if (!c.user.present() && error == 0) return Fate::ignored(kAnonymous);
    if (!c.user.present() && !c.client.ip.present()) return Fate::ignored(kNotSeen);
    put_login(e, error == 0 ? Outcome::kSuccess : Outcome::kFailure, Service::kOther);
    put_ends(c, e);
    e.code = core::intern("BIND");
    e.user = c.user;
    e.user_domain = c.domain;
    e.auth_method = c.method;
    if (error != 0) {
      e.reason = reason_of(error);
      c.user = c.domain = {};  // who failed is nobody from then on
    }
    return Fate::kept();
  }

  static void put_ends(const Connection& c, Event& e) {
    e.source_ip = c.client.ip;
    e.source_port = c.client.port;
    e.destination_ip = c.server.ip;
    e.destination_port = c.server.port;
    e.application = c.server.port == 636 ? kLdaps : kLdap;
    e.session_id = c.number;
  }

  static void put_connection(const Connection& c, Activity activity, Event& e) {
    e.event_class = event::Class::kConnection;
    e.activity = activity;
    e.action = event::Action::kAllowed;
    e.protocol = 6;
    put_ends(c, e);
  }

  Connections connections_;
  bool debug_log_ = false;  // lines with slapd's own clock were read: others with it are slapd's as well
};

}  // namespace

std::unique_ptr<RecordDecoder> make_openldap(const core::TimeReader&) { return std::make_unique<OpenLdap>(); }

}  // namespace orbwatch::decode
