// A user's own format, described by a small YAML text: CSV, JSON lines or key=value records to events.
// docs/formats/mapping.md is its reference.
#pragma once

#include <memory>
#include <string_view>

#include "core/error.h"
#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

struct MappedFormat {
  Symbol name;             // the YAML's `name`; becomes event.dataset
  bool stateless = false;  // false: a header line must be seen first
  std::unique_ptr<RecordDecoder> decoder;
};

// Compiles the YAML text. Every error names the line: an unknown key or value, a missing part, a mapping that could
// claim records of other formats (no header and no `match`).
core::Expected<MappedFormat> make_mapping(std::string_view yaml, const core::TimeReader& times);

}  // namespace orbwatch::decode
