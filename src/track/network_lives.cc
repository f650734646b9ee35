#include "track/network_lives.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include "track/networks.h"

namespace orbwatch::track {
namespace {

using core::kDay;
using core::Nanoseconds;

double days(Nanoseconds time) { return static_cast<double>(time) / static_cast<double>(kDay); }

// One owner of an address, whichever networks it was in.
struct Seen {
  Nanoseconds first = 0, last = 0;
  Nanoseconds known_from = 0;
  std::uint64_t on_days = 0;
  core::NetworkType type = core::NetworkType::kUnknown;
  std::size_t network = 0;  // any of them
};

// Networks that have had an address in common are parts of one: they merge, split and take over each other's nodes.
class Wholes {
 public:
  explicit Wholes(std::size_t networks) : parent_(networks) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t of(std::size_t network) {
    while (parent_[network] != network) network = parent_[network] = parent_[parent_[network]];
    return network;
  }
  void join(std::size_t a, std::size_t b) { parent_[std::max(of(a), of(b))] = std::min(of(a), of(b)); }

 private:
  std::vector<std::size_t> parent_;
};

struct Whole {
  Nanoseconds last = 0;
  double length = 0;  // days from the first to the last day of its nodes that were seen more than once
  double pauses = 0;  // on the way
};

}  // namespace

NodeLives NetworkTracker::lives() const {
  std::vector<std::pair<double, const Entity*>> sure;
  for (const auto& [number, entity] : networks_) {
    if (const double how_sure = confidence(entity); how_sure >= NodeLives::kLeastConfidence)
      sure.emplace_back(how_sure, &entity);
  }
  std::ranges::sort(sure, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id < b.second->id;
  });
  NodeLives out;
  out.networks = sure.size();

  std::vector<Seen> nodes;  // in the order of their networks
  absl::flat_hash_map<std::pair<core::Ip, Nanoseconds>, std::size_t> known;
  absl::flat_hash_map<core::Ip, std::size_t> network_of;
  Wholes wholes(sure.size());
  for (std::size_t n = 0; n < sure.size(); ++n) {
    const Entity& entity = *sure[n].second;
    const Nanoseconds known_from = entity.past.size() >= limits_.most_past_nodes ? entity.past.front().last : 0;
    const auto add = [&](const core::Ip& ip, Seen seen) {
      const auto [other, first_time] = network_of.try_emplace(ip, n);
      if (!first_time) wholes.join(n, other->second);
      const auto [at, fresh] = known.try_emplace({ip, seen.first}, nodes.size());
      if (fresh) {
        nodes.push_back(seen);
        return;
      }
      Seen& before = nodes[at->second];
      seen.known_from = std::max(seen.known_from, before.known_from);
      seen.network = before.network;
      if (seen.last > before.last) {
        before = seen;
      } else {
        before.known_from = seen.known_from;
      }
    };
    for (const core::Ip& ip : entity.members) {
      const Node& node = nodes_.at(ip);
      add(ip, {node.first, node.last, known_from, node.days, node.facts.type, n});
    }
    for (const PastNode& past : entity.past) {
      // Who left it may still come here.
      const auto node = nodes_.find(past.ip);
      const bool comes = node != nodes_.end() && node->second.first == past.first;
      add(past.ip, {past.first, comes ? node->second.last : past.last, known_from,
                    comes ? node->second.days : past.days, past.facts.type, n});
    }
  }

  std::vector<Whole> of(sure.size());
  for (std::size_t n = 0; n < sure.size(); ++n) {
    Whole& whole = of[wholes.of(n)];
    whole.last = std::max(whole.last, sure[n].second->last);
  }
  for (const Seen& node : nodes) {
    if (std::popcount(node.on_days) < 2) continue;
    Whole& whole = of[wholes.of(node.network)];
    whole.length += static_cast<double>(std::bit_width(node.on_days) - 1);
    whole.pauses += std::popcount(node.on_days) - 1;
  }
  for (const Seen& node : nodes) {
    const Whole& whole = of[wholes.of(node.network)];
    if (whole.pauses == 0) continue;
    const double pause = whole.length / whole.pauses;  // 1 or more
    const double given_up = NodeRules::kSilentHalfLives * days(half_life_of(node.type));
    const double silence = std::min(NodeRules::silence(pause), given_up);
    const double seen = days(node.last - node.first);
    const double watched = days(whole.last - node.first) - silence;  // up to the horizon
    ObservedLife life;
    life.entry = std::max<double>(NodeRules::kPlacedDays, days(node.known_from - node.first));
    life.alive = std::min(seen, watched);
    if (life.alive <= life.entry) continue;
    if (seen <= watched) life.dead = seen;
    auto& all = out.by_type[static_cast<std::size_t>(node.type)];
    if (all.size() < NodeLives::kMostOfKind) {
      all.push_back(life);
    } else {
      ++out.left_out;
    }
  }
  // Sums of fractions depend on the order.
  for (auto& all : out.by_type) {
    std::ranges::sort(all, {}, [](const ObservedLife& l) { return std::tuple(l.entry, l.alive, l.dead); });
  }
  return out;
}

}  // namespace orbwatch::track
