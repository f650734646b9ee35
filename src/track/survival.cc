#include "track/survival.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numbers>
#include <string>

#include "track/maximise.h"

namespace orbwatch::track {
namespace {

using std::numbers::ln2;

double two_sided(double level) { return boost::math::quantile(boost::math::normal(), (1 + level) / 2); }

core::Expected<void> check(std::size_t lives, double level) {
  if (lives > kMostLives) {
    return core::fail("too many lives", std::to_string(lives), "at most " + std::to_string(kMostLives));
  }
  if (!(level > 0 && level < 1)) return core::fail("level of an interval", std::to_string(level), "between 0 and 1");
  return {};
}

std::string text(double entry, double from, double to) {
  return std::to_string(entry) + ", " + std::to_string(from) + ", " + std::to_string(to);
}

core::Expected<void> check(std::span<const ObservedLife> lives, double level) {
  if (auto all = check(lives.size(), level); !all) return all;
  for (const ObservedLife& life : lives) {
    const bool ordered = life.entry >= 0 && life.entry <= life.alive && life.alive <= life.dead;
    if (!ordered || !(life.entry < life.dead) || !std::isfinite(life.alive)) {
      return core::fail("days of a life", text(life.entry, life.alive, life.dead),
                        "0 <= entry <= alive <= dead, entry < dead");
    }
  }
  return {};
}

std::size_t deaths_of(std::span<const ObservedLife> lives) {
  return static_cast<std::size_t>(std::ranges::count_if(lives, [](const ObservedLife& l) { return l.dead != kAlive; }));
}

// Mean of what can be known of a life: a start for the search.
double days_observed(std::span<const ObservedLife> lives) {
  double sum = 0;
  for (const ObservedLife& l : lives) sum += (l.dead == kAlive ? l.alive : (l.alive + l.dead) / 2) - l.entry;
  return sum;
}

double log_likelihood(std::span<const ObservedLife> lives, double log_rate) {
  const double rate = std::exp(log_rate);
  double sum = 0;
  for (const ObservedLife& l : lives) {
    sum -= rate * (l.alive - l.entry);
    if (l.dead == l.alive) {
      sum += log_rate;
    } else if (l.dead != kAlive) {
      sum += std::log(-std::expm1(-rate * (l.dead - l.alive)));
    }
  }
  return sum;
}

double log_likelihood(std::span<const ObservedLife> lives, double log_shape, double log_scale) {
  const double shape = std::exp(log_shape), scale = std::exp(log_scale);
  const auto hazard = [&](double t) { return std::pow(t / scale, shape); };  // cumulative
  double sum = 0;
  for (const ObservedLife& l : lives) {
    const double until = hazard(l.alive);
    sum += (l.entry > 0 ? hazard(l.entry) : 0) - until;
    if (l.dead == l.alive) {
      sum += log_shape - log_scale + (shape - 1) * std::log(l.alive / scale);
    } else if (l.dead != kAlive) {
      sum += std::log(-std::expm1(until - hazard(l.dead)));
    }
  }
  return sum;
}

}  // namespace

double SurvivalCurve::survival_at(double days) const {
  const auto after = std::ranges::upper_bound(steps, days, {}, &SurvivalStep::days);
  return after == steps.begin() ? 1 : std::prev(after)->survival;
}

core::Expected<SurvivalCurve> kaplan_meier(std::span<const Life> lives, double level) {
  if (auto right = check(lives.size(), level); !right) return std::unexpected(right.error());
  if (lives.empty()) return core::fail("no lives to make a survival curve of");
  std::vector<double> entries, exits, deaths;
  for (const Life& life : lives) {
    if (!(life.entry >= 0 && life.entry < life.exit && std::isfinite(life.exit))) {
      return core::fail("days of a life", text(life.entry, life.exit, life.exit), "0 <= entry < exit");
    }
    entries.push_back(life.entry);
    exits.push_back(life.exit);
    if (life.died) deaths.push_back(life.exit);
  }
  for (std::vector<double>* times : {&entries, &exits, &deaths}) std::ranges::sort(*times);

  SurvivalCurve curve;
  curve.lives = lives.size();
  curve.deaths = deaths.size();
  curve.last_day = exits.back();
  const double z = two_sided(level);
  double survival = 1, greenwood = 0, last_high = 1;
  bool thin = false;
  std::size_t entered = 0, left = 0;
  for (std::size_t i = 0; i < deaths.size();) {
    SurvivalStep step;
    step.days = deaths[i];
    for (; i < deaths.size() && deaths[i] == step.days; ++i) ++step.deaths;
    while (entered < entries.size() && entries[entered] < step.days) ++entered;
    while (left < exits.size() && exits[left] < step.days) ++left;
    step.at_risk = entered - left;
    if (thin && step.at_risk >= 5) curve.thin_start = true;
    thin = thin || step.at_risk < 5;
    const double n = static_cast<double>(step.at_risk), d = static_cast<double>(step.deaths);
    survival *= (n - d) / n;
    if (survival > 0) {
      greenwood += d / (n * (n - d));
      step.standard_error = survival * std::sqrt(greenwood);
      const double spread = std::exp(z * std::sqrt(greenwood) / -std::log(survival));
      step.low = std::pow(survival, spread);
      step.high = std::pow(survival, 1 / spread);
      last_high = step.high;
    } else {
      step.low = 0;
      step.high = last_high;  // the formula has no value at 0
    }
    step.survival = survival;
    curve.steps.push_back(step);
    constexpr double kHalf = 0.5 + 1e-12;  // rounding of a product of fractions
    if (!curve.median && survival <= kHalf) curve.median = step.days;
    if (!curve.median_low && step.low <= kHalf) curve.median_low = step.days;
    if (!curve.median_high && step.high <= kHalf) curve.median_high = step.days;
  }
  return curve;
}

RestrictedMean restricted_mean(const SurvivalCurve& curve, double horizon) {
  RestrictedMean out;
  out.horizon = std::min(std::max(horizon, 0.0), curve.last_day);
  double from = 0, survival = 1;
  for (const SurvivalStep& step : curve.steps) {
    if (step.days >= out.horizon) break;
    out.days += survival * (step.days - from);
    from = step.days;
    survival = step.survival;
  }
  out.days += survival * (out.horizon - from);
  // What each death takes from the mean is the area behind it.
  double area = 0, variance = 0, until = out.horizon;
  for (auto step = curve.steps.rbegin(); step != curve.steps.rend(); ++step) {
    if (step->days >= out.horizon) continue;
    area += step->survival * (until - step->days);
    until = step->days;
    const double n = static_cast<double>(step->at_risk), d = static_cast<double>(step->deaths);
    if (n > d) variance += area * area * d / (n * (n - d));
  }
  out.standard_error = std::sqrt(variance);
  return out;
}

core::Expected<ExponentialFit> fit_exponential(std::span<const ObservedLife> lives, double level) {
  if (auto right = check(lives, level); !right) return std::unexpected(right.error());
  ExponentialFit fit;
  fit.deaths = deaths_of(lives);
  if (fit.deaths == 0) return core::fail("no deaths to fit a half-life to", std::to_string(lives.size()) + " lives");
  using Vector = Eigen::Matrix<double, 1, 1>;
  const Vector start(std::log(static_cast<double>(fit.deaths) / days_observed(lives)));
  const auto best = maximise<1>([&](const Vector& at) { return log_likelihood(lives, at[0]); }, start);
  // Deaths that may all have come at once: the likelihood rises for ever, and less and less.
  constexpr double kLeastInformation = 0.01;  // in deaths
  if (!best.found || best.information(0, 0) < kLeastInformation) {
    return core::fail("no half-life fits", std::to_string(fit.deaths) + " deaths", "look more often than nodes die");
  }
  fit.rate = std::exp(best.at[0]);
  fit.log_rate_error = 1 / std::sqrt(best.information(0, 0));
  fit.log_likelihood = best.value;
  const double factor = std::exp(two_sided(level) * fit.log_rate_error);
  fit.half_life = {ln2 / fit.rate, ln2 / fit.rate / factor, ln2 / fit.rate * factor};
  return fit;
}

core::Expected<WeibullFit> fit_weibull(std::span<const ObservedLife> lives, double level) {
  const auto exponential = fit_exponential(lives, level);
  if (!exponential) return std::unexpected(exponential.error());
  if (exponential->deaths < 2) return core::fail("too few deaths to fit a Weibull distribution to", "1", "2 or more");
  using Vector = Eigen::Vector2d;
  const auto best = maximise<2>([&](const Vector& at) { return log_likelihood(lives, at[0], at[1]); },
                                Vector(0, -std::log(exponential->rate)));
  if (!best.found) return core::fail("no Weibull distribution fits", std::to_string(exponential->deaths) + " deaths");
  const Eigen::Matrix2d covariance = best.information.llt().solve(Eigen::Matrix2d::Identity());
  WeibullFit fit;
  fit.shape = std::exp(best.at[0]);
  fit.scale = std::exp(best.at[1]);
  fit.log_shape_error = std::sqrt(covariance(0, 0));
  fit.log_likelihood = best.value;
  // log(half-life) = log(scale) + log(ln 2) / shape, and shape = exp(at[0]).
  const Vector slope(-std::log(ln2) / fit.shape, 1);
  const double factor = std::exp(two_sided(level) * std::sqrt(slope.dot(covariance * slope)));
  const double half_life = fit.scale * std::pow(ln2, 1 / fit.shape);
  fit.half_life = {half_life, half_life / factor, half_life * factor};
  const double ratio = std::max(0.0, 2 * (best.value - exponential->log_likelihood));
  fit.exponential_p_value = boost::math::cdf(complement(boost::math::chi_squared(1), ratio));
  return fit;
}

core::Expected<LearnedHalfLife> learned_half_life(std::span<const ObservedLife> lives, const HalfLifePrior& prior,
                                                  double level) {
  if (auto right = check(lives, level); !right) return std::unexpected(right.error());
  if (!(prior.days > 0 && std::isfinite(prior.days) && prior.worth_deaths > 0 && std::isfinite(prior.worth_deaths))) {
    return core::fail("prior of a half-life", std::to_string(prior.days) + ", " + std::to_string(prior.worth_deaths),
                      "days and deaths above 0");
  }
  const double exposure = prior.worth_deaths * prior.days / ln2;
  using Vector = Eigen::Matrix<double, 1, 1>;
  // Of the logarithm of the rate: its mode is the mean number of deaths over exposure, its curvature that number.
  const auto posterior = [&](const Vector& at) {
    return prior.worth_deaths * at[0] - exposure * std::exp(at[0]) + log_likelihood(lives, at[0]);
  };
  const double deaths = static_cast<double>(deaths_of(lives));
  const Vector start(std::log((prior.worth_deaths + deaths) / (exposure + days_observed(lives))));
  const auto best = maximise<1>(posterior, start);
  if (!best.found) return core::fail("no half-life fits", std::to_string(lives.size()) + " lives");
  LearnedHalfLife out;
  out.worth_deaths = best.information(0, 0);
  out.prior_share = std::min(1.0, prior.worth_deaths / out.worth_deaths);
  const boost::math::gamma_distribution<double> rate(out.worth_deaths, std::exp(best.at[0]) / out.worth_deaths);
  out.days = {ln2 / quantile(rate, 0.5), ln2 / quantile(rate, (1 + level) / 2), ln2 / quantile(rate, (1 - level) / 2)};
  return out;
}

}  // namespace orbwatch::track
