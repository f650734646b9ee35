// Citrix ADC / NetScaler: ns.log and its syslog. Log-ins and sessions of the Gateway (SSLVPN, AAA, AAATM), connections
// of virtual servers (TCP, UDP), TLS handshakes (SSLLOG), commands of administrators (CMD_EXECUTED).
//   <134> 11/22/2026:08:00:00 GMT adc1 0-PPE-0 : default SSLVPN LOGIN 73920564 0 : Context alice@198.51.100.7 -
//   SessionId: 1096160 - User alice - Client_ip 198.51.100.7 - Nat_ip "Mapped Ip" - Vserver 192.0.2.1:443 -
//   Browser_type "Mozilla/5.0 ..." - SSLVPN_client_type ICA - Group(s) "staff"
//
// Source: "NetScaler Log Message Reference" 10.5 to 14.1 (developer-docs.netscaler.com), "Configuring audit logging".
// The body is a row of fields set apart by " - ", each a name and a value.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::Nanoseconds;
using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("netscaler: no address or user");
const Symbol kNoFields = core::intern("netscaler: no fields");
const Symbol kOther = core::intern("message other");

enum Key : std::uint8_t {
  kAccess,
  kAdmUser,
  kApplication,
  kBrowser,
  kBrowserType,
  kClientIp,
  kClientIpSsl,
  kClientPort,
  kClientSecurity,
  kClientType,
  kClientVersion,
  kCommand,
  kContext,
  kDenied,
  kDestination,
  kDuration,
  kFailure,
  kGroups,
  kLogout,
  kNatIp,
  kNatIpTcp,
  kReason,
  kRecv,
  kRemoteIp,
  kSend,
  kSession,
  kSource,
  kStatus,
  kUser,
  kUserIca,
  kVserver,
  kVserverIp,
  kVserverPort,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"Access",
                                  "ADM_User",
                                  "applicationName",
                                  "Browser",
                                  "Browser_type",
                                  "Client_ip",
                                  "ClientIP",
                                  "ClientPort",
                                  "Client_security_expression",
                                  "SSLVPN_client_type",
                                  "ClientVersion",
                                  "Command",
                                  "Context",
                                  "Denied_by_policy",
                                  "Destination",
                                  "Duration",
                                  "Failure_reason",
                                  "Group(s)",
                                  "LogoutMethod",
                                  "Nat_ip",
                                  "NatIP",
                                  "Reason",
                                  "Total_bytes_recv",
                                  "Remote_ip",
                                  "Total_bytes_send",
                                  "SessionId:",
                                  "Source",
                                  "Status",
                                  "User",
                                  "username:domainname",
                                  "Vserver",
                                  "VserverServiceIP",
                                  "VserverServicePort"});

using Fields = Values<kKeys>;

// The value at the front of `text`, which moves behind the " - " that ends it. A value in quotes may hold quotes (a
// command and its arguments); a relay that writes CSV doubles them.
std::string_view take_value(std::string_view& text) {
  if (text.starts_with('"')) {
    while (text.starts_with('"')) text.remove_prefix(1);
    for (std::size_t at = text.find('"'); at != text.npos; at = text.find('"', at + 1)) {
      std::string_view behind = text.substr(at);
      while (behind.starts_with('"')) behind.remove_prefix(1);
      const std::string_view next = core::trim(behind);
      if (!next.empty() && !next.starts_with("- ")) continue;
      const std::string_view value = text.substr(0, at);
      text = next.empty() ? next : next.substr(2);
      return value;
    }
    const std::string_view value = text;
    text = {};
    return value;
  }
  // "SessionId: 7558- User ..." has no space before the dash.
  for (std::size_t at = text.find("- "); at != text.npos; at = text.find("- ", at + 1)) {
    if (at == 0 || (text[at - 1] != ' ' && !is_digit(text[at - 1]))) continue;
    const std::string_view value = core::trim(text.substr(0, at));
    text.remove_prefix(at + 2);
    return value;
  }
  std::string_view value = core::trim(text);
  if (value.ends_with(" -")) value = core::trim(value.substr(0, value.size() - 2));
  text = {};
  return value;
}

void read_fields(std::string_view text, Fields& f) {
  while (!text.empty()) {
    while (text.starts_with(' ') || text.starts_with('-')) text.remove_prefix(1);
    const auto space = text.find(' ');
    if (space == text.npos) return;
    std::string_view name = text.substr(0, space);
    text.remove_prefix(space + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    // HTTPREQUEST: "www.example.com User alice : Group(s) staff : Vserver 192.0.2.1:443 - ..."
    if (text.starts_with("User ") && text.contains(" : Group(s) ")) {
      text.remove_prefix(5);
      f.put("User", text.substr(0, text.find(" : ")));
      if (const auto server = text.find(" : Vserver "); server != text.npos) {
        const std::string_view rest = text.substr(server + 11);
        f.put("Vserver", rest.substr(0, rest.find(' ')));
      }
      const auto groups = text.find(" : Group(s) ") + 12;
      f.put("Group(s)", text.substr(groups, text.find(" : ", groups) - groups));
      return;
    }
    f.put(name, take_value(text));
  }
}

// What stands before the fields.
struct Header {
  std::string_view time;  // "11/22/2026:08:00:00", "2026/11/22:08:00:00"
  std::string_view zone;  // "GMT" or the device's own
  std::string_view host;
  std::string_view feature;  // "SSLVPN"; may be empty
  std::string_view event;    // "LOGIN"
  std::string_view body;
};

bool is_clock(std::string_view text) {
  if (text.size() == 8) return is_digit(text[0]) && text[2] == ':' && text[5] == ':';
  return text.size() == 19 && is_digit(text[0]) && is_digit(text[18]) && text[13] == ':' && text[16] == ':';
}

bool is_feature(std::string_view word) {
  static constexpr std::array<std::string_view, 26> kFeatures = {
      "SSLVPN", "AAA", "AAATM",    "TCP",   "UDP",       "OTHERCONN", "SSLLOG",  "GUI",     "CLI",
      "API",    "ACL", "ACL6",     "EVENT", "SNMP",      "APPFW",     "ICA",     "ROUTING", "RESPONDER",
      "ALG",    "LSN", "CLUSTERD", "NITRO", "TRANSFORM", "BOT",       "PITBOSS", "AF"};
  return std::find(kFeatures.begin(), kFeatures.end(), word) != kFeatures.end();
}

bool is_upper_word(std::string_view word) {
  return word.size() >= 2 && !is_digit(word[0]) && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// "[default ]FEATURE EVENT [NUMBER [PARTITION]] : BODY", or "default CMD_EXECUTED NUMBER 0 : BODY".
bool read_event(std::string_view text, bool processing_engine, Header& h) {
  const bool partition = skip_prefix(text, "default ");
  const auto colon = text.substr(0, 120).find(':');
  if (colon == text.npos) return false;
  h.body = text.substr(colon + 1);
  std::string_view head = core::trim(text.substr(0, colon));
  h.feature = core::take_until(head, ' ');
  h.event = core::take_until(head, ' ');
  if (!is_upper_word(h.feature)) return false;
  if (!is_feature(h.feature)) {
    if (h.feature == "CMD_EXECUTED") {
      h.event = h.feature;
      h.feature = {};
    } else if (!partition && !processing_engine) {
      return false;
    }
  }
  return is_upper_word(h.event) || h.event == "Message";
}

bool read_header(std::string_view text, Header& h) {
  if (text.starts_with('"')) text.remove_prefix(1);
  std::string_view rest = text;
  const std::string_view first = core::take_until(rest, ' ');
  // SDX puts its host before the time.
  std::string_view second = core::trim(rest.substr(0, 24));
  second = second.substr(0, second.find(' '));
  if (!is_clock(first) && second.size() == 8 && is_clock(second)) {
    rest = core::trim(rest);
    core::take_until(rest, ' ');
  }
  if (is_clock(first) || (second.size() == 8 && is_clock(second))) {
    if (is_clock(first)) h.time = first;
    const auto colon = rest.substr(0, 120).find(" : ");
    if (colon == rest.npos) return false;
    std::string_view head = core::trim(rest.substr(0, colon));
    rest.remove_prefix(colon + 3);
    std::string_view words[3];
    std::size_t count = 0;
    while (!head.empty() && count < 3) {
      words[count] = core::take_until(head, ' ');
      if (!words[count].empty()) ++count;
    }
    if (count == 3) h.zone = words[0];
    if (count >= 2) h.host = words[count - 2];
    return read_event(rest, count >= 2 && words[count - 1].contains("PPE"), h);
  }
  // A relay took time, host and engine for its own header, or left the engine.
  if (text.starts_with("0-PPE-") || text.starts_with("PPE-")) {
    const auto colon = text.substr(0, 24).find(" : ");
    return colon != text.npos && read_event(text.substr(colon + 3), true, h);
  }
  return (text.starts_with("default ") || is_feature(first) || first == "CMD_EXECUTED") && read_event(text, false, h);
}

class NetScaler final : public RecordDecoder {
 public:
  explicit NetScaler(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Header h;
    return read_header(r.message, h) && h.body.starts_with(' ');
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Header h;
    if (!read_header(record.message, h)) return Fate::rejected(kNoFields);
    if (!h.host.empty()) e.observer = core::intern(h.host);
    put_time(h, e);
    if (h.event == "Message") return other(h);
    Fields f(kNames);
    read_fields(core::trim(h.body), f);
    put_code(h, e);
    e.session_id = f.number(kSession);
    const Fate fate = tell(h, f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static void put_code(const Header& h, Event& e) {
    std::array<char, 64> name;
    if (h.feature.size() + h.event.size() + 1 > name.size()) return;
    char* p = std::copy(h.feature.begin(), h.feature.end(), name.data());
    if (p != name.data()) *p++ = ' ';
    p = std::copy(h.event.begin(), h.event.end(), p);
    e.code = core::intern({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  // The order of day and month is a setting of the device. Where both readings are dates, the envelope's time decides;
  // without one the default, month first, holds.
  void put_time(const Header& h, Event& e) const {
    if (h.time.size() != 19) return;
    core::CivilTime civil;
    const auto two = [&](std::size_t at) { return core::parse_number<int>(h.time.substr(at, 2)).value_or(-1); };
    const bool year_first = h.time[4] == '/';
    civil.year = core::parse_number<int>(h.time.substr(year_first ? 0 : 6, 4)).value_or(0);
    civil.month = two(year_first ? 5 : 0);
    civil.day = two(year_first ? 8 : 3);
    civil.hour = two(11);
    civil.minute = two(14);
    civil.second = two(17);
    if (civil.year == 0) return;
    const core::TimeReader& reader = h.zone == "GMT" || h.zone == "UTC" ? utc_ : times_;
    core::CivilTime swapped = civil;
    if (!year_first) std::swap(swapped.month, swapped.day);
    const Nanoseconds first_reading = core::valid(civil) ? reader.resolve(civil) : 0;
    const Nanoseconds other_reading = core::valid(swapped) ? reader.resolve(swapped) : 0;
    if (first_reading == 0 && other_reading == 0) return;
    const Nanoseconds envelope = e.time;
    const bool second = first_reading == 0 || (other_reading != 0 && envelope != 0 &&
                                               distance(other_reading, envelope) < distance(first_reading, envelope));
    e.time = second ? other_reading : first_reading;
  }
  static Nanoseconds distance(Nanoseconds a, Nanoseconds b) { return a > b ? a - b : b - a; }

  static void put_source(const Endpoint& from, Event& e) {
    e.source_ip = from.ip;
    e.source_port = from.port;
  }
  static void put_destination(const Endpoint& to, Event& e) {
    e.destination_ip = to.ip;
    e.destination_port = to.port;
  }
  static void put_bytes(const Fields& f, Event& e) {
    e.source_bytes = f.number(kSend);
    e.destination_bytes = f.number(kRecv);
  }
  static void put_duration(const Fields& f, Event& e) {
    Scanner s(f[kDuration]);
    e.duration = scan_duration(s);
  }

  static void put_account(const Fields& f, Event& e) {
    std::string_view user = f[kUser];
    const std::string_view context = f[kContext];
    const auto at = context.rfind('@');
    if (user.empty() && at != context.npos) user = context.substr(0, at);
    if (user.empty()) user = f[kUserIca];
    // "alice:corp.example" of ICA
    if (const auto colon = user.find(':'); !f[kUserIca].empty() && colon != user.npos) {
      set_user(e, user.substr(0, colon));
      e.user_domain = core::intern(user.substr(colon + 1));
    } else {
      set_user(e, user);
    }
    if (f[kGroups] != "N/A") e.group = core::intern(f[kGroups]);
  }

  // Who holds the session: where its traffic comes from now, else where it was opened.
  static void put_client(const Fields& f, Event& e) {
    put_source(endpoint(f[kSource]), e);
    if (!e.source_ip.present()) put_source(endpoint(f[kClientIp]), e);
    const std::string_view context = f[kContext];
    if (const auto at = context.rfind('@'); !e.source_ip.present() && at != context.npos) {
      e.source_ip = given_ip(context.substr(at + 1));
    }
  }

  // "Mapped Ip" where the client has no address of its own. In lines about connections it is one of the device's: no
  // address of the client's, but of a refused connection the translated one.
  static void put_assigned(const Fields& f, Event& e) { e.assigned_ip = given_ip(f[kNatIp]); }

  static Fate session(const Fields& f, Activity activity, std::string_view application, Event& e) {
    put_session(e, activity, core::intern(application));
    put_account(f, e);
    put_client(f, e);
    put_destination(endpoint(f[kDestination].empty() ? f[kVserver] : f[kDestination]), e);
    put_bytes(f, e);
    put_duration(f, e);
    if (activity == Activity::kEnd) put_assigned(f, e);
    if (!f[kLogout].empty()) e.reason = closed_reason(f[kLogout]);
    return Fate::kept();
  }

  static Fate login(const Fields& f, Outcome outcome, Event& e) {
    put_login(e, outcome, Service::kVpn);
    put_account(f, e);
    put_client(f, e);
    put_destination(endpoint(f[kVserver]), e);
    put_assigned(f, e);
    e.user_agent = core::intern(f.either(kBrowserType, kBrowser));
    e.application = lower_symbol(f[kClientType]);
    if (!f[kFailure].empty()) e.reason = closed_reason(f[kFailure]);
    return Fate::kept();
  }

  // A resource that a policy of the Gateway refused to a user.
  static Fate refused(const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    e.activity = Activity::kStart;
    e.action = Action::kDenied;
    put_account(f, e);
    put_client(f, e);
    put_destination(endpoint(f[kDestination].empty() ? f[kVserver] : f[kDestination]), e);
    put_bytes(f, e);
    if (const core::Ip translated = given_ip(f[kNatIp]); translated != e.source_ip) e.assigned_ip = translated;
    e.rule = core::intern(f[kDenied]);
    return Fate::kept();
  }

  static Fate vpn(const Header& h, const Fields& f, Event& e) {
    if (h.event == "LOGIN") return login(f, Outcome::kSuccess, e);
    if (h.event == "LOGIN_FAILED") return login(f, Outcome::kFailure, e);
    if (h.event == "LOGOUT") return session(f, Activity::kEnd, "", e);
    if (h.event == "ICASTART") return session(f, Activity::kUpdate, "ica", e);
    if (h.event.starts_with("ICAEND")) return session(f, Activity::kUpdate, "ica", e);
    if (h.event == "HTTPREQUEST" || h.event == "HTTP_RESOURCEACCESS_ALLOWED")
      return session(f, Activity::kUpdate, "http", e);
    if (h.event.ends_with("ACCESS_DENIED")) return refused(f, e);
    if (h.event == "TCPCONNSTAT") {
      if (f[kAccess] == "Denied") return refused(f, e);
      e.protocol = 6;
      return session(f, Activity::kUpdate, "", e);
    }
    if (h.event == "UDPFLOWSTAT") {
      if (f[kAccess] == "Denied") return refused(f, e);
      e.protocol = 17;
      return session(f, Activity::kUpdate, "", e);
    }
    if (h.event == "TCPCONN_TIMEDOUT") {
      session(f, Activity::kUpdate, "", e);
      e.reason = core::intern("connection timed out");
      return Fate::kept();
    }
    return other(h);
  }

  static Fate connection(const Header& h, const Fields& f, Event& e) {
    if (!h.event.contains("CONN") && !h.event.contains("FLOW")) return other(h);
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    e.action = Action::kAllowed;
    e.protocol = protocol_number(h.feature);
    put_source(endpoint(f[kSource]), e);
    // What the client reached is the virtual server; what lies behind it is the device's own business.
    put_destination(endpoint(f[kVserver].empty() ? f[kDestination] : f[kVserver]), e);
    const Endpoint translated = endpoint(f[kNatIpTcp]);
    if (translated.ip != e.source_ip) e.assigned_ip = translated.ip;
    put_bytes(f, e);
    return Fate::kept();
  }

  static Fate handshake(const Header& h, const Fields& f, Event& e) {
    if (!h.event.starts_with("SSL_HANDSHAKE_")) return other(h);
    const std::string_view result = h.event.substr(14);
    if (result != "SUCCESS" && result != "FAILURE") return other(h);  // SUBJECTNAME, ISSUERNAME: of the certificate
    e.event_class = Class::kHandshake;
    e.activity = Activity::kObserved;
    e.outcome = result == "SUCCESS" ? Outcome::kSuccess : Outcome::kFailure;
    e.source_ip = given_ip(f[kClientIpSsl]);
    e.source_port = f.port(kClientPort);
    e.destination_ip = given_ip(f[kVserverIp]);
    e.destination_port = f.port(kVserverPort);
    e.protocol_version = core::intern(f[kClientVersion]);
    e.application = core::intern("ssl");
    if (!f[kReason].empty()) e.reason = closed_reason(f[kReason]);
    return Fate::kept();
  }

  // Commands of administrators over GUI, CLI and API. "login" and "logout" are commands, too.
  static Fate command(const Header& h, const Fields& f, Event& e) {
    const std::string_view verb = f[kCommand].substr(0, f[kCommand].find(' '));
    const std::string_view status = f[kStatus];
    const bool good = status.starts_with("Success") || status.starts_with("Done");
    put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kManagement);
    if (verb == "logout") {
      e.activity = Activity::kLogoff;
    } else if (verb != "login") {
      e.activity = Activity::kObserved;
      e.reason = core::intern("command executed");
    }
    set_user(e, f[kUser]);
    e.source_ip = given_ip(f[kRemoteIp]);
    e.application = lower_symbol(h.feature);
    if (!good && !status.empty()) e.reason = closed_reason(status);
    return Fate::kept();
  }

  static Fate tell(const Header& h, const Fields& f, Event& e) {
    if (h.event == "CMD_EXECUTED") return command(h, f, e);
    if (h.feature == "SSLVPN" || h.feature == "AAA" || h.feature == "AAATM") return vpn(h, f, e);
    if (h.feature == "TCP" || h.feature == "UDP" || h.feature == "OTHERCONN") return connection(h, f, e);
    if (h.feature == "SSLLOG") return handshake(h, f, e);
    return other(h);
  }

  // "SSLVPN Message", "SNMP TRAP_SENT": names of the device's own vocabulary.
  static Fate other(const Header& h) {
    std::array<char, 64> name;
    if (h.feature.size() + h.event.size() > 40) return Fate::ignored(kOther);
    char* p = std::copy(h.feature.begin(), h.feature.end(), name.data());
    if (p != name.data()) *p++ = ' ';
    p = std::copy(h.event.begin(), h.event.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  core::TimeReader times_;
  core::TimeReader utc_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_netscaler(const core::TimeReader& times) {
  return std::make_unique<NetScaler>(times);
}

}  // namespace orbwatch::decode
