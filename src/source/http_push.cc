#include "source/http_push.h"

#include <httplib.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "core/symbol.h"
#include "core/text.h"
#include "source/http_link.h"
#include "source/otlp.h"
#include "source/reader.h"

namespace orbwatch::source {
namespace {

using Clock = std::chrono::steady_clock;
using std::size_t;
using std::string_view;
using std::chrono::milliseconds;

constexpr size_t kMostKey = 256;  // bytes of an idempotency key
constexpr milliseconds kUnhealthyFor{5000};
constexpr const char* kRetryAfter = "2";  // seconds
constexpr size_t kMostGrowth = 4;         // records of OTLP in their envelopes, times the largest body
constexpr size_t kParsedShare = 13;       // bytes of memory for each of a JSON body that is parsed as a whole

enum class Kind : std::uint8_t { kLines, kEvents, kOtlp, kHealth, kAck };
struct Route {
  string_view path;
  Kind kind;
  bool keys;  // an idempotency key counts
};
constexpr auto kRoutes = std::to_array<Route>({
    {"/ingest", Kind::kLines, true},
    {"/services/collector/raw", Kind::kLines, false},
    {"/services/collector/raw/1.0", Kind::kLines, false},
    {"/services/collector", Kind::kEvents, false},
    {"/services/collector/1.0", Kind::kEvents, false},
    {"/services/collector/event", Kind::kEvents, false},
    {"/services/collector/event/1.0", Kind::kEvents, false},
    {"/services/collector/health", Kind::kHealth, false},
    {"/services/collector/health/1.0", Kind::kHealth, false},
    {"/services/collector/ack", Kind::kAck, false},
    {"/v1/logs", Kind::kOtlp, false},
});

const Route* route_of(const std::string& path) {
  const auto at = std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& route) { return route.path == path; });
  return at == kRoutes.end() ? nullptr : &*at;
}

// What an answer says. Codes and texts: Splunk, "Troubleshoot HTTP Event Collector", possible error codes.
struct Answer {
  int status;
  int code;
  string_view text;
};
constexpr Answer kSuccess{200, 0, "Success"};
constexpr Answer kTokenRequired{401, 2, "Token is required"};
constexpr Answer kInvalidAuthorization{401, 3, "Invalid authorization"};
constexpr Answer kInvalidToken{403, 4, "Invalid token"};
constexpr Answer kNoData{400, 5, "No data"};
constexpr Answer kInvalidData{400, 6, "Invalid data format"};
constexpr Answer kServerError{500, 8, "Internal server error"};
constexpr Answer kBusy{503, 9, "Server is busy"};
constexpr Answer kEventRequired{400, 12, "Event field is required"};
constexpr Answer kEventBlank{400, 13, "Event field cannot be blank"};
constexpr Answer kNoAck{400, 14, "ACK is disabled"};
constexpr Answer kHealthy{200, 17, "HEC is healthy"};
constexpr Answer kUnhealthy{503, 18, "HEC is unhealthy, queues are full"};
constexpr Answer kTooLarge{413, 27, "Request entity too large"};
// Not in Splunk's list:
constexpr Answer kNotFound{404, 404, "The requested URL was not found on this server"};
constexpr Answer kWrongMethod{405, 405, "Method not allowed"};
constexpr Answer kLengthRequired{411, 6, "Content-Length or chunked transfer is required"};
constexpr Answer kWrongEncoding{415, 6, "Content encoding is not gzip, or content is multipart"};
constexpr Answer kNotDecompressed{400, 6, "Damaged gzip data"};
constexpr Answer kBrokenOff{400, 6, "The body was not received"};
constexpr Answer kWrongKey{400, 6, "Idempotency-Key is empty or too long"};
constexpr Answer kKeyOfOther{422, 6, "Idempotency-Key was used for another request"};
constexpr Answer kCannotWrite{503, 8, "The journal cannot write"};
constexpr Answer kWrongType{415, 6, "Content-Type is neither application/x-protobuf nor application/json"};
constexpr Answer kNotOtlp{400, 6, "The body is no ExportLogsServiceRequest"};
constexpr Answer kManyRecords{413, 27, "The records are too large with what stands around them: send fewer at once"};
constexpr Answer kKeyInUse{409, 9, "A request with this Idempotency-Key is being taken"};

// The object at the front of `text`: its length, 0 if there is none or it does not end. Only where it ends is looked
// at, whether it is JSON is not.
size_t object_length(string_view text) {
  if (!text.starts_with('{')) return 0;
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return i + 1;
    }
  }
  return 0;
}

// The records of one body.
struct Records {
  std::string bytes;
  std::uint64_t count = 0;
  std::uint64_t empty = 0;
  std::uint64_t oversize = 0;
  struct Piece {     // what becomes one Arrival
    size_t end = 0;  // in `bytes`
    size_t end_in_body = 0;
    std::uint64_t records = 0;
  };
  std::vector<Piece> pieces;
};

// So many bytes of all bodies, given back at the end.
class Reserved {
 public:
  Reserved(std::atomic<size_t>& all, size_t most) : all_(all), most_(most) {}
  ~Reserved() { all_.fetch_sub(mine_); }
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;
  bool more(size_t bytes) {
    mine_ += bytes;
    return all_.fetch_add(bytes) + bytes <= most_;
  }

 private:
  std::atomic<size_t>& all_;
  size_t most_;
  size_t mine_ = 0;
};

class HttpPush final : public Collector {
 public:
  HttpPush(const HttpOptions& options, TokenAllowed allowed, Intake& intake, Log log)
      : options_(options),
        allowed_(std::move(allowed)),
        intake_(intake),
        log_(std::move(log), std::string(options.tls ? "HTTPS " : "HTTP ") + options.listen.text()) {
    options_.connections = std::clamp<size_t>(options_.connections, 1, 4096);
    options_.longest_record = std::clamp<size_t>(options_.longest_record, 1, kMostArrival / 2);
    library_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return refuse_early(request, response) ? httplib::Server::HandlerResponse::Handled
                                             : httplib::Server::HandlerResponse::Unhandled;
    });
    for (const Route& route : kRoutes) {
      if (route.kind != Kind::kLines && route.kind != Kind::kEvents && route.kind != Kind::kOtlp) continue;
      std::string pattern;  // the library takes paths as regular expressions
      for (const char c : route.path) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
      library_.Post(pattern, [this, &route](const httplib::Request& request, httplib::Response& response,
                                            const httplib::ContentReader& reader) {
        answer(response, receive(route, request, reader));
      });
    }
  }
  ~HttpPush() override { stop(); }

  core::Expected<void> start() override {
    if (!allowed_) return core::fail("no tokens are admitted", "", "name at least one");
    if (options_.tls) {
      if (auto opened = tls_.open(*options_.tls); !opened) return opened;
    }
    if (auto opened = stop_.open(); !opened) return opened;
    auto listener = bind_socket(SOCK_STREAM, options_.listen);
    if (!listener) return std::unexpected(listener.error());
    listener_ = std::move(*listener);
    options_.listen.port = local_port(listener_.get());
    for (size_t i = 0; i < options_.connections; ++i) {
      auto thread = quiet_thread("collect-http", [this] { run(); });
      if (!thread) {
        stop();
        return std::unexpected(thread.error());
      }
      threads_.push_back(std::move(*thread));
    }
    return {};
  }

  void stop() override {
    if (threads_.empty()) return;
    stop_.raise();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    listener_.reset();
  }

  void renew_certificate(bool at_once) override { tls_.look(at_once, log_); }
  CertificateStatus certificate() const override { return tls_.status(); }
  Counters counters() const override { return counters_.read(); }
  std::uint16_t port() const override { return options_.listen.port; }

 private:
  // What is known of the request that a thread works on, beside what the library tells its handlers.
  struct Current {
    HttpLink* link = nullptr;
    std::string encoding;  // Content-Encoding, taken away from the library
    std::string token;
    bool has_body = false;
    bool body_read = false;
    int invalid_event = -1;  // number of the event that was wrong
    // Of OTLP, whose answers are in the request's encoding:
    std::optional<OtlpEncoding> otlp;
    OtlpCounts otlp_counts;
    std::string trouble;  // what was wrong with the body
  };
  static Current& current() {
    thread_local Current value;
    return value;
  }

  void run() {
    while (auto link = accept()) {
      counters_.add(&Counters::connections);
      counters_.add(&Counters::open_connections);
      serve(*link);
      counters_.subtract(&Counters::open_connections);
    }
  }

  // One thread waits for the next connection, the others for their turn. Null: it is time to stop.
  std::unique_ptr<HttpLink> accept() {
    const std::scoped_lock lock(accept_mutex_);
    while (true) {
      auto link = accept_link(listener_.get(), stop_.descriptor(), [this](int error) {
        counters_.add(&Counters::errors);
        log_.say(LogLevel::kError, "accept", "cannot accept connections: " + system_text(error));
      });
      if (!link || admitted(options_.admitted, link->peer())) return link;
      counters_.add(&Counters::refused);
    }
  }

  void serve(HttpLink& link) {
    if (tls_.opened() && !link.shake_hands(tls_.context().get())) {
      counters_.add(&Counters::failed_handshakes);
      log_.say(LogLevel::kWarning, "handshake", "TLS with " + link.peer().text() + " failed: " + tls_error_text());
      return;
    }
    while (link.wait_for_request(options_.idle)) {
      current() = Current{};
      current().link = &link;
      link.set_deadline(options_.request);
      bool closed = false;
      bool went_well = false;
      try {
        went_well = library_.process_request(link, false, closed, [&](httplib::Request& request) { prepare(request); });
      } catch (const std::exception& exception) {
        counters_.add(&Counters::errors);
        log_.say(LogLevel::kWarning, "library", "a request failed: " + core::printable(exception.what()));
      }
      counters_.add(&Counters::requests);
      if (current().has_body && !current().body_read) {
        link.drain();
        return;
      }
      if (!went_well || closed) return;
    }
  }

  void prepare(httplib::Request& request) {
    Current& now = current();
    now.encoding = core::lower(core::trim(request.get_header_value("Content-Encoding")));
    // The library would not notice compressed data that ends too early.
    request.headers.erase("Content-Encoding");
    const std::string length = request.get_header_value("Content-Length");
    now.has_body = request.has_header("Transfer-Encoding") || (!length.empty() && length != "0");
    // Twice the bytes: a chunk may be smaller than the line that says its length.
    now.link->allow(2 * options_.most_body + HttpLink::kMostHeader);
  }

  void answer(httplib::Response& response, const Answer& answer) {
    response.status = answer.status;
    if (const auto encoding = current().otlp) {
      std::string text(answer.text);
      if (!current().trouble.empty()) text += ": " + current().trouble;
      response.set_content(answer.status == 200
                               ? otlp_response(*encoding, current().otlp_counts, options_.longest_record)
                               : otlp_failure(*encoding, answer.status, text),
                           *encoding == OtlpEncoding::kJson ? "application/json" : "application/x-protobuf");
    } else {
      std::string body = "{\"text\":";
      core::append_json_string(body, answer.text);
      body += ",\"code\":" + std::to_string(answer.code);
      if (current().invalid_event >= 0) body += ",\"invalid-event-number\":" + std::to_string(current().invalid_event);
      body += '}';
      response.set_content(body, "application/json");
    }
    if (answer.status == 401) response.set_header("WWW-Authenticate", "Bearer");
    if (answer.status == 503 || answer.status == 409) response.set_header("Retry-After", kRetryAfter);
    if (current().has_body && !current().body_read) response.set_header("Connection", "close");
    if (answer.status == 401 || answer.status == 403) {
      counters_.add(&Counters::unauthorized);
      log_.say(LogLevel::kWarning, "token", "a request of " + current().link->peer().text() + " without a valid token");
    } else if (answer.status == 413) {
      counters_.add(&Counters::refused);
    } else if (answer.status >= 400 && answer.status < 500 && answer.status != 409) {
      counters_.add(&Counters::invalid);
    }
  }

  // Everything that can be said before the body is read; true if it was.
  bool refuse_early(const httplib::Request& request, httplib::Response& response) {
    const auto refuse = [&](const Answer& with) {
      answer(response, with);
      return true;
    };
    const Route* const route = route_of(request.path);
    if (route == nullptr) return refuse(kNotFound);
    if (route->kind == Kind::kOtlp) {
      const std::string type = request.get_header_value("Content-Type");
      string_view media = type;
      media = core::trim(core::take_until(media, ';'));
      if (core::equals_ignore_case(media, "application/x-protobuf")) current().otlp = OtlpEncoding::kProtobuf;
      if (core::equals_ignore_case(media, "application/json")) current().otlp = OtlpEncoding::kJson;
    }
    if (route->kind == Kind::kHealth) {
      if (request.method != "GET" && request.method != "HEAD") return refuse(kWrongMethod);
      return refuse(Clock::now().time_since_epoch() < unhealthy_until_.load() ? kUnhealthy : kHealthy);
    }
    if (const Answer* const refusal = check_token(request)) return refuse(*refusal);
    if (route->kind == Kind::kAck) return refuse(kNoAck);
    if (request.method != "POST") return refuse(kWrongMethod);
    if (route->kind == Kind::kOtlp && !current().otlp) return refuse(kWrongType);
    const std::string& encoding = current().encoding;
    if ((!encoding.empty() && encoding != "identity" && encoding != "gzip" && encoding != "x-gzip") ||
        request.is_multipart_form_data()) {
      return refuse(kWrongEncoding);
    }
    if (request.has_header("Transfer-Encoding")) return false;
    const std::string length = request.get_header_value("Content-Length");
    if (length.empty()) return refuse(kLengthRequired);
    const auto size = core::parse_number<std::uint64_t>(length);
    if (!size) return refuse(kInvalidData);
    return *size > options_.most_body && refuse(kTooLarge);
  }

  const Answer* check_token(const httplib::Request& request) const {
    const std::string header = request.get_header_value("Authorization");
    string_view token = core::trim(header);
    if (token.empty()) return &kTokenRequired;
    const string_view scheme = core::take_until(token, ' ');
    token = core::trim(token);
    if (!core::equals_ignore_case(scheme, "Splunk") && !core::equals_ignore_case(scheme, "Bearer")) {
      return &kInvalidAuthorization;
    }
    if (token.empty()) return &kTokenRequired;
    if (!allowed_(token)) return &kInvalidToken;
    current().token = token;
    return nullptr;
  }

  Answer receive(const Route& route, const httplib::Request& request, const httplib::ContentReader& reader) {
    Reserved reserved(in_flight_, options_.most_in_flight);
    std::string body;
    bool too_large = false;
    bool busy = false;
    const bool whole = reader([&](const char* bytes, size_t size) {
      too_large = body.size() + size > options_.most_body;
      busy = !too_large && !reserved.more(2 * size);  // the records are a copy
      if (too_large || busy) return false;
      body.append(bytes, size);
      return true;
    });
    if (too_large) return kTooLarge;
    if (busy) return kBusy;
    if (!whole) return kBrokenOff;
    current().body_read = true;
    if (current().encoding.ends_with("gzip") && !body.empty()) {
      std::string out;
      if (const Answer* const wrong = decompress(std::move(body), out, reserved)) return *wrong;
      body = std::move(out);
    }
    Records records;
    if (route.kind == Kind::kOtlp) return receive_otlp(body, records, reserved);
    if (route.kind == Kind::kLines) {
      cut_lines(body, records);
    } else if (const Answer* const wrong = cut_events(body, records)) {
      return *wrong;
    }
    counters_.add(&Counters::empty, records.empty);
    if (records.count == 0) return kNoData;
    if (route.keys && request.has_header("Idempotency-Key")) {
      return give_once(request.get_header_value("Idempotency-Key"), body.size(), records);
    }
    return give(records, 0, 0);
  }

  Answer receive_otlp(string_view body, Records& records, Reserved& reserved) {
    const OtlpEncoding encoding = *current().otlp;
    if (encoding == OtlpEncoding::kJson && !reserved.more(kParsedShare * body.size())) return kBusy;
    // What stands around a record can make it many times as large; a copy as large as the body is reserved already.
    size_t room = body.size();
    const size_t most = kMostGrowth * std::max(options_.most_body, options_.longest_record);
    const Answer* refusal = nullptr;
    const auto counts = read_otlp_logs(body, encoding, options_.longest_record, [&](string_view record) {
      const size_t size = records.bytes.size() + record.size() + 1;
      if (size > most) {
        refusal = &kManyRecords;
      } else if (size > room) {
        const size_t more = std::max(size - room, size_t{256} << 10);
        room += more;
        if (!reserved.more(more)) refusal = &kBusy;
      }
      if (refusal != nullptr) return false;
      add(records, record, 0);
      return true;
    });
    if (!counts) {
      current().trouble = counts.error().seen;
      return kNotOtlp;
    }
    if (refusal != nullptr) return *refusal;
    Answer taken = records.count == 0 ? kSuccess : give(records, 0, 0);
    // 500 would have the sender throw the records away.
    if (taken.status == kServerError.status) taken = kCannotWrite;
    if (taken.status == 200) {
      current().otlp_counts = *counts;
      counters_.add(&Counters::refused_records, counts->refused());
    }
    return taken;
  }

  const Answer* decompress(std::string body, std::string& out, Reserved& reserved) const {
    const auto stream = read_memory(std::move(body), "body");
    std::string piece(size_t{64} << 10, '\0');
    while (true) {
      const auto n = stream->read(piece.data(), piece.size());
      // What is not compressed, or with something else, is no gzip.
      if (!n || stream->compression() != "gzip") return &kNotDecompressed;
      if (*n == 0) return nullptr;
      if (out.size() + *n > options_.most_body) return &kTooLarge;
      if (!reserved.more(2 * *n)) return &kBusy;
      out.append(piece, 0, *n);
    }
  }

  static void add(Records& records, string_view record, size_t end_in_body) {
    const size_t begin = records.bytes.size();
    const size_t piece = records.pieces.size() < 2 ? 0 : records.pieces[records.pieces.size() - 2].end;
    records.bytes += record;
    std::replace_if(
        records.bytes.begin() + static_cast<std::ptrdiff_t>(begin), records.bytes.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
    records.bytes += '\n';
    ++records.count;
    if (records.pieces.empty() || records.bytes.size() - piece > kMostArrival) records.pieces.emplace_back();
    records.pieces.back().end = records.bytes.size();
    records.pieces.back().end_in_body = end_in_body;
    ++records.pieces.back().records;
  }

  void cut_lines(string_view body, Records& records) const {
    for (size_t at = 0; at < body.size();) {
      const size_t end = std::min(body.find('\n', at), body.size());
      string_view line = body.substr(at, end - at);
      at = end + 1;
      while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty()) {
        ++records.empty;
        continue;
      }
      records.oversize += line.size() > options_.longest_record;
      add(records, line.substr(0, options_.longest_record), std::min(at, body.size()));
    }
    if (!records.pieces.empty()) records.pieces.back().end_in_body = body.size();
  }

  // Null if all of them are right.
  const Answer* cut_events(string_view body, Records& records) const {
    simdjson::dom::parser parser;
    int& number = current().invalid_event;
    string_view rest = core::trim(body);
    for (number = 0; !rest.empty(); ++number) {
      const size_t size = object_length(rest);
      if (size == 0) return &kInvalidData;
      if (size >= kMostArrival) return &kTooLarge;
      simdjson::dom::element envelope;
      simdjson::dom::object object;
      simdjson::dom::element event;
      const std::string_view value = rest.substr(0, size);
      if (parser.parse(value.data(), value.size()).get(envelope) != simdjson::SUCCESS ||
          envelope.get(object) != simdjson::SUCCESS) {
        return &kInvalidData;
      }
      if (object["event"].get(event) != simdjson::SUCCESS) return &kEventRequired;
      if (string_view text; event.is_null() || (event.get(text) == simdjson::SUCCESS && text.empty())) {
        return &kEventBlank;
      }
      const size_t end = static_cast<size_t>(rest.data() - body.data()) + size;
      add(records, rest.substr(0, size), end);
      rest = core::trim(rest.substr(size));
    }
    number = -1;
    return nullptr;
  }

  Answer give_once(const std::string& key, size_t size, const Records& records) {
    if (key.empty() || key.size() > kMostKey) return kWrongKey;
    // Two senders may count their requests alike.
    std::uint64_t stream = core::hash64(key, core::hash64("key of " + current().token));
    if (stream == 0) stream = 1;
    {
      const std::scoped_lock lock(keys_mutex_);
      if (!keys_.insert(stream).second) return kKeyInUse;
    }
    Answer result = kSuccess;
    const std::uint64_t known = intake_.position(stream);
    // A kill in the middle of take() may leave the first Arrivals of a request that was not answered.
    const auto at = std::find_if(records.pieces.begin(), records.pieces.end(),
                                 [&](const Records::Piece& piece) { return piece.end_in_body == known; });
    if (known == size) {
      counters_.add(&Counters::repeated);
    } else if (known == 0 || at != records.pieces.end()) {
      result = give(records, stream, known == 0 ? 0 : static_cast<size_t>(at - records.pieces.begin()) + 1);
    } else {
      result = kKeyOfOther;
    }
    const std::scoped_lock lock(keys_mutex_);
    keys_.erase(stream);
    return result;
  }

  // Hands over the pieces from `first` on.
  Answer give(const Records& records, std::uint64_t stream, size_t first) {
    std::vector<Arrival> arrivals;
    std::uint64_t count = 0;
    size_t bytes = 0;
    for (size_t i = first; i < records.pieces.size(); ++i) {
      const Records::Piece& piece = records.pieces[i];
      const size_t begin = i == 0 ? 0 : records.pieces[i - 1].end;
      Arrival& arrival = arrivals.emplace_back();
      arrival.source = options_.source;
      arrival.kind = ArrivalKind::kLines;
      arrival.peer = current().link->peer();
      arrival.peer_port = current().link->peer_port();
      arrival.received = now();
      arrival.stream = stream;
      arrival.position = stream == 0 ? 0 : piece.end_in_body;
      arrival.bytes = string_view(records.bytes).substr(begin, piece.end - begin);
      count += piece.records;
      bytes += arrival.bytes.size();
    }
    const Intake::Taken taken = intake_.take(arrivals);
    if (taken == Intake::Taken::kYes) {
      counters_.add(&Counters::records, count);
      counters_.add(&Counters::bytes, bytes);
      counters_.add(&Counters::oversize, records.oversize);
      unhealthy_until_.store(Clock::duration::zero());
      return kSuccess;
    }
    const bool full = taken == Intake::Taken::kFull;
    counters_.add(full ? &Counters::intake_full : &Counters::intake_failed);
    unhealthy_until_.store((Clock::now() + kUnhealthyFor).time_since_epoch());
    log_.say(full ? LogLevel::kWarning : LogLevel::kError, full ? "full" : "failed",
             full ? "the journal is full: senders are told to come later" : "the journal cannot write");
    return full ? kBusy : kServerError;
  }

  HttpOptions options_;
  TokenAllowed allowed_;
  Intake& intake_;
  RareLog log_;
  SharedCounters counters_;
  StopSignal stop_;
  RenewedTls tls_;
  Descriptor listener_;
  HttpLibrary library_;
  std::mutex accept_mutex_;
  std::vector<std::thread> threads_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<Clock::duration> unhealthy_until_{Clock::duration::zero()};
  std::mutex keys_mutex_;
  std::set<std::uint64_t> keys_;  // being taken; at most one for each thread
};

}  // namespace

std::unique_ptr<Collector> make_http_push(const HttpOptions& options, TokenAllowed allowed, Intake& intake, Log log) {
  return std::make_unique<HttpPush>(options, std::move(allowed), intake, std::move(log));
}

}  // namespace orbwatch::source
