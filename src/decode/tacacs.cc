// TACACS+ servers: tac_plus (Cisco's, Shrubbery's and Facebook's) and tac_plus-ng (Pro-Bono-Publico): who logged in to
// which network device from where, sessions, commands.
//
// Sources: tac_plus.conf(5), authen.c and do_acct.c of tac_plus F4.0.4; documentation of tac_plus and tac_plus-ng of
// the event-driven servers, "Logging"; RFC 8907.
//   Nov 22 08:00:00	192.0.2.2	alice	tty2	198.51.100.30	start	task_id=35585	service=shell
//   2026-11-22 08:00:00 +0000	192.0.2.2	bob	tty2	203.0.113.7	shell login failed (no such user)
//   Nov 22 08:00:00 aaa1 tac_plus[5704]: login query for 'alice' port tty2 from 192.0.2.2 accepted
// Columns: device, user, port, client, what happened, attributes; set apart by tabs, "|" or "|!|". Everything else is
// ignored by name.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Event;
using event::Outcome;
using event::Service;

const Symbol kNobody = core::intern("tacacs: neither user nor address");
const Symbol kNoTime = core::intern("tacacs: no time");
const Symbol kOther = core::intern("TACACS+ other message");
const Symbol kRefused = core::intern("authorization that was refused");
const Symbol kTacacs = core::intern("tacacs");

// The columns of a record.
struct Columns {
  core::Nanoseconds time = 0;  // 0 if none stands there
  std::string_view device;
  std::string_view user;
  std::string_view port;
  std::string_view client;
  std::string_view what;
  std::string_view rest;
  std::string_view separator;
};

std::string_view take(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const std::string_view column = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + separator.size());
  return core::trim(column);
}

// The words that tell an accounting record or a decision; what a log-in says is a sentence.
bool is_record(std::string_view what) { return what == "start" || what == "stop" || what == "update"; }
bool is_decision(std::string_view what) { return what == "permit" || what == "deny"; }
bool is_login(std::string_view what) {
  return what.contains(" login ") &&
         (what.contains(" succeeded") || what.contains(" failed") || what.contains(" denied"));
}

bool columns_of(std::string_view text, const core::TimeReader& times, Columns& out) {
  for (const std::string_view separator : {"\t"sv, "|!|"sv, "|"sv}) {
    if (text.contains(separator)) {
      out.separator = separator;
      break;
    }
  }
  if (out.separator.empty() || text.empty()) return false;
  Scanner s(text);
  if (is_digit(text[0])) {
    if (const auto time = scan_time(s, times)) out.time = *time;
    text = s.rest();
  } else if (const auto time = core::parse_bsd(text, times)) {
    out.time = *time;
  }
  if (out.time != 0) {
    if (!skip_prefix(text, out.separator) && !skip_prefix(text, " ")) return false;
  }
  out.device = take(text, out.separator);
  out.user = take(text, out.separator);
  out.port = take(text, out.separator);
  out.client = take(text, out.separator);
  out.what = take(text, out.separator);
  out.rest = text;
  if (out.device.empty() || out.device.contains(' ')) return false;
  return is_record(out.what) || is_decision(out.what) || is_login(out.what);
}

void put_ends(const Columns& c, Event& e) {
  e.application = kTacacs;
  e.source_ip = given_ip(c.client);
  e.destination_ip = given_ip(c.device);
  if (!e.destination_ip.present()) e.destination_name = core::intern(c.device);
  set_typed_user(e, c.user);
}

Fate someone(const Event& e) {
  if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
  return e.time == 0 ? Fate::rejected(kNoTime) : Fate::kept();
}

AuthMethod method_of(std::string_view what) {
  const bool password = what.starts_with("shell") || what.starts_with("pap") || what.starts_with("chap") ||
                        what.starts_with("mschap") || what.starts_with("ascii") || what.starts_with("login") ||
                        what.starts_with("enable");
  return password ? AuthMethod::kPassword : AuthMethod::kUnknown;
}

// "shell login failed (no such user)", "enable 15 login succeeded".
Fate login(const Columns& c, Event& e) {
  const bool good = c.what.contains(" succeeded");
  put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
  put_ends(c, e);
  e.auth_method = method_of(c.what);
  if (!good) {
    const auto why = core::between(c.what, "(", ")");
    e.reason = closed_reason(why ? *why : c.what);
  }
  return someone(e);
}

struct Attributes {
  std::string_view task;
  std::string_view service;
  std::string_view command;
  std::string_view address;
  std::uint64_t elapsed = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  void put(std::string_view pair) {
    const auto number = [](std::string_view text) { return core::parse_number<std::uint64_t>(text).value_or(0); };
    if (skip_prefix(pair, "task_id=")) task = pair;
    if (skip_prefix(pair, "service=")) service = pair;
    if (skip_prefix(pair, "cmd=")) command = pair;
    if (skip_prefix(pair, "addr=")) address = pair;
    if (skip_prefix(pair, "elapsed_time=")) elapsed = number(pair);
    if (skip_prefix(pair, "bytes_in=")) bytes_in = number(pair);
    if (skip_prefix(pair, "bytes_out=")) bytes_out = number(pair);
  }
};

Fate accounting(const Columns& c, Event& e) {
  Attributes a;
  std::string_view rest = c.rest;
  while (!rest.empty()) a.put(take(rest, c.separator));
  // A command, or leave to give one: the session goes on, whatever the record is called.
  const bool command = !a.command.empty() || is_decision(c.what);
  put_session(e, command || c.what == "update" ? Activity::kUpdate
                 : c.what == "start"           ? Activity::kStart
                                               : Activity::kEnd);
  put_ends(c, e);
  e.service = a.service == "ppp" ? Service::kVpn : Service::kManagement;
  e.assigned_ip = given_ip(a.address);
  e.duration = seconds(a.elapsed);
  // As the device counts them: what came in is the client's.
  e.source_bytes = a.bytes_in;
  e.destination_bytes = a.bytes_out;
  if (!a.task.empty()) e.session_id = core::hash64(a.task);
  return someone(e);
}

// "login query for 'alice' port tty2 from 192.0.2.2 accepted", "enable query for 'alice' tty2 from 192.0.2.2 rejected",
// "login failure: alice 192.0.2.2 (192.0.2.2) tty2". The address is the device's; the client's is in the accounting.
Fate message(std::string_view text, Event& e) {
  Columns c;
  bool good = false;
  if (const auto query = text.find(" query for '"); query < 32) {
    const auto end = text.rfind(" from ");
    const auto quote = end == text.npos ? text.npos : text.rfind('\'', end);  // a name may hold quotes
    if (quote == text.npos || quote < query + 12) return Fate::ignored(kOther);
    c.user = text.substr(query + 12, quote - query - 12);
    std::string_view rest = text.substr(end + 6);
    c.device = core::take_until(rest, ' ');
    good = rest == "accepted";
    if (!good && rest != "rejected") return Fate::ignored(kOther);
  } else if (std::string_view rest = text; skip_prefix(rest, "login failure: ")) {
    c.user = core::take_until(rest, ' ');
    c.device = core::take_until(rest, ' ');
  } else {
    return Fate::ignored(kOther);
  }
  if (c.user == "unknown") c.user = {};  // what it writes where there was no name
  put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
  put_ends(c, e);
  e.auth_method = method_of(text);
  return someone(e);
}

class TacacsServer final : public RecordDecoder {
 public:
  explicit TacacsServer(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (is_server(r.program)) return true;
    if (r.time == 0 || !(r.raw.contains('\t') || r.raw.contains("|!|"))) return false;
    Columns c;
    return columns_of(r.raw, times_, c) && c.time != 0;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Columns c;
    if (!columns_of(is_server(r.program) ? r.message : r.raw, times_, c)) return message(r.message, e);
    if (!is_server(r.program)) e.observer = {};  // what was taken for a host are columns
    if (c.time != 0) e.time = c.time;
    e.code = core::intern(is_login(c.what) ? std::string_view("login") : c.what);
    if (is_login(c.what)) return login(c, e);
    if (c.what == "deny") return Fate::ignored(kRefused);
    return accounting(c, e);
  }

 private:
  static bool is_server(std::string_view program) {
    return program == "tac_plus" || program == "tac_plus-ng" || program == "tac_plus6" || program == "tacplus";
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_tacacs(const core::TimeReader& times) {
  return std::make_unique<TacacsServer>(times);
}

}  // namespace orbwatch::decode
