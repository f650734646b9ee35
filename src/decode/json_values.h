// Cuts JSON that is not one object a line into records: objects over several lines, arrays of objects, and the objects
// that exports put around their records, such as {"Records":[...]}, {"value":[...]} or {"response":{"authlogs":[...]}}.
// What stands around the records is no record: it is neither given out nor counted.
//
// Memory: at most one record. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orbwatch::decode {

class JsonValues {
 public:
  explicit JsonValues(std::size_t longest_record) : longest_(longest_record) {}

  enum class Found : std::uint8_t {
    kNothing,    // the bytes are used up
    kRecord,     // an object, from its { to its }
    kTooLong,    // an object of more than longest_record bytes; the text is its beginning
    kTruncated,  // an object that does not end; finish() only
    kNotJson,    // text between the records, up to the end of its line or the next bracket; its first byte
  };
  struct Piece {
    std::string_view text;     // valid until the next call
    std::uint64_t offset = 0;  // of its first byte, from the beginning of all bytes
    std::uint32_t line = 1;    // on which it begins
    bool carried = false;      // text does not lie within the bytes given, but in a copy; both are readable
                               // core::kPadding bytes behind their end
  };
  // Finds the next piece and moves `bytes`, which must be readable core::kPadding bytes behind their end, behind it.
  Found next(std::string_view& bytes, Piece& piece);
  // The input ends here: an object that is still open, or nothing.
  Found finish(Piece& piece);

 private:
  bool between(std::string_view& bytes);
  Found inside(std::string_view& bytes, Piece& piece);
  void use(std::string_view& bytes, std::size_t count);
  std::string_view seen(const char*& begin, const char* until);
  void keep(const char* begin, const char* end);
  void opened(char bracket, const char*& begin, const char* at);
  bool container(char bracket, const char*& begin, const char* at);
  Found finished(const char* begin, const char* end, Piece& piece);

  std::size_t longest_;
  std::uint64_t offset_ = 0;  // of the next byte
  std::uint32_t line_ = 1;

  // Brackets around the records: '[' an array of records, '{' the object that holds such an array.
  std::string around_;
  bool in_string_ = false;
  bool escaped_ = false;
  bool garbage_ = false;  // within text that is no JSON

  // The value that is open: a record, or a member of an object around the records, which is skipped.
  std::uint32_t depth_ = 0;  // brackets open in it; 0 = none is open
  bool skipped_ = false;
  bool too_long_ = false;
  std::string carry_;  // its bytes of earlier calls
  std::uint64_t begin_offset_ = 0;
  std::uint32_t begin_line_ = 1;
  // Is it an object around records?
  bool nested_before_ = false;  // it had a member that is an object or array
  bool in_response_ = false;    // depth_ 2 is a member such as "response"
  bool asked_ = false;          // a '[' behind such a name was the last bracket
  bool nothing_else_ = false;   // it holds an empty array of records and nothing before that
  std::size_t array_at_ = 0;    // where that '[' stands in the value
};

// Does the text begin with an array of objects?
bool begins_array(std::string_view text);

}  // namespace orbwatch::decode
