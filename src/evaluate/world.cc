#include "evaluate/world.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;

enum Stream : std::uint64_t { kRegion = 1, kUsers, kLease, kHost, kNodes, kFixed, kCgnat, kComputers, kGatewaySet };

constexpr std::array<std::string_view, 48> kFirst = {
    "anna",   "ben",   "carla", "david", "elena",  "felix",  "greta",  "henry",  "ida",    "jonas", "karin", "leon",
    "maria",  "nils",  "olga",  "paul",  "rosa",   "simon",  "tara",   "udo",    "vera",   "will",  "yara",  "zoe",
    "adam",   "bella", "colin", "diana", "emil",   "fiona",  "george", "hanna",  "ivan",   "julia", "kevin", "laura",
    "martin", "nadia", "oscar", "priya", "robert", "sophie", "thomas", "ursula", "victor", "wendy", "xaver", "yusuf"};
constexpr std::array<std::string_view, 80> kLast = {
    "adler",   "baker",    "bauer",  "becker",  "berger",  "brandt", "braun",   "brook",  "carter",   "clarke",
    "cole",    "cooper",   "dean",   "dietz",   "ebert",   "ellis",  "engel",   "evans",  "fischer",  "foster",
    "frank",   "fuchs",    "gill",   "graf",    "gray",    "haas",   "hall",    "hansen", "hartmann", "hill",
    "hoffman", "holt",     "hughes", "jansen",  "jung",    "kaiser", "keller",  "khan",   "king",     "klein",
    "koch",    "kowalski", "kramer", "lane",    "lang",    "lewis",  "lorenz",  "marsh",  "mason",    "maurer",
    "mayer",   "moore",    "morgan", "muller",  "neumann", "novak",  "otto",    "parker", "patel",    "peters",
    "pohl",    "quinn",    "reed",   "richter", "roth",    "sauer",  "schmidt", "scholz", "seidel",   "shaw",
    "silva",   "stein",    "stone",  "thoma",   "turner",  "vogel",  "wagner",  "walker", "weber",    "winter"};

struct Release {
  std::string_view version;
  int day;  // of the roll-out, counted from the world's first day
};
// The last is the one of a forced upgrade.
constexpr std::array<Release, 4> kReleases = {
    {{"4.10.07073", -400}, {"4.10.08029", -90}, {"5.1.2.42", 9}, {"5.1.4.74", 140}}};
constexpr std::string_view kForcedRelease = "5.1.6.103";
constexpr std::array<std::string_view, 3> kSystems = {"Windows", "Mac OS X", "Linux"};

std::int64_t last_sunday(int year, int month) {
  // day number (since the epoch) of the last Sunday of a month with 31 days
  const std::int64_t day = core::from_utc({year, month, 31}) / kDay;
  return day - (day + 4) % 7;  // day 0 was a Thursday
}

const PlanNetwork* by_weight(const std::vector<const PlanNetwork*>& from, Rng& rng) {
  std::uint64_t total = 0;
  for (const PlanNetwork* n : from) total += n->weight;
  std::uint64_t at = rng.below(total);
  for (const PlanNetwork* n : from) {
    if (at < n->weight) return n;
    at -= n->weight;
  }
  return from.back();
}

std::uint32_t host_in(const PlanPrefix& prefix, Rng& rng, bool node) {
  const std::uint32_t size = std::uint32_t{1} << (32 - prefix.bits);
  for (;;) {
    const std::uint32_t ip = prefix.base + static_cast<std::uint32_t>(rng.below(size));
    const std::uint32_t last = ip & 0xff;
    if (last == 0 || last == 255) continue;
    if (((mix(ip) >> 7) & 1) == (node ? 1U : 0U)) return ip;
  }
}

void make_users(World& world, int count) {
  absl::flat_hash_set<std::string> taken;
  world.users.resize(static_cast<std::size_t>(std::max(count, 1)));
  for (std::size_t u = 0; u < world.users.size(); ++u) {
    Rng rng(world.seed, {kUsers, u});
    User& user = world.users[u];
    user.name = rng.pick(kFirst);
    user.name += '.';
    user.name += rng.pick(kLast);
    for (int n = 2; !taken.insert(user.name).second; ++n) {
      const auto digits = user.name.find_first_of("0123456789");
      user.name = user.name.substr(0, digits) + fmt::format("{}", n + static_cast<int>(u / 4000));
    }
    // Most live in a town with an office, the largest first.
    const double where = rng.uniform();
    user.town = where < 0.5 ? 0 : where < 0.72 ? 1 : where < 0.84 ? 2 : 3 + rng.below(world.towns.size() - 3);
    const auto line_in = [&](std::size_t town) {
      const PlanNetwork* network = by_weight(world.towns[town].homes, rng);
      return Line{network, rng.next()};
    };
    user.home = line_in(user.town);
    user.next_home = line_in(user.town);
    user.next_town = user.town;
    // About one household in 14 changes its provider within a year.
    const double moves = rng.exponential(14 * 365);
    if (moves < world.days && user.next_home.network != user.home.network) {
      user.moves = world.start + static_cast<Nanoseconds>(moves) * kDay + 14 * kHour;
    }
    if (rng.chance(0.09)) user.second_home = line_in(rng.below(world.towns.size()));
    user.mobile = by_weight(world.mobiles, rng);
    const double shift = rng.uniform();
    user.shift = shift < 0.66   ? Shift::kOffice
                 : shift < 0.74 ? Shift::kEarly
                 : shift < 0.80 ? Shift::kLate
                 : shift < 0.83 ? Shift::kNight
                 : shift < 0.93 ? Shift::kPartTime
                                : Shift::kField;
    user.start_hour = user.shift == Shift::kEarly   ? 5.6
                      : user.shift == Shift::kLate  ? 13.2
                      : user.shift == Shift::kNight ? 21.5
                                                    : 8.1;
    user.start_hour += 0.7 * rng.bell();
    user.hours = user.shift == Shift::kPartTime ? 4.3 : 8.0 + 0.5 * rng.bell();
    if (user.shift == Shift::kPartTime) user.workdays = rng.chance(0.5) ? 0x07 : 0x1b;
    if (user.shift == Shift::kNight) user.workdays = rng.chance(0.5) ? 0x6c : 0x33;
    user.remote_share = 0.15 + 0.75 * rng.uniform();
    const double gateway = rng.uniform();
    user.gateway = gateway < 0.55 ? Gateway::kAsa1 : gateway < 0.72 ? Gateway::kAsa2 : Gateway::kFortigate;
    const double os = rng.uniform();
    user.os = os < 0.78 ? 0 : os < 0.95 ? 1 : 2;
    user.upgrade_lag_days = rng.exponential(4);
    user.admin = rng.chance(0.07);
    user.commercial_vpn = rng.chance(0.03);
    user.traveller = rng.chance(0.10);
    user.mobile_often = user.shift == Shift::kField || rng.chance(0.12);
    user.typo = 0.05 * rng.uniform();
    user.typo = 0.005 + user.typo * rng.uniform();
    if (rng.chance(0.05)) user.hired_day = rng.between(1, std::max(1, world.days - 2));
    // Passwords live 90 days.
    const int expiry = rng.between(0, 89);
    if (expiry < world.days) user.password_day = expiry;
    if (rng.chance(0.22 * world.days / 28.0)) {
      user.vacation_from = rng.between(0, std::max(0, world.days - 3));
      user.vacation_to = user.vacation_from + rng.between(4, 13);
    }
    if (rng.chance(0.03)) {
      user.contractor = true;
      user.gateway = Gateway::kAsa1;
      user.admin = false;
      user.os = 0;
      user.remote_share = 0.9;
      user.moves = INT64_MAX;
    }
  }
  for (std::size_t u = 0; u < world.users.size(); ++u) {
    Rng rng(world.seed, {kComputers, u});
    User& user = world.users[u];
    const auto other_os = [&] { return rng.chance(0.6) ? (user.os + 1) % 2 : rng.chance(0.5) ? 2 : user.os; };
    user.distribution_client = rng.chance(0.4);
    if (user.contractor) continue;
    if (rng.chance(0.12)) {
      user.second_computer = 0.04 + 0.3 * rng.uniform();
      user.second_os = other_os();
      user.second_lag_days = rng.chance(0.5) ? 30 + rng.exponential(90) : rng.exponential(10);
    }
    if (rng.chance(0.02 * world.days / 28.0)) {
      user.new_os_day = rng.between(1, std::max(1, world.days - 2));
      user.new_os = other_os();
    }
  }
  // However small the world, somebody runs it.
  world.users[0].admin = true;
  world.users[0].contractor = false;
  world.users[0].hired_day = 0;
}

void make_nodes(World& world) {
  // Quad7 and JDY (17 to 90 days) and Mandiant's 31: domain figures for how long a node stays with a network.
  constexpr std::array<double, 3> kMeanDays = {17, 31, 90};
  // Source ports under which such nodes have been seen to listen or relay. Most nodes use ordinary ports.
  constexpr std::array<std::uint16_t, 8> kPorts = {7777, 8443, 11288, 63256, 63260, 3256, 8080, 49254};
  std::uint64_t slot = 0;
  const Nanoseconds end = world.start + (world.days + 1) * kDay;
  const auto fill = [&](const PlanNetwork* network, std::size_t town) {
    Rng rng(world.seed, {kNodes, slot++});
    Nanoseconds at = world.start - kDay;
    while (at < end) {
      Node node;
      node.line = {network, rng.next(), true};
      node.town = town;
      node.born = at;
      // hours suffice; the exponential law has no memory, so the first node of a slot needs no age
      node.dies = at + (1 + static_cast<Nanoseconds>(rng.exponential(rng.pick(kMeanDays) * 24))) * kHour;
      node.source_port = rng.chance(0.15) ? rng.pick(kPorts) : std::uint16_t{0};
      at = node.dies + kHour;
      world.nodes.push_back(node);
    }
  };
  for (std::size_t town = 0; town < world.towns.size(); ++town) {
    for (const PlanNetwork* network : world.towns[town].homes) {
      for (int i = 0; i < (town < 3 ? 4 : 2); ++i) fill(network, town);
    }
  }
  for (const PlanNetwork* network : world.abroad) {
    for (int i = 0; i < (world.variety ? 6 : 3); ++i) fill(network, SIZE_MAX);
  }
  if (!world.variety) return;
  // KV's way: routers and firewalls of small offices, on business lines (Lumen, December 2023).
  const std::size_t homes = world.nodes.size();
  for (const PlanNetwork* network : world.businesses) {
    const auto town = std::ranges::find(world.towns, network->town, &Town::name);
    const auto index = static_cast<std::size_t>(town - world.towns.begin());
    for (int i = 0; i < 3; ++i) fill(network, town == world.towns.end() ? SIZE_MAX : index);
  }
  for (std::size_t n = homes; n < world.nodes.size(); ++n) world.nodes[n].business = true;
}

// Which devices there are, and who uses which.
void place_gateways(World& world, GatewaySet set) {
  using enum Gateway;
  // Other vendors' beside or instead of the usual ones.
  constexpr std::array<std::array<Gateway, 3>, 5> kMixtures = {{{kAsa1, kAsa2, kPaloAlto},
                                                                {kAsa1, kPaloAlto, kFortigate},
                                                                {kPaloAlto, kPaloAlto, kIvanti},
                                                                {kAsa1, kAsa2, kIvanti},
                                                                {kAsa1, kPaloAlto, kIvanti}}};
  if (set == GatewaySet::kAsa) return;
  if (set == GatewaySet::kMixed) {
    world.served = Rng(world.seed, {kGatewaySet}).pick(kMixtures);
  } else {
    world.served = {kAsa1, kAsa2, kAsa2};
    world.bastion = false;
  }
  for (User& user : world.users) user.gateway = world.served[static_cast<std::size_t>(user.gateway)];
}

}  // namespace

std::string_view name(Gateway gateway) {
  switch (gateway) {
    case Gateway::kAsa1: return "asa-1";
    case Gateway::kAsa2: return "asa-2";
    case Gateway::kFortigate: return "fgt-1";
    case Gateway::kBastion: return "bastion";
    case Gateway::kPaloAlto: return "pa-1";
    case Gateway::kIvanti: return "ics-1";
  }
  return "";
}

int utc_offset(std::string_view region, Nanoseconds utc) {
  const int year = core::to_utc(utc).year;
  if (region == "us") {
    // second Sunday of March 08:00 UTC to first Sunday of November 07:00 UTC (Central)
    const std::int64_t march = core::from_utc({year, 3, 14}) / kDay;
    const std::int64_t november = core::from_utc({year, 11, 7}) / kDay;
    const Nanoseconds from = (march - (march + 4) % 7) * kDay + 8 * kHour;
    const Nanoseconds to = (november - (november + 4) % 7) * kDay + 7 * kHour;
    return (utc >= from && utc < to ? -5 : -6) * 3600;
  }
  const Nanoseconds from = last_sunday(year, 3) * kDay + kHour;
  const Nanoseconds to = last_sunday(year, 10) * kDay + kHour;
  return ((utc >= from && utc < to ? 1 : 0) + (region == "gb" ? 0 : 1)) * 3600;
}

bool public_holiday(std::string_view region, const core::CivilTime& date) {
  struct Day {
    std::string_view region;
    int month, day;
  };
  // Fixed days, and the moving ones of 2026.
  constexpr std::array<Day, 36> kDays = {
      {{"fr", 11, 1},  {"fr", 11, 11}, {"fr", 7, 14},  {"pl", 11, 11}, {"pl", 11, 1},  {"at", 10, 26},
       {"at", 11, 1},  {"at", 12, 8},  {"es", 10, 12}, {"es", 12, 8},  {"it", 11, 1},  {"it", 12, 8},
       {"nl", 4, 27},  {"sg", 8, 9},   {"br", 10, 12}, {"tw", 10, 10}, {"", 1, 1},     {"", 12, 25},
       {"de", 1, 6},   {"de", 5, 1},   {"de", 10, 3},  {"de", 11, 1},  {"de", 12, 26}, {"gb", 12, 26},
       {"gb", 5, 4},   {"gb", 5, 25},  {"gb", 8, 31},  {"us", 7, 4},   {"us", 9, 7},   {"us", 11, 26},
       {"us", 11, 27}, {"de", 4, 3},   {"de", 4, 6},   {"gb", 4, 3},   {"gb", 4, 6},   {"us", 5, 25}}};
  return std::ranges::any_of(kDays, [&](const Day& d) {
    return (d.region.empty() || d.region == region) && d.month == date.month && d.day == date.day;
  });
}

Nanoseconds World::midnight(int day) const {
  const Nanoseconds local = (start + utc_offset(region, start) * kSecond) / kDay * kDay + day * kDay;
  // The offset at local midnight: transitions lie hours away from midnight, so the offset just before or after is the
  // same.
  return local - utc_offset(region, local) * kSecond;
}

core::CivilTime World::date(int day) const {
  return core::to_utc((start + utc_offset(region, start) * kSecond) / kDay * kDay + day * kDay);
}

int World::weekday(int day) const {
  const std::int64_t number = (start + utc_offset(region, start) * kSecond) / kDay + day;
  return static_cast<int>((number + 3) % 7);
}

int World::day_of(Nanoseconds time) const {
  const std::int64_t first = (start + utc_offset(region, start) * kSecond) / kDay;
  return static_cast<int>((time + utc_offset(region, time) * kSecond) / kDay - first);
}

std::uint32_t World::address(const Line& line, Nanoseconds time) const {
  const PlanNetwork& network = *line.network;
  // How often this provider has renumbered the town by then.
  std::uint64_t numbering = 0;
  for (const Renumbering& r : renumberings) numbering += r.network == &network && time >= r.at ? 1 : 0;
  if (line.cgnat) {
    // Three addresses serve the organisation's part of a town; a line stays behind one for a week.
    const auto week = static_cast<std::uint64_t>(time / (7 * kDay));
    Rng shared(seed, {kCgnat, network.asn, network.prefixes[0].base, numbering, mix(line.key, week) % 3});
    return host_in(network.prefixes[shared.below(network.prefixes.size())], shared, false);
  }
  std::uint64_t lease = 0;
  if (network.churn == Churn::kDaily) {
    // The forced reconnect comes between 02:00 and 05:00 UTC, at the line's own minute; three nights in a hundred it
    // fails.
    const Nanoseconds reset = 2 * kHour + static_cast<Nanoseconds>(mix(line.key, kLease) % 180) * kMinute;
    std::int64_t number = (time - reset) / kDay;
    for (int back = 0; back < 6 && mix(line.key, static_cast<std::uint64_t>(number)) % 100 < 3; ++back) --number;
    lease = static_cast<std::uint64_t>(number);
  } else if (network.churn == Churn::kWeeks || network.churn == Churn::kMonths) {
    const double mean = (network.churn == Churn::kWeeks ? 21 : 150) * 24;
    Rng rng(seed, {kLease, line.key});
    Nanoseconds at = start - kDay;
    for (;; ++lease) {
      at += static_cast<Nanoseconds>(rng.exponential(mean) * 3600) * kSecond;
      if (at > time) break;
    }
  }
  Rng rng(seed, {kHost, line.key, lease + (numbering << 32)});
  const std::size_t own = (mix(line.key, 77) + 5 * numbering) % network.prefixes.size();
  // A line mostly stays in its own pool; daily renumbering moves it among a few.
  std::size_t pool = own;
  if (network.churn == Churn::kDaily) {
    pool = (own + rng.below(std::min<std::size_t>(3, network.prefixes.size()))) % network.prefixes.size();
  } else if (lease > 0 && rng.chance(0.25)) {
    pool = rng.below(network.prefixes.size());
  }
  return host_in(network.prefixes[pool], rng, line.node);
}

std::uint32_t World::fixed_address(const PlanNetwork& network, std::uint64_t key) const {
  Rng rng(seed, {kFixed, network.asn, key});
  return host_in(network.prefixes[rng.below(network.prefixes.size())], rng, false);
}

std::uint32_t World::cgnat_address(const PlanNetwork& network, std::uint64_t key) const {
  Rng rng(seed, {kCgnat, network.asn, key % 48});
  return host_in(network.prefixes[rng.below(network.prefixes.size())], rng, false);
}

std::uint16_t World::first_port(const Line& line) {
  return static_cast<std::uint16_t>(1024 + mix(line.key, 0x9047) % 63 * kPortsOfBlock);
}

bool World::out(const PlanNetwork* network, Nanoseconds time) const {
  return std::ranges::any_of(outages,
                             [&](const Outage& o) { return o.network == network && time >= o.from && time < o.until; });
}

bool World::stands(Gateway gateway) const {
  if (gateway == Gateway::kBastion) return bastion;
  // The first ASA is the firewall, too, and stays where it serves no VPN.
  return gateway == Gateway::kAsa1 || std::ranges::find(served, gateway) != served.end();
}

std::string_view World::country_of(std::uint32_t ip) {
  struct Range {
    std::uint32_t base;
    std::uint8_t bits;
    std::string_view country;
  };
  static const std::vector<Range> ranges = [] {
    std::vector<Range> all;
    for (const PlanNetwork& network : address_plan()) {
      for (const PlanPrefix& p : network.prefixes) all.push_back({p.base, p.bits, network.country});
    }
    std::ranges::sort(all, {}, &Range::base);
    return all;
  }();
  auto range = std::ranges::upper_bound(ranges, ip, {}, &Range::base);
  if (range == ranges.begin()) return {};
  --range;
  return (ip ^ range->base) >> (32 - range->bits) == 0 ? range->country : std::string_view{};
}

bool World::day_off(const User& user, int day) const {
  const core::CivilTime when = date(day);
  const std::string_view country = towns[user.town].country;
  if (!core::equals_ignore_case(country, region)) return public_holiday(core::lower(country), when);
  if (public_holiday(region, when) || std::ranges::find(local_holidays, day) != local_holidays.end()) return true;
  return std::ranges::any_of(term_breaks, [&](int first) { return day >= first && day < first + 7; });
}

Client World::client_of(const User& user, int day, bool second) const {
  Client client;
  client.os = second ? user.second_os : day >= user.new_os_day ? user.new_os : user.os;
  client.open_source = client.os == 2 && user.distribution_client;
  for (std::size_t r = 0; r < kReleases.size(); ++r) {
    if (day >= kReleases[r].day + (second ? user.second_lag_days : user.upgrade_lag_days))
      client.release = static_cast<int>(r);
  }
  if (day >= forced_upgrade_day) client.release = static_cast<int>(kReleases.size());
  return client;
}

std::string asa_client(const Client& client) {
  if (client.open_source)
    return client.release < 0 ? "Open AnyConnect VPN Agent v8.20" : "Open AnyConnect VPN Agent v9.01";
  const auto release = static_cast<std::size_t>(client.release);
  const std::string_view version = client.release < 0           ? (client.os == 0 ? "4.8.03052" : "4.9.06037")
                                   : release < kReleases.size() ? kReleases[release].version
                                                                : kForcedRelease;
  const std::string_view product =
      version.starts_with('5') ? "Cisco Secure Client VPN Agent" : "Cisco AnyConnect VPN Agent";
  return fmt::format("{} for {} {}", product, kSystems[static_cast<std::size_t>(client.os)], version);
}

std::string_view globalprotect_version(const Client& client) {
  constexpr std::array<std::string_view, 6> kVersions = {"5.2.8", "6.0.7", "6.1.4", "6.2.1", "6.2.4", "6.2.6"};
  if (client.open_source) return "5.1.5-8";  // what OpenConnect says unless told otherwise
  const int age = client.release + 1;
  return kVersions[static_cast<std::size_t>(age)];
}

std::string ivanti_client(const Client& client) {
  constexpr std::array<std::string_view, 6> kVersions = {"9.1.13.11723", "9.1.18.25055", "22.2.1.1295",
                                                         "22.5.1.25375", "22.7.1.28369", "22.7.2.30859"};
  constexpr std::array<std::string_view, 3> kNames = {"Windows 11", "Macintosh", "Linux"};
  if (client.open_source) return asa_client(client);
  const int age = client.release + 1;
  const std::string_view version = kVersions[static_cast<std::size_t>(age)];
  return fmt::format("Pulse-Secure/{} ({}) Pulse/{}", version, kNames[static_cast<std::size_t>(client.os)], version);
}

World make_world(const WorldOptions& options) {
  World world;
  world.seed = options.seed;
  constexpr std::array<std::string_view, 3> kRegions = {"de", "gb", "us"};
  world.region = options.region.empty() ? Rng(world.seed, {kRegion}).pick(kRegions) : options.region;
  world.days = options.days;
  world.variety = options.variety;
  world.sector = options.sector;
  const Nanoseconds local = core::from_utc({options.start.year, options.start.month, options.start.day});
  world.start = local - utc_offset(world.region, local) * kSecond;
  for (const PlanNetwork& network : address_plan()) {
    if (!network.region.empty() && network.region != world.region) continue;
    switch (network.role) {
      case Role::kHome:
        if (world.towns.empty() || world.towns.back().name != network.town) {
          const auto known = std::ranges::find(world.towns, network.town, &Town::name);
          if (known != world.towns.end()) {
            known->homes.push_back(&network);
            break;
          }
          world.towns.push_back({network.country, network.town, {}});
        }
        world.towns.back().homes.push_back(&network);
        break;
      case Role::kMobile: world.mobiles.push_back(&network); break;
      case Role::kBusiness: world.businesses.push_back(&network); break;
      case Role::kAbroad:
        if (core::lower(network.country) != world.region) world.abroad.push_back(&network);
        break;
      case Role::kHosting: world.hosting.push_back(&network); break;
      case Role::kVpn: world.vpns.push_back(&network); break;
      case Role::kVdi: world.vdis.push_back(&network); break;
    }
  }
  make_users(world, options.users);
  if (options.sector != Sector::kOffice) add_sector(world);
  if (options.variety) add_variety(world);
  place_gateways(world, options.gateways);
  make_nodes(world);
  return world;
}

}  // namespace orbwatch::evaluate
