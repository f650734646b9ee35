#include "pipeline/device_rates.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace orbwatch::pipeline {
namespace {

using core::kHour;
using core::Nanoseconds;

// Raised with every change of what persist() lists.
constexpr std::uint32_t kLayout = 1;
constexpr std::uint8_t kWeeks = 4;                   // how far the mean of an hour of the week reaches back
constexpr Nanoseconds kLongPause = 14 * core::kDay;  // what is missing is summed up no further
constexpr Nanoseconds kForgotten = 60 * core::kDay;  // a device that sent nothing for so long is gone
// 2^(-1 / (4 weeks in hours)): a half-life of four weeks.
const float kPauseDecay = std::exp2(-1.0F / (kWeeks * 168.0F));

std::uint64_t hour_of(Nanoseconds time) { return static_cast<std::uint64_t>(time / kHour); }
std::size_t of_week(std::uint64_t hour) { return hour % DeviceRates::kHours; }

}  // namespace

double DeviceRates::usual(const Device& device, std::uint64_t hour) {
  const std::size_t i = of_week(hour);
  return device.n[i] != 0 ? device.mean[i] : device.overall;
}

double DeviceRates::missing(const Device& device) const {
  // While the service was away nobody could have heard of it.
  Nanoseconds from = std::max({device.last_arrival, back_, now_ - kLongPause});
  double sum = 0;
  while (from < now_) {
    const std::uint64_t hour = hour_of(from);
    const Nanoseconds until = std::min(now_, static_cast<Nanoseconds>(hour + 1) * kHour);
    sum += usual(device, hour) * static_cast<double>(until - from) / static_cast<double>(kHour);
    from = until;
  }
  return sum;
}

bool DeviceRates::is_silent(const Device& device, double missing) {
  return device.learned >= kLearned && missing > std::max(kEnough, 2 * static_cast<double>(device.longest));
}

void DeviceRates::close_hour() {
  const std::size_t i = of_week(hour_of(now_));
  for (auto& [key, d] : devices_) {
    if (!away_ && !d.partial) {
      const auto seen = static_cast<float>(d.in_hour);
      d.n[i] = std::min<std::uint8_t>(kWeeks, d.n[i] + 1);
      d.mean[i] += (seen - d.mean[i]) / static_cast<float>(d.n[i]);
      ++d.learned;
      d.overall += (seen - d.overall) / static_cast<float>(std::min<std::uint32_t>(d.learned, kHours));
    }
    d.longest *= kPauseDecay;
    d.partial = false;
    d.in_hour = 0;
  }
}

void DeviceRates::advance(Nanoseconds now) {
  if (now <= now_) return;
  if (now_ == 0) {
    now_ = now;
    return;
  }
  const bool gap = now - now_ > kAway;
  if (hour_of(now) != hour_of(now_)) {
    if (gap) away_ = true;
    close_hour();
    away_ = false;
  }
  if (gap) {
    away_ = true;
    back_ = now;
  }
  now_ = now;
}

bool DeviceRates::make_room() {
  if (devices_.size() < kMostDevices) return true;
  // Once an hour, since it looks at all of them.
  if (room_made_ == hour_of(now_)) return false;
  room_made_ = hour_of(now_);
  absl::erase_if(devices_, [this](const auto& entry) {
    const Nanoseconds quiet = now_ - entry.second.last_arrival;
    return quiet > kForgotten || (quiet > core::kDay && static_cast<double>(entry.second.events) < kEnough);
  });
  return devices_.size() < kMostDevices;
}

void DeviceRates::take(core::Symbol observer, const core::Ip& address, std::uint64_t n, Nanoseconds now) {
  if (n == 0) return;
  advance(now);
  const Key key{observer, observer.present() ? core::Ip() : address};
  auto found = devices_.find(key);
  if (found == devices_.end()) {
    if (!make_room()) {
      untracked_ += n;
      return;
    }
    found = devices_.try_emplace(key).first;
  }
  Device& d = found->second;
  d.events += n;
  d.in_hour = static_cast<std::uint32_t>(std::min<std::uint64_t>(UINT32_MAX, d.in_hour + n));
  if (d.last_arrival != 0 && now - d.last_arrival > core::kMinute && d.learned >= kLearned) {
    // A failure is not an ordinary pause: it makes the next one noticed later, but only somewhat.
    const double ordinary = std::min(missing(d), 1.5 * static_cast<double>(d.longest) + kEnough / 2);
    d.longest = std::max(d.longest, static_cast<float>(ordinary));
  }
  d.last_arrival = std::max(d.last_arrival, now);
}

std::size_t DeviceRates::silent() const {
  std::size_t n = 0;
  for (const auto& [key, d] : devices_) {
    if (is_silent(d, missing(d))) ++n;
  }
  return n;
}

std::vector<DeviceStatus> DeviceRates::status(std::size_t most) const {
  std::vector<DeviceStatus> out;
  out.reserve(devices_.size());
  for (const auto& [key, d] : devices_) {
    DeviceStatus& s = out.emplace_back();
    s.name = key.name.present() ? std::string(key.name.text()) : key.address.text();
    s.events = d.events;
    s.last_arrival = d.last_arrival;
    s.usual_per_minute = usual(d, hour_of(now_)) / 60;
    s.missing = missing(d);
    s.silent = is_silent(d, s.missing);
  }
  std::sort(out.begin(), out.end(), [](const DeviceStatus& a, const DeviceStatus& b) {
    return a.silent != b.silent ? a.silent : a.name < b.name;
  });
  if (out.size() > most) out.resize(most);
  return out;
}

template <typename Archive>
void DeviceRates::persist(Archive& a) {
  a.section("devices", kLayout);
  a.moments(now_, back_);
  a(away_, room_made_, untracked_);
  a.entries(devices_, [&](Key& key, Device& d) {
    a(key.name, key.address, d.events, d.longest, d.overall, d.learned, d.in_hour, d.partial);
    a.moment(d.last_arrival);
    a.sparse(std::span<std::uint8_t>(d.n));
    a.sparse(std::span<float>(d.mean));
    if constexpr (Archive::kReads) {
      for (std::uint8_t& times : d.n) times = std::min(times, kWeeks);
    }
  });
  if constexpr (Archive::kReads) {
    if (devices_.size() > kMostDevices) a.refuse("more devices than are tracked");
  }
}

void DeviceRates::save(core::ArchiveWriter& archive) const { const_cast<DeviceRates*>(this)->persist(archive); }
void DeviceRates::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::pipeline
