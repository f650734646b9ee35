// RSA (SecurID) Authentication Manager: log-ins with tokens and passwords, lock-outs, log-ins to its consoles, from
// its audit logs in syslog.
//
// Sources: RSA, "Formatting for syslog data sent from RSA Authentication Manager 8.x", "Understanding RSA
// Authentication Manager logging fields when they are forwarded to syslog", "Authentication Manager Log Messages"
// (community.rsa.com).
//   Nov 22 08:00:00 am1 2026-11-22 08:00:00,239, am1.corp.example, audit.runtime.com.rsa.ims.authn.impl.Authentication
//   BrokerImpl, INFO, a6c4..,6cee..,192.0.2.20,192.0.2.10,AUTHN_LOGIN_EVENT,13002,SUCCESS,AUTHN_METHOD_SUCCESS,...
//   ... AUTHN_LOCKOUT_EVENT,13003,SUCCESS,... / ... AUTH_PRINCIPAL_RESOLUTION,23008,FAIL,...
// Ignored by name: other actions ("action TOKEN_EXPIRED"), the administration's and the system's logs.
#include <array>

#include "core/text.h"
#include "decode/cells.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Event;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kAdministration = core::intern("administration");
const Symbol kSystem = core::intern("system");
const Symbol kOther = core::intern("other log");
const Symbol kShort = core::intern("rsa_securid: too few columns");
const Symbol kNobody = core::intern("rsa_securid: neither user nor address");

constexpr std::string_view kRuntime = "audit.runtime.com.rsa.";
constexpr std::string_view kAdmin = "audit.admin.com.rsa.";
constexpr std::string_view kSystemLog = "system.com.rsa.";

// The columns of the runtime log. Behind the agent's name stand its type, which some versions leave out, and the number
// and name of the authentication method.
enum Column : std::uint8_t {
  kTime,
  kHost,
  kClass,
  kLevel,
  kId,
  kInstance,
  kClient,
  kServer,
  kAction,
  kCode,
  kResult,
  kReason,
  kSession,
  kUserGuid,
  kSource,
  kDomain,
  kUser,
  kFirstName,
  kLastName,
  kAgent,
  kAgentDomain,
  kAgentIp,
  kAgentName,
  kMethod,
  kLastMethod = kMethod + 3,
  kColumns
};
using Row = std::array<std::string_view, kColumns>;

// A class of Java of the product in the third column.
bool is_record(std::string_view text) {
  if (text.size() < 32 || !is_digit(text[0]) || (text[2] != ':' && text[4] != '-')) return false;
  const auto at = text.substr(0, 192).find("com.rsa.");
  if (at == text.npos) return false;
  const std::string_view before = text.substr(0, at);
  return before.ends_with(" audit.runtime.") || before.ends_with(" audit.admin.") || before.ends_with(" system.") ||
         before.ends_with(" trace.");
}

// "2026-11-22 08:00:00,239" is one column, though it holds a comma.
std::size_t columns_of(std::string_view text, Row& row) {
  const auto time_end = text.find(',', std::min(text.find(',') + 1, text.size()));
  if (time_end == text.npos) return 0;
  row[kTime] = text.substr(0, time_end);
  std::size_t count = 1;
  each_cell(text.substr(time_end + 1), ',', [&](std::size_t, std::string_view cell, bool) {
    row[count++] = core::trim(cell);
    return count != kColumns;
  });
  return count;
}

// A name among the columns of the method: not the number of the agent's type nor the method's 32 digits.
std::string_view method_name(const Row& row) {
  for (std::size_t i = kMethod; i <= kLastMethod; ++i) {
    const std::string_view cell = row[i];
    const bool hex = cell.find_first_not_of("0123456789abcdef") == cell.npos;
    if (!hex) return cell;
  }
  return {};
}

class RsaSecurid final : public RecordDecoder {
 public:
  explicit RsaSecurid(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override { return is_record(r.message); }

  Fate decode(const TextRecord& r, Event& e) override {
    Row row;
    if (columns_of(r.message, row) <= kResult) return Fate::rejected(kShort);
    if (row[kClass].starts_with(kAdmin)) return Fate::ignored(kAdministration);
    if (row[kClass].starts_with(kSystemLog)) return Fate::ignored(kSystem);
    if (!row[kClass].starts_with(kRuntime)) return Fate::ignored(kOther);
    const bool failed = row[kResult] == "FAIL";
    if (!put_action(row[kAction], failed, e)) return json::ignored("action", row[kAction]);
    put_result(row, e);
    std::string_view clock = row[kTime];
    if (const auto time = core::parse_iso8601(clock, times_)) e.time = *time;  // with its year and fraction
    if (!row[kHost].empty()) e.observer = core::intern(row[kHost]);
    e.observer_ip = given_ip(row[kServer]);
    set_typed_user(e, row[kUser]);
    put_ends(row, e);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
  }

 private:
  static bool put_action(std::string_view action, bool failed, Event& e) {
    const bool console = action.starts_with("OC_ADMIN_");
    if (console) action.remove_prefix(9);
    if (action.starts_with("AUTHN_")) action.remove_prefix(6);
    put_login(e, Outcome::kUnknown, console ? Service::kManagement : Service::kOther);
    if (action == "LOGIN_EVENT") return true;
    if (action == "LOGOUT_EVENT") {
      e.activity = Activity::kLogoff;
      return true;
    }
    e.activity = Activity::kObserved;
    // The name that somebody typed is nobody's.
    return action == "LOCKOUT_EVENT" || (action == "AUTH_PRINCIPAL_RESOLUTION" && failed);
  }

  static void put_result(const Row& row, Event& e) {
    e.code = core::intern(row[kCode]);
    e.reason = closed_reason(row[kReason]);
    if (e.activity == Activity::kLogoff) return;
    if (row[kAction].ends_with("LOCKOUT_EVENT")) {  // that the account was locked has succeeded
      e.outcome = Outcome::kFailure;
      if (!e.reason.present()) e.reason = core::intern("account locked");
      return;
    }
    if (row[kResult] == "SUCCESS") e.outcome = Outcome::kSuccess;
    if (row[kResult] == "FAIL") e.outcome = Outcome::kFailure;
    const std::string_view method = method_name(row);
    if (method.empty()) return;
    if (method.contains("Password")) {
      e.auth_method = method.starts_with("LDAP") ? AuthMethod::kLdap : AuthMethod::kPassword;
      return;
    }
    e.auth_method = AuthMethod::kOther;
    // A token's code comes with a PIN.
    if (method.starts_with("SecurID") || method.starts_with("OnDemand")) e.mfa = Mfa::kYes;
  }

  // The agent is what is logged in to: a gateway, a computer. It mostly asks in its own name, and then nothing is known
  // of where the user is.
  static void put_ends(const Row& row, Event& e) {
    e.destination_ip = given_ip(row[kAgentIp]);
    e.destination_name = core::intern(row[kAgentName]);
    const core::Ip client = given_ip(row[kClient]);
    if (client != e.destination_ip) e.source_ip = client;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_rsa_securid(const core::TimeReader& times) {
  return std::make_unique<RsaSecurid>(times);
}

}  // namespace orbwatch::decode
