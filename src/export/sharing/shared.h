// What an organisation gives away of what it found: addresses of nodes, how often they were seen, the networks that
// they belong to. Without personal data by construction: there is no field for a user, a host, a gateway, an internal
// address or a line of a log. What the types cannot keep out (a banner could hold a name, a source could be one's own
// address) is refused by the Selection, under a named reason, and counted.
//
// All of it is ordered and merged: the same findings in any order give the same Shared.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"
#include "score/finding.h"
#include "score/verdicts.h"

namespace orbwatch::exporting::sharing {

// Who may read it: Traffic Light Protocol 2.0 (FIRST, 2022).
enum class Tlp : std::uint8_t { kClear, kGreen, kAmber, kAmberStrict, kRed };
inline constexpr Tlp kTlps[] = {Tlp::kClear, Tlp::kGreen, Tlp::kAmber, Tlp::kAmberStrict, Tlp::kRed};
std::string_view name(Tlp tlp);  // "clear", "green", "amber", "amber+strict", "red"
std::optional<Tlp> parse_tlp(std::string_view word);

// What a node does in its network, as far as is known. A later one is the more telling.
enum class Role : std::uint8_t { kUnknown, kScanner, kExit, kTraversal, kEntry, kController };
std::string_view name(Role role);   // "", "scanner", "exit-node", "traversal-node", "entry-node", "controller"
std::string_view words(Role role);  // "node", "scanning node", "exit node" ...

// What saw it, in general words: which product it was and where it stands is nobody's business.
enum class Sensor : std::uint8_t { kUnknown, kRemoteAccess, kEdge, kFlows, kFeed };
std::string_view words(Sensor sensor);  // "", "remote access", "network edge", "traffic flows", "threat feed"

enum class TraitKind : std::uint8_t {
  kCertificateSha1,    // 40 lower-case hex digits
  kCertificateSha256,  // 64
  kJarm,               // 62
  kJa3,                // 32, as kJa3s, kHassh, kHasshServer
  kJa3s,
  kJa4,
  kJa4s,
  kHassh,
  kHasshServer,
  kBanner,  // what a service says of itself; kClient: a client. Both only as is_software_text() has it
  kClient,
};
std::string_view name(TraitKind kind);  // "certificate-sha256", "jarm", "ja3" ...

// A property of a node or a network. Holds an allowed text or is not made.
class Trait {
 public:
  static std::optional<Trait> make(TraitKind kind, std::string_view text);
  TraitKind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Trait&, const Trait&) = default;

 private:
  Trait(TraitKind kind, std::string_view text) : kind_(kind), text_(text) {}
  TraitKind kind_;
  std::string text_;
};

// Times are of the events, 0 = not known. Texts are plain names (is_plain_name), techniques ids such as "T1090.003".
// A sighting by a sensor that is not known counts those by any; of one beside others only what goes beyond theirs is
// given.
struct Sighting {
  std::uint64_t count = 0;
  core::Nanoseconds first = 0;
  core::Nanoseconds last = 0;
  Sensor sensor = Sensor::kUnknown;
};

struct Indicator {
  core::Ip address;        // one that is met on the Internet, of nobody in the house
  std::uint16_t port = 0;  // of the service on the node; 0 = none in particular
  core::Nanoseconds first_seen = 0;
  core::Nanoseconds last_seen = 0;
  std::uint32_t asn = 0;
  std::string country;  // ISO 3166-1 alpha-2, "" = not known
  core::NetworkType network_type = core::NetworkType::kUnknown;
  double confidence = 0;  // 0..1
  Role role = Role::kUnknown;
  std::string network;              // id of the Network, "" = none
  bool tracked = false;             // the network has it as a node: counts more than what a finding names
  std::vector<std::string> attack;  // ascending
  std::vector<Trait> traits;        // ascending, at most kMostTraits
  std::vector<Sighting> sightings;  // one for each kind of sensor
};

struct Network {
  std::string id;
  std::string name;     // "" = the id
  std::string profile;  // the known network that it looks like, "" = none
  core::Nanoseconds first_seen = 0;
  core::Nanoseconds last_seen = 0;
  std::uint64_t nodes = 0;  // that were seen
  std::uint64_t least = 0;  // estimate of all nodes, 0 = none
  std::uint64_t most = 0;   // likewise
  double confidence = 0;    // 0..1
  std::vector<std::string> attack;
  std::vector<Trait> traits;  // by which further nodes can be known
};

inline constexpr std::size_t kMostIndicators = 200'000;
inline constexpr std::size_t kMostNetworks = 10'000;
inline constexpr std::size_t kMostTraits = 32;
// An analyst's "true" counts at least so much.
inline constexpr double kConfirmed = 0.95;

// One sentence made of counts and closed words.
std::string describe(const Indicator& indicator);
std::string describe(const Network& network);

// What is given away. Made by Selection alone.
class Shared {
 public:
  const std::vector<Indicator>& indicators() const { return indicators_; }  // by address, then port
  const std::vector<Network>& networks() const { return networks_; }        // by id

 private:
  friend class Selection;
  std::vector<Indicator> indicators_;
  std::vector<Network> networks_;
};

struct Rules {
  bool all = false;                  // also findings that no analyst confirmed, but for those called false or benign
  double least = 0;                  // probability of a finding, 0..1
  core::Nanoseconds since = 0;       // findings that ended before are left out; 0 = none
  core::Nanoseconds seen_since = 0;  // addresses that were last seen before are left out; 0 = none
  // Whether the address is one of the organisation's own. Null: none is known.
  std::function<bool(const core::Ip&)> own;
};

class Selection {
 public:
  explicit Selection(Rules rules) : rules_(std::move(rules)) {}

  // `said`: the verdict on it, in place of what the finding itself holds of one; of a true one only the sources that it
  // speaks of are given.
  void add(const score::Finding& finding, const score::Verdict* said = nullptr);
  void add(Indicator indicator);
  void add(Network network);
  // A trait of a node that is among the indicators; of another one it is left out.
  void add_trait(const core::Ip& address, TraitKind kind, std::string_view text);

  bool has(const core::Ip& address) const;  // among the indicators so far
  const Rules& rules() const { return rules_; }
  // Counts what another part of this folder keeps back.
  void leave_out(std::string_view reason) { ++left_out_.try_emplace(std::string(reason)).first->second; }

  const std::map<std::string, std::uint64_t, std::less<>>& left_out() const { return left_out_; }
  std::uint64_t findings() const { return findings_; }  // that gave something
  Shared take();

 private:
  using Key = std::pair<core::Ip, std::uint16_t>;
  // The reason why the address stays in the house, "" if it may leave.
  std::string_view objection(const core::Ip& address) const;
  bool takes(const score::Finding& finding, score::Judgement said, bool judged);
  void clean(std::vector<std::string>& attack);

  Rules rules_;
  std::map<Key, Indicator> indicators_;
  std::map<std::string, Network, std::less<>> networks_;
  std::map<std::string, std::uint64_t, std::less<>> left_out_;
  std::uint64_t findings_ = 0;
};

}  // namespace orbwatch::exporting::sharing
