#include "score/budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace orbwatch::score {
namespace {

using core::kDay;
using Scores = std::vector<std::pair<std::int64_t, double>>;

// Alerts a day, on average, if the line is drawn there.
double mean_alerts(const Scores& scores, std::size_t days, double line) {
  return static_cast<double>(std::ranges::count_if(scores, [&](const auto& s) { return s.second >= line; })) /
         static_cast<double>(days);
}

TEST(Budget, WithoutHistoryTheLeastLineStands) {
  EXPECT_EQ(budget_threshold({}, 0, 5), kLeastAlertLogOdds);
  EXPECT_EQ(budget_threshold({}, 100, 5), kLeastAlertLogOdds);
  EXPECT_EQ(budget_threshold({{1, 3.0}, {1, 2.0}}, 1, 5), kLeastAlertLogOdds) << "within the budget";
}

TEST(Budget, TheAverageDayNeverExceedsIt) {
  std::mt19937 random(11);
  std::normal_distribution<double> score(-6, 1);  // hopeless ones: each alert is a false one
  for (int round = 0; round < 400; ++round) {
    Scores scores;
    const int days = 1 + round % 14;
    for (int day = 0; day < days; ++day) {
      for (int n = static_cast<int>(random() % 9); n > 0; --n) {
        // Rounded, so that equal scores happen: none of them may slip in.
        scores.emplace_back(day, std::round(4 * score(random)) / 4);
      }
    }
    for (const double budget : {0.5, 1.0, 4.0}) {
      const double line = budget_threshold(scores, static_cast<std::size_t>(days), budget);
      EXPECT_GE(line, kLeastAlertLogOdds);
      // Busy days count no more than this; scores are hardly ever right.
      const double most = budget + 2 * std::sqrt(budget) + 0.5;
      std::map<std::int64_t, double> by_day;
      for (const auto& [day, s] : scores) by_day[day] += s >= line ? 1 : 0;
      double capped = 0;
      for (const auto& [day, count] : by_day) capped += std::min(count, most);
      EXPECT_LE(capped / days, budget * 1.02);
    }
  }
}

TEST(Budget, IsSpentWhereThereIsSomethingToSee) {
  Scores scores;
  for (int day = 0; day < 9; ++day) {
    for (int i = 0; i < 10; ++i) scores.emplace_back(day, i);
  }
  for (auto& [day, score] : scores) score -= 16;  // -16 to -7: the expected number of false ones is their number
  EXPECT_EQ(mean_alerts(scores, 9, budget_threshold(scores, 9, 2)), 2);
  EXPECT_EQ(mean_alerts(scores, 9, budget_threshold(scores, 9, 5)), 3) << "the others lie below what may be shown";
}

// Four busy weeks and four quiet ones, behind the week of learning.
TEST(Budget, HoldsInEachHalfOfALongHistory) {
  Scores scores;
  constexpr int kDays = 7 + 56;
  scores.emplace_back(0, -9.0);
  for (int day = 7; day < kDays; ++day) {
    for (int i = 0; i < (day < 35 ? 7 : 2); ++i) scores.emplace_back(day, -8.0 + 0.1 * i + 0.001 * day);
  }
  const double line = budget_threshold(scores, kDays, 5);
  const auto busy = std::ranges::count_if(scores, [&](const auto& s) { return s.first < 35 && s.second >= line; });
  EXPECT_LE(busy, 5 * 28);
  EXPECT_GT(busy, 4 * 28) << "4.5 a day on average would have left room for all seven";
}

TEST(Budget, WhatIsCertainCostsNothing) {
  Scores scores;
  for (int day = 0; day < 9; ++day) {
    for (int i = 0; i < 10; ++i) scores.emplace_back(day, 12);
    for (int i = 0; i < 3; ++i) scores.emplace_back(day, -7);
  }
  EXPECT_LE(budget_threshold(scores, 9, 3.1), -7) << "ten intrusions a day are no false alerts";
}

TEST(Budget, MayBeLessThanOneADay) {
  Scores scores;
  for (int day = 0; day < 10; ++day) scores.emplace_back(day, -7.0 + 0.1 * day);
  EXPECT_NEAR(mean_alerts(scores, 10, budget_threshold(scores, 10, 0.3)), 0.3, 1e-9);
}

TEST(Budget, TheWeekOfLearningDoesNotCount) {
  Scores scores;
  for (int day = 0; day < 21; ++day) {
    for (int i = 0; i < 8; ++i) scores.emplace_back(day, day < 7 ? -30.0 : -8.0 + 0.1 * i);
  }
  const double line = budget_threshold(scores, 21, 4);
  EXPECT_EQ(std::ranges::count_if(scores, [&](const auto& s) { return s.second >= line; }), 14 * 4);
}

TEST(Budget, DoesNotCapAnAttack) {
  Scores scores;
  for (int day = 0; day < 20; ++day) {
    for (int i = 0; i < 8; ++i) scores.emplace_back(day, -5.0 + 0.1 * i);
  }
  const double quiet = budget_threshold(scores, 20, 5);
  for (int i = 0; i < 500; ++i) scores.emplace_back(13, -3.0);  // one day of attack
  const double line = budget_threshold(scores, 20, 5);
  EXPECT_LT(line, quiet + 0.2) << "one loud day hardly moves the line";
  EXPECT_GE(
      std::count_if(scores.begin(), scores.end(), [&](const auto& s) { return s.first == 13 && s.second >= line; }),
      500);
}

TEST(Budget, DaysWithoutScoresCountAlong) {
  Scores scores;
  for (int i = 0; i < 50; ++i) scores.emplace_back(3, -2.0);
  EXPECT_GT(budget_threshold(scores, 1, 5), -2.0) << "the only day is the ordinary one";
  EXPECT_EQ(budget_threshold(scores, 30, 5), kLeastAlertLogOdds) << "among thirty days it is the attack";
}

TEST(Budget, ALargerOneNeverRaisesTheLine) {
  std::mt19937 random(3);
  std::normal_distribution<double> score(-4, 3);
  Scores scores;
  for (int i = 0; i < 600; ++i) scores.emplace_back(static_cast<std::int64_t>(random() % 20), score(random));
  double before = INFINITY;
  for (int budget = 0; budget < 30; ++budget) {
    const double line = budget_threshold(scores, 20, budget);
    EXPECT_LE(line, before);
    before = line;
  }
}

TEST(Budget, NegativeIsNone) { EXPECT_EQ(budget_threshold({{1, 2.0}}, 1, -7), budget_threshold({{1, 2.0}}, 1, 0)); }

// What a report's own line is, at any budget: days on which somebody logged in count, whether they show a finding or
// not.
TEST(Budget, OfAReportCountsItsFindingsAndItsDays) {
  std::vector<Finding> findings;
  Scores scores;
  Overview overview;
  for (int day = 1; day <= 10; ++day) {
    overview.days["2026-10-" + std::to_string(10 + day)].logins = 1;
    for (int i = 0; i < (day % 2 == 0 ? 8 : 0); ++i) {
      Finding f;
      f.time = day * kDay + i;
      f.log_odds = -8 + 0.5 * i + 0.01 * day;
      findings.push_back(f);
      scores.emplace_back(day, f.log_odds);
    }
  }
  overview.days["2026-10-30"].events = 5;  // flows alone: no day of log-ins
  for (const double budget : {0.5, 1.0, 3.0})
    EXPECT_EQ(alert_line(findings, overview, budget), budget_threshold(scores, 10, budget)) << budget;
  EXPECT_NE(alert_line(findings, overview, 1), budget_threshold(scores, 5, 1));
}

TEST(RunningThreshold, ComesFromFinishedDaysOnly) {
  RunningThreshold t(2);
  EXPECT_EQ(t.value(), kLeastAlertLogOdds);
  for (const double odds : {-4.0, -8.0, -6.0, -5.0}) t.add(10 * kDay, odds);
  EXPECT_EQ(t.value(), kLeastAlertLogOdds) << "today is not over";
  t.add(11 * kDay, -9);
  EXPECT_EQ(t.value(), -5) << "the two best of the first day";
}

TEST(RunningThreshold, ForgetsOldDays) {
  RunningThreshold t(1);
  const auto day = [&](int number, double second) {
    t.add(number * kDay, -3);
    t.add(number * kDay, second);
  };
  for (int d = 1; d <= 28; ++d) day(d, -8);
  EXPECT_GT(t.value(), -8);
  EXPECT_LE(t.value(), -3);
  for (int d = 31; d <= 70; ++d) {
    t.add(d * kDay, -8);
    t.add(d * kDay, -8.5);
  }
  EXPECT_EQ(t.value(), -8);
}

TEST(RunningThreshold, IsTheLineOfTheSameHistory) {
  std::mt19937 random(7);
  std::normal_distribution<double> score(-8, 2);
  RunningThreshold t(3);
  Scores scores;
  for (int d = 1; d <= 14; ++d) {
    for (int i = 0; i < 40; ++i) {
      scores.emplace_back(d, score(random));
      t.add(d * kDay, scores.back().second);
    }
  }
  t.add(15 * kDay, -20);
  EXPECT_EQ(t.value(), budget_threshold(scores, 14, 3)) << "what it leaves out does not count";
}

TEST(RunningThreshold, AQuietDayAsksForNothing) {
  RunningThreshold t(5);
  for (int d = 1; d <= 5; ++d) t.add(d * kDay, -3);  // one score a day: within the budget
  EXPECT_EQ(t.value(), kLeastAlertLogOdds);
}

TEST(RunningThreshold, ALittleDisorderBelongsToToday) {
  RunningThreshold t(0);
  t.add(10 * kDay, -8);
  t.add(10 * kDay - 1, -4);
  t.add(11 * kDay, -20);
  EXPECT_GT(t.value(), -4);
}

void restore(const RunningThreshold& from, RunningThreshold& to) {
  core::ArchiveWriter writer;
  from.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  to.load(reader);
  ASSERT_TRUE(reader.finish());
}

TEST(RunningThreshold, GoesOnWhereItWasSaved) {
  std::mt19937 random(3);
  std::normal_distribution<double> score(-8, 2);
  RunningThreshold through(3);
  RunningThreshold before(3);
  RunningThreshold after(3);
  for (int d = 1; d <= 60; ++d) {
    for (int i = 0; i < 20; ++i) {
      const double odds = score(random);
      through.add(d * kDay, odds);
      (d < 30 || (d == 30 && i < 10) ? before : after).add(d * kDay, odds);
      if (d == 30 && i == 9) restore(before, after);
    }
    if (d > 30) {
      EXPECT_EQ(after.value(), through.value()) << d;
    }
  }
}

TEST(RunningThreshold, AnotherBudgetCountsAtOnce) {
  RunningThreshold generous(8);
  for (int d = 1; d <= 10; ++d) {
    for (int i = 0; i < 30; ++i) generous.add(d * kDay, -8.9 + 0.1 * i);
  }
  RunningThreshold strict(1);
  restore(generous, strict);
  EXPECT_GT(strict.value(), generous.value());
  strict.add(11 * kDay, -3);  // today's scores fit into less room
  strict.add(12 * kDay, -3);
  EXPECT_GT(strict.value(), generous.value());
}

}  // namespace
}  // namespace orbwatch::score
