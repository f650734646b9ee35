// Cloudflare Zero Trust: log-ins through Access, connections through the Gateway (network logs and sessions), log-ins
// to the dashboard; as Logpush and the API write them. Spec:
// https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/account/ (access_requests, gateway_network,
// zero_trust_network_sessions, audit_logs)
//
// Three sample records (shortened):
//   {"Action":"login","Allowed":true,"AppDomain":"wiki.corp.example","Connection":"saml","CreatedAt":"2026-11-20T08:15:30Z",
//   "Email":"alice@corp.example","IPAddress":"192.0.2.10","RayID":"..."}
//   {"Action":"block","Datetime":"...","DestinationIP":"198.51.100.5","DestinationPort":22,"SourceIP":"192.0.2.10",...}
//   {"SessionStartTime":"...","SessionEndTime":"...","BytesSent":1030,"OriginIP":"198.51.100.5","SourceIP":"192.0.2.10",...}
//
// Ignored by name: actions of the account's audit log other than log-ins ("audit gateway_update"), other actions of
// Access.
#include <array>
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("cloudflare_access: not JSON");
const Symbol kNoTime = core::intern("cloudflare_access: no time");
const Symbol kNoAddress = core::intern("cloudflare_access: no address");
const Symbol kAccess = core::intern("access");
const Symbol kGateway = core::intern("gateway_network");
const Symbol kSessionCode = core::intern("network_session");
const Symbol kAudit = core::intern("audit login");
const Symbol kDashboard = core::intern("dash.cloudflare.com");

enum Field : std::uint8_t {
  kAction,
  kAllowed,
  kApplication,
  kConnection,
  kCountry,
  kCreated,
  kEmail,
  kAddress,
  kRay,
  kActionType,
  kActionResult,
  kActorEmail,
  kActorIp,
  kWhen,
  kDatetime,
  kSourceIp,
  kSourcePort,
  kDestinationIp,
  kDestinationPort,
  kTransport,
  kServerName,
  kPolicy,
  kSession,
  kDevice,
  kStart,
  kEnd,
  kOriginIp,
  kOriginPort,
  kEgressIp,
  kSent,
  kReceived,
  kProtocol,
  kDetected,
  kTlsVersion,
  kCloseReason,
};

const json::Fields kFields({
    {"Action", kAction},
    {"Allowed", kAllowed},
    {"AppDomain", kApplication},
    {"app_domain", kApplication},
    {"Connection", kConnection},
    {"Country", kCountry},
    {"CreatedAt", kCreated},
    {"created_at", kCreated},
    {"Email", kEmail},
    {"user_email", kEmail},
    {"IPAddress", kAddress},
    {"ip_address", kAddress},
    {"RayID", kRay},
    {"ray_id", kRay},
    {"ActionType", kActionType},
    {"ActionResult", kActionResult},
    {"ActorEmail", kActorEmail},
    {"ActorIP", kActorIp},
    {"When", kWhen},
    {"Datetime", kDatetime},
    {"SourceIP", kSourceIp},
    {"SourcePort", kSourcePort},
    {"DestinationIP", kDestinationIp},
    {"DestinationPort", kDestinationPort},
    {"Transport", kTransport},
    {"SNI", kServerName},
    {"PolicyName", kPolicy},
    {"SessionID", kSession},
    {"DeviceName", kDevice},
    {"SessionStartTime", kStart},
    {"SessionEndTime", kEnd},
    {"OriginIP", kOriginIp},
    {"OriginPort", kOriginPort},
    {"EgressIP", kEgressIp},
    {"BytesSent", kSent},
    {"BytesReceived", kReceived},
    {"Protocol", kProtocol},
    {"DetectedProtocol", kDetected},
    {"ClientTLSVersion", kTlsVersion},
    {"ConnectionCloseReason", kCloseReason},
});

class CloudflareAccess final : public json::TableDecoder {
 public:
  CloudflareAccess() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    return json::has_all(keys, json::kAction | json::kAllowed | json::kRayId) ||
           json::has_all(keys, json::kActionType | json::kActorIp) ||
           json::has_all(keys, json::kSourceIp | json::kDestinationIp | json::kDatetime | json::kSessionId) ||
           json::has_all(keys, json::kSessionStartTime | json::kOriginIp | json::kSourceIp);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (!row[kActionType].empty()) return audit(row, e);
    if (!row[kRay].empty() || !row[kAllowed].empty()) return access(row, e);
    return !row[kStart].empty() ? session(row, e) : gateway(row, e);
  }

  static Fate access(const json::Row& row, Event& e) {
    if (row[kAction] != "login" && row[kAction] != "logout") return json::ignored("access", row[kAction]);
    e.time = json::utc_time(row[kCreated]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    const bool login = row[kAction] == "login";
    const Outcome outcome = json::is_true(row[kAllowed]) ? Outcome::kSuccess : Outcome::kFailure;
    put_login(e, login ? outcome : Outcome::kUnknown, Service::kWeb);
    if (!login) e.activity = Activity::kLogoff;
    e.code = kAccess;
    set_user(e, row[kEmail]);
    json::set_source(e, row[kAddress]);
    e.destination_name = json::symbol(row[kApplication]);
    e.region = json::symbol(row[kCountry]);
    // "saml", "azureAD", "onetimepin", "google": how the identity provider was asked.
    e.application = json::symbol(row[kConnection]);
    if (row[kConnection] == "saml") e.auth_method = AuthMethod::kSaml;
    if (!row[kRay].empty()) e.session_id = core::hash64(row[kRay]);
    return Fate::kept();
  }

  static Fate audit(const json::Row& row, Event& e) {
    if (row[kActionType] != "login" && row[kActionType] != "logout") return json::ignored("audit", row[kActionType]);
    e.time = json::utc_time(row[kWhen]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    const bool failed = json::is_false(row[kActionResult]);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kWeb);
    if (row[kActionType] == "logout") e.activity = Activity::kLogoff;
    e.code = kAudit;
    set_user(e, row[kActorEmail]);
    json::set_source(e, row[kActorIp]);
    e.destination_name = kDashboard;
    return Fate::kept();
  }

  // What gateway_network and zero_trust_network_sessions have in common.
  static Fate connection(const json::Row& row, std::string_view to, std::string_view to_port, Event& e) {
    if (e.time == 0) return Fate::rejected(kNoTime);
    json::set_source(e, row[kSourceIp]);
    e.destination_ip = given_ip(to);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    e.event_class = Class::kConnection;
    e.source_port = json::port(row[kSourcePort]);
    e.destination_port = json::port(to_port);
    e.protocol = protocol_number(row[kTransport].empty() ? row[kProtocol] : row[kTransport]);
    e.client_host = json::symbol(row[kDevice]);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    set_user(e, row[kEmail]);
    return Fate::kept();
  }

  static Fate gateway(const json::Row& row, Event& e) {
    e.time = json::utc_time(row[kDatetime]);
    e.activity = Activity::kStart;
    e.code = kGateway;
    e.destination_name = json::symbol(row[kServerName]);
    e.rule = json::symbol(row[kPolicy]);
    const std::string_view action = row[kAction];
    if (action.starts_with("allow") || action == "l4Override" || action == "override") e.action = Action::kAllowed;
    if (action.starts_with("block")) e.action = Action::kDenied;
    return connection(row, row[kDestinationIp], row[kDestinationPort], e);
  }

  static Fate session(const json::Row& row, Event& e) {
    e.time = json::utc_time(row[kStart]);
    const core::Nanoseconds end = json::utc_time(row[kEnd]);
    if (e.time != 0 && end > e.time) e.duration = end - e.time;
    e.activity = Activity::kEnd;
    e.code = kSessionCode;
    e.action = Action::kAllowed;
    e.assigned_ip = given_ip(row[kEgressIp]);
    // Bytes are counted as seen from Cloudflare: received from the client, sent to it.
    e.source_bytes = json::number(row[kReceived]).value_or(0);
    e.destination_bytes = json::number(row[kSent]).value_or(0);
    e.application = json::symbol(row[kDetected]);
    e.protocol_version = json::symbol(row[kTlsVersion]);
    e.reason = closed_reason(row[kCloseReason]);
    return connection(row, row[kOriginIp], row[kOriginPort], e);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cloudflare_access(const core::TimeReader&) {
  return std::make_unique<CloudflareAccess>();
}

}  // namespace orbwatch::decode
