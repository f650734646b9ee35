// RADIUS attributes (RFC 2865, 2866, 2869, 6911) as servers write them, name=value: what they say of a session or a
// log-in, for all formats that hold them.
#pragma once

#include <array>
#include <string_view>

#include "decode/pairs.h"
#include "event/event.h"

namespace orbwatch::decode {

// The attributes of one record. Views into the record.
class RadiusAttributes {
 public:
  enum Key : std::uint8_t {
    kUserName,
    kCallingStation,
    kCalledStation,
    kTunnelClient,
    kNasIp,
    kNasIpv6,
    kNasIdentifier,
    kNasPortType,
    kServiceType,
    kFramedIp,
    kFramedIpv6,
    kStatusType,
    kSessionId,
    kSessionTime,
    kInputOctets,
    kInputGigawords,
    kOutputOctets,
    kOutputGigawords,
    kInputPackets,
    kOutputPackets,
    kTerminateCause,
    kTunnelGroup,
    kTunnelGroupCisco,
    kCallingStationCisco,
    kCalledStationCisco,
    kKeys
  };

  RadiusAttributes();

  // Names that are not read are passed over; of an attribute given twice the first counts.
  void put(std::string_view name, std::string_view value) {
    if (name == "cisco-av-pair" || name == "Cisco-AVPair") {
      cisco_.put(value);
    } else {
      values_.put(name, value);
    }
  }
  std::string_view operator[](Key key) const { return values_[key]; }
  std::string_view calling_station() const { return values_.either(kCallingStation, kCallingStationCisco); }

  bool has_audit_session() const { return !cisco_.audit_session.empty(); }

  // Who it is about: the client's address and what it says of itself, the gateway, the address given out, the service,
  // the group, the session. The user is left to the format.
  void put_ends(event::Event& event) const;
  // Accounting of a session: start, update or end with time, bytes and packets in both directions and the cause of the
  // end. False if Acct-Status-Type tells of no session (Accounting-On and alike).
  bool put_accounting(event::Event& event) const;

 private:
  // Pairs within Cisco's attribute: the session, and what AnyConnect says of itself.
  struct CiscoPairs {
    std::string_view audit_session;
    std::string_view agent;
    std::string_view platform;
    std::string_view platform_version;
    std::string_view computer;

    void put(std::string_view pair);
  };
  void put_client(event::Event& event) const;

  Values<kKeys> values_;
  CiscoPairs cisco_;
};

// The name as it was typed; "host/pc1.example" is a computer's own account and names the client, too.
void put_radius_user(event::Event& event, std::string_view name);

// "90-1B-0E-34-EA-92", "90:1b:0e:34:ea:92", "901b.0e34.ea92", "901b0e34ea92": what stands for a user where a device is
// let in by its hardware address.
bool is_hardware_address(std::string_view text);

}  // namespace orbwatch::decode
