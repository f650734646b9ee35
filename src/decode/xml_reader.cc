#include "decode/xml_reader.h"

#include <algorithm>

#include "core/text.h"
#include "decode/find_byte.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

constexpr CharTable kEndsName(" \t\r\n/>=");

// The place of the '>' that ends the tag at the front, from `at` on; attributes' values may hold one.
std::size_t tag_end(std::string_view text, std::size_t at) {
  const char* const p = text.data();
  const std::size_t size = text.size();
  while (true) {
    at = find_byte(p, at, size, {'>', '"', '\''});
    if (at == size) return text.npos;
    if (p[at] == '>') return at;
    at = find_byte(p, at + 1, size, {p[at]}) + 1;
    if (at > size) return text.npos;
  }
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// What stands between "&" and ";"; false if it is no entity.
bool append_entity(std::string_view name, std::string& out) {
  if (name == "amp") return out += '&', true;
  if (name == "lt") return out += '<', true;
  if (name == "gt") return out += '>', true;
  if (name == "quot") return out += '"', true;
  if (name == "apos") return out += '\'', true;
  if (!core::skip_prefix(name, "#")) return false;
  const bool hex = core::skip_prefix(name, "x") || core::skip_prefix(name, "X");
  const auto code = core::parse_number<std::uint32_t>(name, hex ? 16 : 10);
  if (!code || *code == 0 || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) return false;
  append_utf8(*code, out);
  return true;
}

}  // namespace

XmlReader::Token XmlReader::next() {
  if (closes_) {
    closes_ = false;
    return Token::kClose;
  }
  while (!rest_.empty()) {
    if (rest_.front() != '<') {
      const std::size_t end = find_byte(rest_.data(), 0, rest_.size(), {'<'});
      text_ = core::trim(rest_.substr(0, end));
      rest_.remove_prefix(end);
      if (!text_.empty()) return Token::kText;
      continue;
    }
    if (rest_.starts_with("<!--")) {
      const auto end = rest_.find("-->");
      if (end == rest_.npos) return Token::kBroken;
      rest_.remove_prefix(end + 3);
      continue;
    }
    if (rest_.starts_with("<![CDATA[")) {
      const auto end = rest_.find("]]>");
      if (end == rest_.npos) return Token::kBroken;
      text_ = core::trim(rest_.substr(9, end - 9));
      rest_.remove_prefix(end + 3);
      if (!text_.empty()) return Token::kText;
      continue;
    }
    const bool closing = rest_.size() > 1 && rest_[1] == '/';
    const std::size_t begin = closing ? 2 : 1;
    // Most tags have no attributes: what ends their name ends them.
    const std::size_t stop =
        find_byte(rest_.data(), begin, rest_.size(), {'>', ' ', '/', '=', '"', '\'', '\t', '\r', '\n'});
    if (stop == rest_.size()) return Token::kBroken;
    const std::size_t end = rest_[stop] == '>' ? stop : tag_end(rest_, stop);
    if (end == rest_.npos) return Token::kBroken;
    std::string_view tag = rest_.substr(begin, end - begin);
    rest_.remove_prefix(end + 1);
    if (tag.starts_with('?') || tag.starts_with('!')) continue;
    closes_ = !closing && tag.ends_with('/');
    if (closes_) tag.remove_suffix(1);
    std::size_t name = std::min(stop - begin, tag.size());
    while (name < tag.size() && !kEndsName.has(tag[name])) ++name;  // a quote in the name
    name_ = tag.substr(0, name);
    attributes_ = tag.substr(name);
    return closing ? Token::kClose : Token::kOpen;
  }
  return Token::kEnd;
}

std::string_view XmlReader::attribute(std::string_view key) const {
  const char* const p = attributes_.data();
  const std::size_t size = attributes_.size();
  std::size_t at = 0;
  while (true) {
    const std::size_t equals = find_byte(p, at, size, {'='});
    if (equals == size) return {};
    const std::string_view name = core::trim({p + at, equals - at});
    at = equals + 1;
    while (at < size && core::is_space(p[at])) ++at;
    if (at == size || (p[at] != '"' && p[at] != '\'')) return {};
    const std::size_t end = find_byte(p, at + 1, size, {p[at]});
    if (end == size) return {};
    if (name == key) return {p + at + 1, end - at - 1};
    at = end + 1;
  }
}

std::string_view xml_unescaped(std::string_view text, std::string& buffer) {
  if (find_byte(text.data(), 0, text.size(), {'&'}) == text.size() || buffer.capacity() - buffer.size() < text.size())
    return text;
  const std::size_t begin = buffer.size();
  while (!text.empty()) {
    const auto at = std::min(text.find('&'), text.size());
    buffer.append(text.substr(0, at));
    text.remove_prefix(at);
    if (text.empty()) break;
    const auto end = text.substr(0, 12).find(';');
    if (end != text.npos && append_entity(text.substr(1, end - 1), buffer)) {
      text.remove_prefix(end + 1);
    } else {
      buffer += '&';
      text.remove_prefix(1);
    }
  }
  return std::string_view(buffer).substr(begin);
}

}  // namespace orbwatch::decode
