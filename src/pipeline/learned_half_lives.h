// Half-lives of addresses by kind of network, learned from how long the nodes of the covert networks tracked here live
// (track/network_lives.h), for the decay of feeds that state none of their own.
//
// Method. The posterior of track/survival.h: the prior of intel/decay/half_life.h with the deaths that it is worth, and
// the observed lives. It counts from kFewestDeaths deaths of a kind on.
//
// Poisoning. Whoever lets short-lived machines knock in concert makes nodes that die, and would have true indicators
// forgotten; long-lived ones would keep false ones alive. A learned half-life stays therefore within kMostFactor of its
// prior, and never falls below kLeastDays.
//
// What a tracker takes for a node's silence comes from the priors alone, so that nothing learned feeds back into what
// is learned.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/archive.h"
#include "core/network_facts.h"
#include "core/time.h"
#include "intel/decay/half_life.h"
#include "score/half_lives.h"
#include "track/network_lives.h"

namespace orbwatch::pipeline {

constexpr std::size_t kFewestDeaths = 20;  // the standard error of a half-life is then some 20 %
constexpr double kMostFactor = 4;
constexpr double kLeastDays = 1;

// Of every kind of network but the organisation's own, in the order of core::NetworkType.
std::vector<score::NodeHalfLife> half_lives_of(const track::NodeLives& lives);

// The priors, for track::NetworkLimits::half_lives; in whole hours.
std::array<core::Nanoseconds, core::kNetworkTypes> prior_half_lives();

// What is learned once a day of event time and used until the next: part of the judge's state, since the networks have
// gone on since.
class LearnedHalfLives {
 public:
  // Forgets what was learned before.
  void learn(const track::NodeLives& lives);
  // Under the feed "", of addresses.
  intel::decay::HalfLives table() const;

  template <typename Archive>
  void persist(Archive& a) {
    a.sequence(learned_, [&](Learned& one) {
      a.enumeration(one.type, core::NetworkType::kInternal);
      a(one.days, one.worth_deaths);
    });
  }

 private:
  struct Learned {
    core::NetworkType type = core::NetworkType::kUnknown;
    double days = 0;
    double worth_deaths = 0;
  };
  std::vector<Learned> learned_;
};

}  // namespace orbwatch::pipeline
