// Cato Networks SASE events: one JSON object an event, as the events feed (GraphQL) and the integrations to object
// stores give them.
// Spec: https://support.catonetworks.com/hc/en-us/articles/5131416221085 and EventFieldName of the API's reference
//
// Two sample records (shortened):
//   {"event_type":"Connectivity","event_sub_type":"Connected","action":"Succeeded","vpn_user_email":"alice@corp.example",
//   "src_isp_ip":"198.51.100.7","src_ip":"10.41.6.171","pop_name":"London","tunnel_protocol":"DTLS","time":"1795334400000"}
//   {"event_type":"Security","event_sub_type":"Internet Firewall","action":"Block","src_ip":"10.41.6.171","dest_ip":
//   "203.0.113.9","dest_port":"443","ip_protocol":"TCP","rule_name":"No guests","event_time":"2026-11-22T08:00:00Z"}
//
// Ignored by name: events of other types ("event BGP Session").
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Direction;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("cato_sase: not JSON");
const Symbol kNoTime = core::intern("cato_sase: no time");
const Symbol kNoPeer = core::intern("cato_sase: no address or user");

enum Field : std::uint8_t {
  kType,
  kSubType,
  kTime,
  kAction,
  kUser,
  kSourceIp,
  kSourcePort,
  kPublicIp,
  kCountryCode,
  kCountry,
  kDestinationIp,
  kDestinationPort,
  kDomain,
  kProtocol,
  kRuleName,
  kRule,
  kThreat,
  kApplication,
  kCatoApplication,
  kDirection,
  kPop,
  kTunnel,
  kDevice,
  kOs,
  kOsVersion,
  kClientVersion,
  kSite,
  kAuthentication,
  kMessage,
};

const json::Fields kFields({
    {"event_type", kType},
    {"event_sub_type", kSubType},
    {"event_time", kTime},
    {"action", kAction},
    {"vpn_user_email", kUser},
    {"src_ip", kSourceIp},
    {"src_port", kSourcePort},
    {"src_isp_ip", kPublicIp},
    {"src_country_code", kCountryCode},
    {"src_country", kCountry},
    {"dest_ip", kDestinationIp},
    {"dest_port", kDestinationPort},
    {"domain_name", kDomain},
    {"ip_protocol", kProtocol},
    {"rule_name", kRuleName},
    {"rule", kRule},
    {"threat_name", kThreat},
    {"application", kApplication},
    {"cato_app", kCatoApplication},
    {"traffic_direction", kDirection},
    {"pop_name", kPop},
    {"tunnel_protocol", kTunnel},
    {"device_name", kDevice},
    {"os_type", kOs},
    {"os_version", kOsVersion},
    {"client_version", kClientVersion},
    {"src_site", kSite},
    {"authentication_type", kAuthentication},
    {"event_message", kMessage},
});

// The moments that stand in place of event_time.
const json::Fields kOtherTimes({{"time", kTime}, {"event_timestamp", kTime}});

class CatoSase final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    return (json::keys_of(r) & json::kEventType) != 0 && !json::raw_member(r, "event_sub_type").empty() &&
           (!json::raw_member(r, "pop_name").empty() || !json::raw_member(r, "account_id").empty());
  }

  Fate decode(const TextRecord& record, Event& e) override {
    json::Object object;
    row_.fill({});
    if (!parser_.open(record, object) || !kFields.read(object, row_, memory_)) return Fate::rejected(kNotJson);
    if (row_[kTime].empty() && !kOtherTimes.read(object, row_, memory_)) return Fate::rejected(kNotJson);
    return fill(e);
  }

 private:
  Fate fill(Event& e) {
    e.time = json::utc_time(row_[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.code = code();
    e.observer = json::symbol(row_[kPop]);
    set_user(e, row_[kUser]);
    e.region = json::symbol(row_[row_[kCountryCode].empty() ? kCountry : kCountryCode]);
    e.client_host = json::symbol(row_[kDevice]);
    put_system(e);
    const std::string_view type = row_[kType];
    const std::string_view sub = row_[kSubType];
    Fate fate = Fate::ignored(Symbol());
    if (core::contains_ignore_case(sub, "login") || core::contains_ignore_case(sub, "authenticat") || sub == "MFA") {
      fate = login(e);
    } else if (type == "Connectivity") {
      fate = connectivity(e);
    } else if (type == "Security" && !row_[kSourceIp].empty()) {
      fate = security(e);
    } else {
      return json::ignored("event", sub);
    }
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

  // "Security/IPS"
  Symbol code() const {
    std::array<char, 80> buffer;
    const std::string_view type = row_[kType].substr(0, 32);
    const std::string_view sub = row_[kSubType].substr(0, 40);
    char* p = std::copy(type.begin(), type.end(), buffer.data());
    *p++ = '/';
    p = std::copy(sub.begin(), sub.end(), p);
    return core::intern({buffer.data(), static_cast<std::size_t>(p - buffer.data())});
  }

  // "OS_MAC", "11.6.0"
  void put_system(Event& e) const {
    std::string_view system = row_[kOs];
    core::skip_prefix(system, "OS_");
    if (json::absent(system)) return;
    std::array<char, 64> buffer;
    char* p = std::copy_n(system.begin(), std::min<std::size_t>(system.size(), 24), buffer.data());
    if (const std::string_view version = row_[kOsVersion].substr(0, 32); !json::absent(version)) {
      *p++ = ' ';
      p = std::copy(version.begin(), version.end(), p);
    }
    e.client_os = core::intern({buffer.data(), static_cast<std::size_t>(p - buffer.data())});
  }

  bool failed() const {
    const std::string_view action = row_[kAction];
    return core::contains_ignore_case(action, "fail") || core::contains_ignore_case(action, "block") ||
           core::contains_ignore_case(action, "denied") || core::contains_ignore_case(action, "reject");
  }

  // A client's or a site's tunnel: it comes from src_isp_ip, src_ip is its address within.
  void put_tunnel(Event& e) const {
    json::set_source(e, row_[row_[kPublicIp].empty() ? kSourceIp : kPublicIp]);
    if (!row_[kPublicIp].empty()) e.assigned_ip = given_ip(row_[kSourceIp]);
    e.group = json::symbol(row_[kSite]);
    e.application = lower_symbol(row_[kTunnel]);
    if (json::absent(row_[kClientVersion])) return;
    constexpr std::string_view kClient = "Cato Client ";
    std::array<char, 48> buffer;
    const std::string_view version = row_[kClientVersion].substr(0, buffer.size() - kClient.size());
    char* p = std::copy(kClient.begin(), kClient.end(), buffer.data());
    p = std::copy(version.begin(), version.end(), p);
    e.user_agent = core::intern({buffer.data(), static_cast<std::size_t>(p - buffer.data())});
  }

  void put_method(Event& e) const {
    const std::string_view how = row_[kAuthentication];
    if (core::contains_ignore_case(how, "mfa")) e.mfa = Mfa::kYes;
    if (core::contains_ignore_case(how, "password")) e.auth_method = AuthMethod::kPassword;
    if (core::contains_ignore_case(how, "sso")) e.auth_method = AuthMethod::kSaml;
  }

  Fate login(Event& e) const {
    put_tunnel(e);
    put_login(e, failed() ? Outcome::kFailure : Outcome::kSuccess, Service::kVpn);
    put_method(e);
    if (failed()) e.reason = closed_reason(row_[kMessage].empty() ? row_[kAction] : row_[kMessage]);
    return Fate::kept();
  }

  Fate connectivity(Event& e) const {
    const std::string_view sub = row_[kSubType];
    const bool over = core::contains_ignore_case(sub, "disconnect");
    const bool begins = !over && core::contains_ignore_case(sub, "connect");
    if (!over && !begins && !core::contains_ignore_case(sub, "changed pop")) return json::ignored("event", sub);
    put_tunnel(e);
    if (begins && failed()) {
      put_login(e, Outcome::kFailure, Service::kVpn);
      e.reason = closed_reason(row_[kMessage].empty() ? row_[kAction] : row_[kMessage]);
    } else {
      const Symbol tunnel = e.application;
      put_session(e, over ? Activity::kEnd : begins ? Activity::kStart : Activity::kUpdate, tunnel);
      if (begins) e.outcome = Outcome::kSuccess;
    }
    put_method(e);
    return Fate::kept();
  }

  // Firewalls say what a rule decided; all other engines that they noticed something.
  Fate security(Event& e) const {
    const bool firewall = row_[kSubType].ends_with("Firewall");
    e.event_class = Class::kConnection;
    e.action = failed() ? Action::kDenied : Action::kAllowed;
    e.activity = !firewall ? Activity::kAlert : e.action == Action::kAllowed ? Activity::kStart : Activity::kNone;
    json::set_source(e, row_[kSourceIp]);
    e.source_port = core::parse_number<std::uint16_t>(row_[kSourcePort]).value_or(0);
    e.destination_ip = given_ip(row_[kDestinationIp]);
    e.destination_port = core::parse_number<std::uint16_t>(row_[kDestinationPort]).value_or(0);
    e.protocol = protocol_number(row_[kProtocol]);
    e.destination_name = json::symbol(row_[kDomain]);
    e.application = lower_symbol(row_[row_[kCatoApplication].empty() ? kApplication : kCatoApplication]);
    std::string_view rule = row_[row_[kRuleName].empty() ? kRule : kRuleName];
    if (!firewall && !row_[kThreat].empty()) rule = row_[kThreat];
    e.rule = json::symbol(rule);
    if (e.action == Action::kDenied) e.reason = closed_reason(row_[kThreat].empty() ? row_[kSubType] : row_[kThreat]);
    if (const core::Ip nat = given_ip(row_[kPublicIp]); nat != e.source_ip) e.assigned_ip = nat;
    const std::string_view direction = row_[kDirection];
    if (direction == "INBOUND") e.direction = Direction::kInbound;
    if (direction == "OUTBOUND") e.direction = Direction::kOutbound;
    if (direction == "WANBOUND" || direction == "LANBOUND") e.direction = Direction::kInternal;
    return Fate::kept();
  }

  json::Parser parser_;
  json::Fields::Memory memory_;
  json::Row row_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cato_sase(const core::TimeReader&) { return std::make_unique<CatoSase>(); }

}  // namespace orbwatch::decode
