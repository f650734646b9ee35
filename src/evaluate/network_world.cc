#include "evaluate/network_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <string>

namespace orbwatch::evaluate {
namespace {

using score::Network;
using score::NetworkNode;
using track::NetworkTracker;
using track::NodeSighting;
using track::SightingKind;
using track::Trait;
using track::TraitKind;

constexpr core::Nanoseconds kMonday = 1'795'392'000 * core::kSecond;  // 2026-11-23T00:00:00Z

}  // namespace

Sightings sightings(const SightingWorld& world, std::uint64_t seed) {
  boost::random::mt19937_64 random(seed * 104'729);
  boost::random::uniform_01<double> uniform;
  boost::random::exponential_distribution<double> exponential;
  const auto below = [&](int n) { return boost::random::uniform_int_distribution<int>(0, n - 1)(random); };
  const auto poisson = [&](double mean) { return boost::random::poisson_distribution<int>(mean)(random); };
  const auto symbol = [](const std::string& text) { return core::intern(text); };
  Sightings out;
  out.first_day = kMonday;
  std::uint32_t next_home = 0x18000000, next_server = 0x2d000000;

  // Who stands at an address: few providers have most of the homes.
  const auto home = [&] {
    NodeSighting s;
    const int provider = std::min(below(20), below(20));
    next_home += 1 + static_cast<std::uint32_t>(below(5000));
    s.address = core::Ip::v4(next_home);
    s.asn = 7000 + static_cast<std::uint32_t>(provider);
    s.provider = symbol(fmt::format("Broadband {}", provider));
    s.country = symbol(provider < 12 ? "DE" : provider < 16 ? "FR" : "US");
    s.type = core::NetworkType::kConsumer;
    return s;
  };
  const auto server = [&] {
    NodeSighting s = home();
    next_server += 1 + static_cast<std::uint32_t>(below(5000));
    s.address = core::Ip::v4(next_server);
    s.asn = 60'000 + static_cast<std::uint32_t>(below(15));
    s.provider = symbol(fmt::format("Hoster {}", s.asn));
    s.type = core::NetworkType::kHosting;
    return s;
  };
  const auto put = [&](NodeSighting s, double day, SightingKind kind, double strength) {
    s.time = kMonday + static_cast<core::Nanoseconds>(day * static_cast<double>(core::kDay));
    s.kind = kind;
    s.strength = strength;
    out.all.push_back(s);
  };
  const auto account = [&](int i) { return symbol(fmt::format("user{}", i)); };
  const auto gateway = [&](int i) { return symbol(fmt::format("vpn{}", i)); };

  // Staff: at work by day, nearly all with one of few clients.
  for (int u = 0; u < world.staff; ++u) {
    NodeSighting at_home = home();
    const int version = std::min(below(6), below(6));
    const bool contractor = u < 8;
    std::string client = fmt::format("AnyConnect 5.1.{}", version);
    if (contractor)
      client = "openfortivpn 1.17";
    else if (u % 20 == 0)
      client = fmt::format("own build {}", u);
    at_home.add(Trait::of(TraitKind::kClient, symbol(client)));
    at_home.add(Trait::of(TraitKind::kJa4, symbol(contractor ? "t13d_go" : fmt::format("t13d_{}", version / 2))));
    at_home.account = account(u);
    at_home.gateway = gateway(contractor ? 1 : below(3));
    NodeSighting mobile = at_home;
    const int pool = below(30);
    mobile.address = core::Ip::v4(0x50000000U + static_cast<std::uint32_t>(pool));
    mobile.asn = 9000;
    mobile.provider = symbol("Mobile");
    mobile.type = core::NetworkType::kCgnat;
    const bool clumsy = contractor || uniform(random) < 0.6;
    for (int day = 0; day < world.days; ++day) {
      if (day % 7 >= 5 || uniform(random) < 0.2) continue;
      const NodeSighting& where = uniform(random) < 0.2 ? mobile : at_home;
      const double at = day + (6 + 11 * uniform(random)) / 24;
      put(where, at, SightingKind::kOrdinary, 0);
      if (!clumsy || uniform(random) > 0.35) continue;
      // Own password mistyped, or a log-in that looks strange for once.
      for (int i = 1 + below(3); i > 0; --i)
        put(where, at - 0.0004 * i, SightingKind::kFailedLogin, 0.2 + 0.6 * uniform(random));
      if (uniform(random) < 0.2) put(where, at + 0.0004, SightingKind::kStrangeLogin, 1 + 2 * uniform(random));
      out.innocents.emplace(where.address, contractor ? 3 : 1);
    }
  }
  // The internet's noise: scanners with the usual tools, guessing the usual names, at all hours.
  const std::vector<std::uint16_t> popular = {22, 23, 80, 443, 8080, 8443, 3389, 445, 5900, 21};
  for (int i = 0; i < world.scanners; ++i) {
    NodeSighting s = uniform(random) < 0.6 ? server() : home();
    const int tool = std::min(below(8), below(8));
    s.add(Trait::of(TraitKind::kJa4, symbol(fmt::format("tool_{}", tool))));
    const bool guesses = uniform(random) < 0.4;
    if (guesses) s.add(Trait::of(TraitKind::kClient, symbol(fmt::format("scanner {}", tool))));
    for (int k = 1 + poisson(4 * exponential(random)); k > 0; --k) {
      NodeSighting step = s;
      step.gateway = gateway(below(3));
      if (guesses) {
        constexpr std::array<const char*, 8> kNames = {"admin", "test", "root", "guest",
                                                       "vpn",   "user", "info", "oracle"};
        step.account = symbol(uniform(random) < 0.8 ? kNames[static_cast<std::size_t>(below(8))]
                                                    : fmt::format("guess{}", below(500)));
      } else {
        for (int p = 1 + below(4); p > 0; --p)
          step.add_port(popular[static_cast<std::size_t>(std::min(below(10), below(10)))]);
      }
      put(step, world.days * uniform(random), guesses ? SightingKind::kFailedLogin : SightingKind::kProbe,
          0.2 + 0.8 * uniform(random));
    }
    out.innocents.emplace(s.address, 2);
  }
  // The networks. Each day a network goes through its list, another node at each account.
  for (int n = 1; n <= (world.second ? 2 : 1); ++n) {
    const bool other = n == 2;
    const std::string client = world.differ == Differ::kClient && other ? "openconnect 8.20" : "AnyConnect 4.2.0";
    struct Member {
      NodeSighting who;
      double born = 0, dies = 0;
    };
    std::vector<Member> members;
    const auto member = [&](double born) {
      Member m{home(), born, born + world.mean_life * exponential(random)};
      if (world.mobile_exits && uniform(random) < 0.2) m.who.type = core::NetworkType::kMobile;
      m.who.add(Trait::of(TraitKind::kClient, symbol(client)));
      members.push_back(m);
    };
    for (int i = 0; i < world.nodes; ++i) member(0);
    for (int i = poisson(world.nodes / world.mean_life * world.days); i > 0; --i) member(world.days * uniform(random));
    const bool targets = other && world.differ == Differ::kTargets;
    const bool accounts = targets || (other && world.differ == Differ::kAccountsOnly);
    const bool bursts = other && world.differ == Differ::kCadence;
    const bool late = bursts || (other && world.differ == Differ::kHoursOnly);
    const bool hours = world.differ == Differ::kCadence || world.differ == Differ::kHoursOnly;
    for (int day = 0; day < world.days; ++day) {
      std::vector<std::size_t> alive;
      for (std::size_t m = 0; m < members.size(); ++m) {
        if (members[m].born <= day + 0.5 && members[m].dies > day + 0.5) alive.push_back(m);
      }
      if (alive.empty()) continue;
      const int steps = poisson(world.steps_a_day * static_cast<double>(alive.size()));
      for (int i = 0; i < steps; ++i) {
        NodeSighting s = members[alive[static_cast<std::size_t>(below(static_cast<int>(alive.size())))]].who;
        const int target = (i + day * 7) % 150 + (accounts ? 200 : 10);
        s.account = account(target);
        s.gateway = gateway(targets ? 1 : 0);
        const double at =
            day + (hours ? (late ? 13 + 8 * uniform(random) : 1 + 8 * uniform(random)) / 24 : uniform(random));
        for (int k = 0; k < (bursts ? 3 : 1); ++k)
          put(s, at + k * 0.002, SightingKind::kFailedLogin, 0.4 + 1.2 * uniform(random));
        out.networks.emplace(s.address, n);
      }
    }
    for (int day = 0; day < world.days; ++day) {
      out.alive[static_cast<std::size_t>(n - 1)].push_back(static_cast<std::size_t>(
          std::ranges::count_if(members, [&](const Member& m) { return m.born <= day + 0.5 && m.dies > day + 0.5; })));
    }
  }
  std::ranges::stable_sort(out.all, {}, &NodeSighting::time);
  return out;
}

double adjusted_rand(const std::vector<std::pair<int, std::string>>& labels) {
  std::map<std::pair<int, std::string>, double> both;
  std::map<int, double> rows;
  std::map<std::string, double> columns;
  for (const auto& [truth, id] : labels) {
    ++both[{truth, id}];
    ++rows[truth];
    ++columns[id];
  }
  const auto pairs = [](double n) { return n * (n - 1) / 2; };
  double together = 0, by_row = 0, by_column = 0;
  for (const auto& [key, n] : both) together += pairs(n);
  for (const auto& [key, n] : rows) by_row += pairs(n);
  for (const auto& [key, n] : columns) by_column += pairs(n);
  const double expected = by_row * by_column / pairs(static_cast<double>(labels.size()));
  const double most = (by_row + by_column) / 2;
  return most == expected ? 1 : (together - expected) / (most - expected);
}

Agreement agreement(const NetworkTracker& tracker, const Sightings& truth) {
  Agreement out;
  std::vector<std::pair<int, std::string>> labels;
  for (const auto& [ip, network] : truth.networks) {
    labels.emplace_back(network, tracker.network_of(ip));
    out.found += labels.back().second.empty() ? 0 : 1;
  }
  out.found /= static_cast<double>(labels.size());
  out.rand = adjusted_rand(labels);
  for (const auto& [ip, kind] : truth.innocents) out.innocents += tracker.network_of(ip).empty() ? 0 : 1;
  out.innocents /= static_cast<double>(truth.innocents.size());
  for (const Network& network : tracker.networks()) {
    for (const NetworkNode& node : network.nodes) {
      if (!node.active) continue;
      ++out.networks;
      break;
    }
  }
  return out;
}

}  // namespace orbwatch::evaluate
