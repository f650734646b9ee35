// Stormshield Network Security (SNS 2 to 5), audit logs over syslog (WELF: key=value, key="value").
//   <134>1 2026-11-22T09:00:00+01:00 gw1 asqd - - - id=firewall time="2026-11-22 09:00:00" fw="gw1" tz=+0100
//   startime="2026-11-22 08:59:48" pri=5 confid=01 slotlevel=2 ruleid=100 srcif="Ethernet3" srcifname="in" ipproto=tcp
//   ... src=10.0.0.5 srcport=60355 dst=198.51.100.1 dstport=443 sent=1200 rcvd=33000 duration=12.00 action=pass
//   logtype="connection"
//   id=firewall time="..." fw="gw1" tz=+0100 startime="..." user="alice" src=198.51.100.7 domain="corp.example"
//   confid=1 ruleid=0 method="OPENVPN" error=3 msg="Authentication Failed" logtype="auth" id=firewall time="..."
//   fw="gw1" tz=+0100 startime="..." ipproto="UDP" user="alice" domain="corp.example" src=198.51.100.7
//   remotenet=10.8.0.6 localnet=10.8.0.5 port=59505 msg="SSL tunnel created" logtype="xvpn"
//
// Source: "Description of audit logs" v3 and v4 (documentation.stormshield.eu). logtype says what a record is; within
// auth, vpn and xvpn its message does.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/flow_text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::contains_ignore_case;
using event::Action;
using event::Activity;
using event::Class;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNoType = core::intern("stormshield: no log type");
const Symbol kNoPeer = core::intern("stormshield: no address or user");
const Symbol kSystemAlarm = core::intern("alarm of the system");
const Symbol kIpsec = core::intern("ipsec");
const Symbol kSsl = core::intern("ssl");

enum Key : std::uint8_t {
  kAction,
  kAddress,
  kAlarmId,
  kCookie,
  kDomain,
  kDst,
  kDstIf,
  kDstIfName,
  kDstName,
  kDstPort,
  kDuration,
  kError,
  kFw,
  kIpProto,
  kLogType,
  kMethod,
  kModSrc,
  kMsg,
  kPeerName,
  kPhase,
  kPort,
  kProto,
  kRcvd,
  kRemoteNet,
  kRuleId,
  kRuleName,
  kSent,
  kSessionId,
  kSide,
  kSrc,
  kSrcCountry,
  kSrcIf,
  kSrcIfName,
  kSrcPort,
  kTime,
  kTotp,
  kTz,
  kUser,
  kUserGroup,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action",    "address", "alarmid",    "cookie_i", "domain",    "dst",     "dstif",
                                  "dstifname", "dstname", "dstport",    "duration", "error",     "fw",      "ipproto",
                                  "logtype",   "method",  "modsrc",     "msg",      "peername",  "phase",   "port",
                                  "proto",     "rcvd",    "remotenet",  "ruleid",   "rulename",  "sent",    "sessionid",
                                  "side",      "src",     "srccountry", "srcif",    "srcifname", "srcport", "time",
                                  "totp",      "tz",      "user",       "usergroup"});

using Fields = Values<kKeys>;

// "Authentication Failed", "Error during authentication : ...", "Bad user or password"
bool says_failure(std::string_view msg) {
  constexpr std::array<std::string_view, 9> kWords = {"fail",    "error", "denied",    "refused",    "rejected",
                                                      "invalid", "bad ",  "not found", "no proposal"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return contains_ignore_case(msg, word); });
}

class Stormshield final : public RecordDecoder {
 public:
  explicit Stormshield(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (!text.starts_with("id=firewall time=") && !text.starts_with("time=")) return false;
    const std::string_view head = text.substr(0, 240);
    return head.contains(" fw=") && head.contains(" tz=") && head.contains(" startime=");
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Fields f(kNames);
    f.read(record.message, ' ');
    put_time(f, e);
    if (!f[kFw].empty()) e.observer = f.symbol(kFw);
    if (f[kLogType].empty()) return Fate::rejected(kNoType);
    e.code = f.symbol(kLogType);
    e.source_ip = f.ip(kSrc);
    e.source_port = f.port(kSrcPort);
    e.destination_ip = f.ip(kDst);
    e.destination_port = f.port(kDstPort);
    e.protocol = protocol_number(f[kIpProto]);
    put_account(f, e);
    const Fate fate = tell(f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // time="2026-11-22 09:00:00" tz=+0100; the envelope has the time of sending.
  void put_time(const Fields& f, Event& e) const {
    std::array<char, 32> buffer;
    std::string_view text = f[kTime];
    if (text.size() == 19 && (f[kTz].starts_with('+') || f[kTz].starts_with('-')) && f[kTz].size() == 5) {
      char* p = std::copy(text.begin(), text.end(), buffer.data());
      p = std::copy(f[kTz].begin(), f[kTz].end(), p);
      text = {buffer.data(), static_cast<std::size_t>(p - buffer.data())};
    }
    if (const auto time = core::parse_iso8601(text, times_)) e.time = *time;
  }

  static void put_account(const Fields& f, Event& e) {
    set_user(e, f[kUser]);
    if (e.user.present() && !e.user_domain.present()) e.user_domain = f.symbol(kDomain);
    e.group = f.symbol(kUserGroup);
  }

  // What was counted, as seen from the source.
  static void put_counters(const Fields& f, Event& e) {
    e.source_bytes = f.number(kSent);
    e.destination_bytes = f.number(kRcvd);
    e.duration = flow_duration(f[kDuration]);
  }

  static void put_traffic(const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    if (core::equals_ignore_case(f[kAction], "pass")) e.action = Action::kAllowed;
    if (core::equals_ignore_case(f[kAction], "block")) e.action = Action::kDenied;
    put_counters(f, e);
    e.ingress = core::intern(f.either(kSrcIfName, kSrcIf));
    e.egress = core::intern(f.either(kDstIfName, kDstIf));
    e.rule = core::intern(f.either(kRuleName, kRuleId));
    if (!json::absent(f[kProto])) e.application = lower_symbol(f[kProto]);
    e.region = f.symbol(kSrcCountry);
    if (const core::Ip nat = f.ip(kModSrc); nat != e.source_ip) e.assigned_ip = nat;
  }

  // filter: what a rule did with a first packet. connection, plugin and the proxies: a connection that has ended.
  static Fate traffic(std::string_view type, const Fields& f, Event& e) {
    put_traffic(f, e);
    if (e.action != Action::kDenied) {
      // A rule whose action is to log leaves the verdict to those behind it.
      e.activity = type != "filter"                                                     ? Activity::kEnd
                   : e.duration != 0 || e.source_bytes != 0 || e.destination_bytes != 0 ? Activity::kEnd
                   : e.action == Action::kAllowed                                       ? Activity::kStart
                                                                                        : Activity::kObserved;
    } else {
      e.reason = closed_reason(f[kMsg]);
    }
    // Of an address without a name the firewall makes one, "host_198.51.100.1".
    if (!f[kDstName].starts_with("host_") && type != "filter") e.destination_name = f.symbol(kDstName);
    return Fate::kept();
  }

  // Alarms of the intrusion prevention are about packets, others about the firewall itself.
  static Fate alarm(const Fields& f, Event& e) {
    if (!e.source_ip.present()) return Fate::ignored(kSystemAlarm);
    put_traffic(f, e);
    e.activity = Activity::kAlert;
    e.rule = closed_reason(f[kMsg]);
    if (!f[kAlarmId].empty()) e.code = f.symbol(kAlarmId);
    if (e.action == Action::kDenied) e.reason = e.rule;
    return Fate::kept();
  }

  static void put_outcome(const Fields& f, Event& e) {
    const std::string_view msg = f[kMsg];
    const bool failed = (!f[kError].empty() && f[kError] != "0") || says_failure(msg);
    e.outcome = failed ? Outcome::kFailure : Outcome::kSuccess;
    if (failed) e.reason = closed_reason(msg);
  }

  static void put_second_factor(const Fields& f, Event& e) {
    if (f[kTotp] == "yes") e.mfa = Mfa::kYes;
    if (f[kTotp] == "no") e.mfa = Mfa::kNo;
  }

  static bool says_logout(std::string_view msg) {
    return contains_ignore_case(msg, "logged out") || contains_ignore_case(msg, "logout") ||
           contains_ignore_case(msg, "disconnect") || contains_ignore_case(msg, "expired");
  }

  static Fate authentication(const Fields& f, Event& e) {
    const std::string_view msg = f[kMsg];
    const std::string_view method = f[kMethod];
    // A user of the VPN, an administrator, or somebody at the captive portal.
    Service service = Service::kOther;
    if (contains_ignore_case(method, "VPN") || contains_ignore_case(method, "IPSEC")) service = Service::kVpn;
    if (msg.contains("on the firewall") || msg.starts_with("SSH") || msg.starts_with("Console"))
      service = Service::kManagement;
    put_login(e, Outcome::kUnknown, service);
    put_outcome(f, e);
    put_second_factor(f, e);
    e.application = lower_symbol(msg.starts_with("SSH") ? std::string_view("ssh") : method);
    if (f[kRuleId] != "0") e.rule = f.symbol(kRuleId);
    if (msg.starts_with("totp ")) {
      e.activity = Activity::kObserved;
      e.reason = closed_reason(msg);
    } else if (says_logout(msg)) {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
      e.reason = {};
    }
    return Fate::kept();
  }

  // Commands that an administrator gave.
  static Fate command(const Fields& f, Event& e) {
    const std::string_view msg = f[kMsg];
    e.source_ip = f.ip(kAddress);
    put_login(e, Outcome::kUnknown, Service::kManagement);
    put_outcome(f, e);
    e.session_id = f.number(kSessionId);
    e.reason = {};  // msg is the command itself
    if (msg.starts_with("QUIT") || says_logout(msg)) {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
    } else if (!msg.starts_with("LOGIN") && !msg.starts_with("AUTH")) {
      e.activity = Activity::kObserved;
      e.reason = core::intern("command of an administrator");
    }
    return Fate::kept();
  }

  // src is this end of the tunnel and dst the other one, whoever opened it.
  static Fate ipsec(const Fields& f, Event& e) {
    const std::string_view msg = f[kMsg];
    if (!e.destination_ip.present() && !e.user.present()) return Fate::ignored("tunnel without address");
    if (f[kSide] == "responder" || (f[kSide].empty() && e.user.present())) std::swap(e.source_ip, e.destination_ip);
    const bool established = contains_ignore_case(msg, "established");
    const bool deleted = contains_ignore_case(msg, "delete") || contains_ignore_case(msg, "removed") ||
                         contains_ignore_case(msg, "closed");
    if (f[kError] == "2" || says_failure(msg)) {
      // With a user it is the user who was refused; without, the other gateway.
      if (e.user.present()) {
        put_login(e, Outcome::kFailure, Service::kVpn);
      } else {
        e.event_class = Class::kHandshake;
        e.activity = Activity::kObserved;
        e.outcome = Outcome::kFailure;
      }
      e.reason = closed_reason(msg);
    } else if (f[kPhase] == "2" && (established || deleted)) {
      put_session(e, established ? Activity::kStart : Activity::kEnd);
      if (established) e.outcome = Outcome::kSuccess;
    } else {
      e.event_class = Class::kHandshake;
      e.activity = Activity::kObserved;
      if (established) e.outcome = Outcome::kSuccess;
      e.reason = closed_reason(msg);
    }
    e.service = Service::kVpn;
    e.application = kIpsec;
    if (!e.group.present()) e.group = core::intern(f.either(kRuleName, kPeerName));
    if (!f[kCookie].empty()) e.session_id = core::hash64(f[kCookie]);
    std::string_view net = f[kRemoteNet];
    if (net.ends_with("/32")) net.remove_suffix(3);
    e.assigned_ip = given_ip(net);
    return Fate::kept();
  }

  static Fate ssl_vpn(const Fields& f, Event& e) {
    const std::string_view msg = f[kMsg];
    const bool tunnel = contains_ignore_case(msg, "tunnel");
    if (contains_ignore_case(msg, "authenticat") || (!tunnel && says_failure(msg))) {
      put_login(e, Outcome::kUnknown, Service::kVpn);
      put_outcome(f, e);
      put_second_factor(f, e);
      e.application = kSsl;
    } else if (tunnel && (contains_ignore_case(msg, "created") || contains_ignore_case(msg, "opened"))) {
      put_session(e, Activity::kStart, kSsl);
      e.outcome = Outcome::kSuccess;
    } else if (tunnel || says_logout(msg)) {
      put_session(e, Activity::kEnd, kSsl);
      put_counters(f, e);
    } else {
      return Fate::ignored("SSL VPN other");
    }
    if (e.source_port == 0) e.source_port = f.port(kPort);
    e.assigned_ip = f.ip(kRemoteNet);
    return Fate::kept();
  }

  static Fate tell(const Fields& f, Event& e) {
    const std::string_view type = f[kLogType];
    static constexpr std::array<std::string_view, 8> kTraffic = {"connection", "filter", "plugin", "web",
                                                                 "ssl",        "smtp",   "pop3",   "ftp"};
    if (std::find(kTraffic.begin(), kTraffic.end(), type) != kTraffic.end()) return traffic(type, f, e);
    if (type == "auth") return authentication(f, e);
    if (type == "vpn") return ipsec(f, e);
    if (type == "xvpn") return ssl_vpn(f, e);
    if (type == "alarm") return alarm(f, e);
    if (type == "server") return command(f, e);
    return json::ignored("log type", type);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_stormshield(const core::TimeReader& times) {
  return std::make_unique<Stormshield>(times);
}

}  // namespace orbwatch::decode
