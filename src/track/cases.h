// Scored events become findings that a person reads: what belongs together is one finding. The strange log-ins of one
// user, whatever networks they come from; the attempts of one spray; the probes of one scan; every contact with one
// exposed port.
//
// Log-ins. A further one of the user joins while it comes at most baseline::kProbation after the finding's end and at
// most kLongestCase after its beginning; else it begins a new one. One that is too weak to be told by itself joins only
// from a network that the finding knows. The finding speaks of its strongest log-in: score, evidence, source and
// gateway are that one's, and if it is judged again and found weaker, the next one's. The others stand in its timeline.
// One that comes without evidence is listed there and speaks only if no other can.
//
// Sprays. Strangers fail every day: attempts for which the evidence speaks by less than a nat (stands_out() in the .cc)
// do not make a finding that stands out end later, nor begin earlier by more than the day over which they are counted.
// They are a finding of their own, and what comes in the 12 hours behind a spray is listed with it.
//
// The id of a finding is made of its kind, its key (what it is about) and the time of the event that began it. What
// joins later, even of an earlier time, does not change it.
//
// Memory: kMostFindings findings, the weakest make room; each lists at most Finding::kMostListed records, sources,
// users, log-ins (of these the weakest make room). In a service forget_closed() lets those leave that nothing can join
// any more, and changed() tells of each once more that left before it was told: what is told does not depend on how
// often it is asked.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/client.h"
#include "baseline/profile.h"
#include "baseline/view.h"
#include "core/archive.h"
#include "detect/detector.h"
#include "event/event.h"
#include "score/finding.h"

namespace orbwatch::track {

constexpr std::size_t kMostFindings = 20'000;
// How long a finding is kept behind the last moment at which an event in order of time could have joined it: a log-in
// 7 days after its end, a spray or a scan 36 hours, any other 30 days.
constexpr core::Nanoseconds kKeptClosed = 30 * core::kDay;

// From the first to the last log-in of a finding: else a user who travels for good would have one without an end.
constexpr core::Nanoseconds kLongestCase = 14 * core::kDay;

// What surrounds a log-in.
struct Story {
  struct Session {
    core::Nanoseconds end = 0;
    core::Ip ip;
    baseline::SessionShape shape;
  };
  static constexpr std::size_t kMostSessions = 8;

  core::Nanoseconds tried_at = 0;  // a stranger's failed attempt on the account before; 0 = none
  core::Ip tried_from;
  std::vector<Session> sessions;  // that ended; at most kMostSessions, each once

  void add(const Session& session);
};
// In an archive; whoever holds one raises his layout with what is listed there (track/state.cc).
template <typename Archive>
void persist(Archive& archive, Story& story);

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
  bool weak = false;            // a log-in that is no finding by itself
  baseline::Client new_client;  // that the user logged in with, if it was new to him
  Story story;                  // of a log-in
  score::SourceFacts tried_from;
};

class Cases {
 public:
  // The id of the finding that it is in now.
  std::string add(Scored scored);
  // All findings, best first (score, then time, then id): independent of the order of equal events. Leaves this empty.
  std::vector<score::Finding> take();
  // For a service. From now on findings that leave untold are kept for changed(), which is to be called whenever
  // crowded() says so.
  void tell_of_all() { tells_of_all_ = true; }
  // Whether so many wait to be told that they should be now (kMostFindings beyond those that are still held).
  bool crowded() const { return leaving_.size() >= kMostFindings; }
  // Every finding that is new or has changed since the last call, those that left first, then the others as they are
  // now, each in the order in which they left or changed first; `alert` is left to the caller, and what he writes into
  // `suppressed_by` and `network` is remembered for the next time.
  void changed(const std::function<void(score::Finding&)>& visit);
  // Findings that closed kKeptClosed before `now` leave.
  void forget_closed(core::Nanoseconds now);
  // Whether there is a finding that the log-in belongs to however weak it is: of the same user, with its network, and
  // not too long ago.
  bool joins(const event::Event& login) const;
  // Whether a finding holds this very log-in, or has its network and lasts over its time.
  bool has(const event::Event& login) const;
  // The id of the finding that holds it, "" if none does.
  std::string_view finding_of(const event::Event& login) const;
  // Of the log-ins from these addresses in the finding of this id: clients new to the user, the first kMostClients.
  std::vector<baseline::Client> clients_of(std::string_view id, std::span<const core::Ip> sources) const;
  // Their times, ascending; at most Finding::kMostListed.
  std::vector<core::Nanoseconds> logins_of(std::string_view id, std::span<const core::Ip> sources) const;
  // Findings that changed() is to tell of once more, though nothing joined them.
  void touch(const std::function<bool(const score::Finding&)>& which);
  // Every finding that is held, in no order that would mean anything and with `network` as changed() was told of it
  // last. The others of its members are not put in order for a reader (see take).
  void each(const std::function<void(const score::Finding&)>& visit) const;
  std::size_t size() const { return findings_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  static constexpr std::size_t kMostClients = 8;

  // All of it, what changed() has still to tell included. Errors stick to the reader; after one this is to be thrown
  // away.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  // One log-in in a finding: all that is needed for the finding to speak of it.
  struct Login {
    core::Nanoseconds time = 0;
    core::Ip ip;  // none in a state of a layout before 4: known by its time
    double log_odds = 0;
    std::vector<detect::Evidence> evidence;  // strongest first
    std::string hypothesis;
    std::vector<std::string> techniques;
    std::string outcome;
    std::string gateway;
    score::SourceFacts source;
    score::SourceFacts tried_from;
    baseline::Client new_client;
    Story story;
  };
  struct Entry {
    score::Finding finding;
    absl::flat_hash_set<core::Ip> sources;
    absl::flat_hash_set<std::string> users;
    std::vector<Login> logins;  // of kind login; at most Finding::kMostListed
    bool changed = false;       // it stands in changed_
  };
  void note_change(std::size_t at);
  void drop(const std::vector<bool>& gone);
  template <typename Archive>
  void persist(Archive& archive);
  void load_before_4(core::ArchiveReader& archive, Entry& entry, std::uint32_t layout);
  void index_users();
  static std::string user_key(std::string_view user, const core::Ip& ip);
  void merge(Entry& entry, Scored& scored);
  void merge_login(Entry& entry, Scored& scored);
  void relate(Entry& entry, const event::Event& login, const score::SourceFacts& source);
  // The finding, if any, that an event joins; that holds the log-in.
  std::size_t home_of(const std::string& key, const Scored& scored) const;
  std::size_t open_to(const event::Event& login, bool weak) const;
  std::size_t find(const event::Event& login) const;
  const std::vector<std::size_t>* findings_of(const event::Event& login) const;
  static const Login* listed(const Entry& entry, const event::Event& login);
  static bool knows_network(const Entry& entry, const core::Ip& ip);
  static void speak_of_strongest(Entry& entry);
  static score::Finding complete(const Entry& entry, score::Finding finding);
  void make_room();

  std::vector<Entry> findings_;
  absl::flat_hash_map<std::string, std::size_t> open_;   // key of what belongs together -> its newest finding
  absl::flat_hash_map<std::string, std::size_t> by_id_;  // of log-ins
  absl::flat_hash_map<std::string, std::vector<std::size_t>> by_user_;  // of log-ins, in the order they began
  std::vector<std::size_t> changed_;                                    // since changed(), each once
  std::vector<score::Finding> leaving_;                                 // left since changed(), untold
  bool tells_of_all_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace orbwatch::track
