// A small map from prefixes to numbers with longest match: one hash table per prefix length in use, lengths tried from
// the longest. A look-up costs one hash probe per length in use in that family; a Bloom-like filter on the top 16 bits
// of IPv4 and the top 32 of IPv6 answers most misses first.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/ip.h"

namespace orbwatch::intel {

class PrefixMap {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // False, and nothing changes, if the prefix is there already.
  bool insert(const core::Prefix& prefix, std::uint32_t value);
  // Value of exactly this prefix, or kNone.
  std::uint32_t exact(const core::Prefix& prefix) const;
  // Value of the longest prefix that holds the address, or kNone.
  std::uint32_t longest(const core::Ip& ip) const;
  std::size_t size() const { return map_.size(); }

 private:
  absl::flat_hash_map<core::Prefix, std::uint32_t> map_;
  std::vector<std::uint8_t> v4_lengths_;  // in use, longest first
  std::vector<std::uint8_t> v6_lengths_;
  std::vector<std::uint64_t> v4_filter_;  // 2^16 bits: some prefix covers or lies within this /16
  std::vector<std::uint64_t> v6_filter_;  // 2^16 bits by a hash of the top 32 bits
  bool v6_short_ = false;                 // an IPv6 prefix shorter than /32 exists: the filter cannot answer
};

}  // namespace orbwatch::intel
