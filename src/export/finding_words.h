// What all formats say of a finding in the same words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "score/finding.h"

namespace orbwatch::exporting {

// Evidence of these kinds marks findings that orbwatch itself makes: see test_finding() and Alerts.
inline constexpr std::string_view kTestEvidence = "test";
inline constexpr std::string_view kHeldBackEvidence = "held-back";

// What the finding is about, in some words; the name of a SIEM's rule. Static storage.
std::string_view title(const score::Finding& finding);
// One line for a person: title, who, from where, at which gateway, the hypothesis and the strongest evidence.
std::string summary(const score::Finding& finding, std::size_t most);
// "AS64496 Example Cable, consumer broadband, DE"; "" if nothing is known.
std::string describe(const score::SourceFacts& source, std::size_t most);
// "vpn.log:42", "flows.pcap@4711"; "" if the finding has no record.
std::string first_record(const score::Finding& finding, std::size_t most);

// Those of `sources`, or the one source; such as have an address, each once, at most kMostListed.
std::vector<const score::SourceFacts*> sources_of(const score::Finding& finding);
// Likewise the users.
std::vector<std::string_view> users_of(const score::Finding& finding);

// The ATT&CK techniques of the finding: such as are ids of techniques, each once, at most kMostTechniques.
constexpr std::size_t kMostTechniques = 16;
std::vector<std::string_view> techniques_of(const score::Finding& finding);
// "T1090.003" -> "Multi-hop Proxy". "" if it is not known.
std::string_view technique_name(std::string_view id);
bool is_technique(std::string_view id);  // T and four digits, maybe a dot and three digits
// "https://attack.mitre.org/techniques/T1090/003/"
std::string technique_url(std::string_view id);

// "0.9731": at most six decimals, never 1 for less than that; not a number = 0.
std::string score_text(const score::Finding& finding);
unsigned score_percent(const score::Finding& finding);  // 0..100, 100 only for certainty

// Valid UTF-8 of at most `most` bytes (at least 3), "..." at the end of what was cut; invalid bytes become U+FFFD.
std::string bounded_utf8(std::string_view text, std::size_t most);
// The same on one line: control characters (C0, DEL, C1) become spaces.
std::string one_line(std::string_view text, std::size_t most);
// "a, b, c", cut likewise.
std::string joined(const std::vector<std::string_view>& parts, std::size_t most);

std::int64_t milliseconds(core::Nanoseconds time);      // since 1970, rounded down
std::string time_milliseconds(core::Nanoseconds time);  // "2025-11-24T12:00:00.000Z"
// The finding's time, else its end, else `now`.
core::Nanoseconds moment_of(const score::Finding& finding, core::Nanoseconds now);

}  // namespace orbwatch::exporting
