// The alert budget: the user says how many alerts an ordinary day may bring, the history says where the line must be
// drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "core/archive.h"
#include "core/time.h"
#include "score/report.h"

namespace orbwatch::score {

// Nobody is shown less than this, however quiet the days are: below, the evidence hardly speaks for an intruder at all
// (prior_log_odds(FindingKind::kLogin) is -9.9). The budget is meant to be spent: with room for five alerts a day, an
// analyst would rather look at the fifth best than at nothing.
constexpr double kLeastAlertLogOdds = -9.0;

// The lowest line at which a day has at most `per_day` scores at or above it, on average over all days. A day counts no
// more than an ordinary one of that mean does by chance (mean + 2 standard deviations of a Poisson distribution, and
// a half), so that an attack of some days is not capped: it raises the line no more than busy Mondays do. With more
// than two weeks of history the first does not count: the profiles were being learned, its scores are low. With at
// least four more it holds in each half of them, too: on average over a busy month and a quiet one is not enough.
// `days` counts days with any log-ins, including those without a score in `scores`. scores: (day number, log-odds).
double budget_threshold(const std::vector<std::pair<std::int64_t, double>>& scores, std::size_t days, double per_day);

// The line of a report at a budget: over all its findings, however strong. With another budget than the hunt's own the
// findings are still those of that hunt: what it kept from learning does not change.
double alert_line(const std::vector<Finding>& findings, const Overview& overview, double per_day);

// The same as time goes by, over the last 28 finished days, for the decision what to keep from learning. Memory: of
// each day the highest scores, as many as count.
class RunningThreshold {
 public:
  explicit RunningThreshold(double per_day);
  void add(core::Nanoseconds time, double log_odds);
  double value() const { return value_; }

  // Errors stick to the reader. With another budget than that of the saved one the line is drawn anew over the scores
  // that were kept.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  void close_day();
  template <typename Archive>
  void persist(Archive& archive);
  double per_day_;
  std::size_t kept_;
  std::int64_t day_ = 0;
  std::vector<double> today_;  // a heap, the lowest at the front
  std::vector<std::vector<double>> days_;
  double value_ = kLeastAlertLogOdds;
};

}  // namespace orbwatch::score
