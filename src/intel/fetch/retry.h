// When to try again. Exponential back-off with "equal jitter": the wait after the n-th failure lies between half and
// all of min(first * 2^(n-1), longest), so that many installations do not come back at the same moment (M. Brooker,
// "Exponential Backoff and Jitter", AWS Architecture Blog, 2015). Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"

namespace orbwatch::intel {

struct RetryRules {
  unsigned most_attempts = 4;  // the first included, 1..20
  std::chrono::milliseconds first_wait{1'000};
  std::chrono::milliseconds longest_wait{60'000};
  // A server that asks for more (Retry-After) is given up at once.
  std::chrono::milliseconds longest_retry_after{120'000};
};

// failures: how often in a row it has failed, from 1. The same seed and failures give the same wait.
std::chrono::milliseconds wait_after(std::uint64_t failures, const RetryRules& rules, std::uint64_t seed);

// The value of Retry-After (RFC 9110, 10.2.3), seconds or a date; nullopt if it is neither. A date in the past is 0.
// At most a day.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, core::Nanoseconds now);

}  // namespace orbwatch::intel
