// Link, network and transport headers of one captured or sampled frame. Shared by the capture reader (which looks for
// UDP, TCP and SCTP) and by sFlow and IPFIX packet sections (which carry the beginning of a frame).
//
// Sources: IEEE 802.3/802.1Q/802.1ad, RFC 791, RFC 8200 (extension headers), RFC 3032 (MPLS), RFC 2516 (PPPoE), RFC
// 9293 (TCP), RFC 9260 (SCTP),
// https://www.tcpdump.org/linktypes.html.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/ip.h"

namespace orbwatch::decode {

// Numbers from https://www.tcpdump.org/linktypes.html; those that parse_frame understands.
inline constexpr std::uint32_t kLinkNull = 0;
inline constexpr std::uint32_t kLinkEthernet = 1;
inline constexpr std::uint32_t kLinkPpp = 9;
inline constexpr std::uint32_t kLinkPppHdlc = 50;
inline constexpr std::uint32_t kLinkPppEther = 51;
inline constexpr std::uint32_t kLinkRaw = 101;
inline constexpr std::uint32_t kLinkLoop = 108;
inline constexpr std::uint32_t kLinkLinuxSll = 113;
inline constexpr std::uint32_t kLinkIpv4 = 228;
inline constexpr std::uint32_t kLinkIpv6 = 229;
inline constexpr std::uint32_t kLinkLinuxSll2 = 276;

enum class FrameKind : std::uint8_t {
  kIp,           // addresses and protocol are set; ports too if the transport header is there and the protocol has them
  kNotIp,        // ARP, STP, LLDP, ...
  kTruncated,    // ends inside a header that comes before the addresses
  kUnknownLink,  // a link type that is not understood
};

struct Frame {
  core::Ip source;
  core::Ip destination;
  std::uint32_t ip_length = 0;  // bytes from the first byte of the IP header on, as the header states
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;  // ICMP: type * 256 + code, as NetFlow writes it
  std::uint8_t protocol = 0;
  std::uint8_t tcp_flags = 0;
  bool fragment = false;   // any fragment of a datagram that was cut
  bool has_ports = false;  // the transport header was there
  std::uint32_t tcp_sequence = 0;
  // Behind the UDP, TCP or SCTP header (of SCTP: its chunks), cut to the length that the headers state.
  std::string_view payload;
  std::uint32_t payload_missing = 0;  // bytes of it that were not captured
};

// Never reads outside `bytes`. `frame` is meaningful for kIp only.
FrameKind parse_frame(std::uint32_t link_type, std::string_view bytes, Frame& frame);

}  // namespace orbwatch::decode
