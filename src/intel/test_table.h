// For tests of intel/ and enrich/: a compiled table from a few lines of text, in a directory of its own that goes away
// with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "intel/compile.h"
#include "intel/csv.h"
#include "intel/networks.h"

namespace orbwatch::intel {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "orbwatch-test.XXXXXX").string();
    path_ = mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

 private:
  std::string path_;
};

// A table from AS ranges alone, without the shipped lists unless asked for.
inline core::Expected<Networks> table_of(const TemporaryDirectory& directory, std::string_view as_csv,
                                         bool shipped_lists = false) {
  BuildOptions options;
  options.as_csv = {directory.write("as.csv", as_csv)};
  options.shipped_lists = shipped_lists;
  options.output = directory.file("networks.orbnet");
  options.built = 1'800'000'000 * core::kSecond;
  if (auto report = build_networks(options); !report) return std::unexpected(report.error());
  return Networks::open(options.output);
}

// Rows of a shipped list, without its head and comments.
inline std::size_t data_rows(std::string_view text) {
  std::size_t rows = 0;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    rows += !line.empty() && line.front() != '#';
  }
  return rows - 1;  // the head
}

}  // namespace orbwatch::intel
