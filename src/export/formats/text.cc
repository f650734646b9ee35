// Plain text for a person, as in an e-mail. Control characters and characters that reorder text become "?".
#include <fmt/format.h>

#include <algorithm>

#include "core/display.h"
#include "export/finding_words.h"
#include "export/formats.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;

constexpr std::size_t kWidth = 76;
constexpr std::size_t kIndent = 12;
constexpr std::size_t kMostEvidence = 20;
constexpr std::size_t kMostNames = 20;

class Lines {
 public:
  Lines(std::string& out, std::size_t longest) : out_(out), longest_(longest) {}
  // "Source:     text, wrapped and indented".
  void row(std::string_view label, std::string_view value) {
    if (value.empty()) return;
    std::string head = label.empty() ? std::string() : std::string(label) + ':';
    head.resize(kIndent, ' ');
    const std::string safe = core::terminal_text(one_line(value, longest_), longest_);
    for (const std::string& line : core::wrap_to_width(safe, kWidth - kIndent)) {
      out_ += head + line + '\n';
      head.assign(kIndent, ' ');
    }
  }

 private:
  std::string& out_;
  std::size_t longest_;
};

}  // namespace

std::string render_text(const Finding& f, const RenderOptions& options) {
  std::string out = fmt::format("{}\n\n", title(f));
  Lines lines(out, options.longest_value);
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  lines.row("Severity", fmt::format("{}, score {}{}", name(f.severity), score_text(f),
                                    f.alert ? ", alert" : ", below the alert budget"));
  if (f.time != 0) {
    lines.row("Time", core::rfc3339(f.time) + (f.end > f.time ? " to " + core::rfc3339(f.end) : std::string()));
  }
  if (users.size() == 1) lines.row("User", users[0]);
  if (users.size() > 1) {
    lines.row("Users", fmt::format("{}: {}", std::max<std::uint64_t>(f.user_count, users.size()),
                                   joined({users.begin(), users.begin() + std::min(users.size(), kMostNames)}, 4000)));
  }
  if (sources.size() == 1) {
    const std::string facts = describe(*sources[0], options.longest_value);
    lines.row("Source", sources[0]->ip.text() + (facts.empty() ? "" : ", " + facts));
  }
  if (sources.size() > 1) {
    std::string list = fmt::format("{}: ", std::max<std::uint64_t>(f.source_count, sources.size()));
    for (std::size_t i = 0; i < std::min(sources.size(), kMostNames); ++i)
      list += (i == 0 ? "" : ", ") + sources[i]->ip.text();
    lines.row("Sources", list);
  }
  lines.row("Gateway", f.gateway);
  lines.row("Device", f.device);
  lines.row("Outcome", f.outcome);
  lines.row("Hypothesis", f.hypothesis);
  lines.row("ATT&CK", joined(techniques_of(f), options.longest_value));
  for (std::size_t i = 0; i < std::min(f.evidence.size(), kMostEvidence); ++i) {
    const detect::Evidence& e = f.evidence[i];
    const std::string_view says = e.says.empty() ? e.kind : std::string_view(e.says);
    lines.row(i == 0 ? "Evidence" : "", fmt::format("{:+.1f}  {}", e.llr, says));
  }
  if (f.evidence.size() > kMostEvidence) lines.row("", fmt::format("and {} more", f.evidence.size() - kMostEvidence));
  lines.row("Record", first_record(f, options.longest_value));
  lines.row("Network", f.network);
  lines.row("To do", f.advice);
  lines.row("Finding", f.id);
  return out;
}

}  // namespace orbwatch::exporting
