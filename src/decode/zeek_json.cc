// Zeek logs conn, ssl and ssh as JSON, one object a line. As tables: zeek.cc.
// Spec: see zeek_log.h.
//
// A sample record:
//   {"_path":"ssh","ts":"2026-11-20T08:15:30.500000Z","uid":"CAbc2","id.orig_h":"203.0.113.77",...,"auth_success":false,...}
//
// The Kafka plug-in's tagged form, {"conn":{"ts":...}}, names the log in front of the record.
// Ignored by name: every other Zeek log ("zeek dns", "zeek http", ...).
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/zeek_log.h"

namespace orbwatch::decode {
namespace {

using json::Value;
using json::Walk;
using zeek::Log;

const Symbol kNotJson = core::intern("zeek: not JSON");

// The log's name of `{"conn": {"ts":...}}`, empty if the record is not tagged.
std::string_view tag_of(std::string_view message) {
  constexpr std::size_t kLongest = 32;
  if (!core::skip_prefix(message, "{\"")) return {};
  const auto size = message.substr(0, kLongest).find('"');
  if (size == message.npos) return {};
  const std::string_view name = message.substr(0, size);
  message.remove_prefix(size + 1);
  message = core::trim(message);
  if (!core::skip_prefix(message, ":")) return {};
  message = core::trim(message);
  if (!core::skip_prefix(message, "{")) return {};
  message = core::trim(message);
  return message.starts_with("\"ts\"") ? name : std::string_view();
}

class ZeekJson final : public RecordDecoder {
 public:
  explicit ZeekJson(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.message.starts_with("{\"ts\":") && holds_text(r.message.substr(0, 64), ",\"uid\":\"")) return true;
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kTs) == 0) return !tag_of(r.message).empty();
    return (keys & (json::kZeekPath | json::kOrigH | json::kUid | json::kFuid)) != 0;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    zeek::Row row{};
    std::string_view path = tag_of(r.message);
    if (zeek::log_of(path) == Log::kOther) return Fate::ignored(zeek::ignored_name(path));
    if (!path.empty()) {
      json::Object record = object;
      std::size_t members = 0;
      const Walk found = json::each_field(object, [&](std::string_view, const Value& value) {
        if (members++ == 0) record = value;
        return true;
      });
      if (found == Walk::kBroken || members != 1) return Fate::rejected(kNotJson);
      object = record;
    }
    std::string_view hint;  // names the log by a key that only it has, where _path is missing
    bool other = false;
    bool broken = false;
    const Walk walk = json::each_field(object, [&](std::string_view key, Value& value) {
      if (key == "_path") {
        path = json::text(value);
        other = zeek::log_of(path) == Log::kOther;
        return !other;
      }
      const zeek::Field field = zeek::field_of(key);
      if (field != zeek::kIgnored) {
        row[field] = json::text(value);
      } else if (key == "id" && json::is_object(value)) {
        broken |= json::each_field(value, [&](std::string_view k, Value& v) {
                    if (k == "orig_h") row[zeek::kOrigH] = json::text(v);
                    if (k == "orig_p") row[zeek::kOrigP] = json::text(v);
                    if (k == "resp_h") row[zeek::kRespH] = json::text(v);
                    if (k == "resp_p") row[zeek::kRespP] = json::text(v);
                    return true;
                  }) == Walk::kBroken;
      } else if (key == "qtype" || key == "qtype_name" || key == "rcode") {
        hint = "dns";
      } else if (key == "method" || key == "status_code" || key == "user_agent") {
        hint = "http";
      } else if (key == "note") {
        hint = "notice";
      }
      return !broken;
    });
    if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    if (other) return Fate::ignored(zeek::ignored_name(path));
    Log log = zeek::log_of(path);
    if (log == Log::kUnknown) log = zeek::guess(row);
    if (log == Log::kUnknown) return Fate::ignored(zeek::ignored_name(hint));
    return zeek::fill(log, row, times_, e);
  }

 private:
  core::TimeReader times_;
  json::Parser parser_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_zeek_json(const core::TimeReader& times) {
  return std::make_unique<ZeekJson>(times);
}

}  // namespace orbwatch::decode
