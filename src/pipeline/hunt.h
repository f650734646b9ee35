// `hunt`: from inputs to ranked findings, as fast as the disk. The same stages serve `run`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "event/batch.h"
#include "score/report.h"

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

// Receives every enriched event in processing order (for --db). Called from one thread. An error stops the hunt and is its result.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual core::Expected<void> events(const event::EventBatch& batch, const std::vector<std::string>& source_names) = 0;
};

core::Expected<HuntResult> hunt(const HuntOptions& options, const std::function<void(const Progress&)>& progress = {},
                                EventSink* sink = nullptr);

}  // namespace orbwatch::pipeline
