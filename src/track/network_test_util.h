// Simulated networks whose truth is known, and how often intervals hold it.
#pragma once

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <numeric>
#include <string_view>
#include <vector>

#include "track/size_estimate.h"

namespace orbwatch::track::test {

inline Captures table(std::size_t windows) {
  std::vector<double> days(windows);
  std::iota(days.begin(), days.end(), 0.0);
  return *Captures::make(days);
}

// Births in continuous time, deaths at a constant rate, one look a day. In balance, or with `growth` times as many
// births as deaths at the beginning.
struct World {
  double half_life = 31;  // days
  double nodes = 200;     // mean at the beginning
  std::size_t windows = 30;
  double p = 0.1;
  double growth = 1;
  // What breaks the model:
  double differences = 0;       // standard deviation of logit(p) between nodes
  bool bursts = false;          // births come in batches of 20
  bool quiet_weekends = false;  // two windows in seven show a third
  double shape = 1;             // of the Weibull distribution of lives; 1: constant rate of death
};

struct Seen {
  Captures captures;
  std::vector<std::vector<std::uint32_t>> nodes;  // windows of each
  double now = 0;                                 // truth: alive in the last window
  double ever = 0;                                // in any
};

inline Seen look(const World& world, std::uint64_t seed) {
  boost::random::mt19937_64 random(seed * 7919);
  boost::random::uniform_01<double> uniform;
  boost::random::normal_distribution<double> normal;
  boost::random::exponential_distribution<double> exponential;
  const double rate = std::numbers::ln2 / world.half_life, last = static_cast<double>(world.windows) - 1;
  const double scale = world.half_life / std::pow(std::numbers::ln2, 1 / world.shape);
  const double logit = std::log(world.p / (1 - world.p));
  Seen out{table(world.windows), {}};
  const auto node = [&](double born) {
    const double dies = born + scale * std::pow(exponential(random), 1 / world.shape);
    const double p = 1 / (1 + std::exp(-logit - world.differences * normal(random)));
    std::vector<std::uint32_t> seen;
    for (std::uint32_t w = 0; w < world.windows; ++w) {
      const double shown = world.quiet_weekends && w % 7 >= 5 ? p / 3 : p;
      if (born <= w && w < dies && uniform(random) < shown) seen.push_back(w);
    }
    if (std::ceil(std::max(born, 0.0)) < dies && born <= last) ++out.ever;
    if (dies > last) ++out.now;
    if (seen.empty()) return;
    out.captures.add(seen);
    out.nodes.push_back(std::move(seen));
  };
  const auto count = [&](double mean) { return boost::random::poisson_distribution<int>(mean)(random); };
  // Begun five half-lives before, so that ages are as they are in balance.
  const double before = world.shape == 1 ? 0 : 5 * world.half_life;
  if (before == 0) {
    for (int i = count(world.nodes); i > 0; --i) node(0);
  }
  const double births = world.nodes * rate * world.growth * (last + before);
  for (int i = count(world.bursts ? births / 20 : births); i > 0; --i) {
    const double born = uniform(random) * (last + before) - before;
    for (int k = world.bursts ? 20 : 1; k > 0; --k) node(born);
  }
  return out;
}

struct Coverage {
  double now = 0, ever = 0, half_life = 0, chao2 = 0;  // share of seeds whose 90 % interval holds the truth
  double bias = 0;                                     // mean of log(estimate / truth)
  double spread = 0;                                   // median of high / low
  double near_half_life = 0;                           // share with the half-life within 20 %
  double named = 0;                                    // share with an assumption called violated
};

inline Coverage coverage(const World& world, std::string_view what, std::uint64_t seeds = 40) {
  Coverage out;
  std::vector<double> spreads;
  const double share = 1 / static_cast<double>(seeds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Seen seen = look(world, seed);
    const auto size = estimate_size(seen.captures);
    if (!size || !size->open) continue;  // counts as not held
    out.now += size->nodes.covers(seen.now) ? share : 0;
    out.ever += size->open->ever.covers(seen.ever) ? share : 0;
    out.half_life += size->open->half_life.covers(world.half_life) ? share : 0;
    out.near_half_life += std::abs(size->open->half_life.value / world.half_life - 1) <= 0.2 ? share : 0;
    out.chao2 += size->by_chao2->covers(seen.now) ? share : 0;
    out.bias += share * std::log(std::max(size->nodes.value, 0.5) / std::max(seen.now, 0.5));
    out.named += size->violated.empty() ? 0 : share;
    spreads.push_back(size->nodes.high / std::max(size->nodes.low, 0.5));
  }
  std::ranges::sort(spreads);
  if (!spreads.empty()) out.spread = spreads[spreads.size() / 2];
  std::printf(
      "%-16.*s half-life %2.0f, %4.0f nodes, %2zu days, p %.2f | now %.2f ever %.2f half-life %.2f chao2 %.2f | bias "
      "%+.2f high/low %5.1f near half-life %.2f named %.2f\n",
      static_cast<int>(what.size()), what.data(), world.half_life, world.nodes, world.windows, world.p, out.now,
      out.ever, out.half_life, out.chao2, out.bias, out.spread, out.near_half_life, out.named);
  return out;
}

}  // namespace orbwatch::track::test
