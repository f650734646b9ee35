#include "intel/indicators.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "intel/organisation.h"

namespace orbwatch::intel {
namespace {

core::Ip ip(std::string_view text) { return core::Ip::parse(text).value_or(core::Ip{}); }
core::Prefix prefix(std::string_view text) { return core::Prefix::parse(text).value_or(core::Prefix{}); }

TEST(PrefixMap, LongestMatchWins) {
  PrefixMap map;
  EXPECT_EQ(map.longest(ip("192.0.2.1")), PrefixMap::kNone);
  EXPECT_TRUE(map.insert(prefix("192.0.2.0/24"), 1));
  EXPECT_TRUE(map.insert(prefix("192.0.2.128/25"), 2));
  EXPECT_TRUE(map.insert(prefix("192.0.2.129"), 3));
  EXPECT_TRUE(map.insert(prefix("2001:db8::/32"), 4));
  EXPECT_FALSE(map.insert(prefix("192.0.2.0/24"), 5));
  EXPECT_EQ(map.longest(ip("192.0.2.127")), 1U);
  EXPECT_EQ(map.longest(ip("192.0.2.128")), 2U);
  EXPECT_EQ(map.longest(ip("192.0.2.129")), 3U);
  EXPECT_EQ(map.longest(ip("192.0.3.0")), PrefixMap::kNone);
  EXPECT_EQ(map.longest(ip("2001:db8:ffff::1")), 4U);
  EXPECT_EQ(map.longest(ip("2001:db9::1")), PrefixMap::kNone);
  EXPECT_EQ(map.exact(prefix("192.0.2.0/24")), 1U);
  EXPECT_EQ(map.exact(prefix("192.0.2.0/23")), PrefixMap::kNone);
  EXPECT_TRUE(map.insert(prefix("0.0.0.0/0"), 6));
  EXPECT_EQ(map.longest(ip("8.8.8.8")), 6U);
  EXPECT_TRUE(map.insert(prefix("::/0"), 7));
  EXPECT_EQ(map.longest(ip("2001:db9::1")), 7U);
}

TEST(PrefixMap, AgreesWithASlowSearch) {
  std::mt19937 random(1);
  PrefixMap map;
  std::vector<core::Prefix> all;
  for (int i = 0; i < 400; ++i) {
    core::Ip base = core::Ip::v4(0x09000000U | (random() & 0x30303));
    if (i % 2 != 0) {
      base = ip("2a00::");
      base.bytes[3] = static_cast<std::uint8_t>(random() & 3);
      base.bytes[9] = static_cast<std::uint8_t>(random());
    }
    const core::Prefix p = core::Prefix::of(base, static_cast<int>(random() % (i % 2 != 0 ? 129 : 33)));
    if (map.insert(p, static_cast<std::uint32_t>(all.size()))) all.push_back(p);
  }
  for (int i = 0; i < 5000; ++i) {
    core::Ip probe = core::Ip::v4(0x09000000U | (random() & 0x30307));
    if (i % 2 != 0) {
      probe = ip("2a00::");
      probe.bytes[3] = static_cast<std::uint8_t>(random() & 3);
      probe.bytes[9] = static_cast<std::uint8_t>(random());
    }
    std::uint32_t expected = PrefixMap::kNone;
    for (std::uint32_t k = 0; k < all.size(); ++k) {
      if (all[k].contains(probe) && (expected == PrefixMap::kNone || all[k].bits > all[expected].bits)) expected = k;
    }
    ASSERT_EQ(map.longest(probe), expected) << probe.text();
  }
}

TEST(Indicators, RefangsWhatListsDo) {
  EXPECT_EQ(refang("192.0.2[.]1"), "192.0.2.1");
  EXPECT_EQ(refang("192[.]0(.)2[dot]1"), "192.0.2.1");
  EXPECT_EQ(refang("192.0.2[.1"), "192.0.2.1");
  EXPECT_EQ(refang("hxxps://example[.]org"), "https://example.org");
  EXPECT_EQ(refang("2001:db8[:]:1"), "2001:db8::1");
  EXPECT_EQ(refang("plain"), "plain");
  EXPECT_EQ(refang("["), "[");
}

TEST(Indicators, RangesBecomeTheFewestPrefixes) {
  const auto texts = [](std::string_view a, std::string_view b) {
    std::string out;
    for (const core::Prefix& p : cover_range(ip(a), ip(b))) out += p.text() + " ";
    return out;
  };
  EXPECT_EQ(texts("192.0.2.0", "192.0.2.255"), "192.0.2.0/24 ");
  EXPECT_EQ(texts("192.0.2.1", "192.0.2.4"), "192.0.2.1/32 192.0.2.2/31 192.0.2.4/32 ");
  EXPECT_EQ(texts("192.0.2.7", "192.0.2.7"), "192.0.2.7/32 ");
  EXPECT_EQ(texts("0.0.0.0", "255.255.255.255"), "0.0.0.0/0 ");
  EXPECT_EQ(texts("255.255.255.254", "255.255.255.255"), "255.255.255.254/31 ");
  EXPECT_EQ(texts("2001:db8::", "2001:db8::ffff"), "2001:db8::/112 ");
  EXPECT_EQ(texts("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0 ");
  EXPECT_EQ(texts("192.0.2.9", "192.0.2.1"), "");
  EXPECT_EQ(texts("192.0.2.9", "2001:db8::1"), "");
  EXPECT_TRUE(cover_range(ip("::1"), ip("ffff::"), 10).empty());
}

TEST(Indicators, OneOfEachKindOfLine) {
  const std::string_view list =
      "\xef\xbb\xbf# a comment\n"
      "\n"
      "192.0.2.1\n"
      "192.0.2.2 # with words\n"
      "192[.]0[.]2[.]3\r\n"
      "198.51.100.0/25\n"
      "203.0.113.1-203.0.113.6\n"
      "hxxp://192.0.2[.]4:8080/x.sh\n"
      "192.0.2.5:443\n"
      "192.0.2.6/evil.html\n"
      "[2001:db8::1]\n"
      "2001:db8:1::/48,router botnet,2026-01-01\n"
      "\"192.0.2.7\",\"quoted, label\"\n"
      "192.0.2.8 seen by somebody\n"
      "example[.]org\n"
      "hxxps://example[.]org/path\n"
      "d41d8cd98f00b204e9800998ecf8427e\n"
      "; another comment\n"
      "// and another\n"
      "10.0.0.1\n"
      "0.0.0.0/0\n"
      "192.0.2.999\n"
      "192.0.2.0/99\n"
      "not an indicator\n"
      "192.0.2.1\n";
  Indicators indicators;
  const IndicatorCounts counts = indicators.add_list(list, "test list");
  EXPECT_EQ(counts.lines, counts.indicators + counts.ignored + counts.rejected);
  EXPECT_EQ(counts.lines, 25U);
  EXPECT_EQ(counts.rejected, 5U);
  EXPECT_EQ(counts.ignored, 7U);
  EXPECT_EQ(counts.indicators, 13U);
  EXPECT_EQ(counts.duplicates, 1U);
  EXPECT_EQ(counts.prefixes, indicators.size());
  EXPECT_EQ(counts.first_rejected, "10.0.0.1");
  EXPECT_EQ(counts.first_rejected_line, 20U);
  for (const char* hit :
       {"192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.127", "203.0.113.1", "203.0.113.6", "192.0.2.4", "192.0.2.5",
        "192.0.2.6", "2001:db8::1", "2001:db8:1:ffff::9", "192.0.2.7", "192.0.2.8"}) {
    const Indicator* found = indicators.find(ip(hit));
    ASSERT_NE(found, nullptr) << hit;
    EXPECT_EQ(found->list.text(), "test list");
  }
  for (const char* miss :
       {"192.0.2.9", "198.51.100.128", "203.0.113.0", "203.0.113.7", "10.0.0.1", "8.8.8.8", "2001:db8::2"}) {
    EXPECT_EQ(indicators.find(ip(miss)), nullptr) << miss;
  }
  EXPECT_EQ(indicators.find(ip("192.0.2.2"))->label.text(), "with words");
  EXPECT_EQ(indicators.find(ip("2001:db8:1::"))->label.text(), "router botnet");
  EXPECT_EQ(indicators.find(ip("192.0.2.7"))->label.text(), "quoted, label");
  EXPECT_EQ(indicators.find(ip("192.0.2.8"))->label.text(), "seen by somebody");
  EXPECT_EQ(indicators.find(ip("192.0.2.8"))->line, 14U);
}

TEST(Indicators, ACsvHeadIsIgnored) {
  Indicators indicators;
  const auto counts = indicators.add_list("ip,first seen\n192.0.2.1,2026-01-01\n", "csv");
  EXPECT_EQ(counts.rejected, 0U);
  EXPECT_EQ(counts.ignored, 1U);
  EXPECT_EQ(counts.indicators, 1U);
}

TEST(Indicators, DuplicatesWidenTheTimesSeen) {
  Indicators indicators;
  Indicator one;
  one.prefix = prefix("192.0.2.1");
  one.first_seen = 100;
  one.last_seen = 200;
  EXPECT_TRUE(indicators.add(one));
  one.first_seen = 50;
  one.last_seen = 150;
  EXPECT_FALSE(indicators.add(one));
  EXPECT_EQ(indicators.find(ip("192.0.2.1"))->first_seen, 50);
  EXPECT_EQ(indicators.find(ip("192.0.2.1"))->last_seen, 200);
}

TEST(Indicators, RandomBytesAreCounted) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    std::string noise;
    for (int k = 0; k < 400; ++k) noise += "0123456789.:/-[],\"# \nabx\xff\x00"[random() % 25];
    Indicators indicators;
    const auto counts = indicators.add_list(noise, "noise");
    ASSERT_EQ(counts.lines, counts.indicators + counts.ignored + counts.rejected);
  }
}

// Real lists: every line must have its place, and most lines of a list of addresses must be indicators.
TEST(Indicators, PublishedListsBalance) {
  std::string directory;
  for (const char* up : {"/../shared/data/intel", "/../../shared/data/intel"}) {
    if (std::filesystem::exists(std::string(ORBWATCH_ROOT) + up)) directory = std::string(ORBWATCH_ROOT) + up;
  }
  if (directory.empty()) GTEST_SKIP() << "no published lists here";
  std::size_t files = 0;
  for (const char* folder : {"/maltrail", "/blacklotuslabs", "/x4bnet", "/tor"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory + folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      Indicators indicators;
      const auto counts = indicators.add_list(text, entry.path().filename().string());
      EXPECT_EQ(counts.lines, counts.indicators + counts.ignored + counts.rejected) << entry.path();
      ++files;
      if (entry.path().string().find("output-vpn") != std::string::npos || std::string(folder) == "/tor") {
        EXPECT_EQ(counts.rejected, 0U) << entry.path() << " " << counts.first_rejected;
        EXPECT_GT(counts.indicators, 400U);
      }
    }
  }
  EXPECT_GT(files, 50U);
}

TEST(Organisation, LongestDeclarationCounts) {
  std::vector<DeclaredNetwork> networks(3);
  networks[0].prefix = prefix("198.51.100.0/24");
  networks[0].name = "all";
  networks[1].prefix = prefix("198.51.100.64/26");
  networks[1].name = "partner";
  networks[1].own = false;
  networks[2].prefix = prefix("10.9.0.0/16");
  networks[2].name = "guest Wi-Fi";
  networks[2].own = false;
  const auto organisation = Organisation::make(networks);
  ASSERT_TRUE(organisation);
  EXPECT_EQ(organisation->find(ip("198.51.100.1")), 0);
  EXPECT_EQ(organisation->find(ip("198.51.100.65")), 1);
  EXPECT_EQ(organisation->find(ip("198.51.101.1")), -1);
  EXPECT_TRUE(organisation->is_internal(ip("198.51.100.1")));
  EXPECT_FALSE(organisation->is_internal(ip("198.51.100.65")));
  EXPECT_FALSE(organisation->is_internal(ip("10.9.1.1")));
  EXPECT_TRUE(organisation->is_internal(ip("10.8.1.1")));
  EXPECT_FALSE(organisation->is_internal(ip("8.8.8.8")));
}

TEST(Organisation, RefusesWhatCannotBeMeant) {
  const auto make = [](auto change) {
    DeclaredNetwork network;
    network.prefix = prefix("198.51.100.0/24");
    change(network);
    return Organisation::make({network}).has_value();
  };
  EXPECT_TRUE(make([](DeclaredNetwork&) {}));
  EXPECT_FALSE(make([](DeclaredNetwork& n) { n.country = "Germany"; }));
  EXPECT_FALSE(make([](DeclaredNetwork& n) { n.latitude = 91; }));
  EXPECT_FALSE(make([](DeclaredNetwork& n) { n.longitude = -181; }));
  EXPECT_FALSE(make([](DeclaredNetwork& n) { n.prefix = {}; }));
  DeclaredNetwork twice;
  twice.prefix = prefix("198.51.100.0/24");
  EXPECT_FALSE(Organisation::make({twice, twice}));
}

}  // namespace
}  // namespace orbwatch::intel
