#include "score/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace orbwatch::score {
namespace {
constexpr double kNone = -std::numeric_limits<double>::infinity();
}

double budget_threshold(const std::vector<std::pair<std::int64_t, double>>& scores, std::size_t days, double per_day) {
  const auto allowed = static_cast<std::size_t>(std::max(0.0, std::floor(per_day)));
  std::map<std::int64_t, std::vector<double>> by_day;
  for (const auto& [day, score] : scores) by_day[day].push_back(score);
  // On each day the line may lie just above its (allowed + 1)-th highest score; the median of these lines suits the
  // ordinary day.
  std::vector<double> lines;
  for (auto& [day, list] : by_day) {
    std::sort(list.begin(), list.end(), std::greater<>());
    lines.push_back(list.size() > allowed ? std::nextafter(list[allowed], std::numeric_limits<double>::infinity())
                                          : kNone);
  }
  while (lines.size() < days) lines.push_back(kNone);
  if (lines.empty()) return kLeastAlertLogOdds;
  std::sort(lines.begin(), lines.end());
  return std::max(kLeastAlertLogOdds, lines[lines.size() / 2]);
}

RunningThreshold::RunningThreshold(double per_day)
    : per_day_(static_cast<std::size_t>(std::max(0.0, std::floor(per_day)))) {}

void RunningThreshold::add(core::Nanoseconds time, double log_odds) {
  const std::int64_t day = time / core::kDay;
  if (day > day_) {
    if (day_ != 0) close_day();
    day_ = day;
  }
  const auto at = std::lower_bound(today_.begin(), today_.end(), log_odds, std::greater<>());
  today_.insert(at, log_odds);
  if (today_.size() > per_day_ + 1) today_.pop_back();
}

void RunningThreshold::close_day() {
  days_.push_back(today_.size() > per_day_ ? today_[per_day_] : kNone);
  if (days_.size() > 28) days_.erase(days_.begin());
  today_.clear();
}

double RunningThreshold::value() const {
  if (days_.empty()) return kLeastAlertLogOdds;
  std::vector<double> sorted = days_;
  std::sort(sorted.begin(), sorted.end());
  return std::max(kLeastAlertLogOdds, sorted[sorted.size() / 2]);
}

}  // namespace orbwatch::score
