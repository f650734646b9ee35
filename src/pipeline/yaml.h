// Readers of configuration keys. An error knows its place; it is thrown and caught within this room only.
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/text.h"
#include "pipeline/service_config.h"

namespace orbwatch::pipeline::yaml {

struct Wrong {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] inline void wrong(const YAML::Node& node, std::string message) {
  throw Wrong{node.Mark(), std::move(message)};
}

inline void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> keys) {
  for (const auto& item : map) {
    const auto key = item.first.as<std::string>();
    bool known = false;
    std::string all;
    for (const auto k : keys) {
      known |= k == key;
      all += (all.empty() ? "" : ", ") + std::string(k);
    }
    if (!known) wrong(item.first, fmt::format("unknown key '{}' (known: {})", core::printable(key, 40), all));
  }
}

template <typename T>
void read(const YAML::Node& map, const char* key, T& out, std::string_view what) {
  const YAML::Node node = map[key];
  if (!node) return;
  try {
    out = node.as<T>();
  } catch (const YAML::Exception&) {
    wrong(node, fmt::format("'{}' must be {}", key, what));
  }
}

// "90s" and "4GiB": a whole number and a unit; `least` and `most` in ms and in bytes. Throw Wrong.
void read_time(const YAML::Node& map, const char* key, std::chrono::milliseconds& out, std::uint64_t least,
               std::uint64_t most);
void read_size(const YAML::Node& map, const char* key, std::uint64_t& out, std::uint64_t least);

// The service's keys of the whole file (service_config.cc). Throws Wrong.
ServiceConfig read_service(const YAML::Node& root);

}  // namespace orbwatch::pipeline::yaml
