#include "evaluate/network_world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/archive.h"
#include "evaluate/network_measures.h"

namespace orbwatch::evaluate {
namespace {

using score::Network;
using score::NetworkChange;
using score::NetworkNode;
using score::NetworkTrait;
using track::NetworkTracker;
using track::NodeSighting;

// All that is told, in one text.
std::string told(const NetworkTracker& tracker) {
  std::string out;
  for (const Network& network : tracker.networks()) {
    out +=
        fmt::format("{} {} {} {} {}\n", network.id, network.first, network.last, network.confidence, network.cohesion);
    for (const NetworkNode& n : network.nodes)
      out += fmt::format("  {} {} {} {} {} {} {}\n", n.ip.text(), n.active, n.first, n.last, n.strength, n.evidence,
                         n.role_why);
    for (const NetworkTrait& t : network.traits) out += fmt::format("  {} {} {}\n", t.text, t.nodes, t.lift);
    for (const NetworkChange& c : network.history)
      out += fmt::format("  {} {} {} {}\n", c.time, name(c.kind), c.other, c.why);
    for (const std::uint64_t h : network.behaviour.hours) out += fmt::format(" {}", h);
    out += fmt::format(" {}\n", network.behaviour.attempts_per_account_day);
  }
  return out;
}

TEST(NetworkWorld, TwoThatDifferInOneTraitAreTwoAndInnocentsAreInNone) {
  // Seeds 1 to 20: `orbwatch evaluate networks`.
  for (const Differ differ : {Differ::kClient, Differ::kCadence, Differ::kTargets}) {
    const SeedsMeasured s = over_seeds({.differ = differ}, 1, 2);
    EXPECT_GE(s.mean_rand, 0.9);
    EXPECT_GE(s.least_rand, 0.85);
    EXPECT_LE(s.most_innocents, 0.01);
  }
}

TEST(NetworkWorld, AnySavingAndLoadingGivesTheSame) {
  const Sightings world = sightings({.days = 4, .nodes = 30, .staff = 100, .scanners = 100}, 3);
  NetworkTracker whole;
  for (const NodeSighting& s : world.all) whole.add(s);
  whole.settle();
  ASSERT_FALSE(whole.networks().empty());
  for (const std::size_t parts : {2U, 5U}) {
    auto tracker = std::make_unique<NetworkTracker>();
    for (std::size_t i = 0; i < world.all.size(); ++i) {
      if (i % (world.all.size() / parts) == 0) {
        core::ArchiveWriter writer;
        tracker->save(writer);
        ASSERT_TRUE(writer.finish());
        const std::string bytes = writer.take();
        tracker = std::make_unique<NetworkTracker>();
        core::ArchiveReader reader(bytes);
        tracker->load(reader);
        ASSERT_TRUE(reader.finish());
      }
      tracker->add(world.all[i]);
    }
    tracker->settle();
    EXPECT_EQ(told(*tracker), told(whole));
  }
}

TEST(NetworkWorld, TheIndexOfEqualPartitionsIsOneAndOfChanceNearNothing) {
  EXPECT_DOUBLE_EQ(adjusted_rand({{1, "a"}, {1, "a"}, {2, "b"}, {2, "b"}}), 1);
  // No pair is together in both; 2 of 6 are in each: (0 - 2 * 2 / 6) / (2 - 2 * 2 / 6).
  EXPECT_NEAR(adjusted_rand({{1, "a"}, {1, "b"}, {2, "a"}, {2, "b"}}), -0.5, 1e-9);
}

}  // namespace
}  // namespace orbwatch::evaluate
