#include "score/budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace orbwatch::score {
namespace {

using core::kDay;
using Scores = std::vector<std::pair<std::int64_t, double>>;

// Alerts on the median day (the upper one of an even number) if the line is drawn there.
std::size_t median_alerts(const Scores& scores, std::size_t days, double line) {
  std::map<std::int64_t, std::size_t> by_day;
  for (const auto& [day, score] : scores) by_day[day] += score >= line ? 1 : 0;
  std::vector<std::size_t> counts;
  counts.reserve(std::max(days, by_day.size()));
  for (const auto& [day, count] : by_day) counts.push_back(count);
  while (counts.size() < days) counts.push_back(0);
  std::sort(counts.begin(), counts.end());
  return counts.empty() ? 0 : counts[counts.size() / 2];
}

TEST(Budget, WithoutHistoryTheLeastLineStands) {
  EXPECT_EQ(budget_threshold({}, 0, 5), kLeastAlertLogOdds);
  EXPECT_EQ(budget_threshold({}, 100, 5), kLeastAlertLogOdds);
  EXPECT_EQ(budget_threshold({{1, 3.0}, {1, 2.0}}, 1, 5), kLeastAlertLogOdds) << "within the budget";
}

TEST(Budget, TheMedianDayNeverExceedsIt) {
  std::mt19937 random(11);
  std::normal_distribution<double> score(-4, 3);
  for (int round = 0; round < 400; ++round) {
    Scores scores;
    const int days = 1 + round % 40;
    for (int day = 0; day < days; ++day) {
      for (int n = static_cast<int>(random() % 30); n > 0; --n) {
        // Rounded, so that equal scores happen: none of them may slip in.
        scores.emplace_back(day, std::round(score(random)));
      }
    }
    for (const double budget : {0.0, 1.0, 2.5, 5.0}) {
      const double line = budget_threshold(scores, static_cast<std::size_t>(days), budget);
      EXPECT_GE(line, kLeastAlertLogOdds);
      EXPECT_LE(median_alerts(scores, static_cast<std::size_t>(days), line), static_cast<std::size_t>(budget));
    }
  }
}

TEST(Budget, IsSpentWhereThereIsSomethingToSee) {
  Scores scores;
  for (int day = 0; day < 9; ++day) {
    for (int i = 0; i < 10; ++i) scores.emplace_back(day, i);
  }
  const double line = budget_threshold(scores, 9, 5);
  EXPECT_EQ(median_alerts(scores, 9, line), 5U);
  EXPECT_GT(line, 4) << "the sixth best must stay below";
  EXPECT_LE(line, 5);
}

TEST(Budget, DoesNotCapAnAttack) {
  Scores scores;
  for (int day = 0; day < 20; ++day) {
    for (int i = 0; i < 8; ++i) scores.emplace_back(day, -5.0 + 0.1 * i);
  }
  const double quiet = budget_threshold(scores, 20, 5);
  for (int i = 0; i < 500; ++i) scores.emplace_back(13, 6.0);  // one day of attack
  const double line = budget_threshold(scores, 20, 5);
  EXPECT_EQ(line, quiet) << "one loud day does not move the line";
  EXPECT_EQ(
      std::count_if(scores.begin(), scores.end(), [&](const auto& s) { return s.first == 13 && s.second >= line; }),
      505);
}

TEST(Budget, DaysWithoutScoresCountAlong) {
  Scores scores;
  for (int i = 0; i < 50; ++i) scores.emplace_back(3, 2.0);
  EXPECT_GT(budget_threshold(scores, 1, 5), 2.0) << "the only day is the ordinary one";
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

TEST(RunningThreshold, ComesFromFinishedDaysOnly) {
  RunningThreshold t(2);
  EXPECT_EQ(t.value(), kLeastAlertLogOdds);
  for (const double odds : {5.0, 1.0, 3.0, 4.0}) t.add(10 * kDay, odds);
  EXPECT_EQ(t.value(), kLeastAlertLogOdds) << "today is not over";
  t.add(11 * kDay, -9);
  EXPECT_EQ(t.value(), 3.0) << "the third best of the first day";
}

TEST(RunningThreshold, IsTheMedianOfDaysAndForgets) {
  RunningThreshold t(1);
  const auto day = [&](int number, double second) {
    t.add(number * kDay, 20);
    t.add(number * kDay, second);
  };
  for (int d = 1; d <= 28; ++d) day(d, 1);
  day(29, 15);  // an attack
  day(30, 1);
  EXPECT_EQ(t.value(), 1) << "one loud day among 28";
  for (int d = 31; d <= 70; ++d) day(d, 7);
  EXPECT_EQ(t.value(), 7);
}

TEST(RunningThreshold, AQuietDayAsksForNothing) {
  RunningThreshold t(5);
  for (int d = 1; d <= 5; ++d) t.add(d * kDay, 3);  // one score a day: within the budget
  EXPECT_EQ(t.value(), kLeastAlertLogOdds);
}

TEST(RunningThreshold, ALittleDisorderBelongsToToday) {
  RunningThreshold t(0);
  t.add(10 * kDay, 1);
  t.add(10 * kDay - 1, 4);
  t.add(11 * kDay, 0);
  EXPECT_EQ(t.value(), 4);
}

}  // namespace
}  // namespace orbwatch::score
