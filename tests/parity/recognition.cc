// Every file of the collection is recognised as what it is: inputs.yaml names a format, or a reason for none, for each
// file below shared/data's folders of logs and captures.
//
// Exit codes: 0 all as stated, 1 not, 2 the table is wrong, 77 shared/data is not there.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "parity/tables.h"

namespace orbwatch::parity {
namespace {

int run(bool list) {
  const fs::path data = find_data();
  if (data.empty()) {
    fmt::print("skipped: ../shared/data is not there\n");
    return 77;
  }
  const auto inputs = read_inputs(fs::path(ORBWATCH_ROOT) / "tests/parity/inputs.yaml");
  if (!inputs) {
    fmt::print(stderr, "{}\n", inputs.error().text());
    return 2;
  }
  int failed = 0;
  std::uint64_t right = 0;
  std::uint64_t none = 0;
  const auto fail = [&](const std::string& text) {
    fmt::print("FAILED {}\n", text);
    ++failed;
  };
  for (const Input& row : inputs->rows) {
    const std::string& format = row.decoder();
    if (!format.empty() && !has_decoder(format)) fail(format + " is no format");
  }
  for (const char* folder : {"flow", "logs", "auth", "behaviour", "zeek", "packets"}) {
    for (const fs::path& file : files_below(data / folder, "")) {
      const std::string name = below(data, file);
      const Input* row = inputs->of(name);
      const std::string bytes = records_in(file, row == nullptr ? "" : row->holds);
      std::string found = decode_input(bytes.substr(0, 65536)).what.format;
      // Lines of syslog are read whatever their programs are; "text" says that no program of the first ones is known.
      if (found == "text") found.clear();
      if (found.empty() && row != nullptr && !row->envelope.empty())
        found = decode_input(row->envelope + std::string(bytes.starts_with(' ') ? bytes.substr(1) : bytes)).what.format;
      if (list) fmt::print("{}\t{}\n", name, found.empty() ? "-" : found);
      if (row == nullptr) {
        fail(name + " is not in inputs.yaml" + (found.empty() ? "" : "; recognised as " + found));
      } else if (row->format.empty()) {
        ++none;
        // What nfdump printed of a capture is a log that can be read as well.
        const bool also = !row->expects.empty() && found == "nfdump_text" && name.starts_with("flow/nfdump-decodes/");
        if (!found.empty() && !also)
          fail(fmt::format("{} is recognised as {}, though it is {}", name, found,
                           row->none.empty() ? "what a peer expects" : row->none));
      } else if (found == row->format) {
        ++right;
      } else {
        fail(fmt::format("{} is recognised as {}, but is of {}", name, found.empty() ? "nothing" : found, row->format));
      }
    }
  }
  for (const Input& row : inputs->rows) {
    if (row.used == 0) fail("no file fits " + row.files);
  }
  fmt::print("{} files recognised, {} that are no logs to read\n", right, none);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace orbwatch::parity

int main(int argc, char** argv) { return orbwatch::parity::run(argc > 1 && std::string_view(argv[1]) == "--list"); }
