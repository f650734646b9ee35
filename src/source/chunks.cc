#include "source/chunks.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "core/text.h"

namespace orbwatch::source {

using event::Chunk;
using std::size_t;

// Kept alive by the pool and by every chunk that is out.
struct ChunkPool::Shelf {
  explicit Shelf(size_t most) : most_idle(most) { chunks.reserve(most); }  // giving back never allocates
  const size_t most_idle;
  std::mutex mutex;
  bool closed = false;                         // the pool is gone
  std::vector<std::unique_ptr<Chunk>> chunks;  // guarded by mutex
};

ChunkPool::ChunkPool(size_t most_idle) : shelf_(std::make_shared<Shelf>(most_idle)) {}

ChunkPool::~ChunkPool() {
  std::vector<std::unique_ptr<Chunk>> dropped;
  const std::lock_guard lock(shelf_->mutex);
  shelf_->closed = true;
  dropped.swap(shelf_->chunks);
}

std::shared_ptr<Chunk> ChunkPool::take(size_t bytes) {
  std::unique_ptr<Chunk> chunk;
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->chunks.empty()) {
      chunk = std::move(shelf_->chunks.back());
      shelf_->chunks.pop_back();
    }
  }
  if (!chunk) chunk = std::make_unique<Chunk>();
  // A buffer that grew for one long line must not stay large for ever.
  if (chunk->bytes.capacity() > 2 * (bytes + core::kPadding)) std::string().swap(chunk->bytes);
  chunk->bytes.clear();
  chunk->bytes.reserve(bytes + core::kPadding);
  chunk->offset = 0;
  chunk->lines_before = 0;
  chunk->source = 0;
  return {chunk.release(), [shelf = shelf_](Chunk* done) {
            std::unique_ptr<Chunk> back(done);
            const std::lock_guard lock(shelf->mutex);
            if (!shelf->closed && shelf->chunks.size() < shelf->most_idle) shelf->chunks.push_back(std::move(back));
          }};
}

size_t ChunkPool::idle() const {
  const std::lock_guard lock(shelf_->mutex);
  return shelf_->chunks.size();
}

ChunkReader::ChunkReader(std::unique_ptr<ByteReader> reader, std::uint32_t source, const ChunkOptions& options,
                         std::shared_ptr<ChunkPool> pool)
    : reader_(std::move(reader)),
      source_(source),
      options_(options),
      pool_(pool ? std::move(pool) : std::make_shared<ChunkPool>(4)) {
  options_.bytes = std::max<size_t>(options_.bytes, 1);
}

ChunkReader::~ChunkReader() = default;

// Up to `size` bytes, first the carried ones; fewer only at the end of the input or before an error.
size_t ChunkReader::fill(char* out, size_t size) {
  const size_t old = std::min(size, carry_.size() - carried_);
  std::memcpy(out, carry_.data() + carried_, old);
  carried_ += old;
  size_t have = old;
  while (have < size && !ended_) {
    const auto n = reader_->read(out + have, size - have);
    if (!n) {
      ended_ = true;
      error_ = n.error();
    } else if (*n == 0) {
      ended_ = true;
    } else {
      have += *n;
    }
  }
  return have;
}

std::string_view ChunkReader::head(size_t n) {
  const size_t have = carry_.size() - carried_;
  if (have < n && !ended_) {
    std::string grown;
    // resize_and_overwrite() spares the clearing of bytes that are written at once.
    grown.resize_and_overwrite(n, [&](char* out, size_t) { return fill(out, n); });
    carry_ = std::move(grown);
    carried_ = 0;
  }
  return std::string_view(carry_).substr(carried_, n);
}

// Where to end a chunk of `size` bytes of which the last `fresh` were not searched before; 0 if there is no line end in
// them.
size_t ChunkReader::cut(const char* bytes, size_t size, size_t fresh) const {
  const void* const found = ::memrchr(bytes + (size - fresh), '\n', fresh);
  return found == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(found) - bytes) + 1;
}

core::Expected<std::shared_ptr<Chunk>> ChunkReader::next() {
  if (ended_ && carried_ == carry_.size()) {
    if (!error_.message.empty()) return std::unexpected(error_);
    return nullptr;
  }
  const size_t most = std::max(options_.bytes, options_.at_line_ends ? options_.longest_line + 1 : 0);
  std::shared_ptr<Chunk> chunk = pool_->take(options_.bytes);
  size_t have = 0;
  size_t end = 0;
  for (size_t want = options_.bytes;;) {
    chunk->bytes.resize_and_overwrite(want + core::kPadding, [&](char* out, size_t) {
      const size_t fresh = fill(out + have, want - have);
      have += fresh;
      const bool all = ended_ && carried_ == carry_.size();
      end = have;
      if (options_.at_line_ends && !all) end = cut(out, have, fresh);
      if (end == 0 && have >= most) end = have;
      // Behind the last byte that is kept while the buffer may still grow.
      std::memset(out + have, 0, core::kPadding);
      return have;
    });
    if (end != 0 || have == 0) break;
    want = std::min(most, want * 2);
  }
  if (have == 0) {  // the end or an error came with the first read
    if (!error_.message.empty()) return std::unexpected(error_);
    return nullptr;
  }
  if (end < have) {
    const size_t tail = have - end;
    if (carried_ < carry_.size()) {
      carried_ -= tail;  // the tail is what lies just before in carry_
    } else {
      carry_.assign(chunk->bytes, end, tail);
      carried_ = 0;
    }
    chunk->bytes.resize_and_overwrite(end + core::kPadding, [&](char* out, size_t) {
      std::memset(out + end, 0, core::kPadding);
      return end;
    });
  } else if (carried_ == carry_.size()) {
    carry_.clear();
    carried_ = 0;
  }
  chunk->offset = offset_;
  chunk->source = source_;
  chunk->lines_before = lines_;
  offset_ += end;
  if (options_.count_lines) lines_ += core::count_lines(chunk->bytes);
  return chunk;
}

}  // namespace orbwatch::source
