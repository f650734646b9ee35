// Every file of the collection, whole and in small pieces: same events with the same places, balanced accounts.
//
// Exit codes: 0 alike, 1 not, 77 shared/data is not there.
#include <fmt/format.h>

#include <cstdio>

#include "core/text.h"
#include "parity/tables.h"

namespace orbwatch::parity {
namespace {

constexpr std::size_t kLargest = 8U << 20;        // bytes of a file that is read
constexpr std::size_t kLargestInBytes = 1 << 17;  // of one that is fed in pieces of a few bytes

struct Decoded {
  std::string seen;  // events and rejects with their places
  bool balanced = true;
};

Decoded decode_in(const std::string& bytes, const decode::Recognised& what, std::size_t step) {
  Decoded out;
  decode::Options options;
  options.reference = time_of("2027-01-01T00:00:00Z");
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) return out;
  event::EventBatch batch;
  std::string piece;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    piece.assign(bytes, at, step);
    const std::size_t size = piece.size();
    piece.resize(size + core::kPadding);
    (*decoder)->feed(std::string_view(piece).substr(0, size), batch);
  }
  (*decoder)->finish(batch);
  const event::Counts& c = batch.counts;
  out.balanced = c.records == c.events + c.ignored + c.rejected && c.events == batch.size();
  for (const event::Event& e : batch)
    out.seen += fmt::format("{}{}@{}\n", event::to_json(e), e.record.line, e.record.offset);
  for (const event::Reject& r : batch.rejects) out.seen += fmt::format("{}{}{}\n", r.offset, r.reason.text(), r.seen);
  return out;
}

int run() {
  const fs::path data = find_data();
  if (data.empty()) {
    fmt::print("skipped: ../shared/data is not there\n");
    return 77;
  }
  std::uint64_t files = 0;
  int failed = 0;
  for (const char* folder : {"flow", "logs", "auth", "behaviour", "zeek", "packets", "fingerprint"}) {
    for (const fs::path& file : files_below(data / folder, "")) {
      const std::string bytes = read_file(file);
      if (bytes.size() > kLargest) continue;
      decode::Options options;
      options.reference = time_of("2027-01-01T00:00:00Z");
      const auto what = decode::recognise(std::string_view(bytes).substr(0, 65536), options);
      if (what.format.empty()) continue;
      ++files;
      const Decoded whole = decode_in(bytes, what, bytes.size());
      for (const std::size_t step : {std::size_t{11}, std::size_t{1500}}) {
        if (step == 11 && bytes.size() > kLargestInBytes) continue;
        const Decoded cut = decode_in(bytes, what, step);
        if (cut.seen == whole.seen && cut.balanced && whole.balanced) continue;
        ++failed;
        fmt::print("FAILED {}: {} in pieces of {}\n", below(data, file),
                   cut.seen == whole.seen ? "unbalanced accounts" : "other events", step);
      }
    }
  }
  fmt::print("{} files\n", files);
  return failed == 0 && files >= 400 ? 0 : 1;
}

}  // namespace
}  // namespace orbwatch::parity

int main() { return orbwatch::parity::run(); }
