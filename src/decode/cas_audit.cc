// Apereo CAS: log-ins, their failures, sessions and log-outs, from its audit trail (Inspektr), one line a record or in
// blocks of lines.
//
// Sources: "Audits & Authentication Statistics" of CAS 5.3 to 7 (apereo.github.io/cas); AbstractStringAuditTrailManager
// of Inspektr (github.com/apereo/inspektr).
//   2026-11-22 08:00:00,116 INFO [org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - <Sun Nov 22
//   08:00:00 UTC
//   2026|CAS|[UsernamePasswordCredential(username=alice)]|AUTHENTICATION_SUCCESS|alice|203.0.113.7|192.0.2.2>
//   2026-11-22 08:00:00,116 INFO [org.apereo...] - <Audit trail record BEGIN
//   WHO: alice
//   ... - <{"who":"alice","action":"AUTHENTICATION_SUCCESS","clientIpAddress":"203.0.113.7",...}>
// Of a block the last line stands for the record; its other lines are ignored by name ("line of a record"). Ignored by
// name, too: other actions ("action SERVICE_TICKET_VALIDATED").
#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kLineOfRecord = core::intern("line of a record");
const Symbol kColumns = core::intern("cas_audit: not its columns");
const Symbol kNoTime = core::intern("cas_audit: no time");
const Symbol kNobody = core::intern("cas_audit: neither user nor address");

struct Trail {
  std::string_view when;
  std::string_view what;
  std::string_view action;
  std::string_view who;
  std::string_view client;
  std::string_view server;
};

// "AUTHENTICATION_FAILED"
bool is_action(std::string_view text) {
  return text.size() > 3 && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == text.npos;
}

// "WHEN|APPLICATION|WHAT|ACTION|WHO|CLIENT|SERVER". The name that somebody types stands in it twice and may hold bars:
// then there are more columns than the two that newer versions may add.
bool columns_of(std::string_view text, Trail& out) {
  constexpr std::size_t kLeast = 7;
  constexpr std::size_t kMost = 9;
  std::array<std::string_view, kMost> cells;
  std::size_t count = 0;
  while (!text.empty()) {
    if (count == kMost) return false;
    cells[count++] = core::trim(core::take_until(text, '|'));
  }
  if (count < kLeast || !is_action(cells[3])) return false;
  out = {cells[0], cells[2], cells[3], cells[4], cells[5], cells[6]};
  return true;
}

// What the audit trail wrote, without what the logger put around it. False if it is another's line.
bool trail_of(std::string_view text, std::string_view& out) {
  // "[org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - <...>", perhaps behind time and level
  if (text.empty() || (text.front() != '[' && !is_digit(text.front()))) return false;
  const auto at = text.substr(0, 96).find("inspektr.audit.");
  if (at == text.npos) return false;
  const auto end = text.find("] - ", at);
  if (end == text.npos) return false;
  out = core::trim(text.substr(end + 4));
  if (skip_prefix(out, "<") && out.ends_with('>')) out.remove_suffix(1);
  return true;
}

constexpr std::array<std::string_view, 6> kMembers = {"when",           "what", "action", "who", "clientIpAddress",
                                                      "serverIpAddress"};
// In the same order.
constexpr std::array kTrail = {&Trail::when, &Trail::what, &Trail::action, &Trail::who, &Trail::client, &Trail::server};

constexpr std::string_view kBegin = "Audit trail record BEGIN";
enum Label : std::uint8_t { kWho, kWhat, kAction, kApplication, kWhen, kClient, kServer, kLabels };
constexpr std::array<std::string_view, kLabels> kNames = {
    "WHO: ", "WHAT: ", "ACTION: ", "APPLICATION: ", "WHEN: ", "CLIENT IP ADDRESS: ", "SERVER IP ADDRESS: "};

struct Action {
  std::string_view name;
  Activity activity;
  bool session;
  Outcome outcome;
};

constexpr std::array kActions = {
    Action{"AUTHENTICATION_SUCCESS", Activity::kLogon, false, Outcome::kSuccess},
    Action{"AUTHENTICATION_FAILED", Activity::kLogon, false, Outcome::kFailure},
    Action{"TICKET_GRANTING_TICKET_CREATED", Activity::kStart, true, Outcome::kSuccess},
    Action{"TICKET_GRANTING_TICKET_NOT_CREATED", Activity::kObserved, false, Outcome::kFailure},
    Action{"TICKET_GRANTING_TICKET_DESTROYED", Activity::kEnd, true, Outcome::kUnknown},
    Action{"SERVICE_TICKET_CREATED", Activity::kUpdate, true, Outcome::kSuccess},
    Action{"LOGOUT_SUCCESS", Activity::kLogoff, false, Outcome::kUnknown},
};

const Action* action_of(std::string_view name) {
  for (const Action& action : kActions) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

// The credential that was shown: "UsernamePasswordCredential(username=alice, ...)".
AuthMethod method_of(std::string_view what) {
  struct Row {
    std::string_view name;
    AuthMethod method;
  };
  static constexpr std::array kRows = {Row{"UsernamePasswordCredential", AuthMethod::kPassword},
                                       Row{"RememberMeUsernamePassword", AuthMethod::kPassword},
                                       Row{"X509CertificateCredential", AuthMethod::kCertificate},
                                       Row{"SpnegoCredential", AuthMethod::kKerberos},
                                       Row{"SamlCredential", AuthMethod::kSaml}};
  for (const Row& row : kRows) {
    if (what.contains(row.name)) return row.method;
  }
  return AuthMethod::kUnknown;
}

class CasAudit final : public RecordDecoder {
 public:
  explicit CasAudit(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.json) {
      return (json::products_of(r) & json::kAction) != 0 && !json::raw_member(r, "clientIpAddress").empty() &&
             !json::raw_member(r, "who").empty();
    }
    std::string_view trail;
    if (trail_of(r.message, trail)) return true;
    if (in_block_) return label_of(r.raw) != kLabels || is_ruler(r.raw);
    // A file of the trail alone: "Sun Nov 22 08:00:00 UTC 2026|CAS|...".
    Trail columns;
    return r.raw.size() > 40 && r.raw[3] == ' ' && r.raw.substr(19, 16).contains('|') && columns_of(r.raw, columns);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view text;
    if (r.json) {
      text = r.message;
    } else if (!trail_of(r.message, text)) {
      if (in_block_) return block_line(r.raw, e);
      text = r.raw;
    } else if (text.starts_with(kBegin)) {
      for (std::string& value : block_) value.clear();
      in_block_ = true;
      written_ = e.time;
      return Fate::ignored(kLineOfRecord);
    }
    in_block_ = false;
    if (is_level(e.observer.text())) e.observer = {};  // what stands behind the time is no host
    Trail trail;
    if (!(text.starts_with('{') ? members_of(text, trail) : columns_of(text, trail))) return Fate::rejected(kColumns);
    return put(trail, e);
  }

 private:
  static bool is_level(std::string_view text) {
    return text == "INFO" || text == "WARN" || text == "DEBUG" || text == "ERROR";
  }
  // With audit-format=JSON: {"who":"alice","what":"...","action":"AUTHENTICATION_SUCCESS",...}
  bool members_of(std::string_view text, Trail& out) {
    json::Object object;
    if (!parser_.open(text, object)) return false;
    const json::Walk walk = json::each_field(object, [&](std::string_view name, const json::Value& value) {
      const auto to = std::find(kMembers.begin(), kMembers.end(), name);
      if (to != kMembers.end()) out.*kTrail[static_cast<std::size_t>(to - kMembers.begin())] = json::text(value);
      return true;
    });
    return walk == json::Walk::kEnd;
  }
  static bool is_ruler(std::string_view text) { return text.starts_with("=====") || text == ">"; }
  static std::size_t label_of(std::string_view text) {
    std::size_t label = 0;
    while (label < kLabels && !text.starts_with(kNames[label])) ++label;
    return label;
  }

  // A value may go on over lines of which nothing tells that they are the record's: those are nobody's.
  Fate block_line(std::string_view text, Event& e) {
    e.observer = {};
    const std::size_t label = label_of(text);
    if (label == kLabels) {
      if (text == ">") in_block_ = false;
      return Fate::ignored(kLineOfRecord);
    }
    block_[label] = core::trim(text.substr(kNames[label].size(), kLongestValue));
    if (label != kServer) return Fate::ignored(kLineOfRecord);
    e.time = written_;
    const Fate fate =
        put({block_[kWhen], block_[kWhat], block_[kAction], block_[kWho], block_[kClient], block_[kServer]}, e);
    for (std::string& value : block_) value.clear();
    return fate;
  }

  Fate put(const Trail& t, Event& e) {
    if (t.action.empty()) return Fate::rejected(kColumns);
    const Action* action = action_of(t.action);
    if (action == nullptr) return json::ignored("action", t.action);
    // The trail's own time names its zone.
    if (const core::Nanoseconds time = read_time(t.when, times_); time != 0) e.time = time;
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (action->session) {
      put_session(e, action->activity);
      e.service = Service::kWeb;
      e.outcome = action->outcome;
    } else {
      put_login(e, action->outcome, Service::kWeb);
      e.activity = action->activity;
    }
    e.code = core::intern(action->name);
    // Of a failure there is only the name that was typed.
    const bool nobody = t.who.starts_with("audit:");
    std::string_view typed = core::between(t.what, "username=", "").value_or("");
    typed = typed.substr(0, typed.find_first_of(",)]"));
    set_typed_user(e, nobody ? typed : t.who);
    e.source_ip = given_ip(t.client);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    e.observer_ip = given_ip(t.server);
    e.auth_method = method_of(t.what);
    if (action->activity == Activity::kUpdate) e.destination_name = url_host(t.what);  // "ST-1-... for https://..."
    return Fate::kept();
  }

  static constexpr std::size_t kLongestValue = 1024;

  core::TimeReader times_;
  json::Parser parser_;
  // Of a record in a block of lines what was read so far.
  bool in_block_ = false;
  core::Nanoseconds written_ = 0;
  std::array<std::string, kLabels> block_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cas_audit(const core::TimeReader& times) {
  return std::make_unique<CasAudit>(times);
}

}  // namespace orbwatch::decode
