#include "store/sightings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/store.h"
#include "support/temp_dir.h"

namespace orbwatch::store {
namespace {

using core::kSecond;

#define OK(result) ASSERT_TRUE((result).has_value()) << (result).error().text()

constexpr core::Nanoseconds kStart = 1'790'000'000 * kSecond;

class SightingsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without DuckDB";
  }
  void event(const char* source, const char* destination, int seconds, const char* user, const char* ja4 = nullptr) {
    event::Event& e = batch_.next();
    e.time = kStart + seconds * kSecond;
    e.event_class = event::Class::kConnection;
    e.source_ip = *core::Ip::parse(source);
    e.destination_ip = *core::Ip::parse(destination);
    if (user != nullptr) e.user = core::intern(user);
    if (ja4 != nullptr) e.fingerprint = core::intern(ja4);
    e.observer = core::intern("vpn1");
    batch_.keep();
  }
  void write(std::span<const score::Finding> findings = {}) {
    auto store = Store::create(path_);
    OK(store);
    OK((*store)->begin());
    OK((*store)->append_events(batch_, {}));
    OK((*store)->append_findings(findings));
    OK((*store)->finish());
  }
  test::TempDir dir_;
  std::string path_ = (dir_ / "s.duckdb").string();
  event::EventBatch batch_;
};

TEST_F(SightingsTest, FindsWhereSubjectsWereSeen) {
  event("203.0.113.7", "198.51.100.1", 10, "bob");
  event("198.51.100.1", "203.0.113.7", 50, "it's me");
  event("203.0.113.7", "203.0.113.7", 30, nullptr, "t13d1516h2_8daaf6152771_b186095e22b6");
  event("192.0.2.9", "198.51.100.1", 20, "alice");
  write();
  std::vector<std::pair<SubjectKind, std::string>> all;
  OK(each_subject(path_, [&](SubjectKind kind, std::string_view text) {
    all.emplace_back(kind, text);
    return true;
  }));
  std::ranges::sort(all);
  const std::vector<std::pair<SubjectKind, std::string>> expected = {
      {SubjectKind::kAddress, "192.0.2.9"},
      {SubjectKind::kAddress, "198.51.100.1"},
      {SubjectKind::kAddress, "203.0.113.7"},
      {SubjectKind::kClientFingerprint, "t13d1516h2_8daaf6152771_b186095e22b6"}};
  EXPECT_EQ(all, expected);

  const auto seen = sightings_of(path_, SubjectKind::kAddress, std::vector<std::string>{"203.0.113.7", "192.0.2.200"});
  OK(seen);
  ASSERT_EQ(seen->size(), 1U) << "what was not seen is left out";
  const Sighting& s = seen->front();
  EXPECT_EQ(s.first, kStart + 10 * kSecond);
  EXPECT_EQ(s.last, kStart + 50 * kSecond);
  EXPECT_EQ(s.events, 3U) << "an event to itself once";
  EXPECT_EQ(s.users, (std::vector<std::string>{"bob", "it's me"}));
  EXPECT_EQ(s.user_count, 2U);
  EXPECT_EQ(s.gateways, std::vector<std::string>{"vpn1"});

  const auto prints = sightings_of(path_, SubjectKind::kClientFingerprint,
                                   std::vector<std::string>{"o'brien", "t13d1516h2_8daaf6152771_b186095e22b6"});
  OK(prints);
  ASSERT_EQ(prints->size(), 1U);
  EXPECT_EQ(prints->front().events, 1U);
  EXPECT_TRUE(prints->front().users.empty());
}

TEST_F(SightingsTest, ManyAtOnce) {
  std::vector<std::string> asked;
  for (int i = 0; i < 1'200; ++i) {
    asked.push_back(core::Ip::v4(0xcb007100U + static_cast<std::uint32_t>(i)).text());
    event(asked.back().c_str(), "198.51.100.1", i, "bob");
  }
  write();
  const auto seen = sightings_of(path_, SubjectKind::kAddress, asked);
  OK(seen);
  EXPECT_EQ(seen->size(), 1'200U);
}

TEST_F(SightingsTest, EvidenceOfADetectorWithItsVerdict) {
  std::vector<score::Finding> findings(2);
  for (int i : {0, 1}) {
    findings[static_cast<std::size_t>(i)].id = "f" + std::to_string(i);
    findings[static_cast<std::size_t>(i)].time = kStart + (1 - i) * kSecond;
    findings[static_cast<std::size_t>(i)].end = kStart + 86'400 * kSecond;
    findings[static_cast<std::size_t>(i)].evidence = {
        {"indicator", "indicator", detect::Group::kIndicator, detect::FindingKind::kLogin, 6, "says"},
        {"hour", "hour", detect::Group::kIndicator, detect::FindingKind::kLogin, 1, "another"}};
  }
  findings[1].verdict.says = "true";
  write(findings);
  const auto evidence = evidence_of(path_, "indicator");
  OK(evidence);
  ASSERT_EQ(evidence->size(), 2U);
  EXPECT_EQ(evidence->at(0).finding, "f1") << "by time";
  EXPECT_EQ(evidence->at(0).verdict, "true");
  EXPECT_EQ(evidence->at(0).time, kStart);
  EXPECT_EQ(evidence->at(0).says, "says");
  EXPECT_EQ(evidence->at(1).verdict, "");
  const auto span = span_of_findings(path_);
  OK(span);
  EXPECT_EQ(span->second - span->first, 86'400 * kSecond);
  EXPECT_FALSE(evidence_of((dir_ / "none").string(), "indicator"));
}

}  // namespace
}  // namespace orbwatch::store
