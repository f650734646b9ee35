// Which texts out of logs may be given away. A banner or a client string may hold whatever its sender wanted, the name
// of a person included; so it leaves only as a whole, and only if every word of it is known to name software, a system
// or a version. What is on no allowed pattern stays in the house.
#pragma once

#include <cstddef>
#include <string_view>

namespace orbwatch::exporting::sharing {

inline constexpr std::size_t kLongestText = 256;  // bytes; a longer one is on no pattern
inline constexpr std::size_t kLongestName = 64;   // of networks

// What a client or a service says of itself: "SSH-2.0-dropbear_2019.78", "nginx/1.18.0", "OpenVPN 2.5.1",
// "Mozilla/5.0 (Windows NT 10.0; Win64; x64)". Words of software, systems and protocols that stand in a list, and
// versions: digits in groups of at most five with a few letters, so that a telephone or staff number is none.
bool is_software_text(std::string_view text);

// A name that an analyst gave a network, or a profile's: letters, digits, blanks and "._-+/()", beginning with a letter
// or a digit. No "@" and no "\", as accounts and hosts have them.
bool is_plain_name(std::string_view text);

// Lower-case hexadecimal digits, exactly so many.
bool is_hex_of(std::string_view text, std::size_t digits);

}  // namespace orbwatch::exporting::sharing
