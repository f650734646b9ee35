#include "intel/feed/value.h"

#include <gtest/gtest.h>

#include <set>

namespace orbwatch::intel {
namespace {

// "kind value[ host][ :port]", or why there is none.
std::string said(const ValueVerdict& verdict, const std::vector<FeedValue>& values) {
  if (verdict.fate == ValueFate::kIgnored) return "ignored: " + verdict.reason;
  if (verdict.fate == ValueFate::kRejected) return "rejected: " + verdict.reason;
  std::string out;
  for (const FeedValue& value : values) {
    out += (out.empty() ? "" : ", ") + std::string(name(value.kind)) + " " + value.value;
    if (!value.host.empty()) out += " host " + value.host;
    if (value.kind == FeedKind::kUrl && value.host.empty()) out += " address " + value.prefix.base.text();
    if (value.port != 0) out += " port " + std::to_string(value.port);
  }
  return out;
}
std::string look(std::string_view text, ValueRules rules = {}) {
  std::vector<FeedValue> values;
  const ValueVerdict verdict = read_value(text, rules, values);
  return said(verdict, values);
}
std::string as(std::string_view kind, std::string_view text) {
  std::vector<FeedValue> values;
  const ValueVerdict verdict = read_value(text, kind_of_name(kind), {}, values);
  return said(verdict, values);
}

TEST(FeedValue, IsReadByItsLook) {
  EXPECT_EQ(look("192.0.2.1"), "prefix 192.0.2.1");
  EXPECT_EQ(look("192.0.2.77/24"), "prefix 192.0.2.0/24");
  EXPECT_EQ(look("2001:DB8::1"), "prefix 2001:db8::1");
  EXPECT_EQ(look("192.0.2.1:443"), "prefix 192.0.2.1 port 443");
  EXPECT_EQ(look("[2001:db8::1]:443"), "prefix 2001:db8::1 port 443");
  EXPECT_EQ(look("192.0.2.1-192.0.2.2"), "prefix 192.0.2.1, prefix 192.0.2.2");
  EXPECT_EQ(look("Evil.Example."), "domain evil.example");
  EXPECT_EQ(look("evil.example:8080"), "domain evil.example port 8080");
  EXPECT_EQ(look("evil.example/x?y"), "url evil.example/x?y host evil.example");
  EXPECT_EQ(look("HTTPS://user@Evil.example/X"), "url https://user@Evil.example/X host evil.example port 443");
  EXPECT_EQ(look("http://192.0.2.1:8080/x"), "url http://192.0.2.1:8080/x address 192.0.2.1 port 8080");
  EXPECT_EQ(look("http://[2001:db8::1]/"), "url http://[2001:db8::1]/ address 2001:db8::1 port 80");
  EXPECT_EQ(look("192.0.2.1/index.html"), "url 192.0.2.1/index.html address 192.0.2.1");
  EXPECT_EQ(look("192.0.2.1:81/1.sh"), "url 192.0.2.1:81/1.sh address 192.0.2.1 port 81");
  EXPECT_EQ(look("AS64500"), "autonomous-system AS64500");
  EXPECT_EQ(look("asn 64500"), "autonomous-system AS64500");
}

TEST(FeedValue, WhatNoEventCarriesIsIgnoredByName) {
  EXPECT_EQ(look("d41d8cd98f00b204e9800998ecf8427e"), "ignored: file hash");
  EXPECT_EQ(look("d41d8cd98f00b204e9800998ecf8427e;da39a3ee5e6b4b0d3255bfef95601890afd80709"), "ignored: file hash");
  EXPECT_EQ(look("somebody@evil.example"), "ignored: mail address");
  EXPECT_EQ(look("/gate.php"), "ignored: URL path without a host");
  EXPECT_EQ(look("*.evil.example"), "ignored: name with a wildcard");
  EXPECT_EQ(as("regkey", "HKLM\\x"), "ignored: registry key");
  EXPECT_EQ(as("x509-fingerprint-md5", "d41d8cd98f00b204e9800998ecf8427e"), "ignored: certificate MD5");
  EXPECT_EQ(as("SHA256 hash", "whatever"), "ignored: file hash");
  EXPECT_EQ(as("ssh-fingerprint", "d41d8cd98f00b204e9800998ecf8427e"), "ignored: SSH key that is not given by SHA-256");
}

TEST(FeedValue, WhatWouldMatchEverythingOrNothingIsRejected) {
  EXPECT_EQ(look("10.0.0.1"), "rejected: address that is not met on the Internet");
  EXPECT_EQ(look("http://127.0.0.1/x"), "rejected: address that is not met on the Internet");
  EXPECT_EQ(look("10.0.0.1-10.0.0.9"), "rejected: address that is not met on the Internet");
  EXPECT_EQ(look("0.0.0.0/0"), "rejected: prefix too wide");
  EXPECT_EQ(look("16.0.0.0/7"), "rejected: prefix too wide");
  EXPECT_EQ(look("2000::/15"), "rejected: prefix too wide");
  EXPECT_EQ(look("8.0.0.0/8"), "prefix 8.0.0.0/8");
  EXPECT_EQ(look("192.0.2.9-192.0.2.1"), "rejected: range that is no range");
  EXPECT_EQ(look("192.0.2.1:70000"), "rejected: port that is none");
  EXPECT_EQ(look("192.0.2.999"), "rejected: not an indicator");
  EXPECT_EQ(look("word"), "rejected: not an indicator");
  EXPECT_EQ(look("two words.example"), "rejected: not an indicator");
  EXPECT_EQ(look("-evil.example"), "rejected: not an indicator");
  EXPECT_EQ(look("ex\xc3\xa4mple.org"), "rejected: name that is not ASCII");
  EXPECT_EQ(look("http:///x"), "rejected: URL without a host");
  EXPECT_EQ(look(std::string_view("http://evil.example/\0", 21)), "rejected: control character in a URL");
  EXPECT_EQ(look(""), "rejected: no value");
  EXPECT_EQ(look("http://evil.example/" + std::string(kLongestValue, 'a')), "rejected: value too long");
  EXPECT_EQ(look(std::string(64, 'a') + ".example"), "rejected: not an indicator");
}

TEST(FeedValue, BenignListsMayHoldWhatOthersMayNot) {
  EXPECT_EQ(look("10.0.0.0/8", {true, 1024}), "prefix 10.0.0.0/8");
  EXPECT_EQ(look("0.0.0.0/1", {true, 1024}), "prefix 0.0.0.0/1");
}

TEST(FeedValue, IsReadAsItsKindSays) {
  EXPECT_EQ(as("asn", "64500"), "autonomous-system AS64500");
  EXPECT_EQ(as("AS", "AS64500"), "autonomous-system AS64500");
  EXPECT_EQ(as("asn", "4294967296"), "rejected: not a number of an autonomous system");
  EXPECT_EQ(as("ipv4_addr", "evil.example"), "rejected: not an address");
  EXPECT_EQ(as("domain", "evil"), "rejected: not a domain");
  EXPECT_EQ(as("hostname|port", "evil.example|81"), "domain evil.example port 81");
  EXPECT_EQ(as("url", "evil.example/a"), "url evil.example/a host evil.example");
  EXPECT_EQ(as("domain|ip", "evil.example|192.0.2.1"), "domain evil.example, prefix 192.0.2.1");
  EXPECT_EQ(as("domain|ip", "evil.example|10.0.0.1"), "domain evil.example");
  EXPECT_EQ(as("domain|ip", "evil|10.0.0.1"), "rejected: not a domain");
  EXPECT_EQ(as("ip-dst|port", "192.0.2.1|81"), "prefix 192.0.2.1 port 81");
  EXPECT_EQ(as("ip:port", "192.0.2.1:81"), "prefix 192.0.2.1 port 81");
  EXPECT_EQ(as("ip-dst|port", "192.0.2.1|0"), "rejected: not an address and a port");
  EXPECT_EQ(as("certificate", "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09"),
            "certificate-fingerprint da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(as("certificate", "da39"), "rejected: not a fingerprint of a certificate");
  EXPECT_EQ(as("ja3", "D41D8CD98F00B204E9800998ECF8427E"), "ja3 d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(as("jarm-fingerprint", std::string(62, 'A')), "jarm " + std::string(62, 'a'));
  EXPECT_EQ(as("jarm", std::string(61, 'a')), "rejected: not a JARM fingerprint");
  EXPECT_EQ(as("hasshserver-md5", "d41d8cd98f00b204e9800998ecf8427e"), "hassh-server d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(as("ja4", "t13d1516h2_8daaf6152771_b186095e22b6"), "ja4 t13d1516h2_8daaf6152771_b186095e22b6");
  EXPECT_EQ(as("ssh-fingerprint", "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8="),
            "ssh-key SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8");
  EXPECT_EQ(as("user-agent", "Mozilla/5.0 (x)"), "user-agent Mozilla/5.0 (x)");
  EXPECT_EQ(as("user-agent", "a\tb"), "rejected: control character in a value");
  EXPECT_EQ(kind_of_name("no such kind").meaning, KindName::Meaning::kUnknown);
}

TEST(FeedValue, KindsHaveDifferentNames) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kFeedKinds; ++i) {
    names.insert(name(static_cast<FeedKind>(i)));
    // Settings name kinds as messages do.
    EXPECT_NE(kind_of_name(name(static_cast<FeedKind>(i))).meaning, KindName::Meaning::kUnknown);
    EXPECT_EQ(kind_of_name(name(static_cast<FeedKind>(i))).kind, static_cast<FeedKind>(i));
  }
  EXPECT_EQ(names.size(), kFeedKinds);
}

}  // namespace
}  // namespace orbwatch::intel
