// Okta System Log: log-ins, second factors, single sign-on, account locks, sign-on policy decisions.
// Spec: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/ and its event type
// catalogue.
//
// Three sample records (shortened):
//   {"actor":{"alternateId":"alice@corp.example","type":"User"},"client":{"ipAddress":"192.0.2.10",...},"eventType":
//   "user.session.start","outcome":{"result":"SUCCESS"},"published":"2026-11-20T08:15:30.123Z",...}
//   {...,"eventType":"user.authentication.auth_via_mfa","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},...}
//   {...,"eventType":"policy.evaluate_sign_on","outcome":{"result":"CHALLENGE"},...}
//
// Ignored by name: every other event type, by its first two words ("event user.lifecycle").
#include <array>
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/name_table.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("okta: not JSON");
const Symbol kNoTime = core::intern("okta: no time");
const Symbol kNoType = core::intern("okta: no eventType");
const Symbol kAllowedByPolicy = core::intern("policy.evaluate_sign_on, allowed");

enum Field : std::uint8_t {
  kType,
  kPublished,
  kActor,
  kActorType,
  kTargetName,
  kAddress,
  kAgent,
  kOs,
  kCountry,
  kResult,
  kReason,
  kSession,
  kFactor,
  kProvider,
};

const json::Fields kFields({
    {"eventType", kType},
    {"published", kPublished},
    {"actor.alternateId", kActor},
    {"actor.type", kActorType},
    {"target.displayName", kTargetName},
    {"client.ipAddress", kAddress},
    {"client.userAgent.rawUserAgent", kAgent},
    {"client.userAgent.os", kOs},
    {"client.geographicalContext.country", kCountry},
    {"outcome.result", kResult},
    {"outcome.reason", kReason},
    {"authenticationContext.externalSessionId", kSession},
    {"debugContext.debugData.factor", kFactor},
    {"authenticationContext.authenticationProvider", kProvider},
});

enum class Kind : std::uint8_t { kLogon, kSecondFactor, kChallenge, kLogoff, kSso, kLock, kPolicy, kDenied };

struct Type {
  Kind kind;
  AuthMethod method = AuthMethod::kUnknown;
};

constexpr NameTable kTypes(std::to_array<Name<Type>>({
    {"user.session.start", {Kind::kLogon}},
    {"user.session.end", {Kind::kLogoff}},
    {"user.authentication.sso", {Kind::kSso}},
    {"user.authentication.auth_via_mfa", {Kind::kSecondFactor}},
    {"user.authentication.verify", {Kind::kLogon}},
    {"user.authentication.auth", {Kind::kLogon}},
    {"user.authentication.universal_logout", {Kind::kLogoff}},
    {"user.authentication.auth_via_AD_agent", {Kind::kLogon, AuthMethod::kLdap}},
    {"user.authentication.auth_via_LDAP_agent", {Kind::kLogon, AuthMethod::kLdap}},
    {"user.authentication.auth_via_IDP", {Kind::kLogon, AuthMethod::kSaml}},
    {"user.authentication.auth_via_inbound_SAML", {Kind::kLogon, AuthMethod::kSaml}},
    {"user.authentication.auth_via_inbound_delauth", {Kind::kLogon}},
    {"user.authentication.auth_via_iwa", {Kind::kLogon, AuthMethod::kKerberos}},
    {"user.authentication.auth_via_radius", {Kind::kLogon, AuthMethod::kRadius}},
    {"user.authentication.auth_via_richclient", {Kind::kLogon, AuthMethod::kPassword}},
    {"user.authentication.auth_via_social", {Kind::kLogon, AuthMethod::kOther}},
    {"user.mfa.okta_verify.deny_push", {Kind::kDenied}},
    {"user.mfa.attempt_bypass", {Kind::kDenied}},
    {"user.account.lock", {Kind::kLock}},
    {"user.account.lock.limit", {Kind::kLock}},
    {"policy.evaluate_sign_on", {Kind::kPolicy}},
    {"app.oauth2.signon", {Kind::kSso}},
    {"system.push.send_factor_verify_push", {Kind::kChallenge}},
    {"system.sms.send_factor_verify_message", {Kind::kChallenge}},
    {"system.voice.send_mfa_challenge_call", {Kind::kChallenge}},
    {"system.email.send_factor_verify_message", {Kind::kChallenge}},
}));

class Okta final : public json::TableDecoder {
 public:
  Okta() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    return json::has_all(keys, json::kOktaEventType | json::kActor) &&
           (keys & (json::kPublished | json::kOutcome | json::kDisplayMessage)) != 0;
  }

 private:
  Fate fill(json::Row& row, const json::Object& object, Event& e) override {
    if (row[kType].empty()) return Fate::rejected(kNoType);
    const Type* type = kTypes.find(row[kType]);
    if (type == nullptr) return json::ignored("event", first_two(row[kType]));
    e.time = json::utc_time(row[kPublished]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, Outcome::kUnknown, Service::kWeb);
    e.code = core::intern(row[kType]);
    e.auth_method = type->method;
    if (row[kProvider] == "RADIUS") e.auth_method = AuthMethod::kRadius;
    // System events (a lock, a text message) are about their target.
    const bool system = row[kActorType] == "SystemPrincipal" || row[kActor] == "system@okta.com";
    set_user(e, system || json::absent(row[kActor]) ? target_user(object) : row[kActor]);
    json::set_source(e, row[kAddress]);
    json::set_user_agent(e, row[kAgent]);
    e.client_os = json::symbol(row[kOs]);
    e.region = json::symbol(row[kCountry]);
    if (!json::absent(row[kSession])) e.session_id = core::hash64(row[kSession]);
    set_outcome(row, e);
    return of_kind(type->kind, row, e);
  }

  // The log-in name of the user among the targets, which are users, applications, factors ...
  static std::string_view target_user(const json::Object& object) {
    std::string_view found;
    json::each_field(object, [&](std::string_view key, const json::Value& targets) {
      if (key != "target") return true;
      json::each_element(targets, [&](const json::Value& target) {
        std::string_view type;
        std::string_view name;
        json::each_field(target, [&](std::string_view k, const json::Value& value) {
          if (k == "type") type = json::text(value);
          if (k == "alternateId") name = json::text(value);
          return true;
        });
        if (type == "User" || (type == "AppUser" && found.empty())) found = name;
        return type != "User";
      });
      return false;
    });
    return found;
  }

  // "user.lifecycle" of "user.lifecycle.create.start": the catalogue has more than a thousand types.
  static std::string_view first_two(std::string_view type) {
    const auto dot = type.find('.');
    return dot == type.npos ? type : type.substr(0, type.find('.', dot + 1));
  }

  static void set_outcome(const json::Row& row, Event& e) {
    const std::string_view result = row[kResult];
    if (result == "SUCCESS" || result == "ALLOW") e.outcome = Outcome::kSuccess;
    if (result == "FAILURE" || result == "DENY" || result == "ABANDONED") e.outcome = Outcome::kFailure;
    if (result == "CHALLENGE") e.activity = Activity::kChallenge;
    if (e.outcome != Outcome::kSuccess && !json::absent(row[kReason])) e.reason = closed_reason(row[kReason]);
  }

  static Fate of_kind(Kind kind, const json::Row& row, Event& e) {
    switch (kind) {
      case Kind::kLogon: break;
      case Kind::kSecondFactor:
        if (e.outcome == Outcome::kSuccess) e.mfa = Mfa::kYes;
        e.application = json::symbol(row[kFactor]);
        break;
      case Kind::kChallenge:
        // That a push or message was sent says nothing of whether it will be answered.
        e.activity = Activity::kChallenge;
        e.outcome = Outcome::kUnknown;
        break;
      case Kind::kLogoff: e.activity = Activity::kLogoff; break;
      case Kind::kSso: e.destination_name = json::symbol(row[kTargetName]); break;
      case Kind::kLock:
        e.activity = Activity::kObserved;
        e.outcome = Outcome::kFailure;
        if (!e.reason.present()) e.reason = core::intern("account locked out");
        break;
      case Kind::kPolicy:
        if (e.outcome == Outcome::kSuccess) return Fate::ignored(kAllowedByPolicy);
        e.rule = json::symbol(row[kTargetName]);
        break;
      case Kind::kDenied:
        e.outcome = Outcome::kFailure;
        if (!e.reason.present()) e.reason = core::intern("second factor denied");
        break;
    }
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_okta(const core::TimeReader&) { return std::make_unique<Okta>(); }

}  // namespace orbwatch::decode
