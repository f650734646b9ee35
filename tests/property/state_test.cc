// A judge that is saved and goes on in another process says the same as one that ran through. Another process has other
// numbers for names, for facts of addresses and for inputs: each part of a run is one, and is made to differ.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/archive.h"
#include "enrich/enrich.h"
#include "evaluate/address_plan.h"
#include "evaluate/simulate.h"
#include "event/persist.h"
#include "intel/compile.h"
#include "intel/networks.h"
#include "pipeline/hunt.h"
#include "pipeline/judge.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {

namespace fs = std::filesystem;

// The events of a hunt in order of time, with their records.
struct Taken {
  event::Event event;
  std::string raw;
};
template <typename A>
void persist(A& a, Taken& taken) {
  a(taken.event, taken.raw);
}
struct Recording {
  std::vector<std::string> names;
  std::vector<Taken> events;
};
template <typename A>
void persist(A& a, Recording& r) {
  a(r.names, r.events);
}

namespace {

template <typename T>
void write_archive(const fs::path& path, const T& value) {
  auto writer = core::ArchiveWriter::to_file(path.string());
  ASSERT_TRUE(writer) << writer.error().text();
  (*writer)(value);
  ASSERT_TRUE(writer->finish());
}

class Recorder : public pipeline::EventSink {
 public:
  Recording recording;
  core::Expected<void> begin(const enrich::Enricher&) override { return {}; }
  core::Expected<void> events(const event::EventBatch& batch, const std::vector<std::string>& names) override {
    recording.names = names;
    for (const event::Event& e : batch) recording.events.push_back({e, std::string(batch.raw(e.record))});
    return {};
  }
  core::Expected<void> end(const score::HuntResult&, const baseline::Baseline&) override {
    std::ranges::stable_sort(recording.events, {}, [](const Taken& t) { return t.event.time; });
    return {};
  }
};

// The networks of simulated worlds as declarations: places and kinds are made up, but steadily so.
std::vector<intel::DeclaredNetwork> declared(bool turned) {
  std::vector<intel::DeclaredNetwork> all;
  for (const evaluate::PlanNetwork& n : evaluate::address_plan()) {
    const std::uint64_t town = core::hash64(std::string(n.country) + std::string(n.town));
    for (const evaluate::PlanPrefix& p : n.prefixes) {
      intel::DeclaredNetwork d;
      d.prefix = core::Prefix{core::Ip::v4(p.base), p.bits};
      d.name = n.name;
      d.country = n.country;
      d.latitude = 40 + static_cast<float>(town % 200) / 10;
      d.longitude = static_cast<float>(town / 200 % 400) / 10;
      d.own = false;
      d.type = n.role == evaluate::Role::kHosting  ? core::NetworkType::kHosting
               : n.role == evaluate::Role::kMobile ? core::NetworkType::kMobile
                                                   : core::NetworkType::kConsumer;
      all.push_back(std::move(d));
    }
  }
  const auto by_prefix = [](const auto& x, const auto& y) {
    return std::pair(x.prefix.base, x.prefix.bits) < std::pair(y.prefix.base, y.prefix.bits);
  };
  const auto same = [](const auto& x, const auto& y) {
    return x.prefix.base == y.prefix.base && x.prefix.bits == y.prefix.bits;
  };
  std::ranges::stable_sort(all, by_prefix);
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  if (turned) std::ranges::reverse(all);
  return all;
}

std::string told(const score::HuntResult& result) {
  std::string text;
  for (const auto& f : result.findings) text += score::to_json(f, true) + "\n";
  for (const auto& h : result.hypotheses) text += fmt::format("{} {} {}\n", h.detector, h.tested, h.events);
  for (const auto& [day, d] : result.overview.days)
    text += fmt::format("{} {} {} {}\n", day, d.events, d.logins, d.failures);
  for (const auto& p : result.overview.paths)
    text += fmt::format("{} {} {} {}\n", p.network_type, p.gateway, p.user, p.logins);
  for (const auto& p : result.overview.places)
    text += fmt::format("{} {} {} {} {} {}\n", p.latitude, p.longitude, p.city, p.country, p.logins, p.failures);
  for (std::size_t hour = 0; hour < 168; ++hour)
    text += fmt::format("{} {}\n", result.overview.logins_by_hour[hour], result.overview.failures_by_hour[hour]);
  for (const auto& note : result.notes) text += note + "\n";
  return text + fmt::format("{} {} {} {} {}\n", result.first, result.last, result.overview.users,
                            result.overview.sources, result.overview.gateways);
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// One part of a run, in a process of its own: see State::part().
TEST(StateWorker, Runs) {
  if (setting("STATE_FOLDER").empty()) GTEST_SKIP() << "a part of the tests below";
  const fs::path folder = setting("STATE_FOLDER");
  const bool other = setting("STATE_OTHER") == "1";
  if (other) {
    for (int i = 0; i < 5000; ++i) core::intern("a name of another process " + std::to_string(i));
  }
  auto networks = intel::Networks::open((folder / "networks").string());
  ASSERT_TRUE(networks);
  auto organisation = intel::Organisation::make(declared(other));
  ASSERT_TRUE(organisation) << organisation.error().text();
  const enrich::Enricher enricher(std::make_shared<const intel::Networks>(std::move(*networks)),
                                  std::make_shared<const intel::Organisation>(std::move(*organisation)));
  auto stored = core::ArchiveReader::from_file((folder / setting("STATE_RECORDING")).string());
  ASSERT_TRUE(stored);
  Recording recording;
  (*stored)(recording);
  ASSERT_TRUE(stored->finish());

  // The other process meets its inputs in another order, and the last one not at all yet.
  std::vector<std::string> names = recording.names;
  if (other) {
    std::ranges::reverse(names);
    if (names.size() > 2) names.pop_back();
    names.insert(names.begin(), "another.log");
  }
  pipeline::Judge judge(enricher, nullptr, 5, names);
  if (const std::string from = setting("STATE_LOAD"); !from.empty()) {
    auto saved = core::ArchiveReader::from_file((folder / from).string());
    ASSERT_TRUE(saved) << saved.error().text();
    const auto loaded = judge.load(*saved);
    ASSERT_TRUE(loaded) << loaded.error().text();
    const auto whole = saved->finish();
    ASSERT_TRUE(whole) << whole.error().text();
  }
  std::vector<std::uint32_t> input(recording.names.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto at = std::ranges::find(names, recording.names[i]);
    if (at == names.end()) names.push_back(recording.names[i]);
    input[i] = static_cast<std::uint32_t>(std::ranges::find(names, recording.names[i]) - names.begin());
  }

  const auto begin = static_cast<std::size_t>(std::stoull(setting("STATE_FROM")));
  const auto end = std::min(recording.events.size(), static_cast<std::size_t>(std::stoull(setting("STATE_TO"))));
  const bool live = setting("STATE_LIVE") == "1";
  std::string said;
  event::EventBatch batch;
  for (std::size_t i = begin; i < end; ++i) {
    event::Event e = recording.events[i].event;
    e.source_facts = enricher.lookup(e.source_ip);
    e.destination_facts = enricher.lookup(e.destination_ip);
    e.record.source = input[e.record.source];
    batch.clear();
    batch.hold(e.record.offset, recording.events[i].raw);
    judge.take(e, batch);
    if (live && (i + 1) % 500 == 0) {
      const bool to_come = i + 1 < recording.events.size();
      judge.advance(to_come ? recording.events[i + 1].event.time : recording.events[i].event.time);
      judge.changed([&](const score::Finding& f) { said += score::to_json(f, true) + "\n"; });
    }
  }
  if (const std::string to = setting("STATE_SAVE"); !to.empty()) {
    auto writer = core::ArchiveWriter::to_file((folder / to).string());
    ASSERT_TRUE(writer) << writer.error().text();
    judge.save(*writer);
    ASSERT_TRUE(writer->finish());
  } else {
    score::HuntResult result;
    judge.finish(result);
    said += told(result);
  }
  std::ofstream(folder / "said", std::ios::binary) << said;
}

class State : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TempDir;
    std::string systems;
    for (const evaluate::PlanNetwork& n : evaluate::address_plan()) {
      for (const evaluate::PlanPrefix& p : n.prefixes) {
        systems += fmt::format("{},{},{},{}\n", core::Ip::v4(p.base).text(),
                               core::Ip::v4(p.base | (0xffffffffU >> p.bits)).text(), n.asn, "Example");
      }
    }
    intel::BuildOptions build;
    build.as_csv = {folder->write("as.csv", systems).string()};
    build.shipped_lists = false;
    build.output = (*folder / "networks").string();
    build.built = 1'800'000'000 * core::kSecond;
    const auto built = intel::build_networks(build);
    ASSERT_TRUE(built) << built.error().text();

    evaluate::SimulateOptions options;
    options.seed = 11;
    options.users = 40;
    options.days = 24;
    options.out = (*folder / "w").string();
    auto world = evaluate::simulate(options);
    ASSERT_TRUE(world) << world.error().text();
    fs::remove(world->truth_file);
    record("world", {(*folder / "w").string()});
    record("demo", {std::string(ORBWATCH_ROOT) + "/examples/demo"});
  }
  static void TearDownTestSuite() {
    delete folder;
    folder = nullptr;
  }
  static void record(const std::string& name, std::vector<std::string> inputs) {
    pipeline::HuntOptions options;
    options.inputs = std::move(inputs);
    options.threads = 1;
    options.year = 2026;
    Recorder recorder;
    auto result = pipeline::hunt(options, {}, &recorder);
    ASSERT_TRUE(result) << result.error().text();
    write_archive(*folder / name, recorder.recording);
    sizes[name] = recorder.recording.events.size();
    ASSERT_GT(sizes[name], 500U);
  }

  // Events [from, to) of a recording, by a judge in a process of its own: from a saved state ("" = a new judge) to a
  // saved state ("" = to its end). What it said.
  static std::string part(const std::string& recording, std::size_t from, std::size_t to, const std::string& load,
                          const std::string& save, bool other, bool live = false) {
    RunOptions options;
    options.timeout = std::chrono::minutes(5);
    options.environment = {"STATE_FOLDER=" + folder->path().string(),
                           "STATE_RECORDING=" + recording,
                           "STATE_FROM=" + std::to_string(from),
                           "STATE_TO=" + std::to_string(to),
                           "STATE_LOAD=" + load,
                           "STATE_SAVE=" + save,
                           std::string("STATE_OTHER=") + (other ? "1" : "0"),
                           std::string("STATE_LIVE=") + (live ? "1" : "0")};
    const RunResult r = run({fs::read_symlink("/proc/self/exe").string(), "--gtest_filter=StateWorker.*"}, "", options);
    EXPECT_EQ(r.exit_code, 0) << r.out << r.err;
    return read_file(*folder / "said");
  }
  static void expect_same(const std::string& a, const std::string& b) {
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto at = static_cast<std::size_t>(x - a.begin());
    const std::size_t from = at < 200 ? 0 : at - 200;
    EXPECT_TRUE(a == b) << "at byte " << at << ":\n" << a.substr(from, 500) << "\nagainst\n" << b.substr(from, 500);
  }

  static TempDir* folder;
  static std::map<std::string, std::size_t> sizes;
};
TempDir* State::folder = nullptr;
std::map<std::string, std::size_t> State::sizes;

TEST_F(State, AnotherProcessGoesOnWithTheSameFindings) {
  for (const std::string recording : {"world", "demo"}) {
    SCOPED_TRACE(recording);
    const std::size_t all = sizes[recording];
    const std::string reference = part(recording, 0, all, "", "", false);
    EXPECT_NE(reference.find("\"alert\":true"), reference.npos);
    for (const std::size_t cut : {std::size_t{0}, all / 7, all / 2, all * 6 / 7, all - 1, all}) {
      SCOPED_TRACE(cut);
      part(recording, 0, cut, "", "state", false);
      expect_same(part(recording, cut, all, "state", "", true), reference);
    }
  }
}

TEST_F(State, SavedAgainAndAgain) {
  const std::size_t all = sizes["world"];
  const std::string reference = part("world", 0, all, "", "", true);
  std::string before;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string after = "state-" + std::to_string(i);
    part("world", all * i / 9, all * (i + 1) / 9, before, after, i % 2 == 1);
    before = after;
  }
  expect_same(part("world", all * 8 / 9, all, before, "", true), reference);
}

TEST_F(State, WhatWasToldLiveIsToldOnce) {
  const std::size_t all = sizes["world"];
  const std::string reference = part("world", 0, all, "", "", false, true);
  std::string said;
  std::string before;
  // Not at a multiple of what lies between two tellings: what is still to tell is part of the state.
  for (const std::size_t end : {all / 3 + 123, all / 2 + 77, all * 3 / 4 + 11}) {
    const std::size_t begin = before.empty() ? 0 : std::stoull(before);
    const std::string after = std::to_string(end);
    said += part("world", begin, end, before, after, begin % 2 == 0, true);
    before = after;
  }
  said += part("world", std::stoull(before), all, before, "", true, true);
  expect_same(said, reference);
  // And a service's findings at the end are the hunt's.
  const std::string hunt = part("world", 0, all, "", "", false);
  EXPECT_TRUE(said.ends_with(hunt));
  // Every finding of the hunt was told before, under the same id.
  std::istringstream lines(hunt);
  const std::string live = said.substr(0, said.size() - hunt.size());
  std::size_t findings = 0;
  for (std::string line; std::getline(lines, line) && line.starts_with("{\"id\"");) {
    findings += live.find(line.substr(0, 25)) != live.npos ? 1 : 0;
  }
  EXPECT_GT(findings, 5U);
}

}  // namespace
}  // namespace orbwatch::test
