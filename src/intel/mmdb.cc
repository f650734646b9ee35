#include "intel/mmdb.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>
#include <maxminddb.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "core/text.h"
#include "intel/csv.h"

namespace orbwatch::intel {
namespace {

__extension__ typedef unsigned __int128 u128;

// One value of a record by its path of keys. False if it is not there; `error` is set if the record is damaged.
bool get(MMDB_entry_s entry, std::initializer_list<const char*> keys, MMDB_entry_data_s& out, int& error) {
  const char* path[8] = {};
  std::size_t n = 0;
  for (const char* key : keys) {
    if (n < 7) path[n++] = key;
  }
  const int status = MMDB_aget_value(&entry, &out, path);
  if (status == MMDB_SUCCESS) return out.has_data;
  // "The path does not match this record's shape" is an ordinary absence.
  if (status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR && status != MMDB_INVALID_LOOKUP_PATH_ERROR) error = status;
  return false;
}

using Path = std::initializer_list<const char*>;

std::string get_text(const MMDB_entry_s& entry, std::initializer_list<Path> paths, int& error) {
  MMDB_entry_data_s data;
  for (const Path& path : paths) {
    if (!get(entry, path, data, error) || data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0) continue;
    return core::printable({data.utf8_string, data.data_size}, 200);
  }
  return {};
}

double get_number(const MMDB_entry_s& entry, std::initializer_list<Path> paths, int& error) {
  MMDB_entry_data_s data;
  for (const Path& path : paths) {
    if (!get(entry, path, data, error)) continue;
    switch (data.type) {
      case MMDB_DATA_TYPE_DOUBLE: return data.double_value;
      case MMDB_DATA_TYPE_FLOAT: return static_cast<double>(data.float_value);
      case MMDB_DATA_TYPE_UINT16: return data.uint16;
      case MMDB_DATA_TYPE_UINT32: return data.uint32;
      case MMDB_DATA_TYPE_INT32: return data.int32;
      case MMDB_DATA_TYPE_UINT64: return static_cast<double>(data.uint64);
      case MMDB_DATA_TYPE_UTF8_STRING: {
        // Some publishers write numbers as text, and AS numbers as "AS64500".
        std::string_view text(data.utf8_string, data.data_size);
        if (text.starts_with("AS")) text.remove_prefix(2);
        if (const auto number = parse_real(text)) return *number;
        break;
      }
      default: break;
    }
  }
  return 0;
}

bool get_flag(const MMDB_entry_s& entry, const char* key, int& error) {
  MMDB_entry_data_s data;
  for (const char* parent : {static_cast<const char*>(nullptr), "traits", "anonymizer"}) {
    const bool found = parent == nullptr ? get(entry, {key}, data, error) : get(entry, {parent, key}, data, error);
    if (found && data.type == MMDB_DATA_TYPE_BOOLEAN && data.boolean) return true;
  }
  return false;
}

struct WordType {
  const char* word;
  NetworkType type;
};
constexpr WordType kConnectionTypes[] = {{"Cable/DSL", NetworkType::kConsumer},
                                         {"Dialup", NetworkType::kConsumer},
                                         {"Cellular", NetworkType::kMobile},
                                         {"Corporate", NetworkType::kBusiness},
                                         {"Satellite", NetworkType::kSatellite}};
constexpr WordType kUserTypes[] = {
    {"residential", NetworkType::kConsumer}, {"dialup", NetworkType::kConsumer},
    {"cellular", NetworkType::kMobile},      {"business", NetworkType::kBusiness},
    {"hosting", NetworkType::kHosting},      {"content_delivery_network", NetworkType::kHosting},
    {"college", NetworkType::kEducation},    {"school", NetworkType::kEducation},
    {"library", NetworkType::kEducation},    {"government", NetworkType::kGovernment},
    {"military", NetworkType::kGovernment},  {"consumer_privacy_network", NetworkType::kVpn}};
constexpr WordType kFlags[] = {
    {"is_anonymous_vpn", NetworkType::kVpn},        {"is_public_proxy", NetworkType::kVpn},
    {"is_residential_proxy", NetworkType::kVpn},    {"is_tor_exit_node", NetworkType::kTor},
    {"is_hosting_provider", NetworkType::kHosting}, {"is_satellite_provider", NetworkType::kSatellite}};

void add_claims(const MMDB_entry_s& entry, MmdbFacts& facts, int& error) {
  const auto claim = [&](NetworkType type, std::string says) {
    facts.claims.push_back({type, TypeSource::kDatabase, kWeightDatabase, std::move(says)});
  };
  const std::string connection = get_text(entry, {{"connection_type"}, {"traits", "connection_type"}}, error);
  for (const WordType& w : kConnectionTypes) {
    if (connection == w.word) claim(w.type, fmt::format("database (connection type {})", w.word));
  }
  const std::string user = get_text(entry, {{"user_type"}, {"traits", "user_type"}}, error);
  for (const WordType& w : kUserTypes) {
    if (user == w.word) claim(w.type, fmt::format("database (user type {})", w.word));
  }
  for (const WordType& w : kFlags) {
    if (get_flag(entry, w.word, error)) claim(w.type, fmt::format("database ({})", w.word));
  }
}

MmdbFacts read_facts(const MMDB_entry_s& entry, int& error) {
  MmdbFacts f;
  f.city = get_text(entry, {{"city", "names", "en"}, {"city"}}, error);
  f.region = get_text(entry, {{"subdivisions", "0", "names", "en"}, {"state1"}, {"region"}}, error);
  f.country = core::pack_country(get_text(entry,
                                          {{"country", "iso_code"},
                                           {"country_code"},
                                           {"country"},
                                           {"registered_country", "iso_code"},
                                           {"represented_country", "iso_code"}},
                                          error));
  const double latitude = get_number(entry, {{"location", "latitude"}, {"latitude"}, {"lat"}}, error);
  const double longitude = get_number(entry, {{"location", "longitude"}, {"longitude"}, {"lng"}, {"lon"}}, error);
  if (std::abs(latitude) <= 90 && std::abs(longitude) <= 180) {  // false for NaN, too
    f.latitude = static_cast<float>(latitude);
    f.longitude = static_cast<float>(longitude);
  }
  const double asn =
      get_number(entry, {{"autonomous_system_number"}, {"traits", "autonomous_system_number"}, {"asn"}}, error);
  if (asn > 0 && asn <= std::numeric_limits<std::uint32_t>::max()) f.asn = static_cast<std::uint32_t>(asn);
  f.as_name = get_text(
      entry, {{"autonomous_system_organization"}, {"traits", "autonomous_system_organization"}, {"as_name"}}, error);
  add_claims(entry, f, error);
  return f;
}

struct Closer {
  void operator()(MMDB_s* db) const {
    MMDB_close(db);
    delete db;
  }
};

core::Ip to_ip(u128 address, bool v4) {
  if (v4) return core::Ip::v4(static_cast<std::uint32_t>(address));
  core::Ip ip;
  for (int i = 15; i >= 0; --i, address >>= 8)
    ip.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(address);
  return ip;
}

}  // namespace

core::Expected<MmdbInfo> read_mmdb(const std::string& path,
                                   const std::function<void(std::uint32_t id, MmdbFacts&& facts)>& record,
                                   const std::function<void(const core::Ip& first, std::uint32_t id)>& network) {
  constexpr std::string_view kHint = "fetch the file again; the old table, if any, stays in use";
  auto raw = std::make_unique<MMDB_s>();
  const int opened = MMDB_open(path.c_str(), MMDB_MODE_MMAP, raw.get());
  if (opened != MMDB_SUCCESS) {
    const int system = errno;
    return core::fail("cannot read the MMDB file",
                      path + ": " + (opened == MMDB_FILE_OPEN_ERROR ? std::strerror(system) : MMDB_strerror(opened)),
                      opened == MMDB_FILE_OPEN_ERROR ? std::string() : std::string(kHint));
  }
  const std::unique_ptr<MMDB_s, Closer> db(raw.release());
  const auto damaged = [&](std::string_view what) {
    return core::fail("the MMDB file is damaged: " + std::string(what), path, std::string(kHint));
  };
  const MMDB_metadata_s& meta = db->metadata;
  const bool v6_tree = meta.ip_version == 6;
  if (!v6_tree && meta.ip_version != 4) return damaged(fmt::format("IP version {}", meta.ip_version));
  if (meta.node_count == 0) return damaged("no search tree");

  MmdbInfo info;
  info.database_type = core::printable(meta.database_type == nullptr ? "" : meta.database_type, 100);
  info.build_seconds = static_cast<std::int64_t>(meta.build_epoch);

  absl::flat_hash_map<std::uint32_t, std::uint32_t> ids;  // offset of a record -> id
  int error = MMDB_SUCCESS;
  const auto id_of = [&](const MMDB_entry_s& entry) -> std::uint32_t {
    const auto [at, is_new] = ids.try_emplace(entry.offset, 0);
    if (!is_new) return at->second;
    // Reads all of the record once, also the parts that are not used: a broken value anywhere must be reported.
    MMDB_entry_data_list_s* list = nullptr;
    MMDB_entry_s copy = entry;
    const int status = MMDB_get_entry_data_list(&copy, &list);
    MMDB_free_entry_data_list(list);
    if (status != MMDB_SUCCESS) {
      error = status;
      return 0;
    }
    MmdbFacts facts = read_facts(entry, error);
    if (error != MMDB_SUCCESS) return 0;
    if (facts.empty()) return 0;  // stays 0: no data that this program knows
    const auto id = static_cast<std::uint32_t>(++info.records);
    at->second = id;
    record(id, std::move(facts));
    return id;
  };

  struct Step {
    std::uint32_t node;
    std::uint16_t depth;  // bits of `address` that are decided before this node's bit
    u128 address;
    bool v4;  // within the IPv4 part of an IPv6 tree, or a tree of IPv4
  };
  const std::uint32_t v4_node = v6_tree ? db->ipv4_start_node.node_value : UINT32_MAX;
  const std::uint64_t most_visits = std::uint64_t{meta.node_count} * 8 + 1000;
  std::uint64_t visits = 0;

  // Addresses of an IPv6 tree that are IPv4 in disguise (::ffff:0:0/96) are told by the IPv4 part alone.
  const auto tell = [&](u128 first, bool v4, std::uint32_t id) {
    const core::Ip ip = to_ip(first, v4);
    if (v4 || !ip.is_v4()) network(ip, id);
  };
  const auto walk = [&](Step root, int bits) -> core::Expected<void> {
    std::vector<Step> stack{root};
    while (!stack.empty()) {
      const Step step = stack.back();
      stack.pop_back();
      // A sound tree is met once, give or take shared branches; a tree with a loop would keep the walk for ever.
      if (++visits > most_visits) return damaged("the search tree has a loop");
      if (step.depth >= bits) return damaged("the search tree is too deep");
      MMDB_search_node_s node;
      const int status = MMDB_read_node(db.get(), step.node, &node);
      if (status != MMDB_SUCCESS) return damaged(MMDB_strerror(status));
      const u128 bit = u128{1} << (bits - 1 - step.depth);
      struct Branch {
        std::uint64_t value;
        std::uint8_t type;
        MMDB_entry_s entry;
        u128 address;
      };
      const Branch branches[2] = {
          {node.left_record, node.left_record_type, node.left_record_entry, step.address},
          {node.right_record, node.right_record_type, node.right_record_entry, step.address | bit}};
      for (const Branch& b : branches) {
        switch (b.type) {
          case MMDB_RECORD_TYPE_SEARCH_NODE:
            if (!step.v4 && b.value == v4_node && v6_tree) {  // IPv4 itself (walked apart) or an alias of it
              tell(b.address, false, 0);
              break;
            }
            stack.push_back(
                {static_cast<std::uint32_t>(b.value), static_cast<std::uint16_t>(step.depth + 1), b.address, step.v4});
            break;
          case MMDB_RECORD_TYPE_EMPTY:
          case MMDB_RECORD_TYPE_DATA: {
            std::uint32_t id = 0;
            if (b.type == MMDB_RECORD_TYPE_DATA) {
              id = id_of(b.entry);
              if (error != MMDB_SUCCESS) return damaged(MMDB_strerror(error));
              ++info.networks;
            }
            tell(b.address, step.v4, id);
            // A record that holds for all of ::/96 holds for IPv4.
            if (!step.v4 && b.address == 0 && step.depth < 96) tell(0, true, id);
            break;
          }
          default: return damaged("the search tree points nowhere");
        }
      }
    }
    return {};
  };

  if (v6_tree) {
    const auto& start = db->ipv4_start_node;
    if (start.node_value < meta.node_count && start.netmask == 96) {
      if (auto ok = walk({start.node_value, 0, 0, true}, 32); !ok) return std::unexpected(ok.error());
    }
    if (auto ok = walk({0, 0, 0, false}, 128); !ok) return std::unexpected(ok.error());
  } else {
    if (auto ok = walk({0, 0, 0, true}, 32); !ok) return std::unexpected(ok.error());
  }
  return info;
}

}  // namespace orbwatch::intel
