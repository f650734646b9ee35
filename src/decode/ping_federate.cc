// PingFederate: log-ins, sessions, single sign-on and log-outs, from its security audit log (audit.log), in columns as
// it writes it by default or in pairs; log-ins of administrators from admin.log.
//
// Source: "Security audit logging", "Administrator audit logging" and "Log4j 2 logging service and configuration" of
// PingFederate 10 to 13 (docs.pingidentity.com); the default patterns of its log4j2.xml.
//   2026-11-22 08:00:00,123| tid:D68V..| AUTHN_ATTEMPT| alice| 203.0.113.7 | | https://app.example| SAML20|
//   sso1.corp.example| IdP| success| HtmlForm| | 12
//   2026-11-22 08:00:01,123 trackingid="tid:D68V.." event="AUTHN_SESSION_CREATED" subject="alice" ip="203.0.113.7"
//   connectionid="https://app.example" protocol="SAML20" pfhost="sso1.corp.example" role="IdP" status="" ...
//   2026-11-22 08:00:02,123 | root | UserAdmin,Admin | 203.0.113.7 | A-rBn.. | USER | LOGIN_ATTEMPT | - Login was
//   successful
// Ignored by name: other events ("event PWD_CHANGE"), changes by administrators ("administration"), lines of server.log
// ("server log").
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
const Symbol kAdministration = core::intern("administration");
const Symbol kColumns = core::intern("ping_federate: not its columns");
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
    Type{"AUTHN_SESSIONS_DELETED", Kind::kEnd},
    Type{"SRI_REVOKED", Kind::kEnd},
    Type{"SLO", Kind::kLogoff},
};

const Type* type_of(std::string_view name) {
  for (const Type& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

// A line of admin.log behind its time: "| USER | ROLES | ADDRESS | ... | MESSAGE"; between stand the component, the
// event and a number, in an order that versions do not share.
struct Administration {
  std::string_view user;
  std::string_view address;
  std::string_view event;
  std::string_view message;
  bool whole = false;  // it has the columns of the pattern; more if a name holds bars
};

bool are_roles(std::string_view text) {
  while (!text.empty()) {
    const std::string_view role = core::trim(core::take_until(text, ','));
    if (role != "Admin" && role != "UserAdmin" && role != "CryptoAdmin" && role != "ExpressionAdmin" &&
        role != "DataCollectionAdmin" && role != "Auditor" && role != "-") {
      return false;
    }
  }
  return true;
}

bool is_upper_case(std::string_view text) {
  return text.size() > 3 && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == text.npos;
}

bool administration_of(std::string_view text, Administration& out) {
  if (!core::skip_prefix(text, "| ")) return false;
  out.user = core::trim(core::take_until(text, '|'));
  if (!are_roles(core::trim(core::take_until(text, '|')))) return false;
  out.address = core::trim(core::take_until(text, '|'));
  if (!out.address.empty() && out.address != "-" && !core::Ip::parse(out.address)) return false;
  for (int column = 0; column < 3; ++column) {
    if (text.empty()) return false;
    const std::string_view cell = core::trim(core::take_until(text, '|'));
    if (cell == "LOGIN_ATTEMPT" || cell == "LOGOUT" || cell == "SESSION_TIMEOUT" ||
        (out.event.empty() && is_upper_case(cell))) {
      out.event = cell;
    }
  }
  out.message = core::trim(text);
  out.whole = !text.contains('|');
  return !out.event.empty();
}

class PingFederate final : public RecordDecoder {
 public:
  explicit PingFederate(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (is_server_log(r) || is_pairs(r.message)) return true;
    Administration administration;
    if (r.message.starts_with("| ")) return r.time != 0 && administration_of(r.message, administration);
    core::Nanoseconds time = 0;
    std::string_view text = r.message;
    return take_time(text, times_, time);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (is_server_log(r)) return Fate::ignored(kServerLog);
    Administration administration;
    if (administration_of(r.message, administration)) return administer(administration, e);
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

  static Fate administer(const Administration& a, Event& e) {
    const bool attempt = a.event == "LOGIN_ATTEMPT";
    if (!attempt && a.event != "LOGOUT" && a.event != "SESSION_TIMEOUT") return Fate::ignored(kAdministration);
    if (!a.whole) return Fate::rejected(kColumns);
    const bool good = a.message.contains("successful") && !a.message.contains("unsuccessful");
    put_login(e, !attempt ? Outcome::kUnknown : good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
    if (!attempt) e.activity = Activity::kLogoff;
    if (e.outcome == Outcome::kFailure) e.reason = closed_reason(a.message.substr(a.message.starts_with("- ") ? 2 : 0));
    e.code = core::intern(a.event);
    set_typed_user(e, a.user);
    e.source_ip = given_ip(a.address);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
  }

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
