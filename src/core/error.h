// Expected errors travel as values. An error has three parts: what happened, what was seen, what would be right.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace orbwatch::core {

struct Error {
  std::string message;  // what happened, one line, no full stop
  std::string seen;     // the offending input or state, may be empty
  std::string hint;     // what the user can do, may be empty

  // "message: seen (hint)", one line.
  std::string text() const;
};

template <typename T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string message, std::string seen = {}, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(seen), std::move(hint)});
}

}  // namespace orbwatch::core
