#include "source/tls.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "source/collector_test_util.h"
#include "source/http_push.h"
#include "source/source_test_util.h"
#include "source/syslog_tcp.h"
#include "source/tls_test_util.h"

namespace orbwatch::source {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using test::eventually;
using test::Identity;
using test::make_identity;
using test::MemoryIntake;
using test::Said;
using test::TlsClient;

class Renewal : public testing::Test {
 protected:
  Renewal() {
    options_ = certificates_.options;
    options_.look_every = milliseconds(0);
    options_.settle = milliseconds(0);
  }
  // As certbot and most scripts do: another file in the place of the old one.
  void replace(const std::string& path, const Identity& identity, bool key) const {
    test::write_pem(path + ".new", identity, key);
    fs::rename(path + ".new", path);
  }
  void replace_both(const Identity& identity) const {
    replace(options_.certificate, identity, false);
    replace(options_.key, identity, true);
  }
  Identity renewed(long serial, long hours = 24) const {
    return make_identity("localhost", &certificates_.authority, serial, hours);
  }
  static long serial(const RenewedTls& tls) {
    return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_CTX_get0_certificate(tls.context().get())));
  }

  test::TempDir folder_;
  test::TestCertificates certificates_{folder_.path()};
  TlsOptions options_;
  Said said_;
  RareLog log_{said_.log(), "vpn"};
};

TEST_F(Renewal, NewFilesAreTakenOnceBothBelongTogether) {
  RenewedTls tls;
  EXPECT_EQ(tls.context(), nullptr);
  tls.look(true, log_);
  ASSERT_TRUE(tls.open(options_));
  const auto first = tls.status();
  EXPECT_GT(first.expires, now() + 23 * core::kHour);
  EXPECT_LT(first.expires, now() + 25 * core::kHour);
  const auto context = tls.context();
  tls.look(false, log_);
  tls.look(true, log_);
  EXPECT_EQ(tls.context(), context) << "nothing has changed";

  const Identity other = renewed(7, 48);
  replace(options_.certificate, other, false);
  for (int i = 0; i < 3; ++i) tls.look(false, log_);
  EXPECT_EQ(tls.context(), context);
  EXPECT_EQ(said_.count("vpn: the TLS files have changed and are not used, the old ones stay: "), 1u) << "once";
  EXPECT_TRUE(said_.has(options_.key)) << "which file";
  EXPECT_EQ(tls.status().expires, first.expires);
  EXPECT_NE(tls.status().trouble, "");
  tls.look(true, log_);
  EXPECT_EQ(said_.count("are not used"), 2u) << "who asks is told";

  replace(options_.key, other, true);
  tls.look(false, log_);
  EXPECT_EQ(serial(tls), 7);
  EXPECT_EQ(said_.count("vpn: the TLS files have changed: new connections get the certificate that expires at "), 1u);
  EXPECT_EQ(tls.status().trouble, "");
  EXPECT_GT(tls.status().expires, first.expires);
  for (int i = 0; i < 3; ++i) tls.look(false, log_);
  EXPECT_EQ(said_.count("new connections get"), 1u);
}

TEST_F(Renewal, DamagedAndMissingFilesLeaveTheOldOnes) {
  options_.client_ca = certificates_.authority_file;
  RenewedTls tls;
  ASSERT_TRUE(tls.open(options_));
  std::size_t told = 0;
  const auto refused = [&](const std::string& path, const std::string& why) {
    tls.look(false, log_);
    tls.look(false, log_);
    EXPECT_EQ(said_.count("are not used"), ++told) << path;
    EXPECT_NE(tls.status().trouble.find(path), std::string::npos) << tls.status().trouble;
    EXPECT_NE(tls.status().trouble.find(why), std::string::npos) << tls.status().trouble;
    EXPECT_EQ(serial(tls), 2);
  };
  folder_.write("server.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  refused(options_.certificate, "");
  fs::remove(options_.certificate);
  refused(options_.certificate, "No such file");
  replace(options_.certificate, certificates_.server, false);
  folder_.write("server.key", "");
  refused(options_.key, "");
  replace(options_.key, certificates_.server, true);
  folder_.write("authority.pem", "nothing");
  refused(options_.client_ca, "");
  // What is no file is not opened: that could wait forever.
  fs::remove(options_.client_ca);
  ASSERT_EQ(::mkfifo(options_.client_ca.c_str(), 0600), 0);
  refused(options_.client_ca, "this is no file");
  fs::remove(options_.client_ca);
  folder_.write("authority.pem");
  fs::resize_file(options_.client_ca, std::uintmax_t{64} << 20);
  refused(options_.client_ca, "too large");
  replace(options_.client_ca, certificates_.authority, false);
  tls.look(false, log_);
  EXPECT_EQ(tls.status().trouble, "");
  EXPECT_EQ(said_.count("new connections get"), 1u);
}

TEST_F(Renewal, AnExpiredCertificateIsTakenAndSaidToBe) {
  RenewedTls tls;
  ASSERT_TRUE(tls.open(options_));
  replace_both(renewed(8, -1));
  tls.look(false, log_);
  EXPECT_EQ(serial(tls), 8);
  EXPECT_TRUE(said_.has("the certificate that expired at "));
  EXPECT_LT(tls.status().expires, now());
}

TEST_F(Renewal, LooksRarelyByItselfAndLetsFilesSettle) {
  options_.look_every = std::chrono::hours(1);
  RenewedTls rare;
  ASSERT_TRUE(rare.open(options_));
  options_.look_every = milliseconds(0);
  options_.settle = std::chrono::hours(1);
  RenewedTls patient;
  ASSERT_TRUE(patient.open(options_));
  replace_both(renewed(9));
  for (RenewedTls* const tls : {&rare, &patient}) {
    tls->look(false, log_);
    EXPECT_EQ(serial(*tls), 2);
    tls->look(true, log_);
    EXPECT_EQ(serial(*tls), 9);
  }
}

TEST_F(Renewal, SyslogConnectionsGoOnAndNewOnesGetTheNewCertificate) {
  MemoryIntake intake;
  TcpOptions options;
  options.listen = test::loopback();
  options.tls = options_;
  const auto server = make_syslog_tcp(options, intake, said_.log());
  ASSERT_TRUE(server->start());
  const auto records = [&](std::uint64_t n) { return eventually([&] { return server->counters().records >= n; }); };
  TlsClient old(server->port());
  ASSERT_TRUE(old.connected());
  EXPECT_EQ(old.peer_serial(), 2);
  EXPECT_TRUE(old.send("<13>one\n<13>tw"));
  ASSERT_TRUE(records(1));

  const Identity other = renewed(10, 72);
  replace(options_.certificate, other, false);
  server->renew_certificate(true);
  EXPECT_NE(server->certificate().trouble, "");
  EXPECT_EQ(TlsClient(server->port()).peer_serial(), 2);
  replace(options_.key, other, true);
  server->renew_certificate(true);
  EXPECT_EQ(server->certificate().trouble, "");
  EXPECT_GT(server->certificate().expires, now() + 71 * core::kHour);

  TlsClient fresh(server->port());
  ASSERT_TRUE(fresh.connected());
  EXPECT_EQ(fresh.peer_serial(), 10);
  EXPECT_TRUE(fresh.send("<13>three\n"));
  ASSERT_TRUE(records(2));
  EXPECT_TRUE(old.send("o\n"));
  ASSERT_TRUE(records(3));
  EXPECT_EQ(intake.bytes(), "<13>one\n<13>three\n<13>two\n");
  EXPECT_EQ(server->counters().failed_handshakes, 0u);
  server->stop();
}

TEST_F(Renewal, AuthoritiesOfClientsAreRenewed) {
  options_.client_ca = certificates_.authority_file;
  MemoryIntake intake;
  TcpOptions options;
  options.listen = test::loopback();
  options.tls = options_;
  const auto server = make_ipfix_tcp(options, intake, said_.log());
  ASSERT_TRUE(server->start());
  TlsClient known(server->port(), &certificates_.client);
  ASSERT_TRUE(known.connected());
  replace(options_.client_ca, certificates_.stranger, false);
  server->renew_certificate(false);
  std::string message(16, '\0');
  message[1] = 10;
  message[3] = 16;
  TlsClient stranger(server->port(), &certificates_.stranger);
  EXPECT_TRUE(stranger.send(message));
  TlsClient(server->port(), &certificates_.client).send(message);
  ASSERT_TRUE(eventually([&] { return server->counters().failed_handshakes == 1; }));
  EXPECT_TRUE(known.send(message));
  ASSERT_TRUE(eventually([&] { return server->counters().records == 2; }));
  server->stop();
}

TEST_F(Renewal, HttpsConnectionsGoOnAndNewOnesGetTheNewCertificate) {
  MemoryIntake intake;
  HttpOptions options;
  options.listen = test::loopback();
  options.connections = 4;
  options.tls = options_;
  const auto server = make_http_push(options, [](std::string_view) { return true; }, intake, said_.log());
  ASSERT_TRUE(server->start());
  const auto client = [&] {
    auto http = std::make_unique<httplib::SSLClient>("127.0.0.1", server->port());
    http->enable_server_certificate_verification(false);
    http->set_keep_alive(true);
    return http;
  };
  const auto post = [](httplib::SSLClient& http, const std::string& line) {
    const auto result = http.Post("/ingest", {{"Authorization", "Bearer x"}}, line, "text/plain");
    return result ? result->status : 0;
  };
  const auto old = client();
  EXPECT_EQ(post(*old, "one"), 200);
  replace_both(renewed(11));
  server->renew_certificate(false);
  TlsClient fresh(server->port());
  const long seen = fresh.peer_serial();
  fresh.close();
  EXPECT_EQ(seen, 11);
  EXPECT_EQ(post(*old, "two"), 200);
  EXPECT_EQ(post(*client(), "three"), 200);
  EXPECT_EQ(intake.bytes(), "one\ntwo\nthree\n");
  EXPECT_EQ(server->counters().connections, 3u) << "the old one went on";
  server->stop();
}

TEST(Certificate, IsNoneWithoutTls) {
  MemoryIntake intake;
  TcpOptions options;
  options.listen = test::loopback();
  const auto server = make_syslog_tcp(options, intake);
  ASSERT_TRUE(server->start());
  server->renew_certificate(true);
  EXPECT_EQ(server->certificate(), CertificateStatus{});
  server->stop();
}

}  // namespace
}  // namespace orbwatch::source
