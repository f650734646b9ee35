// `orbwatch backtest`: what a hunt would have caught in the organisation's own history.
#include "evaluate/backtest.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "evaluate/backtest_report.h"

namespace orbwatch::cli {
namespace {

struct Options {
  evaluate::BacktestOptions backtest;
  LogOptions logs;
  std::vector<double> budgets;
  std::string hours = "victim";
  std::string html;
  bool json = false;
  bool quiet = false;
};

int run(Options& o) {
  pipeline::HuntOptions& hunt = o.backtest.hunt;
  if (hunt.inputs.empty() && o.backtest.on.empty()) {
    complain("no history was named: give log files, or --on with a database of `orbwatch hunt --db`");
    return kUsage;
  }
  if (!configure(hunt, o.logs.config, o.logs.mappings)) return kUsage;
  if (!o.budgets.empty()) o.backtest.budgets = o.budgets;
  std::vector<double>& budgets = o.backtest.budgets;
  std::ranges::sort(budgets);
  budgets.erase(std::ranges::unique(budgets).begin(), budgets.end());
  hunt.alerts_per_day = budgets[budgets.size() / 2];
  hunt.networks_file = networks_file(o.logs.networks);
  o.backtest.hours = o.hours == "operator" ? evaluate::Hours::kOperator : evaluate::Hours::kVictim;

  auto backtest = evaluate::Backtest::open(o.backtest);
  if (!backtest) {
    complain(backtest.error().text());
    return kUsage;
  }
  const bool progress_wanted = !o.quiet && ::isatty(STDERR_FILENO) != 0;
  const auto progress = [](const evaluate::BacktestProgress& p) {
    std::string line =
        fmt::format("\r{} (reading {} of 2): {:.1f} million records", p.pass == 1 ? "learning" : "testing", p.pass,
                    static_cast<double>(p.read.records) / 1e6);
    if (p.read.bytes_total != 0)
      line += fmt::format(", {:3.0f} %",
                          100 * static_cast<double>(p.read.bytes_done) / static_cast<double>(p.read.bytes_total));
    line += "\033[K";
    std::fputs(line.c_str(), stderr);
  };
  auto result = backtest->run(progress_wanted ? progress : std::function<void(const evaluate::BacktestProgress&)>());
  if (progress_wanted) std::fputs("\r\033[K", stderr);
  if (!result) {
    complain(result.error().text());
    return kInput;
  }
  if (!o.html.empty()) {
    if (auto ok = write_file(o.html, evaluate::backtest_html(*result)); !ok) {
      complain(ok.error().text());
      return kOutput;
    }
  }
  const bool written =
      print(o.json ? evaluate::backtest_json(*result) + "\n" : evaluate::backtest_text(*result, terminal_width()));
  if (!written || !flush_output()) {
    complain("cannot write to standard output: it is closed or full");
    return kOutput;
  }
  bool unread = false;
  for (const auto& input : result->inputs) {
    // Files of a folder that hold no logs are no trouble.
    if (input.error.empty() || (!input.recognised && input.unknown_format)) continue;
    complain(input.error.find(input.path) != input.error.npos ? input.error : input.path + ": " + input.error);
    unread = true;
  }
  return unread ? kInput : kOk;
}

}  // namespace

void add_backtest(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  evaluate::BacktestOptions& b = o->backtest;
  CLI::App* sub =
      app.add_subcommand("backtest", "Put covert log-ins into your own history and say what would be caught");
  sub->add_option("inputs", b.hunt.inputs, "Files, directories, patterns: the history");
  sub->add_option("--on", b.on,
                  "History from a database of `orbwatch hunt --db`, or the state folder of a service, instead of logs");
  add_log_options(*sub, b.hunt, o->logs);
  sub->add_option("--threads", b.hunt.threads, "Threads (default: one per core)")->check(CLI::Range(1, 256));
  sub->add_option("--alerts-per-day", o->budgets,
                  "Alert budget of an ordinary day; may be given several times (default 1, 5, 20)")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all()
      ->check(CLI::Range(0.01, 1e6));
  sub->add_option("--days", b.days, "Tested time: the last days of the history (default: its last third)")
      ->check(CLI::Range(1, 4000));
  sub->add_option("--runs", b.runs, "Repetitions with other victims (default 3)")
      ->check(CLI::Range(1, evaluate::BacktestOptions::kMostRuns));
  sub->add_option("--sprays", b.sprays, "Password sprays of each cadence (default 1)")
      ->check(CLI::Range(0, evaluate::BacktestOptions::kMostRuns));
  sub->add_option("--share", b.share, "Share of the users who are victims in one run (default 0.2)")
      ->check(CLI::Range(0.001, 0.5));
  sub->add_option("--node-life", b.node_median_days, "Median life of an exit node in days (default 17)")
      ->check(CLI::Range(0.1, 1000.0));
  sub->add_option("--hours", o->hours,
                  "When intruders log in: victim (as the user does) or operator (01:00 to 10:00 "
                  "UTC on working days) (default victim)")
      ->check(CLI::IsMember({"victim", "operator"}));
  sub->add_option("--seed", b.seed, "Of the random numbers (default 1)");
  sub->add_option("--html", o->html, "Write the report as one HTML page");
  sub->add_flag("--json", o->json, "The report as one JSON object");
  sub->add_flag("-q,--quiet", o->quiet, "No progress");
  group(*sub, "Reading", {"--on", "--format", "--tz", "--year", "--mapping", "--threads"});
  group(*sub, "Knowledge", {"--config", "--networks", "--indicators", "--feeds"});
  group(*sub, "Test",
        {"--alerts-per-day", "--days", "--runs", "--sprays", "--share", "--node-life", "--hours", "--seed"});
  group(*sub, "Output", {"--json", "--html", "--quiet"});
  takes(*sub, "PATH", {"inputs", "--on"});
  takes(*sub, "FILE", {"--html"});
  takes(*sub, "N",
        {"--threads", "--alerts-per-day", "--days", "--runs", "--sprays", "--share", "--node-life", "--seed"});
  takes(*sub, "WHEN", {"--hours"});
  sub->footer(
      "Examples:\n"
      "  orbwatch backtest logs/\n"
      "  orbwatch backtest --on events.duckdb --html backtest.html\n"
      "  orbwatch backtest --runs 10 --alerts-per-day 2 --hours operator logs/");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli
