#include "export/sharing/tracked.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "track/network_evidence.h"

namespace orbwatch::exporting::sharing {
namespace {

// Multi-hop proxies out of compromised devices (MITRE ATT&CK): what makes it such a network.
constexpr std::array<std::string_view, 2> kTechniques = {"T1090.003", "T1584.008"};

Role role_of(score::NodeRole role) {
  switch (role) {
    case score::NodeRole::kExit: return Role::kExit;
    case score::NodeRole::kTraversal: return Role::kTraversal;
    case score::NodeRole::kOnRamp: return Role::kEntry;
    case score::NodeRole::kUnknown: break;
  }
  return Role::kUnknown;
}

std::optional<Trait> trait_of(const score::NetworkTrait& trait) {
  const auto is = [&](track::TraitKind kind) { return trait.kind == track::name(kind); };
  using track::TraitKind;
  if (is(TraitKind::kClient)) return Trait::make(sharing::TraitKind::kClient, trait.text);
  if (is(TraitKind::kBanner)) return Trait::make(sharing::TraitKind::kBanner, trait.text);
  if (is(TraitKind::kJa3)) return Trait::make(sharing::TraitKind::kJa3, trait.text);
  if (is(TraitKind::kJa4)) return Trait::make(sharing::TraitKind::kJa4, trait.text);
  if (is(TraitKind::kHassh)) return Trait::make(sharing::TraitKind::kHassh, trait.text);
  if (is(TraitKind::kCertificate)) {
    if (auto sha256 = Trait::make(sharing::TraitKind::kCertificateSha256, trait.text)) return sha256;
    return Trait::make(sharing::TraitKind::kCertificateSha1, trait.text);
  }
  return std::nullopt;
}

std::uint64_t whole(double value) { return value > 0 && value < 1e9 ? static_cast<std::uint64_t>(value + 0.5) : 0; }

}  // namespace

void add_tracked(Selection& selection, const score::Network& network, const std::set<core::Ip>& kept_back) {
  std::set<core::Ip> own;
  for (const score::NetworkTrait& gateway : network.behaviour.gateways) {
    if (const auto ip = core::Ip::parse(gateway.text)) own.insert(*ip);
  }
  Network given;
  given.id = network.id;
  if (!network.known.empty()) given.profile = network.known.front().name;
  given.first_seen = network.first;
  given.last_seen = network.last;
  given.nodes = network.nodes.size();
  if (network.size) {
    given.least = whole(network.size->low);
    given.most = std::isfinite(network.size->high) ? whole(network.size->high) : 0;
  }
  given.confidence = network.confidence;
  given.attack.assign(kTechniques.begin(), kTechniques.end());
  for (const score::NetworkTrait& trait : network.traits) {
    if (trait.nodes < 2 || given.traits.size() >= kMostTraits) continue;
    if (auto made = trait_of(trait)) given.traits.push_back(std::move(*made));
  }
  std::ranges::sort(given.traits);
  selection.add(std::move(given));
  for (const score::NetworkNode& node : network.nodes) {
    if (!node.active) continue;
    if (own.contains(node.ip)) {
      selection.leave_out("address: the organisation's own");
      continue;
    }
    if (kept_back.contains(node.ip)) {
      selection.leave_out("address: of a finding called false or benign, or suppressed");
      continue;
    }
    Indicator indicator;
    indicator.address = node.ip;
    indicator.first_seen = node.first;
    indicator.last_seen = node.last;
    indicator.asn = node.asn;
    indicator.country = node.country;
    indicator.network_type = node.type;
    indicator.confidence = network.confidence;
    indicator.role = role_of(node.role);
    indicator.network = network.id;
    indicator.tracked = true;
    indicator.attack.assign(kTechniques.begin(), kTechniques.end());
    indicator.sightings.push_back({node.sightings, node.first, node.last, Sensor::kUnknown});
    selection.add(std::move(indicator));
  }
}

bool add_tracked(Selection& selection, const score::Network& network, const Judged& judged) {
  const auto among = [&network](const std::set<std::string, std::less<>>& ids) {
    return ids.contains(network.id) ||
           std::ranges::any_of(network.findings, [&ids](const std::string& id) { return ids.contains(id); }) ||
           std::ranges::any_of(network.campaigns, [&ids](const std::string& id) { return ids.contains(id); });
  };
  const auto no = [&selection](std::string_view reason) {
    selection.leave_out(reason);
    return false;
  };
  const Rules& rules = selection.rules();
  if (!among(judged.confirmed)) {
    if (among(judged.dismissed)) return no("network: its findings were called false or benign");
    if (!rules.all) return no("network: none of its findings is confirmed by a verdict");
  }
  if (network.confidence < rules.least) return no("network: below the least probability");
  if (network.last < rules.since) return no("network: older than asked for");
  add_tracked(selection, network, judged.kept_back);
  return true;
}

}  // namespace orbwatch::exporting::sharing
