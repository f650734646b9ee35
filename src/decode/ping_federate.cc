// PingFederate: log-ins, sessions, single sign-on and log-outs, from its security audit log (audit.log), in columns as
// it writes it by default or in pairs.
//
// Source: "Security audit logging" and "Log4j 2 logging service and configuration" of PingFederate 10 to 13
// (docs.pingidentity.com); the default patterns of its log4j2.xml.
//   2026-11-22 08:00:00,123| tid:D68V..| AUTHN_ATTEMPT| alice| 203.0.113.7 | | https://app.example| SAML20|
//   sso1.corp.example| IdP| success| HtmlForm| | 12
//   2026-11-22 08:00:01,123 trackingid="tid:D68V.." event="AUTHN_SESSION_CREATED" subject="alice" ip="203.0.113.7"
//   connectionid="https://app.example" protocol="SAML20" pfhost="sso1.corp.example" role="IdP" status="" ...
// Ignored by name: other events ("event PWD_CHANGE"), lines of server.log ("server log").
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

const Symbol kServerLog = core::intern("server log");
const Symbol kNoEvent = core::intern("ping_federate: no event");
const Symbol kNoTime = core::intern("ping_federate: no time");
const Symbol kNobody = core::intern("ping_federate: neither user nor address");

enum Key : std::uint8_t {
  kTracking,
  kEvent,
  kSubject,
  kAddress,
  kApp,
  kConnection,
  kProtocol,
  kPfHost,
  kHost,
  kRole,
  kStatus,
  kAdapter,
  kSourceId,
  kDescription,
  kKeys
};

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{
    "trackingid", "event", "subject", "ip", "app", "connectionid", "protocol", "pfhost", "host", "role", "status",
    "adapterid", "authenticationsourceid", "description"});
using Pairs = Values<kKeys>;

// The default pattern, behind time and tracking id; newer versions put the transaction's id before it.
constexpr std::array<std::string_view, 11> kDefault = {
    "event", "subject", "ip", "app", "connectionid", "protocol", "host", "role", "status", "adapterid", "description"};

// "AUTHN_ATTEMPT", "OAuth"; a transaction's id has 25 letters and digits.
bool is_event(std::string_view text) {
  const bool letters =
      !text.empty() && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") == text.npos;
  return letters && (text.size() < 25 || text.contains('_'));
}

// "2026-11-22 08:00:00,123| tid:...": moves behind the time.
bool take_time(std::string_view& text, const core::TimeReader& times, core::Nanoseconds& out) {
  if (text.size() < 32 || !is_digit(text[0]) || text[4] != '-') return false;
  const auto bar = text.substr(0, 40).find('|');
  if (bar == text.npos || !core::trim(text.substr(bar + 1, 8)).starts_with("tid:")) return false;
  std::string_view clock = text.substr(0, bar);
  const auto time = core::parse_iso8601(clock, times);
  if (!time) return false;
  out = *time;
  text.remove_prefix(bar + 1);
  return true;
}

void read_columns(std::string_view text, Pairs& p) {
  p.put("trackingid", core::trim(core::take_until(text, '|')));
  std::string_view first = core::trim(core::take_until(text, '|'));
  if (!is_event(first)) first = core::trim(core::take_until(text, '|'));
  p.put("event", first);
  for (std::size_t i = 1; i < kDefault.size() && !text.empty(); ++i)
    p.put(kDefault[i], core::trim(core::take_until(text, '|')));
}

enum class Kind : std::uint8_t { kLogin, kObserved, kStart, kUpdate, kEnd, kLogoff };

struct Type {
  std::string_view name;
  Kind kind;
};

constexpr std::array kTypes = {
    Type{"AUTHN_ATTEMPT", Kind::kLogin},
    Type{"SSO", Kind::kLogin},
    Type{"AUTHN_REQUEST", Kind::kObserved},
    Type{"OAuth", Kind::kObserved},  // tokens: asked for by a server, mostly
    Type{"STS", Kind::kObserved},
    Type{"AUTHN_SESSION_CREATED", Kind::kStart},
    Type{"AUTHN_SESSION_USED", Kind::kUpdate},
    Type{"AUTHN_SESSION_DELETED", Kind::kEnd},
    Type{"SRI_REVOKED", Kind::kEnd},
    Type{"SLO", Kind::kLogoff},
};

const Type* type_of(std::string_view name) {
  for (const Type& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

class PingFederate final : public RecordDecoder {
 public:
  explicit PingFederate(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.json) return false;
    if (is_server_log(r) || is_pairs(r.message)) return true;
    core::Nanoseconds time = 0;
    std::string_view text = r.message;
    return take_time(text, times_, time);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (is_server_log(r)) return Fate::ignored(kServerLog);
    Pairs p(kNames);
    std::string_view text = r.message;
    if (is_pairs(text)) {
      p.read(text, ' ');
    } else if (take_time(text, times_, e.time)) {
      read_columns(text, p);
    }
    if (p[kEvent].empty()) return Fate::rejected(kNoEvent);
    const Type* type = type_of(p[kEvent]);
    if (type == nullptr) return json::ignored("event", p[kEvent]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put(type->kind, p[kStatus], e);
    e.code = core::intern(type->name);
    set_typed_user(e, p[kSubject]);
    e.source_ip = given_ip(p[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    if (e.outcome == Outcome::kFailure) e.reason = closed_reason(p[kDescription]);
    e.application = lower_symbol(p[kProtocol]);
    e.group = core::intern(p.either(kSourceId, kAdapter));
    const std::string_view application = p.either(kConnection, kApp);
    e.destination_name = application.contains("://") ? url_host(application) : core::intern(application);
    if (const std::string_view host = p.either(kPfHost, kHost); !host.empty()) e.observer = core::intern(host);
    if (!p[kTracking].empty()) e.session_id = core::hash64(p[kTracking]);
    return Fate::kept();
  }

 private:
  // "2026-11-22 08:00:00,123 tid:D68V.. DEBUG [org.sourceid...] ...": what stands behind the time is taken for a host.
  static bool is_server_log(const TextRecord& r) { return r.host.starts_with("tid:") && r.program.empty(); }
  static bool is_pairs(std::string_view text) { return text.starts_with("trackingid=\"tid:"); }

  static void put(Kind kind, std::string_view status, Event& e) {
    const Outcome outcome = status == "success"   ? Outcome::kSuccess
                            : status == "failure" ? Outcome::kFailure
                                                  : Outcome::kUnknown;
    switch (kind) {
      case Kind::kLogin:
      case Kind::kObserved:
      case Kind::kLogoff:
        put_login(e, outcome, Service::kWeb);
        // "inprogress": there is a further step.
        if (kind == Kind::kObserved || outcome == Outcome::kUnknown) e.activity = Activity::kObserved;
        if (kind == Kind::kLogoff) e.activity = Activity::kLogoff;
        break;
      default:
        put_session(e, kind == Kind::kStart ? Activity::kStart
                       : kind == Kind::kEnd ? Activity::kEnd
                                            : Activity::kUpdate);
        e.service = Service::kWeb;
        // A session that was created has no status.
        e.outcome = kind == Kind::kStart && status.empty() ? Outcome::kSuccess : outcome;
    }
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ping_federate(const core::TimeReader& times) {
  return std::make_unique<PingFederate>(times);
}

}  // namespace orbwatch::decode
