// Covert networks as sightings (track/networks.h), with the truth: one or two at work at once, an organisation's staff
// and the Internet's ordinary noise. What the networks differ in is chosen; all else they have in common. For the bars
// of `orbwatch evaluate networks`; simulate.h writes whole logs, in which less of each network is seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/ip.h"
#include "track/networks.h"

namespace orbwatch::evaluate {

enum class Differ : std::uint8_t { kNothing, kClient, kCadence, kHoursOnly, kTargets, kAccountsOnly };

struct SightingWorld {
  Differ differ = Differ::kClient;
  int days = 10;
  int nodes = 60;  // of each network, at a time
  int staff = 400;
  int scanners = 300;
  double steps_a_day = 2;  // of a node
  double mean_life = 17;   // days, of a node; exponential
  bool second = true;      // the second network is there
  bool mobile_exits = false;
};

struct Sightings {
  std::vector<track::NodeSighting> all;  // by time
  std::map<core::Ip, int> networks;      // 1 or 2, by address that was seen
  std::map<core::Ip, int> innocents;     // with a weak event; 1 = mistyped or on the way, 2 = scanner, 3 = contractor
  std::array<std::vector<std::size_t>, 2> alive;  // nodes of each network at noon of each day, seen or not
  core::Nanoseconds first_day = 0;                // midnight
};

// The same world and seed give the same sightings on every machine.
Sightings sightings(const SightingWorld& world, std::uint64_t seed);

// Hubert and Arabie, "Comparing partitions", Journal of Classification 2 (1985): 1 = the same partition, 0 = as chance.
double adjusted_rand(const std::vector<std::pair<int, std::string>>& labels);

struct Agreement {
  double rand = 0;       // adjusted Rand index over the nodes; those in no network are one class more
  double found = 0;      // share of the nodes in a network
  double innocents = 0;  // share of the innocent addresses with a weak event that are in one
  std::size_t networks = 0;
};
Agreement agreement(const track::NetworkTracker& tracker, const Sightings& truth);

}  // namespace orbwatch::evaluate
