// The compiled table of indicators: millions of addresses, prefixes, names, fingerprints and AS numbers that feeds
// speak of, and what they say. Made by indicator_table_writer.h, held in memory by this class, looked up for every
// event.
//
// A key has one *entry*, whatever the number of feeds that state it; an entry has one or more *statements*.
//
// Methods. Exact keys: a seeded hash chooses a line of 64 bytes with the next 16 bits of the hashes of some fifteen
// keys, compared all at once; a key that agrees is compared in full. Most look-ups read one cache line. IPv4 prefixes:
// the address space is cut into runs with the same longest prefix, found in the same way by lines that the first bits
// of the address choose. IPv6 prefixes: such runs in a static tree of 16-key nodes (Khuong and Morin, "Array layouts
// for comparison-based searching", 2017). Shorter prefixes hang on the longest as a chain.
// docs/formats-on-disk/indicators.md has the file, docs/performance.md what was measured.
//
// A file is never trusted: open() reads it into memory of its own and checks it (magic, version, size, checksums, every
// number that a look-up follows); afterwards nobody can change it, so that no look-up needs to look twice. What is only
// read for a hit (statements, texts) is bounded where it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/ip.h"

namespace orbwatch::intel {

namespace indicator_file {
struct HashLine;
struct RunLine;
}  // namespace indicator_file

// What a text key is. Numbers are stored in files: append only.
enum class TextKind : std::uint8_t {
  kDomain,       // ASCII (IDNA A-labels); case and a final dot do not matter
  kUrl,          // the rest as they are, byte for byte
  kCertificate,  // fingerprint in the form that the feeds' readers and the decoders agree on
  kJa3,
  kJa3s,
  kJa4,
  kJa4s,
  kJarm,
  kHassh,
  kHasshServer,
  kBanner,
  kCount
};

enum StatementFlag : std::uint8_t {
  kRevoked = 1,      // the feed took it back
  kKnownGood = 2,    // the feed says that it is harmless
  kContextOnly = 4,  // worth telling, not worth an alert
};

constexpr std::uint8_t kConfidenceNotStated = 255;

// What one feed says of one key. Times are seconds since 1970, 0 = not stated; UINT32_MAX stands for all that is later
// than February 2106.
struct IndicatorStatement {
  std::string_view label;  // words of the feed: a name of malware, a group, a list; may be empty
  std::uint32_t valid_from = 0;
  std::uint32_t valid_until = 0;
  std::uint32_t first_seen = 0;
  std::uint32_t last_seen = 0;
  std::uint16_t feed = 0;                          // index, see feed_name()
  std::uint16_t port = 0;                          // 0 = any
  std::uint8_t confidence = kConfidenceNotStated;  // 0..100
  std::uint8_t flags = 0;                          // StatementFlag

  friend bool operator==(const IndicatorStatement&, const IndicatorStatement&) = default;
};

// Reads the statements of an entry one after another; a copy of the table's pointer, valid as long as the table.
class StatementReader {
 public:
  // False when there are no more. A damaged one ends them.
  bool next(IndicatorStatement& out);

 private:
  friend class IndicatorTable;
  const class IndicatorTable* table_ = nullptr;
  std::string_view rest_;
};

// The key of an entry, for a report.
struct IndicatorKey {
  enum class Kind : std::uint8_t { kNone, kPrefix, kText, kAutonomousSystem };
  Kind kind = Kind::kNone;
  TextKind text_kind = TextKind::kDomain;
  std::uint32_t autonomous_system = 0;
  core::Prefix prefix;    // an address is a prefix of full length
  std::string_view text;  // valid as long as the table
};

// Movable, not copyable; all const members are thread-safe and allocate nothing except where they return a string.
class IndicatorTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // No address lies in more than these: itself and a prefix of each shorter length.
  static constexpr std::size_t kMostPrefixes = 128;
  static constexpr std::size_t kLongestDomain = 253;
  // 4 GiB: no table that the writer makes is larger.
  static constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 32;

  ~IndicatorTable();
  IndicatorTable(IndicatorTable&&) noexcept;
  IndicatorTable& operator=(IndicatorTable&&) noexcept;

  // Reads all of the file, some 0.1 s for 100 MB. Errors: it cannot be read, is no table, is of another version,
  // damaged, or there is not enough memory.
  static core::Expected<IndicatorTable> open(const std::string& path);
  // The same from memory; copies.
  static core::Expected<IndicatorTable> from_bytes(std::string_view bytes);

  // The entry of the longest prefix that holds the address, the address itself first; kNone if there is none. An
  // absent address has none.
  std::uint32_t find(const core::Ip& ip) const;
  // The same for many, some thirty look-ups in flight at once: this is the fast way. Sizes must be equal, what is
  // longer is left alone.
  void find_many(std::span<const core::Ip> ips, std::span<std::uint32_t> out) const;
  void find_many_v4(std::span<const std::uint32_t> host_order, std::span<std::uint32_t> out) const;
  // All entries that hold the address, longest first; gives how many were written, `out.size()` at most. kMostPrefixes
  // is always enough.
  std::size_t find_all(const core::Ip& ip, std::span<std::uint32_t> out) const;

  std::uint32_t find_autonomous_system(std::uint32_t number) const;
  // Exactly this text.
  std::uint32_t find_text(TextKind kind, std::string_view text) const;
  // The name itself or the closest name above it that has a dot: "a.b.example.org" is found by "example.org", nothing
  // is found by "org" but "org". Names longer than kLongestDomain are not found.
  std::uint32_t find_domain(std::string_view name) const;
  // All of them, longest first, as find_all.
  std::size_t find_domains(std::string_view name, std::span<std::uint32_t> out) const;

  // Of an entry that does not exist there are none.
  StatementReader statements(std::uint32_t entry) const;
  IndicatorKey key(std::uint32_t entry) const;

  std::string_view feed_name(std::uint16_t feed) const;  // "" if there is no such feed
  std::uint16_t feeds() const;
  std::uint32_t size() const { return entries_; }  // entries
  std::uint64_t statement_count() const;
  std::int64_t built() const;          // seconds since 1970, 0 = not stated
  std::uint64_t file_bytes() const;    // what the table takes on disk
  std::uint64_t memory_bytes() const;  // and in memory

 private:
  friend class StatementReader;
  struct Storage;
  IndicatorTable();
  core::Expected<void> attach(std::unique_ptr<Storage> storage, const std::string& name);
  std::string_view text(std::uint32_t offset) const;
  std::uint32_t find_key(TextKind kind, std::string_view text) const;
  std::pair<TextKind, std::string_view> text_key(std::uint32_t number) const;
  std::uint32_t find_v4_address(std::uint32_t ip) const;
  std::uint32_t find_v4_run(std::uint32_t ip) const;
  std::uint32_t find_v6_address(const core::Ip& ip) const;
  std::uint32_t find_v6_run(const core::Ip& ip) const;
  std::uint32_t v6_block(std::uint64_t high) const;
  std::uint32_t last_v6_start(std::uint64_t high, std::uint32_t in_block) const;
  std::uint32_t exact_v6_start(const core::Ip& ip, std::uint32_t run) const;
  void find_many_v6(const core::Ip* ips, std::uint32_t* out, std::size_t count) const;

  // Lines and keys of one kind, see indicator_table_file.h.
  struct HashTable {
    const indicator_file::HashLine* lines = nullptr;
    std::uint32_t bits = 0;
    std::uint64_t seed = 0;
  };
  struct V4Runs {
    const std::uint64_t* map = nullptr;
    std::uint32_t map_bits = 0;
    const indicator_file::RunLine* lines = nullptr;  // null: `starts` alone
    std::uint32_t bits = 0;
    std::uint32_t count = 0;
    const std::uint32_t* starts = nullptr;
    const std::uint32_t* values = nullptr;
  };
  static bool perhaps_in_prefix(const V4Runs& runs, std::uint32_t ip);
  static std::uint32_t run_of(const V4Runs& runs, std::uint32_t ip);

  std::unique_ptr<Storage> storage_;
  HashTable v4_table_;
  // Says of most addresses that they are not among the keys: a tenth of the size of lines and keys.
  const std::uint64_t* v4_filter_ = nullptr;
  std::uint64_t v4_filter_words_ = 0;
  const std::uint32_t* v4_keys_ = nullptr;
  V4Runs v4_runs_;
  const std::uint32_t* v4_parents_ = nullptr;
  std::uint32_t v4_prefixes_ = 0;
  HashTable v6_table_;
  const core::Ip* v6_keys_ = nullptr;
  // The tree over v6_run_highs_, from the root down: each level has every 16th element of the one below.
  std::vector<std::vector<std::uint64_t>> v6_levels_;
  const std::uint64_t* v6_run_highs_ = nullptr;
  const std::uint64_t* v6_run_lows_ = nullptr;
  const std::uint32_t* v6_run_values_ = nullptr;
  std::uint32_t v6_runs_ = 0;
  const std::uint32_t* v6_parents_ = nullptr;
  std::uint32_t v6_prefixes_ = 0;
  HashTable text_table_;
  // Numbers of the first entry of each kind.
  std::uint32_t first_v4_prefix_ = 0;
  std::uint32_t first_v6_address_ = 0;
  std::uint32_t first_v6_prefix_ = 0;
  std::uint32_t first_text_ = 0;
  std::uint32_t first_system_ = 0;
  std::uint32_t entries_ = 0;
};

}  // namespace orbwatch::intel
