#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using event::AuthMethod;
using event::Service;
using test::World;

std::uint16_t key(Service service, AuthMethod method) {
  return baseline::method_key(static_cast<std::uint8_t>(service), static_cast<std::uint8_t>(method));
}

class NewMethodTest : public ::testing::Test {
 protected:
  NewMethodTest() {
    w.user.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 40);
    w.everyone.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 900);
    w.everyone.methods.add(key(Service::kSsh, AuthMethod::kPassword), 100);
    by(AuthMethod::kPassword);
  }
  void by(AuthMethod method, Service service = Service::kSsh) {
    w.event.auth_method = method;
    w.event.service = service;
    w.view.method = key(service, method);
  }
  std::unique_ptr<Detector> detector = make_new_method({});
  World w;
};

TEST_F(NewMethodTest, APasswordWhereSheUsesAKeyIsEvidence) {
  const auto e = w.run(*detector, "new-method");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says, "by password; alice logs in so in 0.0 % of cases");
}

TEST_F(NewMethodTest, HerKeySpeaksForHer) {
  by(AuthMethod::kPublicKey);
  EXPECT_LT(w.llr(*detector, "new-method"), -0.5);
}

TEST_F(NewMethodTest, WhoTypesPasswordsIsNoSurprise) {
  const double never = w.llr(*detector, "new-method");
  w.user.methods.add(key(Service::kSsh, AuthMethod::kPassword), 10);
  EXPECT_LT(w.llr(*detector, "new-method"), never - 1);
}

TEST_F(NewMethodTest, WherePasswordsAreOrdinaryFewKeysSayLittle) {
  const double rare = w.llr(*detector, "new-method");
  w.everyone.methods.add(key(Service::kSsh, AuthMethod::kPassword), 5000);
  EXPECT_LT(w.llr(*detector, "new-method"), rare);
}

TEST_F(NewMethodTest, ServicesAreNotMixed) {
  by(AuthMethod::kPassword, Service::kVpn);
  EXPECT_FALSE(w.run(*detector, "new-method")) << "her first VPN log-in: a key for SSH says nothing about it";
}

TEST_F(NewMethodTest, IsBounded) {
  w.user.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 1e9F);
  EXPECT_LE(w.llr(*detector, "new-method"), 4.0);
  by(AuthMethod::kPublicKey);
  EXPECT_GE(w.llr(*detector, "new-method"), -1.0);
}

TEST_F(NewMethodTest, StaysSilent) {
  w.view.remote = false;
  EXPECT_TRUE(w.run(*detector).empty()) << "inside";
  w.view.remote = true;
  w.view.user = nullptr;
  EXPECT_TRUE(w.run(*detector).empty()) << "nobody knows this user";
  w.view.user = &w.user;
  by(AuthMethod::kUnknown);
  EXPECT_TRUE(w.run(*detector).empty()) << "the record names no method";
  by(AuthMethod::kPassword);
  w.fail();
  EXPECT_TRUE(w.run(*detector).empty()) << "it failed";
}

}  // namespace
}  // namespace orbwatch::detect
