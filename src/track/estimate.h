// A figure with its interval, as every estimator of a network's life gives it.
#pragma once

namespace orbwatch::track {

// `level` of an interval: the share of cases in which it holds the truth if the model is right. 90 % by default: what
// an analyst acts on, not what a paper asks for.
constexpr double kLevel = 0.90;

struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;

  bool covers(double truth) const { return low <= truth && truth <= high; }
};

}  // namespace orbwatch::track
