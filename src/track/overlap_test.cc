#include "track/overlap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace orbwatch::track {
namespace {

// Fisher's lady tasting tea (1935): 4 of 4 right by chance in 1 of 70 cases, 3 or more in 17 of 70.
TEST(Overlap, LadyTastingTea) {
  EXPECT_NEAR(overlap(4, 4, 4, 8)->log10_p, -std::log10(70), 1e-12);
  EXPECT_NEAR(overlap(4, 4, 3, 8)->log10_p, std::log10(17.0 / 70), 1e-12);
  EXPECT_NEAR(overlap(4, 4, 0, 8)->log10_p, 0, 1e-12);
}

// Expected values: scipy.stats.hypergeom.
TEST(Overlap, TailsOnBothSidesOfChance) {
  const auto more = overlap(50, 60, 10, 1000);
  ASSERT_TRUE(more);
  EXPECT_NEAR(more->log10_p, -3.355875967, 1e-8);
  EXPECT_NEAR(more->expected, 3, 1e-12);
  EXPECT_NEAR(more->jaccard, 0.1, 1e-12);
  EXPECT_NEAR(overlap(50, 60, 3, 1000)->log10_p, -0.229638479, 1e-8);
  EXPECT_NEAR(overlap(50, 60, 1, 1000)->log10_p, -0.018546263, 1e-8);
  EXPECT_NEAR(overlap(5000, 4000, 200, 10'000'000)->log10_p, -319.4279822810, 1e-7);
  // One node of each of two sets of 1000 out of 2^53: 10^6 / 2^53.
  EXPECT_NEAR(overlap(1000, 1000, 1, std::uint64_t{1} << 53)->log10_p, 6 - 53 * std::log10(2), 1e-6);
}

TEST(Overlap, IsSymmetricAndMonotone) {
  double last = 1;
  for (std::uint64_t common = 0; common <= 300; ++common) {
    const auto forth = overlap(300, 400, common, 5000), back = overlap(400, 300, common, 5000);
    ASSERT_TRUE(forth && back);
    EXPECT_NEAR(forth->log10_p, back->log10_p, 1e-7 * (1 - forth->log10_p));
    EXPECT_LE(forth->log10_p, last);
    last = forth->log10_p;
  }
}

TEST(Overlap, EdgeCases) {
  EXPECT_FALSE(overlap(3, 4, 4, 10));
  EXPECT_FALSE(overlap(30, 4, 4, 10));
  EXPECT_FALSE(overlap(8, 8, 2, 10));  // at least 6 must be common
  EXPECT_FALSE(overlap(0, 0, 0, 0));
  EXPECT_FALSE(overlap(1, 1, 1, ~std::uint64_t{0}));
  EXPECT_EQ(overlap(8, 8, 6, 10)->log10_p, 0);
  EXPECT_EQ(overlap(0, 4, 0, 10)->jaccard, 0);
  EXPECT_EQ(overlap(0, 0, 0, 10)->jaccard, 0);
  EXPECT_EQ(overlap(10, 10, 10, 10)->jaccard, 1);
  EXPECT_EQ(overlap(10, 10, 10, 10)->log10_p, 0);
}

TEST(Handover, ByTime) {
  const std::vector<Use> first = {{1, 0, 10}, {2, 0, 10}, {3, 20, 30}, {4, 0, 5}, {9, 0, 1}};
  const std::vector<Use> second = {{1, 5, 20}, {2, 15, 20}, {3, 0, 11}, {4, 5.5, 9}, {8, 0, 1}};
  const Handover h = handover(first, second);
  EXPECT_EQ(h.common, 4u);
  EXPECT_EQ(h.together, 2u);  // 4: half a day apart
  EXPECT_EQ(h.onward, 1u);
  EXPECT_EQ(h.back, 1u);
  EXPECT_NEAR(h.median_gap, 7, 1e-12);
  const Handover turned = handover(second, first);
  EXPECT_EQ(turned.together, 2u);
  EXPECT_EQ(turned.onward, 1u);
  EXPECT_EQ(handover({}, second).common, 0u);
  EXPECT_EQ(handover(first, std::vector<Use>{{1, 0, 1}, {1, 0, 1}}).common, 1u);  // said twice, counted once
}

// McDonald, "Handbook of biological statistics", G-test of goodness of fit: crossbills of either bill, 1752 and 1895:
// G = 5.61, P = 0.018. Flowers 772, 1611, 737 of 1 : 2 : 1: G = 4.15, P = 0.126.
TEST(MixDeviation, PublishedExamples) {
  const auto bills = mix_deviation(std::vector<double>{1752, 1895}, std::vector<double>{1, 1});
  ASSERT_TRUE(bills);
  EXPECT_NEAR(bills->g, 5.6085, 1e-4);
  EXPECT_NEAR(bills->p_value, 0.017873, 1e-6);
  const auto flowers = mix_deviation(std::vector<double>{772, 1611, 737}, std::vector<double>{1, 2, 1});
  ASSERT_TRUE(flowers);
  EXPECT_NEAR(flowers->g, 4.1471, 1e-4);
  EXPECT_NEAR(flowers->p_value, 0.12574, 1e-5);
}

TEST(MixDeviation, NamesTheStrongest) {
  const std::vector<double> counts = {2, 60, 30, 0, 8}, population = {40, 20, 30, 10, 0};
  const auto mix = mix_deviation(counts, population, 3);
  ASSERT_TRUE(mix);
  EXPECT_LT(mix->p_value, 1e-10);
  EXPECT_GT(mix->bits, 0.5);
  ASSERT_EQ(mix->strongest.size(), 3u);
  EXPECT_EQ(mix->strongest[0].category, 4u);  // that nobody has
  EXPECT_EQ(mix->strongest[1].category, 1u);
  EXPECT_NEAR(mix->strongest[1].expected, 20, 1e-12);
  EXPECT_NEAR(mix->strongest[1].lift, 60.5 / 20.5, 1e-12);
  EXPECT_GT(mix->strongest[1].g, 0);
  EXPECT_EQ(mix->strongest[2].category, 0u);
  EXPECT_LT(mix->strongest[2].lift, 1);
  EXPECT_LT(mix->strongest[2].g, 0);
}

TEST(MixDeviation, EdgeCases) {
  const std::vector<double> none = {0, 0}, some = {3, 1}, wrong = {-1, 1};
  EXPECT_FALSE(mix_deviation({}, {}));
  EXPECT_FALSE(mix_deviation(none, some));
  EXPECT_FALSE(mix_deviation(some, none));
  EXPECT_FALSE(mix_deviation(wrong, some));
  EXPECT_FALSE(mix_deviation(some, std::vector<double>{1}));
  EXPECT_FALSE(mix_deviation(std::vector<double>{std::nan(""), 1}, some));
  const auto same = mix_deviation(std::vector<double>{30, 10}, some);
  EXPECT_NEAR(same->g, 0, 1e-9);
  EXPECT_NEAR(same->p_value, 1, 1e-6);
  EXPECT_EQ(mix_deviation(std::vector<double>{5}, std::vector<double>{1})->p_value, 1);
  // All categories are rare: one pool, nothing to compare.
  const auto rare = mix_deviation(std::vector<double>{1, 0, 2}, std::vector<double>{1, 1, 1});
  EXPECT_EQ(rare->categories, 1u);
  EXPECT_EQ(rare->p_value, 1);
}

}  // namespace
}  // namespace orbwatch::track
