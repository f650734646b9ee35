#include "serve/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "core/text.h"

namespace orbwatch::serve {
namespace {

using pipeline::CollectorStatus;
using pipeline::LiveCounts;
using pipeline::ServiceStatus;

std::string label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename T>
  void value(T value, std::string_view labels = {}) {
    fmt::format_to(std::back_inserter(out_), "{}{}{}{} {}\n", name_, labels.empty() ? "" : "{", labels,
                   labels.empty() ? "" : "}", value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string_view name_;
  std::string out_;
};

std::vector<std::pair<std::string_view, std::uint64_t>> sorted(
    const absl::flat_hash_map<core::Symbol, std::uint64_t>& counts) {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (const auto& [reason, n] : counts) out.emplace_back(reason.text(), n);
  std::sort(out.begin(), out.end());
  return out;
}

double seconds(core::Nanoseconds time) { return static_cast<double>(time) / 1e9; }

// Bytes of memory that the process holds; 0 if the system does not say.
std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  in >> size >> resident;
  return in ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t behind(std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; }

}  // namespace

std::string not_ready(const ServiceStatus& status) {
  if (!status.failure.empty()) return "the pipeline has ended: " + status.failure;
  if (!status.working) return "the pipeline is not running";
  if (!status.journal_trouble.empty()) return status.journal_trouble;
  return {};
}

std::string prometheus_text(const ServiceStatus& status) {
  Text text;
  const auto of = [](const CollectorStatus& c) {
    return fmt::format("collector=\"{}\",type=\"{}\"", label(c.name), pipeline::name(c.type));
  };
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
    text.begin(name, type, help);
    for (const CollectorStatus& c : status.collectors) text.value(value(c), of(c));
  };
  text.begin("orbwatch_build_info", "gauge", "The version that runs.");
  text.value(1, "version=\"" ORBWATCH_VERSION "\"");
  text.begin("orbwatch_ready", "gauge", "1 if what arrives is kept and worked on.");
  text.value(not_ready(status).empty() ? 1 : 0);

  for (const source::CounterField& field : source::counter_fields()) {
    each(fmt::format("orbwatch_collector_{}{}", field.name, field.level ? "" : "_total"),
         field.level ? "gauge" : "counter", field.meaning,
         [&](const CollectorStatus& c) { return c.counters.*field.field; });
  }
  each("orbwatch_last_arrival_timestamp_seconds", "gauge", "When the newest record came that was worked on, 0 if none.",
       [](const CollectorStatus& c) { return seconds(c.records.last_arrival); });
  using Count = std::uint64_t event::Counts::*;
  for (const auto& [name, count, help] :
       {std::tuple<const char*, Count, const char*>{"records", &event::Counts::records, "Records read."},
        {"events", &event::Counts::events, "Records that became events."},
        {"ignored", &event::Counts::ignored, "Records that are of no use here."},
        {"rejected", &event::Counts::rejected, "Records that are damaged or of no known format."}}) {
    each(fmt::format("orbwatch_{}_total", name), "counter", help,
         [&](const CollectorStatus& c) { return c.records.counts.*count; });
  }
  text.begin("orbwatch_events_by_format_total", "counter", "Events by the format of their record.");
  for (const CollectorStatus& c : status.collectors) {
    for (const auto& [format, n] : sorted(c.records.counts.events_by))
      text.value(n, fmt::format("{},format=\"{}\"", of(c), label(format)));
  }
  text.begin("orbwatch_rejected_by_reason_total", "counter", "Rejected records by reason.");
  for (const CollectorStatus& c : status.collectors) {
    for (const auto& [reason, n] : sorted(c.records.counts.rejected_by))
      text.value(n, fmt::format("{},reason=\"{}\"", of(c), label(reason)));
  }
  each("orbwatch_late_events_total", "counter", "Events older than the lateness allows: stored, not judged.",
       [](const CollectorStatus& c) { return c.records.late; });
  each("orbwatch_ahead_events_total", "counter", "Events too far in the future (a wrong clock): stored, not judged.",
       [](const CollectorStatus& c) { return c.records.ahead; });

  const pipeline::LiveStatus& live = status.live;
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.begin(name, type, help);
    text.value(value);
  };
  one("orbwatch_journal_bytes", "gauge", "Bytes that the journal holds.", behind(live.journal_begin, live.journal_end));
  one("orbwatch_journal_backlog_bytes", "gauge", "Bytes of the journal that are not worked on yet.",
      behind(live.position, live.journal_end));
  one("orbwatch_journal_refused_total", "counter", "Times that the journal was full.", status.journal_refused);
  one("orbwatch_journal_damaged_bytes_total", "counter", "Bytes of the journal that could not be read back.",
      status.journal_damaged_bytes);
  one("orbwatch_newest_event_timestamp_seconds", "gauge", "Time of the newest event.", seconds(live.newest_event));
  one("orbwatch_findings_total", "counter", "Findings handed out, new ones and changes.", live.findings);
  one("orbwatch_checkpoints_total", "counter", "Checkpoints written.", live.checkpoints);
  one("orbwatch_checkpoint_seconds", "gauge", "How long the last checkpoint took.",
      static_cast<double>(live.last_checkpoint_took.count()) / 1000);
  text.begin("orbwatch_reloads_total", "counter", "Configurations read anew.");
  text.value(status.reloads, "outcome=\"good\"");
  text.value(status.failed_reloads, "outcome=\"refused\"");
  one("process_resident_memory_bytes", "gauge", "Memory that the process holds.", resident_bytes());
  return text.take();
}

std::string status_json(const ServiceStatus& status) {
  std::string out = fmt::format("{{\"version\":\"{}\",\"ready\":", ORBWATCH_VERSION);
  const std::string why = not_ready(status);
  out += why.empty() ? "true" : "false";
  const auto text = [&out](const char* key, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format(",\"{}\":", key);
    core::append_json_string(out, value);
  };
  text("why_not_ready", why);
  text("trouble", status.live.trouble);
  const pipeline::LiveStatus& live = status.live;
  out += fmt::format(
      ",\"position\":{},\"journal_begin\":{},\"journal_end\":{},\"checkpoint\":{},\"checkpoints\":{},\"findings\":{}",
      live.position, live.journal_begin, live.journal_end, live.checkpoint_position, live.checkpoints, live.findings);
  if (live.newest_event != 0) text("newest_event", core::rfc3339(live.newest_event));
  const auto reasons = [&out](const char* key, const absl::flat_hash_map<core::Symbol, std::uint64_t>& counts) {
    out += fmt::format(",\"{}\":{{", key);
    bool first = true;
    for (const auto& [reason, n] : sorted(counts)) {
      if (!first) out += ',';
      first = false;
      core::append_json_string(out, reason);
      out += fmt::format(":{}", n);
    }
    out += '}';
  };
  const auto records = [&](const LiveCounts& r) {
    const event::Counts& c = r.counts;
    out += fmt::format(
        ",\"bytes\":{},\"records\":{},\"events\":{},\"ignored\":{},\"rejected\":{},\"late\":{},\"ahead\":{}", r.bytes,
        c.records, c.events, c.ignored, c.rejected, r.late, r.ahead);
    if (r.last_arrival != 0) text("last_arrival", core::rfc3339(r.last_arrival));
    reasons("events_by", c.events_by);
    reasons("ignored_by", c.ignored_by);
    reasons("rejected_by", c.rejected_by);
  };
  out += ",\"collectors\":[";
  bool first = true;
  for (const CollectorStatus& c : status.collectors) {
    out += first ? "{\"name\":" : ",{\"name\":";
    first = false;
    core::append_json_string(out, c.name);
    out += fmt::format(",\"type\":\"{}\",\"port\":{}", pipeline::name(c.type), c.port);
    out += ",\"received\":{";
    bool first_field = true;
    for (const source::CounterField& field : source::counter_fields()) {
      const std::uint64_t n = c.counters.*field.field;
      if (n == 0) continue;
      out += fmt::format("{}\"{}\":{}", first_field ? "" : ",", field.name, n);
      first_field = false;
    }
    out += '}';
    records(c.records);
    out += '}';
  }
  out += ']';
  if (live.sources.size() > status.collectors.size() && live.sources.back().counts.records != 0) {
    out += ",\"no_longer_configured\":{\"name\":\"\"";
    records(live.sources.back());
    out += '}';
  }
  return out + "}\n";
}

}  // namespace orbwatch::serve
