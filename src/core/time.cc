#include "core/time.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace orbwatch::core {
namespace {

constexpr std::int64_t kLastSecond = 9'214'646'399;  // 2261-12-31T23:59:59Z, the last that from_utc() gives

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_from_civil(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<std::int64_t>(y - era * 400);
  const std::int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

bool leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

int days_in_month(int y, int m) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return m == 2 && leap(y) ? 29 : kDays[m - 1];
}

// Exactly `count` digits at p.
bool digits(const char* p, int count, int& out) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned digit = static_cast<unsigned char>(p[i]) - '0';
    if (digit > 9) return false;
    value = value * 10 + static_cast<int>(digit);
  }
  out = value;
  return true;
}

// Reads ".123" or ",123" at the front of text as nanoseconds.
std::int32_t fraction(std::string_view& text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || text[1] < '0' || text[1] > '9') return 0;
  std::int64_t value = 0;
  int count = 0;
  std::size_t i = 1;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (count < 9) {
      value = value * 10 + (text[i] - '0');
      ++count;
    }
  }
  for (; count < 9; ++count) value *= 10;
  text.remove_prefix(i);
  return static_cast<std::int32_t>(value);
}

// "hh:mm:ss" at p.
bool clock_time(const char* p, CivilTime& civil) {
  return p[2] == ':' && p[5] == ':' && digits(p, 2, civil.hour) && digits(p + 3, 2, civil.minute) &&
         digits(p + 6, 2, civil.second);
}

// Reads "Z", "+01:00", "+0100" or "+01" at the front: seconds east of UTC.
std::optional<int> offset(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == 'Z' || text[0] == 'z') {
    text.remove_prefix(1);
    return 0;
  }
  if ((text[0] != '+' && text[0] != '-') || text.size() < 3) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  if (!digits(text.data() + 1, 2, hours)) return std::nullopt;
  std::size_t used = 3;
  if (text.size() >= 6 && text[3] == ':' && digits(text.data() + 4, 2, minutes)) {
    used = 6;
  } else if (text.size() >= 5 && digits(text.data() + 3, 2, minutes)) {
    used = 5;
  }
  if (hours > 18 || minutes > 59) return std::nullopt;
  const int seconds = hours * 3600 + minutes * 60;
  const bool west = text[0] == '-';
  text.remove_prefix(used);
  return west ? -seconds : seconds;
}

}  // namespace

struct TimeReader::Zone {
  absl::TimeZone zone;
};

bool valid(const CivilTime& c) {
  return c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= days_in_month(c.year, c.month) && c.hour >= 0 &&
         c.hour <= 23 && c.minute >= 0 && c.minute <= 59 && c.second >= 0 && c.second <= 60;
}

Nanoseconds from_utc(const CivilTime& c) {
  if (c.year < 1678 || c.year > 2261) return 0;
  const std::int64_t seconds =
      days_from_civil(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 + c.second;
  return seconds * kSecond + c.nanosecond;
}

CivilTime to_utc(Nanoseconds time) {
  std::int64_t seconds = time / kSecond;
  std::int64_t rest = time % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  std::int64_t days = seconds / 86400;
  std::int64_t second = seconds % 86400;
  if (second < 0) {
    second += 86400;
    --days;
  }
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t doe = days - era * 146097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  CivilTime c;
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = static_cast<int>(yoe + era * 400 + (c.month <= 2));
  c.hour = static_cast<int>(second / 3600);
  c.minute = static_cast<int>(second / 60 % 60);
  c.second = static_cast<int>(second % 60);
  c.nanosecond = static_cast<std::int32_t>(rest);
  return c;
}

std::string rfc3339(Nanoseconds time) {
  if (time == 0) return {};
  const CivilTime c = to_utc(time);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.nanosecond != 0) {
    std::string digits_text = fmt::format(".{:09}", c.nanosecond);
    while (digits_text.back() == '0') digits_text.pop_back();
    out += digits_text;
  }
  return out + "Z";
}

std::string date_text(Nanoseconds time) {
  const CivilTime c = to_utc(time);
  return fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
}

int month_number(std::string_view t) {
  if (t.size() < 3) return 0;
  const auto lower = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(t[i]) | 0x20); };
  switch (lower(0) << 16 | lower(1) << 8 | lower(2)) {
    case 'j' << 16 | 'a' << 8 | 'n': return 1;
    case 'f' << 16 | 'e' << 8 | 'b': return 2;
    case 'm' << 16 | 'a' << 8 | 'r': return 3;
    case 'a' << 16 | 'p' << 8 | 'r': return 4;
    case 'm' << 16 | 'a' << 8 | 'y': return 5;
    case 'j' << 16 | 'u' << 8 | 'n': return 6;
    case 'j' << 16 | 'u' << 8 | 'l': return 7;
    case 'a' << 16 | 'u' << 8 | 'g': return 8;
    case 's' << 16 | 'e' << 8 | 'p': return 9;
    case 'o' << 16 | 'c' << 8 | 't': return 10;
    case 'n' << 16 | 'o' << 8 | 'v': return 11;
    case 'd' << 16 | 'e' << 8 | 'c': return 12;
    default: return 0;
  }
}

Expected<TimeReader> TimeReader::make(std::string_view zone, Nanoseconds reference, int year) {
  TimeReader reader;
  reader.reference_ = reference;
  reader.year_ = year;
  if (zone.empty() || zone == "UTC" || zone == "Z") return reader;
  auto shared = std::make_shared<Zone>();
  std::string_view rest = zone;
  if (auto seconds = offset(rest); seconds && rest.empty()) {
    shared->zone = absl::FixedTimeZone(*seconds);
  } else if (zone == "local" || !absl::LoadTimeZone(std::string(zone), &shared->zone)) {
    return fail("unknown time zone", std::string(zone),
                "use an IANA name such as Europe/Berlin, or an offset such as +02:00");
  }
  reader.zone_ = std::move(shared);
  return reader;
}

Nanoseconds TimeReader::resolve(CivilTime civil) const {
  if (civil.year == 0) {
    if (year_ != 0) {
      civil.year = year_;
    } else if (reference_ != 0) {
      civil.year = to_utc(reference_ + kDay).year;
      // 29 February needs a leap year; go back until the date exists and is not in the future of the reference.
      for (int tries = 0; tries < 9; ++tries, --civil.year) {
        if (valid(civil) && from_utc(civil) <= reference_ + kDay) break;
      }
    } else {
      return 0;
    }
  }
  if (!valid(civil)) return 0;
  const Nanoseconds as_utc = from_utc(civil);
  if (!zone_ || as_utc == 0) return as_utc;
  const std::int64_t hour = as_utc / kHour;
  if (hour != cached_hour_) {
    const absl::CivilSecond cs(civil.year, civil.month, civil.day, civil.hour, 0, 0);
    // An hour that happens twice is taken as its first time, one that never happens as if the clock had not been moved
    // yet.
    const absl::Time when = zone_->zone.At(cs).pre;
    cached_offset_ = absl::ToUnixSeconds(when);
    cached_offset_ = hour * 3600 - cached_offset_;
    cached_hour_ = hour;
  }
  return as_utc - cached_offset_ * kSecond;
}

void TimeReader::remember_hour(std::string_view text, const CivilTime& civil, Nanoseconds resolved) const {
  if (resolved == 0 || text.empty() || text.size() > kLongestHour) return;
  const Nanoseconds begin = resolved - (civil.minute * 60 + civil.second) * kSecond - civil.nanosecond;
  // The year of a time without one depends on which side of the reference it lies: not the same for all of that hour.
  if (civil.year == 0 && reference_ != 0) {
    const Nanoseconds edge = reference_ + kDay;
    const Nanoseconds away = begin > edge ? begin - edge : edge - begin;
    if (away < 2 * kDay) return;
  }
  std::memcpy(hour_text_, text.data(), text.size());
  hour_text_size_ = text.size();
  hour_ = begin;
}

int TimeReader::offset_seconds_at_utc(Nanoseconds time) const {
  if (!zone_) return 0;
  return zone_->zone.At(absl::FromUnixNanos(time)).offset;
}

std::optional<Nanoseconds> parse_iso8601(std::string_view& text, const TimeReader& reader) {
  if (text.size() < 19) return std::nullopt;
  const char* p = text.data();
  CivilTime civil;
  if ((p[4] != '-' && p[4] != '/') || p[7] != p[4] || (p[10] != 'T' && p[10] != ' ' && p[10] != 't'))
    return std::nullopt;
  if (!digits(p, 4, civil.year) || !digits(p + 5, 2, civil.month) || !digits(p + 8, 2, civil.day) ||
      !clock_time(p + 11, civil) || !valid(civil) || civil.year == 0) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(19);
  civil.nanosecond = fraction(rest);
  const auto east = offset(rest);
  const Nanoseconds time = east ? from_utc(civil) - *east * kSecond : reader.resolve(civil);
  text = rest;
  return time;
}

// "mm:ss" at p, behind an hour and its colon; nothing but the two numbers is read.
bool minute_second(const char* p, Nanoseconds& out) {
  int minute = 0;
  int second = 0;
  if (!digits(p, 2, minute) || p[2] != ':' || !digits(p + 3, 2, second) || minute > 59 || second > 60) return false;
  out = (minute * 60 + second) * kSecond;
  return true;
}

std::optional<Nanoseconds> parse_bsd(std::string_view& text, const TimeReader& reader) {
  if (text.size() < 15 || text[3] != ' ') return std::nullopt;
  // "Nov 22 2026 08" and "Nov 22 08", followed by ":15:30".
  for (const std::size_t size : {std::size_t{14}, std::size_t{9}}) {
    Nanoseconds within = 0;
    if (text.size() < size + 6 || text[size] != ':') continue;
    const auto hour = reader.known_hour(text.substr(0, size));
    if (!hour || !minute_second(text.data() + size + 1, within)) continue;
    text.remove_prefix(size + 6);
    return *hour + within + fraction(text);
  }
  const std::string_view whole = text;
  CivilTime civil;
  civil.year = 0;
  civil.month = month_number(text);
  if (civil.month == 0) return std::nullopt;
  const char* p = text.data() + 4;
  const char* end = text.data() + text.size();
  if (*p == ' ') ++p;
  int day = 0;
  int count = 0;
  for (; p != end && *p >= '0' && *p <= '9' && count < 2; ++p, ++count) day = day * 10 + (*p - '0');
  if (count == 0 || p == end || (*p != ' ' && *p != ',')) return std::nullopt;
  civil.day = day;
  while (p != end && (*p == ' ' || *p == ',')) ++p;
  if (end - p >= 13 && digits(p, 4, civil.year) && p[4] == ' ') {
    p += 5;
  } else {
    civil.year = 0;
  }
  if (end - p < 8 || !clock_time(p, civil)) return std::nullopt;
  p += 8;
  std::string_view rest(p, static_cast<std::size_t>(end - p));
  civil.nanosecond = fraction(rest);
  CivilTime check = civil;
  if (check.year == 0) check.year = 2024;  // a leap year: any day that can exist
  if (!valid(check)) return std::nullopt;
  text = rest;
  const Nanoseconds time = reader.resolve(civil);
  // Only the usual spelling: the hour's digits end where known_hour() will look for them.
  const std::string_view hour = whole.substr(0, static_cast<std::size_t>(p - 6 - whole.data()));
  if (hour.size() == 14 || hour.size() == 9) reader.remember_hour(hour, civil, time);
  return time;
}

std::optional<Nanoseconds> parse_ctime(std::string_view& text, const TimeReader& reader) {
  if (text.size() < 24 || text[3] != ' ' || text[7] != ' ' || text[19] != ' ') return std::nullopt;
  std::array<char, 20> ordered;  // as parse_bsd reads it, the year behind the day
  char* p = std::copy_n(text.data() + 4, 7, ordered.data());
  p = std::copy_n(text.data() + 20, 4, p);
  std::copy_n(text.data() + 10, 9, p);
  std::string_view line(ordered.data(), ordered.size());
  const auto time = parse_bsd(line, reader);
  if (!time || !line.empty()) return std::nullopt;
  text.remove_prefix(24);
  return time;
}

std::optional<Nanoseconds> parse_epoch(std::string_view& text) {
  std::int64_t whole = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  auto [stop, error] = std::from_chars(begin, end, whole);
  if (error != std::errc{} || stop == begin || whole < 0) return std::nullopt;
  const auto count = stop - begin;
  std::string_view rest(stop, static_cast<std::size_t>(end - stop));
  Nanoseconds unit = kSecond;
  if (count >= 18) {
    unit = 1;
  } else if (count >= 15) {
    unit = kMicrosecond;
  } else if (count >= 12) {
    unit = kMillisecond;
  } else if (count > 10) {
    return std::nullopt;
  }
  if (whole > kLastSecond * (kSecond / unit)) return std::nullopt;  // nothing is logged behind what from_utc() gives
  const std::int32_t part = fraction(rest);
  text = rest;
  return whole * unit + (unit == kSecond ? part : part / (kSecond / unit));
}

}  // namespace orbwatch::core
