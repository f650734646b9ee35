#include "intel/feed/rows.h"

#include <algorithm>

#include "core/text.h"
#include "intel/feed/stix_pattern.h"
#include "intel/feed/times.h"
#include "intel/indicators.h"

namespace orbwatch::intel {
namespace {

using std::string_view;

// "Valid Until" and "valid_until" are the same.
std::string plain_name(string_view text) {
  std::string out;
  for (const char c : text) {
    const char lower = core::lower_char(c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) out += lower;
  }
  return out;
}

// Names of columns that hold the indicator and what they say of it; the first that is there counts. Names in the plain
// form.
struct ValueName {
  string_view name;
  string_view kind;
};
constexpr std::array kValueNames = {
    ValueName{"pattern", "auto"},
    ValueName{"indicator", "auto"},
    ValueName{"indicatorvalue", "auto"},
    ValueName{"iocvalue", "auto"},
    ValueName{"ioc", "auto"},
    ValueName{"observable", "auto"},
    ValueName{"value", "auto"},
    ValueName{"dstip", "ip"},
    ValueName{"destip", "ip"},
    ValueName{"destinationip", "ip"},
    ValueName{"srcip", "ip"},
    ValueName{"sourceip", "ip"},
    ValueName{"ipaddress", "ip"},
    ValueName{"ip", "ip"},
    ValueName{"ipaddr", "ip"},
    ValueName{"ipv4", "ip"},
    ValueName{"ipv6", "ip"},
    ValueName{"cidr", "ip"},
    ValueName{"prefix", "ip"},
    ValueName{"ipprefix", "ip"},
    ValueName{"network", "auto"},
    ValueName{"netblock", "ip"},
    ValueName{"url", "url"},
    ValueName{"domain", "domain"},
    ValueName{"domainname", "domain"},
    ValueName{"hostname", "domain"},
    ValueName{"host", "domain"},
    ValueName{"fqdn", "domain"},
    ValueName{"asn", "asn"},
    ValueName{"ja3md5", "ja3"},
    ValueName{"ja3", "ja3"},
    ValueName{"ja3fingerprint", "ja3"},
    ValueName{"jarm", "jarm"},
    ValueName{"ja4", "ja4"},
};

struct FieldName {
  string_view name;
  RowField field;
};
// For each field the first name that is there counts.
constexpr std::array kFieldNames = {
    FieldName{"ioctype", RowField::kKind},
    FieldName{"indicatortype", RowField::kKind},
    FieldName{"observabletypes", RowField::kKind},
    FieldName{"observabletype", RowField::kKind},
    FieldName{"kind", RowField::kKind},
    FieldName{"type", RowField::kKind},
    FieldName{"malwareprintable", RowField::kLabel},
    FieldName{"malwarefamily", RowField::kLabel},
    FieldName{"malware", RowField::kLabel},
    FieldName{"campaign", RowField::kLabel},
    FieldName{"activitygroupnames", RowField::kLabel},
    FieldName{"family", RowField::kLabel},
    FieldName{"label", RowField::kLabel},
    FieldName{"listingreason", RowField::kLabel},
    FieldName{"threat", RowField::kLabel},
    FieldName{"threattype", RowField::kLabel},
    FieldName{"context", RowField::kLabel},
    FieldName{"category", RowField::kLabel},
    FieldName{"comment", RowField::kLabel},
    FieldName{"description", RowField::kLabel},
    FieldName{"entity", RowField::kLabel},
    FieldName{"name", RowField::kLabel},
    FieldName{"killchain", RowField::kTags},
    FieldName{"tags", RowField::kTags},
    FieldName{"tag", RowField::kTags},
    FieldName{"tlp", RowField::kTlp},
    FieldName{"trafficlightprotocollevel", RowField::kTlp},
    FieldName{"dstport", RowField::kPort},
    FieldName{"destport", RowField::kPort},
    FieldName{"port", RowField::kPort},
    FieldName{"firstseen", RowField::kFirstSeen},
    FieldName{"firstseenutc", RowField::kFirstSeen},
    FieldName{"dateadded", RowField::kFirstSeen},
    FieldName{"listingdate", RowField::kFirstSeen},
    FieldName{"creationdate", RowField::kFirstSeen},
    FieldName{"timegenerated", RowField::kFirstSeen},
    FieldName{"lastseen", RowField::kLastSeen},
    FieldName{"lastseenutc", RowField::kLastSeen},
    FieldName{"lastonline", RowField::kLastSeen},
    FieldName{"validfrom", RowField::kValidFrom},
    FieldName{"validuntil", RowField::kValidUntil},
    FieldName{"endofvalidity", RowField::kValidUntil},
    FieldName{"expirationdatetime", RowField::kValidUntil},
    FieldName{"expires", RowField::kValidUntil},
    FieldName{"confidence", RowField::kConfidence},
    FieldName{"confidencelevel", RowField::kConfidence},
    FieldName{"confidencescore", RowField::kConfidence},
    FieldName{"modified", RowField::kModified},
    FieldName{"id", RowField::kId},
    FieldName{"iocid", RowField::kId},
    FieldName{"uuid", RowField::kId},
};

int place_of(const std::vector<std::string>& plain, string_view name) {
  const auto at = std::find(plain.begin(), plain.end(), name);
  return at == plain.end() ? -1 : static_cast<int>(at - plain.begin());
}

// Values of a pattern; its alternatives that are refused are left out by name.
ValueVerdict read_pattern(string_view text, FeedRecorder& recorder, std::vector<FeedValue>& values) {
  auto pattern = read_stix_pattern(text, recorder.rules());
  if (!pattern) return {ValueFate::kRejected, "no STIX pattern"};
  if (pattern->values.empty()) {
    return pattern->refused.empty() ? ValueVerdict{ValueFate::kRejected, "no STIX pattern"} : pattern->refused.front();
  }
  for (const ValueVerdict& refused : pattern->refused) recorder.leave_out("alternative: " + refused.reason);
  values = std::move(pattern->values);
  return {};
}

}  // namespace

std::optional<RowLayout> usual_layout(const std::vector<std::string>& names) {
  std::vector<std::string> plain;
  plain.reserve(names.size());
  for (const std::string& name : names) plain.push_back(plain_name(name));
  RowLayout layout;
  for (const auto& [name, kind] : kValueNames) {
    const int at = place_of(plain, name);
    // Everything has a "value"; that of an indicator has a type beside it.
    if (at < 0 || (name == "value" && place_of(plain, "type") < 0 && place_of(plain, "kind") < 0)) continue;
    layout[RowField::kValue] = at;
    layout.value_kind = kind_of_name(kind);
    break;
  }
  if (layout[RowField::kValue] < 0) {
    // abuse.ch's black list of certificates; elsewhere a SHA-1 is one of a file.
    if (const int sha1 = place_of(plain, "sha1"); sha1 >= 0 && place_of(plain, "listingreason") >= 0) {
      layout[RowField::kValue] = sha1;
      layout.value_kind = kind_of_name("certificate");
    } else if (const int name = place_of(plain, "name"); name >= 0 && place_of(plain, "observabletypes") >= 0) {
      layout[RowField::kValue] = name;
      layout.value_kind = kind_of_name("auto");
    } else {
      return std::nullopt;
    }
  }
  for (const auto& [name, field] : kFieldNames) {
    if (layout[field] >= 0) continue;
    const int at = place_of(plain, name);
    if (at >= 0 && at != layout[RowField::kValue]) layout[field] = at;
  }
  return layout;
}

std::array<string_view, kRowFields> mapped_names(const FeedMapping& m) {
  return {m.value,       m.kind,       m.label,    m.port, m.first_seen, m.last_seen, m.valid_from,
          m.valid_until, m.confidence, m.modified, m.tags, m.id,         {}};
}

core::Expected<KindName> kind_of_settings(const FeedSettings& settings) {
  const KindName kind = settings.kind.empty() ? kind_of_name("auto") : kind_of_name(settings.kind);
  if (kind.meaning == KindName::Meaning::kUnknown)
    return core::fail("no kind of indicator", settings.kind,
                      "\"auto\", \"ipv4-addr\", \"domain\", \"asn\", \"ja3\" ...");
  return kind;
}

void take_row(const Row& row, const KindName& of_column, const std::string& place, FeedRecorder& recorder) {
  const string_view text = core::trim(row[RowField::kValue]);
  KindName kind = of_column;
  if (const string_view said = core::trim(row[RowField::kKind]); !said.empty()) {
    const KindName named = kind_of_name(said);
    // A column of addresses may have a type beside it that means something else ("C2").
    const bool known = of_column.meaning == KindName::Meaning::kKind;
    if (named.meaning == KindName::Meaning::kUnknown && !known)
      return recorder.ignore("kind " + core::printable(said, 40));
    if (named.meaning != KindName::Meaning::kAuto && named.meaning != KindName::Meaning::kUnknown) kind = named;
  }
  FeedItem item;
  const auto moment = [&](RowField field, core::Nanoseconds& out) {
    const auto time = field == RowField::kValidUntil ? parse_feed_end(row[field]) : parse_feed_time(row[field]);
    out = time.value_or(0);
    return time.has_value();
  };
  std::vector<FeedValue> values;
  ValueVerdict verdict;
  if (kind.meaning != KindName::Meaning::kIgnored && looks_like_stix_pattern(text)) {
    verdict = read_pattern(text, recorder, values);
  } else {
    verdict = read_value(refang(text), kind, recorder.rules(), values);
  }
  // What is ignored is ignored, whatever its other fields hold.
  if (verdict.fate != ValueFate::kItem) return recorder.finish(verdict, values, item, text, place);
  if (!moment(RowField::kFirstSeen, item.first_seen) || !moment(RowField::kLastSeen, item.last_seen) ||
      !moment(RowField::kValidFrom, item.valid_from) || !moment(RowField::kValidUntil, item.valid_until) ||
      !moment(RowField::kModified, item.modified))
    return recorder.reject("time that cannot be read", text, place);
  const auto confidence = parse_confidence(row[RowField::kConfidence]);
  if (!confidence) return recorder.reject("confidence that is no number from 0 to 100", text, place);
  item.confidence = *confidence;
  if (const string_view port = core::trim(row[RowField::kPort]); !port.empty() && port != "-") {
    const auto number = core::parse_number<std::uint16_t>(port);
    if (!number) return recorder.reject("port that is none", text, place);
    item.port = *number;
  }
  const std::string label = feed_label(row[RowField::kLabel] == "None" ? "" : row[RowField::kLabel]);
  item.label = label;
  FeedTags tags;
  const auto add = [&](string_view tag) {
    if (!tags.add(tag)) recorder.leave_out("tag too long or too many");
  };
  if (const string_view tlp = core::trim(row[RowField::kTlp]); !tlp.empty()) add("tlp:" + core::lower(tlp));
  for (string_view rest = row[RowField::kTags]; !rest.empty();) {
    const string_view tag = core::trim(rest.substr(0, rest.find_first_of(",;")));
    rest = rest.find_first_of(",;") == rest.npos ? string_view{} : rest.substr(rest.find_first_of(",;") + 1);
    if (tag != "None") add(tag);
  }
  for (const string_view tag : row.more_tags) add(tag);
  item.tags = tags.views();
  item.id = core::trim(row[RowField::kId]);
  recorder.finish(verdict, values, item, text, place);
}

}  // namespace orbwatch::intel
