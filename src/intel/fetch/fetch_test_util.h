// A server on the loopback and a world without waiting, for the tests of fetching.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "intel/fetch/fetch.h"

namespace orbwatch::intel::test {

struct Asked {
  std::string path;  // with the query
  httplib::Headers headers;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// Answers every GET by one function and remembers what was asked. The function runs on threads of the server, one call
// at a time.
class HttpServer {
 public:
  using Answer = std::function<void(const httplib::Request&, httplib::Response&)>;
  explicit HttpServer(Answer answer, std::unique_ptr<httplib::Server> server = std::make_unique<httplib::Server>())
      : answer_(std::move(answer)), server_(std::move(server)) {
    server_->set_keep_alive_timeout(1);
    server_->set_tcp_nodelay(true);
    server_->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
      const std::scoped_lock lock(mutex_);
      asked_.push_back({request.target, request.headers});
      answer_(request, response);
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~HttpServer() {
    server_->stop();
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::vector<Asked> asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  int port() const { return port_; }
  std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  Answer answer_;
  std::unique_ptr<httplib::Server> server_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  int port_ = 0;
  std::thread thread_;
};

constexpr core::Nanoseconds kNow = 1'780'000'000 * core::kSecond;  // 2026-05-28

// A clock that stands and sleeping that takes no time; what was slept is kept.
struct World {
  std::vector<std::int64_t> slept;  // ms
  std::string variable;             // the value of every variable
  FetchEnvironment environment() {
    FetchEnvironment e;
    e.now = [] { return kNow; };
    e.sleep = [this](std::chrono::milliseconds time, const std::stop_token&) { slept.push_back(time.count()); };
    e.variable = [this](const std::string&) { return variable; };
    e.seed = 7;
    return e;
  }
  std::unique_ptr<Fetcher> fetcher(FetchSettings settings = {}) {
    auto made = Fetcher::make(std::move(settings), environment());
    EXPECT_TRUE(made) << (made ? "" : made.error().text());
    return made ? std::move(*made) : nullptr;
  }
};

inline Request request_of(std::string url) {
  Request request;
  request.url = std::move(url);
  return request;
}

// "" if it is an answer.
template <typename T>
std::string error_of(const core::Expected<T>& result) {
  return result ? "" : result.error().text();
}

}  // namespace orbwatch::intel::test
