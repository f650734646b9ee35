// A small HTTP server for whoever watches the service: /metrics (Prometheus), /status (JSON), /live, /ready. Without
// authentication: it listens where the configuration says, and tells no record and no name of a user.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "pipeline/service.h"

namespace orbwatch::serve {

class StatusServer {
 public:
  // Listens when it returns. `status` is called by the server's threads. Errors: the address cannot be used.
  static core::Expected<std::unique_ptr<StatusServer>> start(const std::string& listen,
                                                             const std::function<pipeline::ServiceStatus()>& status);
  ~StatusServer();
  int port() const;

 private:
  struct Impl;
  explicit StatusServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::serve
