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

// Cuts bytes that come in any pieces into the datagrams that lie in them one behind the other. What is no datagram is
// stepped over up to the next header. Memory: one datagram (64 KiB) beside the bytes of a call.
class DatagramCutter {
 public:
  // `only_ipfix`: nothing but IPFIX messages counts as a datagram.
  explicit DatagramCutter(bool only_ipfix = false) : only_ipfix_(only_ipfix) {}

  struct Piece {
    bool datagram = false;
    std::string_view bytes;    // of what is no datagram at most the first 33; valid until the next call of push()
    std::uint64_t offset = 0;  // from the beginning of all bytes
    std::uint64_t length = 0;
    // Zeros are padding that an exporter put behind its datagram.
    bool padding() const;
  };

  void push(std::string_view bytes);
  // The next piece; false if that takes more bytes. With `end` no more will come and the last bytes are given, too.
  bool next(bool end, Piece& piece);

 private:
  bool only_ipfix_;
  std::string carry_;
  std::size_t at_ = 0;        // bytes of carry_ that are used
  std::size_t walked_ = 0;    // of the datagram there, while its end is being looked for
  std::uint64_t offset_ = 0;  // of carry_'s first byte
  std::string gap_;           // the first bytes of what is no datagram
  std::string given_gap_;
  std::uint64_t gap_offset_ = 0;
  std::uint64_t gap_length_ = 0;
};

// Datagrams one behind the other as an input. What is none is rejected as one record. Memory: DatagramCutter's and
// FlowLimits. RecordRef: line = number of the datagram (or of what stands for one), offset and length = its bytes.
class DatagramFile final : public Decoder {
 public:
  DatagramFile(const Options& options, bool only_ipfix) : cutter_(only_ipfix), source_(options.source) {}

  void feed(std::string_view bytes, EventBatch& batch) override;
  void finish(EventBatch& batch) override;

 private:
  void run(bool end, EventBatch& batch);

  FlowDatagramDecoder decoder_;
  DatagramCutter cutter_;
  std::uint32_t number_ = 0;
  std::uint32_t source_;
};

}  // namespace orbwatch::decode
