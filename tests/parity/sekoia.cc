// Sekoia's intake formats: one JSON file a case, input.message and the ECS fields expected of it.
#include "parity/parity.h"

namespace orbwatch::parity {

void read_sekoia(const fs::path& data, const Sink& sink) {
  simdjson::dom::parser parser;
  for (const fs::path& file : files_below(data / "logs/sekoia-intake", ".json")) {
    element whole;
    element expected;
    if (parser.load(file.string()).get(whole) != simdjson::SUCCESS) continue;
    const auto message = text_at(whole, "input.message");
    if (!message || whole["expected"].get(expected) != simdjson::SUCCESS) continue;
    Case c{.peer = "sekoia", .file = below(data, file), .input = *message + "\n"};
    Record record{.place = "message", .line = 1};
    claim_ecs(expected, record);
    if (c.file.contains("/Fortinet__") || c.file.contains("/Palo-Alto-")) {  // elsewhere looked up by the peer
      record.claim("region", first_of(expected, {"source.geo.country_name", "source.geo.name"}));
      record.claim("client.os", text_at(expected, "host.os.version"));
    }
    // Their peer reads a time without zone as UTC and puts in the year of the day on which it runs.
    if (const auto time = text_at(expected, "@timestamp")) c.reference = time_of(*time);
    c.records.push_back(std::move(record));
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
