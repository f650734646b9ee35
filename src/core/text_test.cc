#include "core/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace orbwatch::core {
namespace {

TEST(Text, ParsesNumbersExactly) {
  EXPECT_EQ(parse_number<int>("42"), 42);
  EXPECT_EQ(parse_number<int>("-42"), -42);
  EXPECT_EQ(parse_number<std::uint16_t>("ff", 16), 255);
  for (const std::string_view text : {"", " 1", "1 ", "1x", "70000"})
    EXPECT_FALSE(parse_number<std::uint16_t>(text)) << text;
}

TEST(Text, TakesApart) {
  std::string_view text = "a,b,,c";
  EXPECT_EQ(take_until(text, ','), "a");
  EXPECT_EQ(take_until(text, ','), "b");
  EXPECT_EQ(take_until(text, ','), "");
  EXPECT_EQ(take_until(text, ','), "c");
  EXPECT_EQ(take_until(text, ','), "");
  EXPECT_EQ(trim(" \t x y\r\n"), "x y");
  EXPECT_EQ(between("for user bob from", "user ", " from"), "bob");
  EXPECT_EQ(between("for user bob", "user ", ""), "bob");
  EXPECT_FALSE(between("for user bob", "user ", " from"));
  EXPECT_TRUE(contains_ignore_case("Remote Desktop", "DESK"));
  EXPECT_FALSE(contains_ignore_case("Desk", "desktop"));
  EXPECT_EQ(lower("ÄBC"), "Äbc");  // ASCII only
}

TEST(Text, MakesPrintable) {
  EXPECT_EQ(printable("a\x1b[31m\tb\xff"), "a?[31m b?");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("\xc2\x9b"), "?");  // a control character in UTF-8
}

// The string that a JSON string literal stands for; "?" if it is no valid literal (RFC 8259, section 7). \u is read for
// ASCII only.
std::string unquoted(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return "?";
  std::string out;
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    const char c = json[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == '"') return "?";
    if (c != '\\') {
      out += c;
      continue;
    }
    switch (json[++i]) {
      case '"': out += '"'; break;
      case '\\': out += '\\'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u':
        if (i + 5 >= json.size()) return "?";
        out += static_cast<char>(parse_number<int>(json.substr(i + 1, 4), 16).value_or('?'));
        i += 4;
        break;
      default: return "?";
    }
  }
  return out;
}

TEST(Text, WritesJsonStringsThatMeanTheSame) {
  std::mt19937 random(6);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = 2 + random() % 20; n > 0; --n) text += static_cast<char>(random() % 128);
    std::string json;
    append_json_string(json, text);
    ASSERT_EQ(unquoted(json), text) << json;
  }
}

TEST(Text, ReplacesWhatIsNotUtf8InJson) {
  const auto json = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  EXPECT_EQ(json("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
  EXPECT_EQ(json("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"");
  for (const std::string_view bad : {"\xff", "\xc0", "\xc3", "\x80"})
    EXPECT_EQ(json(bad), "\"\xef\xbf\xbd\"") << printable(bad);
  EXPECT_EQ(json("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
}

TEST(Text, QuotedCells) {
  const auto read = [](std::string_view text) {
    std::string out;
    append_unquoted(out, quoted_cell(text));
    return out;
  };
  EXPECT_EQ(read("\"a,b\",c"), "a,b");
  EXPECT_EQ(read("\"\",c"), "");
  EXPECT_EQ(read("\"say \"\"yes\"\"\",c"), "say \"yes\"");
  EXPECT_EQ(quoted_cell("\"say \"\"yes\"\"\",c"), "say \"\"yes\"\"");
  // Not closed: all that is there.
  EXPECT_EQ(quoted_cell("\""), "");
  EXPECT_EQ(quoted_cell("\"abc"), "abc");
  EXPECT_EQ(quoted_cell("\"ab\"\""), "ab\"\"");
}

TEST(Text, CountsLines) {
  std::mt19937_64 random(11);
  std::string text(70000, '\n');
  for (int round = 0; round < 200; ++round) {
    const std::size_t begin = random() % 100;
    const std::size_t size = round < 100 ? random() % 300 : random() % (text.size() - begin);
    const std::string_view part = std::string_view(text).substr(begin, size);
    ASSERT_EQ(count_lines(part), static_cast<std::uint64_t>(std::count(part.begin(), part.end(), '\n'))) << size;
    for (int i = 0; i < 700; ++i) text[random() % text.size()] = random() % 2 == 0 ? 'x' : static_cast<char>(0x8a);
  }
  EXPECT_EQ(count_lines(std::string(1 << 20, '\n')), std::uint64_t{1} << 20);
  EXPECT_EQ(count_lines(""), 0U);
}

}  // namespace
}  // namespace orbwatch::core
