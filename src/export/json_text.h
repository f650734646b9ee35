// Writes one JSON document member by member. Members whose value is unknown (empty, zero) and objects and lists that
// stayed empty are left out; texts are cut to `longest` bytes. The result is valid whatever the texts hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "export/finding_words.h"

namespace orbwatch::exporting {

class JsonText {
 public:
  explicit JsonText(std::size_t longest) : longest_(longest) { out_ = "{"; }

  // An object or a list: as a member, or (without key) in a list. Each open needs its close().
  void open(std::string_view key = {}) { begin(key, '{'); }
  void open_list(std::string_view key) { begin(key, '['); }
  void close() {
    const Open last = open_.back();
    open_.pop_back();
    if (out_.size() == last.inside) {
      out_.resize(last.before);
    } else {
      out_ += last.bracket == '{' ? '}' : ']';
    }
  }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    name(key);
    core::append_json_string(out_, bounded_utf8(value, longest_));
  }
  void item(std::string_view value) { text({}, value); }
  void texts(std::string_view key, const std::vector<std::string_view>& values) {
    open_list(key);
    for (const std::string_view value : values) item(value);
    close();
  }
  void count(std::string_view key, std::uint64_t value) {
    if (value != 0) number(key, std::to_string(value));
  }
  // Digits as JSON wants them, zero too.
  void number(std::string_view key, std::string_view digits) {
    name(key);
    out_ += digits;
  }
  void flag(std::string_view key, bool value) { number(key, value ? "true" : "false"); }

  // Closes the document.
  std::string take() {
    out_ += '}';
    return std::move(out_);
  }

 private:
  struct Open {
    std::size_t before;
    std::size_t inside;
    char bracket;
  };
  void name(std::string_view key) {
    if (const char last = out_.back(); last != '{' && last != '[') out_ += ',';
    if (key.empty()) return;
    core::append_json_string(out_, key);
    out_ += ':';
  }
  void begin(std::string_view key, char bracket) {
    const std::size_t before = out_.size();
    name(key);
    out_ += bracket;
    open_.push_back({before, out_.size(), bracket});
  }

  std::string out_;
  std::size_t longest_;
  std::vector<Open> open_;
};

}  // namespace orbwatch::exporting
