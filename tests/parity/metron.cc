// Apache Metron's parsers: one JSON object a line, with the line itself in original_string.
#include "decode/scanner.h"
#include "parity/parity.h"

namespace orbwatch::parity {

void read_metron(const fs::path& data, const Sink& sink) {
  const fs::path file = data / "logs/metron/asa/parsed/asa_parsed";
  if (!fs::is_regular_file(file)) return;
  simdjson::dom::parser parser;
  Case c{.peer = "metron", .file = below(data, file)};
  std::uint32_t line = 0;
  for (const std::string& text : lines_of(read_file(file))) {
    element parsed;
    if (parser.parse(simdjson::padded_string(text)).get(parsed) != simdjson::SUCCESS) continue;
    const auto original = text_at(parsed, "original_string");
    if (!original) continue;
    c.input += *original + "\n";
    Record record{.place = "line " + std::to_string(++line), .line = line};
    if (auto time = text_at(parsed, "timestamp")) {
      record.claim("time", core::rfc3339(time_of(*time)));
      c.reference = std::max(c.reference, time_of(*time));
    }
    record.claim("observer.name", text_at(parsed, "syslog_host"));
    record.claim("source.ip", text_at(parsed, "ip_src_addr"));
    record.claim("source.port", text_at(parsed, "ip_src_port"));
    record.claim("destination.ip", text_at(parsed, "ip_dst_addr"));
    record.claim("destination.port", text_at(parsed, "ip_dst_port"));
    if (const auto name = text_at(parsed, "protocol"); name && decode::protocol_number(*name) != 0)
      record.claim("network.iana_number", std::to_string(decode::protocol_number(*name)));
    if (const auto tag = text_at(parsed, "ciscotag"); tag && tag->size() > 6)
      record.claim("code", tag->substr(tag->size() - 6));
    if (const auto action = text_at(parsed, "action")) {
      if (*action == "deny" || *action == "denied" || *action == "drop") record.claim("action", "denied");
      if (*action == "built" || *action == "teardown" || *action == "permitted") record.claim("action", "allowed");
    }
    c.records.push_back(std::move(record));
  }
  sink(std::move(c));
}

}  // namespace orbwatch::parity
