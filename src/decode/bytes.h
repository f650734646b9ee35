// Reading numbers in network order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace orbwatch::decode {

inline std::uint16_t be16(const void* p) {
  std::uint16_t v;
  std::memcpy(&v, p, 2);
  return __builtin_bswap16(v);
}
inline std::uint32_t be32(const void* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}
inline std::uint64_t be64(const void* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return __builtin_bswap64(v);
}
static_assert(std::endian::native == std::endian::little);

// An unsigned number of 1..8 bytes (RFC 7011, 6.2: reduced-size encoding). Longer ones keep their last 8 bytes.
inline std::uint64_t be_number(const std::uint8_t* p, std::size_t length) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < length; ++i) v = v << 8 | p[i];
  return v;
}

// True for no bytes, too: what is left of a message may be padding.
inline bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == bytes.npos; }

// A view that is read from the front. A read behind the end gives 0 and sets `bad`.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size(); }
  bool bad() const { return bad_; }
  std::string_view rest() const { return bytes_; }

  std::uint8_t u8() { return need(1) ? static_cast<std::uint8_t>(pop(1)[0]) : std::uint8_t{0}; }
  std::uint16_t u16() { return need(2) ? be16(pop(2)) : std::uint16_t{0}; }
  std::uint32_t u32() { return need(4) ? be32(pop(4)) : 0; }
  std::uint64_t u64() { return need(8) ? be64(pop(8)) : 0; }
  std::string_view bytes(std::size_t n) { return need(n) ? std::string_view(pop(n), n) : std::string_view{}; }
  void skip(std::size_t n) {
    if (need(n)) pop(n);
  }

 private:
  bool need(std::size_t n) {
    if (bytes_.size() >= n) return true;
    bad_ = true;
    bytes_ = {};
    return false;
  }
  const char* pop(std::size_t n) {
    const char* p = bytes_.data();
    bytes_.remove_prefix(n);
    return p;
  }

  std::string_view bytes_;
  bool bad_ = false;
};

}  // namespace orbwatch::decode
