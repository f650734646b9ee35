// The sequential half of the pipeline: enriched events in time order go through sessions, baseline, detectors, score
// and cases. Scores are taken before the event is learned; what ends in an alert is quarantined from learning.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "baseline/baseline.h"
#include "detect/all.h"
#include "enrich/enrich.h"
#include "enrich/sessions.h"
#include "event/batch.h"
#include "intel/indicators.h"
#include "score/budget.h"
#include "score/report.h"
#include "track/cases.h"

namespace orbwatch::pipeline {

// From 1970 up to 2200. Other times are damage, 0 included; calculating with them could overflow.
constexpr bool plausible(core::Nanoseconds time) { return time > 0 && time < 7'258'118'400 * core::kSecond; }

class Judge {
 public:
  // All references must outlive the judge. `names`: path of each input by RecordRef::source.
  Judge(const enrich::Enricher& enricher, const intel::Indicators* indicators, double alerts_per_day,
        const std::vector<std::string>& names);
  ~Judge();

  // Not thread-safe. Events of all inputs in ascending time (a little disorder does no harm); observations of devices
  // at any time, best before all others.
  void take(const event::Event& event, const event::EventBatch& batch);
  // Settles what is pending and writes findings, hypotheses, overview and notes into `result`.
  void finish(score::HuntResult& result);

  const baseline::Baseline& baseline() const { return baseline_; }

 private:
  struct Path {
    core::NetworkType type;
    core::Symbol gateway;
    core::Symbol user;
    friend bool operator==(const Path&, const Path&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Path& p) {
      return H::combine(std::move(h), static_cast<int>(p.type), p.gateway, p.user);
    }
  };
  struct PlaceCount {
    std::uint32_t facts = 0;
    std::uint64_t logins = 0;
    std::uint64_t failures = 0;
  };

  // A log-in from a network new to the user: until baseline::kProbation is over, his return may shed light on it, and
  // it is judged once more.
  struct Move {
    event::Event event;
    std::vector<detect::Evidence> evidence;
    std::vector<enrich::RawLine> lines;
  };
  using MoveKey = std::pair<core::Symbol, std::uint64_t>;  // user and prefix key

  void remember_move(const event::Event& event, std::vector<detect::Evidence> evidence,
                     const std::vector<enrich::RawLine>* lines);
  void judge_moves(const event::Event& event);
  void judge(const event::Event& event, const std::vector<enrich::RawLine>* lines, const event::EventBatch* batch);
  void observe(const event::Event& event, const event::EventBatch& batch);
  void note_trait(const event::Event& event);
  void settle(core::Nanoseconds now);
  void count(const event::Event& event);
  void count_login(const event::Event& event, bool success);
  score::SourceFacts source_facts(const core::Ip& ip, std::uint32_t facts) const;
  void add_scored(const event::Event& event, detect::FindingKind kind, double log_odds,
                  std::vector<detect::Evidence> evidence, const std::vector<enrich::RawLine>* lines,
                  const event::EventBatch* batch);

  const enrich::Enricher& enricher_;
  const intel::Indicators* indicators_;
  double alerts_per_day_;
  const std::vector<std::string>& names_;
  baseline::Baseline baseline_;
  enrich::SessionStitcher stitcher_;
  std::vector<std::unique_ptr<detect::Detector>> detectors_;
  std::vector<std::vector<const detect::Detector*>> by_class_;  // detectors that look at a class
  std::vector<std::uint64_t> events_of_class_;
  detect::EvidenceSink sink_{false};
  score::RunningThreshold threshold_;
  track::Cases cases_;
  absl::flat_hash_map<MoveKey, Move> moves_;
  std::deque<std::pair<core::Nanoseconds, MoveKey>> move_order_;  // oldest first
  score::Overview overview_;
  absl::flat_hash_map<Path, std::uint64_t> paths_;
  absl::flat_hash_map<std::uint32_t, PlaceCount> places_;
  std::int64_t day_ = INT64_MIN;
  score::Overview::Day* today_ = nullptr;
  core::Nanoseconds now_ = 0;
  core::Nanoseconds first_ = 0;
  core::Nanoseconds first_scan_ = 0;  // times of device observations, which are not within first_ and now_
  core::Nanoseconds last_scan_ = 0;
  std::uint64_t vpn_logins_ = 0;
  std::uint64_t authentications_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t flows_ = 0;
  std::uint64_t undated_ = 0;
  std::uint64_t logins_ = 0;
};

}  // namespace orbwatch::pipeline
