// `orbwatch intel ...`: the table of network facts.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "intel/command.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::vector<std::string> mmdb, as, list, addresses;
  std::string out, place_version, as_version, attribution, table;
  bool no_shipped_lists = false;
};

int run(const std::vector<std::string>& words) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  auto text = intel::command(words, now, [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  if (!text) {
    complain(text.error().text());
    return text.error().message.starts_with("usage") ? kUsage : kInput;
  }
  print(*text);
  return flush_output() ? kOk : kOutput;
}

std::vector<std::string> build_words(const Options& o) {
  std::vector<std::string> words = {"build"};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--out", o.out);
  for (const std::string& file : o.mmdb) add("--mmdb", file);
  for (const std::string& file : o.as) add("--as", file);
  for (const std::string& list : o.list) add("--list", list);
  add("--place-version", o.place_version);
  add("--as-version", o.as_version);
  add("--attribution", o.attribution);
  if (o.no_shipped_lists) words.emplace_back("--no-shipped-lists");
  return words;
}

}  // namespace

void add_intel(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* intel = app.add_subcommand("intel", "The table of network facts: build it, look into it");
  intel->require_subcommand(1);

  CLI::App* build = intel->add_subcommand("build", "Compile the table from free or bought data");
  build->add_option("--out", o->out, "Table to write (default: where `hunt` looks for it)");
  build->add_option("--mmdb", o->mmdb, "MaxMind DB file: city, country, AS or anonymity; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  build->add_option("--as", o->as, "CSV of start,end,asn,name; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  build
      ->add_option("--list", o->list,
                   "TYPE:FILE, prefixes or AS numbers that are of this type; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  build->add_flag("--no-shipped-lists", o->no_shipped_lists, "Without the lists that come with orbwatch");
  build->add_option("--place-version", o->place_version, "Version of the places, shown by `intel info`");
  build->add_option("--as-version", o->as_version, "Version of the AS numbers");
  build->add_option("--attribution", o->attribution, "Attribution that the data demand; shown with findings");
  takes(*build, "FILE", {"--out", "--mmdb", "--as"});
  build->footer(
      "Example:\n  orbwatch intel build --mmdb GeoLite2-City.mmdb --mmdb GeoLite2-ASN.mmdb --list "
      "vpn:/etc/orbwatch/vpn.txt");
  build->callback([o, &exit_code] { exit_code = run(build_words(*o)); });

  struct Verb {
    const char* name;
    const char* says;
  };
  for (const Verb verb : {Verb{"info", "Show sources, versions, dates and attribution of a table"},
                          Verb{"verify", "Read all of a table and say whether it is sound"},
                          Verb{"check", "Apply the rules for AS names to the curated AS numbers"}}) {
    CLI::App* sub = intel->add_subcommand(verb.name, verb.says);
    sub->add_option("file", o->table, "The table (default: where `hunt` looks for it)");
    takes(*sub, "FILE", {"file"});
    sub->callback([o, name = std::string(verb.name), &exit_code] {
      std::vector<std::string> words = {name};
      if (!o->table.empty()) words.push_back(o->table);
      exit_code = run(words);
    });
  }

  CLI::App* lookup = intel->add_subcommand("lookup", "Show what is known of addresses, and who says so");
  lookup->add_option("address", o->addresses, "IPv4 or IPv6 addresses")->required();
  lookup->add_option("--table", o->table, "The table (default: where `hunt` looks for it)");
  takes(*lookup, "FILE", {"--table"});
  takes(*lookup, "ADDRESS", {"address"});
  lookup->footer("Example:\n  orbwatch intel lookup 192.0.2.1 2001:db8::1");
  lookup->callback([o, &exit_code] {
    std::vector<std::string> words = {"lookup"};
    words.insert(words.end(), o->addresses.begin(), o->addresses.end());
    if (!o->table.empty()) words.insert(words.end(), {"--table", o->table});
    exit_code = run(words);
  });
}

}  // namespace orbwatch::cli
