// What is told of a network.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "track/captures.h"
#include "track/forecast.h"
#include "track/networks.h"
#include "track/overlap.h"
#include "track/size_estimate.h"
#include "track/survival.h"

namespace orbwatch::track {
namespace {

using core::Ip;
using core::kDay;
using core::Nanoseconds;

constexpr std::size_t kMostTold = 20;  // traits, accounts, gateways, ports
constexpr std::int64_t kBirthDays = 30;

constexpr std::size_t kMostSteps = 200;
constexpr std::int64_t kUnsettledDays = 3;
constexpr std::int64_t kLeastDays = 5;
constexpr std::size_t kLinkedNodes = 100;
constexpr std::size_t kLinksEach = 3;
constexpr std::size_t kMostLikely = 5;

score::Bounds bounds(const Estimate& e) { return {e.value, e.low, e.high}; }

double days_between(Nanoseconds from, Nanoseconds to) {
  return static_cast<double>(to - from) / static_cast<double>(kDay);
}

}  // namespace

NetworkNode NetworkTracker::report(const Ip& ip, const Node& node) const {
  NetworkNode out;
  out.ip = ip;
  out.first = node.first;
  out.last = node.last;
  out.asn = node.facts.asn;
  out.provider = node.facts.provider.text();
  out.country = node.facts.country.text();
  out.city = node.facts.city.text();
  out.latitude = node.facts.latitude;
  out.longitude = node.facts.longitude;
  out.type = node.facts.type;
  for (const std::uint32_t n : node.kinds) out.sightings += n;
  out.strength = node.strength;
  const auto seen = [&](SightingKind kind) { return node.kinds[static_cast<std::size_t>(kind)]; };
  const std::uint32_t attempts = seen(SightingKind::kFailedLogin) + seen(SightingKind::kStrangeLogin);
  const std::uint32_t sessions = seen(SightingKind::kSession), probes = seen(SightingKind::kProbe);
  const bool server = node.facts.type == core::NetworkType::kHosting || node.facts.type == core::NetworkType::kVpn;
  const bool shows = node.profile.total(TraitKind::kCertificate) + node.profile.total(TraitKind::kBanner) +
                         node.profile.total(TraitKind::kNodePort) >
                     0;
  // Who comes to a gateway is the last hop, whatever stands behind it. A rented server that only shows what its
  // services are is where the operator enters; a home device that does is on the way.
  if (attempts + sessions + probes > 0) {
    out.role = NodeRole::kExit;
    out.role_why =
        fmt::format("came to gateways itself: {} attempts, {} sessions, {} probes", attempts, sessions, probes);
  } else if (shows && server) {
    out.role = NodeRole::kOnRamp;
    out.role_why =
        fmt::format("{}: a service of the network's kind, and never seen at a gateway", core::label(node.facts.type));
  } else if (shows) {
    out.role = NodeRole::kTraversal;
    out.role_why = "a device with the network's traits that never came to a gateway";
  } else {
    out.role_why = "known from lists alone";
  }
  return out;
}

std::vector<const NetworkTracker::PastNode*> NetworkTracker::past_of(const Entity& entity) const {
  absl::flat_hash_set<Ip> known(entity.members.begin(), entity.members.end());
  std::vector<const PastNode*> out;
  for (auto past = entity.past.rbegin(); past != entity.past.rend(); ++past) {
    if (known.insert(past->ip).second) out.push_back(&*past);
  }
  return out;
}

// A judgement of how much there is, not a measured probability.
double NetworkTracker::confidence(const Entity& entity) const {
  std::vector<Ip> members = entity.members;
  std::ranges::sort(members);  // sums depend on the order
  double strength = 0;
  for (const Ip& ip : members) strength += nodes_.at(ip).strength;
  auto n = static_cast<double>(members.size());
  if (members.empty()) {
    for (const PastNode& past : entity.past) strength += past.strength;
    n = static_cast<double>(entity.past.size());
  }
  if (n == 0) return 0;
  const double x = 0.4 * (entity.cohesion - limits_.join) + std::log(n / static_cast<double>(limits_.least_nodes)) +
                   0.3 * (std::min(strength / n, 5.0) - limits_.least_strength) - 0.5;
  return 1 / (1 + std::exp(-x));
}

Network NetworkTracker::report(const Entity& entity, bool in_full) const {
  Network out;
  out.id = entity.id;
  out.first = entity.first;
  out.last = entity.last;
  out.cohesion = entity.cohesion;
  out.history = entity.history;
  out.active_nodes = entity.members.size();
  std::vector<Ip> members = entity.members;
  std::ranges::sort(members);
  absl::flat_hash_map<Trait, std::size_t> shown;
  std::array<std::size_t, kTraitKinds> showing{};  // nodes with a trait of that kind
  for (const Ip& ip : members) {
    const Node& node = nodes_.at(ip);
    out.nodes.push_back(report(ip, node));
    for (const NodeProfile::Count& count : node.profile.counts()) ++shown[count.trait];
    for (std::size_t k = 0; k < kTraitKinds; ++k)
      showing[k] += node.profile.total(static_cast<TraitKind>(k)) > 0 ? 1 : 0;
    for (std::size_t h = 0; h < 24; ++h) out.behaviour.hours[h] += node.hours[h];
  }
  for (const PastNode* gone : past_of(entity)) {
    const PastNode& past = *gone;
    NetworkNode& node = out.nodes.emplace_back();
    node.active = false;
    node.ip = past.ip;
    node.first = past.first;
    node.last = past.last;
    node.asn = past.facts.asn;
    node.provider = past.facts.provider.text();
    node.country = past.facts.country.text();
    node.city = past.facts.city.text();
    node.latitude = past.facts.latitude;
    node.longitude = past.facts.longitude;
    node.type = past.facts.type;
    node.sightings = past.sightings;
    node.strength = past.strength;
    node.role_why = "gone; its steps are not kept";
  }
  std::ranges::sort(out.nodes, [](const NetworkNode& a, const NetworkNode& b) {
    if (a.active != b.active) return a.active;
    return a.last != b.last ? a.last > b.last : a.ip < b.ip;
  });

  for (const auto& [trait, nodes] : shown) {
    NetworkTrait told;
    told.kind = name(trait.kind);
    told.nodes = nodes;
    told.share_inside = static_cast<double>(nodes) / static_cast<double>(showing[static_cast<std::size_t>(trait.kind)]);
    told.share_background = around_.share(trait);
    told.lift = told.share_inside / told.share_background;
    std::vector<NetworkTrait>* list = nullptr;
    switch (trait.kind) {
      case TraitKind::kAccount:
        ++out.behaviour.accounts_tried;
        list = &out.behaviour.accounts;
        break;
      case TraitKind::kGateway: list = &out.behaviour.gateways; break;
      case TraitKind::kPortAsked: list = &out.behaviour.ports; break;
      case TraitKind::kHours:
      case TraitKind::kPace:
      case TraitKind::kAccountPace:
      case TraitKind::kProvider:
      case TraitKind::kCountry:
      case TraitKind::kScanWindow: break;
      case TraitKind::kCampaign: out.campaigns.push_back(trait.text()); break;
      default:
        // A trait of the network, not of one node or of everybody.
        if (nodes >= 2 && told.lift > 1.5) list = &out.traits;
    }
    if (list == nullptr) continue;
    told.text = trait.text();
    list->push_back(std::move(told));
  }
  const auto shorten = [](std::vector<NetworkTrait>& list, auto before) {
    std::ranges::sort(list, [&](const NetworkTrait& a, const NetworkTrait& b) {
      if (before(a, b) != before(b, a)) return before(a, b);
      if (a.nodes != b.nodes) return a.nodes > b.nodes;
      return a.kind != b.kind ? a.kind < b.kind : a.text < b.text;
    });
    if (list.size() > kMostTold) list.resize(kMostTold);
  };
  // A trait that nearly all show is worth more than one of two nodes that nobody else has.
  shorten(out.traits, [](const NetworkTrait& a, const NetworkTrait& b) {
    return a.share_inside * std::log(a.lift) > b.share_inside * std::log(b.lift);
  });
  for (auto* list : {&out.behaviour.accounts, &out.behaviour.gateways, &out.behaviour.ports})
    shorten(*list, [](const NetworkTrait& a, const NetworkTrait& b) { return a.nodes > b.nodes; });
  if (entity.account_days > 0)
    out.behaviour.attempts_per_account_day =
        static_cast<double>(entity.attempts) / static_cast<double>(entity.account_days);

  std::ranges::sort(out.campaigns);
  if (out.campaigns.size() > kMostTold) out.campaigns.resize(kMostTold);

  absl::flat_hash_map<std::uint32_t, std::size_t> by_provider;
  for (const NetworkNode& node : out.nodes) {
    if (node.asn == 0) continue;
    const auto [at, fresh] = by_provider.try_emplace(node.asn, out.providers.size());
    if (fresh)
      out.providers.push_back({node.asn, node.provider, 0, 0, around_.all.share({TraitKind::kProvider, node.asn})});
    ++out.providers[at->second].nodes;
  }
  for (score::ProviderOfNetwork& p : out.providers)
    p.share = static_cast<double>(p.nodes) / static_cast<double>(out.nodes.size());
  std::ranges::sort(out.providers, [](const auto& a, const auto& b) {
    return a.nodes != b.nodes ? a.nodes > b.nodes : a.asn < b.asn;
  });
  if (out.providers.size() > kMostTold) out.providers.resize(kMostTold);

  const std::int64_t last_day = entity.last / kDay;
  const std::int64_t days = std::clamp<std::int64_t>(last_day - entity.first / kDay + 1, 1, kBirthDays);
  out.births_by_day.resize(static_cast<std::size_t>(days));
  for (const NetworkNode& node : out.nodes) {
    const std::int64_t at = node.first / kDay - (last_day - days + 1);
    if (at >= 0 && at < days) ++out.births_by_day[static_cast<std::size_t>(at)];
  }
  if (!members.empty()) out.confidence = confidence(entity);
  if (!in_full) return out;
  for (NetworkNode& node : out.nodes) {
    if (node.active) node.evidence = mean_evidence(node.ip, nodes_.at(node.ip), entity.representatives);
  }
  estimate(out, entity);
  link(out);
  return out;
}

void NetworkTracker::estimate(Network& network, const Entity& entity) const {
  // A network that has left off coming here need not be dead: it is estimated as of its last day here.
  // Its newest nodes have shown too little to be placed, so that the last days would seem to have fewer.
  std::int64_t last_day = entity.last / kDay;
  const std::int64_t begin = std::max(entity.first / kDay, last_day - static_cast<std::int64_t>(kDays) + 1);
  if (last_day - begin >= kLeastDays + kUnsettledDays) last_day -= kUnsettledDays;
  std::vector<double> windows;
  for (std::int64_t day = begin; day <= last_day; ++day) windows.push_back(static_cast<double>(day - begin));
  std::vector<ObservedLife> lives;
  std::vector<Life> seen_lives;
  // Who dies before he is placed is not here, so that all the others have lived through those days for certain: of how
  // long nodes live only what comes afterwards speaks.
  auto settled = Captures::make(windows);
  if (auto captures = Captures::make(windows)) {
    const auto add = [&](Nanoseconds first, Nanoseconds last, std::uint64_t days, core::NetworkType type) {
      std::vector<std::uint32_t> seen, later;
      for (std::int64_t i = 63; i >= 0; --i) {
        const std::int64_t day = last / kDay - i;
        if ((days >> i & 1) == 0 || day < begin || day > last_day) continue;
        seen.push_back(static_cast<std::uint32_t>(day - begin));
        if (day - first / kDay >= NodeRules::kPlacedDays) later.push_back(seen.back());
      }
      if (!seen.empty()) captures->add(seen);
      if (!later.empty() && settled) settled->add(later);
      // It is gone where it was silent much longer than it ever was while the network went on, or at the time at which
      // its address is given up here as well.
      const int days_seen = std::popcount(days);
      const double alive = days_between(first, last), silent = days_between(last, entity.last);
      const double pause = days_seen < 3 ? 1e9 : alive / (days_seen - 1);
      const bool gone =
          silent > NodeRules::silence(pause) || now_ - last > NodeRules::kSilentHalfLives * half_life_of(type);
      constexpr double kEntry = NodeRules::kPlacedDays;
      if (alive <= kEntry) return;
      lives.push_back({kEntry, alive, gone ? std::max(alive + 1e-6, days_between(first, now_)) : kAlive});
      seen_lives.push_back({kEntry, alive, gone});
    };
    for (const Ip& ip : entity.members) {
      const Node& node = nodes_.at(ip);
      add(node.first, node.last, node.days, node.facts.type);
    }
    for (const PastNode* left : past_of(entity)) {
      const PastNode& past = *left;
      // Who left it may still come here.
      const auto node = nodes_.find(past.ip);
      const bool comes = node != nodes_.end() && node->second.first == past.first;
      add(past.first, comes ? node->second.last : past.last, comes ? node->second.days : past.days, past.facts.type);
    }
    if (const auto size = estimate_size(*captures)) {
      network.size = bounds(size->nodes);
      network.size_day = last_day * kDay;
      network.size_method = name(size->method);
      for (const Assumption assumption : size->violated) network.size_doubts.emplace_back(says(assumption));
    }
  }
  if (settled) {
    if (const auto open = open_population(*settled)) network.half_life_days = bounds(open->half_life);
  }
  if (!network.half_life_days) {
    if (const auto learned = learned_half_life(lives, {}); learned && learned->prior_share < 0.5)
      network.half_life_days = bounds(learned->days);
  }
  if (const auto births = forecast_births(network.births_by_day))
    network.births_expected = score::Bounds{births->expected, births->low, births->high};
  forecast_providers(network);
  // A node that is gone left when it was seen last.
  if (const auto curve = kaplan_meier(seen_lives)) {
    network.survival.emplace_back(0, 1);
    for (const SurvivalStep& step : curve->steps) network.survival.emplace_back(step.days, step.survival);
    // Enough for a picture.
    if (const std::size_t all = network.survival.size(); all > kMostSteps) {
      for (std::size_t i = 0; i < kMostSteps; ++i)
        network.survival[i] = network.survival[i * (all - 1) / (kMostSteps - 1)];
      network.survival.resize(kMostSteps);
    }
  }
}

void NetworkTracker::forecast_providers(Network& network) const {
  const Nanoseconds since = (network.last / kDay - kBirthDays + 1) * kDay;
  absl::flat_hash_map<std::uint32_t, std::size_t> places;
  std::vector<LikelyProvider> providers;
  std::vector<double> counts, shares;
  for (const NetworkNode& node : network.nodes) {
    if (node.asn == 0 || node.first < since) continue;
    const auto [at, fresh] = places.try_emplace(node.asn, providers.size());
    if (fresh) {
      providers.push_back({node.asn, node.provider, {}});
      counts.push_back(0);
      shares.push_back(around_.all.share({TraitKind::kProvider, node.asn}));
    }
    ++counts[at->second];
  }
  // All that it has not come from are one: it takes its part of the shares, and is not told.
  const double known = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (providers.empty() || !(known > 0)) return;
  counts.push_back(0);
  shares.push_back(std::max(0.0, 1 - known));
  for (double& share : shares) share /= std::max(1.0, known);
  const auto likely = likely_providers(counts, shares, kMostLikely + 1);
  if (!likely) return;
  for (const ProviderShare& p : *likely) {
    if (p.provider >= providers.size() || network.likely_providers.size() >= kMostLikely) continue;
    network.likely_providers.push_back(providers[p.provider]);
    network.likely_providers.back().share = bounds(p.share);
  }
}

// Nodes of several networks.
void NetworkTracker::find_overlaps(std::vector<Network>& networks) const {
  struct Place {
    std::size_t network;
    const NetworkNode* node;
  };
  absl::flat_hash_map<Ip, std::vector<Place>> of;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    for (const NetworkNode& node : networks[i].nodes) of[node.ip].push_back({i, &node});
  }
  std::uint64_t population = nodes_.size();
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::pair<Use, Use>>> common;
  std::uint64_t number = 0;
  for (const auto& [ip, places] : of) {
    if (!nodes_.contains(ip)) ++population;
    ++number;
    const auto use = [&](const Place& place) {
      return Use{number, days_between(0, place.node->first), days_between(0, place.node->last)};
    };
    for (std::size_t a = 0; a < places.size(); ++a) {
      for (std::size_t b = a + 1; b < places.size(); ++b)
        common[{places[a].network, places[b].network}].emplace_back(use(places[a]), use(places[b]));
    }
  }
  for (const auto& [pair, uses] : common) {
    Network &a = networks[pair.first], &b = networks[pair.second];
    const auto chance = overlap(a.nodes.size(), b.nodes.size(), uses.size(), population);
    if (!chance) continue;
    std::vector<Use> first, second;
    for (const auto& [one, other] : uses) {
      first.push_back(one);
      second.push_back(other);
    }
    const Handover h = handover(first, second);
    a.overlaps.push_back({b.id, h.common, chance->expected, chance->log10_p, h.onward, h.back, h.together});
    b.overlaps.push_back({a.id, h.common, chance->expected, chance->log10_p, h.back, h.onward, h.together});
  }
  for (Network& network : networks) {
    std::ranges::sort(network.overlaps, [](const NetworkOverlap& a, const NetworkOverlap& b) {
      return a.common != b.common ? a.common > b.common : a.other < b.other;
    });
    if (network.overlaps.size() > Network::kMostOverlaps) network.overlaps.resize(Network::kMostOverlaps);
  }
}

// The strongest links of each of the nodes that were seen last.
void NetworkTracker::link(Network& network) const {
  const std::size_t some = std::min(network.active_nodes, kLinkedNodes);
  std::vector<std::vector<std::pair<double, std::size_t>>> of(some);
  for (std::size_t i = 0; i < some; ++i) {
    for (std::size_t j = i + 1; j < some; ++j) {
      const auto x = nodes_.find(std::min(network.nodes[i].ip, network.nodes[j].ip));
      const auto y = nodes_.find(std::max(network.nodes[i].ip, network.nodes[j].ip));
      if (x == nodes_.end() || y == nodes_.end()) continue;
      const double nats = compare(observed(x->first, x->second), observed(y->first, y->second), around_).total();
      if (nats < limits_.link) continue;
      of[i].emplace_back(-nats, j);
      of[j].emplace_back(-nats, i);
    }
  }
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < some; ++i) {
    std::ranges::sort(of[i]);
    for (std::size_t k = 0; k < std::min(kLinksEach, of[i].size()); ++k)
      pairs.emplace_back(std::min(i, of[i][k].second), std::max(i, of[i][k].second));
  }
  std::ranges::sort(pairs);
  const auto again = std::ranges::unique(pairs);
  pairs.erase(again.begin(), again.end());
  for (const auto& [a, b] : pairs) {
    const auto reasons = why(network.nodes[a].ip, network.nodes[b].ip);
    if (!reasons || reasons->reasons.empty()) continue;
    network.links.push_back({a, b, reasons->nats, reasons->reasons.front().text});
  }
  std::ranges::stable_sort(network.links, std::greater<>(), &score::NetworkLink::nats);
  if (network.links.size() > Network::kMostLinks) network.links.resize(Network::kMostLinks);
}

std::vector<Network> NetworkTracker::networks(bool in_full) const {
  std::vector<Network> out;
  for (const auto& [number, entity] : networks_) out.push_back(report(entity, in_full));
  if (in_full) find_overlaps(out);
  std::ranges::sort(out, [](const Network& a, const Network& b) {
    return a.confidence != b.confidence ? a.confidence > b.confidence : a.id < b.id;
  });
  return out;
}

std::optional<Network> NetworkTracker::network(std::string_view id, bool in_full) const {
  for (const auto& [number, entity] : networks_) {
    if (entity.id == id) return report(entity, in_full);
  }
  return std::nullopt;
}

std::string_view NetworkTracker::network_of(const Ip& address) const {
  const auto node = nodes_.find(address);
  if (node == nodes_.end()) return "";
  const auto entity = networks_.find(node->second.network);
  return entity == networks_.end() ? std::string_view() : std::string_view(entity->second.id);
}

std::string_view NetworkTracker::network_of_campaign(core::Symbol campaign) const {
  std::size_t most = 0;
  std::uint32_t best = kNone;
  for (const auto& [number, entity] : networks_) {
    std::size_t of_it = 0;
    for (const Ip& ip : entity.members) {
      const auto& days = nodes_.at(ip).profile.campaigns();
      of_it += std::ranges::find(days, campaign.id(), &CampaignDay::campaign) != days.end() ? 1 : 0;
    }
    if (of_it > most || (of_it == most && of_it > 0 && number < best)) {
      most = of_it;
      best = number;
    }
  }
  return best == kNone ? std::string_view() : std::string_view(networks_.at(best).id);
}

std::optional<LinkReport> NetworkTracker::why(const Ip& a, const Ip& b) const {
  const auto x = nodes_.find(std::min(a, b)), y = nodes_.find(std::max(a, b));
  if (x == nodes_.end() || y == nodes_.end() || a == b) return std::nullopt;
  const Observed first = observed(x->first, x->second), second = observed(y->first, y->second);
  return LinkReport{compare(first, second, around_).total(), reasons(first, second, around_)};
}

}  // namespace orbwatch::track
