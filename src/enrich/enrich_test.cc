#include "enrich/enrich.h"

#include <gtest/gtest.h>

#include <random>

#include "intel/test_table.h"

namespace orbwatch::enrich {
namespace {

using core::Ip;
using core::NetworkType;
using event::Direction;
using intel::DeclaredNetwork;

Ip ip(std::string_view text) { return Ip::parse(text).value_or(Ip{}); }

std::shared_ptr<const intel::Networks> table(const intel::TemporaryDirectory& directory) {
  auto networks = intel::table_of(directory,
                                  "9.0.0.0,9.0.0.255,64500,Example Broadband\n"
                                  "9.0.1.0,9.0.1.255,64501,Example Hosting\n"
                                  "2a00::,2a00:0:0:ffff:ffff:ffff:ffff:ffff,64502,Example Mobile\n");
  EXPECT_TRUE(networks) << networks.error().text();
  return std::make_shared<const intel::Networks>(std::move(*networks));
}

std::shared_ptr<const intel::Organisation> organisation() {
  std::vector<DeclaredNetwork> list(3);
  list[0].prefix = *core::Prefix::parse("9.0.0.128/25");
  list[0].name = "Berlin office";
  list[0].type = NetworkType::kBusiness;
  list[0].site = "Berlin";
  list[0].country = "DE";
  list[0].latitude = 52.5F;
  list[0].longitude = 13.4F;
  list[0].allowed = true;
  list[1].prefix = *core::Prefix::parse("10.7.0.0/16");
  list[1].name = "Plant";
  list[1].type = NetworkType::kBusiness;
  list[2].prefix = *core::Prefix::parse("9.0.1.0/28");
  list[2].name = "Partner";
  list[2].own = false;
  auto made = intel::Organisation::make(std::move(list));
  EXPECT_TRUE(made);
  return std::make_shared<const intel::Organisation>(std::move(*made));
}

event::Event& add(event::EventBatch& batch, std::string_view source, std::string_view destination) {
  event::Event& e = batch.next();
  e.source_ip = ip(source);
  e.destination_ip = ip(destination);
  batch.keep();
  return e;
}

TEST(Enrich, WithoutAnythingKnowsPrivateSpace) {
  const Enricher enricher(nullptr);
  event::EventBatch batch;
  add(batch, "10.0.0.1", "8.8.8.8");
  Enricher::Scratch scratch;
  enricher.enrich(batch, scratch);
  EXPECT_EQ(enricher.facts(batch[0].source_facts).type, NetworkType::kInternal);
  EXPECT_EQ(batch[0].destination_facts, 0U);
  EXPECT_EQ(batch[0].direction, Direction::kOutbound);
  EXPECT_TRUE(enricher.is_own(batch[0].source_facts));
  EXPECT_FALSE(enricher.is_own(batch[0].destination_facts));
  EXPECT_EQ(enricher.describe(0).org, "");
  EXPECT_EQ(enricher.as_share(64500), 0.0);
}

TEST(Enrich, FillsFactsAndDirection) {
  const intel::TemporaryDirectory directory;
  const Enricher enricher(table(directory), organisation());
  event::EventBatch batch;
  add(batch, "9.0.0.1", "10.0.0.1");
  add(batch, "10.0.0.1", "9.0.0.1");
  add(batch, "10.0.0.1", "10.7.0.1");
  add(batch, "9.0.0.1", "9.0.1.200");
  add(batch, "9.0.1.1", "9.0.0.200");  // partner, not own -> Berlin office
  add(batch, "2a00::1", "fd00::1");
  add(batch, "9.0.0.1", "");
  add(batch, "9.0.0.1", "10.0.0.1").direction = Direction::kExternal;
  Enricher::Scratch scratch;
  enricher.enrich(batch, scratch);
  const Direction expected[] = {Direction::kInbound, Direction::kOutbound, Direction::kInternal, Direction::kExternal,
                                Direction::kInbound, Direction::kInbound,  Direction::kUnknown,  Direction::kExternal};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(batch[i].direction, expected[i]) << i;
    EXPECT_EQ(batch[i].source_facts, enricher.lookup(batch[i].source_ip)) << i;
    EXPECT_EQ(batch[i].destination_facts, enricher.lookup(batch[i].destination_ip)) << i;
  }
  EXPECT_EQ(enricher.facts(batch[0].source_facts).asn, 64500U);
  EXPECT_EQ(enricher.facts(batch[5].source_facts).type, NetworkType::kMobile);
  EXPECT_EQ(batch[6].destination_facts, 0U);
}

TEST(Enrich, DeclaredNetworksKeepWhatTheDeclarationLeavesOpen) {
  const intel::TemporaryDirectory directory;
  const Enricher enricher(table(directory), organisation());
  const std::uint32_t berlin = enricher.lookup(ip("9.0.0.200"));
  const Description d = enricher.describe(berlin);
  EXPECT_EQ(d.org, "Berlin office");
  EXPECT_EQ(d.asn, 64500U);
  EXPECT_EQ(d.country, "DE");
  EXPECT_EQ(d.city, "Berlin");
  EXPECT_TRUE(d.located);
  EXPECT_NEAR(d.latitude, 52.5, 1e-6);
  EXPECT_EQ(d.network_type, NetworkType::kBusiness);
  EXPECT_TRUE(d.disputed);  // the AS name says broadband
  EXPECT_EQ(d.type_text,
            "business according to the organisation's own networks ('Berlin office'); consumer broadband according to "
            "AS name ('broadband')");
  EXPECT_TRUE(enricher.is_own(berlin));
  EXPECT_TRUE(enricher.is_allowed(berlin));
  EXPECT_EQ(enricher.declared(berlin)->site, "Berlin");
  EXPECT_EQ(enricher.as_name(berlin), "Example Broadband");

  const std::uint32_t plant = enricher.lookup(ip("10.7.1.1"));
  EXPECT_EQ(enricher.as_name(plant), "Plant");
  EXPECT_EQ(enricher.facts(plant).type, NetworkType::kBusiness);
  EXPECT_TRUE(enricher.is_own(plant));
  EXPECT_FALSE(enricher.is_allowed(plant));

  const std::uint32_t partner = enricher.lookup(ip("9.0.1.1"));
  EXPECT_EQ(enricher.facts(partner).type, NetworkType::kHosting);
  EXPECT_FALSE(enricher.is_own(partner));
  EXPECT_EQ(enricher.declared(enricher.lookup(ip("9.0.1.16"))), nullptr);
}

TEST(Enrich, IndicesOutOfRangeAreEmpty) {
  const Enricher enricher(nullptr, organisation());
  EXPECT_EQ(enricher.facts(UINT32_MAX).asn, 0U);
  EXPECT_EQ(enricher.text(UINT32_MAX), "");
  EXPECT_EQ(enricher.declared(UINT32_MAX), nullptr);
  EXPECT_TRUE(enricher.claims(UINT32_MAX).empty());
  EXPECT_EQ(enricher.as_name(enricher.lookup(ip("10.7.0.1"))), "Plant");
}

TEST(Enrich, ALargeBatchEqualsSingleLookups) {
  const intel::TemporaryDirectory directory;
  const Enricher enricher(table(directory), organisation());
  std::mt19937 random(4);
  event::EventBatch batch;
  for (int i = 0; i < 3000; ++i) {
    event::Event& e = batch.next();
    e.source_ip = i % 5 == 0 ? ip("2a00::7") : Ip::v4(0x09000000U | (random() & 0x1ff));
    e.destination_ip = i % 7 == 0 ? Ip{} : Ip::v4(0x0a060000U | (random() & 0x1ffff));
    batch.keep();
  }
  Enricher::Scratch scratch;
  enricher.enrich(batch, scratch);
  for (const event::Event& e : batch) {
    ASSERT_EQ(e.source_facts, enricher.lookup(e.source_ip));
    ASSERT_EQ(e.destination_facts, enricher.lookup(e.destination_ip));
  }
}

}  // namespace
}  // namespace orbwatch::enrich
