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
#include <memory>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"
#include "decode/schema_row.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("ocsf: not JSON");
const Symbol kNoClass = core::intern("ocsf: no class");
const Symbol kTicket = core::intern("Kerberos ticket activity");
const Symbol kNoEnds = core::intern("no user and no address");

enum Field : std::uint8_t {
  kClass = schema::kOwnFields,
  kClassName,
  kActivity,
  kStatus,
  kStatusText,
  kAction,
  kDisposition,
  kProduct,
  kDirection,
  kConnection,
  kTcpFlags,
  kAuthProtocol,
  kMfa,
  kLogonType,
  kService,
};

const json::Fields kFields({
    {"class_uid", kClass},
    {"class_name", kClassName},
    {"activity_id", kActivity},
    {"status_id", kStatus},
    {"status", kStatusText},
    {"status_detail", schema::kReason},
    {"time", schema::kTime},
    {"start_time", schema::kStart},
    {"end_time", schema::kEnd},
    {"duration", schema::kDuration},
    {"action_id", kAction},
    {"disposition_id", kDisposition},
    {"user.name", schema::kUser},
    {"user.domain", schema::kUserDomain},
    {"user.email_addr", schema::kUserEmail},
    {"actor.user.name", schema::kOtherUser},
    {"src_endpoint.ip", schema::kSourceIp},
    {"src_endpoint.port", schema::kSourcePort},
    {"src_endpoint.hostname", schema::kSourceName},
    {"src_endpoint.os.name", schema::kClientOs},
    {"src_endpoint.location.country", schema::kRegion},
    {"dst_endpoint.ip", schema::kDestinationIp},
    {"dst_endpoint.port", schema::kDestinationPort},
    {"dst_endpoint.hostname", schema::kDestinationName},
    {"device.hostname", schema::kObserver},
    {"device.name", schema::kObserver},
    {"device.ip", schema::kObserverIp},
    {"metadata.product.name", kProduct},
    {"connection_info.protocol_num", schema::kProtocolNumber},
    {"connection_info.protocol_name", schema::kProtocolName},
    {"connection_info.direction_id", kDirection},
    {"connection_info.uid", kConnection},
    {"connection_info.tcp_flags", kTcpFlags},
    {"app_name", schema::kApplication},
    {"session.uid", schema::kSession},
    {"traffic.bytes_out", schema::kSourceBytes},
    {"traffic.bytes_in", schema::kDestinationBytes},
    {"traffic.packets_out", schema::kSourcePackets},
    {"traffic.packets_in", schema::kDestinationPackets},
    {"auth_protocol_id", kAuthProtocol},
    {"is_mfa", kMfa},
    {"logon_type_id", kLogonType},
    {"service.name", kService},
    {"http_request.user_agent", schema::kUserAgent},
    {"firewall_rule.name", schema::kRule},
    {"firewall_rule.uid", schema::kRule},
    {"policy.name", schema::kRule},
    {"tunnel_interface.ip", schema::kAssigned},
    {"tls.version", schema::kTlsVersion},
    {"tls.sni", schema::kServerName},
    {"tls.ja3_hash.value", schema::kFingerprint},
});

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

class Ocsf final : public json::TableDecoder {
 public:
  explicit Ocsf(const core::TimeReader& times) : TableDecoder(kFields, kNotJson), times_(times) {}

  bool claims(const TextRecord& r) const override {
    constexpr std::uint64_t kBoth = json::kOcsfClass | json::kOcsfActivity;
    return (json::keys_of(r) & kBoth) == kBoth;
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    const auto uid = schema::number(row, kClass);
    if (uid == 0) return Fate::rejected(kNoClass);
    switch (uid) {
      case kAuthentication: return authentication(row, e);
      case kNetworkActivity: return network(Service::kUnknown, row, e);
      case kRdpActivity: return network(Service::kRdp, row, e);
      case kSshActivity: return network(Service::kSsh, row, e);
      case kTunnelActivity: return tunnel(row, e);
      default: return json::ignored("class", row[kClassName]);
    }
  }

  static Outcome outcome(const json::Row& row) {
    switch (schema::number(row, kStatus)) {
      case 1: return Outcome::kSuccess;
      case 2: return Outcome::kFailure;
      default: break;
    }
    if (core::equals_ignore_case(row[kStatusText], "success")) return Outcome::kSuccess;
    return core::equals_ignore_case(row[kStatusText], "failure") ? Outcome::kFailure : Outcome::kUnknown;
  }

  Fate authentication(const json::Row& row, Event& e) const {
    const auto activity = schema::number(row, kActivity);
    // Tickets are asked for by machines all day; the log-in itself is an event of its own.
    if (activity >= 3 && activity <= 6) return Fate::ignored(kTicket);
    Service service = Service::kOther;
    if (core::contains_ignore_case(row[kService], "ssh")) service = Service::kSsh;
    if (core::contains_ignore_case(row[kService], "vpn") || core::contains_ignore_case(row[kProduct], "vpn"))
      service = Service::kVpn;
    put_login(e, outcome(row), service);
    if (activity == 2) e.activity = Activity::kLogoff;
    e.auth_method = method_of(schema::number(row, kAuthProtocol));
    if (row[kMfa] == "true") e.mfa = event::Mfa::kYes;
    if (row[kMfa] == "false") e.mfa = event::Mfa::kNo;
    if (const auto type = schema::number(row, kLogonType); type < 256) e.logon_type = static_cast<std::uint8_t>(type);
    return common(row, e);
  }

  Fate network(Service service, const json::Row& row, Event& e) const {
    e.service = service;
    const auto activity = schema::number(row, kActivity);
    const auto action = schema::number(row, kAction);
    const auto disposition = schema::number(row, kDisposition);
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
    return common(row, e);
  }

  Fate tunnel(const json::Row& row, Event& e) const {
    const auto activity = schema::number(row, kActivity);
    put_session(e, activity == 1 ? Activity::kStart : activity == 2 ? Activity::kEnd : Activity::kUpdate);
    e.outcome = outcome(row);
    return common(row, e);
  }

  Fate common(const json::Row& row, Event& e) const {
    // Milliseconds since 1970.
    const auto start = read_time(row[schema::kStart], times_);
    const auto end = read_time(row[schema::kEnd], times_);
    auto time = read_time(row[schema::kTime], times_);
    if (start != 0 && (time == 0 || e.event_class == Class::kFlow)) time = start;
    if (time != 0) e.time = time;
    if (!schema::put_ends(row, e)) return Fate::ignored(kNoEnds);
    schema::put_rest(row, e);
    e.duration = schema::duration(row, core::kMillisecond);
    if (e.duration == 0 && start != 0 && end > start) e.duration = end - start;
    if (const auto flags = schema::number(row, kTcpFlags); flags < 65536)
      e.tcp_flags = static_cast<std::uint16_t>(flags);
    if (const auto direction = schema::number(row, kDirection); direction == 1 || direction == 2)
      e.direction = direction == 1 ? Direction::kInbound : Direction::kOutbound;
    if (row[schema::kSession].empty() && !row[kConnection].empty()) e.session_id = core::hash64(row[kConnection]);
    e.code = core::intern(row[kClass]);
    return Fate::kept();
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ocsf(const core::TimeReader& times) { return std::make_unique<Ocsf>(times); }

}  // namespace orbwatch::decode
