// Which known covert network do these traits look like, and why?
//
// The traits come from a tracked network or from one finding. The answer is a score for each known network that fits
// somewhat, never a yes: a sum of log-likelihood ratios, ln P(trait | this network) / P(trait | anything else), in
// nats. "Anything else" is ordinary traffic or another known network. The caller adds how likely such a network was
// before.
//
// What a trait is worth is a judgement, not a measurement, by these rules:
//   - by kind: the text of an implant's own banner or certificate is worth much (kBannerWorth, kCertificateTextWorth,
//     kHashWorth), a maker of devices little. The profile may lower it (its key `weight`).
//   - a port is worth what data/soho-ports.csv and the list of ordinary ports leave of it: 443 is worth nothing, a port
//     that small devices show anyway little. A range of ports is worth at most ln(65535 / its width).
//   - what k profiles have is worth ln(k) less: it says "one of these", not which; never below 0.
//   - of several matching traits of one kind the best counts fully, the second half, the third a quarter: they are
//     found together and published together. Of one certificate (issuer, subject, hash) only the best counts.
//   - a contradiction (another service behind the port, other makers, another cadence) takes away at most
//     kMostAgainst each.
//   - what was not found takes nothing away: nodes are seen in part, and a network has several families. What could
//     not be seen at all is listed.
//   - weak traits alone make no match, however many.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "intel/profiles/profile.h"

namespace orbwatch::intel::profiles {

// Nats. e^7 = 1,100: no single trait is a proof (as intel/decay/evidence_weight.h has it for lists).
constexpr double kHashWorth = 7.0;             // SHA-256 of a certificate
constexpr double kBannerWorth = 6.0;           // text that only an implant sends
constexpr double kCertificateTextWorth = 6.0;  // issuer or subject
constexpr double kFingerprintWorth = 4.0;      // JARM, JA3 and kin: libraries share them
constexpr double kLabelWorth = 4.5;            // a list says so; lists err and age
constexpr double kRarePortWorth = 3.0;         // a port that nothing else is known for
constexpr double kClientWorth = 2.0;           // user agents are copied
constexpr double kActorLabelWorth = 0.9;       // a list names one who uses this network, among other means
constexpr double kAskedPortsWorth = 2.0;       // the whole set and nothing else; falls with the square of its part
constexpr double kMakerWorth = 0.9;
constexpr double kProviderWorth = 0.8;
constexpr double kServiceWorth = 0.5;
constexpr double kCountryWorth = 0.4;
constexpr double kNetworkTypeWorth = 0.4;
constexpr double kDeviceKindWorth = 0.3;
constexpr double kMostAgainst = 2.0;
// `weight: medium` and `weight: weak` in a profile cap at these.
constexpr double kMediumCap = 2.5;
constexpr double kWeakCap = 0.5;
// From which on a trait is called medium or strong.
constexpr double kMediumFrom = 1.0;
constexpr double kStrongFrom = 4.0;
// One ordinary spray in so many is taken to have any given cadence.
constexpr double kUsualCadenceShare = 0.1;
// A match below this is not told.
constexpr double kLeastScore = 1.0;

struct ObservedPort {
  std::uint16_t port = 0;
  std::uint8_t protocol = 6;  // IANA number
  std::string banner;         // what answered there, "" = not seen
};

struct ObservedCertificate {
  std::string issuer;
  std::string subject;
  std::string sha256;  // hex, any case
  std::optional<bool> self_signed;
  std::optional<double> valid_days;
};

struct ObservedFingerprint {
  FingerprintKind kind = FingerprintKind::kJa3;
  std::string value;
};

struct ObservedNetworkType {
  core::NetworkType type = core::NetworkType::kUnknown;
  double nodes = 1;  // how many; > 0
};

// What was observed; an empty list means: it could not be seen. Texts are as in the records.
struct NetworkTraits {
  std::vector<ObservedPort> ports;   // open ports of nodes
  std::vector<std::string> banners;  // of nodes, port not known
  std::vector<ObservedCertificate> certificates;
  std::vector<ObservedFingerprint> fingerprints;
  std::vector<std::string> clients;  // user agents and other client strings of what came through
  std::vector<std::string> devices;  // what nodes are: "TP-Link Archer C7"
  std::optional<double> attempts_per_account_and_day;
  std::optional<std::array<double, 24>> activity_by_hour;  // UTC, any unit
  std::vector<std::uint16_t> asked_ports;                  // TCP ports for which nodes asked here
  std::vector<std::string> services;                       // at which they tried to log in
  std::vector<ObservedNetworkType> network_types;
  std::vector<std::uint16_t> countries;  // core::pack_country, one for each node or place
  std::vector<std::uint32_t> as_numbers;
  std::vector<std::string> labels;  // of feeds and lists: "KV-Botnet (Lumen)"
};

enum class TraitKind : std::uint8_t {
  kService,  // a port, a banner, or both
  kCertificate,
  kFingerprint,
  kClient,
  kDevice,
  kCadence,
  kAskedPorts,
  kTargetService,
  kNetworkType,
  kCountry,
  kProvider,
  kLabel
};
std::string_view name(TraitKind kind);

enum class TraitVerdict : std::uint8_t {
  kMatched,
  kContradicted,
  kNotFound,  // could have been seen, was not
  kNotSeen    // nothing of this kind was observed
};
std::string_view name(TraitVerdict verdict);

struct TraitResult {
  TraitKind kind = TraitKind::kService;
  TraitVerdict verdict = TraitVerdict::kNotSeen;
  std::string says;  // "port 7777 with banner 'xlogin:'"
  double llr = 0;    // this trait alone, before traits of its kind are discounted; below 0 if contradicted
  Weight strength = Weight::kWeak;         // of |llr|
  std::vector<std::uint16_t> sources;      // indexes into the profile's sources
  std::optional<std::size_t> certificate;  // which of those observed matched
};

struct ProfileMatch {
  const Profile* profile = nullptr;  // of the matcher's profiles
  double score = 0;                  // nats
  std::vector<TraitResult> traits;   // matched ones first, the strongest first; then contradicted, not found, not seen
  std::size_t matched = 0;
  std::size_t contradicted = 0;
  // "3 of 20 traits of Quad7: port 7777 with banner 'xlogin:' (strong), 1 attempt per account and day (medium),
  // TP-Link routers (weak). Against it: ... Could not be seen: certificates."
  std::string says;
};

// Made once from the profiles, which must outlive it; const and thread-safe. Takes time in the number of traits of all
// profiles times the number of those observed.
class ProfileMatcher {
 public:
  explicit ProfileMatcher(std::span<const Profile> profiles);
  ~ProfileMatcher();
  ProfileMatcher(ProfileMatcher&&) noexcept;
  ProfileMatcher& operator=(ProfileMatcher&&) noexcept;

  // The best first; equal scores by name. Networks below kLeastScore, or with weak traits alone, are left out.
  std::vector<ProfileMatch> match(const NetworkTraits& traits) const;

 private:
  struct Index;
  std::unique_ptr<const Index> index_;
};

// With the profiles that are built in.
std::vector<ProfileMatch> match(const NetworkTraits& traits);

}  // namespace orbwatch::intel::profiles
