#include "decode/scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::decode {
namespace {

// "domain/user", "" if the text names nobody.
std::string split(void (*set)(event::Event&, std::string_view), std::string_view text) {
  event::Event event;
  set(event, text);
  if (!event.user.present()) return "";
  return std::string(event.user_domain.text()) + "/" + std::string(event.user.text());
}

TEST(Scanner, HostOfAUrl) {
  EXPECT_EQ(url_host("ST-1 for https://App.example:8443/login").text(), "app.example");
  EXPECT_EQ(url_host("[https://app.example]").text(), "app.example");
  EXPECT_FALSE(url_host("app.example/login").present());
  EXPECT_FALSE(url_host("https://").present());
}

TEST(Scanner, ProtocolNumbers) {
  EXPECT_EQ(protocol_number("tcp"), 6);
  EXPECT_EQ(protocol_number("UDP"), 17);
  EXPECT_EQ(protocol_number("GRE"), 47);
  EXPECT_EQ(protocol_number("IPv6-ICMP"), 58);
  EXPECT_EQ(protocol_number("ipv6"), 41);
  EXPECT_EQ(protocol_number("EIGRP"), 88);
  EXPECT_EQ(protocol_number("ipinip"), 4);
  EXPECT_EQ(protocol_number("47"), 47);
  EXPECT_EQ(protocol_number("255"), 255);
  for (const std::string_view none : {"", "256", "6x", "-6", "tc", "tcpx", "unknown_transport"}) {
    EXPECT_EQ(protocol_number(none), 0) << none;
  }
}

TEST(Scanner, EndpointsAsDevicesWriteThem) {
  const auto shown = [](std::string_view text) {
    const Endpoint e = endpoint(text);
    return (e.ip.present() ? e.ip.text() : "-") + " " + std::to_string(e.port);
  };
  EXPECT_EQ(shown("192.0.2.1:443"), "192.0.2.1 443");
  EXPECT_EQ(shown("192.0.2.1/443"), "192.0.2.1 443");
  EXPECT_EQ(shown("192.0.2.1"), "192.0.2.1 0");
  EXPECT_EQ(shown("[2001:db8::1]:443"), "2001:db8::1 443");
  EXPECT_EQ(shown("2001:db8:0:0:0:0:0:1:443"), "2001:db8::1 443");
  EXPECT_EQ(shown("2001:db8:0:0:0:0:0:1"), "2001:db8::1 0");
  for (const std::string_view none : {"", "-", ":443", "0.0.0.0:443", "Mapped Ip", "host:443"}) {
    EXPECT_FALSE(endpoint(none).ip.present()) << none;
  }
}

TEST(Scanner, UsersAndTheirDomains) {
  for (const auto set : {set_user, set_typed_user}) {
    EXPECT_EQ(split(set, "alice"), "/alice");
    EXPECT_EQ(split(set, " alice "), "/alice");
    EXPECT_EQ(split(set, "CORP\\alice"), "CORP/alice");
    EXPECT_EQ(split(set, "CORP\\\\alice"), "CORP/alice");
    EXPECT_EQ(split(set, "LOCAL\\alice"), "/alice");
    EXPECT_EQ(split(set, "LOCAL\\CORP\\alice"), "CORP/alice");
    EXPECT_EQ(split(set, "LOCAL\\\\CORP\\\\alice"), "CORP/alice");
    EXPECT_EQ(split(set, "-\\alice"), "/alice");
    EXPECT_EQ(split(set, "alice@corp.example"), "corp.example/alice");
    EXPECT_EQ(split(set, "@corp"), "/@corp");
    for (const std::string_view nobody : {"", " ", "-", "*****", "LOCAL\\*****", "CORP\\", "CORP\\-"}) {
      EXPECT_EQ(split(set, nobody), "") << nobody;
    }
  }
}

// A device writes words where it knows no name; somebody may have an account of that name.
TEST(Scanner, WordsInPlaceOfANameAreUsersOnlyWhereTheyWereTyped) {
  for (const std::string_view word : {"N/A", "Unknown", "unknown", "<unknown>", "Not Found"}) {
    EXPECT_EQ(split(set_user, word), "") << word;
    EXPECT_EQ(split(set_typed_user, word), "/" + std::string(word));
  }
}

TEST(Scanner, NobodyLeavesTheUserThatIsThere) {
  event::Event event;
  set_user(event, "CORP\\alice");
  set_user(event, "Unknown");
  EXPECT_EQ(event.user.text(), "alice");
  EXPECT_EQ(event.user_domain.text(), "CORP");
  set_user(event, "bob");
  EXPECT_EQ(event.user.text(), "bob");
  EXPECT_FALSE(event.user_domain.present());
}

TEST(Scanner, ReadsTimesWithASetOffZone) {
  const auto read = [](std::string_view text) {
    Scanner s(text);
    const auto time = scan_time(s, *core::TimeReader::make("+05:00", 0));
    return (time ? core::rfc3339(*time) : "none") + "|" + std::string(s.rest());
  };
  EXPECT_EQ(read("2026-11-22 08:00:00.5 +01:00 x"), "2026-11-22T07:00:00.5Z| x");
  EXPECT_EQ(read("2026-11-22 08:00:00 -0130\tx"), "2026-11-22T09:30:00Z|\tx");
  EXPECT_EQ(read("2026-11-22T08:00:00Z x"), "2026-11-22T08:00:00Z| x");
  EXPECT_EQ(read("2026-11-22 08:00:00 x"), "2026-11-22T03:00:00Z| x");
  EXPECT_EQ(read("2026-11-22 08:00:00+01:00 -x"), "2026-11-22T07:00:00Z| -x");
  EXPECT_EQ(read("2026-11-22 08:00:00 - x"), "2026-11-22T03:00:00Z| - x");
  EXPECT_EQ(read("2026-11-22 08:00:00 +99:00"), "none|2026-11-22 08:00:00 +99:00");
}

}  // namespace
}  // namespace orbwatch::decode
