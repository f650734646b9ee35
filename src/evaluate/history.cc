#include "evaluate/history.h"

#include <algorithm>

#include "enrich/sessions.h"

namespace orbwatch::evaluate {
namespace {

using event::Activity;
using event::Class;
using event::Outcome;

bool is_failure(const Event& e) {
  return e.event_class == Class::kAuthentication && e.outcome == Outcome::kFailure && e.user.present();
}

constexpr Nanoseconds kEndLinesWithin = 10 * core::kSecond;
constexpr Nanoseconds kFailureLinesWithin = 2 * core::kSecond;
constexpr std::size_t kMostNameless = 4;
constexpr std::size_t kMostFailureLines = 4;
constexpr std::size_t kMostTemplates = 2;

template <typename T>
void push_newest(std::vector<T>& list, T value, std::size_t most) {
  if (list.size() >= most) list.erase(list.begin());
  list.push_back(std::move(value));
}

}  // namespace

bool ClientWords::same_fields(const ClientWords& other) const {
  return user_agent.present() == other.user_agent.present() && client_os.present() == other.client_os.present() &&
         client_host.present() == other.client_host.present() && fingerprint.present() == other.fingerprint.present() &&
         banner.present() == other.banner.present();
}

void ClientWords::fill(const Event& line) {
  const auto take = [](Symbol& to, Symbol from) {
    if (!to.present()) to = from;
  };
  take(user_agent, line.user_agent);
  take(client_os, line.client_os);
  take(client_host, line.client_host);
  take(fingerprint, line.fingerprint);
  take(banner, line.banner);
}

std::uint32_t UserHistory::logins_before(Nanoseconds time) const {
  std::uint32_t sum = 0;
  for (const auto& [day, count] : days) sum += day * core::kDay < time ? count : 0;
  return sum;
}

std::uint32_t UserHistory::days_before(Nanoseconds time) const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(days, [&](const auto& day) { return day.first * core::kDay < time; }));
}

const SourcePlace* UserHistory::home() const {
  const SourcePlace* best = nullptr;
  std::pair<bool, std::uint32_t> most{};
  for (const auto& [place, count] : places) {
    const std::pair<bool, std::uint32_t> rank{place.type == core::NetworkType::kConsumer, count};
    if (place.asn != 0 && rank > most) {
      most = rank;
      best = &place;
    }
  }
  return best;
}

History::History(const core::NetworkView& networks) : networks_(networks), seen_(std::size_t{1} << 18) {}

bool History::outside(const Event& e) const { return e.source_ip.is_global() && !networks_.is_own(e.source_facts); }

GatewayHistory* History::gateway(Symbol name) {
  const auto found = gateways_.find(name);
  if (found != gateways_.end()) return &found->second;
  return gateways_.size() < kMostNamedGateways ? &gateways_[name] : nullptr;
}

void History::take(const Event& e) {
  if (e.time <= 0 || e.event_class == Class::kDevice) return;
  if (first_ == 0 || e.time < first_) first_ = e.time;
  last_ = std::max(last_, e.time);
  if (e.source_ip.is_v4()) {
    const std::uint32_t prefix = e.source_ip.v4_value() >> 8;
    seen_[prefix >> 6] |= std::uint64_t{1} << (prefix & 63);
  }
  if (e.event_class != Class::kAuthentication && e.event_class != Class::kSession) return;
  if (enrich::is_end_line(e)) {
    take_end_line(e);
  } else if (enrich::is_login_line(e)) {
    take_login_line(e);
  } else if (is_failure(e)) {
    take_failure(e);
  }
}

History::Growing* History::growing(Symbol name) {
  const auto found = users_.find(name);
  if (found != users_.end()) return &found->second;
  const auto hash = [](Symbol s) { return core::hash64(s.text(), 0x6261636b); };
  if ((hash(name) & sample_mask_) != 0) return nullptr;
  while (users_.size() >= kMostUsers) {
    sample_mask_ = sample_mask_ << 1 | 1;
    absl::erase_if(users_, [&](const auto& item) { return (hash(item.first) & sample_mask_) != 0; });
  }
  if ((hash(name) & sample_mask_) != 0) return nullptr;
  Growing& fresh = users_[name];
  fresh.user.user = name;
  return &fresh;
}

void History::take_login_line(const Event& e) {
  if (e.source_ip.present() && !outside(e)) return;
  Growing* const found = growing(e.user);
  if (found == nullptr) return;
  Growing& u = *found;
  const bool pending = !u.pending.lines.empty();
  const bool within = pending && e.time <= u.start + enrich::kSettle;
  if (!e.source_ip.present()) {
    if (within) {
      if (u.pending.lines.size() < kMostLines) u.pending.lines.push_back(e);
    } else if (e.event_class == Class::kAuthentication) {
      push_newest(u.nameless, e, kMostNameless);
    }
    return;
  }
  if (u.source == e.source_ip && u.last != 0) {
    const bool fresh = (u.ended && e.time > u.last + core::kSecond) || e.time > u.last + enrich::kLongestSession;
    const bool again =
        !fresh && !within && e.time > u.start + enrich::kJoinWithin &&
        (e.activity == Activity::kLogon || (e.activity == Activity::kStart && e.time > u.last + enrich::kJoinWithin));
    if (!fresh && !again) {
      u.last = std::max(u.last, e.time);
      if (within && u.pending.lines.size() < kMostLines) u.pending.lines.push_back(e);
      return;
    }
  }
  settle(u);
  u.source = e.source_ip;
  u.start = u.last = e.time;
  u.ended = false;
  for (Event& line : u.nameless) {
    if (line.observer == e.observer && e.time - line.time <= enrich::kSettle) u.pending.lines.push_back(line);
  }
  u.nameless.clear();
  u.pending.lines.push_back(e);

  UserHistory& user = u.user;
  ++user.logins;
  if (!e.source_ip.is_v4()) ++user.v6_logins;
  const auto day = static_cast<std::int32_t>(e.time / core::kDay);
  if (!user.days.empty() && user.days.back().first == day) {
    ++user.days.back().second;
  } else {
    push_newest(user.days, {day, 1U}, kMostDays);
  }
  push_newest(user.moments, e.time, kMostMoments);
  const core::NetworkFacts& facts = networks_.facts(e.source_facts);
  const SourcePlace place{facts.country, facts.city, facts.asn, facts.type};
  const auto known = std::ranges::find(user.places, place, [](const auto& p) { return p.first; });
  if (known != user.places.end()) {
    ++known->second;
  } else if (user.places.size() < kMostPlaces) {
    user.places.emplace_back(place, 1);
  } else {
    user.too_many_networks = true;
  }
  if (e.source_ip.is_v4()) {
    const std::uint32_t prefix = e.source_ip.v4_value() >> 8;
    if (std::ranges::find(user.prefixes, prefix) == user.prefixes.end()) {
      if (user.prefixes.size() < kMostPrefixes) {
        user.prefixes.push_back(prefix);
      } else {
        user.too_many_networks = true;
      }
    }
  }
  const auto at = std::ranges::find(user.gateways, e.observer, &UserAtGateway::gateway);
  u.gateway = static_cast<std::size_t>(at - user.gateways.begin());
  if (at == user.gateways.end()) {
    if (user.gateways.size() < kMostGateways) {
      user.gateways.emplace_back().gateway = e.observer;
    } else {
      u.gateway = SIZE_MAX;
    }
  }
  if (u.gateway != SIZE_MAX) ++user.gateways[u.gateway].logins;
}

// The log-in has all its lines: it becomes a template, and its client is noted.
void History::settle(Growing& u) {
  if (u.pending.lines.empty()) return;
  LoginTemplate done = std::move(u.pending);
  u.pending = {};
  ClientWords client;
  for (const Event& line : done.lines) client.fill(line);
  if (u.gateway == SIZE_MAX) return;
  UserAtGateway& here = u.user.gateways[u.gateway];
  if (here.clients.empty() || here.clients.back().second != client)
    push_newest(here.clients, {u.start, client}, kMostClients);
  if (GatewayHistory* all = gateway(here.gateway); all != nullptr) {
    ++all->logins;
    all->with_client += client.logged() ? 1 : 0;
    if (client.logged() && all->clients.size() < kMostGatewayClients &&
        std::ranges::find(all->clients, client) == all->clients.end()) {
      all->clients.push_back(client);
    }
  }
  push_newest(here.templates, std::move(done), kMostTemplates);
}

void History::take_end_line(const Event& e) {
  const auto found = users_.find(e.user);
  if (found == users_.end()) return;
  Growing& u = found->second;
  if (u.last == 0 || u.source != e.source_ip || (u.ended && e.time > u.last + kEndLinesWithin)) return;
  settle(u);
  if (u.gateway != SIZE_MAX && !u.user.gateways[u.gateway].templates.empty()) {
    LoginTemplate& login = u.user.gateways[u.gateway].templates.back();
    if (login.ends.size() < kMostEndLines) login.ends.push_back(e);
  }
  if (!u.ended) {
    push_newest(u.user.sessions, {e.time - u.start, e.source_bytes, e.destination_bytes}, kMostSessions);
  } else if (!u.user.sessions.empty()) {
    // Not every line about the end says how much there was.
    SessionShape& shape = u.user.sessions.back();
    shape.source_bytes = std::max(shape.source_bytes, e.source_bytes);
    shape.destination_bytes = std::max(shape.destination_bytes, e.destination_bytes);
  }
  u.ended = true;
  u.last = e.time;
}

void History::take_failure(const Event& e) {
  const bool named = !e.source_ip.present();
  if (!named && !outside(e)) return;
  if (gateway(e.observer) == nullptr) return;
  std::vector<Event>& lines = failing_[e.observer];
  const bool joins = !lines.empty() && lines.front().user == e.user &&
                     e.time - lines.front().time <= kFailureLinesWithin &&
                     (named || std::ranges::all_of(lines, [&](const Event& line) {
                        return !line.source_ip.present() || line.source_ip == e.source_ip;
                      }));
  if (joins && lines.size() < kMostFailureLines) {
    lines.push_back(e);
    return;
  }
  std::vector<Event> done = std::exchange(lines, {e});
  // Without an address of its own nothing can be put in its place; a stranger's guess of a name that is nobody's may
  // be written differently.
  if (std::ranges::any_of(done, [](const Event& line) { return line.source_ip.present(); }) &&
      users_.contains(done.front().user)) {
    push_newest(gateways_[e.observer].failures, std::move(done), kMostFailures);
  }
}

void History::finish() {
  for (auto& [name, user] : users_) settle(user);
}

std::vector<const UserHistory*> History::users() const {
  std::vector<const UserHistory*> out;
  out.reserve(users_.size());
  for (const auto& [name, user] : users_) {
    if (user.user.logins > 0) out.push_back(&user.user);
  }
  std::ranges::sort(out, {}, [](const UserHistory* u) { return u->user.text(); });
  return out;
}

}  // namespace orbwatch::evaluate
