// The sequential half of the pipeline: enriched events in time order go through sessions, baseline, detectors, score
// and cases. Scores are taken before the event is learned; what ends in an alert is quarantined from learning.
//
// A hunt takes all events and asks for the findings at the end. A service asks for what has changed as often as it
// likes, lets time pass where no events come, and saves the state, so that another process can go on with it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "baseline/baseline.h"
#include "core/archive.h"
#include "core/error.h"
#include "detect/all.h"
#include "enrich/enrich.h"
#include "enrich/sessions.h"
#include "event/batch.h"
#include "intel/decay/local_verdicts.h"
#include "intel/indicators.h"
#include "pipeline/learned_half_lives.h"
#include "pipeline/network_signs.h"
#include "score/budget.h"
#include "score/intrusion_wave.h"
#include "score/repeated.h"
#include "score/report.h"
#include "score/verdicts.h"
#include "track/cases.h"

namespace orbwatch::pipeline {

// From 1970 up to 2200. Other times are damage, 0 included; calculating with them could overflow.
constexpr bool plausible(core::Nanoseconds time) { return time > 0 && time < 7'258'118'400 * core::kSecond; }

// How often a service asks for what has changed: whenever event time enters another such interval.
constexpr core::Nanoseconds kHandOut = 10 * core::kSecond;

class Judge {
 public:
  // All references must outlive the judge. `names`: path of each input by RecordRef::source.
  Judge(const enrich::Enricher& enricher, const intel::Indicators* indicators, double alerts_per_day,
        const std::vector<std::string>& names);
  ~Judge();

  // How a raw record is kept with the log-in or finding of an event: what it gives is copied. Before the first take().
  using RawRecord = std::function<std::string_view(const event::Event& event, std::string_view record)>;
  void keep_raw_as(RawRecord how) { raw_as_ = std::move(how); }

  // Whether feeds that state no half-life of their own decay by what is learned of covert networks here
  // (learned_half_lives.h): by default they do. Before the first take().
  void use_learned_half_lives(bool use) { learn_half_lives_ = use; }

  // Whether what is known of other accounts counts for a log-in (score/intrusion_wave.h): by default it does. Without,
  // each stands for itself: for whoever puts many intrusions into a history to see which would be found. Before the
  // first take().
  void judge_accounts_alone(bool alone) { alone_ = alone; }

  // Every log-in as the detectors see it, its lines joined, in the order in which they are judged and just before.
  void show_logins_to(std::function<void(const event::Event&)> visit) { login_seen_ = std::move(visit); }
  // What an analyst said: it counts for everything that is judged or told from here on, and for findings that are still
  // held. Of a log-in that was an intruder's the baseline forgets what it taught, and what his network brings is
  // learned by nobody; of one that was the user's own what is in quarantine is learned. The entries of feeds that its
  // evidence names are believed more, or less, from here on; evidence that was given stays as it is.
  score::Verdicts::Taken take_verdict(const score::Verdict& verdict);
  const score::Verdicts& verdicts() const { return verdicts_; }
  // How often a suppression kept an alert back; grows with every such finding.
  std::uint64_t suppressed() const { return suppressed_; }

  // Not thread-safe. Events of all inputs in ascending time (a little disorder does no harm); observations of devices
  // at any time, best before all others.
  void take(const event::Event& event, const event::EventBatch& batch);
  // Settles what is pending and writes findings, hypotheses, overview and notes into `result`.
  void finish(score::HuntResult& result);

  // Before anything else, for whoever calls changed(): also findings that had to leave before they could be told are
  // told then (see track::Cases). It is to be called between two events whenever crowded() says so.
  void tell_of_all() { cases_.tell_of_all(); }
  bool crowded() const { return cases_.crowded(); }
  // Every finding that is new or has changed since the last call, as it stands now, in the order in which they changed
  // first. Its id never changes as it grows, and is the one that finish() gives it.
  //
  // `alert` is what can be said live: whether its log-odds reach the line that score::RunningThreshold draws over the
  // log-ins of the 28 days that have ended, at the time of this call. The line of finish() differs: it is drawn over
  // all findings, of every kind, each once with its final score, over all days except the first week. While less than a
  // day is known the line stands at its lowest, so that a service alerts more in its first days than a hunt over the
  // same records would. A finding is not told again when only the line has moved.
  //
  // Calling this marks a service: it bounds what a hunt keeps for its report. Once a day of event time, findings that
  // were told leave when they are closed (track::kKeptClosed); days of the overview when they are more than 400 days
  // past; its places and paths when nobody has used them for 90 days.
  void changed(const std::function<void(const score::Finding&)>& visit);
  // The same for a hunt that wants to know what a service would have said meanwhile: nothing leaves, and finish() gives
  // what it would have given without.
  void look(const std::function<void(const score::Finding&)>& visit);

  // Event time has come to `now`, though no event says so: log-ins that are complete by then (enrich::kSettle) are
  // judged, which a quiet source would otherwise hold back until its next record. `now` must come out of a record, or
  // be a time of arrival that was recorded with the records; never the clock's, or a replay would differ. The result is
  // the same as without the call as long as no event older than `now` follows. A time that has passed does nothing.
  void advance(core::Nanoseconds now);

  // All that this judge knows: profiles, open sessions, findings, what is on probation, counters. What is given to the
  // constructor is not part of it and may differ when it is loaded: facts of addresses are looked up anew, inputs are
  // known by their paths, another budget counts from then on. A judge that has loaded the state gives what the saved
  // one would have given, byte for byte, if it is given the same. Errors of writing stick to the writer.
  void save(core::ArchiveWriter& archive) const;
  // Into a judge that has taken nothing yet. Errors: damage; another layout, which is refused. After one the judge is
  // to be thrown away; a new one learns from the beginning.
  core::Expected<void> load(core::ArchiveReader& archive);

  const baseline::Baseline& baseline() const { return baseline_; }
  // The covert networks as they are known now (score/network.h).
  const NetworkSigns& networks() const { return signs_; }
  // As finish() gives them, but as they stand: nothing is clustered for it, and nothing changes. `findings` are those
  // that are still held and were told last as linked with it. Takes up to about a second for each large network
  // (track::NetworkTracker::networks).
  std::vector<score::Network> networks_in_full() const;

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
  struct PathCount {
    std::uint64_t logins = 0;
    std::int64_t day = 0;  // of the last one, since 1970
  };
  struct PlaceCount {
    core::Ip ip;  // the first address seen there: its facts name the place
    std::uint64_t logins = 0;
    std::uint64_t failures = 0;
    std::int64_t day = 0;
  };

  // A log-in from a network new to the user: until baseline::kProbation is over, what he does may shed light on it, and
  // it is judged once more.
  struct Move {
    event::Event event;
    std::uint64_t network = 0;  // View::network_key
    bool client_new = false;
    std::vector<detect::Evidence> evidence;
    std::vector<enrich::RawLine> lines;
    double worth = 0;        // log-odds of the evidence, the prior and what other log-ins and accounts lend it left out
    double other_worth = 0;  // of the strangest other one, as it is in `evidence`
    track::Story story;
    // What is said anew of each log-in and session from this network adds up (add_up()).
    static constexpr std::size_t kAddsUp = 7;
    std::array<score::Repeated, kAddsUp> repeated{};
    // Further log-ins from this network that no finding lists, the first kMostRepeats, and their log-odds.
    static constexpr std::size_t kMostRepeats = 8;
    std::vector<std::pair<event::Event, double>> repeats;
  };
  using MoveKey = std::pair<core::Symbol, std::uint64_t>;  // user and network

  void remember_move(const event::Event& event, const baseline::View& view, std::vector<detect::Evidence> evidence,
                     const std::vector<enrich::RawLine>* lines, track::Story story);
  static void add_up(Move& move, detect::Evidence evidence, bool whole);
  void repeat_move(const event::Event& event, const baseline::View& view, std::optional<detect::Evidence> hour,
                   double log_odds, bool listed);
  std::vector<detect::Evidence> with_network(const event::Event& event, const baseline::View& view,
                                             std::vector<detect::Evidence> own) const;
  void list_repeats(Move& move);
  double own_log_odds(const std::vector<detect::Evidence>& evidence, core::Nanoseconds time);
  double worth(const std::vector<detect::Evidence>& evidence, core::Nanoseconds time);
  double combine(detect::FindingKind kind, const std::vector<detect::Evidence>& evidence, core::Nanoseconds time);
  enum class Said : std::uint8_t { kNothing, kIntruder, kOwn };
  Said said_of(const event::Event& login) const;
  void note_in_wave(const event::Event& login, double own_log_odds, Said said);
  // learned: those of its sources whose log-ins were not refused before.
  void teach(const score::Verdict& verdict, std::span<const core::Ip> learned);
  void learn_half_lives();
  void teach_indicators(const score::Verdict& verdict);
  void tell_of_verdicts(score::HuntResult& result);
  void judge_moves(const event::Event& event);
  void judge_session(const event::Event& end);
  void judge_tunnel(const baseline::Tunnel& tunnel, core::Nanoseconds now);
  void judge_again(Move& move, baseline::View view);
  void judge_others(core::Symbol user);
  template <typename Visit>
  void each_move(core::Symbol user, Visit&& visit);
  void show_others(baseline::View& view, const event::Event& event);
  void show_wave(baseline::View& view, const event::Event& event) const;
  void close_moves(core::Nanoseconds now);
  Move* move_of(const std::pair<core::Nanoseconds, MoveKey>& place);
  void forget_move(std::deque<std::pair<core::Nanoseconds, MoveKey>>& queue);
  // The campaign that the event is a part of, if it was found to be of one.
  Campaign judge(const event::Event& event, const std::vector<enrich::RawLine>* lines, const event::EventBatch* batch);
  void observe(const event::Event& event, const event::EventBatch& batch);
  void note_trait(const event::Event& event);
  void settle(core::Nanoseconds now);
  void count(const event::Event& event);
  void count_login(const event::Event& event, bool success);
  void forget_old();
  template <typename Archive>
  std::uint32_t persist(Archive& archive);
  template <typename Archive>
  void persist_networks(Archive& archive);
  template <typename Archive>
  void persist_repeats(Archive& archive, std::uint32_t layout);
  std::string_view input_name(std::uint32_t source) const;
  std::string_view raw(const event::Event& event, const event::EventBatch& batch) const;
  bool is_stranger(const event::Event& event) const;
  score::SourceFacts source_facts(const core::Ip& ip, std::uint32_t facts) const;
  std::string add_scored(const event::Event& event, detect::FindingKind kind, double log_odds,
                         std::vector<detect::Evidence> evidence, const std::vector<enrich::RawLine>* lines,
                         const event::EventBatch* batch, bool again, bool client_new, track::Story story);

  const enrich::Enricher& enricher_;
  const intel::Indicators* indicators_;
  double alerts_per_day_;
  const std::vector<std::string>& names_;
  RawRecord raw_as_;  // empty: as it is
  std::function<void(const event::Event&)> login_seen_;
  // Inputs of the saved judge that are not among names_, for the records that are still held of them.
  std::vector<std::string> earlier_names_;
  intel::decay::LearnedHere learned_;  // before the detectors, which look at it
  baseline::Baseline baseline_;
  enrich::SessionStitcher stitcher_;
  std::vector<std::unique_ptr<detect::Detector>> detectors_;
  std::vector<std::vector<const detect::Detector*>> by_class_;  // detectors that look at a class
  std::vector<std::uint64_t> events_of_class_;
  detect::EvidenceSink sink_{false};
  score::RunningThreshold threshold_;
  score::IntrusionWave wave_;
  bool alone_ = false;
  track::Cases cases_;
  NetworkSigns signs_;
  score::Verdicts verdicts_;
  std::uint64_t suppressed_ = 0;
  absl::flat_hash_map<MoveKey, Move> moves_;
  // Of moves_, oldest first: those on probation, and those that may still tell something of others.
  std::deque<std::pair<core::Nanoseconds, MoveKey>> probation_;
  std::deque<std::pair<core::Nanoseconds, MoveKey>> settled_;
  score::Overview overview_;
  absl::flat_hash_map<Path, PathCount> paths_;
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
  std::uint64_t folded_before_ = 0;  // names that the saved judge's process had folded (core::symbol_overflow)
  std::int64_t forgot_day_ = 0;      // day of forget_old()
  bool learn_half_lives_ = true;
  LearnedHalfLives half_lives_;
  std::int64_t learned_day_ = 0;  // day of learn_half_lives()
};

}  // namespace orbwatch::pipeline
