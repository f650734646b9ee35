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
  const int sure = datagram_confidence(head);
  return flow_header_of(head) == FlowProtocol::kIpfix ? std::min(sure, 30) : sure;  // IPFIX alone is a file of RFC 5655
}

std::unique_ptr<Decoder> make_flow_datagram(const Options& options) {
  return std::make_unique<DatagramFile>(options, false);
}

}  // namespace orbwatch::decode
