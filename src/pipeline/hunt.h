// `hunt`: from inputs to ranked findings, as fast as the disk. The same stages serve `run`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "event/batch.h"
#include "score/finding.h"

namespace orbwatch::pipeline {

struct HuntOptions {
  std::vector<std::string> inputs;  // files, directories, globs, "-"
  std::string format;               // --format; "" = by content
  std::string zone;                 // --tz
  int year = 0;                     // --year
  std::string mapping;              // text of a mapping (YAML); "" = none
  std::string networks_file;        // compiled network facts; "" = none: the report says so
  std::vector<std::string> indicator_files;
  std::string organisation;         // text of the configuration (YAML); "" = none
  double alerts_per_day = 5;
  int threads = 0;                  // 0 = number of cores
  std::size_t longest_record = 1 << 20;
  core::Nanoseconds reference = 0;  // for standard input, which has no modification time: see decode::Options::reference
  std::size_t chunk_bytes = 1 << 20;
};

// Where the records of one input went: read = events + ignored + rejected.
struct InputReport {
  std::string path;
  std::string format;      // "" if none was recognised
  std::string error;       // why it could not be read (to its end); "" if all went well
  bool recognised = true;
  event::Counts counts;
  std::uint64_t bytes = 0;  // decompressed
  core::Nanoseconds first = 0;  // times of its earliest and latest event
  core::Nanoseconds last = 0;
  std::vector<event::Reject> rejects;  // the first few
};

struct HypothesisReport {
  std::string detector;
  std::string hypothesis;
  bool tested = false;
  std::string why_not;  // "no VPN log-ins in the data"
  std::uint64_t events = 0;  // that it looked at
};

// Aggregates over the enriched events, for the report's pictures. Bounded.
struct Overview {
  // Log-ins by hour of the week (UTC, Monday 0:00 first), successes and failures.
  std::uint64_t logins_by_hour[168] = {};
  std::uint64_t failures_by_hour[168] = {};
  // Per day (UTC date text): events, log-ins, failed log-ins.
  struct Day { std::uint64_t events = 0, logins = 0, failures = 0; };
  std::map<std::string, Day> days;
  // Log-ins: network type -> gateway -> user (for the Sankey), the largest; rest is summed as "others".
  struct Path { std::string network_type, gateway, user; std::uint64_t logins = 0; };
  std::vector<Path> paths;
  // Places of log-in sources: one row per (latitude, longitude) cell.
  struct Place { double latitude = 0, longitude = 0; std::string city, country; std::uint64_t logins = 0, failures = 0; };
  std::vector<Place> places;
  std::uint64_t users = 0, sources = 0, gateways = 0;
};

struct HuntResult {
  std::vector<score::Finding> findings;  // best first
  std::vector<InputReport> inputs;
  std::vector<HypothesisReport> hypotheses;
  event::Counts total;
  Overview overview;
  core::Nanoseconds first = 0, last = 0;
  std::vector<std::string> notes;  // things the user should know: no network facts, budget, attribution of data
};

// Told of the work while it goes on; may be called from another thread, never from two at once.
struct Progress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t records = 0;
};

// Receives every enriched event in processing order (for --db). Called from one thread. An error stops the hunt and is its result.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual core::Expected<void> events(const event::EventBatch& batch, const std::vector<std::string>& source_names) = 0;
};

core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress = {},
                                EventSink* sink = nullptr);

}  // namespace orbwatch::pipeline
