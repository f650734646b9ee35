// A user's own format, described by a small YAML text: CSV, JSON lines or key=value records to events.
// docs/formats/mapping.md is its reference.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "decode/decoder.h"

namespace orbwatch::decode {

struct MappedFormat {
  Symbol name;             // the YAML's `name`; becomes event.dataset
  bool stateless = false;  // false: a header line must be seen first
  std::unique_ptr<RecordDecoder> decoder;
};

// What one field of a mapping met in the records that were not ignored, for `orbwatch format test`.
struct FieldTrial {
  std::string field;          // event field, or "time"
  std::string from;           // column, key or path
  std::uint64_t carried = 0;  // records that hold a text there
  std::uint64_t read = 0;     // of these, how many texts the field can hold
  std::string unread{};       // the first one that it cannot, made printable
};
struct MappingTrial {
  std::vector<FieldTrial> fields;  // time first, then in the mapping's order
};

// Compiles the YAML text. Every error names the line, and the file if one is given: an unknown key or value, a missing
// part, a mapping that could claim records of other formats (no header and no `match`). A `trial` is filled by the
// decoder and must outlive it; counting costs time.
core::Expected<MappedFormat> make_mapping(std::string_view yaml, const core::TimeReader& times,
                                          std::string_view file = {}, MappingTrial* trial = nullptr);

}  // namespace orbwatch::decode
