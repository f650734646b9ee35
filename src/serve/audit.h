// Who did what to a service: STATE/audit.ndjson, one JSON object a line, only ever appended to.
//
//   {"time":"2026-10-05T06:00:00Z","action":"reload","outcome":"accepted","uid":0,"user":"root","changed":["lateness"]}
//
// It names people who operate orbwatch (their names on this computer), keys of the configuration and files, never a
// value of the configuration, a token or a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::serve {

constexpr std::string_view kAuditFile = "audit.ndjson";
// A file that has come to this size becomes audit.ndjson.1 in the place of the one before: there are never more than
// two, and the oldest lines go first.
constexpr std::size_t kMostAuditBytes = std::size_t{8} << 20;
constexpr std::size_t kMostAuditChanges = 100;  // of `changed`; a last entry says how many more there were

struct AuditEntry {
  core::Nanoseconds time = 0;
  std::string action;   // "start", "stop", "reload", "backup", "restore", "token made" ...
  std::string outcome;  // "accepted", "refused"; "" = nothing to say
  // Who asked for it by a signal; else the user of this process counts.
  std::optional<std::uint32_t> asked_by;
  std::vector<std::pair<std::string, std::string>>
      facts;                         // name and text: "reason", "label"; texts are cut to 300 bytes
  std::vector<std::string> changed;  // keys of the configuration
};

// "uid" and "user" (its name, where the computer knows one) of who asked; "login_uid" and "login" of who logged in
// originally, where the kernel knows it and it is another (sudo, su).
std::string to_json(const AuditEntry& entry);

// Who sits at this process: the user who logged in originally, where the kernel knows it, else the process's own.
std::string login_name();

// Appends one line and brings it to the disk. The file belongs to the owner of the folder, even if root appends. Safe
// between processes. Errors (ErrorKind::kOutput): no such folder; the file cannot be written, or is none that belongs
// to it alone (a link). A line that a failure of the machine has cut stays as it is, and the next one begins behind it.
core::Expected<void> audit(const std::string& state, const AuditEntry& entry, std::size_t most_bytes = kMostAuditBytes);

}  // namespace orbwatch::serve
