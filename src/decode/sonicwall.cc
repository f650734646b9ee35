// SonicWall firewalls (SonicOS 5.9 to 7.1, key=value "Default" and "Enhanced" syslog) and Secure Mobile Access (SMA
// 100).
//   <134>id=firewall sn=C0EAE4000001 time="2026-11-22 08:00:00 UTC" fw=192.0.2.1 pri=6 c=1024 m=98 msg="Connection
//   Opened" n=23419 src=198.51.100.7:36701:X1 dst=192.0.2.80:443:X0 proto=tcp/https
//   id=sslvpn sn=C0EAE4000002 time="2026-11-22 08:00:00" fw=192.0.2.1 pri=5 m=1 c=1 src=198.51.100.7 user="alice"
//   msg="User login successful" agent="SonicWALL NetExtender ..."
//
// Sources: "SonicOS Log Events Reference Guide" 6.5 and 7.0, "SMA 100 Administration Guide" (sonicwall.com). What a
// record means is told by its message number m or, as msg is a closed vocabulary in English, by its words.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoNumber = core::intern("sonicwall: no message number");
const Symbol kNoPeer = core::intern("sonicwall: no address or user");
const Symbol kOther = core::intern("message other");

enum Key : std::uint8_t {
  kAction,
  kAgent,
  kAppName,
  kDomain,
  kDst,
  kDstV6,
  kDuration,
  kFw,
  kFwAction,
  kId,
  kM,
  kMsg,
  kNatSrc,
  kPortal,
  kProto,
  kRcvd,
  kRcvdPackets,
  kReason,
  kRpkt,
  kRule,
  kSent,
  kSentPackets,
  kSess,
  kSn,
  kSpkt,
  kSrc,
  kSrcV6,
  kSrcZone,
  kDstZone,
  kTime,
  kUser,
  kUsr,
  kVpTime,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action",  "agent",     "appName", "domain", "dst",    "dstV6",  "dur",
                                  "fw",      "fw_action", "id",      "m",      "msg",    "natSrc", "portal",
                                  "proto",   "rcvd",      "rcvdpkt", "reason", "rpkt",   "rule",   "sent",
                                  "sentpkt", "sess",      "sn",      "spkt",   "src",    "srcV6",  "srcZone",
                                  "dstZone", "time",      "user",    "usr",    "vp_time"});

using Fields = Values<kKeys>;

enum class Kind : std::uint8_t {
  kNone,
  kOpened,
  kClosed,
  kDenied,
  kUserLogin,
  kUserFailed,
  kUserLogout,
  kAdminLogin,
  kAdminFailed,
  kAdminLogout,
  kVpnLogin,
  kVpnFailed,
  kVpnLogout,
  kIkeFailed,
};

struct Row {
  std::uint16_t number;
  Kind kind;
};

// In ascending order, from the log events references: numbers whose words would mislead, and the most frequent ones.
// All others are told by their words, among them the dozens of "User login denied - WHY".
constexpr std::array kMessages = {
    Row{14, Kind::kDenied},       Row{24, Kind::kUserLogout},  Row{29, Kind::kAdminLogin},  Row{30, Kind::kAdminFailed},
    Row{31, Kind::kUserLogin},    Row{32, Kind::kUserFailed},  Row{33, Kind::kUserFailed},  Row{34, Kind::kNone},
    Row{35, Kind::kAdminFailed},  Row{36, Kind::kDenied},      Row{37, Kind::kDenied},      Row{38, Kind::kDenied},
    Row{41, Kind::kDenied},       Row{98, Kind::kOpened},      Row{139, Kind::kVpnLogin},   Row{140, Kind::kVpnFailed},
    Row{173, Kind::kDenied},      Row{174, Kind::kDenied},     Row{175, Kind::kDenied},     Row{199, Kind::kAdminLogin},
    Row{200, Kind::kAdminFailed}, Row{235, Kind::kAdminLogin}, Row{236, Kind::kAdminLogin}, Row{237, Kind::kVpnLogin},
    Row{238, Kind::kVpnLogin},    Row{289, Kind::kNone},       Row{290, Kind::kNone},       Row{291, Kind::kNone},
    Row{292, Kind::kNone},        Row{311, Kind::kVpnFailed},  Row{312, Kind::kVpnFailed},  Row{318, Kind::kVpnLogin},
    Row{319, Kind::kVpnLogin},    Row{329, Kind::kUserFailed}, Row{344, Kind::kVpnFailed},  Row{438, Kind::kNone},
    Row{439, Kind::kNone},        Row{537, Kind::kClosed},     Row{583, Kind::kUserFailed}, Row{1080, Kind::kVpnLogin},
    Row{1114, Kind::kNone},       Row{1115, Kind::kNone},      Row{1153, Kind::kClosed},    Row{1198, Kind::kDenied},
    Row{1199, Kind::kDenied},     Row{1200, Kind::kDenied},    Row{1201, Kind::kDenied},    Row{1304, Kind::kDenied},
};

constexpr bool ascending() {
  for (std::size_t i = 1; i < kMessages.size(); ++i) {
    if (kMessages[i - 1].number >= kMessages[i].number) return false;
  }
  return true;
}
static_assert(ascending());

// What the words say.
Kind kind_by_words(std::string_view msg) {
  std::array<char, 160> lowered;
  const std::size_t size = std::min(msg.size(), lowered.size());
  std::transform(msg.begin(), msg.begin() + static_cast<std::ptrdiff_t>(size), lowered.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view text(lowered.data(), size);
  const auto has = [&](std::string_view word) { return text.contains(word); };
  const bool admin = has("administrator") || has("cli ") || has("management session");
  const bool vpn = has("vpn") || has("netextender") || has("virtual assist") || has("portal") || has("l2tp");
  if (has("logout") || has("logged out") || has("log out") || has("disconnected")) {
    return admin ? Kind::kAdminLogout : vpn ? Kind::kVpnLogout : has("user") ? Kind::kUserLogout : Kind::kNone;
  }
  if (has("login") || has("log in") || has("logged in") || has("authenticat")) {
    const bool failed = has("fail") || has("denied") || has("reject") || has("invalid") || has("unknown") ||
                        has("incorrect") || has("bad ") || has("not allowed") || has("lock");
    const bool good = has("success") || has("logged in") || has("allowed") || has("granted") || has("zone remote user");
    if (failed) return admin ? Kind::kAdminFailed : vpn ? Kind::kVpnFailed : Kind::kUserFailed;
    if (good) return admin ? Kind::kAdminLogin : vpn ? Kind::kVpnLogin : Kind::kUserLogin;
    return Kind::kNone;
  }
  if (msg.contains("IKE") && (has("fail") || has("reject") || has("mismatch") || has("no proposal")))
    return Kind::kIkeFailed;
  if (has("connection opened")) return Kind::kOpened;
  if (has("connection closed")) return Kind::kClosed;
  if (has("dropped") || has("denied") || has("blocked")) return Kind::kDenied;
  return Kind::kNone;
}

Kind kind_of(std::uint64_t number, std::string_view msg) {
  const auto found = std::lower_bound(kMessages.begin(), kMessages.end(), number,
                                      [](const Row& row, std::uint64_t n) { return row.number < n; });
  return found != kMessages.end() && found->number == number ? found->kind : kind_by_words(msg);
}

// "198.51.100.7:36701:X1:host.example", "198.51.100.7::X0-V500", ":49702:X0" with the address in srcV6.
struct Side {
  core::Ip ip;
  std::uint16_t port = 0;
  std::string_view interface;
  std::string_view name;
};

Side side(std::string_view text, std::string_view v6) {
  Side out;
  out.ip = given_ip(v6);
  Scanner s(text);
  if (!out.ip.present() && s.ip(out.ip) && out.ip == core::Ip::v4(0)) out.ip = {};
  if (!s.skip(':')) return out;
  out.port = s.port();
  if (!s.skip(':')) return out;
  out.interface = s.until(':');
  if (s.skip(':')) out.name = s.rest();
  return out;
}

bool is_number(std::string_view text) { return !text.empty() && is_digit(text[0]); }

class SonicWall final : public RecordDecoder {
 public:
  explicit SonicWall(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (!text.starts_with("id=")) return false;
    const std::string_view head = text.substr(0, 400);
    return head.contains(" sn=") && head.contains(" m=") && head.contains(" fw=");
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Fields f(kNames);
    f.read(record.message, ' ');
    if (!is_number(f[kM])) return Fate::rejected(kNoNumber);
    put_time(f, e);
    e.observer_ip = f.ip(kFw);
    if (!e.observer.present()) e.observer = core::intern(f[kSn]);
    e.code = core::intern(f[kM].substr(0, 5));
    const bool sma = f[kId] == "sslvpn";
    const Kind kind = sma ? kind_by_words(f[kMsg]) : kind_of(f.number(kM), f[kMsg]);
    if (kind == Kind::kNone) return other(f[kM]);
    put_addresses(f, e);
    put_account(f, e);
    const Fate fate = tell(kind, sma, f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  // "2026-11-22 08:00:00 UTC"; SMA adds vp_time in UTC to a local time.
  void put_time(const Fields& f, Event& e) const {
    std::string_view text = f.either(kVpTime, kTime);
    const bool utc = text.ends_with(" UTC") || text.ends_with(" GMT");
    if (const auto time = core::parse_iso8601(text, utc ? utc_ : times_)) e.time = *time;
  }

  static void put_addresses(const Fields& f, Event& e) {
    const Side from = side(f[kSrc], f[kSrcV6]);
    const Side to = side(f[kDst], f[kDstV6]);
    e.source_ip = from.ip;
    e.source_port = from.port;
    e.client_host = core::intern(from.name);
    e.destination_ip = to.ip;
    e.destination_port = to.port;
    e.destination_name = core::intern(to.name);
    if (!to.ip.present() && to.interface.empty() && f[kDst].size() > 3 && !f[kDst].contains(':')) {
      e.destination_name = f.symbol(kDst);  // SMA: the portal's name
    }
    e.ingress = core::intern(f[kSrcZone].empty() ? from.interface : f[kSrcZone]);
    e.egress = core::intern(f[kDstZone].empty() ? to.interface : f[kDstZone]);
    const std::string_view proto = f[kProto];  // "tcp/https", "udp/5355", "icmp"
    const auto slash = proto.find('/');
    e.protocol = protocol_number(proto.substr(0, slash));
    if (slash != proto.npos && slash + 1 < proto.size() && !is_digit(proto[slash + 1])) {
      e.application = lower_symbol(proto.substr(slash + 1));
    }
  }

  static void put_account(const Fields& f, Event& e) {
    std::string_view user = f.either(kUsr, kUser);
    if (user == "Unknown (external IP)" || user.starts_with("Unknown")) user = {};
    set_user(e, user);
    e.group = core::intern(f.either(kDomain, kPortal));
  }

  // "User login denied - LDAP authentication failure": what stands behind the dash, else the whole message.
  static void put_reason(const Fields& f, Event& e) {
    std::string_view why = f[kReason];
    if (why.empty() || is_number(why)) {
      why = f[kMsg];
      if (const auto dash = why.find(" - "); dash != why.npos) why.remove_prefix(dash + 3);
    }
    e.reason = closed_reason(why);
  }

  static Fate connection(Kind kind, const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    e.action = kind == Kind::kDenied ? Action::kDenied : Action::kAllowed;
    const std::string_view verdict = f.either(kFwAction, kAction);
    if (verdict == "drop" || verdict == "deny" || verdict == "discard") e.action = Action::kDenied;
    if (e.action == Action::kAllowed) e.activity = kind == Kind::kOpened ? Activity::kStart : Activity::kEnd;
    e.source_bytes = f.number(kSent);
    e.destination_bytes = f.number(kRcvd);
    e.source_packets = f[kSpkt].empty() ? f.number(kSentPackets) : f.number(kSpkt);
    e.destination_packets = f[kRpkt].empty() ? f.number(kRcvdPackets) : f.number(kRpkt);
    e.duration = seconds(f.number(kDuration));
    e.rule = f.symbol(kRule);
    if (const core::Ip nat = side(f[kNatSrc], {}).ip; nat != e.source_ip) e.assigned_ip = nat;
    if (kind == Kind::kDenied) e.reason = closed_reason(f[kMsg]);
    return Fate::kept();
  }

  static Fate authentication(Outcome outcome, Activity activity, Service service, const Fields& f, Event& e) {
    put_login(e, outcome, service);
    e.activity = activity;
    e.user_agent = f.symbol(kAgent);
    e.duration = seconds(f.number(kDuration));
    e.application = lower_symbol(f[kSess]);
    if (outcome == Outcome::kFailure) put_reason(f, e);
    return Fate::kept();
  }

  static Fate tell(Kind kind, bool sma, const Fields& f, Event& e) {
    if (kind == Kind::kOpened || kind == Kind::kClosed || kind == Kind::kDenied) return connection(kind, f, e);
    // Users of the firewall log in through a VPN or, in a guarded zone, on a web page.
    const bool remote = sma || core::contains_ignore_case(f[kMsg], "VPN") ||
                        core::contains_ignore_case(f[kSess], "VPN") ||
                        core::contains_ignore_case(f[kSess], "NetExtender");
    const Service user = remote ? Service::kVpn : Service::kOther;
    switch (kind) {
      case Kind::kUserLogin: return authentication(Outcome::kSuccess, Activity::kLogon, user, f, e);
      case Kind::kUserFailed: return authentication(Outcome::kFailure, Activity::kLogon, user, f, e);
      case Kind::kUserLogout: return authentication(Outcome::kUnknown, Activity::kLogoff, user, f, e);
      case Kind::kVpnLogin: return authentication(Outcome::kSuccess, Activity::kLogon, Service::kVpn, f, e);
      case Kind::kVpnFailed: return authentication(Outcome::kFailure, Activity::kLogon, Service::kVpn, f, e);
      case Kind::kVpnLogout: return authentication(Outcome::kUnknown, Activity::kLogoff, Service::kVpn, f, e);
      case Kind::kAdminLogin: return authentication(Outcome::kSuccess, Activity::kLogon, Service::kManagement, f, e);
      case Kind::kAdminFailed: return authentication(Outcome::kFailure, Activity::kLogon, Service::kManagement, f, e);
      case Kind::kAdminLogout: return authentication(Outcome::kUnknown, Activity::kLogoff, Service::kManagement, f, e);
      case Kind::kIkeFailed:
        e.event_class = Class::kHandshake;
        e.activity = Activity::kObserved;
        e.outcome = Outcome::kFailure;
        e.service = Service::kVpn;
        e.application = core::intern("ike");
        put_reason(f, e);
        return Fate::kept();
      case Kind::kNone:
      case Kind::kOpened:
      case Kind::kClosed:
      case Kind::kDenied: break;
    }
    return other(f[kM]);
  }

  // "message 1154"
  static Fate other(std::string_view number) {
    if (number.size() > 5 || !std::all_of(number.begin(), number.end(), is_digit)) return Fate::ignored(kOther);
    std::array<char, 16> name;
    char* p = std::copy_n("message ", 8, name.data());
    p = std::copy(number.begin(), number.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  core::TimeReader times_;
  core::TimeReader utc_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_sonicwall(const core::TimeReader& times) {
  return std::make_unique<SonicWall>(times);
}

}  // namespace orbwatch::decode
