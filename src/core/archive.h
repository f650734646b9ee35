// A binary archive: state that outlives the process, written and read by one function for each struct.
//
//   template <typename Archive>
//   void persist(Archive& a, Thing& t) {          // in the namespace of Thing; for both directions
//     a(t.count, t.name, t.children);
//     a.enumeration(t.kind, Kind::kLast);
//   }
//
// The form: a header (magic, version of the form), blocks of at most kBlock bytes, each with its length and a CRC-32C
// (RFC 3720, B.4) over its number, length and bytes, and an empty block as the end. Every bit of a file is covered: a
// file that is cut anywhere, or in which a bit has changed, gives an error. A number never lies over the end of a
// block.
//
// Values: whole numbers as LEB128 (signed ones in zigzag), floating point as it is (a NaN is refused, for it would
// break every order), arrays of numbers as a mask of what is not zero and these values, Symbols as numbers of a table
// of texts that grows within the archive, since their ids differ from process to process.
//
// Sections name what follows and the number of its layout; whoever changes what a persist() lists raises the number of
// its section. It may go on reading older layouts; a section of any other is refused, never guessed at.
//
// Errors stick: after the first one a writer writes nothing more and a reader gives zeros and empty containers; ask
// once, at the end. A forged length allocates no more than some times the bytes that are really there. The checksums
// protect against damage, not against somebody who may write the file: such a file gives wrong values, but within the
// ranges that enumeration(), bounded() and moment() state, so that it crashes nothing.
//
// Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::core {

static_assert(std::endian::native == std::endian::little, "the archive's numbers are little-endian");

template <typename T>
concept ArchivedNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

// What writer and reader have in common: how each type is put together from the few steps that they define.
template <typename Self>
class ArchiveValues {
 public:
  template <typename... T>
  void operator()(T&&... values) {
    (value(const_cast<std::remove_cvref_t<T>&>(values)), ...);
  }

  // An enum from 0 to `last`; another number is damage.
  template <typename E>
    requires std::is_enum_v<E>
  void enumeration(const E& e, E last) {
    auto number = static_cast<std::underlying_type_t<E>>(e);
    bounded(number, static_cast<std::underlying_type_t<E>>(last));
    if constexpr (Self::kReads) const_cast<E&>(e) = static_cast<E>(number);
  }
  // A whole number from 0 to `most`.
  template <std::integral T>
  void bounded(const T& number, T most) {
    value(const_cast<T&>(number));
    if constexpr (Self::kReads) {
      if (number >= 0 && number <= most) return;
      const_cast<T&>(number) = 0;
      self().refuse("a number is out of its range");
    }
  }
  // A time from 1970 to the year 2210, so that calculating with it cannot overflow. 0 is "none".
  void moment(const Nanoseconds& time) { bounded(time, Nanoseconds{7'573'824'000} * kSecond); }
  template <typename... T>
  void moments(const T&... times) {
    (moment(times), ...);
  }
  // A Symbol that is kept as its number.
  void symbol_id(const std::uint32_t& id) {
    Symbol symbol(id);
    self().symbol(symbol);
    if constexpr (Self::kReads) const_cast<std::uint32_t&>(id) = symbol.id();
  }
  // A text of static storage, out of a closed vocabulary (of some thousands at most). What is read lasts as well.
  void constant(const std::string_view& text) {
    if constexpr (Self::kReads) {
      self().lasting(const_cast<std::string_view&>(text));
    } else {
      self().text_view(text);
    }
  }
  // Numbers of which most are zero.
  template <ArchivedNumber T>
  void sparse(std::span<T> values) {
    for (std::size_t from = 0; from < values.size(); from += 64) {
      const std::size_t n = std::min<std::size_t>(64, values.size() - from);
      std::uint64_t mask = 0;
      if constexpr (!Self::kReads) {
        for (std::size_t i = 0; i < n; ++i) mask |= std::uint64_t{values[from + i] != T{}} << i;
      }
      self().number(mask);
      if (n < 64 && mask >> n != 0) {
        self().refuse("a mask is longer than its array");
        return;
      }
      if constexpr (Self::kReads) std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(from), n, T{});
      for (; mask != 0; mask &= mask - 1) value(values[from + static_cast<std::size_t>(std::countr_zero(mask))]);
    }
  }
  // So many elements follow; when reading, the number that was written. Each must take a byte at least.
  std::size_t count(std::size_t n) {
    std::uint64_t all = n;
    self().number(all);
    if constexpr (Self::kReads) {
      if (all <= self().left()) return static_cast<std::size_t>(all);
      self().refuse("a length is more than what is left");
      return 0;
    }
    return n;
  }
  // Each element by a function of one's own: each(element). Reading appends to an empty container.
  template <typename Sequence, typename Each>
  void sequence(Sequence& sequence, Each&& each) {
    const std::size_t n = count(sequence.size());
    if constexpr (Self::kReads) {
      sequence.clear();
      if constexpr (requires { sequence.reserve(n); }) sequence.reserve(room(n));
      for (std::size_t i = 0; i < n && self().ok(); ++i) {
        sequence.emplace_back();
        each(sequence.back());
      }
    } else {
      for (auto& element : sequence) each(element);
    }
  }
  // Each key and value by a function of one's own: each(key, value).
  template <typename Map, typename Each>
  void entries(Map& map, Each&& each) {
    const std::size_t n = count(map.size());
    if constexpr (Self::kReads) {
      map.clear();
      if constexpr (requires { map.reserve(n); }) map.reserve(room(n));
      for (std::size_t i = 0; i < n && self().ok(); ++i) {
        typename Map::key_type key{};
        typename Map::mapped_type mapped{};
        each(key, mapped);
        if (!self().ok()) return;
        if (!map.emplace(std::move(key), std::move(mapped)).second) self().refuse("a key stands there twice");
      }
    } else {
      for (auto& [key, mapped] : map) each(const_cast<typename Map::key_type&>(key), mapped);
    }
  }

 private:
  friend Self;
  ArchiveValues() = default;

  // For how many elements room is made at once; more is made as they come. Hash maps want all of it: to fill one in the
  // order of another while it grows is slow.
  std::size_t room(std::size_t n) {
    return std::min<std::size_t>(n, std::max<std::size_t>(1024, static_cast<std::size_t>(self().left() / 8)));
  }

  Self& self() { return static_cast<Self&>(*this); }

  template <typename T>
  void value(T& v) {
    static_assert(!std::is_enum_v<T>, "an enum needs its last value: enumeration(value, last)");
    static_assert(!std::is_pointer_v<T> && !std::is_same_v<T, std::string_view>, "what is pointed to does not last");
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t byte = v ? 1 : 0;
      self().byte(byte);
      if (byte > 1) self().refuse("a truth value is neither");
      v = byte == 1;
    } else if constexpr (std::is_same_v<T, std::uint8_t>) {
      self().byte(v);
    } else if constexpr (std::is_floating_point_v<T>) {
      self().raw(&v, sizeof v);
      if constexpr (Self::kReads) {
        if (!std::isnan(v)) return;
        v = 0;
        self().refuse("a number is none (NaN)");
      }
    } else if constexpr (std::is_integral_v<T>) {
      whole(v);
    } else {
      persist(self(), v);
    }
  }
  template <typename T>
  void whole(T& v) {
    std::uint64_t bits = 0;
    if constexpr (!Self::kReads) {
      if constexpr (std::is_signed_v<T>) {
        const auto wide = static_cast<std::int64_t>(v);
        bits = static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63);
      } else {
        bits = v;
      }
    }
    self().number(bits);
    if constexpr (Self::kReads) {
      if constexpr (std::is_signed_v<T>) {
        const auto wide = static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
        v = static_cast<T>(wide);
        if (static_cast<std::int64_t>(v) != wide) self().refuse("a number is too long for its field");
      } else {
        v = static_cast<T>(bits);
        if (v != bits) self().refuse("a number is too long for its field");
      }
    }
  }
};

class ArchiveWriter : public ArchiveValues<ArchiveWriter> {
 public:
  static constexpr bool kReads = false;

  // In memory: see take().
  ArchiveWriter();
  // To a file, a block at a time. It is made as `path`.partial and takes its place in finish(); a writer that is thrown
  // away before removes it. Errors: it cannot be made or written.
  static Expected<ArchiveWriter> to_file(const std::string& path);
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;
  ~ArchiveWriter();

  // What follows and the number of its layout, which is returned (see ArchiveReader::section).
  std::uint32_t section(std::string_view name, std::uint32_t layout, std::uint32_t oldest = 0);

  // The end. A file is on the disk and in its place then. Errors: what went wrong first.
  Expected<void> finish();
  // Of a writer in memory, behind finish().
  std::string take() { return std::move(out_); }
  std::uint64_t size() const { return size_; }  // bytes of whole blocks so far
  bool ok() const { return !failed_; }

 private:
  friend class ArchiveValues<ArchiveWriter>;
  friend std::string sealed(std::string_view inside);
  template <typename A>
  friend void persist(A& a, Symbol& symbol);
  template <typename A>
  friend void persist(A& a, Ip& ip);
  template <typename A>
  friend void persist(A& a, std::string& text);

  struct File;

  void byte(std::uint8_t v) {
    if (end_ == at_) next_block();
    *at_++ = static_cast<char>(v);
  }
  void number(std::uint64_t v) {
    if (end_ - at_ < 10) next_block();
    for (; v >= 0x80; v >>= 7) *at_++ = static_cast<char>(v | 0x80);
    *at_++ = static_cast<char>(v);
  }
  void raw(const void* from, std::size_t n) {
    if (static_cast<std::size_t>(end_ - at_) < n) next_block();
    std::memcpy(at_, from, n);
    at_ += n;
  }
  void text(const std::string& text) { text_view(text); }
  void text_view(std::string_view text);
  void append(std::string_view bytes);
  void symbol(Symbol symbol);
  void refuse(const char*) {}
  void next_block();
  void put(std::string_view bytes);

  std::unique_ptr<char[]> block_;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::uint64_t blocks_ = 0;
  std::uint64_t size_ = 0;
  std::string out_;
  std::unique_ptr<File> file_;
  std::vector<std::uint32_t> known_;  // by a symbol's id: its number in this archive + 1
  std::uint32_t symbols_ = 0;
  bool failed_ = false;
  bool finished_ = false;
  Error error_;
};

class ArchiveReader : public ArchiveValues<ArchiveReader> {
 public:
  static constexpr bool kReads = true;

  // `bytes` must outlive the reader.
  explicit ArchiveReader(std::string_view bytes);
  // Errors: it cannot be read. What is in it is only looked at by the calls below.
  static Expected<ArchiveReader> from_file(const std::string& path);
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  // Refuses unless this very section begins here, in this layout or in one from `oldest` on that can be read as well (0
  // = only this one). Returns the layout in which it stands: what a newer one adds is then left as it is.
  std::uint32_t section(std::string_view name, std::uint32_t layout, std::uint32_t oldest = 0);
  // The error that came first, if any: for whoever reads only a part of the archive.
  Expected<void> check() const;
  // The same, and that nothing follows: every byte was looked at.
  Expected<void> finish();
  bool ok() const { return !failed_; }
  // For what a persist() finds wrong by itself.
  void refuse(std::string seen);
  std::uint64_t left() const;  // bytes that can still come, an upper bound

 private:
  friend class ArchiveValues<ArchiveReader>;
  template <typename A>
  friend void persist(A& a, Symbol& symbol);
  template <typename A>
  friend void persist(A& a, Ip& ip);
  template <typename A>
  friend void persist(A& a, std::string& text);

  struct File;

  void byte(std::uint8_t& v) {
    v = 0;
    if (at_ == end_ && !next_block()) return;
    v = static_cast<std::uint8_t>(*at_++);
  }
  void number(std::uint64_t& v) {
    if (at_ != end_ && static_cast<std::uint8_t>(*at_) < 0x80) {  // as most are
      v = static_cast<std::uint8_t>(*at_++);
    } else {
      v = long_number();
    }
  }
  std::uint64_t long_number();
  void raw(void* to, std::size_t n) {
    if (at_ == end_) next_block();
    if (static_cast<std::size_t>(end_ - at_) < n) {
      std::memset(to, 0, n);
      refuse("a number does not end");
      return;
    }
    std::memcpy(to, at_, n);
    at_ += n;
  }
  void text(std::string& text);
  void lasting(std::string_view& text);
  void symbol(Symbol& symbol);
  bool next_block();
  bool read_block();
  bool get(void* to, std::size_t n);
  void fail_with(std::string message, std::string seen, std::string hint);

  std::string_view bytes_;  // what is left, in memory
  std::unique_ptr<File> file_;
  std::unique_ptr<char[]> block_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t blocks_ = 0;
  std::vector<Symbol> symbols_;
  bool began_ = false;
  bool ended_ = false;
  bool failed_ = false;
  Error error_;
};

// An archive of these bytes, with sound checksums: for tests of what reads it.
std::string sealed(std::string_view inside);

template <typename A>
void persist(A& a, Symbol& symbol) {
  a.symbol(symbol);
}

template <typename A>
void persist(A& a, std::string& text) {
  a.text(text);
}

template <typename A>
void persist(A& a, Ip& ip) {
  std::uint8_t family = !ip.present() ? 0 : ip.is_v4() ? 4 : 6;
  a.byte(family);
  if (family == 4) {
    if constexpr (A::kReads) ip = Ip::v4(0);
    a.raw(ip.bytes.data() + 12, 4);
  } else if (family == 6) {
    a.raw(ip.bytes.data(), 16);
  } else if constexpr (A::kReads) {
    ip = Ip();
    if (family != 0) a.refuse("an address is of no known family");
  }
}

template <typename A, typename T, std::size_t N>
void persist(A& a, std::array<T, N>& values) {
  if constexpr (ArchivedNumber<T>) {
    a.sparse(std::span<T>(values));
  } else {
    for (T& v : values) a(v);
  }
}
template <typename A, typename T, std::size_t N>
void persist(A& a, T (&values)[N]) {
  if constexpr (ArchivedNumber<T>) {
    a.sparse(std::span<T>(values));
  } else {
    for (T& v : values) a(v);
  }
}
template <typename A, typename T>
void persist(A& a, std::vector<T>& values) {
  a.sequence(values, [&](T& v) { a(v); });
}
template <typename A, typename T>
void persist(A& a, std::deque<T>& values) {
  a.sequence(values, [&](T& v) { a(v); });
}
template <typename A, typename X, typename Y>
void persist(A& a, std::pair<X, Y>& pair) {
  a(const_cast<std::remove_const_t<X>&>(pair.first), pair.second);
}
template <typename A, typename T>
void persist(A& a, std::optional<T>& value) {
  bool there = value.has_value();
  a(there);
  if constexpr (A::kReads) value = there ? std::optional<T>(std::in_place) : std::nullopt;
  if (there) a(*value);
}
template <typename A, typename T>
void persist(A& a, std::unique_ptr<T>& value) {
  bool there = value != nullptr;
  a(there);
  if constexpr (A::kReads) value = there ? std::make_unique<T>() : nullptr;
  if (there) a(*value);
}
template <typename A, typename K, typename V>
void persist(A& a, absl::flat_hash_map<K, V>& map) {
  a.entries(map, [&](K& key, V& mapped) { a(key, mapped); });
}
template <typename A, typename K, typename V>
void persist(A& a, std::map<K, V>& map) {
  a.entries(map, [&](K& key, V& mapped) { a(key, mapped); });
}
template <typename A, typename K>
void persist(A& a, absl::flat_hash_set<K>& set) {
  const std::size_t n = a.count(set.size());
  if constexpr (A::kReads) {
    set.clear();
    for (std::size_t i = 0; i < n && a.ok(); ++i) {
      K key{};
      a(key);
      if (a.ok() && !set.insert(std::move(key)).second) a.refuse("a key stands there twice");
    }
  } else {
    for (const K& key : set) a(key);
  }
}

}  // namespace orbwatch::core
