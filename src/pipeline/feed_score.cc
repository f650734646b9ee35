#include "pipeline/feed_score.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/symbol.h"
#include "detect/feed_hit.h"
#include "intel/feed_store/feed_file.h"
#include "intel/feed_store/feed_store.h"
#include "intel/feed_table.h"
#include "pipeline/feeds.h"
#include "store/sightings.h"
#include "track/survival.h"

namespace orbwatch::pipeline {
namespace {

using core::Expected;
using core::Nanoseconds;
using core::NetworkType;
using intel::FeedFile;
using intel::FeedKind;
using intel::FeedStatement;
using intel::IndicatorTable;
using intel::decay::Kind;

constexpr double kNearlyAll = 0.95;
constexpr double kDaysOfAYear = 365.25;
// Of a kind of network that few live in there is nothing to tell.
constexpr std::uint64_t kFewestLives = 20;
constexpr std::size_t kSeveral = 5;

double days(Nanoseconds time) { return static_cast<double>(time) / static_cast<double>(core::kDay); }

std::optional<Kind> kind_of(const FeedStatement& s) {
  switch (s.kind) {
    case FeedKind::kPrefix: return s.prefix.bits == (s.prefix.base.is_v4() ? 32 : 128) ? Kind::kAddress : Kind::kPrefix;
    case FeedKind::kDomain: return Kind::kDomain;
    case FeedKind::kUrl: return Kind::kUrl;
    case FeedKind::kCertificateFingerprint:
    case FeedKind::kCertificateSubject:
    case FeedKind::kCertificateIssuer: return Kind::kCertificate;
    case FeedKind::kAutonomousSystem: return std::nullopt;  // an operator is no node
    default: return Kind::kFingerprint;
  }
}

// What is called harmless and what is called bad have nothing in common.
std::uint64_t identity(const FeedStatement& s) {
  return core::hash64(s.value, 2 * static_cast<std::uint64_t>(s.kind) + (s.known_good ? 1 : 2));
}

std::vector<StayOnList> stays_of(const FeedFile& file, const FeedScoreRequest& request) {
  // What left the list before this moment is forgotten: lives are known from then on (delayed entry).
  const Nanoseconds known_from = file.updated - intel::FeedStore::kKeptFor;
  std::map<std::pair<Kind, NetworkType>, std::vector<track::Life>> groups;
  for (const FeedStatement& s : file.statements) {
    const auto kind = kind_of(s);
    const Nanoseconds end = s.listed() ? file.updated : s.listed_until;
    const track::Life life{std::max(0.0, days(known_from - s.listed_from)), days(end - s.listed_from), !s.listed()};
    if (!kind || s.known_good || life.exit <= life.entry) continue;
    const auto add = [&](NetworkType type) {
      auto& lives = groups[{*kind, type}];
      if (lives.size() < track::kMostLives) lives.push_back(life);
    };
    add(NetworkType::kUnknown);
    if (*kind != Kind::kAddress || !request.type_of) continue;
    if (const NetworkType type = request.type_of(s.prefix.base); type != NetworkType::kUnknown) add(type);
  }
  std::vector<StayOnList> out;
  for (const auto& [group, lives] : groups) {
    if (group.second != NetworkType::kUnknown && lives.size() < kFewestLives) continue;
    const auto curve = track::kaplan_meier(lives);
    if (!curve) continue;  // every life was checked above
    StayOnList stay;
    stay.kind = group.first;
    stay.type = group.second;
    stay.lives = curve->lives;
    stay.removals = curve->deaths;
    stay.observed_days = curve->last_day;
    stay.still_listed_then = curve->survival_at(curve->last_day);
    if (curve->median && curve->median_low) {
      // The band may not come down to a half while anything is listed: then there is no upper end. Where all of several
      // left at once, as from lists that drop what has reached an age, that moment is it: the band is not defined at 0.
      const track::SurvivalStep& end = curve->steps.back();
      const bool all_left = end.survival <= 0 && end.at_risk >= kSeveral;
      const double high = curve->median_high.value_or(all_left ? end.days : std::numeric_limits<double>::infinity());
      stay.half = track::Estimate{*curve->median, *curve->median_low, high};
      stay.sure = stay.removals >= kEnoughRemovals && high <= kNarrow * *curve->median_low && !curve->thin_start;
    }
    out.push_back(stay);
  }
  return out;
}

// What feeds say of a subject: their dates, 0 where they state none.
std::map<std::string, Nanoseconds, std::less<>> named_by(const IndicatorTable* table, const std::string& subject) {
  std::map<std::string, Nanoseconds, std::less<>> out;
  if (table == nullptr) return out;
  for (const std::uint32_t entry : entries_of(*table, subject)) {
    intel::StatementReader reader = table->statements(entry);
    intel::IndicatorStatement s;
    while (reader.next(s)) {
      if ((s.flags & (intel::kKnownGood | intel::kContextOnly)) != 0) continue;
      const Nanoseconds date = (s.first_seen != 0 ? s.first_seen : s.valid_from) * core::kSecond;
      auto [at, added] = out.try_emplace(std::string(table->feed_name(s.feed)), date);
      if (!added && date != 0 && (at->second == 0 || date < at->second)) at->second = date;
    }
  }
  return out;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// A finding is one hit of a feed, however many of its subjects the feed names.
Expected<void> count_hits(const FeedScoreRequest& request, std::vector<FeedScore>& scores) {
  const auto evidence = store::evidence_of(request.store, "indicator");
  if (!evidence) return std::unexpected(evidence.error());
  const auto feeds = open_feeds(request.folder, request.sources);
  if (!feeds) return std::unexpected(feeds.error());
  const IndicatorTable* table = *feeds != nullptr ? &(*feeds)->table : nullptr;

  struct Hit {
    std::string verdict;
    std::set<std::string, std::less<>> feeds;
  };
  std::map<std::string, Hit> hits;  // by finding
  std::map<std::string, std::pair<Nanoseconds, std::map<std::string, Nanoseconds, std::less<>>>> subjects;
  for (const store::StoredEvidence& e : *evidence) {
    const auto said = detect::parse_feed_hit(e.says);
    if (!said) continue;
    auto [at, added] = subjects.try_emplace(said->subject, e.time, std::map<std::string, Nanoseconds, std::less<>>());
    if (added) at->second.second = named_by(table, said->subject);
    if (e.time != 0) at->second.first = std::min(at->second.first, e.time);
    Hit& hit = hits[e.finding];
    hit.verdict = e.verdict;
    for (const detect::FeedHit::Entry& entry : said->entries) hit.feeds.insert(entry.feed);  // whatever they say now
    for (const auto& [feed, date] : at->second.second) hit.feeds.insert(feed);
  }
  for (FeedScore& score : scores) {
    for (const auto& [finding, hit] : hits) {
      if (!hit.feeds.contains(score.name)) continue;
      ++score.hits;
      if (hit.verdict == "true") {
        ++score.hits_true;
        score.only_here_true += hit.feeds.size() == 1 ? 1 : 0;
      } else if (!hit.verdict.empty()) {
        ++score.hits_false;
      }
    }
    std::vector<double> leads;
    for (const auto& [subject, seen] : subjects) {
      const auto at = seen.second.find(score.name);
      if (at != seen.second.end() && at->second != 0 && seen.first != 0) leads.push_back(days(seen.first - at->second));
    }
    score.dated_hits = leads.size();
    if (!leads.empty()) score.lead_days = median(std::move(leads));
  }
  return {};
}

void advise(FeedScore& s, bool alone, bool with_store) {
  const std::uint64_t judged = s.hits_true + s.hits_false;
  const auto say = [&](FeedAdvice advice, std::string reason) {
    s.advice = advice;
    s.reason = std::move(reason);
  };
  if (s.known_good) return say(FeedAdvice::kNone, "It lists what is harmless: hits are not what it is for.");
  if (judged >= kEnoughVerdicts && s.only_here_true > 0)
    return say(FeedAdvice::kKeep, fmt::format("{} of its {} judged hits were true, {} of them named by no other feed.",
                                              s.hits_true, judged, s.only_here_true));
  const bool known_well = s.history_days >= kEnoughDays && s.indicators >= kEnoughIndicators && !alone;
  if (known_well && with_store && 1 - s.unique >= kNearlyAll && s.only_here_true == 0)
    return say(
        FeedAdvice::kDrop,
        fmt::format("{:.0f} % of it stands in other feeds, and no true hit came from it alone.", 100 * (1 - s.unique)));
  if (judged < kEnoughVerdicts) {
    return say(FeedAdvice::kNone,
               with_store ? fmt::format("Too little is known: {} judged hits, {} are needed.", judged, kEnoughVerdicts)
                          : "Hits are not known: --store names a file with findings.");
  }
  if (s.hits_true == 0) return say(FeedAdvice::kDrop, fmt::format("None of its {} judged hits was true.", judged));
  if (2 * s.hits_true >= judged)
    return say(FeedAdvice::kKeep, fmt::format("{} of its {} judged hits were true.", s.hits_true, judged));
  say(FeedAdvice::kWatch, fmt::format("Only {} of its {} judged hits were true.", s.hits_true, judged));
}

}  // namespace

std::string_view name(FeedAdvice advice) {
  static constexpr std::string_view kNames[] = {"none", "keep", "watch", "drop"};
  return kNames[static_cast<std::size_t>(advice)];
}

Expected<std::vector<FeedScore>> score_feeds(const FeedScoreRequest& request) {
  std::vector<FeedScore> out;
  std::vector<std::vector<std::uint64_t>> listed;  // of each, sorted
  for (const intel::FeedSource& source : request.sources) {
    const auto file = intel::load_feed_file(request.folder, source.name);
    if (!file) return std::unexpected(file.error());
    if (file->first == 0) continue;
    FeedScore score;
    score.name = source.name;
    score.known_good = source.settings.known_good;
    const Nanoseconds from = std::max(file->first, file->updated - intel::FeedStore::kKeptFor);
    score.history_days = days(file->updated - from);
    std::uint64_t added = 0, removed = 0;
    std::vector<std::uint64_t> here;
    for (const FeedStatement& s : file->statements) {
      added += s.listed_from > from ? 1 : 0;
      removed += s.listed() ? 0 : 1;
      if (s.listed()) here.push_back(identity(s));
    }
    std::ranges::sort(here);
    here.erase(std::ranges::unique(here).begin(), here.end());
    score.indicators = here.size();
    if (score.history_days >= 1) {
      score.added_per_day = static_cast<double>(added) / score.history_days;
      score.removed_per_day = static_cast<double>(removed) / score.history_days;
    }
    score.stays = stays_of(*file, request);
    if (source.price_per_year > 0) score.price_per_year = source.price_per_year;
    out.push_back(std::move(score));
    listed.push_back(std::move(here));
  }
  absl::flat_hash_map<std::uint64_t, std::uint32_t> feeds_of;
  for (const auto& here : listed) {
    for (const std::uint64_t indicator : here) ++feeds_of[indicator];
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (listed[i].empty()) continue;
    const auto all = static_cast<double>(listed[i].size());
    out[i].unique =
        static_cast<double>(std::ranges::count_if(listed[i], [&](std::uint64_t x) { return feeds_of[x] == 1; })) / all;
    for (std::size_t j = 0; j < out.size(); ++j) {
      if (i == j) continue;
      const auto common =
          std::ranges::count_if(listed[i], [&](std::uint64_t x) { return std::ranges::binary_search(listed[j], x); });
      if (common > 0) out[i].overlap.emplace_back(out[j].name, static_cast<double>(common) / all);
    }
    std::ranges::stable_sort(out[i].overlap, std::ranges::greater(), &std::pair<std::string, double>::second);
  }
  double findings_days = 0;
  if (!request.store.empty()) {
    const auto span = store::span_of_findings(request.store);
    if (!span) return std::unexpected(span.error());
    findings_days = days(span->second - span->first);
    if (const auto counted = count_hits(request, out); !counted) return std::unexpected(counted.error());
  }
  for (FeedScore& score : out) {
    // A store of less than a day says nothing of a year.
    if (score.price_per_year && score.hits_true > 0 && findings_days >= 1)
      score.cost_per_true_hit =
          *score.price_per_year * findings_days / kDaysOfAYear / static_cast<double>(score.hits_true);
    advise(score, out.size() == 1, !request.store.empty());
  }
  return out;
}

}  // namespace orbwatch::pipeline
