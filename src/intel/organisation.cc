#include "intel/organisation.h"

#include <utility>

namespace orbwatch::intel {

core::Expected<Organisation> Organisation::make(std::vector<DeclaredNetwork> networks) {
  Organisation out;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const DeclaredNetwork& network = networks[i];
    if (!network.prefix.base.present()) {
      return core::fail("a declared network has no prefix", network.name);
    }
    if (!network.country.empty() && core::pack_country(network.country) == 0) {
      return core::fail("country of a declared network is not a two-letter code", network.country,
                        "use ISO 3166-1 alpha-2, for example DE");
    }
    if (!(network.latitude >= -90 && network.latitude <= 90 && network.longitude >= -180 && network.longitude <= 180)) {
      return core::fail("place of a declared network is not on Earth", network.name,
                        "latitude -90 to 90, longitude -180 to 180");
    }
    if (!out.prefixes_.insert(network.prefix, static_cast<std::uint32_t>(i))) {
      return core::fail("the same prefix is declared twice", network.prefix.text(), "remove one of the two entries");
    }
  }
  out.networks_ = std::move(networks);
  return out;
}

std::int32_t Organisation::find(const core::Ip& ip) const {
  const std::uint32_t found = prefixes_.longest(ip);
  return found == PrefixMap::kNone ? -1 : static_cast<std::int32_t>(found);
}

bool Organisation::is_internal(const core::Ip& ip) const {
  const std::int32_t found = find(ip);
  if (found >= 0) return networks_[static_cast<std::size_t>(found)].own;
  return ip.is_private();
}

}  // namespace orbwatch::intel
