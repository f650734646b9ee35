// `orbwatch completion SHELL` and the hidden `orbwatch man`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace orbwatch::cli {
namespace {

// Visits a command and all below it; `path` is "/hunt", "/intel/build", "" for the program itself.
void walk(const CLI::App& app, const std::string& path,
          const std::function<void(const CLI::App&, const std::string&)>& visit) {
  visit(app, path);
  for (const CLI::App* sub : commands_of(app)) walk(*sub, path + "/" + sub->get_name(), visit);
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

// 'text' with a shell's single quotes.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash(const CLI::App& root) {
  std::vector<std::string> paths;
  std::string values;
  std::string options;
  std::string words;
  walk(root, "", [&](const CLI::App& app, const std::string& path) {
    if (!path.empty()) paths.push_back(path);
    std::vector<std::string> names;
    std::vector<std::string> commands;
    for (const CLI::App* sub : commands_of(app)) commands.push_back(sub->get_name());
    bool files = false;
    for (const OptionFacts& o : options_of(app)) {
      if (o.positional) {
        files |= o.paths();
        commands.insert(commands.end(), o.choices.begin(), o.choices.end());
        continue;
      }
      names.insert(names.end(), o.names.begin(), o.names.end());
      if (o.value.empty()) continue;
      std::vector<std::string> patterns;
      patterns.reserve(o.names.size());
      for (const std::string& name : o.names) {
        patterns.push_back(shell_quoted(fmt::format("{} {}", path, name)));
      }
      std::string action = "return";
      if (o.paths()) {
        action = o.value == "DIR" ? "_orbwatch_paths -d; return" : "_orbwatch_paths -f; return";
      } else if (!o.choices.empty()) {
        action =
            "mapfile -t COMPREPLY < <(compgen -W " + shell_quoted(joined(o.choices, " ")) + " -- \"$word\"); return";
      }
      values += "    " + joined(patterns, "|") + ") " + action + " ;;\n";
    }
    options += "      " + shell_quoted(path) + ") names=" + shell_quoted(joined(names, " ")) + " ;;\n";
    if (files) {
      words += "      " + shell_quoted(path) + ") _orbwatch_paths -f; return ;;\n";
    } else {
      words += "      " + shell_quoted(path) + ") names=" + shell_quoted(joined(commands, " ")) + " ;;\n";
    }
  });
  return "# bash completion of orbwatch, made by `orbwatch completion bash`.\n"
         "_orbwatch_paths() {\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$word\")\n"
         "}\n"
         "_orbwatch() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path='' names='' i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$path/${COMP_WORDS[i]}\" in\n"
         "      " +
         joined(paths, "|") +
         ") path=$path/${COMP_WORDS[i]} ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path $before\" in\n" +
         values +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    case $path in\n" +
         options +
         "    esac\n"
         "  else\n"
         "    case $path in\n" +
         words +
         "    esac\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$word\")\n"
         "}\n"
         "complete -F _orbwatch orbwatch\n";
}

// What zsh's _arguments would read as syntax.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh(const CLI::App& root) {
  std::string functions;
  walk(root, "", [&](const CLI::App& app, const std::string& path) {
    std::string name = "_orbwatch";
    for (const char c : path) name += c == '/' ? std::string("__") : std::string(1, c);
    const auto commands = commands_of(app);
    functions += name + "() {\n";
    if (!commands.empty()) {
      functions += "  local line state\n  local -a commands=(\n";
      for (const CLI::App* sub : commands) {
        functions += "    " + shell_quoted(zsh_text(sub->get_name()) + ":" + sub->get_description()) + "\n";
      }
      functions += "  )\n";
    }
    functions += commands.empty() ? "  _arguments -s" : "  _arguments -C";
    std::size_t place = 1;
    for (const OptionFacts& o : options_of(app)) {
      std::string action;
      if (!o.value.empty() || o.positional) {
        action = ":" + zsh_text(o.value.empty() ? "value" : o.value) + ":";
        if (o.value == "DIR") {
          action += "_files -/";
        } else if (o.paths()) {
          action += "_files";
        } else if (!o.choices.empty()) {
          action += "(" + joined(o.choices, " ") + ")";
        }
      }
      if (o.positional) {
        functions += " \\\n    " + shell_quoted((o.many ? "*" : std::to_string(place++)) + action);
        continue;
      }
      for (const std::string& option : o.names) {
        functions +=
            " \\\n    " + shell_quoted(fmt::format("{}{}[{}]{}", o.many ? "*" : "", option, zsh_text(o.says), action));
      }
    }
    if (!commands.empty()) {
      functions +=
          " \\\n    '1: :->command' '*:: :->rest'\n  case $state in\n    command) _describe command commands ;;\n    "
          "rest)\n      case $line[1] in\n";
      for (const CLI::App* sub : commands)
        functions += "        " + sub->get_name() + ") " + name + "__" + sub->get_name() + " ;;\n";
      functions += "      esac\n      ;;\n  esac\n}\n";
    } else {
      functions += "\n}\n";
    }
  });
  return "#compdef orbwatch\n# zsh completion of orbwatch, made by `orbwatch completion zsh`.\n" + functions +
         "if [[ ${funcstack[1]} == _orbwatch ]]; then _orbwatch \"$@\"; else compdef _orbwatch orbwatch; fi\n";
}

std::string fish(const CLI::App& root) {
  std::string out = "# fish completion of orbwatch, made by `orbwatch completion fish`.\ncomplete -c orbwatch -f\n";
  walk(root, "", [&](const CLI::App& app, const std::string& path) {
    // "seen hunt" for /hunt, "seen intel; and seen build" for /intel/build.
    std::string here;
    for (std::size_t at = 0; at < path.size();) {
      const auto end = std::min(path.find('/', at + 1), path.size());
      here += (here.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") +
              path.substr(at + 1, end - at - 1);
      at = end;
    }
    const auto commands = commands_of(app);
    std::string none = "__fish_use_subcommand";
    if (!here.empty() && !commands.empty()) {
      none = here + "; and not __fish_seen_subcommand_from";
      for (const CLI::App* sub : commands) none += " " + sub->get_name();
    }
    for (const CLI::App* sub : commands) {
      out += "complete -c orbwatch -n " + shell_quoted(none) + " -a " + sub->get_name() + " -d " +
             shell_quoted(sub->get_description()) + "\n";
    }
    const std::string condition = " -n " + shell_quoted(commands.empty() ? here : none);
    for (const OptionFacts& o : options_of(app)) {
      std::string line = "complete -c orbwatch" + condition;
      if (o.positional) {
        if (o.paths()) out += line + " -F\n";
        if (!o.choices.empty()) out += line + " -a " + shell_quoted(joined(o.choices, " ")) + "\n";
        continue;
      }
      for (const std::string& name : o.names)
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!o.value.empty()) line += " -r";
      if (o.paths()) line += " -F";
      if (!o.choices.empty()) line += " -a " + shell_quoted(joined(o.choices, " "));
      out += line + " -d " + shell_quoted(o.says) + "\n";
    }
  });
  return out;
}

}  // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  return shell == "bash" ? bash(app) : shell == "zsh" ? zsh(app) : fish(app);
}

void add_completion(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand("completion", "Print a completion script for a shell");
  sub->add_option("shell", *shell, "The shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub->footer(
      "Examples:\n"
      "  orbwatch completion bash > /etc/bash_completion.d/orbwatch\n"
      "  orbwatch completion zsh > /usr/local/share/zsh/site-functions/_orbwatch\n"
      "  orbwatch completion fish > ~/.config/fish/completions/orbwatch.fish");
  sub->callback([&app, shell, &exit_code] {
    print(completion(app, *shell));
    exit_code = flush_output() ? kOk : kOutput;
  });
  CLI::App* man = app.add_subcommand("man", "Print the manual page");
  man->group("");  // for packagers
  man->callback([&app, &exit_code] {
    print(manual(app));
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli
