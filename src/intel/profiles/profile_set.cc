#include "intel/profiles/profile_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/text.h"
#include "intel/profiles/embedded_profiles.h"

namespace orbwatch::intel::profiles {
namespace {

namespace fs = std::filesystem;

void sort_by_name(std::vector<Profile>& profiles) {
  std::sort(profiles.begin(), profiles.end(), [](const Profile& a, const Profile& b) { return a.name < b.name; });
}

ProfileSet read_embedded() {
  ProfileSet out;
  for (const auto& [file, yaml] : files::all) {
    auto profile = read_profile(yaml, file);
    if (profile) {
      out.profiles.push_back(std::move(*profile));
    } else {
      out.errors.push_back(std::move(profile.error()));
    }
  }
  sort_by_name(out.profiles);
  return out;
}

core::Expected<std::string> read_text(const fs::path& file) {
  std::error_code why;
  // A pipe or a device would block or never end.
  if (!fs::is_regular_file(file, why)) return core::fail(file.string() + ": is no file");
  std::ifstream in(file, std::ios::binary);
  if (!in) return core::fail(file.string() + ": cannot be read");
  std::string text(kLongestProfile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLongestProfile) {
    return core::fail(fmt::format("{}:1: too long: more than {} bytes", file.string(), kLongestProfile));
  }
  return text;
}

// Letters and digits only, in lower case. Bytes of UTF-8 stay.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : core::lower(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) out += c;
  }
  return out;
}

}  // namespace

const ProfileSet& embedded_profiles() {
  static const ProfileSet set = read_embedded();
  return set;
}

ProfileSet with_own(std::span<const ProfileText> own) {
  ProfileSet out = embedded_profiles();
  std::vector<Profile> added;
  for (const ProfileText& text : own) {
    auto profile = read_profile(text.yaml, text.file);
    if (!profile) {
      out.errors.push_back(std::move(profile.error()));
      continue;
    }
    const auto same = [&](const Profile& p) { return core::equals_ignore_case(p.name, profile->name); };
    const auto first = std::find_if(added.begin(), added.end(), same);
    if (first != added.end()) {
      out.errors.push_back({fmt::format("{}: the name is taken by {}", text.file, first->file), profile->name, {}});
      continue;
    }
    if (std::erase_if(out.profiles, same) > 0) {
      out.notes.push_back(fmt::format("{}: replaces the built-in profile of {}", text.file, profile->name));
    }
    added.push_back(std::move(*profile));
  }
  std::move(added.begin(), added.end(), std::back_inserter(out.profiles));
  sort_by_name(out.profiles);
  return out;
}

ProfileFolder read_profile_folder(const std::string& folder) {
  ProfileFolder out;
  std::error_code why;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, why), end; !why && it != end; it.increment(why)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))) found.push_back(it->path());
  }
  if (why) out.errors.push_back({folder + ": " + why.message(), {}, {}});
  std::sort(found.begin(), found.end());
  if (found.size() > kMostProfileFiles) {
    out.files_left_out = found.size() - kMostProfileFiles;
    out.errors.push_back(
        {fmt::format("{}: more than {} profiles, {} left out", folder, kMostProfileFiles, out.files_left_out), {}, {}});
    found.resize(kMostProfileFiles);
  }
  for (const fs::path& file : found) {
    auto text = read_text(file);
    if (text) {
      out.texts.push_back({file.string(), std::move(*text)});
    } else {
      out.errors.push_back(std::move(text.error()));
    }
  }
  return out;
}

ProfileSet load_profiles(const std::string& folder) {
  ProfileFolder files = read_profile_folder(folder);
  ProfileSet out = with_own(files.texts);
  std::move(files.errors.begin(), files.errors.end(), std::back_inserter(out.errors));
  out.files_left_out = files.files_left_out;
  return out;
}

const Profile* find_profile(std::span<const Profile> profiles, std::string_view name_or_alias) {
  const std::string wanted = folded(name_or_alias);
  if (wanted.empty()) return nullptr;
  for (const Profile& p : profiles) {
    if (folded(p.name) == wanted) return &p;
  }
  for (const Profile& p : profiles) {
    for (const std::string& alias : p.aliases) {
      if (folded(alias) == wanted) return &p;
    }
  }
  return nullptr;
}

}  // namespace orbwatch::intel::profiles
