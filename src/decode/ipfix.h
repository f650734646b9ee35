// IPFIX. Sources: RFC 7011 (protocol), RFC 5103 (biflows), RFC 5655 (files), RFC 6313 (structured data: stepped over by
// their length).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "decode/flow_context.h"
#include "decode/flow_exporters.h"

namespace orbwatch::decode {

// True if the header's length is the payload's and its sets fill it (zeros may follow).
bool ipfix_plausible(std::string_view payload);
// Bytes of the message that begins here: 0 if its header is not all there.
std::size_t ipfix_length(std::string_view payload);
// True if a message header and the beginning of its first set, if it has one, stand here (18 bytes are looked at).
bool ipfix_header(std::string_view payload);
// Gives the number of data records in the message if it is known: what the sequence numbers count.
std::optional<std::uint32_t> decode_ipfix(FlowExporters& exporters, const FlowContext& context);

}  // namespace orbwatch::decode
