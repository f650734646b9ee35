// What two networks have in common, and what is special about the mix of one: sets of nodes against chance, uses in
// time, shares of providers, countries and kinds of network against the population's. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/error.h"

namespace orbwatch::track {

struct Overlap {
  std::uint64_t common = 0;
  double jaccard = 0;   // common over all of both, 0..1
  double expected = 0;  // common nodes if both had drawn theirs from the population by chance
  // log10 of the probability of as many common nodes or more by chance (hypergeometric tail; Fisher's exact test, one
  // side). 0: certain. A logarithm, because 10^-400 is usual.
  double log10_p = 0;
};
// `population`: the addresses that could have been in either: the devices of that make on the internet, the addresses
// seen at all. Too large a one makes any common node look significant: name it with the figure. An error: more common
// than either has, more nodes than the population, a population of 0 or above 2^53.
core::Expected<Overlap> overlap(std::uint64_t first, std::uint64_t second, std::uint64_t common,
                                std::uint64_t population);

// From when to when a network used a node, in days.
struct Use {
  std::uint64_t node = 0;  // any identity; each once in a set
  double first = 0;
  double last = 0;  // >= first
};
// Common nodes by how the uses lie in time. A node that both use at once speaks of one network or of shared
// infrastructure, one that passes on of a broker, or of an address that changed hands.
struct Handover {
  std::uint64_t common = 0;    // sum of the following
  std::uint64_t together = 0;  // the uses meet, or lie at most `slack` apart
  std::uint64_t onward = 0;    // the first network's use ended before the second's began
  std::uint64_t back = 0;      // the other way round
  double median_gap = 0;       // days between uses of `onward` and `back`; 0 without any
};
Handover handover(std::span<const Use> first, std::span<const Use> second, double slack = 1);

struct Deviation {
  std::size_t category = 0;  // index into what was given
  double observed = 0;
  double expected = 0;
  double lift = 1;  // share observed over share expected, smoothed
  double g = 0;     // its part of the statistic: 2 observed ln(observed / expected); below 0 where there are fewer
};
struct MixDeviation {
  double g = 0;                // likelihood ratio statistic
  std::size_t categories = 0;  // compared; those expected fewer than 5 times are one
  double p_value = 1;          // chi-squared of categories - 1
  double bits = 0;             // Kullback-Leibler divergence of the smoothed shares from the population's
  std::vector<Deviation> strongest;
};
// Counts of a network's nodes by category beside the population's shares (weights; they need not sum to 1). The G-test
// (Sokal and Rohlf 1995, section 17.2). A category which the population lacks counts as expected half a time:
// surprising, not impossible. Lift and divergence are of shares smoothed by half a node a category. `strongest`: at
// most `most`, both ways, by the standardised residual (observed - expected) / sqrt(expected (1 - share)). An error: no
// categories, other lengths, negative or no numbers, no node, no population.
core::Expected<MixDeviation> mix_deviation(std::span<const double> counts, std::span<const double> population,
                                           std::size_t most = 5);

}  // namespace orbwatch::track
