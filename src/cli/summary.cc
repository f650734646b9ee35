#include "cli/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "core/text.h"
#include "core/time.h"

namespace orbwatch::cli {
namespace {

class Json {
 public:
  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    core::append_json_string(out_, name);
    return out_ += ':';
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) core::append_json_string(key(name), value);
  }
  void number(std::string_view name, std::uint64_t value) { key(name) += std::to_string(value); }
  void flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void element() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string& out() { return out_; }

 private:
  std::string out_;
  bool first_ = true;
};

void add_map(Json& json, std::string_view name, const core::SymbolCounts& counts) {
  if (counts.empty()) return;
  std::map<std::string_view, std::uint64_t> sorted;
  for (const auto& [symbol, count] : counts) sorted[symbol.text()] += count;
  json.key(name);
  json.open('{');
  for (const auto& [word, count] : sorted) json.number(word, count);
  json.close('}');
}

void add_counts(Json& json, const event::Counts& counts) {
  json.number("records", counts.records);
  json.number("events", counts.events);
  json.number("ignored", counts.ignored);
  json.number("rejected", counts.rejected);
  add_map(json, "events_by_format", counts.events_by);
  add_map(json, "ignored_by_reason", counts.ignored_by);
  add_map(json, "rejected_by_reason", counts.rejected_by);
}

void add_times(Json& json, core::Nanoseconds first, core::Nanoseconds last) {
  if (first != 0) json.text("first", core::rfc3339(first));
  if (last != 0) json.text("last", core::rfc3339(last));
}

}  // namespace

std::string_view fate(const score::InputReport& input) {
  if (input.error.empty()) return input.format.empty() ? "empty" : "read";
  if (!input.format.empty()) return "partly";
  return input.unknown_format ? "unknown-format" : "unreadable";
}

std::string summary_json(const score::HuntResult& result) {
  Json json;
  json.open('{');
  json.key("total");
  json.open('{');
  json.number("inputs", result.inputs.size());
  add_counts(json, result.total);
  add_times(json, result.first, result.last);
  json.number("findings", result.findings.size());
  json.number("alerts", static_cast<std::uint64_t>(std::count_if(result.findings.begin(), result.findings.end(),
                                                                 [](const auto& f) { return f.alert; })));
  json.close('}');
  json.key("inputs");
  json.open('[');
  for (const score::InputReport& input : result.inputs) {
    json.element();
    json.open('{');
    json.text("path", input.path);
    json.text("fate", fate(input));
    json.text("format", input.format);
    json.text("error", input.error);
    json.number("bytes", input.bytes);
    add_counts(json, input.counts);
    add_times(json, input.first, input.last);
    json.close('}');
  }
  json.close(']');
  json.key("hypotheses");
  json.open('[');
  for (const score::HypothesisReport& h : result.hypotheses) {
    json.element();
    json.open('{');
    json.text("detector", h.detector);
    json.text("hypothesis", h.hypothesis);
    json.flag("tested", h.tested);
    json.number("events", h.events);
    json.text("why_not", h.why_not);
    json.close('}');
  }
  json.close(']');
  // Only with a file of verdicts.
  if (!result.suppressions.empty()) {
    json.key("suppressions");
    json.open('[');
    for (const score::SuppressionUse& use : result.suppressions) {
      json.element();
      json.open('{');
      json.text("id", use.note.id);
      json.text("case", use.finding);
      json.text("author", use.note.author);
      json.text("reason", use.note.reason);
      json.text("expires", use.note.expires == 0 ? "never" : core::rfc3339(use.note.expires));
      json.number("hits", use.hits);
      json.text("last", core::rfc3339(use.last));
      json.close('}');
    }
    json.close(']');
  }
  json.key("notes");
  json.open('[');
  for (const std::string& note : result.notes) {
    json.element();
    core::append_json_string(json.out(), note);
  }
  json.close(']');
  json.close('}');
  return std::move(json.out()) + "\n";
}

}  // namespace orbwatch::cli
