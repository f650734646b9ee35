// What the people of a simulated world do in a day.
#include <algorithm>
#include <array>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {

Place Simulator::hotel(Rng& rng, std::uint64_t trip, bool abroad) {
  const auto address = [&] {
    if (abroad) {
      const PlanNetwork& network = *world_.abroad[rng.below(world_.abroad.size())];
      return world_.fixed_address(network, trip);
    }
    if (rng.chance(0.5))
      return world_.fixed_address(*world_.businesses[rng.below(world_.businesses.size())], 1000 + trip % 40);
    const Town& town = world_.towns[rng.below(world_.towns.size())];
    return world_.fixed_address(*town.homes[rng.below(town.homes.size())], trip);
  };
  Place place(address());
  place.on_a_trip = true;
  return place;
}

void Simulator::work_from(Rng& rng, std::size_t number, Nanoseconds start, Nanoseconds length, const Place& place) {
  const User& user = world_.users[number];
  const int day = world_.day_of(start);
  Session s;
  s.user = user.name;
  s.user_number = number;
  s.group = group_of(user);
  Rng which(world_.seed, {kSecondComputer, number, static_cast<std::uint64_t>(day)});
  const bool second = which.chance(user.second_computer);
  s.client = world_.client_of(user, day, second);
  s.computer = second ? Computer::kSpare : Computer::kOwn;
  const Gateway gateway = gateway_for(user, day, rng);
  // Some people stay connected all day, others take the tunnel down at noon.
  const int pieces = rng.chance(0.62) || length < 3 * kHour ? 1 : 2;
  Nanoseconds at = start;
  for (int i = 0; i < pieces; ++i) {
    s.start = at;
    s.length = length / pieces - (pieces > 1 ? rng.between(15, 50) * kMinute : 0);
    s.ip = place.ip;
    s.on_a_trip = place.on_a_trip;
    s.wrong_before = rng.chance(user.typo) ? (rng.chance(0.2) ? 2 : 1) : 0;
    s.reconnects = rng.poisson(0.35);
    const double how = rng.uniform();
    s.reason = how < 0.62   ? "User Requested"
               : how < 0.85 ? "Idle Timeout"
               : how < 0.96 ? "Lost Service"
                            : "Connection Preempted";
    s.mean_bytes = user.shift == Shift::kField ? 1e7 : 6e7;
    if (world_.variety) {
      varied_session(rng, gateway, s, place);
    } else {
      session(rng, gateway, s);
    }
    at += length / pieces + rng.between(2, 12) * kMinute;
  }
}

// What may come between: the provider fails, or the user takes his computer along.
void Simulator::varied_session(Rng& rng, Gateway gateway, Session s, const Place& place) {
  const User& user = world_.users[s.user_number];
  Rng own(world_.seed, {kRoaming, s.user_number, static_cast<std::uint64_t>(s.start / kSecond)});
  const bool has_phone = own.chance(0.7);  // the others wait until it is over
  const std::uint32_t phone = world_.cgnat_address(*user.mobile, user.town * 16 + own.below(4));
  const bool roams = own.chance(0.025);
  const double when = 0.2 + 0.6 * own.uniform();
  const Nanoseconds pause = own.between(4, 25) * kMinute;
  if (place.first_port != 0) s.source_port = static_cast<std::uint16_t>(place.first_port + own.below(kPortsOfBlock));
  if (place.network != nullptr) {
    for (const Outage& outage : world_.outages) {
      const Nanoseconds end = s.start + s.length;
      if (outage.network != place.network || s.start >= outage.until || end <= outage.from) continue;
      if (s.start < outage.from) {
        Session before = s;
        before.length = std::max(outage.from - s.start, kMinute);
        before.reason = "Lost Service";
        session(rng, gateway, before);
        s.start = outage.from + pause;
      }
      s.length = std::min(end, outage.until) - s.start;
      if (!has_phone || s.length < 2 * kMinute) return;
      s.ip = phone;
      s.source_port = 0;
      return session(rng, gateway, s);
    }
  }
  if (roams && s.length > 20 * kMinute) {
    s.moved_to = phone;
    const std::int64_t seconds = s.length / kSecond;
    s.moved_at = s.start + static_cast<Nanoseconds>(static_cast<double>(seconds) * when) * kSecond;
  }
  session(rng, gateway, s);
}

// A branch's address, behind which all of its staff are.
std::uint32_t Simulator::branch_address(int branch) const {
  const PlanNetwork& network = *world_.businesses[static_cast<std::size_t>(branch) % world_.businesses.size()];
  return world_.fixed_address(network, 4000 + static_cast<std::uint64_t>(branch));
}

// Several people, one account: by the shift, from the branch or from the home of whoever is on.
void Simulator::shared_account_day(std::size_t number, int day) {
  const User& user = world_.users[number];
  Rng rng(world_.seed, {kSharedAccount, number, static_cast<std::uint64_t>(day)});
  const bool around_the_clock = world_.sector == Sector::kHospital || world_.sector == Sector::kFactory;
  if (!around_the_clock && world_.weekday(day) > 4) return;
  constexpr std::array<double, 3> kShifts = {6, 13.8, 21.4};
  for (int shift = 0; shift < (around_the_clock ? 3 : 2); ++shift) {
    const Line& home = user.sharers[rng.below(user.sharers.size())];
    const bool at_home = rng.chance(0.4);
    const double hour = kShifts[static_cast<std::size_t>(shift)] + rng.uniform();
    const Nanoseconds start =
        world_.midnight(day) + static_cast<Nanoseconds>(hour * 60) * kMinute + rng.between(0, 59) * kSecond;
    const Nanoseconds length = rng.between(20, 300) * kMinute;
    if (!rng.chance(0.75)) continue;
    work_from(rng, number, start, length, at_home ? Place(world_, home, start) : Place(branch_address(user.branch)));
  }
}

void Simulator::on_call_night(std::size_t number, int day) {
  const User& user = world_.users[number];
  Rng rng(world_.seed, {kOnCall, number, static_cast<std::uint64_t>(day)});
  for (int i = rng.poisson(0.5); i > 0; --i) {
    const double hour = rng.chance(0.3) ? 22 + 1.9 * rng.uniform() : 5 * rng.uniform();
    const Nanoseconds start =
        world_.midnight(day) + static_cast<Nanoseconds>(hour * 60) * kMinute + rng.between(0, 59) * kSecond;
    const Nanoseconds length = rng.between(10, 90) * kMinute;
    const bool on_the_road = rng.chance(0.2);
    const std::uint32_t phone = anywhere_mobile(user, rng);
    work_from(rng, number, start, length,
              on_the_road ? Place(phone) : Place(world_, world_.home_of(user, start), start));
  }
}

// An administrator's on the way to the bastion: through his tunnel or, while he has none, from his desk.
std::string Simulator::inside_address(std::size_t number, Nanoseconds time) const {
  if (inside_ == nullptr) return pool_address(number);
  const std::size_t leased = inside_->leased(number, time);
  if (leased != SIZE_MAX) return pool_address(leased);
  return std::string(IpText(inside_->office_computer(number, world_.day_of(time))));
}

void Simulator::user_day(std::size_t number, int day) {
  const User& user = world_.users[number];
  if (day < user.hired_day || day >= user.left_day) return;
  if (!user.sharers.empty()) return shared_account_day(number, day);
  Rng rng(world_.seed, {kUserDay, number, static_cast<std::uint64_t>(day)});
  const Nanoseconds midnight = world_.midnight(day);
  const bool workday = (user.workdays >> world_.weekday(day) & 1) != 0 && !world_.day_off(user, day);
  const bool vacation = day >= user.vacation_from && day <= user.vacation_to;
  const auto minutes = [](double hours) { return static_cast<Nanoseconds>(hours * 60) * kMinute; };
  // An hour of the user's own clock on the region's.
  const auto local = [&](double hour) {
    if (user.zone_shift == 0) return hour;
    const double there = hour + user.zone_shift;
    return there < 0 ? there + 24 : there >= 24 ? there - 24 : there;
  };
  const Nanoseconds minute = midnight + minutes(local(user.start_hour + 0.35 * rng.bell()));
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

  // What only some worlds have. Its own stream, so that the order of the draws below does not depend on it.
  Rng varied(world_.seed, {kVaried, number, static_cast<std::uint64_t>(day)});
  const bool rare_day = user.rare && !varied.chance(1 / 15.0);
  const bool through_phone = varied.chance(user.hotspot);
  const bool at_branch = user.branch >= 0 && varied.chance(0.7);
  const bool at_campus = user.student && varied.chance(0.3);
  const bool weekend_away = user.weekend_home && (world_.weekday(day) >= 4 || world_.weekday(day) == 0);
  const bool away_abroad = day >= user.abroad_from && day <= user.abroad_to;
  const std::size_t duty = static_cast<std::size_t>((day + 400) / 7);
  if (!world_.on_call.empty() && world_.on_call[duty % world_.on_call.size()] == number) on_call_night(number, day);
  if (rare_day) return;
  if (user.company) {
    // The service company's office, all of its people behind one address.
    if (workday && rng.chance(user.remote_share)) {
      const PlanNetwork& office = *world_.businesses.back();
      work_from(rng, number, start, length, world_.fixed_address(office, 4100));
    }
    return;
  }
  if (day == world_.event_day && user.zone_shift == 0 && !user.contractor &&
      Rng(world_.seed, {kEvent, number}).chance(0.5)) {
    // The company's event: half the staff in one hotel, and some look at their mail.
    if (varied.chance(0.6)) {
      const Nanoseconds at =
          midnight + minutes(varied.chance(0.4) ? 6.5 + 2 * varied.uniform() : 17 + 5 * varied.uniform());
      work_from(varied, number, at, minutes(0.3 + varied.uniform()),
                world_.fixed_address(*world_.businesses[0], 4200 + number % 2));
    }
    return;
  }
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
  const Line home = away_abroad ? user.abroad_line : weekend_away ? user.second_home : world_.home_of(user, start);
  bool remote = false;
  if (workday) {
    if (away_abroad) {
      if (varied.chance(0.8)) work_from(rng, number, start, length, Place(world_, home, start));
      remote = true;
    } else if (at_conference) {
      Rng place(world_.seed, {kConference, week, 1'000'000});
      const Nanoseconds at = midnight + minutes(7.5 + 12 * rng.uniform());
      const Nanoseconds lasts = minutes(1 + rng.uniform());
      work_from(rng, number, at, lasts, hotel(place, conference_key, conference_abroad));
      remote = true;
    } else if (travelling) {
      Rng place(trip_key, {1});
      const Place there = hotel(place, trip_key, trip_abroad);
      if (rng.chance(0.35)) {
        const Nanoseconds at = start + minutes(rng.uniform() * 4);
        const Nanoseconds lasts = minutes(0.4 + 1.5 * rng.uniform());
        work_from(rng, number, at, lasts, mobile_ip());
      }
      if (rng.chance(0.8)) {
        const Nanoseconds at = midnight + minutes(17.5 + 4 * rng.uniform());
        const Nanoseconds lasts = minutes(0.5 + 2 * rng.uniform());
        work_from(rng, number, at, lasts, there);
      }
      remote = true;
    } else if (rng.chance(user.remote_share)) {
      remote = true;
      Place place(world_, home, start);
      if (user.second_home.network != nullptr && rng.chance(0.12)) place = Place(world_, user.second_home, start);
      if (user.commercial_vpn && rng.chance(0.4)) {
        const PlanNetwork& exit = *world_.vpns[(number + rng.below(3)) % world_.vpns.size()];
        place = world_.fixed_address(exit, rng.below(60));
      }
      if (user.vpn_always) {
        // A service with many exits: another one each time.
        const PlanNetwork& exit = *world_.vpns[varied.below(world_.vpns.size())];
        place = world_.fixed_address(exit, 100 + varied.below(400));
      } else if (through_phone) {
        place = anywhere_mobile(user, varied);
      } else if (at_campus) {
        place = world_.fixed_address(*world_.businesses[user.town % world_.businesses.size()], 4300);
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
        work_from(rng, number, start, length, place);
      }
    } else if (at_branch) {
      // The branch has no tunnel of its own.
      work_from(rng, number, start, length, branch_address(user.branch));
      remote = true;
    } else if (rng.chance(0.03)) {
      // At a customer's or a branch's: the VPN out of a business network.
      const PlanNetwork& network = *world_.businesses[rng.below(world_.businesses.size())];
      const Nanoseconds lasts = minutes(1 + 3 * rng.uniform());
      work_from(rng, number, start + kHour, lasts, world_.fixed_address(network, 20 + rng.below(6)));
      remote = true;
    }
    if (!travelling && !at_conference && rng.chance(remote ? 0.10 : 0.06)) {
      const Nanoseconds evening = midnight + minutes(local(19 + 3.5 * rng.uniform()));
      const Nanoseconds lasts = minutes(0.3 + 1.2 * rng.uniform());
      work_from(rng, number, evening, lasts, rng.chance(0.12) ? Place(mobile_ip()) : Place(world_, home, evening));
    }
  } else if (rng.chance(0.05)) {
    const Nanoseconds odd = midnight + minutes(local(9 + 12 * rng.uniform()));
    const bool at_second = user.second_home.network != nullptr && rng.chance(0.5);
    work_from(rng, number, odd, minutes(0.3 + 2 * rng.uniform()),
              Place(world_, at_second ? user.second_home : home, odd));
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
      const std::string inside = inside_address(number, at);
      const Nanoseconds lasts = rng.between(1, 100) * kMinute;
      const bool key = !rng.chance(0.1);
      const int wrong = rng.chance(0.03) ? 1 : 0;
      ssh_session(rng, at, lasts, from_home ? std::string_view(outside) : std::string_view(inside), user.name, key,
                  wrong);
    }
  }
}

}  // namespace orbwatch::evaluate
