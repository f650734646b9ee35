#include "intel/feed/stix_pattern.h"

#include <gtest/gtest.h>

namespace orbwatch::intel {
namespace {

// What a pattern gives: "kind value[ role][ :port][ /protocol]" for each value, "-name" for what is refused.
std::string read(std::string_view text) {
  const auto pattern = read_stix_pattern(text, {});
  if (!pattern) return "error: " + pattern.error().seen;
  std::string out;
  for (const FeedValue& value : pattern->values) {
    out += (out.empty() ? "" : ", ") + std::string(name(value.kind)) + " " + value.value;
    if (value.role != FeedRole::kAny) out += value.role == FeedRole::kSource ? " source" : " destination";
    if (value.port != 0) out += " :" + std::to_string(value.port);
    if (value.protocol != 0) out += " /" + std::to_string(value.protocol);
  }
  for (const ValueVerdict& refused : pattern->refused) {
    out += (out.empty() ? "" : ", ") + std::string(refused.fate == ValueFate::kIgnored ? "-" : "!") + refused.reason;
  }
  return out;
}

TEST(StixPattern, ValuesOfEveryKind) {
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1']"), "prefix 192.0.2.1");
  EXPECT_EQ(read("[ ipv6-addr:value='2001:db8::/48' ]"), "prefix 2001:db8::/48");
  EXPECT_EQ(read("[ipv4-addr:value ISSUBSET '198.51.100.0/24']"), "prefix 198.51.100.0/24");
  EXPECT_EQ(read("[domain-name:value = 'Evil.example']"), "domain evil.example");
  EXPECT_EQ(read("[url:value = 'http://evil.example/x']"), "url http://evil.example/x :80");
  EXPECT_EQ(read("[autonomous-system:number = 64500]"), "autonomous-system AS64500");
  EXPECT_EQ(read("[network-traffic:dst_ref.value = '192.0.2.1']"), "prefix 192.0.2.1 destination");
  EXPECT_EQ(read("[network-traffic:src_ref.value = 'evil.example']"), "domain evil.example source");
  EXPECT_EQ(read("[x509-certificate:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']"),
            "certificate-fingerprint da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(read("[x509-certificate:subject = 'CN=jdyfj']"), "certificate-subject CN=jdyfj");
  EXPECT_EQ(read("[x509-certificate:issuer = 'CN=O\\'Neil \\\\ x']"), "certificate-issuer CN=O'Neil \\ x");
  EXPECT_EQ(read("[network-traffic:extensions.'x-tls'.ja3 = 'd41d8cd98f00b204e9800998ecf8427e']"),
            "ja3 d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(read("[network-traffic:x_jarm = '" + std::string(62, '0') + "']"), "jarm " + std::string(62, '0'));
  EXPECT_EQ(read("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'curl']"),
            "user-agent curl");
}

TEST(StixPattern, OrGivesAlternatives) {
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'evil.example']"),
            "prefix 192.0.2.1, domain evil.example");
  EXPECT_EQ(read("[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]"), "prefix 192.0.2.1, prefix 192.0.2.2");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] OR ([ipv4-addr:value = '192.0.2.2'])"),
            "prefix 192.0.2.1, prefix 192.0.2.2");
  // An alternative that cannot be used does not hinder the others, and is named.
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' OR file:hashes.MD5 = 'x']"), "prefix 192.0.2.1, -file:hashes");
  EXPECT_EQ(read("[ipv4-addr:value = '10.0.0.1' OR ipv4-addr:value = '192.0.2.2']"),
            "prefix 192.0.2.2, !address that is not met on the Internet");
}

TEST(StixPattern, AndRestrictsByPortProtocolAndType) {
  EXPECT_EQ(read("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND "
                 "network-traffic:dst_port = 8080 AND network-traffic:protocols[*] = 'tcp']"),
            "prefix 192.0.2.1 destination :8080 /6");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND network-traffic:src_port = 53]"), "prefix 192.0.2.1 source :53");
  EXPECT_EQ(read("[network-traffic:dst_ip = '192.0.2.1' AND network-traffic:dst_port = 1111]"),
            "prefix 192.0.2.1 destination :1111");
  // AND binds more than OR; brackets change it.
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2' AND network-traffic:dst_port = 81]"),
            "prefix 192.0.2.1, prefix 192.0.2.2 destination :81");
  EXPECT_EQ(read("[(ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2') AND network-traffic:dst_port IN "
                 "(81, 82)]"),
            "prefix 192.0.2.1 destination :81, prefix 192.0.2.1 destination :82, prefix 192.0.2.2 destination :81, "
            "prefix 192.0.2.2 destination :82");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND ipv4-addr:value = '192.0.2.1']"), "prefix 192.0.2.1");
}

TEST(StixPattern, NoConjunctIsDropped) {
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND file:hashes.MD5 = 'x']"), "-AND of address and file:hashes");
  EXPECT_EQ(read("[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']"),
            "-AND of domain and domain-name:resolves_to_refs");
  EXPECT_EQ(read("[domain-name:value = 'evil.example' AND ipv4-addr:value = '192.0.2.1']"),
            "-AND of domain and address");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND ipv4-addr:value = '192.0.2.2']"), "-AND of address and address");
  EXPECT_EQ(read("[network-traffic:src_ref.value = '192.0.2.1' AND network-traffic:dst_ref.value = '192.0.2.2']"),
            "-AND of two addresses");
  EXPECT_EQ(read("[network-traffic:src_ref.value = '192.0.2.1' AND network-traffic:dst_port = 22]"),
            "-AND of an address and the other side's port");
  EXPECT_EQ(read("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 22 AND "
                 "network-traffic:src_port = 23]"),
            "-AND of two ports");
  EXPECT_EQ(read("[network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = '192.0.2.1']"),
            "-AND of an address and a type");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND network-traffic:protocols[0] = 'http']"), "-protocol http");
  EXPECT_EQ(read("[url:value = 'http://evil.example/' AND network-traffic:dst_port = 22]"),
            "-AND of url and port or protocol");
  EXPECT_EQ(read("[x509-certificate:issuer = 'a' AND x509-certificate:serial_number = 'b']"),
            "-AND of certificate-issuer and x509-certificate:serial_number");
  EXPECT_EQ(read("[network-traffic:dst_port = 22]"), "-port without an address");
}

TEST(StixPattern, OtherOperatorsAreRefusedByName) {
  EXPECT_EQ(read("[ipv4-addr:value != '192.0.2.1']"), "-!=");
  EXPECT_EQ(read("[ipv4-addr:value NOT = '192.0.2.1']"), "-NOT");
  EXPECT_EQ(read("[ipv4-addr:value NOT IN ('192.0.2.1', '192.0.2.2')]"), "-NOT");
  EXPECT_EQ(read("[NOT (ipv4-addr:value = '192.0.2.1')]"), "-NOT");
  EXPECT_EQ(read("[domain-name:value LIKE '%.example']"), "-LIKE");
  EXPECT_EQ(read("[domain-name:value MATCHES '^a']"), "-MATCHES");
  EXPECT_EQ(read("[ipv4-addr:value ISSUPERSET '192.0.2.1/32']"), "-ISSUPERSET");
  EXPECT_EQ(read("[domain-name:value ISSUBSET 'evil.example']"), "-ISSUBSET");
  EXPECT_EQ(read("[network-traffic:dst_port > 1024]"), "->");
  EXPECT_EQ(read("[network-traffic:dst_port <= 1024]"), "-<=");
  EXPECT_EQ(read("[EXISTS ipv4-addr:value]"), "-EXISTS");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND domain-name:value MATCHES '^a']"), "-MATCHES");
}

TEST(StixPattern, SequencesAndQualifiersAreRefusedByName) {
  const std::string one = "[ipv4-addr:value = '192.0.2.1']";
  EXPECT_EQ(read(one + " FOLLOWEDBY " + one), "-FOLLOWEDBY");
  EXPECT_EQ(read(one + " AND " + one), "-AND of observations");
  EXPECT_EQ(read(one + " WITHIN 5 SECONDS"), "-WITHIN");
  EXPECT_EQ(read(one + " REPEATS 5 TIMES"), "-REPEATS");
  EXPECT_EQ(read("(" + one + " OR " + one + ") REPEATS 5 TIMES"), "-REPEATS");
  EXPECT_EQ(read(one + " OR " + one + " AND " + one), "prefix 192.0.2.1, -AND of observations");
}

TEST(StixPattern, StartAndStopAreAValidity) {
  const auto pattern = read_stix_pattern(
      "[ipv4-addr:value = '192.0.2.1'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'", {});
  ASSERT_TRUE(pattern);
  ASSERT_EQ(pattern->values.size(), 1U);
  EXPECT_EQ(core::rfc3339(pattern->values[0].valid_from), "2026-01-01T00:00:00Z");
  EXPECT_EQ(core::rfc3339(pattern->values[0].valid_until), "2026-02-01T00:00:00Z");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] START t'2026-02-01T00:00:00Z' STOP t'2026-01-01T00:00:00Z'"),
            "error: START and STOP that are no time span at byte 90");
}

TEST(StixPattern, WrongValuesAreRejected) {
  EXPECT_EQ(read("[ipv4-addr:value = 'evil.example']"), "!not an address");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1-192.0.2.9']"), "!not an address");
  EXPECT_EQ(read("[ipv4-addr:value = '2001:db8::1']"), "!address of the wrong family");
  EXPECT_EQ(read("[ipv6-addr:value = '192.0.2.1']"), "!address of the wrong family");
  EXPECT_EQ(read("[ipv4-addr:value = 5]"), "!value of the wrong type");
  EXPECT_EQ(read("[ipv4-addr:value = '0.0.0.0/0']"), "!prefix too wide");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 70000]"), "!port that is none");
}

TEST(StixPattern, BrokenTextsAreErrors) {
  EXPECT_EQ(read(""), "error: no observation at byte 0");
  EXPECT_EQ(read("ipv4-addr:value = '192.0.2.1'"), "error: no observation at byte 0");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'"), "error: an observation that is not closed at byte 30");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1] x"), "error: a quote that is not closed at byte 19");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] x"), "error: something behind the pattern at byte 32");
  EXPECT_EQ(read("[ipv4-addr = '192.0.2.1']"), "error: an object type without a property at byte 11");
  EXPECT_EQ(read("[ipv4-addr:value '192.0.2.1']"), "error: no operator at byte 17");
  EXPECT_EQ(read("[ipv4-addr:value IN ()]"), "error: an empty set at byte 22");
  EXPECT_EQ(read("[ipv4-addr:value = ]"), "error: no value at byte 19");
  EXPECT_EQ(read("[a:b[ = 1]"), "error: no index at byte 6");
  EXPECT_EQ(read("[a:b = 1 AND]"), "error: no object path at byte 12");
  EXPECT_EQ(read("[a:b = 1;]"), "error: a sign that no pattern has at byte 8");
  EXPECT_EQ(read("[a:b = 1x]"), "error: a number that runs on at byte 8");
}

TEST(StixPattern, IsBounded) {
  const std::string deep(100000, '(');
  EXPECT_EQ(read(deep.substr(0, 1000) + "[a:b = 1]"), "error: brackets too deep at byte 33");
  EXPECT_EQ(read("[" + deep.substr(0, 1000) + "a:b = 1]").substr(0, 24), "error: brackets too deep");
  EXPECT_EQ(read(deep), "error: 100000 bytes");
  // Each AND of a set multiplies the alternatives.
  std::string sets = "[";
  for (int i = 0; i < 12; ++i) sets += std::string(i > 0 ? " AND " : "") + "a:b IN (1, 2, 3, 4)";
  EXPECT_EQ(read(sets + "]").substr(0, 28), "error: too many alternatives");
  std::string conjuncts = "[a:b = 1";
  for (int i = 0; i < 40; ++i) conjuncts += " AND a:b = 1";
  EXPECT_EQ(read(conjuncts + "]").substr(0, 25), "error: too many conjuncts");
  std::string tests = "[a:b = 1";
  for (std::size_t i = 0; i < kMostPatternTests; ++i) tests += " OR a:b=1";
  EXPECT_EQ(read(tests + "]").substr(0, 15), "error: too many");
}

TEST(StixPattern, IsToldFromDefangedAddresses) {
  EXPECT_TRUE(looks_like_stix_pattern("[ipv4-addr:value = '192.0.2.1']"));
  EXPECT_TRUE(looks_like_stix_pattern("([ipv4-addr:value = '192.0.2.1'])"));
  EXPECT_FALSE(looks_like_stix_pattern("[2001:db8::1]:443"));
  EXPECT_FALSE(looks_like_stix_pattern("[.]evil"));
}

}  // namespace
}  // namespace orbwatch::intel
