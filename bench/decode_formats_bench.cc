// Claim: no text format is slow: 1.5 million records/s and core for lines, 1 GB/s and core for JSON. Benchmarks for
// each row of record_formats(), made from the goldens of the format: the records that become events (of formats with
// header lines or several lines a record: whole files), repeated to some megabytes. One format may come in several
// ways, as lines of text, one JSON object a line, arrays of objects: each has its own benchmark, FRAMING/FORMAT. Frame,
// envelope, claims of all formats, decoder, counts, events in a batch; one thread. The peer is a memchr scan for line
// ends.
//
// Few different records repeat, so that a processor's predictors see them again: compare formats with each other, not
// with real logs. The programs decode_asa_bench and decode_json_bench use varied input.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/all.h"

namespace fs = std::filesystem;
using namespace orbwatch;

namespace {

constexpr std::size_t kBytes = 8U << 20;
constexpr std::size_t kPiece = 1U << 20;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

decode::Options options() {
  decode::Options o;
  core::TimeReader utc;
  std::string_view reference = "2027-01-01T00:00:00Z";
  o.reference = *core::parse_iso8601(reference, utc);
  return o;
}

std::unique_ptr<decode::Decoder> decoder_for(std::string_view input) {
  const std::string head(input.substr(0, 65536));
  auto decoder = decode::make_decoder(decode::recognise(head, options()), options());
  return decoder ? std::move(*decoder) : nullptr;
}

void feed(decode::Decoder& decoder, std::string& padded, event::EventBatch& batch) {
  const std::string_view bytes(padded.data(), padded.size() - core::kPadding);
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) decoder.feed(bytes.substr(at, kPiece), batch);
  decoder.finish(batch);
}

// The lines of a file that are events of this format, or the whole file if it is not a row of such lines.
std::string useful(const std::string& input, const decode::RecordFormat& format) {
  if (!format.stateless) return input;
  std::string kept;
  std::string_view rest = input;
  while (!rest.empty()) {
    const std::string line = std::string(core::take_until(rest, '\n')) + '\n';
    std::string padded = line;
    padded.resize(line.size() + core::kPadding);
    const auto decoder = decoder_for(line);
    if (decoder == nullptr) continue;
    event::EventBatch batch;
    feed(*decoder, padded, batch);
    if (batch.counts.events == batch.counts.records && batch.counts.events > 0) kept += line;
  }
  return kept.empty() ? input : kept;
}

struct Input {
  std::string name;
  std::string unit;  // every record once
};

std::string framing_name(decode::Framing framing) {
  switch (framing) {
    case decode::Framing::kJsonValues: return "json-values";
    case decode::Framing::kXmlEvents: return "xml";
    case decode::Framing::kCsvWrapper: return "csv";
    case decode::Framing::kCounted: return "counted";
    case decode::Framing::kLines: return "lines";
  }
  return {};
}

// Appends the records of a file to those of the same framing.
void sort_in(std::string part, decode::Framing framing, std::map<std::string, std::string>& units) {
  if (part.empty()) return;
  if (part.back() != '\n') part += '\n';
  const std::string name = framing_name(framing);
  if (name != "lines") {
    units[name] += part;
    return;
  }
  std::string_view rest = part;
  while (!rest.empty()) {
    const std::string line(core::take_until(rest, '\n'));
    units[line.starts_with('{') ? "json-lines" : name] += line + '\n';
  }
}

// Made when its benchmark runs, so that a profile of one format shows little else.
std::string repeated(const std::string& unit) {
  std::string bytes;
  bytes.reserve(kBytes + unit.size() + core::kPadding);
  while (bytes.size() < kBytes) bytes += unit;
  bytes.resize(bytes.size() + core::kPadding);
  return bytes;
}

std::vector<Input> inputs() {
  std::vector<Input> out;
  for (const decode::RecordFormat& format : decode::record_formats()) {
    const fs::path folder = fs::path(ORBWATCH_ROOT) / "tests/golden" / format.name;
    std::vector<fs::path> files;
    if (fs::is_directory(folder)) {
      for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string n = entry.path().filename().string();
        if (entry.is_regular_file() && !n.ends_with("events.ndjson") && !n.ends_with("rejects.ndjson") &&
            !n.ends_with(".options") && !n.ends_with(".md"))
          files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    std::map<std::string, std::string> units;
    for (const fs::path& file : files) {
      std::string part = useful(read(file), format);
      const decode::Recognised what = decode::recognise(part.substr(0, 65536), options());
      if (what.format == format.name) sort_in(std::move(part), what.framing, units);
    }
    for (auto& [framing, unit] : units) {
      if (decode::recognise(unit.substr(0, 65536), options()).format == format.name)
        out.push_back({framing + "/" + std::string(format.name), std::move(unit)});
    }
  }
  return out;
}

void decode_all(benchmark::State& state, const Input& input) {
  const std::string padded = repeated(input.unit);
  const std::string_view bytes(padded.data(), padded.size() - core::kPadding);
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  event::EventBatch batch;  // keeps its memory, as the pipeline's batches do
  for (auto _ : state) {
    const auto decoder = decoder_for(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
      decoder->feed(bytes.substr(at, kPiece), batch);
      records += batch.counts.records;
      events += batch.counts.events;
      batch.clear();
    }
    decoder->finish(batch);
    records += batch.counts.records;
    events += batch.counts.events;
    batch.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
  state.counters["events_share"] = records == 0 ? 0 : static_cast<double>(events) / static_cast<double>(records);
}

void line_ends(benchmark::State& state, const Input& input) {
  const std::string bytes = repeated(input.unit);
  std::uint64_t lines = 0;
  for (auto _ : state) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while ((p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)))) != nullptr) {
      ++lines;
      ++p;
    }
    benchmark::DoNotOptimize(lines);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(lines));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<Input> all = inputs();
  for (const Input& input : all) {
    benchmark::RegisterBenchmark(input.name.c_str(), [&input](benchmark::State& state) { decode_all(state, input); });
  }
  if (!all.empty())
    benchmark::RegisterBenchmark("peer/line_ends", [&](benchmark::State& state) { line_ends(state, all.front()); });
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
