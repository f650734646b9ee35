#include "track/network_lives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>

#include "evaluate/network_world.h"
#include "pipeline/learned_half_lives.h"

namespace orbwatch::evaluate {
namespace {

using core::NetworkType;

track::NetworkTracker tracked(const SightingWorld& world, std::uint64_t seed) {
  track::NetworkTracker tracker;
  for (const track::NodeSighting& s : sightings(world, seed).all) tracker.add(s);
  tracker.settle();
  return tracker;
}

score::NodeHalfLife learned(const track::NetworkTracker& tracker, NetworkType type) {
  const auto all = pipeline::half_lives_of(tracker.lives());
  return *std::ranges::find(all, type, &score::NodeHalfLife::type);
}

// Seeds for development; what `orbwatch evaluate networks` reports has others.
TEST(NetworkLives, TheHalfLifeOfNodesIsLearned) {
  for (const double mean_life : {10.0, 17.0}) {
    const double truth = mean_life * std::numbers::ln2;
    for (const std::uint64_t seed : {1U, 2U}) {
      const auto tracker = tracked({.days = 40, .staff = 100, .scanners = 75, .mean_life = mean_life}, seed);
      const score::NodeHalfLife h = learned(tracker, NetworkType::kConsumer);
      ASSERT_TRUE(h.learned_days) << mean_life;
      EXPECT_FALSE(h.cut);
      EXPECT_NEAR(h.days / truth, 1, 0.2) << "mean life " << mean_life << ", seed " << seed << ": " << h.deaths;
      EXPECT_LT(h.learned_days->low, h.days);
      EXPECT_GT(h.learned_days->high, h.days);
      EXPECT_GT(h.lives, h.deaths);
    }
  }
}

}  // namespace
}  // namespace orbwatch::evaluate
