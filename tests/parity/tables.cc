#include "parity/tables.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "core/text.h"

namespace orbwatch::parity {
namespace {

// The value of a key that may be missing; every key of `row` must be one of `keys`.
core::Expected<std::map<std::string, std::string>> row_of(const YAML::Node& row, const std::set<std::string>& keys) {
  std::map<std::string, std::string> out;
  for (const auto& pair : row) {
    const auto key = pair.first.as<std::string>();
    if (!keys.contains(key)) return core::fail("unknown key", key, "");
    out[key] = pair.second.as<std::string>();
  }
  return out;
}

}  // namespace

const Input* Inputs::of(const std::string& file) const {
  for (const Input& row : rows) {
    if (!glob(row.files, file)) continue;
    ++row.used;
    return &row;
  }
  return nullptr;
}

bool has_decoder(const std::string& format) {
  const auto named = [&](const auto& f) { return f.name == format; };
  const auto text = decode::record_formats();
  const auto binary = decode::binary_formats();
  return std::any_of(text.begin(), text.end(), named) || std::any_of(binary.begin(), binary.end(), named);
}

core::Expected<Inputs> read_inputs(const fs::path& file) {
  Inputs out;
  try {
    const YAML::Node root = YAML::LoadFile(file.string());
    for (const auto& node : root["files"]) {
      auto row = row_of(node, {"files", "format", "expects", "none", "holds", "envelope"});
      if (!row) return std::unexpected(row.error());
      auto& r = *row;
      out.rows.push_back({.files = r["files"],
                          .format = r["format"],
                          .expects = r["expects"],
                          .none = r["none"],
                          .holds = r["holds"],
                          .envelope = r["envelope"]});
      const bool read = !r["format"].empty() || !r["expects"].empty();
      if (read == !r["none"].empty()) return core::fail("a row needs format or expects, or none", r["files"], "");
    }
  } catch (const YAML::Exception& e) {
    return core::fail(e.what(), file.string(), "");
  }
  return out;
}

bool Explanation::fits(const Difference& d) const {
  return glob(peer, d.peer) && glob(format, d.format) && glob(field, d.field) && glob(file, d.file) &&
         glob(ours, d.ours) && glob(theirs, d.theirs);
}

core::Expected<Known> read_known(const fs::path& file) {
  Known out;
  try {
    const YAML::Node root = YAML::LoadFile(file.string());
    for (const auto& node : root["differences"]) {
      auto row = row_of(node, {"peer", "format", "field", "file", "ours", "theirs", "reason"});
      if (!row) return std::unexpected(row.error());
      auto& r = *row;
      if (r["reason"].empty()) return core::fail("an explanation without a reason", r["field"], "");
      if (r["format"].empty() || r["field"].empty())
        return core::fail("an explanation needs a format and a field", r["reason"], "");
      out.explanations.push_back({r["peer"], r["format"], r["field"], r["file"], r["ours"], r["theirs"], r["reason"]});
    }
    for (const auto& node : root["exceptions"]) {
      auto row = row_of(node, {"format", "equal", "reason"});
      if (!row) return std::unexpected(row.error());
      auto& r = *row;
      if (r["reason"].empty()) return core::fail("an exception without a reason", r["format"], "");
      out.exceptions.push_back({r["format"], std::stod(r["equal"]), r["reason"]});
    }
  } catch (const std::exception& e) {
    return core::fail(e.what(), file.string(), "");
  }
  return out;
}

std::string record_of_event(element event) {
  const auto text = text_at(event, "message");
  return text && text->starts_with('{') ? *text : simdjson::minify(event);
}

std::string records_in(const fs::path& file, const std::string& holds) {
  std::string text = read_file(file);
  if (holds.empty()) return text;
  simdjson::dom::parser parser;
  element whole;
  std::string out;
  if (holds == "sekoia") {
    if (parser.parse(simdjson::padded_string(text)).get(whole) == simdjson::SUCCESS)
      out = text_at(whole, "input.message").value_or("") + "\n";
  } else if (std::string_view key = holds; core::skip_prefix(key, "jsonl ")) {
    for (const std::string& line : lines_of(text)) {
      if (parser.parse(simdjson::padded_string(line)).get(whole) != simdjson::SUCCESS) continue;
      element value;
      if (whole.at_key(key).get(value) != simdjson::SUCCESS) continue;
      out += (value.is_object() ? simdjson::minify(value) : text_at(whole, key).value_or("")) + "\n";
    }
  } else if (holds == "events") {
    if (parser.parse(simdjson::padded_string(text)).get(whole) != simdjson::SUCCESS) return out;
    for (const element event : items_of(whole["events"].get_array())) out += record_of_event(event) + "\n";
  } else if (holds == "ini") {
    for (const std::string& line : lines_of(text)) {
      const auto equal = line.find('=');
      if (!line.starts_with("log ") || equal == line.npos) continue;
      std::string_view record = core::trim(std::string_view(line).substr(equal + 1));
      if (record.starts_with("%%")) record.remove_prefix(1);  // as the peer's configuration files escape it
      out += std::string(record) + "\n";
    }
  } else if (holds == "fail2ban") {
    for (const std::string& line : lines_of(text)) {
      if (!line.empty() && !line.starts_with('#')) out += line + "\n";
    }
  }
  return out;
}

}  // namespace orbwatch::parity
