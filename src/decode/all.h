// Every format, in the order in which a record is offered to them. A new format is one file in this folder and one line
// in all.cc (and its goldens, its page in docs/formats/; its fuzz target is made from this list).
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "decode/decoder.h"

namespace orbwatch::decode {

std::span<const RecordFormat> record_formats();
std::span<const BinaryFormat> binary_formats();

// The two factories below do not know yet what the input is.
struct Recognised {
  std::string
      format;  // name of the main format; "text" if syslog lines of no known program; "" if nothing was recognised
  bool binary = false;
  Framing framing = Framing::kLines;  // of a text
  bool stateless = false;             // may be cut at line ends and decoded in parallel
};
// By content: looks at the first bytes (64 KiB suffice).
Recognised recognise(std::string_view head, const Options& options);
// A decoder for an input recognised as `what`. Fails if options.format names no format.
core::Expected<std::unique_ptr<Decoder>> make_decoder(const Recognised& what, const Options& options);

}  // namespace orbwatch::decode
