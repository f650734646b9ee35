#include "evaluate/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/text.h"
#include "evaluate/tables.h"
#include "score/budget.h"

namespace orbwatch::evaluate {

SimulateOptions default_world() {
  SimulateOptions world;
  world.users = 800;
  world.days = 45;
  world.attack_from = 31;
  world.attack_days = 14;
  world.covert_logins = 36;
  world.variety = 1;
  return world;
}

core::Expected<std::vector<std::uint64_t>> parse_seeds(std::string_view text) {
  std::set<std::uint64_t> seeds;
  const std::string seen(text);
  while (!text.empty()) {
    std::string_view part = core::trim(core::take_until(text, ','));
    const bool range = part.find('-') != part.npos;
    const auto from = core::parse_number<std::uint64_t>(core::trim(core::take_until(part, '-')));
    const auto to = range ? core::parse_number<std::uint64_t>(core::trim(part)) : from;
    if (!from || !to || *to < *from || *to - *from >= 10000)
      return core::fail("cannot read the seeds", seen, "write 1-9 or 1,4,7");
    for (std::uint64_t s = *from; s <= *to && s >= *from; ++s) {
      seeds.insert(s);
      if (s == UINT64_MAX) break;
    }
    if (seeds.size() > 10000) return core::fail("too many seeds", seen, "10000 at most");
  }
  if (seeds.empty()) return core::fail("no seeds", seen, "write 1-9 or 1,4,7");
  return std::vector<std::uint64_t>(seeds.begin(), seeds.end());
}

namespace {

namespace fs = std::filesystem;

core::Expected<WorldResult> hunt_world(const EvaluateOptions& options, const SimulateOptions& world,
                                       const Hunter& hunter) {
  auto simulated = simulate(world);
  if (!simulated) return std::unexpected(simulated.error());
  auto truth = read_truth(simulated->truth_file);
  if (!truth) return std::unexpected(truth.error());
  Watch watch(*truth);
  auto hunted = hunter(world.out, watch);
  if (!options.keep) {
    // Only what simulate() wrote goes, the directory if it is empty then.
    std::error_code error;
    for (const std::string& file : simulated->files) fs::remove(file, error);
    fs::remove(simulated->truth_file, error);
    fs::remove(world.out, error);
  }
  if (!hunted) return std::unexpected(hunted.error());
  WorldResult result;
  result.seed = truth->seed;
  result.region = truth->region;
  result.users = simulated->users;
  result.days = truth->days;
  result.attack_from = truth->attack_from;
  result.attack_last = truth->attack_from - 1;
  result.lines = simulated->lines;
  result.items = items_of(*truth);
  for (const TruthItem& item : result.items)
    result.attack_last = std::max(result.attack_last, day_of(*truth, item.end));
  result.findings = compare(*truth, hunted->findings);
  for (const double budget : budgets_around(options.alerts_per_day))
    result.lines_of_budgets.push_back(score::alert_line(hunted->findings, hunted->overview, budget));
  result.watched = watch.take();
  for (const auto& findings : result.watched.references) result.references.push_back(compare(*truth, findings));
  result.watched.references.clear();
  return result;
}

core::Expected<void> write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return core::fail("cannot write the results", path, "does its directory exist?");
  return {};
}

std::string progress_line(const WorldResult& w, std::size_t main) {
  const double line = w.lines_of_budgets[main];
  const auto best = best_of(w);
  const auto found = std::ranges::count_if(best, [&](const auto& b) { return b && *b >= line; });
  const auto wrong = std::ranges::count_if(
      w.findings, [&](const Judgement& j) { return j.worth == AlertClass::kFalse && j.strength >= line; });
  return fmt::format("seed {} ({}, {} users): {} of {} items found, {} false alerts in {} days", w.seed, w.region,
                     w.users, found, w.items.size(), wrong, w.days);
}

}  // namespace

core::Expected<Evaluation> evaluate(const EvaluateOptions& options, const Hunter& hunter,
                                    const std::function<void(std::string_view)>& progress) {
  std::error_code error;
  fs::path base = options.work_dir;
  const bool own = base.empty();
  if (own) {
    std::string name = (fs::temp_directory_path(error) / "orbwatch-evaluate-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      return core::fail("cannot make a temporary directory", name, "set --work-dir");
    base = name;
  }
  Evaluation evaluation;
  evaluation.options = options;
  const auto budgets = budgets_around(options.alerts_per_day);
  const auto main = static_cast<std::size_t>(std::ranges::find(budgets, options.alerts_per_day) - budgets.begin());
  const auto run = [&](bool large) -> core::Expected<void> {
    for (const std::uint64_t seed : large ? options.large_seeds : options.seeds) {
      SimulateOptions world = options.world;
      world.seed = seed;
      world.out = (base / fmt::format("{}-{}", large ? "large" : "seed", seed)).string();
      if (large) {
        world.users = options.large_users;
        world.lines = 0;
      }
      auto result = hunt_world(options, world, hunter);
      if (!result) return std::unexpected(result.error());
      if (progress) progress(progress_line(*result, main));
      (large ? evaluation.large : evaluation.worlds).push_back(std::move(*result));
    }
    return {};
  };
  auto done = run(false);
  if (done) done = run(true);
  if (own && !options.keep) fs::remove_all(base, error);
  if (!done) return std::unexpected(done.error());
  if (!options.out.empty()) {
    if (auto written = write(options.out, markdown(evaluation)); !written) return std::unexpected(written.error());
  }
  if (!options.json.empty()) {
    if (auto written = write(options.json, json(evaluation)); !written) return std::unexpected(written.error());
  }
  return evaluation;
}

}  // namespace orbwatch::evaluate
