// Amazon GuardDuty findings: its alerts about connections, port probes, DNS queries, calls of the AWS and Kubernetes
// API and log-ins to databases. As S3 exports and EventBridge bring them and as the API lists them.
// Spec: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html and
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html
//
// Three sample records (shortened):
//   {"schemaVersion":"2.0","accountId":"111122223333","arn":"arn:aws:guardduty:...","type":"UnauthorizedAccess:EC2/SSHBruteForce",
//   "service":{"action":{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"connectionDirection":"INBOUND",
//   "remoteIpDetails":{"ipAddressV4":"203.0.113.7"},"localPortDetails":{"port":22},...}},"eventLastSeen":"..."}}
//   {...,"type":"Recon:EC2/PortProbeUnprotectedPort","service":{"action":{"actionType":"PORT_PROBE","portProbeAction":
//   {"portProbeDetails":[{"localPortDetails":{"port":80},"remoteIpDetails":{...}},...]}}}}
//   {...,"type":"UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B","service":{"action":{"actionType":"AWS_API_CALL",
//   "awsApiCallAction":{"api":"ConsoleLogin","remoteIpDetails":{...}}}}}
//
// A port probe and an attack sequence may name several addresses: one event each. Ignored by name: findings about
// nobody's address, by the purpose of the threat ("finding Execution": malware on a disk).
#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;
using json::Value;

const Symbol kNotJson = core::intern("aws_guardduty: not JSON");
const Symbol kNoTime = core::intern("aws_guardduty: no time");
const Symbol kNoType = core::intern("aws_guardduty: no type");
const Symbol kSequence = core::intern("ATTACK_SEQUENCE");

enum Field : std::uint8_t {
  kType,
  kAccount,
  kLastSeen,
  kUpdated,
  kActionType,
  kDirection,
  kRemote,
  kRemote6,
  kRemotePort,
  kLocal,
  kLocal6,
  kLocalPort,
  kInstance,
  kProtocol,
  kBlocked,
  kCountry,
  kUser,
  kGroup,
  kApi,
  kApiService,
  kError,
  kAgent,
  kDomain,
  kSuccesses,
  kDatabase,
  kEndpoint,
};

const json::Fields kFields({
    {"type", kType},
    {"accountId", kAccount},
    {"service.eventLastSeen", kLastSeen},
    {"updatedAt", kUpdated},
    {"createdAt", kUpdated},
    {"service.action.actionType", kActionType},
    {"service.action.networkConnectionAction.connectionDirection", kDirection},
    {"service.action.networkConnectionAction.remoteIpDetails.ipAddressV4", kRemote},
    {"service.action.networkConnectionAction.remoteIpDetails.ipAddressV6", kRemote6},
    {"service.action.networkConnectionAction.remoteIpDetails.country.countryName", kCountry},
    {"service.action.networkConnectionAction.remotePortDetails.port", kRemotePort},
    {"service.action.networkConnectionAction.localIpDetails.ipAddressV4", kLocal},
    {"service.action.networkConnectionAction.localIpDetails.ipAddressV6", kLocal6},
    {"service.action.networkConnectionAction.localPortDetails.port", kLocalPort},
    {"service.action.networkConnectionAction.protocol", kProtocol},
    {"service.action.networkConnectionAction.blocked", kBlocked},
    {"service.action.portProbeAction.blocked", kBlocked},
    {"service.action.dnsRequestAction.domain", kDomain},
    {"service.action.dnsRequestAction.protocol", kProtocol},
    {"service.action.dnsRequestAction.blocked", kBlocked},
    {"service.action.awsApiCallAction.api", kApi},
    {"service.action.awsApiCallAction.serviceName", kApiService},
    {"service.action.awsApiCallAction.errorCode", kError},
    {"service.action.awsApiCallAction.userAgent", kAgent},
    {"service.action.awsApiCallAction.remoteIpDetails.ipAddressV4", kRemote},
    {"service.action.awsApiCallAction.remoteIpDetails.ipAddressV6", kRemote6},
    {"service.action.awsApiCallAction.remoteIpDetails.country.countryName", kCountry},
    {"service.additionalInfo.userAgent.fullUserAgent", kAgent},
    {"service.action.kubernetesApiCallAction.userAgent", kAgent},
    {"service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4", kRemote},
    {"service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV6", kRemote6},
    {"service.action.kubernetesApiCallAction.remoteIpDetails.country.countryName", kCountry},
    {"service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV4", kRemote},
    {"service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV6", kRemote6},
    {"service.action.rdsLoginAttemptAction.remoteIpDetails.country.countryName", kCountry},
    {"service.action.rdsLoginAttemptAction.loginAttributes.user", kUser},
    {"service.action.rdsLoginAttemptAction.loginAttributes.application", kAgent},
    {"service.action.rdsLoginAttemptAction.loginAttributes.successfulLoginAttempts", kSuccesses},
    {"service.detection.sequence.actors.user.name", kUser},
    {"service.detection.sequence.endpoints.ip", kEndpoint},
    {"resource.accessKeyDetails.userName", kUser},
    {"resource.kubernetesDetails.kubernetesUserDetails.username", kUser},
    {"resource.kubernetesDetails.kubernetesUserDetails.groups", kGroup},
    {"resource.rdsDbUserDetails.user", kUser},
    {"resource.rdsDbInstanceDetails.dbInstanceIdentifier", kDatabase},
    {"resource.instanceDetails.networkInterfaces.privateIpAddress", kInstance},
});

// One address of several: of a port probe and of an attack sequence.
const json::Fields kPartFields({
    {"localPortDetails.port", kLocalPort},
    {"localIpDetails.ipAddressV4", kLocal},
    {"localIpDetails.ipAddressV6", kLocal6},
    {"remoteIpDetails.ipAddressV4", kRemote},
    {"remoteIpDetails.ipAddressV6", kRemote6},
    {"remoteIpDetails.country.countryName", kCountry},
    {"ip", kRemote},
    {"location.country", kCountry},
});

// The values of the array at the end of the path.
template <typename Each>
bool each_at(const Value& value, std::span<const std::string_view> path, Each&& each) {
  if (path.empty()) return json::each_element(value, each) != json::Walk::kBroken;
  bool good = true;
  const json::Walk walk = json::each_field(value, [&](std::string_view key, const Value& member) {
    if (core::equals_ignore_case(key, path.front())) good &= each_at(member, path.subspan(1), each);
    return good;
  });
  return good && walk != json::Walk::kBroken;
}

core::Ip first_ip(std::string_view v4, std::string_view v6) {
  const core::Ip ip = given_ip(v4);
  return ip.present() ? ip : given_ip(v6);
}

class AwsGuardDuty final : public json::TableDecoder {
 public:
  AwsGuardDuty() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    if ((json::keys_of(r) & json::kSchemaVersion) == 0) return false;
    return is_finding(json::raw_member(r, "arn")) || is_finding(json::raw_member(r, "Arn"));
  }

  void decode_parts(const TextRecord& r, Parts& parts) override {
    const json::Row around = *row_;
    const auto part = [&](const Value& value) {
      json::Row row = around;
      row[kCountry] = {};
      if (!kPartFields.read(value, row, part_memory_)) {
        parts.end(Fate::rejected(kNotJson), {});
        return true;
      }
      Event& e = parts.next();
      parts.end(alert(row, e), {});
      return true;
    };
    static constexpr std::array<std::string_view, 4> kProbes = {"service", "action", "portProbeAction",
                                                                "portProbeDetails"};
    static constexpr std::array<std::string_view, 4> kEndpoints = {"service", "detection", "sequence", "endpoints"};
    const bool probe = around[kActionType] == "PORT_PROBE";
    if (!each_at(object_, probe ? kProbes : kEndpoints, part)) parts.end(Fate::rejected(kNotJson), r.raw);
  }

 private:
  // "arn:aws:guardduty:...", "arn:aws-cn:guardduty:..."
  static bool is_finding(std::string_view arn) {
    return arn.starts_with("\"arn:aws") && arn.substr(0, 40).contains(":guardduty:");
  }

  Fate fill(json::Row& row, const json::Object& object, Event& e) override {
    if (row[kType].empty()) return Fate::rejected(kNoType);
    if (time_of(row) == 0) return Fate::rejected(kNoTime);
    if (row[kActionType] == "PORT_PROBE" || !row[kEndpoint].empty()) {
      row_ = &row;
      object_ = object;
      return Fate::several();
    }
    return alert(row, e);
  }

  // A finding is written anew each time its activity is seen again.
  static core::Nanoseconds time_of(const json::Row& row) {
    const core::Nanoseconds seen = json::utc_time(row[kLastSeen]);
    return seen != 0 ? seen : json::utc_time(row[kUpdated]);
  }

  static Fate alert(const json::Row& row, Event& e) {
    const std::string_view action = row[kActionType];
    put_ends(row, e);
    if (!e.source_ip.present() && !e.destination_ip.present())
      return json::ignored("finding", row[kType].substr(0, row[kType].find(':')));
    e.time = time_of(row);
    e.event_class = Class::kConnection;
    e.activity = Activity::kAlert;
    e.code = row[kEndpoint].empty() ? json::symbol(action) : kSequence;
    e.rule = json::symbol(row[kType]);
    e.observer = json::symbol(row[kAccount]);
    e.region = json::symbol(row[kCountry]);
    e.protocol = protocol_number(row[kProtocol]);
    if (json::is_true(row[kBlocked])) e.action = Action::kDenied;
    if (json::is_false(row[kBlocked])) e.action = Action::kAllowed;
    e.reason = closed_reason(row[kError]);
    set_user(e, row[kUser]);
    if (e.user.present() && !e.user_domain.present()) e.user_domain = json::symbol(row[kAccount]);
    e.group = json::symbol(row[kGroup]);
    json::set_user_agent(e, row[kAgent]);
    e.destination_name = json::symbol(row[kDomain].empty() ? row[kApiService] : row[kDomain]);
    if (action == "RDS_LOGIN_ATTEMPT") {
      const bool succeeded = json::number(row[kSuccesses]).value_or(0) != 0;
      put_login(e, succeeded ? Outcome::kSuccess : Outcome::kFailure, Service::kOther);
      e.destination_name = json::symbol(row[kDatabase]);
    } else if (action == "AWS_API_CALL" && row[kApi] == "ConsoleLogin") {
      put_login(e, row[kError].empty() ? Outcome::kSuccess : Outcome::kFailure, Service::kWeb);
    }
    return Fate::kept();
  }

  static void put_ends(const json::Row& row, Event& e) {
    const core::Ip remote = first_ip(row[kRemote], row[kRemote6]);
    const std::string_view action = row[kActionType];
    if (action != "NETWORK_CONNECTION" && action != "PORT_PROBE" && action != "DNS_REQUEST") {
      e.source_ip = remote;
      return;
    }
    core::Ip local = first_ip(row[kLocal], row[kLocal6]);
    if (!local.present()) local = given_ip(row[kInstance]);
    const bool out = row[kDirection] == "OUTBOUND" || action == "DNS_REQUEST";
    e.source_ip = out ? local : remote;
    e.destination_ip = out ? remote : local;
    e.source_port = json::port(row[out ? kLocalPort : kRemotePort]);
    e.destination_port = json::port(row[out ? kRemotePort : kLocalPort]);
    // Seen from the instance: between private addresses it says nothing of the network's border.
    if (row[kDirection] == "INBOUND" && remote.is_global()) e.direction = Direction::kInbound;
    if (row[kDirection] == "OUTBOUND" && remote.is_global()) e.direction = Direction::kOutbound;
  }

  const json::Row* row_ = nullptr;  // of the record whose parts are asked for
  json::Object object_;
  json::Fields::Memory part_memory_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_aws_guardduty(const core::TimeReader&) { return std::make_unique<AwsGuardDuty>(); }

}  // namespace orbwatch::decode
