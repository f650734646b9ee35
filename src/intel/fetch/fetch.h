// The transport of feeds: files, http and https through libcurl. Knows nothing of what is in a feed: bytes and content
// type go up, bounds and errors are settled here. What every setting and error means: docs/feeds-fetching.md.
//
// A Fetcher is for one feed and for one thread at a time; its connections are used again. Nothing is written to disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "intel/fetch/retry.h"

namespace orbwatch::intel {

struct FetchLimits {
  std::uint64_t most_bytes = 64ULL << 20;         // of a body, after decompression; also what may come over the wire
  std::uint64_t most_header_bytes = 64ULL << 10;  // of all header lines of one answer, trailers included
  std::chrono::milliseconds connect_timeout{10'000};  // name, connection and TLS handshake
  std::chrono::milliseconds total_timeout{300'000};   // of one attempt, redirections included
  // Fewer bytes a second than this for so long: the server is given up.
  std::uint64_t low_speed_bytes = 100;
  std::chrono::seconds low_speed_time{30};
  unsigned most_redirects = 3;
};

// How a server is spoken to. Secrets are never in here, only the files or variables of the environment that hold them.
// Empty means: not given.
struct FetchSettings {
  // none; basic: user and secret; bearer: the secret is the token; header: the secret is the value of `header`.
  enum class Authentication : unsigned char { kNone, kBasic, kBearer, kHeader };
  Authentication authentication = Authentication::kNone;
  std::string user;
  std::string header;            // such as "X-API-Key"
  std::string secret_file;       // one of these two
  std::string secret_variable;   // a name such as "FEED_KEY"
  std::string ca_file;           // this authority and no other; default: the system's
  std::string certificate_file;  // of the client, PEM
  std::string key_file;
  std::string proxy;  // http://host:port; the environment's proxies are never used
  FetchLimits limits;
  RetryRules retry;
};

// The world outside, so that tests need not wait. Functions that are empty are the real ones.
struct FetchEnvironment {
  std::function<core::Nanoseconds()> now;  // wall clock
  // Returns after the time or when a stop is asked for.
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> sleep;
  std::function<std::string(const std::string&)> variable;  // of the environment; "" = not set
  std::uint64_t seed = 0;                                   // of the jitter
};

// What a later request of the same address is made conditional with. Opaque to the caller, to be stored as it is.
struct Validators {
  std::string etag;           // http: ETag, at most 1,024 bytes
  std::string last_modified;  // http: Last-Modified, at most 128 bytes
  std::string file;           // file: size, modification time, inode and device
  bool empty() const { return etag.empty() && last_modified.empty() && file.empty(); }
};

struct Request {
  std::string url;               // Url::parse
  std::string accept;            // media types; "" = any
  Validators known;              // of what the caller has; empty = unconditional
  std::uint64_t most_bytes = 0;  // another bound than the settings' for this body, where smaller; 0 = the settings'
  // Statuses that are an answer and not an error, such as 404. A file that is missing counts as 404.
  std::vector<int> also_answers{};
  bool too_large_is_answer = false;  // then Response::too_large instead of an error
  // Tried again only after 429 and 503, by which a server says that it did not work on the request: for addresses that
  // give something else the second time.
  bool again_only_if_refused = false;
  // What to do about a status, for the error's hint; "" = what is generally said.
  std::function<std::string(int status)> hint{};
};

struct Response {
  int status = 0;             // HTTP; 200 or 404 for a file
  bool not_modified = false;  // nothing new since `known`; then there is no body
  bool too_large = false;
  std::string body;          // decompressed (gzip and deflate of HTTP, never of the content itself)
  std::string content_type;  // as the server says it, "" for a file; not judged
  Validators validators;
  std::vector<std::pair<std::string, std::string>> headers;  // of the last answer; names in lower case
  unsigned attempts = 1;
  unsigned redirects = 0;

  // The first of that name (lower case), "" if there is none.
  std::string_view header(std::string_view name) const;
};

class Fetcher {
 public:
  // Checks the settings and reads the secret; connects to nothing. Errors name the setting and never show a secret.
  static core::Expected<std::unique_ptr<Fetcher>> make(FetchSettings settings, FetchEnvironment environment = {});
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Tries again after errors of the connection, 429 and 5xx, never after another 4xx. Secrets and the client's
  // certificate go to the origin (scheme, host, port) of request.url only, not where it redirects to. By plain http a
  // secret is sent to this computer only.
  core::Expected<Response> get(const Request& request, const std::stop_token& stop = {});

  const FetchSettings& settings() const;
  core::Nanoseconds now() const;

 private:
  struct Parts;
  explicit Fetcher(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace orbwatch::intel
