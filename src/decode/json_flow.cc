// Flow records that a collector has written as JSON under the names of the protocols: NetFlow v5 and v9 field names
// (nProbe, Logstash's codec), IPFIX information elements (yaf, IPFIXcol2, Logstash, Vector), ElastiFlow, pmacct and
// GoFlow. Spec: https://www.iana.org/assignments/ipfix/ipfix.xhtml, RFC 3954 (NetFlow v9 field types), pmacct's
// CONFIG-KEYS, https://github.com/netsampler/goflow2/blob/main/docs/protocols.md
//
// Four sample records (shortened):
//   {"IPV4_SRC_ADDR":"203.0.113.7","IPV4_DST_ADDR":"192.0.2.1","L4_SRC_PORT":50122,"L4_DST_PORT":443,"PROTOCOL":6,"IN_BYTES":1732,...}
//   {"sourceIPv4Address":"203.0.113.7","destinationIPv4Address":"192.0.2.1","flowStartMilliseconds":1795161600000,...}
//   {"event_type":"purge","ip_src":"203.0.113.7","ip_dst":"192.0.2.1","port_src":50122,"ip_proto":"tcp","bytes":1732,...}
//   {"type":"NETFLOW_V9","src_addr":"203.0.113.7","dst_addr":"192.0.2.1","sampler_address":"192.0.2.254",...}
//
// Nothing is ignored by name. Times that count from the start of the exporter give the duration only.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "decode/flow_text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Class;

const Symbol kNotJson = core::intern("json_flow: not JSON");
const Symbol kNoAddress = core::intern("json_flow: no address");

enum Field : std::uint8_t {
  kSource,
  kSource6,
  kDestination,
  kDestination6,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kBytes,
  kPackets,
  kBytesBack,
  kPacketsBack,
  kFlags,
  kStart,
  kEnd,
  kStartUptime,
  kEndUptime,
  kFirst,
  kLast,
  kL4SourcePort,
  kTime,
  kIngress,
  kEgress,
  kTranslated,
  kSampling,
  kExporter,
  kUser,
};

// Names are compared without regard to case: "ipv4_src_addr" of Logstash is IPV4_SRC_ADDR of nProbe.
const json::Fields kFields(
    {
        {"IPV4_SRC_ADDR", kSource},
        {"IPV6_SRC_ADDR", kSource6},
        {"IPV4_DST_ADDR", kDestination},
        {"IPV6_DST_ADDR", kDestination6},
        {"sourceIPv4Address", kSource},
        {"sourceIPv6Address", kSource6},
        {"destinationIPv4Address", kDestination},
        {"destinationIPv6Address", kDestination6},
        {"ip_src", kSource},
        {"ip_dst", kDestination},
        {"src_addr", kSource},
        {"dst_addr", kDestination},
        {"SrcAddr", kSource},
        {"DstAddr", kDestination},
        {"L4_SRC_PORT", kL4SourcePort},
        {"L4_DST_PORT", kDestinationPort},
        {"SRC_PORT", kSourcePort},
        {"DST_PORT", kDestinationPort},
        {"SrcPort", kSourcePort},
        {"DstPort", kDestinationPort},
        {"port_src", kSourcePort},
        {"port_dst", kDestinationPort},
        {"sourceTransportPort", kSourcePort},
        {"destinationTransportPort", kDestinationPort},
        {"PROTOCOL", kProtocol},
        {"PROTO", kProtocol},
        {"ip_proto", kProtocol},
        {"protocolIdentifier", kProtocol},
        {"IN_BYTES", kBytes},
        {"IN_OCTETS", kBytes},
        {"bytes", kBytes},
        {"octetDeltaCount", kBytes},
        {"octetTotalCount", kBytes},
        {"IN_PKTS", kPackets},
        {"IN_PACKETS", kPackets},
        {"packets", kPackets},
        {"packetDeltaCount", kPackets},
        {"packetTotalCount", kPackets},
        {"OUT_BYTES", kBytesBack},
        {"reverseOctetDeltaCount", kBytesBack},
        {"reverseOctetTotalCount", kBytesBack},
        {"OUT_PKTS", kPacketsBack},
        {"reversePacketDeltaCount", kPacketsBack},
        {"reversePacketTotalCount", kPacketsBack},
        {"TCP_FLAGS", kFlags},
        {"TCPFlags", kFlags},
        {"tcpControlBits", kFlags},
        {"flowStartMilliseconds", kStart},
        {"flowStartSeconds", kStart},
        {"flowStartMicroseconds", kStart},
        {"flowStartNanoseconds", kStart},
        {"time_flow_start_ns", kStart},
        {"TimeFlowStart", kStart},
        {"timestamp_start", kStart},
        {"flowEndMilliseconds", kEnd},
        {"flowEndSeconds", kEnd},
        {"flowEndMicroseconds", kEnd},
        {"flowEndNanoseconds", kEnd},
        {"time_flow_end_ns", kEnd},
        {"TimeFlowEnd", kEnd},
        {"timestamp_end", kEnd},
        {"flowStartSysUpTime", kStartUptime},
        {"flowEndSysUpTime", kEndUptime},
        {"FIRST_SWITCHED", kFirst},
        {"LAST_SWITCHED", kLast},
        {"@timestamp", kTime},
        {"timestamp", kTime},
        {"stamp_inserted", kTime},
        {"time_received_ns", kTime},
        {"TimeReceived", kTime},
        {"INPUT_SNMP", kIngress},
        {"INPUT", kIngress},
        {"ingressInterface", kIngress},
        {"in_if", kIngress},
        {"InIf", kIngress},
        {"iface_in", kIngress},
        {"OUTPUT_SNMP", kEgress},
        {"OUTPUT", kEgress},
        {"egressInterface", kEgress},
        {"out_if", kEgress},
        {"OutIf", kEgress},
        {"iface_out", kEgress},
        {"postNATSourceIPv4Address", kTranslated},
        {"POST_NAT_SRC_IPV4_ADDR", kTranslated},
        {"samplingInterval", kSampling},
        {"SAMPLING_INTERVAL", kSampling},
        {"sampling_rate", kSampling},
        {"SamplingRate", kSampling},
        {"sampler_address", kExporter},
        {"SamplerAddress", kExporter},
        {"exporterIPv4Address", kExporter},
        {"EXPORTER_IPV4_ADDRESS", kExporter},
        {"peer_ip_src", kExporter},
        {"host", kExporter},
        {"src_port", kSourcePort},
        {"dst_port", kDestinationPort},
        {"ip_protocol", kProtocol},
        {"node.ipaddr", kExporter},
        {"flow.src.ip.addr", kSource},
        {"flow.dst.ip.addr", kDestination},
        {"flow.src.l4.port.id", kSourcePort},
        {"flow.dst.l4.port.id", kDestinationPort},
        {"l4.proto.name", kProtocol},
        {"flow.export.ip.addr", kExporter},
        {"flow.start.timestamp", kStart},
        {"flow.end.timestamp", kEnd},
        {"iana@reverse:octetDeltaCount", kBytesBack},
        {"iana@reverse:packetDeltaCount", kPacketsBack},
        {"userName", kUser},
        {"USERNAME", kUser},
    },
    {"", "netflow.", "ipfix.", "iana:", "flows.", "flow."});

core::Ip first_ip(std::string_view v4, std::string_view v6) {
  const core::Ip ip = given_ip(v4);
  return ip.present() ? ip : given_ip(v6);
}

std::uint32_t number32(std::string_view text) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(json::number(text).value_or(0), UINT32_MAX));
}

struct Flag {
  std::string_view name;
  std::uint16_t bit;
};
constexpr std::array kFlagNames = {Flag{"FIN", 0x01}, Flag{"SYN", 0x02}, Flag{"RST", 0x04}, Flag{"PSH", 0x08},
                                   Flag{"ACK", 0x10}, Flag{"URG", 0x20}, Flag{"ECE", 0x40}, Flag{"CWR", 0x80}};

std::uint16_t flag_of(std::string_view name) {
  for (const Flag& flag : kFlagNames) {
    if (flag.name == name) return flag.bit;
  }
  return 0;
}

bool is_flag(std::string_view name) { return flag_of(name) != 0; }

// pmacct can write a list: ["SYN","ACK"].
std::uint16_t listed_flags(const json::Object& object) {
  unsigned flags = 0;
  json::each_field(object, [&](std::string_view key, const json::Value& value) {
    if (key == "tcp_flags") {
      json::each_text(value, [&](std::string_view name) { flags |= flag_of(name); });
    }
    return true;
  });
  return static_cast<std::uint16_t>(flags);
}

class JsonFlow final : public json::TableDecoder {
 public:
  JsonFlow() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & (json::kFlowSource | json::kFlowDestination)) != 0) return true;
    if ((keys & json::kSampler) != 0) return (keys & json::kSrcAddr) != 0 || r.message.contains("\"SrcAddr\"");
    if ((keys & json::kNetflow) == 0) return false;
    // Filebeat has the same flow as ECS beside it.
    const bool ecs = (keys & json::kEcs) != 0;
    return holds_flow(json::raw_member(r, "flow")) ||
           (!ecs && (holds_flow(json::raw_member(r, "netflow")) || holds_flow(json::raw_member(r, "ipfix")) ||
                     holds_flow(json::raw_member(r, "flows"))));
  }

 private:
  static bool holds_flow(std::string_view object) {
    return object.starts_with('{') && (object.contains("src_addr\"") || object.contains("\"sourceIPv"));
  }

  Fate fill(json::Row& row, const json::Object& object, Event& e) override {
    e.source_ip = first_ip(row[kSource], row[kSource6]);
    e.destination_ip = first_ip(row[kDestination], row[kDestination6]);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    e.protocol = protocol_number(row[kProtocol]);
    if (has_ports(e.protocol)) {
      e.source_port = json::port(row[row[kL4SourcePort].empty() ? kSourcePort : kL4SourcePort]);
      e.destination_port = json::port(row[kDestinationPort]);
    }
    e.source_bytes = json::number(row[kBytes]).value_or(0);
    e.source_packets = json::number(row[kPackets]).value_or(0);
    e.destination_bytes = json::number(row[kBytesBack]).value_or(0);
    e.destination_packets = json::number(row[kPacketsBack]).value_or(0);
    if (e.protocol == 6) e.tcp_flags = is_flag(row[kFlags]) ? listed_flags(object) : tcp_flags_of(row[kFlags]);
    e.ingress_index = number32(row[kIngress]);
    e.egress_index = number32(row[kEgress]);
    e.assigned_ip = given_ip(row[kTranslated]);
    if (e.assigned_ip == e.source_ip) e.assigned_ip = {};
    e.sampling = number32(row[kSampling]);
    e.observer_ip = given_ip(row[kExporter]);
    set_user(e, row[kUser]);
    put_times(row, e);
    return Fate::kept();
  }

  static void put_times(const json::Row& row, Event& e) {
    core::Nanoseconds start = json::utc_time(row[kStart]);
    core::Nanoseconds end = json::utc_time(row[kEnd]);
    std::string_view first = row[kStartUptime];
    std::string_view last = row[kEndUptime];
    if (first.empty()) {
      first = row[kFirst];
      last = row[kLast];
      if (is_moment(row)) {
        start = json::utc_time(first);
        end = json::utc_time(last);
        first = last = {};
      }
    }
    if (start == 0) start = json::utc_time(row[kTime]);
    if (start != 0) e.time = start;
    if (end > start && start != 0) e.duration = end - start;
    // Milliseconds since the exporter was started.
    const std::uint64_t from = json::number(first).value_or(0);
    const std::uint64_t to = json::number(last).value_or(0);
    if (to > from && to - from < UINT32_MAX) e.duration = static_cast<std::int64_t>(to - from) * core::kMillisecond;
  }

  // Of FIRST_SWITCHED: Logstash writes a date, nProbe (L4_SRC_PORT) seconds since 1970, others milliseconds since the
  // exporter was started.
  static bool is_moment(const json::Row& row) {
    const std::string_view text = row[kFirst];
    if (text.size() > 10 && text[4] == '-') return true;
    return !row[kL4SourcePort].empty() && text.size() == 10 && text[0] != '0';
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_json_flow(const core::TimeReader&) { return std::make_unique<JsonFlow>(); }

}  // namespace orbwatch::decode
