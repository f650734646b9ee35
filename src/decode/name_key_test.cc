#include "decode/name_key.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "core/text.h"
#include "decode/find_byte.h"
#include "decode/name_memory.h"
#include "decode/name_table.h"

namespace orbwatch::decode {
namespace {

// Names of all lengths, with letters of both cases and bytes beyond ASCII.
std::string name_of(std::size_t size, unsigned seed) {
  std::string name;
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    name += static_cast<char>(seed >> 24);
  }
  return name;
}

TEST(NameKey, IsTheSameHoweverItIsMade) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text = name_of(size, static_cast<unsigned>(size));
    text.reserve(size + core::kPadding);
    const NameKey key{std::string_view(text)};
    EXPECT_EQ(NameKey::of(text), key) << size;
    EXPECT_EQ(NameKey::padded(text), key) << size;
    EXPECT_EQ(key.lower(), NameKey(std::string_view(core::lower(text)))) << size;
    if (size == 0 || size > NameKey::kWhole) continue;
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_NE(NameKey::of(other), key) << size << " " << i;
    }
  }
}

TEST(FindByte, FindsTheFirstOfThem) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t place = 0; place <= size; ++place) {
      std::string text(size, '.');
      if (place < size) text[place] = place % 2 == 0 ? '=' : '"';
      text += "=\"";  // not part of it
      text.reserve(text.size() + core::kPadding);
      EXPECT_EQ(find_byte(text.data(), 0, size, {'=', '"'}), place);
      EXPECT_EQ(find_byte(text.data(), place, size, {'=', '"'}), place);
      EXPECT_EQ(holds_byte(text.data(), size, '='), place < size && place % 2 == 0);
    }
  }
}

TEST(NameTable, TellsLongNamesApart) {
  static constexpr NameTable kTable(
      std::to_array<Name<int>>({{"beginning-one-the-end", 1}, {"beginning-two-the-end", 2}, {"id", 3}}));
  EXPECT_EQ(*kTable.find("beginning-one-the-end"), 1);
  EXPECT_EQ(*kTable.find("beginning-two-the-end"), 2);
  EXPECT_EQ(*kTable.find("id"), 3);
  EXPECT_EQ(kTable.find("beginning-six-the-end"), nullptr);
  EXPECT_EQ(kTable.find(""), nullptr);
}

// Whatever was asked before, in whatever order: what is remembered is what the search says.
TEST(NameMemory, ChangesNothing) {
  const int objects[2] = {};
  NameMemory<std::string> memory;
  unsigned seed = 1;
  std::size_t searches = 0;
  std::size_t asked = 0;
  for (int record = 0; record < 3000; ++record) {
    auto names = memory.names();
    for (int i = 0; i < 12; ++i) {
      seed = seed * 1664525 + 1013904223;
      // Mostly the same order; names that differ only in the middle; more of them than there is room for.
      const unsigned number = (seed >> 24) < 16 ? seed >> 16 & 0x3ff : static_cast<unsigned>(i);
      const std::string name = "name-of-" + std::to_string(number) + std::string(number % 37, 'x') + "-member";
      const int* const within = &objects[number % 2];
      const std::string expected = name + (number % 2 == 0 ? "0" : "1");
      ++asked;
      EXPECT_EQ(names.find(name.data(), NameKey::of(name), within,
                           [&] {
                             ++searches;
                             return std::string(expected);
                           }),
                expected);
    }
  }
  EXPECT_LT(searches, asked / 2);
}

}  // namespace
}  // namespace orbwatch::decode
