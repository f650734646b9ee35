#include "export/sharing/writers.h"

#include <fmt/format.h>

#include "export/digest.h"

namespace orbwatch::exporting::sharing {

const Writer* find_writer(std::string_view name) {
  for (const Writer& writer : kWriters) {
    if (writer.name == name) return &writer;
  }
  return nullptr;
}

std::string shared_uuid(std::string_view kind, const WriteOptions& options, std::string_view name) {
  constexpr std::string_view kOurs = "0d5a2f0c-8a35-4b0f-9b53-6f1f3a1c7e52";
  // Two organisations that give the same address give two things.
  return uuid5(kOurs, fmt::format("{}|{}|{}", kind, options.sender, name));
}

}  // namespace orbwatch::exporting::sharing
