// Patterns of STIX indicators: a parser of the STIX 2.1 patterning grammar (OASIS, STIX 2.1 part 9, with STIX 2.0's
// forms) and the part of it that the look-up of single events can hold to.
//
// Understood: comparisons by =, IN and ISSUBSET of addresses and prefixes, ends of network traffic with their ports
// and transport protocol, domains, URLs, numbers of autonomous systems, certificates (SHA-1, SHA-256, subject, issuer),
// JA3, JA3S, JA4, JA4S, JARM, HASSH, user agents; joined by OR, also over observations; START STOP as a validity. AND
// is understood where it restricts one value by port, protocol or type. Anything else is refused by name: a conjunct or
// a qualifier is never dropped, since that would widen the match. An alternative of an OR that is refused is left out,
// which narrows it; its name is given.
#pragma once

#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/feed/value.h"

namespace orbwatch::intel {

// Indicators of several hundred addresses exist; these are some ten times as large.
inline constexpr std::size_t kLongestPattern = std::size_t{64} << 10;
inline constexpr int kMostPatternDepth = 32;
inline constexpr std::size_t kMostPatternTests = 4096;
inline constexpr std::size_t kMostPatternAlternatives = 4096;

struct StixPattern {
  std::vector<FeedValue> values;      // each one alone is a match
  std::vector<ValueVerdict> refused;  // alternatives that are not among them: "FOLLOWEDBY", "file:hashes" ...
};

// An error: the text is no pattern, with the place in bytes, or it is larger than the limits above.
core::Expected<StixPattern> read_stix_pattern(std::string_view text, const ValueRules& rules);

// True if a text looks like a pattern and like no defanged address: "[" and the path of an object.
bool looks_like_stix_pattern(std::string_view text);

}  // namespace orbwatch::intel
