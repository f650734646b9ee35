#include "intel/decay/evidence_weight.h"

#include <algorithm>
#include <cmath>

namespace orbwatch::intel::decay {
namespace {

constexpr double kAssumedCoverage = 0.1;  // share of covert log-ins that a feed names

double cut(double value, double most) { return std::isnan(value) ? 0 : std::clamp(value, 0.0, most); }

// The mean of a beta distribution whose prior has `mean` and is worth one hit.
double shrunk(std::uint64_t hits, std::uint64_t of, double mean) {
  return (static_cast<double>(std::min(hits, of)) + 1) / (static_cast<double>(of) + 1 / mean);
}

}  // namespace

double hit_llr(double confidence, double strength, double sharers) {
  const double c = cut(confidence, 1) / (sharers > 1 ? sharers : 1);
  return std::log1p(c * std::expm1(cut(strength, kMostStrength)));
}

double feed_strength(const FeedHits& hits) {
  const double covert = shrunk(hits.covert_hits, hits.covert, kAssumedCoverage);
  const double ordinary = shrunk(hits.ordinary_hits, hits.ordinary, kAssumedCoverage * std::exp(-kAssumedStrength));
  return cut(std::log(covert / ordinary), kMostStrength);
}

}  // namespace orbwatch::intel::decay
