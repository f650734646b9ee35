// A batch of events together with the raw bytes they came from, and the counts that say where every record went.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/symbol_counts.h"
#include "event/event.h"

namespace orbwatch::event {

// A piece of decompressed input. Readable for core::kPadding bytes behind its end.
struct Chunk {
  std::string bytes;         // without the padding; std::string::reserve keeps it behind the end
  std::uint64_t offset = 0;  // of its first byte within the decompressed input
  std::uint64_t lines_before =
      0;  // '\n' in the decompressed input before `offset`; 0 if the reader was not asked to count
  std::uint32_t source = 0;
};

// Where the records of one input went. The invariant that every report shows: records == events + ignored + rejected.
struct Counts {
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t ignored = 0;
  std::uint64_t rejected = 0;
  core::SymbolCounts ignored_by;  // reason -> count
  core::SymbolCounts rejected_by;
  core::SymbolCounts events_by;  // format -> count

  // At most kMostReasons reasons are kept apart; further ones are counted as "other".
  static constexpr std::size_t kMostReasons = 1000;

  void event(Symbol format, std::uint64_t n = 1) {
    records += n;
    events += n;
    if (format != last_format_) {
      last_format_ = format;
      last_count_ = nullptr;
    }
    // The pointer stays valid until the next insertion, which resets it below.
    if (last_count_ == nullptr) last_count_ = &events_by[format];
    *last_count_ += n;
  }
  void ignore(Symbol reason, std::uint64_t n = 1);
  void reject(Symbol reason);
  void add(const Counts& other);

  Counts() = default;
  Counts(const Counts& other) { *this = other; }
  Counts& operator=(const Counts& other) {
    if (this == &other) return *this;
    records = other.records;
    events = other.events;
    ignored = other.ignored;
    rejected = other.rejected;
    ignored_by = other.ignored_by;
    rejected_by = other.rejected_by;
    events_by = other.events_by;
    last_count_ = nullptr;
    last_format_ = Symbol();
    return *this;
  }

 private:
  Symbol last_format_;
  std::uint64_t* last_count_ = nullptr;
};

// One rejected record, for `hunt --rejects` and the goldens. Only the first few of an input are kept (see EventBatch).
struct Reject {
  std::uint64_t offset = 0;
  std::uint32_t line = 0;
  Symbol reason;
  std::string seen;  // the record's beginning, made printable
};

class EventBatch {
 public:
  // A decoder fills the event that next() returns and then calls keep(); without keep() the same slot is handed out
  // again, clean.
  Event& next() {
    if (used_ == events_.size()) events_.resize(events_.size() < 64 ? 64 : events_.size() * 2);
    events_[used_] = Event{};
    return events_[used_];
  }
  void keep() { ++used_; }

  // For decoders that fill many events at once: room for n events behind the kept ones, with unspecified contents.
  // keep(n) keeps the first n of them. The pointer is valid until the next call of next() or reserve().
  Event* reserve(std::size_t n) {
    if (events_.size() - used_ < n) events_.resize(std::max({events_.size() * 2, used_ + n, std::size_t{64}}));
    return events_.data() + used_;
  }
  void keep(std::size_t n) { used_ += n; }

  std::size_t size() const { return used_; }
  bool empty() const { return used_ == 0; }
  Event* begin() { return events_.data(); }
  Event* end() { return events_.data() + used_; }
  const Event* begin() const { return events_.data(); }
  const Event* end() const { return events_.data() + used_; }
  Event& operator[](std::size_t i) { return events_[i]; }
  const Event& operator[](std::size_t i) const { return events_[i]; }

  // The raw record of an event of this batch; "" if the bytes are not held (captures, or a batch without a chunk).
  std::string_view raw(const RecordRef& record) const;
  // Keeps a copy of a record that does not lie in one piece within the chunk.
  void hold(std::uint64_t offset, std::string_view bytes);

  void note_reject(Reject reject) {
    if (rejects.size() < kMostRejects) rejects.push_back(std::move(reject));
  }
  void clear();

  static constexpr std::size_t kMostRejects = 100;

  std::uint32_t source = 0;
  std::shared_ptr<const Chunk> chunk;
  Counts counts;  // of the records in this batch only
  std::vector<Reject> rejects;

 private:
  std::vector<Event> events_;
  std::size_t used_ = 0;
  std::deque<std::pair<std::uint64_t, std::string>> held_;
};

}  // namespace orbwatch::event
