// The service finds renewed certificates by itself; it looks once a minute.
#include "e2e/tls_renewal.h"

namespace orbwatch::test {
namespace {

using std::chrono::seconds;

TEST(TlsRenewalSlow, NewFilesAreFoundWithoutASignal) {
  if (!TlsRenewal::possible()) GTEST_SKIP() << "openssl is not installed";
  const TlsRenewal tls;
  tls.make("first");
  ServiceProcess service(tls.dir.path(), tls.config());
  ASSERT_TRUE(service.wait_ready()) << service.err();
  ASSERT_TRUE(TlsRenewal::all_see(service, "first", seconds(20)));
  OpenTlsSender sender(service.port("syslog"));
  sender.send("<13>before");
  ASSERT_TRUE(service.wait_for("records", 1, "syslog"));
  tls.make("second");
  ASSERT_TRUE(TlsRenewal::all_see(service, "second", seconds(180)));
  EXPECT_NE(service.err().find("syslog"), std::string::npos);
  sender.send("<13>after");
  ASSERT_TRUE(service.wait_for("records", 2, "syslog"));
  service.signal(SIGTERM);
  EXPECT_EQ(service.wait(), 0) << service.err();
}

}  // namespace
}  // namespace orbwatch::test
