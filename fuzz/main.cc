// Replays files and folders through a fuzz target without a fuzz engine, so that every build runs what fuzzing has
// found: PROGRAM [--target NAME] PATH...; the name is for decoder_fuzz.cc, which is many targets (target.h).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

std::string_view orbwatch::fuzz::target;

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  int first = 1;
  if (argc > 2 && std::string_view(argv[1]) == "--target") {
    orbwatch::fuzz::target = argv[2];
    first = 3;
  }
  for (int i = first; i < argc; ++i) {
    const fs::path path = argv[i];
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else if (fs::exists(path)) {
      files.push_back(path);
    } else {
      std::fprintf(stderr, "%s: no such file\n", argv[i]);
      return 2;
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    // Before the run: a crash leaves the name as the last line.
    std::fprintf(stderr, "%s (%zu bytes)\n", file.c_str(), bytes.size());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::fprintf(stderr, "%zu inputs replayed\n", files.size());
}
