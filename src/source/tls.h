// TLS for listeners, by OpenSSL with its defaults: TLS 1.2 and newer.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "core/error.h"

namespace orbwatch::source {

// Paths of PEM files, read once: a renewed certificate needs a restart.
struct TlsOptions {
  std::string certificate;  // with its chain behind it
  std::string key;
  std::string client_ca;  // not empty: clients must show a certificate that one of these authorities signed
};

// Thread-safe once made. Errors name the file.
core::Expected<std::shared_ptr<SSL_CTX>> make_tls_context(const TlsOptions& options);

// What OpenSSL says about the last failure of this thread; clears its queue.
std::string tls_error_text();

}  // namespace orbwatch::source
