#include "decode/capture.h"

#include "decode/formats.h"
#include "decode/packet.h"

namespace orbwatch::decode {
namespace {

const Symbol kOtherProtocol = core::intern("packet of another protocol");
const Symbol kNotIp = core::intern("packet without IP");
const Symbol kFragment = core::intern("IP fragment");
const Symbol kUnknownLink = core::intern("link type not understood");
const Symbol kCutPacket = core::intern("capture: packet ends inside its headers");
const Symbol kTruncated = core::intern("capture: truncated");
const Symbol kNoData = core::intern("packet without data");
const Symbol kSeenBefore = core::intern("packet sent again");
const Symbol kTooMany = core::intern("flow: too many connections");

constexpr std::uint8_t kUdp = 17;

}  // namespace

void CaptureDecoder::reject(const CaptureReader::Packet& packet, Symbol reason, EventBatch& batch) const {
  Datagram place;
  place.record.offset = packet.offset;
  place.record.line = packet.number;
  FlowContext{place, batch}.reject(reason, packet.bytes);
}

void CaptureDecoder::packet(const CaptureReader::Packet& packet, EventBatch& batch) {
  Frame frame;
  switch (parse_frame(packet.link_type, packet.bytes, frame)) {
    case FrameKind::kIp: break;
    case FrameKind::kNotIp: batch.counts.ignore(kNotIp); return;
    case FrameKind::kUnknownLink: batch.counts.ignore(kUnknownLink); return;
    case FrameKind::kTruncated: reject(packet, kCutPacket, batch); return;
  }
  const bool in_stream = FlowStreams::carries(frame.protocol);
  if (frame.protocol != kUdp && !in_stream) {
    batch.counts.ignore(kOtherProtocol);
    return;
  }
  if (frame.fragment) {
    batch.counts.ignore(kFragment);
    return;
  }
  if (!frame.has_ports) {
    in_stream ? batch.counts.ignore(kOtherProtocol) : reject(packet, kCutPacket, batch);
    return;
  }
  if (in_stream) {
    stream(packet, frame, batch);
    return;
  }
  const FlowEvidence evidence = is_flow_port(frame.destination_port) ? FlowEvidence::kVersion
                                : frame.payload_missing != 0         ? FlowEvidence::kHeader
                                                                     : FlowEvidence::kWhole;
  if (flow_protocol_of(frame.payload, evidence) == FlowProtocol::kNone) {
    batch.counts.ignore(flow_reason::kNoFlow);
    return;
  }
  Datagram datagram = place_of(packet, frame);
  datagram.payload = frame.payload;
  flows_.decode(datagram, batch);
}

void CaptureDecoder::stream(const CaptureReader::Packet& packet, const Frame& frame, EventBatch& batch) {
  switch (streams_.packet(frame, place_of(packet, frame), {flows_, batch})) {
    case FlowStreams::Fate::kTaken: break;
    case FlowStreams::Fate::kNotFollowed: batch.counts.ignore(kOtherProtocol); break;
    case FlowStreams::Fate::kNoFlow: batch.counts.ignore(flow_reason::kNoFlow); break;
    case FlowStreams::Fate::kNoData: batch.counts.ignore(kNoData); break;
    case FlowStreams::Fate::kSeenBefore: batch.counts.ignore(kSeenBefore); break;
    case FlowStreams::Fate::kTooMany: reject(packet, kTooMany, batch); break;
  }
}

Datagram CaptureDecoder::place_of(const CaptureReader::Packet& packet, const Frame& frame) const {
  Datagram datagram;
  datagram.exporter = frame.source;
  datagram.exporter_port = frame.source_port;
  datagram.received = packet.time;
  datagram.record.offset = packet.offset;
  datagram.record.line = packet.number;
  datagram.record.length = packet.record_length;
  datagram.record.source = source_;
  return datagram;
}

void CaptureDecoder::feed(std::string_view bytes, EventBatch& batch) {
  reader_.push(bytes);
  CaptureReader::Packet next;
  for (;;) {
    switch (reader_.next(next)) {
      case CaptureReader::Step::kPacket: packet(next, batch); break;
      case CaptureReader::Step::kMore: return;
      case CaptureReader::Step::kSkipped:
      case CaptureReader::Step::kBroken: reject(next, core::intern(reader_.problem()), batch); break;
    }
  }
}

void CaptureDecoder::finish(EventBatch& batch) {
  if (!reader_.complete()) {
    CaptureReader::Packet rest;
    rest.offset = reader_.offset();
    rest.number = reader_.packets() + 1;
    reject(rest, kTruncated, batch);
  }
  streams_.finish({flows_, batch});
  flows_.finish(batch);
}

int recognise_capture(std::string_view head) { return CaptureReader::recognise(head) ? 100 : 0; }

std::unique_ptr<Decoder> make_capture(const Options& options) { return std::make_unique<CaptureDecoder>(options); }

}  // namespace orbwatch::decode
