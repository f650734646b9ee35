#include "intel/feed/json_document.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace orbwatch::intel {

namespace dom = simdjson::dom;
using std::string_view;

namespace {

// Fixes capacity and depth before the parser would choose them itself.
bool parse(dom::parser& parser, string_view bytes, dom::element& out, simdjson::error_code& error) {
  const std::size_t capacity = std::max<std::size_t>(bytes.size(), 1024);
  if (parser.capacity() < capacity || parser.max_depth() != kMostFeedDepth) {
    error = parser.allocate(capacity, kMostFeedDepth);
    if (error != simdjson::SUCCESS) return false;
  }
  error = parser.parse(bytes.data(), bytes.size()).get(out);
  return error == simdjson::SUCCESS;
}

}  // namespace

core::Expected<void> JsonDocument::load(string_view bytes) {
  if (bytes.size() > kMostFeedJsonBytes)
    return core::fail("JSON feed too large", fmt::format("{} bytes", bytes.size()),
                      fmt::format("at most {}", kMostFeedJsonBytes));
  core::skip_prefix(bytes, "\xef\xbb\xbf");
  if (core::trim(bytes).empty()) return core::fail("empty JSON feed");
  simdjson::error_code error = simdjson::SUCCESS;
  if (parse(parser_, bytes, root_, error)) return {};
  // A value a line? Then the first line is one, and there is more behind it.
  string_view rest = bytes;
  string_view first;
  while (!rest.empty() && first.empty()) first = core::trim(core::take_until(rest, '\n'));
  if (!core::trim(rest).empty() && (first.starts_with('{') || first.starts_with('['))) {
    dom::parser probe;
    dom::element value;
    simdjson::error_code wrong = simdjson::SUCCESS;
    if (parse(probe, first, value, wrong)) return load_lines(bytes);
  }
  return core::fail("no valid JSON", simdjson::error_message(error), "is the file whole?");
}

core::Expected<void> JsonDocument::load_lines(string_view bytes) {
  lines_ = true;
  dom::parser line_parser;
  std::string joined = "[";
  joined.reserve(bytes.size() + 2);
  for (std::uint64_t number = 1; !bytes.empty(); ++number) {
    const string_view line = core::trim(core::take_until(bytes, '\n'));
    if (line.empty()) {
      ++empty_;
      continue;
    }
    dom::element value;
    simdjson::error_code error = simdjson::SUCCESS;
    if (!parse(line_parser, line, value, error)) {
      if (broken_.size() < kMostFeedRejectionsShown) {
        broken_.push_back({number, std::string(line.substr(0, 100))});
      } else {
        ++more_broken_;
      }
      continue;
    }
    if (joined.size() > 1) joined += ',';
    joined += line;
    line_of_.push_back(number);
  }
  joined += ']';
  simdjson::error_code error = simdjson::SUCCESS;
  if (!parse(parser_, joined, root_, error)) return core::fail("no valid JSON", simdjson::error_message(error));
  return {};
}

std::string JsonDocument::place(std::size_t index) const {
  return lines_ && index < line_of_.size() ? line_place(line_of_[index]) : "/" + std::to_string(index);
}

void JsonDocument::count_others(FeedRecorder& recorder) const {
  if (empty_ > 0) recorder.ignore("empty line", empty_);
  for (const BrokenLine& line : broken_) recorder.reject("no valid JSON", line.begin, line_place(line.line));
  recorder.reject("no valid JSON", "", "", more_broken_);
}

string_view json_text(const dom::object& object, string_view key) {
  string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : string_view{};
}

std::optional<std::string> json_scalar(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::STRING: return std::string(string_view(value.get_string().value_unsafe()));
    case dom::element_type::INT64: return std::to_string(value.get_int64().value_unsafe());
    case dom::element_type::UINT64: return std::to_string(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE: return fmt::format("{}", value.get_double().value_unsafe());
    case dom::element_type::BOOL: return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
}

std::optional<dom::object> json_object(const dom::object& object, string_view key) {
  dom::object out;
  if (object[key].get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::optional<dom::array> json_array(const dom::object& object, string_view key) {
  dom::array out;
  if (object[key].get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

bool json_truth(const dom::object& object, string_view key, bool otherwise) {
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return otherwise;
  const auto text = json_scalar(value);
  if (!text) return otherwise;
  return *text == "1" || core::equals_ignore_case(*text, "true");
}

char first_sign(string_view head) {
  core::skip_prefix(head, "\xef\xbb\xbf");
  head = core::trim(head);
  return head.empty() ? '\0' : head.front();
}

}  // namespace orbwatch::intel
