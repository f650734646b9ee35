// Where the next of a few bytes stands, or a short text. For the short distances between the delimiters of a record,
// where a call of memchr costs more than it finds.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace orbwatch::decode {

// The place of the first byte at or behind `at`, before `size`, that is one of `wanted`; `size` if there is none. Reads
// nothing at or behind `size`.
template <std::size_t N>
[[gnu::always_inline]] inline std::size_t find_byte(const char* text, std::size_t at, std::size_t size,
                                                    const char (&wanted)[N]) {
#if defined(__SSE2__)
  for (; at + 16 <= size; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + at));
    __m128i found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted[0]));
#pragma GCC unroll 16  // else each byte would be read and spread anew
    for (std::size_t i = 1; i < N; ++i) found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted[i])));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (bits != 0) return at + static_cast<std::size_t>(std::countr_zero(bits));
  }
#endif
  for (; at < size; ++at) {
    for (const char c : wanted) {
      if (text[at] == c) return at;
    }
  }
  return at;
}

// Does `wanted` stand in a text that is readable 16 bytes behind its end, as all are that lie in a record?
[[gnu::always_inline]] inline bool holds_byte(const char* text, std::size_t size, char wanted) {
#if defined(__SSE2__)
  for (std::size_t at = 0; at < size; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + at));
    auto bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
    if (size - at < 16) bits &= (1U << (size - at)) - 1;
    if (bits != 0) return true;
  }
  return false;
#else
  return find_byte(text, 0, size, {wanted}) != size;
#endif
}

// As text.find(wanted, at), for a `wanted` of at least four bytes. Compares the second byte and the last but one first:
// names in quotes and tags begin and end with what is everywhere.
inline std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t at = 0) {
#if defined(__SSE2__)
  const std::size_t back = wanted.size() - 2;
  const __m128i second = _mm_set1_epi8(wanted[1]);
  const __m128i last = _mm_set1_epi8(wanted[back]);
  for (; at + back + 17 <= text.size(); at += 16) {
    const auto load = [&](std::size_t from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
    };
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(load(at + 1), second), _mm_cmpeq_epi8(load(at + back), last));
    for (auto bits = static_cast<unsigned>(_mm_movemask_epi8(both)); bits != 0; bits &= bits - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(bits));
      if (std::memcmp(text.data() + place, wanted.data(), wanted.size()) == 0) return place;
    }
  }
#endif
  return text.find(wanted, at);
}

inline bool holds_text(std::string_view text, std::string_view wanted) {
  return find_text(text, wanted) != std::string_view::npos;
}

}  // namespace orbwatch::decode
