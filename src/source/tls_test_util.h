// Certificates made for one test, and a client that speaks TLS.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "source/collector_test_util.h"
#include "source/tls.h"

namespace orbwatch::source::test {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

struct Identity {
  Key key{nullptr, EVP_PKEY_free};
  Certificate certificate{nullptr, X509_free};
};

// Signed by `authority`, by itself if that is null.
inline Identity make_identity(const char* name, const Identity* authority, long serial, long hours = 24) {
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const x = made.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), hours * 3600);
  X509_set_pubkey(x, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name),
                             -1, -1, 0);
  const Identity& signer = authority != nullptr ? *authority : made;
  X509_set_issuer_name(x, X509_get_subject_name(signer.certificate.get()));
  if (authority == nullptr) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }
  EXPECT_NE(X509_sign(x, signer.key.get(), EVP_sha256()), 0);
  return made;
}

inline void write_pem(const std::string& path, const Identity& identity, bool key) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  if (key) {
    PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  } else {
    PEM_write_X509(file, identity.certificate.get());
  }
  std::fclose(file);
}

// An authority with a server and a client, in files of `folder`.
struct TestCertificates {
  explicit TestCertificates(const std::string& folder)
      : authority(make_identity("test authority", nullptr, 1)),
        server(make_identity("localhost", &authority, 2)),
        client(make_identity("sender", &authority, 3)),
        stranger(make_identity("stranger", nullptr, 4)) {
    options = {folder + "/server.pem", folder + "/server.key", {}};
    authority_file = folder + "/authority.pem";
    write_pem(options.certificate, server, false);
    write_pem(options.key, server, true);
    write_pem(authority_file, authority, false);
  }
  Identity authority;
  Identity server;
  Identity client;
  Identity stranger;
  TlsOptions options;  // without client_ca
  std::string authority_file;
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const Identity* identity = nullptr, int most_version = 0)
      : socket_(connect_to(SOCK_STREAM, port)),
        context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        tls_(nullptr, SSL_free) {
    if (most_version != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);
      SSL_CTX_set_min_proto_version(context_.get(), most_version);
      SSL_CTX_set_max_proto_version(context_.get(), most_version);
    }
    if (identity != nullptr) {
      SSL_CTX_use_certificate(context_.get(), identity->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), identity->key.get());
    }
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_.get());
    connected_ = SSL_connect(tls_.get()) == 1;
  }
  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t n = 0;
      if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &n) != 1) return false;
      bytes.remove_prefix(n);
    }
    return true;
  }
  std::string receive() {
    char piece[4096];
    std::size_t n = 0;
    if (SSL_read_ex(tls_.get(), piece, sizeof piece, &n) != 1) return {};
    return {piece, n};
  }
  void close() {
    SSL_shutdown(tls_.get());
    tls_.reset();
    socket_.reset();
  }
  // The serial number of the server's certificate, 0 without one.
  long peer_serial() const {
    const Certificate certificate(SSL_get1_peer_certificate(tls_.get()), X509_free);
    return certificate ? ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get())) : 0;
  }
  SSL* get() { return tls_.get(); }
  int socket() const { return socket_.get(); }

 private:
  Descriptor socket_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_;
  bool connected_ = false;
};

}  // namespace orbwatch::source::test
