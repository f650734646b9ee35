// What speaks for it that two addresses serve one operator: traits that both show and the world hardly ever, and how
// they behave. Pure functions of profiles and of what is ordinary; no clock. Evidence is in nats: the natural logarithm
// of how many times likelier the sightings are if both addresses are nodes of one network than if they are strangers.
//
// Traits of which a source has mostly one value (client, fingerprint, certificate, gateway), and habits (hours, pace).
// The observations of a source are draws from shares of its own, and those have a Dirichlet prior around the shares in
// the background. One network: both drew from the same shares; strangers: each from its own. The ratio of the two
// marginal likelihoods (Dirichlet-multinomial; Heller and Ghahramani, "Bayesian hierarchical clustering", ICML 2005) is
// closed, needs no training, and says no as well as yes. With a small concentration it goes to -ln(share): the chance
// that a random source shows what the other one shows. Concentrations are stated in network_evidence.cc.
//
// Traits of which a source has many (accounts tried, ports asked): each common value counts -ln(share), the strongest
// wholly, the next by half and so on. Different ones say nothing: the nodes of a spray share out one list.
//
// Disjoint scans (Gates, "Coordinated scan detection", NDSS 2009): of two that ask at the same time for many ports and
// none in common, -ln of the chance that strangers who ask for what is popular would have none in common.
//
// Campaigns. The detectors of sprays and scans count: of the sources of one kind that came today so many are more than
// an ordinary day has, a share p of them all. Beside a node of the campaign's such a source is one as well with p:
// ln(p / (1 - p)). One that tried no account of this place, or whose owner logged in from there, is none; few strangers
// fail on accounts that exist, so that an ordinary day has fewer of those. Two campaigns of
// which far more sources are the same than chance would have are one operator's (Surroundings::one_operator).
//
// One person. Two addresses that tried one and the same account and no other are a person at home and on the way: they
// have the client and the hours in common as well. Nothing counts then, unless the account is handed on between three
// providers within a day.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip.h"
#include "core/network_facts.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::track {

enum class TraitKind : std::uint8_t {
  kClient,  // what the client software calls itself
  kJa3,     // fingerprints of a TLS or SSH client
  kJa4,
  kHassh,
  kCertificate,  // what a service at the node shows
  kBanner,
  kNodePort,   // a port that is open at the node
  kFeedLabel,  // the name that a feed gave the address
  kPortAsked,
  kAccount,
  kGateway,
  kHours,        // time of day in pieces of two hours, UTC
  kPace,         // time since the node's last step, in classes (pace_class)
  kAccountPace,  // time since anybody's last step with that account, in the same classes
  kProvider,     // AS number
  kCountry,
  kScanWindow,  // who probed one gateway within the same six hours: finds pairs, says nothing by itself
  kCampaign,    // the finding of a spray or scan
};
constexpr TraitKind kLastTraitKind = TraitKind::kCampaign;
constexpr std::size_t kTraitKinds = static_cast<std::size_t>(kLastTraitKind) + 1;
std::string_view name(TraitKind kind);  // for people: "client", "JA4", "certificate", ...
bool is_habit(TraitKind kind);          // gateway, hours, pace: compared with those of strange sources alone
bool is_text(TraitKind kind);           // its values are Symbols; else numbers

struct Trait {
  TraitKind kind = TraitKind::kClient;
  std::uint32_t value = 0;  // id of a Symbol, or the number itself

  static Trait of(TraitKind kind, core::Symbol symbol) { return {kind, symbol.id()}; }
  std::string text() const;  // "AnyConnect 4.8", "8443", "02 to 04 UTC"
  friend bool operator==(const Trait&, const Trait&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Trait& t) {
    return H::combine(std::move(h), t.kind, t.value);
  }
};

// 0: under a minute, 1: ten minutes, 2: an hour, 3: six hours, 4: 20 hours, 5: 28 hours (daily), 6: longer.
std::uint32_t pace_class(core::Nanoseconds gap);
std::string_view pace_text(std::uint32_t pace_class);

// How long an address stays with its owner, by core::NetworkType, where nobody says otherwise; the pipeline hands in
// those of intel/decay/half_life.h (NetworkLimits::half_lives).
std::array<core::Nanoseconds, core::kNetworkTypes> usual_half_lives();

// What is ordinary: how many sources show a trait, out of how many that show one of that kind. Learned from every
// source, staff included; a source counts once a month for each trait, and counts halve in kHalfLife.
class Background {
 public:
  static constexpr core::Nanoseconds kHalfLife = 30 * core::kDay;
  struct Limits {
    std::size_t most_traits = 300'000;   // then those of the fewest sources leave
    std::size_t most_pairs = 2'000'000;  // of source and trait; then all sources count anew
  };

  Background() = default;
  explicit Background(const Limits& limits) : limits_(limits) {}
  void see(const core::Ip& source, const Trait& trait, core::Nanoseconds now) {
    pass(now);
    see(source, trait);
  }
  // The same at the moment of the last call of pass().
  void see(const core::Ip& source, const Trait& trait);
  void pass(core::Nanoseconds now);
  // What a source showed while this number stood need not be told again: it is counted. Not kept in archives.
  std::uint16_t counting() const { return counting_; }
  // Of sources with a trait of this kind, 0 < share <= 1; (n + 1) / (all + 2), so that the first ones say little.
  double share(const Trait& trait) const;
  double sources(const Trait& trait) const;  // decayed
  double sources(TraitKind kind) const;
  std::uint64_t forgotten() const { return forgotten_; }  // traits that made room
  std::uint64_t begun_anew() const { return begun_anew_; }

  template <typename Archive>
  void persist(Archive& a);

 private:
  struct Pair {
    core::Ip source;
    Trait trait;
    friend bool operator==(const Pair&, const Pair&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Pair& p) {
      return H::combine(std::move(h), p.source, p.trait);
    }
  };
  void make_room();
  void next_pairs();
  void set_unit();

  Limits limits_;
  // Counts are in units that grow with time, so that nothing has to be touched for decay: 2^((now - epoch) /
  // half-life).
  absl::flat_hash_map<Trait, double> counts_;
  std::array<double, kTraitKinds> totals_{};
  absl::flat_hash_set<Pair> pairs_;         // counted since pairs_since_
  absl::flat_hash_set<Pair> pairs_before_;  // and in the time before
  core::Nanoseconds epoch_ = 0;
  core::Nanoseconds pairs_since_ = 0;
  core::Nanoseconds now_ = 0;
  double unit_ = 1;
  std::uint64_t forgotten_ = 0;
  std::uint64_t begun_anew_ = 0;
  std::uint16_t counting_ = 1;  // never 0
};

// Sources of one kind that come to a campaign on one day.
struct CampaignDay {
  std::uint32_t campaign = 0;  // id of the Symbol
  std::int32_t day = 0;        // since 1970, UTC
  std::uint16_t kind = 0;      // of source: NodeSighting::campaign_kind
  friend bool operator==(const CampaignDay&, const CampaignDay&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const CampaignDay& c) {
    return H::combine(std::move(h), c.campaign, c.day, c.kind);
  }
};

struct CampaignCount {
  std::uint32_t sources = 0;
  float usual = 0;  // that an ordinary day has
  // Of these sources, how many are the campaign's.
  double share() const {
    return sources == 0 ? 0.0 : std::clamp(1 - static_cast<double>(usual) / sources, 0.0, kMostShare);
  }
  static constexpr double kMostShare = 0.99;
};

// What is around the nodes.
struct Surroundings {
  Background all;       // of every source: what it shows and asks for
  Background strange;   // habits, of strange sources: at night nearly all are strange, and that joins none of them
  Background accounts;  // accounts in ordinary traffic, with where they are used
  absl::flat_hash_map<CampaignDay, CampaignCount> campaigns;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> one_operator;  // campaign -> the one that stands for all of his
  // Failed log-ins of strangers outside of campaigns, and those of them on accounts that exist; they halve together.
  double strangers_failed = 0;
  double strangers_on_accounts = 0;

  std::uint32_t campaign(std::uint32_t id) const {
    const auto other = one_operator.find(id);
    return other == one_operator.end() ? id : other->second;
  }
  // Of failures of strangers, how many are on accounts that exist here; 0..1.
  double strangers_telling() const { return (strangers_on_accounts + 2) / (strangers_failed + 2); }

  void pass(core::Nanoseconds now);
  // Of a source that is not ordinary, at the moment of the last pass(). `counted`: what counting() of its background
  // was when this source showed it last, 0 if never; brought up to date.
  void see(const core::Ip& source, const Trait& trait, std::uint16_t& counted);
  // Share among those whom a trait is to be compared with.
  double share(const Trait& trait) const;
  // Whether a common account means something: the names that everybody guesses belong to nobody here. Where too little
  // ordinary traffic is known (kEnoughAccounts), any does.
  bool telling(const Trait& account) const;
  static constexpr double kEnoughAccounts = 20;

  template <typename Archive>
  void persist(Archive& a);
};

// What an address has shown in its present period: counts by trait, few and small.
class NodeProfile {
 public:
  struct Count {
    Trait trait;
    std::uint8_t n = 0;
    std::uint16_t counted = 0;  // Surroundings::see(); not kept in archives
  };
  static constexpr std::uint8_t kMostOfKind = 12;  // observations; beyond it the older ones count half
  static constexpr std::uint8_t kMostCount = 60;   // of a trait of which a source has many
  static constexpr std::uint16_t kMostPartners = 8;
  static constexpr std::size_t kMostCampaigns = 8;

  // One whose session went on here, or the other way round.
  struct Partner {
    core::Ip ip;
    std::uint16_t times = 0;
    core::Nanoseconds shortest = 0;
    bool relay = false;  // the account was used from three providers within the day
  };

  struct Added {
    Count* count;                  // until the next change
    bool fresh;                    // it is new here
    std::optional<Trait> instead;  // of this one, which is gone
  };
  // `dropped`: traits that had to make room.
  Added add(const Trait& trait, std::uint64_t& dropped);
  void hand_over(const core::Ip& with, core::Nanoseconds gap, bool relay);
  // A day of a campaign that the address came on. What comes beyond kMostCampaigns pushes out the oldest.
  // True if it is new here.
  bool campaign(const CampaignDay& day);
  void leave_campaigns() { campaigns_.clear(); }
  const std::vector<CampaignDay>& campaigns() const { return campaigns_; }
  void halve();  // what is old counts less; what counted once goes

  // By kind, those of a kind in the order of their first sighting.
  const std::vector<Count>& counts() const { return counts_; }
  std::span<const Count> counts(TraitKind kind) const { return {counts_.data() + begin(kind), distinct(kind)}; }
  const std::vector<Partner>& partners() const { return partners_; }
  std::uint32_t total(TraitKind kind) const { return totals_[static_cast<std::size_t>(kind)]; }
  std::uint32_t distinct(TraitKind kind) const {
    const auto k = static_cast<std::size_t>(kind);
    return static_cast<std::uint32_t>(begin_[k + 1] - begin_[k]);
  }
  std::uint8_t of(const Trait& trait) const;

  template <typename Archive>
  void persist(Archive& a);

 private:
  std::size_t begin(TraitKind kind) const { return begin_[static_cast<std::size_t>(kind)]; }
  void count_kinds();  // totals_ and begin_ from counts_
  std::vector<Count> counts_;
  std::vector<Partner> partners_;
  std::vector<CampaignDay> campaigns_;  // ascending by what came first
  std::array<std::uint16_t, kTraitKinds> totals_{};
  std::array<std::uint8_t, kTraitKinds + 1> begin_{};  // of each kind in counts_, and where the last one ends
};

// Traits that say the same thing are one group: of a group the strongest counts, further ones by a quarter.
enum class EvidenceGroup : std::uint8_t { kSoftware, kDevice, kTargets, kRhythm, kHandover, kPlace, kLabel, kCampaign };
constexpr std::size_t kEvidenceGroups = 8;
std::string_view name(EvidenceGroup group);  // "software", "device", "targets", ...

struct Evidence {
  std::array<double, kEvidenceGroups> groups{};  // nats, each within -6..6 (place 0..0.7)
  bool one_person = false;                       // everything is 0
  double total() const {
    double sum = 0;
    for (const double g : groups) sum += g;
    return sum;
  }
  // How many groups say at least a nat; a link needs two, for one coincidence is cheap. A campaign that was counted out
  // of all that came is none, and counts for two from kCountedCampaign on.
  static constexpr double kCountedCampaign = 1.5;
  int speaking() const {
    int n = 0;
    for (const double g : groups) n += g >= 1 ? 1 : 0;
    return n + (groups[static_cast<std::size_t>(EvidenceGroup::kCampaign)] >= kCountedCampaign ? 1 : 0);
  }
};

// What a scan that is shared out among several shows of one of them.
struct ScanPart {
  double telling = 0;       // nats, 0 to kMostDisjoint: what it says if another asks for none of these ports
  std::uint64_t ports = 0;  // a bit for each port, those of several may be the same
  static constexpr double kMostDisjoint = 2;
};

// That a source came to an operator's campaigns.
struct CampaignPart {
  std::uint32_t campaign = 0;  // the first of them
  std::uint32_t whole = 0;     // Surroundings::campaign()
  // Of the sources of the day of which most are the campaign's, how many are; 0 if none of the days is known any more.
  double share = 0;
};

// Of each kind a bit for each value shown, those of several may be the same: most pairs have nothing in common.
using ShownValues = std::array<std::uint64_t, kTraitKinds>;

struct Observed {
  const core::Ip* ip = nullptr;
  const NodeProfile* profile = nullptr;
  core::NetworkType type = core::NetworkType::kUnknown;
  core::Nanoseconds last = 0;
  // Looked up before, for who is compared with many; null: it is looked up.
  const double* weights = nullptr;        // weight_of() each of the profile's counts
  const std::uint64_t* values = nullptr;  // shown_values()
  const ScanPart* scan = nullptr;
  std::span<const CampaignPart> campaigns = {};  // campaign_parts()
};

// Many sharers: an address of a carrier's NAT or of a mobile pool counts a third.
double sharing_factor(core::NetworkType type);

// Whether it counts for an account or a port asked for that two have it in common.
bool says_something(const Trait& trait, const Surroundings& around);
// What a pair takes of a trait's share where both show it: the prior of its value where shares are compared, else nats,
// 0 where it says nothing.
double weight_of(const Trait& trait, const Surroundings& around);
// `weights` of its counts: without values that say nothing.
ShownValues shown_values(const NodeProfile& profile, const double* weights = nullptr);
// Whether it asked for so many ports that those of others can fit to them.
bool scans(const NodeProfile& profile);

// Into `space`; none if it came to no campaign.
using CampaignSpace = std::array<CampaignPart, NodeProfile::kMostCampaigns>;
std::span<const CampaignPart> campaign_parts(const NodeProfile& profile, const Surroundings& around,
                                             CampaignSpace& space);
ScanPart scan_part(const NodeProfile& profile, const Surroundings& around);
// What two parts say that have no port in common: nats, 0 if they have one.
double disjoint(const ScanPart& a, const ScanPart& b, const NodeProfile& profile_a, const NodeProfile& profile_b);

// Symmetric but for rounding. `if_linked`: not in full where fewer than two groups can speak (Evidence::speaking).
Evidence compare(const Observed& a, const Observed& b, const Surroundings& around, bool if_linked = false);

struct Reason {
  EvidenceGroup group = EvidenceGroup::kSoftware;
  double nats = 0;   // of this trait alone, before traits of a group are counted less
  std::string text;  // one sentence without full stop
};
// Why, strongest first; also what speaks against it (nats < 0).
std::vector<Reason> reasons(const Observed& a, const Observed& b, const Surroundings& around);

}  // namespace orbwatch::track
