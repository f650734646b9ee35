// RFC 5424: "<129>1 2025-11-24T12:00:00.000Z hunter orbwatch - login [finding@32473 id="..."] message".
// The facility is an option; severities: critical 2, high 3 (error), medium 4 (warning), low 5 (notice), informational
// 6. The message id is the finding's kind, the time is the finding's. Structured data carries the facts, the message a
// sentence; that is cut first when the whole would be too long, then the less important facts are left out.
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/formats.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::Severity;

unsigned severity_of(const Finding& finding) {
  switch (finding.severity) {
    case Severity::kCritical: return 2;
    case Severity::kHigh: return 3;
    case Severity::kMedium: return 4;
    case Severity::kLow: return 5;
    case Severity::kInformational: break;
  }
  return 6;
}

// HOSTNAME: 1 to 255 printable ASCII characters.
std::string host_name(std::string_view host) {
  std::string out;
  for (const char c : host.substr(0, 255)) out += c > ' ' && c < 0x7f ? c : '?';
  return out.empty() ? "-" : out;
}

std::string header(const Finding& finding, const RenderOptions& options) {
  const core::Nanoseconds moment = moment_of(finding, options.now);
  return fmt::format("<{}>1 {} {} orbwatch - {} ", std::min(options.facility, 23U) * 8 + severity_of(finding),
                     moment == 0 ? "-" : time_milliseconds(moment), host_name(options.host), name(finding.kind));
}

// PARAM-VALUE: '"', '\' and ']' are escaped.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
}

}  // namespace

std::string render_syslog(const Finding& f, const RenderOptions& options) {
  const std::size_t most = std::max<std::size_t>(options.longest_message, 480);  // what every receiver must take
  const std::size_t value_most = std::min(options.longest_value, most / 8);
  std::string out = header(f, options);
  // A message of at least 100 bytes is always left room for.
  const std::size_t data_most = most - 100;
  out += fmt::format("[finding@{}", options.enterprise);
  const auto param = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    const std::string pair = fmt::format(" {}=\"{}\"", key, escaped(one_line(value, value_most)));
    if (out.size() + pair.size() + 1 <= data_most) out += pair;
  };
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  param("id", f.id);
  param("kind", name(f.kind));
  param("severity", name(f.severity));
  param("score", score_text(f));
  param("alert", f.alert ? "true" : "false");
  if (users.size() == 1) param("user", users[0]);
  if (sources.size() == 1) {
    const score::SourceFacts& source = *sources[0];
    param("src", source.ip.text());
    if (source.asn != 0) param("asn", std::to_string(source.asn));
    param("org", source.org);
    param("country", source.country);
    param("city", source.city);
    param("network_type", source.network_type);
  }
  param("gateway", f.gateway);
  param("device", f.device);
  param("outcome", f.outcome);
  if (f.end != 0) param("end", time_milliseconds(f.end));
  param("attack", joined(techniques_of(f), value_most));
  param("network", f.network);
  if (sources.size() > 1) {
    param("source_count", std::to_string(std::max<std::uint64_t>(f.source_count, sources.size())));
    std::string list;
    for (const score::SourceFacts* source : sources) list += (list.empty() ? "" : ", ") + source->ip.text();
    param("sources", list);
  }
  if (users.size() > 1) {
    param("user_count", std::to_string(std::max<std::uint64_t>(f.user_count, users.size())));
    param("users", joined(users, value_most));
  }
  param("record", first_record(f, value_most));
  param("advice", f.advice);
  out += "] ";
  std::string message = summary(f, most - out.size());
  if (!is_ascii(message)) message = "\xef\xbb\xbf" + summary(f, most - out.size() - 3);  // MSG-UTF8 begins with the BOM
  return out + message;
}

std::string in_syslog(const Finding& finding, std::string_view text, const RenderOptions& options) {
  return header(finding, options) + "- " + std::string(text);
}

std::string octet_counted(std::string_view message) { return fmt::format("{} {}", message.size(), message); }

}  // namespace orbwatch::exporting
