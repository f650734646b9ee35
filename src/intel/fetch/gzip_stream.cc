#include "intel/fetch/gzip_stream.h"

#include <zlib.h>

#include <algorithm>

namespace orbwatch::intel {

struct GzipStream::Zlib {
  z_stream stream{};
  bool good = false;
  bool inside = false;  // of a member
};

GzipStream::GzipStream() : zlib_(std::make_unique<Zlib>()) {
  zlib_->good = inflateInit2(&zlib_->stream, 15 + 16) == Z_OK;  // gzip and nothing else
}

GzipStream::~GzipStream() {
  if (zlib_->good) inflateEnd(&zlib_->stream);
}

bool GzipStream::whole() const { return zlib_->good && !zlib_->inside; }

GzipStream::State GzipStream::add(std::string_view piece, std::string& out, std::uint64_t most) {
  if (!zlib_->good) return State::kDamaged;
  z_stream& z = zlib_->stream;
  char buffer[32'768];
  // zlib does not write to its input.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  z.avail_in = static_cast<uInt>(piece.size());  // libcurl's pieces are of 16 KiB
  do {
    if (!zlib_->inside) {
      if (z.avail_in == 0) break;
      if (inflateReset(&z) != Z_OK) return State::kDamaged;
      zlib_->inside = true;
    }
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    const int code = inflate(&z, Z_NO_FLUSH);
    const std::size_t made = sizeof buffer - z.avail_out;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return State::kDamaged;
    if (made > most || out.size() > most - made) return State::kTooLarge;
    out.append(buffer, made);
    if (code == Z_STREAM_END) zlib_->inside = false;
    if (code == Z_BUF_ERROR && made == 0) break;  // wants more input
  } while (z.avail_in > 0 || z.avail_out == 0);
  return State::kGoesOn;
}

}  // namespace orbwatch::intel
