// How long nodes stay with a network: survival curves, half-lives and their intervals. Times in days.
//
// What an observation is. A node is seen at moments only. A look that would have shown it and does not says that it
// died between its last sighting and that look: an interval. Looks that miss living nodes (chance traffic instead of a
// scan) do not say so; lives cut off at the last sighting are then too short, and open_population.h is the method,
// which separates missing from dying.
//
// Delayed entry (left truncation). A node that was alive before anybody looked is only known from the first sighting
// on; those that died before are not in the data. Its life counts among those at risk from `entry` on, the age at which
// it was first seen. Where the age is unknown, count from the first sighting (entry 0); under a constant rate of death
// that changes nothing, otherwise the curve is that of the life still left.
//
// Pure functions, any thread, results independent of the order of the lives but for rounding. At most kMostLives.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/error.h"
#include "track/estimate.h"

namespace orbwatch::track {

constexpr std::size_t kMostLives = 1'000'000;

// For the Kaplan-Meier curve: observed from `entry` to `exit`, 0 <= entry < exit. died: at `exit`; else it was alive
// then. Of a death known to an interval take its middle.
struct Life {
  double entry = 0;
  double exit = 0;
  bool died = false;
};

struct SurvivalStep {
  double days = 0;
  std::size_t at_risk = 0;  // just before
  std::size_t deaths = 0;
  double survival = 1;        // share alive from here to the next step
  double standard_error = 0;  // of `survival`: Greenwood 1926
  double low = 0;             // band by log(-log), which stays inside 0..1
  double high = 1;
};

struct SurvivalCurve {
  std::vector<SurvivalStep> steps;  // moments with deaths, ascending; none if nobody died
  std::size_t lives = 0;
  std::size_t deaths = 0;
  double last_day = 0;  // of observation
  // The first day at which half or more are dead; the interval by Brookmeyer and Crowley 1982: where the band crosses a
  // half. Absent: not reached.
  std::optional<double> median, median_low, median_high;
  // With delayed entry a small risk set early on can drive the curve down, even to 0, for good. True if a step with
  // fewer than 5 at risk was followed by one with more.
  bool thin_start = false;

  double survival_at(double days) const;
};

// Kaplan and Meier 1958. Ties: deaths come before those whose observation ends at the same moment; a life that enters
// at t is at risk after t. An error: no lives, too many, one that is out of range (named), a level outside 0..1.
core::Expected<SurvivalCurve> kaplan_meier(std::span<const Life> lives, double level = kLevel);

// The area under the curve up to `horizon` days, the mean life if none is longer, with its standard error (Klein and
// Moeschberger 2003, section 4.5). The horizon is cut to the last day.
struct RestrictedMean {
  double days = 0;
  double standard_error = 0;
  double horizon = 0;
};
RestrictedMean restricted_mean(const SurvivalCurve& curve, double horizon);

// For the fits: alive at `alive`, died at some moment up to `dead`. dead == alive: died exactly then. kAlive: not known
// to have died. 0 <= entry <= alive <= dead, and entry < dead.
constexpr double kAlive = std::numeric_limits<double>::infinity();
struct ObservedLife {
  double entry = 0;
  double alive = 0;
  double dead = kAlive;
};

// S(t) = exp(-rate t), by maximum likelihood. Interval by the normal approximation of log(rate).
struct ExponentialFit {
  double rate = 0;            // deaths per node and day
  double log_rate_error = 0;  // standard error of log(rate)
  Estimate half_life;         // days
  std::size_t deaths = 0;
  double log_likelihood = 0;
};
// An error also if nobody died: the likelihood then has no maximum; learned_half_life() still answers.
core::Expected<ExponentialFit> fit_exponential(std::span<const ObservedLife> lives, double level = kLevel);

// S(t) = exp(-(t / scale)^shape). shape < 1: the longer it lived, the longer it will; > 1: it wears out.
struct WeibullFit {
  double shape = 1;
  double scale = 0;  // days
  double log_shape_error = 0;
  Estimate half_life;  // of new nodes: scale * (ln 2)^(1 / shape); interval by the delta method on its logarithm
  double log_likelihood = 0;
  // Likelihood ratio test against shape = 1. Small (say below 0.05): a single half-life does not describe these nodes.
  double exponential_p_value = 1;
};
// An error also if fewer than two died, or where no maximum is found (all died at one age).
core::Expected<WeibullFit> fit_weibull(std::span<const ObservedLife> lives, double level = kLevel);

// Half-life with a prior: few observations lean on what is known of nodes of that kind of network, many outweigh it.
// The rate of death has a gamma prior of `worth_deaths` deaths, at the half-life `days`. Exact deaths: the posterior is
// gamma(worth + deaths, worth * days / ln 2 + days observed). Deaths known to an interval: the gamma distribution of
// the same mode and curvature in log(rate). Learned by any number of rounds at once: pass all lives each time.
struct HalfLifePrior {
  double days = 31;
  double worth_deaths = 3;
};
struct LearnedHalfLife {
  Estimate days;            // median and equal tails of the posterior
  double worth_deaths = 0;  // of the posterior: what it weighs as a prior elsewhere
  double prior_share = 1;   // 1: nothing was learned; 0: the data alone
};
// An error: the prior is out of range (both above 0), a life is, too many. No lives give the prior.
core::Expected<LearnedHalfLife> learned_half_life(std::span<const ObservedLife> lives, const HalfLifePrior& prior,
                                                  double level = kLevel);

}  // namespace orbwatch::track
