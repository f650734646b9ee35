#include "core/ip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace orbwatch::core {
namespace {

TEST(Ip, ParsesWhatLogsWrite) {
  EXPECT_EQ(Ip::parse("192.0.2.1"), Ip::v4(0xc0000201));
  EXPECT_EQ(Ip::parse("010.001.000.255"), Ip::v4(0x0a0100ff));  // padded, decimal
  EXPECT_EQ(Ip::parse("255.255.255.255"), Ip::v4(0xffffffff));
  EXPECT_EQ(Ip::parse("::ffff:192.0.2.1"), Ip::v4(0xc0000201));
  EXPECT_EQ(Ip::parse("[2001:db8::1]"), Ip::parse("2001:db8:0:0:0:0:0:1"));
  EXPECT_EQ(Ip::parse("fe80::1%eth0"), Ip::parse("fe80::1"));
}

TEST(Ip, RefusesEverythingElse) {
  for (const std::string_view text :
       {"",           ".",       "1",           "1.2.3",        "1.2.3.4.", "1.2.3.4.5",  "256.1.1.1",
        "1.2.3.0256", "1..2.3",  "a.b.c.d",     " 1.2.3.4",     "1.2.3.4 ", "-1.2.3.4",   ":",
        ":::",        "1::2::3", "2001:db8::g", "[2001:db8::1", "12345::1", "1.2.3.4:80", "0001.2.3.4"}) {
    EXPECT_FALSE(Ip::parse(text)) << text;
  }
}

TEST(Ip, ScansAnAddressWithinText) {
  const auto scan = [](std::string_view text) {
    const auto ip = Ip::scan(text);
    return (ip ? ip->text() : "none") + "|" + std::string(text);
  };
  EXPECT_EQ(scan("192.0.2.1/443 (192.0.2.1/443)"), "192.0.2.1|/443 (192.0.2.1/443)");
  EXPECT_EQ(scan("192.0.2.1"), "192.0.2.1|");
  EXPECT_EQ(scan("192.0.2.1:500 and more text"), "192.0.2.1|:500 and more text");
  EXPECT_EQ(scan("192.0.2.1. The end of it."), "192.0.2.1|. The end of it.");
  EXPECT_EQ(scan("255.255.255.255255"), "none|255.255.255.255255");
  EXPECT_EQ(scan("255.255.255.255 "), "255.255.255.255| ");
  EXPECT_EQ(scan("255.255.255.255"), "255.255.255.255|");
  EXPECT_EQ(scan("192.0.2.1-host.example"), "none|192.0.2.1-host.example");
  EXPECT_EQ(scan("192.0.2.1.example.net"), "none|192.0.2.1.example.net");
  EXPECT_EQ(scan("2001:db8::1/443"), "2001:db8::1|/443");
  EXPECT_EQ(scan("2001:db8::1: text"), "2001:db8::1|: text");
  EXPECT_EQ(scan("2001:db8::(443)"), "2001:db8::|(443)");
  EXPECT_EQ(scan("fe80::1%eth0 x"), "fe80::1| x");
  EXPECT_EQ(scan("[2001:db8::1]:443"), "2001:db8::1|:443");
  EXPECT_EQ(scan("[10.0.0.1"), "none|[10.0.0.1");
  EXPECT_EQ(scan("deadbeef"), "none|deadbeef");
  EXPECT_EQ(scan("outside:192.0.2.1"), "none|outside:192.0.2.1");
  EXPECT_EQ(scan(""), "none|");
}

TEST(Ip, ComesBackFromItsText) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const Ip v4 = Ip::v4(static_cast<std::uint32_t>(random() >> (random() % 32)));
    const std::string shown = v4.text();
    const std::vector<char> exact(shown.begin(), shown.end());  // nothing is readable behind it
    EXPECT_EQ(Ip::parse({exact.data(), exact.size()}), v4);
    std::uint64_t halves[2] = {random(), random()};
    if (random() % 2) halves[random() % 2] = 0;
    const Ip v6 = Ip::from_v6_bytes(halves);
    EXPECT_EQ(Ip::parse(v6.text()), v6);
    // Behind an address may stand anything that cannot belong to it, near the end of the buffer or far from it.
    for (const std::string_view behind : {"/443", " ", ")", ", and a longer text behind it"}) {
      for (const Ip& ip : {v4, v6}) {
        const std::string text = ip.text() + std::string(behind);
        std::string_view rest = text;
        EXPECT_EQ(Ip::scan(rest), ip) << text;
        EXPECT_EQ(rest, behind) << text;
      }
    }
  }
}

// The fast reader of long texts and the careful one of short texts agree on anything.
TEST(Ip, ScansTheSameInShortAndLongText) {
  std::mt19937 random(2);
  const char characters[] = "0123456789...../:a-";
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (auto n = random() % 15; n > 0; --n) text += characters[random() % (sizeof characters - 1)];
    std::string_view alone = text;
    const auto short_ip = Ip::scan(alone);
    const std::string padded = text + "                ";
    std::string_view with_more = padded;
    const auto long_ip = Ip::scan(with_more);
    ASSERT_EQ(short_ip, long_ip) << text;
    if (short_ip) {
      ASSERT_EQ(alone.size() + 16, with_more.size()) << text;
    }
  }
}

TEST(Ip, KnowsSpecialRanges) {
  for (const std::string_view text : {"10.0.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1", "169.254.1.1",
                                      "100.64.0.1", "224.0.0.1", "0.0.0.0", "192.0.2.1", "198.51.100.1", "203.0.113.1",
                                      "255.255.255.255", "::1", "fe80::1", "fc00::1", "2001:db8::1", "ff02::1"}) {
    EXPECT_FALSE(Ip::parse(text)->is_global()) << text;
  }
  for (const std::string_view text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1"})
    EXPECT_TRUE(Ip::parse(text)->is_global()) << text;
}

TEST(Prefix, ParsesAndContains) {
  const auto p = Prefix::parse("192.0.2.77/24");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->text(), "192.0.2.0/24");
  EXPECT_TRUE(p->contains(*Ip::parse("192.0.2.255")));
  EXPECT_FALSE(p->contains(*Ip::parse("192.0.3.0")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*Ip::parse("8.8.8.8")));
  EXPECT_FALSE(Prefix::parse("0.0.0.0/0")->contains(*Ip::parse("2001:db8::1")));
  EXPECT_EQ(Prefix::parse("2001:db8::1")->bits, 128);
  for (const std::string_view text : {"", "/", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "2001:db8::/129", "1.2.3.4/8x"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, MasksLikeANaiveLoop) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    const std::uint32_t value = static_cast<std::uint32_t>(random());
    const int bits = static_cast<int>(random() % 33);
    std::uint32_t expected = 0;
    for (int b = 0; b < bits; ++b) expected |= value & (0x80000000U >> b);
    EXPECT_EQ(Ip::v4(value).masked(bits), Ip::v4(expected));
  }
}

}  // namespace
}  // namespace orbwatch::core
