#include "decode/wrapper.h"

#include <algorithm>
#include <optional>

#include "core/text.h"
#include "decode/envelope.h"
#include "decode/json_values.h"
#include "decode/name_memory.h"
#include "decode/name_table.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;
using Opened = Unwrapper::Opened;

enum class Part : std::uint8_t { kContent, kTime, kHost, kProgram, kPid, kInside, kSourcetype };
constexpr std::size_t kParts = 7;

// What a key says; of several keys for one part the lowest rank counts.
struct Key {
  Part part;
  std::uint8_t rank;
};

// Nested keys are joined by dots: {"host":{"name":..}} and {"host.name":..} are the same.
constexpr auto kKeyRows = std::to_array<Name<Key>>({
    // The record itself. Whole records come before what is left of them when a collector took the header off.
    {"event.original", {Part::kContent, 0}},  // ECS
    {"log.original", {Part::kContent, 0}},    // ECS before 1.6
    {"_raw", {Part::kContent, 1}},            // Splunk
    {"@rawstring", {Part::kContent, 1}},      // LogScale
    {"full_message", {Part::kContent, 2}},    // GELF
    {"full_log", {Part::kContent, 2}},        // Wazuh
    {"rawmsg", {Part::kContent, 2}},          // rsyslog
    {"raw_data", {Part::kContent, 2}},        // OCSF
    {"RawData", {Part::kContent, 2}},         // Azure Monitor
    {"SyslogMessage", {Part::kContent, 3}},   // Azure Monitor, Syslog table
    {"MESSAGE", {Part::kContent, 3}},         // journald, syslog-ng
    {"message", {Part::kContent, 4}},         // Filebeat, Logstash, Fluent Bit, Vector, Datadog, CloudWatch
    {"@message", {Part::kContent, 4}},        // CloudWatch Logs Insights
    {"Message", {Part::kContent, 4}},         // Azure Monitor, SNS
    {"textPayload", {Part::kContent, 4}},     // Google Cloud Logging
    {"jsonPayload.message", {Part::kContent, 4}},
    {"properties.message", {Part::kContent, 4}},
    {"properties.Message", {Part::kContent, 4}},
    {"properties.RawData", {Part::kContent, 4}},
    {"msg", {Part::kContent, 5}},            // rsyslog
    {"log", {Part::kContent, 5}},            // Docker, Fluentd
    {"line", {Part::kContent, 5}},           // Loki
    {"event", {Part::kContent, 6}},          // Splunk's HTTP event collector
    {"short_message", {Part::kContent, 6}},  // GELF
    {"AuditData", {Part::kContent, 6}},      // Microsoft 365, exported as CSV
    // Objects that are the record, or the next wrapper: in the order of kInsideKeys.
    {"_source", {Part::kInside, 0}},  // Elasticsearch
    {"result", {Part::kInside, 1}},   // Splunk
    {"detail", {Part::kInside, 2}},   // EventBridge
    {"sourcetype", {Part::kSourcetype, 0}},

    {"_SOURCE_REALTIME_TIMESTAMP", {Part::kTime, 0}},  // journald: the sender's own time
    {"__REALTIME_TIMESTAMP", {Part::kTime, 1}},
    {"@timestamp", {Part::kTime, 2}},
    {"_time", {Part::kTime, 2}},
    {"timereported", {Part::kTime, 2}},
    {"timestamp", {Part::kTime, 3}},
    {"EventTime", {Part::kTime, 3}},
    {"TimeGenerated", {Part::kTime, 4}},
    {"TimeGenerated [UTC]", {Part::kTime, 4}},
    {"time", {Part::kTime, 5}},
    {"ts", {Part::kTime, 6}},
    {"date", {Part::kTime, 6}},
    {"ISODATE", {Part::kTime, 6}},
    {"DATE", {Part::kTime, 7}},
    {"CreationDate", {Part::kTime, 7}},

    {"observer.name", {Part::kHost, 0}},
    {"observer.hostname", {Part::kHost, 0}},
    {"log.syslog.hostname", {Part::kHost, 1}},
    {"predecoder.hostname", {Part::kHost, 1}},
    {"_HOSTNAME", {Part::kHost, 1}},
    {"HostName", {Part::kHost, 1}},
    {"HOST", {Part::kHost, 1}},
    {"logsource", {Part::kHost, 1}},
    {"hostname", {Part::kHost, 2}},
    // A collector that listens on the network names the sender here and itself in host.
    {"log.source.address", {Part::kHost, 3}},
    {"observer.ip", {Part::kHost, 4}},
    {"host", {Part::kHost, 5}},
    {"host.name", {Part::kHost, 5}},
    {"host.hostname", {Part::kHost, 6}},
    {"Computer", {Part::kHost, 6}},
    {"agent.name", {Part::kHost, 7}},
    {"agent.hostname", {Part::kHost, 7}},
    {"logStreamName", {Part::kHost, 8}},
    {"@logStream", {Part::kHost, 8}},

    {"SYSLOG_IDENTIFIER", {Part::kProgram, 0}},
    {"log.syslog.appname", {Part::kProgram, 0}},
    {"predecoder.program_name", {Part::kProgram, 0}},
    {"ProcessName", {Part::kProgram, 0}},
    {"programname", {Part::kProgram, 0}},
    {"program", {Part::kProgram, 0}},
    {"PROGRAM", {Part::kProgram, 0}},
    {"appname", {Part::kProgram, 0}},
    {"ident", {Part::kProgram, 0}},
    {"application_name", {Part::kProgram, 0}},
    {"_application_name", {Part::kProgram, 0}},
    {"process.name", {Part::kProgram, 1}},
    {"_COMM", {Part::kProgram, 2}},

    {"_PID", {Part::kPid, 0}},
    {"ProcessID", {Part::kPid, 0}},
    {"procid", {Part::kPid, 0}},
    {"PID", {Part::kPid, 0}},
    {"pid", {Part::kPid, 0}},
    {"process.pid", {Part::kPid, 0}},
    {"process_id", {Part::kPid, 0}},
    {"_process_id", {Part::kPid, 0}},
    {"log.syslog.procid", {Part::kPid, 0}},
    {"SYSLOG_PID", {Part::kPid, 1}},
});
constexpr NameTable kKeys(kKeyRows);

constexpr std::array<std::string_view, 3> kInsideKeys = {"_source", "result", "detail"};

constexpr std::uint8_t kNoKey = 255;
constexpr std::uint8_t kUnranked = 255;

// The objects whose members the table names; the first is the document itself.
constexpr auto kObjectRows = std::to_array<Name<bool>>({{"", true},
                                                        {"event", true},
                                                        {"host", true},
                                                        {"observer", true},
                                                        {"log", true},
                                                        {"log.syslog", true},
                                                        {"log.source", true},
                                                        {"process", true},
                                                        {"agent", true},
                                                        {"predecoder", true},
                                                        {"properties", true},
                                                        {"jsonPayload", true}});
constexpr std::size_t kLongestPath = 128;

// "192.0.2.1:514" without the port.
std::string_view without_port(std::string_view address) {
  const auto colon = address.find(':');
  if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
  return colon != address.npos && address.find(':', colon + 1) == address.npos ? address.substr(0, colon) : address;
}

// journald writes a text that is not UTF-8 as an array of byte values.
bool byte_array(const Value& value, std::string& out) {
  out.clear();
  const Walk walk = json::each_element(value, [&](const Value& element) {
    const auto byte = core::parse_number<std::uint8_t>(element.raw());
    if (byte) out += static_cast<char>(*byte);
    return byte.has_value();
  });
  out.reserve(out.size() + core::kPadding);
  return walk == Walk::kEnd;
}

bool has_text(const Value& object, std::string_view key) {
  bool found = false;
  json::each_field(object, [&](std::string_view name, const Value& value) {
    found |= name == key && !json::text(value).empty();
    return !found;
  });
  return found;
}

// The fields of one line of CSV, each as it stands there, quotes included.
template <typename Each>
void csv_fields(std::string_view line, char separator, Each&& each) {
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || (line[i] == separator && !quoted)) {
      each(line.substr(begin, i - begin));
      begin = i + 1;
    } else if (line[i] == '"') {
      quoted = !quoted;
    }
  }
}

std::string_view without_quotes(std::string_view field) {
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') return field.substr(1, field.size() - 2);
  return field;
}

constexpr std::size_t kMostColumns = 1000;

}  // namespace

struct Unwrapper::Parts {
  std::array<std::string_view, kParts> text;
  std::array<std::uint8_t, kParts> rank;

  Parts() { rank.fill(kUnranked); }
  std::string_view operator[](Part part) const { return text[static_cast<std::size_t>(part)]; }
  bool wants(Key key) const { return key.rank < rank[static_cast<std::size_t>(key.part)]; }
  void take(Key key, std::string_view value) {
    if (value.empty() || !wants(key)) return;
    text[static_cast<std::size_t>(key.part)] = value;
    rank[static_cast<std::size_t>(key.part)] = key.rank;
  }
};

// What a member's name says, within one of the objects.
struct Unwrapper::Memory {
  struct Meaning {
    const Key* key = nullptr;
    const Name<bool>* object = nullptr;  // whose members are looked at, too
  };
  NameMemory<Meaning> names;

  static Meaning look(const Name<bool>& within, std::string_view name) {
    std::array<char, kLongestPath> buffer;
    if (within.name.size() + 1 + name.size() > buffer.size()) return {};
    char* end = std::copy(within.name.begin(), within.name.end(), buffer.begin());
    if (!within.name.empty()) *end++ = '.';
    end = std::copy(name.begin(), name.end(), end);
    const std::string_view path(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    const auto* const object =
        std::find_if(kObjectRows.begin() + 1, kObjectRows.end(), [&](const auto& row) { return row.name == path; });
    return {kKeys.find(path), object == kObjectRows.end() ? nullptr : object};
  }
};

// One look at a document.
struct Unwrapper::Search {
  Parts& parts;
  NameMemory<Memory::Meaning>::Names names;
  std::string& bytes;
  bool is_wrapper = false;
  std::string_view inside = {};  // key of an object that is the record
  Value inside_object = {};
  std::optional<Value> event = std::nullopt;

  // False if the JSON is broken. The recursion is as deep as the objects' paths are long.
  bool object(const Value& value, const Name<bool>& within) {
    bool good = true;
    const Walk walk = json::walk_members(value, [&](const json::Member& member) {
      const Memory::Meaning meaning =
          names.find(member.begin, member.key, &within, [&] { return Memory::look(within, member.name()); });
      if (meaning.key != nullptr || meaning.object != nullptr) good = take(meaning, value.at(member));
      return good;
    });
    return good && walk != Walk::kBroken;
  }

 private:
  bool take(const Memory::Meaning& meaning, const Value& value) {
    if (json::is_object(value)) {
      if (meaning.object != nullptr && meaning.object->name == "event") event = value;
      if (meaning.key != nullptr && meaning.key->part == Part::kInside && parts.wants(*meaning.key)) {
        inside = kInsideKeys[meaning.key->rank];
        inside_object = value;
        parts.take(*meaning.key, inside);
      }
      return meaning.object == nullptr || object(value, *meaning.object);
    }
    if (meaning.key == nullptr) return true;
    if (meaning.key->part == Part::kContent) {
      is_wrapper = true;
      if (json::is_array(value)) {
        if (meaning.key != kKeys.find("MESSAGE")) return true;
        if (!byte_array(value, bytes)) return false;
        parts.take(*meaning.key, bytes);
        return true;
      }
    }
    if (parts.wants(*meaning.key)) parts.take(*meaning.key, json::text(value));
    return true;
  }
};

Unwrapper::Unwrapper(core::TimeReader times, int year)
    : times_(std::move(times)), inner_times_(times_), keep_year_(year != 0) {}
Unwrapper::~Unwrapper() = default;

void Unwrapper::describe(const Parts& parts, TextRecord& record) {
  if (const core::Nanoseconds time = read_time(parts[Part::kTime], times_); time != 0) record.time = time;
  if (const std::string_view host = parts[Part::kHost]; !host.empty()) record.host = without_port(host);
  if (const std::string_view program = parts[Part::kProgram]; !program.empty()) record.program = program;
  if (const std::string_view pid = parts[Part::kPid]; !pid.empty()) record.pid = pid;
}

void Unwrapper::content(std::string_view text, json::Index* index, TextRecord& record) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0')) text.remove_suffix(1);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  record.raw = record.message = text;
  if (!text.starts_with('{') && !begins_array(text)) envelope(text, record);
  record.json = record.message.starts_with('{');
  record.json_keys = record.product_keys = 0;
  record.index = index;
  record.indexed = false;
}

void Unwrapper::envelope(std::string_view text, TextRecord& record) {
  // The wrapper says in which year the record was written, whatever the age of the file. By whole days, so that the
  // reader's memory of the hour stays of use.
  if (record.time > 0 && !keep_year_) inner_times_.set_reference(record.time - record.time % core::kDay + core::kDay);
  parse_inner_envelope(text, record, inner_times_);
}

Unwrapper::Opened Unwrapper::open(TextRecord& record, std::size_t depth) {
  if ((json::keys_of(record) & json::kWrapper) == 0) return Opened::kNo;
  if (levels_[depth] == nullptr) levels_[depth] = std::make_unique<Level>();
  if (names_ == nullptr) names_ = std::make_unique<Memory>();
  Level& level = *levels_[depth];
  json::Object object;
  if (!level.parser.open(record, object)) return Opened::kBroken;
  Parts parts;
  Search search{parts, names_->names.names(), level.bytes};
  if (!search.object(object, kObjectRows.front())) return Opened::kBroken;
  std::string_view inside = search.inside;
  Value inside_object = search.inside_object;
  // Splunk's collector has the record as an object or as a text in "event"; it is told by its own metadata.
  if (inside.empty() && search.event && !parts[Part::kSourcetype].empty()) {
    inside = "event";
    inside_object = *search.event;
  }
  if (!inside.empty() && parts[Part::kContent].empty()) {
    // "detail" and "result" are common words: only with the keys that stand beside them there.
    const std::string_view other = inside == "detail" ? "detail-type" : inside == "result" ? "preview" : "";
    if (!other.empty() && json::raw_member(record, other).empty() &&
        !(inside == "result" && has_text(inside_object, "_raw"))) {
      return Opened::kNo;
    }
    describe(parts, record);
    content(inside_object.whole(), &level.inside, record);
    return Opened::kYes;
  }
  if (parts[Part::kContent].empty()) return search.is_wrapper ? Opened::kEmpty : Opened::kNo;
  describe(parts, record);
  content(parts[Part::kContent], &level.inside, record);
  return Opened::kYes;
}

bool Unwrapper::csv_header(std::string_view line) {
  columns_.clear();
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\0')) line.remove_suffix(1);
  separator_ = ',';
  for (const char c : {';', '\t'}) {
    if (line.find(',') == line.npos && line.find(c) != line.npos) separator_ = c;
  }
  bool holds_records = false;
  csv_fields(line, separator_, [&](std::string_view field) {
    std::uint8_t column = kNoKey;
    if (const Key* key = kKeys.find(without_quotes(core::trim(field)));
        key != nullptr && key->part != Part::kInside && key->part != Part::kSourcetype) {
      for (std::size_t i = 0; i < kKeyRows.size(); ++i) {
        if (kKeyRows[i].name == without_quotes(core::trim(field))) column = static_cast<std::uint8_t>(i);
      }
      holds_records |= key->part == Part::kContent;
    }
    if (columns_.size() < kMostColumns) columns_.push_back(column);
  });
  // A single word is a header only if it can be nothing else.
  if (columns_.size() == 1 && without_quotes(line) != "_raw") holds_records = false;
  return holds_records;
}

Unwrapper::Opened Unwrapper::open_csv(std::string_view row, TextRecord& record) {
  static_assert(kKeyRows.size() < kNoKey);
  Parts parts;
  std::size_t column = 0;
  csv_fields(row, separator_, [&](std::string_view field) {
    const std::size_t i = column++;
    if (i >= columns_.size() || columns_[i] == kNoKey) return;
    parts.take(kKeyRows[columns_[i]].meaning, without_quotes(core::trim(field)));
  });
  const std::string_view text = parts[Part::kContent];
  if (text.empty()) return column < columns_.size() ? Opened::kBroken : Opened::kEmpty;
  describe(parts, record);
  // A quote within quotes stands there twice.
  cell_.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    cell_ += text[i];
    if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') ++i;
  }
  cell_.reserve(cell_.size() + core::kPadding);
  content(cell_, nullptr, record);
  return Opened::kYes;
}

bool is_csv_wrapper(std::string_view head) {
  return Unwrapper(core::TimeReader(), 0).csv_header(head.substr(0, head.find('\n')));
}

}  // namespace orbwatch::decode
