// Flow export that does not come in UDP datagrams: over TCP (RFC 7011, 10.4), where the messages lie one behind the
// other in a stream of bytes, and over SCTP (RFC 7011, 10.2), where each is a user message in one or several chunks.
//
// Segments and chunks are put back into order, what was sent twice is taken once, and what the capture lacks is
// rejected by name; reading goes on at the next message. Sources: RFC 9293 (TCP), RFC 9260 (SCTP).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>

#include "decode/flow_datagram.h"
#include "decode/packet.h"

namespace orbwatch::decode {

struct StreamLimits {
  std::size_t connections = 512;  // of each protocol; beyond, idle ones make room, else what was there stays
  std::size_t waiting_per_connection = std::size_t{256} << 10;  // bytes that came before what stands before them
  std::size_t waiting = std::size_t{16} << 20;                  // of all connections
};

// Not thread-safe. Memory: StreamLimits, and a message (64 KiB) and 1,024 chunk numbers for each connection.
class FlowStreams {
 public:
  explicit FlowStreams(const StreamLimits& limits = {});
  ~FlowStreams();
  FlowStreams(const FlowStreams&) = delete;
  FlowStreams& operator=(const FlowStreams&) = delete;

  enum class Fate : std::uint8_t {
    kNotFollowed,  // nothing says that this is flow export
    kNoFlow,       // a port where flows are collected, but something else is sent there
    kNoData,       // of a connection that is followed, without bytes of it
    kSeenBefore,   // nothing but bytes that came before
    kTooMany,      // beyond StreamLimits::connections
    kTaken,        // its bytes are used: the records of the messages in them are counted, not the packet
  };
  struct Sink {
    FlowDatagramDecoder& decoder;
    EventBatch& batch;
  };
  // One packet of TCP or SCTP, no fragment. `place`: exporter, time and record of the packet; a message has those of
  // the packet that completed it.
  Fate packet(const Frame& frame, const Datagram& place, const Sink& sink);
  // No more packets come: what is incomplete is rejected.
  void finish(const Sink& sink);

  static bool carries(std::uint8_t protocol);

  class Waiting;

 private:
  class Tcp;
  class Sctp;
  struct Key {
    core::Ip source;
    core::Ip destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  template <typename Connection>
  using Connections = std::map<Key, std::unique_ptr<Connection>>;  // ordered: finish() must not depend on hashes

  template <typename Connection>
  static Connection* find(Connections<Connection>& all, const Frame& frame);
  template <typename Connection>
  Connection* add(Connections<Connection>& all, const Frame& frame);
  Fate tcp(const Frame& frame, const Datagram& place, const Sink& sink);
  Fate sctp(const Frame& frame, const Datagram& place, const Sink& sink);

  StreamLimits limits_;
  std::size_t waiting_ = 0;  // bytes
  Connections<Tcp> tcp_;
  Connections<Sctp> sctp_;
};

}  // namespace orbwatch::decode
