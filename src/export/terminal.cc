#include "export/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/display.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::HuntResult;
using score::Severity;

std::string pad(std::string text, std::size_t columns, bool right = false) {
  const std::size_t width = core::display_width(text);
  if (width >= columns) return text;
  const std::string blanks(columns - width, ' ');
  return right ? blanks + text : text + blanks;
}

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string counted(std::uint64_t value, std::string_view one, std::string_view many) {
  return grouped(value) + " " + std::string(value == 1 ? one : many);
}

// Never "100 %" for what is not certain.
std::string percent(double p) {
  if (!std::isfinite(p)) return "?";
  if (p > 0.9995 && p < 1) return ">99.9 %";
  if (p > 0 && p < 0.0005) return "<0.1 %";
  return fmt::format("{:.1f} %", std::clamp(p, 0.0, 1.0) * 100);
}

std::string time_text(core::Nanoseconds time) {
  std::string text = core::rfc3339(time);
  if (text.size() < 19) return text;
  text.resize(19);
  text[10] = ' ';
  return text;
}

std::string joined(std::initializer_list<std::string> parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string user_text(const Finding& f) {
  if (!f.user.empty()) return core::terminal_text(f.user);
  const std::uint64_t count = std::max<std::uint64_t>(f.user_count, f.users.size());
  if (count == 1 && !f.users.empty()) return core::terminal_text(f.users[0]);
  return count == 0 ? "" : counted(count, "user", "users");
}
std::string source_text(const Finding& f) {
  const std::uint64_t count = std::max<std::uint64_t>(f.source_count, f.sources.size());
  if (count > 1) return counted(count, "source", "sources");
  if (f.source.ip.present()) return f.source.ip.text();
  return count == 1 && !f.sources.empty() ? f.sources[0].ip.text() : "";
}
std::string target_text(const Finding& f) { return core::terminal_text(f.gateway.empty() ? f.device : f.gateway); }

std::string place_text(const Finding& f) {
  const score::SourceFacts& s = f.source;
  return joined({core::terminal_text(s.network_type), core::terminal_text(joined({s.city, s.country}, ", ")),
                 joined({s.asn == 0 ? "" : "AS" + std::to_string(s.asn), core::terminal_text(s.org)}, " ")},
                " · ");
}

constexpr std::string_view kBold = "\x1b[1m", kDim = "\x1b[2m", kRed = "\x1b[31m", kGreen = "\x1b[32m",
                           kYellow = "\x1b[33m", kCyan = "\x1b[36m", kBoldRed = "\x1b[1;31m",
                           kBoldYellow = "\x1b[1;33m", kReset = "\x1b[0m";

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical: return "\x1b[1;97;41m";
    case Severity::kHigh: return kBoldRed;
    case Severity::kMedium: return kBoldYellow;
    case Severity::kLow: return kCyan;
    case Severity::kInformational: return kDim;
  }
  return "";
}

struct Column {
  std::string title;
  std::size_t most;  // columns it may take at all
  std::size_t least;
  bool right;
  std::size_t width = 0;
};
enum { kRank, kScore, kSeverity, kKind, kTime, kUser, kSource, kTarget, kColumns };
using Cells = std::array<std::string, kColumns>;

class Printer {
 public:
  Printer(const HuntResult& result, const TerminalOptions& options)
      : result_(result), options_(options), width_(static_cast<std::size_t>(std::clamp(options.width, 40, 200))) {}

  std::string print() {
    summary();
    findings();
    accounting();
    hypotheses();
    notes();
    return std::move(out_);
  }

 private:
  std::string styled(std::string_view style, std::string text) const {
    if (!options_.colour || style.empty() || text.empty()) return text;
    return std::string(style) + text + std::string(kReset);
  }
  void line(const std::string& text = {}) { out_ += text + "\n"; }
  void heading(const std::string& text) {
    line();
    line(styled(kBold, core::cut_to_width(text, width_)));
  }
  // `first` stands before the first line, blanks of the same width before the others.
  void paragraph(const std::string& first, std::string_view text, std::string_view style = {},
                 std::string_view first_style = {}) {
    const std::size_t indent = core::display_width(first);
    bool start = true;
    for (auto& piece : core::wrap_to_width(text, width_ - std::min(indent, width_ / 2))) {
      line((start ? styled(first_style, first) : std::string(indent, ' ')) + styled(style, std::move(piece)));
      start = false;
    }
  }

  void summary() {
    std::uint64_t alerts = 0;
    for (const Finding& f : result_.findings) alerts += f.alert;
    std::uint64_t suppressed = 0;
    for (const Finding& f : result_.findings) suppressed += f.suppressed_by.id.empty() ? 0 : 1;
    const std::uint64_t below = result_.findings.size() - alerts - suppressed;
    const std::string days =
        result_.first == 0 ? "" : core::date_text(result_.first) + " to " + core::date_text(result_.last);
    const std::string text =
        joined({counted(alerts, "alert", "alerts"), suppressed == 0 ? "" : grouped(suppressed) + " suppressed",
                below == 0 ? "" : counted(below, "finding", "findings") + " below the budget",
                counted(result_.total.events, "event", "events"), days},
               " · ");
    bool start = true;
    for (auto& piece : core::wrap_to_width(text, width_)) {
      line(styled(start ? (alerts > 0 ? kBoldRed : kGreen) : "", std::move(piece)));
      start = false;
    }
  }

  // On a narrow terminal the seconds and long words go first; the details have the whole time.
  bool narrow() const { return width_ < 100; }
  Cells cells(std::size_t rank, const Finding& f) const {
    std::string time = time_text(f.time);
    if (narrow() && time.size() > 16) time.resize(16);
    const bool shorter = narrow() && f.severity == Severity::kInformational;
    return {std::to_string(rank),
            percent(f.score),
            shorter ? "info" : std::string(score::name(f.severity)),
            std::string(detect::name(f.kind)),
            std::move(time),
            user_text(f),
            source_text(f),
            target_text(f)};
  }

  // Widths from what is to be shown; where that is too much, first the names shrink, then whole columns go (they stand
  // below).
  void layout(const std::vector<std::pair<std::size_t, const Finding*>>& shown) {
    // An IPv4 address is never cut: half an address is of no use.
    columns_ = {Column{"#", 6, 1, true},         Column{"Score", 7, 5, true},         Column{"Severity", 13, 8, false},
                Column{"Kind", 8, 4, false},     Column{"Time (UTC)", 19, 16, false}, Column{"User", 40, 8, false},
                Column{"Source", 39, 15, false}, Column{"Gateway", 40, 7, false}};
    for (auto& column : columns_) column.width = core::display_width(column.title);
    for (const auto& [rank, finding] : shown) {
      const Cells row = cells(rank, *finding);
      for (std::size_t i = 0; i < kColumns; ++i) {
        columns_[i].width = std::min(columns_[i].most, std::max(columns_[i].width, core::display_width(row[i])));
      }
    }
    const auto total = [&] {
      std::size_t sum = 0;
      for (const auto& column : columns_) sum += column.width == 0 ? 0 : column.width + 2;
      return sum - 2;
    };
    const auto shrink = [&](std::size_t i) {
      if (total() <= width_ || columns_[i].width <= columns_[i].least) return;
      columns_[i].width -= std::min(columns_[i].width - columns_[i].least, total() - width_);
    };
    // The widest of the three names gives way first.
    while (total() > width_) {
      std::size_t widest = kUser;
      for (const std::size_t i : {kSource, kTarget}) {
        if (columns_[i].width - std::min(columns_[i].width, columns_[i].least) >
            columns_[widest].width - std::min(columns_[widest].width, columns_[widest].least)) {
          widest = i;
        }
      }
      if (columns_[widest].width <= columns_[widest].least) break;
      --columns_[widest].width;
    }
    for (const std::size_t i : {kTarget, kSource, kKind, kTime, kUser}) {
      if (total() > width_) columns_[i].width = 0;
    }
    shrink(kSeverity);
    // A column that went may have left room for the names again.
    for (const std::size_t i : {kUser, kSource, kTarget}) {
      if (columns_[i].width == 0) continue;
      std::size_t wanted = columns_[i].width;
      for (const auto& [rank, finding] : shown)
        wanted = std::max(wanted, core::display_width(cells(rank, *finding)[i]));
      wanted = std::min(wanted, columns_[i].most);
      columns_[i].width += std::min(wanted - columns_[i].width, width_ > total() ? width_ - total() : 0);
    }
  }

  void row(const Cells& row, std::string_view style, Severity severity, bool is_title) {
    std::string text;
    std::string blanks;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const Column& column = columns_[i];
      if (column.width == 0) continue;
      std::string cell = core::cut_to_width(row[i], column.width);
      const std::size_t used = core::display_width(cell);
      const std::string rest(column.width - used, ' ');
      const std::string_view cell_style = !is_title && (i == kSeverity || i == kScore) ? colour_of(severity) : style;
      if (column.right) blanks += rest;
      text += blanks + styled(cell_style, std::move(cell));
      blanks = (column.right ? "" : rest) + "  ";
    }
    line(text);
  }
  void titles() {
    Cells row_of_titles;
    for (std::size_t i = 0; i < kColumns; ++i) row_of_titles[i] = columns_[i].title;
    row(row_of_titles, kDim, Severity::kInformational, true);
  }

  void details(const Finding& f) {
    const std::string indent = width_ < 60 ? "  " : "     ";
    // What had no room in the row.
    const Cells whole = cells(0, f);
    std::string missing;
    for (const std::size_t i : {kKind, kTime, kUser, kSource, kTarget}) {
      const std::string text = i == kTime && narrow() ? time_text(f.time) + " UTC" : whole[i];
      if (text.empty() || (core::display_width(text) <= columns_[i].width)) continue;
      missing += (missing.empty() ? "" : " · ") + text;
    }
    // Of several sources the facts are those of the strongest log-in's.
    const std::string speaks = f.sources.size() > 1 && f.source.ip.present() ? f.source.ip.text() : "";
    const std::string place =
        joined({std::move(missing), speaks, place_text(f), core::terminal_text(f.outcome)}, " · ");
    if (!place.empty()) paragraph(indent, place, kCyan);
    if (!f.source.claims.empty()) paragraph(indent, "network type: " + core::terminal_text(f.source.claims), kDim);
    if (!f.network.empty()) paragraph(indent, "covert network " + core::terminal_text(f.network), kRed);
    if (!f.related.empty()) paragraph(indent, "after a try of the spray " + core::terminal_text(f.related), kRed);
    verdicts(f);
    if (!f.hypothesis.empty())
      paragraph(indent, core::terminal_text(f.hypothesis) + (f.attack.empty() ? "" : " [" + attack(f) + "]"));
    for (const auto& e : f.evidence) {
      const std::string says = e.says.empty() ? std::string(e.kind) : e.says;
      paragraph(indent + pad(std::isfinite(e.llr) ? fmt::format("{:+.1f}", e.llr) : "?", 5, true) + "  ",
                core::terminal_text(says), {}, e.llr < 0 ? kGreen : kYellow);
    }
    steps(f);
    if (!f.records.empty()) {
      const auto& r = f.records.front();
      const std::string place_in_file =
          core::terminal_text(r.file) +
          (r.line != 0 ? ":" + std::to_string(r.line) : " at byte " + std::to_string(r.offset));
      paragraph(indent, place_in_file + (f.records.size() > 1 ? fmt::format(" and {} more", f.records.size() - 1) : ""),
                kDim);
      if (!r.raw.empty()) paragraph(indent + "| ", core::terminal_text(r.raw, 600), kDim, kDim);
    }
    if (!f.advice.empty()) paragraph(indent + "→ ", core::terminal_text(f.advice), kBold, kBold);
  }
  // What happened, where it is more than the one log-in that the row tells.
  void steps(const Finding& f) {
    constexpr std::size_t kMostSteps = 5;
    if (f.timeline.size() < 2 && f.kind == detect::FindingKind::kLogin) return;
    const std::string indent = width_ < 60 ? "  " : "     ";
    const std::size_t shown = std::min(f.timeline.size(), kMostSteps);
    const auto all = std::max<std::uint64_t>(f.timeline_count, f.timeline.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const score::TimelineEntry& step = f.timeline[i];
      const std::string place = joined({core::terminal_text(step.source.network_type),
                                        core::terminal_text(joined({step.source.city, step.source.country}, ", "))},
                                       ", ");
      std::string text = std::string(score::name(step.what));
      if (step.source.ip.present()) text += " from " + step.source.ip.text();
      if (!place.empty()) text += " (" + place + ")";
      if (step.what != score::Step::kLogin || f.kind != detect::FindingKind::kLogin) {
        if (!step.says.empty()) text += ": " + core::terminal_text(step.says);
      }
      const std::string time = time_text(step.time) + "  ";
      if (width_ < 60) {  // an indent of that width would leave no room
        paragraph(indent, time + text);
      } else {
        paragraph(indent + time, text, {}, kDim);
      }
    }
    if (all > shown) paragraph(indent, fmt::format("and {} more steps", all - shown), kDim);
  }
  // "suppressed by 3f2a... (alice, until 2027-02-20): the VPN of a service provider"
  void verdicts(const Finding& f) {
    const std::string indent = width_ < 60 ? "  " : "     ";
    const auto tell = [&](const score::VerdictNote& note, const std::string& what, std::string_view style) {
      if (note.id.empty()) return;
      std::string text =
          fmt::format("{} {} ({}{})", what, core::terminal_text(note.id), core::terminal_text(note.author),
                      note.expires == 0 ? "" : ", until " + core::date_text(note.expires));
      if (!note.reason.empty()) text += ": " + core::terminal_text(note.reason);
      paragraph(indent, text, style);
    };
    tell(f.verdict, "judged " + core::terminal_text(f.verdict.says) + ", verdict", kCyan);
    tell(f.suppressed_by, "suppressed by", kDim);
    tell(f.risen_above, "an alert although suppressed, since its score has risen: verdict", kRed);
  }
  static std::string attack(const Finding& f) {
    std::string out;
    for (const auto& id : f.attack) out += (out.empty() ? "" : " ") + core::terminal_text(id);
    return out;
  }

  void findings() {
    std::vector<std::pair<std::size_t, const Finding*>> alerts, below, suppressed;
    for (std::size_t i = 0; i < result_.findings.size(); ++i) {
      const Finding& f = result_.findings[i];
      (f.alert ? alerts : f.suppressed_by.id.empty() ? below : suppressed).emplace_back(i + 1, &f);
    }
    if (options_.most_below != SIZE_MAX) suppressed.clear();
    const std::size_t shown_alerts = std::min(alerts.size(), options_.most_alerts);
    const std::size_t shown_below = std::min(below.size(), options_.most_below);
    std::vector<std::pair<std::size_t, const Finding*>> shown(
        alerts.begin(), alerts.begin() + static_cast<std::ptrdiff_t>(shown_alerts));
    shown.insert(shown.end(), below.begin(), below.begin() + static_cast<std::ptrdiff_t>(shown_below));
    shown.insert(shown.end(), suppressed.begin(), suppressed.end());
    layout(shown);
    if (shown_alerts > 0) {
      line();
      titles();
      for (std::size_t i = 0; i < shown_alerts; ++i) {
        if (i > 0) line();
        row(cells(alerts[i].first, *alerts[i].second), kBold, alerts[i].second->severity, false);
        details(*alerts[i].second);
      }
      if (shown_alerts < alerts.size()) {
        line();
        line(styled(kDim,
                    core::cut_to_width("and " + counted(alerts.size() - shown_alerts, "more alert", "more alerts") +
                                           ": see --json or --html",
                                       width_)));
      }
    }
    if (!suppressed.empty()) {
      heading("Suppressed by verdicts");
      titles();
      for (const auto& [rank, finding] : suppressed) {
        row(cells(rank, *finding), {}, finding->severity, false);
        verdicts(*finding);
      }
    }
    if (shown_below > 0) {
      heading("Below the alert budget");
      titles();
      for (std::size_t i = 0; i < shown_below; ++i)
        row(cells(below[i].first, *below[i].second), {}, below[i].second->severity, false);
      if (shown_below < below.size())
        line(styled(kDim, core::cut_to_width(
                              "and " + grouped(below.size() - shown_below) + " more: see --json or --html", width_)));
    }
  }

  using Pairs = std::vector<std::pair<std::string, std::uint64_t>>;
  static Pairs sorted(const core::SymbolCounts& counts) {
    Pairs out;
    for (const auto& [symbol, count] : counts) out.emplace_back(core::terminal_text(symbol.text()), count);
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    return out;
  }
  void counts(const char* title, const Pairs& pairs, std::size_t most) {
    if (pairs.empty()) return;
    std::string text;
    for (std::size_t i = 0; i < std::min(pairs.size(), most); ++i) {
      text += (text.empty() ? "" : ", ") + pairs[i].first + " " + grouped(pairs[i].second);
    }
    if (pairs.size() > most) text += fmt::format(", and {} more", pairs.size() - most);
    paragraph(pad(title, 10), text, {}, kDim);
  }

  void accounting() {
    heading("Where every record went");
    const event::Counts& t = result_.total;
    paragraph("", fmt::format("{} read = {} + {} ignored + {} rejected", counted(t.records, "record", "records"),
                              counted(t.events, "event", "events"), grouped(t.ignored), grouped(t.rejected)));
    if (t.records != t.events + t.ignored + t.rejected)
      paragraph("", "The sum is wrong: please report this.", kBoldRed);
    counts("events", sorted(t.events_by), 12);
    counts("ignored", sorted(t.ignored_by), 6);
    counts("rejected", sorted(t.rejected_by), 6);
    std::size_t shown = 0, more = 0;
    for (const auto& in : result_.inputs) {
      if (in.error.empty() && in.recognised && in.counts.rejected == 0) continue;
      if (++shown > 20) {
        ++more;
        continue;
      }
      std::string why;
      if (!in.error.empty()) {
        why = core::terminal_text(in.error);
      } else if (!in.recognised) {
        why = "no format recognised";
      } else {
        why = grouped(in.counts.rejected) + " of " + grouped(in.counts.records) + " rejected";
        if (!in.rejects.empty()) {
          why += fmt::format(", first at line {}: {}", in.rejects[0].line,
                             core::terminal_text(in.rejects[0].reason.text()));
        }
      }
      paragraph(in.error.empty() ? "  " : "! ", core::terminal_text(in.path) + ": " + why,
                in.error.empty() ? kYellow : kRed, kRed);
    }
    if (more > 0) line(styled(kDim, "  and " + counted(more, "more file", "more files")));
  }

  void hypotheses() {
    bool any = false;
    for (const auto& h : result_.hypotheses) {
      if (h.tested) continue;
      if (!any) heading("Could not be tested with this data");
      any = true;
      paragraph("  ", joined({core::terminal_text(h.detector), core::terminal_text(h.why_not)}, ": "), {}, {});
    }
  }
  void notes() {
    if (result_.notes.empty()) return;
    heading("Notes");
    for (const auto& note : result_.notes) paragraph("  ", core::terminal_text(note));
  }

  const HuntResult& result_;
  const TerminalOptions& options_;
  const std::size_t width_;
  std::array<Column, kColumns> columns_;
  std::string out_;
};

}  // namespace

std::string terminal_report(const HuntResult& result, const TerminalOptions& options) {
  return Printer(result, options).print();
}

}  // namespace orbwatch::exporting
