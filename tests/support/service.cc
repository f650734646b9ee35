#include "support/service.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "support/run.h"

namespace orbwatch::test {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(int port, int type) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return socket;
  ::close(socket);
  return -1;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

ServiceProcess::ServiceProcess(std::filesystem::path folder, const std::string& config,
                               std::vector<std::string> arguments)
    : folder_(std::move(folder)) {
  write_config(config);
  std::vector<std::string> words = {orbwatch_binary(), "run", "--config", (folder_ / "orbwatch.yaml").string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_reader_ = std::thread([this, fd = out[0]] { follow(fd, out_); });
  err_reader_ = std::thread([this, fd = err[0]] { follow(fd, err_); });
}

ServiceProcess::~ServiceProcess() {
  if (!ended_) {
    signal(SIGKILL);
    wait();
  }
}

void ServiceProcess::write_config(const std::string& config) const {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "orbwatch.yaml") << config;
}

void ServiceProcess::follow(int descriptor, std::string& text) {
  char buffer[4096];
  while (true) {
    const auto n = ::read(descriptor, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    const std::lock_guard lock(mutex_);
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(descriptor);
}

std::string ServiceProcess::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string ServiceProcess::err() const {
  const std::lock_guard lock(mutex_);
  return err_;
}

bool ServiceProcess::wait_ready(std::chrono::milliseconds most) {
  const auto until = Clock::now() + most;
  while (Clock::now() < until) {
    if (err().find("note: ready\n") != std::string::npos) return true;
    int status = 0;
    if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = true;
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      out_reader_.join();
      err_reader_.join();
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

int ServiceProcess::port(const std::string& name) const {
  const std::string text = err();
  const std::string sought = name == "metrics" ? "metrics on port " : name + " listens on port ";
  const auto at = text.find(sought);
  return at == text.npos ? 0 : std::atoi(text.c_str() + at + sought.size());
}

std::string ServiceProcess::get(const std::string& path) const {
  const int socket = connect_to(port("metrics"), SOCK_STREAM);
  if (socket < 0) return {};
  std::string answer;
  if (send_all(socket, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) {
    char buffer[8192];
    for (ssize_t n = 0; (n = ::read(socket, buffer, sizeof(buffer))) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(socket);
  const auto body = answer.find("\r\n\r\n");
  return body == answer.npos ? std::string() : answer.substr(body + 4);
}

long long ServiceProcess::number(const std::string& key, const std::string& collector) const {
  const std::string text = get("/status");
  std::size_t at = 0;
  if (!collector.empty()) {
    at = text.find("{\"name\":\"" + collector + "\"");
    if (at == text.npos) return -1;
    // Behind what the collector itself counted.
    at = text.find('}', at);
  }
  const std::string sought = "\"" + key + "\":";
  at = text.find(sought, at);
  return at == text.npos ? -1 : std::atoll(text.c_str() + at + sought.size());
}

bool ServiceProcess::wait_for(const std::string& key, long long value, const std::string& collector,
                              std::chrono::milliseconds most) const {
  const auto until = Clock::now() + most;
  while (Clock::now() < until) {
    if (number(key, collector) >= value) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

void ServiceProcess::signal(int number) const {
  if (!ended_ && pid_ > 0) ::kill(pid_, number);
}

int ServiceProcess::wait() {
  if (!ended_) {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    ended_ = true;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out_reader_.join();
    err_reader_.join();
  }
  return exit_code_;
}

bool send_udp(int port, const std::vector<std::string>& datagrams) {
  const int socket = connect_to(port, SOCK_DGRAM);
  if (socket < 0) return false;
  bool good = true;
  for (const std::string& d : datagrams) good = good && ::send(socket, d.data(), d.size(), 0) >= 0;
  ::close(socket);
  return good;
}

bool send_tcp(int port, std::string_view bytes) {
  const int socket = connect_to(port, SOCK_STREAM);
  if (socket < 0) return false;
  const bool good = send_all(socket, bytes);
  ::shutdown(socket, SHUT_WR);
  char rest[256];
  while (::read(socket, rest, sizeof(rest)) > 0) {
  }
  ::close(socket);
  return good;
}

}  // namespace orbwatch::test
