#include "export/half_lives_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace orbwatch::exporting {
namespace {

std::vector<score::NodeHalfLife> sample() {
  score::NodeHalfLife home;
  home.type = core::NetworkType::kConsumer;
  home.prior_days = 11.78;
  home.prior_source = "Raptor Train";
  home.lives = 120;
  home.deaths = 81;
  home.learned_days = score::Bounds{6.93, 5.8, 8.4};
  home.days = 6.93;
  home.falls_below_days = 5.11;
  home.threshold = 0.3;
  score::NodeHalfLife server;
  server.type = core::NetworkType::kHosting;
  server.prior_days = server.days = 53.4;
  server.falls_below_days = 39.3;
  server.threshold = 0.3;
  return {home, server};
}

TEST(HalfLivesText, OneLineAKindWithWhatItMeans) {
  const std::string text = half_lives_text(sample());
  EXPECT_NE(text.find("6.9 d (5.8 to 8.4)"), text.npos) << text;
  EXPECT_NE(text.find("     -      0      0   53.4 d  39.3 d"), text.npos) << text;
  EXPECT_NE(text.find("less than 30 %"), text.npos) << text;
  EXPECT_EQ(text.find("priors are in use"), text.npos);
  EXPECT_EQ(text.find('*'), text.npos);
  auto few = sample();
  few[0].learned_days.reset();
  EXPECT_NE(half_lives_text(few).find("priors are in use"), text.npos);
  auto edge = sample();
  edge[0].cut = true;
  EXPECT_NE(half_lives_text(edge).find("8.4)*"), text.npos);
}

TEST(HalfLivesText, JsonLeavesOutWhatIsNotKnown) {
  EXPECT_EQ(score::to_json(sample()[0]),
            R"({"network_type":"consumer","prior_days":11.78,"prior_source":"Raptor Train","lives":120,"deaths":81,)"
            R"("learned_days":{"value":6.93,"low":5.8,"high":8.4},"cut":false,"days":6.93,"threshold":0.3,)"
            R"("falls_below_days":5.11})");
  EXPECT_EQ(score::to_json(sample()[1]),
            R"({"network_type":"hosting","prior_days":53.4,"lives":0,"deaths":0,"days":53.4,"threshold":0.3,)"
            R"("falls_below_days":39.3})");
}

}  // namespace
}  // namespace orbwatch::exporting
