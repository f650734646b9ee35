// Secrets (passwords, tokens, keys) that stand in a file or in a variable of the environment. Errors name the place and
// never show what is in it.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace orbwatch::core {

// The file's text without line ends at its end. An error if others may read the file, if it is empty, longer than
// 4 KiB, or holds control characters.
Expected<std::string> read_secret(const std::filesystem::path& file);

// A secret out of `place`, which is named in errors, after the same rules.
Expected<std::string> checked_secret(std::string text, const std::string& place);

}  // namespace orbwatch::core
