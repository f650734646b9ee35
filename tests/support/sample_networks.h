// Covert networks for tests: one with something in every member, and a log in which there are some.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.h"
#include "score/network.h"

namespace orbwatch::testing {

// More nodes than JSON for people tells, numbers with many digits, `id` as its id.
inline score::Network sample_network(std::string id, std::size_t nodes = 2'100) {
  constexpr core::Nanoseconds kDay = 1'795'392'000 * core::kSecond;
  constexpr double kThird = 1.0 / 3;
  score::Network n;
  n.id = std::move(id);
  n.first = kDay + 1;
  n.last = kDay + 40 * core::kDay + 123'456'789;
  n.confidence = 1 - kThird / 1e5;
  n.cohesion = 10 * kThird;
  for (std::size_t i = 0; i < nodes; ++i) {
    score::NetworkNode& node = n.nodes.emplace_back();
    node.ip = i % 3 == 0 ? *core::Ip::parse(fmt::format("2001:db8::{:x}", i + 1))
                         : core::Ip::v4(0x05000001U + static_cast<std::uint32_t>(i));
    node.first = n.first + static_cast<core::Nanoseconds>(i) * core::kMinute;
    node.last = node.first + core::kDay;
    node.active = i < nodes / 2;
    node.asn = 4'200'000'000U + static_cast<std::uint32_t>(i % 7);
    node.provider = "Provider \"X\", \\ Köln\n\x01";
    node.country = "DE";
    node.city = "Köln";
    node.latitude = 50 + kThird;
    node.longitude = -6.96;
    node.type = static_cast<core::NetworkType>(i % (static_cast<unsigned>(core::NetworkType::kInternal) + 1));
    node.role = static_cast<score::NodeRole>(i % 4);
    node.role_why = "came to gateways itself: 3 attempts";
    node.sightings = i;
    node.strength = static_cast<double>(i) * kThird;
    node.evidence = -kThird;
  }
  n.active_nodes = nodes / 2;
  n.traits = {{"client", "AnyConnect 4.2.0", 3, kThird, kThird / 1e6, 1e6}, {"JA4", "t13d1516h2", 2, 1, 1e-9, 1e9}};
  n.behaviour.attempts_per_account_day = 1 + kThird;
  for (std::size_t h = 0; h < 24; ++h) n.behaviour.hours[h] = h * h;
  n.behaviour.accounts = {{"account", "alice.secret", 2, kThird, 0.01, 50}};
  n.behaviour.gateways = {{"gateway", "vpn-secret", 3, 1, 0.5, 2}};
  n.behaviour.ports = {{"port asked for", "443", 3, 1, 0.5, 2}};
  n.behaviour.accounts_tried = 7;
  n.providers = {{64'496, "Example Cable", 3, kThird, kThird / 7}, {0, "", 1, 0, 0}};
  n.births_by_day = {3, 0, 0, 7};
  n.history = {{kDay, score::NetworkChangeKind::kBorn, "", "4 nodes"},
               {kDay + core::kHour, score::NetworkChangeKind::kMerged, "00000000000000ff", "5.1 nats"},
               {kDay + core::kDay, score::NetworkChangeKind::kSplit, "00000000000000fe", "0.2 nats"}};
  n.links = {{0, 1, 5 + kThird, "same client 'AnyConnect 4.2.0'"}, {1, 2, 4, "same account"}};
  n.known = {{"Quad7", 2 + kThird, "2 of 17 traits of Quad7"}};
  n.overlaps = {{"00000000000000ee", 3, kThird, -2 * kThird, 1, 2, 0}};
  n.likely_providers = {{64'496, "Example Cable", {kThird, kThird / 2, 2 * kThird}}};
  n.findings = {"f1", "f2"};
  n.campaigns = {"f2"};
  n.size = score::Bounds{40 + kThird, 3 * kThird, std::numeric_limits<double>::infinity()};
  n.size_day = kDay + 37 * core::kDay;
  n.size_method = "open population";
  n.size_doubts = {"nodes are not alike"};
  n.half_life_days = score::Bounds{7 * kThird, 1, 5};
  n.births_expected = score::Bounds{kThird, 0, 2};
  n.survival = {{0, 1}, {kThird, 2 * kThird}};
  return n;
}

// Lines of a Cisco ASA: 30 people at work for five days, and 12 strange addresses that share out six of their accounts.
// They give more than one network, since they differ in their hours. Ends a day behind what makes networks.
inline std::string covert_network_log() {
  constexpr core::Nanoseconds kBegin = 1'772'409'600 * core::kSecond;  // 2026-03-02T00:00:00Z, a Monday
  std::vector<std::pair<core::Nanoseconds, std::string>> lines;
  const auto add = [&](core::Nanoseconds time, std::string_view says) {
    const core::CivilTime c = core::to_utc(time);
    lines.emplace_back(time, fmt::format("<166>Mar {:02} {} {:02}:{:02}:{:02} gw1 : {}\n", c.day, c.year, c.hour,
                                         c.minute, c.second, says));
  };
  for (int d = 0; d < 5; ++d) {
    const core::Nanoseconds day = kBegin + d * core::kDay;
    for (int u = 0; u < 30; ++u)
      add(day + 8 * core::kHour + u * core::kMinute,
          fmt::format("%ASA-6-722022: Group <Staff> User <user{}> IP <81.{}.4.7> TCP SVC connection established "
                      "without compression",
                      u, u));
    for (int n = 0; n < 12; ++n) {
      for (int k = 0; k < 6; ++k)
        add(day + (n * 2 + k * 3) % 24 * core::kHour + (n * 7 + k) % 60 * core::kMinute,
            fmt::format("%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database "
                        ": user = user{} : user IP = {}.{}.3.9",
                        k, 91 + n, n));
    }
  }
  std::ranges::stable_sort(lines, {}, &std::pair<core::Nanoseconds, std::string>::first);
  std::string out;
  for (const auto& [time, line] : lines) out += line;
  return out;
}

}  // namespace orbwatch::testing
