#include "intel/fetch/retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <string>

#include "core/text.h"

namespace orbwatch::intel {
namespace {

constexpr std::chrono::milliseconds kDay{86'400'000};

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::chrono::milliseconds wait_after(std::uint64_t failures, const RetryRules& rules, std::uint64_t seed) {
  auto most = std::min(rules.first_wait, rules.longest_wait);
  for (std::uint64_t i = 1; i < failures && most < rules.longest_wait; ++i)
    most = std::min(most * 2, rules.longest_wait);
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(most.count(), 0)) / 2;
  const std::uint64_t jitter = half == 0 ? 0 : mixed(seed ^ mixed(failures)) % (half + 1);
  return most - std::chrono::milliseconds(half - jitter);
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, core::Nanoseconds now) {
  value = core::trim(value);
  if (value.empty() || value.size() > 64) return std::nullopt;
  if (value.find_first_not_of("0123456789") == value.npos) {
    const auto seconds = core::parse_number<std::int64_t>(value);
    return seconds && *seconds < 86'400 ? std::chrono::milliseconds(*seconds * 1'000) : kDay;
  }
  const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date == static_cast<std::time_t>(-1)) return std::nullopt;
  const std::int64_t seconds = static_cast<std::int64_t>(date) - now / core::kSecond;
  return std::clamp(std::chrono::milliseconds(std::clamp<std::int64_t>(seconds, 0, 86'400) * 1'000),
                    std::chrono::milliseconds(0), kDay);
}

}  // namespace orbwatch::intel
