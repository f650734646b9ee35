#include "intel/table/indicator_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/text.h"
#include "intel/table/indicator_table_file.h"

namespace orbwatch::intel {

namespace file = indicator_file;

std::uint64_t file::hash_of(std::uint32_t v4, std::uint64_t seed) { return XXH3_64bits_withSeed(&v4, sizeof v4, seed); }
std::uint64_t file::hash_of(const core::Ip& ip, std::uint64_t seed) {
  return XXH3_64bits_withSeed(ip.bytes.data(), ip.bytes.size(), seed);
}
std::uint64_t file::hash_of(std::uint8_t kind, std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed + (std::uint64_t{kind} << 32));
}
std::uint64_t file::checksum(const void* data, std::size_t size) { return XXH3_64bits(data, size); }

namespace {

constexpr std::string_view kCompileAgain = "compile the indicators again";
constexpr std::size_t kHugePage = std::size_t{1} << 21;

// Which of the 32 numbers of a line fulfil a condition, bit by bit; the first ones are the line's head.
#if defined(__SSE2__)
template <typename Condition>
[[gnu::always_inline]] inline std::uint32_t line_mask(const void* line, Condition condition) {
  const auto* at = static_cast<const __m128i*>(line);
  const auto sixteen = [&](int i) {
    const __m128i bytes = _mm_packs_epi16(condition(_mm_load_si128(at + i)), condition(_mm_load_si128(at + i + 1)));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
  };
  return sixteen(0) | sixteen(2) << 16;
}
[[gnu::always_inline]] inline std::uint32_t equal_in_line(const void* line, std::uint16_t place) {
  const __m128i wanted = _mm_set1_epi16(static_cast<std::int16_t>(place));
  return line_mask(line, [&](__m128i numbers) { return _mm_cmpeq_epi16(numbers, wanted); });
}
[[gnu::always_inline]] inline std::uint32_t not_above_in_line(const void* line, std::uint16_t place) {
  const __m128i wanted = _mm_set1_epi16(static_cast<std::int16_t>(place));
  return line_mask(
      line, [&](__m128i numbers) { return _mm_cmpeq_epi16(_mm_subs_epu16(numbers, wanted), _mm_setzero_si128()); });
}
#else
template <typename Condition>
std::uint32_t line_mask(const void* line, Condition condition) {
  std::uint16_t numbers[32];
  std::memcpy(numbers, line, sizeof numbers);
  std::uint32_t out = 0;
  for (std::uint32_t i = 0; i < 32; ++i) out |= std::uint32_t{condition(numbers[i])} << i;
  return out;
}
inline std::uint32_t equal_in_line(const void* line, std::uint16_t place) {
  return line_mask(line, [&](std::uint16_t number) { return number == place; });
}
inline std::uint32_t not_above_in_line(const void* line, std::uint16_t place) {
  return line_mask(line, [&](std::uint16_t number) { return number <= place; });
}
#endif

// The keys of a line whose places agree, bit by bit.
[[gnu::always_inline]] inline std::uint32_t candidates(const file::HashLine& line, std::uint16_t place) {
  constexpr std::uint32_t kHead = 32 - file::HashLine::kPlaces;
  return equal_in_line(&line, place) >> kHead & static_cast<std::uint32_t>((std::uint64_t{1} << line.count) - 1);
}

// The key of a line that is wanted, or kNone. `is_key`(i): is it key i; `hash_of_key`(i) for lines with too many keys.
template <typename IsKey, typename HashOfKey>
[[gnu::always_inline]] inline std::uint32_t find_in_line(const file::HashLine& line, std::uint64_t hash,
                                                         std::uint32_t bits, IsKey&& is_key, HashOfKey&& hash_of_key) {
  if (line.count <= file::HashLine::kPlaces) [[likely]] {
    for (std::uint32_t some = candidates(line, file::place_of(hash, bits)); some != 0; some &= some - 1) {
      const std::uint32_t key = line.first + static_cast<std::uint32_t>(std::countr_zero(some));
      if (is_key(key)) return key;
    }
    return file::kNone;
  }
  std::uint32_t first = line.first, size = line.count;
  while (size > 0) {
    const std::uint32_t half = size / 2;
    const bool below = hash_of_key(first + half) < hash;
    first = below ? first + half + 1 : first;
    size = below ? size - half - 1 : half;
  }
  for (; first < line.first + line.count && hash_of_key(first) == hash; ++first) {
    if (is_key(first)) return first;
  }
  return file::kNone;
}

// The last of 16 ascending numbers that is not above `key`; the first is not.
[[gnu::always_inline]] inline std::uint32_t last_of_block(const std::uint64_t* block, std::uint64_t key) {
  static_assert(file::kRunBlock == 16);
  std::uint32_t at = block[8] <= key ? 8 : 0;
  at += block[at + 4] <= key ? 4 : 0;
  at += block[at + 2] <= key ? 2 : 0;
  at += block[at + 1] <= key ? 1 : 0;
  return at;
}

// Reads one varint; false if it runs on beyond the end or beyond 64 bits.
bool read_varint(std::string_view& in, std::uint64_t& out) {
  out = 0;
  for (std::size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    out |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

std::string_view counted_text(std::string_view all, std::size_t offset) {
  std::uint16_t length;
  if (offset > all.size() || all.size() - offset < sizeof length) return {};
  std::memcpy(&length, all.data() + offset, sizeof length);
  offset += sizeof length;
  return length <= all.size() - offset ? all.substr(offset, length) : std::string_view{};
}

}  // namespace

// The whole file in anonymous memory: huge pages, where the system has them, spare most of the misses of address
// translation, and a file that somebody cuts short cannot take the program down.
struct IndicatorTable::Storage {
  file::Header header{};
  char* base = nullptr;
  std::size_t size = 0;
  void* mapping = nullptr;
  std::size_t mapping_size = 0;

  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() {
    if (mapping != nullptr) munmap(mapping, mapping_size);
  }
  bool allocate(std::size_t bytes) {
    const std::size_t wanted = bytes + kHugePage;
    void* got = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) return false;
    mapping = got;
    mapping_size = wanted;
    const auto address = reinterpret_cast<std::uintptr_t>(got);
    base = static_cast<char*>(got) + ((kHugePage - address % kHugePage) % kHugePage);
    size = bytes;
    if (bytes >= kHugePage) static_cast<void>(madvise(base, bytes, MADV_HUGEPAGE));
    return true;
  }
  std::uint64_t count(file::SectionId id) const { return header.sections[id].count; }
  template <typename T>
  std::span<const T> section(file::SectionId id) const {
    return {reinterpret_cast<const T*>(base + header.sections[id].offset), static_cast<std::size_t>(count(id))};
  }
  std::string_view bytes(file::SectionId id) const {
    return {base + header.sections[id].offset, static_cast<std::size_t>(count(id))};
  }
};

IndicatorTable::IndicatorTable() = default;
IndicatorTable::~IndicatorTable() = default;
IndicatorTable::IndicatorTable(IndicatorTable&&) noexcept = default;
IndicatorTable& IndicatorTable::operator=(IndicatorTable&&) noexcept = default;

namespace {

core::Expected<void> check_header(const file::Header& header, std::uint64_t size, const std::string& name) {
  if (std::memcmp(header.magic, file::kMagic, sizeof header.magic) != 0) {
    return core::fail("not a table of indicators: wrong magic", name, std::string(kCompileAgain));
  }
  if (header.version != file::kVersion) {
    return core::fail(fmt::format("the table of indicators has format version {}, this program reads {}",
                                  header.version, file::kVersion),
                      name, std::string(kCompileAgain));
  }
  if (header.header_bytes != sizeof(file::Header) || header.section_count != file::kSectionCount ||
      file::checksum(&header, offsetof(file::Header, header_checksum)) != header.header_checksum) {
    return core::fail("the header of the table of indicators is damaged", name, std::string(kCompileAgain));
  }
  if (header.file_bytes != size) {
    return core::fail(fmt::format("the table of indicators has {} bytes, its header says {}", size, header.file_bytes),
                      name, std::string(kCompileAgain));
  }
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    const file::Section& s = header.sections[i];
    if (s.offset % file::kAlignment != 0 || s.offset < file::kAlignment || s.offset > size ||
        s.count > (size - s.offset) / file::kElementBytes[i]) {
      return core::fail(fmt::format("section {} of the table of indicators is out of bounds", i), name,
                        std::string(kCompileAgain));
    }
  }
  return {};
}

core::Expected<void> check_size(std::uint64_t size, const std::string& name) {
  if (size < file::kAlignment) {
    return core::fail("not a table of indicators: too short", name, std::string(kCompileAgain));
  }
  if (size > IndicatorTable::kMostFileBytes) {
    return core::fail("not a table of indicators: longer than one can be", name, std::string(kCompileAgain));
  }
  return {};
}

}  // namespace

core::Expected<IndicatorTable> IndicatorTable::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return core::fail("cannot open the table of indicators", path + ": " + std::strerror(errno));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat status{};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return core::fail("not a table of indicators: no regular file", path, std::string(kCompileAgain));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (auto ok = check_size(size, path); !ok) return std::unexpected(ok.error());
  auto storage = std::make_unique<Storage>();
  const auto read_all = [&](void* to, std::size_t bytes) -> core::Expected<void> {
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t got = ::pread(fd, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return core::fail("cannot read the table of indicators", path + ": " + std::strerror(errno));
      if (got == 0) {
        return core::fail("the table of indicators became shorter while it was read", path, std::string(kCompileAgain));
      }
      done += static_cast<std::size_t>(got);
    }
    return {};
  };
  // The header first: no memory is taken for what is no table.
  if (auto ok = read_all(&storage->header, sizeof storage->header); !ok) return std::unexpected(ok.error());
  if (auto ok = check_header(storage->header, size, path); !ok) return std::unexpected(ok.error());
  if (!storage->allocate(size)) {
    return core::fail(fmt::format("not enough memory for the table of indicators, {} bytes", size), path);
  }
  if (auto ok = read_all(storage->base, size); !ok) return std::unexpected(ok.error());
  IndicatorTable out;
  if (auto ok = out.attach(std::move(storage), path); !ok) return std::unexpected(ok.error());
  return out;
}

core::Expected<IndicatorTable> IndicatorTable::from_bytes(std::string_view bytes) {
  const std::string name = "in memory";
  if (auto ok = check_size(bytes.size(), name); !ok) return std::unexpected(ok.error());
  auto storage = std::make_unique<Storage>();
  std::memcpy(&storage->header, bytes.data(), sizeof storage->header);
  if (auto ok = check_header(storage->header, bytes.size(), name); !ok) return std::unexpected(ok.error());
  if (!storage->allocate(bytes.size())) {
    return core::fail(fmt::format("not enough memory for the table of indicators, {} bytes", bytes.size()), name);
  }
  std::memcpy(storage->base, bytes.data(), bytes.size());
  IndicatorTable out;
  if (auto ok = out.attach(std::move(storage), name); !ok) return std::unexpected(ok.error());
  return out;
}

// Checks every number that a look-up follows and sets the pointers.
core::Expected<void> IndicatorTable::attach(std::unique_ptr<Storage> storage, const std::string& name) {
  const Storage& s = *storage;
  // What was read first and what was read as a whole must be the same.
  if (std::memcmp(&s.header, s.base, sizeof s.header) != 0 ||
      file::checksum(s.base + file::kAlignment, s.size - file::kAlignment) != s.header.body_checksum) {
    return core::fail("the table of indicators is damaged: its checksum is wrong", name, std::string(kCompileAgain));
  }
  const auto damaged = [&](std::string_view what) {
    return core::fail(fmt::format("the table of indicators contradicts itself: {}", what), name,
                      std::string(kCompileAgain));
  };

  const auto power_of_two = [](std::uint64_t count, std::uint32_t least_bits) {
    return std::has_single_bit(count) && count >> least_bits != 0 && count <= std::uint64_t{1} << file::kMostLineBits;
  };
  const auto hash_table = [&](file::SectionId lines_id, file::SectionId keys_id, std::uint64_t seed, HashTable& out) {
    const auto lines = s.section<file::HashLine>(lines_id);
    if (!power_of_two(lines.size(), 0) || s.count(keys_id) >= kNone) return false;
    std::uint64_t next = 0;
    bool sound = true;
    for (const file::HashLine& line : lines) {
      sound &= line.first == next;
      next += line.count;
    }
    out = {lines.data(), static_cast<std::uint32_t>(std::countr_zero(lines.size())), seed};
    return sound && next == s.count(keys_id);
  };
  if (!hash_table(file::kV4Lines, file::kV4Addresses, s.header.v4_seed, v4_table_) ||
      !hash_table(file::kV6Lines, file::kV6Addresses, s.header.v6_seed, v6_table_) ||
      !hash_table(file::kTextLines, file::kTextKeyOffsets, s.header.text_seed, text_table_)) {
    return damaged("keys");
  }
  v4_filter_ = s.section<std::uint64_t>(file::kV4Filter).data();
  v4_filter_words_ = s.count(file::kV4Filter);
  if (v4_filter_words_ == 0 || v4_filter_words_ > UINT32_MAX) return damaged("filter");

  const auto prefixes = [&](file::SectionId bases, file::SectionId bits_id, file::SectionId parents_id,
                            std::uint8_t most_bits, std::span<const std::uint32_t> run_values) {
    const auto bits = s.section<std::uint8_t>(bits_id);
    const auto parents = s.section<std::uint32_t>(parents_id);
    bool all_sound = s.count(bases) == bits.size() && bits.size() == parents.size() && bits.size() < kNone;
    for (const std::uint8_t b : bits) all_sound &= b >= 1 && b <= most_bits;
    // A parent comes before its children: every chain ends.
    for (std::size_t i = 0; i < parents.size(); ++i) all_sound &= parents[i] == kNone || parents[i] < i;
    for (const std::uint32_t v : run_values) all_sound &= v == kNone || v < bits.size();
    return all_sound;
  };
  const auto v4_values = s.section<std::uint32_t>(file::kV4RunValues);
  const auto v6_values = s.section<std::uint32_t>(file::kV6RunValues);
  if (!prefixes(file::kV4PrefixBases, file::kV4PrefixBits, file::kV4PrefixParents, 31, v4_values) ||
      !prefixes(file::kV6PrefixBases, file::kV6PrefixBits, file::kV6PrefixParents, 127, v6_values)) {
    return damaged("prefixes");
  }
  const auto v4_starts = s.section<std::uint32_t>(file::kV4RunStarts);
  const auto run_lines = s.section<file::RunLine>(file::kV4RunLines);
  bool sound = !v4_starts.empty() && v4_starts[0] == 0 && v4_starts.size() == v4_values.size() &&
               v4_starts.size() < kNone && (run_lines.empty() || power_of_two(run_lines.size(), 16));
  const auto map = s.section<std::uint64_t>(file::kV4PrefixMap);
  sound &=
      map.size() <= std::uint64_t{1} << (file::kMostLineBits - 6) && power_of_two(map.size(), file::kLeastMapBits - 6);
  std::uint64_t next_run = 0;
  for (const file::RunLine& line : run_lines) {
    sound &= line.first == next_run;
    next_run += line.count;
  }
  if (!run_lines.empty()) {
    // Every address has a run at its place or before it.
    sound &= next_run == v4_starts.size() && run_lines[0].count != 0 && run_lines[0].places[0] == 0;
  }
  if (!sound) return damaged("IPv4 runs");
  const auto highs = s.section<std::uint64_t>(file::kV6RunHighs);
  const auto lows = s.section<std::uint64_t>(file::kV6RunLows);
  if (lows.empty() || lows.size() >= kNone || lows.size() != v6_values.size() ||
      highs.size() != (lows.size() + file::kRunBlock - 1) / file::kRunBlock * file::kRunBlock || highs[0] != 0 ||
      lows[0] != 0) {
    return damaged("IPv6 runs");
  }

  std::uint64_t next = s.count(file::kV4Addresses);
  const auto begins = [&](std::uint64_t count) {
    const std::uint64_t first = next;
    next += count;
    return static_cast<std::uint32_t>(first);
  };
  first_v4_prefix_ = begins(s.count(file::kV4PrefixBases));
  first_v6_address_ = begins(s.count(file::kV6Addresses));
  first_v6_prefix_ = begins(s.count(file::kV6PrefixBases));
  first_text_ = begins(s.count(file::kTextKeyOffsets));
  first_system_ = begins(s.count(file::kAutonomousSystems));
  if (next >= kNone) return damaged("more entries than there can be");
  entries_ = static_cast<std::uint32_t>(next);
  const auto groups = s.section<std::uint32_t>(file::kEntryGroups);
  if (groups.size() != (next + file::kEntriesPerGroup - 1) / file::kEntriesPerGroup ||
      s.count(file::kFeeds) > std::numeric_limits<std::uint16_t>::max()) {
    return damaged("entries");
  }

  v4_keys_ = s.section<std::uint32_t>(file::kV4Addresses).data();
  v4_runs_ = {map.data(),
              static_cast<std::uint32_t>(std::countr_zero(map.size())) + 6,
              run_lines.empty() ? nullptr : run_lines.data(),
              run_lines.empty() ? 0 : static_cast<std::uint32_t>(std::countr_zero(run_lines.size())),
              static_cast<std::uint32_t>(v4_starts.size()),
              v4_starts.data(),
              v4_values.data()};
  v4_parents_ = s.section<std::uint32_t>(file::kV4PrefixParents).data();
  v4_prefixes_ = static_cast<std::uint32_t>(s.count(file::kV4PrefixBases));
  v6_keys_ = s.section<core::Ip>(file::kV6Addresses).data();
  v6_run_highs_ = highs.data();
  v6_run_lows_ = lows.data();
  v6_run_values_ = v6_values.data();
  v6_runs_ = static_cast<std::uint32_t>(lows.size());
  v6_parents_ = s.section<std::uint32_t>(file::kV6PrefixParents).data();
  v6_prefixes_ = static_cast<std::uint32_t>(s.count(file::kV6PrefixBases));
  for (std::span<const std::uint64_t> below = highs; below.size() > file::kRunBlock; below = v6_levels_.front()) {
    std::vector<std::uint64_t> level;
    for (std::size_t i = 0; i < below.size(); i += file::kRunBlock) level.push_back(below[i]);
    const std::size_t padded = (level.size() + file::kRunBlock - 1) / file::kRunBlock * file::kRunBlock;
    level.resize(padded, UINT64_MAX);
    v6_levels_.insert(v6_levels_.begin(), std::move(level));
  }
  storage_ = std::move(storage);
  return {};
}

namespace {

// The run in starts[first..first + count) that has the address; the one before them if all start behind it.
std::uint32_t search_runs(const std::uint32_t* starts, std::uint32_t first, std::uint32_t count, std::uint32_t ip) {
  // Without a branch that depends on the data: `behind` counts those that do not start behind the address.
  const std::uint32_t* behind = starts + first;
  for (std::uint32_t size = count; size > 0;) {
    const std::uint32_t half = (size + 1) / 2;
    behind += behind[half - 1] <= ip ? half : 0;
    size -= half;
  }
  return static_cast<std::uint32_t>(behind - starts) - 1;
}

// How many runs of a line do not start behind the address.
[[gnu::always_inline]] inline std::uint32_t runs_before(const file::RunLine& line, std::uint16_t place) {
  constexpr std::uint32_t kHead = 32 - file::RunLine::kPlaces;
  const std::uint32_t before = not_above_in_line(&line, place) >> kHead & ((std::uint32_t{1} << line.count) - 1);
  return static_cast<std::uint32_t>(std::bit_width(before));
}

}  // namespace

// Most addresses lie in no prefix, and a small map says so.
bool IndicatorTable::perhaps_in_prefix(const V4Runs& runs, std::uint32_t ip) {
  const std::uint32_t at = ip >> (32 - runs.map_bits);
  return (runs.map[at >> 6] >> (at & 63) & 1) != 0;
}

// The run that has the address, kNone if it is known from the line alone that no prefix does.
std::uint32_t IndicatorTable::run_of(const V4Runs& runs, std::uint32_t ip) {
  if (runs.lines == nullptr) return search_runs(runs.starts, 0, runs.count, ip);
  const file::RunLine& line = runs.lines[file::run_line_of(ip, runs.bits)];
  if (line.count > file::RunLine::kPlaces) [[unlikely]]
    return search_runs(runs.starts, line.first, line.count, ip);
  const std::uint32_t before = runs_before(line, file::run_place_of(ip, runs.bits));
  // `first` is 0 in line 0 alone, which has a run that starts at 0.
  return (line.valued >> before & 1) != 0 ? line.first + before - 1 : kNone;
}

std::uint32_t IndicatorTable::find_v4_run(std::uint32_t ip) const {
  const std::uint32_t run = perhaps_in_prefix(v4_runs_, ip) ? run_of(v4_runs_, ip) : kNone;
  return run == kNone ? kNone : v4_runs_.values[run];
}

std::uint32_t IndicatorTable::find_v4_address(std::uint32_t ip) const {
  const std::uint64_t hash = file::hash_of(ip, v4_table_.seed);
  const std::uint64_t bits = file::filter_bits(hash);
  if ((v4_filter_[file::filter_word(hash, v4_filter_words_)] & bits) != bits) return kNone;
  return find_in_line(
      v4_table_.lines[file::line_of(hash, v4_table_.bits)], hash, v4_table_.bits,
      [&](std::uint32_t key) { return v4_keys_[key] == ip; },
      [&](std::uint32_t key) { return file::hash_of(v4_keys_[key], v4_table_.seed); });
}

// The block of run starts in which the last one not above `high` lies.
std::uint32_t IndicatorTable::v6_block(std::uint64_t high) const {
  std::uint32_t block = 0;
  for (std::size_t level = 0; level < v6_levels_.size(); ++level) {
    const std::uint32_t at = block * file::kRunBlock + last_of_block(&v6_levels_[level][block * file::kRunBlock], high);
    // Only a key of all ones runs into the padding.
    const std::size_t below = level + 1 < v6_levels_.size() ? v6_levels_[level + 1].size() : (v6_runs_ + 15U) / 16 * 16;
    block = std::min(at, static_cast<std::uint32_t>(below / file::kRunBlock) - 1);
  }
  return block;
}

// The run with the last start whose first half is not above `high`.
std::uint32_t IndicatorTable::last_v6_start(std::uint64_t high, std::uint32_t in_block) const {
  const std::uint32_t at = in_block * file::kRunBlock + last_of_block(v6_run_highs_ + in_block * file::kRunBlock, high);
  return std::min(at, v6_runs_ - 1);
}

// Corrects the run for the second half of the address.
std::uint32_t IndicatorTable::exact_v6_start(const core::Ip& ip, std::uint32_t run) const {
  const std::uint64_t high = ip.high(), low = ip.low();
  if (v6_run_highs_[run] != high || v6_run_lows_[run] <= low) [[likely]]
    return run;
  std::uint32_t size = run, first = 0;  // of the runs that may be behind the address
  while (size > 0) {
    const std::uint32_t half = size / 2, middle = first + half;
    const bool not_behind =
        v6_run_highs_[middle] < high || (v6_run_highs_[middle] == high && v6_run_lows_[middle] <= low);
    first = not_behind ? middle + 1 : first;
    size = not_behind ? size - half - 1 : half;
  }
  return first == 0 ? 0 : first - 1;
}

std::uint32_t IndicatorTable::find_v6_run(const core::Ip& ip) const {
  return v6_run_values_[exact_v6_start(ip, last_v6_start(ip.high(), v6_block(ip.high())))];
}

std::uint32_t IndicatorTable::find_v6_address(const core::Ip& ip) const {
  const std::uint64_t hash = file::hash_of(ip, v6_table_.seed);
  return find_in_line(
      v6_table_.lines[file::line_of(hash, v6_table_.bits)], hash, v6_table_.bits,
      [&](std::uint32_t key) { return v6_keys_[key] == ip; },
      [&](std::uint32_t key) { return file::hash_of(v6_keys_[key], v6_table_.seed); });
}

namespace {

std::uint32_t from(std::uint32_t first, std::uint32_t number) {
  return number == IndicatorTable::kNone ? number : first + number;
}

constexpr std::size_t kInFlight = 32;
constexpr std::size_t kV4InFlight = 64;  // of which most end at filter and map

}  // namespace

std::uint32_t IndicatorTable::find(const core::Ip& ip) const {
  if (ip.is_v4()) {
    const std::uint32_t address = find_v4_address(ip.v4_value());
    return address != kNone ? address : from(first_v4_prefix_, find_v4_run(ip.v4_value()));
  }
  if (!ip.present()) return kNone;
  const std::uint32_t address = find_v6_address(ip);
  return address != kNone ? from(first_v6_address_, address) : from(first_v6_prefix_, find_v6_run(ip));
}

// Waves over a group of addresses: each asks for the memory that the next one reads, so that many cache misses are
// under way together instead of one. Only the addresses that filter and map let pass go on to the lines.
void IndicatorTable::find_many_v4(std::span<const std::uint32_t> ips, std::span<std::uint32_t> out) const {
  const std::size_t count = std::min(ips.size(), out.size());
  // Copies: the compiler cannot know that `out` does not alias them.
  const HashTable table = v4_table_;
  const std::uint32_t* const keys = v4_keys_;
  const V4Runs runs = v4_runs_;
  const std::uint64_t* const filter = v4_filter_;
  const std::uint64_t filter_words = v4_filter_words_;
  const std::uint32_t first_prefix = first_v4_prefix_;
  using Hashes = std::array<std::uint64_t, kV4InFlight>;
  Hashes hashes[2];
  const auto ask_for_first = [&](std::size_t begin, std::size_t size, Hashes& hash) {
    for (std::size_t i = 0; i < size; ++i) {
      hash[i] = file::hash_of(ips[begin + i], table.seed);
      __builtin_prefetch(filter + file::filter_word(hash[i], filter_words));
      __builtin_prefetch(runs.map + (ips[begin + i] >> (32 - runs.map_bits) >> 6));
    }
  };
  // Those of the group that are perhaps a key, perhaps in a prefix.
  std::array<std::uint8_t, kV4InFlight> addresses, prefixes;
  std::array<std::uint32_t, kV4InFlight> run;
  ask_for_first(0, std::min(count, kV4InFlight), hashes[0]);
  for (std::size_t begin = 0, turn = 0; begin < count; begin += kV4InFlight, turn ^= 1) {
    const std::size_t size = std::min(kV4InFlight, count - begin);
    const std::uint32_t* const group = ips.data() + begin;
    std::uint32_t* const found = out.data() + begin;
    const Hashes& hash = hashes[turn];
    std::size_t address_count = 0, prefix_count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t bits = file::filter_bits(hash[i]);
      addresses[address_count] = prefixes[prefix_count] = static_cast<std::uint8_t>(i);
      address_count += (filter[file::filter_word(hash[i], filter_words)] & bits) == bits ? 1 : 0;
      prefix_count += perhaps_in_prefix(runs, group[i]) ? 1 : 0;
      found[i] = kNone;
    }
    for (std::size_t j = 0; j < address_count; ++j) {
      __builtin_prefetch(table.lines + file::line_of(hash[addresses[j]], table.bits));
    }
    for (std::size_t j = 0; runs.lines != nullptr && j < prefix_count; ++j) {
      __builtin_prefetch(runs.lines + file::run_line_of(group[prefixes[j]], runs.bits));
    }
    ask_for_first(begin + size, std::min(kV4InFlight, count - begin - size), hashes[turn ^ 1]);
    for (std::size_t j = 0; j < address_count; ++j) {
      const file::HashLine& line = table.lines[file::line_of(hash[addresses[j]], table.bits)];
      if (line.count > file::HashLine::kPlaces) continue;
      const std::uint32_t some = candidates(line, file::place_of(hash[addresses[j]], table.bits));
      if (some != 0) __builtin_prefetch(keys + line.first + std::countr_zero(some));
    }
    for (std::size_t j = 0; j < prefix_count; ++j) {
      run[j] = run_of(runs, group[prefixes[j]]);
      if (run[j] != kNone) __builtin_prefetch(runs.values + run[j]);
    }
    for (std::size_t j = 0; j < prefix_count; ++j) {
      if (run[j] != kNone) found[prefixes[j]] = from(first_prefix, runs.values[run[j]]);
    }
    for (std::size_t j = 0; j < address_count; ++j) {
      const std::uint32_t ip = group[addresses[j]];
      const std::uint64_t its_hash = hash[addresses[j]];
      const std::uint32_t address = find_in_line(
          table.lines[file::line_of(its_hash, table.bits)], its_hash, table.bits,
          [&](std::uint32_t key) { return keys[key] == ip; },
          [&](std::uint32_t key) { return file::hash_of(keys[key], table.seed); });
      if (address != kNone) found[addresses[j]] = address;
    }
  }
}

void IndicatorTable::find_many_v6(const core::Ip* ips, std::uint32_t* out, std::size_t count) const {
  std::array<std::uint64_t, kInFlight> hash;
  std::array<std::uint32_t, kInFlight> run;
  for (std::size_t begin = 0; begin < count; begin += kInFlight) {
    const std::size_t size = std::min(kInFlight, count - begin);
    const core::Ip* const group = ips + begin;
    for (std::size_t i = 0; i < size; ++i) {
      hash[i] = file::hash_of(group[i], v6_table_.seed);
      __builtin_prefetch(v6_table_.lines + file::line_of(hash[i], v6_table_.bits));
    }
    for (std::size_t i = 0; i < size; ++i) {
      run[i] = v6_block(group[i].high());
      const std::uint64_t* starts = v6_run_highs_ + run[i] * file::kRunBlock;
      __builtin_prefetch(starts);
      __builtin_prefetch(starts + file::kRunBlock / 2);
    }
    for (std::size_t i = 0; i < size; ++i) {
      const file::HashLine& line = v6_table_.lines[file::line_of(hash[i], v6_table_.bits)];
      const std::uint32_t some =
          line.count <= file::HashLine::kPlaces ? candidates(line, file::place_of(hash[i], v6_table_.bits)) : 0;
      if (some != 0) __builtin_prefetch(v6_keys_ + line.first + std::countr_zero(some));
    }
    for (std::size_t i = 0; i < size; ++i) {
      run[i] = last_v6_start(group[i].high(), run[i]);
      __builtin_prefetch(v6_run_values_ + run[i]);
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (!group[i].present()) {
        out[begin + i] = kNone;
        continue;
      }
      const std::uint32_t address = find_in_line(
          v6_table_.lines[file::line_of(hash[i], v6_table_.bits)], hash[i], v6_table_.bits,
          [&](std::uint32_t key) { return v6_keys_[key] == group[i]; },
          [&](std::uint32_t key) { return file::hash_of(v6_keys_[key], v6_table_.seed); });
      out[begin + i] = address != kNone ? first_v6_address_ + address
                                        : from(first_v6_prefix_, v6_run_values_[exact_v6_start(group[i], run[i])]);
    }
  }
}

void IndicatorTable::find_many(std::span<const core::Ip> ips, std::span<std::uint32_t> out) const {
  constexpr std::size_t kGroup = 256;
  std::array<std::uint32_t, kGroup> v4, v4_found, v6_found;
  std::array<std::uint16_t, kGroup> v4_at, v6_at;
  std::array<core::Ip, kGroup> v6;
  const std::size_t count = std::min(ips.size(), out.size());
  for (std::size_t begin = 0; begin < count; begin += kGroup) {
    const std::size_t size = std::min(kGroup, count - begin);
    std::size_t v4s = 0, v6s = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const core::Ip& ip = ips[begin + i];
      if (ip.is_v4()) {
        v4[v4s] = ip.v4_value();
        v4_at[v4s++] = static_cast<std::uint16_t>(i);
      } else {
        v6[v6s] = ip;
        v6_at[v6s++] = static_cast<std::uint16_t>(i);
      }
    }
    find_many_v4({v4.data(), v4s}, {v4_found.data(), v4s});
    for (std::size_t i = 0; i < v4s; ++i) out[begin + v4_at[i]] = v4_found[i];
    if (v6s == 0) continue;
    find_many_v6(v6.data(), v6_found.data(), v6s);
    for (std::size_t i = 0; i < v6s; ++i) out[begin + v6_at[i]] = v6_found[i];
  }
}

std::size_t IndicatorTable::find_all(const core::Ip& ip, std::span<std::uint32_t> out) const {
  std::size_t count = 0;
  const std::uint32_t longest = find(ip);
  if (longest == kNone || out.empty()) return 0;
  out[count++] = longest;
  const bool v4 = ip.is_v4();
  const std::uint32_t* const parents = v4 ? v4_parents_ : v6_parents_;
  const std::uint32_t first = v4 ? first_v4_prefix_ : first_v6_prefix_;
  const std::uint32_t prefixes = v4 ? v4_prefixes_ : v6_prefixes_;
  // An address knows no parent: its prefixes are those of its place.
  std::uint32_t prefix = longest >= first && longest - first < prefixes ? parents[longest - first]
                         : v4                                           ? find_v4_run(ip.v4_value())
                                                                        : find_v6_run(ip);
  for (; prefix != kNone && count < out.size(); prefix = parents[prefix]) out[count++] = first + prefix;
  return count;
}

std::uint32_t IndicatorTable::find_autonomous_system(std::uint32_t number) const {
  const auto systems = storage_->section<std::uint32_t>(file::kAutonomousSystems);
  const auto found = std::lower_bound(systems.begin(), systems.end(), number);
  return found != systems.end() && *found == number
             ? first_system_ + static_cast<std::uint32_t>(found - systems.begin())
             : kNone;
}

std::uint32_t IndicatorTable::find_text(TextKind kind, std::string_view text) const {
  if (kind == TextKind::kDomain) {
    std::array<char, kLongestDomain> lower;
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.size() > lower.size()) return kNone;
    std::transform(text.begin(), text.end(), lower.begin(), core::lower_char);
    return find_key(kind, {lower.data(), text.size()});
  }
  return find_key(kind, text);
}

std::uint32_t IndicatorTable::find_key(TextKind kind, std::string_view text) const {
  const std::uint64_t hash = file::hash_of(static_cast<std::uint8_t>(kind), text, text_table_.seed);
  const std::uint32_t found = find_in_line(
      text_table_.lines[file::line_of(hash, text_table_.bits)], hash, text_table_.bits,
      [&](std::uint32_t number) { return text_key(number) == std::pair(kind, text); },
      [&](std::uint32_t number) {
        const auto [its_kind, its_text] = text_key(number);
        return file::hash_of(static_cast<std::uint8_t>(its_kind), its_text, text_table_.seed);
      });
  return from(first_text_, found);
}

std::pair<TextKind, std::string_view> IndicatorTable::text_key(std::uint32_t number) const {
  const std::string_view keys = storage_->bytes(file::kTextKeys);
  const std::size_t offset = storage_->section<std::uint32_t>(file::kTextKeyOffsets)[number];
  if (offset >= keys.size()) return {TextKind::kCount, {}};
  return {static_cast<TextKind>(keys[offset]), counted_text(keys, offset + 1)};
}

std::uint32_t IndicatorTable::find_domain(std::string_view name) const {
  std::uint32_t found = kNone;
  return find_domains(name, {&found, 1}) != 0 ? found : kNone;
}

std::size_t IndicatorTable::find_domains(std::string_view name, std::span<std::uint32_t> out) const {
  std::array<char, kLongestDomain> lower;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > lower.size()) return 0;
  std::transform(name.begin(), name.end(), lower.begin(), core::lower_char);
  std::string_view rest(lower.data(), name.size());
  std::size_t count = 0;
  while (count < out.size()) {
    if (const std::uint32_t entry = find_key(TextKind::kDomain, rest); entry != kNone) out[count++] = entry;
    const std::size_t dot = rest.find('.');
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
    if (!rest.contains('.')) break;
  }
  return count;
}

StatementReader IndicatorTable::statements(std::uint32_t entry) const {
  StatementReader out;
  if (entry >= entries_) return out;
  out.table_ = this;
  const std::string_view all = storage_->bytes(file::kStatements);
  std::string_view rest = all.substr(std::min<std::size_t>(
      storage_->section<std::uint32_t>(file::kEntryGroups)[entry / file::kEntriesPerGroup], all.size()));
  for (std::uint32_t skip = entry % file::kEntriesPerGroup;; --skip) {
    std::uint64_t size = 0;
    if (!read_varint(rest, size) || size > rest.size()) return out;
    if (skip == 0) {
      out.rest_ = rest.substr(0, size);
      return out;
    }
    rest.remove_prefix(size);
  }
}

bool StatementReader::next(IndicatorStatement& out) {
  if (rest_.empty()) return false;
  std::string_view rest = std::exchange(rest_, {});
  std::uint64_t number = 0;
  const auto shapes = table_->storage_->section<file::Shape>(file::kShapes);
  if (!read_varint(rest, number) || number >= shapes.size() || rest.empty()) return false;
  const file::Shape& shape = shapes[number];
  const auto given = static_cast<std::uint8_t>(rest.front());
  rest.remove_prefix(1);
  IndicatorStatement read;
  read.label = table_->text(shape.label);
  read.feed = shape.feed;
  read.port = shape.port;
  read.confidence = shape.confidence;
  read.flags = shape.flags;
  std::uint64_t time = table_->storage_->header.earliest_time;
  const std::pair<std::uint8_t, std::uint32_t*> times[] = {{file::kHasValidFrom, &read.valid_from},
                                                           {file::kHasFirstSeen, &read.first_seen},
                                                           {file::kHasLastSeen, &read.last_seen},
                                                           {file::kHasValidUntil, &read.valid_until}};
  for (const auto& [has, to] : times) {
    if ((given & has) == 0) continue;
    if (!read_varint(rest, number)) return false;
    time += (number >> 1) ^ (0 - (number & 1));
    *to = static_cast<std::uint32_t>(time);
  }
  rest_ = rest;
  out = read;
  return true;
}

IndicatorKey IndicatorTable::key(std::uint32_t entry) const {
  IndicatorKey out;
  if (entry >= entries_) return out;
  if (entry >= first_system_) {
    out.kind = IndicatorKey::Kind::kAutonomousSystem;
    out.autonomous_system = storage_->section<std::uint32_t>(file::kAutonomousSystems)[entry - first_system_];
    return out;
  }
  if (entry >= first_text_) {
    out.kind = IndicatorKey::Kind::kText;
    std::tie(out.text_kind, out.text) = text_key(entry - first_text_);
    return out;
  }
  out.kind = IndicatorKey::Kind::kPrefix;
  if (entry >= first_v6_prefix_) {
    const std::uint32_t at = entry - first_v6_prefix_;
    out.prefix = {storage_->section<core::Ip>(file::kV6PrefixBases)[at],
                  storage_->section<std::uint8_t>(file::kV6PrefixBits)[at]};
  } else if (entry >= first_v6_address_) {
    out.prefix = {v6_keys_[entry - first_v6_address_], 128};
  } else if (entry >= first_v4_prefix_) {
    const std::uint32_t at = entry - first_v4_prefix_;
    out.prefix = {core::Ip::v4(storage_->section<std::uint32_t>(file::kV4PrefixBases)[at]),
                  storage_->section<std::uint8_t>(file::kV4PrefixBits)[at]};
  } else {
    out.prefix = {core::Ip::v4(v4_keys_[entry]), 32};
  }
  return out;
}

std::string_view IndicatorTable::text(std::uint32_t offset) const {
  return counted_text(storage_->bytes(file::kText), offset);
}
std::string_view IndicatorTable::feed_name(std::uint16_t feed) const {
  const auto names = storage_->section<std::uint32_t>(file::kFeeds);
  return feed < names.size() ? text(names[feed]) : std::string_view{};
}
std::uint16_t IndicatorTable::feeds() const { return static_cast<std::uint16_t>(storage_->count(file::kFeeds)); }
std::uint64_t IndicatorTable::statement_count() const { return storage_->header.statements; }
std::int64_t IndicatorTable::built() const { return storage_->header.built; }
std::uint64_t IndicatorTable::file_bytes() const { return storage_->size; }
std::uint64_t IndicatorTable::memory_bytes() const {
  std::uint64_t out = storage_->size;
  for (const auto& level : v6_levels_) out += level.size() * sizeof level[0];
  return out;
}

}  // namespace orbwatch::intel
