// What each threat feed is worth here: how much it lists, how fast that changes, how much of it others list as well,
// what it found, and how long what it lists stays listed. Reads what `orbwatch feeds update` keeps and, if there is
// one, a store file with findings; writes nothing.
//
// An indicator is what a statement names (kind and value), whatever its port. Two feeds overlap in indicators that are
// the same; an address in one and a prefix that holds it in the other do not, nor do one that calls it bad and one that
// calls it harmless.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"
#include "intel/decay/half_life.h"
#include "intel/feed_store/feed_source.h"
#include "track/estimate.h"

namespace orbwatch::pipeline {

// How long indicators of a kind stay listed, by Kaplan and Meier (track/survival.h): from the first update that had one
// to the first that had it no more; what is listed still counts as long as it has been. What stood there at the first
// reading counts from then. Days.
struct StayOnList {
  intel::decay::Kind kind = intel::decay::Kind::kAddress;
  core::NetworkType type = core::NetworkType::kUnknown;  // kUnknown: of any network
  std::uint64_t lives = 0;
  std::uint64_t removals = 0;
  double observed_days = 0;      // the longest
  double still_listed_then = 1;  // share, 0..1
  // Half of them have left by then, with an interval of 90 %; absent: fewer than half have.
  std::optional<track::Estimate> half;
  bool sure = false;  // kEnoughRemovals, and high <= kNarrow * low
};
// docs/lifecycle.md measured it: with some 70 deaths nine of ten estimates are within 20 % of the truth.
constexpr std::uint64_t kEnoughRemovals = 70;
constexpr double kNarrow = 1.5;

enum class FeedAdvice : std::uint8_t { kNone, kKeep, kWatch, kDrop };
std::string_view name(FeedAdvice advice);  // "none", "keep", "watch", "drop"

struct FeedScore {
  std::string name;
  bool known_good = false;
  std::uint64_t indicators = 0;  // listed
  double history_days = 0;       // from the first update to the newest, 180 at most
  // Absent: less than a day is known.
  std::optional<double> added_per_day, removed_per_day;
  std::vector<std::pair<std::string, double>> overlap;  // share that another feed lists as well, the largest first
  double unique = 1;                                    // share that no other feed lists
  // Of findings; an indicator that several feeds name is a hit of each.
  std::uint64_t hits = 0, hits_true = 0, hits_false = 0;
  std::uint64_t only_here_true = 0;  // true hits that no other feed named
  // Median of: when it was first seen here, less the feed's date. Above 0: the feed knew first. Days.
  std::optional<double> lead_days;
  std::uint64_t dated_hits = 0;  // what that rests on
  std::optional<double> price_per_year;
  std::optional<double> cost_per_true_hit;  // the price of the days that the store's findings span, by hits_true
  std::vector<StayOnList> stays;
  FeedAdvice advice = FeedAdvice::kNone;
  std::string reason;  // a sentence
};
// No advice by hits below so many verdicts, and none by overlap below so many days and indicators.
constexpr std::uint64_t kEnoughVerdicts = 5;
constexpr double kEnoughDays = 30;
constexpr std::uint64_t kEnoughIndicators = 20;

struct FeedScoreRequest {
  std::vector<intel::FeedSource> sources;
  std::string folder;
  std::string store;  // a store file with findings; "" = no hits
  // Of addresses; empty: unknown.
  std::function<core::NetworkType(const core::Ip&)> type_of;
};
// In the order of the sources; those without a document are left out. Errors: a damaged file, the store cannot be read.
core::Expected<std::vector<FeedScore>> score_feeds(const FeedScoreRequest& request);

}  // namespace orbwatch::pipeline
