// What the flow protocols share: the datagram on its way, and how its records are counted.
#pragma once

#include <cstdint>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode {

// One UDP payload of a flow exporter.
struct Datagram {
  std::string_view payload;
  core::Ip exporter;  // IP source of the datagram; absent for files without it
  std::uint16_t exporter_port = 0;
  core::Nanoseconds received = 0;  // when it was captured or received; 0 if unknown
  event::RecordRef record;         // goes into every event of the datagram
};

// Counts of one datagram's records. Decoding never throws and never reads behind the payload.
struct FlowContext {
  const Datagram& datagram;
  EventBatch& batch;

  void ignore(Symbol reason, std::uint64_t n = 1) const;
  // One record, or one set whose number of records cannot be known. `seen`: the bytes it is about.
  void reject(Symbol reason, std::string_view seen) const;
};

}  // namespace orbwatch::decode
