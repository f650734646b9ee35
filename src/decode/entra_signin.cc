// Microsoft Entra ID (Azure AD) sign-in logs: interactive, non-interactive, of service principals and managed
// identities; as Microsoft Graph gives them (auditLogs/signIns), as diagnostic settings export them (records with
// "category" and "properties"), and as rows of the Log Analytics tables SigninLogs, AADNonInteractiveUserSignInLogs,
// AADServicePrincipalSignInLogs and AADManagedIdentitySignInLogs.
// Spec: https://learn.microsoft.com/graph/api/resources/signin,
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/signinlogs,
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
//
// Three sample records (shortened):
//   {"id":"...","createdDateTime":"2026-11-20T08:15:30Z","userPrincipalName":"alice@corp.example","appDisplayName":...}
//   {"time":"2026-11-20T08:15:31.1234567Z","category":"SignInLogs","resultType":"50126","properties":{...}}
//   {"TimeGenerated":"2026-11-20T08:15:32Z","Category":"NonInteractiveUserSignInLogs","UserPrincipalName":...}
//
// Ignored by name: the other logs of Entra ID ("category AuditLogs", "category UserRiskEvents", ...).
#include <algorithm>
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
using event::Class;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("entra_signin: not JSON");
const Symbol kNoTime = core::intern("entra_signin: no time");
const Symbol kNobody = core::intern("entra_signin: neither user nor application");
const Symbol kInteractive = core::intern("SignInLogs");
const Symbol kNonInteractive = core::intern("NonInteractiveUserSignInLogs");
const Symbol kServicePrincipal = core::intern("ServicePrincipalSignInLogs");
const Symbol kManagedIdentity = core::intern("ManagedIdentitySignInLogs");
const Symbol kAdfs = core::intern("ADFSSignInLogs");

enum Field : std::uint8_t {
  kTime,
  kCreated,
  kGenerated,
  kCategory,
  kTableName,
  kTypes,
  kUserName,
  kPrincipalName,
  kAppName,
  kAddress,
  kCallerAddress,
  kAgent,
  kClientApp,
  kErrorCode,
  kResultType,
  kResultSignature,
  kDetails,
  kStatusText,
  kOs,
  kBrowser,
  kDeviceName,
  kDeviceText,
  kCountry,
  kLocation,
  kRequirement,
  kMfaMethod,
  kMfaText,
  kMethod,
  kProtocol,
  kCredential,
  kTokenType,
  kSession,
  kCorrelation,
  kIsInteractive,
  kTenant,
  kActivity,
};

const json::Fields kFields(
    {
        {"time", kTime},
        {"createdDateTime", kCreated},
        {"TimeGenerated", kGenerated},
        {"category", kCategory},
        {"Type", kTableName},
        {"signInEventTypes", kTypes},
        {"userPrincipalName", kUserName},
        {"servicePrincipalName", kPrincipalName},
        {"appDisplayName", kAppName},
        {"ipAddress", kAddress},
        {"callerIpAddress", kCallerAddress},
        {"userAgent", kAgent},
        {"clientAppUsed", kClientApp},
        {"status.errorCode", kErrorCode},
        {"status.additionalDetails", kDetails},
        {"status", kStatusText},
        {"resultType", kResultType},
        {"resultSignature", kResultSignature},
        {"deviceDetail.operatingSystem", kOs},
        {"deviceDetail.browser", kBrowser},
        {"deviceDetail.displayName", kDeviceName},
        {"deviceDetail", kDeviceText},
        {"location.countryOrRegion", kCountry},
        {"location", kLocation},
        {"authenticationRequirement", kRequirement},
        {"mfaDetail.authMethod", kMfaMethod},
        {"mfaDetail", kMfaText},
        {"authenticationDetails.authenticationMethod", kMethod},
        {"authenticationProtocol", kProtocol},
        {"clientCredentialType", kCredential},
        {"incomingTokenType", kTokenType},
        {"sessionId", kSession},
        {"correlationId", kCorrelation},
        {"isInteractive", kIsInteractive},
        {"tenantId", kTenant},
        {"activityDateTime", kActivity},
    },
    {"", "properties."});

// What Log Analytics keeps as JSON within a text.
const json::Fields kStatusFields({{"errorCode", kErrorCode}, {"additionalDetails", kDetails}});
const json::Fields kDeviceFields({{"operatingSystem", kOs}, {"browser", kBrowser}, {"displayName", kDeviceName}});
const json::Fields kMfaFields({{"authMethod", kMfaMethod}});

enum class Kind : std::uint8_t { kFailed, kAsked };

struct Error {
  std::uint32_t code;
  Kind kind;  // kAsked: not a failure; the user is asked for something more
  std::string_view reason;
};

// AADSTS numbers; the reasons are short forms of Microsoft's descriptions.
constexpr std::array kErrors = {
    Error{16000, Kind::kAsked, "account must be chosen"},
    Error{50020, Kind::kFailed, "account of another directory"},
    Error{50034, Kind::kFailed, "no such user"},
    Error{50053, Kind::kFailed, "account locked or malicious address"},
    Error{50055, Kind::kFailed, "password expired"},
    Error{50056, Kind::kFailed, "no password in this directory"},
    Error{50057, Kind::kFailed, "account disabled"},
    Error{50058, Kind::kAsked, "no session for silent sign-in"},
    Error{50059, Kind::kFailed, "no such tenant"},
    Error{50064, Kind::kFailed, "bad user name or password"},
    Error{50072, Kind::kAsked, "second factor must be enrolled"},
    Error{50074, Kind::kAsked, "second factor required"},
    Error{50076, Kind::kAsked, "second factor required"},
    Error{50078, Kind::kAsked, "second factor expired"},
    Error{50079, Kind::kAsked, "second factor must be enrolled"},
    Error{50089, Kind::kFailed, "flow token expired"},
    Error{50097, Kind::kAsked, "device authentication required"},
    Error{50105, Kind::kFailed, "user not assigned to the application"},
    Error{50125, Kind::kAsked, "password reset or registration"},
    Error{50126, Kind::kFailed, "bad user name or password"},
    Error{50127, Kind::kAsked, "broker application required"},
    Error{50128, Kind::kFailed, "no such tenant"},
    Error{50129, Kind::kAsked, "device not joined"},
    Error{50131, Kind::kFailed, "blocked by conditional access"},
    Error{50132, Kind::kFailed, "session revoked"},
    Error{50133, Kind::kFailed, "session revoked"},
    Error{50140, Kind::kAsked, "keep me signed in prompt"},
    Error{50144, Kind::kFailed, "password expired"},
    Error{50158, Kind::kAsked, "external challenge required"},
    Error{50173, Kind::kFailed, "token revoked"},
    Error{50199, Kind::kAsked, "user must confirm"},
    Error{51004, Kind::kFailed, "no such user"},
    Error{51006, Kind::kAsked, "second factor required"},
    Error{53000, Kind::kFailed, "device not compliant"},
    Error{53001, Kind::kFailed, "device not joined"},
    Error{53002, Kind::kFailed, "application not approved"},
    Error{53003, Kind::kFailed, "blocked by conditional access"},
    Error{53004, Kind::kFailed, "enrolment of a second factor blocked"},
    Error{53011, Kind::kFailed, "user at risk"},
    Error{65001, Kind::kAsked, "consent required"},
    Error{65004, Kind::kFailed, "consent declined"},
    Error{70008, Kind::kFailed, "token expired"},
    Error{70043, Kind::kFailed, "token expired"},
    Error{70044, Kind::kFailed, "session expired"},
    Error{80012, Kind::kFailed, "outside allowed hours"},
    Error{90072, Kind::kFailed, "account of another directory"},
    Error{90095, Kind::kAsked, "consent of an administrator required"},
    Error{500011, Kind::kFailed, "no such resource"},
    Error{500121, Kind::kFailed, "second factor failed"},
    Error{500133, Kind::kFailed, "token expired"},
    Error{530031, Kind::kFailed, "blocked by conditional access"},
    Error{530032, Kind::kFailed, "blocked by security policy"},
    Error{530034, Kind::kFailed, "user at risk"},
    Error{700016, Kind::kFailed, "no such application"},
    Error{700082, Kind::kFailed, "token expired"},
    Error{7000215, Kind::kFailed, "wrong client secret"},
    Error{7000222, Kind::kFailed, "client secret expired"},
};

// Names of the logs of Entra ID that diagnostic settings offer and that are no sign-ins.
constexpr std::array<std::string_view, 9> kOtherLogs = {"UserRiskEvents",
                                                        "RiskyUsers",
                                                        "ProvisioningLogs",
                                                        "MicrosoftGraphActivityLogs",
                                                        "ServicePrincipalRiskEvents",
                                                        "RiskyServicePrincipals",
                                                        "NetworkAccessTrafficLogs",
                                                        "EnrichedOffice365AuditLogs",
                                                        "RemoteNetworkHealthLogs"};

// Which sign-in log a name means, in the words of diagnostic settings, of Graph and of Log Analytics' tables.
Symbol log_of(std::string_view name) {
  struct Row {
    std::string_view name;
    const Symbol& log;
  };
  static const std::array rows = {
      Row{"SignInLogs", kInteractive},
      Row{"interactiveUser", kInteractive},
      Row{"NonInteractiveUserSignInLogs", kNonInteractive},
      Row{"AADNonInteractiveUserSignInLogs", kNonInteractive},
      Row{"nonInteractiveUser", kNonInteractive},
      Row{"ServicePrincipalSignInLogs", kServicePrincipal},
      Row{"AADServicePrincipalSignInLogs", kServicePrincipal},
      Row{"servicePrincipal", kServicePrincipal},
      Row{"ManagedIdentitySignInLogs", kManagedIdentity},
      Row{"AADManagedIdentitySignInLogs", kManagedIdentity},
      Row{"managedIdentity", kManagedIdentity},
      Row{"ADFSSignInLogs", kAdfs},
  };
  for (const Row& row : rows) {
    if (core::equals_ignore_case(row.name, name)) return row.log;
  }
  return {};
}

class EntraSignin final : public json::TableDecoder {
 public:
  EntraSignin() : json::TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kCategory | json::kOperationName))
      return of_entra(json::raw_member(r, "category"), r);
    if (json::has_all(keys, json::kCreatedDateTime | json::kIpAddress)) {
      return (keys & (json::kUserPrincipalName | json::kServicePrincipalId)) != 0 &&
             (keys & (json::kAppDisplayName | json::kServicePrincipalId)) != 0;
    }
    return json::has_all(keys, json::kActivityDateTime | json::kLoggedByService);
  }

 private:
  static bool of_entra(std::string_view category, const TextRecord& r) {
    if (!category.starts_with('"')) return false;
    category = category.substr(1, category.substr(1, 64).find('"'));
    const auto has = [&r](std::string_view words) { return r.message.find(words) != std::string_view::npos; };
    if (log_of(category).present() || has("icrosoft.aadiam")) return true;
    // Intune's audit log goes by the name of Entra's.
    if (category == "AuditLogs") return has("oggedByService\"");
    return is_other_log(category);
  }
  static bool is_other_log(std::string_view category) {
    return std::find(kOtherLogs.begin(), kOtherLogs.end(), category) != kOtherLogs.end();
  }

  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kCreated].empty() && !row[kActivity].empty() && row[kUserName].empty()) {
      return json::ignored("category", row[kCategory].empty() ? "directory audit" : row[kCategory]);
    }
    e.code = log_of(row[kCategory]);
    // Graph's other lists, and Azure's other categories.
    if (!e.code.present() && !row[kCategory].empty()) return json::ignored("category", row[kCategory]);
    if (!e.code.present()) e.code = log_of(row[kTypes]);
    if (!e.code.present()) e.code = log_of(row[kTableName]);
    const bool workload = row[kUserName].empty();
    if (!e.code.present()) {
      e.code = workload ? kServicePrincipal : json::is_false(row[kIsInteractive]) ? kNonInteractive : kInteractive;
    }
    for (const Field field : {kCreated, kTime, kGenerated}) {
      if (const core::Nanoseconds time = json::utc_time(row[field]); time != 0) {
        e.time = time;
        break;
      }
    }
    if (e.time == 0) return Fate::rejected(kNoTime);
    set_user(e, workload ? row[kPrincipalName].empty() ? row[kAppName] : row[kPrincipalName] : row[kUserName]);
    if (!e.user.present() && row[kAppName].empty()) return Fate::rejected(kNobody);

    put_login(e, Outcome::kUnknown, Service::kWeb);
    json::set_source(e, row[kAddress].empty() ? row[kCallerAddress] : row[kAddress]);
    read_inner(row[kStatusText], kStatusFields, row);
    set_outcome(row, e);
    read_inner(row[kMfaText], kMfaFields, row);
    set_methods(row, e);
    read_inner(row[kDeviceText], kDeviceFields, row);
    set_client(row, e);
    e.destination_name = json::symbol(row[kAppName]);
    e.region = json::symbol(row[kCountry].empty() && row[kLocation].size() == 2 ? row[kLocation] : row[kCountry]);
    const std::string_view session = row[kSession].empty() ? row[kCorrelation] : row[kSession];
    if (!session.empty()) e.session_id = core::hash64(session);
    return Fate::kept();
  }

  static void set_outcome(const json::Row& row, Event& e) {
    const auto code = json::number(row[kErrorCode].empty() ? row[kResultType] : row[kErrorCode]);
    if (!code) {
      if (core::equals_ignore_case(row[kResultSignature], "SUCCESS")) e.outcome = Outcome::kSuccess;
      if (core::equals_ignore_case(row[kResultSignature], "FAILURE")) e.outcome = Outcome::kFailure;
      return;
    }
    if (*code == 0) {
      e.outcome = Outcome::kSuccess;
      return;
    }
    e.outcome = Outcome::kFailure;
    for (const Error& error : kErrors) {
      if (error.code != *code) continue;
      e.reason = core::intern(error.reason);
      if (error.kind == Kind::kAsked) {
        // The first factor was right; whether the sign-in succeeds is said by a later record.
        e.activity = Activity::kChallenge;
        e.outcome = Outcome::kUnknown;
      }
      return;
    }
    e.reason = core::intern("unlisted error");
  }

  static void set_methods(const json::Row& row, Event& e) {
    if (row[kRequirement] == "multiFactorAuthentication" || !json::absent(row[kMfaMethod]) ||
        row[kDetails].starts_with("MFA requirement satisfied") || row[kDetails].starts_with("MFA completed")) {
      if (e.outcome == Outcome::kSuccess) e.mfa = Mfa::kYes;
    } else if (row[kRequirement] == "singleFactorAuthentication") {
      e.mfa = Mfa::kNo;
    }
    e.auth_method = method_of(row);
    // How the tokens were asked for: "deviceCode", "ropc", "oAuth2".
    e.application = json::symbol(row[kProtocol]);
  }

  static AuthMethod method_of(const json::Row& row) {
    const std::string_view credential = row[kCredential];  // of an application
    if (credential == "clientSecret") return AuthMethod::kPassword;
    if (credential == "certificate" || credential == "clientAssertion") return AuthMethod::kCertificate;
    const std::string_view method = row[kMethod];
    if (method == "Password" || method == "Password Hash Sync" || method == "Pass-through authentication")
      return AuthMethod::kPassword;
    if (method.starts_with("FIDO2") || method.starts_with("Passkey") || method.starts_with("Windows Hello"))
      return AuthMethod::kPublicKey;
    if (method.starts_with("X.509")) return AuthMethod::kCertificate;
    return row[kTokenType].starts_with("saml") ? AuthMethod::kSaml : AuthMethod::kUnknown;
  }

  static void set_client(const json::Row& row, Event& e) {
    // A legacy protocol says more about the client than its browser.
    const std::string_view named = row[kBrowser].empty() ? row[kClientApp] : row[kBrowser];
    json::set_user_agent(e, row[kAgent].empty() ? named : row[kAgent]);
    e.client_os = json::symbol(row[kOs]);
    e.client_host = json::symbol(row[kDeviceName]);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_entra_signin(const core::TimeReader&) { return std::make_unique<EntraSignin>(); }

}  // namespace orbwatch::decode
