// How fast indicators die here (score/half_lives.h), for the terminal.
#pragma once

#include <span>
#include <string>

#include "score/half_lives.h"

namespace orbwatch::exporting {

// A table, one line a kind of network, and what it means.
std::string half_lives_text(std::span<const score::NodeHalfLife> half_lives);

}  // namespace orbwatch::exporting
