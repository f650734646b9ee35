// Auth0 tenant logs: log-ins, their failures, second factors, log-outs, blocks. As the API gives them and as log
// streams send them ({"log_id":...,"data":{...}}).
// Spec: https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes and the schemas at
// https://github.com/auth0/auth0-log-schemas
//
// Three sample records (shortened):
//   {"log_id":"9002...","data":{"date":"2026-11-22T08:00:00.123Z","type":"s","ip":"203.0.113.7","user_name":
//   "alice@corp.example","strategy":"auth0","user_agent":"Mozilla/5.0 ..."}}
//   {"date":"...","type":"fp","description":"Wrong email or
//   password.","ip":"203.0.113.9","user_name":"bob@corp.example", "log_id":"9002..."}
//   {"log_id":"...","data":{"type":"gd_auth_succeed","user_name":"alice@corp.example",...}}
// Ignored by name: every other type ("type sapi").
#include <array>
#include <memory>
#include <string_view>

#include "decode/find_byte.h"
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

const Symbol kNotJson = core::intern("auth0: not JSON");
const Symbol kNoTime = core::intern("auth0: no time");
const Symbol kNoType = core::intern("auth0: no type");
const Symbol kNobody = core::intern("auth0: neither user nor address");

enum Field : std::uint8_t {
  kDate,
  kType,
  kDescription,
  kAddress,
  kUserName,
  kUserId,
  kAgent,
  kConnection,
  kStrategy,
  kHostname,
  kClient,
  kCountry,
  kSession,
};

const json::Fields kFields(
    {
        {"date", kDate},
        {"type", kType},
        {"description", kDescription},
        {"ip", kAddress},
        {"user_name", kUserName},
        {"user_id", kUserId},
        {"user_agent", kAgent},
        {"connection", kConnection},
        {"strategy", kStrategy},
        {"hostname", kHostname},
        {"client_name", kClient},
        {"location_info.country_code", kCountry},
        {"details.session_id", kSession},
    },
    {"", "data."});

enum class Kind : std::uint8_t { kLogon, kFailure, kLogoff, kSecondFactor, kNoSecondFactor, kChallenge };

constexpr NameTable kTypes(std::to_array<Name<Kind>>({
    {"s", Kind::kLogon},
    {"scoa", Kind::kLogon},
    {"sens", Kind::kLogon},
    {"sepft", Kind::kLogon},
    {"f", Kind::kFailure},
    {"fp", Kind::kFailure},
    {"fu", Kind::kFailure},
    {"fc", Kind::kFailure},
    {"fcoa", Kind::kFailure},
    {"fens", Kind::kFailure},
    {"fepft", Kind::kFailure},
    {"limit_wc", Kind::kFailure},
    {"limit_mu", Kind::kFailure},
    {"pwd_leak", Kind::kFailure},
    {"slo", Kind::kLogoff},
    {"gd_auth_succeed", Kind::kSecondFactor},
    {"gd_auth_failed", Kind::kNoSecondFactor},
    {"gd_auth_rejected", Kind::kNoSecondFactor},
    {"gd_otp_rate_limit_exceed", Kind::kNoSecondFactor},
    {"gd_send_pn", Kind::kChallenge},
    {"gd_send_sms", Kind::kChallenge},
    {"gd_send_email", Kind::kChallenge},
    {"gd_send_voice", Kind::kChallenge},
}));

AuthMethod method_of(std::string_view type, std::string_view strategy) {
  if (strategy == "auth0" || type == "sepft" || type == "fepft") return AuthMethod::kPassword;
  if (strategy == "samlp" || strategy == "adfs") return AuthMethod::kSaml;
  if (strategy == "ad" || strategy == "auth0-adldap") return AuthMethod::kLdap;
  return json::absent(strategy) ? AuthMethod::kUnknown : AuthMethod::kOther;
}

class Auth0 final : public json::TableDecoder {
 public:
  Auth0() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t products = json::products_of(r);
    const bool streamed = (json::keys_of(r) & json::kData) != 0 && is_log(json::whole_member(r, "data"));
    if (streamed) return holds_text(r.message, "\"log_id\"") || holds_text(r.message, "\"client_name\"");
    return json::has_all(products, json::kLogId | json::kType) && holds_text(r.message, "\"date\"");
  }

 private:
  static bool is_log(std::string_view data) {
    return data.starts_with('{') && holds_text(data, "\"date\"") && holds_text(data, "\"type\"") &&
           holds_text(data, "\"client_id\"");
  }

  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kType].empty()) return Fate::rejected(kNoType);
    const Kind* kind = kTypes.find(row[kType]);
    if (kind == nullptr) return json::ignored("type", row[kType]);
    e.time = json::utc_time(row[kDate]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put(*kind, e);
    e.code = core::intern(row[kType]);
    set_user(e, row[row[kUserName].empty() ? kUserId : kUserName]);
    json::set_source(e, row[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    json::set_user_agent(e, row[kAgent]);
    if (e.outcome == Outcome::kFailure) e.reason = closed_reason(reason_of(row));
    e.auth_method = method_of(row[kType], row[kStrategy]);
    e.group = json::symbol(row[kConnection]);
    e.observer = json::symbol(row[kHostname]);
    e.destination_name = json::symbol(row[kClient]);
    e.region = json::symbol(row[kCountry]);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    return Fate::kept();
  }

  static void put(Kind kind, Event& e) {
    const bool failed = kind == Kind::kFailure || kind == Kind::kNoSecondFactor;
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kWeb);
    if (kind == Kind::kSecondFactor) e.mfa = Mfa::kYes;
    if (kind == Kind::kLogoff || kind == Kind::kChallenge) {
      e.activity = kind == Kind::kLogoff ? Activity::kLogoff : Activity::kChallenge;
      e.outcome = Outcome::kUnknown;
    }
  }

  // The description is a sentence; where it is about an address or an account, the type says it better.
  static std::string_view reason_of(const json::Row& row) {
    if (row[kType] == "pwd_leak") return "leaked password";
    if (row[kType] == "limit_wc") return "account blocked";
    if (row[kType] == "limit_mu") return "address blocked";
    if (row[kType] == "fp") return "wrong password";
    if (row[kType] == "fu") return "unknown user";
    return row[kDescription];
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_auth0(const core::TimeReader&) { return std::make_unique<Auth0>(); }

}  // namespace orbwatch::decode
