#include "track/size_estimate.h"

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <string>

namespace orbwatch::track {
namespace {

constexpr double kUnlikely = 0.01;  // p-value below which an assumption is called violated
constexpr double kEnoughAgain = 10;

core::Expected<double> two_sided(double level) {
  if (!(level > 0 && level < 1)) return core::fail("level of an interval", std::to_string(level), "between 0 and 1");
  return boost::math::quantile(boost::math::normal(), (1 + level) / 2);
}

// Log-normal in what was not seen.
Estimate with_interval(double seen, double total, double variance, double z) {
  const double unseen = total - seen;
  if (!(unseen > 0) || !(variance > 0)) return {total, total, total};
  const double factor = std::exp(z * std::sqrt(std::log1p(variance / (unseen * unseen))));
  return {total, seen + unseen / factor, seen + unseen * factor};
}

Estimate chao(double seen, double f1, double f2, double share, double z) {
  const double f0 = share * f1 * (f1 - 1) / (2 * (f2 + 1));
  const double a = share * f1 * (f1 - 1) / (2 * (f2 + 1));
  const double b = share * share * f1 * (2 * f1 - 1) * (2 * f1 - 1) / (4 * (f2 + 1) * (f2 + 1));
  const double c = share * share * f1 * f1 * f2 * (f1 - 1) * (f1 - 1) / (4 * std::pow(f2 + 1, 4));
  double variance = a + b + c;
  // Without doubletons the variance is another (Chao 1987; EstimateS, appendix B).
  if (f2 == 0 && f0 > 0) {
    variance =
        a + share * share * f1 * (2 * f1 - 1) * (2 * f1 - 1) / 4 - share * share * std::pow(f1, 4) / (4 * (seen + f0));
  }
  return with_interval(seen, seen + f0, variance, z);
}

}  // namespace

core::Expected<Estimate> chapman(std::uint64_t first, std::uint64_t second, std::uint64_t again, double level) {
  const auto z = two_sided(level);
  if (!z) return std::unexpected(z.error());
  if (again > first || again > second || (first == 0 && second == 0)) {
    return core::fail("nodes seen in two windows",
                      std::to_string(first) + ", " + std::to_string(second) + ", both " + std::to_string(again),
                      "some, and no more in both than in each");
  }
  const double n1 = static_cast<double>(first), n2 = static_cast<double>(second), m = static_cast<double>(again);
  const double total = (n1 + 1) * (n2 + 1) / (m + 1) - 1;
  const double variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) * (m + 1) * (m + 2));
  return with_interval(n1 + n2 - m, std::max(total, n1 + n2 - m), variance, *z);
}

core::Expected<Estimate> chao1(std::uint64_t seen, std::uint64_t once, std::uint64_t twice, double level) {
  const auto z = two_sided(level);
  if (!z) return std::unexpected(z.error());
  if (seen == 0) return core::fail("no node was seen");
  if (once > seen || twice > seen - once) {
    return core::fail("nodes seen once and twice", std::to_string(once) + ", " + std::to_string(twice),
                      "no more than " + std::to_string(seen));
  }
  return chao(static_cast<double>(seen), static_cast<double>(once), static_cast<double>(twice), 1, *z);
}

core::Expected<Estimate> chao2(const Captures& captures, double level) {
  const auto z = two_sided(level);
  if (!z) return std::unexpected(z.error());
  if (captures.nodes() == 0) return core::fail("no node was seen");
  const double windows = static_cast<double>(captures.windows().size());
  if (windows < 2) return core::fail("too few windows to see a node twice", "1", "2 or more");
  return chao(static_cast<double>(captures.nodes()), static_cast<double>(captures.seen_in(1)),
              static_cast<double>(captures.seen_in(2)), (windows - 1) / windows, *z);
}

std::vector<JollySeber> jolly_seber(const std::vector<JollyCounts>& windows) {
  std::vector<JollySeber> out(windows.size());
  // Of the first window nothing was seen before, of the last nothing can be seen later.
  for (std::size_t i = 1; i + 1 < windows.size(); ++i) {
    const JollyCounts& w = windows[i];
    const double marked = w.again + (w.released + 1) * w.between / (w.later + 1);
    if (w.later == 0 || w.again == 0 || w.released == 0) continue;
    const double missed = 1 / w.later - 1 / w.released;
    const double size = std::max((w.seen + 1) * marked / (w.again + 1), w.seen);
    out[i].marked = marked;
    out[i].marked_error = std::sqrt((marked - w.again) * (marked - w.again + w.released) * missed);
    out[i].size = size;
    out[i].size_error = std::sqrt(
        size * (size - w.seen) *
        ((marked - w.again + w.released) / marked * missed + std::max(0.0, size - marked) / (size * w.again)));
  }
  for (std::size_t i = 0; i + 2 < windows.size(); ++i) {
    const JollyCounts &w = windows[i], &next = windows[i + 1];
    const double marked = i == 0 ? 0 : out[i].marked.value_or(std::numeric_limits<double>::quiet_NaN());
    const double here = marked - w.again + w.released;  // marked and alive after this window
    if (!out[i + 1].marked || !(here > 0) || w.later == 0) continue;
    const double then = *out[i + 1].marked, survival = then / here;
    const double unseen = (then - next.again) * (then - next.again + next.released) / (then * then) *
                          (1 / next.later - 1 / next.released);
    const double before = (marked - w.again) / here * (1 / w.later - 1 / w.released);
    out[i].survival = survival;
    out[i].survival_error = std::sqrt(std::max(0.0, survival * survival * (unseen + before + (1 - survival) / then)));
    if (i > 0 && out[i].size) {
      out[i].births = *out[i + 1].size - survival * (*out[i].size - w.seen + w.released);
    }
  }
  return out;
}

std::vector<JollySeber> jolly_seber(const Captures& captures) {
  std::vector<JollyCounts> counts;
  for (const Captures::Window& w : captures.windows()) {
    const double seen = static_cast<double>(w.seen);
    counts.push_back(
        {seen, static_cast<double>(w.again()), seen, static_cast<double>(w.later()), static_cast<double>(w.between)});
  }
  return jolly_seber(counts);
}

std::string_view name(SizeMethod method) {
  switch (method) {
    case SizeMethod::kSeenOnly: return "seen";
    case SizeMethod::kChapman: return "chapman";
    case SizeMethod::kChao2: return "chao2";
    case SizeMethod::kOpenPopulation: return "open population";
  }
  return "";
}

std::string_view says(Assumption assumption) {
  switch (assumption) {
    case Assumption::kClosed:
      return "nodes came and went while it was looked at: the dead are counted with the living, too high";
    case Assumption::kNodesAlike:
      return "some nodes are seen more readily than others: how many are hardly ever seen is a guess, by closed models "
             "too few";
    case Assumption::kWindowsAlike: return "some days show more nodes than others: the interval is too narrow";
    case Assumption::kSteadyBirths:
      return "new nodes come in bursts: the interval is too narrow, births a day are a mean";
    case Assumption::kEnoughSightings: return "few nodes were seen again: what is assumed of such networks decides";
    case Assumption::kSampled: return "the interval is rough";
  }
  return "";
}

core::Expected<SizeEstimate> estimate_size(const Captures& captures, const OpenPrior& prior, double level,
                                           std::uint64_t seed) {
  const auto z = two_sided(level);
  if (!z) return std::unexpected(z.error());
  if (captures.nodes() == 0) return core::fail("no node was seen");
  if (auto right = check(prior); !right) return std::unexpected(right.error());
  const std::size_t windows = captures.windows().size();
  const double seen = static_cast<double>(captures.nodes());
  SizeEstimate out;
  out.nodes = {seen, seen, std::numeric_limits<double>::infinity()};
  if (windows == 1) {
    out.violated.push_back(Assumption::kEnoughSightings);
    return out;
  }
  double half_life = prior.half_life_days;
  if (windows == 2) {
    const auto estimate =
        chapman(captures.windows()[0].seen, captures.windows()[1].seen, captures.windows()[1].again(), level);
    if (!estimate) return std::unexpected(estimate.error());
    out.by_chapman = *estimate;
  } else {
    const auto closed = chao2(captures, level);
    if (!closed) return std::unexpected(closed.error());
    out.by_chao2 = *closed;
    const auto open = open_population(captures, prior, level, seed);
    if (!open) return std::unexpected(open.error());
    out.open = *open;
    half_life = open->half_life.value;
  }
  const double loss = 1 - std::exp2(-captures.days() / half_life);
  const Estimate& all = windows == 2 ? *out.by_chapman : *out.by_chao2;
  const bool closed = loss <= kClosedLoss && loss * all.value < (all.high - all.low) / 8;
  if (windows == 2) {
    out.method = SizeMethod::kChapman;
    out.nodes = *out.by_chapman;
    if (!closed) out.violated.push_back(Assumption::kClosed);
  } else if (closed) {
    out.method = SizeMethod::kChao2;
    out.nodes = *out.by_chao2;
  } else {
    out.method = SizeMethod::kOpenPopulation;
    out.nodes = out.open->now;
    if (out.open->births_fit < kUnlikely) out.violated.push_back(Assumption::kSteadyBirths);
    if (out.open->draws < kEnoughDraws) out.violated.push_back(Assumption::kSampled);
  }
  if (captures.nodes_alike() < kUnlikely) out.violated.push_back(Assumption::kNodesAlike);
  if (captures.windows_alike() < kUnlikely) out.violated.push_back(Assumption::kWindowsAlike);
  double again = 0;
  for (const Captures::Window& w : captures.windows()) again += static_cast<double>(w.again());
  if (again < kEnoughAgain) out.violated.push_back(Assumption::kEnoughSightings);
  return out;
}

}  // namespace orbwatch::track
