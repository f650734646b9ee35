#include "pipeline/shared_findings.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/symbol.h"
#include "core/text.h"
#include "core/time.h"
#include "export/files.h"
#include "export/finding_words.h"
#include "export/sharing/tracked.h"
#include "pipeline/kept_networks.h"
#include "pipeline/verdict_file.h"
#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

using exporting::sharing::Selection;
using exporting::sharing::TraitKind;
using score::Finding;
using simdjson::dom::element;
using std::string_view;

constexpr std::size_t kAddressesAtOnce = 500;  // of one question about traits
constexpr std::size_t kMostRows = 50'000;      // of its answer

string_view text_of(const element& object, string_view name) {
  string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS || text.size() > core::kLongestSymbol) return {};
  return text;
}

core::Nanoseconds time_of(const element& object, string_view name) {
  string_view text = text_of(object, name);
  const auto time = core::parse_iso8601(text, core::TimeReader());
  return time && text.empty() && *time > 0 ? *time : 0;
}

void each(const element& object, string_view name, const std::function<void(const element&)>& take) {
  simdjson::dom::array all;
  if (object.at_key(name).get(all) != simdjson::SUCCESS) return;
  std::size_t n = 0;
  for (const element one : all) {
    if (++n > Finding::kMostListed) return;
    take(one);
  }
}

score::SourceFacts source_of(const element& one) {
  score::SourceFacts facts;
  if (const auto ip = core::Ip::parse(text_of(one, "ip"))) facts.ip = *ip;
  std::uint64_t asn = 0;
  if (one.at_key("asn").get(asn) == simdjson::SUCCESS && asn <= UINT32_MAX) facts.asn = static_cast<std::uint32_t>(asn);
  facts.country = text_of(one, "country");
  facts.network_type = text_of(one, "network_type");
  return facts;
}

// Gives each row to a function; false ends the query.
class Rows : public store::RowSink {
 public:
  using Row = std::span<const std::optional<string_view>>;
  explicit Rows(std::function<bool(Row)> take) : take_(std::move(take)) {}
  void columns(std::span<const std::string>, std::span<const store::ColumnType>) override {}
  bool row(Row values) override { return take_(values); }

 private:
  std::function<bool(Row)> take_;
};

// `needed`: somebody named the file, so that it must be there.
core::Expected<score::Verdicts> verdicts_of(const std::string& path, bool needed) {
  score::Verdicts out;
  auto file = read_verdicts(path);
  if (!file) return std::unexpected(file.error());
  if (file->bytes.empty() && needed)
    return core::fail("no verdicts", path, "is it the file that `orbwatch verdict` writes?");
  if (file->all_damaged != 0)
    return core::fail("a verdict cannot be read",
                      fmt::format("{}: line {}: {}", path, file->damaged[0].number, file->damaged[0].why),
                      "what was taken back there would be given away; mend or remove the line");
  for (auto& line : file->lines) out.take(std::move(line.verdict));
  return out;
}

// What a service has told, by id, each as it was told last: lines "<log-odds> <JSON>" of its index (verdict_file.h).
core::Expected<std::map<std::string, std::string>> told_by_service(const std::string& folder) {
  std::map<std::string, std::string> out;
  bool there = false;
  for (const string_view end : {".1", ""}) {
    const std::string path = fmt::format("{}/{}{}", folder, kFindingsIndex, end);
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) continue;
    there = true;
    const auto text = exporting::read_bounded(path, 2 * kMostIndexBytes);
    if (!text) return std::unexpected(text.error());
    string_view rest = *text;
    while (!rest.empty()) {
      string_view line = core::take_until(rest, '\n');
      core::take_until(line, ' ');
      const auto id = core::between(line, "{\"id\":\"", "\"");
      // A line that a kill has cut was told again.
      if (id && line.ends_with('}')) out[std::string(*id)] = line;
    }
  }
  if (!there)
    return core::fail("no findings of a service", folder,
                      "name the folder of a service's state, or --store for a hunt's");
  return out;
}

// The kind of a fingerprint by its look; MD5 sums of TLS and SSH look alike. None for any other: an SSH key
// ("SHA256:...") is a person's.
std::optional<TraitKind> kind_of(string_view what, string_view value, bool ssh) {
  if (what == "client") return TraitKind::kClient;
  if (what == "banner") return TraitKind::kBanner;
  if (what == "certificate") return value.size() == 40 ? TraitKind::kCertificateSha1 : TraitKind::kCertificateSha256;
  const bool client = what == "fingerprint";
  if (value.find('_') != value.npos) return client ? TraitKind::kJa4 : TraitKind::kJa4s;
  if (value.size() == 62) return TraitKind::kJarm;
  if (value.size() != 32) return std::nullopt;
  if (ssh) return client ? TraitKind::kHassh : TraitKind::kHasshServer;
  return client ? TraitKind::kJa3 : TraitKind::kJa3s;
}

// Of a client's side of an event its source is told, of a server's the destination; a device that was looked at is the
// source.
std::string traits_sql(const std::string& addresses) {
  std::string out = "SELECT DISTINCT ip, what, value, ssh FROM (";
  const auto part = [&](string_view end, string_view what, string_view column, string_view where) {
    if (!out.ends_with('(')) out += " UNION ALL ";
    out += fmt::format(
        "SELECT {0} AS ip, '{1}' AS what, {2} AS value, coalesce(service = 'ssh', false) AS ssh FROM events WHERE {0} "
        "IN "
        "({3}) AND {2} IS NOT NULL{4}",
        end, what, column, addresses, where);
  };
  part("source_ip", "fingerprint", "fingerprint", "");
  part("source_ip", "client", "user_agent", "");
  for (const auto& [what, column] : {std::pair<string_view, string_view>{"server", "server_fingerprint"},
                                     {"certificate", "certificate_fingerprint"},
                                     {"banner", "banner"}}) {
    part("source_ip", what, column, " AND class = 'device'");
    part("destination_ip", what, column, " AND class <> 'device'");
  }
  return out + fmt::format(") ORDER BY ALL LIMIT {}", kMostRows);
}

core::Expected<void> add_traits(const std::string& db, const std::vector<core::Ip>& addresses, Selection& selection,
                                std::uint64_t& others) {
  for (std::size_t at = 0; at < addresses.size(); at += kAddressesAtOnce) {
    std::string list;
    for (std::size_t i = at; i < std::min(addresses.size(), at + kAddressesAtOnce); ++i)
      list += fmt::format("{}'{}'", list.empty() ? "" : ",", addresses[i].text());
    Rows rows([&](Rows::Row row) {
      if (row.size() != 4 || !row[0] || !row[1] || !row[2] || !row[3]) return true;
      const auto ip = core::Ip::parse(*row[0]);
      const auto kind = kind_of(*row[1], *row[2], *row[3] == "true");
      if (ip && kind) selection.add_trait(*ip, *kind, *row[2]);
      others += !kind;
      return true;
    });
    if (auto asked = store::query(db, traits_sql(list), rows); !asked) return std::unexpected(asked.error());
  }
  return {};
}

// Others are about a device of the organisation, or known from somebody else: they say nothing of a network.
bool is_of_networks(const Finding& f) {
  using detect::FindingKind;
  return f.kind == FindingKind::kLogin || f.kind == FindingKind::kSpray || f.kind == FindingKind::kRecon ||
         f.kind == FindingKind::kRelay;
}

// `said`: the verdict on it; else what it holds of one itself counts.
void note_judgement(const Finding& f, const score::Verdict* said, exporting::sharing::Judged& judged,
                    std::set<core::Ip>& confirmed) {
  const bool is_judged = said != nullptr || !f.verdict.says.empty();
  const bool is_true = said != nullptr ? said->says == score::Judgement::kTrue : f.verdict.says == "true";
  if (is_judged && is_of_networks(f)) {
    auto& ids = is_true ? judged.confirmed : judged.dismissed;
    ids.insert(f.id);
    if (!f.network.empty()) ids.insert(f.network);
  }
  if (!is_judged && f.suppressed_by.id.empty()) return;
  for (const score::SourceFacts* source : exporting::sources_of(f)) {
    const bool intruder = is_judged && is_true && (said == nullptr || said->speaks_of(source->ip));
    (intruder ? confirmed : judged.kept_back).insert(source->ip);
  }
}

// The nodes of those that are given go into `addresses`.
core::Expected<void> add_networks(const SharedSource& source, const exporting::sharing::Judged& judged,
                                  Selection& selection, std::set<core::Ip>& addresses, SharedFindings& out) {
  if (!source.state.empty()) {
    std::error_code ignored;
    out.has_networks = std::filesystem::is_regular_file(fmt::format("{}/{}", source.state, kNetworksFile), ignored);
  } else {
    const auto has = store_has_networks(source.store);
    if (!has) return std::unexpected(has.error());
    out.has_networks = *has;
  }
  if (!out.has_networks) return {};
  const auto kept = source.state.empty() ? networks_in_store(source.store) : networks_in_state(source.state);
  if (!kept) return std::unexpected(kept.error());
  for (const score::Network& network : kept->networks) {
    ++out.networks;
    if (!add_tracked(selection, network, judged)) continue;
    ++out.networks_given;
    for (const score::NetworkNode& node : network.nodes) {
      if (node.active) addresses.insert(node.ip);
    }
  }
  if (kept->damaged != 0) out.left_out["network: damaged"] += kept->damaged;
  if (kept->left_out != 0) out.left_out["network: no room where it is kept"] += kept->left_out;
  return {};
}

}  // namespace

core::Expected<Finding> parse_shared_finding(string_view json) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(json);
  simdjson::dom::object object;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root.get(object) != simdjson::SUCCESS)
    return core::fail("no finding", core::printable(json, 100));
  Finding f;
  f.id = text_of(root, "id");
  if (f.id.empty()) return core::fail("finding without an id", core::printable(json, 100));
  f.time = time_of(root, "time");
  f.end = time_of(root, "end");
  const string_view kind = text_of(root, "kind");
  bool known = false;
  for (unsigned k = 0; k <= static_cast<unsigned>(detect::FindingKind::kDevice); ++k) {
    if (kind != name(static_cast<detect::FindingKind>(k))) continue;
    f.kind = static_cast<detect::FindingKind>(k);
    known = true;
  }
  if (!known) return core::fail("finding of an unknown kind", core::printable(kind, 40));
  double score = 0;
  if (root["score"].get(score) == simdjson::SUCCESS) f.score = score;
  element source;
  if (root["source"].get(source) == simdjson::SUCCESS) f.source = source_of(source);
  each(root, "sources", [&](const element& one) { f.sources.push_back(source_of(one)); });
  std::uint64_t count = 0;
  f.source_count = root["source_count"].get(count) == simdjson::SUCCESS ? count : f.sources.size();
  // Only addresses matter: that they are one's own.
  for (const auto& [key, to] : {std::pair<string_view, std::string*>{"gateway", &f.gateway}, {"device", &f.device}}) {
    if (const auto ip = core::Ip::parse(text_of(root, key))) *to = ip->text();
  }
  each(root, "attack", [&](const element& one) {
    if (string_view id; one.get(id) == simdjson::SUCCESS) f.attack.emplace_back(id.substr(0, 16));
  });
  each(root, "records", [&](const element&) { f.records.emplace_back(); });
  f.network = text_of(root, "network");
  each(root, "timeline", [&](const element& one) {
    score::TimelineEntry entry;
    entry.time = time_of(one, "time");
    for (const score::Step step : {score::Step::kFailedLogin, score::Step::kLogin, score::Step::kSessionEnd}) {
      if (text_of(one, "what") == name(step)) entry.what = step;
    }
    element from;
    if (one.at_key("source").get(from) == simdjson::SUCCESS) entry.source = source_of(from);
    f.timeline.push_back(std::move(entry));
  });
  for (const auto& [key, to] :
       {std::pair<string_view, score::VerdictNote*>{"verdict", &f.verdict}, {"suppressed_by", &f.suppressed_by}}) {
    element note;
    if (root.at_key(key).get(note) != simdjson::SUCCESS) continue;
    to->id = text_of(note, "id");
    to->says = text_of(note, "says");
    to->expires = time_of(note, "expires");
  }
  return f;
}

core::Expected<SharedFindings> read_shared_findings(const SharedSource& source,
                                                    const exporting::sharing::Rules& rules) {
  SharedFindings out;
  score::Verdicts said;
  const bool named = !source.verdicts.empty();
  if (named || !source.state.empty()) {
    auto read = verdicts_of(named ? source.verdicts : fmt::format("{}/{}", source.state, kVerdictFile), named);
    if (!read) return std::unexpected(read.error());
    said = std::move(*read);
  }
  // Addresses of gateways and devices, out of all findings: no node of a network is one of them.
  std::set<core::Ip> house;
  exporting::sharing::Rules all_rules = rules;
  bool of_networks = false;
  all_rules.own = [&](const core::Ip& ip) {
    return (rules.own && rules.own(ip)) || (of_networks && house.contains(ip));
  };
  Selection selection(std::move(all_rules));
  exporting::sharing::Judged judged;
  std::set<core::Ip> confirmed;
  std::set<core::Ip> addresses;
  std::uint64_t damaged = 0;
  const auto take = [&](string_view json) {
    ++out.findings;
    auto f = parse_shared_finding(json);
    if (!f) {
      ++damaged;
      return;
    }
    const core::Nanoseconds when = std::max(f->time, f->end);
    const score::Verdict* verdict = said.of(f->id, when);
    // The file knows of later: what was withdrawn or replaced there does not count any more.
    if (verdict == nullptr && said.find(f->verdict.id) != nullptr) f->verdict = {};
    if (const auto* cover = said.find(f->suppressed_by.id); cover != nullptr && !cover->in_force(when))
      f->suppressed_by = {};
    selection.add(*f, verdict);
    note_judgement(*f, verdict, judged, confirmed);
    for (const std::string* place : {&f->gateway, &f->device}) {
      if (const auto ip = core::Ip::parse(*place); ip && is_of_networks(*f)) house.insert(*ip);
    }
    addresses.insert(f->source.ip);
    for (const score::SourceFacts& one : f->sources) addresses.insert(one.ip);
  };
  std::uint64_t others = 0;
  if (!source.state.empty()) {
    auto told = told_by_service(source.state);
    if (!told) return std::unexpected(told.error());
    for (const auto& [id, json] : *told) take(json);
  } else {
    Rows rows([&](Rows::Row row) {
      if (!row.empty() && row[0]) take(*row[0]);
      return true;
    });
    if (auto asked = store::query(source.store, "SELECT json FROM findings ORDER BY id", rows); !asked)
      return std::unexpected(asked.error());
  }
  for (const core::Ip& ip : confirmed) judged.kept_back.erase(ip);
  of_networks = true;
  if (auto added = add_networks(source, judged, selection, addresses, out); !added)
    return std::unexpected(added.error());
  if (source.state.empty()) {
    std::vector<core::Ip> wanted;
    std::ranges::copy_if(addresses, std::back_inserter(wanted), [&](const core::Ip& ip) { return selection.has(ip); });
    if (auto added = add_traits(source.store, wanted, selection, others); !added) return std::unexpected(added.error());
  }
  out.shared = selection.take();
  for (const auto& [reason, count] : selection.left_out()) out.left_out[reason] += count;
  if (others != 0) out.left_out["trait: fingerprint of a kind that is not given, such as a person's key"] = others;
  if (damaged != 0) out.left_out["finding: damaged"] = damaged;
  out.given = selection.findings();
  return out;
}

}  // namespace orbwatch::pipeline
