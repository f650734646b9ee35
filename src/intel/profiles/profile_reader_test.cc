#include "intel/profiles/profile_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace orbwatch::intel::profiles {
namespace {

constexpr std::string_view kSources =
    "sources:\n"
    "  - {id: one, title: A report, publisher: Somebody, date: 2024-10-31, url: https://example.com/1}\n";

constexpr std::string_view kHead =
    "name: Testnet\n"
    "summary: a network for tests\n"
    "activity: {first: 2023-08, last: 2024-10-31, source: one}\n";

// A profile with `body` in the middle: its first line is line 4.
std::string with(std::string_view body) { return std::string(kHead) + std::string(body) + std::string(kSources); }

// "" if it is read, else the error as a person sees it.
std::string error_of(std::string_view yaml) {
  const auto profile = read_profile(yaml, "x.yaml");
  return profile ? "" : profile.error().text();
}

TEST(ProfileReader, EveryKeyOfTheSchema) {
  const auto read = read_profile(
      "name: Testnet\n"
      "aliases: [Other name, ORB99]\n"
      "part_of: Bignet\n"
      "summary: a network for tests\n"
      "families: [xshell]\n"
      "catalogues:\n"
      "  - {catalogue: MITRE ATT&CK, id: C0035, title: Testnet Activity}\n"
      "used_by:\n"
      "  - {actor: Some Typhoon, aliases: [SOME PANDA], confidence: moderate, source: two}\n"
      "activity: {first: 2023, last: 2024-10-31, source: [one, two]}\n"
      "devices:\n"
      "  - {kind: vpn_gateway, maker: Zyxel, model: USG, share: 0.25, family: xshell, source: one}\n"
      "layers:\n"
      "  - {title: Tier 1, roles: [traversal, exit], life_days: 17.5, nodes: 60000, meaning: bots, source: one}\n"
      "ports:\n"
      "  - {port: 7777, protocol: tcp, meaning: shell, weight: medium, family: xshell, source: one}\n"
      "  - {from: 30001, to: 65535, protocol: udp, meaning: random, source: one}\n"
      "banners:\n"
      "  - {text: \"xshell:\", match: exact, port: 7777, weight: weak, source: one}\n"
      "certificates:\n"
      "  - {issuer: LAPD, subject: police, self_signed: true, valid_days: 365, meaning: fake, source: one}\n"
      "  - {sha256: 2b640582bbbffe58c4efb8ab5a0412e95130e70a587fd1e194fbcd4b33d432cf, weight: strong, source: one}\n"
      "fingerprints:\n"
      "  - {kind: jarm, value: 27d40d40d, source: one}\n"
      "clients:\n"
      "  - {text: Mozilla/5.0, match: prefix, source: one}\n"
      "cadence:\n"
      "  - {attempts_per_account_and_day: 1, share: 0.8, source: one}\n"
      "  - {from_hour: 22, to_hour: 6, source: one}\n"
      "targets:\n"
      "  - {ports: [443, 22], services: [Microsoft 365], sectors: [energy], source: one}\n"
      "network_types:\n"
      "  - {type: consumer, source: one}\n"
      "countries:\n"
      "  - {country: JP, source: one}\n"
      "providers:\n"
      "  - {asn: 64500, title: Example Net, source: one}\n"
      "attack:\n"
      "  - {id: T1090.003, source: one}\n"
      "sources:\n"
      "  - {id: one, title: A report, publisher: Somebody, date: 2024-10-31, url: https://example.com/1}\n"
      "  - {id: two, title: \"[A letter]\", publisher: Nobody, date: 2024}\n",
      "x.yaml");
  ASSERT_TRUE(read) << read.error().text();
  const Profile& p = *read;
  EXPECT_EQ(p.name, "Testnet");
  EXPECT_EQ(p.aliases, (std::vector<std::string>{"Other name", "ORB99"}));
  EXPECT_EQ(p.part_of, "Bignet");
  EXPECT_EQ(p.summary, "a network for tests");
  EXPECT_EQ(p.families, std::vector<std::string>{"xshell"});
  EXPECT_EQ(p.file, "x.yaml");
  ASSERT_EQ(p.catalogues.size(), 1U);
  EXPECT_EQ(p.catalogues[0].id, "C0035");
  ASSERT_EQ(p.used_by.size(), 1U);
  EXPECT_EQ(p.used_by[0].actor, "Some Typhoon");
  EXPECT_EQ(p.used_by[0].aliases, std::vector<std::string>{"SOME PANDA"});
  EXPECT_EQ(p.used_by[0].confidence, Confidence::kModerate);
  EXPECT_EQ(p.used_by[0].sources, std::vector<std::uint16_t>{1});
  EXPECT_EQ(p.used_by[0].line, 9U);
  EXPECT_EQ(p.first_activity.text(), "2023");
  EXPECT_EQ(p.last_activity.text(), "2024-10-31");
  EXPECT_EQ(p.activity_sources, (std::vector<std::uint16_t>{0, 1}));
  ASSERT_EQ(p.devices.size(), 1U);
  EXPECT_EQ(p.devices[0].kind, DeviceKind::kVpnGateway);
  EXPECT_EQ(p.devices[0].maker, "Zyxel");
  EXPECT_EQ(p.devices[0].model, "USG");
  EXPECT_EQ(p.devices[0].share, 0.25);
  EXPECT_EQ(p.devices[0].family, "xshell");
  ASSERT_EQ(p.layers.size(), 1U);
  EXPECT_EQ(p.layers[0].title, "Tier 1");
  EXPECT_EQ(p.layers[0].roles, (std::vector<LayerRole>{LayerRole::kTraversal, LayerRole::kExit}));
  EXPECT_EQ(p.layers[0].life_days, 17.5);
  EXPECT_EQ(p.layers[0].nodes, 60000U);
  EXPECT_EQ(p.layers[0].meaning, "bots");
  ASSERT_EQ(p.ports.size(), 2U);
  EXPECT_EQ(p.ports[0].first, 7777);
  EXPECT_EQ(p.ports[0].last, 7777);
  EXPECT_EQ(p.ports[0].protocol, 6);
  EXPECT_EQ(p.ports[0].weight, Weight::kMedium);
  EXPECT_EQ(p.ports[1].first, 30001);
  EXPECT_EQ(p.ports[1].last, 65535);
  EXPECT_EQ(p.ports[1].protocol, 17);
  EXPECT_EQ(p.ports[1].meaning, "random");
  EXPECT_FALSE(p.ports[1].weight);
  ASSERT_EQ(p.banners.size(), 1U);
  EXPECT_EQ(p.banners[0].text, "xshell:");
  EXPECT_EQ(p.banners[0].match, TextMatch::kExact);
  EXPECT_EQ(p.banners[0].port, 7777);
  EXPECT_EQ(p.banners[0].weight, Weight::kWeak);
  ASSERT_EQ(p.certificates.size(), 2U);
  EXPECT_EQ(p.certificates[0].issuer, "LAPD");
  EXPECT_EQ(p.certificates[0].subject, "police");
  EXPECT_EQ(p.certificates[0].self_signed, true);
  EXPECT_EQ(p.certificates[0].valid_days, 365);
  EXPECT_EQ(p.certificates[1].sha256.substr(0, 8), "2b640582");
  EXPECT_FALSE(p.certificates[1].self_signed);
  ASSERT_EQ(p.fingerprints.size(), 1U);
  EXPECT_EQ(p.fingerprints[0].kind, FingerprintKind::kJarm);
  EXPECT_EQ(p.fingerprints[0].value, "27d40d40d");
  ASSERT_EQ(p.clients.size(), 1U);
  EXPECT_EQ(p.clients[0].text, "Mozilla/5.0");
  ASSERT_EQ(p.cadence.size(), 2U);
  EXPECT_EQ(p.cadence[0].attempts_per_account_and_day, 1);
  EXPECT_EQ(p.cadence[0].share, 0.8);
  EXPECT_EQ(p.cadence[1].from_hour, 22);
  EXPECT_EQ(p.cadence[1].to_hour, 6);
  ASSERT_EQ(p.targets.size(), 1U);
  EXPECT_EQ(p.targets[0].ports, (std::vector<std::uint16_t>{22, 443}));
  EXPECT_EQ(p.targets[0].services, std::vector<std::string>{"Microsoft 365"});
  EXPECT_EQ(p.targets[0].sectors, std::vector<std::string>{"energy"});
  ASSERT_EQ(p.network_types.size(), 1U);
  EXPECT_EQ(p.network_types[0].type, core::NetworkType::kConsumer);
  ASSERT_EQ(p.countries.size(), 1U);
  EXPECT_EQ(p.countries[0].code, core::pack_country("JP"));
  ASSERT_EQ(p.providers.size(), 1U);
  EXPECT_EQ(p.providers[0].asn, 64500U);
  EXPECT_EQ(p.providers[0].title, "Example Net");
  ASSERT_EQ(p.attack.size(), 1U);
  EXPECT_EQ(p.attack[0].id, "T1090.003");
  ASSERT_EQ(p.sources.size(), 2U);
  EXPECT_EQ(p.sources[0].url, "https://example.com/1");
  EXPECT_EQ(p.sources[1].title, "[A letter]");
  EXPECT_EQ(p.sources[1].publisher, "Nobody");
  EXPECT_EQ(p.sources[1].date.text(), "2024");
}

TEST(ProfileReader, TheShortestProfile) { EXPECT_EQ(error_of(with("")), ""); }

struct Bad {
  std::string body;
  std::string says;  // how the error begins, with its line
};

TEST(ProfileReader, ErrorsHaveANameAndALine) {
  const std::vector<Bad> all = {
      {"colour: red\n", "x.yaml:4: unknown key: colour (known here: name, aliases"},
      {"ports:\n  - {port: 1, protocol: tcp, meaning: m, source: one, colour: red}\n", "x.yaml:5: unknown key: colour"},
      {"name: Again\n", "x.yaml:4: key stands twice: name"},
      {"aliases: one\n", "x.yaml:4: wrong type: 'aliases' must be a list"},
      {"aliases: []\n", "x.yaml:4: bad value: 'aliases' is empty"},
      {"aliases: [[a]]\n", "x.yaml:4: wrong type: 'aliases' must be text"},
      {"part_of: {a: b}\n", "x.yaml:4: wrong type: 'part_of' must be text"},
      {"part_of: ''\n", "x.yaml:4: bad value: 'part_of' is empty"},
      {"part_of: \"a\\e[31m\"\n", "x.yaml:4: bad value: 'part_of' holds characters"},
      {"part_of: " + std::string(500, 'a') + "\n", "x.yaml:4: too long: 'part_of'"},
      {"devices:\n  - router\n", "x.yaml:5: wrong type: a map"},
      {"devices:\n  - {kind: toaster, source: one}\n", "x.yaml:5: bad value: 'kind': toaster (one of router, "},
      {"devices:\n  - {kind: router, share: 1.5, source: one}\n", "x.yaml:5: bad value: 'share' must lie in 0..1"},
      {"devices:\n  - {kind: router, share: nan, source: one}\n", "x.yaml:5: bad value: 'share'"},
      {"devices:\n  - {kind: router, share: much, source: one}\n", "x.yaml:5: wrong type: 'share' must be a number"},
      {"devices:\n  - {kind: router}\n", "x.yaml:5: missing source"},
      {"devices:\n  - {kind: router, source: three}\n", "x.yaml:5: unknown source: three"},
      {"devices:\n  - {maker: A, source: one}\n", "x.yaml:5: missing key 'kind'"},
      {"devices:\n  - {kind: router, family: xlogin, source: one}\n", "x.yaml:5: bad value: 'family'"},
      {"ports:\n  - {port: 0, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port"},
      {"ports:\n  - {port: 65536, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port"},
      {"ports:\n  - {port: -1, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port"},
      {"ports:\n  - {port: ssh, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port"},
      {"ports:\n  - {port: [1], protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port"},
      {"ports:\n  - {from: 9, to: 8, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port: 'to' is below"},
      {"ports:\n  - {port: 1, to: 8, protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port: either"},
      {"ports:\n  - {protocol: tcp, meaning: m, source: one}\n", "x.yaml:5: bad port: either"},
      {"ports:\n  - {port: 1, protocol: sctp, meaning: m, source: one}\n", "x.yaml:5: bad value: 'protocol'"},
      {"ports:\n  - {port: 1, protocol: tcp, source: one}\n", "x.yaml:5: missing key 'meaning'"},
      {"banners:\n  - {text: a, source: one}\n", "x.yaml:5: missing key 'match'"},
      {"banners:\n  - {text: a, match: exact, port: 7, source: one}\n", "x.yaml:5: bad port: the banner's port"},
      {"banners:\n  - {text: a, match: exact, weight: huge, source: one}\n", "x.yaml:5: bad value: 'weight'"},
      {"certificates:\n  - {self_signed: true, source: one}\n", "x.yaml:5: missing key: a certificate"},
      {"certificates:\n  - {issuer: a, self_signed: perhaps, source: one}\n", "x.yaml:5: wrong type: 'self_signed'"},
      {"certificates:\n  - {sha256: ab, source: one}\n", "x.yaml:5: bad value: 'sha256'"},
      {"fingerprints:\n  - {kind: ja9, value: a, source: one}\n", "x.yaml:5: bad value: 'kind'"},
      {"cadence:\n  - {share: 0.5, source: one}\n", "x.yaml:5: missing key: a cadence"},
      {"cadence:\n  - {from_hour: 5, source: one}\n", "x.yaml:5: bad value: 'from_hour' and"},
      {"cadence:\n  - {from_hour: 5, to_hour: 24, source: one}\n", "x.yaml:5: bad value: 'to_hour'"},
      {"targets:\n  - {source: one}\n", "x.yaml:5: missing key: a target"},
      {"network_types:\n  - {type: home, source: one}\n", "x.yaml:5: bad value: 'type'"},
      {"countries:\n  - {country: jp, source: one}\n", "x.yaml:5: bad value: 'country'"},
      {"countries:\n  - {country: Japan, source: one}\n", "x.yaml:5: bad value: 'country'"},
      {"providers:\n  - {asn: 0, title: a, source: one}\n", "x.yaml:5: bad value: 'asn'"},
      {"attack:\n  - {id: T109, source: one}\n", "x.yaml:5: bad ATT&CK id: T109"},
      {"attack:\n  - {id: t1090.003, source: one}\n", "x.yaml:5: bad ATT&CK id"},
      {"attack:\n  - {id: T1090-003, source: one}\n", "x.yaml:5: bad ATT&CK id"},
      {"catalogues:\n  - {catalogue: MITRE ATT&CK, id: T1090, title: a}\n", "x.yaml:5: bad ATT&CK id"},
      {"layers:\n  - {title: a, roles: [king], source: one}\n", "x.yaml:5: bad value: 'roles'"},
      {"layers:\n  - {title: a, roles: [exit], nodes: -5, source: one}\n", "x.yaml:5: wrong type: 'nodes'"},
      {"used_by:\n  - {actor: a, source: one}\n", "x.yaml:5: missing key 'confidence'"},
  };
  for (const Bad& bad : all) {
    const std::string says = error_of(with(bad.body));
    EXPECT_TRUE(says.starts_with(bad.says)) << bad.body << "  gave: " << says;
  }
}

TEST(ProfileReader, WhatEveryProfileNeeds) {
  const std::string whole = with("");
  for (const std::string_view key : {"name", "summary", "activity", "sources"}) {
    std::string cut = whole;
    cut.replace(cut.find(key), key.size(), "part_of");
    const std::string says = error_of(cut);
    EXPECT_FALSE(says.empty()) << key;
  }
  EXPECT_EQ(error_of("summary: a\n"), "x.yaml:1: missing key 'name'");
}

TEST(ProfileReader, SourcesAreChecked) {
  const auto sources = [](std::string_view list) { return std::string(kHead) + "sources:\n" + std::string(list); };
  const std::string good = "  - {id: one, title: t, publisher: p, date: 2024-10-31, url: https://a.example/}\n";
  EXPECT_EQ(error_of(sources(good)), "");
  const auto starts = [&](std::string_view list, std::string_view says) {
    const std::string got = error_of(sources(list));
    EXPECT_TRUE(got.starts_with(says)) << got;
  };
  starts(good + "  - {id: two, title: t, publisher: p, date: 2024, url: https://a.example/}\n",
         "x.yaml:6: unused source: no trait names it: two");
  starts(good + good, "x.yaml:6: bad value: two sources have the id: one");
  starts("  - {id: one, title: t, publisher: p, date: 2024}\n", "x.yaml:5: missing key 'url'");
  starts("  - {id: one, title: t, publisher: p, date: 2024, url: javascript:alert(1)}\n", "x.yaml:5: bad value: 'url'");
  starts("  - {id: one, title: t, publisher: p, url: https://a.example/}\n", "x.yaml:5: missing key 'date'");
  for (const std::string_view date : {"2024-13", "2024-02-30", "24", "2024-1", "2024-01-1", "31.10.2024",
                                      "2024-10-31T00:00", "2024-", "2024--1", "1066", "9999", "yesterday", "-2024"}) {
    starts("  - {id: one, title: t, publisher: p, date: \"" + std::string(date) + "\", url: https://a.example/}\n",
           "x.yaml:5: bad date: 'date'");
  }
}

TEST(ProfileReader, ActivityEndsAfterItBegan) {
  std::string yaml = with("");
  yaml.replace(yaml.find("2023-08"), 7, "2024-11");
  EXPECT_TRUE(error_of(yaml).starts_with("x.yaml:3: bad date: 'last' lies before 'first'"));
  yaml.replace(yaml.find("2024-11"), 7, "2024-10");  // overlaps: not before
  EXPECT_EQ(error_of(yaml), "");
}

TEST(ProfileReader, HostileTextIsRefused) {
  // Aliases that would multiply.
  EXPECT_TRUE(error_of(with("aliases: &a [x, x]\nfamilies: *a\n")).starts_with("x.yaml:4: anchor or alias"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string number = std::to_string(i), before = "*a" + std::to_string(i - 1);
    for (const std::string_view part :
         {"a", number.c_str(), ": &a", number.c_str(), " [", before.c_str(), ", ", before.c_str(), "]\n"}) {
      bomb += part;
    }
  }
  EXPECT_TRUE(error_of(bomb).starts_with("x.yaml:1: anchor or alias")) << error_of(bomb);
  EXPECT_TRUE(error_of("<<: *nothing\n").starts_with("x.yaml:1: ")) << error_of("<<: *nothing\n");
  // Depth: lists, maps, both in block and in flow style.
  EXPECT_TRUE(error_of("name: " + std::string(8, '[') + std::string(8, ']') + "\n").starts_with("x.yaml:1: too deep"));
  EXPECT_TRUE(error_of(std::string(60'000, '[')).starts_with("x.yaml:1: too deep"));
  EXPECT_TRUE(error_of(std::string(60'000, '{')).starts_with("x.yaml:1: "));
  std::string minus;
  for (int i = 0; i < 30'000; ++i) minus += "- ";
  EXPECT_TRUE(error_of(minus).starts_with("x.yaml:1: too deep")) << error_of(minus);
  // Size and number.
  EXPECT_TRUE(error_of(std::string(kLongestProfile + 1, '#')).starts_with("x.yaml:1: too long"));
  std::string many = "aliases: [";
  for (std::size_t i = 0; i < kMostNodes + 10; ++i) many += "a, ";
  EXPECT_TRUE(error_of(many + "a]\n").starts_with("x.yaml:1: too many values")) << error_of(many + "a]\n");
  std::string list = "aliases: [";
  for (std::size_t i = 0; i < kMostItems + 1; ++i) list += "a, ";
  EXPECT_TRUE(error_of(with(list + "a]\n")).starts_with("x.yaml:4: too many values: 'aliases'"));
  // Tags make objects elsewhere; here they are refused.
  EXPECT_TRUE(error_of(with("part_of: !!python/object:os.system x\n")).starts_with("x.yaml:4: wrong type: tags"));
  EXPECT_TRUE(error_of(with("part_of: !!binary aGk=\n")).starts_with("x.yaml:4: wrong type: tags"));
  // More than one document, none, no YAML, bytes.
  EXPECT_TRUE(error_of(with("") + "---\nname: two\n").starts_with("x.yaml:1: not YAML: more than one document"));
  for (const std::string_view text :
       {std::string_view(""), std::string_view("\n\n"), std::string_view("just text"), std::string_view("- a\n- b\n"),
        std::string_view("a: b: c"), std::string_view("\"open"), std::string_view("{a"), std::string_view("? [a]\n: b"),
        std::string_view("\0\0\0", 3), std::string_view("\xff\xfe\x00\x01", 4),
        std::string_view("%YAML 9.9\n---\na: b"), std::string_view("~"), std::string_view("a:\n\t- b")}) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

// Every prefix, and every profile with one byte changed, is read or refused; nothing else.
TEST(ProfileReader, CutAndChangedTextNeverCrashes) {
  const std::string whole = with("ports:\n  - {port: 1, protocol: tcp, meaning: \"a b\", source: [one]}\n");
  ASSERT_EQ(error_of(whole), "");
  std::size_t refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    refused += error_of(whole.substr(0, i)).empty() ? 0 : 1;
    for (const char c : {'\0', '"', '[', '}', ':', '&', '*', '\n', '\t', '\x80'}) {
      std::string changed = whole;
      changed[i] = c;
      refused += error_of(changed).empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, whole.size());
}

}  // namespace
}  // namespace orbwatch::intel::profiles
