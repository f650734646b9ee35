// Clavister NetWall firewalls (cOS Core 9 to 15) and D-Link NetDefendOS, which is the same system.
//   <134>[2026-11-22 08:00:00] EFW: CONN: prio=1 id=00600002 rev=1 event=conn_close action=close rule=lan_out
//   conn=close connipproto=TCP connrecvif=lan connsrcip=10.0.0.5 connsrcport=19920 conndestif=wan
//   conndestip=198.51.100.1 conndestport=443 origsent=1106 termsent=920 <134>1 2026-11-22T08:00:00Z fw1 CONN - - -
//   id=600001 event=conn_open [message=Connection opened conndestzone="wan"][rules rule=lan_out ][conn [conn conn=Open
//   connsrcip=10.0.0.5 conndestip=198.51.100.1 connipproto=TCP ... ]]
//   ... id=3700110 event=user_logout message=User logged out [userauth authrule=vpn username=alice
//   authagent=OneConnect authevent=Logout srcip=198.51.100.7 ]
//
// Source: "cOS Core Log Reference Guide" 15.00 and the one of NetDefendOS. The first three of a number's eight digits
// are the category; within it the event's name says what a record is. Brackets only group the pairs.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("clavister: no address or user");
const Symbol kIpsec = core::intern("ipsec");

enum Key : std::uint8_t {
  kAction,
  kApplication,
  kAuthAgent,
  kAuthEvent,
  kAuthRule,
  kAuthSystem,
  kClientIp,
  kClientPort,
  kConnDestIf,
  kConnDestIp,
  kConnDestPort,
  kConnDestZone,
  kConnNewSrcIp,
  kConnProto,
  kConnRecvIf,
  kConnRecvZone,
  kConnSrcIp,
  kConnSrcPort,
  kDestIp,
  kDestPort,
  kIface,
  kIkeSpiI,
  kInitiator,
  kIp,
  kIpAddr,
  kIpProto,
  kIpsecIf,
  kLocalIkeSpi,
  kLocalIp,
  kLocalPort,
  kMessage,
  kNewConnSrcIp,
  kOrigSent,
  kRecvIf,
  kRecvZone,
  kRemoteGw,
  kRemoteIkeSpi,
  kRemoteIp,
  kRemotePort,
  kRule,
  kServerIp,
  kServerPort,
  kSrcIp,
  kSrcPort,
  kTermSent,
  kType,
  kUser,
  kUserName,
  kKeys
};

constexpr KeyNames<kKeys> kNames(
    {"action",      "application",    "authagent",  "authevent",    "authrule",     "authsystem",   "client_ip",
     "client_port", "conndestif",     "conndestip", "conndestport", "conndestzone", "connnewsrcip", "connipproto",
     "connrecvif",  "connrecvzone",   "connsrcip",  "connsrcport",  "destip",       "destport",     "iface",
     "ike_spi_i",   "initiator",      "ip",         "ipaddr",       "ipproto",      "ipsec_if",     "local_ike_spi",
     "local_ip",    "local_port",     "message",    "newconnsrcip", "origsent",     "recvif",       "recvzone",
     "remotegw",    "remote_ike_spi", "remote_ip",  "remote_port",  "rule",         "server_ip",    "server_port",
     "srcip",       "srcport",        "termsent",   "type",         "user",         "username"});

using Fields = Values<kKeys>;

// Categories of the log reference.
constexpr std::uint32_t kArp = 3;
constexpr std::uint32_t kConn = 6;
constexpr std::uint32_t kIpsecCategory = 18;
constexpr std::uint32_t kPptp = 27;
constexpr std::uint32_t kL2tp = 28;
constexpr std::uint32_t kSystem = 32;
constexpr std::uint32_t kUserAuth = 37;
constexpr std::uint32_t kSessionManager = 49;
constexpr std::uint32_t kSslVpn = 63;
constexpr std::uint32_t kApplicationControl = 72;
constexpr std::uint32_t kSslInspection = 88;
constexpr std::uint32_t kOneConnect = 90;

struct Message {
  std::string_view number;  // without leading zeros
  std::string_view name;    // "conn_open"
  std::string_view pairs;
  std::uint32_t category = 0;
};

// "id=00600001 rev=1 event=conn_open ..." wherever the envelope ends: some of them leave the number where syslog has
// its own fields.
bool read_message(std::string_view raw, Message& m) {
  const std::string_view head = raw.substr(0, 200);
  const auto event = head.find(" event=");
  if (event == head.npos) return false;
  std::string_view before = head.substr(0, event);
  if (const auto rev = before.rfind(" rev="); rev != before.npos) before = before.substr(0, rev);
  std::size_t digits = before.size();
  while (digits > 0 && is_digit(before[digits - 1])) --digits;
  m.number = before.substr(digits);
  before = before.substr(0, digits);
  if (m.number.size() < 5 || m.number.size() > 8 || !before.ends_with("id=")) return false;
  // Behind a space, or right behind the priority.
  before.remove_suffix(3);
  if (!before.empty() && before.back() != ' ' && before.back() != '>') return false;
  m.category = core::parse_number<std::uint32_t>(m.number).value_or(0) / 100000;
  while (m.number.size() > 1 && m.number.front() == '0') m.number.remove_prefix(1);
  m.pairs = raw.substr(event + 7);
  m.name = m.pairs.substr(0, m.pairs.find(' '));
  m.pairs.remove_prefix(m.name.size());
  return !m.name.empty();
}

// Pairs among brackets: "[rules rule=lan_out ][conn [conn connsrcip=10.0.0.5", "]iptotlen=52".
void read_pairs(std::string_view text, Fields& f) {
  each_pair(text, ' ', '=', [&f](std::string_view name, std::string_view value) {
    while (name.starts_with('[') || name.starts_with(']')) name.remove_prefix(1);
    // A value without quotes goes on to the next name, over a closing bracket and the name of the next group.
    const auto bracket = std::min(value.find(" ["), std::min(value.find(" ]"), value.find("][")));
    value = core::trim(value.substr(0, bracket));
    // Of a packet the Ethernet header says "Ip4" first.
    if (name == "ipproto" && protocol_number(value) == 0) return;
    f.put(name, value);
  });
}

// "1106", "7.62 K", "52.0": the device rounds what is more than a thousand.
std::uint64_t bytes_of(std::string_view text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0) || value > 1e12) return 0;
  const std::string_view unit = core::trim(text.substr(static_cast<std::size_t>(stop - text.data())));
  if (unit == "K") value *= 1e3;
  if (unit == "M") value *= 1e6;
  if (unit == "G") value *= 1e9;
  return static_cast<std::uint64_t>(value + 0.5);
}

bool is_vpn_agent(std::string_view agent) {
  return core::contains_ignore_case(agent, "OneConnect") || core::contains_ignore_case(agent, "VPN") ||
         core::contains_ignore_case(agent, "L2TP") || core::contains_ignore_case(agent, "PPTP") ||
         core::contains_ignore_case(agent, "PPP") || core::contains_ignore_case(agent, "XAUTH") ||
         core::contains_ignore_case(agent, "EAP");
}

class Clavister final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r.raw, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record.raw, m)) return Fate::rejected(kNoPeer);
    put_time(record.raw, e);
    e.code = core::intern(m.number);
    Fields f(kNames);
    read_pairs(m.pairs, f);
    const Fate fate = tell(m, f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // "<134>[2026-11-22 08:00:00] EFW: ..." is no envelope of syslog. What the device sends is in UTC.
  static void put_time(std::string_view raw, Event& e) {
    static const core::TimeReader utc;
    if (raw.starts_with('<')) raw.remove_prefix(std::min(raw.find('>'), raw.size() - 1) + 1);
    if (!raw.starts_with('[')) return;
    raw.remove_prefix(1);
    if (const auto time = core::parse_iso8601(raw, utc)) e.time = *time;
  }

  // The connection, else the packet. False if no address is named.
  static bool put_ends(const Fields& f, Event& e) {
    const bool conn = !f[kConnSrcIp].empty();
    e.source_ip = f.ip(conn ? kConnSrcIp : kSrcIp);
    e.source_port = f.port(conn ? kConnSrcPort : kSrcPort);
    e.destination_ip = f.ip(conn ? kConnDestIp : kDestIp);
    e.destination_port = f.port(conn ? kConnDestPort : kDestPort);
    e.protocol = protocol_number(conn ? f[kConnProto] : f[kIpProto]);
    e.ingress =
        core::intern(f[kConnRecvZone].empty() ? f.either(kRecvZone, conn ? kConnRecvIf : kRecvIf) : f[kConnRecvZone]);
    e.egress = core::intern(f.either(kConnDestZone, kConnDestIf));
    e.rule = f.symbol(kRule);
    return e.source_ip.present();
  }

  static void put_counters(const Fields& f, Event& e) {
    e.source_bytes = bytes_of(f[kOrigSent]);
    e.destination_bytes = bytes_of(f[kTermSent]);
  }

  static Fate connection(Activity activity, const Fields& f, Event& e) {
    put_ends(f, e);
    e.event_class = Class::kConnection;
    e.action = Action::kAllowed;
    e.activity = activity;
    put_counters(f, e);
    if (const core::Ip nat = given_ip(f.either(kNewConnSrcIp, kConnNewSrcIp)); nat != e.source_ip) e.assigned_ip = nat;
    return Fate::kept();
  }

  static bool is_denial(std::string_view action) {
    return action.starts_with("drop") || action.starts_with("reject") || action.starts_with("block") ||
           action.starts_with("blacklist") || action == "deny";
  }

  static Fate denial(const Message& m, const Fields& f, Event& e) {
    if (!put_ends(f, e)) return other(m);
    e.event_class = Class::kConnection;
    e.action = Action::kDenied;
    e.reason = closed_reason(f[kMessage]);
    return Fate::kept();
  }

  static Fate application(const Message& m, const Fields& f, Event& e) {
    if (m.name != "application_identified") return other(m);
    connection(Activity::kUpdate, f, e);
    if (f[kAction] == "close") {  // what the policy does not want is closed as soon as it is recognised
      e.action = Action::kDenied;
      e.activity = Activity::kNone;
      e.reason = closed_reason(f[kMessage]);
    }
    e.application = lower_symbol(f[kApplication]);
    return Fate::kept();
  }

  static bool fails(std::string_view name) {
    constexpr std::array<std::string_view, 8> kWords = {"bad_",    "fail",   "denied",  "disallowed",
                                                        "invalid", "_error", "already", "auth_timeout"};
    return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return name.contains(word); });
  }

  // "user_login", "bad_user_credentials", "userauthrules_disallowed", "user_timeout" ...
  static Fate authentication(const Message& m, const Fields& f, Event& e) {
    // Messages about the RADIUS accounting servers name the user as well.
    if (m.name.contains("accounting")) return other(m);
    const bool login = m.name.contains("login") || f[kAuthEvent] == "Login";
    const bool logout = m.name.contains("logout") || m.name == "user_timeout" || f[kAuthEvent] == "Logout";
    const bool failed = fails(m.name);
    if (!login && !logout && !failed) return other(m);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess,
              is_vpn_agent(f[kAuthAgent]) ? Service::kVpn : Service::kOther);
    e.source_ip = f.ip(kSrcIp);
    if (!e.source_ip.present()) e.source_ip = f.ip(kConnSrcIp);
    set_user(e, f[kUserName]);
    e.application = lower_symbol(f[kAuthAgent]);
    e.rule = f.symbol(kAuthRule);
    if (failed) {
      e.reason = closed_reason(f[kMessage]);
    } else if (logout) {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
      if (m.name == "user_timeout") e.reason = core::intern("timeout");
    }
    return Fate::kept();
  }

  // An administrator at the device: admin_login, sesmgr_session_created ...
  static Fate administrator(const Message& m, const Fields& f, Event& e) {
    const bool login = m.name == "admin_login" || m.name.ends_with("session_created");
    const bool logout = m.name == "admin_logout" || m.name.ends_with("session_removed") ||
                        m.name.ends_with("session_timeout") || m.name.ends_with("session_closed");
    const bool failed = fails(m.name) && (m.name.starts_with("admin_") || m.name.starts_with("sesmgr_"));
    if (!login && !logout && !failed) return other(m);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kManagement);
    if (logout) {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
    }
    if (failed) e.reason = core::intern(m.name);  // the message names the administrator
    e.source_ip = given_ip(f.either(kClientIp, kIp));
    e.source_port = f.port(kClientPort);
    e.destination_ip = f.ip(kServerIp);
    e.destination_port = f.port(kServerPort);
    set_user(e, f.either(kUserName, kUser));
    e.application = lower_symbol(f.either(kAuthSystem, kType));
    return Fate::kept();
  }

  // IKE and IPsec security associations; the reference names both ends "local" and "remote".
  static Fate ipsec(const Message& m, const Fields& f, Event& e) {
    const bool ike = m.name.starts_with("ike_sa_");
    if (!ike && !m.name.starts_with("ipsec_sa_")) return other(m);
    if (f[kRemoteIp].empty()) return other(m);
    const bool initiator = f[kInitiator] == "TRUE";
    e.source_ip = f.ip(initiator ? kLocalIp : kRemoteIp);
    e.source_port = f.port(initiator ? kLocalPort : kRemotePort);
    e.destination_ip = f.ip(initiator ? kRemoteIp : kLocalIp);
    e.destination_port = f.port(initiator ? kRemotePort : kLocalPort);
    const bool created = m.name.ends_with("_created") || m.name.ends_with("_installed");
    if (fails(m.name)) {
      e.event_class = Class::kHandshake;
      e.activity = Activity::kObserved;
      e.outcome = Outcome::kFailure;
      e.reason = closed_reason(f[kMessage].substr(0, f[kMessage].find(',')));
    } else if (ike) {
      e.event_class = Class::kHandshake;
      e.activity = Activity::kObserved;
      if (created) e.outcome = Outcome::kSuccess;
      e.reason = core::intern(m.name);
    } else {
      put_session(e, created ? Activity::kStart : m.name.ends_with("_deleted") ? Activity::kEnd : Activity::kUpdate);
      if (created) e.outcome = Outcome::kSuccess;
    }
    e.service = Service::kVpn;
    e.application = kIpsec;
    e.group = f.symbol(kIpsecIf);
    const std::string_view spi = ike ? f[initiator ? kLocalIkeSpi : kRemoteIkeSpi] : f[kIkeSpiI];
    if (!spi.empty()) e.session_id = core::hash64(spi);
    return Fate::kept();
  }

  static std::string_view tunnel_kind(std::uint32_t category) {
    switch (category) {
      case kPptp: return "pptp";
      case kL2tp: return "l2tp";
      case kSslVpn: return "sslvpn";
      default: return "oneconnect";
    }
  }

  // Tunnels of clients: OneConnect, SSL VPN, L2TP, PPTP.
  static Fate tunnel(const Message& m, const Fields& f, Event& e) {
    const auto ends = [&](std::string_view word) { return m.name.ends_with(word); };
    const bool begins = ends("session_created") || ends("session_established") || ends("session_up") ||
                        ends("session_reconnected") || ends("session_opened");
    const bool over = ends("session_closed") || ends("disconnected") || ends("session_removed") || ends("session_down");
    const bool failed = fails(m.name);
    if (!begins && !over && !failed) return other(m);
    const bool connection = put_ends(f, e);
    if (!connection) {
      e.source_ip = given_ip(f[kIpAddr].empty() ? f.either(kRemoteGw, kClientIp) : f[kIpAddr]);
    }
    set_user(e, f.either(kUserName, kUser));
    if (failed) {
      // With a user it is the user who was refused.
      if (e.user.present()) {
        put_login(e, Outcome::kFailure, Service::kVpn);
      } else {
        e.event_class = Class::kHandshake;
        e.activity = Activity::kObserved;
        e.outcome = Outcome::kFailure;
        e.service = Service::kVpn;
      }
      e.reason = closed_reason(f[kMessage]);
    } else {
      put_session(e, begins ? Activity::kStart : Activity::kEnd);
      if (begins) e.outcome = Outcome::kSuccess;
      put_counters(f, e);
    }
    e.application = core::intern(tunnel_kind(m.category));
    e.group = f.symbol(kIface);
    // ipaddr is the client's address in the Internet; beside it client_ip is the one within the tunnel.
    if (!f[kIpAddr].empty()) e.assigned_ip = f.ip(kClientIp);
    return Fate::kept();
  }

  static Fate ssl_error(const Message& m, const Fields& f, Event& e) {
    e.source_ip = f.ip(kClientIp);
    if (!e.source_ip.present() || !m.name.starts_with("ssl_error")) return other(m);
    e.event_class = Class::kHandshake;
    e.activity = Activity::kObserved;
    e.outcome = Outcome::kFailure;
    e.application = core::intern("ssl");
    e.reason = closed_reason(f[kMessage]);
    return Fate::kept();
  }

  static Fate tell(const Message& m, const Fields& f, Event& e) {
    switch (m.category) {
      case kArp: return other(m);
      case kConn:
        if (m.name.starts_with("conn_open")) return connection(Activity::kStart, f, e);
        if (m.name.starts_with("conn_close")) return connection(Activity::kEnd, f, e);
        if (m.name == "conn_usage") return connection(Activity::kUpdate, f, e);
        break;
      case kIpsecCategory: return ipsec(m, f, e);
      case kUserAuth: return authentication(m, f, e);
      case kSystem:
      case kSessionManager: return administrator(m, f, e);
      case kPptp:
      case kL2tp:
      case kSslVpn:
      case kOneConnect: return tunnel(m, f, e);
      case kApplicationControl: return application(m, f, e);
      case kSslInspection: return ssl_error(m, f, e);
      default: break;
    }
    return is_denial(f[kAction]) ? denial(m, f, e) : other(m);
  }

  static Fate other(const Message& m) { return json::ignored("message", m.name); }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_clavister(const core::TimeReader&) { return std::make_unique<Clavister>(); }

}  // namespace orbwatch::decode
