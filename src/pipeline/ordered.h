// Inputs as one sequence of enriched events in the order in which a hunt judges them: scans of devices first, then all
// other inputs merged by time. The order depends on the data alone (docs/architecture.md, "Merge in time order").
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "event/batch.h"
#include "pipeline/hunt.h"
#include "source/expand.h"

namespace orbwatch::pipeline {

// Who takes the events. Called from the thread that called read(). An error ends the reading and is its result.
class OrderedEvents {
 public:
  virtual ~OrderedEvents() = default;
  // Events that follow each other, all of one batch; valid until the call returns. An event without a time of its own
  // has that of the event before it in its input.
  virtual core::Expected<void> take(std::span<const event::Event> events, const event::EventBatch& batch) = 0;
  // All events of the batch were taken.
  virtual core::Expected<void> used_up(const event::EventBatch& /*batch*/) { return {}; }
};

// Can be read several times, unless one of the inputs is standard input. Not thread-safe.
class OrderedInputs {
 public:
  // Of the options those about reading are used: inputs, format, zone, year, mappings, threads, longest_record,
  // reference, chunk_bytes. Errors: no inputs, an unknown time zone, an error in a mapping.
  static core::Expected<OrderedInputs> open(const HuntOptions& options);

  // Path of each input by RecordRef::source.
  const std::vector<std::string>& names() const { return names_; }
  // Whether one of them is standard input.
  bool once() const;

  // Reads everything once. Inputs that cannot be read are no error; they are reported. Adds to the inputs and the total
  // of `result`. Errors: those of `to`.
  core::Expected<void> read(const enrich::Enricher& enricher, OrderedEvents& to,
                            const std::function<void(const Progress&)>& progress, HuntResult& result) const;
  // What a person should know of the choice of inputs.
  void note(HuntResult& result) const;

 private:
  HuntOptions options_;
  source::Expansion expanded_;
  std::vector<std::string> names_;
};

}  // namespace orbwatch::pipeline
