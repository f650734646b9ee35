// Who was seen when: the table from which the size of a network is estimated. A window (an occasion, in the words of
// capture and recapture) is a span of looking, mostly a day; a node is seen in it or not, how often does not matter.
//
// Nodes that were first and last seen in the same windows and equally often are one entry: the table's size is that of
// the windows, and at most one entry for each node added. One writer.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/error.h"

namespace orbwatch::track {

class Captures {
 public:
  static constexpr std::size_t kMostWindows = 1000;

  // One window: how many nodes were ...
  struct Window {
    double day = 0;                                       // its middle; windows are ascending
    std::uint64_t seen = 0;                               // n
    std::uint64_t first = 0;                              // u: ... seen for the first time
    std::uint64_t last = 0;                               // ... seen for the last time, those of one sighting included
    std::uint64_t between = 0;                            // z: ... not seen, but before and after
    std::uint64_t inner = 0;                              // ... seen, and before and after, too
    std::uint64_t again() const { return seen - first; }  // m: ... seen before, too
    std::uint64_t later() const { return seen - last; }   // r: ... seen later, too
  };

  struct History {
    std::uint32_t first = 0;  // windows
    std::uint32_t last = 0;
    std::uint32_t sightings = 0;
    std::uint64_t nodes = 0;  // of this kind
  };

  // Days of the windows, ascending by at least 1e-3. An error: none, too many, not ascending, not finite.
  static core::Expected<Captures> make(std::span<const double> days);
  // The windows in which one node was seen, ascending, each once. Of another order, outside the table or empty: false,
  // nothing is added.
  bool add(std::span<const std::uint32_t> windows);

  std::span<const Window> windows() const { return windows_; }
  std::uint64_t nodes() const { return nodes_; }          // seen at least once
  std::uint64_t sightings() const { return sightings_; }  // nodes times windows
  std::uint64_t seen_in(std::size_t windows) const;       // nodes seen in just so many windows: f1, f2, ...
  std::vector<History> histories() const;                 // ascending by first, last, sightings
  double days() const { return windows_.back().day - windows_.front().day; }

  // Between its first and its last sighting a node is there for certain: under equal catchability each window between
  // shows it with the same probability p. P-values against that, 1 where too little is known to test it.
  // Between nodes: are some seen more readily than others? The sum over nodes of (seen - n p)^2 / (n p (1 - p)), n
  // windows between, against its exact mean and variance (normal). Between windows: do some show more? Chi-squared.
  double nodes_alike() const;
  double windows_alike() const;

 private:
  std::vector<Window> windows_;
  std::vector<std::uint64_t> frequencies_;                       // [k - 1]
  absl::flat_hash_map<std::uint32_t, std::uint64_t> histories_;  // first, last, sightings in 10 bits each -> nodes
  std::uint64_t nodes_ = 0;
  std::uint64_t sightings_ = 0;
  // Over nodes with n > 0 windows between their first and last, s of them with sightings: their number, and the sums of
  // n, 1 / n, s, s^2 / n.
  double inner_nodes_ = 0, inner_windows_ = 0, inner_inverse_ = 0, inner_seen_ = 0, inner_squares_ = 0;
};

}  // namespace orbwatch::track
