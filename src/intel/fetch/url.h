// Addresses of feeds: http, https, file: and plain paths. Parsed by libcurl's own parser (RFC 3986), so that what is
// checked here is what is asked there. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace orbwatch::intel {

constexpr std::size_t kLongestUrl = 8192;  // bytes

struct Url {
  enum class Scheme : unsigned char { kFile, kHttp, kHttps };
  Scheme scheme = Scheme::kFile;
  std::string text;       // as libcurl takes it; for a file its path
  std::string host;       // "" for a file
  std::string origin;     // "https://host:port", the port always named; "" for a file
  bool loopback = false;  // localhost, 127.0.0.0/8, ::1

  // A text without "scheme://" and without "file:" is a path. Refused: other schemes, a user or password in the address
  // (there are settings for them), control characters, spaces, more than kLongestUrl bytes, a file: of another host.
  // Errors never show the address.
  static core::Expected<Url> parse(std::string_view text);
};

// The address as errors and logs may show it: no user, no password, no fragment; a query becomes "?...", and a part of
// the path that looks like a key (20 letters, digits, "-" and "_" or more, at least one digit and one letter) becomes
// "...", but for the id of a TAXII collection.
std::string shown_url(std::string_view text);

// `reference` seen from `base`, as links are (RFC 3986, 5.2). Of http and https only.
core::Expected<Url> resolve_url(const Url& base, const std::string& reference);

// Names and values are escaped. No query before: "?" is put before the first.
std::string with_query(std::string url, const std::vector<std::pair<std::string, std::string>>& query);

// Everything but letters, digits, "-", ".", "_" and "~" as %XX.
std::string escape_url(std::string_view text);

}  // namespace orbwatch::intel
