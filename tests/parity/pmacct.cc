// pmacct's nfacctd: one JSON object per aggregate. Its keys hold at least addresses and ports, so sums over those are
// held against each other. With nfacctd_renormalize it multiplies by the sampling rate.
#include <algorithm>
#include <map>
#include <tuple>

#include "core/text.h"
#include "parity/flows.h"

namespace orbwatch::parity {

void read_pmacct(const fs::path& data, const Sink& sink) {
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  struct Sum {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
  };
  simdjson::dom::parser parser;
  for (const fs::path& output : files_below(data / "flow/pmacct", "/output-flow-00.json")) {
    const fs::path folder = output.parent_path();
    std::vector<fs::path> captures = files_below(folder, ".pcap");
    std::erase_if(captures, [&](const fs::path& file) { return file.parent_path() != folder; });
    if (captures.empty()) continue;  // a scenario of the folder above, which has the captures
    bool scaled = false;
    for (const fs::path& configuration : files_below(folder, "-00.conf"))
      scaled |= read_file(configuration).contains("nfacctd_renormalize: true");
    std::map<Key, Sum> sums;
    for (const std::string& line : lines_of(read_file(output))) {
      element flow;
      if (parser.parse(simdjson::padded_string(line)).get(flow) != simdjson::SUCCESS) continue;
      const auto source = text_at(flow, "ip_src");
      const auto destination = text_at(flow, "ip_dst");
      if (!source || !destination) continue;
      const bool icmp = text_at(flow, "ip_proto").value_or("").ends_with("icmp");
      Sum& sum = sums[{*source, *destination, text_at(flow, "port_src").value_or(""),
                       icmp ? "" : text_at(flow, "port_dst").value_or("")}];
      sum.bytes += core::parse_number<std::uint64_t>(text_at(flow, "bytes").value_or("")).value_or(0);
      sum.packets += core::parse_number<std::uint64_t>(text_at(flow, "packets").value_or("")).value_or(0);
    }
    Case c{.peer = "pmacct",
           .file = below(data, output),
           .input = joined(captures),
           .pairing = Pairing::kSums,
           .complete = true};
    for (const auto& [key, sum] : sums) {
      Record record{.place = std::get<0>(key) + " > " + std::get<1>(key)};
      record.claim("source.ip", std::get<0>(key));
      record.claim("destination.ip", std::get<1>(key));
      record.claim("source.port", std::get<2>(key));
      record.claim("destination.port", std::get<3>(key));
      record.claim(scaled ? "source.bytes.scaled" : "source.bytes", std::to_string(sum.bytes));
      if (!scaled) record.claim("source.packets", std::to_string(sum.packets));
      c.records.push_back(std::move(record));
    }
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
