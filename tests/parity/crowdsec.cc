// CrowdSec's hub: parser.assert (fields of parsed lines) and scenario.assert (fields of the events behind an alert).
#include <map>

#include "core/text.h"
#include "parity/parity.h"

namespace orbwatch::parity {
namespace {

using Values = std::map<std::string, std::string>;

std::string unquoted(std::string_view text) {
  text = core::trim(text);
  if (text.size() < 2 || (text.front() != '"' && text.front() != '`')) return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// `PREFIX Evt.Meta["source_ip"] == "192.0.2.1"`: values by what stands before the field, then by the field.
std::map<std::string, Values> assertions(const std::string& text, std::string_view stage) {
  std::map<std::string, Values> out;
  for (const std::string& line : lines_of(text)) {
    const auto equal = line.find(" == ");
    if (equal == line.npos || line.find(stage) == line.npos) continue;
    std::string left = line.substr(0, equal);
    const std::string value = unquoted(std::string_view(line).substr(equal + 4));
    for (const auto& [opens, closes] : {std::pair{".Evt.Meta[\"", "\"]"}, std::pair{".Evt.Parsed[\"", "\"]"},
                                        std::pair{".GetMeta(\"", "\")"}, std::pair{".Evt.Enriched[\"", "\"]"}}) {
      const auto at = left.find(opens);
      if (at == left.npos) continue;
      const auto begin = at + std::string_view(opens).size();
      const auto end = left.find(closes, begin);
      const bool parsed = std::string_view(opens).contains("Parsed");
      out[left.substr(0, at)][(parsed ? "parsed." : "") + left.substr(begin, end - begin)] = value;
    }
    if (left.ends_with(".Success")) out[left.substr(0, left.size() - 8)]["success"] = value;
  }
  return out;
}

Record record_of(const Values& values) {
  Record record;
  const auto claim = [&](std::string_view field, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (const auto found = values.find(name); found != values.end() && !found->second.empty()) {
        record.claim(field, found->second);
        return;
      }
    }
  };
  claim("source.ip", {"source_ip"});
  claim("source.port", {"source_port"});
  claim("destination.ip", {"destination_ip", "dest_ip"});
  claim("destination.port", {"destination_port", "dest_port", "dst_port"});
  claim("user.name", {"target_user", "username", "user", "source_user"});
  claim("observer.name", {"machine"});
  if (const auto time = values.find("timestamp"); time != values.end() && time_of(time->second) != 0)
    record.claim("time", time->second);
  if (const auto type = values.find("log_type"); type != values.end()) {
    if (type->second.contains("fail")) record.claim("outcome", "failure");
    if (type->second.contains("success")) record.claim("outcome", "success");
  }
  return record;
}

}  // namespace

void read_crowdsec(const fs::path& data, const Sink& sink) {
  for (const fs::path& config : files_below(data / "logs/crowdsec-hub", "config.yaml")) {
    const fs::path folder = config.parent_path();
    std::string name;
    std::string type;
    for (const std::string& line : lines_of(read_file(config))) {
      if (line.starts_with("log_file: ")) name = unquoted(line.substr(10));
      if (line.starts_with("log_type: ")) type = unquoted(line.substr(10));
    }
    if (!fs::is_regular_file(folder / name)) continue;
    const std::string input = read_file(folder / name);
    Case parsed{.peer = "crowdsec", .file = below(data, folder / name), .input = input};
    const auto lines = lines_of(input);
    std::map<std::string, std::uint32_t> last;  // per parser: lines come in order
    const std::string text = read_file(folder / "parser.assert");
    // Keys sort as text: [10] comes before [2].
    std::vector<std::pair<std::string, Values>> sorted;
    for (auto& entry : assertions(text, "[\"s01-parse\"]")) sorted.push_back(entry);
    const auto index = [](const std::string& key) {
      return core::parse_number<int>(
                 core::between(key, "\"][\"", "").value_or("").contains("][")
                     ? std::string_view(key).substr(key.rfind('[') + 1, key.size() - key.rfind('[') - 2)
                     : std::string_view())
          .value_or(0);
    };
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const auto& a, const auto& b) { return index(a.first) < index(b.first); });
    for (const auto& [key, values] : sorted) {
      const auto success = values.find("success");
      const auto message = values.find("parsed.message");
      if (success == values.end() || success->second != "true" || message == values.end()) continue;
      Record record = record_of(values);
      if (record.claims.empty()) continue;
      std::uint32_t& from = last[key.substr(0, key.rfind('['))];
      for (std::uint32_t i = from; i < lines.size(); ++i) {
        if (lines[i].find(message->second) == std::string::npos) continue;
        record.line = i + 1;
        from = i + 1;
        break;
      }
      if (record.line == 0) continue;
      record.place = "line " + std::to_string(record.line);
      parsed.records.push_back(std::move(record));
    }
    if (!parsed.records.empty()) sink(std::move(parsed));

    Case alerts{.peer = "crowdsec", .file = below(data, folder / name), .input = input, .pairing = Pairing::kFind};
    for (const auto& [key, values] : assertions(read_file(folder / "scenario.assert"), ".Events[")) {
      Record record = record_of(values);
      if (record.claims.empty()) continue;
      record.place = "alert " + key.substr(0, key.find('.')) + key.substr(key.rfind('['));
      for (const Claim& claim : record.claims) {
        if (claim.field == "time") alerts.reference = std::max(alerts.reference, time_of(claim.values[0]));
      }
      alerts.records.push_back(std::move(record));
    }
    if (!alerts.records.empty()) sink(std::move(alerts));
  }
}

}  // namespace orbwatch::parity
