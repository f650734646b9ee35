// What the logs of PAN-OS mean, whichever way they are written: as columns of its syslog (paloalto.cc) or as members of
// JSON (paloalto_json.cc). Both fill a Row; to_event() says what it is.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode::paloalto {

// Several types of logs have the same fact under different names.
enum Field : std::uint8_t {
  kType,     // "TRAFFIC"
  kSubtype,  // "end"
  kDevice,
  // When the record was made: with milliseconds and zone, as generated, as received by the management plane.
  kPreciseTime,
  kGeneratedTime,
  kReceivedTime,
  kEvent,  // what happened: "gateway-auth", "auth-fail", "User Password Failure"
  kSource,
  kSource6,
  kDestination,
  kTranslated,
  kAssigned,
  kAssigned6,
  kUser,
  kNormalUser,
  kRule,
  kApplication,  // of a tunnel its kind, of an authentication what asked for it
  kFrom,
  kTo,
  kSession,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kAction,
  kBytesSent,
  kBytesReceived,
  kPacketsSent,
  kPacketsReceived,
  kDuration,
  kRegion,
  kReason,
  kError,
  kStatus,
  kClientOs,
  kOsVersion,
  kClientHost,
  kVersion,
  kMethod,
  kFactor,
  kObject,       // portal, gateway or authentication profile
  kDescription,  // a sentence
  kFields,
};

using Row = std::array<std::string_view, 48>;
static_assert(kFields <= std::tuple_size_v<Row>);

// Fills the event of a record; see RecordDecoder::decode.
Fate to_event(const Row& row, const core::TimeReader& times, Event& event);

}  // namespace orbwatch::decode::paloalto
