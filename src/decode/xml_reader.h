// A forward reader for the flat XML that Windows writes for events: elements, attributes, text. No DTD, no namespaces
// (prefixes stay in the names), no entities but the five of XML and character references. Never reads behind its text,
// does not recurse, does not allocate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orbwatch::decode {

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  enum class Token : std::uint8_t {
    kOpen,   // <name attributes>; <name/> gives kOpen and then kClose
    kText,   // between two tags, without spaces around it and never empty; entities as they stand there
    kClose,  // </name>
    kEnd,    // the text is used up
    kBroken  // a tag that does not end
  };
  Token next();

  // Of the last kOpen or kClose.
  std::string_view name() const { return name_; }
  // Of the last kOpen: the value of an attribute, "" if there is none.
  std::string_view attribute(std::string_view key) const;
  // Of the last kText.
  std::string_view text() const { return text_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view attributes_;
  std::string_view text_;
  bool closes_ = false;  // the last tag was <name/>: its end is due
};

// `text` with its entities replaced. A view of `text` if there are none, else of what is appended to `buffer`, whose
// capacity must hold the text; else the text is given as it is.
std::string_view xml_unescaped(std::string_view text, std::string& buffer);

}  // namespace orbwatch::decode
