#include "decode/capture.h"

#include "decode/formats.h"
#include "decode/packet.h"

namespace orbwatch::decode {
namespace {

const Symbol kNoFlow = core::intern("packet without flow export");
const Symbol kOtherProtocol = core::intern("packet of another protocol");
const Symbol kNotIp = core::intern("packet without IP");
const Symbol kFragment = core::intern("IP fragment");
const Symbol kUnknownLink = core::intern("link type not understood");
const Symbol kCutPacket = core::intern("capture: packet ends inside its headers");
const Symbol kTruncated = core::intern("capture: truncated");

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
  if (frame.protocol != kUdp) {
    batch.counts.ignore(kOtherProtocol);
    return;
  }
  if (frame.fragment) {
    batch.counts.ignore(kFragment);
    return;
  }
  if (!frame.has_ports) {
    reject(packet, kCutPacket, batch);
    return;
  }
  const FlowEvidence evidence = is_flow_port(frame.destination_port) ? FlowEvidence::kVersion
                                : frame.payload_cut                  ? FlowEvidence::kHeader
                                                                     : FlowEvidence::kWhole;
  if (flow_protocol_of(frame.payload, evidence) == FlowProtocol::kNone) {
    batch.counts.ignore(kNoFlow);
    return;
  }
  Datagram datagram;
  datagram.payload = frame.payload;
  datagram.exporter = frame.source;
  datagram.exporter_port = frame.source_port;
  datagram.received = packet.time;
  datagram.record.offset = packet.offset;
  datagram.record.line = packet.number;
  datagram.record.length = packet.record_length;
  datagram.record.source = source_;
  flows_.decode(datagram, batch);
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
  flows_.finish(batch);
}

int recognise_capture(std::string_view head) { return CaptureReader::recognise(head) ? 100 : 0; }

std::unique_ptr<Decoder> make_capture(const Options& options) { return std::make_unique<CaptureDecoder>(options); }

}  // namespace orbwatch::decode
