#include "decode/flow_sequences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "decode/flow_datagram.h"

namespace orbwatch::decode {
namespace {

const core::Ip kExporter = core::Ip::v4(0xc0000201);

// One sequence of v9: one unit a datagram.
struct Followed {
  FlowSequences sequences{10};
  void datagrams(std::uint32_t from, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) sequences.take(FlowProtocol::kNetflowV9, kExporter, 1, from + i, 1);
  }
  FlowLoss loss() const {
    const auto all = sequences.lost();
    EXPECT_EQ(all.of_each.size(), 1U);
    EXPECT_EQ(all.datagrams, all.of_each.at(0).lost);
    return all.of_each.at(0);
  }
};

TEST(FlowSequences, NothingIsLostInOrder) {
  Followed f;
  f.datagrams(4294967290U, 20);  // over the end of 32 bits
  EXPECT_EQ(f.loss().lost, 0U);
  EXPECT_EQ(f.loss().received, 20U);
}

TEST(FlowSequences, WhatIsMissingIsLost) {
  Followed f;
  f.datagrams(100, 5);
  f.datagrams(108, 5);
  f.datagrams(120, 1);
  EXPECT_EQ(f.loss().lost, 10U);
  EXPECT_EQ(f.loss().restarts, 0U);
}

TEST(FlowSequences, WhatComesLateIsNotLost) {
  std::vector<std::uint32_t> numbers(400);
  for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i + 4294967200U;
  std::mt19937 random(5);
  for (std::size_t at = 1; at + 6 < numbers.size(); at += 6)
    std::shuffle(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                 numbers.begin() + static_cast<std::ptrdiff_t>(at) + 6, random);
  Followed f;
  for (const std::uint32_t n : numbers) f.datagrams(n, 1);
  EXPECT_EQ(f.loss().lost, 0U);
  EXPECT_GT(f.loss().late, 50U);
  EXPECT_EQ(f.loss().repeated, 0U);
  EXPECT_EQ(f.loss().restarts, 0U);
}

TEST(FlowSequences, WhatComesTwiceIsNotLost) {
  Followed f;
  for (std::uint32_t i = 0; i < 50; ++i) {
    f.datagrams(i, 1);
    f.datagrams(i, 1);
  }
  EXPECT_EQ(f.loss().lost, 0U);
  EXPECT_EQ(f.loss().repeated, 50U);
  EXPECT_EQ(f.loss().restarts, 0U);
  f.datagrams(55, 1);
  f.datagrams(52, 1);
  f.datagrams(52, 1);
  EXPECT_EQ(f.loss().lost, 4U) << "of 50 to 54 one came late, and once more";
}

TEST(FlowSequences, AnExporterThatBeginsAnewLosesNothing) {
  for (const std::uint32_t stood_at : {5U, 200U, 1'000'000U, 3'000'000'000U}) {
    SCOPED_TRACE(stood_at);
    Followed f;
    f.datagrams(stood_at, 10);
    f.datagrams(0, 200);
    f.datagrams(205, 10);
    EXPECT_EQ(f.loss().lost, 5U);
    EXPECT_EQ(f.loss().restarts, 1U);
    EXPECT_EQ(f.loss().received, 220U);
  }
}

TEST(FlowSequences, OneStrayNumberMovesNothing) {
  Followed f;
  f.datagrams(1000, 10);
  f.datagrams(900'000, 1);
  f.datagrams(1010, 10);
  f.datagrams(3'000'000'000U, 1);
  f.datagrams(1020, 10);
  EXPECT_EQ(f.loss().lost, 0U);
  EXPECT_EQ(f.loss().restarts, 0U);
}

TEST(FlowSequences, ALongPauseIsLostOnceItIsBelieved) {
  Followed f;
  f.datagrams(1000, 10);
  f.datagrams(501'010, 1);
  EXPECT_EQ(f.loss().lost, 0U);
  f.datagrams(501'011, 1);
  EXPECT_EQ(f.loss().lost, 500'000U);
}

TEST(FlowSequences, OfNumbersThatCannotBeKnownNothingIsSaid) {
  FlowSequences s(10);
  s.take(FlowProtocol::kIpfix, kExporter, 1, 0, std::nullopt);
  s.take(FlowProtocol::kIpfix, kExporter, 1, 700, 10);
  s.take(FlowProtocol::kIpfix, kExporter, 1, 715, 10);
  EXPECT_EQ(s.lost().flows, 5U);
  s.take(FlowProtocol::kIpfix, kExporter, 1, 730, std::nullopt);
  EXPECT_EQ(s.lost().flows, 10U);
  s.take(FlowProtocol::kIpfix, kExporter, 1, 999, 1);
  EXPECT_EQ(s.lost().flows, 10U);
}

TEST(FlowSequences, MoreThanTheLimitAreCountedAndNotFollowed) {
  FlowSequences s(2);
  for (std::uint32_t domain = 0; domain < 5; ++domain) s.take(FlowProtocol::kNetflowV9, kExporter, domain, 1, 1);
  const FlowLosses lost = s.lost();
  EXPECT_EQ(lost.of_each.size(), 2U);
  EXPECT_EQ(lost.not_followed, 3U);
}

TEST(FlowSequences, GoesOnWhereItWasSaved) {
  std::mt19937 random(9);
  std::vector<std::uint32_t> numbers;
  std::uint32_t n = 4294960000U;
  for (int i = 0; i < 500; ++i) {
    const auto draw = static_cast<std::uint32_t>(random() % 20);
    n += draw == 0 ? 5 : draw == 1 ? 100'000 : 1;
    if (draw == 2) n = 0;
    numbers.push_back(draw == 3 ? n - 2 : n);
  }
  const auto feed = [&](FlowSequences& s, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      s.take(FlowProtocol::kNetflowV9, kExporter, static_cast<std::uint32_t>(i % 3), numbers[i], 1);
  };
  const auto told = [](const FlowSequences& s) {
    std::vector<std::uint64_t> all;
    for (const FlowLoss& l : s.lost().of_each)
      all.insert(all.end(), {l.domain, l.datagrams, l.received, l.lost, l.late, l.repeated, l.restarts});
    return all;
  };
  FlowSequences through(10);
  feed(through, 0, numbers.size());
  ASSERT_GT(through.lost().datagrams, 0U);
  for (std::size_t cut = 0; cut < numbers.size(); cut += 7) {
    FlowSequences before(10);
    feed(before, 0, cut);
    core::ArchiveWriter writer;
    before.save(writer);
    ASSERT_TRUE(writer.finish());
    const std::string bytes = writer.take();
    core::ArchiveReader reader(bytes);
    FlowSequences after(10);
    after.load(reader);
    ASSERT_TRUE(reader.finish());
    feed(after, cut, numbers.size());
    EXPECT_EQ(told(after), told(through)) << cut;
  }
}

// The numbers where each protocol has them.
std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string v5(std::uint32_t sequence, std::uint16_t flows, std::uint8_t engine) {
  return be(5, 2) + be(flows, 2) + be(1000, 4) + be(1700000000, 4) + be(0, 4) + be(sequence, 4) + be(1, 1) +
         be(engine, 1) + be(0, 2) + std::string(flows * 48U, '\1');
}
std::string v9(std::uint32_t sequence, std::uint32_t source) {
  return be(9, 2) + be(0, 2) + be(1000, 4) + be(1700000000, 4) + be(sequence, 4) + be(source, 4);
}
std::string ipfix(std::uint32_t sequence, const std::string& sets) {
  return be(10, 2) + be(16 + sets.size(), 2) + be(1700000000, 4) + be(sequence, 4) + be(3, 4) + sets;
}
std::string sflow(std::uint32_t agent, std::uint32_t sub_agent, std::uint32_t sequence) {
  return be(5, 4) + be(1, 4) + be(agent, 4) + be(sub_agent, 4) + be(sequence, 4) + be(1000, 4) + be(0, 4);
}

TEST(FlowSequences, AreReadOfEachProtocol) {
  FlowDatagramDecoder decoder;
  event::EventBatch batch;
  const auto feed = [&](const std::string& payload, bool sequenced = true) {
    Datagram datagram;
    datagram.payload = payload;
    datagram.exporter = kExporter;
    datagram.sequenced = sequenced;
    decoder.decode(datagram, batch);
  };
  feed(v5(1000, 3, 2));
  feed(v5(1000, 3, 7));  // another engine
  feed(v5(1003, 2, 2));
  feed(v5(1010, 1, 2));
  feed(v9(10, 4));
  feed(v9(12, 4));
  const std::string layout = be(2, 2) + be(12, 2) + be(300, 2) + be(1, 2) + be(8, 2) + be(4, 2);
  const std::string two = be(300, 2) + be(12, 2) + be(0xc0000201, 4) + be(0xc0000202, 4);
  feed(ipfix(50, two));  // not known how many records
  feed(ipfix(52, layout + two));
  feed(ipfix(54, layout));
  feed(ipfix(58, two));
  feed(ipfix(1000, two), false);  // over SCTP
  feed(sflow(0x0a000001, 0, 5));
  feed(sflow(0x0a000001, 1, 70));
  feed(sflow(0x0a000001, 0, 8));
  const FlowLosses lost = decoder.lost();
  EXPECT_EQ(lost.flows, 5U + 4U);
  EXPECT_EQ(lost.datagrams, 1U + 2U);
  ASSERT_EQ(lost.of_each.size(), 6U);
  EXPECT_EQ(lost.of_each[0].exporter.text(), "10.0.0.1");
  EXPECT_EQ(lost.of_each[0].lost, 2U);
  EXPECT_EQ(lost.of_each[1].domain, 1U);
  EXPECT_EQ(lost.of_each[2].protocol, FlowProtocol::kNetflowV5);
  EXPECT_EQ(lost.of_each[2].domain, 0x102U);
  EXPECT_EQ(lost.of_each[2].received, 6U);
  EXPECT_EQ(lost.of_each[2].lost, 5U);
  EXPECT_EQ(lost.of_each[3].lost, 0U);
  EXPECT_EQ(lost.of_each[4].protocol, FlowProtocol::kNetflowV9);
  EXPECT_EQ(lost.of_each[4].lost, 1U);
  EXPECT_EQ(lost.of_each[5].protocol, FlowProtocol::kIpfix);
  EXPECT_EQ(lost.of_each[5].domain, 3U);
  EXPECT_EQ(lost.of_each[5].received, 4U);
}

}  // namespace
}  // namespace orbwatch::decode
