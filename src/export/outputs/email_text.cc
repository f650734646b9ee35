#include "export/outputs/email_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "export/digest.h"
#include "export/finding_words.h"

namespace orbwatch::exporting {
namespace {

constexpr std::string_view kIdNameSpace = "b8d4a2d3-3f4e-4c5b-8a0e-5f6f9a1c7e21";

std::string base64(std::string_view text) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i + k])) : 0U;
    };
    const unsigned bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[bits >> 18];
    out += kDigits[bits >> 12 & 63];
    out += i + 1 < text.size() ? kDigits[bits >> 6 & 63] : '=';
    out += i + 2 < text.size() ? kDigits[bits & 63] : '=';
  }
  return out;
}

}  // namespace

std::string encoded_header(std::string_view text) {
  std::string line = one_line(text, 400);
  const bool plain = line.size() <= 60 && line.find("=?") == line.npos && core::trim(line) == line &&
                     std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; });
  if (plain) return line;
  // Words of at most 75 bytes, 45 of text, each of whole characters.
  std::string out;
  std::string_view rest = line;
  while (!rest.empty()) {
    std::size_t size = 0;
    while (size < rest.size()) {
      const std::size_t n = std::max<std::size_t>(core::utf8_length(rest.substr(size)), 1);
      if (size + n > 39) break;
      size += n;
    }
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(rest.substr(0, size)) + "?=";
    rest.remove_prefix(size);
  }
  return out;
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool last = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool as_is = (c > ' ' && c < 0x7f && c != '=') || (c == ' ' && !last);
    const std::size_t size = as_is ? 1 : 3;
    if (column + size > 75) {
      out += "=\r\n";
      column = 0;
    }
    // A lone point at the front of a line is doubled by the transport; encoded, no server can get it wrong.
    if (as_is && !(c == '.' && column == 0)) {
      out += c;
      column += 1;
    } else {
      out += fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      column += 3;
    }
  }
  return out;
}

std::string email_date(core::Nanoseconds time) {
  static constexpr std::string_view kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const core::CivilTime t = core::to_utc(time);
  std::int64_t days = time / core::kDay;
  if (time % core::kDay < 0) --days;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[((days % 7) + 7) % 7], t.day,
                     kMonths[t.month - 1], t.year, t.hour, t.minute, t.second);
}

bool is_email_address(std::string_view address) {
  if (address.size() < 3 || address.size() > 254) return false;
  const auto at = address.find('@');
  if (at == 0 || at == address.npos || at + 1 == address.size() || address.find('@', at + 1) != address.npos)
    return false;
  return std::ranges::all_of(address, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("<>()[]\"\\,;:").find(c) == std::string_view::npos;
  });
}

std::string email_text(const Message& message, std::string_view from, const std::vector<std::string>& to,
                       core::Nanoseconds now) {
  std::string recipients;
  for (const std::string& address : to) {
    if (!recipients.empty()) recipients += ",\r\n ";
    recipients += address;
  }
  // The same on each attempt: a reader's program shows what came twice once.
  const std::string id = uuid5(kIdNameSpace, message.id + "|" + std::to_string(message.time) + "|" + message.body);
  std::string out = fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: auto-generated\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      email_date(now), from, recipients, encoded_header("[orbwatch] " + message.subject), id,
      from.substr(from.find('@') + 1));
  out += quoted_printable(message.body);
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

}  // namespace orbwatch::exporting
