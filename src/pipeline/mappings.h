// Users' own formats out of files and folders.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "decode/decoder.h"

namespace orbwatch::pipeline {

struct Mappings {
  std::vector<decode::MappingText> good;  // in the order of the paths, files of a folder by name
  std::vector<core::Error> errors;        // one for each file that is wrong, with its line, or that cannot be read
};

// Reads every file named, and of a folder every *.yaml and *.yml directly in it. Each is compiled, so that an error in
// one leaves the others working. Two mappings of one name: the second is an error. Each call reads anew: called again,
// it gives what the files hold then.
Mappings load_mappings(std::span<const std::string> paths);

}  // namespace orbwatch::pipeline
