// Records made of pairs, key=value or key="value", as firewalls write them: a single pass that hands out each pair, and
// a table that keeps the first value of each key that a format reads.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/ip.h"
#include "core/text.h"
#include "decode/find_byte.h"
#include "decode/name_key.h"
#include "decode/scanner.h"

namespace orbwatch::decode {

// Hands out all pairs of `text` in order as put(name, value), views into `text`. `separator` stands between pairs; more
// than one, and spaces around them, are skipped. `equals` stands between name and value, twice in a row counts once
// (Check Point: ike::"..."). A value in double quotes ends at the next quote that has no backslash before it. Another
// value ends at the separator; if that is a space, then at the last space before the next "name=" (Pulse Secure:
// `ivs=Default Network user=alice`).
template <typename Put>
void each_pair(std::string_view text, char separator, char equals, Put put) {
  const char* const begin = text.data();
  const std::size_t size = text.size();
  std::size_t at = 0;
  std::string_view open_name;  // of a value without quotes that may go on
  std::size_t open_begin = 0;
  std::size_t open_end = 0;
  const auto close = [&] {
    if (!open_name.empty()) put(open_name, std::string_view(begin + open_begin, open_end - open_begin));
    open_name = {};
  };
  while (at < size) {
    while (at < size && (begin[at] == separator || begin[at] == ' ')) ++at;
    const std::size_t name_begin = at;
    at = find_byte(begin, at, size, {equals, separator, '"', ' '});
    const std::string_view name(begin + name_begin, at - name_begin);
    if (at == size || begin[at] != equals || name.empty()) {
      // A word without value: of a value that holds spaces, or a stray one.
      if (at < size && begin[at] != separator && begin[at] != ' ') ++at;
      if (separator == ' ' && !open_name.empty()) open_end = at;
      continue;
    }
    close();
    ++at;
    if (at < size && begin[at] == equals) ++at;
    if (at < size && begin[at] == '"') {
      const std::size_t value_begin = ++at;
      while (true) {
        at = find_byte(begin, at, size, {'"', '\\'});
        if (at == size || begin[at] == '"') break;
        at = std::min(at + 2, size);
      }
      put(name, std::string_view(begin + value_begin, at - value_begin));
      ++at;
      continue;
    }
    const std::size_t value_begin = at;
    at = find_byte(begin, at, size, {separator});
    if (separator == ' ') {
      open_name = name;
      open_begin = value_begin;
      open_end = at;
    } else {
      put(name, core::trim({begin + value_begin, at - value_begin}));
    }
  }
  close();
}

// The names of the keys that a format reads; their place is what Values is asked for. Names are not empty and differ.
template <std::size_t N>
class KeyNames {
 public:
  constexpr explicit KeyNames(const std::array<std::string_view, N>& names) : names_(names) {
    static_assert(N < kSlots / 2);
    slots_.fill(N);
    for (std::size_t key = 0; key < N; ++key) {
      keys_[key] = NameKey(names_[key]);
      std::size_t slot = keys_[key].hash(kSlotBits);
      while (slots_[slot] != N) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<std::uint8_t>(key);
    }
  }

  static constexpr std::size_t kCount = N;
  // N if the format does not read it.
  std::size_t find(std::string_view name) const {
    const NameKey wanted = NameKey::of(name);
    for (std::size_t slot = wanted.hash(kSlotBits);; slot = (slot + 1) % kSlots) {
      const std::size_t key = slots_[slot];
      if (key == N) return N;
      if (keys_[key] == wanted && (name.size() <= NameKey::kWhole || names_[key] == name)) return key;
    }
  }

 private:
  static constexpr unsigned kSlotBits = 8;
  static constexpr std::size_t kSlots = 1U << kSlotBits;

  std::array<std::string_view, N> names_;
  std::array<NameKey, N> keys_;
  std::array<std::uint8_t, kSlots> slots_{};
};

// The first value that is not empty of each key of a record.
template <std::size_t N>
class Values {
 public:
  explicit Values(const KeyNames<N>& names) : names_(names) {}

  void put(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    const std::size_t key = names_.find(name);
    if (key != N && values_[key].empty()) values_[key] = value;
  }
  void read(std::string_view text, char separator, char equals = '=') {
    each_pair(text, separator, equals, [this](std::string_view name, std::string_view value) { put(name, value); });
  }

  std::string_view operator[](std::size_t key) const { return values_[key]; }
  // The first of two names of a thing that has a value.
  std::string_view either(std::size_t key, std::size_t other) const {
    return values_[key].empty() ? values_[other] : values_[key];
  }
  std::uint64_t number(std::size_t key) const { return core::parse_number<std::uint64_t>(values_[key]).value_or(0); }
  std::uint16_t port(std::size_t key) const { return core::parse_number<std::uint16_t>(values_[key]).value_or(0); }
  core::Ip ip(std::size_t key) const { return given_ip(values_[key]); }
  core::Symbol symbol(std::size_t key) const { return core::intern(values_[key]); }

 private:
  const KeyNames<N>& names_;
  std::array<std::string_view, N> values_;
};

}  // namespace orbwatch::decode
