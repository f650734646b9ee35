// The baseline in an archive. Most of a profile is empty: only what is used is written.
#include <tuple>

#include "baseline/baseline.h"
#include "baseline/edge_probes.h"
#include "core/archive.h"
#include "event/persist.h"

namespace orbwatch::baseline {
namespace {

// Raised with every change of what is listed here.
constexpr std::uint32_t kLayout = 7;

constexpr std::int64_t kMostHours = 3'000'000;  // since 1970
constexpr std::int64_t kMostDays = kMostHours / 24;

// Those entries of a small array that are used, with a mask that says which.
template <typename A, typename T, std::size_t N, typename Used, typename Each>
void slots(A& a, std::array<T, N>& all, Used&& used, Each&& each) {
  static_assert(N < 8);
  std::uint8_t mask = 0;
  for (std::size_t i = 0; i < N; ++i) mask = static_cast<std::uint8_t>(mask | (used(all[i]) ? 1U << i : 0U));
  a.bounded(mask, static_cast<std::uint8_t>((1U << N) - 1));
  for (std::size_t i = 0; i < N; ++i) {
    if ((mask >> i & 1) != 0) {
      each(all[i]);
    } else if constexpr (A::kReads) {
      all[i] = T{};
    }
  }
}

// Numbers of which most are zero, wherever they stand.
template <typename A, typename... T>
void few(A& a, T&... numbers) {
  using First = std::tuple_element_t<0, std::tuple<T...>>;
  std::array<First, sizeof...(T)> all{numbers...};
  a(all);
  if constexpr (A::kReads) {
    std::size_t i = 0;
    ((numbers = all[i++]), ...);
  }
}

template <typename A, typename... Lists>
void lists(A& a, Lists&... all) {
  (all.persist(a, [&](auto& key) { a(key); }), ...);
}

}  // namespace

template <typename A>
void persist(A& a, Client& client) {
  a(client.software, client.system);
}

template <typename A>
void persist(A& a, SessionShapes& s) {
  a(s.lengths, s.volumes, s.uploads);
}

template <typename A>
void persist_user(A& a, UserProfile& u, std::uint32_t layout) {
  a.moments(u.first_seen, u.last_seen);
  few(a, u.logins, u.address_kept, u.readdressed);
  a(u.count);
  lists(a, u.prefixes, u.addresses, u.systems, u.moves, u.places, u.countries, u.clients, u.methods);
  if (layout < 7) {  // gateways by themselves, which nobody asked for
    TopWeights<std::uint32_t, 6> gateways;
    gateways.persist(a, [&](std::uint32_t& id) { a.symbol_id(id); });
  } else {
    lists(a, u.marks);
  }
  a(u.types, u.client_changes, u.hours, u.familiarity);
  slots(
      a, u.recent_networks, [](const auto& n) { return n.since != 0; },
      [&](UserProfile::RecentNetwork& n) {
        a(n.prefix, n.address, n.first);
        a.moment(n.since);
        a(n.system, n.left, n.alarmed, n.place);
        a.enumeration(n.level, Familiarity::kNewCountry);
        a.bounded(n.follow_up, static_cast<std::uint8_t>(kFollowUps - 1));
      });
  slots(
      a, u.recent_clients, [](const auto& c) { return c.since != 0; },
      [&](UserProfile::RecentClient& c) {
        a(c.client);
        a.moment(c.since);
      });
  slots(
      a, u.open, [](const auto& o) { return o.start != 0; },
      [&](UserProfile::OpenSession& o) {
        std::uint64_t prefix = 0;
        if (layout < 7) a(prefix);
        a(o.system, o.ip);
        a.moment(o.start);
      });
  a.moments(u.last_login, u.home_login, u.stranger_failure);
  a(u.last_ip, u.last_place, u.last_system, u.home_ip, u.home_place, u.stranger_ip);
  a.enumeration(u.last_type, core::NetworkType::kInternal);
}

// Layouts 1 and 2 had four steps of experience (none, 1-4, 5-19, 20 and more) and counted impossible travel among all
// log-ins.
template <typename A>
void persist_before_3(A& a, GroupProfile& g) {
  float travel = 0, impossible_travel = 0;
  few(a, g.logins, g.shared, g.unshared, travel, impossible_travel);
  std::array<Levels, 4> steps{};
  a(steps);
  g.familiarity[0] = steps[0];
  for (std::size_t step = 1; step < steps.size(); ++step) {
    for (std::size_t level = 0; level < kFamiliarities; ++level)
      g.familiarity[2 * step - 1][level] = g.familiarity[2 * step][level] = steps[step][level] / 2;
  }
}

template <typename A>
void persist_group(A& a, GroupProfile& g, std::uint32_t layout) {
  if (layout < 3) {
    persist_before_3(a, g);
  } else {
    few(a, g.logins, g.shared, g.unshared);
    a(g.familiarity);
  }
  a(g.types, g.new_types, g.hours, g.day_hours);
  lists(a, g.methods);
  a(g.client_changes, g.follow_ups, g.journeys);
}

template <typename A>
void persist(A& a, Circumstances& c) {
  a(c.logins, c.travels, c.impossible_travels, c.concurrent, c.tried, c.guessed);
}

// What layout 2 added; a state of layout 1 knows nothing of it yet.
template <typename A>
void persist_added(A& a, UserProfile& u) {
  few(a, u.break_hours, u.break_squares);
  persist(a, u.sessions);
}

template <typename A>
void persist_added(A& a, GroupProfile& g) {
  a(g.breaks_home, g.breaks_away);
  persist(a, g.sessions);
  persist(a, g.new_sessions);
}

template <typename A>
void persist(A& a, SystemProfile& s) {  // without its name, which came later
  few(a, s.logins, s.stayed, s.moved, s.returned, s.address_kept, s.readdressed, s.address_returned);
  a(s.own, s.others, s.customers);
  a.bounded(s.next_customer, static_cast<std::uint32_t>(s.customers.size() - 1));
}

template <typename A>
void persist(A& a, SourceProfile& s) {
  a.moments(s.first_seen, s.last_seen);
  few(a, s.successes, s.failures, s.denied, s.stranger_hour);
  few(a, s.soho_port, s.soho_day);
  few(a, s.soho_weight, s.soho_banner, s.user_count, s.failed_user_count);
  for (std::uint32_t& id : s.users) a.symbol_id(id);
  for (std::uint32_t& id : s.failed_users) a.symbol_id(id);
}

template <typename A>
void persist(A& a, StrangerFailures& s) {
  a(s.failures, s.sources, s.consumer, s.days, s.day_count, s.today, s.accounts);
  a.bounded(s.hour, kMostHours);
  a.bounded(s.day, kMostDays);
  a.bounded(s.account_day, kMostDays);
}

// Layout 3 added all of it.
template <typename A>
void persist(A& a, EdgeProbes& p) {
  constexpr auto kPorts = static_cast<std::uint8_t>(EdgeProbes::kPorts);
  a.entries(p.sources_, [&](Ip& ip, EdgeProbes::Source& s) {
    a(ip);
    a.bounded(s.hour, static_cast<std::uint32_t>(kMostHours));
    a.bounded(s.ports, (1U << kPorts) - 1);
    a.bounded(s.first, static_cast<std::uint8_t>(kPorts - 1));
    a(s.probes, s.access_line);
  });
  for (EdgeProbes::Hour& h : p.hours_) a(h.touched, h.first, h.several, h.others);
  a.bounded(p.hour_, kMostHours);
  for (EdgeProbes::Day& day : p.days_) a(day);
  a.bounded(p.day_count_, EdgeProbes::kMostDayCount);
  a.bounded(p.day_, kMostDays);
  a(p.today_, p.uncounted_);
  if constexpr (A::kReads) p.add_up();
}

template <typename A>
void persist(A& a, ReachShapes& s) {
  a(s.fresh, s.rare, s.usual);
}

template <typename A>
void persist(A& a, Destination& d) {
  a(d.ip, d.port);
}

// Layout 6 added all of it.
template <typename A>
void persist(A& a, Tunnels& t) {
  a.entries(t.tunnels_, [&](Ip& assigned, Tunnel& tunnel) {
    a(assigned, tunnel.user, tunnel.gateway, tunnel.source, tunnel.fresh, tunnel.rare, tunnel.destinations,
      tunnel.examples);
    a.moments(tunnel.opened, tunnel.last);
  });
  a.entries(t.profiles_, [&](Symbol& user, std::unique_ptr<DestinationProfile>& profile) {
    if constexpr (A::kReads) profile = std::make_unique<DestinationProfile>();
    a(user, profile->sessions);
    lists(a, profile->destinations);
    a(profile->shapes);
  });
  a.entries(t.popular_, [&](std::uint32_t& key, Tunnels::Popularity& p) { a(key, p.users, p.day); });
  a.entries(t.gateways_, [&](Symbol& gateway, Tunnels::Shown& shown) { a(gateway, shown.some, shown.none); });
  a(t.everyone_, t.away_, t.noted_, t.refused_);
  a.moment(t.swept_);
  if constexpr (A::kReads) {
    for (const auto& [assigned, tunnel] : t.tunnels_) t.enlist(assigned, tunnel);
  }
}

// Layout 7 added all of it.
template <typename A>
void persist(A& a, Marks& m) {
  a.entries(m.shares_, [&](std::uint32_t& key, float& weight) { a(key, weight); });
  a(m.totals_);
  for (auto& where : m.changes_) {
    for (Marks::Change& c : where) a(c.same, c.fresh);
  }
  a.entries(m.strange_, [&](std::uint32_t& key, Marks::Strange& s) {
    a(key, s.last, s.before);
    a.moment(s.time);
  });
}

// A new member? It belongs above, and kLayout must be raised.
static_assert(sizeof(UserProfile) == 2048 && sizeof(GroupProfile) == 1932 && sizeof(SystemProfile) == 84 &&
              sizeof(SourceProfile) == 64 && sizeof(StrangerFailures) == 688);

template <typename Archive>
void Baseline::persist(Archive& a) {
  const std::uint32_t layout = a.section("baseline", kLayout, 1);
  a.moments(origin_, last_learned_, unit_time_);
  a(unit_value_);
  a.entries(users_, [&](Symbol& name, std::unique_ptr<UserProfile>& user) {
    if constexpr (Archive::kReads) user = std::make_unique<UserProfile>();
    a(name);
    persist_user(a, *user, layout);
    if (layout >= 2) persist_added(a, *user);
    // A state of a layout before knows of no visits: what it has on probation passes by time alone.
    for (UserProfile::RecentNetwork& n : user->recent_networks) {
      if (layout >= 5) {
        a(n.visits, n.last_day);
      } else {
        n.visits = 2;
      }
    }
    if constexpr (Archive::kReads) {
      for (std::uint32_t n = 0; layout < 4 && n < std::min(user->count, 3U); ++n) accounts_.learn(n);
    }
  });
  a(sources_);
  a.entries(groups_, [&](Symbol& name, std::unique_ptr<GroupProfile>& group) {
    if constexpr (Archive::kReads) group = std::make_unique<GroupProfile>();
    a(name);
    persist_group(a, *group, layout);
    if (layout >= 2) persist_added(a, *group);
  });
  a(systems_, all_systems_, clients_, clients_total_);
  persist_group(a, everyone_, layout);
  a(strangers_);
  a.sequence(quarantine_, [&](std::pair<Nanoseconds, Event>& held) {
    a.moment(held.first);
    a(held.second);
  });
  a(forgotten_sources_, refused_users_);
  if (layout >= 2) persist_added(a, everyone_);
  if (layout < 3) return;
  for (Circumstances& c : everyone_.circumstances) a(c);
  for (Calibration& c : calibrations_) c.persist(a);
  StrangerFailures& s = strangers_;
  a(s.source_days, s.consumer_days, s.source_day_count, s.today_sources, s.today_consumer);
  a(edge_);
  if (layout >= 4) accounts_.persist(a);
  if (layout >= 6) {
    for (Circumstances& c : everyone_.circumstances) a(c.resumed);
    a(tunnels_);
  }
  if (layout < 7) return;
  a(marks_);
  // Beside the systems, which came in layout 1 without them.
  absl::flat_hash_map<std::uint32_t, Symbol> names;
  for (const auto& [asn, system] : systems_) names.emplace(asn, system.name);
  a(names);
  if constexpr (Archive::kReads) {
    for (auto& [asn, system] : systems_) {
      if (const auto name = names.find(asn); name != names.end()) system.name = name->second;
    }
  }
}

void Baseline::save(core::ArchiveWriter& archive) const { const_cast<Baseline*>(this)->persist(archive); }
void Baseline::load(core::ArchiveReader& archive) { persist(archive); }

void Baseline::renumber_banners(const std::array<std::uint8_t, 256>& numbers) {
  for (auto& [ip, source] : sources_) source.soho_banner = numbers[source.soho_banner];
}

}  // namespace orbwatch::baseline
