// Writing files so that a kill or a power cut leaves the old content or the new one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/secret.h"

namespace orbwatch::exporting {

// Writes `bytes` beside the file, syncs and renames. Mode 0600. An error names the file and what the system said.
core::Expected<void> write_atomically(const std::filesystem::path& file, std::string_view bytes);

// A whole file of at most `most` bytes.
core::Expected<std::string> read_bounded(const std::filesystem::path& file, std::size_t most);

// Makes removals and renames in the folder last through a power cut.
void sync_folder(const std::filesystem::path& folder);

using core::read_secret;

}  // namespace orbwatch::exporting
