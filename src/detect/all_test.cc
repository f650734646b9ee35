#include "detect/all.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "detect/detect_test_util.h"

namespace orbwatch::detect {
namespace {

namespace fs = std::filesystem;

TEST(Detectors, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const auto& d : make_detectors({})) EXPECT_TRUE(names.insert(d->info().name).second) << d->info().name;
  EXPECT_FALSE(names.empty());
}

TEST(Detectors, HaveAPageEach) {
  const fs::path pages = fs::path(ORBWATCH_ROOT) / "docs/detectors";
  std::set<std::string> described;
  for (const auto& d : make_detectors({})) {
    const std::string page = std::string(d->info().name) + ".md";
    EXPECT_TRUE(fs::is_regular_file(pages / page)) << page;
    described.insert(page);
    // The page states what the program says: techniques as they stand in the findings.
    std::ifstream in(pages / page);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::string_view techniques = d->info().technique;
    while (!techniques.empty()) {
      const std::string_view one = techniques.substr(0, techniques.find(','));
      EXPECT_NE(text.find(one), text.npos) << page << " does not name " << one;
      techniques.remove_prefix(std::min(techniques.size(), one.size() + 1));
    }
  }
  for (const auto& entry : fs::directory_iterator(pages)) {
    const std::string page = entry.path().filename().string();
    EXPECT_TRUE(page == "README.md" || described.contains(page)) << page << " describes no detector";
  }
}

TEST(Detectors, SayWhatTheyTestAndNeed) {
  for (const auto& d : make_detectors({})) {
    const DetectorInfo& info = d->info();
    SCOPED_TRACE(info.name);
    EXPECT_FALSE(info.hypothesis.empty());
    EXPECT_FALSE(info.false_positives.empty());
    EXPECT_FALSE(info.needs.empty());
    EXPECT_NE(info.classes, 0U);
    EXPECT_TRUE(info.technique.starts_with("T"));
    for (const Need need : info.needs) EXPECT_FALSE(name(need).empty());
  }
}

// The pipeline asks wants() before it looks up profiles: who gives evidence must want the event, and nobody may trip
// over an event that says nothing.
TEST(Detectors, BearAnEmptyEvent) {
  test::World w;
  w.view.user = nullptr;
  w.view.login = w.view.failed_login = w.view.remote = false;
  w.event = {};
  for (unsigned c = 0; c <= static_cast<unsigned>(event::Class::kDevice); ++c) {
    w.event.event_class = static_cast<event::Class>(c);
    for (const auto& d : make_detectors({})) EXPECT_TRUE(w.run(*d).empty()) << d->info().name;
  }
}

TEST(Detectors, NamesOfFindingsAreDistinct) {
  std::set<std::string_view> names;
  for (unsigned k = 0; k <= static_cast<unsigned>(FindingKind::kDevice); ++k)
    EXPECT_TRUE(names.insert(name(static_cast<FindingKind>(k))).second);
}

}  // namespace
}  // namespace orbwatch::detect
