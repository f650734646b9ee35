// Fuzz targets of the stream cutters (source/cutters.h, source/relp.h): ORBWATCH_FUZZ_CUTTER is 1 for syslog, 2 for
// IPFIX, 3 for RELP. Beside crashes and hangs, each run checks their promises:
//  - any split of the stream gives the same records, answers and counts;
//  - every record is whole and within the longest length, and all are counted;
//  - pauses lose no record's bytes: what is given never grows beyond what was fed;
//  - RELP: every message that is acknowledged was given, or was empty.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "core/symbol.h"
#include "source/cutters.h"
#include "source/relp.h"

namespace {

using namespace orbwatch;

constexpr bool kSyslog = ORBWATCH_FUZZ_CUTTER == 1;
constexpr bool kRelp = ORBWATCH_FUZZ_CUTTER == 3;
// Short, so that the paths of records that are too long are reached.
constexpr std::size_t kLongest = 64;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "%s\n", promise);
  std::abort();
}

std::unique_ptr<source::RecordCutter> make() {
  if constexpr (kSyslog) {
    return std::make_unique<source::SyslogCutter>(kLongest);
  } else if constexpr (kRelp) {
    return std::make_unique<source::RelpCutter>(kLongest);
  } else {
    return std::make_unique<source::IpfixCutter>();
  }
}

struct Told {
  std::string out;
  std::string answers;
  source::CutCounts counts;
};

enum class Pieces { kWhole, kSplit, kPaused };

Told cut(std::string_view input, Pieces pieces) {
  const auto cutter = make();
  Told told;
  std::uint64_t state = core::hash64(input);
  bool open = true;
  while (open && !input.empty()) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX generator
    const std::uint64_t draw = state >> 33;
    const std::size_t most = draw % 8 == 0 ? 3 * kLongest : 9;
    const std::size_t n =
        pieces == Pieces::kWhole ? input.size() : std::min<std::size_t>((draw >> 3) % most, input.size());
    // A copy, so that AddressSanitizer sees a read beyond it.
    open = cutter->feed(std::string(input.substr(0, n)), told.out);
    input.remove_prefix(n);
    cutter->answer(told.answers);
    if (pieces == Pieces::kPaused && draw % 3 == 0) cutter->pause(told.out);
  }
  cutter->finish(told.out);
  cutter->answer(told.answers);
  cutter->farewell(told.answers);
  told.counts = cutter->counts();
  return told;
}

void check(const Told& told, std::size_t fed) {
  std::uint64_t records = 0;
  const std::string& out = told.out;
  if constexpr (kSyslog || kRelp) {
    for (std::size_t at = 0; at < out.size(); ++records) {
      const std::size_t end = out.find('\n', at);
      if (end == out.npos) broken("a record without its end");
      if (end == at) broken("a record without content");
      if (end - at > kLongest) broken("a record is too long");
      at = end + 1;
    }
    if (out.size() > fed + 1) broken("more was given than was fed");
  } else {
    for (std::size_t at = 0; at < out.size(); ++records) {
      if (at + 2 > out.size()) broken("a message without its length");
      const std::size_t size =
          static_cast<unsigned char>(out[at]) | static_cast<std::size_t>(static_cast<unsigned char>(out[at + 1])) << 8;
      if (size < 16 || at + 2 + size > out.size()) broken("a message with a wrong length");
      at += 2 + size;
    }
  }
  if (records != told.counts.records) broken("records given and counted differ");
  std::uint64_t acknowledged = 0;
  constexpr std::string_view kTaken = " rsp 6 200 OK\n";
  for (std::size_t at = told.answers.find(kTaken); at != told.answers.npos; at = told.answers.find(kTaken, at + 1))
    ++acknowledged;
  if (acknowledged != (kRelp ? records + told.counts.empty : 0)) broken("messages given and acknowledged differ");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Told whole = cut(input, Pieces::kWhole);
  const Told split = cut(input, Pieces::kSplit);
  if (whole.out != split.out || whole.answers != split.answers || !(whole.counts == split.counts))
    broken("a split stream gives another result");
  check(whole, size);
  check(cut(input, Pieces::kPaused), size);
  return 0;
}
