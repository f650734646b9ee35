// data/networks/*.yaml as built into the program (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace orbwatch::intel::profiles::files {

// Name of the file and its text, by name.
extern const std::span<const std::pair<std::string_view, std::string_view>> all;

}  // namespace orbwatch::intel::profiles::files
