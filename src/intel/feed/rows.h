// Records with named fields, of CSV and of JSON: which field holds what, and what an item is made of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intel/feed/recorder.h"

namespace orbwatch::intel {

enum class RowField : std::uint8_t {
  kValue,
  kKind,
  kLabel,
  kPort,
  kFirstSeen,
  kLastSeen,
  kValidFrom,
  kValidUntil,
  kConfidence,
  kModified,
  kTags,
  kId,
  kTlp,
};
inline constexpr std::size_t kRowFields = 13;

// Where each field is in a record: an index into its columns, or into a list of JSON paths; -1: nowhere.
struct RowLayout {
  std::array<int, kRowFields> at;
  KindName value_kind;  // what the value's column says of it
  RowLayout() { at.fill(-1); }
  int operator[](RowField field) const { return at[static_cast<std::size_t>(field)]; }
  int& operator[](RowField field) { return at[static_cast<std::size_t>(field)]; }
};

// Finds the fields by the names that feeds use ("ioc_value", "dst_ip", "Valid Until" ...); nullopt if none of them can
// hold an indicator.
std::optional<RowLayout> usual_layout(const std::vector<std::string>& names);

// The settings' names in the order of RowField; the last is empty.
std::array<std::string_view, kRowFields> mapped_names(const FeedMapping& mapping);

struct Row {
  std::array<std::string_view, kRowFields> field;
  std::vector<std::string_view> more_tags;
  std::string_view operator[](RowField f) const { return field[static_cast<std::size_t>(f)]; }
  std::string_view& operator[](RowField f) { return field[static_cast<std::size_t>(f)]; }
};

// Counts the row as one record and gives its items.
void take_row(const Row& row, const KindName& kind, const std::string& place, FeedRecorder& recorder);

// What `settings.kind` names; an error if it is no kind.
core::Expected<KindName> kind_of_settings(const FeedSettings& settings);

}  // namespace orbwatch::intel
