// One fuzz target per format, from one source: fuzz::target (target.h) names the format that the input is forced to be,
// "text" stands for what `hunt` does with an unknown file (recognise, then decode) and "envelope" for the syslog
// envelope alone.
//
// Beside crashes, hangs and what the sanitizers see, each run checks two promises of decode/decoder.h:
//  - any split of the input gives the same events, rejects and counts (pieces are drawn from the input's own bytes);
//  - records == events + ignored + rejected, and every event counted is in the batch.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/symbol.h"
#include "core/text.h"
#include "decode/all.h"
#include "decode/envelope.h"
#include "event/batch.h"
#include "event/event.h"
#include "target.h"

namespace {

using namespace orbwatch;

// Short, so that the fuzzer reaches the paths of records that are too long.
constexpr std::size_t kLongestRecord = 2048;

[[noreturn]] void broken(const char* promise, const std::string& whole = {}, const std::string& split = {}) {
  std::fprintf(stderr, "%.*s: %s\n--- whole\n%s--- split\n%s", static_cast<int>(fuzz::target.size()),
               fuzz::target.data(), promise, whole.c_str(), split.c_str());
  std::abort();
}

decode::Options options() {
  decode::Options options;
  options.reference =
      1'798'761'600 * core::kSecond;  // 2027-01-01: the year of times without one must not depend on today
  options.longest_record = kLongestRecord;
  if (fuzz::target != "text") options.format = fuzz::target;
  return options;
}

// A copy with exactly core::kPadding readable bytes behind it, so that AddressSanitizer sees a read beyond the promise.
// The padding is not zero: a decoder that takes it for input shows in the comparison.
class Padded {
 public:
  Padded(const std::uint8_t* data, std::size_t size, std::uint8_t fill)
      : size_(size), bytes_(new char[size + core::kPadding]) {
    if (size != 0) std::memcpy(bytes_.get(), data, size);
    std::memset(bytes_.get() + size, fill, core::kPadding);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

void append_counts(std::string& out, const char* what, const core::SymbolCounts& by) {
  std::vector<std::pair<std::string_view, std::uint64_t>> rows;
  for (const auto& [name, count] : by) rows.emplace_back(name.text(), count);
  std::sort(rows.begin(), rows.end());
  for (const auto& [name, count] : rows)
    out += std::string(what) + " " + std::string(name) + ": " + std::to_string(count) + "\n";
}

// Everything that a decoder said about its input, as text. The bytes of an event's record are a promise, too, where
// they are held.
struct Told {
  std::string text;
  std::uint64_t events = 0;

  void take(const event::EventBatch& batch) {
    for (const event::Event& e : batch) text += event::to_json(e) + "\n";
    for (const event::Reject& r : batch.rejects) {
      text += "reject " + std::to_string(r.offset) + " line " + std::to_string(r.line) + " " +
              std::string(r.reason.text()) + ": " + r.seen + "\n";
    }
    const event::Counts& c = batch.counts;
    if (c.records != c.events + c.ignored + c.rejected) broken("records != events + ignored + rejected");
    if (c.events != batch.size()) broken("events counted != events in the batch");
    events = c.events;
    append_counts(text, "event", c.events_by);
    append_counts(text, "ignored", c.ignored_by);
    append_counts(text, "rejected", c.rejected_by);
  }
};

std::string decode_whole(const decode::Recognised& what, std::string_view input, const decode::Options& options) {
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) return "no decoder: " + decoder.error().text() + "\n";
  event::EventBatch batch;
  (*decoder)->feed(input, batch);
  (*decoder)->finish(batch);
  Told told;
  told.take(batch);
  return told.text;
}

std::string decode_split(const decode::Recognised& what, const std::uint8_t* data, std::size_t size,
                         const decode::Options& options) {
  auto decoder = decode::make_decoder(what, options);
  if (!decoder) return "no decoder: " + decoder.error().text() + "\n";
  event::EventBatch batch;
  std::uint64_t state = core::hash64({reinterpret_cast<const char*>(data), size});
  for (std::size_t at = 0; at < size;) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX generator
    const std::uint64_t draw = state >> 33;
    // Mostly small pieces: cuts within a field find more than cuts between records. Some are empty.
    const std::size_t most = draw % 8 == 0 ? 2 * kLongestRecord : draw % 4 == 1 ? 400 : 9;
    const std::size_t step = std::min<std::size_t>((draw >> 3) % most, size - at);
    const Padded piece(data + at, step, static_cast<std::uint8_t>(draw >> 20));
    (*decoder)->feed(piece.view(), batch);
    at += step;
  }
  (*decoder)->finish(batch);
  Told told;
  told.take(batch);
  return told.text;
}

void fuzz_envelope(std::string_view input) {
  auto times = core::TimeReader::make("", options().reference);
  decode::TextRecord record;
  record.raw = input.substr(0, input.find('\n'));
  decode::parse_envelope(record, *times);
  // All parts are views into the record.
  for (const std::string_view part : {record.message, record.host, record.program, record.pid}) {
    if (part.empty()) continue;
    if (part.data() < record.raw.data() || part.data() + part.size() > record.raw.data() + record.raw.size()) {
      broken("a part of the envelope lies outside of the record");
    }
  }
}

void fuzz_decoder(const std::uint8_t* data, std::size_t size) {
  const decode::Options options = ::options();
  const Padded input(data, size, 0);
  const decode::Recognised what = decode::recognise(input.view().substr(0, 65536), options);
  const std::string whole = decode_whole(what, input.view(), options);
  const std::string split = decode_split(what, data, size, options);
  if (whole != split) broken("a split input gives another result", whole, split);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (fuzz::target == "envelope") {
    fuzz_envelope(Padded(data, size, ' ').view());
  } else {
    fuzz_decoder(data, size);
  }
  return 0;
}
