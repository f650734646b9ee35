// What flow export lost on its way, by the sequence numbers of its datagrams.
//
// What a number counts, and whose it is:
//   NetFlow v5, v7  flows sent before this datagram, of an engine (type and id; v7 has none). Cisco "NetFlow Export
//                   Datagram Format", flow_sequence.
//   NetFlow v9      datagrams, of a source id. RFC 3954, 5.1.
//   IPFIX           data records (options data included) sent before this message, of an observation domain, modulo
//                   2^32. RFC 7011, 3.1. A set whose template is not known holds nobody knows how many: the count
//                   begins anew behind it. SCTP counts each of its streams for itself and loses nothing: it is left
//                   out.
//   sFlow v5        datagrams, of an agent and sub-agent. sflow_version_5.txt, sample_datagram_v5.
//
// The rule, after RFC 3550, appendix A.1. With `ahead` = number - expected number, modulo 2^32:
//   0              nothing is lost.
//   up to kNear    `ahead` are lost, until they come: the last kGaps holes are remembered, and what comes late is taken
//                  from lost again.
//   up to kFar     the same, once the next datagram goes on from here: one stray number moves nothing.
//   below, or more than kFar ahead
//                  if within kNear: late, or a repetition. Else, or if kRestart of them follow on each other, the
//                  exporter began anew: nothing is known to be lost. A jump is believed when the next datagram goes on
//                  from it.
// So an exporter that starts again, datagrams out of order and datagrams sent twice lose nothing, and what was lost
// just before a restart is not seen. After a pause of the collector what was sent meanwhile counts as lost, up to kFar.
//
// Numbers are taken as they come: whoever can send datagrams in an exporter's name can make them say anything.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/archive.h"
#include "core/ip.h"

namespace orbwatch::decode {

enum class FlowProtocol : std::uint8_t { kNone, kNetflowV5, kNetflowV7, kNetflowV9, kIpfix, kSflowV5 };

// One sequence of numbers, as far as it was followed.
struct FlowLoss {
  core::Ip exporter;  // of the datagram; sFlow: the agent that it names
  FlowProtocol protocol = FlowProtocol::kNone;
  std::uint32_t domain = 0;  // v5: engine type * 256 + id; v9, IPFIX: source id, observation domain; sFlow: sub-agent
  std::uint64_t datagrams = 0;  // that came, repetitions included
  std::uint64_t received = 0;   // in the unit of the number: flows, data records or datagrams
  std::uint64_t lost = 0;       // likewise
  std::uint64_t late = 0;       // datagrams that came behind a later one, and were counted as lost till then
  std::uint64_t repeated = 0;   // datagrams that came twice, or too late to tell
  std::uint64_t restarts = 0;
};

// Of all sequences.
struct FlowLosses {
  std::uint64_t flows = 0;         // v5, v7 and IPFIX: flows and data records
  std::uint64_t datagrams = 0;     // v9 and sFlow: how many flows or samples were in them nobody knows
  std::uint64_t not_followed = 0;  // datagrams of sequences beyond the limit
  std::vector<FlowLoss> of_each;   // by exporter, protocol, domain
};

// Not thread-safe. Memory: some 250 bytes for each of at most `most` sequences; further ones are not followed, and
// counted.
class FlowSequences {
 public:
  static constexpr std::uint32_t kNear = 1 << 16;
  static constexpr std::uint32_t kFar = 1 << 24;
  static constexpr std::size_t kGaps = 8;
  static constexpr std::uint32_t kRestart = 3;

  explicit FlowSequences(std::size_t most) : most_(most) {}

  // A datagram with this number and so many units in it; nothing if that cannot be known.
  void take(FlowProtocol protocol, const core::Ip& exporter, std::uint32_t domain, std::uint32_t number,
            std::optional<std::uint32_t> units);
  FlowLosses lost() const;

  // Errors stick to the reader. More sequences than the limit are refused.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  struct Key {
    core::Ip exporter;
    std::uint32_t domain = 0;
    FlowProtocol protocol = FlowProtocol::kNone;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.exporter, k.domain, k.protocol);
    }
  };
  struct Gap {
    std::uint32_t from = 0;
    std::uint32_t size = 0;  // 0 = none
  };
  struct Sequence {
    std::uint32_t next = 0;
    bool known = false;    // `next` is
    bool doubted = false;  // a jump waits for the datagram that goes on from it,
    std::uint32_t doubted_next = 0;
    std::uint32_t doubted_lost = 0;  // with so many lost if it does; 0 = a restart
    std::uint32_t backward = 0;      // datagrams in a row that follow on each other, behind `next`
    std::uint32_t backward_next = 0;
    std::array<Gap, kGaps> gaps{};
    std::uint32_t next_gap = 0;
    std::uint64_t datagrams = 0, received = 0, lost = 0, late = 0, repeated = 0, restarts = 0;
  };
  static void follow(Sequence& s, std::uint32_t number, std::optional<std::uint32_t> units);
  static bool fills(Sequence& s, std::uint32_t number, std::uint32_t units);
  static void add_gap(Sequence& s, std::uint32_t from, std::uint32_t size);
  static void begin_anew(Sequence& s);
  template <typename Archive>
  void persist(Archive& archive);

  std::size_t most_;
  absl::flat_hash_map<Key, Sequence> sequences_;
  std::uint64_t not_followed_ = 0;
};

}  // namespace orbwatch::decode
