// For tests of readers of feeds: keeps what a reader states.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "intel/feed/all.h"

namespace orbwatch::intel {

// A FeedItem with texts of its own.
struct StatedItem {
  FeedItem item;  // without its views
  std::string value;
  std::string host;
  std::string label;
  std::string id;
  std::vector<std::string> tags;
};

class ItemKeeper final : public FeedSink {
 public:
  void take(const FeedItem& item) override {
    StatedItem kept{
        item, std::string(item.value), std::string(item.host), std::string(item.label), std::string(item.id), {}};
    kept.tags.assign(item.tags.begin(), item.tags.end());
    kept.item.value = kept.item.host = kept.item.label = kept.item.id = {};
    kept.item.tags = {};
    items.push_back(std::move(kept));
  }
  // "prefix 192.0.2.1", "domain a.example" ... one a line.
  std::string values() const {
    std::string out;
    for (const StatedItem& kept : items) {
      out += std::string(name(kept.item.kind)) + " " + kept.value;
      if (kept.item.port != 0) out += " port " + std::to_string(kept.item.port);
      out += "\n";
    }
    return out;
  }
  std::vector<StatedItem> items;
};

struct FeedResult {
  FeedCounts counts;
  std::vector<StatedItem> items;
  std::string values;
};

// Reads, and checks what holds for every reader: the records balance, as many items as counted.
inline FeedResult read_feed(std::string_view reader, std::string_view text, const FeedSettings& settings = {}) {
  ItemKeeper keeper;
  const FeedReader* found = find_feed_reader(reader);
  EXPECT_NE(found, nullptr) << reader;
  if (found == nullptr) return {};
  const auto counts = found->read(text, settings, keeper);
  EXPECT_TRUE(counts) << counts.error().text();
  if (!counts) return {};
  EXPECT_EQ(counts->records, counts->used + counts->ignored_total() + counts->rejected_total());
  EXPECT_EQ(counts->items, keeper.items.size());
  return {*counts, keeper.items, keeper.values()};
}

// The message of the error that the reader gives; empty if it gives none.
inline std::string feed_error(std::string_view reader, std::string_view text, const FeedSettings& settings = {}) {
  ItemKeeper keeper;
  const auto counts = find_feed_reader(reader)->read(text, settings, keeper);
  return counts ? std::string() : counts.error().text();
}

inline core::Nanoseconds moment(std::string_view iso) {
  return core::parse_iso8601(iso, core::TimeReader()).value_or(-1);
}

using Reasons = std::map<std::string, std::uint64_t>;

}  // namespace orbwatch::intel
