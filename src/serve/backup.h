// A copy of a stopped service's state in a folder, with the checksum of each file, and the way back.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace orbwatch::serve {

struct BackupCounts {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Copies every file below the folder `state` into `out`, which must be empty or not there, and writes `out`/MANIFEST
// last: without it there is no backup. Synced to the disk when it returns. Holds the journal's lock meanwhile, so that
// no service can start with this state. Left out: locks, unfinished files (*.partial). Errors: a service runs with the
// state; `out` lies within it; something that is neither file nor folder; the disk (ErrorKind::kOutput).
core::Expected<BackupCounts> backup(const std::string& state, const std::string& out);

// Copies a backup into the folder `state`, which must be empty or not there. Each file is compared with its size and
// SHA-256, as it is copied, before the folder gets its name: a failure leaves `state` as it was. Errors: the manifest
// or a file is damaged or missing, a file that the manifest does not name.
core::Expected<BackupCounts> restore(const std::string& from, const std::string& state);

// The manifest is text: a head line, "<SHA-256> <bytes> <path>" for each file in the order of their paths, and
// "manifest <SHA-256 of the lines before>".

}  // namespace orbwatch::serve
