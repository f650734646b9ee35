// The organisation's own description of its networks (`networks:` of the config): longest match by prefix.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "intel/prefix_map.h"

namespace orbwatch::intel {

struct DeclaredNetwork {
  core::Prefix prefix;
  std::string name;                                      // "Berlin office"
  core::NetworkType type = core::NetworkType::kUnknown;  // kUnknown: leave what the table says
  std::string site;                                      // town or building; takes the place of the city
  std::string country;                                   // ISO code, "" = from the table
  float latitude = 0;                                    // 0, 0 = from the table
  float longitude = 0;
  bool own = true;       // false: somebody else's network, declared for its type or to allow it
  bool allowed = false;  // an expected source of log-ins
};

// Immutable after construction; thread-safe.
class Organisation {
 public:
  Organisation() = default;
  // Fails on the same prefix twice or a country that is not two letters.
  static core::Expected<Organisation> make(std::vector<DeclaredNetwork> networks);

  bool empty() const { return networks_.empty(); }
  const std::vector<DeclaredNetwork>& networks() const { return networks_; }
  // Index into networks() of the longest prefix that holds the address, or -1.
  std::int32_t find(const core::Ip& ip) const;
  // Private address space, or declared with own = true.
  bool is_internal(const core::Ip& ip) const;

 private:
  std::vector<DeclaredNetwork> networks_;
  PrefixMap prefixes_;
};

}  // namespace orbwatch::intel
