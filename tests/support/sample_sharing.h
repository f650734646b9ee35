// What is given away in tests: two networks, nodes of every role, traits of every kind.
#pragma once

#include <string>

#include "export/sharing/shared.h"

namespace orbwatch::testing {

inline constexpr core::Nanoseconds kSharedDay = 1'764'000'000 * core::kSecond;  // 2025-11-24T16:00:00Z

inline exporting::sharing::Indicator shared_node(const std::string& ip, exporting::sharing::Role role) {
  exporting::sharing::Indicator i;
  i.address = *core::Ip::parse(ip);
  i.role = role;
  i.first_seen = kSharedDay - 9 * core::kDay;
  i.last_seen = kSharedDay - 2 * core::kDay;
  i.asn = 64496;
  i.country = "DE";
  i.network_type = core::NetworkType::kConsumer;
  i.confidence = 0.9731;
  i.attack = {"T1090.003", "T1584.008"};
  i.sightings = {{3, i.first_seen, i.last_seen, exporting::sharing::Sensor::kRemoteAccess}};
  return i;
}

inline exporting::sharing::Trait shared_trait(exporting::sharing::TraitKind kind, const std::string& text) {
  return exporting::sharing::Trait::make(kind, text).value();
}

inline exporting::sharing::Shared sample_shared() {
  using exporting::sharing::Role;
  using exporting::sharing::TraitKind;
  exporting::sharing::Selection selection({});
  exporting::sharing::Network network;
  network.id = "ON-7";
  network.name = "Quiet Harbour";
  network.profile = "Quad7";
  network.first_seen = kSharedDay - 40 * core::kDay;
  network.last_seen = kSharedDay - core::kDay;
  network.least = 210;
  network.most = 480;
  network.nodes = 31;
  network.confidence = 0.8;
  network.attack = {"T1584.008"};
  network.traits = {shared_trait(TraitKind::kJarm, std::string(62, '2')),
                    shared_trait(TraitKind::kCertificateSha256, std::string(64, 'a')),
                    shared_trait(TraitKind::kBanner, "SSH-2.0-dropbear_2019.78")};
  selection.add(network);
  exporting::sharing::Network small;
  small.id = "ON-8";
  small.first_seen = small.last_seen = kSharedDay - core::kDay;
  selection.add(small);

  auto exit = shared_node("203.0.113.7", Role::kExit);
  exit.network = "ON-7";
  exit.traits = {shared_trait(TraitKind::kCertificateSha1, std::string(40, 'b')),
                 shared_trait(TraitKind::kJa3, std::string(32, 'c')),
                 shared_trait(TraitKind::kJa4, "t13d1516h2_8daaf6152771_b186095e22b6"),
                 shared_trait(TraitKind::kClient, "OpenVPN 2.5.1")};
  exit.sightings.push_back({12, exit.first_seen, exit.last_seen, exporting::sharing::Sensor::kEdge});
  selection.add(exit);
  auto controller = shared_node("198.51.100.20", Role::kController);
  controller.network = "ON-7";
  controller.port = 63256;
  controller.network_type = core::NetworkType::kHosting;
  controller.country = "NL";
  selection.add(controller);
  auto sixth = shared_node("2001:db8:7::1", Role::kTraversal);
  sixth.network = "ON-8";
  sixth.asn = 64497;
  selection.add(sixth);
  auto scanner = shared_node("198.51.100.9", Role::kScanner);
  scanner.attack = {"T1595"};
  scanner.network_type = core::NetworkType::kMobile;
  scanner.sightings[0].count = 1;
  scanner.last_seen = scanner.sightings[0].last = scanner.first_seen;
  selection.add(scanner);
  return selection.take();
}

}  // namespace orbwatch::testing
