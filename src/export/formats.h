// The formats in which a finding leaves orbwatch, in one table. A format is a pure function from a finding to text: no
// clock, no input or output, no state; any thread may call it. To add one: a file in export/formats/ and a row below.
//
// Whatever log data a finding holds, the text is valid UTF-8, escaped as the format demands, and bounded: each value is
// cut to RenderOptions::longest_value bytes ("..." at the end) and lists hold at most Finding::kMostListed. The
// exception is `ndjson`, the finding's own JSON, which is never cut (a finding is bounded by itself).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.h"
#include "score/finding.h"

namespace orbwatch::exporting {

struct RenderOptions {
  std::string host;          // of the computer that reports, "" = unknown
  std::string organisation;  // whose findings they are; named as the observer in STIX, "" = "orbwatch"
  // Stands where a format demands a time and the finding has none (STIX, OCSF, ECS); 0 = 1970.
  core::Nanoseconds now = 0;
  std::size_t longest_value = 1023;    // bytes of one text value; at least 16
  std::size_t longest_message = 8192;  // bytes of a whole syslog message; the other formats have no such limit
  unsigned facility = 16;              // of syslog: 0..23; 16 = local0
  std::uint32_t enterprise = 32473;    // of structured data; 32473 is reserved for examples (RFC 5612)
  char leef_delimiter = '\t';          // between the pairs of LEEF; the same character within a value becomes a space
};

struct Format {
  std::string_view name;        // as in the configuration
  std::string_view says;        // what it is
  std::string_view media_type;  // of a webhook's body
  bool one_line;                // the text holds no line feed
  std::string (*render)(const score::Finding&, const RenderOptions&);
};

std::string render_ndjson(const score::Finding& finding, const RenderOptions& options);
std::string render_text(const score::Finding& finding, const RenderOptions& options);
std::string render_syslog(const score::Finding& finding, const RenderOptions& options);
std::string render_cef(const score::Finding& finding, const RenderOptions& options);
std::string render_leef(const score::Finding& finding, const RenderOptions& options);
std::string render_ecs(const score::Finding& finding, const RenderOptions& options);
std::string render_ocsf(const score::Finding& finding, const RenderOptions& options);
std::string render_stix(const score::Finding& finding, const RenderOptions& options);

inline constexpr Format kFormats[] = {
    {"ndjson", "the finding's own JSON", "application/json", true, render_ndjson},
    {"text", "plain text for a person", "text/plain; charset=utf-8", false, render_text},
    {"syslog", "RFC 5424 with structured data", "text/plain; charset=utf-8", true, render_syslog},
    {"cef", "ArcSight Common Event Format", "text/plain; charset=utf-8", true, render_cef},
    {"leef", "QRadar Log Event Extended Format 2.0", "text/plain; charset=utf-8", true, render_leef},
    {"ecs", "Elastic Common Schema 8", "application/json", true, render_ecs},
    {"ocsf", "OCSF Detection Finding", "application/json", true, render_ocsf},
    {"stix", "STIX 2.1 bundle", "application/stix+json;version=2.1", true, render_stix},
};

// nullptr if there is none of that name.
const Format* find_format(std::string_view name);
// "ndjson, text, syslog, ...", for messages.
std::string format_names();

// `text` (a line without header, such as CEF) as the message of an RFC 5424 line: the same header as render_syslog, no
// structured data. Not cut.
std::string in_syslog(const score::Finding& finding, std::string_view text, const RenderOptions& options);
// The message with its length in front, as syslog over TCP and TLS frames it: RFC 6587 3.4.1, RFC 5425 4.3.
std::string octet_counted(std::string_view message);

}  // namespace orbwatch::exporting
