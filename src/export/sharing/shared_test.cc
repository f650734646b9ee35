#include "export/sharing/shared.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "export/sharing/free_text.h"
#include "export/sharing/writers.h"
#include "support/sample_sharing.h"

namespace orbwatch::exporting::sharing {
namespace {

using score::Finding;
using LeftOut = std::map<std::string, std::uint64_t, std::less<>>;

core::Ip ip(std::string_view text) { return *core::Ip::parse(text); }
constexpr core::Nanoseconds kNow = testing::kSharedDay;

// A log-in of a user from two exit nodes, as a hunt has it.
Finding login() {
  Finding f;
  f.id = "0123456789abcdef";
  f.time = kNow - 5 * core::kDay;
  f.end = kNow - 3 * core::kDay;
  f.kind = detect::FindingKind::kLogin;
  f.score = 0.8;
  f.user = "alice.secret@corp.example";
  f.gateway = "vpn-berlin.corp.example";
  f.hypothesis = "alice.secret came from a relay";
  for (const char* address : {"203.0.113.7", "203.0.113.8"}) {
    score::SourceFacts s;
    s.ip = ip(address);
    s.asn = 64496;
    s.org = "Alice Home Line";
    s.country = "DE";
    s.city = "Secret Town";
    s.network_type = "consumer broadband";
    s.claims = "alice.secret says so";
    f.sources.push_back(s);
  }
  f.source = f.sources[0];
  f.source_count = 2;
  f.attack = {"T1090.003", "alice.secret"};
  f.timeline = {{f.time - core::kHour, score::Step::kFailedLogin, f.sources[0], {}, false, "alice.secret failed", ""},
                {f.time, score::Step::kLogin, f.sources[0], 3.0, true, "", ""},
                {f.time + core::kHour, score::Step::kSessionEnd, f.sources[0], {}, false, "", ""},
                {f.end, score::Step::kLogin, f.sources[1], 2.0, true, "", ""}};
  f.verdict.id = "1";
  f.verdict.says = "true";
  return f;
}

TEST(FreeText, SoftwareIsLetThrough) {
  static constexpr const char* kBrowser =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/120.0.0.0 Safari/537.36";
  for (const char* text :
       {"SSH-2.0-dropbear_2019.78", "SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.5", "SSH-2.0-ROSSSH", "nginx/1.18.0",
        "Server: mini_httpd/1.30 26Oct", "OpenVPN 2.5.1", "AnyConnect Linux_64 4.10.05095", kBrowser,
        "FortiClient 7.0.2", "Cisco AnyConnect VPN Agent for Mac OS X 4.10.08029"}) {
    const bool wanted = std::string_view(text).find("26Oct") == std::string_view::npos;
    EXPECT_EQ(is_software_text(text), wanted) << text;
  }
}

TEST(FreeText, WhatMayNameSomebodyIsNot) {
  for (const char* text :
       {"", "1.2.3", "alice", "SSH-2.0-OpenSSH_8.2p1 alice", "OpenVPN 2.5.1 bob", "Server of Jane Doe",
        "nginx/1.18.0 @", "OpenVPN 4915112345678", "OpenVPN 49151 12345 67890 11111", "client DESKTOP-A1B2C3D",
        "vpn\\alice", "AnyConnect 10.1.2.3.4.5.6.7.8.9.10.11.12.13", "nginx\n1.18", "nginx/1.18.0\xff",
        "OpenVPN 1a2b3c4d5e"}) {
    EXPECT_FALSE(is_software_text(text)) << text;
  }
  EXPECT_FALSE(is_software_text("nginx/" + std::string(300, '1')));
  EXPECT_TRUE(is_plain_name("ON-7 (KV Botnet)"));
  EXPECT_FALSE(is_plain_name("alice@corp"));
  EXPECT_FALSE(is_plain_name("=cmd()"));
  EXPECT_FALSE(is_plain_name(std::string(65, 'a')));
}

TEST(FreeText, TraitsHoldWhatTheirKindAllows) {
  EXPECT_TRUE(Trait::make(TraitKind::kJarm, std::string(62, '0')));
  EXPECT_FALSE(Trait::make(TraitKind::kJarm, std::string(61, '0')));
  EXPECT_FALSE(Trait::make(TraitKind::kCertificateSha256, std::string(64, 'G')));
  EXPECT_FALSE(Trait::make(TraitKind::kJa4, "alice_bob_carol@"));
  EXPECT_TRUE(Trait::make(TraitKind::kJa4s, "t130200_1301_a56c5b993250"));
  EXPECT_FALSE(Trait::make(TraitKind::kClient, "alice's laptop"));
}

TEST(Selection, AFindingGivesItsSourcesAndNothingOfItsPeople) {
  Selection selection({});
  selection.add(login());
  const Shared shared = selection.take();
  ASSERT_EQ(shared.indicators().size(), 2U);
  const Indicator& first = shared.indicators()[0];
  EXPECT_EQ(first.address, ip("203.0.113.7"));
  EXPECT_EQ(first.first_seen, kNow - 5 * core::kDay - core::kHour);
  EXPECT_EQ(first.last_seen, kNow - 5 * core::kDay + core::kHour);
  EXPECT_EQ(first.asn, 64496U);
  EXPECT_EQ(first.country, "DE");
  EXPECT_EQ(first.network_type, core::NetworkType::kConsumer);
  EXPECT_DOUBLE_EQ(first.confidence, kConfirmed);
  EXPECT_EQ(first.role, Role::kExit);
  EXPECT_EQ(first.attack, (std::vector<std::string>{"T1090.003"}));
  ASSERT_EQ(first.sightings.size(), 1U);
  EXPECT_EQ(first.sightings[0].count, 2U);
  EXPECT_EQ(first.sightings[0].sensor, Sensor::kRemoteAccess);
  EXPECT_EQ(shared.indicators()[1].first_seen, kNow - 3 * core::kDay);
  EXPECT_EQ(selection.findings(), 1U);

  WriteOptions options;
  options.made = kNow;
  for (const Writer& writer : kWriters) {
    const std::string text = writer.write(shared, options).text;
    EXPECT_NE(text.find("203.0.113.7"), text.npos) << writer.name;
    for (const char* secret : {"alice", "corp", "berlin", "Secret", "Home Line", "0123456789abcdef"})
      EXPECT_EQ(text.find(secret), text.npos) << writer.name << ": " << secret;
  }
}

TEST(Selection, OnlyWhatIsConfirmedUnlessAllIsAskedFor) {
  Finding open = login();
  open.verdict = {};
  Finding refused = login();
  refused.verdict.says = "benign";
  Finding covered = open;
  covered.suppressed_by.id = "9";
  Finding weak = open;
  weak.score = 0.2;
  Finding old = open;
  old.time = old.end = kNow - 90 * core::kDay;
  Rules rules;
  Selection strict(rules);
  for (const Finding& f : {open, refused, covered}) strict.add(f);
  EXPECT_EQ(strict.left_out(),
            (LeftOut{{"finding: called false or benign", 1}, {"finding: not confirmed by a verdict", 2}}));
  EXPECT_TRUE(strict.take().indicators().empty());

  rules.all = true;
  rules.least = 0.5;
  rules.since = kNow - 30 * core::kDay;
  Selection wide(rules);
  for (const Finding& f : {open, refused, covered, weak, old}) wide.add(f);
  EXPECT_EQ(wide.left_out(), (LeftOut{{"finding: below the least probability", 1},
                                      {"finding: called false or benign", 1},
                                      {"finding: covered by a suppression", 1},
                                      {"finding: older than asked for", 1}}));
  const Shared shared = wide.take();
  ASSERT_EQ(shared.indicators().size(), 2U);
  EXPECT_DOUBLE_EQ(shared.indicators()[0].confidence, 0.8);
}

TEST(Selection, AVerdictSpeaksOfSomeSources) {
  score::Verdict said;
  said.says = score::Judgement::kTrue;
  said.sources = {ip("203.0.113.8")};
  Finding f = login();
  f.verdict = {};
  Selection selection({});
  selection.add(f, &said);
  const Shared shared = selection.take();
  ASSERT_EQ(shared.indicators().size(), 1U);
  EXPECT_EQ(shared.indicators()[0].address, ip("203.0.113.8"));
  EXPECT_EQ(selection.left_out(), (LeftOut{{"address: not among those that the verdict names", 1}}));
  said.says = score::Judgement::kFalse;
  Selection none({});
  none.add(login(), &said);
  EXPECT_TRUE(none.take().indicators().empty());
}

TEST(Selection, OwnAndPrivateAddressesStay) {
  Rules rules;
  rules.own = [](const core::Ip& address) { return address == *core::Ip::parse("203.0.113.50"); };
  Selection selection(rules);
  for (const char* address : {"10.0.0.1", "100.64.0.9", "fd00::1", "169.254.1.1", "127.0.0.1", "203.0.113.50", "::"}) {
    Indicator i;
    i.address = ip(address);
    selection.add(i);
  }
  Finding f = login();
  f.gateway = "203.0.113.7";
  f.device = "203.0.113.8";
  selection.add(f);
  f.kind = detect::FindingKind::kExposure;
  selection.add(f);
  f.kind = detect::FindingKind::kIntel;
  selection.add(f);
  EXPECT_EQ(selection.left_out(), (LeftOut{{"address: not met on the Internet", 2},
                                           {"address: private or shared", 3},
                                           {"address: the organisation's own", 3},
                                           {"finding without a source address", 1},
                                           {"finding: about a device of the organisation", 1},
                                           {"finding: known from a feed of somebody else", 1}}));
  EXPECT_TRUE(selection.take().indicators().empty());
}

TEST(Selection, MergesInAnyOrder) {
  Indicator a = testing::shared_node("203.0.113.7", Role::kExit);
  Indicator b = testing::shared_node("203.0.113.7", Role::kScanner);
  b.first_seen -= core::kDay;
  b.confidence = 0.2;
  b.attack = {"T1595"};
  b.sightings = {{5, b.first_seen, b.last_seen, Sensor::kEdge}};
  Indicator c = b;
  c.port = 22;
  WriteOptions options;
  options.made = kNow;
  std::string first;
  std::vector<Indicator> all = {a, b, c};
  for (int turn = 0; turn < 3; ++turn) {
    std::ranges::rotate(all, all.begin() + 1);
    Selection selection({});
    for (const Indicator& i : all) selection.add(i);
    const Shared shared = selection.take();
    ASSERT_EQ(shared.indicators().size(), 2U);
    EXPECT_EQ(shared.indicators()[0].role, Role::kExit);
    EXPECT_EQ(shared.indicators()[0].attack, (std::vector<std::string>{"T1090.003", "T1584.008", "T1595"}));
    EXPECT_EQ(shared.indicators()[0].sightings.size(), 2U);
    const std::string text = write_stix(shared, options).text;
    if (first.empty()) first = text;
    EXPECT_EQ(text, first);
  }
}

TEST(Selection, TraitsAndNamesPassTheGuard) {
  Selection selection({});
  selection.add(testing::shared_node("203.0.113.7", Role::kExit));
  selection.add_trait(ip("203.0.113.7"), TraitKind::kClient, "alice's laptop");
  selection.add_trait(ip("203.0.113.7"), TraitKind::kClient, "OpenVPN 2.5.1");
  selection.add_trait(ip("203.0.113.99"), TraitKind::kClient, "OpenVPN 2.5.1");
  Network n;
  n.id = "bob@corp";
  selection.add(n);
  EXPECT_EQ(selection.left_out(), (LeftOut{{"network: name on no allowed pattern", 1},
                                           {"trait: client on no allowed pattern", 1},
                                           {"trait: of no node that is shared", 1}}));
  const Shared shared = selection.take();
  ASSERT_EQ(shared.indicators()[0].traits.size(), 1U);
  EXPECT_TRUE(shared.networks().empty());
}

TEST(Selection, OldAddressesAreLeftOut) {
  Rules rules;
  rules.seen_since = kNow - core::kDay;
  Selection selection(rules);
  selection.add(testing::shared_node("203.0.113.7", Role::kExit));
  EXPECT_TRUE(selection.take().indicators().empty());
  EXPECT_EQ(selection.left_out(), (LeftOut{{"address: last seen too long ago", 1}}));
}

}  // namespace
}  // namespace orbwatch::exporting::sharing
