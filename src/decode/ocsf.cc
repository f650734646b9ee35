// Events of the Open Cybersecurity Schema Framework (OCSF 1.0 to 1.6), as Amazon Security Lake and others write them:
//   {"class_uid":3002,"class_name":"Authentication","activity_id":1,"status_id":2,"time":1795335330000,"user":{"name":...
//   {"class_uid":4001,"class_name":"Network Activity","activity_id":6,"src_endpoint":{"ip":...},"traffic":{...
// Read are the classes 3002 Authentication, 4001 Network Activity, 4005 RDP Activity, 4007 SSH Activity and 4014 Tunnel
// Activity. An event that has the vendor's text beside it (raw_data) is read by the text's own format: see wrapper.h.
//
// Source: schema.ocsf.io (classes, enumerations of activity_id, status_id, action_id, disposition_id, auth_protocol_id,
// direction_id).
//
// Ignored by name: every other class ("class Process Activity").
#include <algorithm>
#include <array>
#include <memory>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/json_record.h"
#include "decode/name_table.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("ocsf: not JSON");
const Symbol kNoClass = core::intern("ocsf: no class");
const Symbol kTicket = core::intern("Kerberos ticket activity");
const Symbol kNoEnds = core::intern("no user and no address");

enum Field : std::uint8_t {
  kClass,
  kClassName,
  kActivity,
  kStatus,
  kStatusText,
  kStatusDetail,
  kTime,
  kStart,
  kEnd,
  kDuration,
  kAction,
  kDisposition,
  kUser,
  kUserDomain,
  kUserEmail,
  kActorUser,
  kSourceIp,
  kSourcePort,
  kSourceName,
  kSourceOs,
  kRegion,
  kDestinationIp,
  kDestinationPort,
  kDestinationName,
  kDevice,
  kDeviceIp,
  kProduct,
  kProtocolNumber,
  kProtocolName,
  kApplication,
  kDirection,
  kConnection,
  kTcpFlags,
  kSession,
  kBytesOut,
  kBytesIn,
  kPacketsOut,
  kPacketsIn,
  kAuthProtocol,
  kMfa,
  kLogonType,
  kService,
  kUserAgent,
  kRule,
  kAssigned,
  kTlsVersion,
  kServerName,
  kFingerprint,
  kFieldCount,
};

constexpr NameTable kFields(std::to_array<Name<Field>>({
    {"class_uid", kClass},
    {"class_name", kClassName},
    {"activity_id", kActivity},
    {"status_id", kStatus},
    {"status", kStatusText},
    {"status_detail", kStatusDetail},
    {"time", kTime},
    {"start_time", kStart},
    {"end_time", kEnd},
    {"duration", kDuration},
    {"action_id", kAction},
    {"disposition_id", kDisposition},
    {"user.name", kUser},
    {"user.domain", kUserDomain},
    {"user.email_addr", kUserEmail},
    {"actor.user.name", kActorUser},
    {"src_endpoint.ip", kSourceIp},
    {"src_endpoint.port", kSourcePort},
    {"src_endpoint.hostname", kSourceName},
    {"src_endpoint.os.name", kSourceOs},
    {"src_endpoint.location.country", kRegion},
    {"dst_endpoint.ip", kDestinationIp},
    {"dst_endpoint.port", kDestinationPort},
    {"dst_endpoint.hostname", kDestinationName},
    {"device.hostname", kDevice},
    {"device.name", kDevice},
    {"device.ip", kDeviceIp},
    {"metadata.product.name", kProduct},
    {"connection_info.protocol_num", kProtocolNumber},
    {"connection_info.protocol_name", kProtocolName},
    {"connection_info.direction_id", kDirection},
    {"connection_info.uid", kConnection},
    {"connection_info.tcp_flags", kTcpFlags},
    {"app_name", kApplication},
    {"session.uid", kSession},
    {"traffic.bytes_out", kBytesOut},
    {"traffic.bytes_in", kBytesIn},
    {"traffic.packets_out", kPacketsOut},
    {"traffic.packets_in", kPacketsIn},
    {"auth_protocol_id", kAuthProtocol},
    {"is_mfa", kMfa},
    {"logon_type_id", kLogonType},
    {"service.name", kService},
    {"http_request.user_agent", kUserAgent},
    {"firewall_rule.name", kRule},
    {"firewall_rule.uid", kRule},
    {"policy.name", kRule},
    {"tunnel_interface.ip", kAssigned},
    {"tls.version", kTlsVersion},
    {"tls.sni", kServerName},
    {"tls.ja3_hash.value", kFingerprint},
}));

// Objects that hold one of the fields.
constexpr NameTable kContainers(std::to_array<Name<bool>>({
    {"user", true},
    {"actor", true},
    {"actor.user", true},
    {"src_endpoint", true},
    {"src_endpoint.os", true},
    {"src_endpoint.location", true},
    {"dst_endpoint", true},
    {"device", true},
    {"metadata", true},
    {"metadata.product", true},
    {"connection_info", true},
    {"session", true},
    {"traffic", true},
    {"service", true},
    {"http_request", true},
    {"firewall_rule", true},
    {"policy", true},
    {"tunnel_interface", true},
    {"tls", true},
    {"tls.ja3_hash", true},
}));

// Numbers of the schema.
constexpr unsigned kAuthentication = 3002;
constexpr unsigned kNetworkActivity = 4001;
constexpr unsigned kRdpActivity = 4005;
constexpr unsigned kSshActivity = 4007;
constexpr unsigned kTunnelActivity = 4014;

AuthMethod method_of(std::uint64_t protocol) {
  switch (protocol) {
    case 1: return AuthMethod::kNtlm;
    case 2: return AuthMethod::kKerberos;
    case 5: return AuthMethod::kSaml;
    case 7: return AuthMethod::kPassword;  // PAP
    case 10: return AuthMethod::kRadius;
    case 0: return AuthMethod::kUnknown;
    default: return AuthMethod::kOther;
  }
}

class Ocsf final : public RecordDecoder {
 public:
  explicit Ocsf(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) return false;
    constexpr std::uint64_t kBoth = json::kOcsfClass | json::kOcsfActivity;
    return (json::keys_of(r) & kBoth) == kBoth;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    row_.fill({});
    const Walk walk = json::each_leaf(
        object, [](std::string_view path, const Value&) { return kContainers.find(path) != nullptr; },
        [&](std::string_view path, const Value& value) {
          if (const Field* field = kFields.find(path); field != nullptr && row_[*field].empty())
            row_[*field] = json::text(value);
          return true;
        });
    if (walk == Walk::kBroken) return Fate::rejected(kNotJson);
    const auto uid = number(kClass);
    if (uid == 0) return Fate::rejected(kNoClass);
    switch (uid) {
      case kAuthentication: return authentication(e);
      case kNetworkActivity: return network(Service::kUnknown, e);
      case kRdpActivity: return network(Service::kRdp, e);
      case kSshActivity: return network(Service::kSsh, e);
      case kTunnelActivity: return tunnel(e);
      default: return ignored();
    }
  }

 private:
  std::uint64_t number(Field field) const { return json::number(row_[field]).value_or(0); }

  Outcome outcome() const {
    switch (number(kStatus)) {
      case 1: return Outcome::kSuccess;
      case 2: return Outcome::kFailure;
      default: break;
    }
    if (core::equals_ignore_case(row_[kStatusText], "success")) return Outcome::kSuccess;
    return core::equals_ignore_case(row_[kStatusText], "failure") ? Outcome::kFailure : Outcome::kUnknown;
  }

  Fate authentication(Event& e) {
    const auto activity = number(kActivity);
    // Tickets are asked for by machines all day; the log-in itself is an event of its own.
    if (activity >= 3 && activity <= 6) return Fate::ignored(kTicket);
    Service service = Service::kOther;
    if (core::contains_ignore_case(row_[kService], "ssh")) service = Service::kSsh;
    if (core::contains_ignore_case(row_[kService], "vpn") || core::contains_ignore_case(row_[kProduct], "vpn"))
      service = Service::kVpn;
    put_login(e, outcome(), service);
    if (activity == 2) e.activity = Activity::kLogoff;
    e.auth_method = method_of(number(kAuthProtocol));
    if (row_[kMfa] == "true") e.mfa = event::Mfa::kYes;
    if (row_[kMfa] == "false") e.mfa = event::Mfa::kNo;
    if (const auto type = number(kLogonType); type < 256) e.logon_type = static_cast<std::uint8_t>(type);
    return common(e);
  }

  Fate network(Service service, Event& e) {
    e.service = service;
    const auto activity = number(kActivity);
    const auto action = number(kAction);
    const auto disposition = number(kDisposition);
    if (action == 1 || disposition == 1) e.action = Action::kAllowed;
    if (action == 2 || disposition == 2 || disposition == 6 || activity == 5) e.action = Action::kDenied;
    if (activity == 6 && e.action != Action::kDenied) {
      e.event_class = Class::kFlow;
      e.activity = Activity::kTraffic;
    } else {
      e.event_class = Class::kConnection;
      if (activity == 1) e.activity = Activity::kStart;
      if (activity == 2 || activity == 3) e.activity = Activity::kEnd;
      if (activity == 4) e.outcome = Outcome::kFailure;
    }
    return common(e);
  }

  Fate tunnel(Event& e) {
    const auto activity = number(kActivity);
    put_session(e, activity == 1 ? Activity::kStart : activity == 2 ? Activity::kEnd : Activity::kUpdate);
    e.outcome = outcome();
    return common(e);
  }

  Fate common(Event& e) {
    // Milliseconds since 1970.
    const auto start = read_time(row_[kStart], times_);
    const auto end = read_time(row_[kEnd], times_);
    auto time = read_time(row_[kTime], times_);
    if (start != 0 && (time == 0 || e.event_class == Class::kFlow)) time = start;
    if (time != 0) e.time = time;
    e.duration = std::min<std::uint64_t>(number(kDuration), 30ULL * 365 * 86400 * 1000) * core::kMillisecond;
    if (e.duration == 0 && start != 0 && end > start) e.duration = end - start;
    e.source_ip = given_ip(row_[kSourceIp]);
    e.source_port = json::port(row_[kSourcePort]);
    e.destination_ip = given_ip(row_[kDestinationIp]);
    e.destination_port = json::port(row_[kDestinationPort]);
    set_user(e, !row_[kUser].empty() ? row_[kUser] : !row_[kUserEmail].empty() ? row_[kUserEmail] : row_[kActorUser]);
    if (e.user.present() && !row_[kUserDomain].empty()) e.user_domain = core::intern(row_[kUserDomain]);
    if (!e.source_ip.present() && !e.destination_ip.present() && !e.user.present()) return Fate::ignored(kNoEnds);
    if (!row_[kDevice].empty()) e.observer = core::intern(row_[kDevice]);
    e.observer_ip = given_ip(row_[kDeviceIp]);
    e.assigned_ip = given_ip(row_[kAssigned]);
    e.source_bytes = number(kBytesOut);
    e.destination_bytes = number(kBytesIn);
    e.source_packets = number(kPacketsOut);
    e.destination_packets = number(kPacketsIn);
    e.protocol = protocol_number(row_[kProtocolNumber].empty() ? row_[kProtocolName] : row_[kProtocolNumber]);
    if (const auto flags = number(kTcpFlags); flags < 65536) e.tcp_flags = static_cast<std::uint16_t>(flags);
    if (!e.application.present()) e.application = lower_symbol(row_[kApplication]);
    if (const auto direction = number(kDirection); direction == 1 || direction == 2)
      e.direction = direction == 1 ? Direction::kInbound : Direction::kOutbound;
    if (const std::string_view id = row_[kSession].empty() ? row_[kConnection] : row_[kSession]; !id.empty())
      e.session_id = core::hash64(id);
    e.code = core::intern(row_[kClass]);
    e.reason = closed_reason(row_[kStatusDetail]);
    e.client_host = core::intern(row_[kSourceName]);
    e.client_os = core::intern(row_[kSourceOs]);
    e.user_agent = core::intern(row_[kUserAgent]);
    e.destination_name = core::intern(row_[kServerName].empty() ? row_[kDestinationName] : row_[kServerName]);
    e.region = core::intern(row_[kRegion]);
    e.rule = core::intern(row_[kRule]);
    e.protocol_version = core::intern(row_[kTlsVersion]);
    e.fingerprint = core::intern(row_[kFingerprint]);
    return Fate::kept();
  }

  Fate ignored() const { return json::ignored("class", row_[kClassName]); }

  core::TimeReader times_;
  json::Parser parser_;
  std::array<std::string_view, kFieldCount> row_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ocsf(const core::TimeReader& times) { return std::make_unique<Ocsf>(times); }

}  // namespace orbwatch::decode
