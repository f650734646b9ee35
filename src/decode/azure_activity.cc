// Azure Activity Log: who called the management interface of a subscription, and from where. As diagnostic settings
// export it, as the REST API and `az monitor activity-log list` give it, and as rows of the table AzureActivity.
// Spec: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema and
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity
//
// Three sample records (shortened):
//   {"time":"2026-11-22T08:00:00Z","resourceId":"/SUBSCRIPTIONS/...","operationName":"MICROSOFT.COMPUTE/.../WRITE","category":
//   "Administrative","resultType":"Success","callerIpAddress":"203.0.113.7","identity":{"claims":{...}},...}
//   {"caller":"alice@corp.example","category":{"value":"Administrative"},"operationName":{"value":"..."},
//   "httpRequest":{"clientIpAddress":"203.0.113.7"},"status":{"value":"Succeeded"},"eventTimestamp":"...",...}
//   {"TimeGenerated":"...","CategoryValue":"Administrative","Caller":"alice@corp.example","CallerIpAddress":"203.0.113.7",
//   "OperationNameValue":"...","ActivityStatusValue":"Success","Type":"AzureActivity",...}
//
// A call shows that somebody who is logged in uses his session from that address; the log-in itself is in the sign-in
// logs of Entra ID. Ignored by name: categories that report no calls ("category ServiceHealth") and calls without an
// address ("category Administrative without address"), which Azure's own services make.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("azure_activity: not JSON");
const Symbol kNoTime = core::intern("azure_activity: no time");
const Symbol kNoCategory = core::intern("azure_activity: no category");
const Symbol kNoCaller = core::intern("azure_activity: no caller");

enum Field : std::uint8_t {
  kTime,
  kCategory,
  kOperation,
  kResult,
  kAddress,
  kTokenAddress,
  kCaller,
  kPrincipalName,
  kClaimedName,
  kApplication,
  kMethods,
  kToken,
  kResource,
  kReason,
};

const json::Fields kFields(
    {
        {"time", kTime},
        {"eventTimestamp", kTime},
        {"TimeGenerated", kTime},
        {"category", kCategory},
        {"category.value", kCategory},
        {"categoryValue", kCategory},
        {"operationName", kOperation},
        {"operationName.value", kOperation},
        {"operationNameValue", kOperation},
        {"resultType", kResult},
        {"status.value", kResult},
        {"activityStatusValue", kResult},
        {"callerIpAddress", kAddress},
        {"httpRequest.clientIpAddress", kAddress},
        {"caller", kCaller},
        {"claims.ipaddr", kTokenAddress},
        {"claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", kPrincipalName},
        {"claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", kClaimedName},
        {"claims.appid", kApplication},
        {"claims.http://schemas.microsoft.com/claims/authnmethodsreferences", kMethods},
        {"claims.uti", kToken},
        {"resourceId", kResource},
        {"subStatus.value", kReason},
        {"activitySubstatusValue", kReason},
        {"properties.statusCode", kReason},
    },
    {"", "identity."});

struct Category {
  std::string_view name;
  bool calls;  // reports calls of the management interface
};

// Before 2019 exports had the kind of the call in place of the category.
constexpr std::array kCategories = {
    Category{"Administrative", true}, Category{"Policy", true},          Category{"Write", true},
    Category{"Delete", true},         Category{"Action", true},          Category{"Security", false},
    Category{"ServiceHealth", false}, Category{"Alert", false},          Category{"Recommendation", false},
    Category{"Autoscale", false},     Category{"ResourceHealth", false},
};

const Category* category_of(std::string_view name) {
  const auto* const found = std::find_if(kCategories.begin(), kCategories.end(),
                                         [&](const Category& row) { return core::equals_ignore_case(row.name, name); });
  return found == kCategories.end() ? nullptr : found;
}

// "/SUBSCRIPTIONS/0f1e2d3c-.../RESOURCEGROUPS/...": the identifier of the subscription.
Symbol subscription(std::string_view resource) {
  static constexpr std::string_view kBefore = "/subscriptions/";
  if (!core::equals_ignore_case(resource.substr(0, kBefore.size()), kBefore)) return {};
  resource.remove_prefix(kBefore.size());
  return lower_symbol(resource.substr(0, resource.find('/')));
}

class AzureActivity final : public json::TableDecoder {
 public:
  AzureActivity() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if ((keys & json::kType) != 0 && json::raw_member(r, "Type").starts_with("\"AzureActivity\"")) return true;
    if (!json::has_all(keys, json::kCategory | json::kOperationName)) return false;
    std::string_view category = json::raw_member(r, "category");
    if (category.starts_with('{')) {
      return json::raw_member(r, "operationName").starts_with('{') && r.message.contains("\"eventTimestamp\"");
    }
    if (!category.starts_with('"')) return false;
    category = category.substr(1, category.substr(1, 32).find('"'));
    return category_of(category) != nullptr && (keys & json::kTime) != 0 && r.message.contains("\"resourceId\"") &&
           r.message.contains("\"resultType\"");
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    if (row[kCategory].empty()) return Fate::rejected(kNoCategory);
    const Category* const category = category_of(row[kCategory]);
    if (category == nullptr || !category->calls) return json::ignored("category", row[kCategory]);
    json::set_source(e, row[row[kAddress].empty() ? kTokenAddress : kAddress]);
    if (!e.source_ip.present()) {
      return category->name == "Administrative" ? json::ignored("category", "Administrative without address")
                                                : json::ignored("category", "without address");
    }
    e.time = json::utc_time(row[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.event_class = Class::kSession;
    e.activity = Activity::kUpdate;
    e.service = Service::kManagement;
    e.code = core::intern(category->name);
    put_result(row[kResult], row[kReason], e);
    put_caller(row, e);
    if (!e.user.present()) return Fate::rejected(kNoCaller);
    e.observer = subscription(row[kResource]);
    e.destination_name = lower_symbol(row[kOperation].substr(0, row[kOperation].find('/')));
    return Fate::kept();
  }

  static void put_result(std::string_view result, std::string_view reason, Event& e) {
    if (result.starts_with("Succe")) e.outcome = Outcome::kSuccess;
    if (!result.starts_with("Fail")) return;
    e.outcome = Outcome::kFailure;
    e.reason = closed_reason(reason);
  }

  static void put_caller(const json::Row& row, Event& e) {
    for (const Field field : {kPrincipalName, kCaller, kClaimedName, kApplication}) {
      set_user(e, row[field]);
      if (e.user.present()) break;
    }
    const std::string_view methods = row[kMethods];
    if (methods.contains("mfa")) e.mfa = Mfa::kYes;
    if (methods.contains("pwd")) e.auth_method = AuthMethod::kPassword;
    // Joins the calls that were made with one token.
    if (!row[kToken].empty()) e.session_id = core::hash64(row[kToken]);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_azure_activity(const core::TimeReader&) {
  return std::make_unique<AzureActivity>();
}

}  // namespace orbwatch::decode
