#include "source/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/text.h"
#include "source/sockets.h"

namespace orbwatch::source {
namespace {

// No chain of certificates and no list of authorities is longer.
constexpr off_t kLongestFile = off_t{4} << 20;

core::Nanoseconds nanoseconds(const timespec& time) { return time.tv_sec * core::kSecond + time.tv_nsec; }

}  // namespace

std::string tls_error_text() {
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int): OpenSSL's type
  ERR_clear_error();
  if (code == 0) return "the connection ended";
  if (ERR_SYSTEM_ERROR(code)) return system_text(ERR_GET_REASON(code));
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

core::Nanoseconds certificate_expiry(const SSL_CTX& context) {
  const X509* const certificate = ::SSL_CTX_get0_certificate(&context);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return 0;
  // The year 9999, which RFC 5280 writes where there is no end, is beyond what nanoseconds can say.
  return std::min<core::Nanoseconds>(::timegm(&end), INT64_MAX / core::kSecond) * core::kSecond;
}

core::Expected<void> RenewedTls::open(const TlsOptions& options) {
  options_ = options;
  used_ = states();  // before they are read: what changes meanwhile is seen by the next look
  auto context = make_tls_context(options);
  if (!context) return std::unexpected(context.error());
  next_look_ = std::chrono::steady_clock::now() + options_.look_every;
  opened_ = true;
  const std::scoped_lock lock(mutex_);
  context_ = std::move(*context);
  status_ = {certificate_expiry(*context_), {}};
  return {};
}

std::shared_ptr<SSL_CTX> RenewedTls::context() const {
  const std::scoped_lock lock(mutex_);
  return context_;
}

CertificateStatus RenewedTls::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

const std::string& RenewedTls::path_of(std::size_t file) const {
  return file == 0 ? options_.certificate : file == 1 ? options_.key : options_.client_ca;
}

RenewedTls::FileState RenewedTls::state_of(const std::string& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  return {true,
          S_ISREG(info.st_mode),
          info.st_dev,
          info.st_ino,
          info.st_size,
          nanoseconds(info.st_mtim),
          nanoseconds(info.st_ctim)};
}

RenewedTls::States RenewedTls::states() const {
  return {state_of(options_.certificate), state_of(options_.key), state_of(options_.client_ca)};
}

core::Expected<std::shared_ptr<SSL_CTX>> RenewedTls::load(const States& seen) const {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i].there) continue;  // OpenSSL says what is wrong
    if (!seen[i].file) return core::fail("this is no file", core::printable(path_of(i)));
    if (seen[i].size > kLongestFile) return core::fail("the file is too large", core::printable(path_of(i)));
  }
  return make_tls_context(options_);
}

void RenewedTls::look(bool at_once, RareLog& log) {
  if (!opened_) return;
  const auto time = std::chrono::steady_clock::now();
  if (!at_once && time < next_look_) return;
  next_look_ = time + options_.look_every;
  const States seen = states();
  if (seen == used_) {
    refused_ = {};
    const std::scoped_lock lock(mutex_);
    status_.trouble.clear();
    return;
  }
  if (!at_once) {
    if (seen == refused_) return;
    // A time ahead of the clock is that of a clock that was set back, and says nothing.
    const core::Nanoseconds clock = now();
    const core::Nanoseconds settle = std::chrono::nanoseconds(options_.settle).count();
    const bool fresh = std::any_of(seen.begin(), seen.end(), [&](const FileState& file) {
      return file.there && file.changed <= clock && clock - file.changed < settle;
    });
    if (fresh) return;
  }
  auto made = load(seen);
  // Read while somebody wrote: what was read may be a mixture.
  if (states() != seen) {
    if (at_once) log.always(LogLevel::kWarning, "the TLS files are being written: they are looked at again");
    return;
  }
  if (!made) {
    refused_ = seen;
    const std::string why = made.error().text();
    log.always(LogLevel::kError, "the TLS files have changed and are not used, the old ones stay: " + why);
    const std::scoped_lock lock(mutex_);
    status_.trouble = why;
    return;
  }
  used_ = seen;
  refused_ = {};
  const core::Nanoseconds expires = certificate_expiry(**made);
  const bool expired = expires < now();
  log.always(expired ? LogLevel::kWarning : LogLevel::kNote,
             "the TLS files have changed: new connections get the certificate that " +
                 std::string(expired ? "expired at " : "expires at ") + core::rfc3339(expires));
  const std::scoped_lock lock(mutex_);
  context_ = std::move(*made);
  status_ = {expires, {}};
}

}  // namespace orbwatch::source
