// How far reading has come, for a progress line drawn by another thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace orbwatch::source {

// Bytes as they lie on the disk (compressed). Written by any number of readers, read by anyone at any time; the figures
// are independent of each other and only for display. Must outlive the readers that it was given to.
struct Progress {
  std::atomic<std::uint64_t> bytes_read = 0;
  std::atomic<std::uint64_t> bytes_total = 0;  // see total_bytes(); 0 = unknown (standard input, FIFOs)
  std::atomic<std::uint64_t> inputs_done = 0;  // the caller counts these two
  std::atomic<std::uint64_t> inputs_total = 0;
};

}  // namespace orbwatch::source
