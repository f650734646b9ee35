#include "pipeline/known_networks.h"

#include <algorithm>
#include <map>

#include "core/text.h"
#include "intel/profiles/profile_matcher.h"
#include "track/network_evidence.h"

namespace orbwatch::pipeline {
namespace {

namespace profiles = intel::profiles;
using track::TraitKind;

constexpr std::size_t kMostTold = 3;
// Fewer accounts say nothing of how often each is tried, fewer sightings nothing of the hours.
constexpr std::uint64_t kEnoughAccounts = 20;
constexpr std::uint64_t kEnoughSightings = 50;

std::optional<TraitKind> kind_called(std::string_view text) {
  for (std::size_t k = 0; k < track::kTraitKinds; ++k) {
    if (track::name(static_cast<TraitKind>(k)) == text) return static_cast<TraitKind>(k);
  }
  return std::nullopt;
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::vector<score::KnownNetwork> known_networks_like(const score::Network& network) {
  profiles::NetworkTraits traits;
  for (const score::NetworkTrait& trait : network.traits) {
    const auto kind = kind_called(trait.kind);
    if (!kind) continue;
    switch (*kind) {
      case TraitKind::kClient: traits.clients.push_back(trait.text); break;
      case TraitKind::kJa3: traits.fingerprints.push_back({profiles::FingerprintKind::kJa3, trait.text}); break;
      case TraitKind::kJa4: traits.fingerprints.push_back({profiles::FingerprintKind::kJa4, trait.text}); break;
      case TraitKind::kHassh: traits.fingerprints.push_back({profiles::FingerprintKind::kHassh, trait.text}); break;
      case TraitKind::kBanner: traits.banners.push_back(trait.text); break;
      case TraitKind::kFeedLabel: traits.labels.push_back(trait.text); break;
      case TraitKind::kCertificate: {
        profiles::ObservedCertificate certificate;
        (is_hash(trait.text) ? certificate.sha256 : certificate.subject) = trait.text;
        traits.certificates.push_back(std::move(certificate));
        break;
      }
      case TraitKind::kNodePort:
        if (const auto port = core::parse_number<std::uint16_t>(trait.text)) traits.ports.push_back({*port, 6, {}});
        break;
      default: break;
    }
  }
  const score::NetworkBehaviour& behaviour = network.behaviour;
  for (const score::NetworkTrait& port : behaviour.ports) {
    if (const auto number = core::parse_number<std::uint16_t>(port.text)) traits.asked_ports.push_back(*number);
  }
  if (behaviour.accounts_tried >= kEnoughAccounts && behaviour.attempts_per_account_day > 0)
    traits.attempts_per_account_and_day = behaviour.attempts_per_account_day;
  std::uint64_t sightings = 0;
  for (const std::uint64_t n : behaviour.hours) sightings += n;
  if (sightings >= kEnoughSightings) {
    traits.activity_by_hour.emplace();
    for (std::size_t h = 0; h < 24; ++h) (*traits.activity_by_hour)[h] = static_cast<double>(behaviour.hours[h]);
  }
  std::map<core::NetworkType, double> types;
  for (const score::NetworkNode& node : network.nodes) {
    if (node.type != core::NetworkType::kUnknown) ++types[node.type];
    if (const std::uint16_t country = core::pack_country(node.country); country != 0)
      traits.countries.push_back(country);
    if (node.asn != 0) traits.as_numbers.push_back(node.asn);
  }
  for (const auto& [type, nodes] : types) traits.network_types.push_back({type, nodes});

  std::vector<score::KnownNetwork> out;
  for (const profiles::ProfileMatch& match : profiles::match(traits)) {
    if (out.size() == kMostTold) break;
    out.push_back({match.profile->name, match.score, match.says});
  }
  return out;
}

}  // namespace orbwatch::pipeline
