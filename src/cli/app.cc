#include "cli/app.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "decode/all.h"

namespace orbwatch::cli {
namespace {

std::string exit_text() {
  std::string text = "Exit codes:";
  for (const ExitMeaning& e : exit_meanings()) {
    text += (e.code == 0 ? " " : ", ") + std::to_string(e.code) + " " + std::string(e.meaning);
  }
  return text + ".";
}

}  // namespace

const std::vector<ExitMeaning>& exit_meanings() {
  static const std::vector<ExitMeaning> meanings = {
      {kOk, "done"},
      {kAlert, "alerts, and --fail-on-alert was given; a bar that does not hold, and --check was given"},
      {kUsage, "wrong options or configuration"},
      {kInput, "some input could not be read or recognised"},
      {kOutput, "an output could not be written"},
      {kInternal, "a defect of orbwatch"},
  };
  return meanings;
}

std::unique_ptr<CLI::App> make_app(int& exit_code) {
  auto app = std::make_unique<CLI::App>(
      "Finds covert networks of hijacked routers and IoT devices in the logs an organisation already has.");
  app->name("orbwatch");
  app->set_version_flag("--version", "orbwatch " ORBWATCH_VERSION);
  app->get_option("--version")->description("Print the version and exit");
  app->require_subcommand(1);
  app->footer(exit_text() + "\nFirst steps: orbwatch hunt logs/");
  add_hunt(*app, exit_code);
  add_run(*app, exit_code);
  add_token(*app, exit_code);
  add_pseudonym(*app, exit_code);
  add_doctor(*app, exit_code);
  add_outputs(*app, exit_code);
  add_backup(*app, exit_code);
  add_verdict(*app, exit_code);
  add_share(*app, exit_code);
  add_taxii(*app, exit_code);
  add_explain(*app, exit_code);
  add_formats(*app, exit_code);
  add_format(*app, exit_code);
  add_sql(*app, exit_code);
  add_simulate(*app, exit_code);
  add_evaluate(*app, exit_code);
  add_backtest(*app, exit_code);
  add_intel(*app, exit_code);
  add_feeds(*app, exit_code);
  add_networks(*app, exit_code);
  add_config(*app, exit_code);
  add_completion(*app, exit_code);
  return app;
}

void group(CLI::App& sub, const std::string& heading, std::initializer_list<const char*> options) {
  for (const char* name : options) sub.get_option(name)->group(heading);
}

void takes(CLI::App& sub, const std::string& what, std::initializer_list<const char*> options) {
  for (const char* name : options) sub.get_option(name)->type_name(what);
}

std::vector<OptionFacts> options_of(const CLI::App& app) {
  std::vector<OptionFacts> all;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    OptionFacts facts;
    facts.positional = option->get_positional();
    if (facts.positional) {
      facts.names = {option->get_name(true, false)};
    } else {
      for (const std::string& name : option->get_lnames()) facts.names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) facts.names.push_back("-" + name);
    }
    facts.says = option->get_description();
    facts.group = option->get_group();
    facts.required = option->get_required();
    facts.many =
        option->get_items_expected_max() > 1 || option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (option->get_type_size_max() > 0 || facts.positional) {
      // The library appends what checks demand ("INT in [1 - 256]"), which belongs into the text, not into the name.
      facts.value = option->get_type_name();
      facts.value = facts.value.substr(0, facts.value.find_first_of(" :"));
      const std::string type = option->get_type_name();
      const auto open = type.find('{');
      const auto close = type.find('}');
      if (open != type.npos && close != type.npos && open < close) {
        std::string word;
        for (const char c : type.substr(open + 1, close - open - 1) + ",") {
          if (c == ',') {
            facts.choices.push_back(word);
            word.clear();
          } else {
            word += c;
          }
        }
        facts.value = "WORD";
      }
      if (facts.value == "FORMAT") {
        for (const auto& f : decode::record_formats()) facts.choices.emplace_back(f.name);
        for (const auto& f : decode::binary_formats()) facts.choices.emplace_back(f.name);
      }
    }
    all.push_back(std::move(facts));
  }
  return all;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

}  // namespace orbwatch::cli
