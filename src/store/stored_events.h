// Reads the events of a store file back, in the order of time, so that what was hunted once can be judged again.
//
// What a stored event lacks: fractions of a microsecond of its time; `protocol_version` and `destination_name`, which
// no detector reads; the length of its raw record, and the record itself; bytes that are no UTF-8 (replaced). All other
// fields come back as they were stored (stored_events_test.cc); facts of addresses are to be looked up anew.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "event/batch.h"

namespace orbwatch::store {

constexpr std::size_t kMostStoredNames = 10'000'000;  // rows of each table of what repeats; some 150 bytes a row

// Not thread-safe. The file is opened read-only for the object's life.
class StoredEvents {
 public:
  // `names`: paths of the inputs by RecordRef::source; those of this file that are not among them are added. Sorting
  // uses `folder` when it needs more than 1 GiB ("" = the system's temporary directory). Errors: no such file, not a
  // database of orbwatch, another process writes it, a newer schema.
  static core::Expected<std::unique_ptr<StoredEvents>> open(const std::string& path, std::vector<std::string>& names,
                                                            const std::string& folder = {});
  ~StoredEvents();
  StoredEvents(const StoredEvents&) = delete;
  StoredEvents& operator=(const StoredEvents&) = delete;

  std::uint64_t count() const;  // events in the file

  // The next events, at most some thousand: observations of devices first, then all others by time, events of the same
  // microsecond in the order in which they were stored. An empty batch is the end. `batch` is cleared first.
  core::Expected<void> next(event::EventBatch& batch);

 private:
  struct Impl;
  explicit StoredEvents(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::store
