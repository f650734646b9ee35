// A cursor over one record, and the readers that firewall formats share. Never reads behind the end of its view.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"
#include "event/event.h"

namespace orbwatch::decode {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A set of characters, for Scanner::until_table.
class CharTable {
 public:
  constexpr explicit CharTable(std::string_view characters) {
    for (const char c : characters) has_[static_cast<unsigned char>(c)] = true;
  }
  constexpr bool has(char c) const { return has_[static_cast<unsigned char>(c)]; }

 private:
  bool has_[256] = {};
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

  std::string_view rest() const { return {p_, static_cast<std::size_t>(end_ - p_)}; }
  bool done() const { return p_ == end_; }
  char peek() const { return p_ != end_ ? *p_ : '\0'; }
  char peek(std::size_t ahead) const { return ahead < static_cast<std::size_t>(end_ - p_) ? p_[ahead] : '\0'; }
  void advance(std::size_t count) { p_ += std::min(count, static_cast<std::size_t>(end_ - p_)); }

  bool skip(std::string_view literal) {
    if (static_cast<std::size_t>(end_ - p_) < literal.size() || std::memcmp(p_, literal.data(), literal.size()) != 0)
      return false;
    p_ += literal.size();
    return true;
  }
  bool skip(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  void spaces() {
    while (p_ != end_ && *p_ == ' ') ++p_;
  }
  // Moves behind the next occurrence of `literal`; stays if there is none.
  bool skip_past(std::string_view literal) {
    if (skip(literal)) return true;
    const auto at = rest().find(literal);
    if (at == std::string_view::npos) return false;
    p_ += at + literal.size();
    return true;
  }
  // What stands before the next `stop` (or before the end) and moves to it.
  std::string_view until(char stop) {
    const char* from = p_;
    while (p_ != end_ && *p_ != stop) ++p_;  // what it is used for is short: a call of memchr would cost more
    return {from, static_cast<std::size_t>(p_ - from)};
  }
  std::string_view until_any(std::string_view stops) {
    const char* from = p_;
    const auto stops_at = [&](char c) {
      for (const char stop : stops) {
        if (c == stop) return true;
      }
      return false;
    };
    while (p_ != end_ && !stops_at(*p_)) ++p_;
    return {from, static_cast<std::size_t>(p_ - from)};
  }
  std::string_view until_table(const CharTable& stops) {
    const char* from = p_;
    while (p_ != end_ && !stops.has(*p_)) ++p_;
    return {from, static_cast<std::size_t>(p_ - from)};
  }
  std::string_view word() { return until(' '); }

  // Digits at the cursor. 0 if there is no digit, or if the number does not fit.
  std::uint64_t number() {
    std::uint64_t value = 0;
    bool over = false;
    for (; p_ != end_ && is_digit(*p_); ++p_) {
      const auto digit = static_cast<std::uint64_t>(*p_ - '0');
      over |= value > (UINT64_MAX - digit) / 10;
      value = value * 10 + digit;
    }
    return over ? 0 : value;
  }
  // A TCP or UDP port; 0 (unknown) if it is none.
  std::uint16_t port() {
    std::uint32_t value = 0;
    for (; p_ != end_ && is_digit(*p_); ++p_) {
      if (value <= 65535) value = value * 10 + static_cast<std::uint32_t>(*p_ - '0');
    }
    return value <= 65535 ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
  }
  // The address at the cursor (see core::Ip::scan); false and unmoved if there is none.
  bool ip(core::Ip& out) {
    const char* behind = core::Ip::scan(p_, end_, out);
    if (behind == nullptr) return false;
    p_ = behind;
    return true;
  }

 private:
  const char* p_;
  const char* end_;
};

// "0:10:06", "23:59:59", "2h:28m:09s", "12d 9h:11m:22s", "2d 3h", "45" (seconds). 0 if there is none; at most about 30
// years.
core::Nanoseconds scan_duration(Scanner& s);

// core::parse_iso8601 at the cursor, also with a space before the zone: "2026-11-22 08:00:00.978 +00:00". Stays if
// there is none.
std::optional<core::Nanoseconds> scan_time(Scanner& s, const core::TimeReader& times);

// A duration that stands there as a number of seconds; at most about 30 years.
core::Nanoseconds seconds(std::uint64_t count);

// An address; absent if there is none or if it is 0.0.0.0 or ::, by which devices say that there is none.
core::Ip given_ip(std::string_view text);

// "192.0.2.1:443", "192.0.2.1/443", "192.0.2.1", "[2001:db8::1]:443"; of "2001:db8:0:0:0:0:0:1:443" the ninth group is
// the port. A shortened IPv6 address without brackets may be read either way and is taken to end in its port. What is
// not there is absent and 0.
struct Endpoint {
  core::Ip ip;
  std::uint16_t port = 0;
};
Endpoint endpoint(std::string_view text);

// `"alice"`, `'alice'`, `alice` at the cursor: up to the quote, or to a space or comma and without a full stop.
std::string_view quoted_word(Scanner& s);

// IANA protocol number of "tcp", "UDP", "icmp", "IPv6-ICMP", "gre", "esp", "47" ...; 0 if unknown.
std::uint8_t protocol_number(std::string_view name);

// Splits "LOCAL\alice", "CORP\alice", "LOCAL\CORP\alice", "alice@corp.example", "LOCAL\alice@corp.example" into user
// and domain. LOCAL is Cisco's word for "no domain", "-" stands for none. What devices write in place of a name
// ("*****", "-", "N/A", "Unknown",
// "<unknown>") gives no user.
void set_user(event::Event& event, std::string_view text);

// The same for records that hold the name as it was typed (sshd, Windows): "unknown" is an account's name there; only
// "-" and asterisks give no user.
void set_typed_user(event::Event& event, std::string_view text);

// What every log-in has; and every message about a VPN session.
void put_login(event::Event& event, event::Outcome outcome, event::Service service);
void put_session(event::Event& event, event::Activity activity, core::Symbol application = {});

// A reason out of free text: words with digits, quotes or addresses in them are left out, so that the vocabulary stays
// small.
core::Symbol closed_reason(std::string_view text);

// An ASCII lower-case symbol of at most 64 bytes.
core::Symbol lower_symbol(std::string_view text);

// The host of the first URL in a text, "https://App.example:8443/login" gives "app.example"; none if there is no URL.
core::Symbol url_host(std::string_view text);

}  // namespace orbwatch::decode
