// Teleport audit events: log-ins of users, failed authentication to nodes, and SSH sessions.
// Spec: https://goteleport.com/docs/reference/audit-events/
//
// Two sample records (shortened):
//   {"event":"user.login","code":"T1000I","time":"2026-11-20T08:15:30.123Z","user":"alice","method":"local","success":true,
//   "addr.remote":"192.0.2.10:50123","user_agent":"...","cluster_name":"teleport.corp.example",...}
//   {"event":"session.start","code":"T2000I","user":"alice","login":"root","server_hostname":"db1","sid":"...",...}
//
// Ignored by name: every other event ("event session.command").
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

const Symbol kNotJson = core::intern("teleport: not JSON");
const Symbol kNoTime = core::intern("teleport: no time");
const Symbol kNobody = core::intern("teleport: neither user nor address");
const Symbol kSsh = core::intern("ssh");

enum Field : std::uint8_t {
  kEvent,
  kTime,
  kUser,
  kSuccess,
  kError,
  kMethod,
  kRemote,
  kAgent,
  kCluster,
  kServer,
  kSession,
  kMfaType,
  kCode,
};

const json::Fields kFields({
    {"event", kEvent},
    {"time", kTime},
    {"user", kUser},
    {"success", kSuccess},
    {"error", kError},
    {"method", kMethod},
    {"addr.remote", kRemote},
    {"user_agent", kAgent},
    {"cluster_name", kCluster},
    {"server_hostname", kServer},
    {"sid", kSession},
    {"mfa_device.mfa_device_type", kMfaType},
    {"code", kCode},
});

class Teleport final : public json::TableDecoder {
 public:
  Teleport() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if (!json::has_all(keys, json::kEvent | json::kCode | json::kEventUid | json::kTime)) return false;
    return json::raw_member(r, "code").starts_with("\"T");  // "T1000I"
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    const std::string_view name = row[kEvent];
    const bool login = name == "user.login";
    const bool auth = name == "auth";
    const bool start = name == "session.start";
    if (!login && !auth && !start && name != "session.end") return json::ignored("event", name);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    const bool failed = json::is_false(row[kSuccess]) || row[kCode].ends_with('W') || row[kCode].ends_with('E');
    if (login || auth) {
      put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, login ? Service::kWeb : Service::kSsh);
      if (failed) e.reason = closed_reason(row[kError]);
    } else {
      put_session(e, start ? Activity::kStart : Activity::kEnd, kSsh);
      e.service = Service::kSsh;
    }
    e.code = core::intern(name);
    set_user(e, row[kUser]);
    json::set_source(e, row[kRemote]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    json::set_user_agent(e, row[kAgent]);
    e.observer = json::symbol(row[kCluster]);
    e.destination_name = json::symbol(row[kServer]);
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
    if (row[kMethod] == "local") e.auth_method = AuthMethod::kPassword;
    if (row[kMethod] == "saml") e.auth_method = AuthMethod::kSaml;
    if (row[kMethod] == "oidc" || row[kMethod] == "github") e.auth_method = AuthMethod::kOther;
    if (!failed && !json::absent(row[kMfaType])) e.mfa = Mfa::kYes;
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_teleport(const core::TimeReader&) { return std::make_unique<Teleport>(); }

}  // namespace orbwatch::decode
