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
    w_.user.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 40);
    w_.everyone.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 900);
    w_.everyone.methods.add(key(Service::kSsh, AuthMethod::kPassword), 100);
    by(AuthMethod::kPassword);
  }
  void by(AuthMethod method, Service service = Service::kSsh) {
    w_.event.auth_method = method;
    w_.event.service = service;
    w_.view.method = key(service, method);
  }
  std::unique_ptr<Detector> detector_ = make_new_method({});
  World w_;
};

TEST_F(NewMethodTest, APasswordWhereSheUsesAKeyIsEvidence) {
  const auto e = w_.run(*detector_, "new-method");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 2);
  EXPECT_EQ(e->says, "by password; alice logs in so in 0.0 % of cases");
}

TEST_F(NewMethodTest, HerKeySpeaksForHer) {
  by(AuthMethod::kPublicKey);
  EXPECT_LT(w_.llr(*detector_, "new-method"), -0.5);
}

TEST_F(NewMethodTest, WhoTypesPasswordsIsNoSurprise) {
  const double never = w_.llr(*detector_, "new-method");
  w_.user.methods.add(key(Service::kSsh, AuthMethod::kPassword), 10);
  EXPECT_LT(w_.llr(*detector_, "new-method"), never - 1);
}

TEST_F(NewMethodTest, WherePasswordsAreOrdinaryFewKeysSayLittle) {
  const double rare = w_.llr(*detector_, "new-method");
  w_.everyone.methods.add(key(Service::kSsh, AuthMethod::kPassword), 5000);
  EXPECT_LT(w_.llr(*detector_, "new-method"), rare);
}

TEST_F(NewMethodTest, ServicesAreNotMixed) {
  by(AuthMethod::kPassword, Service::kVpn);
  EXPECT_FALSE(w_.run(*detector_, "new-method")) << "her first VPN log-in: a key for SSH says nothing about it";
}

TEST_F(NewMethodTest, IsBounded) {
  w_.user.methods.add(key(Service::kSsh, AuthMethod::kPublicKey), 1e9F);
  EXPECT_LE(w_.llr(*detector_, "new-method"), 4.0);
  by(AuthMethod::kPublicKey);
  EXPECT_GE(w_.llr(*detector_, "new-method"), -1.0);
}

TEST_F(NewMethodTest, StaysSilent) {
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "inside";
  w_.view.remote = true;
  w_.view.user = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "nobody knows this user";
  w_.view.user = &w_.user;
  by(AuthMethod::kUnknown);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "the record names no method";
  by(AuthMethod::kPassword);
  w_.fail();
  EXPECT_TRUE(w_.run(*detector_).empty()) << "it failed";
}

}  // namespace
}  // namespace orbwatch::detect
