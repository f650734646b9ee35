// Time. Everywhere in orbwatch a moment is a count of nanoseconds since 1970-01-01T00:00:00Z, signed 64 bits, leap
// seconds not counted (POSIX). 0 means "unknown". Nothing here reads the clock.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::core {

using Nanoseconds = std::int64_t;

constexpr Nanoseconds kMicrosecond = 1'000;
constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kMinute = 60 * kSecond;
constexpr Nanoseconds kHour = 3600 * kSecond;
constexpr Nanoseconds kDay = 24 * kHour;

// A wall-clock reading without zone.
struct CivilTime {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  int hour = 0;
  int minute = 0;
  int second = 0;               // 0..60
  std::int32_t nanosecond = 0;  // 0..999999999

  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

// True if every part is in its range and the day exists in its month.
bool valid(const CivilTime& civil);
// Seconds since the epoch if the civil time is read as UTC. Years 1678..2261 fit into Nanoseconds; others give 0.
Nanoseconds from_utc(const CivilTime& civil);
CivilTime to_utc(Nanoseconds time);

std::string rfc3339(Nanoseconds time);    // "2026-11-22T08:15:30Z", fraction only if not zero; "" for 0
std::string date_text(Nanoseconds time);  // "2026-11-22" in UTC

// The three letters "Jan".."Dec" (any case) to 1..12, else 0.
int month_number(std::string_view three_letters);

// How to read times that leave something out. One per decoder; not thread-safe (it caches), cheap to copy.
class TimeReader {
 public:
  // zone: an IANA name ("Europe/Berlin"), "UTC", "local" is refused, or an offset "+02:00". Used where a record states
  // none. reference: a moment that no record of this input is later than by more than a day (for a file: its
  // modification time). A time without a year gets the largest year that keeps it at or before reference + 1 day. 0: no
  // reference; then `year` (if not 0) is used, else 1970 + nothing: the time is unknown (0).
  TimeReader() = default;
  static Expected<TimeReader> make(std::string_view zone, Nanoseconds reference, int year = 0);

  // A civil time in the configured zone; civil.year == 0 means the year is missing. Invalid gives 0.
  Nanoseconds resolve(CivilTime civil) const;
  // The moment at which the hour begins that `text` (a date and an hour as the log writes them, at most kLongestHour
  // bytes) was last said to mean; nullopt if it is another text. Lines in order of time mostly share their hour.
  std::optional<Nanoseconds> known_hour(std::string_view text) const {
    if (text.size() != hour_text_size_ || std::memcmp(text.data(), hour_text_, text.size()) != 0) return std::nullopt;
    return hour_;
  }
  void remember_hour(std::string_view text, const CivilTime& civil, Nanoseconds resolved) const;
  static constexpr std::size_t kLongestHour = 16;

  Nanoseconds reference() const { return reference_; }
  // Another moment as reference. For records whose wrapper says when they were written.
  void set_reference(Nanoseconds reference) {
    if (reference == reference_) return;
    reference_ = reference;
    hour_text_size_ = 0;
  }
  int offset_seconds_at_utc(Nanoseconds time) const;

 private:
  struct Zone;
  std::shared_ptr<const Zone> zone_;  // null: UTC
  Nanoseconds reference_ = 0;
  int year_ = 0;
  mutable std::int64_t cached_hour_ = INT64_MIN;  // civil hour since epoch whose offset is cached
  mutable std::int64_t cached_offset_ = 0;        // seconds east of UTC
  mutable Nanoseconds hour_ = 0;
  mutable std::size_t hour_text_size_ = 0;
  mutable char hour_text_[kLongestHour] = {};
};

// Each parser reads a time at the beginning of `text` and, on success, moves `text` behind it.

// "2026-11-22T08:15:30[.123456789][Z|+01:00|+0100]", also with a space for the T and "/" for "-". Without a zone
// `reader` is used.
std::optional<Nanoseconds> parse_iso8601(std::string_view& text, const TimeReader& reader);
// "Nov 22 08:15:30[.123]", "Nov 22 2026 08:15:30", "Nov  2 2026 08:15:30 EDT" is read up to the seconds. RFC 3164 and
// Cisco.
std::optional<Nanoseconds> parse_bsd(std::string_view& text, const TimeReader& reader);
// "Sun Nov 22 08:15:30 2026", as ctime() writes it.
std::optional<Nanoseconds> parse_ctime(std::string_view& text, const TimeReader& reader);
// Seconds since the epoch with an optional fraction: "1511269439.123456". Milli-, micro- and nanoseconds are told by
// the number of whole digits (13, 16, 19).
std::optional<Nanoseconds> parse_epoch(std::string_view& text);

}  // namespace orbwatch::core
