// Expected errors travel as values. An error has three parts: what happened, what was seen, what would be right.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace orbwatch::core {

// Whose fault it is; the commands choose their exit code by it.
enum class ErrorKind : unsigned char { kInput, kOutput };

struct Error {
  std::string message;  // what happened, one line, no full stop
  std::string seen;     // the offending input or state, may be empty
  std::string hint;     // what the user can do, may be empty
  ErrorKind kind = ErrorKind::kInput;

  // "message: seen (hint)", one line.
  std::string text() const;
};

template <typename T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string message, std::string seen = {}, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(seen), std::move(hint), ErrorKind::kInput});
}

}  // namespace orbwatch::core
