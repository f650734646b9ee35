// What people reach through the tunnels of their remote-access sessions: hosts and services inside, out of the
// connections and flows whose source is an address that a gateway has assigned.
//
// Who holds an assigned address follows from the lines of the session, as soon as one names user, source and assigned
// address; the tunnel ends with the session. A destination counts once a session, whatever the number of connections.
// Whether it is new to the user is asked when it is reached, and a session teaches only when it has ended, and only if
// its network is the user's own.
//
// Bounded: kMostTunnels open tunnels of kMostDestinations each, a profile of fixed size for each user whose tunnels are
// seen, kMostPopular destinations of the organisation. Beyond that what is oldest goes, or what comes is not noted.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "baseline/profile.h"
#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"
#include "event/event.h"

namespace orbwatch::baseline {

// A service of a host. Ports that servers hand out by chance (from kDynamicPort on) are one service.
struct Destination {
  Ip ip;
  std::uint16_t port = 0;  // 0: a protocol without ports
  friend bool operator==(const Destination&, const Destination&) = default;
};
constexpr std::uint16_t kDynamicPort = 32768;
std::uint32_t destination_key(const Destination& destination);  // a hash, never 0

// Of a session: destinations that were new to its user, of these such as hardly anybody uses, and the share that it
// reached of what nearly all of his sessions reach.
constexpr std::size_t kFreshBins = 7;  // none, 1, 2, 3-4, 5-8, 9-16, more
constexpr std::size_t kRareBins = 6;   // none, 1, 2, 3-4, 5-8, more
constexpr std::size_t kUsualBins = 5;  // none, up to a third, up to two thirds, less than all, all

// How many sessions of a user are known: what is new to him is the rarer the more they are.
enum class Acquaintance : std::uint8_t { kNone, kFew, kWell };
constexpr std::size_t kAcquaintances = 3;

struct Reached {
  std::uint16_t destinations = 0;  // at most Tunnels::kMostDestinations
  std::uint16_t fresh = 0;
  std::uint16_t rare = 0;
  std::uint16_t usual = 0;       // destinations that nearly all sessions of the user reach; 0 also if too few to say
  std::uint16_t usual_seen = 0;  // of them
  // Sessions of the user that it was compared with. With none all destinations are new, and only those say something
  // that are rare.
  Acquaintance acquaintance = Acquaintance::kNone;
  bool ended = false;                     // else it may reach more
  std::array<Destination, 3> examples{};  // of the fresh, the rare ones first; unused: no address

  std::size_t fresh_bin() const;
  std::size_t rare_bin() const;
  std::size_t usual_bin() const;
};

struct ReachShapes {
  std::array<float, kFreshBins> fresh{};
  std::array<float, kRareBins> rare{};  // of sessions that reached anything new
  std::array<float, kUsualBins> usual{};
  void add(const Reached& reached, float weight);
};

// What is normal for one user; weights decay as in profile.h.
struct DestinationProfile {
  float sessions = 0;
  TopWeights<std::uint32_t, 48> destinations;  // destination_key: weight of the sessions that reached it
  ReachShapes shapes;                          // of the sessions since he is known well
};

struct Tunnel {
  Symbol user;
  Symbol gateway;
  Ip source;  // from where it was opened
  Nanoseconds opened = 0;
  Nanoseconds last = 0;  // of its newest line or connection
  std::uint16_t fresh = 0;
  std::uint16_t rare = 0;
  std::vector<Destination> destinations;
  std::array<Destination, 3> examples{};  // as Reached::examples
};

class Tunnels {
 public:
  static constexpr std::size_t kMostTunnels = 200'000;
  static constexpr std::size_t kMostDestinations = 64;
  static constexpr std::size_t kMostPopular = 500'000;
  // Without an end a tunnel that is silent for so long is over.
  static constexpr Nanoseconds kLongestSilence = 24 * core::kHour;
  // So many sessions make a user known well.
  static constexpr double kKnownWell = 5;

  // A line of a session that says who holds an assigned address, and comes from where.
  void open(const event::Event& line);
  // A connection or flow to the inside. The tunnel that it came out of, if that is telling() and its new destinations
  // have come into a further bin by this one. Valid until the next change.
  const Tunnel* note(const event::Event& connection, double unit);
  // The tunnel that goes on with this log-in, of which no line says that anybody had to prove who he is: a session of
  // the same user and gateway that was opened from elsewhere and has not ended. Null: it is a log-in of its own.
  const Tunnel* resumed(const event::Event& login) const;
  // The tunnel of the session that this line is of; null if none is known.
  const Tunnel* tunnel(const event::Event& line) const;
  // Whether it has reached enough that is new to its user to be judged before it ends.
  bool telling(const Tunnel& tunnel, double unit) const;
  // What the session that ends here has reached; nothing if no tunnel of it is known, or if none of its connections was
  // seen and its gateway's are not seen ordinarily.
  std::optional<Reached> reached(const event::Event& end, double unit) const;
  Reached reached(const Tunnel& tunnel, double unit) const;
  // The tunnel of the session that ends here is over. Own: it teaches what is normal for its user; new: what people do
  // in networks new to them; none: nothing.
  enum class Teaches : std::uint8_t { kNothing, kOwn, kNew };
  void close(const event::Event& end, Teaches teaches, double unit);

  bool none() const { return tunnels_.empty(); }
  const DestinationProfile* profile(Symbol user) const;
  // Sessions from users' own networks, and from networks new to them, by Acquaintance.
  using Shapes = std::array<ReachShapes, kAcquaintances>;
  const Shapes& everyone() const { return everyone_; }
  const Shapes& away() const { return away_; }
  std::size_t popular() const { return popular_.size(); }  // destinations that users' own sessions have reached
  std::uint64_t noted() const { return noted_; }           // connections that came out of a tunnel
  std::uint64_t refused() const { return refused_; }       // tunnels beyond kMostTunnels
  std::size_t size() const { return tunnels_.size(); }

  // For core/archive.h, in state.cc.
  template <typename Archive>
  friend void persist(Archive& archive, Tunnels& tunnels);

 private:
  Acquaintance acquaintance(Symbol user, double unit) const;
  const Ip* find(const event::Event& end) const;
  void enlist(const Ip& assigned, const Tunnel& tunnel);
  void forget(const Ip& assigned);
  void sweep(Nanoseconds now);
  bool is_rare(std::uint32_t key, double unit) const;
  // Whether connections out of this gateway's tunnels are seen ordinarily.
  bool shows_connections(Symbol gateway, double unit) const;
  void make_popular(std::uint32_t key, float weight, Nanoseconds time);

  struct Popularity {
    float users = 0;        // decayed weight of the users whose profile took it up
    std::uint32_t day = 0;  // of the last session that reached it, since 1970
  };
  struct Shown {
    float some = 0;  // decayed weight of tunnels out of which connections were seen
    float none = 0;
  };
  absl::flat_hash_map<Ip, Tunnel> tunnels_;                          // by assigned address
  absl::flat_hash_map<Symbol, absl::InlinedVector<Ip, 2>> of_user_;  // the oldest first
  absl::flat_hash_map<Symbol, std::unique_ptr<DestinationProfile>> profiles_;
  absl::flat_hash_map<std::uint32_t, Popularity> popular_;
  absl::flat_hash_map<Symbol, Shown> gateways_;
  Shapes everyone_;
  Shapes away_;
  Nanoseconds swept_ = 0;
  std::uint64_t noted_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace orbwatch::baseline
