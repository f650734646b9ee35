#include "score/intrusion_wave.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "score/combine.h"

namespace orbwatch::score {
namespace {

using core::kDay;
using core::Symbol;

constexpr core::Nanoseconds kNow = 1'795'392'000 * core::kSecond;
const Symbol kAlice = core::intern("alice");
const Symbol kBob = core::intern("bob");
const Symbol kCarol = core::intern("carol");

TEST(IntrusionWave, SumsUpTheHighestOfEachOtherAccount) {
  IntrusionWave wave;
  wave.note(kNow, kBob, -1);
  wave.note(kNow + kDay, kBob, 1);
  wave.note(kNow + kDay, kCarol, 0);
  const auto others = wave.others(kNow + 2 * kDay, kAlice);
  EXPECT_DOUBLE_EQ(others.taken, probability(1) + probability(0));
  EXPECT_EQ(others.strangest, kBob);
  EXPECT_DOUBLE_EQ(others.probability, probability(1));
  EXPECT_DOUBLE_EQ(wave.others(kNow + 2 * kDay, kBob).taken, probability(0)) << "not his own";
}

TEST(IntrusionWave, LooksAWeekToBothSides) {
  IntrusionWave wave;
  wave.note(kNow, kBob, 2);
  for (const std::int64_t days : {-7, 0, 7}) EXPECT_GT(wave.others(kNow + days * kDay, kAlice).taken, 0) << days;
  for (const std::int64_t days : {-8, 8}) EXPECT_EQ(wave.others(kNow + days * kDay, kAlice).taken, 0) << days;
}

TEST(IntrusionWave, WhatIsJudgedAnewReplacesWhatWasSaid) {
  IntrusionWave wave;
  wave.note(kNow, kBob, 3);
  wave.note(kNow, kBob, -2);
  EXPECT_DOUBLE_EQ(wave.others(kNow, kAlice).taken, probability(-2));
  wave.note(kNow, kBob, IntrusionWave::kLeastLogOdds - 1);
  EXPECT_EQ(wave.others(kNow, kAlice).taken, 0);
}

TEST(IntrusionWave, ForgetsWhomTheLogInsBelongTo) {
  IntrusionWave wave;
  wave.note(kNow, kBob, 3);
  wave.note(kNow, kCarol, 1);
  wave.forget(kBob);
  EXPECT_DOUBLE_EQ(wave.others(kNow, kAlice).taken, probability(1));
}

TEST(IntrusionWave, CountsTheLogInsOfTheseDays) {
  IntrusionWave wave;
  wave.note(kNow, kBob, 3);
  for (std::int64_t day = -20; day <= 20; ++day) {
    for (int i = 0; i < 10; ++i) wave.count(kNow + day * kDay);
  }
  EXPECT_EQ(wave.others(kNow, kAlice).logins, 150) << "the days -7 to 7";
  wave.count(kNow - 40 * kDay);  // its place is taken: it is not counted, and changes nothing
  EXPECT_EQ(wave.others(kNow, kAlice).logins, 150);
}

TEST(IntrusionWave, IsBoundedByWhatSaysLeast) {
  IntrusionWave wave;
  constexpr int kMany = 3 * static_cast<int>(IntrusionWave::kMostAccounts);
  for (int i = 0; i < kMany; ++i) wave.note(kNow + i, core::intern("user" + std::to_string(i)), -4 + 0.03 * i);
  double expected = 0;
  for (int i = kMany - static_cast<int>(IntrusionWave::kMostAccounts); i < kMany; ++i)
    expected += probability(-4 + 0.03 * i);
  EXPECT_NEAR(wave.others(kNow, kAlice).taken, expected, 1e-9);
  IntrusionWave one;
  for (int i = 0; i < 20; ++i) one.note(kNow + i, kBob, i == 3 ? 2 : -3);
  EXPECT_DOUBLE_EQ(one.others(kNow, kAlice).taken, probability(2));
}

TEST(IntrusionWave, WhatIsOldLeaves) {
  IntrusionWave wave;
  wave.note(kNow, kBob, 5);
  wave.note(kNow + 14 * kDay, kCarol, -3);
  EXPECT_GT(wave.others(kNow, kAlice).taken, 0.9) << "a log-in of a week ago may still be judged anew";
  wave.note(kNow + 15 * kDay, kCarol, -3);
  EXPECT_EQ(wave.others(kNow, kAlice).taken, 0);
}

TEST(IntrusionWave, GoesOnWhereItWasSaved) {
  IntrusionWave before;
  before.note(kNow, kBob, 1.5);
  before.note(kNow + kDay, kCarol, -1.5);
  for (int i = 0; i < 30; ++i) before.count(kNow + i * core::kHour);
  core::ArchiveWriter writer;
  before.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  IntrusionWave after;
  after.load(reader);
  ASSERT_TRUE(reader.finish());
  const auto a = before.others(kNow, kAlice);
  const auto b = after.others(kNow, kAlice);
  EXPECT_EQ(a.taken, b.taken);
  EXPECT_EQ(a.logins, b.logins);
  EXPECT_EQ(a.logins, 30);
  EXPECT_EQ(a.strangest, b.strangest);
}

}  // namespace
}  // namespace orbwatch::score
