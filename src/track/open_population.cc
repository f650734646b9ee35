#include "track/open_population.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/random/binomial_distribution.hpp>
#include <boost/random/chi_squared_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "track/maximise.h"

namespace orbwatch::track {
namespace {

using Vector = Eigen::Vector4d;
using Matrix = Eigen::Matrix4d;
using Random = boost::random::mt19937_64;
using std::numbers::ln2;

constexpr double kCatchability = -2.197;  // logit(0.1)
constexpr double kCatchabilitySpread = 1.5;
constexpr double kBalanceSpread = 1;

// Parameters: log(start), log(rate), logit(p), log(births / (rate * start)).
struct Rates {
  double start, rate, p, births;
};
Rates rates_of(const Vector& at) {
  const double start = std::exp(at[0]), rate = std::exp(at[1]);
  return {start, rate, 1 / (1 + std::exp(-at[2])), std::exp(at[3]) * rate * start};
}

class Model {
 public:
  Model(const Captures& captures, const OpenPrior& prior)
      : windows_(captures.windows()), log_rate_(std::log(ln2 / prior.half_life_days)), prior_(prior) {
    never_again_.resize(windows_.size());
    survive_.resize(windows_.size());
    born_.resize(windows_.size());
  }

  // Of what is unknown given what was seen, but for a constant.
  double log_posterior(const Vector& at) const {
    if (!(at.cwiseAbs().maxCoeff() < 50)) return -std::numeric_limits<double>::infinity();
    const Rates r = rates_of(at);
    prepare(r);
    const double log_p = std::log(r.p), log_miss = std::log1p(-r.p);
    double sum = 0;
    double unseen = r.start;  // expected number alive and never seen before this window
    double known = 0;         // seen before and later than this window's begin
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      const Captures::Window& at_w = windows_[w];
      const double first = static_cast<double>(at_w.first), last = static_cast<double>(at_w.last);
      // Poisson of the new faces.
      const double expected = r.p * unseen;
      sum += first * std::log(expected) - expected;
      // Cormack's likelihood of what came after.
      sum += static_cast<double>(at_w.again()) * log_p + static_cast<double>(at_w.between) * log_miss;
      sum += last * std::log(never_again_[w]);
      known += first - last;
      if (w + 1 == windows_.size()) break;
      sum += known * std::log(survive_[w]);
      unseen = unseen * (1 - r.p) * survive_[w] + born_[w];
    }
    const auto square = [](double x) { return x * x; };
    sum -= 0.5 * square((at[1] - log_rate_) / prior_.half_life_spread);
    sum -= 0.5 * square((at[2] - kCatchability) / kCatchabilitySpread);
    sum -= 0.5 * square(at[3] / kBalanceSpread);
    return sum;
  }

  // How many there are, drawn given the rates: {in the last window, in any}.
  std::pair<double, double> complete(const Rates& r, Random& random) const {
    prepare(r);
    double alive = 0, ever = 0, unseen = r.start, never = r.start * (1 - r.p) * never_again_.front();
    double missed = 1;  // survived and missed from this window's end to the last window
    std::vector<double> stays(windows_.size(), 1);
    for (std::size_t w = windows_.size() - 1; w-- > 0;) stays[w] = missed *= survive_[w] * (1 - r.p);
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      ever += static_cast<double>(windows_[w].first);
      alive += draw_binomial(windows_[w].last, stays[w] / never_again_[w], random);
      if (w + 1 == windows_.size()) break;
      unseen = unseen * (1 - r.p) * survive_[w] + born_[w];
      never += born_[w] * (1 - r.p) * never_again_[w + 1];
    }
    const double hidden = unseen * (1 - r.p);  // alive in the last window and never seen
    const double still = draw_poisson(hidden, random);
    return {alive + still, ever + still + draw_poisson(std::max(0.0, never - hidden), random)};
  }

  // P-value of the new faces beside those that the rates expect; windows are joined until 5 are expected.
  double births_fit(const Rates& r) const {
    prepare(r);
    double statistic = 0, groups = 0, expected = 0, seen = 0, unseen = r.start;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      expected += r.p * unseen;
      seen += static_cast<double>(windows_[w].first);
      if (expected >= 5) {
        statistic += (seen - expected) * (seen - expected) / expected;
        ++groups;
        expected = seen = 0;
      }
      unseen = unseen * (1 - r.p) * survive_[w] + born_[w];
    }
    if (groups < 4) return 1;  // two rates are fitted
    return boost::math::cdf(complement(boost::math::chi_squared(groups - 2), statistic));
  }

 private:
  static double draw_poisson(double mean, Random& random) {
    if (!(mean > 1e-12)) return 0;
    if (mean > 1e9) return mean;
    return static_cast<double>(boost::random::poisson_distribution<std::int64_t>(mean)(random));
  }
  static double draw_binomial(std::uint64_t n, double p, Random& random) {
    if (n == 0) return 0;
    const double share = std::clamp(p, 0.0, 1.0);
    return static_cast<double>(
        boost::random::binomial_distribution<std::int64_t>(static_cast<std::int64_t>(n), share)(random));
  }

  // For each window: the share that lives to the next, those born until then that do, and the probability that a node
  // alive in it is not seen later.
  void prepare(const Rates& r) const {
    const std::size_t last = windows_.size() - 1;
    never_again_[last] = 1;
    survive_[last] = born_[last] = 0;
    for (std::size_t w = last; w-- > 0;) {
      const double dead = -std::expm1(-r.rate * (windows_[w + 1].day - windows_[w].day));
      survive_[w] = 1 - dead;
      born_[w] = r.births * dead / r.rate;
      never_again_[w] = dead + survive_[w] * (1 - r.p) * never_again_[w + 1];
    }
  }

  std::span<const Captures::Window> windows_;
  double log_rate_;
  OpenPrior prior_;
  mutable std::vector<double> never_again_, survive_, born_;  // of the rates at hand
};

struct Draws {
  std::vector<Vector> at;
  std::vector<double> weight;  // sum 1
  double effective = 0;
};

constexpr double kDegrees = 5;  // of the t-distribution that is drawn from: tails heavier than the posterior's

Draws draw(const Model& model, const Vector& centre, const Matrix& covariance, std::size_t count, Random& random) {
  Draws out;
  const Eigen::LLT<Matrix> root(covariance);
  if (root.info() != Eigen::Success) return out;
  const Matrix factor = root.matrixL();
  boost::random::normal_distribution<double> normal;
  boost::random::chi_squared_distribution<double> chi(kDegrees);
  std::vector<double> logs;
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < count; ++i) {
    Vector z;
    for (int k = 0; k < 4; ++k) z[k] = normal(random);
    z /= std::sqrt(chi(random) / kDegrees);
    out.at.push_back(centre + factor * z);
    // Density of the t-distribution, but for a constant.
    logs.push_back(model.log_posterior(out.at.back()) + (kDegrees + 4) / 2 * std::log1p(z.squaredNorm() / kDegrees));
    most = std::max(most, logs.back());
  }
  double sum = 0, squares = 0;
  for (const double log : logs) {
    out.weight.push_back(std::isfinite(log) ? std::exp(log - most) : 0);
    sum += out.weight.back();
  }
  if (!(sum > 0)) return {};
  for (double& w : out.weight) {
    w /= sum;
    squares += w * w;
  }
  out.effective = 1 / squares;
  return out;
}

Estimate summary(const std::vector<double>& values, const std::vector<double>& weights, double level) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(
      order, [&](std::size_t a, std::size_t b) { return values[a] < values[b] || (values[a] == values[b] && a < b); });
  const auto quantile = [&](double share) {
    double sum = 0;
    for (const std::size_t i : order) {
      sum += weights[i];
      if (sum >= share) return values[i];
    }
    return values[order.back()];
  };
  return {quantile(0.5), quantile((1 - level) / 2), quantile((1 + level) / 2)};
}

}  // namespace

core::Expected<void> check(const OpenPrior& prior) {
  if (prior.half_life_days > 0 && std::isfinite(prior.half_life_days) && prior.half_life_spread > 0 &&
      std::isfinite(prior.half_life_spread)) {
    return {};
  }
  return core::fail("prior of a half-life",
                    std::to_string(prior.half_life_days) + ", " + std::to_string(prior.half_life_spread), "above 0");
}

core::Expected<OpenPopulation> open_population(const Captures& captures, const OpenPrior& prior, double level,
                                               std::uint64_t seed) {
  if (captures.windows().size() < 3) {
    return core::fail("too few windows for births and deaths", std::to_string(captures.windows().size()), "3 or more");
  }
  if (captures.nodes() == 0) return core::fail("no node was seen");
  if (!(level > 0 && level < 1)) return core::fail("level of an interval", std::to_string(level), "between 0 and 1");
  if (auto right = check(prior); !right) return std::unexpected(right.error());
  const Model model(captures, prior);
  const double seen = static_cast<double>(captures.sightings()) / static_cast<double>(captures.windows().size());
  const Vector start(std::log(std::max(seen / 0.1, 1.0)), std::log(ln2 / prior.half_life_days), kCatchability, 0);
  const auto mode = maximise<4>([&](const Vector& at) { return model.log_posterior(at); }, start);
  if (!mode.found) return core::fail("no size fits the sightings", std::to_string(captures.nodes()) + " nodes");

  Random random(seed);
  Vector centre = mode.at;
  Matrix covariance = mode.information.llt().solve(Matrix::Identity()) * 1.3;
  Draws draws;
  for (const std::size_t count : {std::size_t{1500}, std::size_t{2500}, std::size_t{5000}}) {
    draws = draw(model, centre, covariance, count, random);
    if (draws.at.empty()) return core::fail("no size fits the sightings", std::to_string(captures.nodes()) + " nodes");
    if (draws.effective < 20) continue;  // too few to adapt to
    centre.setZero();
    for (std::size_t i = 0; i < draws.at.size(); ++i) centre += draws.weight[i] * draws.at[i];
    Matrix spread = Matrix::Identity() * 1e-9;
    for (std::size_t i = 0; i < draws.at.size(); ++i) {
      const Vector away = draws.at[i] - centre;
      spread += draws.weight[i] * away * away.transpose();
    }
    covariance = spread;
  }
  OpenPopulation out;
  out.draws = draws.effective;
  std::vector<double> now, ever, births, deaths, half_life, catchability;
  for (const Vector& at : draws.at) {
    const Rates r = rates_of(at);
    const auto [alive, all] = model.complete(r, random);
    now.push_back(alive);
    ever.push_back(all);
    births.push_back(r.births);
    deaths.push_back(alive * r.rate);
    half_life.push_back(ln2 / r.rate);
    catchability.push_back(r.p);
  }
  out.now = summary(now, draws.weight, level);
  out.ever = summary(ever, draws.weight, level);
  out.births = summary(births, draws.weight, level);
  out.deaths = summary(deaths, draws.weight, level);
  out.half_life = summary(half_life, draws.weight, level);
  out.catchability = summary(catchability, draws.weight, level);
  out.births_fit = model.births_fit(rates_of(mode.at));
  return out;
}

}  // namespace orbwatch::track
