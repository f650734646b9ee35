#include "core/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace orbwatch::core {
namespace {

constexpr std::size_t kLongestSecret = 4096;

}  // namespace

Expected<std::string> checked_secret(std::string text, const std::string& place) {
  if (text.size() > kLongestSecret) return fail("the secret in " + place + " is longer than 4 KiB");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail("the secret in " + place + " is empty");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return fail("the secret in " + place + " holds control characters");
  return text;
}

Expected<std::string> read_secret(const std::filesystem::path& file) {
  const auto failed = [&file] {
    return fail("cannot read the secret in " + file.string(), std::generic_category().message(errno));
  };
  // A pipe without a writer must not hold the caller.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed();
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } const closer{fd};
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failed();
  if ((status.st_mode & 07) != 0)
    return fail("others may read the secret in " + file.string(), "", "chmod o= " + file.string());
  std::string text(kLongestSecret + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed();
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return checked_secret(std::move(text), file.string());
}

}  // namespace orbwatch::core
