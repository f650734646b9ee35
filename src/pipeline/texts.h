// Texts that are built into the program (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace orbwatch::pipeline::texts {

// packaging/orbwatch.yaml, under the name of the file.
extern const std::string_view orbwatch_yaml;  // NOLINT(readability-identifier-naming)

}  // namespace orbwatch::pipeline::texts
