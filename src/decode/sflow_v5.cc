#include "decode/sflow_v5.h"

#include <algorithm>

#include "core/text.h"
#include "decode/bytes.h"
#include "decode/packet.h"

namespace orbwatch::decode {
namespace {

const Symbol kDataset = core::intern("sflow_v5");
const Symbol kBadSample = core::intern("sflow: bad sample");
const Symbol kCounters = core::intern("sFlow counters");
const Symbol kDiscarded = core::intern("sFlow discarded packet");
const Symbol kOther = core::intern("sFlow sample of another kind");
const Symbol kNoIp = core::intern("sampled frame without IP");
const Symbol kNoSamples = core::intern("datagram without samples");

// sample_type: enterprise * 4096 + format.
constexpr std::uint32_t kFlowSample = 1;
constexpr std::uint32_t kCounterSample = 2;
constexpr std::uint32_t kExpandedFlowSample = 3;
constexpr std::uint32_t kExpandedCounterSample = 4;
constexpr std::uint32_t kDiscardSample = 5;

// Reads the header; false if it is damaged.
bool header(ByteReader& in, core::Ip& agent, std::uint32_t& samples, SflowHeader* told = nullptr) {
  if (in.u32() != 5) return false;
  const std::uint32_t family = in.u32();
  if (family == 1) {
    const auto bytes = in.bytes(4);
    if (bytes.size() == 4) agent = core::Ip::from_v4_bytes(bytes.data());
  } else if (family == 2) {
    const auto bytes = in.bytes(16);
    if (bytes.size() == 16) agent = core::Ip::from_v6_bytes(bytes.data());
  } else {
    return false;
  }
  const std::uint32_t sub_agent = in.u32();
  const std::uint32_t sequence = in.u32();
  in.skip(4);  // uptime
  if (told != nullptr) *told = {agent, sub_agent, sequence};
  samples = in.u32();
  return !in.bad();
}

// An opaque or string: length, bytes, padding to 4.
std::string_view opaque(ByteReader& in) {
  const std::uint32_t length = in.u32();
  const std::string_view bytes = in.bytes(length);
  in.skip(std::min<std::size_t>((4 - length % 4) % 4, in.left()));
  return bytes;
}

std::uint32_t link_type(std::uint32_t header_protocol) {
  switch (header_protocol) {
    case 1: return kLinkEthernet;
    case 7: return kLinkPpp;
    case 11:
    case 12: return kLinkRaw;
    default: return UINT32_MAX;
  }
}

void raw_header(ByteReader in, Event& e) {
  const std::uint32_t protocol = in.u32();
  in.skip(8);  // frame length, bytes stripped
  const std::string_view bytes = opaque(in);
  Frame frame;
  if (in.bad() || parse_frame(link_type(protocol), bytes, frame) != FrameKind::kIp) return;
  e.source_ip = frame.source;
  e.destination_ip = frame.destination;
  e.source_port = frame.source_port;
  e.destination_port = frame.destination_port;
  e.protocol = frame.protocol;
  e.tcp_flags = frame.tcp_flags;
  e.source_bytes = frame.ip_length;
}

// sampled_ipv4 and sampled_ipv6: what a switch says of a packet instead of its header.
void ip_data(ByteReader in, bool v6, Event& e) {
  if (e.source_ip.present()) return;  // the header itself came with it
  const std::uint32_t length = in.u32();
  const std::uint32_t protocol = in.u32();
  const std::string_view source = in.bytes(v6 ? 16 : 4);
  const std::string_view destination = in.bytes(v6 ? 16 : 4);
  const std::uint32_t source_port = in.u32();
  const std::uint32_t destination_port = in.u32();
  const std::uint32_t flags = in.u32();
  if (in.bad()) return;
  e.source_ip = v6 ? core::Ip::from_v6_bytes(source.data()) : core::Ip::from_v4_bytes(source.data());
  e.destination_ip = v6 ? core::Ip::from_v6_bytes(destination.data()) : core::Ip::from_v4_bytes(destination.data());
  e.source_port = static_cast<std::uint16_t>(source_port);
  e.destination_port = static_cast<std::uint16_t>(destination_port);
  e.protocol = static_cast<std::uint8_t>(protocol);
  e.tcp_flags = static_cast<std::uint16_t>(flags & 0xff);
  e.source_bytes = length;
}

void extended_nat(ByteReader in, Event& e) {
  const std::uint32_t family = in.u32();
  const std::string_view bytes = in.bytes(family == 1 ? 4 : 16);
  if (in.bad() || family < 1 || family > 2) return;
  e.assigned_ip = family == 1 ? core::Ip::from_v4_bytes(bytes.data()) : core::Ip::from_v6_bytes(bytes.data());
}

void extended_user(ByteReader in, Event& e) {
  in.skip(4);  // character set
  const std::string_view name = opaque(in);
  if (!in.bad() && !name.empty()) e.user = core::intern(core::printable(name, 256));
}

void flow_sample(ByteReader in, bool expanded, const core::Ip& agent, std::string_view seen,
                 const FlowContext& context) {
  in.skip(expanded ? 12 : 8);  // sequence number, source id
  const std::uint32_t rate = in.u32();
  in.skip(8);  // pool, drops
  // An interface is a format and a value; only format 0 with a value is one interface.
  const auto interface = [&in, expanded]() -> std::uint32_t {
    if (expanded) {
      const std::uint32_t format = in.u32();
      const std::uint32_t value = in.u32();
      return format == 0 && value != 0xffffffff ? value : 0;
    }
    const std::uint32_t value = in.u32();
    return value >> 30 == 0 && value != 0x3fffffff ? value : 0;
  };
  const std::uint32_t input = interface();
  const std::uint32_t output = interface();
  const std::uint32_t records = in.u32();
  if (in.bad()) {
    context.reject(kBadSample, seen);
    return;
  }
  Event& e = context.batch.next();
  for (std::uint32_t i = 0; i < records; ++i) {
    const std::uint32_t type = in.u32();
    const std::uint32_t length = in.u32();
    const std::string_view body = in.bytes(length);
    if (in.bad()) {
      context.reject(kBadSample, seen);
      return;
    }
    in.skip(std::min<std::size_t>((4 - length % 4) % 4, in.left()));
    switch (type) {
      case 1: raw_header(ByteReader(body), e); break;
      case 3: ip_data(ByteReader(body), false, e); break;
      case 4: ip_data(ByteReader(body), true, e); break;
      case 1004: extended_user(ByteReader(body), e); break;
      case 1007: extended_nat(ByteReader(body), e); break;
      default: break;  // Ethernet, switch, router, gateway, ... : nothing that an event has a place for
    }
  }
  if (!e.source_ip.present() && !e.destination_ip.present()) {
    context.ignore(kNoIp);
    return;
  }
  if (e.assigned_ip == e.source_ip) e.assigned_ip = core::Ip();
  e.time = context.datagram.received;
  e.observer_ip = context.datagram.exporter.present() ? context.datagram.exporter : agent;
  e.record = context.datagram.record;
  e.dataset = kDataset;
  e.event_class = event::Class::kFlow;
  e.activity = event::Activity::kTraffic;
  e.source_packets = 1;
  e.sampling = rate;
  e.ingress_index = input;
  e.egress_index = output;
  context.batch.keep();
  context.batch.counts.event(kDataset);
}

}  // namespace

bool sflow_v5_header(std::string_view payload) {
  return payload.size() >= 8 && be32(payload.data()) == 5 &&
         (be32(payload.data() + 4) == 1 || be32(payload.data() + 4) == 2);
}

std::optional<SflowHeader> sflow_v5_sequence(std::string_view payload) {
  ByteReader in(payload);
  core::Ip agent;
  std::uint32_t samples = 0;
  SflowHeader told;
  return header(in, agent, samples, &told) ? std::optional(told) : std::nullopt;
}

std::size_t sflow_v5_length(std::string_view payload) {
  ByteReader in(payload);
  core::Ip agent;
  std::uint32_t samples = 0;
  if (!header(in, agent, samples)) return 0;
  for (std::uint32_t i = 0; i < samples; ++i) {
    in.skip(4);
    const std::uint32_t length = in.u32();
    in.skip(length);
    if (in.bad()) return 0;
  }
  return payload.size() - in.left();
}

bool sflow_v5_plausible(std::string_view payload) {
  const std::size_t length = sflow_v5_length(payload);
  return length != 0 && all_zero(payload.substr(length));
}

void decode_sflow_v5(const FlowContext& context) {
  const std::string_view payload = context.datagram.payload;
  ByteReader in(payload);
  core::Ip agent;
  std::uint32_t samples = 0;
  if (!header(in, agent, samples)) {
    context.reject(flow_reason::kBadHeader, payload);
    return;
  }
  if (samples == 0) context.ignore(kNoSamples);
  for (std::uint32_t i = 0; i < samples; ++i) {
    const std::string_view seen = in.rest();
    const std::uint32_t type = in.u32();
    const std::uint32_t length = in.u32();
    const std::string_view body = in.bytes(length);
    if (in.bad()) {  // the further samples are lost as well; how many they are only the header claims
      context.reject(flow_reason::kTruncated, seen);
      return;
    }
    switch (type) {
      case kFlowSample: flow_sample(ByteReader(body), false, agent, seen, context); break;
      case kExpandedFlowSample: flow_sample(ByteReader(body), true, agent, seen, context); break;
      case kCounterSample:
      case kExpandedCounterSample: context.ignore(kCounters); break;
      case kDiscardSample: context.ignore(kDiscarded); break;
      default: context.ignore(kOther); break;
    }
  }
}

}  // namespace orbwatch::decode
