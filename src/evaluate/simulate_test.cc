#include "evaluate/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/ip.h"
#include "core/symbol.h"
#include "core/text.h"
#include "decode/all.h"
#include "evaluate/rng.h"
#include "evaluate/simulate_test_util.h"
#include "evaluate/world.h"
#include "support/temp_dir.h"

namespace orbwatch::evaluate {
namespace {

namespace fs = std::filesystem;
using core::kDay;
using core::kHour;

SimulateOptions small(const std::string& out, std::uint64_t seed = 4) {
  SimulateOptions o;
  o.seed = seed;
  o.out = out;
  o.users = 40;
  o.days = 12;
  o.noise = 0.3;
  o.attack_from = 4;
  o.attack_days = 6;
  return o;
}

std::map<std::string, std::string> contents(const SimulateResult& result) {
  std::map<std::string, std::string> all;
  for (const std::string& file : result.files) all[fs::path(file).filename().string()] = content(file);
  all["truth"] = content(result.truth_file);
  return all;
}

TEST(Simulate, SameSeedSameBytes) {
  test::TempDir a, b;
  auto first = simulate(small(a.path()));
  auto second = simulate(small(b.path()));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(contents(*first), contents(*second));
  EXPECT_GT(first->lines, 1000U);
}

// The bytes of one small world. They change when the simulator is changed on purpose (then the results in docs/ must be
// made anew); they must not change with the machine, the compiler or the library.
TEST(Simulate, IsTheSameEverywhere) {
  test::TempDir dir;
  SimulateOptions o = small(dir.path(), 7);
  o.users = 8;
  o.days = 5;
  o.attack_from = 2;
  o.attack_days = 3;
  o.region = "gb";
  auto result = simulate(o);
  ASSERT_TRUE(result);
  constexpr std::uint64_t kExpected = 2565929142510764836ULL;
  std::uint64_t hash = 0;
  for (const auto& [name, text] : contents(*result)) {
    if (name != "truth") hash = core::hash64(text, hash);  // the truth names the version
  }
  EXPECT_EQ(hash, kExpected) << "lines " << result->lines;
}

// examples/README.md names the command that made the demo's logs.
TEST(Simulate, MakesTheDemoWorld) {
  test::TempDir dir;
  SimulateOptions o;
  o.seed = 104;
  o.users = 45;
  o.days = 21;
  o.noise = 0.3;
  o.region = "de";
  o.covert_logins = 3;
  o.out = dir.path();
  auto result = simulate(o);
  ASSERT_TRUE(result);
  const fs::path demo = fs::path(ORBWATCH_ROOT) / "examples/demo/vpn";
  for (const std::string& file : result->files) {
    EXPECT_TRUE(content(file) == content((demo / fs::path(file).filename()).string())) << file;
  }
  auto truth = read_truth((demo / kTruthFile).string());
  ASSERT_TRUE(truth) << truth.error().text();
  EXPECT_EQ(truth->items, result->truth);
}

TEST(Simulate, AnotherSeedIsAnotherWorld) {
  test::TempDir a, b;
  auto first = simulate(small(a.path(), 4));
  auto second = simulate(small(b.path(), 5));
  ASSERT_TRUE(first && second);
  const auto x = contents(*first);
  const auto y = contents(*second);
  for (const auto& [name, text] : x) EXPECT_NE(text, y.at(name)) << name;
}

TEST(Simulate, LinesAreInOrderAndCounted) {
  test::TempDir dir;
  auto result = simulate(small(dir.path()));
  ASSERT_TRUE(result);
  std::uint64_t lines = 0, bytes = 0;
  for (const std::string& file : result->files) {
    const std::string text = content(file);
    bytes += text.size();
    std::string before;
    for (std::string_view rest = text; !rest.empty(); ++lines) {
      const std::string_view line = core::take_until(rest, '\n');
      // "Oct 05 2026 ..." sorts within a month, ISO 8601 within an offset
      if (fs::path(file).filename().string().starts_with("asa")) {
        const std::string stamp(line.substr(0, 20));
        EXPECT_LE(before, stamp) << file;
        before = stamp;
      }
    }
  }
  EXPECT_EQ(lines, result->lines);
  EXPECT_EQ(bytes, result->bytes);
}

// Attacks add lines and change nothing else: what is ordinary in a world can be studied without them.
TEST(Simulate, AttacksLeaveOrdinaryLinesAlone) {
  test::TempDir a, b;
  auto with = simulate(small(a.path()));
  SimulateOptions o = small(b.path());
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
  std::set<std::string> kinds;
  for (const TruthItem& item : with->truth) {
    if (item.grey) continue;
    told += item.lines;
    kinds.insert(item.kind);
  }
  EXPECT_EQ(left, told) << "the truth counts every line that the covert network caused";
  EXPECT_EQ(kinds, (std::set<std::string>{"covert-login", "spray", "credential-success-after-spray", "slow-scan",
                                          "management-probe"}));
  for (const TruthItem& item : without->truth) EXPECT_TRUE(item.grey) << item.id;
}

struct Decoded {
  event::EventBatch batch;
  std::string format;
};

Decoded decoded(const std::string& file) {
  Decoded result;
  std::string bytes = content(file);
  bytes.reserve(bytes.size() + core::kPadding);
  decode::Options options;
  const auto what = decode::recognise(std::string_view(bytes).substr(0, 65536), options);
  result.format = what.format;
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) return result;
  (*decoder)->feed(bytes, result.batch);
  (*decoder)->finish(result.batch);
  return result;
}

TEST(Simulate, EveryLineIsReadByADecoder) {
  test::TempDir dir;
  auto result = simulate(small(dir.path()));
  ASSERT_TRUE(result);
  std::map<std::string, std::vector<event::Event>> events;  // by observer
  for (const std::string& file : result->files) {
    const std::string name = fs::path(file).filename().string();
    const std::string expected = name.starts_with("asa")     ? "cisco_asa"
                                 : name.starts_with("forti") ? "fortigate"
                                                             : "openssh";
    const bool known = std::ranges::any_of(decode::record_formats(), [&](const auto& f) { return f.name == expected; });
    ASSERT_TRUE(known || expected == "fortigate") << expected;
    if (!known) continue;
    const Decoded d = decoded(file);
    EXPECT_EQ(d.format, expected) << name;
    EXPECT_EQ(d.batch.counts.rejected, 0U) << name << ": " << (d.batch.rejects.empty() ? "" : d.batch.rejects[0].seen);
    EXPECT_EQ(d.batch.counts.records, d.batch.counts.events + d.batch.counts.ignored);
    EXPECT_GT(d.batch.counts.events, d.batch.counts.records / 2) << name;
    for (const event::Event& e : d.batch) {
      EXPECT_GE(e.time, result->start);
      EXPECT_LE(e.time, result->start + (result->days + 1) * kDay);
      events[std::string(e.observer.text())].push_back(e);
    }
  }
  // The truth agrees with what was decoded: each source and each user of an item occurs on its gateway in its time.
  int checked = 0;
  for (const TruthItem& item : result->truth) {
    const auto found = events.find(item.gateway);
    if (found == events.end()) {
      EXPECT_EQ(item.gateway, "fgt-1");
      continue;
    }
    std::set<std::string> sources, users;
    for (const event::Event& e : found->second) {
      if (e.time < item.time - core::kSecond || e.time > item.end + core::kSecond) continue;
      sources.insert(e.source_ip.text());
      users.insert(std::string(e.user.text()));
    }
    for (const std::string& source : item.sources) EXPECT_TRUE(sources.contains(source)) << item.id << " " << source;
    for (const std::string& user : item.users) EXPECT_TRUE(users.contains(user)) << item.id << " " << user;
    ++checked;
  }
  EXPECT_GT(checked, 5);
}

TEST(Simulate, TruthFileIsReadBack) {
  test::TempDir dir;
  auto result = simulate(small(dir.path()));
  ASSERT_TRUE(result);
  auto truth = read_truth(result->truth_file);
  ASSERT_TRUE(truth) << truth.error().text();
  EXPECT_EQ(truth->items, result->truth);
  EXPECT_EQ(truth->seed, 4U);
  EXPECT_EQ(truth->start, result->start);
  EXPECT_EQ(truth->days, 12);
  EXPECT_EQ(truth->attack_from, 4);
  EXPECT_TRUE(fs::path(result->truth_file).filename().string().starts_with('.'))
      << "a hunt of the directory must not read it";
  std::ofstream((dir / "other").string()) << "{\"a\":1}\n";
  EXPECT_FALSE(read_truth((dir / "other").string()));
  EXPECT_FALSE(read_truth((dir / "missing").string()));
}

TEST(Simulate, TheCovertNetworkUsesNobodysAddress) {
  test::TempDir dir;
  auto result = simulate(small(dir.path()));
  ASSERT_TRUE(result);
  std::set<std::string> bad;
  for (const TruthItem& item : result->truth) {
    if (!item.grey) bad.insert(item.sources.begin(), item.sources.end());
    for (const std::string& source : item.sources) EXPECT_TRUE(core::Ip::parse(source)->is_global()) << source;
  }
  SimulateOptions o = small(dir.path());
  o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
  auto without = simulate(o);
  ASSERT_TRUE(without);
  for (const auto& [line, count] : line_counts(*without)) {
    for (const std::string& ip : bad) {
      const auto at = line.find(ip);
      if (at == line.npos) continue;
      const char next = at + ip.size() < line.size() ? line[at + ip.size()] : ' ';
      const char previous = at > 0 ? line[at - 1] : ' ';
      EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(next)) || std::isdigit(static_cast<unsigned char>(previous)))
          << line;
    }
  }
}

// The provider of an exit node is told beside its place: another town may well be served by the victim's own.
TEST(Simulate, TellsWhetherTheProviderIsNewToTheVictim) {
  test::TempDir dir;
  SimulateOptions o = small(dir.path());
  o.users = 60;
  o.covert_logins = 30;
  auto result = simulate(o);
  ASSERT_TRUE(result);
  std::map<std::string, std::set<std::string>> by_placement;
  for (const TruthItem& item : result->truth) {
    const bool intrusion = item.kind == "covert-login" || item.kind == "credential-success-after-spray";
    EXPECT_EQ(item.provider.empty(), !intrusion) << item.id;
    if (item.kind == "covert-login") by_placement[item.placement].insert(item.provider);
  }
  EXPECT_EQ(by_placement["same-town-same-provider"], (std::set<std::string>{"own"}));
  EXPECT_EQ(by_placement["abroad"], (std::set<std::string>{"new"}));
  EXPECT_EQ(by_placement["other-town"], (std::set<std::string>{"new", "own"}));
  EXPECT_TRUE(by_placement["same-town-other-provider"].contains("new"));
}

TEST(Simulate, ScalesToLines) {
  test::TempDir dir;
  SimulateOptions o;
  o.out = dir.path();
  o.seed = 101;
  o.lines = 200'000;
  for (const std::string_view tunnel_traffic : {"none", "logged"}) {
    o.tunnel_traffic = tunnel_traffic;
    auto result = simulate(o);
    ASSERT_TRUE(result);
    EXPECT_GT(result->lines, 150'000U) << tunnel_traffic;
    EXPECT_LT(result->lines, 250'000U) << tunnel_traffic;
  }
}

TEST(Simulate, RefusesWhatItCannotDo) {
  test::TempDir dir;
  const auto with = [&](auto change) {
    SimulateOptions o = small(dir.path());
    change(o);
    return simulate(o).has_value();
  };
  EXPECT_FALSE(with([](auto& o) { o.start = "2026-02-30"; }));
  EXPECT_FALSE(with([](auto& o) { o.start = "yesterday"; }));
  EXPECT_FALSE(with([](auto& o) { o.days = 1; }));
  EXPECT_FALSE(with([](auto& o) { o.users = 0; }));
  EXPECT_FALSE(with([](auto& o) { o.noise = -1; }));
  EXPECT_FALSE(with([](auto& o) { o.noise = std::nan(""); }));
  EXPECT_FALSE(with([](auto& o) { o.region = "xx"; }));
  EXPECT_FALSE(with([](auto& o) { o.sprays = -1; }));
  EXPECT_FALSE(with([](auto& o) { o.out = ""; }));
  std::ofstream((dir / "file").string()) << "x";
  EXPECT_FALSE(with([&](auto& o) { o.out = (dir / "file/below").string(); }));
}

// ---- the world
// --------------------------------------------------------------------------------------------------------------------

World world_of(std::string_view region, int days = 60) {
  return make_world({.seed = 11, .users = 400, .days = days, .start = {2026, 9, 7}, .region = region});
}

TEST(World, AddressesChurnAsTheProviderDoes) {
  const World world = world_of("de");
  std::map<Churn, std::pair<int, int>> changes;  // changes, line-days
  for (const User& user : world.users) {
    std::uint32_t before = 0;
    for (int day = 0; day < world.days; ++day) {
      const std::uint32_t now = world.address(user.home, world.midnight(day) + 12 * kHour);
      if (day > 0) {
        auto& [changed, all] = changes[user.home.network->churn];
        changed += now != before ? 1 : 0;
        ++all;
      }
      before = now;
    }
  }
  const auto rate = [&](Churn churn) { return static_cast<double>(changes[churn].first) / changes[churn].second; };
  EXPECT_NEAR(rate(Churn::kDaily), 0.97, 0.02);
  EXPECT_NEAR(rate(Churn::kMonths), 1 / 150.0, 0.003);
  const World british = world_of("gb");
  changes.clear();
  for (const User& user : british.users) {
    for (int day = 1; day < british.days; ++day) {
      auto& [changed, all] = changes[user.home.network->churn];
      changed +=
          british.address(user.home, british.midnight(day)) != british.address(user.home, british.midnight(day - 1))
              ? 1
              : 0;
      ++all;
    }
  }
  EXPECT_NEAR(rate(Churn::kWeeks), 1 / 21.0, 0.01);
}

TEST(World, AddressesStayInTheirNetwork) {
  for (const std::string_view region : {"de", "gb", "us"}) {
    const World world = world_of(region);
    for (const User& user : world.users) {
      EXPECT_EQ(user.home.network->town, world.towns[user.town].name);
      const std::uint32_t ip = world.address(user.home, world.midnight(20));
      bool inside = false;
      for (const PlanPrefix& p : user.home.network->prefixes) inside |= (ip ^ p.base) >> (32 - p.bits) == 0;
      EXPECT_TRUE(inside);
      EXPECT_TRUE(core::Ip::v4(ip).is_global());
    }
  }
}

TEST(World, NodesLiveAsLongAsDomainFiguresSay) {
  const World world = make_world({.seed = 11, .users = 10, .days = 900, .start = {2026, 1, 5}, .region = "de"});
  double sum = 0;
  int ended = 0;
  for (const Node& node : world.nodes) {
    if (node.born < world.midnight(400)) {  // those born later are cut by the end
      sum += static_cast<double>(node.dies - node.born) / static_cast<double>(kDay);
      ++ended;
    }
  }
  EXPECT_NEAR(sum / ended, (17 + 31 + 90) / 3.0, 4) << ended;
  // Every town of an office has nodes at each of its providers at any time.
  for (int day = 0; day < 900; day += 50) {
    for (std::size_t town = 0; town < 3; ++town) {
      for (const PlanNetwork* network : world.towns[town].homes) {
        EXPECT_TRUE(std::ranges::any_of(world.nodes,
                                        [&](const Node& n) {
                                          return n.line.network == network && n.town == town &&
                                                 n.born <= world.midnight(day) && n.dies > world.midnight(day);
                                        }))
            << world.towns[town].name << " " << network->name;
      }
    }
  }
}

TEST(World, PeopleWorkByDay) {
  test::TempDir dir;
  SimulateOptions o;
  o.out = dir.path();
  o.seed = 102;
  o.region = "us";
  o.covert_logins = o.sprays = o.scans = o.management_probes = 0;
  auto result = simulate(o);
  ASSERT_TRUE(result);
  int hours[24] = {}, weekdays[7] = {}, all = 0;
  for (const std::string& file : result->files) {
    if (!fs::path(file).filename().string().starts_with("asa")) continue;
    const Decoded d = decoded(file);
    for (const event::Event& e : d.batch) {
      if (e.code.text() != "113039") continue;
      const core::CivilTime local = core::to_utc(e.time + utc_offset("us", e.time) * core::kSecond);
      ++hours[local.hour];
      ++weekdays[((e.time + utc_offset("us", e.time) * core::kSecond) / kDay + 3) % 7];
      ++all;
    }
  }
  ASSERT_GT(all, 500);
  EXPECT_GT(hours[6] + hours[7] + hours[8] + hours[9], all * 4 / 10);
  EXPECT_LT(hours[1] + hours[2] + hours[3], all * 5 / 100);
  EXPECT_LT(weekdays[5] + weekdays[6], all * 15 / 100);
  EXPECT_GT(weekdays[1], all * 12 / 100);
}

TEST(World, ClocksChange) {
  EXPECT_EQ(utc_offset("de", core::from_utc({2026, 10, 25, 0, 59, 59})), 7200);
  EXPECT_EQ(utc_offset("de", core::from_utc({2026, 10, 25, 1, 0, 0})), 3600);
  EXPECT_EQ(utc_offset("gb", core::from_utc({2026, 3, 29, 0, 59, 59})), 0);
  EXPECT_EQ(utc_offset("gb", core::from_utc({2026, 3, 29, 1, 0, 0})), 3600);
  EXPECT_EQ(utc_offset("us", core::from_utc({2026, 3, 8, 7, 59, 59})), -21600);
  EXPECT_EQ(utc_offset("us", core::from_utc({2026, 3, 8, 8, 0, 0})), -18000);
  EXPECT_EQ(utc_offset("us", core::from_utc({2026, 11, 1, 7, 0, 0})), -21600);
  const World world = make_world({.seed = 1, .users = 5, .days = 40, .start = {2026, 10, 5}, .region = "de"});
  EXPECT_EQ(core::rfc3339(world.midnight(0)), "2026-10-04T22:00:00Z");
  EXPECT_EQ(core::rfc3339(world.midnight(21)), "2026-10-25T23:00:00Z");
  EXPECT_EQ(world.weekday(0), 0);
  EXPECT_EQ(world.day_of(world.midnight(21)), 21);
  EXPECT_EQ(world.day_of(world.midnight(21) - 1), 20);
}

TEST(Rng, HasTheRightMoments) {
  for (const double x : {1e-300, 1e-9, 0.3, 0.9999999, 1.0, 1.5, 2.0, 12345.678})
    EXPECT_NEAR(natural_log(x), std::log(x), 1e-11 * std::abs(std::log(x)) + 1e-12);
  Rng rng(1, {2, 3});
  double exponential = 0, bell = 0, square = 0, small_poisson = 0, large_poisson = 0;
  constexpr int kDraws = 40'000;
  for (int i = 0; i < kDraws; ++i) {
    exponential += rng.exponential(5);
    const double b = rng.bell();
    bell += b;
    square += b * b;
    small_poisson += rng.poisson(2.5);
    large_poisson += rng.poisson(400);
    EXPECT_LT(rng.below(7), 7U);
    const int k = rng.between(-2, 2);
    EXPECT_TRUE(k >= -2 && k <= 2);
  }
  EXPECT_NEAR(exponential / kDraws, 5, 0.1);
  EXPECT_NEAR(bell / kDraws, 0, 0.02);
  EXPECT_NEAR(square / kDraws, 1, 0.03);
  EXPECT_NEAR(small_poisson / kDraws, 2.5, 0.05);
  EXPECT_NEAR(large_poisson / kDraws, 400, 1);
}

}  // namespace
}  // namespace orbwatch::evaluate
