#include "pipeline/device_rates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace orbwatch::pipeline {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::Nanoseconds;
using core::Symbol;

constexpr Nanoseconds kMonday = 20'457 * kDay;  // 2026-01-05

DeviceStatus of(const DeviceRates& rates, std::string_view name) {
  for (const DeviceStatus& d : rates.status(SIZE_MAX)) {
    if (d.name == name) return d;
  }
  return {};
}

// 40 events a minute from 6 to 18 o'clock on weekdays, one in ten minutes otherwise.
void office(DeviceRates& rates, Symbol name, Nanoseconds from, Nanoseconds to) {
  for (Nanoseconds t = from; t < to; t += kMinute) {
    const auto day = t / kDay - kMonday / kDay;
    const auto hour = t % kDay / kHour;
    if (day % 7 < 5 && hour >= 6 && hour < 18) {
      rates.take(name, {}, 40, t);
    } else if (t / kMinute % 10 == 0) {
      rates.take(name, {}, 1, t);
    } else {
      rates.advance(t);
    }
  }
}

TEST(DeviceRates, SilenceIsMeasuredInWhatIsMissing) {
  const Symbol vpn = core::intern("vpn-2");
  DeviceRates rates;
  const Nanoseconds begin = kMonday;
  const Nanoseconds night = begin + 14 * kDay + 22 * kHour;
  office(rates, vpn, begin, night);
  EXPECT_EQ(rates.silent(), 0U);
  // Half an hour at night is nothing.
  for (Nanoseconds t = night; t < night + 30 * kMinute; t += kMinute) rates.advance(t);
  EXPECT_EQ(rates.silent(), 0U);
  const Nanoseconds morning = begin + 15 * kDay + 9 * kHour;
  office(rates, vpn, night + 30 * kMinute, morning);
  EXPECT_EQ(rates.silent(), 0U);
  // The same by day is 1200 events.
  for (Nanoseconds t = morning; t < morning + 30 * kMinute; t += kMinute) rates.advance(t);
  const DeviceStatus d = of(rates, "vpn-2");
  EXPECT_TRUE(d.silent);
  EXPECT_EQ(rates.silent(), 1U);
  EXPECT_NEAR(d.usual_per_minute, 40, 1);
  EXPECT_NEAR(d.missing, 1200, 60);
  EXPECT_EQ(d.last_arrival, morning - kMinute);
  // It comes back.
  rates.take(vpn, {}, 1, morning + 31 * kMinute);
  EXPECT_EQ(rates.silent(), 0U);
}

TEST(DeviceRates, WhoSendsInBurstsIsNotSilentBetweenThem) {
  const Symbol batch = core::intern("batch");
  DeviceRates rates;
  std::mt19937 random(5);
  // 500 events at once, some time of each day.
  Nanoseconds t = kMonday;
  for (int day = 0; day < 28; ++day) {
    const Nanoseconds at = kMonday + day * kDay + static_cast<Nanoseconds>(random() % 24) * kHour;
    for (; t < at; t += kMinute) rates.advance(t);
    rates.take(batch, {}, 500, t);
    if (day > 7) {
      EXPECT_EQ(rates.silent(), 0U) << day;
    }
  }
}

TEST(DeviceRates, TheServicesOwnAbsenceTeachesNothingAndAccusesNobody) {
  const Symbol vpn = core::intern("vpn-3");
  DeviceRates rates;
  office(rates, vpn, kMonday, kMonday + 8 * kDay + 8 * kHour);
  // Eight hours without an arrival or a tick: at 16 o'clock it is back, and the device a minute later.
  const Nanoseconds back = kMonday + 8 * kDay + 16 * kHour;
  rates.advance(back);
  EXPECT_EQ(rates.silent(), 0U);
  office(rates, vpn, back + kMinute, back + 10 * kMinute);
  EXPECT_NEAR(of(rates, "vpn-3").usual_per_minute, 40, 1);
  // A week later those hours are expected as ever.
  office(rates, vpn, back + 10 * kMinute, kMonday + 15 * kDay + 12 * kHour);
  EXPECT_NEAR(of(rates, "vpn-3").usual_per_minute, 40, 1);
}

TEST(DeviceRates, ANewDeviceIsNotJudged) {
  DeviceRates rates;
  for (Nanoseconds t = kMonday; t < kMonday + 20 * kHour; t += kMinute) rates.take(core::intern("new"), {}, 100, t);
  for (Nanoseconds t = kMonday + 20 * kHour; t < kMonday + 22 * kHour; t += kMinute) rates.advance(t);
  EXPECT_EQ(rates.silent(), 0U);
}

TEST(DeviceRates, AddressesStandForDevicesWithoutName) {
  DeviceRates rates;
  rates.take({}, core::Ip::v4(0xC0000201), 3, kMonday);
  rates.take(core::intern("fw"), core::Ip::v4(0xC0000201), 4, kMonday);
  rates.take(core::intern("fw"), core::Ip::v4(0xC0000202), 5, kMonday);
  EXPECT_EQ(rates.size(), 2U);
  EXPECT_EQ(of(rates, "192.0.2.1").events, 3U);
  EXPECT_EQ(of(rates, "fw").events, 9U);
}

TEST(DeviceRates, IsBounded) {
  DeviceRates rates;
  for (std::uint32_t i = 0; i < 2 * DeviceRates::kMostDevices; ++i)
    rates.take({}, core::Ip::v4(0x0A000000 + i), 1, kMonday + i);
  EXPECT_EQ(rates.size(), DeviceRates::kMostDevices);
  EXPECT_EQ(rates.untracked(), DeviceRates::kMostDevices);
  EXPECT_EQ(rates.status(10).size(), 10U);
  // Names that came once and never again make room for others.
  Nanoseconds t = kMonday;
  for (; t < kMonday + 2 * kDay; t += kMinute) rates.advance(t);
  rates.take(core::intern("real"), {}, 1, t);
  EXPECT_EQ(of(rates, "real").events, 1U);
  EXPECT_LT(rates.size(), 10U);
}

TEST(DeviceRates, GoesOnBehindARestart) {
  const Symbol vpn = core::intern("vpn-2");
  DeviceRates whole;
  DeviceRates parts;
  const Nanoseconds middle = kMonday + 8 * kDay + 7 * kHour + 13 * kMinute;
  const Nanoseconds end = kMonday + 9 * kDay + 10 * kHour;
  office(whole, vpn, kMonday, end);
  office(parts, vpn, kMonday, middle);
  core::ArchiveWriter writer;
  parts.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  DeviceRates again;
  again.load(reader);
  ASSERT_TRUE(reader.finish());
  office(again, vpn, middle, end);
  const DeviceStatus a = of(whole, "vpn-2");
  const DeviceStatus b = of(again, "vpn-2");
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.missing, b.missing);
  EXPECT_EQ(a.usual_per_minute, b.usual_per_minute);
}

}  // namespace
}  // namespace orbwatch::pipeline
