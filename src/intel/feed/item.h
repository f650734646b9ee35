// What a threat feed states, in one schema for all formats. Names follow STIX 2.1 where it has one, MISP else.
//
// Only what an event can carry (event/event.h) has a kind: addresses, autonomous systems, names asked for, TLS and SSH
// fingerprints, certificates, banners, client software. What no event carries (file hashes, mail addresses, registry
// keys, certificate serial numbers) is ignored by the readers under its name.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "core/ip.h"
#include "core/time.h"

namespace orbwatch::intel {

enum class FeedKind : std::uint8_t {
  kPrefix,                  // `prefix`; an address is a /32 or /128
  kAutonomousSystem,        // `autonomous_system`
  kDomain,                  // `value`: lower case, ASCII ("xn--"), no dot at the end
  kUrl,                     // `value` as the feed has it, refanged; `host` or `prefix`, and `port`: no event has a path
  kCertificateFingerprint,  // `value`: SHA-1 or SHA-256 in lower-case hex, told apart by length
  kCertificateSubject,      // `value`: the text as the feed has it
  kCertificateIssuer,       // `value`: likewise
  kJa3,                     // 32 lower-case hex digits, as kJa3s, kHassh and kHasshServer
  kJa3s,
  kJa4,   // "t13d1516h2_8daaf6152771_b186095e22b6"
  kJa4s,  // "t130200_1301_a56c5b993250"
  kJarm,  // 62 lower-case hex digits
  kHassh,
  kHasshServer,
  kSshKey,     // "SHA256:" and base64 without "=", as OpenSSH shows a public key
  kBanner,     // `value`: what a service says of itself, exact
  kUserAgent,  // `value`: what a client says of itself, exact
};
inline constexpr std::size_t kFeedKinds = 17;

// On which side of a connection the address or name must stand.
enum class FeedRole : std::uint8_t { kAny, kSource, kDestination };

std::string_view name(FeedKind kind);  // "prefix", "autonomous-system", "certificate-fingerprint" ...

inline constexpr std::uint8_t kConfidenceNotSaid = 255;
// valid_until of a statement that the feed says never ends (year 9999). Every other moment lies in 1970..2261.
inline constexpr core::Nanoseconds kNoEnd = std::numeric_limits<core::Nanoseconds>::max();

// One statement. The views hold during the sink's call only. Moments are nanoseconds since 1970, 0 = not said.
struct FeedItem {
  FeedKind kind = FeedKind::kPrefix;
  FeedRole role = FeedRole::kAny;
  core::Prefix prefix;                  // kPrefix; kUrl with an address as host
  std::uint32_t autonomous_system = 0;  // kAutonomousSystem
  std::string_view value;               // canonical text of every kind, at most kLongestValue bytes
  std::string_view host;                // kUrl with a name as host, canonical like a domain
  std::uint16_t port = 0;               // on the side of the address, name or URL; 0 = any
  std::uint8_t protocol = 0;            // IANA number; 0 = any

  std::string_view label;                  // campaign, malware or title; printable, cut at kLongestLabel bytes
  std::span<const std::string_view> tags;  // "tlp:amber", "attack:T1090", "kill-chain:..." ...; at most kMostTags

  core::Nanoseconds valid_from = 0;
  core::Nanoseconds valid_until = 0;  // may be kNoEnd
  core::Nanoseconds first_seen = 0;
  core::Nanoseconds last_seen = 0;
  core::Nanoseconds modified = 0;

  std::uint8_t confidence = kConfidenceNotSaid;  // 0..100
  bool revoked = false;                          // taken back (STIX revoked, MISP deleted)
  bool detect = true;       // false: context only (MISP to_ids false, an observation that nobody called an indicator)
  bool known_good = false;  // a list of what is not to be alarmed on (MISP warning lists, STIX "benign")
  bool sighting = false;    // tells of a sighting of the statement `id`, is no statement of its own
  std::uint32_t sightings = 0;        // how often it was seen, as the feed says
  std::uint32_t false_positives = 0;  // how often it was called a false positive

  std::string_view id;  // of the feed's own object (STIX id, MISP uuid): a later `modified` replaces an earlier one
  std::uint64_t record = 0;  // 1-based number of the record: the line in text, lists and CSV without line breaks
};

// Beyond these a record is rejected (value, id), a text cut (label), or a part left out by name (tags).
inline constexpr std::size_t kLongestValue = 512;
inline constexpr std::size_t kLongestId = 128;
inline constexpr std::size_t kLongestLabel = 200;
inline constexpr std::size_t kLongestTag = 200;
inline constexpr std::size_t kMostTags = 32;

}  // namespace orbwatch::intel
