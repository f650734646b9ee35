#include "baseline/forecast.h"

#include <algorithm>
#include <cmath>

namespace orbwatch::baseline {
namespace {

// Familiarity of ordinary log-ins before any data is seen, by experience of the user.
constexpr double kPrior[kExperienceBins][kFamiliarities] = {
    {0.01, 0.01, 0.01, 0.02, 0.05, 0.90},     {0.55, 0.14, 0.07, 0.11, 0.09, 0.04},
    {0.68, 0.11, 0.06, 0.08, 0.05, 0.02},     {0.78, 0.09, 0.04, 0.05, 0.03, 0.01},
    {0.83, 0.07, 0.03, 0.038, 0.025, 0.007},  {0.87, 0.055, 0.022, 0.028, 0.02, 0.005},
    {0.90, 0.045, 0.017, 0.02, 0.014, 0.004},
};

// Shapes of the gamma distributions: how much organisations differ from the prior, groups from their organisation, and
// people from their group. Below 1 a few would travel often and most seldom.
constexpr double kOrganisations = 1;
constexpr double kGroups = 2;
constexpr double kPeople = 1.5;

// However well an organisation is known, some of its accounts are in nobody's hands and still work: intruders look for
// those (CISA AA24-057A, on dormant accounts). A guess on the low side.
constexpr double kLeastUnseen = 0.01;

// A correction needs some events, expected or seen.
constexpr double kEnough = 3;

double sum(const Levels& levels) {
  double total = 0;
  for (const float w : levels) total += w;
  return total;
}

}  // namespace

void Calibration::add(double forecast, bool happened, Nanoseconds time) {
  // What is added late counts as if it came in time.
  if (time - time_ > core::kHour) {
    const double ages = static_cast<double>(time - time_) / static_cast<double>(kHalfLife);
    const auto left = static_cast<float>(time_ == 0 ? 0 : std::exp2(-std::min(ages, 100.0)));
    for (float& w : forecast_) w *= left;
    for (float& w : happened_) w *= left;
    time_ = time;
  }
  const double place = std::log2(std::clamp(forecast, 1e-6, 1.0)) + static_cast<double>(kBins);
  const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)));
  forecast_[bin] += static_cast<float>(forecast);
  if (happened) happened_[bin] += 1;
}

// By the bins around it, the nearer the more: no forecast overtakes another, and an empty bin has neighbours.
double Calibration::corrected(double forecast) const {
  constexpr double kWidth = 1.5;  // bins
  const double place = std::log2(std::clamp(forecast, 1e-6, 1.0)) + static_cast<double>(kBins) - 0.5;
  const double middle = std::clamp(place, 0.0, static_cast<double>(kBins - 1));
  double happened = kEnough, expected = kEnough;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    const double near = std::max(0.0, 1 - std::abs(static_cast<double>(bin) - middle) / kWidth);
    happened += near * happened_[bin];
    expected += near * forecast_[bin];
  }
  return std::clamp(forecast * happened / expected, 1e-6, 0.98);
}

std::array<double, kFamiliarities> chances(const NoveltyChances& n, double moved) {
  constexpr double kLeastKnown = 0.02;
  const double known = std::max(kLeastKnown, 1 - n.new_near - n.new_far - n.new_country);
  return {known * (1 - moved), known * moved * n.near, known * moved * (1 - n.near), n.new_near,
          n.new_far,           n.new_country};
}

NoveltyChances novelty_chances(const UserProfile& user, const GroupProfile* group, const GroupProfile& everyone,
                               double unit) {
  const std::size_t bin = experience_bin(user.logins / unit);
  const Levels& all = everyone.familiarity[bin];
  const double all_sum = sum(all);
  const Levels* peers = group != nullptr ? &group->familiarity[bin] : nullptr;
  const double peers_sum = peers != nullptr ? sum(*peers) : 0;
  const double own_sum = sum(user.familiarity);
  const auto chance = [&](Familiarity familiarity) {
    const auto level = static_cast<std::size_t>(familiarity);
    // The group's own log-ins are taken out of everybody's: counted at both levels, what was never seen would seem
    // impossible.
    const double inside = peers != nullptr ? (*peers)[level] : 0;
    double p = smoothed_rate(std::max(0.0, all[level] - inside) / unit, std::max(0.0, all_sum - peers_sum) / unit,
                             kPrior[bin][level], kOrganisations);
    if (peers != nullptr) p = smoothed_rate(inside / unit, peers_sum / unit, p, kGroups);
    if (bin > 0) p = smoothed_rate(user.familiarity[level] / unit, own_sum / unit, p, kPeople);
    return p;
  };
  const double near = chance(Familiarity::kSameSystemNear);
  const double far = chance(Familiarity::kSameSystemFar);
  return {chance(Familiarity::kNewSystemNear), chance(Familiarity::kNewSystemFar), chance(Familiarity::kNewCountry),
          near / (near + far)};
}

void Accounts::see(bool first, Nanoseconds time) {
  if (time > time_) {
    const double ages = static_cast<double>(time - time_) / static_cast<double>(kHalfLife);
    const auto left = static_cast<float>(time_ == 0 ? 0 : std::exp2(-std::min(ages, 100.0)));
    lately_ *= left;
    first_lately_ *= left;
    time_ = time;
  }
  lately_ += 1;
  if (first) first_lately_ += 1;
}

void Accounts::learn(std::uint32_t before) {
  ++logins_;
  if (before == 0) {
    ++accounts_;
    ++once_;
  } else if (before == 1) {
    once_ -= std::min(once_, 1U);
    ++twice_;
  } else if (before == 2) {
    twice_ -= std::min(twice_, 1U);
  }
}

double Accounts::first_login() const {
  // One imaginary first log-in, so that nothing is impossible.
  const double usual = (once_ + 1.0) / (static_cast<double>(logins_) + 1.0);
  return std::max(usual, smoothed_rate(first_lately_, lately_, usual, 1));
}

double Accounts::unseen() const {
  const double once = once_;
  const double unseen = std::max(once * (once - 1) / (2.0 * (twice_ + 1.0)), kLeastUnseen * (accounts_ + 1.0));
  return unseen / (accounts_ + unseen);
}

}  // namespace orbwatch::baseline
