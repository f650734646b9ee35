// Files, JSON and small helpers of the readers.
#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/text.h"
#include "parity/parity.h"
#include "source/reader.h"

namespace orbwatch::parity {

void Record::claim(std::string_view field, std::optional<std::string> value) {
  if (!value || value->empty()) return;
  for (Claim& claim : claims) {
    if (claim.field == field) {
      claim.values.push_back(std::move(*value));
      return;
    }
  }
  claims.push_back({std::string(field), {std::move(*value)}});
}

fs::path find_data() {
  fs::path up = ORBWATCH_ROOT;
  for (int i = 0; i < 3; ++i) {
    up = up.parent_path();
    if (fs::is_directory(up / "shared/data/flow")) return up / "shared/data";
  }
  return {};
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  auto reader = source::read_memory(std::move(all).str(), path.string());
  std::string out;
  std::string buffer(1 << 16, '\0');
  for (;;) {
    const auto count = reader->read(buffer.data(), buffer.size());
    if (!count || *count == 0) return out;  // of what is damaged, what could be read
    out.append(buffer, 0, *count);
  }
}

std::vector<fs::path> files_below(const fs::path& folder, std::string_view suffix) {
  std::vector<fs::path> out;
  if (!fs::is_directory(folder)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string below(const fs::path& data, const fs::path& file) { return fs::relative(file, data).string(); }

std::string joined(const std::vector<fs::path>& files) {
  constexpr std::size_t kFileHeader = 24;
  std::string out;
  for (const fs::path& file : files) {
    const std::string bytes = read_file(file);
    const bool capture = file.extension() == ".pcap" && bytes.size() >= kFileHeader;
    out += capture && !out.empty() ? bytes.substr(kFileHeader) : bytes;
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    out.push_back(line);
  }
  return out;
}

bool glob(const std::string& pattern, const std::string& text) {
  return pattern.empty() || fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

std::vector<element> items_of(simdjson::simdjson_result<simdjson::dom::array> list) {
  std::vector<element> out;
  simdjson::dom::array array;
  if (std::move(list).get(array) != simdjson::SUCCESS) return out;
  for (const element item : array) out.push_back(item);
  return out;
}

namespace {

std::optional<std::string> plain(element value) {
  switch (value.type()) {
    case simdjson::dom::element_type::STRING: return std::string(value.get_string().value_unsafe());
    case simdjson::dom::element_type::ARRAY: {
      const auto items = items_of(value.get_array());
      return items.empty() ? std::nullopt : plain(items.front());
    }
    case simdjson::dom::element_type::OBJECT:
    case simdjson::dom::element_type::NULL_VALUE: return std::nullopt;
    default: return simdjson::minify(value);
  }
}

}  // namespace

std::optional<std::string> text_at(element object, std::string_view path) {
  if (!object.is_object()) return std::nullopt;
  element value;
  if (object.at_key(path).get(value) == simdjson::SUCCESS) return plain(value);
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1)) {
    if (object.at_key(path.substr(0, dot)).get(value) != simdjson::SUCCESS) continue;
    if (auto found = text_at(value, path.substr(dot + 1))) return found;
  }
  return std::nullopt;
}

std::optional<std::string> first_of(element object, std::initializer_list<std::string_view> paths) {
  for (const std::string_view path : paths) {
    if (auto value = text_at(object, path); value && !value->empty()) return value;
  }
  return std::nullopt;
}

std::vector<std::string> all_of(element object, std::initializer_list<std::string_view> paths) {
  std::vector<std::string> out;
  for (const std::string_view path : paths) {
    auto value = text_at(object, path);
    if (value && !value->empty() && std::find(out.begin(), out.end(), *value) == out.end()) out.push_back(*value);
  }
  return out;
}

core::Nanoseconds time_of(std::string_view text) {
  const core::TimeReader utc;
  if (text.size() > 4 && text[4] == '-') return core::parse_iso8601(text, utc).value_or(0);
  return core::parse_epoch(text).value_or(0);
}

}  // namespace orbwatch::parity
