// Ekinops (OneAccess) routers, OneOS 5 and 6: log-ins, commands of administrators, packets that met an access list.
//   Nov 22 08:00:00 router1 : #NOTIFY# LOGIN_SUCCESS for VTY user 'admin' from Local Console at 08:00:00  Sun Nov 22
//   2026 Nov 22 08:00:01 router1 : #NOTIFY# Logged out user:admin from a ssh session with client ip: 192.0.2.77 on Sun
//   Nov 22 08:00:01 UTC 2026 Nov 22 08:00:02 router1 : #INFO# list ACL-WAN-IN denied udp 203.0.113.9:547->
//   192.0.2.1:546 3 matches
//
// Source: records in public test data of other projects. A message is a level between "#" and a sentence.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("ekinops_oneos: no address or user");

// "#NOTIFY# " in front; moves behind it.
bool skip_level(std::string_view& text) {
  constexpr std::array<std::string_view, 10> kLevels = {"INFO",  "NOTIFY", "NOTICE", "WARN",  "WARNING",
                                                        "ERROR", "CRIT",   "ALERT",  "EMERG", "DEBUG"};
  if (!text.starts_with('#')) return false;
  const auto end = text.find("# ", 1);
  if (end > 8) return false;
  if (std::find(kLevels.begin(), kLevels.end(), text.substr(1, end - 1)) == kLevels.end()) return false;
  text = core::trim(text.substr(end + 2));
  return true;
}

class EkinopsOneos final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    return skip_level(text);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    std::string_view text = record.message;
    skip_level(text);
    const Fate fate = tell(text, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.destination_ip.present() && !e.user.present())
      return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // "list ACL-WAN-IN denied udp 203.0.113.9:547-> 192.0.2.1:546 3 matches"
  static Fate access_list(std::string_view text, Event& e) {
    Scanner s(text);
    e.rule = core::intern(s.word());
    s.spaces();
    const std::string_view verdict = s.word();
    if (verdict != "denied" && verdict != "permitted") return Fate::ignored("list other");
    s.spaces();
    e.event_class = Class::kConnection;
    e.action = verdict == "denied" ? Action::kDenied : Action::kAllowed;
    if (e.action == Action::kAllowed) e.activity = Activity::kStart;
    e.protocol = protocol_number(s.word());
    s.spaces();
    const std::string_view rest = s.rest();
    const auto arrow = rest.find("->");
    if (arrow == rest.npos) return Fate::rejected(kNoPeer);
    const Endpoint from = endpoint(core::trim(rest.substr(0, arrow)));
    std::string_view behind = core::trim(rest.substr(arrow + 2));
    const Endpoint to = endpoint(core::take_until(behind, ' '));
    e.source_ip = from.ip;
    e.source_port = from.port;
    e.destination_ip = to.ip;
    e.destination_port = to.port;
    e.source_packets = Scanner(behind).number();
    return Fate::kept();
  }

  // The name in "user 'admin'" or "user:admin", and the address that the session comes from.
  static void put_who(std::string_view text, Event& e) {
    const auto user = text.find("user");
    if (user == text.npos) return;
    Scanner s(text.substr(user + 4));
    s.skip(':');
    s.spaces();
    set_user(e, quoted_word(s));
    const std::string_view rest = s.rest();
    for (const std::string_view words : {"client ip: ", "client ip ", "from "}) {
      const auto at = rest.find(words);
      if (at == rest.npos) continue;
      Scanner address(rest.substr(at + words.size()));
      if (address.ip(e.source_ip)) {
        if (address.skip(':')) e.source_port = address.port();
        break;
      }
    }
    if (rest.contains("ssh") || rest.contains("SSH")) e.application = core::intern("ssh");
    if (rest.contains("telnet") || rest.contains("Telnet")) e.application = core::intern("telnet");
    if (rest.contains("Console")) e.application = core::intern("console");
  }

  static Fate tell(std::string_view text, Event& e) {
    if (skip_prefix(text, "list ")) return access_list(text, e);
    if (text.starts_with("LOGIN_") || text.starts_with("Login ")) {
      const bool good = text.starts_with("LOGIN_SUCCESS") || text.substr(0, 20).contains("success");
      put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
      put_who(text, e);
      e.code = core::intern(text.substr(0, std::min<std::size_t>(text.find(' '), 32)));
      if (!good) e.reason = core::intern("login failed");
      return Fate::kept();
    }
    if (text.starts_with("Logged out user") || text.starts_with("LOGOUT")) {
      put_login(e, Outcome::kUnknown, Service::kManagement);
      e.activity = Activity::kLogoff;
      put_who(text, e);
      return Fate::kept();
    }
    if (const auto by = text.find(" by "); by != text.npos && text.substr(by, 12).contains("user")) {
      put_login(e, Outcome::kUnknown, Service::kManagement);
      e.activity = Activity::kObserved;
      e.reason = closed_reason(text.substr(0, by));
      put_who(text.substr(by), e);
      return Fate::kept();
    }
    // "IF: GigabitEthernet 0/0 is UP", "CWMP [EVENT] ..."
    const std::string_view module = text.substr(0, text.find_first_of(": "));
    const bool name = module.size() <= 16 && std::all_of(module.begin(), module.end(), [](char c) {
                        return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
                      });
    return json::ignored("message", name ? module : std::string_view{});
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_ekinops_oneos(const core::TimeReader&) { return std::make_unique<EkinopsOneos>(); }

}  // namespace orbwatch::decode
