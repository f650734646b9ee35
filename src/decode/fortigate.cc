// FortiOS key=value syslog, also its CSV form (the same pairs, set apart by commas).
//
// Sources: "FortiOS Log Message Reference" 5.6 to 7.4 (docs.fortinet.com): log field format, LogID 0000000010..20
// (traffic), 0100032001..3 (admin log-in), 0101037xxx and 0101039xxx (VPN), 0102043xxx (user).
//   date=2026-11-22 time=08:00:00 devname="fg1" devid="FG100F" eventtime=1795334400000000000 tz="+0000"
//   logid="0000000013" type="traffic" ... date=2026-11-22 time=08:00:00 ... type="event" subtype="vpn"
//   action="ssl-login-fail" remip=203.0.113.7 user="bob" reason="..."
//   date=2026-11-22,time=08:00:00,...,type=event,subtype=system,action=login,status=success,...
// Security profiles (utm) and everything else that the product does not need are ignored by name ("type utm/ips").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::Ip;
using event::Action;
using event::Activity;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNoType = core::intern("fortigate: no type");
const Symbol kNoAddress = core::intern("fortigate: no address");
const Symbol kNoUser = core::intern("fortigate: no user");
const Symbol kOtherSystem = core::intern("event/system other than log-ins");
const Symbol kSso = core::intern("event/user single sign-on");
const Symbol kOtherUser = core::intern("event/user other than log-ins");
const Symbol kOtherVpn = core::intern("event/vpn other than sessions");
const Symbol kOtherType = core::intern("type other");

enum Key : std::uint8_t {
  kAction,
  kAgent,
  kAssignIp,
  kAuthProto,
  kDate,
  kDevId,
  kDevName,
  kDstIntf,
  kDstIntfRole,
  kDstIp,
  kDstPort,
  kDuration,
  kEventTime,
  kGroup,
  kLocIp,
  kLocPort,
  kLogId,
  kMethod,
  kOsName,
  kPolicyId,
  kPolicyName,
  kProto,
  kRcvdByte,
  kRcvdPkt,
  kReason,
  kRemIp,
  kRemPort,
  kSentByte,
  kSentPkt,
  kService,
  kSessionId,
  kSn,
  kSrcCountry,
  kSrcIntf,
  kSrcIntfRole,
  kSrcIp,
  kSrcName,
  kSrcPort,
  kStatus,
  kSubtype,
  kTime,
  kTimestamp,
  kTransIp,
  kTunnelId,
  kTunnelIp,
  kTunnelType,
  kType,
  kTz,
  kUi,
  kUser,
  kUserIp,
  kVpnTunnel,
  kXauthGroup,
  kXauthUser,
  kKeys
};

// In the order of the enumeration.
constexpr std::array<std::string_view, kKeys> kNames = {
    "action",      "agent",     "assignip",    "authproto", "date",       "devid",      "devname",   "dstintf",
    "dstintfrole", "dstip",     "dstport",     "duration",  "eventtime",  "group",      "locip",     "locport",
    "logid",       "method",    "osname",      "policyid",  "policyname", "proto",      "rcvdbyte",  "rcvdpkt",
    "reason",      "remip",     "remport",     "sentbyte",  "sentpkt",    "service",    "sessionid", "sn",
    "srccountry",  "srcintf",   "srcintfrole", "srcip",     "srcname",    "srcport",    "status",    "subtype",
    "time",        "timestamp", "transip",     "tunnelid",  "tunnelip",   "tunneltype", "type",      "tz",
    "ui",          "user",      "userip",      "vpntunnel", "xauthgroup", "xauthuser"};

constexpr std::size_t key_slot(std::string_view name) {
  return (name.size() * 37 + static_cast<unsigned char>(name.front()) * 5 +
          static_cast<unsigned char>(name[name.size() / 2]) * 11 + static_cast<unsigned char>(name.back()) * 3) %
         256;
}

// Slot -> key, with linear probing; kKeys marks an empty slot.
constexpr std::array<std::uint8_t, 256> kSlots = [] {
  std::array<std::uint8_t, 256> slots{};
  slots.fill(kKeys);
  for (std::uint8_t key = 0; key < kKeys; ++key) {
    std::size_t slot = key_slot(kNames[key]);
    while (slots[slot] != kKeys) slot = (slot + 1) % 256;
    slots[slot] = key;
  }
  return slots;
}();

std::uint8_t key_of(std::string_view name) {
  if (name.empty()) return kKeys;
  for (std::size_t slot = key_slot(name);; slot = (slot + 1) % 256) {
    const std::uint8_t key = kSlots[slot];
    if (key == kKeys || kNames[key] == name) return key;
  }
}

// The first value of each key that is read.
class Fields {
 public:
  explicit Fields(std::string_view text) {
    // The CSV form sets pairs apart by commas; there a value without quotes may hold spaces.
    const std::string_view first = text.substr(0, text.find_first_of(" ,"));
    const char separator = first.size() < text.size() && text[first.size()] == ',' ? ',' : ' ';
    Scanner s(text);
    while (!s.done()) {
      while (s.skip(' ') || s.skip(',')) {
      }
      const std::string_view name = s.until_table(kEndsName);
      if (!s.skip('=')) {
        s.advance(1);  // a word without value
        continue;
      }
      std::string_view value;
      if (s.skip('"')) {
        const char* begin = s.rest().data();
        while (!s.done() && s.peek() != '"') s.advance(s.peek() == '\\' ? 2 : 1);
        value = {begin, static_cast<std::size_t>(s.rest().data() - begin)};
        s.skip('"');
      } else {
        value = s.until(separator);
      }
      const std::uint8_t key = key_of(name);
      if (key != kKeys && values_[key].empty() && value != "N/A" && value != "none") values_[key] = value;
    }
  }

  std::string_view operator[](Key key) const { return values_[key]; }
  std::uint64_t number(Key key) const { return core::parse_number<std::uint64_t>(values_[key]).value_or(0); }
  std::uint16_t port(Key key) const { return core::parse_number<std::uint16_t>(values_[key]).value_or(0); }
  Ip ip(Key key) const { return given_ip(values_[key]); }
  core::Nanoseconds duration() const { return seconds(number(kDuration)); }

 private:
  static constexpr CharTable kEndsName{"= ,"};
  std::array<std::string_view, kKeys> values_;
};

bool is_lan(std::string_view role) { return role == "lan" || role == "dmz"; }

void put_user(Event& event, std::string_view name) {
  set_user(event, name.substr(0, name.find(',')));  // "alice,cn=alice" of LDAP groups
}

Fate traffic(const Fields& f, Event& event) {
  event.source_ip = f.ip(kSrcIp);
  event.destination_ip = f.ip(kDstIp);
  if (!event.source_ip.present() && !event.destination_ip.present()) return Fate::rejected(kNoAddress);
  event.event_class = Class::kConnection;
  const std::string_view action = f[kAction];
  if (action == "deny" || action == "blocked" || action == "block") {
    event.action = Action::kDenied;
  } else {
    event.action = Action::kAllowed;
    // 20: statistics of a session that goes on. A start is logged as such; all other actions say how a session ended.
    const bool goes_on = f[kLogId].ends_with("000020");
    event.activity = action == "start" ? Activity::kStart : goes_on ? Activity::kUpdate : Activity::kEnd;
    if (action != "accept" && action != "start") event.reason = closed_reason(action);
  }
  event.source_port = f.port(kSrcPort);
  event.destination_port = f.port(kDstPort);
  event.protocol = core::parse_number<std::uint8_t>(f[kProto]).value_or(0);
  event.source_bytes = f.number(kSentByte);
  event.destination_bytes = f.number(kRcvdByte);
  event.source_packets = f.number(kSentPkt);
  event.destination_packets = f.number(kRcvdPkt);
  event.duration = f.duration();
  event.session_id = f.number(kSessionId);
  event.ingress = core::intern(f[kSrcIntf]);
  event.egress = core::intern(f[kDstIntf]);
  event.rule = core::intern(f[kPolicyName].empty() ? f[kPolicyId] : f[kPolicyName]);
  // "tcp/65359" only says the port again.
  if (!f[kService].contains('/')) event.application = lower_symbol(f[kService]);
  if (f[kSrcCountry] != "Reserved") event.region = core::intern(f[kSrcCountry]);
  if (const Ip translated = f.ip(kTransIp); translated != event.source_ip) event.assigned_ip = translated;
  event.client_os = core::intern(f[kOsName]);
  event.client_host = core::intern(f[kSrcName]);
  put_user(event, f[kUser]);
  event.group = core::intern(f[kGroup]);
  const std::string_view from = f[kSrcIntfRole];
  const std::string_view to = f[kDstIntfRole];
  if (from == "wan" && is_lan(to)) event.direction = Direction::kInbound;
  if (is_lan(from) && to == "wan") event.direction = Direction::kOutbound;
  if (is_lan(from) && is_lan(to)) event.direction = Direction::kInternal;
  if (f[kSubtype] == "local" && (event.destination_port == 22 || event.destination_port == 23))
    event.service = Service::kManagement;
  return Fate::kept();
}

Fate vpn(const Fields& f, Event& event) {
  const std::string_view action = f[kAction];
  const std::string_view status = f[kStatus];
  event.source_ip = f.ip(kRemIp);
  event.source_port = f.port(kRemPort);
  event.destination_ip = f.ip(kLocIp);
  event.destination_port = f.port(kLocPort);
  put_user(event, f[kXauthUser].empty() ? f[kUser] : f[kXauthUser]);
  event.group = core::intern(!f[kXauthGroup].empty() ? f[kXauthGroup] : !f[kGroup].empty() ? f[kGroup] : f[kVpnTunnel]);
  event.assigned_ip = f.ip(kTunnelIp);
  if (!event.assigned_ip.present()) event.assigned_ip = f.ip(kAssignIp);
  put_session(event, Activity::kUpdate, lower_symbol(f[kTunnelType]));
  event.session_id = f.number(kTunnelId);
  event.user_agent = core::intern(f[kAgent]);
  if (action == "tunnel-up") {
    event.activity = Activity::kStart;
    event.outcome = Outcome::kSuccess;
  } else if (action == "tunnel-down" || action == "tunnel-stats") {
    if (action == "tunnel-down") event.activity = Activity::kEnd;
    event.duration = f.duration();
    // As the gateway counts them: what it sent goes to the client.
    event.destination_bytes = f.number(kSentByte);
    event.source_bytes = f.number(kRcvdByte);
  } else if (action == "ssl-login-fail") {
    put_login(event, Outcome::kFailure, Service::kVpn);
  } else if (action == "ssl-new-con") {
    event.event_class = Class::kHandshake;
    event.activity = Activity::kStart;
  } else if (action == "ssl-exit-error" || action == "ssl-exit-fail" || action == "ssl-alert") {
    event.event_class = Class::kHandshake;
    event.activity = Activity::kObserved;
    event.outcome = Outcome::kFailure;
  } else if (action == "negotiate") {
    if (status == "success") event.outcome = Outcome::kSuccess;
    if (status.contains("fail") || status.contains("error")) {
      event.outcome = Outcome::kFailure;
      // With a user it is the user who was refused; without, the peer gateway.
      if (event.user.present()) put_login(event, Outcome::kFailure, Service::kVpn);
    }
    event.reason = core::intern("negotiate");
  } else if (action == "install_sa" || action == "delete_phase1_sa" || action == "delete_ipsec_sa" ||
             action == "phase2-up" || action == "phase2-down" || action == "dpd" || action == "error" ||
             action == "auth-logout") {
    event.reason = core::intern(action);
  } else {
    return Fate::ignored(kOtherVpn);
  }
  if (!event.source_ip.present() && !event.user.present()) return Fate::rejected(kNoAddress);
  if (!f[kReason].empty()) event.reason = closed_reason(f[kReason]);
  return Fate::kept();
}

// "success", "Failed", "failure", "timed_out", "locked_out" ...
Outcome outcome_of(std::string_view status) {
  if (status.starts_with("success") || status.starts_with("Success")) return Outcome::kSuccess;
  if (status.starts_with("fail") || status.starts_with("Fail") || status.contains("lock") || status == "timed_out" ||
      status == "deny")
    return Outcome::kFailure;
  return Outcome::kUnknown;
}

// "https(192.0.2.7)", "TELNET(10.1.100.11)", "jsconsole": name and address of an access.
void put_access(Event& event, std::string_view text) {
  const auto open = text.find('(');
  event.application = lower_symbol(text.substr(0, open));
  if (open == text.npos || event.source_ip.present()) return;
  Scanner s(text.substr(open + 1));
  s.ip(event.source_ip);
}

Fate user(const Fields& f, Event& event) {
  const std::string_view action = f[kAction];
  if (action.starts_with("FSSO") || action.starts_with("RSSO") || action.starts_with("NTLM"))
    return Fate::ignored(kSso);
  if (!action.starts_with("auth")) return Fate::ignored(kOtherUser);
  put_login(event, outcome_of(f[kStatus]), Service::kOther);
  if (action == "auth-logout" || f[kStatus] == "logout") event.activity = Activity::kLogoff;
  event.source_ip = f.ip(kSrcIp);
  event.destination_ip = f.ip(kDstIp);
  event.ingress = core::intern(f[kSrcIntf]);
  event.egress = core::intern(f[kDstIntf]);
  event.rule = core::intern(f[kPolicyId]);
  event.group = core::intern(f[kGroup]);
  put_access(event, f[kAuthProto]);
  put_user(event, f[kUser]);
  event.reason = closed_reason(f[kReason]);
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

// FortiAuthenticator: somebody proves to it who he is, through a gateway (nas) or itself.
Fate authenticator(const Fields& f, Event& event) {
  put_login(event, outcome_of(f[kStatus]), Service::kOther);
  event.source_ip = f.ip(kUserIp);
  put_user(event, f[kUser]);
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

Fate system(const Fields& f, Event& event) {
  const std::string_view action = f[kAction];
  if (action != "login" && action != "logout") return Fate::ignored(kOtherSystem);
  put_login(event, outcome_of(f[kStatus]), Service::kManagement);
  if (action == "logout") event.activity = Activity::kLogoff;
  event.source_ip = f.ip(kSrcIp);
  event.destination_ip = f.ip(kDstIp);
  put_access(event, f[kUi]);
  if (!f[kMethod].empty()) event.application = lower_symbol(f[kMethod]);
  put_user(event, f[kUser]);
  event.reason = closed_reason(f[kReason]);
  event.duration = f.duration();
  event.session_id = f.number(kSn);
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

Fate other(std::string_view type, std::string_view subtype) {
  std::array<char, 64> name;
  const auto plain = [](std::string_view word) {
    return !word.empty() && word.size() <= 20 &&
           std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
  };
  if (!plain(type)) return Fate::ignored(kOtherType);
  char* p = std::copy_n("type ", 5, name.data());
  p = std::copy(type.begin(), type.end(), p);
  if (plain(subtype)) {
    *p++ = '/';
    p = std::copy(subtype.begin(), subtype.end(), p);
  }
  return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
}

class FortiGate final : public RecordDecoder {
 public:
  explicit FortiGate(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.size() < 20) return false;
    // The keys with which a FortiOS record begins; relays cut off date or time.
    bool begins = false;
    for (const std::string_view key :
         {"date="sv, "time="sv, "logver="sv, "timestamp="sv, "itime="sv, "devname="sv, "type="sv}) {
      if (text[0] == key[0] && text.starts_with(key)) begins = true;
    }
    if (!begins) return false;
    const std::string_view head = text.substr(0, 600);
    // FortiWeb and FortiMail write device_id and log_id, and other fields behind them.
    return head.contains("type=") && !head.contains("device_id=") &&
           (head.contains("logid=") || (head.contains("subtype=") && head.contains("vd=")));
  }

  Fate decode(const TextRecord& record, Event& event) override {
    const Fields f(record.message);
    const std::string_view type = f[kType];
    if (type.empty()) return Fate::rejected(kNoType);
    const std::string_view subtype = f[kSubtype];
    if (!f[kDevName].empty()) event.observer = core::intern(f[kDevName]);
    put_time(f, event);
    event.code = core::intern(f[kLogId]);
    if (type == "traffic") return traffic(f, event);
    if (type == "event" && subtype == "vpn") return vpn(f, event);
    if (type == "event" && subtype == "user") return user(f, event);
    if (type == "event" && subtype == "Authentication") return authenticator(f, event);
    if (type == "event" && subtype == "system") return system(f, event);
    return other(type, subtype);
  }

 private:
  // eventtime counts from the epoch in seconds, milli-, micro- or nanoseconds. Without it: date and time, in tz if
  // there is one; without a date: timestamp.
  void put_time(const Fields& f, Event& event) const {
    if (std::string_view text = f[kEventTime]; !text.empty()) {
      if (const auto time = core::parse_epoch(text); time && *time != 0 && text.empty()) {
        event.time = *time;
        return;
      }
    }
    const std::string_view date = f[kDate];
    const std::string_view clock = f[kTime];
    const std::string_view zone = f[kTz];
    if (std::string_view text = f[kTimestamp]; date.empty() && !text.empty()) {  // FortiAuthenticator: seconds
      if (const auto time = core::parse_epoch(text); time && text.empty()) event.time = *time;
      return;
    }
    if (date.size() != 10 || clock.size() < 8 || clock.size() > 18 || zone.size() > 8) return;
    std::array<char, 48> buffer;
    char* p = std::copy(date.begin(), date.end(), buffer.data());
    *p++ = ' ';
    p = std::copy(clock.begin(), clock.end(), p);
    p = std::copy(zone.begin(), zone.end(), p);
    std::string_view text(buffer.data(), static_cast<std::size_t>(p - buffer.data()));
    if (const auto time = core::parse_iso8601(text, times_)) event.time = *time;
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_fortigate(const core::TimeReader& times) {
  return std::make_unique<FortiGate>(times);
}

}  // namespace orbwatch::decode
