#include "intel/feed/misp.h"

#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

std::string attribute(std::string_view type, std::string_view value, std::string_view more = "") {
  return R"({"type":")" + std::string(type) + R"(","value":")" + std::string(value) + "\"" + std::string(more) + "}";
}
std::string event(std::initializer_list<std::string> attributes, std::string_view more = "") {
  std::string out = R"({"Event":{"info":"Campaign","Attribute":[)";
  for (const std::string& one : attributes) out += (out.back() == '[' ? "" : ",") + one;
  return out + "]" + std::string(more) + "}}";
}

TEST(MispFeed, AnAttributeWithAllItsFields) {
  const auto result = read_feed(
      "misp", event({attribute("ip-dst|port", "192.0.2.1|8080",
                               R"(,"uuid":"5bad1c5a-c608-4f5b-9d0e-4a7d0a016219","to_ids":true,"timestamp":"1538071642",
                                  "first_seen":"2018-09-01T00:00:00.000000+00:00","last_seen":"2018-09-02T00:00:00+00:00",
                                  "comment":"a comment","Tag":[{"name":"tlp:amber"}])")}));
  ASSERT_EQ(result.values, "prefix 192.0.2.1 port 8080\n");
  const StatedItem& item = result.items.at(0);
  EXPECT_EQ(item.id, "5bad1c5a-c608-4f5b-9d0e-4a7d0a016219");
  EXPECT_EQ(item.item.role, FeedRole::kDestination);
  EXPECT_TRUE(item.item.detect);
  EXPECT_EQ(item.item.modified, moment("2018-09-27T18:07:22Z"));
  EXPECT_EQ(item.item.first_seen, moment("2018-09-01T00:00:00Z"));
  EXPECT_EQ(item.item.last_seen, moment("2018-09-02T00:00:00Z"));
  EXPECT_EQ(item.label, "a comment");
  EXPECT_EQ(item.tags, (std::vector<std::string>{"tlp:amber"}));
}

TEST(MispFeed, TypesOfAttributes) {
  const auto result = read_feed(
      "misp",
      event({attribute("ip-src", "192.0.2.0/24"), attribute("domain|ip", "evil.example|192.0.2.2"),
             attribute("hostname", "a.evil.example"), attribute("url", "hxxp://evil[.]example/x"),
             attribute("AS", "AS64500"), attribute("hostname|port", "b.evil.example|81"),
             attribute("jarm-fingerprint", std::string(62, '1')),
             attribute("ja3-fingerprint-md5", std::string(32, '2')), attribute("hassh-md5", std::string(32, '3')),
             attribute("x509-fingerprint-sha256", std::string(64, '4')), attribute("filename|sha1", "x|y"),
             attribute("text", "words"), attribute("email-src", "a@b.example"), attribute("ip-dst", "10.0.0.1"),
             attribute("any", "192.0.2.9"), attribute("", "x")}));
  EXPECT_EQ(result.values,
            "prefix 192.0.2.0/24\ndomain evil.example\nprefix 192.0.2.2\ndomain a.evil.example\n"
            "url http://evil.example/x port 80\nautonomous-system AS64500\ndomain b.evil.example port 81\n"
            "jarm " +
                std::string(62, '1') + "\nja3 " + std::string(32, '2') + "\nhassh " + std::string(32, '3') +
                "\ncertificate-fingerprint " + std::string(64, '4') + "\n");
  EXPECT_EQ(result.items.at(0).item.role, FeedRole::kSource);
  EXPECT_FALSE(result.items.at(0).item.detect);
  EXPECT_EQ(result.items.at(0).label, "Campaign");
  EXPECT_EQ(result.counts.ignored,
            (Reasons{{"attribute any", 1}, {"attribute text", 1}, {"file hash", 1}, {"mail address", 1}}));
  EXPECT_EQ(result.counts.rejected,
            (Reasons{{"address that is not met on the Internet", 1}, {"attribute without a type", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "/Event/Attribute/13");
}

TEST(MispFeed, GalaxiesNameTheItem) {
  const auto result = read_feed(
      "misp",
      event(
          {attribute("ip-dst", "192.0.2.1"),
           attribute("ip-dst", "192.0.2.2",
                     R"(,"Galaxy":[{"GalaxyCluster":[{"tag_name":"misp-galaxy:botnet=\"Mirai\""}]}])")},
          R"(,"Tag":[{"name":"misp-galaxy:mitre-attack-pattern=\"Proxy - T1090\""},{"name":"misp-galaxy:banker=\"Gozi\""}])"));
  EXPECT_EQ(result.items.at(0).label, "Gozi");
  EXPECT_EQ(result.items.at(1).label, "Mirai");
  EXPECT_EQ(result.items.at(0).tags, (std::vector<std::string>{"attack:T1090", "misp-galaxy:banker=\"Gozi\""}));
  EXPECT_EQ(result.items.at(1).tags.size(), 3U);
}

TEST(MispFeed, SightingsDeletionsAndProposals) {
  const auto result = read_feed(
      "misp",
      event(
          {attribute(
               "ip-dst", "192.0.2.1",
               R"(,"ShadowAttribute":[{},{}],"Sighting":[{"type":"0","date_sighting":"1551253950"},{"type":"0","date_sighting":"1551253000"},
                          {"type":"1","date_sighting":"1551253951"},{"type":"2","date_sighting":"1551253952"},{"type":"7"}])"),
           attribute("ip-dst", "192.0.2.2", R"(,"deleted":true)")},
          R"(,"Object":[{"deleted":"1","Attribute":[{"type":"ip-dst","value":"192.0.2.3"}]},{"Attribute":[{"type":"ip-dst","value":"192.0.2.4"}]}])"));
  ASSERT_EQ(result.items.size(), 4U);
  EXPECT_EQ(result.items.at(0).item.sightings, 2U);
  EXPECT_EQ(result.items.at(0).item.false_positives, 1U);
  EXPECT_EQ(result.items.at(0).item.last_seen, 1551253950 * core::kSecond);
  EXPECT_EQ(result.items.at(0).item.valid_until, 1551253952 * core::kSecond);
  EXPECT_FALSE(result.items.at(0).item.revoked);
  EXPECT_TRUE(result.items.at(1).item.revoked);
  EXPECT_TRUE(result.items.at(2).item.revoked);
  EXPECT_FALSE(result.items.at(3).item.revoked);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"proposal", 2}}));
  EXPECT_EQ(result.counts.left_out, (Reasons{{"sighting of an unknown type", 1}}));
}

TEST(MispFeed, FormsOfDocuments) {
  const std::string one = attribute("ip-dst", "192.0.2.1");
  const std::string inner = R"({"info":"x","Attribute":[)" + one + "]}";
  const std::string wrapped = R"({"Event":)" + inner + "}";
  for (const std::string& text :
       {wrapped, inner, R"({"response":[)" + wrapped + "]}", R"({"response":{"Attribute":[)" + one + "]}}",
        "[" + wrapped + "]", R"({"response":)" + wrapped + "}"})
    EXPECT_EQ(read_feed("misp", text).values, "prefix 192.0.2.1\n") << text;
  EXPECT_EQ(read_feed("misp", "[" + wrapped + ",5]").counts.rejected, (Reasons{{"no MISP event", 1}}));
  EXPECT_EQ(read_feed("misp", wrapped + "\n" + wrapped + "\n").items.size(), 2U);
  for (const char* wrong : {"{}", "5", "[]", R"({"response":5})", R"({"Event":{"Attribute":[)"})
    EXPECT_NE(feed_error("misp", wrong), "") << wrong;
  const auto times =
      read_feed("misp", event({attribute("ip-dst", "192.0.2.1", R"(,"timestamp":"99999999999999999999")"),
                               attribute("ip-dst", "192.0.2.2", R"(,"timestamp":{})"), "7"}));
  EXPECT_EQ(times.counts.rejected, (Reasons{{"attribute that is none", 1}, {"time that cannot be read", 2}}));
}

TEST(MispManifest, ListsEvents) {
  const auto entries = read_misp_manifest(
      R"({"5BAD1B96-53bc-4148-87eb-50d50a016219":{"info":"b","timestamp":"1538071642","Orgc":{}},
          "0bad1b96-53bc-4148-87eb-50d50a016219":{"info":"a","timestamp":1538071643}})");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].uuid, "0bad1b96-53bc-4148-87eb-50d50a016219");
  EXPECT_EQ((*entries)[0].info, "a");
  EXPECT_EQ((*entries)[1].uuid, "5bad1b96-53bc-4148-87eb-50d50a016219");
  EXPECT_EQ((*entries)[1].timestamp, 1538071642 * core::kSecond);
}

TEST(MispManifest, NamesOfFilesCannotBeForged) {
  for (
      const char* wrong :
      {R"({"../../etc/passwd":{"timestamp":"1"}})", R"({"5bad1b96-53bc-4148-87eb-50d50a01621/":{"timestamp":"1"}})",
       R"({"5bad1b96-53bc-4148-87eb-50d50a016219":{"timestamp":"x"}})",
       R"({"5bad1b96-53bc-4148-87eb-50d50a016219":{}})",
       R"({"5bad1b96-53bc-4148-87eb-50d50a016219":{"timestamp":"1"},"5BAD1b96-53bc-4148-87eb-50d50a016219":{"timestamp":"1"}})",
       "[]", "{\"5bad1b96\":"})
    EXPECT_FALSE(read_misp_manifest(wrong)) << wrong;
}

TEST(MispWarningList, HoldsWhatIsBenign) {
  auto result =
      read_feed("misp_warninglist",
                R"({"name":"Ranges","type":"cidr","matching_attributes":["ip-src"],"list":["10.0.0.0/8","198.51.100.7",
                              "x",{}]})");
  EXPECT_EQ(result.values, "prefix 10.0.0.0/8\nprefix 198.51.100.7\n");
  EXPECT_TRUE(result.items.at(0).item.known_good);
  EXPECT_EQ(result.items.at(0).label, "Ranges");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"entry that is no text", 1}, {"not an address", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "/list/2");
  EXPECT_EQ(
      read_feed("misp_warninglist", R"({"name":"x","type":"hostname","list":[".good.example","fine.example"]})").values,
      "domain good.example\ndomain fine.example\n");
  EXPECT_EQ(
      read_feed("misp_warninglist", R"({"name":"x","type":"string","matching_attributes":["AS"],"list":["64500"]})")
          .values,
      "autonomous-system AS64500\n");
  EXPECT_EQ(read_feed("misp_warninglist", R"({"name":"x","type":"regex","list":["^a"]})").counts.ignored,
            (Reasons{{"entry that is a regular expression", 1}}));
  EXPECT_EQ(read_feed("misp_warninglist", R"({"name":"x","type":"substring","list":["a"]})").counts.ignored,
            (Reasons{{"entry that is a part of a text", 1}}));
  for (const char* wrong : {"[]", "{}", R"({"type":"cidr"})", R"({"list":["192.0.2.1"]})"})
    EXPECT_NE(feed_error("misp_warninglist", wrong), "") << wrong;
}

}  // namespace
}  // namespace orbwatch::intel
