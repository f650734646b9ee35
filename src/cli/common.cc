#include "cli/common.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/app.h"
#include "cli/commands.h"
#include "core/text.h"
#include "intel/networks.h"
#include "pipeline/mappings.h"
#include "serve/audit.h"
#include "source/collector.h"

namespace orbwatch::cli {
namespace {

constexpr std::size_t kLongestIdentity = 200;

}  // namespace

void complain(std::string_view message) {
  std::string line = "orbwatch: " + std::string(message) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

core::Expected<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return core::fail("cannot read", path, std::strerror(errno));
  return text.str();
}

core::Expected<pipeline::Config> read_config(const std::string& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto config = pipeline::parse_config(*text, path);
  std::error_code none;  // then the paths stay as they are
  if (const auto whole = std::filesystem::absolute(path, none); config && !none)
    pipeline::start_paths_from(whole.parent_path().string(), *config);
  return config;
}

core::Expected<void> write_file(const std::string& path, std::string_view text) {
  // A device or FIFO is written to; renaming onto it would put a file in its place.
  struct stat there{};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  const bool special = exists && !S_ISREG(there.st_mode);
  const std::string target = special ? path : path + ".partial";
  const int fd = ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return core::fail("cannot write", target, std::strerror(errno));
  std::string_view rest = text;
  // Only root may give a file away; a caller that cares looks afterwards.
  if (exists && !special && ::fchown(fd, there.st_uid, there.st_gid) != 0) errno = 0;
  bool good = special || !exists || ::fchmod(fd, there.st_mode & 07777) == 0;
  while (good && !rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      good = false;
    }
  }
  good = good && (special || ::fsync(fd) == 0);
  const int why = errno;
  ::close(fd);
  if (special) return good ? core::Expected<void>() : core::fail("cannot write", path, std::strerror(why));
  if (!good || ::rename(target.c_str(), path.c_str()) != 0) {
    const int reason = good ? errno : why;
    ::unlink(target.c_str());
    return core::fail("cannot write", path, std::strerror(reason));
  }
  return {};
}

core::Expected<void> audit(const std::string& state, std::string_view action,
                           std::vector<std::pair<std::string, std::string>> facts) {
  if (state.empty()) return {};
  serve::AuditEntry entry;
  entry.time = source::now();
  entry.action = action;
  entry.facts = std::move(facts);
  return serve::audit(state, entry);
}

bool print(std::string_view text) { return std::fwrite(text.data(), 1, text.size(), stdout) == text.size(); }

bool flush_output() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

std::string networks_file(const std::string& option) {
  if (option == "none") return {};
  if (!option.empty()) return option;
  const std::string path = intel::Networks::default_path();
  return ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

std::vector<std::string> add_log_options(CLI::App& sub, pipeline::HuntOptions& hunt, LogOptions& more,
                                         const std::string& format) {
  sub.add_option("--config", more.config, "Configuration file (YAML)");
  sub.add_option(format, hunt.format, "Read everything as this format (see `orbwatch formats`)");
  sub.add_option("--tz", hunt.zone, "Time zone of records that state none: Europe/Berlin, +02:00 (default UTC)");
  sub.add_option("--year", hunt.year, "Year of records that state none (default: from the file's time)")
      ->check(CLI::Range(1970, 2200));
  sub.add_option(
         "--mapping", more.mappings,
         "YAML that describes a format of your own (docs/formats/mapping.md), or a folder of such files; may be "
         "given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  sub.add_option("--networks", more.networks,
                 "Compiled network facts, or none (default: the table of `orbwatch intel build`)");
  sub.add_option("--indicators", hunt.indicator_files,
                 "List of bad addresses or prefixes, one a line; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  sub.add_option("--feeds", hunt.feeds_folder, "Folder of threat feeds that `orbwatch feeds update` keeps");
  takes(sub, "FILE", {"--config", "--mapping", "--networks", "--indicators"});
  takes(sub, "FOLDER", {"--feeds"});
  takes(sub, "FORMAT", {format.c_str()});
  takes(sub, "ZONE", {"--tz"});
  takes(sub, "N", {"--year"});
  return {format, "--tz", "--year", "--mapping", "--networks", "--indicators", "--feeds"};
}

void add_marking(CLI::App& sub, Marking& marking, const std::string& of) {
  std::vector<std::string> tlps;
  for (const exporting::sharing::Tlp tlp : exporting::sharing::kTlps) tlps.emplace_back(name(tlp));
  sub.add_option("--tlp", marking.tlp, of + "Who may read it: Traffic Light Protocol 2.0")->check(CLI::IsMember(tlps));
  sub.add_option("--identity", marking.identity,
                 of + "Whose findings they are, as partners see it; default: nobody is named");
  takes(sub, "NAME", {"--identity"});
}

core::Expected<exporting::sharing::WriteOptions> marked(const Marking& marking, core::Nanoseconds made) {
  if (marking.identity.size() > kLongestIdentity ||
      marking.identity != core::printable(marking.identity, kLongestIdentity))
    return core::fail(fmt::format("--identity must be a name of at most {} bytes on one line", kLongestIdentity));
  exporting::sharing::WriteOptions options;
  options.sender = marking.identity;
  options.tlp = *exporting::sharing::parse_tlp(marking.tlp);
  options.made = made;
  return options;
}

bool configure(pipeline::HuntOptions& hunt, const std::string& config, const std::vector<std::string>& mappings) {
  if (!mappings.empty()) {
    auto loaded = pipeline::load_mappings(mappings);
    for (const core::Error& error : loaded.errors) complain(error.text());
    if (!loaded.errors.empty()) return false;
    hunt.mappings = std::move(loaded.good);
  }
  if (config.empty()) return true;
  auto read = read_config(config);
  if (!read) {
    complain(read.error().text());
    return false;
  }
  hunt.alerts_per_day = read->alerts_per_day;
  hunt.learn_half_lives = read->learn_half_lives;
  hunt.networks = read->networks;
  // The service's file may have no verdict in it yet, and then it is not there.
  if (::access(read->verdicts.c_str(), F_OK) == 0) hunt.verdicts_file = read->verdicts;
  if (hunt.zone.empty()) hunt.zone = read->timezone;
  // What the configuration names may be edited by others: a mistake there is told and leaves the other formats working.
  auto loaded = pipeline::load_mappings(read->mappings);
  for (const core::Error& error : loaded.errors) complain("not used: " + error.text());
  hunt.mappings.insert(hunt.mappings.end(), std::make_move_iterator(loaded.good.begin()),
                       std::make_move_iterator(loaded.good.end()));
  hunt.feeds = read->feeds;
  // A file without `feeds` may still have a service's state with a folder of them; it has none then.
  if (hunt.feeds_folder.empty() && !read->feeds.empty()) hunt.feeds_folder = pipeline::feeds_folder_of(*read);
  hunt.indicator_files.insert(hunt.indicator_files.end(), read->indicators.begin(), read->indicators.end());
  return true;
}

int terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  if (const char* columns = std::getenv("COLUMNS")) return core::parse_number<int>(columns).value_or(100);
  return 100;
}

}  // namespace orbwatch::cli
