#include "pipeline/config.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::pipeline {
namespace {

std::string error_of(std::string_view yaml) {
  const auto config = parse_config(yaml, "orbwatch.yaml");
  return config ? "good" : config.error().text();
}

TEST(Config, EveryKeyHasADefault) {
  for (const char* yaml : {"", "# nothing but a comment\n", "{}", "~"}) {
    const auto config = parse_config(yaml, "orbwatch.yaml");
    ASSERT_TRUE(config) << yaml << ": " << config.error().text();
    EXPECT_EQ(config->alerts_per_day, 5);
    EXPECT_EQ(config->timezone, "");
    EXPECT_TRUE(config->indicators.empty());
    EXPECT_TRUE(config->networks.empty());
  }
}

TEST(Config, ReadsEveryKey) {
  const auto config = parse_config(R"(alerts_per_day: 2.5
timezone: Europe/Berlin
indicators: [a.txt, "b c.csv"]
networks:
  - prefix: 198.51.100.0/24
    name: Berlin office
    type: business
    site: Berlin
    country: de
    latitude: 52.5
    longitude: 13.4
  - prefix: 2001:db8::/32
    own: false
    allowed: true
)",
                                   "orbwatch.yaml");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->alerts_per_day, 2.5);
  EXPECT_EQ(config->timezone, "Europe/Berlin");
  EXPECT_EQ(config->indicators, (std::vector<std::string>{"a.txt", "b c.csv"}));
  ASSERT_EQ(config->networks.size(), 2U);
  const auto& office = config->networks[0];
  EXPECT_EQ(office.prefix.text(), "198.51.100.0/24");
  EXPECT_EQ(office.name, "Berlin office");
  EXPECT_EQ(office.type, core::NetworkType::kBusiness);
  EXPECT_EQ(office.site, "Berlin");
  EXPECT_FLOAT_EQ(office.latitude, 52.5F);
  EXPECT_FLOAT_EQ(office.longitude, 13.4F);
  EXPECT_TRUE(office.own);
  EXPECT_FALSE(office.allowed);
  EXPECT_FALSE(config->networks[1].own);
  EXPECT_TRUE(config->networks[1].allowed);
}

// What a user sees, word by word: the line, what is wrong, and what would be right.
TEST(Config, SaysWhereAndWhatIsWrong) {
  const struct {
    const char* yaml;
    const char* error;
  } cases[] = {
      {"alerts_per_day: 5\nnetwroks: []\n",
       "orbwatch.yaml:2: unknown key 'netwroks' (known: alerts_per_day, timezone, indicators, "
       "mappings, networks, state, collect, journal, checkpoint, lateness, store, metrics, pseudonyms, outputs, "
       "verdicts, feeds, feeds_folder, learn_half_lives)"},
      {"- a\n- b\n", "orbwatch.yaml:1: the configuration must be a map of keys"},
      {"word\n", "orbwatch.yaml:1: the configuration must be a map of keys"},
      {"\n\nalerts_per_day: many\n", "orbwatch.yaml:3: 'alerts_per_day' must be a number"},
      {"alerts_per_day: -1\n", "orbwatch.yaml:1: 'alerts_per_day' must be within 0 and 1000000"},
      {"alerts_per_day: .nan\n", "orbwatch.yaml:1: 'alerts_per_day' must be within 0 and 1000000"},
      {"alerts_per_day: .inf\n", "orbwatch.yaml:1: 'alerts_per_day' must be within 0 and 1000000"},
      {"timezone: Mars/Olympus\n", "orbwatch.yaml:1: unknown time zone 'Mars/Olympus'"},
      {"timezone: [a]\n", "orbwatch.yaml:1: 'timezone' must be the name of a time zone"},
      {"feeds: {a: b}\n", "orbwatch.yaml:1: 'feeds' must be a list"},
      {"feeds:\n  - {from: a}\n",
       "orbwatch.yaml:2: 'name' must be of letters, digits, '-' and '_', 64 at most, seen ''"},
      {"feeds:\n  - {name: ../a, from: a}\n",
       "orbwatch.yaml:2: 'name' must be of letters, digits, '-' and '_', 64 at most, seen '../a'"},
      {"feeds:\n  - {name: a}\n", "orbwatch.yaml:2: feed 'a' needs 'from': a file or a URL"},
      {"feeds:\n  - {name: a, from: b}\n  - {name: a, from: c}\n", "orbwatch.yaml:3: two feeds are called 'a'"},
      {"feeds:\n  - {name: a, from: b, format: xml}\n",
       "orbwatch.yaml:2: unknown format of feeds 'xml' (auto, stix, misp, misp_warninglist, csv, json, text, report)"},
      {"feeds:\n  - {name: a, from: b, half_life: 0}\n",
       "orbwatch.yaml:2: 'half_life' must be days, above 0 and at most 36500"},
      {"feeds:\n  - {name: a, from: b, most_shrinkage: 2}\n",
       "orbwatch.yaml:2: 'most_shrinkage' must be within 0 and 1"},
      {"indicators: {a: b}\n", "orbwatch.yaml:1: 'indicators' must be a list of files"},
      {"networks:\n  prefix: 10.0.0.0/8\n", "orbwatch.yaml:2: 'networks' must be a list"},
      {"networks:\n  - 10.0.0.0/8\n", "orbwatch.yaml:2: a network is a map with at least 'prefix'"},
      {"networks:\n  - name: x\n", "orbwatch.yaml:2: 'prefix' must be like 192.0.2.0/24 or 2001:db8::/32, seen ''"},
      {"networks:\n  - name: x\n    prefix: 10.0.0.0/40\n",
       "orbwatch.yaml:3: 'prefix' must be like 192.0.2.0/24 or 2001:db8::/32, seen '10.0.0.0/40'"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    typ: vpn\n",
       "orbwatch.yaml:3: unknown key 'typ' (known: prefix, name, type, site, country, latitude, longitude, own, "
       "allowed)"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    type: space\n",
       "orbwatch.yaml:3: unknown network type 'space' (consumer, mobile, cgnat, hosting, business, education, "
       "government, vpn, tor, "
       "satellite, internal)"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    country: Germany\n",
       "orbwatch.yaml:3: 'country' must be a two-letter code such as DE"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    latitude: 91\n",
       "orbwatch.yaml:3: 'latitude' must be within -90 and 90"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    longitude: -181\n",
       "orbwatch.yaml:3: 'longitude' must be within -180 and 180"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    longitude: .nan\n",
       "orbwatch.yaml:3: 'longitude' must be within -180 and 180"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    own: perhaps\n", "orbwatch.yaml:3: 'own' must be true or false"},
      {"networks:\n  - prefix: 10.0.0.0/8\n    country: NO\n  - prefix: 10.0.0.0/8\n",
       "orbwatch.yaml:2: the same prefix is declared twice: 10.0.0.0/8 (remove one of the two entries)"},
  };
  for (const auto& c : cases) EXPECT_EQ(error_of(c.yaml), c.error) << c.yaml;
}

TEST(Config, SaysTheLineOfBrokenYaml) {
  EXPECT_TRUE(error_of("alerts_per_day: 5\n\ttab: 1\n").starts_with("orbwatch.yaml:2: "))
      << error_of("alerts_per_day: 5\n\ttab: 1\n");
  EXPECT_TRUE(error_of("networks: [\n").starts_with("orbwatch.yaml:")) << error_of("networks: [\n");
  EXPECT_TRUE(error_of("alerts_per_day: *nobody\n").starts_with("orbwatch.yaml:1: "));
}

TEST(Config, HostileTextIsAnErrorAndNoCrash) {
  EXPECT_NE(error_of(std::string(100'000, '[')), "good");
  EXPECT_NE(error_of(std::string("alerts_per_day: \0 5", 19)), "");
  EXPECT_NE(error_of("? {a: b}\n: c\n"), "good");
  EXPECT_NE(error_of("\xff\xfe\x00\x01"), "");
  // An error shows what it saw, but nothing that would write to the terminal.
  EXPECT_EQ(error_of("\"a\\x1b[2Jb\": 1\n").find('\x1b'), std::string::npos);
}

TEST(Config, KnowsWhichKeysDiffer) {
  const auto config = [](const std::string& yaml) {
    auto parsed = parse_config(yaml, "c.yaml");
    EXPECT_TRUE(parsed) << parsed.error().text();
    return std::move(*parsed);
  };
  const Config before = config(R"(timezone: UTC
lateness: 1h
networks:
  - {prefix: 192.0.2.0/24}
journal: {sync: 1s}
collect:
  - {type: tail, name: files, paths: [/a, /b]}
  - {type: syslog_udp, name: udp, listen: ":514"}
)");
  const Config after = config(R"(# another order, a comment, and no lateness
journal: {sync: 2s, most_bytes: 1GiB}
timezone: "UTC"
networks:
  - {prefix: 192.0.2.0/25}
  - {prefix: 198.51.100.0/24}
collect:
  - {type: syslog_udp, name: udp, listen: ":514", workers: 2}
  - {type: tail, name: files, paths: [/a, /c]}
)");
  EXPECT_EQ(changed_keys(before, before), std::vector<std::string>());
  EXPECT_EQ(changed_keys(before, after),
            (std::vector<std::string>{"collect.files.paths", "collect.udp.workers", "journal.most_bytes",
                                      "journal.sync", "lateness", "networks.1.prefix", "networks.2.prefix"}));
  EXPECT_EQ(changed_keys(after, before), changed_keys(before, after));
}

}  // namespace
}  // namespace orbwatch::pipeline
