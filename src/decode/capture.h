// Packet captures (pcap, pcapng) as an input: the flow datagrams in them are decoded, every other packet is ignored by
// name.
#pragma once

#include <string_view>

#include "decode/capture_reader.h"
#include "decode/flow_datagram.h"
#include "decode/flow_streams.h"

namespace orbwatch::decode {

// Records are: packets that carry no flow export, one each; and the records of the messages in the others.
// RecordRef, of the packet that completed the message: line = packet number, offset = place of the packet's header in
// the capture, length = header and captured bytes.
class CaptureDecoder final : public Decoder {
 public:
  explicit CaptureDecoder(const Options& options) : source_(options.source) {}

  void feed(std::string_view bytes, EventBatch& batch) override;
  void finish(EventBatch& batch) override;

 private:
  void packet(const CaptureReader::Packet& packet, EventBatch& batch);
  void stream(const CaptureReader::Packet& packet, const Frame& frame, EventBatch& batch);
  Datagram place_of(const CaptureReader::Packet& packet, const Frame& frame) const;
  void reject(const CaptureReader::Packet& packet, Symbol reason, EventBatch& batch) const;

  CaptureReader reader_;
  FlowDatagramDecoder flows_;
  FlowStreams streams_;
  std::uint32_t source_;
};

int recognise_capture(std::string_view head);

}  // namespace orbwatch::decode
