#include "core/archive.h"

#include <fcntl.h>
#include <isa-l/crc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <set>

namespace orbwatch::core {
namespace {

constexpr std::string_view kMagic = "ORBWSTAT";
constexpr std::uint32_t kForm = 1;  // of header and blocks
constexpr std::size_t kBlock = 256 << 10;
constexpr const char* kThen = "it is not used: without a saved state the profiles are learned anew from the logs";

constexpr std::size_t kHeader = 12;

struct BlockHead {
  std::uint32_t length = 0;
  std::uint32_t checksum = 0;
};
static_assert(sizeof(BlockHead) == 8);

std::uint32_t checksum(std::uint64_t number, std::uint32_t length, const char* bytes) {
  unsigned char head[12];
  std::memcpy(head, &number, 8);
  std::memcpy(head + 8, &length, 4);
  const std::uint32_t begun = crc32_iscsi(head, sizeof head, 0xffffffff);
  if (length == 0) return begun;
  // The library does not write through its pointer; it is of a time before const.
  return crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(bytes)), static_cast<int>(length), begun);
}

std::string header() {
  std::string out(kMagic);
  out.append(reinterpret_cast<const char*>(&kForm), sizeof kForm);
  return out;
}

Error failed_output(std::string message, const std::string& path) {
  return {std::move(message), path + ": " + std::strerror(errno), "", ErrorKind::kOutput};
}

}  // namespace

struct ArchiveWriter::File {
  int descriptor = -1;
  std::string path;
  std::string partial;

  ~File() {
    if (descriptor < 0) return;
    ::close(descriptor);
    ::unlink(partial.c_str());
  }
};

ArchiveWriter::ArchiveWriter() : block_(new char[kBlock]), at_(block_.get()), end_(block_.get() + kBlock) {
  put(header());
}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;
ArchiveWriter::~ArchiveWriter() = default;

Expected<ArchiveWriter> ArchiveWriter::to_file(const std::string& path) {
  ArchiveWriter writer;
  writer.out_.clear();
  writer.size_ = 0;
  writer.file_ = std::make_unique<File>();
  writer.file_->path = path;
  writer.file_->partial = path + ".partial";
  writer.file_->descriptor =
      ::open(writer.file_->partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (writer.file_->descriptor < 0)
    return std::unexpected(failed_output("cannot write the saved state", writer.file_->partial));
  writer.put(header());
  if (writer.failed_) return std::unexpected(writer.error_);
  return writer;
}

void ArchiveWriter::put(std::string_view bytes) {
  size_ += bytes.size();
  if (file_ == nullptr) {
    out_ += bytes;
    return;
  }
  while (!bytes.empty() && !failed_) {
    const ssize_t n = ::write(file_->descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      failed_ = true;
      error_ = failed_output("cannot write the saved state", file_->partial);
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void ArchiveWriter::next_block() {
  const auto length = static_cast<std::uint32_t>(at_ - block_.get());
  at_ = block_.get();
  if (length == 0 || failed_) return;
  const BlockHead head{length, checksum(blocks_++, length, block_.get())};
  put({reinterpret_cast<const char*>(&head), sizeof head});
  put({block_.get(), length});
}

void ArchiveWriter::text_view(std::string_view text) {
  number(text.size());
  append(text);
}

void ArchiveWriter::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (at_ == end_) next_block();
    const std::size_t n = std::min(bytes.size(), static_cast<std::size_t>(end_ - at_));
    std::memcpy(at_, bytes.data(), n);
    at_ += n;
    bytes.remove_prefix(n);
  }
}

std::string sealed(std::string_view inside) {
  ArchiveWriter writer;
  writer.append(inside);
  const auto finished = writer.finish();  // memory does not fail
  return finished ? writer.take() : std::string();
}

void ArchiveWriter::symbol(Symbol symbol) {
  if (!symbol.present()) {
    number(0);
    return;
  }
  if (symbol.id() >= known_.size()) known_.resize(std::max<std::size_t>(symbol.id() + 1, known_.size() * 2));
  std::uint32_t& known = known_[symbol.id()];
  const bool first = known == 0;
  if (first) known = ++symbols_;
  number(known);
  if (first) text_view(symbol.text());
}

std::uint32_t ArchiveWriter::section(std::string_view name, std::uint32_t layout, std::uint32_t) {
  text_view(name);
  number(layout);
  return layout;
}

Expected<void> ArchiveWriter::finish() {
  if (finished_ || failed_) return failed_ ? Expected<void>(std::unexpected(error_)) : Expected<void>();
  finished_ = true;
  next_block();
  const BlockHead head{0, checksum(blocks_, 0, nullptr)};
  put({reinterpret_cast<const char*>(&head), sizeof head});
  if (file_ == nullptr) return {};
  const auto failed = [&]() -> Expected<void> {
    if (!failed_) error_ = failed_output("cannot write the saved state", file_->path);
    failed_ = true;
    return std::unexpected(error_);
  };
  if (failed_ || ::fsync(file_->descriptor) != 0) return failed();
  if (std::rename(file_->partial.c_str(), file_->path.c_str()) != 0) return failed();
  ::close(std::exchange(file_->descriptor, -1));
  // The directory, so that the name lasts, too. Some file systems refuse; the file itself is safe by then.
  std::string folder = std::filesystem::path(file_->path).parent_path().string();
  if (folder.empty()) folder = ".";
  if (const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

struct ArchiveReader::File {
  int descriptor = -1;
  std::uint64_t left = 0;
  std::string path;

  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

ArchiveReader::ArchiveReader(std::string_view bytes) : bytes_(bytes) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Expected<ArchiveReader> ArchiveReader::from_file(const std::string& path) {
  ArchiveReader reader{std::string_view()};
  reader.file_ = std::make_unique<File>();
  reader.file_->path = path;
  reader.file_->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts = {};
  if (reader.file_->descriptor < 0 || ::fstat(reader.file_->descriptor, &facts) != 0)
    return fail("cannot read the saved state", path + ": " + std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return fail("the saved state is not a file", path);
  reader.file_->left = static_cast<std::uint64_t>(facts.st_size);
  reader.block_.reset(new char[kBlock]);
  return reader;
}

std::uint64_t ArchiveReader::left() const {
  return static_cast<std::uint64_t>(end_ - at_) + (file_ != nullptr ? file_->left : bytes_.size());
}

bool ArchiveReader::get(void* to, std::size_t n) {
  if (file_ == nullptr) {
    if (bytes_.size() < n) return false;
    std::memcpy(to, bytes_.data(), n);
    bytes_.remove_prefix(n);
    return true;
  }
  if (file_->left < n) return false;
  file_->left -= n;
  char* at = static_cast<char*>(to);
  while (n > 0) {
    const ssize_t got = ::read(file_->descriptor, at, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    n -= static_cast<std::size_t>(got);
  }
  return true;
}

void ArchiveReader::fail_with(std::string message, std::string seen, std::string hint) {
  if (failed_) return;
  failed_ = true;
  if (file_ != nullptr) seen = file_->path + ": " + seen;
  error_ = {std::move(message), std::move(seen), std::move(hint), ErrorKind::kInput};
  at_ = end_ = nullptr;
}

void ArchiveReader::refuse(std::string seen) {
  if (blocks_ > 0) seen += ", in block " + std::to_string(blocks_);
  fail_with("the saved state is damaged", std::move(seen), kThen);
}

bool ArchiveReader::next_block() {
  if (failed_) return false;
  if (!read_block()) return false;
  if (!ended_) return true;
  refuse("it ends where more is expected");
  return false;
}

// False if it is damaged; `ended_` if it was the end.
bool ArchiveReader::read_block() {
  if (!began_) {
    began_ = true;
    char head[kHeader];
    if (!get(head, sizeof head) || std::string_view(head, kMagic.size()) != kMagic) {
      fail_with("this is no saved state of orbwatch", "its beginning", kThen);
      return false;
    }
    std::uint32_t form;
    std::memcpy(&form, head + kMagic.size(), sizeof form);
    if (form != kForm) {
      fail_with("the saved state is of another version of orbwatch",
                "form " + std::to_string(form) + ", this version reads " + std::to_string(kForm), kThen);
      return false;
    }
  }
  if (ended_) return true;
  BlockHead head;
  if (!get(&head, sizeof head)) {
    refuse("it is cut off");
    return false;
  }
  const std::uint64_t number = blocks_++;
  if (head.length > kBlock) {
    refuse("a block is longer than any is");
    return false;
  }
  const char* bytes = nullptr;
  if (file_ != nullptr) {
    if (!get(block_.get(), head.length)) {
      refuse("it is cut off");
      return false;
    }
    bytes = block_.get();
  } else {
    if (bytes_.size() < head.length) {
      refuse("it is cut off");
      return false;
    }
    bytes = bytes_.data();
    bytes_.remove_prefix(head.length);
  }
  if (checksum(number, head.length, bytes) != head.checksum) {
    refuse("its checksum does not fit its bytes");
    return false;
  }
  at_ = bytes;
  end_ = bytes + head.length;
  ended_ = head.length == 0;
  return true;
}

std::uint64_t ArchiveReader::long_number() {
  if (at_ == end_ && !next_block()) return 0;
  std::uint64_t v = 0;
  const char* const most = end_ - at_ < 10 ? end_ : at_ + 10;
  const char* at = at_;
  for (unsigned shift = 0; at != most; shift += 7) {
    const auto b = static_cast<std::uint8_t>(*at++);
    if (shift == 63 && b > 1) break;
    v |= std::uint64_t{b & 0x7fU} << shift;
    if (b >= 0x80) continue;
    at_ = at;
    return v;
  }
  refuse("a number does not end");
  return 0;
}

void ArchiveReader::text(std::string& text) {
  text.clear();
  std::uint64_t size = 0;
  number(size);
  if (size > left()) {
    refuse("a length is more than what is left");
    return;
  }
  while (size > 0) {
    if (at_ == end_ && !next_block()) {
      text.clear();
      return;
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size, static_cast<std::uint64_t>(end_ - at_)));
    text.append(at_, n);
    at_ += n;
    size -= n;
  }
}

// Not among the symbols: their table may be full of names.
void ArchiveReader::lasting(std::string_view& to) {
  constexpr std::size_t kMostConstants = 4096;
  static auto* const constants = new std::set<std::string, std::less<>>;  // lasts as long as the process
  static std::mutex mutex;
  std::string read;
  text(read);
  const std::lock_guard lock(mutex);
  auto found = constants->find(read);
  if (found == constants->end()) {
    if (read.size() > kLongestSymbol || constants->size() >= kMostConstants) {
      to = {};
      refuse("a word is of no known vocabulary");
      return;
    }
    found = constants->insert(std::move(read)).first;
  }
  to = *found;
}

void ArchiveReader::symbol(Symbol& symbol) {
  symbol = {};
  std::uint64_t n = 0;
  number(n);
  if (n == 0) return;
  if (n <= symbols_.size()) {
    symbol = symbols_[static_cast<std::size_t>(n - 1)];
    return;
  }
  std::string name;
  if (n == symbols_.size() + 1) text(name);
  if (name.empty() || name.size() > kLongestSymbol) {
    refuse("a name is not there");
    return;
  }
  symbol = intern(name);
  symbols_.push_back(symbol);
}

std::uint32_t ArchiveReader::section(std::string_view name, std::uint32_t layout, std::uint32_t oldest) {
  std::string there;
  text(there);
  std::uint64_t its = 0;
  number(its);
  if (!ok()) return layout;
  if (there != name) {
    refuse("\"" + there.substr(0, 40) + "\" stands where \"" + std::string(name) + "\" is expected");
  } else if (its > layout || its < (oldest == 0 ? layout : oldest)) {
    fail_with("the saved state is of another version of orbwatch",
              there + " in layout " + std::to_string(its) + ", this version reads " + std::to_string(layout), kThen);
  }
  return ok() ? static_cast<std::uint32_t>(its) : layout;
}

Expected<void> ArchiveReader::check() const {
  if (failed_) return std::unexpected(error_);
  return {};
}

Expected<void> ArchiveReader::finish() {
  if (!failed_ && at_ != end_) refuse("more stands there than is expected");
  if (!failed_ && read_block() && !ended_) refuse("more stands there than is expected");
  if (!failed_ && left() > 0) refuse("something stands behind its end");
  return check();
}

}  // namespace orbwatch::core
