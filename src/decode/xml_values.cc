#include "decode/xml_values.h"

#include <algorithm>

#include "core/text.h"
#include "decode/find_byte.h"

namespace orbwatch::decode {
namespace {

constexpr std::string_view kEnd = "</Event>";
constexpr std::size_t kShown = 256;  // bytes given of what is no record

// Is `name` the element at the front? False, too, if the text breaks off before the name's end.
bool opens(std::string_view text, std::string_view name) {
  return text.starts_with(name) && text.size() > name.size() &&
         (core::is_space(text[name.size()]) || text[name.size()] == '>' || text[name.size()] == '/');
}

// A tag or a comment that stands around records.
bool stands_around(std::string_view tag) {
  return tag.starts_with("<?") || tag.starts_with("<!") || opens(tag, "<Events") || opens(tag, "</Events");
}

}  // namespace

void XmlValues::add(std::string_view bytes) {
  bytes_.erase(0, used_);
  used_ = 0;
  bytes_.append(bytes);
  bytes_.reserve(bytes_.size() + core::kPadding);
}

void XmlValues::skip(std::size_t length) {
  line_ += static_cast<std::uint32_t>(core::count_lines(rest().substr(0, length)));
  offset_ += length;
  used_ += length;
  searched_ = 0;
}

XmlValues::Found XmlValues::take(std::size_t length, Found found, Piece& piece) {
  const std::size_t shown = found == Found::kRecord ? length : std::min(length, kShown);
  piece = {rest().substr(0, shown), offset_, line_};
  skip(length);
  return found;
}

XmlValues::Found XmlValues::next(bool last, Piece& piece) {
  while (true) {
    if (skipping_) {
      const auto end = find_text(rest(), kEnd);
      if (end == std::string_view::npos) {
        // The end may have been cut: its beginning stays.
        skip(rest().size() - (last ? 0 : std::min(rest().size(), kEnd.size() - 1)));
        return Found::kNothing;
      }
      skip(end + kEnd.size());
      skipping_ = false;
    }
    std::size_t blank = 0;
    while (blank < rest().size() && (core::is_space(rest()[blank]) || rest()[blank] == '\0')) ++blank;
    if (offset_ == 0 && blank == 0 && rest().starts_with("\xef\xbb\xbf")) blank = 3;
    if (blank != 0) {
      skip(blank);
      continue;
    }
    const std::string_view text = rest();
    if (text.empty()) return Found::kNothing;
    // The longest name that matters must be there, for the answer not to depend on where the input was cut.
    if (text.size() < 10 && !last) return Found::kNothing;
    if (opens(text, "<Event")) {
      const auto end = find_text(text, kEnd, searched_);
      const std::size_t length = end == text.npos ? text.size() : end + kEnd.size();
      if (length > longest_) {
        skipping_ = true;
        piece = {text.substr(0, std::min(kShown, longest_)), offset_, line_};
        return Found::kTooLong;
      }
      if (end != text.npos) return take(length, Found::kRecord, piece);
      if (last) return take(length, Found::kTruncated, piece);
      searched_ = text.size() - std::min(text.size(), kEnd.size() - 1);
      return Found::kNothing;
    }
    const bool tag = text.front() == '<';
    const bool comment = text.starts_with("<!--");
    const auto end = tag ? text.find(comment ? "-->" : ">") : text.find('<');
    if (end == text.npos && !last && text.size() <= longest_) return Found::kNothing;
    std::size_t length = end == text.npos ? text.size() : end + (comment ? 3 : tag ? 1 : 0);
    if (tag && end != text.npos && length <= longest_ && stands_around(text)) {
      skip(length);
      continue;
    }
    // Pieces of one size, for the count not to depend on where the input was cut.
    length = std::min(length, std::max<std::size_t>(longest_, 1));
    return take(length, Found::kNotXml, piece);
  }
}

bool begins_events(std::string_view text) {
  if (text.starts_with("<?xml")) text = core::trim(text.substr(std::min(text.find('>'), text.size() - 1) + 1));
  return opens(text, "<Events");
}

bool is_xml_over_lines(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  head = core::trim(head);
  if (head.starts_with("<?xml") || opens(head, "<Events")) return true;
  if (!opens(head, "<Event")) return false;
  // One record a line?
  std::string_view line = core::trim(head.substr(0, head.find('\n')));
  return !line.ends_with(kEnd) || line.find(kEnd) + kEnd.size() != line.size();
}

}  // namespace orbwatch::decode
