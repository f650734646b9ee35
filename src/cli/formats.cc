// `orbwatch formats`: what can be read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/examples.h"
#include "core/text.h"
#include "decode/all.h"

namespace orbwatch::cli {
namespace {

// The first record of the format's example that becomes an event, in one line; "" if there is none: what binary formats
// hold cannot be shown.
std::string example_of(std::string_view format) {
  for (const auto& [file, text] : examples::all) {
    if (!file.starts_with(format) || file.substr(format.size()) != ".txt") continue;
    decode::Options options;
    options.format = format;
    options.year = 2026;
    std::string padded(text);
    padded.reserve(padded.size() + core::kPadding);
    auto decoder = decode::make_decoder(decode::recognise(padded, options), options);
    if (!decoder) return {};
    event::EventBatch batch;
    (*decoder)->feed(padded, batch);
    (*decoder)->finish(batch);
    if (batch.empty()) return {};
    const event::RecordRef& place = batch[0].record;
    const std::string_view record = std::string_view(padded).substr(place.offset, place.length);
    // Blanks may separate cells: only what runs over several lines is joined.
    if (record.find('\n') == record.npos) return std::string(record);
    std::string line;
    for (const char c : record) {
      const bool blank = core::is_space(c);
      if (!blank || !line.ends_with(' ')) line += blank ? ' ' : c;
    }
    return line;
  }
  return {};
}

void member(std::string& json, std::string_view name, std::string_view text) {
  json += json.empty() ? "{" : ",";
  core::append_json_string(json, name);
  json += ':';
  core::append_json_string(json, text);
}

}  // namespace

int list_formats(bool json) {
  const auto row = [&](const auto& f) {
    const std::string page = fmt::format("docs/formats/{}.md", f.name);
    const std::string example = example_of(f.name);
    if (json) {
      std::string out;
      member(out, "name", f.name);
      member(out, "title", f.title);
      member(out, "covers", f.covers);
      member(out, "page", page);
      if (!example.empty()) member(out, "example", example);
      print(out + "}\n");
    } else {
      print(fmt::format("{:<18} {}\n{:<18}   {}; {}\n", f.name, f.title, "", f.covers, page));
      if (!example.empty()) print(fmt::format("{:<18}   e.g. {}\n", "", core::printable(example, 160)));
    }
  };
  for (const auto& f : decode::record_formats()) row(f);
  for (const auto& f : decode::binary_formats()) row(f);
  return flush_output() ? kOk : kOutput;
}

void add_formats(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("formats", "List the log formats that are read");
  sub->add_flag("--json", *json, "One JSON object a line");
  sub->callback([json, &exit_code] { exit_code = list_formats(*json); });
}

}  // namespace orbwatch::cli
