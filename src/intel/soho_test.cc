#include "intel/soho.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text.h"
#include "intel/embedded.h"
#include "intel/test_table.h"

namespace orbwatch::intel {
namespace {

TEST(Soho, EveryRowIsReadAndComplete) {
  EXPECT_EQ(soho_ports().size(), data_rows(embedded_soho_ports()));
  EXPECT_EQ(soho_banners().size(), data_rows(embedded_soho_banners()));
  for (const SohoPort& row : soho_ports()) {
    EXPECT_FALSE(row.meaning.empty()) << row.port;
    EXPECT_FALSE(row.devices.empty()) << row.port;
    EXPECT_FALSE(row.source.empty()) << row.port;
    if (row.weight == SohoWeight::kStrong) {
      EXPECT_FALSE(row.network.empty()) << row.port;
    }
  }
  for (const SohoBanner& row : soho_banners()) {
    EXPECT_EQ(row.pattern, core::lower(row.pattern));
    EXPECT_FALSE(row.meaning.empty()) << row.pattern;
    EXPECT_FALSE(row.source.empty()) << row.pattern;
    // A pattern shorter than this would match by accident.
    EXPECT_GE(row.pattern.size(), 4U) << row.pattern;
    if (row.weight == SohoWeight::kStrong) {
      EXPECT_FALSE(row.network.empty()) << row.pattern;
    }
  }
}

TEST(Soho, KnownPorts) {
  const SohoPort* xlogin = soho_port(7777, 6);
  ASSERT_NE(xlogin, nullptr);
  EXPECT_EQ(xlogin->weight, SohoWeight::kStrong);
  EXPECT_EQ(xlogin->network, "Quad7");
  EXPECT_EQ(soho_port(7777, 17), nullptr);
  ASSERT_NE(soho_port(7547, 6), nullptr);
  EXPECT_EQ(soho_port(7547, 6)->weight, SohoWeight::kMedium);
  EXPECT_EQ(soho_port(443, 6), nullptr);
  EXPECT_EQ(soho_port(7547, 1), nullptr);
  EXPECT_EQ(soho_port(0, 6), nullptr);
  EXPECT_EQ(soho_port(65535, 6), nullptr);
}

TEST(Soho, KnownBannersInAnyCase) {
  const auto weight = [](std::string_view text, BannerField field) {
    const SohoBanner* found = soho_banner(text, field);
    return found == nullptr ? std::string_view("none") : name(found->weight);
  };
  EXPECT_EQ(weight("SSH-2.0-dropbear_2019.78", BannerField::kBanner), "weak");
  EXPECT_EQ(weight("SSH-2.0-ROSSSH", BannerField::kBanner), "medium");
  EXPECT_EQ(weight("xlogin:", BannerField::kBanner), "strong");
  EXPECT_EQ(weight("Boa/0.94.14rc21", BannerField::kBanner), "medium");
  EXPECT_EQ(weight("RomPager/4.07 UPnP/1.0", BannerField::kBanner), "medium");
  EXPECT_EQ(weight("SSH-2.0-OpenSSH_9.2p1 Debian-2", BannerField::kBanner), "none");
  EXPECT_EQ(weight("nginx", BannerField::kBanner), "none");
  EXPECT_EQ(weight("", BannerField::kBanner), "none");
  EXPECT_EQ(weight("CN=ROOT,OU=Police Department,O=LAPD,L=LA,C=US", BannerField::kCertificateIssuer), "medium");
  EXPECT_EQ(weight("O=Los Angeles Police Department", BannerField::kCertificateIssuer), "strong");
  EXPECT_EQ(weight("CN=jdyfj", BannerField::kCertificateIssuer), "strong");
  EXPECT_EQ(weight("C=NL, O=PolarSSL, CN=PolarSSL Test CA", BannerField::kCertificateIssuer), "strong");
  EXPECT_EQ(weight("CN=jdyfj", BannerField::kBanner), "none");
}

TEST(Soho, TheStrongestPatternIsNamed) {
  // "alogin:" is part of "axlogin:"'s neighbour "xlogin:": all are strong; the busybox greeting before it is only
  // medium.
  const SohoBanner* found = soho_banner("BusyBox v1.2 xlogin:", BannerField::kBanner);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->weight, SohoWeight::kStrong);
}

}  // namespace
}  // namespace orbwatch::intel
