#include "intel/fetch/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "core/no_sigpipe.h"
#include "core/secret.h"
#include "core/text.h"
#include "intel/fetch/file_fetch.h"
#include "intel/fetch/gzip_stream.h"
#include "intel/fetch/url.h"

namespace orbwatch::intel {
namespace {

using std::chrono::milliseconds;
using std::string_view_literals::operator""sv;

// What is read of the body of an answer that is an error.
constexpr std::uint64_t kMostOfAnError = 64ULL << 10;
constexpr std::size_t kLongestEtag = 1024;
constexpr std::size_t kLongestDate = 128;

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() { curl_slist_free_all(list_); }
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What can stand in a header line without ending it.
bool is_header_value(std::string_view text, std::size_t longest) {
  return text.size() <= longest && std::ranges::none_of(text, [](char c) {
           return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
         });
}

bool is_header_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// Headers that say how the connection works.
constexpr std::string_view kOwnHeaders[] = {
    "host",          "content-length",    "transfer-encoding",  "connection", "accept",  "accept-encoding",
    "if-none-match", "if-modified-since", "user-agent",         "te",         "upgrade", "expect",
    "range",         "trailer",           "proxy-authorization"};

// One call of libcurl: what comes, and why it was ended from here.
struct Call {
  const Request* request = nullptr;
  std::uint64_t most_bytes = 0;
  std::uint64_t most_header_bytes = 0;
  std::stop_token stop;

  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint64_t header_bytes = 0;
  std::uint64_t wire_bytes = 0;
  std::string body;
  std::optional<GzipStream> gzip;
  bool headers_too_large = false, too_large = false, damaged = false;
  std::string odd_coding;  // a Content-Encoding that was not asked for

  bool wanted() const {
    return status == 200 || status == 203 ||
           std::ranges::find(request->also_answers, status) != request->also_answers.end();
  }
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  bool take_header(std::string_view line);
  bool take_body(std::string_view piece);
  void choose_coding();
};

bool Call::take_header(std::string_view line) {
  header_bytes += line.size();
  if (header_bytes > most_header_bytes) {
    headers_too_large = true;
    return false;
  }
  line = core::trim(line);
  if (line.starts_with("HTTP/")) {  // of an interim answer, or of the answer
    headers.clear();
    status = 0;
    const auto space = line.find(' ');
    if (space != line.npos) status = core::parse_number<int>(line.substr(space + 1, 3)).value_or(0);
    return true;
  }
  if (line.empty()) {
    if (status >= 200) choose_coding();
    return odd_coding.empty();
  }
  const auto colon = line.find(':');
  if (colon == line.npos) return true;
  headers.emplace_back(core::lower(core::trim(line.substr(0, colon))), core::trim(line.substr(colon + 1)));
  return true;
}

void Call::choose_coding() {
  if (gzip || wire_bytes > 0) return;  // the end of trailers
  std::string coding;
  for (const auto& [key, value] : headers) {
    if (key == "content-encoding") coding += (coding.empty() ? "" : ", ") + core::lower(value);
  }
  if (coding.empty() || coding == "identity") return;
  // One layer only: a small body can hold a large one that holds a huge one.
  if (coding == "gzip" || coding == "x-gzip") {
    gzip.emplace();
  } else if (wanted()) {
    odd_coding = core::printable(coding, 60);
  }
}

bool Call::take_body(std::string_view piece) {
  wire_bytes += piece.size();
  if (!wanted()) return wire_bytes <= kMostOfAnError;
  if (wire_bytes > most_bytes) {
    too_large = true;
  } else if (gzip) {
    const auto state = gzip->add(piece, body, most_bytes);
    too_large = state == GzipStream::State::kTooLarge;
    damaged = state == GzipStream::State::kDamaged;
  } else {
    body += piece;
  }
  return !too_large && !damaged;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* call) {
  return static_cast<Call*>(call)->take_header({data, size * count}) ? size * count : 0;
}
std::size_t on_body(char* data, std::size_t size, std::size_t count, void* call) {
  // Another number than that of the bytes ends the call; for a piece of no bytes there is none.
  return static_cast<Call*>(call)->take_body({data, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
}
int on_progress(void* call, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Call*>(call)->stop.stop_requested() ? 1 : 0;
}

void sleep_really(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

std::string hint_of_status(int status) {
  switch (status) {
    case 401: return "check the user, token or key of the feed";
    case 403: return "this account may not read it; ask who runs the feed";
    case 404:
    case 410: return "check the address of the feed";
    case 406: return "the server does not offer this format; check the type of the feed";
    case 407: return "the proxy wants a log-in, which is not supported";
    case 429: return "the server wants fewer requests; update less often";
    default: return status >= 500 ? "trouble of the server; try again later" : "";
  }
}

struct CurlTrouble {
  std::string seen;
  std::string hint;
  bool again = false;
};

// detail: libcurl's own words. They are used only where they speak of the connection or a certificate.
CurlTrouble trouble_of(CURLcode code, std::string_view detail, bool something_came) {
  CurlTrouble t;
  t.seen = curl_easy_strerror(code);
  const auto in_detail = [&] {
    if (!detail.empty()) t.seen = core::printable(detail, 200);
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      in_detail();
      t.hint = "check the name, DNS and whether a proxy is needed";
      t.again = true;
      break;
    case CURLE_COULDNT_RESOLVE_PROXY:
      t.hint = "check the proxy";
      t.again = true;
      break;
    case CURLE_COULDNT_CONNECT:
      in_detail();
      t.hint = "check the port, firewall and whether a proxy is needed";
      t.again = true;
      break;
    case CURLE_OPERATION_TIMEDOUT:
      // A server that drips is not asked again: it would drip again.
      if (detail.starts_with("Operation too slow")) {
        t.seen = "the server sends too slowly";
      } else {
        t.seen = "the time is over";
        t.again = !something_came;
      }
      t.hint = "raise the time-outs if the server is always so slow";
      break;
    case CURLE_PARTIAL_FILE:
      t.seen = "the answer ends too early";
      t.again = true;
      break;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: t.again = true; break;
    case CURLE_SSL_CONNECT_ERROR:
      in_detail();
      t.hint = "does the server speak TLS 1.2 or newer there, and does it want a client certificate?";
      t.again = true;
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      in_detail();
      t.hint = "give the authority that signed the server's certificate as ca_file";
      break;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      in_detail();
      t.hint = "check ca_file, certificate_file and key_file";
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: t.seen = "the answer is no HTTP"; break;
    default: break;
  }
  return t;
}

// What one attempt gave.
struct Outcome {
  core::Expected<Response> response;
  bool again = false;
  std::optional<milliseconds> retry_after{};
  bool refused = false;  // 429 or 503
};

}  // namespace

std::string_view Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

struct Fetcher::Parts {
  FetchSettings settings;
  FetchEnvironment environment;
  std::string secret;
  std::unique_ptr<CURL, FreeCurl> curl;
  std::uint64_t failures = 0;  // of the Fetcher's life: its waits are not all alike

  CURLcode perform(const Url& url, bool own_origin, Call& call, milliseconds time, std::string& detail);
  Outcome http(const Request& request, const Url& first, const std::stop_token& stop);
  std::optional<Outcome> ended_early(const Call& call, CURLcode code, const std::string& detail,
                                     const std::string& shown) const;
  Outcome bad_status(const Call& call, const std::string& shown) const;
};

// One call, no redirection followed.
CURLcode Fetcher::Parts::perform(const Url& url, bool own_origin, Call& call, milliseconds time, std::string& detail) {
  CURL* const c = curl.get();
  const FetchLimits& limits = settings.limits;
  curl_easy_reset(c);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_URL, url.text.c_str());
  curl_easy_setopt(c, CURLOPT_PROXY, settings.proxy.c_str());  // "": none, whatever the environment says
  curl_easy_setopt(c, CURLOPT_NOPROXY, "");
  curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty()) {
    curl_easy_setopt(c, CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);  // this one and no other
  }
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::clamp(limits.connect_timeout, milliseconds(1), time).count()));
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(time.count()));
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.low_speed_bytes));
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.low_speed_time.count()));
  curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE,
                   static_cast<curl_off_t>(std::min<std::uint64_t>(call.most_bytes, 1ULL << 62)));
  HeaderLines lines;
  lines.add("User-Agent: orbwatch/" ORBWATCH_VERSION);
  lines.add(call.request->accept.empty() ? "Accept: */*" : "Accept: " + call.request->accept);
  lines.add("Accept-Encoding: gzip");
  const Validators& known = call.request->known;
  if (!known.etag.empty()) lines.add("If-None-Match: " + known.etag);
  if (!known.last_modified.empty()) lines.add("If-Modified-Since: " + known.last_modified);
  if (own_origin) {
    using Authentication = FetchSettings::Authentication;
    if (!settings.certificate_file.empty()) {
      curl_easy_setopt(c, CURLOPT_SSLCERT, settings.certificate_file.c_str());
      curl_easy_setopt(c, CURLOPT_SSLKEY, settings.key_file.c_str());
    }
    switch (settings.authentication) {
      case Authentication::kNone: break;
      case Authentication::kBasic:
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
        curl_easy_setopt(c, CURLOPT_USERNAME, settings.user.c_str());
        curl_easy_setopt(c, CURLOPT_PASSWORD, secret.c_str());
        break;
      case Authentication::kBearer: lines.add("Authorization: Bearer " + secret); break;
      case Authentication::kHeader: lines.add(settings.header + ": " + secret); break;
    }
  }
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &call);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &call);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &call);
  char words[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words);
  const core::NoSigpipe no_sigpipe;
  const CURLcode code = curl_easy_perform(c);
  detail = words;
  curl_easy_reset(c);  // nothing of it points at what goes now
  return code;
}

// Why the call did not bring an answer to its end; nullopt if it did, or if its status says more.
std::optional<Outcome> Fetcher::Parts::ended_early(const Call& call, CURLcode code, const std::string& detail,
                                                   const std::string& shown) const {
  const auto failed = [&](std::string seen, std::string hint, bool again = false) {
    return Outcome{core::fail(shown + " was not fetched", std::move(seen), std::move(hint)), again, {}};
  };
  if (call.stop.stop_requested()) return failed("it was stopped", "");
  if (call.headers_too_large)
    return failed(fmt::format("the header lines are longer than {} bytes", call.most_header_bytes), "");
  if (!call.odd_coding.empty())
    return failed("the body comes in a coding that was not asked for, " + call.odd_coding, "gzip or none is asked for");
  if (call.damaged) return failed("the body is damaged: no gzip", "");
  const bool wanted = call.wanted();
  if (wanted && (call.too_large || code == CURLE_FILESIZE_EXCEEDED)) {
    if (!call.request->too_large_is_answer)
      return failed(fmt::format("the body is larger than {} bytes", call.most_bytes), "raise the limit of the feed");
    Response response;
    response.status = call.status;
    response.too_large = true;
    return Outcome{std::move(response), false, {}};
  }
  // Of an answer that is an error the body does not matter.
  if (call.status != 0 && !wanted && (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)) return {};
  if (code != CURLE_OK) {
    CurlTrouble trouble = trouble_of(code, detail, call.status != 0);
    return failed(std::move(trouble.seen), std::move(trouble.hint), trouble.again);
  }
  if (wanted && call.gzip && !call.gzip->whole()) return failed("the compressed body ends too early", "", true);
  return {};
}

Outcome Fetcher::Parts::bad_status(const Call& call, const std::string& shown) const {
  std::string hint = call.request->hint ? call.request->hint(call.status) : "";
  if (hint.empty()) hint = hint_of_status(call.status);
  Outcome out{core::fail(shown + " was not fetched", fmt::format("HTTP status {}", call.status), std::move(hint)),
              call.status == 429 || call.status >= 500,
              {}};
  out.refused = call.status == 429 || call.status == 503;
  if (out.refused) out.retry_after = parse_retry_after(call.header("retry-after"), environment.now());
  return out;
}

// One attempt, with its redirections.
Outcome Fetcher::Parts::http(const Request& request, const Url& first, const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const bool conditional = !request.known.etag.empty() || !request.known.last_modified.empty();
  Url url = first;
  for (unsigned redirects = 0;; ++redirects) {
    const std::string shown = shown_url(url.text);
    const auto failed = [&shown](std::string seen, std::string hint = "") {
      return Outcome{core::fail(shown + " was not fetched", std::move(seen), std::move(hint)), false, {}};
    };
    const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    if (spent >= settings.limits.total_timeout) return failed("the time is over");
    Call call;
    call.request = &request;
    call.most_bytes = settings.limits.most_bytes;
    if (request.most_bytes != 0) call.most_bytes = std::min(call.most_bytes, request.most_bytes);
    call.most_header_bytes = settings.limits.most_header_bytes;
    call.stop = stop;
    std::string detail;
    const CURLcode code = perform(url, url.origin == first.origin, call, settings.limits.total_timeout - spent, detail);
    if (auto early = ended_early(call, code, detail, shown)) return std::move(*early);

    const int status = call.status;
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
      if (redirects >= settings.limits.most_redirects)
        return failed(fmt::format("it redirects more than {} times", settings.limits.most_redirects),
                      "give the address that it leads to");
      auto next = resolve_url(url, std::string(call.header("location")));
      if (!next) return failed("it redirects to nowhere good: " + next.error().text());
      if (url.scheme == Url::Scheme::kHttps && next->scheme != Url::Scheme::kHttps)
        return failed("it redirects from https to http, " + shown_url(next->text));
      url = std::move(*next);
      continue;
    }
    Response response;
    response.status = status;
    response.redirects = redirects;
    if (status == 304) {
      if (!conditional) return failed("it says \"not modified\" of what was never had");
      response.not_modified = true;
      response.validators = request.known;
    } else if (!call.wanted()) {
      return bad_status(call, shown);
    }
    const std::string_view etag = call.header("etag"), date = call.header("last-modified");
    if (!etag.empty() && is_header_value(etag, kLongestEtag)) response.validators.etag = etag;
    if (!date.empty() && is_header_value(date, kLongestDate)) response.validators.last_modified = date;
    if (is_header_value(call.header("content-type"), 1024)) response.content_type = call.header("content-type");
    response.body = std::move(call.body);
    response.headers = std::move(call.headers);
    return {std::move(response), false, {}};
  }
}

namespace {

core::Expected<void> check(const FetchSettings& s) {
  using Authentication = FetchSettings::Authentication;
  const bool secret = s.authentication != Authentication::kNone;
  const int given = (s.secret_file.empty() ? 0 : 1) + (s.secret_variable.empty() ? 0 : 1);
  if (secret && given != 1)
    return core::fail("the secret of the feed must stand in a file or in a variable", "", "one of the two");
  if (!secret && given != 0)
    return core::fail("there is a secret but no kind of authentication", "", "basic, bearer or header");
  if ((s.authentication == Authentication::kBasic) == s.user.empty())
    return core::fail("basic authentication and a user go together");
  if (s.user.find(':') != s.user.npos || !is_header_value(s.user, 256))
    return core::fail("the user must hold no \":\" and no control characters");
  if ((s.authentication == Authentication::kHeader) == s.header.empty())
    return core::fail("authentication by a header and the header's name go together");
  if (!s.header.empty() &&
      (!is_header_name(s.header) || std::ranges::find(kOwnHeaders, core::lower(s.header)) != std::end(kOwnHeaders)))
    return core::fail("no such header can carry a key", core::printable(s.header, 60), "such as X-API-Key");
  if (s.certificate_file.empty() != s.key_file.empty()) return core::fail("certificate_file and key_file go together");
  if (!s.proxy.empty()) {
    const auto proxy = Url::parse(s.proxy);
    if (!proxy || proxy->scheme != Url::Scheme::kHttp) return core::fail("the proxy must be http://host:port");
  }
  const FetchLimits& l = s.limits;
  if (l.most_bytes == 0 || l.most_header_bytes == 0 || l.connect_timeout.count() < 1 || l.total_timeout.count() < 1 ||
      l.total_timeout > std::chrono::hours(24) || l.low_speed_time.count() < 1 ||
      l.low_speed_time > std::chrono::hours(1) || l.low_speed_bytes > (1ULL << 30) || l.most_redirects > 20)
    return core::fail("a limit of the feed is out of its range", "", "docs/feeds-fetching.md");
  if (s.retry.most_attempts < 1 || s.retry.most_attempts > 20 || s.retry.first_wait.count() < 0 ||
      s.retry.longest_wait < s.retry.first_wait || s.retry.longest_wait > std::chrono::hours(24))
    return core::fail("the rules of trying again are out of their range", "", "docs/feeds-fetching.md");
  return {};
}

}  // namespace

Fetcher::Fetcher(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Fetcher::~Fetcher() = default;
const FetchSettings& Fetcher::settings() const { return parts_->settings; }
core::Nanoseconds Fetcher::now() const { return parts_->environment.now(); }

core::Expected<std::unique_ptr<Fetcher>> Fetcher::make(FetchSettings settings, FetchEnvironment environment) {
  if (auto checked = check(settings); !checked) return std::unexpected(checked.error());
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto parts = std::make_unique<Parts>();
  if (initialised == CURLE_OK) parts->curl.reset(curl_easy_init());
  if (!parts->curl) return core::fail("libcurl could not be initialised");
  if (!environment.now) {
    environment.now = [] {
      return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
    };
  }
  if (!environment.sleep) environment.sleep = sleep_really;
  if (!environment.variable) {
    environment.variable = [](const std::string& name) {
      const char* const value = std::getenv(name.c_str());
      return std::string(value != nullptr ? value : "");
    };
  }
  if (settings.authentication != FetchSettings::Authentication::kNone) {
    auto secret = settings.secret_file.empty()
                      ? core::checked_secret(environment.variable(settings.secret_variable),
                                             "the variable " + core::printable(settings.secret_variable, 60))
                      : core::read_secret(settings.secret_file);
    if (!secret) return std::unexpected(secret.error());
    parts->secret = std::move(*secret);
  }
  parts->settings = std::move(settings);
  parts->environment = std::move(environment);
  return std::unique_ptr<Fetcher>(new Fetcher(std::move(parts)));
}

core::Expected<Response> Fetcher::get(const Request& request, const std::stop_token& stop) {
  const FetchSettings& settings = parts_->settings;
  const auto url = Url::parse(request.url);
  if (!url) return std::unexpected(url.error());
  const std::string shown = shown_url(request.url);
  if (!is_header_value(request.accept, 1024) || !is_header_value(request.known.etag, kLongestEtag) ||
      !is_header_value(request.known.last_modified, kLongestDate))
    return core::fail(shown + " was not fetched", "what is known of it from before is damaged",
                      "forget it, and all is fetched anew");
  const bool is_file = url->scheme == Url::Scheme::kFile;
  if (!parts_->secret.empty() && url->scheme == Url::Scheme::kHttp && (!url->loopback || !settings.proxy.empty()))
    return core::fail(shown + " was not fetched", "a secret is sent by https only, or to this computer", "https://");
  std::uint64_t most = settings.limits.most_bytes;
  if (request.most_bytes != 0) most = std::min(most, request.most_bytes);

  for (unsigned attempt = 1;; ++attempt) {
    if (stop.stop_requested()) return core::fail(shown + " was not fetched", "it was stopped");
    Outcome outcome{Response{}};
    if (is_file) {
      outcome.response = fetch_file(url->text, request, most, outcome.again);
    } else {
      outcome = parts_->http(request, *url, stop);
    }
    if (outcome.response) {
      outcome.response->attempts = attempt;
      return std::move(outcome.response);
    }
    core::Error& error = outcome.response.error();
    if (!outcome.again || (request.again_only_if_refused && !outcome.refused)) return std::unexpected(std::move(error));
    if (outcome.retry_after && *outcome.retry_after > settings.retry.longest_retry_after) {
      error.seen += fmt::format(", to be asked again in {} s", outcome.retry_after->count() / 1'000);
      return std::unexpected(std::move(error));
    }
    if (attempt >= settings.retry.most_attempts) {
      if (attempt > 1) error.seen += fmt::format(", {} attempts", attempt);
      return std::unexpected(std::move(error));
    }
    const milliseconds wait = wait_after(attempt, settings.retry, parts_->environment.seed + parts_->failures++);
    parts_->environment.sleep(std::max(wait, outcome.retry_after.value_or(milliseconds(0))), stop);
  }
}

}  // namespace orbwatch::intel
