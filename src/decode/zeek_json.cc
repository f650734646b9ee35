// Zeek logs conn, ssl and ssh as JSON, one object a line. As tables: zeek.cc.
// Spec: see zeek_log.h.
//
// A sample record:
//   {"_path":"ssh","ts":"2026-11-20T08:15:30.500000Z","uid":"CAbc2","id.orig_h":"203.0.113.77",...,"auth_success":false,...}
//
// Ignored by name: every other Zeek log ("zeek dns", "zeek http", ...).
#include <memory>
#include <string_view>

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

class ZeekJson final : public RecordDecoder {
 public:
  explicit ZeekJson(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) return false;
    if (r.message.starts_with("{\"ts\":") && holds_text(r.message.substr(0, 64), ",\"uid\":\"")) return true;
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kTs) == 0) return false;
    return (keys & (json::kZeekPath | json::kOrigH | json::kUid | json::kFuid)) != 0;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    json::Object object;
    if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
    zeek::Row row{};
    std::string_view path;
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
