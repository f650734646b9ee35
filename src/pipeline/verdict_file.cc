#include "pipeline/verdict_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "core/text.h"
#include "core/time.h"
#include "detect/feed_hit.h"
#include "intel/feed_store/feed_source.h"
#include "source/sockets.h"
#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using core::Nanoseconds;
using core::Prefix;
using score::Finding;
using score::Judgement;
using score::Verdict;
using simdjson::dom::array;
using simdjson::dom::element;
using source::Descriptor;

constexpr std::size_t kMostReasons = 100;  // kinds of evidence of an entry
constexpr std::size_t kLongestId = 64;     // of findings and entries
constexpr std::size_t kShownCases = 5;     // of several that begin alike
constexpr double kMostLogOdds = 1'000;

std::unexpected<core::Error> cannot(std::string what, const std::string& path, int why) {
  return std::unexpected(core::Error{std::move(what), path + ": " + std::strerror(why), "", core::ErrorKind::kOutput});
}

void member(std::string& out, std::string_view name) {
  if (out.size() > 1) out += ',';
  core::append_json_string(out, name);
  out += ':';
}
void member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  member(out, name);
  core::append_json_string(out, text);
}
template <typename List, typename Write>
void list(std::string& out, std::string_view name, const List& all, Write&& write) {
  if (all.empty()) return;
  member(out, name);
  out += '[';
  bool first = true;
  for (const auto& one : all) {
    if (!first) out += ',';
    first = false;
    write(one);
  }
  out += ']';
}

std::string text_of(element object, std::string_view name, std::size_t most) {
  std::string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS) return {};
  return std::string(text.substr(0, most));
}

std::optional<Nanoseconds> time_of(element object, std::string_view name) {
  std::string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS) return std::nullopt;
  const core::TimeReader utc;
  auto time = core::parse_iso8601(text, utc);
  // As the archive has it: see core::ArchiveValues::moment().
  if (!time || !text.empty() || *time <= 0 || *time > 7'258'118'400 * core::kSecond) return std::nullopt;
  return time;
}

// Each text of a list, at most Finding::kMostListed. False if it is none, or `take` refuses one.
template <typename Take>
bool each(element object, std::string_view name, Take&& take) {
  element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) return true;  // none
  array all;
  if (value.get(all) != simdjson::SUCCESS) return false;
  std::size_t n = 0;
  for (const element one : all) {
    if (++n > Finding::kMostListed || !take(one)) return false;
  }
  return true;
}

bool take_text(element value, std::vector<std::string>& into) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS || text.size() > core::kLongestSymbol) return false;
  into.emplace_back(text);
  return true;
}

bool parse_kind(std::string_view word, detect::FindingKind& out) {
  for (unsigned k = 0; k <= static_cast<unsigned>(detect::FindingKind::kDevice); ++k) {
    out = static_cast<detect::FindingKind>(k);
    if (detect::name(out) == word) return true;
  }
  return false;
}

// Kinds with their ratios, of an entry as of a finding.
bool take_evidence(element object, Verdict& v) {
  return each(object, "evidence", [&](element one) {
    Verdict::Reason reason;
    if (!one.is_object()) return false;
    reason.kind = text_of(one, "kind", kLongestId);
    if (one.at_key("llr").get(reason.llr) != simdjson::SUCCESS || !(std::abs(reason.llr) <= kMostLogOdds)) return false;
    if (v.evidence.size() < kMostReasons) v.evidence.push_back(std::move(reason));
    return true;
  });
}

void add_indicator(Verdict::Indicator indicator, Verdict& v) {
  if (v.indicators.size() < Verdict::kMostIndicators &&
      std::ranges::find(v.indicators, indicator) == v.indicators.end())
    v.indicators.push_back(std::move(indicator));
}

// Of a finding: what its evidence says of feeds.
void read_indicators(element finding, Verdict& v) {
  each(finding, "evidence", [&](element one) {
    if (!one.is_object() || text_of(one, "kind", kLongestId) != "indicator") return true;
    const auto hit = detect::parse_feed_hit(text_of(one, "says", kMostReason * 4));
    if (!hit) return true;
    for (const detect::FeedHit::Entry& entry : hit->entries) {
      if (entry.value.size() <= core::kLongestSymbol) add_indicator({entry.feed, entry.value}, v);
    }
    return true;
  });
}

// Of an entry of the file.
bool take_indicators(element object, Verdict& v) {
  return each(object, "indicators", [&](element one) {
    if (!one.is_object()) return false;
    Verdict::Indicator indicator{text_of(one, "feed", core::kLongestSymbol),
                                 text_of(one, "value", core::kLongestSymbol)};
    if (!intel::is_feed_name(indicator.feed) || indicator.value.empty()) return false;
    add_indicator(std::move(indicator), v);
    return true;
  });
}

void add_source(element source, Verdict& v) {
  const auto ip = core::Ip::parse(text_of(source, "ip", 64));
  // The strongest log-in's stands by itself and in the list.
  if (!ip || v.sources.size() >= score::Finding::kMostListed || std::ranges::find(v.sources, *ip) != v.sources.end())
    return;
  v.sources.push_back(*ip);
  const Prefix network = Prefix::neighbourhood(*ip);
  if (std::ranges::find(v.networks, network) == v.networks.end()) v.networks.push_back(network);
  std::uint64_t asn = 0;
  if (source.at_key("asn").get(asn) != simdjson::SUCCESS || asn == 0 || asn > UINT32_MAX) return;
  const auto system = static_cast<std::uint32_t>(asn);
  if (std::ranges::find(v.systems, system) == v.systems.end()) v.systems.push_back(system);
}

// Out of a finding's JSON (score::to_json).
core::Expected<Verdict> of_finding(std::string_view json, double log_odds) {
  simdjson::dom::parser parser;
  element object;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(object) != simdjson::SUCCESS || !object.is_object())
    return core::fail("a finding cannot be read", core::printable(json, 80));
  Verdict v;
  v.finding = text_of(object, "id", kLongestId);
  v.log_odds = log_odds;
  v.seen = time_of(object, "end").value_or(time_of(object, "time").value_or(0));
  read_indicators(object, v);
  element source;
  bool good = !v.finding.empty() && parse_kind(text_of(object, "kind", kLongestId), v.kind) && take_evidence(object, v);
  if (object.at_key("source").get(source) == simdjson::SUCCESS && source.is_object()) add_source(source, v);
  good = good && each(object, "sources", [&](element one) {
           if (one.is_object()) add_source(one, v);
           return true;
         });
  if (std::string user = text_of(object, "user", core::kLongestSymbol); !user.empty())
    v.users.push_back(std::move(user));
  good = good && each(object, "users", [&](element one) { return take_text(one, v.users); });
  v.gateway = text_of(object, "gateway", core::kLongestSymbol);
  v.device = text_of(object, "device", core::kLongestSymbol);
  if (!good) return core::fail("a finding cannot be read", core::printable(json, 80));
  return v;
}

double real(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::isfinite(value) ? value : 0;
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Of the findings that begin so: the only one.
core::Expected<Verdict> only(const std::map<std::string, std::pair<double, std::string>, std::less<>>& found,
                             std::string_view begin, const std::string& where) {
  if (found.empty())
    return core::fail("no such finding", fmt::format("{} in {}", begin, where),
                      "its id stands in --json and the report");
  // The whole id of one may be the beginning of another's.
  auto chosen = found.find(begin);
  if (chosen == found.end()) {
    if (found.size() > 1) {
      std::string names;
      std::size_t n = 0;
      for (const auto& [id, finding] : found) {
        if (++n > kShownCases) break;
        names += (names.empty() ? "" : ", ") + id;
      }
      return core::fail("several findings begin so", fmt::format("{}: {}", begin, names), "give more of the id");
    }
    chosen = found.begin();
  }
  return of_finding(chosen->second.second, chosen->second.first);
}

core::Expected<void> usable(std::string_view begin) {
  if (is_id(begin)) return {};
  return core::fail("a finding's id is made of the digits 0-9 and a-f", core::printable(begin, 40));
}

class CaseRows : public store::RowSink {
 public:
  void columns(std::span<const std::string>, std::span<const store::ColumnType>) override {}
  bool row(std::span<const std::optional<std::string_view>> values) override {
    if (values.size() != 3 || !values[0] || !values[1] || !values[2]) return true;
    found[std::string(*values[0])] = {real(*values[1]), std::string(*values[2])};
    return true;
  }
  std::map<std::string, std::pair<double, std::string>, std::less<>> found;
};

// The whole of a file; nothing if there is none.
core::Expected<std::optional<std::string>> whole_file(const std::string& path, std::size_t most) {
  const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in.open() && errno == ENOENT) return std::nullopt;
  struct stat meta{};
  if (!in.open() || ::fstat(in.get(), &meta) != 0) return core::fail("cannot read", path + ": " + std::strerror(errno));
  if (!S_ISREG(meta.st_mode)) return core::fail("not a file", path);
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(meta.st_size, 0));
  if (size > most) return core::fail("the file is too long", fmt::format("{}: {} bytes", path, size));
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(in.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return core::fail("cannot read", path + ": " + std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

}  // namespace

std::string to_json(const Verdict& v) {
  std::string out = "{";
  const auto text = [&out](std::string_view one) { core::append_json_string(out, one); };
  const auto number = [](double value) { return fmt::format("{:.4g}", std::isfinite(value) ? value : 0); };
  member(out, "id", v.id);
  member(out, "time", core::rfc3339(v.time));
  member(out, "author", v.author);
  member(out, "verdict", score::name(v.says));
  if (v.says == Judgement::kWithdrawn) {
    member(out, "withdraws", v.withdraws);
    member(out, "reason", v.reason);
    return out + "}";
  }
  member(out, "case", v.finding);
  member(out, "kind", detect::name(v.kind));
  member(out, "log_odds");
  out += number(v.log_odds);
  list(out, "users", v.users, text);
  list(out, "networks", v.networks, [&](const Prefix& one) { text(one.text()); });
  list(out, "sources", v.sources, [&](const core::Ip& one) { text(one.text()); });
  list(out, "systems", v.systems, [&](std::uint32_t one) { out += std::to_string(one); });
  member(out, "gateway", v.gateway);
  member(out, "device", v.device);
  list(out, "evidence", v.evidence, [&](const Verdict::Reason& one) {
    out += "{\"kind\":";
    text(one.kind);
    out += ",\"llr\":" + number(one.llr) + "}";
  });
  list(out, "indicators", v.indicators, [&](const Verdict::Indicator& one) {
    out += "{\"feed\":";
    text(one.feed);
    out += ",\"value\":";
    text(one.value);
    out += '}';
  });
  if (v.seen != 0) member(out, "seen", core::rfc3339(v.seen));
  member(out, "reason", v.reason);
  if (v.says == Judgement::kBenign) member(out, "scope", score::name(v.scope));
  member(out, "expires", v.expires == 0 ? "never" : core::rfc3339(v.expires));
  return out + "}";
}

core::Expected<Verdict> parse_verdict(std::string_view line) {
  const auto wrong = [](const char* why) { return core::fail(why); };
  if (line.size() > kMostVerdictLine) return wrong("the line is too long");
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(line);
  element object;
  if (parser.parse(padded).get(object) != simdjson::SUCCESS || !object.is_object())
    return wrong("it is no JSON object");
  Verdict v;
  v.id = text_of(object, "id", kLongestId + 1);
  if (!is_id(v.id)) return wrong("'id' is missing or none");
  const auto time = time_of(object, "time");
  if (!time) return wrong("'time' is missing or no time");
  v.time = *time;
  v.author = core::printable(text_of(object, "author", kMostReason), kMostReason / 10);
  v.reason = core::printable(text_of(object, "reason", 4 * kMostReason), kMostReason);
  const std::string says = text_of(object, "verdict", kLongestId);
  if (says == name(Judgement::kWithdrawn)) {
    v.says = Judgement::kWithdrawn;
    v.withdraws = text_of(object, "withdraws", kLongestId + 1);
    if (!is_id(v.withdraws)) return wrong("'withdraws' is missing or no id");
    return v;
  }
  if (says == name(Judgement::kTrue)) {
    v.says = Judgement::kTrue;
  } else if (says == name(Judgement::kFalse)) {
    v.says = Judgement::kFalse;
  } else if (says == name(Judgement::kBenign)) {
    v.says = Judgement::kBenign;
  } else {
    return wrong("'verdict' is none of true, false, benign, withdrawn");
  }
  v.finding = text_of(object, "case", kLongestId + 1);
  if (!is_id(v.finding)) return wrong("'case' is missing or no id");
  if (!parse_kind(text_of(object, "kind", kLongestId), v.kind)) return wrong("'kind' is no kind of finding");
  if (object.at_key("log_odds").get(v.log_odds) != simdjson::SUCCESS || !(std::abs(v.log_odds) <= kMostLogOdds))
    return wrong("'log_odds' is missing or no number");
  if (!each(object, "users", [&](element one) { return take_text(one, v.users); })) return wrong("'users' is wrong");
  const auto take_network = [&](element one) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS) return false;
    const auto network = Prefix::parse(text);
    if (network) v.networks.push_back(*network);
    return network.has_value();
  };
  if (!each(object, "networks", take_network)) return wrong("'networks' is wrong");
  const auto take_source = [&](element one) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS) return false;
    const auto ip = core::Ip::parse(text);
    if (ip) v.sources.push_back(*ip);
    return ip.has_value();
  };
  if (!each(object, "sources", take_source)) return wrong("'sources' is wrong");
  const auto take_system = [&](element one) {
    std::uint64_t number = 0;
    if (one.get(number) != simdjson::SUCCESS || number == 0 || number > UINT32_MAX) return false;
    v.systems.push_back(static_cast<std::uint32_t>(number));
    return true;
  };
  if (!each(object, "systems", take_system)) return wrong("'systems' is wrong");
  v.gateway = text_of(object, "gateway", core::kLongestSymbol);
  v.device = text_of(object, "device", core::kLongestSymbol);
  if (!take_evidence(object, v)) return wrong("'evidence' is wrong");
  if (!take_indicators(object, v)) return wrong("'indicators' is wrong");
  if (object.at_key("seen").error() == simdjson::SUCCESS) {
    const auto seen = time_of(object, "seen");
    if (!seen) return wrong("'seen' is no time");
    v.seen = *seen;
  }
  if (text_of(object, "expires", kLongestId) != "never") {
    const auto expires = time_of(object, "expires");
    if (!expires) return wrong("'expires' is neither a time nor \"never\"");
    v.expires = *expires;
  }
  if (v.says == Judgement::kBenign) {
    if (v.reason.empty()) return wrong("a suppression needs a 'reason'");
    if (!score::parse_scope(text_of(object, "scope", kLongestId), v.scope)) return wrong("'scope' is no scope");
    if (!score::lacks(v).empty()) return wrong("it lacks what its scope goes by");
  }
  return v;
}

core::Expected<VerdictFile> read_verdicts(const std::string& path, std::uint64_t from, bool partial) {
  VerdictFile out;
  auto whole = whole_file(path, kMostVerdictBytes);
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) return out;
  out.bytes = std::move(**whole);
  const std::string_view all = out.bytes;
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < all.size();) {
    ++number;
    const std::size_t newline = all.find('\n', at);
    if (newline == all.npos && !partial) break;
    const std::size_t end = newline == all.npos ? all.size() : newline + 1;
    const std::string_view text = core::trim(all.substr(at, end - at));
    at = end;
    if (end <= from || text.empty()) continue;
    auto verdict = newline == all.npos ? core::fail("the line has no end") : parse_verdict(text);
    if (!verdict) {
      if (++out.all_damaged <= VerdictFile::kMostDamaged) out.damaged.push_back({number, verdict.error().message});
    } else {
      out.lines.push_back({std::move(*verdict), end, text});
    }
  }
  return out;
}

std::string verdict_id(const Verdict& verdict) {
  Verdict v = verdict;
  v.id.clear();
  return fmt::format("{:016x}", core::hash64(fmt::format("{}|{}", to_json(v), v.time)));
}

core::Expected<void> append_verdict(const std::string& path, const Verdict& verdict) {
  constexpr const char* kWhat = "cannot write the verdict";
  std::string folder = fs::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  struct stat home{};
  if (::stat(folder.c_str(), &home) != 0) return cannot(kWhat, folder, errno);
  // The folder may be another user's for root: no link leads out of it, and nothing waits.
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!file.open()) return cannot(kWhat, path, errno);
  if (::flock(file.get(), LOCK_EX) != 0) return cannot(kWhat, path, errno);
  struct stat now{};
  if (::fstat(file.get(), &now) != 0) return cannot(kWhat, path, errno);
  if (!S_ISREG(now.st_mode) || now.st_nlink > 1) return cannot(kWhat, path, EMLINK);
  if (::geteuid() == 0 && now.st_uid != home.st_uid && now.st_size == 0 &&
      ::fchown(file.get(), home.st_uid, home.st_gid) != 0)
    return cannot(kWhat, path, errno);
  std::string line = to_json(verdict) + "\n";
  char last = '\n';
  if (now.st_size > 0 && ::pread(file.get(), &last, 1, now.st_size - 1) != 1) return cannot(kWhat, path, errno);
  if (last != '\n') line.insert(0, 1, '\n');  // a failure has cut the line before
  if (line.size() > kMostVerdictLine || static_cast<std::size_t>(now.st_size) + line.size() > kMostVerdictBytes)
    return std::unexpected(core::Error{"there is no room for another verdict",
                                       fmt::format("{}: {} bytes", path, now.st_size),
                                       "move the file away to begin a new one", core::ErrorKind::kOutput});
  errno = ENOSPC;  // what a short write means
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    const int why = errno;
    (void)::ftruncate(file.get(), now.st_size);
    return cannot(kWhat, path, why);
  }
  if (::fsync(file.get()) != 0) return cannot(kWhat, path, errno);
  return {};
}

core::Expected<Verdict> find_case_in_store(const std::string& db, std::string_view begin) {
  if (auto good = usable(begin); !good) return std::unexpected(good.error());
  CaseRows rows;
  const std::string sql = fmt::format(
      "SELECT id, log_odds, json FROM findings WHERE starts_with(id, '{}') ORDER BY id = '{}' DESC, id LIMIT {}", begin,
      begin, kShownCases + 1);
  if (auto asked = store::query(db, sql, rows); !asked) return std::unexpected(asked.error());
  return only(rows.found, begin, db);
}

core::Expected<Verdict> find_case_in_state(const std::string& folder, std::string_view begin) {
  if (auto good = usable(begin); !good) return std::unexpected(good.error());
  std::map<std::string, std::pair<double, std::string>, std::less<>> found;
  const std::string index = fmt::format("{}/{}", folder, kFindingsIndex);
  bool there = false;
  const std::string wanted = fmt::format("\"id\":\"{}", begin);
  for (const std::string& path : {index + ".1", index}) {
    auto whole = whole_file(path, 2 * kMostIndexBytes);
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) continue;
    there = true;
    std::string_view rest = **whole;
    while (!rest.empty()) {
      const std::string_view line = core::take_until(rest, '\n');
      // "<log-odds> <the finding's JSON>"
      const std::size_t space = line.find(' ');
      if (space == line.npos || !line.substr(space + 2).starts_with(wanted) || !line.ends_with('}')) continue;
      const std::string_view json = line.substr(space + 1);
      const std::size_t id_at = wanted.size() - begin.size() + 1;
      std::string id(json.substr(id_at, json.find('"', id_at) - id_at));
      found[std::move(id)] = {real(line.substr(0, space)), std::string(json)};
      if (found.size() > 1'000) break;
    }
  }
  // Told by an earlier version, or too long ago for the index: the database has all of them, if nobody is writing it.
  const std::string db = folder + "/findings.duckdb";
  std::error_code ignored;
  if (found.empty() && fs::exists(db, ignored)) {
    if (auto stored = find_case_in_store(db, begin)) return stored;
  }
  if (!there)
    return core::fail("no findings of a service", folder, "name the folder of a service's state, or --db for a hunt's");
  return only(found, begin, folder);
}

core::Expected<void> append_to_index(const std::string& folder, std::span<const Finding> findings) {
  const std::string path = fmt::format("{}/{}", folder, kFindingsIndex);
  constexpr const char* kWhat = "cannot write the index of findings";
  std::string lines;
  for (const Finding& f : findings) lines += fmt::format("{:.6g} {}\n", f.log_odds, score::to_json(f));
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  struct stat now{};
  if (!file.open() || ::fstat(file.get(), &now) != 0) return cannot(kWhat, path, errno);
  char last = '\n';
  if (now.st_size > 0 && ::pread(file.get(), &last, 1, now.st_size - 1) == 1 && last != '\n') lines.insert(0, 1, '\n');
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t n = ::write(file.get(), lines.data() + done, lines.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return cannot(kWhat, path, n == 0 ? ENOSPC : errno);
    done += static_cast<std::size_t>(n);
  }
  if (static_cast<std::size_t>(now.st_size) + lines.size() < kMostIndexBytes) return {};
  if (::rename(path.c_str(), (path + ".1").c_str()) != 0) return cannot(kWhat, path, errno);
  return {};
}

core::Expected<void> write_hits(const std::string& folder, const score::Verdicts& verdicts) {
  const std::string path = fmt::format("{}/{}", folder, kUseFile);
  std::string text;
  for (const auto& entry : verdicts.entries()) {
    if (entry.hits == 0) continue;
    text += fmt::format("{{\"id\":\"{}\",\"hits\":{},\"last\":\"{}\"}}\n", entry.verdict.id, entry.hits,
                        core::rfc3339(entry.last));
  }
  const std::string partial = path + ".partial";
  constexpr const char* kWhat = "cannot write the use of suppressions";
  {
    const Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file.open()) return cannot(kWhat, partial, errno);
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return cannot(kWhat, partial, n == 0 ? ENOSPC : errno);
      done += static_cast<std::size_t>(n);
    }
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) return cannot(kWhat, path, errno);
  return {};
}

std::vector<SuppressionHits> read_hits(const std::string& folder) {
  std::vector<SuppressionHits> out;
  const auto whole = whole_file(fmt::format("{}/{}", folder, kUseFile), kMostVerdictBytes);
  if (!whole || !*whole) return out;
  std::string_view rest = **whole;
  simdjson::dom::parser parser;
  while (!rest.empty() && out.size() < score::kMostVerdicts) {
    const simdjson::padded_string line(core::take_until(rest, '\n'));
    element object;
    if (parser.parse(line).get(object) != simdjson::SUCCESS || !object.is_object()) continue;
    SuppressionHits hits;
    hits.id = text_of(object, "id", kLongestId);
    if (object.at_key("hits").get(hits.hits) != simdjson::SUCCESS) continue;
    hits.last = time_of(object, "last").value_or(0);
    out.push_back(std::move(hits));
  }
  return out;
}

core::Expected<std::vector<SuppressionHits>> hits_in_store(const std::string& db) {
  class HitRows : public store::RowSink {
   public:
    void columns(std::span<const std::string>, std::span<const store::ColumnType>) override {}
    bool row(std::span<const std::optional<std::string_view>> values) override {
      if (values.size() != 3 || !values[0]) return true;
      SuppressionHits& one = hits.emplace_back();
      one.id = *values[0];
      one.hits = core::parse_number<std::uint64_t>(values[1].value_or("")).value_or(0);
      one.last = core::parse_number<Nanoseconds>(values[2].value_or("")).value_or(0);
      return hits.size() < score::kMostVerdicts;
    }
    std::vector<SuppressionHits> hits;
  };
  HitRows rows;
  auto asked = store::query(db,
                            "SELECT suppressed_by, count(*), epoch_ns(max(end_time)) FROM findings "
                            "WHERE suppressed_by IS NOT NULL GROUP BY suppressed_by ORDER BY suppressed_by",
                            rows);
  if (!asked) return std::unexpected(asked.error());
  return std::move(rows.hits);
}

}  // namespace orbwatch::pipeline
