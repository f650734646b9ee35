// What a decoder is. Two kinds:
//
//  - A Decoder turns the bytes of one input into events. There are few: the text frame (text.h: lines or JSON values)
//  and the binary
//    formats (captures, IPFIX files). Fed any split of the input it gives the same events.
//  - A RecordDecoder turns one text record (a log line without its syslog envelope, or one JSON object) into one event.
//  There is one
//    per vendor format, each in its own file, listed in all.h. The text frame calls it.
//
// Both are pure: no I/O, no clock, bounded state. Not thread-safe: one instance belongs to one input. Input bytes must
// be readable core::kPadding bytes behind their end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "event/batch.h"
#include "event/event.h"

namespace orbwatch::decode {

using core::Symbol;
using event::Event;
using event::EventBatch;

// A user's own format: the YAML text, and the file it comes from for error messages ("" = none).
struct MappingText {
  std::string yaml;
  std::string file;
};

// How to read what records leave out.
struct Options {
  std::string zone;                      // --tz: for times without zone; "" = UTC
  int year = 0;                          // --year: for times without year; 0 = from `reference`
  core::Nanoseconds reference = 0;       // see core::TimeReader
  std::string format;                    // --format: only this format; "" = by content
  std::vector<MappingText> mappings;     // users' own formats, asked before all others (docs/formats/mapping.md)
  std::uint32_t source = 0;              // goes into every RecordRef
  std::size_t longest_record = 1 << 20;  // bytes; a longer record is rejected as "record too long"
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the events of all records that are complete with these bytes; sets record.offset and .line; counts every
  // record in batch.counts. Bytes of an unfinished record are kept (at most longest_record) until the next call.
  virtual void feed(std::string_view bytes, EventBatch& batch) = 0;
  // The input ends here: what is left is a last record or is rejected as "truncated".
  virtual void finish(EventBatch& batch) = 0;
};

namespace json {
class Index;
}

// One text record and what its envelope said of it.
struct TextRecord {
  std::string_view raw;         // the whole record, without end of line; out of a wrapper (wrapper.h) what was inside
  std::string_view message;     // behind the syslog envelope; == raw if there is none. For JSON: the object's text
  core::Nanoseconds time = 0;   // from the envelope or wrapper; 0 if it has none
  std::string_view host;        // host name of the envelope
  std::string_view program;     // RFC 3164 tag or RFC 5424 APP-NAME, "sshd"
  std::string_view pid;         // RFC 3164 tag's [pid] or RFC 5424 PROCID
  std::string_view message_id;  // RFC 5424 MSGID
  std::string_view structured;  // RFC 5424 structured data with its brackets, "[junos@2636.1 key=\"value\"]"
  bool json = false;            // message is one JSON object
  mutable std::uint64_t json_keys = 0;     // of a JSON object: see json::keys_of(), which fills it when first asked
  mutable std::uint64_t product_keys = 0;  // likewise: json::products_of()
  // Of a JSON object: its tokens, for all who look at it. Lent by the frame (may be null) and made when first asked
  // for.
  json::Index* index = nullptr;
  mutable bool indexed = false;
  mutable bool index_good = false;
};

enum class Verdict : std::uint8_t { kEvent, kIgnored, kRejected, kSeveral };

// The fate of one record. `reason` (for ignored and rejected) is from a closed vocabulary: at most a few hundred values
// a format.
struct Fate {
  Verdict verdict = Verdict::kEvent;
  Symbol reason;

  static Fate kept() { return {}; }
  // The text record holds several records: see RecordDecoder::decode_parts.
  static Fate several() { return {Verdict::kSeveral, {}}; }
  static Fate ignored(Symbol why) { return {Verdict::kIgnored, why}; }
  static Fate rejected(Symbol why) { return {Verdict::kRejected, why}; }
  static Fate ignored(std::string_view why) { return ignored(core::intern(why)); }
  static Fate rejected(std::string_view why) { return rejected(core::intern(why)); }
};

// How a text input is cut into records.
enum class Framing : std::uint8_t {
  kLines,       // one record a line; a line may be a JSON object
  kJsonValues,  // pretty-printed objects, an array of objects, or {"Records": [objects]} and alike
  kXmlEvents,   // <Event> elements over several lines, or within <Events>: xml_values.h
  kCounted,     // syslog as it comes over TCP (RFC 6587): "LENGTH <PRI>...", mixed with lines as senders like it
  kCsvWrapper,  // CSV with a header line, one column of which holds the records (Splunk, Graylog, Azure, CloudWatch)
};

// Takes the records that one text record holds. Each is counted by itself.
class Parts {
 public:
  virtual ~Parts() = default;
  // The event to fill, as RecordDecoder::decode() gets it.
  virtual Event& next() = 0;
  // What became of it; not kSeveral. `text` is the part of TextRecord::raw that the record was read from, or "" for all
  // of it; parts come in their order.
  virtual void end(Fate fate, std::string_view text) = 0;
};

class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // Is this record of my format? Asked for every record of the kind that the format reads (RecordFormat::reads), so
  // cheap; exact (formats must not claim each other's records), and a function of the record and of header lines seen
  // before (Zeek TSV, CSV) only.
  virtual bool claims(const TextRecord& record) const = 0;
  // Fills `event`, which comes zeroed, with event.time == record.time and event.observer == record.host already set.
  // Called for claimed records only. Unknown message numbers and values never fail a record: keep what parsed, ignore
  // the rest by name.
  virtual Fate decode(const TextRecord& record, Event& event) = 0;
  // Called when decode() gave Fate::several(): gives out each record that the text record holds (Azure writes the flows
  // of a minute in one object). If there is none, the frame counts the text record as ignored, "no records in it".
  virtual void decode_parts(const TextRecord& /*record*/, Parts& /*parts*/) {}
};

// Which records a format is offered.
enum class Reads : std::uint8_t { kText, kJson, kBoth };

// One row of the table in all.h.
struct RecordFormat {
  std::string_view name;    // "cisco_asa": file name, docs page, golden folder, event.dataset
  std::string_view title;   // "Cisco ASA and FTD syslog"
  std::string_view covers;  // what an analyst gets from it, one line
  Reads reads;              // records that are a JSON object (TextRecord::json), all others, or both
  bool stateless;           // no header lines: chunks of one file may be decoded by several instances at once
  std::unique_ptr<RecordDecoder> (*make)(const core::TimeReader& times);
  // A schema into which collectors translate the records of others. Asked last: where the device's own text stands
  // beside the translation, the format of that text reads it.
  bool common_schema = false;
};

struct BinaryFormat {
  std::string_view name;
  std::string_view title;
  std::string_view covers;
  // 0 = certainly not; 100 = its magic number is there. Sees the first bytes (up to 64 KiB) of the input.
  int (*recognise)(std::string_view head);
  std::unique_ptr<Decoder> (*make)(const Options& options);
};

}  // namespace orbwatch::decode
