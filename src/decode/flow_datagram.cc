#include "decode/flow_datagram.h"

#include <algorithm>
#include <array>
#include <string>

#include "decode/bytes.h"
#include "decode/formats.h"
#include "decode/ipfix.h"
#include "decode/netflow_v9.h"
#include "decode/sflow_v5.h"

namespace orbwatch::decode {
namespace {

const Symbol kUnknownVersion = core::intern("flow: unknown version");
const Symbol kNoDatagram = core::intern("flow: bytes that are no datagram");

constexpr std::size_t kLongestDatagram = 65535;
constexpr std::size_t kLookahead = 24;      // bytes that tell whether a datagram starts here
constexpr std::size_t kMostV5Records = 64;  // the protocol says 30

// Does a datagram start here? Looks at kLookahead bytes, or at what the input has left.
FlowProtocol header_of(std::string_view at) {
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

constexpr std::size_t kNeedMore = SIZE_MAX;

// Where a NetFlow v9 datagram ends: its header does not say it. Walks the sets until something begins that is no set of
// version 9; the numbers 2 to 255 are reserved, so the version of a following datagram (5, 7, 9, 10) cannot be taken
// for a set.
std::size_t v9_length(std::string_view at, bool end_of_input) {
  std::size_t pos = 20;
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
    } else if ((id > 1 && id < 256) || length < 8) {
      return pos;
    }
    if (pos + step > kLongestDatagram) return pos;
    if (pos + step > at.size()) return end_of_input ? at.size() : kNeedMore;
    pos += step;
  }
}

// Length of the datagram that starts here, kNeedMore, or 0 if it does not end where a datagram may end.
std::size_t measure(FlowProtocol protocol, std::string_view at, bool end_of_input) {
  std::size_t length = 0;
  switch (protocol) {
    case FlowProtocol::kNone: return 0;
    case FlowProtocol::kNetflowV5:
    case FlowProtocol::kNetflowV7: length = NetflowV5::length(at); break;
    case FlowProtocol::kNetflowV9: return v9_length(at, end_of_input);
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

// Datagrams one behind the other. What is none is stepped over up to the next header, as one rejected record.
class DatagramFile final : public Decoder {
 public:
  DatagramFile(const Options& options, bool only_ipfix) : source_(options.source), only_ipfix_(only_ipfix) {}

  void feed(std::string_view bytes, EventBatch& batch) override {
    carry_.append(bytes);
    run(false, batch);
  }

  void finish(EventBatch& batch) override {
    run(true, batch);
    end_gap(batch);
    decoder_.finish(batch);
    carry_.clear();
  }

 private:
  void run(bool end, EventBatch& batch) {
    std::size_t at = 0;
    while (at < carry_.size()) {
      const std::string_view rest = std::string_view(carry_).substr(at);
      if (rest.size() < kLookahead && !end) break;
      const FlowProtocol protocol = header_of(rest);
      std::size_t length = 0;
      if (protocol != FlowProtocol::kNone && (!only_ipfix_ || protocol == FlowProtocol::kIpfix)) {
        length = measure(protocol, rest, end);
        if (length == kNeedMore) break;
      }
      if (length == 0) {
        if (gap_length_ == 0) gap_offset_ = offset_ + at;
        if (gap_.size() < 33) gap_ += rest[0];
        ++gap_length_;
        ++at;
        continue;
      }
      end_gap(batch);
      Datagram datagram;
      datagram.payload = rest.substr(0, length);
      datagram.record.offset = offset_ + at;
      datagram.record.line = ++number_;
      datagram.record.length = static_cast<std::uint32_t>(length);
      datagram.record.source = source_;
      decoder_.decode(datagram, batch);
      at += length;
    }
    offset_ += at;
    carry_.erase(0, at);
  }

  void end_gap(EventBatch& batch) {
    if (gap_length_ == 0) return;
    Datagram datagram;
    datagram.record.offset = gap_offset_;
    datagram.record.line = ++number_;
    // Zeros are padding that an exporter put behind its datagram.
    if (gap_.find_first_not_of('\0') != gap_.npos || gap_length_ > 32)
      FlowContext{datagram, batch}.reject(kNoDatagram, gap_);
    gap_.clear();
    gap_length_ = 0;
  }

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

// How sure it is that `head` consists of datagrams, the first of them of `protocol`.
int confidence(FlowProtocol protocol, std::string_view head) {
  if (protocol == FlowProtocol::kNone) return 0;
  const bool whole = head.size() < 65536;
  const std::size_t length = measure(protocol, head, whole);
  const bool strict = flow_protocol_of(head.substr(0, length), FlowEvidence::kWhole) == protocol;
  if (length != kNeedMore && strict && (length >= head.size() || head.size() - length < kLookahead)) return 90;
  if (length != kNeedMore && strict && header_of(head.substr(length)) != FlowProtocol::kNone) return 90;
  // Cut or followed by something else: then at least the time must be one when such exporters lived (2000 to 2100).
  const std::size_t clock = protocol == FlowProtocol::kIpfix ? 4 : 8;
  const std::uint32_t seconds = be32(head.data() + clock);
  if (protocol != FlowProtocol::kSflowV5 && seconds > 946684800 && seconds < 4102444800) return strict ? 60 : 40;
  return 0;
}

}  // namespace

bool is_flow_port(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 11> kPorts = {2055, 2056, 4432, 4739, 6343, 9025, 9026, 9555, 9991, 9995, 9996};
  return std::find(kPorts.begin(), kPorts.end(), port) != kPorts.end();
}

FlowProtocol flow_protocol_of(std::string_view payload, FlowEvidence evidence) {
  if (evidence == FlowEvidence::kVersion) {
    if (payload.size() < 4) return FlowProtocol::kNone;
    switch (be16(payload.data())) {
      case 5: return FlowProtocol::kNetflowV5;
      case 7: return FlowProtocol::kNetflowV7;
      case 9: return FlowProtocol::kNetflowV9;
      case 10: return FlowProtocol::kIpfix;
      case 0: return sflow_v5_header(payload) ? FlowProtocol::kSflowV5 : FlowProtocol::kNone;
      default: return FlowProtocol::kNone;
    }
  }
  const FlowProtocol header = header_of(payload);
  if (evidence == FlowEvidence::kHeader) return header;
  bool sound = false;
  switch (header) {
    case FlowProtocol::kNone: break;
    case FlowProtocol::kNetflowV5:
    case FlowProtocol::kNetflowV7: sound = NetflowV5::plausible(payload); break;
    case FlowProtocol::kNetflowV9: sound = netflow_v9_plausible(payload); break;
    case FlowProtocol::kIpfix: sound = ipfix_plausible(payload); break;
    case FlowProtocol::kSflowV5: sound = sflow_v5_plausible(payload); break;
  }
  return sound ? header : FlowProtocol::kNone;
}

FlowDatagramDecoder::FlowDatagramDecoder(const FlowLimits& limits) : exporters_(limits) {}

void FlowDatagramDecoder::decode(const Datagram& datagram, EventBatch& batch) {
  const FlowContext context{datagram, batch};
  const std::string_view payload = datagram.payload;
  switch (payload.size() < 4 ? 0 : be16(payload.data())) {
    case 5:
    case 7: v5_.decode(context); return;
    case 9: decode_netflow_v9(exporters_, context); return;
    case 10: decode_ipfix(exporters_, context); return;
    case 0:
      if (sflow_v5_header(payload)) {
        decode_sflow_v5(context);
        return;
      }
      [[fallthrough]];
    default: context.reject(kUnknownVersion, payload); return;
  }
}

void FlowDatagramDecoder::finish(EventBatch& batch) { exporters_.finish(batch); }

int recognise_flow_datagram(std::string_view head) {
  const FlowProtocol protocol = header_of(head);
  const int sure = confidence(protocol, head);
  return protocol == FlowProtocol::kIpfix ? std::min(sure, 30) : sure;  // IPFIX alone is a file of RFC 5655
}

int recognise_ipfix_file(std::string_view head) {
  const FlowProtocol protocol = header_of(head);
  return protocol == FlowProtocol::kIpfix ? confidence(protocol, head) : 0;
}

std::unique_ptr<Decoder> make_flow_datagram(const Options& options) {
  return std::make_unique<DatagramFile>(options, false);
}
std::unique_ptr<Decoder> make_ipfix_file(const Options& options) {
  return std::make_unique<DatagramFile>(options, true);
}

}  // namespace orbwatch::decode
