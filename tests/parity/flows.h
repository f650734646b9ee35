// Shared by the readers of flow collectors.
#pragma once

#include "parity/parity.h"

namespace orbwatch::parity {

inline bool is_icmp(const std::optional<std::string>& protocol) { return protocol == "1" || protocol == "58"; }

}  // namespace orbwatch::parity
