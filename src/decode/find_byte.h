// Where the next of a few bytes stands. For the short distances between the delimiters of a record, where a call of
// memchr costs more than it finds.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>

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

}  // namespace orbwatch::decode
