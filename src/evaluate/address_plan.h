// Real networks and some of their real prefixes, by town, for simulated worlds: addresses that enrichment recognises.
// The table is derived by tools/make-address-plan.py from CC BY 4.0 data (see address_plan.cc). Nothing in a simulated
// world says anything about the true users of these addresses; which address is whose in a world is chosen by the
// world's seed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace orbwatch::evaluate {

// How long a subscriber keeps an address (Padmanabhan et al., IMC 2016, found these classes; which class a provider has
// is a setting).
enum class Churn : std::uint8_t {
  kDaily,   // a forced reconnect every night
  kWeeks,   // exponential, mean 21 days
  kMonths,  // exponential, mean 150 days
  kStatic,
  kCgnat,  // many subscribers behind few addresses, a new one for each session
};

enum class Role : std::uint8_t { kHome, kBusiness, kMobile, kAbroad, kHosting, kVpn, kVdi };

struct PlanPrefix {
  std::uint32_t base;  // host order
  std::uint8_t bits;   // 20..26
};

struct PlanNetwork {
  Role role;
  std::string_view region;   // "de", "gb", "us"; "" = any
  std::string_view country;  // ISO 3166-1 alpha-2
  std::string_view town;     // "" for mobile networks
  std::uint32_t asn;
  std::string_view name;
  Churn churn;
  std::uint32_t weight;  // market share in its town, relative
  std::span<const PlanPrefix> prefixes;
};

// In a fixed order: the first three towns of a region are those with offices.
std::span<const PlanNetwork> address_plan();

}  // namespace orbwatch::evaluate
