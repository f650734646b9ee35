#include "export/try_outputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "export/output.h"

namespace orbwatch::exporting {
namespace {

constexpr std::size_t kLongestReason = 500;

}  // namespace

Tried try_output(const OutputSettings& settings, core::Nanoseconds now) {
  Tried tried{.output = settings.name, .target = {}, .delivered = false, .error = {}};
  const auto fail = [&](const core::Error& error) {
    tried.error = core::printable(error.text(), kLongestReason);
    return tried;
  };
  const auto output = make_output(settings);
  if (!output) return fail(output.error());
  tried.target = (*output)->target();
  const auto message = make_message(test_finding(now), settings, now);
  if (!message) return fail(message.error());
  const Delivered delivered = (*output)->deliver(*message, {});
  if (!delivered) return fail(delivered.error().error);
  tried.delivered = true;
  return tried;
}

std::string to_text(const Tried& tried) {
  return fmt::format("{}  {}\n", tried.output,
                     tried.delivered ? "delivered  " + tried.target : "failed  " + tried.error);
}

std::string to_json(const std::vector<Tried>& all) {
  const auto delivered = std::ranges::count_if(all, &Tried::delivered);
  std::string out = fmt::format("{{\"delivered\":{},\"failed\":{},\"outputs\":[", delivered,
                                static_cast<std::ptrdiff_t>(all.size()) - delivered);
  for (const Tried& t : all) {
    if (&t != all.data()) out += ',';
    out += "{\"name\":";
    core::append_json_string(out, t.output);
    out += ",\"target\":";
    core::append_json_string(out, t.target);
    out += fmt::format(",\"delivered\":{},\"error\":", t.delivered);
    core::append_json_string(out, t.error);
    out += '}';
  }
  return out + "]}\n";
}

}  // namespace orbwatch::exporting
