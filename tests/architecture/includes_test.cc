// The arrows between the rooms: a file may include its own room and those that src/CMakeLists.txt states in
// MAY_INCLUDE. The compiler does not check this, because all rooms share one include root. Files must not include each
// other in a circle either.
#include <gtest/gtest.h>

#include <set>

#include "architecture/sources.h"

namespace orbwatch::test {
namespace {

struct Include {
  std::string path;
  int line = 0;
  bool quoted = false;
};

std::vector<Include> includes_of(const std::string& text) {
  std::vector<Include> found;
  int number = 0;
  for (const std::string& line : lines_of(text)) {
    ++number;
    std::string_view rest = line;
    const auto skip_spaces = [&] {
      while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
    };
    skip_spaces();
    if (!rest.starts_with('#')) continue;
    rest.remove_prefix(1);
    skip_spaces();
    if (!rest.starts_with("include")) continue;
    rest.remove_prefix(7);
    skip_spaces();
    if (rest.size() < 3 || (rest[0] != '"' && rest[0] != '<')) continue;
    const bool quoted = rest[0] == '"';
    const auto end = rest.find(quoted ? '"' : '>', 1);
    if (end == rest.npos) continue;
    found.push_back({std::string(rest.substr(1, end - 1)), number, quoted});
  }
  return found;
}

std::string room_of(const std::string& path) {
  return path.find('/') == path.npos ? "" : path.substr(0, path.find('/'));
}

// One line per include that breaks the rules.
std::vector<std::string> wrong_includes(const std::map<std::string, std::string>& files,
                                        const std::vector<Room>& rooms) {
  std::map<std::string, std::set<std::string>> allowed;
  for (const Room& room : rooms) {
    allowed[room.name] = {room.may_include.begin(), room.may_include.end()};
    allowed[room.name].insert(room.name);
  }
  std::vector<std::string> wrong;
  for (const auto& [path, text] : files) {
    const std::string room = room_of(path);
    const bool is_test = path.ends_with("_test.cc");
    if (!allowed.contains(room)) {
      wrong.push_back(path + ": lies in no room of src/CMakeLists.txt");
      continue;
    }
    for (const Include& include : includes_of(text)) {
      const std::string where = path + ":" + std::to_string(include.line) + ": ";
      const std::string other = room_of(include.path);
      if (!allowed.contains(other)) {
        if (include.quoted && !(is_test && other == "support")) {
          wrong.push_back(where + "\"" + include.path +
                          "\" is no room's header; what is not ours is included with <>, ours by its path from src/");
        }
        continue;
      }
      if (!allowed[room].contains(other)) {
        wrong.push_back(where + room + " may not include " + include.path);
      } else if (room == "detect" && other == "baseline" && include.path != "baseline/view.h" && !is_test) {
        // A detector reads profiles, it never writes one. (Its test may fill them.)
        wrong.push_back(where + "detect may include baseline only as baseline/view.h, not " + include.path);
      }
    }
  }
  return wrong;
}

// A circle of includes, as "a.h -> b.h -> a.h"; "" if there is none.
std::string circle(const std::map<std::string, std::string>& files) {
  std::map<std::string, std::vector<std::string>> edges;
  for (const auto& [path, text] : files) {
    for (const Include& include : includes_of(text)) {
      if (files.contains(include.path)) edges[path].push_back(include.path);
    }
  }
  enum class Colour { kNew, kOpen, kDone };
  std::map<std::string, Colour> colour;
  std::vector<std::string> way;
  std::string found;
  const auto visit = [&](const auto& self, const std::string& path) -> void {
    colour[path] = Colour::kOpen;
    way.push_back(path);
    for (const std::string& next : edges[path]) {
      if (!found.empty()) return;
      if (colour[next] == Colour::kOpen) {
        for (auto at = std::find(way.begin(), way.end(), next); at != way.end(); ++at) found += *at + " -> ";
        found += next;
        return;
      }
      if (colour[next] == Colour::kNew) self(self, next);
    }
    way.pop_back();
    colour[path] = Colour::kDone;
  };
  for (const auto& [path, text] : files) {
    if (found.empty() && colour[path] == Colour::kNew) visit(visit, path);
  }
  return found;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST(Includes, FollowTheArrowsOfTheRooms) {
  const auto files = sources();
  ASSERT_GT(files.size(), 10U) << "the sources were not found";
  EXPECT_EQ(joined(wrong_includes(files, rooms_of(text_of(kRoot / "src/CMakeLists.txt")))), "");
}

TEST(Includes, GoInNoCircle) { EXPECT_EQ(circle(sources()), ""); }

// A room's arrows may only point to rooms that are declared before it: the order of the list is the order of the data.
TEST(Includes, ArrowsPointBackwards) {
  std::set<std::string> before;
  for (const Room& room : rooms_of(text_of(kRoot / "src/CMakeLists.txt"))) {
    for (const std::string& other : room.may_include)
      EXPECT_TRUE(before.contains(other)) << room.name << " -> " << other;
    before.insert(room.name);
  }
}

// The checks themselves must be able to fail.
const std::vector<Room> kSmallHouse = {
    {"core", {}}, {"event", {"core"}}, {"baseline", {"core"}}, {"detect", {"core", "baseline"}}};

TEST(IncludesCheck, SeesAnArrowThatIsNotStated) {
  EXPECT_EQ(wrong_includes({{"core/a.h", "#pragma once\n#include \"event/b.h\"\n"}}, kSmallHouse),
            std::vector<std::string>{"core/a.h:2: core may not include event/b.h"});
  EXPECT_EQ(wrong_includes({{"core/a.h", "#  include <event/b.h>\n"}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(
      wrong_includes({{"event/a.h", "#include \"core/b.h\"\n#include <vector>\n#include \"event/c.h\"\n"}}, kSmallHouse)
          .size(),
      0U);
}

TEST(IncludesCheck, LetsDetectorsSeeOnlyTheView) {
  EXPECT_EQ(wrong_includes({{"detect/a.cc", "#include \"baseline/view.h\"\n"}}, kSmallHouse).size(), 0U);
  EXPECT_EQ(wrong_includes({{"detect/a.cc", "#include \"baseline/profiles.h\"\n"}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(wrong_includes({{"detect/a_test.cc", "#include \"baseline/profiles.h\"\n"}}, kSmallHouse).size(), 0U);
}

TEST(IncludesCheck, SeesFilesOutsideOfRoomsAndForeignHeadersInQuotes) {
  EXPECT_EQ(wrong_includes({{"attic/a.cc", ""}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(wrong_includes({{"loose.cc", ""}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(wrong_includes({{"core/a.cc", "#include \"a.h\"\n"}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(wrong_includes({{"core/a.cc", "#include \"support/run.h\"\n"}}, kSmallHouse).size(), 1U);
  EXPECT_EQ(wrong_includes({{"core/a_test.cc", "#include \"support/run.h\"\n"}}, kSmallHouse).size(), 0U);
}

TEST(IncludesCheck, SeesCircles) {
  EXPECT_EQ(circle({{"core/a.h", "#include \"core/b.h\""},
                    {"core/b.h", "#include \"core/c.h\""},
                    {"core/c.h", "#include \"core/b.h\""}}),
            "core/b.h -> core/c.h -> core/b.h");
  EXPECT_EQ(circle({{"core/a.h", "#include \"core/b.h\"\n#include \"core/c.h\""},
                    {"core/b.h", "#include \"core/c.h\""},
                    {"core/c.h", ""}}),
            "");
}

TEST(IncludesCheck, ReadsTheRoomList) {
  const auto rooms = rooms_of(
      "# orbwatch_room(NAME no)\norbwatch_room(NAME a LINK x::y z)\norbwatch_room(NAME b\n  MAY_INCLUDE a\n  LINK "
      "q)\n");
  ASSERT_EQ(rooms.size(), 2U);
  EXPECT_EQ(rooms[0].name, "a");
  EXPECT_TRUE(rooms[0].may_include.empty());
  EXPECT_EQ(rooms[1].may_include, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace orbwatch::test
