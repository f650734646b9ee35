// What the pages state is what the program does: commands and options, configuration keys, event fields, the manual
// page, completions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "cli/app.h"
#include "event/event.h"
#include "pipeline/config.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = ORBWATCH_ROOT;

std::string page(const std::string& name) { return read_file(kRoot / "docs" / name); }

void each_command(const CLI::App& app, const std::string& path,
                  const std::function<void(const CLI::App&, const std::string&)>& visit) {
  for (const CLI::App* sub : cli::commands_of(app)) {
    visit(*sub, path + sub->get_name());
    each_command(*sub, path + sub->get_name() + " ", visit);
  }
}

// The text of one "## heading" of a page.
std::string section(const std::string& text, const std::string& heading) {
  const auto begin = text.find("\n## " + heading + "\n");
  if (begin == text.npos) return {};
  const auto end = text.find("\n## ", begin + 1);
  return text.substr(begin, end == text.npos ? end : end - begin);
}

TEST(Pages, NameEveryCommandAndOption) {
  int code = 0;
  const auto app = cli::make_app(code);
  const std::string text = page("cli.md");
  int options = 0;
  each_command(*app, "", [&](const CLI::App& command, const std::string& name) {
    const std::string part = section(text, name.substr(0, name.find(' ')));
    ASSERT_FALSE(part.empty()) << "docs/cli.md has no heading for " << name;
    if (name.find(' ') != name.npos) {
      EXPECT_NE(part.find(command.get_name()), part.npos) << name;
    }
    // The options of a world are described under simulate.
    const std::string world = name == "evaluate" ? section(text, "simulate") : "";
    for (const auto& option : cli::options_of(command)) {
      if (option.positional || option.names[0] == "--help") continue;
      ++options;
      EXPECT_NE((part + world).find(option.names[0]), part.npos)
          << "docs/cli.md, " << name << ": " << option.names[0] << " is missing";
    }
  });
  EXPECT_GT(options, 20);
  for (const auto& e : cli::exit_meanings()) {
    EXPECT_NE(text.find("| " + std::to_string(e.code) + " | " + std::string(e.meaning)), text.npos)
        << e.code << " " << e.meaning;
  }
}

// Every option that a page shows exists: those of docs/cli.md's tables.
TEST(Pages, NameNoOptionThatIsGone) {
  int code = 0;
  const auto app = cli::make_app(code);
  std::set<std::string> known;
  each_command(*app, "", [&](const CLI::App& command, const std::string&) {
    for (const auto& option : cli::options_of(command)) known.insert(option.names.begin(), option.names.end());
  });
  known.insert("--version");
  const std::string text = page("cli.md");
  for (std::size_t at = 0; (at = text.find("`--", at)) != text.npos; ++at) {
    const auto end = text.find_first_of("` =", at + 1);
    const std::string option = text.substr(at + 1, end - at - 1);
    EXPECT_TRUE(known.contains(option)) << "docs/cli.md names " << option;
  }
}

// The parser says which keys it knows when it meets one that it does not.
std::vector<std::string> known_keys(const std::string& yaml) {
  const auto parsed = pipeline::parse_config(yaml, "test.yaml");
  EXPECT_FALSE(parsed);
  std::vector<std::string> keys;
  if (parsed) return keys;
  const std::string error = parsed.error().text();
  const auto begin = error.find("(known: ");
  const auto end = error.find(')', begin);
  if (begin == error.npos || end == error.npos) {
    ADD_FAILURE() << error;
    return keys;
  }
  std::string word;
  for (const char c : error.substr(begin + 8, end - begin - 8) + ",") {
    if (c == ',') {
      keys.push_back(word);
      word.clear();
    } else if (c != ' ') {
      word += c;
    }
  }
  return keys;
}

// The names in the first cells of a section's table.
std::vector<std::string> first_cells(const std::string& part) {
  std::vector<std::string> out;
  std::istringstream lines(part);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string cell = line.substr(0, line.find('|', 2));
    for (std::size_t at = 0; (at = cell.find('`', at)) != cell.npos;) {
      const auto end = cell.find('`', at + 1);
      out.push_back(cell.substr(at + 1, end - at - 1));
      at = end + 1;
    }
  }
  return out;
}

TEST(Pages, NameEveryConfigurationKey) {
  const std::string text = page("configuration.md");
  const auto sorted = [](std::vector<std::string> keys) {
    std::sort(keys.begin(), keys.end());
    return keys;
  };
  // Of the whole file: those of a hunt and those of the service, maps as `map.key`.
  std::vector<std::string> expected = known_keys("no_such_key: 1\n");
  for (const std::string map : {"journal", "store", "metrics", "pseudonyms"}) {
    std::erase(expected, map);
    std::string wrong = map;
    wrong += ":\n  no_such_key: 1\n";
    for (const std::string& key : known_keys(wrong)) expected.push_back(fmt::format("{}.{}", map, key));
  }
  std::vector<std::string> named = first_cells(section(text, "Keys"));
  for (const std::string& key : first_cells(section(text, "The service"))) named.push_back(key);
  EXPECT_EQ(sorted(named), sorted(expected));
  for (const auto& [heading, yaml] :
       {std::pair<std::string, std::string>{"Keys of a network",
                                            "networks:\n  - {prefix: 192.0.2.0/24, no_such_key: 1}\n"},
        {"Keys of a collector", "collect:\n  - {type: flow_udp, listen: \":1\", no_such_key: 1}\n"}})
    EXPECT_EQ(sorted(first_cells(section(text, heading))), sorted(known_keys(yaml))) << heading;
  const std::string outputs = page("outputs.md");
  for (const std::string& key : known_keys("outputs:\n  - {name: a, type: file, no_such_key: 1}\n"))
    EXPECT_NE(outputs.find(key + ":"), outputs.npos) << "outputs.md: " << key << " is missing";
}

TEST(Pages, ShowAConfigurationThatIsRight) {
  const std::string text = page("configuration.md");
  const auto begin = text.find("```yaml\n");
  const auto end = text.find("```", begin + 8);
  ASSERT_NE(end, text.npos);
  const auto parsed = pipeline::parse_config(text.substr(begin + 8, end - begin - 8), "docs/configuration.md");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->networks.size(), 3U);
  const auto service = text.find("```yaml\n", end);
  const auto behind = text.find("```", service + 8);
  ASSERT_NE(behind, text.npos);
  const auto run = pipeline::parse_config(text.substr(service + 8, behind - service - 8), "docs/configuration.md");
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->service.collect.size(), 6U);
  EXPECT_EQ(run->service.outputs.size(), 1U);
}

TEST(Pages, NameEveryFieldOfAnEvent) {
  event::Event e;
  const core::Ip ip = *core::Ip::parse("192.0.2.1");
  const core::Symbol word = core::intern("word");
  e.time = e.duration = 1;
  e.source_ip = e.destination_ip = e.assigned_ip = e.observer_ip = ip;
  e.source_bytes = e.destination_bytes = e.source_packets = e.destination_packets = e.session_id = 1;
  for (core::Symbol* symbol : {&e.observer,
                               &e.user,
                               &e.user_domain,
                               &e.group,
                               &e.user_agent,
                               &e.client_os,
                               &e.client_host,
                               &e.code,
                               &e.reason,
                               &e.application,
                               &e.protocol_version,
                               &e.destination_name,
                               &e.ingress,
                               &e.egress,
                               &e.fingerprint,
                               &e.server_fingerprint,
                               &e.certificate_issuer,
                               &e.certificate_subject,
                               &e.certificate_fingerprint,
                               &e.banner,
                               &e.rule,
                               &e.region,
                               &e.dataset}) {
    *symbol = word;
  }
  e.sampling = e.ingress_index = e.egress_index = 1;
  e.source_port = e.destination_port = e.tcp_flags = 1;
  e.protocol = e.logon_type = 1;
  e.event_class = event::Class::kFlow;
  e.activity = event::Activity::kStart;
  e.outcome = event::Outcome::kSuccess;
  e.action = event::Action::kAllowed;
  e.direction = event::Direction::kInbound;
  e.mfa = event::Mfa::kYes;
  e.auth_method = event::AuthMethod::kPassword;
  e.service = event::Service::kVpn;
  const std::string json = event::to_json(e);
  const std::string text = page("events.md");
  int fields = 0;
  for (std::size_t at = 0; (at = json.find("\":", at)) != json.npos; ++at) {
    const auto begin = json.rfind('"', at - 1) + 1;
    const std::string field = json.substr(begin, at - begin);
    ++fields;
    EXPECT_NE(text.find("`" + field + "`"), text.npos) << "docs/events.md: " << field << " is missing";
  }
  EXPECT_EQ(fields, 50) << "a field was added or removed: fill it above, too\n" << json;
  for (unsigned c = 1; c <= 6; ++c)
    EXPECT_NE(text.find("`" + std::string(event::name(static_cast<event::Class>(c))) + "`"), text.npos);
  for (unsigned a = 1; a <= 9; ++a)
    EXPECT_NE(text.find("`" + std::string(event::name(static_cast<event::Activity>(a))) + "`"), text.npos);
  for (unsigned s = 1; s <= 8; ++s)
    EXPECT_NE(text.find("`" + std::string(event::name(static_cast<event::Service>(s))) + "`"), text.npos);
  for (unsigned m = 1; m <= 9; ++m)
    EXPECT_NE(text.find("`" + std::string(event::name(static_cast<event::AuthMethod>(m))) + "`"), text.npos);
}

TEST(Manual, CommittedPageIsCurrent) {
  int code = 0;
  const std::string manual = cli::manual(*cli::make_app(code));
  const fs::path file = kRoot / "packaging/orbwatch.1";
  if (std::getenv("ORBWATCH_UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << manual;
  ASSERT_TRUE(fs::exists(file));
  EXPECT_TRUE(read_file(file) == manual) << "make it anew: build/release/src/orbwatch man > packaging/orbwatch.1";
}

TEST(Manual, IsGoodRoff) {
  if (run({"sh", "-c", "command -v groff"}).exit_code != 0) GTEST_SKIP() << "groff is not installed";
  int code = 0;
  const RunResult r = run({"groff", "-man", "-ww", "-z", "-Tutf8"}, cli::manual(*cli::make_app(code)));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
}

// What bash offers at the end of `line`.
std::string bash_offers(const std::string& line) {
  int code = 0;
  const TempDir dir;
  dir.write("orbwatch.bash", cli::completion(*cli::make_app(code), "bash"));
  dir.write("vpn.log", "");
  const std::string script =
      "source ./orbwatch.bash; read -ra COMP_WORDS <<< \"$1\"; [[ $1 == *' ' ]] && COMP_WORDS+=(''); "
      "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _orbwatch; echo \"${COMPREPLY[*]}\"";
  const RunResult r = run({"bash", "--norc", "-c", script, "bash", line}, {}, {.directory = dir.path()});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  return r.out;
}

TEST(Completion, BashOffersWhatFits) {
  EXPECT_EQ(bash_offers("orbwatch hu"), "hunt\n");
  EXPECT_EQ(bash_offers("orbwatch hunt --js"), "--json\n");
  EXPECT_EQ(bash_offers("orbwatch hunt vp"), "vpn.log\n");
  EXPECT_EQ(bash_offers("orbwatch hunt --config vp"), "vpn.log\n");
  EXPECT_EQ(bash_offers("orbwatch hunt --format cisco"), "cisco_asa cisco_ios cisco_ise\n");
  EXPECT_EQ(bash_offers("orbwatch hunt --tz vp"), "\n");
  EXPECT_EQ(bash_offers("orbwatch intel bu"), "build\n");
  EXPECT_EQ(bash_offers("orbwatch intel build --no"), "--no-shipped-lists\n");
  EXPECT_EQ(bash_offers("orbwatch completion "), "bash zsh fish\n");
  EXPECT_EQ(bash_offers("orbwatch ma"), "\n");  // hidden
}

TEST(Completion, OtherShellsAcceptTheirScripts) {
  int code = 0;
  const auto app = cli::make_app(code);
  for (const std::string shell : {"zsh", "fish"}) {
    const std::string script = cli::completion(*app, shell);
    each_command(*app, "", [&](const CLI::App& command, const std::string& name) {
      for (const auto& option : cli::options_of(command)) {
        if (option.positional) continue;
        const std::string shown = shell == "zsh" ? option.names[0] + "[" : "-l " + option.names[0].substr(2) + " ";
        EXPECT_NE(script.find(shown), script.npos) << shell << " " << name << " " << option.names[0];
      }
    });
    if (run({"sh", "-c", "command -v " + shell}).exit_code != 0) {
      std::cerr << shell << " is not installed: its syntax is not tested\n";
      continue;
    }
    const TempDir dir;
    const RunResult r = run({shell, "-n", dir.write("script", script).string()});
    EXPECT_EQ(r.exit_code, 0) << r.err;
  }
}

}  // namespace
}  // namespace orbwatch::test
