// The one schema. Every decoder gives Events, every later room reads them. Names follow ECS 8 (in the comments) where
// it has one.
//
// An Event is trivially copyable and of fixed size; names are Symbols. Zero (or the empty symbol, or ::) means "the
// record did not say": nothing is invented. Source is who opens the connection or asks to log in, destination is what
// is reached; bytes and packets are counted as seen from the source (source_bytes: from source to destination).
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::event {

using core::Ip;
using core::Nanoseconds;
using core::Symbol;

// event.category / OCSF class.
enum class Class : std::uint8_t {
  kNone,
  kFlow,            // NetFlow, IPFIX, sFlow, Zeek conn: traffic that was seen             OCSF 4001 Network Activity
  kConnection,      // a firewall's verdict: built, torn down, denied                       OCSF 4001 Network Activity
  kSession,         // a remote-access session: start, update, end                          OCSF 4014 Tunnel Activity
  kAuthentication,  // somebody proves who he is, or fails to                               OCSF 3002 Authentication
  kHandshake,       // facts of a TLS, SSH or TCP handshake                                 OCSF 4001 Network Activity
  kDevice,  // a banner, a certificate, an open port of a device                    OCSF 5001 Device Inventory Info
};

// What happened within the class. kStart, kUpdate, kEnd belong to sessions and connections; kLogon, kLogoff, kChallenge
// (a second factor is asked for) to authentications; kTraffic to flows; kAlert is a sensor's own alert about a
// connection.
enum class Activity : std::uint8_t {
  kNone,
  kStart,
  kUpdate,
  kEnd,
  kTraffic,
  kLogon,
  kLogoff,
  kChallenge,
  kObserved,
  kAlert
};

enum class Outcome : std::uint8_t { kUnknown, kSuccess, kFailure };                           // event.outcome
enum class Action : std::uint8_t { kNone, kAllowed, kDenied };                                // a firewall's verdict
enum class Direction : std::uint8_t { kUnknown, kInbound, kOutbound, kInternal, kExternal };  // network.direction
enum class Mfa : std::uint8_t { kUnknown, kNo, kYes };

// How the identity was proven, as far as the record says.
enum class AuthMethod : std::uint8_t {
  kUnknown,
  kPassword,
  kPublicKey,
  kCertificate,
  kKerberos,
  kNtlm,
  kSaml,
  kRadius,
  kLdap,
  kOther
};

// What is being logged in to.
enum class Service : std::uint8_t { kUnknown, kVpn, kSsh, kRdp, kManagement, kWeb, kWindows, kKerberos, kOther };

// Where the raw record stands. `offset` counts bytes from the start of the decompressed input; `line` is 1-based for
// text (the line on which the record begins), the 1-based packet or record number for captures; `length` is the raw
// record's length in bytes, without its end of line.
struct RecordRef {
  std::uint64_t offset = 0;
  std::uint32_t line = 0;
  std::uint32_t length = 0;
  std::uint32_t source = 0;  // index of the input, see pipeline
  std::uint32_t reserved = 0;
};

struct Event {
  Nanoseconds time = 0;      // @timestamp: when it began (flows: first packet), else when the device says it happened
  Nanoseconds duration = 0;  // event.duration; 0 if unknown

  Ip source_ip;       // source.ip: as seen by the observer, before translation
  Ip destination_ip;  // destination.ip
  Ip assigned_ip;     // the address that the gateway gave to the client inside the tunnel (session), else the source's
                      // translated address, source.nat.ip
  Ip observer_ip;     // observer.ip: address of the device that logged or exported

  std::uint64_t source_bytes = 0;
  std::uint64_t destination_bytes = 0;
  std::uint64_t source_packets = 0;
  std::uint64_t destination_packets = 0;

  // An identifier that joins the lines of one session or connection on one device (a number, or hash64 of the text); 0
  // if none.
  std::uint64_t session_id = 0;

  RecordRef record;

  Symbol observer;  // observer.name: host name of the device that logged
  Symbol user;  // user.name as the record has it, without domain ("alice", not "CORP\\alice" nor "alice@corp.example")
  Symbol user_domain;       // user.domain: "CORP", "corp.example"
  Symbol group;             // tunnel group, connection profile, group policy, realm
  Symbol user_agent;        // client software and version as it calls itself
  Symbol client_os;         // user_agent.os.full
  Symbol client_host;       // source.domain: the client's own computer name
  Symbol code;              // event.code: the vendor's message number or record type ("113019", "4625", "TRAFFIC/end")
  Symbol reason;            // event.reason: a closed vocabulary, no free text with numbers in it
  Symbol application;       // network.protocol: "ssl", "ssh", "anyconnect"
  Symbol protocol_version;  // tls.version or the SSH protocol's: "TLSv12", "TLS 1.2", "2.0", as the record has it
  Symbol destination_name;  // destination.domain: the name the client asked for (TLS SNI), or the server's name
  Symbol ingress;           // observer.ingress.interface/zone
  Symbol egress;            // observer.egress.interface/zone
  Symbol fingerprint;       // tls.client.ja4 / ja3, ssh hassh: of the client
  Symbol server_fingerprint;       // tls.server.ja3s and alike
  Symbol certificate_issuer;       // tls.server.issuer
  Symbol certificate_subject;      // tls.server.subject
  Symbol certificate_fingerprint;  // tls.server.hash: SHA-256 of the certificate, else SHA-1, in lower-case hex
  Symbol banner;                   // what a service says of itself: SSH version string, HTTP Server header
  Symbol rule;                     // rule.name: access list, policy, signature that fired
  Symbol region;                   // source.geo as the record itself claims it (PAN-OS source region)
  Symbol dataset;  // event.dataset: name of the format that decoded it ("cisco_asa"); set by the decoder's frame

  // Set by enrich: index into intel's table of network facts, 0 = not looked up.
  std::uint32_t source_facts = 0;
  std::uint32_t destination_facts = 0;

  std::uint32_t sampling =
      0;  // one packet in so many was looked at; 0 = unknown, 1 = all. Bytes and packets are as exported.
  std::uint32_t ingress_index = 0;  // SNMP ifIndex
  std::uint32_t egress_index = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t tcp_flags = 0;  // union of all flags seen
  std::uint8_t protocol = 0;    // network.iana_number

  Class event_class = Class::kNone;
  Activity activity = Activity::kNone;
  Outcome outcome = Outcome::kUnknown;
  Action action = Action::kNone;
  Direction direction = Direction::kUnknown;
  Mfa mfa = Mfa::kUnknown;
  AuthMethod auth_method = AuthMethod::kUnknown;
  Service service = Service::kUnknown;
  std::uint8_t logon_type = 0;  // Windows logon type (2 interactive, 3 network, 10 remote interactive ...)
};
static_assert(std::is_trivially_copyable_v<Event>);
static_assert(sizeof(Event) <= 320);

std::string_view name(Class value);
std::string_view name(Activity value);
std::string_view name(Outcome value);
std::string_view name(Action value);
std::string_view name(Direction value);
std::string_view name(Mfa value);
std::string_view name(AuthMethod value);
std::string_view name(Service value);

// One JSON object, fields in the order above, absent fields left out, names as in docs/events.md. Stable: goldens
// depend on it. Enriched facts and the record's place are not part of it.
std::string to_json(const Event& event);

}  // namespace orbwatch::event
