// Reason codes of Microsoft's Network Policy Server, which stand in its log files and in Windows' security events.
#pragma once

#include <cstdint>
#include <string_view>

namespace orbwatch::decode {

// "" for 0 (success), "unlisted status" for a code without a name here.
std::string_view nps_reason(std::uint64_t code);

}  // namespace orbwatch::decode
