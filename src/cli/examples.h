// One input of each text format, out of tests/golden, built into the program (src/CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace orbwatch::cli::examples {

extern const std::span<const std::pair<std::string_view, std::string_view>> all;  // "cisco_asa.txt", content

}  // namespace orbwatch::cli::examples
