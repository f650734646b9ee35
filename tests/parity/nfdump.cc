// nfdump: its JSON of the datagrams that other folders hold.
#include "parity/flows.h"

namespace orbwatch::parity {

void read_nfdump(const fs::path& data, const Sink& sink) {
  simdjson::dom::parser parser;
  for (const fs::path& file : files_below(data / "flow/nfdump-decodes", ".json")) {
    element expected;
    if (parser.load(file.string()).get(expected) != simdjson::SUCCESS) continue;
    std::vector<fs::path> packets;
    for (const element input : items_of(expected["inputs"].get_array())) {
      const std::string name(input.get_string().value());
      const fs::path direct = data / "flow" / name;
      packets.push_back(fs::exists(direct) ? direct : data / "flow/logstash-codec-netflow" / name);
    }
    Case c{.peer = "nfdump",
           .file = below(data, file),
           .input = joined(packets),
           .pairing = Pairing::kAny,
           .complete = true};
    std::size_t number = 0;
    for (const element flow : items_of(expected["records"].get_array())) {
      Record record{.place = "record " + std::to_string(number++)};
      record.claim("source.ip", first_of(flow, {"src4_addr", "src6_addr"}));
      record.claim("destination.ip", first_of(flow, {"dst4_addr", "dst6_addr"}));
      const auto protocol = text_at(flow, "proto");
      record.claim("network.iana_number", protocol);
      record.claim("source.port", text_at(flow, "src_port"));
      if (!is_icmp(protocol)) record.claim("destination.port", text_at(flow, "dst_port"));
      record.claim("source.bytes", text_at(flow, "in_bytes"));
      record.claim("source.packets", text_at(flow, "in_packets"));
      record.claim("ingress_index", text_at(flow, "input_snmp"));
      record.claim("egress_index", text_at(flow, "output_snmp"));
      record.claim("flow.start", text_at(flow, "first"));
      record.claim("flow.end", text_at(flow, "last"));
      c.records.push_back(std::move(record));
    }
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
