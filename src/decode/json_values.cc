#include "decode/json_values.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>

#include "core/text.h"
#include "decode/name_table.h"

namespace orbwatch::decode {
namespace {

constexpr std::size_t kShownOfTooLong = 256;  // bytes kept of a record that is too long
constexpr std::size_t kMostAround = 64;       // brackets around the records; what is nested deeper is taken as a record

enum class NameKind : std::uint8_t {
  // Arrays that hold the records of an export, wherever the name stands: CloudTrail and Azure ("Records", "records"),
  // Duo ("authlogs"), Elasticsearch ("hits"), authentik ("results"), CloudWatch ("logEvents").
  kSure = 1,
  // These are also names within records (Google's activities have "events"): only in an object that had nothing but
  // plain values before. Graph ("value"), Google ("items", "activities"), Cloudflare ("result"), Duo ("response"),
  // Tailscale.
  kLikely = 2,
};
constexpr NameTable kNames(std::to_array<Name<NameKind>>({{"Records", NameKind::kSure},
                                                          {"records", NameKind::kSure},
                                                          {"authlogs", NameKind::kSure},
                                                          {"hits", NameKind::kSure},
                                                          {"results", NameKind::kSure},
                                                          {"logEvents", NameKind::kSure},
                                                          {"value", NameKind::kLikely},
                                                          {"events", NameKind::kLikely},
                                                          {"Events", NameKind::kLikely},
                                                          {"logs", NameKind::kLikely},
                                                          {"items", NameKind::kLikely},
                                                          {"data", NameKind::kLikely},
                                                          {"activities", NameKind::kLikely},
                                                          {"result", NameKind::kLikely},
                                                          {"response", NameKind::kLikely},
                                                          {"entries", NameKind::kLikely},
                                                          {"Items", NameKind::kLikely}}));
// Objects that hold such an array instead.
bool is_holder(std::string_view name) { return name == "response" || name == "hits"; }

std::string_view trimmed_back(std::string_view text) {
  while (!text.empty() && core::is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The name in front of a value: of `..., "Records" : ` it is Records.
std::string_view name_at_end(std::string_view text) {
  text = trimmed_back(text);
  if (text.empty() || text.back() != ':') return {};
  text = trimmed_back(text.substr(0, text.size() - 1));
  if (text.size() < 2 || text.back() != '"') return {};
  text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin != 0 && text[begin - 1] != '"') --begin;
  return begin == 0 ? std::string_view{} : text.substr(begin);
}

// Nothing but the opening bracket stands before the name, or only Graph's "@odata..." values.
bool holds_nothing_before(std::string_view text) {
  text.remove_prefix(1);
  text = core::trim(text);
  return text.starts_with("\"@odata.") || std::count(text.begin(), text.end(), '"') == 2;
}

// Bit i stands for byte i of 64.
struct Block {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t brackets = 0;
};

Block look_at(const char* p) {
  Block block;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i lower = _mm_set1_epi8(0x20);
  const __m128i open = _mm_set1_epi8('{');  // '[' | 0x20 == '{' and ']' | 0x20 == '}'
  const __m128i close = _mm_set1_epi8('}');
  const auto bits = [](__m128i mask, unsigned i) {
    return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(mask))) << (16 * i);
  };
  __m128i slashes[4];
#pragma GCC unroll 4
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    const __m128i folded = _mm_or_si128(bytes, lower);
    slashes[i] = _mm_cmpeq_epi8(bytes, backslash);
    block.quotes |= bits(_mm_cmpeq_epi8(bytes, quote), i);
    block.brackets |= bits(_mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close)), i);
  }
  const __m128i any = _mm_or_si128(_mm_or_si128(slashes[0], slashes[1]), _mm_or_si128(slashes[2], slashes[3]));
  if (_mm_movemask_epi8(any) != 0) {  // mostly there is none
    for (unsigned i = 0; i < 4; ++i) block.backslashes |= bits(slashes[i], i);
  }
#else
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const char c = p[i];
    if (c == '"') block.quotes |= bit;
    if (c == '\\') block.backslashes |= bit;
    if (c == '{' || c == '}' || c == '[' || c == ']') block.brackets |= bit;
  }
#endif
  return block;
}

// Bytes behind a backslash that is not escaped itself. `carried`: the byte before was such a backslash.
std::uint64_t escaped_bytes(std::uint64_t backslashes, bool& carried) {
  std::uint64_t escaped = carried ? 1 : 0;
  carried = false;
  backslashes &= ~escaped;
  while (backslashes != 0) {
    const int at = std::countr_zero(backslashes);
    if (at == 63) {
      carried = true;
      break;
    }
    escaped |= std::uint64_t{2} << at;
    backslashes &= ~(std::uint64_t{3} << at);
  }
  return escaped;
}

// Bit i = exclusive or of the bits 0..i: 1 from an opening quote up to before its closing one.
std::uint64_t prefix_xor(std::uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

std::uint64_t below(std::size_t bit) { return bit >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bit) - 1; }

}  // namespace

JsonValues::Found JsonValues::next(std::string_view& bytes, Piece& piece) {
  if (depth_ == 0) carry_.clear();
  while (!bytes.empty()) {
    if (depth_ == 0 && !between(bytes)) {
      if (bytes.empty()) break;
      piece = {bytes.substr(0, 1), offset_, line_, false};
      use(bytes, 1);
      return Found::kNotJson;
    }
    const Found found = inside(bytes, piece);
    if (found != Found::kNothing) return found;
  }
  return Found::kNothing;
}

JsonValues::Found JsonValues::finish(Piece& piece) {
  const bool open = depth_ != 0 && !skipped_;
  depth_ = 0;
  if (!open) return Found::kNothing;
  carry_.reserve(carry_.size() + core::kPadding);
  piece = {carry_, begin_offset_, begin_line_, true};
  return too_long_ ? Found::kTooLong : Found::kTruncated;
}

void JsonValues::use(std::string_view& bytes, std::size_t count) {
  line_ += static_cast<std::uint32_t>(core::count_lines(bytes.substr(0, count)));
  bytes.remove_prefix(count);
  offset_ += count;
}

// Moves to the bracket that opens the next value. False: to text that is no JSON, or the bytes are used up.
bool JsonValues::between(std::string_view& bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(1), ++offset_) {
    const char c = bytes.front();
    if (c == '\n') ++line_;
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == '{' || (c == '[' && around_.size() >= kMostAround)) {
      garbage_ = false;
      skipped_ = !around_.empty() && around_.back() == '{';
      too_long_ = nested_before_ = in_response_ = asked_ = nothing_else_ = false;
      begin_offset_ = offset_;
      begin_line_ = line_;
      carry_.clear();
      return true;
    }
    if (c == '[') {
      around_ += c;
      garbage_ = false;
    } else if (c == ']' || c == '}') {
      if (!around_.empty()) around_.pop_back();
      garbage_ = false;
    } else if (c == '\n') {
      garbage_ = false;
    } else if (!around_.empty()) {
      in_string_ = c == '"';
    } else if (!core::is_space(c) && c != ',' && c != '\x1e' && static_cast<unsigned char>(c) < 0x80 && !garbage_) {
      garbage_ = true;
      return false;
    }
  }
  return false;
}

JsonValues::Found JsonValues::inside(std::string_view& bytes, Piece& piece) {
  const char* begin = bytes.data();  // of what is not in carry_
  const char* const end = begin + bytes.size();
  const char* p = begin;
  while (p < end) {
    const auto size = std::min<std::size_t>(64, static_cast<std::size_t>(end - p));
    Block block = look_at(p);
    const std::uint64_t valid = below(size);
    bool carried = escaped_;
    const std::uint64_t escaped = escaped_bytes(block.backslashes & valid, carried);
    const std::uint64_t strings =
        prefix_xor(block.quotes & ~escaped & valid) ^ (in_string_ ? ~std::uint64_t{0} : std::uint64_t{0});
    std::uint64_t brackets = block.brackets & ~strings & valid;
    for (; brackets != 0; brackets &= brackets - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(brackets));
      const char c = p[i];
      if (asked_ && container(c, begin, p + i)) {
        in_string_ = escaped_ = false;
        use(bytes, static_cast<std::size_t>(p + i - bytes.data()));
        return Found::kNothing;
      }
      if (c == '{' || c == '[') {
        opened(c, begin, p + i);
        continue;
      }
      if (--depth_ == 1) {
        nested_before_ = true;
        in_response_ = false;
      }
      if (depth_ != 0) continue;
      in_string_ = escaped_ = false;
      use(bytes, static_cast<std::size_t>(p + i + 1 - bytes.data()));
      return finished(begin, p + i + 1, piece);
    }
    in_string_ = (strings >> (size - 1) & 1) != 0;
    // An escape at the end of a short block.
    escaped_ = size == 64 ? carried : (escaped >> size & 1) != 0;
    p += size;
  }
  use(bytes, bytes.size());
  keep(begin, end);
  return Found::kNothing;
}

// The value up to `until`, in one piece.
std::string_view JsonValues::seen(const char*& begin, const char* until) {
  if (carry_.empty()) return {begin, static_cast<std::size_t>(until - begin)};
  keep(begin, until);
  begin = until;
  return carry_;
}

void JsonValues::keep(const char* begin, const char* end) {
  if (skipped_) return;
  const auto size = static_cast<std::size_t>(end - begin);
  if (!too_long_ && carry_.size() + size <= longest_) {
    carry_.append(begin, end);
    return;
  }
  // What is shown of the record must not depend on where the input was cut.
  too_long_ = true;
  if (asked_) asked_ = nothing_else_ = false;
  carry_.resize(std::min(carry_.size(), kShownOfTooLong));
  carry_.append(begin, std::min(size, kShownOfTooLong - carry_.size()));
}

// A bracket opens within the value (or opens the value itself) at `at`.
void JsonValues::opened(char bracket, const char*& begin, const char* at) {
  ++depth_;
  if (depth_ < 2 || depth_ > 3 || skipped_ || too_long_ || (depth_ == 3 && !in_response_)) return;
  const std::string_view before = seen(begin, at);
  if (too_long_ || before.size() > longest_) return;  // where it is cut must not show
  const std::string_view name = name_at_end(before);
  if (bracket == '{') {
    if (depth_ == 2) in_response_ = is_holder(name);
    return;
  }
  const NameKind* const kind = kNames.find(name);
  if (kind == nullptr || (*kind == NameKind::kLikely && nested_before_ && depth_ == 2)) return;
  asked_ = around_.size() + depth_ <= kMostAround;
  array_at_ = before.size();
  nothing_else_ = depth_ == 2 && holds_nothing_before(before);
}

// The first bracket behind the array that may hold the records. If it opens an object, they begin here, and what was
// taken for a record is what stands around them.
bool JsonValues::container(char bracket, const char*& begin, const char* at) {
  asked_ = false;
  const std::string_view before = seen(begin, at);
  const bool empty = !too_long_ && before.size() <= longest_ && core::trim(before.substr(array_at_ + 1)).empty();
  if (bracket != '{' || !empty) {
    nothing_else_ &= bracket == ']' && empty;
    return false;
  }
  around_.append(depth_ - 1, '{');
  around_ += '[';
  depth_ = 0;
  carry_.clear();
  return true;
}

JsonValues::Found JsonValues::finished(const char* begin, const char* end, Piece& piece) {
  if (skipped_ || nothing_else_) return Found::kNothing;
  if (carry_.empty()) {
    piece = {{begin, static_cast<std::size_t>(end - begin)}, begin_offset_, begin_line_, false};
    return piece.text.size() > longest_ ? Found::kTooLong : Found::kRecord;
  }
  keep(begin, end);
  carry_.reserve(carry_.size() + core::kPadding);
  piece = {carry_, begin_offset_, begin_line_, true};
  return too_long_ ? Found::kTooLong : Found::kRecord;
}

bool begins_array(std::string_view text) {
  if (!text.starts_with('[')) return false;
  text.remove_prefix(1);
  while (!text.empty() && core::is_space(text.front())) text.remove_prefix(1);
  return text.starts_with('{');
}

}  // namespace orbwatch::decode
