#include "evaluate/log_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace orbwatch::evaluate {

struct LogFile::Output {
  std::FILE* file = nullptr;
  gzFile zip = nullptr;
  std::string buffer;

  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (file != nullptr) std::fclose(file);
    if (zip != nullptr) gzclose(zip);
  }
  bool drain() {
    if (buffer.empty()) return true;
    const bool good = file != nullptr ? std::fwrite(buffer.data(), 1, buffer.size(), file) == buffer.size()
                                      : gzwrite(zip, buffer.data(), static_cast<unsigned>(buffer.size())) ==
                                            static_cast<int>(buffer.size());
    buffer.clear();
    return good;
  }
  bool close() {
    bool good = drain();
    if (file != nullptr) good = std::fclose(file) == 0 && good;
    if (zip != nullptr) good = gzclose(zip) == Z_OK && good;
    file = nullptr;
    zip = nullptr;
    return good;
  }
};

LogFile::LogFile(std::vector<Part> parts) : parts_(std::move(parts)) {}
LogFile::~LogFile() = default;
LogFile::LogFile(LogFile&&) noexcept = default;

core::Expected<void> LogFile::open_part() {
  const std::string& path = parts_[part_].path;
  output_ = std::make_unique<Output>();
  // "wb6" writes no name and no time into the header: the same lines give the same bytes.
  if (path.ends_with(".gz")) {
    output_->zip = gzopen(path.c_str(), "wb6");
  } else {
    output_->file = std::fopen(path.c_str(), "wb");
  }
  if (output_->file == nullptr && output_->zip == nullptr) {
    const std::string why = std::strerror(errno);
    output_.reset();
    return core::fail("cannot write the log", path, why);
  }
  return {};
}

core::Expected<void> LogFile::write(std::string_view bytes) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  output_->buffer += bytes;
  if (output_->buffer.size() >= kBlock && !output_->drain()) {
    return core::fail("cannot write the log", parts_[part_].path, "is the disk full?");
  }
  return {};
}

core::Expected<void> LogFile::flush(Nanoseconds until) {
  std::ranges::sort(pending_, [](const Pending& a, const Pending& b) {
    return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
  });
  std::size_t done = 0;
  for (; done < pending_.size() && pending_[done].time < until; ++done) {
    const Pending& line = pending_[done];
    while (part_ + 1 < parts_.size() && line.time >= parts_[part_].until) {
      if (auto closed = close(); !closed) return closed;
      ++part_;
    }
    if (output_ == nullptr) {
      if (auto opened = open_part(); !opened) return opened;
    }
    if (auto written = write(std::string_view(arena_).substr(line.offset, line.length)); !written) return written;
    ++written_lines_;
    written_bytes_ += line.length;
  }
  // What is left (sessions that end later) moves to the front of a fresh arena.
  std::string rest;
  std::vector<Pending> kept(pending_.begin() + static_cast<std::ptrdiff_t>(done), pending_.end());
  for (Pending& line : kept) {
    const std::size_t at = rest.size();
    rest.append(arena_, line.offset, line.length);
    line.offset = at;
  }
  arena_.swap(rest);
  pending_.swap(kept);
  return {};
}

core::Expected<void> LogFile::close() {
  if (output_ == nullptr) {
    // A part without lines is an empty file, as a rotated log of a quiet device is.
    if (auto opened = open_part(); !opened) return opened;
  }
  const bool good = output_->close();
  output_.reset();
  if (!good) return core::fail("cannot write the log", parts_[part_].path, "is the disk full?");
  return {};
}

}  // namespace orbwatch::evaluate
