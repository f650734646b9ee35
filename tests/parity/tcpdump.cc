// tcpdump -v: one line a sample of sFlow. Counts only: it prints few of the fields.
#include "parity/flows.h"

namespace orbwatch::parity {

void read_tcpdump(const fs::path& data, const Sink& sink) {
  for (const char* name : {"sflow-print-v6", "sflow_multiple_counter_30_pdus"}) {
    const fs::path capture = data / "flow/tcpdump-sflow" / (std::string(name) + ".pcap");
    if (!fs::is_regular_file(capture)) continue;
    std::uint64_t flows = 0;
    std::uint64_t counters = 0;
    for (const std::string& line : lines_of(read_file(fs::path(capture).replace_extension(".out")))) {
      flows += line.contains("flow sample (");
      counters += line.contains("counter sample (");
    }
    Case c{.peer = "tcpdump", .file = below(data, capture), .input = read_file(capture)};
    c.counts.push_back({"flow samples", flows, [](const Outcome& o) {
                          return o.events_of("sflow_v5") + o.ignored("sampled frame without IP");
                        }});
    c.counts.push_back({"counter samples", counters, [](const Outcome& o) { return o.ignored("sFlow counters"); }});
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
