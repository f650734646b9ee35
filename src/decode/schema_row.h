// What the two common schemas, ECS and OCSF, say of an event in the same way: the fields that both have, whatever their
// names, and how they become an Event. Fields of one schema alone are numbered from kOwnFields on.
#pragma once

#include <cstdint>

#include "decode/json_fields.h"

namespace orbwatch::decode::schema {

enum Field : std::uint8_t {
  kTime,
  kStart,
  kEnd,
  kDuration,
  kUser,
  kUserDomain,
  kUserEmail,
  kOtherUser,  // where the record names no user of its own: at the source, or who acted
  kSourceIp,
  kSourcePort,
  kSourceName,
  kAssigned,
  kClientOs,
  kRegion,
  kDestinationIp,
  kDestinationPort,
  kDestinationName,
  kServerName,  // that the client asked for
  kObserver,
  kObserverIp,
  kSourceBytes,
  kDestinationBytes,
  kSourcePackets,
  kDestinationPackets,
  kProtocolNumber,
  kProtocolName,
  kApplication,
  kSession,
  kReason,
  kUserAgent,
  kRule,
  kTlsVersion,
  kFingerprint,
  kOwnFields,
};

inline std::uint64_t number(const json::Row& row, std::uint8_t field) { return json::number(row[field]).value_or(0); }

// Addresses, ports and user. False if there is neither.
bool put_ends(const json::Row& row, Event& event);

// All that needs no knowledge of what the record is about; not its times.
void put_rest(const json::Row& row, Event& event);

// A duration that is given as so many `unit`s; at most about 30 years.
core::Nanoseconds duration(const json::Row& row, core::Nanoseconds unit);

}  // namespace orbwatch::decode::schema
