#include "decode/envelope.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace orbwatch::decode {
namespace {

using core::TimeReader;

core::Nanoseconds at(std::string_view iso) { return *core::parse_iso8601(iso, TimeReader()); }

TimeReader reader(std::string_view zone = "") { return *TimeReader::make(zone, at("2026-12-31T00:00:00Z")); }

TextRecord read(std::string_view raw, const TimeReader& times = reader()) {
  TextRecord record;
  record.raw = raw;
  parse_envelope(record, times);
  return record;
}

struct Case {
  std::string_view raw;
  std::string_view time;  // "" = none
  std::string_view host;
  std::string_view program;
  std::string_view pid;
  std::string_view message;
};

void expect(const Case& c) {
  SCOPED_TRACE(c.raw);
  const TextRecord r = read(c.raw);
  EXPECT_EQ(core::rfc3339(r.time), c.time);
  EXPECT_EQ(r.host, c.host);
  EXPECT_EQ(r.program, c.program);
  EXPECT_EQ(r.pid, c.pid);
  EXPECT_EQ(r.message, c.message);
  EXPECT_EQ(r.raw, c.raw);
}

TEST(Envelope, Rfc3164) {
  expect({"<38>Nov 22 08:15:30 gw sshd[123]: Accepted", "2026-11-22T08:15:30Z", "gw", "sshd", "123", "Accepted"});
  expect({"Nov  2 08:15:30 gw sshd: Accepted", "2026-11-02T08:15:30Z", "gw", "sshd", "", "Accepted"});
  expect({"Nov 22 08:15:30.250 gw postfix/smtpd[9]: x", "2026-11-22T08:15:30.25Z", "gw", "postfix/smtpd", "9", "x"});
  expect({"Nov 22 08:15:30 192.0.2.1 hello there", "2026-11-22T08:15:30Z", "192.0.2.1", "", "", "hello there"});
}

TEST(Envelope, Rfc5424BehindARelaysOwnHeader) {
  expect({"Nov 22 08:15:31 relay 1 2026-11-22T08:15:30+01:00 gw app 7 - - msg", "2026-11-22T07:15:30Z", "gw", "app",
          "7", "msg"});
  expect({"Nov 22 08:15:31 relay 1 2026-11-22T08:15:30+01:00 - app - - - msg", "2026-11-22T07:15:30Z", "relay", "app",
          "", "msg"});
  expect({"Nov 22 08:15:31 relay 1 of 2 messages", "2026-11-22T08:15:31Z", "relay", "", "", "1 of 2 messages"});
}

TEST(Envelope, Rfc5424) {
  expect({"<165>1 2026-11-22T08:15:30.5Z gw app 77 ID47 [a@1 k=\"v]\\\"\"][b@2] \xef\xbb\xbfmsg",
          "2026-11-22T08:15:30.5Z", "gw", "app", "77", "msg"});
  expect({"<165>1 2026-11-22T08:15:30+01:00 - - - - - msg", "2026-11-22T07:15:30Z", "", "", "", "msg"});
  expect({"<165>1 - gw app - - - msg", "", "gw", "app", "", "msg"});
  expect({"1 2026-11-22T08:15:30Z gw app - - [a@1 k=\"v\"] msg", "2026-11-22T08:15:30Z", "gw", "app", "", "msg"});
  // The structured data never ends: nothing is left of the message, and nothing breaks.
  expect({"<165>1 2026-11-22T08:15:30Z gw app - - [a@1 k=\"v", "2026-11-22T08:15:30Z", "gw", "app", "", ""});
}

TEST(Envelope, Rfc5424KeepsMessageIdAndStructuredData) {
  const TextRecord r = read("<165>1 2026-11-22T08:15:30Z gw RT_FLOW - RT_FLOW_X [a@1 k=\"v]\"][b@2 x=\"1\"] msg");
  EXPECT_EQ(r.message_id, "RT_FLOW_X");
  EXPECT_EQ(r.structured, "[a@1 k=\"v]\"][b@2 x=\"1\"]");
  EXPECT_EQ(r.message, "msg");
  EXPECT_EQ(read("<165>1 2026-11-22T08:15:30Z gw app - - - msg").structured, "");
  EXPECT_EQ(read("<165>1 2026-11-22T08:15:30Z gw app - - [a@1 k=\"v").structured, "[a@1 k=\"v");
}

TEST(Envelope, CiscoShapes) {
  expect({"Nov 22 2026 08:15:30: %ASA-6-1: x", "2026-11-22T08:15:30Z", "", "", "", "%ASA-6-1: x"});
  expect({"<166>Nov 22 2026 08:15:30 fw1 : %ASA-6-1: x", "2026-11-22T08:15:30Z", "fw1", "", "", "%ASA-6-1: x"});
  expect({"<166>Nov 22 2026 08:15:30 fw1: %ASA-6-1: x", "2026-11-22T08:15:30Z", "fw1", "", "", "%ASA-6-1: x"});
  expect({"<133>Nov 22 08:15:30 2026 mc1 authmgr[1]: <522008> x", "2026-11-22T08:15:30Z", "mc1", "authmgr", "1",
          "<522008> x"});
  expect({"Nov  2 08:15:30 2024 mc1 authmgr[1]: x", "2024-11-02T08:15:30Z", "mc1", "authmgr", "1", "x"});
  expect({"Nov 22 08:15:30 2026x y: z", "2026-11-22T08:15:30Z", "2026x", "y", "", "z"});
  expect({"Nov 22 2026 08:15:30 : %ASA-6-1 x", "2026-11-22T08:15:30Z", "", "", "", "%ASA-6-1 x"});
  expect({"Nov 22 2026 08:15:30 fw1 CiscoASA[999]: %ASA-6-1: x", "2026-11-22T08:15:30Z", "fw1", "CiscoASA", "999",
          "%ASA-6-1: x"});
  expect({"<166>2026-11-22T08:15:30Z fw1 : %ASA-6-1: x", "2026-11-22T08:15:30Z", "fw1", "", "", "%ASA-6-1: x"});
  expect({"<166>:Nov 22 08:15:30 UTC: %ASA-session-6-1: x", "2026-11-22T08:15:30Z", "", "", "", "%ASA-session-6-1: x"});
  expect({"Nov 22 08:15:30 ftd1 SFIMS : %FTD-6-1: x", "2026-11-22T08:15:30Z", "ftd1", "SFIMS", "", "%FTD-6-1: x"});
  expect({"*Nov 22 08:15:30.123: %SYS-5-X: x", "2026-11-22T08:15:30.123Z", "", "", "", "%SYS-5-X: x"});
  expect({"<166>%ASA-6-1: x", "", "", "", "", "%ASA-6-1: x"});
}

TEST(Envelope, ZoneNames) {
  expect({"Nov 22 2026 08:15:30 EDT: %ASA-6-1: x", "2026-11-22T12:15:30Z", "", "", "", "%ASA-6-1: x"});
  expect({"Nov 22 2026 08:15:30 CEST: %ASA-6-1: x", "2026-11-22T06:15:30Z", "", "", "", "%ASA-6-1: x"});
  // CST is China's, Cuba's and Chicago's: the configured zone stays.
  expect({"Nov 22 2026 08:15:30 CST: %ASA-6-1: x", "2026-11-22T08:15:30Z", "", "", "", "%ASA-6-1: x"});
  const TimeReader berlin = reader("Europe/Berlin");
  EXPECT_EQ(core::rfc3339(read("Nov 22 2026 08:15:30: x", berlin).time), "2026-11-22T07:15:30Z");
  EXPECT_EQ(core::rfc3339(read("Nov 22 2026 08:15:30 UTC: x", berlin).time), "2026-11-22T08:15:30Z");
}

TEST(Envelope, RelayInFrontOfDevice) {
  expect({"Nov 22 08:15:31 relay <134>Nov 22 2026 08:15:30 fw1 : %ASA-6-1: x", "2026-11-22T08:15:30Z", "fw1", "", "",
          "%ASA-6-1: x"});
  expect({"Nov 22 08:15:31 192.0.2.1 Nov 22 2026 08:15:30: %ASA-6-1: x", "2026-11-22T08:15:30Z", "192.0.2.1", "", "",
          "%ASA-6-1: x"});
}

TEST(Envelope, CeeCookie) {
  expect({"Nov 22 08:15:30 gw app[7]: @cee: {\"a\":1}", "2026-11-22T08:15:30Z", "gw", "app", "7", "{\"a\":1}"});
  expect({"Nov 22 08:15:30 gw @cee: {\"a\":1}", "2026-11-22T08:15:30Z", "gw", "", "", "{\"a\":1}"});
  expect({"@cee:{\"a\":1}", "", "", "", "", "{\"a\":1}"});
  expect({"<13>1 2026-11-22T08:15:30Z gw app - - - \xef\xbb\xbf@cee: {\"a\":1}", "2026-11-22T08:15:30Z", "gw", "app",
          "", "{\"a\":1}"});
  expect({"@cee: a", "", "", "", "", "@cee: a"});
}

TEST(Envelope, TimesThatAreValues) {
  const auto time = [](std::string_view text) { return core::rfc3339(read_time(text, reader())); };
  EXPECT_EQ(time("Sun Nov 22 08:15:30 2025"), "2025-11-22T08:15:30Z");
  EXPECT_EQ(time("Nov 22 2025 08:15:30 CET"), "2025-11-22T07:15:30Z");
  EXPECT_EQ(time("Sun Nov 22 08:15:30 CET 2025"), "2025-11-22T07:15:30Z");
  EXPECT_EQ(time("Sun Nov 22 08:15:30 IST 2025"), "2025-11-22T08:15:30Z");  // India's or Israel's
  EXPECT_EQ(time("Sun Nov 22 08:15:30 CET"), "2026-11-22T07:15:30Z");
}

TEST(Envelope, LeavesOtherTextAlone) {
  for (const std::string_view raw :
       {"", " ", "<", "<>", "<1", "<12345>x", "hello", "1 2", "2026", "Nov", "Nov 22 08:15", "{\"a\":1}",
        "1,2026/11/22 08:15:30,x", "date=2026-11-22 time=08:15:30 devname=\"fg\"", "Foo 22 08:15:30 gw x",
        "Nov 32 08:15:30 gw x"}) {
    expect({raw, "", "", "", "", raw});
  }
  expect({"<134>date=2026-11-22 time=08:15:30", "", "", "", "", "date=2026-11-22 time=08:15:30"});
}

TEST(Envelope, HoldsOnAnyInput) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"<13>",
                                     "1 ",
                                     "Nov 22 08:15:30",
                                     "Nov 22 2026 08:15:30",
                                     "2026-11-22T08:15:30Z",
                                     " ",
                                     ":",
                                     "[",
                                     "]",
                                     "\"",
                                     "fw1",
                                     "sshd",
                                     "%ASA-6-1",
                                     "=",
                                     "-",
                                     "EDT",
                                     "\xff",
                                     "\\"};
  for (int round = 0; round < 20000; ++round) {
    std::string raw;
    for (auto n = random() % 9; n > 0; --n) raw += pieces[random() % std::size(pieces)];
    const TextRecord r = read(raw);
    // Every view lies within the record, and the message is its end.
    for (const std::string_view part : {r.message, r.host, r.program, r.pid}) {
      if (part.empty()) continue;
      ASSERT_GE(part.data(), r.raw.data());
      ASSERT_LE(part.data() + part.size(), r.raw.data() + r.raw.size());
    }
    if (!r.message.empty()) {
      ASSERT_EQ(r.message.data() + r.message.size(), r.raw.data() + r.raw.size()) << raw;
    }
  }
}

}  // namespace
}  // namespace orbwatch::decode
