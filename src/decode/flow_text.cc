#include "decode/flow_text.h"

#include <charconv>

#include "core/text.h"
#include "decode/scanner.h"

namespace orbwatch::decode {

char header_separator(std::string_view line, std::span<const Columns::Name> names, std::size_t least,
                      std::uint8_t must) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::size_t at = line.find_first_not_of(' ');
  if (at == line.npos || !is_letter(line[at])) return '\0';
  while (at < line.size() && (is_letter(line[at]) || is_digit(line[at]) || line[at] == '_')) ++at;
  if (at == line.size()) return '\0';
  const char separator = line[at];
  if (separator == ' ') return '\0';  // columns lined up with spaces: empty cells could not be told
  if (Columns::known(line, separator, names) < least) return '\0';
  Columns columns;
  columns.read(line, separator, names);
  for (std::uint8_t field = 1; field <= must; ++field) {
    if (!columns.has(field)) return '\0';
  }
  return separator;
}

core::Nanoseconds flow_duration(std::string_view text) {
  if (const auto colon = text.rfind(':'); colon != text.npos) {
    Scanner whole(text.substr(0, text.find('.')));
    const auto dot = text.find('.', colon);
    const core::Nanoseconds part = dot == text.npos ? 0 : flow_duration(text.substr(dot));
    return scan_duration(whole) + part;
  }
  double seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || stop == text.data() || !(seconds > 0) || seconds > 1e9) return 0;
  return static_cast<core::Nanoseconds>(seconds * 1e6 + 0.5) * core::kMicrosecond;
}

core::Nanoseconds flow_time(std::string_view text, const core::TimeReader& times) {
  const bool date = text.size() > 10 && (text[4] == '-' || text[4] == '/');
  const auto time = date ? core::parse_iso8601(text, times) : core::parse_epoch(text);
  return time && text.empty() ? *time : 0;  // "08:15:31" is no eight seconds
}

std::uint16_t tcp_flags_of(std::string_view text) {
  if (text.starts_with("0x")) return core::parse_number<std::uint16_t>(text.substr(2), 16).value_or(0);
  if (!text.empty() && is_digit(text.front())) return core::parse_number<std::uint16_t>(text).value_or(0);
  unsigned flags = 0;
  for (const char c : text) {
    switch (c) {
      case 'F': flags |= 0x01; break;
      case 'S': flags |= 0x02; break;
      case 'R': flags |= 0x04; break;
      case 'P': flags |= 0x08; break;
      case 'A': flags |= 0x10; break;
      case 'U': flags |= 0x20; break;
      case 'E': flags |= 0x40; break;
      case 'C':
      case 'W': flags |= 0x80; break;
      default: break;
    }
  }
  return static_cast<std::uint16_t>(flags);
}

}  // namespace orbwatch::decode
