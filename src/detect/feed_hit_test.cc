#include "detect/feed_hit.h"

#include <gtest/gtest.h>

namespace orbwatch::detect {
namespace {

using Entry = FeedHit::Entry;

TEST(FeedHit, WhatIsWrittenIsReadBackWhateverFollows) {
  const std::vector<Entry> entries[] = {
      {{"nodes", "203.0.113.9"}},
      {{"nodes", "203.0.113.0/24"}, {"b-2", "203.0.113.9"}},
      {{"nodes", "2001:db8::/32"}, {"b", "2001:db8::1"}, {"c", "2001:db8::/48"}},
  };
  for (const auto& all : entries) {
    for (const std::string subject : {"203.0.113.9", "2001:db8::1", "SSH-2.0 of a thing"}) {
      for (const char* rest :
           {"", ": Quad7, last seen 2026-11-03 (believed by 40 %)", ", which named it 3 days after this", " (believed)",
            ", last seen 2026-11-03", ": , also in c as 9.9.9.9"}) {
        const auto hit = parse_feed_hit(feed_hit_words(subject, all) + rest);
        ASSERT_TRUE(hit) << subject << rest;
        EXPECT_EQ(hit->subject, subject);
        EXPECT_EQ(hit->entries, all) << feed_hit_words(subject, all) << rest;
      }
    }
  }
  EXPECT_EQ(feed_hit_words("1.2.3.4", entries[1]),
            "1.2.3.4 is in the feed nodes as 203.0.113.0/24, also in b-2 as 203.0.113.9");
}

TEST(FeedHit, NobodySpeaksForAnotherFeed) {
  // A banner with the words in it.
  const Entry own{"mine", "x is in the feed good is in the feed good"};
  const auto hit = parse_feed_hit(feed_hit_words(own.value, {&own, 1}));
  ASSERT_TRUE(hit);
  ASSERT_EQ(hit->entries.size(), 1U);
  EXPECT_EQ(hit->entries[0].feed, "mine");
  EXPECT_NE(hit->entries[0].value, "x");
  // A value that is no word falls back on the subject.
  const Entry odd{"mine", "a, also in good as b"};
  EXPECT_EQ(parse_feed_hit(feed_hit_words("s", {&odd, 1}))->entries, (std::vector<Entry>{{"mine", "s"}}));
}

TEST(FeedHit, IsBoundedAndRefusesOtherSentences) {
  const std::vector<Entry> many(20, Entry{"a", "b"});
  EXPECT_EQ(parse_feed_hit(feed_hit_words("s", many))->entries.size(), FeedHit::kMostEntries);
  std::string endless = "s is in the feed a";
  for (int i = 0; i < 1000; ++i) endless += ", also in a";
  EXPECT_EQ(parse_feed_hit(endless)->entries.size(), FeedHit::kMostEntries);
  for (const char* none : {"", "203.0.113.9 is on the list a", " is in the feed b", "a is in the feed ../x",
                           "a is in the feed ", "a is in the feed , also in b"})
    EXPECT_FALSE(parse_feed_hit(none)) << none;
}

}  // namespace
}  // namespace orbwatch::detect
