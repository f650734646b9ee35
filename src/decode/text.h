// The text frame: cuts an input into records (lines, JSON values, counted frames, rows of CSV), reads the syslog
// envelope, opens what wrappers there are and offers each record to the record decoders. Formats may be mixed within
// one input.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decode/decoder.h"
#include "decode/json_values.h"
#include "decode/wrapper.h"
#include "decode/xml_values.h"

namespace orbwatch::decode {

// Why lines were ignored that have a syslog envelope, but are of no known format.
inline constexpr std::string_view kOtherProgram = "syslog of another program";

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
  void offer_first(Symbol name, std::unique_ptr<RecordDecoder> decoder);

  // Every format takes part, those with header lines, too: to find out what an input is. For a decoder that was made
  // with `only` and without a main format.
  void offer_to_all();
  // How many records a format claimed so far, whatever became of them. 0 for a name that does not take part.
  std::uint64_t claimed(Symbol name) const;

  // Puts the decoder at a place within an input, for chunks that are decoded by several instances: `offset` bytes and
  // `lines_before` line ends came before. With `inside_line` the chunk begins within a line that was too long for one
  // chunk: the rest of that line belongs to a record that is counted already and is skipped.
  void start_at(std::uint64_t offset, std::uint64_t lines_before, bool inside_line = false);

 private:
  struct Reader {
    Symbol name;
    std::unique_ptr<RecordDecoder> decoder;
    std::uint64_t claimed = 0;
  };
  struct Place {
    std::string_view raw;
    std::uint64_t offset;
    std::uint32_t line;
  };

  class PlacesWithin;
  class RecordParts;

  void lines(std::string_view bytes, EventBatch& batch);
  void values(std::string_view bytes, EventBatch& batch);
  void elements(bool last, EventBatch& batch);
  void frames(std::string_view bytes, bool last, EventBatch& batch);
  void rows(std::string_view bytes, bool last, EventBatch& batch);
  void row(EventBatch& batch);
  // The bytes behind the record are readable for core::kPadding.
  void record(std::string_view raw, std::uint64_t offset, std::uint32_t line, EventBatch& batch);
  // An event of the batch to fill for this record.
  Event& next(const TextRecord& record, EventBatch& batch);
  // Counts what became of the event that next() gave.
  void settle(const Reader& reader, Fate fate, const Place& place, EventBatch& batch);
  // Gives the record to the first of the readers that claims it; false if none does.
  bool offer(const TextRecord& record, const std::vector<Reader*>& readers, const Place& place, EventBatch& batch);
  const std::vector<Reader*>& readers_of(const TextRecord& record) const {
    return record.json ? json_readers_ : text_readers_;
  }
  // One record, from a line as from a wrapper; `level` is the number of wrappers and containers around it.
  void take(const TextRecord& record, std::size_t level, const Place& place, EventBatch& batch);
  // What no format claims as it is: opens wrappers, from `level` on, and offers what is inside; in the end the common
  // schemas are asked.
  void unwrap(const TextRecord& record, std::size_t level, const Place& place, EventBatch& batch);
  // Gives out the records of a container ({"Records":[...]}, an array, <Events>), each with its own place; false if the
  // record is none.
  bool unpack(const TextRecord& record, std::size_t level, const Place& place, EventBatch& batch);
  void unpack_events(const TextRecord& record, std::size_t level, const Place& place, EventBatch& batch);
  void add_reader(const RecordFormat& format);
  void record_from_carry(EventBatch& batch);
  void value(JsonValues::Found found, const JsonValues::Piece& piece, EventBatch& batch);
  // A piece that is no record.
  void reject(JsonValues::Found found, const Place& place, EventBatch& batch);
  void reject(XmlValues::Found found, const Place& place, EventBatch& batch);
  void reject(std::string_view seen, std::uint64_t offset, std::uint32_t line, Symbol reason, EventBatch& batch);

  Framing framing_;
  Options options_;
  core::TimeReader times_;
  std::deque<Reader> readers_;  // all that take part; the lists below say who is asked, in their order
  std::vector<Reader*> text_readers_;
  std::vector<Reader*> json_readers_;
  std::vector<Reader*> schemas_;  // the common schemas among the formats, see RecordFormat
  Unwrapper unwrapper_;
  std::string last_host_;  // of the envelope of the record before: mostly the same
  Symbol last_observer_;

  std::uint64_t offset_ = 0;  // of the next byte that feed() gets
  std::uint32_t line_ = 1;    // number of the line that the next byte belongs to
  std::string carry_;         // the unfinished record
  std::uint64_t carry_offset_ = 0;
  std::uint32_t carry_line_ = 1;
  bool too_long_ = false;     // the unfinished record is being skipped
  bool inside_line_ = false;  // see start_at

  std::unique_ptr<json::Index> index_;  // lent to the records
  JsonValues values_;
  XmlValues elements_;

  // State of the CSV scanner.
  bool quoted_ = false;       // the row so far has an open quote
  bool header_seen_ = false;  // the header line is read
};

// How the first bytes look.
Framing framing_of(std::string_view head);

}  // namespace orbwatch::decode
