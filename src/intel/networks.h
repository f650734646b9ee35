// The compiled table "facts of an address": place, AS, type of network; memory-mapped, made by compile.h.
//
// IPv4: a first level of 2^24 entries (one per /24) and, for a /24 that is not uniform, a block of a 256-bit map and
// its values (the idea of DIR-24-8, Gupta et al., INFOCOM 1998, with the leaf compression of Poptrie, Asai and Ohara,
// SIGCOMM 2015).
// IPv6: sorted range starts, searched within the bucket that a first-level index on the top bits gives. The file:
// docs/formats-on-disk/networks.md.
//
// A file is never trusted: open() checks magic, version, size, the header's checksum and every section's bounds; each
// look-up checks the numbers that it reads, so a damaged body gives wrong or unknown facts, never a bad access.
// verify() checks it all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"
#include "intel/network_type.h"

namespace orbwatch::intel {

using core::Ip;
using core::NetworkFacts;

// Facts 1..kSpecialRanges are the same in every table and exist without one, too (IANA special-purpose registries).
enum class SpecialRange : std::uint32_t {
  kNone = 0,
  kPrivate = 1,     // RFC 1918, RFC 4193
  kCarrierNat = 2,  // RFC 6598
  kLoopback = 3,
  kLinkLocal = 4,  // RFC 3927, fe80::/10
  kMulticast = 5,
  kDocumentation = 6,  // RFC 5737, RFC 3849, RFC 9637
  kReserved = 7        // unspecified, benchmarking, future use, broadcast
};
constexpr std::uint32_t kSpecialRanges = 7;
SpecialRange special_range(const Ip& ip);

// One input of the table, for attribution and `orbwatch intel info`.
struct SourceInfo {
  std::string name;         // file name
  std::string kind;         // "city mmdb", "as csv", "as list", "prefix list", "curated", "name rules"
  std::string version;      // build date or version, "" if unknown
  std::string attribution;  // text that must be shown, "" if none is owed
  std::uint64_t records = 0;
};

struct NetworksInfo {
  core::Nanoseconds built = 0;
  std::uint32_t version = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t facts = 0;
  std::uint64_t v4_blocks = 0;
  std::uint64_t v6_ranges = 0;
  std::uint64_t systems = 0;  // AS numbers
  std::vector<SourceInfo> sources;
};

// Movable, not copyable; all const members are thread-safe. References and views live as long as the object.
class Networks {
 public:
  // Knows the special ranges only.
  Networks();
  ~Networks();
  Networks(Networks&&) noexcept;
  Networks& operator=(Networks&&) noexcept;

  static core::Expected<Networks> open(const std::string& path);
  // $ORBWATCH_NETWORKS, else ${XDG_CACHE_HOME:-$HOME/.cache}/orbwatch/networks.orbnet. Does not say whether it exists.
  static std::string default_path();

  // Index of the facts, 0 if nothing is known. An IPv4 look-up reads at most three cache lines before the facts.
  std::uint32_t lookup(const Ip& ip) const;
  // The same for many, several look-ups in flight at once: this is the fast way. Sizes must be equal.
  void lookup(std::span<const Ip> ips, std::span<std::uint32_t> out) const;
  void lookup_v4(std::span<const std::uint32_t> host_order, std::span<std::uint32_t> out) const;

  // An index out of range gives the empty facts.
  const NetworkFacts& facts(std::uint32_t index) const { return index < facts_count_ ? facts_[index] : facts_[0]; }
  std::uint32_t facts_count() const { return facts_count_; }
  std::string_view text(std::uint32_t offset) const;
  std::uint32_t text_size() const { return text_size_; }
  std::string_view city(std::uint32_t index) const { return text(facts(index).city); }
  std::string_view region(std::uint32_t index) const { return text(facts(index).region); }
  std::string_view as_name(std::uint32_t index) const { return text(facts(index).as_name); }
  std::vector<TypeClaim> claims(std::uint32_t index) const;
  std::string_view name_of_as(std::uint32_t asn) const;  // "" if unknown
  std::vector<std::uint32_t> as_numbers() const;         // ascending

  // See core::NetworkView. O(log number of AS numbers).
  double as_share(std::uint32_t asn) const;
  double as_share_in_country(std::uint32_t asn, std::uint16_t country) const;
  double country_share(std::uint16_t country) const;
  double type_share(NetworkType type) const;
  double type_share_in_country(NetworkType type, std::uint16_t country) const;

  bool has_data() const { return mapping_ != nullptr; }
  NetworksInfo info() const;
  std::string info_text() const;  // for `orbwatch intel info`: sources, dates, sizes, attribution
  // Reads the whole file: checksum of the body and the bounds of every reference. Some 0.1 s a 100 MB.
  core::Expected<void> verify() const;

 private:
  struct Mapping;
  std::uint32_t lookup_v6(const Ip& ip) const;

  std::unique_ptr<Mapping> mapping_;
  const std::uint32_t* v4_ = nullptr;  // 2^24 entries, or null
  const std::uint32_t* blocks_ = nullptr;
  const NetworkFacts* facts_ = nullptr;
  const char* text_ = nullptr;
  std::uint32_t facts_count_ = 0;
  std::uint32_t blocks_words_ = 0;
  std::uint32_t text_size_ = 0;
};

}  // namespace orbwatch::intel
