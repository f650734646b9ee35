// `orbwatch evaluate`: what a hunt finds in simulated worlds whose truth is known, and what it says without cause. How
// findings are compared with the truth: compare.h; what is computed of it: measures.h; what is written: tables.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "evaluate/measures.h"
#include "evaluate/simulate.h"
#include "pipeline/hunt.h"

namespace orbwatch::evaluate {

struct EvaluateOptions {
  std::vector<std::uint64_t> seeds;
  SimulateOptions world;  // seed and out are set by evaluate()
  // Larger worlds, reported apart; they differ from the others in their users alone.
  std::vector<std::uint64_t> large_seeds;
  int large_users = 5000;
  double alerts_per_day = 5;  // the main budget; the hunter applies it
  std::string work_dir;       // "" = a directory of its own under the system's temporary directory
  bool keep = false;          // leave the worlds in work_dir
  std::string out;            // Markdown file; "" = not written
  std::string json;           // file for the numbers; "" = not written
  std::string command;        // as the user called it, for the table
};

// The worlds that count: 800 users, 45 days, the covert network at work in the last 14 of them with 36 intrusions,
// with variety.
SimulateOptions default_world();

struct Evaluation {
  EvaluateOptions options;
  std::vector<WorldResult> worlds;
  std::vector<WorldResult> large;
};

// Hunts one directory with the watcher looking on; its findings are judged. Called once a seed.
using Hunter =
    std::function<core::Expected<pipeline::HuntResult>(const std::string& directory, pipeline::Watcher& watcher)>;

// "1-9,12" to a list without duplicates, at most 10000 seeds.
core::Expected<std::vector<std::uint64_t>> parse_seeds(std::string_view text);
// `progress` is told one line a seed. A world is removed after its hunt. Errors of simulation or hunt end it.
core::Expected<Evaluation> evaluate(const EvaluateOptions& options, const Hunter& hunter,
                                    const std::function<void(std::string_view)>& progress = {});

}  // namespace orbwatch::evaluate
