// Names of a record's keys as two words, so that finding one in a table needs no look at its bytes: most names have at
// most sixteen, of which the words hold all.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace orbwatch::decode {

// The first and the last eight bytes of a name (they overlap) and its length. Of a shorter name both words hold all of
// it, the first byte lowest, filled up with zeros.
struct NameKey {
  // Names of at most so many bytes are equal if their keys are.
  static constexpr std::size_t kWhole = 16;

  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t size = 0;

  constexpr NameKey() = default;
  constexpr NameKey(std::uint64_t f, std::uint64_t l, std::size_t n) : first(f), last(l), size(n) {}
  constexpr explicit NameKey(std::string_view name) : size(name.size()) {
    const std::size_t head = std::min<std::size_t>(size, 8);
    for (std::size_t i = 0; i < head; ++i) {
      first |= std::uint64_t{static_cast<unsigned char>(name[i])} << (8 * i);
      last |= std::uint64_t{static_cast<unsigned char>(name[size - head + i])} << (8 * i);
    }
  }

  // The same, at run time.
  static NameKey of(std::string_view name) {
    if constexpr (std::endian::native != std::endian::little) return NameKey(name);
    const char* const p = name.data();
    const std::size_t n = name.size();
    if (n >= 8) return {load<std::uint64_t>(p), load<std::uint64_t>(p + n - 8), n};
    std::uint64_t all = 0;
    if (n >= 4) {
      all = load<std::uint32_t>(p) | std::uint64_t{load<std::uint32_t>(p + n - 4)} << (8 * (n - 4));
    } else if (n != 0) {
      const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i); };
      all = byte(0) | byte(n / 2) | byte(n - 1);
    }
    return {all, all, n};
  }

  // The same for a name that is readable 8 bytes behind its end; without a branch that its length may take wrongly.
  static NameKey padded(std::string_view name) {
    if constexpr (std::endian::native != std::endian::little) return NameKey(name);
    const char* const p = name.data();
    const std::size_t n = name.size();
    const std::size_t head = std::min<std::size_t>(n, 8);
    const std::uint64_t mask = head == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * head);
    return {load<std::uint64_t>(p) & mask, load<std::uint64_t>(p + n - head) & mask, n};
  }

  friend constexpr bool operator==(const NameKey&, const NameKey&) = default;

  // `bits` (1 to 32) bits that tell names apart.
  constexpr std::size_t hash(unsigned bits) const {
    const std::uint64_t mixed = (first + size) * 0x9e3779b97f4a7c15ULL ^ std::rotl(last * 0xff51afd7ed558ccdULL, 29);
    return static_cast<std::size_t>((mixed * 0xc4ceb9fe1a85ec53ULL) >> (64 - bits));
  }

  // The key of the name in lower case (ASCII).
  constexpr NameKey lower() const { return {lower(first), lower(last), size}; }
  static constexpr std::uint64_t lower(std::uint64_t word) {
    constexpr std::uint64_t kEach = 0x0101010101010101ULL;
    const std::uint64_t low = word & (0x7f * kEach);
    const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
    const std::uint64_t beyond_z = low + (0x7f - 'Z') * kEach;
    return word | ((from_a ^ beyond_z) & ~word & (0x80 * kEach)) >> 2;
  }

 private:
  template <typename Word>
  static Word load(const char* p) {
    Word word;
    std::memcpy(&word, p, sizeof(word));
    return word;
  }
};

}  // namespace orbwatch::decode
