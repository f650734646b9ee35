// The log files of a simulated world: lines come in any order within a day and go out sorted.
#pragma once

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::evaluate {

using core::Nanoseconds;

// Gathers what one thing does, for the truth.
struct LineTally {
  std::uint64_t lines = 0;
  Nanoseconds first = INT64_MAX;
  Nanoseconds last = 0;
};

// The log of one device: a sequence of rotated files. Not thread-safe.
class LogFile {
 public:
  struct Part {
    std::string path;   // ends in ".gz": compressed
    Nanoseconds until;  // lines before this moment go there
  };
  explicit LogFile(std::vector<Part> parts);
  ~LogFile();
  LogFile(LogFile&&) noexcept;

  // Appends a line: `begin(time)` marks its start, then the caller writes through out() and calls end().
  std::back_insert_iterator<std::string> begin(Nanoseconds time) {
    pending_.push_back({time, sequence_++, arena_.size(), 0});
    return std::back_inserter(arena_);
  }
  void end(LineTally* tally) {
    Pending& line = pending_.back();
    arena_.push_back('\n');
    line.length = arena_.size() - line.offset;
    if (tally != nullptr) {
      ++tally->lines;
      tally->first = std::min(tally->first, line.time);
      tally->last = std::max(tally->last, line.time);
    }
  }

  // Writes all lines before `until` in the order of time (then of arrival).
  core::Expected<void> flush(Nanoseconds until);
  core::Expected<void> close();

  std::uint64_t lines() const { return written_lines_; }
  std::uint64_t bytes() const { return written_bytes_; }
  const std::vector<Part>& parts() const { return parts_; }

 private:
  struct Pending {
    Nanoseconds time;
    std::uint64_t sequence;
    std::size_t offset;
    std::size_t length;
  };
  struct Output;
  core::Expected<void> open_part();
  core::Expected<void> write(std::string_view bytes);

  std::vector<Part> parts_;
  std::size_t part_ = 0;
  std::unique_ptr<Output> output_;
  std::string arena_;
  std::vector<Pending> pending_;
  std::uint64_t sequence_ = 0;
  std::uint64_t written_lines_ = 0;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace orbwatch::evaluate
