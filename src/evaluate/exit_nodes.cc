#include "evaluate/exit_nodes.h"

#include <algorithm>
#include <array>

namespace orbwatch::evaluate {
namespace {

using core::Ip;
using core::NetworkFacts;
using core::NetworkType;

constexpr int kTries = 40;
constexpr std::uint32_t kPrefixes = 1U << 24;
constexpr std::size_t kMostProvidersOfACountry = 512;

// Any provider that the user has come through, so that "new to him" is true of his whole history.
bool knows_provider(const UserHistory& user, std::uint32_t asn) {
  return std::ranges::any_of(user.places, [&](const auto& p) { return p.first.asn == asn; });
}

bool knows_country(const UserHistory& user, std::uint16_t country) {
  return std::ranges::any_of(user.places, [&](const auto& p) { return p.first.country == country; });
}

}  // namespace

std::string_view name(InjectionTier tier) {
  switch (tier) {
    case InjectionTier::kOtherCountry: return "other-country";
    case InjectionTier::kOtherProvider: return "other-provider";
    case InjectionTier::kSameTownOtherProvider: return "same-town-other-provider";
    case InjectionTier::kOwnProvider: return "own-provider-other-client";
    case InjectionTier::kOwnProviderCopied: return "own-provider-copied-client";
  }
  return "";
}

std::string_view label(InjectionTier tier) {
  switch (tier) {
    case InjectionTier::kOtherCountry: return "other country";
    case InjectionTier::kOtherProvider: return "same country, provider new to the user";
    case InjectionTier::kSameTownOtherProvider: return "same town, provider new to the user";
    case InjectionTier::kOwnProvider: return "same town, own provider, other client";
    case InjectionTier::kOwnProviderCopied: return "same town, own provider, client copied";
  }
  return "";
}

bool in_tier(InjectionTier tier, const NetworkFacts& facts, const UserHistory& user) {
  const SourcePlace* const home = user.home();
  if (home == nullptr || facts.type != NetworkType::kConsumer || facts.asn == 0 || facts.country == 0) return false;
  const bool town = home->city != 0 && facts.country == home->country && facts.city == home->city;
  switch (tier) {
    case InjectionTier::kOtherCountry: return !knows_country(user, facts.country);
    case InjectionTier::kOtherProvider:
      return facts.country == home->country && !town && facts.city != 0 && !knows_provider(user, facts.asn);
    case InjectionTier::kSameTownOtherProvider: return town && !knows_provider(user, facts.asn);
    case InjectionTier::kOwnProvider:
    case InjectionTier::kOwnProviderCopied: return town && facts.asn == home->asn;
  }
  return false;
}

void ExitNodes::Prefixes::add(std::uint64_t hash, std::uint32_t prefix) {
  ++count;
  if (kept.size() == kKept) {
    if (hash >= kept.front().first) return;
    std::pop_heap(kept.begin(), kept.end());
    kept.back() = {hash, prefix};
  } else {
    kept.emplace_back(hash, prefix);
  }
  std::push_heap(kept.begin(), kept.end());
}

ExitNodes ExitNodes::make(const core::NetworkView& networks, std::uint32_t facts_count, const Lookup& lookup,
                          const History& history, std::span<const UserHistory* const> users, std::uint64_t seed) {
  ExitNodes out;
  out.networks_ = &networks;
  out.lookup_ = lookup;
  for (const UserHistory* user : users) {
    const SourcePlace* const home = user->home();
    if (home == nullptr) continue;
    if (home->city != 0) out.towns_[{home->country, home->city}];
    if (home->country != 0) out.countries_[home->country];
  }
  // What each row of the facts is good for, so that the look at every /24 is one step.
  struct Wanted {
    Prefixes* town = nullptr;
    Prefixes* country = nullptr;
    Prefixes* abroad = nullptr;
  };
  std::vector<Wanted> wanted(facts_count);
  for (std::uint32_t i = 0; i < facts_count; ++i) {
    const NetworkFacts& f = networks.facts(i);
    if (f.type != NetworkType::kConsumer || f.asn == 0 || f.country == 0) continue;
    wanted[i].abroad = &out.all_countries_[f.country];
    if (const auto town = out.towns_.find({f.country, f.city}); town != out.towns_.end())
      wanted[i].town = &town->second[f.asn];
    if (const auto country = out.countries_.find(f.country);
        country != out.countries_.end() &&
        (country->second.contains(f.asn) || country->second.size() < kMostProvidersOfACountry))
      wanted[i].country = &country->second[f.asn];
  }
  constexpr std::uint32_t kGroup = 4096;
  std::vector<std::uint32_t> addresses(kGroup);
  std::vector<std::uint32_t> found(kGroup);
  for (std::uint32_t from = 0; from < kPrefixes; from += kGroup) {
    for (std::uint32_t i = 0; i < kGroup; ++i) {
      const std::uint32_t prefix = from + i;
      addresses[i] = prefix << 8 | static_cast<std::uint32_t>(1 + mix(prefix) % 254);
    }
    lookup(addresses, found);
    for (std::uint32_t i = 0; i < kGroup; ++i) {
      if (found[i] >= facts_count || wanted[found[i]].abroad == nullptr || history.seen(from + i)) continue;
      const std::uint64_t hash = mix(seed, from + i);
      for (Prefixes* to : {wanted[found[i]].town, wanted[found[i]].country, wanted[found[i]].abroad}) {
        if (to != nullptr) to->add(hash, from + i);
      }
    }
  }
  return out;
}

template <typename Accept>
const ExitNodes::Prefixes* ExitNodes::choose(const ByProvider& from, Rng& rng, Accept&& accept) {
  std::uint64_t sum = 0;
  for (const auto& [key, prefixes] : from) sum += accept(key) ? prefixes.count : 0;
  if (sum == 0) return nullptr;
  auto left = static_cast<std::uint64_t>(rng.uniform() * static_cast<double>(sum));
  for (const auto& [key, prefixes] : from) {
    if (!accept(key)) continue;
    if (left < prefixes.count) return &prefixes;
    left -= prefixes.count;
  }
  return nullptr;
}

std::optional<Ip> ExitNodes::draw(InjectionTier tier, const UserHistory& user, const absl::flat_hash_set<Ip>& used,
                                  Rng& rng) const {
  const SourcePlace* const home = user.home();
  if (home == nullptr) return std::nullopt;
  const auto new_provider = [&](std::uint32_t asn) { return !knows_provider(user, asn); };
  for (int i = 0; i < kTries; ++i) {
    const Prefixes* from = nullptr;
    switch (tier) {
      case InjectionTier::kOtherCountry:
        from = choose(all_countries_, rng,
                      [&](std::uint32_t country) { return !knows_country(user, static_cast<std::uint16_t>(country)); });
        break;
      case InjectionTier::kOtherProvider:
        if (const auto country = countries_.find(home->country); country != countries_.end())
          from = choose(country->second, rng, new_provider);
        break;
      case InjectionTier::kSameTownOtherProvider:
        if (const auto town = towns_.find({home->country, home->city}); town != towns_.end())
          from = choose(town->second, rng, new_provider);
        break;
      case InjectionTier::kOwnProvider:
      case InjectionTier::kOwnProviderCopied:
        if (const auto town = towns_.find({home->country, home->city}); town != towns_.end())
          from = choose(town->second, rng, [&](std::uint32_t asn) { return asn == home->asn; });
        break;
    }
    if (from == nullptr || from->kept.empty()) return std::nullopt;
    const std::uint32_t prefix = from->kept[rng.below(from->kept.size())].second;
    const std::array<std::uint32_t, 1> address = {prefix << 8 | static_cast<std::uint32_t>(1 + rng.below(254))};
    std::array<std::uint32_t, 1> index{};
    lookup_(address, index);
    const Ip ip = Ip::v4(address[0]);
    // A /24 need not be of one kind; and the organisation's own networks are no place for an intruder.
    if (used.contains(ip) || !ip.is_global() || networks_->is_own(index[0]) || networks_->is_allowed(index[0]) ||
        !in_tier(tier, networks_->facts(index[0]), user))
      continue;
    return ip;
  }
  return std::nullopt;
}

}  // namespace orbwatch::evaluate
