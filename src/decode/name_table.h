// Names of a record's keys to what they mean: a hash table that is built at compile time. For tables of some dozens of
// names that are looked up for every key of every record.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "decode/name_key.h"

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
      keys_[i] = NameKey(rows[i].name);
      std::size_t at = keys_[i].hash(kBits);
      while (slots_[at] != kEmpty) at = (at + 1) % kSlots;
      slots_[at] = static_cast<std::uint16_t>(i);
    }
  }

  // nullptr if the name is not in the table. Names are compared byte by byte.
  const Meaning* find(std::string_view name) const { return find(name, NameKey::of(name)); }
  // `key` is that of the name.
  constexpr const Meaning* find(std::string_view name, const NameKey& key) const {
    return find(key, [&](std::string_view row) { return row == name; });
  }
  // same(row) compares a name of the table whose key is the same, but does not tell all of it.
  template <typename Same>
  constexpr const Meaning* find(const NameKey& key, Same same) const {
    for (std::size_t at = key.hash(kBits);; at = (at + 1) % kSlots) {
      const std::size_t row = slots_[at];
      if (row == kEmpty) return nullptr;
      if (keys_[row] == key && (key.size <= NameKey::kWhole || same(rows_[row].name))) return &rows_[row].meaning;
    }
  }

 private:
  static constexpr unsigned kBits = std::bit_width(4 * N - 1);
  static constexpr std::size_t kSlots = std::size_t{1} << kBits;
  static constexpr std::uint16_t kEmpty = 0xffff;

  std::array<Name<Meaning>, N> rows_;
  std::array<NameKey, N> keys_;
  std::array<std::uint16_t, kSlots> slots_{};
};

}  // namespace orbwatch::decode
