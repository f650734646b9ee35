// Zscaler: Private Access (Log Streaming Service: user status, user activity) and Internet Access (Nanolog Streaming
// Service: firewall, tunnel and administrator audit logs), in JSON; of the latter also pairs, as its feeds for Splunk
// have. Spec: https://help.zscaler.com/zpa/about-user-status-log-fields, .../about-user-activity-log-fields,
// https://help.zscaler.com/zia/nss-feed-output-format-firewall-logs, .../nss-feed-output-format-tunnel-logs
//
// Three sample records (shortened):
//   {"LogTimestamp":"Fri Nov 20 08:15:30 2026","Customer":"Corp","Username":"alice@corp.example","SessionStatus":
//   "ZPN_STATUS_AUTHENTICATED","PublicIP":"192.0.2.10",...}
//   {"LogTimestamp":"...","Customer":"Corp","ConnectionID":"...","ConnectionStatus":"close","ServerIP":"10.1.0.5",...}
//   {"sourcetype":"zscalernss-fw","event":{"datetime":"2026-11-20 08:15:31","user":"alice@corp.example","csip":...}}
//
//   2026-11-20 08:15:31<TAB>Recordtype=Tunnel
//   Samples<TAB>tunneltype=IPSec<TAB>user=site1@corp.example<TAB>vendor=Zscaler...
//
// Ignored by name: the other feeds ("feed zscalernss-web"), other actions of administrators ("audit UPDATE").
#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string_view>

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

const Symbol kNotJson = core::intern("zscaler: not JSON");
const Symbol kNoTime = core::intern("zscaler: no time");
const Symbol kNoAddress = core::intern("zscaler: no address");
const Symbol kZpa = core::intern("zpa");
const Symbol kStatusCode = core::intern("user_status");
const Symbol kActivityCode = core::intern("user_activity");
const Symbol kAdminPortal = core::intern("ZIA admin portal");

enum Field : std::uint8_t {
  kLogTime,
  kUserName,
  kSession,
  kSessionStatus,
  kVersion,
  kPublicIp,
  kCountry,
  kAuthenticated,
  kUnauthenticated,
  kBytesRx,
  kBytesTx,
  kIdp,
  kHostname,
  kPlatform,
  kConnection,
  kConnectionStatus,
  kReason,
  kProtocol,
  kClientPublic,
  kClientCountry,
  kPolicy,
  kHost,
  kServerIp,
  kServerPort,
  kStarted,
  kEnded,
  kRxClient,
  kTxClient,
  kFeed,
  kTime,
  kDateTime,
  kAdmin,
  kClientIp,
  kAction,
  kResult,
  kError,
  kUser,
  kSourceIp,
  kSourcePort,
  kDestinationIp,
  kDestinationPort,
  kInBytes,
  kOutBytes,
  kRule,
  kDevice,
  kTunnelType,
  kTunnelEvent,
};

const json::Fields kFields({
    {"LogTimestamp", kLogTime},
    {"Username", kUserName},
    {"SessionID", kSession},
    {"SessionStatus", kSessionStatus},
    {"Version", kVersion},
    {"PublicIP", kPublicIp},
    {"CountryCode", kCountry},
    {"TimestampAuthentication", kAuthenticated},
    {"TimestampUnAuthentication", kUnauthenticated},
    {"TotalBytesRx", kBytesRx},
    {"TotalBytesTx", kBytesTx},
    {"Idp", kIdp},
    {"Hostname", kHostname},
    {"Platform", kPlatform},
    {"ConnectionID", kConnection},
    {"ConnectionStatus", kConnectionStatus},
    {"InternalReason", kReason},
    {"IPProtocol", kProtocol},
    {"ClientPublicIP", kClientPublic},
    {"ClientCountryCode", kClientCountry},
    {"Policy", kPolicy},
    {"Host", kHost},
    {"ServerIP", kServerIp},
    {"ServerPort", kServerPort},
    {"TimestampConnectionStart", kStarted},
    {"TimestampConnectionEnd", kEnded},
    {"ZENTotalBytesRxClient", kRxClient},
    {"ZENTotalBytesTxClient", kTxClient},
    {"sourcetype", kFeed},
    {"event.time", kTime},
    {"event.datetime", kDateTime},
    {"event.adminid", kAdmin},
    {"event.clientip", kClientIp},
    {"event.action", kAction},
    {"event.result", kResult},
    {"event.errorcode", kError},
    {"event.user", kUser},
    {"event.csip", kSourceIp},
    {"event.csport", kSourcePort},
    {"event.cdip", kDestinationIp},
    {"event.cdport", kDestinationPort},
    {"event.sdip", kServerIp},
    {"event.sdport", kServerPort},
    {"event.tsip", kPublicIp},
    {"event.proto", kProtocol},
    {"event.inbytes", kInBytes},
    {"event.outbytes", kOutBytes},
    {"event.rulelabel", kRule},
    {"event.devicehostname", kDevice},
    {"event.tunneltype", kTunnelType},
    {"event.event", kTunnelEvent},
    {"event.sourceip", kSourceIp},
    {"event.sourceport", kSourcePort},
    {"event.destinationip", kDestinationIp},
    {"event.destinationport", kDestinationPort},
    {"event.rxbytes", kInBytes},
    {"event.txbytes", kOutBytes},
    {"event.eventreason", kReason},
});

// The same where the feed is written as pairs: names of their own beside those of the JSON's "event".
enum Key : std::uint8_t {
  kPairTime,
  kPairDateTime,
  kPairAdmin,
  kPairClientIp,
  kPairAction,
  kPairResult,
  kPairError,
  kPairUser,
  kPairCsip,
  kPairCsport,
  kPairCdip,
  kPairCdport,
  kPairSdip,
  kPairSdport,
  kPairProto,
  kPairInBytes,
  kPairOutBytes,
  kPairRule,
  kPairDevice,
  kPairTunnelType,
  kPairEvent,
  kPairSourceIp,
  kPairSourcePort,
  kPairDestinationIp,
  kPairDestinationPort,
  kPairRxBytes,
  kPairTxBytes,
  kPairReason,
  kPairRecordType,
  kPairUrl,
  kKeys
};

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{
    "time",    "datetime",  "adminid",     "clientip",       "action",
    "result",  "errorcode", "user",        "csip",           "csport",
    "cdip",    "cdport",    "sdip",        "sdport",         "proto",
    "inbytes", "outbytes",  "rulelabel",   "devicehostname", "tunneltype",
    "event",   "sourceip",  "sourceport",  "destinationip",  "destinationport",
    "rxbytes", "txbytes",   "eventreason", "Recordtype",     "url"});

// The field of the row in which each stands; the last two have none.
constexpr std::array<Field, kPairRecordType> kFieldOfKey = {
    kTime,          kDateTime,        kAdmin,      kClientIp,      kAction,
    kResult,        kError,           kUser,       kSourceIp,      kSourcePort,
    kDestinationIp, kDestinationPort, kServerIp,   kServerPort,    kProtocol,
    kInBytes,       kOutBytes,        kRule,       kDevice,        kTunnelType,
    kTunnelEvent,   kSourceIp,        kSourcePort, kDestinationIp, kDestinationPort,
    kInBytes,       kOutBytes,        kReason};

bool is_pairs(const TextRecord& r) {
  if (r.json || r.raw.substr(0, 64).find('\t') == r.raw.npos) return false;
  return r.raw.find("\tvendor=Zscaler") != r.raw.npos && r.raw.find("\tproduct=") != r.raw.npos;
}

// "Fri Nov 20 08:15:30 2026", in UTC; or any time that json::utc_time reads.
core::Nanoseconds any_time(std::string_view text) {
  if (text.size() < 20 || is_digit(text[0])) return json::utc_time(text);
  Scanner s(text.substr(3));
  s.spaces();
  core::CivilTime civil;
  civil.month = core::month_number(s.word());
  const auto part = [&s](char before) {
    if (before == ' ') s.spaces();
    if (before != ' ') s.skip(before);
    return static_cast<int>(std::min<std::uint64_t>(s.number(), 10'000));
  };
  civil.day = part(' ');
  civil.hour = part(' ');
  civil.minute = part(':');
  civil.second = part(':');
  civil.year = part(' ');
  return core::valid(civil) ? core::from_utc(civil) : 0;
}

core::Nanoseconds first_time(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (const core::Nanoseconds time = any_time(text); time > 0) return time;
  }
  return 0;
}

class Zscaler final : public json::TableDecoder {
 public:
  Zscaler() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) return is_pairs(r);
    const std::uint64_t keys = json::products_of(r);
    if (json::has_all(keys, json::kLogTimestamp | json::kCustomer)) return true;
    return json::has_all(keys, json::kSourcetype | json::kEvent) &&
           json::raw_member(r, "sourcetype").starts_with("\"zscalernss-");
  }

  Fate decode(const TextRecord& r, Event& e) override { return r.json ? TableDecoder::decode(r, e) : pairs(r, e); }

 private:
  static Fate pairs(const TextRecord& r, Event& e) {
    Values<kKeys> values(kNames);
    values.read(r.message, '\t');
    json::Row row{};
    for (std::size_t key = 0; key < kFieldOfKey.size(); ++key) {
      std::string_view& field = row[kFieldOfKey[key]];
      if (field.empty()) field = values[static_cast<Key>(key)];
    }
    // The time stands in front of the pairs, without a name.
    std::string_view before = r.message.substr(0, r.message.find('\t'));
    if (row[kDateTime].empty() && row[kTime].empty() && !before.contains('=')) row[kTime] = before;
    const core::Nanoseconds sent = e.time;
    if (!values[kPairTunnelType].empty() || values[kPairRecordType].starts_with("Tunnel")) {
      row[kFeed] = "zscalernss-tunnel";
    } else if (!values[kPairCsip].empty() || !values[kPairCdip].empty()) {
      row[kFeed] = "zscalernss-fw";
    } else if (!values[kPairAdmin].empty()) {
      row[kFeed] = "zscalernss-audit";
    } else {
      return json::ignored("feed", values[kPairUrl].empty() ? "of Internet Access" : "zscalernss-web");
    }
    return feed(row, sent, e);
  }

  static Fate feed(const json::Row& row, core::Nanoseconds sent, Event& e) {
    const core::Nanoseconds told = first_time({row[kDateTime], row[kTime]});
    e.time = told != 0 ? told : sent;
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (row[kFeed] == "zscalernss-fw") return firewall(row, e);
    if (row[kFeed] == "zscalernss-tunnel") return tunnel(row, e);
    return audit(row, e);
  }

  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kFeed] == "zscalernss-fw" || row[kFeed] == "zscalernss-tunnel" || row[kFeed] == "zscalernss-audit")
      return feed(row, 0, e);
    if (!row[kFeed].empty()) return json::ignored("feed", row[kFeed]);
    if (!row[kSessionStatus].empty()) return user_status(row, e);
    if (!row[kConnectionStatus].empty()) return user_activity(row, e);
    return json::ignored("feed", "of Private Access");
  }

  static void set_session(const json::Row& row, Event& e) {
    if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
  }

  // A client's tunnel to Private Access.
  static Fate user_status(const json::Row& row, Event& e) {
    const std::string_view status = row[kSessionStatus];
    const bool failed = status == "ZPN_STATUS_AUTH_FAILED";
    const bool ended = status == "ZPN_STATUS_DISCONNECTED";
    if (!failed && !ended && status != "ZPN_STATUS_AUTHENTICATED") return json::ignored("status", status);
    const core::Nanoseconds began = first_time({row[kAuthenticated]});
    e.time =
        ended ? first_time({row[kUnauthenticated], row[kLogTime]}) : first_time({row[kAuthenticated], row[kLogTime]});
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (failed) {
      put_login(e, Outcome::kFailure, Service::kVpn);
    } else {
      put_session(e, ended ? Activity::kEnd : Activity::kStart, kZpa);
      e.service = Service::kVpn;
      e.outcome = Outcome::kSuccess;
      if (ended && began != 0 && e.time > began) e.duration = e.time - began;
    }
    e.code = kStatusCode;
    set_user(e, row[kUserName]);
    json::set_source(e, row[kPublicIp]);
    e.region = json::symbol(row[kCountry]);
    e.user_agent = json::symbol(row[kVersion]);
    e.client_os = json::symbol(row[kPlatform]);
    e.client_host = json::symbol(row[kHostname]);
    e.group = json::symbol(row[kIdp]);
    // As counted by Zscaler: received from the client, sent to it.
    e.source_bytes = json::number(row[kBytesRx]).value_or(0);
    e.destination_bytes = json::number(row[kBytesTx]).value_or(0);
    set_session(row, e);
    return Fate::kept();
  }

  // One connection to an application.
  static Fate user_activity(const json::Row& row, Event& e) {
    e.time = first_time({row[kStarted], row[kLogTime]});
    if (e.time == 0) return Fate::rejected(kNoTime);
    const core::Nanoseconds end = first_time({row[kEnded]});
    if (end > e.time) e.duration = end - e.time;
    const std::string_view status = row[kConnectionStatus];
    e.event_class = Class::kConnection;
    e.activity = status == "close" ? Activity::kEnd : status == "active" ? Activity::kUpdate : Activity::kStart;
    e.action = row[kReason].find("POLICY_BLOCK") != std::string_view::npos ||
                       row[kReason].find("REJECTED_BY_POLICY") != std::string_view::npos
                   ? Action::kDenied
                   : Action::kAllowed;
    e.code = kActivityCode;
    e.reason = closed_reason(row[kReason]);
    set_user(e, row[kUserName]);
    json::set_source(e, row[kClientPublic]);
    e.region = json::symbol(row[kClientCountry]);
    e.destination_ip = given_ip(row[kServerIp]);
    e.destination_port = json::port(row[kServerPort]);
    e.destination_name = json::symbol(row[kHost]);
    e.protocol = protocol_number(row[kProtocol]);
    e.rule = json::symbol(row[kPolicy]);
    e.source_bytes = json::number(row[kRxClient]).value_or(0);
    e.destination_bytes = json::number(row[kTxClient]).value_or(0);
    if (!row[kConnection].empty()) e.session_id = core::hash64(row[kConnection]);
    if (!e.source_ip.present() && !e.destination_ip.present() && !e.user.present()) return Fate::rejected(kNoAddress);
    return Fate::kept();
  }

  static Fate firewall(const json::Row& row, Event& e) {
    json::set_source(e, row[kSourceIp]);
    // The client's side of the proxy names the destination that was asked for, if it was seen.
    const bool server_side = row[kDestinationIp].empty();
    e.destination_ip = given_ip(row[server_side ? kServerIp : kDestinationIp]);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    e.event_class = Class::kConnection;
    e.activity = Activity::kEnd;
    e.action = row[kAction].starts_with("Allow") ? Action::kAllowed : Action::kDenied;
    e.code = json::symbol(row[kFeed]);
    e.source_port = json::port(row[kSourcePort]);
    e.destination_port = json::port(row[server_side ? kServerPort : kDestinationPort]);
    e.protocol = protocol_number(row[kProtocol]);
    // Outbound is from the client to the server.
    e.source_bytes = json::number(row[kOutBytes]).value_or(0);
    e.destination_bytes = json::number(row[kInBytes]).value_or(0);
    set_user(e, row[kUser]);
    e.client_host = json::symbol(row[kDevice]);
    e.rule = json::symbol(row[kRule]);
    return Fate::kept();
  }

  // A site's tunnel to Internet Access; the user is the tunnel's credential.
  static Fate tunnel(const json::Row& row, Event& e) {
    Activity activity = Activity::kUpdate;
    if (core::contains_ignore_case(row[kTunnelEvent], "up")) activity = Activity::kStart;
    if (core::contains_ignore_case(row[kTunnelEvent], "down")) activity = Activity::kEnd;
    put_session(e, activity);
    e.service = Service::kVpn;
    e.application = lower_symbol(row[kTunnelType]);
    e.code = json::symbol(row[kFeed]);
    e.reason = closed_reason(row[kReason]);
    set_user(e, row[kUser]);
    json::set_source(e, row[kSourceIp]);
    e.source_port = json::port(row[kSourcePort]);
    e.destination_ip = given_ip(row[kDestinationIp]);
    e.destination_port = json::port(row[kDestinationPort]);
    if (!e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoAddress);
    // As counted by Zscaler: received from the site, sent to it.
    e.source_bytes = json::number(row[kInBytes]).value_or(0);
    e.destination_bytes = json::number(row[kOutBytes]).value_or(0);
    return Fate::kept();
  }

  static Fate audit(const json::Row& row, Event& e) {
    const bool in = row[kAction] == "SIGN_IN";
    if (!in && row[kAction] != "SIGN_OUT") return json::ignored("audit", row[kAction]);
    const bool good = core::equals_ignore_case(row[kResult], "SUCCESS");
    put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kWeb);
    if (!in) e.activity = Activity::kLogoff;
    e.code = json::symbol(row[kFeed]);
    if (!good && !json::absent(row[kError])) e.reason = closed_reason(row[kError]);
    if (!json::absent(row[kAdmin])) set_user(e, row[kAdmin]);
    json::set_source(e, row[kClientIp]);
    e.destination_name = kAdminPortal;
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_zscaler(const core::TimeReader&) { return std::make_unique<Zscaler>(); }

}  // namespace orbwatch::decode
