// Published feeds: each file is read by the format that is recognised, or is named below with the reason why none is.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

namespace fs = std::filesystem;

// Empty: the data is not here.
std::string folder() {
  for (const char* up : {"/../shared/data/intel", "/../../shared/data/intel"}) {
    if (fs::exists(std::string(ORBWATCH_ROOT) + up)) return std::string(ORBWATCH_ROOT) + up;
  }
  return {};
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// No reader knows them, or the one that claims them finds nothing that it could read.
struct Unread {
  std::string_view path;  // a file, or a folder with "/" at its end
  std::string_view reason;
};
constexpr std::array kUnread = {
    Unread{"attack-subset/LICENSE.txt", "a licence"},
    Unread{"cisa-kev/", "vulnerabilities, no indicators"},
    Unread{"endoflife/", "release cycles of products"},
    Unread{"eset/dark_iot__README.adoc", "file hashes in running text"},
    Unread{"eset/famoussparrow__README.adoc", "names that are not defanged, in running text"},
    Unread{"eset/sednit__2017-05-09_Trump_Attack_on_Syria_IoCs.adoc", "file hashes in a table"},
    Unread{"eset/sednit__2018-11-20_Zebrocy.adoc", "names of files, hashes and mail addresses in a table"},
    Unread{"eset/sednit__README.adoc", "an index of other files"},
    Unread{"eset/sednit__lojax.adoc", "plain addresses in a text that does not call them indicators"},
    Unread{"eset/sednit__part1.adoc", "names that are not defanged, in running text"},
    Unread{"hosting-asn/cloudflare list.txt", "an expression of a firewall"},
    Unread{"hosting-asn/only number.txt", "bare numbers: read only when the settings call them numbers of systems"},
    Unread{"misp-galaxy/", "names of actors and malware"},
    Unread{"mstic/MicrosoftMapping.json", "names of actors"},
    Unread{"stix-more/taxii21-server-default_data.json", "a server's database, objects below its own keys"},
};

const Unread* find_unread(std::string_view path) {
  for (const Unread& one : kUnread) {
    if (one.path == path || (one.path.ends_with('/') && path.starts_with(one.path))) return &one;
  }
  return nullptr;
}

TEST(FeedData, EveryFileIsReadOrNamed) {
  const std::string root = folder();
  if (root.empty()) GTEST_SKIP() << "no published feeds here";
  std::size_t read = 0;
  std::uint64_t items = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = fs::relative(entry.path(), root).string();
    SCOPED_TRACE(path);
    const std::string text = content(entry.path());
    const FeedReader* reader =
        recognise_feed(std::string_view(text).substr(0, 65536), entry.path().filename().string());
    ItemKeeper keeper;
    const auto counts = reader != nullptr ? reader->read(text, {}, keeper) : core::fail("no reader");
    if (!counts) {
      EXPECT_NE(find_unread(path), nullptr) << (reader == nullptr ? "no reader" : counts.error().text());
      continue;
    }
    EXPECT_EQ(find_unread(path), nullptr) << "is read by " << reader->name();
    EXPECT_EQ(counts->records, counts->used + counts->ignored_total() + counts->rejected_total());
    EXPECT_EQ(counts->items, keeper.items.size());
    for (const StatedItem& item : keeper.items) {
      EXPECT_FALSE(item.value.empty());
      EXPECT_LE(item.value.size(), kLongestValue);
    }
    ++read;
    items += counts->items;
  }
  EXPECT_GT(read, 250U);
  EXPECT_GT(items, 130'000U);
}

// Numbers of items that were counted by other means: lines that are neither empty nor comments, lengths of JSON arrays,
// rows of CSV, regular expressions for addresses and for defanged names.
struct Known {
  std::string_view path;
  std::string_view reader;
  std::size_t items;
};
constexpr std::array kKnown = {
    Known{"tor/tor-exit-nodes.lst", "text", 1746},
    Known{"x4bnet/output-vpn-ipv4.txt", "text", 10862},
    Known{"x4bnet/output-vpn-ipv6.txt", "text", 498},
    Known{"x4bnet/output-datacenter-ipv4.txt", "text", 42566},
    Known{"x4bnet/input-datacenter/ASN.txt", "text", 906},
    Known{"x4bnet/input-vpn/ASN.txt", "text", 15},
    Known{"x4bnet/input-vpn-ips/pia.txt", "text", 1548},
    Known{"maltrail/avrecon.txt", "text", 31 + 47},  // addresses; names and URLs
    Known{"maltrail/quad7.txt", "text", 46 + 4},
    Known{"maltrail/mass_scanner_cidr.txt", "text", 1106},
    Known{"maltrail/polaredge.txt", "text", 24 + 18},
    Known{"hosting-asn/bad-asn-list.csv", "csv", 742},
    Known{"mstic/pia-servers.csv", "csv", 2490},
    Known{"sekoia/2021-11-10 APT31 IOCs.csv", "csv", 96},
    Known{"sekoia/2021-11-10 APT31 - STIX2.jsonl", "stix", 96},
    Known{"sekoia/SEKOIAIO_Banana_Sulfate_infrastructure.csv", "csv", 91},
    Known{"sekoia/roaming_mantis_iocs_20220718.csv", "csv", 90 + 15 + 7},
    Known{"misp-warninglists/akamai.list.json", "misp_warninglist", 268},
    Known{"misp-warninglists/vpn-ipv4.list.json", "misp_warninglist", 42426},
    Known{"misp-warninglists/icloud-private-relay.list.json", "misp_warninglist", 13747},
    Known{"misp-warninglists/rfc1918.list.json", "misp_warninglist", 3},
    Known{"misp-events/existing_event.json", "misp", 19 + 12},
    Known{"blacklotuslabs/KVbotnet_IOCs.txt", "report", 25},
    Known{"blacklotuslabs/JDY_6_2026_IOCs.txt", "report", 5},
    Known{"blacklotuslabs/AVrecon_IOCs.txt", "report", 24 + 3},
    Known{"blacklotuslabs/Chaos_IoCs.txt", "report", 34 + 17},
    Known{"blacklotuslabs/Moon_Faceless_IOCs.txt", "report", 20},
    Known{"eset/moose__README.adoc", "report", 69 - 1},  // without 0.0.0.0
};

TEST(FeedData, NumbersOfItemsAreThoseCountedByOtherMeans) {
  const std::string root = folder();
  if (root.empty()) GTEST_SKIP() << "no published feeds here";
  for (const Known& known : kKnown) {
    SCOPED_TRACE(known.path);
    const std::string text = content(fs::path(root) / known.path);
    const FeedReader* reader = recognise_feed(std::string_view(text).substr(0, 65536), known.path);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->name(), known.reader);
    EXPECT_EQ(read_feed(reader->name(), text).items.size(), known.items);
  }
}

TEST(FeedData, FieldsOfPublishedFeeds) {
  const std::string root = folder();
  if (root.empty()) GTEST_SKIP() << "no published feeds here";
  auto result = read_feed("report", content(root + "/blacklotuslabs/KVbotnet_IOCs.txt"));
  // "45.32.88[.]250  May – Nov. 2 2022  Proxy Router C2"
  const auto kv = std::find_if(result.items.begin(), result.items.end(),
                               [](const StatedItem& item) { return item.value == "45.32.88.250"; });
  ASSERT_NE(kv, result.items.end());
  EXPECT_EQ(kv->label, "Proxy Router C2");
  EXPECT_EQ(core::date_text(kv->item.first_seen), "2022-05-01");
  EXPECT_EQ(core::date_text(kv->item.last_seen), "2022-11-02");

  result = read_feed("stix", content(root + "/sekoia/2021-11-10 APT31 - STIX2.jsonl"));
  EXPECT_EQ(result.counts.ignored.at("pattern of type yara"), 2U);
  EXPECT_EQ(result.counts.ignored.at("file:hashes"), 6U);
  for (const StatedItem& item : result.items) {
    EXPECT_NE(item.item.valid_until, 0);
    EXPECT_EQ(item.item.confidence, 100);
  }

  result = read_feed("stix", content(root + "/stix21-examples/sighting-of-an-indicator.json"));
  ASSERT_EQ(result.items.size(), 2U);
  EXPECT_TRUE(result.items.at(1).item.sighting);

  result = read_feed("misp", content(root + "/misp-events/sighting_1.json"));
  ASSERT_EQ(result.items.size(), 5U);
  EXPECT_EQ(result.items.at(0).item.sightings, 1U);
  EXPECT_EQ(result.items.at(1).item.false_positives, 1U);
  EXPECT_EQ(core::date_text(result.items.at(3).item.valid_until), "2019-02-27");
  EXPECT_EQ(result.items.at(0).label, "Gozi");

  FeedSettings settings;
  settings.kind = "asn";
  const std::string numbers = content(root + "/hosting-asn/only number.txt");
  EXPECT_EQ(read_feed("text", numbers, settings).counts.rejected_total(), 0U);
}

}  // namespace
}  // namespace orbwatch::intel
