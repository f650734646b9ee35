#include "decode/packet.h"

#include <algorithm>

#include "decode/bytes.h"

namespace orbwatch::decode {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kUdpLite = 136;

std::uint8_t at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

// `missing`: bytes of the IP datagram that were not captured.
void transport(std::string_view bytes, std::size_t missing, Frame& frame) {
  switch (frame.protocol) {
    case kTcp:
      if (bytes.size() >= 14) frame.tcp_flags = at(bytes, 13);
      if (bytes.size() >= 20) {
        frame.tcp_sequence = be32(bytes.data() + 4);
        const std::size_t header = (at(bytes, 12) >> 4) * 4U;
        if (header >= 20 && bytes.size() >= header) {
          frame.payload = bytes.substr(header);
          frame.payload_missing = static_cast<std::uint32_t>(missing);
        }
      }
      [[fallthrough]];
    case kDccp:
    case kSctp:
    case kUdpLite:
    case kUdp:
      if (bytes.size() < 4) return;
      frame.source_port = be16(bytes.data());
      frame.destination_port = be16(bytes.data() + 2);
      frame.has_ports = true;
      if (frame.protocol == kUdp && bytes.size() >= 8) {
        const std::size_t length = be16(bytes.data() + 4);
        frame.payload = bytes.substr(8);
        if (length >= 8) {  // 0 is a jumbogram, below 8 is damage: then the IP length stands
          frame.payload = frame.payload.substr(0, length - 8);
          frame.payload_missing = static_cast<std::uint32_t>(length - 8 - frame.payload.size());
        }
      }
      if (frame.protocol == kSctp && bytes.size() >= 12) {
        frame.payload = bytes.substr(12);
        frame.payload_missing = static_cast<std::uint32_t>(missing);
      }
      return;
    case kIcmp:
    case kIcmp6:
      if (bytes.size() < 2) return;
      frame.destination_port = be16(bytes.data());
      frame.has_ports = true;
      return;
    default: return;
  }
}

FrameKind ipv4(std::string_view bytes, Frame& frame) {
  if (bytes.size() < 20) return FrameKind::kTruncated;
  const std::size_t header = (at(bytes, 0) & 15U) * 4U;
  if (header < 20) return FrameKind::kNotIp;
  frame.ip_length = be16(bytes.data() + 2);
  frame.protocol = at(bytes, 9);
  frame.source = core::Ip::from_v4_bytes(bytes.data() + 12);
  frame.destination = core::Ip::from_v4_bytes(bytes.data() + 16);
  const std::uint16_t fragment = be16(bytes.data() + 6);
  frame.fragment = (fragment & 0x3fff) != 0;
  // What follows the datagram is Ethernet padding. A length of 0 comes from segmentation offload.
  if (frame.ip_length >= header) bytes = bytes.substr(0, frame.ip_length);
  const std::size_t missing = frame.ip_length > bytes.size() ? frame.ip_length - bytes.size() : 0;
  if ((fragment & 0x1fff) == 0 && bytes.size() > header) transport(bytes.substr(header), missing, frame);
  return FrameKind::kIp;
}

FrameKind ipv6(std::string_view bytes, Frame& frame) {
  if (bytes.size() < 40) return FrameKind::kTruncated;
  const std::uint32_t length = be16(bytes.data() + 4);
  frame.ip_length = length + 40;
  frame.source = core::Ip::from_v6_bytes(bytes.data() + 8);
  frame.destination = core::Ip::from_v6_bytes(bytes.data() + 24);
  std::uint8_t next = at(bytes, 6);
  if (length != 0) bytes = bytes.substr(0, frame.ip_length);
  const std::size_t missing = length != 0 ? frame.ip_length - bytes.size() : 0;
  bytes.remove_prefix(40);
  bool first_fragment = true;
  // A chain longer than this is an attack, not a packet.
  for (int headers = 0; headers < 16; ++headers) {
    frame.protocol = next;
    switch (next) {
      case 0:     // hop-by-hop
      case 43:    // routing
      case 60:    // destination options
      case 135:   // mobility
      case 139:   // HIP
      case 140:   // shim6
      case 51: {  // authentication header: its length counts otherwise
        if (bytes.size() < 8) return FrameKind::kIp;
        const std::size_t size = next == 51 ? (at(bytes, 1) + 2U) * 4U : (at(bytes, 1) + 1U) * 8U;
        next = at(bytes, 0);
        if (bytes.size() < size) {
          frame.protocol = next;
          return FrameKind::kIp;
        }
        bytes.remove_prefix(size);
        break;
      }
      case 44: {  // fragment
        if (bytes.size() < 8) return FrameKind::kIp;
        const std::uint16_t offset = be16(bytes.data() + 2);
        frame.fragment = frame.fragment || (offset & 0xfff9) != 0;
        first_fragment = (offset & 0xfff8) == 0;
        next = at(bytes, 0);
        bytes.remove_prefix(8);
        if (!first_fragment) {
          frame.protocol = next;
          return FrameKind::kIp;
        }
        break;
      }
      default: transport(bytes, missing, frame); return FrameKind::kIp;
    }
  }
  return FrameKind::kIp;
}

FrameKind ip(std::string_view bytes, Frame& frame) {
  if (bytes.empty()) return FrameKind::kTruncated;
  const int version = at(bytes, 0) >> 4;
  if (version == 4) return ipv4(bytes, frame);
  if (version == 6) return ipv6(bytes, frame);
  return FrameKind::kNotIp;
}

FrameKind ethernet(std::string_view bytes, Frame& frame, int depth);

FrameKind ppp(std::string_view bytes, Frame& frame) {
  if (bytes.size() < 2) return FrameKind::kTruncated;
  // The protocol field may be compressed to one byte (RFC 1661, 6.5): odd first byte.
  const std::uint32_t protocol = (at(bytes, 0) & 1) != 0 ? at(bytes, 0) : be16(bytes.data());
  bytes.remove_prefix((at(bytes, 0) & 1) != 0 ? 1 : 2);
  if (protocol == 0x21 || protocol == 0x57) return ip(bytes, frame);
  return FrameKind::kNotIp;
}

FrameKind by_ethertype(std::uint16_t type, std::string_view bytes, Frame& frame, int depth) {
  for (int tags = 0; tags < 8; ++tags) {
    switch (type) {
      case 0x0800: return bytes.empty() || at(bytes, 0) >> 4 == 4 ? ip(bytes, frame) : FrameKind::kNotIp;
      case 0x86dd: return bytes.empty() || at(bytes, 0) >> 4 == 6 ? ip(bytes, frame) : FrameKind::kNotIp;
      case 0x8100:  // 802.1Q
      case 0x88a8:  // 802.1ad
      case 0x9100:
      case 0x9200:
        if (bytes.size() < 4) return FrameKind::kTruncated;
        type = be16(bytes.data() + 2);
        bytes.remove_prefix(4);
        break;
      case 0x8847:  // MPLS
      case 0x8848:
        for (;;) {
          if (bytes.size() < 4) return FrameKind::kTruncated;
          const bool bottom = (at(bytes, 2) & 1) != 0;
          bytes.remove_prefix(4);
          if (bottom) break;
        }
        if (bytes.empty()) return FrameKind::kTruncated;
        // MPLS does not say what it carries: IP by its version, or an Ethernet pseudowire with its control word (RFC
        // 4448).
        if (at(bytes, 0) >> 4 == 0 && depth == 0 && bytes.size() > 4)
          return ethernet(bytes.substr(4), frame, depth + 1);
        return ip(bytes, frame);
      case 0x8864:  // PPPoE session
        if (bytes.size() < 6) return FrameKind::kTruncated;
        return ppp(bytes.substr(6), frame);
      default:
        if (type < 0x600 && bytes.size() >= 8 &&
            bytes.starts_with(std::string_view("\xaa\xaa\x03\0\0\0", 6))) {  // LLC/SNAP
          type = be16(bytes.data() + 6);
          bytes.remove_prefix(8);
          break;
        }
        return FrameKind::kNotIp;
    }
  }
  return FrameKind::kNotIp;
}

FrameKind ethernet(std::string_view bytes, Frame& frame, int depth) {
  if (bytes.size() < 14) return FrameKind::kTruncated;
  return by_ethertype(be16(bytes.data() + 12), bytes.substr(14), frame, depth);
}

}  // namespace

FrameKind parse_frame(std::uint32_t link_type, std::string_view bytes, Frame& frame) {
  frame = Frame{};
  switch (link_type) {
    case kLinkEthernet: return ethernet(bytes, frame, 0);
    case 12:  // raw IP of some BSDs
    case 14:
    case kLinkRaw:
    case kLinkIpv4:
    case kLinkIpv6: return ip(bytes, frame);
    case kLinkNull:
    case kLinkLoop:
      // The address family has the byte order of the capturing machine, and its number for IPv6 depends on the system:
      // look at the IP version instead.
      if (bytes.size() < 4) return FrameKind::kTruncated;
      return ip(bytes.substr(4), frame);
    case kLinkLinuxSll:
      if (bytes.size() < 16) return FrameKind::kTruncated;
      return by_ethertype(be16(bytes.data() + 14), bytes.substr(16), frame, 0);
    case kLinkLinuxSll2:
      if (bytes.size() < 20) return FrameKind::kTruncated;
      return by_ethertype(be16(bytes.data()), bytes.substr(20), frame, 0);
    case kLinkPpp:
    case kLinkPppHdlc:
      if (bytes.starts_with("\xff\x03")) bytes.remove_prefix(2);
      return ppp(bytes, frame);
    case kLinkPppEther:
      if (bytes.size() < 6) return FrameKind::kTruncated;
      return ppp(bytes.substr(6), frame);
    default: return FrameKind::kUnknownLink;
  }
}

}  // namespace orbwatch::decode
