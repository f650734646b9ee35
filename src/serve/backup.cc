#include "serve/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/text.h"
#include "source/sockets.h"

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;
using source::Descriptor;

constexpr std::string_view kHead = "orbwatch backup 1\n";
constexpr std::string_view kManifest = "MANIFEST";
constexpr std::string_view kLock = "lock";
constexpr std::size_t kPiece = std::size_t{1} << 20;
// A manifest is some hundred bytes a file, and a state has some thousand files.
constexpr std::uintmax_t kLongestManifest = std::uintmax_t{256} << 20;

std::unexpected<core::Error> failed(std::string message, const fs::path& path, int number, std::string hint = {}) {
  return std::unexpected(core::Error{std::move(message), fmt::format("{}: {}", path.string(), std::strerror(number)),
                                     std::move(hint), core::ErrorKind::kOutput});
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string out;
    for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

struct Entry {
  std::string sum;
  std::uint64_t bytes = 0;
  std::string path;  // below the folder
};

// Copies a file and syncs the copy; gives size and checksum of what was written.
core::Expected<Entry> copy_and_sum(const fs::path& from, const fs::path& to) {
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat meta{};
  if (!in.open() || ::fstat(in.get(), &meta) != 0)
    return core::fail("cannot read", fmt::format("{}: {}", from.string(), std::strerror(errno)));
  if (!S_ISREG(meta.st_mode)) return core::fail("not a file", from.string());
  const Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, meta.st_mode & 0777));
  if (!out.open()) return failed("cannot write", to, errno);
  Entry entry;
  Sha256 sum;
  std::vector<char> piece(kPiece);
  while (true) {
    const ssize_t n = ::read(in.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return core::fail("cannot read", fmt::format("{}: {}", from.string(), std::strerror(errno)));
    if (n == 0) break;
    const auto size = static_cast<std::size_t>(n);
    sum.add(piece.data(), size);
    for (std::size_t done = 0; done < size;) {
      const ssize_t written = ::write(out.get(), piece.data() + done, size - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return failed("cannot write", to, errno, "is there room on the disk?");
      done += static_cast<std::size_t>(written);
    }
    entry.bytes += size;
  }
  if (::fsync(out.get()) != 0) return failed("cannot write", to, errno);
  entry.sum = sum.hex();
  return entry;
}

core::Expected<void> sync_folder(const fs::path& folder) {
  const Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.open() || ::fsync(open.get()) != 0) return failed("cannot write", folder, errno);
  return {};
}

// Every folder below, itself included: what was made in them is on the disk then.
core::Expected<void> sync_folders(const fs::path& folder) {
  if (auto ok = sync_folder(folder); !ok) return ok;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory(error)) continue;
    if (auto ok = sync_folder(it->path()); !ok) return ok;
  }
  if (error) return failed("cannot read", folder, error.value());
  return {};
}

// True if there is something in it or in its place.
bool occupied(const fs::path& folder) {
  std::error_code error;
  const auto status = fs::symlink_status(folder, error);
  if (!fs::exists(status)) return false;
  return !fs::is_directory(status) || !fs::is_empty(folder, error) || error;
}

// The files below a folder, in the order of their paths.
core::Expected<std::vector<std::string>> files_below(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto status = it->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) continue;
    const std::string path = it->path().lexically_relative(folder).string();
    if (!fs::is_regular_file(status))
      return core::fail("neither a file nor a folder", core::printable(it->path().string()), "move it away");
    if (path.find('\n') != path.npos) return core::fail("a line feed in the name of a file", core::printable(path));
    out.push_back(path);
  }
  if (error) return core::fail("cannot read", fmt::format("{}: {}", folder.string(), error.message()));
  std::ranges::sort(out);
  return out;
}

bool is_left_out(const fs::path& path) { return path.filename() == kLock || path.extension() == ".partial"; }

// The folder's real place, also if its end is not there yet.
fs::path real(const fs::path& folder) {
  std::error_code error;
  const fs::path out = fs::weakly_canonical(fs::absolute(folder, error), error);
  return out.filename().empty() ? out.parent_path() : out;
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

// A path that stays below the folder that it is put behind.
bool is_safe(std::string_view path) {
  const fs::path p(path);
  return !path.empty() && p.is_relative() && p == p.lexically_normal() && *p.begin() != ".." && *p.begin() != "." &&
         path != kManifest;
}

core::Expected<std::vector<Entry>> read_manifest(const fs::path& folder) {
  const fs::path file = folder / kManifest;
  const auto damaged = [&](std::string_view what) {
    return core::fail("the backup's manifest is damaged",
                      fmt::format("{}: {}", file.string(), core::printable(what, 120)), "take another backup");
  };
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error)
    return core::fail("this is no backup", fmt::format("{}: {}", file.string(), error.message()),
                      "name the folder that `orbwatch backup --out` wrote");
  if (size > kLongestManifest) return damaged("too long");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!text.starts_with(kHead)) return damaged("not the first line of one that this version reads");
  const auto last = text.rfind("\nmanifest ");
  if (last == text.npos) return damaged("its end is missing");
  const std::string_view lines = std::string_view(text).substr(0, last + 1);
  Sha256 sum;
  sum.add(lines.data(), lines.size());
  if (text.substr(last + 1) != "manifest " + sum.hex() + "\n") return damaged("its checksum is wrong");
  std::vector<Entry> out;
  for (std::size_t at = kHead.size(); at < lines.size();) {
    const auto end = lines.find('\n', at);
    const std::string_view line = lines.substr(at, end - at);
    at = end + 1;
    const auto first = line.find(' ');
    const auto second = first == line.npos ? first : line.find(' ', first + 1);
    if (first != 64 || second == line.npos) return damaged(line);
    const auto bytes = core::parse_number<std::uint64_t>(line.substr(first + 1, second - first - 1));
    if (!bytes || !is_safe(line.substr(second + 1))) return damaged(line);
    out.push_back({std::string(line.substr(0, first)), *bytes, std::string(line.substr(second + 1))});
  }
  return out;
}

core::Expected<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failed("cannot make the folder", folder, error.value());
  return {};
}

// The journal's lock, as the service holds it.
core::Expected<Descriptor> lock_state(const fs::path& state) {
  const fs::path path = state / "journal" / kLock;
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!lock.open())
    return core::fail("this is not the state of a service", fmt::format("{}: {}", path.string(), std::strerror(errno)),
                      "name the folder that is 'state' in the configuration");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return core::fail("the service runs with this state", state.string(), "stop it first: systemctl stop orbwatch");
  return lock;
}

}  // namespace

core::Expected<BackupCounts> backup(const std::string& state_name, const std::string& out_name) {
  const fs::path state = real(state_name);
  const fs::path out = real(out_name);
  const auto lock = lock_state(state);
  if (!lock) return std::unexpected(lock.error());
  if (lies_within(out, state))
    return core::fail("the backup would lie within the state", out.string(), "name a folder elsewhere");
  if (occupied(out)) return core::fail("the folder is not empty", out.string(), "name another one");
  const auto files = files_below(state);
  if (!files) return std::unexpected(files.error());

  BackupCounts counts;
  std::string manifest(kHead);
  if (auto ok = make_folder(out); !ok) return std::unexpected(ok.error());
  std::error_code error;
  fs::permissions(out, fs::perms::owner_all, error);  // it holds names of users
  if (error) return failed("cannot make the folder", out, error.value());
  for (const std::string& path : *files) {
    if (is_left_out(path)) continue;
    if (auto ok = make_folder((out / path).parent_path()); !ok) return std::unexpected(ok.error());
    const auto entry = copy_and_sum(state / path, out / path);
    if (!entry) return std::unexpected(entry.error());
    fmt::format_to(std::back_inserter(manifest), "{} {} {}\n", entry->sum, entry->bytes, path);
    ++counts.files;
    counts.bytes += entry->bytes;
  }
  if (auto ok = sync_folders(out); !ok) return std::unexpected(ok.error());
  Sha256 sum;
  sum.add(manifest.data(), manifest.size());
  manifest += "manifest " + sum.hex() + "\n";
  const fs::path partial = out / (std::string(kManifest) + ".partial");
  {
    const Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!file.open()) return failed("cannot write", partial, errno);
    for (std::string_view rest = manifest; !rest.empty();) {
      const ssize_t n = ::write(file.get(), rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed("cannot write", partial, errno, "is there room on the disk?");
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file.get()) != 0) return failed("cannot write", partial, errno);
  }
  if (::rename(partial.c_str(), (out / kManifest).c_str()) != 0) return failed("cannot write", out / kManifest, errno);
  if (auto ok = sync_folder(out); !ok) return std::unexpected(ok.error());
  return counts;
}

core::Expected<BackupCounts> restore(const std::string& from_name, const std::string& state_name) {
  const fs::path from = real(from_name);
  const fs::path state = real(state_name);
  const auto entries = read_manifest(from);
  if (!entries) return std::unexpected(entries.error());
  if (occupied(state))
    return core::fail("the state folder is not empty", state.string(), "move what is there away, or name another one");
  if (lies_within(state, from)) return core::fail("the state would lie within the backup", state.string());
  // What is not in the manifest was put there by somebody else.
  const auto files = files_below(from);
  if (!files) return std::unexpected(files.error());
  std::set<std::string_view> named;
  for (const Entry& e : *entries) {
    if (!named.insert(e.path).second)
      return core::fail("a file is named twice in the manifest", core::printable(e.path));
  }
  for (const std::string& path : *files) {
    if (path != kManifest && !named.contains(path))
      return core::fail("a file that the manifest does not name", core::printable((from / path).string()),
                        "move it away, if you know what it is");
  }

  const fs::path partial = state.string() + ".partial";
  std::error_code ignored;
  if (occupied(partial))
    return core::fail("a restore that was not finished is in the way", partial.string(), "remove it");
  BackupCounts counts;
  const auto copy_all = [&]() -> core::Expected<void> {
    if (auto ok = make_folder(partial / "journal"); !ok) return ok;
    for (const Entry& e : *entries) {
      if (auto ok = make_folder((partial / e.path).parent_path()); !ok) return ok;
      const auto copied = copy_and_sum(from / e.path, partial / e.path);
      if (!copied) return std::unexpected(copied.error());
      if (copied->bytes != e.bytes || copied->sum != e.sum)
        return core::fail("a file of the backup is damaged", core::printable((from / e.path).string()),
                          "take another backup");
      ++counts.files;
      counts.bytes += e.bytes;
    }
    // So that a backup can be taken of it, as of one that a service has used.
    const Descriptor lock(::open((partial / "journal" / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!lock.open()) return failed("cannot write", partial / "journal", errno);
    fs::permissions(partial, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, ignored);
    if (auto ok = sync_folders(partial); !ok) return ok;
    // The name may only go to it where nothing or an empty folder is.
    if (::rename(partial.c_str(), state.c_str()) != 0) return failed("cannot write", state, errno);
    return sync_folder(state.parent_path());
  };
  if (auto ok = copy_all(); !ok) {
    fs::remove_all(partial, ignored);
    return std::unexpected(ok.error());
  }
  return counts;
}

}  // namespace orbwatch::serve
