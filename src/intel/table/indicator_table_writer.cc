#include "intel/table/indicator_table_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "intel/table/indicator_table_file.h"

namespace orbwatch::intel {

namespace file = indicator_file;

namespace {

__extension__ typedef unsigned __int128 u128;

// Keys whose hashes agree in bucket and place are compared one by one. By chance there are two; more were chosen.
constexpr std::uint32_t kMostAlike = 8;
constexpr std::uint64_t kSeeds = 16;

u128 number_of(const core::Ip& ip) { return u128{ip.high()} << 64 | ip.low(); }

// At most 20 keys a line on average: of lines with 28 places one in fifty is then too short.
std::uint32_t line_bits(std::size_t count) {
  constexpr std::size_t kMostPerLine = 20;
  const std::size_t lines = (count + kMostPerLine - 1) / kMostPerLine;
  return lines <= 1 ? 0 : std::min(static_cast<std::uint32_t>(std::bit_width(lines - 1)), file::kMostLineBits);
}

struct HashOrder {
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> hashes;  // ascending
  std::vector<std::uint32_t> order;   // number of the key that belongs there
};

// `hash`(i, seed) of key i. Equal hashes stay in the keys' order.
template <typename Hash>
HashOrder order_by_hash(std::size_t count, std::uint32_t bits, Hash&& hash) {
  HashOrder out;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keys(count), ordered(count);
  std::vector<std::uint32_t> ends(std::size_t{1} << bits);  // of the lines
  for (;; ++out.seed) {
    std::fill(ends.begin(), ends.end(), 0);
    for (std::uint32_t i = 0; i < count; ++i) {
      keys[i] = {hash(i, out.seed), i};
      ++ends[file::line_of(keys[i].first, bits)];
    }
    std::exclusive_scan(ends.begin(), ends.end(), ends.begin(), 0U);
    for (const auto& key : keys) ordered[ends[file::line_of(key.first, bits)]++] = key;
    std::uint32_t begin = 0, alike = 0, most = 0;
    for (const std::uint32_t end : ends) {
      std::sort(ordered.begin() + begin, ordered.begin() + end);
      begin = end;
    }
    for (std::size_t i = 1; i < count; ++i) {
      alike = ordered[i].first >> (48 - bits) == ordered[i - 1].first >> (48 - bits) ? alike + 1 : 0;
      most = std::max(most, alike);
    }
    // The last seed is taken as it is: then such keys are found slowly, but found.
    if (most < kMostAlike || out.seed + 1 == kSeeds) break;
  }
  out.hashes.reserve(count);
  out.order.reserve(count);
  for (const auto& [h, i] : ordered) {
    out.hashes.push_back(h);
    out.order.push_back(i);
  }
  return out;
}

std::vector<file::HashLine> make_lines(const HashOrder& order, std::uint32_t bits) {
  std::vector<file::HashLine> out(std::size_t{1} << bits);
  for (const std::uint64_t hash : order.hashes) {
    file::HashLine& line = out[file::line_of(hash, bits)];
    if (line.count < file::HashLine::kPlaces) line.places[line.count] = file::place_of(hash, bits);
    ++line.count;
  }
  std::uint32_t first = 0;
  for (file::HashLine& line : out) {
    line.first = std::exchange(first, first + line.count);
    if (line.count > file::HashLine::kPlaces) std::fill(std::begin(line.places), std::end(line.places), 0);
  }
  return out;
}

// Eight bits a key: of keys that are not there one in thirty passes.
std::vector<std::uint64_t> make_filter(const std::vector<std::uint64_t>& hashes) {
  std::vector<std::uint64_t> out(hashes.size() / 8 + 1);
  for (const std::uint64_t hash : hashes) out[file::filter_word(hash, out.size())] |= file::filter_bits(hash);
  return out;
}

struct Range {
  u128 first, last;
};
struct Runs {
  std::vector<u128> starts;
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> parents;  // one a prefix
};

// `prefixes` by (base, bits): a prefix comes before those within it. `end`: the last number of the address space.
Runs make_runs(std::span<const Range> prefixes, u128 end) {
  Runs out;
  out.parents.assign(prefixes.size(), file::kNone);
  const auto start = [&](u128 at, std::uint32_t value) {
    if (!out.starts.empty() && out.starts.back() == at) {
      out.starts.pop_back();
      out.values.pop_back();
    }
    if (!out.values.empty() && out.values.back() == value) return;
    out.starts.push_back(at);
    out.values.push_back(value);
  };
  start(0, file::kNone);
  std::vector<std::uint32_t> open;
  const auto close = [&] {
    const u128 last = prefixes[open.back()].last;
    open.pop_back();
    if (last != end) start(last + 1, open.empty() ? file::kNone : open.back());
  };
  for (std::uint32_t i = 0; i < prefixes.size(); ++i) {
    while (!open.empty() && prefixes[open.back()].last < prefixes[i].first) close();
    if (!open.empty()) out.parents[i] = open.back();
    open.push_back(i);
    start(prefixes[i].first, i);
  }
  while (!open.empty()) close();
  return out;
}

// Eight bits and more a prefix, as far as the format goes.
std::vector<std::uint64_t> make_map(std::span<const Range> prefixes) {
  constexpr std::uint32_t kMostBits = 22;  // 512 KiB: stays in a processor's nearer caches
  const std::uint32_t bits =
      std::clamp(static_cast<std::uint32_t>(std::bit_width(prefixes.size())) + 3, file::kLeastMapBits, kMostBits);
  std::vector<std::uint64_t> out(std::size_t{1} << (bits - 6));
  std::uint64_t next = 0;  // prefixes come in order: none is walked twice
  for (const Range& p : prefixes) {
    const std::uint64_t last = static_cast<std::uint64_t>(p.last) >> (32 - bits);
    for (std::uint64_t i = std::max(next, static_cast<std::uint64_t>(p.first) >> (32 - bits)); i <= last; ++i) {
      out[i >> 6] |= std::uint64_t{1} << (i & 63);
    }
    next = std::max(next, last + 1);
  }
  return out;
}

// None where there are so few runs that searching them is as good. The more lines, the fewer that are too short for
// their runs; where runs lie close together more lines would not help.
std::vector<file::RunLine> make_run_lines(const Runs& runs) {
  constexpr std::size_t kFewRuns = 1024;
  constexpr std::uint32_t kLeastBits = 16;  // the rest of an address must fit into a place
  constexpr std::uint32_t kMostBits = 20;
  const std::size_t count = runs.starts.size();
  std::vector<file::RunLine> out;
  if (count <= kFewRuns) return out;
  for (std::uint32_t bits = kLeastBits;; ++bits) {
    out.assign(std::size_t{1} << bits, {});
    for (std::size_t i = 0; i < count; ++i) {
      const auto start = static_cast<std::uint32_t>(runs.starts[i]);
      file::RunLine& line = out[file::run_line_of(start, bits)];
      if (line.count < file::RunLine::kPlaces) {
        line.places[line.count] = file::run_place_of(start, bits);
        line.valued |= std::uint32_t{runs.values[i] != file::kNone} << (line.count + 1);
      }
      ++line.count;
    }
    std::uint32_t first = 0;
    std::size_t in_short_lines = 0;
    for (file::RunLine& line : out) {
      line.valued |= first != 0 && runs.values[first - 1] != file::kNone ? 1 : 0;
      line.first = std::exchange(first, first + line.count);
      if (line.count <= file::RunLine::kPlaces) continue;
      in_short_lines += line.count;
      line.valued = 0;
      std::fill(std::begin(line.places), std::end(line.places), 0);
    }
    if (in_short_lines <= count / 16 || bits == kMostBits ||
        std::size_t{2} << bits > std::max(count / 4, std::size_t{1} << kLeastBits)) {
      return out;
    }
  }
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  // Not within a character of UTF-8.
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

void put_text(std::string& out, std::string_view text) {
  const auto length = static_cast<std::uint16_t>(text.size());
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out += text;
}

}  // namespace

std::uint16_t IndicatorTableWriter::add_feed(std::string_view name) {
  if (feeds_.size() >= kMostFeeds) return kMostFeeds;
  feeds_.emplace_back(cut(name, kLongestLabel));
  return static_cast<std::uint16_t>(feeds_.size() - 1);
}

bool IndicatorTableWriter::accept(const IndicatorStatement& statement, std::uint32_t modified, std::uint32_t& row) {
  if (statement.feed >= feeds_.size() || (statement.confidence > 100 && statement.confidence != kConfidenceNotStated)) {
    ++counts_.rejected_statements;
    return false;
  }
  const std::string_view label = cut(statement.label, kLongestLabel);
  counts_.labels_cut += label.size() != statement.label.size() ? 1 : 0;
  auto known = label_numbers_.find(label);
  if (known == label_numbers_.end()) {
    labels_.emplace_back(label);
    known = label_numbers_.try_emplace(labels_.back(), static_cast<std::uint32_t>(labels_.size() - 1)).first;
  }
  row = static_cast<std::uint32_t>(rows_.size());
  rows_.push_back({statement.valid_from, statement.valid_until, statement.first_seen, statement.last_seen, modified,
                   known->second, statement.feed, statement.port, statement.confidence, statement.flags});
  return true;
}

bool IndicatorTableWriter::add(const core::Prefix& prefix, const IndicatorStatement& statement,
                               std::uint32_t modified) {
  ++counts_.stated;
  const bool v4 = prefix.base.is_v4();
  const int all = v4 ? 32 : 128;
  if (prefix.bits == 0) {
    ++counts_.rejected_prefixes;
    return false;
  }
  if (prefix.bits > all || (prefix.bits == all && !prefix.base.present())) {
    ++counts_.rejected_keys;
    return false;
  }
  std::uint32_t row = 0;
  if (!accept(statement, modified, row)) return false;
  const core::Ip base = prefix.base.masked(prefix.bits);
  if (v4 && prefix.bits == all) {
    v4_addresses_.push_back({base.v4_value(), row});
  } else if (v4) {
    v4_prefixes_.push_back({base.v4_value(), row, prefix.bits});
  } else if (prefix.bits == all) {
    v6_addresses_.push_back({base, row});
  } else {
    v6_prefixes_.push_back({base, row, prefix.bits});
  }
  return true;
}

bool IndicatorTableWriter::add(TextKind kind, std::string_view text, const IndicatorStatement& statement,
                               std::uint32_t modified) {
  ++counts_.stated;
  const bool domain = kind == TextKind::kDomain;
  if (domain && text.ends_with('.')) text.remove_suffix(1);
  if (kind >= TextKind::kCount || text.empty() ||
      text.size() > (domain ? IndicatorTable::kLongestDomain : kLongestText)) {
    ++counts_.rejected_keys;
    return false;
  }
  std::uint32_t row = 0;
  if (!accept(statement, modified, row)) return false;
  texts_.push_back({text_.size(), row, static_cast<std::uint16_t>(text.size()), kind});
  if (domain) {
    text_ += core::lower(text);
  } else {
    text_ += text;
  }
  return true;
}

bool IndicatorTableWriter::add_autonomous_system(std::uint32_t number, const IndicatorStatement& statement,
                                                 std::uint32_t modified) {
  ++counts_.stated;
  std::uint32_t row = 0;
  if (!accept(statement, modified, row)) return false;
  systems_.push_back({number, row});
  return true;
}

// Which of two statements of one feed, key and port stands. Where `modified` does not say it, their content does, so
// that the order in which they came does not matter.
bool IndicatorTableWriter::newer(const Row& a, const Row& b) const {
  const auto rank = [](const Row& r) {
    return std::tuple(r.modified, r.valid_until, r.valid_from, r.confidence, r.flags);
  };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return a.label != b.label && labels_[a.label] > labels_[b.label];
}

// Folds the rows of one key and puts those that stay into kept_.
IndicatorTableWriter::Entry IndicatorTableWriter::fold(std::vector<std::uint32_t>& rows) {
  Entry out{static_cast<std::uint32_t>(kept_.size()), 0};
  if (rows.size() > 1) {
    std::sort(rows.begin(), rows.end(), [&](std::uint32_t x, std::uint32_t y) {
      const Row &a = rows_[x], &b = rows_[y];
      return std::tie(a.feed, a.port) != std::tie(b.feed, b.port) ? std::tie(a.feed, a.port) < std::tie(b.feed, b.port)
                                                                  : newer(a, b);
    });
  }
  for (const std::uint32_t row : rows) {
    const Row& r = rows_[row];
    if (out.count != 0) {
      // Rows stay where they are, so that the table can be made again: folding what was folded changes nothing.
      Row& before = rows_[kept_.back()];
      if (before.feed == r.feed && before.port == r.port) {
        if (r.first_seen != 0 && (before.first_seen == 0 || r.first_seen < before.first_seen)) {
          before.first_seen = r.first_seen;
        }
        before.last_seen = std::max(before.last_seen, r.last_seen);
        ++counts_.folded;
        continue;
      }
    }
    kept_.push_back(row);
    ++out.count;
  }
  return out;
}

// Sorts `items` by `less`, which sees keys alone; `keys` gets the first of each key.
template <typename Item, typename Less>
std::vector<IndicatorTableWriter::Entry> IndicatorTableWriter::fold_all(std::vector<Item>& items,
                                                                        std::vector<Item>& keys, Less less) {
  std::sort(items.begin(), items.end(), less);
  std::vector<Entry> out;
  out.reserve(items.size());
  keys.reserve(items.size());
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < items.size();) {
    keys.push_back(items[i]);
    rows.clear();
    const std::size_t first = i;
    for (; i < items.size() && !less(items[first], items[i]); ++i) rows.push_back(items[i].row);
    out.push_back(fold(rows));
  }
  return out;
}

std::string IndicatorTableWriter::assemble(std::int64_t built) {
  kept_.clear();
  kept_.reserve(rows_.size());
  counts_.folded = 0;

  std::vector<Entry> entries;
  const auto append = [&](const std::vector<Entry>& more) { entries.insert(entries.end(), more.begin(), more.end()); };
  const auto append_by_hash = [&](const std::vector<Entry>& more, const HashOrder& order) {
    for (const std::uint32_t i : order.order) entries.push_back(more[i]);
  };

  // IPv4.
  std::vector<V4Address> v4;
  const std::vector<Entry> v4_entries =
      fold_all(v4_addresses_, v4, [](const V4Address& a, const V4Address& b) { return a.ip < b.ip; });
  const std::uint32_t v4_bits = line_bits(v4.size());
  const HashOrder v4_order = order_by_hash(
      v4.size(), v4_bits, [&](std::uint32_t i, std::uint64_t seed) { return file::hash_of(v4[i].ip, seed); });
  append_by_hash(v4_entries, v4_order);
  std::vector<std::uint32_t> v4_keys;
  v4_keys.reserve(v4.size());
  for (const std::uint32_t i : v4_order.order) v4_keys.push_back(v4[i].ip);
  const std::vector<std::uint64_t> v4_filter = make_filter(v4_order.hashes);
  const std::vector<file::HashLine> v4_lines = make_lines(v4_order, v4_bits);
  std::vector<V4Prefix> v4_prefixes;
  append(fold_all(v4_prefixes_, v4_prefixes, [](const V4Prefix& a, const V4Prefix& b) {
    return std::tie(a.base, a.bits) < std::tie(b.base, b.bits);
  }));
  std::vector<std::uint32_t> v4_bases;
  std::vector<std::uint8_t> v4_lengths;
  std::vector<Range> ranges;
  for (const V4Prefix& p : v4_prefixes) {
    v4_bases.push_back(p.base);
    v4_lengths.push_back(p.bits);
    ranges.push_back({p.base, p.base | ((std::uint64_t{1} << (32 - p.bits)) - 1)});
  }
  const Runs v4_runs = make_runs(ranges, UINT32_MAX);
  const std::vector<std::uint64_t> v4_map = make_map(ranges);
  const std::vector<file::RunLine> v4_run_lines = make_run_lines(v4_runs);
  std::vector<std::uint32_t> v4_starts;
  v4_starts.reserve(v4_runs.starts.size());
  for (const u128 start : v4_runs.starts) v4_starts.push_back(static_cast<std::uint32_t>(start));

  // IPv6.
  std::vector<V6Address> v6;
  const std::vector<Entry> v6_entries =
      fold_all(v6_addresses_, v6, [](const V6Address& a, const V6Address& b) { return a.ip < b.ip; });
  const std::uint32_t v6_bits = line_bits(v6.size());
  const HashOrder v6_order = order_by_hash(
      v6.size(), v6_bits, [&](std::uint32_t i, std::uint64_t seed) { return file::hash_of(v6[i].ip, seed); });
  append_by_hash(v6_entries, v6_order);
  std::vector<core::Ip> v6_keys;
  v6_keys.reserve(v6.size());
  for (const std::uint32_t i : v6_order.order) v6_keys.push_back(v6[i].ip);
  const std::vector<file::HashLine> v6_lines = make_lines(v6_order, v6_bits);
  std::vector<V6Prefix> v6_prefixes;
  append(fold_all(v6_prefixes_, v6_prefixes, [](const V6Prefix& a, const V6Prefix& b) {
    return a.base != b.base ? a.base < b.base : a.bits < b.bits;
  }));
  std::vector<core::Ip> v6_bases;
  std::vector<std::uint8_t> v6_lengths;
  ranges.clear();
  for (const V6Prefix& p : v6_prefixes) {
    v6_bases.push_back(p.base);
    v6_lengths.push_back(p.bits);
    ranges.push_back({number_of(p.base), number_of(p.base) | ((u128{1} << (128 - p.bits)) - 1)});
  }
  const Runs v6_runs = make_runs(ranges, ~u128{0});
  std::vector<std::uint64_t> highs, lows;
  for (const u128 start : v6_runs.starts) {
    highs.push_back(static_cast<std::uint64_t>(start >> 64));
    lows.push_back(static_cast<std::uint64_t>(start));
  }
  highs.resize((highs.size() + file::kRunBlock - 1) / file::kRunBlock * file::kRunBlock, UINT64_MAX);

  // Text.
  std::vector<Text> texts;
  const std::vector<Entry> text_entries = fold_all(texts_, texts, [&](const Text& a, const Text& b) {
    return a.kind != b.kind ? a.kind < b.kind : view(a) < view(b);
  });
  const std::uint32_t text_bits = line_bits(texts.size());
  const HashOrder text_order = order_by_hash(texts.size(), text_bits, [&](std::uint32_t i, std::uint64_t seed) {
    return file::hash_of(static_cast<std::uint8_t>(texts[i].kind), view(texts[i]), seed);
  });
  append_by_hash(text_entries, text_order);
  const std::vector<file::HashLine> text_lines = make_lines(text_order, text_bits);
  std::string text_keys;
  std::vector<std::uint32_t> text_offsets;
  bool too_large = false;
  for (const std::uint32_t i : text_order.order) {
    too_large |= text_keys.size() >= UINT32_MAX - kLongestText - 3;
    if (too_large) break;
    text_offsets.push_back(static_cast<std::uint32_t>(text_keys.size()));
    text_keys.push_back(static_cast<char>(texts[i].kind));
    put_text(text_keys, view(texts[i]));
  }

  // Autonomous systems.
  std::vector<System> systems;
  append(fold_all(systems_, systems, [](const System& a, const System& b) { return a.number < b.number; }));
  std::vector<std::uint32_t> system_numbers;
  system_numbers.reserve(systems.size());
  for (const System& s : systems) system_numbers.push_back(s.number);

  // Labels and names of feeds, by text.
  std::map<std::string_view, std::uint32_t> offsets;
  for (const std::string& label : labels_) offsets.try_emplace(label, 0);
  for (const std::string& name : feeds_) offsets.try_emplace(name, 0);
  std::string text(2, '\0');  // offset 0: ""
  for (auto& [value, offset] : offsets) {
    too_large |= text.size() >= UINT32_MAX - kLongestLabel - 2;
    if (value.empty() || too_large) continue;
    offset = static_cast<std::uint32_t>(text.size());
    put_text(text, value);
  }
  std::vector<std::uint32_t> feeds;
  feeds.reserve(feeds_.size());
  for (const std::string& name : feeds_) feeds.push_back(offsets[name]);
  std::vector<std::uint32_t> label_offsets;
  label_offsets.reserve(labels_.size());
  for (const std::string& label : labels_) label_offsets.push_back(offsets[label]);

  // Shapes, the most frequent first.
  struct Counted {
    file::Shape shape;
    std::uint64_t count = 0;
    std::uint32_t number = 0;  // in the order of their first statements
  };
  const auto shape_of = [&](const Row& r) {
    return file::Shape{label_offsets[r.label], r.feed, r.port, r.confidence, r.flags, 0};
  };
  const auto key_of = [](const file::Shape& s) { return std::tuple(s.label, s.feed, s.port, s.confidence, s.flags); };
  using ShapeKey = decltype(key_of(file::Shape{}));
  absl::flat_hash_map<ShapeKey, std::uint32_t> shape_numbers;
  std::vector<Counted> counted;
  std::vector<std::uint32_t> shape_of_kept;
  shape_of_kept.reserve(kept_.size());
  std::uint32_t earliest = UINT32_MAX;
  constexpr std::size_t kAhead = 16;  // rows lie in the order in which they came: a cache miss each
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (i + kAhead < kept_.size()) __builtin_prefetch(&rows_[kept_[i + kAhead]]);
    const Row& r = rows_[kept_[i]];
    const file::Shape shape = shape_of(r);
    const auto [at, is_new] = shape_numbers.try_emplace(key_of(shape), static_cast<std::uint32_t>(counted.size()));
    if (is_new) counted.push_back({shape, 0, at->second});
    ++counted[at->second].count;
    shape_of_kept.push_back(at->second);
    for (const std::uint32_t time : {r.valid_from, r.valid_until, r.first_seen, r.last_seen}) {
      if (time != 0) earliest = std::min(earliest, time);
    }
  }
  if (earliest == UINT32_MAX) earliest = 0;
  std::sort(counted.begin(), counted.end(), [&](const Counted& a, const Counted& b) {
    return a.count != b.count ? a.count > b.count : key_of(a.shape) < key_of(b.shape);
  });
  std::vector<file::Shape> shapes;
  shapes.reserve(counted.size());
  std::vector<std::uint32_t> shape_rank(counted.size());
  for (const Counted& c : counted) {
    shape_rank[c.number] = static_cast<std::uint32_t>(shapes.size());
    shapes.push_back(c.shape);
  }

  // Statements.
  std::string statements;
  std::vector<std::uint32_t> groups;
  std::string one;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    too_large |= statements.size() > UINT32_MAX;
    if (too_large) break;
    if (i % file::kEntriesPerGroup == 0) groups.push_back(static_cast<std::uint32_t>(statements.size()));
    if (i + 2 * kAhead < entries.size()) {
      __builtin_prefetch(&kept_[entries[i + 2 * kAhead].first]);
      __builtin_prefetch(&shape_of_kept[entries[i + 2 * kAhead].first]);
      __builtin_prefetch(&rows_[kept_[entries[i + kAhead].first]]);
    }
    one.clear();
    for (std::uint32_t j = 0; j < entries[i].count; ++j) {
      const Row& r = rows_[kept_[entries[i].first + j]];
      put_varint(one, shape_rank[shape_of_kept[entries[i].first + j]]);
      const std::size_t given_at = one.size();
      one.push_back(0);
      std::uint8_t given = 0;
      std::int64_t before = earliest;
      const std::pair<std::uint8_t, std::uint32_t> times[] = {{file::kHasValidFrom, r.valid_from},
                                                              {file::kHasFirstSeen, r.first_seen},
                                                              {file::kHasLastSeen, r.last_seen},
                                                              {file::kHasValidUntil, r.valid_until}};
      for (const auto& [has, time] : times) {
        if (time == 0) continue;
        given |= has;
        const std::int64_t change = std::int64_t{time} - before;
        put_varint(one, static_cast<std::uint64_t>(change) << 1 ^ static_cast<std::uint64_t>(change >> 63));
        before = time;
      }
      one[given_at] = static_cast<char>(given);
    }
    put_varint(statements, one.size());
    statements += one;
  }
  counts_.kept = kept_.size();
  counts_.entries = entries.size();

  const std::span<const std::byte> bodies[file::kSectionCount] = {
      std::as_bytes(std::span(feeds)),
      std::as_bytes(std::span(text)),
      std::as_bytes(std::span(shapes)),
      std::as_bytes(std::span(groups)),
      std::as_bytes(std::span(statements)),
      std::as_bytes(std::span(v4_filter)),
      std::as_bytes(std::span(v4_lines)),
      std::as_bytes(std::span(v4_keys)),
      std::as_bytes(std::span(v4_map)),
      std::as_bytes(std::span(v4_run_lines)),
      std::as_bytes(std::span(v4_starts)),
      std::as_bytes(std::span(v4_runs.values)),
      std::as_bytes(std::span(v4_bases)),
      std::as_bytes(std::span(v4_lengths)),
      std::as_bytes(std::span(v4_runs.parents)),
      std::as_bytes(std::span(v6_lines)),
      std::as_bytes(std::span(v6_keys)),
      std::as_bytes(std::span(highs)),
      std::as_bytes(std::span(lows)),
      std::as_bytes(std::span(v6_runs.values)),
      std::as_bytes(std::span(v6_bases)),
      std::as_bytes(std::span(v6_lengths)),
      std::as_bytes(std::span(v6_runs.parents)),
      std::as_bytes(std::span(text_lines)),
      std::as_bytes(std::span(text_offsets)),
      std::as_bytes(std::span(text_keys)),
      std::as_bytes(std::span(system_numbers)),
  };
  file::Header header{};
  std::memcpy(header.magic, file::kMagic, sizeof header.magic);
  header.header_bytes = sizeof header;
  header.built = built;
  header.v4_seed = v4_order.seed;
  header.v6_seed = v6_order.seed;
  header.text_seed = text_order.seed;
  header.statements = kept_.size();
  header.earliest_time = earliest;
  std::uint64_t size = file::kAlignment;
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    header.sections[i] = {size, bodies[i].size() / file::kElementBytes[i]};
    size = (size + bodies[i].size() + file::kAlignment - 1) / file::kAlignment * file::kAlignment;
  }
  header.file_bytes = size;
  if (too_large || size > IndicatorTable::kMostFileBytes || entries.size() >= file::kNone) return {};

  std::string image(static_cast<std::size_t>(size), '\0');
  for (std::uint32_t i = 0; i < file::kSectionCount; ++i) {
    if (!bodies[i].empty()) std::memcpy(image.data() + header.sections[i].offset, bodies[i].data(), bodies[i].size());
  }
  header.body_checksum = file::checksum(image.data() + file::kAlignment, image.size() - file::kAlignment);
  header.header_checksum = file::checksum(&header, offsetof(file::Header, header_checksum));
  std::memcpy(image.data(), &header, sizeof header);
  return image;
}

core::Expected<std::string> IndicatorTableWriter::image(std::int64_t built) {
  try {
    std::string out = rows_.size() < file::kNone ? assemble(built) : std::string();
    if (!out.empty()) return out;
  } catch (const std::bad_alloc&) {
    return core::fail("not enough memory to make the table of indicators", fmt::format("{} statements", rows_.size()));
  }
  return core::fail("the table of indicators grows beyond its format", fmt::format("{} statements", rows_.size()),
                    "take fewer feeds");
}

core::Expected<std::uint64_t> IndicatorTableWriter::write(const std::string& path, std::int64_t built) {
  const auto bytes = image(built);
  if (!bytes) return std::unexpected(bytes.error());
  const auto failed = [](const std::string& where, int error) {
    return std::unexpected(core::Error{"cannot write the table of indicators", where + ": " + std::strerror(error),
                                       "is there room, and may orbwatch write there?", core::ErrorKind::kOutput});
  };
  std::error_code ignored;
  const std::filesystem::path target(path);
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), ignored);
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return failed(path, errno);
  int error = 0;
  for (std::size_t done = 0; done < bytes->size() && error == 0;) {
    const ssize_t wrote = ::write(fd, bytes->data() + done, bytes->size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0)) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return failed(path, error);
  }
  // The name must survive a crash, too; a file system that cannot sync a directory has still got the file.
  const std::string parent = target.has_parent_path() ? target.parent_path().string() : ".";
  if (const int dir = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    static_cast<void>(fsync(dir));
    ::close(dir);
  }
  return bytes->size();
}

}  // namespace orbwatch::intel
