// What the tests of this room share: a directory that goes away, compressed bytes, reading to the end.
#pragma once

#include <bzlib.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/reader.h"

namespace orbwatch::source::test {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "orbwatch_source_XXXXXX").string();
    path_ = ::mkdtemp(name.data()) == nullptr ? std::string() : name;
    EXPECT_FALSE(path_.empty());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path(std::string_view name = {}) const { return name.empty() ? path_ : path_ + "/" + std::string(name); }
  std::string write(std::string_view name, std::string_view bytes = "x\n") const {
    const std::string file = path(name);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream out(file, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(out.good()) << file;
    return file;
  }

 private:
  std::string path_;
};

inline std::string gzip(std::string_view text) {
  isal_zstream stream;
  isal_deflate_init(&stream);
  std::vector<std::uint8_t> level(ISAL_DEF_LVL1_DEFAULT);
  stream.level = 1;
  stream.level_buf = level.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  std::string out(text.size() + text.size() / 8 + 1024, '\0');
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  EXPECT_EQ(isal_deflate(&stream), COMP_OK);
  out.resize(out.size() - stream.avail_out);
  return out;
}

inline std::string zstd(std::string_view text, int level = 3) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t n = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), level);
  EXPECT_FALSE(ZSTD_isError(n));
  out.resize(n);
  return out;
}

inline std::string finish_lzma(lzma_stream& stream, std::string_view text) {
  std::string out(text.size() + text.size() / 4 + 4096, '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  EXPECT_EQ(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  lzma_end(&stream);
  return out;
}

inline std::string xz(std::string_view text) {
  lzma_stream stream = LZMA_STREAM_INIT;
  EXPECT_EQ(lzma_easy_encoder(&stream, 1, LZMA_CHECK_CRC64), LZMA_OK);
  return finish_lzma(stream, text);
}

inline std::string lzma(std::string_view text) {
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_options_lzma options;
  EXPECT_FALSE(lzma_lzma_preset(&options, 1));
  EXPECT_EQ(lzma_alone_encoder(&stream, &options), LZMA_OK);
  return finish_lzma(stream, text);
}

// liblzma reads lzip but does not write it. Format: the lzip manual, "File format" (version 1): header, LZMA stream
// with end marker, CRC32, data size, member size.
inline std::string lzip(std::string_view text) {
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_options_lzma options;
  EXPECT_FALSE(lzma_lzma_preset(&options, 1));
  options.dict_size = 1 << 20;
  EXPECT_EQ(lzma_alone_encoder(&stream, &options), LZMA_OK);
  const std::string body = finish_lzma(stream, text).substr(13);
  std::string out = std::string("LZIP\x01", 5) + static_cast<char>(20) + body;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  };
  put(lzma_crc32(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), 0), 4);
  put(text.size(), 8);
  put(out.size() + 8, 8);
  return out;
}

inline std::string bzip2(std::string_view text) {
  std::string out(text.size() + text.size() / 64 + 1024, '\0');
  auto n = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &n, const_cast<char*>(text.data()), static_cast<unsigned>(text.size()),
                                     1, 0, 0),
            BZ_OK);
  out.resize(n);
  return out;
}

struct Compression {
  std::string name;
  std::string (*make)(std::string_view);
  bool members;  // may be concatenated
};

inline std::vector<Compression> compressions() {
  return {{"gzip", gzip, true},   {"zstd", [](std::string_view t) { return zstd(t); }, true},
          {"xz", xz, true},       {"lzip", lzip, true},
          {"bzip2", bzip2, true}, {"lzma", lzma, false}};
}

// Different lines, compressible like a log, the same at every run.
inline std::string log_text(std::size_t lines, std::uint64_t seed = 1) {
  std::string out;
  std::uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (std::size_t i = 0; i < lines; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    out += "Nov 22 10:00:00 fw1 %ASA-6-302013: Built inbound TCP connection " + std::to_string(i) +
           " for outside:198.51.100." + std::to_string(x % 256) + "/" + std::to_string((x >> 8) % 65536) + '\n';
  }
  return out;
}

struct Whole {
  std::string bytes;
  std::string error;  // "" if the end was reached
};

// Reads to the end in pieces of `capacity`.
inline Whole read_all(ByteReader& reader, std::size_t capacity = 1 << 16) {
  Whole whole;
  std::vector<char> piece(capacity);
  while (true) {
    const auto n = reader.read(piece.data(), piece.size());
    if (!n) {
      whole.error = n.error().text();
      const auto again = reader.read(piece.data(), piece.size());
      EXPECT_TRUE(!again && again.error().text() == whole.error) << "an error must be final";
      return whole;
    }
    if (*n == 0) {
      const auto again = reader.read(piece.data(), piece.size());
      EXPECT_TRUE(again && *again == 0) << "the end must be final";
      return whole;
    }
    EXPECT_LE(*n, capacity);
    whole.bytes.append(piece.data(), *n);
  }
}

inline Whole read_all(std::string bytes, std::size_t capacity = 1 << 16) {
  return read_all(*read_memory(std::move(bytes), "input.log"), capacity);
}

}  // namespace orbwatch::source::test
