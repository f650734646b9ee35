// The values of indicators: what they are, whether an event can carry them, and their canonical form. Shared by all
// readers of feeds, so that a value means the same whatever format it came in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "intel/feed/item.h"

namespace orbwatch::intel {

// The part of a FeedItem that its value decides.
struct FeedValue {
  FeedKind kind = FeedKind::kPrefix;
  FeedRole role = FeedRole::kAny;
  core::Prefix prefix;
  std::uint32_t autonomous_system = 0;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  core::Nanoseconds valid_from = 0;  // of this value alone, beside what its record says; 0: nothing is said
  core::Nanoseconds valid_until = 0;
  std::string value;
  std::string host;
};

enum class ValueFate : std::uint8_t {
  kItem,     // values were appended
  kIgnored,  // of a kind that no event carries: `reason` names it
  kRejected  // damaged, or a value that would match everything
};

struct ValueVerdict {
  ValueFate fate = ValueFate::kItem;
  std::string reason;
};

struct ValueRules {
  // Lists of what is benign hold private and wide prefixes too; a statement that something is bad must not.
  bool known_good = false;
  // At most so many prefixes for a range.
  std::size_t most_prefixes = 1024;
};

// What a name of a kind of indicator means: STIX object types, MISP attribute types and what CSV columns use
// ("ipv4-addr", "ip-dst|port", "sha256_hash", "FQDN", "ip:port", "asn" ...), any case, "_" and " " as "-".
struct KindName {
  enum class Meaning : std::uint8_t { kAuto, kKind, kAddressAndPort, kDomainAndAddress, kIgnored, kUnknown };
  Meaning meaning = Meaning::kUnknown;
  FeedKind kind = FeedKind::kPrefix;
  FeedRole role = FeedRole::kAny;
  std::string_view ignored = {};  // the reason
};
KindName kind_of_name(std::string_view name);

// Reads a value by its look: address, prefix, range, address with port, URL, "AS64500", name. A file hash, a mail
// address, a path without host is ignored by name. Expects refanged text (intel/indicators.h) without blanks around it.
ValueVerdict read_value(std::string_view text, const ValueRules& rules, std::vector<FeedValue>& out);
// Reads a value of a kind that is known.
ValueVerdict read_value(std::string_view text, const KindName& kind, const ValueRules& rules,
                        std::vector<FeedValue>& out);

// "WwW.Example.ORG." -> "www.example.org"; empty if it is no host name: letters, digits, "-" and "_" in labels of 1 to
// 63 bytes, 253 in all, at least two labels, the last not a number.
std::string canonical_domain(std::string_view text);

// True if all bytes are hexadecimal digits.
bool is_hex(std::string_view text);
// "AS64500", "ASN 64500" and, if `bare`, "64500"; 0 if it is none.
std::uint32_t autonomous_system_of(std::string_view text, bool bare);

}  // namespace orbwatch::intel
