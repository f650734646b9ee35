#include "serve/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "core/text.h"

namespace orbwatch::serve {
namespace {

constexpr std::size_t kLongestText = 300;
constexpr std::uint32_t kNoLogin = UINT32_MAX;  // what the kernel says of processes that nobody logged in for
constexpr int kTries = 10;                      // to find the file that another process has just turned over

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

std::unexpected<core::Error> failed(const std::string& file, int why) {
  return std::unexpected(core::Error{"cannot write the audit log", file + ": " + std::strerror(why),
                                     "it must be writable for who runs this", core::ErrorKind::kOutput});
}

std::string user_name(std::uint32_t uid) {
  std::array<char, 4096> room;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

std::uint32_t login_uid() {
  std::ifstream in("/proc/self/loginuid");
  std::uint32_t uid = kNoLogin;
  return in >> uid ? uid : kNoLogin;
}

void member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += out.size() > 1 ? "," : "";
  core::append_json_string(out, name);
  out += ':';
  core::append_json_string(out, core::printable(text, kLongestText));
}

void member(std::string& out, std::string_view name, std::uint32_t number) {
  out += fmt::format(",\"{}\":{}", name, number);
}

}  // namespace

std::string to_json(const AuditEntry& entry) {
  std::string out = "{";
  member(out, "time", core::rfc3339(entry.time));
  member(out, "action", entry.action);
  member(out, "outcome", entry.outcome);
  const std::uint32_t uid = entry.asked_by.value_or(::getuid());
  member(out, "uid", uid);
  member(out, "user", user_name(uid));
  // Of a signal's sender nothing more is known.
  if (const std::uint32_t login = login_uid(); !entry.asked_by && login != kNoLogin && login != uid) {
    member(out, "login_uid", login);
    member(out, "login", user_name(login));
  }
  for (const auto& [name, text] : entry.facts) member(out, name, text);
  if (!entry.changed.empty()) {
    out += ",\"changed\":[";
    for (std::size_t i = 0; i < entry.changed.size(); ++i) {
      if (i != 0) out += ',';
      if (i == kMostAuditChanges) {
        core::append_json_string(out, fmt::format("and {} more", entry.changed.size() - i));
        break;
      }
      core::append_json_string(out, core::printable(entry.changed[i], kLongestText));
    }
    out += ']';
  }
  return out + "}";
}

std::string login_name() {
  const std::uint32_t login = login_uid();
  const std::uint32_t uid = login != kNoLogin ? login : ::getuid();
  std::string name = user_name(uid);
  return name.empty() ? fmt::format("uid {}", uid) : name;
}

core::Expected<void> audit(const std::string& state, const AuditEntry& entry, std::size_t most_bytes) {
  const std::string file = fmt::format("{}/{}", state, kAuditFile);
  struct stat folder{};
  if (::stat(state.c_str(), &folder) != 0) return failed(file, errno);
  for (int i = 0; i < kTries; ++i) {
    // The folder is another user's for root: no link leads out of it, and nothing waits.
    const Descriptor log(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
    if (log.get() < 0) return failed(file, errno);
    if (::flock(log.get(), LOCK_EX) != 0) return failed(file, errno);
    struct stat now{};
    struct stat named{};
    if (::fstat(log.get(), &now) != 0) return failed(file, errno);
    if (!S_ISREG(now.st_mode) || now.st_nlink > 1) return failed(file, EMLINK);
    // Another process has turned it over since it was opened.
    if (::lstat(file.c_str(), &named) != 0 || named.st_ino != now.st_ino || now.st_nlink == 0) continue;
    if (now.st_size > 0 && static_cast<std::size_t>(now.st_size) >= most_bytes) {
      if (::rename(file.c_str(), (file + ".1").c_str()) != 0) return failed(file, errno);
      continue;
    }
    if (::geteuid() == 0 && now.st_uid != folder.st_uid && ::fchown(log.get(), folder.st_uid, folder.st_gid) != 0)
      return failed(file, errno);
    std::string line = to_json(entry) + "\n";
    char last = '\n';
    if (now.st_size > 0 && ::pread(log.get(), &last, 1, now.st_size - 1) != 1) return failed(file, errno);
    if (last != '\n') line.insert(0, 1, '\n');
    errno = ENOSPC;  // what a short write means
    if (::write(log.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      const int why = errno;
      (void)::ftruncate(log.get(), now.st_size);
      return failed(file, why);
    }
    if (::fsync(log.get()) != 0) return failed(file, errno);
    return {};
  }
  return failed(file, EBUSY);
}

}  // namespace orbwatch::serve
