// Zeek logs conn, ssl and ssh as tab-separated values, with their header. As JSON: zeek_json.cc.
// Spec: https://docs.zeek.org/en/master/log-formats.html, .../logs/conn.html, .../logs/ssl.html, .../logs/ssh.html
// (Zeek 3 to 7).
//
// Two lines of a sample table:
//   #fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	proto	service	duration
//   1763712930.500000	CAbc1	192.0.2.10	50123	198.51.100.5	443	tcp	ssl	12.250000
//
// A table's columns are those of its #fields line; a line of data is claimed only after such a header. Ignored by name:
// header lines and every other Zeek log ("zeek dns", "zeek http", ...).
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/formats.h"
#include "decode/zeek_log.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using zeek::Field;
using zeek::ignored_name;
using zeek::Log;
using zeek::Row;

const Symbol kHeader = core::intern("header");
const Symbol kColumns = core::intern("zeek: another number of fields than the header");

class Zeek final : public RecordDecoder {
 public:
  explicit Zeek(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.raw.starts_with('#')) return is_header(r.raw);
    if (!has_header_) return false;
    // The first column of every log of ours is a number or a masked time; other lines of a mixed input begin otherwise
    // or have no separator.
    if (columns_.size() > 1 && r.raw.find(separator_) == std::string_view::npos) return false;
    if (first_is_time_) {
      const char c = r.raw.empty() ? ' ' : r.raw.front();
      return (c >= '0' && c <= '9') || c == 'X' || c == '-';
    }
    return true;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (r.raw.starts_with('#') && is_header(r.raw)) {
      header(r.raw);
      return Fate::ignored(kHeader);
    }
    return from_table(r.raw, e);
  }

 private:
  static bool is_header(std::string_view line) {
    for (const std::string_view word : {"#separator"sv, "#set_separator"sv, "#empty_field"sv, "#unset_field"sv,
                                        "#path"sv, "#open"sv, "#close"sv, "#fields"sv, "#types"sv}) {
      if (line.starts_with(word) && (line.size() == word.size() || !is_word(line[word.size()]))) return true;
    }
    return false;
  }
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  void header(std::string_view line) {
    if (core::skip_prefix(line, "#separator")) {
      // "#separator \x09" opens a new table; what the last one set is void.
      reset();
      line = core::trim(line);
      if (line.size() == 4 && line.starts_with("\\x")) {
        if (const auto code = core::parse_number<unsigned>(line.substr(2), 16); code && *code != 0) {
          separator_ = static_cast<char>(*code);
        }
      } else if (line.size() == 1) {
        separator_ = line.front();
      }
      return;
    }
    const std::string_view key = core::take_until(line, separator_);
    if (key == "#unset_field") {
      unset_ = line.substr(0, 64);
    } else if (key == "#empty_field") {
      empty_ = line.substr(0, 64);
    } else if (key == "#path") {
      log_ = zeek::log_of(line);
      other_ = ignored_name(line);
    } else if (key == "#fields") {
      columns_.clear();
      first_is_time_ = line.starts_with("ts") && (line.size() == 2 || line[2] == separator_);
      constexpr std::size_t kMostColumns = 1000;
      while (!line.empty() && columns_.size() < kMostColumns)
        columns_.push_back(zeek::field_of(core::take_until(line, separator_)));
      has_header_ = !columns_.empty();
    } else if (key == "#close") {
      reset();
    }
  }

  void reset() {
    separator_ = '\t';
    unset_ = "-";
    empty_ = "(empty)";
    log_ = Log::kUnknown;
    other_ = ignored_name("");
    columns_.clear();
    has_header_ = false;
    first_is_time_ = false;
  }

  Fate from_table(std::string_view line, Event& e) {
    if (log_ == Log::kOther) return Fate::ignored(other_);
    Row row{};
    const char* p = line.data();
    const char* const end = p + line.size();
    std::size_t column = 0;
    for (;; ++column) {
      const auto* stop = static_cast<const char*>(std::memchr(p, separator_, static_cast<std::size_t>(end - p)));
      const std::string_view cell(p, static_cast<std::size_t>((stop == nullptr ? end : stop) - p));
      if (column < columns_.size() && columns_[column] != zeek::kIgnored && cell != unset_ && cell != empty_)
        row[columns_[column]] = cell;
      if (stop == nullptr) break;
      p = stop + 1;
    }
    if (column + 1 != columns_.size()) return Fate::rejected(kColumns);
    const Log log = log_ == Log::kUnknown ? zeek::guess(row) : log_;
    if (log == Log::kUnknown || log == Log::kOther) return Fate::ignored(other_);
    return zeek::fill(log, row, times_, e);
  }

  core::TimeReader times_;

  char separator_ = '\t';
  std::string unset_ = "-";
  std::string empty_ = "(empty)";
  Log log_ = Log::kUnknown;
  Symbol other_ = ignored_name("");
  std::vector<Field> columns_;
  bool has_header_ = false;
  bool first_is_time_ = false;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_zeek(const core::TimeReader& times) { return std::make_unique<Zeek>(times); }

}  // namespace orbwatch::decode
