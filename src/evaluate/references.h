// What others use against stolen credentials, for comparison. Each reference sees the very log-ins that the detectors
// see: lines joined, addresses looked up in the same table. Each is given what helps it: learning time, no alert where
// facts are missing, and its alerts are joined as orbwatch's findings are (AlertList).
//
//   ImpossibleTravel     two log-ins of a user, one after the other, further apart than a passenger jet flies. Above
//                        900 km/h as in Panther's `impossible_travel_login` rule, beyond a least distance as in
//                        Datadog's and Airlock's, because databases misplace subscribers by some tens of kilometres.
//   FirstCountry,        a value that the user never had before, once he has been known for some days: the "new terms"
//   FirstSystem          rules of Elastic Security and the "first time seen" rules of Microsoft Sentinel and Splunk.
//   Freeman              D. Freeman, S. Jain, M. Duermuth, B. Biggio, G. Giacinto: "Who Are You? A Statistical Approach
//                        to Measuring User Authenticity", NDSS 2016. Used by large services, and re-examined on 3.3
//                        million users by S. Wiefling et al., ACM TOPS 26(1), 2022.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/symbol.h"
#include "core/time.h"
#include "event/event.h"
#include "score/finding.h"

namespace orbwatch::evaluate {

// What the references look at. Zero means unknown.
struct ReferenceLogin {
  core::Nanoseconds time = 0;
  core::Symbol user;
  core::Ip ip;
  std::uint32_t asn = 0;
  std::uint16_t country = 0;
  bool located = false;
  double latitude = 0, longitude = 0;  // degrees
  std::uint64_t client = 0;            // of the very version
  std::uint64_t client_model = 0;      // of product and operating system, without versions
};
// Nothing for log-ins that no reference could say anything about: without user, or from inside.
std::optional<ReferenceLogin> reference_login(const event::Event& login, const core::NetworkView& networks);

class Reference {
 public:
  virtual ~Reference() = default;
  virtual std::string_view name() const = 0;
  // How suspicious the log-in is, the higher the more; nothing if the reference would never alert on it. Learns it
  // afterwards. In order of time.
  virtual std::optional<double> take(const ReferenceLogin& login) = 0;
};

// The score is the speed in km/h.
class ImpossibleTravel final : public Reference {
 public:
  static constexpr double kLeastSpeed = 900;     // km/h
  static constexpr double kLeastDistance = 100;  // km
  std::string_view name() const override { return "impossible travel"; }
  std::optional<double> take(const ReferenceLogin& login) override;

 private:
  struct Place {
    core::Nanoseconds time = 0;
    double latitude = 0, longitude = 0;
  };
  absl::flat_hash_map<core::Symbol, Place> last_;
};

// The score is 1: such a rule knows no more and no less.
class FirstSeen : public Reference {
 public:
  // A user's first days teach and do not alert. Elastic's rules look back 7 to 14 days.
  static constexpr core::Nanoseconds kLearning = 7 * core::kDay;
  std::optional<double> take(const ReferenceLogin& login) override;

 protected:
  virtual std::uint32_t value(const ReferenceLogin& login) const = 0;

 private:
  absl::flat_hash_map<core::Symbol, core::Nanoseconds> known_since_;
  absl::flat_hash_set<std::pair<core::Symbol, std::uint32_t>> seen_;
};
class FirstCountry final : public FirstSeen {
 public:
  std::string_view name() const override { return "first log-in from a country"; }

 private:
  std::uint32_t value(const ReferenceLogin& login) const override { return login.country; }
};
class FirstSystem final : public FirstSeen {
 public:
  std::string_view name() const override { return "first log-in from an AS"; }

 private:
  std::uint32_t value(const ReferenceLogin& login) const override { return login.asn; }
};

// The score is the natural log of
//
//   product over features of p(x) / p(x | u, legitimate)
//
// the paper's risk with p(attack | x) the same for all x, since no reputation of addresses is at hand, and
// p(u | attack) = p(u | legitimate). (With users that are attacked evenly, the paper's other choice, those who log in
// seldom come first; on seeds for development the method then found less.) Features are the address (levels: address,
// prefix, AS, country) and the client (levels: version, product and system). p(x | u) backs off by linear interpolation
// over the levels h: the share of the user's log-ins with h(x), times p(x | h(x)) among everybody's. Since p(x) =
// p(h(x)) p(x | h(x)), the feature's quotient is
//
//   1 / (w_root + sum over levels of w_h * p(h(x) | u) / p(h(x)))
//
// with w_root what is kept for the unseen. A user's first log-in is not scored: the paper leaves it to other means.
class Freeman final : public Reference {
 public:
  // Weights of the levels, finest first; what is left to 1 is kept for the unseen. The paper leaves them open. These
  // did best on seeds for development among those tried (docs/evaluation.md).
  static constexpr std::array<double, 4> kAddressWeights = {0.4, 0.3, 0.2, 0.09};
  static constexpr std::array<double, 2> kClientWeights = {0.5, 0.49};
  std::string_view name() const override { return "Freeman et al. 2016"; }
  std::optional<double> take(const ReferenceLogin& login) override;

 private:
  // Of each feature from the finest level to the coarsest, as hashes; 0 = unknown, a level without information.
  using Levels = std::array<std::uint64_t, 6>;
  static Levels levels_of(const ReferenceLogin& login);
  double lift(core::Symbol user, double logins_of_user, std::uint64_t value) const;

  absl::flat_hash_map<std::uint64_t, double> everybody_;                          // log-ins by value
  absl::flat_hash_map<std::pair<core::Symbol, std::uint64_t>, double> of_users_;  // by user and value
  absl::flat_hash_map<core::Symbol, double> users_;                               // log-ins
  double logins_ = 0;
};

// One of each.
std::vector<std::unique_ptr<Reference>> make_references();

// Alerts of one reference. Those of one user from one prefix within baseline::kProbation are one, with the highest
// score, as orbwatch's findings about log-ins are.
class AlertList {
 public:
  void add(const ReferenceLogin& login, double score);
  // As findings of kind login whose log_odds is the score. Leaves this empty.
  std::vector<score::Finding> take();

 private:
  struct Alert {
    core::Symbol user;
    core::Nanoseconds time = 0, end = 0;
    double score = 0;
    std::vector<core::Ip> sources;  // at most Finding::kMostListed
  };
  std::vector<Alert> alerts_;
  absl::flat_hash_map<std::pair<core::Symbol, core::Ip>, std::size_t> open_;  // by user and prefix: its newest
};

}  // namespace orbwatch::evaluate
