// By what else a log-in can be told from its user's others: the gateway and group that he comes through, the name of
// his computer, the TLS or SSH fingerprint of his client, whether there was a second factor. Each is a *mark*; a user
// has few of each kind, and keeps them for months. What he has is part of his profile (UserProfile::marks), as hashes;
// what people in general have, and how often they show something new, is kept here.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/archive.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::event {
struct Event;
}

namespace orbwatch::baseline {

struct UserProfile;

enum class Mark : std::uint8_t {
  kGateway,      // event.observer and event.group together
  kComputer,     // event.client_host without dots: a computer's own name, not what the DNS calls its address
  kFingerprint,  // event.fingerprint
  kSecondFactor  // event.mfa, yes or no
};
constexpr std::size_t kMarks = 4;

// The kind in the upper two bits, a hash of the text below: the same in every process. 0: not told.
using MarkKeys = std::array<std::uint32_t, kMarks>;
MarkKeys marks_of(const event::Event& event);
constexpr std::size_t kind_of_mark(std::uint32_t key) { return key >> 30; }

// One mark of a log-in, as its user's profile and everybody's log-ins show it. Weights in log-ins of now.
struct MarkSeen {
  std::uint32_t key = 0;     // 0: not told
  double own = 0;            // the user's log-ins with it
  double all = 0;            // the user's log-ins with any of this kind
  std::uint32_t known = 0;   // how many different ones he has
  double share = 0;          // of everybody's log-ins with any of this kind
  double known_share = 0;    // of those with one that he has
  bool away = false;         // see Marks::seen
  double changed = 0;        // of people's log-ins, away or not: with one that was new to them
  double counted = 0;        // and of these all
  core::Symbol strange_for;  // kComputer, new to him: another user for whom it was new, too, within kRemembered
};
using MarksSeen = std::array<MarkSeen, kMarks>;

// Not thread-safe. Memory: kMost marks, and kMostStrange computers.
class Marks {
 public:
  static constexpr std::size_t kMost = 500'000;
  static constexpr std::size_t kMostStrange = 20'000;
  static constexpr core::Nanoseconds kRemembered = 14 * core::kDay;
  // Of somebody with fewer log-ins that told a kind nothing can be said to be new.
  static constexpr double kLeastKnown = 2;

  // unit: weight of an observation made now. `away`: the log-in comes from a network that is new to the user: people on
  // the road more often have another computer, and are led to another gateway, so that these are counted apart.
  MarksSeen seen(const UserProfile& user, const event::Event& login, double unit, bool away) const;
  // What a log-in says of people, whether or not its user learns it. `discovery`: its network is not on probation.
  void count(const UserProfile& user, const event::Event& login, double unit, bool away, bool discovery);
  // The user is known for them from now on.
  void learn(UserProfile& user, const event::Event& login, double unit);

 private:
  template <typename A>
  friend void persist(A& archive, Marks& marks);

  struct Change {
    float same = 0;
    float fresh = 0;
  };
  struct Strange {
    core::Symbol last, before;  // users, different ones
    core::Nanoseconds time = 0;
  };

  absl::flat_hash_map<std::uint32_t, float> shares_;
  std::array<float, kMarks> totals_{};
  std::array<std::array<Change, kMarks>, 2> changes_{};  // by `away`
  absl::flat_hash_map<std::uint32_t, Strange> strange_;  // computers that were new to somebody
};

}  // namespace orbwatch::baseline
