// `orbwatch evaluate networks`: whether covert networks are told apart, how many innocents are drawn in, and whether
// sizes and half-lives come out right. Two kinds of worlds: sightings (network_world.h), in which two networks are at
// work at once, and whole logs (simulate.h), hunted like any others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "evaluate/network_world.h"
#include "evaluate/simulate.h"
#include "pipeline/hunt.h"

namespace orbwatch::evaluate {

struct SeedsMeasured {
  double mean_rand = 0, least_rand = 1, found = 0, innocents = 0, most_innocents = 0, networks = 0;
  int seeds = 0;
  int right = 0;  // with an index of 0.9 or more
};
// The networks after a world's last sighting; seeds from `first` on.
SeedsMeasured over_seeds(const SightingWorld& world, std::uint64_t first, int seeds);

// Of the largest tracked network of each of the two, at the end of the world.
struct EstimatesMeasured {
  int networks = 0;       // looked for
  int sized = 0;          // with an estimate
  int covered = 0;        // its 90 % interval holds the nodes alive
  double mean_ratio = 0;  // estimate over truth
  int with_half_life = 0;
  int within_fifth = 0;       // half-life within 20 % of the true one
  double median_ratio = 0;    // of the half-lives
  int half_life_covered = 0;  // its interval holds the true one
};
EstimatesMeasured estimates_over_seeds(const SightingWorld& world, std::uint64_t first, int seeds);

// A simulated world's logs, hunted.
struct LogWorldMeasured {
  std::uint64_t seed = 0;
  int variety = 0;
  std::size_t nodes = 0;       // addresses of the covert network in the truth
  std::size_t in_largest = 0;  // of them, in the tracked network that has most of them
  std::size_t in_any = 0;
  std::size_t networks = 0;   // tracked, with active nodes
  std::size_t innocents = 0;  // other addresses in the logs that log in or fail to, or are denied
  std::size_t innocents_drawn_in = 0;
  std::optional<score::Bounds> size;  // of the largest
};
LogWorldMeasured compare_networks(const Truth& truth, const pipeline::HuntResult& result);

struct NetworksEvaluation {
  std::uint64_t first_seed = 101;
  int seeds = 20;  // of sightings, for each difference
  int estimate_seeds = 40;
  std::vector<std::pair<std::string, SeedsMeasured>> apart;  // by what the networks differ in
  SeedsMeasured alone;                                       // one network only: is it one?
  EstimatesMeasured estimates;
  double true_half_life = 0;
  std::vector<LogWorldMeasured> logs;
  std::string command;
};
struct NetworksOptions {
  std::uint64_t first_seed = 101;
  int seeds = 20;
  int estimate_seeds = 40;
  std::vector<std::uint64_t> log_seeds;  // of worlds with logs, each plain and with variety
  SimulateOptions world;
  std::string work_dir;
  std::string command;
};
using NetworksHunter = std::function<core::Expected<pipeline::HuntResult>(const std::string& directory)>;

core::Expected<NetworksEvaluation> evaluate_networks(const NetworksOptions& options, const NetworksHunter& hunt,
                                                     const std::function<void(std::string_view)>& progress);
// docs/network-results.md. No times, hosts or paths: the same worlds give the same bytes.
std::string markdown(const NetworksEvaluation& evaluation);

struct NetworksBar {
  std::string text;
  std::string required;
  std::string measured;
  bool holds = false;
};
std::vector<NetworksBar> bars(const NetworksEvaluation& evaluation);

}  // namespace orbwatch::evaluate
