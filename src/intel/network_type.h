// How the type of a network is decided. Every source makes claims; they are all kept, and one type is chosen from them.
//
// Method: weights of equal types are added, the type with the largest sum wins. kVpn and kTor are overlays: a sum of at
// least kOverlayThreshold for one of them wins over the kind of network underneath, Tor over VPN. Organisation and
// special ranges win over all. Weights are rough log-odds of "this source is right", measured for name rules by
// `check_name_rules`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/network_facts.h"

namespace orbwatch::intel {

using core::NetworkType;
using core::TypeSource;

struct TypeClaim {
  NetworkType type = NetworkType::kUnknown;
  TypeSource source = TypeSource::kAsName;
  float weight = 0;
  std::string says;  // what exactly: "x4bnet data centres", "name has 'broadband'"; one line

  friend bool operator==(const TypeClaim&, const TypeClaim&) = default;
};

constexpr float kWeightSpecialRange = 1000;
constexpr float kWeightOrganisation = 500;
constexpr float kWeightUserList = 100;
constexpr float kWeightPrefixList = 4;
constexpr float kWeightDatabase = 4;
constexpr float kWeightCurated = 3;
constexpr float kWeightAsList = 2;
constexpr float kOverlayThreshold = 2;

struct TypeDecision {
  NetworkType type = NetworkType::kUnknown;
  std::uint8_t sources = 0;  // TypeSource bits
  bool disputed = false;     // claims for another type (an overlay's carrier excepted) exist
};
// The order of claims does not matter.
TypeDecision decide_type(std::span<const TypeClaim> claims);

// "hosting according to x4bnet data centres; consumer broadband by name 'broadband'"; "" without claims. Strongest
// first.
std::string explain_type(std::span<const TypeClaim> claims);

// The claims that the words of an AS name make (data/as-name-rules.csv); at most one claim a type, the strongest.
std::vector<TypeClaim> claims_by_name(std::string_view as_name);

// One row of data/as-types.csv.
struct CuratedAs {
  std::uint32_t asn = 0;
  NetworkType type = NetworkType::kUnknown;
  std::string_view note;  // the operator's name as its AS name should resemble it
};
// Sorted by number; read once from the data built into the program.
std::span<const CuratedAs> curated_as();

// How well name rules alone agree with the curated rows, counted over curated AS numbers whose name is given.
struct RuleCheck {
  std::uint32_t rows = 0;    // curated rows with a known name
  std::uint32_t silent = 0;  // the rules say nothing
  std::uint32_t right = 0;
  std::uint32_t wrong = 0;
  std::uint32_t confusion[core::kNetworkTypes][core::kNetworkTypes] = {};  // [curated][by rules]
  std::vector<std::string>
      examples;              // of wrong ones, at most 40: "AS64500 Example Telecom: curated hosting, rules consumer"
  std::string text() const;  // a table for people
};
class AsNames {  // asn -> name
 public:
  virtual ~AsNames() = default;
  virtual std::string_view name_of(std::uint32_t asn) const = 0;
};
RuleCheck check_name_rules(const AsNames& names);

}  // namespace orbwatch::intel
