// Google Workspace: log-ins and single sign-on (SAML) out of the Reports API's activities, as the API gives them and as
// exports flatten them (one event a record, or dotted keys).
// Spec: https://developers.google.com/workspace/admin/reports/v1/reference/activities and
// .../v1/appendix/activity/login
//
// Three sample records (shortened):
//   {"kind":"admin#reports#activity","id":{"time":"2026-11-20T08:15:30.123Z","applicationName":"login",...},"actor":
//   {"email":"alice@corp.example"},"ipAddress":"192.0.2.10","events":[{"type":"login","name":"login_success",...}]}
//   {"id":{"applicationName":"saml",...},...,"events":[{"type":"login","name":"login_failure","parameters":[...]}]}
//   {"id":{"applicationName":"login",...},"actor":{...},"name":"logout","type":"login","parameters":{}}
//
// Ignored by name: other applications ("application drive") and the settings that the login application reports, too
// ("login titanium_enroll").
#include <array>
#include <memory>
#include <string_view>

#include "decode/find_byte.h"
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

const Symbol kNotJson = core::intern("google_workspace: not JSON");
const Symbol kNoTime = core::intern("google_workspace: no time");
const Symbol kNoEvent = core::intern("google_workspace: no event");

enum Field : std::uint8_t {
  kTime,
  kApplication,
  kEmail,
  kAddress,
  kRegion,
  kName,
  kLoginType,
  kMethod,
  kSecondFactor,
  kSuspicious,
  kFailure,
  kStatus,
  kSamlApplication,
  kSamlFailure,
  kAffected,
  kUserAgent,
};

const json::Fields kFields({
    {"id.time", kTime},
    {"id.applicationName", kApplication},
    {"actor.email", kEmail},
    {"ipAddress", kAddress},
    {"networkInfo.regionCode", kRegion},
});

// Of one event: an element of "events", or the record itself where an export has one event a record.
const json::Fields kEventFields(
    {
        {"name", kName},
        {"parameters.login_type", kLoginType},
        {"parameters.login_challenge_method", kMethod},
        {"parameters.is_second_factor", kSecondFactor},
        {"parameters.is_suspicious", kSuspicious},
        {"parameters.login_failure_type", kFailure},
        {"parameters.login_challenge_status", kStatus},
        {"parameters.application_name", kSamlApplication},
        {"parameters.failure_type", kSamlFailure},
        {"parameters.affected_email_address", kAffected},
        {"parameters.user_agent", kUserAgent},
    },
    {"", "events."});

struct Name {
  std::string_view name;
  Activity activity;
  Outcome outcome;
  int rank;  // of several events of one activity the one with the highest rank says how it ended
};

constexpr std::array kNames = {
    Name{"login_success", Activity::kLogon, Outcome::kSuccess, 9},
    Name{"login_failure", Activity::kLogon, Outcome::kFailure, 8},
    Name{"suspicious_login", Activity::kLogon, Outcome::kUnknown, 7},
    Name{"suspicious_login_less_secure_app", Activity::kLogon, Outcome::kUnknown, 7},
    Name{"suspicious_programmatic_login", Activity::kLogon, Outcome::kUnknown, 7},
    Name{"risky_sensitive_action_blocked", Activity::kObserved, Outcome::kFailure, 6},
    Name{"risky_sensitive_action_allowed", Activity::kObserved, Outcome::kSuccess, 6},
    Name{"account_disabled_hijacked", Activity::kObserved, Outcome::kFailure, 6},
    Name{"account_disabled_password_leak", Activity::kObserved, Outcome::kFailure, 6},
    Name{"account_disabled_generic", Activity::kObserved, Outcome::kFailure, 6},
    Name{"gov_attack_warning", Activity::kObserved, Outcome::kUnknown, 6},
    Name{"login_verification", Activity::kChallenge, Outcome::kUnknown, 5},
    Name{"login_challenge", Activity::kChallenge, Outcome::kUnknown, 4},
    Name{"logout", Activity::kLogoff, Outcome::kUnknown, 3},
};

const Name* name_of(std::string_view name) {
  for (const Name& row : kNames) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

class GoogleWorkspace final : public json::TableDecoder {
 public:
  GoogleWorkspace() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if ((keys & json::kIdApplication) != 0) return true;
    if (!json::has_all(keys, json::kId | json::kActor)) return false;
    const std::string_view id = json::raw_member(r, "id");
    return id.starts_with('{') && holds_text(id.substr(0, 512), "\"applicationName\"");
  }

 private:
  Fate fill(json::Row& row, const json::Object& object, Event& e) override {
    if (row[kApplication] != "login" && row[kApplication] != "saml")
      return json::ignored("application", row[kApplication]);
    json::Row event{};
    const Name* name = best_event(object, event);
    if (event[kName].empty()) return Fate::rejected(kNoEvent);
    if (name == nullptr) return json::ignored(row[kApplication], event[kName]);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, name->outcome, Service::kWeb);
    e.activity = name->activity;
    e.code = core::intern(name->name);
    set_user(e, row[kEmail].empty() ? event[kAffected] : row[kEmail]);
    json::set_source(e, row[kAddress]);
    json::set_user_agent(e, event[kUserAgent]);
    e.region = json::symbol(row[kRegion]);
    set_details(event, e);
    return Fate::kept();
  }

  const Name* best_event(const json::Object& object, json::Row& best) {
    const Name* found = nullptr;
    const auto consider = [&](const json::Value& value) {
      json::Row row{};
      if (!kEventFields.read(value, row, event_memory_) || row[kName].empty()) return;
      const Name* name = name_of(row[kName]);
      const bool better = name != nullptr && (found == nullptr || name->rank > found->rank);
      if (!better && !best[kName].empty()) return;
      best = row;
      found = name;
    };
    bool listed = false;
    json::each_field(object, [&](std::string_view key, const json::Value& value) {
      if (key != "events" || !json::is_array(value)) return true;
      listed = true;
      json::each_element(value, [&](const json::Value& element) {
        consider(element);
        return true;
      });
      return false;
    });
    if (!listed) consider(object);
    return found;
  }

  static void set_details(const json::Row& row, Event& e) {
    const std::string_view type = row[kLoginType];
    if (type == "google_password" || type == "exchange") e.auth_method = AuthMethod::kPassword;
    if (type == "saml") e.auth_method = AuthMethod::kSaml;
    if (row[kStatus] == "Challenge Failed." || core::equals_ignore_case(row[kStatus], "failed")) {
      e.outcome = Outcome::kFailure;
    } else if (row[kStatus] == "Challenge Passed." || core::equals_ignore_case(row[kStatus], "passed")) {
      e.mfa = Mfa::kYes;
    }
    if (json::is_true(row[kSecondFactor]) && e.outcome != Outcome::kFailure) e.mfa = Mfa::kYes;
    if (e.outcome != Outcome::kSuccess) {
      e.reason = closed_reason(row[kFailure].empty() ? row[kSamlFailure] : row[kFailure]);
    } else if (json::is_true(row[kSuspicious])) {
      e.reason = core::intern("suspicious");
    }
    e.destination_name = json::symbol(row[kSamlApplication]);
  }

  json::Fields::Memory event_memory_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_google_workspace(const core::TimeReader&) {
  return std::make_unique<GoogleWorkspace>();
}

}  // namespace orbwatch::decode
