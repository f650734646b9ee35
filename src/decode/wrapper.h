// The wrappers in which collectors store the records of others: JSON documents of Elastic's shippers, Splunk, Graylog,
// CloudWatch, journald, Docker, Azure Monitor and alike, and their CSV exports. They are opened here, in one place,
// before the formats are asked, so that every format is read inside every wrapper.
//
// Which keys hold the record, its time, host, program and process number is told by the table in wrapper.cc;
// docs/formats/envelopes.md lists them for the user.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "decode/decoder.h"
#include "decode/json_record.h"

namespace orbwatch::decode {

// One instance belongs to one input; not thread-safe. No allocation per record once its buffers have grown.
class Unwrapper {
 public:
  // Wrappers inside of wrappers are followed so deep.
  static constexpr std::size_t kDeepest = 6;

  // `year` as in Options: if it is given, the wrapper's time does not tell the year of a record inside.
  Unwrapper(core::TimeReader times, int year);
  ~Unwrapper();

  enum class Opened : std::uint8_t {
    kNo,      // no wrapper
    kYes,     // `record` is the content now
    kEmpty,   // a wrapper, but nothing is in it
    kBroken,  // looks like a wrapper, but is no JSON
  };
  // Opens the JSON document that is the record's message. On kYes `record` has the content as its raw text, its
  // own envelope read, and the wrapper's time, host, program and process number where that did not say. `level` (0 to
  // kDeepest - 1) is the number of wrappers opened before; what the record's views point to is valid until the
  // next call with the same level or the record's raw bytes go.
  Opened open(TextRecord& record, std::size_t level);

  // Reads a header line of CSV. False if no column of that name can hold records.
  bool csv_header(std::string_view line);
  // A row below that header, as open() does, but without an index lent to the record. kBroken: it has fewer columns
  // than would be needed.
  Opened open_csv(std::string_view row, TextRecord& record);

 private:
  struct Level {
    json::Parser parser;
    json::Index inside;  // of what was found inside, if that is JSON
    std::string bytes;   // a text that does not stand in the document as it is
  };
  struct Parts;
  struct Memory;
  struct Search;

  void describe(const Parts& parts, TextRecord& record);
  void content(std::string_view text, json::Index* index, TextRecord& record);
  void envelope(std::string_view text, TextRecord& record);

  core::TimeReader times_;
  core::TimeReader inner_times_;
  bool keep_year_;
  std::unique_ptr<Memory> names_;  // made when first used, as the levels are
  std::array<std::unique_ptr<Level>, kDeepest> levels_;
  char separator_ = ',';
  std::vector<std::uint8_t> columns_;  // index into the table of keys, kNoKey
  std::string cell_;
};

// Does the text begin with the header line of a CSV export that holds records in a column?
bool is_csv_wrapper(std::string_view head);

}  // namespace orbwatch::decode
