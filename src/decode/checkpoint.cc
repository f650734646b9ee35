// Check Point Security Gateways and management, as the Log Exporter sends them: syslog with key:"value" in brackets,
// RFC 5424 structured data key="value", and the Splunk and generic forms key=value|key=value. Also what older LEA
// readers write (loc=1|time=...|action=...).
//   <134>1 2026-11-22T08:00:00Z gw1 CheckPoint 19710 - [action:"Drop"; flags:"400644"; ifdir:"inbound"; ifname:"eth2";
//   loguid:"{0x1,0x2,0x3,0x4}"; origin:"192.0.2.1"; time:"1795334400"; dst:"192.0.2.80"; product:"VPN-1 & FireWall-1";
//   proto:"17"; s_port:"55036"; service:"1514"; src:"203.0.113.9"; ]
//   time=1795334400|hostname=gw1|product=Mobile Access|action=Log In|...|src=198.51.100.7|user=alice|status=Success
//
// Sources: Check Point "Logging and Monitoring Administration Guide" R80.10 to R82, Log Exporter (sk122323), "Log
// Fields" (sk144192). CEF and LEEF of the Log Exporter are other formats.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNoFields = core::intern("checkpoint: no fields");
const Symbol kNoPeer = core::intern("checkpoint: no address or user");
const Symbol kOther = core::intern("product other");

enum Key : std::uint8_t {
  kAction,
  kAdministrator,
  kAuditStatus,
  kAuthMethod,
  kAuthMethods,
  kBrowser,
  kClientBytes,
  kClientBytesOut,
  kClientIp,
  kClientName,
  kClientPacketsIn,
  kClientPacketsOut,
  kClientVersion,
  kConnDirection,
  kDst,
  kDuration,
  kElapsed,
  kEventType,
  kFwSubproduct,
  kHostname,
  kIfName,
  kIfNameOld,
  kIke,
  kInzone,
  kLogUid,
  kOfficeMode,
  kOperation,
  kOrig,
  kOrigin,
  kOriginSic,
  kOriginSicOld,
  kOsName,
  kOsVersion,
  kOutzone,
  kPeerGateway,
  kProduct,
  kProto,
  kReason,
  kReceived,
  kRejectCategory,
  kRule,
  kRuleName,
  kScheme,
  kSent,
  kService,
  kServiceId,
  kSessionUid,
  kSourcePort,
  kSrc,
  kSrcCountry,
  kSrcMachine,
  kSrcUser,
  kStatus,
  kSubject,
  kTime,
  kTunnelProtocol,
  kUser,
  kUserGroup,
  kVpnFeature,
  kXlateSrc,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action",
                                  "administrator",
                                  "audit_status",
                                  "auth_method",
                                  "authentication_method",
                                  "browser",
                                  "client_inbound_bytes",
                                  "client_outbound_bytes",
                                  "client_ip",
                                  "client_name",
                                  "client_inbound_packets",
                                  "client_outbound_packets",
                                  "client_version",
                                  "conn_direction",
                                  "dst",
                                  "duration",
                                  "elapsed",
                                  "event_type",
                                  "fw_subproduct",
                                  "hostname",
                                  "ifname",
                                  "i/f_name",
                                  "ike",
                                  "inzone",
                                  "loguid",
                                  "office_mode_ip",
                                  "operation",
                                  "orig",
                                  "origin",
                                  "originsicname",
                                  "origin_sic_name",
                                  "os_name",
                                  "os_version",
                                  "outzone",
                                  "peer_gateway",
                                  "product",
                                  "proto",
                                  "reason",
                                  "received_bytes",
                                  "reject_category",
                                  "rule",
                                  "rule_name",
                                  "scheme",
                                  "sent_bytes",
                                  "service",
                                  "service_id",
                                  "session_uid",
                                  "s_port",
                                  "src",
                                  "src_country",
                                  "src_machine_name",
                                  "src_user_name",
                                  "status",
                                  "subject",
                                  "time",
                                  "tunnel_protocol",
                                  "user",
                                  "user_group",
                                  "vpn_feature_name",
                                  "xlatesrc"});

using Fields = Values<kKeys>;

// What stands within the brackets of "CheckPoint 19710 - [action:...]", "syslog[action:...]", "[sc4s@2620 action=...]";
// empty if there is none.
std::string_view bracketed(const TextRecord& r) {
  std::string_view text = r.structured.empty() ? r.message : r.structured;
  if (r.structured.empty()) {
    const auto open = text.substr(0, 64).find('[');
    if (open == text.npos) return {};
    const std::string_view before = text.substr(0, open);
    if (!before.empty() && !before.starts_with("CheckPoint ") && before != "syslog" && !before.ends_with("- "))
      return {};
    text.remove_prefix(open);
  }
  text.remove_prefix(1);
  const auto word = text.find_first_of(" =:");
  if (word != text.npos && text[word] == ' ' && text.substr(0, word).contains('@')) text.remove_prefix(word + 1);
  if (text.ends_with(']')) text.remove_suffix(1);
  return text;
}

bool is_piped(std::string_view text) {
  for (const std::string_view key : {"time="sv, "loc="sv, "customer="sv, "loguid="sv, "product="sv, "action="sv}) {
    if (!text.starts_with(key)) continue;
    const std::string_view head = text.substr(0, 1500);
    return (head.contains("|product=") || text.starts_with("product=")) &&
           (head.contains("|origin") || head.contains("|orig=") || head.contains("|loguid=") ||
            head.contains("|i/f_name="));
  }
  return false;
}

bool is_bracketed(std::string_view text) {
  const std::string_view head = text.substr(0, 1500);
  return (head.contains("loguid:\"") && head.contains("origin:\"")) ||
         (head.contains("loguid=\"") && head.contains("origin=\"")) ||
         (head.starts_with("action:\"") && head.contains("; "));
}

// "Doe, Jane (jane)", "jane@corp.example", "CORP\jane": the account, without the person's name.
void put_account(std::string_view text, Event& e) {
  text = core::trim(text);
  if (text.ends_with(')')) {
    if (const auto open = text.rfind('('); open != text.npos && open + 2 < text.size()) {
      text = text.substr(open + 1, text.size() - open - 2);
    }
  }
  set_user(e, text);
}

void put_method(std::string_view text, Event& e) {
  struct Row {
    std::string_view word;
    AuthMethod method;
  };
  static constexpr std::array kRows = {Row{"Certificate", AuthMethod::kCertificate},
                                       Row{"SAML", AuthMethod::kSaml},
                                       Row{"Identity Provider", AuthMethod::kSaml},
                                       Row{"RADIUS", AuthMethod::kRadius},
                                       Row{"LDAP", AuthMethod::kLdap},
                                       Row{"Password", AuthMethod::kPassword},
                                       Row{"Username", AuthMethod::kPassword},
                                       Row{"Kerberos", AuthMethod::kKerberos},
                                       Row{"Public key", AuthMethod::kPublicKey}};
  for (const Row& row : kRows) {
    if (!text.contains(row.word)) continue;
    e.auth_method = row.method;
    break;
  }
  // "Password, DynamicID": the factors of a multi-factor log-in option.
  if (text.contains("DynamicID") || text.contains("SecurID") || text.contains("TOTP") ||
      (text.contains(", ") && !text.contains("AD Query"))) {
    e.mfa = event::Mfa::kYes;
  }
}

void put_addresses(const Fields& f, Event& e) {
  e.source_ip = f.ip(kSrc);
  e.source_port = f.port(kSourcePort);
  e.destination_ip = f.ip(kDst);
  e.destination_port = f.port(kService);
  e.protocol = protocol_number(f[kProto]);
  if (const std::string_view country = f[kSrcCountry]; country.size() <= 40) e.region = core::intern(country);
}

void put_client(const Fields& f, Event& e) {
  e.user_agent = core::intern(f.either(kClientName, kBrowser));
  if (!f[kClientName].empty() && !f[kClientVersion].empty() && f[kClientName].size() + f[kClientVersion].size() < 100) {
    std::array<char, 104> name;
    char* p = std::copy(f[kClientName].begin(), f[kClientName].end(), name.data());
    *p++ = ' ';
    p = std::copy(f[kClientVersion].begin(), f[kClientVersion].end(), p);
    e.user_agent = core::intern({name.data(), static_cast<std::size_t>(p - name.data())});
  }
  e.client_os = f.symbol(kOsName);
  e.assigned_ip = f.ip(kOfficeMode);
  e.group = f.symbol(kUserGroup);
  e.application = lower_symbol(f[kTunnelProtocol]);
  if (!f[kSessionUid].empty()) e.session_id = core::hash64(f[kSessionUid]);
}

enum class Ruling : std::uint8_t { kNone, kAllowed, kDenied };

Ruling verdict_of(std::string_view action) {
  static constexpr std::array<std::string_view, 12> kAllowedWords = {
      "Accept",        "Allow",   "Encrypt", "Decrypt",   "Bypass",   "HTTPS Bypass",
      "HTTPS Inspect", "Inspect", "Monitor", "Monitored", "Redirect", "Ask User"};
  static constexpr std::array<std::string_view, 6> kDeniedWords = {"Drop",    "Reject",     "Block",
                                                                   "Prevent", "Quarantine", "Deny"};
  const auto is = [&](std::string_view word) { return core::equals_ignore_case(word, action); };
  if (std::any_of(kAllowedWords.begin(), kAllowedWords.end(), is)) return Ruling::kAllowed;
  if (std::any_of(kDeniedWords.begin(), kDeniedWords.end(), is)) return Ruling::kDenied;
  return Ruling::kNone;
}

// "Log In", "Login", "Failed Log In", "Log Out", "logout": 0 for others.
Activity login_activity(std::string_view action) {
  if (core::equals_ignore_case(action, "Log In") || core::equals_ignore_case(action, "Login") ||
      core::equals_ignore_case(action, "Authorize") || core::equals_ignore_case(action, "Failed Log In") ||
      core::equals_ignore_case(action, "Failed Login")) {
    return Activity::kLogon;
  }
  if (core::equals_ignore_case(action, "Log Out") || core::equals_ignore_case(action, "Logout") ||
      core::equals_ignore_case(action, "Deauthorize")) {
    return Activity::kLogoff;
  }
  return Activity::kNone;
}

bool is_failure(std::string_view action, std::string_view status) {
  return core::contains_ignore_case(action, "fail") || core::contains_ignore_case(status, "fail") ||
         core::contains_ignore_case(status, "denied");
}

bool is_identity(std::string_view product) { return product == "Identity Awareness" || product == "Identity Logging"; }

// Threat prevention and endpoint products: what they say is no verdict on a connection or log-in.
bool is_firewall(std::string_view product) {
  static constexpr std::array<std::string_view, 8> kProducts = {
      "VPN-1 & FireWall-1", "Firewall",         "FG VPN-1 & FireWall-1", "Application Control",
      "URL Filtering",      "HTTPS Inspection", "SmartConnector",        "Security Gateway/Management"};
  return std::find(kProducts.begin(), kProducts.end(), product) != kProducts.end();
}

class CheckPoint final : public RecordDecoder {
 public:
  explicit CheckPoint(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.program == "CheckPoint" && !bracketed(r).empty()) return true;
    return is_piped(r.message) || is_bracketed(bracketed(r));
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Fields f(kNames);
    read(record, f);
    if (f[kAction].empty() && f[kProduct].empty()) return Fate::rejected(kNoFields);
    put_time(f[kTime], e);
    put_observer(f, e);
    e.code = core::intern(f[kAction].empty() ? f[kOperation] : f[kAction]);
    const Fate fate = tell(f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static void read(const TextRecord& record, Fields& f) {
    if (is_piped(record.message)) {
      // The first hostname is the log server's own; a second one is the client's.
      bool exporter = true;
      each_pair(record.message, '|', '=', [&](std::string_view name, std::string_view value) {
        if (exporter && name == "hostname") {
          exporter = false;
        } else {
          f.put(name, value);
        }
      });
      return;
    }
    const std::string_view text = bracketed(record);
    const auto mark = text.find_first_of("=:");
    const bool colon = mark != text.npos && text[mark] == ':';
    f.read(text, colon ? ';' : ' ', colon ? ':' : '=');
  }

  // Seconds since the epoch, "2026-11-22 08:00:00", "22Nov2026 08:00:00".
  void put_time(std::string_view text, Event& e) const {
    std::string_view rest = text;
    if (const auto epoch = core::parse_epoch(rest); epoch && rest.empty() && text.size() >= 9) {
      e.time = *epoch;
      return;
    }
    rest = text;
    if (const auto time = core::parse_iso8601(rest, times_)) {
      e.time = *time;
      return;
    }
    const auto digits = text.find_first_not_of("0123456789 ");
    if (digits > 2 || text.size() < digits + 13) return;
    core::CivilTime civil;
    civil.day = core::parse_number<int>(core::trim(text.substr(0, digits))).value_or(0);
    civil.month = core::month_number(text.substr(digits, 3));
    civil.year = core::parse_number<int>(text.substr(digits + 3, 4)).value_or(0);
    Scanner s(core::trim(text.substr(digits + 7)));  // " 8:00:04"
    civil.hour = static_cast<int>(s.port());
    if (!s.skip(':')) return;
    civil.minute = static_cast<int>(s.port());
    if (!s.skip(':')) return;
    civil.second = static_cast<int>(s.port());
    if (civil.year != 0 && core::valid(civil)) e.time = times_.resolve(civil);
  }

  // The gateway that made the log; the envelope names the server that sent it.
  static void put_observer(const Fields& f, Event& e) {
    const std::string_view origin = f.either(kOrigin, kOrig);
    e.observer_ip = given_ip(origin);
    std::string_view sic = f.either(kOriginSic, kOriginSicOld);
    if (sic.size() > 3 && core::equals_ignore_case(sic.substr(0, 2), "CN")) {
      sic = sic.substr(sic.find('=') == sic.npos ? 2 : sic.find('=') + 1);
      e.observer = core::intern(sic.substr(0, sic.find(',')));
    } else if (!origin.empty() && !e.observer_ip.present()) {
      e.observer = core::intern(origin);
    }
  }

  static Fate administrator(const Fields& f, Event& e) {
    const Activity activity = login_activity(f[kOperation]);
    const bool failed = is_failure(f[kOperation], f[kAuditStatus]);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kManagement);
    e.activity = activity == Activity::kNone ? Activity::kObserved : activity;
    put_account(f[kAdministrator], e);
    e.source_ip = f.ip(kClientIp);
    e.application = lower_symbol(f[kProduct]);
    e.code = core::intern(f[kOperation]);
    if (activity == Activity::kNone) e.reason = core::intern("change by an administrator");
    return Fate::kept();
  }

  static Fate login(const Fields& f, Activity activity, Event& e) {
    const bool failed = is_failure(f[kAction], f[kStatus]);
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kVpn);
    e.activity = activity;
    put_account(f.either(kUser, kSrcUser), e);
    put_addresses(f, e);
    put_client(f, e);
    e.client_host = core::intern(f.either(kHostname, kSrcMachine));
    put_method(f.either(kAuthMethod, kAuthMethods), e);
    e.duration = seconds(f.number(kDuration));
    e.reason = closed_reason(f[kReason]);
    return Fate::kept();
  }

  // Negotiations of VPN tunnels: with a user of remote access, without one between gateways.
  static Fate negotiation(const Fields& f, Event& e) {
    const bool refused = verdict_of(f[kAction]) == Ruling::kDenied || is_failure(f[kAction], f[kStatus]);
    put_account(f.either(kUser, kSrcUser), e);
    if (refused && e.user.present()) {
      put_login(e, Outcome::kFailure, Service::kVpn);
    } else if (refused) {
      e.event_class = Class::kHandshake;
      e.activity = Activity::kObserved;
      e.outcome = Outcome::kFailure;
      e.service = Service::kVpn;
    } else {
      put_session(e, Activity::kUpdate);
      if (f[kAction] == "Key Install") e.outcome = Outcome::kSuccess;
    }
    put_addresses(f, e);
    put_client(f, e);
    e.application = core::intern("ike");
    e.reason =
        closed_reason(f[kReason].empty() ? f[kRejectCategory].empty() ? f[kAction] : f[kRejectCategory] : f[kReason]);
    return Fate::kept();
  }

  static Fate connection(const Fields& f, Ruling verdict, Event& e) {
    e.event_class = Class::kConnection;
    e.action = verdict == Ruling::kAllowed ? Action::kAllowed : Action::kDenied;
    put_addresses(f, e);
    e.source_bytes = std::max(f.number(kClientBytes), f.number(kSent));
    e.destination_bytes = std::max(f.number(kClientBytesOut), f.number(kReceived));
    e.source_packets = f.number(kClientPacketsIn);
    e.destination_packets = f.number(kClientPacketsOut);
    e.duration = seconds(std::max(f.number(kDuration), f.number(kElapsed)));
    if (verdict == Ruling::kAllowed) {
      // An accounting log counts what went through; the plain one is written when the connection is made.
      e.activity = e.source_bytes + e.destination_bytes != 0 ? Activity::kEnd : Activity::kStart;
    }
    e.ingress = core::intern(f[kInzone].empty() ? f.either(kIfName, kIfNameOld) : f[kInzone]);
    e.egress = f.symbol(kOutzone);
    e.rule = core::intern(f.either(kRuleName, kRule));
    if (const core::Ip translated = f.ip(kXlateSrc); translated != e.source_ip) e.assigned_ip = translated;
    e.application = lower_symbol(f[kServiceId]);
    put_account(f.either(kUser, kSrcUser), e);
    e.client_host = f.symbol(kSrcMachine);
    e.client_os = f.symbol(kOsName);
    if (!f[kLogUid].empty() && !f[kLogUid].contains("{0x0,0x0,")) e.session_id = core::hash64(f[kLogUid]);
    const std::string_view direction = f[kConnDirection];
    if (direction == "Incoming") e.direction = Direction::kInbound;
    if (direction == "Outgoing") e.direction = Direction::kOutbound;
    if (direction == "Internal") e.direction = Direction::kInternal;
    if (direction == "External") e.direction = Direction::kExternal;
    e.reason = closed_reason(f[kReason]);
    return Fate::kept();
  }

  static Fate tell(const Fields& f, Event& e) {
    const std::string_view product = f[kProduct];
    if (!f[kAdministrator].empty()) return administrator(f, e);
    if (is_identity(product)) return other(product);
    const std::string_view action = f[kAction].empty() ? f[kEventType] : f[kAction];
    Activity activity = login_activity(action);
    if (activity == Activity::kNone) activity = login_activity(f[kEventType]);
    if (activity != Activity::kNone) return login(f, activity, e);
    if (!f[kVpnFeature].empty() || !f[kScheme].empty() || !f[kIke].empty() || action == "Key Install") {
      if (f[kSrc].empty() && f[kUser].empty()) return other(product);
      if (verdict_of(action) == Ruling::kDenied || action == "Key Install" || action.empty()) return negotiation(f, e);
    }
    const Ruling verdict = verdict_of(action);
    if (verdict == Ruling::kNone || (f[kSrc].empty() && f[kDst].empty())) return other(product);
    if (!product.empty() && !is_firewall(product) && f[kFwSubproduct].empty()) return other(product);
    if (f[kSrc].empty()) return Fate::ignored("connection without source");
    return connection(f, verdict, e);
  }

  // "product IPS", "product Anti Malware"
  static Fate other(std::string_view product) {
    std::array<char, 64> name;
    const bool plain =
        !product.empty() && product.size() <= 40 && std::all_of(product.begin(), product.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '-' || c == '&' || c == '_' ||
                 c == '/' || c == '1';
        });
    if (!plain) return Fate::ignored(kOther);
    char* p = std::copy_n("product ", 8, name.data());
    p = std::copy(product.begin(), product.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_checkpoint(const core::TimeReader& times) {
  return std::make_unique<CheckPoint>(times);
}

}  // namespace orbwatch::decode
