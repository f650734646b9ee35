#include "score/budget.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "score/combine.h"

namespace orbwatch::score {
namespace {

constexpr std::size_t kHistoryDays = 28;
constexpr std::size_t kLearningDays = 7;
constexpr std::size_t kLeastHalf = 14;
constexpr std::uint32_t kLayout = 1;          // of the saved state; raised with every change of it
constexpr std::int64_t kMostDay = 1'000'000;  // since 1970

using Day = std::vector<double>;  // highest first

// Expected false alerts a day at this line; a day counts `most` at most.
double false_alerts(const std::vector<Day>& days, double line, double most) {
  double sum = 0;
  for (const Day& day : days) {
    double today = 0;
    for (const double score : day) {
      if (score < line || today >= most) break;
      today += 1 - probability(score);
    }
    sum += std::min(most, today);
  }
  return sum / static_cast<double>(days.size());
}

// By chance a day of alerts with a mean of `per_day` hardly ever brings more.
double most_of_a_day(double per_day) { return per_day + 2 * std::sqrt(per_day) + 0.5; }

double line_of(const std::vector<Day>& days, double per_day) {
  if (days.empty()) return kLeastAlertLogOdds;
  per_day = std::max(0.0, per_day);
  std::vector<double> lines;
  for (const Day& day : days) lines.insert(lines.end(), day.begin(), day.end());
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  lines.insert(lines.begin(), kLeastAlertLogOdds);
  const double most = most_of_a_day(per_day);
  // The higher the line the fewer alerts: the first line that keeps the budget.
  const auto found = std::partition_point(lines.begin(), lines.end(),
                                          [&](double line) { return false_alerts(days, line, most) > per_day; });
  const double line =
      found == lines.end() ? std::nextafter(lines.back(), std::numeric_limits<double>::infinity()) : *found;
  return std::max(kLeastAlertLogOdds, line);
}

}  // namespace

double budget_threshold(const std::vector<std::pair<std::int64_t, double>>& scores, std::size_t days, double per_day) {
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  if (days > 2 * kLearningDays && !scores.empty()) {
    from = std::ranges::min(scores, {}, [](const auto& s) { return s.first; }).first + kLearningDays;
    days -= kLearningDays;
  }
  std::map<std::int64_t, Day> by_day;
  for (const auto& [day, score] : scores) {
    if (day >= from && score >= kLeastAlertLogOdds) by_day[day].push_back(score);
  }
  std::vector<Day> all, older, newer;
  const std::int64_t middle = by_day.empty() ? 0 : (by_day.begin()->first + by_day.rbegin()->first + 1) / 2;
  for (auto& [day, list] : by_day) {
    std::sort(list.begin(), list.end(), std::greater<>());
    (day < middle ? older : newer).push_back(list);
    all.push_back(std::move(list));
  }
  if (all.size() < days) all.resize(days);
  double line = line_of(all, per_day);
  if (days < 2 * kLeastHalf) return line;
  for (std::vector<Day>* half : {&older, &newer}) {
    if (half->size() < days / 2) half->resize(days / 2);
    line = std::max(line, line_of(*half, per_day));
  }
  return line;
}

double alert_line(const std::vector<Finding>& findings, const Overview& overview, double per_day) {
  std::vector<std::pair<std::int64_t, double>> scores;
  scores.reserve(findings.size());
  for (const Finding& f : findings) scores.emplace_back(f.time / core::kDay, f.log_odds);
  std::size_t days = 0;
  for (const auto& [date, day] : overview.days)
    days += day.logins + day.failures > 0 || overview.days.size() == 1 ? 1 : 0;
  return budget_threshold(scores, days, per_day);
}

RunningThreshold::RunningThreshold(double per_day)
    : per_day_(std::clamp(per_day, 0.0, 10'000.0)), kept_(static_cast<std::size_t>(most_of_a_day(per_day_)) + 2) {}

void RunningThreshold::add(core::Nanoseconds time, double log_odds) {
  const std::int64_t day = time / core::kDay;
  if (day > day_) {
    if (day_ != 0) close_day();
    day_ = day;
  }
  if (log_odds < kLeastAlertLogOdds) return;
  if (today_.size() == kept_) {
    if (log_odds <= today_.front()) return;
    std::pop_heap(today_.begin(), today_.end(), std::greater<>());
    today_.pop_back();
  }
  today_.push_back(log_odds);
  std::push_heap(today_.begin(), today_.end(), std::greater<>());
}

void RunningThreshold::close_day() {
  std::sort(today_.begin(), today_.end(), std::greater<>());
  days_.push_back(std::move(today_));
  today_.clear();
  if (days_.size() > kHistoryDays) days_.erase(days_.begin());
  value_ = line_of(days_, per_day_);
}

template <typename Archive>
void RunningThreshold::persist(Archive& a) {
  a.section("threshold", kLayout);
  double per_day = per_day_;
  a(per_day, today_, days_, value_);
  a.bounded(day_, kMostDay);
  if constexpr (Archive::kReads) {
    if (!a.ok() || per_day == per_day_) return;
    std::sort(today_.begin(), today_.end(), std::greater<>());
    if (today_.size() > kept_) today_.resize(kept_);
    std::make_heap(today_.begin(), today_.end(), std::greater<>());
    value_ = line_of(days_, per_day_);
  }
}

void RunningThreshold::save(core::ArchiveWriter& archive) const {
  const_cast<RunningThreshold*>(this)->persist(archive);
}
void RunningThreshold::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::score
