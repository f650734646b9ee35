#include "intel/fetch/url.h"

#include <gtest/gtest.h>

#include <string>

namespace orbwatch::intel {
namespace {

TEST(Url, IsParsed) {
  const auto https = Url::parse("HTTPS://Feeds.Example.org/a/b.csv?key=1#part");
  ASSERT_TRUE(https) << https.error().text();
  EXPECT_EQ(https->scheme, Url::Scheme::kHttps);
  EXPECT_EQ(https->origin, "https://feeds.example.org:443");
  EXPECT_EQ(https->text.find('#'), std::string::npos);
  EXPECT_FALSE(https->loopback);
  const auto http = Url::parse("http://[::1]:8080/x");
  ASSERT_TRUE(http) << http.error().text();
  EXPECT_EQ(http->origin, "http://[::1]:8080");
  EXPECT_TRUE(http->loopback);
  EXPECT_TRUE(Url::parse("http://127.9.9.9/")->loopback);
  EXPECT_EQ(Url::parse("file:///var/lib/a%20b.csv")->text, "/var/lib/a b.csv");
  EXPECT_EQ(Url::parse("/var/lib/a b.csv")->text, "/var/lib/a b.csv");
  EXPECT_EQ(Url::parse("lists/a%20b.csv")->text, "lists/a%20b.csv");
}

TEST(Url, ThatIsNoneOfAFeedIsRefusedAndNotShown) {
  for (const std::string& text :
       {std::string(), std::string("ftp://h/x"), std::string("gopher://h/x"), std::string("https://"),
        std::string("https://h/a b"), std::string("https://h/\r\nX: y"), std::string("https://user:hush@h/"),
        std::string("file://otherhost/etc/hush"), std::string("file:///a%00b"), std::string("a\0hush", 6),
        "https://h/" + std::string(kLongestUrl, 'a')}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().text().find("hush"), std::string::npos) << url.error().text();
  }
}

TEST(Url, IsShownWithoutSecrets) {
  EXPECT_EQ(shown_url("https://user:hush@h:8443/a/list.csv?token=hush#hush"), "https://h:8443/a/list.csv?...");
  EXPECT_EQ(shown_url("https://h/files/0123456789abcdef0123456789abcdef/recent.csv"), "https://h/files/.../recent.csv");
  EXPECT_EQ(shown_url("https://h/feeds/compromised-addresses-of-today/list.csv"),
            "https://h/feeds/compromised-addresses-of-today/list.csv");
  const std::string uuid = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
  EXPECT_EQ(shown_url("https://h/" + uuid + "/collections/" + uuid + "/objects/?next=hush"),
            "https://h/.../collections/" + uuid + "/objects/?...");
  EXPECT_EQ(shown_url("https://h?k=hush"), "https://h?...");
  EXPECT_EQ(shown_url("/srv/0123456789abcdef0123456789abcdef/x?y"), "/srv/0123456789abcdef0123456789abcdef/x?y");
  EXPECT_EQ(shown_url("file:/srv/a"), "file:/srv/a");
  EXPECT_EQ(shown_url("https://h/a\x1b[31m"), "https://h/a?[31m");
}

TEST(Url, IsResolvedAsLinksAre) {
  const Url base = *Url::parse("https://h/taxii2/root/");
  EXPECT_EQ(resolve_url(base, "/api1/")->text, "https://h/api1/");
  EXPECT_EQ(resolve_url(base, "collections/")->text, "https://h/taxii2/root/collections/");
  EXPECT_EQ(resolve_url(base, "//other/x")->origin, "https://other:443");
  EXPECT_EQ(resolve_url(base, "http://h/x")->scheme, Url::Scheme::kHttp);
  EXPECT_FALSE(resolve_url(base, "file:///etc/passwd"));
  EXPECT_FALSE(resolve_url(base, "gopher://h/"));
  EXPECT_FALSE(resolve_url(base, ""));
  EXPECT_FALSE(resolve_url(base, "a b"));
  EXPECT_FALSE(resolve_url(*Url::parse("/a"), "b"));
}

TEST(Url, QueriesAreEscaped) {
  EXPECT_EQ(with_query("https://h/x", {{"match[type]", "a,b"}, {"next", "&x=1"}}),
            "https://h/x?match%5Btype%5D=a%2Cb&next=%26x%3D1");
  EXPECT_EQ(with_query("https://h/x?k=1", {{"a", "b"}}), "https://h/x?k=1&a=b");
  EXPECT_EQ(with_query("https://h/x", {}), "https://h/x");
}

}  // namespace
}  // namespace orbwatch::intel
