#include "track/captures.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <string>
#include <tuple>

namespace orbwatch::track {
core::Expected<Captures> Captures::make(std::span<const double> days) {
  if (days.empty() || days.size() > kMostWindows) {
    return core::fail("number of windows", std::to_string(days.size()), "1 to " + std::to_string(kMostWindows));
  }
  Captures out;
  for (const double day : days) {
    if (!std::isfinite(day) || (!out.windows_.empty() && day - out.windows_.back().day < 1e-3)) {
      return core::fail("day of a window", std::to_string(day), "ascending");
    }
    out.windows_.push_back({.day = day});
  }
  out.frequencies_.resize(days.size());
  return out;
}

bool Captures::add(std::span<const std::uint32_t> windows) {
  if (windows.empty() || windows.back() >= windows_.size()) return false;
  for (std::size_t i = 1; i < windows.size(); ++i) {
    if (windows[i] <= windows[i - 1]) return false;
  }
  ++windows_[windows.front()].first;
  ++windows_[windows.back()].last;
  std::size_t next = 0;
  for (std::uint32_t w = windows.front(); w <= windows.back(); ++w) {
    if (w == windows[next]) {
      ++windows_[w].seen;
      if (w != windows.front() && w != windows.back()) ++windows_[w].inner;
      ++next;
    } else {
      ++windows_[w].between;
    }
  }
  ++frequencies_[windows.size() - 1];
  ++nodes_;
  static_assert(kMostWindows < 1024);
  ++histories_[windows.front() << 20 | windows.back() << 10 | static_cast<std::uint32_t>(windows.size())];
  sightings_ += windows.size();
  const double between = windows.back() - windows.front() < 2 ? 0 : windows.back() - windows.front() - 1;
  if (between > 0) {
    const double seen = static_cast<double>(windows.size()) - 2;
    ++inner_nodes_;
    inner_windows_ += between;
    inner_inverse_ += 1 / between;
    inner_seen_ += seen;
    inner_squares_ += seen * seen / between;
  }
  return true;
}

std::uint64_t Captures::seen_in(std::size_t windows) const {
  return windows == 0 || windows > frequencies_.size() ? 0 : frequencies_[windows - 1];
}

std::vector<Captures::History> Captures::histories() const {
  std::vector<History> out;
  out.reserve(histories_.size());
  for (const auto& [key, nodes] : histories_) out.push_back({key >> 20, key >> 10 & 1023, key & 1023, nodes});
  std::ranges::sort(out, [](const History& a, const History& b) {
    return std::tie(a.first, a.last, a.sightings) < std::tie(b.first, b.last, b.sightings);
  });
  return out;
}

double Captures::nodes_alike() const {
  const double p = inner_windows_ > 0 ? inner_seen_ / inner_windows_ : 0;
  const double spread = p * (1 - p);
  if (inner_nodes_ < 10 || inner_seen_ < 10 || !(spread > 0)) return 1;
  const double statistic = (inner_squares_ - 2 * p * inner_seen_ + p * p * inner_windows_) / spread;
  const double variance = 2 * inner_nodes_ + (1 - 6 * spread) / spread * inner_inverse_;
  if (!(variance > 0)) return 1;
  return boost::math::cdf(complement(boost::math::normal(), (statistic - (inner_nodes_ - 1)) / std::sqrt(variance)));
}

double Captures::windows_alike() const {
  const double p = inner_windows_ > 0 ? inner_seen_ / inner_windows_ : 0;
  constexpr double kLeastExpected = 3;  // seen and not seen, for the distribution to hold
  double statistic = 0, used = 0;
  for (const Window& w : windows_) {
    const double seen = static_cast<double>(w.inner), there = seen + static_cast<double>(w.between);
    if (there * p < kLeastExpected || there * (1 - p) < kLeastExpected) continue;
    statistic += (seen - there * p) * (seen - there * p) / (there * p * (1 - p));
    ++used;
  }
  if (used < 2) return 1;
  return boost::math::cdf(complement(boost::math::chi_squared(used - 1), statistic));
}

}  // namespace orbwatch::track
