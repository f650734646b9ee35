// Where collectors put what they receive. The service's journal is behind it (pipeline/journal.h): what take() accepted
// survives a kill of the process, and only then may a sender be told that it is accepted.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/ip.h"
#include "core/time.h"

namespace orbwatch::source {

enum class ArrivalKind : std::uint8_t {
  kLines = 1,      // whole text records, each ended by '\n'; a line feed within a record was replaced by a space
  kDatagrams = 2,  // flow export: each payload behind its length (2 bytes, little endian)
  kTick = 3,       // nothing came for a while: written by the service, so that time passes again when it reads anew
  kVerdict = 4,    // a line of the file of verdicts (pipeline/verdict_file.h): written by the service, as a tick is
};

// What came from one peer at once: one or many records.
struct Arrival {
  std::uint32_t source = 0;  // index of the configured source: a listener, a path
  ArrivalKind kind = ArrivalKind::kLines;
  core::Ip peer;  // absent for files
  std::uint16_t peer_port = 0;
  core::Nanoseconds received = 0;  // wall clock
  // Of a sender whose place is known, so that nothing is taken twice: a file (hash of device, inode and its first
  // bytes), an HTTP client's key for a request. 0 = none. `position`: bytes of it up to and with these.
  std::uint64_t stream = 0;
  std::uint64_t position = 0;
  std::string_view bytes;  // at most kMostArrival
};

constexpr std::size_t kMostArrival = std::size_t{1} << 20;

class Intake {
 public:
  virtual ~Intake() = default;

  enum class Taken : std::uint8_t {
    kYes,     // all of them
    kFull,    // none: try later (streams), or count them as shed (datagrams)
    kFailed,  // none: the disk refuses; the service says why and the collector goes on trying
  };
  // Thread-safe. Arrivals of one call stay together, and those of one peer in their order.
  virtual Taken take(std::span<const Arrival> arrivals) = 0;

  // The position up to which a stream was taken, also by an earlier run; 0 if it is not known. Thread-safe.
  virtual std::uint64_t position(std::uint64_t stream) const = 0;
};

}  // namespace orbwatch::source
