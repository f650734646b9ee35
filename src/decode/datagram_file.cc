#include "decode/datagram_file.h"

#include <algorithm>

#include "decode/bytes.h"
#include "decode/ipfix.h"
#include "decode/sflow_v5.h"

namespace orbwatch::decode {
namespace {

constexpr std::size_t kLongestDatagram = 65535;
constexpr std::size_t kLookahead = 24;      // bytes that tell whether a datagram starts here
constexpr std::size_t kMostV5Records = 64;  // the protocol says 30

constexpr std::size_t kNeedMore = SIZE_MAX;

// Where a NetFlow v9 datagram ends: its header does not say it. Walks the sets until something begins that is no set of
// version 9; the numbers 2 to 255 are reserved, so the version of a following datagram (5, 7, 9, 10) cannot be taken
// for a set. `pos` is how far that went with fewer bytes; 0 at first.
std::size_t v9_length(std::string_view at, bool end_of_input, std::size_t& pos) {
  pos = std::max<std::size_t>(pos, 20);
  for (;;) {
    if (at.size() < pos + 4) {
      if (!end_of_input) return kNeedMore;
      return at.size();
    }
    const std::uint16_t id = be16(at.data() + pos);
    const std::size_t length = be16(at.data() + pos + 2);
    std::size_t step = length;
    if (id == 0 && length == 0) {
      // Padding of zeros, unless an sFlow header (0, 5) follows.
      step = 4;
    } else if ((id > 1 && id < 256) || length < (id < 2 ? 8U : 4U)) {
      return pos;
    }
    if (pos + step > kLongestDatagram) return pos;
    if (pos + step > at.size()) return end_of_input ? at.size() : kNeedMore;
    pos += step;
  }
}

// Length of the datagram that starts here, kNeedMore, or 0 if it does not end where a datagram may end. `walked`: see
// v9_length.
std::size_t measure(FlowProtocol protocol, std::string_view at, bool end_of_input, std::size_t& walked) {
  std::size_t length = 0;
  switch (protocol) {
    case FlowProtocol::kNone: return 0;
    case FlowProtocol::kNetflowV5:
    case FlowProtocol::kNetflowV7: length = NetflowV5::length(at); break;
    case FlowProtocol::kNetflowV9: return v9_length(at, end_of_input, walked);
    case FlowProtocol::kIpfix: length = ipfix_length(at); break;
    case FlowProtocol::kSflowV5:
      length = sflow_v5_length(at);
      if (length == 0) {
        if (end_of_input) return at.size();
        return at.size() > kLongestDatagram ? 0 : kNeedMore;
      }
      break;
  }
  if (length > at.size()) return end_of_input ? at.size() : kNeedMore;
  return length;
}

}  // namespace

FlowProtocol flow_header_of(std::string_view at) {
  if (sflow_v5_header(at) && at.size() >= 24) return FlowProtocol::kSflowV5;
  if (at.size() < 16) return FlowProtocol::kNone;
  const std::uint16_t version = be16(at.data());
  const std::uint16_t count = be16(at.data() + 2);
  if (version == 10) return ipfix_header(at) ? FlowProtocol::kIpfix : FlowProtocol::kNone;
  if (at.size() < 24) return FlowProtocol::kNone;
  if (version == 5 || version == 7) {
    if (count == 0 || count > kMostV5Records) return FlowProtocol::kNone;
    return version == 5 ? FlowProtocol::kNetflowV5 : FlowProtocol::kNetflowV7;
  }
  if (version == 9) {
    const std::uint16_t id = be16(at.data() + 20);
    const std::uint16_t length = be16(at.data() + 22);
    if ((id <= 1 || id >= 256) && length >= 8 && count != 0) return FlowProtocol::kNetflowV9;
  }
  return FlowProtocol::kNone;
}

bool DatagramCutter::Piece::padding() const { return !datagram && length <= 32 && all_zero(bytes); }

void DatagramCutter::push(std::string_view bytes) {
  carry_.erase(0, at_);
  offset_ += at_;
  at_ = 0;
  carry_.append(bytes);
}

bool DatagramCutter::next(bool end, Piece& piece) {
  while (at_ < carry_.size()) {
    const std::string_view rest = std::string_view(carry_).substr(at_);
    if (rest.size() < kLookahead && !end) return false;
    const FlowProtocol protocol = flow_header_of(rest);
    std::size_t length = 0;
    if (protocol != FlowProtocol::kNone && (!only_ipfix_ || protocol == FlowProtocol::kIpfix)) {
      length = measure(protocol, rest, end, walked_);
      if (length == kNeedMore) return false;
      walked_ = 0;
    }
    if (length != 0 && gap_length_ == 0) {
      piece = {true, rest.substr(0, length), offset_ + at_, length};
      at_ += length;
      return true;
    }
    if (length != 0) break;
    if (gap_length_ == 0) gap_offset_ = offset_ + at_;
    if (gap_.size() < 33) gap_ += rest[0];
    ++gap_length_;
    ++at_;
  }
  if (gap_length_ == 0 || (at_ == carry_.size() && !end)) return false;
  given_gap_ = gap_;
  piece = {false, given_gap_, gap_offset_, gap_length_};
  gap_.clear();
  gap_length_ = 0;
  return true;
}

void DatagramFile::feed(std::string_view bytes, EventBatch& batch) {
  cutter_.push(bytes);
  run(false, batch);
}

void DatagramFile::finish(EventBatch& batch) {
  run(true, batch);
  decoder_.finish(batch);
}

void DatagramFile::run(bool end, EventBatch& batch) {
  DatagramCutter::Piece piece;
  while (cutter_.next(end, piece)) {
    Datagram datagram;
    datagram.payload = piece.bytes;
    datagram.record.offset = piece.offset;
    datagram.record.line = ++number_;
    datagram.record.length = static_cast<std::uint32_t>(piece.length);
    datagram.record.source = source_;
    if (piece.datagram) {
      decoder_.decode(datagram, batch);
    } else if (!piece.padding()) {
      FlowContext{datagram, batch}.reject(flow_reason::kNoDatagram, piece.bytes);
    }
  }
}

int datagram_confidence(std::string_view head) {
  const FlowProtocol protocol = flow_header_of(head);
  if (protocol == FlowProtocol::kNone) return 0;
  const bool whole = head.size() < 65536;
  std::size_t walked = 0;
  const std::size_t length = measure(protocol, head, whole, walked);
  const bool strict = flow_protocol_of(head.substr(0, length), FlowEvidence::kWhole) == protocol;
  if (length != kNeedMore && strict && (length >= head.size() || head.size() - length < kLookahead)) return 90;
  if (length != kNeedMore && strict && flow_header_of(head.substr(length)) != FlowProtocol::kNone) return 90;
  // Cut or followed by something else: then at least the time must be one when such exporters lived (2000 to 2100).
  const std::size_t clock = protocol == FlowProtocol::kIpfix ? 4 : 8;
  const std::uint32_t seconds = be32(head.data() + clock);
  if (protocol != FlowProtocol::kSflowV5 && seconds > 946684800 && seconds < 4102444800) return strict ? 60 : 40;
  return 0;
}

}  // namespace orbwatch::decode
