// What records of CEF and LEEF have in common: any vendor writes into these formats, so that what happened must be told
// from the words of the record and not from a list of message numbers. The formats fill a CommonRecord; to_event() says
// what it is.
//
// A record is a log-in if its name, class, category or action say so ("login", "authentication", "signed in" ...), a
// VPN session if they speak of a VPN or tunnel, and a connection if it has ends; everything else is ignored by the
// product's name.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

enum class Says : std::uint8_t {
  kVendor,
  kProduct,
  kId,    // the vendor's number or class of the message
  kCode,  // where the vendor has a longer number for it
  kName,  // what the message calls itself
  kCategory,
  kSubtype,
  kAction,
  kOutcome,
  kReason,
  kMessage,  // a sentence: says how a log-in ended where nothing else does
  kLogin,    // "true": the record says of itself that it is a log-in
  kLogout,
  kTime,      // when it was logged
  kBestTime,  // the device's own precise clock, before all others
  kZone,      // of the times
  kStart,
  kEnd,
  kDuration,  // in seconds, or "0:10:06"
  kObserver,
  kObserverIp,
  kSourceIp,
  kSourceIp6,
  kPublicIp,  // of a VPN client, before kSourceIp
  kSourcePort,
  kSourceHost,
  kSourceNat,
  kSourceUser,
  kSourceDomain,
  kDestinationIp,
  kDestinationIp6,
  kDestinationPort,
  kDestinationHost,
  kDestinationUser,
  kDestinationDomain,
  kUser,
  kUserDomain,
  kSourceBytes,
  kDestinationBytes,
  kSourcePackets,
  kDestinationPackets,
  kProtocol,
  kApplication,
  kAccess,  // "https(192.0.2.7)": how and from where an administrator came
  kUserAgent,
  kClientOs,
  kAssignedIp,
  kGroup,
  kRule,
  kRuleId,   // where no rule is named
  kIngress,  // zone
  kEgress,
  kIngressInterface,  // where no zone is named
  kEgressInterface,
  kIngressRole,
  kEgressRole,
  kDirection,
  kSession,
  kMethod,
  kTunnel,
  kRegion,
  kCount,
};

class CommonRecord {
 public:
  // The first value that is one counts: "", "-", "N/A", "none", "null" and alike are not.
  void set(Says what, std::string_view value);
  // The same, but a value counts more than what was there before.
  void replace(Says what, std::string_view value);
  std::string_view operator[](Says what) const { return values_[static_cast<std::size_t>(what)]; }
  void clear() { values_ = {}; }

 private:
  std::array<std::string_view, static_cast<std::size_t>(Says::kCount)> values_;
};

// One instance belongs to one decoder; not thread-safe (it remembers what words it has judged).
class CommonReader {
 public:
  explicit CommonReader(const core::TimeReader& times) : times_(times) {}
  Fate to_event(const CommonRecord& record, event::Event& event);

 private:
  // What the words of a record say.
  struct Words {
    std::uint64_t hash = 0;
    bool traffic = false;
    bool alert = false;
    bool login = false;
    bool logout = false;
    bool vpn = false;
    bool management = false;
    bool connection_end = false;
    event::Activity vpn_activity = event::Activity::kUpdate;
    event::Outcome outcome = event::Outcome::kUnknown;
    event::Action action = event::Action::kNone;
  };
  const Words& read_words(const CommonRecord& record);
  void put_times(const CommonRecord& record, event::Event& event) const;

  core::TimeReader times_;
  core::TimeReader utc_;
  std::array<Words, 256> judged_;
};

}  // namespace orbwatch::decode
