// What other tools made of the same records, beside what orbwatch makes of them.
//
// A reader (one file a peer) turns a peer's golden output into Cases: the bytes of an input, and for its records what
// the peer says of them as Claims, in the names of docs/events.md. compare() decodes the input as the pipeline does
// (recognised by content) and holds each claim against the event.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "decode/all.h"

namespace orbwatch::parity {

namespace fs = std::filesystem;
using simdjson::dom::element;

// `field` is a name of docs/events.md or one of these, which are made of two of them:
//   "network.bytes", "network.packets"  both directions together
//   "source.bytes.scaled"               source.bytes times sampling
//   "ends"                              made by the runner: who spoke with whom is the other way round
//   "flow.start"                        time, of flows only; where it is claimed, "time" is not compared for flows
//   "flow.end"                          time + duration_ns
// `values`: what the peer says; more than one where it has several names for the same thing, one of which must be ours.
struct Claim {
  std::string field;
  std::vector<std::string> values;
};

// One record as the peer describes it.
struct Record {
  std::string place{};     // for people: "line 3"
  std::uint32_t line = 0;  // 1-based, for Pairing::kLine
  std::vector<Claim> claims{};

  void claim(std::string_view field, std::optional<std::string> value);
};

// Which event a record is held against.
enum class Pairing {
  kLine,   // the one of the same line
  kOrder,  // the first with the first, and so on
  kAny,    // the one that fits best; each is taken once
  kFind,   // the one that fits best; several records may mean the same
  kSums,   // as kAny, after events of the same addresses and ports were added up
};

struct Outcome;

struct Count {
  std::string name;
  std::uint64_t expected = 0;
  std::function<std::uint64_t(const Outcome&)> ours;
};

struct Case {
  std::string peer{};               // "sekoia"
  std::string file{};               // below shared/data
  std::string input{};              // as a file that orbwatch would be given
  std::string envelope{};           // put before `input` if nothing is recognised without it; see inputs.yaml
  core::Nanoseconds reference = 0;  // what the peer took for the year of records that leave it out; 0 = the default
  Pairing pairing = Pairing::kLine;
  bool complete = false;  // the peer names every record: events that no record fits are differences
  std::vector<Record> records{};
  std::vector<Count> counts{};
};

using Sink = std::function<void(Case)>;

// The readers. `data` is shared/data.
void read_akvorado(const fs::path& data, const Sink& sink);
void read_crowdsec(const fs::path& data, const Sink& sink);
void read_elastic(const fs::path& data, const Sink& sink);
void read_logstash(const fs::path& data, const Sink& sink);
void read_loghub(const fs::path& data, const Sink& sink);
void read_metron(const fs::path& data, const Sink& sink);
void read_nfdump(const fs::path& data, const Sink& sink);
void read_pmacct(const fs::path& data, const Sink& sink);
void read_sekoia(const fs::path& data, const Sink& sink);
void read_tcpdump(const fs::path& data, const Sink& sink);
void read_telegraf(const fs::path& data, const Sink& sink);
void read_zeek(const fs::path& data, const Sink& sink);

// What orbwatch made of an input.
struct Outcome {
  decode::Recognised what;
  event::EventBatch batch;

  std::uint64_t ignored(std::string_view reason) const;
  std::uint64_t events_of(std::string_view dataset) const;
  // Why there is no event: "ignored: X", "rejected: X", "not recognised".
  std::string without_event() const;
};
Outcome decode_input(const std::string& input, core::Nanoseconds reference = 0);

// The value of an event's field as text, "" if absent; and whether it is what the peer says.
std::string ours(const event::Event& event, std::string_view field);
// Source and destination exchanged, with all that belongs to them.
event::Event turned(const event::Event& event);
bool same(std::string_view field, const event::Event& event, const Claim& claim);
bool applies(std::string_view field, const event::Event& event, const Record& record);

// Files and JSON.
fs::path find_data();                         // shared/data beside or above the source tree; "" if it is not there
std::string read_file(const fs::path& path);  // decompressed
std::vector<fs::path> files_below(const fs::path& folder, std::string_view suffix);
std::string below(const fs::path& data, const fs::path& file);
// Captures of one kind as one capture: the second file header is left out. Other files one behind the other.
std::string joined(const std::vector<fs::path>& files);
// An event as Elastic Agent holds it before the pipeline: JSON that it received as a text is the text alone.
std::string record_of_event(element event);
std::vector<std::string> lines_of(const std::string& text);
bool glob(const std::string& pattern, const std::string& text);

// The items of an array; none if it is no array.
std::vector<element> items_of(simdjson::simdjson_result<simdjson::dom::array> list);

// "a.b.c" below `object`, or the key "a.b.c" itself: a string, or a number or boolean as text; the first of a list.
std::optional<std::string> text_at(element object, std::string_view path);
std::optional<std::string> first_of(element object, std::initializer_list<std::string_view> paths);
std::vector<std::string> all_of(element object, std::initializer_list<std::string_view> paths);
core::Nanoseconds time_of(std::string_view text);  // 0 if it is none

// ECS: what the Elastic pipelines and Sekoia's intake formats write.
void claim_ecs(element ecs, Record& record);

}  // namespace orbwatch::parity
