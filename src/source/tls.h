// TLS for listeners, by OpenSSL with its defaults: TLS 1.2 and newer.
#pragma once

#include <openssl/types.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "core/error.h"
#include "core/time.h"
#include "source/collector.h"

namespace orbwatch::source {

// Paths of PEM files.
struct TlsOptions {
  std::string certificate;  // with its chain behind it
  std::string key;
  std::string client_ca;  // not empty: clients must show a certificate that one of these authorities signed

  // How RenewedTls looks after them:
  std::chrono::milliseconds look_every{60'000};
  std::chrono::milliseconds settle{3'000};  // so long nobody may have touched them: they are written one by one
};

// Thread-safe once made. Errors name the file.
core::Expected<std::shared_ptr<SSL_CTX>> make_tls_context(const TlsOptions& options);

// When the certificate of the listener itself expires, by its notAfter; 0 if there is none.
core::Nanoseconds certificate_expiry(const SSL_CTX& context);

// The context of a listener, made anew when its files have changed. A connection keeps the context that it began with.
// All but look() is thread-safe once opened.
class RenewedTls {
 public:
  core::Expected<void> open(const TlsOptions& options);  // once
  bool opened() const { return opened_; }

  // For a new connection. Null before open().
  std::shared_ptr<SSL_CTX> context() const;
  CertificateStatus status() const;

  // Looks whether the files have changed (by times, size and inode) and takes them if they are good and belong
  // together; otherwise the old ones stay. Either is said to `log`, a change that is no good once. Looks at the files
  // at most once in `look_every`, and not at files that are just being written; with `at_once` (somebody asks for it)
  // it does, and says again what is no good. To be called by one thread, as often as it likes.
  void look(bool at_once, RareLog& log);

 private:
  // What tells one state of a file from another.
  struct FileState {
    bool there = false;
    bool file = false;  // no pipe, no device: reading those might wait forever
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    core::Nanoseconds modified = 0;
    core::Nanoseconds changed = 0;  // also by chmod and rename

    friend bool operator==(const FileState&, const FileState&) = default;
  };
  using States = std::array<FileState, 3>;
  static FileState state_of(const std::string& path);
  States states() const;
  std::string const& path_of(std::size_t file) const;
  core::Expected<std::shared_ptr<SSL_CTX>> load(const States& seen) const;

  TlsOptions options_;
  bool opened_ = false;
  // Of the thread that calls look():
  States used_{};     // of the context in use
  States refused_{};  // that were tried last, and were no good
  std::chrono::steady_clock::time_point next_look_;

  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
  CertificateStatus status_;
};

// What OpenSSL says about the last failure of this thread; clears its queue.
std::string tls_error_text();

}  // namespace orbwatch::source
