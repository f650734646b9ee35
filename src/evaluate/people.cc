// What the people of a simulated world do in a day.
#include <algorithm>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

std::uint32_t Simulator::hotel(Rng& rng, std::uint64_t trip, bool abroad) {
  if (abroad) {
    const PlanNetwork& network = *world_.abroad[rng.below(world_.abroad.size())];
    return world_.fixed_address(network, trip);
  }
  if (rng.chance(0.5))
    return world_.fixed_address(*world_.businesses[rng.below(world_.businesses.size())], 1000 + trip % 40);
  const Town& town = world_.towns[rng.below(world_.towns.size())];
  return world_.fixed_address(*town.homes[rng.below(town.homes.size())], trip);
}

void Simulator::work_from(Rng& rng, std::size_t number, Nanoseconds start, Nanoseconds length, std::uint32_t ip) {
  const User& user = world_.users[number];
  const int day = world_.day_of(start);
  Session s;
  s.user = user.name;
  s.user_number = number;
  s.group = group_of(user);
  Rng which(world_.seed, {kSecondComputer, number, static_cast<std::uint64_t>(day)});
  s.client = world_.client_of(user, day, which.chance(user.second_computer));
  const Gateway gateway = gateway_for(user, rng);
  // Some people stay connected all day, others take the tunnel down at noon.
  const int pieces = rng.chance(0.62) || length < 3 * kHour ? 1 : 2;
  Nanoseconds at = start;
  for (int i = 0; i < pieces; ++i) {
    s.start = at;
    s.length = length / pieces - (pieces > 1 ? rng.between(15, 50) * kMinute : 0);
    s.ip = ip;
    s.wrong_before = rng.chance(user.typo) ? (rng.chance(0.2) ? 2 : 1) : 0;
    s.reconnects = rng.poisson(0.35);
    const double how = rng.uniform();
    s.reason = how < 0.62   ? "User Requested"
               : how < 0.85 ? "Idle Timeout"
               : how < 0.96 ? "Lost Service"
                            : "Connection Preempted";
    s.mean_bytes = user.shift == Shift::kField ? 1e7 : 6e7;
    session(rng, gateway, s);
    at += length / pieces + rng.between(2, 12) * kMinute;
  }
}

void Simulator::user_day(std::size_t number, int day) {
  const User& user = world_.users[number];
  if (day < user.hired_day) return;
  Rng rng(world_.seed, {kUserDay, number, static_cast<std::uint64_t>(day)});
  const Nanoseconds midnight = world_.midnight(day);
  const CivilTime date = world_.date(day);
  const bool workday = (user.workdays >> world_.weekday(day) & 1) != 0 && !public_holiday(world_.region, date);
  const bool vacation = day >= user.vacation_from && day <= user.vacation_to;
  const auto minutes = [](double hours) { return static_cast<Nanoseconds>(hours * 60) * kMinute; };
  const Nanoseconds minute = midnight + minutes(user.start_hour + 0.35 * rng.bell());
  const Nanoseconds start = minute + rng.between(0, 59) * kSecond;
  const Nanoseconds length = std::max(minutes(user.hours + 0.6 * rng.bell()), 40 * kMinute);

  // Trips: the week number decides, so that a trip lasts some days. Travellers one week in four, others one in forty.
  const auto week = static_cast<std::uint64_t>((day + 400) / 7);
  Rng trip_rng(world_.seed, {kUserDay, number, 7'000'000 + week});
  const bool trip_week = trip_rng.chance(user.traveller ? 0.28 : 0.025) && !user.contractor;
  const int trip_first = trip_rng.between(0, 3);
  const int trip_last = trip_first + trip_rng.between(0, 3);
  const bool trip_abroad = trip_rng.chance(0.4);
  const std::uint64_t trip_key = trip_rng.next();
  const int day_of_week = (day + 400) % 7;
  const bool travelling = trip_week && day_of_week >= trip_first && day_of_week <= trip_last;
  // Conferences: one in two weeks, some people of the organisation in one hotel.
  Rng conference(world_.seed, {kConference, week});
  const bool conference_week = conference.chance(0.5);
  const int conference_day = conference.between(0, 4);
  const bool conference_abroad = conference.chance(0.5);
  const std::uint64_t conference_key = conference.next() % 97;
  Rng attends(world_.seed, {kConference, week, number});
  const bool at_conference = conference_week && !user.contractor && attends.chance(0.03) &&
                             (day_of_week == conference_day || day_of_week == conference_day + 1);

  if (user.contractor) {
    if (workday && rng.chance(user.remote_share)) {
      // Virtual desktops: one of the provider's three exits.
      const PlanNetwork& network = *world_.vdis[number % world_.vdis.size()];
      work_from(rng, number, start, length, world_.fixed_address(network, 7000 + rng.below(3)));
    }
    return;
  }
  if (vacation) {
    // A look at the mail from the beach, at times.
    if (rng.chance(0.10)) {
      Rng place(world_.seed, {kUserDay, number, 9'000'000});
      const Nanoseconds at = midnight + minutes(10 + 10 * rng.uniform());
      const Nanoseconds lasts = minutes(0.5 + rng.uniform());
      const bool abroad = place.chance(0.6);
      work_from(rng, number, at, lasts, hotel(place, number, abroad));
    }
    return;
  }
  const auto mobile_ip = [&] { return world_.cgnat_address(*user.mobile, user.town * 16 + rng.below(4)); };
  const Line home = world_.home_of(user, start);
  bool remote = false;
  if (workday) {
    if (at_conference) {
      Rng place(world_.seed, {kConference, week, 1'000'000});
      const Nanoseconds at = midnight + minutes(7.5 + 12 * rng.uniform());
      const Nanoseconds lasts = minutes(1 + rng.uniform());
      work_from(rng, number, at, lasts, hotel(place, conference_key, conference_abroad));
      remote = true;
    } else if (travelling) {
      Rng place(trip_key, {1});
      const std::uint32_t ip = hotel(place, trip_key, trip_abroad);
      if (rng.chance(0.35)) {
        const Nanoseconds at = start + minutes(rng.uniform() * 4);
        const Nanoseconds lasts = minutes(0.4 + 1.5 * rng.uniform());
        work_from(rng, number, at, lasts, mobile_ip());
      }
      if (rng.chance(0.8)) {
        const Nanoseconds at = midnight + minutes(17.5 + 4 * rng.uniform());
        const Nanoseconds lasts = minutes(0.5 + 2 * rng.uniform());
        work_from(rng, number, at, lasts, ip);
      }
      remote = true;
    } else if (rng.chance(user.remote_share)) {
      remote = true;
      std::uint32_t ip = world_.address(home, start);
      if (user.second_home.network != nullptr && rng.chance(0.12)) ip = world_.address(user.second_home, start);
      if (user.commercial_vpn && rng.chance(0.4)) {
        const PlanNetwork& exit = *world_.vpns[(number + rng.below(3)) % world_.vpns.size()];
        ip = world_.fixed_address(exit, rng.below(60));
      }
      if (user.shift == Shift::kField || (user.mobile_often && rng.chance(0.3)) || rng.chance(0.02)) {
        // On the road: several short sessions through the phone.
        const int count = rng.between(1, 3);
        for (int i = 0; i < count; ++i) {
          const Nanoseconds at = start + length * i / count + rng.between(0, 40) * kMinute;
          const Nanoseconds lasts = minutes(0.3 + 1.2 * rng.uniform());
          work_from(rng, number, at, lasts, mobile_ip());
        }
      } else {
        work_from(rng, number, start, length, ip);
      }
    } else if (rng.chance(0.03)) {
      // At a customer's or a branch's: the VPN out of a business network.
      const PlanNetwork& network = *world_.businesses[rng.below(world_.businesses.size())];
      const Nanoseconds lasts = minutes(1 + 3 * rng.uniform());
      work_from(rng, number, start + kHour, lasts, world_.fixed_address(network, 20 + rng.below(6)));
      remote = true;
    }
    if (!travelling && !at_conference && rng.chance(remote ? 0.10 : 0.06)) {
      const Nanoseconds evening = midnight + minutes(19 + 3.5 * rng.uniform());
      const Nanoseconds lasts = minutes(0.3 + 1.2 * rng.uniform());
      work_from(rng, number, evening, lasts, rng.chance(0.12) ? mobile_ip() : world_.address(home, evening));
    }
  } else if (rng.chance(0.05)) {
    const Nanoseconds odd = midnight + minutes(9 + 12 * rng.uniform());
    const bool at_second = user.second_home.network != nullptr && rng.chance(0.5);
    work_from(rng, number, odd, minutes(0.3 + 2 * rng.uniform()),
              world_.address(at_second ? user.second_home : home, odd));
  }
  // The password ran out: the phone goes on trying with the old one, the owner mistypes the new one.
  if (day == user.password_day && workday) {
    const int retries = rng.between(4, 14);
    const std::uint32_t phone = rng.chance(0.5) ? mobile_ip() : world_.address(home, start);
    for (int i = 0; i < retries; ++i) {
      failed_login(rng, user.gateway, start + kHour + i * 15 * kMinute + rng.between(0, 20) * kSecond, phone, user.name,
                   0);
    }
  }
  if (user.admin && (workday || rng.chance(0.1))) {
    const int count = rng.poisson(2.2);
    for (int i = 0; i < count; ++i) {
      const Nanoseconds at = start + static_cast<Nanoseconds>(rng.below(static_cast<std::uint64_t>(length)));
      const bool from_home = remote && rng.chance(0.6);
      const IpText outside(world_.address(home, at));
      const std::string inside = pool_address(number);
      const Nanoseconds lasts = rng.between(1, 100) * kMinute;
      const bool key = !rng.chance(0.1);
      const int wrong = rng.chance(0.03) ? 1 : 0;
      ssh_session(rng, at, lasts, from_home ? std::string_view(outside) : std::string_view(inside), user.name, key,
                  wrong);
    }
  }
}

}  // namespace orbwatch::evaluate
