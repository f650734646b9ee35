// `orbwatch feeds ...`: threat feeds kept up to date, and what they say.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/display.h"
#include "core/text.h"
#include "core/time.h"
#include "enrich/enrich.h"
#include "export/json_text.h"
#include "intel/feed/all.h"
#include "intel/feed/times.h"
#include "pipeline/config_edit.h"
#include "pipeline/feed_score.h"
#include "pipeline/feed_search.h"
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
  std::string store;
  std::string since;
  bool all = false;
  std::string protocol = "document";
  FeedSource added;
  bool dry_run = false;
  std::string format = "auto";
  std::vector<std::string> names;
  bool accept = false;
  bool whole = false;
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

std::string seconds_of(Nanoseconds time) { return core::rfc3339(time / core::kSecond * core::kSecond); }
std::string moment(Nanoseconds time) { return time == 0 ? "never" : seconds_of(time); }

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

std::string joined_names(const std::vector<std::string>& names, std::uint64_t all) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + core::terminal_text(name);
  if (all > names.size()) out += fmt::format(" and {} more", all - names.size());
  return out;
}

std::string json_of(const pipeline::SeenIndicator& s) {
  JsonText j(kLongest);
  j.text("seen", s.seen.text);
  j.text("indicator", s.indicator);
  j.text("feed", s.feed);
  j.text("label", s.label);
  j.count("port", s.port);
  j.text("first", core::rfc3339(s.seen.first));
  j.text("last", core::rfc3339(s.seen.last));
  j.number("events", std::to_string(s.seen.events));
  for (const auto& [key, names] : {std::pair{"users", &s.seen.users}, {"gateways", &s.seen.gateways}}) {
    j.open_list(key);
    for (const std::string& name : *names) j.item(name);
    j.close();
  }
  j.number("user_count", std::to_string(s.seen.user_count));
  j.text("listed", seconds_of(s.listed));
  j.text("dated", core::rfc3339(s.dated));
  j.number("days_before_feed", fmt::format("{:.2f}", s.days_before_feed));
  j.number("confidence", fmt::format("{:.4f}", s.confidence));
  j.text("known_good", s.known_good);
  return j.take() + "\n";
}

std::string text_of(const pipeline::SeenIndicator& s) {
  std::string out = core::terminal_text(s.seen.text);
  out += fmt::format(": {}{}{}", s.feed, s.label.empty() ? "" : ": ", core::terminal_text(s.label));
  if (s.indicator != s.seen.text) out += fmt::format(" ({})", core::terminal_text(s.indicator));
  if (s.port != 0) out += fmt::format(", port {}", s.port);
  out += fmt::format("; seen {:.0f} days {}, {} to {}, {} events", std::abs(s.days_before_feed),
                     s.days_before_feed > 0 ? "before the feed knew" : "after the feed knew",
                     core::date_text(s.seen.first), core::date_text(s.seen.last), s.seen.events);
  if (!s.seen.users.empty()) out += "; users " + joined_names(s.seen.users, s.seen.user_count);
  if (!s.seen.gateways.empty()) out += "; at " + joined_names(s.seen.gateways, s.seen.gateways.size());
  out += fmt::format("; believed by {:.0f} %", 100 * s.confidence);
  if (!s.known_good.empty()) out += "; known as harmless to " + s.known_good;
  return out + "\n";
}

// Compares what came up after `since` with the store's events, prints it and notes how far it was searched.
int search_and_tell(const Options& o, std::vector<FeedSource> sources, const std::string& folder, Nanoseconds since) {
  const auto knowledge = pipeline::load_knowledge({networks_file(o.networks), {}, {}, {}, {}});
  if (!knowledge) return refused(knowledge.error(), kInput);
  pipeline::FeedSearchRequest request;
  request.sources = std::move(sources);
  request.folder = folder;
  request.store = o.store;
  request.since = since;
  request.type_of = [&](const core::Ip& ip) {
    return knowledge->enricher->facts(knowledge->enricher->lookup(ip)).type;
  };
  const auto found = pipeline::search_store(request);
  if (!found) return refused(found.error(), kInput);
  std::string out;
  for (const pipeline::SeenIndicator& s : found->seen) out += o.json ? json_of(s) : text_of(s);
  if (!o.json) {
    out +=
        fmt::format("{} seen; {} indicators{} compared with {} addresses and fingerprints of {}\n", found->seen.size(),
                    found->indicators, since == 0 ? "" : fmt::format(" that came up after {}", seconds_of(since)),
                    found->subjects, o.store);
    if (found->not_comparable > 0)
      out += fmt::format("  {} not compared: names and others that no stored event has\n", found->not_comparable);
    if (found->not_believed > 0)
      out += fmt::format("  {} seen, but revoked or not valid at that time\n", found->not_believed);
  }
  if (found->left_out > 0) complain(fmt::format("{} more were seen and are not shown", found->left_out));
  print(out);
  // A search that began behind the last one's end leaves a gap, which the next one must see.
  if (since <= pipeline::searched_until(folder, o.store)) {
    if (const auto noted = pipeline::note_search(folder, o.store, found->newest); !noted)
      return refused(noted.error(), kOutput);
  }
  return flush_output() ? kOk : kOutput;
}

int search(const Options& o) {
  auto all = given(o);
  if (!all) return refused(all.error());
  if (o.store.empty()) return refused(core::Error{"in which events? --store FILE names them", {}, {}});
  Nanoseconds since = o.all ? 0 : pipeline::searched_until(all->folder, o.store);
  if (!o.since.empty()) {
    const auto time = intel::parse_feed_time(o.since);
    if (!time || *time == 0)
      return refused(core::Error{"--since is no date", core::printable(o.since, 40), "2026-01-31"});
    since = *time;
  }
  return search_and_tell(o, std::move(all->sources), all->folder, since);
}

int update(const Options& o) {
  auto all = given(o);
  if (!all) return refused(all.error());
  pipeline::FeedsRequest request;
  request.sources = std::move(all->sources);
  request.only = o.names;
  request.folder = all->folder;
  request.now = source::now();
  request.accept = o.accept;
  request.whole = o.whole;
  request.done = [&](const pipeline::FeedOutcome& f) {
    if (!f.error.empty()) complain(fmt::format("feed {} stays as it was: {}", f.name, f.error));
    if (o.json) return;
    if (f.unchanged) print(fmt::format("{}: nothing new\n", f.name));
    if (!f.update) return;
    const intel::FeedUpdate& u = *f.update;
    print(fmt::format("{}: {} indicators ({} new, {} gone), read as {}{}\n", f.name, u.listed, u.added, u.removed,
                      u.format, u.only_new ? fmt::format(", only what is new ({} fetched)", u.parts) : ""));
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
        j.flag("only_new", f.update->only_new);
        j.number("parts", std::to_string(f.update->parts));
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
  // What came up with this update, and with those before it behind which nobody searched.
  if (!o.store.empty()) {
    const Nanoseconds since = pipeline::searched_until(request.folder, o.store);
    const int searched = search_and_tell(o, std::move(request.sources), request.folder, since);
    if (searched != kOk) return searched;
  }
  return done->all_good() ? kOk : kInput;
}

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
      if (s.updated != 0) j.text("updated", seconds_of(s.updated));
      if (s.tried != 0) j.text("tried", seconds_of(s.tried));
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

// In the place of a file that is there, with its mode and owner; a link stays a link.
core::Expected<void> replace_file(const std::string& path, std::string_view text) {
  std::error_code error;
  const std::string target = std::filesystem::canonical(path, error).string();
  struct stat before{};
  if (error || ::stat(target.c_str(), &before) != 0 || !S_ISREG(before.st_mode))
    return core::fail("cannot be written anew", path, "it must be a file");
  if (auto written = write_file(target, text); !written) return written;
  struct stat after{};
  const bool same = ::stat(target.c_str(), &after) == 0 && after.st_mode == before.st_mode &&
                    after.st_uid == before.st_uid && after.st_gid == before.st_gid;
  if (!same) complain(fmt::format("{} was written, but its owner or mode is another now", target));
  return {};
}

int add(const Options& o) {
  if (o.config.empty()) return refused(core::Error{"into which file? --config FILE names it", {}, {}});
  FeedSource source = o.added;
  if (!intel::is_feed_name(source.name)) {
    return refused(core::Error{"that is no name of a feed", core::printable(source.name, 70),
                               "letters, digits, '-' and '_', 64 at most"});
  }
  if (!intel::parse_feed_protocol(o.protocol, source.protocol))
    return refused(core::Error{"unknown protocol", core::printable(o.protocol, 40), "document, taxii or misp"});
  const bool taxii = source.protocol == intel::FeedProtocol::kTaxii;
  if (taxii == source.collection.empty()) {
    return refused(
        core::Error{taxii ? "which collection? --collection names it" : "--collection is for TAXII", {}, {}});
  }
  // In the file a relative path would start from the file's folder.
  if (source.from.find("://") == source.from.npos && !source.from.starts_with("file:"))
    source.from = std::filesystem::absolute(source.from).lexically_normal().string();
  source.format = o.format;
  if (source.format != "auto" && intel::find_feed_reader(source.format) == nullptr)
    return refused(core::Error{"no format of feeds is called so", core::printable(source.format, 40), {}});
  source.fetch.limits.most_bytes = intel::kMostFeedBytes;
  const auto text = read_file(o.config);
  if (!text) return refused(text.error());
  const auto edited = pipeline::with_feed(*text, o.config, source);
  if (!edited) return refused(edited.error());

  const auto fetched = pipeline::fetch_feed(source);
  if (!fetched) return refused(fetched.error(), kInput);
  const bool document = source.protocol == intel::FeedProtocol::kDocument;
  FeedSource read_as = source;
  if (!document && source.format == "auto") read_as.format = taxii ? "stix" : "misp";
  const auto checked = intel::check_feed(
      document ? fetched->document : intel::joined(source.protocol, fetched->parts.parts), source.from, read_as);
  if (!checked) return refused(checked.error(), kInput);
  if (checked->second.items == 0) {
    return refused(core::Error{"the feed states nothing", fmt::format("{} records", checked->second.records),
                               "nothing was written"},
                   kInput);
  }
  print(fmt::format("{}: {}, {} indicators\n{}", source.name, checked->first, checked->second.items,
                    lines_of(checked->second)));
  if (o.dry_run) {
    print(fmt::format("{} stays as it is (--dry-run)\n", o.config));
    return flush_output() ? kOk : kOutput;
  }
  if (const auto written = replace_file(o.config, *edited); !written) return refused(written.error(), kOutput);
  print(
      fmt::format("{} has it now; `orbwatch feeds update --config {} {}` takes it\n", o.config, o.config, source.name));
  return flush_output() ? kOk : kOutput;
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

void stay(JsonText& j, const pipeline::StayOnList& s) {
  j.open();
  j.text("kind", decay::name(s.kind));
  if (s.type != core::NetworkType::kUnknown) j.text("network_type", core::name(s.type));
  j.number("indicators", std::to_string(s.lives));
  j.number("removals", std::to_string(s.removals));
  j.number("observed_days", fmt::format("{:.2f}", s.observed_days));
  j.number("still_listed", fmt::format("{:.4f}", s.still_listed_then));
  if (s.half) {
    j.number("half_days", fmt::format("{:.2f}", s.half->value));
    j.number("half_days_low", fmt::format("{:.2f}", s.half->low));
    if (std::isfinite(s.half->high)) j.number("half_days_high", fmt::format("{:.2f}", s.half->high));
  }
  j.flag("sure", s.sure);
  j.close();
}

std::string line_of(const pipeline::StayOnList& s) {
  const std::string what =
      s.type == core::NetworkType::kUnknown ? std::string() : fmt::format(" ({})", core::name(s.type));
  if (!s.half) {
    return fmt::format("  {}{}: {} still listed after {:.0f} days, {} removals of {}\n", decay::name(s.kind), what,
                       percent(s.still_listed_then), s.observed_days, s.removals, s.lives);
  }
  return fmt::format("  {}{}: half leave the list within {:.1f} days ({:.1f} to {}), from {} removals of {}{}\n",
                     decay::name(s.kind), what, s.half->value, s.half->low,
                     std::isfinite(s.half->high) ? fmt::format("{:.1f}", s.half->high) : "not known", s.removals,
                     s.lives, s.sure ? "" : "; too few to be sure");
}

std::string json_of(const pipeline::FeedScore& s) {
  JsonText j(kLongest);
  const auto figure = [&](const char* key, const std::optional<double>& value) {
    if (value) j.number(key, fmt::format("{:.4f}", *value));
  };
  j.text("name", s.name);
  j.flag("known_good", s.known_good);
  j.number("indicators", std::to_string(s.indicators));
  figure("history_days", s.history_days);
  figure("added_per_day", s.added_per_day);
  figure("removed_per_day", s.removed_per_day);
  figure("unique", s.unique);
  j.open("overlap");
  for (const auto& [feed, share] : s.overlap) figure(feed.c_str(), share);
  j.close();
  for (const auto& [key, n] : {std::pair{"hits", s.hits},
                               {"hits_true", s.hits_true},
                               {"hits_false", s.hits_false},
                               {"only_here_true", s.only_here_true},
                               {"dated_hits", s.dated_hits}})
    j.number(key, std::to_string(n));
  figure("lead_days", s.lead_days);
  figure("price_per_year", s.price_per_year);
  figure("cost_per_true_hit", s.cost_per_true_hit);
  j.open_list("stay");
  for (const pipeline::StayOnList& one : s.stays) stay(j, one);
  j.close();
  j.text("advice", name(s.advice));
  j.text("reason", s.reason);
  return j.take() + "\n";
}

std::string text_of(const pipeline::FeedScore& s, bool with_store) {
  std::string out = fmt::format("{}: {} indicators", s.name, s.indicators);
  if (s.added_per_day)
    out += fmt::format(", a day {:.1f} added and {:.1f} removed (of {:.0f} days)", *s.added_per_day, *s.removed_per_day,
                       s.history_days);
  out += fmt::format("\n  {} of it in no other feed", percent(s.unique));
  for (std::size_t i = 0; i < s.overlap.size() && i < kShownReasons; ++i)
    out += fmt::format("{}{} in {}", i == 0 ? "; " : ", ", percent(s.overlap[i].second), s.overlap[i].first);
  out += "\n";
  if (with_store) {
    out += fmt::format("  {} hits: {} true, {} false, {} not judged; {} true ones that no other feed named\n", s.hits,
                       s.hits_true, s.hits_false, s.hits - s.hits_true - s.hits_false, s.only_here_true);
    if (s.lead_days)
      out += fmt::format("  it named them {:.1f} days {} they were seen here (median of {})\n", std::abs(*s.lead_days),
                         *s.lead_days >= 0 ? "before" : "after", s.dated_hits);
    if (s.cost_per_true_hit) out += fmt::format("  a true hit costs {:.2f}\n", *s.cost_per_true_hit);
  }
  for (const pipeline::StayOnList& one : s.stays) out += line_of(one);
  const bool none = s.advice == pipeline::FeedAdvice::kNone;
  return out + fmt::format("  {}: {}\n", none ? "no advice" : std::string(name(s.advice)), s.reason);
}

int score(const Options& o) {
  auto all = given(o);
  if (!all) return refused(all.error());
  const auto knowledge = pipeline::load_knowledge({networks_file(o.networks), {}, {}, {}, {}});
  if (!knowledge) return refused(knowledge.error(), kInput);
  pipeline::FeedScoreRequest request;
  request.sources = std::move(all->sources);
  request.folder = all->folder;
  request.store = o.store;
  request.type_of = [&](const core::Ip& ip) {
    return knowledge->enricher->facts(knowledge->enricher->lookup(ip)).type;
  };
  const auto scores = pipeline::score_feeds(request);
  if (!scores) return refused(scores.error(), kInput);
  if (scores->empty())
    return refused(core::Error{"there is nothing of these feeds yet", all->folder, "run `orbwatch feeds update`"},
                   kInput);
  std::string out;
  for (const pipeline::FeedScore& s : *scores) out += o.json ? json_of(s) : text_of(s, !o.store.empty());
  print(out);
  return flush_output() ? kOk : kOutput;
}

std::string key_text(const intel::IndicatorKey& key) {
  using Key = intel::IndicatorKey::Kind;
  if (key.kind == Key::kPrefix) return key.prefix.text();
  if (key.kind == Key::kAutonomousSystem) return fmt::format("AS{}", key.autonomous_system);
  return std::string(key.text);
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
    const auto entries = pipeline::entries_of(table, value);
    if (entries.empty() && !o.json) out += fmt::format("{}: in no feed\n", core::printable(value, 200));
    for (const std::uint32_t entry : entries) {
      const intel::IndicatorKey key = table.key(entry);
      intel::StatementReader reader = table.statements(entry);
      intel::IndicatorStatement s;
      while (reader.next(s)) {
        const auto at = [](std::uint32_t seconds) { return seconds * core::kSecond; };
        const auto belief = (*feeds)->belief(s, intel::kind_of(key), type, now);
        const auto& [c, half] = std::tie(belief.confidence, belief.half_life);
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
  sub->add_flag("--whole", o->whole, "Read all of each feed, not only what is new");
  sub->add_option("--store", o->store, "Compare what came new with the events of this store file");
  sub->add_option("--networks", o->networks, "Compiled network facts, or none");
  takes(*sub, "NAME", {"name"});
  takes(*sub, "FILE", {"--store", "--networks"});
  sub->footer(
      "A feed that cannot be read, or is hard to believe, stays as it was; exit code 3 then, and the others are "
      "updated.\n"
      "Example:\n  orbwatch feeds update --config /etc/orbwatch/orbwatch.yaml");
  sub->callback([o, &exit_code] { exit_code = update(*o); });

  sub = feeds->add_subcommand("list", "Show the feeds, how much each lists, and when it was updated");
  add_common(*sub, o);
  sub->footer("Example:\n  orbwatch feeds list --config orbwatch.yaml");
  sub->callback([o, &exit_code] { exit_code = list(*o); });

  sub = feeds->add_subcommand("add", "Read a feed once, say what it gives, and write it into the configuration");
  sub->add_option("name", o->added.name, "Its name: letters, digits, - and _")->required();
  sub->add_option("from", o->added.from, "File or address")->required();
  sub->add_option("--config", o->config, "Configuration file that gets it; all else in the file stays as it is");
  sub->add_option("--format", o->format,
                  "auto, text, report, csv, json, stix, misp or misp_warninglist (default auto)");
  sub->add_option("--protocol", o->protocol, "document, taxii or misp (default document)");
  sub->add_option("--collection", o->added.collection, "Of TAXII: id, alias or title");
  sub->add_option("--label", o->added.settings.label, "A name for what has none");
  sub->add_flag("--known-good", o->added.settings.known_good, "All of it is harmless");
  sub->add_flag("--dry-run", o->dry_run, "Write nothing");
  takes(*sub, "NAME", {"name"});
  takes(*sub, "FROM", {"from"});
  takes(*sub, "FILE", {"--config"});
  takes(*sub, "FORMAT", {"--format"});
  takes(*sub, "PROTOCOL", {"--protocol"});
  takes(*sub, "COLLECTION", {"--collection"});
  takes(*sub, "TEXT", {"--label"});
  sub->footer(
      "Log-in, mapping and other settings are written into the file by hand: docs/feeds.md.\n"
      "Example:\n  orbwatch feeds add nodes https://feeds.example/list.csv --config orbwatch.yaml");
  sub->callback([o, &exit_code] { exit_code = add(*o); });

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
      "score", "Say what each feed is worth: how much it lists, what others list as well, what it found");
  add_common(*sub, o);
  sub->add_option("--store", o->store, "Store file with findings (hunt --db, or findings.duckdb in a service's state)");
  sub->add_option("--networks", o->networks, "Compiled network facts, or none");
  takes(*sub, "FILE", {"--store", "--networks"});
  sub->footer("Example:\n  orbwatch feeds score --config orbwatch.yaml --store hunt.duckdb");
  sub->callback([o, &exit_code] { exit_code = score(*o); });

  sub = feeds->add_subcommand("search",
                              "Look back: were indicators that came new seen before in the events of a store file?");
  add_common(*sub, o);
  sub->add_option("--store", o->store, "Store file with events (hunt --db, or a day of a service's state)")->required();
  auto* since =
      sub->add_option("--since", o->since, "Indicators that came up after this date (default: since the last search)");
  sub->add_flag("--all", o->all, "All indicators that are listed")->excludes(since);
  sub->add_option("--networks", o->networks, "Compiled network facts, or none");
  takes(*sub, "FILE", {"--store", "--networks"});
  takes(*sub, "DATE", {"--since"});
  sub->footer("Example:\n  orbwatch feeds search --config orbwatch.yaml --store hunt.duckdb");
  sub->callback([o, &exit_code] { exit_code = search(*o); });

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
