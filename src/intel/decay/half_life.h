// How long indicators of a kind stay true: half-lives by (feed, kind of indicator, kind of network), in days.
//
// What is published are mean lives; for a constant rate of death the half-life is ln 2 = 0.693 of the mean. Each row
// of the table of priors names its source and says how many observed deaths it is worth: so many observations weigh as
// much as the prior (track/survival.h makes a gamma prior of the two figures).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/network_facts.h"

namespace orbwatch::intel::decay {

enum class Kind : std::uint8_t { kAddress, kPrefix, kDomain, kUrl, kCertificate, kFingerprint };
std::string_view name(Kind kind);  // "address", "prefix", "domain", "url", "certificate", "fingerprint"

struct HalfLife {
  double days = 31;         // > 0
  double worth_deaths = 3;  // >= 0
  std::string_view source;  // of a prior: who measured it; literals
};

// What is known before anything was observed. For addresses and prefixes by kind of network, for others by kind alone.
HalfLife prior_half_life(Kind kind, core::NetworkType type);

// Half-lives that were learned or configured. Filled first, then read by any number of threads.
class HalfLives {
 public:
  static constexpr std::size_t kMost = 16'384;

  // A feed of "" means every feed, a type of kUnknown every kind of network. False: `half_life` is out of range, or the
  // table is full; it is then unchanged.
  bool set(std::string_view feed, Kind kind, core::NetworkType type, const HalfLife& half_life);
  // The first that is there of: (feed, kind, type), (feed, kind, any), (any, kind, type), (any, kind, any), the prior.
  HalfLife of(std::string_view feed, Kind kind, core::NetworkType type) const;
  // The same without the prior.
  std::optional<HalfLife> find(std::string_view feed, Kind kind, core::NetworkType type) const;
  std::size_t size() const { return table_.size(); }

 private:
  static std::string key(std::string_view feed, Kind kind, core::NetworkType type);
  absl::flat_hash_map<std::string, HalfLife> table_;
};

}  // namespace orbwatch::intel::decay
