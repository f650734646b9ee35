#include "core/ip.h"

#include <arpa/inet.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <charconv>

namespace orbwatch::core {
namespace {

#if defined(__SSE2__)
// The first `size` bytes (7 to 15) at p, filled up with zeros; reads no others.
__m128i load_padded(const char* p, std::size_t size) {
  const auto load8 = [](const char* from) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    return word;
  };
  if (size >= 8) {
    const std::uint64_t tail = load8(p + size - 8) >> 1 >> (127 - 8 * size);
    return _mm_set_epi64x(static_cast<long long>(tail), static_cast<long long>(load8(p)));
  }
  std::uint32_t head;
  std::uint32_t tail;
  std::memcpy(&head, p, 4);
  std::memcpy(&tail, p + 3, 4);
  return _mm_cvtsi64_si128(static_cast<long long>(head | static_cast<std::uint64_t>(tail) << 24));
}

// The same as scan_v4 for an address of at least 7 bytes, the shortest that there is. Without a branch on the number of
// digits: that differs from address to address, and a processor that guesses wrongly loses more time than all of this
// takes.
bool scan_v4_wide(const char*& at, std::size_t size, std::uint32_t& out) {
  alignas(16) std::array<char, 16> bytes;
  const char* p = at;
  __m128i text;
  if (size >= bytes.size()) {
    text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  } else {
    text = load_padded(p, size);
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes.data()), text);  // in one piece, as the parts are read from it
    p = bytes.data();
  }
  // Bytes that are no digit: as unsigned numbers below '0' or above '9'.
  const __m128i shifted = _mm_add_epi8(text, _mm_set1_epi8(static_cast<char>(0x80 - '0')));
  const __m128i other = _mm_cmpgt_epi8(shifted, _mm_set1_epi8(static_cast<char>(-128 + 9)));
  // A sentinel ends an address that fills all 16 bytes (its last digit may have no successor).
  unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(other)) | 0x10000U;
  std::uint32_t value = 0;
  unsigned start = 0;
  unsigned wrong = 0;
#pragma GCC unroll 4
  for (int part = 0; part < 4; ++part) {
    const unsigned stop = static_cast<unsigned>(__builtin_ctz(mask | 0x80000000U));
    const unsigned length = stop - start;
    if (length - 1 > 2) return false;
    std::uint32_t four;
    std::memcpy(&four, p + start, 4);  // start <= 12: three parts of at most three digits, and their dots
    four = (four << (8 * (4 - length))) & 0x0f0f0f00U;
    const unsigned number = (four >> 8 & 0xff) * 100 + (four >> 16 & 0xff) * 10 + (four >> 24);
    wrong |= number > 255;
    wrong |= part < 3 && (stop >= 16 || p[stop] != '.');
    value = value << 8 | number;
    mask &= mask - 1;
    start = stop + 1;
  }
  if (wrong != 0) return false;
  out = value;
  at += start - 1;
  return true;
}
#endif

// Dotted quad at p, each part 0..255, no leading sign; leading zeros are accepted as decimal ("010" is ten), as logs
// pad. Moves p behind it on success.
bool scan_v4(const char*& at, const char* end, std::uint32_t& out) {
  const char* p = at;
  std::uint32_t value = 0;
#if defined(__SSE2__)
  if (end - p >= 7) return scan_v4_wide(at, static_cast<std::size_t>(end - p), out);
#endif
  for (int part = 0; part < 4; ++part) {
    if (p == end) return false;
    unsigned digit = static_cast<unsigned char>(*p) - '0';
    if (digit > 9) return false;
    std::uint32_t number = digit;
    int digits = 1;
    for (++p; p != end && digits < 4; ++p, ++digits) {
      digit = static_cast<unsigned char>(*p) - '0';
      if (digit > 9) break;
      number = number * 10 + digit;
    }
    if (number > 255 || digits > 3) return false;
    value = value << 8 | number;
    if (part < 3) {
      if (p == end || *p != '.') return false;
      ++p;
    }
  }
  out = value;
  at = p;
  return true;
}

bool parse_v4(std::string_view text, std::uint32_t& out) {
  const char* p = text.data();
  const char* end = p + text.size();
  return scan_v4(p, end, out) && p == end;
}

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool is_hex_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool in_v4(std::uint32_t ip, std::uint32_t base, int bits) { return ((ip ^ base) >> (32 - bits)) == 0; }

}  // namespace

Ip Ip::v4(std::uint32_t host_order) {
  Ip ip;
  const std::uint64_t low = __builtin_bswap64(std::uint64_t{0xffff} << 32 | host_order);
  std::memcpy(ip.bytes.data() + 8, &low, 8);
  return ip;
}

Ip Ip::from_v4_bytes(const void* data) {
  Ip ip;
  ip.bytes[10] = ip.bytes[11] = 0xff;
  std::memcpy(ip.bytes.data() + 12, data, 4);
  return ip;
}

Ip Ip::from_v6_bytes(const void* data) {
  Ip ip;
  std::memcpy(ip.bytes.data(), data, 16);
  return ip;
}

std::optional<Ip> Ip::parse(std::string_view text) {
  std::uint32_t v4_address;
  if (parse_v4(text, v4_address)) return v4(v4_address);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (auto zone = text.find('%'); zone != text.npos) text = text.substr(0, zone);
  char buffer[64];
  if (text.size() < 2 || text.size() >= sizeof buffer || text.find(':') == text.npos) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  Ip ip;
  if (inet_pton(AF_INET6, buffer, ip.bytes.data()) != 1) return std::nullopt;
  return ip;
}

const char* Ip::scan(const char* const begin, const char* const end, Ip& out) {
  const char* p = begin;
  std::uint32_t v4_address;
  if (scan_v4(p, end, v4_address)) {
    if (p != end && (is_name_char(*p) || (*p == '.' && end - p > 1 && is_name_char(p[1])))) return nullptr;
    out = v4(v4_address);
    return p;
  }
  std::string_view text(begin, static_cast<std::size_t>(end - begin));
  std::optional<Ip> ip;
  std::size_t used = 0;
  if (text.starts_with('[')) {
    const auto close = text.substr(0, 64).find(']');
    if (close == text.npos) return nullptr;
    used = close + 1;
    ip = parse(text.substr(0, used));
  } else {
    std::size_t n = 0;
    while (n < text.size() && n < 46 && (is_hex_char(text[n]) || text[n] == ':' || text[n] == '.')) ++n;
    while (n > 0 && (text[n - 1] == '.' || (text[n - 1] == ':' && (n < 2 || text[n - 2] != ':')))) --n;
    used = n;
    if (used < text.size() && text[used] == '%') {
      for (++used; used < text.size() && is_name_char(text[used]);) ++used;
    } else if (used < text.size() && is_name_char(text[used])) {
      return nullptr;
    }
    ip = parse(text.substr(0, n));
  }
  if (!ip) return nullptr;
  out = *ip;
  return begin + used;
}

bool Ip::is_private() const {
  if (is_v4()) {
    const std::uint32_t ip = v4_value();
    return in_v4(ip, 0x0a000000, 8) || in_v4(ip, 0xac100000, 12) || in_v4(ip, 0xc0a80000, 16);
  }
  return (bytes[0] & 0xfe) == 0xfc;
}

bool Ip::is_cgnat() const { return is_v4() && in_v4(v4_value(), 0x64400000, 10); }

bool Ip::is_documentation() const {
  if (is_v4()) {
    const std::uint32_t ip = v4_value();
    return in_v4(ip, 0xc0000200, 24) || in_v4(ip, 0xc6336400, 24) || in_v4(ip, 0xcb007100, 24);
  }
  return (high() >> 32) == 0x20010db8;
}

bool Ip::is_global() const {
  if (is_v4()) {
    const std::uint32_t ip = v4_value();
    return !(ip >> 24 == 0 || ip >> 24 == 127 || ip >> 28 >= 0xe || is_private() || is_cgnat() || is_documentation() ||
             in_v4(ip, 0xa9fe0000, 16) || in_v4(ip, 0xc0000000, 24) || in_v4(ip, 0xc6120000, 15));
  }
  return (bytes[0] & 0xe0) == 0x20 && !is_documentation();  // 2000::/3 is all that IANA has given out as global unicast
}

Ip Ip::masked(int bits) const {
  if (is_v4()) bits += 96;
  bits = std::clamp(bits, 0, 128);
  Ip out = *this;
  int byte = bits / 8;
  if (bits % 8 != 0) {
    out.bytes[byte] = static_cast<std::uint8_t>(out.bytes[byte] & (0xff00 >> (bits % 8)));
    ++byte;
  }
  std::fill(out.bytes.begin() + byte, out.bytes.end(), std::uint8_t{0});
  return out;
}

std::string Ip::text() const {
  char buffer[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, bytes.data() + 12, buffer, sizeof buffer);
  } else {
    inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
  }
  return buffer;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const int most = ip->is_v4() ? 32 : 128;
  int bits = most;
  if (slash != text.npos) {
    const auto number = text.substr(slash + 1);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc{} || end != number.data() + number.size() || bits < 0 || bits > most) return std::nullopt;
  }
  return of(*ip, bits);
}

std::string Prefix::text() const { return base.text() + "/" + std::to_string(bits); }

}  // namespace orbwatch::core
