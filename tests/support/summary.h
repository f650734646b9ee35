// What `orbwatch hunt --summary` wrote, for tests.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::test {

struct SummaryCounts {
  std::uint64_t records = 0, events = 0, ignored = 0, rejected = 0;
  std::map<std::string, std::uint64_t> events_by_format, ignored_by_reason, rejected_by_reason;

  // read = events + ignored + rejected, and each is the sum of its reasons.
  bool balanced() const {
    const auto sum = [](const std::map<std::string, std::uint64_t>& counts) {
      std::uint64_t all = 0;
      for (const auto& [reason, count] : counts) all += count;
      return all;
    };
    return records == events + ignored + rejected && events == sum(events_by_format) &&
           ignored == sum(ignored_by_reason) && rejected == sum(rejected_by_reason);
  }
};

struct SummaryInput {
  std::string path, fate, format, error;
  std::uint64_t bytes = 0;
  SummaryCounts counts;
};

struct Summary {
  SummaryCounts total;
  std::uint64_t findings = 0, alerts = 0;
  std::vector<SummaryInput> inputs;
  std::vector<std::string> notes;

  // Throws std::runtime_error on an input that was not reported.
  const SummaryInput& of(std::string_view path) const {
    for (const SummaryInput& input : inputs) {
      if (input.path == path) return input;
    }
    throw std::runtime_error("no such input in the summary: " + std::string(path));
  }
};

namespace summary_detail {

inline SummaryCounts counts(simdjson::dom::object object) {
  SummaryCounts out;
  out.records = std::uint64_t(object["records"]);
  out.events = std::uint64_t(object["events"]);
  out.ignored = std::uint64_t(object["ignored"]);
  out.rejected = std::uint64_t(object["rejected"]);
  const auto map = [&](const char* name, std::map<std::string, std::uint64_t>& to) {
    simdjson::dom::object members;
    if (object[name].get(members) != simdjson::SUCCESS) return;
    for (const auto& [key, value] : members) to[std::string(key)] = std::uint64_t(value);
  };
  map("events_by_format", out.events_by_format);
  map("ignored_by_reason", out.ignored_by_reason);
  map("rejected_by_reason", out.rejected_by_reason);
  return out;
}

inline std::string text(simdjson::dom::object object, const char* name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

}  // namespace summary_detail

// Throws simdjson::simdjson_error if it is not a whole summary.
inline Summary parse_summary(const std::string& json) {
  simdjson::dom::parser parser;
  const simdjson::dom::object root = parser.parse(json);
  Summary out;
  const simdjson::dom::object total = root["total"];
  out.total = summary_detail::counts(total);
  out.findings = std::uint64_t(total["findings"]);
  out.alerts = std::uint64_t(total["alerts"]);
  for (const simdjson::dom::object input : simdjson::dom::array(root["inputs"])) {
    SummaryInput one;
    one.path = summary_detail::text(input, "path");
    one.fate = summary_detail::text(input, "fate");
    one.format = summary_detail::text(input, "format");
    one.error = summary_detail::text(input, "error");
    one.bytes = std::uint64_t(input["bytes"]);
    one.counts = summary_detail::counts(input);
    out.inputs.push_back(std::move(one));
  }
  for (const std::string_view note : simdjson::dom::array(root["notes"])) out.notes.emplace_back(note);
  return out;
}

}  // namespace orbwatch::test
