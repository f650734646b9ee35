// FreeRADIUS: what radiusd logs of log-ins, from syslog or from radius.log.
//
// Sources: src/main/auth.c and log.c of FreeRADIUS 2 and 3, src/main/listen.c; radiusd.conf (log { auth = yes }).
//   radiusd[700]: (29559) Login OK: [alice] (from client vpn1 port 0 cli 203.0.113.7)
//   Sun Nov 22 08:00:00 2026 : Auth: (7) Login incorrect (mschap: MS-CHAP2-Response is incorrect): [CORP\bob] (from
//   client ap1 port 8 cli 02-00-00-00-00-05 via TLS tunnel)
//   Sun Nov 22 08:00:01 2026 : Error: Ignoring request to auth address * port 1812 bound to server default from unknown
//   client 203.0.113.9 port 9459 proto udp
// Passwords that an administrator lets radiusd log are never read. All else is ignored by name.
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoUser = core::intern("freeradius: no user");
const Symbol kNoAddress = core::intern("freeradius: no address");
const Symbol kOther = core::intern("FreeRADIUS other message");
const Symbol kRadius = core::intern("radius");

// "Sun Nov 22 08:00:00 2026 : Auth: " of radius.log; moves behind the category.
bool skip_file_head(std::string_view& text, const core::TimeReader& times, core::Nanoseconds& time) {
  std::string_view rest = text;
  const auto read = core::parse_ctime(rest, times);
  if (!read || !rest.starts_with(" : ")) return false;
  const auto colon = text.find(": ", 27);
  if (colon == text.npos || colon > 40) return false;
  time = *read;
  text.remove_prefix(colon + 2);
  return true;
}

// "(29559) ", "  (7) ": the request's number.
void skip_request(std::string_view& text) {
  text = core::trim(text);
  if (!text.starts_with('(')) return;
  std::size_t i = 1;
  while (i < text.size() && is_digit(text[i])) ++i;
  if (i > 1 && i < text.size() && text[i] == ')') text = core::trim(text.substr(i + 1));
}

bool is_login(std::string_view text) {
  return (text.starts_with("Login OK") || text.starts_with("Login incorrect") || text.starts_with("Invalid user") ||
          text.starts_with("Multiple logins")) &&
         text.contains("] (from client ");
}

bool is_refused_client(std::string_view text) {
  return text.starts_with("Ignoring request to ") && text.contains(" from unknown client ");
}

// "alice", "alice/<via Auth-Type = EAP>", "alice/password", "host/pc1.example": a computer's own account holds a slash.
std::string_view without_password(std::string_view name) {
  if (const auto words = name.find("/<"); words != name.npos) return name.substr(0, words);
  const auto from = name.starts_with("host/") ? std::size_t{5} : std::size_t{0};
  return name.substr(0, name.find('/', from));
}

// "Login incorrect (why): [user] (from client NAS port N cli CALLER via TLS tunnel)"
Fate login(std::string_view text, Event& e) {
  const Outcome outcome = text.starts_with("Login OK") ? Outcome::kSuccess : Outcome::kFailure;
  const auto from = text.rfind("] (from client ");
  const std::string_view head = text.substr(0, from);
  const auto open = head.find(": [");  // the first: a user may type brackets
  if (open == head.npos) return Fate::rejected(kNoUser);
  put_login(e, outcome, Service::kOther);
  e.auth_method = AuthMethod::kRadius;
  e.application = kRadius;
  const std::string_view name = without_password(head.substr(open + 3));
  set_typed_user(e, name);
  if (name.starts_with("host/")) e.client_host = core::intern(name.substr(5));  // a computer's own account
  if (text.starts_with("Multiple logins")) {
    e.reason = core::intern("multiple logins");
  } else if (const auto why = head.substr(0, open).find(" ("); outcome == Outcome::kFailure && why != head.npos)
    e.reason = closed_reason(head.substr(why + 2, open - why - 3));
  Scanner s(text.substr(from + 15));
  e.destination_name = core::intern(s.until_any(" )"));  // the gateway or access point that asked
  if (s.skip_past(" cli ")) s.ip(e.source_ip);           // Calling-Station-Id: for a VPN the client's address
  if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// "Ignoring request to auth address * port 1812 bound to server default from unknown client A port 9459 proto udp"
Fate refused_client(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past(" address ")) s.ip(e.destination_ip);
  if (s.skip_past(" port ")) e.destination_port = s.port();
  if (s.skip_past(" unknown client ")) s.ip(e.source_ip);
  if (!e.source_ip.present()) return Fate::rejected(kNoAddress);
  if (s.skip_past(" port ")) e.source_port = s.port();
  if (s.skip_past(" proto ")) e.protocol = protocol_number(s.word());
  e.event_class = Class::kConnection;
  e.action = Action::kDenied;
  e.application = kRadius;
  e.reason = core::intern("unknown client");
  return Fate::kept();
}

bool is_radiusd(std::string_view program) { return program == "radiusd" || program == "freeradius"; }

class FreeRadius final : public RecordDecoder {
 public:
  explicit FreeRadius(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (is_radiusd(r.program)) return true;
    if (r.time != 0 || !r.program.empty()) return false;
    std::string_view text = r.message;
    core::Nanoseconds time = 0;
    if (skip_file_head(text, times_, time)) return is_category(r.message);
    skip_request(text);
    return is_login(text) || is_refused_client(text);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view text = r.message;
    skip_file_head(text, times_, e.time);
    skip_request(text);
    for (const std::string_view category : {"Auth: "sv, "Error: "sv, "Info: "sv}) skip_prefix(text, category);
    skip_request(text);
    if (is_login(text)) return login(text, e);
    if (is_refused_client(text)) return refused_client(text, e);
    return Fate::ignored(kOther);
  }

 private:
  // The categories of radius.log; other programs write the same time.
  static bool is_category(std::string_view text) {
    text.remove_prefix(27);
    for (const std::string_view category : {"Auth: "sv, "Error: "sv, "Info: "sv, "Warning: "sv, "Debug: "sv,
                                            "Proxy: "sv, "ERROR: "sv, "WARNING: "sv, "Acct: "sv}) {
      if (text.starts_with(category)) return true;
    }
    return false;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_freeradius(const core::TimeReader& times) {
  return std::make_unique<FreeRadius>(times);
}

}  // namespace orbwatch::decode
