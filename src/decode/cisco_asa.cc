// Cisco ASA, Firepower Threat Defense, PIX and FWSM syslog.
//
// Sources: "Cisco Secure Firewall ASA Series Syslog Messages" (cisco.com, all message chapters) and "Cisco Secure
// Firewall Threat Defense Syslog Messages" (430001..430005). Seen: ASA 8.x..9.20, FTD 6.x..7.x.
//   %ASA-6-302013: Built outbound TCP connection 11757 for outside:192.0.2.104/80 (192.0.2.104/80) to
//   inside:10.1.98.44/1772 (...) %ASA-4-113019: Group = VPN, Username = alice, IP = 198.51.100.7, Session disconnected.
//   Session Type: SSL, Duration: 2h:28m:09s, ... %FTD-1-430003: EventPriority: Low, ..., AccessControlRuleAction:
//   Allow, SrcIP: 192.0.2.2, DstIP: 192.0.2.1, SrcPort: 50158, ...
// Every other message number is ignored by name ("message 305011").
#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::Ip;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNoNumber = core::intern("cisco_asa: no message number");
const Symbol kNoAddress = core::intern("cisco_asa: no address");
const Symbol kNoUser = core::intern("cisco_asa: no user");
const Symbol kNotLogin = core::intern("AAA other than authentication");
const Symbol kAnyConnect = core::intern("anyconnect");
const Symbol kIkev1 = core::intern("ikev1");
const Symbol kIkev2 = core::intern("ikev2");
const Symbol kSsh = core::intern("ssh");
const Symbol kTcpFins = core::intern("TCP FINs");
const Symbol kDns = core::intern("dns");
const Symbol kAsdm = core::intern("asdm");

// How a message writes an address.
enum class Form {
  kColon,  // interface:address/port
  kSlash,  // interface/address(port)
  kBare,   // address/port
};

// One side of a connection. A host name in place of the address (the ASA's `names` command) leaves ip absent.
struct Endpoint {
  std::string_view interface;
  Ip ip;
  std::uint16_t port = 0;
  std::string_view name;     // what stood in place of an address
  std::string_view service;  // what stood in place of a port number
  std::string_view text;     // "address/port" as it stands
  std::string_view user;     // identity firewall: "(LOCAL\alice)" or "(CORP\alice, 123)"
};

// "(LOCAL\alice)", "(LOCAL\alice, 123)", "(LOCAL\alice, sgt:name)" at the cursor.
void scan_user(Scanner& s, Endpoint& out) {
  if (s.peek() != '(') return;
  Scanner ahead = s;
  ahead.advance(1);
  const std::string_view inside = ahead.until(')');
  if (!ahead.skip(')')) return;
  out.user = inside.substr(0, inside.find(','));
  s = ahead;
}

// " alice" between an endpoint and the word that follows it: old releases write the user without parentheses.
void scan_bare_user(Scanner& s, Endpoint& out, std::string_view next) {
  Scanner ahead = s;
  if (!out.user.empty() || !ahead.skip(' ')) return;
  const std::string_view name = ahead.word();
  if (name.empty() || name == next || !ahead.skip(' ') || !ahead.skip(next)) return;
  out.user = name;
  s.advance(1 + name.size());
}

constexpr CharTable kEndsInterface(": (");

// The one interface name with blanks: traffic to and from the device itself.
constexpr std::string_view kDeviceItself = "NP Identity Ifc";

// Reads an endpoint at the cursor; false if nothing stands there.
bool scan_endpoint(Scanner& s, Endpoint& out, Form form) {
  s.spaces();
  if (form == Form::kColon) {
    Scanner ahead = s;
    std::string_view word = ahead.until_table(kEndsInterface);
    if (word == "NP" && s.rest().starts_with(kDeviceItself)) {
      word = kDeviceItself;
      ahead = s;
      ahead.advance(word.size());
    }
    if (ahead.peek() == ':') {
      // Without an interface the beginning of an IPv6 address would look like one.
      if (auto text = s.rest(); word.size() > 4 || !Ip::scan(text) || text.starts_with(':')) {
        out.interface = word;
        ahead.advance(1);
        ahead.spaces();
        s = ahead;
      }
    }
  } else if (form == Form::kSlash) {
    Scanner ahead = s;
    const std::string_view word = ahead.until_any("/ (");
    if (ahead.peek() == '/') {
      out.interface = word;
      ahead.advance(1);
      s = ahead;
    }
  }
  const char* const begin = s.rest().data();
  if (!s.ip(out.ip)) {
    if (s.skip('(')) return s.ip(out.ip) && s.skip(')');  // "(0.0.0.0)"
    s.skip('[');                                          // a stray bracket, as some relays leave it
    if (!s.ip(out.ip)) {
      out.name = s.until_any("/( ,");
      if (out.name.empty()) return false;
    }
  }
  if (form == Form::kSlash) {
    if (s.peek() == '(' && is_digit(s.peek(1))) {
      s.advance(1);
      out.port = s.port();
      s.skip(')');
    }
  } else if (s.peek() == '/') {
    s.advance(1);
    if (is_digit(s.peek())) {
      out.port = s.port();
    } else {
      out.service = s.until_any("( ,.");
    }
  }
  out.text = {begin, static_cast<std::size_t>(s.rest().data() - begin)};
  scan_user(s, out);
  return true;
}

void put_source(Event& event, const Endpoint& e) {
  event.source_ip = e.ip;
  event.source_port = e.port;
  event.ingress = core::intern(e.interface);
  if (!e.user.empty()) set_user(event, e.user);
  if (!e.name.empty()) event.client_host = core::intern(e.name);
}

void put_destination(Event& event, const Endpoint& e) {
  event.destination_ip = e.ip;
  event.destination_port = e.port;
  event.egress = core::intern(e.interface);
}

Service service_of(std::uint16_t port, std::string_view name) {
  if (port == 22 || port == 23 || name == "ssh" || name == "telnet") return Service::kManagement;
  return Service::kUnknown;
}

// "flags SYN ACK  on interface", "flags URG+SYN+RST on interface"
std::uint16_t scan_flags(Scanner& s) {
  std::uint16_t flags = 0;
  for (int i = 0; i < 8; ++i) {
    s.spaces();
    s.skip('+');
    Scanner ahead = s;
    const std::string_view word = ahead.until_any(" +");
    if (word == "FIN") {
      flags |= 0x01;
    } else if (word == "SYN") {
      flags |= 0x02;
    } else if (word == "RST") {
      flags |= 0x04;
    } else if (word == "PSH") {
      flags |= 0x08;
    } else if (word == "ACK") {
      flags |= 0x10;
    } else if (word == "URG") {
      flags |= 0x20;
    } else {
      break;
    }
    s = ahead;
  }
  return flags;
}

void put_interface(Event& event, Scanner& s) {
  if (!s.skip_past("on interface ")) return;
  std::string_view name = s.until_any(" ,:");
  while (name.ends_with('.')) name.remove_suffix(1);
  event.ingress = core::intern(name);
}

// "TCP connection 1 for " at the cursor, which moves to the first endpoint.
bool scan_connection(Scanner& s, Event& event) {
  event.protocol = protocol_number(s.word());
  if (!s.skip_past("connection ")) return false;
  event.session_id = s.number();
  return s.skip(" for ") || s.skip(" from ");
}

// The name at a message's end is the AAA user of whichever side has one.
void put_last_user(Scanner& s, Event& event, const Endpoint& first, const Endpoint& second) {
  if (!first.user.empty() || !second.user.empty() || s.peek() != '(') return;
  Endpoint last;
  scan_user(s, last);
  set_user(event, last.user);
}

// "Built inbound TCP connection 1 for outside:A/P (MAPPED/P)[(user)] to inside:B/P (MAPPED/P)[(user)] [(user)]". The
// side named first is the foreign one, whoever opened the connection.
Fate built(Scanner s, Event& event, bool initiator_first) {
  if (!s.skip("Built ")) return Fate::rejected(kNoAddress);
  bool outbound = false;
  if (s.skip("inbound ")) {
    event.direction = Direction::kInbound;
  } else if (s.skip("outbound ")) {
    event.direction = Direction::kOutbound;
    outbound = true;
  }
  s.skip("Probe ");
  if (!scan_connection(s, event)) return Fate::rejected(kNoAddress);
  Endpoint first;
  Endpoint second;
  Ip first_mapped;
  Ip second_mapped;
  const auto mapped = [&s](Endpoint& e, Ip& ip) {
    Scanner ahead = s;
    ahead.spaces();
    if (!ahead.skip('(')) return;
    if (!ahead.skip(e.text)) {
      ahead.ip(ip);
    }
    ahead.until(')');
    if (!ahead.skip(')')) return;
    s = ahead;
    scan_user(s, e);
  };
  if (!scan_endpoint(s, first, Form::kColon)) return Fate::rejected(kNoAddress);
  mapped(first, first_mapped);
  if (!s.skip_past(" to ") || !scan_endpoint(s, second, Form::kColon)) return Fate::rejected(kNoAddress);
  mapped(second, second_mapped);
  event.event_class = Class::kConnection;
  event.activity = Activity::kStart;
  event.action = Action::kAllowed;
  const bool swap = outbound && !initiator_first;
  const Endpoint& source = swap ? second : first;
  const Endpoint& destination = swap ? first : second;
  const Ip& source_mapped = swap ? second_mapped : first_mapped;
  put_source(event, source);
  put_destination(event, destination);
  if (source_mapped.present() && source_mapped != source.ip) event.assigned_ip = source_mapped;
  s.spaces();
  put_last_user(s, event, first, second);
  return Fate::kept();
}

// A teardown does not say who opened the connection, and names the foreign side first. The side with the well-known
// port is taken to be the destination when the other has an ephemeral one.
bool looks_like_server(std::uint16_t port, std::uint16_t other) { return port != 0 && port < 1024 && other >= 1024; }

// "Teardown TCP connection 1 for outside:A/P[(user)] to inside:B/P[(user)] duration 0:00:31 bytes 10128 TCP FINs [from
// X] [(user)]"
Fate teardown(Scanner s, Event& event, bool initiator_first) {
  if (!s.skip("Teardown ")) return Fate::rejected(kNoAddress);
  if (!scan_connection(s, event)) return Fate::rejected(kNoAddress);
  Endpoint first;
  Endpoint second;
  if (!scan_endpoint(s, first, Form::kColon)) return Fate::rejected(kNoAddress);
  scan_bare_user(s, first, "to");
  if (!s.skip_past(" to ") || !scan_endpoint(s, second, Form::kColon)) return Fate::rejected(kNoAddress);
  scan_bare_user(s, second, "duration");
  event.event_class = Class::kConnection;
  event.activity = Activity::kEnd;
  event.action = Action::kAllowed;
  const bool swap = !initiator_first && looks_like_server(first.port, second.port);
  const Endpoint& source = swap ? second : first;
  const Endpoint& destination = swap ? first : second;
  put_source(event, source);
  put_destination(event, destination);
  if (!s.skip_past(" duration ")) return Fate::kept();
  event.duration = scan_duration(s);
  if (s.skip(" bytes ")) event.source_bytes = s.number();  // of both directions: the message has one number
  s.spaces();
  std::string_view reason = s.until('(');
  put_last_user(s, event, first, second);
  if (const auto from = reason.find(" from "); from != reason.npos) reason = reason.substr(0, from);
  reason = core::trim(reason);
  if (reason == "TCP FINs") {  // most of them
    event.reason = kTcpFins;
  } else if (!reason.empty()) {
    event.reason = closed_reason(reason);
  }
  return Fate::kept();
}

Fate denied(Event& event, Fate fate = Fate::kept()) {
  event.event_class = Class::kConnection;
  event.action = Action::kDenied;
  return fate;
}

// "... src inside:A/P dst outside:B/P ..." at the cursor's right.
bool source_and_destination(Scanner& s, Event& event, std::string_view from, std::string_view to, Form form) {
  Endpoint source;
  Endpoint destination;
  if (!s.skip_past(from) || !scan_endpoint(s, source, form)) return false;
  put_source(event, source);
  if (!s.skip_past(to) || !scan_endpoint(s, destination, form)) return false;
  put_destination(event, destination);
  return true;
}

// " from A/P to outside:B/ssh": somebody who wants to speak to the device itself. What stands in place of the port
// names the application.
bool put_visitor(Scanner& s, Event& event, Endpoint& device) {
  Endpoint source;
  if (!s.skip_past(" from ") || !scan_endpoint(s, source, Form::kBare) || !s.skip_past(" to ") ||
      !scan_endpoint(s, device, Form::kColon)) {
    return false;
  }
  put_source(event, source);
  event.destination_ip = device.ip;
  event.destination_port = device.port;
  event.ingress = core::intern(device.interface);
  event.application = lower_symbol(device.service);
  return true;
}

// 106023: "Deny tcp src dmz:A/P dst outside:B/P [(type 11, code 0)] by access-group "acl" [0x0, 0x0]"
Fate deny_by_group(Scanner s, Event& event) {
  if (!s.skip("Deny ")) return Fate::rejected(kNoAddress);
  s.skip("protocol ");
  event.protocol = protocol_number(s.word());
  if (!source_and_destination(s, event, "src ", "dst ", Form::kColon)) return Fate::rejected(kNoAddress);
  s.spaces();
  if (s.skip_past("by access-group ")) {
    const bool quoted = s.skip('"');
    event.rule = core::intern(quoted ? s.until('"') : s.word());
  }
  return denied(event);
}

// "access-list acl permitted tcp [for user bob] inside/A(P) -> outside/B(P) hit-cnt 1 first hit [...]"
Fate access_list(Scanner s, Event& event) {
  if (!s.skip("access-list ")) return Fate::rejected(kNoAddress);
  event.rule = core::intern(s.word());
  s.spaces();
  const std::string_view verdict = s.word();
  s.spaces();
  event.protocol = protocol_number(s.word());
  std::string_view user;
  if (s.skip(" for user ")) user = s.word();
  Endpoint source;
  Endpoint destination;
  if (!scan_endpoint(s, source, Form::kSlash)) return Fate::rejected(kNoAddress);
  s.spaces();
  s.skip("->");
  if (!scan_endpoint(s, destination, Form::kSlash)) return Fate::rejected(kNoAddress);
  put_source(event, source);
  put_destination(event, destination);
  if (!user.empty()) set_user(event, user);
  event.event_class = Class::kConnection;
  event.action = verdict == "denied" ? Action::kDenied : Action::kAllowed;
  return Fate::kept();
}

// The other messages of a refused packet. They differ in where the protocol stands and in the words before the
// addresses.
Fate deny(Scanner s, Event& event, int number) {
  bool found = false;
  const auto from_to = [&](std::string_view reason = {}) {
    found = source_and_destination(s, event, " from ", " to ", Form::kBare);
    event.reason = core::intern(reason);
  };
  switch (number) {
    case 106001:
    case 106015:
      event.protocol = 6;
      from_to(number == 106015 ? "no connection" : "");
      if (number == 106001) event.direction = Direction::kInbound;
      if (found && s.skip_past(" flags ")) event.tcp_flags = scan_flags(s);
      put_interface(event, s);
      break;
    case 106002: {
      event.protocol = protocol_number(s.word());
      if (Scanner rule = s; rule.skip_past("list ")) event.rule = core::intern(rule.word());
      found = source_and_destination(s, event, "src ", "dest ", Form::kBare);
      break;
    }
    case 106006:
    case 106007:
      event.protocol = 17;
      event.direction = Direction::kInbound;
      from_to(number == 106007 ? "dns" : "");
      if (number == 106007) event.application = kDns;
      put_interface(event, s);
      break;
    case 106010:
    case 106014:
      if (s.skip("Deny inbound ")) {
        event.direction = Direction::kInbound;
        s.skip("protocol ");
        event.protocol = protocol_number(s.word());
      }
      found = source_and_destination(s, event, "src ", "dst ", Form::kColon);
      break;
    case 106012: from_to("ip options"); break;
    case 106016:
      from_to("ip spoof");
      put_interface(event, s);
      break;
    case 106017: from_to("land attack"); break;
    case 106021:
    case 106022:
      if (s.skip("Deny ")) event.protocol = protocol_number(s.word());
      from_to(number == 106021 ? "reverse path check" : "connection spoof");
      put_interface(event, s);
      break;
    case 313001:
    case 313008: {
      event.protocol = number == 313001 ? 1 : 58;
      Endpoint source;
      if (s.skip_past(" from ") && scan_endpoint(s, source, Form::kBare)) {
        put_source(event, source);
        found = true;
      }
      put_interface(event, s);
      break;
    }
    case 313004: {
      event.protocol = 1;
      Endpoint source;
      if (s.skip_past(" from ")) {
        s.skip("laddr ");
        found = scan_endpoint(s, source, Form::kBare);
        put_source(event, source);
      }
      put_interface(event, s);
      Endpoint destination;
      if (s.skip_past(" to ") && scan_endpoint(s, destination, Form::kBare)) event.destination_ip = destination.ip;
      event.reason = core::intern("no matching session");
      break;
    }
    case 313005:
      if (s.skip_past("error message: ")) event.protocol = protocol_number(s.word());
      found = source_and_destination(s, event, "src ", "dst ", Form::kColon);
      event.reason = core::intern("no matching connection");
      break;
    case 313009:
      event.protocol = 1;
      found = source_and_destination(s, event, " for ", " to ", Form::kColon);
      event.reason = core::intern("invalid icmp code");
      break;
    default: break;
  }
  if (!found) return Fate::rejected(kNoAddress);
  return denied(event);
}

// 710001, 710002, 710003, 710005: traffic to the device itself: "TCP access denied by ACL from A/P to outside:B/ssh".
Fate to_the_box(Scanner s, Event& event, int number) {
  event.protocol = protocol_number(s.word());
  Endpoint device;
  if (!put_visitor(s, event, device)) return Fate::rejected(kNoAddress);
  event.event_class = Class::kConnection;
  if (number == 710002) event.action = Action::kAllowed;
  if (number == 710003 || number == 710005) event.action = Action::kDenied;
  if (number == 710001) event.activity = Activity::kStart;
  if (number != 710005) event.service = service_of(device.port, device.service);
  return Fate::kept();
}

// Who a VPN message is about, in any of the vendor's notations; moves behind it. False if neither a user nor an address
// stood there.
//   Group <g> User <u> IP <a>      TunnelGroup <t> GroupPolicy <g> User <u> IP <a>
//   Group g User u IP a            Group = g, Username = u, IP = a,
bool scan_who(Scanner& s, Event& event) {
  const auto value = [&s](std::string_view next) -> std::string_view {
    if (s.skip('<')) {
      const std::string_view inside = s.until('>');
      s.skip('>');
      return inside;
    }
    if (next.empty()) return s.until_any(" ,");
    const std::string_view rest = s.rest();
    const auto at = rest.find(next);
    const std::string_view found = rest.substr(0, at == rest.npos ? rest.find(' ') : at);
    s.advance(found.size());
    return found;
  };
  std::string_view group;
  std::string_view user;
  bool any = false;
  // A peer of a LAN-to-LAN tunnel has its address for a user name: that is no user.
  const auto put_user = [&event](std::string_view name) {
    if (!Ip::parse(name)) set_user(event, name);
  };
  if (Scanner head = s; head.skip("Group = ") || head.skip("Username = ") || head.skip("IP = ")) {
    for (int i = 0; i < 3; ++i) {
      if (s.skip("Group = ")) {
        group = value(", ");
      } else if (s.skip("Username = ")) {
        user = value(", ");
      } else if (s.skip("IP = ")) {
        s.ip(event.source_ip);
      } else {
        break;
      }
      any = true;
      s.skip(',');
      s.spaces();
    }
    event.group = core::intern(group);
    put_user(user);
    return any && (event.source_ip.present() || event.user.present());
  }
  if (s.skip("TunnelGroup ")) {
    group = value(" GroupPolicy ");
    s.spaces();
  }
  if (s.skip("GroupPolicy ") || s.skip("Group ")) {
    const std::string_view policy = value(" User ");
    if (group.empty()) group = policy;
    s.spaces();
  }
  event.group = core::intern(group);
  if (s.skip("User ")) {
    put_user(value(" IP "));
    s.spaces();
  }
  if (s.skip("IP ")) {
    const bool bracket = s.skip('<');
    s.ip(event.source_ip);
    if (bracket) {
      s.until('>');
      s.skip('>');
    }
  }
  s.skip(',');
  s.spaces();
  if (event.source_ip.present() || event.user.present()) return true;
  // "WebVPN session for client user alice, IP 192.0.2.7 has been created."
  if (!s.skip_past("user ")) return false;
  put_user(s.until(','));
  if (s.skip(", IP ")) {
    s.ip(event.source_ip);
  }
  return event.source_ip.present();
}

// The value behind `key` of an AAA message: "reason = X : server = Y : user = Z", "server =  Y, User = Z".
std::string_view aaa_value(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    std::string_view rest = text.substr(at + key.size());
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != ',' &&
           !(rest[end] == ':' && (end + 1 == rest.size() || rest[end + 1] == ' '))) {
      ++end;
    }
    return core::trim(rest.substr(0, end));
  }
  return {};
}

// 113004 .. 113017
Fate aaa(std::string_view text, Event& event, int number) {
  const bool has_type = number == 113004 || number == 113005 || number == 113012 || number == 113015;
  if (has_type && !text.contains("uthentication")) return Fate::ignored(kNotLogin);
  put_login(event, Outcome::kFailure, Service::kVpn);
  std::string_view user = aaa_value(text, "user");
  if (user.empty()) user = aaa_value(text, "User");
  switch (number) {
    case 113004:
    case 113012: event.outcome = Outcome::kSuccess; break;
    case 113008:
      // Says again what 113004 or 113012 said just before.
      event.activity = Activity::kObserved;
      if (text.contains("ACCEPT")) event.outcome = Outcome::kSuccess;
      break;
    case 113006: {
      Scanner s(text);
      if (s.skip("User ")) user = s.word();
      event.reason = core::intern("locked out");
      break;
    }
    case 113010: {
      event.activity = Activity::kChallenge;
      event.outcome = Outcome::kUnknown;
      Scanner s(text);
      if (s.skip_past("for user ")) user = s.word();
      break;
    }
    case 113014: event.reason = core::intern("server not accessible"); break;
    default: break;
  }
  if (!event.reason.present()) event.reason = closed_reason(aaa_value(text, "reason"));
  if (text.contains("local database") || text.contains("LOCAL")) event.auth_method = AuthMethod::kPassword;
  set_user(event, user);
  if (const auto ip = Ip::parse(aaa_value(text, "user IP"))) event.source_ip = *ip;
  if (user.empty() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// 109005, 109006: cut-through proxy: "Authentication succeeded for user bob from A/P to B/P on interface inside"
Fate cut_through(Scanner s, Event& event, int number) {
  put_login(event, number == 109005 ? Outcome::kSuccess : Outcome::kFailure, Service::kOther);
  if (s.skip_past("for user ")) {
    std::string_view user = s.word();
    if (user.size() >= 2 && user.front() == '\'') user = user.substr(1, user.size() - 2);
    set_user(event, user);
  }
  if (!source_and_destination(s, event, " from ", " to ", Form::kBare)) return Fate::rejected(kNoAddress);
  put_interface(event, s);
  return Fate::kept();
}

// "Session disconnected. Session Type: SSL, Duration: 2h:28m:09s, Bytes xmt: 54735230, Bytes rcv: 27473152, Reason:
// Idle Timeout" xmt is what the gateway sent: from the destination to the source.
void session_end(Scanner s, Event& event) {
  put_session(event, Activity::kEnd);
  const auto find = [&s](std::string_view key) {
    Scanner at = s;
    return at.skip_past(key) ? at : Scanner({});
  };
  event.application = lower_symbol(find("Session Type: ").until(','));
  Scanner duration = find("Duration: ");
  event.duration = scan_duration(duration);
  event.destination_bytes = find("Bytes xmt: ").number();
  event.source_bytes = find("Bytes rcv: ").number();
  event.reason = closed_reason(find("Reason: ").rest());
  if (event.application == core::intern("lan-to-lan")) event.user = event.user_domain = Symbol();
}

void put_client(Event& event, std::string_view text) {
  text = core::trim(text);
  event.user_agent = core::intern(text);
  struct Row {
    std::string_view word;
    std::string_view name;
  };
  // In the order in which they are looked for: "Linux" also stands in names of Android clients.
  static constexpr std::array kSystems = {
      Row{"Windows", "Windows"},     Row{"WinNT", "Windows"}, Row{"Mac OS X", "macOS"}, Row{"Darwin", "macOS"},
      Row{"Android", "Android"},     Row{"iPhone", "iOS"},    Row{"iPad", "iOS"},       Row{"Apple iOS", "iOS"},
      Row{"Chrome OS", "Chrome OS"}, Row{"macOS", "macOS"},   Row{"Linux", "Linux"},
  };
  for (const Row& row : kSystems) {
    if (text.contains(row.word)) {
      event.client_os = core::intern(row.name);
      break;
    }
  }
}

void put_refused(Event& event, std::string_view reason, Symbol application = {}) {
  put_login(event, Outcome::kFailure, Service::kVpn);
  event.application = application;
  event.reason = core::intern(reason);
}

// AnyConnect, clientless SSL and IKEv1 sessions: what `scan_who` reads, then a text that depends on the number.
Fate vpn(Scanner s, Event& event, int number) {
  if (!scan_who(s, event)) return Fate::rejected(kNoAddress);
  const std::string_view text = s.rest();
  switch (number) {
    case 113019: session_end(s, event); break;
    case 113029: put_refused(event, "session limit reached"); break;
    case 113030: put_refused(event, "user ACL does not exist"); break;
    case 113033: put_refused(event, "ACL parse error"); break;
    case 113035: put_refused(event, "AnyConnect not enabled"); break;
    case 113038: put_refused(event, "no parent session"); break;
    case 113031:
    case 113032:
    case 113034:
    case 113036:
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern(number == 113036 ? "AAA parameter invalid" : "ACL not applied");
      break;
    case 113039: put_session(event, Activity::kStart, kAnyConnect); break;
    case 716001: put_session(event, Activity::kStart, core::intern("webvpn")); break;
    case 716002:
      put_session(event, Activity::kEnd, core::intern("webvpn"));
      if (s.skip_past("terminated:")) event.reason = closed_reason(s.rest());
      break;
    case 716003:
    case 716004:
      put_session(event, Activity::kUpdate, core::intern("webvpn"));
      event.action = number == 716003 ? Action::kAllowed : Action::kDenied;
      event.reason = core::intern("url access");
      break;
    case 716038:
    case 716039:
      put_login(event, number == 716038 ? Outcome::kSuccess : Outcome::kFailure, Service::kVpn);
      if (s.skip_past("Session Type: ")) event.application = lower_symbol(s.until_any(".,"));
      if (number == 716039) event.reason = core::intern("rejected");
      break;
    case 716058:
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern("lost connection");
      break;
    case 716059:
      // "AnyConnect session resumed connection from IP <a>": the client may have moved to another network.
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern("resumed");
      if (s.skip_past(" from ")) {
        s.skip("IP ");
        s.skip('<');
        s.ip(event.source_ip);
      }
      break;
    case 722022:
    case 722023:
    case 722028:
    case 722033:
    case 722034:
      put_session(event, Activity::kUpdate, kAnyConnect);
      if (text.starts_with("TCP ") || text.contains(" TCP SVC")) event.protocol = 6;
      if (text.starts_with("UDP ") || text.contains(" UDP SVC")) event.protocol = 17;
      event.reason = core::intern(number == 722022   ? "tunnel established"
                                  : number == 722023 ? "tunnel terminated"
                                  : number == 722028 ? "stale tunnel closed"
                                  : number == 722033 ? "first tunnel established"
                                                     : "new tunnel");
      break;
    case 722037:
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = s.skip_past("connection:") ? closed_reason(s.rest()) : core::intern("tunnel closed");
      break;
    case 722041:
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern("no IPv6 address available");
      break;
    case 722051: {
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern("address assigned");
      Scanner v4 = s;
      if (v4.skip_past("IPv4 Address <") || v4.skip_past("Address <")) {
        v4.ip(event.assigned_ip);
        if (event.assigned_ip == Ip::v4(0)) event.assigned_ip = Ip();
      }
      if (!event.assigned_ip.present() && s.skip_past("IPv6 address <")) {
        s.ip(event.assigned_ip);
      }
      break;
    }
    case 722053:
      put_session(event, Activity::kUpdate, kAnyConnect);
      event.reason = core::intern("unknown client");
      break;
    case 722055:
      put_session(event, Activity::kUpdate, kAnyConnect);
      if (s.skip("Client Type:")) put_client(event, s.rest());
      break;
    case 713049:
    case 713120:
      put_session(event, Activity::kUpdate, kIkev1);
      event.reason = core::intern(number == 713049 ? "security negotiation complete" : "phase 2 completed");
      break;
    case 713050:
    case 713259:
      // The session's end is 113019; this is one of its security associations.
      put_session(event, Activity::kUpdate, kIkev1);
      if (s.skip_past("Reason: ")) {
        std::string_view reason = s.rest();
        if (const auto proxy = reason.find(" Remote Proxy"); proxy != reason.npos) reason = reason.substr(0, proxy);
        event.reason = closed_reason(reason);
      }
      break;
    case 713119: put_session(event, Activity::kStart, kIkev1); break;
    case 713167: put_refused(event, "user authentication failed", kIkev1); break;
    case 713198: put_refused(event, "user authorization failed", kIkev1); break;
    case 713184:
      put_session(event, Activity::kUpdate, kIkev1);
      if (s.skip("Client Type:")) put_client(event, s.rest());
      break;
    case 713194:
      put_session(event, Activity::kUpdate, kIkev1);
      event.reason = s.skip_past("message: ") ? closed_reason(s.rest()) : core::intern("delete");
      break;
    case 713228:
      put_session(event, Activity::kUpdate, kIkev1);
      event.reason = core::intern("address assigned");
      if (s.skip_past("IP address ")) {
        s.ip(event.assigned_ip);
      }
      break;
    default: break;
  }
  return Fate::kept();
}

// "192.0.2.2:500", "[2001:db8::2]:500", "2001:db8::2:500": address and port of an IKEv2 peer.
void scan_ike_peer(Scanner& s, Ip& ip, std::uint16_t& port) {
  s.spaces();
  std::string_view word = s.word();
  const auto colon = word.rfind(':');
  if (colon == word.npos) return;
  if (const auto found = Ip::parse(word.substr(0, colon))) {
    ip = *found;
    port = core::parse_number<std::uint16_t>(word.substr(colon + 1)).value_or(0);
  }
}

// 750003, 750006, 750007, 751002, 751011, 751025, 751026: "Local:A:500 Remote:B:500 Username:alice Group:g text"
Fate ikev2(Scanner s, Event& event, int number) {
  if (!s.skip_past("Local:")) return Fate::rejected(kNoAddress);
  scan_ike_peer(s, event.destination_ip, event.destination_port);
  if (!s.skip_past("Remote:")) return Fate::rejected(kNoAddress);
  scan_ike_peer(s, event.source_ip, event.source_port);
  if (!event.source_ip.present()) return Fate::rejected(kNoAddress);
  s.spaces();
  if (s.skip("Username:")) {
    s.spaces();
    std::string_view user = s.word();
    if (number == 751026) {  // "alice/group"
      const auto slash = user.find('/');
      if (slash != user.npos) event.group = core::intern(user.substr(slash + 1));
      user = user.substr(0, slash);
    }
    if (!Ip::parse(user)) set_user(event, user);
    s.spaces();
  }
  if (s.skip("Group:")) {
    s.spaces();
    event.group = core::intern(s.word());
    s.spaces();
  }
  event.protocol = 17;
  switch (number) {
    case 750003:
      put_refused(event, "negotiation aborted", kIkev2);
      if (s.skip_past("ERROR:")) event.reason = closed_reason(s.rest());
      break;
    case 750006:
    case 750007:
      put_session(event, number == 750006 ? Activity::kStart : Activity::kUpdate, kIkev2);
      if (s.skip_past("Reason:")) event.reason = closed_reason(s.rest());
      break;
    case 751002: put_refused(event, "no preshared key or trustpoint", kIkev2); break;
    case 751011:
      put_refused(event, "user authentication failed", kIkev2);
      if (s.skip_past("Error:")) event.reason = closed_reason(s.rest());
      break;
    case 751025:
      put_session(event, Activity::kUpdate, kIkev2);
      event.reason = core::intern("address assigned");
      for (const std::string_view key : {"IPv4 Address="sv, "IPv6 address="sv}) {
        Scanner at = s;
        if (event.assigned_ip.present() || !at.skip_past(key)) continue;
        at.skip('<');
        at.ip(event.assigned_ip);
      }
      break;
    case 751026: {
      put_session(event, Activity::kUpdate, kIkev2);
      if (!s.skip_past("Client OS: ")) break;
      const std::string_view rest = s.rest();
      const auto client = rest.find("Client: ");
      if (client != rest.npos) put_client(event, rest.substr(client + 8));
      event.client_os = core::intern(core::trim(rest.substr(0, client)));
      break;
    }
    default: break;
  }
  return Fate::kept();
}

// "DAP: User alice, Addr 198.51.100.7, Connection AnyConnect: The following DAP records were selected for this
// connection: name"
Fate access_policy(Scanner s, Event& event) {
  if (!s.skip("DAP: User ")) return Fate::rejected(kNoAddress);
  set_user(event, s.until(','));
  if (s.skip_past("Addr ")) {
    s.ip(event.source_ip);
  }
  if (!event.source_ip.present()) return Fate::rejected(kNoAddress);
  put_session(event, Activity::kUpdate);
  event.reason = core::intern("access policy selected");
  if (s.skip_past("Connection ")) event.application = lower_symbol(s.until(':'));
  if (s.skip_past("selected for this connection: ")) event.rule = core::intern(core::trim(s.rest()));
  return Fate::kept();
}

// 725001: "Starting SSL handshake with client outside:A/P to B/P for TLSv1.2 session". The first address is the one
// that opened the connection, also where the peer is a "server".
Fate handshake(Scanner s, Event& event, int number) {
  if (!s.skip_past("client ") && !s.skip_past("server ")) return Fate::rejected(kNoAddress);
  Endpoint peer;
  Endpoint self;
  if (!scan_endpoint(s, peer, Form::kColon) || (!peer.ip.present() && peer.port == 0))
    return Fate::rejected(kNoAddress);
  if (s.skip(" to ")) scan_endpoint(s, self, Form::kBare);
  put_source(event, peer);
  put_destination(event, self);
  event.event_class = Class::kHandshake;
  event.protocol = 6;
  switch (number) {
    case 725001: event.activity = Activity::kStart; break;
    case 725002:
      event.activity = Activity::kObserved;
      event.outcome = Outcome::kSuccess;
      break;
    case 725003: event.activity = Activity::kUpdate; break;
    case 725006:
      event.activity = Activity::kObserved;
      event.outcome = Outcome::kFailure;
      break;
    default: event.activity = Activity::kEnd; break;
  }
  if (s.skip_past("for ")) {
    const std::string_view version = s.word();
    if (version.starts_with("TLS") || version.starts_with("SSL") || version.starts_with("DTLS"))
      event.application = lower_symbol(version);
  }
  return Fate::kept();
}

// Log-ins to the device itself.
Fate management(Scanner s, Event& event, int number) {
  put_login(event, Outcome::kSuccess, Service::kManagement);
  Endpoint source;
  switch (number) {
    case 605004:
    case 605005: {
      // "Login permitted from 192.0.2.7/34210 to mgmt:192.0.2.1/ssh for user "alice"", "Login denied from serial to
      // console for user "*****""
      if (number == 605004) event.outcome = Outcome::kFailure;
      Endpoint device;
      if (Scanner from = s; from.skip_past(" from ") && from.skip("serial")) {
        event.application = core::intern("console");
      } else if (!put_visitor(s, event, device)) {
        return Fate::rejected(kNoAddress);
      }
      if (s.skip_past("for user ")) set_user(event, quoted_word(s));
      break;
    }
    case 606001:
    case 606002:
    case 606003:
    case 606004:
      // "ASDM session number 0 from 192.0.2.7 started"
      event.event_class = Class::kSession;
      event.activity = number == 606001 || number == 606003 ? Activity::kStart : Activity::kEnd;
      event.outcome = Outcome::kUnknown;
      event.application = kAsdm;
      if (Scanner id = s; id.skip_past("number ")) event.session_id = id.number();
      if (!s.skip_past(" from ") || !scan_endpoint(s, source, Form::kBare)) return Fate::rejected(kNoAddress);
      put_source(event, source);
      break;
    case 611101:
    case 611102:
    case 611103:
      // "User authentication succeeded: IP address: 192.0.2.7, Uname: alice"
      if (number == 611102) event.outcome = Outcome::kFailure;
      if (number == 611103) event.activity = Activity::kLogoff;
      for (const std::string_view key : {"IP address: "sv, "IP = "sv, "IP, "sv}) {
        Scanner at = s;
        if (event.source_ip.present() || !at.skip_past(key)) continue;
        at.ip(event.source_ip);
      }
      if (s.skip_past("Uname: ")) set_user(event, core::trim(s.rest()));
      if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
      break;
    case 315002:
    case 315011:
      // "SSH session from 192.0.2.7 on interface mgmt for user "alice" disconnected by SSH server, reason: "Internal
      // error""
      event.application = kSsh;
      if (number == 315011) {
        event.event_class = Class::kSession;
        event.activity = Activity::kEnd;
        event.outcome = Outcome::kUnknown;
      }
      if (!s.skip_past(" from ") || !scan_endpoint(s, source, Form::kBare)) return Fate::rejected(kNoAddress);
      put_source(event, source);
      put_interface(event, s);
      if (s.skip_past("for user ")) set_user(event, quoted_word(s));
      if (s.skip_past("reason: ")) {
        s.skip('"');
        event.reason = closed_reason(s.until('"'));
      }
      break;
    case 308001:
      // "console enable password incorrect for 3 tries (from 192.0.2.7)", "... (from ssh (remote 192.0.2.7))"
      event.outcome = Outcome::kFailure;
      event.reason = core::intern("enable password incorrect");
      event.application = core::intern("console");
      if (s.skip_past("from ")) {
        if (Ip ip; Scanner(s).ip(ip)) {
          event.source_ip = ip;
        } else {
          event.application = lower_symbol(s.word());
          if (s.skip_past("remote ")) s.ip(event.source_ip);
        }
      }
      break;
    case 502103:
      // "User priv level changed: Uname: alice From: 1 To: 15"
      event.activity = Activity::kObserved;
      event.reason = core::intern("privilege level changed");
      if (!s.skip_past("Uname: ")) return Fate::rejected(kNoUser);
      set_user(event, s.word());
      break;
    default: break;
  }
  return Fate::kept();
}

// 430001 .. 430005: "key: value, key: value". A value may hold commas, so it ends only where a key follows.
class KeyValues {
 public:
  explicit KeyValues(std::string_view text) : rest_(text) {}

  bool next(std::string_view& key, std::string_view& value) {
    const auto colon = rest_.find(": ");
    if (colon == rest_.npos) return false;
    key = rest_.substr(0, colon);
    rest_.remove_prefix(colon + 2);
    std::size_t at = 0;
    while ((at = rest_.find(", ", at)) != rest_.npos && !key_at(at + 2)) at += 2;
    value = rest_.substr(0, at);
    rest_ = at == rest_.npos ? std::string_view{} : rest_.substr(at + 2);
    return true;
  }

 private:
  // Does "SrcIP: " stand here? Keys are short words that begin with a capital.
  bool key_at(std::size_t at) const {
    if (at >= rest_.size() || rest_[at] < 'A' || rest_[at] > 'Z') return false;
    for (std::size_t i = at; i < rest_.size() && i < at + 40; ++i) {
      const char c = rest_[i];
      if (c == ':') return i + 1 < rest_.size() && rest_[i + 1] == ' ';
      if (!(is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ' ' || c == '-'))
        return false;
    }
    return false;
  }

  std::string_view rest_;
};

Fate threat_defense(std::string_view text, Event& event, int number, const core::TimeReader& times) {
  event.event_class = Class::kConnection;
  switch (number) {
    case 430002: event.activity = Activity::kStart; break;
    case 430003: event.activity = Activity::kEnd; break;
    case 430004: event.activity = Activity::kObserved; break;
    default: event.activity = Activity::kAlert; break;
  }
  std::string_view key;
  std::string_view value;
  std::uint64_t instance = 0;
  std::uint64_t connection = 0;
  std::string_view first_packet;
  std::string_view agent;
  const auto count = [&value] { return core::parse_number<std::uint64_t>(value).value_or(0); };
  for (KeyValues pairs(text); pairs.next(key, value);) {
    value = core::trim(value);
    if (key == "SrcIP") {
      event.source_ip = Ip::parse(value).value_or(Ip());
    } else if (key == "DstIP") {
      event.destination_ip = Ip::parse(value).value_or(Ip());
    } else if (key == "SrcPort") {
      event.source_port = core::parse_number<std::uint16_t>(value).value_or(0);
    } else if (key == "DstPort") {
      event.destination_port = core::parse_number<std::uint16_t>(value).value_or(0);
    } else if (key == "Protocol") {
      event.protocol = protocol_number(value);
    } else if (key == "AccessControlRuleAction") {
      if (value.contains("Block") || value.contains("Deny")) {
        event.action = Action::kDenied;
      } else if (value.contains("Allow") || value.contains("Trust") || value.contains("Monitor") ||
                 value.contains("Fastpath")) {
        event.action = Action::kAllowed;
      }
    } else if (key == "InlineResult") {
      if (value.starts_with("Dropped") || value.starts_with("Block")) event.action = Action::kDenied;
    } else if (key == "AccessControlRuleReason") {
      event.reason = closed_reason(value);
    } else if (key == "AccessControlRuleName" || (key == "Message" && number == 430001)) {
      std::string_view name = value;
      if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
      if (!event.rule.present() || key == "Message") event.rule = core::intern(name);
    } else if (key == "IngressInterface") {
      event.ingress = core::intern(value);
    } else if (key == "EgressInterface") {
      event.egress = core::intern(value);
    } else if (key == "ApplicationProtocol") {
      event.application = lower_symbol(value);
    } else if (key == "User") {
      set_user(event, value);
    } else if (key == "Client") {
      event.user_agent = core::intern(value);
    } else if (key == "UserAgent") {
      agent = value;
    } else if (key == "ConnectionDuration") {
      event.duration = seconds(count());
    } else if (key == "InitiatorPackets") {
      event.source_packets = count();
    } else if (key == "ResponderPackets") {
      event.destination_packets = count();
    } else if (key == "InitiatorBytes") {
      event.source_bytes = count();
    } else if (key == "ResponderBytes") {
      event.destination_bytes = count();
    } else if (key == "InstanceID") {
      instance = count();
    } else if (key == "ConnectionID") {
      connection = count();
    } else if (key == "FirstPacketSecond") {
      first_packet = value;
    } else if (key == "SSLServerCertIssuer") {
      event.certificate_issuer = core::intern(value);
    } else if (key == "NAT_InitiatorIP") {
      if (const auto ip = Ip::parse(value); ip && *ip != event.source_ip) event.assigned_ip = *ip;
    }
  }
  if (!event.source_ip.present() && !event.destination_ip.present()) return Fate::rejected(kNoAddress);
  if (!agent.empty()) event.user_agent = core::intern(agent);
  // Connection numbers count within one Snort instance.
  if (connection != 0) event.session_id = instance << 48 ^ connection;
  if (event.time == 0 && !first_packet.empty()) event.time = core::parse_iso8601(first_packet, times).value_or(0);
  return Fate::kept();
}

// 109201: "UAUTH: Session=0x00fee000, User=alice, Assigned IP=10.99.0.5, Succeeded adding entry."
Fate user_entry(Scanner s, Event& event) {
  put_session(event, Activity::kUpdate);
  if (!s.skip_past("User=")) return Fate::rejected(kNoUser);
  set_user(event, s.until(','));
  if (s.skip_past("Assigned IP=")) s.ip(event.assigned_ip);
  if (!event.user.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

class CiscoAsa final : public RecordDecoder {
 public:
  explicit CiscoAsa(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    const std::string_view m = r.message;
    if (m.size() < 10 || m[0] != '%') return false;
    return m.starts_with("%ASA-") || m.starts_with("%FTD-") || m.starts_with("%PIX-") || m.starts_with("%FWSM-") ||
           m.starts_with("%NGIPS-");
  }

  Fate decode(const TextRecord& record, Event& event) override {
    std::string_view text = record.message;
    const std::string_view digits = take_number(text);
    if (digits.empty()) return Fate::rejected(kNoNumber);
    int number = 0;
    for (const char c : digits) number = number * 10 + (c - '0');
    const Fate fate = dispatch(number, text, event);
    if (fate.verdict == Verdict::kEvent) event.code = core::intern(digits);
    if (fate.verdict == Verdict::kIgnored && !fate.reason.present()) {
      std::array<char, 14> name;
      std::memcpy(name.data(), "message ", 8);
      std::memcpy(name.data() + 8, digits.data(), 6);
      return Fate::ignored({name.data(), name.size()});
    }
    return fate;
  }

 private:
  // The six digits of "%ASA-6-302013: ", "%ASA-session-5-106100: ", "%ASA--5-106100: " or "%ASA-6-302016 "; moves
  // behind them.
  static std::string_view take_number(std::string_view& text) {
    if (text.size() > 14 && text[4] == '-' && is_digit(text[5]) && text[6] == '-' && text[13] == ':' &&
        text[14] == ' ' && std::all_of(text.begin() + 7, text.begin() + 13, is_digit)) {
      const std::string_view digits = text.substr(7, 6);
      text.remove_prefix(15);
      while (text.starts_with(' ')) text.remove_prefix(1);
      return digits;
    }
    std::size_t at = text.find('-') + 1;
    // The facility, if any, and the severity stand before the number; neither is long.
    for (int i = 0; i < 3; ++i) {
      std::size_t count = 0;
      while (at + count < text.size() && count < 7 && is_digit(text[at + count])) ++count;
      if (count == 6) {
        const std::string_view digits = text.substr(at, 6);
        text.remove_prefix(at + 6);
        if (text.starts_with(':')) text.remove_prefix(1);
        while (text.starts_with(' ')) text.remove_prefix(1);
        return digits;
      }
      const auto dash = text.substr(0, 40).find('-', at);
      if (dash == text.npos) return {};
      at = dash + 1;
    }
    return {};
  }

  Fate dispatch(int number, std::string_view text, Event& event) const {
    const Scanner s(text);
    switch (number) {
      case 302013:
      case 302015:
      case 302017: return built(s, event, false);
      case 302014:
      case 302016:
      case 302018: return teardown(s, event, false);
      case 302303: return built(s, event, true);
      case 302304: return teardown(s, event, true);
      case 106023: return deny_by_group(s, event);
      case 106100:
      case 106102:
      case 106103: return access_list(s, event);
      case 106001:
      case 106002:
      case 106006:
      case 106007:
      case 106010:
      case 106012:
      case 106014:
      case 106015:
      case 106016:
      case 106017:
      case 106021:
      case 106022:
      case 313001:
      case 313004:
      case 313005:
      case 313008:
      case 313009: return deny(s, event, number);
      case 710001:
      case 710002:
      case 710003:
      case 710005: return to_the_box(s, event, number);
      case 113004:
      case 113005:
      case 113006:
      case 113008:
      case 113010:
      case 113012:
      case 113013:
      case 113014:
      case 113015:
      case 113016:
      case 113017: return aaa(text, event, number);
      case 109005:
      case 109006: return cut_through(s, event, number);
      case 109201: return user_entry(s, event);
      case 113019:
      case 113029:
      case 113030:
      case 113031:
      case 113032:
      case 113033:
      case 113034:
      case 113035:
      case 113036:
      case 113038:
      case 113039:
      case 713049:
      case 713050:
      case 713119:
      case 713120:
      case 713167:
      case 713184:
      case 713194:
      case 713198:
      case 713228:
      case 713259:
      case 716001:
      case 716002:
      case 716003:
      case 716004:
      case 716038:
      case 716039:
      case 716058:
      case 716059:
      case 722022:
      case 722023:
      case 722028:
      case 722033:
      case 722034:
      case 722037:
      case 722041:
      case 722051:
      case 722053:
      case 722055: return vpn(s, event, number);
      case 725001:
      case 725002:
      case 725003:
      case 725006:
      case 725007: return handshake(s, event, number);
      case 734001: return access_policy(s, event);
      case 750003:
      case 750006:
      case 750007:
      case 751002:
      case 751011:
      case 751025:
      case 751026: return ikev2(s, event, number);
      case 315002:
      case 315011:
      case 308001:
      case 502103:
      case 605004:
      case 605005:
      case 606001:
      case 606002:
      case 606003:
      case 606004:
      case 611101:
      case 611102:
      case 611103: return management(s, event, number);
      case 430001:
      case 430002:
      case 430003:
      case 430004:
      case 430005: return threat_defense(text, event, number, times_);
      default: return Fate::ignored(Symbol());
    }
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cisco_asa(const core::TimeReader& times) {
  return std::make_unique<CiscoAsa>(times);
}

}  // namespace orbwatch::decode
