// VMware vCenter Server and ESXi: log-ins and log-outs out of the events that vCenter streams to syslog, its single
// sign-on's audit, the access log of its proxy and ESXi's hostd.
// Spec: vSphere API Reference (vim.event.UserLoginSessionEvent, BadUsernameSessionEvent and their kin), "vCenter Server
// Configuration": Forward vCenter Server Log Files to Remote Syslog Server, "vSphere Security": Audit Events in SSO
// (techdocs.broadcom.com).
//
// Four sample records (shortened):
//   <14>1 2026-11-22T08:00:00.1Z vc1 vpxd 7879 - - Event [11] [1-1] [2026-11-22T08:00:00.06Z]
//   [vim.event.UserLoginSessionEvent] [info] [CORP\alice] [] [11] [User CORP\alice@203.0.113.7 logged in as
//   VMware-client/8.0.3] 2026-11-22T08:00:01.5Z INFO websso[52:tomcat-http--15] [CorId=...] [auditlogger]
//   {"user":"bob@corp.example","client": "203.0.113.7",...,"type":"com.vmware.sso.LoginFailure"} 2026-11-22T08:00:02.1Z
//   info envoy[1] [Originator@6876 sub=Default] 2026-11-22T08:00:02.0Z POST /sdk HTTP/1.1 200 ...
//   <166>2026-11-22T08:00:03.1Z esx1 Hostd: info hostd[2100] [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 7 : User
//   root@203.0.113.7 logged in as VMware-client/6.5.0
//
// Ignored by name: every other event ("event VmReconfiguredEvent"), the logs of its programs ("log of vpxd").
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
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

const Symbol kNoTime = core::intern("vmware_vcenter: no time");
const Symbol kBroken = core::intern("vmware_vcenter: an event without its brackets");
const Symbol kNobody = core::intern("vmware_vcenter: neither user nor address");
const Symbol kJavaLog = core::intern("log of a Java service");
const Symbol kFurtherLine = core::intern("further line of a message");
const Symbol kHttp = core::intern("http");
const Symbol kEnvoyCode = core::intern("envoy");
const Symbol kHostdCode = core::intern("hostd");
const Symbol kLoginFault = core::intern("vim.fault.InvalidLogin");

constexpr std::string_view kOriginator = "[Originator@6876 ";
constexpr std::string_view kAuditLogger = "[auditlogger] {";
constexpr std::string_view kSso = "com.vmware.sso.";

enum class Kind : std::uint8_t { kNone, kEvent, kAudit, kProgram, kJava, kContinued };

bool begins_with_time(std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(1);
  return text.size() > 20 && is_digit(text[0]) && text[4] == '-' && text[10] == 'T' && text[13] == ':';
}

// "Event [11] [1-1] [2026-..."
bool is_event(std::string_view text) {
  Scanner s(text);
  if (!s.skip("Event [") || !is_digit(s.peek())) return false;
  s.number();
  if (!s.skip("] [") || !is_digit(s.peek())) return false;
  s.number();
  if (!s.skip('-')) return false;
  s.number();
  return s.skip("] [");
}

Kind kind_of(const TextRecord& r) {
  const std::string_view text = core::trim(r.message);
  if (r.json) {
    const bool typed = (json::products_of(r) & json::kType) != 0;
    return typed && json::raw_member(r, "type").substr(0, 20).contains(kSso) ? Kind::kAudit : Kind::kNone;
  }
  if (text.starts_with("Event [")) return is_event(text) ? Kind::kEvent : Kind::kNone;
  if (text.starts_with("--> ")) return Kind::kContinued;
  if (r.structured.starts_with(kOriginator)) return Kind::kProgram;
  // A level, a program or a thread stands in front.
  const std::string_view head = text.substr(0, 128);
  if (head.contains(kOriginator)) return Kind::kProgram;
  if (!begins_with_time(r.raw)) return Kind::kNone;
  const std::string_view line = r.raw.substr(0, 240);
  if (line.contains(kAuditLogger)) return Kind::kAudit;
  return line.contains(" com.vmware.") || line.contains(" c.v.v.") ? Kind::kJava : Kind::kNone;
}

// "CORP\alice@203.0.113.7", "alice@corp.example@203.0.113.7", also within quotes and with a full stop.
void put_who(std::string_view text, Event& e) {
  if (text.starts_with('\'')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '.' || text.back() == '\'')) text.remove_suffix(1);
  const auto at = text.rfind('@');
  if (at != text.npos) {
    if (const auto ip = core::Ip::parse(text.substr(at + 1))) {
      e.source_ip = *ip;
      text = text.substr(0, at);
    }
  }
  set_user(e, text);
}

// What events and hostd say of sessions. False if it is something else.
bool read_session(std::string_view text, Event& e) {
  const auto login = [&e](Outcome outcome, Service service, std::string_view who) {
    put_login(e, outcome, service);
    put_who(who, e);
    return true;
  };
  const auto ssh_session = [&e](Activity activity, std::string_view who) {
    put_session(e, activity);
    e.service = Service::kSsh;
    if (activity == Activity::kStart) e.outcome = Outcome::kSuccess;
    put_who(who, e);
    return true;
  };
  // "alice from 203.0.113.7 at 11/22/2026 08:00:00 GMT in SSO"
  const auto from = [&](Outcome outcome) {
    const auto at = text.find(" from ");
    if (at == text.npos) return false;
    put_login(e, outcome, Service::kManagement);
    set_user(e, text.substr(0, at));
    Scanner(text.substr(at + 6)).ip(e.source_ip);
    return true;
  };
  if (core::skip_prefix(text, "User ")) {
    if (const auto in = text.find(" logged in as "); in != text.npos) {
      json::set_user_agent(e, text.substr(in + 14));
      return login(Outcome::kSuccess, Service::kManagement, text.substr(0, in));
    }
    if (const auto out = text.find(" logged out"); out != text.npos) {
      login(Outcome::kUnknown, Service::kManagement, text.substr(0, out));
      e.activity = Activity::kLogoff;
      if (const auto agent = text.rfind("user agent: "); agent != text.npos && text.ends_with(')'))
        json::set_user_agent(e, text.substr(agent + 12, text.size() - agent - 13));
      return true;
    }
    return false;
  }
  if (core::skip_prefix(text, "Cannot login ")) {
    const auto why = text.find(": ");
    if (why != text.npos) e.reason = closed_reason(text.substr(why + 2));
    return login(Outcome::kFailure, Service::kManagement, text.substr(0, why));
  }
  if (core::skip_prefix(text, "SSH session was opened for ")) return ssh_session(Activity::kStart, text);
  if (core::skip_prefix(text, "SSH session was closed for ")) return ssh_session(Activity::kEnd, text);
  if (core::skip_prefix(text, "SSH login has failed for ")) return login(Outcome::kFailure, Service::kSsh, text);
  if (core::skip_prefix(text, "Successful login ")) return from(Outcome::kSuccess);
  if (core::skip_prefix(text, "Failed login ")) return from(Outcome::kFailure);
  if (core::skip_prefix(text, "Accepted password for user ")) return from(Outcome::kSuccess);
  if (core::skip_prefix(text, "Rejected password for user ")) return from(Outcome::kFailure);
  return false;
}

// The text of a member of an object that stands in a line, also where the quotes have backslashes before them.
std::string_view member(std::string_view text, std::string_view name) {
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    Scanner s(text.substr(at + name.size()));
    if (at == 0 || text[at - 1] != '"') continue;
    s.skip('\\');
    if (!s.skip('"')) continue;
    s.spaces();
    if (!s.skip(':')) continue;
    s.spaces();
    s.skip('\\');
    if (!s.skip('"')) continue;
    return s.until_any("\\\"");
  }
  return {};
}

// "info vpxd[07879] [Originator@6876 sub=Default] text": the program.
std::string_view program_of(const TextRecord& r) {
  std::string_view before = r.message.substr(0, r.message.find(kOriginator));
  if (before.size() == r.message.size() || before.size() < 2) return r.program;
  before = core::trim(before);
  before = before.substr(before.rfind(' ') + 1);
  return before.substr(0, before.find('['));
}

// "11/22/2026 08:00:00 GMT"
core::Nanoseconds sso_time(std::string_view text) {
  Scanner s(text);
  core::CivilTime civil;
  const auto part = [&s](char before) {
    if (before != '\0') s.skip(before);
    return static_cast<int>(std::min<std::uint64_t>(s.number(), 10'000));
  };
  civil.month = part('\0');
  civil.day = part('/');
  civil.year = part('/');
  civil.hour = part(' ');
  civil.minute = part(':');
  civil.second = part(':');
  return core::valid(civil) ? core::from_utc(civil) : 0;
}

class VmwareVcenter final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override { return kind_of(r) != Kind::kNone; }

  Fate decode(const TextRecord& r, Event& e) override {
    // In a file without envelope the level of the message stands where a host would.
    for (const std::string_view level : {"info", "warning", "error", "verbose", "INFO", "WARN", "ERROR", "DEBUG"}) {
      if (r.host == level) e.observer = {};
    }
    switch (kind_of(r)) {
      case Kind::kEvent: return vcenter_event(core::trim(r.message), e);
      case Kind::kAudit: return audit(r.json ? r.message : r.raw, e);
      case Kind::kProgram: return program(r, e);
      case Kind::kContinued: return Fate::ignored(kFurtherLine);
      default: return Fate::ignored(kJavaLog);
    }
  }

 private:
  static Fate finish(Event& e) {
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    return Fate::kept();
  }

  // "Event [ID] [1-1] [TIME] [vim.event.NAME] [info] [USER] [HOST OR DATA CENTRE] [ID] [TEXT]"
  static Fate vcenter_event(std::string_view text, Event& e) {
    std::array<std::string_view, 8> fields;
    text.remove_prefix(6);
    for (std::string_view& field : fields) {
      const auto end = text.find("] [");
      if (!text.starts_with('[') || end == text.npos) return Fate::rejected(kBroken);
      field = text.substr(1, end - 1);
      text.remove_prefix(end + 2);
    }
    if (text.starts_with('[')) text.remove_prefix(1);
    if (text.ends_with(']')) text.remove_suffix(1);
    std::string_view name = fields[3];
    core::skip_prefix(name, "vim.event.");
    if (!read_session(text, e)) return json::ignored("event", name);
    if (const core::Nanoseconds time = json::utc_time(fields[2]); time != 0) e.time = time;
    e.code = core::intern(fields[3]);
    // What happened on a host of its own is told by vCenter with that host's name.
    if (!fields[6].empty()) e.observer = core::intern(fields[6]);
    if (!e.user.present()) set_user(e, fields[5]);
    return finish(e);
  }

  static Fate audit(std::string_view text, Event& e) {
    const std::string_view code = member(text, "type");
    std::string_view type = code;
    if (!core::skip_prefix(type, kSso)) return json::ignored("audit", "other");
    if (type == "LoginSuccess" || type == "LoginFailure") {
      put_login(e, type == "LoginSuccess" ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
    } else if (type == "Logout") {
      put_login(e, Outcome::kUnknown, Service::kManagement);
      e.activity = Activity::kLogoff;
    } else {
      return json::ignored("audit", type);
    }
    e.code = core::intern(code);
    if (e.time == 0) e.time = sso_time(member(text, "timestamp"));
    set_user(e, member(text, "user"));
    json::set_source(e, member(text, "client"));
    return finish(e);
  }

  static Fate program(const TextRecord& r, Event& e) {
    const std::string_view name = program_of(r);
    std::string_view text = r.message;
    if (const auto at = text.find(kOriginator); at != text.npos) {
      text.remove_prefix(at);
      text.remove_prefix(std::min(text.find("] "), text.size()));
      text.remove_prefix(std::min(text.size(), std::size_t{2}));
    }
    if (name.starts_with("envoy")) return proxied(name, text, e);
    // hostd: "Event 7 : User root@203.0.113.7 logged in as ..."
    if (core::skip_prefix(text, "Event ")) {
      Scanner s(text);
      s.number();
      text = s.skip(" : ") ? s.rest() : std::string_view{};
    }
    if (read_session(text, e)) {
      e.code = kHostdCode;
      return finish(e);
    }
    if (text.contains("vim.SessionManager.login: vim.fault.InvalidLogin") && text.contains("userName:")) {
      put_login(e, Outcome::kFailure, Service::kManagement);
      e.code = kLoginFault;
      std::string_view user = text.substr(text.find("userName:") + 9);
      user.remove_prefix(std::min(user.find('"'), user.size()));
      if (user.starts_with('"')) user.remove_prefix(1);
      set_user(e, user.substr(0, user.find_first_of("\\\"")));
      return finish(e);
    }
    return json::ignored("log of", name);
  }

  // "2026-11-22T08:00:02.0Z POST /sdk HTTP/1.1 200 via_upstream - 1670 11032 1 0 0 203.0.113.7:54080 192.0.2.5:443 ..."
  static Fate proxied(std::string_view name, std::string_view text, Event& e) {
    std::array<std::string_view, 14> words;
    for (std::string_view& word : words) word = core::take_until(text, ' ');
    const Endpoint client = endpoint(words[12]);
    const Endpoint server = endpoint(words[13]);
    if (!client.ip.present() || client.port == 0 || !words[3].starts_with("HTTP/"))
      return json::ignored("log of", name);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    e.action = Action::kAllowed;
    e.code = kEnvoyCode;
    e.application = kHttp;
    e.protocol = 6;
    e.source_ip = client.ip;
    e.source_port = client.port;
    e.destination_ip = server.ip;
    e.destination_port = server.port;
    e.source_bytes = json::number(words[7]).value_or(0);
    e.destination_bytes = json::number(words[8]).value_or(0);
    if (const auto ms = json::number(words[9]))
      e.duration = seconds(*ms / 1000) + static_cast<int>(*ms % 1000) * core::kMillisecond;
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_vmware_vcenter(const core::TimeReader&) {
  return std::make_unique<VmwareVcenter>();
}

}  // namespace orbwatch::decode
