#include "pipeline/config_edit.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/text.h"
#include "pipeline/config.h"

namespace orbwatch::pipeline {
namespace {

// In single quotes, in which nothing but ' has a meaning: neither a number nor "true" can come of it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

// The lines of a feed, what has its default left out. Each begins with `indent`.
std::string lines_of(const intel::FeedSource& f, const std::string& indent) {
  std::string out = fmt::format("{}- name: {}\n", indent, quoted(f.name));
  const auto add = [&](const char* key, const std::string& value) {
    out += fmt::format("{}  {}: {}\n", indent, key, value);
  };
  add("from", quoted(f.from));
  if (f.protocol != intel::FeedProtocol::kDocument) add("protocol", std::string(intel::name(f.protocol)));
  if (!f.collection.empty()) add("collection", quoted(f.collection));
  if (!f.api_root.empty()) add("api_root", quoted(f.api_root));
  if (f.format != "auto") add("format", f.format);
  if (f.settings.kind != "auto") add("kind", quoted(f.settings.kind));
  if (!f.settings.label.empty()) add("label", quoted(f.settings.label));
  if (f.settings.known_good) add("known_good", "true");
  if (f.half_life_days > 0) add("half_life", fmt::format("{}", f.half_life_days));
  return out;
}

std::vector<std::string_view> lines_of_text(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::size_t n = end == text.npos ? text.size() : end + 1;
    out.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }
bool is_blank(std::string_view line) { return core::trim(line).empty(); }
bool is_comment(std::string_view line) { return core::trim(line).starts_with('#'); }

struct Place {
  std::size_t line = 0;  // in front of it
  std::string indent;    // of the dash
};

// Behind the last item of a list that is written with dashes.
std::optional<Place> behind_last(const std::vector<std::string_view>& lines, const YAML::Node& list) {
  const YAML::Mark mark = list[list.size() - 1].Mark();
  if (mark.line < 0 || static_cast<std::size_t>(mark.line) >= lines.size()) return std::nullopt;
  auto at = static_cast<std::size_t>(mark.line);
  // The dash may stand on a line above with nothing but a comment behind it.
  while (!core::trim(lines[at]).starts_with('-')) {
    if (at == 0 || (at != static_cast<std::size_t>(mark.line) && !is_blank(lines[at]) && !is_comment(lines[at])))
      return std::nullopt;
    --at;
  }
  const std::size_t dash = indent_of(lines[at]);
  std::size_t last = at;
  for (std::size_t i = at + 1; i < lines.size(); ++i) {
    if (is_blank(lines[i])) continue;
    if (indent_of(lines[i]) <= dash) break;
    last = i;
  }
  return Place{last + 1, std::string(dash, ' ')};
}

core::Expected<YAML::Node> loaded(std::string_view yaml, std::string_view name) {
  try {
    return YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& e) {
    return core::fail(fmt::format("{}:{}: {}", name, e.mark.line + 1, e.msg));
  }
}

}  // namespace

core::Expected<std::string> with_feed(std::string_view yaml, std::string_view name, const intel::FeedSource& feed) {
  const auto before = parse_config(yaml, name);
  if (!before) return std::unexpected(before.error());
  if (std::ranges::find(before->feeds, feed.name, &intel::FeedSource::name) != before->feeds.end())
    return core::fail("there is a feed of that name", feed.name, "give another name, or change it in the file");
  for (const std::string& text : {feed.from, feed.collection, feed.api_root, feed.settings.kind, feed.settings.label}) {
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
      return core::fail("a control character cannot be written into the file", core::printable(text, 200));
  }
  const auto root = loaded(yaml, name);
  if (!root) return std::unexpected(root.error());
  const auto by_hand = [&] {
    return core::fail("the feed cannot be put into the file safely", std::string(name),
                      "write below `feeds:` by hand: " + core::printable(lines_of(feed, ""), 2000));
  };
  const std::vector<std::string_view> lines = lines_of_text(yaml);
  Place place{lines.size(), "  "};
  std::string head;
  const YAML::Node list = root->IsMap() ? (*root)["feeds"] : YAML::Node(YAML::NodeType::Undefined);
  if (!list.IsDefined()) {
    head = lines.empty() ? "feeds:\n" : "\nfeeds:\n";
  } else if (list.IsSequence() && list.size() > 0 && list.Style() != YAML::EmitterStyle::Flow) {
    const auto found = behind_last(lines, list);
    if (!found) return by_hand();
    place = *found;
  } else {
    return by_hand();
  }
  std::string out;
  for (std::size_t i = 0; i < place.line; ++i) out += lines[i];
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  out += head + lines_of(feed, place.indent);
  for (std::size_t i = place.line; i < lines.size(); ++i) out += lines[i];

  // Whatever the file looked like: it must have become this feed more and nothing else.
  const auto after = parse_config(out, name);
  if (!after || after->feeds.size() != before->feeds.size() + 1 || after->feeds.back().name != feed.name ||
      after->feeds.back().from != feed.from)
    return by_hand();
  const std::string own = fmt::format("feeds.{}.", feed.name);
  for (const std::string& key : changed_keys(*before, *after)) {
    if (!key.starts_with(own)) return by_hand();
  }
  return out;
}

}  // namespace orbwatch::pipeline
