// The tree of commands, and what else is made from it: completions and the manual page. Made from the one tree they
// cannot drift from what the program takes.
#pragma once

#include <CLI/App.hpp>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::cli {

// The whole of `orbwatch`. Parsing sets `exit_code`, which must outlive the tree.
std::unique_ptr<CLI::App> make_app(int& exit_code);

// What the exit codes mean: --help, the manual page and docs/cli.md say the same.
struct ExitMeaning {
  int code;
  std::string_view meaning;
};
const std::vector<ExitMeaning>& exit_meanings();

// Puts options under one heading of --help and of the manual page.
void group(CLI::App& sub, const std::string& heading, std::initializer_list<const char*> options);
// What an option takes, as --help shows it. FILE and DIR are completed with paths, FORMAT with the names of `orbwatch
// formats`; any other word stands for a free value.
void takes(CLI::App& sub, const std::string& what, std::initializer_list<const char*> options);

// An option or positional of the tree, as completions and manual page need it.
struct OptionFacts {
  std::vector<std::string> names;    // "--quiet", "-q"; of a positional its name alone
  std::string value;                 // "FILE"; "" for a flag
  std::vector<std::string> choices;  // if the value is one of a few words
  std::string says;
  std::string group;
  bool positional = false;
  bool required = false;
  bool many = false;
  bool paths() const { return value == "FILE" || value == "DIR" || value == "PATH"; }
};
std::vector<OptionFacts> options_of(const CLI::App& app);
// Subcommands that --help shows, in its order.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

// A script for "bash", "zsh" or "fish".
std::string completion(const CLI::App& app, std::string_view shell);
// The manual page in section 1, as man(7) macros. Depends on the tree alone.
std::string manual(const CLI::App& app);

}  // namespace orbwatch::cli
