// OneLogin events, as the API gives them and as event webhooks send them: log-ins and their failures.
// Spec: https://developers.onelogin.com/api-docs/1/events/event-resource and .../events/event-types
//
// Two sample records (shortened):
//   {"id":1,"created_at":"2026-11-22T08:00:00.123Z","event_type_id":5,"user_name":"alice","ipaddr":"203.0.113.7",
//   "actor_user_id":7,...}
//   {"event_timestamp":"2026-11-22 08:00:01 UTC","event_type_id":6,"user_name":"bob","ipaddr":"203.0.113.9",
//   "error_description":"...","actor_user_id":8,...}
// Ignored by name: every other type ("event 8").
#include <memory>
#include <string_view>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("onelogin: not JSON");
const Symbol kNoTime = core::intern("onelogin: no time");
const Symbol kNoType = core::intern("onelogin: no event_type_id");
const Symbol kNobody = core::intern("onelogin: neither user nor address");

enum Field : std::uint8_t { kType, kTime, kUser, kAddress, kError, kAgent };

const json::Fields kFields({
    {"event_type_id", kType},
    {"created_at", kTime},
    {"event_timestamp", kTime},
    {"user_name", kUser},
    {"ipaddr", kAddress},
    {"error_description", kError},
    {"user_agent", kAgent},
});

class OneLogin final : public json::TableDecoder {
 public:
  OneLogin() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    return json::has_all(json::products_of(r), json::kEventTypeId | json::kActorUserId);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    const std::string_view type = row[kType];
    if (type.empty()) return Fate::rejected(kNoType);
    if (type != "5" && type != "6") return json::ignored("event", type);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    const bool failed = type == "6";
    put_login(e, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kWeb);
    e.code = core::intern(type);
    set_user(e, row[kUser]);
    json::set_source(e, row[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    json::set_user_agent(e, row[kAgent]);
    if (failed) e.reason = closed_reason(row[kError]);
    return Fate::kept();
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_onelogin(const core::TimeReader&) { return std::make_unique<OneLogin>(); }

}  // namespace orbwatch::decode
