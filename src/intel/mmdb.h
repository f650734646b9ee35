// Reads every network of a MaxMind DB file (https://maxmind.github.io/MaxMind-DB/, format 2.0) with libmaxminddb, which
// has look-ups but no iterator. Private to compile.cc and its tests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "intel/network_type.h"

namespace orbwatch::intel {

// What one record of the file says; absent is empty or 0.
struct MmdbFacts {
  std::string city;
  std::string region;
  std::string as_name;
  std::uint16_t country = 0;
  float latitude = 0;
  float longitude = 0;
  std::uint32_t asn = 0;
  std::vector<TypeClaim> claims;  // by connection type, user type, anonymous flags

  bool empty() const {
    return city.empty() && region.empty() && as_name.empty() && country == 0 && latitude == 0 && longitude == 0 &&
           asn == 0 && claims.empty();
  }
};

struct MmdbInfo {
  std::string database_type;
  std::int64_t build_seconds = 0;  // since the epoch
  std::uint64_t networks = 0;
  std::uint64_t records = 0;  // distinct
};

// Calls `record(id, facts)` once for each distinct data record, before its first network, and `network(first, id)` for
// each network, in no order; they partition the file's address space, so that a network ends where the next higher one
// begins. Id 0 marks a network without data. IPv4 (kept at ::/96 in an IPv6 tree) comes as IPv4; aliases of it (6to4,
// Teredo, mapped addresses) come as networks without data. Fails, after some calls, on a file that is damaged anywhere:
// tree, pointers or values.
core::Expected<MmdbInfo> read_mmdb(const std::string& path,
                                   const std::function<void(std::uint32_t id, MmdbFacts&& facts)>& record,
                                   const std::function<void(const core::Ip& first, std::uint32_t id)>& network);

}  // namespace orbwatch::intel
