// `orbwatch intel ...`: the table of network facts.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/common.h"
#include "intel/command.h"

namespace orbwatch::cli {

void add_intel(CLI::App& app, int& exit_code) {
  CLI::App* sub = app.add_subcommand("intel", "Network facts: build, info, verify, lookup, check (see `orbwatch intel help`)");
  sub->prefix_command();
  sub->callback([sub, &exit_code] {
    const std::vector<std::string> words = sub->remaining();
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    auto text = intel::command(words, now, [](std::string_view line) { std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data()); });
    if (!text) {
      complain(text.error().text());
      exit_code = text.error().message.starts_with("usage") ? kUsage : kInput;
      return;
    }
    print(*text);
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli
