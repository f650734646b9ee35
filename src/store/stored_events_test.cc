#include "store/stored_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "store/store.h"
#include "support/temp_dir.h"

namespace orbwatch::store {
namespace {

using event::Event;

#define OK(result) ASSERT_TRUE((result).has_value()) << (result).error().text()

// An event in which every field has a value of its own, so that no two can be confused.
Event full(int number, event::Class what = event::Class::kSession) {
  const auto symbol = [&](const char* name) { return core::intern(name + std::to_string(number)); };
  const auto ip = [&](int last) { return core::Ip::v4(0xcb007100U + static_cast<std::uint32_t>(last)); };
  Event e;
  e.time = 1'790'000'000 * core::kSecond + number * core::kSecond + 123'456'000;
  e.duration = 7'000'000'001;
  e.source_ip = ip(1);
  e.destination_ip = *core::Ip::parse("2001:db8::2");
  e.assigned_ip = ip(3);
  e.observer_ip = ip(4);
  e.source_bytes = std::uint64_t{1} << 63;
  e.destination_bytes = 12;
  e.source_packets = 13;
  e.destination_packets = 14;
  e.session_id = UINT64_MAX - 15;
  e.record = {.offset = std::uint64_t{5} << 40, .line = 16, .length = 17, .source = 1};
  e.observer = symbol("observer");
  e.user = symbol("user");
  e.user_domain = symbol("domain");
  e.group = symbol("group");
  e.user_agent = symbol("agent, longer than twelve bytes ");
  e.client_os = symbol("os");
  e.client_host = symbol("host");
  e.code = symbol("code");
  e.reason = symbol("reason");
  e.application = symbol("application");
  e.protocol_version = symbol("version");
  e.destination_name = symbol("name");
  e.ingress = symbol("ingress");
  e.egress = symbol("egress");
  e.fingerprint = symbol("ja4");
  e.server_fingerprint = symbol("ja4s");
  e.certificate_issuer = symbol("issuer");
  e.certificate_subject = symbol("subject");
  e.certificate_fingerprint = symbol("sha");
  e.banner = symbol("banner");
  e.rule = symbol("rule");
  e.region = symbol("region");
  e.dataset = symbol("dataset");
  e.sampling = 18;
  e.ingress_index = 19;
  e.egress_index = 20;
  e.source_port = 65535;
  e.destination_port = 443;
  e.tcp_flags = 0x1ff;
  e.protocol = 255;
  e.event_class = what;
  e.activity = event::Activity::kChallenge;
  e.outcome = event::Outcome::kSuccess;
  e.action = event::Action::kDenied;
  e.direction = event::Direction::kExternal;
  e.mfa = event::Mfa::kYes;
  e.auth_method = event::AuthMethod::kNtlm;
  e.service = event::Service::kManagement;
  e.logon_type = 10;
  return e;
}

class StoredEventsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without DuckDB";
  }
  void write(const std::vector<Event>& events) {
    auto store = Store::create(path_);
    OK(store);
    OK((*store)->begin());
    event::EventBatch batch;
    for (const Event& e : events) {
      batch.next() = e;
      batch.keep();
    }
    OK((*store)->append_events(batch, {"first.log", "second.log"}));
    OK((*store)->finish());
  }
  std::vector<Event> read(std::vector<std::string>& names) {
    std::vector<Event> out;
    auto stored = StoredEvents::open(path_, names);
    EXPECT_TRUE(stored.has_value());
    if (!stored) return out;
    event::EventBatch batch;
    do {
      auto ok = (*stored)->next(batch);
      EXPECT_TRUE(ok.has_value());
      out.insert(out.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    EXPECT_EQ((*stored)->count(), out.size());
    return out;
  }

  test::TempDir dir_;
  std::string path_ = (dir_ / "events.duckdb").string();
};

TEST_F(StoredEventsTest, EveryFieldThatDetectionUsesComesBack) {
  // A partly empty event, too: nothing is invented.
  Event sparse;
  sparse.time = 1'790'000'500 * core::kSecond;
  sparse.event_class = event::Class::kFlow;
  sparse.record.source = 1;
  write({full(1), sparse});
  std::vector<std::string> names = {"other.log"};
  const std::vector<Event> back = read(names);
  ASSERT_EQ(back.size(), 2u);
  // The documented exceptions.
  Event expected = full(1);
  expected.protocol_version = expected.destination_name = core::Symbol();
  EXPECT_EQ(event::to_json(back[0]), event::to_json(expected));
  EXPECT_EQ(event::to_json(back[1]), event::to_json(sparse));
  EXPECT_EQ(back[0].time, expected.time);
  EXPECT_EQ(back[0].session_id, expected.session_id);
  EXPECT_EQ(back[0].ingress_index, expected.ingress_index);
  EXPECT_EQ(back[0].egress_index, expected.egress_index);
  EXPECT_EQ(back[0].logon_type, expected.logon_type);
  EXPECT_EQ(back[0].record.offset, expected.record.offset);
  EXPECT_EQ(back[0].record.line, expected.record.line);
  ASSERT_LT(back[0].record.source, names.size());
  EXPECT_EQ(names[back[0].record.source], "second.log");
  EXPECT_EQ(names.front(), "other.log") << "inputs that were known keep their numbers";
}

TEST_F(StoredEventsTest, EventsComeInTheOrderOfTimeDevicesFirst) {
  std::vector<Event> events;
  events.reserve(5001);
  for (int i = 0; i < 5000; ++i) events.push_back(full(i * 7919 % 5000));
  events.push_back(full(9000, event::Class::kDevice));
  write(events);
  std::vector<std::string> names;
  const std::vector<Event> back = read(names);
  ASSERT_EQ(back.size(), events.size());
  EXPECT_EQ(back.front().event_class, event::Class::kDevice);
  EXPECT_TRUE(
      std::is_sorted(back.begin() + 1, back.end(), [](const Event& a, const Event& b) { return a.time < b.time; }));
}

TEST_F(StoredEventsTest, OfOneMomentTheOrderOfStoringCounts) {
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    events.push_back(full(1));
    events.back().record.line = i + 1;
  }
  write(events);
  std::vector<std::string> names;
  const std::vector<Event> back = read(names);
  ASSERT_EQ(back.size(), events.size());
  for (std::uint32_t i = 0; i < back.size(); ++i) ASSERT_EQ(back[i].record.line, i + 1);
}

TEST_F(StoredEventsTest, ErrorsSayWhatIsWrong) {
  std::vector<std::string> names;
  auto missing = StoredEvents::open(path_, names);
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().text().find("no such database"), std::string::npos);
  dir_.write("events.duckdb", "this is a log, not a database, and long enough to have a head");
  auto other = StoredEvents::open(path_, names);
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().text().find("not a DuckDB database"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::store
