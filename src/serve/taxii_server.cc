#include "serve/taxii_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/text.h"
#include "source/http_link.h"

namespace orbwatch::serve {
namespace {

using source::LogLevel;

bool is_loopback(const core::Ip& ip) { return ip.is_v4() ? ip.v4_value() >> 24 == 127 : ip == *core::Ip::parse("::1"); }

// What a client wrote as the server's name, if it looks like one: it goes into addresses of our answers.
bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 260 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".-:[]").find(c) != std::string_view::npos;
  });
}

}  // namespace

struct TaxiiServer::Impl {
  Impl(const TaxiiServerOptions& given, const source::Log& to)
      : options(given),
        tell([this, to](LogLevel level, const std::string& text) {
          const std::scoped_lock lock(log_mutex);
          if (to) to(level, text);
        }),
        log(tell, "TAXII") {}
  ~Impl() {
    if (stop.descriptor() >= 0) stop.raise();
    for (std::thread& thread : threads) thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Of the request that a thread works on.
  struct Current {
    bool has_body = false;
  };
  static Current& current() {
    thread_local Current value;
    return value;
  }

  core::Expected<void> start() {
    const bool safe = options.tls && !options.access.open();
    if (!is_loopback(options.listen.address) && !safe && !options.insecure)
      return core::fail("others could reach the server", options.listen.text(),
                        "give it TLS and credentials, or say --insecure");
    auto opened = TaxiiFolder::open(options.folder, tell, options.folder_limits);
    if (!opened) return std::unexpected(opened.error());
    folder = std::move(*opened);
    if (options.tls) {
      if (auto good = tls.open(*options.tls); !good) return good;
    }
    if (auto good = stop.open(); !good) return good;
    auto bound = source::bind_socket(SOCK_STREAM, options.listen);
    if (!bound) return std::unexpected(bound.error());
    listener = std::move(*bound);
    options.listen.port = source::local_port(listener.get());
    library.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
    // Bodies are not taken.
    library.set_expect_100_continue_handler([](const httplib::Request&, httplib::Response&) { return 417; });
    // What the library refuses itself: a request that is none, or too long.
    library.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty())
        response.set_content(taxii_error(response.status, "The request cannot be understood").body,
                             std::string(kTaxiiMediaType));
    });
    const std::size_t connections = std::clamp<std::size_t>(options.connections, 1, 1024);
    for (std::size_t i = 0; i <= connections; ++i) {
      auto thread = i == 0 ? source::quiet_thread("taxii-look", [this] { look(); })
                           : source::quiet_thread("taxii", [this] { run(); });
      if (!thread) return std::unexpected(thread.error());
      threads.push_back(std::move(*thread));
    }
    return {};
  }

  void look() {
    pollfd stopped{stop.descriptor(), POLLIN, 0};
    const auto pause = static_cast<int>(std::clamp<std::int64_t>(options.look_every.count(), 10, 60'000));
    while (::poll(&stopped, 1, pause) <= 0) {
      folder->look();
      if (tls.opened()) tls.look(false, log);
    }
  }

  void run() {
    while (auto link = accept()) serve(*link);
  }

  // One thread waits for the next connection, the others for their turn. Null: it is time to stop.
  std::unique_ptr<source::HttpLink> accept() {
    const std::scoped_lock lock(accept_mutex);
    return source::accept_link(listener.get(), stop.descriptor(), [this](int error) {
      log.say(LogLevel::kError, "accept", "cannot accept connections: " + source::system_text(error));
    });
  }

  void serve(source::HttpLink& link) {
    if (tls.opened() && !link.shake_hands(tls.context().get())) {
      log.say(LogLevel::kWarning, "handshake",
              fmt::format("TLS with {} failed: {}", link.peer().text(), source::tls_error_text()));
      return;
    }
    while (link.wait_for_request(options.idle)) {
      current() = Current{};
      link.set_deadline(options.request);
      bool closed = false, went_well = false;
      try {
        went_well = library.process_request(link, false, closed, [](httplib::Request& request) {
          const std::string length = request.get_header_value("Content-Length");
          current().has_body = request.has_header("Transfer-Encoding") || (!length.empty() && length != "0");
          // TAXII 2.1 pages by parameters; the library would cut an answer.
          request.ranges.clear();
        });
      } catch (const std::exception& exception) {
        log.say(LogLevel::kWarning, "library", "a request failed: " + core::printable(exception.what()));
      }
      if (current().has_body) {
        link.drain();
        return;
      }
      if (!went_well || closed) return;
    }
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    TaxiiRequest asked;
    asked.method = request.method;
    asked.path = request.path;
    asked.query.assign(request.params.begin(), request.params.end());
    if (request.has_header("Accept")) asked.accept = request.get_header_value("Accept");
    asked.authorization = request.get_header_value("Authorization");
    const TaxiiResponse said =
        answer_taxii(asked, *folder->collections(), options.access, base_of(request), options.limits);
    response.status = said.status;
    for (const auto& [name, value] : said.headers) response.set_header(name, value);
    if (current().has_body) response.set_header("Connection", "close");
    response.set_content(said.body, std::string(kTaxiiMediaType));
    if (said.status == 401)
      log.say(LogLevel::kWarning, "credentials",
              fmt::format("a request of {} without valid credentials", request.remote_addr));
  }

  std::string base_of(const httplib::Request& request) const {
    if (!options.public_url.empty()) return options.public_url;
    const std::string host = request.get_header_value("Host");
    return fmt::format("{}://{}", options.tls ? "https" : "http", is_host(host) ? host : options.listen.text());
  }

  TaxiiServerOptions options;
  std::mutex log_mutex;
  source::Log tell;
  source::RareLog log;
  std::unique_ptr<TaxiiFolder> folder;
  source::RenewedTls tls;
  source::StopSignal stop;
  source::Descriptor listener;
  source::HttpLibrary library;
  std::mutex accept_mutex;
  std::vector<std::thread> threads;
};

TaxiiServer::TaxiiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaxiiServer::~TaxiiServer() = default;
std::uint16_t TaxiiServer::port() const { return impl_->options.listen.port; }

core::Expected<std::unique_ptr<TaxiiServer>> TaxiiServer::start(const TaxiiServerOptions& options,
                                                                const source::Log& log) {
  auto impl = std::make_unique<Impl>(options, log);
  if (auto started = impl->start(); !started) return std::unexpected(started.error());
  return std::unique_ptr<TaxiiServer>(new TaxiiServer(std::move(impl)));
}

}  // namespace orbwatch::serve
