// How long to wait before the next attempt: first, 2 first, 4 first, ... at most longest. The same after each failure
// of the same rank: no jitter, since one worker per output does not come in herds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace orbwatch::exporting {

struct BackOff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds longest{300'000};

  // failures: how often in a row it has failed, from 1.
  std::chrono::milliseconds wait(std::uint64_t failures) const {
    std::chrono::milliseconds wait = std::min(first, longest);
    for (std::uint64_t i = 1; i < failures && wait < longest; ++i) wait = std::min(wait * 2, longest);
    return wait;
  }
};

}  // namespace orbwatch::exporting
