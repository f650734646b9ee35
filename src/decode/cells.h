// The cells and pairs of which table-like records are made.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/text.h"

namespace orbwatch::decode {

// Calls each(index, cell with its quotes, quoted) for the cells of a line (RFC 4180) until it gives false.
template <typename Each>
void each_cell(std::string_view line, char delimiter, Each&& each) {
  std::size_t index = 0;
  std::size_t at = 0;
  while (true) {
    const bool quoted = at < line.size() && line[at] == '"';
    const std::size_t behind = quoted ? at + core::quoted_cell(line.substr(at)).size() + 2 : at;
    const std::size_t end = std::min(line.find(delimiter, behind), line.size());
    if (!each(index, line.substr(at, end - at), quoted)) return;
    if (end == line.size()) return;
    at = end + 1;
    ++index;
  }
}

// The cell's text; `buffer` holds it if doubled quotes had to be undone.
inline std::string_view unquoted_cell(std::string_view cell, bool quoted, std::string& buffer) {
  if (!quoted || cell.size() < 2) return cell;
  if (const auto close = cell.rfind('"'); close != 0) cell = cell.substr(0, close);
  cell.remove_prefix(1);
  if (cell.find('"') == cell.npos) return cell;
  buffer.clear();
  core::append_unquoted(buffer, cell);
  return buffer;
}

// Calls each(key, value) for `key=value key="a value" key='a value' ...`; an unquoted value ends at the delimiter. An
// apostrophe that nothing closes before a delimiter is a part of the value.
template <typename Each>
void each_pair(std::string_view text, char delimiter, Each&& each) {
  while (!text.empty()) {
    text = text.substr(std::min(text.find_first_not_of(" ,;\t"), text.size()));
    const auto equals = text.find_first_of("= ");
    if (equals == text.npos) return;
    if (text[equals] == ' ') {
      text.remove_prefix(equals + 1);
      continue;
    }
    const std::string_view key = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    std::string_view value;
    if (text.starts_with('"')) {
      std::size_t end = 1;
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end, text.size());
      value = text.substr(1, end - 1);
      text.remove_prefix(std::min(end + 1, text.size()));
    } else if (const std::size_t close = text.starts_with('\'') ? text.find('\'', 1) : text.npos;
               close != text.npos && (close + 1 == text.size() || text[close + 1] == delimiter)) {
      value = text.substr(1, close - 1);
      text.remove_prefix(close + 1);
    } else {
      value = text.substr(0, text.find(delimiter));
      text.remove_prefix(value.size());
    }
    each(key, value);
  }
}

}  // namespace orbwatch::decode
