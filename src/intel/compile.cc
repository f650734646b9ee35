#include "intel/compile.h"

#include <absl/container/flat_hash_map.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "core/symbol.h"
#include "core/text.h"
#include "intel/csv.h"
#include "intel/embedded.h"
#include "intel/mmdb.h"
#include "intel/networks_file.h"

namespace orbwatch::intel {
namespace {

__extension__ typedef unsigned __int128 u128;

constexpr std::size_t kLongestInput = std::size_t{4} << 30;

u128 number_of(const Ip& ip) { return u128{ip.high()} << 64 | ip.low(); }
constexpr u128 kV4First = u128{0xffff} << 32;
constexpr u128 kV4Last = kV4First | 0xffff'ffff;

// ----------------------------------------------------------------------------------------------------------------
// layers

// One source's word about the address space: a value holds from `start` to the next run; 0 = says nothing.
struct Run {
  u128 start;
  std::uint32_t value;
};
using Layer = std::vector<Run>;

// Sorts, keeps the last of equal starts, joins neighbours of equal value.
void tidy(Layer& layer) {
  std::stable_sort(layer.begin(), layer.end(), [](const Run& a, const Run& b) { return a.start < b.start; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    if (i + 1 < layer.size() && layer[i + 1].start == layer[i].start) continue;
    if (kept > 0 && layer[kept - 1].value == layer[i].value) continue;
    if (kept == 0 && layer[i].value == 0) continue;
    layer[kept++] = layer[i];
  }
  layer.resize(kept);
}

struct Range {
  u128 first;
  u128 last;
  std::uint32_t value;
};

// Ranges may nest and overlap: the one that begins later (of equal beginnings: the shorter, then the later given) wins.
Layer flatten(std::vector<Range> ranges) {
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  Layer layer;
  std::vector<Range> open;
  const auto close_until = [&](u128 limit, bool all) {
    while (!open.empty() && (all || open.back().last < limit)) {
      const u128 last = open.back().last;
      open.pop_back();
      // What was open underneath goes on, if it has not ended meanwhile.
      while (!open.empty() && open.back().last <= last) open.pop_back();
      if (last != ~u128{0}) layer.push_back({last + 1, open.empty() ? 0 : open.back().value});
    }
  };
  for (const Range& range : ranges) {
    close_until(range.first, false);
    layer.push_back({range.first, range.value});
    open.push_back(range);
  }
  close_until(0, true);
  tidy(layer);
  return layer;
}

// ----------------------------------------------------------------------------------------------------------------
// builder

class Builder {
 public:
  Builder(const BuildOptions& options, const std::function<void(std::string_view)>& progress)
      : options_(options), progress_(progress) {}

  core::Expected<BuildReport> run();

 private:
  // A state of knowledge while layers are laid over each other; facts.claims is an index into extras_.
  struct Entry {
    NetworkFacts facts;
  };
  using Apply = std::function<void(NetworkFacts&, std::uint32_t value)>;

  void say(const std::string& line) const {
    if (progress_) progress_(line);
  }
  std::uint32_t text(std::string_view value);
  std::uint32_t claim(const TypeClaim& c);
  std::uint32_t extra_with(std::uint32_t extra, const std::vector<std::uint32_t>& more);
  void reject(const std::string& file, std::size_t line, std::string_view text_seen);

  core::Expected<void> add_mmdb(const std::string& path);
  core::Expected<void> add_as_csv(const std::string& path);
  core::Expected<void> add_user_list(const TypeListFile& list);
  // `shipped` lists weigh less than lists of the user.
  std::uint64_t add_list(std::string_view content, const std::string& file, NetworkType type, const std::string& label,
                         bool shipped);
  void add_documentation();
  void add_special();
  void merge();
  void lay(const Layer& layer, const Apply& apply);
  void finish_facts();
  void count_shares();
  void build_v4();
  core::Expected<void> build_v6();
  core::Expected<void> write();

  const BuildOptions& options_;
  const std::function<void(std::string_view)>& progress_;
  BuildReport report_;

  struct Laid {
    Layer layer;
    Apply apply;
  };
  std::vector<Laid> laid_;

  std::string text_ = std::string(2, '\0');  // offset 0: the empty string
  absl::flat_hash_map<std::string, std::uint32_t> text_at_;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> as_names_;  // asn -> text
  std::vector<TypeClaim> claims_;
  absl::flat_hash_map<std::string, std::uint32_t> claim_at_;
  std::vector<std::vector<std::uint32_t>> extras_{{}};  // sets of claims that prefixes carry; sorted
  absl::flat_hash_map<std::string, std::uint32_t> extra_at_;
  absl::flat_hash_map<std::uint32_t, std::vector<std::uint32_t>> as_claims_;  // by lists of AS numbers

  std::vector<NetworkFacts> entries_{NetworkFacts{}};
  std::vector<Run> merged_{{0, 0}};  // values are entries, later facts
  std::vector<std::uint32_t> claim_sets_{0};

  std::vector<NetworkFacts> facts_;
  std::vector<std::uint32_t> v4_top_;
  std::vector<std::uint32_t> v4_blocks_;
  std::vector<std::uint32_t> v6_index_;
  std::vector<std::uint64_t> v6_starts_;
  std::vector<std::uint32_t> v6_values_;
  std::vector<std::uint64_t> v6_details_;
  std::vector<file::System> systems_;
  std::vector<file::SystemInCountry> systems_in_country_;
  std::vector<file::Country> countries_;
};

std::uint32_t Builder::text(std::string_view value) {
  if (value.empty()) return 0;
  value = value.substr(0, 1000);
  const auto [at, is_new] = text_at_.try_emplace(std::string(value), static_cast<std::uint32_t>(text_.size()));
  if (is_new) {
    const auto length = static_cast<std::uint16_t>(value.size());
    text_.append(reinterpret_cast<const char*>(&length), 2);
    text_ += value;
  }
  return at->second;
}

std::uint32_t Builder::claim(const TypeClaim& c) {
  const std::string key =
      fmt::format("{} {} {} {}", static_cast<int>(c.type), static_cast<int>(c.source), c.weight, c.says);
  const auto [at, is_new] = claim_at_.try_emplace(key, static_cast<std::uint32_t>(claims_.size()));
  if (is_new) claims_.push_back(c);
  return at->second;
}

std::uint32_t Builder::extra_with(std::uint32_t extra, const std::vector<std::uint32_t>& more) {
  std::vector<std::uint32_t> set = extras_[extra];
  set.insert(set.end(), more.begin(), more.end());
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  const std::string key(reinterpret_cast<const char*>(set.data()), set.size() * sizeof set[0]);
  if (key.empty()) return 0;
  const auto [at, is_new] = extra_at_.try_emplace(key, static_cast<std::uint32_t>(extras_.size()));
  if (is_new) extras_.push_back(std::move(set));
  return at->second;
}

void Builder::reject(const std::string& file, std::size_t line, std::string_view seen) {
  if (report_.rejected_lines++ == 0) {
    report_.first_rejected = fmt::format("{}:{}: {}", file, line, core::printable(seen, 80));
  }
}

core::Expected<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (fd < 0 || fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
    const int error = fd >= 0 && S_ISDIR(status.st_mode) ? EISDIR : errno;
    if (fd >= 0) ::close(fd);
    return core::fail("cannot read the file", path + ": " + std::strerror(error));
  }
  std::string content;
  content.reserve(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)));
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || content.size() + static_cast<std::size_t>(got) > kLongestInput) {
      const std::string why = got < 0 ? std::strerror(errno) : "longer than 4 GiB";
      ::close(fd);
      return core::fail("cannot read the file", fmt::format("{}: {}", path, why));
    }
    if (got == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return content;
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

// What is owed for inputs that are known by what they say of themselves or by their place in an npm package.
std::string attribution_of(std::string_view name, bool as_numbers) {
  if (as_numbers) {
    return "AS numbers: RouteViews (https://www.routeviews.org), RIPE RIS and IP Geolocation by DB-IP "
           "(https://db-ip.com), merged by ip-location-db, CC BY 4.0";
  }
  if (core::contains_ignore_case(name, "dbip") || core::contains_ignore_case(name, "city ipv")) {
    return "IP Geolocation by DB-IP (https://db-ip.com), packaged by ip-location-db, CC BY 4.0";
  }
  if (core::contains_ignore_case(name, "geolite")) {
    return "This product includes GeoLite data created by MaxMind, available from https://www.maxmind.com";
  }
  return {};
}

core::Expected<void> Builder::add_mmdb(const std::string& path) {
  say("reading " + path);
  Layer layer;
  auto records = std::make_shared<std::vector<NetworkFacts>>(1);  // by id; claims: extra
  const auto info = read_mmdb(
      path,
      [&](std::uint32_t, MmdbFacts&& m) {
        NetworkFacts f;
        f.asn = m.asn;
        f.city = text(m.city);
        f.region = text(m.region);
        f.country = m.country;
        f.latitude = m.latitude;
        f.longitude = m.longitude;
        if (m.asn != 0 && !m.as_name.empty()) as_names_[m.asn] = text(m.as_name);
        std::vector<std::uint32_t> claims;
        claims.reserve(m.claims.size());
        for (const TypeClaim& c : m.claims) claims.push_back(claim(c));
        f.claims = extra_with(0, claims);
        records->push_back(f);
      },
      [&](const Ip& first, std::uint32_t id) { layer.push_back({number_of(first), id}); });
  if (!info) return std::unexpected(info.error());
  if (info->records == 0) {
    return core::fail("the MMDB file has no field that this program knows", path + " (" + info->database_type + ")",
                      "use a city, country, ASN, ISP, connection-type or anonymous-IP file");
  }
  // A tree of one family says nothing about the other.
  layer.push_back({0, 0});
  tidy(layer);
  const auto past_v4 =
      std::lower_bound(layer.begin(), layer.end(), kV4Last + 1, [](const Run& r, u128 at) { return r.start < at; });
  if (past_v4 != layer.begin() && (past_v4 == layer.end() || past_v4->start != kV4Last + 1) &&
      (past_v4 - 1)->start >= kV4First) {
    layer.insert(past_v4, {kV4Last + 1, 0});
  }
  laid_.push_back({std::move(layer), [this, records](NetworkFacts& f, std::uint32_t value) {
                     const NetworkFacts& r = (*records)[value];
                     if (r.asn != 0) f.asn = r.asn;
                     // Place is taken over as a whole: a city of one file must not stand in the country of another.
                     if (r.country != 0 && (r.city != 0 || r.country != f.country)) {
                       f.country = r.country;
                       f.city = r.city;
                       f.region = r.region;
                       f.latitude = r.latitude;
                       f.longitude = r.longitude;
                     } else if (r.country == 0 && (r.city != 0 || r.located())) {
                       if (r.city != 0) f.city = r.city;
                       if (r.region != 0) f.region = r.region;
                       if (r.located()) {
                         f.latitude = r.latitude;
                         f.longitude = r.longitude;
                       }
                     } else if (f.city == 0 && r.located() && !f.located()) {
                       f.latitude = r.latitude;
                       f.longitude = r.longitude;
                     }
                     if (r.claims != 0) f.claims = extra_with(f.claims, extras_[r.claims]);
                   }});
  SourceInfo source;
  source.name = file_name(path);
  source.kind = "mmdb";
  source.version = info->database_type;
  if (!options_.place_version.empty()) source.version += ", version " + options_.place_version;
  if (info->build_seconds > 0 && info->build_seconds < 9'000'000'000) {
    source.version += ", built " + core::date_text(info->build_seconds * core::kSecond);
  }
  source.attribution = attribution_of(source.name + " " + info->database_type, false);
  source.records = info->networks;
  report_.sources.push_back(std::move(source));
  return {};
}

// An address as the CSV files have it: dotted, RFC 5952, or a decimal number (up to 32 bits with `v4`, else 128).
std::optional<u128> parse_address(std::string_view field, bool decimal_v4) {
  if (const auto ip = Ip::parse(field)) return number_of(*ip);
  if (field.empty() || field.size() > 39) return std::nullopt;
  u128 value = 0;
  for (const char c : field) {
    if (c < '0' || c > '9') return std::nullopt;
    const u128 next = value * 10 + static_cast<unsigned>(c - '0');
    if (next / 10 != value) return std::nullopt;  // overflow
    value = next;
  }
  return decimal_v4 ? kV4First | value : value;
}

core::Expected<void> Builder::add_as_csv(const std::string& path) {
  say("reading " + path);
  const auto content = read_file(path);
  if (!content) return std::unexpected(content.error());
  std::vector<Range> ranges;
  std::string_view rest = *content;
  const std::string file = file_name(path);
  std::size_t number = 0;
  absl::flat_hash_map<std::uint32_t, bool> named;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    const std::string_view whole = line;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::string_view first_text = take_field(line);
    const std::string_view last_text = take_field(line);
    std::string_view asn_text = take_field(line);
    if (asn_text.starts_with("AS")) asn_text.remove_prefix(2);
    const auto asn = core::parse_number<std::uint32_t>(asn_text);
    // Decimal numbers up to 2^32 - 1 at both ends are IPv4: no IPv6 network that is in use lies below ::1:0:0.
    const bool v4 = last_text.size() <= 10 && core::parse_number<std::uint32_t>(last_text).has_value();
    const auto first = parse_address(first_text, v4), last = parse_address(last_text, v4);
    const bool mixed =
        first && last && (*first >= kV4First && *first <= kV4Last) != (*last >= kV4First && *last <= kV4Last);
    if (!asn || !first || !last || *first > *last || mixed) {
      if (number > 1) reject(file, number, whole);  // the first line may be a head
      continue;
    }
    if (*asn == 0) continue;
    if (const std::string as_name = core::printable(unquoted(take_field(line)), 120); !as_name.empty()) {
      as_names_[*asn] = text(as_name);
    }
    ranges.push_back({*first, *last, *asn});
  }
  if (ranges.empty()) {
    return core::fail("no range of addresses in the AS file", path, "lines of start,end,asn,name are expected");
  }
  SourceInfo source{file, "as csv", options_.as_version.empty() ? std::string() : "version " + options_.as_version,
                    attribution_of(file, file.starts_with("asn-ipv")), ranges.size()};
  if (!file.starts_with("asn-ipv")) source.attribution.clear();
  report_.sources.push_back(std::move(source));
  laid_.push_back({flatten(std::move(ranges)), [](NetworkFacts& f, std::uint32_t asn) { f.asn = asn; }});
  return {};
}

std::uint64_t Builder::add_list(std::string_view content, const std::string& file, NetworkType type,
                                const std::string& label, bool shipped) {
  const auto make = [&](TypeSource source, float weight) {
    return claim({type, shipped ? source : TypeSource::kUserList, shipped ? weight : kWeightUserList, "list " + label});
  };
  std::vector<Range> ranges;
  std::uint64_t records = 0;
  std::size_t number = 0;
  while (!content.empty()) {
    std::string_view line = take_line(content);
    const std::string_view whole = line;
    ++number;
    line = core::trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    std::string_view item = take_field(line);
    item = item.substr(0, item.find_first_of(" \t"));
    std::string_view digits = item;
    if (digits.starts_with("AS") || digits.starts_with("as")) digits.remove_prefix(2);
    if (const auto asn = core::parse_number<std::uint32_t>(digits)) {
      as_claims_[*asn].push_back(make(TypeSource::kAsList, kWeightAsList));
    } else if (const auto prefix = core::Prefix::parse(item)) {
      const u128 first = number_of(prefix->base);
      const int host_bits = (prefix->base.is_v4() ? 32 : 128) - prefix->bits;
      const u128 size_minus_1 = host_bits == 128 ? ~u128{0} : (u128{1} << host_bits) - 1;
      ranges.push_back({first, first + size_minus_1, 1});
    } else {
      if (number > 1) reject(file, number, whole);
      continue;
    }
    ++records;
  }
  if (!ranges.empty()) {
    const std::vector<std::uint32_t> claims{make(TypeSource::kPrefixList, kWeightPrefixList)};
    laid_.push_back({flatten(std::move(ranges)),
                     [this, claims](NetworkFacts& f, std::uint32_t) { f.claims = extra_with(f.claims, claims); }});
  }
  return records;
}

core::Expected<void> Builder::add_user_list(const TypeListFile& list) {
  say("reading " + list.path);
  const auto content = read_file(list.path);
  if (!content) return std::unexpected(content.error());
  const std::string file = file_name(list.path);
  const std::uint64_t records = add_list(*content, file, list.type, list.label.empty() ? file : list.label, false);
  if (records == 0) {
    return core::fail("no AS number and no prefix in the list", list.path, "one a line: AS64500 or 192.0.2.0/24");
  }
  report_.sources.push_back({file, "user list", std::string(core::name(list.type)), {}, records});
  return {};
}

std::vector<Range> special_prefixes(std::initializer_list<std::pair<const char*, SpecialRange>> list) {
  std::vector<Range> out;
  for (const auto& [prefix_text, which] : list) {
    const auto prefix = core::Prefix::parse(prefix_text);
    const int host_bits = (prefix->base.is_v4() ? 32 : 128) - prefix->bits;
    const u128 first = number_of(prefix->base);
    out.push_back({first, first + ((u128{1} << host_bits) - 1), static_cast<std::uint32_t>(which)});
  }
  return out;
}

// The lowest layer: a source that knows something of a documentation range (an example, a test) is heard.
void Builder::add_documentation() {
  laid_.push_back({flatten(special_prefixes({{"192.0.2.0/24", SpecialRange::kDocumentation},
                                             {"198.51.100.0/24", SpecialRange::kDocumentation},
                                             {"203.0.113.0/24", SpecialRange::kDocumentation},
                                             {"2001:db8::/32", SpecialRange::kDocumentation},
                                             {"3fff::/20", SpecialRange::kDocumentation},
                                             {"198.18.0.0/15", SpecialRange::kReserved},
                                             {"192.0.0.0/24", SpecialRange::kReserved}})),
                   [](NetworkFacts& f, std::uint32_t which) { f.claims = UINT32_MAX - which; }});
}

// The highest layer: nobody announces these.
void Builder::add_special() {
  laid_.push_back({flatten(special_prefixes({{"10.0.0.0/8", SpecialRange::kPrivate},
                                             {"172.16.0.0/12", SpecialRange::kPrivate},
                                             {"192.168.0.0/16", SpecialRange::kPrivate},
                                             {"fc00::/7", SpecialRange::kPrivate},
                                             {"100.64.0.0/10", SpecialRange::kCarrierNat},
                                             {"127.0.0.0/8", SpecialRange::kLoopback},
                                             {"::1/128", SpecialRange::kLoopback},
                                             {"169.254.0.0/16", SpecialRange::kLinkLocal},
                                             {"fe80::/10", SpecialRange::kLinkLocal},
                                             {"224.0.0.0/4", SpecialRange::kMulticast},
                                             {"ff00::/8", SpecialRange::kMulticast},
                                             {"0.0.0.0/8", SpecialRange::kReserved},
                                             {"240.0.0.0/4", SpecialRange::kReserved}})),
                   [](NetworkFacts& f, std::uint32_t which) {
                     f = NetworkFacts{};
                     f.claims = UINT32_MAX - which;
                   }});
}

// Lays one layer over what is merged so far. Equal (state, value) pairs give one new state.
void Builder::lay(const Layer& layer, const Apply& apply) {
  std::vector<Run> out;
  out.reserve(merged_.size() + layer.size());
  absl::flat_hash_map<std::uint64_t, std::uint32_t> states;
  absl::flat_hash_map<std::string, std::uint32_t> same;  // bytes of the facts -> entry
  std::size_t a = 0, b = 0;
  std::uint32_t below = 0, value = 0;
  while (a < merged_.size() || b < layer.size()) {
    u128 at;
    if (b >= layer.size() || (a < merged_.size() && merged_[a].start <= layer[b].start)) {
      at = merged_[a].start;
    } else {
      at = layer[b].start;
    }
    if (a < merged_.size() && merged_[a].start == at) below = merged_[a++].value;
    if (b < layer.size() && layer[b].start == at) value = layer[b++].value;
    std::uint32_t state = below;
    if (value != 0) {
      const auto [found, is_new] = states.try_emplace(std::uint64_t{below} << 32 | value, 0);
      if (is_new) {
        NetworkFacts f = entries_[below];
        // A documentation range about which somebody knows something is an ordinary network.
        if (f.claims > UINT32_MAX - 100) f.claims = 0;
        apply(f, value);
        entries_.push_back(f);
        found->second = static_cast<std::uint32_t>(entries_.size() - 1);
      }
      state = found->second;
    }
    if (out.empty() || out.back().value != state) out.push_back({at, state});
  }
  merged_ = std::move(out);
}

void Builder::merge() {
  for (Laid& laid : laid_) {
    lay(laid.layer, laid.apply);
    Layer().swap(laid.layer);
  }
}

struct FactsBytes {
  NetworkFacts facts;
  friend bool operator==(const FactsBytes& a, const FactsBytes& b) {
    // Equal is what has equal bytes in the file; two zeros that differ in sign may stand there twice.
    return std::memcmp(&a.facts, &b.facts, sizeof a.facts) == 0;  // NOLINT(bugprone-suspicious-memory-comparison)
  }
  template <typename H>
  friend H AbslHashValue(H h, const FactsBytes& f) {
    return H::combine_contiguous(std::move(h), reinterpret_cast<const unsigned char*>(&f.facts), sizeof f.facts);
  }
};

// States to facts: claims of the AS join those of the prefix, the type is decided, equal facts fold.
void Builder::finish_facts() {
  const Networks special;
  for (std::uint32_t i = 0; i <= kSpecialRanges; ++i) facts_.push_back(special.facts(i));

  absl::flat_hash_map<std::uint32_t, const CuratedAs*> curated;
  if (options_.shipped_lists) {
    for (const CuratedAs& row : curated_as()) curated[row.asn] = &row;
  }
  absl::flat_hash_map<std::uint32_t, std::uint32_t> claims_of_as;  // asn -> extra
  const auto as_extra = [&](std::uint32_t asn) {
    const auto [at, is_new] = claims_of_as.try_emplace(asn, 0);
    if (!is_new) return at->second;
    std::vector<std::uint32_t> set;
    if (const auto name_at = as_names_.find(asn); name_at != as_names_.end()) {
      std::uint16_t length;
      std::memcpy(&length, text_.data() + name_at->second, 2);
      for (const TypeClaim& c : claims_by_name({text_.data() + name_at->second + 2, length})) set.push_back(claim(c));
    }
    if (const auto row = curated.find(asn); row != curated.end()) {
      set.push_back(claim({row->second->type, TypeSource::kCurated, kWeightCurated, "curated AS numbers"}));
    }
    if (const auto listed = as_claims_.find(asn); listed != as_claims_.end()) {
      set.insert(set.end(), listed->second.begin(), listed->second.end());
    }
    return claims_of_as[asn] = extra_with(0, set);
  };

  struct Decided {
    std::uint32_t set_offset;
    TypeDecision decision;
  };
  absl::flat_hash_map<std::uint32_t, Decided> decided;  // extra -> claim set on disk
  const auto decide = [&](std::uint32_t extra) -> const Decided& {
    const auto [at, is_new] = decided.try_emplace(extra, Decided{});
    if (is_new && extra != 0) {
      std::vector<TypeClaim> list;
      at->second.set_offset = static_cast<std::uint32_t>(claim_sets_.size());
      claim_sets_.push_back(static_cast<std::uint32_t>(extras_[extra].size()));
      for (const std::uint32_t c : extras_[extra]) {
        claim_sets_.push_back(c);
        list.push_back(claims_[c]);
      }
      at->second.decision = decide_type(list);
    }
    return at->second;
  };

  absl::flat_hash_map<FactsBytes, std::uint32_t> index_of;
  index_of.emplace(FactsBytes{NetworkFacts{}}, 0);
  std::vector<std::uint32_t> facts_of(entries_.size(), UINT32_MAX);
  std::size_t kept = 0;
  for (const Run& run : merged_) {
    std::uint32_t& index = facts_of[run.value];
    if (index == UINT32_MAX) {
      NetworkFacts f = entries_[run.value];
      if (f.claims > UINT32_MAX - 100) {
        index = UINT32_MAX - f.claims;  // a special range
      } else {
        if (f.asn != 0) {
          const auto name_at = as_names_.find(f.asn);
          f.as_name = name_at == as_names_.end() ? 0 : name_at->second;
          f.claims = extra_with(f.claims, extras_[as_extra(f.asn)]);
        }
        const Decided& d = decide(f.claims);
        f.claims = d.set_offset;
        f.type = d.decision.type;
        f.type_sources = d.decision.sources;
        const auto [at, is_new] = index_of.try_emplace(FactsBytes{f}, static_cast<std::uint32_t>(facts_.size()));
        if (is_new) facts_.push_back(f);
        index = at->second;
      }
    }
    if (kept > 0 && merged_[kept - 1].value == index) continue;
    merged_[kept++] = {run.start, index};
  }
  merged_.resize(kept);
}

void Builder::count_shares() {
  absl::flat_hash_map<std::uint32_t, std::uint64_t> by_as;
  absl::flat_hash_map<std::uint64_t, std::uint64_t> by_country_as;
  absl::flat_hash_map<std::uint32_t, file::Country> by_country;
  by_country[0] = {};
  for (const auto& [asn, name_at] : as_names_) by_as[asn] = 0;
  for (std::size_t i = 0; i < merged_.size(); ++i) {
    const u128 begin = std::max(merged_[i].start, kV4First);
    const u128 end = i + 1 < merged_.size() ? std::min(merged_[i + 1].start, kV4Last + 1) : kV4Last + 1;
    const NetworkFacts& f = facts_[merged_[i].value];
    if (f.asn != 0) by_as.try_emplace(f.asn, 0);
    if (begin >= end || merged_[i].value <= kSpecialRanges) continue;
    const auto addresses = static_cast<std::uint64_t>(end - begin);
    const auto type = static_cast<std::size_t>(f.type);
    by_country[0].v4_addresses += addresses;
    by_country[0].by_type[type] += addresses;
    if (f.asn != 0) {
      by_as[f.asn] += addresses;
      by_country[0].announced += addresses;
    }
    if (f.country == 0) continue;
    file::Country& row = by_country[f.country];
    row.v4_addresses += addresses;
    row.by_type[type] += addresses;
    if (f.asn == 0) continue;
    row.announced += addresses;
    by_country_as[std::uint64_t{f.country} << 32 | f.asn] += addresses;
  }
  for (const auto& [asn, addresses] : by_as) {
    const auto name_at = as_names_.find(asn);
    systems_.push_back({asn, name_at == as_names_.end() ? 0 : name_at->second, addresses});
  }
  for (const auto& [key, addresses] : by_country_as) {
    systems_in_country_.push_back({static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key), addresses});
  }
  for (auto& [country, row] : by_country) {
    row.country = country;
    countries_.push_back(row);
  }
  std::sort(systems_.begin(), systems_.end(), [](const auto& a, const auto& b) { return a.asn < b.asn; });
  std::sort(systems_in_country_.begin(), systems_in_country_.end(),
            [](const auto& a, const auto& b) { return std::pair(a.country, a.asn) < std::pair(b.country, b.asn); });
  std::sort(countries_.begin(), countries_.end(), [](const auto& a, const auto& b) { return a.country < b.country; });
}

void Builder::build_v4() {
  v4_top_.assign(std::size_t{1} << 24, 0);
  absl::flat_hash_map<std::string, std::uint32_t> block_at;
  // First run whose end lies behind 0.0.0.0.
  std::size_t i = 0;
  while (i + 1 < merged_.size() && merged_[i + 1].start <= kV4First) ++i;
  for (std::uint32_t net = 0; net < 1U << 24; ++net) {
    const u128 base = kV4First | u128{net} << 8;
    while (i + 1 < merged_.size() && merged_[i + 1].start <= base) ++i;
    const std::uint32_t value = merged_[i].value;
    if (i + 1 >= merged_.size() || merged_[i + 1].start > (base | 0xff)) {
      v4_top_[net] = value;
      continue;
    }
    std::array<std::uint32_t, file::kBlockMapWords> map{};
    std::vector<std::uint32_t> values{value};
    map[0] = 1;
    for (std::size_t j = i + 1; j < merged_.size() && merged_[j].start <= (base | 0xff); ++j) {
      const auto octet = static_cast<std::uint32_t>(merged_[j].start & 0xff);
      map[octet >> 5] |= 1U << (octet & 31);
      values.push_back(merged_[j].value);
    }
    std::string key(reinterpret_cast<const char*>(map.data()), sizeof map);
    key.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
    const auto [at, is_new] = block_at.try_emplace(std::move(key), 0);
    if (is_new) {
      const std::size_t start =
          (v4_blocks_.size() + file::kBlockAlignWords - 1) / file::kBlockAlignWords * file::kBlockAlignWords;
      v4_blocks_.resize(start);
      v4_blocks_.insert(v4_blocks_.end(), map.begin(), map.end());
      v4_blocks_.insert(v4_blocks_.end(), values.begin(), values.end());
      at->second = static_cast<std::uint32_t>(start);
    }
    v4_top_[net] = file::kIsBlock | at->second;
    ++report_.v4_blocks;
  }
}

core::Expected<void> Builder::build_v6() {
  for (std::size_t i = 0; i < merged_.size();) {
    // Runs of IPv4 are no starts of IPv6; what lies above it goes on with the value of the run that reaches beyond it.
    const u128 start = merged_[i].start;
    if (start > kV4First && start <= kV4Last) {
      ++i;
      continue;
    }
    const auto high = static_cast<std::uint64_t>(start >> 64);
    std::size_t end = i;
    bool deep = false;
    while (end < merged_.size() && static_cast<std::uint64_t>(merged_[end].start >> 64) == high) {
      deep |= static_cast<std::uint64_t>(merged_[end].start) != 0;
      ++end;
    }
    v6_starts_.push_back(high);
    if (!deep) {
      v6_values_.push_back(merged_[i].value);
    } else {
      const std::size_t at = v6_details_.size();
      if (at >= file::kIsBlock) return core::fail("too many IPv6 ranges longer than /64");
      v6_values_.push_back(file::kIsBlock | static_cast<std::uint32_t>(at));
      v6_details_.push_back(0);
      if (static_cast<std::uint64_t>(start) != 0) {
        v6_details_.push_back(0);
        v6_details_.push_back(i > 0 ? merged_[i - 1].value : 0);
      }
      for (std::size_t j = i; j < end; ++j) {
        // Within ::/64 lies all of IPv4 (mapped): its runs are served by the other table.
        if (merged_[j].start > kV4First && merged_[j].start <= kV4Last) continue;
        v6_details_.push_back(static_cast<std::uint64_t>(merged_[j].start));
        v6_details_.push_back(merged_[j].value);
      }
      v6_details_[at] = (v6_details_.size() - at - 1) / 2;
    }
    i = end;
  }
  v6_index_.assign(file::kV6IndexSize + 1, 0);
  std::size_t s = 0;
  for (std::uint64_t b = 0; b <= file::kV6IndexSize; ++b) {
    const std::uint64_t bucket_start = (std::uint64_t{1} << 61) + (b << 41);
    while (s < v6_starts_.size() && v6_starts_[s] < bucket_start) ++s;
    v6_index_[b] = static_cast<std::uint32_t>(s);
  }
  return {};
}

core::Expected<void> Builder::write() {
  std::vector<file::Source> sources;
  sources.reserve(report_.sources.size() + 1);
  for (const SourceInfo& s : report_.sources) {
    sources.push_back({text(s.name), text(s.kind), text(s.version), text(s.attribution), s.records});
  }
  if (!options_.attribution.empty())
    sources.push_back({text("(given)"), text("attribution"), 0, text(options_.attribution), 0});
  std::vector<file::Claim> claims;
  claims.reserve(claims_.size());
  for (const TypeClaim& c : claims_) {
    claims.push_back(
        {static_cast<std::uint8_t>(c.type), static_cast<std::uint8_t>(c.source), 0, c.weight, text(c.says)});
  }
  if (text_.size() > UINT32_MAX - 2000 || v4_blocks_.size() >= file::kIsBlock || facts_.size() >= file::kIsBlock) {
    return core::fail("the table of networks grows beyond its format", options_.output);
  }

  file::Header header{};
  std::memcpy(header.magic, file::kMagic, sizeof header.magic);
  header.header_bytes = sizeof header;
  header.built = options_.built;
  const std::span<const std::byte> bodies[file::kSectionCount] = {
      std::as_bytes(std::span(v4_top_)),     std::as_bytes(std::span(v4_blocks_)),
      std::as_bytes(std::span(facts_)),      std::as_bytes(std::span(text_)),
      std::as_bytes(std::span(v6_index_)),   std::as_bytes(std::span(v6_starts_)),
      std::as_bytes(std::span(v6_values_)),  std::as_bytes(std::span(v6_details_)),
      std::as_bytes(std::span(systems_)),    std::as_bytes(std::span(systems_in_country_)),
      std::as_bytes(std::span(countries_)),  std::as_bytes(std::span(claims)),
      std::as_bytes(std::span(claim_sets_)), std::as_bytes(std::span(sources))};
  std::uint64_t size = file::kAlignment;
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    header.sections[i] = {size, bodies[i].size() / file::kElementBytes[i], file::kElementBytes[i]};
    size = (size + bodies[i].size() + file::kAlignment - 1) / file::kAlignment * file::kAlignment;
  }
  header.file_bytes = size;

  std::string image(static_cast<std::size_t>(size), '\0');
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    if (!bodies[i].empty()) std::memcpy(image.data() + header.sections[i].offset, bodies[i].data(), bodies[i].size());
  }
  header.body_checksum = file::checksum(image.data() + file::kAlignment, image.size() - file::kAlignment);
  header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
  std::memcpy(image.data(), &header, sizeof header);

  std::error_code ignored;
  const std::filesystem::path target(options_.output);
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), ignored);
  std::string temporary = options_.output + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return core::fail("cannot write the table of networks", temporary + ": " + std::strerror(errno));
  const auto give_up = [&](int error) {
    ::close(fd);
    ::unlink(temporary.c_str());
    return core::fail("cannot write the table of networks", options_.output + ": " + std::strerror(error));
  };
  // Pieces of nothing but zeros stay holes: most of the IPv4 level of a small table.
  constexpr std::size_t kPiece = 1 << 16;
  if (ftruncate(fd, static_cast<off_t>(image.size())) != 0) return give_up(errno);
  for (std::size_t at = 0; at < image.size(); at += kPiece) {
    const std::string_view piece = std::string_view(image).substr(at, kPiece);
    if (piece.front() == 0 && std::memcmp(piece.data(), piece.data() + 1, piece.size() - 1) == 0) continue;
    for (std::size_t done = 0; done < piece.size();) {
      const ssize_t wrote = ::pwrite(fd, piece.data() + done, piece.size() - done, static_cast<off_t>(at + done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return give_up(errno);
      done += static_cast<std::size_t>(wrote);
    }
  }
  if (fchmod(fd, 0644) != 0 || fsync(fd) != 0) return give_up(errno);
  if (::rename(temporary.c_str(), options_.output.c_str()) != 0) return give_up(errno);
  ::close(fd);
  // The name must survive a crash, too; a file system that cannot sync a directory has still got the file.
  const std::string parent = target.has_parent_path() ? target.parent_path().string() : ".";
  if (const int dir = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    static_cast<void>(fsync(dir));
    ::close(dir);
  }
  report_.facts = facts_.size();
  report_.v6_ranges = v6_starts_.size();
  report_.bytes = size;
  return {};
}

core::Expected<BuildReport> Builder::run() {
  if (options_.output.empty()) return core::fail("no output file is given for the table of networks");
  add_documentation();
  for (const std::string& path : options_.mmdb) {
    if (auto ok = add_mmdb(path); !ok) return std::unexpected(ok.error());
  }
  for (const std::string& path : options_.as_csv) {
    if (auto ok = add_as_csv(path); !ok) return std::unexpected(ok.error());
  }
  if (options_.shipped_lists) {
    for (const EmbeddedList& list : embedded_lists()) {
      const std::uint64_t records =
          add_list(list.text, std::string(list.file), list.type, std::string(list.label), true);
      report_.sources.push_back(
          {std::string(list.file), "list", std::string(list.version), std::string(list.attribution), records});
    }
    report_.sources.push_back({"as-types.csv", "curated", shipped_data_version(), {}, curated_as().size()});
  }
  for (const TypeListFile& list : options_.user_lists) {
    if (auto ok = add_user_list(list); !ok) return std::unexpected(ok.error());
  }
  add_special();
  say("merging");
  merge();
  finish_facts();
  count_shares();
  say("building the tables");
  build_v4();
  if (auto ok = build_v6(); !ok) return std::unexpected(ok.error());
  say("writing " + options_.output);
  if (auto ok = write(); !ok) return std::unexpected(ok.error());
  return std::move(report_);
}

}  // namespace

core::Expected<BuildReport> build_networks(const BuildOptions& options,
                                           const std::function<void(std::string_view)>& progress) {
  try {
    return Builder(options, progress).run();
  } catch (const std::bad_alloc&) {
    return core::fail("not enough memory to build the table of networks", options.output);
  }
}

std::string shipped_data_version() {
  static const std::string version = [] {
    std::uint64_t hash = core::hash64(embedded_as_types());
    hash = core::hash64(embedded_as_name_rules(), hash);
    for (const EmbeddedList& list : embedded_lists()) hash = core::hash64(list.text, hash);
    return fmt::format("orbwatch {}, data {:08x}", ORBWATCH_VERSION, static_cast<std::uint32_t>(hash));
  }();
  return version;
}

core::Expected<void> check_mmdb(const std::string& path) {
  const auto info = read_mmdb(path, [](std::uint32_t, MmdbFacts&&) {}, [](const Ip&, std::uint32_t) {});
  if (!info) return std::unexpected(info.error());
  return {};
}

std::string BuildReport::text() const {
  std::string out;
  for (const SourceInfo& s : sources) {
    out += fmt::format("{:<28} {:<10} {:>9} records  {}\n", s.name, s.kind, s.records, s.version);
  }
  out += fmt::format("{} facts, {} mixed IPv4 /24, {} IPv6 ranges, {:.1f} MiB\n", facts, v4_blocks, v6_ranges,
                     static_cast<double>(bytes) / (1 << 20));
  if (rejected_lines != 0)
    out += fmt::format("{} lines were not understood, first: {}\n", rejected_lines, first_rejected);
  return out;
}

}  // namespace orbwatch::intel
