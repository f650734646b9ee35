// The size of a network whose nodes come and go: births, deaths, catchability and size together, from sightings alone.
//
// Model (Jolly 1965 and Seber 1965 with constant rates; Cormack 1964 for the sightings after the first; Crosbie and
// Manly 1985, Schwarz and Arnason 1996 for the births). In the first window there are N0 ~ Poisson(start) nodes. New
// ones come as a Poisson process of `births` a day; each dies at a constant rate, half-life ln 2 / rate; a living node
// is seen in a window with probability p, independently of all else. A node that is not seen may be dead or missed: the
// windows between first and last sighting tell p, those after the last tell deaths, the new faces of each window tell
// births. Births that die before the next window are not part of it.
//
// Estimate. Windows are few and sightings rare (p of 0.02 a day is usual), so that the likelihood alone often has no
// maximum. Weak priors bound it: half-life as given (log-normal), p (logit-normal, 0.1; half of it between 0.04 and
// 0.23), births as many as deaths (log-normal, sd 1: within a factor of 5 in nine cases of ten). Their share fades with
// data. The posterior is sampled by importance around its mode (a t-distribution, twice adapted; seed given, hence the
// same figures for the same data), and each draw is completed by the nodes that were not seen: how many of those seen
// before are still alive, how many never were seen. Intervals are thus of the number of nodes that there are, not of
// its mean.
//
// Nodes that differ. Where Captures::nodes_alike speaks against one p for all (below kAlike), logit(p) is taken to be
// normal over nodes, in kGroups groups of equal size, and its spread is a fifth parameter (log-normal prior, 0.7; half
// of it between 0.44 and 1.1), after the mixtures of Pledger 2000. How many nodes are seen hardly ever then rests on
// that shape: data cannot tell (Link 2003).
//
// What it cannot see: nodes that are never used where one looks. Time grows with windows, and where nodes differ with
// the number of histories: tens of milliseconds, then about a second. Pure, any thread.
#pragma once

#include <cstdint>

#include "core/error.h"
#include "track/captures.h"
#include "track/estimate.h"

namespace orbwatch::track {

constexpr double kAlike = 0.1;  // p-value
constexpr int kGroups = 8;
// A larger spread of logit(p) splits nodes into those that are always seen and those that never are, of which the data
// cannot say how many there are: one p is then taken for all.
constexpr double kMostDifferences = 3;
constexpr double kEnoughDraws = 100;  // effective ones: fewer are chance, and one p is taken instead

struct OpenPrior {
  double half_life_days = 31;   // median
  double half_life_spread = 1;  // standard deviation of its logarithm
};
core::Expected<void> check(const OpenPrior& prior);  // both above 0

struct OpenPopulation {
  Estimate now;           // nodes alive in the last window
  Estimate ever;          // nodes alive in any window (the superpopulation)
  Estimate births;        // a day
  Estimate deaths;        // a day, at the size of the last window
  Estimate half_life;     // days
  Estimate catchability;  // probability that a living node is seen in a window; the mean over nodes
  Estimate differences;   // standard deviation of logit(p) between nodes; 0 where one p was taken for all
  double births_fit = 1;  // p-value: the new faces of each window against steady births; small: they come in bursts
  double draws = 0;       // effective number of draws; below 100 the intervals are rough
};

// An error: fewer than 3 windows, no sightings, a prior or a level out of range, no mode found.
core::Expected<OpenPopulation> open_population(const Captures& captures, const OpenPrior& prior = {},
                                               double level = kLevel, std::uint64_t seed = 1);

}  // namespace orbwatch::track
