// The decompressed bytes of one input. Compression is recognised by content, never by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "source/expand.h"
#include "source/progress.h"

namespace orbwatch::source {

// One instance belongs to one thread at a time; any number may run at once.
class ByteReader {
 public:
  virtual ~ByteReader() = default;

  // Gives 1..capacity decompressed bytes, or 0 at the end (and ever after). capacity > 0. An error comes only after
  // every byte before it was given, and is given again by every later call. Errors, each with a hint: the operating
  // system's (EIO, ...); truncated or corrupt compression, with the place in the compressed bytes; an archive (tar,
  // zip, 7z, rar) or a compression that is not read (lz4, compress); a dictionary above kMostDictionary.
  virtual core::Expected<std::size_t> read(char* out, std::size_t capacity) = 0;

  // Bytes taken from the disk so far; for progress.
  virtual std::uint64_t compressed_position() const = 0;

  // "", "gzip", "zstd", "xz", "lzma", "lzip", "bzip2", "parquet"; for a file compressed twice "gzip in xz". Known after
  // the first read().
  virtual std::string compression() const = 0;
};

// zstd windows and xz dictionaries above this are refused (both are read with their tools' largest ordinary levels, -19
// and -9).
constexpr std::uint64_t kMostDictionary = 128 << 20;  // bytes

// Opens an input. A Parquet file gives its rows as lines of JSON (parquet.h), but only as a file, not out of a pipe.
// Reads nothing yet, but opening a FIFO waits for its writer. `progress` may be null; its bytes_read is counted up.
// Fails if the file is gone, refused or a directory.
core::Expected<std::unique_ptr<ByteReader>> open(const Input& input, Progress* progress = nullptr);

// The same over a descriptor, which is not closed, or over bytes in memory. `name` goes into error texts.
std::unique_ptr<ByteReader> read_descriptor(int descriptor, std::string name, Progress* progress = nullptr);
std::unique_ptr<ByteReader> read_memory(std::string bytes, std::string name);

}  // namespace orbwatch::source
