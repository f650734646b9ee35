// The profiles that are in use: those built into the program, and those of the user's own folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/profiles/profile.h"
#include "intel/profiles/profile_reader.h"

namespace orbwatch::intel::profiles {

constexpr std::size_t kMostProfileFiles = 500;  // of one folder

struct ProfileText {
  std::string file;  // for messages
  std::string yaml;
};

struct ProfileSet {
  std::vector<Profile> profiles;    // by name
  std::vector<core::Error> errors;  // one for each file that is wrong or cannot be read; the others are used
  std::vector<std::string> notes;   // "FILE: replaces the built-in profile of Quad7"
  std::size_t files_left_out = 0;   // beyond kMostProfileFiles
};

// Those that are built in; read once, thread-safe.
const ProfileSet& embedded_profiles();

// The built-in profiles with `own` put over them: a profile of the same name (case ignored) replaces the built-in one,
// and a note says so. Two of one name in `own`: the second is an error. Pure.
ProfileSet with_own(std::span<const ProfileText> own);

// Every *.yaml and *.yml directly in the folder, by name, hidden ones not. Files that cannot be read or are longer than
// kLongestProfile go to `errors`, as does a folder that cannot be listed.
struct ProfileFolder {
  std::vector<ProfileText> texts;
  std::vector<core::Error> errors;
  std::size_t files_left_out = 0;
};
ProfileFolder read_profile_folder(const std::string& folder);

// with_own() of the folder's files and errors.
ProfileSet load_profiles(const std::string& folder);

// The profile of that name or alias (case, blanks and punctuation ignored), null if there is none.
const Profile* find_profile(std::span<const Profile> profiles, std::string_view name_or_alias);

}  // namespace orbwatch::intel::profiles
