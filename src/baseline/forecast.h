// How likely it is that an ordinary log-in comes from a network new to its user: the forecast that is made before the
// log-in is seen, and checked against it afterwards.
//
// Rates of seldom things are smoothed from the general to the particular: prior, everybody, peer group, user. What
// stands one step above is taken for a gamma distribution of rates around it (the negative binomial model of accident
// proneness: Greenwood and Yule, Journal of the Royal Statistical Society 83, 1920): so a level speaks for itself once
// it should have seen some of the events, not once it has seen some log-ins. Somebody who did not do in 16 log-ins what
// people do in one of a hundred is hardly different from them.
//
// No smoothing is right for every organisation. Calibration compares all forecasts with what followed and corrects
// those to come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "baseline/profile.h"

namespace orbwatch::baseline {

// Mean of the posterior of a rate: `events` in `exposure` trials, around `parent` by a gamma distribution of this
// shape.
inline double smoothed_rate(double events, double exposure, double parent, double shape) {
  return (events + shape) / (exposure + shape / (parent > 1e-6 ? parent : 1e-6));
}

// Forecasts of one kind of event, by their size, and how often it came, with a half-life of kHalfLife. Not thread-safe.
class Calibration {
 public:
  static constexpr Nanoseconds kHalfLife = 14 * core::kDay;  // it has to follow what profiles learn more slowly

  // `forecast` in 0..1, made at `time`.
  void add(double forecast, bool happened, Nanoseconds time);
  // What a forecast of this size was worth so far; 0..1, never 0.
  double corrected(double forecast) const;
  template <typename Archive>
  void persist(Archive& a) {
    a(forecast_, happened_);
    a.moment(time_);
  }

 private:
  static constexpr std::size_t kBins = 14;  // each twice the one before; the first: 2^-14 to 2^-13

  std::array<float, kBins> forecast_{};
  std::array<float, kBins> happened_{};
  Nanoseconds time_ = 0;  // as of when they are weighed
};

// How many accounts there are that never logged in, and how often one of them begins. Not thread-safe.
class Accounts {
 public:
  static constexpr Nanoseconds kHalfLife = core::kDay;  // of a wave of new starters

  // A log-in, the first of its account or not, whether or not it is learned.
  void see(bool first, Nanoseconds time);
  // A log-in was learned of an account that has had so many before.
  void learn(std::uint32_t before);
  // The chance that the next log-in is the first of its account: once-seen accounts among all log-ins (I. J. Good, The
  // population frequencies of species and the estimation of population parameters, Biometrika 40, 1953). It needs no
  // half-life: as the organisation becomes known it falls by itself, and new starters keep it up. Where more begin
  // within a day than that, it follows them: a department joins, contractors come. 0..1, never 0.
  double first_login() const;
  // The share of all accounts that was not seen yet (A. Chao, Nonparametric estimation of the number of classes in a
  // population, Scandinavian Journal of Statistics 11, 1984; with correction of bias): a lower bound. 0..1, never 0.
  double unseen() const;

  template <typename Archive>
  void persist(Archive& a) {
    a(logins_, accounts_, once_, twice_, lately_, first_lately_);
    a.moment(time_);
  }

 private:
  std::uint64_t logins_ = 0;
  std::uint32_t accounts_ = 0;
  std::uint32_t once_ = 0;
  std::uint32_t twice_ = 0;
  float lately_ = 0;  // log-ins with a half-life of kHalfLife, and first ones of them, as of time_
  float first_lately_ = 0;
  Nanoseconds time_ = 0;
};

// Chances of a log-in of the user by Familiarity, before Calibration. Of the levels within a known provider only
// how they share is meant: kSameSystemNear among the two kSameSystem*.
struct NoveltyChances {
  double new_near = 0;     // kNewSystemNear
  double new_far = 0;      // kNewSystemFar
  double new_country = 0;  // kNewCountry
  double near = 0.7;       // of the log-ins from a new prefix of a known provider: kSameSystemNear
};
// The chance of each Familiarity: those of known providers share what the new ones leave. moved: of a log-in through a
// known provider, that it comes from a new prefix.
std::array<double, kFamiliarities> chances(const NoveltyChances& novelty, double moved);
// `group` may be null. unit: weight of one observation made now.
NoveltyChances novelty_chances(const UserProfile& user, const GroupProfile* group, const GroupProfile& everyone,
                               double unit);

}  // namespace orbwatch::baseline
