// sFlow version 5: sampled packets. Counter samples are ignored by name.
//
// Source: https://sflow.org/sflow_version_5.txt; drop notifications: https://sflow.org/sflow_drops.txt.
// One flow sample is one record: an event of one packet, with `sampling` saying how many packets it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "decode/flow_context.h"

namespace orbwatch::decode {

// True if the header and the chain of samples are sound up to the end of the payload.
bool sflow_v5_plausible(std::string_view payload);
// Bytes of the datagram that begins here, found by walking its samples; 0 if it does not end within `payload`.
std::size_t sflow_v5_length(std::string_view payload);
// Whose datagram it is and its number. Nothing if the header is damaged.
struct SflowHeader {
  core::Ip agent;
  std::uint32_t sub_agent = 0;
  std::uint32_t sequence = 0;
};
std::optional<SflowHeader> sflow_v5_sequence(std::string_view payload);
// True if a header stands here (8 bytes are looked at).
bool sflow_v5_header(std::string_view payload);
void decode_sflow_v5(const FlowContext& context);

}  // namespace orbwatch::decode
