// Text as it stands on a terminal: how wide it is, and what of it is safe to show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::core {

// printable() without the characters that reorder what a terminal shows (bidirectional marks and overrides, U+2028,
// U+2029), which become "?", too.
std::string terminal_text(std::string_view text, std::size_t most = 4000);

// The columns that `text` takes on a terminal: 2 for wide East Asian characters and emoji, 0 for combining marks
// (Unicode 15, UAX #11; ambiguous width counts as 1).
std::size_t display_width(std::string_view text);
// `text` in at most `columns` columns, "…" in place of what is cut.
std::string cut_to_width(std::string_view text, std::size_t columns);
// Lines of at most `columns` columns, broken at blanks where possible.
std::vector<std::string> wrap_to_width(std::string_view text, std::size_t columns);

}  // namespace orbwatch::core
