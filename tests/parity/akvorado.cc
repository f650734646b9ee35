// akvorado: captures of one exporter, flows in their order by the peer's names. It leaves out what is 0.
#include "parity/flows.h"

namespace orbwatch::parity {

void read_akvorado(const fs::path& data, const Sink& sink) {
  simdjson::dom::parser parser;
  for (const fs::path& file : files_below(data / "flow/akvorado", ".expected.json")) {
    element expected;
    if (parser.load(file.string()).get(expected) != simdjson::SUCCESS) continue;
    std::vector<fs::path> captures;
    for (const element name : items_of(expected["pcaps"].get_array()))
      captures.push_back(file.parent_path() / std::string(name.get_string().value()));
    Case c{.peer = "akvorado", .file = below(data, file), .input = joined(captures), .pairing = Pairing::kOrder};
    const auto flows = items_of(expected["flows"].get_array());
    if (text_at(expected, "compare") == "all flows")
      c.counts.push_back({"flows", flows.size(), [](const Outcome& o) { return o.batch.size(); }});
    std::size_t number = 0;
    for (const element flow : flows) {
      Record record{.place = "flow " + std::to_string(number++)};
      record.claim("source.ip", text_at(flow, "SrcAddr"));
      record.claim("destination.ip", text_at(flow, "DstAddr"));
      const auto count = [&](std::string_view field, const char* name) {
        record.claim(field, text_at(flow, name).value_or("0"));
      };
      count("network.iana_number", "Proto");
      count("source.port", "SrcPort");
      count("destination.port", "DstPort");
      count("source.bytes", "Bytes");
      count("source.packets", "Packets");
      count("tcp_flags", "TCPFlags");
      count("ingress_index", "InIf");
      count("egress_index", "OutIf");
      count("sampling", "SamplingRate");
      c.records.push_back(std::move(record));
    }
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
