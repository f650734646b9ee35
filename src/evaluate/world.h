// The people, lines and nodes of a simulated world. Everything follows from the options; nothing reads a clock.
#pragma once

#include <array>
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
  bool cgnat = false;  // without an IPv4 address of its own: it shares one with its neighbours
};

// Behind a carrier's NAT a line has this many ports of the shared address (port blocks as in RFC 7422).
constexpr int kPortsOfBlock = 1008;

struct Town {
  std::string_view country;
  std::string_view name;
  std::vector<const PlanNetwork*> homes;
};

enum class Gateway : std::uint8_t { kAsa1, kAsa2, kFortigate, kBastion, kPaloAlto, kIvanti };
constexpr std::size_t kGateways = 6;
std::string_view name(Gateway gateway);  // as the logs have it: "asa-1"
// Whether its log names the client software.
constexpr bool logs_client(Gateway gateway) { return gateway != Gateway::kFortigate; }

// The software of a client, whatever the gateway calls it.
struct Client {
  int os = 0;                // 0 Windows, 1 macOS, 2 Linux
  int release = 0;           // 0 the oldest that is rolled out here, -1 an older one
  bool open_source = false;  // OpenConnect instead of the vendor's
};
// As an ASA's syslog has it ("Cisco Secure Client VPN Agent for Windows 5.1.2.42"), and the versions of the vendors'
// own clients of the same age.
std::string asa_client(const Client& client);
std::string_view globalprotect_version(const Client& client);
std::string ivanti_client(const Client& client);

enum class Shift : std::uint8_t { kOffice, kEarly, kLate, kNight, kPartTime, kField };

struct User {
  std::string name;
  std::size_t town = 0;
  Line home;
  Line next_home;                 // after `moves`: a new provider
  Nanoseconds moves = INT64_MAX;  // when he changes his provider, or moves house
  std::size_t next_town = 0;      // after `moves`
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

  // What follows is so in a world with variety only (variety.cc).
  int left_day = 1 << 30;     // first day without him
  double zone_shift = 0;      // hours to add to his own clock's for the region's
  std::vector<Line> sharers;  // a shared account: the homes of those who use it
  bool company = false;       // contractor in the office of his service company
  bool merged = false;        // came with the merger
  bool student = false;       // two days a week, at hours of his own
  bool rare = false;          // once in some weeks
  bool vpn_always = false;    // a commercial VPN service, never off
  bool weekend_home = false;  // Fridays and Mondays in the second home
  bool on_call = false;       // his turn comes by the week
  double hotspot = 0;         // share of remote days through his phone
  int branch = -1;            // works in this branch office on other days, behind its NAT
  Line abroad_line;           // works from there on these days; network null: never
  int abroad_from = -1, abroad_to = -1;
};

// A hijacked home router.
struct Node {
  Line line;
  std::size_t town = SIZE_MAX;  // index into World::towns; SIZE_MAX = abroad
  Nanoseconds born = 0;
  Nanoseconds dies = 0;
  std::uint16_t source_port = 0;  // it relays from this port (a SOHO or implant port), 0 = ordinary ports
  bool business = false;          // a small office's router or firewall, on a business line
};

enum class Sector : std::uint8_t { kOffice, kHospital, kFactory, kSchool };
enum class GatewaySet : std::uint8_t { kAsa, kMixed, kAsaOnly };

// A provider's customers in a town are without broadband.
struct Outage {
  const PlanNetwork* network = nullptr;
  Nanoseconds from = 0, until = 0;
};
// From then on they have addresses from other pools.
struct Renumbering {
  const PlanNetwork* network = nullptr;
  Nanoseconds at = 0;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  int users = 150;
  int days = 28;
  core::CivilTime start;
  std::string_view region;  // "" = by the seed
  bool variety = false;
  Sector sector = Sector::kOffice;
  GatewaySet gateways = GatewaySet::kAsa;
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
  // The VPN gateways: what the users of the first ASA, of the second and of the FortiGate really use.
  std::array<Gateway, 3> served = {Gateway::kAsa1, Gateway::kAsa2, Gateway::kFortigate};
  bool bastion = true;

  // With variety only (variety.cc).
  bool variety = false;
  Sector sector = Sector::kOffice;
  std::vector<std::uint32_t> cgnat_asns;  // providers that share addresses among broadband customers
  std::vector<Outage> outages;
  std::vector<Renumbering> renumberings;
  std::vector<int> local_holidays;   // days
  std::vector<int> term_breaks;      // first days of weeks without school
  int forced_upgrade_day = 1 << 30;  // from then on the gateways accept no older client
  int failover_day = -1;             // all of the first gateway come to the second
  int event_day = -1;                // half the staff in one hotel
  int merger_day = 1 << 30;
  std::vector<std::size_t> on_call;         // users
  std::vector<std::string_view> countries;  // where staff is, the region's first

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
  std::size_t town_of(const User& user, Nanoseconds time) const {
    return time >= user.moves ? user.next_town : user.town;
  }
  // The first of the ports that a line behind a carrier's NAT has.
  static std::uint16_t first_port(const Line& line);
  bool out(const PlanNetwork* network, Nanoseconds time) const;
  bool stands(Gateway gateway) const;  // whether the world has this device
  // ISO 3166-1 of the plan's network that holds the address; "" if none does.
  static std::string_view country_of(std::uint32_t ip);
  bool day_off(const User& user, int day) const;  // a public or local holiday, a term break
  // The client on the user's own or on the second computer.
  Client client_of(const User& user, int day, bool second = false) const;
};

World make_world(const WorldOptions& options);
// What --variety 1 and other sectors than the office change about a world: its people, providers and events. Called by
// make_world() between the making of people and of nodes.
void add_variety(World& world);
void add_sector(World& world);

}  // namespace orbwatch::evaluate
