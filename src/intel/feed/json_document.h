// JSON as feeds come in it: one document, or one value a line. Parsed by simdjson; what is not valid JSON, not UTF-8,
// or deeper than kMostFeedDepth is refused as a whole.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/feed/recorder.h"

namespace orbwatch::intel {

class JsonDocument {
 public:
  // `bytes` may go afterwards.
  core::Expected<void> load(std::string_view bytes);

  simdjson::dom::element root() const { return root_; }
  // True: the root is an array of the lines' values.
  bool lines() const { return lines_; }
  // Where the `index`th element of the root stands ("line 7"), or its pointer ("/7").
  std::string place(std::size_t index) const;
  // Counts the lines that hold no value.
  void count_others(FeedRecorder& recorder) const;

 private:
  core::Expected<void> load_lines(std::string_view bytes);

  struct BrokenLine {
    std::uint64_t line;
    std::string begin;
  };
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  bool lines_ = false;
  std::vector<std::uint64_t> line_of_;
  std::vector<BrokenLine> broken_;  // the first of them
  std::uint64_t more_broken_ = 0;
  std::uint64_t empty_ = 0;
};

// The text of a field; empty if it is missing or no text. Views into the document.
std::string_view json_text(const simdjson::dom::object& object, std::string_view key);
// Texts, numbers and truth values as text; nullopt for anything else.
std::optional<std::string> json_scalar(const simdjson::dom::element& value);
std::optional<simdjson::dom::object> json_object(const simdjson::dom::object& object, std::string_view key);
std::optional<simdjson::dom::array> json_array(const simdjson::dom::object& object, std::string_view key);
// true, 1, "1" and "true" are true.
bool json_truth(const simdjson::dom::object& object, std::string_view key, bool otherwise);
// What stands in front of a cut document's beginning: '{', '[' or another sign; '\0' if there is nothing.
char first_sign(std::string_view head);

}  // namespace orbwatch::intel
