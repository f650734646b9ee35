// Cisco Umbrella and Secure Access logs as their S3 exports write them (CSV): DNS, web (proxy), IP layer, cloud
// firewall, intrusion prevention and administrators' audit.
// Spec: https://docs.umbrella.com/deployment-umbrella/docs/log-formats-and-versioning (and the page of each log,
// versions 1 to 13), https://docs.sse.cisco.com/sse-user-guide/docs/cloud-firewall-log-formats
//
// Three sample records (shortened):
//   "2026-11-22 08:00:00","Alice (alice@corp.example)","Alice
//   (alice@corp.example),PC-1","10.0.0.5","203.0.113.7","Allowed", "1 (A)","NOERROR","www.example.com.","Business
//   Services","AD Users","AD Users,Roaming Computers","" "2026-11-22
//   08:00:01","PC-1","10.0.0.5","203.0.113.7","198.51.100.9","text/html","ALLOWED","https://www.example.com/",...
//   "2026-11-22 08:00:02","[211039844]","Site A","CDFW Tunnel Device","OUTBOUND","6","84","172.17.3.4","50123",
//   "198.51.100.9","443","ams1.edc","12","ALLOW",...
//
// No column says which log a line belongs to: it is told by what its columns hold. Names that were looked up are left
// out: there is no end of them. Ignored by name: header lines, changes by administrators without an address.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/cells.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;
using event::Service;

const Symbol kHeaderLine = core::intern("header");
const Symbol kNoAddressAudit = core::intern("audit without address");
const Symbol kNoTime = core::intern("umbrella: no time");
const Symbol kNoAddress = core::intern("umbrella: no address");
const Symbol kTooFew = core::intern("umbrella: too few columns");
const Symbol kDnsCode = core::intern("dns");
const Symbol kWebCode = core::intern("proxy");
const Symbol kIpCode = core::intern("ip");
const Symbol kFirewallCode = core::intern("firewall");
const Symbol kIntrusionCode = core::intern("intrusion");
const Symbol kAuditCode = core::intern("audit");

enum class Kind : std::uint8_t { kNone, kDns, kWeb, kIp, kFirewall, kIntrusion, kAudit };

// The columns of a line without their quotes. A doubled quote within a column stays doubled.
class Row {
 public:
  static constexpr std::size_t kMost = 36;

  Row(std::string_view line, std::size_t most) {
    each_cell(line, ',', [&](std::size_t i, std::string_view cell, bool) {
      cell = core::trim(cell);
      if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
      values_[i] = cell;
      count_ = i + 1;
      return count_ < most;
    });
  }
  std::size_t size() const { return count_; }
  // "" behind the last column.
  std::string_view operator[](std::size_t i) const { return values_[i]; }

 private:
  std::array<std::string_view, kMost> values_;
  std::size_t count_ = 0;
};

bool is_time(std::string_view text) {
  return text.size() == 19 && is_digit(text[0]) && text[4] == '-' && text[7] == '-' && text[10] == ' ' &&
         text[13] == ':';
}

bool is_ip(std::string_view text) { return core::Ip::parse(text).has_value(); }
bool is_ip_or_none(std::string_view text) { return text.empty() || is_ip(text); }
bool is_number(std::string_view text) { return core::parse_number<std::uint64_t>(text).has_value(); }
bool is_port_or_none(std::string_view text) {
  return text.empty() || core::parse_number<std::uint16_t>(text).has_value();
}

bool is_verdict(std::string_view text) {
  for (const std::string_view word : {"allow", "block", "proxied", "monitor", "warn", "isolate", "would block"}) {
    if (core::equals_ignore_case(text.substr(0, word.size()), word)) return true;
  }
  return false;
}

std::string_view line_of(const TextRecord& r) { return core::trim(r.message); }

// Before the columns are looked at.
bool may_be(std::string_view line) {
  return line.size() >= 32 && line.front() == '"' && (is_digit(line[1]) || line[1] == '"');
}

bool is_header(std::string_view line) {
  if (line.starts_with("timestamp,")) return line.contains(",identit") || line.contains(",origin ids,");
  if (line.starts_with("\"Timestamp\",\"")) return line.contains("dentit");
  return line.starts_with("\"ID\",\"Time\",\"Email\"") && line.contains("\"Logged in from\"");
}

constexpr std::size_t kTelling = 16;  // so many columns tell the log

Kind kind_of(const Row& c) {
  if (!is_time(c[0])) {
    return is_time(c[1]) && c[2].contains('@') && is_ip_or_none(c[6]) && c.size() >= 9 && c.size() <= 11 ? Kind::kAudit
                                                                                                         : Kind::kNone;
  }
  if (is_ip(c[2]) && is_port_or_none(c[3]) && is_ip(c[4]) && is_port_or_none(c[5]) && c.size() >= 7) return Kind::kIp;
  if (c[1].starts_with('[') && c[1].ends_with(']') && (c[4].ends_with("BOUND") || is_ip(c[7]))) return Kind::kFirewall;
  if (is_ip_or_none(c[3]) && is_ip_or_none(c[4]) && is_verdict(c[5]) && c[6].contains('(')) return Kind::kDns;
  if (is_ip_or_none(c[2]) && is_ip_or_none(c[3]) && is_ip_or_none(c[4]) && is_verdict(c[6])) return Kind::kWeb;
  if (is_number(c[3]) && is_number(c[4]) && is_ip(c[12]) && is_ip(c[14])) return Kind::kIntrusion;
  return Kind::kNone;
}

// "Alice Example (alice@corp.example)", "alice": who logs in, where the name stands beside it.
std::string_view user_of(std::string_view identity) {
  const auto open = identity.find(" (");
  if (open == identity.npos || !identity.ends_with(')') || !identity.contains('@')) return identity;
  return identity.substr(open + 2, identity.size() - open - 3);
}

// What made the request may be a user, a computer, or a network or tunnel.
void put_identity(std::string_view identity, std::string_view type, Event& e) {
  if (identity.empty()) return;
  if (type.contains("User")) {
    if (!e.user.present()) set_user(e, user_of(identity));
  } else if (type.contains("Computer") || type.contains("Client") || type.contains("Device")) {
    if (type.contains("Tunnel")) {
      if (!e.group.present()) e.group = core::intern(identity);
    } else if (!e.client_host.present()) {
      e.client_host = core::intern(identity);
    }
  } else if (!e.group.present()) {
    e.group = core::intern(identity);
  }
}

// Lists that belong together: "Alice (alice@corp.example),PC-1" and "AD Users,Roaming Computers". A name with a comma
// makes that impossible to tell.
void put_identities(std::string_view identities, std::string_view types, Event& e) {
  if (std::count(identities.begin(), identities.end(), ',') != std::count(types.begin(), types.end(), ',')) return;
  while (!identities.empty()) {
    const std::string_view identity = core::trim(core::take_until(identities, ','));
    put_identity(identity, core::take_until(types, ','), e);
  }
}

void put_verdict(std::string_view text, Event& e) {
  e.action = core::contains_ignore_case(text, "block") && !core::contains_ignore_case(text, "would") ? Action::kDenied
                                                                                                     : Action::kAllowed;
}

// Inside and outside address of the client.
void put_client(std::string_view internal, std::string_view external, Event& e) {
  e.source_ip = given_ip(internal);
  const core::Ip outside = given_ip(external);
  if (!e.source_ip.present()) {
    e.source_ip = outside;
  } else if (outside != e.source_ip) {
    e.assigned_ip = outside;
  }
}

void dns(const Row& c, Event& e) {
  e.code = kDnsCode;
  put_client(c[3], c[4], e);
  put_verdict(c[5], e);
  put_identity(c[1], c[10], e);
  put_identities(c[2], c[11], e);
}

void web(const Row& c, Event& e) {
  e.code = kWebCode;
  e.activity = Activity::kEnd;
  put_client(c[2], c[3], e);
  e.destination_ip = given_ip(c[4]);
  put_verdict(c[6], e);
  std::string_view url = c[7];
  if (const auto scheme = url.find("://"); scheme != url.npos) {
    e.application = lower_symbol(url.substr(0, scheme));
    e.destination_port = url.starts_with("https") ? 443 : 80;
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?"));
    if (const auto colon = url.rfind(':'); colon != url.npos && !url.ends_with(']')) {
      if (const auto port = json::port(url.substr(colon + 1)); port != 0) e.destination_port = port;
      url = url.substr(0, colon);
    }
    e.destination_name = lower_symbol(url);
  }
  e.protocol = 6;
  json::set_user_agent(e, c[9]);
  e.source_bytes = json::number(c[11]).value_or(0);
  e.destination_bytes = json::number(c[12]).value_or(0);
  put_identity(c[1], c[21], e);
  put_identities(c[23], c[24], e);
  e.rule = core::intern(c[30]);
}

// Only what was refused at the IP layer is in this log.
void ip_layer(const Row& c, Event& e) {
  e.code = kIpCode;
  e.source_ip = given_ip(c[2]);
  e.source_port = json::port(c[3]);
  e.destination_ip = given_ip(c[4]);
  e.destination_port = json::port(c[5]);
  e.action = Action::kDenied;
  put_identity(c[1], c[7], e);
}

void firewall(const Row& c, Event& e) {
  e.code = kFirewallCode;
  e.protocol = protocol_number(c[5]);
  e.source_ip = given_ip(c[7]);
  e.source_port = json::port(c[8]);
  e.destination_ip = given_ip(c[9]);
  e.destination_port = json::port(c[10]);
  e.observer = core::intern(c[11]);
  e.rule = core::intern(c[12]);
  put_verdict(c[13], e);
  put_identities(c[2], c[3], e);
  if (c[4] == "OUTBOUND" && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
  if (c[4] == "INBOUND" && e.source_ip.is_global()) e.direction = Direction::kInbound;
  // Since version 10 the log is of whole connections.
  const core::Nanoseconds first = json::utc_time(c[16]);
  const core::Nanoseconds last = json::utc_time(c[17]);
  if (first == 0 || last < first) return;
  e.activity = Activity::kEnd;
  e.duration = last - first;
  e.source_packets = json::number(c[18]).value_or(0);
  e.destination_packets = json::number(c[19]).value_or(0);
  e.source_bytes = json::number(c[20]).value_or(0);
  e.destination_bytes = json::number(c[21]).value_or(0);
}

void intrusion(const Row& c, Event& e) {
  e.code = kIntrusionCode;
  e.activity = Activity::kAlert;
  e.rule = core::intern(c[5]);
  e.protocol = protocol_number(c[10]);
  e.source_ip = given_ip(c[12]);
  e.source_port = json::port(c[13]);
  e.destination_ip = given_ip(c[14]);
  e.destination_port = json::port(c[15]);
  put_verdict(c[16], e);
  put_identities(c[1], c[2], e);
}

// A change by an administrator shows that he is logged in from there.
Fate audit(const Row& c, Event& e) {
  e.source_ip = given_ip(c[6]);
  if (!e.source_ip.present()) return Fate::ignored(kNoAddressAudit);
  put_session(e, Activity::kUpdate);
  e.service = Service::kManagement;
  e.outcome = event::Outcome::kSuccess;
  e.code = kAuditCode;
  set_user(e, c[2]);
  return Fate::kept();
}

class Umbrella final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    const std::string_view line = line_of(r);
    return is_header(line) || (may_be(line) && kind_of(Row(line, kTelling)) != Kind::kNone);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    const std::string_view line = line_of(r);
    if (is_header(line)) return Fate::ignored(kHeaderLine);
    const Row c(line, Row::kMost);
    const Kind kind = kind_of(c);
    e.time = json::utc_time(c[kind == Kind::kAudit ? 1 : 0]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (kind == Kind::kAudit) return audit(c, e);
    if (c.size() < fewest(kind)) return Fate::rejected(kTooFew);
    e.event_class = Class::kConnection;
    switch (kind) {
      case Kind::kDns: dns(c, e); break;
      case Kind::kWeb: web(c, e); break;
      case Kind::kIp: ip_layer(c, e); break;
      case Kind::kFirewall: firewall(c, e); break;
      default: intrusion(c, e); break;
    }
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    return Fate::kept();
  }

 private:
  static std::size_t fewest(Kind kind) {
    switch (kind) {
      case Kind::kDns: return 9;
      case Kind::kWeb: return 13;
      case Kind::kIp: return 7;
      case Kind::kFirewall: return 14;
      default: return 17;
    }
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_umbrella(const core::TimeReader&) { return std::make_unique<Umbrella>(); }

}  // namespace orbwatch::decode
