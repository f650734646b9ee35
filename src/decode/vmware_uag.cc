// VMware (Omnissa) Unified Access Gateway: log-ins and sessions of its edge services (Horizon, web reverse proxy,
// tunnel) and of its administrators, from syslog, esmanager.log and audit.log.
//
// Source: "Syslog Formats and Events" in "Deploying and Configuring Unified Access Gateway" 3.10 to 2312.
//   Nov 22 08:00:00 uag1 UAG-ESMANAGER: [nioEventLoopGroup-7-1]INFO utils.SyslogManager[logMessage: 190][203.0.113.7]
//   [alice][Horizon][5a0b-7cfa] - Horizon session authenticated - Session count:9, Authenticated sessions: 2
//   Nov 22 08:00:01 uag1 UAG-AUDIT:[qtp332498651-46]INFO utils.SyslogAuditManager[logAuditLog: 382] - LOGIN_SUCCESS:
//   SOURCE_IP_ADDR=203.0.113.7: USERNAME=admin
//   Nov 22 08:00:02 uag1 UAG-ESMANAGER: [main]INFO utils.SyslogManager[stop: 993][] - EDGE_SERVICE_MANAGER:STOPPED:...
// What happened is told from the words of a message: the vendor lists examples, not all of them. Ignored by name: every
// other message ("gateway message"), audited changes ("audit CONFIG_CHANGE").
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("vmware_uag: no time");
const Symbol kMessage = core::intern("gateway message");
const Symbol kFailed = core::intern("authentication failure");

// Begins with "UAG-ESMANAGER", "uag-admin_uag-audit_" or alike.
bool is_gateway(std::string_view name) {
  if (name.size() < 9 || !core::equals_ignore_case(name.substr(0, 4), "uag-")) return false;
  name.remove_prefix(4);
  for (const std::string_view part : {"esmanager", "audit", "admin"}) {
    if (core::equals_ignore_case(name.substr(0, part.size()), part)) return true;
  }
  return false;
}

// What stands in the brackets of a message: client, user, type and number of the session.
struct Groups {
  std::array<std::string_view, 4> values;
  std::string_view message;
};

// "[thread]INFO utils.SyslogManager[stop: 993][203.0.113.7][alice][Horizon][5a0b-7cfa] - MESSAGE"; false if it is none.
bool split(std::string_view text, Groups& out) {
  Scanner s(text);
  if (is_gateway(text)) {  // no space behind the colon: the envelope took it for no program
    s.until(':');
    s.skip(':');
  }
  s.spaces();
  if (!s.skip('[') || !s.skip_past("]")) return false;
  s.until('[');  // level and class
  if (!s.skip('[') || !s.skip_past("]")) return false;
  for (std::string_view& value : out.values) {
    if (!s.skip('[')) break;
    value = core::trim(s.until(']'));
    s.skip(']');
  }
  s.spaces();
  if (!s.skip("- ")) return false;
  out.message = s.rest();
  return true;
}

class VmwareUag final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    return (is_gateway(r.program) || (r.program.empty() && is_gateway(r.message)));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Groups groups;
    if (!split(r.message, groups)) return Fate::ignored(kMessage);
    const Fate fate = groups.message.contains(": SOURCE_IP_ADDR=") ? audit(groups.message, e) : session(groups, e);
    if (fate.verdict != Verdict::kEvent) return fate;
    if (e.time == 0) return Fate::rejected(kNoTime);
    return e.user.present() || e.source_ip.present() ? fate : Fate::ignored(kMessage);
  }

 private:
  // "LOGIN_FAILED: SOURCE_IP_ADDR=203.0.113.9: USERNAME=admin[: REASON=...]"
  static Fate audit(std::string_view text, Event& e) {
    const std::string_view what = text.substr(0, text.find(':'));
    if (what == "LOGIN_SUCCESS" || what == "LOGIN_FAILED") {
      put_login(e, what == "LOGIN_SUCCESS" ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
      if (e.outcome == Outcome::kFailure) e.reason = kFailed;
    } else if (what == "LOGOUT_SUCCESS") {
      put_login(e, Outcome::kUnknown, Service::kManagement);
      e.activity = Activity::kLogoff;
    } else {
      return json::ignored("audit", what);
    }
    e.code = core::intern(what);
    if (const auto address = core::between(text, "SOURCE_IP_ADDR=", ": USERNAME=")) json::set_source(e, *address);
    if (const auto user = core::between(text, ": USERNAME=", "")) {
      const std::string_view name = user->substr(0, user->find(": "));
      set_typed_user(e, name.ends_with('"') ? name.substr(0, name.size() - 1) : name);
    }
    return Fate::kept();
  }

  static Fate session(const Groups& groups, Event& e) {
    const std::string_view text = groups.message;
    const auto says = [&](std::string_view word) { return core::contains_ignore_case(text, word); };
    const Service service = service_of(groups.values[2]);
    if (says("authenticat") || says("log-in") || says("login")) {
      if (says("fail") || says("denied") || says("invalid") || says("reject") || says("unsuccess")) {
        put_login(e, Outcome::kFailure, service);
        e.reason = kFailed;
      } else if (says("session authenticated") || says("success")) {
        put_login(e, Outcome::kSuccess, service);
      } else if (!put_end(text, service, e)) {
        return Fate::ignored(kMessage);  // an attempt that only begins
      }
    } else if (!put_end(text, service, e)) {
      return Fate::ignored(kMessage);
    }
    e.source_ip = json::ip(groups.values[0]);
    set_typed_user(e, groups.values[1]);
    if (!groups.values[2].empty()) e.application = lower_symbol(groups.values[2]);
    if (!groups.values[3].empty()) e.session_id = core::hash64(groups.values[3]);
    return Fate::kept();
  }

  static bool put_end(std::string_view text, Service service, Event& e) {
    if (!core::contains_ignore_case(text, "session") ||
        !(core::contains_ignore_case(text, "terminated") || core::contains_ignore_case(text, "logged out") ||
          core::contains_ignore_case(text, "closed") || core::contains_ignore_case(text, "ended")))
      return false;
    put_session(e, Activity::kEnd);
    e.service = service;
    // "Horizon session terminated due to logout - Session count:9"
    if (const auto why = core::between(text, " due to ", ""))
      e.reason = closed_reason(why->substr(0, why->find(" - ")));
    return true;
  }

  // "WRP-intranet" is a web reverse proxy.
  static Service service_of(std::string_view type) {
    if (core::contains_ignore_case(type, "horizon")) return Service::kRdp;
    if (core::contains_ignore_case(type, "tunnel")) return Service::kVpn;
    return Service::kWeb;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_vmware_uag(const core::TimeReader&) { return std::make_unique<VmwareUag>(); }

}  // namespace orbwatch::decode
