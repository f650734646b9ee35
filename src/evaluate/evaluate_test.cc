#include "evaluate/evaluate.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "evaluate/tables.h"
#include "support/temp_dir.h"

namespace orbwatch::evaluate {
namespace {

TEST(Evaluate, ReadsSeeds) {
  EXPECT_EQ(parse_seeds("1-3,7").value(), (std::vector<std::uint64_t>{1, 2, 3, 7}));
  EXPECT_EQ(parse_seeds(" 5 , 5").value(), (std::vector<std::uint64_t>{5}));
  EXPECT_EQ(parse_seeds("18446744073709551615").value().size(), 1U);
  for (const std::string_view bad : {"", "a", "3-1", "1-", "-", "1-99999999", "1,,2"})
    EXPECT_FALSE(parse_seeds(bad)) << bad;
}

EvaluateOptions two_small_worlds(const std::string& dir) {
  EvaluateOptions o;
  o.seeds = {100, 101};
  o.world.users = 30;
  o.world.days = 12;
  o.world.noise = 0.1;
  o.work_dir = dir;
  o.out = dir + "/results.md";
  o.json = dir + "/results.json";
  o.command = "orbwatch evaluate --seeds 100,101";
  return o;
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t found_in(const WorldResult& w) {
  const auto best = best_of(w);
  return static_cast<std::uint64_t>(
      std::ranges::count_if(best, [&](const auto& b) { return b && *b >= w.lines_of_budgets[1]; }));
}

TEST(Evaluate, AHunterWhoKnowsTheTruthFindsAllAndOneWhoSleepsNothing) {
  test::TempDir dir;
  const auto clairvoyant = [](const std::string& world,
                              pipeline::Watcher& watcher) -> core::Expected<pipeline::HuntResult> {
    pipeline::HuntResult result;
    const Truth truth = read_truth(world + "/" + std::string(kTruthFile)).value();
    for (const TruthItem& item : truth.items) {
      if (item.grey) continue;
      score::Finding f;
      f.kind = item.kind == "spray" ? detect::FindingKind::kSpray : detect::FindingKind::kLogin;
      f.time = item.time;
      f.end = item.end;
      f.log_odds = 9;
      f.alert = true;
      for (const std::string& source : item.sources) {
        score::SourceFacts s;
        s.ip = *core::Ip::parse(source);
        f.sources.push_back(s);
      }
      watcher.told(f, item.time + core::kMinute);
      result.findings.push_back(std::move(f));
    }
    return result;
  };
  int told = 0;
  auto all = evaluate(two_small_worlds(dir.path()), clairvoyant, [&](std::string_view) { ++told; });
  ASSERT_TRUE(all) << all.error().text();
  EXPECT_EQ(told, 2);
  ASSERT_EQ(all->worlds.size(), 2U);
  for (const WorldResult& w : all->worlds) {
    EXPECT_GT(w.items.size(), 5U);
    EXPECT_EQ(found_in(w), w.items.size());
    EXPECT_EQ(w.days, 12);
    EXPECT_EQ(w.attack_from, 4);
    EXPECT_GE(w.attack_last, 5);
    for (const Judgement& j : w.findings) EXPECT_EQ(j.worth, AlertClass::kTrue);
  }
  const Measures m = measure(all->worlds, 5);
  EXPECT_EQ(m.recall, 1);
  EXPECT_EQ(m.intrusions.median, core::kMinute);
  EXPECT_EQ(m.sprays.delays.both, 2U);
  EXPECT_FALSE(std::filesystem::exists((dir / "seed-100").string())) << "worlds are removed";
  const std::string text = content((dir / "results.md").string());
  EXPECT_EQ(text, markdown(*all));
  EXPECT_EQ(content((dir / "results.json").string()), json(*all));
  EXPECT_EQ(text.find(dir.path().string()), text.npos) << "no path of this machine";

  auto none = evaluate(two_small_worlds(dir.path()),
                       [](const std::string&, pipeline::Watcher&) -> core::Expected<pipeline::HuntResult> {
                         return pipeline::HuntResult{};
                       });
  ASSERT_TRUE(none);
  for (const WorldResult& w : none->worlds) EXPECT_EQ(found_in(w), 0U);
  EXPECT_EQ(measure(none->worlds, 5).recall, 0);
  EXPECT_EQ(measure(none->worlds, 5).intrusions.both, 0U);
}

// The hunt itself: what is written does not depend on threads, and a watched hunt says what an unwatched one says.
TEST(Evaluate, SaysTheSameWithAnyNumberOfThreads) {
  const auto with = [](int threads) {
    test::TempDir dir;
    EvaluateOptions o = two_small_worlds(dir.path());
    o.large_seeds = {102};
    o.large_users = 50;
    auto result = evaluate(o, [&](const std::string& world, pipeline::Watcher& watcher) {
      pipeline::HuntOptions hunt;
      hunt.inputs = {world};
      hunt.threads = threads;
      auto watched = pipeline::hunt(hunt, {}, nullptr, &watcher);
      auto alone = pipeline::hunt(hunt);
      EXPECT_TRUE(watched && alone);
      EXPECT_EQ(watched->findings.size(), alone->findings.size());
      for (std::size_t i = 0; i < watched->findings.size() && i < alone->findings.size(); ++i)
        EXPECT_EQ(score::to_json(watched->findings[i]), score::to_json(alone->findings[i]));
      return watched;
    });
    EXPECT_TRUE(result) << result.error().text();
    if (result) {
      EXPECT_GT(result->worlds[0].watched.logins, 50U);
      EXPECT_EQ(result->large.size(), 1U);
      EXPECT_EQ(result->large[0].users, 50);
    }
    return content((dir / "results.md").string()) + content((dir / "results.json").string());
  };
  const std::string one = with(1);
  EXPECT_GT(one.size(), 5000U);
  EXPECT_EQ(one, with(3));
}

// What a service would have said last about a finding is what the hunt says in the end.
TEST(Evaluate, TheWatcherIsToldOfEveryFindingUpToItsLastState) {
  test::TempDir dir;
  SimulateOptions world;
  world.users = 40;
  world.days = 14;
  world.noise = 0.1;
  world.seed = 103;
  world.out = dir.path();
  ASSERT_TRUE(simulate(world));
  struct Recorder final : pipeline::Watcher {
    void begin(const core::NetworkView&) override { ++begun; }
    void login(const event::Event& e) override {
      EXPECT_TRUE(e.user.present());
      logins.push_back(e.time);
    }
    void failed_login(const event::Event& e) override { failures += e.outcome == event::Outcome::kFailure ? 1 : 0; }
    void told(const score::Finding& f, core::Nanoseconds now) override {
      EXPECT_GE(now, last);
      EXPECT_GE(now, f.time);
      last = now;
      findings[f.id] = f.log_odds;
    }
    int begun = 0;
    int failures = 0;
    core::Nanoseconds last = 0;
    std::vector<core::Nanoseconds> logins;
    std::map<std::string, double> findings;
  } recorder;
  pipeline::HuntOptions hunt;
  hunt.inputs = {dir.path().string()};
  auto result = pipeline::hunt(hunt, {}, nullptr, &recorder);
  ASSERT_TRUE(result);
  EXPECT_EQ(recorder.begun, 1);
  EXPECT_GT(recorder.failures, 100);
  EXPECT_GT(recorder.logins.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(recorder.logins));
  ASSERT_GT(result->findings.size(), 5U);
  std::size_t same = 0;
  for (const score::Finding& f : result->findings) {
    ASSERT_TRUE(recorder.findings.contains(f.id)) << score::to_json(f);
    same += recorder.findings[f.id] == f.log_odds ? 1 : 0;
  }
  // The end of the data closes what is on probation, which only a hunt knows.
  EXPECT_GT(same, result->findings.size() / 2);
}

TEST(Evaluate, WritesNumbersThatCanBeRead) {
  WorldResult w;
  w.seed = 7;
  w.region = "de";
  w.days = 20;
  w.attack_from = 10;
  w.attack_last = 12;
  w.lines_of_budgets = {4, 0, -4};
  TruthItem item;
  item.id = "s7-intrusion-1-1";
  item.kind = "covert-login";
  item.campaign = "s7-intrusion-1";
  item.placement = "abroad";
  item.provider = "new";
  item.client = "different";
  item.time = core::kDay;
  w.items = {item};
  Judgement hit;
  hit.strength = 2;
  hit.worth = AlertClass::kTrue;
  hit.day = 10;
  hit.finds = {0};
  w.findings = {hit};
  w.watched.alerted = {core::kDay + 115 * core::kSecond};
  w.references.resize(reference_names().size());
  Evaluation e;
  e.options.seeds = {7};
  e.options.command = "orbwatch evaluate --seeds 7";
  e.worlds = {w};
  e.large = {w};
  const std::string text = json(e);
  simdjson::dom::parser parser;
  simdjson::dom::element d;
  ASSERT_EQ(parser.parse(text).get(d), simdjson::SUCCESS) << text;
  EXPECT_EQ(d["schema"].get_uint64().value(), 1U);
  EXPECT_EQ(d["bars"].at(0)["name"].get_string().value(), "other-country");
  EXPECT_TRUE(d["bars"].at(0)["holds"].get_bool().value());
  EXPECT_TRUE(d["bars"].at(1)["measured"].is_null());
  EXPECT_EQ(d["tiers"].at(0)["at"].at(0)["found"].get_uint64().value(), 0U);
  EXPECT_EQ(d["tiers"].at(0)["at"].at(1)["found"].get_uint64().value(), 1U);
  EXPECT_EQ(d["tiers"].get_array().size(), static_cast<std::size_t>(kTiers));
  EXPECT_EQ(d["false_alerts"].at(1)["before"]["days"].get_uint64().value(), 3U);
  EXPECT_EQ(d["curves"].get_array().size(), 5U);
  EXPECT_EQ(d["curves"].at(0)["area"].get_double().value(), 1.0);
  EXPECT_EQ(d["equal_recall"].get_array().size(), 4U);
  EXPECT_EQ(d["time_to_detect"]["intrusions"]["median_s"].get_double().value(), 115.0);
  EXPECT_TRUE(d["time_to_detect"]["sprays"]["median_s"].is_null());
  EXPECT_EQ(d["reliability"]["bins"].at(0)["covert"].get_uint64().value(), 1U);
  EXPECT_EQ(d["kinds"].at(0)["kind"].get_string().value(), "covert-login");
  EXPECT_EQ(d["worlds"].at(0)["items"].at(0)["service_after_s"].get_double().value(), 115.0);
  EXPECT_TRUE(d["worlds"].at(0)["items"].at(0)["found"].get_bool().value());
  EXPECT_EQ(d["large"]["worlds"].at(0)["seed"].get_uint64().value(), 7U);
  const std::string page = markdown(e);
  for (const std::string_view part :
       {"| recall: other country | at least 99.0 % | 100.0 % | yes |", "| other country | 99 % | 1 | 0 | 0 % |",
        "## A larger organisation", "| all intrusions | 1 | 115 s |", "## Items not found\n\nNone.\n"})
    EXPECT_NE(page.find(part), page.npos) << part << "\n" << page;
}

TEST(Evaluate, AHuntThatFailsEndsIt) {
  test::TempDir dir;
  auto result = evaluate(two_small_worlds(dir.path()),
                         [](const std::string&, pipeline::Watcher&) -> core::Expected<pipeline::HuntResult> {
                           return core::fail("broken");
                         });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "broken");
  EXPECT_FALSE(std::filesystem::exists((dir / "seed-100").string()));
}

}  // namespace
}  // namespace orbwatch::evaluate
