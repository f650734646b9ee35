// `orbwatch evaluate`: what a hunt finds in simulated worlds whose truth is known, and what it says without cause.
// The rules of counting are stated here and in docs/evaluation.md; the test of this file holds them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "evaluate/simulate.h"
#include "pipeline/hunt.h"

namespace orbwatch::evaluate {

// What an alert (a finding inside the budget) is worth, in this order:
//   kTrue       it overlaps an item of the truth in time (kSlack on both sides) and shares a source address with it, or
//   names no
//               source at all and shares the user
//   kAftermath  it names a user of an intrusion (covert-login, credential-success-after-spray) within a day after it
//   began, but
//               another source: the victim's own session, seen as strange because of the intruder's. Counted neither
//               way
//   kGrey       as kTrue, with a grey item: something ordinary that a tool may rightly point out. Counted neither way
//   kFalse      all else
enum class AlertClass : std::uint8_t { kTrue, kAftermath, kGrey, kFalse };

constexpr core::Nanoseconds kSlack = 10 * core::kMinute;
// An item of many sources (spray, slow-scan) is found by one finding that shares this many of them, or half of them if
// they are fewer than twice as many: a single guess that is pointed out is not a spray found.
constexpr std::size_t kSharedSources = 5;
// Days counted as learning: false alerts on them are reported apart.
constexpr int kLearningDays = 7;

struct ItemResult {
  TruthItem item;
  bool found = false;        // by an alert
  bool seen = false;         // by a finding, inside the budget or not
  double best_score = 0;     // of the findings that see it
  std::string finding_kind;  // of the best
};

struct DayResult {
  bool attack = false;  // an item of the truth (not grey) touches it
  int true_alerts = 0, aftermath = 0, grey = 0, false_alerts = 0;
  int alerts() const { return true_alerts + aftermath + grey + false_alerts; }
};

struct WorldResult {
  std::uint64_t seed = 0;
  std::string region;
  std::uint64_t lines = 0;
  event::Counts records;
  std::vector<ItemResult> items;  // grey items excluded
  std::vector<DayResult> days;    // 24-hour days from the world's start; findings outside fall on the first or last
  std::map<std::string, int> false_by_kind;  // by the alert's strongest evidence
};

// Judges findings against the truth. Findings that are not alerts count for `seen` only.
WorldResult judge(const Truth& truth, const std::vector<score::Finding>& findings);
AlertClass classify(const Truth& truth, const score::Finding& finding);
// Whether the finding points the item out, so that an alert would count it as found.
bool finds(const score::Finding& finding, const TruthItem& item);

struct EvaluateOptions {
  std::vector<std::uint64_t> seeds;
  SimulateOptions world;      // seed and out are set by evaluate()
  double alerts_per_day = 5;  // told in the table; the hunter applies it
  std::string work_dir;       // "" = a directory of its own under the system's temporary directory
  bool keep = false;          // leave the worlds in work_dir
  std::string out;            // Markdown file; "" = not written
  std::string command;        // as the user called it, for the table
};

struct Evaluation {
  EvaluateOptions options;
  std::vector<WorldResult> worlds;
};

// Hunts one directory; its findings are judged. Called once a seed.
using Hunter = std::function<core::Expected<pipeline::HuntResult>(const std::string& directory)>;

// "1-9,12" to a list without duplicates, at most 10000 seeds.
core::Expected<std::vector<std::uint64_t>> parse_seeds(std::string_view text);
// `progress` is told one line a seed. A world is removed after its hunt. Errors of simulation or hunt end it.
core::Expected<Evaluation> evaluate(const EvaluateOptions& options, const Hunter& hunter,
                                    const std::function<void(std::string_view)>& progress = {});
// The tables of docs/detection-results.md. Holds no time, host or path: the same worlds and findings give the same
// text.
std::string markdown(const Evaluation& evaluation);

// Wilson's interval of a proportion at 95 %.
struct Interval {
  double low = 0, high = 1;
};
Interval wilson(std::uint64_t successes, std::uint64_t trials);

}  // namespace orbwatch::evaluate
