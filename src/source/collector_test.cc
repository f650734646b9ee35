#include "source/collector.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "source/collector_test_util.h"

namespace orbwatch::source {
namespace {

TEST(Counters, EveryFieldIsListedOnce) {
  const auto fields = counter_fields();
  EXPECT_EQ(fields.size() * sizeof(std::uint64_t), sizeof(Counters));
  std::set<std::string_view> names;
  SharedCounters shared;
  std::uint64_t value = 0;
  for (const CounterField& row : fields) {
    names.insert(row.name);
    EXPECT_FALSE(row.meaning.empty());
    shared.add(row.field, ++value);
  }
  EXPECT_EQ(names.size(), fields.size());
  // Were a member listed twice, its value would be a sum.
  const Counters read = shared.read();
  value = 0;
  for (const CounterField& row : fields) EXPECT_EQ(read.*row.field, ++value) << row.name;
}

TEST(Counters, EveryFieldStandsInThePage) {
  std::ifstream in(std::string(ORBWATCH_ROOT) + "/docs/collectors.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  for (const CounterField& row : counter_fields()) {
    const std::string line = "| `" + std::string(row.name) + "` | " + std::string(row.meaning) + " |";
    EXPECT_NE(page.find(line), page.npos) << line;
  }
}

TEST(RareLog, SaysEachKindOnceInAWhile) {
  test::Said said;
  RareLog log(said.log(), "tail", std::chrono::hours(1));
  for (int i = 0; i < 5; ++i) log.say(LogLevel::kNote, "a", "first");
  log.say(LogLevel::kNote, "b", "second");
  EXPECT_EQ(said.count("tail: first"), 1u);
  EXPECT_EQ(said.count("tail: second"), 1u);

  RareLog eager(said.log(), "http", std::chrono::seconds(0));
  eager.say(LogLevel::kNote, "a", "third");
  eager.say(LogLevel::kNote, "a", "third");
  EXPECT_EQ(said.count("http: third"), 2u);
  RareLog silent({}, "none");
  silent.say(LogLevel::kError, "a", "nobody listens");
}

TEST(LossTable, KeepsABoundedNumberOfSendersApart) {
  LossTable table;
  for (std::uint32_t i = 0; i < LossTable::kMost; ++i) table.add(core::Ip::v4(0x0a000000 + i), 1);
  table.add(core::Ip::v4(0x0a000000), 5);
  table.add(core::Ip::v4(0x0b000000), 3);
  table.add(core::Ip::v4(0x0b000001), 4);
  const auto all = table.read();
  ASSERT_EQ(all.size(), LossTable::kMost + 1);
  EXPECT_EQ(all.front().sender, core::Ip::v4(0x0a000000));
  EXPECT_EQ(all.front().records, 6u);
  EXPECT_FALSE(all.back().sender.present());
  EXPECT_EQ(all.back().records, 7u);
}

TEST(Endpoint, IsReadAsItIsWritten) {
  for (const std::string text : {"*:514", "192.0.2.1:514", "[2001:db8::1]:514", "0.0.0.0:514"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->text(), text);
  }
  EXPECT_EQ(Endpoint::parse("514")->text(), "*:514");
  EXPECT_EQ(Endpoint::parse(":514")->text(), "*:514");
  EXPECT_EQ(Endpoint::parse("[::]:514")->text(), "*:514");
  for (const std::string text : {"", ":", "x", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "::1:514", "host:514"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_FALSE(endpoint.error().hint.empty());
  }
}

TEST(BindSocket, SaysWhatToDoWhenThePortIsTaken) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const auto first = bind_socket(type, test::loopback());
    ASSERT_TRUE(first);
    Endpoint taken = test::loopback();
    taken.port = local_port(first->get());
    const auto second = bind_socket(type, taken);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text().find("ss -l"), std::string::npos) << second.error().text();
  }
}

TEST(BindSocket, SeveralWorkersDoNotJoinAnotherProgramsPort) {
  Endpoint shared = test::loopback();
  std::vector<Descriptor> sockets(3);
  ASSERT_TRUE(bind_sockets(SOCK_DGRAM, shared, sockets));
  EXPECT_NE(shared.port, 0);
  for (const Descriptor& socket : sockets) EXPECT_EQ(local_port(socket.get()), shared.port);
  std::vector<Descriptor> others(3);
  EXPECT_FALSE(bind_sockets(SOCK_DGRAM, shared, others));
}

}  // namespace
}  // namespace orbwatch::source
