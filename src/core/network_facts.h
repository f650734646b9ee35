// Facts of an address as every later room sees them: place, autonomous system, kind of network. The table itself is
// made and searched in intel/; the plain structs and the read-only face stand here so that baseline/ and detect/ need
// not know intel/.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace orbwatch::core {

// What kind of network an address belongs to. kVpn and kTor are overlays: the address also stands in a network of
// another kind (mostly hosting); the claims say so.
enum class NetworkType : std::uint8_t {
  kUnknown,
  kConsumer,   // fixed-line homes and small shops: DSL, cable, fibre, fixed wireless
  kMobile,     // cellular
  kCgnat,      // many subscribers behind one address by design (RFC 6598 ranges, or a declared carrier NAT pool)
  kHosting,    // cloud, VPS, colocation, content delivery
  kBusiness,   // an enterprise's own network, or access lines sold to businesses only
  kEducation,  // schools, universities, research networks
  kGovernment,
  kVpn,  // commercial VPN, proxy or relay service
  kTor,
  kSatellite,  // consumer and business access by satellite
  kInternal,   // private address space (RFC 1918, RFC 4193), loopback, link-local
};
constexpr int kNetworkTypes = 12;

// "unknown", "consumer", "mobile", "cgnat", "hosting", "business", "education", "government", "vpn", "tor",
// "satellite", "internal". These words are the contract of files, config and finding JSON.
std::string_view name(NetworkType type);
// For people: "consumer broadband", "mobile", "carrier NAT", "hosting", ...
std::string_view label(NetworkType type);
// Accepts the words of name() in any case and a few synonyms ("consumer broadband", "residential", "isp", "datacenter",
// "vps", "cellular", "school", "proxy"). False if the word is unknown; `out` is then left alone.
bool parse_network_type(std::string_view word, NetworkType& out);

// A two-letter country code packed as 'D' << 8 | 'E'; 0 = unknown.
constexpr std::uint16_t pack_country(std::string_view iso) {
  if (iso.size() != 2) return 0;
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  const char a = upper(iso[0]), b = upper(iso[1]);
  if (a < 'A' || a > 'Z' || b < 'A' || b > 'Z') return 0;
  return static_cast<std::uint16_t>(a << 8 | b);
}
struct CountryText {
  char letters[2] = {0, 0};
  std::string_view view() const { return {letters, letters[0] != 0 ? std::size_t{2} : std::size_t{0}}; }
};
constexpr CountryText unpack_country(std::uint16_t country) {
  return {{static_cast<char>(country >> 8), static_cast<char>(country & 0xff)}};
}

// Who says what the type is; bits, so that one byte names all sources that made a claim.
enum class TypeSource : std::uint8_t {
  kAsName = 1,         // words in the AS's name: weak
  kCurated = 2,        // data/as-types.csv: AS numbers looked at by hand
  kAsList = 4,         // a published list of AS numbers
  kPrefixList = 8,     // a published list of prefixes
  kDatabase = 16,      // a field of an MMDB file (connection type, user type, anonymous flags)
  kUserList = 32,      // a list that the user gave
  kOrganisation = 64,  // `networks:` of the organisation's config
  kSpecialRange = 128  // IANA special-purpose registries
};
std::string_view name(TypeSource source);  // "as_name", "curated", "as_list", ...

// Fixed layout: rows of the memory-mapped table. Strings are offsets for NetworkView::text(); 0 is "".
struct NetworkFacts {
  std::uint32_t asn = 0;      // 0 = not announced or unknown
  std::uint32_t as_name = 0;  // string
  std::uint32_t city = 0;     // string
  std::uint32_t region = 0;   // string: state or province
  float latitude = 0;         // degrees, WGS 84; meaningful if located()
  float longitude = 0;
  std::uint16_t country = 0;  // pack_country(); ISO 3166-1 alpha-2
  NetworkType type = NetworkType::kUnknown;
  std::uint8_t type_sources = 0;  // TypeSource bits of all claims, also of those that disagree with `type`
  std::uint32_t claims = 0;       // which set of claims; see intel::Networks::claims

  // Null Island (0, 0) is what databases write for "nowhere".
  bool located() const { return latitude != 0 || longitude != 0; }
};
static_assert(std::is_trivially_copyable_v<NetworkFacts> && sizeof(NetworkFacts) == 32);

// The read-only face of the table for baseline/ and detect/; implemented by enrich::Enricher. Thread-safe. Indices are
// the ones that enrich wrote into Event::source_facts and destination_facts, valid as long as the view lives. 0 is
// "nothing known".
class NetworkView {
 public:
  virtual ~NetworkView() = default;

  // An index out of range gives the empty facts of index 0.
  virtual const NetworkFacts& facts(std::uint32_t index) const = 0;
  // A string of a NetworkFacts; "" for an offset that does not exist. Valid as long as the view lives.
  virtual std::string_view text(std::uint32_t offset) const = 0;

  // World priors, all in 0..1, counted over the IPv4 addresses that the table knows. "Among all" means: all addresses
  // with a known AS (shares of AS numbers) or a known type (shares of types). An unknown asn, country or type gives 0:
  // smooth it.
  virtual double as_share(std::uint32_t asn) const = 0;
  virtual double as_share_in_country(std::uint32_t asn, std::uint16_t country) const = 0;
  virtual double country_share(std::uint16_t country) const = 0;
  virtual double type_share(NetworkType type) const = 0;
  // p0(type | country); a country that the table does not have gives type_share(type).
  virtual double type_share_in_country(NetworkType type, std::uint16_t country) const = 0;

  // True if the organisation declared the network that these facts stand for as its own, or it is private address
  // space.
  virtual bool is_own(std::uint32_t index) const = 0;
  // True if the organisation declared it with `allowed: true`: an expected source.
  virtual bool is_allowed(std::uint32_t index) const = 0;

  std::string_view city(std::uint32_t index) const { return text(facts(index).city); }
  std::string_view region(std::uint32_t index) const { return text(facts(index).region); }
  std::string_view as_name(std::uint32_t index) const { return text(facts(index).as_name); }
};

}  // namespace orbwatch::core
