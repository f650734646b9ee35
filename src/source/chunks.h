// One input cut into chunks that decoders can work on, in recycled buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "event/batch.h"
#include "source/reader.h"

namespace orbwatch::source {

struct ChunkOptions {
  std::size_t bytes = 1 << 20;         // of a chunk, decompressed; at least 1
  bool at_line_ends = true;            // every chunk but the last ends behind a '\n', if it can
  std::size_t longest_line = 1 << 20;  // a longer line may be cut anywhere; lines up to this never are (at_line_ends)
  bool count_lines = true;             // fill Chunk::lines_before
};

// Buffers given back by the chunks' last owners, so that memory is mapped and cleared once. Thread-safe; a chunk may
// outlive its pool.
class ChunkPool {
 public:
  explicit ChunkPool(std::size_t most_idle = 64);  // buffers kept
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // An empty chunk with room for `bytes` and the padding. It goes back to the pool when its last owner lets go.
  std::shared_ptr<event::Chunk> take(std::size_t bytes);
  std::size_t idle() const;

 private:
  struct Shelf;
  std::shared_ptr<Shelf> shelf_;
};

// Not thread-safe. The chunks themselves may go to any thread. Memory: one chunk of max(bytes, longest_line + 1) and a
// carried tail of the same bound, whatever the input.
class ChunkReader {
 public:
  // `pool` null: a pool of its own. `source` goes into Chunk::source.
  ChunkReader(std::unique_ptr<ByteReader> reader, std::uint32_t source, const ChunkOptions& options = {},
              std::shared_ptr<ChunkPool> pool = nullptr);
  ~ChunkReader();

  // The first n decompressed bytes, fewer if the input is shorter or fails before; consumes nothing. Only before the
  // first next(); valid until then. An error on the way is kept for next().
  std::string_view head(std::size_t n);

  // To be decided after head(), before the first next(): lines matter for text, not for binary formats.
  void set_at_line_ends(bool on) { options_.at_line_ends = on; }
  void set_count_lines(bool on) { options_.count_lines = on; }

  // The next chunk, never empty; null at the end. An error comes after the chunks with everything before it, and is
  // final. The bytes behind Chunk::bytes (core::kPadding) are zero.
  core::Expected<std::shared_ptr<event::Chunk>> next();

  // Decompressed bytes and '\n' given so far.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t lines() const { return lines_; }
  const ByteReader& reader() const { return *reader_; }

 private:
  std::size_t fill(char* out, std::size_t size);
  std::size_t cut(const char* bytes, std::size_t size, std::size_t fresh) const;

  std::unique_ptr<ByteReader> reader_;
  std::uint32_t source_;
  ChunkOptions options_;
  std::shared_ptr<ChunkPool> pool_;
  std::string carry_;  // bytes read but not given: carry_[carried_..]
  std::size_t carried_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t lines_ = 0;
  bool ended_ = false;  // reader_ gave its end or an error
  core::Error error_;   // empty message: none
};

}  // namespace orbwatch::source
