// What --variety 1 and the sectors add to a world. Each rate is stated in docs/evaluation.md, with its source where it
// has one. People and providers are drawn as they are; nothing here looks at what a detector looks at.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "evaluate/world.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;

enum Stream : std::uint64_t { kPeople = 51, kAbroadStaff, kProviders, kCalendar, kSectorPeople, kAccounts };

const PlanNetwork* any_of(const std::vector<const PlanNetwork*>& from, Rng& rng) {
  return from[rng.below(from.size())];
}

// Hours east of UTC in winter; the plan's countries.
double zone_of(std::string_view country) {
  struct Zone {
    std::string_view country;
    double hours;
  };
  constexpr std::array<Zone, 8> kZones = {
      {{"GB", 0}, {"US", -6}, {"SG", 8}, {"TW", 8}, {"HK", 8}, {"KR", 9}, {"BR", -3}, {"IN", 5.5}}};
  for (const Zone& z : kZones) {
    if (z.country == country) return z.hours;
  }
  return country == "RO" || country == "BG" ? 2 : 1;
}

// The towns of a country abroad as towns of the organisation, and who lives there.
std::size_t add_town(World& world, std::string_view country) {
  Town town;
  town.country = country;
  for (const PlanNetwork* network : world.abroad) {
    if (network->country != country || (!town.homes.empty() && network->town != town.name)) continue;
    town.name = network->town;
    town.homes.push_back(network);
  }
  world.towns.push_back(std::move(town));
  return world.towns.size() - 1;
}

void settle_abroad(World& world, User& user, std::size_t town, Rng& rng) {
  const Town& place = world.towns[town];
  user.town = user.next_town = town;
  user.home = {any_of(place.homes, rng), rng.next()};
  user.next_home = user.home;
  user.moves = INT64_MAX;
  user.second_home = {};
  user.mobile = place.homes.back();
  std::string region = world.region;
  for (char& c : region) c = static_cast<char>(c - 'a' + 'A');
  user.zone_shift = zone_of(region) - zone_of(place.country);
}

void add_countries(World& world) {
  std::vector<std::string_view> countries;
  for (const PlanNetwork* network : world.abroad) {
    if (std::ranges::find(countries, network->country) == countries.end()) countries.push_back(network->country);
  }
  Rng rng(world.seed, {kAbroadStaff});
  // The second country, the third, and the one of the merger.
  std::array<std::size_t, 3> towns{};
  world.countries.push_back(world.towns[0].country);
  for (std::size_t& town : towns) {
    const std::size_t pick = rng.below(countries.size());
    world.countries.push_back(countries[pick]);
    town = add_town(world, countries[pick]);
    countries.erase(countries.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  world.merger_day = std::max(1, world.days * rng.between(50, 70) / 100);
  const std::size_t count = world.users.size();
  const std::size_t merged_from = count - count / 11;  // one in eleven: 10 % of the others
  for (std::size_t u = 1; u < count; ++u) {
    Rng own(world.seed, {kAbroadStaff, u});
    User& user = world.users[u];
    const double where = own.uniform();
    if (u >= merged_from) {
      user.merged = true;
      user.contractor = user.admin = false;
      user.hired_day = world.merger_day + own.between(0, 4);
      user.remote_share = 0.6 + 0.4 * own.uniform();
      settle_abroad(world, user, towns[2], own);
    } else if (!user.contractor && where < 0.15) {
      settle_abroad(world, user, towns[where < 0.10 ? 0 : 1], own);
    }
  }
}

void add_people(World& world) {
  const double days = world.days;
  std::size_t accounts = 0;
  for (std::size_t u = 1; u < world.users.size(); ++u) {
    Rng rng(world.seed, {kPeople, u});
    User& user = world.users[u];
    const bool abroad = user.zone_shift != 0 || user.town >= world.towns.size() - 3;
    // Coming and going: 15 in 100 a year each.
    const double leaves = rng.exponential(365 / 0.15);
    if (leaves < days) user.left_day = std::max(1, static_cast<int>(leaves));
    const bool comes = rng.chance(0.15 * days / 365);
    const int hired = rng.between(1, std::max(1, world.days - 2));
    if (comes && !user.merged) user.hired_day = hired;
    // House moves (8 in 100 a year; the US Census Bureau's mover rate) and new providers (12 in 100).
    const double moves = rng.exponential(365 / 0.08);
    const double changes = rng.exponential(365 / 0.12);
    const bool same_provider = rng.chance(0.45);
    const bool new_town = rng.chance(0.2);
    const std::size_t town = rng.below(world.towns.size() - 3);
    const std::uint64_t key = rng.next();
    const std::size_t pick = static_cast<std::size_t>(rng.next() % 1024);
    const double first = std::min(moves, changes);
    if (!abroad && !user.contractor && first < days) {
      user.moves = world.start + static_cast<Nanoseconds>(first) * kDay + 14 * kHour;
      user.next_town = moves <= changes && new_town ? town : user.town;
      const std::vector<const PlanNetwork*>& homes = world.towns[user.next_town].homes;
      const auto same = std::ranges::find(homes, user.home.network->asn, &PlanNetwork::asn);
      const auto other = std::ranges::find_if(
          homes, [&](const PlanNetwork* n) { return n->asn != user.home.network->asn && pick % 2 == 0; });
      const PlanNetwork* network = homes[pick % homes.size()];
      if (moves <= changes && same_provider && same != homes.end()) {
        network = *same;
      } else if (moves > changes && other != homes.end()) {
        network = *other;
      }
      user.next_home = {network, key};
    }
    const double kind = rng.uniform();  // at most one of these
    const double share = rng.uniform();
    user.branch = rng.chance(0.15) ? rng.between(0, 2) : -1;
    user.on_call = rng.chance(user.admin ? 0.5 : 0.03);
    if (user.contractor) {
      // Half of the contractors are not at virtual desktops but in the office of their company.
      user.company = share < 0.5;
      user.branch = -1;
      user.on_call = false;
      continue;
    }
    if (user.on_call && !abroad) world.on_call.push_back(u);
    if (kind < 0.06) {
      user.rare = true;
    } else if (kind < 0.09) {
      user.student = true;
      user.workdays = share < 0.5 ? 0x0a : 0x14;
      user.start_hour = 9 + 8 * rng.uniform();
      user.hours = 4;
    } else if (kind < 0.12) {
      user.commercial_vpn = true;
      user.vpn_always = true;
    } else if (kind < 0.22) {
      user.hotspot = 0.05 + 0.55 * share;
    } else if (kind < 0.25 && user.second_home.network == nullptr && !abroad) {
      user.second_home = {any_of(world.towns[rng.below(world.towns.size() - 3)].homes, rng), rng.next()};
      user.weekend_home = true;
    }
    if (rng.chance(0.025 * days / 28)) {
      user.abroad_from = rng.between(0, std::max(0, world.days - 7));
      user.abroad_to = user.abroad_from + 6;
      user.abroad_line = {any_of(world.abroad, rng), rng.next()};
    }
    // Shared accounts: a ward's, a line's, a desk's.
    double shared = 0.015;
    std::string_view label = "desk";
    if (world.sector == Sector::kHospital) {
      shared = 0.06;
      label = "ward";
    } else if (world.sector == Sector::kFactory) {
      shared = 0.05;
      label = "line";
    } else if (world.sector == Sector::kSchool) {
      label = "lab";
    }
    Rng account(world.seed, {kAccounts, u});
    // However small the world, it has one.
    const bool last_chance = accounts == 0 && u >= world.users.size() / 2 && !abroad;
    if ((account.chance(shared) || last_chance) && !user.admin && !abroad && !user.on_call) {
      user.name = fmt::format("{}.{}", label, ++accounts);
      const int people = account.between(3, 6);
      for (int i = 0; i < people; ++i) {
        const Town& town_of_one = world.towns[account.below(3)];
        user.sharers.push_back({any_of(town_of_one.homes, account), account.next()});
      }
      user.student = user.rare = user.vpn_always = user.weekend_home = user.commercial_vpn = user.traveller = false;
      user.hotspot = 0;
      user.branch = account.between(0, 2);
      user.moves = INT64_MAX;
      user.second_computer = 0;
      user.vacation_from = user.vacation_to = user.abroad_from = user.abroad_to = -1;
      user.left_day = 1 << 30;
      user.hired_day = 0;
      user.home = user.sharers[0];
    }
  }
  if (world.on_call.empty()) world.on_call.push_back(0);
}

void add_provider_events(World& world) {
  Rng rng(world.seed, {kProviders});
  // Carrier-grade NAT: the smallest provider of the first town, and one in six of the others.
  const Town& first = world.towns[0];
  const auto smallest = std::ranges::min_element(first.homes, {}, &PlanNetwork::weight);
  world.cgnat_asns.push_back((*smallest)->asn);
  for (std::size_t t = 0; t + 3 < world.towns.size(); ++t) {
    for (const PlanNetwork* network : world.towns[t].homes) {
      const std::uint32_t asn = network->asn;
      if (Rng(world.seed, {kProviders, asn}).chance(0.17) &&
          std::ranges::find(world.cgnat_asns, asn) == world.cgnat_asns.end())
        world.cgnat_asns.push_back(asn);
    }
  }
  const auto shares = [&](Line& line) {
    if (line.network == nullptr || line.node) return;
    // Three customers in five; the others kept or bought an address of their own.
    line.cgnat =
        std::ranges::find(world.cgnat_asns, line.network->asn) != world.cgnat_asns.end() && mix(line.key, 0xc9) % 5 < 3;
  };
  for (User& user : world.users) {
    shares(user.home);
    shares(user.next_home);
    shares(user.second_home);
    for (Line& line : user.sharers) shares(line);
  }
  // Four weeks bring one outage and one renumbering.
  for (int from = 0; from < world.days; from += 28) {
    const int span = std::min(28, world.days - from);
    // Where staff is: a town with an office, a provider by its share.
    const auto somewhere = [&] {
      const Town& town = world.towns[rng.below(3)];
      std::uint64_t total = 0;
      for (const PlanNetwork* n : town.homes) total += n->weight;
      std::uint64_t at = rng.below(total);
      for (const PlanNetwork* n : town.homes) {
        if (at < n->weight) return n;
        at -= n->weight;
      }
      return town.homes.back();
    };
    Outage outage;
    outage.network = somewhere();
    // On a day from Monday to Thursday, from the afternoon into the evening.
    int day = from + rng.between(0, span - 1);
    while (world.weekday(day) > 3 && day > from) --day;
    outage.from = world.midnight(day) + rng.between(14 * 60, 18 * 60) * kMinute;
    outage.until = outage.from + rng.between(3 * 60, 7 * 60) * kMinute;
    world.outages.push_back(outage);
    Renumbering change;
    change.network = somewhere();
    const int night = from + rng.between(std::min(1, span - 1), span - 1);
    change.at = world.midnight(night) + 3 * kHour;
    world.renumberings.push_back(change);
  }
}

void add_calendar(World& world) {
  Rng rng(world.seed, {kCalendar});
  const auto workday = [&](int low, int high) {
    int day = std::max(0, world.days * rng.between(low, high) / 100);
    while (world.weekday(day) > 4 && day > 0) --day;
    return std::min(day, world.days - 1);
  };
  for (int from = 0; from < world.days; from += 28) {
    const int day = from + rng.between(0, 27);
    if (day < world.days && world.weekday(day) < 5) world.local_holidays.push_back(day);
  }
  world.event_day = workday(25, 90);
  world.failover_day = workday(20, 95);
  if (world.days >= 14) world.forced_upgrade_day = std::max(1, world.days * rng.between(30, 80) / 100);
}

}  // namespace

void add_variety(World& world) {
  add_countries(world);
  add_people(world);
  add_provider_events(world);
  add_calendar(world);
}

void add_sector(World& world) {
  for (std::size_t u = 0; u < world.users.size(); ++u) {
    Rng rng(world.seed, {kSectorPeople, u});
    User& user = world.users[u];
    const double kind = rng.uniform();
    const double where = rng.uniform();
    if (user.contractor) continue;
    const auto shift = [&](Shift which, double start, double hours, double remote) {
      user.shift = which;
      user.start_hour = start + 0.3 * rng.bell();
      user.hours = hours;
      user.remote_share = remote;
      // Four days on, over week-ends, too.
      constexpr std::array<std::uint8_t, 4> kRota = {0x0f, 0x3c, 0x78, 0x63};
      user.workdays = rng.pick(kRota);
    };
    switch (world.sector) {
      case Sector::kOffice: break;
      case Sector::kHospital:
        if (kind < 0.25) {
          shift(Shift::kEarly, 5.8, 8.2, 0.05 + 0.2 * where);
        } else if (kind < 0.45) {
          shift(Shift::kLate, 13.3, 8.2, 0.05 + 0.2 * where);
        } else if (kind < 0.57) {
          shift(Shift::kNight, 20.8, 9.5, 0.05 + 0.2 * where);
        } else {
          user.remote_share = 0.1 + 0.5 * where;
        }
        break;
      case Sector::kFactory:
        if (kind < 0.22) {
          shift(Shift::kEarly, 5.6, 8, 0.02 + 0.13 * where);
        } else if (kind < 0.42) {
          shift(Shift::kLate, 13.6, 8, 0.02 + 0.13 * where);
        } else if (kind < 0.58) {
          shift(Shift::kNight, 21.6, 8, 0.02 + 0.13 * where);
        } else {
          user.remote_share = 0.1 + 0.6 * where;
        }
        break;
      case Sector::kSchool:
        // Lessons in the morning; marking and preparation at home from the afternoon on.
        if (user.shift == Shift::kNight || user.shift == Shift::kLate) user.shift = Shift::kOffice;
        user.start_hour = kind < 0.7 ? 14.5 + 4 * where : 7.6 + 0.4 * rng.bell();
        user.hours = 1.5 + 3 * where;
        user.remote_share = 0.3 + 0.4 * rng.uniform();
        if (user.workdays == 0x1f && rng.chance(0.4)) user.workdays = 0x5f;  // Sunday evening
        break;
    }
  }
  // A week without school in every seven.
  if (world.sector != Sector::kSchool) return;
  const int first = static_cast<int>(Rng(world.seed, {kSectorPeople, 1'000'000'000}).below(4));
  for (int day = first * 7 - world.weekday(0); day < world.days; day += 49) world.term_breaks.push_back(day);
}

}  // namespace orbwatch::evaluate
