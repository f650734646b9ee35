#include "track/networks.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "track/network_sightings_test_util.h"

namespace orbwatch::track {
namespace {

using core::Ip;
using test::Agreement;
using test::Differ;
using test::Sightings;
using test::SightingWorld;

NetworkTracker follow(const Sightings& world) {
  NetworkTracker tracker({.recluster = 12 * core::kHour});
  for (const NodeSighting& s : world.all) tracker.add(s);
  tracker.settle();
  return tracker;
}

struct Seeds {
  double mean_rand = 0, least_rand = 1, found = 0, innocents = 0, most_innocents = 0;
  int right = 0;  // seeds with an index of 0.9 or more
};
Seeds over_seeds(const SightingWorld& world, const char* what, std::uint64_t seeds = 20) {
  Seeds out;
  for (std::uint64_t seed = 1; seed <= (std::getenv("SEEDS") ? std::atoi(std::getenv("SEEDS")) : seeds); ++seed) {
    const Sightings truth = test::sightings(world, seed);
    const Agreement a = test::agreement(follow(truth), truth);
    const double share = 1 / static_cast<double>(seeds);
    out.mean_rand += share * a.rand;
    out.least_rand = std::min(out.least_rand, a.rand);
    out.found += share * a.found;
    out.innocents += share * a.innocents;
    out.most_innocents = std::max(out.most_innocents, a.innocents);
    out.right += a.rand >= 0.9 ? 1 : 0;
    if (std::getenv("EACH")) { NetworkTracker t = follow(truth);
      std::map<int,std::pair<int,int>> k; for (auto& [ip,kind]: truth.innocents) { ++k[kind].second; k[kind].first += !t.network_of(ip).empty(); }
      for (auto& [kind,c]: k) std::printf("   kind %d: %d of %d\n", kind, c.first, c.second);
      for (auto& n : t.networks()) { std::printf("   %s %zu coh %.2f conf %.2f: %s\n", n.id.c_str(), n.nodes.size(), n.cohesion, n.confidence, n.history[0].why.c_str()); } }
    if (std::getenv("EACH")) std::printf("  seed %2llu ARI %.3f found %.3f innocents %.4f networks %zu\n", (unsigned long long)seed, a.rand, a.found, a.innocents, a.networks);
  }
  std::printf("%-14s ARI mean %.3f least %.3f, %2d of %2d seeds >= 0.9 | found %.3f | innocents mean %.4f most %.4f\n",
              what, out.mean_rand, out.least_rand, out.right, static_cast<int>(seeds), out.found, out.innocents,
              out.most_innocents);
  return out;
}

TEST(Networks, DifferInTheClient) {
  const Seeds s = over_seeds({.differ = Differ::kClient}, "client");
  EXPECT_GE(s.mean_rand, 0.9);
  EXPECT_LE(s.innocents, 0.01);
}
TEST(Networks, DifferInTheCadence) {
  const Seeds s = over_seeds({.differ = Differ::kCadence}, "cadence");
  EXPECT_GE(s.mean_rand, 0.9);
  EXPECT_LE(s.innocents, 0.01);
}
TEST(Networks, DifferInTheTargets) {
  const Seeds s = over_seeds({.differ = Differ::kTargets}, "targets");
  EXPECT_GE(s.mean_rand, 0.9);
  EXPECT_LE(s.innocents, 0.01);
}
TEST(Networks, Harder) {
  over_seeds({.differ = Differ::kHoursOnly}, "hours only");
  over_seeds({.differ = Differ::kAccountsOnly}, "accounts only");
  over_seeds({.differ = Differ::kNothing, .second = false}, "one network");
}

}  // namespace
}  // namespace orbwatch::track
