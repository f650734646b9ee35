// Names of a record's keys to what they mean: a hash table that is built at compile time. For tables of some dozens of
// names that are looked up for every key of every record.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace orbwatch::decode {

template <typename Meaning>
struct Name {
  std::string_view name;
  Meaning meaning;
};

template <typename Meaning, std::size_t N>
class NameTable {
 public:
  constexpr explicit NameTable(const std::array<Name<Meaning>, N>& rows) : rows_(rows) {
    slots_.fill(kEmpty);
    for (std::size_t i = 0; i < N; ++i) {
      std::size_t at = slot(rows[i].name);
      while (slots_[at] != kEmpty) at = (at + 1) % kSlots;
      slots_[at] = static_cast<std::uint16_t>(i);
    }
  }

  // nullptr if the name is not in the table. Names are compared byte by byte.
  constexpr const Meaning* find(std::string_view name) const {
    if (name.empty()) return nullptr;
    for (std::size_t at = slot(name);; at = (at + 1) % kSlots) {
      if (slots_[at] == kEmpty) return nullptr;
      if (rows_[slots_[at]].name == name) return &rows_[slots_[at]].meaning;
    }
  }

 private:
  static constexpr std::size_t kSlots = std::bit_ceil(4 * N);
  static constexpr std::uint16_t kEmpty = 0xffff;

  // Length and four characters tell key names apart well enough.
  static constexpr std::size_t slot(std::string_view name) {
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(name[i])); };
    const std::size_t n = name.size();
    return (n * 37 + at(0) * 5 + at(n / 2) * 11 + at(n - 1) * 3 + at(n * 3 / 4) * 7) % kSlots;
  }

  std::array<Name<Meaning>, N> rows_;
  std::array<std::uint16_t, kSlots> slots_{};
};

}  // namespace orbwatch::decode
