#include "track/survival.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

namespace orbwatch::track {
namespace {

using std::numbers::ln2;

// Freireich et al. 1963: weeks of remission of 21 leukaemia patients under 6-MP.
std::vector<Life> six_mp() {
  std::vector<Life> out;
  for (const int week : {6, 6, 6, 7, 10, 13, 16, 22, 23}) out.push_back({0, static_cast<double>(week), true});
  for (const int week : {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35}) {
    out.push_back({0, static_cast<double>(week), false});
  }
  return out;
}

std::vector<ObservedLife> observed(const std::vector<Life>& lives) {
  std::vector<ObservedLife> out;
  out.reserve(lives.size());
  for (const Life& l : lives) out.push_back({l.entry, l.exit, l.died ? l.exit : kAlive});
  return out;
}

// The table that textbooks print (Kleinbaum and Klein, "Survival analysis", chapter 2; Klein and Moeschberger, table
// 4.1A); band and interval of the median by lifelines 0.30.3.
TEST(KaplanMeier, RemissionUnderSixMp) {
  const auto curve = kaplan_meier(six_mp(), 0.95);
  ASSERT_TRUE(curve);
  struct Row {
    double week;
    std::size_t at_risk, deaths;
    double survival, error, low, high;
  };
  const Row table[] = {{6, 21, 3, 0.857, 0.0764, 0.6197, 0.9516},  {7, 17, 1, 0.807, 0.0869, 0.5631, 0.9228},
                       {10, 15, 1, 0.753, 0.0963, 0.5032, 0.8894}, {13, 12, 1, 0.690, 0.1068, 0.4316, 0.8491},
                       {16, 11, 1, 0.627, 0.1141, 0.3675, 0.8049}, {22, 7, 1, 0.538, 0.1282, 0.2678, 0.7468},
                       {23, 6, 1, 0.448, 0.1346, 0.1881, 0.6801}};
  ASSERT_EQ(curve->steps.size(), std::size(table));
  for (std::size_t i = 0; i < std::size(table); ++i) {
    const SurvivalStep& step = curve->steps[i];
    EXPECT_EQ(step.days, table[i].week);
    EXPECT_EQ(step.at_risk, table[i].at_risk);
    EXPECT_EQ(step.deaths, table[i].deaths);
    EXPECT_NEAR(step.survival, table[i].survival, 6e-4);
    EXPECT_NEAR(step.standard_error, table[i].error, 6e-5);
    EXPECT_NEAR(step.low, table[i].low, 6e-5);
    EXPECT_NEAR(step.high, table[i].high, 6e-5);
  }
  EXPECT_EQ(curve->median, 23);
  EXPECT_EQ(curve->median_low, 13);
  EXPECT_FALSE(curve->median_high);
  EXPECT_EQ(curve->survival_at(5.9), 1);
  EXPECT_NEAR(curve->survival_at(12), 0.753, 6e-4);
  // Klein and Moeschberger, example 4.1: 23.3 weeks of 35, standard error 2.83.
  const RestrictedMean mean = restricted_mean(*curve, 35);
  EXPECT_NEAR(mean.days, 23.287, 5e-4);
  EXPECT_NEAR(mean.standard_error, 2.827, 5e-3);
  EXPECT_EQ(restricted_mean(*curve, 99).horizon, 35);
  EXPECT_EQ(restricted_mean(*curve, 4).days, 4);
}

// Expected values: lifelines 0.30.3 on the same lives.
TEST(KaplanMeier, DelayedEntry) {
  const std::vector<Life> lives = {{0, 4, true},   {2, 9, true},  {3, 7, false}, {0, 12, true},   {5, 6, true},
                                   {1, 15, false}, {4, 11, true}, {8, 14, true}, {10, 20, false}, {0, 18, true}};
  const auto curve = kaplan_meier(lives);
  ASSERT_TRUE(curve);
  const double survival[] = {0.833333, 0.714286, 0.595238, 0.496032, 0.396825, 0.297619, 0.148810};
  ASSERT_EQ(curve->steps.size(), std::size(survival));
  for (std::size_t i = 0; i < std::size(survival); ++i) EXPECT_NEAR(curve->steps[i].survival, survival[i], 1e-6);
  // By hand: at 4 those of entries 0, 2, 3, 0, 1, 0 are at risk; who enters at 4 is not.
  EXPECT_EQ(curve->steps[0].at_risk, 6u);
}

TEST(KaplanMeier, EdgeCases) {
  EXPECT_FALSE(kaplan_meier({}));
  EXPECT_FALSE(kaplan_meier(std::vector<Life>{{3, 3, true}}));
  EXPECT_FALSE(kaplan_meier(std::vector<Life>{{0, std::nan(""), true}}));
  EXPECT_FALSE(kaplan_meier(six_mp(), 1.0));
  const auto alive = kaplan_meier(std::vector<Life>{{0, 5, false}, {0, 9, false}});
  ASSERT_TRUE(alive);
  EXPECT_TRUE(alive->steps.empty());
  EXPECT_FALSE(alive->median);
  EXPECT_EQ(alive->survival_at(100), 1);
  EXPECT_EQ(restricted_mean(*alive, 100).days, 9);
  const auto one = kaplan_meier(std::vector<Life>{{0, 5, true}});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->median, 5);
  EXPECT_EQ(one->steps[0].survival, 0);
  EXPECT_EQ(one->steps[0].high, 1);
  // One node at risk dies before the others are first seen: the curve is 0 for good, and says why.
  const auto thin = kaplan_meier(std::vector<Life>{
      {0, 1, true}, {2, 9, true}, {2, 9, false}, {2, 9, false}, {2, 9, false}, {2, 9, false}, {2, 9, false}});
  ASSERT_TRUE(thin);
  EXPECT_TRUE(thin->thin_start);
  EXPECT_FALSE(one->thin_start);
}

TEST(KaplanMeier, DoesNotDependOnOrderAndFalls) {
  std::vector<Life> lives = six_mp();
  const auto before = kaplan_meier(lives);
  std::ranges::reverse(lives);
  const auto after = kaplan_meier(lives);
  ASSERT_TRUE(before && after);
  double last = 1;
  for (std::size_t i = 0; i < before->steps.size(); ++i) {
    const SurvivalStep& step = before->steps[i];
    EXPECT_EQ(step.survival, after->steps[i].survival);
    EXPECT_EQ(step.low, after->steps[i].low);
    EXPECT_LT(step.survival, last);
    EXPECT_LE(step.low, step.survival);
    EXPECT_GE(step.high, step.survival);
    EXPECT_GE(step.low, 0);
    EXPECT_LE(step.high, 1);
    last = step.survival;
  }
}

// 9 deaths in 359 weeks: rate 0.0251, log-likelihood -42.17 (Klein and Moeschberger; lifelines).
TEST(Exponential, SixMp) {
  const auto fit = fit_exponential(observed(six_mp()));
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->deaths, 9u);
  EXPECT_NEAR(fit->rate, 9.0 / 359, 1e-7);
  EXPECT_NEAR(fit->log_rate_error, 1 / std::sqrt(9.0), 1e-4);
  EXPECT_NEAR(fit->log_likelihood, -42.17488, 1e-4);
  EXPECT_NEAR(fit->half_life.value, 359 * ln2 / 9, 1e-4);
  EXPECT_NEAR(fit->half_life.low, fit->half_life.value * std::exp(-1.644854 / 3), 0.01);
}

// Shape 1.354, scale 33.77 weeks: the fit of SAS, R and lifelines to these data.
TEST(Weibull, SixMp) {
  const auto fit = fit_weibull(observed(six_mp()));
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->shape, 1.35373, 1e-4);
  EXPECT_NEAR(fit->scale, 33.7652, 1e-3);
  EXPECT_NEAR(fit->log_likelihood, -41.65868, 1e-4);
  EXPECT_NEAR(fit->half_life.value, 25.7565, 1e-3);
  EXPECT_NEAR(fit->log_shape_error, 0.37688 / 1.35373, 1e-3);
  EXPECT_NEAR(fit->exponential_p_value, 0.3097, 1e-3);  // chi-squared of 2 * 0.5162
}

// Expected values: lifelines 0.30.3.
TEST(Weibull, DelayedEntryAndIntervals) {
  const std::vector<ObservedLife> entered = {{0, 4, 4},        {2, 9, 9},       {3, 7, kAlive}, {0, 12, 12},
                                             {5, 6, 6},        {1, 15, kAlive}, {4, 11, 11},    {8, 14, 14},
                                             {10, 20, kAlive}, {0, 18, 18}};
  const auto late = fit_weibull(entered);
  ASSERT_TRUE(late);
  EXPECT_NEAR(late->shape, 1.87283, 1e-3);
  EXPECT_NEAR(late->scale, 13.8630, 5e-3);
  const std::vector<ObservedLife> between = {{0, 0, 3},   {0, 3, 7}, {0, 7, 14}, {0, 2, 5},       {0, 10, 14},
                                             {0, 14, 21}, {0, 6, 9}, {0, 1, 4},  {0, 20, kAlive}, {0, 9, kAlive}};
  const auto interval = fit_weibull(between);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->shape, 1.246061, 1e-3);
  EXPECT_NEAR(interval->scale, 11.1284, 5e-3);
  EXPECT_NEAR(interval->log_likelihood, -15.94069, 1e-4);
  const auto constant = fit_exponential(between);
  ASSERT_TRUE(constant);
  EXPECT_NEAR(1 / constant->rate, 10.96807, 1e-3);
  EXPECT_NEAR(constant->log_rate_error, 3.905569 / 10.96807, 1e-3);
}

TEST(Fits, EdgeCasesAreErrors) {
  const std::vector<ObservedLife> alive = {{0, 5, kAlive}, {0, 9, kAlive}};
  EXPECT_FALSE(fit_exponential({}));
  EXPECT_FALSE(fit_exponential(alive));
  EXPECT_FALSE(fit_weibull(alive));
  EXPECT_FALSE(fit_weibull(std::vector<ObservedLife>{{0, 5, 5}, {0, 9, kAlive}}));
  EXPECT_FALSE(fit_weibull(std::vector<ObservedLife>{{0, 5, 5}, {0, 5, 5}, {0, 5, 5}}));  // any shape is too small
  EXPECT_FALSE(fit_exponential(std::vector<ObservedLife>{{0, 0, 5}}));  // a rate without bound fits best
  EXPECT_FALSE(fit_exponential(std::vector<ObservedLife>{{0, 5, 4}}));
  EXPECT_FALSE(fit_exponential(std::vector<ObservedLife>{{0, std::nan(""), 4}}));
  EXPECT_FALSE(fit_exponential(std::vector<ObservedLife>{{4, 4, 4}}));
  EXPECT_TRUE(fit_exponential(std::vector<ObservedLife>{{0, 5, 5}}));
}

// Exact deaths: the posterior is a gamma distribution in closed form. Prior of 3 deaths at 31 days: 134.17 days of
// exposure; 9 deaths in 359: gamma(12, 493.17), median rate 0.023660, half-life 29.30 (scipy.stats.gamma).
TEST(LearnedHalfLife, IsTheConjugatePosteriorForExactDeaths) {
  const auto learned = learned_half_life(observed(six_mp()), {31, 3});
  ASSERT_TRUE(learned);
  EXPECT_NEAR(learned->worth_deaths, 12, 1e-3);
  EXPECT_NEAR(learned->prior_share, 0.25, 1e-4);
  EXPECT_NEAR(learned->days.value, 29.296, 5e-3);
  EXPECT_NEAR(learned->days.low, 18.774, 5e-3);
  EXPECT_NEAR(learned->days.high, 49.369, 5e-3);
}

TEST(LearnedHalfLife, WithoutDataIsThePriorAndSurvivorsLengthenIt) {
  const HalfLifePrior prior{12, 5};
  const auto nothing = learned_half_life({}, prior);
  ASSERT_TRUE(nothing);
  EXPECT_NEAR(nothing->prior_share, 1, 1e-6);
  EXPECT_NEAR(nothing->days.value, 12, 1.5);  // its median; 12 is that of the mean rate
  const auto alive = learned_half_life(std::vector<ObservedLife>(20, {0, 10, kAlive}), prior);
  ASSERT_TRUE(alive);
  EXPECT_GT(alive->days.value, nothing->days.value);
  EXPECT_FALSE(learned_half_life({}, {0, 5}));
  EXPECT_FALSE(learned_half_life({}, {12, std::nan("")}));
}

// Nodes born over `days` and looked at once a day by a scan that sees each living one.
std::vector<ObservedLife> watched(boost::random::mt19937_64& random, double half_life, std::size_t nodes, double days) {
  boost::random::uniform_01<double> uniform;
  boost::random::exponential_distribution<double> life(ln2 / half_life);
  std::vector<ObservedLife> out;
  while (out.size() < nodes) {
    const double born = uniform(random) * days, dies = born + life(random);
    const double first = std::ceil(born);
    if (dies < first || first >= days) continue;  // never seen
    const double last = std::floor(std::min(dies, days));
    out.push_back({0, last - first, last == days ? kAlive : last + 1 - first});
  }
  return out;
}

struct Learning {
  double near = 0;    // share of the seeds in which the learned half-life is within 20 % of the true one
  double covers = 0;  // in which the interval holds it
};
Learning learning(double half_life, std::size_t nodes, const HalfLifePrior& prior) {
  constexpr int kSeeds = 200;
  Learning out;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    boost::random::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const auto learned = learned_half_life(watched(random, half_life, nodes, 45), prior);
    if (!learned) continue;
    out.near += std::abs(learned->days.value / half_life - 1) <= 0.2 ? 1.0 / kSeeds : 0;
    out.covers += learned->days.covers(half_life) ? 1.0 / kSeeds : 0;
  }
  return out;
}

// How many nodes must be seen until the learned half-life is within 20 % of the true one. The priors are those of the
// wrong kind on purpose: 12 days for a truth of 17 or 31, 53 for 77.
TEST(LearnedHalfLife, ComesWithinTwentyPercent) {
  struct Case {
    double half_life;
    HalfLifePrior prior;
    std::size_t enough;  // nodes
  };
  for (const Case& c : {Case{17, {12, 5}, 150}, Case{31, {12, 5}, 250}, Case{77, {53, 5}, 400}}) {
    double last = 0;
    for (const std::size_t nodes : {std::size_t{10}, std::size_t{40}, c.enough, 4 * c.enough}) {
      const Learning found = learning(c.half_life, nodes, c.prior);
      const std::string what = "half-life " + std::to_string(c.half_life) + ", nodes " + std::to_string(nodes) +
                               ": near " + std::to_string(found.near) + ", covers " + std::to_string(found.covers);
      std::printf("%s\n", what.c_str());
      if (nodes >= c.enough) {
        EXPECT_GE(found.near, 0.9) << what;
        EXPECT_GE(found.covers, 0.85) << what;
        EXPECT_GE(found.near, last) << what;
      }
      last = found.near;
    }
  }
}

// A good prior makes ten nodes enough to be useful; without one they are not.
TEST(LearnedHalfLife, APriorHelpsInTheFirstWeek) {
  const Learning good = learning(12, 10, {12, 5});
  const Learning none = learning(12, 10, {31, 0.01});
  EXPECT_GE(good.near, 0.6);
  EXPECT_GE(good.near, none.near + 0.1);
}

}  // namespace
}  // namespace orbwatch::track
