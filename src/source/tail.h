// Follows files that are being written, through rotation, and resumes where an earlier run stopped.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/collector.h"
#include "source/intake.h"

namespace orbwatch::source {

struct TailOptions {
  std::uint32_t source = 0;        // Arrival::source
  std::vector<std::string> paths;  // files, directories, patterns: as expand() takes them (expand.h), without "-"
  enum class Start : std::uint8_t { kBeginning, kEnd };
  // Of files that no run has seen before and that are there when this one starts. What appears later is read from its
  // beginning.
  Start start = Start::kBeginning;
  std::size_t longest_record = std::size_t{256} << 10;  // bytes, up to 512 KiB; longer lines are cut off there
  std::chrono::milliseconds poll{2000};                 // how often all files are looked at, whatever inotify says
  // A line without its end is taken when its file was renamed or deleted and did not grow for so long,
  std::chrono::milliseconds rotated_wait{5000};
  // or when the file did not grow for so long although it is still there; 0: never.
  std::chrono::milliseconds unfinished_wait{600'000};
  std::size_t most_files = 4096;  // further ones are not followed; counted and said
  bool notify = true;             // use inotify; false: polling alone
};

// Arrivals are of kind kLines, one file's each, with stream and position. Nothing is lost while the journal is full or
// the process is down: it stays in the file.
//
// Stream: a hash of device, inode and the file's first bytes, as many as the position says but at most 256. While less
// than 256 bytes of a file were taken, its stream therefore changes with each Arrival; when a file is met again all
// beginnings of up to 256 bytes are asked for, so that it is found whatever it has grown to. A file whose inode is used
// again is a new stream, since its beginning is another.
//
// - Renamed: it is followed under its new name, or to its end if no path leads to it any more. Deleted: to its end.
// - Truncated, or its beginning or the bytes in front of the position changed (a copy was made and the file emptied):
//   it is read from its beginning. The copy, if a path leads to it and it has the name of an older file of the same log
//   (expand.h), goes on where the original was left: what was written between the last reading and the truncation is
//   read from there. Without a copy it is lost.
// - Compressed files are skipped: they were read before they were compressed.
// - Lines go on as they are, so that position - size of the bytes is where they stand in the file; only those that are
//   cut off, or taken without their end, do not.
// - Zeros at the beginning of a line are passed over (a writer that goes on at its old place after a truncation).
//
// An Arrival without bytes notes a place: where reading of a file begins that is not read from its beginning.
std::unique_ptr<Collector> make_tail(const TailOptions& options, Intake& intake, Log log = {});

// The stream of a file of which `head` was taken (its first bytes, at most 256).
std::uint64_t stream_of_file(std::uint64_t device, std::uint64_t inode, std::string_view head);

}  // namespace orbwatch::source
