// Certificates of the service's listeners are renewed by SIGHUP, without a pause. tls_slow_test.cc: by themselves.
#include "e2e/tls_renewal.h"

namespace orbwatch::test {
namespace {

using std::chrono::seconds;

TEST(TlsRenewal, ASignalHasNewConnectionsGetTheNewCertificate) {
  if (!TlsRenewal::possible()) GTEST_SKIP() << "openssl is not installed";
  const TlsRenewal tls;
  tls.make("first");
  ServiceProcess service(tls.dir.path(), tls.config());
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(TlsRenewal::all_see(service, "first", seconds(20)));
  EXPECT_NE(service.get("/status").find("\"certificate_expires\":\"20"), std::string::npos) << service.get("/status");
  OpenTlsSender sender(service.port("syslog"));
  sender.send("<13>before");
  ASSERT_TRUE(service.wait_for("records", 1, "syslog"));

  // Half of a renewal is none.
  tls.make("second", false);
  service.signal(SIGHUP);
  for (int i = 0; i < 600 && service.err().find("the configuration was read anew") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(TlsRenewal::all_see(service, "first", seconds(20)));
  EXPECT_NE(service.err().find("the TLS files have changed and are not used, the old ones stay"), std::string::npos)
      << service.err();
  EXPECT_NE(service.err().find("tls.key"), std::string::npos) << service.err();
  EXPECT_NE(service.get("/status").find("\"certificate_trouble\":\"the TLS key"), std::string::npos);
  EXPECT_NE(service.get("/metrics").find("orbwatch_tls_certificate_refused{collector=\"http\",type=\"http\"} 1"),
            std::string::npos);
  const auto doctor = run({orbwatch_binary(), "doctor", "--config", (tls.dir / "orbwatch.yaml").string(), "--networks",
                           "none", "--ask", "127.0.0.1:" + std::to_string(service.port("metrics"))});
  EXPECT_NE(doctor.out.find("certificate in use of syslog: the service does not take the files"), std::string::npos)
      << doctor.out << doctor.err;

  tls.make("third");
  // A wrong configuration is refused; the certificate is taken all the same.
  service.write_config(tls.config() + "nonsense: 1\n");
  service.signal(SIGHUP);
  EXPECT_TRUE(TlsRenewal::all_see(service, "third", seconds(60)));
  EXPECT_NE(service.get("/metrics").find("orbwatch_tls_certificate_refused{collector=\"http\",type=\"http\"} 0"),
            std::string::npos);

  // The connection from before goes on, and no record is missing.
  sender.send("<13>after");
  ASSERT_TRUE(service.wait_for("records", 2, "syslog"));
  OpenTlsSender other(service.port("syslog"));
  other.send("<13>over the new certificate");
  ASSERT_TRUE(service.wait_for("records", 3, "syslog"));
  service.signal(SIGTERM);
  EXPECT_EQ(service.wait(), 0) << service.err();
  EXPECT_EQ(service.out().find("\"shed\""), std::string::npos) << service.out();
}

}  // namespace
}  // namespace orbwatch::test
