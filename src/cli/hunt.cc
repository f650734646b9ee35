#include "pipeline/hunt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/summary.h"
#include "export/html_report.h"
#include "export/terminal.h"
#include "pipeline/store_sink.h"

namespace orbwatch::cli {
namespace {

struct Options {
  pipeline::HuntOptions hunt;
  LogOptions logs;
  std::string verdicts;
  std::string html;
  std::string db;
  std::string summary;
  bool json = false;
  bool all = false;
  bool quiet = false;
  bool fail_on_alert = false;
  double alerts = -1;
};

core::Nanoseconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int run(Options& o) {
  if (!configure(o.hunt, o.logs.config, o.logs.mappings)) return kUsage;
  if (!o.verdicts.empty()) {
    if (::access(o.verdicts.c_str(), R_OK) != 0) {
      complain(core::fail("cannot read the verdicts", o.verdicts).error().text());
      return kUsage;
    }
    o.hunt.verdicts_file = o.verdicts;
  }
  if (o.alerts >= 0) o.hunt.alerts_per_day = o.alerts;
  o.hunt.networks_file = networks_file(o.logs.networks);
  o.hunt.reference = wall_clock();  // standard input only: a file says by its modification time when it ended

  const bool progress_wanted = !o.quiet && ::isatty(STDERR_FILENO) != 0;
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [&](const pipeline::Progress& p) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::string line = fmt::format("\r{:.1f} million records", static_cast<double>(p.records) / 1e6);
    if (p.bytes_total != 0) {
      const double share = static_cast<double>(p.bytes_done) / static_cast<double>(p.bytes_total);
      line += fmt::format(", {:3.0f} %", 100 * share);
      if (share > 0.01 && share < 1) line += fmt::format(", {:.0f} s left", seconds * (1 - share) / share);
    }
    line += "\033[K";
    std::fputs(line.c_str(), stderr);
  };
  std::unique_ptr<pipeline::StoreSink> store;
  if (!o.db.empty()) {
    auto created = pipeline::StoreSink::create(o.db);
    if (!created) {
      complain(created.error().text());
      return kOutput;
    }
    store = std::move(*created);
    if (!store->notice().empty()) complain(store->notice());
  }
  auto result = pipeline::hunt(o.hunt, progress_wanted ? progress : std::function<void(const pipeline::Progress&)>(),
                               store.get());
  if (progress_wanted) std::fputs("\r\033[K", stderr);
  if (!result) {
    complain(result.error().text());
    return result.error().kind == core::ErrorKind::kOutput ? kOutput : kUsage;
  }
  if (!o.html.empty()) {
    if (auto ok = write_file(o.html, exporting::html_report(*result, {})); !ok) {
      complain(ok.error().text());
      return kOutput;
    }
  }
  if (!o.summary.empty() && o.summary != "-") {
    if (auto ok = write_file(o.summary, summary_json(*result)); !ok) {
      complain(ok.error().text());
      return kOutput;
    }
  }
  bool alert = false;
  bool written = true;
  for (const auto& f : result->findings) {
    alert |= f.alert;
    if (o.json && (f.alert || o.all)) written = written && print(score::to_json(f) + "\n");
  }
  if (!o.json) {
    exporting::TerminalOptions terminal;
    terminal.width = terminal_width();
    terminal.colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    if (o.all) terminal.most_below = SIZE_MAX;
    written = print(exporting::terminal_report(*result, terminal));
  }
  if (o.summary == "-") written = written && print(summary_json(*result));
  if (!written || !flush_output()) {
    complain("cannot write to standard output: it is closed or full");
    return kOutput;
  }
  // What could not be read is told in any case; files of a folder that hold no logs are only counted.
  std::size_t unread = 0;
  std::size_t unknown = 0;
  for (const auto& input : result->inputs) {
    if (input.error.empty()) continue;
    if (!input.recognised && input.unknown_format) {
      ++unknown;
    } else if (++unread <= 5) {
      complain(input.error.find(input.path) != input.error.npos ? input.error : input.path + ": " + input.error);
    }
  }
  if (unread > 5) complain(fmt::format("{} more inputs could not be read to their end", unread - 5));
  if (unknown > 0 && unknown == result->inputs.size()) {
    complain(
        "no input has a known log format: see `orbwatch formats`, or describe yours with --mapping "
        "(docs/formats/mapping.md)");
    return kInput;
  }
  if (unread > 0) return kInput;
  return alert && o.fail_on_alert ? kAlert : kOk;
}

}  // namespace

void add_hunt(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("hunt", "Read logs, learn what is normal, print what is worth looking at");
  sub->add_option("inputs", o->hunt.inputs, "Files, directories, patterns; - is standard input")->required();
  add_log_options(*sub, o->hunt, o->logs);
  sub->add_option("--alerts-per-day", o->alerts, "Alert budget of an ordinary day (default 5)")
      ->check(CLI::Range(0.0, 1e6));
  sub->add_option("--verdicts", o->verdicts, "What analysts said of earlier findings (see `orbwatch verdict`)");
  sub->add_option("--threads", o->hunt.threads, "Threads (default: one per core)")->check(CLI::Range(1, 256));
  sub->add_option("--longest-record", o->hunt.longest_record, "Bytes; longer records are rejected (default 1 MiB)")
      ->check(CLI::Range(1024, 1 << 28));
  sub->add_option("--html", o->html, "Write the report as one HTML page");
  sub->add_option("--db", o->db, "Write events, findings and profiles into a DuckDB file (see `orbwatch sql`)");
  sub->add_option("--summary", o->summary, "Write where every record went as one JSON object; - is standard output");
  sub->add_flag("--json", o->json, "Findings as JSON, one a line");
  sub->add_flag("--all", o->all, "Also the findings below the alert budget");
  sub->add_flag("-q,--quiet", o->quiet, "No progress");
  sub->add_flag("--fail-on-alert", o->fail_on_alert, "Exit code 1 if anything is inside the budget");
  group(*sub, "Reading", {"--format", "--tz", "--year", "--mapping", "--longest-record", "--threads"});
  group(*sub, "Knowledge", {"--config", "--networks", "--indicators", "--feeds", "--alerts-per-day", "--verdicts"});
  group(*sub, "Output", {"--json", "--all", "--html", "--db", "--summary", "--quiet", "--fail-on-alert"});
  takes(*sub, "PATH", {"inputs"});
  takes(*sub, "FILE", {"--verdicts", "--html", "--db", "--summary"});
  takes(*sub, "N", {"--threads", "--longest-record", "--alerts-per-day"});
  sub->footer(
      "Examples:\n"
      "  orbwatch hunt logs/\n"
      "  orbwatch hunt --tz Europe/Berlin --html report.html 'vpn.log*' /var/log/asa/\n"
      "  orbwatch hunt --json --summary accounting.json logs/ > findings.jsonl\n"
      "  zcat vpn.log.gz | orbwatch hunt --year 2026 -");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli
