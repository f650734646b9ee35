#include "decode/flow_datagram.h"

#include <algorithm>
#include <array>

#include "decode/bytes.h"
#include "decode/datagram_file.h"
#include "decode/formats.h"
#include "decode/ipfix.h"
#include "decode/netflow_v9.h"
#include "decode/sflow_v5.h"

namespace orbwatch::decode {
namespace {

const Symbol kUnknownVersion = core::intern("flow: unknown version");

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
  const FlowProtocol header = flow_header_of(payload);
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

FlowDatagramDecoder::FlowDatagramDecoder(const FlowLimits& limits) : exporters_(limits), sequences_(limits.domains) {}

void FlowDatagramDecoder::decode(const Datagram& datagram, EventBatch& batch) {
  const FlowContext context{datagram, batch};
  const std::string_view payload = datagram.payload;
  switch (payload.size() < 4 ? 0 : be16(payload.data())) {
    case 5:
    case 7:
      v5_.decode(context);
      note_sequence(datagram, std::nullopt);
      return;
    case 9:
      decode_netflow_v9(exporters_, context);
      note_sequence(datagram, std::nullopt);
      return;
    case 10: note_sequence(datagram, decode_ipfix(exporters_, context)); return;
    case 0:
      if (sflow_v5_header(payload)) {
        decode_sflow_v5(context);
        note_sequence(datagram, std::nullopt);
        return;
      }
      [[fallthrough]];
    default: context.reject(kUnknownVersion, payload); return;
  }
}

// `records`: data records of an IPFIX message; the other protocols say themselves what they count.
void FlowDatagramDecoder::note_sequence(const Datagram& datagram, std::optional<std::uint32_t> records) {
  const std::string_view p = datagram.payload;
  if (!datagram.sequenced) return;
  const std::uint16_t version = be16(p.data());
  if (version == 0) {
    if (const auto header = sflow_v5_sequence(p))
      sequences_.take(FlowProtocol::kSflowV5, header->agent, header->sub_agent, header->sequence, 1);
  } else if (version == 10) {
    if (p.size() >= 16)
      sequences_.take(FlowProtocol::kIpfix, datagram.exporter, be32(p.data() + 12), be32(p.data() + 8), records);
  } else if (version == 9) {
    if (p.size() >= 20)
      sequences_.take(FlowProtocol::kNetflowV9, datagram.exporter, be32(p.data() + 16), be32(p.data() + 12), 1);
  } else if (p.size() >= 24 && be16(p.data() + 2) != 0) {
    const bool v5 = version == 5;
    sequences_.take(v5 ? FlowProtocol::kNetflowV5 : FlowProtocol::kNetflowV7, datagram.exporter,
                    v5 ? be16(p.data() + 20) : 0, be32(p.data() + 16), be16(p.data() + 2));
  }
}

void FlowDatagramDecoder::save(core::ArchiveWriter& archive) const {
  exporters_.save(archive);
  sequences_.save(archive);
}

core::Expected<void> FlowDatagramDecoder::load(core::ArchiveReader& archive) {
  exporters_.load(archive);
  sequences_.load(archive);
  return archive.check();
}

void FlowDatagramDecoder::finish(EventBatch& batch) { exporters_.finish(batch); }

int recognise_flow_datagram(std::string_view head) {
  const int sure = datagram_confidence(head);
  return flow_header_of(head) == FlowProtocol::kIpfix ? std::min(sure, 30) : sure;  // IPFIX alone is a file of RFC 5655
}

std::unique_ptr<Decoder> make_flow_datagram(const Options& options) {
  return std::make_unique<DatagramFile>(options, false);
}

}  // namespace orbwatch::decode
