// Microsoft 365 unified audit log: log-ins of Entra ID (UserLoggedIn, UserLoginFailed), of mailboxes, SharePoint and
// Teams; as the Office 365 Management Activity API gives it, and as rows of an export, whose "AuditData" holds the
// record. Spec: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
//
// Three sample records (shortened):
//   {"CreationTime":"2026-11-20T08:15:30","Operation":"UserLoggedIn","RecordType":15,"Workload":"AzureActiveDirectory",
//   "ClientIP":"192.0.2.10","UserId":"alice@corp.example","ExtendedProperties":[{"Name":"UserAgent","Value":"..."}],...}
//   {...,"Operation":"UserLoginFailed","LogonError":"InvalidUserNameOrPassword","ErrorNumber":"50126",...}
//   {"CreationDate":"...","UserIds":"...","Operations":"UserLoggedIn","AuditData":"{\"CreationTime\":...}"}
//
// Ignored by name: every other operation, by its workload ("workload Exchange"): there are thousands.
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
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("m365_audit: not JSON");
const Symbol kNoTime = core::intern("m365_audit: no time");
const Symbol kNoOperation = core::intern("m365_audit: no Operation");
const Symbol kNoUser = core::intern("m365_audit: no user");

enum Field : std::uint8_t {
  kTime,
  kOperation,
  kWorkload,
  kUser,
  kClientIp,
  kClientIpAddress,
  kActorIp,
  kAgent,
  kClientInfo,
  kOs,
  kDeviceName,
  kSession,
  kBrowser,
  kLogonError,
  kResult,
  kRequest,
  kApplication,
  kAuditData,
};

const json::Fields kFields(
    {
        {"CreationTime", kTime},
        {"Operation", kOperation},
        {"Workload", kWorkload},
        {"UserId", kUser},
        {"ClientIP", kClientIp},
        {"ClientIPAddress", kClientIpAddress},
        {"ActorIpAddress", kActorIp},
        {"UserAgent", kAgent},
        {"ExtendedProperties.UserAgent", kAgent},
        {"ClientInfoString", kClientInfo},
        {"ExtendedProperties.RequestType", kRequest},
        {"DeviceProperties.OS", kOs},
        {"DeviceProperties.DisplayName", kDeviceName},
        {"DeviceProperties.SessionId", kSession},
        {"DeviceProperties.BrowserType", kBrowser},
        {"LogonError", kLogonError},
        {"ResultStatus", kResult},
        {"ApplicationDisplayName", kApplication},
        {"AuditData", kAuditData},
    },
    {"", "AuditData."});

struct Operation {
  std::string_view name;
  Activity activity;
  Outcome outcome;
};

constexpr std::array kOperations = {
    Operation{"UserLoggedIn", Activity::kLogon, Outcome::kSuccess},
    Operation{"UserLoginFailed", Activity::kLogon, Outcome::kFailure},
    Operation{"UserLoggedOut", Activity::kLogoff, Outcome::kUnknown},
    Operation{"MailboxLogin", Activity::kLogon, Outcome::kSuccess},
    Operation{"SignInEvent", Activity::kLogon, Outcome::kSuccess},
    Operation{"TeamsSessionStarted", Activity::kLogon, Outcome::kSuccess},
    Operation{"ForeignRealmIndexLogonInitialAuthUsingADFSFederatedToken", Activity::kLogon, Outcome::kSuccess},
    Operation{"PasswordLogonInitialAuthUsingPassword", Activity::kLogon, Outcome::kUnknown},
    Operation{"PasswordLogonInitialAuthUsingADFSFederatedToken", Activity::kLogon, Outcome::kUnknown},
};

class M365Audit final : public json::TableDecoder {
 public:
  M365Audit() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kWorkload | json::kOperation)) return true;
    if (json::has_all(keys, json::kOperation | json::kRecordType)) return true;
    return (keys & json::kAuditData) != 0;
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kOperation].empty() && !read_inner(row[kAuditData], kFields, row)) return Fate::rejected(kNoOperation);
    const Operation* operation = nullptr;
    for (const Operation& known : kOperations) {
      if (known.name == row[kOperation]) operation = &known;
    }
    if (operation == nullptr)
      return row[kWorkload].empty() ? json::ignored("operation", "of no workload")
                                    : json::ignored("workload", row[kWorkload]);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, operation->outcome, Service::kWeb);
    e.activity = operation->activity;
    e.code = core::intern(operation->name);
    if (row[kUser] != "Not Available") set_user(e, row[kUser]);
    for (const Field field : {kClientIp, kActorIp, kClientIpAddress}) {
      if (!e.source_ip.present()) json::set_source(e, row[field]);
    }
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNoUser);
    json::set_user_agent(
        e, row[kAgent].empty() ? row[kClientInfo].empty() ? row[kBrowser] : row[kClientInfo] : row[kAgent]);
    e.client_os = json::symbol(row[kOs]);
    e.client_host = json::symbol(row[kDeviceName]);
    e.destination_name = json::symbol(row[kApplication].empty() ? row[kWorkload] : row[kApplication]);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    set_reason(row, e);
    return Fate::kept();
  }

  static void set_reason(const json::Row& row, Event& e) {
    if (core::equals_ignore_case(row[kResult], "Failed")) e.outcome = Outcome::kFailure;
    if (e.outcome == Outcome::kUnknown && core::equals_ignore_case(row[kResult], "Succeeded"))
      e.outcome = Outcome::kSuccess;
    if (e.outcome == Outcome::kFailure && !row[kLogonError].empty()) {
      e.reason = closed_reason(row[kLogonError]);
      // The first factor was right, the second is asked for.
      if (row[kLogonError].starts_with("UserStrongAuth") &&
          row[kLogonError].find("Required") != std::string_view::npos) {
        e.activity = Activity::kChallenge;
        e.outcome = Outcome::kUnknown;
      }
    }
    if (row[kRequest].starts_with("Saml2")) e.auth_method = AuthMethod::kSaml;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_m365_audit(const core::TimeReader&) { return std::make_unique<M365Audit>(); }

}  // namespace orbwatch::decode
