// Layout of a compiled table of indicators on disk; shared by its writer and its reader. Little-endian. Described in
// docs/formats-on-disk/indicators.md: change the version when anything here changes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/ip.h"

namespace orbwatch::intel::indicator_file {

static_assert(std::endian::native == std::endian::little, "tables are read as they are: little-endian machines only");

constexpr char kMagic[8] = {'O', 'R', 'B', 'I', 'N', 'D', '\r', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kAlignment = 4096;  // of every section

// Keys are looked up through "lines" of 64 bytes, one cache line each.
enum SectionId : std::uint32_t {
  kFeeds,        // u32: text, by the feed's index
  kText,         // bytes: at each offset a u16 length, then the bytes; offset 0 is ""
  kShapes,       // Shape
  kEntryGroups,  // u32: where the statements of every kEntriesPerGroup-th entry begin
  kStatements,   // bytes, see below
  kV4Filter,     // u64, one or more: a Bloom filter of the IPv4 addresses, see filter_word()
  kV4Lines,      // HashLine[2^b]: line i has the addresses whose hashes begin with the bits i
  kV4Addresses,  // u32, by (hash, address)
  kV4PrefixMap,  // u64[2^(g - 6)], 16 <= g <= 24: bit i is set if a prefix has an address that begins with the g bits i
  kV4RunLines,   // RunLine[2^b], 16 <= b <= 24, or none: line i has the runs that start at addresses that begin with
                 // the bits i
  kV4RunStarts,  // u32, ascending, the first is 0: there the longest IPv4 prefix changes
  kV4RunValues,  // u32: number of the longest prefix that holds the run, or kNone
  kV4PrefixBases,      // u32, by (base, bits)
  kV4PrefixBits,       // u8: 1..31
  kV4PrefixParents,    // u32: number of the next shorter prefix that holds this one, smaller than its own; or kNone
  kV6Lines,            // HashLine[2^b]
  kV6Addresses,        // core::Ip, by (hash, address)
  kV6RunHighs,         // u64: first half of the runs' starts, ascending by both halves; the first start is 0
  kV6RunLows,          // u64: second half
  kV6RunValues,        // u32, as for IPv4
  kV6PrefixBases,      // core::Ip, by (base, bits)
  kV6PrefixBits,       // u8: 1..127
  kV6PrefixParents,    // u32
  kTextLines,          // HashLine[2^b]
  kTextKeyOffsets,     // u32: in kTextKeys, by (hash, kind, text)
  kTextKeys,           // bytes: at each offset the kind (u8), a u16 length, then the bytes
  kAutonomousSystems,  // u32, ascending
  kSectionCount
};

struct Section {
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t count = 0;   // elements
};

struct Header {
  char magic[8];
  std::uint32_t version = kVersion;
  std::uint32_t header_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::int64_t built = 0;  // seconds since 1970, 0 = not stated
  std::uint64_t body_checksum = 0;
  std::uint64_t v4_seed = 0;  // of hash_of()
  std::uint64_t v6_seed = 0;
  std::uint64_t text_seed = 0;
  std::uint64_t statements = 0;     // in all entries together
  std::uint32_t earliest_time = 0;  // times of statements are written as distances from it
  std::uint32_t section_count = kSectionCount;
  Section sections[kSectionCount];
  std::uint64_t header_checksum = 0;  // checksum() of all bytes before it
};
static_assert(sizeof(Header) == 80 + 16 * kSectionCount + 8 && sizeof(Header) <= kAlignment);

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint32_t kMostLineBits = 24;  // and of the map of prefixes
constexpr std::uint32_t kLeastMapBits = 16;
constexpr std::uint32_t kRunBlock = 16;  // kV6RunHighs is padded with UINT64_MAX to a multiple of it
constexpr std::uint32_t kEntriesPerGroup = 8;

// Keys first..first + count of a table that is ordered by hash. Place i: the 16 bits of key i's hash behind those that
// chose the line; ascending. If there are more than fit, the places mean nothing and the keys' hashes are searched.
struct HashLine {
  static constexpr std::uint32_t kPlaces = 28;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint16_t places[kPlaces] = {};
};
// Runs first..first + count. Place i: the bits of run i's start behind those that chose the line; ascending. `valued`:
// bit 0 says whether the run before the line's first has a prefix, bit i + 1 whether run i has. If there are more than
// fit, places and bits mean nothing and the starts are searched. Line 0 has run 0.
struct RunLine {
  static constexpr std::uint32_t kPlaces = 26;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t valued = 0;
  std::uint16_t places[kPlaces] = {};
};
static_assert(sizeof(HashLine) == 64 && sizeof(RunLine) == 64);

// Entries are numbered through: IPv4 addresses, IPv4 prefixes, IPv6 addresses, IPv6 prefixes, text keys, autonomous
// systems. The statements of an entry: varint number of bytes, then in these bytes one statement after the other:
// varint shape; u8 that says which times follow (StatementTime); each time that follows as zigzag varint, seconds from
// the time before it, the first from Header::earliest_time. Varints as in protobuf.
enum StatementTime : std::uint8_t { kHasValidFrom = 1, kHasFirstSeen = 2, kHasLastSeen = 4, kHasValidUntil = 8 };

// What many statements have in common; the most frequent first.
struct Shape {
  std::uint32_t label = 0;  // text
  std::uint16_t feed = 0;
  std::uint16_t port = 0;
  std::uint8_t confidence = 0;
  std::uint8_t flags = 0;
  std::uint16_t reserved = 0;

  friend bool operator==(const Shape&, const Shape&) = default;
};
static_assert(sizeof(Shape) == 12);

constexpr std::uint64_t kElementBytes[kSectionCount] = {
    4,  1,  sizeof(Shape),
    4,  1,  // statements
    8,  64, 4,
    8,  64, 4,
    4,  4,  1,
    4,  // IPv4
    64, 16, 8,
    8,  4,  16,
    1,  4,  // IPv6
    64, 4,  1,
    4  // texts, autonomous systems
};
static_assert(sizeof(core::Ip) == 16);

// XXH3 with 64 bits: fast, stable from version 0.8.0 of its library on, and seeded, so that keys that were chosen to
// collide in one table do not in the next one.
std::uint64_t hash_of(std::uint32_t v4, std::uint64_t seed);
std::uint64_t hash_of(const core::Ip& ip, std::uint64_t seed);
std::uint64_t hash_of(std::uint8_t kind, std::string_view text, std::uint64_t seed);
// Detects accidental damage, not tampering.
std::uint64_t checksum(const void* data, std::size_t size);

// A Bloom filter whose bits for one key lie in one word (Putze, Sanders and Singler, "Cache-, hash- and space-efficient
// Bloom filters", 2007): the word of a hash among `words`, and the three bits that a key sets there.
constexpr std::uint64_t filter_word(std::uint64_t hash, std::uint64_t words) {
  return (hash & UINT32_MAX) * words >> 32;
}
constexpr std::uint64_t filter_bits(std::uint64_t hash) {
  return std::uint64_t{1} << (hash & 63) | std::uint64_t{1} << (hash >> 6 & 63) | std::uint64_t{1} << (hash >> 32 & 63);
}

// Line and place of a hash with 2^bits lines.
constexpr std::uint32_t line_of(std::uint64_t hash, std::uint32_t bits) {
  return bits == 0 ? 0 : static_cast<std::uint32_t>(hash >> (64 - bits));
}
constexpr std::uint16_t place_of(std::uint64_t hash, std::uint32_t bits) {
  return static_cast<std::uint16_t>(hash >> (48 - bits));
}
// The same of a run's start; bits >= 16.
constexpr std::uint32_t run_line_of(std::uint32_t ip, std::uint32_t bits) { return ip >> (32 - bits); }
constexpr std::uint16_t run_place_of(std::uint32_t ip, std::uint32_t bits) {
  return static_cast<std::uint16_t>(ip & ((std::uint32_t{1} << (32 - bits)) - 1));
}

}  // namespace orbwatch::intel::indicator_file
