#include "intel/fetch/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/ip.h"
#include "core/text.h"

namespace orbwatch::intel {
namespace {

struct FreeHandle {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, FreeHandle>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::string> part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string out = text;
  curl_free(text);
  return out;
}

bool is_loopback(std::string_view host) {
  if (core::equals_ignore_case(host, "localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto ip = core::Ip::parse(host);
  return ip && (*ip == *core::Ip::parse("::1") || (ip->is_v4() && ip->v4_value() >> 24 == 127));
}

core::Expected<Url> url_of(CURLU* handle) {
  const auto scheme = part(handle, CURLUPART_SCHEME);
  Url url;
  if (scheme == "file") {
    auto path = part(handle, CURLUPART_PATH, CURLU_URLDECODE);
    if (!path || path->empty()) return core::fail("the address of the feed names no file");
    url.text = std::move(*path);
    return url;
  }
  if (scheme != "http" && scheme != "https")
    return core::fail("the address of the feed has a scheme that is not known",
                      core::printable(scheme.value_or(""), 20), "https://, http://, file: or a path");
  url.scheme = scheme == "https" ? Url::Scheme::kHttps : Url::Scheme::kHttp;
  const auto host = part(handle, CURLUPART_HOST);
  const auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!host || host->empty() || !port) return core::fail("the address of the feed names no host");
  if (part(handle, CURLUPART_USER) || part(handle, CURLUPART_PASSWORD))
    return core::fail("the address of the feed must hold no user and no password", "", "give them as settings");
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  auto text = part(handle, CURLUPART_URL);
  if (!text) return core::fail("the address of the feed is no address");
  url.text = std::move(*text);
  url.host = core::lower(*host);
  url.origin = *scheme + "://" + url.host + ":" + *port;
  url.loopback = is_loopback(url.host);
  return url;
}

// True if the text has a scheme: letters, digits, "+", "-", "." and "://" behind; or it begins with "file:".
bool has_scheme(std::string_view text) {
  if (text.size() >= 5 && core::equals_ignore_case(text.substr(0, 5), "file:")) return true;
  const auto end = text.find("://");
  return end != text.npos && end > 0 && is_letter(text.front()) && std::ranges::all_of(text.substr(0, end), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

bool looks_like_a_key(std::string_view segment) {
  if (segment.size() < 20) return false;
  const bool plain =
      std::ranges::all_of(segment, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
  return plain && std::ranges::any_of(segment, is_digit) && std::ranges::any_of(segment, is_letter);
}

// 8-4-4-4-12 characters.
bool looks_like_a_uuid(std::string_view segment) {
  return segment.size() == 36 && segment[8] == '-' && segment[13] == '-' && segment[18] == '-' && segment[23] == '-';
}

}  // namespace

core::Expected<Url> Url::parse(std::string_view text) {
  if (text.empty()) return core::fail("the address of the feed is missing");
  if (text.size() > kLongestUrl) return core::fail("the address of the feed is too long");
  if (!has_scheme(text)) {
    if (text.find('\0') != text.npos) return core::fail("the path of the feed holds a zero byte");
    Url url;
    url.text = text;
    return url;
  }
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c >= 0x7f; }))
    return core::fail("the address of the feed holds spaces, control characters or letters that are not ASCII", "",
                      "write them as %XX");
  const Handle handle(curl_url());
  if (!handle) return core::fail("no memory for an address");
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return core::fail("the address of the feed is no address", curl_url_strerror(code));
  return url_of(handle.get());
}

std::string shown_url(std::string_view text) {
  const bool scheme = has_scheme(text);
  std::string out;
  if (scheme) {
    text = text.substr(0, text.find('#'));
    const auto slashes = text.find("://");
    std::size_t begin = slashes == text.npos ? 5 : slashes + 3;  // "file:"
    out = text.substr(0, begin);
    text.remove_prefix(begin);
    const std::string_view authority = text.substr(0, text.find_first_of("/?"));
    const auto at = authority.rfind('@');
    out += at == authority.npos ? authority : authority.substr(at + 1);
    text.remove_prefix(authority.size());
  }
  const auto question = scheme ? text.find('?') : text.npos;
  std::string_view path = text.substr(0, question), before;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    const bool collection = before == "collections" && looks_like_a_uuid(segment);
    out += scheme && looks_like_a_key(segment) && !collection ? "..." : segment;
    before = segment;
    path.remove_prefix(segment.size());
    if (!path.empty()) {
      out += '/';
      path.remove_prefix(1);
    }
  }
  if (question != text.npos) out += "?...";
  return core::printable(out, 300);
}

core::Expected<Url> resolve_url(const Url& base, const std::string& reference) {
  if (base.scheme == Url::Scheme::kFile) return core::fail("a file has no links");
  if (reference.empty() || reference.size() > kLongestUrl ||
      std::ranges::any_of(reference, [](char c) { return c <= ' ' || c >= 0x7f; }))
    return core::fail("the server names an address that is none");
  const Handle handle(curl_url());
  if (!handle) return core::fail("no memory for an address");
  if (curl_url_set(handle.get(), CURLUPART_URL, base.text.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return core::fail("the server names an address that is none", shown_url(reference));
  auto url = url_of(handle.get());
  if (url && url->scheme == Url::Scheme::kFile) return core::fail("the server names a file of this computer");
  return url;
}

std::string escape_url(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string with_query(std::string url, const std::vector<std::pair<std::string, std::string>>& query) {
  char separator = url.find('?') == url.npos ? '?' : '&';
  for (const auto& [name, value] : query) {
    url += separator;
    url += escape_url(name) + "=" + escape_url(value);
    separator = '&';
  }
  return url;
}

}  // namespace orbwatch::intel
