// Scored events become findings that a person reads: what belongs together is one finding. The log-ins of a user from
// one network while it is on probation, the attempts of one spray, the probes of one scan, every contact with one
// exposed port.
//
// The id of a finding is made of its kind, its key (what it is about) and the time of the event that began it. What
// joins later, even of an earlier time, does not change it.
//
// Memory: kMostFindings findings, the weakest make room; each lists at most Finding::kMostListed records, sources,
// users. In a service forget_closed() lets those leave that nothing can join any more, and changed() tells of each
// once more that left before it was told: what is told does not depend on how often it is asked.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/client.h"
#include "baseline/view.h"
#include "core/archive.h"
#include "detect/detector.h"
#include "event/event.h"
#include "score/finding.h"

namespace orbwatch::track {

constexpr std::size_t kMostFindings = 20'000;
// How long a finding is kept behind the last moment at which an event in order of time could have joined it: a log-in
// 7 days after its end, a spray 12 hours, a scan 36 hours, any other 30 days.
constexpr core::Nanoseconds kKeptClosed = 30 * core::kDay;

// The text of one scored event.
struct Scored {
  const event::Event* event = nullptr;
  detect::FindingKind kind = detect::FindingKind::kLogin;
  double log_odds = 0;
  std::vector<detect::Evidence> evidence;   // with text
  std::vector<score::RecordPlace> records;  // the raw lines behind it
  score::SourceFacts source;
  std::string_view hypothesis;  // of the strongest evidence's detector
  std::string_view technique;   // comma-separated
  std::string device;           // what is exposed or shows a trait, if not the source
  bool again = false;           // the event was scored before: this score replaces that one, even if it is lower
  baseline::Client new_client;  // that the user logged in with, if it was new to him
};

class Cases {
 public:
  void add(Scored scored);
  // All findings, best first (score, then time, then id): independent of the order of equal events. Leaves this empty.
  std::vector<score::Finding> take();
  // For a service. From now on findings that leave untold are kept for changed(), which is to be called whenever
  // crowded() says so.
  void tell_of_all() { tells_of_all_ = true; }
  // Whether so many wait to be told that they should be now (kMostFindings beyond those that are still held).
  bool crowded() const { return leaving_.size() >= kMostFindings; }
  // Every finding that is new or has changed since the last call, those that left first, then the others as they are
  // now, each in the order in which they left or changed first; `alert` is left to the caller, and what he writes into
  // `suppressed_by` is remembered for the next time.
  void changed(const std::function<void(score::Finding&)>& visit);
  // Findings that closed kKeptClosed before `now` leave.
  void forget_closed(core::Nanoseconds now);
  // Whether there is a finding that the log-in belongs to: a log-in of the same user from the same network lately.
  bool joins(const event::Event& login) const;
  // Whether a finding holds this very log-in.
  bool has(const event::Event& login) const;
  // The id of the finding that holds it, "" if none does.
  std::string_view finding_of(const event::Event& login) const;
  // Clients new to the user in the finding of this id: the first kMostClients.
  std::vector<baseline::Client> clients_of(std::string_view id) const;
  // Times of the log-ins in it, ascending; at most Finding::kMostListed.
  std::vector<core::Nanoseconds> logins_of(std::string_view id) const;
  // Findings that changed() is to tell of once more, though nothing joined them.
  void touch(const std::function<bool(const score::Finding&)>& which);
  std::size_t size() const { return findings_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  static constexpr std::size_t kMostClients = 8;

  // All of it, what changed() has still to tell included. Errors stick to the reader; after one this is to be thrown
  // away.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  struct Entry {
    score::Finding finding;
    absl::flat_hash_set<core::Ip> sources;
    absl::flat_hash_set<std::string> users;
    // Log-odds of the log-ins in it, by time: they may be judged again. At most Finding::kMostListed.
    std::vector<std::pair<core::Nanoseconds, double>> logins;
    std::vector<baseline::Client> clients;  // new to the user
    bool changed = false;                   // it stands in changed_
  };
  void note_change(std::size_t at);
  void drop(const std::vector<bool>& gone);
  template <typename Archive>
  void persist(Archive& archive);
  void merge(Entry& entry, Scored& scored);
  // The finding, if any, that holds the log-in; key: key_of().
  std::size_t find(const std::string& key, const event::Event& login) const;
  static double score_with(Entry& entry, const Scored& scored);
  void make_room();

  std::vector<Entry> findings_;
  absl::flat_hash_map<std::string, std::size_t> open_;   // key of what belongs together -> its newest finding
  absl::flat_hash_map<std::string, std::size_t> by_id_;  // of log-ins
  std::vector<std::size_t> changed_;                     // since changed(), each once
  std::vector<score::Finding> leaving_;                  // left since changed(), untold
  bool tells_of_all_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace orbwatch::track
