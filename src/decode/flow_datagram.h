// One UDP payload of a flow exporter to events: the piece that captures, files of datagrams and the UDP collector
// share. The two file formats made of bare datagrams (`flow_datagram`, `ipfix_file`) are here as well.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "decode/flow_context.h"
#include "decode/flow_exporters.h"
#include "decode/flow_sequences.h"
#include "decode/netflow_v5.h"

namespace orbwatch::decode {

// How much of a payload must look like flow export.
enum class FlowEvidence : std::uint8_t {
  kWhole,    // the lengths inside must agree with the payload's: for payloads that may be anything
  kHeader,   // the header and the beginning of what follows it: for payloads that were captured in part
  kVersion,  // the version number: for ports where flows are collected, so that damage is counted and not overlooked
};

// Which protocol a UDP payload is of, by its content.
FlowProtocol flow_protocol_of(std::string_view payload, FlowEvidence evidence);

// True for the UDP ports that collectors listen on by custom or registration: 2055, 2056, 4739 (IANA ipfix), 6343 (IANA
// sflow), 9995, 9996, ...
bool is_flow_port(std::uint16_t port);

// Keeps the templates and options of all exporters, within FlowLimits. Not thread-safe: datagrams of one exporter must
// go to one instance, in the order in which they came. Memory: FlowLimits and its small change; nothing grows with the
// number of datagrams.
class FlowDatagramDecoder {
 public:
  explicit FlowDatagramDecoder(const FlowLimits& limits = {});

  // Appends the events of the datagram and counts each of its records (flow, sample, template, options record; a
  // damaged set counts as one). A payload of no known protocol is rejected as "flow: unknown version".
  void decode(const Datagram& datagram, EventBatch& batch);
  // No more datagrams come: data sets still without template are rejected.
  void finish(EventBatch& batch);

  // What was lost on the way, as the sequence numbers say: see flow_sequences.h.
  FlowLosses lost() const { return sequences_.lost(); }

  // Templates, options, names, data that wait, and sequence numbers. A decoder that has loaded the state gives the
  // events that the saved one would have given. RecordRef::source of what waits is written as it is. Errors of writing
  // stick to the writer; load() is for a decoder that has decoded nothing yet, which is to be thrown away after an
  // error (damage, another layout, more than FlowLimits).
  void save(core::ArchiveWriter& archive) const;
  core::Expected<void> load(core::ArchiveReader& archive);

 private:
  void note_sequence(const Datagram& datagram, std::optional<std::uint32_t> records);

  FlowExporters exporters_;
  FlowSequences sequences_;
  NetflowV5 v5_;
};

int recognise_flow_datagram(std::string_view head);

}  // namespace orbwatch::decode
