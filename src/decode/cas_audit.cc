// Apereo CAS: log-ins, their failures, sessions and log-outs, from its audit trail (Inspektr), one line a record or in
// blocks of lines.
//
// Sources: "Audits & Authentication Statistics" of CAS 5.3 to 7 (apereo.github.io/cas); AbstractStringAuditTrailManager
// of Inspektr 1.0 to 2 (github.com/apereo/inspektr) and of CAS 7, which names and orders the values otherwise.
//   2026-11-22 08:00:00,116 INFO [org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - <Sun Nov 22
//   08:00:00 UTC
//   2026|CAS|[UsernamePasswordCredential(username=alice)]|AUTHENTICATION_SUCCESS|alice|203.0.113.7|192.0.2.2>
//   2026-11-22 08:00:00,116 INFO [org.apereo...] - <Audit trail record BEGIN
//   WHO: alice
//   ... - <{"who":"alice","action":"AUTHENTICATION_SUCCESS","clientIpAddress":"203.0.113.7",...}>
// Of a block the line with the server's address stands for the record; its other lines are ignored by name ("line of a
// record"). Ignored by name, too: other actions ("action SERVICE_TICKET_VALIDATED").
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
const Symbol kServerLog = core::intern("server log");
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
  std::string_view agent;
};

// "AUTHENTICATION_FAILED"
bool is_action(std::string_view text) {
  return text.size() > 3 && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == text.npos;
}

bool is_address(std::string_view text) { return text == "unknown" || core::Ip::parse(text).has_value(); }

// "WHEN|APPLICATION|WHAT|ACTION|WHO|CLIENT|SERVER", of CAS 7 "WHEN|WHO|WHAT|ACTION|APPLICATION|AGENT|CLIENT|SERVER|"
// and perhaps one more. The name that somebody types stands in it twice and may hold bars: then there are more columns,
// or others than addresses where the addresses must stand.
bool columns_of(std::string_view text, Trail& out) {
  constexpr std::size_t kFormer = 7;
  constexpr std::size_t kMost = 10;
  std::array<std::string_view, kMost> cells;
  std::size_t count = 0;
  while (!text.empty()) {
    if (count == kMost) return false;
    cells[count++] = core::trim(core::take_until(text, '|'));
  }
  if (count < kFormer || !is_action(cells[3])) return false;
  if (count == kFormer) {
    out = {cells[0], cells[2], cells[3], cells[4], cells[5], cells[6], {}};
  } else {
    out = {cells[0], cells[2], cells[3], cells[1], cells[6], cells[7], cells[5]};
  }
  return is_address(out.client) && is_address(out.server);
}

// Whose a line of the server's log is.
enum class Logger : std::uint8_t { kNone, kTrail, kServer };

// "[org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - <...>", perhaps behind time and level. What the
// logger put around a message is left out of `message`.
Logger logger_of(std::string_view text, std::string_view& message) {
  constexpr std::size_t kLongestHead = 48;
  if (text.empty() || (text.front() != '[' && !is_digit(text.front()))) return Logger::kNone;
  const auto open = text.substr(0, kLongestHead).find('[');
  if (open == text.npos) return Logger::kNone;
  const std::string_view name = text.substr(open + 1, text.find(']', open) - open - 1);
  const bool trail = name.contains("inspektr.audit.");
  if (!trail && !name.starts_with("org.apereo.cas.") && !name.starts_with("org.jasig.cas.")) return Logger::kNone;
  message = text.substr(std::min(open + 1 + name.size() + 1, text.size()));
  if (!skip_prefix(message, " - ")) return Logger::kNone;
  message = core::trim(message);
  if (skip_prefix(message, "<") && message.ends_with('>')) message.remove_suffix(1);
  return trail ? Logger::kTrail : Logger::kServer;
}

constexpr std::array<std::string_view, 7> kMembers = {
    "when", "what", "action", "who", "clientIpAddress", "serverIpAddress", "userAgent"};
// In the same order.
constexpr std::array kTrail = {&Trail::when,   &Trail::what,   &Trail::action, &Trail::who,
                               &Trail::client, &Trail::server, &Trail::agent};

constexpr std::string_view kBegin = "Audit trail record BEGIN";
enum Label : std::uint8_t { kWho, kWhat, kAction, kWhen, kClient, kServer, kAgent, kOtherLabel, kLabels };
struct LabelName {
  std::string_view name;
  Label label;
};
constexpr std::array kLabelNames = {
    LabelName{"WHO: ", kWho},          LabelName{"WHAT: ", kWhat},
    LabelName{"ACTION: ", kAction},    LabelName{"APPLICATION: ", kOtherLabel},
    LabelName{"WHEN: ", kWhen},        LabelName{"CLIENT IP ADDRESS: ", kClient},
    LabelName{"CLIENT_IP: ", kClient}, LabelName{"SERVER IP ADDRESS: ", kServer},
    LabelName{"SERVER_IP: ", kServer}, LabelName{"USER-AGENT: ", kAgent},
    LabelName{"USER_AGENT: ", kAgent}, LabelName{"DEVICE_FINGERPRINT: ", kOtherLabel},
};

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
    std::string_view message;
    if (logger_of(r.message, message) != Logger::kNone) return true;
    if (in_block_) return label_of(r.raw) != nullptr || is_ruler(r.raw);
    // A file of the trail alone: "Sun Nov 22 08:00:00 UTC 2026|CAS|...".
    Trail columns;
    return r.raw.size() > 40 && r.raw[3] == ' ' && r.raw.substr(19, 16).contains('|') && columns_of(r.raw, columns);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view text;
    const Logger logger = r.json ? Logger::kNone : logger_of(r.message, text);
    if (logger == Logger::kServer) return Fate::ignored(kServerLog);
    if (logger == Logger::kNone) {
      if (in_block_ && !r.json) return block_line(r.raw, e);
      text = r.json ? r.message : r.raw;
    } else if (text.starts_with(kBegin)) {
      clear_block();
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
  // "Supplied credentials: [UsernamePasswordCredential(username=bob, source=null)]", "Supplied credentials: [bob]"
  static std::string_view typed_name(std::string_view what) {
    auto name = core::between(what, "username=", "");
    if (!name) name = core::between(what, "credentials: [", "");
    return name ? name->substr(0, name->find_first_of(",)]")) : std::string_view();
  }
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
  static const LabelName* label_of(std::string_view text) {
    for (const LabelName& row : kLabelNames) {
      if (text.starts_with(row.name)) return &row;
    }
    return nullptr;
  }
  void clear_block() {
    for (std::string& value : block_) value.clear();
  }

  // A value may go on over lines of which nothing tells that they are the record's: those are nobody's.
  Fate block_line(std::string_view text, Event& e) {
    e.observer = {};
    const LabelName* row = label_of(text);
    if (row == nullptr) {
      if (text == ">") in_block_ = false;
      return Fate::ignored(kLineOfRecord);
    }
    block_[row->label] = core::trim(text.substr(row->name.size(), kLongestValue));
    if (row->label != kServer) return Fate::ignored(kLineOfRecord);
    e.time = written_;
    const Fate fate = put(
        {block_[kWhen], block_[kWhat], block_[kAction], block_[kWho], block_[kClient], block_[kServer], block_[kAgent]},
        e);
    clear_block();
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
    set_typed_user(e, t.who.starts_with("audit:") ? typed_name(t.what) : t.who);
    e.source_ip = given_ip(t.client);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    e.observer_ip = given_ip(t.server);
    e.auth_method = method_of(t.what);
    json::set_user_agent(e, t.agent);
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
