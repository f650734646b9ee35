// A read-only TAXII 2.1 server over a folder of STIX bundles: the sockets around taxii_folder.h (what there is) and
// taxii_answers.h (what is said).
//
// It trusts nobody: connections, headers, time of a request and size of an answer are bounded, bodies are not taken.
// Loopback alone unless both TLS and somebody's credentials are there, or the operator insists.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "serve/taxii_answers.h"
#include "source/collector.h"
#include "source/sockets.h"
#include "source/tls.h"

namespace orbwatch::serve {

struct TaxiiServerOptions {
  std::string folder;
  source::Endpoint listen;
  std::optional<source::TlsOptions> tls;
  TaxiiAccess access;
  bool insecure = false;             // others may reach it without TLS or without credentials
  std::string public_url;            // as clients see it, where something stands in between; "" = as they ask
  std::size_t connections = 32;      // at once, each with its thread; further ones wait in the kernel
  std::chrono::seconds request{60};  // from the first byte of a request to the last of its answer
  std::chrono::seconds idle{15};     // between two requests of a connection
  std::chrono::milliseconds look_every{2'000};  // for changed files
  TaxiiLimits limits;
  TaxiiFolderLimits folder_limits;
};

class TaxiiServer {
 public:
  // Serves when it returns. Errors: no such folder, an address that cannot be used or may not, a certificate that is no
  // good. `log` is called by the server's threads, one at a time.
  static core::Expected<std::unique_ptr<TaxiiServer>> start(const TaxiiServerOptions& options, const source::Log& log);
  ~TaxiiServer();
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit TaxiiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::serve
