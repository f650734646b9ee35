// `orbwatch pseudonym`: the key under which a service keeps names of users, and the way there and back for its holder.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "pipeline/pseudonyms.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string key_file;
  std::string state;
  std::string text;
};

int refused(const core::Error& error) {
  complain(error.text());
  return error.kind == core::ErrorKind::kOutput ? kOutput : kInput;
}

// "-" is one line of standard input: names stay out of the shell's history and the list of processes.
core::Expected<std::string> given(const std::string& text) {
  if (text != "-") return text;
  auto in = read_file("/dev/stdin");
  if (in) in->resize(std::min(in->size(), in->find('\n')));
  return in;
}

int make_key(const Options& o) {
  if (const auto made = pipeline::PseudonymKey::make(o.key_file); !made) return refused(made.error());
  const auto key = pipeline::PseudonymKey::load(o.key_file);
  if (!key) return refused(key.error());
  if (const auto noted = audit(o.state, "pseudonym key made", {{"key_file", o.key_file}, {"key", key->id()}}); !noted) {
    return refused(noted.error());
  }
  print(
      fmt::format("{}: a new key ({})\nKeep a copy apart from the state and its backups: without it no pseudonym can "
                  "be turned back, and the state cannot be used.\n",
                  o.key_file, key->id()));
  return flush_output() ? kOk : kOutput;
}

int translate(const Options& o, bool back) {
  const auto text = given(o.text);
  if (!text) return refused(text.error());
  auto key = pipeline::PseudonymKey::load(o.key_file);
  if (!key) return refused(key.error());
  const auto out = back ? key->reveal(*text) : key->pseudonym(*text);
  if (!out) return refused(out.error());
  // First: nobody learns what is not noted. The log has the pseudonym, never the name.
  const std::string& pseudonym = back ? *text : *out;
  if (const auto noted = audit(o.state, back ? "pseudonym revealed" : "pseudonym shown", {{"pseudonym", pseudonym}});
      !noted) {
    return refused(noted.error());
  }
  print((back ? core::printable(*out, core::kLongestSymbol) : *out) + "\n");
  return flush_output() ? kOk : kOutput;
}

}  // namespace

void add_pseudonym(CLI::App& app, int& exit_code) {
  CLI::App* pseudonym = app.add_subcommand("pseudonym", "Names of users that a service keeps under a key");
  pseudonym->require_subcommand(1);

  auto k = std::make_shared<Options>();
  CLI::App* key = pseudonym->add_subcommand("key", "Make a key file; one that is there is never overwritten");
  key->add_option("--key-file", k->key_file, "The file to make, readable by its owner alone")->required();
  takes(*key, "FILE", {"--key-file"});
  key->add_option("--state", k->state, "Folder of the service's state: note it in its audit log");
  takes(*key, "FOLDER", {"--state"});
  key->footer("Example:\n  orbwatch pseudonym key --key-file /etc/orbwatch/pseudonym.key");
  key->callback([k, &exit_code] { exit_code = make_key(*k); });

  auto s = std::make_shared<Options>();
  CLI::App* show = pseudonym->add_subcommand("show", "Print the pseudonym of a name");
  show->add_option("name", s->text, "Name of a user as records have it, without domain; - reads it from standard input")
      ->required();
  show->add_option("--key-file", s->key_file, "The service's key file")->required();
  takes(*show, "NAME", {"name"});
  takes(*show, "FILE", {"--key-file"});
  show->add_option("--state", s->state, "Folder of the service's state: note it in its audit log");
  takes(*show, "FOLDER", {"--state"});
  show->footer("Example:\n  orbwatch pseudonym show alice --key-file /etc/orbwatch/pseudonym.key");
  show->callback([s, &exit_code] { exit_code = translate(*s, false); });

  auto r = std::make_shared<Options>();
  CLI::App* reveal = pseudonym->add_subcommand("reveal", "Print the name behind a pseudonym");
  reveal->add_option("pseudonym", r->text, "Pseudonym out of a finding or store; - reads it from standard input")
      ->required();
  reveal->add_option("--key-file", r->key_file, "The service's key file")->required();
  takes(*reveal, "PSEUDONYM", {"pseudonym"});
  takes(*reveal, "FILE", {"--key-file"});
  reveal->add_option("--state", r->state, "Folder of the service's state: note it in its audit log");
  takes(*reveal, "FOLDER", {"--state"});
  reveal->footer("Example:\n  orbwatch pseudonym reveal user-... --key-file /etc/orbwatch/pseudonym.key");
  reveal->callback([r, &exit_code] { exit_code = translate(*r, true); });
}

}  // namespace orbwatch::cli
