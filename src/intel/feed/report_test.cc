#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

TEST(ReportFeed, IndicatorsStandAnywhereInALine) {
  const auto result = read_feed("report",
                                "Router C2s:\n"
                                "C2:hxxp://evil[.]example:8080/a\n"
                                "Command and control IP address:192.0.2[.]1\n"
                                "between 192.0.2[.]2 and (192.0.2.3), loader.sh and https://blog.example/x\n"
                                "axon.evil[.]example.\n"
                                "|`192.0.2.4` |x64\n");
  EXPECT_EQ(result.values,
            "url http://evil.example:8080/a port 8080\n"
            "prefix 192.0.2.1\n"
            "prefix 192.0.2.2\n"
            "prefix 192.0.2.3\n"
            "domain axon.evil.example\n"
            "prefix 192.0.2.4\n");
  EXPECT_EQ(result.counts.records, 6U);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"text", 1}}));
  EXPECT_EQ(result.items.at(0).label, "Router C2s");
}

TEST(ReportFeed, NamesMustBeDefanged) {
  const auto result =
      read_feed("report", "update.sh\nhttps://blog.example/report\nsha1:da39a3ee5e6b4b0d3255bfef95601890afd80709\n");
  EXPECT_EQ(result.values, "");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"file hash", 1}, {"text", 2}}));
}

TEST(ReportFeed, DatesAndWordsBehindBelongToTheIndicator) {
  FeedSettings settings;
  settings.label = "KV";
  const auto result = read_feed("report",
                                "IP address\tTimeframe\tCharacterization\n"
                                "192.0.2[.]1\tDec 5, 2023 - Jan 3, 2024\tCallback Server\n"
                                "192.0.2[.]2        Feb. 7 \xe2\x80\x93 May 6 2022     Proxy Router C2\n"
                                "192.0.2[.]3 - shares a key\n",
                                settings);
  ASSERT_EQ(result.items.size(), 3U);
  EXPECT_EQ(result.items.at(0).label, "KV: Callback Server");
  EXPECT_EQ(core::date_text(result.items.at(0).item.first_seen), "2023-12-05");
  EXPECT_EQ(core::date_text(result.items.at(0).item.last_seen), "2024-01-03");
  EXPECT_EQ(result.items.at(1).label, "KV: Proxy Router C2");
  EXPECT_EQ(core::date_text(result.items.at(1).item.first_seen), "2022-02-07");
  EXPECT_EQ(result.items.at(2).label, "KV: shares a key");
  EXPECT_EQ(result.items.at(2).item.first_seen, 0);
}

TEST(ReportFeed, LinesBelowMayTellOfTheOneAbove) {
  const auto result = read_feed("report",
                                "192.0.2[.]1 \n"
                                "First Seen: 2025-04-11; Last Seen: 2026-03-21; Description: C2\n"
                                "192.0.2[.]2\n"
                                "\tFirst: January 3, 2024\n"
                                "\tLast: April 21, 2024\n"
                                "192.0.2[.]3\n"
                                "First Seen: 2026-03-31; Last Seen: Present; Description: Payload\n"
                                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
                                "First Seen: 2025-04-11; Description: dropper\n");
  ASSERT_EQ(result.items.size(), 3U);
  EXPECT_EQ(result.items.at(0).label, "C2");
  EXPECT_EQ(core::date_text(result.items.at(0).item.last_seen), "2026-03-21");
  EXPECT_EQ(core::date_text(result.items.at(1).item.first_seen), "2024-01-03");
  EXPECT_EQ(core::date_text(result.items.at(1).item.last_seen), "2024-04-21");
  EXPECT_EQ(core::date_text(result.items.at(2).item.first_seen), "2026-03-31");
  EXPECT_EQ(result.items.at(2).item.last_seen, 0);
  EXPECT_EQ(result.items.at(2).item.record, 6U);
  EXPECT_EQ(result.counts.records, 9U);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"file hash", 1}, {"line about the one above", 4}, {"text", 1}}));
}

TEST(ReportFeed, WordsBeyondTheLimitAreNamed) {
  std::string line;
  for (int i = 0; i < 5000; ++i) line += "x ";
  const auto result = read_feed("report", line + "192.0.2[.]1\n");
  EXPECT_EQ(result.values, "");
  EXPECT_EQ(result.counts.left_out, (Reasons{{"words beyond 4096 of a line", 1}}));
}

TEST(ReportFeed, DefangedNonsenseIsRejected) {
  const auto result = read_feed("report", "10.0.0[.]1\nb[org].evil[.]example:443\n");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"address that is not met on the Internet", 1}, {"not an indicator", 1}}));
}

}  // namespace
}  // namespace orbwatch::intel
