#include "track/networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

namespace orbwatch::track {
namespace {

using core::Ip;
using core::kDay;
using core::Nanoseconds;

// What more sources than this show leads to no candidates; in small places a
// network's own nodes are many.
constexpr double kRareShare = 0.15;
constexpr double kFewSources = 40;
constexpr Nanoseconds kHandover = 10 * core::kMinute;
constexpr Nanoseconds kScanWindow = 6 * core::kHour;
constexpr std::size_t kMostUnshown = 100'000;
constexpr std::size_t kMostCampaignDays = 20'000;
constexpr double kCountedFailures = 20'000;  // then they halve
// Campaigns with so many common sources, and so many more than those that are
// no campaign's could be, are one operator's: of all the world's access lines
// two operators hardly ever hold the same.
constexpr double kCommonSources = 3;
constexpr double kCommonPart = 0.05;
constexpr double kBeyondRegulars = 2;
constexpr std::size_t kMostAccountsOfDay = 20'000;
constexpr std::size_t kRepresentatives = 14;
// What weak events at an address are worth once an ordinary log-in has come
// from it: mostly its owner had mistyped, or one of those who share it.
constexpr double kOwnPlace = 0.1;
constexpr Nanoseconds kOrdinaryFor = 30 * kDay;
// Pairs that are looked at: of each rare trait of an address, and of each of
// its accounts and ports.
constexpr std::size_t kByTrait = 24;
constexpr std::size_t kByTarget = 8;
constexpr std::size_t kByNode = 160;
// Of one clustering, shared out among the addresses that have changed; each may
// look at a few.
constexpr std::size_t kMostPairs = 120'000;
constexpr std::size_t kLeastByNode = 16;
constexpr std::size_t kEdges = 20;  // kept of a node, the strongest
constexpr std::size_t kVoters = 8;  // of a rare trait, the last: which networks a newcomer is compared with
constexpr std::size_t kTriedNetworks = 3;
// A network that stands needs less to keep what it has, or the chance of a
// sample would end it and begin it anew.
constexpr double kStay = 0.5;
constexpr double kLeastScan = 1;  // nats: what the parts of one scan say before
                                  // they are looked at as a pair

// Of a rule that joins two communities: shares of the evidence inside, and what
// one group may differ by.
struct JoinRule {
  double share;
  double group_nats;
  double group_share;
};
constexpr JoinRule kJoinFresh = {0.6, 1.0, 0.5};
constexpr JoinRule kJoinSame = {0.5, 1.5, 0.4};   // both of one network so far: kStay of the least evidence, too
constexpr JoinRule kJoinOther = {0.7, 0.8, 0.6};  // of two

// An order of addresses that says nothing of their provider: a sample in it is
// one of all.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27) * 0x94d049bb133111ebU;
  return x ^ x >> 31;
}
std::uint64_t mixed(const Ip& ip) { return mixed(ip.high() * 0x9e3779b97f4a7c15U ^ ip.low()); }
bool by_mixed(const Ip& a, const Ip& b) {
  const std::uint64_t x = mixed(a), y = mixed(b);
  return x != y ? x < y : a < b;
}
std::vector<Ip> sample(const std::vector<Ip>& members) {
  std::vector<Ip> out(std::min(kRepresentatives, members.size()));
  std::ranges::partial_sort_copy(members, out, by_mixed);
  return out;
}

std::int64_t day_of(Nanoseconds time) { return time / kDay; }

// A coincidence of one group links nothing; a contradiction counts by itself.
double worth(const Evidence& evidence) {
  const double total = evidence.total();
  return evidence.speaking() >= 2 ? total : std::min(total, 0.0);
}

// Means over pairs.
struct Mean {
  Evidence groups;
  double worth = 0;
  double pairs = 0;

  void add(const Evidence& evidence) {
    for (std::size_t g = 0; g < kEvidenceGroups; ++g) groups.groups[g] += evidence.groups[g];
    worth += track::worth(evidence);
    ++pairs;
  }
  void done() {
    if (pairs == 0) return;
    for (double& g : groups.groups) g /= pairs;
    worth /= pairs;
  }
};

// Software and hours alone are what all users of one tool have in common. One
// operator shows in what is organised: common targets, devices, sessions handed
// over, or a name that a feed gave.
constexpr std::array kOrganised = {EvidenceGroup::kTargets, EvidenceGroup::kDevice, EvidenceGroup::kHandover,
                                   EvidenceGroup::kLabel, EvidenceGroup::kCampaign};
bool organised(const std::array<double, kEvidenceGroups>& groups, double least = 1) {
  return std::ranges::any_of(kOrganised, [&](EvidenceGroup g) { return groups[static_cast<std::size_t>(g)] >= least; });
}

// How an address fits to the nodes of a network: the mean over them, if two
// groups speak to any of them and one of these is organised. A node of few
// steps has few accounts in common with each, but with some.
class Fit {
 public:
  void add(const Evidence& evidence) {
    for (std::size_t g = 0; g < kEvidenceGroups; ++g) most_.groups[g] = std::max(most_.groups[g], evidence.groups[g]);
    sum_ += evidence.total();
    ++pairs_;
  }
  double nats() const {
    if (pairs_ == 0) return 0;
    const double mean = sum_ / pairs_;
    return most_.speaking() >= 2 && organised(most_.groups) ? mean : std::min(mean, 0.0);
  }

 private:
  Evidence most_;
  double sum_ = 0;
  double pairs_ = 0;
};

std::string in_words(const Mean& mean) {
  std::string out = fmt::format("{:.1f} nats between nodes on average", mean.worth);
  const char* before = ": ";
  for (std::size_t g = 0; g < kEvidenceGroups; ++g) {
    if (mean.groups.groups[g] < 0.3) continue;
    out += fmt::format("{}{} {:.1f}", before, name(static_cast<EvidenceGroup>(g)), mean.groups.groups[g]);
    before = ", ";
  }
  return out;
}

}  // namespace

// The addresses of one clustering in ascending order, with what comparing them
// takes looked up once.
struct NetworkTracker::Candidates {
  std::vector<Ip> ips;
  std::vector<const Node*> nodes;
  std::vector<bool> changed;  // since the last clustering
  std::vector<ScanPart> scans;
  std::vector<ShownValues> values;
  std::vector<double> weights;
  std::vector<std::size_t> begin;  // of each one's weights
  std::vector<CampaignPart> campaigns;
  std::vector<std::size_t> campaigns_begin;  // of each one's, and the end
  const Surroundings& around;

  explicit Candidates(const Surroundings& surroundings) : around(surroundings) {}
  void look_up() {
    CampaignSpace space;
    scans.reserve(nodes.size());
    begin.reserve(nodes.size());
    for (const Node* node : nodes) {
      scans.push_back(scan_part(node->profile, around));
      begin.push_back(weights.size());
      for (const NodeProfile::Count& count : node->profile.counts()) weights.push_back(weight_of(count.trait, around));
      values.push_back(shown_values(node->profile, weights.data() + begin.back()));
      campaigns_begin.push_back(campaigns.size());
      const std::span<const CampaignPart> parts = campaign_parts(node->profile, around, space);
      campaigns.insert(campaigns.end(), parts.begin(), parts.end());
    }
    campaigns_begin.push_back(campaigns.size());
  }
  Observed at(std::size_t i) const {
    return {&ips[i],
            &nodes[i]->profile,
            nodes[i]->facts.type,
            nodes[i]->last,
            weights.data() + begin[i],
            values[i].data(),
            &scans[i],
            std::span(campaigns).subspan(campaigns_begin[i], campaigns_begin[i + 1] - campaigns_begin[i])};
  }
  Evidence between(std::uint32_t a, std::uint32_t b, bool if_linked = false) const {
    return compare(at(std::min(a, b)), at(std::max(a, b)), around, if_linked);
  }
};

// What a clustering found.
struct NetworkTracker::Cluster {
  std::vector<std::uint32_t> members;  // places in the order of addresses, ascending
  std::vector<std::uint32_t> sample;   // at most kRepresentatives in an order that says nothing of them
  Mean inside;
  std::uint32_t before = kNone;  // the network of most of its members
  bool gone = false;
};

std::string_view name(SightingKind kind) {
  switch (kind) {
    case SightingKind::kOrdinary: return "ordinary";
    case SightingKind::kProbe: return "probe";
    case SightingKind::kFailedLogin: return "failed log-in";
    case SightingKind::kStrangeLogin: return "strange log-in";
    case SightingKind::kDeviceTrait: return "device trait";
    case SightingKind::kFeedHit: return "feed hit";
    case SightingKind::kSession: return "session";
  }
  return "";
}

bool NodeSighting::add(const Trait& trait) {
  if (trait_count >= kMostTraits || trait.value == 0) return false;
  traits[trait_count++] = trait;
  return true;
}
bool NodeSighting::add_port(std::uint16_t port) {
  if (port_count >= kMostPorts || port == 0) return false;
  ports[port_count++] = port;
  return true;
}

NetworkTracker::NetworkTracker(const NetworkLimits& limits) : limits_(limits) {
  around_.all = Background(limits.background);
  around_.strange = Background(limits.background);
  around_.accounts = Background(limits.background);
  limits_.recluster = std::max(limits_.recluster, core::kMinute);
  limits_.most_nodes = std::max<std::size_t>(limits_.most_nodes, 16);
  limits_.most_accounts = std::max<std::size_t>(limits_.most_accounts, 16);
  limits_.least_nodes = std::max<std::size_t>(limits_.least_nodes, 2);
}

Observed NetworkTracker::observed(const Ip& ip, const Node& node) const {
  return {&ip, &node.profile, node.facts.type, node.last};
}

bool NetworkTracker::indexed(const Trait& trait) const {
  return !is_habit(trait.kind) && trait.kind != TraitKind::kProvider && trait.kind != TraitKind::kCountry;
}

// Whether the others that show it are worth a look: what is not organised makes
// no network, and what is common no link.
bool NetworkTracker::finds(const Trait& trait) const {
  switch (trait.kind) {
    case TraitKind::kCampaign:
    case TraitKind::kScanWindow: return true;
    case TraitKind::kAccount:
    case TraitKind::kPortAsked: return says_something(trait, around_);
    case TraitKind::kCertificate:
    case TraitKind::kBanner:
    case TraitKind::kNodePort:
    case TraitKind::kFeedLabel: return around_.all.sources(trait) <= kFewSources || around_.share(trait) <= kRareShare;
    default: return false;
  }
}

NetworkTracker::Findable NetworkTracker::findable(const NodeProfile& profile) const {
  if (!profile.partners().empty()) return Findable::kByMore;
  bool in_window = false;
  for (const NodeProfile::Count& count : profile.counts()) {
    if (count.trait.kind == TraitKind::kScanWindow) {
      in_window = true;
    } else if (finds(count.trait)) {
      return Findable::kByMore;
    }
  }
  return in_window && scan_part(profile, around_).telling >= kLeastScan ? Findable::kByScan : Findable::kNothing;
}

bool NetworkTracker::eligible(const Ip& ip, const Node& node) const {
  return node.strength >= limits_.least_strength &&
         now_ - node.last <= NodeRules::kSilentHalfLives * half_life_of(node.facts.type) &&
         (!node.profile.campaigns().empty() || !is_ordinary(ip));
}

void NetworkTracker::age(const Ip& ip, Node& node) {
  const Nanoseconds half_life = half_life_of(node.facts.type);
  if (now_ - node.aged >= half_life) node.changed = now_;
  for (int i = 0; i < 16 && now_ - node.aged >= half_life; ++i) {
    node.aged += half_life;
    node.strength /= 2;
    for (const NodeProfile::Count& count : node.profile.counts()) {
      if (count.n == 1) forget_posted(ip, count.trait);  // it goes
    }
    node.profile.halve();
  }
}

void NetworkTracker::post(const Ip& ip, const Trait& trait) {
  std::deque<Ip>& posted = posted_[trait];
  if (!unposted_ && std::ranges::find(posted, ip) != posted.end()) return;
  posted.push_back(ip);
  if (posted.size() > limits_.most_posted) posted.pop_front();
}

void NetworkTracker::forget_posted(const Ip& ip, const Trait& trait) {
  if (any_unshown_ || !indexed(trait)) return;
  unshown_.emplace_back(trait, ip);
  if (unshown_.size() < kMostUnshown) return;
  any_unshown_ = true;
  unshown_.clear();
}
void NetworkTracker::forget_posted(const Ip& ip, const NodeProfile& profile) {
  for (const NodeProfile::Count& count : profile.counts()) forget_posted(ip, count.trait);
}

void NetworkTracker::clear_posted() {
  const auto shown = [&](const Ip& ip, const Trait& trait) {
    const auto at = nodes_.find(ip);
    return at != nodes_.end() && at->second.profile.of(trait) != 0;
  };
  if (any_unshown_) {
    absl::erase_if(posted_, [&](auto& item) {
      std::erase_if(item.second, [&](const Ip& ip) { return !shown(ip, item.first); });
      return item.second.empty();
    });
  } else {
    for (const auto& [trait, ip] : unshown_) {
      const auto posted = posted_.find(trait);
      if (posted == posted_.end() || shown(ip, trait)) continue;
      std::erase(posted->second, ip);
      if (posted->second.empty()) posted_.erase(posted);
    }
  }
  unshown_.clear();
  any_unshown_ = false;
}

void NetworkTracker::ordinary(const NodeSighting& sighting, const Trait* traits, std::size_t n) {
  const Ip& ip = sighting.address;
  if (ordinary_.size() >= limits_.most_nodes && !ordinary_.contains(ip)) forget_ordinary();
  OrdinaryPlace& place = ordinary_[ip];
  place.last = now_;
  std::uint64_t shows = around_.accounts.counting();
  for (std::size_t i = 0; i < n; ++i) {
    if (is_habit(traits[i].kind)) continue;
    shows = mixed(shows ^ (static_cast<std::uint64_t>(traits[i].kind) << 32 | traits[i].value));
  }
  // Most people come with the same again and again.
  if (place.shows != shows || place.counted != around_.all.counting()) {
    for (std::size_t i = 0; i < n; ++i) {
      if (!is_habit(traits[i].kind)) around_.all.see(ip, traits[i]);
    }
    if (sighting.account.present()) around_.accounts.see(ip, Trait::of(TraitKind::kAccount, sighting.account));
    place.shows = shows;
    place.counted = around_.all.counting();
  }
  if (!sighting.account.present()) return;
  // Whoever failed here before has proven to be the account's owner.
  // So it is where others log in as well: at an office, behind a carrier's NAT.
  const auto node = nodes_.find(ip);
  if (node == nodes_.end()) return;
  node->second.strength *= kOwnPlace;
  node->second.profile.leave_campaigns();
}

bool NetworkTracker::is_ordinary(const Ip& ip) const {
  const auto seen = ordinary_.find(ip);
  return seen != ordinary_.end() && now_ - seen->second.last <= kOrdinaryFor;
}

// The quarter that was seen least recently; all of one moment go together, so
// that no order decides.
void NetworkTracker::forget_ordinary() {
  std::vector<Nanoseconds> times;
  times.reserve(ordinary_.size());
  for (const auto& [ip, place] : ordinary_) times.push_back(place.last);
  const auto quarter = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 4);
  std::ranges::nth_element(times, quarter);
  const Nanoseconds threshold = *quarter;
  counts_.ordinary_forgotten +=
      absl::erase_if(ordinary_, [&](const auto& item) { return item.second.last <= threshold; });
}

void NetworkTracker::show(const Ip& ip, Node& node, const Trait& trait) {
  const NodeProfile::Added added = node.profile.add(trait, counts_.traits_dropped);
  around_.see(ip, trait, added.count->counted);
  if (added.instead) forget_posted(ip, *added.instead);
  if (!added.fresh || !indexed(trait)) return;
  shown_.push_back(trait);
  post(ip, trait);
}

void NetworkTracker::step_with_account(const Ip& ip, Node& node, const NodeSighting& sighting) {
  if (accounts_.size() >= limits_.most_accounts && !accounts_.contains(sighting.account)) {
    // The quarter that was used least recently; all of one moment go together,
    // so that no order decides.
    std::vector<Nanoseconds> times;
    times.reserve(accounts_.size());
    for (const auto& [symbol, account] : accounts_) times.push_back(account.last);
    const auto quarter = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 4);
    std::ranges::nth_element(times, quarter);
    const Nanoseconds threshold = *quarter;
    counts_.accounts_forgotten +=
        absl::erase_if(accounts_, [&](const auto& item) { return item.second.last <= threshold; });
  }
  Account& account = accounts_[sighting.account];
  if (account.last != 0) show(ip, node, {TraitKind::kAccountPace, pace_class(now_ - account.last)});
  account.last = now_;
  if (sighting.kind != SightingKind::kSession && sighting.kind != SightingKind::kStrangeLogin) return;
  if (const std::int64_t day = day_of(now_); account.day != day) {
    account.day = day;
    account.provider_count = 0;
  }
  const auto known = account.providers.begin() + account.provider_count;
  if (sighting.asn != 0 && account.provider_count < account.providers.size() &&
      std::find(account.providers.begin(), known, sighting.asn) == known)
    account.providers[account.provider_count++] = sighting.asn;
  if (account.session != 0 && account.by != ip && now_ - account.session <= kHandover) {
    if (const auto other = nodes_.find(account.by); other != nodes_.end()) {
      const bool relay = account.provider_count >= 3;
      const Nanoseconds gap = now_ - account.session;
      node.profile.hand_over(account.by, gap, relay);
      other->second.profile.hand_over(ip, gap, relay);
    }
  }
  account.session = now_;
  account.by = ip;
}

// A guess at a name that nobody has here is what bots do all day, and whoever
// fails at his own place has mistyped: neither makes a source one of the
// campaign's.
void NetworkTracker::note_campaign(const Ip& ip, Node& node, const NodeSighting& sighting) {
  const Trait account = Trait::of(TraitKind::kAccount, sighting.account);
  const bool named = sighting.account.present();
  const bool on_account = named && around_.telling(account);
  if (!sighting.campaign.present()) {
    if (sighting.kind != SightingKind::kFailedLogin || !named) return;
    if (around_.strangers_failed >= kCountedFailures) {
      around_.strangers_failed /= 2;
      around_.strangers_on_accounts /= 2;
    }
    ++around_.strangers_failed;
    around_.strangers_on_accounts += on_account ? 1 : 0;
    return;
  }
  double usual = std::clamp(sighting.campaign_usual, 0.0, 1e6);
  if (named) {
    if (!on_account || is_ordinary(ip)) return;
    usual *= around_.strangers_telling();
  }
  const CampaignDay day{sighting.campaign.id(), static_cast<std::int32_t>(day_of(now_)), sighting.campaign_kind};
  if (!around_.campaigns.contains(day) && around_.campaigns.size() >= kMostCampaignDays) {
    // The oldest days; all of one day together, so that no order decides.
    std::int32_t oldest = day.day;
    for (const auto& item : around_.campaigns) oldest = std::min(oldest, item.first.day);
    absl::erase_if(around_.campaigns, [&](const auto& item) { return item.first.day == oldest; });
  }
  CampaignCount& count = around_.campaigns[day];
  count.usual = std::max(count.usual, static_cast<float>(usual));
  if (node.profile.campaign(day)) ++count.sources;
  node.strength += count.share();
  show(ip, node, Trait::of(TraitKind::kCampaign, sighting.campaign));
}

void NetworkTracker::note_activity(Node& node, const NodeSighting& sighting) {
  const auto at = networks_.find(node.network);
  if (at == networks_.end()) return;
  Entity& entity = at->second;
  entity.last = std::max(entity.last, node.last);
  const bool attempt = sighting.kind == SightingKind::kFailedLogin || sighting.kind == SightingKind::kStrangeLogin;
  if (!attempt || !sighting.account.present()) return;
  if (const std::int64_t day = day_of(now_); entity.day != day) {
    entity.day = day;
    entity.accounts_of_day.clear();
  }
  if (entity.accounts_of_day.size() < kMostAccountsOfDay) {
    ++entity.attempts;
    if (entity.accounts_of_day.insert(sighting.account).second) ++entity.account_days;
  } else if (entity.accounts_of_day.contains(sighting.account)) {
    ++entity.attempts;
  }
}

double NetworkTracker::mean_evidence(const Ip& ip, const Node& node, const std::vector<Ip>& others) const {
  Fit fit;
  Observed a = observed(ip, node);
  const ShownValues own = shown_values(node.profile);
  a.values = own.data();
  for (const Ip& other : others) {
    const auto at = nodes_.find(other);
    if (other == ip || at == nodes_.end()) continue;
    Observed b = observed(at->first, at->second);
    const ShownValues theirs = shown_values(at->second.profile);
    b.values = theirs.data();
    fit.add(ip < other ? compare(a, b, around_) : compare(b, a, around_));
  }
  return fit.nats();
}

void NetworkTracker::join(const Ip& ip, Node& node, std::span<const Trait> by) {
  // Which networks do those belong to that showed the same rare traits last?
  std::vector<std::pair<std::uint32_t, int>> votes;
  for (const Trait& trait : by) {
    // Scanners of popular ports come by the thousand: what is a part of one
    // scan waits for the next clustering.
    if (trait.kind == TraitKind::kScanWindow || !finds(trait)) continue;
    const auto posted = posted_.find(trait);
    if (posted == posted_.end()) continue;
    std::size_t asked = 0;
    for (auto other = posted->second.rbegin(); other != posted->second.rend() && asked < kVoters; ++other, ++asked) {
      const auto at = nodes_.find(*other);
      if (at == nodes_.end() || at->second.network == kNone) continue;
      const auto vote = std::ranges::find(votes, at->second.network, &std::pair<std::uint32_t, int>::first);
      if (vote == votes.end()) {
        votes.emplace_back(at->second.network, 1);
      } else {
        ++vote->second;
      }
    }
  }
  std::ranges::sort(votes, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (votes.size() > kTriedNetworks) votes.resize(kTriedNetworks);
  double best = 0;
  std::uint32_t home = kNone;
  for (const auto& [network, count] : votes) {
    const Entity& entity = networks_.at(network);
    const double nats = mean_evidence(ip, node, entity.representatives);
    if (nats < std::max(limits_.join, limits_.join_share * entity.cohesion) || nats <= best) continue;
    best = nats;
    home = network;
  }
  if (home == kNone) return;
  Entity& entity = networks_.at(home);
  node.network = home;
  entity.members.push_back(ip);
  if (entity.representatives.size() < kRepresentatives) entity.representatives.push_back(ip);
  entity.first = std::min(entity.first, node.first);
  entity.last = std::max(entity.last, node.last);
  std::erase_if(entity.past, [&](const PastNode& past) { return past.ip == ip; });
  ++counts_.joined;
}

// From its network's list of the past on; the caller takes it off the list of
// members.
void NetworkTracker::leave(const Ip& ip, Node& node) {
  const auto at = networks_.find(node.network);
  node.network = kNone;
  if (at == networks_.end()) return;
  Entity& entity = at->second;
  std::uint64_t sightings = 0;
  for (const std::uint32_t n : node.kinds) sightings += n;
  entity.past.push_back({ip, node.facts, node.first, node.last, node.days, sightings, node.strength});
  if (entity.past.size() > limits_.most_past_nodes) {
    entity.past.pop_front();
    ++counts_.past_nodes_forgotten;
  }
  std::erase(entity.representatives, ip);
}

void NetworkTracker::make_room_for_node() {
  std::vector<std::pair<Nanoseconds, Ip>> by_last;
  by_last.reserve(nodes_.size());
  for (const auto& [ip, node] : nodes_) by_last.emplace_back(node.last, ip);
  const auto eighth = by_last.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, by_last.size() / 8));
  std::ranges::partial_sort(by_last, eighth);
  by_last.erase(eighth, by_last.end());
  for (const auto& [last, ip] : by_last) {
    Node& node = nodes_.at(ip);
    if (node.network != kNone) leave(ip, node);
    nodes_.erase(ip);
  }
  counts_.nodes_forgotten += by_last.size();
  for (auto& [number, entity] : networks_) {
    std::erase_if(entity.members, [&](const Ip& ip) { return !nodes_.contains(ip); });
  }
  absl::erase_if(posted_, [&](auto& item) {
    std::erase_if(item.second, [&](const Ip& ip) { return !nodes_.contains(ip); });
    return item.second.empty();
  });
}

void NetworkTracker::add(const NodeSighting& sighting) {
  if (!sighting.address.present() || sighting.time <= 0 || !(sighting.strength >= 0)) {
    ++counts_.without_address;
    return;
  }
  ++counts_.sightings;
  if (sighting.time < now_) ++counts_.late;
  now_ = std::max(now_, sighting.time);
  around_.pass(now_);
  if (next_clustering_ == 0) next_clustering_ = (now_ / limits_.recluster + 1) * limits_.recluster;
  const std::uint64_t many = in_graph_ / (in_graph_ > limits_.large_graph ? 2 : 4);
  const bool soon = unplaced_ >= std::max<std::uint64_t>(limits_.recluster_at, many) &&
                    now_ + limits_.recluster >= next_clustering_ + core::kHour;
  if (now_ >= next_clustering_ || soon) {
    if (soon || worth_clustering()) {
      recluster();
    } else if (sightings_since_ == 0) {
      expire();
    }
    next_clustering_ = soon ? now_ + limits_.recluster : (now_ / limits_.recluster + 1) * limits_.recluster;
  }

  const Ip& ip = sighting.address;
  std::array<Trait, NodeSighting::kMostTraits + NodeSighting::kMostPorts + 7> traits;
  std::size_t n = 0;
  const std::size_t given = std::min<std::size_t>(sighting.trait_count, NodeSighting::kMostTraits);
  const std::size_t ports = std::min<std::size_t>(sighting.port_count, NodeSighting::kMostPorts);
  for (std::size_t i = 0; i < given; ++i) traits[n++] = sighting.traits[i];
  for (std::size_t i = 0; i < ports; ++i) traits[n++] = {TraitKind::kPortAsked, sighting.ports[i]};
  if (sighting.feed_label.present()) traits[n++] = Trait::of(TraitKind::kFeedLabel, sighting.feed_label);
  if (sighting.account.present()) traits[n++] = Trait::of(TraitKind::kAccount, sighting.account);
  if (sighting.gateway.present()) traits[n++] = Trait::of(TraitKind::kGateway, sighting.gateway);
  if (sighting.asn != 0) traits[n++] = {TraitKind::kProvider, sighting.asn};
  if (sighting.country.present()) traits[n++] = Trait::of(TraitKind::kCountry, sighting.country);
  const auto hour = static_cast<std::uint32_t>(now_ % kDay / core::kHour);
  // What a feed or a scan says of an address is not of the moment at which the
  // operator works.
  const bool acts = sighting.kind != SightingKind::kFeedHit && sighting.kind != SightingKind::kDeviceTrait;
  if (acts) traits[n++] = {TraitKind::kHours, hour / 2};
  SightingKind kind = sighting.kind;
  double strength = std::min(sighting.strength, NodeSighting::kMostStrength);
  if (kind == SightingKind::kOrdinary) {
    // Who mistyped logs in with the account that failed. A source of a campaign
    // that logs in with another has guessed.
    const auto node = nodes_.find(ip);
    if (node == nodes_.end() || node->second.network == kNone || node->second.profile.campaigns().empty() ||
        !sighting.account.present() || is_ordinary(ip) ||
        node->second.profile.of(Trait::of(TraitKind::kAccount, sighting.account)) != 0) {
      ordinary(sighting, traits.data(), n);
      return;
    }
    kind = SightingKind::kStrangeLogin;
    strength = 1;
  }
  if (sighting.kind == SightingKind::kProbe && sighting.gateway.present()) {
    const auto window = static_cast<std::uint64_t>(now_ / kScanWindow);
    traits[n++] = {TraitKind::kScanWindow,
                   static_cast<std::uint32_t>(core::hash64(sighting.gateway.text(), window) >> 33)};
  }

  auto at = nodes_.find(ip);
  if (at == nodes_.end() && nodes_.size() >= limits_.most_nodes) make_room_for_node();
  unposted_ = at == nodes_.end();
  if (unposted_) at = nodes_.try_emplace(ip).first;
  Node* node = &at->second;
  if (node->last != 0 && now_ - node->last > NodeRules::kSilentHalfLives * half_life_of(node->facts.type)) {
    if (node->network != kNone) {
      std::erase(networks_.at(node->network).members, ip);
      leave(ip, *node);
    }
    forget_posted(ip, node->profile);
    *node = Node();
    ++counts_.owners_changed;
  }
  if (node->first == 0) node->first = node->aged = now_;
  node->changed = now_;
  age(ip, *node);
  shown_.clear();
  if (acts && node->last != 0) show(ip, *node, {TraitKind::kPace, pace_class(now_ - node->last)});
  for (std::size_t i = 0; i < n; ++i) show(ip, *node, traits[i]);

  const std::int64_t days = node->last == 0 ? 0 : day_of(now_) - day_of(node->last);
  node->days = (days >= 64 ? 0 : node->days << days) | 1;
  node->last = now_;
  const bool was_weak = node->strength < limits_.least_strength;
  if (kind != SightingKind::kStrangeLogin && is_ordinary(ip)) strength = 0;
  node->strength = std::min(node->strength + strength, 1000.0);
  ++node->kinds[static_cast<std::size_t>(kind)];
  if (acts) ++node->hours[hour];
  if (sighting.asn != 0 || sighting.type != core::NetworkType::kUnknown || sighting.country.present()) {
    node->facts = {sighting.asn,      sighting.provider,  sighting.country, sighting.city,
                   sighting.latitude, sighting.longitude, sighting.type};
  }
  note_campaign(ip, *node, sighting);
  if (sighting.account.present() && acts) step_with_account(ip, *node, sighting);
  // What was shown before has led nowhere so far; the next clustering asks
  // again.
  ++sightings_since_;
  if (node->network == kNone && eligible(ip, *node)) {
    if (!shown_.empty()) join(ip, *node, shown_);
    if (node->network == kNone && was_weak && findable(node->profile) == Findable::kByMore) ++unplaced_;
  }
  if (node->network != kNone) note_activity(*node, sighting);
}

void NetworkTracker::settle() {
  if (now_ != 0) recluster();
}

void NetworkTracker::expire() {
  std::vector<Ip> silent;
  for (auto& [ip, node] : nodes_) {
    if (now_ - node.last > NodeRules::kSilentHalfLives * half_life_of(node.facts.type)) silent.push_back(ip);
  }
  std::ranges::sort(silent);
  for (const Ip& ip : silent) {
    Node& node = nodes_.at(ip);
    if (node.network != kNone) {
      std::erase(networks_.at(node.network).members, ip);
      leave(ip, node);
    }
    if (now_ - node.last > 2 * NodeRules::kSilentHalfLives * half_life_of(node.facts.type)) {
      forget_posted(ip, node.profile);
      nodes_.erase(ip);
    }
  }
  clear_posted();
}

// Campaigns of the last two days are still being counted.
bool NetworkTracker::changed_since_clustering(const Node& node) const {
  if (node.changed >= last_clustering_) return true;
  const auto yesterday = static_cast<std::int32_t>(day_of(now_)) - 1;
  return std::ranges::any_of(node.profile.campaigns(), [&](const CampaignDay& day) { return day.day >= yesterday; });
}

// Only pairs of which one has changed are weighed anew: most of the world is
// silent most of the time.
std::vector<Edge> NetworkTracker::graph(const Candidates& all) {
  const std::vector<Ip>& ips = all.ips;
  const std::vector<const Node*>& nodes = all.nodes;
  const std::vector<bool>& changed = all.changed;
  absl::flat_hash_map<Ip, std::uint32_t> place;
  place.reserve(ips.size());
  for (std::size_t i = 0; i < ips.size(); ++i) place.emplace(ips[i], static_cast<std::uint32_t>(i));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  const auto all_changed = static_cast<std::size_t>(std::ranges::count(changed, true));
  const std::size_t by_node = std::clamp(kMostPairs / std::max<std::size_t>(all_changed, 1), kLeastByNode, kByNode);
  const auto one_scan = [&](std::uint32_t a, std::uint32_t b) {
    return std::min(all.scans[a].telling, all.scans[b].telling) >= kLeastScan &&
           std::abs(nodes[a]->last - nodes[b]->last) <= kDay &&
           disjoint(all.scans[a], all.scans[b], nodes[a]->profile, nodes[b]->profile) > 0;
  };
  // Who showed a trait last, of those that are here.
  absl::flat_hash_map<Trait, std::vector<std::uint32_t>> shown;
  const auto showing = [&](const Trait& trait) -> const std::vector<std::uint32_t>& {
    const auto [at, fresh] = shown.try_emplace(trait);
    if (!fresh) return at->second;
    if (const auto posted = posted_.find(trait); posted != posted_.end()) {
      for (const Ip& ip : posted->second) {
        if (const auto other = place.find(ip); other != place.end()) at->second.push_back(other->second);
      }
    }
    return at->second;
  };
  for (std::size_t i = 0; i < ips.size(); ++i) {
    if (!changed[i]) continue;
    const auto me = static_cast<std::uint32_t>(i);
    const std::size_t from = pairs.size();
    const auto pair_with = [&](std::uint32_t other, bool scan) {
      if (other == me || (scan && !one_scan(me, other))) return;
      pairs.emplace_back(std::min(me, other), std::max(me, other));
    };
    for (const NodeProfile::Partner& partner : nodes[i]->profile.partners()) {
      if (const auto at = place.find(partner.ip); at != place.end()) pair_with(at->second, false);
    }
    for (const NodeProfile::Count& count : nodes[i]->profile.counts()) {
      if (pairs.size() - from >= by_node) break;
      if (!finds(count.trait)) continue;
      const bool scan = count.trait.kind == TraitKind::kScanWindow;
      if (scan && all.scans[i].telling < kLeastScan) continue;
      const std::vector<std::uint32_t>& others = showing(count.trait);
      if (others.empty()) continue;
      const bool target = count.trait.kind == TraitKind::kAccount || count.trait.kind == TraitKind::kPortAsked;
      const std::size_t some = std::min(target ? kByTarget : kByTrait, others.size());
      // Spread over all of them, from a place of its own.
      const std::size_t begin = static_cast<std::size_t>(mixed(ips[i]) % others.size());
      for (std::size_t k = 0; k < some; ++k)
        pair_with(others[(begin + k * others.size() / some) % others.size()], scan);
    }
  }
  std::ranges::sort(pairs);
  const auto again = std::ranges::unique(pairs);
  pairs.erase(again.begin(), again.end());

  std::vector<Edge> edges;
  std::vector<std::vector<std::pair<double, std::size_t>>> of(ips.size());  // weight below 0 first, edge
  const auto add = [&](std::uint32_t a, std::uint32_t b, double nats) {
    of[a].emplace_back(-nats, edges.size());
    of[b].emplace_back(-nats, edges.size());
    edges.push_back({a, b, nats});
  };
  for (const Link& link : links_) {
    const auto a = place.find(link.a), b = place.find(link.b);
    if (a == place.end() || b == place.end() || changed[a->second] || changed[b->second]) continue;
    add(std::min(a->second, b->second), std::max(a->second, b->second), link.nats);
  }
  for (const auto& [a, b] : pairs) {
    const double nats = worth(all.between(a, b, true));
    if (nats >= limits_.link) add(a, b, nats);
  }
  std::vector<bool> kept(edges.size());
  for (auto& own : of) {
    const auto most = own.begin() + static_cast<std::ptrdiff_t>(std::min(kEdges, own.size()));
    std::ranges::partial_sort(own, most);
    for (auto at = own.begin(); at != most; ++at) kept[at->second] = true;
  }
  std::size_t to = 0;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (kept[e]) edges[to++] = edges[e];
  }
  edges.resize(to);
  links_.clear();
  for (const Edge& edge : edges) links_.push_back({ips[edge.a], ips[edge.b], edge.weight});
  return edges;
}

std::vector<NetworkTracker::Cluster> NetworkTracker::clusters(const Candidates& all, const std::vector<Edge>& edges,
                                                              const std::vector<std::uint32_t>& communities) const {
  const std::vector<Ip>& ips = all.ips;
  const std::vector<const Node*>& nodes = all.nodes;
  // The sample of two communities that are joined is of those that they had: most pairs come again and again.
  absl::flat_hash_map<std::uint64_t, Evidence> compared;
  const auto between = [&](std::uint32_t a, std::uint32_t b) -> const Evidence& {
    const auto [at, fresh] = compared.try_emplace(std::uint64_t{std::min(a, b)} << 32 | std::max(a, b));
    if (fresh) at->second = all.between(a, b);
    return at->second;
  };
  const auto complete = [&](Cluster& cluster) {
    std::ranges::sort(cluster.members);
    cluster.sample.resize(std::min(kRepresentatives, cluster.members.size()));
    std::ranges::partial_sort_copy(cluster.members, cluster.sample,
                                   [&](std::uint32_t a, std::uint32_t b) { return by_mixed(ips[a], ips[b]); });
    cluster.inside = {};
    for (std::size_t i = 0; i < cluster.sample.size(); ++i) {
      for (std::size_t j = i + 1; j < cluster.sample.size(); ++j)
        cluster.inside.add(between(cluster.sample[i], cluster.sample[j]));
    }
    cluster.inside.done();
    std::vector<std::uint32_t> before;
    for (const std::uint32_t m : cluster.members) {
      if (nodes[m]->network != kNone) before.push_back(nodes[m]->network);
    }
    std::ranges::sort(before);
    cluster.before = kNone;
    std::size_t most = cluster.members.size() / 2;
    for (std::size_t i = 0; i < before.size();) {
      std::size_t end = i;
      while (end < before.size() && before[end] == before[i]) ++end;
      if (end - i > most) cluster.before = before[i];
      most = std::max(most, end - i);
      i = end;
    }
  };

  std::uint32_t count = 0;
  for (const std::uint32_t c : communities) count = std::max(count, c + 1);
  std::vector<Cluster> found(count);
  for (std::size_t i = 0; i < communities.size(); ++i)
    found[communities[i]].members.push_back(static_cast<std::uint32_t>(i));
  std::erase_if(found, [](const Cluster& cluster) { return cluster.members.size() < 2; });
  std::ranges::sort(found, {}, [](const Cluster& cluster) { return cluster.members.front(); });
  for (Cluster& cluster : found) complete(cluster);

  // How well two communities fit together: their mean evidence over that
  // inside, 0 if they must not be joined.
  const auto fit = [&](const Cluster& a, const Cluster& b) {
    const bool known = a.before != kNone && b.before != kNone;
    const JoinRule& rule = !known ? kJoinFresh : a.before == b.before ? kJoinSame : kJoinOther;
    Mean cross;
    for (const std::uint32_t i : a.sample) {
      for (const std::uint32_t j : b.sample) cross.add(between(i, j));
    }
    cross.done();
    // Two or three nodes say little of what a network is inside.
    const Cluster& small = a.members.size() < b.members.size() ? a : b;
    const Cluster& large = &small == &a ? b : a;
    const bool thin = small.members.size() < 6;
    const auto inside = [&](double in_small, double in_large) {
      return thin ? in_large : std::min(in_small, in_large);
    };
    const double whole = inside(small.inside.worth, large.inside.worth);
    const double least = (&rule == &kJoinSame ? kStay : 1) * limits_.link;
    if (cross.worth < least || cross.worth < rule.share * whole) return 0.0;
    for (std::size_t g = 0; g < kEvidenceGroups; ++g) {
      const double own = inside(small.inside.groups.groups[g], large.inside.groups.groups[g]);
      const double other = cross.groups.groups[g];
      if (own - other >= rule.group_nats && other <= rule.group_share * own) return 0.0;
    }
    return cross.worth / std::max(whole, 1.0);
  };
  // Only communities with a link between them come into question.
  std::vector<std::uint32_t> cluster_of(ips.size(), static_cast<std::uint32_t>(found.size()));
  for (std::size_t c = 0; c < found.size(); ++c) {
    for (const std::uint32_t m : found[c].members) cluster_of[m] = static_cast<std::uint32_t>(c);
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> fits;  // lower number first
  for (const Edge& edge : edges) {
    const auto [a, b] = std::minmax(cluster_of[edge.a], cluster_of[edge.b]);
    if (a == b || b >= found.size()) continue;
    if (const auto [at, fresh] = fits.try_emplace({a, b}); fresh) at->second = fit(found[a], found[b]);
  }
  while (true) {
    const auto best = std::ranges::max_element(fits, {}, [](const auto& item) { return item.second; });
    if (best == fits.end() || best->second == 0) break;
    const auto [a, b] = best->first;
    found[a].members.insert(found[a].members.end(), found[b].members.begin(), found[b].members.end());
    found[b].gone = true;
    complete(found[a]);
    std::vector<std::uint32_t> neighbours;
    for (auto at = fits.begin(); at != fits.end();) {
      const auto [x, y] = at->first;
      const bool touched = x == a || y == a || x == b || y == b;
      if (touched) {
        for (const std::uint32_t n : {x, y}) {
          if (n != a && n != b) neighbours.push_back(n);
        }
      }
      at = touched ? fits.erase(at) : std::next(at);
    }
    for (const std::uint32_t n : neighbours) {
      if (const auto [at, fresh] = fits.try_emplace(std::minmax(a, n)); fresh) at->second = fit(found[a], found[n]);
    }
  }
  std::erase_if(found, [&](const Cluster& cluster) {
    return cluster.gone || cluster.members.size() < limits_.least_nodes ||
           cluster.inside.worth < (cluster.before == kNone ? 1 : kStay) * limits_.link;
  });

  // Who fits in badly stays out.
  for (Cluster& cluster : found) {
    const double least = std::max(limits_.join, limits_.join_share * cluster.inside.worth);
    std::erase_if(cluster.members, [&](std::uint32_t m) {
      const bool stays = cluster.before != kNone && nodes[m]->network == cluster.before;
      if (stays && !all.changed[m]) return false;  // nothing speaks against it that did not before
      Fit own;
      for (const std::uint32_t other : cluster.sample) {
        if (other != m) own.add(all.between(m, other));
      }
      return own.nats() < (stays ? kStay : 1) * least;
    });
    if (!cluster.members.empty()) complete(cluster);
  }
  std::erase_if(found, [&](const Cluster& cluster) {
    const double least = cluster.before == kNone ? 1 : kStay;
    return cluster.members.size() < limits_.least_nodes || cluster.inside.worth < least * limits_.join ||
           !organised(cluster.inside.groups.groups, least);
  });
  return found;
}

// Which campaigns are one operator's.
void NetworkTracker::join_campaigns() {
  if (around_.campaigns.empty()) return;
  struct Sources {
    double all = 0;
    // Of them, expected: sources of an ordinary day, which may come to every
    // campaign. In thousandths, so that the order in which nodes are added
    // decides nothing.
    double regulars = 0;
  };
  absl::flat_hash_map<std::uint32_t, Sources> sources;  // by campaign
  absl::flat_hash_map<std::pair<std::uint32_t, std::uint32_t>, double> common;
  for (const auto& [ip, node] : nodes_) {
    if (node.profile.campaigns().empty()) continue;
    std::map<std::uint32_t, double> of;
    for (const CampaignDay& day : node.profile.campaigns()) {
      const auto share = around_.campaigns.find(day);
      if (share == around_.campaigns.end()) continue;
      double& most = of[day.campaign];
      most = std::max(most, share->second.share());
    }
    for (auto a = of.begin(); a != of.end(); ++a) {
      Sources& s = sources[a->first];
      ++s.all;
      s.regulars += std::round(1000 * (1 - a->second));
      for (auto b = std::next(a); b != of.end(); ++b) ++common[{a->first, b->first}];
    }
  }
  // The one with the first text stands for all: numbers of symbols differ from
  // process to process.
  auto& root = around_.one_operator;
  const auto before = root;
  root.clear();
  const auto find = [&](std::uint32_t campaign) {
    for (auto up = root.find(campaign); up != root.end(); up = root.find(campaign)) campaign = up->second;
    return campaign;
  };
  for (const auto& [pair, n] : common) {
    const Sources &a = sources[pair.first], &b = sources[pair.second];
    const double few = std::min(a.all, b.all);
    if (n < kCommonSources || n < kCommonPart * few || n < kBeyondRegulars * std::min(a.regulars, b.regulars) / 1000)
      continue;
    std::uint32_t x = find(pair.first), y = find(pair.second);
    if (x == y) continue;
    if (core::Symbol(y).text() < core::Symbol(x).text()) std::swap(x, y);
    root[y] = x;
  }
  for (auto& [campaign, whole] : root) whole = find(whole);
  if (root == before) return;
  for (auto& [ip, node] : nodes_) {
    if (!node.profile.campaigns().empty()) node.changed = now_;
  }
}

bool NetworkTracker::worth_clustering() const {
  if (in_graph_ > limits_.large_graph && now_ - last_clustering_ < kDay)
    return static_cast<double>(sightings_since_) >= limits_.sightings_each * static_cast<double>(in_graph_);
  return sightings_since_ > 0;
}

void NetworkTracker::recluster() {
  ++counts_.clusterings;
  expire();
  join_campaigns();
  // What only scans makes room first, then who was seen least recently.
  struct Candidate {
    bool only_scans;
    Nanoseconds last;
    Ip ip;
  };
  std::vector<Candidate> candidates;
  for (auto& [ip, node] : nodes_) {
    age(ip, node);
    if (changed_since_clustering(node)) node.findable = findable(node.profile);
    if (node.findable == Findable::kNothing || !eligible(ip, node)) continue;
    candidates.push_back({node.findable == Findable::kByScan, node.last, ip});
  }
  if (candidates.size() > limits_.most_graph) {
    counts_.not_clustered += candidates.size() - limits_.most_graph;
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(limits_.most_graph);
    std::ranges::nth_element(candidates, end, [](const Candidate& a, const Candidate& b) {
      if (a.only_scans != b.only_scans) return b.only_scans;
      return a.last != b.last ? a.last > b.last : a.ip < b.ip;
    });
    candidates.erase(end, candidates.end());
  }
  Candidates all(around_);
  std::vector<Ip>& ips = all.ips;
  std::vector<const Node*>& nodes = all.nodes;
  ips.reserve(candidates.size());
  for (const Candidate& candidate : candidates) ips.push_back(candidate.ip);
  std::ranges::sort(ips);
  in_graph_ = ips.size();
  sightings_since_ = unplaced_ = 0;
  for (const Ip& ip : ips) {
    nodes.push_back(&nodes_.at(ip));
    all.changed.push_back(changed_since_clustering(*nodes.back()));
  }
  all.look_up();

  const std::vector<Edge> edges = graph(all);
  const auto cut = communities(ips.size(), edges);
  if (!cut) {
    ++counts_.clusterings_failed;
    return;
  }
  std::vector<Cluster> found = clusters(all, edges, *cut);

  // Old networks and new communities find one another by the largest number of
  // common nodes.
  struct Match {
    std::size_t common = 0;
    std::uint32_t network = kNone;
    std::size_t cluster = 0;
  };
  std::vector<Match> matches;
  std::vector<absl::flat_hash_map<std::uint32_t, std::size_t>> from(found.size());  // by network before
  for (std::size_t c = 0; c < found.size(); ++c) {
    for (const std::uint32_t m : found[c].members) {
      if (nodes[m]->network != kNone) ++from[c][nodes[m]->network];
    }
    for (const auto& [network, common] : from[c]) matches.push_back({common, network, c});
  }
  std::ranges::sort(matches, [](const Match& a, const Match& b) {
    if (a.common != b.common) return a.common > b.common;
    return a.network != b.network ? a.network < b.network : a.cluster < b.cluster;
  });
  std::vector<std::uint32_t> home(found.size(), kNone);
  absl::flat_hash_map<std::uint32_t, std::size_t> taken;
  for (const Match& match : matches) {
    if (home[match.cluster] != kNone || taken.contains(match.network)) continue;
    home[match.cluster] = match.network;
    taken.emplace(match.network, match.cluster);
  }

  const auto tell = [](Entity& entity, NetworkChange change) {
    entity.history.push_back(std::move(change));
    // The first says how it was born.
    if (entity.history.size() > kMostHistory) entity.history.erase(entity.history.begin() + 1);
  };
  bool drawn_anew = false;
  for (std::size_t c = 0; c < found.size(); ++c) {
    if (home[c] != kNone) continue;
    drawn_anew = true;
    Entity entity;
    std::uint64_t seed = static_cast<std::uint64_t>(now_);
    const std::string founder = ips[found[c].members.front()].text();
    const auto known = [&] {
      return std::ranges::any_of(networks_, [&](const auto& item) { return item.second.id == entity.id; });
    };
    do {
      entity.id = fmt::format("{:016x}", core::hash64(founder, seed++));
    } while (known());
    entity.first = now_;
    std::string why = fmt::format("{} nodes, {}", found[c].members.size(), in_words(found[c].inside));
    const std::uint32_t origin = found[c].before;
    if (origin != kNone && taken.contains(origin)) {
      Entity& old = networks_.at(origin);
      Mean cross;
      for (const std::uint32_t i : found[c].sample) {
        for (const std::uint32_t j : found[taken.at(origin)].sample) {
          cross.add(all.between(i, j));
        }
      }
      cross.done();
      why += fmt::format("; {:.1f} to the nodes of {}", cross.worth, old.id);
      tell(entity, {now_, NetworkChangeKind::kSplit, old.id, why});
      tell(old, {now_, NetworkChangeKind::kSplit, entity.id, why});
    } else {
      tell(entity, {now_, NetworkChangeKind::kBorn, "", why});
    }
    home[c] = next_network_;
    networks_.emplace(next_network_++, std::move(entity));
  }
  // Networks of which most nodes went into another one.
  std::vector<std::uint32_t> before;
  for (const auto& [number, entity] : networks_) before.push_back(number);
  std::ranges::sort(before);
  absl::flat_hash_map<std::uint32_t, std::uint32_t> into;
  for (const std::uint32_t number : before) {
    Entity& old = networks_.at(number);
    if (taken.contains(number) || old.members.empty()) continue;
    for (std::size_t c = 0; c < found.size(); ++c) {
      const auto part = from[c].find(number);
      if (part == from[c].end() || 2 * part->second < old.members.size()) continue;
      Entity& heir = networks_.at(home[c]);
      if (&heir == &old) continue;
      tell(heir, {now_, NetworkChangeKind::kMerged, old.id,
                  fmt::format("{} of its {} nodes are in one community with "
                              "this network's: {}",
                              part->second, old.members.size(), in_words(found[c].inside))});
      into.emplace(number, home[c]);
      break;
    }
  }

  std::vector<std::uint32_t> now_in(ips.size(), kNone);
  for (std::size_t c = 0; c < found.size(); ++c) {
    for (const std::uint32_t m : found[c].members) now_in[m] = home[c];
  }
  // Who was in a network and is no more; those beyond the graph's bound stay
  // where they were.
  for (std::size_t i = 0; i < ips.size(); ++i) {
    Node& node = nodes_.at(ips[i]);
    if (node.network == now_in[i] || node.network == kNone) continue;
    if (now_in[i] == kNone) {
      leave(ips[i], node);
    } else {
      node.network = kNone;
    }
  }
  for (const std::uint32_t number : before) {
    Entity& entity = networks_.at(number);
    std::erase_if(entity.members, [&](const Ip& ip) { return nodes_.at(ip).network != number; });
  }
  for (std::size_t c = 0; c < found.size(); ++c) {
    Entity& entity = networks_.at(home[c]);
    entity.cohesion = found[c].inside.worth;
    absl::flat_hash_set<Ip> returned;
    for (const std::uint32_t m : found[c].members) {
      Node& node = nodes_.at(ips[m]);
      if (node.network != home[c]) {
        entity.members.push_back(ips[m]);
        returned.insert(ips[m]);
      }
      node.network = home[c];
      entity.first = std::min(entity.first, node.first);
      entity.last = std::max(entity.last, node.last);
    }
    std::ranges::sort(entity.members);
    std::erase_if(entity.past, [&](const PastNode& past) { return returned.contains(past.ip); });
    entity.representatives = sample(entity.members);
  }
  for (const std::uint32_t number : before) {
    const auto to = into.find(number);
    if (to == into.end()) continue;
    // Nodes that were in no community now: beyond the graph's bound.
    for (const Ip& ip : networks_.at(number).members) leave(ip, nodes_.at(ip));
    Entity old = std::move(networks_.at(number));
    networks_.erase(number);
    Entity& heir = networks_.at(to->second);
    for (PastNode& past : old.past) {
      const auto alive = nodes_.find(past.ip);
      if (alive == nodes_.end() || alive->second.network != to->second) heir.past.push_back(std::move(past));
    }
    while (heir.past.size() > limits_.most_past_nodes) {
      heir.past.pop_front();
      ++counts_.past_nodes_forgotten;
    }
    heir.first = std::min(heir.first, old.first);
    heir.attempts += old.attempts;
    heir.account_days += old.account_days;
  }
  if (networks_.size() > limits_.most_networks) {
    std::vector<std::pair<Nanoseconds, std::uint32_t>> by_last;
    for (const auto& [number, entity] : networks_) by_last.emplace_back(entity.last, number);
    std::ranges::sort(by_last);
    by_last.resize(networks_.size() - limits_.most_networks);
    for (const auto& [last, number] : by_last) {
      for (const Ip& ip : networks_.at(number).members) nodes_.at(ip).network = kNone;
      networks_.erase(number);
    }
    counts_.networks_forgotten += by_last.size();
  }
  for (std::size_t i = 0; i < ips.size(); ++i) {
    Node& node = nodes_.at(ips[i]);
    if (node.network != kNone || (node.last < last_clustering_ && !drawn_anew)) continue;
    shown_.clear();
    for (const NodeProfile::Count& count : node.profile.counts()) shown_.push_back(count.trait);
    join(ips[i], node, shown_);
  }
  last_clustering_ = now_;
}

}  // namespace orbwatch::track
