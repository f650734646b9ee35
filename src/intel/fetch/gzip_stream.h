// Decompression of a body in "Content-Encoding: gzip" while it comes, by zlib. libcurl would do it, too, but it takes a
// body that ends in the middle of the compressed data for whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace orbwatch::intel {

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  enum class State : unsigned char { kGoesOn, kTooLarge, kDamaged };
  // Appends what `piece` gives to `out`, which never becomes longer than `most` bytes. Several members in a row are
  // taken (RFC 1952, 2.2). Of no more use after kTooLarge and kDamaged.
  State add(std::string_view piece, std::string& out, std::uint64_t most);
  // True if nothing has come or the last member is whole, with the right check sum.
  bool whole() const;

 private:
  struct Zlib;
  std::unique_ptr<Zlib> zlib_;
};

}  // namespace orbwatch::intel
