// Cisco Meraki MX, MR and Z: flows and firewall verdicts, client VPN and AnyConnect events, site-to-site VPN, security
// events.
//
// Sources: "Syslog Event Types and Log Samples" and "Syslog Server Overview and Configuration"
// (documentation.meraki.com); MX 14 to 19.
//   1 1795334400.253011885 FW_MX_01 flows allow src=10.0.0.5 dst=198.51.100.9 protocol=tcp sport=39247 dport=443
//   1 1795334400.253011885 FW_MX_01 events client_vpn_connect user id 'alice' local ip 10.8.0.5 connected from
//   203.0.113.7 1 1795334400.253011885 FW_MX_01 security_event ids_alerted signature=1:28423:1 priority=1
//   protocol=tcp/ip src=198.51.100.9:80 dst=10.0.0.5:53023 message: EXPLOIT-KIT ...
// A record is: seconds since the epoch with nine digits behind the point, the device's name, a category, a text.
// `urls` and every other category or event type is ignored by name ("events dhcp").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoAddress = core::intern("meraki: no address");
const Symbol kNoUser = core::intern("meraki: no user");
const Symbol kUrls = core::intern("urls");
const Symbol kAirMarshal = core::intern("airmarshal_events");
const Symbol kAnyConnect = core::intern("anyconnect");
const Symbol kOtherEvent = core::intern("events other");

constexpr std::array<std::string_view, 13> kCategories = {
    "flows",         "firewall",    "vpn_firewall",     "cellular_firewall", "bridge_anyconnect_client_vpn_firewall",
    "ip_flow_start", "ip_flow_end", "events",           "security_event",    "security_filtering_file_scanned",
    "ids-alerts",    "urls",        "airmarshal_events"};

// "1795334400.253011885 FW_MX_01 flows allow src=..."
struct Line {
  core::Nanoseconds time = 0;
  std::string_view device;
  std::string_view category;
  std::string_view text;
};

bool scan_line(std::string_view text, Line& out) {
  // "1 1795334400.253011885 ..." is how syslog version 1 looks there; the time may also be in milliseconds.
  if (text.starts_with("1 ")) text.remove_prefix(2);
  if (text.size() < 20 || !is_digit(text[0])) return false;
  const auto time = core::parse_epoch(text);
  if (!time || !core::skip_prefix(text, " ")) return false;
  out.time = *time;
  out.device = core::take_until(text, ' ');
  out.category = core::take_until(text, ' ');
  out.text = text;
  return !out.device.empty() && std::find(kCategories.begin(), kCategories.end(), out.category) != kCategories.end();
}

// The record begins behind the priority; a relay's envelope stands before it.
bool find_line(const TextRecord& r, Line& out) { return scan_line(r.message, out) || scan_line(r.raw, out); }

// The value behind "key=" at the beginning of a word, up to a space or its closing quote.
std::string_view value_of(std::string_view text, std::string_view key) {
  for (auto at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    if (at != 0 && text[at - 1] != ' ') continue;
    Scanner s(text.substr(at + key.size()));
    s.spaces();
    return s.skip('\'') ? s.until('\'') : s.word();
  }
  return {};
}

// "198.51.100.9:80", "[2001:db8::9]:80", "2001:db8::9"
void put_endpoint(std::string_view text, core::Ip& ip, std::uint16_t& port) {
  Scanner s(text);
  if (s.ip(ip) && s.skip(':')) port = s.port();
}

// "allow src=A dst=B mac=M protocol=tcp sport=1 dport=2 [pattern: 1 all]"
Fate flow(const Line& line, Event& e) {
  const std::string_view text = line.text;
  put_endpoint(value_of(text, "src="), e.source_ip, e.source_port);
  put_endpoint(value_of(text, "dst="), e.destination_ip, e.destination_port);
  if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
  e.event_class = Class::kConnection;
  e.protocol = protocol_number(value_of(text, "protocol="));
  if (const auto port = Scanner(value_of(text, "sport=")).port()) e.source_port = port;
  if (const auto port = Scanner(value_of(text, "dport=")).port()) e.destination_port = port;
  const std::string_view verdict = text.substr(0, text.find(' '));
  if (verdict == "allow" || verdict == "allowed") e.action = Action::kAllowed;
  if (verdict == "deny" || verdict == "denied") e.action = Action::kDenied;
  // "pattern: 1 all": 0 is allow, 1 is deny, what follows is the rule.
  if (const auto at = text.find("pattern: "); at != text.npos) {
    std::string_view pattern = text.substr(at + 9);
    if (pattern.starts_with("allow") || pattern.starts_with("0 ")) e.action = Action::kAllowed;
    if (pattern.starts_with("deny") || pattern.starts_with("1 ")) e.action = Action::kDenied;
    core::take_until(pattern, ' ');
    e.rule = core::intern(pattern);
  }
  if (line.category == "ip_flow_start") e.activity = Activity::kStart;
  if (line.category == "ip_flow_end") e.activity = Activity::kEnd;
  if (e.activity != Activity::kNone) e.action = Action::kAllowed;  // it was translated
  if (const auto ip = given_ip(value_of(text, "translated_src_ip=")); ip != e.source_ip) e.assigned_ip = ip;
  return Fate::kept();
}

// "ids_alerted signature=1:28423:1 priority=1 timestamp=... dhost=M direction=ingress protocol=tcp/ip src=A:P dst=B:P
// decision=blocked message: EXPLOIT-KIT ..."
Fate alert(const Line& line, Event& e) {
  const std::string_view text = line.text;
  put_endpoint(value_of(text, "src="), e.source_ip, e.source_port);
  put_endpoint(value_of(text, "dst="), e.destination_ip, e.destination_port);
  if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
  e.event_class = Class::kConnection;
  e.activity = Activity::kAlert;
  const std::string_view protocol = value_of(text, "protocol=");
  e.protocol = protocol_number(protocol.substr(0, protocol.find('/')));
  std::string_view decision = value_of(text, "decision=");
  if (decision.empty()) decision = value_of(text, "action=");
  if (decision.starts_with("block")) e.action = Action::kDenied;
  if (decision.starts_with("allow")) e.action = Action::kAllowed;
  const std::string_view signature = value_of(text, "signature=");
  e.rule = core::intern(signature.empty() ? value_of(text, "disposition=") : signature);
  return Fate::kept();
}

// A quoted value, or one in brackets, behind `words`: "user id 'alice'", "User[alice@corp.example]", "User=alice:".
std::string_view name_behind(std::string_view text, std::string_view words) {
  const auto at = text.find(words);
  if (at == text.npos) return {};
  Scanner s(text.substr(at + words.size()));
  s.spaces();
  for (const auto& [open, close] : {std::pair{'\'', '\''}, std::pair{'[', ']'}}) {
    if (s.skip(open)) return s.until(close);
  }
  s.skip('=');
  std::string_view name = s.word();
  while (!name.empty() && (name.back() == ':' || name.back() == ',')) name.remove_suffix(1);
  return name;
}

void put_ip_behind(std::string_view text, std::string_view words, core::Ip& ip) {
  Scanner s(text);
  if (s.skip_past(words)) s.ip(ip);
}

Fate session(std::string_view type, std::string_view text, Event& e) {
  const bool ended = type.contains("disconnect") || text.contains("disconnected");
  put_session(e, ended ? Activity::kEnd : Activity::kStart, type.starts_with("anyconnect") ? kAnyConnect : Symbol());
  if (!ended) e.outcome = Outcome::kSuccess;
  set_typed_user(e, name_behind(text, "user id "));
  put_ip_behind(text, "local ip ", e.assigned_ip);
  put_ip_behind(text, "connected from ", e.source_ip);
  if (!e.source_ip.present()) put_ip_behind(text, "remote ip ", e.source_ip);
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
}

// "... Server IP=A Server port=443 ... Peer IP=B Peer port=56735 User=alice: Authentication request accepted."
void put_peer(std::string_view text, Event& e) {
  put_ip_behind(text, "Peer IP=", e.source_ip);
  Scanner s(text);
  if (s.skip_past("Peer port=")) e.source_port = s.port();
  set_typed_user(e, name_behind(text, "User"));
}

Fate anyconnect(std::string_view type, std::string_view text, Event& e) {
  put_peer(text, e);
  e.service = Service::kVpn;
  e.application = kAnyConnect;
  if (type.contains("auth")) {
    put_login(e, type.contains("success") ? Outcome::kSuccess : Outcome::kFailure, Service::kVpn);
    if (text.contains("RADIUS")) e.auth_method = AuthMethod::kRadius;
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
  }
  if (type.contains("session_manager") && e.user.present()) {
    put_session(e, text.contains("removed") || text.contains("closed") ? Activity::kEnd : Activity::kUpdate,
                kAnyConnect);
    return Fate::kept();
  }
  if (!type.contains("connection")) return Fate::ignored(kOtherEvent);
  put_ip_behind(text, "Server IP=", e.destination_ip);
  Scanner s(text);
  if (s.skip_past("Server port=")) e.destination_port = s.port();
  e.event_class = Class::kHandshake;
  e.activity = text.contains("closed") ? Activity::kEnd : Activity::kStart;
  if (type.contains("fail")) e.outcome = Outcome::kFailure;
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

// "Site-to-site VPN: IPsec-SA established: ESP/Tunnel 203.0.113.7[4500]->192.0.2.1[4500] spi=..."
Fate site_to_site(std::string_view text, Event& e) {
  const auto arrow = text.find("->");
  if (arrow == text.npos) return Fate::ignored("events site-to-site VPN");
  Scanner a(text.substr(text.rfind(' ', arrow) + 1));
  put_session(e, text.contains("established") ? Activity::kStart : Activity::kUpdate, core::intern("ipsec"));
  if (a.ip(e.source_ip) && a.skip('[')) e.source_port = a.port();
  Scanner b(text.substr(arrow + 2));
  if (b.ip(e.destination_ip) && b.skip('[')) e.destination_port = b.port();
  return e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
}

Fate other_event(std::string_view type) {
  std::array<char, 48> name;
  const bool plain = !type.empty() && type.size() <= 40 && std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || c == '-' || is_digit(c);
  });
  if (!plain) return Fate::ignored(kOtherEvent);
  char* p = std::copy_n("events ", 7, name.data());
  p = std::copy(type.begin(), type.end(), p);
  return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
}

Fate event_record(std::string_view text, Event& e) {
  // "type=anyconnect_vpn_auth_success msg= '...'" or "client_vpn_connect user id 'alice' ..."
  std::string_view type = text;
  core::skip_prefix(type, "type=");
  type = type.substr(0, type.find(' '));
  if (type.starts_with("anyconnect_vpn_") && (text.contains("Peer IP=") || text.contains("msg=")))
    return anyconnect(type, text, e);
  if (text.contains("user id '") &&
      (type.starts_with("client_vpn") || type.starts_with("anyconnect_vpn") || text.contains("connected from ")))
    return session(type, text, e);
  if (text.starts_with("Site-to-site VPN: ") || text.starts_with("Non-Meraki ")) return site_to_site(text, e);
  return other_event(type);
}

class Meraki final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Line line;
    return find_line(r, line);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Line line;
    find_line(r, line);
    e.time = line.time;
    e.observer = core::intern(line.device);
    e.code = core::intern(line.category);
    if (line.category == "events") return event_record(line.text, e);
    if (line.category.starts_with("security") || line.category == "ids-alerts") {
      return line.text.contains("src=") ? alert(line, e) : Fate::ignored("security event without addresses");
    }
    if (line.category == "urls") return Fate::ignored(kUrls);
    if (line.category == "airmarshal_events") return Fate::ignored(kAirMarshal);
    return flow(line, e);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_meraki(const core::TimeReader&) { return std::make_unique<Meraki>(); }

}  // namespace orbwatch::decode
