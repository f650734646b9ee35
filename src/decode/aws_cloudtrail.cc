// AWS CloudTrail: console log-ins and everything else that gives credentials to somebody (AssumeRole and its kin,
// session and federation tokens, IAM Identity Center). Spec:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
// .../cloudtrail-event-reference-aws-console-sign-in-events.html
//
// Three sample records (shortened):
//   {"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"alice",...},"eventTime":"2026-11-20T08:15:30Z",
//   "eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","sourceIPAddress":"192.0.2.10",...}
//   {...,"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::..."}}
//   {...,"eventSource":"sts.amazonaws.com","eventName":"GetSessionToken","errorCode":"AccessDenied",...}
//
// Ignored by name: every other event, by the verb of its name ("event Describe", "event Put", ...), roles that AWS's
// own services assume, and CloudTrail Insights, which are statistics of calls.
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

const Symbol kNotJson = core::intern("aws_cloudtrail: not JSON");
const Symbol kNoTime = core::intern("aws_cloudtrail: no time");
const Symbol kNoName = core::intern("aws_cloudtrail: no eventName");
const Symbol kInsight = core::intern("CloudTrail Insight");
const Symbol kByService = core::intern("role assumed by an AWS service");

enum Field : std::uint8_t {
  kTime,
  kSource,
  kName,
  kType,
  kRegion,
  kAddress,
  kAgent,
  kError,
  kMessage,
  kIdentityType,
  kUserName,
  kArn,
  kPrincipal,
  kAccount,
  kRecipient,
  kMfaAuthenticated,
  kMfaUsed,
  kLogin,
  kCheckMfa,
  kRole,
  kRoleSession,
  kTls,
  kIdentityCenterUser,
  kAccessKey,
};

const json::Fields kFields({
    {"eventTime", kTime},
    {"eventSource", kSource},
    {"eventName", kName},
    {"eventType", kType},
    {"awsRegion", kRegion},
    {"sourceIPAddress", kAddress},
    {"userAgent", kAgent},
    {"errorCode", kError},
    {"errorMessage", kMessage},
    {"userIdentity.type", kIdentityType},
    {"userIdentity.userName", kUserName},
    {"userIdentity.arn", kArn},
    {"userIdentity.principalId", kPrincipal},
    {"userIdentity.accountId", kAccount},
    {"userIdentity.accessKeyId", kAccessKey},
    {"userIdentity.sessionContext.attributes.mfaAuthenticated", kMfaAuthenticated},
    {"recipientAccountId", kRecipient},
    {"additionalEventData.MFAUsed", kMfaUsed},
    {"additionalEventData.UserName", kIdentityCenterUser},
    {"responseElements.ConsoleLogin", kLogin},
    {"responseElements.CheckMfa", kCheckMfa},
    {"requestParameters.roleArn", kRole},
    {"requestParameters.roleSessionName", kRoleSession},
    {"tlsDetails.tlsVersion", kTls},
});

struct Name {
  std::string_view name;
  std::string_view source;  // "" = any
  Activity activity = Activity::kLogon;
  AuthMethod method = AuthMethod::kUnknown;
};

constexpr std::array kNames = {
    Name{"ConsoleLogin", "", Activity::kLogon, AuthMethod::kPassword},
    Name{"CheckMfa", "", Activity::kChallenge},
    Name{"SwitchRole", ""},
    Name{"AssumeRole", ""},
    Name{"AssumeRoleWithSAML", "", Activity::kLogon, AuthMethod::kSaml},
    Name{"AssumeRoleWithWebIdentity", "", Activity::kLogon, AuthMethod::kOther},
    Name{"AssumeRoot", ""},
    Name{"GetSessionToken", "sts.amazonaws.com"},
    Name{"GetFederationToken", "sts.amazonaws.com"},
    Name{"GetSigninToken", "signin.amazonaws.com"},
    Name{"UserAuthentication", "signin.amazonaws.com"},
    Name{"CredentialChallenge", "signin.amazonaws.com", Activity::kChallenge},
    Name{"CredentialVerification", "signin.amazonaws.com"},
    Name{"Authenticate", "sso.amazonaws.com"},
    Name{"Federate", "sso.amazonaws.com"},
    Name{"CreateToken", "sso.amazonaws.com"},
    Name{"Logout", "sso.amazonaws.com", Activity::kLogoff},
};

const Name* name_of(std::string_view name, std::string_view source) {
  for (const Name& row : kNames) {
    if (row.name == name && (row.source.empty() || row.source == source)) return &row;
  }
  return nullptr;
}

constexpr std::string_view behind_last(std::string_view text, char separator) {
  const auto at = text.rfind(separator);
  return at == text.npos ? std::string_view{} : text.substr(at + 1);
}

class AwsCloudtrail final : public json::TableDecoder {
 public:
  AwsCloudtrail() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kEventSource | json::kEventName))
      return (keys & (json::kAwsRegion | json::kUserIdentity)) != 0;
    // An Insight has the names of its events one level below.
    return (keys & json::kAwsRegion) != 0 && json::raw_member(r, "eventType").starts_with("\"AwsCloudTrailInsight\"");
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kType] == "AwsCloudTrailInsight") return Fate::ignored(kInsight);
    if (row[kName].empty()) return Fate::rejected(kNoName);
    const Name* name = name_of(row[kName], row[kSource]);
    if (name == nullptr) return json::ignored("event", verb(row[kName]));
    if (row[kIdentityType] == "AWSService") return Fate::ignored(kByService);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, Outcome::kUnknown, Service::kWeb);
    e.activity = name->activity;
    e.code = core::intern(name->name);
    e.auth_method = name->method;
    if (row[kIdentityType] == "SAMLUser") e.auth_method = AuthMethod::kSaml;
    set_identity(row, e);
    json::set_source(e, row[kAddress]);
    json::set_user_agent(e, row[kAgent]);
    e.destination_name = json::symbol(row[kSource]);
    if (e.protocol_version = json::symbol(row[kTls]); e.protocol_version.present()) e.application = core::intern("tls");
    set_outcome(row, e);
    set_mfa(row, e);
    return Fate::kept();
  }

  // "Describe" of "DescribeInstances": there are tens of thousands of event names.
  static std::string_view verb(std::string_view name) {
    std::size_t end = 1;
    while (end < name.size() && name[end] >= 'a' && name[end] <= 'z') ++end;
    static constexpr std::array<std::string_view, 34> kVerbs = {
        "Describe", "List",    "Get",     "Create",  "Delete", "Put",       "Update",  "Attach",   "Detach",
        "Start",    "Stop",    "Add",     "Remove",  "Modify", "Tag",       "Untag",   "Run",      "Terminate",
        "Generate", "Decrypt", "Encrypt", "Batch",   "Head",   "Enable",    "Disable", "Register", "Deregister",
        "Set",      "Copy",    "Invoke",  "Publish", "Lookup", "Authorize", "Revoke"};
    for (const std::string_view known : kVerbs) {
      if (known == name.substr(0, end)) return known;
    }
    return "other";
  }

  // Names of sessions that programs make up ("botocore-session-1795162530", "i-0abc123def4567890") are new each time.
  static bool is_generated(std::string_view session) {
    if (session.empty() || session.starts_with("i-") || session.size() > 64) return true;
    std::size_t digits = 0;
    for (const char c : session) {
      digits = is_digit(c) ? digits + 1 : 0;
      if (digits == 6) return true;
    }
    return false;
  }

  // arn:aws:sts::111122223333:assumed-role/Admin/alice@corp.example, arn:aws:iam::111122223333:user/team/alice
  static void set_identity(const json::Row& row, Event& e) {
    const std::string_view path = behind_last(row[kArn], ':');
    std::string_view user = row[kUserName];
    if (user.empty()) user = row[kIdentityCenterUser];
    if (row[kIdentityType] == "Root" || path == "root") {
      user = "root";
    } else if (path.starts_with("assumed-role/")) {
      std::string_view role = path.substr(path.find('/') + 1);
      const std::string_view name = core::take_until(role, '/');
      e.group = json::symbol(name);
      user = is_generated(role) ? name : role;
    } else if (user.empty() && !path.empty()) {
      user = behind_last(path, '/');
    }
    if (user.empty() && !is_generated(row[kRoleSession])) user = row[kRoleSession];
    if (user == "HIDDEN_DUE_TO_SECURITY_REASONS") user = {};  // a name that does not exist may be a mistyped password
    set_user(e, user);
    const std::string_view account = row[kAccount].empty() ? row[kRecipient] : row[kAccount];
    if (!e.user_domain.present()) e.user_domain = json::symbol(account);
    if (!row[kRole].empty()) e.group = json::symbol(behind_last(row[kRole], '/'));
    if (!json::absent(row[kAccessKey])) e.session_id = core::hash64(row[kAccessKey]);
  }

  static void set_outcome(const json::Row& row, Event& e) {
    const std::string_view said = row[kLogin].empty() ? row[kCheckMfa] : row[kLogin];
    const bool failed =
        core::equals_ignore_case(said, "Failure") || !row[kError].empty() || (said.empty() && !row[kMessage].empty());
    e.outcome = failed ? Outcome::kFailure : Outcome::kSuccess;
    if (!failed) return;
    e.reason =
        row[kError].empty() || row[kError] == "Failure" ? closed_reason(row[kMessage]) : closed_reason(row[kError]);
  }

  static void set_mfa(const json::Row& row, Event& e) {
    const std::string_view mfa = row[kMfaUsed].empty() ? row[kMfaAuthenticated] : row[kMfaUsed];
    if (core::equals_ignore_case(mfa, "Yes") || json::is_true(mfa)) e.mfa = Mfa::kYes;
    // Of a federated log-in AWS cannot know what the identity provider asked for.
    const bool own = row[kIdentityType] == "IAMUser" || row[kIdentityType] == "Root";
    if (own && (core::equals_ignore_case(mfa, "No") || json::is_false(mfa))) e.mfa = Mfa::kNo;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_aws_cloudtrail(const core::TimeReader&) {
  return std::make_unique<AwsCloudtrail>();
}

}  // namespace orbwatch::decode
