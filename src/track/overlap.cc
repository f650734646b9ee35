#include "track/overlap.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <numbers>
#include <string>
#include <unordered_map>

namespace orbwatch::track {
namespace {

// ln of n (n - 1) ... (n - k + 1). The difference of two gamma functions loses all digits where n is large; Stirling's
// series is then exact, and its differences are taken before they are small.
double log_falling(double n, double k) {
  constexpr double kLarge = 1e6;
  if (n - k < kLarge) return boost::math::lgamma(n + 1) - boost::math::lgamma(n - k + 1);
  return k * std::log(n) - k - (n - k + 0.5) * std::log1p(-k / n) + (1 / n - 1 / (n - k)) / 12;
}

// Of x common nodes: C(a, x) C(n - a, b - x) / C(n, b).
double log_chance(double n, double a, double b, double x) {
  return log_falling(a, x) + log_falling(b, x) - boost::math::lgamma(x + 1) + log_falling(n - a, b - x) -
         log_falling(n, b);
}

}  // namespace

core::Expected<Overlap> overlap(std::uint64_t first, std::uint64_t second, std::uint64_t common,
                                std::uint64_t population) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 53;  // whole numbers of a double
  if (population == 0 || population > kMost || first > population || second > population || common > first ||
      common > second || first - common > population - second) {
    return core::fail("sets of nodes",
                      std::to_string(first) + " and " + std::to_string(second) + ", " + std::to_string(common) +
                          " common, of " + std::to_string(population),
                      "sets within their population");
  }
  const double a = static_cast<double>(first), b = static_cast<double>(second), k = static_cast<double>(common),
               n = static_cast<double>(population);
  Overlap out;
  out.common = common;
  out.jaccard = a + b > 0 ? k / (a + b - k) : 0;
  out.expected = a * b / n;
  if (common == 0) return out;
  // The terms from `common` on, relative to the first: each follows from the one before.
  const double most = std::min(a, b);
  const double least = std::max(0.0, a + b - n);
  if (k <= least) return out;
  const auto ratio = [&](double x) { return (a - x) * (b - x) / ((x + 1) * (n - a - b + x + 1)); };
  const double mode = (a + 1) * (b + 1) / (n + 2);
  if (k > mode) {
    double sum = 1, term = 1;
    for (double x = k; x < most && term > 1e-17 * sum; ++x) sum += term *= ratio(x);
    out.log10_p = std::min(0.0, (log_chance(n, a, b, k) + std::log(sum)) / std::numbers::ln10);
  } else {
    // Not above what chance gives: one minus the terms below, which fall from `common` - 1 downwards.
    double sum = 1, term = 1;
    for (double x = k - 1; x > least && term > 1e-17 * sum; --x) sum += term /= ratio(x - 1);
    out.log10_p = std::log1p(-std::min(1.0, std::exp(log_chance(n, a, b, k - 1)) * sum)) / std::numbers::ln10;
  }
  return out;
}

Handover handover(std::span<const Use> first, std::span<const Use> second, double slack) {
  std::unordered_map<std::uint64_t, const Use*> uses;
  for (const Use& use : first) uses.try_emplace(use.node, &use);
  Handover out;
  std::vector<double> gaps;
  for (const Use& use : second) {
    const auto other = uses.find(use.node);
    if (other == uses.end()) continue;
    const double onward = use.first - other->second->last, back = other->second->first - use.last;
    uses.erase(other);
    ++out.common;
    if (onward <= slack && back <= slack) {
      ++out.together;
    } else if (onward > slack) {
      ++out.onward;
      gaps.push_back(onward);
    } else {
      ++out.back;
      gaps.push_back(back);
    }
  }
  if (!gaps.empty()) {
    std::ranges::sort(gaps);
    out.median_gap = (gaps[(gaps.size() - 1) / 2] + gaps[gaps.size() / 2]) / 2;
  }
  return out;
}

core::Expected<MixDeviation> mix_deviation(std::span<const double> counts, std::span<const double> population,
                                           std::size_t most) {
  if (counts.empty() || counts.size() != population.size()) {
    return core::fail("number of categories", std::to_string(counts.size()) + ", " + std::to_string(population.size()),
                      "some, and one share each");
  }
  double nodes = 0, weight = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!(counts[i] >= 0 && std::isfinite(counts[i]) && population[i] >= 0 && std::isfinite(population[i]))) {
      return core::fail("nodes and share of a category",
                        std::to_string(counts[i]) + ", " + std::to_string(population[i]), "0 or more");
    }
    nodes += counts[i];
    weight += population[i];
  }
  if (!(nodes > 0 && weight > 0 && std::isfinite(nodes) && std::isfinite(weight))) {
    return core::fail("no nodes, or no population, to compare", std::to_string(nodes) + ", " + std::to_string(weight));
  }
  const double categories = static_cast<double>(counts.size());
  constexpr double kHalf = 0.5;
  MixDeviation out;
  double rest_observed = 0, rest_expected = 0;
  const auto add = [&](double observed, double expected) {
    if (observed > 0) out.g += 2 * observed * std::log(observed / expected);
    ++out.categories;
  };
  std::vector<double> residuals(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double pure = population[i] / weight;
    // Only a category that the population lacks needs smoothing to be comparable; where it is small it moves nothing.
    const double share = pure > 0 ? pure : kHalf / (nodes + kHalf * categories);
    const double expected = nodes * share;
    const double smoothed = (counts[i] + kHalf) / (nodes + kHalf * categories);
    const double smoothed_share = (nodes * pure + kHalf) / (nodes + kHalf * categories);
    out.bits += smoothed * std::log2(smoothed / smoothed_share);
    if (expected >= 5) {
      add(counts[i], expected);
    } else {
      rest_observed += counts[i];
      rest_expected += expected;
    }
    residuals[i] = (counts[i] - expected) / std::sqrt(expected * std::max(1 - share, 1e-9));
    const double part = counts[i] > 0 ? 2 * counts[i] * std::log(counts[i] / expected) : 0;
    if (counts[i] == 0 && pure == 0) continue;
    out.strongest.push_back({i, counts[i], expected, smoothed / smoothed_share, part});
  }
  if (rest_expected > 0) add(rest_observed, rest_expected);
  out.g = std::max(0.0, out.g);
  out.bits = std::max(0.0, out.bits);
  if (out.categories > 1) {
    const double degrees = static_cast<double>(out.categories) - 1;
    out.p_value = boost::math::cdf(complement(boost::math::chi_squared(degrees), out.g));
  }
  std::ranges::stable_sort(out.strongest, [&](const Deviation& a, const Deviation& b) {
    return std::abs(residuals[a.category]) > std::abs(residuals[b.category]);
  });
  if (out.strongest.size() > most) out.strongest.resize(most);
  return out;
}

}  // namespace orbwatch::track
