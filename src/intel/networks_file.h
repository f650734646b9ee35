// Layout of a compiled table on disk; shared by its writer (compile.cc) and its reader (networks.cc). Little-endian.
// Described in docs/formats-on-disk/networks.md: change the version when anything here changes.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/network_facts.h"

namespace orbwatch::intel::file {

static_assert(std::endian::native == std::endian::little, "tables are mapped as they are: little-endian machines only");

constexpr char kMagic[8] = {'O', 'R', 'B', 'N', 'E', 'T', '\r', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kAlignment = 4096;  // of every section

enum SectionId : std::uint32_t {
  kV4Top,             // u32[2^24]; absent (count 0) if the table holds no IPv4
  kV4Blocks,          // u32
  kFacts,             // core::NetworkFacts
  kText,              // bytes: at each offset a u16 length, then the bytes; offset 0 is ""
  kV6Index,           // u32[kV6IndexSize + 1]
  kV6Starts,          // u64, ascending, distinct: first 64 bits of a range's first address
  kV6Values,          // u32, one per start
  kV6Details,         // u64
  kSystems,           // System, ascending by asn
  kSystemsInCountry,  // SystemInCountry, ascending by (country, asn)
  kCountries,         // Country, ascending
  kClaims,            // Claim
  kClaimSets,         // u32: at each offset a count, then that many indices into kClaims; offset 0 holds 0
  kSources,           // Source
  kSectionCount
};

struct Section {
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t count = 0;   // elements
  std::uint64_t element_bytes = 0;
};

struct Header {
  char magic[8];
  std::uint32_t version = kVersion;
  std::uint32_t header_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::int64_t built = 0;  // nanoseconds since the epoch
  std::uint64_t body_checksum = 0;
  std::uint32_t section_count = kSectionCount;
  std::uint32_t reserved = 0;
  Section sections[kSectionCount];
  std::uint64_t header_checksum = 0;  // checksum() of all bytes before it
};
static_assert(sizeof(Header) == 48 + 24 * kSectionCount + 8 && sizeof(Header) <= kAlignment);

// An entry of kV4Top: a facts index, or kIsBlock | offset in kV4Blocks. A block is kBlockMapWords words that hold a map
// of 256 bits (bit i set: at address i of the /24 a new run begins; bit 0 is set), then one facts index per run.
constexpr std::uint32_t kIsBlock = 0x8000'0000;
constexpr std::uint32_t kBlockMapWords = 8;
// Blocks begin at multiples of this, so that the map and the first 8 values share a cache line.
constexpr std::uint32_t kBlockAlignWords = 16;

// The first level of IPv6 covers 2000::/3 by the 20 bits behind those three: element b is the number of starts below
// bucket b.
constexpr std::uint32_t kV6IndexSize = 1U << 20;
constexpr std::uint32_t v6_bucket(std::uint64_t high) {
  return static_cast<std::uint32_t>(high >> 41) & (kV6IndexSize - 1);
}
constexpr bool in_v6_index(std::uint64_t high) { return high >> 61 == 1; }
// A value of kV6Values: a facts index that holds until the next start, or kIsBlock | offset in kV6Details, where a
// count n is followed by n pairs (last 64 bits of a range's first address, facts index), ascending; the first pair's
// address part is 0.

struct System {
  std::uint32_t asn = 0;
  std::uint32_t name = 0;  // text
  std::uint64_t v4_addresses = 0;
};
struct SystemInCountry {
  std::uint32_t country = 0;
  std::uint32_t asn = 0;
  std::uint64_t v4_addresses = 0;
};
struct Country {
  std::uint32_t country = 0;  // 0: the whole world
  std::uint32_t reserved = 0;
  std::uint64_t v4_addresses = 0;  // global addresses that lie in it
  std::uint64_t announced = 0;     // of them, with an AS
  std::uint64_t by_type[core::kNetworkTypes] = {};
};
struct Claim {
  std::uint8_t type = 0;
  std::uint8_t source = 0;
  std::uint16_t reserved = 0;
  float weight = 0;
  std::uint32_t says = 0;  // text
};
struct Source {
  std::uint32_t name = 0, kind = 0, version = 0, attribution = 0;  // text
  std::uint64_t records = 0;
};
static_assert(sizeof(System) == 16 && sizeof(SystemInCountry) == 16 && sizeof(Claim) == 12 && sizeof(Source) == 24);

constexpr std::uint64_t kElementBytes[kSectionCount] = {4,
                                                        4,
                                                        sizeof(core::NetworkFacts),
                                                        1,
                                                        4,
                                                        8,
                                                        4,
                                                        8,
                                                        sizeof(System),
                                                        sizeof(SystemInCountry),
                                                        sizeof(Country),
                                                        sizeof(Claim),
                                                        4,
                                                        sizeof(Source)};

// Detects accidental damage, not tampering: eight lanes of multiply-rotate over 64-bit words, some 10 GB/s.
inline std::uint64_t checksum(const void* data, std::size_t size, std::uint64_t seed = 0) {
  constexpr std::uint64_t kA = 0x9e3779b97f4a7c15ULL, kB = 0xd6e8feb86659fd93ULL;
  std::uint64_t lane[8];
  for (std::uint64_t i = 0; i < 8; ++i) lane[i] = seed + kA * (i + 1);
  const auto* p = static_cast<const unsigned char*>(data);
  std::size_t left = size;
  const auto word = [](const unsigned char* at) {
    std::uint64_t v;
    __builtin_memcpy(&v, at, 8);
    return v;
  };
  for (; left >= 64; left -= 64, p += 64) {
    for (int i = 0; i < 8; ++i) lane[i] = std::rotl(lane[i] ^ word(p + 8 * i), 29) * kB;
  }
  std::uint64_t out = size * kA;
  for (const std::uint64_t l : lane) out = std::rotl(out ^ l, 31) * kB;
  for (; left >= 8; left -= 8, p += 8) out = std::rotl(out ^ word(p), 29) * kB;
  for (; left > 0; --left, ++p) out = std::rotl(out ^ *p, 11) * kB;
  out = (out ^ out >> 32) * kA;
  return out ^ out >> 29;
}

}  // namespace orbwatch::intel::file
