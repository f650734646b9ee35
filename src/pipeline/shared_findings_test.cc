#include "pipeline/shared_findings.h"

#include <gtest/gtest.h>

#include "score/finding.h"
#include "support/sample_findings.h"

namespace orbwatch::pipeline {
namespace {

TEST(SharedFindings, AreReadAsTheyWereWritten) {
  for (const auto& [kind, f] : exporting::findings_of_every_kind()) {
    if (kind == "empty" || kind == "hostile") continue;
    const auto read = parse_shared_finding(score::to_json(f));
    ASSERT_TRUE(read) << kind << ": " << read.error().text();
    EXPECT_EQ(read->id, f.id);
    EXPECT_EQ(read->kind, f.kind);
    EXPECT_EQ(read->time, f.time);
    EXPECT_EQ(read->end, f.end);
    EXPECT_NEAR(read->score, f.score, 1e-4);
    EXPECT_EQ(read->source.ip, f.source.ip);
    EXPECT_EQ(read->source.asn, f.source.asn);
    EXPECT_EQ(read->source.network_type, f.source.network_type);
    EXPECT_EQ(read->sources.size(), f.sources.size());
    EXPECT_EQ(read->attack, f.attack);
    EXPECT_EQ(read->records.size(), f.records.size());
    ASSERT_EQ(read->timeline.size(), f.timeline.size());
    for (std::size_t i = 0; i < f.timeline.size(); ++i) EXPECT_EQ(read->timeline[i].what, f.timeline[i].what);
    // Who and where it was is not even read.
    EXPECT_EQ(read->user, "");
    EXPECT_TRUE(read->users.empty());
    EXPECT_EQ(read->gateway, "");
    EXPECT_EQ(read->source.org, "");
    EXPECT_EQ(read->source.city, "");
  }
}

TEST(SharedFindings, AGatewaysAddressIsReadSoThatItIsNotGiven) {
  score::Finding f = exporting::findings_of_every_kind().front().second;
  f.gateway = "203.0.113.5";
  f.device = "router7.example";
  const auto read = parse_shared_finding(score::to_json(f));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->gateway, "203.0.113.5");
  EXPECT_EQ(read->device, "");
}

TEST(SharedFindings, WhatIsNoneIsAnError) {
  const std::string whole = score::to_json(exporting::findings_of_every_kind().front().second);
  for (std::size_t cut = 0; cut < whole.size(); cut += 7)
    EXPECT_FALSE(parse_shared_finding(whole.substr(0, cut))) << cut;
  for (const char* text :
       {"{}", "[]", "5", "{\"id\":\"1\"}", "{\"id\":\"1\",\"kind\":\"dream\"}", "{\"id\":1,\"kind\":\"login\"}"})
    EXPECT_FALSE(parse_shared_finding(text)) << text;
  for (const std::string& text : exporting::hostile_texts()) {
    const auto read = parse_shared_finding(score::to_json(exporting::filled_with(text)));
    ASSERT_TRUE(read) << read.error().text();
    exporting::sharing::Rules rules;
    rules.all = true;
    exporting::sharing::Selection selection(rules);
    selection.add(*read);
    const exporting::sharing::Shared shared = selection.take();
    for (const auto& network : shared.networks()) EXPECT_LE(network.id.size(), 64U);
  }
  // Members of other types are passed over.
  EXPECT_TRUE(parse_shared_finding(
      R"({"id":"1","kind":"login","score":"x","source":5,"sources":{},"timeline":[5],"attack":[5],"verdict":[],"time":7})"));
}

}  // namespace
}  // namespace orbwatch::pipeline
