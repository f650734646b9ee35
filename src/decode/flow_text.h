// What the printers of flow records (nfdump, Argus, SiLK) have in common: a header line, seconds with a fraction, TCP
// flags as letters.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/time.h"
#include "decode/columns.h"

namespace orbwatch::decode {

// The separator of a header line of such a table: the first byte behind its first name; '\0' if it is no header with at
// least `least` of these names. Fields from 1 to `must` have to be among them.
char header_separator(std::string_view line, std::span<const Columns::Name> names, std::size_t least,
                      std::uint8_t must);

// "63.822830", "12", "1.5e-05" (seconds), "00:01:03.822"; 0 if it is none; at most about 30 years.
core::Nanoseconds flow_duration(std::string_view text);

// A date and time, or seconds (also milliseconds ...) since 1970; 0 if it is neither.
core::Nanoseconds flow_time(std::string_view text, const core::TimeReader& times);

// TCP flags as letters in any order ("...AP.SF", "FS PA", "S_RA": both sides together), as "0x1b" or "27".
std::uint16_t tcp_flags_of(std::string_view text);

// For ICMP the "ports" are type and code.
inline bool has_ports(std::uint8_t protocol) { return protocol != 1 && protocol != 58; }

}  // namespace orbwatch::decode
