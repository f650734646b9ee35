// What is published about one covert network, as data: data/networks/*.yaml and a folder of the user's own. The schema
// and how to add a network: docs/known-networks.md.
//
// A profile holds facts of reports, not measurements of ours, and each names the reports that state it. What is not
// published is absent: an empty list or text, 0, nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/network_facts.h"

namespace orbwatch::intel::profiles {

// A date as exact as the report gives it: "2024", "2024-10", "2024-10-31".
struct ReportedDate {
  int year = 0;   // 0 = not reported
  int month = 0;  // 1..12, 0 = not stated
  int day = 0;    // 1..31, 0 = not stated

  std::string text() const;  // "" if not reported
};
// Of two dates that overlap ("2024" and "2024-10") neither is earlier.
bool earlier(const ReportedDate& a, const ReportedDate& b);

struct Source {
  std::string id;         // how the traits of this profile name it
  std::string title;      // in brackets where it is our description, because its page was not found
  std::string publisher;  // "Sekoia", "Lumen Black Lotus Labs"
  ReportedDate date;
  std::string url;  // "" where its page was not found
};

// How much a trait says at the most, as the profile states it: below what its kind would be worth where others show it,
// too (a test certificate of a library).
enum class Weight : std::uint8_t { kWeak, kMedium, kStrong };
std::string_view name(Weight weight);  // "weak", "medium", "strong"

// What every trait has.
struct Reported {
  std::vector<std::uint16_t> sources;  // indexes into Profile::sources, at least one
  std::string family;                  // the implant family it belongs to, "" = the network as a whole
  std::uint32_t line = 0;              // in the file, 1-based
};

// How sure those who report it are. kUnstated: the report says it without a degree.
enum class Confidence : std::uint8_t { kUnstated, kLow, kModerate, kHigh };
std::string_view name(Confidence confidence);  // "unstated", "low", "moderate", "high"

struct User : Reported {
  std::string actor;
  std::vector<std::string> aliases;
  Confidence confidence = Confidence::kUnstated;
};

enum class DeviceKind : std::uint8_t {
  kRouter,
  kVpnGateway,
  kFirewall,
  kAccessPoint,
  kNas,
  kCamera,
  kRecorder,
  kModem,
  kRadio,  // outdoor wireless bridges
  kServer  // rented servers
};
// "router", "vpn_gateway", "firewall", "access_point", "nas", "camera", "recorder", "modem", "radio", "server".
std::string_view name(DeviceKind kind);
std::string_view plural(DeviceKind kind);  // for people: "routers", "VPN gateways"

struct Device : Reported {
  DeviceKind kind = DeviceKind::kRouter;
  std::string maker;            // "" = the kind alone is reported
  std::string model;            // "RV320/RV325"
  std::optional<double> share;  // of the nodes, 0..1
};

enum class LayerRole : std::uint8_t { kOnRamp, kTraversal, kExit, kCommand, kManagement, kPayload, kScanner };
// "on_ramp", "traversal", "exit", "command", "management", "payload", "scanner".
std::string_view name(LayerRole role);

struct Layer : Reported {
  std::string title;  // "Tier 1"
  std::vector<LayerRole> roles;
  std::optional<double> life_days;  // mean life of a node
  std::uint64_t nodes = 0;          // at one time, the most that is reported; 0 = not reported
  std::string meaning;
};

struct Port : Reported {
  std::uint16_t first = 0;    // 1..65535
  std::uint16_t last = 0;     // = first for a single port
  std::uint8_t protocol = 6;  // IANA number: 6 TCP, 17 UDP
  std::string meaning;
  std::optional<Weight> weight;
};

// How a text of the wire is compared; case and blanks at both ends are ignored.
enum class TextMatch : std::uint8_t { kExact, kPrefix };
std::string_view name(TextMatch match);  // "exact", "prefix"

struct Banner : Reported {
  std::string text;
  TextMatch match = TextMatch::kPrefix;
  std::uint16_t port = 0;  // TCP port on which it answers, 0 = not reported
  std::optional<Weight> weight;
};

struct Certificate : Reported {
  std::string issuer;                // stands in the issuer as whole words, case ignored; "" = any
  std::string subject;               // likewise
  std::string sha256;                // of the certificate, 64 lower-case hex digits; "" = any
  std::optional<bool> self_signed;   // nullopt = not reported
  std::optional<double> valid_days;  // from not-before to not-after
  std::string meaning;
  std::optional<Weight> weight;
};

enum class FingerprintKind : std::uint8_t { kJa3, kJa3s, kJa4, kJa4s, kJarm, kHassh, kHasshServer };
std::string_view name(FingerprintKind kind);  // "ja3", "ja3s", "ja4", "ja4s", "jarm", "hassh", "hassh_server"

struct Fingerprint : Reported {
  FingerprintKind kind = FingerprintKind::kJa3;
  std::string value;
  std::optional<Weight> weight;
};

// What clients that come through the network call themselves: user agents, SSH versions.
struct Client : Reported {
  std::string text;
  TextMatch match = TextMatch::kExact;
  std::optional<Weight> weight;
};

struct Cadence : Reported {
  std::optional<double> attempts_per_account_and_day;  // above 0
  std::optional<double> share;                         // of the cases in which it holds, 0..1
  std::optional<int> from_hour;                        // 0..23 UTC; with to_hour, may run over midnight
  std::optional<int> to_hour;                          // 0..23 UTC, exclusive
};

struct Target : Reported {
  std::vector<std::uint16_t> ports;   // that the network asks for elsewhere, TCP
  std::vector<std::string> services;  // "Microsoft 365"
  std::vector<std::string> sectors;   // whose systems: for people, never compared
};

struct Country : Reported {
  std::uint16_t code = 0;  // core::pack_country
};

struct Provider : Reported {
  std::uint32_t asn = 0;
  std::string title;
};

struct NetworkTypeTrait : Reported {
  core::NetworkType type = core::NetworkType::kUnknown;
};

struct Technique : Reported {
  std::string id;  // "T1090.003"
};

// The same network in a public catalogue.
struct CatalogueEntry {
  std::string catalogue;  // "MITRE ATT&CK", "MISP galaxy botnet"
  std::string id;         // "C0055", a UUID
  std::string title;      // its name there
};

struct Profile {
  std::string name;
  std::vector<std::string> aliases;
  std::string part_of;  // name of the network of which it is a part, "" = none
  std::string summary;  // one or two sentences
  std::vector<std::string> families;
  std::vector<CatalogueEntry> catalogues;
  std::vector<User> used_by;
  ReportedDate first_activity;
  ReportedDate last_activity;
  std::vector<std::uint16_t> activity_sources;
  std::vector<Device> devices;
  std::vector<Layer> layers;
  std::vector<Port> ports;
  std::vector<Banner> banners;
  std::vector<Certificate> certificates;
  std::vector<Fingerprint> fingerprints;
  std::vector<Client> clients;
  std::vector<Cadence> cadence;
  std::vector<Target> targets;
  std::vector<NetworkTypeTrait> network_types;
  std::vector<Country> countries;
  std::vector<Provider> providers;
  std::vector<Technique> attack;
  std::vector<Source> sources;

  std::string file;  // where it was read from, for messages
};

}  // namespace orbwatch::intel::profiles
