// Golden files: tests/golden/<format>/<case>.<ext> decodes to <case>.events.ndjson, and what was not an event is stated
// in <case>.rejects.ndjson. Options of a case stand in <case>.options (lines `tz=Europe/Berlin`, `year=2026`,
// `reference=2026-12-31T00:00:00Z`, `format=NAME`, `mapping=path from the root`). Each case is run whole and at odd
// chunk sizes; all must agree. ORBWATCH_UPDATE_GOLDEN=1 rewrites the files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"

namespace fs = std::filesystem;
using namespace orbwatch;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

bool is_output(const fs::path& p) {
  const std::string n = p.filename().string();
  return n.ends_with(".events.ndjson") || n.ends_with(".rejects.ndjson") || n.ends_with(".options") || n == "README.md";
}

struct Result {
  std::string format;
  std::string events;
  std::string rejects;
};

void counts_json(std::string& out, std::string_view key, const core::SymbolCounts& by) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  for (const auto& [reason, n] : by) rows.emplace_back(reason.text(), n);
  std::sort(rows.begin(), rows.end());
  out += ",\"" + std::string(key) + "\":{";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i != 0) out += ',';
    core::append_json_string(out, rows[i].first);
    out += ':' + std::to_string(rows[i].second);
  }
  out += '}';
}

Result decode(const std::string& input, const decode::Options& options, std::size_t step) {
  Result result;
  std::string head = input.substr(0, 65536);
  const auto what = decode::recognise(head, options);
  result.format = what.format;
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) {
    result.rejects = decoder.error().text() + "\n";
    return result;
  }
  event::EventBatch batch;
  for (std::size_t at = 0; at < input.size(); at += step) {
    std::string piece = input.substr(at, step);
    piece.resize(piece.size() + core::kPadding);
    (*decoder)->feed(std::string_view(piece).substr(0, piece.size() - core::kPadding), batch);
  }
  (*decoder)->finish(batch);
  for (const event::Event& e : batch) result.events += event::to_json(e) + "\n";
  for (const event::Reject& r : batch.rejects) {
    result.rejects += "{\"line\":" + std::to_string(r.line) + ",\"reason\":";
    core::append_json_string(result.rejects, r.reason.text());
    result.rejects += ",\"seen\":";
    core::append_json_string(result.rejects, r.seen);
    result.rejects += "}\n";
  }
  const event::Counts& c = batch.counts;
  EXPECT_EQ(c.records, c.events + c.ignored + c.rejected);
  EXPECT_EQ(c.events, batch.size());
  result.rejects += "{\"records\":" + std::to_string(c.records) + ",\"events\":" + std::to_string(c.events);
  counts_json(result.rejects, "ignored", c.ignored_by);
  counts_json(result.rejects, "rejected", c.rejected_by);
  result.rejects += "}\n";
  return result;
}

decode::Options options_of(const fs::path& file) {
  decode::Options options;
  core::TimeReader utc;
  std::string_view reference = "2027-01-01T00:00:00Z";
  options.reference = *core::parse_iso8601(reference, utc);
  fs::path path = file;
  path.replace_extension(".options");
  std::istringstream lines(read(path));
  for (std::string line; std::getline(lines, line);) {
    std::string_view value = line;
    const auto key = core::take_until(value, '=');
    if (key == "tz") options.zone = value;
    if (key == "year") options.year = core::parse_number<int>(value).value_or(0);
    if (key == "format") options.format = value;
    if (key == "mapping") options.mappings.push_back({read(fs::path(ORBWATCH_ROOT) / value), std::string(value)});
    if (key == "reference") options.reference = *core::parse_iso8601(value, utc);
  }
  return options;
}

std::vector<std::string> cases() {
  std::vector<std::string> out;
  const fs::path root = fs::path(ORBWATCH_ROOT) / "tests/golden";
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file() && !is_output(entry.path())) out.push_back(fs::relative(entry.path(), root).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, DecodesAsRecorded) {
  const fs::path file = fs::path(ORBWATCH_ROOT) / "tests/golden" / GetParam();
  const std::string format = file.parent_path().filename().string();
  const std::string input = read(file);
  const decode::Options options = options_of(file);
  fs::path events = file;
  events.replace_extension(".events.ndjson");
  fs::path rejects = file;
  rejects.replace_extension(".rejects.ndjson");
  const Result whole = decode(input, options, std::max<std::size_t>(input.size(), 1));
  // Folders are named after formats; "mixed" and "broken" hold inputs of several or of none.
  if (format != "mixed" && format != "broken") {
    EXPECT_EQ(whole.format, format) << "recognised by content";
  }
  if (std::getenv("ORBWATCH_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(events, std::ios::binary) << whole.events;
    std::ofstream(rejects, std::ios::binary) << whole.rejects;
  }
  EXPECT_EQ(whole.events, read(events)) << "see " << events;
  EXPECT_EQ(whole.rejects, read(rejects)) << "see " << rejects;
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}}) {
    if (step < 7 && input.size() > 300000) continue;
    const Result cut = decode(input, options, step);
    EXPECT_EQ(cut.events, whole.events) << "in pieces of " << step;
    EXPECT_EQ(cut.rejects, whole.rejects) << "in pieces of " << step;
  }
}

std::string case_name(const testing::TestParamInfo<std::string>& param) {
  std::string name = param.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(cases()), case_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Golden);

TEST(GoldenFiles, HaveNoStrays) {
  const fs::path root = fs::path(ORBWATCH_ROOT) / "tests/golden";
  std::set<std::string> stems;
  for (const std::string& c : cases()) {
    fs::path p = root / c;
    stems.insert(p.replace_extension("").string());
  }
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || !is_output(entry.path()) || entry.path().filename() == "README.md") continue;
    std::string name = entry.path().string();
    for (const std::string_view end : {".events.ndjson", ".rejects.ndjson", ".options"}) {
      if (name.ends_with(end)) name.resize(name.size() - end.size());
    }
    EXPECT_TRUE(stems.contains(name)) << entry.path() << " belongs to no input";
  }
}

// A format without a golden is not tested: refuse it.
TEST(GoldenFiles, CoverEveryFormat) {
  for (const auto& f : decode::record_formats()) {
    EXPECT_TRUE(fs::is_directory(fs::path(ORBWATCH_ROOT) / "tests/golden" / f.name)) << f.name;
  }
  for (const auto& f : decode::binary_formats()) {
    EXPECT_TRUE(fs::is_directory(fs::path(ORBWATCH_ROOT) / "tests/golden" / f.name)) << f.name;
  }
}

}  // namespace
