// The service behind its journal: arrivals in the order of the journal go through decoders, facts, the judge and the
// store, as in a hunt.
//
// What a restart needs is in checkpoints: the whole state between record and finding, as it was when all arrivals
// before a position of the journal had been worked on. After a kill the newest one is loaded and the journal read again
// from there. Since nothing on this path reads a clock (silence is recorded in the journal, too), the second reading
// gives what the first gave: findings and counts are those of a run without the kill. Events that the store has already
// are not stored again: each of its files knows the position up to which it holds them.
//
// Covert networks are written with checkpoints, in full, into the store (in the checkpoint's transaction, in place of
// those that stood there) and into STATE/networks.ndjson (pipeline/kept_networks.h): with the first one, whenever they
// were drawn anew, else when something came for them and kNetworksEvery of event time have passed, and at the end. All
// parts are made each time, since each sighting moves all of them: what a share among all sources is, who is a node,
// estimates of size and life. That takes the longer the more nodes there are, seconds at the limits of the tracker
// (about as long as drawing them), while arrivals wait in the journal. Therefore they are written again only when
// kNetworksPause times as long has passed as it took: at most a twentieth of the time goes into it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "decode/decoder.h"
#include "event/batch.h"
#include "pipeline/device_rates.h"
#include "pipeline/knowledge.h"
#include "pipeline/service_config.h"
#include "score/finding.h"
#include "source/journal.h"

namespace orbwatch::pipeline {

// What a collector of that name writes as Arrival::source: the same whatever else is configured, since the journal may
// outlive a configuration.
std::uint32_t source_id(std::string_view name);

// One configured collector, as the pipeline sees it. Their source_id()s must differ.
struct LiveSource {
  std::string name;    // goes into findings and metrics as the place of a record: "syslog_udp 0.0.0.0:514"
  std::string format;  // "" = every format is asked for each record
  std::string zone;    // for records that state none; "" = UTC
};

struct LiveOptions {
  std::string folder;  // the service's state; holds checkpoints and the events of each day
  std::vector<LiveSource> sources;
  std::vector<decode::MappingText> mappings;
  double alerts_per_day = 5;
  bool learn_half_lives = true;  // Judge::use_learned_half_lives
  std::size_t longest_record = 1 << 20;
  // An event older than the newest one by more than this is counted as late and only stored; so is one that lies
  // further ahead of its arrival than kMostAhead (a device whose clock is wrong must not age everything else).
  core::Nanoseconds lateness = core::kHour;
  std::chrono::milliseconds checkpoint_every{60'000};
  bool store_events = true;
  int keep_days = 30;            // of stored events; 0 = for ever
  std::uint64_t keep_bytes = 0;  // of all stored days together; 0 = as much as there is
  PseudonymSettings pseudonyms;
};

constexpr core::Nanoseconds kMostAhead = core::kHour;
constexpr core::Nanoseconds kNetworksEvery = core::kHour;
constexpr int kNetworksPause = 20;

// Where the records of one source went: records = events + ignored + rejected, and of the events late + ahead were not
// judged.
struct LiveCounts {
  event::Counts counts;
  std::uint64_t bytes = 0;
  std::uint64_t late = 0;
  std::uint64_t ahead = 0;
  core::Nanoseconds last_arrival = 0;
  // Flow export that never came, by the exporters' sequence numbers (decode/flow_sequences.h).
  std::uint64_t lost_flows = 0;      // NetFlow v5, v7, IPFIX
  std::uint64_t lost_datagrams = 0;  // NetFlow v9, sFlow: nobody knows how many flows were in them
};

// For metrics and doctor. A copy, some moments old.
struct LiveStatus {
  // As LiveOptions::sources; behind them one for arrivals of collectors that are not configured any more.
  std::vector<LiveCounts> sources;
  static constexpr std::size_t kMostDevices = 200;
  std::vector<DeviceStatus> devices;  // at most kMostDevices, silent ones first
  std::uint64_t all_devices = 0;
  std::uint64_t silent_devices = 0;
  std::uint64_t untracked_device_events = 0;
  std::uint64_t position = 0;
  std::uint64_t journal_begin = 0;
  std::uint64_t journal_end = 0;
  std::uint64_t findings = 0;           // handed out, changes of one included
  std::uint64_t verdicts = 0;           // that the pipeline knows, withdrawals included
  std::uint64_t verdicts_left_out = 0;  // of the journal: not understood, or beyond score::kMostVerdicts
  std::uint64_t suppressed = 0;         // alerts that suppressions kept back since the start
  core::Nanoseconds newest_event = 0;
  std::uint64_t networks = 0;  // covert ones, as they were written last
  std::chrono::milliseconds last_networks_took{0};
  std::uint64_t checkpoints = 0;
  std::chrono::milliseconds last_checkpoint_took{0};
  std::uint64_t checkpoint_position = 0;
  std::string trouble;  // what fails at present (a full disk ...), "" if all is well
};

// Receives findings that are new or have changed since they were last handed out. After a kill some come again, the
// same. Called from the thread of run().
using FindingsSink = std::function<void(std::span<const score::Finding>)>;

class Live {
 public:
  // The journal's place from which the newest checkpoint in `folder` goes on (JournalOptions::at_least); 0 if there is
  // none.
  static std::uint64_t checkpoint_position(const std::string& folder);

  // Loads the newest checkpoint that is whole. Errors: an unknown format or zone, a checkpoint of another version, a
  // folder that cannot be written, a journal that begins behind the checkpoint (records are missing in between), a key
  // for pseudonyms that cannot be used or is not the one that the folder was made with (pipeline/pseudonyms.h).
  static core::Expected<std::unique_ptr<Live>> open(const LiveOptions& options, Knowledge knowledge,
                                                    source::Journal& journal, FindingsSink sink);
  ~Live();

  // Works until `stop` is set (and Journal::wake() called), then for at most `drain` on what the journal still holds,
  // and writes a last checkpoint; what is left is worked on by the next run. Errors are those that the service cannot
  // go on with; troubles that may pass (a full disk) are retried and shown in status().
  core::Expected<void> run(const std::atomic<bool>& stop, std::chrono::milliseconds drain = std::chrono::seconds(5));
  core::Expected<void> checkpoint();

  LiveStatus status() const;  // thread-safe
  std::vector<std::string> notes() const;

 private:
  struct Impl;
  explicit Live(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::pipeline
