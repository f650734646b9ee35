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

// "Buckets" are u32[2^b + 1] (b up to kMostBucketBits): element i is the number of keys whose first b bits are below i.
// A "place" is the u16 of the bits behind these; places ascend within a bucket, behind the last one stand kPadding
// more. A key's number is its place's number.
enum SectionId : std::uint32_t {
  kFeeds,              // u32: text, by the feed's index
  kText,               // bytes: at each offset a u16 length, then the bytes; offset 0 is ""
  kShapes,             // Shape
  kEntryGroups,        // u32: where the statements of every kEntriesPerGroup-th entry begin
  kStatements,         // bytes, see below
  kV4AddressBuckets,   // of the IPv4 addresses
  kV4AddressPlaces,    //
  kV4RunBuckets,       // of the starts of runs: the address space is cut where the longest IPv4 prefix changes
  kV4RunPlaces,        // the first run starts at 0.0.0.0
  kV4RunValues,        // u32: number of the longest prefix that holds the run, or kNone
  kV4PrefixBases,      // u32, by (base, bits)
  kV4PrefixBits,       // u8: 1..31
  kV4PrefixParents,    // u32: number of the next shorter prefix that holds this one, smaller than its own; or kNone
  kV6AddressBuckets,   // of hash_of() of the IPv6 addresses
  kV6AddressPlaces,    //
  kV6Addresses,        // core::Ip, by hash
  kV6RunHighs,         // u64: first half of the runs' starts, ascending by both halves; the first start is 0
  kV6RunLows,          // u64: second half
  kV6RunValues,        // u32, as for IPv4
  kV6PrefixBases,      // core::Ip, by (base, bits)
  kV6PrefixBits,       // u8: 1..127
  kV6PrefixParents,    // u32
  kTextKeyBuckets,     // of hash_of() of the text keys
  kTextKeyPlaces,      //
  kTextKeyOffsets,     // u32: in kTextKeys
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
  std::uint64_t v6_seed = 0;        // of hash_of()
  std::uint64_t text_seed = 0;      // of hash_of()
  std::uint64_t statements = 0;     // in all entries together
  std::uint32_t earliest_time = 0;  // times of statements are written as distances from it
  std::uint32_t section_count = kSectionCount;
  Section sections[kSectionCount];
  std::uint64_t header_checksum = 0;  // checksum() of all bytes before it
};
static_assert(sizeof(Header) == 72 + 16 * kSectionCount + 8 && sizeof(Header) <= kAlignment);

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint32_t kMostBucketBits = 24;
// Behind the last element of places and run starts, so that a block of this many can be read at once anywhere.
constexpr std::uint32_t kPlacePadding = 8;
constexpr std::uint32_t kRunBlock = 16;  // kV6RunHighs is padded with UINT64_MAX to a multiple of it
constexpr std::uint32_t kEntriesPerGroup = 8;

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

constexpr std::uint64_t kElementBytes[kSectionCount] = {4,  1, sizeof(Shape),      4, 1,                 // statements
                                                        4,  2, 4,                  2, 4, 4, 1, 4,        // IPv4
                                                        4,  2, sizeof(core::Ip),   8, 8, 4,              // IPv6
                                                        16, 1, 4, 4, 2, 4, 1, 4};

// XXH3 with 64 bits: fast, stable from version 0.8.0 of its library on, and seeded, so that keys that were chosen to
// collide in one table do not in the next one.
std::uint64_t hash_of(const core::Ip& ip, std::uint64_t seed);
std::uint64_t hash_of(std::uint8_t kind, std::string_view text, std::uint64_t seed);
// Detects accidental damage, not tampering.
std::uint64_t checksum(const void* data, std::size_t size);

// Bucket and place of a hash with `bits` bits of buckets.
constexpr std::uint32_t bucket_of_hash(std::uint64_t hash, std::uint32_t bits) {
  return bits == 0 ? 0 : static_cast<std::uint32_t>(hash >> (64 - bits));
}
constexpr std::uint16_t place_of_hash(std::uint64_t hash, std::uint32_t bits) {
  return static_cast<std::uint16_t>(hash >> (48 - bits));
}
// Bucket and place of an IPv4 address: 16 bits of buckets or more, so that the rest fits into a place; 0 bits if there
// is one key at most, whose place is 0.
constexpr std::uint32_t bucket_of_v4(std::uint32_t ip, std::uint32_t bits) {
  return static_cast<std::uint32_t>(std::uint64_t{ip} >> (32 - bits));
}
constexpr std::uint16_t place_of_v4(std::uint32_t ip, std::uint32_t bits) {
  return bits == 0 ? 0 : static_cast<std::uint16_t>(ip & ((std::uint64_t{1} << (32 - bits)) - 1));
}

}  // namespace orbwatch::intel::indicator_file
