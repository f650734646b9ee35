// `orbwatch format new|test|list`: a user's own format, from a sample to a mapping that works.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "decode/all.h"
#include "decode/mapping.h"
#include "decode/proposal.h"
#include "decode/text.h"
#include "source/chunks.h"
#include "source/expand.h"

namespace orbwatch::cli {
namespace {

constexpr std::size_t kSampleBytes = 4 << 20;  // of a sample that `new` looks at

struct Options {
  std::string sample;
  std::string mapping;
  std::string name;
  std::string zone;
  int year = 0;
  std::size_t events = 3;
  bool json = false;
};

struct Opened {
  std::unique_ptr<source::ChunkReader> chunks;
  core::TimeReader times;
};

// The sample, decompressed as it is read, and how times without year or zone are read in it.
core::Expected<Opened> open(const Options& o) {
  auto expanded = source::expand(std::vector<std::string>{o.sample});
  if (!expanded) return std::unexpected(expanded.error());
  if (!expanded->unreadable.empty()) return std::unexpected(expanded->unreadable.front().error);
  if (expanded->inputs.size() != 1) return core::fail("one file is needed", o.sample);
  const source::Input& input = expanded->inputs.front();
  auto reader = source::open(input);
  if (!reader) return std::unexpected(reader.error());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const core::Nanoseconds reference =
      input.modified_ns != 0 ? input.modified_ns : std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  auto times = core::TimeReader::make(o.zone, reference, o.year);
  if (!times) return std::unexpected(times.error());
  return Opened{std::make_unique<source::ChunkReader>(std::move(*reader), 0), std::move(*times)};
}

int run_new(const Options& o) {
  auto opened = open(o);
  if (!opened) {
    complain(opened.error().text());
    return kInput;
  }
  std::string head(opened->chunks->head(kSampleBytes));
  head.reserve(head.size() + core::kPadding);
  const std::string name =
      o.name.empty() ? std::filesystem::path(o.sample).filename().replace_extension().string() : o.name;
  const auto proposal = decode::propose_mapping(head, o.sample, name, opened->times);
  decode::Options known_options;
  known_options.zone = o.zone;
  known_options.year = o.year;
  const decode::Recognised known = decode::recognise(std::string_view(head).substr(0, 64 << 10), known_options);
  if (!known.format.empty() && known.format != "text") {
    complain(fmt::format("{} is read without a mapping, as {}", o.sample, known.format));
    if (!proposal) return kOk;
  }
  if (!proposal) {
    complain(o.sample + ": " + proposal.error().text());
    return kInput;
  }
  print(proposal->yaml);
  if (!flush_output()) return kOutput;
  complain(fmt::format("with this mapping {} of the {} records looked at become events", proposal->events,
                       proposal->records));
  return kOk;
}

struct Reason {
  std::string text;
  std::uint64_t count = 0;
};

std::vector<Reason> sorted(const core::SymbolCounts& by) {
  std::vector<Reason> out;
  for (const auto& [reason, count] : by) out.push_back({std::string(reason.text()), count});
  std::sort(out.begin(), out.end(),
            [](const Reason& a, const Reason& b) { return a.count != b.count ? a.count > b.count : a.text < b.text; });
  return out;
}

// What the trial told, for people.
std::string trial_text(const decode::MappingTrial& trial, const event::Counts& counts,
                       const std::vector<event::Reject>& rejects, const std::string& events) {
  std::string out = fmt::format("{} records read = {} events + {} ignored + {} rejected\n\n", counts.records,
                                counts.events, counts.ignored, counts.rejected);
  std::size_t field = 5;
  std::size_t from = 4;
  for (const decode::FieldTrial& f : trial.fields) {
    field = std::max(field, f.field.size());
    from = std::max(from, std::min<std::size_t>(f.from.size(), 40));
  }
  out += fmt::format("{:<{}}  {:<{}}  {:>10}  {:>10}\n", "field", field, "from", from, "carried", "read");
  for (const decode::FieldTrial& f : trial.fields) {
    out += fmt::format("{:<{}}  {:<{}}  {:>10}  {:>10}", f.field, field, core::printable(f.from, 40), from, f.carried,
                       f.read);
    if (f.carried == 0) {
      out += "  in no record";
    } else if (!f.unread.empty()) {
      out += "  not read: " + f.unread;
    }
    out += '\n';
  }
  if (!events.empty()) out += "\nThe first events:\n" + events;
  if (counts.ignored != 0) out += "\nIgnored:\n";
  for (const Reason& r : sorted(counts.ignored_by))
    out += fmt::format("{:>10}  {}\n", r.count, core::printable(r.text));
  if (counts.rejected != 0) out += "\nRejected:\n";
  for (const Reason& r : sorted(counts.rejected_by)) {
    out += fmt::format("{:>10}  {}", r.count, core::printable(r.text));
    const auto first = std::find_if(rejects.begin(), rejects.end(),
                                    [&](const event::Reject& reject) { return reject.reason.text() == r.text; });
    if (first != rejects.end()) out += fmt::format(", first at line {}: {}", first->line, first->seen);
    out += '\n';
  }
  return out;
}

int run_test(const Options& o) {
  auto yaml = read_file(o.mapping);
  if (!yaml) {
    complain(yaml.error().text());
    return kUsage;
  }
  auto opened = open(o);
  if (!opened) {
    complain(opened.error().text());
    return kInput;
  }
  decode::MappingTrial trial;
  auto mapping = decode::make_mapping(*yaml, opened->times, o.mapping, &trial);
  if (!mapping) {
    complain(mapping.error().text());
    return kUsage;
  }
  const std::string_view head = opened->chunks->head(64 << 10);
  decode::TextDecoder decoder(decode::framing_of(head), "", true, {}, opened->times);
  decoder.offer_first(mapping->name, std::move(mapping->decoder));
  event::EventBatch batch;
  event::Counts counts;
  std::vector<event::Reject> rejects;
  std::string events;
  std::size_t shown = 0;
  const auto take = [&] {
    for (const event::Event& e : batch) {
      if (shown++ < o.events) events += event::to_json(e) + "\n";
    }
    counts.add(batch.counts);
    for (event::Reject& r : batch.rejects) {
      const bool known = std::any_of(rejects.begin(), rejects.end(),
                                     [&](const event::Reject& seen) { return seen.reason == r.reason; });
      if (!known) rejects.push_back(std::move(r));
    }
    batch.clear();
  };
  std::string failure;
  while (true) {
    auto chunk = opened->chunks->next();
    if (!chunk) failure = chunk.error().text();
    if (!chunk || *chunk == nullptr) break;
    decoder.feed((*chunk)->bytes, batch);
    take();
  }
  decoder.finish(batch);
  take();
  print(trial_text(trial, counts, rejects, events));
  if (!flush_output()) return kOutput;
  if (!failure.empty()) complain(failure);
  if (counts.events == 0) complain("no record became an event");
  return failure.empty() && counts.events != 0 && counts.rejected == 0 ? kOk : kInput;
}

}  // namespace

void add_format(CLI::App& app, int& exit_code) {
  CLI::App* format = app.add_subcommand("format", "Describe a log format of your own");
  format->require_subcommand(1);

  auto fresh = std::make_shared<Options>();
  CLI::App* propose = format->add_subcommand("new", "Propose a mapping for a log that is not known, out of a sample");
  propose->add_option("sample", fresh->sample, "A file of that format; - is standard input")->required();
  propose->add_option("--name", fresh->name, "Name of the format (default: from the file's name)");
  propose->add_option("--tz", fresh->zone, "Time zone of records that state none");
  propose->add_option("--year", fresh->year, "Year of records that state none")->check(CLI::Range(1970, 2200));
  takes(*propose, "FILE", {"sample"});
  takes(*propose, "NAME", {"--name"});
  takes(*propose, "ZONE", {"--tz"});
  takes(*propose, "YEAR", {"--year"});
  propose->footer("Example:\n  orbwatch format new vpn-export.csv > vpn.yaml");
  propose->callback([fresh, &exit_code] { exit_code = run_new(*fresh); });

  auto trial = std::make_shared<Options>();
  CLI::App* test = format->add_subcommand("test", "Run a mapping over a sample and say what each field got");
  test->add_option("mapping", trial->mapping, "The mapping (YAML)")->required();
  test->add_option("sample", trial->sample, "A file of that format; - is standard input")->required();
  test->add_option("--events", trial->events, "Show so many events (default 3)")->check(CLI::Range(0, 1000000));
  test->add_option("--tz", trial->zone, "Time zone of records that state none");
  test->add_option("--year", trial->year, "Year of records that state none")->check(CLI::Range(1970, 2200));
  takes(*test, "FILE", {"mapping", "sample"});
  takes(*test, "N", {"--events"});
  takes(*test, "ZONE", {"--tz"});
  takes(*test, "YEAR", {"--year"});
  test->footer(
      "Exit code 2 if the mapping is wrong, 3 if a record was rejected or none became an event.\n"
      "Example:\n  orbwatch format test vpn.yaml vpn-export.csv");
  test->callback([trial, &exit_code] { exit_code = run_test(*trial); });

  auto listing = std::make_shared<Options>();
  CLI::App* list = format->add_subcommand("list", "List the log formats that are read, as `orbwatch formats`");
  list->add_flag("--json", listing->json, "One JSON object a line");
  list->callback([listing, &exit_code] { exit_code = list_formats(listing->json); });
}

}  // namespace orbwatch::cli
