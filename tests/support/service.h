// `orbwatch run` as a child process, for end-to-end tests and the soak and crash harnesses.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace orbwatch::test {

class ServiceProcess {
 public:
  // Writes `config` into folder/orbwatch.yaml and starts the service with it. The configuration should listen for
  // metrics on port 0 of 127.0.0.1.
  ServiceProcess(std::filesystem::path folder, const std::string& config, std::vector<std::string> arguments = {});
  ~ServiceProcess();  // SIGKILL if it still runs
  ServiceProcess(const ServiceProcess&) = delete;
  ServiceProcess& operator=(const ServiceProcess&) = delete;

  // Until it says "ready"; false if it ends before or the time is over.
  bool wait_ready(std::chrono::milliseconds most = std::chrono::seconds(60));
  // The port that a collector ("syslog_udp 127.0.0.1:0") or "metrics" listens on; 0 if it was not said.
  int port(const std::string& name) const;
  // GET from the metrics' port: the body, "" if nobody answers.
  std::string get(const std::string& path) const;
  // The number behind the first `"key":` of /status, of the collector of that name or of the service; -1 if absent.
  long long number(const std::string& key, const std::string& collector = {}) const;
  // Asks until the number has come to `value`; false if the time is over.
  bool wait_for(const std::string& key, long long value, const std::string& collector = {},
                std::chrono::milliseconds most = std::chrono::seconds(60)) const;

  void signal(int number) const;
  // Waits for the end: the exit code, -1 if a signal ended it.
  int wait();
  pid_t pid() const { return pid_; }
  std::string out() const;  // what it wrote so far
  std::string err() const;
  const std::filesystem::path& folder() const { return folder_; }
  void write_config(const std::string& config) const;

 private:
  void follow(int descriptor, std::string& text);

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int exit_code_ = -1;
  mutable std::mutex mutex_;
  std::string out_;
  std::string err_;
  std::thread out_reader_;
  std::thread err_reader_;
};

// Sends to 127.0.0.1.
bool send_udp(int port, const std::vector<std::string>& datagrams);
bool send_tcp(int port, std::string_view bytes);

}  // namespace orbwatch::test
