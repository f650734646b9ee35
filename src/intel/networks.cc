#include "intel/networks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/text.h"
#include "intel/networks_file.h"

namespace orbwatch::intel {
namespace {

constexpr std::string_view kRebuild = "build it again with `orbwatch intel build`";

const char* special_says(SpecialRange range) {
  switch (range) {
    case SpecialRange::kPrivate: return "private address space (RFC 1918, RFC 4193)";
    case SpecialRange::kCarrierNat: return "shared address space (RFC 6598)";
    case SpecialRange::kLoopback: return "loopback (RFC 1122, RFC 4291)";
    case SpecialRange::kLinkLocal: return "link-local (RFC 3927, RFC 4291)";
    default: return nullptr;
  }
}

const std::array<NetworkFacts, kSpecialRanges + 1>& special_facts() {
  static const auto facts = [] {
    std::array<NetworkFacts, kSpecialRanges + 1> out{};
    for (std::uint32_t i = 1; i <= kSpecialRanges; ++i) {
      if (special_says(static_cast<SpecialRange>(i)) == nullptr) continue;
      out[i].type =
          static_cast<SpecialRange>(i) == SpecialRange::kCarrierNat ? NetworkType::kCgnat : NetworkType::kInternal;
      out[i].type_sources = static_cast<std::uint8_t>(TypeSource::kSpecialRange);
    }
    return out;
  }();
  return facts;
}

bool in_v4(std::uint32_t ip, std::uint32_t base, int bits) { return ((ip ^ base) >> (32 - bits)) == 0; }

}  // namespace

SpecialRange special_range(const Ip& ip) {
  if (ip.is_v4()) {
    const std::uint32_t v = ip.v4_value();
    if (ip.is_private()) return SpecialRange::kPrivate;
    if (ip.is_cgnat()) return SpecialRange::kCarrierNat;
    if (in_v4(v, 0x7f000000, 8)) return SpecialRange::kLoopback;
    if (in_v4(v, 0xa9fe0000, 16)) return SpecialRange::kLinkLocal;
    if (in_v4(v, 0xe0000000, 4)) return SpecialRange::kMulticast;
    if (ip.is_documentation()) return SpecialRange::kDocumentation;
    if (in_v4(v, 0, 8) || in_v4(v, 0xf0000000, 4) || in_v4(v, 0xc0000000, 24) || in_v4(v, 0xc6120000, 15)) {
      return SpecialRange::kReserved;
    }
    return SpecialRange::kNone;
  }
  if (ip.high() == 0 && ip.low() == 0) return SpecialRange::kReserved;
  if (ip.high() == 0 && ip.low() == 1) return SpecialRange::kLoopback;
  if ((ip.bytes[0] & 0xfe) == 0xfc) return SpecialRange::kPrivate;
  if (ip.high() >> 54 == 0x3fa) return SpecialRange::kLinkLocal;  // fe80::/10
  if (ip.bytes[0] == 0xff) return SpecialRange::kMulticast;
  if (ip.is_documentation() || ip.high() >> 44 == 0x3fff0) return SpecialRange::kDocumentation;  // 3fff::/20
  return SpecialRange::kNone;
}

struct Networks::Mapping {
  const char* base = nullptr;
  std::size_t size = 0;
  std::string path;
  file::Header header;

  ~Mapping() {
    if (base != nullptr) munmap(const_cast<char*>(base), size);
  }
  template <typename T>
  std::span<const T> section(file::SectionId id) const {
    const file::Section& s = header.sections[id];
    return {reinterpret_cast<const T*>(base + s.offset), static_cast<std::size_t>(s.count)};
  }
};

Networks::Networks() : facts_(special_facts().data()), facts_count_(kSpecialRanges + 1) {}
Networks::~Networks() = default;

Networks::Networks(Networks&& other) noexcept : Networks() { *this = std::move(other); }

Networks& Networks::operator=(Networks&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(v4_, other.v4_);
  std::swap(blocks_, other.blocks_);
  std::swap(facts_, other.facts_);
  std::swap(text_, other.text_);
  std::swap(facts_count_, other.facts_count_);
  std::swap(blocks_words_, other.blocks_words_);
  std::swap(text_size_, other.text_size_);
  return *this;
}

std::string Networks::default_path() {
  if (const char* given = std::getenv("ORBWATCH_NETWORKS"); given != nullptr && *given != 0) return given;
  std::string cache;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != 0) {
    cache = xdg;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0) {
    cache = std::string(home) + "/.cache";
  } else {
    cache = "/var/cache";
  }
  return cache + "/orbwatch/networks.orbnet";
}

core::Expected<Networks> Networks::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return core::fail("cannot open the table of networks", path + ": " + std::strerror(errno),
                      "make it with `orbwatch intel build`, or fetch the free data set with tools/fetch-intel.sh");
  }
  struct stat status{};
  auto mapping = std::make_unique<Mapping>();
  mapping->path = path;
  const bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular || static_cast<std::size_t>(status.st_size) < sizeof(file::Header)) {
    ::close(fd);
    return core::fail("not a table of networks: too short", path, std::string(kRebuild));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* base = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  const int map_error = errno;
  ::close(fd);
  if (base == MAP_FAILED) return core::fail("cannot map the table of networks", path + ": " + std::strerror(map_error));
  mapping->base = static_cast<const char*>(base);
  mapping->size = size;
  std::memcpy(&mapping->header, base, sizeof(file::Header));
  const file::Header& header = mapping->header;

  if (std::memcmp(header.magic, file::kMagic, sizeof header.magic) != 0) {
    return core::fail("not a table of networks: wrong magic", path, std::string(kRebuild));
  }
  if (header.version != file::kVersion) {
    return core::fail(fmt::format("the table of networks has format version {}, this program reads {}", header.version,
                                  file::kVersion),
                      path, std::string(kRebuild));
  }
  if (header.header_bytes != sizeof(file::Header) || header.section_count != file::kSectionCount ||
      file::checksum(&header, offsetof(file::Header, header_checksum)) != header.header_checksum) {
    return core::fail("the header of the table of networks is damaged", path, std::string(kRebuild));
  }
  if (header.file_bytes != size) {
    return core::fail(fmt::format("the table of networks has {} bytes, its header says {}", size, header.file_bytes),
                      path, std::string(kRebuild));
  }
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    const file::Section& s = header.sections[i];
    if (s.element_bytes != file::kElementBytes[i] || s.offset % file::kAlignment != 0 || s.offset > size ||
        s.count > (size - s.offset) / s.element_bytes || s.count > UINT32_MAX) {
      return core::fail(fmt::format("section {} of the table of networks is out of bounds", i), path,
                        std::string(kRebuild));
    }
  }
  const auto count = [&](file::SectionId id) { return header.sections[id].count; };
  const bool sound = (count(file::kV4Top) == 0 || count(file::kV4Top) == std::uint64_t{1} << 24) &&
                     count(file::kFacts) > kSpecialRanges && count(file::kFacts) < file::kIsBlock &&
                     count(file::kV6Index) == file::kV6IndexSize + 1 &&
                     count(file::kV6Starts) == count(file::kV6Values);
  if (!sound) return core::fail("sections of the table of networks contradict each other", path, std::string(kRebuild));

  Networks out;
  if (count(file::kV4Top) != 0) out.v4_ = mapping->section<std::uint32_t>(file::kV4Top).data();
  out.blocks_ = mapping->section<std::uint32_t>(file::kV4Blocks).data();
  out.blocks_words_ = static_cast<std::uint32_t>(count(file::kV4Blocks));
  out.facts_ = mapping->section<NetworkFacts>(file::kFacts).data();
  out.facts_count_ = static_cast<std::uint32_t>(count(file::kFacts));
  out.text_ = mapping->section<char>(file::kText).data();
  out.text_size_ = static_cast<std::uint32_t>(count(file::kText));
  out.mapping_ = std::move(mapping);
  return out;
}

std::string_view Networks::text(std::uint32_t offset) const {
  if (offset == 0 || text_size_ < 2 || offset > text_size_ - 2) return {};
  std::uint16_t length;
  std::memcpy(&length, text_ + offset, 2);
  if (length > text_size_ - 2 - offset) return {};
  return {text_ + offset + 2, length};
}

namespace {

// Value of a run in a block; 0 if the block is damaged. Written to be compiled twice, with and without the popcnt
// instruction.
[[gnu::always_inline]] inline std::uint32_t block_value(const std::uint32_t* blocks, std::uint32_t words,
                                                        std::uint32_t entry, std::uint32_t octet) {
  const std::uint32_t at = entry & ~file::kIsBlock;
  if (at > words || words - at <= file::kBlockMapWords) return 0;
  std::uint64_t map[4];
  std::memcpy(map, blocks + at, sizeof map);
  // Bits 0..octet of the map, the words above it masked away: no branch depends on the address.
  std::uint32_t rank = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const int bits = std::clamp(static_cast<int>(octet) + 1 - static_cast<int>(i * 64), 0, 64);
    const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    rank += static_cast<std::uint32_t>(__builtin_popcountll(map[i] & mask));
  }
  const std::uint32_t value_at = at + file::kBlockMapWords + rank - 1;
  return rank != 0 && value_at < words ? blocks[value_at] : 0;
}

struct V4Table {
  const std::uint32_t* top;
  const std::uint32_t* blocks;
  std::uint32_t words;
  const NetworkFacts* facts;
  std::uint32_t facts_count;
};

constexpr std::size_t kInFlight = 32;

// Three waves over a group of addresses: each wave asks for the memory that the next one reads, so that some thirty
// cache misses are under way together instead of one.
[[gnu::always_inline]] inline void lookup_many(const V4Table& table, const std::uint32_t* ips, std::uint32_t* out,
                                               std::size_t count) {
  const std::size_t warm = std::min(count, kInFlight);
  for (std::size_t i = 0; i < warm; ++i) __builtin_prefetch(table.top + (ips[i] >> 8));
  for (std::size_t begin = 0; begin < count; begin += kInFlight) {
    const std::size_t end = std::min(count, begin + kInFlight);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t entry = table.top[ips[i] >> 8];
      out[i] = entry;
      if ((entry & file::kIsBlock) != 0) {
        __builtin_prefetch(table.blocks + std::min(entry & ~file::kIsBlock, table.words));
      } else {
        __builtin_prefetch(table.facts + std::min(entry, table.facts_count));
      }
    }
    for (std::size_t i = end; i < std::min(count, end + kInFlight); ++i) __builtin_prefetch(table.top + (ips[i] >> 8));
    for (std::size_t i = begin; i < end; ++i) {
      std::uint32_t value = out[i];
      if ((value & file::kIsBlock) != 0) {
        value = block_value(table.blocks, table.words, value, ips[i] & 0xff);
        __builtin_prefetch(table.facts + std::min(value, table.facts_count));
      }
      out[i] = value < table.facts_count ? value : 0;
    }
  }
}

void lookup_plain(const V4Table& table, const std::uint32_t* ips, std::uint32_t* out, std::size_t count) {
  lookup_many(table, ips, out, count);
}
#if defined(__x86_64__)
[[gnu::target("popcnt")]] void lookup_popcnt(const V4Table& table, const std::uint32_t* ips, std::uint32_t* out,
                                             std::size_t count) {
  lookup_many(table, ips, out, count);
}
const bool kHasPopcnt = __builtin_cpu_supports("popcnt") != 0;
#endif

}  // namespace

std::uint32_t Networks::lookup(const Ip& ip) const {
  if (!ip.is_v4()) return lookup_v6(ip);
  if (v4_ == nullptr) return static_cast<std::uint32_t>(special_range(ip));
  const std::uint32_t v4 = ip.v4_value();
  std::uint32_t value = v4_[v4 >> 8];
  if ((value & file::kIsBlock) != 0) value = block_value(blocks_, blocks_words_, value, v4 & 0xff);
  return value < facts_count_ ? value : 0;
}

void Networks::lookup_v4(std::span<const std::uint32_t> ips, std::span<std::uint32_t> out) const {
  const std::size_t count = std::min(ips.size(), out.size());
  if (v4_ == nullptr) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint32_t>(special_range(Ip::v4(ips[i])));
    return;
  }
  const V4Table table{v4_, blocks_, blocks_words_, facts_, facts_count_};
#if defined(__x86_64__)
  if (kHasPopcnt) return lookup_popcnt(table, ips.data(), out.data(), count);
#endif
  lookup_plain(table, ips.data(), out.data(), count);
}

void Networks::lookup(std::span<const Ip> ips, std::span<std::uint32_t> out) const {
  constexpr std::size_t kGroup = 256;
  std::array<std::uint32_t, kGroup> v4;
  std::array<std::uint32_t, kGroup> found;
  const std::size_t count = std::min(ips.size(), out.size());
  for (std::size_t begin = 0; begin < count; begin += kGroup) {
    const std::size_t size = std::min(kGroup, count - begin);
    bool others = false;
    for (std::size_t i = 0; i < size; ++i) {
      const bool is_v4 = ips[begin + i].is_v4();
      others |= !is_v4;
      v4[i] = is_v4 ? ips[begin + i].v4_value() : 0;
    }
    lookup_v4({v4.data(), size}, {found.data(), size});
    std::memcpy(out.data() + begin, found.data(), size * sizeof found[0]);
    if (!others) continue;
    for (std::size_t i = 0; i < size; ++i) {
      if (!ips[begin + i].is_v4()) out[begin + i] = lookup_v6(ips[begin + i]);
    }
  }
}

std::uint32_t Networks::lookup_v6(const Ip& ip) const {
  const std::uint64_t high = ip.high();
  if (mapping_ == nullptr) return ip.present() ? static_cast<std::uint32_t>(special_range(ip)) : 0;
  const auto starts = mapping_->section<std::uint64_t>(file::kV6Starts);
  std::size_t low = 0, top = starts.size();  // the last start <= high lies in [low, top)
  if (!ip.present() || starts.empty()) return 0;
  if (file::in_v6_index(high)) {
    const auto index = mapping_->section<std::uint32_t>(file::kV6Index);
    const std::uint32_t bucket = file::v6_bucket(high);
    const std::size_t first = index[bucket], last = index[bucket + 1];
    if (first > last || last > top) return 0;  // damaged
    low = first == 0 ? 0 : first - 1;
    top = last;
  }
  if (low >= top || starts[low] > high) return 0;
  // Branch-free halving: `low` always fulfils starts[low] <= high.
  const std::uint64_t* base = starts.data() + low;
  std::size_t size = top - low;
  while (size > 1) {
    const std::size_t half = size / 2;
    base = base[half] <= high ? base + half : base;
    size -= half;
  }
  const std::uint32_t value =
      mapping_->section<std::uint32_t>(file::kV6Values)[static_cast<std::size_t>(base - starts.data())];
  if ((value & file::kIsBlock) == 0) return value < facts_count_ ? value : 0;

  const auto details = mapping_->section<std::uint64_t>(file::kV6Details);
  const std::size_t at = value & ~file::kIsBlock;
  if (at >= details.size()) return 0;
  const std::uint64_t pairs = details[at];
  if (pairs == 0 || pairs > (details.size() - at - 1) / 2) return 0;
  const std::uint64_t* pair = details.data() + at + 1;
  // A start below this address's first half: all of the detail lies before the address, its last range goes on.
  const std::uint64_t last_half = *base == high ? ip.low() : UINT64_MAX;
  std::size_t left = 0, right = static_cast<std::size_t>(pairs);
  while (right - left > 1) {
    const std::size_t middle = (left + right) / 2;
    (pair[2 * middle] <= last_half ? left : right) = middle;
  }
  const std::uint64_t found = pair[2 * left + 1];
  return found < facts_count_ ? static_cast<std::uint32_t>(found) : 0;
}

std::vector<TypeClaim> Networks::claims(std::uint32_t index) const {
  std::vector<TypeClaim> out;
  if (index > 0 && index <= kSpecialRanges) {
    if (const char* says = special_says(static_cast<SpecialRange>(index)); says != nullptr) {
      out.push_back({special_facts()[index].type, TypeSource::kSpecialRange, kWeightSpecialRange, says});
    }
    return out;
  }
  if (mapping_ == nullptr) return out;
  const auto sets = mapping_->section<std::uint32_t>(file::kClaimSets);
  const auto claims = mapping_->section<file::Claim>(file::kClaims);
  const std::uint32_t at = facts(index).claims;
  if (at >= sets.size() || sets[at] > sets.size() - at - 1) return out;
  for (std::uint32_t i = 0; i < sets[at]; ++i) {
    const std::uint32_t which = sets[at + 1 + i];
    if (which >= claims.size() || claims[which].type >= core::kNetworkTypes) continue;
    const file::Claim& claim = claims[which];
    out.push_back({static_cast<NetworkType>(claim.type), static_cast<TypeSource>(claim.source), claim.weight,
                   std::string(text(claim.says))});
  }
  return out;
}

namespace {

const file::System* find_system(std::span<const file::System> systems, std::uint32_t asn) {
  const auto at = std::lower_bound(systems.begin(), systems.end(), asn,
                                   [](const file::System& s, std::uint32_t wanted) { return s.asn < wanted; });
  return at != systems.end() && at->asn == asn ? &*at : nullptr;
}

const file::Country* find_country(std::span<const file::Country> countries, std::uint16_t country) {
  const auto at = std::lower_bound(countries.begin(), countries.end(), country,
                                   [](const file::Country& c, std::uint16_t wanted) { return c.country < wanted; });
  return at != countries.end() && at->country == country ? &*at : nullptr;
}

double share(std::uint64_t part, std::uint64_t whole) {
  // A damaged table may hold anything; the promise is 0..1.
  return whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

std::uint64_t typed(const file::Country& country) {
  std::uint64_t sum = 0;
  for (int t = 1; t < core::kNetworkTypes; ++t) sum += country.by_type[t];
  return sum;
}

}  // namespace

std::string_view Networks::name_of_as(std::uint32_t asn) const {
  if (mapping_ == nullptr) return {};
  const file::System* system = find_system(mapping_->section<file::System>(file::kSystems), asn);
  return system == nullptr ? std::string_view{} : text(system->name);
}

std::vector<std::uint32_t> Networks::as_numbers() const {
  std::vector<std::uint32_t> out;
  if (mapping_ == nullptr) return out;
  for (const file::System& system : mapping_->section<file::System>(file::kSystems)) out.push_back(system.asn);
  return out;
}

double Networks::as_share(std::uint32_t asn) const {
  if (mapping_ == nullptr) return 0;
  const file::System* system = find_system(mapping_->section<file::System>(file::kSystems), asn);
  const file::Country* world = find_country(mapping_->section<file::Country>(file::kCountries), 0);
  return system == nullptr || world == nullptr ? 0 : share(system->v4_addresses, world->announced);
}

double Networks::as_share_in_country(std::uint32_t asn, std::uint16_t country) const {
  if (mapping_ == nullptr || country == 0) return 0;
  const auto rows = mapping_->section<file::SystemInCountry>(file::kSystemsInCountry);
  const auto at =
      std::lower_bound(rows.begin(), rows.end(), std::pair<std::uint32_t, std::uint32_t>(country, asn),
                       [](const file::SystemInCountry& row, const std::pair<std::uint32_t, std::uint32_t>& wanted) {
                         return std::pair(row.country, row.asn) < wanted;
                       });
  const file::Country* whole = find_country(mapping_->section<file::Country>(file::kCountries), country);
  if (at == rows.end() || at->country != country || at->asn != asn || whole == nullptr) return 0;
  return share(at->v4_addresses, whole->announced);
}

double Networks::country_share(std::uint16_t country) const {
  if (mapping_ == nullptr || country == 0) return 0;
  const auto countries = mapping_->section<file::Country>(file::kCountries);
  const file::Country* row = find_country(countries, country);
  const file::Country* world = find_country(countries, 0);
  return row == nullptr || world == nullptr ? 0 : share(row->v4_addresses, world->v4_addresses);
}

double Networks::type_share(NetworkType type) const { return type_share_in_country(type, 0); }

double Networks::type_share_in_country(NetworkType type, std::uint16_t country) const {
  const auto t = static_cast<std::size_t>(type);
  if (mapping_ == nullptr || t == 0 || t >= core::kNetworkTypes) return 0;
  const auto countries = mapping_->section<file::Country>(file::kCountries);
  const file::Country* row = find_country(countries, country);
  if (row == nullptr || typed(*row) == 0) row = find_country(countries, 0);
  return row == nullptr ? 0 : share(row->by_type[t], typed(*row));
}

NetworksInfo Networks::info() const {
  NetworksInfo out;
  out.facts = facts_count_;
  if (mapping_ == nullptr) return out;
  const file::Header& header = mapping_->header;
  out.built = header.built;
  out.version = header.version;
  out.file_bytes = header.file_bytes;
  out.v6_ranges = header.sections[file::kV6Starts].count;
  out.systems = header.sections[file::kSystems].count;
  if (v4_ != nullptr) {
    out.v4_blocks = static_cast<std::uint64_t>(
        std::count_if(v4_, v4_ + (std::size_t{1} << 24), [](std::uint32_t e) { return (e & file::kIsBlock) != 0; }));
  }
  for (const file::Source& source : mapping_->section<file::Source>(file::kSources)) {
    out.sources.push_back({std::string(text(source.name)), std::string(text(source.kind)),
                           std::string(text(source.version)), std::string(text(source.attribution)), source.records});
  }
  return out;
}

std::string Networks::info_text() const {
  if (mapping_ == nullptr) return "no table of networks: only special address ranges are known\n";
  const NetworksInfo i = info();
  std::string out = fmt::format(
      "table of networks  {}\nbuilt              {}\nformat version     {}\nsize               {:.1f} MiB\nfacts       "
      "       {}\n"
      "AS numbers         {}\nmixed IPv4 /24     {}\nIPv6 ranges        {}\n\nsources\n",
      mapping_->path, i.built == 0 ? "unknown" : core::rfc3339(i.built), i.version,
      static_cast<double>(i.file_bytes) / (1 << 20), i.facts, i.systems, i.v4_blocks, i.v6_ranges);
  std::vector<std::string> owed;
  for (const SourceInfo& source : i.sources) {
    out += fmt::format("  {:<28} {:<12} {:>9} records  {}\n", source.name, source.kind, source.records, source.version);
    if (!source.attribution.empty() && std::find(owed.begin(), owed.end(), source.attribution) == owed.end()) {
      owed.push_back(source.attribution);
    }
  }
  if (!owed.empty()) out += "\nattribution\n";
  for (const std::string& line : owed) out += "  " + line + "\n";
  return out;
}

core::Expected<void> Networks::verify() const {
  if (mapping_ == nullptr) return {};
  const Mapping& m = *mapping_;
  const auto damaged = [&](std::string_view what) {
    return core::fail("the table of networks is damaged: " + std::string(what), m.path, std::string(kRebuild));
  };
  if (file::checksum(m.base + file::kAlignment, m.size - std::min<std::size_t>(m.size, file::kAlignment)) !=
      m.header.body_checksum) {
    return damaged("checksum");
  }
  const auto value_ok = [&](std::uint32_t value) { return value < facts_count_; };
  if (v4_ != nullptr) {
    for (std::size_t i = 0; i < std::size_t{1} << 24; ++i) {
      const std::uint32_t entry = v4_[i];
      if ((entry & file::kIsBlock) == 0) {
        if (!value_ok(entry)) return damaged("an IPv4 entry");
        continue;
      }
      const std::uint32_t at = entry & ~file::kIsBlock;
      if (at > blocks_words_ || blocks_words_ - at <= file::kBlockMapWords || (blocks_[at] & 1) == 0)
        return damaged("an IPv4 block");
      std::uint32_t runs = 0;
      for (std::uint32_t w = 0; w < file::kBlockMapWords; ++w)
        runs += static_cast<std::uint32_t>(std::popcount(blocks_[at + w]));
      if (runs > blocks_words_ - at - file::kBlockMapWords) return damaged("an IPv4 block");
      for (std::uint32_t r = 0; r < runs; ++r) {
        if (!value_ok(blocks_[at + file::kBlockMapWords + r])) return damaged("an IPv4 block");
      }
    }
  }
  const auto starts = m.section<std::uint64_t>(file::kV6Starts);
  const auto values = m.section<std::uint32_t>(file::kV6Values);
  const auto details = m.section<std::uint64_t>(file::kV6Details);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (i > 0 && starts[i - 1] >= starts[i]) return damaged("order of IPv6 ranges");
    if ((values[i] & file::kIsBlock) == 0) {
      if (!value_ok(values[i])) return damaged("an IPv6 range");
      continue;
    }
    const std::size_t at = values[i] & ~file::kIsBlock;
    if (at >= details.size() || details[at] == 0 || details[at] > (details.size() - at - 1) / 2)
      return damaged("an IPv6 range");
  }
  const auto index = m.section<std::uint32_t>(file::kV6Index);
  for (std::size_t b = 1; b < index.size(); ++b) {
    if (index[b - 1] > index[b] || index[b] > starts.size()) return damaged("index of IPv6 ranges");
  }
  const auto text_ok = [&](std::uint32_t offset) { return offset == 0 || text(offset).data() != nullptr; };
  const auto sets = m.section<std::uint32_t>(file::kClaimSets);
  for (std::uint32_t i = 0; i < facts_count_; ++i) {
    const NetworkFacts& f = facts_[i];
    if (!text_ok(f.as_name) || !text_ok(f.city) || !text_ok(f.region) ||
        static_cast<int>(f.type) >= core::kNetworkTypes || f.claims >= sets.size()) {
      return damaged("facts");
    }
  }
  return {};
}

}  // namespace orbwatch::intel
