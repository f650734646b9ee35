// How fast bytes come in: plain reads, gzip through this room beside zlib's own reader on the same bytes, counting of
// line ends.
//   build/release/bench/source_bench
// ORBWATCH_BENCH_MIB sets the size of the decompressed text (default 256).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/text.h"
#include "source/chunks.h"
#include "source/reader.h"

namespace {

using namespace orbwatch;

// Firewall lines with random addresses, ports and byte counts: about as compressible as a real log of that kind.
std::string make_text(std::size_t bytes) {
  std::string out;
  out.reserve(bytes + 300);
  std::uint64_t x = 88172645463325252ULL;
  const auto random = [&](std::uint64_t n) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return std::to_string(x % n);
  };
  std::uint64_t connection = 1000000;
  while (out.size() < bytes) {
    out += "Nov 22 10:" + random(60) + ":" + random(60) + " fw" + random(4) +
           " %ASA-6-302014: Teardown TCP connection " + std::to_string(++connection) + " for outside:198.51.100." +
           random(256) + "/" + random(65536) + " to inside:10.1." + random(8) + "." + random(256) +
           "/443 duration 0:00:" + random(60) + " bytes " + random(100000) + " TCP FINs\n";
  }
  return out;
}

struct Files {
  Files() {
    const char* const mib = std::getenv("ORBWATCH_BENCH_MIB");
    text = make_text((mib == nullptr ? 256UL : std::strtoul(mib, nullptr, 10)) << 20);
    std::string name = (std::filesystem::temp_directory_path() / "orbwatch_source_bench_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    directory = name;
    plain = directory + "/a.log";
    gzip = directory + "/a.log.gz";
    zstd = directory + "/a.log.zst";
    std::ofstream(plain, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    gzFile out = gzopen(gzip.c_str(), "wb6");
    for (std::size_t at = 0; at < text.size();) {
      const auto n = static_cast<unsigned>(std::min<std::size_t>(text.size() - at, 1 << 20));
      if (gzwrite(out, text.data() + at, n) <= 0) std::abort();
      at += n;
    }
    gzclose(out);
    has_zstd = std::system(("zstd -q -3 " + plain + " -o " + zstd).c_str()) == 0;
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  std::string text, directory, plain, gzip, zstd;
  bool has_zstd = false;
};

const Files& files() {
  static const Files all;
  return all;
}

void finish(benchmark::State& state, std::size_t total) {
  if (total != files().text.size() * state.iterations()) state.SkipWithError("not all bytes were read");
  state.SetBytesProcessed(static_cast<std::int64_t>(total));
}

void chunks(benchmark::State& state, const std::string& path, bool lines) {
  std::size_t total = 0;
  source::ChunkOptions options;
  options.at_line_ends = lines;
  options.count_lines = lines;
  for (auto _ : state) {
    source::Input input;
    input.path = path;
    auto reader = source::open(input);
    if (!reader) return state.SkipWithError(reader.error().text().c_str());
    source::ChunkReader all(std::move(*reader), 0, options);
    while (true) {
      auto chunk = all.next();
      if (!chunk) return state.SkipWithError(chunk.error().text().c_str());
      if (!*chunk) break;
      total += (*chunk)->bytes.size();
    }
  }
  finish(state, total);
}

// The peer of plain chunks: read(2) into one buffer, nothing else.
void read_system(benchmark::State& state) {
  std::string buffer(1 << 20, '\0');
  std::size_t total = 0;
  for (auto _ : state) {
    const int file = ::open(files().plain.c_str(), O_RDONLY | O_CLOEXEC);
    for (ssize_t n; (n = ::read(file, buffer.data(), buffer.size())) > 0;) total += static_cast<std::size_t>(n);
    ::close(file);
  }
  finish(state, total);
}
BENCHMARK(read_system)->Unit(benchmark::kMillisecond);

void plain_chunks(benchmark::State& state) { chunks(state, files().plain, false); }
BENCHMARK(plain_chunks)->Unit(benchmark::kMillisecond);

void plain_chunks_cut_and_counted(benchmark::State& state) { chunks(state, files().plain, true); }
BENCHMARK(plain_chunks_cut_and_counted)->Unit(benchmark::kMillisecond);

// The peer of gzip chunks: what zcat does, without its pipe.
void gzip_zlib(benchmark::State& state) {
  std::string buffer(1 << 20, '\0');
  std::size_t total = 0;
  for (auto _ : state) {
    gzFile in = gzopen(files().gzip.c_str(), "rb");
    gzbuffer(in, 256 << 10);
    for (int n; (n = gzread(in, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;)
      total += static_cast<std::size_t>(n);
    gzclose(in);
  }
  finish(state, total);
}
BENCHMARK(gzip_zlib)->Unit(benchmark::kMillisecond);

void gzip_chunks(benchmark::State& state) { chunks(state, files().gzip, false); }
BENCHMARK(gzip_chunks)->Unit(benchmark::kMillisecond);

void gzip_chunks_cut_and_counted(benchmark::State& state) { chunks(state, files().gzip, true); }
BENCHMARK(gzip_chunks_cut_and_counted)->Unit(benchmark::kMillisecond);

void zstd_chunks_cut_and_counted(benchmark::State& state) {
  if (!files().has_zstd) return state.SkipWithError("no zstd tool");
  chunks(state, files().zstd, true);
}
BENCHMARK(zstd_chunks_cut_and_counted)->Unit(benchmark::kMillisecond);

// Chunks of 1 MiB, as the pipeline sees them; the peer is std::count.
void lines_counted(benchmark::State& state) {
  const std::string_view chunk = std::string_view(files().text).substr(0, 1 << 20);
  for (auto _ : state) benchmark::DoNotOptimize(core::count_lines(chunk));
  state.SetBytesProcessed(static_cast<std::int64_t>(chunk.size()) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(lines_counted);

void lines_std_count(benchmark::State& state) {
  const std::string_view chunk = std::string_view(files().text).substr(0, 1 << 20);
  for (auto _ : state) benchmark::DoNotOptimize(std::count(chunk.begin(), chunk.end(), '\n'));
  state.SetBytesProcessed(static_cast<std::int64_t>(chunk.size()) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(lines_std_count);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  files();  // made before the first clock starts
  benchmark::RunSpecifiedBenchmarks();
}
