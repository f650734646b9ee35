// Juniper NetScreen, SSG and ISG firewalls (ScreenOS 5 and 6), syslog.
//   <134>Nov 22 08:00:10 fw1 ssg5: NetScreen device_id=ssg5  [Root]system-notification-00257(traffic):
//   start_time="2026-11-22 08:00:00" duration=10 policy_id=244 service=https proto=6 src zone=Untrust dst zone=Trust
//   action=Permit sent=1200 rcvd=33000 src=203.0.113.7 dst=192.0.2.80 src_port=1732 dst_port=443 src-xlated
//   ip=192.0.2.1 port=22041 dst-xlated ip=10.0.0.80 port=443 session_id=488451 reason=Close - TCP FIN
//   ssg5: NetScreen device_id=ssg5  [Root]system-emergency-00005: SYN flood! From 203.0.113.9:41437 to 192.0.2.80:80,
//   proto TCP (zone Untrust int ethernet0/0). Occurred 1 times. (2026-11-22 08:00:00)
//
// Source: "ScreenOS Message Log Reference Guide" 6.2 and 6.3 (juniper.net). Traffic is made of pairs; all other
// messages are sentences, told by their words, which numbers of a kind share. The number is event.code.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoNumber = core::intern("juniper_netscreen: no message number");
const Symbol kNoPeer = core::intern("juniper_netscreen: no address or user");

enum Key : std::uint8_t {
  kActionKey,
  kDst,
  kDstPort,
  kDuration,
  kPolicyId,
  kProto,
  kRcvd,
  kReason,
  kSent,
  kService,
  kSessionId,
  kSrc,
  kSrcPort,
  kStartTime,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action", "dst", "dst_port", "duration", "policy_id", "proto", "rcvd", "reason",
                                  "sent", "service", "session_id", "src", "src_port", "start_time"});

struct Message {
  std::string_view device;
  std::string_view number;  // "00257"
  std::string_view text;
};

constexpr std::string_view kBegin = "NetScreen device_id=";

// "NetScreen device_id=ssg5  [Root]system-notification-00257(traffic): TEXT"
bool read_message(std::string_view text, Message& m) {
  const auto begin = text.substr(0, 120).find(kBegin);
  if (begin == text.npos) return false;
  text.remove_prefix(begin + kBegin.size());
  const auto system = text.substr(0, 160).find("]system-");
  if (system == text.npos) return false;
  m.device = text.substr(0, text.find(' '));
  text.remove_prefix(system + 8);
  core::take_until(text, '-');  // severity
  const auto colon = text.find(": ");
  if (colon > 40) return true;  // damaged
  m.number = text.substr(0, colon);
  m.number = m.number.substr(0, m.number.find('('));
  m.text = core::trim(text.substr(colon + 2));
  return true;
}

// The pairs of a traffic record. Some names are two words: "src zone=Trust", "src-xlated ip=192.0.2.1".
struct Traffic {
  Values<kKeys> values{kNames};
  std::string_view source_zone, destination_zone, translated;

  explicit Traffic(std::string_view text) {
    std::string_view before;  // the first of the two words
    each_pair(text, ' ', '=', [&](std::string_view name, std::string_view value) {
      std::string_view next;
      for (const std::string_view word : {"src", "dst", "src-xlated", "dst-xlated", "icmp"}) {
        if (value == word) {
          next = word;
          value = {};
        } else if (value.size() > word.size() && value.ends_with(word) &&
                   value[value.size() - word.size() - 1] == ' ') {
          next = word;
          value = core::trim(value.substr(0, value.size() - word.size()));
        }
      }
      if (name == "zone") {
        (before == "src" ? source_zone : destination_zone) = value;
      } else if (name == "ip") {
        if (before == "src-xlated") translated = value;
      } else if (before.empty()) {
        values.put(name, value);
      }
      before = next;
    });
  }
};

// The device's sentences are of one spelling.
bool says_failure(std::string_view text) {
  constexpr std::array<std::string_view, 12> kWords = {"fail",
                                                       "reject",
                                                       "Reject",
                                                       "denied",
                                                       "refused",
                                                       "invalid",
                                                       "no match",
                                                       "mismatch",
                                                       "no policy",
                                                       "aborted",
                                                       "limit has been reached",
                                                       "not match"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return text.contains(word); });
}

class JuniperNetscreen final : public RecordDecoder {
 public:
  explicit JuniperNetscreen(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r.raw, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record.raw, m) || m.number.size() != 5 ||
        !std::all_of(m.number.begin(), m.number.end(), is_digit)) {
      return Fate::rejected(kNoNumber);
    }
    e.code = core::intern(m.number);
    if (!e.observer.present()) e.observer = core::intern(m.device);
    take_time(m.text, e);
    const Fate fate = tell(m, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // " (2026-11-22 08:00:00)" at the end of a sentence.
  void take_time(std::string_view& text, Event& e) const {
    if (text.size() < 22 || !text.ends_with(')') || text[text.size() - 21] != '(') return;
    std::string_view time = text.substr(text.size() - 20, 19);
    if (const auto at = core::parse_iso8601(time, times_)) {
      e.time = *at;
      text = core::trim(text.substr(0, text.size() - 21));
    }
  }

  Fate traffic(std::string_view text, Event& e) const {
    const Traffic t(text);
    const auto& f = t.values;
    e.event_class = Class::kConnection;
    const std::string_view action = f[kActionKey];
    if (action == "Permit" || action == "Tunnel") {
      e.action = Action::kAllowed;
    } else if (action == "Deny" || action == "Reject") {
      e.action = Action::kDenied;
    } else {
      return Fate::ignored("traffic of another action");
    }
    e.source_ip = f.ip(kSrc);
    e.source_port = f.port(kSrcPort);
    e.destination_ip = f.ip(kDst);
    e.destination_port = f.port(kDstPort);
    e.protocol = protocol_number(f[kProto]);
    e.source_bytes = f.number(kSent);
    e.destination_bytes = f.number(kRcvd);
    e.duration = seconds(f.number(kDuration));
    e.session_id = f.number(kSessionId);
    e.rule = f.symbol(kPolicyId);
    e.ingress = core::intern(t.source_zone);
    e.egress = core::intern(t.destination_zone);
    if (const core::Ip nat = given_ip(t.translated); nat != e.source_ip) e.assigned_ip = nat;
    const std::string_view service = f[kService];
    // "udp/port:17210" only says the port again.
    if (!service.contains('/')) e.application = lower_symbol(service.substr(0, service.find('(')));
    if (e.action == Action::kDenied) {
      e.reason = closed_reason(f[kReason]);
    } else {
      const bool counted = e.duration != 0 || e.source_bytes != 0 || e.destination_bytes != 0;
      const bool begins = f[kReason] == "Creation" || (f[kReason].empty() && !counted);
      e.activity = begins ? Activity::kStart : Activity::kEnd;
      if (!begins) e.reason = closed_reason(f[kReason]);
    }
    std::string_view start = f[kStartTime];
    // Written when the session ended.
    if (const auto at = core::parse_iso8601(start, times_)) e.time = *at + e.duration;
    return Fate::kept();
  }

  // "SYN flood! From 203.0.113.9:41437 to 192.0.2.80:80, proto TCP (zone Untrust int ethernet0/0). Occurred 1 times."
  static Fate attack(std::string_view text, std::size_t mark, Event& e) {
    e.event_class = Class::kConnection;
    e.activity = Activity::kAlert;
    e.rule = closed_reason(text.substr(0, mark));
    Scanner s(text.substr(mark + 7));
    if (s.ip(e.source_ip) && s.skip(':')) e.source_port = s.port();
    if (s.skip_past(" to ") && s.ip(e.destination_ip) && (s.skip(':') || s.skip('/'))) e.destination_port = s.port();
    if (s.skip_past("proto ")) e.protocol = protocol_number(s.until_any(" ,("));
    if (s.skip_past("(zone ")) e.ingress = core::intern(s.until_any(" ,)"));
    return e.source_ip.present() ? Fate::kept() : Fate::ignored("attack without source");
  }

  // The name behind `words`, "alice", '"alice"' or "'alice'"; false if the words are not there.
  static bool put_name(std::string_view text, std::string_view words, Event& e) {
    const auto at = text.find(words);
    if (at == text.npos) return false;
    Scanner s(text.substr(at + words.size()));
    std::string_view name = s.skip('<') ? s.until('>') : quoted_word(s);
    while (name.ends_with(':') || name.ends_with(',')) name.remove_suffix(1);
    set_user(e, name);
    return e.user.present();
  }

  static bool put_address(std::string_view text, std::string_view words, Event& e) {
    const auto at = text.find(words);
    if (at == text.npos) return false;
    Scanner s(text.substr(at + words.size()));
    s.skip('<');
    if (!s.ip(e.source_ip)) return false;
    if (e.source_ip == core::Ip::v4(0)) e.source_ip = {};
    if (s.skip(':')) e.source_port = s.port();
    return true;
  }

  // "... by alice via web from host", "... by admin alice via Web from"
  static bool put_author(std::string_view text, Event& e) {
    const auto by = text.find(" by ");
    const auto via = by == text.npos ? by : text.find(" via ", by + 4);
    if (via == text.npos) return false;
    std::string_view name = text.substr(by + 4, via - by - 4);
    skip_prefix(name, "admin ");
    if (name.empty() || name.contains(' ')) return false;
    set_user(e, name);
    return e.user.present();
  }

  // `Admin user "admin" has logged on via SSH from 192.0.2.77:3456`, `Admin user "admin" login attempt for Web(http)
  // management (port 80) from 203.0.113.66:5555 failed`, `Management session via SSH from 192.0.2.77:0 for admin admin
  // has timed out`, `ADM: Local admin authentication failed for login name root: invalid password`, `SSH: Password
  // authentication failed for admin user 'root' at host 203.0.113.66`, `Policy (5, ...) was modified by admin via web
  // from host 192.0.2.77 to 192.0.2.1:443.`
  static Fate administrator(const Message& m, Event& e) {
    const std::string_view text = m.text;
    if (!put_author(text, e)) {
      for (const std::string_view words : {"dmin user ", "login name ", "for admin ", "SSH user "}) {
        if (put_name(text, words, e)) break;
      }
    }
    for (const std::string_view words : {" from host ", " from ", " at host "}) {
      if (put_address(text, words, e)) break;
    }
    if (!e.user.present()) return json::ignored("message", m.number);
    put_login(e, Outcome::kUnknown, Service::kManagement);
    if (const auto via = text.find(" via "); via != text.npos) {
      Scanner s(text.substr(via + 5));
      e.application = lower_symbol(s.until_any(" ,("));
    } else if (const auto web = text.find(" for Web("); web != text.npos) {
      e.application = core::intern("web");
    } else if (text.starts_with("SSH")) {
      e.application = core::intern("ssh");
    }
    const bool login = text.contains("uthenticat") || text.contains("logged on") || text.contains("logged in") ||
                       text.contains("ogin attempt");
    if (text.contains("logged out") || text.contains("timed out") || text.contains("logged off")) {
      e.activity = Activity::kLogoff;
      if (text.contains("timed out")) e.reason = core::intern("timeout");
    } else if (login && says_failure(text)) {
      e.outcome = Outcome::kFailure;
      const auto colon = text.rfind(": ");
      e.reason =
          closed_reason(colon == text.npos || colon < 10 ? std::string_view("login failed") : text.substr(colon + 2));
    } else if (login) {
      e.outcome = Outcome::kSuccess;
    } else {
      e.activity = Activity::kObserved;
      e.reason = core::intern("change by an administrator");
    }
    return Fate::kept();
  }

  static bool is_administrator(std::string_view text) {
    return text.contains("dmin user ") || text.contains("admin authentication ") || text.contains(" by admin ") ||
           text.contains(" for admin ") || text.starts_with("SSH: SSH user ") ||
           (text.contains(" via ") && text.contains(" from host ") && text.contains(" by "));
  }

  // "IKE 198.51.100.7 Phase 1: Completed Aggressive mode negotiations with a 28800-second lifetime.",
  // "IKE<198.51.100.7> XAuth login was passed for gateway vpn, username alice, retry: 0, Client IP Addr 10.8.0.5,
  // IPPool name: ..."
  static Fate ike(const Message& m, Event& e) {
    std::string_view text = m.text;
    if (!put_address(text, text.starts_with("IKE<") ? "IKE" : "IKE ", e) && !put_address(text, " from ", e))
      return json::ignored("message", m.number);
    e.application = core::intern("ike");
    e.service = Service::kVpn;
    const bool failed = says_failure(text);
    if (text.contains("XAuth login")) {
      put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kVpn);
      put_name(text, "username ", e);
      if (const auto at = text.find("gateway "); at != text.npos) {
        Scanner s(text.substr(at + 8));
        s.skip('<');
        e.group = core::intern(s.until_any(" ,>"));
      }
      if (const auto at = text.find("Client IP Addr "); at != text.npos) {
        Scanner s(text.substr(at + 15));
        if (s.ip(e.assigned_ip) && e.assigned_ip == core::Ip::v4(0)) e.assigned_ip = {};
      }
      if (failed) e.reason = core::intern("XAuth login failed");
      return Fate::kept();
    }
    const bool completed = text.contains("Completed");
    if (!completed && !failed) return json::ignored("message", m.number);
    e.event_class = Class::kHandshake;
    e.activity = Activity::kObserved;
    e.outcome = failed ? Outcome::kFailure : Outcome::kSuccess;
    if (failed) {
      const auto because = text.find("because ");
      const auto colon = text.find(": ");
      e.reason = closed_reason(because != text.npos ? text.substr(because + 8)
                               : colon != text.npos ? text.substr(colon + 2)
                                                    : text);
    }
    return Fate::kept();
  }

  // "User alice at 198.51.100.7 is accepted via the RADIUS server at 192.0.2.9."
  static Fate user(const Message& m, Event& e) {
    const std::string_view text = m.text;
    const bool failed = says_failure(text);
    const bool good = text.contains("accepted") || text.contains("authenticated") || text.contains("successful");
    const bool over = text.contains("timed out") || text.contains("logged out");
    if (!put_name(text, "ser ", e) || (!failed && !good && !over)) return json::ignored("message", m.number);
    put_address(text, " at ", e);
    put_login(e, failed ? Outcome::kFailure : good ? Outcome::kSuccess : Outcome::kUnknown, Service::kOther);
    if (over && !failed) e.activity = Activity::kLogoff;
    if (failed) e.reason = core::intern("rejected");
    if (text.contains("RADIUS") || text.contains("Radius")) e.auth_method = event::AuthMethod::kRadius;
    if (text.contains("LDAP")) e.auth_method = event::AuthMethod::kLdap;
    return Fate::kept();
  }

  Fate tell(const Message& m, Event& e) const {
    const std::string_view text = m.text;
    if (text.starts_with("start_time=")) return traffic(text, e);
    if (const auto mark = text.find("! From "); mark < 60) return attack(text, mark, e);
    if (text.starts_with("IKE") || text.starts_with("Rejected an IKE packet")) return ike(m, e);
    if (is_administrator(text)) return administrator(m, e);
    if (text.starts_with("User ") || text.starts_with("WebAuth user ") || text.starts_with("Auth user "))
      return user(m, e);
    return json::ignored("message", m.number);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_juniper_netscreen(const core::TimeReader& times) {
  return std::make_unique<JuniperNetscreen>(times);
}

}  // namespace orbwatch::decode
