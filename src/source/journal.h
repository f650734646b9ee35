// The service's write-ahead journal: everything that collectors receive is written here before anybody works with it or
// a sender is told that it is accepted. It is the queue between the collectors and the pipeline, too: a slow pipeline
// or a pause lets it grow up to a limit, and after a kill the pipeline reads again from where its last checkpoint was.
//
// A folder of segments, each named by the position of its first byte. A position counts the bytes of all frames ever
// written, so it only grows. A frame is a header of kFrameHeader bytes (little endian), the payload and zeros up to a
// multiple of 8:
//   length u32 · CRC32C u32 (of all that follows, payload included) · source u32 · kind u8 · 0 u8 · port u16 ·
//   address 16 bytes · received i64 · stream u64 · position u64
// Each segment begins with a frame that holds the positions of all streams, so that older segments may go.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "source/intake.h"

namespace orbwatch::source {

struct JournalOptions {
  std::string folder;                          // made if it is not there; its parent must be
  std::uint64_t segment_bytes = 64ULL << 20;   // a segment is closed once it is so long
  std::uint64_t most_bytes = 4ULL << 30;       // beyond it take() gives kFull until release()
  std::chrono::milliseconds sync_every{1000};  // fdatasync() in the background; 0 = before take() returns
  std::size_t most_streams = 65'536;           // positions kept; beyond it those not used for longest go
  // The position that was worked up to already. A failure of the machine can have taken the journal's end, but not the
  // checkpoint: then the journal goes on from there.
  std::uint64_t at_least = 0;
};

// A kill of the process loses nothing of what take() accepted; a failure of the machine at most what came within
// `sync_every`. Thread-safe but for read(), which belongs to one thread.
class Journal final : public Intake {
 public:
  static constexpr std::size_t kFrameHeader = 56;

  // Errors: the folder cannot be made or written; another process has it open; a segment in the middle is missing.
  // What a kill left half written at the end is cut off (it was accepted by nobody) and noted in `cut_bytes`.
  static core::Expected<std::unique_ptr<Journal>> open(const JournalOptions& options);
  ~Journal() override;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  Taken take(std::span<const Arrival> arrivals) override;
  std::uint64_t position(std::uint64_t stream) const override;

  // The oldest position that can be read, and the one behind the newest frame.
  std::uint64_t begin() const { return begin_.load(std::memory_order_acquire); }
  std::uint64_t end() const { return end_.load(std::memory_order_acquire); }

  struct Entry {
    Arrival arrival;
    std::uint64_t begin = 0;  // positions of its frame
    std::uint64_t end = 0;
  };
  // The arrivals from `position` on, which is one that read() gave, begin(), or end() of an earlier run; at most
  // about `most_bytes`, at least one if there is any. Their bytes (readable core::kPadding behind their end) are valid
  // until the next call. Sets `position` behind them. Damaged frames are passed over up to the next segment and
  // counted in damaged_bytes(). Errors of the disk.
  core::Expected<void> read(std::uint64_t& position, std::size_t most_bytes, std::vector<Entry>& out);
  // Waits until there is something behind `position`, or `timeout` is over, or wake() was called.
  bool wait(std::uint64_t position, std::chrono::milliseconds timeout) const;
  void wake();

  // What lies before is not needed any more: segments wholly before it are removed.
  void release(std::uint64_t position);

  std::uint64_t cut_bytes() const { return cut_bytes_; }          // at open()
  std::uint64_t damaged_bytes() const { return damaged_bytes_; }  // passed over by read()
  std::uint64_t refused() const { return refused_; }              // calls of take() that gave kFull
  std::uint64_t failures() const { return failures_; }            // and kFailed
  // Why take() gave kFailed last, "" once it works again.
  std::string trouble() const;

 private:
  struct Segment {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  struct Stream {
    std::uint64_t position = 0;
    std::uint64_t used = 0;  // end_ when it was used last
  };

  explicit Journal(JournalOptions options) : options_(std::move(options)) {}
  core::Expected<void> recover();
  // Reads the frames of a segment as far as they are whole; gives their end within the file.
  core::Expected<std::uint64_t> scan(const Segment& segment);
  core::Expected<void> start_segment();
  core::Expected<void> write(const std::string& bytes);
  void note_stream(std::uint64_t stream, std::uint64_t position);
  std::string path_of(std::uint64_t begin) const;
  void sync_loop();
  core::Expected<void> sync();

  JournalOptions options_;
  int lock_ = -1;

  mutable std::mutex mutex_;
  mutable std::condition_variable more_;
  std::deque<Segment> segments_;
  int writing_ = -1;  // the last segment
  std::string frames_;
  absl::flat_hash_map<std::uint64_t, Stream> streams_;
  std::string trouble_;
  mutable bool woken_ = false;  // a call of wake() that no wait() has seen yet
  bool unsynced_ = false;
  bool stopping_ = false;
  std::condition_variable stop_;
  std::thread syncer_;

  std::atomic<std::uint64_t> begin_ = 0;
  std::atomic<std::uint64_t> end_ = 0;
  std::uint64_t cut_bytes_ = 0;
  std::atomic<std::uint64_t> damaged_bytes_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;

  // Of read() only.
  int reading_ = -1;
  std::uint64_t reading_begin_ = UINT64_MAX;
  std::string buffer_;
};

}  // namespace orbwatch::source
