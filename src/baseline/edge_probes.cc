#include "baseline/edge_probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace orbwatch::baseline {
namespace {

constexpr double kLeastMean = 0.5;  // what was never seen can still come
// Days without much history: one imaginary day of 1, and for the spread kPriorDays with dispersion kPriorK.
constexpr double kPriorDays = 7;
constexpr double kPriorK = 2;
constexpr double kLeastK = 0.25;
constexpr double kMostK = 20;  // ordinary days always vary by a fifth and more
// The highest sixth of the days is cut down to the highest of the others, so that a scan or a worm of some days does
// not become the ordinary; of ordinary days that takes away a third of the variance.
constexpr std::size_t kCut = 6;
constexpr double kCutVariance = 1.5;

void subtract(std::uint32_t& from, std::uint32_t n) { from -= std::min(from, n); }

EdgeProbes::Ordinary ordinary_of(std::array<std::uint32_t, EdgeProbes::kDays>& days, std::size_t n) {
  EdgeProbes::Ordinary out;
  if (n == 0) return out;
  const auto end = days.begin() + static_cast<std::ptrdiff_t>(n);
  std::sort(days.begin(), end);
  const std::uint32_t most = days[n - 1 - n / kCut];
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = std::min(days[i], most);
    sum += x;
    squares += x * x;
  }
  const auto all = static_cast<double>(n);
  const double seen = std::max(0.0, squares / all - (sum / all) * (sum / all));
  const double m = std::max(kLeastMean, (sum + 1) / (all + 1));
  const double variance = (all * kCutVariance * seen + kPriorDays * (m + m * m / kPriorK)) / (all + kPriorDays);
  out.mean = m;
  out.k = variance > m ? std::clamp(m * m / (variance - m), kLeastK, kMostK) : kMostK;
  out.raised = std::max(2.0, m + std::sqrt(m + m * m / out.k));
  return out;
}

}  // namespace

std::size_t edge_port(std::uint16_t port, std::uint8_t protocol) {
  static constexpr auto kBits = [] {
    std::array<std::uint64_t, 1024> bits{};
    for (const EdgePort& p : kEdgePorts) bits[p.port >> 6] |= std::uint64_t{1} << (p.port & 63);
    return bits;
  }();
  if ((kBits[port >> 6] >> (port & 63) & 1) == 0) return kNoEdgePort;
  const auto found = std::ranges::lower_bound(kEdgePorts, port, {}, &EdgePort::port);
  return found->protocol == protocol ? static_cast<std::size_t>(found - kEdgePorts.begin()) : kNoEdgePort;
}

std::string edge_port_text(std::size_t place) {
  const EdgePort& p = kEdgePorts[place];
  return fmt::format("{}{}", p.port, p.protocol == 17 ? "/udp" : "");
}

void EdgeProbes::learn(const core::Ip& ip, bool access_line, core::Nanoseconds time, std::size_t port) {
  const std::int64_t hour = time / core::kHour;
  if (time <= 0 || port >= kPorts || hour > UINT32_MAX) return;
  if (hour_ == 0) {
    hour_ = hour;
    day_ = time / core::kDay;
  }
  if (hour > hour_) move_to(hour);
  if (hour <= hour_ - static_cast<std::int64_t>(kHours)) return;
  auto found = sources_.find(ip);
  if (found == sources_.end()) {
    if (sources_.size() >= kMostSources) {
      ++uncounted_;
      return;
    }
    found = sources_.emplace(ip, Source{}).first;
  }
  Source& s = found->second;
  if (s.hour == 0 || static_cast<std::int64_t>(s.hour) + static_cast<std::int64_t>(kHours) <= hour_) {
    s = {
        .hour = static_cast<std::uint32_t>(hour), .first = static_cast<std::uint8_t>(port), .access_line = access_line};
    Hour& h = hours_[slot(hour)];
    if (access_line) {
      ++h.first[port];
      ++first_now_[port];
    } else {
      ++h.others;
      ++others_now_;
      if (time / core::kDay == day_) ++today_[kOthers];
    }
  }
  if (s.probes == kNoisy) return;
  const std::uint32_t bit = 1U << port;
  if (++s.probes > kMostProbesEach || std::popcount(s.ports | bit) > kMostPortsEach) {
    take_out(s);
    return;
  }
  if ((s.ports & bit) != 0) return;
  s.ports |= bit;
  if (!s.access_line) return;
  Hour& h = hours_[slot(s.hour)];
  const bool of_today = time / core::kDay == day_;
  ++h.touched[port];
  ++touched_now_[port];
  if (of_today) ++today_[port];
  if (std::popcount(s.ports) != 2) return;
  ++h.several;
  ++several_now_;
  if (of_today) ++today_[kSeveral];
}

// It turned out to try more than a node of a covert network would: all of it is taken back. (The count of a day that
// is over keeps it.)
void EdgeProbes::take_out(Source& s) {
  Hour& h = hours_[slot(s.hour)];
  const bool of_today = static_cast<std::int64_t>(s.hour) / 24 == day_;
  if (!s.access_line) {
    subtract(h.others, 1);
    subtract(others_now_, 1);
    if (of_today) subtract(today_[kOthers], 1);
  } else {
    subtract(h.first[s.first], 1);
    subtract(first_now_[s.first], 1);
    if (std::popcount(s.ports) > 1) {
      subtract(h.several, 1);
      subtract(several_now_, 1);
      if (of_today) subtract(today_[kSeveral], 1);
    }
    for (std::size_t port = 0; port < kPorts; ++port) {
      if ((s.ports >> port & 1) == 0) continue;
      subtract(h.touched[port], 1);
      subtract(touched_now_[port], 1);
      if (of_today) subtract(today_[port], 1);
    }
  }
  s.ports = 0;
  s.probes = kNoisy;
}

void EdgeProbes::move_to(std::int64_t hour) {
  const std::int64_t steps = std::min<std::int64_t>(hour - hour_, kHours);
  for (std::int64_t i = 1; i <= steps; ++i) {
    Hour& h = hours_[slot(hour_ + i)];
    for (std::size_t port = 0; port < kPorts; ++port) {
      subtract(touched_now_[port], h.touched[port]);
      subtract(first_now_[port], h.first[port]);
    }
    subtract(several_now_, h.several);
    subtract(others_now_, h.others);
    h = {};
  }
  hour_ = hour;
  // Once a day, and before a source would find no room.
  const bool next_day = hour / 24 > day_;
  if (next_day || sources_.size() >= kMostSources) {
    absl::erase_if(sources_, [&](const auto& item) {
      return static_cast<std::int64_t>(item.second.hour) + static_cast<std::int64_t>(kHours) <= hour_;
    });
  }
  if (next_day) close_days(hour / 24);
}

void EdgeProbes::close_days(std::int64_t next_day) {
  close_day(today_);
  const auto quiet = std::min<std::int64_t>(next_day - day_ - 1, kDays);
  for (std::int64_t i = 0; i < quiet; ++i) close_day({});
  day_ = next_day;
  today_ = {};
  estimate();
}

void EdgeProbes::close_day(const Day& day) {
  days_[day_count_ % kDays] = day;
  // Beyond kDays only its remainder counts.
  day_count_ = day_count_ + 1 < kMostDayCount ? day_count_ + 1 : kDays;
}

void EdgeProbes::skip_to(std::int64_t next_day) {
  if (hour_ == 0 || next_day <= day_) return;
  close_day(today_);
  day_ = next_day;
  today_ = {};
  estimate();
}

void EdgeProbes::estimate() {
  const std::size_t n = std::min<std::size_t>(day_count_, kDays);
  for (std::size_t what = 0; what < ordinary_.size(); ++what) {
    std::array<std::uint32_t, kDays> counts{};
    for (std::size_t i = 0; i < n; ++i) counts[i] = days_[i][what];
    ordinary_[what] = ordinary_of(counts, n);
  }
}

void EdgeProbes::add_up() {
  touched_now_ = first_now_ = {};
  several_now_ = others_now_ = 0;
  for (const Hour& h : hours_) {
    for (std::size_t port = 0; port < kPorts; ++port) {
      touched_now_[port] += h.touched[port];
      first_now_[port] += h.first[port];
    }
    several_now_ += h.several;
    others_now_ += h.others;
  }
  estimate();
}

}  // namespace orbwatch::baseline
