// Kasm Workspaces: log-ins and failures, from the JSON logs of its services (api_server_json.log,
// manager_api_server_json.log and alike).
// Spec: https://www.kasmweb.com/docs/latest/guide/reporting.html (file based logs, metrics)
//
// Three sample records (shortened):
//   {"asctime":"2026-11-22 08:00:00,123","name":"client_api_server","levelname":"INFO","message":"Successful
//   authentication attempt for user: (alice)","metric_name":"account.login.successful","request_ip":"203.0.113.7",...,
//   "timestamp":"2026-11-22T08:00:00.123456+00:00"}
//   {...,"metric_name":"account.login.failed_invalid_user","message":"Authentication attempt invalid user: (bob)",...}
//   {...,"metric_name":"account.login.failed_invalid_password",...}
// Ignored by name: every other metric ("metric provision.create"), records without one ("kasm other message").
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("kasm: not JSON");
const Symbol kNoTime = core::intern("kasm: no time");
const Symbol kNobody = core::intern("kasm: neither user nor address");
const Symbol kOther = core::intern("kasm other message");

enum Field : std::uint8_t { kTime, kMetric, kMessage, kAddress, kAgent, kUser, kHost };

const json::Fields kFields({
    {"timestamp", kTime},
    {"asctime", kTime},
    {"metric_name", kMetric},
    {"message", kMessage},
    {"request_ip", kAddress},
    {"user_agent", kAgent},
    {"username", kUser},
    {"server_hostname", kHost},
});

class Kasm final : public json::TableDecoder {
 public:
  Kasm() : TableDecoder(kFields, kNotJson) {}

  // The names of Python's logging together with one of Kasm's own; services are told by their loggers.
  bool claims(const TextRecord& r) const override {
    if ((json::keys_of(r) & json::kAsctime) == 0 || json::raw_member(r, "levelname").empty()) return false;
    if (!json::raw_member(r, "metric_name").empty() || !json::raw_member(r, "request_ip").empty()) return true;
    const std::string_view logger = json::raw_member(r, "name");
    return logger.starts_with("\"client_api") || logger.starts_with("\"admin_api") ||
           logger.starts_with("\"public_api") || logger.starts_with("\"manager_api") || logger.starts_with("\"kasm");
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    std::string_view metric = row[kMetric];
    if (metric.empty()) return Fate::ignored(kOther);
    if (!core::skip_prefix(metric, "account.login.")) return json::ignored("metric", metric);
    const bool good = metric == "successful";
    if (!good && !core::skip_prefix(metric, "failed")) return json::ignored("metric account.login", metric);
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kWeb);
    e.code = core::intern("account.login");
    core::skip_prefix(metric, "_");
    if (!good) e.reason = closed_reason(metric);
    set_typed_user(e, row[kUser].empty() ? in_parentheses(row[kMessage]) : row[kUser]);
    json::set_source(e, row[kAddress]);
    if (!e.user.present() && !e.source_ip.present()) return Fate::rejected(kNobody);
    json::set_user_agent(e, row[kAgent]);
    e.observer = json::symbol(row[kHost]);
    return Fate::kept();
  }

  // "Authentication attempt invalid user: (NAME)"
  static std::string_view in_parentheses(std::string_view text) {
    const auto open = text.find(": (");
    const auto close = text.rfind(')');
    return open == text.npos || close == text.npos || close < open + 3 ? std::string_view{}
                                                                       : text.substr(open + 3, close - open - 3);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_kasm(const core::TimeReader&) { return std::make_unique<Kasm>(); }

}  // namespace orbwatch::decode
