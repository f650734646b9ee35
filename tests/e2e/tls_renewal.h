// A service with TLS whose certificate is renewed under it, seen through openssl's own client.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "support/run.h"
#include "support/service.h"
#include "support/temp_dir.h"

namespace orbwatch::test {

struct TlsRenewal {
  static bool possible() { return run({"sh", "-c", "command -v openssl"}).exit_code == 0; }

  // A certificate for `name` and its key, in the place of those that lie there.
  void make(const std::string& name, bool with_key = true) const {
    const auto made = run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-days", "5", "-subj", "/CN=" + name, "-keyout", dir / "new.key", "-out", dir / "new.pem"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    std::filesystem::rename(dir / "new.pem", dir / "tls.pem");
    if (with_key) std::filesystem::rename(dir / "new.key", dir / "tls.key");
  }
  std::string config() const {
    const std::string tls = "    tls:\n      certificate: " + (dir / "tls.pem").string() +
                            "\n      key: " + (dir / "tls.key").string() + "\n";
    return "state: " + (dir / "state").string() + "\nmetrics:\n  listen: 127.0.0.1:0\ncollect:\n" +
           "  - type: syslog_tcp\n    listen: 127.0.0.1:0\n    name: syslog\n" + tls +
           "  - type: flow_tcp\n    listen: 127.0.0.1:0\n    name: ipfix\n" + tls +
           "  - type: http\n    listen: 127.0.0.1:0\n    name: http\n    open_to_anyone: true\n" + tls;
  }
  // The subject that a new connection is shown.
  static std::string seen(const ServiceProcess& service, const std::string& collector) {
    const std::string text = run({"sh", "-c",
                                  "openssl s_client -connect 127.0.0.1:" + std::to_string(service.port(collector)) +
                                      " </dev/null 2>/dev/null | openssl x509 -noout -subject -nameopt RFC2253"})
                                 .out;
    return text.substr(0, text.find('\n'));
  }
  static bool all_see(const ServiceProcess& service, const std::string& name, std::chrono::seconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    for (const std::string collector : {"syslog", "ipfix", "http"}) {
      while (seen(service, collector) != "subject=CN=" + name) {
        if (std::chrono::steady_clock::now() > end) {
          ADD_FAILURE() << collector << " shows " << seen(service, collector) << "\n" << service.err();
          return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
      }
    }
    return true;
  }

  TempDir dir;
};

// openssl's client, connected and kept open.
class OpenTlsSender {
 public:
  explicit OpenTlsSender(int port)
      : pipe_(
            ::popen(("openssl s_client -quiet -connect 127.0.0.1:" + std::to_string(port) + " >/dev/null 2>&1").c_str(),
                    "w"),
            ::pclose) {}
  void send(const std::string& line) {
    std::fputs((line + "\n").c_str(), pipe_.get());
    std::fflush(pipe_.get());
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe_;
};

}  // namespace orbwatch::test
