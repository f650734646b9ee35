// What every reader of feeds does with its records: counts them, checks what an item may hold, hands it on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "intel/feed/reader.h"
#include "intel/feed/value.h"

namespace orbwatch::intel {

// Lives for one read(). A record is begun by nothing; it ends by one of used(), ignore() and reject().
class FeedRecorder {
 public:
  FeedRecorder(const FeedSettings& settings, FeedSink& sink) : settings_(settings), sink_(sink) {}

  // Number of the record that is being read, from 1.
  std::uint64_t record() const { return counts_.records + 1; }
  const FeedCounts& counts() const { return counts_; }
  ValueRules rules(bool known_good = false) const { return {settings_.known_good || known_good, 1024}; }

  // Ends the record as what `verdict` says of its values: gives an item for each of them, made from `item` with the
  // fields that a value decides.
  void finish(const ValueVerdict& verdict, const std::vector<FeedValue>& values, FeedItem item, std::string_view text,
              const std::string& place);
  // Gives an item of the record that is being read; false: it breaks a limit, `reason` is why.
  bool give(const FeedValue& value, FeedItem item, std::string_view& reason);
  void used() {
    ++counts_.records;
    ++counts_.used;
  }
  void ignore(std::string_view reason, std::uint64_t records = 1) {
    counts_.records += records;
    count(counts_.ignored, reason, records);
  }
  void reject(std::string_view reason, std::string_view text, const std::string& place, std::uint64_t records = 1);
  void leave_out(std::string_view reason) { count(counts_.left_out, reason, 1); }

  // More records or items than a feed may have: the reader must end with too_many().
  bool full() const { return counts_.items > kMostFeedItems || counts_.records > kMostFeedRecords; }
  core::Expected<FeedCounts> finished() const;

 private:
  static void count(std::map<std::string, std::uint64_t>& reasons, std::string_view reason, std::uint64_t by);

  const FeedSettings& settings_;
  FeedSink& sink_;
  FeedCounts counts_;
};

// Texts and tags that an item's views point to while it is given.
class FeedTags {
 public:
  void clear() { texts_.clear(); }
  // False: too long, or there are enough.
  bool add(std::string_view tag);
  // Valid until the next call of a member that changes it.
  std::span<const std::string_view> views();

 private:
  std::vector<std::string> texts_;
  std::vector<std::string_view> views_;
};

// A label as items have it: printable, one line, cut.
std::string feed_label(std::string_view text);

// "line 12".
std::string line_place(std::uint64_t line);

// 0..100 from "85", "85%", "high", "medium", "low" as STIX's table of confidence scales has them
// (85, 50, 15); kConfidenceNotSaid for an empty text. Nullopt: none.
std::optional<std::uint8_t> parse_confidence(std::string_view text);

}  // namespace orbwatch::intel
