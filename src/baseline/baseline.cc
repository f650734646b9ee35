#include "baseline/baseline.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cmath>

namespace orbwatch::baseline {
namespace {

using core::NetworkFacts;
using core::NetworkType;
using event::Activity;
using event::Class;
using event::Outcome;

// Peer groups and AS numbers grow with the organisation, not with its traffic; these caps only stop a hostile log.
// A longer silence of all log sources is a hole in the data, not a row of quiet days.
constexpr double kLongestBreak = 14.0 * 24;  // hours
constexpr double kFarKilometres = 500;       // below, the error of geolocation outweighs the distance
constexpr double kFastest = 1000;            // km/h, an airliner with its wind
constexpr Nanoseconds kLongestOpen = 12 * core::kHour;
constexpr Nanoseconds kNoData = 7 * core::kDay;
constexpr std::size_t kMostGroups = 10'000;
constexpr std::size_t kMostSystems = 200'000;
constexpr std::size_t kMostClients = 200'000;

void hour_add(UserProfile& user, Nanoseconds time, float weight) { user.hours[day_hour(time)] += weight; }

template <typename Map, typename Key>
void add_capped(Map& map, Key key, float weight, std::size_t most) {
  if (key == Key{}) return;
  const auto found = map.find(key);
  if (found != map.end()) {
    found->second += weight;
  } else if (map.size() < most) {
    map.emplace(key, weight);
  }
}

// P(distance) before any data, and the weight of that prior. A line that moves mostly stays in its pool; another line
// of the same provider stands wherever the provider has customers.
constexpr std::array<double, kDistances> kOwnDistance = {0.45, 0.25, 0.10, 0.20};
constexpr std::array<double, kDistances> kOthersDistance = {0.10, 0.20, 0.20, 0.50};
constexpr double kMovedPrior = 0.15;
constexpr double kReturnedPrior = 0.25;
constexpr double kReaddressedPrior = 0.2;
constexpr Nanoseconds kSharedLately = 14 * core::kDay;
// Where lines move this often, a new prefix of the known provider is no news.
constexpr double kMovesAllTheTime = 0.3;

double mixed(double count, double total, double parent, double strength) {
  return (count + strength * parent) / (total + strength);
}

double sum(const std::array<float, kDistances>& weights) {
  double total = 0;
  for (const float w : weights) total += w;
  return total;
}

// The nearest of the user's prefixes.
Distance nearest(const UserProfile& user, std::uint64_t key) {
  Distance best = Distance::kFarther;
  for (std::size_t i = 0; i < user.prefixes.size(); ++i) best = std::min(best, distance(key, user.prefixes.key(i)));
  return best;
}

std::uint16_t method_of(const Event& e) {
  return method_key(static_cast<std::uint8_t>(e.service), static_cast<std::uint8_t>(e.auth_method));
}

bool shared_lately(const SourceProfile* source, const Event& e) {
  return source != nullptr && source->user_count > 0 && source->user_count <= source->users.size() &&
         !source->has_user(e.user) && e.time - source->first_seen < kSharedLately;
}

std::uint16_t day_of(Nanoseconds time) {
  return static_cast<std::uint16_t>(std::clamp<Nanoseconds>(time / core::kDay, 0, UINT16_MAX));
}

void visit(UserProfile::RecentNetwork& network, Nanoseconds time) {
  if (day_of(time) <= network.last_day) return;
  network.last_day = day_of(time);
  if (network.visits < UserProfile::RecentNetwork::kMostVisits) ++network.visits;
}

bool far(Familiarity level) {
  return level == Familiarity::kSameSystemFar || level == Familiarity::kNewSystemFar ||
         level == Familiarity::kNewCountry;
}

double apart(std::uint32_t place_a, std::uint32_t place_b) {
  if (place_a == 0 || place_b == 0) return 0;
  double ya, xa, yb, xb;
  unpack_place(place_a, ya, xa);
  unpack_place(place_b, yb, xb);
  return kilometres(ya, xa, yb, xb);
}

}  // namespace

bool is_login(const Event& e) {
  if (e.outcome != Outcome::kSuccess || !e.user.present() || !e.source_ip.present()) return false;
  return (e.event_class == Class::kAuthentication && e.activity == Activity::kLogon) ||
         (e.event_class == Class::kSession && (e.activity == Activity::kStart || e.activity == Activity::kUpdate));
}

bool is_failed_login(const Event& e) {
  return e.event_class == Class::kAuthentication && e.outcome == Outcome::kFailure && e.source_ip.present();
}

ClientChange client_change(const UserProfile& user, const Client& client) {
  if (user.clients.contains(client)) return ClientChange::kSame;
  const std::uint64_t model = model_key(client);
  Client newest;
  for (std::size_t i = 0; i < user.clients.size(); ++i) {
    const Client known = user.clients.key(i);
    if (model_key(known) != model) continue;
    if (!newest.present() || compare_versions(known, newest) > 0) newest = known;
  }
  if (!newest.present()) return ClientChange::kOther;
  const auto order = compare_versions(client, newest);
  return order > 0 ? ClientChange::kUpgraded : order < 0 ? ClientChange::kOlder : ClientChange::kSame;
}

Familiarity familiarity(const UserProfile& user, const Ip& ip, const NetworkFacts& facts) {
  if (user.prefixes.contains(prefix_key(ip))) return Familiarity::kSamePrefix;
  bool near = false;
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  if (place == 0) {
    near = facts.asn != 0 && user.systems.contains(facts.asn);  // no place to compare: the provider alone decides
  } else {
    double y = 0;
    double x = 0;
    for (std::size_t i = 0; i < user.places.size() && !near; ++i) {
      unpack_place(user.places.key(i), y, x);
      near = kilometres(facts.latitude, facts.longitude, y, x) <= kNearKilometres;
    }
  }
  if (facts.asn != 0 && user.systems.contains(facts.asn)) {
    return near ? Familiarity::kSameSystemNear : Familiarity::kSameSystemFar;
  }
  if (near) return Familiarity::kNewSystemNear;
  if (facts.country != 0 && user.countries.contains(facts.country)) return Familiarity::kNewSystemFar;
  return Familiarity::kNewCountry;
}

Strangeness strangeness(const UserProfile& user, const SourceProfile* source, const Event& e, const NetworkFacts& facts,
                        Familiarity level, bool neighbour, const Tunnel* resumed) {
  Strangeness strange;
  strange.roams = roams(facts.type) || roams(user.last_type) ? 1 : 0;
  const bool known = level == Familiarity::kSamePrefix;
  if (known && !neighbour) return strange;
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  // In his usual area it is the log-in before that was odd.
  if (far(level) && place != 0 && user.last_place != 0 && e.time > user.last_login) {
    strange.travels = true;
    strange.kilometres = apart(user.last_place, place);
    strange.hours = static_cast<double>(e.time - user.last_login) / static_cast<double>(core::kHour);
    strange.impossible_travel = strange.kilometres > kFarKilometres && strange.kilometres > kFastest * strange.hours;
  }
  if (resumed != nullptr) {
    strange.resumed = true;
    strange.resumed_from = resumed->source;
    strange.resumed_from_known = user.prefixes.contains(prefix_key(resumed->source));
  }
  for (const auto& open : user.open) {
    if (open.start == 0 || open.ip == e.source_ip || open.ip == strange.resumed_from) continue;
    if (!neighbour && prefix_key(open.ip) == prefix_key(e.source_ip)) continue;
    if (e.time < open.start || e.time - open.start > kLongestOpen) continue;
    strange.open = &open;
    break;
  }
  const Nanoseconds ago = e.time - user.stranger_failure;
  strange.tried = user.stranger_failure != 0 && ago >= 0 && ago <= kTriedLately &&
                  prefix_key(user.stranger_ip) != prefix_key(e.source_ip);  // else it was he who mistyped
  if (source != nullptr && source->successes == 0) {
    for (const auto id : source->failed_users) strange.guessed += id != 0 && id != e.user.id() ? 1 : 0;
  }
  return strange;
}

Baseline::Baseline(const core::NetworkView& networks, const Limits& limits) : networks_(networks), limits_(limits) {}
Baseline::~Baseline() = default;

double Baseline::unit(Nanoseconds time) {
  if (origin_ == 0) origin_ = time;
  // The weight moves by a ten-thousandth in six minutes: no need to ask exp2 for every event.
  if (std::abs(time - unit_time_) > 5 * core::kMinute) {
    unit_time_ = time;
    const double ages = static_cast<double>(time - origin_) / static_cast<double>(kHalfLife);
    unit_value_ = std::exp2(std::clamp(ages, -20.0, 100.0));  // a float holds 2^127
  }
  return unit_value_;
}

const UserProfile* Baseline::user(Symbol name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second.get();
}

View Baseline::view(const Event& e) {
  View v;
  v.now = e.time;
  v.unit = unit(e.time);
  v.networks = &networks_;
  v.source = &networks_.facts(e.source_facts);
  v.everyone = &everyone_;
  v.strangers = &strangers_;
  v.edge = &edge_;
  v.users = users_.size();
  v.login = is_login(e);
  v.failed_login = is_failed_login(e);
  v.remote = e.source_ip.is_global() && !networks_.is_own(e.source_facts);
  if (e.source_ip.present()) {
    const auto found = sources_.find(e.source_ip);
    if (found != sources_.end()) v.source_profile = &found->second;
    v.shared_lately = shared_lately(v.source_profile, e);
  }
  if (!v.login && !v.failed_login) return v;
  v.user = user(e.user);
  if (v.user == nullptr) v.network_key = prefix_key(e.source_ip);
  v.group = group_of(e.group, false);
  if (everyone_.logins > 0) {
    const auto system = systems_.find(v.source->asn);
    if (system != systems_.end()) v.system_share = system->second.logins / everyone_.logins;
  }
  if (!users_.empty()) {
    v.accounts_tried =
        std::min(1.0, strangers_.accounts_until(e.time / core::kDay) / static_cast<double>(users_.size()));
  }
  v.method = method_of(e);
  v.client = client_of(e);
  if (v.login && v.user == nullptr) {
    v.first_login = accounts_.first_login();
    v.unseen_accounts = accounts_.unseen();
  }
  if (v.user != nullptr) {
    const UserProfile& user = *v.user;
    const Novelty found = novelty(user, e, *v.source);
    v.familiarity = found.level;
    v.network_since = found.since;
    v.neighbour = found.neighbour;
    v.strange = strangeness(user, v.source_profile, e, *v.source, found.level, found.neighbour,
                            v.login ? tunnels_.resumed(e) : nullptr);
    v.network_key = found.neighbour ? address_key(e.source_ip) : prefix_key(e.source_ip);
    if (v.login && found.level != Familiarity::kSamePrefix) {
      for (const auto& recent : user.recent_networks) {
        const bool same =
            found.since != 0 ? recent.since == found.since : recent.alarmed && recent.prefix == prefix_key(e.source_ip);
        if (!same || e.time <= recent.since || e.time - recent.since > kProbation) continue;
        v.followed = true;
        v.follow_up = recent.follow_up | kAgain;
      }
    }
    double remembered = 0;
    for (std::size_t i = 0; i < user.systems.size(); ++i) {
      const auto system = systems_.find(user.systems.key(i));
      if (system != systems_.end() && everyone_.logins > 0)
        v.known_systems_share += system->second.logins / everyone_.logins;
      remembered += user.systems.weight_at(i);
      View::Usual usual{system != systems_.end() ? system->second.name : Symbol(), user.systems.key(i),
                        user.systems.weight_at(i)};
      for (View::Usual& more : v.usual) {
        if (usual.share > more.share) std::swap(usual, more);
      }
    }
    for (View::Usual& usual : v.usual) usual.share = remembered > 0 ? usual.share / remembered : 0;
    if (v.login) {
      const Forecast expected = corrected(forecast(user, v.group, v.source->asn));
      v.chances = chances(expected.novelty, expected.moved);
      v.readdressed = expected.readdressed;
    }
    if (found.level <= Familiarity::kSameSystemFar) describe_move(v, user, e);
    v.client_change = client_change(user, v.client);
    if (v.login) v.marks = marks_.seen(user, e, v.unit, found.level != Familiarity::kSamePrefix);
    if (v.client.present() && clients_total_ > 0) {
      const auto client =
          clients_.find(v.client_change == ClientChange::kOther ? model_key(v.client) : version_key(v.client));
      if (client != clients_.end()) v.client_share = client->second / clients_total_;
    }
  }
  return v;
}

// The user's own share of what is known of his provider's customers is left out, so that nothing is counted twice.
// Lines that move are the provider's doing; the user differs from its other customers by his equipment alone.
double Baseline::moved(const UserProfile& user, std::uint32_t asn) const {
  const double user_moved = user.moves.weight(asn);
  const double user_total = user.systems.weight(asn);
  double here_moved = 0, here_total = 0;
  const auto system = systems_.find(asn);
  if (system != systems_.end()) {
    here_moved = std::max(0.0, system->second.moved - user_moved);
    here_total = std::max(here_moved, system->second.moved + system->second.stayed - user_total);
  }
  const double unit = unit_value_;
  const double others_moved = std::max(0.0, all_systems_.moved - here_moved - user_moved);
  const double others_total =
      std::max(others_moved, all_systems_.moved + all_systems_.stayed - here_total - user_total);
  double p = mixed(others_moved / unit, others_total / unit, kMovedPrior, 20);
  p = mixed(here_moved / unit, here_total / unit, p, 60);
  return mixed(user_moved / unit, std::max(user_moved, user_total) / unit, p, 30);
}

// Users and providers count twice, at their own level and in the one above: what is rare everywhere stays rare.
double Baseline::readdressed(const UserProfile& user, std::uint32_t asn) const {
  const double unit = unit_value_;
  const auto rate = [&](const auto& counts, double parent, double strength) {
    return mixed(counts.readdressed / unit, (counts.readdressed + counts.address_kept) / unit, parent, strength);
  };
  double p = rate(all_systems_, kReaddressedPrior, 20);
  if (const auto system = systems_.find(asn); system != systems_.end()) p = rate(system->second, p, 20);
  return rate(user, p, 10);
}

// The longer somebody is known, the more of his provider's prefixes are: the odds of another are changed as those of
// all users with so many log-ins differ from those of all.
double Baseline::by_experience(double moved, std::size_t bin) const {
  const auto moves = [&](std::size_t b) {
    const Levels& levels = everyone_.familiarity[b];
    const double away = levels[1] + levels[2];
    return std::pair<double, double>(away, away + levels[0]);
  };
  double away = 0, all = 0;
  for (std::size_t b = 1; b < kExperienceBins; ++b) {
    away += moves(b).first;
    all += moves(b).second;
  }
  const double usual = mixed(away / unit_value_, all / unit_value_, kMovedPrior, 20);
  const double here = mixed(moves(bin).first / unit_value_, moves(bin).second / unit_value_, usual, 20);
  const auto odds = [](double p) { return std::clamp(p, 1e-6, 1 - 1e-6) / (1 - std::clamp(p, 1e-6, 1 - 1e-6)); };
  const double changed = odds(moved) * odds(here) / odds(usual);
  return changed / (1 + changed);
}

Baseline::Forecast Baseline::forecast(const UserProfile& user, const GroupProfile* group, std::uint32_t asn) const {
  return {novelty_chances(user, group, everyone_, unit_value_),
          by_experience(moved(user, asn), experience_bin(user.logins / unit_value_)), readdressed(user, asn)};
}

Baseline::Forecast Baseline::corrected(Forecast f) const {
  f.novelty.new_near = calibrations_[0].corrected(f.novelty.new_near);
  f.novelty.new_far = calibrations_[1].corrected(f.novelty.new_far);
  f.novelty.new_country = calibrations_[2].corrected(f.novelty.new_country);
  f.moved = calibrations_[3].corrected(f.moved);
  f.readdressed = calibrations_[4].corrected(f.readdressed);
  return f;
}

void Baseline::check(const Forecast& f, const Novelty& found, Nanoseconds time) {
  calibrations_[0].add(f.novelty.new_near, found.level == Familiarity::kNewSystemNear, time);
  calibrations_[1].add(f.novelty.new_far, found.level == Familiarity::kNewSystemFar, time);
  calibrations_[2].add(f.novelty.new_country, found.level == Familiarity::kNewCountry, time);
  if (found.level <= Familiarity::kSameSystemFar)
    calibrations_[3].add(f.moved, found.level != Familiarity::kSamePrefix, time);
  if (found.level == Familiarity::kSamePrefix) calibrations_[4].add(f.readdressed, found.neighbour, time);
}

void Baseline::describe_move(View& v, const UserProfile& user, const Event& e) const {
  const auto d = static_cast<std::size_t>(nearest(user, prefix_key(e.source_ip)));
  const auto system = systems_.find(v.source->asn);
  const auto share = [&](const std::array<float, kDistances> SystemProfile::* field,
                         const std::array<double, kDistances>& prior) {
    double p = mixed((all_systems_.*field)[d] / v.unit, sum(all_systems_.*field) / v.unit, prior[d], 20);
    if (system != systems_.end())
      p = mixed((system->second.*field)[d] / v.unit, sum(system->second.*field) / v.unit, p, 10);
    return p;
  };
  const auto returned = v.neighbour ? &SystemProfile::address_returned : &SystemProfile::returned;
  const auto of = v.neighbour ? &SystemProfile::readdressed : &SystemProfile::moved;
  double back = mixed(all_systems_.*returned / v.unit, all_systems_.*of / v.unit, kReturnedPrior, 20);
  if (system != systems_.end()) back = mixed(system->second.*returned / v.unit, system->second.*of / v.unit, back, 10);
  v.returned = std::min(back, 1.0);
  v.distance_own = share(&SystemProfile::own, kOwnDistance);
  v.distance_others = share(&SystemProfile::others, kOthersDistance);
}

bool Baseline::leaves(const UserProfile& user, const UserProfile::RecentNetwork& network, const Event& e,
                      const NetworkFacts& facts) {
  const std::uint64_t key = prefix_key(e.source_ip);
  if (network.since == 0 || network.left || e.time <= network.since || e.time - network.since > kProbation)
    return false;
  if (network.address != 0) return network.prefix == key && user.addresses.contains(address_key(e.source_ip));
  if (network.prefix == key) return false;
  if (same_system(network.level) && facts.asn != 0 && network.system == facts.asn) {
    for (const auto& older : user.recent_networks) {
      if (older.since != 0 && older.key() == key) return older.since < network.since;
    }
    return user.prefixes.contains(key);
  }
  return far(network.level) && network.place != 0 && at_home(novelty(user, e, facts), facts) &&
         apart(network.place, pack_place(facts.latitude, facts.longitude)) > kNearKilometres;
}

std::vector<Baseline::Light> Baseline::light(const Event& e) const {
  std::vector<Light> networks;
  const UserProfile* profile = is_login(e) ? user(e.user) : nullptr;
  if (profile == nullptr) return networks;
  const NetworkFacts& facts = networks_.facts(e.source_facts);
  const Novelty found = novelty(*profile, e, facts);
  for (const auto& recent : profile->recent_networks) {
    const bool left = leaves(*profile, recent, e, facts);
    const auto bits = static_cast<std::uint8_t>(recent.follow_up | follow_up(*profile, recent, e, facts, found));
    if (left || bits != recent.follow_up) networks.push_back({recent.key(), left, bits});
  }
  return networks;
}

std::uint8_t Baseline::follow_up(const UserProfile& user, const UserProfile::RecentNetwork& network, const Event& e,
                                 const NetworkFacts& facts, const Novelty& found) const {
  if (network.since == 0 || network.address != 0 || e.time <= network.since || e.time - network.since > kProbation)
    return 0;
  const bool of_system = facts.asn != 0 && network.system == facts.asn;
  if (network.prefix == prefix_key(e.source_ip) || (of_system && !same_system(network.level))) return kAgain;
  const bool known =
      found.since == 0 && (found.level == Familiarity::kSamePrefix ||
                           (found.level == Familiarity::kSameSystemNear && moved(user, facts.asn) > kMovesAllTheTime));
  // On his own provider's lines leaves() tells more.
  if (known) return of_system ? 0 : kCarriedOn;
  if (found.neighbour) return 0;
  const bool came_up_later = found.since == 0 || found.since > network.since;
  return came_up_later ? kElsewhere : 0;
}

void Baseline::note_follow_ups(UserProfile& user, const Event& e, const NetworkFacts& facts,
                               const Novelty& found) const {
  for (auto& recent : user.recent_networks) recent.follow_up |= follow_up(user, recent, e, facts, found);
}

std::optional<std::uint8_t> Baseline::close_network(const Event& e) {
  const auto found = users_.find(e.user);
  if (found == users_.end()) return std::nullopt;
  const std::uint64_t key = prefix_key(e.source_ip);
  for (const auto& recent : found->second->recent_networks) {
    if (recent.key() != key || recent.since != e.time) continue;
    everyone_.follow_ups[same_system(recent.level) ? 0 : 1][recent.follow_up] += static_cast<float>(unit(e.time));
    return recent.follow_up;
  }
  return std::nullopt;
}

bool Baseline::at_home(const Novelty& found, const NetworkFacts& facts) {
  return found.since == 0 && found.level <= Familiarity::kSameSystemNear && !roams(facts.type) &&
         pack_place(facts.latitude, facts.longitude) != 0;
}

Baseline::Novelty Baseline::novelty(const UserProfile& user, const Event& e, const NetworkFacts& facts) {
  const std::uint64_t key = prefix_key(e.source_ip);
  if (user.prefixes.contains(key)) {
    const std::uint64_t address = address_key(e.source_ip);
    if (user.addresses.contains(address)) return {Familiarity::kSamePrefix, 0, false};
    for (const auto& recent : user.recent_networks) {
      if (recent.since == 0 || recent.alarmed || recent.address != address) continue;
      if (recent.passed(e.time)) return {Familiarity::kSamePrefix, 0, false};
      if (recent.on_probation(e.time)) return {Familiarity::kSamePrefix, recent.since, true};
    }
    return {Familiarity::kSamePrefix, 0, true};
  }
  const Familiarity level = familiarity(user, e.source_ip, facts);
  for (const auto& recent : user.recent_networks) {
    if (recent.since == 0 || recent.alarmed || recent.address != 0 || recent.prefix != key) continue;
    if (recent.on_probation(e.time)) return {recent.level, recent.since, false};
    if (!recent.passed(e.time)) continue;
    // What has passed probation is the network; another address in it is a neighbour's until it is seen to be his.
    return {Familiarity::kSamePrefix, 0, recent.first != address_key(e.source_ip)};
  }
  if (facts.asn == 0 || same_system(level)) return {level, 0, false};
  // A provider new to the user is on probation as a whole: its next address is no new discovery. Of one that has passed
  // every line is some customer's, and hardly any is his.
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  bool passed = false, near = level == Familiarity::kNewSystemNear;
  for (const auto& recent : user.recent_networks) {
    if (recent.since == 0 || recent.alarmed || recent.address != 0 || recent.system != facts.asn) continue;
    if (recent.on_probation(e.time)) return {recent.level, recent.since, false};
    if (!recent.passed(e.time)) continue;
    passed = true;
    near |= recent.place == 0 || place == 0 || apart(recent.place, place) <= kNearKilometres;
  }
  if (passed) return {near ? Familiarity::kSameSystemNear : Familiarity::kSameSystemFar, 0, false};
  return {level, 0, false};
}

SourceProfile* Baseline::source_of(const Ip& ip, Nanoseconds time) {
  if (!ip.present()) return nullptr;
  if (sources_.size() >= limits_.sources && !sources_.contains(ip)) make_room();
  SourceProfile& source = sources_[ip];
  if (source.first_seen == 0) source.first_seen = time;
  source.last_seen = std::max(source.last_seen, time);
  return &source;
}

// Forgets addresses by age, then those that did nothing but knock, until a tenth of the room is free.
void Baseline::make_room() {
  const std::size_t before = sources_.size();
  const std::size_t target = limits_.sources - std::max<std::size_t>(1, limits_.sources / 10);
  Nanoseconds newest = 0;
  for (const auto& [ip, s] : sources_) newest = std::max(newest, s.last_seen);
  for (Nanoseconds age = 30 * core::kDay; age >= core::kHour && sources_.size() > target; age /= 2) {
    // What only a scan has shown has no age.
    absl::erase_if(
        sources_, [&](const auto& item) { return item.second.last_seen != 0 && item.second.last_seen < newest - age; });
  }
  if (sources_.size() > target) {
    absl::erase_if(sources_,
                   [](const auto& item) { return item.second.successes == 0 && item.second.soho_weight == 0; });
  }
  if (sources_.size() > target) sources_.clear();
  forgotten_sources_ += before - sources_.size();
}

void Baseline::note_soho(const Ip& ip, const SohoNote& note, Nanoseconds time) {
  SourceProfile* source = source_of(ip, note.scanned ? 0 : time);
  if (source == nullptr || note.weight <= source->soho_weight) return;
  source->soho_weight = note.weight;
  source->soho_port = note.port;
  source->soho_banner = note.banner;
  source->soho_day =
      note.scanned ? static_cast<std::uint16_t>(std::clamp<Nanoseconds>(time / core::kDay, 0, 65535)) : 0;
}

void Baseline::learn(const Event& e) {
  if (e.time <= 0) return;  // undated, or before 1970: no log of use is that old, and the hours are counted from there
  unit(e.time);
  if (!quarantine_.empty()) release(e.time);
  if (last_learned_ != 0 && e.time - last_learned_ > kNoData) {
    strangers_.skip_to(e.time / core::kDay);
    edge_.skip_to(e.time / core::kDay);
  }
  last_learned_ = std::max(last_learned_, e.time);
  const NetworkFacts& facts = networks_.facts(e.source_facts);
  if (is_login(e)) {
    learn_population(e, facts);
    learn_login(e, facts, false);
  } else if (is_failed_login(e)) {
    learn_failure(e, facts);
  } else if (e.event_class == Class::kSession && e.activity == Activity::kEnd) {
    const auto found = users_.find(e.user);
    if (found == users_.end()) return;
    learn_session(*found->second, e, facts);
    for (auto& open : found->second->open) {
      if (open.ip == e.source_ip) open = {};
    }
  } else if (e.action == event::Action::kDenied && e.source_ip.is_global()) {
    learn_denied(e, facts);
  }
}

// A firewall's verdict, or a flow record that names one (cloud networks log no other).
void Baseline::learn_denied(const Event& e, const NetworkFacts& facts) {
  if (e.event_class != Class::kConnection && e.event_class != Class::kFlow) return;
  const std::size_t port = edge_port(e.destination_port, e.protocol);
  if (e.event_class == Class::kFlow && port == kNoEdgePort) return;
  SourceProfile* source = source_of(e.source_ip, e.time);
  if (source == nullptr) return;
  if (e.event_class == Class::kConnection) ++source->denied;
  if (port != kNoEdgePort && source->successes == 0 && !networks_.is_own(e.source_facts) &&
      !networks_.is_allowed(e.source_facts))
    edge_.learn(e.source_ip, is_access_line(facts.type), e.time, port);
}

SessionShape Baseline::session_shape(const Event& end) const {
  SessionShape shape{end.duration, end.source_bytes, end.destination_bytes};
  const UserProfile* profile = user(end.user);
  if (shape.length > 0 || profile == nullptr) return shape;
  for (const auto& open : profile->open) {
    if (open.start != 0 && open.ip == end.source_ip && end.time > open.start) shape.length = end.time - open.start;
  }
  return shape;
}

Tunnels::Teaches Baseline::teaches(const UserProfile& user, const Event& end, const NetworkFacts& facts) const {
  using enum Tunnels::Teaches;
  if (!end.source_ip.is_global() || networks_.is_own(end.source_facts)) return kNothing;
  for (const auto& recent : user.recent_networks) {
    if (recent.since != 0 && recent.alarmed && recent.prefix == prefix_key(end.source_ip)) return kNothing;
  }
  // What was opened at home is his, wherever it went on.
  if (const Tunnel* tunnel = tunnels_.tunnel(end); tunnel != nullptr && tunnel->source != end.source_ip)
    return user.prefixes.contains(prefix_key(tunnel->source)) ? kOwn : kNew;
  const Novelty found = novelty(user, end, facts);
  return found.since != 0 || found.level >= Familiarity::kNewSystemNear ? kNew : kOwn;
}

void Baseline::learn_session(UserProfile& user, const Event& end, const NetworkFacts& facts) {
  const Tunnels::Teaches what = teaches(user, end, facts);
  if (what == Tunnels::Teaches::kNothing) return;
  const auto w = static_cast<float>(unit(end.time));
  const SessionShape shape = session_shape(end);
  if (what == Tunnels::Teaches::kNew) {
    everyone_.new_sessions.add(shape, w);
  } else {
    everyone_.sessions.add(shape, w);
    user.sessions.add(shape, w);
  }
}

const Tunnel* Baseline::note_destination(const Event& e) {
  if (tunnels_.none()) return nullptr;
  const Ip& to = e.destination_ip;
  if (!to.is_private() && !to.is_cgnat() && !networks_.is_own(e.destination_facts)) return nullptr;
  return tunnels_.note(e, unit(e.time));
}

const Tunnel* Baseline::telling_tunnel(const Event& login) const {
  const Tunnel* tunnel = tunnels_.tunnel(login);
  return tunnel != nullptr && tunnels_.telling(*tunnel, unit_value_) ? tunnel : nullptr;
}

void Baseline::show_reached(View& view, Symbol user, const Reached& reached) const {
  view.reached = &reached;
  view.destinations = tunnels_.profile(user);
  const auto known = static_cast<std::size_t>(reached.acquaintance);
  view.reach_everyone = &tunnels_.everyone()[known];
  view.reach_away = &tunnels_.away()[known];
  view.reachable = static_cast<double>(tunnels_.popular());
}

void Baseline::close_tunnel(const Event& end) {
  const UserProfile* profile = user(end.user);
  const double u = unit(end.time);
  tunnels_.close(
      end, profile == nullptr ? Tunnels::Teaches::kNothing : teaches(*profile, end, networks_.facts(end.source_facts)),
      u);
}

GroupProfile* Baseline::group_of(Symbol name, bool add) {
  if (!name.present()) return nullptr;
  const auto found = groups_.find(name);
  if (found != groups_.end()) return found->second.get();
  if (!add || groups_.size() >= kMostGroups) return nullptr;
  return groups_.emplace(name, std::make_unique<GroupProfile>()).first->second.get();
}

// What the log-in says of people in general; before the user's own profile learns of it.
void Baseline::learn_population(const Event& e, const NetworkFacts& facts) {
  const auto w = static_cast<float>(unit(e.time));
  const auto found = users_.find(e.user);
  const UserProfile* user = found == users_.end() ? nullptr : found->second.get();
  accounts_.see(user == nullptr, e.time);
  GroupProfile* group = group_of(e.group, true);
  const auto type = static_cast<std::size_t>(facts.type);
  const std::size_t bin = user == nullptr ? 0 : experience_bin(user->logins / w);
  const Novelty fresh = user == nullptr ? Novelty{} : novelty(*user, e, facts);
  // On probation, or alarming once more, it is no new discovery.
  bool discovery = fresh.since == 0;
  if (user != nullptr) {
    for (const auto& recent : user->recent_networks)
      discovery &= recent.since == 0 || !recent.alarmed || recent.prefix != prefix_key(e.source_ip);
  }
  const Client client = client_of(e);
  bool client_counts = client.present() && bin > 0 && user->clients.size() > 0;
  const ClientChange change = client_counts ? client_change(*user, client) : ClientChange::kSame;
  if (client_counts) {
    for (const auto& recent : user->recent_clients) client_counts &= recent.since == 0 || recent.client != client;
  }
  // Habits of log-ins from inside say nothing of those from outside.
  const bool remote = e.source_ip.is_global() && !networks_.is_own(e.source_facts);
  const SourceProfile* source = nullptr;
  if (const auto known = sources_.find(e.source_ip); known != sources_.end()) source = &known->second;
  const bool address_is_new = user != nullptr && (source == nullptr || !source->has_user(e.user));
  for (GroupProfile* g : {&everyone_, group}) {
    if (g == nullptr) continue;
    g->logins += w;
    g->hours[hour_of_week(e.time)] += w;
    g->day_hours[day_hour(e.time)] += w;
    if (type < core::kNetworkTypes) g->types[type] += w;
    if (remote && discovery) g->familiarity[bin][static_cast<std::size_t>(fresh.level)] += w;
    if (discovery && bin > 0 && fresh.level >= Familiarity::kNewSystemNear && type < core::kNetworkTypes)
      g->new_types[type] += w;
    g->methods.add(method_of(e), w);
    if (client_counts) g->client_changes[static_cast<std::size_t>(change)] += w;
    if (address_is_new && discovery) (shared_lately(source, e) ? g->shared : g->unshared) += w;
  }
  if (remote && user != nullptr) marks_.count(*user, e, w, fresh.level != Familiarity::kSamePrefix, discovery);
  if (remote && discovery && bin > 0) check(forecast(*user, group, facts.asn), fresh, e.time);
  if (remote && discovery && bin > 0 && (fresh.level != Familiarity::kSamePrefix || fresh.neighbour)) {
    const Strangeness strange = strangeness(*user, source, e, facts, fresh.level, fresh.neighbour, tunnels_.resumed(e));
    Circumstances& counts = everyone_.circumstances[static_cast<std::size_t>(fresh.level)];
    counts.logins[strange.roams] += w;
    if (strange.travels) counts.travels[strange.roams] += w;
    if (strange.impossible_travel) counts.impossible_travels[strange.roams] += w;
    if (strange.open != nullptr) counts.concurrent[strange.roams] += w;
    if (strange.tried) counts.tried[strange.roams] += w;
    if (strange.guessed > 0) counts.guessed[strange.roams] += w;
    if (strange.resumed_from_known) counts.resumed[strange.roams] += w;
  }
  const std::uint32_t place = roams(facts.type) ? 0 : pack_place(facts.latitude, facts.longitude);
  if (discovery && far(fresh.level) && bin > 0 && user->home_login != 0 && e.time > user->home_login &&
      apart(place, user->home_place) > kNearKilometres)
    everyone_.journeys[journey_bin(e.time - user->home_login, apart(place, user->home_place))] += w;
  if (client.present()) {
    add_capped(clients_, version_key(client), w, kMostClients);
    add_capped(clients_, model_key(client), w, kMostClients);
    clients_total_ += w;
  }
  learn_system(e, facts, user, fresh);
}

void Baseline::learn_system(const Event& e, const NetworkFacts& facts, const UserProfile* user, const Novelty& fresh) {
  if (facts.asn == 0) return;
  if (systems_.size() >= kMostSystems && !systems_.contains(facts.asn)) return;
  const auto w = static_cast<float>(unit(e.time));
  const std::uint64_t key = prefix_key(e.source_ip);
  SystemProfile& system = systems_[facts.asn];
  if (!system.name.present()) system.name = core::intern(networks_.text(facts.as_name));
  system.logins += w;
  if (user != nullptr && user->systems.contains(facts.asn) && fresh.since == 0 &&
      fresh.level <= Familiarity::kSameSystemFar) {
    const bool moved = fresh.level != Familiarity::kSamePrefix;
    for (SystemProfile* s : {&system, &all_systems_}) {
      (moved ? s->moved : s->stayed) += w;
      if (!moved) (fresh.neighbour ? s->readdressed : s->address_kept) += w;
      if (moved) s->own[static_cast<std::size_t>(nearest(*user, key))] += w;
    }
  }
  // How far it stands from another customer's line: one of those who used the provider lately.
  bool listed = false;
  for (std::size_t i = 0; i < system.customers.size(); ++i) {
    const Symbol other = system.customers[(system.next_customer + i) % system.customers.size()];
    listed |= other == e.user;
    if (!other.present() || other == e.user) continue;
    const auto profile = users_.find(other);
    if (profile == users_.end()) continue;
    const auto d = static_cast<std::size_t>(nearest(*profile->second, key));
    system.others[d] += w;
    all_systems_.others[d] += w;
    break;
  }
  if (!listed) {
    system.customers[system.next_customer] = e.user;
    system.next_customer = (system.next_customer + 1) % static_cast<std::uint32_t>(system.customers.size());
  }
}

// The part of the user and of the source. `at_once`: without probation.
void Baseline::learn_login(const Event& e, const NetworkFacts& facts, bool at_once) {
  const auto w = static_cast<float>(unit(e.time));
  if (SourceProfile* source = source_of(e.source_ip, e.time)) {
    ++source->successes;
    if (!source->has_user(e.user)) {
      if (source->user_count < source->users.size()) source->users[source->user_count] = e.user.id();
      if (source->user_count <= source->users.size()) ++source->user_count;
    }
  }
  auto& slot = users_[e.user];
  if (!slot) {
    if (users_.size() > limits_.users) {
      users_.erase(e.user);
      ++refused_users_;
      return;
    }
    slot = std::make_unique<UserProfile>();
    slot->first_seen = e.time;
  }
  UserProfile& user = *slot;
  at_once |= user.count < kLearnedAtOnce;
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  // His own line vouches for the client that he uses there.
  const Novelty fresh = novelty(user, e, facts);
  const bool at_home =
      fresh.level == Familiarity::kSamePrefix && (!fresh.neighbour || readdressed(user, facts.asn) >= kKeepsAddress);
  learn_network(user, e, facts, fresh, w, at_once);
  // Where lines move all the time, one that was learned is not known to be his.
  learn_client(user, e, w, at_once || (at_home && moved(user, facts.asn) < kMovesAllTheTime), at_home);
  learn_method(user, e, w, at_once || at_home);
  if (at_once || at_home) marks_.learn(user, e, w);
  hour_add(user, e.time, w);
  user.logins += w;
  accounts_.learn(user.count);
  ++user.count;
  user.last_seen = std::max(user.last_seen, e.time);
  if (place != 0 && e.time >= user.last_login) {
    user.last_login = e.time;
    user.last_ip = e.source_ip;
    user.last_place = place;
    user.last_system = facts.asn;
    user.last_type = facts.type;
  }
  if (e.service == event::Service::kVpn || e.service == event::Service::kSsh) {
    const Tunnel* resumed = tunnels_.resumed(e);
    auto* oldest = &user.open[0];
    for (auto& open : user.open) {
      if (resumed != nullptr && open.ip == resumed->source) open = {};  // it goes on from here
    }
    for (auto& open : user.open) {
      if (open.ip == e.source_ip) {
        oldest = &open;
        break;
      }
      if (open.start < oldest->start) oldest = &open;
    }
    *oldest = {facts.asn, e.time, e.source_ip};
  }
}

void Baseline::learn_network(UserProfile& user, const Event& e, const NetworkFacts& facts, const Novelty& fresh,
                             float w, bool at_once) {
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  for (auto& recent : user.recent_networks) {
    if (!leaves(user, recent, e, facts)) continue;
    recent.left = true;
    if (recent.address == 0 && (!same_system(recent.level) || recent.system != facts.asn)) {
      everyone_.journeys[journey_bin(e.time - recent.since, apart(recent.place, place))] += w;
      continue;
    }
    const auto returned = recent.address != 0 ? &SystemProfile::address_returned : &SystemProfile::returned;
    const auto system = systems_.find(facts.asn);
    if (system != systems_.end()) system->second.*returned += w;
    all_systems_.*returned += w;
  }
  note_follow_ups(user, e, facts, fresh);
  const bool remote = e.source_ip.is_global() && !networks_.is_own(e.source_facts);
  const bool news = !at_once && fresh.neighbour && readdressed(user, facts.asn) < kKeepsAddress;
  for (auto& recent : user.recent_networks) {
    if (recent.since != 0 && recent.since == fresh.since) visit(recent, e.time);
  }
  if (fresh.since != 0 && !at_once) return;
  if (fresh.since == 0) {
    if (remote && experience_bin(user.logins / w) > 0) user.familiarity[static_cast<std::size_t>(fresh.level)] += w;
    at_once |= fresh.level == Familiarity::kSamePrefix ||
               (same_system(fresh.level) && moved(user, facts.asn) > kMovesAllTheTime);
    if (same_system(fresh.level)) user.moves.add(facts.asn, w);
    if (fresh.level == Familiarity::kSamePrefix) (fresh.neighbour ? user.readdressed : user.address_kept) += w;
  }
  if (fresh.since == 0 && (fresh.level != Familiarity::kSamePrefix || news)) note_network(user, e, facts, fresh, false);
  if (at_home(fresh, facts) && e.time >= user.home_login) {
    learn_break(user, e.time, place, w);
    user.home_login = e.time;
    user.home_ip = e.source_ip;
    user.home_place = place;
  }
  if (!at_once) {
    // The provider has passed probation, though not this line.
    if (fresh.since == 0 && same_system(fresh.level) && !user.systems.contains(facts.asn)) {
      user.systems.add(facts.asn, w);
      user.countries.add(facts.country, w);
      if (fresh.level == Familiarity::kSameSystemNear) user.places.add(place, w);
    }
    return;
  }
  if (!news) user.addresses.add(address_key(e.source_ip), w);
  user.prefixes.add(prefix_key(e.source_ip), w);
  user.systems.add(facts.asn, w);
  user.places.add(place, w);
  user.countries.add(facts.country, w);
  const auto type = static_cast<std::size_t>(facts.type);
  if (type < core::kNetworkTypes) user.types[type] += w;
}

// The break that a log-in at home ends. One in which an alarm fell tells nothing of people.
void Baseline::learn_break(UserProfile& user, Nanoseconds now, std::uint32_t place, float w) {
  if (user.home_login == 0 || now <= user.home_login) return;
  const double hours =
      std::min(static_cast<double>(now - user.home_login) / static_cast<double>(core::kHour), kLongestBreak);
  const std::size_t bin = break_bin(hours, usual_break(user, w));
  bool away = false;
  for (const auto& recent : user.recent_networks) {
    if (recent.since <= user.home_login || recent.since >= now || !far(recent.level) || recent.place == 0 ||
        apart(recent.place, place) <= kNearKilometres)
      continue;
    if (recent.alarmed) return;
    away = true;
  }
  if (away) {
    everyone_.breaks_away[bin] += w;
    return;
  }
  const auto weight = w * static_cast<float>(hours);
  everyone_.breaks_home[bin] += weight;
  user.break_hours += weight;
  user.break_squares += weight * static_cast<float>(hours);
}

void Baseline::note_network(UserProfile& user, const Event& e, const NetworkFacts& facts, const Novelty& found,
                            bool alarmed) {
  const std::uint64_t address = found.neighbour ? address_key(e.source_ip) : 0;
  const std::uint64_t key = found.neighbour ? address : prefix_key(e.source_ip);
  auto* slot = &user.recent_networks[0];
  for (auto& recent : user.recent_networks) {
    if (recent.since != 0 && recent.key() == key) {
      slot = &recent;
      break;
    }
    if (recent.since < slot->since) slot = &recent;
  }
  const std::uint32_t place = roams(facts.type) ? 0 : pack_place(facts.latitude, facts.longitude);
  // A network that alarms again goes on with its story.
  const std::uint8_t story =
      slot->key() == key && slot->since != 0 && e.time - slot->since <= kProbation ? slot->follow_up : std::uint8_t{0};
  *slot = {prefix_key(e.source_ip),
           address,
           address_key(e.source_ip),
           e.time,
           facts.asn,
           found.level,
           false,
           alarmed,
           story,
           place,
           1,
           day_of(e.time)};
}

// `at_once`: it is his beyond doubt; `at_home`: after a while.
void Baseline::learn_client(UserProfile& user, const Event& e, float w, bool at_once, bool at_home) {
  const Client client = client_of(e);
  if (!client.present()) return;
  const bool counts = experience_bin(user.logins / w) > 0 && user.clients.size() > 0;
  const ClientChange change = counts ? client_change(user, client) : ClientChange::kSame;
  if (!at_once && user.clients.size() > 0 && !user.clients.contains(client)) {
    auto* slot = &user.recent_clients[0];
    for (auto& recent : user.recent_clients) {
      if (recent.client == client && recent.since != 0) {
        slot = &recent;
        break;
      }
      if (recent.since < slot->since) slot = &recent;
    }
    if (slot->client != client || slot->since == 0) *slot = {client, e.time};
    if (!at_home || e.time - slot->since < kProbation) return;
  }
  if (counts) user.client_changes[static_cast<std::size_t>(change)] += w;
  for (auto& recent : user.recent_clients) {
    if (recent.client == client) recent = {};
  }
  user.clients.add(client, w);
}

// A method becomes the user's own on his own line, or if it is the first for this service; elsewhere it is only
// confirmed.
void Baseline::learn_method(UserProfile& user, const Event& e, float w, bool at_once) {
  const std::uint16_t method = method_of(e);
  bool first = true;
  for (std::size_t i = 0; i < user.methods.size(); ++i)
    first &= method_service(user.methods.key(i)) != method_service(method);
  if (at_once || first || user.methods.contains(method)) user.methods.add(method, w);
}

void Baseline::learn_failure(const Event& e, const NetworkFacts& facts) {
  SourceProfile* source = source_of(e.source_ip, e.time);
  if (source == nullptr) return;
  if (source->failures < UINT32_MAX) ++source->failures;
  bool known = false;
  for (const auto id : source->failed_users) known |= id == e.user.id();
  if (!known) {
    if (source->failed_user_count < source->failed_users.size())
      source->failed_users[source->failed_user_count] = e.user.id();
    if (source->failed_user_count <= source->failed_users.size()) ++source->failed_user_count;
  }
  // A stranger: nobody ever logged in from there, and it tries little. Own networks never are.
  const bool stranger =
      source->successes == 0 && source->failures <= 3 && e.source_ip.is_global() && !networks_.is_own(e.source_facts);
  const auto found = users_.find(e.user);
  const bool neighbour = found != users_.end() && (found->second->prefixes.contains(prefix_key(e.source_ip)) ||
                                                   (facts.asn != 0 && found->second->systems.contains(facts.asn)));
  if (!stranger) return;
  if (found != users_.end()) {
    if (found->second->stranger_failure / core::kDay != e.time / core::kDay)
      strangers_.add_account(e.time / core::kDay);
    found->second->stranger_failure = e.time;
    found->second->stranger_ip = e.source_ip;
  }
  if (neighbour) return;  // the user's own provider: a mistyped password at home
  StrangerFailures& s = strangers_;
  const std::int64_t day = e.time / core::kDay;
  if (s.day == 0) s.day = day;
  if (day > s.day) {
    for (std::int64_t d = s.day; d < day && d < s.day + static_cast<std::int64_t>(StrangerFailures::kDays); ++d)
      s.close_day();
    s.day = day;
  }
  const std::int64_t hour = e.time / core::kHour;
  if (s.hour == 0) s.hour = hour;
  if (hour > s.hour) {
    const std::int64_t steps = std::min<std::int64_t>(hour - s.hour, StrangerFailures::kHours);
    for (std::int64_t i = 1; i <= steps; ++i) {
      const auto slot = static_cast<std::size_t>((s.hour + i) % static_cast<std::int64_t>(StrangerFailures::kHours));
      s.failures[slot] = s.sources[slot] = s.consumer[slot] = 0;
    }
    s.hour = hour;
  }
  const bool today = day == s.day;
  if (today) ++s.today;
  if (hour <= s.hour - static_cast<std::int64_t>(StrangerFailures::kHours)) return;
  const auto slot = static_cast<std::size_t>(hour % static_cast<std::int64_t>(StrangerFailures::kHours));
  ++s.failures[slot];
  if (source->counted_as_stranger(e.time)) return;
  source->stranger_hour = static_cast<std::uint32_t>(hour);
  const bool consumer = facts.type == NetworkType::kConsumer || facts.type == NetworkType::kMobile;
  ++s.sources[slot];
  if (consumer) ++s.consumer[slot];
  if (today) ++s.today_sources;
  if (today && consumer) ++s.today_consumer;
}

void Baseline::forget(const Event& e, bool with_client) {
  const auto found = users_.find(e.user);
  if (found == users_.end()) return;
  UserProfile& user = *found->second;
  const std::uint64_t prefix = prefix_key(e.source_ip);
  const std::uint64_t address = address_key(e.source_ip);
  bool neighbour = false;
  for (auto& recent : user.recent_networks) {
    if (recent.address != 0 ? recent.address != address : recent.prefix != prefix) continue;
    recent.alarmed = true;
    neighbour |= recent.address != 0;
  }
  user.addresses.remove(address);
  if (!neighbour) user.prefixes.remove(prefix);
  if (with_client) user.clients.remove(client_of(e));
}

// What is known at once of a log-in that the user's profile does not learn.
void Baseline::hold_back(const Event& e) {
  const NetworkFacts& facts = networks_.facts(e.source_facts);
  learn_population(e, facts);
  const auto user = users_.find(e.user);
  if (user == users_.end()) return;
  const Novelty found = novelty(*user->second, e, facts);
  note_follow_ups(*user->second, e, facts, found);
  if (found.level != Familiarity::kSamePrefix || found.neighbour) note_network(*user->second, e, facts, found, true);
}

void Baseline::quarantine(const Event& e) {
  if (quarantine_.size() >= limits_.quarantined) quarantine_.pop_front();  // dropped, not learned: it was an alert
  if (is_login(e)) hold_back(e);
  quarantine_.emplace_back(e.time + limits_.quarantine, e);
}

void Baseline::refuse(const Event& login) {
  if (login.time <= 0 || !is_login(login)) return;
  unit(login.time);
  hold_back(login);
}

namespace {

// The prefix_key of an address_key.
std::uint64_t prefix_of(std::uint64_t address) {
  constexpr std::uint64_t kIpv4 = std::uint64_t{1} << 40;
  constexpr std::uint64_t kIpv6 = std::uint64_t{1} << 62;
  if ((address & kIpv6) != 0) return (address & ~kIpv6) >> 16 | std::uint64_t{1} << 63;
  return (address & ~kIpv4) >> 8 | std::uint64_t{1} << 32;
}

// Addresses and prefixes of a verdict's log-ins.
struct Lines {
  explicit Lines(std::span<const Baseline::Origin> origins) {
    for (const Baseline::Origin& origin : origins) {
      if (!origin.ip.present()) continue;
      const std::uint64_t prefix = prefix_key(origin.ip);
      addresses.insert(address_key(origin.ip));
      if (!std::ranges::any_of(prefixes, [&](const auto& known) { return known.first == prefix; }))
        prefixes.emplace_back(prefix, origin.facts);
    }
  }
  bool has_prefix(std::uint64_t key) const {
    return std::ranges::any_of(prefixes, [&](const auto& known) { return known.first == key; });
  }
  absl::flat_hash_set<std::uint64_t> addresses;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> prefixes;  // with facts, in the order of the origins
};

void forget_client(UserProfile& user, const Client& client) {
  user.clients.remove(client);
  for (auto& recent : user.recent_clients) {
    if (recent.client == client) recent = {};
  }
}

}  // namespace

void Baseline::disown(Symbol name, std::span<const Origin> origins, std::span<const Client> clients,
                      std::span<const Nanoseconds> logins) {
  const Lines lines(origins);
  for (const Origin& origin : origins) {
    const auto source = sources_.find(origin.ip);
    if (source == sources_.end() || source->second.user_count > source->second.users.size()) continue;
    auto& known = source->second.users;
    const auto at = std::ranges::find(known, name.id());
    if (at == known.end() || !name.present()) continue;
    std::move(at + 1, known.end(), at);
    known.back() = 0;
    --source->second.user_count;
  }
  const auto found = users_.find(name);
  UserProfile* user = found == users_.end() ? nullptr : found->second.get();
  absl::flat_hash_set<std::uint64_t> shared;  // prefixes in which the user has a line of his own
  if (user != nullptr) {
    for (std::size_t i = 0; i < user->addresses.size(); ++i) {
      const std::uint64_t address = user->addresses.key(i);
      if (!lines.addresses.contains(address) && lines.has_prefix(prefix_of(address))) shared.insert(prefix_of(address));
    }
  }
  const auto theirs = [&](const Ip& ip) {
    const std::uint64_t prefix = prefix_key(ip);
    return lines.addresses.contains(address_key(ip)) || (lines.has_prefix(prefix) && !shared.contains(prefix));
  };
  absl::flat_hash_set<Nanoseconds> untaught;
  std::erase_if(quarantine_, [&](const auto& held) {
    const bool drop = held.second.user == name && theirs(held.second.source_ip);
    if (drop) untaught.insert(held.second.time);
    return drop;
  });
  if (user == nullptr) return;
  for (auto& recent : user->recent_networks) {
    if (recent.since == 0 || !lines.has_prefix(recent.prefix)) continue;
    const bool same = recent.address != 0 ? lines.addresses.contains(recent.address)
                                          : !shared.contains(recent.prefix) || lines.addresses.contains(recent.first);
    recent.alarmed |= same;
  }
  for (const auto& [prefix, facts_at] : lines.prefixes) {
    float taught = 0;
    for (const std::uint64_t address : lines.addresses) {
      if (prefix_of(address) != prefix) continue;
      taught += user->addresses.weight(address);
      user->addresses.remove(address);
    }
    if (shared.contains(prefix)) {
      user->prefixes.subtract(prefix, taught);
    } else {
      taught = user->prefixes.weight(prefix);
      user->prefixes.remove(prefix);
    }
    if (taught == 0) continue;
    const NetworkFacts& facts = networks_.facts(facts_at);
    user->systems.subtract(facts.asn, taught);
    user->places.subtract(pack_place(facts.latitude, facts.longitude), taught);
    user->countries.subtract(facts.country, taught);
    const auto type = static_cast<std::size_t>(facts.type);
    if (type < core::kNetworkTypes) user->types[type] = std::max(0.0F, user->types[type] - taught);
  }
  for (const Client& client : clients) forget_client(*user, client);
  bool first = true;
  for (const Nanoseconds time : logins) {
    if (time <= 0 || untaught.contains(time)) continue;
    const auto w = static_cast<float>(unit(time));
    const auto take_back = [w](float& weight) { weight = std::max(0.0F, weight - w); };
    take_back(user->hours[day_hour(time)]);
    take_back(user->logins);
    // The first was counted as what it is now again.
    if (first && !origins.empty())
      take_back(user->familiarity[static_cast<std::size_t>(
          familiarity(*user, origins[0].ip, networks_.facts(origins[0].facts)))]);
    first = false;
  }
  if (user->home_ip.present() && theirs(user->home_ip)) {
    user->home_login = 0;
    user->home_ip = {};
    user->home_place = 0;
  }
  if (user->last_ip.present() && theirs(user->last_ip)) {
    user->last_login = 0;
    user->last_ip = {};
    user->last_place = user->last_system = 0;
    user->last_type = core::NetworkType::kUnknown;
  }
}

void Baseline::accept(Symbol name, std::span<const Origin> origins, std::span<const Client> clients) {
  const Lines lines(origins);
  std::vector<Event> held;
  std::erase_if(quarantine_, [&](const auto& waiting) {
    const bool his = waiting.second.user == name && lines.has_prefix(prefix_key(waiting.second.source_ip));
    if (his) held.push_back(waiting.second);
    return his;
  });
  const auto known = users_.find(name);
  if (known != users_.end()) {
    for (auto& recent : known->second->recent_networks) {
      if (recent.since != 0 && lines.has_prefix(recent.prefix)) recent = {};
    }
  }
  for (const Event& event : held) {
    if (is_login(event)) learn_login(event, networks_.facts(event.source_facts), true);
  }
  const auto found = users_.find(name);
  if (found == users_.end()) return;
  UserProfile& user = *found->second;
  const auto w = static_cast<float>(unit(std::max(last_learned_, user.last_seen)));
  for (const Origin& origin : origins) {
    if (!origin.ip.present()) continue;
    const NetworkFacts& facts = networks_.facts(origin.facts);
    if (!user.addresses.contains(address_key(origin.ip))) user.addresses.add(address_key(origin.ip), w);
    if (user.prefixes.contains(prefix_key(origin.ip))) continue;
    user.prefixes.add(prefix_key(origin.ip), w);
    user.systems.add(facts.asn, w);
    user.places.add(pack_place(facts.latitude, facts.longitude), w);
    user.countries.add(facts.country, w);
    const auto type = static_cast<std::size_t>(facts.type);
    if (type < core::kNetworkTypes) user.types[type] += w;
  }
  for (const Client& client : clients) {
    if (user.clients.contains(client)) continue;
    forget_client(user, client);
    user.clients.add(client, w);
  }
}

void Baseline::learn_at_once(const Event& login) {
  if (login.time <= 0 || !is_login(login)) return;
  unit(login.time);
  if (!quarantine_.empty()) release(login.time);
  last_learned_ = std::max(last_learned_, login.time);
  const NetworkFacts& facts = networks_.facts(login.source_facts);
  learn_population(login, facts);
  learn_login(login, facts, true);
}

// As long as log-ins from a network go on to alarm, none of them becomes known.
Nanoseconds Baseline::held_until(const Event& e) const {
  const auto found = users_.find(e.user);
  if (found == users_.end()) return 0;
  for (const auto& recent : found->second->recent_networks) {
    const bool same =
        recent.address != 0 ? recent.address == address_key(e.source_ip) : recent.prefix == prefix_key(e.source_ip);
    if (recent.since != 0 && recent.alarmed && same) return recent.since + limits_.quarantine;
  }
  return 0;
}

void Baseline::release(Nanoseconds now) {
  while (!quarantine_.empty() && quarantine_.front().first <= now) {
    Event event = std::move(quarantine_.front().second);
    quarantine_.pop_front();
    if (const Nanoseconds until = held_until(event); until > now) {
      const auto place = std::ranges::upper_bound(quarantine_, until, {}, [](const auto& held) { return held.first; });
      quarantine_.emplace(place, until, std::move(event));
      continue;
    }
    if (is_login(event)) learn_login(event, networks_.facts(event.source_facts), true);
  }
}

}  // namespace orbwatch::baseline
