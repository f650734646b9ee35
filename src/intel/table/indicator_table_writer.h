// Makes the table of indicator_table.h out of what feeds state.
//
// The same statements give the same bytes, in whatever order they are added. What one feed says of one key and port
// several times is folded into one statement: the earliest first_seen, the latest last_seen, and all else from the one
// that was modified last.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "intel/table/indicator_table.h"

namespace orbwatch::intel {

// stated == kept + folded + rejected_prefixes + rejected_keys + rejected_statements.
struct IndicatorTableCounts {
  std::uint64_t stated = 0;
  std::uint64_t kept = 0;    // known when the table is made, as is `folded`
  std::uint64_t folded = 0;  // the same feed said the same key and port before
  // A prefix of length 0: it would hold every address.
  std::uint64_t rejected_prefixes = 0;
  // An absent address, a length that the family does not have, a text that is empty or too long, an unknown kind.
  std::uint64_t rejected_keys = 0;
  // No such feed, or a confidence that is neither 0..100 nor 255.
  std::uint64_t rejected_statements = 0;
  std::uint64_t labels_cut = 0;  // of kept or folded statements: longer than kLongestLabel
  std::uint64_t entries = 0;     // distinct keys; known when the table is made
};

// One thread. Memory: some 50 bytes a statement and its texts, and twice the table while it is made.
class IndicatorTableWriter {
 public:
  static constexpr std::size_t kLongestLabel = 1024;  // bytes; cut at the end of a character
  static constexpr std::size_t kLongestText = 8192;   // bytes of a text key; a domain: IndicatorTable::kLongestDomain
  static constexpr std::size_t kMostFeeds = 65535;

  // Index for IndicatorStatement::feed: 0, 1, ... Names longer than kLongestLabel are cut. The order of the calls is
  // part of the table. kMostFeeds if there are that many already; statements with that index are rejected.
  std::uint16_t add_feed(std::string_view name);

  // False if it was rejected, with a count. `modified`: seconds since 1970 at which the feed last changed the
  // statement, 0 = not stated. Host bits of a prefix are cleared; a prefix of full length is an address.
  bool add(const core::Prefix& prefix, const IndicatorStatement& statement, std::uint32_t modified = 0);
  bool add(TextKind kind, std::string_view text, const IndicatorStatement& statement, std::uint32_t modified = 0);
  bool add_autonomous_system(std::uint32_t number, const IndicatorStatement& statement, std::uint32_t modified = 0);

  const IndicatorTableCounts& counts() const { return counts_; }

  // The table's bytes. `built`: seconds since 1970, the caller reads the clock; 0 = not stated. More can be added
  // afterwards and the table be made again. Error: more than the format holds (4 GiB), or not enough memory.
  core::Expected<std::string> image(std::int64_t built = 0);
  // Writes them beside `path`, through to the disk, and renames: a reader sees the old table or the new one. Gives the
  // number of bytes. Errors leave nothing behind.
  core::Expected<std::uint64_t> write(const std::string& path, std::int64_t built = 0);

 private:
  struct Row {
    std::uint32_t valid_from, valid_until, first_seen, last_seen;
    std::uint32_t modified;
    std::uint32_t label;  // in labels_
    std::uint16_t feed, port;
    std::uint8_t confidence, flags;
  };
  struct V4Address {
    std::uint32_t ip, row;
  };
  struct V4Prefix {
    std::uint32_t base, row;
    std::uint8_t bits;
  };
  struct V6Address {
    core::Ip ip;
    std::uint32_t row;
  };
  struct V6Prefix {
    core::Ip base;
    std::uint32_t row;
    std::uint8_t bits;
  };
  struct Text {
    std::uint64_t offset;  // in text_
    std::uint32_t row;
    std::uint16_t length;
    TextKind kind;
  };
  struct System {
    std::uint32_t number, row;
  };
  // Statements of one key: kept_[first] and the `count` behind it.
  struct Entry {
    std::uint32_t first = 0, count = 0;
  };

  bool accept(const IndicatorStatement& statement, std::uint32_t modified, std::uint32_t& row);
  std::string_view view(const Text& text) const { return std::string_view(text_).substr(text.offset, text.length); }
  bool newer(const Row& a, const Row& b) const;
  Entry fold(std::vector<std::uint32_t>& rows);
  template <typename Item, typename Less>
  std::vector<Entry> fold_all(std::vector<Item>& items, std::vector<Item>& keys, Less less);
  std::string assemble(std::int64_t built);

  std::vector<std::string> feeds_;
  std::deque<std::string> labels_;
  absl::flat_hash_map<std::string_view, std::uint32_t> label_numbers_;
  std::vector<Row> rows_;
  std::vector<V4Address> v4_addresses_;
  std::vector<V4Prefix> v4_prefixes_;
  std::vector<V6Address> v6_addresses_;
  std::vector<V6Prefix> v6_prefixes_;
  std::vector<Text> texts_;
  std::vector<System> systems_;
  std::string text_;
  std::vector<std::uint32_t> kept_;  // rows, by entry
  IndicatorTableCounts counts_;
};

}  // namespace orbwatch::intel
