// How long the nodes of covert networks live, pooled over all networks that are tracked, by the kind of network that a
// node stands in. What survival.h learns a half-life from; networks.h makes them (NetworkTracker::lives).
//
// A node's life runs from its first sighting to its last. Whether it is over can only be told by silence, so that the
// last days say nothing: a node that died yesterday looks like one that pauses. Networks that have had an address in
// common are parts of one whole, and each whole is looked at as of a horizon before its last sighting, as far back as a
// silence must be to mean death: five of its nodes' mean pauses (by days on which they were seen), three days at least,
// and at most the time after which the tracker gives an address up. Each owner of an address is one life, in however
// many networks he was. Who was seen behind the horizon was alive at it (censored); who was not died with his last
// sighting. That is too early by as much as the first sighting came too late: at a constant rate of death what is left
// of a life is the same from any age on. Nodes are placed in a network within two days, and who dies before is not
// there: a life counts from the age of two days on (left truncation), as in a network's own report; where a network has
// forgotten past nodes, from the moment of the oldest that it still has.
//
// Networks of a confidence below kLeastConfidence teach nothing; of one without active nodes it is that of those that
// are gone.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/network_facts.h"
#include "track/survival.h"

namespace orbwatch::track {

// When a node counts as placed, silent and gone: one rule for a network's own report and for what all teach together.
struct NodeRules {
  static constexpr int kPlacedDays = 2;       // within which nearly all that live are placed in a network
  static constexpr double kLeastSilence = 3;  // days
  static constexpr double kPauses = 5;
  static constexpr int kSilentHalfLives = 2;  // then its address may have another owner, and is given up
  // Of a node with this mean pause: how many days without it mean that it is gone.
  static constexpr double silence(double pause_days) { return std::max(kLeastSilence, kPauses * pause_days); }
};

struct NodeLives {
  static constexpr double kLeastConfidence = 0.5;  // score::Network::confidence
  // Of one kind of network; what is beyond it is left out, the least confident networks' first.
  static constexpr std::size_t kMostOfKind = 50'000;

  std::array<std::vector<ObservedLife>, core::kNetworkTypes> by_type;  // days; by core::NetworkType, sorted
  std::size_t networks = 0;                                            // that they are of
  std::size_t left_out = 0;                                            // lives beyond kMostOfKind
};

}  // namespace orbwatch::track
