// From what the user named (files, directories, patterns, "-") to the list of inputs to read, in the order to read
// them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace orbwatch::source {

// One input. Nothing is opened yet.
struct Input {
  std::string path;              // as shown to the user and as open() takes it; "-" is standard input
  std::uint64_t size = 0;        // bytes on the disk (compressed); 0 = empty or, unless `regular`, unknown
  std::int64_t modified_ns = 0;  // last modification, ns since 1970 UTC; 0 = unknown
  bool regular = false;          // a regular file; false: standard input, FIFO, device
  std::uint32_t id = 0;          // its index in Expansion::inputs
  std::string group;             // the rotated set, see rotation_of(); a file outside any set is alone in its group
  int rotation = 0;              // place within the group, 0 = oldest
};

// An input that cannot be read. The others are read all the same and the caller ends with the exit code for unreadable
// input.
struct Unreadable {
  std::string path;
  core::Error error;  // one line that names the path
};

// A directory entry that was left out on purpose, with its reason: "hidden", "FIFO", "socket", "device", "dangling
// symbolic link", "same file as an earlier input", "directory already read".
struct Skipped {
  std::string path;
  std::string_view reason;  // static text
};

struct Expansion {
  std::vector<Input> inputs;
  std::vector<Unreadable> unreadable;
  std::vector<Skipped> skipped;
};

struct ExpandOptions {
  bool hidden = false;       // also take entries of directories whose name begins with '.'
  bool join_rotated = true;  // false: every file is its own group and the order is the arguments' and the paths' alone
};

// Expands `arguments`:
//
// - a file: itself, also if it is hidden, a FIFO or a device.
// - a directory: all files below it, depth first, entries by name bytewise. Hidden entries and special files are
//   skipped. Links are followed and every directory is read once, so loops end.
// - a pattern: * ? [..] as in glob(7), and "**" for any number of directories (links not followed). Tried only if no
//   file has that very name. Hidden entries match only a part that begins with '.'; special files are skipped; a
//   matched directory is expanded.
// - "-": standard input, at most once.
//
// Groups stand in the order in which their first member was found, a group's members together and oldest first. A file
// reached twice (same device and inode) is listed once. What is missing, refused or matches nothing is in `unreadable`.
// Fails only if there are no arguments. Thread-safe. Costs one stat() a file.
core::Expected<Expansion> expand(std::span<const std::string> arguments, const ExpandOptions& options = {});

// Sum of the known sizes, 0 if any size is unknown because it is no regular file.
std::uint64_t total_bytes(std::span<const Input> inputs);

// What a path says about rotation. Compression suffixes are ignored. Recognised:
//
// - a number, higher is older: vpn.log.2, vpn.2.log. The last number of an IPv4 address (192.0.2.1.log) is none.
// - a date, ascending: vpn.log-20261122, access.2026-11-22.log, eve-2026-11-22-13:00.json, nfcapd.202611221300,
//   app.log-1795305600 (seconds since 1970). Dates are only compared with each other, so their zone does not matter.
// - date and number, higher is younger: app-2026-11-22.3.log.
// - the hours a Zeek log covers, with the date of its directory: 2026-11-22/conn.00:00:00-01:00:00.log.
// - a directory that is a date: 2026-11-22/conn.log, 20261122/conn.log, 2026/11/22/conn.log. One set over all days.
struct Rotation {
  std::string stem;          // the path without these parts; equal stems are one group
  std::string when;          // "YYYYMMDDhhmmss", as much of it as the path says, missing digits '0'; "" = no date
  std::int64_t number = -1;  // -1 = none
  bool compressed = false;   // by its suffix
};
Rotation rotation_of(std::string_view path);

// Is `a` older than `b`, both of one group: dated ones ascending, then numbers descending, then the live file.
bool older(const Rotation& a, const Rotation& b);

}  // namespace orbwatch::source
