// One stream of inputs (a file, or a rotated set oldest first) as batches of enriched events in order. Reading is
// serial; chunks of stateless text formats are decoded by whoever is free, everything else by the reader itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "decode/all.h"
#include "decode/text.h"
#include "enrich/enrich.h"
#include "event/batch.h"
#include "pipeline/tasks.h"
#include "score/report.h"
#include "source/chunks.h"
#include "source/expand.h"
#include "source/progress.h"

namespace orbwatch::pipeline {

// What all streams share. Lives as long as they do.
struct StreamContext {
  Tasks& tasks;
  const enrich::Enricher& enricher;
  decode::Options decode;  // source and reference are set per input
  std::shared_ptr<source::ChunkPool> chunks;
  source::Progress* progress = nullptr;
  std::size_t chunk_bytes = 1 << 20;
  std::size_t ahead = 4;  // batches read in advance
};

// Used by one consumer thread; the work behind it runs in Tasks.
class Stream {
 public:
  Stream(StreamContext& context, std::vector<source::Input> inputs);
  ~Stream();

  // Time of the first dated event, by reading the beginning of the inputs; INT64_MAX if there is none. Then the stream
  // is as new.
  core::Nanoseconds probe();
  // After probe(): the first events are observations of devices, so this is a scan.
  bool scan() const { return scan_; }

  // The batch at the front; null at the end. Waits for it. Valid until pop().
  event::EventBatch* front();
  void pop();

  // Complete once front() gave null: one report per input.
  std::vector<score::InputReport>& reports() { return reports_; }
  const std::vector<source::Input>& inputs() const { return inputs_; }

 private:
  struct Slot {
    std::unique_ptr<event::EventBatch> batch;
    std::shared_ptr<event::Chunk> chunk;
    std::unique_ptr<decode::Decoder> decoder;
    std::size_t report = 0;
    std::atomic<bool> ready = false;
  };
  struct Opened;

  void schedule();  // starts reading ahead if there is room; under no lock
  void read_on();   // the reading task
  bool open_next();
  void close(std::string error);
  std::shared_ptr<Slot> add_slot();
  void decode_text(const std::shared_ptr<Slot>& slot, std::uint64_t offset, std::uint64_t lines, bool inside_line);
  decode::Options options_for(const source::Input& input) const;
  std::unique_ptr<event::EventBatch> fresh_batch();

  StreamContext& context_;
  bool scan_ = false;
  std::vector<source::Input> inputs_;
  std::vector<score::InputReport> reports_;
  // Touched by the reading task only (one at a time).
  std::size_t next_input_ = 0;
  std::unique_ptr<Opened> opened_;
  // Under context_.tasks.mutex():
  std::deque<std::shared_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<event::EventBatch>> spare_;
  std::vector<std::unique_ptr<decode::Decoder>> idle_;  // text decoders of the current input
  std::size_t idle_report_ = SIZE_MAX;
  int running_ = 0;  // tasks in flight
  bool reading_ = false;
  bool done_ = false;
};

}  // namespace orbwatch::pipeline
