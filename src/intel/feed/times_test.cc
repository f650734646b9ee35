#include "intel/feed/times.h"

#include <gtest/gtest.h>

#include "intel/feed/item.h"

namespace orbwatch::intel {
namespace {

std::string time(std::string_view text) {
  const auto parsed = parse_feed_time(text);
  return !parsed ? "none" : *parsed == 0 ? "not said" : core::rfc3339(*parsed);
}

TEST(FeedTimes, FormsOfFeeds) {
  EXPECT_EQ(time("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
  EXPECT_EQ(time("2026-01-31T12:00:00.5+01:00"), "2026-01-31T11:00:00.5Z");
  EXPECT_EQ(time("2026-01-31 12:00:00"), "2026-01-31T12:00:00Z");
  EXPECT_EQ(time("2026-01-31 12:00:00 UTC"), "2026-01-31T12:00:00Z");
  EXPECT_EQ(time("2026-01-31"), "2026-01-31T00:00:00Z");
  EXPECT_EQ(time("1/31/2026"), "2026-01-31T00:00:00Z");
  EXPECT_EQ(time("1538071642"), "2018-09-27T18:07:22Z");
  EXPECT_EQ(time("1538071642000"), "2018-09-27T18:07:22Z");
  for (const char* none : {"", " ", "-", "None", "N/A", "never", "Present", "0"})
    EXPECT_EQ(time(none), "not said") << none;
}

TEST(FeedTimes, WhatIsNoneIsNone) {
  for (const char* wrong :
       {"2026-02-30", "2026-13-01", "31/1/2026", "yesterday", "2026-01-31T12:00:00Z x", "99999999999999999999999", "-5",
        "1900-01-01", "9999-12-31T00:00:00Z", "2300-01-01", "1e9", "2026-01-31T25:00:00Z"})
    EXPECT_EQ(time(wrong), "none") << wrong;
}

TEST(FeedTimes, TheYear9999MeansForEver) {
  EXPECT_EQ(parse_feed_end("9999-12-31T23:59:59Z"), kNoEnd);
  EXPECT_EQ(parse_feed_end("2049-01-13T00:00:00Z"), parse_feed_time("2049-01-13"));
  EXPECT_FALSE(parse_feed_end("9998-12-31"));
}

std::string dates(std::string_view text) {
  const TimeSpan span = find_dates(text);
  return span.first == 0 ? "none" : core::date_text(span.first) + " " + core::date_text(span.last);
}

TEST(FeedTimes, DatesInRunningText) {
  EXPECT_EQ(dates("Dec 5, 2023 - Jan 3, 2024\tCallback Server"), "2023-12-05 2024-01-03");
  EXPECT_EQ(dates("Feb. 7 \xe2\x80\x93 May 6 2022"), "2022-02-07 2022-05-06");
  EXPECT_EQ(dates("May \xe2\x80\x93 Nov. 2 2022"), "2022-05-01 2022-11-02");
  EXPECT_EQ(dates("Nov. 12 \xe2\x80\x93 Dec. 2022"), "2022-11-12 2022-12-31");
  EXPECT_EQ(dates("Nov. 15 \xe2\x80\x93 20, 2023"), "2023-11-15 2023-11-20");
  EXPECT_EQ(dates("Nov. 28, 2022 \xe2\x80\x93 Nov. 13 2023"), "2022-11-28 2023-11-13");
  EXPECT_EQ(dates("Nov. 20 - Feb 3 2024"), "2023-11-20 2024-02-03");
  EXPECT_EQ(dates("Dec 15, 2023"), "2023-12-15 2023-12-15");
  EXPECT_EQ(dates("2023-10-04\t2024-06-28\tTier 3"), "2023-10-04 2024-06-28");
  EXPECT_EQ(dates("First Seen: 2026-03-31"), "2026-03-31 2026-03-31");
  EXPECT_EQ(dates("Maybe 5 servers in 2023"), "none");
  EXPECT_EQ(dates("Mar 31"), "none");
  EXPECT_EQ(dates("Feb 30, 2023"), "none");
  EXPECT_EQ(dates("198.51.100.2 Proxy Router C2"), "none");
}

}  // namespace
}  // namespace orbwatch::intel
