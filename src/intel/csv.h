// Lines and fields of comma-separated text (RFC 4180, without line breaks inside a field: no input of this room has
// them).
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace orbwatch::intel {

// Removes and returns the first line, without its end ("\n" or "\r\n").
inline std::string_view take_line(std::string_view& text) {
  std::string_view line = core::take_until(text, '\n');
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Removes and returns the first field without surrounding blanks and quotes. A doubled quote inside a quoted field is
// left doubled: see unquoted(). An unclosed quote takes the rest of the line.
inline std::string_view take_field(std::string_view& line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  if (line.empty() || line.front() != '"') return core::trim(core::take_until(line, ','));
  const std::string_view field = core::quoted_cell(line);
  line.remove_prefix(std::min(field.size() + 2, line.size()));
  core::take_until(line, ',');
  return field;
}

// A field of take_field with doubled quotes made single.
inline std::string unquoted(std::string_view field) {
  std::string out;
  out.reserve(field.size());
  core::append_unquoted(out, field);
  return out;
}

// core::parse_number is for whole numbers.
inline std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace orbwatch::intel
