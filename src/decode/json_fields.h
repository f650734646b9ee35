// A table of the members that a format reads, by their paths, and the readers that the formats of identity and cloud
// services share.
//
// Paths are names with dots: "actor.alternateId". Names are compared without regard to case: the same record has
// "userPrincipalName" from an API and "UserPrincipalName" from a table's export. Exports that flatten objects write the
// dotted path as one key, which is found, too. Arrays on the way are transparent: the first element with the member
// counts. An array of {"name":N,"value":V} objects is read as an object with member N, also with "boolValue",
// "intValue" or the first of "multiValue".
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/json_record.h"
#include "decode/name_memory.h"

namespace orbwatch::decode::json {

constexpr std::size_t kMostFields = 48;
// The text of each field by its number; "" if absent. Views are valid until the record's index is built anew.
using Row = std::array<std::string_view, kMostFields>;

// Immutable after construction: instances may share one table.
class Fields {
 public:
  struct Path {
    std::string_view path;
    std::uint8_t field;  // below kMostFields
    bool all = false;    // of an array all, as it stands in the JSON, instead of its first element with a text
  };
  // Each path is looked for below each of the prefixes: {"", "properties."}.
  Fields(std::initializer_list<Path> paths, std::initializer_list<std::string_view> prefixes = {""});

  // The number of the last field, and one.
  std::size_t count() const { return count_; }

  class Memory;
  // Fills the fields that `object` has and that are still empty; of equal paths the first with a text counts. False if
  // the JSON is broken. `memory` is the caller's, for all his records and tables; the tables must outlive it.
  bool read(const Value& object, Row& row, Memory& memory) const;

 private:
  static constexpr std::uint8_t kNoField = 255;
  struct Child {
    NameKey key;
    std::string name;  // in lower case
    std::uint16_t node;
  };
  struct Node {
    std::uint8_t field = kNoField;
    bool all = false;
    std::uint8_t bits = 0;
    std::vector<Child> children;
    std::vector<std::uint16_t> buckets;  // 1 << bits of them: hash -> child + 1, 0 = empty
  };
  void add(std::string_view path, const Path& what);
  void index(Node& node) const;
  const Node* child(const Node& node, std::string_view name, const NameKey& lower) const;
  const Node* child(const Node& node, std::string_view name) const {
    return child(node, name, NameKey::of(name).lower());
  }
  const Node* descendant(const Node& node, const Member& member) const;

  // What a member is within an object of the table.
  enum class Role : std::uint8_t { kNone, kName, kValue };
  struct Meaning {
    const Node* node = nullptr;  // nullptr: the table does not have it
    Role role = Role::kNone;     // in an array of {"name":N,"value":V}
  };
  Meaning meaning(const Node& node, const Member& member) const;
  struct Reading;
  bool read_object(const Node& node, const Value& object, Reading& reading) const;
  bool read_value(const Node& node, const Value& value, Reading& reading) const;
  bool read_container(const Node& node, const Value& value, Reading& reading) const;
  bool read_named(const Node& node, const Value& object, Reading& reading) const;

  std::vector<Node> nodes_;
  std::size_t count_ = 0;
};

class Fields::Memory {
 private:
  friend class Fields;
  NameMemory<Meaning> names_;
};

// A decoder of records whose fields stand in one table.
class TableDecoder : public RecordDecoder {
 public:
  Fate decode(const TextRecord& record, Event& event) override;

 protected:
  TableDecoder(const Fields& fields, Symbol not_json) : fields_(fields), not_json_(not_json) {}
  // `object` is the record's; see RecordDecoder::decode. The fields of the table (and of those that read_inner() gets)
  // may be changed in the row.
  virtual Fate fill(Row& row, const Object& object, Event& event) = 0;
  // Reads a JSON object that a field holds as text; up to kMostInner of a record. False if it is none.
  static constexpr std::size_t kMostInner = 3;
  bool read_inner(std::string_view text, const Fields& fields, Row& row);

 private:
  const Fields& fields_;
  Symbol not_json_;
  Parser parser_;
  Fields::Memory memory_;
  std::size_t row_used_ = 0;  // fields of row_ that a record may have filled
  struct Inner {
    Parser parser;
    std::string text;
  };
  std::array<Inner, kMostInner> inner_;
  std::size_t inner_used_ = 0;
  Row row_;
};

// A time of a cloud service: RFC 3339, the same without a zone (UTC then), or a count of seconds or milliseconds since
// 1970. 0 if it is none of these.
core::Nanoseconds utc_time(std::string_view text);

// "192.0.2.1", "192.0.2.1:50123", "[2001:db8::1]:50123", and of "192.0.2.1, 198.51.100.2" the first. A name or ""
// leaves the event as it is.
void set_source(Event& event, std::string_view text);

// An event's user agent, without what only says that there is none ("-", "Unknown", "None").
void set_user_agent(Event& event, std::string_view text);

// "PREFIX NAME" as a reason to ignore; a name that is not a plain word of at most 48 bytes gives "PREFIX other".
Fate ignored(std::string_view prefix, std::string_view name);

// True if the text is empty or one of the words by which services say that they have no value.
bool absent(std::string_view text);

inline Symbol symbol(std::string_view text) { return absent(text) ? Symbol() : core::intern(text); }

inline bool is_true(std::string_view text) { return core::equals_ignore_case(text, "true") || text == "1"; }
inline bool is_false(std::string_view text) { return core::equals_ignore_case(text, "false") || text == "0"; }

}  // namespace orbwatch::decode::json
