// loghub: the lines of an OpenSSH server with the template of each. What a template leaves open is the value.
#include "core/text.h"
#include "parity/parity.h"

namespace orbwatch::parity {
namespace {

// The columns of one CSV line.
std::vector<std::string> columns(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        out.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += line[i];
    }
  }
  return out;
}

// What stands for each <*>, with the words of the template before it.
std::vector<std::pair<std::string, std::string>> open_parts(std::string_view text, std::string_view pattern) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!pattern.empty()) {
    const auto at = pattern.find("<*>");
    const std::string before(pattern.substr(0, at));
    if (!text.starts_with(before)) return {};
    text.remove_prefix(before.size());
    if (at == pattern.npos) break;
    pattern.remove_prefix(at + 3);
    const std::string_view next = pattern.substr(0, pattern.find("<*>"));
    const auto end = next.empty() ? text.size() : text.find(next);
    if (end == text.npos) return {};
    out.emplace_back(before, text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

}  // namespace

void read_loghub(const fs::path& data, const Sink& sink) {
  const fs::path log = data / "auth/loghub/OpenSSH_2k.log";
  if (!fs::is_regular_file(log)) return;
  Case c{.peer = "loghub", .file = below(data, log), .input = read_file(log)};
  for (const std::string& line : lines_of(read_file(log.string() + "_structured.csv"))) {
    const auto row = columns(line);  // LineId,Date,Day,Time,Component,Pid,Content,EventId,EventTemplate
    const auto number = row.size() == 9 ? core::parse_number<std::uint32_t>(row[0]) : std::nullopt;
    if (!number) continue;
    Record record{.place = "line " + row[0], .line = *number};
    record.claim("observer.name", row[4]);
    record.claim("session_id", row[5]);
    for (const auto& [before, value] : open_parts(row[6], row[8])) {
      if (before.ends_with("from ") || before.ends_with("rhost=") || before == "Connection closed by ") {
        record.claim("source.ip", value);
      } else if (before.ends_with(" port ")) {
        record.claim("source.port", value.substr(0, value.find(' ')));
      } else if (before.ends_with("user ") || before == "Accepted password for " || before == "Failed password for ") {
        record.claim("user.name", value);
      }
    }
    if (row[6].starts_with("Failed ")) record.claim("outcome", "failure");
    if (row[6].starts_with("Accepted ")) record.claim("outcome", "success");
    c.records.push_back(std::move(record));
  }
  sink(std::move(c));
}

}  // namespace orbwatch::parity
