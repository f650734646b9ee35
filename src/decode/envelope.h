// The syslog envelope: RFC 5424, RFC 3164 and the shapes that devices and relays really write.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

// Fills message, time, host, program, pid, message_id and structured of a record whose `raw` is set. A line without
// envelope keeps message == raw. Understood, in any sensible combination:
//   <PRI>                                      optional everywhere
//   1 TIME HOST APP PROCID MSGID [SD] MSG      RFC 5424
//   TIME [ZONE] [HOST] [TAG[PID]:] MSG         RFC 3164; TIME also with a year (Cisco), or ISO 8601 (rsyslog, journald
//   export) TIME ZONE: MSG                             Cisco; a zone abbreviation that means one zone only (EDT, CEST)
//   is honoured, others
//                                              (CST, IST) leave the configured zone
// Where a relay put its own envelope before the device's, the inner one wins (its time and host are the device's own).
void parse_envelope(TextRecord& record, const core::TimeReader& times);

// Hours east of UTC of a zone abbreviation that means one zone only ("CEST", "EDT"); nullopt for the others (CST, IST,
// BST ... differ by country).
std::optional<int> zone_hours(std::string_view name);

}  // namespace orbwatch::decode
