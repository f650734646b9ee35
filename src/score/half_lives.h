// What a person reads of how fast indicators die here: how long the nodes of covert networks live, by kind of network,
// as it was known before and as it was learned. Filled by pipeline/learned_half_lives.h; its JSON (to_json) is the
// stable contract of `orbwatch networks half-lives --json` and the report.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/network_facts.h"
#include "score/network.h"

namespace orbwatch::score {

struct NodeHalfLife {
  core::NetworkType type = core::NetworkType::kUnknown;
  double prior_days = 0;  // half-life
  std::string prior_source;
  std::size_t lives = 0;  // observed, of them over:
  std::size_t deaths = 0;
  std::optional<Bounds> learned_days;  // absent: too few deaths
  bool cut = false;                    // it lay outside of what is believed of such nodes and was brought to the edge
  double worth_deaths = 0;             // of what is in use
  double days = 0;                     // in use: the learned one, else the prior
  // Of an address for which a feed states no confidence: the age at which it is believed less than `threshold`.
  double falls_below_days = 0;
  double threshold = 0;  // 0..1
};

// One line, no newline; absent means unknown.
std::string to_json(const NodeHalfLife& half_life);

}  // namespace orbwatch::score
