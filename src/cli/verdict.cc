// `orbwatch verdict`: an analyst says what a finding was.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "core/time.h"
#include "pipeline/verdict_file.h"
#include "score/verdicts.h"
#include "serve/audit.h"
#include "source/collector.h"

namespace orbwatch::cli {
namespace {

using core::Nanoseconds;
using score::Judgement;
using score::Verdict;

struct Options {
  std::string finding;
  std::string says;
  std::string id;
  std::string reason;
  std::string author;
  std::string scope;
  std::string expires;
  std::vector<std::string> sources;
  std::string verdicts;
  std::string state;
  std::string db;
  bool json = false;
};

// So long a verdict holds if nobody says how long: what is ordinary changes, and a suppression should be looked at
// again.
constexpr Nanoseconds kSuppressedFor = 90 * core::kDay;
constexpr Nanoseconds kCountsFor = 365 * core::kDay;
constexpr std::int64_t kMostDays = 36'500;

int refused(const core::Error& error) {
  complain(error.text());
  return error.kind == core::ErrorKind::kOutput ? kOutput : kUsage;
}

core::Expected<std::string> file_of(const Options& o) {
  if (!o.verdicts.empty()) return o.verdicts;
  if (!o.state.empty()) return fmt::format("{}/{}", o.state, pipeline::kVerdictFile);
  return core::fail("it is not said where verdicts are kept", {},
                    "--state FOLDER of a service, or --verdicts FILE that `hunt --verdicts` reads");
}

// "90d", "2027-01-31", "never".
core::Expected<Nanoseconds> expiry(const std::string& text, Nanoseconds now) {
  if (text == "never") return 0;
  if (text.ends_with('d')) {
    const auto days = core::parse_number<std::int64_t>(std::string_view(text).substr(0, text.size() - 1));
    if (days && *days > 0 && *days <= kMostDays) return now + *days * core::kDay;
  }
  const std::string moment = text.size() == 10 ? text + "T00:00:00Z" : text;
  std::string_view rest = moment;
  const auto time = core::parse_iso8601(rest, core::TimeReader());
  if (!time || !rest.empty())
    return core::fail("--expires must be a number of days, a date or never", text, "90d, 2027-01-31");
  if (*time <= now) return core::fail("--expires lies in the past", text);
  return *time;
}

void sign(const Options& o, Verdict& v) {
  v.time = source::now();
  v.author = core::printable(o.author.empty() ? serve::login_name() : o.author, pipeline::kMostReason / 10);
  v.reason = core::printable(o.reason, pipeline::kMostReason);
}

std::string about(const Verdict& v) {
  const auto some = [](const auto& all, auto&& text) {
    if (all.empty()) return std::string("nothing");
    return all.size() == 1 ? text(all[0]) : fmt::format("{} and {} more", text(all[0]), all.size() - 1);
  };
  std::string users = some(v.users, [](const std::string& user) { return core::printable(user); });
  std::string networks = some(v.networks, [](const core::Prefix& network) { return network.text(); });
  std::string systems = some(v.systems, [](std::uint32_t system) { return fmt::format("AS{}", system); });
  switch (v.scope) {
    case score::Scope::kUserNetwork: return users + " from " + networks;
    case score::Scope::kUserSystem: return users + " from " + systems;
    case score::Scope::kUser: return users;
    case score::Scope::kSourcePrefix: return networks;
    case score::Scope::kSystem: return systems;
    case score::Scope::kGateway: return core::printable(v.gateway);
    case score::Scope::kDevice: return core::printable(v.device);
  }
  return {};
}

// Leaves of the finding's sources those that are named.
core::Expected<void> only(const std::vector<std::string>& sources, Verdict& v) {
  std::vector<core::Ip> chosen;
  for (const std::string& text : sources) {
    const auto ip = core::Ip::parse(text);
    if (!ip || std::ranges::find(v.sources, *ip) == v.sources.end())
      return core::fail("--source must be an address of the finding", core::printable(text, 64),
                        "its sources are in the finding's JSON");
    if (std::ranges::find(chosen, *ip) == chosen.end()) chosen.push_back(*ip);
  }
  // What speaks for the finding was said of its strongest log-in, which stands first.
  if (std::ranges::find(chosen, v.sources.front()) == chosen.end()) {
    v.evidence.clear();
    v.indicators.clear();
  }
  v.sources = std::move(chosen);
  v.networks.clear();
  for (const core::Ip& ip : v.sources) {
    const core::Prefix network = core::Prefix::neighbourhood(ip);
    if (std::ranges::find(v.networks, network) == v.networks.end()) v.networks.push_back(network);
  }
  v.systems.clear();  // whose they are is not kept; only `benign` goes by them
  return {};
}

int judge(const Options& o) {
  const auto file = file_of(o);
  if (!file) return refused(file.error());
  if (o.finding.empty() || o.says.empty()) {
    complain("orbwatch verdict CASE true|false|benign: the id of a finding, and what it was");
    return kUsage;
  }
  if (o.state.empty() == o.db.empty()) {
    complain("where is the finding? either --state FOLDER of a service, or --db FILE of a hunt");
    return kUsage;
  }
  auto found =
      o.db.empty() ? pipeline::find_case_in_state(o.state, o.finding) : pipeline::find_case_in_store(o.db, o.finding);
  if (!found) return refused(found.error());
  Verdict& v = *found;
  sign(o, v);
  v.says = o.says == "true" ? Judgement::kTrue : o.says == "false" ? Judgement::kFalse : Judgement::kBenign;
  v.scope = score::default_scope(v.kind);
  if (!o.sources.empty()) {
    if (v.says != Judgement::kTrue || v.kind != detect::FindingKind::kLogin) {
      complain("--source says which log-ins were an intruder's: only with `true`, of a finding of kind login");
      return kUsage;
    }
    if (auto done = only(o.sources, v); !done) return refused(done.error());
  }
  if (v.says == Judgement::kBenign) {
    if (v.reason.empty()) {
      complain("benign needs --reason: it keeps alerts back, and others must be able to see why");
      return kUsage;
    }
    if (!o.scope.empty()) score::parse_scope(o.scope, v.scope);
    if (const auto why = score::lacks(v); !why.empty()) {
      complain(fmt::format("a finding like this cannot be suppressed by {}: {} (choose another --scope)",
                           score::name(v.scope), why));
      return kUsage;
    }
  } else if (!o.scope.empty()) {
    complain("--scope says what benign covers; true and false keep no alert back");
    return kUsage;
  }
  v.expires = v.time + (v.says == Judgement::kBenign ? kSuppressedFor : kCountsFor);
  if (!o.expires.empty()) {
    const auto expires = expiry(o.expires, v.time);
    if (!expires) return refused(expires.error());
    v.expires = *expires;
  }
  v.id = pipeline::verdict_id(v);
  if (auto done = pipeline::append_verdict(*file, v); !done) return refused(done.error());
  std::vector<std::pair<std::string, std::string>> facts = {
      {"verdict", v.id}, {"case", v.finding}, {"says", std::string(score::name(v.says))}, {"author", v.author}};
  if (v.says == Judgement::kBenign) facts.emplace_back("scope", score::name(v.scope));
  if (auto noted = audit(o.state, "verdict", std::move(facts)); !noted) return refused(noted.error());
  const std::string until = v.expires == 0 ? "" : " until " + core::date_text(v.expires);
  std::string text = fmt::format("verdict {}: {} is {}", v.id, v.finding, score::name(v.says));
  text += v.says == Judgement::kBenign
              ? fmt::format("; findings of kind {} about {} are no alerts{}\n", detect::name(v.kind), about(v), until)
              : fmt::format("; it counts{}\n", until);
  print(text);
  return flush_output() ? kOk : kOutput;
}

int withdraw(const Options& o) {
  const auto file = file_of(o);
  if (!file) return refused(file.error());
  const auto read = pipeline::read_verdicts(*file);
  if (!read) return refused(read.error());
  std::vector<std::string> ids;
  for (const auto& line : read->lines) {
    if (line.verdict.id.starts_with(o.id) && line.verdict.says != Judgement::kWithdrawn) ids.push_back(line.verdict.id);
  }
  if (ids.size() != 1) {
    return refused(core::fail(ids.empty() ? "no such verdict" : "several verdicts begin so",
                              fmt::format("{} in {}", core::printable(o.id, 40), *file), "see `orbwatch verdict list`")
                       .error());
  }
  Verdict v;
  sign(o, v);
  v.says = Judgement::kWithdrawn;
  v.withdraws = ids.front();
  v.id = pipeline::verdict_id(v);
  if (auto done = pipeline::append_verdict(*file, v); !done) return refused(done.error());
  if (auto noted = audit(o.state, "verdict withdrawn", {{"verdict", v.withdraws}, {"author", v.author}}); !noted)
    return refused(noted.error());
  print(fmt::format("verdict {} is withdrawn\n", v.withdraws));
  return flush_output() ? kOk : kOutput;
}

std::string_view standing(const score::Verdicts& all, const score::Verdicts::Entry& entry, Nanoseconds now) {
  if (entry.ended) {
    const auto* by = all.find(entry.ended_by);
    return by != nullptr && by->verdict.says == Judgement::kWithdrawn ? "withdrawn" : "replaced";
  }
  return entry.in_force(now) ? "in force" : "expired";
}

int list(const Options& o) {
  const auto file = file_of(o);
  if (!file) return refused(file.error());
  auto read = pipeline::read_verdicts(*file);
  if (!read) return refused(read.error());
  for (const auto& line : read->damaged) complain(fmt::format("{}:{}: left out, {}", *file, line.number, line.why));
  score::Verdicts all;
  for (const auto& line : read->lines) {
    if (all.take(line.verdict) == score::Verdicts::Taken::kFull) {
      complain(fmt::format("{}: only the first {} entries count", *file, score::kMostVerdicts));
      break;
    }
  }
  std::map<std::string, pipeline::SuppressionHits> hits;
  if (!o.db.empty()) {
    auto counted = pipeline::hits_in_store(o.db);
    if (!counted) return refused(counted.error());
    for (auto& one : *counted) hits[one.id] = one;
  } else if (!o.state.empty()) {
    for (auto& one : pipeline::read_hits(o.state)) hits[one.id] = one;
  }
  const Nanoseconds now = source::now();
  std::string text;
  for (const auto& entry : all.entries()) {
    const Verdict& v = entry.verdict;
    if (v.says == Judgement::kWithdrawn && !o.json) continue;
    const auto used = hits.find(v.id);
    const std::uint64_t n = used == hits.end() ? 0 : used->second.hits;
    if (o.json) {
      std::string line = pipeline::to_json(v);
      if (v.says != Judgement::kWithdrawn) {
        line.pop_back();
        line += fmt::format(",\"standing\":\"{}\"", standing(all, entry, now));
        if (v.says == Judgement::kBenign) line += fmt::format(",\"hits\":{}", n);
        if (n > 0) line += fmt::format(",\"last\":\"{}\"", core::rfc3339(used->second.last));
        line += "}";
      }
      text += line + "\n";
      continue;
    }
    text += fmt::format("{}  {}  {:6}  {}  {}", v.id, core::date_text(v.time), score::name(v.says), v.finding,
                        standing(all, entry, now));
    if (v.expires != 0) text += " until " + core::date_text(v.expires);
    text += fmt::format("\n    {} by {}", detect::name(v.kind), v.author);
    if (v.says == Judgement::kBenign) {
      text += fmt::format(", {}: {}, {}", score::name(v.scope), about(v),
                          n == 0 ? std::string("no alert kept back")
                                 : fmt::format("{} kept back, the last {}", n, core::rfc3339(used->second.last)));
    }
    text += "\n";
    if (!v.reason.empty()) text += "    " + v.reason + "\n";
  }
  if (!o.json) {
    if (text.empty()) text = "no verdicts\n";
    const auto weights = all.corrections(now).list();
    if (!weights.empty()) text += "\nWhat verdicts add to the weights of evidence:\n";
    for (const auto& [kind, correction] : weights) text += fmt::format("  {:+.2f}  {}\n", correction, kind);
  }
  print(text);
  return flush_output() ? kOk : kOutput;
}

void add_place(CLI::App& sub, Options& o) {
  sub.add_option("--state", o.state, "Folder of a service's state: its findings, and its verdicts");
  sub.add_option("--verdicts", o.verdicts, "File of verdicts (default: the one in the state)");
  takes(sub, "DIR", {"--state"});
  takes(sub, "FILE", {"--verdicts"});
}

}  // namespace

void add_verdict(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("verdict", "Say what a finding was: it is remembered, shown and learned from");
  sub->require_subcommand(0, 1);
  sub->add_option("case", o->finding, "The finding's id, or as many of its first digits as tell it from others");
  sub->add_option("verdict", o->says, "true: an intruder. false: a false alarm. benign: known, no alert any more")
      ->check(CLI::IsMember({"true", "false", "benign"}));
  add_place(*sub, *o);
  sub->add_option("--db", o->db, "The file that `hunt --db` wrote, in which the finding is");
  sub->add_option("--reason", o->reason, "Why; benign needs one");
  sub->add_option("--author", o->author, "Who says so (default: the login name)");
  std::vector<std::string> scopes;
  scopes.reserve(score::kScopes);
  for (std::size_t i = 0; i < score::kScopes; ++i) scopes.emplace_back(score::name(static_cast<score::Scope>(i)));
  sub->add_option("--scope", o->scope, "What benign covers besides the kind of finding (default: by its kind)")
      ->check(CLI::IsMember(scopes));
  sub->add_option("--expires", o->expires, "90d, a date, or never (default: 90d for benign, else 365d)");
  sub->add_option("--source", o->sources, "With true: only the log-ins from this address were; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  takes(*sub, "IP", {"--source"});
  takes(*sub, "CASE", {"case"});
  takes(*sub, "FILE", {"--db"});
  takes(*sub, "TEXT", {"--reason", "--author"});
  takes(*sub, "WHEN", {"--expires"});
  sub->footer(
      "A running service takes verdicts up within seconds. See docs/verdicts.md.\n"
      "Examples:\n"
      "  orbwatch verdict 3f2a91 benign --state /var/lib/orbwatch --reason 'the VPN of our service provider'\n"
      "  orbwatch verdict 3f2a91 true --source 198.51.100.7 --state /var/lib/orbwatch\n"
      "  orbwatch verdict 3f2a91 false --db hunt.duckdb --verdicts verdicts.ndjson\n"
      "  orbwatch hunt --verdicts verdicts.ndjson logs/");
  sub->callback([o, sub, &exit_code] {
    if (sub->get_subcommands().empty()) exit_code = judge(*o);
  });

  auto l = std::make_shared<Options>();
  CLI::App* shown =
      sub->add_subcommand("list", "Print the verdicts, how often suppressions were used, and the weights");
  add_place(*shown, *l);
  shown->add_option("--db", l->db, "Count the uses of suppressions in the file that `hunt --db` wrote");
  takes(*shown, "FILE", {"--db"});
  shown->add_flag("--json", l->json, "One JSON object a line");
  shown->footer("Example:\n  orbwatch verdict list --state /var/lib/orbwatch");
  shown->callback([l, &exit_code] { exit_code = list(*l); });

  auto w = std::make_shared<Options>();
  CLI::App* ends = sub->add_subcommand("withdraw", "End a verdict; the entry stays, and a new one says who ended it");
  ends->add_option("id", w->id, "The verdict's id, or its first digits")->required();
  ends->add_option("--reason", w->reason, "Why")->required();
  ends->add_option("--author", w->author, "Who says so (default: the login name)");
  add_place(*ends, *w);
  takes(*ends, "ID", {"id"});
  takes(*ends, "TEXT", {"--reason", "--author"});
  ends->footer("Example:\n  orbwatch verdict withdraw 81c0 --reason 'wrong network' --state /var/lib/orbwatch");
  ends->callback([w, &exit_code] { exit_code = withdraw(*w); });
}

}  // namespace orbwatch::cli
