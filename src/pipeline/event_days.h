// The events that a service stores: one file of the store for each day (UTC) on which they arrived, so that forgetting
// a day is removing a file, a day that is over never changes again, and the tables of what repeats stay small.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "event/batch.h"
#include "store/store.h"

namespace orbwatch::enrich {
class Enricher;
}

namespace orbwatch::pipeline {

// What the store asks about an index of the enricher, which must outlive the function.
store::FactsLookup facts_lookup(const enrich::Enricher& enricher);

// Not thread-safe.
class EventDays {
 public:
  // Files are FOLDER/events-YYYY-MM-DD.duckdb. `keep_days` 0 and `keep_bytes` 0: no limit; the day that is being
  // written always stays.
  static core::Expected<std::unique_ptr<EventDays>> open(std::string folder, int keep_days, std::uint64_t keep_bytes);

  // `position`: behind the arrival that the events came with. What a file has already, after a kill, is passed over.
  core::Expected<void> append(const event::EventBatch& batch, const std::vector<std::string>& source_names,
                              const enrich::Enricher& enricher, core::Nanoseconds received, std::uint64_t position);
  // Everything appended is durable, and the oldest days beyond the limits are removed.
  core::Expected<void> checkpoint(std::uint64_t position);

  std::uint64_t removed_days() const { return removed_days_; }

 private:
  explicit EventDays(std::string folder, int keep_days, std::uint64_t keep_bytes)
      : folder_(std::move(folder)), keep_days_(keep_days), keep_bytes_(keep_bytes) {}
  core::Expected<void> change_day(std::int64_t day, std::uint64_t position);
  void forget();

  std::string folder_;
  int keep_days_;
  std::uint64_t keep_bytes_;
  std::int64_t day_ = INT64_MIN;
  std::string path_;  // of the day that is being written
  std::unique_ptr<store::Store> store_;
  store::FactsLookup facts_;
  std::uint64_t last_position_ = 0;
  std::uint64_t removed_days_ = 0;
};

}  // namespace orbwatch::pipeline
