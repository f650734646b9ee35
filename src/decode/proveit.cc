// Rubycat PROVE IT: log-ins to the bastion, their failures, connections to the servers behind it, from its events in
// syslog (JSON).
//
// Source: records in the public test data of Sekoia's intake format "Rubycat PROVE IT"; the vendor's own description
// is not public.
//
// Three sample records (shortened):
//   @cee: {"category":"USER","severity":"INFO","type":"USER_CONNECTION_SUCCESS","source":{"ip":"203.0.113.7",
//   "userName":"alice","realmName":"corp.example","protocol":"rdp",...},"timestamp":"2026-11-22T08:00:00.123456+01:00"}
//   @cee: {...,"type":"USER_CONNECTION_FAILURE","reason":"BAD_CREDENTIALS","authServerType":"LDAP",...}
//   @cee: {...,"type":"USER_SERVICE_CONNECTION_FAILURE","service":{"host":"192.0.2.30","port":3389,...},...}
// Ignored by name: every other type ("event ADMIN_SERVICES_SERVICE_MODIFY").
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("proveit: not JSON");
const Symbol kNoTime = core::intern("proveit: no time");
const Symbol kNobody = core::intern("proveit: neither user nor address");

enum Field : std::uint8_t {
  kType,
  kTime,
  kReason,
  kServerType,
  kAddress,
  kUser,
  kRealm,
  kMode,
  kProtocol,
  kSession,
  kOs,
  kSoftware,
  kServiceHost,
  kServicePort,
  kServiceName,
  kServiceProtocol,
  kServiceGroup,
};

const json::Fields kFields({
    {"type", kType},
    {"timestamp", kTime},
    {"reason", kReason},
    {"authServerType", kServerType},
    {"source.ip", kAddress},
    {"source.userName", kUser},
    {"source.realmName", kRealm},
    {"source.authenticationMode", kMode},
    {"source.protocol", kProtocol},
    {"source.sessionId", kSession},
    {"source.osInfo", kOs},
    {"source.softwareInfo", kSoftware},
    {"service.host", kServiceHost},
    {"service.port", kServicePort},
    {"service.name", kServiceName},
    {"service.protocol", kServiceProtocol},
    {"service.groupName", kServiceGroup},
});

Service service_of(std::string_view protocol) {
  if (core::equals_ignore_case(protocol, "web") || core::equals_ignore_case(protocol, "https")) return Service::kWeb;
  if (core::equals_ignore_case(protocol, "rdp")) return Service::kRdp;
  return core::equals_ignore_case(protocol, "ssh") ? Service::kSsh : Service::kOther;
}

AuthMethod method_of(const json::Row& row) {
  if (row[kServerType] == "LDAP") return AuthMethod::kLdap;
  if (row[kServerType] == "RADIUS") return AuthMethod::kRadius;
  if (row[kMode] == "PASSWORD") return AuthMethod::kPassword;
  if (row[kMode] == "CERTIFICATE") return AuthMethod::kCertificate;
  return json::absent(row[kMode]) ? AuthMethod::kUnknown : AuthMethod::kOther;
}

class ProveIt final : public json::TableDecoder {
 public:
  ProveIt() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    if ((json::keys_of(r) & json::kTimestamp) == 0) return false;
    if (!json::has_all(json::products_of(r), json::kType | json::kCategory)) return false;
    return json::raw_member(r, "severity").starts_with('"') && json::raw_member(r, "source").starts_with('{');
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    // "USER_CONNECTION_SUCCESS", "ADMIN_CONNECTION_FAILURE": what is behind the category.
    const std::string_view type = row[kType];
    const auto underscore = type.find('_');
    if (!put(underscore == type.npos ? type : type.substr(underscore + 1), row, e)) return json::ignored("event", type);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.code = core::intern(type);
    set_user(e, row[kUser]);
    if (e.user.present() && !e.user_domain.present()) e.user_domain = json::symbol(row[kRealm]);
    json::set_source(e, row[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    e.reason = closed_reason(row[kReason]);
    json::set_user_agent(e, row[kSoftware]);
    if (row[kOs] != "Unknown Unknown") e.client_os = json::symbol(row[kOs]);
    if (!json::absent(row[kSession])) e.session_id = core::hash64(row[kSession]);
    return Fate::kept();
  }

  static bool put(std::string_view what, const json::Row& row, Event& e) {
    const bool failed = what.ends_with("_FAILURE");
    if (what.starts_with("SERVICE_CONNECTION")) {
      put_session(e, Activity::kStart);
      e.outcome = failed ? Outcome::kFailure : Outcome::kSuccess;
    } else if (what.starts_with("SERVICE_DISCONNECTION")) {
      put_session(e, Activity::kEnd);
    } else if (what.starts_with("CONNECTION_")) {
      if (!failed && !what.ends_with("_SUCCESS")) return false;
      put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kOther);
      e.auth_method = method_of(row);
    } else if (what.starts_with("DISCONNECTION")) {
      put_login(e, Outcome::kUnknown, Service::kOther);
      e.activity = Activity::kLogoff;
    } else {
      return false;
    }
    const bool to_server = what.starts_with("SERVICE_");
    const std::string_view protocol = row[to_server ? kServiceProtocol : kProtocol];
    e.service = service_of(protocol);
    e.application = lower_symbol(protocol);
    if (!to_server) return true;
    e.destination_ip = given_ip(row[kServiceHost]);
    e.destination_port = json::port(row[kServicePort]);
    e.destination_name = json::symbol(row[e.destination_ip.present() ? kServiceName : kServiceHost]);
    e.group = json::symbol(row[kServiceGroup]);
    return true;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_proveit(const core::TimeReader&) { return std::make_unique<ProveIt>(); }

}  // namespace orbwatch::decode
