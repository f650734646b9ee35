// Interned strings: a Symbol is a number for a string that many events share (a user, a gateway, a reason).
//
// One table for the whole process. Thread-safe; a look-up that hits the calling thread's cache takes no lock. Strings
// are never freed, so intern only closed or slowly growing vocabularies (users, devices, software names), never values
// that are new on each line (session ids, free text with numbers): those go into 64-bit fields (see hash64).
//
// The numbers depend on the order of interning, hence on threads: never order output by them. Order by text().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace orbwatch::core {

class Symbol {
 public:
  constexpr Symbol() = default;
  constexpr explicit Symbol(std::uint32_t id) : id_(id) {}

  constexpr std::uint32_t id() const { return id_; }
  constexpr bool present() const { return id_ != 0; }  // symbol 0 is the empty string: "absent"
  std::string_view text() const;                       // valid for the life of the process

  friend constexpr bool operator==(Symbol, Symbol) = default;
  template <typename H>
  friend H AbslHashValue(H h, Symbol s) {
    return H::combine(std::move(h), s.id_);
  }

 private:
  std::uint32_t id_ = 0;
};

// Longer strings are cut to kLongestSymbol bytes. Once the table holds kMostSymbolBytes, every new string becomes the
// one symbol "(too many names)": memory stays bounded against hostile input, and symbol_overflow() counts what was
// folded.
constexpr std::size_t kLongestSymbol = 1024;
constexpr std::size_t kMostSymbolBytes = std::size_t{256} << 20;

Symbol intern(std::string_view text);
std::uint64_t symbol_overflow();
std::size_t symbol_count();

// A stable 64-bit hash of a string (FNV-1a folded through a finaliser): equal on every machine and in every run.
std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0);

}  // namespace orbwatch::core
