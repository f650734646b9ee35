#include "pipeline/feed_search.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/text.h"
#include "intel/feed_store/feed_file.h"
#include "intel/feed_store/feed_store.h"
#include "intel/feed_table.h"
#include "pipeline/feeds.h"

namespace orbwatch::pipeline {
namespace {

using core::Expected;
using core::Nanoseconds;
using core::NetworkType;
using intel::IndicatorStatement;
using intel::IndicatorTable;
using intel::TextKind;
using store::SubjectKind;

constexpr std::size_t kMostMarks = 1'000;

double days(Nanoseconds time) { return static_cast<double>(time) / static_cast<double>(core::kDay); }
Nanoseconds moment(std::uint32_t seconds) { return seconds * core::kSecond; }

// A text of one kind of the store may be one of several kinds of fingerprints; they do not look alike, or a clash of
// two hashes would be needed.
std::span<const TextKind> kinds_of(SubjectKind kind) {
  static constexpr std::array kClient = {TextKind::kJa3, TextKind::kJa4, TextKind::kHassh};
  static constexpr std::array kServer = {TextKind::kJa3s, TextKind::kJa4s, TextKind::kJarm, TextKind::kHasshServer};
  static constexpr std::array kCertificate = {TextKind::kCertificate};
  static constexpr std::array kBanner = {TextKind::kBanner};
  switch (kind) {
    case SubjectKind::kClientFingerprint: return kClient;
    case SubjectKind::kServerFingerprint: return kServer;
    case SubjectKind::kCertificate: return kCertificate;
    case SubjectKind::kBanner: return kBanner;
    case SubjectKind::kAddress: break;
  }
  return {};
}

void entries_of_subject(const IndicatorTable& table, SubjectKind kind, std::string_view text,
                        std::vector<std::uint32_t>& out) {
  out.clear();
  if (kind == SubjectKind::kAddress) {
    const auto ip = core::Ip::parse(text);
    if (!ip) return;
    std::array<std::uint32_t, IndicatorTable::kMostPrefixes> found;
    out.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(table.find_all(*ip, found)));
    return;
  }
  for (const TextKind text_kind : kinds_of(kind)) {
    const auto entry = table.find_text(text_kind, text);
    if (entry != IndicatorTable::kNone) out.push_back(entry);
  }
}

bool comparable(const intel::FeedStatement& s) {
  return s.kind != intel::FeedKind::kAutonomousSystem && (s.has_prefix || s.host.empty()) &&
         s.kind != intel::FeedKind::kDomain && !intel::table_key(s).empty();
}

// By feed, key and port: when it came up.
using News = absl::flat_hash_map<std::string, Nanoseconds>;

std::string news_key(std::string_view feed, std::uint16_t port, const std::string& table_key) {
  return fmt::format("{} {} {}", feed, port, table_key);
}

Expected<News> news_of(const FeedSearchRequest& request, FeedSearch& out) {
  News news;
  for (const intel::FeedSource& source : request.sources) {
    const auto file = intel::load_feed_file(request.folder, source.name);
    if (!file) return std::unexpected(file.error());
    out.newest = std::max(out.newest, file->updated);
    for (const intel::FeedStatement& s : file->statements) {
      if (!s.listed() || s.listed_from <= request.since || s.known_good || !s.detect || s.revoked) continue;
      if (!comparable(s)) {
        ++out.not_comparable;
        continue;
      }
      ++out.indicators;
      auto [at, added] = news.try_emplace(news_key(source.name, s.port, intel::table_key(s)), s.listed_from);
      if (!added) at->second = std::min(at->second, s.listed_from);
    }
  }
  return news;
}

// What the table says of one subject that is new.
struct Candidate {
  IndicatorStatement statement;
  std::string indicator, label;
  intel::decay::Kind kind;
  Nanoseconds listed = 0;
};
struct Subject {
  std::vector<Candidate> candidates;
  std::string known_good;
};

Subject look_up(const IndicatorTable& table, std::span<const std::uint32_t> entries, const News& news) {
  Subject out;
  for (const std::uint32_t entry : entries) {
    const intel::IndicatorKey key = table.key(entry);
    intel::StatementReader reader = table.statements(entry);
    IndicatorStatement s;
    while (reader.next(s)) {
      if ((s.flags & intel::kKnownGood) != 0) out.known_good = table.feed_name(s.feed);
      const auto at = news.find(news_key(table.feed_name(s.feed), s.port, intel::table_key(key)));
      if (at == news.end()) continue;
      Candidate c{s, intel::value_of(key), std::string(s.label), intel::kind_of(key), at->second};
      c.statement.label = {};
      out.candidates.push_back(std::move(c));
    }
  }
  return out;
}

}  // namespace

Expected<FeedSearch> search_store(const FeedSearchRequest& request) {
  const auto feeds = open_feeds(request.folder, request.sources);
  if (!feeds) return std::unexpected(feeds.error());
  if (*feeds == nullptr)
    return core::fail("there is no table of feeds yet", request.folder, "run `orbwatch feeds update`");
  const IndicatorTable& table = (*feeds)->table;
  FeedSearch out;
  const auto news = news_of(request, out);
  if (!news) return std::unexpected(news.error());
  if (news->empty()) return out;

  std::map<SubjectKind, std::map<std::string, Subject, std::less<>>> found;
  std::size_t kept = 0;
  std::vector<std::uint32_t> entries;
  const auto read = store::each_subject(request.store, [&](SubjectKind kind, std::string_view text) {
    ++out.subjects;
    entries_of_subject(table, kind, text, entries);
    if (entries.empty()) return true;
    Subject subject = look_up(table, entries, *news);
    if (subject.candidates.empty()) return true;
    if (kept + subject.candidates.size() > kMostSeen) {
      out.left_out += subject.candidates.size();
      return true;
    }
    kept += subject.candidates.size();
    found[kind].emplace(std::string(text), std::move(subject));
    return true;
  });
  if (!read) return std::unexpected(read.error());

  for (auto& [kind, subjects] : found) {
    std::vector<std::string> texts;
    texts.reserve(subjects.size());
    for (const auto& [text, subject] : subjects) texts.push_back(text);
    const auto sightings = store::sightings_of(request.store, kind, texts);
    if (!sightings) return std::unexpected(sightings.error());
    for (const store::Sighting& seen : *sightings) {
      const auto at = subjects.find(seen.text);
      if (at == subjects.end()) continue;
      NetworkType type = NetworkType::kUnknown;
      if (const auto ip = core::Ip::parse(seen.text); ip && request.type_of) type = request.type_of(*ip);
      for (const Candidate& c : at->second.candidates) {
        const auto belief = [&](Nanoseconds time) {
          return (*feeds)->belief(c.statement, c.kind, type, time).confidence.value;
        };
        SeenIndicator one;
        one.confidence = std::max(belief(seen.first), belief(seen.last));
        if (one.confidence <= 0) {
          ++out.not_believed;
          continue;
        }
        one.seen = seen;
        one.indicator = c.indicator;
        one.feed = table.feed_name(c.statement.feed);
        one.label = c.label;
        one.port = c.statement.port;
        one.listed = c.listed;
        const std::uint32_t own = c.statement.first_seen != 0 ? c.statement.first_seen : c.statement.valid_from;
        one.dated = own != 0 ? moment(own) : c.listed;
        one.days_before_feed = days(one.dated - seen.first);
        one.known_good = at->second.known_good;
        out.seen.push_back(std::move(one));
      }
    }
  }
  std::ranges::stable_sort(out.seen, [](const SeenIndicator& a, const SeenIndicator& b) {
    return std::tie(a.seen.first, a.seen.text, a.feed, a.indicator, a.port) <
           std::tie(b.seen.first, b.seen.text, b.feed, b.indicator, b.port);
  });
  return out;
}

namespace {

std::string mark_file(const std::string& folder) { return folder + "/searched"; }

std::string mark_name(const std::string& store) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(store, error);
  return error ? store : path.string();
}

// Lines of "MOMENT STORE", the newest search last.
std::vector<std::pair<Nanoseconds, std::string>> marks_of(const std::string& folder) {
  std::vector<std::pair<Nanoseconds, std::string>> out;
  std::ifstream in(mark_file(folder), std::ios::binary);
  for (std::string line; std::getline(in, line) && out.size() < kMostMarks;) {
    std::string_view rest = line;
    const auto time = core::parse_number<Nanoseconds>(core::take_until(rest, ' '));
    if (time && *time > 0 && !rest.empty()) out.emplace_back(*time, rest);
  }
  return out;
}

}  // namespace

Nanoseconds searched_until(const std::string& folder, const std::string& store) {
  const std::string name = mark_name(store);
  for (const auto& [time, of] : marks_of(folder)) {
    if (of == name) return time;
  }
  return 0;
}

Expected<void> note_search(const std::string& folder, const std::string& store, Nanoseconds newest) {
  const std::string name = mark_name(store);
  auto marks = marks_of(folder);
  std::erase_if(marks, [&](const auto& mark) { return mark.second == name; });
  if (name.find('\n') == name.npos) marks.emplace_back(newest, name);
  if (marks.size() > kMostMarks) marks.erase(marks.begin());
  const std::string path = mark_file(folder);
  std::ofstream file(path + ".partial", std::ios::binary | std::ios::trunc);
  for (const auto& [time, of] : marks) file << time << ' ' << of << '\n';
  file.close();
  if (!file || std::rename((path + ".partial").c_str(), path.c_str()) != 0) {
    return std::unexpected(core::Error{"cannot note what was searched", path, "the next search compares all again",
                                       core::ErrorKind::kOutput});
  }
  return {};
}

}  // namespace orbwatch::pipeline
