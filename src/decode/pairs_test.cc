#include "decode/pairs.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::decode {
namespace {

std::string pairs(std::string_view text, char separator = ' ', char equals = '=') {
  std::string out;
  each_pair(text, separator, equals, [&](std::string_view name, std::string_view value) {
    out += std::string(name) + "=<" + std::string(value) + ">";
  });
  return out;
}

TEST(Pairs, ValuesMayHoldSpacesAndQuotes) {
  EXPECT_EQ(pairs(R"(a=1 b="two words" c= d=4)"), "a=<1>b=<two words>c=<>d=<4>");
  EXPECT_EQ(pairs(R"(ivs=Default Network user=alice)"), "ivs=<Default Network>user=<alice>");
  EXPECT_EQ(pairs(R"(ether_type=IPv4 (0x0800) x="a\"b")"), R"(ether_type=<IPv4 (0x0800)>x=<a\"b>)");
  EXPECT_EQ(pairs("a=1  b=2 stray"), "a=<1>b=<2 stray>");
}

TEST(Pairs, OtherSeparators) {
  EXPECT_EQ(pairs("action:\"Drop\"; ike::\"x; y\"; proto:17; ", ';', ':'), "action=<Drop>ike=<x; y>proto=<17>");
  EXPECT_EQ(pairs("a=one two|b=|c=3", '|'), "a=<one two>b=<>c=<3>");
}

TEST(Pairs, DamagedTextEnds) {
  EXPECT_EQ(pairs(""), "");
  EXPECT_EQ(pairs("="), "");
  EXPECT_EQ(pairs("\"\"\" = a"), "");
  EXPECT_EQ(pairs("a=\"open"), "a=<open>");
  EXPECT_EQ(pairs("a=\"ends\\"), "a=<ends\\>");
  EXPECT_EQ(pairs("a="), "a=<>");
}

TEST(Values, KeepTheFirstThatIsNotEmpty) {
  static constexpr KeyNames<3> kNames({"src", "dst", "proto"});
  Values<3> v(kNames);
  v.read("src= src=192.0.2.1 src=192.0.2.2 other=1 proto=17", ' ');
  EXPECT_EQ(v[0], "192.0.2.1");
  EXPECT_TRUE(v[1].empty());
  EXPECT_EQ(v.number(2), 17U);
  EXPECT_EQ(v.either(1, 0), "192.0.2.1");
}

}  // namespace
}  // namespace orbwatch::decode
