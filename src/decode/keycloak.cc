// Keycloak user events: as the admin API and event listeners write them in JSON, and as the logging listener writes
// them (org.keycloak.events) in the server's log, plain or JSON. Spec:
// https://www.keycloak.org/docs/latest/server_admin/#auditing-user-events and the API's EventType and
// EventRepresentation
//
// Three sample records (shortened):
//   {"time":1795162530123,"type":"LOGIN","realmId":"corp","clientId":"portal","ipAddress":"192.0.2.10","details":{...}}
//   2026-11-20 08:15:31,123 WARN  [org.keycloak.events] (executor-thread-1) type=LOGIN_ERROR, realmId=corp, ...
//   {"timestamp":"...","loggerName":"org.keycloak.events","message":"type=\"LOGIN_ERROR\", realmId=\"corp\", ..."}
//
// Ignored by name: every other type ("type REFRESH_TOKEN").
#include <array>
#include <memory>
#include <string_view>

#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using event::Activity;
using event::AuthMethod;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("keycloak: not JSON");
const Symbol kNoTime = core::intern("keycloak: no time");
const Symbol kNoType = core::intern("keycloak: no type");
const Symbol kAdminEvent = core::intern("admin event");

enum Field : std::uint8_t {
  kTime,
  kTimestamp,
  kAtTimestamp,
  kType,
  kRealmId,
  kRealmName,
  kClient,
  kUserId,
  kUserName,
  kAddress,
  kError,
  kSession,
  kIdentityProvider,
  kHost,
  kMessage,
  kOperationType,
};

const json::Fields kFields({
    {"time", kTime},
    {"timestamp", kTimestamp},
    {"@timestamp", kAtTimestamp},
    {"type", kType},
    {"realmId", kRealmId},
    {"realmName", kRealmName},
    {"clientId", kClient},
    {"userId", kUserId},
    {"ipAddress", kAddress},
    {"error", kError},
    {"sessionId", kSession},
    {"details.username", kUserName},
    {"details.identity_provider", kIdentityProvider},
    {"hostName", kHost},
    {"host.hostname", kHost},
    {"message", kMessage},
    {"operationType", kOperationType},
});

struct Key {
  std::string_view name;
  Field field;
};
constexpr std::array kLineKeys = {
    Key{"type", kType},
    Key{"realmId", kRealmId},
    Key{"realmName", kRealmName},
    Key{"clientId", kClient},
    Key{"userId", kUserId},
    Key{"ipAddress", kAddress},
    Key{"error", kError},
    Key{"sessionId", kSession},
    Key{"username", kUserName},
    Key{"identity_provider", kIdentityProvider},
    Key{"operationType", kOperationType},
};

struct Type {
  std::string_view name;  // without _ERROR
  Activity activity;
};
constexpr std::array kTypes = {
    Type{"LOGIN", Activity::kLogon},
    Type{"CLIENT_LOGIN", Activity::kLogon},
    Type{"IDENTITY_PROVIDER_LOGIN", Activity::kLogon},
    Type{"IDENTITY_PROVIDER_FIRST_LOGIN", Activity::kLogon},
    Type{"IDENTITY_PROVIDER_POST_LOGIN", Activity::kLogon},
    Type{"OAUTH2_DEVICE_CODE_TO_TOKEN", Activity::kLogon},
    Type{"IMPERSONATE", Activity::kLogon},
    Type{"LOGOUT", Activity::kLogoff},
    Type{"USER_DISABLED_BY_PERMANENT_LOCKOUT", Activity::kObserved},
    Type{"USER_DISABLED_BY_TEMPORARY_LOCKOUT", Activity::kObserved},
};

// `type=LOGIN, realmId=corp` or `type="LOGIN", realmId="corp"` up to the end. Values may hold ", " only within quotes.
void read_line(std::string_view text, json::Row& row) {
  Scanner s(text);
  while (!s.done()) {
    s.spaces();
    const std::string_view name = s.until_any("=,");
    if (!s.skip('=')) {
      s.skip(',');
      continue;
    }
    std::string_view value;
    if (s.skip('"')) {
      value = s.until('"');
      s.skip('"');
    } else if (s.skip('\'')) {
      value = s.until('\'');
      s.skip('\'');
    } else {
      value = s.until(',');
    }
    s.until(',');
    s.skip(',');
    for (const Key& key : kLineKeys) {
      if (key.name == name && row[key.field].empty() && value != "null") row[key.field] = value;
    }
  }
}

// Where the event begins in a line of the server's log; npos if the line holds none.
std::size_t event_in(std::string_view text) {
  for (const std::string_view begin : {"type="sv, "operationType="sv}) {
    std::size_t at = text.find(begin);
    while (at != text.npos && at != 0 && text[at - 1] != ' ') at = text.find(begin, at + 1);
    if (at != text.npos && text.find("realmId=", at) != text.npos) return at;
  }
  return text.npos;
}

class Keycloak final : public json::TableDecoder {
 public:
  explicit Keycloak(const core::TimeReader& times) : TableDecoder(kFields, kNotJson), times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) {
      // "[org.keycloak.events]", which the log's format may abbreviate: "[org.key.events]".
      return holds_text(r.raw, ".events]") && event_in(r.raw) != std::string_view::npos;
    }
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kRealmId | json::kTime)) return true;
    return (keys & json::kLogger) != 0 && holds_text(r.message, "\"org.keycloak.events\"");
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (r.json) return TableDecoder::decode(r, e);
    json::Row row{};
    read_line(r.raw.substr(event_in(r.raw)), row);
    // The log's own time is before that of a collector's envelope.
    std::string_view text = r.message;
    if (r.program.empty()) e.observer = Symbol();  // no syslog: what the envelope took for a host is the log level
    if (const auto time = core::parse_iso8601(text, times_)) e.time = *time;
    return event(row, e);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kType].empty() && !row[kMessage].empty()) read_line(row[kMessage], row);
    for (const Field field : {kTime, kTimestamp, kAtTimestamp}) {
      if (const core::Nanoseconds time = json::utc_time(row[field]); time != 0) {
        e.time = time;
        break;
      }
    }
    e.observer = json::symbol(row[kHost]);
    return event(row, e);
  }

  static Fate event(const json::Row& row, Event& e) {
    if (row[kType].empty()) return row[kOperationType].empty() ? Fate::rejected(kNoType) : Fate::ignored(kAdminEvent);
    std::string_view name = row[kType];
    const bool failed = name.ends_with("_ERROR");
    if (failed) name.remove_suffix(6);
    const Type* type = nullptr;
    for (const Type& known : kTypes) {
      if (known.name == name) type = &known;
    }
    if (type == nullptr) return json::ignored("type", row[kType]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kWeb);
    e.activity = type->activity;
    if (e.activity == Activity::kLogoff && !failed) e.outcome = Outcome::kUnknown;
    if (e.activity == Activity::kObserved) {
      e.outcome = Outcome::kFailure;
      e.reason = core::intern("account locked out");
    }
    e.code = core::intern(row[kType]);
    set_user(e, row[kUserName].empty() ? row[kUserId] : row[kUserName]);
    json::set_source(e, row[kAddress]);
    e.group = json::symbol(row[kRealmName].empty() ? row[kRealmId] : row[kRealmName]);
    e.destination_name = json::symbol(row[kClient]);
    if (!row[kIdentityProvider].empty()) e.auth_method = AuthMethod::kOther;
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    if (!row[kError].empty()) e.reason = closed_reason(row[kError]);
    return Fate::kept();
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_keycloak(const core::TimeReader& times) {
  return std::make_unique<Keycloak>(times);
}

}  // namespace orbwatch::decode
