// Claim: linking keeps up with 50,000 weak events a minute on one core, clusterings included. Processor time of
// track::NetworkTracker::add() over weak events at that rate, from a pool of addresses of which some are of networks:
//
//   networks_bench [minutes, default 130] [addresses, default 30000]
//
// Made-up sightings: one address in ten is of one of 20 networks (own client, own accounts), the others are strangers
// with one of 200 tools. The event time covers clusterings on the hour. Making the sightings is not measured.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>

#include "track/networks.h"

int main(int argc, char** argv) {
  using namespace orbwatch;
  const int minutes = argc > 1 ? std::atoi(argv[1]) : 130;
  const int addresses = argc > 2 ? std::atoi(argv[2]) : 30'000;
  constexpr int kRate = 50'000;
  constexpr core::Nanoseconds kBegin = 1'795'392'000 * core::kSecond;
  std::mt19937_64 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  std::vector<core::Symbol> tools, accounts, gateways;
  for (int i = 0; i < 220; ++i) tools.push_back(core::intern(fmt::format("tool {}", i)));
  for (int i = 0; i < 20'000; ++i) accounts.push_back(core::intern(fmt::format("user{}", i)));
  for (int i = 0; i < 8; ++i) gateways.push_back(core::intern(fmt::format("vpn{}", i)));
  track::NetworkTracker tracker;
  const auto cpu = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  double all = 0, worst = 0;
  for (int minute = 0; minute < minutes; ++minute) {
    std::vector<track::NodeSighting> batch(kRate);
    for (int i = 0; i < kRate; ++i) {
      track::NodeSighting& s = batch[static_cast<std::size_t>(i)];
      const int address = below(addresses);
      const int network = address % 10 == 0 ? address / 10 % 20 : -1;
      s.time = kBegin + minute * core::kMinute + i * core::kMinute / kRate;
      s.address = core::Ip::v4(0x20000000U + static_cast<std::uint32_t>(address) * 997U);
      s.kind = track::SightingKind::kFailedLogin;
      s.strength = 0.5;
      s.asn = 1000 + static_cast<std::uint32_t>(address % 300);
      s.type = core::NetworkType::kConsumer;
      s.gateway = gateways[static_cast<std::size_t>(below(8))];
      s.account = accounts[static_cast<std::size_t>(network < 0 ? below(20'000) : network * 300 + below(300))];
      s.add(track::Trait::of(track::TraitKind::kClient,
                             tools[static_cast<std::size_t>(network < 0 ? address % 200 : 200 + network)]));
    }
    const double before = cpu();
    for (const track::NodeSighting& s : batch) tracker.add(s);
    const double took = cpu() - before;
    all += took;
    worst = std::max(worst, took);
  }
  const double before_settle = cpu();
  tracker.settle();
  std::printf("one clustering of %zu addresses: %.2f s\n", tracker.nodes(), cpu() - before_settle);
  const auto& counts = tracker.counts();
  std::printf("%d minutes of %d events: %.2f s of processor a minute on average, %.2f s in the worst (of 60)\n",
              minutes, kRate, all / minutes, worst);
  std::printf("%zu addresses, %zu networks, %llu clusterings, %llu beyond the graph, %llu joined at once\n",
              tracker.nodes(), tracker.networks().size(), static_cast<unsigned long long>(counts.clusterings),
              static_cast<unsigned long long>(counts.not_clustered), static_cast<unsigned long long>(counts.joined));
}
