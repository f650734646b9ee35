// What is given to others, byte for byte (tests/sharing/, ORBWATCH_UPDATE_GOLDEN=1 rewrites them), and read back by our
// own readers of feeds. By other programs: tests/sharing/check_sharing.py.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/text.h"
#include "export/sharing/writers.h"
#include "intel/feed/test_items.h"
#include "support/sample_sharing.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting::sharing {
namespace {

namespace fs = std::filesystem;
using intel::FeedKind;
using intel::read_feed;
using intel::StatedItem;
using testing::kSharedDay;

WriteOptions named() {
  WriteOptions o;
  o.sender = "Example Ltd";
  o.made = kSharedDay;
  return o;
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++n;
  return n;
}

// The line of the object that holds all of these texts.
std::string line_with(const std::string& text, std::initializer_list<std::string_view> all) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = core::take_until(rest, '\n');
    if (std::ranges::all_of(all, [&](std::string_view one) { return line.find(one) != line.npos; }))
      return std::string(line.ends_with(',') ? line.substr(0, line.size() - 1) : line);
  }
  return {};
}

TEST(Sharing, AsItWasWrittenBefore) {
  const Shared shared = testing::sample_shared();
  for (const Writer& writer : kWriters) {
    const fs::path file = fs::path(ORBWATCH_ROOT) / "tests/sharing" / (std::string(writer.name) + ".golden");
    const std::string text = writer.write(shared, named()).text;
    if (std::getenv("ORBWATCH_UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << text;
    EXPECT_EQ(text, test::read_file(file)) << writer.name;
    EXPECT_EQ(find_writer(writer.name), &writer);
  }
  EXPECT_EQ(find_writer("none"), nullptr);
}

TEST(Sharing, StixIsReadBack) {
  const Written written = write_stix(testing::sample_shared(), named());
  const auto read = read_feed("stix", written.text);
  std::set<std::string> addresses, others;
  for (const StatedItem& item : read.items) {
    if (!item.item.detect || item.item.sighting) continue;
    if (item.item.kind == FeedKind::kPrefix) {
      addresses.insert(item.value + ":" + std::to_string(item.item.port));
      EXPECT_EQ(item.item.confidence, 97);
      EXPECT_EQ(item.item.first_seen == 0 ? item.item.valid_from : item.item.first_seen, kSharedDay - 9 * core::kDay);
      EXPECT_GE(item.item.valid_until, item.item.valid_from + 30 * core::kDay);
      EXPECT_NE(std::ranges::find(item.tags, "tlp:amber"), item.tags.end());
    } else {
      others.insert(std::string(intel::name(item.item.kind)) + " " + item.value.substr(0, 4));
    }
  }
  EXPECT_EQ(addresses,
            (std::set<std::string>{"198.51.100.20:63256", "198.51.100.9:0", "2001:db8:7::1:0", "203.0.113.7:0"}));
  EXPECT_EQ(others, (std::set<std::string>{"certificate-fingerprint aaaa", "jarm 2222"}));
  const auto exit = std::ranges::find_if(
      read.items, [](const StatedItem& i) { return i.value == "203.0.113.7" && i.item.detect && !i.item.sighting; });
  ASSERT_NE(exit, read.items.end());
  EXPECT_EQ(exit->label, "Quiet Harbour");
  for (const char* tag : {"exit-node", "network-type:consumer", "country:DE", "attack:T1090.003", "attack:T1584.008"})
    EXPECT_NE(std::ranges::find(exit->tags, tag), exit->tags.end()) << tag;
  std::uint32_t sightings = 0;
  for (const StatedItem& i : read.items) sightings += i.item.sighting && i.id == exit->id ? i.item.sightings : 0;
  EXPECT_EQ(sightings, 15U);
  EXPECT_TRUE(read.counts.rejected.empty());
  EXPECT_EQ(written.left_out.size(), 1U) << "the banner of a network";
}

TEST(Sharing, StixOfTheSameIsTheSameWhateverTheTime) {
  const Shared shared = testing::sample_shared();
  WriteOptions o = named();
  const std::string first = write_stix(shared, o).text;
  o.made += core::kDay;
  o.before = first;
  o.whole = true;
  EXPECT_EQ(write_stix(shared, o).text, first);
  // Without the earlier file: the same ids, newer versions.
  o.before = {};
  const std::string later = write_stix(shared, o).text;
  EXPECT_NE(later, first);
  EXPECT_EQ(count(later, "\"modified\":\"2025-11-25T16:00:00.000Z\""), count(first, "\"modified\":"));
  EXPECT_EQ(count(first, "\"created\":\"2025-11-15T16:00:00.000Z\""),
            count(later, "\"created\":\"2025-11-15T16:00:00.000Z\""));
}

TEST(Sharing, StixKeepsCreatedAndMakesANewVersionOfWhatChanged) {
  WriteOptions o = named();
  const std::string first = write_stix(testing::sample_shared(), o).text;
  Selection selection({});
  auto grown = testing::shared_node("198.51.100.9", Role::kScanner);
  grown.attack = {"T1595"};
  grown.network_type = core::NetworkType::kMobile;
  grown.first_seen += core::kDay;  // the store forgets
  selection.add(grown);
  o.made += core::kDay;
  o.before = first;
  o.whole = true;
  const Written second = write_stix(selection.take(), o);
  const std::string was = line_with(first, {"\"indicator\"", "198.51.100.9"});
  const std::string is = line_with(second.text, {"\"indicator\"", "198.51.100.9"});
  EXPECT_EQ(*core::between(was, "\"id\":\"", "\""), *core::between(is, "\"id\":\"", "\""));
  EXPECT_EQ(*core::between(was, "\"created\":\"", "\""), *core::between(is, "\"created\":\"", "\""));
  EXPECT_EQ(*core::between(is, "\"modified\":\"", "\""), "2025-11-25T16:00:00.000Z");
  // The attack pattern is as it was.
  EXPECT_EQ(line_with(first, {"\"attack-pattern\"", "T1595"}), line_with(second.text, {"\"attack-pattern\"", "T1595"}));
  // Two plain addresses are not given any more; of the port and the traits a reader is not told.
  EXPECT_EQ(second.revoked, 2U);
  const std::string back = line_with(second.text, {"\"revoked\":true", "203.0.113.7"});
  ASSERT_NE(back, "");
  const auto read = read_feed("stix", second.text);
  EXPECT_EQ(std::ranges::count_if(read.items, [](const StatedItem& i) { return i.item.revoked; }), 2);
  // It stays so, and is forgotten when nobody holds it for valid any more.
  const std::string kept = second.text;
  o.before = kept;
  o.made += core::kDay;
  EXPECT_EQ(line_with(write_stix({}, o).text, {"\"revoked\":true", "203.0.113.7"}), back);
  o.made += 60 * core::kDay;
  EXPECT_EQ(write_stix({}, o).revoked, 0U);
  // Not if only a part was asked for.
  o.made = kSharedDay + core::kDay;
  o.before = first;
  o.whole = false;
  EXPECT_EQ(write_stix({}, o).revoked, 0U);
}

TEST(Sharing, WhateverTheEarlierFileHoldsTheBundleIsJson) {
  WriteOptions o = named();
  o.whole = true;
  const std::string good = write_stix(testing::sample_shared(), o).text;
  std::vector<std::string> files = {"{\"type\":\"", "{\"type\":\"indicator\",\"id\":\"indicator--1\"}",
                                    std::string(1000, '\n'), "\xff\xfe", good.substr(0, good.size() / 2)};
  std::string forged = good;
  for (std::size_t at = 0; (at = forged.find("2025-11-15", at)) != forged.npos;) forged.replace(at, 10, "2025-99-99");
  files.push_back(forged);
  forged = good;
  for (std::size_t at = 0; (at = forged.find("203.0.113.7'", at)) != forged.npos;)
    forged.replace(at, 12, "x' OR 1=1 \\");
  files.push_back(forged);
  simdjson::dom::parser parser;
  for (const std::string& before : files) {
    o.before = before;
    o.made = kSharedDay + core::kDay;
    for (const Shared& shared : {Shared{}, testing::sample_shared()}) {
      const std::string text = write_stix(shared, o).text;
      EXPECT_EQ(parser.parse(text).error(), simdjson::SUCCESS) << before.substr(0, 60);
      EXPECT_EQ(text.find("OR 1=1"), text.npos);
    }
  }
}

TEST(Sharing, EveryTlpMarksEveryObject) {
  for (const Tlp tlp : kTlps) {
    WriteOptions o = named();
    o.tlp = tlp;
    const std::string text = write_stix(testing::sample_shared(), o).text;
    // All but the marking itself and the bundle.
    EXPECT_EQ(count(text, "\"object_marking_refs\":["), count(text, "\"spec_version\":\"2.1\"") - 1) << name(tlp);
    const auto read = read_feed("stix", text);
    EXPECT_NE(std::ranges::find(read.items.at(0).tags, "tlp:" + std::string(name(tlp))), read.items.at(0).tags.end());
    EXPECT_EQ(parse_tlp(name(tlp)), tlp);
    EXPECT_NE(write_misp(testing::sample_shared(), o).text.find("\"tlp:" + std::string(name(tlp)) + "\""),
              std::string::npos);
  }
  EXPECT_FALSE(parse_tlp("white"));
}

TEST(Sharing, WithoutASenderNobodyIsNamed) {
  WriteOptions o = named();
  o.sender.clear();
  const std::string text = write_stix(testing::sample_shared(), o).text;
  for (const char* member : {"identity", "created_by_ref", "where_sighted_refs"})
    EXPECT_EQ(text.find(member), text.npos) << member;
  EXPECT_EQ(write_misp(testing::sample_shared(), o).text.find("Orgc"), std::string::npos);
  // Two senders give two things.
  WriteOptions other = named();
  other.sender = "Other Ltd \"x\"\n";
  const std::string theirs = write_stix(testing::sample_shared(), other).text;
  EXPECT_NE(*core::between(line_with(text, {"\"indicator\"", "203.0.113.7"}), "\"id\":\"", "\""),
            *core::between(line_with(theirs, {"\"indicator\"", "203.0.113.7"}), "\"id\":\"", "\""));
}

TEST(Sharing, MispIsReadBack) {
  const auto read = read_feed("misp", write_misp(testing::sample_shared(), named()).text);
  std::set<std::string> detect, context;
  for (const StatedItem& i : read.items)
    (i.item.detect ? detect : context).insert(std::string(intel::name(i.item.kind)) + " " + i.value.substr(0, 14));
  EXPECT_EQ(detect, (std::set<std::string>{"certificate-fingerprint aaaaaaaaaaaaaa", "jarm 22222222222222",
                                           "prefix 198.51.100.20", "prefix 198.51.100.9", "prefix 2001:db8:7::1",
                                           "prefix 203.0.113.7"}));
  EXPECT_TRUE(context.contains("user-agent OpenVPN 2.5.1"));
  EXPECT_TRUE(context.contains("autonomous-system AS64496"));
  const auto exit = std::ranges::find(read.items, "203.0.113.7", &StatedItem::value);
  ASSERT_NE(exit, read.items.end());
  EXPECT_EQ(exit->item.first_seen, kSharedDay - 9 * core::kDay);
  EXPECT_EQ(exit->item.last_seen, kSharedDay - 2 * core::kDay);
  EXPECT_EQ(exit->item.sightings, 4U);  // the first and the last of two kinds of sensor
  EXPECT_NE(std::ranges::find(exit->tags, "attack:T1090.003"), exit->tags.end());
  EXPECT_TRUE(read.counts.rejected.empty());
}

TEST(Sharing, CsvAndListAreReadBack) {
  const auto csv = read_feed("csv", write_csv(testing::sample_shared(), named()).text);
  EXPECT_EQ(csv.values,
            "prefix 198.51.100.9\nprefix 198.51.100.20 port 63256\nprefix 203.0.113.7\nprefix 2001:db8:7::1\n");
  EXPECT_EQ(csv.items.at(2).item.confidence, 97);
  const Written edl = write_edl(testing::sample_shared(), named());
  EXPECT_EQ(edl.text, "198.51.100.20\n203.0.113.7\n2001:db8:7::/64\n");
  EXPECT_EQ(edl.left_out.at("address: carrier NAT, many people behind it"), 1U);
  EXPECT_EQ(read_feed("text", edl.text).items.size(), 3U);
}

}  // namespace
}  // namespace orbwatch::exporting::sharing
