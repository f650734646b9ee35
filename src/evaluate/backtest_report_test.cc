#include "evaluate/backtest_report.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>

#include "score/budget.h"

namespace orbwatch::evaluate {
namespace {

using core::intern;
using core::kDay;
using core::kMinute;

constexpr Nanoseconds kStart = Nanoseconds{20'000} * kDay;

BacktestResult made_up() {
  BacktestResult r;
  r.options.hunt.alerts_per_day = 5;
  r.first = kStart;
  r.last = kStart + 60 * kDay;
  r.from = kStart + 40 * kDay;
  r.events = 1000;
  r.users = 50;
  r.victims = 45;
  r.untestable["fewer than 5 log-ins on 3 days before the tested time"] = 5;
  r.gateways["fgt-1"] = {500, 0};
  r.gateways["asa-1"] = {500, 500};
  r.ordinary = {{1.0, 60, 20}, {0.0, 300, 100}, {-2.0, 1200, 400}};
  r.others = 300;
  return r;
}

// `caught`: at the budgets of 1, 5 and 20.
void add(BacktestResult& r, InjectionTier tier, ClientChoice client, std::string_view gateway, std::vector<bool> caught,
         double best = 0.5) {
  TestedIntrusion t;
  t.intrusion.tier = tier;
  t.intrusion.client = client;
  t.intrusion.user = intern("alice");
  t.intrusion.gateway = intern(gateway);
  t.intrusion.experience = 40;
  t.intrusion.logins = {kStart + 50 * kDay};
  t.intrusion.nodes = {*core::Ip::parse("203.0.113.7")};
  t.outcome.best = best;
  t.outcome.evidence = "new-network";
  for (const bool c : caught) t.outcome.after.push_back(c ? 5 * kMinute : -1);
  t.outcome.caught = std::move(caught);
  r.intrusions.push_back(std::move(t));
}

bool any_says(const std::vector<std::string>& sentences, std::string_view what) {
  return std::ranges::any_of(sentences, [&](const std::string& s) { return s.find(what) != s.npos; });
}

BacktestResult weak_gateway() {
  BacktestResult r = made_up();
  for (int i = 0; i < 20; ++i) {
    add(r, InjectionTier::kOwnProviderCopied, ClientChoice::kUnlogged, "fgt-1", {false, i < 8, i < 12},
        i < 8 ? 0.5 : -0.5);
    add(r, InjectionTier::kOwnProviderCopied, ClientChoice::kCopied, "asa-1", {false, i < 17, i < 19},
        i < 17 ? 0.5 : -9.0);
  }
  return r;
}

TEST(BacktestReport, AGatewayWithoutClientsIsComparedWithOneThatHasThem) {
  const auto says = recommendations(weak_gateway());
  EXPECT_TRUE(any_says(says, "At 5 alerts a day 25 of 40 intrusions would have been caught"));
  EXPECT_TRUE(any_says(says,
                       "Gateway fgt-1 logs no client: of intruders who come through the user's own provider 40 % "
                       "are caught there, against 85 % at asa-1."));
  EXPECT_FALSE(any_says(says, "Gateway asa-1 logs no client"));
  EXPECT_TRUE(any_says(says, "20 alerts a day instead of 5 would catch 78 % instead of 62 %"));
  EXPECT_TRUE(any_says(says, "12 of 15 missed intrusions lie within 1.0 of the line"));
}

TEST(BacktestReport, FewTriesAreNotCompared) {
  BacktestResult r = made_up();
  for (int i = 0; i < 4; ++i) {
    add(r, InjectionTier::kOwnProvider, ClientChoice::kUnlogged, "fgt-1", {false, false, false});
    add(r, InjectionTier::kOwnProvider, ClientChoice::kOther, "asa-1", {true, true, true});
  }
  const auto says = recommendations(r);
  EXPECT_TRUE(any_says(says, "Gateway fgt-1 logs no client"));
  EXPECT_FALSE(any_says(says, "against")) << "four tries prove nothing";
  EXPECT_TRUE(any_says(says, "more --runs"));
}

TEST(BacktestReport, NothingIsSaidWithoutNumbers) { EXPECT_TRUE(recommendations(made_up()).empty()); }

TEST(BacktestReport, ABudgetThatIsNotSpentIsSaid) {
  BacktestResult r = weak_gateway();
  EXPECT_EQ(backtest_text(r, 100).find("is not spent"), std::string::npos);
  r.ordinary[2].line = score::kLeastAlertLogOdds;
  EXPECT_NE(backtest_text(r, 200).find("The budget of 20 alerts a day is not spent"), std::string::npos);
}

TEST(BacktestReport, TheTextHasTheNumbersWithTheirIntervals) {
  const std::string text = backtest_text(weak_gateway(), 100);
  // 25 of 40: Wilson 47 to 76.
  EXPECT_NE(text.find("62 % (47-76)"), text.npos) << text;
  EXPECT_NE(text.find("same town, own provider, client copied"), text.npos);
  EXPECT_NE(text.find("fgt-1 (client logged in 0 % of log-ins)"), text.npos);
  EXPECT_NE(text.find("fewer than 5 log-ins"), text.npos);
  EXPECT_NE(text.find("history is clean"), text.npos) << "the limits are part of it";
}

TEST(BacktestReport, TheJsonIsWhole) {
  BacktestResult r = weak_gateway();
  r.notes.push_back("a \"note\"");
  const simdjson::padded_string json(backtest_json(r));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_EQ(parser.parse(json).get(root), simdjson::SUCCESS) << json;
  EXPECT_EQ(std::size_t{root["intrusions"].get_array().size()}, 40u);
  EXPECT_EQ(std::size_t{root["tiers"].get_array().size()}, 5u);
  EXPECT_EQ(std::uint64_t{root["tiers"].at(4)["tried"].get_uint64()}, 40u);
  EXPECT_EQ(std::uint64_t{root["tiers"].at(4)["recall"].at(1)["caught"].get_uint64()}, 25u);
  EXPECT_EQ(std::uint64_t{root["intrusions"].at(0)["budgets"].at(1)["seconds_to_detect"].get_uint64()}, 300u);
  EXPECT_GT(std::size_t{root["recommendations"].get_array().size()}, 0u);
}

TEST(BacktestReport, NamesInThePageAreOnlyText) {
  BacktestResult r = weak_gateway();
  add(r, InjectionTier::kOtherCountry, ClientChoice::kOther, "<script>alert(1)</script>", {true, true, true});
  const std::string html = backtest_html(r);
  EXPECT_EQ(html.find("<script"), html.npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)"), html.npos);
  EXPECT_NE(html.find("<html lang=\"en\">"), html.npos);
  EXPECT_NE(html.find("scope=\"row\""), html.npos);
  EXPECT_EQ(html.find("http://"), html.npos) << "self-contained";
  EXPECT_EQ(html.find("https://"), html.npos);
}

}  // namespace
}  // namespace orbwatch::evaluate
