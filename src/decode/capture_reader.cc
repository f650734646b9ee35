#include "decode/capture_reader.h"

#include <algorithm>
#include <cstring>

namespace orbwatch::decode {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;

// The number at a place; 0 if it is not all there.
template <typename Number>
Number native(std::string_view bytes, std::size_t at) {
  Number v = 0;
  if (bytes.size() >= at + sizeof v) std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}
std::uint32_t native32(std::string_view bytes, std::size_t at = 0) { return native<std::uint32_t>(bytes, at); }

__extension__ typedef unsigned __int128 Wide;  // 64-bit ticks times 1e9

}  // namespace

std::uint16_t CaptureReader::u16(std::string_view bytes, std::size_t at) const {
  const auto v = native<std::uint16_t>(bytes, at);
  return swapped_ ? __builtin_bswap16(v) : v;
}

std::uint32_t CaptureReader::u32(std::string_view bytes, std::size_t at) const {
  const std::uint32_t v = native32(bytes, at);
  return swapped_ ? __builtin_bswap32(v) : v;
}

bool CaptureReader::recognise(std::string_view head) {
  if (head.size() < 12) return false;
  const std::uint32_t magic = native32(head);
  if (magic == kSectionHeader) {
    const std::uint32_t order = native32(head, 8);
    return order == kByteOrder || order == __builtin_bswap32(kByteOrder);
  }
  for (const std::uint32_t known : {kMicroseconds, kNanoseconds, kModified}) {
    if (magic == known || magic == __builtin_bswap32(known)) return true;
  }
  return false;
}

// The next n bytes (n > 0) in one piece; none until enough were pushed.
std::string_view CaptureReader::need(std::size_t n) {
  if (carry_.empty()) {
    if (view_.size() >= n) return view_.substr(0, n);
    carry_.assign(view_);
    view_ = {};
    return {};
  }
  if (carry_.size() < n) {
    const std::size_t add = std::min(n - carry_.size(), view_.size());
    carry_.append(view_.substr(0, add));
    view_.remove_prefix(add);
  }
  return carry_.size() >= n ? std::string_view(carry_).substr(0, n) : std::string_view{};
}

void CaptureReader::release() {
  offset_ += consumed_;
  if (carry_.empty()) {
    view_.remove_prefix(consumed_);
  } else {
    carry_.erase(0, consumed_);
  }
  consumed_ = 0;
  if (skip_ != 0) {
    const std::uint64_t held = std::min<std::uint64_t>(skip_, carry_.size());
    carry_.erase(0, held);
    const std::uint64_t now = std::min<std::uint64_t>(skip_ - held, view_.size());
    view_.remove_prefix(now);
    skip_ -= held + now;
    offset_ += held + now;
  }
}

CaptureReader::Step CaptureReader::broken(const char* why, Packet& packet) {
  problem_ = why;
  broken_ = true;
  packet.offset = offset_;
  packet.number = number_ + 1;
  packet.bytes = {};
  carry_.clear();
  view_ = {};
  consumed_ = 0;
  return Step::kBroken;
}

CaptureReader::Step CaptureReader::next(Packet& packet) {
  for (;;) {
    if (broken_) {
      view_ = {};
      return Step::kMore;
    }
    release();
    if (skip_ != 0) return Step::kMore;
    Step step = Step::kMore;
    switch (state_) {
      case State::kStart: step = start(packet); break;
      case State::kPcap: step = pcap_packet(packet); break;
      case State::kPcapng: step = pcapng_block(packet); break;
    }
    // A header or a block without packet was used up: go on with what follows it.
    if (step == Step::kMore && (consumed_ != 0 || skip_ != 0)) continue;
    return step;
  }
}

CaptureReader::Step CaptureReader::start(Packet& packet) {
  std::string_view p = need(4);
  if (p.empty()) return Step::kMore;
  const std::uint32_t magic = native32(p);
  if (magic == kSectionHeader) {
    state_ = State::kPcapng;
    return pcapng_block(packet);
  }
  const std::uint32_t other = __builtin_bswap32(magic);
  swapped_ = other == kMicroseconds || other == kNanoseconds || other == kModified;
  const std::uint32_t known = swapped_ ? other : magic;
  if (known != kMicroseconds && known != kNanoseconds && known != kModified)
    return broken("capture: not pcap or pcapng", packet);
  p = need(24);
  if (p.empty()) return Step::kMore;
  nanoseconds_ = known == kNanoseconds;
  packet_header_ = known == kModified ? 24 : 16;
  link_type_ = u32(p, 20) & 0x0fffffff;  // the upper bits tell of a frame check sequence
  state_ = State::kPcap;
  consume(24);
  return Step::kMore;
}

CaptureReader::Step CaptureReader::pcap_packet(Packet& packet) {
  std::string_view p = need(packet_header_);
  if (p.empty()) return Step::kMore;
  const std::size_t captured = u32(p, 8);
  if (captured > kLongestBlock) return broken("capture: packet length out of range", packet);
  p = need(packet_header_ + captured);
  if (p.empty()) return Step::kMore;
  const std::int64_t fraction = u32(p, 4);
  packet.time = u32(p) * core::kSecond + (nanoseconds_ ? fraction : fraction * core::kMicrosecond);
  packet.link_type = link_type_;
  packet.bytes = p.substr(packet_header_, captured);
  packet.number = ++number_;
  packet.offset = offset_;
  packet.record_length = static_cast<std::uint32_t>(packet_header_ + captured);
  consume(packet_header_ + captured);
  return Step::kPacket;
}

CaptureReader::Step CaptureReader::pcapng_block(Packet& packet) {
  std::string_view p = need(12);
  if (p.empty()) return Step::kMore;
  const std::uint32_t type = native32(p);  // the section header's type reads the same in both byte orders
  if (type == kSectionHeader) {
    const std::uint32_t order = native32(p, 8);
    if (order != kByteOrder && order != __builtin_bswap32(kByteOrder))
      return broken("capture: bad section header", packet);
    swapped_ = order != kByteOrder;
    const std::uint32_t length = u32(p, 4);
    if (length < 28 || length % 4 != 0 || length > kLongestBlock) return broken("capture: bad section header", packet);
    interfaces_.clear();
    consume(12);
    skip_ = length - 12;
    return Step::kMore;
  }
  const std::uint32_t length = u32(p, 4);
  if (length < 12 || length % 4 != 0) return broken("capture: bad block length", packet);
  const std::uint32_t kind = u32(p);
  if (kind != 1 && kind != 2 && kind != 3 && kind != 6) {
    consume(12);
    skip_ = length - 12;
    return Step::kMore;
  }
  if (length > kLongestBlock) {
    consume(12);
    skip_ = length - 12;
    if (kind == 1) return broken("capture: bad interface block", packet);
    packet.number = ++number_;
    packet.offset = offset_;
    packet.bytes = {};
    packet.record_length = 0;
    problem_ = "capture: packet length out of range";
    return Step::kSkipped;
  }
  p = need(length);
  if (p.empty()) return Step::kMore;
  if (u32(p, length - 4) != length) return broken("capture: bad block length", packet);
  consume(length);
  return block(kind, p.substr(8, length - 12), length, packet);
}

void CaptureReader::interface(std::string_view body) {
  Interface made;
  if (body.size() >= 8) {
    made.link_type = u16(body);
    made.snap_length = u32(body, 4);
    body.remove_prefix(8);
    while (body.size() >= 4) {
      const std::uint16_t code = u16(body);
      const std::size_t length = u16(body, 2);
      body.remove_prefix(4);
      if (code == 0 || length > body.size()) break;
      if (code == 9 && length >= 1) {  // if_tsresol
        const auto resolution = static_cast<unsigned char>(body[0]);
        const unsigned exponent = resolution & 0x7f;
        made.ticks_per_second = 0;  // out of range: times unknown
        if ((resolution & 0x80) != 0) {
          if (exponent < 64) made.ticks_per_second = std::uint64_t{1} << exponent;
        } else if (exponent < 20) {
          made.ticks_per_second = 1;
          for (unsigned i = 0; i < exponent; ++i) made.ticks_per_second *= 10;
        }
      } else if (code == 14 && length >= 8) {  // if_tsoffset
        const std::uint64_t first = u32(body);
        const std::uint64_t second = u32(body, 4);
        made.offset_seconds = static_cast<std::int64_t>(swapped_ ? first << 32 | second : second << 32 | first);
      }
      body.remove_prefix(std::min((length + 3) & ~std::size_t{3}, body.size()));
    }
  }
  // Later interfaces than the limit are not kept: their packets are of an unknown interface.
  if (interfaces_.size() < kMostInterfaces) interfaces_.push_back(made);
}

CaptureReader::Step CaptureReader::block(std::uint32_t type, std::string_view body, std::uint32_t length,
                                         Packet& packet) {
  if (type == 1) {
    interface(body);
    return Step::kMore;
  }
  packet.number = ++number_;
  packet.offset = offset_;
  packet.record_length = length;
  packet.time = 0;
  packet.bytes = {};
  const std::size_t header = type == 3 ? 4 : 20;
  if (body.size() < header) {
    problem_ = "capture: packet block too short";
    return Step::kSkipped;
  }
  const std::size_t index = type == 6 ? u32(body) : type == 2 ? u16(body) : 0;
  if (index >= interfaces_.size()) {
    problem_ = "capture: packet of an unknown interface";
    return Step::kSkipped;
  }
  const Interface& from = interfaces_[index];
  packet.link_type = from.link_type;
  std::size_t captured = 0;
  if (type == 3) {
    captured = std::min<std::size_t>(u32(body), body.size() - header);
    if (from.snap_length != 0) captured = std::min<std::size_t>(captured, from.snap_length);
  } else {
    captured = u32(body, 12);
    const std::uint64_t ticks = std::uint64_t{u32(body, 4)} << 32 | u32(body, 8);
    if (from.ticks_per_second != 0) {
      const Wide ns = Wide{ticks} * 1000000000U / from.ticks_per_second;
      const auto most = static_cast<std::uint64_t>(INT64_MAX / 2);
      const std::int64_t limit = INT64_MAX / 4 / core::kSecond;
      if (ns < most && from.offset_seconds < limit && from.offset_seconds > -limit) {
        packet.time = static_cast<std::int64_t>(ns) + from.offset_seconds * core::kSecond;
      }
    }
    if (captured > body.size() - header) {
      problem_ = "capture: packet longer than its block";
      return Step::kSkipped;
    }
  }
  packet.bytes = body.substr(header, captured);
  return Step::kPacket;
}

}  // namespace orbwatch::decode
