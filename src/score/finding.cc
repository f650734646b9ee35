#include "score/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "score/json_object.h"

namespace orbwatch::score {
namespace {

using core::append_json_string;
using detail::Object;
using detail::probability;
using detail::trimmed;

void write_source(std::string& out, const SourceFacts& source) {
  Object o(out);
  if (source.ip.present()) o.text("ip", source.ip.text());
  o.count("asn", source.asn);
  o.text("org", source.org);
  o.text("country", source.country);
  o.text("city", source.city);
  o.text("network_type", source.network_type);
  o.text("claims", source.claims);
  o.close();
}

void write_note(std::string& out, const VerdictNote& note) {
  Object o(out);
  o.text("id", note.id);
  o.text("says", note.says);
  o.text("author", note.author);
  o.text("reason", note.reason);
  o.text("time", core::rfc3339(note.time));
  o.text("expires", note.expires == 0 ? "never" : core::rfc3339(note.expires));
  o.close();
}

bool known(const SourceFacts& s) {
  return s.ip.present() || s.asn != 0 || !s.org.empty() || !s.country.empty() || !s.city.empty() ||
         !s.network_type.empty();
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::kInformational: return "informational";
    case Severity::kLow: return "low";
    case Severity::kMedium: return "medium";
    case Severity::kHigh: return "high";
    case Severity::kCritical: return "critical";
  }
  return "?";
}

std::string_view name(Step step) {
  switch (step) {
    case Step::kFailedLogin: return "failed-log-in";
    case Step::kLogin: return "log-in";
    case Step::kSessionEnd: return "session-end";
  }
  return "?";
}

std::string to_json(const Finding& f, bool with_raw) {
  std::string out;
  out.reserve(1024);
  Object o(out);
  o.text("id", f.id);
  o.text("time", core::rfc3339(f.time));
  o.text("end", core::rfc3339(f.end));
  o.text("kind", name(f.kind));
  o.key("score") += probability(f.score);
  o.text("severity", name(f.severity));
  o.key("alert") += f.alert ? "true" : "false";
  o.text("user", f.user);
  o.text("outcome", f.outcome);
  if (known(f.source)) write_source(o.key("source"), f.source);
  o.list("sources", f.sources, Finding::kMostListed, write_source);
  // The count is stated where the list does not say it.
  if (f.source_count > f.sources.size()) o.count("source_count", f.source_count);
  o.texts("users", f.users, Finding::kMostListed);
  if (f.user_count > f.users.size()) o.count("user_count", f.user_count);
  o.text("gateway", f.gateway);
  o.text("device", f.device);
  o.text("hypothesis", f.hypothesis);
  o.texts("attack", f.attack, Finding::kMostListed);
  o.list("evidence", f.evidence, Finding::kMostListed, [](std::string& to, const detect::Evidence& evidence) {
    Object e(to);
    e.text("kind", evidence.kind);
    if (std::isfinite(evidence.llr)) e.key("llr") += trimmed(fmt::format("{:.2f}", evidence.llr));
    e.text("says", evidence.says);
    e.close();
  });
  o.list("records", f.records, Finding::kMostListed, [with_raw](std::string& to, const RecordPlace& record) {
    Object r(to);
    r.text("file", record.file);
    if (record.line != 0) {
      r.count("line", record.line);
    } else {
      r.key("offset") += std::to_string(record.offset);
    }
    if (with_raw) r.text("raw", record.raw);
    r.close();
  });
  o.text("advice", f.advice);
  o.text("network", f.network);
  o.list("timeline", f.timeline, Finding::kMostListed, [](std::string& to, const TimelineEntry& entry) {
    Object e(to);
    e.text("time", core::rfc3339(entry.time));
    e.text("what", name(entry.what));
    if (known(entry.source)) write_source(e.key("source"), entry.source);
    if (entry.log_odds && std::isfinite(*entry.log_odds)) {
      e.key("log_odds") += trimmed(fmt::format("{:.2f}", *entry.log_odds));
      e.key("alert") += entry.alert ? "true" : "false";
    }
    e.text("says", entry.says);
    e.text("finding", entry.finding);
    e.close();
  });
  if (f.timeline_count > f.timeline.size()) o.count("timeline_count", f.timeline_count);
  o.text("related", f.related);
  const auto note = [&o](std::string_view name, const VerdictNote& verdict) {
    if (!verdict.id.empty()) write_note(o.key(name), verdict);
  };
  note("verdict", f.verdict);
  note("suppressed_by", f.suppressed_by);
  note("risen_above", f.risen_above);
  o.close();
  return out;
}

}  // namespace orbwatch::score
