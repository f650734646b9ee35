#include "score/verdicts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "score/combine.h"

namespace orbwatch::score {
namespace {

using core::kDay;
using detect::FindingKind;

constexpr core::Nanoseconds kNow = 1'795'392'000 * core::kSecond;

Verdict verdict(std::string id, Judgement says, std::string finding = "f1") {
  Verdict v;
  v.id = std::move(id);
  v.time = kNow;
  v.author = "alice";
  v.says = says;
  v.reason = "known";
  v.finding = std::move(finding);
  v.log_odds = -4;
  v.users = {"bob"};
  v.sources = {*core::Ip::parse("203.0.113.7")};
  v.networks = {core::Prefix::neighbourhood(v.sources[0])};
  v.systems = {64496};
  v.gateway = "fw1";
  v.evidence = {{"new-network", 3}, {"new-country", 1}, {"usual-hour", -1}};
  v.expires = kNow + 90 * kDay;
  return v;
}
Finding finding(std::string id, const char* ip = "203.0.113.9", std::string user = "bob") {
  Finding f;
  f.id = std::move(id);
  f.time = f.end = kNow;
  f.log_odds = -4;
  f.alert = true;
  f.user = std::move(user);
  f.user_count = f.source_count = 1;
  f.source.ip = *core::Ip::parse(ip);
  f.source.asn = 64496;
  f.gateway = "fw1";
  return f;
}

TEST(VerdictsTest, ASuppressionKeepsBackWhatItCoversAndNothingWider) {
  const auto kept_back = [](Scope scope, Finding f) {
    Verdicts all;
    Verdict v = verdict("a1", Judgement::kBenign);
    v.scope = scope;
    EXPECT_EQ(all.take(v), Verdicts::Taken::kYes);
    all.annotate(f);
    EXPECT_EQ(f.alert, f.suppressed_by.id.empty());
    return !f.alert;
  };
  Finding other_network = finding("f2", "198.51.100.1");
  Finding other_user = finding("f2", "203.0.113.9", "carol");
  Finding other_kind = finding("f2");
  other_kind.kind = FindingKind::kSpray;
  Finding other_system = other_user;
  other_system.source.asn = 64497;
  Finding other_gateway = other_user;
  other_gateway.gateway = "fw2";
  EXPECT_TRUE(kept_back(Scope::kUserNetwork, finding("f2")));
  EXPECT_FALSE(kept_back(Scope::kUserNetwork, other_network));
  EXPECT_FALSE(kept_back(Scope::kUserNetwork, other_user));
  EXPECT_FALSE(kept_back(Scope::kUserNetwork, other_kind));
  EXPECT_TRUE(kept_back(Scope::kUser, other_network));
  EXPECT_FALSE(kept_back(Scope::kUser, other_user));
  EXPECT_TRUE(kept_back(Scope::kUserSystem, other_network));
  EXPECT_FALSE(kept_back(Scope::kUserSystem, other_user));
  EXPECT_TRUE(kept_back(Scope::kSourcePrefix, other_user));
  EXPECT_FALSE(kept_back(Scope::kSourcePrefix, other_network));
  EXPECT_TRUE(kept_back(Scope::kSystem, other_user));
  EXPECT_FALSE(kept_back(Scope::kSystem, other_system));
  EXPECT_TRUE(kept_back(Scope::kGateway, other_user));
  EXPECT_FALSE(kept_back(Scope::kGateway, other_gateway));
  EXPECT_FALSE(kept_back(Scope::kDevice, finding("f2"))) << "no device was judged";
  // Of several sources each must be covered, and all must be known.
  Finding many = finding("f2");
  many.source = {};
  many.sources = {finding("", "203.0.113.1").source, finding("", "203.0.113.2").source};
  many.source_count = 2;
  EXPECT_TRUE(kept_back(Scope::kUserNetwork, many));
  many.source_count = 3;
  EXPECT_FALSE(kept_back(Scope::kUserNetwork, many));
  many.source_count = 2;
  many.sources[1] = other_network.source;
  EXPECT_FALSE(kept_back(Scope::kUserNetwork, many));
}

TEST(VerdictsTest, WhatHasRisenFarAboveWhatWasJudgedStaysAnAlert) {
  Verdicts all;
  ASSERT_EQ(all.take(verdict("a1", Judgement::kBenign)), Verdicts::Taken::kYes);
  Finding f = finding("f2");
  f.log_odds = -4 + kMostRise;
  EXPECT_TRUE(all.annotate(f));
  EXPECT_FALSE(f.alert);
  f = finding("f3");
  f.log_odds = -4 + kMostRise + 0.01;
  EXPECT_FALSE(all.annotate(f));
  EXPECT_TRUE(f.alert);
  EXPECT_EQ(f.risen_above.id, "a1");
  EXPECT_NE(to_json(f).find("\"risen_above\":{\"id\":\"a1\",\"says\":\"benign\""), std::string::npos);
}

TEST(VerdictsTest, ExpiredReplacedAndWithdrawnOnesActNoMore) {
  Verdicts all;
  ASSERT_EQ(all.take(verdict("a1", Judgement::kBenign)), Verdicts::Taken::kYes);
  EXPECT_EQ(all.take(verdict("a1", Judgement::kBenign)), Verdicts::Taken::kKnown);
  Finding f = finding("f2");
  f.end = kNow + 90 * kDay;
  all.annotate(f);
  EXPECT_TRUE(f.alert) << "its last event lies behind the expiry";
  Verdict end;
  end.id = "a2";
  end.time = kNow;
  end.says = Judgement::kWithdrawn;
  end.withdraws = "none";
  EXPECT_EQ(all.take(end), Verdicts::Taken::kUnknown);
  end.withdraws = "a1";
  EXPECT_EQ(all.take(end), Verdicts::Taken::kYes);
  f = finding("f2");
  all.annotate(f);
  EXPECT_TRUE(f.alert);
  EXPECT_EQ(all.of("f1", kNow), nullptr);
  ASSERT_EQ(all.take(verdict("a3", Judgement::kBenign)), Verdicts::Taken::kYes);
  f = finding("f2");
  all.annotate(f);
  EXPECT_EQ(f.suppressed_by.id, "a3");
  ASSERT_EQ(all.take(verdict("a4", Judgement::kTrue)), Verdicts::Taken::kYes);
  f = finding("f1");
  all.annotate(f);
  EXPECT_TRUE(f.alert);
  EXPECT_EQ(f.verdict.says, "true");
  EXPECT_EQ(all.find("a3")->ended_by, "a4");
  EXPECT_EQ(all.entries().size(), 4U) << "nothing is removed";
}

TEST(VerdictsTest, AHitIsAnAlertKeptBackAndCountsOnce) {
  Verdicts all;
  ASSERT_EQ(all.take(verdict("a1", Judgement::kBenign)), Verdicts::Taken::kYes);
  Finding f = finding("f2");
  EXPECT_TRUE(all.annotate(f));
  f.alert = true;  // told once more
  EXPECT_FALSE(all.annotate(f));
  EXPECT_FALSE(f.alert);
  Finding below = finding("f3");
  below.alert = false;
  EXPECT_FALSE(all.annotate(below));
  EXPECT_TRUE(below.suppressed_by.id.empty());
  EXPECT_EQ(all.entries()[0].hits, 1U);
  EXPECT_EQ(all.entries()[0].last, kNow);
}

TEST(VerdictsTest, WeightsMoveLittleByFewAndAreBounded) {
  const auto of_kind = [](int n_true, int n_false, core::Nanoseconds when = kNow) {
    Verdicts all;
    for (int i = 0; i < n_true + n_false; ++i) {
      Verdict v = verdict(std::to_string(i), i < n_true ? Judgement::kTrue : Judgement::kFalse, std::to_string(i));
      v.evidence = {{i < n_true ? "good" : "noisy", 2}, {"both", 2}};
      v.expires = 0;
      all.take(v);
    }
    return all.corrections(when);
  };
  EXPECT_TRUE(of_kind(0, 0).empty());
  // m = 8 r / (0.5 + 8), r = 1/3, by hand.
  const double m = 8.0 / 3 / 8.5;
  EXPECT_NEAR(of_kind(0, 1).of("noisy"), std::log(m / (1 - m)) - std::log(0.5), 1e-9);
  EXPECT_LT(of_kind(0, 1).of("noisy"), -0.05);
  EXPECT_GT(of_kind(0, 1).of("noisy"), -0.15);
  EXPECT_EQ(of_kind(0, 1).of("good"), 0);
  const Corrections mixed = of_kind(10, 40);
  EXPECT_GT(mixed.of("good"), 0.5);
  EXPECT_LT(mixed.of("noisy"), -0.4);
  EXPECT_LT(std::abs(mixed.of("both")), 0.1) << "it does not tell one from the other";
  EXPECT_EQ(of_kind(1000, 10'000).of("good"), kMostCorrection);
  EXPECT_EQ(of_kind(1000, 1000).of("noisy"), -kMostCorrection);
  // With age they count less.
  EXPECT_GT(of_kind(10, 40, kNow + 360 * kDay).of("noisy"), mixed.of("noisy") + 0.1);
}

TEST(VerdictsTest, CorrectionsShiftPositiveRatiosAndTurnNone) {
  Verdicts all;
  for (int i = 0; i < 40; ++i) {
    Verdict v = verdict(std::to_string(i), i < 20 ? Judgement::kTrue : Judgement::kFalse, std::to_string(i));
    v.evidence = {{i < 20 ? "good" : "noisy", 2}};
    all.take(v);
  }
  const Corrections& corrections = all.corrections(kNow);
  const auto evidence = [](std::string_view kind, double llr) {
    return std::vector<detect::Evidence>{{.kind = kind,
                                          .detector = "",
                                          .group = detect::Group::kPlace,
                                          .finding = FindingKind::kLogin,
                                          .llr = llr,
                                          .says = ""}};
  };
  const auto shift = [&](std::string_view kind, double llr) {
    const auto one = evidence(kind, llr);
    return combine(FindingKind::kLogin, one, &corrections) - combine(FindingKind::kLogin, one);
  };
  EXPECT_NEAR(shift("good", 2), corrections.of("good"), 1e-9);
  EXPECT_NEAR(shift("noisy", 2), corrections.of("noisy"), 1e-9);
  EXPECT_NEAR(shift("noisy", 0.5), -0.5, 1e-9) << "evidence for an intruder never becomes evidence against one";
  EXPECT_EQ(shift("noisy", -2), 0);
  EXPECT_EQ(shift("other", 2), 0);
}

TEST(VerdictsTest, SurvivesTheArchive) {
  Verdicts all;
  Verdict v = verdict("a1", Judgement::kBenign);
  ASSERT_EQ(all.take(v), Verdicts::Taken::kYes);
  ASSERT_EQ(all.take(verdict("a2", Judgement::kTrue, "f9")), Verdicts::Taken::kYes);
  Finding f = finding("f2");
  ASSERT_TRUE(all.annotate(f));
  core::ArchiveWriter writer;
  all.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  Verdicts loaded;
  loaded.load(reader);
  ASSERT_TRUE(reader.finish());
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded.entries()[0].hits, 1U);
  f = finding("f4");
  EXPECT_TRUE(loaded.annotate(f));
  EXPECT_EQ(f.suppressed_by.id, "a1");
  EXPECT_EQ(f.suppressed_by.reason, "known");
  EXPECT_TRUE(loaded.intruder("bob", *core::Ip::parse("203.0.113.200"), false, kNow));
  EXPECT_FALSE(loaded.intruder("bob", *core::Ip::parse("203.0.113.200"), true, kNow));
  EXPECT_TRUE(loaded.intruder("bob", *core::Ip::parse("203.0.113.7"), true, kNow));
  EXPECT_FALSE(loaded.intruder("carol", *core::Ip::parse("203.0.113.7"), false, kNow));
  EXPECT_EQ(loaded.corrections(kNow).list(), all.corrections(kNow).list());
}

TEST(VerdictsTest, AFindingWithoutVerdictsIsWrittenAsBefore) {
  Finding f = finding("f1");
  const std::string before = to_json(f);
  Verdicts none;
  EXPECT_FALSE(none.annotate(f));
  EXPECT_EQ(to_json(f), before);
  EXPECT_EQ(before.find("verdict"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::score
