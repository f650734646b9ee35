// `orbwatch hunt` with --json and --summary, for end-to-end tests. Without network facts, so that the result does not
// depend on what is installed.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "support/run.h"
#include "support/summary.h"
#include "support/temp_dir.h"

namespace orbwatch::test {

struct HuntRun {
  RunResult run;
  std::string findings;  // JSON lines
  Summary summary;       // empty if none was written
  bool summarised = false;
};

inline HuntRun hunt(std::vector<std::string> arguments, std::string_view input = {}, const RunOptions& options = {}) {
  const TempDir dir;
  const std::string file = (dir / "summary.json").string();
  std::vector<std::string> argv = {orbwatch_binary(), "hunt", "--json", "--networks", "none", "--summary", file};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  HuntRun out;
  out.run = run(argv, input, options);
  out.findings = out.run.out;
  if (std::filesystem::exists(file)) {
    out.summary = parse_summary(read_file(file));
    out.summarised = true;
  }
  return out;
}

inline std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A line that becomes one event: a log-in to an ASA's AnyConnect.
inline std::string asa_login(const std::string& user, const std::string& ip, int second = 0) {
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return "<166>Nov 22 2026 " + two(second / 3600 % 24) + ":" + two(second / 60 % 60) + ":" + two(second % 60) +
         " gw1 : %ASA-6-722022: Group <Staff> User <" + user + "> IP <" + ip +
         "> TCP SVC connection established without compression\n";
}

}  // namespace orbwatch::test
