// What a network is likely to do tomorrow: how many new nodes, and from which providers. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/error.h"
#include "track/estimate.h"

namespace orbwatch::track {

struct BirthForecast {
  double expected = 0;  // new nodes on one further day
  double low = 0;       // whole numbers: the least and most within the level
  double high = 0;
  double dispersion = 1;  // variance over mean of the days; 1: independent births, more: they come in bursts
};

// The rate has a gamma posterior from Jeffreys' prior: shape births + 1/2 over the number of days. Independent births
// then make the next day's number negative binomial (Gelman et al., "Bayesian data analysis", section 2.6). Where the
// days vary more than independent births would (dispersion by Pearson's statistic, at least 1), variance and worth of
// the days are scaled by that (quasi-Poisson; McCullagh and Nelder 1989, section 6.2.3), and the negative binomial of
// this mean and variance is taken. Days are new nodes *seen*, and so is the forecast. Of days of different
// catchability, or a network that grows, take the recent ones. An error: no days, more than 10,000, a level outside
// 0..1.
core::Expected<BirthForecast> forecast_births(std::span<const std::uint32_t> births_by_day, double level = kLevel);

struct ProviderShare {
  std::size_t provider = 0;  // index into what was given
  Estimate share;            // of new nodes, 0..1
};

// The probable providers of the next node, most probable first, at most `most`. Counts of new nodes by provider,
// smoothed towards `population`, the shares that providers have among all networks of that kind (sum 1, one each;
// empty: equal): Dirichlet of `strength` nodes. Intervals are of its beta marginals. A provider of no nodes and no
// population is left out. An error: no providers, counts or shares that are negative or no numbers, other lengths,
// strength not above 0.
core::Expected<std::vector<ProviderShare>> likely_providers(std::span<const double> counts,
                                                            std::span<const double> population, std::size_t most,
                                                            double strength = 20, double level = kLevel);

}  // namespace orbwatch::track
