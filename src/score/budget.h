// The alert budget: the user says how many alerts an ordinary day may bring, the history says where the line must be
// drawn.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/time.h"

namespace orbwatch::score {

// Nobody should be shown less than this, however quiet the days are: one in five hundred. The budget is meant to be
// spent: with room for five alerts a day, an analyst would rather look at the fifth best than at nothing.
constexpr double kLeastAlertLogOdds = -6.2;

// The smallest threshold at which the median day has at most `per_day` scores at or above it. A day with an attack has
// more: it is not capped. `days` counts days with any log-ins, including those without a score in `scores`. scores:
// (day number, log-odds).
double budget_threshold(const std::vector<std::pair<std::int64_t, double>>& scores, std::size_t days, double per_day);

// The same as time goes by, for the decision what to keep from learning: the median over the last 28 days of each day's
// (per_day + 1)-th highest score, at least kLeastAlertLogOdds. Bounded memory.
class RunningThreshold {
 public:
  explicit RunningThreshold(double per_day);
  void add(core::Nanoseconds time, double log_odds);
  double value() const;

 private:
  void close_day();
  std::size_t per_day_;
  std::int64_t day_ = 0;
  std::vector<double> today_;  // highest first, at most per_day_ + 1
  std::vector<double> days_;   // each day's (per_day + 1)-th highest
};

}  // namespace orbwatch::score
