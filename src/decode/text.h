// The text frame: cuts an input into records (lines, or JSON values), reads the syslog envelope and offers each record
// to the record decoders. Formats may be mixed within one input.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decode/decoder.h"

namespace orbwatch::decode {

enum class Framing {
  kLines,       // one record a line; a line may be a JSON object
  kJsonValues,  // pretty-printed objects, an array of objects, or {"Records": [objects]} and alike
};

// Memory: at most options.longest_record bytes plus the decoders' state.
class TextDecoder final : public Decoder {
 public:
  // `main_format` is offered each record first ("" = none); with `only` no other format is. Formats with header lines
  // take part only as the main format: their headers would have to be carried from chunk to chunk.
  TextDecoder(Framing framing, std::string_view main_format, bool only, const Options& options, core::TimeReader times);
  ~TextDecoder() override;

  void feed(std::string_view bytes, EventBatch& batch) override;
  void finish(EventBatch& batch) override;

  // A user's own format, asked before all others.
  void offer_first(Symbol name, std::unique_ptr<RecordDecoder> decoder) {
    readers_.insert(readers_.begin(), Reader{name, std::move(decoder)});
  }

  // Puts the decoder at a place within an input, for chunks that are decoded by several instances: `offset` bytes and
  // `lines_before` line ends came before. With `inside_line` the chunk begins within a line that was too long for one
  // chunk: the rest of that line belongs to a record that is counted already and is skipped.
  void start_at(std::uint64_t offset, std::uint64_t lines_before, bool inside_line = false);

 private:
  struct Reader {
    Symbol name;
    std::unique_ptr<RecordDecoder> decoder;
  };

  void lines(std::string_view bytes, EventBatch& batch);
  void values(std::string_view bytes, EventBatch& batch);
  // `padded`: the bytes behind the record are readable for core::kPadding.
  void record(std::string_view raw, std::uint64_t offset, std::uint32_t line, EventBatch& batch);
  void record_from_carry(EventBatch& batch);
  // Keeps the event that batch.next() gave and what stands in further_.
  void keep_further(const Event& first, EventBatch& batch);
  // Takes a byte within a string of the JSON value scanner; true if it is the closing quote.
  bool ends_string(char c);
  void reject(std::string_view seen, std::uint64_t offset, std::uint32_t line, Symbol reason, EventBatch& batch);

  Framing framing_;
  Options options_;
  core::TimeReader times_;
  std::vector<Reader> readers_;
  std::vector<Event> further_;  // see TextRecord::further
  std::string last_host_;       // of the envelope of the record before: mostly the same
  Symbol last_observer_;

  std::uint64_t offset_ = 0;  // of the next byte that feed() gets
  std::uint32_t line_ = 1;    // number of the line that the next byte belongs to
  std::string carry_;         // the unfinished record
  std::uint64_t carry_offset_ = 0;
  std::uint32_t carry_line_ = 1;
  bool too_long_ = false;     // the unfinished record is being skipped
  bool inside_line_ = false;  // see start_at

  // State of the JSON value scanner.
  int depth_ = 0;          // of open { and [
  int record_depth_ = -1;  // depth at which the current record's { was met; -1 = between records
  bool in_string_ = false;
  bool escaped_ = false;
  std::string last_string_;  // the last string at wrapper level, cut to a few bytes
  int wrapper_depth_ = 0;    // depth of arrays and wrapper objects that are transparent
};

// How the first bytes look: JSON values that do not end with their line, or lines.
Framing framing_of(std::string_view head);

}  // namespace orbwatch::decode
