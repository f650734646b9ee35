// Writes the sample report, for the browser test and for looking at: make_report html|terminal FINDINGS plain|hostile
// [WIDTH]
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "export/html_report.h"
#include "export/terminal.h"
#include "support/sample_report.h"

int main(int argc, char** argv) {
  using namespace orbwatch;
  if (argc < 4) return std::fputs("make_report html|terminal FINDINGS plain|hostile [WIDTH]\n", stderr), 2;
  const auto result = testing::sample_report(std::strtoull(argv[2], nullptr, 10), std::strcmp(argv[3], "hostile") == 0);
  const std::string out =
      std::strcmp(argv[1], "html") == 0
          ? exporting::html_report(result, {})
          : exporting::terminal_report(result, {.width = argc > 4 ? std::atoi(argv[4]) : 100, .colour = true});
  std::fwrite(out.data(), 1, out.size(), stdout);
}
