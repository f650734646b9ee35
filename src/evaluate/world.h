// The people, lines and nodes of a simulated world. Everything follows from the options; nothing reads a clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "evaluate/address_plan.h"
#include "evaluate/rng.h"

namespace orbwatch::evaluate {

using core::Nanoseconds;

// Seconds east of UTC at a moment in a region's zone, daylight saving included: "de" Central European, "gb" British,
// "us" US Central.
int utc_offset(std::string_view region, Nanoseconds utc);
bool public_holiday(std::string_view region, const core::CivilTime& date);

// One subscriber's line.
struct Line {
  const PlanNetwork* network = nullptr;
  std::uint64_t key = 0;
  bool node = false;  // hijacked: its hosts come from the half of each prefix that no employee uses, so the truth stays
                      // unambiguous
};

struct Town {
  std::string_view country;
  std::string_view name;
  std::vector<const PlanNetwork*> homes;
};

enum class Gateway : std::uint8_t { kAsa1, kAsa2, kFortigate, kBastion };
std::string_view name(Gateway gateway);  // as the logs have it: "asa-1"

enum class Shift : std::uint8_t { kOffice, kEarly, kLate, kNight, kPartTime, kField };

struct User {
  std::string name;
  std::size_t town = 0;
  Line home;
  Line next_home;                 // after `moves`: a new provider
  Nanoseconds moves = INT64_MAX;  // when he changes his provider
  Line second_home;               // network null: none
  const PlanNetwork* mobile = nullptr;
  Shift shift = Shift::kOffice;
  std::uint8_t workdays = 0x1f;  // bit 0 = Monday
  double remote_share = 0.5;     // of his workdays on which he uses the VPN
  double start_hour = 8;         // local
  double hours = 8;
  Gateway gateway = Gateway::kAsa1;
  int os = 0;  // 0 Windows, 1 macOS, 2 Linux
  double upgrade_lag_days = 0;
  bool distribution_client = false;  // on Linux: OpenConnect
  // A second computer, used on this share of the days; 0 = none.
  double second_computer = 0;
  int second_os = 0;
  double second_lag_days = 0;  // seldom switched on: updated late or never
  int new_os_day = 1 << 30;    // gets a computer with `new_os`
  int new_os = 0;
  bool admin = false;
  bool contractor = false;      // from virtual desktops
  bool commercial_vpn = false;  // switches one on at times
  bool traveller = false;
  bool mobile_often = false;
  double typo = 0.02;
  int hired_day = 0;           // first day
  int password_day = 1 << 30;  // the day on which his password expires
  int vacation_from = -1, vacation_to = -1;
};

// A hijacked home router.
struct Node {
  Line line;
  std::size_t town = SIZE_MAX;  // index into World::towns; SIZE_MAX = abroad
  Nanoseconds born = 0;
  Nanoseconds dies = 0;
  std::uint16_t source_port = 0;  // it relays from this port (a SOHO or implant port), 0 = ordinary ports
};

struct World {
  std::uint64_t seed = 0;
  std::string region;
  Nanoseconds start = 0;  // local midnight of the first day, in UTC
  int days = 0;
  std::vector<Town> towns;  // of the region; the first three have offices
  std::vector<const PlanNetwork*> mobiles, businesses, abroad, hosting, vpns, vdis;
  std::vector<User> users;
  std::vector<Node> nodes;

  Nanoseconds midnight(int day) const;  // local midnight of a day, in UTC
  core::CivilTime date(int day) const;
  int weekday(int day) const;  // 0 = Monday
  int day_of(Nanoseconds time) const;

  // Who holds the line's address at a moment: deterministic, changes with the provider's churn.
  std::uint32_t address(const Line& line, Nanoseconds time) const;
  // An address of a network without subscribers (hosting, hotel, CGNAT gateway) chosen by a key; always the same for
  // the same key.
  std::uint32_t fixed_address(const PlanNetwork& network, std::uint64_t key) const;
  // One of the few addresses behind which a mobile operator puts the phones of an area.
  std::uint32_t cgnat_address(const PlanNetwork& network, std::uint64_t key) const;
  Line home_of(const User& user, Nanoseconds time) const { return time >= user.moves ? user.next_home : user.home; }
  // What the client calls itself, on the user's own or on the second computer.
  std::string client_of(const User& user, int day, bool second = false) const;
};

// `region` "" = chosen by the seed. The date is "2026-10-05".
World make_world(std::uint64_t seed, int users, int days, const core::CivilTime& start, std::string_view region);

}  // namespace orbwatch::evaluate
