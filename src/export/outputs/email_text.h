// The text of an e-mail (RFC 5322) and its parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "export/output.h"

namespace orbwatch::exporting {

// Headers and body, lines end with CRLF and are at most 76 bytes but for long addresses. The addresses must be
// checked: they stand in headers as they are. now: wall clock.
std::string email_text(const Message& message, std::string_view from, const std::vector<std::string>& to,
                       core::Nanoseconds now);

// local@domain of printable ASCII without spaces, brackets, quotes, commas, semicolons, backslashes; 3 to 254 bytes.
bool is_email_address(std::string_view address);

// A header's value: as it is if it is plain ASCII of one short line, else encoded words (RFC 2047, "B"), folded.
std::string encoded_header(std::string_view text);
// Quoted-printable (RFC 2045, 6.7) with lines of at most 76 bytes; line ends become CRLF.
std::string quoted_printable(std::string_view text);
// "Mon, 24 Nov 2025 12:00:00 +0000"
std::string email_date(core::Nanoseconds time);

}  // namespace orbwatch::exporting
