#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

std::string indicator(std::string_view id, std::string_view pattern, std::string_view more = "") {
  return R"({"type":"indicator","spec_version":"2.1","id":"indicator--)" + std::string(id) + R"(","pattern":")" +
         std::string(pattern) + R"(","pattern_type":"stix")" + std::string(more) + "}";
}
std::string bundle(std::initializer_list<std::string> objects) {
  std::string out = R"({"type":"bundle","id":"bundle--1","objects":[)";
  for (const std::string& object : objects) out += (out.back() == '[' ? "" : ",") + object;
  return out + "]}";
}
constexpr std::string_view kAddress = "[ipv4-addr:value = '192.0.2.1']";

TEST(StixFeed, AnIndicatorWithAllItsFields) {
  const auto result = read_feed(
      "stix",
      bundle(
          {indicator("1", kAddress,
                     R"(,"name":"C2","modified":"2026-01-02T00:00:00.000Z","valid_from":"2026-01-01T00:00:00Z",
                           "valid_until":"2026-03-01T00:00:00Z","confidence":70,"labels":["relay"],
                           "indicator_types":["malicious-activity"],
                           "object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421","marking-definition--own"],
                           "kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"command-and-control"}])"),
           R"({"type":"marking-definition","id":"marking-definition--own","definition_type":"tlp","definition":{"tlp":"white"}})"}));
  ASSERT_EQ(result.values, "prefix 192.0.2.1\n");
  const StatedItem& item = result.items.at(0);
  EXPECT_EQ(item.id, "indicator--1");
  EXPECT_EQ(item.label, "C2");
  EXPECT_EQ(item.item.modified, moment("2026-01-02T00:00:00Z"));
  EXPECT_EQ(item.item.valid_from, moment("2026-01-01T00:00:00Z"));
  EXPECT_EQ(item.item.valid_until, moment("2026-03-01T00:00:00Z"));
  EXPECT_EQ(item.item.confidence, 70);
  EXPECT_TRUE(item.item.detect);
  EXPECT_FALSE(item.item.revoked);
  EXPECT_EQ(item.tags, (std::vector<std::string>{"tlp:amber", "tlp:white", "relay", "malicious-activity",
                                                 "kill-chain:mitre-attack/command-and-control"}));
  EXPECT_EQ(result.counts.ignored, (Reasons{{"marking-definition", 1}}));
}

TEST(StixFeed, BundlesEnvelopesAndLines) {
  const std::string one = indicator("1", kAddress);
  const std::string two = indicator("2", "[domain-name:value = 'evil.example']");
  const std::string both = "prefix 192.0.2.1\ndomain evil.example\n";
  EXPECT_EQ(read_feed("stix", bundle({one, two})).values, both);
  EXPECT_EQ(read_feed("stix", R"({"more":true,"next":"x","objects":[)" + one + "," + two + "]}").values, both);
  EXPECT_EQ(read_feed("stix", "[" + one + "," + two + "]").values, both);
  EXPECT_EQ(read_feed("stix", one + "\n" + two + "\n").values, both);
  EXPECT_EQ(read_feed("stix", bundle({one}) + "\n" + bundle({two}) + "\n").values, both);
  EXPECT_EQ(read_feed("stix", one).values, "prefix 192.0.2.1\n");
  // The last page of TAXII may be empty.
  EXPECT_EQ(read_feed("stix", R"({"more":false})").counts.records, 0U);
  const auto broken = read_feed("stix", one + "\n{\"type\":\n" + two + "\n");
  EXPECT_EQ(broken.counts.rejected, (Reasons{{"no valid JSON", 1}}));
  EXPECT_EQ(broken.values, both);
}

TEST(StixFeed, TheNewestVersionInADocumentCounts) {
  const auto result = read_feed(
      "stix",
      bundle({indicator("1", "[ipv4-addr:value = '192.0.2.2']", R"(,"modified":"2026-01-02T00:00:00Z","revoked":true)"),
              indicator("1", kAddress, R"(,"modified":"2026-01-01T00:00:00Z")")}));
  EXPECT_EQ(result.values, "prefix 192.0.2.2\n");
  EXPECT_TRUE(result.items.at(0).item.revoked);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"older version", 1}}));
}

TEST(StixFeed, RelationsNameTheIndicator) {
  const auto relation = [](std::string_view id, std::string_view target, std::string_view more = "") {
    return R"({"type":"relationship","id":"relationship--)" + std::string(id) +
           R"(","relationship_type":"indicates","source_ref":"indicator--1","target_ref":")" + std::string(target) +
           "\"" + std::string(more) + "}";
  };
  const auto result = read_feed(
      "stix",
      bundle(
          {indicator("1", kAddress, R"(,"name":"an address")"), relation("1", "threat-actor--1"),
           relation("2", "malware--1"), relation("3", "attack-pattern--1"),
           relation("4", "malware--2", R"(,"revoked":true)"),
           R"({"type":"threat-actor","id":"threat-actor--1","name":"Typhoon"})",
           R"({"type":"malware","id":"malware--1","name":"Quad7"})",
           R"({"type":"malware","id":"malware--2","name":"Other"})",
           R"({"type":"attack-pattern","id":"attack-pattern--1","name":"Proxy","external_references":[{"source_name":"mitre-attack","external_id":"T1090"}]})"}));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items.at(0).label, "Quad7");
  EXPECT_EQ(result.items.at(0).tags,
            (std::vector<std::string>{"threat-actor:Typhoon", "malware:Quad7", "attack:T1090"}));
  EXPECT_EQ(result.counts.ignored,
            (Reasons{{"attack-pattern", 1}, {"malware", 2}, {"relationship", 4}, {"threat-actor", 1}}));
}

TEST(StixFeed, SightingsSpeakOfTheIndicator) {
  const auto sighting = [](std::string_view id, std::string_view ref, std::string_view more) {
    return R"({"type":"sighting","id":"sighting--)" + std::string(id) + R"(","sighting_of_ref":")" + std::string(ref) +
           "\"" + std::string(more) + "}";
  };
  const auto result = read_feed(
      "stix", bundle({indicator("1", kAddress, R"(,"valid_until":"2026-03-01T00:00:00Z")"),
                      sighting("1", "indicator--1",
                               R"(,"count":50,"first_seen":"2026-01-01T00:00:00Z","last_seen":"2026-01-09T00:00:00Z")"),
                      sighting("2", "indicator--1", R"(,"x_opencti_negative":true)"), sighting("3", "indicator--9", ""),
                      sighting("4", "malware--1", ""), sighting("5", "indicator--1", R"(,"revoked":true)"),
                      R"({"type":"malware","id":"malware--1","name":"x"})"}));
  ASSERT_EQ(result.items.size(), 3U);
  EXPECT_FALSE(result.items.at(0).item.sighting);
  EXPECT_TRUE(result.items.at(1).item.sighting);
  EXPECT_EQ(result.items.at(1).id, "indicator--1");
  EXPECT_EQ(result.items.at(1).item.sightings, 50U);
  EXPECT_EQ(result.items.at(1).item.last_seen, moment("2026-01-09T00:00:00Z"));
  EXPECT_EQ(result.items.at(1).item.valid_until, 0);
  EXPECT_EQ(result.items.at(2).item.false_positives, 1U);
  EXPECT_EQ(result.items.at(2).item.sightings, 0U);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"malware", 1},
                                            {"revoked sighting", 1},
                                            {"sighting of an object that is not in the document", 1},
                                            {"sighting of malware", 1}}));
}

TEST(StixFeed, ObservablesAreContext) {
  const auto result = read_feed(
      "stix",
      bundle(
          {R"({"type":"ipv4-addr","id":"ipv4-addr--1","value":"192.0.2.1"})",
           R"({"type":"ipv4-addr","id":"ipv4-addr--2","value":"10.0.0.1"})",
           R"({"type":"autonomous-system","id":"autonomous-system--1","number":64500})",
           R"({"type":"x509-certificate","id":"x509-certificate--1","hashes":{"SHA-1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}})",
           R"({"type":"x509-certificate","id":"x509-certificate--2","serial_number":"1"})",
           R"({"type":"network-traffic","id":"network-traffic--1","src_ref":"ipv4-addr--2","dst_ref":"ipv4-addr--1","dst_port":443,"protocols":["ipv4","tcp"]})",
           R"({"type":"file","id":"file--1","name":"x"})",
           R"({"type":"observed-data","id":"observed-data--1","first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-02T00:00:00Z","number_observed":3,"object_refs":["ipv4-addr--1"]})"}));
  EXPECT_EQ(result.values,
            "prefix 192.0.2.1\nautonomous-system AS64500\ncertificate-fingerprint "
            "da39a3ee5e6b4b0d3255bfef95601890afd80709\nprefix 192.0.2.1 port 443\n");
  EXPECT_FALSE(result.items.at(0).item.detect);
  EXPECT_EQ(result.items.at(0).item.first_seen, moment("2026-01-01T00:00:00Z"));
  EXPECT_EQ(result.items.at(0).item.sightings, 3U);
  EXPECT_EQ(result.items.at(3).item.role, FeedRole::kDestination);
  EXPECT_EQ(result.items.at(3).item.protocol, 6);
  EXPECT_EQ(result.counts.ignored,
            (Reasons{{"certificate without SHA-1 or SHA-256", 1}, {"file", 1}, {"observed-data", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"address that is not met on the Internet", 1}}));
}

TEST(StixFeed, ObservedDataOfStix20HasItsObjectsInside) {
  const auto result = read_feed(
      "stix",
      R"({"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[{"type":"observed-data","id":"observed-data--1",
          "first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-02T00:00:00Z","number_observed":2,
          "objects":{"0":{"type":"domain-name","value":"evil.example"},"1":{"type":"file","name":"x"},
          "2":{"type":"network-traffic","dst_ref":"0","dst_port":53,"protocols":["udp"]}}},
          {"type":"observed-data","id":"observed-data--2","objects":{"0":{"type":"file","name":"x"}}}]})");
  EXPECT_EQ(result.values, "domain evil.example\ndomain evil.example port 53\n");
  EXPECT_EQ(result.items.at(1).item.protocol, 17);
  EXPECT_EQ(result.items.at(1).item.sightings, 2U);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"observed-data of file", 1}}));
}

TEST(StixFeed, BenignIndicatorsAreKnownGood) {
  const auto result =
      read_feed("stix", indicator("1", "[ipv4-addr:value = '10.0.0.0/8']", R"(,"indicator_types":["benign"])"));
  ASSERT_EQ(result.values, "prefix 10.0.0.0/8\n");
  EXPECT_TRUE(result.items.at(0).item.known_good);
}

TEST(StixFeed, WhatCannotBeUsedIsNamed) {
  const auto result = read_feed(
      "stix",
      bundle({indicator("1", "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.2']"),
              indicator("2", "[ipv4-addr:value = '192.0.2.1' OR file:size = 3]"), indicator("3", "[broken"),
              R"({"type":"indicator","id":"indicator--4","pattern":"rule x","pattern_type":"yara"})",
              R"({"type":"indicator","id":"indicator--5"})", indicator("6", kAddress, R"(,"valid_from":"soon")"),
              indicator("7", kAddress, R"(,"confidence":101)"),
              indicator("8", kAddress, R"(,"modified":"99999-01-01T00:00:00Z")"),
              indicator(std::string(200, 'a'), kAddress), "5", R"({"type":"x"})"}));
  EXPECT_EQ(result.values, "prefix 192.0.2.1\n");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"FOLLOWEDBY", 1}, {"pattern of type yara", 1}}));
  EXPECT_EQ(result.counts.left_out, (Reasons{{"alternative: file:size", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"confidence that is no number from 0 to 100", 1},
                                             {"id too long", 1},
                                             {"indicator without a pattern", 1},
                                             {"no STIX object", 2},
                                             {"no STIX pattern", 1},
                                             {"time that cannot be read", 2}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "/objects/9");
}

// Each sighting reads the pattern again; a document of many would take for ever.
TEST(StixFeed, ManySightingsOfALongPatternAreRejected) {
  std::string pattern = "[ipv4-addr:value = '192.0.2.1'";
  while (pattern.size() < 50000) pattern += " OR ipv4-addr:value = '192.0.2.1'           ";
  std::string text = R"({"type":"bundle","id":"bundle--1","objects":[)" + indicator("1", pattern + "]");
  for (int i = 0; i < 400; ++i)
    text += R"(,{"type":"sighting","id":"sighting--)" + std::to_string(i) + R"(","sighting_of_ref":"indicator--1"})";
  const auto result = read_feed("stix", text + "]}");
  EXPECT_GT(result.counts.rejected.at("too many sightings of long patterns"), 50U);
}

TEST(StixFeed, BrokenDocumentsAreErrors) {
  const std::string whole = bundle({indicator("1", kAddress), indicator("2", kAddress)});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_NE(feed_error("stix", whole.substr(0, cut)), "") << cut;
  EXPECT_NE(feed_error("stix", R"({"a":1})"), "");
  EXPECT_NE(feed_error("stix", R"([1,2])"), "");
  EXPECT_NE(feed_error("stix", R"("bundle--1")"), "");
  EXPECT_NE(feed_error("stix", bundle({indicator("\xff", kAddress)})), "");
}

}  // namespace
}  // namespace orbwatch::intel
