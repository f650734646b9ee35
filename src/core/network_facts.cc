#include "core/network_facts.h"

#include "core/text.h"

namespace orbwatch::core {
namespace {

struct Word {
  std::string_view word;
  NetworkType type;
};

// The first word of a type is its name.
constexpr Word kWords[] = {{"unknown", NetworkType::kUnknown},
                           {"consumer", NetworkType::kConsumer},
                           {"consumer broadband", NetworkType::kConsumer},
                           {"broadband", NetworkType::kConsumer},
                           {"residential", NetworkType::kConsumer},
                           {"isp", NetworkType::kConsumer},
                           {"mobile", NetworkType::kMobile},
                           {"cellular", NetworkType::kMobile},
                           {"cgnat", NetworkType::kCgnat},
                           {"carrier nat", NetworkType::kCgnat},
                           {"hosting", NetworkType::kHosting},
                           {"cloud", NetworkType::kHosting},
                           {"datacenter", NetworkType::kHosting},
                           {"data center", NetworkType::kHosting},
                           {"vps", NetworkType::kHosting},
                           {"business", NetworkType::kBusiness},
                           {"enterprise", NetworkType::kBusiness},
                           {"corporate", NetworkType::kBusiness},
                           {"education", NetworkType::kEducation},
                           {"school", NetworkType::kEducation},
                           {"university", NetworkType::kEducation},
                           {"government", NetworkType::kGovernment},
                           {"vpn", NetworkType::kVpn},
                           {"proxy", NetworkType::kVpn},
                           {"tor", NetworkType::kTor},
                           {"satellite", NetworkType::kSatellite},
                           {"internal", NetworkType::kInternal},
                           {"private", NetworkType::kInternal}};

}  // namespace

std::string_view name(NetworkType type) {
  for (const Word& w : kWords) {
    if (w.type == type) return w.word;
  }
  return "unknown";
}

std::string_view label(NetworkType type) {
  switch (type) {
    case NetworkType::kConsumer: return "consumer broadband";
    case NetworkType::kMobile: return "mobile network";
    case NetworkType::kCgnat: return "carrier NAT";
    case NetworkType::kHosting: return "hosting";
    case NetworkType::kBusiness: return "business";
    case NetworkType::kEducation: return "education";
    case NetworkType::kGovernment: return "government";
    case NetworkType::kVpn: return "VPN or proxy";
    case NetworkType::kTor: return "Tor";
    case NetworkType::kSatellite: return "satellite";
    case NetworkType::kInternal: return "private address space";
    case NetworkType::kUnknown: break;
  }
  return "unknown";
}

bool parse_network_type(std::string_view word, NetworkType& out) {
  for (const Word& w : kWords) {
    if (equals_ignore_case(w.word, word)) {
      out = w.type;
      return true;
    }
  }
  return false;
}

std::string_view name(TypeSource source) {
  switch (source) {
    case TypeSource::kAsName: return "as_name";
    case TypeSource::kCurated: return "curated";
    case TypeSource::kAsList: return "as_list";
    case TypeSource::kPrefixList: return "prefix_list";
    case TypeSource::kDatabase: return "database";
    case TypeSource::kUserList: return "user_list";
    case TypeSource::kOrganisation: return "organisation";
    case TypeSource::kSpecialRange: return "special_range";
  }
  return "unknown";
}

}  // namespace orbwatch::core
