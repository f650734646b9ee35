#include "core/time.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

namespace orbwatch::core {
namespace {

Nanoseconds at(std::string_view iso) {
  const auto time = parse_iso8601(iso, TimeReader());
  EXPECT_TRUE(time) << iso;
  return time.value_or(-1);
}

std::string bsd(std::string_view text, const TimeReader& reader) {
  const auto time = parse_bsd(text, reader);
  return (time ? rfc3339(*time) : "none") + "|" + std::string(text);
}

TEST(Time, ParsesIso8601) {
  EXPECT_EQ(at("1970-01-01T00:00:01Z"), kSecond);
  EXPECT_EQ(at("2026-11-22T08:15:30Z"), 1'795'335'330 * kSecond);
  EXPECT_EQ(at("2026-11-22T08:15:30.000000001Z"), 1'795'335'330 * kSecond + 1);
  EXPECT_EQ(at("2026-11-22 09:15:30+01:00"), at("2026-11-22T08:15:30Z"));
  EXPECT_EQ(at("2026/11/22 04:15:30-0400"), at("2026-11-22T08:15:30Z"));
  EXPECT_EQ(at("2024-02-29T00:00:00Z"), at("2024-02-28T00:00:00Z") + kDay);
  for (std::string_view text : {"2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22",
                                "0000-01-01T00:00:00Z", "2026-11/22T00:00:00Z"}) {
    EXPECT_FALSE(parse_iso8601(text, TimeReader())) << text;
  }
}

TEST(Time, ParsesCtime) {
  std::string_view text = "Sun Nov  2 08:15:30 2025 : Auth";
  const auto time = parse_ctime(text, TimeReader());
  ASSERT_TRUE(time);
  EXPECT_EQ(*time, at("2025-11-02T08:15:30Z"));
  EXPECT_EQ(text, " : Auth");
  for (std::string_view other : {"Sun Nov 22 08:15:30", "Sun Nov 22 08:15:30 x026", "Sun Nov 22 08:15:61 2026",
                                 "Sun_Nov 22 08:15:30 2026", "Sun Nov 22 08:15:3 2026 "}) {
    EXPECT_FALSE(parse_ctime(other, TimeReader())) << other;
  }
}

TEST(Time, ComesBackFromItsText) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto time = static_cast<Nanoseconds>(random() % (200ULL * 365 * 86400)) * kSecond +
                      static_cast<Nanoseconds>(random() % 1000) * kMillisecond;
    if (time == 0) continue;
    const std::string text = rfc3339(time);
    EXPECT_EQ(at(text), time) << text;
    EXPECT_EQ(from_utc(to_utc(time)), time);
    EXPECT_EQ(from_utc(to_utc(-time)), -time);
  }
}

TEST(Time, GivesAYearToTimesWithoutOne) {
  const auto reader = TimeReader::make("", at("2026-03-01T00:00:00Z"));
  ASSERT_TRUE(reader);
  EXPECT_EQ(bsd("Feb 28 23:59:59 x", *reader), "2026-02-28T23:59:59Z| x");
  EXPECT_EQ(bsd("Mar  2 00:00:00", *reader), "2026-03-02T00:00:00Z|");  // within a day of the reference
  EXPECT_EQ(bsd("Mar  2 00:00:01", *reader), "2025-03-02T00:00:01Z|");
  EXPECT_EQ(bsd("Feb 29 12:00:00", *reader), "2024-02-29T12:00:00Z|");
  EXPECT_EQ(bsd("Nov 22 2019 08:15:30 EDT", *reader), "2019-11-22T08:15:30Z| EDT");
  EXPECT_EQ(bsd("Nov 22 08:15:30.5: x", *reader), "2025-11-22T08:15:30.5Z|: x");
  EXPECT_EQ(bsd("Nov 31 08:15:30", *reader), "none|Nov 31 08:15:30");
  EXPECT_EQ(bsd("Nov 22 08:60:30", *reader), "none|Nov 22 08:60:30");
  EXPECT_EQ(bsd("Nov 22 08:15", *reader), "none|Nov 22 08:15");
}

TEST(Time, UsesTheConfiguredZone) {
  const auto reader = TimeReader::make("Europe/Berlin", at("2026-12-31T00:00:00Z"));
  ASSERT_TRUE(reader);
  EXPECT_EQ(bsd("Jul  1 2026 12:00:00", *reader), "2026-07-01T10:00:00Z|");
  EXPECT_EQ(bsd("Jan  1 2026 12:00:00", *reader), "2026-01-01T11:00:00Z|");
  EXPECT_EQ(reader->offset_seconds_at_utc(at("2026-07-01T10:00:00Z")), 7200);
  EXPECT_FALSE(TimeReader::make("Nowhere/Here", 0));
  EXPECT_FALSE(TimeReader::make("local", 0));
}

// The hour of the line before is remembered; that must never show.
TEST(Time, ReadsTheSameWhateverItReadBefore) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::mt19937 random(4);
  for (const std::string_view zone : {"", "Europe/Berlin", "-03:30"}) {
    const auto warm = TimeReader::make(zone, at("2026-03-29T01:30:00Z"));
    ASSERT_TRUE(warm);
    for (int i = 0; i < 30000; ++i) {
      char text[40];
      // Near the reference, near a change of the clocks, and anywhere; valid and not.
      const auto day = static_cast<unsigned>(random() % 3 == 0 ? 1 + random() % 31 : 28 + random() % 4);
      const char* month = random() % 3 == 0 ? kMonths[random() % 12] : "Mar";
      const auto hour = static_cast<unsigned>(random() % 26);
      if (random() % 2 == 0) {
        std::snprintf(text, sizeof text, "%s %2u %02u:%02u:%02u", month, day, hour, unsigned(random() % 61),
                      unsigned(random() % 62));
      } else {
        std::snprintf(text, sizeof text, "%s %2u %u %02u:%02u:%02u.%u", month, day, unsigned(2024 + random() % 3), hour,
                      unsigned(random() % 61), unsigned(random() % 62), unsigned(random() % 10));
      }
      const auto cold = TimeReader::make(zone, at("2026-03-29T01:30:00Z"));
      ASSERT_EQ(bsd(text, *warm), bsd(text, *cold)) << text;
    }
  }
}

TEST(Time, ParsesEpochs) {
  const auto epoch = [](std::string_view text) { return parse_epoch(text); };
  EXPECT_EQ(epoch("1795335330"), at("2026-11-22T08:15:30Z"));
  EXPECT_EQ(epoch("1795335330.25"), at("2026-11-22T08:15:30.25Z"));
  EXPECT_EQ(epoch("1795335330250"), at("2026-11-22T08:15:30.25Z"));
  EXPECT_EQ(epoch("1795335330250000"), at("2026-11-22T08:15:30.25Z"));
  EXPECT_EQ(epoch("1795335330250000000"), at("2026-11-22T08:15:30.25Z"));
  for (const std::string_view text : {"9999999999", "99999999999999", "99999999999999999", "9223372036854775808"}) {
    EXPECT_FALSE(epoch(text)) << text;
  }
  EXPECT_FALSE(epoch("-5"));
  EXPECT_FALSE(epoch("x"));
  EXPECT_FALSE(epoch("99999999999999999999"));
  EXPECT_EQ(epoch("9214646399"), at("2261-12-31T23:59:59Z"));
  // Digits enough, but no moment that fits: milli-, micro- and nanoseconds.
  EXPECT_FALSE(epoch("99999999999999"));
  EXPECT_FALSE(epoch("99999999999999999"));
  EXPECT_FALSE(epoch("9223372036854775807"));
}

}  // namespace
}  // namespace orbwatch::core
