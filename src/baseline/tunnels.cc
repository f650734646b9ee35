#include "baseline/tunnels.h"

#include <algorithm>

namespace orbwatch::baseline {
namespace {

using event::Event;

constexpr Nanoseconds kSweep = core::kHour;
constexpr double kNearlyAll = 0.7;      // of a user's sessions: what they reach is usual
constexpr std::size_t kLeastUsual = 2;  // fewer say nothing
constexpr double kKnownAtAll = 0.5;     // decayed sessions of a user
// Hardly anybody uses a destination that no more than this share of the users does, or one of them alone.
constexpr double kHardlyAnybody = 0.005;
// Of so many tunnels of a gateway, and of this share of them, connections were seen.
constexpr double kLeastShown = 20;
constexpr double kShownShare = 0.5;
// Destinations that are new to a user whom one knows well, rare ones else; the next bins begin at 5, 9, 17.
constexpr std::uint16_t kTelling = 3;
constexpr std::size_t kMostGateways = 10'000;
constexpr std::size_t kMostOfUser = 16;

// What decoders say of a line by which a session goes on (event.reason): its cookie was shown, nobody was asked anew.
Symbol resumed_reason() {
  static const Symbol reason = core::intern("resumed");
  return reason;
}

std::size_t doubling_bin(std::uint16_t count, std::size_t bins) {
  std::size_t bin = 0;
  for (std::uint16_t most = 0; bin + 1 < bins && count > most; ++bin) most = most < 2 ? most + 1 : most * 2;
  return bin;
}

}  // namespace

// Stable across processes and machines: profiles are saved with it. The constants are those of MurmurHash3's finaliser.
std::uint32_t destination_key(const Destination& d) {
  std::uint64_t x = d.ip.low() ^ (d.ip.high() * 0x9e3779b97f4a7c15ULL) ^ (static_cast<std::uint64_t>(d.port) << 32);
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  const auto key = static_cast<std::uint32_t>(x ^ (x >> 33));
  return key == 0 ? 1 : key;
}

std::size_t Reached::fresh_bin() const { return doubling_bin(fresh, kFreshBins); }
std::size_t Reached::rare_bin() const { return doubling_bin(rare, kRareBins); }
std::size_t Reached::usual_bin() const {
  if (usual_seen == 0) return 0;
  if (usual_seen >= usual) return kUsualBins - 1;
  return 3 * usual_seen <= usual ? 1 : 3 * usual_seen <= 2 * usual ? 2 : 3;
}

void ReachShapes::add(const Reached& reached, float weight) {
  if (reached.acquaintance != Acquaintance::kNone) fresh[reached.fresh_bin()] += weight;
  if (reached.fresh > 0) rare[reached.rare_bin()] += weight;
  if (reached.usual > 0) usual[reached.usual_bin()] += weight;
}

void Tunnels::open(const Event& line) {
  if (!line.assigned_ip.present() || !line.user.present() || !line.source_ip.present() ||
      line.assigned_ip == line.source_ip)
    return;
  if (line.time - swept_ >= kSweep) sweep(line.time);
  auto found = tunnels_.find(line.assigned_ip);
  if (found != tunnels_.end() && found->second.user != line.user) {
    forget(line.assigned_ip);  // its end was not seen
    found = tunnels_.end();
  }
  if (found == tunnels_.end()) {
    if (tunnels_.size() >= kMostTunnels) {
      ++refused_;
      return;
    }
    if (const auto all = of_user_.find(line.user); all != of_user_.end() && all->second.size() >= kMostOfUser) {
      const Ip oldest = all->second.front();
      forget(oldest);
    }
    Tunnel& tunnel = tunnels_[line.assigned_ip];
    tunnel.user = line.user;
    tunnel.gateway = line.observer;
    tunnel.source = line.source_ip;
    tunnel.opened = tunnel.last = line.time;
    enlist(line.assigned_ip, tunnel);
    return;
  }
  found->second.last = std::max(found->second.last, line.time);
}

const Tunnel* Tunnels::note(const Event& e, double unit) {
  const auto found = tunnels_.find(e.source_ip);
  if (found == tunnels_.end()) return nullptr;
  Tunnel& tunnel = found->second;
  ++noted_;
  tunnel.last = std::max(tunnel.last, e.time);
  if (tunnel.destinations.size() >= kMostDestinations) return nullptr;
  const Destination destination{e.destination_ip, std::min(e.destination_port, kDynamicPort)};
  if (std::ranges::find(tunnel.destinations, destination) != tunnel.destinations.end()) return nullptr;
  tunnel.destinations.push_back(destination);
  const auto key = destination_key(destination);
  const DestinationProfile* known = profile(tunnel.user);
  if (known != nullptr && known->destinations.contains(key)) return nullptr;
  const Reached before{.fresh = tunnel.fresh, .rare = tunnel.rare};
  ++tunnel.fresh;
  const bool rare = is_rare(key, unit);
  const std::size_t place = rare ? tunnel.rare : tunnel.fresh - 1U;
  if (rare) ++tunnel.rare;
  if (place < tunnel.examples.size()) tunnel.examples[place] = destination;
  const Reached after{.fresh = tunnel.fresh, .rare = tunnel.rare};
  const bool more = after.fresh_bin() > before.fresh_bin() || after.rare_bin() > before.rare_bin();
  return more && telling(tunnel, unit) ? &tunnel : nullptr;
}

bool Tunnels::telling(const Tunnel& tunnel, double unit) const {
  return (acquaintance(tunnel.user, unit) == Acquaintance::kWell ? tunnel.fresh : tunnel.rare) >= kTelling;
}

Acquaintance Tunnels::acquaintance(Symbol user, double unit) const {
  const DestinationProfile* known = profile(user);
  if (known == nullptr || known->sessions < kKnownAtAll * unit) return Acquaintance::kNone;
  return known->sessions < kKnownWell * unit ? Acquaintance::kFew : Acquaintance::kWell;
}

const Tunnel* Tunnels::resumed(const Event& login) const {
  const bool cookie = login.reason == resumed_reason();
  const bool update = login.event_class == event::Class::kSession && login.activity == event::Activity::kUpdate &&
                      login.auth_method == event::AuthMethod::kUnknown;
  if (!cookie && !update) return nullptr;
  const auto of_user = of_user_.find(login.user);
  if (of_user == of_user_.end()) return nullptr;
  const Tunnel* found = nullptr;
  for (const Ip& assigned : of_user->second) {
    const Tunnel& tunnel = tunnels_.at(assigned);
    if (login.assigned_ip.present() && assigned != login.assigned_ip) continue;
    if (tunnel.source == login.source_ip) return nullptr;
    if (tunnel.gateway == login.observer && (found == nullptr || tunnel.last >= found->last)) found = &tunnel;
  }
  return found;
}

const Tunnel* Tunnels::tunnel(const Event& line) const {
  const Ip* assigned = find(line);
  return assigned == nullptr ? nullptr : &tunnels_.at(*assigned);
}

// Of several tunnels of a user the end line names one by its assigned address, else by where it came from; if there is
// but one, it may have moved.
const Ip* Tunnels::find(const Event& end) const {
  const auto found = of_user_.find(end.user);
  if (found == of_user_.end()) return nullptr;
  const auto& all = found->second;
  if (end.assigned_ip.present()) {
    const auto at = std::ranges::find(all, end.assigned_ip);
    if (at != all.end()) return &*at;
  }
  for (const Ip& assigned : all) {
    if (tunnels_.at(assigned).source == end.source_ip) return &assigned;
  }
  return all.size() == 1 && tunnels_.at(all.front()).gateway == end.observer ? &all.front() : nullptr;
}

Reached Tunnels::reached(const Tunnel& tunnel, double unit) const {
  Reached out;
  out.destinations = static_cast<std::uint16_t>(tunnel.destinations.size());
  out.fresh = tunnel.fresh;
  out.rare = tunnel.rare;
  out.examples = tunnel.examples;
  const DestinationProfile* known = profile(tunnel.user);
  out.acquaintance = acquaintance(tunnel.user, unit);
  if (out.acquaintance == Acquaintance::kNone) return out;
  absl::InlinedVector<std::uint32_t, kMostDestinations> keys;
  for (const Destination& d : tunnel.destinations) keys.push_back(destination_key(d));
  for (std::size_t i = 0; i < known->destinations.size(); ++i) {
    if (known->destinations.weight_at(i) < kNearlyAll * known->sessions) continue;
    ++out.usual;
    if (std::ranges::find(keys, known->destinations.key(i)) != keys.end()) ++out.usual_seen;
  }
  if (out.usual < kLeastUsual) out.usual = out.usual_seen = 0;
  return out;
}

std::optional<Reached> Tunnels::reached(const Event& end, double unit) const {
  const Ip* assigned = find(end);
  if (assigned == nullptr) return std::nullopt;
  const Tunnel& tunnel = tunnels_.at(*assigned);
  if (tunnel.destinations.empty() && !shows_connections(tunnel.gateway, unit)) return std::nullopt;
  Reached out = reached(tunnel, unit);
  out.ended = true;
  return out;
}

void Tunnels::close(const Event& end, Teaches teaches, double unit) {
  const Ip* found = find(end);
  if (found == nullptr) return;
  const Ip assigned = *found;
  const Tunnel& tunnel = tunnels_.at(assigned);
  const auto weight = static_cast<float>(unit);
  const std::optional<Reached> reached = this->reached(end, unit);
  if (gateways_.size() < kMostGateways || gateways_.contains(tunnel.gateway)) {
    Shown& shown = gateways_[tunnel.gateway];
    (tunnel.destinations.empty() ? shown.none : shown.some) += weight;
  }
  if (reached && teaches == Teaches::kNew) {
    away_[static_cast<std::size_t>(reached->acquaintance)].add(*reached, weight);
  } else if (reached && teaches == Teaches::kOwn) {
    everyone_[static_cast<std::size_t>(reached->acquaintance)].add(*reached, weight);
    auto& profile = profiles_[end.user];
    if (!profile) profile = std::make_unique<DestinationProfile>();
    DestinationProfile& known = *profile;
    if (reached->acquaintance == Acquaintance::kWell) known.shapes.add(*reached, weight);
    known.sessions += weight;
    for (const Destination& d : tunnel.destinations) {
      const std::uint32_t key = destination_key(d);
      make_popular(key, known.destinations.contains(key) ? 0.0F : weight, end.time);
      known.destinations.add(key, weight);
    }
  }
  forget(assigned);
}

const DestinationProfile* Tunnels::profile(Symbol user) const {
  const auto found = profiles_.find(user);
  return found == profiles_.end() ? nullptr : found->second.get();
}

// By age and address, whatever the order in which they are listed: a restored state must not differ.
void Tunnels::enlist(const Ip& assigned, const Tunnel& tunnel) {
  auto& all = of_user_[tunnel.user];
  const auto older = [&](const Ip& other, const Ip& one) {
    const Nanoseconds a = tunnels_.at(other).opened, b = tunnels_.at(one).opened;
    return a != b ? a < b : other < one;
  };
  all.insert(std::ranges::lower_bound(all, assigned, older), assigned);
}

void Tunnels::forget(const Ip& assigned) {
  const auto found = tunnels_.find(assigned);
  if (found == tunnels_.end()) return;
  const auto of_user = of_user_.find(found->second.user);
  if (of_user != of_user_.end()) {
    const auto at = std::ranges::find(of_user->second, assigned);
    if (at != of_user->second.end()) of_user->second.erase(at);
    if (of_user->second.empty()) of_user_.erase(of_user);
  }
  tunnels_.erase(found);
}

void Tunnels::sweep(Nanoseconds now) {
  swept_ = now;
  std::vector<Ip> over;
  for (const auto& [assigned, tunnel] : tunnels_) {
    if (tunnel.last < now - kLongestSilence) over.push_back(assigned);
  }
  for (const Ip& assigned : over) forget(assigned);
}

bool Tunnels::is_rare(std::uint32_t key, double unit) const {
  const auto found = popular_.find(key);
  if (found == popular_.end()) return true;
  return found->second.users <= unit * std::max(1.0, kHardlyAnybody * static_cast<double>(profiles_.size()));
}

bool Tunnels::shows_connections(Symbol gateway, double unit) const {
  const auto found = gateways_.find(gateway);
  if (found == gateways_.end()) return false;
  const double all = found->second.some + found->second.none;
  return found->second.some >= kLeastShown * unit && found->second.some >= kShownShare * all;
}

void Tunnels::make_popular(std::uint32_t key, float weight, Nanoseconds time) {
  const auto today = static_cast<std::uint32_t>(std::clamp<Nanoseconds>(time / core::kDay, 0, UINT32_MAX));
  if (popular_.size() >= kMostPopular && !popular_.contains(key)) {
    // By age, until a tenth of the room is free.
    for (std::uint32_t age = 64; popular_.size() > kMostPopular - kMostPopular / 10; age /= 2) {
      absl::erase_if(popular_, [&](const auto& item) { return item.second.day + age < today; });
      if (age == 0) break;
    }
    if (popular_.size() >= kMostPopular) popular_.clear();  // all of them today
  }
  Popularity& popularity = popular_[key];
  popularity.users += weight;
  popularity.day = std::max(popularity.day, today);
}

}  // namespace orbwatch::baseline
