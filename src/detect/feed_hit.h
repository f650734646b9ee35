// The words by which evidence says that a feed names what was seen, made in one place and read back in the same: a
// finding is kept, handed out and judged as text.
//
//   SUBJECT is in the feed NAME[ as VALUE][, also in NAME[ as VALUE]]...
//
// VALUE is the entry of the feed where it differs from the subject: a prefix that holds the address, a name above the
// name. What follows (a label of the feed's own words, dates) is behind a colon, a comma or a space and is never taken
// for more of it, so that no feed can speak for another.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::detect {

struct FeedHit {
  struct Entry {
    std::string feed;
    std::string value;  // as it stands in the feed
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  static constexpr std::size_t kMostEntries = 4;  // that are named; one of each feed

  std::string subject;
  std::vector<Entry> entries;  // the one that is believed most first
};

// The beginning of the sentence; entries beyond kMostEntries are left out. In a subject that holds these very words
// itself (a banner may) they are broken, so that what is read back names no entry that a feed has.
std::string feed_hit_words(std::string_view subject, std::span<const FeedHit::Entry> entries);
// Nothing: the sentence does not begin so.
std::optional<FeedHit> parse_feed_hit(std::string_view sentence);

}  // namespace orbwatch::detect
