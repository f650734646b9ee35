// What the tables and the JSON of Zeek's logs have in common: the names of their fields, and what conn, ssl and ssh
// mean. Spec: https://docs.zeek.org/en/master/log-formats.html, .../logs/conn.html, .../logs/ssl.html,
// .../logs/ssh.html (Zeek 3 to 7).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode::zeek {

enum class Log : std::uint8_t { kUnknown, kConn, kSsl, kSsh, kOther };

enum Field : std::uint8_t {
  kTs,
  kUid,
  kOrigH,
  kOrigP,
  kRespH,
  kRespP,
  kProto,
  kIpProto,
  kService,
  kDuration,
  kOrigBytes,
  kRespBytes,
  kOrigIpBytes,
  kRespIpBytes,
  kOrigPkts,
  kRespPkts,
  kConnState,
  kLocalOrig,
  kLocalResp,
  kHistory,
  kVersion,
  kCipher,
  kServerName,
  kSubject,
  kIssuer,
  kJa3,
  kJa3s,
  kJa4,
  kJa4s,
  kEstablished,
  kAuthSuccess,
  kAuthAttempts,
  kDirection,
  kClient,
  kServer,
  kHassh,
  kHasshServer,
  kCountry,
  kFieldCount,
  kIgnored = kFieldCount,
};

// Text by field; "" where unset.
using Row = std::array<std::string_view, kFieldCount>;

// kIgnored for a field that is not read.
Field field_of(std::string_view name);

// Of "#path" or "_path".
Log log_of(std::string_view path);

// Which log a record without a path is from, by the columns that only it has.
Log guess(const Row& row);

// "zeek dns" as a reason to ignore.
Symbol ignored_name(std::string_view path);

// The event of a record of conn, ssl or ssh.
Fate fill(Log log, const Row& row, const core::TimeReader& times, Event& e);

}  // namespace orbwatch::decode::zeek
