// Packets out of pcap and pcapng bytes, in the order they come, whatever way the bytes are cut.
//
// Sources: draft-ietf-opsawg-pcap-04 (classic pcap: micro- and nanoseconds, either byte order; the "modified" header of
// Kuznetsov's patch, magic a1b2cd34), draft-ietf-opsawg-pcapng-02 (SHB, IDB, EPB, SPB and the obsolete PB; other blocks
// are stepped over).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace orbwatch::decode {

// Use: push(bytes), then next() until it says kMore; repeat. Not thread-safe. Memory: one packet (at most kLongestBlock
// bytes) and at most kMostInterfaces interfaces a section.
class CaptureReader {
 public:
  static constexpr std::size_t kLongestBlock =
      1 << 20;  // bytes; a longer packet is damage (pcap) or is stepped over (pcapng)
  static constexpr std::size_t kMostInterfaces = 4096;

  struct Packet {
    core::Nanoseconds time = 0;  // 0: the format has none (SPB)
    std::uint32_t link_type = 0;
    std::string_view bytes;           // valid until the next call of next() or push()
    std::uint32_t number = 0;         // 1-based within the input
    std::uint64_t offset = 0;         // of the packet's header (pcap) or block (pcapng) in the input
    std::uint32_t record_length = 0;  // bytes from `offset` to the end of the packet
  };

  enum class Step : std::uint8_t {
    kPacket,   // `packet` is set
    kMore,     // needs more bytes
    kSkipped,  // a packet that cannot be used: packet.number, .offset are set, problem() says why; go on
    kBroken,   // the input is damaged from packet.offset on and nothing more will come; problem() says why. Given once.
  };

  static bool recognise(std::string_view head);

  // `bytes` must stay until next() has said kMore.
  void push(std::string_view bytes) { view_ = bytes; }
  Step next(Packet& packet);
  const char* problem() const { return problem_; }
  // True if the input may end here; false if it ends inside a header or packet.
  bool complete() const { return broken_ || (carry_.size() == consumed_ && skip_ == 0 && view_.empty()); }
  std::uint64_t offset() const { return offset_; }
  std::uint32_t packets() const { return number_; }

 private:
  enum class State : std::uint8_t { kStart, kPcap, kPcapng };
  struct Interface {
    std::uint32_t link_type = 0;
    std::uint32_t snap_length = 0;
    std::uint64_t ticks_per_second = 1000000;
    std::int64_t offset_seconds = 0;
  };

  std::string_view need(std::size_t n);
  void consume(std::size_t n) { consumed_ = n; }
  void release();
  Step broken(const char* why, Packet& packet);
  Step start(Packet& packet);
  Step pcap_packet(Packet& packet);
  Step pcapng_block(Packet& packet);
  Step block(std::uint32_t type, std::string_view body, std::uint32_t length, Packet& packet);
  void interface(std::string_view body);
  std::uint16_t u16(std::string_view bytes, std::size_t at = 0) const;
  std::uint32_t u32(std::string_view bytes, std::size_t at = 0) const;

  State state_ = State::kStart;
  bool swapped_ = false;
  bool nanoseconds_ = false;
  std::size_t packet_header_ = 16;
  std::uint32_t link_type_ = 0;
  std::vector<Interface> interfaces_;

  std::string_view view_;     // what was pushed and is not used yet
  std::string carry_;         // the unfinished piece, when it began in an earlier push
  std::size_t consumed_ = 0;  // bytes of the current piece to drop before the next one
  std::uint64_t skip_ = 0;    // bytes to step over
  std::uint64_t offset_ = 0;  // of the current piece
  std::uint32_t number_ = 0;
  bool broken_ = false;
  const char* problem_ = "";
};

}  // namespace orbwatch::decode
