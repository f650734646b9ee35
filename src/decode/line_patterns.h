// Lines of free text that say the same thing, and a regular expression for each such kind of line: what `orbwatch
// format new` proposes where a log is no table.
//
// Lines are cut into words, numbers, addresses, quoted texts and punctuation. Lines with the same sequence of these are
// one kind; words that differ between them are variables, as are all numbers, addresses and values behind a "=".
// Variables are named after the words around them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::decode {

struct LinePattern {
  struct Part {
    std::string literal;     // a text that all lines hold; "" for a variable
    std::string name;        // of a variable: a name for a named group, once in a pattern
    std::string expression;  // of a variable: RE2 syntax, without groups
  };
  static constexpr std::string_view kAddress = "[0-9A-Fa-f.:]+";  // expression of an address
  std::vector<Part> parts;
  std::size_t lines = 0;  // of the sample
  std::string example;    // the first of them

  // RE2 syntax for the whole line; the variables for which `capture` is true become named groups.
  std::string regex(const std::function<bool(const std::string& name)>& capture) const;
};

// The words that tell what happened ("failed to log in") are never variables; where `tells` knows one, the run of
// literal words around it becomes a variable named "what".
// At most `most` patterns, those of the most lines first, and of a pattern at most 30 variables.
std::vector<LinePattern> line_patterns(std::span<const std::string> lines, std::size_t most,
                                       const std::function<bool(std::string_view word)>& tells);

// Do the two words say one thing: "log in", "logged out", "signed in"?
bool is_phrase(std::string_view word, std::string_view next);

}  // namespace orbwatch::decode
