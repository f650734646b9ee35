#include "intel/prefix_map.h"

#include <algorithm>
#include <functional>

namespace orbwatch::intel {
namespace {

constexpr std::size_t kFilterWords = (1U << 16) / 64;

bool test(const std::vector<std::uint64_t>& bits, std::uint32_t at) { return (bits[at >> 6] >> (at & 63) & 1) != 0; }
void set(std::vector<std::uint64_t>& bits, std::uint32_t at) { bits[at >> 6] |= std::uint64_t{1} << (at & 63); }

std::uint32_t v6_slot(const core::Ip& ip) {
  const std::uint64_t top = ip.high() >> 32;
  return static_cast<std::uint32_t>(top * 0x9e3779b97f4a7c15ULL >> 48);
}

void note_length(std::vector<std::uint8_t>& lengths, std::uint8_t bits) {
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), bits, std::greater<>());
  if (at == lengths.end() || *at != bits) lengths.insert(at, bits);
}

}  // namespace

bool PrefixMap::insert(const core::Prefix& prefix, std::uint32_t value) {
  if (!map_.try_emplace(prefix, value).second) return false;
  if (prefix.base.is_v4()) {
    if (v4_filter_.empty()) v4_filter_.resize(kFilterWords);
    note_length(v4_lengths_, prefix.bits);
    const std::uint32_t first = prefix.base.v4_value() >> 16;
    const std::uint32_t count = prefix.bits >= 16 ? 1 : 1U << (16 - prefix.bits);
    for (std::uint32_t i = 0; i < count; ++i) set(v4_filter_, first + i);
  } else {
    if (v6_filter_.empty()) v6_filter_.resize(kFilterWords);
    note_length(v6_lengths_, prefix.bits);
    if (prefix.bits < 32) {
      v6_short_ = true;
    } else {
      set(v6_filter_, v6_slot(prefix.base));
    }
  }
  return true;
}

std::uint32_t PrefixMap::exact(const core::Prefix& prefix) const {
  const auto found = map_.find(prefix);
  return found == map_.end() ? kNone : found->second;
}

std::uint32_t PrefixMap::longest(const core::Ip& ip) const {
  const bool v4 = ip.is_v4();
  if (v4) {
    if (v4_filter_.empty() || !test(v4_filter_, ip.v4_value() >> 16)) return kNone;
  } else {
    if (v6_filter_.empty() || (!v6_short_ && !test(v6_filter_, v6_slot(ip)))) return kNone;
  }
  for (const std::uint8_t bits : v4 ? v4_lengths_ : v6_lengths_) {
    const auto found = map_.find(core::Prefix::of(ip, bits));
    if (found != map_.end()) return found->second;
  }
  return kNone;
}

}  // namespace orbwatch::intel
