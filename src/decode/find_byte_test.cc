#include "decode/find_byte.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace orbwatch::decode {
namespace {

// Texts lie in memory of their own, so that a look behind the end is seen by AddressSanitizer.
TEST(FindByte, FindsTextsAsStringViewDoes) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::vector<char> bytes(random() % 90);
    for (char& c : bytes) c = "\"abc"[random() % 4];
    const std::string_view text(bytes.data(), bytes.size());
    std::string wanted = round % 2 == 0 ? "\"ab\"" : "abcab";
    if (round % 5 == 0 && bytes.size() > 12) wanted = text.substr(random() % (bytes.size() - 8), 4 + random() % 5);
    const std::size_t at = random() % 8;
    ASSERT_EQ(find_text(text, wanted, at), text.find(wanted, at)) << text << ' ' << wanted << ' ' << at;
    ASSERT_EQ(find_byte(text.data(), 0, text.size(), {'b', 'c'}), std::min(text.find_first_of("bc"), text.size()));
  }
  EXPECT_FALSE(holds_text("", "text"));
  EXPECT_TRUE(holds_text("text", "text"));
}

}  // namespace
}  // namespace orbwatch::decode
