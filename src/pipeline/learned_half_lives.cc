#include "pipeline/learned_half_lives.h"

#include <algorithm>
#include <cmath>

#include "intel/decay/confidence.h"
#include "track/survival.h"

namespace orbwatch::pipeline {
namespace {

namespace decay = intel::decay;
using core::NetworkType;

template <typename Visit>
void each_type(Visit&& visit) {
  for (int t = 0; t < core::kNetworkTypes; ++t) {
    if (const auto type = static_cast<NetworkType>(t); type != NetworkType::kInternal) visit(type);
  }
}

}  // namespace

std::vector<score::NodeHalfLife> half_lives_of(const track::NodeLives& lives) {
  std::vector<score::NodeHalfLife> out;
  const decay::Parameters usual;
  each_type([&](NetworkType type) {
    const decay::HalfLife prior = decay::prior_half_life(decay::Kind::kAddress, type);
    const auto& observed = lives.by_type[static_cast<std::size_t>(type)];
    score::NodeHalfLife h;
    h.type = type;
    h.prior_days = h.days = prior.days;
    h.worth_deaths = prior.worth_deaths;
    h.prior_source = prior.source;
    h.lives = observed.size();
    h.deaths = static_cast<std::size_t>(
        std::ranges::count_if(observed, [](const track::ObservedLife& l) { return l.dead != track::kAlive; }));
    if (h.deaths >= kFewestDeaths) {
      if (const auto learned = track::learned_half_life(observed, {prior.days, prior.worth_deaths})) {
        const double least = std::max(kLeastDays, prior.days / kMostFactor);
        const double most = std::max(least, prior.days * kMostFactor);
        const auto within = [&](double days) { return std::clamp(days, least, most); };
        const track::Estimate& e = learned->days;
        h.learned_days = score::Bounds{within(e.value), within(e.low), within(e.high)};
        h.cut = h.learned_days->value != e.value;
        h.days = h.learned_days->value;
        h.worth_deaths = learned->worth_deaths;
      }
    }
    decay::Parameters parameters;
    parameters.half_life_days = h.days;
    h.threshold = usual.threshold;
    h.falls_below_days = decay::age_of(decay::History{}.base, usual.threshold, parameters);
    out.push_back(std::move(h));
  });
  return out;
}

std::array<core::Nanoseconds, core::kNetworkTypes> prior_half_lives() {
  std::array<core::Nanoseconds, core::kNetworkTypes> out{};
  for (std::size_t t = 0; t < out.size(); ++t) {
    const double days = decay::prior_half_life(decay::Kind::kAddress, static_cast<NetworkType>(t)).days;
    out[t] = static_cast<core::Nanoseconds>(std::llround(days * 24)) * core::kHour;
  }
  return out;
}

void LearnedHalfLives::learn(const track::NodeLives& lives) {
  learned_.clear();
  for (const score::NodeHalfLife& h : half_lives_of(lives)) {
    if (h.learned_days) learned_.push_back({h.type, h.days, h.worth_deaths});
  }
}

decay::HalfLives LearnedHalfLives::table() const {
  decay::HalfLives out;
  for (const Learned& one : learned_) {
    // Out of range it is refused: a state may be damaged.
    out.set("", decay::Kind::kAddress, one.type,
            {one.days, one.worth_deaths, "nodes of the covert networks that were tracked here"});
  }
  return out;
}

}  // namespace orbwatch::pipeline
