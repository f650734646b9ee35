// The same records give the same findings and the same accounting, however they are cut, threaded, ordered, compressed
// or rotated.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/summary.h"
#include "evaluate/simulate.h"
#include "pipeline/hunt.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// All that a hunt says, as text.
struct Said {
  std::string findings;  // JSON lines with the raw records
  std::string accounting;
  std::size_t alerts = 0;
};

class HuntInvariance : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world = new TempDir;
    evaluate::SimulateOptions options;
    options.seed = 3;
    options.users = 50;
    options.days = 14;
    options.out = (world->path() / "w").string();
    auto result = evaluate::simulate(options);
    ASSERT_TRUE(result) << result.error().text();
    fs::remove(result->truth_file);  // a hunt of the folder would note that it was skipped
    files = result->files;
    std::sort(files.begin(), files.end());
    reference = hunt({root()}, 1, 256 << 10);
    ASSERT_GT(reference.alerts, 0U);
  }
  static void TearDownTestSuite() {
    delete world;
    world = nullptr;
  }
  static std::string root() { return (world->path() / "w").string(); }

  static Said hunt(const std::vector<std::string>& inputs, int threads, std::size_t chunk_bytes) {
    pipeline::HuntOptions options;
    options.inputs = inputs;
    options.threads = threads;
    options.chunk_bytes = chunk_bytes;
    auto result = pipeline::hunt(options);
    Said said;
    if (!result) {
      ADD_FAILURE() << result.error().text();
      return said;
    }
    for (const auto& finding : result->findings) {
      said.findings += score::to_json(finding, true) + "\n";
      said.alerts += finding.alert ? 1 : 0;
    }
    std::sort(result->inputs.begin(), result->inputs.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    said.accounting = cli::summary_json(*result);
    return said;
  }
  static void expect_same(const Said& said) {
    EXPECT_TRUE(said.accounting == reference.accounting) << first_difference(said.accounting, reference.accounting);
    EXPECT_TRUE(said.findings == reference.findings) << first_difference(said.findings, reference.findings);
  }
  static std::string first_difference(const std::string& a, const std::string& b) {
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto at = static_cast<std::size_t>(x - a.begin());
    const std::size_t from = at < 200 ? 0 : at - 200;
    return "at byte " + std::to_string(at) + ":\n" + a.substr(from, 400) + "\nagainst\n" + b.substr(from, 400);
  }

  static TempDir* world;
  static std::vector<std::string> files;
  static Said reference;
};
TempDir* HuntInvariance::world = nullptr;
std::vector<std::string> HuntInvariance::files;
Said HuntInvariance::reference;

TEST_F(HuntInvariance, Threads) {
  for (const int threads : {1, 2, 4}) {
    SCOPED_TRACE(threads);
    expect_same(hunt({root()}, threads, 64 << 10));
  }
}

TEST_F(HuntInvariance, ChunkSizes) {
  for (const std::size_t bytes : {std::size_t{1} << 10, std::size_t{64} << 10, std::size_t{1} << 20}) {
    SCOPED_TRACE(bytes);
    expect_same(hunt({root()}, 1, bytes));
    expect_same(hunt({root()}, 4, bytes));
  }
}

TEST_F(HuntInvariance, OrderOfTheArguments) {
  std::vector<std::string> inputs = files;
  std::reverse(inputs.begin(), inputs.end());
  expect_same(hunt(inputs, 2, 256 << 10));
  std::rotate(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(inputs.size() / 2), inputs.end());
  expect_same(hunt(inputs, 2, 256 << 10));
}

TEST_F(HuntInvariance, Compression) {
  for (const std::string tool : {"gzip", "zstd", "xz", "bzip2"}) {
    if (run({"sh", "-c", "command -v " + tool}).exit_code != 0) {
      std::cerr << tool << " is not installed: not tested\n";
      continue;
    }
    SCOPED_TRACE(tool);
    // Under the same names, because the content decides.
    const TempDir dir;
    for (const std::string& file : files) {
      const fs::path copy = dir / ("w" + file.substr(root().size()));
      fs::create_directories(copy.parent_path());
      const RunResult r = run({"sh", "-c", fmt::format("{} -c < '{}' > '{}'", tool, file, copy.string())});
      ASSERT_EQ(r.exit_code, 0) << r.err;
      fs::last_write_time(copy, fs::last_write_time(file));
    }
    Said said = hunt({(dir / "w").string()}, 2, 256 << 10);
    said.findings = replaced(said.findings, dir.path().string(), world->path().string());
    said.accounting = replaced(said.accounting, dir.path().string(), world->path().string());
    expect_same(said);
  }
}

// One log cut into a rotated set is the same log. The records' places change, nothing else.
TEST_F(HuntInvariance, Rotation) {
  // The largest plain file of its own group.
  std::string chosen;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    char magic[4] = {};
    in.read(magic, 4);
    if (magic[0] != '<' && (magic[0] < ' ' || magic[0] > '~')) continue;
    if (chosen.empty() || fs::file_size(file) > fs::file_size(chosen)) chosen = file;
  }
  ASSERT_FALSE(chosen.empty());
  const std::string text = read_file(chosen);
  const TempDir dir;
  dir.write("one/vpn.log", text);
  std::size_t begin = 0;
  for (int part = 4; part >= 0; --part) {
    std::size_t end = part == 0 ? text.size() : text.find('\n', begin + text.size() / 5) + 1;
    dir.write("many/vpn.log" + (part == 0 ? std::string() : "." + std::to_string(part)),
              text.substr(begin, end - begin));
    begin = end;
  }
  const auto findings = [](const fs::path& input) {
    pipeline::HuntOptions options;
    options.inputs = {input.string()};
    options.threads = 2;
    auto result = pipeline::hunt(options);
    EXPECT_TRUE(result);
    std::string said = std::to_string(result->total.records) + " " + std::to_string(result->total.events) + " " +
                       std::to_string(result->total.ignored) + " " + std::to_string(result->total.rejected) + "\n";
    for (auto& finding : result->findings) {
      for (auto& record : finding.records) record = {"", 0, 0, record.raw};
      said += score::to_json(finding, true) + "\n";
    }
    return said;
  };
  const std::string one = findings(dir / "one");
  const std::string many = findings(dir / "many");
  EXPECT_TRUE(one == many) << first_difference(one, many);
  EXPECT_GT(std::count(one.begin(), one.end(), '\n'), 1);
}

// All text logs of the world line by line in one file, as a syslog server writes them.
TEST_F(HuntInvariance, MixedFormatsInOneFile) {
  std::vector<std::vector<std::string>> logs;
  for (const std::string& file : files) {
    const RunResult r =
        run({"sh", "-c", fmt::format("if gzip -t '{0}' 2>/dev/null; then gzip -dc '{0}'; else cat '{0}'; fi", file)});
    std::istringstream lines(r.out);
    auto& log = logs.emplace_back();
    for (std::string line; std::getline(lines, line);) log.push_back(line);
  }
  std::string mixed;
  std::size_t count = 0;
  for (std::size_t i = 0;; ++i) {
    bool any = false;
    for (const auto& log : logs) {
      if (i >= log.size()) continue;
      any = true;
      ++count;
      mixed += log[i] + "\n";
    }
    if (!any) break;
  }
  const TempDir dir;
  const std::string file = dir.write("syslog.log", mixed).string();
  const auto count_of = [](const std::vector<std::string>& inputs, int threads, std::size_t chunk) {
    pipeline::HuntOptions options;
    options.inputs = inputs;
    options.threads = threads;
    options.chunk_bytes = chunk;
    auto result = pipeline::hunt(options);
    EXPECT_TRUE(result);
    std::map<std::string, std::uint64_t> by_format;
    for (const auto& [format, n] : result->total.events_by) by_format[std::string(format.text())] += n;
    return std::pair(result->total, by_format);
  };
  const auto [apart, apart_by] = count_of({root()}, 1, 256 << 10);
  EXPECT_EQ(apart.records, count);
  EXPECT_GT(apart_by.size(), 2U) << "the world has fewer formats than the test wants";
  for (const int threads : {1, 4}) {
    const auto [together, together_by] = count_of({file}, threads, 4 << 10);
    EXPECT_EQ(together.records, apart.records);
    EXPECT_EQ(together.events, apart.events);
    EXPECT_EQ(together.ignored, apart.ignored);
    EXPECT_EQ(together.rejected, apart.rejected);
    EXPECT_EQ(together_by, apart_by);
  }
  const Said one = hunt({file}, 1, 1 << 20);
  const Said other = hunt({file}, 4, 1 << 10);
  EXPECT_TRUE(one.findings == other.findings) << first_difference(one.findings, other.findings);
  EXPECT_TRUE(one.accounting == other.accounting);
}

}  // namespace
}  // namespace orbwatch::test
