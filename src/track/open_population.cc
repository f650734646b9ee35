#include "track/open_population.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/random/binomial_distribution.hpp>
#include <boost/random/chi_squared_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "track/maximise.h"

namespace orbwatch::track {
namespace {

template <int N>
using Vector = Eigen::Matrix<double, N, 1>;
template <int N>
using Matrix = Eigen::Matrix<double, N, N>;
using Random = boost::random::mt19937_64;
using std::numbers::ln2;

constexpr double kCatchability = -2.197;  // logit(0.1)
constexpr double kCatchabilitySpread = 1.5;
constexpr double kBalanceSpread = 1;

constexpr double kDifferences = 0.7;
constexpr double kDifferencesSpread = 0.7;

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double square(double x) { return x * x; }

double draw_poisson(double mean, Random& random) {
  if (!(mean > 1e-12)) return 0;
  if (mean > 1e9) return mean;
  return static_cast<double>(boost::random::poisson_distribution<std::int64_t>(mean)(random));
}
double draw_binomial(std::uint64_t n, double p, Random& random) {
  if (n == 0) return 0;
  const auto count = static_cast<std::int64_t>(n);
  return static_cast<double>(
      boost::random::binomial_distribution<std::int64_t>(count, std::clamp(p, 0.0, 1.0))(random));
}

struct Rates {
  double start, rate, births, p, differences;
};

struct Numbers {
  double now = 0, ever = 0;
};

// What both models share. The first four parameters: log(start), log(rate), logit(p), log(births / (rate * start)).
class Lives {
 public:
  Lives(const Captures& captures, const OpenPrior& prior)
      : windows_(captures.windows()),
        survive_(windows_.size()),
        born_(windows_.size()),
        log_rate_(std::log(ln2 / prior.half_life_days)),
        prior_(prior) {}

 protected:
  // Those of one p: a share of all nodes.
  struct Group {
    double p = 0;
    std::vector<double> unseen;       // expected number alive in the window and not seen before it
    std::vector<double> never_again;  // probability that a node alive in the window is not seen later
    std::vector<double> stays;        // that it lives on to the last window and is not seen later
  };

  static Rates rates_of(const double* at) {
    const double start = std::exp(at[0]), rate = std::exp(at[1]);
    return {start, rate, std::exp(at[3]) * rate * start, logistic(at[2]), 0};
  }

  // For each window the share that lives to the next, and those born until then that do.
  void prepare(const Rates& r) const {
    for (std::size_t w = 0; w + 1 < windows_.size(); ++w) {
      const double dead = -std::expm1(-r.rate * (windows_[w + 1].day - windows_[w].day));
      survive_[w] = 1 - dead;
      born_[w] = r.births * dead / r.rate;
    }
  }
  void prepare(Group& group, double share, const Rates& r) const {
    const std::size_t count = windows_.size();
    for (std::vector<double>* each : {&group.unseen, &group.never_again, &group.stays}) each->resize(count);
    group.never_again.back() = group.stays.back() = 1;
    for (std::size_t w = count - 1; w-- > 0;) {
      const double lives = survive_[w] * (1 - group.p);
      group.never_again[w] = 1 - survive_[w] + lives * group.never_again[w + 1];
      group.stays[w] = lives * group.stays[w + 1];
    }
    group.unseen[0] = share * r.start;
    for (std::size_t w = 0; w + 1 < count; ++w) {
      group.unseen[w + 1] = group.unseen[w] * (1 - group.p) * survive_[w] + share * born_[w];
    }
  }
  // Expected numbers of nodes that were never seen: alive in the last window, and in any.
  Numbers never_seen(const Group& group, double share, const Rates& r) const {
    Numbers out;
    out.now = group.unseen.back() * (1 - group.p);
    out.ever = share * r.start * (1 - group.p) * group.never_again.front();
    for (std::size_t w = 0; w + 1 < windows_.size(); ++w) {
      out.ever += share * born_[w] * (1 - group.p) * group.never_again[w + 1];
    }
    return out;
  }
  // Completes the nodes seen, `alive` of them in the last window, by those that were not.
  Numbers complete(double alive, const Numbers& never, Random& random) const {
    const double hidden = draw_poisson(never.now, random);
    double seen = 0;
    for (const Captures::Window& w : windows_) seen += static_cast<double>(w.first);
    return {alive + hidden, seen + hidden + draw_poisson(std::max(0.0, never.ever - never.now), random)};
  }
  double log_prior(const double* at) const {
    return -0.5 * (square((at[1] - log_rate_) / prior_.half_life_spread) +
                   square((at[2] - kCatchability) / kCatchabilitySpread) + square(at[3] / kBalanceSpread));
  }
  // P-value of the new faces beside those expected; windows are joined until 5 are expected.
  double births_fit(std::span<const double> expected_by_window) const {
    double statistic = 0, groups = 0, expected = 0, seen = 0;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      expected += expected_by_window[w];
      seen += static_cast<double>(windows_[w].first);
      if (expected < 5) continue;
      statistic += square(seen - expected) / expected;
      ++groups;
      expected = seen = 0;
    }
    if (groups < 4) return 1;  // two rates are fitted
    return boost::math::cdf(complement(boost::math::chi_squared(groups - 2), statistic));
  }

  std::span<const Captures::Window> windows_;
  mutable std::vector<double> survive_, born_;  // of the rates at hand

 private:
  double log_rate_;
  OpenPrior prior_;
};

// One p for all nodes: sums by window are all that the likelihood needs.
class AlikeModel : private Lives {
 public:
  static constexpr int kParameters = 4;
  AlikeModel(const Captures& captures, const OpenPrior& prior) : Lives(captures, prior) {}

  static Vector<4> start(const Vector<4>& at) { return at; }
  static Rates rates(const Vector<4>& at) { return rates_of(at.data()); }

  // Of what is unknown given what was seen, but for a constant.
  double log_posterior(const Vector<4>& at) const {
    if (!(at.cwiseAbs().maxCoeff() < 50)) return -std::numeric_limits<double>::infinity();
    set(rates(at));
    const double log_p = std::log(all_.p), log_miss = std::log1p(-all_.p);
    double sum = log_prior(at.data());
    double known = 0;  // seen in this window or before, and later
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      const Captures::Window& window = windows_[w];
      const double first = static_cast<double>(window.first), last = static_cast<double>(window.last);
      // Poisson of the new faces.
      const double expected = all_.p * all_.unseen[w];
      sum += first * std::log(expected) - expected;
      // Cormack's likelihood of what came after.
      sum += static_cast<double>(window.again()) * log_p + static_cast<double>(window.between) * log_miss;
      sum += last * std::log(all_.never_again[w]);
      known += first - last;
      if (w + 1 < windows_.size()) sum += known * std::log(survive_[w]);
    }
    return sum;
  }

  Numbers draw(const Vector<4>& at, Random& random) const {
    const Rates r = rates(at);
    set(r);
    double alive = 0;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      alive += draw_binomial(windows_[w].last, all_.stays[w] / all_.never_again[w], random);
    }
    return complete(alive, never_seen(all_, 1, r), random);
  }

  double births_fit(const Vector<4>& at) const {
    set(rates(at));
    std::vector<double> expected;
    expected.reserve(windows_.size());
    for (const double unseen : all_.unseen) expected.push_back(unseen * all_.p);
    return Lives::births_fit(expected);
  }

 private:
  void set(const Rates& r) const {
    prepare(r);
    all_.p = r.p;
    prepare(all_, 1, r);
  }
  mutable Group all_;
};

// logit(p) normal over nodes, in groups of equal size: the number of nodes of each history is Poisson, its mean the sum
// over groups. The fifth parameter is log(standard deviation).
class UnlikeModel : private Lives {
 public:
  static constexpr int kParameters = 5;
  UnlikeModel(const Captures& captures, const OpenPrior& prior)
      : Lives(captures, prior),
        histories_(captures.histories()),
        groups_(kGroups),
        logs_(kGroups),
        log_terms_(kGroups) {
    double squares = 0;
    for (int g = 0; g < kGroups; ++g) {
      place_.push_back(boost::math::quantile(boost::math::normal(), (g + 0.5) / kGroups));
      squares += square(place_.back()) / kGroups;
    }
    for (double& place : place_) place /= std::sqrt(squares);  // a standard deviation of 1 again
  }

  static Vector<5> start(const Vector<4>& at) {
    Vector<5> out;
    out << at, std::log(kDifferences);
    return out;
  }
  Rates rates(const Vector<5>& at) const {
    Rates r = rates_of(at.data());
    r.differences = std::exp(at[4]);
    r.p = 0;
    for (const double place : place_) r.p += kShare * logistic(at[2] + r.differences * place);
    return r;
  }

  double log_posterior(const Vector<5>& at) const {
    if (!(at.cwiseAbs().maxCoeff() < 50)) return -std::numeric_limits<double>::infinity();
    const Rates r = rates(at);
    set(at, r);
    double sum = log_prior(at.data()) - 0.5 * square((at[4] - std::log(kDifferences)) / kDifferencesSpread);
    for (const Group& group : groups_) {
      for (const double unseen : group.unseen) sum -= group.p * unseen;
    }
    for (const Captures::History& h : histories_) {
      const double most = terms(h);
      double total = 0;
      for (const double term : log_terms_) total += std::exp(term - most);
      sum += static_cast<double>(h.nodes) *
             (most + std::log(total) - r.rate * (windows_[h.last].day - windows_[h.first].day));
    }
    return sum;
  }

  Numbers draw(const Vector<5>& at, Random& random) const {
    const Rates r = rates(at);
    set(at, r);
    double alive = 0;
    for (const Captures::History& h : histories_) {
      const double most = terms(h);
      double total = 0, stays = 0;
      for (std::size_t g = 0; g < kGroups; ++g) {
        const double term = std::exp(log_terms_[g] - most);
        total += term;
        stays += term * groups_[g].stays[h.last] / groups_[g].never_again[h.last];
      }
      alive += draw_binomial(h.nodes, stays / total, random);
    }
    Numbers never;
    for (const Group& group : groups_) {
      const Numbers part = never_seen(group, kShare, r);
      never.now += part.now;
      never.ever += part.ever;
    }
    return complete(alive, never, random);
  }

  double births_fit(const Vector<5>& at) const {
    set(at, rates(at));
    std::vector<double> expected(windows_.size());
    for (const Group& group : groups_) {
      for (std::size_t w = 0; w < expected.size(); ++w) expected[w] += group.p * group.unseen[w];
    }
    return Lives::births_fit(expected);
  }

 private:
  static constexpr double kShare = 1.0 / kGroups;

  void set(const Vector<5>& at, const Rates& r) const {
    prepare(r);
    for (std::size_t g = 0; g < kGroups; ++g) {
      groups_[g].p = logistic(at[2] + r.differences * place_[g]);
      prepare(groups_[g], kShare, r);
      const Group& group = groups_[g];
      Logs& logs = logs_[g];
      logs.seen = std::log(group.p);
      logs.missed = std::log1p(-group.p);
      logs.unseen.resize(windows_.size());
      logs.never_again.resize(windows_.size());
      for (std::size_t w = 0; w < windows_.size(); ++w) {
        logs.unseen[w] = std::log(group.unseen[w]);
        logs.never_again[w] = std::log(group.never_again[w]);
      }
    }
  }
  // Logarithms of the expected number of such nodes by group, but for the survival between first and last; the largest.
  double terms(const Captures::History& h) const {
    const double seen = h.sightings, missed = static_cast<double>(h.last - h.first + 1) - seen;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t g = 0; g < kGroups; ++g) {
      const Logs& logs = logs_[g];
      log_terms_[g] = logs.unseen[h.first] + logs.never_again[h.last] + seen * logs.seen + missed * logs.missed;
      most = std::max(most, log_terms_[g]);
    }
    return most;
  }

  std::vector<Captures::History> histories_;
  std::vector<double> place_;
  // Of a group's figures: taken once, used for every history.
  struct Logs {
    double seen = 0, missed = 0;
    std::vector<double> unseen, never_again;
  };
  mutable std::vector<Group> groups_;
  mutable std::vector<Logs> logs_;
  mutable std::vector<double> log_terms_;
};

template <int N>
struct Draws {
  std::vector<Vector<N>> at;
  std::vector<double> weight;  // sum 1
  double effective = 0;
};

constexpr double kDegrees = 5;  // of the t-distribution that is drawn from: tails heavier than the posterior's

template <typename Model, int N = Model::kParameters>
Draws<N> draw(const Model& model, const Vector<N>& centre, const Matrix<N>& covariance, std::size_t count,
              Random& random) {
  Draws<N> out;
  const Eigen::LLT<Matrix<N>> root(covariance);
  if (root.info() != Eigen::Success) return out;
  const Matrix<N> factor = root.matrixL();
  boost::random::normal_distribution<double> normal;
  boost::random::chi_squared_distribution<double> chi(kDegrees);
  std::vector<double> logs;
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < count; ++i) {
    Vector<N> z;
    for (int k = 0; k < N; ++k) z[k] = normal(random);
    z /= std::sqrt(chi(random) / kDegrees);
    out.at.push_back(centre + factor * z);
    // Density of the t-distribution, but for a constant.
    logs.push_back(model.log_posterior(out.at.back()) + (kDegrees + N) / 2 * std::log1p(z.squaredNorm() / kDegrees));
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

template <typename Model, int N = Model::kParameters>
core::Expected<OpenPopulation> sample(const Captures& captures, const OpenPrior& prior, double level,
                                      std::uint64_t seed) {
  const auto none = [&] {
    return core::fail("no size fits the sightings", std::to_string(captures.nodes()) + " nodes");
  };
  const Model model(captures, prior);
  const double seen = static_cast<double>(captures.sightings()) / static_cast<double>(captures.windows().size());
  const Vector<4> start(std::log(std::max(seen / 0.1, 1.0)), std::log(ln2 / prior.half_life_days), kCatchability, 0);
  const auto mode = maximise<N>([&](const Vector<N>& at) { return model.log_posterior(at); }, Model::start(start));
  if (!mode.found) return none();

  Random random(seed);
  Vector<N> centre = mode.at;
  Matrix<N> covariance = mode.information.llt().solve(Matrix<N>::Identity()) * 1.3;
  Draws<N> draws;
  for (const std::size_t count : {std::size_t{1500}, std::size_t{2500}, std::size_t{5000}}) {
    draws = draw(model, centre, covariance, count, random);
    if (draws.at.empty()) return none();
    if (draws.effective < 20) continue;  // too few to adapt to
    centre.setZero();
    for (std::size_t i = 0; i < draws.at.size(); ++i) centre += draws.weight[i] * draws.at[i];
    covariance = Matrix<N>::Identity() * 1e-9;
    for (std::size_t i = 0; i < draws.at.size(); ++i) {
      const Vector<N> away = draws.at[i] - centre;
      covariance += draws.weight[i] * away * away.transpose();
    }
  }
  std::vector<double> now, ever, births, deaths, half_life, catchability, differences;
  for (const Vector<N>& at : draws.at) {
    const Rates r = model.rates(at);
    const Numbers drawn = model.draw(at, random);
    now.push_back(drawn.now);
    ever.push_back(drawn.ever);
    births.push_back(r.births);
    deaths.push_back(drawn.now * r.rate);
    half_life.push_back(ln2 / r.rate);
    catchability.push_back(r.p);
    differences.push_back(r.differences);
  }
  OpenPopulation out;
  out.draws = draws.effective;
  out.now = summary(now, draws.weight, level);
  out.ever = summary(ever, draws.weight, level);
  out.births = summary(births, draws.weight, level);
  out.deaths = summary(deaths, draws.weight, level);
  out.half_life = summary(half_life, draws.weight, level);
  out.catchability = summary(catchability, draws.weight, level);
  out.differences = summary(differences, draws.weight, level);
  out.births_fit = model.births_fit(mode.at);
  return out;
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
  if (captures.nodes_alike() < kAlike) {
    auto unlike = sample<UnlikeModel>(captures, prior, level, seed);
    if (unlike && unlike->differences.value <= kMostDifferences && unlike->draws >= kEnoughDraws) return unlike;
  }
  return sample<AlikeModel>(captures, prior, level, seed);
}

}  // namespace orbwatch::track
