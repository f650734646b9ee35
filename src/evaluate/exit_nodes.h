// Exit nodes for a backtest: addresses in real consumer networks near a user, out of the compiled network facts. They
// say nothing about who truly holds them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "evaluate/history.h"
#include "evaluate/rng.h"

namespace orbwatch::evaluate {

// How well an intrusion is hidden, seen from the victim. The last two share the place and differ in the client.
enum class InjectionTier : std::uint8_t {
  kOtherCountry,           // a country in which he never was
  kOtherProvider,          // his country, another town, a provider new to him
  kSameTownOtherProvider,  // his town, a provider new to him
  kOwnProvider,            // his town, his provider, another line; another client
  kOwnProviderCopied,      // the same, and the client calls itself what his does
};
constexpr int kInjectionTiers = 5;
std::string_view name(InjectionTier tier);   // "other-country", ...
std::string_view label(InjectionTier tier);  // for people

// Whether an address with these facts is in a place of the tier for this user, whose home is users().home(): the place
// only, not what is known of its /24.
bool in_tier(InjectionTier tier, const core::NetworkFacts& facts, const UserHistory& user);

// Immutable once made; thread-safe.
class ExitNodes {
 public:
  // The facts' index of each address (host order), IPv4.
  using Lookup = std::function<void(std::span<const std::uint32_t>, std::span<std::uint32_t>)>;

  // Looks at one address of every /24 once (a second or two) and keeps, by `seed`, up to kKept consumer /24s of each
  // provider in the towns and countries of the users' homes, and of every country. /24s that the history has seen are
  // left out, so that an injected source is never one of the real ones. Memory: some tens of MB for 8192 users.
  static ExitNodes make(const core::NetworkView& networks, std::uint32_t facts_count, const Lookup& lookup,
                        const History& history, std::span<const UserHistory* const> users, std::uint64_t seed);

  static constexpr std::size_t kKept = 64;

  // An address of the tier for this user, not one of `used`; nullopt if the facts know none.
  std::optional<core::Ip> draw(InjectionTier tier, const UserHistory& user, const absl::flat_hash_set<core::Ip>& used,
                               Rng& rng) const;

 private:
  // The kKept /24s with the smallest hashes, and how many there were.
  struct Prefixes {
    std::uint64_t count = 0;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> kept;  // a heap, the largest hash in front
    void add(std::uint64_t hash, std::uint32_t prefix);
  };
  using ByProvider = std::map<std::uint32_t, Prefixes>;
  using Town = std::pair<std::uint16_t, std::uint32_t>;  // country and city

  // One of the prefixes, providers by their size; null if all are refused.
  template <typename Accept>
  static const Prefixes* choose(const ByProvider& from, Rng& rng, Accept&& accept);

  const core::NetworkView* networks_ = nullptr;
  Lookup lookup_;
  std::map<Town, ByProvider> towns_;
  std::map<std::uint16_t, ByProvider> countries_;    // of the users' homes
  std::map<std::uint32_t, Prefixes> all_countries_;  // by country
};

}  // namespace orbwatch::evaluate
