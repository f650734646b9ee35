// Small, allocation-free helpers to read text. All views must outlive what is returned.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orbwatch::core {

// Input buffers of decoders must be readable (not necessarily meaningful) this many bytes beyond their end, so that
// vectorised parsers (simdjson) may read whole registers.
constexpr std::size_t kPadding = 64;

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

inline bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Removes and returns what stands before `separator`; all of the text if there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == text.npos ? std::string_view{} : text.substr(at + 1);
  return head;
}

inline bool skip_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// How often '\n' stands in the text.
std::uint64_t count_lines(std::string_view text);

// What stands between `before` and `after`, nullopt if either is missing. An `after` of "" means: to the end.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after);

// What stands between the quotes of the cell (RFC 4180) with which `text` begins, doubled quotes left doubled; all
// behind the first quote if none closes it.
std::string_view quoted_cell(std::string_view text);
// Appends what quoted_cell gave with doubled quotes made single.
void append_unquoted(std::string& out, std::string_view inside);

inline char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }  // ASCII only
inline bool equals_ignore_case(std::string_view a, std::string_view b) {                         // ASCII only
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower_char(a[i]) != lower_char(b[i])) return false;
  }
  return true;
}
bool contains_ignore_case(std::string_view haystack, std::string_view needle);
std::string lower(std::string_view text);  // ASCII only

// The length of the valid UTF-8 sequence (RFC 3629) at the front of `text`, which must not be empty; 0 if there is
// none.
std::size_t utf8_length(std::string_view text);

// Text safe to show on a terminal or in one line of a message: control characters and invalid UTF-8 become "?" and more
// than `most` bytes are cut with "...".
std::string printable(std::string_view text, std::size_t most = 200);

// Appends `text` as a JSON string with quotes. Invalid UTF-8 is replaced by U+FFFD: the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace orbwatch::core
