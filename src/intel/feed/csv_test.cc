#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

TEST(CsvFeed, FindsColumnsByTheirNames) {
  const auto result =
      read_feed("csv",
                "IOC, Valid From, Valid Until, type, Confidence, tlp, Tags, id, malware\n"
                "\"192.0.2.1\",2024-01-26T00:00:00Z,2024-07-25T00:00:00Z,ip,85,AMBER,\"a,b\",x-1,Quad7\n"
                "evil[.]example,,9999-12-31T00:00:00Z,domain,high,,,,\n"
                "d41d8cd98f00b204e9800998ecf8427e,,,md5,,,,,\n"
                "x,,,GUID,,,,,\n"
                "192.0.2.2,yesterday,,ip,,,,,\n"
                "192.0.2.3,,,ip,200,,,,\n"
                "192.0.2.4,2024-07-25,2024-01-01,ip,,,,,\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.1\ndomain evil.example\n");
  const StatedItem& first = result.items.at(0);
  EXPECT_EQ(first.item.valid_from, moment("2024-01-26T00:00:00Z"));
  EXPECT_EQ(first.item.valid_until, moment("2024-07-25T00:00:00Z"));
  EXPECT_EQ(first.item.confidence, 85);
  EXPECT_EQ(first.tags, (std::vector<std::string>{"tlp:amber", "a", "b"}));
  EXPECT_EQ(first.id, "x-1");
  EXPECT_EQ(first.label, "Quad7");
  EXPECT_EQ(result.items.at(1).item.valid_until, kNoEnd);
  EXPECT_EQ(result.items.at(1).item.confidence, 85);
  EXPECT_EQ(result.counts.ignored, (Reasons{{"file hash", 1}, {"kind GUID", 1}, {"names of columns", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"confidence that is no number from 0 to 100", 1},
                                             {"time that cannot be read", 1},
                                             {"validity ends before it begins", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "line 6");
}

TEST(CsvFeed, AbuseChNamesColumnsInAComment) {
  // Feodo Tracker, ThreatFox, URLhaus, SSLBL: lists of certificates, addresses and JA3.
  auto result = read_feed("csv",
                          "# Feodo Tracker, first_seen, and so on\n#\n"
                          "# \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
                          "\"2021-01-17 07:44:46\",\"192.0.2.1\",\"447\",\"offline\",\"2022-03-01\",\"QakBot\"\n"
                          "# END 1 entries\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.1 port 447\n");
  EXPECT_EQ(result.items.at(0).item.first_seen, moment("2021-01-17T07:44:46Z"));
  EXPECT_EQ(result.items.at(0).item.last_seen, moment("2022-03-01T00:00:00Z"));
  EXPECT_EQ(result.items.at(0).label, "QakBot");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"comment", 4}}));

  result = read_feed(
      "csv",
      "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\","
      "\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"reference\",\"tags\"\n"
      "\"2021-08-02 07:21:10\", \"1\", \"192.0.2.1:443\", \"ip:port\", \"botnet_cc\", \"win.x\", \"None\", \"Cobalt "
      "Strike\", \"\", \"75\", \"None\", \"a,b\"\n"
      "\"2021-08-02 07:21:10\", \"2\", \"d41d8cd98f00b204e9800998ecf8427e\", \"md5_hash\", \"payload\", \"win.x\", "
      "\"None\", \"x\", \"\", \"50\", \"None\", \"\"\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.1 port 443\n");
  EXPECT_EQ(result.items.at(0).item.confidence, 75);
  EXPECT_EQ(result.items.at(0).label, "Cobalt Strike");
  EXPECT_EQ(result.items.at(0).id, "1");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"comment", 1}, {"file hash", 1}}));

  result = read_feed("csv",
                     "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
                     "\"1\",\"2022-01-01 10:00:00\",\"http://192.0.2.1:81/m\",\"online\",\"\",\"malware_download\","
                     "\"mozi\",\"https://urlhaus.example/1\",\"x\"\n");
  EXPECT_EQ(result.values, "url http://192.0.2.1:81/m port 81\n");
  EXPECT_EQ(result.items.at(0).label, "malware_download");

  result = read_feed("csv",
                     "# Listingdate,SHA1,Listingreason\n"
                     "2022-01-01 10:00:00,da39a3ee5e6b4b0d3255bfef95601890afd80709,Dridex C&C\n");
  EXPECT_EQ(result.values, "certificate-fingerprint da39a3ee5e6b4b0d3255bfef95601890afd80709\n");

  result = read_feed("csv",
                     "# ja3_md5,Firstseen,Lastseen,Listingreason\n"
                     "d41d8cd98f00b204e9800998ecf8427e,2017-07-14 18:08:15,2019-07-27 20:42:54,Adware\n");
  EXPECT_EQ(result.values, "ja3 d41d8cd98f00b204e9800998ecf8427e\n");
  EXPECT_EQ(result.items.at(0).item.last_seen, moment("2019-07-27T20:42:54Z"));
}

TEST(CsvFeed, ColumnsAreMappedByNameOrNumber) {
  FeedSettings settings;
  settings.mapping.value = "node";
  settings.mapping.label = "#3";
  settings.mapping.port = "p";
  settings.skip = 1;
  auto result = read_feed("csv", "made on monday\nnode;p;what\n192.0.2.1;81;relay\n192.0.2.2;x;y\n", settings);
  EXPECT_EQ(result.values, "prefix 192.0.2.1 port 81\n");
  EXPECT_EQ(result.items.at(0).label, "relay");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"port that is none", 1}}));

  settings = {};
  settings.mapping.value = "#2";
  settings.kind = "asn";
  result = read_feed("csv", "a\tASN\nb\t64500\nc\n", settings);
  EXPECT_EQ(result.values, "autonomous-system AS64500\n");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"names of columns", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"record with too few columns", 1}}));

  settings = {};
  settings.mapping.value = "nowhere";
  EXPECT_EQ(feed_error("csv", "ip,x\n192.0.2.1,1\n", settings), "no such column: nowhere (the header has ip, x)");
  EXPECT_EQ(feed_error("csv", "a,b\nc,d\n").substr(0, 40), "no column that holds an indicator: a, b ");
  settings = {};
  settings.delimiter = '"';
  EXPECT_NE(feed_error("csv", "ip,x\n", settings), "");
}

TEST(CsvFeed, ATypeBesideAddressesMayMeanSomethingElse) {
  EXPECT_EQ(read_feed("csv", "ip,type\n192.0.2.1,C2\nevil.example,C2\n").values, "prefix 192.0.2.1\n");
  EXPECT_EQ(read_feed("csv", "ioc,type\n192.0.2.1,C2\n").counts.ignored,
            (Reasons{{"kind C2", 1}, {"names of columns", 1}}));
}

TEST(CsvFeed, QuotedFieldsMayHaveLineBreaks) {
  const auto result = read_feed("csv",
                                "ip,description\r\n"
                                "192.0.2.1,\"two\r\nlines with \"\"quotes\"\", and a comma\"\r\n"
                                "192.0.2.999,x\r\n");
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items.at(0).label, "two??lines with \"quotes\", and a comma");
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "line 4");
}

TEST(CsvFeed, AnOpenQuoteCostsOneRecord) {
  const auto result = read_feed("csv", "ip,x\n192.0.2.1,\"open\n192.0.2.2,y\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.2\n");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"quote that is not closed", 1}}));
}

TEST(CsvFeed, PatternsOfStixAreRead) {
  const auto result =
      read_feed("csv",
                "type,pattern,pattern_type\n"
                "indicator,[network-traffic:dst_ip = '192.0.2.1' AND network-traffic:dst_port = 1111],stix\n"
                "indicator,[ipv4-addr:value = '192.0.2.2' OR file:hashes.MD5 = 'a'],stix\n"
                "indicator,[file:hashes.MD5 = 'a'],stix\n"
                "indicator,[file:hashes.MD5 = ',stix\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.1 port 1111\nprefix 192.0.2.2\n");
  EXPECT_EQ(result.counts.left_out, (Reasons{{"alternative: file:hashes", 1}}));
  EXPECT_EQ(result.counts.ignored, (Reasons{{"file:hashes", 1}, {"names of columns", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"no STIX pattern", 1}}));
}

}  // namespace
}  // namespace orbwatch::intel
