// `orbwatch feeds ...`: threat feeds kept up to date, and what they say.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "core/time.h"
#include "enrich/enrich.h"
#include "export/json_text.h"
#include "intel/feed/all.h"
#include "pipeline/feeds.h"
#include "pipeline/knowledge.h"
#include "source/collector.h"

namespace orbwatch::cli {
namespace {

using core::Nanoseconds;
using exporting::JsonText;
using intel::FeedSource;
using intel::IndicatorTable;
namespace decay = intel::decay;

constexpr std::size_t kLongest = 1000;  // of a text in JSON
constexpr std::size_t kShownReasons = 8;

struct Options {
  std::string config;
  std::string folder;
  std::string networks;
  std::string format = "auto";
  std::vector<std::string> names;
  bool accept = false;
  bool json = false;
};

// $XDG_DATA_HOME/orbwatch/feeds, beside the table of network facts.
std::string default_folder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && data[0] == '/')
    return std::string(data) + "/orbwatch/feeds";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/share/orbwatch/feeds" : "orbwatch-feeds";
}

struct Given {
  std::vector<FeedSource> sources;
  std::string folder;
};

core::Expected<Given> given(const Options& o) {
  if (o.config.empty()) return core::fail("which feeds? --config FILE names them", {}, "docs/feeds.md has an example");
  auto config = read_config(o.config);
  if (!config) return std::unexpected(config.error());
  if (config->feeds.empty())
    return core::fail("the configuration names no feeds", o.config, "docs/feeds.md has an example");
  Given out{std::move(config->feeds), o.folder};
  if (out.folder.empty()) out.folder = pipeline::feeds_folder_of(*config);
  if (out.folder.empty()) out.folder = default_folder();
  return out;
}

int refused(const core::Error& error, int code = kUsage) {
  complain(error.text());
  return error.kind == core::ErrorKind::kOutput ? kOutput : code;
}

std::string reasons(const std::map<std::string, std::uint64_t>& all) {
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  sorted.reserve(all.size());
  for (const auto& [name, n] : all) sorted.emplace_back(n, name);
  std::ranges::sort(sorted, std::greater<>());
  std::string out;
  for (std::size_t i = 0; i < sorted.size() && i < kShownReasons; ++i)
    out += fmt::format("{}{} {}", i == 0 ? "" : ", ", sorted[i].first, core::printable(sorted[i].second, 60));
  if (sorted.size() > kShownReasons) out += fmt::format(" and {} more reasons", sorted.size() - kShownReasons);
  return out;
}

void counts(JsonText& j, const intel::FeedCounts& c) {
  j.number("records", std::to_string(c.records));
  j.number("used", std::to_string(c.used));
  for (const auto& [key, map] :
       {std::pair{"ignored", &c.ignored}, {"rejected", &c.rejected}, {"left_out", &c.left_out}}) {
    j.open(key);
    for (const auto& [name, n] : *map) j.number(name, std::to_string(n));
    j.close();
  }
  j.open_list("first_rejected");
  for (const intel::FeedRejection& r : c.first_rejected) {
    j.open();
    j.text("place", r.place);
    j.text("reason", r.reason);
    j.text("seen", core::printable(r.text, 200));
    j.close();
  }
  j.close();
}

std::string lines_of(const intel::FeedCounts& c) {
  std::string out = fmt::format("  {} records: {} used, {} ignored, {} rejected\n", c.records, c.used,
                                c.ignored_total(), c.rejected_total());
  if (!c.ignored.empty()) out += fmt::format("  ignored: {}\n", reasons(c.ignored));
  if (!c.left_out.empty()) out += fmt::format("  left out: {}\n", reasons(c.left_out));
  for (const intel::FeedRejection& r : c.first_rejected)
    out +=
        fmt::format("  rejected, {}: {}: {}\n", core::printable(r.place, 100), r.reason, core::printable(r.text, 100));
  return out;
}

int update(const Options& o) {
  auto all = given(o);
  if (!all) return refused(all.error());
  pipeline::FeedsRequest request;
  request.sources = std::move(all->sources);
  request.only = o.names;
  request.folder = all->folder;
  request.now = source::now() / core::kSecond * core::kSecond;
  request.accept = o.accept;
  request.done = [&](const pipeline::FeedOutcome& f) {
    if (!f.error.empty()) complain(fmt::format("feed {} stays as it was: {}", f.name, f.error));
    if (o.json) return;
    if (f.unchanged) print(fmt::format("{}: nothing new\n", f.name));
    if (!f.update) return;
    const intel::FeedUpdate& u = *f.update;
    print(fmt::format("{}: {} indicators ({} new, {} gone), read as {}\n", f.name, u.listed, u.added, u.removed,
                      u.format));
    if (u.counts.rejected_total() > 0 || !u.counts.left_out.empty()) print(lines_of(u.counts));
  };
  auto done = pipeline::update_feeds(request);
  if (!done) return refused(done.error());
  const auto& table = done->table;
  if (o.json) {
    JsonText j(kLongest);
    j.open_list("feeds");
    for (const pipeline::FeedOutcome& f : done->feeds) {
      j.open();
      j.text("name", f.name);
      j.flag("updated", f.update.has_value());
      j.flag("unchanged", f.unchanged);
      j.text("error", f.error);
      if (f.update) {
        j.text("format", f.update->format);
        for (const auto& [key, n] : {std::pair{"listed", f.update->listed},
                                     {"added", f.update->added},
                                     {"removed", f.update->removed},
                                     {"remembered", f.update->remembered}})
          j.number(key, std::to_string(n));
        counts(j, f.update->counts);
      }
      j.close();
    }
    j.close();
    j.number("indicators", std::to_string(table.counts.entries));
    j.number("bytes", std::to_string(table.bytes));
    print(j.take() + "\n");
  } else {
    print(fmt::format("{} indicators in {}/{}", table.counts.entries, request.folder, intel::FeedStore::kTable));
    if (table.not_looked_up > 0)
      print(fmt::format("; {} statements of kinds that nothing is compared with", table.not_looked_up));
    print("\n");
  }
  if (!flush_output()) return kOutput;
  return done->all_good() ? kOk : kInput;
}

std::string moment(Nanoseconds time) { return time == 0 ? "never" : core::rfc3339(time); }

int list(const Options& o) {
  const auto all = given(o);
  if (!all) return refused(all.error());
  const auto states = intel::feed_states(all->folder, all->sources);
  if (!states) return refused(states.error(), kInput);
  if (o.json) {
    std::string lines;
    for (std::size_t i = 0; i < states->size(); ++i) {
      const intel::FeedState& s = (*states)[i];
      JsonText j(kLongest);
      j.text("name", s.name);
      j.text("format", s.format);
      if (s.updated != 0) j.text("updated", core::rfc3339(s.updated));
      if (s.tried != 0) j.text("tried", core::rfc3339(s.tried));
      j.text("error", s.error);
      for (const auto& [key, n] : {std::pair{"listed", s.listed},
                                   {"remembered", s.remembered},
                                   {"records", s.records},
                                   {"used", s.used},
                                   {"ignored", s.ignored},
                                   {"rejected", s.rejected}})
        j.number(key, std::to_string(n));
      lines += j.take() + "\n";
    }
    print(lines);
    return flush_output() ? kOk : kOutput;
  }
  print(fmt::format("{:<24} {:>10} {:>10}  {:<22} {}\n", "feed", "listed", "remembered", "updated", "format"));
  for (const intel::FeedState& s : *states) {
    print(
        fmt::format("{:<24} {:>10} {:>10}  {:<22} {}\n", s.name, s.listed, s.remembered, moment(s.updated), s.format));
    if (!s.error.empty()) print(fmt::format("  last try {}: {}\n", moment(s.tried), s.error));
  }
  return flush_output() ? kOk : kOutput;
}

int check(const Options& o) {
  bool good = true;
  for (const std::string& file : o.names) {
    FeedSource source;
    source.from = file;
    source.format = o.format;
    source.fetch.limits.most_bytes = intel::kMostFeedBytes;
    const auto fetched = pipeline::fetch_feed(source);
    if (!fetched) return refused(fetched.error(), kInput);
    const auto checked = intel::check_feed(fetched->document, file, source);
    if (!checked) {
      complain(fmt::format("{}: {}", file, checked.error().text()));
      good = false;
      continue;
    }
    const intel::FeedCounts& c = checked->second;
    if (o.json) {
      JsonText j(kLongest);
      j.text("file", file);
      j.text("format", checked->first);
      j.number("indicators", std::to_string(c.items));
      counts(j, c);
      print(j.take() + "\n");
    } else {
      print(fmt::format("{}: {}, {} indicators\n{}", file, checked->first, c.items, lines_of(c)));
    }
  }
  if (!flush_output()) return kOutput;
  return good ? kOk : kInput;
}

std::string key_text(const intel::IndicatorKey& key) {
  using Key = intel::IndicatorKey::Kind;
  if (key.kind == Key::kPrefix) return key.prefix.text();
  if (key.kind == Key::kAutonomousSystem) return fmt::format("AS{}", key.autonomous_system);
  return std::string(key.text);
}

std::vector<std::uint32_t> entries_of(const IndicatorTable& table, const std::string& value) {
  std::array<std::uint32_t, IndicatorTable::kMostPrefixes> found;
  std::vector<std::uint32_t> out;
  if (const auto ip = core::Ip::parse(value)) {
    out.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(table.find_all(*ip, found)));
    return out;
  }
  if (value.size() > 2 && (value.starts_with("AS") || value.starts_with("as"))) {
    if (const auto number = core::parse_number<std::uint32_t>(std::string_view(value).substr(2)))
      if (const auto entry = table.find_autonomous_system(*number); entry != IndicatorTable::kNone)
        out.push_back(entry);
  }
  const std::size_t n = table.find_domains(value, found);
  out.insert(out.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n));
  for (unsigned kind = 0; kind < static_cast<unsigned>(intel::TextKind::kCount); ++kind) {
    if (static_cast<intel::TextKind>(kind) == intel::TextKind::kDomain) continue;
    const auto entry = table.find_text(static_cast<intel::TextKind>(kind), value);
    if (entry != IndicatorTable::kNone) out.push_back(entry);
  }
  return out;
}

int lookup(const Options& o) {
  std::vector<FeedSource> sources;
  std::string folder = o.folder;
  if (!o.config.empty()) {
    auto all = given(o);
    if (!all) return refused(all.error());
    sources = std::move(all->sources);
    folder = all->folder;
  }
  if (folder.empty()) folder = default_folder();
  const auto feeds = pipeline::open_feeds(folder, sources);
  if (!feeds) return refused(feeds.error(), kInput);
  if (*feeds == nullptr)
    return refused(core::Error{"there is no table of feeds yet", folder, "run `orbwatch feeds update`"}, kInput);
  // The kind of network decides how fast an address ages; without a table of network facts it is unknown.
  const auto knowledge = pipeline::load_knowledge({networks_file(o.networks), {}, {}, {}, {}});
  if (!knowledge) return refused(knowledge.error(), kInput);
  const IndicatorTable& table = (*feeds)->table;
  const Nanoseconds now = source::now();
  std::string out;
  for (const std::string& value : o.names) {
    core::NetworkType type = core::NetworkType::kUnknown;
    if (const auto ip = core::Ip::parse(value))
      type = knowledge->enricher->facts(knowledge->enricher->lookup(*ip)).type;
    const auto entries = entries_of(table, value);
    if (entries.empty() && !o.json) out += fmt::format("{}: in no feed\n", core::printable(value, 200));
    for (const std::uint32_t entry : entries) {
      const intel::IndicatorKey key = table.key(entry);
      intel::StatementReader reader = table.statements(entry);
      intel::IndicatorStatement s;
      while (reader.next(s)) {
        const auto at = [](std::uint32_t seconds) { return seconds * core::kSecond; };
        const auto [c, half] = (*feeds)->belief(s, intel::kind_of(key), type, now);
        const bool good = (s.flags & intel::kKnownGood) != 0;
        if (o.json) {
          JsonText j(kLongest);
          j.text("value", value);
          j.text("indicator", key_text(key));
          j.text("feed", table.feed_name(s.feed));
          j.text("label", s.label);
          j.count("port", s.port);
          if (s.first_seen != 0) j.text("first_seen", core::rfc3339(at(s.first_seen)));
          if (s.last_seen != 0) j.text("last_seen", core::rfc3339(at(s.last_seen)));
          if (s.valid_until != 0) j.text("valid_until", core::rfc3339(at(s.valid_until)));
          if (s.confidence != intel::kConfidenceNotStated) j.number("stated_confidence", std::to_string(s.confidence));
          j.text("standing", good ? "known good" : decay::name(c.standing));
          if (!good) j.number("confidence", fmt::format("{:.4f}", c.value));
          if (!good) j.number("half_life_days", fmt::format("{:.3g}", half.days));
          j.flag("context_only", (s.flags & intel::kContextOnly) != 0);
          out += j.take() + "\n";
          continue;
        }
        out += fmt::format("{}: {} in {}{}{}", core::printable(value, 200), key_text(key), table.feed_name(s.feed),
                           s.label.empty() ? "" : ": ", s.label);
        if (s.port != 0) out += fmt::format(", port {}", s.port);
        if (s.last_seen != 0) out += fmt::format(", last seen {}", core::date_text(at(s.last_seen)));
        if (good) {
          out += "; known as harmless\n";
        } else {
          out += fmt::format("; {}, believed by {:.0f} % today, half of it goes in {:.0f} days ({})\n",
                             decay::name(c.standing), 100 * c.value, half.days, half.source);
        }
      }
    }
  }
  print(out);
  return flush_output() ? kOk : kOutput;
}

void add_common(CLI::App& sub, const std::shared_ptr<Options>& o) {
  sub.add_option("--config", o->config, "Configuration file that names the feeds");
  sub.add_option("--feeds", o->folder,
                 "Folder where they are kept (default: `feeds_folder`, or feeds/ in the service's state, or your own)");
  sub.add_flag("--json", o->json, "As JSON");
  takes(sub, "FILE", {"--config"});
  takes(sub, "FOLDER", {"--feeds"});
}

}  // namespace

void add_feeds(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* feeds = app.add_subcommand("feeds", "Threat feeds: keep them up to date, and ask what they say");
  feeds->require_subcommand(1);

  CLI::App* sub = feeds->add_subcommand("update", "Read each feed anew, and make the table that is looked up");
  sub->add_option("name", o->names, "Only these feeds (default: all)");
  add_common(*sub, o);
  sub->add_flag("--accept", o->accept, "Take documents that would not be believed: empty, much shorter, or too wide");
  takes(*sub, "NAME", {"name"});
  sub->footer(
      "A feed that cannot be read, or is hard to believe, stays as it was; exit code 3 then, and the others are "
      "updated.\n"
      "Example:\n  orbwatch feeds update --config /etc/orbwatch/orbwatch.yaml");
  sub->callback([o, &exit_code] { exit_code = update(*o); });

  sub = feeds->add_subcommand("list", "Show the feeds, how much each lists, and when it was updated");
  add_common(*sub, o);
  sub->footer("Example:\n  orbwatch feeds list --config orbwatch.yaml");
  sub->callback([o, &exit_code] { exit_code = list(*o); });

  sub = feeds->add_subcommand(
      "check", "Read files or addresses as feeds, say what is understood and what is not; nothing is kept");
  sub->add_option("file", o->names, "Files or addresses")->required();
  sub->add_option("--format", o->format,
                  "auto, text, report, csv, json, stix, misp or misp_warninglist (default auto)");
  sub->add_flag("--json", o->json, "As one JSON object a file");
  takes(*sub, "FILE", {"file"});
  takes(*sub, "FORMAT", {"--format"});
  sub->footer("Example:\n  orbwatch feeds check bundle.json list.csv");
  sub->callback([o, &exit_code] { exit_code = check(*o); });

  sub = feeds->add_subcommand(
      "lookup", "Show what the feeds say of addresses, names or fingerprints, and how far it is believed today");
  sub->add_option("value", o->names, "Addresses, AS numbers (AS64496), names, fingerprints")->required();
  add_common(*sub, o);
  sub->add_option("--networks", o->networks, "Compiled network facts, or none");
  takes(*sub, "VALUE", {"value"});
  takes(*sub, "FILE", {"--networks"});
  sub->footer("Example:\n  orbwatch feeds lookup --config orbwatch.yaml 192.0.2.1 example.org");
  sub->callback([o, &exit_code] { exit_code = lookup(*o); });
}

}  // namespace orbwatch::cli
