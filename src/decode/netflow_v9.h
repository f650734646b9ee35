// NetFlow version 9. Source: RFC 3954; Cisco "NetFlow Version 9 Flow-Record Format"; Cisco ASA "NetFlow Implementation
// Guide" (NSEL).
#pragma once

#include <string_view>

#include "decode/flow_context.h"
#include "decode/flow_exporters.h"

namespace orbwatch::decode {

// True if the header is there and whole sets fill the payload (zeros may follow).
bool netflow_v9_plausible(std::string_view payload);
void decode_netflow_v9(FlowExporters& exporters, const FlowContext& context);

}  // namespace orbwatch::decode
