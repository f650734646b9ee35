// authentik: events of the API (/api/v3/events/events/) and the server's log in JSON.
// Spec: https://docs.goauthentik.io/sys-mgmt/events/ and the schema of its API.
//
// Three sample records (shortened):
//   {"action":"login","app":"authentik.events.signals","user":{"username":"alice",...},"context":{"auth_method":
//   "password"},"client_ip":"203.0.113.7","created":"2026-11-22T08:00:00.123Z","pk":"..."}
//   {"action":"login_failed","event":"Created Event","context":{"username":"bob"},"client_ip":"203.0.113.9","auth_via":
//   "unauthenticated","logger":"authentik.events.models","timestamp":"2026-11-22T08:00:01.123456",...}
//   {"action":"invalid_identifier","event":"invalid_login","identifier":"mallory","client_ip":"203.0.113.9",...}
// Ignored by name: other actions ("action model_updated"), other lines of the server ("other message").
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

const Symbol kNotJson = core::intern("authentik: not JSON");
const Symbol kNoTime = core::intern("authentik: no time");
const Symbol kNobody = core::intern("authentik: neither user nor address");
const Symbol kOther = core::intern("authentik other message");

enum Field : std::uint8_t {
  kAction,
  kEvent,
  kTime,
  kAddress,
  kUser,
  kTyped,
  kMethod,
  kMfaDevice,
  kAgent,
  kHost,
  kCountry,
};

const json::Fields kFields({
    {"action", kAction},
    {"event", kEvent},
    {"created", kTime},
    {"timestamp", kTime},
    {"client_ip", kAddress},
    {"user.username", kUser},
    {"identifier", kTyped},
    {"context.username", kTyped},
    {"context.auth_method", kMethod},
    {"context.auth_method_args.mfa_devices.pk", kMfaDevice},
    {"context.http_request.user_agent", kAgent},
    {"host", kHost},
    {"context.geo.country", kCountry},
});

AuthMethod method_of(std::string_view text) {
  if (text == "password" || text == "ldap") return text == "ldap" ? AuthMethod::kLdap : AuthMethod::kPassword;
  if (text == "auth_webauthn_pwl" || text == "webauthn") return AuthMethod::kPublicKey;
  if (text == "mtls") return AuthMethod::kCertificate;
  return json::absent(text) ? AuthMethod::kUnknown : AuthMethod::kOther;
}

class Authentik final : public json::TableDecoder {
 public:
  Authentik() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (!json::has_all(keys, json::kClientIp | json::kAction)) return false;
    return json::raw_member(r, "app").starts_with("\"authentik") ||
           json::raw_member(r, "logger").starts_with("\"authentik.");
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    const bool invalid = row[kEvent] == "invalid_login";
    if (!row[kEvent].empty() && !invalid && row[kEvent] != "Created Event") return Fate::ignored(kOther);
    const std::string_view action = row[kAction];
    const bool failed = invalid || action == "login_failed";
    const bool ended = action == "logout";
    if (!failed && !ended && action != "login") return json::ignored("action", action);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, failed ? Outcome::kFailure : ended ? Outcome::kUnknown : Outcome::kSuccess, Service::kWeb);
    if (ended) e.activity = Activity::kLogoff;
    e.code = core::intern(invalid ? row[kEvent] : action);
    // Of a failure the user is nobody yet.
    set_user(e, failed && !row[kTyped].empty() ? row[kTyped] : row[kUser]);
    json::set_source(e, row[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    json::set_user_agent(e, row[kAgent]);
    if (invalid) e.reason = closed_reason(action);
    e.auth_method = method_of(row[kMethod]);
    if (!failed && !row[kMfaDevice].empty()) e.mfa = Mfa::kYes;
    e.destination_name = json::symbol(row[kHost]);
    e.region = json::symbol(row[kCountry]);
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_authentik(const core::TimeReader&) { return std::make_unique<Authentik>(); }

}  // namespace orbwatch::decode
