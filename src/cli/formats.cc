// `orbwatch formats`: what can be read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "decode/all.h"

namespace orbwatch::cli {

void add_formats(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("formats", "List the log formats that are read");
  sub->add_flag("--json", *json, "One JSON object a line");
  sub->callback([json, &exit_code] {
    const auto row = [&](const auto& f) {
      if (*json) {
        std::string out = "{\"name\":";
        core::append_json_string(out, f.name);
        out += ",\"title\":";
        core::append_json_string(out, f.title);
        out += ",\"covers\":";
        core::append_json_string(out, f.covers);
        print(out + "}\n");
      } else {
        print(fmt::format("{:<18} {}\n{:<18}   {}; docs/formats/{}.md\n", f.name, f.title, "", f.covers, f.name));
      }
    };
    for (const auto& f : decode::record_formats()) row(f);
    for (const auto& f : decode::binary_formats()) row(f);
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli
