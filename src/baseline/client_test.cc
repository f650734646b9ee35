#include "baseline/client.h"

#include <gtest/gtest.h>

#include <string>

#include "baseline/baseline.h"
#include "core/symbol.h"

namespace orbwatch::baseline {
namespace {

Client client(std::string_view software, std::string_view system = {}) {
  return {core::intern(software), core::intern(system)};
}
int order(const Client& a, const Client& b) {
  const auto result = compare_versions(a, b);
  return result < 0 ? -1 : result > 0 ? 1 : 0;
}
bool same_model(const Client& a, const Client& b) { return model_key(a) == model_key(b); }

TEST(Client, VersionsMakeNoOtherModel) {
  EXPECT_EQ(model_key({}), 0U);
  const Client base = client("AnyConnect Windows 4.10.07061", "Windows 10");
  EXPECT_TRUE(same_model(base, client("AnyConnect Windows 4.9.04053", "Windows 10")));
  EXPECT_TRUE(same_model(base, client("AnyConnect Windows 5.0.01242", "Windows 11")));
  EXPECT_TRUE(same_model(client("Mozilla/5.0 (Windows NT 10.0) Chrome/129.0.0.0"),
                         client("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0.6778.85")));
  EXPECT_FALSE(same_model(base, client("AnyConnect Linux 4.10.07061", "Windows 10")));
  EXPECT_FALSE(same_model(base, client("AnyConnect Windows 4.10.07061", "macOS 14")));
  EXPECT_FALSE(same_model(client("a"), client("", "a"))) << "software is not an operating system";
}

TEST(Client, NumbersOfANameAreNoVersion) {
  EXPECT_FALSE(same_model(client("GlobalProtect 6.1", "SM-G991B"), client("GlobalProtect 6.1", "SM-G998B")));
  EXPECT_FALSE(same_model(client("GlobalProtect", "iPhone14,5"), client("GlobalProtect", "iPhone15,5")));
  EXPECT_FALSE(same_model(client("Win32; x86"), client("Win64; x64")));
  EXPECT_TRUE(same_model(client("Open AnyConnect VPN Agent v8.20"), client("Open AnyConnect VPN Agent v9.12")));
}

TEST(Client, ANewNameIsTheSameProduct) {
  EXPECT_TRUE(same_model(client("Cisco AnyConnect VPN Agent for Windows 4.10.08029"),
                         client("Cisco Secure Client VPN Agent for Windows 5.1.2.42")));
  EXPECT_TRUE(same_model(client("Pulse Secure 9.1.15"), client("Ivanti Secure Access 22.7")));
  EXPECT_FALSE(same_model(client("Cisco AnyConnect VPN Agent for Windows 4.10.08029"),
                          client("Open AnyConnect VPN Agent v8.20")));
}

TEST(Client, VersionsAreComparedAsNumbers) {
  EXPECT_EQ(order(client("VPN 4.9.06037"), client("VPN 4.10.07061")), -1);
  EXPECT_EQ(order(client("VPN 5"), client("VPN 4.10.07061")), 1);
  EXPECT_EQ(order(client("VPN 5.1"), client("VPN 5.1.0")), 0);
  EXPECT_EQ(order(client("VPN v8.20"), client("VPN v9.12")), -1);
  EXPECT_EQ(order(client("VPN 5", "Windows 10"), client("VPN 5", "Windows 11")), -1);
  EXPECT_EQ(order(client("VPN 99999999999999999999999999"), client("VPN 5")), 1) << "does not wrap round";
}

TEST(Client, LongAndStrangeTextsAreBounded) {
  const std::string dots = std::string(300, '.') + std::string(1000, '7');
  EXPECT_NE(model_key(client(dots)), 0U);
  std::string many;
  for (int i = 0; i < 300; ++i) many += " 1.2";
  EXPECT_EQ(order(client(many), client(many)), 0);
  EXPECT_EQ(order(client("-"), client("9")), -1);
}

TEST(ClientChange, IsToldByWhatTheUserHad) {
  UserProfile user;
  EXPECT_EQ(client_change(user, client("VPN 4.10")), ClientChange::kOther);
  user.clients.add(client("VPN 4.10"), 1);
  user.clients.add(client("VPN 5.1"), 1);
  EXPECT_EQ(client_change(user, client("VPN 4.10")), ClientChange::kSame) << "a second computer that stays behind";
  EXPECT_EQ(client_change(user, client("VPN 5.2")), ClientChange::kUpgraded);
  EXPECT_EQ(client_change(user, client("VPN 4.8")), ClientChange::kOlder);
  EXPECT_EQ(client_change(user, client("VPN 5.0")), ClientChange::kOlder);
  EXPECT_EQ(client_change(user, client("VPN 5.1.0")), ClientChange::kSame) << "written in another way";
  user.clients.add(client("Another 1.0"), 1);
  user.clients.add(client("VPN 4.9"), 1);
  EXPECT_EQ(client_change(user, client("VPN 5.0")), ClientChange::kOlder) << "the newest counts, not the last";
  EXPECT_EQ(client_change(user, client("VPN 5.1", "Linux")), ClientChange::kOther);
}

}  // namespace
}  // namespace orbwatch::baseline
