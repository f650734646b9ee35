#include "pipeline/config_edit.h"

#include <gtest/gtest.h>

#include "pipeline/config.h"

namespace orbwatch::pipeline {
namespace {

intel::FeedSource feed(const std::string& name = "new") {
  intel::FeedSource out;
  out.name = name;
  out.from = "/srv/it's a list.csv";
  return out;
}

std::string added(const std::string& yaml, const intel::FeedSource& what = feed()) {
  const auto out = with_feed(yaml, "c.yaml", what);
  EXPECT_TRUE(out) << yaml << (out ? "" : out.error().text());
  return out ? *out : "";
}

std::string refused(const std::string& yaml, const intel::FeedSource& what = feed()) {
  const auto out = with_feed(yaml, "c.yaml", what);
  EXPECT_FALSE(out) << *out;
  return out ? "" : out.error().text();
}

const std::string kNew = "  - name: 'new'\n    from: '/srv/it''s a list.csv'\n";

TEST(ConfigEdit, PutsAFeedBehindTheLast) {
  EXPECT_EQ(added(""), "feeds:\n" + kNew);
  EXPECT_EQ(added("timezone: UTC  # ours\n"), "timezone: UTC  # ours\n\nfeeds:\n" + kNew);
  EXPECT_EQ(added("timezone: UTC"), "timezone: UTC\n\nfeeds:\n" + kNew);
  EXPECT_EQ(added("feeds:\n  - name: a  # first\n    from: b\n    # of a\n\n# of the rest\ntimezone: UTC\n"),
            "feeds:\n  - name: a  # first\n    from: b\n    # of a\n" + kNew + "\n# of the rest\ntimezone: UTC\n");
  EXPECT_EQ(
      added("feeds:\n- {name: a, from: b}\n- # two\n  name: c\n  from: d"),
      "feeds:\n- {name: a, from: b}\n- # two\n  name: c\n  from: d\n- name: 'new'\n  from: '/srv/it''s a list.csv'\n");
  EXPECT_EQ(added("feeds:\n  -\n    # the first\n    name: a\n    from: b\nstate: /s\n"),
            "feeds:\n  -\n    # the first\n    name: a\n    from: b\n" + kNew + "state: /s\n");
  EXPECT_EQ(added("feeds:\n  - {name: a,\n     from: b,\n     label: \"x\"}\n"),
            "feeds:\n  - {name: a,\n     from: b,\n     label: \"x\"}\n" + kNew);
}

TEST(ConfigEdit, WritesWhatIsNotDefault) {
  intel::FeedSource f = feed("group-1");
  f.from = "https://taxii.example/taxii2/";
  f.protocol = intel::FeedProtocol::kTaxii;
  f.collection = "123: #x";
  f.half_life_days = 20.5;
  f.settings.known_good = true;
  f.settings.label = "true";
  const auto config = parse_config(added("state: /s\n", f), "c.yaml");
  ASSERT_TRUE(config) << config.error().text();
  const intel::FeedSource& read = config->feeds.at(0);
  EXPECT_EQ(read.name, "group-1");
  EXPECT_EQ(read.from, f.from);
  EXPECT_EQ(read.protocol, f.protocol);
  EXPECT_EQ(read.collection, f.collection);
  EXPECT_EQ(read.half_life_days, 20.5);
  EXPECT_TRUE(read.settings.known_good);
  EXPECT_EQ(read.settings.label, "true");
}

TEST(ConfigEdit, RefusesWhatItCannotDoSafely) {
  EXPECT_NE(refused("feeds:\n  - {name: new, from: b}\n").find("there is a feed of that name"), std::string::npos);
  for (const char* yaml : {"feeds: [{name: a, from: b}]\n", "feeds: []\n", "timezone: UTC\n...\n", "{timezone: UTC}\n"})
    EXPECT_NE(refused(yaml).find("by hand: - name: 'new'"), std::string::npos) << yaml << refused(yaml);
  EXPECT_NE(refused("feeds: 7\n").find("c.yaml:1"), std::string::npos);
  EXPECT_NE(refused("a: [\n").find("c.yaml"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::pipeline
