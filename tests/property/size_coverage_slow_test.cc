// How often the 90 % interval of a network's size holds the truth, over the range of networks that are known:
// half-lives of 17 to 77 days, 40 to 2,000 nodes, 14 to 45 daily windows, a living node seen in 2 to 30 % of them.
// Worlds that break the model are measured beside it: docs/lifecycle.md tells their figures.
#include <gtest/gtest.h>

#include "track/network_test_util.h"

namespace orbwatch::track::test {
namespace {

// An interval that holds the truth in 90 % of cases does so in fewer than 34 of 40 seeds in one set of ten, and in
// fewer than 30 in one of 300. Hence two bars: no set below 0.75, and one in seven at most below 0.85.
TEST(SizeCoverage, OverTheRangeOfKnownNetworks) {
  int sets = 0, below = 0;
  double now = 0, ever = 0;
  for (const double half_life : {17.0, 31.0, 77.0}) {
    for (const double nodes : {40.0, 300.0, 2000.0}) {
      for (const std::size_t windows : {std::size_t{14}, std::size_t{45}}) {
        for (const double p : {0.02, 0.1, 0.3}) {
          const Coverage c = coverage({half_life, nodes, windows, p}, "steady");
          EXPECT_GE(c.now, 0.75);
          below += c.now < 0.85 - 1e-9 ? 1 : 0;
          now += c.now;
          ever += c.ever;
          ++sets;
        }
      }
    }
  }
  std::printf("%d sets: %d below 0.85; mean %.3f, ever %.3f\n", sets, below, now / sets, ever / sets);
  EXPECT_LE(below * 7, sets);
  EXPECT_GE(now / sets, 0.87);
  EXPECT_GE(ever / sets, 0.85);
}

TEST(SizeCoverage, GrowingAndDyingNetworks) {
  for (const double growth : {0.0, 0.3, 3.0}) {
    for (const double p : {0.02, 0.1, 0.3}) {
      const Coverage c = coverage({.nodes = 300, .p = p, .growth = growth}, growth < 1 ? "dying" : "growing");
      EXPECT_GE(c.now, 0.75);
    }
  }
}

// Nodes that are seen more or less readily: logit(p) with a standard deviation of 1 means 0.02 to 0.37 around 0.1 for
// nine nodes in ten. Where that shows, it is modelled. The last two worlds show too little of a small difference: the
// size then comes out too low, and nothing says so.
TEST(SizeCoverage, NodesThatDiffer) {
  const World shown[] = {{31, 100, 30, 0.2}, {31, 300, 30, 0.1}, {17, 300, 45, 0.1}};
  const World hidden[] = {{77, 1000, 14, 0.1}, {31, 300, 45, 0.03}};
  for (World world : shown) {
    for (const double differences : {0.5, 1.0}) {
      world.differences = differences;
      EXPECT_GE(coverage(world, differences < 1 ? "differ by 0.5" : "differ by 1", 20).now, 0.7);
    }
  }
  for (World world : hidden) {
    world.differences = 1;
    EXPECT_GE(coverage(world, "differ by 1", 20).now, 0.7);
    world.differences = 0.5;
    EXPECT_LT(coverage(world, "differ by 0.5", 20).bias, 0);
  }
}

// Where the model is wrong.
TEST(SizeCoverage, BrokenAssumptions) {
  const Coverage bursts = coverage({.nodes = 300, .p = 0.1, .bursts = true}, "bursts of 20");
  EXPECT_GE(bursts.now, 0.7);
  const Coverage weekends = coverage({.nodes = 300, .p = 0.1, .quiet_weekends = true}, "quiet weekends");
  EXPECT_GE(weekends.named, 0.8);
  // A rate of death that changes with age: the half-life is then none of the model's, the size holds.
  for (const double shape : {0.6, 2.0}) {
    EXPECT_GE(coverage({.nodes = 300, .p = 0.1, .shape = shape}, shape < 1 ? "lives of 0.6" : "lives of 2").now, 0.75);
  }
}

}  // namespace
}  // namespace orbwatch::track::test
