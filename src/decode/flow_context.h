// What the flow protocols share: the datagram on its way, its sets, and how its records are counted.
#pragma once

#include <cstdint>
#include <string_view>

#include "decode/bytes.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

// Reasons that several protocols reject for. They are data of the process: not to be used before main().
namespace flow_reason {
extern const Symbol kBadHeader;
extern const Symbol kBadSet;
extern const Symbol kBadTemplate;
extern const Symbol kNoDatagram;
extern const Symbol kNoFlow;
extern const Symbol kReservedSet;
extern const Symbol kTooManyExporters;
extern const Symbol kTruncated;
}  // namespace flow_reason

// One message of a flow exporter: a UDP payload, or what was cut out of a stream.
struct Datagram {
  std::string_view payload;
  core::Ip exporter;  // IP source of the datagram; absent for files without it
  std::uint16_t exporter_port = 0;
  core::Nanoseconds received = 0;  // when it was captured or received; 0 if unknown
  event::RecordRef record;         // goes into every event of the datagram
  bool sequenced = true;           // its sequence number follows on that of the datagram before (flow_sequences.h)
};

// Counts of one datagram's records. Decoding never throws and never reads behind the payload.
struct FlowContext {
  const Datagram& datagram;
  EventBatch& batch;

  void ignore(Symbol reason, std::uint64_t n = 1) const;
  // One record, or one set whose number of records cannot be known. `seen`: the bytes it is about.
  void reject(Symbol reason, std::string_view seen) const;
};

// A flow set of NetFlow v9 (RFC 3954, 5) or a set of IPFIX (RFC 7011, 3.3).
struct FlowSet {
  std::uint16_t id = 0;
  bool cut = false;         // it promises more bytes than are left of the message
  std::string_view bytes;   // with its header of 4 bytes
  std::string_view inside;  // without it
};

// Removes the set at the front of a message and gives it. False if none begins there: what is left is padding, or it is
// a length that no set has.
bool take_set(std::string_view& message, FlowSet& set);

// True if whole sets with numbers that `known` accepts fill the message; less than 4 bytes or zeros may follow.
template <typename Known>
bool sets_fill(std::string_view message, Known&& known) {
  for (FlowSet set; take_set(message, set);) {
    if (set.cut || !known(set.id)) return false;
  }
  return message.size() < 4 || all_zero(message);
}

}  // namespace orbwatch::decode
