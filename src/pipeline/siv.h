// AES-SIV (RFC 5297), by OpenSSL: authenticated encryption without a nonce. Equal texts under equal keys give equal
// results, and whoever has the key can turn one back; anything that was made with another key, or was changed, is
// refused. What is given away is which texts are equal, and how long they are.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::pipeline {

// Not thread-safe. The key is wiped at the end.
class Siv {
 public:
  static constexpr std::size_t kTagBytes = 16;
  // Longer texts are refused.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 30;

  // 32, 48 or 64 random bytes: AES-128, -192, -256 in SIV mode. Errors: another length; a cryptographic library that
  // has no SIV.
  static core::Expected<Siv> make(std::string_view key);
  Siv(Siv&&) noexcept;
  Siv& operator=(Siv&&) noexcept;
  ~Siv();

  // The tag (V of the RFC) and behind it the encrypted text, which is as long as `text`. `purpose` is the RFC's
  // associated data: what was sealed for one purpose does not open for another. Neither may be empty.
  core::Expected<std::string> seal(std::string_view purpose, std::string_view text);
  // nullopt: not made with this key for this purpose, or changed since.
  std::optional<std::string> open(std::string_view purpose, std::string_view sealed);

 private:
  struct Impl;
  explicit Siv(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orbwatch::pipeline
