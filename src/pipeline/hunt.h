// `hunt`: from inputs to ranked findings, as fast as the disk. The same stages serve `run`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/network_facts.h"
#include "decode/decoder.h"
#include "event/batch.h"
#include "intel/feed_store/feed_source.h"
#include "intel/organisation.h"
#include "score/report.h"

namespace orbwatch::baseline {
class Baseline;
}
namespace orbwatch::enrich {
class Enricher;
}

namespace orbwatch::pipeline {

struct HuntOptions {
  std::vector<std::string> inputs;            // files, directories, globs, "-"
  std::string format;                         // --format; "" = by content
  std::string zone;                           // --tz
  int year = 0;                               // --year
  std::vector<decode::MappingText> mappings;  // users' own formats; an error in one is an error of the hunt
  std::string networks_file;                  // compiled network facts; "" = none: the report says so
  std::vector<std::string> indicator_files;
  std::string feeds_folder;                      // what `orbwatch feeds update` keeps; "" = none
  std::vector<intel::FeedSource> feeds;          // see config.h
  std::vector<intel::DeclaredNetwork> networks;  // the organisation's own description, see config.h
  std::string verdicts_file;                     // pipeline/verdict_file.h; "" = none
  double alerts_per_day = 5;
  bool learn_half_lives = true;  // Judge::use_learned_half_lives
  int threads = 0;               // 0 = number of cores
  std::size_t longest_record = 1 << 20;
  core::Nanoseconds reference =
      0;  // for standard input, which has no modification time: see decode::Options::reference
  std::size_t chunk_bytes = 256 << 10;  // decompressed bytes decoded at a time; events of a few chunks are in memory
};

// The report's structs live in score/, so that export/ and store/ can read them.
using score::HuntResult;
using score::HypothesisReport;
using score::InputReport;
using score::Overview;

// Told of the work while it goes on; may be called from another thread, never from two at once.
struct Progress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t records = 0;
};

// Receives every enriched event in processing order (for --db). Called from one thread. An error stops the hunt and is
// its result.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Once, before the first events; the enricher lives until hunt() returns and explains Event::source_facts.
  virtual core::Expected<void> begin(const enrich::Enricher& enricher) = 0;
  virtual core::Expected<void> events(const event::EventBatch& batch, const std::vector<std::string>& source_names) = 0;
  // Once, behind the last events.
  virtual core::Expected<void> end(const HuntResult& result, const baseline::Baseline& baseline) = 0;
};

// Looks on while a hunt works: what the detectors are given, and what a service would have said at that time. For
// `evaluate`. Called from the thread of hunt().
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Once, before anything else; the view lives until hunt() returns.
  virtual void begin(const core::NetworkView& networks) = 0;
  // A log-in whose lines have been joined, before the detectors see it; in order of time.
  virtual void login(const event::Event& login) = 0;
  // An attempt that failed, as it is read.
  virtual void failed_login(const event::Event& attempt) = 0;
  // What Judge::changed() tells a service of these records when event time has come to `now`, asked every kHandOut:
  // `alert` is what can be said then. The last call is behind the last record.
  virtual void told(const score::Finding& finding, core::Nanoseconds now) = 0;
};

// Errors: no inputs, an unknown format or time zone, an unreadable networks or indicator file, an error of the sink.
// Inputs that cannot be read are no error: they are reported in HuntResult::inputs. The same inputs and options give
// the same result whatever `threads` and `chunk_bytes` are, and whether anybody watches or not.
core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress = {},
                                EventSink* sink = nullptr, Watcher* watcher = nullptr);

}  // namespace orbwatch::pipeline
