#include "intel/fetch/file_fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/text.h"

namespace orbwatch::intel {
namespace {

std::string state_of(const struct stat& s) {
  return fmt::format("{}-{}.{:09}-{}-{}", s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ino, s.st_dev);
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

core::Expected<Response> fetch_file(const std::string& path, const Request& request, std::uint64_t most,
                                    bool& changed) {
  changed = false;
  const std::string shown = core::printable(path, 300);
  const auto failed = [&shown](int error) {
    return core::fail(shown + " was not read", std::generic_category().message(error), "check the path and its rights");
  };
  Response response;
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.fd < 0) {
    if (errno == ENOENT && std::ranges::find(request.also_answers, 404) != request.also_answers.end()) {
      response.status = 404;
      return response;
    }
    return failed(errno);
  }
  struct stat before{};
  if (::fstat(file.fd, &before) != 0) return failed(errno);
  if (!S_ISREG(before.st_mode)) return core::fail(shown + " was not read", "it is no regular file");
  response.status = 200;
  response.validators.file = state_of(before);
  if (!request.known.file.empty() && request.known.file == response.validators.file) {
    response.not_modified = true;
    return response;
  }
  const auto too_large = [&]() -> core::Expected<Response> {
    if (request.too_large_is_answer) {
      response.too_large = true;
      response.body.clear();
      return std::move(response);
    }
    return core::fail(shown + " is too large", fmt::format("more than {} bytes", most), "raise the limit of the feed");
  };
  if (static_cast<std::uint64_t>(before.st_size) > most) return too_large();
  response.body.reserve(static_cast<std::size_t>(before.st_size));
  char buffer[65'536];
  for (;;) {
    const ssize_t n = ::read(file.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno);
    if (n == 0) break;
    if (response.body.size() + static_cast<std::size_t>(n) > most) return too_large();
    response.body.append(buffer, static_cast<std::size_t>(n));
  }
  struct stat after{};
  if (::fstat(file.fd, &after) != 0) return failed(errno);
  if (state_of(after) != response.validators.file || response.body.size() != static_cast<std::size_t>(before.st_size)) {
    changed = true;
    return core::fail(shown + " was not read", "it was written to meanwhile",
                      "write it beside its place and rename it");
  }
  return response;
}

}  // namespace orbwatch::intel
