// Two networks that differ in one trait, seeds 1 to 20: docs/networks.md has the figures.
#include <gtest/gtest.h>

#include "track/network_sightings_test_util.h"

namespace orbwatch::track::test {
namespace {

void holds(const SightingWorld& world) {
  const Seeds s = over_seeds(world, 20);
  EXPECT_GE(s.mean_rand, 0.9);
  EXPECT_GE(s.right, 16);  // measured: 20, 17 and 20 of 20
  EXPECT_LE(s.most_innocents, 0.01);
}

TEST(NetworksSlow, DifferInTheClient) { holds({.differ = Differ::kClient}); }
TEST(NetworksSlow, DifferInTheCadence) { holds({.differ = Differ::kCadence}); }
TEST(NetworksSlow, DifferInTheTargets) { holds({.differ = Differ::kTargets}); }
TEST(NetworksSlow, DifferInTheHoursOnly) {
  const Seeds s = over_seeds({.differ = Differ::kHoursOnly}, 20);
  EXPECT_LE(s.most_innocents, 0.01);
}
TEST(NetworksSlow, DifferInTheAccountsOnly) {
  const Seeds s = over_seeds({.differ = Differ::kAccountsOnly}, 20);
  EXPECT_LE(s.most_innocents, 0.01);
}
TEST(NetworksSlow, OneNetworkIsOne) {
  const Seeds s = over_seeds({.differ = Differ::kNothing, .second = false}, 20);
  EXPECT_GE(s.found, 0.9);
  EXPECT_LE(s.networks, 1.25);
}

}  // namespace
}  // namespace orbwatch::track::test
