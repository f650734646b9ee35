#include "decode/time_layout.h"

#include <absl/time/time.h>

namespace orbwatch::decode {

std::optional<TimeLayout> TimeLayout::make(std::string_view format) {
  TimeLayout layout;
  if (format == "iso8601") return layout;
  if (format == "epoch") {
    layout.kind_ = Kind::kEpoch;
  } else if (format == "bsd") {
    layout.kind_ = Kind::kBsd;
  } else if (format.find('%') != format.npos) {
    layout.kind_ = Kind::kPattern;
    layout.pattern_ = format;
    for (const char* directive : {"%Y", "%y", "%E4Y", "%s", "%c", "%D", "%F", "%x"})
      layout.has_year_ |= format.find(directive) != format.npos;
    for (const char* directive : {"%z", "%Ez", "%s", "%Z"}) layout.has_zone_ |= format.find(directive) != format.npos;
  } else {
    return std::nullopt;
  }
  return layout;
}

core::Nanoseconds TimeLayout::read(std::string_view text, const core::TimeReader& times) const {
  switch (kind_) {
    case Kind::kIso8601: return core::parse_iso8601(text, times).value_or(0);
    case Kind::kEpoch: return core::parse_epoch(text).value_or(0);
    case Kind::kBsd: return core::parse_bsd(text, times).value_or(0);
    case Kind::kPattern: break;
  }
  absl::Time t;
  std::string why;
  if (text.empty() || text.starts_with('i') || text.starts_with('-')) return 0;  // "infinite-future"
  if (!absl::ParseTime(pattern_, absl::string_view(text.data(), text.size()), absl::UTCTimeZone(), &t, &why)) return 0;
  if (t < absl::FromUnixSeconds(-9000000000) || t > absl::FromUnixSeconds(9000000000)) return 0;
  if (has_zone_) return absl::ToUnixNanos(t);
  core::CivilTime civil;
  const auto parts = absl::UTCTimeZone().At(t);
  civil.year = has_year_ ? static_cast<int>(parts.cs.year()) : 0;
  civil.month = parts.cs.month();
  civil.day = parts.cs.day();
  civil.hour = parts.cs.hour();
  civil.minute = parts.cs.minute();
  civil.second = parts.cs.second();
  civil.nanosecond = static_cast<std::int32_t>(absl::ToInt64Nanoseconds(parts.subsecond));
  return times.resolve(civil);
}

}  // namespace orbwatch::decode
