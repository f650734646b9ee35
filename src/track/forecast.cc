#include "track/forecast.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/negative_binomial.hpp>
#include <cmath>
#include <string>

namespace orbwatch::track {
namespace {

bool inside(double level) { return level > 0 && level < 1; }

// The least count at which the distribution reaches `share`.
double count_at(const boost::math::negative_binomial& distribution, double share) {
  double count = std::floor(boost::math::quantile(distribution, share));
  while (count > 0 && boost::math::cdf(distribution, count - 1) >= share) --count;
  while (boost::math::cdf(distribution, count) < share) ++count;
  return count;
}

}  // namespace

core::Expected<BirthForecast> forecast_births(std::span<const std::uint32_t> births_by_day, double level) {
  if (births_by_day.empty() || births_by_day.size() > 10'000) {
    return core::fail("number of days", std::to_string(births_by_day.size()), "1 to 10000");
  }
  if (!inside(level)) return core::fail("level of an interval", std::to_string(level), "between 0 and 1");
  const double days = static_cast<double>(births_by_day.size());
  double births = 0;
  for (const std::uint32_t count : births_by_day) births += count;
  const double mean = births / days;
  BirthForecast out;
  out.expected = (births + 0.5) / days;
  if (days >= 2 && mean > 0) {
    double statistic = 0;
    for (const std::uint32_t count : births_by_day) statistic += (count - mean) * (count - mean) / mean;
    out.dispersion = std::max(1.0, statistic / (days - 1));
  }
  // A day varies by dispersion * expected, the rate is known to dispersion * expected / days.
  const double variance = out.dispersion * out.expected * (1 + 1 / days);
  const double share = out.expected / variance;  // below 1: 1 + 1 / days is above
  const boost::math::negative_binomial distribution(out.expected * share / (1 - share), share);
  out.low = count_at(distribution, (1 - level) / 2);
  out.high = count_at(distribution, (1 + level) / 2);
  return out;
}

core::Expected<std::vector<ProviderShare>> likely_providers(std::span<const double> counts,
                                                            std::span<const double> population, std::size_t most,
                                                            double strength, double level) {
  if (counts.empty() || (!population.empty() && population.size() != counts.size())) {
    return core::fail("number of providers", std::to_string(counts.size()) + ", " + std::to_string(population.size()),
                      "some, and one share each");
  }
  if (!inside(level)) return core::fail("level of an interval", std::to_string(level), "between 0 and 1");
  if (!(strength > 0) || !std::isfinite(strength)) {
    return core::fail("strength of the population's shares", std::to_string(strength), "nodes, above 0");
  }
  double total = strength, shares = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double share = population.empty() ? 1 : population[i];
    if (!(counts[i] >= 0 && std::isfinite(counts[i]) && share >= 0 && std::isfinite(share))) {
      return core::fail("nodes and share of a provider", std::to_string(counts[i]) + ", " + std::to_string(share),
                        "0 or more");
    }
    total += counts[i];
    shares += share;
  }
  if (!(shares > 0)) return core::fail("shares of the population", "all 0", "some above");
  std::vector<ProviderShare> out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double weight = counts[i] + strength * (population.empty() ? 1 : population[i]) / shares;
    if (!(weight > 0)) continue;
    ProviderShare provider{i, {weight / total, weight / total, weight / total}};
    if (total - weight > 1e-12 * total) {
      const boost::math::beta_distribution<double> marginal(weight, total - weight);
      provider.share.low = quantile(marginal, (1 - level) / 2);
      provider.share.high = quantile(marginal, (1 + level) / 2);
    }
    out.push_back(provider);
  }
  std::ranges::stable_sort(
      out, [](const ProviderShare& a, const ProviderShare& b) { return a.share.value > b.share.value; });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace orbwatch::track
