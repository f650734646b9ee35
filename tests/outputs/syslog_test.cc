// Syslog against real sockets.
#include <gtest/gtest.h>

#include <mutex>

#include "export/delivery.h"
#include "export/formats.h"
#include "export/output_settings.h"
#include "support/certificates.h"
#include "support/peer.h"
#include "support/sample_report.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

OutputSettings settings_for(const std::string& transport, unsigned port) {
  OutputSettings s;
  s.name = "siem";
  s.type = "syslog";
  s.host = "127.0.0.1";
  s.port = port;
  s.transport = transport;
  s.report_host = "hunter";
  s.timeout_seconds = 10;
  return s;
}

Message message_of(const OutputSettings& settings, std::uint64_t i = 0) {
  return *make_message(testing::sample_finding(i, false), settings, 1);
}

class Inbox {
 public:
  void add(std::string message) {
    const std::scoped_lock lock(mutex_);
    messages_.push_back(std::move(message));
  }
  std::vector<std::string> wait_for(std::size_t count) {
    for (int i = 0; i < 2'000; ++i) {
      {
        const std::scoped_lock lock(mutex_);
        if (messages_.size() >= count) return messages_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

TEST(SyslogUdp, SendsOneDatagramPerMessage) {
  unsigned port = 0;
  const int fd = test::bound_socket(SOCK_DGRAM, port);
  OutputSettings s = settings_for("udp", port);
  s.format = "cef";
  auto output = make_output(s);
  ASSERT_TRUE(output) << output.error().text();
  for (std::uint64_t i = 0; i < 2; ++i) {
    ASSERT_TRUE((*output)->deliver(message_of(s, i), {}));
    char buffer[65536];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    ASSERT_GT(n, 0);
    const std::string got(buffer, static_cast<std::size_t>(n));
    EXPECT_EQ(got, message_of(s, i).body);
    EXPECT_TRUE(got.starts_with("<1")) << got;
    EXPECT_NE(got.find(" hunter orbwatch - login - CEF:0|orbwatch|"), std::string::npos) << got;
  }
  ::close(fd);
  // Nobody listens any more.
  const Delivered nobody = (*output)->deliver(message_of(s), {});
  ASSERT_FALSE(nobody);
  EXPECT_FALSE(nobody.error().permanent);
}

TEST(SyslogUdp, FitsEveryFindingIntoADatagramOrSaysThatItDoesNot) {
  score::Finding big = testing::sample_finding(1, false);
  big.user = big.gateway = big.hypothesis = big.advice = std::string(10'000, 'x');
  for (const char* format : {"syslog", "cef", "leef"}) {
    OutputSettings s = settings_for("udp", 514);
    s.format = format;
    const auto message = make_message(big, s, 1);
    ASSERT_TRUE(message) << format;
    EXPECT_LE(message->body.size(), 2'048U);
    EXPECT_NE(message->body.find(big.id), std::string::npos);
  }
  OutputSettings s = settings_for("udp", 514);
  s.format = "stix";
  const auto message = make_message(big, s, 1);
  ASSERT_FALSE(message) << "a bundle cannot be cut";
  EXPECT_NE(message.error().text().find("siem"), std::string::npos);
}

TEST(SyslogTcp, CountsOctetsAndKeepsTheConnection) {
  Inbox inbox;
  test::Peer peer([&inbox](test::Client& client) {
    for (std::string m = client.counted(); !m.empty(); m = client.counted()) inbox.add(m);
  });
  const OutputSettings s = settings_for("tcp", peer.port());
  auto output = *make_output(s);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(output->deliver(message_of(s, i), {}));
  const auto got = inbox.wait_for(3);
  ASSERT_EQ(got.size(), 3U);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(got[i], message_of(s, i).body);
  EXPECT_EQ(peer.connections(), 1);
  output.reset();
}

TEST(SyslogTcp, ConnectsAnewAfterTheReceiverHasClosed) {
  Inbox inbox;
  // Closes in good order after each message.
  test::Peer peer([&inbox](test::Client& client) { inbox.add(client.counted()); });
  const OutputSettings s = settings_for("tcp", peer.port());
  auto output = *make_output(s);
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(output->deliver(message_of(s, i), {}));
    EXPECT_EQ(inbox.wait_for(i + 1).size(), i + 1) << "each came once";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(SyslogTcp, WaitsInTheSpoolWhileNobodyListens) {
  const test::TempDir dir;
  unsigned port = 0;
  const int fd = test::bound_socket(SOCK_STREAM, port);
  ::close(fd);
  const OutputSettings s = settings_for("tcp", port);
  const BackOff quick{std::chrono::milliseconds(5), std::chrono::milliseconds(20)};
  auto delivery = std::make_unique<Delivery>(*make_output(s), *Spool::open(dir / "spool", {}), quick);
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(delivery->give(message_of(s, i)));
  while (delivery->status().failures_in_row < 3) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(delivery->status().counts.waiting, 5U);
  EXPECT_NE(delivery->status().last_error.find("cannot connect"), std::string::npos) << delivery->status().last_error;
  Inbox inbox;
  test::Peer peer(
      [&inbox](test::Client& client) {
        for (std::string m = client.counted(); !m.empty(); m = client.counted()) inbox.add(m);
      },
      {}, {}, true, port);
  ASSERT_TRUE(delivery->wait_until_empty(std::chrono::seconds(30)));
  const auto got = inbox.wait_for(5);
  ASSERT_EQ(got.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(got[i], message_of(s, i).body) << "in order";
  delivery.reset();  // closes its connection, which ends the peer
}

TEST(SyslogTls, VerifiesTheReceiver) {
  const test::TempDir dir;
  const auto authority = test::issue("Test authority", "", nullptr);
  authority.write(dir / "ca.pem", dir / "ca.key");
  test::issue("Another authority", "", nullptr).write(dir / "another.pem", dir / "another.key");
  test::issue("server", "IP:127.0.0.1", &authority).write(dir / "server.pem", dir / "server.key");
  Inbox inbox;
  test::Peer peer(
      [&inbox](test::Client& client) {
        for (std::string m = client.counted(); !m.empty(); m = client.counted()) inbox.add(m);
      },
      dir / "server.pem", dir / "server.key");
  OutputSettings s = settings_for("tls", peer.port());
  s.ca_file = dir / "ca.pem";
  {
    auto output = *make_output(s);
    for (std::uint64_t i = 0; i < 2; ++i) {
      const Delivered delivered = output->deliver(message_of(s, i), {});
      ASSERT_TRUE(delivered) << delivered.error().error.text();
    }
    EXPECT_EQ(inbox.wait_for(2).at(1), message_of(s, 1).body);
    EXPECT_EQ(peer.connections(), 1);
  }
  s.ca_file = dir / "another.pem";
  auto output = *make_output(s);
  const Delivered refused = output->deliver(message_of(s), {});
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().permanent);
  EXPECT_NE(refused.error().error.text().find("certificate"), std::string::npos) << refused.error().error.text();
  s.ca_file = dir / "ca.pem";
  s.host = "localhost";  // the certificate names the address only
  output = *make_output(s);
  EXPECT_FALSE(output->deliver(message_of(s), {}));
  EXPECT_EQ(inbox.wait_for(2).size(), 2U);
}

TEST(SyslogTls, DoesNotWaitForEverForAHandshake) {
  const test::TempDir dir;
  test::Peer silent([](test::Client& client) { client.read(), client.read(); });
  OutputSettings s = settings_for("tls", silent.port());
  s.timeout_seconds = 1;
  auto output = *make_output(s);
  const Delivered delivered = output->deliver(message_of(s), {});
  ASSERT_FALSE(delivered);
  EXPECT_NE(delivered.error().error.text().find("timed out"), std::string::npos) << delivered.error().error.text();
}

}  // namespace
}  // namespace orbwatch::exporting
