// Writing files so that a kill or a power cut leaves the old content or the new one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::exporting {

// Writes `bytes` beside the file, syncs and renames. Mode 0600. An error names the file and what the system said.
core::Expected<void> write_atomically(const std::filesystem::path& file, std::string_view bytes);

// A whole file of at most `most` bytes.
core::Expected<std::string> read_bounded(const std::filesystem::path& file, std::size_t most);

// Makes removals and renames in the folder last through a power cut.
void sync_folder(const std::filesystem::path& folder);

// A secret (a password, a key): the file's text without line ends at its end. An error if others may read the file, if
// it is empty, longer than 4 KiB, or holds control characters. Errors never show what is in it.
core::Expected<std::string> read_secret(const std::filesystem::path& file);

}  // namespace orbwatch::exporting
