#include "source/syslog_tcp.h"

#include <gtest/gtest.h>

#include <memory>

#include "source/collector_test_util.h"
#include "source/source_test_util.h"
#include "source/tls_test_util.h"

namespace orbwatch::source {
namespace {

using test::connect_to;
using test::eventually;
using test::MemoryIntake;
using test::Said;
using test::send_all;
using test::TlsClient;

TcpOptions local() {
  TcpOptions options;
  options.source = 9;
  options.listen = test::loopback();
  return options;
}

struct Server {
  explicit Server(const TcpOptions& options, bool ipfix = false)
      : collector(ipfix ? make_ipfix_tcp(options, intake, said.log()) : make_syslog_tcp(options, intake, said.log())) {
    const auto started = collector->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().text());
  }
  ~Server() {
    intake.close(false);
    collector->stop();
  }
  Counters counters() const { return collector->counters(); }
  std::uint16_t port() const { return collector->port(); }
  bool records(std::uint64_t n) const {
    return eventually([&] { return counters().records >= n; }) && counters().records == n;
  }

  MemoryIntake intake;
  Said said;
  std::unique_ptr<Collector> collector;
};

TEST(SyslogTcp, CutsRecordsOfAConnection) {
  Server server(local());
  const auto sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), "<13>one\n<13>tw");
  ASSERT_TRUE(server.records(1));
  send_all(sender.get(), "o\n7 <13>thr");
  ASSERT_TRUE(server.records(3)) << "a counted message is given without waiting for the next byte";
  const auto stored = server.intake.stored();
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n<13>thr\n");
  EXPECT_EQ(stored[0].arrival.source, 9u);
  EXPECT_EQ(stored[0].arrival.kind, ArrivalKind::kLines);
  EXPECT_EQ(stored[0].arrival.peer.text(), "127.0.0.1");
  EXPECT_EQ(stored[0].arrival.peer_port, local_port(sender.get()));
  EXPECT_EQ(server.counters().bytes, server.intake.bytes().size());
  EXPECT_EQ(server.counters().open_connections, 1u);
}

TEST(SyslogTcp, TheRestOfAClosedConnectionIsARecord) {
  Server server(local());
  {
    const auto sender = connect_to(SOCK_STREAM, server.port());
    send_all(sender.get(), "<13>one\n<13>half");
  }
  ASSERT_TRUE(server.records(2));
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>half\n");
  EXPECT_EQ(server.counters().unfinished, 1u);
}

TEST(SyslogTcp, LongRecordsAreCutOffAndTheStreamGoesOn) {
  TcpOptions options = local();
  options.longest_record = 1000;
  Server server(options);
  const auto sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), std::string(3'000'000, 'x') + "\n<13>next\n");
  ASSERT_TRUE(server.records(2));
  EXPECT_EQ(server.intake.bytes(), std::string(1000, 'x') + "\n<13>next\n");
  EXPECT_EQ(server.counters().oversize, 1u);
}

// A slow sender, byte by byte.
TEST(SyslogTcp, TakesRecordsInPiecesOfOneByte) {
  Server server(local());
  const auto sender = connect_to(SOCK_STREAM, server.port());
  const int on = 1;
  ::setsockopt(sender.get(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  const std::string text = "7 <13>one<13>two\n20 <13>a counted record<13>end\n";
  for (const char c : text) {
    send_all(sender.get(), {&c, 1});
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ASSERT_TRUE(server.records(4));
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n<13>a counted record\n<13>end\n");
}

// While the Intake is full the sender is slowed down by the kernel; later everything is there, in order.
TEST(SyslogTcp, AFullIntakeHoldsTheSenderBack) {
  for (const auto answer : {Intake::Taken::kFull, Intake::Taken::kFailed}) {
    Server server(local());
    server.intake.answer(answer);
    const auto sender = connect_to(SOCK_STREAM, server.port());
    std::string text;
    for (int i = 0; text.size() < 64'000'000; ++i) {
      text += "<13>record " + std::to_string(i) + " with some text behind it that makes it longer\n";
    }
    std::atomic<bool> sent{false};
    std::thread thread([&] {
      EXPECT_TRUE(send_all(sender.get(), text));
      sent.store(true);
    });
    ASSERT_TRUE(eventually([&] {
      return (answer == Intake::Taken::kFull ? server.counters().intake_full : server.counters().intake_failed) >= 3;
    }));
    EXPECT_FALSE(sent.load()) << "64 MB fit into no buffer";
    EXPECT_EQ(server.counters().records, 0u);
    server.intake.answer(Intake::Taken::kYes);
    thread.join();
    ASSERT_TRUE(eventually([&] { return server.counters().bytes == text.size(); }));
    EXPECT_TRUE(server.intake.bytes() == text);
    EXPECT_EQ(server.counters().shed, 0u);
  }
}

// Many connections at once, and an Intake that is full most of the time.
TEST(SyslogTcp, ManyConnectionsLoseNothingAndKeepTheirOrder) {
  constexpr int kConnections = 200;
  constexpr int kRecords = 200;
  Server server(local());
  server.intake.set_room(0);
  std::atomic<bool> go{true};
  std::thread rooms([&] {
    for (std::size_t n = 0; go.load(); ++n) {
      server.intake.set_room(n % 3 * 20'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::vector<Descriptor> senders;
  senders.reserve(kConnections);
  for (int c = 0; c < kConnections; ++c) senders.push_back(connect_to(SOCK_STREAM, server.port()));
  for (int i = 0; i < kRecords; ++i) {
    for (int c = 0; c < kConnections; ++c) {
      const std::string record = "<13>" + std::to_string(c) + " " + std::to_string(i);
      // One half of them counts octets.
      ASSERT_TRUE(send_all(senders[static_cast<std::size_t>(c)].get(),
                           c % 2 == 0 ? record + "\n" : std::to_string(record.size()) + " " + record));
    }
  }
  EXPECT_TRUE(server.records(kConnections * kRecords));
  go.store(false);
  rooms.join();
  std::vector<int> next(kConnections, 0);
  for (const std::string& line : server.intake.lines()) {
    const auto space = line.find(' ');
    const auto c = static_cast<std::size_t>(std::stoi(line.substr(4, space - 4)));
    EXPECT_EQ(std::stoi(line.substr(space + 1)), next[c]++);
  }
  EXPECT_NE(server.counters().intake_full, 0u);
  EXPECT_EQ(server.counters().connections, static_cast<std::uint64_t>(kConnections));
}

TEST(SyslogTcp, RefusesConnectionsBeyondTheLimit) {
  TcpOptions options = local();
  options.most_connections = 2;
  Server server(options);
  auto a = connect_to(SOCK_STREAM, server.port());
  const auto b = connect_to(SOCK_STREAM, server.port());
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 2; }));
  const auto c = connect_to(SOCK_STREAM, server.port());
  EXPECT_TRUE(test::closed_by_peer(c.get()));
  EXPECT_EQ(server.counters().refused, 1u);
  EXPECT_TRUE(server.said.has("refused"));
  a.reset();
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 1; }));
  const auto d = connect_to(SOCK_STREAM, server.port());
  send_all(d.get(), "<13>one\n");
  EXPECT_TRUE(server.records(1));
}

TEST(SyslogTcp, RefusesSendersThatAreNotAdmitted) {
  TcpOptions options = local();
  options.admitted = {*core::Prefix::parse("192.0.2.0/24")};
  Server server(options);
  const auto sender = connect_to(SOCK_STREAM, server.port());
  EXPECT_TRUE(test::closed_by_peer(sender.get()));
  EXPECT_EQ(server.counters().refused, 1u);
}

TEST(SyslogTcp, ClosesIdleConnections) {
  TcpOptions options = local();
  options.idle = std::chrono::seconds(1);
  Server server(options);
  const auto sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), "<13>half");
  EXPECT_TRUE(test::closed_by_peer(sender.get()));
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  EXPECT_EQ(server.counters().idle_closed, 1u);
  EXPECT_EQ(server.intake.bytes(), "<13>half\n");
}

// What was sent before stop() and lies in the kernel is read; a record without its end is one.
TEST(SyslogTcp, StopsWithEverythingThatWasSent) {
  Server server(local());
  const auto sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), "<13>first\n");
  ASSERT_TRUE(server.records(1));
  server.intake.close(true);
  send_all(sender.get(), "<13>second\n");
  ASSERT_TRUE(eventually([&] { return server.intake.waiting() == 1; }));
  std::string text;
  for (int i = 0; i < 500; ++i) text += "<13>" + std::to_string(i) + "\n";
  send_all(sender.get(), text + "<13>half");
  std::thread opener([&] { server.intake.close(false); });
  server.collector->stop();
  opener.join();
  EXPECT_EQ(server.intake.bytes(), "<13>first\n<13>second\n" + text + "<13>half\n");
  EXPECT_EQ(server.counters().open_connections, 0u);
  EXPECT_EQ(server.counters().shed, 0u);
}

TEST(SyslogTcp, StopsUnderLoad) {
  Server server(local());
  std::atomic<bool> go{true};
  std::vector<std::thread> senders;
  senders.reserve(4);
  for (int s = 0; s < 4; ++s) {
    senders.emplace_back([&, socket = connect_to(SOCK_STREAM, server.port())] {
      while (go.load() && send_all(socket.get(), "<13>on and on\n<13>and on\n")) {
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return server.counters().records > 10'000; }));
  server.collector->stop();
  go.store(false);
  for (auto& thread : senders) thread.join();
  EXPECT_EQ(server.intake.lines().size(), server.counters().records);
}

// A full Intake does not keep stop() from returning; what is lost is counted.
TEST(SyslogTcp, StopsWhileTheIntakeIsFull) {
  Server server(local());
  server.intake.answer(Intake::Taken::kFull);
  const auto sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), "<13>one\n<13>two\n<13>half");
  ASSERT_TRUE(eventually([&] { return server.counters().intake_full != 0; }));
  server.collector->stop();
  EXPECT_EQ(server.counters().shed, 3u);
  ASSERT_EQ(server.collector->shed_by_sender().size(), 1u);
  EXPECT_EQ(server.collector->shed_by_sender()[0].records, 3u);
  EXPECT_TRUE(server.said.has("3 records are lost"));
}

class SyslogTls : public testing::Test {
 protected:
  test::TempDir folder_;
  test::TestCertificates certificates_{folder_.path()};

  TcpOptions options() const {
    TcpOptions options = local();
    options.tls = certificates_.options;
    return options;
  }
};

TEST_F(SyslogTls, CutsRecordsOfATlsConnection) {
  Server server(options());
  TlsClient sender(server.port());
  ASSERT_TRUE(sender.connected());
  EXPECT_TRUE(sender.send("7 <13>one7 <13>two"));
  ASSERT_TRUE(server.records(2));
  // More than one turn's bytes: what OpenSSL holds is not forgotten.
  std::string text;
  for (int i = 0; text.size() < 5'000'000; ++i) text += "<13>record " + std::to_string(i) + "\n";
  EXPECT_TRUE(sender.send(text));
  sender.close();
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  EXPECT_TRUE(server.intake.bytes() == "<13>one\n<13>two\n" + text);
  EXPECT_EQ(server.counters().errors, 0u);
  EXPECT_EQ(server.counters().failed_handshakes, 0u);
}

TEST_F(SyslogTls, AFullIntakeHoldsTheSenderBack) {
  Server server(options());
  server.intake.answer(Intake::Taken::kFull);
  TlsClient sender(server.port());
  std::string text;
  for (int i = 0; text.size() < 30'000'000; ++i) text += "<13>record " + std::to_string(i) + "\n";
  std::thread thread([&] { EXPECT_TRUE(sender.send(text)); });
  ASSERT_TRUE(eventually([&] { return server.counters().intake_full >= 3; }));
  EXPECT_EQ(server.counters().records, 0u);
  server.intake.answer(Intake::Taken::kYes);
  thread.join();
  ASSERT_TRUE(eventually([&] { return server.counters().bytes == text.size(); }));
  EXPECT_TRUE(server.intake.bytes() == text);
}

TEST_F(SyslogTls, RefusesOldVersionsAndWhatIsNoTls) {
  Server server(options());
  TlsClient old(server.port(), nullptr, TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  const auto plain = connect_to(SOCK_STREAM, server.port());
  send_all(plain.get(), "<13>no TLS here\n");
  EXPECT_TRUE(test::closed_by_peer(plain.get()));
  ASSERT_TRUE(eventually([&] { return server.counters().failed_handshakes == 2; }));
  EXPECT_TRUE(server.said.has("TLS with 127.0.0.1 failed"));
  TlsClient twelve(server.port(), nullptr, TLS1_2_VERSION);
  ASSERT_TRUE(twelve.connected());
  EXPECT_TRUE(twelve.send("<13>one\n"));
  EXPECT_TRUE(server.records(1));
}

TEST_F(SyslogTls, GivesUpOnASilentHandshake) {
  TcpOptions impatient = options();
  impatient.handshake = std::chrono::seconds(1);
  Server server(impatient);
  const auto silent = connect_to(SOCK_STREAM, server.port());
  EXPECT_TRUE(test::closed_by_peer(silent.get()));
  EXPECT_EQ(server.counters().failed_handshakes, 1u);
}

TEST_F(SyslogTls, AsksForAClientCertificate) {
  TcpOptions mutual = options();
  mutual.tls->client_ca = certificates_.authority_file;
  Server server(mutual);
  TlsClient known(server.port(), &certificates_.client);
  ASSERT_TRUE(known.connected());
  EXPECT_TRUE(known.send("<13>known\n"));
  ASSERT_TRUE(server.records(1));
  // With TLS 1.3 the client learns of it after its handshake.
  TlsClient none(server.port());
  none.send("<13>none\n");
  TlsClient stranger(server.port(), &certificates_.stranger);
  stranger.send("<13>stranger\n");
  ASSERT_TRUE(eventually([&] { return server.counters().failed_handshakes == 2; }));
  EXPECT_EQ(server.intake.bytes(), "<13>known\n");
}

TEST_F(SyslogTls, SaysWhichFileIsWrong) {
  MemoryIntake intake;
  TcpOptions wrong = options();
  wrong.tls->certificate = folder_.path("missing.pem");
  auto started = make_syslog_tcp(wrong, intake)->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("missing.pem"), std::string::npos) << started.error().text();
  wrong = options();
  test::write_pem(folder_.path("other.key"), certificates_.client, true);
  wrong.tls->key = folder_.path("other.key");
  started = make_syslog_tcp(wrong, intake)->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("other.key"), std::string::npos) << started.error().text();
  wrong = options();
  wrong.tls->client_ca = folder_.write("empty.pem", "");
  EXPECT_FALSE(make_syslog_tcp(wrong, intake)->start());
}

std::string ipfix(std::size_t size) {
  std::string message(size, 'i');
  message[0] = 0;
  message[1] = 10;
  message[2] = static_cast<char>(size >> 8);
  message[3] = static_cast<char>(size & 0xff);
  return message;
}

TEST(IpfixTcp, MessagesBecomeDatagrams) {
  Server server(local(), true);
  const auto sender = connect_to(SOCK_STREAM, server.port());
  std::vector<std::string> sent;
  std::string stream;
  for (const std::size_t size : {16u, 1400u, 65'535u, 20u}) {
    sent.push_back(ipfix(size));
    stream += sent.back();
  }
  send_all(sender.get(), stream);
  ASSERT_TRUE(server.records(4));
  EXPECT_EQ(server.intake.datagrams(), sent);
  send_all(sender.get(), "<13>this is no IPFIX");
  EXPECT_TRUE(test::closed_by_peer(sender.get()));
  EXPECT_EQ(server.counters().invalid, 1u);
}

}  // namespace
}  // namespace orbwatch::source
