// Smoothed probabilities with back-off (after Freeman et al., "Who Are You?", NDSS 2016, section IV): a user's counts
// are mixed with the peer group's, these with everybody's, these with a prior, so that few data never make a loud
// alert.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "baseline/view.h"

namespace orbwatch::detect {

// (count + strength * parent) / (total + strength): Dirichlet smoothing towards `parent`.
inline double back_off(double count, double total, double parent, double strength) {
  return (count + strength * parent) / (total + strength);
}

inline double log_ratio(double attack, double ordinary) {
  return std::log(std::max(attack, 1e-9) / std::max(ordinary, 1e-9));
}

template <std::size_t N>
double total(const std::array<float, N>& weights) {
  double sum = 0;
  for (const float w : weights) sum += w;
  return sum;
}

// P(index | user) from decayed weights at three levels; `prior` is P(index) before any data. The group's own log-ins
// are taken out of everybody's: counted at both levels, what was never seen would seem impossible.
template <std::size_t N>
double probability(std::size_t index, const std::array<float, N>* user, const std::array<float, N>* group,
                   const std::array<float, N>& everyone, double prior, double unit, double user_strength = 4,
                   double group_strength = 20, double everyone_strength = 20) {
  double others = everyone[index];
  double all_others = total(everyone);
  if (group != nullptr) {
    others = std::max(0.0, others - static_cast<double>((*group)[index]));
    all_others = std::max(others, all_others - total(*group));
  }
  double p = back_off(others / unit, all_others / unit, prior, everyone_strength);
  if (group != nullptr) p = back_off((*group)[index] / unit, total(*group) / unit, p, group_strength);
  if (user != nullptr) p = back_off((*user)[index] / unit, total(*user) / unit, p, user_strength);
  return p;
}

// P(index) of an ordinary session from a network new to its user. In a new place people do what they always do (their
// sessions from networks that are theirs, `user` and `everyone`), or what people do in new places: half and half.
template <std::size_t N>
double in_new_place(std::size_t index, const std::array<float, N>* user, const std::array<float, N>& everyone,
                    const std::array<float, N>& new_places, double prior, double unit) {
  const double own = probability<N>(index, user, nullptr, everyone, prior, unit);
  const double away = back_off(new_places[index] / unit, total(new_places) / unit, own, 20);
  return 0.5 * own + 0.5 * away;
}

// How often an ordinary log-in from a network as new to its user as this one is strange in a further way
// (baseline::Circumstances): `prior` before any data, with the weight of `strength` log-ins.
inline double among_new(const baseline::View& v, std::array<float, 2> baseline::Circumstances::* strange,
                        std::array<float, 2> baseline::Circumstances::* all, double prior, double strength) {
  const baseline::Circumstances& among = v.everyone->circumstances[static_cast<std::size_t>(v.familiarity)];
  const std::size_t r = v.strange.roams;
  return back_off((among.*strange)[r] / v.unit, (among.*all)[r] / v.unit, prior, strength);
}

}  // namespace orbwatch::detect
