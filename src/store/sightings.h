// What a store file says for threat feeds: which findings they took part in, and whether an address or a fingerprint
// that they name now was ever seen. Read-only; errors as query() (store.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::store {

// A piece of evidence of a finding.
struct StoredEvidence {
  std::string finding;         // its id
  std::string verdict;         // "true", "false", "benign"; "" = nobody said anything
  core::Nanoseconds time = 0;  // when the finding begins
  std::string says;
};
constexpr std::size_t kMostStoredEvidence = 1'000'000;
// All evidence that a detector gave, by the findings' time. An error also if there is more than kMostStoredEvidence.
core::Expected<std::vector<StoredEvidence>> evidence_of(const std::string& path, std::string_view detector);

// From the beginning of the first finding to the end of the last; both 0: there are none.
core::Expected<std::pair<core::Nanoseconds, core::Nanoseconds>> span_of_findings(const std::string& path);

// What an event has that a feed can name.
enum class SubjectKind : std::uint8_t { kAddress, kClientFingerprint, kServerFingerprint, kCertificate, kBanner };

// Each distinct one once, in no order. False from the visitor ends it. One pass over the tables of what repeats, which
// are far smaller than the events.
core::Expected<void> each_subject(const std::string& path,
                                  const std::function<bool(SubjectKind, std::string_view)>& visit);

struct Sighting {
  SubjectKind kind = SubjectKind::kAddress;
  std::string text;
  core::Nanoseconds first = 0, last = 0;
  std::uint64_t events = 0;
  std::vector<std::string> users;     // the first kMostNamed by name
  std::vector<std::string> gateways;  // likewise
  std::uint64_t user_count = 0;
};
constexpr std::size_t kMostNamed = 20;
// Of these; those that stand in no event are left out. In no order.
core::Expected<std::vector<Sighting>> sightings_of(const std::string& path, SubjectKind kind,
                                                   std::span<const std::string> texts);

}  // namespace orbwatch::store
