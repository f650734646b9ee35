#include "decode/schema_row.h"

#include <algorithm>

#include "decode/scanner.h"

namespace orbwatch::decode::schema {

bool put_ends(const json::Row& row, Event& e) {
  e.source_ip = given_ip(row[kSourceIp]);
  e.source_port = json::port(row[kSourcePort]);
  e.destination_ip = given_ip(row[kDestinationIp]);
  e.destination_port = json::port(row[kDestinationPort]);
  set_user(e, row[!row[kUser].empty() ? kUser : !row[kUserEmail].empty() ? kUserEmail : kOtherUser]);
  if (e.user.present() && !row[kUserDomain].empty()) e.user_domain = core::intern(row[kUserDomain]);
  return e.source_ip.present() || e.destination_ip.present() || e.user.present();
}

void put_rest(const json::Row& row, Event& e) {
  if (!row[kObserver].empty()) e.observer = core::intern(row[kObserver]);
  e.observer_ip = given_ip(row[kObserverIp]);
  e.assigned_ip = given_ip(row[kAssigned]);
  e.source_bytes = number(row, kSourceBytes);
  e.source_packets = number(row, kSourcePackets);
  e.destination_bytes = number(row, kDestinationBytes);
  e.destination_packets = number(row, kDestinationPackets);
  e.protocol = protocol_number(row[row[kProtocolNumber].empty() ? kProtocolName : kProtocolNumber]);
  e.application = lower_symbol(row[kApplication]);
  if (!row[kSession].empty()) e.session_id = core::hash64(row[kSession]);
  e.reason = closed_reason(row[kReason]);
  e.client_host = core::intern(row[kSourceName]);
  e.client_os = core::intern(row[kClientOs]);
  e.user_agent = core::intern(row[kUserAgent]);
  e.destination_name = core::intern(row[row[kServerName].empty() ? kDestinationName : kServerName]);
  e.region = core::intern(row[kRegion]);
  e.rule = core::intern(row[kRule]);
  e.protocol_version = core::intern(row[kTlsVersion]);
  e.fingerprint = core::intern(row[kFingerprint]);
}

core::Nanoseconds duration(const json::Row& row, core::Nanoseconds unit) {
  const auto most = static_cast<std::uint64_t>(30 * 365 * core::kDay / unit);
  return static_cast<core::Nanoseconds>(std::min(number(row, kDuration), most)) * unit;
}

}  // namespace orbwatch::decode::schema
