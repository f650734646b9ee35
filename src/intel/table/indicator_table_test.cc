#include "intel/table/indicator_table.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "intel/table/indicator_table_file.h"
#include "intel/table/indicator_table_writer.h"
#include "support/temp_dir.h"

namespace orbwatch::intel {
namespace {

using core::Ip;
using core::Prefix;

constexpr std::uint32_t kNone = IndicatorTable::kNone;

Ip ip(std::string_view text) {
  const auto out = Ip::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(Ip{});
}
Prefix prefix(std::string_view text) {
  const auto out = Prefix::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(Prefix{});
}

// A writer with feeds "zero" to "three".
IndicatorTableWriter writer() {
  IndicatorTableWriter out;
  for (const char* name : {"zero", "one", "two", "three"}) out.add_feed(name);
  return out;
}
IndicatorTable table_of(IndicatorTableWriter& writer) {
  const auto image = writer.image(5);
  EXPECT_TRUE(image) << image.error().text();
  auto table = IndicatorTable::from_bytes(*image);
  EXPECT_TRUE(table) << table.error().text();
  return std::move(*table);
}
IndicatorStatement says(std::string_view label, std::uint16_t feed = 0) {
  IndicatorStatement out;
  out.label = label;
  out.feed = feed;
  return out;
}
std::vector<IndicatorStatement> statements(const IndicatorTable& table, std::uint32_t entry) {
  std::vector<IndicatorStatement> out;
  IndicatorStatement one;
  for (auto reader = table.statements(entry); reader.next(one);) out.push_back(one);
  return out;
}
std::string label(const IndicatorTable& table, std::uint32_t entry) {
  const auto all = statements(table, entry);
  return all.empty() ? "" : std::string(all.front().label);
}
std::uint32_t find(const IndicatorTable& table, const Ip& address) {
  const std::uint32_t entry = table.find(address);
  // All ways to look up agree everywhere.
  const Ip batch[] = {Ip{}, address, ip("192.0.2.255"), address};
  std::uint32_t found[4];
  table.find_many(batch, found);
  EXPECT_EQ(found[0], kNone);
  EXPECT_EQ(found[1], entry) << address.text();
  EXPECT_EQ(found[3], entry) << address.text();
  std::uint32_t all[IndicatorTable::kMostPrefixes];
  const std::size_t count = table.find_all(address, all);
  EXPECT_EQ(count == 0 ? kNone : all[0], entry) << address.text();
  return entry;
}
std::string at(const IndicatorTable& table, std::string_view address) { return label(table, find(table, ip(address))); }

TEST(IndicatorTable, EmptyTableKnowsNothing) {
  IndicatorTableWriter empty;
  const IndicatorTable table = table_of(empty);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.built(), 5);
  EXPECT_EQ(table.feeds(), 0);
  for (const char* address : {"0.0.0.0", "255.255.255.255", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(find(table, ip(address)), kNone);
  }
  EXPECT_EQ(table.find_text(TextKind::kUrl, "http://example.org/"), kNone);
  EXPECT_EQ(table.find_domain("example.org"), kNone);
  EXPECT_EQ(table.find_autonomous_system(64500), kNone);
  EXPECT_TRUE(statements(table, 0).empty());
  EXPECT_EQ(table.key(0).kind, IndicatorKey::Kind::kNone);
}

TEST(IndicatorTable, LongestPrefixWinsAndShorterOnesFollow) {
  auto w = writer();
  for (const char* p :
       {"198.51.100.7", "198.51.100.0/24", "198.51.0.0/16", "198.51.100.0/25", "198.0.0.0/8", "198.51.100.7/31",
        "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:1:2::80/121", "2001:db8:1:2::81"}) {
    EXPECT_TRUE(w.add(prefix(p), says(p)));
  }
  const IndicatorTable table = table_of(w);
  EXPECT_EQ(at(table, "198.51.100.7"), "198.51.100.7");
  EXPECT_EQ(at(table, "198.51.100.6"), "198.51.100.7/31");
  EXPECT_EQ(at(table, "198.51.100.5"), "198.51.100.0/25");
  EXPECT_EQ(at(table, "198.51.100.128"), "198.51.100.0/24");
  EXPECT_EQ(at(table, "198.51.101.0"), "198.51.0.0/16");
  EXPECT_EQ(at(table, "198.255.255.255"), "198.0.0.0/8");
  EXPECT_EQ(at(table, "199.0.0.0"), "");
  EXPECT_EQ(at(table, "197.255.255.255"), "");
  EXPECT_EQ(at(table, "2001:db8:1:2::81"), "2001:db8:1:2::81");
  EXPECT_EQ(at(table, "2001:db8:1:2::82"), "2001:db8:1:2::80/121");
  EXPECT_EQ(at(table, "2001:db8:1:2::7f"), "2001:db8:1:2::/64");
  EXPECT_EQ(at(table, "2001:db8:1:2::100"), "2001:db8:1:2::/64");
  EXPECT_EQ(at(table, "2001:db8:1:3::"), "2001:db8:1::/48");
  EXPECT_EQ(at(table, "2001:db8:2::"), "2001:db8::/32");
  EXPECT_EQ(at(table, "2001:db9::"), "");

  std::uint32_t all[IndicatorTable::kMostPrefixes];
  const std::size_t count = table.find_all(ip("198.51.100.7"), all);
  std::vector<std::string> labels;
  labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) labels.push_back(label(table, all[i]));
  EXPECT_EQ(labels, (std::vector<std::string>{"198.51.100.7", "198.51.100.7/31", "198.51.100.0/25", "198.51.100.0/24",
                                              "198.51.0.0/16", "198.0.0.0/8"}));
  EXPECT_EQ(table.key(all[1]).prefix, prefix("198.51.100.6/31"));  // host bits are cleared
  EXPECT_EQ(table.key(all[0]).prefix, prefix("198.51.100.7/32"));
  std::uint32_t two[2];
  EXPECT_EQ(table.find_all(ip("198.51.100.7"), two), 2U);  // no more than there is room for
  EXPECT_EQ(two[1], all[1]);
  EXPECT_EQ(table.find_all(ip("198.51.100.7"), {}), 0U);
}

TEST(IndicatorTable, EdgesOfTheAddressSpace) {
  auto w = writer();
  for (const char* p :
       {"0.0.0.0/1", "255.255.255.255", "255.255.255.0/24", "0.0.0.0", "8000::/1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124", "::/8"}) {
    EXPECT_TRUE(w.add(prefix(p), says(p))) << p;
  }
  const IndicatorTable table = table_of(w);
  EXPECT_EQ(at(table, "0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(at(table, "0.0.0.1"), "0.0.0.0/1");
  EXPECT_EQ(at(table, "127.255.255.255"), "0.0.0.0/1");
  EXPECT_EQ(at(table, "128.0.0.0"), "");
  EXPECT_EQ(at(table, "255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(at(table, "255.255.255.254"), "255.255.255.0/24");
  EXPECT_EQ(at(table, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(at(table, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124");
  EXPECT_EQ(at(table, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffef"), "8000::/1");
  EXPECT_EQ(at(table, "::1"), "::/8");
  // IPv4 is no part of IPv6: the mapped form is IPv4, and ::/8 does not hold it.
  EXPECT_EQ(at(table, "::ffff:128.0.0.1"), "");
  EXPECT_EQ(at(table, "::ffff:1.2.3.4"), "0.0.0.0/1");
  EXPECT_EQ(find(table, Ip{}), kNone);  // absent
}

TEST(IndicatorTable, WhatIsRejectedIsCounted) {
  auto w = writer();
  EXPECT_FALSE(w.add(prefix("0.0.0.0/0"), says("all")));
  EXPECT_FALSE(w.add(prefix("::/0"), says("all")));
  EXPECT_EQ(w.counts().rejected_prefixes, 2U);
  EXPECT_FALSE(w.add(Prefix{Ip{}, 128}, says("absent")));
  EXPECT_FALSE(w.add(Prefix{ip("192.0.2.1"), 33}, says("too long for IPv4")));
  EXPECT_FALSE(w.add(Prefix{ip("2001:db8::1"), 129}, says("too long")));
  EXPECT_FALSE(w.add(TextKind::kDomain, ".", says("empty")));
  EXPECT_FALSE(w.add(TextKind::kDomain, std::string(254, 'a'), says("long")));
  EXPECT_FALSE(w.add(TextKind::kUrl, std::string(IndicatorTableWriter::kLongestText + 1, 'a'), says("long")));
  EXPECT_FALSE(w.add(TextKind::kCount, "a", says("kind")));
  EXPECT_EQ(w.counts().rejected_keys, 7U);
  EXPECT_FALSE(w.add(prefix("192.0.2.1"), says("no such feed", 4)));
  IndicatorStatement confident = says("101");
  confident.confidence = 101;
  EXPECT_FALSE(w.add_autonomous_system(64500, confident));
  EXPECT_EQ(w.counts().rejected_statements, 2U);
  EXPECT_TRUE(w.add(prefix("192.0.2.1"), says(std::string(1023, 'x') + "\xc3\xa4")));
  EXPECT_EQ(w.counts().labels_cut, 1U);
  const IndicatorTable table = table_of(w);
  EXPECT_EQ(at(table, "192.0.2.1"), std::string(1023, 'x'));  // not half a character
  EXPECT_EQ(w.counts().stated, 12U);
  EXPECT_EQ(w.counts().kept, 1U);
  EXPECT_EQ(table.size(), 1U);
}

TEST(IndicatorTable, Texts) {
  auto w = writer();
  w.add(TextKind::kDomain, "Example.ORG.", says("domain"));
  w.add(TextKind::kDomain, "a.b.example.org", says("deep"));
  w.add(TextKind::kDomain, "onion", says("top"));
  w.add(TextKind::kUrl, "http://Example.org/A", says("url"));
  w.add(TextKind::kJa3, "e7d705a3286e19ea42f587b344ee6865", says("ja3"));
  w.add(TextKind::kJa3s, "e7d705a3286e19ea42f587b344ee6865", says("ja3s"));
  w.add_autonomous_system(64500, says("as"));
  w.add_autonomous_system(4'200'000'000, says("large as"));
  const IndicatorTable table = table_of(w);
  const auto domain = [&](std::string_view name) { return label(table, table.find_domain(name)); };
  EXPECT_EQ(domain("example.org"), "domain");
  EXPECT_EQ(domain("EXAMPLE.org."), "domain");
  EXPECT_EQ(domain("www.example.org"), "domain");
  EXPECT_EQ(domain("x.a.b.example.org"), "deep");
  EXPECT_EQ(domain("b.example.org"), "domain");
  EXPECT_EQ(domain("badexample.org"), "");
  EXPECT_EQ(domain("example.org.net"), "");
  EXPECT_EQ(domain("onion"), "top");
  EXPECT_EQ(domain("x.onion"), "");  // a name without a dot holds itself alone
  EXPECT_EQ(domain(""), "");
  EXPECT_EQ(domain("."), "");
  EXPECT_EQ(domain(std::string(240, 'a') + ".example.org"), "domain");
  EXPECT_EQ(domain(std::string(250, 'a') + ".example.org"), "");
  EXPECT_EQ(label(table, table.find_text(TextKind::kDomain, "EXAMPLE.ORG")), "domain");
  EXPECT_EQ(table.find_text(TextKind::kDomain, "www.example.org"), kNone);
  std::uint32_t all[4];
  ASSERT_EQ(table.find_domains("A.B.Example.org", all), 2U);
  EXPECT_EQ(label(table, all[0]), "deep");
  EXPECT_EQ(label(table, all[1]), "domain");
  EXPECT_EQ(label(table, table.find_text(TextKind::kUrl, "http://Example.org/A")), "url");
  EXPECT_EQ(table.find_text(TextKind::kUrl, "http://example.org/A"), kNone);
  EXPECT_EQ(label(table, table.find_text(TextKind::kJa3, "e7d705a3286e19ea42f587b344ee6865")), "ja3");
  EXPECT_EQ(label(table, table.find_text(TextKind::kJa3s, "e7d705a3286e19ea42f587b344ee6865")), "ja3s");
  EXPECT_EQ(label(table, table.find_autonomous_system(64500)), "as");
  EXPECT_EQ(label(table, table.find_autonomous_system(4'200'000'000)), "large as");
  EXPECT_EQ(table.find_autonomous_system(64501), kNone);
  EXPECT_EQ(table.key(table.find_autonomous_system(64500)).autonomous_system, 64500U);
  EXPECT_EQ(table.key(all[1]).text, "example.org");
  EXPECT_EQ(table.key(all[1]).text_kind, TextKind::kDomain);
}

TEST(IndicatorTable, StatementsOfSeveralFeedsAreKept) {
  auto w = writer();
  IndicatorStatement full;
  full.label = "Mirai";
  full.valid_from = 1'700'000'100;
  full.valid_until = UINT32_MAX;
  full.first_seen = 1'600'000'000;
  full.last_seen = 1;
  full.feed = 3;
  full.port = 8443;
  full.confidence = 90;
  full.flags = kKnownGood | kContextOnly;
  w.add(prefix("192.0.2.1"), full);
  IndicatorStatement bare;
  bare.feed = 1;
  w.add(prefix("192.0.2.1"), bare);
  IndicatorStatement other_port = full;
  other_port.port = 80;
  w.add(prefix("192.0.2.1"), other_port);
  // Neighbours in the same group of entries.
  for (std::uint32_t i = 2; i < 40; ++i) w.add(Prefix{Ip::v4(0xc0000200 + i), 32}, says(std::to_string(i)));
  const IndicatorTable table = table_of(w);
  const auto all = statements(table, find(table, ip("192.0.2.1")));
  ASSERT_EQ(all.size(), 3U);  // by feed and port
  EXPECT_EQ(all[0], bare);
  EXPECT_EQ(all[1], other_port);
  EXPECT_EQ(all[2], full);
  EXPECT_EQ(table.feed_name(all[2].feed), "three");
  EXPECT_EQ(table.feed_name(4), "");
  EXPECT_EQ(table.statement_count(), 41U);
  for (std::uint32_t i = 2; i < 40; ++i) EXPECT_EQ(label(table, table.find(Ip::v4(0xc0000200 + i))), std::to_string(i));
}

TEST(IndicatorTable, WhatAFeedSaysTwiceIsFolded) {
  auto w = writer();
  IndicatorStatement old = says("old");
  old.first_seen = 100;
  old.last_seen = 900;
  old.confidence = 20;
  IndicatorStatement latest = says("new");
  latest.first_seen = 200;
  latest.last_seen = 300;
  latest.flags = kRevoked;
  IndicatorStatement timeless = says("timeless");
  w.add(prefix("2001:db8::1"), latest, 2000);
  w.add(prefix("2001:db8::1"), timeless, 500);
  w.add(prefix("2001:db8::1"), old, 1000);
  const IndicatorTable table = table_of(w);
  const auto all = statements(table, find(table, ip("2001:db8::1")));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].label, "new");
  EXPECT_EQ(all[0].flags, kRevoked);
  EXPECT_EQ(all[0].confidence, kConfidenceNotStated);
  EXPECT_EQ(all[0].first_seen, 100U);
  EXPECT_EQ(all[0].last_seen, 900U);
  EXPECT_EQ(w.counts().folded, 2U);
  EXPECT_EQ(w.counts().kept, 1U);
}

struct Stated {
  Prefix prefix;
  std::string text;  // instead of a prefix
  IndicatorStatement statement;
  std::uint32_t modified = 0;
};
std::string image_of(const std::vector<Stated>& all) {
  auto w = writer();
  for (const Stated& s : all) {
    EXPECT_TRUE(s.text.empty() ? w.add(s.prefix, s.statement, s.modified)
                               : w.add(TextKind::kDomain, s.text, s.statement, s.modified));
  }
  const auto image = w.image(7);
  EXPECT_TRUE(image);
  EXPECT_TRUE(w.image(7).value() == *image);  // made again, the same
  return *image;
}

TEST(IndicatorTable, TheOrderOfStatementsDoesNotMatter) {
  std::mt19937_64 random(3);
  std::vector<Stated> all;
  const char* labels[] = {"a", "b", "c", ""};
  for (int i = 0; i < 3000; ++i) {
    Stated s;
    const auto n = static_cast<std::uint32_t>(random() % 700);
    s.prefix = n % 3 == 0 ? Prefix::of(Ip::v4(0xc6336400 + n), 24 + static_cast<int>(random() % 9))
                          : Prefix::of(ip("2001:db8::" + std::to_string(n)), 100 + static_cast<int>(random() % 29));
    if (n % 5 == 0) s.text = "host" + std::to_string(n) + ".example.org";
    s.statement = says(labels[random() % 4], static_cast<std::uint16_t>(random() % 4));
    s.statement.first_seen = static_cast<std::uint32_t>(random() % 3 * 1000);
    s.statement.last_seen = static_cast<std::uint32_t>(random() % 3 * 5000);
    s.statement.valid_until = static_cast<std::uint32_t>(random() % 2 * 70'000);
    s.statement.port = static_cast<std::uint16_t>(random() % 2);
    s.modified = static_cast<std::uint32_t>(random() % 3);
    all.push_back(s);
  }
  const std::string image = image_of(all);
  for (int i = 0; i < 3; ++i) {
    std::shuffle(all.begin(), all.end(), random);
    EXPECT_TRUE(image_of(all) == image);
  }
}

// Random tables beside a search through all prefixes. Narrow tables nest deeply and crowd their lines, wide ones use
// run lines and many hash lines.
class AgainstAllPrefixes : public testing::TestWithParam<int> {};

TEST_P(AgainstAllPrefixes, TheSameEntries) {
  std::mt19937_64 random(static_cast<std::uint64_t>(GetParam()));
  const bool v4 = GetParam() % 2 == 0;
  const bool narrow = GetParam() / 2 % 2 == 0;
  const std::size_t count = GetParam() < 8 ? 300 : 20'000;
  const auto random_ip = [&] {
    if (v4)
      return Ip::v4(narrow ? 0xc6330000 + static_cast<std::uint32_t>(random() % 4096)
                           : static_cast<std::uint32_t>(random()));
    Ip out = ip("2001:db8::");
    for (std::size_t i = narrow ? 14 : 3; i < 16; ++i) out.bytes[i] = static_cast<std::uint8_t>(random());
    if (random() % 3 == 0) out.bytes[9] = 1;
    return out;
  };
  auto w = writer();
  const int most = v4 ? 32 : 128;
  std::map<Prefix, bool> all;
  for (std::size_t i = 0; i < count; ++i) {
    const int bits = random() % 3 == 0 ? most : 1 + static_cast<int>(random() % static_cast<std::uint64_t>(most));
    const Prefix p = Prefix::of(random_ip(), bits);
    if (p.bits == 128 && !p.base.present()) continue;
    all[p] = true;
    ASSERT_TRUE(w.add(p, says(p.text())));
  }
  const IndicatorTable table = table_of(w);
  ASSERT_EQ(table.size(), all.size());
  const auto holders = [&](const Ip& address) {
    std::vector<Prefix> out;
    for (int bits = most; bits >= 1; --bits) {
      if (const Prefix p = Prefix::of(address, bits); all.contains(p)) out.push_back(p);
    }
    return out;
  };
  std::vector<Ip> asked;
  asked.reserve(10'000);
  for (int i = 0; i < 3000; ++i) asked.push_back(random_ip());
  std::size_t i = 0;
  for (const auto& [p, unused] : all) {
    if (++i % (all.size() / 1500 + 1) != 0) continue;
    // First and last address of the prefix, and those beside it.
    for (const int change : {-1, 0}) {
      Ip first = p.base, last = p.base;
      for (int bit = v4 ? p.bits + 96 : p.bits; bit < 128; ++bit) {
        last.bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> (bit % 8));
      }
      if (change != 0) {
        for (std::size_t b = 16; b-- > (v4 ? 12U : 0U);) {
          if (first.bytes[b]-- != 0) break;
        }
        for (std::size_t b = 16; b-- > (v4 ? 12U : 0U);) {
          if (++last.bytes[b] != 0) break;
        }
      }
      asked.push_back(first);
      asked.push_back(last);
    }
  }
  std::vector<std::uint32_t> found(asked.size());
  table.find_many(asked, found);
  std::uint32_t entries[IndicatorTable::kMostPrefixes];
  for (std::size_t at = 0; at < asked.size(); ++at) {
    const Ip& address = asked[at];
    const auto expected = address.present() ? holders(address) : std::vector<Prefix>{};
    const std::size_t n = table.find_all(address, entries);
    std::vector<Prefix> got;
    for (std::size_t k = 0; k < n; ++k) {
      got.push_back(table.key(entries[k]).prefix);
      ASSERT_EQ(label(table, entries[k]), got.back().text());
    }
    ASSERT_EQ(got, expected) << address.text();
    ASSERT_EQ(table.find(address), n == 0 ? kNone : entries[0]) << address.text();
    ASSERT_EQ(found[at], n == 0 ? kNone : entries[0]) << address.text();
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, AgainstAllPrefixes, testing::Range(0, 16));

TEST(IndicatorTable, ManyTextsAndAddressesAreAllFound) {
  auto w = writer();
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    w.add(TextKind::kJa4, "t13d" + std::to_string(i), says(std::to_string(i)));
    w.add(Prefix{Ip::v4(0xc6330000 + i), 32}, says(std::to_string(i)));  // all in one /16
  }
  const IndicatorTable table = table_of(w);
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    ASSERT_EQ(label(table, table.find_text(TextKind::kJa4, "t13d" + std::to_string(i))), std::to_string(i));
    ASSERT_EQ(label(table, table.find(Ip::v4(0xc6330000 + i))), std::to_string(i));
    ASSERT_EQ(table.find_text(TextKind::kJa4, "t12d" + std::to_string(i)), kNone);
    ASSERT_EQ(table.find(Ip::v4(0xc6340000 + i)), kNone);
  }
}

std::string some_image() {
  auto w = writer();
  for (std::uint32_t i = 0; i < 200; ++i) {
    w.add(Prefix::of(Ip::v4(0xc6330000 + i * 7), 20 + static_cast<int>(i % 13)), says("v4"));
    w.add(Prefix::of(ip("2001:db8::" + std::to_string(i)), 60 + static_cast<int>(i % 69)), says("v6"));
    w.add(TextKind::kDomain, "h" + std::to_string(i) + ".example.org", says("domain"));
    w.add_autonomous_system(64500 + i, says("as"));
  }
  return *w.image();
}

TEST(IndicatorTableFile, WrittenAndOpened) {
  const test::TempDir folder;
  auto w = writer();
  w.add(prefix("192.0.2.1"), says("one"));
  const std::string path = folder / "new" / "table.orbind";
  const auto bytes = w.write(path, 99);
  ASSERT_TRUE(bytes) << bytes.error().text();
  EXPECT_EQ(std::filesystem::file_size(path), *bytes);
  const auto table = IndicatorTable::open(path);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->built(), 99);
  EXPECT_EQ(table->file_bytes(), *bytes);
  EXPECT_EQ(at(*table, "192.0.2.1"), "one");
  // The same bytes as in memory, and nothing beside them.
  EXPECT_EQ(test::read_file(path), *w.image(99));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "new"), {}), 1);
}

TEST(IndicatorTableFile, AFailedWriteLeavesTheOldTable) {
  const test::TempDir folder;
  const std::string path = folder / "table.orbind";
  auto w = writer();
  w.add(prefix("192.0.2.1"), says("one"));
  ASSERT_TRUE(w.write(path));
  const std::string before = test::read_file(path);
  w.add(prefix("192.0.2.2"), says("two"));
  // As on a full disk: write() stops in the middle.
  struct rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  struct rlimit tight = old;
  tight.rlim_cur = 5000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto wrote = w.write(path);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, handler);
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().kind, core::ErrorKind::kOutput);
  EXPECT_EQ(test::read_file(path), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  EXPECT_FALSE(w.write("/proc/no/such/folder/table"));
}

TEST(IndicatorTableFile, WhatIsNoTableIsRefusedWithAHint) {
  const test::TempDir folder;
  const std::string image = some_image();
  const auto refused = [&](std::string_view bytes, std::string_view words) {
    const auto from_file = IndicatorTable::open(folder.write("t", bytes));
    const auto from_memory = IndicatorTable::from_bytes(bytes);
    ASSERT_FALSE(from_file) << words;
    ASSERT_FALSE(from_memory) << words;
    EXPECT_NE(from_file.error().text().find(words), std::string::npos) << from_file.error().text();
    EXPECT_NE(from_memory.error().text().find(words), std::string::npos) << from_memory.error().text();
    EXPECT_FALSE(from_file.error().hint.empty());
  };
  refused("", "too short");
  refused(image.substr(0, 4000), "too short");
  refused(image.substr(0, image.size() - 4096), "its header says");
  refused(image + std::string(10, 'x'), "its header says");
  std::string other = image;
  other[0] = 'X';
  refused(other, "wrong magic");
  other = image;
  other[8] = 9;
  refused(other, "format version 9, this program reads 1");
  other = image;
  other[100] ^= 1;
  refused(other, "header of the table of indicators is damaged");
  other = image;
  other[image.size() / 2] ^= 1;
  refused(other, "checksum is wrong");
  EXPECT_FALSE(IndicatorTable::open(folder / "none"));
  EXPECT_FALSE(IndicatorTable::open(folder.path()));
  EXPECT_FALSE(IndicatorTable::open("/dev/zero"));
}

// Damage behind sound checksums: refused, or wrong answers, but never a read beyond the table (the sanitizers see one).
TEST(IndicatorTableFile, HostileNumbersAreRefusedOrHarmless) {
  namespace file = indicator_file;
  const std::string image = some_image();
  std::mt19937_64 random(11);
  int opened = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = image;
    file::Header header, sound;
    std::memcpy(&header, bytes.data(), sizeof header);
    sound = header;
    const std::uint64_t changes = 1 + random() % 3;
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::uint64_t number = random() % file::kSectionCount;
      file::Section& section = header.sections[number];
      const file::Section& place = sound.sections[number];
      const std::uint64_t size = place.count * file::kElementBytes[number];
      switch (random() % 8) {
        case 0: section.count = random() % 4 == 0 ? random() : section.count + random() % 5 - 2; break;
        case 1: section.offset = random() % 4 == 0 ? random() : random() % 40 * 4096; break;
        default:
          if (size < 8) break;
          const std::uint64_t wild[] = {0, 1, 0x7fffffff, 0xffffffff, ~std::uint64_t{0}, random()};
          std::memcpy(bytes.data() + place.offset + random() % (size - 7), &wild[random() % 6],
                      std::size_t{1} << random() % 4);
      }
    }
    header.body_checksum = file::checksum(bytes.data() + file::kAlignment, bytes.size() - file::kAlignment);
    header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
    std::memcpy(bytes.data(), &header, sizeof header);
    const auto table = IndicatorTable::from_bytes(bytes);
    if (!table) {
      ++refused;
      continue;
    }
    ++opened;
    std::uint32_t entries[IndicatorTable::kMostPrefixes];
    std::vector<Ip> asked;
    asked.reserve(100);
    for (int i = 0; i < 100; ++i) {
      asked.push_back(i % 2 == 0 ? Ip::v4(0xc6330000 + static_cast<std::uint32_t>(random() % 2000))
                                 : ip("2001:db8::" + std::to_string(random() % 300)));
      static_cast<void>(table->find_all(asked.back(), entries));
    }
    std::vector<std::uint32_t> found(asked.size());
    table->find_many(asked, found);
    static_cast<void>(table->find_domains("h5.example.org", entries));
    static_cast<void>(table->find_autonomous_system(64510));
    for (std::uint32_t i = 0; i < std::min(table->size(), 900U); ++i) {
      static_cast<void>(table->key(i));
      static_cast<void>(statements(*table, i));
    }
  }
  EXPECT_GT(opened, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace orbwatch::intel
