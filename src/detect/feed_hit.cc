#include "detect/feed_hit.h"

#include <fmt/format.h>

#include "intel/feed_store/feed_source.h"

namespace orbwatch::detect {
namespace {

constexpr std::string_view kIsIn = " is in the feed ";
constexpr std::string_view kBroken = " is in the 'feed' ";
constexpr std::string_view kAs = " as ";
constexpr std::string_view kAlso = " also in ";

// A value that one word can hold: prefixes, names, fingerprints.
bool is_word(std::string_view value) {
  return !value.empty() && value.find_first_of(" ,") == value.npos && !value.ends_with(':');
}

// A word with the sign behind it, 0 if a space or the end is.
struct Word {
  std::string_view text;
  char sign = 0;
};
Word take_word(std::string_view& rest) {
  Word out;
  out.text = rest.substr(0, rest.find(' '));
  rest.remove_prefix(out.text.size());
  if (!out.text.empty() && (out.text.back() == ':' || out.text.back() == ',')) {
    out.sign = out.text.back();
    out.text.remove_suffix(1);
  }
  return out;
}

bool take(std::string_view& rest, std::string_view words) {
  if (!rest.starts_with(words)) return false;
  rest.remove_prefix(words.size());
  return true;
}

}  // namespace

std::string feed_hit_words(std::string_view subject, std::span<const FeedHit::Entry> entries) {
  std::string out(subject);
  for (std::size_t at = out.find(kIsIn); at != out.npos; at = out.find(kIsIn, at))
    out.replace(at, kIsIn.size(), kBroken);
  for (std::size_t i = 0; i < entries.size() && i < FeedHit::kMostEntries; ++i) {
    if (i > 0) out += ',';
    out += i > 0 ? kAlso : kIsIn;
    out += entries[i].feed;
    if (entries[i].value != subject && is_word(entries[i].value)) out += fmt::format("{}{}", kAs, entries[i].value);
  }
  return out;
}

std::optional<FeedHit> parse_feed_hit(std::string_view sentence) {
  const auto at = sentence.find(kIsIn);
  if (at == sentence.npos || at == 0) return std::nullopt;
  FeedHit out;
  out.subject = sentence.substr(0, at);
  std::string_view rest = sentence.substr(at + kIsIn.size());
  while (out.entries.size() < FeedHit::kMostEntries) {
    Word word = take_word(rest);
    if (!intel::is_feed_name(word.text)) break;
    FeedHit::Entry& entry = out.entries.emplace_back(std::string(word.text), out.subject);
    if (word.sign == 0 && take(rest, kAs)) {
      word = take_word(rest);
      entry.value = word.text;
    }
    if (word.sign != ',' || !take(rest, kAlso)) break;
  }
  if (out.entries.empty()) return std::nullopt;
  return out;
}

}  // namespace orbwatch::detect
