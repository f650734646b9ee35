// Files of IPFIX messages, one behind the other (RFC 5655).
#include "decode/ipfix_file.h"

#include "decode/datagram_file.h"
#include "decode/formats.h"

namespace orbwatch::decode {

int recognise_ipfix_file(std::string_view head) {
  return flow_header_of(head) == FlowProtocol::kIpfix ? datagram_confidence(head) : 0;
}

std::unique_ptr<Decoder> make_ipfix_file(const Options& options) {
  return std::make_unique<DatagramFile>(options, true);
}

}  // namespace orbwatch::decode
