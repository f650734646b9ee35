// `orbwatch token`: a token for the HTTP collector, and what the configuration keeps of it.
#include <fmt/format.h>
#include <sys/random.h>

#include <CLI/CLI.hpp>
#include <array>
#include <iterator>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "pipeline/collectors.h"

namespace orbwatch::cli {

void add_token(CLI::App& app, int& exit_code) {
  auto given = std::make_shared<std::string>();
  auto state = std::make_shared<std::string>();
  auto label = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("token", "Make a token for senders over HTTP, and its hash for the configuration");
  sub->add_option("token", *given,
                  "Print the hash of this token instead of making one; - reads it from standard input");
  sub->add_flag("--json", *json, "As one JSON object");
  sub->add_option("--state", *state, "Folder of the service's state: note in its audit log that a token was made");
  sub->add_option("--label", *label, "With --state: what the token is for, for the audit log");
  takes(*sub, "TOKEN", {"token"});
  takes(*sub, "FOLDER", {"--state"});
  sub->footer(
      "The token goes to the sender (Authorization: Splunk TOKEN), the hash under token_hashes of the collector.\n"
      "Example:\n  orbwatch token");
  sub->callback([given, json, state, label, &exit_code] {
    std::string token = *given;
    if (token == "-") {
      auto text = read_file("/dev/stdin");
      if (!text) {
        complain(text.error().text());
        exit_code = kInput;
        return;
      }
      token = text->substr(0, text->find('\n'));
    } else if (token.empty()) {
      std::array<unsigned char, 32> bytes;
      if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        complain("the system gives no random bytes");
        exit_code = kInternal;
        return;
      }
      for (const unsigned char b : bytes) fmt::format_to(std::back_inserter(token), "{:02x}", b);
    }
    // First: a token that nobody knows of is not handed out.
    if (const auto noted = audit(*state, given->empty() ? "token made" : "token hashed", {{"label", *label}}); !noted) {
      complain(noted.error().text());
      exit_code = kOutput;
      return;
    }
    const std::string hash = pipeline::token_hash(token);
    print(*json ? fmt::format("{{\"token\":\"{}\",\"hash\":\"{}\"}}\n", given->empty() ? token : "", hash)
                : (given->empty() ? fmt::format("token  {}\n", token) : "") + fmt::format("hash   {}\n", hash));
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli
