// What --variety 1, the sectors and the sets of gateways add to simulated worlds: each is found in the logs, in the
// truth or in the world that the logs are written from.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "core/ip.h"
#include "core/symbol.h"
#include "core/text.h"
#include "evaluate/simulate.h"
#include "evaluate/simulate_test_util.h"
#include "evaluate/world.h"
#include "support/temp_dir.h"

namespace orbwatch::evaluate {
namespace {

namespace fs = std::filesystem;
using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;

std::map<std::string, std::string> contents(const SimulateResult& result) {
  std::map<std::string, std::string> all;
  for (const std::string& file : result.files) all[fs::path(file).filename().string()] = content(file);
  return all;
}

// A successful remote-access log-in, out of the logs.
struct LogIn {
  Nanoseconds time = 0;
  std::string user;
  std::uint32_t ip = 0;
  std::string gateway;
};

// "%ASA-6-113039: Group <GP-Staff> User <NAME> IP <ADDRESS> AnyConnect parent session started."
std::vector<LogIn> log_ins(const SimulateResult& result) {
  std::vector<LogIn> all;
  for (const std::string& file : result.files) {
    if (!fs::path(file).filename().string().starts_with("asa")) continue;
    std::string format;
    for (const event::Event& e : decode_file(file, format)) {
      if (e.code.text() != "113039") continue;
      all.push_back({e.time, std::string(e.user.text()), e.source_ip.v4_value(), std::string(e.observer.text())});
    }
  }
  std::ranges::sort(all, {}, &LogIn::time);
  return all;
}

bool within(const PlanNetwork& network, std::uint32_t ip) {
  return std::ranges::any_of(network.prefixes,
                             [&](const PlanPrefix& p) { return (ip ^ p.base) >> (32 - p.bits) == 0; });
}

WorldOptions world_options(std::uint64_t seed = 105, int users = 300, int days = 28) {
  return {.seed = seed,
          .users = users,
          .days = days,
          .start = {2026, 10, 5},
          .region = "de",
          .variety = true,
          .sector = Sector::kOffice,
          .gateways = GatewaySet::kAsaOnly};
}

// One world of ordinary life alone, whose log-ins are all in ASA logs.
class OrdinaryLife : public testing::Test {
 protected:
  struct Made {
    test::TempDir dir;
    World world;
    SimulateResult result;
    std::vector<LogIn> log_ins;
  };
  static const Made& made() {
    static const std::unique_ptr<Made> made = [] {
      auto m = std::make_unique<Made>();
      SimulateOptions o;
      o.seed = 105;
      o.users = 300;
      o.noise = 0;
      o.region = "de";
      o.variety = 1;
      o.gateways = "asa-only";
      o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
      o.out = m->dir.path();
      m->world = make_world(world_options());
      auto result = simulate(o);
      EXPECT_TRUE(result);
      if (result) m->result = *result;
      m->log_ins = evaluate::log_ins(m->result);
      return m;
    }();
    return *made;
  }
  static const World& world() { return made().world; }
  static const Happening& happening(std::string_view kind) {
    const auto at = std::ranges::find(made().result.happenings, kind, &Happening::kind);
    static const Happening none;
    EXPECT_NE(at, made().result.happenings.end()) << kind;
    return at == made().result.happenings.end() ? none : *at;
  }
  static std::vector<LogIn> of(std::string_view user) {
    std::vector<LogIn> own;
    std::ranges::copy_if(made().log_ins, std::back_inserter(own), [&](const LogIn& l) { return l.user == user; });
    return own;
  }
  static int on_day(int day) {
    return static_cast<int>(
        std::ranges::count_if(made().log_ins, [&](const LogIn& l) { return world().day_of(l.time) == day; }));
  }
};

// ---- bytes
// --------------------------------------------------------------------------------------------------------------------

SimulateOptions small(const std::string& out, std::uint64_t seed = 104) {
  SimulateOptions o;
  o.seed = seed;
  o.out = out;
  o.users = 60;
  o.days = 14;
  o.noise = 0.3;
  o.variety = 1;
  return o;
}

// The plain world's bytes are held by MakesTheDemoWorld and IsTheSameEverywhere; this is that it is the default.
TEST(Variety, NoneIsThePlainWorld) {
  test::TempDir a, b;
  SimulateOptions o = small(a.path());
  o.variety = 0;
  SimulateOptions said = o;
  said.out = b.path();
  said.sector = "office";
  said.gateways = "asa";
  said.spray_days = 4;
  said.tunnel_traffic = "none";
  auto first = simulate(o);
  auto second = simulate(said);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(contents(*first), contents(*second));
  EXPECT_EQ(SimulateOptions{}.variety, 0);
  EXPECT_TRUE(first->happenings.empty());
  EXPECT_EQ(content(first->truth_file).find("ordinary"), std::string::npos);
}

TEST(Variety, SameSeedSameBytes) {
  for (const std::string_view gateways : {"asa", "mixed", "asa-only"}) {
    test::TempDir a, b;
    SimulateOptions o = small(a.path());
    o.gateways = gateways;
    auto first = simulate(o);
    o.out = b.path();
    auto second = simulate(o);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(contents(*first), contents(*second));
    EXPECT_EQ(content(first->truth_file), content(second->truth_file));
  }
}

// As IsTheSameEverywhere: the bytes change on purpose only.
TEST(Variety, IsTheSameEverywhere) {
  test::TempDir dir;
  SimulateOptions o = small(dir.path(), 103);
  o.gateways = "mixed";
  o.sector = "hospital";
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 2> kExpected = {
      {{"none", 4751298247143211240ULL}, {"logged", 12382080102777759644ULL}}};
  for (const auto& [tunnel_traffic, expected] : kExpected) {
    o.tunnel_traffic = tunnel_traffic;
    auto result = simulate(o);
    ASSERT_TRUE(result);
    std::uint64_t hash = 0;
    for (const auto& [name, text] : contents(*result)) hash = core::hash64(text, hash);
    EXPECT_EQ(hash, expected) << tunnel_traffic << ", lines " << result->lines;
  }
}

TEST(Variety, AttacksLeaveOrdinaryLinesAlone) {
  for (const std::uint64_t seed : {100U, 101U, 103U}) {
    test::TempDir a, b;
    SimulateOptions o = small(a.path(), seed);
    o.gateways = "mixed";
    auto with = simulate(o);
    o.out = b.path();
    o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
    auto without = simulate(o);
    ASSERT_TRUE(with && without);
    auto more = line_counts(*with);
    for (const auto& [line, count] : line_counts(*without)) {
      ASSERT_GE(more[line], count) << line;
      more[line] -= count;
    }
    std::uint64_t left = 0, told = 0;
    for (const auto& [line, count] : more) left += static_cast<std::uint64_t>(count);
    for (const TruthItem& item : with->truth) told += item.grey ? 0 : item.lines;
    EXPECT_EQ(left, told);
  }
}

TEST(Variety, TruthFileIsReadBack) {
  test::TempDir dir;
  auto result = simulate(small(dir.path()));
  ASSERT_TRUE(result);
  auto truth = read_truth(result->truth_file);
  ASSERT_TRUE(truth) << truth.error().text();
  EXPECT_EQ(truth->items, result->truth);
  EXPECT_EQ(truth->happenings, result->happenings);
  EXPECT_FALSE(truth->happenings.empty());
  EXPECT_TRUE(std::ranges::any_of(truth->items, [](const TruthItem& i) { return !i.relay.empty(); }));
  EXPECT_TRUE(std::ranges::any_of(truth->items, [](const TruthItem& i) { return !i.inside.empty(); }));
}

TEST(Variety, RefusesWhatItCannotDo) {
  test::TempDir dir;
  const auto with = [&](auto change) {
    SimulateOptions o = small(dir.path());
    change(o);
    return simulate(o).has_value();
  };
  EXPECT_FALSE(with([](auto& o) { o.variety = 2; }));
  EXPECT_FALSE(with([](auto& o) { o.sector = "circus"; }));
  EXPECT_FALSE(with([](auto& o) { o.gateways = "none"; }));
  EXPECT_FALSE(with([](auto& o) { o.tunnel_traffic = "some"; }));
  EXPECT_FALSE(with([](auto& o) { o.spray_days = 0; }));
}

// However small: every kind of attack and every event has somebody and some day, or is left out.
TEST(Variety, SmallWorldsAreMade) {
  for (const int users : {1, 2, 12}) {
    for (const int days : {2, 5}) {
      for (const std::string_view gateways : {"asa", "mixed", "asa-only"}) {
        test::TempDir dir;
        SimulateOptions o = small(dir.path(), 106);
        o.users = users;
        o.days = days;
        o.gateways = gateways;
        EXPECT_TRUE(simulate(o)) << users << " " << days << " " << gateways;
      }
    }
  }
}

// ---- gateways
// -----------------------------------------------------------------------------------------------------------------

TEST(Gateways, EveryLineIsReadByADecoder) {
  const std::map<std::string, std::string> formats = {
      {"asa", "cisco_asa"}, {"for", "fortigate"}, {"bas", "openssh"}, {"pal", "paloalto"}, {"iva", "pulse_secure"}};
  constexpr std::array<std::string_view, 4> kSectors = {"office", "hospital", "factory", "school"};
  std::set<std::string> seen;
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    test::TempDir dir;
    SimulateOptions o = small(dir.path(), seed);
    o.gateways = "mixed";
    o.sector = kSectors[seed % 4];
    auto result = simulate(o);
    ASSERT_TRUE(result);
    std::map<std::string, std::vector<event::Event>> events;  // by observer
    for (const std::string& file : result->files) {
      const std::string name = fs::path(file).filename().string();
      if (content(file).empty()) continue;  // of a quiet device
      std::string format;
      const event::EventBatch batch = decode_file(file, format);
      EXPECT_EQ(format, formats.at(name.substr(0, 3))) << name;
      seen.insert(format);
      EXPECT_EQ(batch.counts.rejected, 0U) << name << ": " << (batch.rejects.empty() ? "" : batch.rejects[0].seen);
      EXPECT_EQ(batch.counts.records, batch.counts.events + batch.counts.ignored);
      EXPECT_GT(batch.counts.events, batch.counts.records / 2) << name;
      for (const auto& [reason, count] : batch.counts.ignored_by) {
        EXPECT_FALSE(reason.text().empty() || reason.text().contains("other")) << name << " " << reason.text();
      }
      for (const event::Event& e : batch) {
        EXPECT_GE(e.time, result->start) << name;
        EXPECT_LE(e.time, result->start + (result->days + 1) * kDay) << name;
        events[std::string(e.observer.text())].push_back(e);
      }
    }
    // The truth agrees with what was decoded.
    for (const TruthItem& item : result->truth) {
      ASSERT_TRUE(events.contains(item.gateway)) << item.id << " " << item.gateway;
      std::set<std::string> sources, users;
      for (const event::Event& e : events[item.gateway]) {
        if (e.time < item.time - kSecond || e.time > item.end + kSecond) continue;
        sources.insert(e.source_ip.text());
        users.insert(std::string(e.user.text()));
      }
      for (const std::string& source : item.sources) EXPECT_TRUE(sources.contains(source)) << item.id << " " << source;
      for (const std::string& user : item.users) EXPECT_TRUE(users.contains(user)) << item.id << " " << user;
    }
  }
  EXPECT_EQ(seen.size(), 5U) << "ten seeds show every vendor";
}

TEST(Gateways, VarietyChoosesThemByTheSeed) {
  int mixed = 0;
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    test::TempDir dir;
    SimulateOptions o = small(dir.path(), seed);
    o.users = 5;
    o.days = 3;
    auto result = simulate(o);
    ASSERT_TRUE(result);
    mixed += contents(*result).contains("fortigate.log") && contents(*result).contains("asa-2.log") ? 0 : 1;
  }
  EXPECT_GT(mixed, 3);
  EXPECT_LT(mixed, 15);
}

TEST(Gateways, AsaOnlyHasNothingElse) {
  test::TempDir dir;
  SimulateOptions o = small(dir.path());
  o.gateways = "asa-only";
  for (const int variety : {0, 1}) {
    o.variety = variety;
    auto result = simulate(o);
    ASSERT_TRUE(result);
    for (const auto& [name, text] : contents(*result)) {
      EXPECT_TRUE(name.starts_with("asa-")) << name;
      for (std::string_view rest = text; !rest.empty();) EXPECT_TRUE(core::take_until(rest, '\n').contains(" : %ASA-"));
    }
    std::set<std::string> kinds;
    for (const TruthItem& item : result->truth) {
      kinds.insert(item.kind);
      EXPECT_TRUE(item.gateway.starts_with("asa-")) << item.id;
    }
    EXPECT_EQ(kinds.size(), 6U) << "every kind of attack is left, and the exposure";
  }
}

// ---- people
// -------------------------------------------------------------------------------------------------------------------

TEST_F(OrdinaryLife, SharedAccountsAreUsedFromManyPlaces) {
  for (const std::string& account : happening("shared-account").users) {
    std::set<std::uint32_t> networks;
    for (const LogIn& l : of(account)) networks.insert(l.ip >> 8);
    EXPECT_GT(networks.size(), 3U) << account;
    const auto user = std::ranges::find(world().users, account, &User::name);
    ASSERT_NE(user, world().users.end());
    EXPECT_GE(user->sharers.size(), 3U);
  }
}

TEST_F(OrdinaryLife, PeopleComeAndGo) {
  int starters = 0, leavers = 0;
  for (const Happening& h : made().result.happenings) {
    if (h.kind != "starter" && h.kind != "leaver") continue;
    for (const LogIn& l : of(h.users.at(0))) {
      if (h.kind == "starter") {
        EXPECT_GE(l.time, h.time) << l.user;
        continue;
      }
      // Whoever is at work in the night of his last day goes on for some hours.
      EXPECT_LT(l.time, h.time + 12 * kHour) << l.user;
    }
    (h.kind == "starter" ? starters : leavers) += 1;
  }
  EXPECT_GT(starters, 5);
  EXPECT_GT(leavers, 0);
}

TEST_F(OrdinaryLife, PeopleMove) {
  const World world = make_world(world_options(105, 4000, 90));
  int same_provider = 0, other_town = 0, moves = 0;
  for (const User& user : world.users) {
    if (user.moves == INT64_MAX) continue;
    ++moves;
    same_provider += user.next_home.network == user.home.network ? 1 : 0;
    other_town += user.next_town != user.town ? 1 : 0;
    EXPECT_EQ(user.next_home.network->town, world.towns[user.next_town].name);
    EXPECT_TRUE(within(*user.next_home.network, world.address(world.home_of(user, user.moves), user.moves)));
  }
  // 20 in 100 a year in 90 days, a part of them staff abroad who stays.
  EXPECT_NEAR(moves, 4000 * 0.2 * 90 / 365 * 0.75, 40);
  EXPECT_GT(same_provider, moves / 20);
  EXPECT_LT(same_provider, moves / 2);
  EXPECT_GT(other_town, moves / 30);
}

TEST_F(OrdinaryLife, SomeWorkFromAbroadForAWeek) {
  int log_ins = 0;
  for (const Happening& h : made().result.happenings) {
    if (h.kind != "work-from-abroad") continue;
    for (const LogIn& l : of(h.users.at(0))) {
      if (l.time < h.time || l.time >= h.end) continue;
      log_ins += World::country_of(l.ip) == h.what ? 1 : 0;
    }
  }
  EXPECT_GT(log_ins, 5);
}

TEST_F(OrdinaryLife, SomeLogInSeldom) {
  for (const std::string& user : happening("rare").users) EXPECT_LE(of(user).size(), 16U) << user;
  std::size_t all = 0;
  for (const std::string& user : happening("rare").users) all += of(user).size();
  EXPECT_LT(static_cast<double>(all) / static_cast<double>(happening("rare").users.size()), 4);
}

TEST_F(OrdinaryLife, SomeComeThroughServicesAndPhones) {
  std::set<std::uint32_t> exits;
  for (const std::string& user : happening("commercial-vpn").users) {
    for (const LogIn& l : of(user)) {
      if (std::ranges::any_of(world().vpns, [&](const PlanNetwork* n) { return within(*n, l.ip); })) exits.insert(l.ip);
    }
  }
  EXPECT_GT(exits.size(), 20U);
  std::map<std::string, std::set<std::uint32_t>> phones;
  for (const std::string& user : happening("hotspot").users) {
    for (const LogIn& l : of(user)) {
      if (std::ranges::any_of(world().mobiles, [&](const PlanNetwork* n) { return within(*n, l.ip); }))
        phones[user].insert(l.ip);
    }
  }
  // From all over the country's gateways: more of them than the four of one's own area.
  EXPECT_TRUE(std::ranges::any_of(phones, [](const auto& p) { return p.second.size() > 4; }));
}

TEST_F(OrdinaryLife, TheServiceCompanyHasOneAddress) {
  std::map<std::uint32_t, std::set<std::string>> users;
  for (const std::string& user : happening("service-company").users) {
    for (const LogIn& l : of(user)) users[l.ip].insert(user);
  }
  EXPECT_TRUE(std::ranges::any_of(users, [](const auto& u) { return u.second.size() > 1; }));
}

TEST_F(OrdinaryLife, OnCallWorksAtNight) {
  int night = 0, others = 0;
  const std::vector<std::string>& on_call = happening("on-call").users;
  for (const LogIn& l : made().log_ins) {
    const int hour = core::to_utc(l.time + utc_offset("de", l.time) * kSecond).hour;
    const auto user = std::ranges::find(world().users, l.user, &User::name);
    if (hour > 3 || user->shift == Shift::kNight || user->zone_shift != 0) continue;
    (std::ranges::find(on_call, l.user) != on_call.end() ? night : others) += 1;
  }
  EXPECT_GT(night, 3);
  EXPECT_LT(others, night * 3);
}

TEST_F(OrdinaryLife, StudentsWorkTwoDaysAWeek) {
  for (const std::string& name : happening("student").users) {
    const auto user = std::ranges::find(world().users, name, &User::name);
    EXPECT_EQ(std::popcount(user->workdays), 2);
    EXPECT_EQ(user->hours, 4);
  }
}

TEST_F(OrdinaryLife, TheSecondHomeIsUsedAroundTheWeekEnd) {
  int there = 0;
  for (const std::string& name : happening("week-end-home").users) {
    const auto user = std::ranges::find(world().users, name, &User::name);
    for (const LogIn& l : of(name)) {
      const int weekday = world().weekday(world().day_of(l.time));
      if (weekday != 4 && weekday != 0) continue;
      there += within(*user->second_home.network, l.ip) ? 1 : 0;
    }
  }
  EXPECT_GT(there, 3);
}

TEST_F(OrdinaryLife, SessionsRoam) {
  // A session that goes on from the phone: its end names another address than its beginning.
  int moved = 0, all = 0;
  std::map<std::string, std::string> from;
  for (const auto& [name, text] : contents(made().result)) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line = core::take_until(rest, '\n');
      const auto cut = [&](std::string_view after, char end) {
        const auto at = line.find(after);
        return std::string(line.substr(at + after.size(), line.find(end, at + after.size()) - at - after.size()));
      };
      if (line.contains("-113039:")) from[cut("User <", '>')] = cut("IP <", '>');
      if (!line.contains("-716002:")) continue;
      ++all;
      moved += from[cut("User <", '>')] != cut("IP <", '>') ? 1 : 0;
    }
  }
  EXPECT_GT(moved, all / 200);
  EXPECT_LT(moved, all / 10);
}

// ---- providers and the calendar
// -----------------------------------------------------------------------------------------------------------------

TEST_F(OrdinaryLife, AnOutageSendsCustomersToTheirPhones) {
  // A world whose outage hits many: its own seed, and enough people.
  test::TempDir dir;
  SimulateOptions o;
  o.seed = 107;
  o.users = 1500;
  o.days = 12;
  o.noise = 0;
  o.region = "de";
  o.variety = 1;
  o.gateways = "asa-only";
  o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
  o.out = dir.path();
  auto result = simulate(o);
  ASSERT_TRUE(result);
  const World world = make_world(world_options(107, 1500, 12));
  const Outage& outage = world.outages.at(0);
  const std::vector<LogIn> all = log_ins(*result);
  std::map<int, std::pair<int, int>> by_day;  // fixed line, phones; in the hours of the outage
  for (const LogIn& l : all) {
    const int day = world.day_of(l.time);
    const Nanoseconds clock = l.time - world.midnight(day);
    const int out_day = world.day_of(outage.from);
    if (clock < outage.from - world.midnight(out_day) || clock >= outage.until - world.midnight(out_day)) continue;
    const auto user = std::ranges::find(world.users, l.user, &User::name);
    ASSERT_NE(user, world.users.end());
    if (world.home_of(*user, l.time).network != outage.network) continue;
    by_day[day].first += within(*outage.network, l.ip) ? 1 : 0;
    by_day[day].second += std::ranges::any_of(world.mobiles, [&](const PlanNetwork* n) { return within(*n, l.ip); });
  }
  const int day = world.day_of(outage.from);
  const auto [fixed, phones] = by_day[day];
  int other_fixed = 0, other_phones = 0, days = 0;
  for (int d = 0; d < world.days; ++d) {
    if (d == day || world.weekday(d) > 3) continue;
    other_fixed += by_day[d].first;
    other_phones += by_day[d].second;
    ++days;
  }
  EXPECT_EQ(fixed, 0);
  EXPECT_GT(other_fixed, 2 * days);
  EXPECT_GT(phones * days, 2 * other_phones) << "on other days " << other_phones << " in " << days;
}

TEST_F(OrdinaryLife, CarriersShareAddressesAmongCustomers) {
  std::map<std::uint32_t, std::set<std::string>> behind;
  const Nanoseconds noon = world().midnight(3) + 12 * kHour;
  for (const User& user : world().users) {
    if (!user.home.cgnat) continue;
    EXPECT_NE(std::ranges::find(world().cgnat_asns, user.home.network->asn), world().cgnat_asns.end());
    const std::uint32_t ip = world().address(user.home, noon);
    EXPECT_TRUE(within(*user.home.network, ip));
    EXPECT_EQ(ip, world().address(user.home, noon + kHour));
    behind[ip].insert(user.name);
  }
  EXPECT_TRUE(std::ranges::any_of(behind, [](const auto& b) { return b.second.size() > 1; }));
  // In the logs: two users within a day from one such address, each from his own block of ports.
  std::set<std::uint32_t> shared;
  for (const auto& [ip, users] : behind) shared.insert(ip);
  std::map<std::pair<int, std::uint32_t>, std::set<std::string>> seen;
  for (const LogIn& l : made().log_ins) {
    if (shared.contains(l.ip)) seen[{world().day_of(l.time), l.ip}].insert(l.user);
  }
  EXPECT_TRUE(std::ranges::any_of(seen, [](const auto& s) { return s.second.size() > 1; }));
  std::set<std::uint16_t> firsts;
  for (const User& user : world().users) {
    if (user.home.cgnat) firsts.insert(World::first_port(user.home));
  }
  int ports = 0;
  for (const std::string& file : made().result.files) {
    std::string format;
    for (const event::Event& e : decode_file(file, format)) {
      if (e.code.text() != "725001" || e.source_port >= 32768) continue;  // an ordinary computer's ports begin there
      ++ports;
      EXPECT_TRUE(std::ranges::any_of(
          firsts, [&](std::uint16_t f) { return e.source_port >= f && e.source_port < f + kPortsOfBlock; }));
    }
  }
  EXPECT_GT(ports, 10);
}

TEST_F(OrdinaryLife, AProviderRenumbersATown) {
  const Renumbering& r = world().renumberings.at(0);
  int lines = 0, other_pool = 0;
  for (const User& user : world().users) {
    if (user.home.network != r.network || user.home.cgnat) continue;
    const Nanoseconds hour_before = r.at - kHour;
    const std::uint32_t before = world().address(user.home, hour_before);
    const std::uint32_t after = world().address(user.home, r.at + kHour);
    EXPECT_NE(before, after);
    other_pool += before >> 8 != after >> 8 ? 1 : 0;
    EXPECT_TRUE(within(*r.network, after));
    ++lines;
  }
  EXPECT_GT(lines, 3);
  EXPECT_GT(other_pool * 10, lines * 8);
}

TEST_F(OrdinaryLife, ClientsAreUpgradedInOneNight) {
  const int day = world().forced_upgrade_day;
  std::set<int> before, after;
  for (const User& user : world().users) {
    for (const bool second : {false, true}) {
      before.insert(world().client_of(user, day - 1, second).release);
      after.insert(world().client_of(user, day, second).release);
    }
  }
  EXPECT_GT(before.size(), 1U);
  EXPECT_EQ(after.size(), 1U);
  EXPECT_FALSE(before.contains(*after.begin()));
  const std::string text = contents(made().result).at("asa-1.log");
  EXPECT_TRUE(text.contains(asa_client(world().client_of(world().users[0], day))));
}

TEST_F(OrdinaryLife, OneGatewayTakesOverForADay) {
  std::map<std::string, int> on_the_day, day_after;
  for (const LogIn& l : made().log_ins) {
    if (world().day_of(l.time) == world().failover_day) ++on_the_day[l.gateway];
    if (world().day_of(l.time) == (world().failover_day + 7) % 28) ++day_after[l.gateway];
  }
  EXPECT_GT(on_the_day["asa-2"], 10);
  // A night shift's second session may begin after midnight.
  EXPECT_LT(on_the_day["asa-1"], on_the_day["asa-2"] / 5);
  EXPECT_GT(day_after["asa-1"], 10);
}

TEST_F(OrdinaryLife, LocalHolidaysAreQuiet) {
  ASSERT_FALSE(world().local_holidays.empty());
  const int holiday = world().local_holidays[0];
  const int other = holiday >= 7 ? holiday - 7 : holiday + 7;
  EXPECT_LT(on_day(holiday) * 2, on_day(other));
}

TEST_F(OrdinaryLife, HalfTheStaffIsInOneHotel) {
  std::map<std::uint32_t, std::set<std::string>> users;
  for (const LogIn& l : made().log_ins) {
    if (world().day_of(l.time) == world().event_day) users[l.ip].insert(l.user);
  }
  std::size_t most = 0;
  for (const auto& [ip, names] : users) most = std::max(most, names.size());
  EXPECT_GT(most, 20U);
}

TEST_F(OrdinaryLife, BranchesAreBehindOneAddress) {
  int branches = 0;
  for (const Happening& h : made().result.happenings) {
    if (h.kind != "branch") continue;
    ++branches;
    std::set<std::string> users;
    for (const LogIn& l : made().log_ins) {
      if (core::Ip::v4(l.ip).text() == h.what) users.insert(l.user);
    }
    EXPECT_GT(users.size(), 3U) << h.what;
  }
  EXPECT_EQ(branches, 3);
}

TEST_F(OrdinaryLife, StaffIsInSeveralCountriesAndAMergerBringsOneMore) {
  ASSERT_EQ(world().countries.size(), 4U);
  std::map<std::string_view, int> people;
  for (const User& user : world().users) ++people[world().towns[user.town].country];
  EXPECT_NEAR(people[world().countries[1]], 27, 14);
  EXPECT_NEAR(people[world().countries[2]], 14, 10);
  EXPECT_NEAR(people[world().countries[3]], 27, 3);
  const Happening& merger = happening("merger");
  EXPECT_GE(world().merger_day, 14);
  int before = 0, after = 0;
  for (const std::string& user : merger.users) {
    for (const LogIn& l : of(user)) {
      (l.time < merger.time ? before : after) += 1;
    }
  }
  EXPECT_EQ(before, 0);
  EXPECT_GT(after, 50);
}

// ---- sectors
// ------------------------------------------------------------------------------------------------------------------

TEST(Sectors, HaveTheirHours) {
  struct Told {
    double night = 0, week_end = 0, afternoon = 0, remote = 0;
  };
  std::map<std::string, Told> told;
  for (const std::string sector : {"office", "hospital", "factory", "school"}) {
    test::TempDir dir;
    SimulateOptions o;
    o.seed = 104;
    o.users = 300;
    o.days = 21;
    o.noise = 0;
    o.region = "gb";
    o.sector = sector;
    o.gateways = "asa-only";
    o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
    o.out = dir.path();
    auto result = simulate(o);
    ASSERT_TRUE(result);
    const std::vector<LogIn> all = log_ins(*result);
    const WorldOptions made{.seed = 104, .users = 300, .days = 21, .start = {2026, 10, 5}, .region = "gb"};
    const World world = make_world(made);
    Told& t = told[sector];
    for (const LogIn& l : all) {
      const int hour = core::to_utc(l.time + utc_offset("gb", l.time) * kSecond).hour;
      t.night += hour >= 20 || hour < 6 ? 1 : 0;
      t.afternoon += hour >= 13 && hour < 20 ? 1 : 0;
      t.week_end += world.weekday(world.day_of(l.time)) > 4 ? 1 : 0;
    }
    t.remote = static_cast<double>(all.size());
    for (double* share : {&t.night, &t.afternoon, &t.week_end}) *share /= t.remote;
  }
  EXPECT_GT(told["hospital"].night, told["office"].night * 1.3);
  EXPECT_GT(told["hospital"].week_end, told["office"].week_end * 1.5);
  EXPECT_GT(told["factory"].week_end, told["office"].week_end * 1.5);
  EXPECT_LT(told["factory"].remote, told["office"].remote * 0.75);
  EXPECT_GT(told["school"].afternoon, told["office"].afternoon * 1.5);
}

// ---- covert networks
// -----------------------------------------------------------------------------------------------------------------

// The truth of some worlds of two months.
const std::vector<TruthItem>& many_attacks() {
  static const std::vector<TruthItem> all = [] {
    std::vector<TruthItem> items;
    for (std::uint64_t seed = 110; seed < 116; ++seed) {
      test::TempDir dir;
      SimulateOptions o = small(dir.path(), seed);
      o.days = 60;
      o.users = 80;
      o.noise = 0;
      o.covert_logins = 24;
      o.sprays = 0;
      auto result = simulate(o);
      EXPECT_TRUE(result);
      if (result) items.insert(items.end(), result->truth.begin(), result->truth.end());
    }
    return items;
  }();
  return all;
}

TEST(CovertVariety, OperatorsErrPassOnAndComeBack) {
  std::map<std::string, int> conduct, relay;
  std::map<std::string, std::vector<const TruthItem*>> weekly;
  for (const TruthItem& item : many_attacks()) {
    if (item.kind != "covert-login") continue;
    ++conduct[item.conduct];
    ++relay[item.relay];
    if (item.conduct == "weekly") weekly[item.campaign].push_back(&item);
    if (item.conduct == "hand-over") {
      EXPECT_EQ(item.sources.size(), 2U) << item.id;
    } else {
      EXPECT_EQ(item.sources.size(), 1U) << item.id;
    }
    if (item.conduct != "on-ramp-error") continue;
    EXPECT_EQ(item.placement, "hosting");
    EXPECT_EQ(item.relay, "rented-server");
    EXPECT_LT(item.end - item.time, 3 * kMinute);
    // The log-in that it was meant to be follows within minutes, from a node.
    const std::string meant = item.id.substr(0, item.id.size() - std::string_view("-on-ramp").size());
    const auto after = std::ranges::find(many_attacks(), meant, &TruthItem::id);
    ASSERT_NE(after, many_attacks().end()) << meant;
    EXPECT_GT(after->time, item.time);
    EXPECT_LT(after->time, item.time + 5 * kMinute);
    EXPECT_NE(after->sources, item.sources);
  }
  for (const std::string kind : {"", "on-ramp-error", "hand-over", "weekly", "reused-node"})
    EXPECT_GT(conduct[kind], 2) << kind;
  for (const std::string kind : {"home-router", "business-router", "rented-server"}) EXPECT_GT(relay[kind], 2) << kind;
  int long_ones = 0;
  for (const auto& [campaign, items] : weekly) {
    for (std::size_t i = 1; i < items.size(); ++i) {
      const auto gap = items[i]->time - items[i - 1]->time;
      EXPECT_GT(gap, 5 * kDay) << campaign;
    }
    long_ones += items.size() >= 3 ? 1 : 0;
  }
  EXPECT_GT(long_ones, 2);
}

TEST(CovertVariety, NodesServeAgainstSeveralVictims) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> victims;  // (world, source)
  for (const TruthItem& item : many_attacks()) {
    if (item.kind != "covert-login") continue;
    for (const std::string& source : item.sources)
      victims[{item.id.substr(0, 4), source}].insert(item.users.begin(), item.users.end());
  }
  EXPECT_GT(std::ranges::count_if(victims, [](const auto& v) { return v.second.size() > 1; }), 3);
}

TEST(CovertVariety, SessionsAreShortAndLong) {
  int brief = 0, lengthy = 0;
  for (const TruthItem& item : many_attacks()) {
    if (item.kind != "covert-login" || item.conduct == "on-ramp-error") continue;
    brief += item.end - item.time < 13 * kMinute ? 1 : 0;
    lengthy += item.end - item.time > 2 * kHour ? 1 : 0;
  }
  EXPECT_GT(brief, 10);
  EXPECT_GT(lengthy, 10);
}

TEST(CovertVariety, NobodyElseHasTheirAddresses) {
  test::TempDir a, b;
  SimulateOptions o = small(a.path(), 105);
  o.gateways = "asa-only";
  auto with = simulate(o);
  o.out = b.path();
  o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
  auto without = simulate(o);
  ASSERT_TRUE(with && without);
  std::set<std::string> bad, good;
  for (const TruthItem& item : with->truth) {
    if (!item.grey) bad.insert(item.sources.begin(), item.sources.end());
  }
  for (const std::string& file : without->files) {
    std::string format;
    for (const event::Event& e : decode_file(file, format)) good.insert(e.source_ip.text());
  }
  EXPECT_GT(bad.size(), 50U);
  for (const std::string& ip : bad) EXPECT_FALSE(good.contains(ip)) << ip;
}

TEST(CovertVariety, ASprayTriesEachAccountOnceADayFromManyNodes) {
  test::TempDir dir;
  SimulateOptions o;
  o.seed = 108;
  o.users = 400;
  o.noise = 0;
  o.variety = 1;
  o.gateways = "asa-only";
  o.attack_from = 10;
  o.attack_days = 15;
  o.spray_days = 10;
  o.covert_logins = o.scans = o.management_probes = 0;
  o.out = dir.path();
  auto result = simulate(o);
  ASSERT_TRUE(result);
  int days = 0, hits = 0;
  std::set<std::string> sources;
  for (const TruthItem& item : result->truth) {
    if (item.kind == "credential-success-after-spray") ++hits;
    if (item.kind != "spray") continue;
    ++days;
    sources.insert(item.sources.begin(), item.sources.end());
    // The attempts of the day, out of the logs: 113005 of the campaign's sources.
    std::map<std::string, int> attempts, uses;
    for (const std::string& file : result->files) {
      std::string format;
      for (const event::Event& e : decode_file(file, format)) {
        if (e.code.text() != "113005" || e.time < item.time - kSecond || e.time > item.end + kSecond) continue;
        const std::string source = e.source_ip.text();
        if (!std::ranges::binary_search(item.sources, source)) continue;
        ++attempts[std::string(e.user.text())];
        ++uses[source];
      }
    }
    EXPECT_GT(attempts.size(), 100U);
    int once = 0, most = 0;
    for (const auto& [user, n] : attempts) {
      once += n == 1 ? 1 : 0;
      EXPECT_LE(n, 2) << user;
    }
    for (const auto& [source, n] : uses) most = std::max(most, n);
    EXPECT_NEAR(once / static_cast<double>(attempts.size()), 0.8, 0.1);
    EXPECT_LE(most, 4) << "each node is used for few accounts";
    EXPECT_GT(uses.size(), 80U);
  }
  EXPECT_EQ(days, 10);
  EXPECT_EQ(hits, 2);
  EXPECT_GT(sources.size(), 200U);
}

TEST(CovertVariety, APlainSprayLastsAsLongAsAsked) {
  test::TempDir dir;
  SimulateOptions o = small(dir.path());
  o.variety = 0;
  o.days = 28;
  o.spray_days = 7;
  o.covert_logins = o.scans = o.management_probes = 0;
  auto result = simulate(o);
  ASSERT_TRUE(result);
  EXPECT_EQ(std::ranges::count(result->truth, "spray", &TruthItem::kind), 7);
}

}  // namespace
}  // namespace orbwatch::evaluate
