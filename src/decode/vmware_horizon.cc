// VMware (Omnissa) Horizon Connection Server: log-ins of users and administrators, failures, sessions on desktops, from
// its events in syslog.
//
// Sources: "Horizon Administration", event types of Connection Server, Horizon Agent and Horizon Console; "Configure
// Event Logging to File or Syslog Server" (docs.omnissa.com).
//   <142>1 2026-11-22T08:00:00.123Z cs1 View - 106 [View@6876 Severity="AUDIT_SUCCESS" Module="Broker"
//   EventType="BROKER_USERLOGGEDIN" UserDisplayName="corp.example\\alice" ClientIpAddress="192.0.2.20"
//   ForwardedClientIpAddress="203.0.113.7"] User corp.example\alice has logged in
//   <139>1 ... [View@6876 Severity="AUDIT_FAIL" EventType="BROKER_USER_AUTHFAILED_BAD_USER_PASSWORD" ...] ...
//   <142>1 ... [View@6876 Severity="INFO" Module="Agent" EventType="AGENT_CONNECTED" ... MachineName="PC-17"] ...
// Every other event is ignored by name ("event BROKER_DESKTOP_REQUEST").
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kNoType = core::intern("vmware_horizon: no EventType");
const Symbol kNoTime = core::intern("vmware_horizon: no time");
const Symbol kNobody = core::intern("vmware_horizon: neither user nor address");

enum Key : std::uint8_t { kType, kUser, kClient, kForwarded, kMachine, kPool, kDesktop, kSession, kKeys };

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{"EventType", "UserDisplayName", "ClientIpAddress",
                                                                 "ForwardedClientIpAddress", "MachineName", "PoolId",
                                                                 "DesktopId", "BrokerSessionId"});

constexpr std::string_view kFailed = "BROKER_USER_AUTHFAILED_";

class VmwareHorizon final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override { return r.structured.starts_with("[View@6876 "); }

  Fate decode(const TextRecord& r, Event& e) override {
    Values<kKeys> values(kNames);
    values.read(r.structured, ' ');
    const std::string_view type = values[kType];
    if (type.empty()) return Fate::rejected(kNoType);
    if (!put_kind(type, e)) return json::ignored("event", type);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.code = core::intern(type);
    set_user(e, values[kUser]);
    // Behind a Unified Access Gateway or load balancer the client is the first of those who passed it on.
    json::set_source(e, values.either(kForwarded, kClient));
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    e.destination_name = values.symbol(kMachine);
    e.group = core::intern(values.either(kPool, kDesktop));
    if (!values[kSession].empty()) e.session_id = core::hash64(values[kSession]);
    return Fate::kept();
  }

 private:
  static bool put_kind(std::string_view type, Event& e) {
    if (type.starts_with(kFailed)) {
      put_login(e, Outcome::kFailure, Service::kRdp);
      e.reason = closed_reason(type.substr(kFailed.size()));
    } else if (type == "BROKER_USER_NOT_AUTHORIZED") {
      put_login(e, Outcome::kFailure, Service::kRdp);
      e.reason = core::intern("NOT_AUTHORIZED");
    } else if (type.contains("_USERLOGGEDIN")) {  // BROKER: of a user, others: of an administrator
      put_login(e, Outcome::kSuccess, service_of(type));
    } else if (type.contains("_USERLOGGEDOUT")) {
      put_login(e, Outcome::kUnknown, service_of(type));
      e.activity = Activity::kLogoff;
    } else if (type == "AGENT_CONNECTED" || type == "AGENT_RECONNECTED") {
      put_session(e, Activity::kStart);
      e.service = Service::kRdp;
    } else if (type == "AGENT_DISCONNECTED" || type == "AGENT_ENDED") {
      put_session(e, Activity::kEnd);
      e.service = Service::kRdp;
    } else {
      return false;
    }
    return true;
  }

  static Service service_of(std::string_view type) {
    return type.starts_with("BROKER_") ? Service::kRdp : Service::kManagement;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_vmware_horizon(const core::TimeReader&) {
  return std::make_unique<VmwareHorizon>();
}

}  // namespace orbwatch::decode
