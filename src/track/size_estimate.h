// How many nodes a network has when only some are seen: the closed-form estimators, and the rule that says which
// estimate holds for the sightings at hand. open_population.h is the one for networks whose nodes come and go, which is
// the usual case.
//
// Intervals of the closed models are log-normal in what was not seen (Chao 1987), so that the lower end is never below
// the nodes seen. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "track/captures.h"
#include "track/estimate.h"
#include "track/open_population.h"

namespace orbwatch::track {

// Two windows of a closed population: (n1 + 1)(n2 + 1) / (m + 1) - 1 with its variance (Chapman 1951; Seber 1970).
// An error: more nodes seen again than in either window; nothing seen.
core::Expected<Estimate> chapman(std::uint64_t first, std::uint64_t second, std::uint64_t again, double level = kLevel);

// A lower bound from how many nodes were seen just once (f1) and just twice (f2): seen + f1 (f1 - 1) / (2 (f2 + 1)),
// the bias-corrected form (Chao 1984, 2005), with its variance. `seen` counts all nodes; f1 + f2 <= seen, else an
// error.
core::Expected<Estimate> chao1(std::uint64_t seen, std::uint64_t once, std::uint64_t twice, double level = kLevel);

// The same of windows (Chao 1987): once and twice count windows, and the term has the factor (T - 1) / T. One window:
// an error.
core::Expected<Estimate> chao2(const Captures& captures, double level = kLevel);

// Jolly and Seber's estimates for each window by itself, in the form that corrects for small samples (Seber 1982, p.
// 204; Pollock et al. 1990, equations 4.6 to 4.14), with their standard errors. For many sightings: a figure that needs
// nodes seen again later is absent where there are none.
struct JollySeber {
  std::optional<double> marked, marked_error;      // nodes seen before that are alive
  std::optional<double> size, size_error;          // nodes alive
  std::optional<double> survival, survival_error;  // share that lives to the next window; can come out above 1
  std::optional<double> births;                    // new and alive in the next window; can come out below 0
};
std::vector<JollySeber> jolly_seber(const Captures& captures);
// The counts of textbooks; `released` differs from `seen` where animals died in the trap.
struct JollyCounts {
  double seen = 0, again = 0, released = 0, later = 0, between = 0;
};
std::vector<JollySeber> jolly_seber(const std::vector<JollyCounts>& windows);

enum class SizeMethod : std::uint8_t { kSeenOnly, kChapman, kChao2, kOpenPopulation };
std::string_view name(SizeMethod method);  // "seen", "chapman", "chao2", "open population"

// What the estimate rests on and the data speak against.
enum class Assumption : std::uint8_t {
  kClosed,      // no births and deaths while it was looked at
  kNodesAlike,  // each node is seen as readily as any other: closed models then give a lower bound, the open one models
                // it
  kWindowsAlike,     // each window shows as much as any other
  kSteadyBirths,     // new nodes come at a constant rate, not in bursts
  kEnoughSightings,  // at least 10 nodes seen again; otherwise the priors decide
  kSampled,          // the interval was drawn from enough draws
};
std::string_view says(Assumption assumption);  // what its violation means, for people

struct SizeEstimate {
  SizeMethod method = SizeMethod::kSeenOnly;
  Estimate nodes;                    // alive in the last window; of kSeenOnly a lower bound: low = value, high infinite
  std::vector<Assumption> violated;  // of `method`
  // All that could be computed, for who wants to compare. Of closed models under churn: they count the dead with the
  // living, and come out too high.
  std::optional<Estimate> by_chapman, by_chao2;
  std::optional<OpenPopulation> open;
};

// A closed model holds while this share of the nodes at most is expected to be replaced between first and last window,
// and while that is little beside its own uncertainty (a quarter of half its interval): 2 % too many are far outside
// the interval of a network of 2,000 nodes that is seen well.
constexpr double kClosedLoss = 0.02;

// The rule. One window: what was seen, a lower bound. Where the expected loss 1 - 2^(-days / half-life), by the
// half-life of the open model (of the prior, where there are two windows only), lets a closed model hold: Chao2, of two
// windows Chapman. Else the open model; with two windows Chapman, kClosed violated. An error: no node was seen, prior
// or level out of range.
core::Expected<SizeEstimate> estimate_size(const Captures& captures, const OpenPrior& prior = {}, double level = kLevel,
                                           std::uint64_t seed = 1);

}  // namespace orbwatch::track
