#include "pipeline/mappings.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "decode/mapping.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestMapping = 1 << 20;  // bytes; a mapping is a page of text

void add_folder(const fs::path& folder, std::vector<std::string>& files, std::vector<core::Error>& errors) {
  std::error_code why;
  std::vector<std::string> found;
  for (fs::directory_iterator it(folder, why), end; !why && it != end; it.increment(why)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml")))
      found.push_back(it->path().string());
  }
  if (why) errors.push_back({folder.string() + ": " + why.message(), {}, {}});
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

core::Expected<std::string> read(const std::string& file) {
  std::error_code why;
  if (fs::is_directory(file, why)) return core::fail(file + ": is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) return core::fail(file + ": cannot be read");
  std::string text(kLongestMapping + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLongestMapping) return core::fail(file + ": too long for a mapping");
  return text;
}

}  // namespace

Mappings load_mappings(std::span<const std::string> paths) {
  Mappings out;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code why;
    if (fs::is_directory(path, why)) {
      add_folder(path, files, out.errors);
    } else {
      files.push_back(path);
    }
  }
  absl::flat_hash_map<core::Symbol, std::string> file_of;
  for (const std::string& file : files) {
    auto text = read(file);
    if (!text) {
      out.errors.push_back(text.error());
      continue;
    }
    auto made = decode::make_mapping(*text, core::TimeReader(), file);
    if (!made) {
      out.errors.push_back(made.error());
      continue;
    }
    const auto [first, fresh] = file_of.emplace(made->name, file);
    if (!fresh) {
      if (first->second != file)
        out.errors.push_back({file + ": the name is taken by " + first->second, std::string(made->name.text()), {}});
      continue;
    }
    out.good.push_back({std::move(*text), file});
  }
  return out;
}

}  // namespace orbwatch::pipeline
