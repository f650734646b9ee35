// IP addresses and prefixes. An address is 16 bytes in network order; IPv4 is held as ::ffff:a.b.c.d (RFC
// 4291, 2.5.5.2).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace orbwatch::core {

// Trivially copyable. The all-zero address (::) means "absent" everywhere in orbwatch.
struct Ip {
  std::array<std::uint8_t, 16> bytes{};

  static Ip v4(std::uint32_t host_order);
  static Ip from_v4_bytes(const void* four_bytes_in_network_order);
  static Ip from_v6_bytes(const void* sixteen_bytes_in_network_order);
  // Accepts "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "[2001:db8::1]" and a zone ("fe80::1%eth0", the zone is
  // dropped). Anything else, a trailing byte included, gives nullopt.
  static std::optional<Ip> parse(std::string_view text);
  // Reads the address at the front of `text` and moves `text` behind it, as logs write it: "192.0.2.1/443",
  // "192.0.2.1:500", "2001:db8::1(443)", "[2001:db8::1]:443", "192.0.2.1." at the end of a sentence. The address must
  // not run on as a name would
  // ("192.0.2.1-host"). On failure `text` stays where it is.
  static std::optional<Ip> scan(std::string_view& text) {
    Ip ip;
    const char* behind = scan(text.data(), text.data() + text.size(), ip);
    if (behind == nullptr) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(behind - text.data()));
    return ip;
  }
  // The same between two pointers: gives where the address ends, nullptr (and `out` as it was) if there is none.
  static const char* scan(const char* begin, const char* end, Ip& out);

  bool present() const { return high() != 0 || low() != 0; }
  bool is_v4() const { return high() == 0 && (low() >> 32) == 0xffff; }
  std::uint32_t v4_value() const { return static_cast<std::uint32_t>(low()); }  // meaningful if is_v4()
  std::uint64_t high() const { return load(0); }  // the first 8 bytes as a number in host order
  std::uint64_t low() const { return load(8); }

  // False for private, loopback, link-local, multicast, documentation, CGNAT (RFC 6598), unspecified and reserved
  // addresses (IANA special-purpose registries), true for what can be met on the Internet.
  bool is_global() const;
  bool is_documentation() const;  // RFC 5737, RFC 3849
  bool is_private() const;        // RFC 1918, RFC 4193
  bool is_cgnat() const;          // RFC 6598: 100.64.0.0/10

  // The address with all but the first `bits` bits cleared. Bits count within the family: /24 of an IPv4 address is 24.
  Ip masked(int bits) const;

  std::string text() const;  // RFC 5952 for IPv6, dotted quad for IPv4

  // Two numbers; the default one calls memcmp.
  friend bool operator==(const Ip& a, const Ip& b) { return ((a.high() ^ b.high()) | (a.low() ^ b.low())) == 0; }
  friend std::strong_ordering operator<=>(const Ip& a, const Ip& b) {
    if (auto c = a.high() <=> b.high(); c != 0) return c;
    return a.low() <=> b.low();
  }
  template <typename H>
  friend H AbslHashValue(H h, const Ip& ip) {
    return H::combine(std::move(h), ip.high(), ip.low());
  }

 private:
  std::uint64_t load(int at) const {
    std::uint64_t v;
    std::memcpy(&v, bytes.data() + at, 8);
    return __builtin_bswap64(v);
  }
};
static_assert(sizeof(Ip) == 16);

// `bits` counts within the family of `base` (0..32 for IPv4, 0..128 for IPv6); base has no bit set behind it.
struct Prefix {
  Ip base;
  std::uint8_t bits = 0;

  // "192.0.2.0/24", "2001:db8::/32" or a bare address (a host prefix). Host bits that are set are cleared.
  static std::optional<Prefix> parse(std::string_view text);
  static Prefix of(const Ip& ip, int bits) { return {ip.masked(bits), static_cast<std::uint8_t>(bits)}; }
  // The unit in which networks hand out addresses to one subscriber line or one small site: /24 for IPv4, /48 for IPv6.
  static Prefix neighbourhood(const Ip& ip) { return of(ip, ip.is_v4() ? 24 : 48); }
  bool contains(const Ip& ip) const { return ip.is_v4() == base.is_v4() && ip.masked(bits) == base; }
  std::string text() const;

  friend bool operator==(const Prefix&, const Prefix&) = default;
  friend auto operator<=>(const Prefix&, const Prefix&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Prefix& p) {
    return H::combine(std::move(h), p.base, p.bits);
  }
};

}  // namespace orbwatch::core
