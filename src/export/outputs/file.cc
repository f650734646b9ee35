// A file to which messages are appended, one a line (text: separated by an empty line).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "export/outputs/make.h"

namespace orbwatch::exporting {
namespace {

class FileOutput final : public Output {
 public:
  explicit FileOutput(std::string path) : path_(std::move(path)) {}
  ~FileOutput() override { close(); }

  Delivered deliver(const Message& message, std::stop_token) override {
    if (auto opened = open(); !opened) return opened;
    std::string line = message.body;
    line += line.ends_with('\n') ? "\n" : "";  // a text of many lines
    if (!line.ends_with('\n')) line += '\n';
    if (begin_line_) line.insert(line.begin(), '\n');
    struct stat before{};
    ::fstat(fd_, &before);
    std::size_t written = 0;
    int error = 0;
    while (written < line.size() && error == 0) {
      const ssize_t n = ::write(fd_, line.data() + written, line.size() - written);
      if (n >= 0) {
        written += static_cast<std::size_t>(n);
      } else if (errno != EINTR) {
        error = errno;
      }
    }
    if (error == 0 && ::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) error = errno;
    if (error != 0) {
      // No half of a line stays behind.
      if (written != 0 && S_ISREG(before.st_mode) && ::ftruncate(fd_, before.st_size) != 0) begin_line_ = true;
      return try_again("cannot write " + path_, std::generic_category().message(error));
    }
    begin_line_ = false;
    return {};
  }

  void reopen() override { reopen_ = true; }
  std::string target() const override { return "file " + path_; }

 private:
  // Opens the file, and opens it anew if it was moved or removed since.
  Delivered open() {
    if (fd_ >= 0) {
      struct stat mine{}, there{};
      const bool same = ::fstat(fd_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
                        mine.st_dev == there.st_dev;
      if (reopen_.exchange(false) || !same) close();
    }
    if (fd_ >= 0) return {};
    // Without waiting for a reader, if it is a pipe.
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd_ < 0) return try_again("cannot open " + path_, std::generic_category().message(errno));
    // What a power cut left of a line is ended before the next one begins.
    struct stat status{};
    char last = '\n';
    begin_line_ = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
                  ::pread(fd_, &last, 1, status.st_size - 1) == 1 && last != '\n';
    return {};
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  std::string path_;
  int fd_ = -1;
  bool begin_line_ = false;
  std::atomic<bool> reopen_ = false;
};

}  // namespace

core::Expected<std::unique_ptr<Output>> make_file_output(const OutputSettings& settings) {
  return std::make_unique<FileOutput>(settings.path);
}

}  // namespace orbwatch::exporting
