#include "export/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace orbwatch::exporting {
namespace {

namespace fs = std::filesystem;

std::unexpected<core::Error> failed(std::string_view what, const fs::path& file, int error) {
  return std::unexpected(core::Error{std::string(what) + " " + file.string(), std::generic_category().message(error),
                                     "", core::ErrorKind::kOutput});
}

}  // namespace

core::Expected<void> write_atomically(const fs::path& file, std::string_view bytes) {
  const fs::path partial = file.string() + ".partial";
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed("cannot write", partial, errno);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(partial.c_str(), file.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(partial.c_str());
    return failed("cannot write", file, error);
  }
  sync_folder(file.parent_path());
  return {};
}

core::Expected<std::string> read_bounded(const fs::path& file, std::size_t most) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("cannot read", file, errno);
  std::string out;
  char buffer[16384];
  int error = 0;
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n <= 0) break;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > most) error = EFBIG;
    if (error != 0) break;
  }
  ::close(fd);
  if (error != 0) return failed("cannot read", file, error);
  return out;
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace orbwatch::exporting
