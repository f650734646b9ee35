// What sessions reach behind the gateway of a simulated world: in the logs, in the truth and in the network itself.
#include "evaluate/inside.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include "core/ip.h"
#include "core/text.h"
#include "evaluate/simulate.h"
#include "evaluate/simulate_test_util.h"
#include "support/temp_dir.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;

SimulateOptions options(const std::string& out, std::uint64_t seed) {
  SimulateOptions o;
  o.seed = seed;
  o.out = out;
  o.users = 60;
  o.days = 14;
  o.noise = 0.3;
  o.variety = 1;
  return o;
}

WorldOptions world_options(std::uint64_t seed, int users, int days) {
  return {.seed = seed,
          .users = users,
          .days = days,
          .start = {2026, 10, 5},
          .region = "de",
          .variety = true,
          .sector = Sector::kOffice,
          .gateways = GatewaySet::kAsaOnly};
}

std::vector<event::Event> events_of(const SimulateResult& result) {
  std::vector<event::Event> all;
  for (const std::string& file : result.files) {
    if (content(file).empty()) continue;
    std::string format;
    const event::EventBatch batch = decode_file(file, format);
    EXPECT_EQ(batch.counts.rejected, 0U) << file << ": " << (batch.rejects.empty() ? "" : batch.rejects[0].seen);
    for (const event::Event& e : batch) all.push_back(e);
  }
  std::ranges::stable_sort(all, {}, [](const event::Event& e) { return e.time; });
  return all;
}

bool of_pool(core::Ip ip) {
  return ip.is_v4() && ip.v4_value() >> 24 == 10 && (ip.v4_value() >> 16 & 255) >= 20 &&
         (ip.v4_value() >> 16 & 255) < 60;
}

// Which of the eight addresses of a user it is.
std::size_t slot(core::Ip ip) {
  const std::uint32_t v = ip.v4_value();
  return (((v >> 16 & 255) - 20) * 62500 + (v >> 8 & 255) * 250 + (v & 255) - 1) % 8;
}

// Through a tunnel. The bastion tells of an administrator's SSH out of one in its own way.
bool is_connection(const event::Event& e) {
  return e.observer.text() != "bastion" && e.event_class == event::Class::kConnection && of_pool(e.source_ip);
}

// A session out of ASA logs, and the connections through its tunnel.
struct Seen {
  std::string user;
  core::Ip assigned;
  Nanoseconds from = 0, until = INT64_MAX;
  std::set<std::uint32_t> hosts;
  std::set<std::pair<std::uint32_t, std::uint16_t>> services;
};

std::vector<Seen> sessions_of(const SimulateResult& result) {
  std::vector<Seen> all;
  std::map<std::pair<std::string, std::uint32_t>, std::size_t> open;  // (gateway, address)
  for (const event::Event& e : events_of(result)) {
    const std::string gateway(e.observer.text());
    if (e.code.text() == "722051") {
      open[{gateway, e.assigned_ip.v4_value()}] = all.size();
      all.push_back({std::string(e.user.text()), e.assigned_ip, e.time, INT64_MAX, {}, {}});
    } else if (is_connection(e) && e.activity == event::Activity::kStart) {
      const auto at = open.find({gateway, e.source_ip.v4_value()});
      if (at == open.end()) {
        ADD_FAILURE() << "no session at " << e.source_ip.text();
        continue;
      }
      Seen& session = all[at->second];
      EXPECT_EQ(session.user, e.user.text());
      session.hosts.insert(e.destination_ip.v4_value());
      session.services.emplace(e.destination_ip.v4_value(), e.destination_port);
    }
  }
  return all;
}

// One world without attacks, all of it in ASA logs.
class InsideLife : public testing::Test {
 protected:
  struct Made {
    test::TempDir dir;
    World world;
    SimulateResult result;
    std::vector<Seen> sessions;
  };
  static const Made& made() {
    static const std::unique_ptr<Made> made = [] {
      auto m = std::make_unique<Made>();
      SimulateOptions o = options(m->dir.path(), 105);
      o.users = 300;
      o.days = 42;
      o.noise = 0;
      o.region = "de";
      o.gateways = "asa-only";
      o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
      m->world = make_world(world_options(105, 300, 42));
      auto result = simulate(o);
      EXPECT_TRUE(result);
      if (result) m->result = *result;
      m->sessions = sessions_of(m->result);
      return m;
    }();
    return *made;
  }
  // Of sessions behind each user's first ten: how many hosts he had never reached.
  struct Novelty {
    std::vector<std::size_t> staff, administrators;
  };
  static Novelty novelty() {
    std::map<std::string, const User*> users;
    for (const User& user : made().world.users) users[user.name] = &user;
    std::map<std::string, std::set<std::uint32_t>> known;
    std::map<std::string, int> count;
    Novelty novelty;
    for (const Seen& s : made().sessions) {
      std::set<std::uint32_t>& own = known[s.user];
      const auto fresh = static_cast<std::size_t>(
          std::ranges::count_if(s.hosts, [&](std::uint32_t host) { return !own.contains(host); }));
      own.insert(s.hosts.begin(), s.hosts.end());
      if (++count[s.user] <= 10) continue;
      const User& user = *users.at(s.user);
      (user.admin ? novelty.administrators : novelty.staff).push_back(fresh);
    }
    return novelty;
  }
};

double mean(const std::vector<std::size_t>& values) {
  double sum = 0;
  for (const std::size_t value : values) sum += static_cast<double>(value);
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::size_t median(std::vector<std::size_t> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

// ---- the network
// ------------------------------------------------------------------------------------------------------------------

TEST(InsideNetwork, HasServersOfEveryKindAtAddressesOfTheirOwn) {
  for (const std::uint64_t seed : {100U, 101U, 102U, 103U, 104U}) {
    const World world = make_world(world_options(seed, 800, 45));
    const InsideNetwork inside(world);
    std::set<std::uint32_t> addresses;
    std::map<ServerKind, int> kinds;
    std::size_t used = 0;
    for (const Server& server : inside.servers()) {
      ++kinds[server.kind];
      for (const std::uint32_t address : {server.address, server.replacement}) {
        if (address == 0) continue;
        EXPECT_EQ(address >> 16, 10U << 8 | 1U);
        addresses.insert(address);
        ++used;
      }
    }
    EXPECT_EQ(addresses.size(), used);
    EXPECT_EQ(kinds.size(), kServerKinds);
    EXPECT_GE(kinds[ServerKind::kDomainController], 2);
    EXPECT_LE(kinds[ServerKind::kDomainController], 4);
    EXPECT_GE(inside.departments(), 6);
    EXPECT_LE(inside.departments(), 12);
    EXPECT_GE(inside.servers().size(), 110U) << "30 and one for each ten people";
    EXPECT_LE(inside.servers().size(), 130U);
  }
}

TEST(InsideNetwork, ServersAreReplaced) {
  int replaced = 0, all = 0, central = 0;
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    const World world = make_world(world_options(seed, 300, 45));
    const InsideNetwork inside(world);
    bool one = false;
    for (const Server& server : inside.servers()) {
      ++all;
      if (server.replaced_day == kNever) {
        EXPECT_EQ(server.address_on(44), server.address);
        continue;
      }
      ++replaced;
      one |= server.kind <= ServerKind::kTickets;
      EXPECT_EQ(server.address_on(server.replaced_day - 1), server.address);
      EXPECT_EQ(server.address_on(server.replaced_day), server.replacement);
      EXPECT_NE(server.address, server.replacement);
    }
    central += one ? 1 : 0;
  }
  EXPECT_GT(replaced, all * 4 / 100);
  EXPECT_LT(replaced, all * 12 / 100);
  EXPECT_GT(central, 11) << "in most worlds";
}

TEST(InsideNetwork, SessionsAtATimeHaveAddressesOfTheirOwn) {
  const World world = make_world(world_options(100, 20, 14));
  InsideNetwork inside(world);
  const Nanoseconds start = world.midnight(3);
  std::set<std::size_t> numbers;
  for (int i = 0; i < 4; ++i) numbers.insert(inside.lease(5, start + i * kMinute, start + kHour, true));
  for (int i = 0; i < 4; ++i) numbers.insert(inside.lease(5, start + i * kMinute, start + kHour, false));
  EXPECT_EQ(numbers.size(), 8U);
  EXPECT_EQ(*numbers.begin(), 40U);
  EXPECT_EQ(*numbers.rbegin(), 47U);
  EXPECT_LT(inside.leased(5, start + 5 * kMinute), 44U) << "the owner's";
  EXPECT_EQ(inside.leased(5, start + 2 * kHour), SIZE_MAX);
  EXPECT_EQ(inside.leased(6, start + 5 * kMinute), SIZE_MAX);
}

TEST(InsideNetwork, AShortSessionReachesLittle) {
  const World world = make_world(world_options(100, 300, 14));
  InsideNetwork inside(world);
  std::size_t brief = 0, day = 0, away = 0;
  for (std::size_t user = 0; user < 300; ++user) {
    Occasion o;
    o.user = user;
    o.day = 5;
    o.opened = world.midnight(5) + 8 * kHour;
    o.length = 5 * kMinute;
    brief += inside.plan(o).visits.size();
    o.length = 6 * kHour;
    day += inside.plan(o).visits.size();
    o.on_a_trip = true;
    away += inside.plan(o).visits.size();
  }
  EXPECT_LT(brief * 3, day * 2);
  EXPECT_LT(away, day);
}

// More people have more servers, but nobody uses them all.
TEST(InsideNetwork, ALargeOrganisationIsNoMoreToOnePerson) {
  std::array<double, 2> mean{};
  constexpr std::array<int, 2> kUsers = {300, 10'000};
  for (std::size_t size = 0; size < 2; ++size) {
    const World world = make_world(world_options(100, kUsers[size], 14));
    InsideNetwork inside(world);
    for (std::size_t user = 0; user < 300; ++user) {
      Occasion o;
      o.user = user;
      o.day = 5;
      o.opened = world.midnight(5) + 8 * kHour;
      o.length = 6 * kHour;
      std::set<std::uint32_t> hosts;
      for (const Visit& visit : inside.plan(o).visits) hosts.insert(visit.address);
      mean[size] += static_cast<double>(hosts.size()) / 300;
    }
  }
  EXPECT_NEAR(mean[0], mean[1], 2);
}

TEST(InsideNetwork, ConnectionsLieWithinTheirSession) {
  const World world = make_world(world_options(101, 200, 14));
  InsideNetwork inside(world);
  for (const Purpose purpose :
       {Purpose::kOwner, Purpose::kSlip, Purpose::kLook, Purpose::kWork, Purpose::kWeekly, Purpose::kCollect}) {
    for (std::size_t user = 0; user < 200; ++user) {
      Occasion o;
      o.user = user;
      o.day = 9;
      o.opened = world.midnight(9) + 9 * kHour;
      o.length = purpose == Purpose::kCollect ? 4 * kHour : 50 * kSecond + static_cast<int>(user) * kMinute;
      o.purpose = purpose;
      const InsideNetwork::Plan plan = inside.plan(o);
      EXPECT_EQ(plan.reached == Reached::kNotWritten, purpose == Purpose::kOwner);
      for (const Visit& visit : plan.visits) {
        EXPECT_GE(visit.at, 0);
        EXPECT_GE(visit.length, 0);
        EXPECT_LE(visit.at + visit.length, o.length);
      }
    }
  }
}

// ---- the logs
// ---------------------------------------------------------------------------------------------------------------------

TEST(TunnelTraffic, IsLoggedWithVarietyOnly) {
  for (const int variety : {0, 1}) {
    test::TempDir a, b;
    SimulateOptions o = options(a.path(), 100);
    o.variety = variety;
    auto first = simulate(o);
    o.out = b.path();
    o.tunnel_traffic = variety == 0 ? "none" : "logged";
    auto second = simulate(o);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(line_counts(*first), line_counts(*second));
    EXPECT_EQ(content(first->truth_file), content(second->truth_file));
    o.tunnel_traffic = variety == 0 ? "logged" : "none";
    auto other = simulate(o);
    ASSERT_TRUE(other);
    EXPECT_NE(first->lines, other->lines);
    const auto told = [](const SimulateResult& r) {
      return std::ranges::any_of(r.truth, [](const TruthItem& item) { return !item.inside.empty(); });
    };
    EXPECT_EQ(told(*first), variety == 1);
    EXPECT_EQ(told(*other), variety == 0);
  }
}

// But for the connections through tunnels, and the addresses that clients are given.
TEST(TunnelTraffic, LeavesAllOtherLinesAlone) {
  // Of administrators on the way to the bastion, too, who come from their desks or through a tunnel.
  const std::regex inner(
      " 10\\.(?:5|9|2[0-9])\\.[0-9]+\\.[0-9]+| <10\\.2[0-9]\\.[0-9]+\\.[0-9]+>|[=,]10\\.2[0-9]\\.[0-9]+\\.[0-9]+");
  const auto others = [&](const SimulateResult& result) {
    std::map<std::string, int> lines;
    for (const auto& [line, count] : line_counts(result)) {
      const bool connection = line.contains("(LOCAL\\") || line.contains("vpn-dmz:10.") ||
                              line.contains("subtype=\"forward\"") || line.contains(",TRAFFIC,");
      if (!connection) lines[std::regex_replace(line, inner, " INNER")] += count;
    }
    return lines;
  };
  for (const std::uint64_t seed : {100U, 101U, 103U}) {
    test::TempDir a, b;
    SimulateOptions o = options(a.path(), seed);
    o.users = 30;
    o.gateways = "mixed";
    auto with = simulate(o);
    o.out = b.path();
    o.tunnel_traffic = "none";
    auto without = simulate(o);
    ASSERT_TRUE(with && without);
    EXPECT_GT(with->lines, without->lines + 1000);
    EXPECT_EQ(others(*with), others(*without));
  }
}

TEST(TunnelTraffic, IsReadWithItsUserAndTheAssignedAddress) {
  std::map<std::string, int> kinds;  // of records, by the first words of their code
  for (const std::string_view gateways : {"asa", "mixed"}) {
    for (const std::uint64_t seed : {100U, 101U, 102U, 103U, 104U}) {
      test::TempDir dir;
      SimulateOptions o = options(dir.path(), seed);
      o.gateways = gateways;
      auto result = simulate(o);
      ASSERT_TRUE(result);
      std::map<std::uint32_t, std::string> user_of;  // the address's last
      for (const event::Event& e : events_of(*result)) {
        if (of_pool(e.assigned_ip)) user_of[e.assigned_ip.v4_value()] = e.user.text();
        if (!is_connection(e)) continue;
        const bool firewall_alone = e.ingress.text() == "vpn-dmz";
        const std::string code(e.code.text());
        ++kinds[firewall_alone ? code + " of a firewall" : code];
        ASSERT_TRUE(user_of.contains(e.source_ip.v4_value())) << e.source_ip.text();
        EXPECT_EQ(e.user.text(), firewall_alone ? "" : user_of[e.source_ip.v4_value()]) << code;
        EXPECT_EQ(e.destination_ip.v4_value() >> 24, 10U);
        EXPECT_NE(e.destination_port, 0);
      }
    }
  }
  for (const std::string code : {"302013", "302014", "302015", "302016", "302013 of a firewall", "302014 of a firewall",
                                 "0000000013", "TRAFFIC/end"})
    EXPECT_GT(kinds[code], 100) << code;
}

// Nobody is given an address that somebody has.
TEST_F(InsideLife, AssignedAddressesAreHeldByOneSession) {
  const std::regex given("IPAA: Client assigned ([0-9.]+) from"), freed("Freeing local pool address ([0-9.]+)");
  std::vector<std::pair<std::string, std::string>> lines;  // by time over both gateways
  for (const auto& file : made().result.files) {
    const std::string text = content(file);
    for (std::string_view rest = text; !rest.empty();) {
      const std::string line(core::take_until(rest, '\n'));
      if (!line.contains("IPAA")) continue;
      // "Oct 05 2026 06:12:44": months sort by name as they do by time in these six weeks.
      lines.emplace_back((line.starts_with("Nov") ? "11" : "10") + line.substr(4, 2) + line.substr(12, 8), line);
    }
  }
  // Within a second an address is freed before it is given.
  std::ranges::sort(lines, {}, [](const auto& l) { return std::pair(l.first, l.second.contains("assigned")); });
  std::set<std::string> held;
  std::size_t most = 0;
  for (const auto& [time, line] : lines) {
    std::smatch m;
    if (std::regex_search(line, m, given)) {
      EXPECT_TRUE(held.insert(m[1]).second) << line;
    } else if (std::regex_search(line, m, freed)) {
      EXPECT_EQ(held.erase(m[1]), 1U) << line;
    }
    most = std::max(most, held.size());
  }
  EXPECT_GT(most, 20U);
  EXPECT_TRUE(held.empty());
}

TEST_F(InsideLife, SessionsMostlyReachWhatTheirUsersKnow) {
  const Novelty seen = novelty();
  ASSERT_GT(seen.staff.size(), 2000U);
  ASSERT_GT(seen.administrators.size(), 50U);
  EXPECT_EQ(median(seen.staff), 0U);
  const auto some = static_cast<double>(std::ranges::count_if(seen.staff, [](std::size_t n) { return n > 0; }));
  EXPECT_GT(some, 0.05 * static_cast<double>(seen.staff.size()));
  EXPECT_LT(some, 0.40 * static_cast<double>(seen.staff.size()));
  EXPECT_GT(*std::ranges::max_element(seen.staff), 3U) << "somebody looks through what there is";
  EXPECT_GT(mean(seen.administrators), 2 * mean(seen.staff));
}

TEST_F(InsideLife, SessionsReachAModestNumberOfHosts) {
  std::vector<std::size_t> services;
  for (const Seen& s : made().sessions) services.push_back(s.services.size());
  EXPECT_GE(median(services), 6U);
  EXPECT_LE(median(services), 12U);
  // Private computers and short looks.
  const auto few = std::ranges::count_if(services, [](std::size_t n) { return n <= 5; });
  EXPECT_GT(few, static_cast<std::ptrdiff_t>(services.size() / 10));
}

TEST_F(InsideLife, PeopleDifferInWhatTheyReach) {
  std::map<std::string, std::set<std::uint32_t>> hosts;
  std::map<std::string, int> count;
  for (const Seen& s : made().sessions) {
    hosts[s.user].insert(s.hosts.begin(), s.hosts.end());
    ++count[s.user];
  }
  std::vector<std::size_t> sizes;
  for (const auto& [user, own] : hosts) {
    if (count[user] >= 15) sizes.push_back(own.size());
  }
  ASSERT_GT(sizes.size(), 80U);
  std::ranges::sort(sizes);
  EXPECT_GT(sizes[sizes.size() * 95 / 100], 2 * sizes[sizes.size() / 10]);
}

TEST_F(InsideLife, NobodyGoesToAServerThatWasReplaced) {
  const InsideNetwork inside(made().world);
  int old_used = 0, new_used = 0;
  std::map<std::uint32_t, const Server*> replaced;
  for (const Server& server : inside.servers()) {
    if (server.replaced_day != kNever) replaced[server.address] = replaced[server.replacement] = &server;
  }
  for (const Seen& s : made().sessions) {
    for (const std::uint32_t host : s.hosts) {
      const auto at = replaced.find(host);
      if (at == replaced.end()) continue;
      const int day = made().world.day_of(s.from);
      if (made().world.day_of(s.from - kMinute) != day) continue;  // which day it began on cannot be told
      const bool old = host == at->second->address;
      (old ? old_used : new_used) += 1;
      // A session that runs over midnight keeps to what it found.
      EXPECT_EQ(old, day < at->second->replaced_day) << day;
    }
  }
  EXPECT_GT(old_used, 10);
  EXPECT_GT(new_used, 10);
}

// ---- the truth
// --------------------------------------------------------------------------------------------------------------------

// What an intruder's connections were, is what the truth says of them.
TEST(TunnelTraffic, TheTruthSaysWhatAnIntruderReached) {
  std::map<std::string, int> kinds;
  int unanswered = 0;
  for (const std::uint64_t seed : {110U, 111U, 112U}) {
    test::TempDir dir;
    SimulateOptions o = options(dir.path(), seed);
    o.users = 200;
    o.days = 28;
    o.noise = 0;
    o.region = "de";
    o.gateways = "asa-only";
    o.covert_logins = 40;
    auto result = simulate(o);
    ASSERT_TRUE(result);
    const InsideNetwork inside(make_world(world_options(seed, 200, 28)));
    std::map<std::uint32_t, ServerKind> kind_of;
    for (const Server& server : inside.servers()) {
      kind_of[server.address] = server.kind;
      if (server.replacement != 0) kind_of[server.replacement] = server.kind;
    }
    const std::vector<event::Event> events = events_of(*result);
    for (const TruthItem& item : result->truth) {
      if (item.kind != "covert-login") {
        EXPECT_EQ(item.inside.empty(), item.kind != "credential-success-after-spray") << item.id;
        continue;
      }
      ++kinds[item.inside];
      std::set<std::uint32_t> hosts, assigned;
      std::map<ServerKind, int> reached;
      int unknown = 0;
      for (const event::Event& e : events) {
        if (e.time < item.time || e.time > item.end || !is_connection(e) || slot(e.source_ip) < 4 ||
            e.user.text() != item.users[0])
          continue;
        assigned.insert(e.source_ip.v4_value());
        unanswered += e.activity == event::Activity::kEnd && e.reason.text().contains("SYN Timeout") ? 1 : 0;
        if (e.activity != event::Activity::kStart || !hosts.insert(e.destination_ip.v4_value()).second) continue;
        const auto at = kind_of.find(e.destination_ip.v4_value());
        if (at == kind_of.end()) {
          ++unknown;
        } else {
          ++reached[at->second];
        }
      }
      EXPECT_LE(assigned.size(), 1U) << "handed over or not, a session keeps its address: " << item.id;
      reached.erase(ServerKind::kDomainController);
      // His computer is not the company's.
      if (item.inside != "sweeps" && item.inside != "looks-around") {
        EXPECT_FALSE(reached.contains(ServerKind::kSoftware) || reached.contains(ServerKind::kAntivirus)) << item.id;
      }
      if (item.inside == "nothing") {
        EXPECT_TRUE(reached.empty() && unknown == 0) << item.id;
      } else if (item.inside == "as-victim") {
        EXPECT_FALSE(reached.empty()) << item.id;
        for (const auto& [kind, count] : reached) {
          EXPECT_TRUE(kind == ServerKind::kMail || kind == ServerKind::kIntranet || kind == ServerKind::kFiles)
              << item.id;
          EXPECT_EQ(count, 1) << item.id;
        }
        EXPECT_EQ(unknown, 0) << item.id;
      } else if (item.inside == "looks-around") {
        EXPECT_FALSE(reached.empty()) << item.id;
        EXPECT_LE(hosts.size(), 12U) << item.id;
        if (item.conduct == "weekly") {
          EXPECT_LE(hosts.size(), 5U) << item.id;
        }
      } else {
        EXPECT_EQ(item.inside, "sweeps") << item.id;
        EXPECT_GE(hosts.size(), 6U) << item.id;
      }
      if (item.conduct == "on-ramp-error") {
        EXPECT_EQ(item.inside, "nothing") << item.id;
      }
    }
  }
  for (const std::string kind : {"nothing", "as-victim", "looks-around", "sweeps"}) EXPECT_GT(kinds[kind], 8) << kind;
  EXPECT_EQ(kinds.size(), 4U);
  EXPECT_GT(unanswered, 20);
}

// A session at the bastion has no tunnel.
TEST(TunnelTraffic, OfSshTheTruthSaysNothing) {
  test::TempDir dir;
  SimulateOptions o = options(dir.path(), 100);
  o.covert_logins = 24;
  o.gateways = "asa";
  auto result = simulate(o);
  ASSERT_TRUE(result);
  int ssh = 0;
  for (const TruthItem& item : result->truth) {
    if (item.kind != "covert-login") continue;
    EXPECT_EQ(item.inside.empty(), item.gateway == "bastion") << item.id;
    ssh += item.gateway == "bastion" ? 1 : 0;
  }
  EXPECT_GT(ssh, 0);
}

}  // namespace
}  // namespace orbwatch::evaluate
