// Sophos Firewall (SFOS, formerly XG) and Sophos UTM 9 (SG).
//   SFOS, "Device standard format":  device="SFW" date=2026-11-22 time=08:00:00 timezone="UTC" device_name="XG135"
//   device_id=S1 log_id=010101600001 log_type="Firewall" log_component="Firewall Rule" log_subtype="Allowed"
//   status="Allow"
//   ... src_ip=10.0.0.5 ... sent_pkts=10
//   SFOS, "Standard syslog protocol": timestamp="2026-11-22T08:00:00+0000" device_model="XGS136" device_serial_id="X1"
//   log_id="010101600001" log_type="Firewall" ... packets_sent=10
//   UTM: 2026:11:22-08:00:00 utm1 ulogd[4711]: id="2001" severity="info" sys="SecureNet" sub="packetfilter"
//   name="Packet dropped" action="drop" ... srcip="203.0.113.9"
//
// Sources: "Sophos Firewall: Syslog guide" 17.5 to 21.0 (docs.sophos.com), "Sophos UTM: log file messages" (support
// pages).
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNoType = core::intern("sophos_firewall: no log type");
const Symbol kNoPeer = core::intern("sophos_firewall: no address or user");
const Symbol kOther = core::intern("type other");

enum Key : std::uint8_t {
  kAction,
  kApp,
  kApplication,
  kAuthClient,
  kAuthMechanism,
  kCaller,
  kConDuration,
  kConEvent,
  kConEventOld,
  kConId,
  kConIdOld,
  kConnectionName,
  kDate,
  kDevice,
  kDeviceModel,
  kDeviceName,
  kDstIp,
  kDstIpUtm,
  kDstPort,
  kDstPortUtm,
  kDstZone,
  kDstZoneOld,
  kDstZoneType,
  kDstZoneTypeOld,
  kDuration,
  kEngine,
  kEvent,
  kFwRule,
  kFwRuleId,
  kFwRuleName,
  kGroup,
  kGroupAuth,
  kId,
  kInInterface,
  kInitf,
  kIpAddress,
  kLogComponent,
  kLogId,
  kLogSubtype,
  kLogType,
  kMessage,
  kName,
  kOutInterface,
  kOutitf,
  kProto,
  kProtocol,
  kReason,
  kRecvBytes,
  kRecvBytesNew,
  kRecvPkts,
  kRecvPktsNew,
  kRemoteIp,
  kSentBytes,
  kSentBytesNew,
  kSentPkts,
  kSentPktsNew,
  kSessionId,
  kSrcCountry,
  kSrcCountryOld,
  kSrcIp,
  kSrcIpUtm,
  kSrcPort,
  kSrcPortUtm,
  kSrcTrans,
  kSrcTransOld,
  kSrcZone,
  kSrcZoneOld,
  kSrcZoneType,
  kSrcZoneTypeOld,
  kStatus,
  kSub,
  kSys,
  kTime,
  kTimestamp,
  kTimezone,
  kUser,
  kUserGroup,
  kUserName,
  kUserNameUtm,
  kVariant,
  kVirtualIp,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action",
                                  "app_name",
                                  "application",
                                  "auth_client",
                                  "auth_mechanism",
                                  "caller",
                                  "con_duration",
                                  "con_event",
                                  "connevent",
                                  "con_id",
                                  "connid",
                                  "connectionname",
                                  "date",
                                  "device",
                                  "device_model",
                                  "device_name",
                                  "dst_ip",
                                  "dstip",
                                  "dst_port",
                                  "dstport",
                                  "dst_zone",
                                  "dstzone",
                                  "dst_zone_type",
                                  "dstzonetype",
                                  "duration",
                                  "engine",
                                  "event",
                                  "fwrule",
                                  "fw_rule_id",
                                  "fw_rule_name",
                                  "user_gp",
                                  "usergroupname",
                                  "id",
                                  "in_interface",
                                  "initf",
                                  "ipaddress",
                                  "log_component",
                                  "log_id",
                                  "log_subtype",
                                  "log_type",
                                  "message",
                                  "name",
                                  "out_interface",
                                  "outitf",
                                  "proto",
                                  "protocol",
                                  "reason",
                                  "recv_bytes",
                                  "bytes_received",
                                  "recv_pkts",
                                  "packets_received",
                                  "remote_ip",
                                  "sent_bytes",
                                  "bytes_sent",
                                  "sent_pkts",
                                  "packets_sent",
                                  "sessionid",
                                  "src_country",
                                  "src_country_code",
                                  "src_ip",
                                  "srcip",
                                  "src_port",
                                  "srcport",
                                  "src_trans_ip",
                                  "tran_src_ip",
                                  "src_zone",
                                  "srczone",
                                  "src_zone_type",
                                  "srczonetype",
                                  "status",
                                  "sub",
                                  "sys",
                                  "time",
                                  "timestamp",
                                  "timezone",
                                  "user",
                                  "user_group",
                                  "user_name",
                                  "username",
                                  "variant",
                                  "virtual_ip"});

using Fields = Values<kKeys>;

std::uint64_t either_number(const Fields& f, Key one, Key other) {
  return f[one].empty() ? f.number(other) : f.number(one);
}

// "AD,Local", "RADIUS", "adirectory"
AuthMethod method_of(std::string_view text) {
  text = text.substr(0, text.find(','));
  if (core::equals_ignore_case(text, "Local")) return AuthMethod::kPassword;
  if (core::contains_ignore_case(text, "RADIUS")) return AuthMethod::kRadius;
  if (core::contains_ignore_case(text, "LDAP") || core::contains_ignore_case(text, "edirectory")) {
    return AuthMethod::kLdap;
  }
  if (core::equals_ignore_case(text, "AD") || core::contains_ignore_case(text, "adirectory"))
    return AuthMethod::kKerberos;
  if (core::contains_ignore_case(text, "SAML") || core::contains_ignore_case(text, "Azure")) return AuthMethod::kSaml;
  return AuthMethod::kUnknown;
}

// "UTM: 2026:11:22-08:00:00 HOST PROGRAM[PID]: " at the front; moves behind it.
struct UtmHeader {
  std::string_view time;
  std::string_view host;
};

UtmHeader take_utm_header(std::string_view& text) {
  UtmHeader h;
  if (text.size() < 21 || text[4] != ':' || text[7] != ':' || text[10] != '-' || text[13] != ':' || text[16] != ':')
    return h;
  std::string_view rest = text;
  h.time = core::take_until(rest, ' ');
  h.host = core::take_until(rest, ' ');
  const auto tag = rest.substr(0, 64).find(": ");
  if (tag == rest.npos) return {};
  text = rest.substr(tag + 2);
  return h;
}

bool is_utm(std::string_view text) {
  take_utm_header(text);
  if (!text.starts_with("id=\"")) return false;
  const std::string_view head = text.substr(0, 160);
  return head.contains(" severity=\"") && head.contains(" sys=\"") && head.contains(" sub=\"");
}

bool is_sfos(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  bool begins = false;
  for (const std::string_view key : {"device=\"SFW\""sv, "device_name="sv, "timestamp=\""sv, "date="sv}) {
    begins = begins || text.starts_with(key);
  }
  if (!begins) return false;
  const std::string_view head = text.substr(0, 500);
  return head.contains("log_type=\"") && head.contains("log_component=\"") && head.contains("log_id=");
}

class SophosFirewall final : public RecordDecoder {
 public:
  explicit SophosFirewall(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    // The header's parser takes the UTM's own time for no time: it then stands in the message.
    return (is_sfos(r.message) || is_utm(r.message));
  }

  Fate decode(const TextRecord& record, Event& e) override {
    std::string_view text = record.message;
    const UtmHeader utm = take_utm_header(text);
    Fields f(kNames);
    f.read(text, ' ');
    if (!utm.host.empty()) e.observer = core::intern(utm.host);
    if (!f[kDeviceName].empty()) e.observer = core::intern(f[kDeviceName]);
    put_time(f, utm.time, e);
    e.code = core::intern(f[kLogId].empty() ? f[kId] : f[kLogId]);
    put_addresses(f, e);
    const Fate fate = f[kLogType].empty() ? utm_record(f, e) : sfos_record(f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  void put_time(const Fields& f, std::string_view utm, Event& e) const {
    std::array<char, 48> buffer;
    std::string_view text = f[kTimestamp];
    if (!utm.empty() && utm.size() < 30) {  // "2026:11:22-08:00:00"
      std::copy(utm.begin(), utm.end(), buffer.data());
      buffer[4] = buffer[7] = '-';
      buffer[10] = ' ';
      text = {buffer.data(), utm.size()};
    } else if (text.size() < 19 && f[kDate].size() == 10 && f[kTime].size() == 8) {
      char* p = std::copy(f[kDate].begin(), f[kDate].end(), buffer.data());
      *p++ = ' ';
      p = std::copy(f[kTime].begin(), f[kTime].end(), p);
      // "+11", "+0530"; a name such as IST means several zones and is not read, save UTC.
      const std::string_view zone = f[kTimezone];
      if (zone == "UTC" || zone == "GMT") *p++ = 'Z';
      if ((zone.starts_with('+') || zone.starts_with('-')) && zone.size() <= 6) {
        p = std::copy(zone.begin(), zone.end(), p);
        if (zone.size() == 3) p = std::copy_n("00", 2, p);
      }
      text = {buffer.data(), static_cast<std::size_t>(p - buffer.data())};
    }
    if (const auto time = core::parse_iso8601(text, times_)) e.time = *time;
  }

  static void put_addresses(const Fields& f, Event& e) {
    e.source_ip = given_ip(f.either(kSrcIp, kSrcIpUtm));
    e.destination_ip = given_ip(f.either(kDstIp, kDstIpUtm));
    e.source_port = f[kSrcPort].empty() ? f.port(kSrcPortUtm) : f.port(kSrcPort);
    e.destination_port = f[kDstPort].empty() ? f.port(kDstPortUtm) : f.port(kDstPort);
    e.protocol = protocol_number(f.either(kProtocol, kProto));
  }

  static void put_account(const Fields& f, Event& e) {
    std::string_view user = f.either(kUserName, kUserNameUtm);
    if (user.empty()) user = f[kUser];
    set_user(e, user);
    e.group = core::intern(f[kUserGroup].empty() ? f.either(kGroup, kGroupAuth) : f[kUserGroup]);
  }

  static void put_counters(const Fields& f, Event& e) {
    e.source_bytes = either_number(f, kSentBytes, kSentBytesNew);
    e.destination_bytes = either_number(f, kRecvBytes, kRecvBytesNew);
    e.source_packets = either_number(f, kSentPkts, kSentPktsNew);
    e.destination_packets = either_number(f, kRecvPkts, kRecvPktsNew);
    e.duration = seconds(either_number(f, kConDuration, kDuration));
  }

  static Fate firewall(const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    const std::string_view verdict = f[kLogSubtype];
    e.action = verdict == "Allowed" ? Action::kAllowed : Action::kDenied;
    put_account(f, e);
    put_counters(f, e);
    const std::string_view phase = f.either(kConEvent, kConEventOld);
    if (phase == "Start") e.activity = Activity::kStart;
    if (phase == "Interim" || phase == "Update") e.activity = Activity::kUpdate;
    if (phase == "Stop" || phase == "End") e.activity = Activity::kEnd;
    if (phase.empty() && e.action == Action::kAllowed) {
      e.activity = e.source_bytes + e.destination_bytes != 0 ? Activity::kEnd : Activity::kStart;
    }
    e.session_id = either_number(f, kConId, kConIdOld);
    e.ingress = core::intern(f[kSrcZone].empty() ? f.either(kSrcZoneOld, kInInterface) : f[kSrcZone]);
    e.egress = core::intern(f[kDstZone].empty() ? f.either(kDstZoneOld, kOutInterface) : f[kDstZone]);
    const std::string_view rule = f[kFwRuleName].empty() ? f[kFwRuleId] : f[kFwRuleName];
    if (rule != "N/A") e.rule = core::intern(rule);
    if (const core::Ip nat = given_ip(f.either(kSrcTrans, kSrcTransOld)); nat != e.source_ip) e.assigned_ip = nat;
    e.application = lower_symbol(f.either(kApplication, kApp));
    // "R1" and the like stand for reserved addresses.
    if (const std::string_view country = f.either(kSrcCountry, kSrcCountryOld); country.size() == 3) {
      e.region = core::intern(country);
    }
    direction(f.either(kSrcZoneType, kSrcZoneTypeOld), f.either(kDstZoneType, kDstZoneTypeOld), e);
    if (f[kLogComponent] == "Appliance Access" || f[kLogComponent] == "Local ACLs") {
      const bool console = e.destination_port == 22 || e.destination_port == 23 || e.destination_port == 4444;
      if (console) e.service = Service::kManagement;
    }
    if (e.action == Action::kDenied) e.reason = closed_reason(f[kLogComponent]);
    return Fate::kept();
  }

  static void direction(std::string_view from, std::string_view to, Event& e) {
    const auto inside = [](std::string_view zone) { return zone == "LAN" || zone == "DMZ" || zone == "WiFi"; };
    if (from == "WAN" && inside(to)) e.direction = Direction::kInbound;
    if (inside(from) && to == "WAN") e.direction = Direction::kOutbound;
    if (inside(from) && inside(to)) e.direction = Direction::kInternal;
  }

  // "SSL VPN Authentication", "VPN Authentication", "My Account Authentication", "Firewall Authentication"
  static Service service_of(std::string_view component) {
    if (component.contains("VPN") || component.contains("L2TP") || component.contains("PPTP") ||
        component.contains("IPSec") || component.contains("ZTNA")) {
      return Service::kVpn;
    }
    if (component == "GUI" || component == "CLI" || component == "Console" || component == "API" ||
        component.contains("Central")) {
      return Service::kManagement;
    }
    return component.contains("Account") || component.contains("Portal") ? Service::kWeb : Service::kOther;
  }

  static Outcome outcome_of(std::string_view status) {
    if (core::contains_ignore_case(status, "success")) return Outcome::kSuccess;
    if (core::contains_ignore_case(status, "fail") || core::contains_ignore_case(status, "denied"))
      return Outcome::kFailure;
    return Outcome::kUnknown;
  }

  static Fate authentication(const Fields& f, Event& e) {
    const std::string_view message = f[kMessage];
    put_login(e, outcome_of(f[kStatus]), service_of(f[kLogComponent]));
    if (message.contains("logged out") || message.contains("logout")) e.activity = Activity::kLogoff;
    put_account(f, e);
    e.auth_method = method_of(f[kAuthMechanism]);
    if (f[kAuthClient] != "N/A") e.application = lower_symbol(f[kAuthClient]);
    put_counters(f, e);
    if (!f[kReason].empty()) {
      e.reason = closed_reason(f[kReason]);
    } else if (const auto why = message.find("because of "); why != message.npos) {
      e.reason = closed_reason(message.substr(why + 11));
    }
    return Fate::kept();
  }

  static Fate administrator(const Fields& f, Event& e) {
    const std::string_view message = f[kMessage];
    const bool login = core::contains_ignore_case(message, "logged in") || core::contains_ignore_case(message, "login");
    const bool logout =
        core::contains_ignore_case(message, "logged out") || core::contains_ignore_case(message, "logout");
    Outcome outcome = outcome_of(f[kStatus]);
    if (core::contains_ignore_case(message, "failed to login")) outcome = Outcome::kFailure;
    put_login(e, outcome, Service::kManagement);
    if (logout) {
      e.activity = Activity::kLogoff;
    } else if (!login) {
      e.activity = Activity::kObserved;
      e.reason = core::intern("change by an administrator");
    }
    put_account(f, e);
    e.application = lower_symbol(f[kLogComponent]);
    if (const auto why = message.find("because of "); why != message.npos)
      e.reason = closed_reason(message.substr(why + 11));
    return Fate::kept();
  }

  // log_component SSL VPN, IPSec, L2TP, PPTP: tunnels that come and go.
  static Fate tunnel(const Fields& f, Event& e) {
    const std::string_view status = f[kStatus];
    if (status == "Established" || status == "Connected" || status == "Successful") {
      put_session(e, Activity::kStart);
      e.outcome = Outcome::kSuccess;
    } else if (status == "Terminated" || status == "Disconnected" || status == "Expire") {
      put_session(e, Activity::kEnd);
    } else if (outcome_of(status) == Outcome::kFailure) {
      e.event_class = Class::kHandshake;
      e.activity = Activity::kObserved;
      e.outcome = Outcome::kFailure;
      e.service = Service::kVpn;
    } else {
      return other(f);
    }
    put_account(f, e);
    put_counters(f, e);
    e.assigned_ip = f.ip(kIpAddress);
    if (const core::Ip remote = f.ip(kRemoteIp); remote.present()) e.source_ip = remote;
    e.application = lower_symbol(f[kLogComponent]);
    if (!e.group.present()) e.group = f.symbol(kConnectionName);
    if (!f[kSessionId].empty()) e.session_id = core::hash64(f[kSessionId]);
    // A tunnel between gateways names no user and, in older versions, no address.
    if (!e.source_ip.present() && !e.user.present()) return Fate::ignored("tunnel without user and address");
    return Fate::kept();
  }

  static Fate sfos_record(const Fields& f, Event& e) {
    const std::string_view type = f[kLogType];
    if (type == "Firewall") return firewall(f, e);
    if (type != "Event") return other(f);
    const std::string_view subtype = f[kLogSubtype];
    if (subtype == "Authentication") return authentication(f, e);
    if (subtype == "Admin") return administrator(f, e);
    if (subtype == "System" && service_of(f[kLogComponent]) == Service::kVpn) return tunnel(f, e);
    return other(f);
  }

  static Fate packet_filter(const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    const std::string_view verdict = f[kAction];
    if (verdict == "accept" || verdict == "log") {
      e.action = Action::kAllowed;
      e.activity = Activity::kStart;
    } else {
      e.action = Action::kDenied;
    }
    e.ingress = f.symbol(kInitf);
    e.egress = f.symbol(kOutitf);
    e.rule = f.symbol(kFwRule);
    return Fate::kept();
  }

  static Fate utm_record(const Fields& f, Event& e) {
    const std::string_view sub = f[kSub];
    if (sub.empty()) return Fate::rejected(kNoType);
    const std::string_view name = f[kName];
    if (sub == "packetfilter") return packet_filter(f, e);
    if (sub == "auth" && name.starts_with("Authentication ")) {
      const std::string_view caller = f[kCaller];  // "webadmin", "openvpn", "portal", "ssh"
      const bool admin = caller == "webadmin" || caller == "ssh" || caller == "sshd";
      const bool vpn = caller == "openvpn" || caller == "l2tp" || caller == "pptp" || caller == "ipsec";
      put_login(e, name.contains("success") ? Outcome::kSuccess : Outcome::kFailure,
                admin ? Service::kManagement
                : vpn ? Service::kVpn
                      : Service::kWeb);
      put_account(f, e);
      e.auth_method = method_of(f[kEngine]);
      e.application = lower_symbol(caller);
      e.reason = closed_reason(f[kReason]);
      return Fate::kept();
    }
    if (sub == "vpn" && (f[kEvent] == "Connection started" || f[kEvent] == "Connection terminated")) {
      const bool start = f[kEvent] == "Connection started";
      put_session(e, start ? Activity::kStart : Activity::kEnd, lower_symbol(f[kVariant]));
      if (start) e.outcome = Outcome::kSuccess;
      put_account(f, e);
      e.assigned_ip = f.ip(kVirtualIp);
      return Fate::kept();
    }
    return other(f);
  }

  // "Content Filtering/HTTP", "Event/DHCP Server", "http"
  static Fate other(const Fields& f) {
    const std::string_view type = f[kLogType].empty() ? f[kSub] : f[kLogType];
    const std::string_view component = f[kLogComponent];
    const auto plain = [](std::string_view word) {
      return !word.empty() && word.size() <= 28 && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '-' || c == '_';
      });
    };
    if (!plain(type)) return Fate::ignored(kOther);
    std::array<char, 64> name;
    char* p = std::copy_n("type ", 5, name.data());
    p = std::copy(type.begin(), type.end(), p);
    if (plain(component)) {
      *p++ = '/';
      p = std::copy(component.begin(), component.end(), p);
    }
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_sophos_firewall(const core::TimeReader& times) {
  return std::make_unique<SophosFirewall>(times);
}

}  // namespace orbwatch::decode
