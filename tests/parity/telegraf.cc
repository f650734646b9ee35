// telegraf's netflow input: InfluxDB line protocol of every record of the datagrams beside it.
#include <algorithm>
#include <map>

#include "core/text.h"
#include "decode/scanner.h"
#include "parity/flows.h"

namespace orbwatch::parity {
namespace {

// measurement,tag=value field="text",field=12u time
std::map<std::string, std::string> line_protocol(const std::string& line) {
  std::map<std::string, std::string> out;
  std::string token;
  bool quoted = false;
  const auto flush = [&] {
    if (const auto equal = token.find('='); equal != token.npos) {
      std::string value = token.substr(equal + 1);
      if (value.ends_with('u') && !value.starts_with('"')) value.pop_back();
      std::erase(value, '"');
      out[token.substr(0, equal)] = value;
    }
    token.clear();
  };
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ',' || c == ' ')) {
      flush();
    } else {
      token += c;
    }
  }
  flush();
  return out;
}

}  // namespace

void read_telegraf(const fs::path& data, const Sink& sink) {
  for (const fs::path& file : files_below(data / "flow/telegraf", "expected.out")) {
    Case c{.peer = "telegraf",
           .file = below(data, file),
           .input = joined(files_below(file.parent_path(), ".bin")),
           .pairing = Pairing::kAny,
           .complete = true};
    std::size_t number = 0;
    for (const std::string& line : lines_of(read_file(file))) {
      auto fields = line_protocol(line);
      ++number;
      if (!fields.contains("src") && !fields.contains("dst")) continue;  // options data, counters
      Record record{.place = "line " + std::to_string(number)};
      const auto claim = [&](std::string_view field, std::initializer_list<const char*> names) {
        for (const char* name : names) {
          if (fields.contains(name)) return record.claim(field, fields[name]);
        }
      };
      claim("source.ip", {"src"});
      claim("destination.ip", {"dst"});
      claim("source.port", {"src_port"});
      claim("destination.port", {"dst_port"});
      if (const auto protocol = decode::protocol_number(fields["protocol"]); protocol != 0)
        record.claim("network.iana_number", std::to_string(protocol));
      // Of a sampled packet the peer gives the length without the IP header, and other interfaces than the sample's.
      if (fields["version"] != "sFlowV5") {
        claim("source.bytes", {"in_bytes", "in_total_bytes"});
        claim("source.packets", {"in_packets", "in_total_packets"});
        claim("ingress_index", {"in_snmp"});
        claim("egress_index", {"out_snmp"});
      }
      claim("flow.start", {"flow_start_ms"});
      claim("flow.end", {"flow_end_ms"});
      c.records.push_back(std::move(record));
    }
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
