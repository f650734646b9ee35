// Indicators: addresses and prefixes that somebody says are bad. Here the plainest form, a text file; feeds build on
// the same table.
//
// One indicator a line: "192.0.2.1", "2001:db8::/48", "192.0.2[.]4", "hxxp://192.0.2[.]4:8080/x" (address taken, port
// kept as text), "192.0.2.1-192.0.2.9", or CSV with the indicator in the first column. "#", ";" and "//" begin
// comments. Read by intel/feed/text.cc; of what it gives, this table holds addresses, prefixes and URLs with an address
// as host. Empty lines, comments, names and hashes count as ignored, anything else is rejected.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"
#include "intel/prefix_map.h"

namespace orbwatch::intel {

struct Indicator {
  core::Prefix prefix;
  core::Symbol list;   // name of the list it came from
  core::Symbol label;  // second CSV column, words behind the indicator, or Maltrail's reference; may be absent
  core::Nanoseconds first_seen = 0;  // 0 = the list does not say
  core::Nanoseconds last_seen = 0;
  std::uint32_t line = 0;
};

// lines == indicators + ignored + rejected. `prefixes` is larger than `indicators` where a range needs several, smaller
// where duplicates fold.
struct IndicatorCounts {
  std::uint64_t lines = 0;
  std::uint64_t indicators = 0;
  std::uint64_t ignored = 0;  // empty, comment, domain, hash, autonomous system, URL without an address
  std::uint64_t rejected = 0;
  std::uint64_t prefixes = 0;
  std::uint64_t duplicates = 0;
  std::uint32_t first_rejected_line = 0;
  std::string first_rejected;  // printable
};

struct FeedTable;  // intel/feed_table.h

// Add lists first, then share it read-only between threads.
class Indicators {
 public:
  Indicators();
  Indicators(Indicators&&) noexcept;
  Indicators& operator=(Indicators&&) noexcept;
  ~Indicators();

  // Private and loopback addresses and prefixes shorter than /8 (IPv4) or /16 (IPv6) are rejected: they would match
  // everything.
  IndicatorCounts add_list(std::string_view text, std::string_view list_name);
  // False if it is a duplicate; an earlier first_seen and a later last_seen are then taken over.
  bool add(const Indicator& indicator);

  // The longest match, null if none. Some 20 ns for a miss.
  const Indicator* find(const core::Ip& ip) const;
  std::size_t size() const { return indicators_.size(); }
  const std::vector<Indicator>& all() const { return indicators_; }

  // What feeds state beside the lists (feed_store/); null: none were given.
  void use_feeds(std::unique_ptr<const FeedTable> feeds);
  const FeedTable* feeds() const { return feeds_.get(); }
  std::size_t count() const;  // of lists and feeds
  bool empty() const { return count() == 0; }

 private:
  std::vector<Indicator> indicators_;
  PrefixMap prefixes_;
  std::unique_ptr<const FeedTable> feeds_;
};

// "1.2.3[.]4" -> "1.2.3.4", "hxxps" -> "https", "(dot)", "[:]" ... What is not defanged is returned as it is.
std::string refang(std::string_view text);

// The fewest prefixes that cover first..last (same family, first <= last); empty otherwise. At most `most` of them,
// else empty.
std::vector<core::Prefix> cover_range(const core::Ip& first, const core::Ip& last, std::size_t most = 1024);

}  // namespace orbwatch::intel
