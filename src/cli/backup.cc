// `orbwatch backup` and `orbwatch restore`: a stopped service's state into a folder and back.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "serve/backup.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string state;
  std::string other;
};

int report(const core::Expected<serve::BackupCounts>& done, const std::string& what) {
  if (!done) {
    complain(done.error().text());
    return done.error().kind == core::ErrorKind::kOutput ? kOutput : kInput;
  }
  print(fmt::format("{}: {} files, {} bytes\n", what, done->files, done->bytes));
  return flush_output() ? kOk : kOutput;
}

// Changes nothing in the state: an audit log that cannot be written is told, and the backup stands.
int backup_state(const Options& o) {
  const auto done = serve::backup(o.state, o.other);
  if (done) {
    if (const auto ok = audit(o.state, "backup", {{"to", o.other}}); !ok) complain(ok.error().text());
  }
  return report(done, o.other);
}

int restore_state(const Options& o) {
  const auto done = serve::restore(o.other, o.state);
  const int code = report(done, o.state);
  if (!done) return code;
  if (const auto ok = audit(o.state, "restore", {{"from", o.other}}); !ok) {
    complain(ok.error().text());
    return kOutput;
  }
  return code;
}

}  // namespace

void add_backup(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* backup = app.add_subcommand("backup", "Copy the state of a stopped service into a folder");
  backup->add_option("--state", o->state, "Folder of the service's state")->required();
  backup->add_option("--out", o->other, "Folder of the backup; must be empty or not there")->required();
  takes(*backup, "DIR", {"--state", "--out"});
  backup->footer("Example:\n  orbwatch backup --state /var/lib/orbwatch/service --out /srv/backup/orbwatch-2026-11-28");
  backup->callback([o, &exit_code] { exit_code = backup_state(*o); });

  auto r = std::make_shared<Options>();
  CLI::App* restore = app.add_subcommand("restore", "Make a service's state from a backup");
  restore->add_option("--from", r->other, "Folder of the backup")->required();
  restore->add_option("--state", r->state, "Folder of the service's state; must be empty or not there")->required();
  takes(*restore, "DIR", {"--from", "--state"});
  restore->footer(
      "Example:\n  orbwatch restore --from /srv/backup/orbwatch-2026-11-28 --state /var/lib/orbwatch/service");
  restore->callback([r, &exit_code] { exit_code = restore_state(*r); });
}

}  // namespace orbwatch::cli
