#include "core/display.h"

#include <gtest/gtest.h>

namespace orbwatch::core {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("Köln"), 4u);
  EXPECT_EQ(display_width("東京"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u) << "combining acute";
  EXPECT_EQ(display_width("\xf0\x9f\x94\xa5"), 2u) << "emoji";
  EXPECT_EQ(display_width("\xff"), 1u);
  EXPECT_EQ(cut_to_width("vpn-gateway", 6), "vpn-g…");
  EXPECT_EQ(cut_to_width("vpn", 3), "vpn");
  EXPECT_EQ(cut_to_width("東京都", 4), "東…") << "a wide character is never halved";
}

TEST(Wrap, BreaksAtBlanksAndCutsLongWords) {
  EXPECT_EQ(wrap_to_width("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap_to_width("abcdefghij", 4), (std::vector<std::string>{"abcd", "efgh", "ij"}));
  EXPECT_EQ(wrap_to_width("", 4), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap_to_width("東京都", 3), (std::vector<std::string>{"東", "京", "都"}));
}

TEST(TerminalText, HasNothingThatATerminalWouldObey) {
  EXPECT_EQ(terminal_text("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(terminal_text("\xe2\x80\xaegnp.exe"), "?gnp.exe") << "right-to-left override";
  EXPECT_EQ(terminal_text("K\xc3\xb6ln \xff"), "K\xc3\xb6ln ?");
}

}  // namespace
}  // namespace orbwatch::core
