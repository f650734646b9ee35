#include "baseline/profile.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numbers>

namespace orbwatch::baseline {

std::uint32_t pack_place(float latitude, float longitude) {
  if (latitude == 0 && longitude == 0) return 0;
  const auto y = static_cast<std::uint32_t>(std::clamp((latitude + 90.0F) * 10.0F, 0.0F, 1800.0F));
  const auto x = static_cast<std::uint32_t>(std::clamp((longitude + 180.0F) * 10.0F, 0.0F, 3600.0F));
  return 1U << 31 | y << 16 | x;
}

void unpack_place(std::uint32_t place, double& latitude, double& longitude) {
  latitude = (place >> 16 & 0x7fff) / 10.0 - 90.0 + 0.05;
  longitude = (place & 0xffff) / 10.0 - 180.0 + 0.05;
}

// Haversine formula on a sphere of 6371 km.
double kilometres(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kRadians = std::numbers::pi / 180.0;
  const double dy = (latitude_b - latitude_a) * kRadians / 2;
  const double dx = (longitude_b - longitude_a) * kRadians / 2;
  const double h = std::sin(dy) * std::sin(dy) +
                   std::cos(latitude_a * kRadians) * std::cos(latitude_b * kRadians) * std::sin(dx) * std::sin(dx);
  return 2 * 6371.0 * std::asin(std::min(1.0, std::sqrt(h)));
}

double journey_hours(double km) {
  // By road or rail, or by air with the ways to and from the airports.
  return std::min(km / 80, 3 + km / 700);
}

std::size_t journey_bin(Nanoseconds between, double km) {
  const double hours = static_cast<double>(between) / static_cast<double>(core::kHour);
  const double ratio = hours / std::max(journey_hours(km), 0.1);
  return ratio < 0.5 ? 0 : ratio < 1 ? 1 : ratio < 2 ? 2 : ratio < 4 ? 3 : 4;
}

namespace {

template <typename T, std::size_t N>
std::size_t bin_of(T value, const std::array<T, N>& bounds) {
  return static_cast<std::size_t>(std::ranges::upper_bound(bounds, value) - bounds.begin());
}

}  // namespace

std::size_t SessionShape::length_bin() const {
  constexpr std::array<Nanoseconds, kLengthBins - 1> kBounds = {
      2 * core::kMinute, 5 * core::kMinute, 15 * core::kMinute, 30 * core::kMinute,
      core::kHour,       2 * core::kHour,   4 * core::kHour,    8 * core::kHour};
  return bin_of(length, kBounds);
}

std::size_t SessionShape::volume_bin() const {
  constexpr std::array<double, kVolumeBins - 1> kBounds = {1e5, 1e6, 1e7, 1e8, 1e9};
  return bin_of(static_cast<double>(source_bytes) + static_cast<double>(destination_bytes), kBounds);
}

std::size_t SessionShape::upload_bin() const {
  constexpr std::array<double, kUploadBins - 1> kBounds = {0.05, 0.15, 0.35, 0.65, 0.90};
  const auto up = static_cast<double>(source_bytes);
  return bin_of(up / std::max(1.0, up + static_cast<double>(destination_bytes)), kBounds);
}

void SessionShapes::add(const SessionShape& shape, float weight) {
  if (shape.length > 0) lengths[shape.length_bin()] += weight;
  if (!shape.has_volume()) return;
  volumes[shape.volume_bin()] += weight;
  uploads[shape.upload_bin()] += weight;
}

double usual_break(const UserProfile& user, double unit) {
  constexpr double kHours = 3 * 16.0;  // as if three breaks had been seen
  constexpr double kMean = 30;
  return (user.break_squares / unit + kHours * kMean) / (user.break_hours / unit + kHours);
}

std::size_t break_bin(double hours, double usual) {
  const double ratio = hours / std::max(usual, 0.1);
  return ratio < 0.5 ? 0 : ratio < 1 ? 1 : ratio < 2 ? 2 : ratio < 4 ? 3 : 4;
}

std::uint64_t prefix_key(const Ip& ip) {
  if (!ip.present()) return 0;
  if (ip.is_v4()) return std::uint64_t{1} << 32 | ip.v4_value() >> 8;
  return ip.high() >> 16 | std::uint64_t{1} << 63;
}

std::uint64_t address_key(const Ip& ip) {
  if (!ip.present()) return 0;
  if (ip.is_v4()) return std::uint64_t{1} << 40 | ip.v4_value();
  return ip.high() | std::uint64_t{1} << 62;  // global addresses begin with 001
}

Distance distance(std::uint64_t a, std::uint64_t b) {
  const bool v4 = a >> 32 == 1 && b >> 32 == 1;
  if (!v4 && (a >> 63 == 0 || b >> 63 == 0)) return Distance::kFarther;
  // Keys hold the leading 24 bits of an IPv4 and 48 of an IPv6 address.
  const int bits = std::countl_zero((a ^ b) << (v4 ? 40 : 16));
  if (bits >= (v4 ? 20 : 44)) return Distance::kPool;
  if (bits >= (v4 ? 16 : 40)) return Distance::kBlock;
  if (bits >= (v4 ? 12 : 32)) return Distance::kRegion;
  return Distance::kFarther;
}

std::size_t hour_of_week(Nanoseconds time) {
  const std::int64_t hours = time / core::kHour;
  return static_cast<std::size_t>(((hours + 72) % 168 + 168) % 168);  // 1970-01-01 was a Thursday
}

std::size_t day_hour(Nanoseconds time) {
  const std::size_t hour = hour_of_week(time);
  return hour >= 120 ? 24 + hour % 24 : hour % 24;
}

namespace {
template <std::size_t N>
std::uint32_t sum(const std::array<std::uint32_t, N>& values) {
  std::uint32_t total = 0;
  for (const auto v : values) total += v;
  return total;
}
}  // namespace

std::uint32_t StrangerFailures::failures_24h() const { return sum(failures); }
std::uint32_t StrangerFailures::sources_24h() const { return sum(sources); }
std::uint32_t StrangerFailures::consumer_24h() const { return sum(consumer); }

void StrangerFailures::close_day() {
  days[day_count++ % kDays] = today;
  source_days[source_day_count % kDays] = today_sources;
  consumer_days[source_day_count++ % kDays] = today_consumer;
  today = today_sources = today_consumer = 0;
}

void StrangerFailures::skip_to(std::int64_t next_day) {
  if (day == 0 || next_day <= day) return;
  close_day();
  day = next_day;
}

void StrangerFailures::add_account(std::int64_t on_day) {
  constexpr auto kKept = static_cast<std::int64_t>(kAccountDays);
  if (on_day <= account_day - kKept) return;
  if (on_day > account_day) {
    for (std::int64_t d = std::max(account_day + 1, on_day - kKept + 1); d <= on_day; ++d)
      accounts[static_cast<std::size_t>(d % kKept)] = 0;
    account_day = on_day;
  }
  ++accounts[static_cast<std::size_t>(on_day % kKept)];
}

std::uint32_t StrangerFailures::accounts_until(std::int64_t on_day) const {
  constexpr auto kKept = static_cast<std::int64_t>(kAccountDays);
  std::uint32_t total = 0;
  for (std::int64_t d = std::max(on_day, account_day) - kKept + 1; d <= account_day; ++d)
    if (d >= 0) total += accounts[static_cast<std::size_t>(d % kKept)];
  return total;
}

double StrangerFailures::ordinary_day() const {
  if (day_count == 0) return 3;
  const std::size_t n = std::min<std::size_t>(day_count, days.size());
  std::array<std::uint32_t, kDays> sorted = days;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(n));
  // With few days a quiet one must not make the next ordinary day look loud: one imaginary day of 3 counts along.
  return (static_cast<double>(sorted[n / 2]) * static_cast<double>(n) + 3.0) / (static_cast<double>(n) + 1.0);
}

namespace {

StrangerFailures::Ordinary ordinary(std::array<std::uint32_t, StrangerFailures::kDays> counts, std::size_t days) {
  // Before any day is over nothing is known: an organisation may have a dozen such sources a day or hundreds.
  constexpr double kFirstMean = 20;
  constexpr double kFirstDispersion = 0.7;
  constexpr double kMeanDays = 0.5;  // what these are worth
  constexpr double kSpreadDays = 2;
  constexpr double kLeastDispersion = 0.5, kMostDispersion = 200;
  const std::size_t n = std::min(days, counts.size());
  std::sort(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(n));
  const auto quantile = [&](double q) {
    if (n == 0) return 0.0;
    const double at = q * static_cast<double>(n - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, n - 1);
    return counts[low] + (at - static_cast<double>(low)) * (static_cast<double>(counts[high]) - counts[low]);
  };
  const auto seen = static_cast<double>(n);
  const double mean = std::max(1.0, (quantile(0.5) * seen + kFirstMean * kMeanDays) / (seen + kMeanDays));
  const double spread = (quantile(0.75) - quantile(0.25)) / 1.349;  // of a normal distribution
  const double first = mean + mean * mean / kFirstDispersion;
  const double variance = (seen * spread * spread + kSpreadDays * first) / (seen + kSpreadDays);
  const double dispersion = variance > mean ? mean * mean / (variance - mean) : kMostDispersion;
  return {mean, std::clamp(dispersion, kLeastDispersion, kMostDispersion)};
}

}  // namespace

StrangerFailures::Ordinary StrangerFailures::ordinary_sources() const {
  return ordinary(source_days, source_day_count);
}
StrangerFailures::Ordinary StrangerFailures::ordinary_consumer() const {
  return ordinary(consumer_days, source_day_count);
}

}  // namespace orbwatch::baseline
