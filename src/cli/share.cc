// `orbwatch share`: what was found, for others.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "core/time.h"
#include "export/files.h"
#include "export/sharing/writers.h"
#include "intel/organisation.h"
#include "pipeline/shared_findings.h"
#include "source/collector.h"

namespace orbwatch::cli {
namespace {

namespace sharing = exporting::sharing;

struct Options {
  std::string store;
  std::string state;
  std::string format = "stix";
  std::string out;
  std::string since;
  std::string verdicts;
  std::string config;
  Marking marking;
  double least = 0;
  int most_age = -1;  // days; -1 = as the format has it
  bool all = false;
  bool json = false;
};

constexpr std::size_t kMostEarlier = std::size_t{256} << 20;  // bytes of the file that is replaced

// "30d", "2026-01-31", "2026-01-31T08:00:00Z".
core::Expected<core::Nanoseconds> since(const std::string& text, core::Nanoseconds now) {
  if (text.empty()) return 0;
  if (text.ends_with('d')) {
    const auto days = core::parse_number<std::int64_t>(std::string_view(text).substr(0, text.size() - 1));
    if (days && *days > 0 && *days <= 36'500) return std::max<core::Nanoseconds>(now - *days * core::kDay, 1);
  }
  const std::string moment = text.size() == 10 ? text + "T00:00:00Z" : text;
  std::string_view rest = moment;
  const auto time = core::parse_iso8601(rest, core::TimeReader());
  if (!time || !rest.empty() || *time <= 0)
    return core::fail("--since must be a number of days or a date", text, "30d, 2026-01-31");
  return *time;
}

std::string summary(const Options& o, const pipeline::SharedFindings& read, const sharing::Written& written,
                    const std::map<std::string, std::uint64_t, std::less<>>& left_out) {
  std::string out = "{\"format\":";
  core::append_json_string(out, o.format);
  out += ",\"out\":";
  core::append_json_string(out, o.out);
  out += ",\"tlp\":";
  core::append_json_string(out, core::lower(o.marking.tlp));
  out += fmt::format(
      ",\"findings\":{},\"given\":{},\"networks_read\":{},\"networks_given\":{},\"indicators\":{},\"networks\":{},"
      "\"revoked\":{},\"left_out\":{{",
      read.findings, read.given, read.networks, read.networks_given, written.indicators, read.shared.networks().size(),
      written.revoked);
  for (bool first = true; const auto& [reason, count] : left_out) {
    if (!first) out += ',';
    first = false;
    core::append_json_string(out, reason);
    out += fmt::format(":{}", count);
  }
  return out + "}}\n";
}

int run(const Options& o) {
  const auto wrong = [](const core::Error& error) {
    complain(error.text());
    return kUsage;
  };
  const sharing::Writer* const writer = sharing::find_writer(o.format);
  const core::Nanoseconds now = source::now();
  sharing::Rules rules;
  rules.all = o.all;
  rules.least = o.least;
  const auto from = since(o.since, now);
  if (!from) return wrong(from.error());
  rules.since = *from;
  const std::int64_t days = o.most_age < 0 ? writer->most_age : o.most_age;
  if (days != 0) rules.seen_since = std::max<core::Nanoseconds>(now - days * core::kDay, 1);
  if (o.store.empty() == o.state.empty()) {
    complain("where are the findings? either --store FILE of a hunt, or --state FOLDER of a service");
    return kUsage;
  }
  if (o.json && o.out.empty()) {
    complain("--json tells of a file: name it with --out");
    return kUsage;
  }
  auto marking = marked(o.marking, now);
  if (!marking) return wrong(marking.error());

  intel::Organisation organisation;
  std::string verdicts = o.verdicts;
  if (!o.config.empty()) {
    const auto config = read_config(o.config);
    if (!config) return wrong(config.error());
    auto made = intel::Organisation::make(config->networks);
    if (!made) return wrong(made.error());
    organisation = std::move(*made);
    if (verdicts.empty()) verdicts = config->verdicts;
  }
  rules.own = [&organisation](const core::Ip& ip) { return organisation.is_internal(ip); };

  const auto read = pipeline::read_shared_findings({o.store, o.state, verdicts}, rules);
  if (!read) {
    complain(read.error().text());
    return kInput;
  }
  sharing::WriteOptions& options = *marking;
  // What fell out for its age or its time is not taken back.
  options.whole = rules.since == 0 && rules.seen_since == 0 && rules.least == 0;
  std::string before;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(o.out, ignored)) {
    auto earlier = exporting::read_bounded(o.out, kMostEarlier);
    if (!earlier) return wrong(earlier.error());
    before = std::move(*earlier);
  }
  options.before = before;
  const sharing::Written written = writer->write(read->shared, options);

  auto left_out = read->left_out;
  for (const auto& [reason, count] : written.left_out) left_out[reason] += count;
  if (o.out.empty()) {
    if (!print(written.text) || !flush_output()) return kOutput;
  } else if (const auto done = write_file(o.out, written.text); !done) {
    complain(done.error().text());
    return kOutput;
  }
  if (o.json) {
    if (!print(summary(o, *read, written, left_out)) || !flush_output()) return kOutput;
    return kOk;
  }
  complain(fmt::format("{} of {} findings and {} of {} covert networks give {} indicators (TLP:{}){}", read->given,
                       read->findings, read->networks_given, read->networks, written.indicators,
                       core::lower(o.marking.tlp),
                       written.revoked == 0 ? "" : fmt::format(", {} taken back", written.revoked)));
  for (const auto& [reason, count] : left_out) complain(fmt::format("left out: {}: {}", reason, count));
  if (!read->has_networks)
    complain("no covert networks are kept there: an earlier version wrote it, or the service has just begun");
  if (organisation.empty())
    complain("no networks of the organisation are known: only private and shared addresses are kept back (--config)");
  return kOk;
}

}  // namespace

void add_share(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("share", "Give what was found to others: STIX, MISP, CSV, a list for firewalls");
  auto* store = sub->add_option("--store", o->store, "The findings: the DuckDB file that `hunt --db` wrote");
  sub->add_option("--state", o->state, "The findings: the folder of a service's state, also while it runs")
      ->excludes(store);
  std::vector<std::string> formats;
  for (const sharing::Writer& writer : sharing::kWriters) formats.emplace_back(writer.name);
  sub->add_option("--format", o->format, "What to write")->check(CLI::IsMember(formats));
  sub->add_option("--out", o->out, "The file, replaced as a whole; default: standard output");
  sub->add_option("--verdicts", o->verdicts,
                  "What analysts said by now; default: the configuration's, the state's, the store's");
  sub->add_option("--config", o->config, "Configuration: the organisation's own networks, which are never given away");
  sub->add_option("--since", o->since, "Only findings that ended after that: 30d, 2026-01-31");
  sub->add_option("--most-age", o->most_age,
                  "Days since an address was last seen; older ones are left out. 0: no limit. Default: 30 for edl")
      ->check(CLI::Range(0, 36'500));
  sub->add_flag("--all", o->all, "Also findings that no analyst has confirmed");
  sub->add_option("--least", o->least, "Only findings of at least this probability")->check(CLI::Range(0.0, 1.0));
  add_marking(*sub, o->marking);
  sub->add_flag("--json", o->json, "With --out: print what was given and left out as one JSON object");
  takes(*sub, "FILE", {"--store", "--out", "--verdicts", "--config"});
  takes(*sub, "DIR", {"--state"});
  takes(*sub, "TIME", {"--since"});
  takes(*sub, "DAYS", {"--most-age"});
  takes(*sub, "PROBABILITY", {"--least"});
  sub->footer(
      "Names of users, hosts and gateways, internal addresses and lines of logs are in none of the formats; what is "
      "left\nout is counted on standard error (docs/sharing.md).\n"
      "Example:\n  orbwatch share --store hunt.duckdb --verdicts verdicts.ndjson --config orbwatch.yaml --format stix "
      "--out share/orbwatch.json");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli
