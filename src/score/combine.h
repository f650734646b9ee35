// Evidence to one probability.
//
// log-odds = prior + sum over groups of (strongest evidence + kDiscount * the others of the group), every ratio
// bounded. Pieces of one group talk about the same fact (the place, the client), so that adding them up fully would
// count it twice (naive Bayes is overconfident on correlated features; the discount is the usual first remedy).
// Negative evidence counts in full.
#pragma once

#include <span>
#include <vector>

#include "detect/evidence.h"
#include "score/finding.h"
#include "score/verdicts.h"

namespace orbwatch::score {

constexpr double kDiscount = 0.35;
constexpr double kMostRatio = 14;
constexpr double kLeastRatio = -6;

// Natural log-odds before any evidence: of a log-in by detect::kCovertShare; the other kinds start from a trait that is
// rare by itself.
double prior_log_odds(detect::FindingKind kind);

// Log-odds of the kind of finding given its evidence; that for other kinds is passed over. `corrections`: what verdicts
// add to positive ratios; null or empty changes nothing.
double combine(detect::FindingKind kind, std::span<const detect::Evidence> evidence,
               const Corrections* corrections = nullptr);
double probability(double log_odds);

Severity severity_of(detect::FindingKind kind, double probability);
// What to do, one or two sentences.
std::string advice_for(const Finding& finding);

}  // namespace orbwatch::score
