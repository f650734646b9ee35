// Reads the source tree and its build list for the architecture tests.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::test {

namespace fs = std::filesystem;

inline const fs::path kRoot = ORBWATCH_ROOT;

inline std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Room {
  std::string name;
  std::vector<std::string> may_include;
};

// The orbwatch_room(NAME .. MAY_INCLUDE .. [LINK ..]) calls of src/CMakeLists.txt, in their order.
inline std::vector<Room> rooms_of(const std::string& cmake) {
  std::string code;
  for (const std::string& line : lines_of(cmake)) code += line.substr(0, line.find('#')) + "\n";
  std::vector<Room> rooms;
  const std::string_view call = "orbwatch_room(";
  for (std::size_t at = code.find(call); at != code.npos; at = code.find(call, at + 1)) {
    const std::size_t begin = at + call.size();
    std::istringstream words(code.substr(begin, code.find(')', begin) - begin));
    Room room;
    std::string keyword;
    for (std::string word; words >> word;) {
      if (word == "NAME" || word == "MAY_INCLUDE" || word == "LINK") {
        keyword = word;
      } else if (keyword == "NAME") {
        room.name = word;
      } else if (keyword == "MAY_INCLUDE") {
        room.may_include.push_back(word);
      }
    }
    rooms.push_back(std::move(room));
  }
  return rooms;
}

// Path relative to src/ ("decode/all.cc") to text, of all sources below src/.
inline std::map<std::string, std::string> sources() {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "src")) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".cc" && extension != ".h")) continue;
    found[fs::relative(entry.path(), kRoot / "src").string()] = text_of(entry.path());
  }
  return found;
}

}  // namespace orbwatch::test
