#include "baseline/baseline.h"

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

}  // namespace

bool is_login(const Event& e) {
  if (e.outcome != Outcome::kSuccess || !e.user.present() || !e.source_ip.present()) return false;
  return (e.event_class == Class::kAuthentication && e.activity == Activity::kLogon) ||
         (e.event_class == Class::kSession && (e.activity == Activity::kStart || e.activity == Activity::kUpdate));
}

bool is_failed_login(const Event& e) {
  return e.event_class == Class::kAuthentication && e.outcome == Outcome::kFailure && e.source_ip.present();
}

std::uint64_t client_key(const Event& e) {
  if (!e.user_agent.present() && !e.client_os.present()) return 0;
  // "AnyConnect Windows 4.10.07061" -> "AnyConnect Windows 4": an upgrade within a major version is not a new client.
  const auto stable = [](std::string_view text, std::uint64_t seed) {
    char kept[160];
    std::size_t n = 0;
    bool in_version = false;
    bool skipping = false;
    for (const char c : text.substr(0, 400)) {
      const bool digit = c >= '0' && c <= '9';
      if (digit || (c == '.' && in_version) || (in_version && (c == '-' || c == '_'))) {
        in_version = true;
        if (!digit) skipping = true;
        if (skipping) continue;
      } else {
        in_version = skipping = false;
      }
      if (n < sizeof kept) kept[n++] = c;
    }
    return core::hash64({kept, n}, seed);
  };
  return stable(e.user_agent.text(), 1) ^ stable(e.client_os.text(), 2);
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
  v.login = is_login(e);
  v.failed_login = is_failed_login(e);
  v.remote = e.source_ip.is_global() && !networks_.is_own(e.source_facts);
  if (e.source_ip.present()) {
    const auto found = sources_.find(e.source_ip);
    if (found != sources_.end()) v.source_profile = &found->second;
  }
  if (!v.login && !v.failed_login) return v;
  v.user = user(e.user);
  if (e.group.present()) {
    const auto found = groups_.find(e.group);
    if (found != groups_.end()) v.group = found->second.get();
  }
  if (everyone_.logins > 0) {
    const auto system = systems_.find(v.source->asn);
    if (system != systems_.end()) v.system_share = system->second / everyone_.logins;
  }
  v.client = client_key(e);
  if (v.client != 0 && clients_total_ > 0) {
    const auto client = clients_.find(v.client);
    if (client != clients_.end()) v.client_share = client->second / clients_total_;
  }
  if (v.user != nullptr) {
    v.familiarity = familiarity(*v.user, e.source_ip, *v.source);
    for (std::size_t i = 0; i < v.user->systems.size(); ++i) {
      const auto system = systems_.find(v.user->systems.key(i));
      if (system != systems_.end() && everyone_.logins > 0) v.known_systems_share += system->second / everyone_.logins;
    }
  }
  return v;
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
    absl::erase_if(sources_, [&](const auto& item) { return item.second.last_seen < newest - age; });
  }
  if (sources_.size() > target) {
    absl::erase_if(sources_,
                   [](const auto& item) { return item.second.successes == 0 && item.second.soho_weight == 0; });
  }
  if (sources_.size() > target) sources_.clear();
  forgotten_sources_ += before - sources_.size();
}

void Baseline::note_soho(const Ip& ip, std::uint16_t port, std::uint8_t weight, Nanoseconds time) {
  SourceProfile* source = source_of(ip, time);
  if (source != nullptr && weight > source->soho_weight) {
    source->soho_weight = weight;
    source->soho_port = port;
  }
}

void Baseline::learn(const Event& e) {
  if (e.time <= 0) return;  // undated, or before 1970: no log of use is that old, and the hours are counted from there
  unit(e.time);
  if (!quarantine_.empty()) release(e.time);
  if (last_learned_ != 0 && e.time - last_learned_ > kNoData) strangers_.skip_to(e.time / core::kDay);
  last_learned_ = std::max(last_learned_, e.time);
  const NetworkFacts& facts = networks_.facts(e.source_facts);
  if (is_login(e)) {
    learn_login(e, facts);
  } else if (is_failed_login(e)) {
    learn_failure(e, facts);
  } else if (e.event_class == Class::kSession && e.activity == Activity::kEnd) {
    const auto found = users_.find(e.user);
    if (found == users_.end()) return;
    for (auto& open : found->second->open) {
      if (open.ip == e.source_ip) open = {};
    }
  } else if (e.event_class == Class::kConnection && e.action == event::Action::kDenied && e.source_ip.is_global()) {
    if (SourceProfile* source = source_of(e.source_ip, e.time)) ++source->denied;
  }
}

void Baseline::learn_login(const Event& e, const NetworkFacts& facts) {
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
  GroupProfile* group = nullptr;
  if (e.group.present()) {
    const auto found = groups_.find(e.group);
    if (found != groups_.end()) {
      group = found->second.get();
    } else if (groups_.size() < kMostGroups) {
      group = groups_.emplace(e.group, std::make_unique<GroupProfile>()).first->second.get();
    }
  }
  const std::size_t bin = experience_bin(user.logins / w);
  const auto level = static_cast<std::size_t>(familiarity(user, e.source_ip, facts));
  everyone_.familiarity[bin][level] += w;
  if (group != nullptr) group->familiarity[bin][level] += w;
  if (bin > 0) user.familiarity[level] += w;

  const std::uint64_t client = client_key(e);
  if (client != 0) {
    if (bin > 0 && user.clients.size() > 0) {
      const bool known = user.clients.contains(client);
      (known ? everyone_.client_known : everyone_.client_new) += w;
      if (group != nullptr) (known ? group->client_known : group->client_new) += w;
    }
    user.clients.add(client, w);
    add_capped(clients_, client, w, kMostClients);
    clients_total_ += w;
  }
  const std::uint32_t place = pack_place(facts.latitude, facts.longitude);
  if (place != 0 && user.last_place != 0 && e.time > user.last_login) {
    double ya, xa, yb, xb;
    unpack_place(user.last_place, ya, xa);
    unpack_place(place, yb, xb);
    const double hours = static_cast<double>(e.time - user.last_login) / static_cast<double>(core::kHour);
    const double km = kilometres(ya, xa, yb, xb);
    everyone_.travel += w;
    if (km > 500 && km > 1000 * hours) everyone_.impossible_travel += w;
  }
  user.prefixes.add(prefix_key(e.source_ip), w);
  user.systems.add(facts.asn, w);
  user.places.add(place, w);
  user.countries.add(facts.country, w);
  user.gateways.add(e.observer.id(), w);
  hour_add(user, e.time, w);
  user.logins += w;
  ++user.count;
  user.last_seen = std::max(user.last_seen, e.time);
  const auto type = static_cast<std::size_t>(facts.type);
  if (type < core::kNetworkTypes) {
    user.types[type] += w;
    everyone_.types[type] += w;
    if (group != nullptr) group->types[type] += w;
  }
  if (place != 0 && e.time >= user.last_login) {
    user.last_login = e.time;
    user.last_ip = e.source_ip;
    user.last_place = place;
    user.last_system = facts.asn;
    user.last_type = facts.type;
  }
  if (e.service == event::Service::kVpn) {
    auto* oldest = &user.open[0];
    for (auto& open : user.open) {
      if (open.ip == e.source_ip) {
        oldest = &open;
        break;
      }
      if (open.start < oldest->start) oldest = &open;
    }
    *oldest = {prefix_key(e.source_ip), facts.asn, e.time, e.source_ip};
  }
  add_capped(systems_, facts.asn, w, kMostSystems);
  for (GroupProfile* g : {&everyone_, group}) {
    if (g == nullptr) continue;
    g->logins += w;
    g->hours[hour_of_week(e.time)] += w;
    g->day_hours[day_hour(e.time)] += w;
  }
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
    found->second->stranger_failure = e.time;
    found->second->stranger_ip = e.source_ip;
  }
  if (neighbour) return;  // the user's own provider: a mistyped password at home
  StrangerFailures& s = strangers_;
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
  if (hour > s.hour - static_cast<std::int64_t>(StrangerFailures::kHours)) {
    const auto slot = static_cast<std::size_t>(hour % static_cast<std::int64_t>(StrangerFailures::kHours));
    ++s.failures[slot];
    if (!source->counted_as_stranger(e.time)) {
      source->stranger_hour = static_cast<std::uint32_t>(hour);
      ++s.sources[slot];
      if (facts.type == NetworkType::kConsumer || facts.type == NetworkType::kMobile) ++s.consumer[slot];
    }
  }
  const std::int64_t day = e.time / core::kDay;
  if (s.day == 0) s.day = day;
  if (day > s.day) {
    for (std::int64_t d = s.day; d < day && d < s.day + 28; ++d) s.close_day(d == s.day ? s.today : 0);
    s.day = day;
    s.today = 0;
  }
  if (day == s.day) ++s.today;
}

void Baseline::quarantine(const Event& e) {
  if (quarantine_.size() >= limits_.quarantined) quarantine_.pop_front();  // dropped, not learned: it was an alert
  quarantine_.emplace_back(e.time + limits_.quarantine, e);
}

void Baseline::release(Nanoseconds now) {
  while (!quarantine_.empty() && quarantine_.front().first <= now) {
    const Event event = quarantine_.front().second;
    quarantine_.pop_front();
    if (is_login(event)) learn_login(event, networks_.facts(event.source_facts));
  }
}

}  // namespace orbwatch::baseline
