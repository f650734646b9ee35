#include "pipeline/siv.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::pipeline {
namespace {

std::string hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return out;
}

const std::string kKey =
    hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0"
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");

// RFC 5297, A.1.
TEST(Siv, GivesWhatTheStandardGives) {
  auto siv = Siv::make(kKey);
  ASSERT_TRUE(siv) << siv.error().text();
  const std::string purpose = hex("101112131415161718191a1b1c1d1e1f2021222324252627");
  const std::string text = hex("112233445566778899aabbccddee");
  const std::string expected = hex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
  const auto sealed = siv->seal(purpose, text);
  ASSERT_TRUE(sealed) << sealed.error().text();
  EXPECT_EQ(*sealed, expected);
  EXPECT_EQ(siv->open(purpose, expected), text);
}

TEST(Siv, IsTheSameEachTimeAndTurnsBack) {
  for (const std::size_t bytes : {32U, 48U, 64U}) {
    auto siv = Siv::make(std::string(bytes, 'k'));
    ASSERT_TRUE(siv) << siv.error().text();
    for (const std::size_t length : {1U, 15U, 16U, 17U, 1000U, 300'000U}) {
      const std::string text(length, 'x');
      const auto first = siv->seal("purpose", text);
      const auto second = siv->seal("purpose", text);
      ASSERT_TRUE(first && second);
      EXPECT_EQ(*first, *second);
      EXPECT_EQ(first->size(), length + Siv::kTagBytes);
      EXPECT_EQ(siv->open("purpose", *first), text);
    }
    EXPECT_NE(siv->seal("purpose", "alice").value(), siv->seal("purpose", "alicf").value());
  }
}

TEST(Siv, RefusesWhatIsNotItsOwn) {
  auto siv = Siv::make(std::string(64, 'k'));
  auto other = Siv::make(std::string(63, 'k') + 'l');
  ASSERT_TRUE(siv && other);
  const std::string sealed = siv->seal("purpose", "alice").value();
  EXPECT_EQ(other->open("purpose", sealed), std::nullopt);
  EXPECT_EQ(siv->open("another purpose", sealed), std::nullopt);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(siv->open("purpose", changed), std::nullopt) << bit;
  }
  for (std::size_t length = 0; length < sealed.size(); ++length)
    EXPECT_EQ(siv->open("purpose", sealed.substr(0, length)), std::nullopt) << length;
  EXPECT_EQ(siv->open("purpose", sealed + "x"), std::nullopt);
  EXPECT_EQ(siv->open("purpose", sealed), "alice");  // what failed before leaves nothing behind
}

TEST(Siv, RefusesWrongKeysAndEmptyTexts) {
  for (const std::size_t bytes : {0U, 1U, 16U, 31U, 33U, 128U})
    EXPECT_FALSE(Siv::make(std::string(bytes, 'k'))) << bytes;
  auto siv = Siv::make(kKey);
  ASSERT_TRUE(siv);
  EXPECT_FALSE(siv->seal("purpose", ""));
  EXPECT_FALSE(siv->seal("", "text"));
}

}  // namespace
}  // namespace orbwatch::pipeline
