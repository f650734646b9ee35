#include "pipeline/siv.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <utility>

namespace orbwatch::pipeline {
namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

struct Siv::Impl {
  std::string key;
  std::unique_ptr<EVP_CIPHER, FreeCipher> cipher;
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context;

  ~Impl() { OPENSSL_cleanse(key.data(), key.size()); }
};

Siv::Siv(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Siv::Siv(Siv&&) noexcept = default;
Siv& Siv::operator=(Siv&&) noexcept = default;
Siv::~Siv() = default;

core::Expected<Siv> Siv::make(std::string_view key) {
  const char* name = key.size() == 32   ? "AES-128-SIV"
                     : key.size() == 48 ? "AES-192-SIV"
                     : key.size() == 64 ? "AES-256-SIV"
                                        : nullptr;
  if (name == nullptr) return core::fail("a key for AES-SIV has 32, 48 or 64 bytes");
  auto impl = std::make_unique<Impl>();
  impl->key = key;
  impl->cipher.reset(EVP_CIPHER_fetch(nullptr, name, nullptr));
  impl->context.reset(EVP_CIPHER_CTX_new());
  if (impl->cipher == nullptr || impl->context == nullptr)
    return core::fail("the cryptographic library has no AES-SIV", name, "OpenSSL 3 with its default provider has it");
  return Siv(std::move(impl));
}

core::Expected<std::string> Siv::seal(std::string_view purpose, std::string_view text) {
  if (purpose.empty() || text.empty() || purpose.size() > kMostBytes || text.size() > kMostBytes)
    return core::fail("nothing to encrypt, or too much");
  EVP_CIPHER_CTX* context = impl_->context.get();
  std::string out(kTagBytes + text.size(), '\0');
  unsigned char* const encrypted = bytes(out) + kTagBytes;
  int written = 0;
  int rest = 0;
  // A context that was used must be given its key anew.
  if (EVP_CIPHER_CTX_reset(context) != 1 ||
      EVP_EncryptInit_ex2(context, impl_->cipher.get(), bytes(impl_->key), nullptr, nullptr) != 1 ||
      EVP_EncryptUpdate(context, nullptr, &written, bytes(purpose), length(purpose)) != 1 ||
      EVP_EncryptUpdate(context, encrypted, &written, bytes(text), length(text)) != 1 ||
      EVP_EncryptFinal_ex(context, encrypted + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes), out.data()) != 1 ||
      written + rest != length(text))
    return core::fail("the cryptographic library could not encrypt");
  return out;
}

std::optional<std::string> Siv::open(std::string_view purpose, std::string_view sealed) {
  if (purpose.empty() || purpose.size() > kMostBytes || sealed.size() <= kTagBytes ||
      sealed.size() > kTagBytes + kMostBytes)
    return std::nullopt;
  EVP_CIPHER_CTX* context = impl_->context.get();
  std::string tag(sealed.substr(0, kTagBytes));
  const std::string_view encrypted = sealed.substr(kTagBytes);
  std::string out(encrypted.size(), '\0');
  int written = 0;
  int rest = 0;
  if (EVP_CIPHER_CTX_reset(context) != 1 ||
      EVP_DecryptInit_ex2(context, impl_->cipher.get(), bytes(impl_->key), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagBytes), tag.data()) != 1 ||
      EVP_DecryptUpdate(context, nullptr, &written, bytes(purpose), length(purpose)) != 1 ||
      EVP_DecryptUpdate(context, bytes(out), &written, bytes(encrypted), length(encrypted)) != 1 ||
      EVP_DecryptFinal_ex(context, bytes(out) + written, &rest) != 1 || written + rest != length(encrypted))
    return std::nullopt;
  return out;
}

}  // namespace orbwatch::pipeline
