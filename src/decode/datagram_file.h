// Files of bare datagrams, one behind the other: the frame of the formats `flow_datagram` and `ipfix_file`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "decode/flow_datagram.h"

namespace orbwatch::decode {

// Does a datagram of a known protocol start here? Looks at the first 24 bytes, or at what there is.
FlowProtocol flow_header_of(std::string_view at);

// 0..90: how sure it is that an input with this beginning (up to 64 KiB) consists of datagrams.
int datagram_confidence(std::string_view head);

// What is no datagram is stepped over up to the next header, and rejected as one record. Memory: one datagram (64 KiB)
// beside the bytes of a call, and FlowLimits. RecordRef: line = number of the datagram (or of what stands for one),
// offset and length = its bytes.
class DatagramFile final : public Decoder {
 public:
  // `only_ipfix`: nothing but IPFIX messages counts as a datagram.
  DatagramFile(const Options& options, bool only_ipfix) : source_(options.source), only_ipfix_(only_ipfix) {}

  void feed(std::string_view bytes, EventBatch& batch) override;
  void finish(EventBatch& batch) override;

 private:
  void run(bool end, EventBatch& batch);
  void end_gap(EventBatch& batch);

  FlowDatagramDecoder decoder_;
  std::string carry_;  // at most one datagram between calls
  std::string gap_;    // the first bytes of what is no datagram
  std::uint64_t gap_offset_ = 0;
  std::uint64_t gap_length_ = 0;
  std::uint64_t offset_ = 0;  // of carry_'s first byte in the input
  std::uint32_t number_ = 0;
  std::uint32_t source_;
  bool only_ipfix_;
};

}  // namespace orbwatch::decode
