#include "source/syslog_udp.h"

#include <gtest/gtest.h>

#include <numeric>

#include "source/collector_test_util.h"
#include "source/flow_udp.h"

namespace orbwatch::source {
namespace {

using test::connect_to;
using test::eventually;
using test::loopback;
using test::MemoryIntake;
using test::Said;

UdpOptions local() {
  UdpOptions options;
  options.source = 7;
  options.listen = loopback();
  return options;
}

std::uint64_t settled(const Counters& c) { return c.records + c.shed + c.kernel_drops + c.empty + c.refused; }

std::string packed(std::string_view datagram) {
  std::string out(datagram.size() + 2, '?');
  out.resize(pack_syslog_datagram(datagram, out.data()));
  return out;
}

TEST(SyslogDatagram, IsOneRecord) {
  EXPECT_EQ(packed("<13>one"), "<13>one\n");
  EXPECT_EQ(packed("<13>one\n"), "<13>one\n");
  EXPECT_EQ(packed(std::string_view("<13>one\r\n\0", 10)), "<13>one\n");
  EXPECT_EQ(packed("<13>one\ntwo\n\nthree\n\n"), "<13>one two  three\n");
  EXPECT_EQ(packed("\n<13>one"), " <13>one\n");
  EXPECT_EQ(packed("\r\n\n"), "");
}

TEST(SyslogUdp, JoinsConsecutiveRecordsOfOneSender) {
  MemoryIntake intake;
  auto server = make_syslog_udp(local(), intake);
  ASSERT_TRUE(server->start());
  const auto a = connect_to(SOCK_DGRAM, server->port());
  const auto b = connect_to(SOCK_DGRAM, server->port());
  // While the first waits, the others gather in the kernel.
  intake.close(true);
  test::send_all(a.get(), "first");
  ASSERT_TRUE(eventually([&] { return intake.waiting() == 1; }));
  for (const char* text : {"a1", "a2\n", "a3"}) test::send_all(a.get(), text);
  test::send_all(a.get(), "\n");
  test::send_all(b.get(), "b1\nrest");
  test::send_all(a.get(), "a4");
  intake.close(false);
  ASSERT_TRUE(eventually([&] { return settled(server->counters()) == 7; }));
  server->stop();
  const auto stored = intake.stored();
  ASSERT_EQ(stored.size(), 4u);
  EXPECT_EQ(stored[1].bytes, "a1\na2\na3\n");
  EXPECT_EQ(stored[2].bytes, "b1 rest\n");
  EXPECT_EQ(stored[3].bytes, "a4\n");
  EXPECT_EQ(stored[1].arrival.peer, *core::Ip::parse("127.0.0.1"));
  EXPECT_EQ(stored[1].arrival.peer_port, local_port(a.get()));
  EXPECT_EQ(stored[2].arrival.peer_port, local_port(b.get()));
  EXPECT_EQ(stored[1].arrival.source, 7u);
  EXPECT_EQ(stored[1].arrival.kind, ArrivalKind::kLines);
  EXPECT_EQ(stored[1].arrival.stream, 0u);
  const Counters counters = server->counters();
  EXPECT_EQ(counters.records, 6u);
  EXPECT_EQ(counters.empty, 1u);
  EXPECT_EQ(counters.bytes, intake.bytes().size());
}

TEST(SyslogUdp, ListensOnBothFamilies) {
  MemoryIntake intake;
  UdpOptions options = local();
  options.listen = *Endpoint::parse("*:0");
  auto server = make_syslog_udp(options, intake);
  ASSERT_TRUE(server->start());
  test::send_all(connect_to(SOCK_DGRAM, server->port()).get(), "four");
  ASSERT_TRUE(eventually([&] { return server->counters().records == 1; }));
  EXPECT_EQ(intake.stored()[0].arrival.peer.text(), "127.0.0.1");
  const Descriptor probe(::socket(AF_INET6, SOCK_DGRAM, 0));
  sockaddr_in6 self{};
  self.sin6_family = AF_INET6;
  self.sin6_addr = in6addr_loopback;
  if (!probe.open() || ::bind(probe.get(), reinterpret_cast<sockaddr*>(&self), sizeof self) != 0) {
    GTEST_SKIP() << "no IPv6 here";
  }
  test::send_all(connect_to(SOCK_DGRAM, server->port(), true).get(), "six");
  ASSERT_TRUE(eventually([&] { return server->counters().records == 2; }));
  EXPECT_EQ(intake.stored()[1].arrival.peer.text(), "::1");
}

TEST(SyslogUdp, TakesTheLongestDatagram) {
  MemoryIntake intake;
  auto server = make_syslog_udp(local(), intake);
  ASSERT_TRUE(server->start());
  const auto sender = connect_to(SOCK_DGRAM, server->port());
  const std::string longest(65'507, 'x');
  // More than one Arrival may hold.
  for (int i = 0; i < 40; ++i) {
    test::send_all(sender.get(), longest);
    ASSERT_TRUE(eventually([&] { return settled(server->counters()) == static_cast<std::uint64_t>(i + 1); }));
  }
  server->stop();
  EXPECT_EQ(server->counters().records, 40u);
  EXPECT_EQ(server->counters().oversize, 0u);
  for (const std::string& line : intake.lines()) EXPECT_EQ(line, longest);
}

TEST(SyslogUdp, ShedsAndCountsForEachSenderWhileTheIntakeIsFull) {
  for (const auto answer : {Intake::Taken::kFull, Intake::Taken::kFailed}) {
    MemoryIntake intake;
    Said said;
    auto server = make_syslog_udp(local(), intake, said.log());
    ASSERT_TRUE(server->start());
    const auto sender = connect_to(SOCK_DGRAM, server->port());
    intake.answer(answer);
    for (int i = 0; i < 100; ++i) test::send_all(sender.get(), "lost");
    ASSERT_TRUE(eventually([&] { return settled(server->counters()) == 100; }));
    EXPECT_EQ(server->counters().shed, 100u);
    const Counters counters = server->counters();
    EXPECT_NE(answer == Intake::Taken::kFull ? counters.intake_full : counters.intake_failed, 0u);
    EXPECT_EQ(answer == Intake::Taken::kFull ? counters.intake_failed : counters.intake_full, 0u);
    const auto losses = server->shed_by_sender();
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].sender.text(), "127.0.0.1");
    EXPECT_EQ(losses[0].records, 100u);
    EXPECT_EQ(said.count("datagrams are lost"), 1u);
    intake.answer(Intake::Taken::kYes);
    test::send_all(sender.get(), "kept");
    ASSERT_TRUE(eventually([&] { return server->counters().records == 1; }));
    EXPECT_EQ(intake.bytes(), "kept\n");
  }
}

TEST(SyslogUdp, CountsWhatTheKernelDrops) {
  MemoryIntake intake;
  Said said;
  UdpOptions options = local();
  options.receive_buffer = 16 << 10;
  auto server = make_syslog_udp(options, intake, said.log());
  ASSERT_TRUE(server->start());
  intake.close(true);
  const auto sender = connect_to(SOCK_DGRAM, server->port());
  const std::uint64_t sent = 5000;
  for (std::uint64_t i = 0; i < sent; ++i) ASSERT_TRUE(test::send_all(sender.get(), std::to_string(i) + " some text"));
  EXPECT_NE(server->counters().kernel_drops, 0u);
  intake.close(false);
  ASSERT_TRUE(eventually([&] { return settled(server->counters()) == sent; }));
  server->stop();
  const Counters counters = server->counters();
  EXPECT_EQ(counters.records + counters.kernel_drops, sent);
  EXPECT_EQ(intake.lines().size(), counters.records);
  EXPECT_TRUE(said.has("dropped by the kernel"));
}

TEST(SyslogUdp, SaysWhenTheBufferIsSmallerThanAsked) {
  MemoryIntake intake;
  Said said;
  UdpOptions options = local();
  options.receive_buffer = std::size_t{1} << 40;  // more than can be asked for: at most 1 GiB is
  auto server = make_syslog_udp(options, intake, said.log());
  ASSERT_TRUE(server->start());
  const Counters counters = server->counters();
  EXPECT_EQ(counters.receive_buffer_asked, std::uint64_t{1} << 30);
  EXPECT_EQ(said.has("instead of"), counters.receive_buffer < counters.receive_buffer_asked);
}

TEST(SyslogUdp, TakesOnlyFromAdmittedSenders) {
  MemoryIntake intake;
  UdpOptions options = local();
  options.admitted = {*core::Prefix::parse("192.0.2.0/24")};
  auto server = make_syslog_udp(options, intake);
  ASSERT_TRUE(server->start());
  test::send_all(connect_to(SOCK_DGRAM, server->port()).get(), "stranger");
  ASSERT_TRUE(eventually([&] { return server->counters().refused == 1; }));
  EXPECT_EQ(server->counters().records, 0u);
}

// Many senders, several workers, stopped under load: what was read is accounted for, and no sender's order is broken.
TEST(SyslogUdp, StopsUnderLoadWithEverythingAccountedFor) {
  MemoryIntake intake;
  UdpOptions options = local();
  options.workers = 3;
  options.receive_buffer = 1 << 20;
  auto server = make_syslog_udp(options, intake);
  ASSERT_TRUE(server->start());
  constexpr int kSenders = 8;
  std::atomic<std::uint64_t> sent{0};
  std::atomic<bool> go{true};
  std::vector<std::thread> threads;
  threads.reserve(kSenders);
  for (int s = 0; s < kSenders; ++s) {
    threads.emplace_back([&, s] {
      const auto socket = connect_to(SOCK_DGRAM, server->port());
      for (int i = 0; go.load() && i < 20'000; ++i) {
        if (test::send_all(socket.get(), std::to_string(s) + " " + std::to_string(i))) sent.fetch_add(1);
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return server->counters().records > 5000; }));
  // The senders end first: what they sent is in the kernel's buffers, and stop() reads these.
  go.store(false);
  for (auto& thread : threads) thread.join();
  server->stop();
  const Counters counters = server->counters();
  EXPECT_EQ(counters.records + counters.kernel_drops, sent.load());
  const auto lines = intake.lines();
  EXPECT_EQ(lines.size(), counters.records);
  std::vector<int> last(kSenders, -1);
  for (const std::string& line : lines) {
    const auto space = line.find(' ');
    const int s = std::stoi(line.substr(0, space));
    const int i = std::stoi(line.substr(space + 1));
    EXPECT_GT(i, last[static_cast<std::size_t>(s)]);
    last[static_cast<std::size_t>(s)] = i;
  }
}

TEST(SyslogUdp, StopsWhileDatagramsKeepComing) {
  MemoryIntake intake;
  auto server = make_syslog_udp(local(), intake);
  ASSERT_TRUE(server->start());
  std::atomic<bool> go{true};
  std::thread sender([&, port = server->port()] {
    const auto socket = connect_to(SOCK_DGRAM, port);
    while (go.load()) ::send(socket.get(), "on and on", 9, MSG_NOSIGNAL);
  });
  ASSERT_TRUE(eventually([&] { return server->counters().records > 1000; }));
  server->stop();
  server->stop();
  go.store(false);
  sender.join();
  EXPECT_EQ(intake.lines().size(), server->counters().records);
}

TEST(SyslogUdp, SaysWhyItCannotListen) {
  MemoryIntake intake;
  auto first = make_syslog_udp(local(), intake);
  ASSERT_TRUE(first->start());
  UdpOptions options = local();
  options.listen.port = first->port();
  options.workers = 2;
  auto second = make_syslog_udp(options, intake);
  const auto started = second->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("another program"), std::string::npos);
}

TEST(FlowUdp, KeepsDatagramsWithTheirLength) {
  MemoryIntake intake;
  auto server = make_flow_udp(local(), intake);
  ASSERT_TRUE(server->start());
  const auto sender = connect_to(SOCK_DGRAM, server->port());
  std::vector<std::string> sent;
  for (const std::size_t size : {1u, 2u, 255u, 256u, 1464u, 9000u, 65'507u}) {
    std::string datagram(size, '\n');
    datagram[0] = static_cast<char>(size);
    sent.push_back(datagram);
    ASSERT_EQ(::send(sender.get(), datagram.data(), datagram.size(), 0), static_cast<ssize_t>(size));
    ASSERT_TRUE(eventually([&] { return server->counters().records == sent.size(); }));
  }
  ASSERT_EQ(::send(sender.get(), "", 0, 0), 0);
  ASSERT_TRUE(eventually([&] { return server->counters().empty == 1; }));
  server->stop();
  EXPECT_EQ(intake.datagrams(), sent);
}

}  // namespace
}  // namespace orbwatch::source
