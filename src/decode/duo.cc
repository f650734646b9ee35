// Duo Security: the authentication log (Admin API v1 and v2) and log-ins of administrators out of the administrator
// log. Spec: https://duo.com/docs/adminapi#logs
//
// Three sample records (shortened):
//   {"access_device":{"ip":"192.0.2.10","os":"Windows",...},"application":{"name":"VPN"},"auth_device":{...},"event_type":
//   "authentication","factor":"duo_push","reason":"user_approved","result":"success","timestamp":1795162530,...}
//   {...,"factor":"duo_push","reason":"user_marked_fraud","result":"fraud",...}
//   {"action":"admin_login","description":"{\"ip_address\":\"192.0.2.10\",...}","isotimestamp":"...","username":"Alice"}
//
// Ignored by name: enrolments ("event enrollment"), other actions of administrators ("admin action user_update"), the
// telephony log.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using event::AuthMethod;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("duo: not JSON");
const Symbol kNoTime = core::intern("duo: no time");
const Symbol kNobody = core::intern("duo: neither user nor address");
const Symbol kTelephony = core::intern("telephony log");
const Symbol kAuthentication = core::intern("authentication");
const Symbol kDuo = core::intern("Duo Admin Panel");

enum Field : std::uint8_t {
  kIsoTime,
  kTime,
  kEventType,
  kFactor,
  kResult,
  kReason,
  kAddress,
  kOldAddress,
  kClientHost,
  kOs,
  kOsVersion,
  kBrowser,
  kBrowserVersion,
  kApplication,
  kIntegration,
  kUser,
  kUserName,
  kEmail,
  kGroup,
  kCountry,
  kTransaction,
  kHost,
  kAction,
  kDescription,
  kTelephonyId,
  kAdminAddress,
  kAdminError,
  kAdminEmail,
  kAdminFactor,
  kAdminMethod,
};

const json::Fields kFields({
    {"isotimestamp", kIsoTime},
    {"timestamp", kTime},
    {"event_type", kEventType},
    {"factor", kFactor},
    {"result", kResult},
    {"reason", kReason},
    {"access_device.ip", kAddress},
    {"access_device.hostname", kClientHost},
    {"access_device.os", kOs},
    {"access_device.os_version", kOsVersion},
    {"access_device.browser", kBrowser},
    {"access_device.browser_version", kBrowserVersion},
    {"access_device.location.country", kCountry},
    {"ip", kOldAddress},
    {"application.name", kApplication},
    {"integration", kIntegration},
    {"user.name", kUser},
    {"user.groups", kGroup},
    {"username", kUserName},
    {"email", kEmail},
    {"txid", kTransaction},
    {"host", kHost},
    {"action", kAction},
    {"description", kDescription},
    {"telephony_id", kTelephonyId},
});

const json::Fields kDescriptionFields({
    {"ip_address", kAdminAddress},
    {"error", kAdminError},
    {"email", kAdminEmail},
    {"factor", kAdminFactor},
    {"primary_auth_method", kAdminMethod},
});

// Two words side by side: "Windows 10", "Chrome 126.0".
Symbol two_words(std::string_view first, std::string_view second) {
  std::array<char, 128> buffer;
  if (json::absent(second) || first.empty() || first.size() + 1 + second.size() > buffer.size())
    return json::symbol(first);
  char* to = std::copy(first.begin(), first.end(), buffer.begin());
  *to++ = ' ';
  to = std::copy(second.begin(), second.end(), to);
  return core::intern({buffer.data(), static_cast<std::size_t>(to - buffer.data())});
}

class Duo final : public json::TableDecoder {
 public:
  Duo() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kAccessDevice | json::kFactor)) return true;
    if (json::has_all(keys, json::kFactor | json::kIntegration | json::kUsername)) return true;
    if (json::has_all(keys, json::kAction | json::kDescription | json::kIsoTimestamp | json::kUsername)) return true;
    return (keys & json::kTelephonyId) != 0;
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (!row[kTelephonyId].empty()) return Fate::ignored(kTelephony);
    const bool admin = !row[kAction].empty();
    if (admin && !is_login(row[kAction])) return json::ignored("admin action", row[kAction]);
    if (!admin && !row[kEventType].empty() && row[kEventType] != "authentication")
      return json::ignored("event", row[kEventType]);
    e.time = json::utc_time(row[kIsoTime]);
    if (e.time == 0) e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, Outcome::kUnknown, Service::kWeb);
    if (!json::absent(row[kHost])) e.observer = core::intern(row[kHost]);
    if (admin) {
      fill_admin(row, e);
    } else {
      fill_authentication(row, e);
    }
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    return Fate::kept();
  }

  static bool is_login(std::string_view action) {
    return action == "admin_login" || action == "admin_login_error" || action == "admin_2fa_error" ||
           action == "admin_lockout";
  }

  void fill_admin(json::Row& row, Event& e) {
    read_inner(row[kDescription], kDescriptionFields, row);
    e.code = core::intern(row[kAction]);
    e.destination_name = kDuo;
    set_user(e, row[kUserName].empty() ? row[kAdminEmail] : row[kUserName]);
    json::set_source(e, row[kAdminAddress]);
    const bool failed = row[kAction] != "admin_login";
    e.outcome = failed ? Outcome::kFailure : Outcome::kSuccess;
    if (failed) e.reason = closed_reason(row[kAdminError]);
    if (row[kAction] == "admin_lockout") {
      e.activity = event::Activity::kObserved;
      e.reason = core::intern("account locked out");
    }
    if (row[kAdminMethod] == "Password") e.auth_method = AuthMethod::kPassword;
    if (row[kAdminMethod].starts_with("SAML") || row[kAdminMethod] == "Single Sign-On")
      e.auth_method = AuthMethod::kSaml;
    if (!failed && !json::absent(row[kAdminFactor])) e.mfa = Mfa::kYes;
  }

  static void fill_authentication(const json::Row& row, Event& e) {
    e.code = kAuthentication;
    set_user(e, !row[kUser].empty() ? row[kUser] : !row[kUserName].empty() ? row[kUserName] : row[kEmail]);
    json::set_source(e, row[kAddress].empty() ? row[kOldAddress] : row[kAddress]);
    e.client_host = json::symbol(row[kClientHost]);
    if (!json::absent(row[kOs])) e.client_os = two_words(row[kOs], row[kOsVersion]);
    if (!json::absent(row[kBrowser])) e.user_agent = two_words(row[kBrowser], row[kBrowserVersion]);
    e.destination_name = json::symbol(row[kApplication].empty() ? row[kIntegration] : row[kApplication]);
    e.group = json::symbol(row[kGroup]);
    e.region = json::symbol(row[kCountry]);
    e.application = json::symbol(row[kFactor]);
    if (!row[kTransaction].empty()) e.session_id = core::hash64(row[kTransaction]);
    const std::string_view result = row[kResult];
    const bool success = core::equals_ignore_case(result, "success");
    if (!result.empty()) e.outcome = success ? Outcome::kSuccess : Outcome::kFailure;
    if (!row[kReason].empty()) e.reason = closed_reason(row[kReason]);
    if (success) e.mfa = is_factor(row[kFactor], row[kReason]) ? Mfa::kYes : Mfa::kNo;
  }

  // Reasons by which Duo lets somebody pass without a second factor.
  static bool is_factor(std::string_view factor, std::string_view reason) {
    for (const std::string_view without :
         {"bypass_user"sv, "allow_unenrolled_user"sv, "allow_unenrolled_user_on_trusted_network"sv, "trusted_network"sv,
          "trusted_location"sv, "allowed_by_policy"sv}) {
      if (core::equals_ignore_case(reason, without)) return false;
    }
    return !json::absent(factor) && !core::equals_ignore_case(factor, "not_available") &&
           !core::equals_ignore_case(factor, "n/a");
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_duo(const core::TimeReader&) { return std::make_unique<Duo>(); }

}  // namespace orbwatch::decode
