#include "core/text.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace orbwatch::core {
std::size_t utf8_length(std::string_view t) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(t[i]); };
  const auto tail = [&](std::size_t i) { return i < t.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char a = byte(0);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return tail(1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if ((a == 0xe0 && byte(1) < 0xa0) || (a == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if ((a == 0xf0 && byte(1) < 0x90) || (a == 0xf4 && byte(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

std::uint64_t count_lines(std::string_view bytes) {
  // Sixteen byte-wide counters; every comparison gives -1 where there is a '\n', and after 255 rounds a counter could
  // wrap.
  using Lanes = std::uint8_t __attribute__((vector_size(16)));
  using Sums = std::uint64_t __attribute__((vector_size(16)));
  constexpr std::size_t kWide = 4 * sizeof(Lanes);
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint64_t count = 0;
  const Lanes wanted = Lanes{} + static_cast<std::uint8_t>('\n');
  // Adds neighbours until eight 8-bit counters of each half are one 64-bit number.
  const auto add = [&count](const Lanes& lanes) {
    auto sums = std::bit_cast<Sums>(lanes);
    constexpr std::uint64_t k8 = 0x00ff00ff00ff00ffULL;
    sums = (sums & k8) + ((sums >> 8) & k8);
    sums += sums >> 32;
    sums += sums >> 16;
    sums &= Sums{} + 0xffff;
    count += sums[0] + sums[1];
  };
  while (static_cast<std::size_t>(end - at) >= kWide) {
    std::size_t rounds = std::min<std::size_t>(static_cast<std::size_t>(end - at) / kWide, 255);
    Lanes a{}, b{}, c{}, d{};
    for (; rounds > 0; --rounds, at += kWide) {
      Lanes block[4];
      std::memcpy(block, at, kWide);
      a -= static_cast<Lanes>(block[0] == wanted);
      b -= static_cast<Lanes>(block[1] == wanted);
      c -= static_cast<Lanes>(block[2] == wanted);
      d -= static_cast<Lanes>(block[3] == wanted);
    }
    for (const Lanes& lanes : {a, b, c, d}) add(lanes);
  }
  if (static_cast<std::size_t>(end - at) >= sizeof(Lanes)) {
    Lanes rest{};
    for (; static_cast<std::size_t>(end - at) >= sizeof(Lanes); at += sizeof(Lanes)) {
      Lanes block;
      std::memcpy(&block, at, sizeof(block));
      rest -= static_cast<Lanes>(block == wanted);
    }
    add(rest);
  }
  for (; at < end; ++at) count += *at == '\n';
  return count;
}

std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after) {
  auto at = text.find(before);
  if (at == text.npos) return std::nullopt;
  text = text.substr(at + before.size());
  if (after.empty()) return text;
  at = text.find(after);
  if (at == text.npos) return std::nullopt;
  return text.substr(0, at);
}

std::string_view quoted_cell(std::string_view text) {
  text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && (text[end] != '"' || (end + 1 < text.size() && text[end + 1] == '"')))
    end += text[end] == '"' ? 2 : 1;
  return text.substr(0, end);
}

void append_unquoted(std::string& out, std::string_view inside) {
  for (std::size_t i = 0; i < inside.size(); ++i) {
    out += inside[i];
    if (inside[i] == '"' && i + 1 < inside.size() && inside[i + 1] == '"') ++i;
  }
}

bool contains_ignore_case(std::string_view haystack, std::string_view needle) {
  if (needle.empty()) return true;
  // Most places are passed by their first byte alone.
  const char low = lower_char(needle.front());
  const char high = low >= 'a' && low <= 'z' ? static_cast<char>(low - 32) : low;
  for (std::size_t i = 0; i + needle.size() <= haystack.size(); ++i) {
    const char c = haystack[i];
    if ((c == low || c == high) && equals_ignore_case(haystack.substr(i, needle.size()), needle)) return true;
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower_char(c);
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= most) return out + "...";
    const std::size_t n = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (n == 0 || first < 0x20 || first == 0x7f ||
        (n == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0)) {
      out += first == '\t' ? ' ' : '?';
      text.remove_prefix(n == 0 ? 1 : n);
    } else {
      out += text.substr(0, n);
      text.remove_prefix(n);
    }
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
      text.remove_prefix(1);
    } else if (c < 0x20 || c == 0x7f) {
      switch (c) {
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
      }
      text.remove_prefix(1);
    } else if (const std::size_t n = utf8_length(text); n != 0) {
      out += text.substr(0, n);
      text.remove_prefix(n);
    } else {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    }
  }
  out += '"';
}

}  // namespace orbwatch::core
