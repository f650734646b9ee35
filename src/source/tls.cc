#include "source/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/text.h"

namespace orbwatch::source {

std::string tls_error_text() {
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int): OpenSSL's type
  ERR_clear_error();
  if (code == 0) return "the connection ended";
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

core::Expected<std::shared_ptr<SSL_CTX>> make_tls_context(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(TLS_server_method()), ::SSL_CTX_free);
  const auto failed = [](const char* message, const std::string& file, const char* hint) {
    return core::fail(message, core::printable(file) + ": " + tls_error_text(), hint);
  };
  if (!context) return core::fail("TLS cannot be set up", tls_error_text());
  SSL_CTX* const tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  // Senders close without a word of TLS all the time; that a stream was cut off shows in its last record.
  SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Senders of syslog only write. A session ticket that they never read would have their close() reset the connection,
  // and the kernel would throw away what we have not read yet.
  SSL_CTX_set_num_tickets(tls, 0);
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(tls, options.certificate.c_str()) != 1) {
    return failed("the TLS certificate cannot be used", options.certificate, "a PEM file, readable by this user");
  }
  // A key with a passphrase would have OpenSSL ask on the terminal.
  SSL_CTX_set_default_passwd_cb(tls, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(tls, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failed("the TLS key cannot be used", options.key,
                  "a PEM file without passphrase, readable by this user, that belongs to the certificate");
  }
  if (SSL_CTX_check_private_key(tls) != 1) {
    return failed("the TLS key does not belong to the certificate", options.key, "");
  }
  if (!options.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(tls, options.client_ca.c_str(), nullptr) != 1) {
      return failed("the authorities of clients cannot be used", options.client_ca, "a PEM file of certificates");
    }
    SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(options.client_ca.c_str()));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Resumed sessions need a name when clients are verified.
    static constexpr unsigned char kName[] = "orbwatch";
    SSL_CTX_set_session_id_context(tls, kName, sizeof kName - 1);
  }
  ERR_clear_error();
  return context;
}

}  // namespace orbwatch::source
