#include "decode/json_fields.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "decode/scanner.h"

namespace orbwatch::decode::json {
namespace {

using core::equals_ignore_case;

bool is_list_value(std::string_view key) {
  return equals_ignore_case("value", key) || equals_ignore_case("boolvalue", key) ||
         equals_ignore_case("intvalue", key) || equals_ignore_case("multivalue", key);
}

}  // namespace

Fields::Fields(std::initializer_list<Path> paths, std::initializer_list<std::string_view> prefixes) {
  nodes_.emplace_back();
  for (const std::string_view prefix : prefixes) {
    for (const Path& path : paths) add(std::string(prefix) + std::string(path.path), path);
  }
  for (Node& node : nodes_) index(node);
}

void Fields::add(std::string_view path, const Path& what) {
  assert(what.field < kMostFields);
  std::size_t at = 0;
  while (true) {
    const std::string name = core::lower(core::take_until(path, '.'));
    auto& children = nodes_[at].children;
    const auto found = std::find_if(children.begin(), children.end(), [&](const Child& c) { return c.name == name; });
    if (found != children.end()) {
      at = found->node;
    } else {
      children.push_back({NameKey(name), name, static_cast<std::uint16_t>(nodes_.size())});
      at = nodes_.size();
      nodes_.emplace_back();
    }
    if (path.empty()) break;
  }
  nodes_[at].field = what.field;
  nodes_[at].all = what.all;
  count_ = std::max<std::size_t>(count_, what.field + 1U);
}

void Fields::index(Node& node) const {
  if (node.children.empty()) return;
  node.bits = static_cast<std::uint8_t>(std::bit_width(node.children.size() * 4 - 1));
  node.buckets.assign(std::size_t{1} << node.bits, 0);
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    std::size_t at = node.children[i].key.hash(node.bits);
    while (node.buckets[at] != 0) at = (at + 1) & (node.buckets.size() - 1);
    node.buckets[at] = static_cast<std::uint16_t>(i + 1);
  }
}

const Fields::Node* Fields::child(const Node& node, std::string_view name, const NameKey& lower) const {
  if (node.buckets.empty()) return nullptr;
  for (std::size_t at = lower.hash(node.bits);; at = (at + 1) & (node.buckets.size() - 1)) {
    if (node.buckets[at] == 0) return nullptr;
    const Child& child = node.children[node.buckets[at] - 1U];
    if (child.key == lower && (name.size() <= NameKey::kWhole || equals_ignore_case(child.name, name)))
      return &nodes_[child.node];
  }
}

const Fields::Node* Fields::descendant(const Node& node, const Member& member) const {
  const Node* found = child(node, member.name(), member.key.lower());
  if (found != nullptr || find_byte(member.name().data(), 0, member.name().size(), {'.'}) == member.name().size())
    return found;
  found = &node;
  std::string_view path = member.name();
  while (found != nullptr && !path.empty()) found = child(*found, core::take_until(path, '.'));
  return found;
}

Fields::Meaning Fields::meaning(const Node& node, const Member& member) const {
  Meaning found{.node = descendant(node, member)};
  if (equals_ignore_case("name", member.name()) || equals_ignore_case("key", member.name())) found.role = Role::kName;
  if (is_list_value(member.name())) found.role = Role::kValue;
  return found;
}

struct Fields::Reading {
  Row& row;
  NameMemory<Meaning>::Names names;

  [[gnu::always_inline]] Meaning meaning(const Fields& fields, const Node& node, const Member& member) {
    return names.find(member.begin, member.key, &node, [&] { return fields.meaning(node, member); });
  }
};

bool Fields::read(const Value& object, Row& row, Memory& memory) const {
  Reading reading{row, memory.names_.names()};
  return read_object(nodes_.front(), object, reading);
}

[[gnu::always_inline]] inline bool Fields::read_value(const Node& node, const Value& value, Reading& reading) const {
  if (is_object(value) || is_array(value)) return read_container(node, value, reading);
  if (node.field != kNoField && reading.row[node.field].empty()) reading.row[node.field] = text(value);
  return true;
}

// The recursion is as deep as the longest path, not as the document.
bool Fields::read_object(const Node& node, const Value& object, Reading& reading) const {
  bool good = true;
  const Walk walk = walk_members(object, [&](const Member& member) {
    const Node* const next = reading.meaning(*this, node, member).node;
    if (next != nullptr) good = read_value(*next, object.at(member), reading);
    return good;
  });
  return good && walk != Walk::kBroken;
}

bool Fields::read_container(const Node& node, const Value& value, Reading& reading) const {
  if (is_object(value)) return node.children.empty() || read_object(node, value, reading);
  if (node.all) {
    if (reading.row[node.field].empty()) reading.row[node.field] = value.whole();
    return true;
  }
  bool good = true;
  const Walk walk = each_element(value, [&](const Value& element) {
    if (is_array(element)) return true;
    good = node.children.empty() || !is_object(element) ? read_value(node, element, reading)
                                                        : read_named(node, element, reading);
    return good;
  });
  return good && walk != Walk::kBroken;
}

// An element of an array of objects: its own members, or what it names.
bool Fields::read_named(const Node& node, const Value& object, Reading& reading) const {
  bool good = true;
  std::string_view name;
  Value named;
  bool has_value = false;
  const Walk walk = walk_members(object, [&](const Member& member) {
    const Meaning meaning = reading.meaning(*this, node, member);
    if (meaning.node != nullptr) good = read_value(*meaning.node, object.at(member), reading);
    if (meaning.role == Role::kName) name = text(object.at(member));
    if (meaning.role == Role::kValue) {
      named = object.at(member);
      has_value = true;
    }
    return good;
  });
  if (!good || walk == Walk::kBroken) return false;
  if (name.empty() || !has_value) return true;
  const Node* const next = child(node, name);
  return next == nullptr || read_value(*next, named, reading);
}

Fate TableDecoder::decode(const TextRecord& record, Event& event) {
  Object object;
  row_used_ = std::max(row_used_, fields_.count());
  std::fill_n(row_.begin(), row_used_, std::string_view{});
  inner_used_ = 0;
  if (!parser_.open(record, object) || !fields_.read(object, row_, memory_)) return Fate::rejected(not_json_);
  return fill(row_, object, event);
}

bool TableDecoder::read_inner(std::string_view text, const Fields& fields, Row& row) {
  if (!text.starts_with('{') || inner_used_ == kMostInner) return false;
  row_used_ = std::max(row_used_, fields.count());
  Inner& inner = inner_[inner_used_++];
  inner.text.assign(text);
  inner.text.reserve(inner.text.size() + core::kPadding);
  Object object;
  return inner.parser.open(inner.text, object) && fields.read(object, row, memory_);
}

core::Nanoseconds utc_time(std::string_view text) {
  static const core::TimeReader utc;
  if (text.size() > 10 && text[4] == '-') return core::parse_iso8601(text, utc).value_or(0);
  return core::parse_epoch(text).value_or(0);
}

void set_source(Event& event, std::string_view text) {
  Scanner s(core::trim(text));
  core::Ip ip;
  if (!s.ip(ip)) return;
  event.source_ip = ip;
  if (s.skip(':')) event.source_port = s.port();
}

void set_user_agent(Event& event, std::string_view text) { event.user_agent = symbol(text); }

Fate ignored(std::string_view prefix, std::string_view name) {
  std::array<char, 96> buffer;
  constexpr std::size_t kLongestName = 48;
  const bool plain = !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-' || c == '.' ||
           c == ' ' || c == '/';
  });
  if (!plain) name = "other";
  assert(prefix.size() + 1 + kLongestName <= buffer.size());
  char* to = std::copy(prefix.begin(), prefix.end(), buffer.begin());
  *to++ = ' ';
  to = std::copy(name.begin(), name.end(), to);
  return Fate::ignored(std::string_view(buffer.data(), static_cast<std::size_t>(to - buffer.data())));
}

bool absent(std::string_view text) {
  switch (text.size()) {
    case 0: return true;
    case 1: return text == "-";
    case 3: return text == "N/A";
    case 4: return core::equals_ignore_case(text, "none") || core::equals_ignore_case(text, "null");
    case 7: return core::equals_ignore_case(text, "unknown");
    default: return false;
  }
}

}  // namespace orbwatch::decode::json
