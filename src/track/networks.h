// Covert networks as entities: which of the addresses behind weak events serve one operator, and what is known of each
// network. docs/networks.md describes the method and its limits.
//
// Input is one sighting at a time: a weak event, or a step of a finding. Ordinary traffic goes in as well
// (SightingKind::kOrdinary): it makes no nodes, it says what is common. A network is a community of the graph of
// evidence between addresses (network_evidence.h); addresses join known networks at once, and every
// NetworkLimits::recluster of event time, sooner where much is new, later where the graph is large and little is, the
// graph is cut anew (network_clusters.h), which decides births, merges and splits. Ids survive by the largest overlap.
//
// Time is that of the sightings, which should come about in order; one that is late counts as of the latest. The same
// sightings in the same order give the same networks, whatever is saved and loaded between them. Bounded by
// NetworkLimits; what makes room is counted. One writer; not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "core/symbol.h"
#include "core/time.h"
#include "score/network.h"
#include "track/network_clusters.h"
#include "track/network_evidence.h"
#include "track/network_lives.h"

namespace orbwatch::track {

enum class SightingKind : std::uint8_t {
  kOrdinary,      // nothing strange: for the background alone
  kProbe,         // a connection that was refused or led to nothing
  kFailedLogin,   // an attempt on an account
  kStrangeLogin,  // a log-in that was judged strange
  kDeviceTrait,   // a scan or a fingerprint shows what the device at the address is
  kFeedHit,       // the address stands on a list
  kSession,       // a session that began or went on
};
constexpr SightingKind kLastSightingKind = SightingKind::kSession;
std::string_view name(SightingKind kind);  // "ordinary", "probe", "failed log-in", ...

struct NodeSighting {
  static constexpr std::size_t kMostTraits = 8;
  static constexpr std::size_t kMostPorts = 16;

  core::Nanoseconds time = 0;
  core::Ip address;
  SightingKind kind = SightingKind::kProbe;
  double strength = 0;  // log-odds or any weight from 0 on; above kMostStrength it counts as that
  core::Symbol gateway;
  core::Symbol account;     // absent: none was named
  core::Symbol feed_label;  // the name that a feed gave the address
  // The finding of a spray or a scan that it is a part of, by its id; nothing if of none. Of which kind of source it
  // is, by any number (a kind of network, a port), and how many of that kind an ordinary day has.
  core::Symbol campaign;
  std::uint16_t campaign_kind = 0;
  double campaign_usual = 0;
  // Who stands there; 0 and absent are unknown.
  std::uint32_t asn = 0;
  core::Symbol provider;
  core::Symbol country;
  core::Symbol city;
  float latitude = 0;
  float longitude = 0;
  core::NetworkType type = core::NetworkType::kUnknown;
  std::array<Trait, kMostTraits> traits{};  // client, fingerprints, certificate, banner, open port
  std::uint8_t trait_count = 0;
  std::array<std::uint16_t, kMostPorts> ports{};  // asked for
  std::uint8_t port_count = 0;

  static constexpr double kMostStrength = 10;
  // False if it is full or the value is absent.
  bool add(const Trait& trait);
  bool add_port(std::uint16_t port);
};

struct NetworkLimits {
  // Of event time: the graph is cut anew so often where anything has come, and once an hour at most where many
  // addresses have that no network holds (recluster_at, and a quarter of those in the graph; half of a large one).
  core::Nanoseconds recluster = 6 * core::kHour;
  std::size_t recluster_at = 32;
  // A graph of more addresses than `large_graph` takes long to cut: it waits until so many sightings have come for each
  // of them, a day at most.
  std::size_t large_graph = 4'000;
  double sightings_each = 10;
  // A node must have shown as much: the sum of its sightings' strength, fading with its half-life.
  double least_strength = 0.5;
  std::size_t least_nodes = 4;        // of a network
  double link = 2.0;                  // nats: the least evidence of a link
  double join = 2.0;                  // nats: the least mean evidence to a network's nodes, for one of them
  double join_share = 0.25;           // of the mean among its nodes
  std::size_t most_nodes = 100'000;   // addresses held; then an eighth leaves, those seen least recently
  std::size_t most_graph = 8'000;     // addresses in one clustering, the last seen
  std::size_t most_networks = 1'000;  // then the one that was active least recently leaves
  std::size_t most_accounts = 100'000;
  std::size_t most_posted = 128;        // addresses kept by rare trait, the last seen
  std::size_t most_past_nodes = 5'000;  // of a network, that are its nodes no more
  Background::Limits background = {};
  // How long an address stays with its owner, by core::NetworkType: after two of them in silence it may have another.
  std::array<core::Nanoseconds, core::kNetworkTypes> half_lives = usual_half_lives();
};

using score::LikelyProvider;
using score::Network;
using score::NetworkBehaviour;
using score::NetworkChange;
using score::NetworkChangeKind;
using score::NetworkNode;
using score::NetworkOverlap;
using score::NetworkTrait;
using score::NodeRole;

struct LinkReport {
  double nats = 0;
  std::vector<Reason> reasons;  // strongest first
};

class NetworkTracker {
 public:
  static constexpr std::size_t kMostHistory = 100;
  static constexpr std::uint32_t kDays = 64;  // for how long back it is known on which days a node was seen

  struct Counts {
    std::uint64_t sightings = 0;
    std::uint64_t without_address = 0;  // or without a time: not taken
    std::uint64_t late = 0;             // of a time before the latest
    std::uint64_t joined = 0;           // addresses that joined a network at once
    std::uint64_t owners_changed = 0;   // addresses begun anew after a long silence
    std::uint64_t nodes_forgotten = 0;  // to make room
    std::uint64_t accounts_forgotten = 0;
    std::uint64_t ordinary_forgotten = 0;  // places of ordinary log-ins, to make room
    std::uint64_t networks_forgotten = 0;
    std::uint64_t past_nodes_forgotten = 0;
    std::uint64_t traits_dropped = 0;  // beyond what is kept of an address
    std::uint64_t not_clustered = 0;   // addresses beyond NetworkLimits::most_graph
    std::uint64_t clusterings = 0;
    std::uint64_t clusterings_failed = 0;  // the networks stayed as they were
  };

  explicit NetworkTracker(const NetworkLimits& limits = {});

  void add(const NodeSighting& sighting);
  // Clusters now, whatever time it is: at the end of a hunt. It counts as an event, so that where it is called decides.
  void settle();

  // All networks, most confident first. `in_full`: with estimates, links and overlaps, which takes up to about a second
  // for each large network.
  std::vector<Network> networks(bool in_full = false) const;
  // `in_full`: without overlaps.
  std::optional<Network> network(std::string_view id, bool in_full = false) const;
  // The id of the network that the address is an active node of, "" if none.
  std::string_view network_of(const core::Ip& address) const;
  // The id of the network of which most active nodes are of a campaign (NodeSighting::campaign), "" if none is.
  std::string_view network_of_campaign(core::Symbol campaign) const;
  // Why two addresses are linked, or what speaks against it; nothing if one of them is not held.
  std::optional<LinkReport> why(const core::Ip& a, const core::Ip& b) const;

  // How long the nodes of all networks have lived (network_lives.h).
  NodeLives lives() const;

  const Counts& counts() const { return counts_; }
  const Surroundings& around() const { return around_; }
  std::size_t nodes() const { return nodes_.size(); }

  // All of it. The limits are not part of it: those that are given here count. Errors stick to the reader; after one
  // this is to be thrown away.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  static constexpr std::uint32_t kNone = 0;  // number of a network

  // What of all that an address shows finds others. Fixed numbers: archives keep them.
  enum class Findable : std::uint8_t { kNothing = 0, kByScan = 1, kByMore = 2 };
  struct Facts {
    std::uint32_t asn = 0;
    core::Symbol provider, country, city;
    float latitude = 0, longitude = 0;
    core::NetworkType type = core::NetworkType::kUnknown;
  };
  struct Node {
    Facts facts;
    core::Nanoseconds first = 0;
    core::Nanoseconds last = 0;
    core::Nanoseconds aged = 0;     // up to when its counts were halved
    core::Nanoseconds changed = 0;  // what it shows
    double strength = 0;
    std::uint64_t days = 0;  // bit i: seen i days before the day of `last`
    std::array<std::uint32_t, 24> hours{};
    std::array<std::uint32_t, static_cast<std::size_t>(kLastSightingKind) + 1> kinds{};
    NodeProfile profile;
    std::uint32_t network = kNone;
    Findable findable = Findable::kNothing;  // at the first clustering after it changed
  };
  struct PastNode {  // of a network, gone
    core::Ip ip;
    Facts facts;
    core::Nanoseconds first = 0, last = 0;
    std::uint64_t days = 0;
    std::uint64_t sightings = 0;
    double strength = 0;
  };
  struct Entity {
    std::string id;
    core::Nanoseconds first = 0, last = 0;
    double cohesion = 0;
    std::vector<core::Ip> members;          // active; ascending after a clustering, then those that joined
    std::vector<core::Ip> representatives;  // at most kRepresentatives, what a newcomer is compared with
    std::deque<PastNode> past;
    std::vector<NetworkChange> history;
    std::uint64_t attempts = 0, account_days = 0;
    std::int64_t day = 0;                               // of ...
    absl::flat_hash_set<core::Symbol> accounts_of_day;  // at most kMostAccountsOfDay
  };
  struct Account {
    core::Nanoseconds last = 0;     // step of anybody
    core::Nanoseconds session = 0;  // last log-in or session, and where
    core::Ip by;
    std::int64_t day = 0;                      // of ...
    std::array<std::uint32_t, 4> providers{};  // that were seen in sessions
    std::uint8_t provider_count = 0;
  };
  struct Cluster;
  struct Candidates;

  core::Nanoseconds half_life_of(core::NetworkType type) const {
    return limits_.half_lives[static_cast<std::size_t>(type)];
  }
  double confidence(const Entity& entity) const;  // of one without members: as it was with those that are gone
  Observed observed(const core::Ip& ip, const Node& node) const;
  bool indexed(const Trait& trait) const;
  bool finds(const Trait& trait) const;
  Findable findable(const NodeProfile& profile) const;
  bool is_ordinary(const core::Ip& ip) const;
  void forget_ordinary();
  bool eligible(const core::Ip& ip, const Node& node) const;
  void age(const core::Ip& ip, Node& node);
  void forget_posted(const core::Ip& ip, const NodeProfile& profile);
  void forget_posted(const core::Ip& ip, const Trait& trait);
  bool changed_since_clustering(const Node& node) const;
  void show(const core::Ip& ip, Node& node, const Trait& trait);
  void post(const core::Ip& ip, const Trait& trait);
  void ordinary(const NodeSighting& sighting, const Trait* traits, std::size_t n);
  void step_with_account(const core::Ip& ip, Node& node, const NodeSighting& sighting);
  void note_campaign(const core::Ip& ip, Node& node, const NodeSighting& sighting);
  void note_activity(Node& node, const NodeSighting& sighting);
  void join(const core::Ip& ip, Node& node, std::span<const Trait> by);
  double mean_evidence(const core::Ip& ip, const Node& node, const std::vector<core::Ip>& others) const;
  void leave(const core::Ip& ip, Node& node);
  void join_campaigns();
  bool worth_clustering() const;
  void recluster();
  void expire();
  void clear_posted();
  void make_room_for_node();
  std::vector<Edge> graph(const Candidates& all);
  std::vector<Cluster> clusters(const Candidates& all, const std::vector<Edge>& edges,
                                const std::vector<std::uint32_t>& communities) const;
  // Each address once, as it was last; none that is a node again.
  std::vector<const PastNode*> past_of(const Entity& entity) const;
  Network report(const Entity& entity, bool in_full) const;
  void link(Network& network) const;
  NetworkNode report(const core::Ip& ip, const Node& node) const;
  void estimate(Network& network, const Entity& entity) const;
  void forecast_providers(Network& network) const;
  void find_overlaps(std::vector<Network>& networks) const;
  template <typename Archive>
  void persist(Archive& a);

  NetworkLimits limits_;
  Surroundings around_;
  absl::flat_hash_map<core::Ip, Node> nodes_;
  absl::flat_hash_map<Trait, std::deque<core::Ip>> posted_;  // by rare trait, who showed it last
  // What of posted_ may not be shown any more: looked at when what is silent goes. Not kept in archives; with
  // `any_unshown_` all of it is looked at.
  std::vector<std::pair<Trait, core::Ip>> unshown_;
  bool any_unshown_ = false;
  absl::flat_hash_map<core::Symbol, Account> accounts_;
  struct OrdinaryPlace {
    core::Nanoseconds last = 0;
    // What the last one showed and what was Background::counting() then: it is counted. Not kept in archives.
    std::uint64_t shows = 0;
    std::uint16_t counted = 0;
  };
  absl::flat_hash_map<core::Ip, OrdinaryPlace> ordinary_;  // where ordinary log-ins come from
  absl::flat_hash_map<std::uint32_t, Entity> networks_;
  struct Link {
    core::Ip a, b;
    double nats = 0;
  };
  std::vector<Link>
      links_;  // of the last clustering, as it weighed them: those of nodes that stay as they are count on
  std::uint32_t next_network_ = 1;
  core::Nanoseconds now_ = 0;
  core::Nanoseconds next_clustering_ = 0;
  core::Nanoseconds last_clustering_ = 0;
  // Since the last clustering: sightings that were not ordinary, and addresses in no network that have shown enough for
  // one; how many were in the graph then.
  std::uint64_t sightings_since_ = 0;
  std::uint64_t unplaced_ = 0;
  std::uint64_t in_graph_ = 0;
  Counts counts_;
  std::vector<Trait> shown_;  // by the sighting at hand, for the first time by its address
  bool unposted_ = false;     // its address is new: nothing of it is posted
};

}  // namespace orbwatch::track
