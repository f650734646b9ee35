// Digests and identifiers, by OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace orbwatch::exporting {

// HMAC-SHA256 (RFC 2104), 64 lower-case hexadecimal digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

// UUID version 5 (RFC 9562, 5.5). name_space: a UUID as text; throws nothing, a malformed one counts as zeros.
std::string uuid5(std::string_view name_space, std::string_view name);

}  // namespace orbwatch::exporting
