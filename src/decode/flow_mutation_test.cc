// Arbitrary bytes: valid captures and files are damaged at random (bits flipped, bytes cut out, doubled, lengths
// overwritten) with a fixed seed, and must neither crash nor unbalance the counts. Run it under asan-ubsan.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "decode/all.h"

namespace fs = std::filesystem;
using namespace orbwatch;

namespace {

struct Seed {
  std::string format;
  std::string bytes;
};

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (const char* format : {"capture", "ipfix_file", "flow_datagram"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(ORBWATCH_ROOT) / "tests/golden" / format)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".ndjson") && !name.ends_with(".md") && !name.ends_with(".options"))
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::ifstream in(file, std::ios::binary);
      std::stringstream all;
      all << in.rdbuf();
      out.push_back({format, all.str()});
    }
  }
  return out;
}

std::string damage(std::string bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  for (std::size_t i = 1 + below(6); i > 0 && !bytes.empty(); --i) {
    const std::size_t at = below(bytes.size());
    switch (below(7)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 1: bytes[at] = static_cast<char>(random()); break;
      case 2: bytes.resize(at); break;
      case 3: bytes.erase(at, 1 + below(20)); break;
      case 4: bytes.insert(at, bytes.substr(below(bytes.size()), below(64))); break;
      case 5:  // a length or a count that is far out
        if (at + 2 <= bytes.size()) bytes[at] = bytes[at + 1] = static_cast<char>(below(2) == 0 ? 0xff : 0x00);
        break;
      default: bytes[at] = static_cast<char>(bytes[at] + (below(2) == 0 ? 1 : -1)); break;
    }
  }
  return bytes;
}

struct Result {
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t ignored = 0;
  std::uint64_t rejected = 0;
  friend bool operator==(const Result&, const Result&) = default;
};

Result decode(const std::string& format, const std::string& bytes, std::size_t step) {
  decode::Options options;
  options.format = format;
  auto decoder = decode::make_decoder(decode::recognise(bytes, options), options);
  if (!decoder.has_value()) {
    ADD_FAILURE() << decoder.error().text();
    return {};
  }
  event::EventBatch batch;
  Result sum;
  const auto drain = [&] {
    const event::Counts& c = batch.counts;
    EXPECT_EQ(c.records, c.events + c.ignored + c.rejected);
    EXPECT_EQ(c.events, batch.size());
    for (const event::Event& e : batch) {
      EXPECT_GE(e.duration, 0);
      EXPECT_TRUE(e.dataset.present());
    }
    sum.records += c.records;
    sum.events += c.events;
    sum.ignored += c.ignored;
    sum.rejected += c.rejected;
    batch.clear();
  };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    // A buffer of exactly this size: a read behind its end is seen by the sanitizer.
    const std::string piece = bytes.substr(at, step);
    const std::vector<char> exact(piece.begin(), piece.end());
    (*decoder)->feed({exact.data(), exact.size()}, batch);
    drain();
  }
  (*decoder)->finish(batch);
  drain();
  return sum;
}

TEST(FlowMutation, DamagedInputsAreCountedAndDoNotDependOnTheCut) {
  const std::vector<Seed> inputs = seeds();
  ASSERT_GE(inputs.size(), 20U);
  std::mt19937_64 random(20261123);
  std::uint64_t events = 0;
  std::uint64_t rejected = 0;
  for (int i = 0; i < 20000; ++i) {
    const Seed& seed = inputs[random() % inputs.size()];
    const std::string bytes = damage(seed.bytes, random);
    const Result whole = decode(seed.format, bytes, std::max<std::size_t>(bytes.size(), 1));
    const Result cut = decode(seed.format, bytes, 1 + random() % 300);
    ASSERT_EQ(whole, cut) << "input " << i << " of format " << seed.format;
    events += whole.events;
    rejected += whole.rejected;
  }
  // The damage is neither fatal to everything nor without effect.
  EXPECT_GT(events, 20000U);
  EXPECT_GT(rejected, 2000U);
}

TEST(FlowMutation, RandomBytesAreNoEvents) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(random() % 5000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    for (const char* format : {"capture", "ipfix_file", "flow_datagram"}) {
      const Result whole = decode(format, bytes, 4096);
      EXPECT_EQ(whole, decode(format, bytes, 333));
    }
    EXPECT_FALSE(decode::recognise(bytes, {}).format == "capture");
  }
}

}  // namespace
