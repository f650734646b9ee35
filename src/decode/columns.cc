#include "decode/columns.h"

#include <algorithm>

#include "core/text.h"

namespace orbwatch::decode {
namespace {

std::uint8_t field_of(std::string_view cell, std::span<const Columns::Name> names) {
  cell = core::trim(cell);
  for (const Columns::Name& row : names) {
    if (core::equals_ignore_case(row.name, cell)) return row.field;
  }
  return 0;
}

std::string_view without_spaces(const char* begin, const char* end) {
  while (begin != end && *begin == ' ') ++begin;
  while (begin != end && end[-1] == ' ') --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::size_t Columns::known(std::string_view line, char separator, std::span<const Name> names) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kMostColumns && !line.empty(); ++i)
    count += field_of(core::take_until(line, separator), names) != 0 ? 1 : 0;
  return count;
}

void Columns::read(std::string_view header, char separator, std::span<const Name> names) {
  separator_ = separator;
  fields_.clear();
  while (!header.empty() && fields_.size() < kMostColumns)
    fields_.push_back(field_of(core::take_until(header, separator), names));
}

bool Columns::has(std::uint8_t field) const {
  return std::find(fields_.begin(), fields_.end(), field) != fields_.end();
}

bool Columns::fits(std::string_view line) const {
  if (fields_.empty()) return false;
  if (line.ends_with(separator_)) line.remove_suffix(1);
  const auto cells = static_cast<std::size_t>(std::count(line.begin(), line.end(), separator_)) + 1;
  return cells == fields_.size() || cells + 1 == fields_.size();  // the last cell may be the empty one
}

bool Columns::split(std::string_view line, Row& row) const {
  row.fill({});
  const char* p = line.data();
  const char* const end = p + line.size();
  std::size_t column = 0;
  for (;; ++column) {
    const char* const begin = p;
    while (p != end && *p != separator_) ++p;  // cells are short: a call of memchr would cost more
    if (column < fields_.size()) {
      std::string_view& cell = row[fields_[column]];
      if (cell.empty()) cell = without_spaces(begin, p);
    } else if (column > fields_.size() || begin != p) {
      return false;
    }
    if (p == end) break;
    ++p;
  }
  return column + 1 >= fields_.size();
}

}  // namespace orbwatch::decode
