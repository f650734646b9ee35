// Damaged input must be counted, not crash: every text golden, mutated and spliced, through the frame with all formats.
// Meant above all for the sanitizer builds; the same seeds on every run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"
#include "decode/text.h"

namespace orbwatch::decode {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> golden_lines() {
  std::vector<std::string> lines;
  std::vector<std::string_view> folders = {"mixed"};  // wrappers and containers
  for (const RecordFormat& format : record_formats()) folders.push_back(format.name);
  for (const std::string_view folder : folders) {
    for (const auto& entry : fs::directory_iterator(fs::path(ORBWATCH_ROOT) / "tests/golden" / folder)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".ndjson") || name.ends_with(".options") || name.ends_with(".md")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      for (std::string line; std::getline(in, line) && line.size() < 4000;) lines.push_back(line);
    }
  }
  return lines;
}

std::string mutated(const std::vector<std::string>& lines, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random()) % n; };
  std::string line = lines[below(lines.size())];
  for (auto changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(line.size());
    const std::size_t length = below(std::min<std::size_t>(line.size() - at + 1, 24));
    switch (below(6)) {
      case 0: line.resize(at); break;
      case 1: line.erase(at, length); break;
      case 2: line.insert(at, 1, static_cast<char>(below(256))); break;
      case 3: line.insert(at, std::string(1 + below(300), "0/:(<\"=, \\'.["[below(13)])); break;
      case 4: line.replace(at, length, line.substr(below(line.size()), below(40))); break;
      default: {
        const std::string& other = lines[below(lines.size())];
        line = line.substr(0, at) + other.substr(below(other.size()));
      }
    }
  }
  return line;
}

// Containers of records, which have an array of objects or <Events>, and formats whose text records may hold several
// records (RecordDecoder::decode_parts).
bool may_hold_several(std::string_view line) {
  for (const std::string_view mark : {"flowTuples", "flow.", "<Events", "Traffic\"",  //
                                      "\"ip_str\"", "\"services\"", "\"ports\"", "\"data\":{"}) {
    if (line.find(mark) != line.npos) return true;
  }
  return line.find('[') != line.npos && line.find('{') != line.npos;
}

TEST(DamagedRecords, AreCountedAndDoNotCrash) {
  const std::vector<std::string> lines = golden_lines();
  ASSERT_FALSE(lines.empty());
  std::mt19937 random(20261122);
  const auto times = core::TimeReader::make("Europe/Berlin", 1'800'000'000 * core::kSecond);
  ASSERT_TRUE(times);
  TextDecoder decoder(Framing::kLines, "", false, {}, *times);
  event::EventBatch batch;
  constexpr std::size_t kRecords = 20'000;
  for (std::size_t i = 0; i < kRecords; ++i) {
    std::string line = mutated(lines, random);
    std::erase(line, '\n');
    line += '\n';
    // A buffer of exactly this size, so that a sanitizer sees every read too far; the padding is part of the contract.
    const auto bytes = std::make_unique<char[]>(line.size() + core::kPadding);
    std::copy(line.begin(), line.end(), bytes.get());
    batch.clear();
    decoder.feed({bytes.get(), line.size()}, batch);
    const event::Counts& c = batch.counts;
    ASSERT_EQ(c.records, c.events + c.ignored + c.rejected) << line;
    ASSERT_EQ(c.events, batch.size()) << line;
    ASSERT_GE(c.records, 1U) << line;
    if (!may_hold_several(line)) {
      ASSERT_EQ(c.records, 1U) << line;
    }
    for (const Event& event : batch) {
      ASSERT_NE(event.event_class, event::Class::kNone) << line;
      ASSERT_TRUE(event.dataset.present()) << line;
      ASSERT_GE(event.duration, 0) << line;
      ASSERT_FALSE(event::to_json(event).empty());
    }
  }
}

}  // namespace
}  // namespace orbwatch::decode
