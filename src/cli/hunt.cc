#include "pipeline/hunt.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/common.h"
#include "pipeline/config.h"

namespace orbwatch::cli {
namespace {

struct Options {
  pipeline::HuntOptions hunt;
  std::string config;
  std::string networks;
  std::string mapping;
  bool json = false;
  bool all = false;
  bool quiet = false;
  bool fail_on_alert = false;
  double alerts = -1;
};

core::Nanoseconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int run(Options& o) {
  if (!o.config.empty()) {
    auto text = read_file(o.config);
    if (!text) {
      complain(text.error().text());
      return kUsage;
    }
    auto config = pipeline::parse_config(*text, o.config);
    if (!config) {
      complain(config.error().text());
      return kUsage;
    }
    o.hunt.alerts_per_day = config->alerts_per_day;
    o.hunt.networks = config->networks;
    if (o.hunt.zone.empty()) o.hunt.zone = config->timezone;
    o.hunt.indicator_files.insert(o.hunt.indicator_files.end(), config->indicators.begin(), config->indicators.end());
  }
  if (o.alerts >= 0) o.hunt.alerts_per_day = o.alerts;
  o.hunt.networks_file = networks_file(o.networks);
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
  auto result = pipeline::hunt(o.hunt, progress_wanted ? progress : std::function<void(const pipeline::Progress&)>());
  if (progress_wanted) std::fputs("\r\033[K", stderr);
  if (!result) {
    complain(result.error().text());
    return kUsage;
  }
  bool alert = false;
  bool unread = false;
  for (const auto& input : result->inputs) unread |= !input.error.empty() && !(input.recognised == false && result->inputs.size() > 1 && input.error.starts_with("no known log format"));
  bool written = true;
  for (const auto& f : result->findings) {
    alert |= f.alert;
    if (o.json && (f.alert || o.all)) written = written && print(score::to_json(f) + "\n");
  }
  if (!o.json) {
    for (const auto& f : result->findings) {
      if (!f.alert && !o.all) continue;
      print(fmt::format("{:.3f} {} {} {} {} {}\n", f.score, core::rfc3339(f.time), detect::name(f.kind), f.user, f.source.ip.text(), f.gateway));
      for (const auto& e : f.evidence) print(fmt::format("      {:+.1f} {}: {}\n", e.llr, e.kind, e.says));
    }
    print(fmt::format("read {} = events {} + ignored {} + rejected {}\n", result->total.records, result->total.events, result->total.ignored, result->total.rejected));
    for (const auto& i : result->inputs) {
      print(fmt::format("  {} [{}] {} = {} + {} + {} {}\n", i.path, i.format, i.counts.records, i.counts.events, i.counts.ignored, i.counts.rejected, i.error));
    }
    for (const auto& n : result->notes) print(n + "\n");
  }
  if (!written || !flush_output()) {
    complain("cannot write to standard output: it is closed or full");
    return kOutput;
  }
  if (unread) return kInput;
  return alert && o.fail_on_alert ? kAlert : kOk;
}

}  // namespace

void add_hunt(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("hunt", "Read logs, learn what is normal, print what is worth looking at");
  sub->add_option("inputs", o->hunt.inputs, "Files, directories, patterns; - is standard input")->required();
  sub->add_option("--config", o->config, "Configuration file (YAML)");
  sub->add_option("--format", o->hunt.format, "Read everything as this format (see `orbwatch formats`)");
  sub->add_option("--tz", o->hunt.zone, "Time zone of records that state none: Europe/Berlin, +02:00 (default UTC)");
  sub->add_option("--year", o->hunt.year, "Year of records that state none (default: from the file's time)")->check(CLI::Range(1970, 2200));
  sub->add_option("--networks", o->networks, "Compiled network facts, or none (default: the table of `orbwatch intel build`)");
  sub->add_option("--indicators", o->hunt.indicator_files, "List of bad addresses or prefixes, one a line; may be given several times");
  sub->add_option("--alerts-per-day", o->alerts, "Alert budget of an ordinary day (default 5)")->check(CLI::Range(0.0, 1e6));
  sub->add_option("--threads", o->hunt.threads, "Threads (default: one per core)")->check(CLI::Range(1, 256));
  sub->add_option("--longest-record", o->hunt.longest_record, "Bytes; longer records are rejected (default 1 MiB)")->check(CLI::Range(1024, 1 << 28));
  sub->add_flag("--json", o->json, "Findings as JSON, one a line");
  sub->add_flag("--all", o->all, "Also the findings below the alert budget");
  sub->add_flag("-q,--quiet", o->quiet, "No progress");
  sub->add_flag("--fail-on-alert", o->fail_on_alert, "Exit code 1 if anything is inside the budget");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli
