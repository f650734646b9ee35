// logstash-codec-netflow: packet files fed in their order, single records as the peer prints them.
#include "parity/flows.h"

namespace orbwatch::parity {

namespace {

// Times reckoned from the system's uptime come out one second late: the peer adds 10^6 µs minus the rest to the whole
// seconds. nfdump has the same flows without that second.
std::optional<std::string> without_surplus(std::optional<std::string> time) {
  if (!time || time_of(*time) == 0) return time;
  std::string text = core::rfc3339(time_of(*time) - core::kSecond);
  if (!text.contains('.')) text.insert(text.size() - 1, ".000");
  return text;
}

}  // namespace

void read_logstash(const fs::path& data, const Sink& sink) {
  simdjson::dom::parser parser;
  for (const fs::path& file : files_below(data / "flow/logstash-codec-netflow", ".expected.json")) {
    element expected;
    if (parser.load(file.string()).get(expected) != simdjson::SUCCESS) continue;
    std::vector<fs::path> packets;
    for (const element name : items_of(expected["packets"].get_array()))
      packets.push_back(file.parent_path() / std::string(name.get_string().value()));
    Case c{.peer = "logstash", .file = below(data, file), .input = joined(packets), .pairing = Pairing::kAny};
    std::uint64_t count = 0;
    if (expected["expected_records"].get_uint64().get(count) == simdjson::SUCCESS) {
      c.counts.push_back({"records", count, [](const Outcome& o) {
                            return o.batch.size() + o.ignored("options data") + o.ignored("flow without addresses");
                          }});
    }
    for (const element entry : items_of(expected["records"].get_array())) {
      element flow;
      if (entry["event"]["netflow"].get(flow) != simdjson::SUCCESS) continue;
      Record record{.place = "record " + text_at(entry, "record").value_or("")};
      const auto one = [&](std::string_view field, std::initializer_list<std::string_view> names) {
        record.claim(field, first_of(flow, names));
      };
      one("source.ip", {"ipv4_src_addr", "ipv6_src_addr", "sourceIPv4Address", "sourceIPv6Address"});
      one("destination.ip", {"ipv4_dst_addr", "ipv6_dst_addr", "destinationIPv4Address", "destinationIPv6Address"});
      if (record.claims.empty()) continue;  // options data
      const auto protocol = first_of(flow, {"protocol", "protocolIdentifier"});
      record.claim("network.iana_number", protocol);
      one("source.port", {"l4_src_port", "sourceTransportPort"});
      // Of ICMP, orbwatch has type and code in the destination port (docs/formats/capture.md).
      if (!is_icmp(protocol)) one("destination.port", {"l4_dst_port", "destinationTransportPort"});
      one("source.bytes",
          {"in_bytes", "in_permanent_bytes", "fwd_flow_delta_bytes", "octetDeltaCount", "octetTotalCount"});
      one("source.packets", {"in_pkts", "packetDeltaCount", "packetTotalCount"});
      one("destination.bytes", {"rev_flow_delta_bytes", "reverseOctetTotalCount"});
      one("destination.packets", {"reversePacketTotalCount"});
      one("tcp_flags", {"tcp_flags", "tcpControlBits"});
      one("ingress_index", {"input_snmp", "ingressInterface"});
      one("egress_index", {"output_snmp", "egressInterface"});
      one("user.name", {"username"});
      one("flow.start", {"flow_start_msec", "flowStartMilliseconds", "flowStartSeconds"});
      one("flow.end", {"flow_end_msec", "flowEndMilliseconds", "flowEndSeconds"});
      record.claim("flow.start", without_surplus(text_at(flow, "first_switched")));
      record.claim("flow.end", without_surplus(text_at(flow, "last_switched")));
      one("session_id", {"conn_id"});
      if (const auto translated = first_of(flow, {"xlate_src_addr_ipv4", "postNATSourceIPv4Address"});
          translated != first_of(flow, {"ipv4_src_addr", "sourceIPv4Address"}))
        record.claim("assigned.ip", translated);
      c.records.push_back(std::move(record));
    }
    if (!c.records.empty() || !c.counts.empty()) sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
