// JumpCloud Directory Insights: log-ins to its portals, to applications, devices, RADIUS and LDAP, as its API gives
// them and as it writes them to a bucket.
// Spec: https://docs.jumpcloud.com/api/insights/directory/1.0/index.html
//
// Three sample records (shortened):
//   {"event_type":"user_login_attempt","service":"directory","success":true,"initiated_by":{"type":"user","username":
//   "alice"},"client_ip":"203.0.113.7","mfa":true,"timestamp":"2026-11-22T08:00:00.123Z","organization":"..","id":".."}
//   {"event_type":"sso_auth","service":"sso","sso_token_success":false,"error_message":"..","application":{...},...}
//   {"event_type":"radius_auth_attempt","service":"radius","success":false,"username":"bob","client_ip":"...",...}
// Ignored by name: every other type ("event user_update").
#include <array>
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("jumpcloud: not JSON");
const Symbol kNoTime = core::intern("jumpcloud: no time");
const Symbol kNoType = core::intern("jumpcloud: no event_type");
const Symbol kNobody = core::intern("jumpcloud: neither user nor address");
const Symbol kLocked = core::intern("account locked");

enum Field : std::uint8_t {
  kType,
  kTime,
  kClientIp,
  kSourceIp,
  kSuccess,
  kError,
  kUser,
  kEmail,
  kTyped,
  kTarget,
  kMfa,
  kAgentName,
  kAgentVersion,
  kOs,
  kApplication,
  kSsoType,
  kEapType,
  kCountry,
  kHost,
  kProcess,
};

const json::Fields kFields({
    {"event_type", kType},
    {"timestamp", kTime},
    {"client_ip", kClientIp},
    {"src_ip", kSourceIp},
    {"success", kSuccess},
    {"sso_token_success", kSuccess},
    {"error_message", kError},
    {"outer.error_message", kError},
    {"initiated_by.username", kUser},
    {"initiated_by.email", kEmail},
    {"username", kTyped},
    {"resource.username", kTarget},
    {"mfa", kMfa},
    {"useragent.name", kAgentName},
    {"useragent.version", kAgentVersion},
    {"useragent.os_full", kOs},
    {"application.name", kApplication},
    {"application.sso_type", kSsoType},
    {"eap_type", kEapType},
    {"geoip.country_code", kCountry},
    {"system.hostname", kHost},
    {"process_name", kProcess},
});

enum class Kind : std::uint8_t { kPortal, kAdministration, kSso, kDevice, kRadius, kLdap, kLogoff, kLock, kOther };

// New services come with names in the same style, so that the ends of names are looked at, too.
Kind kind_of(std::string_view type) {
  if (type == "admin_login_attempt") return Kind::kAdministration;
  if (type == "login_attempt") return Kind::kDevice;
  if (type.ends_with("_login_attempt")) return Kind::kPortal;
  if (type == "sso_auth" || type == "sso_auth_failed") return Kind::kSso;
  if (type == "radius_auth_attempt") return Kind::kRadius;
  if (type == "ldap_bind") return Kind::kLdap;
  if (type.ends_with("_logout")) return Kind::kLogoff;
  if (type.ends_with("_lockout")) return Kind::kLock;
  return Kind::kOther;
}

class Jumpcloud final : public json::TableDecoder {
 public:
  Jumpcloud() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    if ((json::keys_of(r) & json::kEventType) == 0 || (json::products_of(r) & json::kId) == 0) return false;
    return json::raw_member(r, "organization").starts_with('"') && json::raw_member(r, "service").starts_with('"');
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kType].empty()) return Fate::rejected(kNoType);
    const Kind kind = kind_of(row[kType]);
    if (kind == Kind::kOther) return json::ignored("event", row[kType]);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, outcome_of(row), service_of(kind, row));
    if (kind == Kind::kLogoff || kind == Kind::kLock) {
      e.activity = kind == Kind::kLogoff ? Activity::kLogoff : Activity::kObserved;
      e.outcome = kind == Kind::kLogoff ? Outcome::kUnknown : Outcome::kFailure;
    }
    e.code = core::intern(row[kType]);
    put_user(row, kind, e);
    // A RADIUS server sees the gateway that asks it, not who stands before the gateway.
    if (kind == Kind::kRadius) {
      e.destination_ip = given_ip(row[kClientIp]);
    } else {
      json::set_source(e, row[row[kSourceIp].empty() ? kClientIp : kSourceIp]);
    }
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    if (e.outcome == Outcome::kFailure) e.reason = kind == Kind::kLock ? kLocked : closed_reason(row[kError]);
    if (json::is_true(row[kMfa])) e.mfa = Mfa::kYes;
    const bool portal = kind == Kind::kPortal || kind == Kind::kAdministration;
    if (portal && e.outcome == Outcome::kSuccess && json::is_false(row[kMfa])) e.mfa = Mfa::kNo;
    e.auth_method = method_of(kind, row);
    put_agent(row, e);
    // Of a RADIUS log-in the place is the gateway's as well.
    if (kind != Kind::kRadius) e.region = json::symbol(row[kCountry]);
    e.destination_name = json::symbol(row[row[kHost].empty() ? kApplication : kHost]);
    return Fate::kept();
  }

  static Outcome outcome_of(const json::Row& row) {
    if (json::is_true(row[kSuccess])) return Outcome::kSuccess;
    const bool failed = json::is_false(row[kSuccess]) || row[kType].ends_with("_failed") || !row[kError].empty();
    return failed ? Outcome::kFailure : Outcome::kUnknown;
  }

  static Service service_of(Kind kind, const json::Row& row) {
    switch (kind) {
      case Kind::kAdministration: return Service::kManagement;
      case Kind::kDevice: return row[kProcess].starts_with("ssh") ? Service::kSsh : Service::kOther;
      case Kind::kRadius:
      case Kind::kLdap: return Service::kOther;
      default: return Service::kWeb;
    }
  }

  static void put_user(const json::Row& row, Kind kind, Event& e) {
    // Somebody else or the service itself locks an account.
    if (kind == Kind::kLock && !row[kTarget].empty()) return set_user(e, row[kTarget]);
    for (const Field field : {kUser, kEmail, kTyped, kTarget}) {
      if (!e.user.present()) set_user(e, row[field]);
    }
  }

  static AuthMethod method_of(Kind kind, const json::Row& row) {
    switch (kind) {
      case Kind::kSso: return row[kSsoType] == "saml" ? AuthMethod::kSaml : AuthMethod::kUnknown;
      case Kind::kRadius: return row[kEapType] == "TLS" ? AuthMethod::kCertificate : AuthMethod::kRadius;
      case Kind::kLdap: return AuthMethod::kLdap;
      default: return AuthMethod::kUnknown;
    }
  }

  // The parsed name and version are all there is of the client's own words.
  static void put_agent(const json::Row& row, Event& e) {
    if (row[kOs] != "Other") e.client_os = json::symbol(row[kOs]);
    if (json::absent(row[kAgentName]) || row[kAgentName] == "Other") return;
    std::array<char, 96> text;
    std::size_t size = 0;
    for (const std::string_view part : {row[kAgentName], std::string_view(" "), row[kAgentVersion]}) {
      const std::size_t taken = std::min(part.size(), text.size() - size);
      std::copy_n(part.begin(), taken, text.begin() + static_cast<std::ptrdiff_t>(size));
      size += taken;
    }
    e.user_agent = core::intern(core::trim({text.data(), size}));
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_jumpcloud(const core::TimeReader&) { return std::make_unique<Jumpcloud>(); }

}  // namespace orbwatch::decode
