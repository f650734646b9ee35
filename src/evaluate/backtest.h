// `orbwatch backtest`: what a hunt would have caught in the organisation's own history, had there been covert log-ins.
// The method, its limits and the report: docs/backtest.md.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "evaluate/injection.h"
#include "pipeline/hunt.h"

namespace orbwatch::evaluate {

struct BacktestOptions {
  pipeline::HuntOptions hunt;  // inputs, knowledge, threads; alerts_per_day is the budget that quarantine goes by
  std::string on;              // a store file, or the state folder of a service; "" = hunt.inputs
  std::vector<double> budgets = {1, 5, 20};  // alerts a day, ascending, none twice
  int days = 0;                              // tested time, the last days of the history; 0 = its last third
  int runs = 3;                              // with injected log-ins; 1..kMostRuns
  int sprays = 1;                            // campaigns of each cadence; 0..kMostRuns
  double share = 0.2;                        // see InjectionOptions
  double node_median_days = 17;
  Hours hours = Hours::kVictim;
  std::uint64_t seed = 1;

  static constexpr int kMostRuns = 20;
};

// What became of one injected thing.
struct Outcome {
  // Log-odds of the best finding that points it out, as it stood at the end; less than any finding has: none did.
  double best = kUnseen;
  std::string evidence;            // strongest of that finding, "" if there is none
  std::string further;             // second strongest
  std::vector<bool> caught;        // by budget
  std::vector<Nanoseconds> after;  // by budget: from its first line to the first moment at which a service had alerted;
                                   // -1 = it did not

  static constexpr double kUnseen = -1e9;
};

struct TestedIntrusion {
  Intrusion intrusion;
  int run = 0;
  Outcome outcome;
};
struct TestedSpray {
  Spray spray;
  Outcome outcome;
};

// Alerts of the history as it is: nobody knows how many of them are false.
struct OrdinaryAlerts {
  double line = 0;  // log-odds
  std::uint64_t all = 0;
  std::uint64_t tested = 0;  // in the tested time
};

struct GatewayFacts {
  std::uint64_t logins = 0;
  std::uint64_t with_client = 0;
};

struct BacktestResult {
  BacktestOptions options;
  Nanoseconds first = 0, last = 0;  // of the history
  Nanoseconds from = 0;             // of the tested time
  std::uint64_t events = 0;
  std::uint64_t users = 0;                          // that log in from outside, of those looked at
  std::uint64_t sampled = 1;                        // one in how many users was looked at
  std::uint64_t victims = 0;                        // of the users: with enough history
  std::map<std::string, std::uint64_t> untestable;  // the others, by reason
  std::map<std::pair<InjectionTier, std::string>, std::uint64_t> skipped;
  std::map<std::string, std::uint64_t> no_spray;
  std::map<std::string, GatewayFacts> gateways;
  std::vector<OrdinaryAlerts> ordinary;  // by budget
  std::vector<TestedIntrusion> intrusions;
  std::vector<TestedSpray> sprays;
  // Alerts about others than the injected (and not about a victim) at the budget that quarantine goes by: how many of
  // the history's alerts were there, and how many came or went because something was injected, over all runs.
  std::uint64_t others = 0;
  std::uint64_t others_changed = 0;
  std::vector<score::InputReport> inputs;  // empty with `on`
  std::vector<std::string> notes;
};

struct BacktestProgress {
  int pass = 1;  // of 2
  pipeline::Progress read;
};

// Memory: a history (history.h) and one judge for the plain run, then a judge for each run and each spray at once; all
// are fed by one reading. The result is the same for a seed, whatever the threads.
class Backtest {
 public:
  // Errors are those of the options: no inputs or --on beside inputs, standard input (the history is read twice), an
  // unknown zone, a wrong mapping, no network facts, a store without events.
  static core::Expected<Backtest> open(const BacktestOptions& options);
  ~Backtest();
  Backtest(Backtest&&) noexcept;
  Backtest& operator=(Backtest&&) noexcept;

  // Errors are those of the history: nothing dated in it, too short, no log-in from outside, no user with enough
  // history, a store that cannot be read.
  core::Expected<BacktestResult> run(const std::function<void(const BacktestProgress&)>& progress = {});

 private:
  struct Impl;
  explicit Backtest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::evaluate
