#include "track/forecast.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <cstdio>
#include <vector>

namespace orbwatch::track {
namespace {

// Ten days with 40 births: negative binomial of mean 4.05 and variance 4.455, that is r = 40.5 and p = 10 / 11: 1 to 8
// (scipy.stats.nbinom).
TEST(Forecast, BirthsAreNegativeBinomial) {
  const std::vector<std::uint32_t> days = {4, 3, 5, 4, 4, 3, 5, 4, 4, 4};
  const auto tomorrow = forecast_births(days);
  ASSERT_TRUE(tomorrow);
  EXPECT_NEAR(tomorrow->expected, 4.05, 1e-12);
  EXPECT_EQ(tomorrow->dispersion, 1);
  EXPECT_EQ(tomorrow->low, 1);
  EXPECT_EQ(tomorrow->high, 8);
}

TEST(Forecast, EdgeCases) {
  EXPECT_FALSE(forecast_births({}));
  EXPECT_FALSE(forecast_births(std::vector<std::uint32_t>{1}, 1));
  EXPECT_FALSE(forecast_births(std::vector<std::uint32_t>(10'001)));
  const auto none = forecast_births(std::vector<std::uint32_t>(30));
  ASSERT_TRUE(none);
  EXPECT_NEAR(none->expected, 0.5 / 30, 1e-12);
  EXPECT_EQ(none->low, 0);
  EXPECT_EQ(none->high, 0);
  const auto one = forecast_births(std::vector<std::uint32_t>{7});
  ASSERT_TRUE(one);
  EXPECT_GT(one->high, 10);
  const auto huge = forecast_births(std::vector<std::uint32_t>{4'000'000'000u, 0});
  ASSERT_TRUE(huge);
  EXPECT_GE(huge->high, huge->low);
}

// Steady births and births in batches: the 90 % interval holds the next day in 90 % of cases or a little more (counts
// are whole). `days` before it are known.
TEST(Forecast, IntervalsHoldTheNextDay) {
  for (const double batch : {1.0, 5.0}) {
    for (const double mean : {0.7, 6.0, 40.0}) {
      for (const int days : {7, 30}) {
        boost::random::mt19937_64 random(11);
        const auto births = [&] {
          return static_cast<std::uint32_t>(batch * boost::random::poisson_distribution<int>(mean / batch)(random));
        };
        int held = 0;
        constexpr int kTimes = 1000;
        for (int i = 0; i < kTimes; ++i) {
          std::vector<std::uint32_t> history(static_cast<std::size_t>(days));
          std::ranges::generate(history, births);
          const auto forecast = forecast_births(history);
          const double next = births();
          held += forecast && forecast->low <= next && next <= forecast->high ? 1 : 0;
        }
        std::printf("batches of %.0f, %.1f a day, %d days: %.3f\n", batch, mean, days, held / double{kTimes});
        // A week says little of how much days vary.
        EXPECT_GE(held, batch > 1 && days < 30 ? 820 : 870) << batch << " " << mean << " " << days;
      }
    }
  }
}

TEST(Forecast, DispersionOfBursts) {
  const std::vector<std::uint32_t> bursts = {0, 0, 0, 20, 0, 0, 0, 0, 20, 0};
  const auto tomorrow = forecast_births(bursts);
  ASSERT_TRUE(tomorrow);
  EXPECT_NEAR(tomorrow->dispersion, (8 * 16 + 2 * 256) / 4.0 / 9, 1e-9);
  EXPECT_EQ(tomorrow->low, 0);
  EXPECT_GT(tomorrow->high, 15);
}

TEST(LikelyProviders, AreSmoothedAndSorted) {
  // 10 of 20 nodes and a quarter of the population: 15 of 40; its interval that of beta(15, 25) (scipy.stats.beta).
  const std::vector<double> counts = {0, 10, 8, 2}, population = {0.5, 0.25, 0.25, 0};
  const auto likely = likely_providers(counts, population, 9);
  ASSERT_TRUE(likely);
  ASSERT_EQ(likely->size(), 4u);
  EXPECT_EQ((*likely)[0].provider, 1u);
  EXPECT_NEAR((*likely)[0].share.value, 0.375, 1e-12);
  EXPECT_NEAR((*likely)[0].share.low, 0.254143, 1e-6);
  EXPECT_NEAR((*likely)[0].share.high, 0.503055, 1e-6);
  EXPECT_EQ((*likely)[1].provider, 2u);
  EXPECT_EQ((*likely)[2].provider, 0u);  // none seen, but a large provider
  double sum = 0;
  for (const ProviderShare& p : *likely) {
    sum += p.share.value;
    EXPECT_LE(p.share.low, p.share.value);
    EXPECT_GE(p.share.high, p.share.value);
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(likely_providers(counts, population, 2)->size(), 2u);
}

TEST(LikelyProviders, EdgeCases) {
  const std::vector<double> one = {3}, two = {0, 0};
  EXPECT_EQ((*likely_providers(one, {}, 5))[0].share.value, 1);
  EXPECT_NEAR((*likely_providers(two, {}, 5))[0].share.value, 0.5, 1e-12);
  EXPECT_FALSE(likely_providers({}, {}, 5));
  EXPECT_FALSE(likely_providers(one, two, 5));
  EXPECT_FALSE(likely_providers(two, two, 5));
  EXPECT_FALSE(likely_providers(one, {}, 5, 0));
  EXPECT_FALSE(likely_providers(std::vector<double>{-1}, {}, 5));
  EXPECT_FALSE(likely_providers(std::vector<double>{std::nan("")}, {}, 5));
  EXPECT_EQ(likely_providers(std::vector<double>{0, 4}, std::vector<double>{0, 1}, 5)->size(), 1u);
}

}  // namespace
}  // namespace orbwatch::track
