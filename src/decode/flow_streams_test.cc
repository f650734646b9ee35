// Whatever the order in which segments and chunks come, and however often, the messages are the same; and the limits
// hold.
#include "decode/flow_streams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace orbwatch::decode {
namespace {

std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string set(std::uint16_t id, const std::string& body) { return be(id, 2) + be(body.size() + 4, 2) + body; }
std::string ipfix(const std::string& sets) {
  return be(10, 2) + be(16 + sets.size(), 2) + be(1795334400, 4) + be(0, 4) + be(1, 4) + sets;
}
std::string make_template() {
  return ipfix(set(2, be(300, 2) + be(2, 2) + be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2)));
}
std::string flows(std::uint32_t first, std::uint32_t count) {
  std::string body;
  for (std::uint32_t i = 0; i < count; ++i) body += be(0xc6336400 + first + i, 4) + be(0xc0000201, 4);
  return ipfix(set(300, body));
}

struct Fed {
  explicit Fed(const StreamLimits& limits = {}) : streams(limits) {}

  FlowStreams::Fate packet(std::uint8_t protocol, std::string_view payload, std::uint32_t sequence = 0,
                           std::uint8_t flags = 0, std::uint16_t port = 40000) {
    Frame frame;
    frame.source = core::Ip::v4(0xc0000201);
    frame.destination = core::Ip::v4(0xc00002fa);
    frame.source_port = port;
    frame.destination_port = 4739;
    frame.protocol = protocol;
    frame.tcp_flags = flags;
    frame.tcp_sequence = sequence;
    frame.has_ports = true;
    frame.payload = payload;
    Datagram place;
    place.exporter = frame.source;
    place.record.line = ++line;
    return streams.packet(frame, place, {decoder, batch});
  }
  FlowStreams::Fate tcp(std::string_view payload, std::uint32_t sequence, std::uint8_t flags = 16,
                        std::uint16_t port = 40000) {
    return packet(6, payload, sequence, flags, port);
  }
  FlowStreams::Fate data(std::uint32_t tsn, int flags, const std::string& bytes) {
    std::string chunk = be(0, 1) + be(static_cast<std::uint64_t>(flags), 1) + be(16 + bytes.size(), 2) + be(tsn, 4) +
                        be(1, 2) + be(0, 2) + be(0, 4) + bytes;
    chunk.resize((chunk.size() + 3) / 4 * 4);
    return packet(132, chunk);
  }
  void finish() {
    streams.finish({decoder, batch});
    decoder.finish(batch);
    EXPECT_EQ(batch.counts.records, batch.counts.events + batch.counts.ignored + batch.counts.rejected);
  }
  std::vector<core::Ip> sources() const {
    std::vector<core::Ip> out;
    for (const event::Event& e : batch) out.push_back(e.source_ip);
    std::sort(out.begin(), out.end());
    return out;
  }
  std::uint64_t rejected(std::string_view reason) const {
    const auto found = batch.counts.rejected_by.find(core::intern(reason));
    return found == batch.counts.rejected_by.end() ? 0 : found->second;
  }

  FlowStreams streams;
  FlowDatagramDecoder decoder;
  event::EventBatch batch;
  std::uint32_t line = 0;
};

constexpr std::uint8_t kSyn = 2;

// Messages one behind the other.
std::vector<std::string> messages() {
  std::vector<std::string> out = {make_template()};
  for (std::uint32_t i = 0; i < 20; ++i) out.push_back(flows(i * 8, 1 + i % 8));
  return out;
}

TEST(FlowStreams, TcpInAnyOrder) {
  Fed plain;
  std::string all;
  for (const std::string& message : messages()) {
    Datagram datagram;
    datagram.payload = message;
    datagram.exporter = core::Ip::v4(0xc0000201);
    plain.decoder.decode(datagram, plain.batch);
    all += message;
  }
  ASSERT_GT(plain.sources().size(), 80U);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Fed fed;
    const auto isn = static_cast<std::uint32_t>(round % 2 == 0 ? random() : 0xffffff00U);
    fed.tcp({}, isn, kSyn);
    // Pieces that overlap, some of them twice, in any order.
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t length = 1 + random() % 90;
      pieces.emplace_back(at, length + random() % 20);
      if (random() % 4 == 0) pieces.emplace_back(at, length);
      at += length;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    for (const auto& [at, length] : pieces)
      fed.tcp(std::string_view(all).substr(at, length), isn + 1 + static_cast<std::uint32_t>(at));
    fed.finish();
    ASSERT_EQ(fed.sources(), plain.sources()) << "round " << round;
    ASSERT_EQ(fed.batch.counts.rejected, 0U);
  }
}

TEST(FlowStreams, SctpInAnyOrder) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Fed fed;
    struct Chunk {
      std::uint32_t tsn;
      int flags;
      std::string bytes;
    };
    std::vector<Chunk> chunks;
    auto tsn = static_cast<std::uint32_t>(0xfffffff0U + random() % 32);
    std::size_t events = 0;
    fed.packet(132, be(1, 1) + be(0, 1) + be(20, 2) + be(1, 4) + be(65535, 4) + be(1, 2) + be(1, 2) + be(tsn, 4));
    for (const std::string& message : messages()) {
      for (std::size_t at = 0; at < message.size();) {
        const std::size_t length = std::min<std::size_t>(1 + random() % 90, message.size() - at);
        chunks.push_back(
            {tsn++, (at == 0 ? 2 : 0) | (at + length == message.size() ? 1 : 0), message.substr(at, length)});
        if (random() % 4 == 0) chunks.push_back(chunks.back());
        at += length;
      }
    }
    // The template first: data that wait for it are limited elsewhere.
    while (fed.batch.counts.ignored == 0) {
      const auto& first = chunks[events++];
      fed.data(first.tsn, first.flags, first.bytes);
    }
    std::shuffle(chunks.begin(), chunks.end(), random);
    for (const Chunk& c : chunks) fed.data(c.tsn, c.flags, c.bytes);
    fed.finish();
    std::size_t wanted = 0;
    for (std::uint32_t i = 0; i < 20; ++i) wanted += 1 + i % 8;
    ASSERT_EQ(fed.batch.counts.events, wanted) << "round " << round;
    ASSERT_EQ(fed.batch.counts.rejected, 0U);
  }
}

TEST(FlowStreams, WaitingBytesAreLimited) {
  StreamLimits limits;
  limits.waiting_per_connection = 4096;
  Fed fed(limits);
  fed.tcp({}, 0, kSyn);
  fed.tcp(make_template(), 1);
  const std::string message = flows(0, 8);
  auto at = static_cast<std::uint32_t>(1 + make_template().size() + message.size());  // one message never comes
  std::size_t sent = 0;
  while (fed.batch.counts.events == 0 && sent < 1000) {
    fed.tcp(message, at);
    at += static_cast<std::uint32_t>(message.size());
    ++sent;
  }
  EXPECT_LT(sent, 4096 / message.size() + 1);
  EXPECT_EQ(fed.batch.size(), sent * 8);
  EXPECT_EQ(fed.rejected("flow: TCP bytes that the capture lacks"), 1U);
  fed.finish();
  EXPECT_EQ(fed.batch.counts.rejected, 1U);
}

TEST(FlowStreams, BytesOfAllConnectionsAreLimited) {
  StreamLimits limits;
  limits.waiting = 8192;
  Fed fed(limits);
  const std::string message = flows(0, 8);
  std::size_t most = 0;
  for (std::uint16_t port = 1; port < 300; ++port) {
    fed.tcp({}, 0, kSyn, port);
    EXPECT_EQ(fed.tcp(message, 1000, 16, port), FlowStreams::Fate::kTaken);
    most = std::max<std::size_t>(most, port - fed.rejected("flow: TCP bytes that the capture lacks"));
  }
  EXPECT_LT(most, 8192 / message.size());
  fed.finish();
  EXPECT_EQ(fed.rejected("flow: TCP bytes that the capture lacks"), 299U);
}

TEST(FlowStreams, ConnectionsAreLimitedAndIdleOnesMakeRoom) {
  StreamLimits limits;
  limits.connections = 4;
  Fed fed(limits);
  for (std::uint16_t port = 1; port < 100; ++port) EXPECT_EQ(fed.tcp({}, 0, kSyn, port), FlowStreams::Fate::kNoData);
  for (std::uint16_t port = 201; port < 205; ++port)
    EXPECT_EQ(fed.tcp(make_template(), 1, 16, port), FlowStreams::Fate::kTaken);
  EXPECT_EQ(fed.tcp(make_template(), 1, 16, 205), FlowStreams::Fate::kTooMany);
  fed.tcp({}, static_cast<std::uint32_t>(1 + make_template().size()), 17, 202);  // its end
  EXPECT_EQ(fed.tcp(make_template(), 1, 16, 205), FlowStreams::Fate::kTaken);
  fed.finish();
}

TEST(FlowStreams, PartsOfMessagesAreLimited) {
  StreamLimits limits;
  limits.waiting_per_connection = 4096;
  Fed fed(limits);
  fed.data(1, 3, make_template());
  for (std::uint32_t tsn = 2; tsn < 200; ++tsn) fed.data(tsn, 0, std::string(100, 'x'));
  EXPECT_GE(fed.rejected("flow: SCTP message incomplete"), 3U);
  fed.data(300, 3, flows(0, 8));
  EXPECT_EQ(fed.batch.size(), 8U);
  fed.finish();
}

}  // namespace
}  // namespace orbwatch::decode
