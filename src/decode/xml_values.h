// Cuts XML into the <Event> elements that Windows' exports hold: one behind the other, over several lines, within
// <Events> or alone. What stands around them (the XML declaration, <Events>, comments) is no record: it is neither
// given out nor counted.
//
// Memory: at most one record and what was added last. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orbwatch::decode {

class XmlValues {
 public:
  explicit XmlValues(std::size_t longest_record) : longest_(longest_record) {}

  enum class Found : std::uint8_t {
    kNothing,    // more bytes are needed
    kRecord,     // an element, from <Event to </Event>
    kTooLong,    // one of more than longest_record bytes; the text is its beginning
    kTruncated,  // one that does not end; only when the input has ended
    kNotXml,     // text or another element between the records; up to the next tag or its end
  };
  struct Piece {
    std::string_view text;     // readable core::kPadding bytes behind its end; valid until the next add()
    std::uint64_t offset = 0;  // of its first byte, from the beginning of all bytes
    std::uint32_t line = 1;    // on which it begins
  };
  void add(std::string_view bytes);
  // `last`: nothing will be added any more.
  Found next(bool last, Piece& piece);

 private:
  Found take(std::size_t length, Found found, Piece& piece);
  void skip(std::size_t length);
  std::string_view rest() const { return std::string_view(bytes_).substr(used_); }

  std::size_t longest_;
  std::string bytes_;
  std::size_t used_ = 0;      // bytes of bytes_ that are done with
  std::size_t searched_ = 0;  // bytes behind them that hold no end of the open record
  std::uint64_t offset_ = 0;  // of the byte at used_
  std::uint32_t line_ = 1;
  bool skipping_ = false;  // within a record that was too long
};

// Does the text begin with <Events>, perhaps behind an XML declaration?
bool begins_events(std::string_view text);

// Does the text begin with XML whose records are not one a line?
bool is_xml_over_lines(std::string_view head);

}  // namespace orbwatch::decode
