// What the tests of simulated worlds share: the logs' text, whatever they are packed with.
#pragma once

#include <zlib.h>

#include <map>
#include <string>
#include <string_view>

#include "core/text.h"
#include "decode/all.h"
#include "evaluate/simulate.h"

namespace orbwatch::evaluate {

inline std::string content(const std::string& path) {
  std::string bytes;
  gzFile file = gzopen(path.c_str(), "rb");  // reads plain files as they are
  if (file == nullptr) return bytes;
  char buffer[1 << 16];
  for (int n; (n = gzread(file, buffer, sizeof buffer)) > 0;) bytes.append(buffer, static_cast<std::size_t>(n));
  gzclose(file);
  return bytes;
}

// The events of a log, and the format as which it was recognised.
inline event::EventBatch decode_file(const std::string& file, std::string& format) {
  event::EventBatch batch;
  std::string bytes = content(file);
  bytes.reserve(bytes.size() + core::kPadding);
  decode::Options options;
  options.year = 2026;
  const auto what = decode::recognise(std::string_view(bytes).substr(0, 65536), options);
  format = what.format;
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) return batch;
  (*decoder)->feed(bytes, batch);
  (*decoder)->finish(batch);
  return batch;
}

// How often each line stands in the logs.
inline std::map<std::string, int> line_counts(const SimulateResult& result) {
  std::map<std::string, int> lines;
  for (const std::string& file : result.files) {
    const std::string text = content(file);
    for (std::string_view rest = text; !rest.empty();) ++lines[std::string(core::take_until(rest, '\n'))];
  }
  return lines;
}

}  // namespace orbwatch::evaluate
