// What a person reads of a covert network: plain values, filled by track/networks.h. Its JSON (to_json) is the stable
// contract of `orbwatch networks --json` and the report; what is kept of it (to_whole_json) has the same members.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"

namespace orbwatch::score {

// With an interval that holds the truth in nine cases of ten.
struct Bounds {
  double value = 0;
  double low = 0;
  double high = 0;  // infinite: no upper bound is known
};

enum class NodeRole : std::uint8_t { kUnknown, kOnRamp, kTraversal, kExit };
std::string_view name(NodeRole role);  // "unknown", "on-ramp", "traversal", "exit"

struct NetworkNode {
  core::Ip ip;
  core::Nanoseconds first = 0;
  core::Nanoseconds last = 0;
  bool active = true;  // false: left, expired or made room; its facts are those of then
  std::uint32_t asn = 0;
  std::string provider;
  std::string country;
  std::string city;
  double latitude = 0;
  double longitude = 0;
  core::NetworkType type = core::NetworkType::kUnknown;
  NodeRole role = NodeRole::kUnknown;
  std::string role_why;
  std::uint64_t sightings = 0;
  double strength = 0;
  double evidence = 0;  // mean to the network's nodes, nats
};

struct NetworkTrait {
  std::string kind;  // "client", "JA4", "certificate", ...
  std::string text;
  std::size_t nodes = 0;  // active ones that show it
  double share_inside = 0;
  double share_background = 0;
  double lift = 1;  // the one over the other
};

struct NetworkBehaviour {
  double attempts_per_account_day = 0;                  // over account and day (UTC) with an attempt; 0: none was seen
  std::array<std::uint64_t, 24> hours{};                // sightings of its nodes by hour, UTC
  std::vector<NetworkTrait> accounts, gateways, ports;  // most nodes first, at most 20 each
  std::uint64_t accounts_tried = 0;                     // by active nodes, distinct
};

enum class NetworkChangeKind : std::uint8_t { kBorn, kMerged, kSplit };
std::string_view name(NetworkChangeKind kind);  // "born", "merged", "split"
struct NetworkChange {
  core::Nanoseconds time = 0;
  NetworkChangeKind kind = NetworkChangeKind::kBorn;
  std::string other;  // merged: the id that went into this one; split: the id that this one came out of, or went out
  std::string why;
};

// For the picture of it.
struct NetworkLink {
  std::size_t a = 0, b = 0;  // places in `nodes`, a < b
  double nats = 0;
  std::string why;  // the strongest reason, a sentence without full stop
};

// A published network that this one looks like (intel/profiles).
struct KnownNetwork {
  std::string name;
  double score = 0;  // nats
  std::string says;  // which traits matched, for a person
};

struct ProviderOfNetwork {
  std::uint32_t asn = 0;
  std::string provider;
  std::size_t nodes = 0;        // all that ever were, active or not
  double share = 0;             // of them
  double share_background = 0;  // of all sources
};

// Where the next new nodes come from: of those that came within the last 30 days, smoothed towards all sources.
struct LikelyProvider {
  std::uint32_t asn = 0;
  std::string provider;
  Bounds share;  // of new nodes, 0..1
};

// Nodes that another network has or had as well (track/overlap.h).
struct NetworkOverlap {
  std::string other;  // its id
  std::uint64_t common = 0;
  double expected = 0;       // by chance, had both drawn theirs from all strange addresses that are known here
  double log10_p = 0;        // of as many by chance
  std::uint64_t onward = 0;  // this network left them before the other one came
  std::uint64_t back = 0;    // the other way round
  std::uint64_t together = 0;
};

struct Network {
  static constexpr std::size_t kMostOverlaps = 10;
  static constexpr std::size_t kMostLinks = 300;
  static constexpr std::size_t kMostToldNodes = 2'000;  // in JSON; node_count says how many there are

  std::string id;  // 16 hex digits
  core::Nanoseconds first = 0;
  core::Nanoseconds last = 0;
  double confidence = 0;           // 0..1, not calibrated: see docs/networks.md
  double cohesion = 0;             // mean evidence between its nodes, nats
  std::vector<NetworkNode> nodes;  // active first, then by last, then by address
  std::size_t active_nodes = 0;
  std::vector<NetworkTrait> traits;  // rare ones, by lift and nodes; at most 20
  NetworkBehaviour behaviour;
  std::vector<ProviderOfNetwork> providers;  // most nodes first, at most 20
  std::vector<std::uint32_t> births_by_day;  // first seen, the last 30 days to `last`
  std::vector<NetworkChange> history;
  std::vector<NetworkLink> links;        // strongest first; of active nodes
  std::vector<KnownNetwork> known;       // best first
  std::vector<NetworkOverlap> overlaps;  // most common nodes first
  std::vector<std::string> findings;     // ids of those that are linked with it
  std::vector<std::string> campaigns;    // ids of the findings of which its nodes are the sources
  // Estimates; absent where the sightings allow none.
  std::optional<Bounds> size;  // nodes alive on ...
  core::Nanoseconds size_day =
      0;  // this day (its midnight, UTC): some days before `last`, for new nodes take a while to place
  std::string size_method;
  std::vector<std::string> size_doubts;  // which assumptions of the method do not hold
  std::optional<Bounds> half_life_days;
  std::optional<Bounds> births_expected;         // on the next day
  std::vector<LikelyProvider> likely_providers;  // of these, most probable first, at most 5
  // Share of nodes that are still with it after so many days (Kaplan and Meier 1958): day, share.
  std::vector<std::pair<double, double>> survival;
};

// One line, no newline; absent means unknown.
std::string to_json(const Network& network);
// The same to be kept: all nodes, numbers with all their digits, and the members `strength` of a node and `lift` of a
// trait. What is read from it (pipeline/kept_networks.h) is the same network; only bytes that are no UTF-8 come back as
// U+FFFD, as to_json() writes them. Some 300 bytes a node.
std::string to_whole_json(const Network& network);
// All nodes of it as CSV, with a header.
std::string nodes_csv(const Network& network);

}  // namespace orbwatch::score
