#include "decode/scanner.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace orbwatch::decode {
namespace {

constexpr std::uint64_t kMostSeconds = 1'000'000'000;

struct Account {
  std::string_view name;  // "" for none
  std::string_view domain;
};

Account split_account(std::string_view text) {
  Account account{core::trim(text), {}};
  if (const auto slash = account.name.rfind('\\'); slash != text.npos) {
    account.domain = account.name.substr(0, slash);
    account.name.remove_prefix(slash + 1);
    while (account.domain.ends_with('\\')) account.domain.remove_suffix(1);  // sshd and JSON double the backslash
    account.domain.remove_prefix(account.domain.rfind('\\') + 1);            // "LOCAL\CORP\alice"
    if (account.domain == "LOCAL") account.domain = {};
  }
  if (const auto at = account.name.rfind('@'); account.domain.empty() && at != text.npos && at != 0) {
    account.domain = account.name.substr(at + 1);
    account.name = account.name.substr(0, at);
  }
  if (account.domain == "-") account.domain = {};
  if (account.name == "-" || account.name.find_first_not_of('*') == text.npos) account.name = {};
  return account;
}

// Characters of plain words, and spaces.
constexpr CharTable kPlainText("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-/'_ ");

// Words of letters with one space between them: closed_reason() leaves them as they are.
bool is_plain_text(std::string_view text) {
  char before = ' ';
  for (const char c : text) {
    if (!kPlainText.has(c) || (c == ' ' && before == ' ')) return false;
    before = c;
  }
  return before != ' ';
}

void put_account(event::Event& event, const Account& account) {
  if (account.name.empty()) return;
  event.user = core::intern(account.name);
  event.user_domain = core::intern(account.domain);
}

}  // namespace

core::Nanoseconds scan_duration(Scanner& s) {
  std::uint64_t units = 0;  // of the form with letters
  std::uint64_t plain = 0;  // of the form with colons
  for (int parts = 0; parts < 6 && is_digit(s.peek()); ++parts) {
    const std::uint64_t n = std::min(s.number(), kMostSeconds);
    std::uint64_t seconds = 0;
    switch (s.peek()) {
      case 'd': seconds = 86400; break;
      case 'h': seconds = 3600; break;
      case 'm': seconds = 60; break;
      case 's': seconds = 1; break;
      default: break;
    }
    if (seconds != 0) {
      s.advance(1);
      units += n * seconds;
      if (s.peek() == ':' || (s.peek() == ' ' && is_digit(s.peek(1)))) s.advance(1);
    } else {
      plain = std::min(plain * 60 + n, kMostSeconds);
      if (s.peek() != ':') break;
      s.advance(1);
    }
  }
  return seconds(units + plain);
}

std::optional<core::Nanoseconds> scan_time(Scanner& s, const core::TimeReader& times) {
  static const core::TimeReader utc;
  const std::string_view whole = s.rest();
  std::string_view text = whole;
  auto time = core::parse_iso8601(text, utc);
  if (!time) return std::nullopt;
  const bool has_zone = whole.substr(0, whole.size() - text.size()).find_first_of("+-Zz", 19) != whole.npos;
  const bool set_off = text.size() > 2 && text[0] == ' ' && (text[1] == '+' || text[1] == '-') && is_digit(text[2]);
  if (has_zone || !set_off) {
    text = whole;
    time = core::parse_iso8601(text, times);
    s.advance(whole.size() - text.size());
    return time;
  }
  Scanner zone(text.substr(2));
  auto minutes = static_cast<core::Nanoseconds>(std::min<std::uint64_t>(zone.number(), 9999));
  if (zone.skip(':')) {
    minutes = minutes * 60 + static_cast<core::Nanoseconds>(std::min<std::uint64_t>(zone.number(), 59));
  } else {
    minutes = minutes / 100 * 60 + minutes % 100;
  }
  if (minutes > 18 * 60) return std::nullopt;
  s = zone;
  return *time + (text[1] == '-' ? minutes : -minutes) * core::kMinute;
}

core::Nanoseconds seconds(std::uint64_t count) {
  return static_cast<core::Nanoseconds>(std::min(count, kMostSeconds)) * core::kSecond;
}

core::Ip given_ip(std::string_view text) {
  const auto ip = core::Ip::parse(text);
  return ip && *ip != core::Ip::v4(0) ? *ip : core::Ip();
}

Endpoint endpoint(std::string_view text) {
  Endpoint out;
  const auto colon = text.rfind(':');
  const bool v6 = colon != text.npos && text.find(':') != colon;
  if (v6 && !text.starts_with('[')) {
    out.port = core::parse_number<std::uint16_t>(text.substr(colon + 1)).value_or(0);
    out.ip = given_ip(text.substr(0, colon));
    if (!out.ip.present()) out = {given_ip(text), 0};
    return out;
  }
  Scanner s(text);
  if (!s.ip(out.ip)) return out;
  if (s.skip(':') || s.skip('/')) out.port = s.port();
  if (out.ip == core::Ip::v4(0)) out.ip = {};
  return out;
}

std::string_view quoted_word(Scanner& s) {
  for (const char quote : {'"', '\''}) {
    if (s.skip(quote)) return s.until(quote);
  }
  std::string_view word = s.until_any(" ,");
  while (word.ends_with('.')) word.remove_suffix(1);
  return word;
}

std::uint8_t protocol_number(std::string_view name) {
  if (name.size() == 3) {
    const auto lower = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i]) | 0x20); };
    switch (lower(0) << 16 | lower(1) << 8 | lower(2)) {
      case 't' << 16 | 'c' << 8 | 'p': return 6;
      case 'u' << 16 | 'd' << 8 | 'p': return 17;
      case 'g' << 16 | 'r' << 8 | 'e': return 47;
      case 'e' << 16 | 's' << 8 | 'p': return 50;
      case 'p' << 16 | 'i' << 8 | 'm': return 103;
      default: break;
    }
  }
  if (!name.empty() && is_digit(name[0])) return core::parse_number<std::uint8_t>(name).value_or(0);
  struct Row {
    std::string_view name;
    std::uint8_t number;
  };
  static constexpr std::array kRows = {
      Row{"icmp", 1},   Row{"igmp", 2},       Row{"ipinip", 4}, Row{"ipip", 4},    Row{"igrp", 9},
      Row{"ipv6", 41},  Row{"ipv6-icmp", 58}, Row{"icmp6", 58}, Row{"icmpv6", 58}, Row{"ah", 51},
      Row{"eigrp", 88}, Row{"ospf", 89},      Row{"vrrp", 112}, Row{"sctp", 132},
  };
  for (const Row& row : kRows) {
    if (core::equals_ignore_case(row.name, name)) return row.number;
  }
  return 0;
}

void set_user(event::Event& event, std::string_view text) {
  static constexpr std::array<std::string_view, 6> kNoNames = {"N/A",       "Unknown",   "unknown",
                                                               "<unknown>", "Not Found", "No Authentication Required"};
  const Account account = split_account(text);
  if (std::find(kNoNames.begin(), kNoNames.end(), account.name) == kNoNames.end()) put_account(event, account);
}

void set_typed_user(event::Event& event, std::string_view text) { put_account(event, split_account(text)); }

void put_login(event::Event& event, event::Outcome outcome, event::Service service) {
  event.event_class = event::Class::kAuthentication;
  event.activity = event::Activity::kLogon;
  event.outcome = outcome;
  event.service = service;
}

void put_session(event::Event& event, event::Activity activity, core::Symbol application) {
  event.event_class = event::Class::kSession;
  event.activity = activity;
  event.service = event::Service::kVpn;
  event.application = application;
}

core::Symbol closed_reason(std::string_view text) {
  std::array<char, 80> out;
  if (text.size() < out.size() && is_plain_text(text)) return core::intern(text);
  std::size_t used = 0;
  Scanner s(text);
  while (!s.done()) {
    s.spaces();
    std::string_view word = s.word();
    while (!word.empty() && (word.back() == '.' || word.back() == ',' || word.back() == ':' || word.back() == ';'))
      word.remove_suffix(1);
    if (word.empty()) continue;
    const bool plain = std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '/' || c == '\'' || c == '_' ||
             c == '.';
    });
    if (!plain) continue;
    if (used + 1 + word.size() > out.size()) break;
    if (used != 0) out[used++] = ' ';
    std::copy(word.begin(), word.end(), out.begin() + static_cast<std::ptrdiff_t>(used));
    used += word.size();
  }
  return core::intern({out.data(), used});
}

core::Symbol lower_symbol(std::string_view text) {
  std::array<char, 64> out;
  const std::size_t n = std::min(text.size(), out.size());
  for (std::size_t i = 0; i < n; ++i) {
    const char c = text[i];
    out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return core::intern({out.data(), n});
}

core::Symbol url_host(std::string_view text) {
  const auto host = core::between(text, "://", "");
  return host ? lower_symbol(host->substr(0, host->find_first_of("/:?#,;)]>\"' "))) : core::Symbol();
}

}  // namespace orbwatch::decode
