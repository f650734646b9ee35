#include "core/display.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/text.h"

namespace orbwatch::core {
namespace {

struct Range {
  std::uint32_t first, last;
};
// Wide and fullwidth blocks of East Asian Width, and the emoji that terminals draw wide.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x2705, 0x2705},
    {0x274c, 0x274c},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f19a}, {0x1f200, 0x1f265}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb},
    {0x1f90c, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};
constexpr Range kZero[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},  {0x064b, 0x065f},
                           {0x06d6, 0x06dc}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},  {0x094d, 0x094d},
                           {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1160, 0x11ff},  {0x1ab0, 0x1aff},
                           {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0x302a, 0x302d},  {0x3099, 0x309a},
                           {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff}};
// Marks that change the order in which a terminal shows other characters, and separators that it may take as a new
// line.
constexpr Range kReordering[] = {{0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

template <std::size_t N>
bool within(const Range (&ranges)[N], std::uint32_t c) {
  const auto* at =
      std::upper_bound(ranges, ranges + N, c, [](std::uint32_t value, const Range& r) { return value < r.first; });
  return at != ranges && c <= (at - 1)->last;
}

// The code point of the valid sequence of `n` bytes at the front.
std::uint32_t code_point(std::string_view t, std::size_t n) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(t[i])); };
  switch (n) {
    case 2: return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3: return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    case 4: return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
    default: return byte(0);
  }
}

std::size_t columns_of(std::uint32_t c) {
  if (c < 0x300) return 1;
  if (within(kZero, c)) return 0;
  return within(kWide, c) ? 2 : 1;
}

// Calls with (bytes, columns) for each character; what is not valid UTF-8 counts as one column.
template <typename Call>
void each_character(std::string_view text, Call call) {
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const std::size_t length = n == 0 ? 1 : n;
    if (!call(text.substr(0, length), n == 0 ? 1 : columns_of(code_point(text, n)))) return;
    text.remove_prefix(length);
  }
}

}  // namespace

std::string terminal_text(std::string_view text, std::size_t most) {
  const std::string safe = printable(text, most);
  std::string out;
  out.reserve(safe.size());
  each_character(safe, [&](std::string_view character, std::size_t) {
    const bool reordering = character.size() > 1 && within(kReordering, code_point(character, character.size()));
    out += reordering ? std::string_view("?") : character;
    return true;
  });
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  each_character(text, [&](std::string_view, std::size_t columns) {
    width += columns;
    return true;
  });
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::string out;
  std::size_t used = 0;
  each_character(text, [&](std::string_view character, std::size_t width) {
    if (used + width > columns - 1) return false;
    out += character;
    used += width;
    return true;
  });
  return out + "…";
}

std::vector<std::string> wrap_to_width(std::string_view text, std::size_t columns) {
  columns = std::max<std::size_t>(columns, 2);  // room for one wide character
  std::vector<std::string> lines;
  std::string current;
  std::size_t used = 0;
  std::size_t break_at = std::string::npos;  // behind the last blank of the current line
  each_character(text, [&](std::string_view character, std::size_t width) {
    if (used + width > columns) {
      if (character == " ") {
        lines.push_back(std::exchange(current, {}));
        used = 0;
        break_at = std::string::npos;
        return true;
      }
      std::string rest;
      if (break_at != std::string::npos) {
        rest = current.substr(break_at);
        current.resize(break_at);
        while (!current.empty() && current.back() == ' ') current.pop_back();
      }
      lines.push_back(std::move(current));
      current = std::move(rest);
      used = display_width(current);
      break_at = std::string::npos;
    }
    if (character == " " && current.empty() && !lines.empty()) return true;
    current += character;
    used += width;
    if (character == " ") break_at = current.size();
    return true;
  });
  while (!current.empty() && current.back() == ' ') current.pop_back();
  if (!current.empty() || lines.empty()) lines.push_back(std::move(current));
  return lines;
}

}  // namespace orbwatch::core
