// Compiled tables of indicators (intel/table/indicator_table.h). A sound table would be longer than a fuzzer likes to
// change, and its checksums would hide what lies behind them: the input is a list of changes to one table, eight bytes
// each (section, what, where in it, value), and the checksums are made right again. What opens is looked up in every
// way. The input is also opened as it is.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip.h"
#include "intel/table/indicator_table.h"
#include "intel/table/indicator_table_file.h"
#include "intel/table/indicator_table_writer.h"

namespace {

using namespace orbwatch;
namespace file = intel::indicator_file;
using intel::IndicatorTable;

core::Ip v6(std::uint32_t number) {
  core::Ip out = *core::Ip::parse("2001:db8::");
  std::memcpy(out.bytes.data() + 6, &number, sizeof number);
  return out;
}

// All sections have something, run lines too.
const std::string& sound_image() {
  static const std::string image = [] {
    intel::IndicatorTableWriter writer;
    intel::IndicatorStatement says;
    says.feed = writer.add_feed("feed");
    says.label = "label";
    says.first_seen = 1'700'000'000;
    for (std::uint32_t i = 0; i < 600; ++i) {
      writer.add(core::Prefix::of(core::Ip::v4(i << 21), 20 + static_cast<int>(i % 13)), says);
      writer.add(core::Prefix::of(v6(i * 7), 30 + static_cast<int>(i % 99)), says);
      writer.add(intel::TextKind::kDomain, "h" + std::to_string(i) + ".example.org", says);
      writer.add_autonomous_system(i, says);
    }
    auto made = writer.image();
    if (!made) std::abort();
    return *made;
  }();
  return image;
}

void look_up(const IndicatorTable& table) {
  std::array<std::uint32_t, IndicatorTable::kMostPrefixes> entries;
  std::vector<core::Ip> asked;
  for (std::uint32_t i = 0; i < 64; ++i) {
    asked.push_back(core::Ip::v4(i * 0x04000100));
    asked.push_back(v6(i * 63));
  }
  asked.push_back(core::Ip::v4(UINT32_MAX));
  asked.emplace_back();
  std::vector<std::uint32_t> found(asked.size());
  table.find_many(asked, found);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // One way to look up must not know more than another, whatever the table says.
    if (table.find(asked[i]) != found[i]) std::abort();
    if ((table.find_all(asked[i], entries) == 0) != (found[i] == IndicatorTable::kNone)) std::abort();
    if (found[i] != IndicatorTable::kNone && found[i] >= table.size()) std::abort();
  }
  table.find_domains("a.h7.example.org", entries);
  table.find_text(intel::TextKind::kUrl, "h7.example.org");
  table.find_autonomous_system(300);
  intel::IndicatorStatement statement;
  for (std::uint32_t entry = 0; entry < table.size() && entry < 3000; entry += 7) {
    table.key(entry);
    for (auto reader = table.statements(entry); reader.next(statement);) {
      if (table.feed_name(statement.feed).size() + statement.label.size() > 200'000) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (IndicatorTable::from_bytes(input)) look_up(*IndicatorTable::from_bytes(input));

  std::string bytes = sound_image();
  file::Header header, sound;
  std::memcpy(&header, bytes.data(), sizeof header);
  sound = header;
  for (std::size_t i = 0; i + 8 <= size && i < 64 * 8; i += 8) {
    const std::uint32_t number = data[i] % file::kSectionCount;
    std::uint16_t where;
    std::uint32_t value;
    std::memcpy(&where, data + i + 2, sizeof where);
    std::memcpy(&value, data + i + 4, sizeof value);
    const std::uint64_t section_size = sound.sections[number].count * file::kElementBytes[number];
    switch (data[i + 1] % 16) {
      case 0: header.sections[number].count = value; break;
      case 1: header.sections[number].count += value % 8 - 4; break;
      case 2: header.sections[number].offset = std::uint64_t{value} * 4096; break;
      case 3: header.v4_seed = header.v6_seed = header.text_seed = value; break;
      default:
        if (section_size < sizeof value) break;
        std::memcpy(bytes.data() + sound.sections[number].offset + (std::uint64_t{where} * 4) % (section_size - 3),
                    &value, data[i + 1] % 16 < 8 ? 1 : sizeof value);
    }
  }
  header.body_checksum = file::checksum(bytes.data() + file::kAlignment, bytes.size() - file::kAlignment);
  header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
  std::memcpy(bytes.data(), &header, sizeof header);
  if (const auto table = IndicatorTable::from_bytes(bytes)) look_up(*table);
  return 0;
}
