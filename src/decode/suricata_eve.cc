// Suricata EVE JSON (Suricata 4 to 8): event types flow, netflow, tls, ssh and alert.
// Spec: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html and etc/schema.json of Suricata.
//
// Three sample records (shortened):
//   {"timestamp":"2026-11-20T08:15:30.000001+0000","flow_id":1,"event_type":"flow","src_ip":"192.0.2.1","src_port":50123,"dest_ip":...
//   {"timestamp":"...","flow_id":2,"event_type":"tls","src_ip":"192.0.2.1",...,"tls":{"subject":"CN=...","issuerdn":"CN=...","sni":...
//   {"timestamp":"...","flow_id":3,"event_type":"alert",...,"alert":{"action":"allowed","signature_id":1,"signature":"ET
//   SCAN ..."}}
//
// Ignored by name: every other event type ("event_type dns", ...).
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("suricata_eve: not JSON");
const Symbol kNoType = core::intern("suricata_eve: no event_type");
const Symbol kNoAddress = core::intern("suricata_eve: no address");
const Symbol kNoTime = core::intern("suricata_eve: no time");
const Symbol kFlowCode = core::intern("flow");
const Symbol kNetflowCode = core::intern("netflow");
const Symbol kTlsCode = core::intern("tls");
const Symbol kSshCode = core::intern("ssh");
const Symbol kAlertCode = core::intern("alert");

enum class Type : std::uint8_t { kNone, kFlow, kNetflow, kTls, kSsh, kAlert, kOther };

struct Side {
  std::string_view software;
  std::string_view protocol;
  std::string_view hassh;
};

// What the walk found. Views are valid until the parser's next record.
struct Fields {
  std::string_view type;
  std::string_view timestamp, start, end;
  std::string_view source_ip, destination_ip, source_port, destination_port, protocol, application, interface, host,
      action, direction;
  std::string_view flow_source_ip, flow_state, flow_action, flow_reason, user_agent, tcp_flags, signature, alert_action;
  std::string_view subject, issuer, server_name, version, ja3, ja3s, ja4;
  std::uint64_t flow_id = 0;
  std::uint64_t bytes_to_server = 0, bytes_to_client = 0, packets_to_server = 0, packets_to_client = 0;
  Side client, server;
};

class SuricataEve final : public RecordDecoder {
 public:
  explicit SuricataEve(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    // As Suricata itself writes it; event_type follows within a few fields.
    if (r.message.starts_with("{\"timestamp\":\"") && holds_text(r.message.substr(0, 256), "\"event_type\":\"") &&
        holds_text(r.message.substr(0, 256), "\"flow_id\":")) {
      return true;
    }
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kEventType) != 0 && (keys & (json::kTimestamp | json::kAtTimestamp)) != 0) {
      // JumpCloud's events may have the same keys, and an id, which EVE has not.
      return (keys & (json::kFlowId | json::kStats)) != 0 ||
             ((keys & json::kSrcIp) != 0 && (json::products_of(r) & json::kId) == 0);
    }
    return (keys & json::kSuricata) != 0;  // Filebeat's Suricata module
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Fields f;
    if (const Fate fate = read(r, f); fate.verdict != Verdict::kEvent) return fate;
    const Type type = type_of(f.type);
    if (type == Type::kNone) return Fate::rejected(kNoType);
    return fill(type, f, e);
  }

 private:
  static Type type_of(std::string_view name) {
    if (name == "flow") return Type::kFlow;
    if (name == "alert") return Type::kAlert;
    if (name == "tls") return Type::kTls;
    if (name == "ssh") return Type::kSsh;
    if (name == "netflow") return Type::kNetflow;
    return name.empty() ? Type::kNone : Type::kOther;
  }

  static Fate ignored(std::string_view type) {
    // The event types of Suricata are few; a name out of the ordinary must not fill the table of reasons.
    std::array<char, 48> buffer;
    constexpr std::string_view kPrefix = "event_type ";
    std::memcpy(buffer.data(), kPrefix.data(), kPrefix.size());
    type = type.substr(0, buffer.size() - kPrefix.size());
    for (const char c : type) {
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
        type = "other";
    }
    std::memcpy(buffer.data() + kPrefix.size(), type.data(), type.size());
    return Fate::ignored(std::string_view(buffer.data(), kPrefix.size() + type.size()));
  }

  Fate read(const TextRecord& record, Fields& f) {
    json::Object object;
    if (!parser_.open(record, object)) return Fate::rejected(kNotJson);
    bool other = false;
    bool broken = false;
    const Walk walk = json::each_field(object, [&](std::string_view key, Value& value) {
      top(key, value, f, other, broken);
      return !other && !broken;
    });
    if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    if (other) return ignored(f.type);
    return Fate::kept();
  }

  static void top(std::string_view key, Value& value, Fields& f, bool& other, bool& broken) {
    switch (key.size()) {
      case 3:
        if (key == "tls") broken |= tls(value, f);
        if (key == "ssh") broken |= ssh(value, f);
        if (key == "tcp") broken |= tcp(value, f);
        break;
      case 4:
        if (key == "flow") {
          broken |= counters(value, f);
        } else if (key == "http") {
          broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                      if (k == "http_user_agent") f.user_agent = json::text(v);
                      return true;
                    }) == Walk::kBroken;
        } else if (key == "host") {
          f.host = json::text(value);
          if (f.host.empty()) {
            broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                        if (k == "name") f.host = json::text(v);
                        return true;
                      }) == Walk::kBroken;
          }
        }
        break;
      case 5:
        if (key == "proto") f.protocol = json::text(value);
        if (key == "alert") broken |= alert(value, f);
        break;
      case 6:
        if (key == "src_ip") f.source_ip = json::text(value);
        if (key == "source") broken |= ecs_end(value, f.source_ip, f.source_port);
        break;
      case 7:
        if (key == "dest_ip") f.destination_ip = json::text(value);
        if (key == "flow_id") f.flow_id = json::number(value).value_or(0);
        if (key == "netflow") broken |= counters(value, f);
        if (key == "network") {
          broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                      if (k == "transport") f.protocol = json::text(v);
                      return true;
                    }) == Walk::kBroken;
        }
        break;
      case 8:
        if (key == "src_port") f.source_port = json::text(value);
        if (key == "in_iface") f.interface = json::text(value);
        if (key == "suricata") {
          broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                      if (k == "eve") {
                        broken |= json::each_field(v, [&](std::string_view inner, Value& w) {
                                    top(inner, w, f, other, broken);
                                    return !other && !broken;
                                  }) == Walk::kBroken;
                      }
                      return !other && !broken;
                    }) == Walk::kBroken;
        }
        break;
      case 9:
        if (key == "dest_port") f.destination_port = json::text(value);
        if (key == "app_proto") f.application = json::text(value);
        if (key == "timestamp") f.timestamp = json::text(value);
        if (key == "direction") f.direction = json::text(value);
        break;
      case 10:
        if (key == "event_type") {
          f.type = json::text(value);
          other = type_of(f.type) == Type::kOther;
        } else if (key == "@timestamp" && f.timestamp.empty()) {
          f.timestamp = json::text(value);
        }
        break;
      case 11:
        if (key == "destination") broken |= ecs_end(value, f.destination_ip, f.destination_port);
        break;
      default: break;
    }
  }

  // "source"/"destination" of Filebeat's Suricata module.
  static bool ecs_end(Value& value, std::string_view& ip, std::string_view& port) {
    return json::each_field(value, [&](std::string_view key, Value& v) {
             if (key == "ip") ip = json::text(v);
             if (key == "address" && ip.empty()) ip = json::text(v);
             if (key == "port") port = json::text(v);
             return true;
           }) == Walk::kBroken;
  }

  static bool counters(Value& value, Fields& f) {
    return json::each_field(value, [&](std::string_view key, Value& v) {
             switch (key.size()) {
               case 3:
                 if (key == "end") f.end = json::text(v);
                 break;
               case 4:
                 if (key == "pkts") f.packets_to_server = json::number(v).value_or(0);
                 break;
               case 5:
                 if (key == "start") f.start = json::text(v);
                 if (key == "state") f.flow_state = json::text(v);
                 if (key == "bytes") f.bytes_to_server = json::number(v).value_or(0);
                 break;
               case 6:
                 if (key == "action") f.flow_action = json::text(v);
                 if (key == "reason") f.flow_reason = json::text(v);
                 if (key == "src_ip") f.flow_source_ip = json::text(v);
                 break;
               case 13:
                 if (key == "pkts_toserver") f.packets_to_server = json::number(v).value_or(0);
                 if (key == "pkts_toclient") f.packets_to_client = json::number(v).value_or(0);
                 break;
               case 14:
                 if (key == "bytes_toserver") f.bytes_to_server = json::number(v).value_or(0);
                 if (key == "bytes_toclient") f.bytes_to_client = json::number(v).value_or(0);
                 break;
               default: break;
             }
             return true;
           }) == Walk::kBroken;
  }

  static bool tcp(Value& value, Fields& f) {
    return json::each_field(value, [&](std::string_view key, Value& v) {
             if (key == "tcp_flags") f.tcp_flags = json::text(v);
             return true;
           }) == Walk::kBroken;
  }

  static bool alert(Value& value, Fields& f) {
    return json::each_field(value, [&](std::string_view key, Value& v) {
             if (key == "signature") f.signature = json::text(v);
             if (key == "action") f.alert_action = json::text(v);
             return true;
           }) == Walk::kBroken;
  }

  static bool hash_of(Value& value, std::string_view& out) {
    if (!json::is_object(value)) {
      out = json::text(value);
      return false;
    }
    return json::each_field(value, [&](std::string_view key, Value& v) {
             if (key == "hash") out = json::text(v);
             return true;
           }) == Walk::kBroken;
  }

  static bool tls(Value& value, Fields& f) {
    bool broken = false;
    return json::each_field(value,
                            [&](std::string_view key, Value& v) {
                              switch (key.size()) {
                                case 3:
                                  if (key == "sni") f.server_name = json::text(v);
                                  if (key == "ja3") broken |= hash_of(v, f.ja3);
                                  if (key == "ja4") f.ja4 = json::text(v);
                                  break;
                                case 4:
                                  if (key == "ja3s") broken |= hash_of(v, f.ja3s);
                                  break;
                                case 7:
                                  if (key == "subject") f.subject = json::text(v);
                                  if (key == "version") f.version = json::text(v);
                                  break;
                                case 8:
                                  if (key == "issuerdn") f.issuer = json::text(v);
                                  break;
                                default: break;
                              }
                              return !broken;
                            }) == Walk::kBroken ||
           broken;
  }

  static bool ssh_side(Value& value, Side& side) {
    bool broken = false;
    return json::each_field(value,
                            [&](std::string_view key, Value& v) {
                              if (key == "software_version") side.software = json::text(v);
                              if (key == "proto_version") side.protocol = json::text(v);
                              if (key == "hassh") broken |= hash_of(v, side.hassh);
                              return !broken;
                            }) == Walk::kBroken ||
           broken;
  }

  static bool ssh(Value& value, Fields& f) {
    bool broken = false;
    return json::each_field(value,
                            [&](std::string_view key, Value& v) {
                              if (key == "client") broken |= ssh_side(v, f.client);
                              if (key == "server") broken |= ssh_side(v, f.server);
                              return !broken;
                            }) == Walk::kBroken ||
           broken;
  }

  core::Nanoseconds time(std::string_view text) const { return core::parse_iso8601(text, times_).value_or(0); }

  // "SSH-2.0-OpenSSH_9.2": the identification string as it stood on the wire (RFC 4253, 4.2), as other sources report
  // it.
  static Symbol banner(const Side& side) {
    if (side.software.empty()) return {};
    std::array<char, 256> buffer;
    std::size_t used = 0;
    const auto add = [&](std::string_view part) {
      part = part.substr(0, buffer.size() - used);
      std::memcpy(buffer.data() + used, part.data(), part.size());
      used += part.size();
    };
    add("SSH-");
    add(side.protocol.empty() ? "2.0" : side.protocol);
    add("-");
    add(side.software);
    return core::intern({buffer.data(), used});
  }

  static Action action_of(std::string_view text) {
    if (text == "allowed" || text == "accept" || text == "pass") return Action::kAllowed;
    if (text == "blocked" || text == "drop" || text == "reject") return Action::kDenied;
    return Action::kNone;
  }

  Fate fill(Type type, const Fields& f, Event& e) {
    e.source_ip = json::ip(f.source_ip);
    e.destination_ip = json::ip(f.destination_ip);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    if (!f.timestamp.empty()) e.time = time(f.timestamp);
    if (!f.start.empty()) {
      const core::Nanoseconds start = time(f.start);
      const core::Nanoseconds end = f.end.empty() ? 0 : time(f.end);
      if (type == Type::kFlow || type == Type::kNetflow) {
        if (start != 0) e.time = start;
        if (end > start && start != 0) e.duration = end - start;
      }
    }
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.source_port = json::port(f.source_port);
    e.destination_port = json::port(f.destination_port);
    e.protocol = protocol_number(f.protocol);
    e.session_id = f.flow_id;
    if (!f.host.empty()) e.observer = core::intern(f.host);
    if (!f.interface.empty()) e.ingress = core::intern(f.interface);
    if (!f.application.empty() && f.application != "failed" && f.application != "unknown")
      e.application = core::intern(f.application);
    e.source_bytes = f.bytes_to_server;
    e.destination_bytes = f.bytes_to_client;
    e.source_packets = f.packets_to_server;
    e.destination_packets = f.packets_to_client;
    if (const auto flags = core::parse_number<std::uint16_t>(f.tcp_flags, 16)) e.tcp_flags = *flags;
    e.activity = Activity::kObserved;
    switch (type) {
      case Type::kFlow:
      case Type::kNetflow:
        e.event_class = Class::kFlow;
        e.activity = Activity::kTraffic;
        e.code = type == Type::kFlow ? kFlowCode : kNetflowCode;
        e.action = action_of(f.flow_action);
        e.reason = closed_reason(f.flow_reason);
        if (f.flow_state == "established" || f.flow_state == "closed") e.outcome = Outcome::kSuccess;
        if (f.flow_state == "new" && e.protocol == 6 && type == Type::kFlow) e.outcome = Outcome::kFailure;
        break;
      case Type::kAlert:
        e.event_class = Class::kConnection;
        e.activity = Activity::kAlert;
        e.code = kAlertCode;
        e.action = action_of(f.alert_action);
        e.user_agent = core::intern(f.user_agent);
        if (!f.signature.empty()) e.rule = core::intern(f.signature);
        // An alert names the ends as seen by the packet that fired; the flow's own counters are always seen from the
        // client.
        if (f.direction == "to_client" || (!f.flow_source_ip.empty() && f.flow_source_ip == f.destination_ip)) {
          std::swap(e.source_ip, e.destination_ip);
          std::swap(e.source_port, e.destination_port);
        }
        break;
      case Type::kTls:
        e.event_class = Class::kHandshake;
        e.code = kTlsCode;
        e.application = kTlsCode;
        e.protocol_version = core::intern(f.version);
        e.destination_name = core::intern(f.server_name);
        e.certificate_subject = core::intern(f.subject);
        e.certificate_issuer = core::intern(f.issuer);
        e.fingerprint = core::intern(f.ja4.empty() ? f.ja3 : f.ja4);
        e.server_fingerprint = core::intern(f.ja3s);
        break;
      case Type::kSsh:
        e.event_class = Class::kHandshake;
        e.service = event::Service::kSsh;
        e.code = kSshCode;
        e.application = kSshCode;
        e.protocol_version = core::intern(f.server.protocol.empty() ? f.client.protocol : f.server.protocol);
        e.user_agent = banner(f.client);
        e.banner = banner(f.server);
        e.fingerprint = core::intern(f.client.hassh);
        e.server_fingerprint = core::intern(f.server.hassh);
        break;
      case Type::kNone:
      case Type::kOther: break;
    }
    return Fate::kept();
  }

  core::TimeReader times_;
  json::Parser parser_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_suricata_eve(const core::TimeReader& times) {
  return std::make_unique<SuricataEve>(times);
}

}  // namespace orbwatch::decode
