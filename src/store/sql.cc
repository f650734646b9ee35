#include "store/sql.h"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "core/display.h"
#include "core/text.h"
#include "store/store.h"

namespace orbwatch::store {
namespace {

using Write = std::function<bool(std::string_view)>;
using Values = std::span<const std::optional<std::string_view>>;

class CsvSink : public RowSink {
 public:
  explicit CsvSink(const Write& write) : write_(write) {}
  void columns(std::span<const std::string> names, std::span<const ColumnType>) override {
    for (std::size_t i = 0; i < names.size(); ++i) field(i, names[i]);
    open_ = write_(line_ += '\n');
    line_.clear();
  }
  bool row(Values values) override {
    ++rows;
    for (std::size_t i = 0; i < values.size(); ++i) field(i, values[i]);
    open_ = open_ && write_(line_ += '\n');
    line_.clear();
    return open_;
  }
  std::uint64_t rows = 0;

 private:
  void field(std::size_t i, std::optional<std::string_view> value) {
    if (i > 0) line_ += ',';
    if (!value) return;
    if (!value->empty() && value->find_first_of(",\"\r\n") == value->npos) {
      line_ += *value;
      return;
    }
    line_ += '"';
    for (const char c : *value) line_ += c == '"' ? "\"\"" : std::string_view(&c, 1);
    line_ += '"';
  }
  const Write& write_;
  std::string line_;
  bool open_ = true;
};

class JsonSink : public RowSink {
 public:
  explicit JsonSink(const Write& write) : write_(write) {}
  void columns(std::span<const std::string> names, std::span<const ColumnType> types) override {
    for (const auto& name : names) {
      keys_.emplace_back(keys_.empty() ? "{" : ",");
      core::append_json_string(keys_.back(), name);
      keys_.back() += ':';
    }
    types_.assign(types.begin(), types.end());
  }
  bool row(Values values) override {
    ++rows;
    line_.clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      line_ += keys_[i];
      if (!values[i]) {
        line_ += "null";
      } else if (types_[i] == ColumnType::kText || (types_[i] == ColumnType::kNumber && !is_json_number(*values[i]))) {
        core::append_json_string(line_, *values[i]);
      } else {
        line_ += *values[i];
      }
    }
    line_ += values.empty() ? "{}\n" : "}\n";
    return write_(line_);
  }
  std::uint64_t rows = 0;

 private:
  // DuckDB and to_chars write digits, "-", "." and "e"; what else they write ("inf", "nan") starts or goes on with
  // other letters.
  static bool is_json_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789+-.e") == text.npos && text.front() != '.';
  }
  const Write& write_;
  std::vector<std::string> keys_;
  std::vector<ColumnType> types_;
  std::string line_;
};

class TableSink : public RowSink {
 public:
  TableSink(const Write& write, int width) : write_(write), width_(width <= 0 ? 0 : static_cast<std::size_t>(width)) {}
  void columns(std::span<const std::string> names, std::span<const ColumnType> types) override {
    for (std::size_t i = 0; i < names.size(); ++i) {
      names_.push_back(core::terminal_text(names[i], 200));
      right_.push_back(types[i] == ColumnType::kNumber);
      widths_.push_back(core::display_width(names_.back()));
    }
  }
  bool row(Values values) override {
    ++rows;
    std::vector<std::string> cells;
    for (const auto& value : values) cells.push_back(value ? core::terminal_text(*value, 2000) : "-");
    if (measured_) return print(cells);
    held_.push_back(std::move(cells));
    return held_.size() < kMeasuredRows || measure();
  }
  bool finish() { return measured_ || measure(); }
  std::uint64_t rows = 0;

 private:
  bool measure() {
    measured_ = true;
    for (const auto& cells : held_) {
      for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], core::display_width(cells[i]));
    }
    // The widest text column gives way, down to eight columns each; beyond that lines are longer than the terminal.
    const auto total = [&] {
      std::size_t sum = 0;
      for (const auto w : widths_) sum += w + 2;
      return sum < 2 ? 0 : sum - 2;
    };
    while (width_ != 0 && total() > width_) {
      const auto widest = std::max_element(widths_.begin(), widths_.end());
      if (*widest <= 8) break;
      const auto second = std::max<std::size_t>(8, second_widest(static_cast<std::size_t>(widest - widths_.begin())));
      *widest -= std::min(total() - width_, std::max<std::size_t>(1, *widest - std::min(second, *widest)));
    }
    std::vector<std::string> rules;
    for (const auto w : widths_) {
      std::string rule;
      for (std::size_t i = 0; i < w; ++i) rule += "─";
      rules.push_back(std::move(rule));
    }
    if (names_.empty()) return true;
    bool open = print(names_) && print(rules);
    for (const auto& cells : held_) open = open && print(cells);
    held_.clear();
    return open;
  }
  std::size_t second_widest(std::size_t but) const {
    std::size_t most = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      if (i != but) most = std::max(most, widths_[i]);
    }
    return most;
  }
  bool print(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = core::cut_to_width(cells[i], widths_[i]);
      const std::string blanks(widths_[i] - std::min(widths_[i], core::display_width(cell)), ' ');
      if (i > 0) line += "  ";
      line += right_[i] ? blanks + cell : cell + blanks;
    }
    while (line.ends_with(' ')) line.pop_back();
    return write_(line += '\n');
  }
  const Write& write_;
  std::size_t width_;
  std::vector<std::string> names_;
  std::vector<bool> right_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> held_;
  bool measured_ = false;
};

}  // namespace

core::Expected<std::uint64_t> sql(const std::string& path, const std::string& statement, SqlFormat format, int width,
                                  const Write& write) {
  const auto run = [&](auto& sink) -> core::Expected<std::uint64_t> {
    if (auto done = query(path, statement, sink); !done) return std::unexpected(done.error());
    return sink.rows;
  };
  if (format == SqlFormat::kCsv) {
    CsvSink sink(write);
    return run(sink);
  }
  if (format == SqlFormat::kJson) {
    JsonSink sink(write);
    return run(sink);
  }
  TableSink sink(write, width);
  auto rows = run(sink);
  if (rows) sink.finish();
  return rows;
}

}  // namespace orbwatch::store
