#include "export/formats.h"

namespace orbwatch::exporting {

const Format* find_format(std::string_view name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string format_names() {
  std::string names;
  for (const Format& format : kFormats) {
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return names;
}

std::string render_ndjson(const score::Finding& finding, const RenderOptions&) { return score::to_json(finding); }

}  // namespace orbwatch::exporting
