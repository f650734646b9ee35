// Netskope events and alerts (JSON), as its API, Cloud Log Shipper and Log Streaming give them: connections, private
// applications and firewall, activities in cloud applications, alerts, administrators' log-ins.
// Spec: https://docs.netskope.com/en/transaction-events, .../netskope-api-dataexport-endpoints (fields of page,
// application, network, alert, audit events)
//
// Three sample records (shortened):
//   {"_id":"...","type":"connection","srcip":"203.0.113.7","dstip":"198.51.100.9","dstport":443,"user":"alice@corp.example",
//   "ur_normalized":"alice@corp.example","policy":"web","timestamp":1795161600,...}
//   {...,"type":"nspolicy","activity":"Login Successful","app":"Microsoft Office 365",...}
//   {...,"type":"admin_audit_logs","audit_log_event":"Login
//   Successful","supporting_data":{"data_values":["203.0.113.7",...]}}
//
// Ignored by name: what administrators do beside logging in ("audit Edit admin record"), records about nobody's address
// ("type incident").
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("netskope: not JSON");
const Symbol kNoTime = core::intern("netskope: no time");
const Symbol kNobody = core::intern("netskope: neither user nor address");
const Symbol kAdminPortal = core::intern("Netskope admin console");

enum Field : std::uint8_t {
  kTime,
  kType,
  kAlert,
  kAlertName,
  kAlertType,
  kUser,
  kSource,
  kUserAddress,
  kSourcePort,
  kDestination,
  kDestinationHost,
  kDestinationPort,
  kDomain,
  kApp,
  kActivity,
  kAction,
  kPolicy,
  kProtocol,
  kClientBytes,
  kServerBytes,
  kClientPackets,
  kServerPackets,
  kDuration,
  kStart,
  kEnd,
  kHostname,
  kOs,
  kAgent,
  kCountry,
  kSession,
  kFingerprint,
  kServerFingerprint,
  kAuditEvent,
  kAuditValue,
};

const json::Fields kFields({
    {"timestamp", kTime},
    {"type", kType},
    {"record_type", kType},
    {"alert", kAlert},
    {"alert_name", kAlertName},
    {"alert_type", kAlertType},
    {"user", kUser},
    {"ur_normalized", kUser},
    {"srcip", kSource},
    {"userip", kUserAddress},
    {"srcport", kSourcePort},
    {"dstip", kDestination},
    {"dsthost", kDestinationHost},
    {"dstport", kDestinationPort},
    {"domain", kDomain},
    {"app", kApp},
    {"activity", kActivity},
    {"action", kAction},
    {"policy", kPolicy},
    {"ip_protocol", kProtocol},
    {"client_bytes", kClientBytes},
    {"server_bytes", kServerBytes},
    {"client_packets", kClientPackets},
    {"server_packets", kServerPackets},
    {"conn_duration", kDuration},
    {"start_time", kStart},
    {"end_time", kEnd},
    {"hostname", kHostname},
    {"os", kOs},
    {"useragent", kAgent},
    {"src_country", kCountry},
    {"network_session_id", kSession},
    {"ja3", kFingerprint},
    {"ja3s", kServerFingerprint},
    {"audit_log_event", kAuditEvent},
    {"supporting_data.data_values", kAuditValue},
});

Symbol fingerprint(std::string_view text) { return text == "NotAvailable" ? Symbol() : json::symbol(text); }

class Netskope final : public json::TableDecoder {
 public:
  Netskope() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kTimestamp) == 0) return false;
    if ((keys & json::kNetskopeUser) != 0) return true;
    return (keys & json::kNetskopeAccess) != 0 && r.message.contains("\"_id\"");
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    e.code = json::symbol(row[kType]);
    if (!row[kAuditEvent].empty()) return audit(row, e);
    put_ends(row, e);
    if (!e.source_ip.present() && !e.destination_ip.present()) return json::ignored("type", row[kType]);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    if (!put_login_to_application(row, e)) put_verdict(row, e);
    set_user(e, row[kUser]);
    e.rule = json::symbol(row[kPolicy].empty() ? row[kAlertName] : row[kPolicy]);
    e.client_host = json::symbol(row[kHostname]);
    e.client_os = json::symbol(row[kOs]);
    json::set_user_agent(e, row[kAgent]);
    e.region = json::symbol(row[kCountry]);
    e.fingerprint = fingerprint(row[kFingerprint]);
    e.server_fingerprint = fingerprint(row[kServerFingerprint]);
    put_counts(row, e);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    return Fate::kept();
  }

  // The user's address is what the client has, the source's what Netskope sees.
  static void put_ends(const json::Row& row, Event& e) {
    e.source_ip = given_ip(row[row[kSource].empty() ? kUserAddress : kSource]);
    e.source_port = json::port(row[kSourcePort]);
    e.destination_ip = given_ip(row[kDestination].empty() ? row[kDestinationHost] : row[kDestination]);
    e.destination_port = json::port(row[kDestinationPort]);
    const std::string_view name = row[kDomain].empty() ? row[kDestinationHost] : row[kDomain];
    if (!given_ip(name).present()) e.destination_name = json::symbol(name);
    e.protocol = protocol_number(row[kProtocol]);
  }

  // "Login Attempt" stands before what became of it.
  static bool put_login_to_application(const json::Row& row, Event& e) {
    const std::string_view activity = row[kActivity];
    const bool out = core::equals_ignore_case(activity, "Logout");
    if (!out && !core::equals_ignore_case(activity.substr(0, 5), "Login")) return false;
    put_login(e, outcome_of(activity), Service::kWeb);
    if (out) e.activity = Activity::kLogoff;
    if (activity.ends_with("Attempt")) e.activity = Activity::kObserved;
    e.destination_name = json::symbol(row[kApp]);
    return true;
  }

  static Outcome outcome_of(std::string_view text) {
    if (core::contains_ignore_case(text, "succe") && !core::contains_ignore_case(text, "successive"))
      return Outcome::kSuccess;
    return core::contains_ignore_case(text, "fail") ? Outcome::kFailure : Outcome::kUnknown;
  }

  static void put_verdict(const json::Row& row, Event& e) {
    if (row[kAlert] == "yes" || !row[kAlertType].empty()) e.activity = Activity::kAlert;
    const std::string_view action = row[kAction];
    const auto is = [action](std::string_view word) { return core::equals_ignore_case(action, word); };
    if (core::equals_ignore_case(action.substr(0, 5), "block") || is("deny") || is("drop")) {
      e.action = Action::kDenied;
    } else if (action.empty() || is("allow") || is("alert") || is("bypass")) {
      e.action = Action::kAllowed;
    }
  }

  static void put_counts(const json::Row& row, Event& e) {
    e.source_bytes = json::number(row[kClientBytes]).value_or(0);
    e.destination_bytes = json::number(row[kServerBytes]).value_or(0);
    e.source_packets = json::number(row[kClientPackets]).value_or(0);
    e.destination_packets = json::number(row[kServerPackets]).value_or(0);
    if (const auto length = json::number(row[kDuration])) e.duration = seconds(*length);
    const core::Nanoseconds start = json::utc_time(row[kStart]);
    const core::Nanoseconds end = json::utc_time(row[kEnd]);
    if (start != 0 && end > start) e.duration = end - start;
  }

  static Fate audit(const json::Row& row, Event& e) {
    const std::string_view what = row[kAuditEvent];
    const bool out = core::contains_ignore_case(what, "logout") || core::contains_ignore_case(what, "logged out");
    if (!out && !core::equals_ignore_case(what.substr(0, 5), "login")) return json::ignored("audit", what);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, outcome_of(what), Service::kWeb);
    if (out) e.activity = Activity::kLogoff;
    set_user(e, row[kUser]);
    json::set_source(e, row[kAuditValue]);
    // Being thrown out after wrong passwords is a failure of the log-in.
    if (out && outcome_of(what) == Outcome::kFailure) e.reason = core::intern("successive login failures");
    e.destination_name = kAdminPortal;
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_netskope(const core::TimeReader&) { return std::make_unique<Netskope>(); }

}  // namespace orbwatch::decode
