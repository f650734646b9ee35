#include "source/chunks.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "core/text.h"
#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

using namespace test;

struct Read {
  std::vector<std::string> chunks;
  std::string error;
  std::string all() const {
    std::string out;
    for (const std::string& c : chunks) out += c;
    return out;
  }
};

// Checks what every chunk promises on the way.
Read read_chunks(ChunkReader& reader, const ChunkOptions& options) {
  Read read;
  std::uint64_t offset = 0;
  std::uint64_t lines = 0;
  while (true) {
    const auto chunk = reader.next();
    if (!chunk) {
      read.error = chunk.error().text();
      EXPECT_FALSE(reader.next()) << "an error must be final";
      return read;
    }
    if (!*chunk) {
      const auto again = reader.next();
      EXPECT_TRUE(again && !*again) << "the end must be final";
      EXPECT_EQ(reader.offset(), offset);
      return read;
    }
    const event::Chunk& c = **chunk;
    EXPECT_FALSE(c.bytes.empty());
    EXPECT_EQ(c.offset, offset);
    EXPECT_EQ(c.source, 9U);
    EXPECT_EQ(c.lines_before, options.count_lines ? lines : 0);
    EXPECT_LE(c.bytes.size(), std::max(options.bytes, options.at_line_ends ? options.longest_line + 1 : 0));
    EXPECT_GE(c.bytes.capacity(), c.bytes.size() + core::kPadding);
    for (std::size_t i = 0; i < core::kPadding; ++i) EXPECT_EQ(c.bytes.data()[c.bytes.size() + i], 0);
    offset += c.bytes.size();
    lines += static_cast<std::uint64_t>(std::count(c.bytes.begin(), c.bytes.end(), '\n'));
    read.chunks.push_back(c.bytes);
  }
}

Read read_chunks(const std::string& bytes, const ChunkOptions& options, std::size_t head = 0) {
  ChunkReader reader(read_memory(bytes, "input.log"), 9, options);
  if (head > 0) {
    const auto seen = reader.head(head);
    EXPECT_EQ(seen, std::string_view(bytes).substr(0, head));
  }
  return read_chunks(reader, options);
}

TEST(Chunks, CutAtLineEndsWhateverTheSizes) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 400; ++round) {
    std::string text;
    const std::size_t size = random() % 400;
    const std::uint64_t one_in = 1 + random() % 40;
    while (text.size() < size) text += random() % one_in == 0 ? '\n' : static_cast<char>('a' + random() % 26);
    ChunkOptions options;
    options.bytes = 1 + random() % 60;
    options.longest_line = random() % 80;
    options.at_line_ends = random() % 4 != 0;
    options.count_lines = random() % 4 != 0;
    const Read read = read_chunks(text, options, random() % 100);
    ASSERT_EQ(read.all(), text);
    ASSERT_EQ(read.error, "");
    if (!options.at_line_ends) {
      for (std::size_t i = 0; i + 1 < read.chunks.size(); ++i) ASSERT_EQ(read.chunks[i].size(), options.bytes);
      continue;
    }
    for (std::size_t i = 0; i + 1 < read.chunks.size(); ++i) {
      if (read.chunks[i].back() == '\n') continue;
      // Only a line beyond the limit may be cut.
      ASSERT_EQ(read.chunks[i].find('\n'), std::string::npos);
      ASSERT_GE(read.chunks[i].size(), options.longest_line + 1);
    }
  }
}

TEST(Chunks, KeepALineOfTheLimitWhole) {
  ChunkOptions options;
  options.bytes = 16;
  options.longest_line = 1000;
  const std::string text = "short\n" + std::string(1000, 'x') + "\n" + "end\n";
  const Read read = read_chunks(text, options);
  ASSERT_EQ(read.chunks.size(), 3U);
  EXPECT_EQ(read.chunks[1], std::string(1000, 'x') + "\n");
}

TEST(Chunks, HeadConsumesNothing) {
  const std::string text = log_text(3000);
  ChunkOptions options;
  options.bytes = 10000;
  ChunkReader reader(read_memory(zstd(text), "a"), 9, options);
  EXPECT_EQ(reader.head(5), text.substr(0, 5));
  EXPECT_EQ(reader.head(65536), text.substr(0, 65536));
  EXPECT_EQ(reader.head(100), text.substr(0, 100));
  EXPECT_TRUE(read_chunks(reader, options).all() == text);

  ChunkReader small(read_memory("ab", "a"), 9, options);
  EXPECT_EQ(small.head(65536), "ab");
  EXPECT_EQ(read_chunks(small, options).all(), "ab");

  ChunkReader empty(read_memory("", "a"), 9, options);
  EXPECT_EQ(empty.head(65536), "");
  EXPECT_TRUE(read_chunks(empty, options).chunks.empty());
}

TEST(Chunks, GiveAllBytesBeforeAnError) {
  const std::string text = log_text(3000);
  const std::string packed = gzip(text);
  for (const bool head : {false, true}) {
    ChunkOptions options;
    options.bytes = 5000;
    ChunkReader reader(read_memory(packed.substr(0, packed.size() - 4), "cut.gz"), 9, options);
    if (head) {
      EXPECT_EQ(reader.head(1 << 20).size(), text.size());
    }
    const Read read = read_chunks(reader, options);
    EXPECT_TRUE(read.all() == text);
    EXPECT_TRUE(read.error.starts_with("truncated gzip data at byte " + std::to_string(packed.size() - 4)))
        << read.error;
  }
  ChunkReader nothing(read_memory("PK\x03\x04", "a.zip"), 9);
  const auto chunk = nothing.next();
  ASSERT_FALSE(chunk);
  EXPECT_EQ(chunk.error().message, "is a zip archive");
}

TEST(Chunks, BuffersGoRound) {
  auto pool = std::make_shared<ChunkPool>(2);
  ChunkOptions options;
  options.bytes = 1 << 16;
  const std::string text = log_text(20000);
  ChunkReader reader(read_memory(text, "a"), 9, options, pool);
  std::vector<const char*> buffers;
  std::size_t chunks = 0;
  while (true) {
    const auto chunk = reader.next();
    ASSERT_TRUE(chunk);
    if (!*chunk) break;
    ++chunks;
    buffers.push_back((*chunk)->bytes.data());
  }
  std::sort(buffers.begin(), buffers.end());
  buffers.erase(std::unique(buffers.begin(), buffers.end()), buffers.end());
  EXPECT_GT(chunks, 20U);
  EXPECT_LE(buffers.size(), 2U);
  EXPECT_LE(pool->idle(), 2U);

  std::vector<std::shared_ptr<event::Chunk>> held;
  held.reserve(5);
  for (int i = 0; i < 5; ++i) held.push_back(pool->take(100));
  held.clear();
  EXPECT_EQ(pool->idle(), 2U);
  const auto outlives = pool->take(100);
  pool.reset();
  EXPECT_EQ(outlives->bytes.size(), 0U);
}

TEST(Chunks, AGrownBufferIsNotKept) {
  ChunkPool pool;
  {
    const auto large = pool.take(10 << 20);
  }
  const auto chunk = pool.take(1 << 20);
  EXPECT_LT(chunk->bytes.capacity(), std::size_t{4} << 20);
}

TEST(Chunks, ReadersOfSeveralThreadsShareAPool) {
  const auto pool = std::make_shared<ChunkPool>();
  std::vector<char> right(4, 0);
  std::vector<std::thread> threads;
  threads.reserve(right.size());
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      const std::string text = log_text(5000, t);
      ChunkOptions options;
      options.bytes = 20000;
      ChunkReader reader(read_memory(zstd(text), "a"), 9, options, pool);
      right[t] = read_chunks(reader, options).all() == text;
    });
  }
  for (std::thread& t : threads) t.join();
  for (const char ok : right) EXPECT_TRUE(ok);
}

TEST(Chunks, ALineOfTwoGigabytesTakesBoundedMemory) {
  const TempDir dir;
  const std::string path = dir.path("sparse.log");
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  constexpr std::uint64_t kSize = std::uint64_t{2} << 30;
  if (::ftruncate(file, static_cast<off_t>(kSize)) != 0) {
    ::close(file);
    GTEST_SKIP() << "no room for a sparse file";
  }
  ::close(file);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  Input input;
  input.path = path;
  auto reader = open(input);
  ASSERT_TRUE(reader);
  ChunkReader chunks(std::move(*reader), 1);
  std::uint64_t total = 0;
  std::size_t longest = 0;
  while (true) {
    const auto chunk = chunks.next();
    ASSERT_TRUE(chunk) << chunk.error().text();
    if (!*chunk) break;
    total += (*chunk)->bytes.size();
    longest = std::max(longest, (*chunk)->bytes.size());
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(total, kSize);
  EXPECT_EQ(longest, std::size_t{(1 << 20) + 1});
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10);  // KiB
}

}  // namespace
}  // namespace orbwatch::source
