#include <CLI/CLI.hpp>
#include <vector>

#include "cli/app.h"

namespace orbwatch::cli {
namespace {

// Text as man(7) may hold it: no control lines by accident, hyphens that can be copied.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

std::string usage(const CLI::App& app, const std::string& name) {
  std::string text = ".B " + roff(name) + "\n";
  std::string rest;
  for (const OptionFacts& o : options_of(app)) {
    if (o.positional)
      rest += (o.required ? " " : " [") + std::string("\\fI") + roff(o.names[0]) + "\\fR" + (o.many ? "..." : "") +
              (o.required ? "" : "]");
  }
  return text + "[\\fIoptions\\fR]" + rest + "\n";
}

void add_options(std::string& out, const CLI::App& app) {
  std::vector<std::string> groups;
  const auto options = options_of(app);
  for (const OptionFacts& o : options) {
    if (!o.positional && std::find(groups.begin(), groups.end(), o.group) == groups.end()) groups.push_back(o.group);
  }
  for (const OptionFacts& o : options) {
    if (o.positional)
      out += ".TP\n\\fI" + roff(o.names[0]) + "\\fR" + (o.many ? " ..." : "") + "\n" + roff(o.says) + ".\n";
  }
  for (const std::string& group : groups) {
    if (groups.size() > 1) out += ".PP\n" + roff(group) + ":\n";
    for (const OptionFacts& o : options) {
      if (o.positional || o.group != group) continue;
      std::string names;
      for (const std::string& name : o.names) names += (names.empty() ? "\\fB" : "\\fR, \\fB") + roff(name);
      out += ".TP\n" + names + "\\fR" + (o.value.empty() ? "" : " \\fI" + roff(o.value) + "\\fR") + "\n" +
             roff(o.says) + ".\n";
      if (!o.choices.empty()) {
        out += "One of";
        for (std::size_t i = 0; i < o.choices.size(); ++i) out += (i == 0 ? " " : ", ") + roff(o.choices[i]);
        out += ".\n";
      }
    }
  }
}

void add_command(std::string& out, const CLI::App& app, const std::string& name) {
  out += ".SS " + roff(name) + "\n" + roff(app.get_description()) + ".\n.PP\n" + usage(app, name);
  add_options(out, app);
  if (const std::string footer = app.get_footer(); !footer.empty()) out += ".PP\n.nf\n" + roff(footer) + "\n.fi\n";
  for (const CLI::App* sub : commands_of(app)) add_command(out, *sub, name + " " + sub->get_name());
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string out =
      ".\\\" Made by `orbwatch man` from the tree of commands. Do not edit.\n"
      ".TH ORBWATCH 1 \"\" \"orbwatch " ORBWATCH_VERSION
      "\" \"User Commands\"\n"
      ".SH NAME\norbwatch \\- find covert networks of hijacked routers in logs\n"
      ".SH SYNOPSIS\n.B orbwatch\n\\fIcommand\\fR [\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\n" +
      roff(app.get_description()) + "\n.SH COMMANDS\n";
  for (const CLI::App* sub : commands_of(app)) add_command(out, *sub, "orbwatch " + sub->get_name());
  out += ".SH OPTIONS\n";
  add_options(out, app);
  out += ".SH EXIT STATUS\n";
  for (const ExitMeaning& e : exit_meanings())
    out += ".TP\n\\fB" + std::to_string(e.code) + "\\fR\n" + roff(e.meaning) + ".\n";
  out +=
      ".SH ENVIRONMENT\n"
      ".TP\n\\fBORBWATCH_NETWORKS\\fR\nThe compiled table of network facts, instead of the default place.\n"
      ".TP\n\\fBXDG_CACHE_HOME\\fR\nThe default place is $XDG_CACHE_HOME/orbwatch/networks.orbnet, else "
      "~/.cache/orbwatch/networks.orbnet.\n"
      ".TP\n\\fBNO_COLOR\\fR\nIf set, no colours.\n"
      ".TP\n\\fBCOLUMNS\\fR\nWidth of the report where standard output is no terminal.\n";
  return out;
}

}  // namespace orbwatch::cli
