// What is listed is complete: every format has its file, golden tests and page; every detector its test, page and row;
// and the order of the rooms is the same wherever it is shown.
#include <gtest/gtest.h>

#include <set>

#include "architecture/sources.h"
#include "decode/all.h"

namespace orbwatch::test {
namespace {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& format : decode::record_formats()) names.emplace_back(format.name);
  for (const auto& format : decode::binary_formats()) names.emplace_back(format.name);
  return names;
}

// The headings of a page, "## Fields read" and so on, outside of code blocks.
std::vector<std::string> headings_of(const std::string& text) {
  std::vector<std::string> headings;
  bool code = false;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("```")) code = !code;
    if (!code && line.starts_with('#')) headings.push_back(line);
  }
  return headings;
}

// The page must be there, begin with a title and hold these headings in this order. Others may stand between them.
void expect_page(const fs::path& page, const std::vector<std::string>& wanted) {
  ASSERT_TRUE(fs::is_regular_file(page)) << page << " is missing";
  const auto headings = headings_of(text_of(page));
  ASSERT_FALSE(headings.empty()) << page << " has no headings";
  EXPECT_TRUE(headings.front().starts_with("# ")) << page << " must begin with its title";
  auto at = headings.begin();
  for (const std::string& heading : wanted) {
    at = std::find(at, headings.end(), heading);
    ASSERT_NE(at, headings.end()) << page << ": \"" << heading << "\" is missing or out of order";
  }
}

// X of every `make_X(` in a text.
std::set<std::string> factories_of(const std::string& text) {
  std::set<std::string> names;
  for (std::size_t at = text.find("make_"); at != text.npos; at = text.find("make_", at + 1)) {
    std::size_t end = at;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) ++end;
    if (end < text.size() && text[end] == '(') names.insert(text.substr(at + 5, end - at - 5));
  }
  return names;
}

TEST(Formats, HaveFileGoldensAndPage) {
  ASSERT_FALSE(format_names().empty());
  for (const std::string& name : format_names()) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(fs::is_regular_file(kRoot / "src/decode" / (name + ".cc")))
        << "src/decode/" << name << ".cc is missing";
    const fs::path goldens = kRoot / "tests/golden" / name;
    EXPECT_TRUE(fs::is_directory(goldens) && !fs::is_empty(goldens)) << "tests/golden/" << name << "/ has no case";
    expect_page(kRoot / "docs/formats" / (name + ".md"), {"## What to configure", "## Sample lines", "## Fields read",
                                                          "## Ignored by name", "## Notes and oddities", "## Sources"});
  }
}

TEST(Formats, HaveDifferentNames) {
  const auto names = format_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(Formats, AreListedWhenTheirFactoryIsDeclared) {
  const auto names = format_names();
  const auto factories = factories_of(text_of(kRoot / "src/decode/formats.h"));
  ASSERT_FALSE(factories.empty());
  for (const std::string& made : factories) {
    EXPECT_NE(std::find(names.begin(), names.end(), made), names.end())
        << "make_" << made << " is declared but not listed in src/decode/all.cc";
  }
}

TEST(Formats, HaveNoPagesOfFormatsThatAreGone) {
  if (!fs::is_directory(kRoot / "docs/formats")) GTEST_SKIP() << "there are no pages yet";
  const auto names = format_names();
  for (const auto& entry : fs::directory_iterator(kRoot / "docs/formats")) {
    const std::string stem = entry.path().stem().string();
    // The list, how a user describes a format of their own, and what formats are wrapped in.
    if (stem == "README" || stem == "mapping" || stem == "envelopes") continue;
    EXPECT_NE(std::find(names.begin(), names.end(), stem), names.end())
        << entry.path() << " describes no format of src/decode/all.cc";
  }
}

// A detector is a file of src/detect/ with a class that derives from Detector.
TEST(Detectors, AreListedTestedAndDescribed) {
  const fs::path list = kRoot / "src/detect/all.cc";
  if (!fs::exists(list)) GTEST_SKIP() << "src/detect/all.cc is not there yet";
  const std::string rows = text_of(list);
  ASSERT_TRUE(fs::is_regular_file(kRoot / "docs/detectors/README.md"));
  const std::string list_page = text_of(kRoot / "docs/detectors/README.md");
  std::set<std::string> pages = {"README"};
  int found = 0;
  for (const auto& [path, text] : sources()) {
    if (!path.starts_with("detect/") || path.ends_with("_test.cc") || !path.ends_with(".cc")) continue;
    if (text.find(": public Detector") == text.npos) continue;
    ++found;
    const std::string name = fs::path(path).stem().string();
    SCOPED_TRACE(name);
    std::string shown = name;
    std::replace(shown.begin(), shown.end(), '_', '-');
    EXPECT_TRUE(rows.find("make_" + name) != rows.npos || rows.find("\"" + shown + "\"") != rows.npos)
        << "not listed in src/detect/all.cc";
    const fs::path test = kRoot / "src/detect" / (name + "_test.cc");
    ASSERT_TRUE(fs::is_regular_file(test)) << test << " is missing";
    // A test that runs this detector and states when it stays silent.
    const std::string tested = text_of(test);
    EXPECT_NE(tested.find("make_" + name + "("), tested.npos) << test << " does not make the detector";
    EXPECT_NE(tested.find("Silent"), tested.npos) << test << " has no test of the cases where it must stay silent";
    expect_page(kRoot / "docs/detectors" / (shown + ".md"),
                {"## Hypothesis", "## What it needs", "## Method", "## False positives", "## ATT&CK", "## Limits"});
    EXPECT_NE(list_page.find("](" + shown + ".md)"), list_page.npos) << "docs/detectors/README.md has no row for it";
    pages.insert(shown);
  }
  for (const auto& entry : fs::directory_iterator(kRoot / "docs/detectors")) {
    EXPECT_TRUE(pages.contains(entry.path().stem().string()))
        << entry.path() << " describes no detector of src/detect/";
  }
  EXPECT_GT(found, 0) << "src/detect/all.cc exists, but no file has a class \": public Detector\"";
}

TEST(Rooms, HaveTheSameOrderInBuildAndPage) {
  std::vector<std::string> built;
  for (const Room& room : rooms_of(text_of(kRoot / "src/CMakeLists.txt"))) built.push_back(room.name);
  ASSERT_GT(built.size(), 10U);
  std::vector<std::string> described;
  for (const std::string& heading : headings_of(text_of(kRoot / "src/README.md"))) {
    if (heading.starts_with("### ")) described.push_back(heading.substr(4));
  }
  EXPECT_EQ(described, built)
      << "the \"### room\" headings of src/README.md against the orbwatch_room lines of src/CMakeLists.txt";
}

// A header declares into its room's namespace. `export` is a C++ keyword: there any name that begins with it will do.
TEST(Rooms, KeepTheirNamespace) {
  for (const auto& [path, text] : sources()) {
    if (!path.ends_with(".h")) continue;
    const std::string room = path.substr(0, path.find('/'));
    const std::string wanted = "namespace orbwatch::" + room;
    const auto at = text.find(wanted);
    ASSERT_NE(at, text.npos) << path << " is not in " << wanted;
    if (room == "export") continue;
    const char next = at + wanted.size() < text.size() ? text[at + wanted.size()] : ' ';
    EXPECT_TRUE(next == ' ' || next == ':') << path << " is not in " << wanted;
  }
}

TEST(ListsCheck, ReadsFactoriesAndHeadings) {
  EXPECT_EQ(factories_of("std::unique_ptr<X> make_a_b(int);\nmake_c(x), make_decoder"),
            (std::set<std::string>{"a_b", "c"}));
  EXPECT_EQ(headings_of("# T\ntext\n```\n# no heading\n```\n## S\n"), (std::vector<std::string>{"# T", "## S"}));
}

}  // namespace
}  // namespace orbwatch::test
