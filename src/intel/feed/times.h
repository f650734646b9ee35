// Moments as feeds write them. UTC where no zone is said.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.h"

namespace orbwatch::intel {

// "2026-01-31T12:00:00Z", "2026-01-31 12:00:00 UTC", "2026-01-31", "1/31/2026" (month first), seconds to nanoseconds
// since 1970. 0: nothing is said ("", "-", "None", "N/A", "never", "Present"). Nullopt: no moment, or one outside of
// 1970..2261.
std::optional<core::Nanoseconds> parse_feed_time(std::string_view text);
// The same for the end of a validity: the year 9999 gives kNoEnd (item.h).
std::optional<core::Nanoseconds> parse_feed_end(std::string_view text);

struct TimeSpan {
  core::Nanoseconds first = 0;
  core::Nanoseconds last = 0;
};

// Dates in running text: two ISO dates, "Dec 5, 2023 - Jan 3, 2024", "Feb. 7 – May 6 2022", "May – Nov. 2 2022",
// "Nov. 15 – 20, 2023", "Dec 15, 2023" (first and last alike). What is not said of the beginning is taken from the
// end; a month without a day begins with its first and ends with its last day. Zeros: no date.
TimeSpan find_dates(std::string_view text);

}  // namespace orbwatch::intel
