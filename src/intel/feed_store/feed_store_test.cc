#include "intel/feed_store/feed_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/archive.h"
#include "intel/table/indicator_table.h"

namespace orbwatch::intel {
namespace {

namespace fs = std::filesystem;
using core::kDay;
using core::kSecond;

constexpr core::Nanoseconds kStart = 20'500 * kDay;  // 2026-02-16

class FeedStoreTest : public ::testing::Test {
 protected:
  FeedStoreTest() {
    source_.name = "nodes";
    source_.from = "nodes.txt";
    source_.format = "text";
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  core::Expected<FeedUpdate> take(std::string_view document, core::Nanoseconds now, bool accept = false) {
    auto store = FeedStore::open(folder_);
    if (!store) return std::unexpected(store.error());
    return store->take(source_, document, now, accept);
  }
  // What the table says of an address, of one feed.
  std::optional<IndicatorStatement> statement(const char* address) {
    const std::vector<FeedSource> all = {source_};
    auto store = FeedStore::open(folder_);
    EXPECT_TRUE(store);
    const auto compiled = store->compile(all, kStart);
    EXPECT_TRUE(compiled) << (compiled ? "" : compiled.error().text());
    auto table = IndicatorTable::open(folder_ + "/" + std::string(FeedStore::kTable));
    EXPECT_TRUE(table);
    const std::uint32_t entry = table->find(*core::Ip::parse(address));
    IndicatorStatement s;
    if (entry == IndicatorTable::kNone || !table->statements(entry).next(s)) return std::nullopt;
    label_ = s.label;
    s.label = label_;
    return s;
  }
  FeedState state() {
    const std::vector<FeedSource> all = {source_};
    auto states = feed_states(folder_, all);
    EXPECT_TRUE(states);
    return states->at(0);
  }
  static std::string list(int from, int to) {
    std::string out;
    for (int i = from; i < to; ++i) out += "5.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "\n";
    return out;
  }
  std::string folder_ =
      ::testing::TempDir() + "feeds-" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  FeedSource source_;
  std::string label_;
};

TEST_F(FeedStoreTest, RemembersWhatADocumentStates) {
  const auto update = take("5.1.1.1,Quad7\n5.2.0.0/16\nnot an address!\nexample.org\n", kStart);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->listed, 3U);
  EXPECT_EQ(update->added, 3U);
  EXPECT_EQ(update->counts.records,
            update->counts.used + update->counts.ignored_total() + update->counts.rejected_total());
  ASSERT_TRUE(statement("5.1.1.1"));
  EXPECT_EQ(label_, "Quad7");
  EXPECT_EQ(statement("5.1.1.1")->first_seen, 0U) << "who knows how long it stood there";
  EXPECT_TRUE(statement("5.2.77.1"));
  EXPECT_FALSE(statement("5.3.0.1"));
  EXPECT_EQ(state().listed, 3U);
  EXPECT_EQ(state().updated, kStart);
}

TEST_F(FeedStoreTest, WhatComesUpLaterIsDatedByThat) {
  ASSERT_TRUE(take("5.1.1.1\n5.1.1.2\n", kStart));
  const auto update = take("5.1.1.1\n5.1.1.3\n", kStart + kDay);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->added, 1U);
  EXPECT_EQ(update->removed, 1U);
  EXPECT_EQ(update->remembered, 1U);
  EXPECT_EQ(statement("5.1.1.3")->first_seen, (kStart + kDay) / kSecond);
  EXPECT_EQ(statement("5.1.1.1")->first_seen, 0U);
  EXPECT_TRUE(statement("5.1.1.2")) << "logs are older than lists";
  ASSERT_TRUE(take("5.1.1.1\n5.1.1.2\n5.1.1.3\n", kStart + 40 * kDay));
  EXPECT_EQ(statement("5.1.1.2")->last_seen, (kStart + 40 * kDay) / kSecond) << "it came back";
  EXPECT_EQ(statement("5.1.1.3")->last_seen, (kStart + kDay) / kSecond) << "to be listed still is no new sighting";
  ASSERT_TRUE(take("5.1.1.1\n5.1.1.2\n", kStart + 41 * kDay));
  const auto late = take("5.1.1.1\n5.1.1.2\n", kStart + 42 * kDay + FeedStore::kKeptFor);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->forgotten, 1U);
  EXPECT_FALSE(statement("5.1.1.3"));
}

TEST_F(FeedStoreTest, ABadDocumentChangesNothing) {
  ASSERT_TRUE(take(list(0, 100), kStart));
  source_.format = "auto";
  const auto refused = [&](std::string_view document, std::string_view why) {
    const auto update = take(document, kStart + kDay);
    ASSERT_FALSE(update) << why;
    EXPECT_NE(update.error().text().find(why), std::string::npos) << update.error().text();
    EXPECT_EQ(state().listed, 100U);
    EXPECT_EQ(state().updated, kStart);
    EXPECT_TRUE(statement("5.1.0.1"));
  };
  refused("<html><body>502 Bad Gateway</body></html>", "");
  refused(R"({"type":"bundle","id":"bundle--1","objects":[{"type":"indi)", "");
  source_.format = "text";
  refused("# maintenance\n", "states nothing");
  refused("", "states nothing");
  refused(list(0, 49), "lost most");
  refused("5.1.1.1\nnonsense !\nmore ! nonsense\n! !\n", "not understood");
  refused(list(0, 100) + "8.0.0.0/8\n9.0.0.0/8\n", "more addresses than is likely");
  source_.format = "no-such";
  refused(list(0, 100), "no format of feeds");
}

TEST_F(FeedStoreTest, AnAnalystMayAcceptIt) {
  ASSERT_TRUE(take(list(0, 100), kStart));
  EXPECT_FALSE(take(list(0, 10), kStart + kDay));
  const auto update = take(list(0, 10), kStart + kDay, true);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->removed, 90U);
  EXPECT_EQ(state().listed, 10U);
  EXPECT_EQ(state().remembered, 90U);
}

TEST_F(FeedStoreTest, HalfOfItMayGo) {
  ASSERT_TRUE(take(list(0, 100), kStart));
  EXPECT_TRUE(take(list(0, 50), kStart + kDay));
  source_.name = "few";
  ASSERT_TRUE(take(list(0, 19), kStart));
  EXPECT_TRUE(take(list(0, 1), kStart + kDay)) << "short lists come and go";
}

TEST_F(FeedStoreTest, WideListsOfWhatIsHarmlessAreFine) {
  source_.settings.known_good = true;
  ASSERT_TRUE(take("8.0.0.0/8\n9.0.0.0/8\n", kStart));
  EXPECT_EQ(statement("8.1.1.1")->flags, kKnownGood);
}

TEST_F(FeedStoreTest, SightingsMakeAnIndicatorYoungerAndFalsePositivesLessBelieved) {
  source_.format = "stix";
  const std::string id = "indicator--11111111-1111-4111-8111-111111111111";
  const std::string document =
      R"({"type":"bundle","id":"bundle--11111111-1111-4111-8111-111111111112","objects":[)"
      R"({"type":"indicator","spec_version":"2.1","id":")" +
      id +
      R"(","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '5.1.1.1']",)"
      R"("pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","confidence":80},)"
      R"({"type":"sighting","spec_version":"2.1","id":"sighting--11111111-1111-4111-8111-111111111113",)"
      R"("created":"2026-02-01T00:00:00Z","modified":"2026-02-01T00:00:00Z","last_seen":"2026-02-01T00:00:00Z",)"
      R"("sighting_of_ref":")" +
      id + R"("}]})";
  const auto update = take(document, kStart);
  ASSERT_TRUE(update) << update.error().text();
  const auto s = statement("5.1.1.1");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->last_seen, 1'769'904'000U) << "2026-02-01";
  EXPECT_EQ(s->confidence, 80);
}

TEST_F(FeedStoreTest, ADamagedFileIsAnErrorNotANewFeed) {
  ASSERT_TRUE(take(list(0, 100), kStart));
  const std::string path = folder_ + "/nodes.feed";
  fs::resize_file(path, fs::file_size(path) / 2);
  const auto update = take(list(0, 100), kStart + kDay);
  ASSERT_FALSE(update);
  EXPECT_NE(update.error().text().find("nodes.feed"), std::string::npos) << update.error().text();
}

TEST_F(FeedStoreTest, OneWriterAtATime) {
  auto first = FeedStore::open(folder_);
  ASSERT_TRUE(first);
  const auto second = FeedStore::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("another orbwatch"), std::string::npos);
}

TEST_F(FeedStoreTest, TellsOfTheLastTry) {
  ASSERT_TRUE(take(list(0, 3), kStart));
  {
    auto store = FeedStore::open(folder_);
    store->note_try(source_, kStart + kDay, "the server is away");
  }
  EXPECT_EQ(state().tried, kStart + kDay);
  EXPECT_EQ(state().error, "the server is away");
  EXPECT_EQ(state().updated, kStart);
}

// --- Collections and MISP feeds ---

std::string stix_id(int i) { return "indicator--11111111-1111-4111-8111-0000000000" + std::to_string(10 + i); }

// An indicator of one address, as of a day of 2026-01.
FeedPart object(int i, const std::string& address, int day, bool revoked = false) {
  const std::string date = "2026-01-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + "T00:00:00Z";
  return {stix_id(i), (20'454 + day - 1) * kDay,
          R"({"type":"indicator","spec_version":"2.1","id":")" + stix_id(i) +
              R"(","created":"2026-01-01T00:00:00Z","modified":")" + date +
              R"(","valid_from":"2026-01-01T00:00:00Z",)" + R"("pattern":"[ipv4-addr:value = ')" + address +
              R"(']","pattern_type":"stix","revoked":)" + (revoked ? "true}" : "false}")};
}

FeedPart event(int i, std::int64_t timestamp, const std::vector<std::string>& addresses) {
  std::string attributes;
  for (const std::string& address : addresses) {
    attributes += (attributes.empty() ? "" : ",") + (R"({"type":"ip-dst","to_ids":true,"value":")" + address + R"("})");
  }
  const std::string uuid = "22222222-2222-4222-8222-0000000000" + std::to_string(10 + i);
  return {uuid, timestamp,
          R"({"Event":{"uuid":")" + uuid + R"(","info":"i","analysis":"2","Attribute":[)" + attributes + "]}}"};
}

class FeedIncrements : public FeedStoreTest {
 protected:
  FeedIncrements() {
    source_.format = "auto";
    source_.protocol = FeedProtocol::kTaxii;
  }
  core::Expected<FeedUpdate> take_parts(FeedParts parts, core::Nanoseconds now, bool accept = false) {
    auto store = FeedStore::open(folder_);
    if (!store) return std::unexpected(store.error());
    return store->take_parts(source_, std::move(parts), now, accept);
  }
  FeedKnown known() {
    auto store = FeedStore::open(folder_);
    EXPECT_TRUE(store);
    const auto known = store->known(source_);
    EXPECT_TRUE(known);
    return *known;
  }
  static FeedParts whole(std::vector<FeedPart> parts) {
    return {.whole = true, .parts = std::move(parts), .gone = {}, .added_after = "a", .collection = "c"};
  }
  static FeedParts more(std::vector<FeedPart> parts, std::vector<std::string> gone = {}) {
    return {.whole = false, .parts = std::move(parts), .gone = std::move(gone), .added_after = "b", .collection = "c"};
  }
};

TEST_F(FeedIncrements, WhatIsNewIsPutToWhatIsHad) {
  ASSERT_TRUE(take_parts(whole({object(1, "5.1.1.1", 1), object(2, "5.1.1.2", 1)}), kStart));
  const auto update = take_parts(more({object(3, "5.1.1.3", 2)}), kStart + kDay);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_TRUE(update->only_new);
  EXPECT_EQ(update->parts, 1U);
  EXPECT_EQ(update->listed, 3U);
  EXPECT_EQ(update->added, 1U);
  EXPECT_EQ(update->removed, 0U);
  EXPECT_EQ(known().added_after, "b");
  EXPECT_EQ(known().whole, kStart) << "when all of it was read";
  EXPECT_EQ(statement("5.1.1.3")->first_seen, (kStart + kDay) / kSecond) << "it came up then";
}

TEST_F(FeedIncrements, TheNewestVersionOfAnObjectCounts) {
  ASSERT_TRUE(take_parts(whole({object(1, "5.1.1.1", 5), object(2, "5.1.1.2", 5), object(3, "5.1.1.3", 5)}), kStart));
  const auto update = take_parts(
      more({object(1, "5.1.1.9", 6), object(2, "5.1.1.8", 4), object(3, "5.1.1.3", 7, true)}), kStart + kDay);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->added, 1U);
  EXPECT_EQ(update->removed, 1U);
  EXPECT_TRUE(statement("5.1.1.9")) << "a newer version names another address";
  EXPECT_EQ(state().remembered, 1U) << "of the address that the newer version no longer names";
  EXPECT_FALSE(statement("5.1.1.8")) << "an older version that comes late";
  EXPECT_EQ(statement("5.1.1.3")->flags & kRevoked, kRevoked);
  EXPECT_EQ(statement("5.1.1.2")->flags & kRevoked, 0);
}

// A sighting that comes later tells of an object that came earlier.
TEST_F(FeedIncrements, GivesWhatTheWholeGives) {
  const FeedPart sighting{
      "sighting--1", 1,
      R"({"type":"sighting","spec_version":"2.1","id":"sighting--11111111-1111-4111-8111-111111111113",)"
      R"("created":"2026-02-01T00:00:00Z","modified":"2026-02-01T00:00:00Z",)"
      R"("last_seen":"2026-02-01T00:00:00Z","sighting_of_ref":")" +
          stix_id(1) + "\"}"};
  ASSERT_TRUE(take_parts(whole({object(1, "5.1.1.1", 1)}), kStart));
  EXPECT_EQ(statement("5.1.1.1")->last_seen, 0U);
  ASSERT_TRUE(take_parts(more({sighting}), kStart + kDay));
  EXPECT_EQ(statement("5.1.1.1")->last_seen, 1'769'904'000U) << "2026-02-01";
}

TEST_F(FeedIncrements, AMispEventIsReplacedAndEnds) {
  source_.protocol = FeedProtocol::kMisp;
  ASSERT_TRUE(take_parts(whole({event(1, 100, {"5.1.1.1", "5.1.1.2"}), event(2, 100, {"5.1.1.3"})}), kStart));
  EXPECT_EQ(known().parts.at(event(1, 0, {}).id), 100);
  auto update = take_parts(more({event(1, 200, {"5.1.1.1", "5.1.1.4"})}), kStart + kDay);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->format, "misp");
  EXPECT_EQ(update->added, 1U);
  EXPECT_EQ(update->removed, 1U);
  EXPECT_EQ(known().parts.at(event(1, 0, {}).id), 200);
  update = take_parts(more({}, {event(2, 0, {}).id}), kStart + 2 * kDay);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->listed, 2U);
  EXPECT_EQ(update->removed, 1U);
  EXPECT_EQ(known().parts.size(), 1U);
}

TEST_F(FeedIncrements, AWholeReadingReplacesAll) {
  ASSERT_TRUE(take_parts(whole({object(1, "5.1.1.1", 1), object(2, "5.1.1.2", 1)}), kStart));
  const auto update = take_parts(whole({object(2, "5.1.1.2", 1)}), kStart + kDay);
  ASSERT_TRUE(update);
  EXPECT_FALSE(update->only_new);
  EXPECT_EQ(update->removed, 1U) << "the server removed it without a word";
  EXPECT_EQ(known().whole, kStart + kDay);
}

TEST_F(FeedIncrements, WhatIsNotBelievedLeavesTheCursor) {
  std::vector<FeedPart> many;
  many.reserve(30);
  for (int i = 0; i < 30; ++i) many.push_back(object(i, "5.1.1." + std::to_string(i + 1), 1));
  ASSERT_TRUE(take_parts(whole(many), kStart));
  std::vector<std::string> gone;
  gone.reserve(20);
  for (int i = 0; i < 20; ++i) gone.push_back(stix_id(i));
  const auto refused = take_parts(more({}, gone), kStart + kDay);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("lost most"), std::string::npos);
  EXPECT_EQ(known().added_after, "a");
  EXPECT_EQ(state().listed, 30U);
  EXPECT_TRUE(take_parts(more({}, gone), kStart + kDay, true));
}

TEST_F(FeedIncrements, OtherSettingsMeanThatAllIsReadAnew) {
  ASSERT_TRUE(take_parts(whole({object(1, "5.1.1.1", 1)}), kStart));
  EXPECT_EQ(known().added_after, "a");
  source_.settings.label = "another";
  EXPECT_EQ(known().added_after, "");
  EXPECT_EQ(known().parts.size(), 0U);
}

// As version 0.1 wrote it, field by field.
TEST_F(FeedStoreTest, ReadsTheFirstLayout) {
  fs::create_directories(folder_);
  auto writer = core::ArchiveWriter::to_file(folder_ + "/nodes.feed");
  ASSERT_TRUE(writer);
  writer->section("feed", 1);
  (*writer)(std::string("text"), std::uint64_t{2}, std::uint64_t{1}, std::uint64_t{1}, std::uint64_t{0},
            std::uint64_t{7});
  (*writer)(std::string("etag"), std::string(), std::string());
  writer->moments(kStart, kStart);
  writer->count(1);
  writer->enumeration(FeedKind::kPrefix, static_cast<FeedKind>(kFeedKinds - 1));
  const core::Prefix prefix = *core::Prefix::parse("5.1.1.1/32");
  (*writer)(true, prefix.base);
  writer->bounded(prefix.bits, std::uint8_t{128});
  (*writer)(std::uint32_t{0}, std::string("5.1.1.1"), std::string(), std::string("L"), std::string(), std::uint16_t{0},
            kConfidenceNotSaid, false, true, false);
  for (const core::Nanoseconds time : {core::Nanoseconds{0}, core::Nanoseconds{0}, core::Nanoseconds{0},
                                       core::Nanoseconds{0}, kStart, core::Nanoseconds{0}})
    writer->moment(time);
  (*writer)(false);
  writer->moment(0);
  (*writer)(std::uint32_t{0}, std::uint32_t{0});
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(state().listed, 1U);
  ASSERT_TRUE(statement("5.1.1.1"));
  EXPECT_EQ(label_, "L");
  const auto update = take("5.1.1.1\n5.1.1.2\n", kStart + kDay);
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->added, 1U);
}

TEST(FeedNames, AreNamesOfFiles) {
  for (const char* good : {"a", "abuse-ch_2", "X4B"}) EXPECT_TRUE(is_feed_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a b", "ü"}) EXPECT_FALSE(is_feed_name(bad)) << bad;
  EXPECT_FALSE(is_feed_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace orbwatch::intel
