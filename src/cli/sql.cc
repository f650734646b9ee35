// `orbwatch sql FILE 'SELECT ...'`.
#include "store/sql.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string file;
  std::string statement;
  bool json = false;
  bool csv = false;
};

int run(const Options& o) {
  const auto format = o.json ? store::SqlFormat::kJson : o.csv ? store::SqlFormat::kCsv : store::SqlFormat::kTable;
  winsize size{};
  const int width = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  const auto rows = store::sql(o.file, o.statement, format, width, [](std::string_view text) { return print(text); });
  if (!rows) {
    complain(rows.error().text());
    return kInput;
  }
  return flush_output() ? kOk : kOutput;
}

}  // namespace

void add_sql(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("sql", "Ask a file that `hunt --db` wrote");
  sub->add_option("file", o->file, "The DuckDB file")->required();
  sub->add_option("statement", o->statement, "SQL; the tables: docs/output.md")->required();
  auto* json = sub->add_flag("--json", o->json, "One JSON object a line");
  sub->add_flag("--csv", o->csv, "CSV with a header")->excludes(json);
  takes(*sub, "FILE", {"file"});
  takes(*sub, "SQL", {"statement"});
  sub->footer(
      "Example:\n  orbwatch sql hunt.duckdb 'SELECT time, kind, score, \"user\" FROM findings ORDER BY score DESC "
      "LIMIT 10'");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli
