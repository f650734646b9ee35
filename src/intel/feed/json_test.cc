#include <gtest/gtest.h>

#include "intel/feed/test_items.h"

namespace orbwatch::intel {
namespace {

TEST(JsonFeed, ArraysAndLinesOfObjects) {
  const std::string one =
      R"({"ioc":"192.0.2.1","ioc_type":"ip","port":81,"confidence":50,"tags":["a","b"],"malware":"x"})";
  const std::string two = R"({"ioc":"evil.example","first_seen":"2026-01-01","last_seen":null})";
  std::string inside = R"({"data":[)";
  inside.append(one).append(",").append(two).append(R"(],"n":2})");
  std::string lines = one;
  lines.append("\n\n").append(two).append("\n");
  for (const std::string& text : {inside, lines, inside.substr(8, inside.size() - 15)}) {
    const auto result = read_feed("json", text);
    EXPECT_EQ(result.values, "prefix 192.0.2.1 port 81\ndomain evil.example\n") << text;
    EXPECT_EQ(result.items.at(0).item.confidence, 50);
    EXPECT_EQ(result.items.at(0).tags, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(result.items.at(0).label, "x");
    EXPECT_EQ(result.items.at(1).item.first_seen, moment("2026-01-01T00:00:00Z"));
  }
  EXPECT_EQ(read_feed("json", R"(["192.0.2.1","evil.example",5])").counts.rejected,
            (Reasons{{"record that is no object", 1}}));
  EXPECT_EQ(read_feed("json", R"({"1":[{"ioc_value":"192.0.2.1"}],"2":[{"ioc_value":"192.0.2.2"}]})").values,
            "prefix 192.0.2.1\nprefix 192.0.2.2\n");
}

TEST(JsonFeed, FieldsAreMappedByPath) {
  FeedSettings settings;
  settings.records_path = "reply.items";
  settings.mapping.value = "node.address";
  settings.mapping.label = "what";
  settings.skip = 1;
  const auto result = read_feed("json",
                                R"({"reply":{"items":[{},{"node":{"address":"192.0.2.1"},"what":"relay"},
                                    {"node":{"address":{"x":1}}},{"node":5}]}})",
                                settings);
  EXPECT_EQ(result.values, "prefix 192.0.2.1\n");
  EXPECT_EQ(result.items.at(0).label, "relay");
  EXPECT_EQ(result.counts.ignored, (Reasons{{"skipped record", 1}}));
  EXPECT_EQ(result.counts.rejected, (Reasons{{"field that is no text", 1}, {"no value", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "/reply/items/2");
  settings.records_path = "reply.nothing";
  EXPECT_NE(feed_error("json", R"({"reply":{}})", settings), "");
}

TEST(JsonFeed, ABrokenLineIsRejectedABrokenDocumentIsAnError) {
  const auto result = read_feed("json", "{\"ip\":\"192.0.2.1\"}\n{\"ip\":\n{\"ip\":\"192.0.2.2\"}\n");
  EXPECT_EQ(result.values, "prefix 192.0.2.1\nprefix 192.0.2.2\n");
  EXPECT_EQ(result.counts.rejected, (Reasons{{"no valid JSON", 1}}));
  EXPECT_EQ(result.counts.first_rejected.at(0).place, "line 2");
  std::string many = "{\"ip\":\"192.0.2.1\"}\n";
  for (int i = 0; i < 30; ++i) many += "{\n";
  EXPECT_EQ(read_feed("json", many).counts.rejected, (Reasons{{"no valid JSON", 30}}));
  EXPECT_NE(feed_error("json", "[{\"ip\":\"192.0.2.1\"},{\"ip\":"), "");
  EXPECT_NE(feed_error("json", ""), "");
  EXPECT_NE(feed_error("json", "5"), "");
  EXPECT_NE(feed_error("json", "{\"a\":1}"), "");
  EXPECT_NE(feed_error("json", "[{\"a\":1}]"), "");
  // "value" alone names anything.
  EXPECT_NE(feed_error("json", R"([{"value":"gozi.example"}])"), "");
}

}  // namespace
}  // namespace orbwatch::intel
