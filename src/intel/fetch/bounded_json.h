// JSON from a server that may mean harm: nesting is bounded, what is no JSON is an error.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace orbwatch::intel {

constexpr std::size_t kDeepestJson = 64;

// The document lives in the parser until its next use. what: whose JSON it is, for the error.
inline core::Expected<simdjson::dom::element> parse_bounded_json(simdjson::dom::parser& parser, std::string_view bytes,
                                                                 const std::string& what) {
  simdjson::dom::element root;
  simdjson::error_code error = parser.allocate(bytes.size() + core::kPadding, kDeepestJson);
  if (error == simdjson::SUCCESS) error = parser.parse(bytes.data(), bytes.size()).get(root);
  if (error != simdjson::SUCCESS) return core::fail(what + " is no JSON", simdjson::error_message(error));
  return root;
}

// The string of that name in an object; "" if there is none.
inline std::string_view json_text(const simdjson::dom::element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

}  // namespace orbwatch::intel
