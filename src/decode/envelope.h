// The syslog envelope: RFC 5424, RFC 3164 and the shapes that devices and relays really write.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

// Fills message, time, host, program, pid, message_id and structured of a record whose `raw` is set. A line without
// envelope keeps message == raw. Understood, in any sensible combination:
//   COUNT                                      octet count of RFC 6587, only before <PRI>
//   <PRI>                                      optional everywhere
//   1 TIME HOST APP PROCID MSGID [SD] MSG      RFC 5424
//   TIME [ZONE] [HOST] [TAG[PID]:] MSG         RFC 3164; TIME also with a year (Cisco), or ISO 8601 (rsyslog, journald
//                                              export, CloudWatch)
//   TIME ZONE: MSG                             Cisco; a zone abbreviation that means one zone only (EDT, CEST) is
//                                              honoured, others (CST, IST) leave the configured zone
//   TIME stdout F MSG                          container runtimes (CRI)
//   ... @cee: {...}                            the cookie of CEE and lumberjack before JSON, which is skipped
//   NAME | ...                                 docker compose logs, in front of any of these or of a line without
// Where a relay put its own envelope before the device's, the inner one wins (its time and host are the device's own).
void parse_envelope(TextRecord& record, const core::TimeReader& times);

// The same for `text`, which came out of a wrapper: what the envelope does not say stays as it is in the record.
void parse_inner_envelope(std::string_view text, TextRecord& record, const core::TimeReader& times);

// Hours east of UTC of a zone abbreviation that means one zone only ("CEST", "EDT"); nullopt for the others (CST, IST,
// BST ... differ by country).
std::optional<int> zone_hours(std::string_view name);

// A time that is a value of its own, in any of the usual notations: ISO 8601, "Nov 22 2026 08:15:30 GMT", "Sun Nov 22
// 08:15:30 2026", seconds or milli-, micro-, nanoseconds since 1970. 0 if it is none.
core::Nanoseconds read_time(std::string_view text, const core::TimeReader& times);

}  // namespace orbwatch::decode
