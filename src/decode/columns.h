// Tables of text whose header line names the columns, in whatever order the exporter was told to write them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace orbwatch::decode {

// Not thread-safe: one instance belongs to one input.
class Columns {
 public:
  static constexpr std::size_t kMostFields = 40;    // fields of one format, 0 included
  static constexpr std::size_t kMostColumns = 256;  // of one table; further ones are not looked at
  struct Name {
    std::string_view name;
    std::uint8_t field;  // 1 to kMostFields - 1; several names may mean one field
  };
  // The text of each field; "" where the table has no such column. Cells of unknown columns land in field 0.
  using Row = std::array<std::string_view, kMostFields>;

  // How many of the cells of this line are names of columns. Names are compared without regard to case, spaces around
  // them are dropped.
  static std::size_t known(std::string_view line, char separator, std::span<const Name> names);

  // Takes the line as the header.
  void read(std::string_view header, char separator, std::span<const Name> names);
  void clear() { fields_.clear(); }
  bool empty() const { return fields_.empty(); }
  std::size_t size() const { return fields_.size(); }
  bool has(std::uint8_t field) const;
  // Has the line as many cells as the header?
  bool fits(std::string_view line) const;

  // Puts the cells of a line, without spaces around them, to their fields. False if there are more or fewer than the
  // header names; one empty cell more at the end (a separator behind the last column) is none. Of two columns with the
  // same field the first one counts that is not empty.
  bool split(std::string_view line, Row& row) const;

 private:
  char separator_ = ',';
  std::vector<std::uint8_t> fields_;
};

}  // namespace orbwatch::decode
