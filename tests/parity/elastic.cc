// Elastic's ingest pipelines: X.log or X.json beside X-expected.json, expected[i] for line or event i.
#include <algorithm>

#include "parity/parity.h"

namespace orbwatch::parity {

void read_elastic(const fs::path& data, const Sink& sink) {
  simdjson::dom::parser parser;
  simdjson::dom::parser input_parser;
  for (const fs::path& file : files_below(data / "logs/elastic-package", "-expected.json")) {
    element whole;
    if (parser.load(file.string()).get(whole) != simdjson::SUCCESS) continue;
    std::string name = file.string();
    name.resize(name.size() - std::string_view("-expected.json").size());
    const fs::path source = name;
    Case c{.peer = "elastic", .file = below(data, source)};
    // The pipelines see one event a line, JSON inputs as Elastic Agent hands them over.
    if (source.extension() == ".json") {
      element events;
      if (input_parser.load(source.string()).get(events) != simdjson::SUCCESS) continue;
      for (const element event : items_of(events["events"].get_array())) c.input += record_of_event(event) + "\n";
    } else {
      c.input = read_file(source);
    }
    std::uint32_t line = 0;
    const auto lines = lines_of(c.input);
    for (const element expected : items_of(whole["expected"].get_array())) {
      ++line;
      // The runner of the peer leaves empty lines out.
      while (line <= lines.size() && lines[line - 1].empty()) ++line;
      if (!expected.is_object()) continue;  // dropped by the pipeline
      Record record{.place = "line " + std::to_string(line), .line = line};
      claim_ecs(expected, record);
      if (const auto time = text_at(expected, "@timestamp")) c.reference = std::max(c.reference, time_of(*time));
      c.records.push_back(std::move(record));
    }
    sink(std::move(c));
  }
}

}  // namespace orbwatch::parity
