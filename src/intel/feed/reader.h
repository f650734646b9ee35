// Reading threat feeds: bytes in memory to FeedItems. One file per format beside this one, listed in all.cc.
//
// Readers are pure: no input or output, no clock, no state between calls; one may be used by several threads. Each
// record ends as items, as ignored under a name, or as rejected with reason and place; nothing is dropped in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/feed/item.h"

namespace orbwatch::intel {

// A text feed of ten million lines stays below it.
inline constexpr std::size_t kMostFeedBytes = std::size_t{256} << 20;
// JSON is held parsed, at up to some twenty times its size; pages of TAXII and events of MISP are far smaller.
inline constexpr std::size_t kMostFeedJsonBytes = std::size_t{64} << 20;
// Deeper than any object of STIX or MISP (a dozen).
inline constexpr std::size_t kMostFeedDepth = 64;
// The look-up table is made for five million; more out of one document is an error of the feed.
inline constexpr std::uint64_t kMostFeedItems = 10'000'000;
inline constexpr std::uint64_t kMostFeedRecords = 20'000'000;
// A line of text or a record of CSV; longer ones are rejected.
inline constexpr std::size_t kLongestFeedLine = std::size_t{64} << 10;
// Reasons are partly made of what stands in the document ("misp type x"): further ones are counted as "other".
inline constexpr std::size_t kMostFeedReasons = 200;
inline constexpr std::size_t kMostFeedRejectionsShown = 10;

// Which column (CSV: its name in the header, or "#3" for the third) or field (JSON: "a.b.c") holds what. Empty: found
// by the usual names if `value` is empty too, else not there.
struct FeedMapping {
  std::string value;
  std::string kind;
  std::string label;
  std::string port;
  std::string first_seen;
  std::string last_seen;
  std::string valid_from;
  std::string valid_until;
  std::string confidence;
  std::string modified;
  std::string tags;  // one text, cut at commas and semicolons, or a JSON array of texts
  std::string id;
};

struct FeedSettings {
  // Of text, CSV and JSON: what the values are ("ipv4-addr", "asn", "domain", "ja3" ...: kind_of_name in value.h),
  // where no field says so. "auto": by their look.
  std::string kind = "auto";
  std::string label;        // where a record has none
  bool known_good = false;  // all of it is benign
  FeedMapping mapping;
  char delimiter = 0;        // of CSV; 0: tab, semicolon, bar or comma, whichever the header has most of
  std::uint32_t skip = 0;    // records in front of the header that are no data
  std::string records_path;  // JSON: where the array of records is ("data.items"); empty: the root, or the only array
};

struct FeedRejection {
  std::string place;   // "line 12", "/objects/3 indicator--...", "/Event/Attribute/4"
  std::string reason;  // one of the rejected ones' names
  std::string text;    // beginning of what was seen, printable
};

// records == used + all of ignored + all of rejected.
struct FeedCounts {
  std::uint64_t records = 0;
  std::uint64_t used = 0;  // records that gave at least one item
  std::uint64_t items = 0;
  std::map<std::string, std::uint64_t> ignored;
  std::map<std::string, std::uint64_t> rejected;
  // Parts of records that were used otherwise: an alternative of a pattern, a tag too long.
  std::map<std::string, std::uint64_t> left_out;
  std::vector<FeedRejection> first_rejected;

  std::uint64_t ignored_total() const;
  std::uint64_t rejected_total() const;
};

class FeedSink {
 public:
  virtual ~FeedSink() = default;
  virtual void take(const FeedItem& item) = 0;
};

class FeedReader {
 public:
  virtual ~FeedReader() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view description() const = 0;
  // How much the beginning of a document (some 64 KiB) looks like this format: 0 = not at all, up to 100.
  virtual int recognise(std::string_view head, std::string_view file_name) const = 0;
  // An error: the document as a whole is broken or too large, or the settings do not fit it; the caller must then not
  // use what the sink was given.
  virtual core::Expected<FeedCounts> read(std::string_view bytes, const FeedSettings& settings,
                                          FeedSink& sink) const = 0;
};

}  // namespace orbwatch::intel
