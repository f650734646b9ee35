// Claims are exact: no record of any format's goldens is claimed by a second format, so that the order in which they
// are asked makes no difference. The common schemas are left out: they are asked last, when no format claims the
// record.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"
#include "decode/envelope.h"

namespace orbwatch::decode {
namespace {

namespace fs = std::filesystem;

TEST(Claims, NoRecordBelongsToTwoFormats) {
  const auto times = core::TimeReader::make("UTC", 1'800'000'000 * core::kSecond);
  ASSERT_TRUE(times);
  std::vector<std::pair<const RecordFormat*, std::unique_ptr<RecordDecoder>>> decoders;
  for (const RecordFormat& format : record_formats()) {
    if (format.stateless && !format.common_schema) decoders.emplace_back(&format, format.make(*times));
  }
  std::size_t claimed = 0;
  for (const RecordFormat& format : record_formats()) {
    for (const auto& entry : fs::directory_iterator(fs::path(ORBWATCH_ROOT) / "tests/golden" / format.name)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".ndjson") || name.ends_with(".options") || name.ends_with(".md")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      for (std::string line; std::getline(in, line);) {
        if (line.empty()) continue;
        line.reserve(line.size() + core::kPadding);
        TextRecord record;
        record.raw = line;
        parse_envelope(record, *times);
        record.json = record.message.starts_with('{');
        std::string who;
        int count = 0;
        for (const auto& [reader, decoder] : decoders) {
          if (reader->reads == (record.json ? Reads::kText : Reads::kJson) || !decoder->claims(record)) continue;
          who += std::string(reader->name) + " ";
          ++count;
        }
        claimed += count == 1 ? 1 : 0;
        EXPECT_LE(count, 1) << who << "claim the same record of " << entry.path() << ":\n" << line;
      }
    }
  }
  EXPECT_GT(claimed, 300U);
}

}  // namespace
}  // namespace orbwatch::decode
